"""Customers without groups who stand in for a study's own: shuffled features, and one cloud of the same columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import hermite_e
from scipy.special import gammaln

from analysis.base.run import USERS, Effort
from analysis.clustering.algorithms import Algorithm, Matrix
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.resample import agreements, draw_labels, silhouettes, summarise
from analysis.features.prepare import Blocks, list_numbers, principal_axes

LUMP = 0.3
"""Share of customers from which one value that they have in common makes a feature lumped, as a yes/no answer or an
amount that is often zero is: cutting it at the lump looks like a group. Chosen for this project."""
_ORDERS = 20
"""Terms of the expansion that tells how much a lump weakens a correlation."""


def permuted_stability(
    features: Matrix,
    blocks: Blocks,
    n_axes: int,
    algorithm: Algorithm,
    ks: tuple[int, ...],
    starts: int,
    seed: tuple[int, ...],
    effort: Effort = USERS,
) -> list[float]:
    """Median stability for each k after each feature was permuted on its own, so that nothing hangs together.

    The levels of a category, which stand in ``blocks`` of columns, go together.
    Where the study clusters in its first ``n_axes`` principal components (else 0), so do the permuted features.
    """
    rng = np.random.default_rng((*seed, 1))
    shuffled: Matrix = rng.permuted(features, axis=0)
    for start, stop in blocks:
        shuffled[:, start:stop] = rng.permutation(features[:, start:stop])
    with one_thread():
        if n_axes:
            shuffled = np.ascontiguousarray(shuffled @ principal_axes(shuffled, n_axes))
    return _stabilities(shuffled, algorithm, ks, starts, (*seed, 1), effort)


def cloud_stability(
    gaussian: Gaussian, rows: int, algorithm: Algorithm, k: int, starts: int, seed: tuple[int, ...], effort: Effort
) -> float:
    """Median stability of k segments of so many customers drawn from one cloud."""
    cloud = gaussian.draw(rows, np.random.default_rng((*seed, 6)))
    return _stabilities(cloud, algorithm, (k,), starts, (*seed, 6), effort)[0]


def _stabilities(
    points: Matrix, algorithm: Algorithm, ks: tuple[int, ...], starts: int, seed: tuple[int, ...], effort: Effort
) -> list[float]:
    """Median stability for each k of customers without groups."""
    draws = draw_labels(points, points, algorithm, ks, starts, [(*seed, draw) for draw in range(2 * effort.null_pairs)])
    return [summarise(agreements([draw[i].labels for draw in draws])).median for i in range(len(ks))]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """One Gaussian group that stands in for customers without segments.

    Attributes
    ----------
    mean : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
        Where columns are lumped, of the normal variables that they are thresholds of.
    highest : ndarray, shape (p,)
        Largest value of each feature.
    blocks : tuple of (int, int)
        Columns that are the levels of a category.
    lumps : dict of int to ndarray, shape (n,)
        Sorted values of each column that is lumped, of which :data:`LUMP` of the customers share one.
    """

    mean: Matrix
    covariance: Matrix
    highest: Matrix
    blocks: Blocks
    lumps: dict[int, Matrix]

    @classmethod
    def of(cls, clean: Matrix, blocks: Blocks) -> Gaussian:
        """Take mean and covariance from customers, shape (n, p)."""
        return cls(clean.mean(axis=0), np.atleast_2d(np.cov(clean.T)), clean.max(axis=0), blocks, {})

    def with_lumps(self, clean: Matrix) -> Gaussian:
        """Return the same cloud with the lumped columns of customers, shape (n, p), that are no category's levels."""
        single = list_numbers(clean.shape[1], self.blocks)
        lumps = {j: np.sort(clean[:, j]) for j in single if is_lumped(clean[:, j])}
        return replace(self, covariance=_before_thresholds(self.covariance, lumps), lumps=lumps) if lumps else self

    def draw(self, rows: int, rng: np.random.Generator) -> Matrix:
        """Draw customers, shape (rows, p).

        Of each category a customer has the level with the largest coordinate; a lumped column has the values of the
        data, in the order of its coordinate.
        """
        from scipy.stats import norm

        cloud = rng.multivariate_normal(self.mean, self.covariance, rows)
        for start, stop in self.blocks:
            level = start + cloud[:, start:stop].argmax(axis=1)
            cloud[:, start:stop] = 0.0
            cloud[np.arange(rows), level] = self.highest[level]
        for j, values in self.lumps.items():
            place = norm.cdf(cloud[:, j], self.mean[j], np.sqrt(self.covariance[j, j]))
            cloud[:, j] = values[np.minimum((place * len(values)).astype(int), len(values) - 1)]
        return cloud


def is_lumped(values: Matrix) -> bool:
    """Whether at least :data:`LUMP` of the customers, shape (n,), share one value and not all do."""
    counts = np.unique(values, return_counts=True)[1]
    return bool(len(counts) > 1 and counts.max() >= LUMP * len(values))


def _before_thresholds(covariance: Matrix, lumps: dict[int, Matrix]) -> Matrix:
    """Covariance of the normal variables that give the correlations of the data once lumps are made of them.

    The correlation of two functions of normal variables with correlation r is a power series in r, whose terms are
    products of the functions' Hermite coefficients (Mehler's formula).
    """
    from scipy.stats import norm

    p, sd = len(covariance), np.sqrt(np.diag(covariance))
    terms = np.zeros((p, _ORDERS))
    terms[:, 0] = 1.0
    for j, values in lumps.items():
        at = norm.ppf((np.arange(len(values)) + 0.5) / len(values))
        waves = hermite_e.hermevander(at, _ORDERS)[:, 1:] / np.exp(gammaln(np.arange(2, _ORDERS + 2)) / 2)
        terms[j] = ((values - values.mean()) / values.std()) @ waves / len(values)
    known = covariance / np.outer(sd, sd)
    steps = np.linspace(-0.99, 0.99, 199)
    powers = steps[:, None] ** np.arange(1, _ORDERS + 1)
    latent = known.copy()
    for i, j in zip(*np.triu_indices(p, 1), strict=True):
        if i in lumps or j in lumps:
            latent[i, j] = latent[j, i] = np.interp(known[i, j], powers @ (terms[i] * terms[j]), steps)
    # Correlations that were found pair by pair need not fit together.
    size, axes = np.linalg.eigh(latent)
    latent = (axes * np.maximum(size, 1e-6)) @ axes.T
    latent /= np.sqrt(np.outer(np.diag(latent), np.diag(latent)))
    return latent * np.outer(sd, sd)


def gaussian_silhouette(
    gaussian: Gaussian, rows: int, algorithm: Algorithm, k: int, seed: tuple[int, ...], effort: Effort = USERS
) -> float:
    """Cluster customers drawn from one Gaussian by the same method, and give their mean silhouette."""
    rng = np.random.default_rng((*seed, 2))
    with one_thread():
        cloud = gaussian.draw(rows, rng)
        fits = algorithm.fit(cloud, (k,), int(rng.integers(2**31)), effort.starts_null, None)
        if not fits:
            return 0.0
        (each,) = silhouettes(cloud, [fits[0].assign(cloud)])
        return float(np.nanmean(each)) if np.isfinite(each).any() else 0.0
