"""Distributions within and between segments for interactive charts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.weights import FEWEST_EFFECTIVE, Weights
from analysis.base.workers import map_columns
from analysis.clustering.algorithms import Labels, Matrix
from analysis.features.build import FeatureTable, Variable

DECIMALS = 9
"""Of the ends of a bin. A variable whose bins would be narrower does not vary."""
MOST_BINS = 14
"""Bins of a distribution before those with few customers of a segment are merged. Chosen for this project."""
MOST_SHOWN = 48
"""Distributions of a segment that are shown, over all segments; those on which they differ most. Chosen for this
project."""
MOST_AXES, FEWER_AXES = 4, 3
"""Features that a reader can put on an axis of the map, and from six segments on; each pair is a picture. Chosen for
this project."""
PLANE_BINS = 16
"""Bins along each axis of a plane. Chosen for this project."""
MOST_STRANDS, MOST_POINTS = 8, 320
"""Strands of a segment, and points of all strands of all features together. Chosen for this project."""
CORNERS = 12
"""Points of an outline, which is drawn as a smooth curve through them."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from ``low`` to below ``high`` in own units, and the share of a group whose known value lies there."""

    low: float
    high: float
    share: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """One variable, of everyone and by segment.

    Each group's bins are merged until each is empty or has at least ``min_cell`` customers; shares are
    rounded, so that no smaller count is found by subtraction. The outermost bins are open; ``step`` is the width of
    one that is not merged.
    """

    variable: str
    step: float
    everyone: tuple[Bin, ...]
    segments: tuple[tuple[Bin, ...], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A rectangle of a plane and its customers to the nearest ``min_cell``; smaller counts are left out."""

    x: float
    y: float
    n: int


@dataclass(frozen=True, slots=True)
class Plane:
    """Two features as axes, each as it was scaled; ticks pair a place on an axis with a value in own units."""

    x: str
    y: str
    step: tuple[float, float]
    cells: tuple[Cell, ...]
    centres: tuple[tuple[float, float], ...]
    outlines: tuple[tuple[tuple[float, float], ...], ...]
    x_ticks: tuple[tuple[float, float], ...]
    y_ticks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Strand:
    """A small group of like customers of one segment, and its distance from everyone's mean on each forming feature.

    Distances are in standard deviations on the scale of the profiles.
    """

    segment: int
    means: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """What readers explore. ``features`` names the columns of the paths."""

    distributions: tuple[Distribution, ...]
    planes: tuple[Plane, ...]
    features: tuple[str, ...]
    strands: tuple[Strand, ...]


NOTHING = Spread((), (), (), ())
"""Where nothing was measured."""


def measure_spread(
    table: FeatureTable,
    labels: Labels,
    matrix: Matrix,
    forming: tuple[Variable, ...],
    scaled: Mapping[str, Values],
    min_cell: int,
) -> Spread:
    """Compute the distributions of customers within and between segments.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    matrix : ndarray, shape (n, p)
        Scaled features that formed the segments.
    forming : tuple of Variable, length p
    scaled : mapping of str to ndarray, shape (n,)
        The variables that may be published by segment, on the scale on which profiles compare them.
    min_cell : int
        Fewest customers that a bin, a cell or a path stands for.
    """
    k = int(labels.max())
    numbers = [v for v in table.variables if v.name in scaled and not v.categorical and v.unit != "yes_no"]
    columns, n = [table.frame[v.name].to_numpy(float) for v in numbers], len(labels)
    apart = map_columns(lambda v: _apart(scaled[v.name], labels, k), numbers, n)
    first = sorted(range(len(numbers)), key=lambda i: -apart[i])
    chosen, weights = first[: MOST_SHOWN // k], table.weights
    distributions = map_columns(
        lambda i: _distribute(numbers[i].name, columns[i], labels, k, min_cell, weights), chosen, n
    )
    named = {v.name: j for j, v in enumerate(forming[: matrix.shape[1]])}
    axes = [i for i in first if numbers[i].name in named][: MOST_AXES if k < 6 else FEWER_AXES]
    placed = map_columns(lambda i: _Axis.of(numbers[i].name, columns[i], matrix[:, named[numbers[i].name]]), axes, n)
    pairs = itertools.combinations(placed, 2)
    planes = map_columns(lambda pair: _plane(*pair, labels, k, min_cell), pairs, n)
    lines = [i for i, v in enumerate(numbers) if v.name in named]
    own = np.column_stack([scaled[numbers[i].name] for i in lines]) if lines else np.empty((len(labels), 0))
    return Spread(
        tuple(d for d in distributions if d),
        tuple(p for p in planes if p.cells),
        tuple(numbers[i].name for i in lines),
        _strands(matrix, own, labels, k, min_cell) if len(lines) > 1 else (),
    )


def _apart(values: Values, labels: Labels, k: int) -> float:
    """Standard deviation of the segments' means over that of customers."""
    spread = np.nanstd(values)
    each = (values[labels == j] for j in range(1, k + 1))
    means = [np.nanmean(own) for own in each if np.isfinite(own).any()]
    return float(np.std(means) / spread) if spread > 0 and len(means) > 1 else 0.0


def _distribute(
    name: str, values: Values, labels: Labels, k: int, min_cell: int, weights: Weights
) -> Distribution | None:
    known = np.isfinite(values) & (labels > 0)
    values, labels, own = values[known], labels[known], None if weights is None else weights[known]
    if len(values) < 2 * min_cell:
        return None
    beyond = max(0.02, min_cell / len(values))
    low, high = np.quantile(values, [beyond, 1 - beyond])
    if high - low < MOST_BINS * 10.0**-DECIMALS:
        return None
    step = _round_step((high - low) / MOST_BINS, whole=bool(np.all(values == np.round(values))))
    edges = np.arange(math.floor(low / step), math.floor(high / step) + 2) * step
    places = np.clip(np.digitize(values, edges) - 1, 0, len(edges) - 2)
    size = len(edges) - 1
    each = [np.bincount(places[labels == j], minlength=size).astype(float) for j in range(1, k + 1)]
    groups: list[NDArray[Any]] = [np.stack([counts] * 3) for counts in each]
    if own is not None:
        parts = [(places[labels == j], own[labels == j]) for j in range(1, k + 1)]
        sums = [[np.bincount(at, weights**power, size) for power in (1, 2)] for at, weights in parts]
        groups = [np.stack([counts, *pair]) for counts, pair in zip(each, sums, strict=True)]
    everyone = _merge_few(edges, np.sum(groups, axis=0), min_cell, own is not None)
    merged = tuple(_merge_few(edges, group, min_cell, own is not None) for group in groups)
    return Distribution(name, step, everyone, merged)


def _round_step(rough: float, whole: bool) -> float:
    """The next round number above; a whole one for whole numbers."""
    size = 10.0 ** math.floor(math.log10(rough))
    step = round(next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999), 12)
    return max(1.0, float(math.ceil(step))) if whole else step


def _merge_few(edges: Values, sums: Values, min_cell: int, weighted: bool) -> tuple[Bin, ...]:
    """Merge neighbours until each bin is empty or has at least ``min_cell``; shares in steps of a hundredth, or of
    as many as half of ``min_cell`` customers where that is more.

    Parameters
    ----------
    edges : ndarray, shape (bins + 1,)
    sums : ndarray, shape (3, bins)
        Customers, and the sums of their weights and of their squares, which are the same where each counts once.
    min_cell : int
    weighted : bool
        Whether few customers may hold most of the weight of a bin.
    """
    counts = sums[0]
    n = int(counts.sum())
    if n < min_cell:
        return ()

    def is_few(i: int, j: int) -> bool:
        count, weight, squares = sums[:, i:j].sum(axis=1)
        return bool(count < min_cell or (weighted and weight**2 < FEWEST_EFFECTIVE * squares))

    merged: list[tuple[int, int]] = []
    start, n_in_bin = 0, 0
    for i, count in enumerate(counts):
        n_in_bin += int(count)
        if not is_few(start, i + 1) or (n_in_bin == 0 and (i + 1 == len(counts) or counts[i + 1] == 0)):
            merged.append((start, i + 1))
            start, n_in_bin = i + 1, 0
    while start < len(counts) and is_few(start, len(counts)) and merged:
        # Too few are left at the end: they join those before them.
        start, _ = merged.pop()
    if start < len(counts):
        merged.append((start, len(counts)))
    step, whole = max(0.01, round(min_cell / (2 * n), 2)), float(sums[1].sum())
    shares = [float(sums[1, i:j].sum()) / whole for i, j in merged]
    return tuple(
        Bin(round(float(edges[i]), DECIMALS), round(float(edges[j]), DECIMALS), round(round(share / step) * step, 2))
        for (i, j), share in zip(merged, shares, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """A feature that spans a plane: its scaled values, shape (n,), and where round values of it lie among them."""

    name: str
    scaled: Values
    ticks: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, name: str, values: Values, scaled: Values) -> _Axis:
        return cls(name, scaled, _ticks(values, scaled))


def _plane(
    across: _Axis,
    up: _Axis,
    labels: Labels,
    k: int,
    min_cell: int,
) -> Plane:
    points = np.column_stack([across.scaled, up.scaled])
    beyond = max(0.005, min_cell / (2 * len(points)))
    low, high = np.quantile(points, [beyond, 1 - beyond], axis=0)
    n_bins = int(np.clip(np.sqrt(2 * len(points) / min_cell), 4, PLANE_BINS))
    step = np.maximum((high - low) / n_bins, 1e-9)
    inside = ((points >= low) & (points <= high)).all(axis=1)
    cells = ((points[inside] - low) // step).astype(int)
    flat, counts = np.unique(cells[:, 0] * (n_bins + 2) + cells[:, 1], return_counts=True)
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)]) * np.sqrt(2 * np.log(2))
    centres, outlines = [], []
    for j in range(1, k + 1):
        members = points[labels == j]
        centre = members.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(members.T) if len(members) > 2 else np.eye(2))
        outline = centre + (circle * np.sqrt(np.maximum(values, 0))) @ vectors.T
        centres.append((round(float(centre[0]), 2), round(float(centre[1]), 2)))
        outlines.append(tuple((round(float(x), 2), round(float(y), 2)) for x, y in outline))
    return Plane(
        across.name,
        up.name,
        (float(step[0]), float(step[1])),
        tuple(
            Cell(
                round(float(low[0] + i * step[0]), 3),
                round(float(low[1] + j * step[1]), 3),
                min_cell * round(int(n) / min_cell),
            )
            for (i, j), n in zip((divmod(int(cell), n_bins + 2) for cell in flat), counts, strict=True)
            if n >= min_cell
        ),
        tuple(centres),
        tuple(outlines),
        across.ticks,
        up.ticks,
    )


def _ticks(values: Values, scaled: Values) -> tuple[tuple[float, float], ...]:
    """Round values of a feature between its tenth and its ninetieth percentile, and where they lie once scaled."""
    known = np.isfinite(values)
    low, high = np.quantile(values[known], [0.1, 0.9])
    if high <= low:
        return ()
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 5, 10) if size * m >= rough * 0.999)
    ticks = [round(i * step, 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    order = np.argsort(values[known], kind="stable")
    places = np.interp(ticks, values[known][order], scaled[known][order])
    return tuple((round(float(place), 3), float(value)) for place, value in zip(places, ticks, strict=True))


def _strands(matrix: Matrix, own: Values, labels: Labels, k: int, min_cell: int) -> tuple[Strand, ...]:
    """Halve each segment again and again along the direction in which its customers differ most.

    The halves stay together in the features that formed the segments, so that a path is a group of similar customers.
    """
    centre = np.nanmean(own, axis=0)
    most = min(MOST_STRANDS, max(1, MOST_POINTS // (k * own.shape[1])))

    def find_strands(segment: int) -> list[Strand]:
        groups = [np.flatnonzero(labels == segment)]
        while 2 * len(groups) <= most and min(map(len, groups)) >= 4 * min_cell:
            groups = [half for group in groups for half in _halve(matrix, group)]
        found = []
        for group in groups:
            away = own[group] - centre
            n_known = np.isfinite(away).sum(axis=0)
            means = np.nansum(away, axis=0) / np.maximum(n_known, 1)
            if (n_known >= min_cell).all():
                found.append(Strand(segment, tuple(round(float(x), 2) for x in means)))
        return found

    return tuple(itertools.chain(*map_columns(find_strands, range(1, k + 1), len(labels))))


def _halve(points: Matrix, group: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    centred = points[group] - points[group].mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    order = np.argsort((centred @ vectors[:, -1]).round(9), kind="stable")
    return group[np.sort(order[: len(group) // 2])], group[np.sort(order[len(group) // 2 :])]
