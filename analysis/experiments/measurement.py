"""Measurement of a test by intent to treat: every allocated customer counts in the group that was drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.experiments.allocation import CONTROL, TREATMENT
from analysis.experiments.outcomes import COUNTED, Outcomes
from analysis.experiments.records import Effect, Experiment, Kind, Results
from analysis.experiments.statistics import (
    Estimate,
    Values,
    adjust_by_before,
    bootstrap,
    check_ratio,
    compare_means,
    compare_shares,
    is_heavy,
    winsorise,
)


def measure(test: Experiment, groups: pd.DataFrame, outcomes: Outcomes, rules: Disclosure) -> Experiment:
    """Return a test with its results, rounded for publication.

    Parameters
    ----------
    test : Experiment
        At the end of its window; before it nothing may be looked at.
    groups : DataFrame
        ``key``, ``segment`` and ``group`` of n customers.
    outcomes : Outcomes
        Of the same customers, in the same order.
    rules : Disclosure

    Raises
    ------
    InputError
        Where no outcome is known in one of the groups.
    """
    group = groups["group"].to_numpy()
    known = np.isfinite(outcomes.values)
    attrition = tuple(float(1 - known[group == name].mean()) for name in (TREATMENT, CONTROL))
    if not all((known & (group == name)).any() for name in (TREATMENT, CONTROL)):
        raise InputError(f"Test '{test.name}': no outcome is known in one of the two groups.")
    values, group, segments = outcomes.values[known], group[known], groups["segment"].to_numpy()[known]
    before = None if outcomes.before is None else outcomes.before[known]
    kind: Kind = "share" if test.kpi in COUNTED or bool(np.isin(values, (0.0, 1.0)).all()) else "mean"
    heavy = kind == "mean" and is_heavy(values)
    raw, narrowed = values, 0.0
    if heavy:
        values = winsorise(values)
        before = None if before is None else winsorise(before)
    if kind == "mean" and before is not None and np.isfinite(before).all():
        values, narrowed = adjust_by_before(values, before)
    masks = [np.ones(len(values), dtype=bool), *(segments == s for s in test.segments if len(test.segments) > 1)]
    names = ["", *(test.segments if len(test.segments) > 1 else ())]
    effects = [
        _effect(name, values[mask], raw[mask], group[mask], kind, rules)
        for name, mask in zip(names, masks, strict=True)
    ]
    boot: tuple[float | None, float | None] = (None, None)
    if heavy and effects[0].lift is not None:
        step = _step(raw, group, kind, rules)
        ends = bootstrap(raw[group == TREATMENT], raw[group == CONTROL])
        boot = (rules.to_step(ends[0], step), rules.to_step(ends[1], step))
    counts = [int((group == name).sum()) for name in (TREATMENT, CONTROL)]
    results = Results(
        kind,
        tuple(effects),
        outcomes.source,
        float(f"{check_ratio(counts[0], counts[1], test.holdout):.3g}"),
        (rules.share(attrition[0]), rules.share(attrition[1])),
        heavy,
        round(narrowed, 3),
        *boot,
        _value_order(outcomes, groups["group"].to_numpy() == CONTROL, rules),
    )
    return replace(test, status="measured", results=results)


def _value_order(outcomes: Outcomes, control: NDArray[np.bool_], rules: Disclosure) -> float | None:
    """Return the mean worth of an order in the control group; None where too few ordered, or one dominates."""
    if outcomes.order_values is None:
        return None
    known = outcomes.order_values[control & np.isfinite(outcomes.order_values)]
    if len(known) < rules.min_cell or (rules.public and rules.is_dominated(known)):
        return None
    return float(f"{rules.mean(known):.6g}")


def _effect(segment: str, values: Values, raw: Values, group: NDArray[Any], kind: Kind, rules: Disclosure) -> Effect:
    treated, control = values[group == TREATMENT], values[group == CONTROL]
    sizes = Effect(segment, rules.count(len(treated)), rules.count(len(control)))
    if _is_withheld(treated, control, kind, rules.min_cell):
        few = [n if n >= rules.min_cell else 0 for n in (len(treated), len(control))]
        return Effect(segment, rules.count(few[0]), rules.count(few[1]))
    estimate = compare_shares(treated, control) if kind == "share" else compare_means(treated, control)
    return _round(sizes, estimate, _step(raw, group, kind, rules), rules)


def _is_withheld(treated: Values, control: Values, kind: Kind, few: int) -> bool:
    """Return whether a group, or those with or without the outcome in it, are too few to publish."""
    if min(len(treated), len(control)) < few:
        return True
    if kind == "mean":
        return False
    return any(min(float(part.sum()), len(part) - float(part.sum())) < few for part in (treated, control))


def _step(raw: Values, group: NDArray[Any], kind: Kind, rules: Disclosure) -> float:
    """Return a step that a single customer cannot move the mean of either group by."""
    parts = [raw[group == name] for name in (TREATMENT, CONTROL)]
    if kind == "share":
        return max(rules.step_of(1.0, len(part)) for part in parts)
    clipped = [winsorise(part) for part in parts]
    return max(rules.step(part, float(part.mean())) for part in clipped)


def _round(sizes: Effect, found: Estimate, step: float, rules: Disclosure) -> Effect:
    def near(x: float) -> float:
        return float(f"{rules.to_step(x, step) if step else x:.6g}")

    def outwards(x: float, whole: Callable[[float], int]) -> float:
        # An interval may grow by rounding, but not shrink.
        return float(f"{whole(round(x / step, 9)) * step:.6g}") if step and rules.public else near(x)

    ratio = [None if found.ratio is None else round(x, 2) for x in found.ratio or (0.0, 0.0, 0.0)]
    return replace(
        sizes,
        rate_treated=near(found.treated),
        rate_control=near(found.control),
        lift=near(found.lift),
        low=outwards(found.low, math.floor),
        high=outwards(found.high, math.ceil),
        ratio=ratio[0],
        ratio_low=ratio[1],
        ratio_high=ratio[2],
        p=round(found.p, 4),
        least=float(f"{found.least:.2g}"),
    )
