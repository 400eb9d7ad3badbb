"""Columns of ranges, such as 25-34 or under 18, read as the middle of each range."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.base.formats import number
from analysis.sources.columns import Column
from analysis.sources.names import plain
from analysis.sources.numbers import decimal_mark, read_numbers
from analysis.sources.texts import gives_no_answer

RANGES = "ranges"
"""How the note of a column begins whose ranges became numbers."""
FEWEST, MOST = 3, 60
"""Different ranges of a column. Chosen for this project."""

_BELOW = (
    "under|below|less than|fewer than|up to|at most|younger than|unter|bis|bis zu|weniger als|hochstens|junger als"
    "|moins de|jusqu'a|menos de|hasta|menores de|ate|abaixo de|menor de|meno di|fino a|sotto i|sotto|minder dan|tot"
    "|jonger dan|onder|onder de|<=|<|≤"
)
_ABOVE = (
    "over|above|more than|at least|older than|from|uber|mehr als|ab|mindestens|alter als|plus de|au moins|mas de"
    "|desde|mayores de|mais de|acima de|a partir de|maior de|piu di|oltre|almeno|sopra i|meer dan"
    r"|vanaf|ouder dan|boven|>=|>|≥"
)
_BEYOND = (
    r"\+|and over|and above|and older|or more|or older|and more|plus|und mehr|und alter|oder mehr|oder alter"
    r"|und daruber|et plus|ou plus|y mas|o mas|e mais|ou mais|e oltre|e piu|o piu|en ouder"
    r"|of ouder|of meer|en meer|en hoger"
)
_UNIT = r"(?: ?(?:years?|yrs?|jahren?|ans?|anos?|anni|jaar|times|mal|fois|veces|vezes|volte|keer))?"
_NUMBER = r"(?P<{}>(?:[^\d\s<>-]{{0,4}} ?)\d[\d., ']*(?: ?(?:k|m|mio|tsd|mil)\b)?(?: ?(?:[$€£¥₹%]|eur|usd|gbp|chf))?)"
_LOW, _HIGH = _NUMBER.format("low"), _NUMBER.format("high")
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"[\[(]{_LOW}, ?{_HIGH}[\])]",
        rf"(?:from |von |de |da |van |entre |between )?{_LOW}{_UNIT} ?(?:-|–|—|to|bis|a|à|al|ate|tot"
        rf"|und|and|et|y|e|en) ?{_HIGH}{_UNIT}",
        rf"(?:{_BELOW}) ?{_HIGH}{_UNIT}",
        rf"(?:{_ABOVE}) ?{_LOW}{_UNIT}",
        rf"{_LOW}{_UNIT} ?(?:{_BEYOND}){_UNIT}",
        rf"{_LOW}{_UNIT}",
    )
)


def read_ranges(
    frame: pd.DataFrame, columns: tuple[Column, ...], forced: Collection[str]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Turn columns of ranges into the middle of each range.

    A range without an end is taken as wide as the one beside it. Words for no answer become missing.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    forced : collection of str
        Columns whose type is set, which are not changed.

    Returns
    -------
    DataFrame, tuple of Column
    """
    read: dict[str, tuple[pd.Series, Column]] = {}
    for column in columns:
        if column.name in forced or column.type not in ("category", "key") or not FEWEST <= column.n_distinct <= MOST:
            continue
        values = frame[column.name].astype("str")
        levels = [level for level in values.dropna().unique() if not gives_no_answer(level)]
        middles = find_middles(levels)
        if middles:
            numbers = pd.Series(values.map(middles).to_numpy(np.float64))
            note = f"{RANGES}, each read as its middle"
            n_missing = int(numbers.isna().sum())
            if n_missing > column.n_missing:
                note += f"; {number(n_missing - column.n_missing)} answers that give none taken as missing"
            read[column.name] = (
                numbers,
                replace(
                    column,
                    type="number",
                    note=note,
                    n_missing=n_missing,
                    n_distinct=len(middles),
                    codes=tuple(middles.items()),
                ),
            )
    if not read:
        return frame, columns
    frame = pd.DataFrame({name: read[name][0] if name in read else frame[name] for name in frame.columns}, copy=False)
    return frame, tuple(read[column.name][1] if column.name in read else column for column in columns)


def find_middles(levels: Collection[str]) -> dict[str, float]:
    """Find the middle of each range; nothing where the texts are no ranges, or overlap.

    Examples
    --------
    >>> find_middles(["under 18", "18-24", "25-34", "65+"])
    {'under 18': 15.0, '18-24': 21.0, '25-34': 29.5, '65+': 69.5}
    >>> find_middles(["$40K - $60K", "$60K - $80K", "Less than $40K"])["$40K - $60K"]
    50000.0
    >>> find_middles(["2023-01", "2023-02", "2023-03"]), find_middles(["1-2", "A", "B"])
    ({}, {})
    """
    bounds = _find_bounds(levels)
    ends = sorted((low, high, level) for level, found in bounds.items() if found for low, high in [found])
    closed = [(low, high) for low, high, _ in ends if -np.inf < low < high < np.inf]
    n_open = sum(low == -np.inf or high == np.inf for low, high, _ in ends)
    if len(ends) != len(levels) or len(ends) < FEWEST or not closed or len(closed) + n_open < FEWEST:
        return {}
    if any(after[0] < before[1] for before, after in itertools.pairwise(ends)):
        return {}
    if max(high for _, high in closed) > 1e9:
        return {}
    first, last = closed[0], closed[-1]
    middles: dict[str, float] = {}
    for low, high, level in ends:
        if low == -np.inf:
            width = first[1] - first[0]
            floor = 0.0 if first[0] >= 0 else -np.inf
            middles[level] = max(high - width / 2, (high + floor) / 2) if np.isfinite(floor) else high - width / 2
        elif high == np.inf:
            middles[level] = low + (last[1] - last[0]) / 2
        else:
            middles[level] = (low + high) / 2
    return middles


def _find_bounds(levels: Collection[str]) -> dict[str, tuple[float, float] | None]:
    """Return both ends of each range, infinite where it has none; nothing where a text is no range."""
    parts: dict[str, tuple[str, str]] = {}
    ends = {level.split()[-1] for level in levels}
    end = next(iter(ends)) if len(ends) == 1 else ""
    for level in levels:
        found = _split(level.removesuffix(end) if end.isalpha() else level)
        if found is None:
            return {}
        parts[level] = found
    texts = list(dict.fromkeys(text for pair in parts.values() for text in pair if text))
    array = pa.array(texts, pa.string())
    values = read_numbers(array, decimal_mark([(array, np.ones(len(texts), int))]))[0]
    numbers = dict(zip(texts, values.tolist(), strict=True))
    if any(np.isnan(value) for value in values):
        return {}

    def ends(pair: tuple[str, str]) -> tuple[float, float] | None:
        low = numbers[pair[0]] if pair[0] else -np.inf
        high = numbers[pair[1]] if pair[1] else np.inf
        return (low, high) if low < high or pair[0] == pair[1] else None

    return {level: ends(pair) for level, pair in parts.items()}


def _split(level: str) -> tuple[str, str] | None:
    """Return the numbers of both ends as texts, empty where there is no end; None for a text that is no range."""
    text = re.sub(r"[\s\u00a0\u202f]+", " ", plain(level.replace("\u2019", "'"))).strip()
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        groups = match.groupdict()
        low, high = groups.get("low") or "", groups.get("high") or ""
        if form is _FORMS[-1]:
            high = low
        multiple = re.search(r"[km]\b", high)
        if low and multiple and not re.search(r"[km]\b", low):
            low += multiple[0]
        return _as_written(low), _as_written(high)
    return None


def _as_written(text: str) -> str:
    """Write multiples and codes of currencies as the reader of numbers knows them."""
    return text.strip().upper().replace("TSD", "Tsd").replace("MIO", "Mio").replace("MIL", "mil")
