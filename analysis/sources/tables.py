"""Reader of tables from files, archives, databases and web addresses."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.base.errors import InputError, did_you_mean, listed, place_of
from analysis.base.formats import number
from analysis.sources.columns import Column, read_columns
from analysis.sources.content.answers import apply_codes, read_answers
from analysis.sources.content.choices import split_choices
from analysis.sources.content.months import join_periods, sum_up_months
from analysis.sources.content.ranges import read_ranges
from analysis.sources.content.rows import drop_rows, refuse_turned
from analysis.sources.locate import fill_in_environment
from analysis.sources.readers.archives import unpack
from analysis.sources.readers.catalogs import fetch_rows, find_table, open_table, show_table
from analysis.sources.readers.delimited import AS_FOUND, Reading, header_names
from analysis.sources.readers.files import find_data, join_digests, name_table, read_stored, unreadable
from analysis.sources.readers.formats import read_contents
from analysis.sources.readers.stores import is_stored

__all__ = ["Column", "Key", "RawTable", "check_key", "load_table", "read_key", "read_table", "type_table"]

Known = str | Mapping[str, float]
"""What an earlier reading of a column found: its type, or the numbers that its texts became."""
MAX_COLUMNS, TIMEOUT_SECONDS = 2_000, 30


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RawTable:
    """One source as it came in, typed but not cleaned.

    Attributes
    ----------
    name : str
        File name without its endings.
    frame : DataFrame, shape (n_rows, n_columns)
        int64 or float64, datetime64[s], boolean, str; missing values as pandas marks them.
    columns : tuple of Column
        In the order of the frame.
    n_rows : int
    sha256 : str
        Of the bytes of the file; of the values for a database.
    notes : tuple of str
        Delimiter, encoding, lines skipped, files joined.
    shown_path : str
        File name only, fit for a public page.
    dropped : tuple of str
        Rows that were left out, with their number and the reason.
    labels : mapping of column name to str
        Labels of columns that the file has.
    scan : Scan, optional
        Where the rows are if they were not read; ``frame`` is then a sample of them, and ``columns`` describe it.
    population : Population, optional
        All customers, where the rows are a sample of them; ``n_rows`` is the size of the sample.
    """

    name: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    n_rows: int
    sha256: str
    notes: tuple[str, ...]
    shown_path: str
    dropped: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    scan: Any = None
    population: Any = None

    @property
    def n_all(self) -> int:
        """Rows of the source, held or not."""
        return self.n_rows if self.population is None else int(self.population.n)

    @property
    def rows(self) -> Any:
        """All rows, as an engine takes them."""
        return self.frame if self.scan is None else self.scan

    def column(self, name: str) -> Column:
        """Return the column called ``name``."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a table, spaces trimmed, and what is odd about it.

    Attributes
    ----------
    values : Series of str, length n_rows
        The trimmed keys, missing where there is none.
    n_missing, n_distinct : int
        Rows without a key, and different keys.
    n_repeats : int
        Rows whose key stands in an earlier row.
    n_collisions : int
        Keys that equal another one only after trimming.
    """

    values: pd.Series
    n_missing: int
    n_distinct: int
    n_repeats: int
    n_collisions: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One file, or member of an archive, as an untyped table."""

    shown: str
    table: pa.Table
    notes: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """The cells of a source, before rows are left out and columns have types."""

    shown: str
    table: pa.Table
    notes: tuple[str, ...]
    digest: str


def read_table(
    path: str | Path,
    *,
    root: Path,
    reading: Reading = AS_FOUND,
    known: Mapping[str, Known] | None = None,
    fewest: int = 2,
) -> RawTable:
    """Read one source, whatever its format, and say how.

    Parameters
    ----------
    path : str or Path
        A file, a glob pattern (files of one shape are joined), an address on the web or in an object store, or a
        SQLAlchemy URL;
        ``${NAME}`` stands for an environment variable.
    root : Path
        Folder that a relative path starts from.
    reading : Reading, optional
        What is not to be decided by evidence.
    known : mapping of column name to type or numbers of texts, optional
        Types as those of ``reading``, or the numbers that texts became, for the columns among these that are there.
    fewest : int
        Rows that the table has at least.

    Returns
    -------
    RawTable

    Raises
    ------
    InputError
        For whatever cannot be read as a table of enough rows and at most 2,000 columns.
    """
    return type_table(load_table(path, root=root, reading=reading), reading=reading, known=known, fewest=fewest)


def load_table(path: str | Path, *, root: Path, reading: Reading = AS_FOUND) -> LoadedTable:
    """Read one source as far as its cells, as `read_table` does, and leave their types open."""
    setting = reading.setting
    shown, parts = _read_parts(fill_in_environment(str(path), setting), root, reading)
    table, notes = _join(parts, shown, setting)
    if reading.names is not None:
        table = _rename(table, tuple(reading.names), shown, setting)
    return LoadedTable(shown, table, notes, join_digests([part.digest for part in parts]))


def type_table(
    loaded: LoadedTable, *, reading: Reading = AS_FOUND, known: Mapping[str, Known] | None = None, fewest: int = 2
) -> RawTable:
    """Leave out rows and give each column its type, as `read_table` does."""
    shown = loaded.shown
    table, dropped = drop_rows(loaded.table, reading.leave_out)
    _check_shape(table, shown, fewest)
    refuse_turned(table, shown)
    there = {name: kind for name, kind in (known or {}).items() if name in table.column_names}
    codes = {name: kind for name, kind in there.items() if not isinstance(kind, str)}
    types = {name: kind if isinstance(kind, str) else "category" for name, kind in there.items()} | dict(reading.types)
    frame, columns = read_columns(
        table, types=types, dates=reading.dates, decimal=reading.decimal, shown=shown, setting=reading.setting
    )
    frame, columns = apply_codes(frame, columns, codes)
    for step in (read_answers, read_ranges, split_choices, sum_up_months, join_periods):
        frame, columns = step(frame, columns, types)
    name = name_table(shown)
    notes = (*loaded.notes, *dropped)
    return RawTable(
        name, frame, columns, len(frame), loaded.digest or _hash(frame), notes, shown, dropped, _labels(table)
    )


def _read_parts(address: str, root: Path, reading: Reading) -> tuple[str, list[_Part]]:
    """Read an address on the web, a database, or files; and what the source is called on pages."""
    setting = reading.setting
    if name := find_table(address, root):
        table = fetch_rows(open_table(name, setting))
        return show_table(name), [_Part(show_table(name), table, ("table of Spark",), "")]
    if re.match(r"https?://", address, re.IGNORECASE):
        shown = Path(urllib.parse.urlsplit(address).path).name or "download"
        return shown, _read_bytes(shown, _download(address, setting), reading)
    if "://" in address and not is_stored(address):
        from analysis.sources.readers.databases import read_database

        shown, table = read_database(address, reading.query, root=root, setting=setting)
        return shown, [_Part(shown, table, (f"{number(table.num_rows)} rows by a query",), "")]
    found = find_data(address, root, setting)
    parts = [
        _add_partition(part, found.partition_of(place))
        for place in found.places
        for part in _read_file(place, root, reading)
    ]
    return found.shown, parts


def _add_partition(part: _Part, values: Mapping[str, str]) -> _Part:
    """Add a column for each value that the folders of a part are called after."""
    table = part.table
    for name, value in values.items():
        if name not in table.column_names:
            known = None if value == "__HIVE_DEFAULT_PARTITION__" else value
            table = table.append_column(name, pa.array([known] * table.num_rows, pa.string()))
    return replace(part, table=table)


def read_key(table: RawTable, key: str, setting: str) -> Key:
    """Trim the key of a table and count missing, repeated and colliding keys.

    Parameters
    ----------
    table : RawTable
    key : str
        Name of the column.
    setting : str
        Place in the settings that names the key.

    Raises
    ------
    InputError
        No such column, or no key in any row.
    """
    names = list(table.frame.columns)
    if key not in names:
        raise InputError(
            f"{setting}: column '{key}' is not in {table.shown_path}.",
            f"Available columns: {listed(names)}.",
            did_you_mean(key, names),
        )
    raw: Any = table.frame[key]
    if raw.dtype == np.float64:
        raw = raw.map(lambda value: str(int(value)) if value == int(value) else str(value), na_action="ignore")
    raw = raw.astype("str")
    trimmed = raw.str.strip()
    trimmed = trimmed.mask(trimmed == "")
    present = trimmed.dropna()
    if present.empty:
        raise InputError(
            f"{setting}: column '{key}' of {table.shown_path} has no value in any of {len(raw):,} rows.",
            "Expected a key that identifies each customer.",
            "Choose another key column, or remove the key to number the rows.",
        )
    n_distinct = int(present.nunique())
    n_collisions = int(raw[present.index].nunique()) - n_distinct
    return Key(trimmed, len(raw) - len(present), n_distinct, len(present) - n_distinct, n_collisions)


def check_key(table: RawTable, key: str, setting: str) -> pd.Series:
    """Return the trimmed key of a table that has one row for each customer.

    Rows without a key stay, as missing: the caller counts and shows them.

    Raises
    ------
    InputError
        As `read_key`; or a key that stands in several rows, at once or only after trimming.
    """
    checked = read_key(table, key, setting)
    if not checked.n_repeats:
        return checked.values
    present: Any = checked.values.dropna()
    twin = present[present.duplicated()].iloc[0]
    first, second = (number(int(at) + 1) for at in np.flatnonzero((checked.values == twin).fillna(False))[:2])
    rows = f"such as in data rows {first} and {second}"
    where = f"{setting}: column '{key}' of {table.shown_path}"
    if checked.n_collisions:
        raise InputError(
            f"{where}: {checked.n_collisions:,} keys differ from another key only by spaces, {rows}.",
            "Expected one row for each key once the spaces around it are removed.",
            "Correct the keys in the source, or remove the duplicate rows.",
        )
    raise InputError(
        f"{where} repeats a key in {checked.n_repeats:,} rows, {rows}.",
        "Expected one row for each customer.",
        "If the rows are orders or events, set the source's kind to transactions or events; to keep one row of each "
        "key, set its repeats to first, last, newest or sum.",
    )


def _read_file(place: str, root: Path, reading: Reading) -> list[_Part]:
    file = Path(place)
    if is_stored(place):
        return _read_bytes(file.name, read_stored(place, reading.setting), reading)
    where = f"{place_of(reading.setting)}: {file.name}"
    try:
        data = file.read_bytes()
    except PermissionError:
        raise unreadable(where) from None
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}.", hint="Check the file and its storage.") from None
    if data.startswith(b"SQLite format 3\0"):
        from analysis.sources.readers.databases import read_database

        shown, table = read_database(f"sqlite:///{file}", reading.query, root=root, setting=reading.setting)
        return [_Part(shown, table, (), hashlib.sha256(data).hexdigest())]
    return _read_bytes(file.name, data, reading)


def _download(address: str, setting: str) -> bytes:
    split = urllib.parse.urlsplit(address)
    where = f"{place_of(setting)}: {split.scheme}://{split.hostname}{split.path}"
    hint = "Open the address in a browser, or download the file and give its path."
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as response:
            data: bytes = response.read()
            expected = response.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        with error:
            raise InputError(f"{where} answered {error.code} {error.reason}.", "Expected a file.", hint) from None
    except TimeoutError:
        raise InputError(f"{where} did not answer within {TIMEOUT_SECONDS} seconds.", hint=hint) from None
    except (urllib.error.URLError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{where} cannot be reached: {reason}.", "Expected a data file.", hint) from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{where} was interrupted: {type(error).__name__}.", "Expected a complete file.", hint
        ) from None
    except Exception as error:
        if type(error).__module__ != "http.client":
            raise
        raise InputError(f"{where} was interrupted.", "Expected a complete file.", hint) from None
    if expected and expected.isdigit() and len(data) != int(expected):
        raise InputError(f"{where} was interrupted after {len(data):,} of {int(expected):,} bytes.", hint=hint)
    if data[:300].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{where} answered with a web page.", "Expected a data file.", hint)
    return data


def _read_bytes(shown: str, data: bytes, reading: Reading) -> list[_Part]:
    """Read a file, or each file of an archive."""
    digest, place = hashlib.sha256(data).hexdigest(), place_of(reading.setting)
    return [
        _Part(name, *read_contents(f"{place}: {name}", name, inner, reading), digest)
        for name, inner in unpack(place, shown, data)
    ]


def _join(parts: list[_Part], shown: str, setting: str) -> tuple[pa.Table, tuple[str, ...]]:
    if len(parts) == 1:
        return parts[0].table, parts[0].notes
    first = parts[0]
    for part in parts[1:]:
        lost = sorted(set(first.table.column_names) ^ set(part.table.column_names))
        if lost:
            both = f"{part.shown} and {first.shown}"
            raise InputError(
                f"{place_of(setting)}: {shown}: the columns of {both} differ: {listed(lost, 5)}.",
                "Expected files with the same columns.",
                "Give one file, or a pattern that matches only files with the same columns.",
            )
    tables = [part.table.select(first.table.column_names) for part in parts]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts = pa.schema([(name, pa.string()) for name in first.table.column_names])
        table = pa.concat_tables([table.cast(texts) for table in tables])
    notes = [note for part in parts for note in part.notes]
    return table, (f"{len(parts)} files of one shape joined", *dict.fromkeys(notes))


def _rename(table: pa.Table, names: tuple[str, ...], shown: str, setting: str) -> pa.Table:
    if len(names) != table.num_columns:
        raise InputError(
            f"{setting}.names: {len(names):,} names for the {table.num_columns:,} columns of {shown}.",
            f"Available columns: {listed(table.column_names)}.",
            "Give one name for each column, in order.",
        )
    clean = header_names(list(names))
    twice = [name for name, n in Counter(clean).items() if n > 1]
    if twice:
        raise InputError(
            f"{setting}.names: {listed(map(repr, twice), 4)} is given to more than one column of {shown}.",
            "Expected a different name for each column.",
            "Correct the names.",
        )
    return table.rename_columns(clean)


def _check_shape(table: pa.Table, shown: str, fewest: int) -> None:
    if table.num_columns > MAX_COLUMNS:
        raise InputError(
            f"{shown} has {table.num_columns:,} columns.",
            f"Expected at most {MAX_COLUMNS:,}.",
            "Remove columns that do not describe customers, or transpose the table.",
        )
    if table.num_rows < fewest:
        size = {0: "no rows", 1: "one row"}[table.num_rows]
        raise InputError(
            f"{shown} has {size}.", "Expected one row for each customer or event.", "Export the table again."
        )


def _labels(table: pa.Table) -> dict[str, str]:
    """The labels that a reader left in the metadata of the fields."""
    known = {field.name: (field.metadata or {}).get(b"label", b"").decode() for field in table.schema}
    return {name: label for name, label in known.items() if label}


def _hash(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256("\x1f".join(map(str, frame.columns)).encode())
    digest.update(frame.to_csv(index=False).encode())
    return digest.hexdigest()
