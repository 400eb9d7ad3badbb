"""Uncertainty of a segment's figures: what they are when customers are resampled and segments are made again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.base.weights import Weights
from analysis.clustering.algorithms import Labels
from analysis.clustering.resample import Refits

Values = NDArray[np.float64]

PERCENTILES_FROM = 100
"""Refits from which an interval runs between their percentiles; of fewer, it is Student's t times their spread."""
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Figures of every refit.

    Attributes
    ----------
    means : ndarray, shape (draws, k, p)
        Means of the known values of each segment; NaN where a refit has no such segment.
    everyone, spread : ndarray, shape (draws, p)
        Means and standard deviations over all customers.
    shares : ndarray, shape (draws, k)
        Shares of customers.
    shrink : float
        Factor of deviations from the published figures.
    """

    means: Values
    everyone: Values
    spread: Values
    shares: Values
    shrink: float


def redraw(values: Values, refits: Refits, k: int) -> Redrawn:
    """Compute means and shares of the refitted segments over the resampled customers.

    Parameters
    ----------
    values : ndarray, shape (m, p)
        NaN where unknown.
    refits : Refits
        Of the same m customers.
    k : int
        Published segments.

    Returns
    -------
    Redrawn
        In time O(draws m k p).
    """
    centre = np.nanmean(values, axis=0)
    # Sums of squares around the mean lose no digits.
    filled = np.nan_to_num(values - centre)
    squares, known = filled**2, (~np.isnan(values)).astype(float)
    numbers = np.arange(1, k + 1)[:, None]
    draws, p = len(refits.labels), values.shape[1]
    means, everyone, spread = np.empty((draws, k, p)), np.empty((draws, p)), np.empty((draws, p))
    shares = np.empty((draws, k))
    for i, (labels, counts) in enumerate(zip(refits.labels, refits.counts, strict=True)):
        weights = counts.astype(float)
        inside = (labels == numbers) * weights
        n_known, all_known = inside @ known, np.maximum(weights @ known, 1.0)
        means[i] = np.divide(inside @ filled, n_known, out=np.full((k, p), np.nan), where=n_known > 0)
        everyone[i] = weights @ filled / all_known
        spread[i] = np.sqrt(np.maximum(weights @ squares / all_known - everyone[i] ** 2, 0.0))
        shares[i] = inside.sum(axis=1) / weights.sum()
    return Redrawn(means + centre, everyone + centre, spread, shares, refits.shrink)


def interval(drawn: Values, published: Values, shrink: float = 1.0) -> tuple[Values, Values]:
    """Return the ends of 95% intervals around published figures.

    Parameters
    ----------
    drawn : ndarray, shape (draws, ...)
        The figures of each refit; NaN where it has none.
    published : ndarray, shape (...)
    shrink : float, optional
        Factor of the deviations.

    Returns
    -------
    low, high : ndarray, shape (...)
        Percentiles of the refits; of few refits, Student's t. The published figure is always inside.
    """
    from scipy.stats import t as student

    apart = (drawn - published) * shrink
    n = np.isfinite(apart).sum(axis=0)
    apart = np.where(n > 0, apart, 0.0)
    if len(drawn) >= PERCENTILES_FROM:
        low, high = np.nanpercentile(apart, [50 - 50 * LEVEL, 50 + 50 * LEVEL], axis=0)
        return published + np.minimum(low, 0.0), published + np.maximum(high, 0.0)
    half = student.ppf((1 + LEVEL) / 2, np.maximum(n - 1, 1)) * np.sqrt(np.nanmean(apart**2, axis=0))
    return published - half, published + half


def share_intervals(
    redrawn: Redrawn, labels: Labels, worth: Values, weights: Weights = None
) -> tuple[tuple[Values, Values], ...]:
    """Return the ends of 95% intervals of the segments' shares of customers, and of their shares of the value.

    Parameters
    ----------
    redrawn : Redrawn
        Its last column is ``worth``.
    labels : ndarray of int, shape (n,)
    worth : ndarray, shape (n,)
    weights : ndarray, shape (n,), optional
        Of a survey.
    """
    n, valued = (len(labels), worth) if weights is None else (weights.sum(), worth * weights)
    counts, sums = np.bincount(labels, weights)[1:], np.bincount(labels, weights=valued)[1:]
    whole, total = redrawn.everyone[:, -1:], valued.sum()
    parts = np.divide(
        redrawn.means[:, :, -1] * redrawn.shares, whole, out=np.zeros_like(redrawn.shares), where=whole != 0
    )
    sizes = interval(redrawn.shares, counts / n, redrawn.shrink)
    values = interval(parts, sums / (total or 1.0), redrawn.shrink)
    return tuple((np.maximum(low, 0.0), high) for low, high in (sizes, values))
