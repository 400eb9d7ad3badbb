"""Evidence that rests on random draws, drawn anew: gap, prediction strength, stability, Gaussian clouds.

Two independent sets of draws agree up to their standard errors; four of them, and a small floor, are allowed.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.evidence import REFERENCE_ROWS, distances, ready, sample, searched, twin

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
REFERENCES, HALVINGS, PAIRS, CLOUDS = 20, 16, 12, 8
"""Draws of the audit: uniform references, random halvings, pairs of bootstrap samples, Gaussian clouds."""
PUBLISHED_REFERENCES, PUBLISHED_HALVINGS, PUBLISHED_CLOUDS = 50, 50, 20
ERRORS = 4.0


def fit(rows: Floats, k: int, starts: int, seed: int, weight: Floats | None = None) -> KMeans:
    """Fit k-means; rows that repeat give a warning that says nothing here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KMeans(k, n_init=starts, random_state=seed).fit(rows, sample_weight=weight)  # type: ignore[arg-type]


def audit_gap(study: Study, audit: Audit) -> None:
    """Compare the gap statistic (Tibshirani, Walther and Hastie 2001) with own uniform references."""
    made = ready(study, audit)
    if made is None:
        return
    rows = made.clean[sample(len(made.clean), REFERENCE_ROWS, study.report["study"]["seed"])]
    told = {row["k"]: row for row in study.report["evidence"]["by_k"] if row["gap"] is not None}
    own = searched(study, audit, made.clean, list(told))
    axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2]
    turned = rows @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    rng = np.random.default_rng(41)
    with audit.at("gap statistic"):
        clouds = [rng.uniform(low, high, rows.shape) for _ in range(REFERENCES)]
        for k, row in told.items():
            labels = (twin(row["wcss"], own[k]) or own[k][0]).labels
            centres = np.array([made.clean[labels == j].mean(axis=0) for j in range(k)])
            found = (distances(rows, centres).min(axis=1) ** 2).sum()
            # A published solution that is better than any found here is the one that its gap is of.
            here = np.log(min(found, row["wcss"]) if len(rows) == len(made.clean) else found)
            logs = np.array([np.log(fit(cloud, k, 5, 7).inertia_) for cloud in clouds])
            error = float(logs.std()) * np.sqrt(1 / REFERENCES + 1 / PUBLISHED_REFERENCES)
            audit.near(f"{k} segments, gap", row["gap"], float(logs.mean() - here), ERRORS * error + 0.002)


def strength(half: Floats, own: KMeans, other: KMeans) -> float:
    """Compute how often the other half's rule puts two customers together that the own one does; the least segment."""
    mine, theirs = own.predict(half), other.predict(half)
    shares = []
    for j in np.unique(mine):
        counts = np.bincount(theirs[mine == j])
        n = counts.sum()
        shares.append((counts * (counts - 1)).sum() / (n * (n - 1)) if n > 1 else 1.0)
    return float(min(shares))


def audit_prediction_strength(study: Study, audit: Audit) -> None:
    """Compare the prediction strength (Tibshirani and Walther 2005) with own random halvings."""
    made = ready(study, audit)
    if made is None:
        return
    rows = made.clean[sample(len(made.clean), REFERENCE_ROWS, study.report["study"]["seed"])]
    rng = np.random.default_rng(43)
    orders = [rng.permutation(len(rows)) for _ in range(HALVINGS)]
    with audit.at("prediction strength"):
        for told in study.report["evidence"]["by_k"]:
            k, found = told["k"], []
            if told["prediction_strength"] is None:
                continue
            for order in orders:
                first, second = rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]
                a, b = fit(first, k, 10, 7), fit(second, k, 10, 7)
                found.append((strength(second, b, a) + strength(first, a, b)) / 2)
            error = float(np.std(found)) * np.sqrt(1 / HALVINGS + 1 / PUBLISHED_HALVINGS)
            audit.near(f"{k} segments", told["prediction_strength"], float(np.mean(found)), ERRORS * error + 0.01)


def bootstrap_labels(clean: Floats, everyone: Floats, k: int, starts: int, rng: np.random.Generator) -> Labels:
    """Fit a bootstrap sample of the core and place everyone by its centres."""
    counts = np.bincount(rng.integers(0, len(clean), min(len(clean), 10_000)), minlength=len(clean))
    used = np.flatnonzero(counts)
    model = fit(clean[used], k, starts, int(rng.integers(2**31)), counts[used].astype(float))
    return distances(everyone, model.cluster_centers_).argmin(axis=1)


def jaccard(reference: Labels, other: Labels) -> Floats:
    """Compute the largest Jaccard index of each reference segment with a segment of the other solution."""
    found = []
    for i in np.unique(reference):
        inside = reference == i
        found.append(max((inside & (other == j)).sum() / (inside | (other == j)).sum() for j in np.unique(other)))
    return np.array(found)


def audit_stability(study: Study, audit: Audit) -> None:
    """Compare the stability of k-means around the decided number, over own pairs of bootstrap samples."""
    made = ready(study, audit)
    told = next((a for a in study.report["evidence"]["algorithms"] if a["name"] == "kmeans"), None)
    if made is None or told is None:
        return
    decided = study.report["decision"]["k"]
    starts = int({name: value for name, value, _ in study.report["study"]["settings"]}.get("starts", 3))
    published = study.report["decision"]["algorithm"] == "kmeans"
    rng = np.random.default_rng(47)
    with audit.at("stability"):
        for row in told["by_k"]:
            k, stability = row["k"], row["stability"]
            if abs(k - decided) > 1 or not stability["pairs"]:
                continue
            draws = [bootstrap_labels(made.clean, made.values, k, starts, rng) for _ in range(2 * PAIRS)]
            pairs = [adjusted_rand_score(a, b) for a, b in zip(draws[::2], draws[1::2], strict=True)]
            spread = max(float(np.std(pairs)), (stability["q3"] - stability["q1"]) / 1.349)
            error = 1.2533 * spread * np.sqrt(1 / PAIRS + 1 / stability["pairs"])
            audit.near(f"{k} segments, median", stability["median"], float(np.median(pairs)), ERRORS * error + 0.005)
            if k == decided and published:
                reference = study.customers.labels
                each = np.array([jaccard(reference, draw) for draw in draws])
                for j, slsw in enumerate(row["slsw"]):
                    error = float(each[:, j].std()) * np.sqrt(1 / len(draws) + 0.5 / stability["pairs"])
                    own = float(each[:, j].mean())
                    audit.near(f"segment {j + 1}, Jaccard index", slsw, own, ERRORS * error + 0.005)


def audit_clouds(study: Study, audit: Audit) -> None:
    """Compare the silhouettes of k-means on Gaussian clouds with the data's mean and covariance."""
    made = ready(study, audit)
    if made is None or study.report["decision"]["algorithm"] != "kmeans":
        return
    k, told = study.report["decision"]["k"], study.report["evidence"]["nulls"]["gaussian"]
    rng = np.random.default_rng(53)
    found = []
    for _ in range(CLOUDS):
        n = min(len(made.clean), REFERENCE_ROWS)
        cloud = rng.multivariate_normal(made.clean.mean(axis=0), np.cov(made.clean.T), n)
        found.append(float(silhouette_score(cloud, fit(cloud, k, 5, 7).labels_)))
    spread = max(float(np.std(found)), float(np.std(told)))
    with audit.at("Gaussian clouds"):
        error = spread * np.sqrt(1 / CLOUDS + 1 / PUBLISHED_CLOUDS)
        audit.near("mean silhouette", float(np.mean(told)), float(np.mean(found)), ERRORS * error + 0.002)
