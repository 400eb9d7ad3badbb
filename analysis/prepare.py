"""From features to the matrix that the algorithms see: impute, transform, flag outliers, scale; all invertible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cleaning import LedgerLine
from analysis.config import Study
from analysis.errors import InputError, listed
from analysis.features import FeatureTable, Variable
from analysis.formats import and_more

OUTLIER_Z = 3.5
"""Robust z above which a value is an outlier (Iglewicz & Hoaglin 1993)."""
MOST_UNUSUAL = 0.1
"""Share of customers above which what looks unusual is taken for a group, and nobody is set aside. Ours."""
NEAR_COPY = 0.9
"""Absolute Spearman correlation from which two features count as near-copies."""
SKEWED = 1.0
"""Skewness above which an amount or count is taken as its logarithm."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one feature becomes a column of the matrix: ``(g(x) - centre) / scale`` with g = log1p or identity."""

    name: str
    log: bool
    fill: float
    centre: float
    scale: float
    imputed: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that does not form segments, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The matrix of the algorithms.

    Attributes
    ----------
    matrix : ndarray of float64, shape (n, p), or (n, q) where it is reduced
        Scaled features of all customers.
    core : ndarray of bool, shape (n,)
        The clean core that segments are fitted on; everyone is assigned.
    steps : tuple of Step, length p
    variables : tuple of Variable, length p
    dropped : tuple of Dropped
    axes : ndarray, shape (p, q), optional
        Principal axes of the clean core where the study reduces.
    ledger : tuple of LedgerLine
    """

    matrix: NDArray[np.float64]
    core: NDArray[np.bool_]
    steps: tuple[Step, ...]
    variables: tuple[Variable, ...]
    dropped: tuple[Dropped, ...]
    axes: NDArray[np.float64] | None
    ledger: tuple[LedgerLine, ...]


def prepare(table: FeatureTable, study: Study) -> Prepared:
    """Choose the features that form segments and scale them.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    study : Study
        Uses ``scaling``.

    Raises
    ------
    InputError
        Where no feature varies.
    """
    variables, dropped = _select(table, study.near_copies == "keep")
    frame = table.frame[[variable.name for variable in variables]]
    n = len(frame)
    logs = np.array(
        [study.transform == "auto" and _takes_log(variable, frame[variable.name]) for variable in variables]
    )
    values = frame.to_numpy(float)
    missing = np.isnan(values)
    fills = np.nanmedian(values, axis=0)
    values = np.where(missing, fills, values)
    values = np.where(logs, np.log1p(np.where(logs, np.maximum(values, 0), 0)), values)
    core = np.ones(n, dtype=bool) if study.missing == "median" else np.asarray(~missing.any(axis=1))
    if study.outliers == "robust":
        usual = ~(robust_z(values) > OUTLIER_Z).any(axis=1)
        if usual.mean() >= 1 - MOST_UNUSUAL:
            core = core & usual
    centre, scale = _scaling(values[core], study.scaling)
    steps = tuple(
        Step(variable.name, bool(log), float(fill), float(c), float(s), int(gone))
        for variable, log, fill, c, s, gone in zip(
            variables, logs, fills, centre, scale, missing.sum(axis=0), strict=True
        )
    )
    groups: dict[bytes, list[int]] = {}
    for j in map(int, np.flatnonzero(missing.any(axis=0))):
        groups.setdefault(missing[:, j].tobytes(), []).append(j)
    ledger = [
        LedgerLine(
            f"{and_more([variables[j].label for j in same])}: no value can be computed",
            "A share or an average needs something to divide by.",
            n,
            steps[same[0]].imputed,
            n,
            "median of the others used for forming segments only",
        )
        for same in groups.values()
    ]
    ledger.append(
        LedgerLine(
            "Unusual customers",
            f"A feature lies more than {OUTLIER_Z} robust standard deviations from its median."
            if study.outliers == "robust"
            else "A feature has no value; such customers are not fitted on (set by the analyst).",
            n,
            int((~core).sum()),
            n,
            "set aside while segments are formed, then assigned like everyone",
        )
    )
    matrix = (values - centre) / scale
    axes = _axes(matrix[core], study.reduce.pca) if study.reduce else None
    return Prepared(
        matrix if axes is None else matrix @ axes,
        core,
        steps,
        tuple(variables),
        tuple(dropped),
        axes,
        tuple(ledger),
    )


def apply_steps(frame: pd.DataFrame, steps: tuple[Step, ...]) -> NDArray[np.float64]:
    """Scale new customers as the fitted ones were.

    Parameters
    ----------
    frame : DataFrame, shape (m, >= p)
        Feature values in original units, one column per step.

    Returns
    -------
    ndarray of float64, shape (m, p)
    """
    columns = []
    for step in steps:
        values = frame[step.name].to_numpy(float)
        values = np.where(np.isnan(values), step.fill, values)
        columns.append(((np.log1p(np.maximum(values, 0)) if step.log else values) - step.centre) / step.scale)
    return np.column_stack(columns)


def invert_steps(matrix: NDArray[np.float64], steps: tuple[Step, ...]) -> NDArray[np.float64]:
    """Bring scaled points, shape (m, p), back to original units."""
    columns = []
    for j, step in enumerate(steps):
        values = matrix[:, j] * step.scale + step.centre
        columns.append(np.expm1(values) if step.log else values)
    return np.column_stack(columns)


def _select(table: FeatureTable, keep_copies: bool) -> tuple[list[Variable], list[Dropped]]:
    """Leave out constants and, unless they are to be kept, all but the first of near-copies."""
    chosen: list[Variable] = []
    dropped: list[Dropped] = []
    candidates = table.of("feature")
    ranks = table.frame[[variable.name for variable in candidates]].rank()
    for variable in candidates:
        values = table.frame[variable.name]
        counts = values.value_counts(dropna=True)
        if len(counts) < 2:
            told = "one value for everyone" if len(counts) else "no value for anyone"
            dropped.append(Dropped(variable.name, f"has {told}"))
            continue
        if len(values) >= 100 and counts.iloc[0] / len(values) > 0.99:
            dropped.append(Dropped(variable.name, "has one value for more than 99 % of customers"))
            continue
        twin = next(
            (
                other
                for other in chosen
                if not keep_copies and abs(ranks[variable.name].corr(ranks[other.name])) >= NEAR_COPY
            ),
            None,
        )
        if twin:
            r = ranks[variable.name].corr(ranks[twin.name])
            dropped.append(
                Dropped(variable.name, f"moves with {twin.label} (Spearman {r:.2f}); one of the two is enough")
            )
            continue
        chosen.append(variable)
    if not chosen:
        raise InputError(
            "No feature varies between customers, so there is nothing to form segments by.",
            f"Features looked at: {listed(variable.label for variable in candidates)}.",
            "Give other columns the role 'feature'.",
        )
    return chosen, dropped


def _takes_log(variable: Variable, values: pd.Series) -> bool:
    if variable.transform != "auto":
        return variable.transform == "log"
    return (
        variable.unit in {"money", "count", "number"}
        and values.min() >= 0
        and float(np.asarray(values.skew())) > SKEWED
    )


def _axes(values: NDArray[np.float64], q: int) -> NDArray[np.float64]:
    """First q principal axes, shape (p, q); the largest loading of each is positive."""
    _, _, rows = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    axes = rows[: min(q, len(rows))].T
    return axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])


def robust_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the median in robust standard deviations, shape (n, p); 0 where a column has no spread.

    The spread is 1.4826 MAD; where over half of the values are equal, 1.2533 times the mean absolute deviation.
    """
    distance = np.abs(values - np.median(values, axis=0))
    spread = 1.4826 * np.median(distance, axis=0)
    spread = np.where(spread > 0, spread, 1.2533 * distance.mean(axis=0))
    two_valued = np.array([len(np.unique(column)) <= 2 for column in values.T])
    return np.divide(distance, spread, out=np.zeros_like(distance), where=(spread > 0) & ~two_valued)


def _scaling(values: NDArray[np.float64], how: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if how == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    if how == "minmax":
        centre, scale = values.min(axis=0), np.ptp(values, axis=0)
    elif how == "robust":
        q1, centre, q3 = np.percentile(values, [25, 50, 75], axis=0)
        scale = q3 - q1
    else:
        centre, scale = values.mean(axis=0), values.std(axis=0)
    spread = values.std(axis=0)
    return centre, np.where(scale > 0, scale, np.where(spread > 0, spread, 1.0))
