"""Sizes, shares, totals and the concentration of value; the RFM grid; the cleaning ledger."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.audit.comparison import Audit
from tests.audit.customers import Study


def worth_of(study: Study) -> np.ndarray | None:
    """Give what each customer is worth, 0 where it is not known; None where the study has no value."""
    value = study.report["study"]["value"]
    return None if value is None else study.customers.frame[value].fillna(0.0).to_numpy(float)


def audit_sizes(study: Study, audit: Audit) -> None:
    """Compare how many customers each segment has, and what they bring."""
    report, labels = study.report, study.customers.labels
    worth = worth_of(study)
    with audit.at("sizes and totals"):
        audit.report("customers", report["study"]["n_customers"], len(labels))
        audit.report("unassigned", report["unassigned"], int((labels == 0).sum()))
        as_of = study.customers.as_of
        fixed = str(study.settings.get("as_of", "auto"))
        shown = fixed if fixed != "auto" else as_of.date().isoformat() if as_of is not None else ""
        audit.same("date of the study", report["study"]["as_of"], shown)
        if worth is not None:
            audit.report("total value", report["value_total"], worth.sum())
        for segment in report["segments"]:
            inside, name = labels == segment["id"], f"segment {segment['id']}"
            audit.report(f"{name}, customers", segment["n"], int(inside.sum()))
            audit.report(f"{name}, share of customers", segment["share"], inside.mean())
            if worth is not None:
                audit.report(f"{name}, total value", segment["value_total"], worth[inside].sum())
                audit.report(f"{name}, share of value", segment["value_share"], worth[inside].sum() / worth.sum())
        sizes = [segment["n"] for segment in report["segments"]]
        audit.same("segments stand by size", sizes, sorted(sizes, reverse=True))


def audit_weights(study: Study, audit: Audit) -> None:
    """Compare what the figures of a study with survey weights rest on, and the shares of its segments."""
    told, column = study.report.get("weighting"), study.settings["sources"][0].get("weight")
    if told is None or column is None:
        return
    weights, labels = pd.to_numeric(study.customers.columns[column]).to_numpy(float), study.customers.labels

    def worth(own: np.ndarray) -> int:
        return round(float(own.sum() ** 2 / (own**2).sum()))

    with audit.at("survey weights"):
        audit.report("effective sample size", told["n_effective"], worth(weights))
        for segment, effective in zip(study.report["segments"], told["segments"], strict=True):
            own, name = weights[labels == segment["id"]], f"segment {segment['id']}"
            audit.report(f"{name}, effective size", effective, worth(own))
            audit.report(f"{name}, share of the population", segment["share"], own.sum() / weights.sum())


def audit_concentration(study: Study, audit: Audit) -> None:
    """Compare the curve of value: most valuable customers first, and whole segments."""
    told, worth = study.report["concentration"], worth_of(study)
    if told is None or worth is None:
        return
    labels, order = study.customers.labels, np.sort(worth)[::-1]
    with audit.at("concentration of value"):
        for share, brought in told["curve"]:
            n = round(share * len(worth))
            audit.report(f"the first {n} customers, share", share, n / len(worth))
            audit.report(f"the first {n} customers, share of value", brought, order[:n].sum() / worth.sum())
        means = {j: worth[labels == j].mean() for j in range(1, study.customers.k + 1)}
        ranked = sorted(means, key=lambda j: -means[j])
        audit.same("segments by value a customer", [row[0] for row in told["segments"]], ranked)
        for i, (segment, share, brought) in enumerate(told["segments"], start=1):
            inside = np.isin(labels, ranked[:i])
            audit.report(f"up to segment {segment}, share", share, inside.mean())
            audit.report(f"up to segment {segment}, share of value", brought, worth[inside].sum() / worth.sum())


def audit_rfm(study: Study, audit: Audit) -> None:
    """Compare every shown cell of recency by frequency, and its name."""
    told, scores = study.report["rfm"], study.customers.scores
    if told is None or scores is None:
        return
    with audit.at("RFM grid"):
        n = len(scores)
        for cell in told["cells"]:
            inside = (scores["R"] == cell["recency"]) & (scores["F"] == cell["frequency"])
            name = f"recency {cell['recency']}, frequency {cell['frequency']}"
            if cell["share"] is not None:
                audit.report(f"{name}, share", cell["share"], inside.sum() / n)
            if inside.any():
                audit.same(f"{name}, group", cell["name"], scores.loc[inside, "group"].iloc[0])
        if told["no_purchase"] is not None:
            audit.report("no purchase", told["no_purchase"], (scores["group"] == "No purchase").sum() / n)


def audit_ledger(study: Study, audit: Audit) -> None:
    """Compare the ledger: it adds up, and what each rule touched where the rule names it."""
    ledger, n = study.report["ledger"], study.report["study"]["n_customers"]
    steps = study.report["steps"]
    with audit.at("ledger"):
        rows_in = [line for line in ledger if line["rule"] == "Customer key"]
        for line in rows_in:
            audit.report(f"{line['rule']}, in less touched is out", line["rows_out"], line["rows_in"] - line["touched"])
            audit.report(f"{line['rule']}, customers out", line["rows_out"], n)
        for line in ledger:
            kept = line["rows_out"] if line["rule"] in {"Customer key"} else line["rows_in"]
            audit.report(f"{line['rule']}, customers out", line["rows_out"], kept)
        missing = frozenset(int(study.customers.frame[step["name"]].isna().sum()) for step in steps) - {0}
        computed = {line["touched"] for line in ledger if "no value can be computed" in line["rule"]}
        audit.same("gaps in forming features", sorted(computed), sorted(missing))
        unusual = [line["touched"] for line in ledger if line["rule"] == "Unusual customers"]
        if unusual and study.report["study"]["missing"] != "exclude":
            audit.report("customers set aside", unusual[0], n - study.report["study"]["n_core"])
        touched_by_settings(study, audit)


def touched_by_settings(study: Study, audit: Audit) -> None:
    """Compare how many customers merging and believable ranges touched, from the raw file and the settings."""
    by_rule = {line["rule"]: line["touched"] for line in study.report["ledger"]}
    for raw, source in zip(study.customers.sources, study.settings["sources"], strict=True):
        labels = source.get("labels", {})
        for column, merged in source.get("merge", {}).items():
            rule = f"{labels.get(column, column)}: merge rare answers"
            audit.report(rule, by_rule.get(rule), int(raw[column].isin(list(merged)).sum()))
        for column, (low, high) in source.get("plausible", {}).items():
            rule = f"{labels.get(column, column)}: believable range"
            values = pd.to_numeric(raw[column], errors="coerce")
            odd = values.notna() & ~values.between(-np.inf if low is None else low, np.inf if high is None else high)
            audit.report(rule, by_rule.get(rule), int(odd.sum()))
        battery = source.get("battery") or (
            source.get("roles", {}).get("feature") if source.get("kind") == "survey" else None
        )
        if battery and "Straight-lining" in by_rule:
            answers = raw[list(battery)].dropna()
            audit.report("Straight-lining", by_rule["Straight-lining"], int((answers.nunique(axis=1) == 1).sum()))
            agreed = answers.isin(["Yes", "yes", True])
            if agreed.any(axis=None):
                audit.report("Yea-saying", by_rule.get("Yea-saying"), _count_yea_sayers(agreed.astype(float)))


def _count_yea_sayers(agreed: pd.DataFrame) -> int:
    """Count who says yes to nine in ten items, of both directions where two items or more point the other way."""
    values, axes = np.linalg.eigh(agreed.corr().to_numpy())
    first = axes[:, values.argmax()]
    first = first if first.sum() >= 0 else -first
    other_way = first <= -0.2
    sides = [other_way, ~other_way] if 2 <= other_way.sum() <= (first >= 0.2).sum() else [other_way | True]
    return int(np.logical_and.reduce([agreed.to_numpy()[:, side].mean(axis=1) >= 0.9 for side in sides]).sum())


def audit_joins(study: Study, audit: Audit) -> None:
    """Compare the rows and columns of each file, and the customers that do not fit to the base."""
    keys = study.customers.keys
    with audit.at("sources"):
        told = study.report["data"]["sources"]
        for raw, source, shown in zip(study.customers.sources, study.settings["sources"], told, strict=True):
            name = shown["name"]
            audit.report(f"{name}, rows", shown["rows"], len(raw))
            audit.report(f"{name}, columns", shown["columns"], raw.shape[1])
            customer = source.get("columns", {}).get("customer") or source.get("key")
            if customer is None or shown["unknown"] is None:
                continue
            known = set(raw[customer].dropna())
            audit.report(f"{name}, customers unknown to the base", shown["unknown"], len(known - set(keys)))
            audit.report(f"{name}, customers of the base without a row", shown["without"], len(set(keys) - known))
            by_month(raw, source, shown, audit)


def by_month(raw: pd.DataFrame, source: dict, shown: dict, audit: Audit) -> None:
    """Compare rows of transactions or events by month, where they are counted by month and not rounded."""
    dated = source.get("columns", {}).get("date")
    if not dated or not shown["bars"] or len(shown["bars"][0]["label"]) != len("2024-01"):
        return
    months = pd.to_datetime(raw[dated], errors="coerce").dt.strftime("%Y-%m").value_counts()
    for bar in shown["bars"]:
        audit.report(f"{shown['name']}, rows in {bar['label']}", bar["n"], int(months.get(bar["label"], 0)))
