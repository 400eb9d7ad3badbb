"""Columns of numbers in JSON, CSV and tables, which the check of small counts looks at."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

SIDEWAYS = 40
LISTED = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:\s*[,;|]\s*\d+(?:\.\d+)?){2,}")
"""Three or more numbers in a row of words."""
SEPARATOR = re.compile(r"\d\s*[,;|]")
"""What stands in each such row, and in few texts."""
LIST_NAME = re.compile(r"([^\W\d][\w ]{0,40}):\s*$")
"""What stands before them."""
NAME_LENGTH = 60
GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


class Cell(NamedTuple):
    """One value of a column and the label of its row."""

    label: str
    value: str
    line: int


class Column(NamedTuple):
    """Values under one name: a table's column, a JSON field or array, a list, a repeated attribute.

    The field names of a JSON object are a column too: its name ends in a slash.
    """

    name: str
    cells: tuple[Cell, ...]


def json_strings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field, text) for every name, string and number of ten digits or more in a JSON value."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield name, key
            yield from json_strings(child, key)
    elif isinstance(value, list):
        for child in value:
            yield from json_strings(child, name)
    elif isinstance(value, str):
        yield name, value
    elif isinstance(value, int) and abs(value) >= 10**9:
        yield name, str(value)


def json_columns(value: object, name: str, line: int) -> Iterator[Column]:
    """Yield the columns of a JSON value; of a chart's specification only those of its data."""
    if isinstance(value, dict) and "vega" in str(value.get("$schema", "")):
        for data in _spec_data(value):
            yield from json_columns(data, "", line)
    elif isinstance(value, dict):
        yield from _object_columns(value, name, line)
    elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        yield from _record_columns(value, line, {})
    elif isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        yield from _row_columns(value, line)
    elif isinstance(value, list):
        yield Column(name, tuple(Cell("", _written(child), line) for child in value if _is_scalar(child)))
        for child in value:
            if not _is_scalar(child):
                yield from json_columns(child, name, line)


def _object_columns(value: dict[str, Any], name: str, line: int) -> Iterator[Column]:
    """Yield the names of an object, its own values and the columns of what it holds."""
    scalars = {key: child for key, child in value.items() if _is_scalar(child)}
    yield Column(f"{name}/", tuple(Cell("", key, line) for key in value))
    if scalars and all(isinstance(child, int) for child in scalars.values()):
        yield Column(name, tuple(Cell(key, _written(child), line) for key, child in scalars.items()))
    for key, child in scalars.items():
        yield Column(key, (Cell(_row_label(value), _written(child), line),))
    for key, child in value.items():
        if isinstance(child, list) and child and all(isinstance(row, dict) for row in child):
            yield from _record_columns(child, line, scalars)
        elif not _is_scalar(child):
            yield from json_columns(child, key, line)


def _row_columns(value: list[list[Any]], line: int) -> Iterator[Column]:
    """Yield the columns of a list of rows, each named by its first cell."""
    for place in range(max(map(len, value))):
        rows = [row for row in value if place < len(row) and _is_scalar(row[place])]
        yield Column(
            "",
            tuple(Cell(_written(row[0]) if _is_scalar(row[0]) else "", _written(row[place]), line) for row in rows),
        )


def _record_columns(rows: list[dict[str, object]], line: int, above: Mapping[str, object]) -> Iterator[Column]:
    """Yield one column a field of the rows; a field that the enclosing object has too is their total."""
    if any("vega" in str(row.get("$schema", "")) for row in rows):
        for row in rows:
            yield from json_columns(row, "", line)
        return
    for name in dict.fromkeys(key for row in rows for key in row):
        cells = [Cell(_row_label(row), _written(row[name]), line) for row in rows if _is_scalar(row.get(name))]
        if name in above and cells:
            cells.append(Cell("total", _written(above[name]), line))
        if cells:
            yield Column(name, tuple(cells))
        for row in rows:
            if name in row and not _is_scalar(row[name]):
                yield from json_columns(row[name], name, line)


def _spec_data(value: object) -> Iterator[object]:
    """Yield the inline data of a Vega or Vega-Lite specification."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == "datasets" and isinstance(child, dict):
                yield from child.values()
            elif key in ("data", "values") and isinstance(child, (list, dict)) and child:
                inner = child.get("values") if isinstance(child, dict) else child
                if isinstance(inner, list) and all(isinstance(row, (dict, str, int, float)) for row in inner):
                    yield inner
                else:
                    yield from _spec_data(child)
            else:
                yield from _spec_data(child)
    elif isinstance(value, list):
        for child in value:
            yield from _spec_data(child)


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _row_label(row: Mapping[str, object]) -> str:
    return next((value for value in row.values() if isinstance(value, str)), "")


def listed_columns(text: str, line: int) -> Iterator[Column]:
    """Yield the lists of numbers in a text."""
    if not SEPARATOR.search(text):
        return
    for match in LISTED.finditer(text):
        if not GROUPED.fullmatch(match[0]):
            at = line + text.count("\n", 0, match.start())
            name = LIST_NAME.search(text[max(0, match.start() - NAME_LENGTH) : match.start()])
            cells = tuple(Cell("", x, at) for x in re.findall(r"\d+(?:\.\d+)?", match[0]))
            yield Column(name[1] if name else "", cells)


def csv_columns(text: str, delimiter: str) -> Iterator[Column]:
    """Yield the columns of delimited text."""
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    lined = [(row, line) for line, row in enumerate(rows, start=1) if row]
    return grid_columns([[Cell("", value, line) for value in row] for row, line in lined])


def grid_columns(grid: list[list[Cell]]) -> Iterator[Column]:
    """Yield the columns of a table that its first row names and a short one's rows: it may lie sideways."""
    if len(grid) < 2:
        return
    for across in (
        grid,
        [list(cells) for cells in zip(*grid, strict=False)] if len(grid) <= SIDEWAYS else [],
    ):
        if not across:
            continue
        labels, rows = across[0], across[1:]
        for place, head in enumerate(labels):
            cells = tuple(Cell(row[0].value, row[place].value, row[place].line) for row in rows if place < len(row))
            yield Column(head.value.strip(), cells)
