"""The file formats that are read, in one table: how a file is recognised, what it is called, and its reader."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import parquet

from analysis.base.errors import InputError
from analysis.sources.readers.delimited import Reading, first_line, read_delimited
from analysis.sources.readers.jsons import looks_like_json, read_json
from analysis.sources.readers.statistics_files import SUFFIXES, find_package, read_statistics_file
from analysis.sources.readers.workbooks import looks_like_workbook, read_workbook

Contents = tuple[pa.Table, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table of formats.

    Attributes
    ----------
    name : str
    suffixes : str
        Regular expression of the ends of file names, without the dot.
    is_one : callable
        ``is_one(data, name)`` says whether these bytes, of a file of this name, are of the format.
    read : callable
        ``read(where, data, reading)`` gives the table, and notes on how it was read. ``where`` begins each message. The
        label of a column, where the file has one, stands in the metadata of its field as ``label``.
    """

    name: str
    suffixes: str
    is_one: Callable[[bytes, str], bool]
    read: Callable[[str, bytes, Reading], Contents]


def _read_parquet(where: str, data: bytes, reading: Reading) -> Contents:
    try:
        return parquet.read_table(io.BytesIO(data)), ("Parquet",)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{where} is a damaged Parquet file: {first_line(error)}",
            "Expected a complete file.",
            "Export or copy it again.",
        ) from None


FORMATS = (
    Format("Parquet", "parquet", lambda data, name: data.startswith(b"PAR1"), _read_parquet),
    Format("Excel or OpenDocument", "xlsx?|xlsm|xlsb|ods", looks_like_workbook, read_workbook),
    Format("SPSS, Stata or SAS", SUFFIXES, find_package, read_statistics_file),
    Format("JSON", "jsonl?|ndjson", looks_like_json, read_json),
    Format("delimited text", "csv|tsv|txt|dat", lambda data, name: True, read_delimited),
)
"""The first format that fits is read. A new one is one more row, before delimited text."""
TABLE_FILE = re.compile(rf"\.({'|'.join(row.suffixes for row in FORMATS)})$", re.IGNORECASE)
"""How files that hold a table are called."""


def read_contents(where: str, name: str, data: bytes, reading: Reading) -> Contents:
    """Read the table of a file.

    Raises
    ------
    InputError
        Where it is damaged or no table.
    """
    table, notes = next(row for row in FORMATS if row.is_one(data, name)).read(where, data, reading)
    # pandas adds row numbers as a column.
    added = [name for name in table.column_names if re.fullmatch(r"__index_level_\d+__", name)]
    return table.drop_columns(added), notes
