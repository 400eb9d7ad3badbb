"""k-prototypes: means of numbers, the commonest level of categories."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.sparse import coo_array

from analysis.clustering.algorithms.fits import PUBLISHED, Algorithm, Counts, Fit, Matrix, distances
from analysis.clustering.algorithms.lloyd import SAME
from analysis.features.prepare import Blocks

LEAST_STARTS = 20
"""Starts of published k-prototypes at least; no more are made once the best solution was found twice."""
MOST_ROUNDS = 100
"""Rounds after which k-prototypes stops where customers still change sides. Chosen for this project."""


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


def fit_kprototypes(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None, blocks: Blocks = ()
) -> tuple[Fit, ...]:
    """Fit k-prototypes, as `Algorithm.fit` says; ``blocks`` are the columns of each category."""
    weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
    fits = []

    def start(k: int, number: int) -> tuple[float, Fit]:
        from sklearn.cluster import kmeans_plusplus

        # pyrefly: ignore[unexpected-keyword]
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


KPROTOTYPES = Algorithm(
    name="kprototypes",
    title="k-prototypes",
    about="Nearest of k prototypes: means of numbers, the commonest level of categories.",
    places="to the nearest prototype",
    cost="grows with n",
    fit=fit_kprototypes,
    takes_k=True,
    simplicity=2,
    resample_rows=2_000,
)
