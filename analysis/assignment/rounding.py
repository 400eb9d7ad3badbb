"""Numbers of the rule by nearest centres, rounded so that none tells a customer; customers are assigned with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.assignment.trees import round_digits
from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights
from analysis.clustering.algorithms import Fit, Labels, Matrix
from analysis.clustering.evidence import Evidence
from analysis.features.preparation import Features
from analysis.features.prepare import OUTLIER_Z, Prepared, Step, apply_steps, list_numbers
from analysis.settings.models import Study

DIGITS, FEW_DIGITS = 6, 2
"""Significant digits of all numbers of the rule, and of loadings and units of logarithms on a public site."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """The numbers of the rule.

    Attributes
    ----------
    prepared : Prepared
        Its steps, axes and matrix are those of the rounded rule.
    centres : ndarray, shape (k, q)
        In the columns of that matrix.
    """

    prepared: Prepared
    centres: Matrix


def round_rule(frame: pd.DataFrame, prepared: Prepared, evidence: Evidence, study: Study) -> Rounded:
    """Round the steps first, then the centres in the units that the rounded steps make.

    Each number is rounded to a step that the most extreme customer cannot move it by; on an internal site to
    :data:`DIGITS` significant digits.

    Parameters
    ----------
    frame : DataFrame, shape (n, >= p)
        Features in their own units.
    prepared : Prepared
        What the segments were formed on.
    evidence : Evidence
        Its labels are not read, so that the rule is the same after customers were assigned with it.
    study : Study
    """
    rules = Disclosure.of(study)
    fit = evidence.fit
    coarse = rules.public and study.scaling in {"standard", "robust"}
    steps = tuple(_round_digits(_coarsen(s, frame, evidence.core, rules) if coarse else s) for s in prepared.steps)
    matrix = apply_steps(frame, steps)
    axes = prepared.axes
    if axes is not None:
        axes = _digits(axes, FEW_DIGITS if rules.public else DIGITS)
        matrix = matrix @ axes
    rounded = replace(prepared, steps=steps, axes=axes, matrix=matrix)
    centres = _carry(fit.nearest, prepared, matrix, frame)
    own = np.where(evidence.core, fit.assign(prepared.matrix), 0)
    if fit.members is not None and len(fit.members) == evidence.core.sum():
        own[evidence.core] = fit.members
    means = round_means(centres, matrix, own, rules, evidence.weights)
    if fit.classes is not None and rules.public:
        numbers = [j for j in list_numbers(matrix.shape[1], prepared.blocks()) if len(np.unique(matrix[:, j])) > 2]
        steps = _point_steps(centres[:, numbers], matrix[:, numbers], own, rules)
        means[:, numbers] = np.vectorize(rules.to_step, otypes=[float])(centres[:, numbers], steps)
    return Rounded(rounded, _digits(means, DIGITS))


def round_means(means: Matrix, matrix: Matrix, labels: Labels, rules: Disclosure, weights: Weights = None) -> Matrix:
    """Round means of segments, shape (k, q), each to a step that none of its customers can move it by."""
    if not rules.public:
        return means
    inside = [labels == j + 1 for j in range(len(means))]
    own = [None if weights is None else weights[rows] for rows in inside]
    each = list(zip(means, inside, own, strict=True))
    return np.array(
        [[rules.near(float(x), c, w) for x, c in zip(row, matrix[at].T, strict=True)] for row, at, w in each]
    )


def _point_steps(points: Matrix, matrix: Matrix, labels: Labels, rules: Disclosure) -> Matrix:
    """How far one customer can move the points of latent classes in the columns of numbers, shape (k, r).

    There a point is a mean over the variance within classes, and a customer moves both.
    """
    steps = np.zeros_like(points)
    everyone = matrix[labels > 0]
    own = [matrix[labels == j + 1] for j in range(len(points))]
    means = np.array([rows.mean(axis=0) if len(rows) else everyone.mean(axis=0) for rows in own])
    apart = np.ptp(means, axis=0)
    precision = np.where(apart > 0, np.ptp(points, axis=0) / np.where(apart > 0, apart, 1.0), 1.0)
    for j, column in np.ndindex(points.shape):
        values = own[j][:, column]
        reach = float(precision[column] * np.abs(values - means[j, column]).max(initial=0.0))
        away = abs(float(means[j, column] - everyone[:, column].mean()))
        steps[j, column] = rules.step_of(reach * (1 + away * reach * len(values) / len(everyone)), len(values))
    return steps


def assign_by_rule(features: Features, evidence: Evidence, study: Study) -> Evidence:
    """Assign the customers of segments that nearest centres form with the rounded centres that are published.

    The evidence is not measured again. Segments of any other method are kept, and so are those of which the rounded
    rule would lose one.
    """
    fit, prepared = evidence.fit, features.prepared
    if fit.points is not None or fit.shapes is not None or study.scaling == "minmax":
        return evidence
    if not np.array_equal(fit.assign(prepared.matrix), evidence.labels):
        return evidence
    rounded = round_rule(features.table.frame, prepared, evidence, study)
    labels = Fit(rounded.centres).assign(rounded.prepared.matrix).astype(evidence.labels.dtype)
    sizes = np.bincount(labels, minlength=fit.k + 1)[1:]
    return replace(evidence, labels=labels) if sizes.min() >= min(study.min_cell, _smallest(evidence)) else evidence


def _smallest(evidence: Evidence) -> int:
    return int(np.bincount(evidence.labels)[1:].min())


def _coarsen(step: Step, frame: pd.DataFrame, core: NDArray[np.bool_], rules: Disclosure) -> Step:
    if step.levels:
        return replace(step, scale=round_digits(step.scale, FEW_DIGITS + 1))
    raw = frame[step.name].to_numpy(float)
    known = raw[~np.isnan(raw)]
    two_valued = len(np.unique(known)) <= 2
    fill = step.fill if two_valued else rules.near(rules.quantile(known, 0.5), known)
    unit = round_digits(step.unit, FEW_DIGITS)
    values = raw[core & ~np.isnan(raw)]
    before, values = (_transform(values, replace(step, unit=u)) for u in (step.unit, unit))
    stretch = float(values.std() / before.std()) if before.std() > 0 else 1.0
    centre = float(values.mean()) + stretch * (step.centre - float(before.mean()))
    scale = stretch * step.scale
    reach = float(np.abs(values - centre).max(initial=0.0))
    influence = rules.step_of(max(reach, reach**2 / (2 * scale)), len(values))
    limits = step.limits
    if limits is not None:
        low, high = (float(values.mean()) + stretch * (x - float(before.mean())) for x in limits)
        limits = rules.to_step(low, OUTLIER_Z * influence), rules.to_step(high, OUTLIER_Z * influence)
    return replace(
        step,
        fill=fill,
        unit=unit,
        centre=rules.near(centre, values),
        scale=rules.to_step(scale, influence) or round_digits(scale, 1),
        limits=limits,
    )


def _transform(values: NDArray[np.float64], step: Step) -> NDArray[np.float64]:
    values = np.log1p(np.maximum(values, 0) / step.unit) if step.log else values
    return np.clip(values, *step.limits) if step.limits and not step.log else values


def _carry(points: Matrix, prepared: Prepared, matrix: Matrix, frame: pd.DataFrame) -> Matrix:
    """Express points of the earlier matrix in the columns of the new one, which is nearly a linear map of it."""
    whole = frame[[step.name for step in prepared.steps]].notna().all(axis=1).to_numpy()
    rows = whole if whole.sum() > 2 * matrix.shape[1] + 2 else np.ones(len(matrix), dtype=bool)
    middle, goal = prepared.matrix[rows].mean(axis=0), matrix[rows].mean(axis=0)
    if prepared.axes is None:
        spread = prepared.matrix[rows].std(axis=0)
        stretch = np.where(spread > 0, matrix[rows].std(axis=0) / np.where(spread > 0, spread, 1.0), 1.0)
        return (points - middle) * stretch + goal
    map_ = np.linalg.lstsq(prepared.matrix[rows] - middle, matrix[rows] - goal, rcond=None)[0]
    return (points - middle) @ map_ + goal


def _round_digits(step: Step) -> Step:
    """Return the numbers of a step with the digits that are published."""
    numbers: dict[str, Any] = {
        name: round_digits(getattr(step, name), DIGITS) for name in ("fill", "centre", "scale", "unit")
    }
    reach = step.limits and (round_digits(step.limits[0], DIGITS), round_digits(step.limits[1], DIGITS))
    return replace(step, **numbers, limits=reach)


def _digits(matrix: Matrix, digits: int) -> Matrix:
    return np.array([[round_digits(float(x), digits) for x in row] for row in matrix])
