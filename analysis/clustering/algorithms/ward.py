"""Ward's hierarchical clustering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.clustering.algorithms.fits import (
    QUADRATIC,
    SAMPLE_ROWS,
    TO_CENTRE,
    Algorithm,
    Counts,
    Fit,
    Matrix,
    repeat_rows,
    sample_rows,
)


def fit_ward(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Cut one tree at each number of segments, as `Algorithm.fit` says."""
    at = repeat_rows(matrix, counts)
    at = at[sample_rows(len(at), SAMPLE_ROWS, seed)]
    rows = matrix[at]
    tree = linkage(rows, "ward")
    fits = []
    for k in ks:
        member = _cut(tree, k)
        sizes = np.bincount(member)
        sums = np.column_stack([np.bincount(member, weights=feature) for feature in rows.T])
        members = np.zeros(len(matrix), dtype=np.int16)
        members[at] = member + 1
        fits.append(Fit(sums / sizes[:, None], members=members))
    return tuple(fits)


def _cut(tree: Matrix, k: int) -> NDArray[np.int32]:
    """Group 0..k-1 of each row after the first n - k merges; exactly k also where merges cost the same."""
    n = len(tree) + 1
    children = tree[: n - k, :2].astype(np.int64).T.ravel()
    parents = np.tile(np.arange(n, 2 * n - k), 2)
    joined = coo_array((np.ones(len(children)), (children, parents)), shape=(2 * n - k, 2 * n - k))
    return connected_components(joined, directed=False)[1][:n]


WARD = Algorithm(
    name="ward",
    title="Ward",
    about="Merges the two groups whose union costs least; nearest centre for everyone.",
    places=TO_CENTRE,
    cost=QUADRATIC,
    fit=fit_ward,
    takes_k=True,
    simplicity=4,
    resample_rows=1_500,
    shares_work=True,
    sampled=True,
)
