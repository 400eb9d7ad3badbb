"""Whether what did not form the segments differs between them: tests, corrected, with the size of the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cluster import Labels
from analysis.features import FeatureTable, Variable
from analysis.relations import cramers_v
from analysis.select import NEAR_COPY, spearman

Counted = tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]
"""Levels, the labels of the columns, and counts of shape (levels, columns)."""
SIZES = ("negligible", "small", "medium", "large")
"""Words for the size of a difference."""
W_BOUNDS, ETA_BOUNDS = (0.1, 0.3, 0.5), (0.0099, 0.0588, 0.1379)
"""From where on a difference is small, medium and large: of w, and of the share of the variance of ranks.

Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd edition, chapters 7 and 8.
"""
SAMPLED = 20_000
"""Customers by whom near-copies of the features are told. Ours."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A descriptor or outcome against the segments.

    Attributes
    ----------
    variable : str
    test : str
        Kruskal-Wallis or chi-square.
    measure : str
        Of the effect: ε² (share of the variance of ranks) or V (Cramér's, corrected for its bias).
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


def count_levels(values: pd.Series, labels: Labels, min_cell: int) -> Counted | None:
    """Customers by level and segment; the rarest levels are merged until no cell is small.

    Returns
    -------
    Counted or None
        None where fewer than two levels remain.
    """
    codes, names = pd.factorize(values.fillna("Unknown").astype(str))
    columns, places = np.unique(labels, return_inverse=True)
    table = np.bincount(codes * len(columns) + places, minlength=len(names) * len(columns)).reshape(-1, len(columns))
    rare = (table.sum(axis=1) < min_cell) | (np.asarray(names) == "Other")
    rows = dict(zip(map(str, names[~rare]), table[~rare], strict=True))
    levels = sorted(rows, key=lambda level: (-int(rows[level].sum()), level))
    if rare.any():
        levels, rows = [*levels, "Other"], {**rows, "Other": table[rare].sum(axis=0)}
    counts = np.vstack([rows[level] for level in levels])
    while len(levels) > 1 and ((counts > 0) & (counts < min_cell)).any():
        levels = [*levels[:-2], "Other"]
        counts = np.vstack([counts[:-2], counts[-2] + counts[-1]])
    return (tuple(levels), columns.astype(int), counts) if len(levels) > 1 else None


def find_contrasts(
    table: FeatureTable,
    labels: Labels,
    forming: Sequence[Variable],
    counted: Mapping[str, Counted],
    hidden: Iterable[str],
    keys: frozenset[str] = frozenset(),
) -> tuple[Contrast, ...]:
    """Test every descriptor and outcome against the segments, largest effects first.

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
    O(n log n) a variable. Epsilon squared is H / (n - 1), as in Tomczak and Tomczak (2014).
    """
    if int(labels.max(initial=0)) < 2:
        return ()
    used = {column for variable in forming for column in (variable.name, *variable.columns)} - keys
    kept = labels > 0
    veiled = set(hidden)
    sample = np.flatnonzero(kept)[:: max(1, int(kept.sum()) // SAMPLED)]
    numbers = [v.name for v in table.variables if not v.categorical]
    similar = np.abs(spearman(table.frame[numbers].iloc[sample])[0])
    near = dict(zip(numbers, similar[:, [numbers.index(v.name) for v in forming if v.name in numbers]], strict=True))
    found: list[Contrast] = []
    for variable in table.of("descriptor", "outcome"):
        name, values = variable.name, table.frame[variable.name][kept]
        if name in veiled or (variable.categorical and name not in counted):
            continue
        result = _chi_square(counted[name]) if name in counted else _kruskal_wallis(values, labels[kept])
        if result is None:
            continue
        circular = name in used or bool(used.intersection(variable.columns))
        if not circular and not variable.categorical:
            circular = bool((near[name] >= NEAR_COPY).any())
        test, measure, effect, size, p = result
        found.append(Contrast(name, test, measure, effect, size, None if circular else p))
    return tuple(sorted(_corrected(found), key=lambda c: (-SIZES.index(c.size), -c.effect)))


def _kruskal_wallis(values: pd.Series, labels: Labels) -> tuple[str, str, float, str, float] | None:
    from scipy.stats import kruskal

    known = values.notna().to_numpy()
    numbers, groups = values.to_numpy(float)[known], labels[known]
    samples = [numbers[groups == segment] for segment in np.unique(groups)]
    if len(samples) < 2 or numbers.min() == numbers.max():
        return None
    statistic, p = kruskal(*samples)
    effect = float(min(1.0, statistic / (len(numbers) - 1)))
    return "Kruskal-Wallis", "ε²", effect, _word(effect, ETA_BOUNDS), float(p)


def _chi_square(counted: Counted) -> tuple[str, str, float, str, float] | None:
    from scipy.stats import chi2_contingency

    counts = counted[2][:, counted[1] > 0]
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    if min(counts.shape) < 2:
        return None
    effect = cramers_v(counts)
    w = effect * float(np.sqrt(min(counts.shape) - 1))
    tested: Any = chi2_contingency(counts, correction=False)
    return "chi-square", "V", effect, _word(w, W_BOUNDS), float(tested.pvalue)


def _word(effect: float, bounds: tuple[float, ...]) -> str:
    return SIZES[int(np.searchsorted(bounds, effect, side="right"))]


def _corrected(found: Sequence[Contrast]) -> list[Contrast]:
    """The same with Holm's correction: the smallest of m p-values times m, the next times m - 1, never falling."""
    order = sorted((i for i, c in enumerate(found) if c.p is not None), key=lambda i: found[i].p or 0.0)
    least, corrected = 0.0, list(found)
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * (found[i].p or 0.0)))
        corrected[i] = replace(found[i], p=least)
    return corrected
