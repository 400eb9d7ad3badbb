"""Tests of variables that did not form the segments, corrected, with effect sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.weights import FEWEST_EFFECTIVE, Weights, effective_size, middle_ranks
from analysis.clustering.algorithms import Labels
from analysis.features.build import FeatureTable, Variable
from analysis.features.relations import cramers_v
from analysis.features.select import NEAR_COPY, spearman

Cells = NDArray[Any]
"""Counts of a level by label, shape (columns,); with survey weights, counts, sums of weights and sums of their squares,
shape (3, columns): all three add up where levels merge."""
Merged = tuple[tuple[str, ...], Cells]
"""Levels and their cells, shape (levels, columns) or (levels, 3, columns)."""
NOBODY = np.zeros((0, 0), dtype=np.int64)
SIZES = ("negligible", "small", "medium", "large")
"""Words for the size of a difference."""
W_BOUNDS, ETA_BOUNDS = (0.1, 0.3, 0.5), (0.0099, 0.0588, 0.1379)
"""From where on a difference is small, medium and large: of w, and of epsilon squared.

Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapters 7 and 8.
"""
MOST_MERGED, MOST_NAMED = 1 / 3, 3
"""Share of customers that "Other" may take in, so that it hides no story; where it would be more, levels are merged by
twos under their names, of which a merged level has at most so many."""
SAMPLED = 20_000
"""Customers by whom near-copies of the features are told. Chosen for this project."""


class Counted(NamedTuple):
    """Customers by level and label.

    Attributes
    ----------
    levels : tuple of str
    columns : ndarray of int, shape (columns,)
        The labels.
    counts : ndarray of int, shape (levels, columns)
    weights : ndarray of float64, shape (levels, columns), optional
        The sums of survey weights.
    squares : ndarray of float64, shape (levels, columns), optional
        The sums of their squares.
    """

    levels: tuple[str, ...]
    columns: NDArray[np.int64]
    counts: NDArray[np.int64]
    weights: Weights = None
    squares: Weights = None

    @property
    def weighed(self) -> NDArray[Any]:
        """Customers of the population by level and label, scaled so that they are as many as the effective sample."""
        if self.weights is None or self.squares is None:
            return self.counts
        return self.weights * (self.weights.sum() / self.squares.sum())


@dataclass(frozen=True, slots=True)
class Association:
    """How strongly a variable depends on the segments.

    Attributes
    ----------
    test : str
        Kruskal-Wallis or chi-square.
    measure : str
        ε² of numbers: epsilon squared, the share of the variance of ranks that the segments explain, corrected for
        chance. V of groups and answers: Cramér's, corrected for its bias.
    effect : float
        0 to 1.
    size : str
        The effect in words, of :data:`SIZES`.
    p : float
        Before any correction.
    """

    test: str
    measure: str
    effect: float
    size: str
    p: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """A descriptor or outcome against the segments.

    Attributes
    ----------
    variable : str
    test : str
        Kruskal-Wallis or chi-square.
    measure : str
        Of the effect, as in :class:`Association`.
    effect : float
        0 to 1.
    size : str
        The effect in words, of :data:`SIZES`.
    p : float or None
        Holm-corrected over all that were tested. None where the segments were formed by a near-copy or from the same
        columns: they differ there because they were made to.
    """

    variable: str
    test: str
    measure: str
    effect: float
    size: str
    p: float | None


def count_levels(
    values: pd.Series,
    labels: Labels,
    min_cell: int,
    order: Sequence[str] = (),
    merged: float = MOST_MERGED,
    weights: Weights = None,
) -> Counted | None:
    """Count customers by level and segment, levels merged until no cell is small.

    Levels with an order merge with a neighbour and are then called by the ends of their range. Others merge into
    "Other", those with a small cell first, then by size; where that would take in too many, they merge by twos and keep
    their names.

    Parameters
    ----------
    values : Series of str, shape (n,)
    labels : ndarray of int, shape (n,)
    min_cell : int
        Least customers of a cell that is not empty.
    order : sequence of str
        Levels from least to most; empty where they have no order.
    merged : float
        Share of the customers that levels without an order may lose to "Other".
    weights : ndarray, shape (n,), optional
        Of a survey. A cell is small, too, where few rows hold most of its weight.

    Returns
    -------
    Counted or None
        None where fewer than two levels remain, or too many would be merged.

    Examples
    --------
    >>> values = pd.Series(["never"] * 4 + ["seldom"] * 20 + ["often"] * 30)
    >>> count_levels(values, np.ones(54, np.int16), 10, ("never", "seldom", "often"))[0]
    ('never to seldom', 'often')
    """
    codes, names = pd.factorize(values.fillna("Unknown").astype(str))
    columns, places = np.unique(labels, return_inverse=True)
    cells, size = codes * len(columns) + places, len(names) * len(columns)
    table = np.bincount(cells, minlength=size).reshape(-1, len(columns))
    if weights is not None:
        parts = (table, *(np.bincount(cells, w, size).reshape(table.shape) for w in (weights, weights**2)))
        table = np.stack(parts, axis=1)
    rows = dict(zip(map(str, names), table, strict=True))
    levels, counts = _merge_neighbours(rows, min_cell, order) if order else _merge_smallest(rows, min_cell, merged)
    if len(levels) < 2:
        return None
    if weights is None:
        return Counted(levels, columns.astype(int), counts)
    whole = counts[:, 0].round().astype(np.int64)
    return Counted(levels, columns.astype(int), whole, counts[:, 1], counts[:, 2])


def _size(cells: Cells) -> int:
    """Customers of a level."""
    return int(cells.sum() if cells.ndim == 1 else cells[0].sum())


def _mass(cells: Cells) -> float:
    """Customers of a level, or the sum of their weights: what levels are ranked by."""
    return float(cells.sum() if cells.ndim == 1 else cells[1].sum())


def _small(cells: Cells, min_cell: int) -> bool:
    counts = cells if cells.ndim == 1 else cells[0]
    if cells.ndim > 1 and bool((cells[1] ** 2 < FEWEST_EFFECTIVE * cells[2]).any()):
        return True
    return bool(((counts > 0) & (counts < min_cell)).any()) or counts.sum() < min_cell


def _merge_smallest(rows: Mapping[str, Cells], min_cell: int, merged: float) -> Merged:
    """Levels by size; those with a small cell, and as many others as it takes, in "Other", or named where too many."""
    levels = sorted((level for level in rows if level != "Other"), key=lambda level: (-_mass(rows[level]), level))
    large = [level for level in levels if not _small(rows[level], min_cell)]
    lost = [level for level in levels if level not in large]
    while large and (lost or "Other" in rows):
        other = np.sum([rows[level] for level in (*lost, *({"Other"} & set(rows)))], axis=0)
        if not _small(other, min_cell):
            if sum(_size(rows[level]) for level in lost) > merged * sum(map(_size, rows.values())):
                return _merge_named(rows, min_cell)
            return (*large, "Other"), np.stack([*(rows[level] for level in large), other])
        lost.append(large.pop())
    return tuple(large), np.stack([rows[level] for level in large]) if large else NOBODY


def _merge_named(rows: Mapping[str, Cells], min_cell: int) -> Merged:
    """Levels by size, those with a small cell merged by twos under both names; none where a name would be a list."""
    named = {level if _size(row) >= min_cell and level != "Other" else "other" for level, row in rows.items()}
    groups: list[tuple[tuple[str, ...], Cells]]
    groups = [((level,), rows[level]) for level in named - {"other"}]
    rest = [row for level, row in rows.items() if level not in named]
    groups += [(("other",), np.sum(rest, axis=0))] if rest else []
    while len(groups) > 1:
        groups.sort(key=lambda group: (_size(group[1]), group[0]))
        small = [i for i, (_, row) in enumerate(groups) if _small(row, min_cell)]
        if not small:
            break
        beside = small[1] if len(small) > 1 else int(small[0] == 0)
        (first, row), (second, other) = groups[small[0]], groups[beside]
        groups = [group for i, group in enumerate(groups) if i not in (small[0], beside)]
        groups.append(((*second, *first), row + other))
    if any(len(names) > MOST_NAMED for names, _ in groups):
        return (), NOBODY
    groups.sort(key=lambda group: (group[0] == ("other",), -_mass(group[1]), group[0]))
    titles = [" or ".join(sorted(names, key=lambda name: name == "other")) for names, _ in groups]
    return tuple("Other" if title == "other" else title for title in titles), np.stack([row for _, row in groups])


def _merge_neighbours(rows: Mapping[str, Cells], min_cell: int, order: Sequence[str]) -> Merged:
    """Levels in their order, small ones merged with the smaller neighbour; what has no place in it comes last.

    Customers whose level has no place in the order, or is not known, are left out where they are too few to tell.
    """
    runs = [((level, level), rows[level]) for level in order if level in rows]
    while len(runs) > 1 and (small := [i for i, (_, row) in enumerate(runs) if _small(row, min_cell)]):
        at = min(small, key=lambda i: (_size(runs[i][1]), i))
        beside = min((i for i in (at - 1, at + 1) if 0 <= i < len(runs)), key=lambda i: (_size(runs[i][1]), i))
        low, high = sorted((at, beside))
        runs[low : high + 1] = [((runs[low][0][0], runs[high][0][1]), runs[low][1] + runs[high][1])]
    levels = [first if first == last else f"{first} to {last}" for (first, last), _ in runs]
    counts = [row for _, row in runs]
    outside = [level for level in rows if level not in order]
    if outside and not _small(other := np.sum([rows[level] for level in outside], axis=0), min_cell):
        levels.append(outside[0] if len(outside) == 1 else "Other")
        counts.append(other)
    return tuple(levels), np.stack(counts) if counts else NOBODY


def find_contrasts(
    table: FeatureTable,
    labels: Labels,
    forming: Sequence[Variable],
    counted: Mapping[str, Counted],
    hidden: Iterable[str],
    keys: frozenset[str] = frozenset(),
) -> tuple[Contrast, ...]:
    """Test every descriptor and outcome for differences between segments, largest effects first.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned: left out.
    forming : sequence of Variable
        That the segments were formed by; what shares a column with them, or is a near-copy, has no p-value.
    counted : mapping of str to Counted
        Categories and yes/no variables, as they are published.
    hidden : iterable of str
        Variables that are not published by segment.
    keys : frozenset of str
        Columns that say who a customer is.

    Notes
    -----
    O(n log n) a variable. Epsilon squared is H / (n - 1), as in Tomczak and Tomczak (2014). With survey weights, tests
    are of the weighted table, and of the ranks in the population, as if it were a sample of the effective size: the
    first-order correction of Rao and Scott (1984, Annals of Statistics 12) with Kish's design effect.
    """
    if int(labels.max(initial=0)) < 2:
        return ()
    used = {column for variable in forming for column in (variable.name, *variable.columns)} - keys
    kept = labels > 0
    own = None if table.weights is None else table.weights[kept]
    veiled = set(hidden)
    sample = np.flatnonzero(kept)[:: max(1, int(kept.sum()) // SAMPLED)]
    numbers = [v.name for v in table.variables if not v.categorical]
    similar = np.abs(spearman(table.frame[numbers].iloc[sample])[0]) if numbers else np.empty((0, 0))
    near = dict(zip(numbers, similar[:, [numbers.index(v.name) for v in forming if v.name in numbers]], strict=True))
    found: list[Contrast] = []
    for variable in table.of("descriptor", "outcome"):
        name, values = variable.name, table.frame[variable.name][kept]
        if name in veiled or (variable.categorical and name not in counted):
            continue
        result = _associate(counted[name]) if name in counted else associate_numbers(values, labels[kept], own)
        if result is None:
            continue
        circular = name in used or bool(used.intersection(variable.columns))
        if not circular and not variable.categorical:
            circular = bool((near[name] >= NEAR_COPY).any())
        p = None if circular else result.p
        found.append(Contrast(name, result.test, result.measure, result.effect, result.size, p))
    return tuple(sorted(_corrected(found), key=lambda c: (-SIZES.index(c.size), -c.effect)))


def _associate(counted: Counted) -> Association | None:
    return associate_groups(counted.columns, counted.weighed)


def associate_numbers(values: pd.Series, labels: Labels, weights: Weights = None) -> Association | None:
    """Measure how far numbers differ between segments, by their ranks.

    Epsilon squared is (H - k + 1) / (n - k) for the statistic H of Kruskal and Wallis with its correction for ties, k
    segments and n customers with a value: the correlation ratio of ranks without what random groups would reach
    (Kelley 1935, An unbiased correlation ratio measure).

    Parameters
    ----------
    values : Series of float, shape (n,)
        Customers without a value do not count.
    labels : ndarray of int, shape (n,)
        1..k; the unassigned, 0, do not count.
    weights : ndarray, shape (n,), optional
        Of a survey: ranks are then those in the population, and n is the effective size.

    Returns
    -------
    Association or None
        None where fewer than two segments or values are left.

    Examples
    --------
    >>> found = associate_numbers(pd.Series([1.0, 2.0, 3.0, 7.0, 8.0, 9.0]), np.array([1, 1, 1, 2, 2, 2]))
    >>> found.measure, round(found.effect, 2)
    ('ε²', 0.71)
    """
    from scipy.stats import kruskal

    known = values.notna().to_numpy() & (labels > 0)
    numbers, groups = values.to_numpy(float)[known], labels[known]
    samples = [numbers[groups == segment] for segment in np.unique(groups)]
    n, k = len(numbers), len(samples)
    if k < 2 or n <= k or numbers.min() == numbers.max():
        return None
    if weights is None:
        statistic, p = kruskal(*samples)
    else:
        statistic, p, n = _compare_ranks(numbers, groups, weights[known])
        if n <= k:
            return None
    effect = min(1.0, max(0.0, (float(statistic) - k + 1) / (n - k)))
    return Association("Kruskal-Wallis", "ε²", effect, _word(effect, ETA_BOUNDS), float(p))


def _compare_ranks(
    numbers: NDArray[np.float64], groups: Labels, weights: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Kruskal and Wallis's statistic of ranks in the population, its p-value, and the effective size.

    The statistic is the share of the variance of ranks that lies between groups, times the effective size less one.
    """
    from scipy.stats import chi2

    ranks, n = middle_ranks(numbers, weights), effective_size(weights)
    segments, places = np.unique(groups, return_inverse=True)
    apart, sizes = ranks - np.average(ranks, weights=weights), np.bincount(places, weights)
    between = float((np.bincount(places, weights * apart) ** 2 / sizes).sum())
    statistic = between / float((weights * apart**2).sum()) * (n - 1)
    return statistic, float(chi2.sf(statistic, len(segments) - 1)), n


def associate_groups(columns: NDArray[np.int64], counts: NDArray[Any]) -> Association | None:
    """Measure how far shares of levels differ between segments.

    Parameters
    ----------
    columns : ndarray of int, shape (c,)
        Segments of the columns; the unassigned, 0, do not count.
    counts : ndarray, shape (levels, c)
        With survey weights, their sums, scaled to the effective size.

    Returns
    -------
    Association or None
        None where fewer than two segments or levels are left.
    """
    from scipy.stats import chi2_contingency

    counts = counts[:, columns > 0]
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    if min(counts.shape) < 2:
        return None
    effect = cramers_v(counts)
    w = effect * float(np.sqrt(min(counts.shape) - 1))
    tested: Any = chi2_contingency(counts, correction=False)
    return Association("chi-square", "V", effect, _word(w, W_BOUNDS), float(tested.pvalue))


def _word(effect: float, bounds: tuple[float, ...]) -> str:
    return SIZES[int(np.searchsorted(bounds, effect, side="right"))]


def _corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """The same with Holm's correction: the smallest of m p-values times m, the next times m - 1, never falling."""
    order = sorted((i for i, c in enumerate(contrasts) if c.p is not None), key=lambda i: contrasts[i].p or 0.0)
    least, corrected = 0.0, list(contrasts)
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * (contrasts[i].p or 0.0)))
        corrected[i] = replace(contrasts[i], p=least)
    return corrected
