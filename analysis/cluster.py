"""The candidates: one table of algorithms; each fits and each can assign customers it has never seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN, KMeans
from sklearn.neighbors import NearestNeighbors

Matrix = NDArray[np.float64]
Labels = NDArray[np.int16]

SAMPLE_ROWS = 5_000
"""Quadratic methods fit on a seeded sample above this many customers."""
RESAMPLE_ROWS = 3_000
"""Rows of a resample for quadratic methods."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted solution and its rule for new customers.

    Attributes
    ----------
    centres : ndarray, shape (k, p)
        Means of the segments, 1..k in the order of the rows.
    points : ndarray, shape (m, p), optional
        Core points of a density method.
    point_labels : ndarray of int, shape (m,), optional
        Their segments.
    radius : float, optional
        Largest distance to a core point at which a customer still belongs to its segment.
    """

    centres: Matrix
    points: Matrix | None = None
    point_labels: Labels | None = None
    radius: float | None = None

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.centres)

    def assign(self, matrix: Matrix) -> Labels:
        """Segment 1..k of each customer, shape (n,); 0 where a density method leaves it unassigned."""
        if self.points is None or self.point_labels is None:
            return (distances(matrix, self.centres).argmin(axis=1) + 1).astype(np.int16)
        near = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(self.points)
        distance, index = near.kneighbors(matrix)
        return np.where(distance[:, 0] <= self.radius, self.point_labels[index[:, 0]], 0).astype(np.int16)

    def by_size(self, matrix: Matrix) -> Fit:
        """The same solution with segment 1 the largest over these customers."""
        counts = np.bincount(self.assign(matrix), minlength=self.k + 1)[1:]
        order = np.lexsort((np.arange(self.k), -counts))
        new_label = np.empty(self.k + 1, dtype=np.int16)
        new_label[0] = 0
        new_label[order + 1] = np.arange(1, self.k + 1)
        labels = None if self.point_labels is None else new_label[self.point_labels]
        return Fit(self.centres[order], self.points, labels, self.radius)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A row of the table of algorithms.

    ``fit(matrix, ks, seed, n_init)`` gives one :class:`Fit` for each number of segments in ``ks``; a density
    method ignores ``ks`` and gives one.
    """

    name: str
    title: str
    about: str
    fit: Callable[[Matrix, tuple[int, ...], int, int], tuple[Fit, ...]]
    takes_k: bool
    quadratic: bool
    simplicity: int


def distances(matrix: Matrix, centres: Matrix) -> Matrix:
    """Squared Euclidean distances, shape (n, k), never negative."""
    cross = matrix @ centres.T
    squared = (matrix**2).sum(axis=1)[:, None] - 2 * cross + (centres**2).sum(axis=1)[None, :]
    return np.maximum(squared, 0)


def sample_rows(n: int, most: int, seed: int) -> NDArray[np.intp]:
    """Row numbers of a seeded sample without replacement, sorted; all rows where ``n <= most``."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def neighbour_curve(matrix: Matrix) -> Matrix:
    """Distance of each customer to its m-th neighbour, ascending; m = 2 x features, at least 5."""
    m = min(max(5, 2 * matrix.shape[1]), len(matrix) - 1)
    distance, _ = NearestNeighbors(n_neighbors=m + 1).fit(matrix).kneighbors(matrix)
    return np.sort(distance[:, -1])


def knee(curve: Matrix) -> int:
    """Index of the point of a monotone curve that is farthest from the chord between its ends."""
    x = np.linspace(0, 1, len(curve))
    span = curve[-1] - curve[0]
    y = (curve - curve[0]) / span if span else np.zeros_like(curve)
    return int(np.abs(y - x).argmax())


def _kmeans(matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int) -> tuple[Fit, ...]:
    starts: Any = n_init  # scikit-learn's own type says text only
    return tuple(
        Fit(KMeans(k, n_init=starts, random_state=seed).fit(matrix).cluster_centers_.astype(float)) for k in ks
    )


def _ward(matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int) -> tuple[Fit, ...]:
    rows = matrix[sample_rows(len(matrix), SAMPLE_ROWS, seed)]
    tree = linkage(rows, "ward")
    fits = []
    for k in ks:
        member = _cut(tree, k)
        counts = np.bincount(member)
        sums = np.column_stack([np.bincount(member, weights=feature) for feature in rows.T])
        fits.append(Fit(sums / counts[:, None]))
    return tuple(fits)


def _cut(tree: Matrix, k: int) -> NDArray[np.int32]:
    """Group 0..k-1 of each row after the first n - k merges; exactly k also where merges cost the same."""
    n = len(tree) + 1
    children = tree[: n - k, :2].astype(np.int64).T.ravel()
    parents = np.tile(np.arange(n, 2 * n - k), 2)
    joined = coo_array((np.ones(len(children)), (children, parents)), shape=(2 * n - k, 2 * n - k))
    return connected_components(joined, directed=False)[1][:n]


def _dbscan(matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int) -> tuple[Fit, ...]:
    rows = matrix[sample_rows(len(matrix), SAMPLE_ROWS, seed)]
    curve = neighbour_curve(rows)
    radius = float(curve[knee(curve)])
    if radius <= 0:
        return ()
    found = DBSCAN(eps=radius, min_samples=min(max(5, 2 * rows.shape[1]), len(rows) - 1) + 1).fit(rows)
    core = found.core_sample_indices_
    if not len(core):
        return ()
    labels = found.labels_
    centres = np.vstack([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    return (Fit(centres, rows[core], (labels[core] + 1).astype(np.int16), radius),)


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("kmeans", "k-means", "Nearest of k centres; k-means++ starts.", _kmeans, True, False, 1),
        Algorithm(
            "ward",
            "Ward",
            "Merges the two groups whose union costs least; nearest centre for everyone.",
            _ward,
            True,
            True,
            2,
        ),
        Algorithm(
            "dbscan",
            "DBSCAN",
            "Dense regions of any shape; customers in sparse regions stay unassigned.",
            _dbscan,
            False,
            True,
            3,
        ),
    )
}
"""The algorithms that compete, by name. A new one is one more row."""
