"""Large Parquet sources: engines scan their files, and only a sample is read here."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from analysis.base.formats import number
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.locate import find_files, partition_of
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import LoadedTable, RawTable, type_table

SCANNED_ROWS = 2_000_000
"""Rows from which the files of a source are scanned by the engine. Below it they are read whole. Chosen for this
project."""
SAMPLE_ROWS = 100_000
"""Rows, spread over all files, that meaning and types of columns are inferred from. Chosen for this project."""
DRAWN_AT_ONCE = 250_000
"""Rows of which customers are drawn at once. Chosen for this project."""
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


@dataclass(frozen=True, slots=True)
class Population:
    """All customers, where a table holds a seeded sample of them.

    Attributes
    ----------
    rows : Scan or PySpark DataFrame
        One row each, as an engine takes them.
    key : str
        Column that names the customer.
    columns : tuple of str
    n : int
    """

    rows: Any
    key: str
    columns: tuple[str, ...]
    n: int


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
    scan, parts = _place_files(files, address, root)
    sample = _take_sample(opened, parts, n_rows)
    loaded = LoadedTable(scan.shown, sample, _notes(len(files), n_rows, sample.num_rows), _digest(files))
    raw = type_table(loaded, reading=Reading(dates=source.dates, setting=setting))
    if not _keeps_types(raw, sample, source):
        return None
    columns = tuple(replace(c, note=f"{_stated(schema, c.name)} in the file", n_missing=0) for c in raw.columns)
    return replace(raw, columns=columns, n_rows=n_rows, scan=scan)


def draw_customers(address: str | Path, root: Path, source: Source, setting: str, study: Study) -> RawTable | None:
    """Take a seeded sample of a large Parquet table of customers; None where it has to be read whole.

    That is so for at most ``in_memory`` rows, other formats, a table without a key or with survey weights, settings
    that change rows or columns, and columns that Parquet does not hold as what they are read as. A customer is in the
    sample by the digest of the key, so that most who are in it stay in it when others come.

    Parameters
    ----------
    address, root, source, setting
        As for `scan_source`.
    study : Study
        Uses ``in_memory`` and ``seed``.

    Returns
    -------
    RawTable
        Its rows are the sample, and ``population`` leads to all.

    Raises
    ------
    InputError
        No such file.
    """
    changed = any(getattr(source, name) for name in ("types", *CHANGING)) or source.repeats != "refuse"
    if source.kind != "customers" or source.key is None or source.weight or changed:
        return None
    found = open_parquet(address, root, setting, study.in_memory + 1)
    if found is None or source.key not in found[1][0].schema_arrow.names:
        return None
    files, opened, n_rows = found
    scan, parts = _place_files(files, address, root)
    drawn: list[pa.Table] = []
    n = 0
    for file, values in zip(opened, parts, strict=True):
        for batch in file.iter_batches(DRAWN_AT_ONCE):
            known, chosen = _draw(batch.column(source.key), study.in_memory / n_rows, study.seed)
            n += known
            drawn.append(_with_values(pa.Table.from_batches([batch]).filter(chosen), values))
    sample = pa.concat_tables(drawn)
    joined = (f"{number(len(files))} files of one shape joined",) if len(files) > 1 else ()
    loaded = LoadedTable(scan.shown, sample, ("Parquet", *joined), _digest(files))
    raw = type_table(loaded, reading=Reading(dates=source.dates, decimal=source.decimal, setting=setting))
    if not _keeps_types(raw, sample, source):
        return None
    return replace(raw, population=Population(scan, source.key, tuple(sample.column_names), n))


def load_sample(address: str | Path, root: Path, setting: str, most: int) -> LoadedTable | None:
    """Take rows of a Parquet table of more than ``most`` rows that show what it holds; None for any other.

    Raises
    ------
    InputError
        No such file.
    """
    found = open_parquet(address, root, setting, most + 1)
    if found is None:
        return None
    files, opened, n_rows = found
    scan, parts = _place_files(files, address, root)
    return LoadedTable(scan.shown, _take_sample(opened, parts, n_rows), (), scan.shown)


def _place_files(files: Sequence[Path], address: str | Path, root: Path) -> tuple[Scan, list[dict[str, str]]]:
    """Return the files as an engine takes them, and the values that the folders of each are called after."""
    place = Path(address).expanduser()
    whole = place if place.is_absolute() else root / place
    folder = whole if whole.is_dir() else None
    shown = files[0].name if len(files) == 1 and folder is None else place.name
    scan = Scan(tuple(str(file.resolve()) for file in files), str(folder.resolve()) if folder else "", shown)
    return scan, [partition_of(file, folder) if folder else {} for file in files]


def _draw(keys: pa.Array, share: float, seed: int) -> tuple[int, pa.Array]:
    """Count the keys, and tell which customers are in the sample."""
    texts: Any = pc.call_function("utf8_trim_whitespace", [keys.cast(pa.string())]).to_pandas()
    known = (texts.notna() & (texts != "")).to_numpy()
    digests = pd.util.hash_array(texts.to_numpy(object), hash_key=f"{seed:016d}"[-16:], categorize=False)
    return int(known.sum()), pa.array((digests < np.uint64(share * 2**64)) & known)


def _with_values(table: pa.Table, values: Mapping[str, str]) -> pa.Table:
    """Add the values that the folders of a file are called after."""
    for name, value in values.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


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
        tables.append(_with_values(pa.Table.from_batches(taken, opened[at].schema_arrow).slice(0, each), parts[at]))
    return pa.concat_tables(tables)


def _keeps_types(raw: RawTable, sample: pa.Table, source: Source) -> bool:
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
