"""One ladder, or groups: whether cutting a single order of the customers into bands gives the same segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights, share
from analysis.clustering.algorithms import Labels, Matrix
from analysis.clustering.evidence import Evidence
from analysis.clustering.references.clouds import Gaussian
from analysis.features.prepare import Blocks
from analysis.features.select import dip, spread_ties

REPRODUCED = 0.9
"""Least share of memberships that bands of one order give back where segments are a ladder. Chosen for this project."""
DIP_OF_ONE_PEAK = 0.5
"""Dip, times the root of the number of customers, that evenly spread values exceed in one sample of twenty."""
CLOUDS, BY_CHANCE = 99, 0.05
"""Clouds whose dips stand for one peak where features are lumped, and the share of them that may be larger."""
NAMED = 3
"""Features that name an axis at most: those whose weight is at least half of the largest."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Segments that are levels of one thing.

    Attributes
    ----------
    variables : tuple of str
        The feature that customers are ordered by; several where it is the axis along which the features vary most.
    rungs : tuple of int, length k
        Segments from the lowest to the highest.
    reproduced : float
        Share of customers whose segment is the band that they fall into, in whole percent.
    cuts : tuple of float
        Where bands of the one feature end, in its units and rounded; empty for several features.
    """

    variables: tuple[str, ...]
    rungs: tuple[int, ...]
    reproduced: float
    cuts: tuple[float, ...]


def find_ladder(
    evidence: Evidence,
    matrix: Matrix,
    features: Matrix,
    names: Sequence[str],
    frame: pd.DataFrame,
    rules: Disclosure,
    blocks: Blocks = (),
    seed: int = 0,
) -> Ladder | None:
    """Find the order whose bands, as large as the segments, give most memberships back and that has no gap.

    Parameters
    ----------
    evidence : Evidence
        n customers; natural segments are no ladder, nor are those that leave somebody out.
    matrix : ndarray, shape (n, p)
        What the algorithms saw.
    features : ndarray, shape (n, q)
        Scaled features.
    names : sequence of str, length q
    frame : DataFrame, shape (n, >= q)
        The features in their own units.
    rules : Disclosure
        Rounds the cuts.
    blocks : tuple of (int, int), optional
        Columns of the matrix that are the levels of a category.
    seed : int, optional

    Returns
    -------
    Ladder or None
        None where no order gives at least :data:`REPRODUCED` of the memberships back, or the best one has a gap.
    """
    labels = evidence.labels
    if evidence.verdict == "natural" or labels.min() == 0 or labels.max() < 2:
        return None
    core, weights = evidence.core, evidence.weights
    if evidence.sample is not None:
        at = evidence.sample.rows
        core, weights = core[at], None if weights is None else weights[at]
        labels, matrix, features, frame = labels[at], matrix[at], features[at], frame.iloc[at]
    found = [(*_band(one[2], labels, weights), *one) for one in _orders(matrix, features, names)]
    reproduced, rungs, variables, axis, order = max(found, key=lambda one: one[0])
    if reproduced < REPRODUCED:
        return None
    gaussian = Gaussian.of(matrix[core], blocks).with_lumps(matrix[core])
    if _dip(order) > _most_of_one_peak(gaussian, axis, len(order), seed):
        return None
    cuts: tuple[float, ...] = ()
    if len(variables) == 1 and pd.api.types.is_numeric_dtype(frame[variables[0]]):
        values = frame[variables[0]].dropna().to_numpy(float)
        below = np.cumsum(np.bincount(labels)[list(rungs)])[:-1] / len(labels)
        cuts = tuple(rules.near(rules.quantile(values, float(part)), values) for part in below)
    return Ladder(variables, rungs, round(reproduced, 2), cuts)


def _dip(order: NDArray[np.float64]) -> float:
    return dip(spread_ties(np.sort(order), log=False))


def _most_of_one_peak(gaussian: Gaussian, axis: NDArray[np.float64], n: int, seed: int) -> float:
    """Largest dip of an order without a gap: that of even values, or of a cloud with the same lumps."""
    if not gaussian.lumps or len(axis) != len(gaussian.mean):
        return DIP_OF_ONE_PEAK / np.sqrt(n)
    rng = np.random.default_rng((seed, 8))
    dips = [_dip(gaussian.draw(n, rng) @ axis) for _ in range(CLOUDS)]
    return max(float(np.quantile(dips, 1 - BY_CHANCE)), DIP_OF_ONE_PEAK / np.sqrt(n))


def _orders(
    matrix: Matrix, features: Matrix, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]]:
    """Give each feature, the simpler first, and the axis along which the matrix varies most.

    Each with what names it, its direction, and the place of each customer along it.
    """
    for name, unit, column in zip(names, np.eye(len(names)), features.T, strict=True):
        yield (name,), unit, column
    centred = matrix - matrix.mean(axis=0)
    axis = np.linalg.svd(centred.T @ centred)[0][:, 0]
    order = centred @ axis
    moved = np.nan_to_num((features - features.mean(axis=0)).T @ order)
    if moved[np.abs(moved).argmax()] < 0:
        moved, axis, order = -moved, -axis, -order
    largest = np.argsort(-np.abs(moved), kind="stable")[:NAMED]
    named = tuple(dict.fromkeys(names[i] for i in largest if abs(moved[i]) >= abs(moved[largest[0]]) / 2))
    yield named, axis, order


def _band(order: NDArray[np.float64], labels: Labels, weights: Weights) -> tuple[float, tuple[int, ...]]:
    """Share of memberships that bands of as many rows as the segments give back, and the segments from low to high."""
    sizes = np.bincount(labels)
    means = np.bincount(labels, order)[1:] / sizes[1:]
    rungs = np.argsort(means, kind="stable") + 1
    bands = np.repeat(rungs, sizes[rungs])
    ranked = np.argsort(order, kind="stable")
    own = None if weights is None else weights[ranked]
    return share(labels[ranked] == bands, own), tuple(map(int, rungs))
