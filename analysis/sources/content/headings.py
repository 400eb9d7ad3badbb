"""Names of columns: headings of two or three rows, and names that several columns have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

_MOST_ROWS = 3
_NUMBER = re.compile(r"[-+(]?[$€£]?\s?[\d.,' ]*\d[)%]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_NO_NAME = re.compile(
    r"(?:open-ended )?(?:response|antwort|réponse|respuesta|resposta|risposta|antwoord)", re.IGNORECASE
)


def join_headings(rows: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """Join the names of groups in the first rows with the names of columns below them.

    A name of a group stands over several columns: the cells to its right are empty, or repeat it.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of a table, the heading first.

    Returns
    -------
    list of str
        Names of the columns.
    int
        Rows that they take up: 1 where the first row alone names the columns.

    Examples
    --------
    >>> join_headings([["Customer", "Orders", ""], ["Id", "Count", "Value"], ["7", "2", "9.5"], ["8", "1", "3.5"]])
    (['Customer Id', 'Orders Count', 'Orders Value'], 2)
    >>> join_headings([["id", "count"], ["7", "2"], ["8", "1"]])
    (['id', 'count'], 1)
    """
    names = [_clean(cell) for cell in rows[0]]
    n_rows = 1
    while n_rows < _MOST_ROWS and len(rows) > n_rows + 1 and _is_grouped(names, rows[n_rows], rows[n_rows + 1 :]):
        below = [_clean(cell) for cell in rows[n_rows]]
        groups = _fill(names)
        names = [_join(group, name) for group, name in zip(groups, below, strict=True)]
        n_rows += 1
    return names, n_rows


def count_titles(rows: Sequence[Sequence[Any]]) -> int:
    """Count the rows above the header, which fill one cell where most rows fill several."""
    filled = [sum(cell not in ("", None) for cell in row) for row in rows[:60]]
    usual = sorted(filled)[len(filled) // 2]
    n_titles = next((i for i, n in enumerate(filled) if n >= max(2, usual // 2)), 0)
    empty = next((i for i, n in enumerate(filled[:10]) if i and not n and max(filled[:i]) <= max(usual // 2, 1)), None)
    if empty is not None:
        n_titles = next((i for i, n in enumerate(filled) if i > empty and n >= max(2, usual // 2)), n_titles)
    return n_titles if usual >= 3 and n_titles <= 10 else 0


def _clean(cell: str) -> str:
    return re.sub(r"\s+", " ", cell.strip().lstrip("\ufeff"))


def _is_grouped(names: Sequence[str], row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row of names stands over another one that has more names, above columns of numbers."""
    cells = [cell.strip() for cell in row]
    if len(cells) != len(names) or len(cells) < 3:
        return False
    repeats = [not name or (i > 0 and name == names[i - 1]) for i, name in enumerate(names)]
    under = [bool(cell) for cell, repeated in zip(cells, repeats, strict=True) if repeated]
    if not any(repeats[1:]) or not all(under) or any(_is_value(cell) for cell in (*cells, *names)):
        return False
    same = Counter(cell for cell in cells if cell)
    seen = [{other[i].strip() for other in below if i < len(other)} for i in range(len(cells))]
    if sum(cell in seen[i] for i, cell in enumerate(cells) if cell):
        return False
    numeric = sum(bool(values - {""}) and all(_NUMBER.fullmatch(value) for value in values - {""}) for values in seen)
    # Below a question stand its answers, which are the same words where the box is ticked.
    return numeric > 0 and len(same) > 1


def _is_value(cell: str) -> bool:
    """Return whether a cell holds a number that is no year."""
    return _NUMBER.fullmatch(cell) is not None and not re.fullmatch(r"(?:19|20)\d\d", cell)


def _fill(names: Sequence[str]) -> list[str]:
    filled: list[str] = []
    for name in names:
        filled.append(name or (filled[-1] if filled else ""))
    return filled


def _join(group: str, name: str) -> str:
    if not group or not name or _NO_NAME.fullmatch(name):
        return group or name
    return name if group.casefold() == name.casefold() else f"{group} {name}"


def number_repeated(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Number the second and later columns of one name, and say so.

    >>> number_repeated(["id", "visits", "visits"])
    (['id', 'visits', 'visits (2)'], ["2 columns are called 'visits': the second is read as 'visits (2)'"])
    """
    counts = Counter(name for name in names if name)
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        new = f"{name} ({seen[name]})" if name and seen[name] > 1 else name
        while new and new != name and new in counts:
            seen[name] += 1
            new = f"{name} ({seen[name]})"
        numbered.append(new)
    notes = [
        f"{n} columns are called '{name}': the second is read as '{name} (2)'" for name, n in counts.items() if n > 1
    ]
    return numbered, notes
