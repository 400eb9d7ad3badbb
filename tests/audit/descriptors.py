"""Whether descriptors and outcomes differ between segments: tests, effects, Holm's correction."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, kruskal, spearmanr
from statsmodels.stats.multitest import multipletests

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.profiles import count_levels

NEAR_COPY = 0.9
"""Absolute Spearman correlation from which a descriptor counts as a near-copy of a forming feature."""
SIZES = ("negligible", "small", "medium", "large")
W_BOUNDS, ETA_BOUNDS = (0.1, 0.3, 0.5), (0.0099, 0.0588, 0.1379)
"""Where an effect becomes small, medium and large (Cohen 1988, chapters 7 and 8)."""
FEWEST_BOTH = 30
"""Customers with both values below which a correlation is not told."""


def cramers_v(counts: np.ndarray) -> float:
    """Compute Cramér's V, corrected for its bias (Bergsma 2013); 0 where a side has one level."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    n, (rows, columns) = counts.sum(), counts.shape
    if min(rows, columns) < 2 or n < 2:
        return 0.0
    phi2 = chi2_contingency(counts, correction=False).statistic / n
    above = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    r, c = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return float(min(1.0, np.sqrt(above / max(min(r, c) - 1, 1e-12))))


def spearman(first: pd.Series, second: pd.Series) -> float:
    """Compute Spearman's correlation over the customers with both values, ranked among these; 0 where one is flat."""
    both = pd.concat([first, second], axis=1).dropna()
    if len(both) < 2 or both.nunique().min() < 2:
        return 0.0
    return float(spearmanr(both.iloc[:, 0], both.iloc[:, 1]).statistic)


def size_of(effect: float, bounds: tuple[float, ...]) -> str:
    """Give the word for the size of an effect."""
    return SIZES[int(np.searchsorted(bounds, effect, side="right"))]


def kruskal_wallis(study: Study, name: str) -> tuple[float, str, float]:
    """Test a number by Kruskal-Wallis; effect (epsilon squared, (H - k + 1) / (n - k)), its size in words, and p."""
    labels, values = study.customers.labels, study.customers.frame[name]
    kept = (labels > 0) & values.notna().to_numpy()
    groups = [values[kept & (labels == j)].to_numpy(float) for j in np.unique(labels[kept])]
    found = kruskal(*groups)
    k = len(groups)
    effect = min(1.0, max(0.0, (float(found.statistic) - k + 1) / (int(kept.sum()) - k)))
    return effect, size_of(effect, ETA_BOUNDS), float(found.pvalue)


def chi_square(counts: np.ndarray) -> tuple[float, str, float]:
    """Test levels by chi-square over the segments; effect (Cramér's V), its size in words, and p."""
    own = counts[:, 1:]
    own = own[own.sum(axis=1) > 0]
    effect = cramers_v(own)
    word = size_of(effect * np.sqrt(min(own.shape) - 1), W_BOUNDS)
    return effect, word, float(chi2_contingency(own, correction=False).pvalue)


def is_circular(study: Study, name: str) -> bool:
    """Say whether segments were formed by the same columns or by a near-copy."""
    keys = {c for s in study.settings["sources"] for c in (s.get("key"), s.get("columns", {}).get("customer")) if c}
    used = {c for step in study.forming() for c in (step, *study.variables[step]["columns"])} - keys
    variable = study.variables[name]
    if name in used or used & set(variable["columns"]):
        return True
    if variable["categorical"]:
        return False
    frame = study.customers.frame
    numbers = [step for step in study.forming() if not study.variables[step]["categorical"]]
    return any(abs(spearman(frame[step], frame[name])) >= NEAR_COPY for step in numbers)


def audit_contrasts(study: Study, audit: Audit) -> None:
    """Compare every test: effect, size, p-value after Holm, and where none is shown."""
    levels = {c["variable"]: c["levels"] for c in study.report["categories"]}
    found: dict[str, tuple[float, str, float]] = {}
    with audit.at("tests of descriptors and outcomes"):
        for told in study.report["contrasts"]:
            name = told["variable"]
            if told["test"] == "chi-square":
                counts = count_levels(study, name, levels.get(name, ["Yes", "No"]))
                if counts is None:
                    audit.skip(name, "its levels do not say what was merged")
                    continue
                found[name] = chi_square(counts)
            else:
                found[name] = kruskal_wallis(study, name)
            effect, word, _ = found[name]
            audit.report(f"{name}, effect", told["effect"], effect, 6 if told["effect"] < 0.01 else None)
            audit.same(f"{name}, size", told["size"], word)
            audit.same(f"{name}, no test as it would be circular", told["p"] is None, is_circular(study, name))
        tested = [told for told in study.report["contrasts"] if told["p"] is not None and told["variable"] in found]
        if len(tested) == sum(told["p"] is not None for told in study.report["contrasts"]) and tested:
            corrected = multipletests([found[told["variable"]][2] for told in tested], method="holm")[1]
            for told, p in zip(tested, corrected, strict=True):
                # Far tails of both distributions lose digits to the order of summation.
                audit.near(f"{told['variable']}, corrected p", told["p"], float(p), 1e-5 * float(p) + 1e-300, "digits")


def audit_correlations(study: Study, audit: Audit) -> None:
    """Compare Spearman correlations and Cramér's V between variables."""
    frame, by_label = study.customers.frame, study.by_label
    data = study.report["data"]
    with audit.at("correlations"):
        names = [by_label.get(label) for label in data["correlations"]["labels"]]
        for i, first in enumerate(names):
            for j, second in enumerate(names[:i]):
                if first is None or second is None:
                    continue
                told = data["correlations"]["rows"][i][j]
                n = int((frame[first].notna() & frame[second].notna()).sum())
                rho = spearman(frame[first], frame[second]) if n >= 2 else 0.0
                if told == 0 and n < FEWEST_BOTH:
                    continue
                audit.report(f"{first} and {second}", told, rho, 6 if abs(told) < 0.1 else None)
    with audit.at("associations"):
        names = [by_label.get(label) for label in data["associations"]["labels"]]
        codes = {name: level_codes(study, name) for name in names if name}
        for i, first in enumerate(names):
            for j, second in enumerate(names[:i]):
                if first and second:
                    table = pd.crosstab(codes[first], codes[second]).to_numpy()
                    told = data["associations"]["rows"][i][j]
                    audit.report(f"{first} and {second}", told, cramers_v(table), 6 if told < 0.1 else None)


def level_codes(study: Study, name: str) -> pd.Series:
    """Give the level of each customer; levels of few customers count as one."""
    values = study.customers.frame[name]
    counts = values.value_counts()
    few = counts.index[counts < study.report["study"]["min_cell"]]
    return values.astype(object).where(~values.isin(list(few)), "few").where(values.notna())
