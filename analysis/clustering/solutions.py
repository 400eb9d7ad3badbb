"""Relations between solutions with different numbers of segments, and the separation of each segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.optimize import linear_sum_assignment

from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights
from analysis.clustering.algorithms import ALGORITHMS, Labels, Matrix, distances
from analysis.clustering.algorithms.knees import knee, neighbour_curve
from analysis.clustering.evidence import Evidence
from analysis.clustering.resample import adjusted_rand, some

GORGE_BINS = 20
"""Bins of the similarity to a segment."""
BRANCHES = 16
"""Branches at the foot of the tree that is drawn."""


@dataclass(frozen=True, slots=True)
class Level:
    """A solution in the chain from few to many segments (stability across solutions, SLSA).

    Attributes
    ----------
    k : int
    segments : tuple of int, length k
        The solution's own numbers, in the order of the chart: each below the one it continues.
    shares : tuple of float, length k
        Shares of customers.
    stability : tuple of float, length k
        1 - entropy of where a segment's members were with one segment fewer, over ln(k - 1); 1 = from one segment.
    origins : tuple of tuple of float, shape (k, k - 1 of the level before)
        Share of a segment's members that came from each segment of the level before, fewer than ``min_cell``
        left out; empty at the first.
    """

    k: int
    segments: tuple[int, ...]
    shares: tuple[float, ...]
    stability: tuple[float, ...]
    origins: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Gorge:
    """How similar customers are to one segment: shares of all customers in bins of similarity, 0 to 1.

    Customers are rounded to whole smallest cells, so that a low count reveals no one.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The solution with one segment fewer or more, beside the published one.

    Attributes
    ----------
    k : int
    change : {"merge", "split", "reshuffle"}
    segments : tuple of int
        Published segments that merge, or the one that is split.
    parts : tuple of float
        Of a split: shares of the segment's customers in each part.
    variable : str
        Forming variable on which the merged segments, or the parts, differ most.
    difference : float
        That difference of means, in standard deviations.
    agreement : float
        Adjusted Rand index with the published solution.
    stability, silhouette, smallest_share : float
    """

    k: int
    change: Literal["merge", "split", "reshuffle"]
    segments: tuple[int, ...]
    parts: tuple[float, ...]
    variable: str
    difference: float
    agreement: float
    stability: float
    silhouette: float
    smallest_share: float


@dataclass(frozen=True, slots=True)
class Tree:
    """The upper part of Ward's tree: four x and four heights a link, and the height that gives the published k."""

    links: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    cut: float


@dataclass(frozen=True, slots=True)
class Reach:
    """DBSCAN's radius: quantiles (1 to 99%) of the distance to the m-th neighbour, and the knee that is used."""

    neighbours: int
    quantiles: tuple[float, ...]
    radius: float


@dataclass(frozen=True, slots=True)
class Solutions:
    """Everything that this module tells."""

    slsa: tuple[Level, ...]
    gorge: tuple[Gorge, ...]
    neighbours: tuple[Neighbour, ...]
    tree: Tree
    reach: Reach


def compare_solutions(
    evidence: Evidence,
    matrix: Matrix,
    features: Matrix,
    names: tuple[str, ...],
    min_cell: int,
    seed: int,
    effort: Effort = USERS,
) -> Solutions:
    """Compare the published solution with those around it.

    Parameters
    ----------
    evidence : Evidence
    matrix : ndarray, shape (n, p)
        What the algorithms saw.
    features : ndarray, shape (n, q)
        Scaled features, whether or not they were reduced for the algorithms.
    names : tuple of str, length q
    min_cell : int
    seed : int
    effort : Effort, optional
    """
    name, k = evidence.decision.algorithm, evidence.decision.k
    if evidence.sample is not None:
        at = evidence.sample.rows
        matrix, features = matrix[at], features[at]
        own = None if evidence.weights is None else evidence.weights[at]
        evidence = replace(evidence, labels=evidence.labels[at], core=evidence.core[at], weights=own)
    ks = sorted(j for a, j in evidence.solutions if a == name)
    clean = some(matrix[evidence.core], effort.reference_rows, seed)
    return Solutions(
        slsa=_chain([evidence.solutions[name, j] for j in ks], min_cell, evidence.weights)
        if ALGORITHMS[name].takes_k
        else (),
        gorge=_gorges(matrix, evidence.fit.centres, min_cell),
        neighbours=tuple(
            _neighbour(evidence, j, features, names) for j in (k - 1, k + 1) if ALGORITHMS[name].takes_k and j in ks
        ),
        tree=_tree(clean, k),
        reach=_reach(clean),
    )


def _crossed(first: Labels, second: Labels, weights: Weights = None) -> NDArray[Any]:
    """Customers by segment of the first (rows) and of the second solution (columns); unassigned ones left out."""
    both = (first > 0) & (second > 0)
    table = np.zeros((int(first.max()), int(second.max())), dtype=np.int64 if weights is None else np.float64)
    np.add.at(table, (first[both] - 1, second[both] - 1), 1 if weights is None else weights[both])
    return table


def _chain(solutions: list[Labels], min_cell: int, weights: Weights) -> tuple[Level, ...]:
    """One level a solution, each ordered so that a segment stands below the one that it continues."""
    levels = [_first_level(solutions[0], weights)]
    n = len(solutions[0]) if weights is None else float(weights.sum())
    for before, after in pairwise(solutions):
        last = levels[-1]
        shown = np.array(last.segments) - 1
        counts, table = _crossed(after, before)[:, shown], _crossed(after, before, weights)[:, shown]
        rows, columns = linear_sum_assignment(-table)
        place = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        order = sorted(range(len(table)), key=lambda row: (place.get(row, float(np.argmax(table[row])) + 0.5), row))
        sizes = table.sum(axis=1)
        shares = table[order] / sizes[order, None]
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        entropy = -(shares * logs).sum(axis=1)
        most = np.log(len(last.segments)) if len(last.segments) > 1 else 1.0
        told = np.where(counts[order] >= min_cell, shares, 0.0)
        told /= np.maximum(told.sum(axis=1, keepdims=True), 1e-300)
        levels.append(
            Level(
                len(order),
                tuple(row + 1 for row in order),
                tuple(map(float, sizes[order] / n)),
                # Two digits, so that no share tells of a handful of customers.
                tuple(round(float(x), 2) for x in 1 - entropy / most),
                tuple(tuple(round(float(x), 2) for x in row) for row in told),
            )
        )
    return tuple(levels)


def _first_level(labels: Labels, weights: Weights) -> Level:
    sizes = np.bincount(labels, weights)[1:]
    k, n = len(sizes), len(labels) if weights is None else weights.sum()
    return Level(k, tuple(range(1, k + 1)), tuple(map(float, sizes / n)), (1.0,) * k, ())


def _gorges(matrix: Matrix, centres: Matrix, min_cell: int) -> tuple[Gorge, ...]:
    closeness = np.exp(-np.sqrt(distances(matrix, centres)))
    similar = closeness / np.maximum(closeness.sum(axis=1, keepdims=True), 1e-300)
    found = []
    for column in similar.T:
        counts, edges = np.histogram(column, GORGE_BINS, (0.0, 1.0))
        rounded = np.round(counts / min_cell) * min_cell
        found.append(Gorge(tuple(round(float(x), 2) for x in edges), tuple(float(n / len(matrix)) for n in rounded)))
    return tuple(found)


def _neighbour(evidence: Evidence, k: int, features: Matrix, names: tuple[str, ...]) -> Neighbour:
    name = evidence.decision.algorithm
    published, other = evidence.labels, evidence.solutions[name, k]
    fewer = k < evidence.decision.k
    # Rows are the segments of the finer solution, columns those of the coarser.
    table = _crossed(published, other, evidence.weights) if fewer else _crossed(other, published, evidence.weights)
    home = table.argmax(axis=1)
    shared = [column for column in range(table.shape[1]) if (home == column).sum() > 1]
    fine = [int(row) + 1 for row in np.flatnonzero(home == shared[0])] if shared else []
    finer = published if fewer else other
    variable, difference = _sets_apart(features, finer, fine, names) if fine else ("", 0.0)
    row = next(r for r in evidence.chosen().by_k if r.k == k)
    sizes = table[[j - 1 for j in fine], shared[0]] if fine and not fewer else np.array([])
    return Neighbour(
        k,
        "reshuffle" if len(shared) != 1 else "merge" if fewer else "split",
        tuple(fine) if fewer else (shared[0] + 1,) if shared else (),
        tuple(round(float(n / sizes.sum()), 2) for n in sizes),
        variable,
        difference,
        adjusted_rand(published, other),
        row.stability.median,
        row.silhouette,
        row.smallest_share,
    )


def _sets_apart(features: Matrix, labels: Labels, segments: list[int], names: tuple[str, ...]) -> tuple[str, float]:
    """The feature on which these segments' means lie farthest apart, and how far."""
    means = np.array([features[labels == j].mean(axis=0) for j in segments])
    spread = np.where(features.std(axis=0) > 0, features.std(axis=0), 1.0)
    apart = np.ptp(means, axis=0) / spread
    at = int(apart.argmax())
    return names[at], float(apart[at])


def _tree(clean: Matrix, k: int) -> Tree:
    tree = linkage(clean, "ward")
    drawn: dict[str, Any] = dendrogram(tree, p=min(max(BRANCHES, k), len(clean)), truncate_mode="lastp", no_plot=True)
    links = tuple(
        (tuple(map(float, x)), tuple(map(float, y))) for x, y in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    )
    heights = tree[:, 2]
    return Tree(links, float((heights[-k] + heights[1 - k]) / 2))


def _reach(clean: Matrix) -> Reach:
    curve = neighbour_curve(clean)
    m = min(max(5, 2 * clean.shape[1]), len(clean) - 1)
    return Reach(m, tuple(map(float, np.percentile(curve, np.arange(1, 100)))), float(curve[knee(curve)]))
