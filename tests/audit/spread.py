"""How customers spread: distributions, planes of two features, strands, and the Explore page's tables."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.audit.comparison import NUMBER, Audit, read_number
from tests.audit.customers import Study
from tests.audit.matrix import can_make, make_matrix
from tests.audit.pages import PrintedTable
from tests.audit.printed_tables import segment_of

Counts = NDArray[np.int64]


def count_bins(values: pd.Series, bins: list[dict[str, Any]]) -> Counts:
    """Count known values by bin; the outermost bins are open."""
    known = values.dropna().to_numpy(float)
    inner = np.array([b["low"] for b in bins[1:]])
    return np.bincount(np.searchsorted(inner, known, side="right"), minlength=len(bins))


def share_step(n: int, min_cell: int) -> float:
    """Give the step to which shares of a group are rounded: a hundredth, or half a cell where that is more."""
    return max(0.01, round(min_cell / (2 * n), 2))


def audit_distributions(study: Study, audit: Audit) -> None:
    """Compare the share of everyone and of each segment in every bin; shares are rounded on purpose."""
    cell, assigned = study.report["study"]["min_cell"], study.customers.labels > 0
    with audit.at("distributions"):
        for told in study.report["spread"]["distributions"]:
            values = study.customers.frame[told["variable"]]
            groups = [("everyone", told["everyone"], values[assigned])]
            for j, bins in enumerate(told["segments"], start=1):
                groups.append((f"segment {j}", bins, study.customers.inside(j)[told["variable"]]))
            for name, bins, own in groups:
                if not bins:
                    continue
                exact, n = edges_of(told["step"], bins), int(own.notna().sum())
                for b, count in zip(bins, count_bins(own, exact), strict=True):
                    what = f"{told['variable']}, {name}, from {b['low']:g}"
                    audit.near(what, b["share"], count / n, share_step(n, cell) / 2, "digits")


def edges_of(step: float, bins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the bins with edges as whole steps, before they were rounded to nine digits."""
    return [{**b, "low": round(b["low"] / step) * step} for b in bins]


def audit_planes(study: Study, audit: Audit) -> None:
    """Compare the planes of two features: segments' centres, and customers in each cell."""
    if not can_make(study):
        audit.skip("planes", "features are scaled in a way that is not recomputed")
        return
    made, cell = make_matrix(study), study.report["study"]["min_cell"]
    with audit.at("planes"):
        for told in study.report["spread"]["planes"]:
            at = [made.names.index(told[axis]) for axis in ("x", "y")]
            points = made.values[:, at]
            name = f"{told['x']} and {told['y']}"
            for j, centre in enumerate(told["centres"], start=1):
                audit.rows(f"{name}, segment {j}", centre, list(points[study.customers.labels == j].mean(axis=0)), 2)
            beyond = max(0.005, cell / (2 * len(points)))
            low, high = np.quantile(points, [beyond, 1 - beyond], axis=0)
            step = (high - low) / np.round((high - low) / np.array(told["step"]))
            inside = points[((points >= low - 1e-9) & (points <= high + 1e-9)).all(axis=1)]
            places = np.floor((inside - low) / step + 1e-7).astype(int)
            for shown in told["cells"]:
                corner = np.round((np.array([shown["x"], shown["y"]]) - low) / step).astype(int)
                n = int((places == corner).all(axis=1).sum())
                # Values on the edge of a cell can fall to either side by the last digit of a float.
                offset = np.abs((inside - low) / step - corner - 0.5)
                edge = int(((offset > 0.5 - 1e-6).any(axis=1) & (offset < 0.5 + 1e-6).all(axis=1)).sum())
                what = f"{name}, cell {shown['x']:g}, {shown['y']:g}"
                audit.near(what, shown["n"], n, cell / 2 + edge, "digits")


def printed_distributions(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the shares that the Explore page prints for each value of a variable in a segment."""
    by_variable = {d["variable"]: d for d in study.report["spread"]["distributions"]}
    cell = study.report["study"]["min_cell"]
    for label, text in table.rows:
        variable = next((n for known, n in study.by_label.items() if label.startswith(f"{known}: ")), None)
        segment = segment_of(study, label)
        told = by_variable.get(variable or "")
        parts = [part for part in text.split("; ") if NUMBER.search(part)]
        if told is None or not segment or len(parts) != len(told["segments"][segment - 1]):
            audit.skip(f"{table.id}, {label}", "its bins are not those of the report")
            continue
        own = study.customers.inside(segment)[variable]
        counts, n = count_bins(own, edges_of(told["step"], told["segments"][segment - 1])), int(own.notna().sum())
        for part, count in zip(parts, counts, strict=True):
            shown, half = read_number(NUMBER.findall(part)[-1])
            audit.near(
                f"{label}, {part.rpartition(':')[0]}",
                shown,
                count / n,
                max(half, share_step(n, cell) / 2),
                "digits",
                "page",
            )


def printed_map(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the segments' centres on two features, as the Explore page prints them."""
    if not can_make(study):
        return
    made = make_matrix(study)
    for label, across, up in table.rows:
        axes = re.sub(r": [A-Z] · .*$", "", label)
        pair = next(
            (
                (first, second)
                for first in made.names
                for second in made.names
                if axes == f"{study.variables[first]['label']} and {study.variables[second]['label']}"
            ),
            None,
        )
        if pair is None:
            continue
        points = made.values[study.customers.labels == segment_of(study, label)]
        means = [points[:, made.names.index(name)].mean() for name in pair]
        audit.printed(label, f"{across} {up}", [float(x) for x in means])
