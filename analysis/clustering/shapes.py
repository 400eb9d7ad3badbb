"""Shapes that no centre describes: dense groups, wide gaps between them, that the segments do not follow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from analysis.clustering.algorithms import ALGORITHMS, Labels, Matrix, distances, sample_rows
from analysis.clustering.evidence import Evidence
from analysis.clustering.resample import adjusted_rand
from analysis.clustering.selection import MOST_NOISE, STABLE
from analysis.settings.models import Study

DESCRIBED = 0.75
"""Agreement (adjusted Rand index) from which centres describe dense groups, and segments follow them. Chosen for this
project on the trials' first draws, where it is 0.55 at most for rings and half-moons."""
WIDE = 1.5
"""Gap between dense groups over the links within them from which they stand apart. Chosen for this project on the
trials' first draws, where it is 2.2 at least for rings and half-moons."""
FAR = 0.01
"""Share of links, and of distances to other groups, that the gap leaves out, so that a stray customer does not decide.
Chosen for this project."""
ROWS = 1_500
PARTS, PART = 10, 0.9
"""Samples without replacement in which the groups must come back, and their share of customers. Chosen for this
project."""
BINS, SHOWN = range(18, 3, -1), 0.8
"""Cells along an axis of the picture: the most with which cells that may be shown hold this share of customers."""


@dataclass(frozen=True, slots=True)
class ShapeCell:
    """A cell with ``min_cell`` customers or more: the dense group and the segment of most of them, 0 = none."""

    x: float
    y: float
    group: int
    segment: int


@dataclass(frozen=True, slots=True)
class Shapes:
    """Dense groups that the segments do not follow.

    Attributes
    ----------
    algorithm : str
        The method that finds them.
    n_groups : int
    inside_share : float
        Share of customers in dense groups.
    gap : float
        Distance between the groups, over the links within them.
    by_centre : float
        Agreement (adjusted Rand index) of the groups with the nearest of their centres.
    by_segments : float
        The same with the published segments.
    step : tuple of float
        Width and height of a cell.
    cells : tuple of ShapeCell
        On the two directions along which customers differ most.
    """

    algorithm: str
    n_groups: int
    inside_share: float
    gap: float
    by_centre: float
    by_segments: float
    step: tuple[float, float]
    cells: tuple[ShapeCell, ...]


def find_shapes(evidence: Evidence, matrix: Matrix, study: Study) -> Shapes | None:
    """Find dense groups that no centre describes and that the segments do not follow.

    Parameters
    ----------
    evidence : Evidence
        n customers; natural segments, and those of a density method, are not asked.
    matrix : ndarray, shape (n, p)
        What the algorithms saw.
    study : Study
        Uses ``min_share``, ``min_customers``, ``min_cell`` and ``seed``.

    Returns
    -------
    Shapes or None
        Of the method with the widest gap; None where no method finds such groups.
    """
    labels, core = evidence.labels, evidence.core
    if evidence.verdict == "natural" or not ALGORITHMS[evidence.decision.algorithm].takes_k:
        return None
    if evidence.sample is not None:
        at = evidence.sample.rows
        labels, core, matrix = labels[at], core[at], matrix[at]
    found = []
    for (name, k), groups in sorted(evidence.solutions.items()):
        if ALGORITHMS[name].takes_k or k < 2 or not is_large(groups, study):
            continue
        inside = groups > 0
        by_segments = adjusted_rand(groups[inside], labels[inside])
        stands = measure_groups(matrix[inside], groups[inside], study.seed)
        if stands is None or by_segments >= DESCRIBED or not comes_back(name, matrix, groups, core, study.seed):
            continue
        by_centre, gap = stands
        picture = _draw_cells(matrix, groups, labels, study.min_cell)
        found.append(Shapes(ALGORITHMS[name].title, k, float(inside.mean()), gap, by_centre, by_segments, *picture))
    return max(found, key=lambda shapes: shapes.gap, default=None)


def settle_verdict(evidence: Evidence, shapes: Shapes | None) -> Evidence:
    """Call the segments a working split where the data hold groups of another shape.

    Neither "no structure" nor "cuts through a continuum" is true of such data.
    """
    return replace(evidence, verdict="constructive") if shapes else evidence


def measure_groups(points: Matrix, groups: Labels, seed: int = 0) -> tuple[float, float] | None:
    """Measure how well centres describe dense groups, and how wide the gaps between them are.

    Parameters
    ----------
    points : ndarray, shape (n, p)
    groups : ndarray of int, shape (n,)
        1..k.
    seed : int, optional

    Returns
    -------
    by_centre, gap : float
        Agreement of the groups with the nearest of their centres; distance to the nearest customer of another group,
        the nearest :data:`FAR` left out, over the longest links of the tree that joins a group (minimum spanning
        tree), the longest :data:`FAR` left out.
    None
        Where centres describe the groups, or no wide gap lies between them.
    """
    at = sample_rows(len(points), ROWS, seed)
    points, groups = points[at], groups[at]
    numbers = np.unique(groups)
    if len(numbers) < 2:
        return None
    centres = np.array([points[groups == j].mean(axis=0) for j in numbers])
    by_centre = adjusted_rand(groups, distances(points, centres).argmin(axis=1))
    if by_centre >= DESCRIBED:
        return None
    apart = cdist(points, points).astype(np.float64)
    other = np.where(groups[:, None] == groups, np.inf, apart).min(axis=1)
    links = max(_longest_links(apart[np.ix_(groups == j, groups == j)]) for j in numbers)
    gap = float(np.quantile(other, FAR)) / links if links > 0 else 0.0
    return (by_centre, gap) if gap >= WIDE else None


def _longest_links(apart: Matrix) -> float:
    """Give the length that all links of a group's minimum spanning tree but the longest :data:`FAR` have at most."""
    # Customers of the same values are linked without any length, which the tree leaves out.
    tree = minimum_spanning_tree(apart).data
    return float(np.quantile(tree, 1 - FAR)) if len(tree) else 0.0


def is_large(groups: Labels, study: Study) -> bool:
    """Tell whether dense groups leave out few enough customers, and none is smaller than a segment may be."""
    least = max(study.min_share * len(groups), study.min_customers)
    return bool((groups == 0).mean() <= MOST_NOISE and np.bincount(groups)[1:].min() >= least)


def comes_back(name: str, matrix: Matrix, groups: Labels, core: NDArray[np.bool_], seed: int) -> bool:
    """Tell whether the method finds the same groups in most samples of the customers.

    Samples without replacement: copies of customers, as in the bootstrap, change how dense a thin ring is.
    """
    rows = np.flatnonzero(core)
    rows = rows[sample_rows(len(rows), ROWS, seed)]
    agreements = []
    for part in range(PARTS):
        rng = np.random.default_rng((seed, 9, part))
        some = np.sort(rng.choice(rows, round(PART * len(rows)), replace=False))
        fits = ALGORITHMS[name].fit(matrix[some], (), seed, 1, None)
        agreements.append(adjusted_rand(groups[rows], fits[0].assign(matrix[rows])) if fits else 0.0)
    return float(np.median(agreements)) >= STABLE


def _draw_cells(
    matrix: Matrix, groups: Labels, segments: Labels, min_cell: int
) -> tuple[tuple[float, float], tuple[ShapeCell, ...]]:
    """Give the step and the cells of the picture on the first two principal axes."""
    centred = matrix - matrix.mean(axis=0)
    if matrix.shape[1] == 1:
        centred = np.column_stack([centred, np.zeros(len(centred))])
    axes = np.linalg.svd(np.cov(centred.T))[2][:2]
    axes = axes * np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]
    points = centred @ axes.T
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    inside = ((points >= low) & (points <= high)).all(axis=1)
    points, groups, segments = points[inside] - low, groups[inside], segments[inside]
    n_bins = next((n for n in BINS if _share_shown(points, high - low, n, min_cell) >= SHOWN), BINS[-1])
    step = np.maximum((high - low) / n_bins, 1e-9)
    flat, cell, counts = _count(points, step, n_bins)
    cells = tuple(
        ShapeCell(
            float(low[0] + (flat[i] // n_bins + 0.5) * step[0]),
            float(low[1] + (flat[i] % n_bins + 0.5) * step[1]),
            int(np.bincount(groups[cell == i]).argmax()),
            int(np.bincount(segments[cell == i]).argmax()),
        )
        for i in np.flatnonzero(counts >= min_cell)
    )
    return (float(step[0]), float(step[1])), cells


def _share_shown(points: Matrix, size: NDArray[np.float64], n_bins: int, min_cell: int) -> float:
    """Give the share of customers in cells that may be shown, with this many cells along each axis."""
    counts = _count(points, np.maximum(size / n_bins, 1e-9), n_bins)[2]
    return float(counts[counts >= min_cell].sum() / max(len(points), 1))


def _count(
    points: Matrix, step: NDArray[np.float64], n_bins: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List the cells that hold customers, the cell of each customer, and the customers of each cell."""
    places = np.minimum((points // step).astype(np.int64), n_bins - 1)
    flat, cell, counts = np.unique(places[:, 0] * n_bins + places[:, 1], return_inverse=True, return_counts=True)
    return flat, cell, counts
