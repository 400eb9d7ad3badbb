"""One ladder, or groups: whether cutting a single order of the customers into bands gives the same segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Labels, Matrix
from analysis.clustering.evidence import Evidence
from analysis.features.select import dip, spread_ties

REPRODUCED = 0.9
"""Least share of memberships that bands of one order give back where segments are a ladder. Chosen for this project."""
DIP_OF_ONE_PEAK = 0.5
"""Dip, times the root of the number of customers, that evenly spread values exceed in one sample of twenty."""
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
    evidence: Evidence, matrix: Matrix, features: Matrix, names: Sequence[str], frame: pd.DataFrame, rules: Disclosure
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

    Returns
    -------
    Ladder or None
        None where no order gives at least :data:`REPRODUCED` of the memberships back, or the best one has a gap.
    """
    labels = evidence.labels
    if evidence.verdict == "natural" or labels.min() == 0 or labels.max() < 2:
        return None
    if evidence.sample is not None:
        at = evidence.sample.rows
        labels, matrix, features, frame = labels[at], matrix[at], features[at], frame.iloc[at]
    found = [(*_band(order, labels), names_of, order) for names_of, order in _orders(matrix, features, names)]
    reproduced, rungs, variables, order = max(found, key=lambda one: one[0])
    points = spread_ties(np.sort(order), log=False)
    if reproduced < REPRODUCED or dip(points) > DIP_OF_ONE_PEAK / np.sqrt(len(order)):
        return None
    cuts: tuple[float, ...] = ()
    if len(variables) == 1 and pd.api.types.is_numeric_dtype(frame[variables[0]]):
        values = frame[variables[0]].dropna().to_numpy(float)
        shares = np.cumsum(np.bincount(labels)[list(rungs)])[:-1] / len(labels)
        cuts = tuple(rules.near(rules.quantile(values, float(share)), values) for share in shares)
    return Ladder(variables, rungs, round(reproduced, 2), cuts)


def _orders(
    matrix: Matrix, features: Matrix, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Give each feature, the simpler first, and the axis along which the matrix varies most, with what names it."""
    for name, column in zip(names, features.T, strict=True):
        yield (name,), column
    centred = matrix - matrix.mean(axis=0)
    axis = centred @ np.linalg.svd(centred.T @ centred)[0][:, 0]
    moved = np.nan_to_num((features - features.mean(axis=0)).T @ axis)
    if moved[np.abs(moved).argmax()] < 0:
        moved, axis = -moved, -axis
    largest = np.argsort(-np.abs(moved), kind="stable")[:NAMED]
    yield tuple(dict.fromkeys(names[i] for i in largest if abs(moved[i]) >= abs(moved[largest[0]]) / 2)), axis


def _band(order: NDArray[np.float64], labels: Labels) -> tuple[float, tuple[int, ...]]:
    """Share of memberships that bands of the segments' sizes give back, and the segments from low to high."""
    sizes = np.bincount(labels)
    means = np.bincount(labels, order)[1:] / sizes[1:]
    rungs = np.argsort(means, kind="stable") + 1
    bands = np.repeat(rungs, sizes[rungs])
    return float((labels[np.argsort(order, kind="stable")] == bands).mean()), tuple(map(int, rungs))
