"""The matrix that the algorithms saw, made anew from the customers and the report's own steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import skew

from tests.audit.comparison import Audit
from tests.audit.customers import Study

Floats = NDArray[np.float64]
OUTLIER_Z, MOST_UNUSUAL, PARTS, SKEWED = 3.5, 0.1, 25, 1.0
"""Robust z of an outlier; largest share set aside; parts of its median an amount is counted in; skewness for a log."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Scaled features of all customers.

    Attributes
    ----------
    values : ndarray, shape (n, p)
    core : ndarray of bool, shape (n,)
        The customers that segments were fitted on.
    names : tuple of str, length p
    """

    values: Floats
    core: NDArray[np.bool_]
    names: tuple[str, ...]

    @property
    def clean(self) -> Floats:
        """Rows of the core, shape (n core, p)."""
        return self.values[self.core]


def robust_z(values: Floats) -> Floats:
    """Compute distances from the median in robust standard deviations (1.4826 MAD); 0 where there is no spread.

    Where over half of the values are equal, 1.2533 times the mean absolute deviation stands for the MAD. A column of
    two values has no outliers.
    """
    distance = np.abs(values - np.median(values))
    spread = 1.4826 * np.median(distance) or 1.2533 * distance.mean()
    return np.zeros(len(values)) if not spread or len(np.unique(values)) <= 2 else distance / spread


def fill_of(values: pd.Series) -> float:
    """Give what stands for a missing value: the median, of two values the commoner."""
    known = values.dropna()
    levels = known.value_counts()
    if len(levels) == 2:
        return float(levels.index[0] if levels.iloc[0] > levels.iloc[1] else levels.index.min())
    return float(known.median())


def takes_log(study: Study, name: str) -> bool:
    """Say whether a feature is taken as its logarithm: as set, else amounts and counts with a long tail."""
    variable, values = study.variables[name], study.customers.frame[name].dropna()
    if study.report["study"]["scaling"] == "none" and study.settings.get("transform") == "none":
        return False
    if variable["transform"] != "auto":
        return variable["transform"] == "log"
    amount = variable["unit"] in {"money", "count", "number"}
    return bool(amount and values.min() >= 0 and skew(values, bias=False) > SKEWED)


def transformed(study: Study) -> tuple[Floats, list[dict[str, Any]]]:
    """Fill and transform the forming features anew, categories left out.

    Returns
    -------
    values : ndarray, shape (n, p)
    steps : list of dict, length p
        ``fill``, ``log`` and ``unit`` as recomputed.
    """
    columns, steps = [], []
    for step in study.report["steps"]:
        if step["levels"]:
            continue
        name = step["name"]
        values = study.customers.frame[name]
        fill, log = fill_of(values), takes_log(study, name)
        filled = values.fillna(fill).to_numpy(float)
        unit, positive = 1.0, filled[filled > 0]
        if log and study.variables[name]["unit"] != "count" and len(positive):
            unit = float(np.median(positive)) / PARTS
        columns.append(np.log1p(np.maximum(filled, 0) / unit) if log else filled)
        steps.append({"fill": fill, "log": log, "unit": unit})
    return np.column_stack(columns), steps


def on_the_scale(study: Study, name: str) -> pd.Series:
    """Put a variable on the scale on which segments are compared, missing values left out.

    A skewed amount or count is its logarithm. Values of a variable that forms no segments lie at most 3.5 robust
    standard deviations from the median. The unit is the standard deviation of the clean core.
    """
    values = study.customers.frame[name].astype(float)
    if study.variables[name]["unit"] == "yes_no":
        made = values
    else:
        known, log, unit = values.dropna(), takes_log(study, name), 1.0
        if log and study.variables[name]["unit"] != "count" and (known > 0).any():
            filled = values.fillna(fill_of(values)) if name in study.forming() else known
            unit = float(np.median(filled[filled > 0])) / PARTS
        made = np.log1p(values.clip(lower=0) / unit) if log else values
        if name not in study.forming():
            made = draw_in(made)
    core = made[core_of(study)].dropna()
    return (made - core.mean()) / (core.std(ddof=0) or 1.0)


def draw_in(values: pd.Series) -> pd.Series:
    """Limit values to 3.5 robust standard deviations from their median; those of two values are left alone."""
    known = values.dropna()
    distance = (known - known.median()).abs()
    reach = OUTLIER_Z * (1.4826 * distance.median() or 1.2533 * distance.mean())
    if not reach or known.nunique() <= 2:
        return values
    return values.clip(known.median() - reach, known.median() + reach)


def core_of(study: Study) -> NDArray[np.bool_]:
    """Give the customers who are set aside by no feature that forms segments."""
    values, _ = transformed(study)
    if study.report["study"]["outliers"] != "robust":
        return np.ones(len(values), bool)
    unusual = np.column_stack([robust_z(column) for column in values.T]).max(axis=1) > OUTLIER_Z
    return ~unusual if unusual.mean() <= MOST_UNUSUAL else np.ones(len(values), bool)


def make_matrix(study: Study) -> Matrix:
    """Make the matrix anew: fill, transform, set unusual customers aside, standardise by the core."""
    values, _ = transformed(study)
    core = core_of(study)
    centre, scale = scaling(values[core], study.report["study"]["scaling"])
    return Matrix((values - centre) / scale, core, tuple(study.forming()))


def scaling(core: Floats, how: str) -> tuple[Floats, Floats]:
    """Give centre and scale of each column."""
    if how == "none":
        return np.zeros(core.shape[1]), np.ones(core.shape[1])
    spread = core.std(axis=0)
    return core.mean(axis=0), np.where(spread > 0, spread, 1.0)


def can_make(study: Study) -> bool:
    """Say whether the matrix can be made anew: numbers only, standardised or as they are, not reduced."""
    told = study.report["study"]
    plain = told["scaling"] in {"standard", "none"} and told["missing"] == "median" and told["outliers"] != "winsorise"
    numbers = all(not step["levels"] for step in study.report["steps"])
    centres = study.report["rules"]["centres"]
    return plain and numbers and told["near_copies"] != "weigh" and (centres is None or centres["axes"] is None)


def audit_steps(study: Study, audit: Audit) -> None:
    """Compare how each forming feature becomes a column: fill, logarithm, unit, centre, scale, gaps; and the core."""
    if not can_make(study):
        audit.skip("steps", "features are scaled in a way that is not recomputed")
        return
    values, steps = transformed(study)
    made = make_matrix(study)
    centre, scale = scaling(values[made.core], study.report["study"]["scaling"])
    with audit.at("preparation"):
        audit.report("customers in the clean core", study.report["study"]["n_core"], int(made.core.sum()))
        for j, told in enumerate(study.report["steps"]):
            name = told["name"]
            audit.same(f"{name}, logarithm", told["log"], steps[j]["log"])
            audit.report(f"{name}, fill", told["fill"], steps[j]["fill"])
            audit.report(f"{name}, unit", told["unit"], steps[j]["unit"])
            audit.report(f"{name}, centre", told["centre"], float(centre[j]))
            audit.report(f"{name}, scale", told["scale"], float(scale[j]))
            audit.report(f"{name}, filled", told["imputed"], int(study.customers.frame[name].isna().sum()))
        centres = study.report["rules"]["centres"]
        if centres is not None and study.report["decision"]["algorithm"] == "kmeans":
            compare_centres(study, made, audit)


def compare_centres(study: Study, made: Matrix, audit: Audit) -> None:
    """Compare each segment's centre with the means of its core, and everyone's segment with the nearest centre."""
    centres, labels = study.report["rules"]["centres"], study.customers.labels
    published = np.array(centres["centres"])
    for j, row in enumerate(published, start=1):
        means = made.values[made.core & (labels == j)].mean(axis=0)
        for name, told, actual in zip(made.names, row, means, strict=True):
            # k-means stops when centres move by less than 0.01% of a standard deviation squared.
            audit.near(f"segment {j}, centre of {name}", float(told), float(actual), 0.01, "optimum")
    distance = ((made.values[:, None, :] - published[None]) ** 2).sum(axis=2)
    audit.report(
        "placed by the nearest centre", centres["fidelity"], float((distance.argmin(axis=1) + 1 == labels).mean())
    )
    typical = np.array(centres["typical"])
    for name, step, own, told in zip(made.names, study.report["steps"], published.T, typical.T, strict=True):
        back = own * step["scale"] + step["centre"]
        back = np.expm1(back) * step["unit"] if step["log"] else back
        for j, (actual, shown) in enumerate(zip(back, told, strict=True), start=1):
            # The centres are rounded to six digits before they are turned back.
            audit.near(f"segment {j}, typical {name}", float(shown), float(actual), 2e-5 * abs(actual) + 5e-6, "digits")
