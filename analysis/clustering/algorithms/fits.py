"""What every clustering algorithm gives: a fitted solution with its rule for new customers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.weights import Weights, as_counts

Matrix = NDArray[np.float64]
Labels = NDArray[np.int16]
Counts = NDArray[np.int64] | NDArray[np.float64]
"""How often each row stands in the data, or its survey weight, with a mean of 1."""

SAMPLE_ROWS = 5_000
"""Quadratic methods fit on a seeded sample above this many customers."""
PUBLISHED = 20
"""Starts from which a fit is a published one, which looks for the best solution."""
TO_CENTRE = "to the nearest centre"
TO_NEIGHBOUR = "with the nearest dense customer, unassigned where none is near"
QUADRATIC = "grows with n², so on a sample at most"


@dataclass(frozen=True, slots=True)
class Classes:
    """What a latent class solution has beyond its means.

    Attributes
    ----------
    points : ndarray, shape (k, p)
        The nearest of them is the likeliest class; half the difference of two squared distances is that of the log
        probabilities.
    aic3 : float
        Lower is better (Bozdogan 1993).
    entropy_r2 : float
        How well classes are separated, 0 to 1 (Vermunt and Magidson 2005).
    error : float
        Share of customers expected to be in another class than the likeliest.
    """

    points: Matrix
    aic3: float
    entropy_r2: float
    error: float


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
    shapes : ndarray, shape (k, p, p), optional
        Cholesky factors of the precisions of a mixture.
    shares : ndarray, shape (k,), optional
        Its mixing weights.
    bic : float, optional
        Of a mixture or of latent classes; lower is better.
    members : ndarray of int, shape (n,), optional
        Segments of the fitted rows by the method itself, where its rule may place some elsewhere; 0 = not fitted on.
    classes : Classes, optional
        Of latent class analysis.
    """

    centres: Matrix
    points: Matrix | None = None
    point_labels: Labels | None = None
    radius: float | None = None
    shapes: Matrix | None = None
    shares: Matrix | None = None
    bic: float | None = None
    members: Labels | None = None
    classes: Classes | None = None

    @property
    def nearest(self) -> Matrix:
        """Points, shape (k, p), of which the nearest is a customer's segment where the rule goes by one distance."""
        return self.centres if self.classes is None else self.classes.points

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.centres)

    def assign(self, matrix: Matrix) -> Labels:
        """Segment 1..k of each customer, shape (n,); 0 where a density method leaves it unassigned."""
        if self.points is None or self.point_labels is None:
            return (self.costs(matrix).argmin(axis=1) + 1).astype(np.int16)
        from sklearn.neighbors import NearestNeighbors

        near = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(self.points)
        distance, index = near.kneighbors(matrix)
        return np.where(distance[:, 0] <= self.radius, self.point_labels[index[:, 0]], 0).astype(np.int16)

    def costs(self, matrix: Matrix) -> Matrix:
        """What the rule makes smallest, shape (n, k): squared distance; for a mixture -2 log of the joint density.

        For latent classes differences are those of -2 log of the joint probability.
        """
        if self.shapes is None or self.shares is None:
            return distances(matrix, self.nearest)
        columns = [
            (((matrix - centre) @ shape) ** 2).sum(axis=1) - 2 * np.log(np.diag(shape)).sum() - 2 * np.log(share)
            for centre, shape, share in zip(self.centres, self.shapes, self.shares, strict=True)
        ]
        return np.column_stack(columns)

    def by_size(self, matrix: Matrix, weights: Weights = None) -> Fit:
        """The same solution with segment 1 the largest over these customers."""
        return self.in_order(order_by_size(self.assign(matrix), self.k, weights))

    def in_order(self, order: NDArray[np.intp]) -> Fit:
        """The same solution with its segments in this order of rows."""
        new_label = renumber(order)
        return replace(
            self,
            centres=self.centres[order],
            point_labels=None if self.point_labels is None else new_label[self.point_labels],
            shapes=None if self.shapes is None else self.shapes[order],
            shares=None if self.shares is None else self.shares[order],
            members=None if self.members is None else new_label[self.members],
            classes=self.classes and replace(self.classes, points=self.classes.points[order]),
        )


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A row of the table of algorithms.

    Attributes
    ----------
    name, title, about : str
    places : str
        How a new customer is placed.
    cost : str
        How the work grows with the number of customers.
    fit : callable
        ``fit(matrix, ks, seed, n_init, counts)`` gives one :class:`Fit` for each number of segments in ``ks``; a
        density method ignores ``ks`` and gives at most one. ``counts`` says how often each row stands in the data, or
        its survey weight; Ward and density methods take those as whole counts.
    takes_k : bool
    simplicity : int
        Rank by ease of explaining and scoring, 1 is simplest.
    resample_rows : int
        Most rows of a resampled fit.
    shares_work : bool
        Whether one run gives every number of segments.
    sampled : bool
        Whether it is fitted on a sample of `SAMPLE_ROWS` customers where there are more.
    """

    name: str
    title: str
    about: str
    places: str
    cost: str
    fit: Callable[[Matrix, tuple[int, ...], int, int, Counts | None], tuple[Fit, ...]]
    takes_k: bool
    simplicity: int
    resample_rows: int
    shares_work: bool = False
    sampled: bool = False


def order_by_size(labels: Labels, k: int, weights: Weights = None) -> NDArray[np.intp]:
    """Rows of k segments, the one with the most customers, or with the largest sum of weights, first."""
    return np.lexsort((np.arange(k), -np.bincount(labels, weights, minlength=k + 1)[1:]))


def renumber(order: NDArray[np.intp]) -> Labels:
    """The new number of each segment 0..k where they stand in this order of rows; 0 stays."""
    numbers = np.zeros(len(order) + 1, dtype=np.int16)
    numbers[order + 1] = np.arange(1, len(order) + 1)
    return numbers


def segment_means(matrix: Matrix, labels: Labels, k: int) -> Matrix:
    """Mean of each segment 1..k, shape (k, p)."""
    return np.array([matrix[labels == j].mean(axis=0) for j in range(1, k + 1)])


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


def repeat_rows(matrix: Matrix, counts: Counts | None) -> NDArray[np.intp]:
    """Row numbers, each as often as it counts; weights are made whole."""
    if counts is None:
        return np.arange(len(matrix))
    whole: NDArray[Any] = as_counts(counts.astype(float)) if counts.dtype == np.float64 else counts
    return np.repeat(np.arange(len(matrix)), whole)
