"""Rows of a table that stand for no customer: second headings, totals, and those that the settings leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.sources.names import plain, split_words, vocabulary
from analysis.sources.numbers import read_numbers
from analysis.sources.texts import MISSING

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

_SEEN = 400
"""Rows by which a column is taken for numbers."""
_HEADINGS = 3
_TOTALS = vocabulary(
    "total totals sum sums summe gesamt gesamtsumme zwischensumme subtotal grandtotal somme totaux totale totali somma",
    "suma soma totaal som gesamtergebnis totalgeneral totalgeral totalgenerale totalgeneral average mean mittelwert",
    "moyenne durchschnitt gemiddelde",
)
_STATISTICS = vocabulary(
    "count anzahl nombre cantidad contagem conteggio aantal median mediana mediane mediaan max min maximum minimum std",
    "mittel media promedio gesamtzahl",
)
"""Words before figures of all rows, where the first column holds numbers or codes otherwise."""
_NUMBER = re.compile(r"[-+(]?\s*[$€£R]*\s?[\d.,'’ ]*\d[\d.,'’ ]*[)%*-]?\s?\S{0,3}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


def drop_rows(table: pa.Table, leave_out: Mapping[str, Sequence[str]]) -> tuple[pa.Table, tuple[str, ...]]:
    """Drop second headings, repeated headings, totals at the end, and rows with values to leave out.

    Parameters
    ----------
    table : pyarrow.Table, shape (n_rows, n_columns)
    leave_out : mapping of column name to sequence of str

    Returns
    -------
    pyarrow.Table
    tuple of str
        How many rows were dropped, and why.
    """
    drop = np.zeros(table.num_rows, bool)
    reasons: list[str] = []
    finders = (_rules, _second_headings, _repeated_headings, _subtotals, _remarks, _totals)
    for rows, reason in (find(table) for find in finders):
        new = [row for row in rows if not drop[row]]
        if new:
            drop[new] = True
            reasons.append(_count_left_out(len(new), reason))
    for name, values in leave_out.items():
        if name not in table.column_names:
            continue
        texts = pc.utf8_lower(pc.utf8_trim_whitespace(_as_strings(table.column(name))))
        wanted = pa.array([value.strip().lower() for value in values], texts.type)
        rows = pc.fill_null(pc.is_in(texts, value_set=wanted), False).to_numpy(zero_copy_only=False) & ~drop
        if rows.any():
            drop |= rows
            # The values may be a customer's key; they stand in the settings.
            reasons.append(_count_left_out(int(rows.sum()), f"values of {name} that the settings leave out"))
    return (table.filter(pa.array(~drop)) if drop.any() else table), tuple(reasons)


def refuse_turned(table: pa.Table, shown: str) -> None:
    """Refuse a table that has a column for each customer: the names are codes, the first cells are words.

    Parameters
    ----------
    table : pyarrow.Table, shape (n_rows, n_columns)
    shown : str
        The file, as messages name it.

    Raises
    ------
    InputError
        For such a table.
    """
    names, n_rows = table.column_names[1:], table.num_rows
    if len(names) < 20 or 2 * n_rows > len(names) or not pa.types.is_string(table.schema.types[0]):
        return
    first = [cell or "" for cell in table.column(0).to_pylist()]
    coded = sum(re.fullmatch(r"[^\W\d_]{0,4}[-_ ]?\d{3,}|column_\d+", name) is not None for name in names)
    if (
        coded >= 0.9 * len(names)
        and len(set(first)) == n_rows
        and not any(re.search(r"\d|^\s*$", cell) for cell in first)
    ):
        raise InputError(
            f"{shown} seems to have one column for each customer: {len(names):,} columns are called by codes.",
            "Expected one row for each customer or event.",
            "Transpose the table and export it again.",
        )


def _count_left_out(n: int, reason: str) -> str:
    return f"{number(n)} row{'s' if n > 1 else ''} left out: {reason}"


def _as_strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        texts = [None if v is None else str(int(v) if v == int(v) else v) for v in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column.cast(pa.string())


def _texts(table: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return [
        (name, column)
        for name, column in zip(table.column_names, table.columns, strict=True)
        if pa.types.is_string(column.type)
    ]


def _cell(column: pa.ChunkedArray, row: int) -> str:
    return (column[row].as_py() or "").strip()


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _second_headings(table: pa.Table) -> tuple[list[int], str]:
    """Find up to three rows below the header with words in the columns of numbers, and no cell that occurs again."""
    reason = "a second heading"
    if table.num_rows < _HEADINGS + 5:
        return [], reason
    columns = _texts(table)
    below = [column.slice(_HEADINGS, _SEEN).to_pylist() for _, column in columns]
    numeric: list[int] = []
    for i, cells in enumerate(below):
        present = [cell.strip() for cell in cells if cell and cell.strip()]
        if present and sum(map(_is_number, present)) >= 0.9 * len(present):
            numeric.append(i)
    if not numeric:
        return [], reason
    rows = []
    for row in range(_HEADINGS):
        cells = [(i, _cell(columns[i][1], row)) for i in numeric]
        filled = [(i, cell) for i, cell in cells if cell and cell not in MISSING]
        words = [
            (i, cell)
            for i, cell in filled
            if not _is_number(cell) and re.search(r"[^\W\d_]|^[(\[]?[€$£%#-][)\]]?$", cell)
        ]
        alone = [i for i, cell in words if cell not in below[i]]
        if len(filled) < 0.5 * len(cells) or len(words) < len(filled) or len(alone) < len(words):
            break
        others = [(i, _cell(column, row)) for i, (_, column) in enumerate(columns) if i not in numeric]
        if any(cell and cell in below[i] for i, cell in others):
            break
        if len(numeric) == 1 and len(columns) > 2 and not words[0][1].startswith("{"):
            break
        rows.append(row)
    return rows, reason


def _rules(table: pa.Table) -> tuple[list[int], str]:
    """Find rows of dashes below the heading, as in tables for reading."""
    columns = _texts(table)
    rows = []
    for row in range(min(2, table.num_rows)):
        cells = [cell for _, column in columns if (cell := _cell(column, row))]
        if len(cells) >= 2 and all(re.fullmatch(r":?[-=+_]{2,}:?", cell) for cell in cells):
            rows.append(row)
    return rows, "a line below the heading"


def _subtotals(table: pa.Table) -> tuple[list[int], str]:
    """Find rows of totals, figures of all rows or headings of groups, where the first column holds digits otherwise."""
    reason = "totals or headings among the rows"
    if table.num_rows < 8 or not pa.types.is_string(table.schema.types[0]):
        return [], reason
    first = table.column(0)
    words = pc.fill_null(pc.match_substring_regex(first, r"^\s*[^\d\s]\D*$"), False).to_numpy(zero_copy_only=False)
    if not words.any() or words.mean() > 0.2:
        return [], reason
    found = {int(row): _cell(first, int(row)) for row in np.flatnonzero(words)}

    def is_aside(row: int, text: str) -> bool:
        if _names_total(text) or plain(text.strip(" :")) in _STATISTICS:
            return True
        return table.num_columns > 2 and not any(_cell_at(table, i, row) for i in range(1, table.num_columns))

    return [row for row, text in found.items() if is_aside(row, text)], reason


def _remarks(table: pa.Table) -> tuple[list[int], str]:
    """Find rows at the end that hold a remark, such as the number of rows, in the first cell alone."""
    reason = "remarks at the end"
    columns = _texts(table)
    if table.num_rows < 8 or len(columns) < table.num_columns or len(columns) < 3:
        return [], reason
    head = [cell or "" for cell in columns[0][1].slice(0, _SEEN).to_pylist()]
    if sum(bool(re.search(r"[^\W\d_].*\s|\s.*[^\W\d_]", cell.strip())) for cell in head) > 3:
        return [], reason
    rows = []
    for row in range(table.num_rows - 1, table.num_rows - 4, -1):
        first, *others = (_cell(column, row) for _, column in columns)
        if any(others) or (first and not re.search(r"[^\W\d_].*\s|\s.*[^\W\d_]", first)):
            break
        rows += [row] if first else []
    return rows, reason


def _repeated_headings(table: pa.Table) -> tuple[list[int], str]:
    """Find rows whose cells are the names of the columns."""
    same = None
    for name, column in _texts(table):
        here = pc.equal(pc.utf8_trim_whitespace(column), name)
        same = here if same is None else pc.and_(same, here)
        if not pc.any(same).as_py():
            return [], ""
    if same is None or table.num_columns < 2:
        return [], ""
    return np.flatnonzero(pc.fill_null(same, False).to_numpy(zero_copy_only=False)).tolist(), "the heading again"


def _totals(table: pa.Table) -> tuple[list[int], str]:
    """Find rows at the end that are called totals, or have no first cell and hold the sums of the rows above."""
    reason = "totals at the end"
    if table.num_rows < 4:
        return [], reason
    rows: list[int] = []
    columns = _texts(table)
    for row in range(table.num_rows - 1, max(table.num_rows - 4, 2), -1):
        cells = [_cell(column, row) for _, column in columns]
        first = next((cell for cell in cells if cell), "")
        n_blank = sum(not cell for cell in cells) + table.num_columns - len(columns)
        named = _names_total(first)
        if (named and not _stands_above(table, first, row)) or (
            n_blank and not _cell_at(table, 0, row) and _holds_sums(table, row, rows)
        ):
            rows.append(row)
        elif not any(cells) and len(columns) == table.num_columns:
            continue
        else:
            break
    return rows, reason


def _names_total(text: str) -> bool:
    """Return whether a text of at most four words is called a total.

    >>> _names_total("Totale complessivo"), _names_total("Grand Total:"), _names_total("Sumner")
    (True, True, False)
    """
    words = [plain(word) for word in split_words(text) if word.isalnum()]
    joined = "".join(words)
    begins = bool(words) and (words[0] in _TOTALS or joined.startswith(("total", "grandtotal", "gesamt", "eindtotaal")))
    return joined in _TOTALS or (begins and len(words) <= 4 and len(joined) <= 26) or words[-1:] == ["total"]


def _cell_at(table: pa.Table, column: int, row: int) -> str:
    value = table.column(column)[row].as_py()
    return "" if value is None else str(value).strip()


def _stands_above(table: pa.Table, word: str, row: int) -> bool:
    """Return whether a word is also a value of the rows above."""
    return any(word in (cell or "" for cell in column.slice(0, row).to_pylist()) for _, column in _texts(table))


def _holds_sums(table: pa.Table, row: int, below: list[int]) -> bool:
    """Return whether at least half of the numbers of a row, and one, are the sums of the numbers above it."""
    hits = tried = 0
    for column in table.columns:
        texts = _as_strings(column.slice(0, row + 1)).combine_chunks()
        texts = pc.if_else(pc.is_in(texts, value_set=pa.array(MISSING, texts.type)), pa.scalar(None, texts.type), texts)
        if not texts[row].is_valid:
            continue
        numbers = read_numbers(pc.fill_null(texts, ""), ".")[0]
        total, parts = numbers[row], numbers[:row]
        if np.isnan(total) or np.isnan(parts).mean() > 0.5:
            continue
        tried += 1
        hits += bool(abs(np.nansum(parts) - total) <= 1e-6 * abs(total) + 0.01)
    return hits >= 1 and 2 * hits >= tried
