"""Preparation of the feature matrix: imputation, transformation, outliers and scaling, all invertible."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.formats import and_more, percentage, significant
from analysis.base.workers import map_columns
from analysis.customers.cleaning import LedgerLine
from analysis.features.build import FeatureTable, Variable
from analysis.features.select import PARTS, Dropped, Group, select
from analysis.settings.models import Study

Blocks = tuple[tuple[int, int], ...]
"""First column and the one after the last of each category's levels, of which a customer has one at most."""


def list_numbers(n_columns: int, blocks: Blocks) -> list[int]:
    """List the columns of a matrix that are no category's levels.

    >>> list_numbers(5, ((1, 3),))
    [0, 3, 4]
    """
    levels = {j for start, stop in blocks for j in range(start, stop)}
    return [j for j in range(n_columns) if j not in levels]


OUTLIER_Z = 3.5
"""Robust z above which a value is an outlier (Iglewicz & Hoaglin 1993)."""
MOST_UNUSUAL = 0.1
"""Share of customers above which what looks unusual is taken for a group, and nobody is set aside. Chosen for this
project."""
SKEWED = 1.0
"""Skewness above which an amount or count is taken as its logarithm."""
MOST_NEIGHBOURS, NEIGHBOURS = 5_000, 5
"""Customers of the clean core, sampled above this many, that missing values are learnt from; and how many of them
stand for the nearest. Ours; five is scikit-learn's default."""
MISMATCH = 0.5
"""What another level of a category costs, in mean standard deviations of the numbers (Huang 1998)."""
EQUAL = 1e-9
"""Distance of a centred answer from 0 up to which it is the respondent's average, but for rounding."""
MOST_PREDICTORS, ROUNDS = 20, 20
"""Features that a missing value is estimated from, and how often estimates are renewed. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one feature becomes a column of the matrix: ``(g(x) - centre) / scale``, g(x) = log(1 + x / unit) or x.

    ``limits`` are the values of g(x) that limit all values beyond, None for none. Where near-copies share a
    weight, ``scale`` holds the root of how many they are as a factor. A category has one column for each of ``levels``:
    1 / ``scale`` where it is the customer's, else 0; any other level and a missing one are as unlike one as another.
    """

    name: str
    log: bool
    fill: float
    centre: float
    scale: float
    imputed: int
    limits: tuple[float, float] | None = None
    unit: float = 1.0
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """The matrix of the algorithms.

    Attributes
    ----------
    matrix : ndarray of float64, shape (n, p), or (n, q) where it is reduced
        Scaled features of all customers; one column for each number and for each level of a category.
    core : ndarray of bool, shape (n,)
        The clean core that segments are fitted on; everyone is assigned.
    steps : tuple of Step
    variables : tuple of Variable
        Of the same length, numbers first.
    groups : tuple of Group
        Near-copies among the features.
    dropped : tuple of Dropped
    axes : ndarray, shape (p, q), optional
        Principal axes of the clean core where the study reduces.
    ledger : tuple of LedgerLine
    """

    matrix: NDArray[np.float64]
    core: NDArray[np.bool_]
    steps: tuple[Step, ...]
    variables: tuple[Variable, ...]
    groups: tuple[Group, ...]
    dropped: tuple[Dropped, ...]
    axes: NDArray[np.float64] | None
    ledger: tuple[LedgerLine, ...]

    def columns(self) -> tuple[Variable, ...]:
        """Return the variable of each scaled feature, length p."""
        return tuple(v for v, step in zip(self.variables, self.steps, strict=True) for _ in step.levels or (v,))

    def blocks(self) -> Blocks:
        """Return the matrix columns of each category's levels; none after a principal component analysis."""
        return () if self.axes is not None else self.feature_blocks()

    def feature_blocks(self) -> Blocks:
        """Return the scaled features of each category's levels."""
        ends = np.cumsum([len(step.levels) or 1 for step in self.steps]).tolist()
        return tuple((end - len(s.levels), end) for end, s in zip(ends, self.steps, strict=True) if s.levels)


def prepare(table: FeatureTable, study: Study) -> Prepared:
    """Choose the features that form segments and scale them.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    study : Study
        Uses ``near_copies``, ``noise``, ``missing``, ``outliers``, ``transform``, ``scaling`` and ``reduce``.

    Raises
    ------
    InputError
        Where no feature varies.
    """
    logged = _find_logged(table.of("feature"), table.frame, study)
    chosen = select(table, study, logged)
    numbers = [v for v in chosen.variables if not v.categorical]
    unknown = table.frame[[v.name for v in chosen.variables]].isna().to_numpy()
    missing = unknown[:, : len(numbers)]
    values, logs, fills, units = _transform(table.frame, numbers, logged)
    nobody = np.zeros(len(values), dtype=bool)
    unusual = nobody if study.outliers == "none" else np.asarray((robust_z(values) > OUTLIER_Z).any(axis=1))
    aside = unusual if study.outliers == "robust" and unusual.mean() <= MOST_UNUSUAL else nobody
    limits = _limits(values) if study.outliers == "winsorise" else [None] * len(logs)
    values = _draw_in(values, limits)
    core = ~(aside | _straight_lined(table, chosen.variables) | (unknown.any(axis=1) & (study.missing == "exclude")))
    centre, scale = _scaling(values[core], study.scaling)
    match = float(np.sqrt(MISMATCH / 2 * (values[core] / scale).std(axis=0).mean())) if numbers else 1.0
    scale = scale * np.sqrt(chosen.shared_by[: len(numbers)])
    matrix = values - centre
    matrix /= scale
    if study.missing in {"knn", "iterative"} and missing.any():
        matrix = _estimate(matrix, missing, core, study)
    each = zip(numbers, logs, fills, centre, scale, missing.sum(axis=0), limits, units, strict=True)
    steps = tuple(
        Step(variable.name, bool(log), float(fill), float(c), float(s), int(gone), reach, float(unit))
        for variable, log, fill, c, s, gone, reach, unit in each
    )
    for variable in chosen.variables[len(numbers) :]:
        levels = _levels(table.frame[variable.name], study.min_cell)
        gone = int(table.frame[variable.name].isna().sum())
        steps += (Step(variable.name, False, 0.0, 0.0, 1 / match, gone, levels=levels),)
        matrix = np.column_stack([matrix, _scaled(table.frame, steps[-1])])
    axes = principal_axes(matrix[core], study.reduce.pca) if study.reduce else None
    return Prepared(
        matrix if axes is None else matrix @ axes,
        core,
        steps,
        chosen.variables,
        chosen.groups,
        chosen.dropped,
        axes,
        _ledger(chosen.variables, unknown, int(unusual.sum()), int(aside.sum()), study),
    )


def apply_steps(frame: pd.DataFrame, steps: tuple[Step, ...]) -> NDArray[np.float64]:
    """Scale new customers with the fitted steps.

    Parameters
    ----------
    frame : DataFrame, shape (m, >= p)
        Feature values in original units, one column per step.

    Returns
    -------
    ndarray of float64, shape (m, p)
    """
    return np.column_stack([_scaled(frame, step) for step in steps])


def standard_steps(table: FeatureTable, names: Sequence[str], prepared: Prepared, study: Study) -> tuple[Step, ...]:
    """Return the steps that put numbers on one scale, on which differences between segments are measured.

    A feature that forms segments has the scale of its column of the matrix, in standard deviations of the clean core:
    weights of near-copies and another ``scaling`` are undone. All others are prepared by the same rules, and limited
    at :data:`OUTLIER_Z`, so that one extreme customer does not make a difference. What is missing does not count.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    names : sequence of str, length p
        Numbers with at least one known value.
    prepared : Prepared
    study : Study
        Uses ``transform``.

    Returns
    -------
    tuple of Step, length p
    """
    steps = {step.name: step for step in prepared.steps}
    for variable in table.variables:
        if variable.name in names and variable.name not in steps:
            known = table.frame[[variable.name]].dropna()
            values, (log,), (fill,), (unit,) = _transform(known, [variable], _find_logged([variable], known, study))
            (reach,) = _limits(values)
            steps[variable.name] = Step(variable.name, bool(log), float(fill), 0.0, 1.0, 0, reach, float(unit))
    return tuple(_standardise(table.frame, steps[name], prepared.core) for name in names)


def _standardise(frame: pd.DataFrame, step: Step, core: NDArray[np.bool_]) -> Step:
    """The step with the mean and the standard deviation of the known values of the clean core."""
    known = frame[step.name].notna().to_numpy()
    column = _scaled(frame[core & known if (core & known).any() else known], step)
    spread = float(column.std()) if np.ptp(column) > 0 else 1.0
    return replace(step, centre=step.centre + step.scale * float(column.mean()), scale=step.scale * spread)


def _scaled(frame: pd.DataFrame, step: Step) -> NDArray[np.float64]:
    """One column, or one for each level, shape (m, 1 or more)."""
    if step.levels:
        codes = pd.Index(step.levels).get_indexer(pd.Index(frame[step.name]))
        return (codes[:, None] == np.arange(len(step.levels))) / step.scale
    values = frame[step.name].to_numpy(float)
    values = np.where(np.isnan(values), step.fill, values)
    values = np.log1p(np.maximum(values, 0) / step.unit) if step.log else values
    return (_draw_in(values[:, None], [step.limits]) - step.centre) / step.scale


def _straight_lined(table: FeatureTable, variables: Sequence[Variable]) -> NDArray[np.bool_]:
    """Respondents, shape (n,), of whose answers nothing is left once their average is taken from them."""
    items = [variable.name for variable in variables if variable.is_centred]
    if not items:
        return np.zeros(len(table.frame), dtype=bool)
    return (table.frame[items].abs().fillna(0.0) < EQUAL).all(axis=1).to_numpy()


def _levels(values: pd.Series, min_cell: int) -> tuple[str, ...]:
    """The levels that enough customers have, in alphabetical order; all of them where none has."""
    counts = values.value_counts()
    return tuple(sorted(map(str, counts[counts >= min(min_cell, counts.max())].index)))


def invert_steps(matrix: NDArray[np.float64], steps: tuple[Step, ...]) -> NDArray[np.float64]:
    """Transform scaled points, shape (m, p), back to original units; not for studies with categories."""
    columns = []
    for j, step in enumerate(steps):
        values = matrix[:, j] * step.scale + step.centre
        columns.append(np.expm1(values) * step.unit if step.log else values)
    return np.column_stack(columns)


def _ledger(
    variables: tuple[Variable, ...], missing: NDArray[np.bool_], unusual: int, aside: int, study: Study
) -> tuple[LedgerLine, ...]:
    n = len(missing)
    how = {
        "median": "filled with {usual} for forming segments only",
        "exclude": "filled with {usual} for assigning only",
        "knn": f"filled from the {NEIGHBOURS} nearest customers for forming segments only",
        "iterative": "estimated from the other features for forming segments only",
    }[study.missing]
    why = "A share or an average needs something to divide by."
    groups: dict[tuple[bytes, str], list[int]] = {}
    for j in map(int, np.flatnonzero(missing.any(axis=0))):
        usual = "the commoner answer" if variables[j].unit == "yes_no" else "the median of the others"
        done = "as unlike one segment as another" if variables[j].categorical else how.format(usual=usual)
        groups.setdefault((missing[:, j].tobytes(), done), []).append(j)
    lines = [
        LedgerLine(
            f"{and_more([variables[j].label for j in same])}: no value can be computed",
            why,
            n,
            int(missing[:, same[0]].sum()),
            n,
            done,
        )
        for (_, done), same in groups.items()
    ]
    if study.missing == "exclude":
        why = "Segments are formed by customers whose every feature is known (set by the analyst)."
        without = int(missing.any(axis=1).sum())
        done = "set aside while segments are formed, then assigned like everyone"
        lines.append(LedgerLine("Customers without a value in a feature", why, n, without, n, done))
    why = f"A feature lies more than {significant(OUTLIER_Z)} robust standard deviations from its median."
    done = "set aside while segments are formed, then assigned like everyone"
    if study.outliers == "winsorise":
        done = "drawn in to that distance, for forming segments and for assigning alike; nobody set aside"
    elif study.outliers == "none":
        why = "Not looked for (set by the analyst)."
    elif unusual > aside:
        why += f" More than {percentage(MOST_UNUSUAL)} would be: a group rather than outliers, so nobody is."
    touched = unusual if study.outliers == "winsorise" else aside
    return (*lines, LedgerLine("Unusual customers", why, n, touched, n, done))


def _find_logged(variables: Sequence[Variable], frame: pd.DataFrame, study: Study) -> frozenset[str]:
    """Names of the variables that are taken as their logarithm."""
    return frozenset(v.name for v in variables if study.transform == "auto" and _takes_log(v, frame[v.name]))


def _transform(
    frame: pd.DataFrame, variables: Sequence[Variable], logged: frozenset[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Numbers without gaps, shape (n, p), some as logarithms; and of each which one, what filled it, and its unit."""
    values = np.array(frame[[v.name for v in variables]], dtype=float)
    logs = np.array([v.name in logged for v in variables], dtype=bool)
    fills = _usual_values(values)
    # One column after the other, as copies of all would fill the memory.
    for column, fill in zip(values.T, fills, strict=True):
        column[np.isnan(column)] = fill
    units = _units(values, variables, logs)
    for j in np.flatnonzero(logs):
        values[:, j] = np.log1p(np.maximum(values[:, j], 0) / units[j])
    return values, logs, fills, units


def _units(values: NDArray[np.float64], variables: Sequence[Variable], logs: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What one is added to before a logarithm: a count as it stands, an amount in parts of its median.

    So the answer is the same in euros and in cents.
    """
    units = np.ones(len(variables))
    for j, variable in enumerate(variables):
        positive = values[values[:, j] > 0, j]
        if logs[j] and variable.unit != "count" and len(positive):
            units[j] = np.median(positive) / PARTS
    return units


def _usual_values(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians of the columns; of two values the commoner, the lower one where both are as common."""
    return np.array(map_columns(_usual_value, values.T, len(values)), dtype=float)


def _usual_value(column: NDArray[np.float64]) -> float:
    median, low, high = np.nanmedian(column), np.nanmin(column), np.nanmax(column)
    between = median < high and ((column == low) | (column == high) | np.isnan(column)).all()
    return float(low if between else median)


def _estimate(
    matrix: NDArray[np.float64], missing: NDArray[np.bool_], core: NDArray[np.bool_], study: Study
) -> NDArray[np.float64]:
    """The matrix with missing values learnt from a seeded sample of the clean core; within what is seen there."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer

    known = np.where(missing, np.nan, matrix)
    rows = np.flatnonzero(core)
    if len(rows) > MOST_NEIGHBOURS:
        rows = np.sort(np.random.default_rng(study.seed).choice(rows, MOST_NEIGHBOURS, replace=False))
    learner = (
        KNNImputer(n_neighbors=NEIGHBOURS, keep_empty_features=True)
        if study.missing == "knn"
        else IterativeImputer(
            max_iter=ROUNDS, n_nearest_features=MOST_PREDICTORS, random_state=study.seed, keep_empty_features=True
        )
    )
    touched = missing.any(axis=1)
    with warnings.catch_warnings():
        # Estimates that still move a little after the last round are good enough to place a customer by.
        warnings.simplefilter("ignore", ConvergenceWarning)
        filled = np.asarray(learner.fit(known[rows]).transform(known[touched]))
    low, high = matrix[core].min(axis=0), matrix[core].max(axis=0)
    filled = np.clip(filled, low, high)
    two_valued = ((matrix == low) | (matrix == high)).all(axis=0)
    filled = np.where(two_valued & missing[touched], np.where(filled > (low + high) / 2, high, low), filled)
    made = matrix.copy()
    made[touched] = np.where(missing[touched], filled, matrix[touched])
    return made


def _takes_log(variable: Variable, values: pd.Series) -> bool:
    if variable.transform != "auto":
        return variable.transform == "log"
    return (
        variable.unit in {"money", "count", "number"}
        and values.min() >= 0
        and float(np.asarray(values.skew())) > SKEWED
    )


def principal_axes(values: NDArray[np.float64], q: int) -> NDArray[np.float64]:
    """Return the first q principal axes, shape (p, q), with the largest loading of each positive."""
    _, _, rows = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    axes = rows[: min(q, len(rows))].T
    return axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])


def robust_z(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the distance from the median in robust standard deviations, shape (n, p); 0 without spread.

    The spread is 1.4826 MAD; where over half of the values are equal, 1.2533 times the mean absolute deviation.
    """
    median, spread = _robust_spread(values)
    away: NDArray[np.float64] = values - median
    np.abs(away, out=away)
    away /= spread
    return away


def _limits(values: NDArray[np.float64]) -> list[tuple[float, float] | None]:
    """What lies :data:`OUTLIER_Z` robust standard deviations below and above each median; None without a spread."""
    reach = [(m - OUTLIER_Z * s, m + OUTLIER_Z * s) for m, s in zip(*_robust_spread(values), strict=True)]
    return [(float(low), float(high)) if np.isfinite(low) else None for low, high in reach]


def _draw_in(values: NDArray[np.float64], limits: Sequence[tuple[float, float] | None]) -> NDArray[np.float64]:
    low, high = np.array([reach or (-np.inf, np.inf) for reach in limits]).reshape(-1, 2).T
    return np.clip(values, low, high)


def _robust_spread(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Medians and robust standard deviations, shape (p,); infinite where a column has two values or no spread."""
    found = map_columns(_robust_spread_of, values.T, len(values))
    median, spread = np.array(found, dtype=float).reshape(-1, 2).T
    return median, spread


def _robust_spread_of(column: NDArray[np.float64]) -> tuple[float, float]:
    median = np.median(column)
    distance = np.abs(column - median)
    spread = 1.4826 * np.median(distance) or 1.2533 * distance.mean()
    two_valued = ((column == column.min()) | (column == column.max())).all()
    return float(median), float(spread) if spread > 0 and not two_valued else np.inf


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
