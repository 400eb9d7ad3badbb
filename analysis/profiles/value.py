"""Value of segments: totals, shares, and how much of it comes from how few."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Labels

STEPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of customers, most valuable first, whose share of the value is stated. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of the value comes from how few.

    Attributes
    ----------
    curve : tuple of (float, float)
        Share of customers, most valuable first, and their share of the value; the first point stands for
        ``min_cell`` customers and 1% at least, and so do the steps between points.
    segments : tuple of (int, float, float)
        The same adding up whole segments, the most valuable a customer first.
    """

    curve: tuple[tuple[float, float], ...]
    segments: tuple[tuple[int, float, float], ...]


def share_value(
    worth: NDArray[np.float64] | None, labels: Labels, rules: Disclosure
) -> tuple[list[float | None], list[float | None]]:
    """Total and share of the value by segment; no shares where a customer dominates a segment or everyone.

    All are left out together: one alone would follow from the others.
    """
    k = int(labels.max())
    if worth is None:
        return [None] * k, [None] * k
    totals = [rules.total(worth[labels == segment]) for segment in range(1, k + 1)]
    whole = math.fsum(worth)
    if None in totals or rules.total(worth) is None or not whole:
        return [None] * k, [None] * k
    return totals, [rules.share(math.fsum(worth[labels == segment]) / whole) for segment in range(1, k + 1)]


def measure_concentration(worth: NDArray[np.float64], labels: Labels, rules: Disclosure) -> Concentration | None:
    """None where nothing is of value, a customer dominates it, or customers are too few for a curve of groups."""
    n, total, min_cell = len(worth), float(worth.sum()), rules.min_cell
    if total <= 0 or n < 2 * min_cell or None in share_value(worth, labels, rules)[0]:
        return None
    reached, ends = np.cumsum(np.sort(worth)[::-1]), [0]
    for share in STEPS:
        end = math.ceil(share * n)
        if end - ends[-1] >= min_cell and n - end >= min_cell:
            ends.append(end)
    curve = [(rules.share(end / n), rules.share(float(reached[end - 1]) / total)) for end in ends[1:]]
    inside = [labels == segment for segment in range(1, int(labels.max()) + 1)]
    order = sorted(range(len(inside)), key=lambda i: -float(worth[inside[i]].mean()))
    segments, people, value = [], 0, 0.0
    for i in order:
        people, value = people + int(inside[i].sum()), value + float(worth[inside[i]].sum())
        segments.append((i + 1, rules.share(people / n), rules.share(value / total)))
    return Concentration((*curve, (1.0, 1.0)), tuple(segments))
