"""Reader of Excel and OpenDocument workbooks."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import Any

import pandas as pd
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import number
from analysis.sources.content.first_row import has_header
from analysis.sources.content.headings import count_titles, join_headings, number_repeated
from analysis.sources.readers.delimited import Reading, first_line, header_names

ROWS_LOOKED_AT = 1_000
"""Rows by which a header is recognised. Chosen for this project."""


def looks_like_workbook(data: bytes, name: str) -> bool:
    """Return whether bytes are a workbook of Excel or OpenDocument, not another zip archive."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return True
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return bool({"[Content_Types].xml", "content.xml"} & set(archive.namelist()))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError):
        return False


def read_workbook(where: str, data: bytes, reading: Reading) -> tuple[pa.Table, tuple[str, ...]]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheets = list(book.sheet_names)
            sheet = _choose_sheet(where, book, sheets, reading)
            rows = book.get_sheet_by_name(sheet).to_python()
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{where} cannot be opened as a workbook: {first_line(error)}",
            "Expected an Excel or OpenDocument workbook without a password.",
            "Save it again as .xlsx or as CSV.",
        ) from None
    _check_formulas(where, data, sheets.index(sheet))
    filled = [row for row in rows if any(cell not in ("", None) for cell in row)]
    if not filled:
        raise InputError(
            f"{where}, sheet '{sheet}', is empty.", f"Sheets: {listed(sheets)}.", "Set sheet to another sheet."
        )
    n_titles = count_titles(rows) if reading.header is None else 0
    filled = [row for row in rows[n_titles:] if any(cell not in ("", None) for cell in row)]
    names, n_headings = [f"column_{i + 1}" for i in range(len(filled[0]))], 0
    if reading.header or (reading.header is None and not _is_data(filled[0], filled[1:])):
        shown = [["" if cell is None else _cell_text(cell) for cell in row] for row in filled[:ROWS_LOOKED_AT]]
        names, n_headings = join_headings(shown)
    names, twice = number_repeated(header_names(names))
    body = filled[n_headings:]
    columns = [_workbook_column([row[i] for row in body]) for i in range(len(names))]
    used = [i for i, name in enumerate(names) if name or columns[i].null_count < len(columns[i])]
    table = pa.Table.from_arrays([columns[i] for i in used], [names[i] or f"column_{i + 1}" for i in used])
    skipped = len(rows) - len(filled) - n_titles
    blank = (f"{number(skipped)} blank lines skipped",) if skipped else ()
    titles = (f"{number(n_titles)} rows of titles above the table skipped",) if n_titles else ()
    joined = (f"{number(n_headings)} rows of headings joined",) if n_headings > 1 else ()
    of_sheets = f" of {len(sheets)}" if len(sheets) > 1 else ""
    return table, (f"sheet '{sheet}'{of_sheets}", *blank, *titles, *joined, *twice)


def _is_data(head: list[Any], body: list[list[Any]]) -> bool:
    """Return whether the first row is one of the data: a person's values must not become names of columns."""
    if all(isinstance(cell, (int, float)) for cell in head):
        return True
    rows = [["" if cell is None else _cell_text(cell) for cell in row] for row in (head, *body[:ROWS_LOOKED_AT])]
    return len(body) >= 2 and not has_header(rows)


def _choose_sheet(where: str, book: CalamineWorkbook, sheets: list[str], reading: Reading) -> str:
    wanted = reading.sheet
    if isinstance(wanted, int) and 0 <= wanted < len(sheets):
        return sheets[wanted]
    if isinstance(wanted, str) and wanted in sheets:
        return wanted
    if wanted is not None:
        raise InputError(
            f"{reading.setting}.sheet: unknown sheet {wanted!r} in {where.partition(': ')[2]}.",
            f"Sheets: {listed(sheets)}.",
            did_you_mean(str(wanted), sheets),
        )
    if len(sheets) > 1:
        full = [name for name in sheets if len(book.get_sheet_by_name(name).to_python(nrows=2)) > 1]
        tables = [name for name in full if _holds_table(book.get_sheet_by_name(name).to_python(nrows=20))]
        full = tables if len(tables) == 1 else full
        if len(full) > 1:
            raise InputError(
                f"{where} has {len(full)} sheets with data: {listed(full)}.",
                "Expected one.",
                f"Set {reading.setting}.sheet to one of them.",
            )
        return (full or sheets)[0]
    return sheets[0]


def _holds_table(rows: list[list[Any]]) -> bool:
    """Return whether at least three rows fill two cells or more, as no sheet of explanations does."""
    return sum(sum(cell not in ("", None) for cell in row) >= 2 for row in rows) >= 3


def _check_formulas(where: str, data: bytes, index: int) -> None:
    """Refuse a sheet with formulas that were never calculated: their cells would read as empty."""
    if not data.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = f"xl/worksheets/sheet{index + 1}.xml"
        if name not in archive.namelist():
            return
        text = archive.read(name)
    match = re.search(rb'<c r="([A-Z]+\d+)"[^>]*><f>([^<]*)</f><v\s*(?:/>|></v>)', text)
    if match:
        cell = match[1].decode("ascii")
        raise InputError(
            f"{where}, cell {cell}: a formula without a calculated value.",
            "Expected values.",
            "Open and save the workbook in a spreadsheet program, or paste the column as values.",
        )


def _workbook_column(cells: list[Any]) -> pa.Array:
    """One type where all cells agree, text otherwise."""
    cells = [None if cell == "" else cell for cell in cells]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {int, float}:
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    if kinds == {bool}:
        return pa.array(cells, pa.bool_())
    if kinds and kinds <= {dt.date, dt.datetime}:
        return pa.array([_moment(cell) for cell in cells], pa.timestamp("s"))
    texts = (None if cell is None else _cell_text(cell) for cell in cells)
    return pa.array(texts, pa.string())


def _moment(cell: Any) -> Any:
    return None if cell is None else pd.Timestamp(cell).floor("s").as_unit("s")


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).upper() if isinstance(cell, bool) else str(cell)
