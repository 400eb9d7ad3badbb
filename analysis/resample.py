"""The heavy work of the evidence, side by side: bootstrap fits, null references, measures of one solution."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
)
from threadpoolctl import ThreadpoolController

from analysis.cluster import ALGORITHMS, RESAMPLE_ROWS, Fit, Labels, Matrix

N_INIT, N_INIT_RESAMPLE = 10, 3
"""k-means starts of published and of resampled fits."""
NULL_DRAWS, NULL_PAIRS = 20, 5
"""Null references, and pairs of bootstrap samples in each."""


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> contextlib.AbstractContextManager[object]:
    """Limit numeric libraries to one thread, so that the number of cores changes no digit."""
    return _controller().limit(limits=1)


@dataclass(frozen=True, slots=True)
class Stability:
    """Adjusted Rand index over pairs of bootstrap samples: five-number summary without the extremes."""

    median: float
    q1: float
    q3: float
    p5: float
    p95: float
    pairs: int


def jaccard(reference: Labels, other: Labels, k: int) -> NDArray[np.float64]:
    """For each segment 1..k of ``reference``, its largest Jaccard similarity with any segment of ``other``."""
    width = int(other.max()) + 1
    table = np.bincount(reference.astype(np.int64) * width + other, minlength=(k + 1) * width)
    table = table[: (k + 1) * width].reshape(k + 1, width).astype(float)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    return np.divide(table, union, out=np.zeros_like(table), where=union > 0)[1:, 1:].max(axis=1, initial=0.0)


def agreements(draws: list[Labels]) -> list[float]:
    """Adjusted Rand index of each pair: the first draw with the second, the third with the fourth."""
    return [float(adjusted_rand_score(a, b)) for a, b in zip(draws[::2], draws[1::2], strict=True)]


def summarise(agreement: list[float]) -> Stability:
    """Quantiles of the agreements; all 0 where there are none."""
    if not agreement:
        return Stability(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    p5, q1, median, q3, p95 = np.percentile(agreement, [5, 25, 50, 75, 95])
    return Stability(float(median), float(q1), float(q3), float(p5), float(p95), len(agreement))


def fit_solutions(clean: Matrix, name: str, ks: tuple[int, ...], seed: int) -> tuple[Fit, ...]:
    """The published fits of one algorithm."""
    with one_thread():
        return ALGORITHMS[name].fit(clean, ks, seed, N_INIT)


def measure(
    clean: Matrix, fit: Fit, labels: Labels, sample: NDArray[np.intp]
) -> tuple[float, float, float, float, float]:
    """WCSS, mean silhouette and its standard error, Calinski-Harabasz, Davies-Bouldin over the clean core."""
    inside = labels > 0
    squared = float(((clean[inside] - fit.centres[labels[inside] - 1]) ** 2).sum())
    rows = sample[inside[sample]]
    x, y = clean[rows], labels[rows]
    if len(np.unique(y)) < 2:
        return squared, 0.0, 0.0, 0.0, 0.0
    with one_thread():
        each = np.asarray(silhouette_samples(x, y))
    error = float(each.std() / np.sqrt(len(each))) if len(sample) < len(clean) else 0.0
    return (
        squared,
        float(each.mean()),
        error,
        float(calinski_harabasz_score(clean[inside], labels[inside])),
        float(davies_bouldin_score(clean[inside], labels[inside])),
    )


def draw_labels(
    clean: Matrix, matrix: Matrix, name: str, ks: tuple[int, ...], seeds: list[tuple[int, ...]]
) -> list[list[Labels]]:
    """Fit a bootstrap sample of the clean core for each seed; assign all customers, for each k."""
    with one_thread():
        return [_draw(clean, matrix, name, ks, seed) for seed in seeds]


def _draw(clean: Matrix, matrix: Matrix, name: str, ks: tuple[int, ...], seed: tuple[int, ...]) -> list[Labels]:
    algorithm = ALGORITHMS[name]
    rng = np.random.default_rng((*seed, 0))
    rows = min(len(clean), RESAMPLE_ROWS) if algorithm.quadratic else len(clean)
    sample = clean[np.sort(rng.integers(0, len(clean), rows))]
    fits = algorithm.fit(sample, ks, int(rng.integers(2**31)), N_INIT_RESAMPLE)
    if algorithm.takes_k:
        return [fit.assign(matrix) for fit in fits]
    labels = fits[0].assign(matrix) if fits else np.zeros(len(matrix), dtype=np.int16)
    return [labels for _ in ks]


def permuted_stability(clean: Matrix, name: str, ks: tuple[int, ...], seed: tuple[int, ...]) -> list[float]:
    """Median stability for each k after each column was permuted on its own, so that nothing hangs together."""
    rng = np.random.default_rng((*seed, 1))
    shuffled: Matrix = rng.permuted(clean, axis=0)
    with one_thread():
        draws = [_draw(shuffled, shuffled, name, ks, (*seed, 1, draw)) for draw in range(2 * NULL_PAIRS)]
    return [summarise(agreements([draw[i] for draw in draws])).median for i in range(len(ks))]


def gaussian_silhouette(mean: Matrix, covariance: Matrix, rows: int, name: str, k: int, seed: tuple[int, ...]) -> float:
    """Silhouette of the same method on one Gaussian with the data's mean and covariance."""
    rng = np.random.default_rng((*seed, 2))
    with one_thread():
        cloud = rng.multivariate_normal(mean, covariance, rows)
        fits = ALGORITHMS[name].fit(cloud, (k,), int(rng.integers(2**31)), N_INIT_RESAMPLE)
        labels = fits[0].assign(cloud) if fits else np.zeros(rows, dtype=np.int16)
        inside = labels > 0
        if len(np.unique(labels[inside])) < 2:
            return 0.0
        return float(np.mean(np.asarray(silhouette_samples(cloud[inside], labels[inside]))))
