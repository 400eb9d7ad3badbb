"""The first row of a table: names of columns, or a customer whose values must not become names."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"[-+(]?[$€£]?\s?[\d.,' ]*\d[)%]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_NO_VALUE = frozenset(("n/a", "na", "nan", "null", "none", "unknown", "unbekannt", "inconnu", "k.a.", "?", "-"))
"""Words of a first row that stand for a missing number."""


def has_header(rows: list[list[str]], names: Sequence[str] | None = None) -> bool:
    """Return whether the first row names the columns: it differs in kind from the rows below it.

    Parameters
    ----------
    rows : list of list of str
        The first rows of a table.
    names : sequence of str, optional
        Names from the settings; a first row that has them is a header.
    """
    first, below = rows[0], rows[1:]
    if names is not None and [cell.casefold() for cell in first] == [name.casefold() for name in names]:
        return True
    if not below:
        return not any(_NUMBER.fullmatch(cell) for cell in first)
    formed = same = valued = recurring = 0
    for i, cell in enumerate(first):
        column = [row[i] for row in below if i < len(row) and row[i]]
        form = _common_form(column)
        if form is not None:
            formed += 1
            valued += form(cell)
            same += form(cell) or cell.casefold() in _NO_VALUE or not cell
        recurring += bool(cell) and cell in column and len(set(column)) > 1
    if formed:
        return (same < formed and not (valued and recurring)) or _are_years(first)
    return not recurring or len(below) < 5


def _common_form(column: list[str]) -> Callable[[str], bool] | None:
    """Return a test for what nearly all cells of a column are: numbers, or texts with digits of one shape."""
    if not column:
        return None
    shapes = (_shape_letters, _shape_digits) if any(map(str.isdigit, column[0])) or "@" in column[0] else ()
    if _share(column, is_number) >= 0.9:
        return is_number
    for shape in shapes:
        most, n = Counter(map(shape, column)).most_common(1)[0]
        if most and n >= 0.9 * len(column):
            return lambda cell: shape(cell) == most
    return None


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, or a date in digits."""
    return _NUMBER.fullmatch(cell) is not None


def _share(column: list[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, column)) / len(column)


def _shape_digits(cell: str) -> str:
    """Return a cell with its digits alone made alike, as of money with one currency; empty without a digit.

    >>> _shape_digits("EUR 83"), _shape_digits("Hebamme")
    ('eur 9', '')
    """
    return re.sub(r"\d+", "9", cell.casefold()) if any(map(str.isdigit, cell)) else ""


def _shape_letters(cell: str) -> str:
    """Return a cell with digits and words made alike; empty for one that may name a column, such as Item 1.

    >>> _shape_letters("18055 Rostock"), _shape_letters("ann.lee@example.org"), _shape_letters("Item 1")
    ('9 a', '@', '')
    """
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}", cell):
        return "@"
    shape = re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", cell))
    return shape if "9" in shape and not re.fullmatch(r"a[ _.-]?9?|a?[ _.-]?9", shape) else ""


def _are_years(cells: list[str]) -> bool:
    """Return whether the numbers among cells are years in a row, as the names of columns by year are."""
    numbers = [float(cell) for cell in cells if re.fullmatch(r"(?:19|20)\d\d(?:\.0)?", cell)]
    others = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    return len(numbers) == len(others) > 2 and all(b - a == 1 for a, b in itertools.pairwise(numbers))
