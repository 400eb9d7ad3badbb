"""Gaussian mixture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

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

MOST_KEPT, AT_ONCE = 40_000_000, 100_000
"""Numbers that are kept while a mixture is fitted, where more are made again in each round, and those of a block."""


@dataclass(frozen=True, slots=True)
class _Customers:
    """Customers to fit: their features, shape (n, p), and weights, shape (n,).

    The log of an ellipse's density is linear in the products of two features each, the features, and 1. With these as
    terms, densities and moments are matrix products.

    Attributes
    ----------
    matrix, weights : ndarray
    blocks : tuple of (slice, ndarray of shape (terms, rows))
        Some customers each; empty where they are too many to be kept.
    """

    matrix: Matrix
    weights: Matrix
    blocks: tuple[tuple[slice, Matrix], ...]

    @classmethod
    def of(cls, matrix: Matrix, counts: Counts | None) -> _Customers:
        """Prepare customers who count as often as ``counts`` says."""
        weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
        n, p = matrix.shape
        few = n * (p + 1) * (p + 2) // 2 <= MOST_KEPT
        return cls(matrix, weights, tuple(_cut(matrix)) if few else ())

    def parts(self) -> Iterable[tuple[slice, Matrix]]:
        """Give the terms of some customers after the other, and who they are."""
        return self.blocks or _cut(self.matrix)


def _cut(matrix: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Cut customers into blocks that stay in the processor's cache, and list their terms."""
    first, second = _pairs(matrix.shape[1])
    step = max(AT_ONCE // len(first), 250)
    for start in range(0, len(matrix), step):
        part = slice(start, start + step)
        tall = np.ascontiguousarray(matrix[part].T)
        yield part, np.concatenate([tall[first] * tall[second], tall, np.ones((1, tall.shape[1]))])


def _pairs(p: int) -> tuple[Any, Any]:
    """Number the two features of each product."""
    return np.triu_indices(p)


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
    customers = _Customers.of(matrix, counts)
    if n_init >= PUBLISHED:
        best = [_likeliest(customers, k, seed) for k in ks]
    else:
        n_starts, tolerance = (MORE_STARTS, SETTLED) if n_init > FEW_STARTS else (1, ROUGHLY)
        drawn = [fit_starts(matrix, ks, seed + start, 1, 1e-3, counts) for start in range(n_starts)]
        best = [_best_of(customers, each, tolerance) for each in zip(*drawn, strict=True)]
    if n_init <= FEW_STARTS:
        return tuple(map(_as_fit, best))
    return tuple(replace(_as_fit(each), bic=_bic(customers, each)) for each in best)


def _best_of(customers: _Customers, starts: Sequence[Matrix], tolerance: float) -> _Ellipses:
    """Go on from the groups around each of several sets of centres, and take the likeliest mixture."""
    runs = [_climb(customers, _near(customers, each), tolerance, MOST_ROUNDS) for each in starts]
    return max(runs, key=lambda run: run[1])[0]


def _likeliest(customers: _Customers, k: int, seed: int) -> _Ellipses:
    """Fit a mixture from the most promising of several short runs, until the best was found twice.

    Half of the runs start from k-means and half from rows that lie apart, as either alone misses what the other finds
    (Biernacki, Celeux and Govaert 2003).
    """
    rng = np.random.default_rng((seed, k))
    half = SHORT_RUNS // 2
    rows = Rows(customers.matrix, customers.weights)
    apart = rows.draw(k, half, rng) + rows.mean
    centres = rows.settle(rows.draw(k, half, rng), 1e-4)[1] + rows.mean
    starts = [_near(customers, each) for each in centres]
    narrow = np.tile(np.eye(customers.matrix.shape[1]) / RIDGE**0.5, (k, 1, 1))
    starts += [_Ellipses(each, narrow, np.full(k, 1 / k)) for each in apart]
    runs = sorted((_climb(customers, start, 0.0, SHORT_ROUNDS) for start in starts), key=lambda run: -run[1])
    found: list[tuple[_Ellipses, float]] = []
    for ellipses, _ in runs[:MOST_FINISHED]:
        found.append(_climb(customers, ellipses, SETTLED, MOST_ROUNDS))
        best = max(likely for _, likely in found)
        if sum(likely >= best - AS_LIKELY * abs(best) for _, likely in found) >= 2:
            break
    return max(found, key=lambda run: run[1])[0]


def _near(customers: _Customers, centres: Matrix) -> _Ellipses:
    """Start from the customers nearest to each centre."""
    nearest = distances(customers.matrix, centres).argmin(axis=1)
    member = (np.arange(len(centres))[:, None] == nearest) * customers.weights
    return _maximise(np.sum([member[:, part] @ terms.T for part, terms in customers.parts()], axis=0))


def _climb(customers: _Customers, ellipses: _Ellipses, tolerance: float, rounds: int) -> tuple[_Ellipses, float]:
    """Go on until the mean log likelihood gains less than ``tolerance`` in a round; return the last one, too."""
    before, weights = -np.inf, customers.weights
    for _ in range(rounds):
        linear, likely, sums = _write_linear(ellipses), 0.0, 0.0
        for part, terms in customers.parts():
            joint = linear @ terms
            chance = _logsumexp(joint)
            joint -= chance
            member = np.exp(joint, out=joint)
            member *= weights[part]
            sums = sums + member @ terms.T
            likely += float(chance @ weights[part])
        ellipses, likely = _maximise(sums), likely / weights.sum()
        if abs(likely - before) < tolerance:
            return ellipses, likely
        before = likely
    return ellipses, before


def _write_linear(ellipses: _Ellipses) -> Matrix:
    """Write the log density of each component as factors of the terms, shape (k, terms)."""
    means, shapes = ellipses.means, ellipses.shapes
    p = means.shape[1]
    precise = shapes @ shapes.transpose(0, 2, 1)
    first, second = _pairs(p)
    squares = precise[:, first, second] * np.where(first == second, -0.5, -1.0)
    turned = (precise @ means[:, :, None])[:, :, 0]
    level = np.log(np.diagonal(shapes, axis1=1, axis2=2)).sum(axis=1) + np.log(ellipses.shares)
    level -= p / 2 * np.log(2 * np.pi) + (turned * means).sum(axis=1) / 2
    return np.concatenate([squares, turned, level[:, None]], axis=1)


def _maximise(sums: Any) -> _Ellipses:
    """Take means, shapes and shares of k components over the sums of the terms of their customers, shape (k, terms)."""
    sizes = sums[:, -1] + 10 * np.finfo(float).eps
    p = round((2 * sums.shape[1] + 0.25) ** 0.5 - 1.5)
    first, second = _pairs(p)
    moments = sums[:, :-1] / sizes[:, None]
    means = np.ascontiguousarray(moments[:, len(first) :])
    spreads = np.empty((len(means), p, p))
    spreads[:, first, second] = moments[:, : len(first)] - means[:, first] * means[:, second]
    spreads[:, second, first] = spreads[:, first, second]
    spreads += RIDGE * np.eye(p)
    shapes = np.linalg.inv(np.linalg.cholesky(spreads)).transpose(0, 2, 1)
    return _Ellipses(means, np.asarray(shapes, float), sizes / sizes.sum())


def _logsumexp(joint: Matrix) -> Matrix:
    """Log of the sum over components, shape (n,)."""
    highest = joint.max(axis=0)
    return highest + np.log(np.exp(joint - highest).sum(axis=0))


def _as_fit(ellipses: _Ellipses) -> Fit:
    return Fit(ellipses.means, shapes=ellipses.shapes, shares=ellipses.shares)


def _bic(customers: _Customers, ellipses: _Ellipses) -> float:
    k, p = ellipses.means.shape
    parameters = k * (p + p * (p + 1) / 2) + k - 1
    linear = _write_linear(ellipses)
    each = (_logsumexp(linear @ terms) @ customers.weights[part] for part, terms in customers.parts())
    likely = float(sum(each))
    return -2 * likely + parameters * float(np.log(customers.weights.sum()))


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
