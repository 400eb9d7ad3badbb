"""Large sources of transactions: engines scan Parquet files and tables of Spark, and only a sample is read here."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import dataset, parquet

from analysis.base.errors import place_of
from analysis.base.formats import number
from analysis.settings.sources import Source
from analysis.sources.locate import fill_in_environment, is_address
from analysis.sources.readers.catalogs import fetch_rows, find_table, measure_table, open_table, show_table
from analysis.sources.readers.delimited import Reading
from analysis.sources.readers.files import DataFiles, find_data, join_digests, open_parquet_file
from analysis.sources.readers.stores import explain_store, is_stored, open_store
from analysis.sources.tables import LoadedTable, RawTable, type_table

SCANNED_ROWS = 2_000_000
"""Rows from which the files of a source are scanned by the engine. Below it they are read whole. Chosen for this
project."""
SAMPLE_ROWS = 100_000
"""Rows, spread over all files, that meaning and types of columns are inferred from. Chosen for this project."""
BATCH = 10_000
"""Rows of the sample that lie next to each other at most."""
_OPENED_AT_ONCE = 16
CHANGING = ("leave_out", "names", "header", "query", "sheet")
"""Settings that change rows or columns while a file is read."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Rows that stay in Parquet files, or in a table of Spark.

    Attributes
    ----------
    files : tuple of str
        Absolute paths, or addresses in an object store; empty for a table of Spark.
    folder : str
        Folder, or address, whose folders below it hold values, such as ``year=2024``; empty where there is none.
    shown : str
        What messages call the source.
    dated : str
        Column that ``since`` looks at.
    since : date, optional
        First day that counts.
    keyed : str
        Column that ``keys`` looks at.
    keys : tuple of str, optional
        Customers whose rows count.
    table : str
        Name of a table of Spark.
    """

    files: tuple[str, ...]
    folder: str
    shown: str
    dated: str = ""
    since: dt.date | None = None
    keyed: str = ""
    keys: tuple[str, ...] | None = None
    table: str = ""

    @property
    def stored(self) -> bool:
        """Whether there are files, in an object store."""
        return bool(self.files) and is_stored(self.files[0])

    def open_dataset(self) -> dataset.Dataset:
        """Open files of an object store as one table, of which only the columns and rows asked for are fetched."""
        store = open_store(self.files[0])[0]
        paths = [open_store(file)[1] for file in self.files]
        own = parquet.read_schema(paths[0], filesystem=store)
        values = DataFiles(self.files, self.folder, self.shown).partition_of(self.files[0])
        named = pa.schema([(name, pa.string()) for name in values if name not in own.names])
        return dataset.dataset(
            paths,
            filesystem=store,
            format="parquet",
            partitioning=dataset.partitioning(named, flavor="hive") if len(named) else None,
            partition_base_dir=open_store(self.folder)[1] if self.folder else None,
        )

    def fetch(self, columns: Iterable[str], file: Path) -> Scan:
        """Copy some columns of files in an object store to a file of this machine, part by part.

        Raises
        ------
        InputError
            The store no longer answers.
        """
        with explain_store(f"The source {self.shown}"):
            whole = self.open_dataset()
            chosen = whole.scanner(columns=[name for name in whole.schema.names if name in set(columns)])
            with parquet.ParquetWriter(file, chosen.projected_schema) as writer:
                for batch in chosen.to_batches():
                    writer.write_batch(batch)
        return replace(self, files=(str(file.absolute()),), folder="")

    @property
    def is_whole(self) -> bool:
        """Whether all rows count."""
        return self.since is None and self.keys is None

    def after(self, column: str, day: dt.date) -> Scan:
        """Return the rows later than a day, by a column of dates."""
        return replace(self, dated=column, since=day + dt.timedelta(days=1))

    def among(self, column: str, keys: Iterable[str]) -> Scan:
        """Return the rows of some customers, by a column of keys."""
        return replace(self, keyed=column, keys=tuple(keys))


def scan_source(address: str | Path, root: Path, source: Source, setting: str) -> RawTable | None:
    """Take a large source as files, or a table of Spark, that stay where they are; None where it is to be read whole.

    That is so for fewer rows than `SCANNED_ROWS`, other formats, and columns that are not of the type that they are
    used as, such as dates in text.

    Parameters
    ----------
    address : str or Path
        A file, a pattern of files or a folder of Parquet files, here or in an object store; or a table of Spark.
    root : Path
        Folder that a relative path starts from.
    source : Source
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    RawTable
        Its frame is a sample, ``n_rows`` the number of all rows, and ``scan`` leads to them.

    Raises
    ------
    InputError
        No such file.
    """
    changed = any(getattr(source, name) for name in ("types", *CHANGING))
    if source.kind != "transactions" or source.columns.price or changed:
        return None
    reading = Reading(dates=source.dates, setting=setting)
    if name := find_table(str(address), root):
        return _scan_table(name, source, reading)
    found = open_parquet(address, root, setting, SCANNED_ROWS)
    if found is None:
        return None
    files, opened, n_rows = found
    with explain_store(f"{place_of(setting)}: {files.shown}"):
        sample = take_sample(opened, [files.partition_of(place) for place in files.places], n_rows)
        digest = digest_files(files, opened)
    joined = explain_parts(opened)
    loaded = LoadedTable(files.shown, sample, (*joined, _explain_sample(sample, n_rows)), digest)
    scan = Scan(files.places, files.folder, files.shown)
    return _describe(loaded, opened[0].schema_arrow, scan, n_rows, source, reading)


def _scan_table(name: str, source: Source, reading: Reading) -> RawTable | None:
    frame = open_table(name, reading.setting)
    named = [column for column in source.columns.model_dump().values() if column in frame.columns]
    n_rows, digest = measure_table(frame, named or [column for column, kind in frame.dtypes if "map<" not in kind])
    if n_rows < SCANNED_ROWS:
        return None
    # More are drawn than are taken, as their number is left to chance.
    sample = fetch_rows(frame.sample(min(1.0, 1.2 * SAMPLE_ROWS / n_rows), seed=0).limit(SAMPLE_ROWS))
    shown = show_table(name)
    loaded = LoadedTable(shown, sample, ("table of Spark", _explain_sample(sample, n_rows)), digest)
    return _describe(loaded, sample.schema, Scan((), "", shown, table=name), n_rows, source, reading)


def _describe(
    loaded: LoadedTable, schema: pa.Schema, scan: Scan, n_rows: int, source: Source, reading: Reading
) -> RawTable | None:
    """Describe the columns of a scan by a sample of its rows; None where reading would change their types."""
    raw = type_table(loaded, reading=reading)
    if not keeps_types(raw, loaded.table, source):
        return None
    place = "table" if scan.table else "file"
    columns = tuple(replace(c, note=_stated(schema, c.name, place), n_missing=0) for c in raw.columns)
    return replace(raw, columns=columns, n_rows=n_rows, scan=scan)


def open_parquet(
    address: str | Path, root: Path, setting: str, fewest: int
) -> tuple[DataFiles, list[parquet.ParquetFile], int] | None:
    """Open a large Parquet table of one shape; None for few rows, other formats, databases, downloads and
    tables of Spark.

    Parameters
    ----------
    address : str or Path
        A file, a pattern of files or a folder, here or in an object store.
    root : Path
        Folder that a relative path starts from.
    setting : str
        Place in the settings that messages name.
    fewest : int
        Rows from which a table is large.

    Returns
    -------
    files : DataFiles
    opened : list of ParquetFile
    n_rows : int

    Raises
    ------
    InputError
        No such file.
    """
    place = fill_in_environment(str(address), setting)
    if "$" in place or (is_address(place) and not is_stored(place)) or find_table(place, root):
        return None
    files = find_data(place, root, setting)
    if any(not file.lower().endswith((".parquet", ".pq")) for file in files.places):
        return None
    try:
        with ThreadPoolExecutor(_OPENED_AT_ONCE) as pool:
            opened = list(pool.map(open_parquet_file, files.places))
    except (OSError, pa.ArrowException):
        return None
    n_rows, schema = sum(file.metadata.num_rows for file in opened), opened[0].schema_arrow
    alike = all(file.schema_arrow.equals(schema) for file in opened[1:])
    return (files, opened, n_rows) if n_rows >= fewest and alike else None


def take_sample(opened: Sequence[parquet.ParquetFile], parts: Sequence[Mapping[str, str]], n_rows: int) -> pa.Table:
    """Take batches of rows at even distances over the row groups of all files."""
    groups = [(at, group) for at, file in enumerate(opened) for group in range(file.num_row_groups)]
    most = max(1, SAMPLE_ROWS // BATCH)
    chosen = [groups[i] for i in np.unique(np.linspace(0, len(groups) - 1, most).astype(int))]
    each = max(BATCH, SAMPLE_ROWS // len(chosen))
    tables = []
    for at, group in chosen:
        taken: list[pa.RecordBatch] = []
        for batch in opened[at].iter_batches(batch_size=BATCH, row_groups=[group]):
            taken.append(batch)
            if sum(map(len, taken)) >= each:
                break
        tables.append(with_values(pa.Table.from_batches(taken, opened[at].schema_arrow).slice(0, each), parts[at]))
    return pa.concat_tables(tables)


def with_values(table: pa.Table, values: Mapping[str, str]) -> pa.Table:
    """Add the values that the folders of a file are called after."""
    for name, value in values.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


def keeps_types(raw: RawTable, sample: pa.Table, source: Source) -> bool:
    """Return whether the columns that are used hold what Parquet says, so that reading changes nothing in them."""
    named = [column for column in source.columns.model_dump().values() if column]
    used = [name for name in named or sample.column_names if name in sample.column_names]
    used = [name for name in used if name not in source.roles.ignore]
    if len(raw.frame) != sample.num_rows or len(raw.columns) != sample.num_columns:
        return False
    for name in used:
        stated, read = sample.schema.field(name).type, raw.frame[name]
        if pa.types.is_dictionary(stated):
            stated = stated.value_type
        text = pa.types.is_string(stated) or pa.types.is_large_string(stated)
        same = read.dtype.kind == "O" or str(read.dtype) in ("str", "string") if text else read.dtype.kind not in "O"
        zoned = pa.types.is_timestamp(stated) and stated.tz is not None
        # What is no finite number is missing for an engine, too.
        column = sample.column(name)
        numbers = column.to_numpy() if pa.types.is_floating(stated) else None
        lost = column.null_count if numbers is None else int((~np.isfinite(numbers)).sum())
        if not same or zoned or int(read.isna().sum()) != lost:
            return False
    return True


def _stated(schema: pa.Schema, name: str, place: str) -> str:
    """Name the type that a file or table states, in words."""
    if name not in schema.names:
        return "a value of the folder"
    stated = schema.field(name).type
    if pa.types.is_date(stated) or pa.types.is_timestamp(stated):
        return f"dates in the {place}"
    return f"{'text' if pa.types.is_string(stated) or pa.types.is_dictionary(stated) else 'numbers'} in the {place}"


def explain_parts(opened: Sequence[parquet.ParquetFile]) -> tuple[str, ...]:
    """Describe the files of a table."""
    return ("Parquet", *((f"{number(len(opened))} files of one shape joined",) if len(opened) > 1 else ()))


def _explain_sample(sample: pa.Table, n_rows: int) -> str:
    n_sample = number(sample.num_rows)
    return f"what columns mean is inferred from {n_sample} of {number(n_rows)} rows, spread over the data"


def digest_files(files: DataFiles, opened: Sequence[parquet.ParquetFile]) -> str:
    """Give the digest of the bytes, as for files that are read whole; in an object store, of what the footers say.

    A footer holds number, sizes and ranges of the values of each column, so that no file is fetched whole.
    """
    digests = []
    for place, each in zip(files.places, opened, strict=True):
        if is_stored(place):
            about = json.dumps(each.metadata.to_dict(), default=str, sort_keys=True)
            digests.append(hashlib.sha256(about.encode()).hexdigest())
            continue
        with Path(place).open("rb") as content:
            digests.append(hashlib.file_digest(content, "sha256").hexdigest())
    return join_digests(digests)
