"""Answers of which several may be given: in one cell, or one column for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.formats import number
from analysis.sources.columns import Column

SEPARATORS = (";", "|", "\n", ",", "/", "+", "&")
FEWEST_ROWS = 20
MOST_OPTIONS = 25
RARE = 10
"""Rows below which an answer gets no column of its own: it may tell a person. Chosen for this project."""
COVERED = 0.9
"""Share of the given answers that have to be among the frequent ones. Chosen for this project."""
ONE_OF_SEVERAL = "one of several answers in a cell"
"""Note of a column made from one answer of a cell."""
_LONGEST = 60
_LOOKED_AT = 2_000
_TICKED = (0.02, 0.98)
"""Least and largest share of rows in which a box is ticked."""


def split_choices(
    frame: pd.DataFrame, columns: tuple[Column, ...], forced: Collection[str]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Add a yes or no column for each answer where cells hold several, and read boxes that are ticked or empty.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    forced : collection of str
        Columns whose type is set, which are not changed.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns + n_answers)
    tuple of Column
        A column that was split up says so in ``replaced``.
    """
    changed = _read_ticks(frame, [column for column in columns if column.name not in forced])
    added: dict[str, tuple[pd.Series, Column]] = {}
    replaced: dict[str, Column] = {}
    for column in columns:
        if column.name in forced or column.name in changed or column.type not in ("category", "text"):
            continue
        found = _find_options(frame[column.name]) if column.n_distinct >= 3 and len(frame) >= FEWEST_ROWS else None
        if not found:
            continue
        separator, options, n_rare = found
        parts = _split(frame[column.name], separator, options, column.name)
        if set(parts) & (set(frame.columns) | set(added)):
            continue
        added |= parts
        reason = f"several answers in a cell, read as {number(len(parts))} columns of yes or no"
        rare = "; rare answers have none" if n_rare else ""
        replaced[column.name] = replace(column, replaced=reason, note=f"{column.note}; {reason}{rare}")
    if not changed and not added:
        return frame, columns
    values = {name: changed[name][0] if name in changed else frame[name] for name in frame.columns}
    frame = pd.DataFrame(values | {name: series for name, (series, _) in added.items()}, copy=False)
    read = [changed[c.name][1] if c.name in changed else replaced.get(c.name, c) for c in columns]
    return frame, (*read, *(column for _, column in added.values()))


def _find_options(values: pd.Series) -> tuple[str, list[str], int] | None:
    """Find the separator and the answers of cells that hold several, the most frequent first, and count rare ones."""
    counts = values.dropna().value_counts()
    if len(counts) < 3:
        return None
    texts, weights = counts.index[:_LOOKED_AT].tolist(), counts.to_numpy()[:_LOOKED_AT]
    for separator in SEPARATORS:
        holds = np.array([separator in text for text in texts])
        if weights[holds].sum() < 0.1 * weights.sum():
            continue
        cells = [_parts(text, separator) for text in texts]
        sizes = {len(cell) for cell in cells}
        if len(sizes) < 2 or any(len(set(cell)) < len(cell) for cell in cells):
            continue
        given: Counter[str] = Counter()
        for cell, weight in zip(cells, weights, strict=True):
            given.update(dict.fromkeys(cell, int(weight)))
        enough = max(RARE, 0.02 * int(weights.sum()))
        options = sorted((option for option, n in given.items() if n >= enough), key=lambda o: (-given[o], o))
        covered = sum(given[option] for option in options) >= COVERED * given.total()
        fits = 2 <= len(options) <= MOST_OPTIONS and covered and all(len(option) <= _LONGEST for option in options)
        if fits and all(re.search(r"[^\W\d_]", option) for option in options) and _are_combined(cells, options):
            return separator, options, len(given) - len(options)
    return None


def _parts(text: str, separator: str) -> list[str]:
    if text.startswith("[") and text.endswith("]"):
        text = re.sub(r"['\"]", "", text[1:-1])
    return [part for raw in text.split(separator) if (part := " ".join(raw.split()))]


def _are_combined(cells: Sequence[Sequence[str]], options: Sequence[str]) -> bool:
    """Return whether most answers stand alone or beside several others, as parts of a place or name do not."""
    alone = {cell[0] for cell in cells if len(cell) == 1} & set(options)
    if len(alone) >= 0.6 * len(options):
        return True
    beside: dict[str, set[str]] = {option: set() for option in options}
    for cell in cells:
        for option in cell:
            if option in beside:
                beside[option] |= set(cell) - {option}
    several = [len(others & set(options)) >= min(2, len(options) - 1) for others in beside.values()]
    return sum(several) >= 0.7 * len(options)


def _split(values: pd.Series, separator: str, options: Sequence[str], name: str) -> dict[str, tuple[pd.Series, Column]]:
    """Make a column of yes or no for each answer; rows without any stay missing."""
    codes, texts = pd.factorize(values)
    cells = [set(_parts(str(text), separator)) for text in texts]
    made = {}
    for option in options:
        given = np.array([option in cell for cell in cells] + [False])[codes]
        answers: Any = pd.Series(given, index=values.index).astype("boolean").mask(values.isna())
        label = f"{name}: {option}"
        made[label] = (
            answers,
            Column(label, "boolean", ONE_OF_SEVERAL, int(values.isna().sum()), int(answers.nunique())),
        )
    return made


def _read_ticks(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, tuple[pd.Series, Column]]:
    """Read columns that are empty or hold one word as yes or no, where three or more stand side by side."""
    n = len(frame)
    least, most = _TICKED

    def is_box(column: Column) -> bool:
        ticked = 1 - column.n_missing / max(n, 1)
        return column.n_distinct == 1 and column.type != "date" and least <= ticked <= most

    runs: list[list[Column]] = [[]]
    for column in columns:
        if is_box(column):
            runs[-1].append(column)
        elif runs[-1]:
            runs.append([])
    read = {}
    for column in (column for run in runs if len(run) >= 3 for column in run):
        answers: Any = frame[column.name].notna().astype("boolean")
        note = "a box that is ticked is yes, an empty one is no"
        read[column.name] = (answers, Column(column.name, "boolean", note, 0, 2))
    return read if n >= FEWEST_ROWS else {}
