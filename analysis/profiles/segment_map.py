"""Map of the segments: customers along the first two principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.clustering.algorithms import Labels, Matrix
from analysis.features.build import Variable

MAP_BINS = 18
"""Bins along each axis of the map."""


@dataclass(frozen=True, slots=True)
class MapBin:
    """Customers in one cell of the map, to the nearest ``min_cell``; never fewer."""

    x: float
    y: float
    n: int


@dataclass(frozen=True, slots=True)
class SegmentMap:
    """The first two principal components: binned counts, segment centres, and the ellipse around half of each."""

    explained: tuple[float, float]
    x_means: tuple[str, str]
    y_means: tuple[str, str]
    step: tuple[float, float]
    bins: tuple[MapBin, ...]
    centres: tuple[tuple[float, float], ...]
    outlines: tuple[tuple[tuple[float, float], ...], ...]


def draw_map(matrix: Matrix, labels: Labels, forming: tuple[Variable, ...], min_cell: int) -> SegmentMap:
    """Place customers on the first two principal components: counts by cell, and an outline of each segment.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    forming : tuple of Variable
        Named at the ends of the axes.
    min_cell : int
        Cells of fewer customers are left out.
    """
    centred = matrix - matrix.mean(axis=0)
    if matrix.shape[1] == 1:
        centred = np.column_stack([centred, np.zeros(len(centred))])
    _, singular, axes = np.linalg.svd(np.cov(centred.T))
    axes = axes[:2] * np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    points = centred @ axes.T
    explained = singular[:2] / singular.sum()
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    n_bins = int(np.clip(np.sqrt(2 * len(points) / min_cell), 4, MAP_BINS))
    step = np.maximum((high - low) / n_bins, 1e-9)
    inside = ((points >= low) & (points <= high)).all(axis=1)
    cells = ((points[inside] - low) // step).astype(int)
    # One number a cell: rows are slow to compare.
    flat, counts = np.unique(cells[:, 0] * (n_bins + 2) + cells[:, 1], return_counts=True)
    bins = tuple(
        MapBin(
            float(low[0] + (i + 0.5) * step[0]),
            float(low[1] + (j + 0.5) * step[1]),
            min_cell * round(int(n) / min_cell),
        )
        for (i, j), n in zip((divmod(cell, n_bins + 2) for cell in flat), counts, strict=True)
        if n >= min_cell
    )
    centres, outlines = [], []
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = np.column_stack([np.cos(turn), np.sin(turn)]) * np.sqrt(2 * np.log(2))
    for segment in range(1, int(labels.max()) + 1):
        members = points[labels == segment]
        centre = members.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(members.T) if len(members) > 2 else np.eye(2))
        outline = centre + (circle * np.sqrt(np.maximum(values, 0))) @ vectors.T
        centres.append((float(centre[0]), float(centre[1])))
        outlines.append(tuple((float(x), float(y)) for x, y in outline))
    names = [variable.label for variable in forming]
    return SegmentMap(
        explained=(float(explained[0]), float(explained[1])),
        x_means=_axis_words(axes[0], names),
        y_means=_axis_words(axes[1], names),
        step=(float(step[0]), float(step[1])),
        bins=bins,
        centres=tuple(centres),
        outlines=tuple(outlines),
    )


def _axis_words(loadings: NDArray[np.float64], names: list[str]) -> tuple[str, str]:
    """The feature that weighs most towards the low and the high end of an axis."""
    loadings = loadings[: len(names)]
    order = np.argsort(loadings, kind="stable")
    high = [names[i] for i in order[::-1][:1] if loadings[i] > 0.15]
    low = [names[i] for i in order[:1] if loadings[i] < -0.15]
    return " and ".join(low), " and ".join(high)
