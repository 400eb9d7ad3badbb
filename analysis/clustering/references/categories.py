"""Natural must be nameable: a split along one discrete column is a category, and each segment must differ readably."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analysis.clustering.algorithms import Labels, Matrix, segment_means
from analysis.clustering.references.clouds import is_lumped
from analysis.features.prepare import Blocks, list_numbers

MOST_LEVELS = 8
"""Values up to which a column counts as discrete. Chosen for this project."""
TELLS_ALL = 0.98
"""Least share of memberships that the levels of one column give back where segments are a category. Chosen for this
project."""
READABLE = 0.5
"""Least difference of means, in standard deviations, that a reader notices: a medium effect (Cohen 1988)."""


def find_category(labels: Labels, features: Matrix, blocks: Blocks) -> int | None:
    """Find the one column whose levels are the segments, where no other feature differs between them.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        0 = unassigned, who are left out.
    features : ndarray, shape (n, p)
        Scaled features.
    blocks : tuple of (int, int)
        Columns that are the levels of a category.

    Returns
    -------
    int or None
        First column of the feature.
    """
    inside = labels > 0
    labels, features = labels[inside], features[inside]
    k = int(labels.max(initial=0))
    if k < 2:
        return None
    apart = np.ptp(segment_means(features, labels, k), axis=0) / _spread(features)
    for start, stop, levels in _discrete(features, blocks):
        table = np.zeros((int(levels.max()) + 1, k + 1))
        np.add.at(table, (levels, labels), 1)
        others = np.delete(apart, np.s_[start:stop])
        named = set(table.argmax(axis=1).tolist()) == set(range(1, k + 1))
        if named and table.max(axis=1).sum() >= TELLS_ALL * len(labels) and (others < READABLE).all():
            return start
    return None


def all_differ(labels: Labels, features: Matrix) -> bool:
    """Whether each segment differs from all other customers by :data:`READABLE` or more in some feature."""
    inside = labels > 0
    labels, features = labels[inside], features[inside]
    k, n = int(labels.max(initial=0)), len(labels)
    sizes = np.bincount(labels, minlength=k + 1)[1:, None]
    means = segment_means(features, labels, k)
    rest = (features.sum(axis=0) - sizes * means) / np.maximum(n - sizes, 1)
    return bool((np.abs(means - rest) / _spread(features)).max(axis=1, initial=0.0).min(initial=np.inf) >= READABLE)


def _spread(features: Matrix) -> Matrix:
    spread = features.std(axis=0)
    return np.where(spread > 0, spread, np.inf)


def _discrete(features: Matrix, blocks: Blocks) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Columns of each discrete feature and its level of each customer; a lump and the rest are two levels."""
    for start, stop in blocks:
        level = features[:, start:stop]
        yield start, stop, np.where(level.any(axis=1), level.argmax(axis=1), stop - start)
    for j in list_numbers(features.shape[1], blocks):
        values, level, counts = np.unique(features[:, j], return_inverse=True, return_counts=True)
        if len(values) <= MOST_LEVELS:
            yield j, j + 1, level
        elif is_lumped(features[:, j]):
            yield j, j + 1, (level == counts.argmax()).astype(np.intp)
