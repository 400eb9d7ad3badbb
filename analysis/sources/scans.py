"""Large Parquet sources of transactions: engines scan their files, and only a sample is read here."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from analysis.base.formats import number
from analysis.settings.sources import Source
from analysis.sources.locate import find_files, partition_of
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import LoadedTable, RawTable, type_table

SCANNED_ROWS = 2_000_000
"""Rows from which the files of a source are scanned by the engine. Below it they are read whole. Chosen for this
project."""
SAMPLE_ROWS = 100_000
"""Rows, spread over all files, that meaning and types of columns are inferred from. Chosen for this project."""
BATCH = 10_000
"""Rows of the sample that lie next to each other at most."""
CHANGING = ("leave_out", "names", "header", "query", "sheet")
"""Settings that change rows or columns while a file is read."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Rows that stay in Parquet files.

    Attributes
    ----------
    files : tuple of str
        Absolute paths.
    folder : str
        Folder whose folders below it hold values, such as ``year=2024``; empty where there is none.
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
        A file, a pattern of files or a folder of Parquet files.
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
    place = Path(address).expanduser()
    folder = place if place.is_absolute() else root / place
    folder = folder if folder.is_dir() else None
    parts = [partition_of(file, folder) if folder else {} for file in files]
    sample = _take_sample(opened, parts, n_rows)
    shown = files[0].name if len(files) == 1 and folder is None else place.name
    loaded = LoadedTable(shown, sample, _notes(len(files), n_rows, sample.num_rows), _digest(files))
    raw = type_table(loaded, reading=Reading(dates=source.dates, setting=setting))
    if not _keeps_types(raw, sample, source):
        return None
    scan = Scan(tuple(str(file.resolve()) for file in files), str(folder.resolve()) if folder else "", shown)
    columns = tuple(replace(c, note=f"{_stated(schema, c.name)} in the file", n_missing=0) for c in raw.columns)
    return replace(raw, columns=columns, n_rows=n_rows, scan=scan)


def open_parquet(
    address: str | Path, root: Path, setting: str, fewest: int
) -> tuple[list[Path], list[parquet.ParquetFile], int] | None:
    """Open a large Parquet table of one shape; None for few rows, other formats, and what is no file here.

    Parameters
    ----------
    address : str or Path
        A file, a pattern of files or a folder.
    root : Path
        Folder that a relative path starts from.
    setting : str
        Place in the settings that messages name.
    fewest : int
        Rows from which a table is large.

    Returns
    -------
    files, opened : list
    n_rows : int

    Raises
    ------
    InputError
        No such file.
    """
    if "://" in str(address) or "$" in str(address):
        return None
    files = find_files(str(address), root, setting)
    if any(file.suffix.lower() not in (".parquet", ".pq") for file in files):
        return None
    try:
        opened = [parquet.ParquetFile(file) for file in files]
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


def _digest(files: Sequence[Path]) -> str:
    """Give the digest of the bytes, as for files that are read whole."""
    digests = []
    for file in files:
        with file.open("rb") as content:
            digests.append(hashlib.file_digest(content, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
