"""Histograms, levels and monthly counts without bins that are too small to publish."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure, round_up
from analysis.customers.periods import UNITS, PeriodCounts

BINS = 20
"""Bins of a histogram before small ones are merged. Chosen for this project."""
LEVELS = 8
"""Most levels of a category that are shown by name. Chosen for this project."""
PERIODS = 60
"""Most months or quarters of a date; longer spans are counted by the next longer period. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin ``[low, high)``, a level or a period, with its number of customers (0, or at least ``min_cell``)."""

    label: str
    low: float | None
    high: float | None
    n: int


def histogram(values: np.ndarray, min_cell: int) -> tuple[Bar, ...]:
    """Bin values between about p1 and p99 at round numbers, and merge bins with fewer than ``min_cell`` customers.

    The outermost bins are open and at least ``min_cell`` values lie beyond their edges, so that no edge is a
    person's value.
    """
    if len(values) < 2 * min_cell:
        return ()
    beyond = max(0.01, min_cell / len(values))
    low, high = np.quantile(values, [beyond, 1 - beyond])
    if low == high:
        return ()
    whole = bool(np.all(values == np.round(values))) and high - low <= BINS
    edges = np.arange(np.floor(low) - 0.5, high + 1) if whole else _round_edges(float(low), float(high))
    if len(edges) < 2:
        return ()
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    bars: list[Bar] = []
    start, n_in_bin = 0, 0
    for i, n in enumerate(counts):
        n_in_bin += int(n)
        if n_in_bin >= min_cell:
            bars.append(Bar("", float(edges[start]), float(edges[i + 1]), n_in_bin))
            start, n_in_bin = i + 1, 0
    if n_in_bin and bars:
        last = bars.pop()
        bars.append(Bar("", last.low, float(edges[-1]), last.n + n_in_bin))
    return tuple(bars)


def _round_edges(low: float, high: float) -> np.ndarray:
    """Return round numbers between two order statistics, each of which is near the value of one customer.

    >>> _round_edges(13.7584, 77.1347)
    array([15., 20., 25., 30., 35., 40., 45., 50., 55., 60., 65., 70., 75.])
    """
    step = round_up((high - low) / BINS)
    if step == 0:
        return np.array([])
    first, last = np.ceil(low / step), np.floor(high / step)
    digits = min(max(0, 1 - math.floor(math.log10(step))), 300)
    return np.unique(np.round(np.arange(first, last + 1) * step, digits))


def level_bars(values: pd.Series, min_cell: int) -> tuple[Bar, ...]:
    """Count the most frequent levels and "Other"; rare levels are merged until all reach ``min_cell``."""
    if set(values.dropna().unique()) <= {0, 1}:
        values = values.map({0: "No", 1: "Yes"})
    counts = values.value_counts()
    shown = counts[(counts >= min_cell) & (counts.index != "Other")].head(LEVELS)
    other = int(counts.sum() - shown.sum())
    while 0 < other < min_cell and len(shown):
        other += int(shown.iloc[-1])
        shown = shown.iloc[:-1]
    bars = [Bar(_level_text(level), None, None, int(n)) for level, n in shown.items()]
    return tuple(bars + ([Bar("Other", None, None, other)] if other else []))


def month_bars(dates: pd.Series, people: pd.Series | None, min_cell: int) -> tuple[Bar, ...]:
    """Count rows by month of a date, or by quarter or year if there are many or small months.

    Parameters
    ----------
    dates : Series of datetime, shape (n,)
    people : Series, shape (n,), optional
        Whose row it is; by default each row is somebody else's.
    min_cell : int
        Fewest different customers of a period with rows. Where one of them has most of the rows, none is shown.
    """
    rules, known = Disclosure(min_cell), dates.notna()
    dates = dates[known]
    for unit in UNITS:
        periods = dates.dt.to_period(unit)
        rows = periods.value_counts().sort_index()
        each: Any = None if people is None else people[known].groupby([periods, people[known]]).size()
        n_people = rows if each is None else each.groupby(level=0).size()
        if each is not None and any(rules.is_dominated(n.to_numpy(float)) for _, n in each.groupby(level=0)):
            continue
        if len(n_people) and n_people.min() >= min_cell and (rows.index[-1] - rows.index[0]).n < PERIODS:
            return _list_periods(rows)
    return ()


def pick_bars(counted: Iterable[PeriodCounts], min_cell: int) -> tuple[Bar, ...]:
    """Choose as `month_bars` does among rows counted by month, by quarter and by year."""
    rules = Disclosure(min_cell)
    for counts in counted:
        rows, people = counts.rows, counts.people
        index: Any = rows.index
        each = zip(counts.keyed, people, counts.largest, counts.second, strict=True)
        if any(rules.is_dominated(_spread_rest(*of_period)) for of_period in each):
            continue
        if len(people) and people.min() >= min_cell and (index[-1] - index[0]).n < PERIODS:
            return _list_periods(rows)
    return ()


def _spread_rest(n: int, n_people: int, largest: int, second: int) -> NDArray[np.float64]:
    """Give the rows of each customer, all but the largest two the same; what dominance asks for is then the same."""
    others = max(n_people - 2, 0)
    rest = (n - largest - second) / others if others else 0.0
    return np.array([largest, second][: min(n_people, 2)] + [rest] * others, dtype=float)


def _list_periods(rows: pd.Series) -> tuple[Bar, ...]:
    """List the rows of every period from the first to the last."""
    index: Any = rows.index
    every = rows.reindex(pd.period_range(index[0], index[-1], freq=index.freq), fill_value=0)
    return tuple(Bar(str(label), None, None, int(n)) for label, n in every.items())


def round_bars(bars: Iterable[Bar], step: int) -> tuple[Bar, ...]:
    """Round counts to multiples of ``step``, so that totals do not reveal small counts."""
    return tuple(replace(bar, n=max(step, step * round(bar.n / step)) if bar.n else 0) for bar in bars)


def _level_text(level: object) -> str:
    if isinstance(level, (bool, np.bool_)):
        return "Yes" if level else "No"
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)
