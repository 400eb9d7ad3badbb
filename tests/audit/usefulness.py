"""Proof of use: how well groups predict customers that they were not fitted on, by own halvings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import r2_score, roc_auc_score

from tests.audit.comparison import NUMBER, Audit
from tests.audit.customers import Study
from tests.audit.pages import PrintedTable
from tests.audit.purchases import fifths, rfm

Codes = NDArray[np.int64]
HALVINGS = 40
"""Random halves of the audit; the report rests on ten."""
ERRORS, LEAST = 5.0, 0.002
"""Standard errors that the mean of ten halvings may lie off, and a floor under them."""


def half_scores(values: NDArray[np.float64], codes: Codes, kind: str, seed: int = 5) -> NDArray[np.float64]:
    """Score a grouping: means of one half predict the other; one number a halving, mean of both directions."""
    rng = np.random.default_rng(seed)
    codes = np.unique(codes, return_inverse=True)[1]
    found = []
    for _ in range(HALVINGS):
        first = rng.permutation(len(values)) < len(values) // 2
        each = [predict(values, codes, learn, kind) for learn in (first, ~first)]
        found.append(np.mean([x for x in each if np.isfinite(x)]))
    return np.array(found)


def predict(values: NDArray[np.float64], codes: Codes, learn: NDArray[np.bool_], kind: str) -> float:
    """Score the customers outside of ``learn`` by the groups' means within it; NaN where they have one value only."""
    k = int(codes.max()) + 1
    n = np.bincount(codes[learn], minlength=k)
    total = np.bincount(codes[learn], values[learn], minlength=k)
    means = np.where(n > 0, total / np.maximum(n, 1), values[learn].mean())
    told, seen = means[codes[~learn]], values[~learn]
    if len(np.unique(seen)) < 2:
        return float("nan")
    return float(roc_auc_score(seen, told)) if kind == "auc" else float(r2_score(seen, told))


def groupings(study: Study) -> dict[str, Codes]:
    """Give the groupings of the published customers: segments, RFM cells and groups, fifths of the value."""
    frame, settings = study.customers.frame, study.settings.get("proof", {})
    found: dict[str, Codes] = {"segments": study.customers.labels}
    recency, frequency = settings.get("recency") or "recency_days", settings.get("frequency") or "frequency"
    if recency in frame and frequency in frame:
        named = frame[[recency, frequency]].set_axis(["recency_days", "frequency"], axis=1)
        scores = rfm(named)
        cells = ((scores["R"] - 1) * 5 + scores["F"] - 1).fillna(25)
        found["rfm"] = cells.to_numpy(np.int64)
        found["rfm_groups"] = np.unique(scores["group"].astype(str), return_inverse=True)[1]
    value = study.report["study"]["value"]
    if value in frame:
        worth = frame[value]
        found["fifths"] = fifths(worth.dropna()).reindex(worth.index).fillna(0).to_numpy(np.int64)
        found |= {f"value_{n}": bands(worth, n) for n in range(2, 41)}
    if recency in frame and frequency in frame:
        known = frame[recency].where(frame[frequency].notna())
        ranks = frame[frequency].rank(pct=True) - known.rank(pct=True)
        found |= {f"rfm_{n}": bands(ranks, n) for n in range(2, 41)}
    if study.report["tiers"]:
        found["tiers"] = 3 * study.customers.labels + halves(study)
    return found


def bands(values: pd.Series, n: int) -> Codes:
    """Cut customers in order into bands of equal size; ties share a band, and the unknown are in the lowest."""
    ranks = values.rank(pct=True).fillna(0.0).to_numpy()
    return np.maximum(np.ceil(ranks * n), 1).astype(np.int64)


def halves(study: Study) -> Codes:
    """Give each customer's half by the published cut of the segment: 1 up to it, 2 above it, 0 where there is none."""
    table, labels = study.report["tiers"], study.customers.labels
    values = study.customers.frame[table["variable"]].to_numpy(float)
    cuts = np.array([np.nan, *(np.nan if cut is None else cut for cut in table["cuts"])])[labels]
    above = (values > cuts) | (np.isnan(values) & (table["by"] == "recency"))
    return np.where(np.isnan(cuts), 0, np.where(above, 2, 1)).astype(np.int64)


def audit_tiers(study: Study, audit: Audit) -> None:
    """Compare cut, size, value and outcomes of each half of a segment."""
    table, frame, labels = study.report["tiers"], study.customers.frame, study.customers.labels
    if not table:
        return
    codes, value = halves(study), study.report["study"]["value"]
    with audit.at("halves of the segments"):
        for segment, cut in enumerate(table["cuts"], start=1):
            if cut is not None:
                audit.report(
                    f"segment {segment}, cut", cut, float(frame[table["variable"]][labels == segment].median())
                )
        for place, tier in enumerate(table["tiers"]):
            inside, what = (labels == tier["segment"]) & (codes == place % 2 + 1), f"{tier['segment']}, {tier['name']}"
            audit.report(f"{what}, size", tier["n"], int(inside.sum()))
            audit.report(f"{what}, share", tier["share"], float(inside.mean()))
            if tier["value"] is not None:
                audit.report(f"{what}, value", tier["value"], float(frame[value][inside].mean()))
            if tier["value_share"] is not None:
                part = float(frame[value][inside].sum() / frame[value].sum())
                audit.report(f"{what}, share of value", tier["value_share"], part)
            for name, rate in zip(table["outcomes"], tier["rates"], strict=True):
                audit.report(f"{what}, {name}", rate, float(frame[name][inside].mean()))


def audit_usefulness(study: Study, audit: Audit) -> None:
    """Compare how well the published segments predict outcomes, beside simpler groups."""
    by_label, ways = study.by_label, groupings(study)
    use, n = study.report["evidence"]["use"], len(study.customers.frame)
    chose = choosing_half(n, study.report["study"]["seed"]) if use else np.zeros(n, dtype=bool)
    with audit.at("proof of use"):
        if use and use["label"] in by_label:
            compare_choice(study, audit, use, chose)
        for target in study.report["proof"]["outcomes"]:
            values = study.customers.frame[by_label[target["label"]]]
            known = values.notna().to_numpy() & ~chose
            numbers = values[known].to_numpy(float)
            audit.report(f"{target['label']}, customers", target["n"], int(known.sum()))
            if target["n_yes"] is not None:
                audit.report(f"{target['label']}, with a yes", target["n_yes"], int(numbers.sum()))
            if target["n"] > study.report["proof"]["most"]:
                continue
            for score in target["scores"]:
                compare_score(audit, target, score, numbers, ways, known)
        for target in study.report["proof"]["later"]:
            compare_later(study, audit, target)


def choosing_half(n: int, seed: int) -> NDArray[np.bool_]:
    """Draw the half of the customers that chooses among ties; usefulness is of the others."""
    return np.random.default_rng((seed, 21)).permutation(n) < n // 2


def compare_choice(study: Study, audit: Audit, use: dict, chose: NDArray[np.bool_]) -> None:
    """Compare the score of the published solution on the half that chose, and that it is the best of the ties."""
    values = study.customers.frame[study.by_label[use["label"]]]
    known = values.notna().to_numpy() & chose
    first, decision = use["tied"][0], study.report["decision"]
    audit.report("customers who chose", use["n"], int(known.sum()))
    audit.same("solution chosen", [first["algorithm"], first["k"]], [decision["algorithm"], decision["k"]])
    audit.same("best of the ties", first["use"], max(tie["use"] for tie in use["tied"]))
    own = half_scores(values[known].to_numpy(float), study.customers.labels[known], use["measure"])
    error = float(own.std()) / np.sqrt(10)
    audit.near("score on the half that chose", first["use"], float(own.mean()), max(LEAST, ERRORS * error))


def compare_score(
    audit: Audit, target: dict, score: dict, values: np.ndarray, ways: dict[str, Codes], known: np.ndarray
) -> None:
    """Compare one grouping's score with an own one, up to the error of ten halvings."""
    if score["name"] not in ways:
        return
    codes, what = ways[score["name"]][known], f"{target['label']}, {score['name']}"
    audit.report(f"{what}, groups", score["n_groups"], len(np.unique(codes)))
    own = half_scores(values, codes, target["kind"])
    error = float(own.std()) / np.sqrt(10)
    audit.near(f"{what}, score", score["score"]["value"], float(own.mean()), max(LEAST, ERRORS * error))


def compare_later(study: Study, audit: Audit, target: dict) -> None:
    """Compare whom a split in time knows and who bought after it; segments formed at that time are not made anew."""
    proof, source = study.report["proof"], None
    for raw, each in zip(study.customers.sources, study.settings["sources"], strict=True):
        if each.get("kind") == "transactions":
            source = (raw, each)
    if source is None or len(study.settings["sources"]) > 1:
        return
    from tests.audit.customers import purchase_lines

    lines = purchase_lines(*source)
    split = pd.Timestamp(proof["split"])
    bought = lines[lines["amount"] >= 0]
    then = pd.Index(bought.loc[bought["day"] <= split, "customer"].unique())
    later = bought[(bought["day"] > split) & bought["customer"].isin(then)]
    audit.report("customers known at the split", proof["n_known"], len(then))
    if target["n_yes"] is not None:
        audit.report(f"{target['label']}, with a yes", target["n_yes"], later["customer"].nunique())
    early = rfm(early_frame(lines, split, then))
    codes = {
        "rfm": ((early["R"] - 1) * 5 + early["F"] - 1).fillna(25).to_numpy(np.int64),
        "rfm_groups": np.unique(early["group"].astype(str), return_inverse=True)[1],
    }
    spend = later.groupby("customer")["amount"].sum().reindex(then, fill_value=0.0)
    active = pd.Series(then.isin(later["customer"]).astype(float), index=then)
    values = active if target["kind"] == "auc" else spend
    for score in target["scores"]:
        compare_score(
            audit, target, score, values.reindex(early.index).to_numpy(float), codes, np.ones(len(then), bool)
        )


def early_frame(lines: pd.DataFrame, split: pd.Timestamp, then: pd.Index) -> pd.DataFrame:
    """Give recency and frequency as they were at the split."""
    from tests.audit.purchases import purchase_features

    return purchase_features(lines, split).reindex(then)[["recency_days", "frequency"]]


def printed_scores(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the printed scores with the report's, which own halvings are held to."""
    proof = study.report["proof"]
    place = int(table.id.removeprefix("chart-proof-")) - 1
    target = [*proof["later"], *proof["outcomes"]][place]
    for score, row in zip(target["scores"], table.rows, strict=True):
        audit.printed(f"{row[0]}, score", row[1], [score["score"]["value"]])
        lead = score["lead"]
        if lead is not None and NUMBER.search(row[3]):
            own = target["scores"][0]["score"]["value"] - score["score"]["value"]
            audit.printed(f"{row[0]}, segments less this", row[3], [own])
