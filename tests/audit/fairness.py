"""The segmentation card: what a segment tells of a protected descriptor, and whom actions reach."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.stats import kruskal

from tests.audit.comparison import Audit, read_number
from tests.audit.customers import Study
from tests.audit.descriptors import cramers_v
from tests.audit.pages import PrintedTable

REVEALS, HINTS = 0.3, 0.1


def epsilon_squared(values: np.ndarray, labels: np.ndarray) -> float:
    """Compute epsilon squared of Kruskal and Wallis, (H - k + 1) / (n - k), over the customers with a segment."""
    groups = [values[labels == j] for j in np.unique(labels[labels > 0])]
    n, k = sum(map(len, groups)), len(groups)
    return max(0.0, (float(kruskal(*groups).statistic) - k + 1) / (n - k))


def halves(values: pd.Series, guessed: str) -> pd.Series:
    """Cut a number where the card says that it was cut; True above."""
    found = re.search(r"whether it is (?:more than )?([\d.,]+)", guessed)
    if found is None:
        raise ValueError(guessed)
    middle = float(found[1].replace(",", ""))
    exact = float(values.median())
    cut = exact if abs(exact - middle) <= read_number(found[1])[1] else middle
    return values > cut if "more than" in guessed else values >= cut


def groups_of(study: Study, name: str, guessed: str) -> pd.Series:
    """Give the group of each customer with a known value, as the card cuts them."""
    values = study.customers.frame[name] if name in study.customers.frame else study.customers.columns[name]
    values = values.dropna()
    if guessed.startswith("whether"):
        numbers = values.dt.year.astype(float) if values.dtype.kind == "M" else values
        return halves(numbers, guessed).map({True: "high", False: "low"})
    if guessed == "yes or no":
        return (values.astype(float) > values.astype(float).min()).map({True: "yes", False: "no"})
    return values.astype(str)


def audit_fairness(study: Study, audit: Audit) -> None:
    """Compare association, guesses with and without the segment, and the reach of uneven actions."""
    with audit.at("fairness"):
        for told in study.report["card"]["protected"]:
            if told["strength"] is None:
                continue
            name = told["name"]
            groups = groups_of(study, name, told["guessed"])
            labels = study.customers.labels[study.customers.keys.get_indexer(groups.index)]
            table = pd.crosstab(groups, labels)
            if len(table) != len(told["groups"]):
                audit.skip(name, "its groups were merged")
                continue
            table = table.reindex(order_of(table, told["groups"]))
            tested = next((c for c in study.report["contrasts"] if c["variable"] == name), None)
            if tested:
                published = (told["measure"], told["strength"])
                audit.same(f"{name}, the effect on Compare", published, (tested["measure"], tested["effect"]))
            if told["measure"] == "ε²":
                values = study.customers.frame[name] if name in study.customers.frame else study.customers.columns[name]
                numbers = values.dropna()
                numbers = numbers.dt.year.astype(float) if numbers.dtype.kind == "M" else numbers
                strength = epsilon_squared(numbers.to_numpy(float), labels)
            else:
                strength = tested["effect"] if tested else cramers_v(table[[j for j in table if j > 0]].to_numpy())
            compare_descriptor(study, audit, told, table, strength)


def order_of(table: pd.DataFrame, groups: list[str]) -> list[str]:
    """Put groups in the order of the card: high before low where a number was cut."""
    if set(table.index) == {"high", "low"}:
        first = "low" if groups[0].endswith("or less") or groups[0].startswith("less") else "high"
        return [first, "low" if first == "high" else "high"]
    return [group if group in table.index else group.capitalize() for group in groups]


def compare_descriptor(study: Study, audit: Audit, told: dict, table: pd.DataFrame, strength: float) -> None:
    """Compare one descriptor of the card."""
    name, counts = told["name"], table.to_numpy()
    n = counts.sum()
    audit.report(f"{name}, association", told["strength"], strength, 6 if told["strength"] < 0.1 else None)
    audit.report(f"{name}, right without the segment", told["base"], counts.sum(axis=1).max() / n)
    audit.report(f"{name}, right with it", told["hit"], counts.max(axis=0).sum() / n)
    root = strength**0.5 if told["measure"] == "ε²" else strength
    word = "reveals" if root >= REVEALS else "hints" if root >= HINTS else "hardly"
    audit.same(f"{name}, in words", word in told["sentence"], True)
    letters = {s["letter"]: s["id"] for s in study.report["segments"]}
    for reach in told["uneven"]:
        segments = [letters[letter] for letter in re.findall(r"\b[A-Z]\b", reach["segments"])]
        own = table[[s for s in segments if s in table]].sum(axis=1) / table.sum(axis=1)
        audit.rows(f"{name}, reached by actions of {reach['segments']}", reach["shares"], list(own))


def printed_fairness(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the card's tables: guesses, or the share of each group that gets an action."""
    protected = study.report["card"]["protected"]
    if table.header[0] == "Descriptor":
        for told, row in zip(protected, table.rows, strict=True):
            if told["strength"] is None:
                continue
            groups = groups_of(study, told["name"], told["guessed"])
            labels = study.customers.labels[study.customers.keys.get_indexer(groups.index)]
            counts = pd.crosstab(groups, labels).to_numpy()
            if len(counts) != len(told["groups"]):
                continue
            guesses = [counts.sum(axis=1).max() / counts.sum(), counts.max(axis=0).sum() / counts.sum()]
            audit.printed(f"{row[0]}, guesses", " ".join(row[3:5]), guesses)
            if "=" in row[2]:
                audit.printed(f"{row[0]}, association", row[2], [told["strength"]])
        return
    label = table.caption.partition(":")[0]
    told = next((each for each in protected if each["label"] == label), None)
    if told is None:
        return
    groups = groups_of(study, told["name"], told["guessed"])
    labels = study.customers.labels[study.customers.keys.get_indexer(groups.index)]
    counts = pd.crosstab(groups, labels)
    if len(counts) != len(told["groups"]):
        return
    counts = counts.reindex(order_of(counts, told["groups"]))
    letters = {s["letter"]: s["id"] for s in study.report["segments"]}
    for row in table.rows:
        segments = [letters[letter] for letter in re.findall(r"\b[A-Z]\b", row[0])]
        own = counts[segments].sum(axis=1) / counts.sum(axis=1)
        audit.printed(f"{label}, actions of {row[0]}", " ".join(row[2:]), list(own))
