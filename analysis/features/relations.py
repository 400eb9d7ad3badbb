"""Relations between variables: Spearman correlations and Cramér's V."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.features.build import FeatureTable, Variable
from analysis.features.select import spearman

MOST_RELATED = 30
"""Variables that a map of relations shows: those with the strongest relation to any other. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Relations:
    """How strongly variables go together, row by row, in an order that puts like beside like.

    Attributes
    ----------
    labels : tuple of str, length m
        At most :data:`MOST_RELATED`.
    rows : tuple of tuple of float, shape (m, m)
        Symmetric, 1 on the diagonal; None where too few customers have both values.
    n_variables : int
        All that were compared.
    """

    labels: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]
    n_variables: int


def correlate(table: FeatureTable) -> Relations:
    """Compute Spearman correlations of features and numeric descriptors, with pairwise complete customers."""
    chosen = [v for v in table.of("feature", "descriptor") if not v.categorical and table.frame[v.name].nunique() > 1]
    return _strongest(chosen, spearman(table.frame[[v.name for v in chosen]])[0] if chosen else np.eye(0))


def associate(table: FeatureTable, min_cell: int) -> Relations:
    """Compute Cramér's V between categories and yes/no variables, outcomes included.

    Levels of fewer than ``min_cell`` customers count as one. O(n p²).
    """
    chosen, codes = [], []
    for variable in table.variables:
        if variable.categorical or variable.unit == "yes_no":
            found = _level_codes(table.frame[variable.name], min_cell)
            if found.max(initial=-1) > 0:
                chosen.append(variable)
                codes.append(found)
    matrix = np.eye(len(chosen))
    for i, first in enumerate(codes):
        for j, second in enumerate(codes[:i]):
            matrix[i, j] = matrix[j, i] = cramers_v(_crosstab(first, second))
    return _strongest(chosen, matrix)


def cramers_v(counts: NDArray[np.int64]) -> float:
    """Compute Cramér's V of a contingency table with bias correction (Bergsma 2013).

    Parameters
    ----------
    counts : ndarray, shape (r, c)
        Rows and columns without a count are left out.

    Returns
    -------
    float
        0 (independent) to 1; 0 where either side has one level.

    References
    ----------
    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T.

    Examples
    --------
    >>> cramers_v(np.array([[30, 0], [0, 30]])), cramers_v(np.array([[20, 20], [20, 20]]))
    (1.0, 0.0)
    """
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    n, (r, c) = counts.sum(), counts.shape
    if n < 2 or min(r, c) < 2:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = float(((counts - expected) ** 2 / expected).sum() / n)
    above = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    r, c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(above / max(min(r, c) - 1, 1e-12))))


def _level_codes(values: pd.Series, min_cell: int) -> NDArray[np.int64]:
    """A number for each level, shape (n,); -1 where there is none."""
    counts = values.value_counts()
    numbers = {level: i for i, level in enumerate(counts.index[counts >= min_cell])}
    rare = len(numbers)
    return np.where(values.isna(), -1, values.map(numbers).fillna(rare)).astype(np.int64)


def _crosstab(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    known = (first >= 0) & (second >= 0)
    width = int(second.max()) + 1
    cells = np.bincount(first[known] * width + second[known], minlength=(int(first.max()) + 1) * width)
    return cells.reshape(-1, width)


def _strongest(chosen: Sequence[Variable], matrix: NDArray[np.float64]) -> Relations:
    """The variables most related to any other, clustered (average linkage on 1 - |r|)."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    measured = np.nan_to_num(matrix)
    strength = np.abs(measured - np.diag(np.diag(measured))).max(axis=1, initial=0)
    order = np.sort(np.argsort(-strength, kind="stable")[:MOST_RELATED])
    if len(order) > 2:
        strongest = measured[np.ix_(order, order)]
        apart = np.clip(1 - np.abs((strongest + strongest.T) / 2), 0, None)
        np.fill_diagonal(apart, 0)
        order = order[leaves_list(linkage(squareform(apart, checks=False), "average"))]
    rows = matrix[np.ix_(order, order)]
    cells = tuple(tuple(None if np.isnan(r) else float(r) for r in row) for row in rows)
    return Relations(tuple(chosen[i].label for i in order), cells, len(chosen))
