"""Gaussian mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.clustering.algorithms.fits import PUBLISHED, Algorithm, Counts, Fit, Matrix, distances
from analysis.clustering.algorithms.lloyd import Rows, fit_starts

RIDGE = 0.01
"""Added to the variances of a mixture, in squared scaled units, so that a value that many share is no spike. Chosen for
this project."""
AS_LIKELY = 1e-4
"""Part of their mean log likelihood by which two mixtures differ at most that count as one."""
SHORT_RUNS, SHORT_ROUNDS, MOST_FINISHED = 6, 8, 3
"""Short runs of a published mixture, their rounds, and how many are taken to their end at most."""
FEW_STARTS, MORE_STARTS = 3, 3
"""Starts of a resampled k-means above which a resampled mixture, too, has several, and how many."""
SETTLED, ROUGHLY, MOST_ROUNDS = 1e-3, 1e-2, 200
"""Gain of the mean log likelihood in a round at which a mixture has settled, if it has several starts or one, and
rounds at most."""


@dataclass(frozen=True, slots=True)
class _Ellipses:
    """k Gaussian components: means (k, p), Cholesky factors of their precisions (k, p, p) and weights (k,)."""

    means: Matrix
    shapes: Matrix
    shares: Matrix


def fit_mixture(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Fit Gaussian mixtures by expectation and maximisation, as `Algorithm.fit` says.

    scikit-learn's mixture finds the same from the same start; with some hundred rows, where it spends most of its time
    on checks, in two to three times as long.
    """
    weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
    if n_init >= PUBLISHED:
        best = [_likeliest(matrix, weights, k, seed) for k in ks]
    else:
        n_starts, tolerance = (MORE_STARTS, SETTLED) if n_init > FEW_STARTS else (1, ROUGHLY)
        drawn = [fit_starts(matrix, ks, seed + start, 1, 1e-3, counts) for start in range(n_starts)]
        best = [_best_of(matrix, weights, each, tolerance) for each in zip(*drawn, strict=True)]
    if n_init <= FEW_STARTS:
        return tuple(map(_as_fit, best))
    return tuple(replace(_as_fit(each), bic=_bic(matrix, weights, each)) for each in best)


def _best_of(matrix: Matrix, weights: Matrix, starts: Sequence[Matrix], tolerance: float) -> _Ellipses:
    """Go on from the groups around each of several sets of centres, and take the likeliest mixture."""
    runs = [_climb(matrix, weights, _near(matrix, weights, each), tolerance, MOST_ROUNDS) for each in starts]
    return max(runs, key=lambda run: run[1])[0]


def _likeliest(matrix: Matrix, weights: Matrix, k: int, seed: int) -> _Ellipses:
    """Fit a mixture from the most promising of several short runs, until the best was found twice.

    Half of the runs start from k-means and half from rows that lie apart, as either alone misses what the other finds
    (Biernacki, Celeux and Govaert 2003).
    """
    rng = np.random.default_rng((seed, k))
    half = SHORT_RUNS // 2
    rows = Rows(matrix, weights)
    apart = rows.draw(k, half, rng) + rows.mean
    centres = rows.settle(rows.draw(k, half, rng), 1e-4)[1] + rows.mean
    starts = [_near(matrix, weights, each) for each in centres]
    narrow = np.tile(np.eye(matrix.shape[1]) / RIDGE**0.5, (k, 1, 1))
    starts += [_Ellipses(each, narrow, np.full(k, 1 / k)) for each in apart]
    runs = sorted((_climb(matrix, weights, start, 0.0, SHORT_ROUNDS) for start in starts), key=lambda run: -run[1])
    found: list[tuple[_Ellipses, float]] = []
    for ellipses, _ in runs[:MOST_FINISHED]:
        found.append(_climb(matrix, weights, ellipses, SETTLED, MOST_ROUNDS))
        best = max(likely for _, likely in found)
        if sum(likely >= best - AS_LIKELY * abs(best) for _, likely in found) >= 2:
            break
    return max(found, key=lambda run: run[1])[0]


def _near(matrix: Matrix, weights: Matrix, centres: Matrix) -> _Ellipses:
    """Start from the customers nearest to each centre."""
    nearest = distances(matrix, centres).argmin(axis=1)
    return _maximise(matrix, (np.arange(len(centres))[:, None] == nearest) * weights)


def _climb(
    matrix: Matrix, weights: Matrix, ellipses: _Ellipses, tolerance: float, rounds: int
) -> tuple[_Ellipses, float]:
    """Go on until the mean log likelihood gains less than ``tolerance`` in a round; return the last one, too."""
    before = -np.inf
    for _ in range(rounds):
        joint = _log_joint(matrix, ellipses)
        chance = _logsumexp(joint)
        ellipses = _maximise(matrix, np.exp(joint - chance) * weights)
        likely = float(chance @ weights / weights.sum())
        if abs(likely - before) < tolerance:
            return ellipses, likely
        before = likely
    return ellipses, before


def _log_joint(matrix: Matrix, ellipses: _Ellipses) -> Matrix:
    """Log of the density of each component and each customer together, shape (k, n)."""
    k, p = ellipses.means.shape
    turned = matrix @ ellipses.shapes.transpose(1, 0, 2).reshape(p, k * p)
    turned -= (ellipses.means[:, None] @ ellipses.shapes).ravel()
    turned = turned.reshape(-1, k, p)
    level = np.log(np.diagonal(ellipses.shapes, axis1=1, axis2=2)).sum(axis=1) + np.log(ellipses.shares)
    return (level - p / 2 * np.log(2 * np.pi))[:, None] - np.einsum("nkp,nkp->kn", turned, turned) / 2


def _maximise(matrix: Matrix, member: Matrix) -> _Ellipses:
    """Take means, shapes and shares of k components over the weights that customers have in them, shape (k, n)."""
    sizes = member.sum(axis=1) + 10 * np.finfo(float).eps
    means = member @ matrix / sizes[:, None]
    spreads = np.empty((*means.shape, means.shape[1]))
    for spread, mean, each, size in zip(spreads, means, member, sizes, strict=True):
        apart = matrix - mean
        np.divide((apart * each[:, None]).T @ apart, size, out=spread)
    spreads += RIDGE * np.eye(means.shape[1])
    shapes = np.linalg.inv(np.linalg.cholesky(spreads)).transpose(0, 2, 1)
    return _Ellipses(means, np.asarray(shapes, float), sizes / sizes.sum())


def _logsumexp(joint: Matrix) -> Matrix:
    """Log of the sum over components, shape (n,)."""
    highest = joint.max(axis=0)
    return highest + np.log(np.exp(joint - highest).sum(axis=0))


def _as_fit(ellipses: _Ellipses) -> Fit:
    return Fit(ellipses.means, shapes=ellipses.shapes, shares=ellipses.shares)


def _bic(matrix: Matrix, weights: Matrix, ellipses: _Ellipses) -> float:
    k, p = ellipses.means.shape
    parameters = k * (p + p * (p + 1) / 2) + k - 1
    likely = float(_logsumexp(_log_joint(matrix, ellipses)) @ weights)
    return -2 * likely + parameters * float(np.log(weights.sum()))


MIXTURE = Algorithm(
    name="mixture",
    title="Gaussian mixture",
    about="k ellipses of any direction and size, overlapping; everyone goes to the likeliest.",
    places="to the likeliest ellipse",
    cost="grows with n",
    fit=fit_mixture,
    takes_k=True,
    simplicity=3,
    resample_rows=1_000,
)
