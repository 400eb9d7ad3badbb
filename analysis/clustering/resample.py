"""Parallel computations behind the evidence: bootstrap fits, reference data without groups, quality measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from analysis.base.weights import Weights, effective_size, sum_by
from analysis.clustering.algorithms import ALGORITHMS, Algorithm, Fit, Labels, Matrix, distances, sample_rows
from analysis.clustering.algorithms.threads import one_thread

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """Who the evidence was gathered on.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Row numbers of the customers, sorted.
    agreement : float
        Adjusted Rand index of all customers' segments with those that the same method finds in another sample of the
        same size: what a sample in place of everyone costs.
    """

    rows: NDArray[np.intp]
    agreement: float


@dataclass(frozen=True, slots=True)
class Stability:
    """Adjusted Rand index over pairs of bootstrap samples: five-number summary without the extremes."""

    median: float
    q1: float
    q3: float
    p5: float
    p95: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Result of one bootstrap fit.

    Attributes
    ----------
    labels : ndarray of int, shape (n judged,)
        Segment of each customer by the rule of the fit.
    members : ndarray of int, shape (n clean,), optional
        The method's own groups of the customers that were drawn, 0 = not drawn.
    """

    labels: Labels
    members: Labels | None


@dataclass(frozen=True, slots=True)
class Refits:
    """The published solution made again from resampled customers, its segments numbered as the published ones.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Row numbers of the customers that are looked at: all, or a seeded sample.
    labels : ndarray of int, shape (draws, m)
        Segment of each in each refit, 1..k; 0 = unassigned, or in a group that no published segment is matched with.
    counts : ndarray of int, shape (draws, m)
        How often each was drawn into the resample.
    shrink : float
        By what deviations from the published figures are multiplied, at most 1: resamples of fewer customers than
        there are vary more, with one over the root of their size.
    """

    rows: NDArray[np.intp]
    labels: Labels
    counts: NDArray[np.uint8]
    shrink: float


def draw_rows(
    n: int, rows: int, seed: tuple[int, ...], weights: Weights = None
) -> tuple[np.random.Generator, NDArray[np.intp]]:
    """Draw a bootstrap sample: the generator for what follows, and how often each of n customers was drawn.

    With survey weights, each is drawn with a probability in proportion to its weight.
    """
    rng = np.random.default_rng((*seed, 0))
    drawn = rng.integers(0, n, rows) if weights is None else rng.choice(n, rows, p=weights / weights.sum())
    return rng, np.bincount(drawn, minlength=n)


def count_draws(n: int, weights: Weights) -> int:
    """Return how many customers a bootstrap sample has: all, or as many as survey weights make them worth.

    The mean of so many draws in proportion to weights varies as the weighted mean does by Kish's design effect.
    """
    return n if weights is None else max(2, round(effective_size(weights)))


def match_refits(
    published: Labels,
    draws: Sequence[Labels],
    compared: NDArray[np.intp],
    core: NDArray[np.bool_],
    most_rows: int,
    seed: int,
    weights: Weights = None,
) -> Refits:
    """Number the segments of each refit as the published ones that they share most resampled customers with.

    Parameters
    ----------
    published : ndarray of int, shape (n,)
    draws : sequence of ndarray of int, shape (m,)
        Segments of the compared customers by the rule of each refit; its place is the number that seeded it.
    compared : ndarray of int, shape (m,)
    core : ndarray of bool, shape (n,)
        The customers that resamples are drawn from. Everyone else is drawn beside them at the same rate, independently.
    most_rows : int
        Customers in a resample at most.
    seed : int
    weights : ndarray, shape (n,), optional
        Of a survey.
    """
    n_clean, k = int(core.sum()), int(published.max())
    own = None if weights is None else weights[core]
    n_draws = count_draws(n_clean, own)
    rows = min(n_draws, most_rows)
    rate = rows / n_clean if weights is None or own is None else rows * weights / own.sum()
    labels = np.zeros((len(draws), len(compared)), dtype=np.int16)
    counts = np.zeros(labels.shape, dtype=np.uint8)
    for i, drawn in enumerate(draws):
        rng, clean = draw_rows(n_clean, rows, (seed, i), own)
        everyone = rng.poisson(rate, len(published))
        everyone[core] = clean
        counts[i] = np.minimum(everyone[compared], 255)
        table = np.zeros((k + 1, int(drawn.max()) + 1))
        np.add.at(table, (published[compared], drawn), counts[i])
        ours, theirs = linear_sum_assignment(table[1:, 1:], maximize=True)
        number = np.zeros(table.shape[1], dtype=np.int16)
        number[theirs + 1] = ours + 1
        labels[i] = number[drawn]
    return Refits(compared, labels, counts, float(np.sqrt(rows / n_draws)))


def jaccard(reference: Labels, other: Labels, k: int) -> NDArray[np.float64]:
    """For each segment 1..k of ``reference``, its largest Jaccard similarity with any segment of ``other``."""
    width = int(other.max()) + 1
    table = np.bincount(reference.astype(np.int64) * width + other, minlength=(k + 1) * width)
    table = table[: (k + 1) * width].reshape(k + 1, width).astype(float)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    return np.divide(table, union, out=np.zeros_like(table), where=union > 0)[1:, 1:].max(axis=1, initial=0.0)


def own_jaccard(reference: Labels, drawn: Labels, k: int) -> NDArray[np.float64]:
    """`jaccard` over the customers that were drawn (``drawn`` > 0) and fitted on (``reference`` > 0)."""
    both = (drawn > 0) & (reference > 0)
    return jaccard(reference[both], drawn[both], k)


def adjusted_rand(first: Labels, second: Labels) -> float:
    """Adjusted Rand index of two solutions (Hubert and Arabie 1985); a twentieth of scikit-learn's time.

    >>> adjusted_rand(np.array([1, 1, 2, 2]), np.array([2, 2, 0, 0])), adjusted_rand(np.array([1, 1]), np.array([3, 3]))
    (1.0, 1.0)
    """
    width = int(second.max()) + 1
    table = np.bincount(first.astype(np.int64) * width + second, minlength=(int(first.max()) + 1) * width)
    table = table.reshape(-1, width).astype(float)

    def pairs(counts: NDArray[np.float64]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    rows, columns = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = rows * columns / max(len(first) * (len(first) - 1) / 2, 1)
    most = (rows + columns) / 2
    return 1.0 if most == chance else (pairs(table) - chance) / (most - chance)


def agreements(draws: Sequence[Labels]) -> list[float]:
    """Adjusted Rand index of each pair: the first draw with the second, the third with the fourth."""
    return [adjusted_rand(a, b) for a, b in zip(draws[::2], draws[1::2], strict=True)]


def summarise(agreement: list[float]) -> Stability:
    """Quantiles of the agreements; all 0 where there are none."""
    if not agreement:
        return Stability(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    p5, q1, median, q3, p95 = np.percentile(agreement, [5, 25, 50, 75, 95])
    return Stability(float(median), float(q1), float(q3), float(p5), float(p95), len(agreement))


def measure(clean: Matrix, fit: Fit, labels: Labels) -> tuple[float, float, float]:
    """WCSS, Calinski-Harabasz and Davies-Bouldin over the customers of the clean core that have a segment."""
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    inside = labels > 0
    x, y = clean[inside], labels[inside]
    squared = float(((x - fit.centres[y - 1]) ** 2).sum())
    if len(np.unique(y)) < 2:
        return squared, 0.0, 0.0
    return squared, float(calinski_harabasz_score(x, y)), float(davies_bouldin_score(x, y))


def measure_extremes(labels: Labels, k: int, weights: Weights, fewest: int) -> tuple[float, float]:
    """Shares of the smallest of k segments and of the unassigned.

    With survey weights they are of the population; where a segment has fewer than ``fewest`` rows, its share of the
    rows counts if that is smaller.
    """
    counts = np.bincount(labels, minlength=k + 1)
    smallest, n = int(counts[1:].min()), len(labels)
    if weights is None:
        return smallest / n, float(counts[0] / n)
    shares = sum_by(labels, weights, k + 1) / weights.sum()
    least = float(shares[1:].min())
    return min(least, smallest / n) if smallest < fewest else least, float(shares[0])


def silhouettes(points: Matrix, labelings: Sequence[Labels]) -> list[NDArray[np.float64]]:
    """Silhouette of each point under each labelling (Rousseeuw 1987); the distances are computed once for all.

    Parameters
    ----------
    points : ndarray, shape (n, p)
    labelings : sequence of ndarray of int, shape (n,)
        0 = unassigned; such points have no silhouette (NaN) and do not affect those of others.

    Returns
    -------
    list of ndarray, shape (n,)
        0 for a point alone in its segment, and throughout where there is one segment.
    """
    widths = [int(labels.max()) for labels in labelings]
    edges = np.concatenate([[0], np.cumsum(widths)])
    member = np.zeros((len(points), edges[-1]))
    for labels, first in zip(labelings, edges, strict=False):
        rows = np.flatnonzero(labels)
        member[rows, first + labels[rows] - 1] = 1.0
    counts = member.sum(axis=0)
    found = [np.full(len(points), np.nan) for _ in labelings]
    squares = (points**2).sum(axis=1)
    for start in range(0, len(points), _CHUNK):
        block = slice(start, start + _CHUNK)
        apart = squares[block, None] - 2 * points[block] @ points.T + squares[None, :]
        np.sqrt(np.maximum(apart, 0, out=apart), out=apart)
        apart[np.arange(len(apart)), start + np.arange(len(apart))] = 0.0
        sums = apart @ member
        for labels, out, first, width in zip(labelings, found, edges, widths, strict=False):
            rows = np.flatnonzero(labels[block])
            own = labels[block][rows] - 1
            total, size = sums[rows, first : first + width], counts[first : first + width]
            at = np.arange(len(rows))
            others = size[own] - 1
            inner = total[at, own] / np.maximum(others, 1)
            mean = np.divide(total, size, out=np.full_like(total, np.inf), where=size > 0)
            mean[at, own] = np.inf
            outer = mean.min(axis=1, initial=np.inf)
            scale = np.maximum(inner, outer)
            told = (others > 0) & (scale > 0) & np.isfinite(outer)
            out[start + rows] = np.divide(outer - inner, scale, out=np.zeros_like(inner), where=told)
    return found


def mean_silhouette(each: NDArray[np.float64], sampled: bool) -> tuple[float, float]:
    """Mean over those that have a silhouette, and its standard error where they are a sample, else 0."""
    each = each[np.isfinite(each)]
    if not len(each):
        return 0.0, 0.0
    return float(each.mean()), float(each.std() / np.sqrt(len(each))) if sampled else 0.0


def draw_labels(
    clean: Matrix,
    judged: Matrix,
    algorithm: Algorithm,
    ks: tuple[int, ...],
    starts: int,
    seeds: list[tuple[int, ...]],
    weights: Weights = None,
) -> list[list[Drawn]]:
    """Fit a bootstrap sample of the clean core for each seed; place the judged customers, for each k."""
    with one_thread():
        return [_draw(clean, judged, algorithm, ks, starts, seed, weights) for seed in seeds]


def _draw(
    clean: Matrix,
    judged: Matrix,
    algorithm: Algorithm,
    ks: tuple[int, ...],
    starts: int,
    seed: tuple[int, ...],
    weights: Weights,
) -> list[Drawn]:
    rows = min(count_draws(len(clean), weights), algorithm.resample_rows)
    rng, counts = draw_rows(len(clean), rows, seed, weights)
    used = np.flatnonzero(counts)
    fits = algorithm.fit(clean[used], ks, int(rng.integers(2**31)), starts, counts[used])
    if not fits:
        return [Drawn(np.zeros(len(judged), dtype=np.int16), None) for _ in ks]
    found = [Drawn(fit.assign(judged), _spread(fit.members, used, len(clean))) for fit in fits]
    return found if algorithm.takes_k else found * len(ks)


def _spread(members: Labels | None, used: NDArray[np.intp], n: int) -> Labels | None:
    """Labels of some rows among all n; 0 elsewhere."""
    if members is None:
        return None
    everyone = np.zeros(n, dtype=np.int16)
    everyone[used] = members
    return everyone


def reference_dispersions(
    low: Matrix, high: Matrix, rows: int, ks: tuple[int, ...], starts: int, seed: tuple[int, ...]
) -> list[float]:
    """Log of the WCSS of k-means for each k on one uniform sample of the box between two corners, shape (p,) each."""
    rng = np.random.default_rng((*seed, 4))
    with one_thread():
        cloud = rng.uniform(low, high, (rows, len(low)))
        fits = ALGORITHMS["kmeans"].fit(cloud, ks, int(rng.integers(2**31)), starts, None)
        return [float(np.log(distances(cloud, fit.centres).min(axis=1).sum())) for fit in fits]


def prediction_strengths(clean: Matrix, ks: tuple[int, ...], starts: int, seed: tuple[int, ...]) -> list[float]:
    """Prediction strength of k-means for each k over one random halving, mean of both directions.

    Of two customers that one half's own solution puts together, how often does the other half's rule do so too; the
    least over the segments (Tibshirani and Walther 2005).
    """
    rng = np.random.default_rng((*seed, 5))
    order = rng.permutation(len(clean))
    first, second = clean[order[: len(clean) // 2]], clean[order[len(clean) // 2 :]]
    with one_thread():
        start = int(rng.integers(2**31))
        pairs = zip(
            ALGORITHMS["kmeans"].fit(first, ks, start, starts, None),
            ALGORITHMS["kmeans"].fit(second, ks, start, starts, None),
            strict=True,
        )
        return [(_strength(second, b, a) + _strength(first, a, b)) / 2 for a, b in pairs]


def _strength(half: Matrix, own: Fit, other: Fit) -> float:
    table = np.zeros((own.k, other.k))
    np.add.at(table, (own.assign(half) - 1, other.assign(half) - 1), 1)
    n = table.sum(axis=1)
    together = (table * (table - 1)).sum(axis=1)
    # A segment of one customer has no pair to tell apart.
    return float(np.divide(together, n * (n - 1), out=np.ones_like(n), where=n > 1).min())


def dispersion(clean: Matrix, fit: Fit) -> float:
    """Log of the WCSS of these customers around their nearest centres."""
    return float(np.log(distances(clean, fit.centres).min(axis=1).sum()))


def box(clean: Matrix) -> tuple[Matrix, Matrix]:
    """Corners of the box around the customers along their principal components, shape (p,) each.

    k-means does not see a rotation, so references need not be turned back.
    """
    _, _, axes = np.linalg.svd(clean - clean.mean(axis=0), full_matrices=False)
    turned = clean @ axes.T
    return turned.min(axis=0), turned.max(axis=0)


def some(clean: Matrix, most: int, seed: int) -> Matrix:
    """A seeded sample of at most this many customers."""
    return np.ascontiguousarray(clean[sample_rows(len(clean), most, seed)])
