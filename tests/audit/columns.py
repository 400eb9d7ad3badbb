"""What came in: missing values, quantiles, outliers and counts of each column, and what is missing together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import skew

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.matrix import robust_z

OUTLIER_Z = 3.5
QUANTILES = {"p1": 0.01, "p10": 0.1, "median": 0.5, "p90": 0.9, "p99": 0.99}


def column_values(study: Study, name: str) -> pd.Series | None:
    """Give the cleaned values of a column: of the base table, or computed from purchases and visits."""
    if name in study.customers.columns:
        return study.customers.columns[name]
    return study.customers.computed.get(name, None)


def audit_columns(study: Study, audit: Audit) -> None:
    """Compare missing and different values, quantiles, skewness, outliers and bars of each column."""
    with audit.at("columns"):
        for told in study.report["data"]["columns"]:
            values = column_values(study, told["name"])
            if values is None:
                audit.skip(told["name"], "not recomputed")
                continue
            raw = raw_values(study, told["name"])
            read = values if raw is None else raw
            audit.report(f"{told['name']}, missing", told["missing"], int(read.isna().sum()))
            # Sums in another order can part equal values in the last digit of a float.
            slack = 0.002 * told["distinct"] if raw is None else 0.0
            audit.near(f"{told['name']}, different values", told["distinct"], read.nunique(), slack, "digits")
            if told["median"] is not None:
                compare_numbers(audit, told, values.dropna().to_numpy(float), study.report["study"]["min_cell"])
            compare_bars(audit, told, values, study.report["study"]["min_cell"])


def as_read(study: Study, name: str) -> pd.Series:
    """Give a column before anything was taken for missing."""
    raw = raw_values(study, name)
    if raw is not None:
        source = study.settings["sources"][0]
        return (
            raw.set_axis(study.customers.sources[0][source["key"]]).reindex(study.customers.keys)
            if source.get("key")
            else raw
        )
    values = column_values(study, name)
    return values if values is not None else pd.Series(np.nan, index=study.customers.keys)


def raw_values(study: Study, name: str) -> pd.Series | None:
    """Give a column as the file has it; None where it is computed or stands in a joined file."""
    source = study.settings["sources"][0]
    raw = study.customers.sources[0]
    if source.get("kind", "customers") not in {"customers", "survey"} or name not in raw.columns:
        return None
    return raw[name]


def compare_numbers(audit: Audit, told: dict[str, Any], known: np.ndarray, min_cell: int) -> None:
    """Compare the quantiles that may be told, the skewness and the outliers of a column of numbers."""
    name = told["name"]
    for field, q in QUANTILES.items():
        enough = round(len(known) * min(q, 1 - q), 6) >= min_cell
        audit.report(f"{name}, {field}", told[field], float(np.quantile(known, q)) if enough else None)
    if told["skewness"] is not None:
        audit.report(f"{name}, skewness", told["skewness"], float(skew(known, bias=False)))
    audit.report(f"{name}, outliers", told["outliers"], int((robust_z(known) > OUTLIER_Z).sum()))


def compare_bars(audit: Audit, told: dict[str, Any], values: pd.Series, min_cell: int) -> None:
    """Compare counts of bins, levels and quarters; the outermost bins are open, rounded ones go to whole cells."""
    bars, name = told["bars"], told["name"]
    if not bars:
        return
    tolerance = min_cell / 2 if told["rounded"] else 0.0
    if bars[0]["low"] is not None:
        known = values.dropna().to_numpy(float)
        edges = np.array([bar["low"] for bar in bars] + [bars[-1]["high"]])
        counts = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0]
    elif told["type"] == "date":
        unit = "Q" if "Q" in bars[0]["label"] else "M" if len(bars[0]["label"]) > 4 else "Y"
        by_period = values.dt.to_period(unit).astype(str).value_counts()
        counts = np.array([by_period.get(bar["label"], 0) for bar in bars])
    else:
        counts = count_named(values, [bar["label"] for bar in bars])
    for bar, n in zip(bars, counts, strict=True):
        label = bar["label"] or f"{bar['low']:g} to {bar['high']:g}"
        audit.near(f"{name}, {label}", bar["n"], float(n), tolerance, "digits")


def count_named(values: pd.Series, labels: list[str]) -> np.ndarray:
    """Count customers by printed level; Other takes those that no printed level names."""
    known = values.dropna()
    if known.dtype == float and set(known.unique()) <= {0.0, 1.0}:
        texts = known.map({0.0: "No", 1.0: "Yes"})
    elif known.dtype == float:
        texts = known.map(lambda x: str(int(x)) if float(x).is_integer() else str(x))
    else:
        texts = known.astype(str)
    counts = texts.value_counts()
    named = [label for label in labels if label != "Other"]
    rest = int(len(texts) - counts.reindex(named).fillna(0).sum())
    return np.array([rest if label == "Other" else int(counts.get(label, 0)) for label in labels])


def audit_missing(study: Study, audit: Audit) -> None:
    """Compare the cells that are missing, repeated rows, constants, and which columns are missing together."""
    data, report = study.report["data"], study.report
    min_cell = report["study"]["min_cell"]
    with audit.at("missing and repeated"):
        lacking = [c["missing"] for c in data["columns"] if c["missing"] >= min_cell]
        audit.report("missing cells", data["missing_cells"], sum(lacking))
        source, raw = study.settings["sources"][0], study.customers.sources[0]
        single = len(study.settings["sources"]) == 1 and source.get("kind", "customers") in {"customers", "survey"}
        if single:
            own = [c for c in raw.columns if c != source.get("key")]
            audit.report("repeated rows", data["duplicates"], int(raw.duplicated(subset=own).sum()))
            audit.report("rows that repeat", data["duplicate_rows"], int(raw.duplicated(subset=own, keep=False).sum()))
            constants = [c for c in own if study.customers.columns[c].nunique() <= 1]
            audit.same("constants", list(data["constants"]), constants)
        for pattern, (names, n) in zip(data["missingness"]["patterns"], patterns(study), strict=True):
            audit.report(f"missing together: {', '.join(names)}", pattern["n"], n)


def patterns(study: Study) -> list[tuple[list[str], int]]:
    """Count the customers who lack exactly the columns of each published pattern.

    Returns
    -------
    list of (list of str, int)
        First column of each group, and the customers who lack these groups and nothing else.
    """
    data = study.report["data"]
    by_label = {c["label"]: c["name"] for c in data["columns"]}
    told = [c["name"] for c in data["columns"] if c["role"] not in {"key", "ignore"}]
    gone = pd.DataFrame({name: as_read(study, name).isna().to_numpy() for name in told})
    gone = gone.loc[:, gone.any() & ~gone.all()]
    groups = [[by_label[label] for label in group if label in by_label] for group in data["missingness"]["groups"]]
    found = []
    for pattern in data["missingness"]["patterns"]:
        lacking = {name for i in pattern["groups"] for name in groups[i]}
        wanted = gone.columns.isin(list(lacking))
        found.append(([groups[i][0] for i in pattern["groups"]], int((gone == wanted).all(axis=1).sum())))
    return found
