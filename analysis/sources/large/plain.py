"""Large delimited files in plain form, turned into Parquet part by part so that they are never whole in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from analysis.base.errors import InputError
from analysis.base.expressions.sql import quote_name
from analysis.base.formats import number
from analysis.base.memory import count_bytes
from analysis.settings.sources import Source
from analysis.sources.large.scans import CHANGING, keeps_types
from analysis.sources.locate import fill_in_environment, is_address
from analysis.sources.readers.catalogs import find_table
from analysis.sources.readers.delimited import Reading, read_delimited
from analysis.sources.readers.files import find_data, join_digests, name_table
from analysis.sources.tables import LoadedTable, RawTable, type_table

LARGE_BYTES = 200_000_000
"""Size from which delimited files are turned into Parquet, if they are in plain form. Chosen for this project."""
HEAD_BYTES = 4_000_000
"""What is read of the first file to see in which form it is."""
_ENDINGS = (".csv", ".tsv", ".txt")
_NOTE = "columns separated by "
_FORMS: Mapping[str, tuple[str, pa.DataType]] = {
    "BIGINT": (r"0|-?[1-9]\d{0,17}", pa.int64()),
    "DOUBLE": (r"-?\d{1,15}(\.\d+)?", pa.float64()),
    "DATE": (r"\d{4}-\d\d-\d\d", pa.date32()),
    "TIMESTAMP": (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", pa.timestamp("us")),
}
"""How values of each type are written in plain form, by its name in DuckDB; everything else is text."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Delimited files as one of Parquet.

    Attributes
    ----------
    file : Path
    shown : str
        What messages call the original files.
    digest : str
        Of their bytes.
    notes : tuple of str
    """

    file: Path
    shown: str
    digest: str
    notes: tuple[str, ...]

    def describe(self, raw: RawTable) -> RawTable:
        """Return a table that was read from the Parquet file under the name of the original files."""
        notes = (*self.notes, *(note for note in raw.notes if note != "Parquet"))
        scan = raw.scan and replace(raw.scan, shown=self.shown)
        return replace(
            raw, name=name_table(self.shown), shown_path=self.shown, sha256=self.digest, notes=notes, scan=scan
        )


def convert_plain(
    address: str | Path, root: Path, source: Source, setting: str, fewest: int, folder: Path, memory: str | None
) -> Plain | None:
    """Turn large delimited files into Parquet; None where they have to be read whole.

    That is so for files of less than `LARGE_BYTES` in all or of few rows, in another place than this machine, or not in
    plain form: UTF-8, the same line of names in each file, as many fields in each line, dates as 2024-01-31, numbers
    with a decimal point alone. Whether they are is seen from the first lines, and then checked in every row.

    Parameters
    ----------
    address : str or Path
        A file, or a pattern of files.
    root : Path
        Folder that a relative path starts from.
    source : Source
    setting : str
        Place in the settings that messages name.
    fewest : int
        Rows from which they are large, as the first lines let expect.
    folder : Path
        Where the Parquet file is written.
    memory : str, optional
        Such as ``3GB``: what DuckDB may use.

    Raises
    ------
    InputError
        No such file.
    """
    forced = (source.dates, source.decimal, source.encoding, source.delimiter) != ("auto",) * 4
    place = fill_in_environment(str(address), setting)
    if forced or source.types or any(getattr(source, name) for name in CHANGING):
        return None
    if "$" in place or is_address(place) or find_table(place, root):
        return None
    found = find_data(place, root, setting)
    files = [Path(file) for file in found.places]
    size = sum(file.stat().st_size for file in files)
    if size < LARGE_BYTES or any(file.suffix.lower() not in _ENDINGS for file in files):
        return None
    # DuckDB takes columns by their place, whatever the first line of a file calls them.
    if len({_read_heading(file) for file in files}) > 1:
        return None
    read = _read_head(files[0], found.shown, source, setting)
    if read is None or size < fewest * read[2]:
        return None
    delimiter, types, _ = read
    file = folder / f"{files[0].stem}-{len(list(folder.glob('*.parquet')))}.parquet"
    if not _copy(files, file, delimiter, types, memory):
        return None
    digests = []
    for each in files:
        with each.open("rb") as content:
            digests.append(hashlib.file_digest(content, "sha256").hexdigest())
    joined = (f"{number(len(files))} files of one shape joined",) if len(files) > 1 else ()
    return Plain(file, found.shown, join_digests(digests), ("delimited text in plain form", *joined))


def _read_heading(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.readline(HEAD_BYTES).rstrip(b"\r\n")


def _read_head(file: Path, shown: str, source: Source, setting: str) -> tuple[str, dict[str, str], float] | None:
    """Read delimiter, types and bytes of a row from the first lines; None where they are not in plain form."""
    with file.open("rb") as content:
        head = content.read(HEAD_BYTES)
    head = head[: head.rfind(b"\n") + 1]
    try:
        table, notes = read_delimited(shown, head, Reading(setting=setting))
    except InputError:
        # What is wrong with it is said where the whole file is read.
        return None
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    named = {f"{_NOTE}{word}": sign for word, sign in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|"))}
    delimiter = named.get(notes[0]) if len(notes) == 1 else None
    if delimiter is None or [name.strip('"') for name in first.split(delimiter)] != table.column_names:
        return None
    types = {name: _find_type(table.column(name), name, source) for name in table.column_names}
    try:
        typed = pa.table({name: _as_type(table.column(name), kind) for name, kind in types.items()})
        raw = type_table(LoadedTable(shown, typed, (), ""), reading=Reading(setting=setting))
    except (InputError, pa.ArrowException):
        return None
    return (delimiter, types, len(head) / len(typed)) if keeps_types(raw, typed, source) else None


def _find_type(column: pa.ChunkedArray, name: str, source: Source) -> str:
    """Find the first type in whose plain form all values are written; amounts need not be whole below the head."""
    import pyarrow.compute as pc

    known = pc.call_function("filter", [column, pc.call_function("not_equal", [column, pa.scalar("")])])
    c = source.columns
    measured = name in (c.amount, c.quantity, c.price, c.duration)
    for kind, (form, _) in _FORMS.items():
        if kind == "BIGINT" and measured:
            continue
        options = pc.MatchSubstringOptions(f"^({form})$")
        matches = pc.call_function("match_substring_regex", [known], options)
        if len(known) and pc.call_function("all", [matches]).as_py():
            return kind
    return "VARCHAR"


def _as_type(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Give the values of the head their type."""
    import pyarrow.compute as pc

    missing = pc.call_function("equal", [column, pa.scalar("")])
    known = pc.call_function("if_else", [missing, pa.scalar(None, pa.string()), column])
    return known.cast(_FORMS[kind][1]) if kind in _FORMS else known


def _copy(files: Sequence[Path], to: Path, delimiter: str, types: Mapping[str, str], memory: str | None) -> bool:
    """Write all rows as Parquet; return whether each is in plain form. Nothing is left behind where one is not."""
    import duckdb

    limits = {"memory_limit": f"{count_bytes(memory)}B"} if memory else {}
    paths = ", ".join(_quote(str(file)) for file in files)
    columns = ", ".join(f"{_quote(name)}: 'VARCHAR'" for name in types)
    read = (
        f"read_csv([{paths}], columns = {{{columns}}}, header = true, auto_detect = false, strict_mode = true, "
        f"delim = {_quote(delimiter)}, quote = '\"', escape = '\"', encoding = 'utf-8')"
    )
    chosen = ", ".join(f"{_cast(quote_name(name), kind)} AS {quote_name(name)}" for name, kind in types.items())
    try:
        with duckdb.connect(config={"temp_directory": str(to.parent), **limits}) as connection:
            connection.execute(f"COPY (SELECT {chosen} FROM {read}) TO {_quote(str(to))} (FORMAT parquet)")
        return parquet.ParquetFile(to).metadata.num_rows > 0
    except duckdb.Error:
        to.unlink(missing_ok=True)
        return False


def _cast(column: str, kind: str) -> str:
    """Write a value in its type; one in another form ends the query."""
    plain = f"{column} = TRIM({column})"
    if kind in _FORMS:
        plain = f"regexp_full_match({column}, {_quote(_FORMS[kind][0])})"
    return (
        f"CASE WHEN {column} IS NULL THEN NULL WHEN {plain} THEN CAST({column} AS {kind}) "
        "ELSE error('not in plain form') END"
    )


def _quote(text: str) -> str:
    """Quote text for SQL, with its spaces and tabs."""
    return "'" + text.replace("'", "''") + "'"
