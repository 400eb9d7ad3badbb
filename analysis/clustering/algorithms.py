"""Clustering algorithms in one table; each can fit customers and assign new ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN, HDBSCAN, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from analysis.clustering.knees import knee, neighbour_curve
from analysis.clustering.lloyd import SAME, fit_starts, search_best
from analysis.features.prepare import Blocks

Matrix = NDArray[np.float64]
Labels = NDArray[np.int16]
Counts = NDArray[np.int64]

SAMPLE_ROWS = 5_000
"""Quadratic methods fit on a seeded sample above this many customers."""
RIDGE = 0.01
"""Added to the variances of a mixture, in squared scaled units, so that a value that many share is no spike. Chosen for
this project."""
LEAST_DENSE = 0.03
"""Smallest share of customers that HDBSCAN calls a group; the size rule of the decision."""
PUBLISHED = 20
"""Starts from which a fit is a published one, which looks for the best solution."""
LEAST_STARTS = 20
"""Starts of published k-prototypes at least; no more are made once the best solution was found twice."""
AS_LIKELY = 1e-4
"""Part of their mean log likelihood by which two mixtures differ at most that count as one."""
SHORT_RUNS, SHORT_ROUNDS, MOST_FINISHED = 6, 8, 3
"""Short runs of a published mixture, their rounds, and how many are taken to their end at most."""
MOST_ROUNDS = 100
"""Rounds after which k-prototypes stops where customers still change sides. Chosen for this project."""
REACH = 0.95
"""HDBSCAN's rule for new customers reaches as far as this share of its members lie from their m-th neighbour. Chosen
for this project."""


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
        Of a mixture; lower is better.
    members : ndarray of int, shape (n,), optional
        Segments of the fitted rows by the method itself, where its rule may place some elsewhere; 0 = not fitted on.
    """

    centres: Matrix
    points: Matrix | None = None
    point_labels: Labels | None = None
    radius: float | None = None
    shapes: Matrix | None = None
    shares: Matrix | None = None
    bic: float | None = None
    members: Labels | None = None

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.centres)

    def assign(self, matrix: Matrix) -> Labels:
        """Segment 1..k of each customer, shape (n,); 0 where a density method leaves it unassigned."""
        if self.points is None or self.point_labels is None:
            return (self.costs(matrix).argmin(axis=1) + 1).astype(np.int16)
        near = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(self.points)
        distance, index = near.kneighbors(matrix)
        return np.where(distance[:, 0] <= self.radius, self.point_labels[index[:, 0]], 0).astype(np.int16)

    def costs(self, matrix: Matrix) -> Matrix:
        """What the rule makes smallest, shape (n, k): squared distance; for a mixture -2 log of the joint density."""
        if self.shapes is None or self.shares is None:
            return distances(matrix, self.centres)
        columns = [
            (((matrix - centre) @ shape) ** 2).sum(axis=1) - 2 * np.log(np.diag(shape)).sum() - 2 * np.log(share)
            for centre, shape, share in zip(self.centres, self.shapes, self.shares, strict=True)
        ]
        return np.column_stack(columns)

    def by_size(self, matrix: Matrix) -> Fit:
        """The same solution with segment 1 the largest over these customers."""
        counts = np.bincount(self.assign(matrix), minlength=self.k + 1)[1:]
        order = np.lexsort((np.arange(self.k), -counts))
        new_label = np.empty(self.k + 1, dtype=np.int16)
        new_label[0] = 0
        new_label[order + 1] = np.arange(1, self.k + 1)
        return replace(
            self,
            centres=self.centres[order],
            point_labels=None if self.point_labels is None else new_label[self.point_labels],
            shapes=None if self.shapes is None else self.shapes[order],
            shares=None if self.shares is None else self.shares[order],
            members=None if self.members is None else new_label[self.members],
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
        density method ignores ``ks`` and gives at most one. ``counts`` says how often each row stands in the data.
    takes_k : bool
    simplicity : int
        Rank by ease of explaining and scoring, 1 is simplest.
    resample_rows : int
        Most rows of a resampled fit.
    shares_work : bool
        Whether one run gives every number of segments.
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


def _kmeans(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    if n_init >= PUBLISHED:
        return tuple(Fit(search_best(matrix, k, seed, n_init, counts)) for k in ks)
    # Resampled fits, which have the fewer starts, stop earlier: they are compared by whom they put together.
    tolerance = 1e-4 if n_init > 3 else 1e-3
    return tuple(map(Fit, fit_starts(matrix, ks, seed, n_init, tolerance, counts)))


def find_twice(start: Callable[[int], tuple[float, Fit]], most: int, least: int = LEAST_STARTS) -> Fit:
    """Make starts until the best solution was found twice.

    Parameters
    ----------
    start : callable
        ``start(number)`` gives the cost of a solution, the less the better, and the solution.
    most, least : int
        Starts at most, and at least.

    Examples
    --------
    >>> costs = iter([5.0, 3.0, 4.0, 3.0, 2.0])
    >>> find_twice(lambda number: (next(costs), number), most=9, least=2)
    1
    """
    costs: list[float] = []
    best: Fit | None = None
    for number in range(most):
        cost, found = start(number)
        if best is None or cost < min(costs):
            best = found
        costs.append(cost)
        near = min(costs) + SAME * abs(min(costs))
        if len(costs) >= least and sum(each <= near for each in costs) >= 2:
            break
    assert best is not None
    return best


def _kprototypes(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None, blocks: Blocks = ()
) -> tuple[Fit, ...]:
    weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
    fits = []

    def start(k: int, number: int) -> tuple[float, Fit]:
        seeds = kmeans_plusplus(matrix, k, sample_weight=weights, random_state=seed + number)[0]
        centres, cost = _prototypes(matrix, weights, seeds, blocks)
        return cost, Fit(centres)

    for k in ks:
        least = n_init if n_init < PUBLISHED else LEAST_STARTS
        fits.append(find_twice(partial(start, k), n_init, least))
    return tuple(fits)


def _prototypes(matrix: Matrix, weights: Matrix, centres: Matrix, blocks: Blocks) -> tuple[Matrix, float]:
    """Means and commonest levels, shape (k, p), once no customer changes cluster; and the cost of all customers."""
    k, levels = len(centres), [matrix[:, start:stop].max(initial=0.0) for start, stop in blocks]
    labels = np.full(len(matrix), -1)
    for _ in range(MOST_ROUNDS):
        apart = distances(matrix, centres)
        before, labels = labels, apart.argmin(axis=1)
        # A prototype that nobody is nearest to starts anew where someone is farthest from theirs.
        for empty in np.setdiff1d(np.arange(k), labels):
            row = (weights * apart[np.arange(len(labels)), labels]).argmax()
            labels[row], apart[row] = empty, 0.0
        if (labels == before).all():
            break
        member = coo_array((weights, (labels, np.arange(len(labels)))), shape=(k, len(labels))).tocsr()
        sums = member @ matrix
        centres = sums / np.maximum(np.bincount(labels, weights, k), 1e-12)[:, None]
        for (start, stop), level in zip(blocks, levels, strict=True):
            commonest = sums[:, start:stop].argmax(axis=1)
            centres[:, start:stop] = 0.0
            centres[np.arange(k), start + commonest] = np.where(sums[:, start:stop].any(axis=1), level, 0.0)
    return centres, float((weights * distances(matrix, centres).min(axis=1)).sum())


def _ward(matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None) -> tuple[Fit, ...]:
    at = _repeated(matrix, counts)
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


def _mixture(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    rows = matrix[_repeated(matrix, counts)]
    fits = []
    for k in ks:
        many = n_init > 3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            if n_init >= PUBLISHED:
                model = _likeliest(rows, k, seed)
            else:
                tol, starts = (1e-3, 3) if many else (1e-2, 1)
                model = GaussianMixture(k, reg_covar=RIDGE, tol=tol, max_iter=200, n_init=starts, random_state=seed)
                model.fit(rows)
        bic = float(model.bic(rows)) if many else None
        fits.append(Fit(np.asarray(model.means_), shapes=model.precisions_cholesky_, shares=model.weights_, bic=bic))
    return tuple(fits)


def _likeliest(rows: Matrix, k: int, seed: int) -> GaussianMixture:
    """Fit a mixture from the most promising of several short runs, until the best was found twice.

    Half of the runs start from k-means and half from rows that lie apart, as either alone misses what the other finds
    (Biernacki, Celeux and Govaert 2003).
    """
    how: Any = {"reg_covar": RIDGE, "tol": 1e-9, "max_iter": SHORT_ROUNDS, "warm_start": True}
    runs = [
        GaussianMixture(k, init_params=way, random_state=seed + run, **how).fit(rows)
        for run in range(SHORT_RUNS // 2)
        for way in ("kmeans", "k-means++")
    ]
    runs.sort(key=lambda model: -float(model.lower_bound_))
    likelihoods: list[float] = []
    for model in runs[:MOST_FINISHED]:
        likelihoods.append(float(model.set_params(tol=1e-3, max_iter=200).fit(rows).lower_bound_))
        best = max(likelihoods)
        if sum(each >= best - AS_LIKELY * abs(best) for each in likelihoods) >= 2:
            break
    return runs[int(np.argmax(likelihoods))]


def _repeated(matrix: Matrix, counts: Counts | None) -> NDArray[np.intp]:
    """Row numbers, each as often as it counts."""
    return np.arange(len(matrix)) if counts is None else np.repeat(np.arange(len(matrix)), counts)


def _cut(tree: Matrix, k: int) -> NDArray[np.int32]:
    """Group 0..k-1 of each row after the first n - k merges; exactly k also where merges cost the same."""
    n = len(tree) + 1
    children = tree[: n - k, :2].astype(np.int64).T.ravel()
    parents = np.tile(np.arange(n, 2 * n - k), 2)
    joined = coo_array((np.ones(len(children)), (children, parents)), shape=(2 * n - k, 2 * n - k))
    return connected_components(joined, directed=False)[1][:n]


def _dbscan(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    at = _repeated(matrix, counts)
    rows = matrix[at[sample_rows(len(at), SAMPLE_ROWS, seed)]]
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


def _hdbscan(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    at = _repeated(matrix, counts)
    rows = matrix[at[sample_rows(len(at), SAMPLE_ROWS, seed)]]
    m = min(max(5, 2 * rows.shape[1]), len(rows) - 1)
    least = max(round(LEAST_DENSE * len(rows)), 5)
    own_copy: Any = True  # scikit-learn's own type says text
    labels = HDBSCAN(min_cluster_size=least, min_samples=m, copy=own_copy).fit_predict(rows)
    if labels.max() < 0:
        return ()
    own = rows[labels >= 0]
    distance, _ = NearestNeighbors(n_neighbors=min(m + 1, len(own))).fit(own).kneighbors(own)
    centres = np.vstack([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    reach = float(np.quantile(distance[:, -1], REACH))
    return (Fit(centres, own, (labels[labels >= 0] + 1).astype(np.int16), reach),)


_CENTRE = "to the nearest centre"
_NEIGHBOUR = "with the nearest dense customer, unassigned where none is near"

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm(
            "kmeans",
            "k-means",
            "Nearest of k centres; k-means++ starts.",
            _CENTRE,
            "grows with n",
            _kmeans,
            True,
            1,
            10_000,
        ),
        Algorithm(
            "kprototypes",
            "k-prototypes",
            "Nearest of k prototypes: means of numbers, the commonest level of categories.",
            "to the nearest prototype",
            "grows with n",
            _kprototypes,
            True,
            2,
            2_000,
        ),
        Algorithm(
            "mixture",
            "Gaussian mixture",
            "k ellipses of any direction and size, overlapping; everyone goes to the likeliest.",
            "to the likeliest ellipse",
            "grows with n",
            _mixture,
            True,
            3,
            1_000,
        ),
        Algorithm(
            "ward",
            "Ward",
            "Merges the two groups whose union costs least; nearest centre for everyone.",
            _CENTRE,
            "grows with n², so on a sample at most",
            _ward,
            True,
            4,
            1_500,
            shares_work=True,
        ),
        Algorithm(
            "dbscan",
            "DBSCAN",
            "Dense regions of any shape; customers in sparse regions stay unassigned.",
            _NEIGHBOUR,
            "grows with n², so on a sample at most",
            _dbscan,
            False,
            5,
            1_500,
            shares_work=True,
        ),
        Algorithm(
            "hdbscan",
            "HDBSCAN",
            "Regions that are dense against what surrounds them; the rest stays unassigned.",
            _NEIGHBOUR,
            "grows with n², so on a sample at most",
            _hdbscan,
            False,
            6,
            1_500,
            shares_work=True,
        ),
    )
}
"""The algorithms, by name. A new one is one more row."""


def competing(blocks: Blocks) -> dict[str, Algorithm]:
    """The algorithms for a matrix with these categories; k-prototypes is k-means where there are none, and left out."""
    bound = replace(ALGORITHMS["kprototypes"], fit=partial(_kprototypes, blocks=blocks))
    return {name: bound if name == bound.name else a for name, a in ALGORITHMS.items() if blocks or name != bound.name}
