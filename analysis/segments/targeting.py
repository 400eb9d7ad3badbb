"""Scores of segments for targeting, by criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.assignment.rules import Rules
from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.weights import Weights, effective_size
from analysis.features.build import Variable
from analysis.past.records import Change
from analysis.profiles.profile import SegmentProfile
from analysis.profiles.value import ExpectedSpend
from analysis.settings.models import CriterionName, Study

Axis = Literal["attractiveness", "fit"]

WEIGHT = 50
"""Weight of a criterion where the settings name none; from 0 to 100. Ours: all alike."""
NORMAL = 1.96
"""Standard errors to either end of a 95% interval."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What speaks for a segment, one number each.

    Attributes
    ----------
    name : str
        Size and value of a customer, what is expected of the next year, growth since the run before,
        being found by a few questions, response.
    axis : str
        Whether it makes a segment worth having (attractiveness) or within reach (fit).
    variable : str
        Of the report; empty where the number is none of a variable.
    values : tuple of float, length k
        In the variable's unit; shares from 0 to 1.
    scores : tuple of int, length k
        100 for the best and for the others the part of it that they reach, nothing below zero: half the number is half
        the score, so that small differences stay small and two segments are not 0 and 100 by force.
    apart : bool
        Whether the best and the last differ by more than chance: their 95% intervals do not meet.
    weight : int
        Initial weight; 0 where the segments are not apart.
    """

    name: CriterionName
    axis: Axis
    variable: str
    values: tuple[float, ...]
    scores: tuple[int, ...]
    apart: bool
    weight: int


@dataclass(frozen=True, slots=True)
class Targeting:
    """The criteria with what the first weights make of them.

    ``attractiveness``, ``fit`` and ``total`` are weighted means of scores, 0 to 100, one a segment; None where nothing
    has a weight. ``order`` has the segments' numbers, the best first.
    """

    criteria: tuple[Criterion, ...]
    attractiveness: tuple[float | None, ...]
    fit: tuple[float | None, ...]
    total: tuple[float | None, ...]
    order: tuple[int, ...]


def weigh_segments(
    segments: tuple[SegmentProfile, ...],
    variables: tuple[Variable, ...],
    rules: Rules,
    expected: ExpectedSpend | None,
    study: Study,
    change: Change | None = None,
    weights: Weights = None,
) -> Targeting:
    """Score each segment by each criterion that the data supports; survey weights widen the interval of its size.

    Raises
    ------
    InputError
        Where ``targeting.response`` is not a yes/no outcome.
    """
    n = sum(s.n for s in segments) if weights is None else round(effective_size(weights))
    sizes = [s.share for s in segments]
    scored = [_criterion("size", "attractiveness", "", sizes, _around(sizes, [n] * len(sizes)), study)]
    if study.value:
        scored.append(_by_mean("value", "attractiveness", study.value, segments, study))
    if expected is not None:
        ends = [(e.low, e.high) for e in expected.segments]
        values = [e.value for e in expected.segments]
        scored.append(_criterion("outlook", "attractiveness", "", values, ends, study))
    if growth := _growth(change, len(segments)):
        values, ends = [x for x, _ in growth], [around for _, around in growth]
        scored.append(_criterion("growth", "attractiveness", "", values, ends, study))
    reach = [_f1(each.precision, each.recall) for each in rules.tree.segments]
    scored.append(_criterion("reachability", "fit", "", reach, _around(reach, [s.n for s in segments]), study))
    if response := _response(variables, segments, study):
        scored.append(_by_mean("response", "fit", response, segments, study))
    criteria = tuple(criterion for criterion in scored if criterion)
    total = _mean(criteria, len(segments))
    return Targeting(
        criteria,
        _mean([c for c in criteria if c.axis == "attractiveness"], len(segments)),
        _mean([c for c in criteria if c.axis == "fit"], len(segments)),
        total,
        tuple(sorted(range(1, len(segments) + 1), key=lambda j: -(total[j - 1] or 0))),
    )


def _by_mean(
    name: CriterionName, axis: Axis, variable: str, segments: tuple[SegmentProfile, ...], study: Study
) -> Criterion | None:
    """A criterion by the mean of a variable; None where a segment's is not published."""
    differences = [next((d for d in s.differences if d.variable == variable), None) for s in segments]
    known = [d for d in differences if d is not None]
    if len(known) < len(differences):
        return None
    ends = [(d.z_low, d.z_high) for d in known]
    return _criterion(name, axis, variable, [d.summary.mean for d in known], ends, study)


def _criterion(
    name: CriterionName, axis: Axis, variable: str, values: list[float], ends: list[tuple[float, float]], study: Study
) -> Criterion | None:
    best, last = int(np.argmax(values)), int(np.argmin(values))
    if values[best] <= 0:
        return None
    apart = ends[best][0] > ends[last][1]
    scores = tuple(int(100 * max(x, 0) / values[best] + 0.5) for x in values)
    weight = study.targeting.weights.get(name, WEIGHT if apart else 0)
    return Criterion(name, axis, variable, tuple(values), scores, apart, weight)


def _mean(criteria: tuple[Criterion, ...] | list[Criterion], k: int) -> tuple[float | None, ...]:
    weight = sum(c.weight for c in criteria)
    return tuple(sum(c.weight * c.scores[j] for c in criteria) / weight if weight else None for j in range(k))


def _around(shares: list[float], counts: list[int]) -> list[tuple[float, float]]:
    """95% intervals of shares, by the normal approximation."""
    spreads = [NORMAL * (p * (1 - p) / n) ** 0.5 for p, n in zip(shares, counts, strict=True)]
    return [(p - spread, p + spread) for p, spread in zip(shares, spreads, strict=True)]


def _growth(change: Change | None, k: int) -> list[tuple[float, tuple[float, float]]]:
    """Share of customers now over the share then, with its ends; empty unless every segment was there then."""
    grown = {}
    for s in change.segments if change else ():
        if s.kind == "kept" and s.now and s.shift and s.share_then:
            value, low, high = (1 + x / s.share_then for x in s.shift)
            grown[s.now] = value, (low, high)
    return [grown[j] for j in sorted(grown)] if len(grown) == k else []


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _response(variables: tuple[Variable, ...], segments: tuple[SegmentProfile, ...], study: Study) -> str:
    """The outcome that the settings name, or the first one that is published for all segments; empty for none."""
    outcomes = [v.name for v in variables if v.role == "outcome" and v.unit == "yes_no"]
    named = study.targeting.response
    if named is not None and named not in ("", *outcomes):
        raise InputError(
            f"_quarto.yml, segmentation.targeting.response: '{named}' is not a yes/no outcome.",
            f"Available: {listed(outcomes)}." if outcomes else "The study has none.",
            did_you_mean(named, outcomes) or "Choose one of them, or '' for none.",
        )
    published = [{d.variable for d in s.differences} for s in segments]
    open_to = outcomes if named is None else [named]
    return next((name for name in open_to if all(name in known for known in published)), "")
