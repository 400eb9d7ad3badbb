"""Large Parquet sources of transactions: engines scan their files, and only a sample is read here."""

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
from analysis.sources.locate import fill_in_environment
from analysis.sources.readers.delimited import Reading
from analysis.sources.readers.files import DataFiles, find_data, open_parquet_file
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
    """Rows that stay in Parquet files.

    Attributes
    ----------
    files : tuple of str
        Absolute paths, or addresses in an object store.
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
    """

    files: tuple[str, ...]
    folder: str
    shown: str
    dated: str = ""
    since: dt.date | None = None
    keyed: str = ""
    keys: tuple[str, ...] | None = None

    @property
    def stored(self) -> bool:
        """Whether the files are in an object store."""
        return is_stored(self.files[0])

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

    def after(self, column: str, day: dt.date) -> Scan:
        """Return the rows later than a day, by a column of dates."""
        return replace(self, dated=column, since=day + dt.timedelta(days=1))

    def among(self, column: str, keys: Iterable[str]) -> Scan:
        """Return the rows of some customers, by a column of keys."""
        return replace(self, keyed=column, keys=tuple(keys))


def scan_source(address: str | Path, root: Path, source: Source, setting: str) -> RawTable | None:
    """Take a large Parquet source as files that stay where they are; None where it has to be read whole.

    That is so for fewer rows than `SCANNED_ROWS`, other formats, and columns that are not of the type that they are
    used as, such as dates in text.

    Parameters
    ----------
    address : str or Path
        A file, a pattern of files or a folder of Parquet files, here or in an object store.
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
    found = open_parquet(address, root, setting, SCANNED_ROWS)
    if found is None:
        return None
    files, opened, n_rows = found
    schema = opened[0].schema_arrow
    with explain_store(f"{place_of(setting)}: {files.shown}"):
        sample = _take_sample(opened, [files.partition_of(place) for place in files.places], n_rows)
        digest = _digest(files, opened)
    loaded = LoadedTable(files.shown, sample, _notes(len(opened), n_rows, sample.num_rows), digest)
    raw = type_table(loaded, reading=Reading(dates=source.dates, setting=setting))
    if not _keeps_types(raw, sample, source):
        return None
    scan = Scan(files.places, files.folder, files.shown)
    columns = tuple(replace(c, note=f"{_stated(schema, c.name)} in the file", n_missing=0) for c in raw.columns)
    return replace(raw, columns=columns, n_rows=n_rows, scan=scan)


def open_parquet(
    address: str | Path, root: Path, setting: str, fewest: int
) -> tuple[DataFiles, list[parquet.ParquetFile], int] | None:
    """Open a large Parquet table of one shape; None for few rows, other formats, databases and downloads.

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
    if "$" in place or ("://" in place and not is_stored(place)):
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


def _take_sample(opened: Sequence[parquet.ParquetFile], parts: Sequence[Mapping[str, str]], n_rows: int) -> pa.Table:
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
        table = pa.Table.from_batches(taken, opened[at].schema_arrow).slice(0, each)
        for name, value in parts[at].items():
            if name not in table.column_names:
                table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
        tables.append(table)
    return pa.concat_tables(tables)


def _keeps_types(raw: RawTable, sample: pa.Table, source: Source) -> bool:
    """Return whether the columns that are used hold what Parquet says, so that reading changes nothing in them."""
    named = [column for column in source.columns.model_dump().values() if column]
    used = [name for name in named if name in sample.column_names] if named else sample.column_names
    if len(raw.frame) != sample.num_rows or len(raw.columns) != sample.num_columns:
        return False
    for name in used:
        stated, read = sample.schema.field(name).type, raw.frame[name]
        if pa.types.is_dictionary(stated):
            stated = stated.value_type
        text = pa.types.is_string(stated) or pa.types.is_large_string(stated)
        same = read.dtype.kind == "O" or str(read.dtype) in ("str", "string") if text else read.dtype.kind not in "O"
        zoned = pa.types.is_timestamp(stated) and stated.tz is not None
        if not same or zoned or int(read.isna().sum()) != sample.column(name).null_count:
            return False
    return True


def _stated(schema: pa.Schema, name: str) -> str:
    """Name the type that Parquet states, in words."""
    if name not in schema.names:
        return "a value of the folder"
    stated = schema.field(name).type
    if pa.types.is_date(stated) or pa.types.is_timestamp(stated):
        return "dates"
    return "text" if pa.types.is_string(stated) or pa.types.is_dictionary(stated) else "numbers"


def _notes(n_files: int, n_rows: int, n_sample: int) -> tuple[str, ...]:
    joined = (f"{number(n_files)} files of one shape joined",) if n_files > 1 else ()
    looked = f"what columns mean is inferred from {number(n_sample)} of {number(n_rows)} rows, spread over the data"
    return ("Parquet", *joined, looked)


def _digest(files: DataFiles, opened: Sequence[parquet.ParquetFile]) -> str:
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
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
