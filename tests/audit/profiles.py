"""What each segment is like: medians, bands, standardised differences, markers, categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.matrix import on_the_scale

MARKER_SD, MARKER_POINTS, MARKER_RATIO = 0.5, 0.25, 0.5
"""A marker differs by half a standard deviation; a yes or no by 25 points or by half of everyone's share."""


def summarise(values: pd.Series) -> dict[str, float]:
    """Give count, mean, median and the ends of the middle 80% of the known values."""
    known = values.dropna().to_numpy(float)
    low, middle, high = np.quantile(known, [0.1, 0.5, 0.9]) if len(known) else (np.nan,) * 3
    mean = known.mean() if len(known) else np.nan
    return {"n": len(known), "mean": float(mean), "median": float(middle), "p10": float(low), "p90": float(high)}


def audit_everyone(study: Study, audit: Audit) -> None:
    """Compare every variable over all customers."""
    with audit.at("everyone"):
        for name, told in study.report["everyone"].items():
            own = summarise(study.customers.frame[name])
            for field, value in own.items():
                audit.report(f"{name}, {field}", told[field], value)


def audit_differences(study: Study, audit: Audit) -> None:
    """Compare every variable of every segment: summary, standardised difference, ratio, marker and interval."""
    frame, variables = study.customers.frame, study.variables
    for segment in study.report["segments"]:
        inside = study.customers.inside(segment["id"])
        with audit.at(f"segment {segment['id']}"):
            for told in segment["differences"]:
                name = told["variable"]
                own, everyone = summarise(inside[name]), summarise(frame[name])
                for field, value in own.items():
                    audit.report(f"{name}, {field}", told["summary"][field], value)
                scaled = on_the_scale(study, name)
                members = study.customers.labels == segment["id"]
                z = float(scaled[members].mean() - scaled.mean())
                audit.report(f"{name}, standardised difference", told["z"], z, small_decimals(told["z"]))
                audit.report(f"{name}, ratio", told["ratio"], own["mean"] / everyone["mean"] if everyone["mean"] else 1)
                side = np.sign(z) if z * (own["mean"] - everyone["mean"]) >= 0 else 0
                audit.same(f"{name}, direction", told["direction"], int(side))
                yes_no = variables[name]["unit"] == "yes_no"
                audit.same(f"{name}, marker", told["marker"], is_marker(own["mean"], everyone["mean"], z, yes_no))
                audit.same(
                    f"{name}, the interval holds the difference", told["z_low"] <= told["z"] <= told["z_high"], True
                )


def small_decimals(z: float) -> int | None:
    """Give the digits to hold a difference near zero to: what cancels in a subtraction has no six digits."""
    return 7 if abs(z) < 0.01 else None


def is_marker(mean: float, everyone: float, z: float, yes_no: bool) -> bool:
    """Say whether a variable sets a segment apart."""
    if yes_no:
        return abs(mean - everyone) >= MARKER_POINTS or abs(mean - everyone) >= MARKER_RATIO * everyone
    return abs(z) >= MARKER_SD


def count_levels(study: Study, variable: str, levels: list[str]) -> np.ndarray | None:
    """Count customers by published level and group (0 = unassigned, 1..k).

    Parameters
    ----------
    study : Study
    variable : str
    levels : list of str
        As published; one that is none of the data takes the rest.

    Returns
    -------
    ndarray of int, shape (levels, k + 1), or None
        None where the names of the levels do not say which ones were merged.
    """
    values = study.customers.frame[variable]
    if study.variables[variable]["unit"] == "yes_no" and not study.variables[variable]["categorical"]:
        values = values.dropna().map(lambda x: "Yes" if x > 0 else "No")
    else:
        values = values.fillna("Unknown").astype(str)
    labels = study.customers.labels[study.customers.keys.get_indexer(values.index)]
    raw = list(pd.unique(values))
    order = study.variables[variable].get("order") or []
    members = {level: members_of(level, raw, order) for level in levels}
    taken = {each for found in members.values() for each in found}
    rest = [level for level in levels if not members[level] or level == "Other" or level.endswith(" or other")]
    if len(rest) > 1:
        return None
    if rest:
        members[rest[0]] = members[rest[0]] | (set(raw) - taken)
    left = set(raw) - {each for found in members.values() for each in found}
    if left and (not order or int(values.isin(left).sum()) >= study.report["study"]["min_cell"]):
        return None
    k = study.customers.k
    return np.array([np.bincount(labels[values.isin(members[level])], minlength=k + 1) for level in levels])


def members_of(level: str, raw: list[str], order: list[str]) -> set[str]:
    """Give the levels of the data that a published level stands for.

    ``A or B`` names levels that were merged, ``A to C`` the ends of a range of levels with an order.
    """
    if level in raw:
        return {level}
    first, _, last = level.partition(" to ")
    if first in order and last in order:
        return set(order[order.index(first) : order.index(last) + 1])
    return {part for part in level.split(" or ") if part in raw}


def audit_categories(study: Study, audit: Audit) -> None:
    """Compare shares, lifts and Pearson residuals of every published category."""
    with audit.at("categories"):
        for told in study.report["categories"]:
            name = told["variable"]
            counts = count_levels(study, name, told["levels"])
            if counts is None:
                audit.skip(name, f"its levels do not say what was merged: {told['levels']}")
                continue
            own = counts[:, 1:]
            everyone = counts.sum(axis=1) / counts.sum()
            expected = np.outer(own.sum(axis=1), own.sum(axis=0)) / own.sum()
            residuals = (own - expected) / np.sqrt(np.maximum(expected, 1e-9))
            audit.rows(f"{name}, everyone", told["everyone"], everyone)
            shares = own / own.sum(axis=0)
            for j in range(own.shape[1]):
                audit.rows(f"{name}, segment {j + 1}, share", told["segments"][j], shares[:, j])
                audit.rows(f"{name}, segment {j + 1}, lift", told["lifts"][j], (shares / everyone[:, None])[:, j])
                for level, shown, actual in zip(told["levels"], told["residuals"][j], residuals[:, j], strict=True):
                    decimals = 6 if abs(shown) < 0.1 else None
                    audit.report(f"{name}, segment {j + 1}, residual of {level}", shown, actual, decimals)
            largest = max((everyone[i] for i, level in enumerate(told["levels"]) if level == "Other"), default=0.0)
            audit.same(f"{name}, no more than a third is Other", bool(largest <= 1 / 3), True)
