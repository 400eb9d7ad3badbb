"""Indices of the evidence, by scikit-learn and scipy on the matrix made anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
)
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.matrix import Matrix, can_make, make_matrix

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
STARTS, FEW_STARTS, MIXTURE_STARTS = 40, 15, 2
"""Starts of the audit's own k-means, with many customers, and of its mixtures."""
TWIN = 4e-6
"""Relative difference of two sums of squares up to which they are of the same solution."""
SAME = 1e-4
"""Relative difference of two sums of squares up to which they are the same optimum."""
AS_GOOD = 0.1
"""Part of what one more segment gains by which an optimum may lie above the best and still be as good."""
SAMPLED_ABOVE, REFERENCE_ROWS = 5_000, 2_000
"""Customers above which silhouettes, and Ward's tree and the neighbours' distances, are of a seeded sample."""


def sample(n: int, most: int, seed: int) -> NDArray[np.intp]:
    """Give the rows of a seeded sample without replacement, sorted; all of them where they are few."""
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def distances(values: Floats, centres: Floats) -> Floats:
    """Compute Euclidean distances, shape (n, k)."""
    return np.sqrt(((values[:, None, :] - centres[None]) ** 2).sum(axis=2))


def ready(study: Study, audit: Audit) -> Matrix | None:
    """Give the matrix, or note why it cannot be made."""
    if can_make(study):
        return make_matrix(study)
    audit.skip("evidence", "features are scaled in a way that is not recomputed")
    return None


def audit_published_solution(study: Study, audit: Audit) -> None:
    """Compare the indices of the published solution: squares, separation, silhouettes and shadow values."""
    made = ready(study, audit)
    report, centres = study.report, study.report["rules"]["centres"]
    if made is None or centres is None or not centres["exact"] or report["unassigned"]:
        return
    points, labels = np.array(centres["centres"]), study.customers.labels[made.core]
    clean, k = made.clean, report["decision"]["k"]
    row = next(r for r in report["evidence"]["by_k"] if r["k"] == k)
    rows = sample(len(clean), SAMPLED_ABOVE, report["study"]["seed"])
    with audit.at("evidence of the published solution"):
        audit.report("within-segment sum of squares", row["wcss"], float(((clean - points[labels - 1]) ** 2).sum()))
        audit.report("Calinski-Harabasz", row["calinski_harabasz"], float(calinski_harabasz_score(clean, labels)))
        audit.report("Davies-Bouldin", row["davies_bouldin"], float(davies_bouldin_score(clean, labels)))
        sizes = np.bincount(study.customers.labels)[1:]
        audit.report("smallest segment", row["smallest_share"], sizes.min() / len(study.customers.labels))
        each = silhouette_samples(clean[rows], labels[rows])
        audit.report("mean silhouette", row["silhouette"], float(each.mean()))
        error = float(each.std() / np.sqrt(len(each))) if len(rows) < len(clean) else 0.0
        audit.report("standard error of the silhouette", row["silhouette_se"], error)
        near = np.sort(distances(clean, points), axis=1)[:, :2]
        shadow = 2 * near[:, 0] / near.sum(axis=1)
        for segment in report["segments"]:
            j = segment["id"]
            own = float(each[labels[rows] == j].mean())
            audit.report(f"segment {j}, silhouette", segment["silhouette"], own)
            # Centres have six digits, of which differences lose some.
            audit.near(
                f"segment {j}, shadow value", segment["shadow"], float(shadow[labels == j].mean()), 5e-6, "digits"
            )
        compare_gorge(study, audit, made, points)


def compare_gorge(study: Study, audit: Audit, made: Matrix, points: Floats) -> None:
    """Compare the histograms of similarity to each segment; counts go to whole cells."""
    closeness = np.exp(-distances(made.values, points))
    similar = closeness / closeness.sum(axis=1, keepdims=True)
    cell, n = study.report["study"]["min_cell"], len(made.values)
    for j, told in enumerate(study.report["evidence"]["gorge"]):
        counts = np.histogram(similar[:, j], len(told["shares"]), (0.0, 1.0))[0]
        for low, share, count in zip(told["edges"], told["shares"], counts, strict=False):
            audit.near(f"segment {j + 1}, similar from {low:g}", share, count / n, 0.5 * cell / n + 2 / n, "digits")


@dataclass(frozen=True, slots=True)
class Solution:
    """A local optimum of k-means: its sum of squares, and labels 0..k-1 of the core."""

    squares: float
    labels: Labels


def solutions(clean: Floats, k: int, starts: int = STARTS) -> list[Solution]:
    """Fit k-means from many single starts; every different optimum once, the best first."""
    found: dict[str, Solution] = {}
    for start in range(starts if len(clean) < SAMPLED_ABOVE else FEW_STARTS):
        model = KMeans(k, n_init=1, random_state=1_000 + start, tol=0, max_iter=500).fit(clean)  # type: ignore[arg-type]
        found.setdefault(f"{model.inertia_:.6g}", Solution(float(model.inertia_), model.labels_.astype(np.int64)))
    return sorted(found.values(), key=lambda each: each.squares)


def searched(study: Study, audit: Audit, clean: Floats, ks: list[int]) -> dict[int, list[Solution]]:
    """Search the optima of k-means once for every subject that asks for them."""
    for k in ks:
        if k not in audit.kept:
            audit.kept[k] = solutions(clean, k)
    return audit.kept


def audit_kmeans(study: Study, audit: Audit) -> None:
    """Compare k-means at every k with the best of many starts, and the indices with those of the same optimum."""
    made = ready(study, audit)
    told = next((a for a in study.report["evidence"]["algorithms"] if a["name"] == "kmeans"), None)
    if made is None or told is None:
        return
    clean, rows = made.clean, {row["k"]: row for row in told["by_k"]}
    whole = float(((clean - clean.mean(axis=0)) ** 2).sum())
    found = searched(study, audit, clean, list(rows))
    with audit.at("k-means at every k"):
        for k, row in rows.items():
            between = (whole - row["wcss"]) / (k - 1) / (row["wcss"] / (len(clean) - k))
            what = f"{k} segments, Calinski-Harabasz of its squares"
            audit.near(what, row["calinski_harabasz"], between, 2e-3 * between, "optimum")
            fewer = found[k - 1][0].squares if k - 1 in found else whole
            compare_optimum(study, audit, clean, row, found[k], fewer - found[k][0].squares)
        compare_preferences(study, audit, study.report["evidence"]["prefers"])
        compare_neighbours(study, audit, made, found, rows)


def compare_optimum(study: Study, audit: Audit, clean: Floats, row: dict, found: list[Solution], gain: float) -> None:
    """Compare one published fit of k-means: no start does better, and the same optimum has the same indices.

    Parameters
    ----------
    gain : float
        Sum of squares that this number of segments has less than one fewer, at the best of both.
    """
    k, least = row["k"], found[0].squares
    what, beyond = f"{k} segments, sum of squares", row["wcss"] - least
    if SAME * least < beyond <= AS_GOOD * gain:
        part = f"{100 * beyond / gain:.1f} %"
        audit.explain(what, row["wcss"], least, f"an optimum as good: {part} of what one more segment gains above it")
    else:
        audit.near(what, row["wcss"], min(least, row["wcss"] * (1 + SAME)), SAME * least, "optimum")
    same = twin(row["wcss"], found)
    if same is None:
        return
    at = sample(len(clean), SAMPLED_ABOVE, study.report["study"]["seed"])
    width = float(silhouette_samples(clean[at], same.labels[at]).mean())
    index = float(davies_bouldin_score(clean, same.labels))
    audit.near(f"{k} segments, silhouette", row["silhouette"], width, 2e-3, "optimum")
    audit.near(f"{k} segments, Davies-Bouldin", row["davies_bouldin"], index, 0.01 * index, "optimum")
    ratio = (whole_squares(clean) - same.squares) / (k - 1) / (same.squares / (len(clean) - k))
    for name, value in (("wcss", same.squares), ("silhouette", width), ("davies_bouldin", index)):
        audit.values[name, k] = value
    audit.values["calinski_harabasz", k] = ratio


def whole_squares(clean: Floats) -> float:
    """Compute the sum of squares around the mean of all."""
    return float(((clean - clean.mean(axis=0)) ** 2).sum())


def twin(squares: float, found: list[Solution]) -> Solution | None:
    """Give the optimum with the published sum of squares, to all of its digits; None where no start found it."""
    near = min(found, key=lambda each: abs(each.squares - squares))
    return near if abs(near.squares / squares - 1) < TWIN else None


def compare_preferences(study: Study, audit: Audit, prefers: dict) -> None:
    """Compare the number of segments that each index prefers with the published indices."""
    rows = study.report["evidence"]["by_k"]
    ks = np.array([row["k"] for row in rows])
    for name, choose in (("silhouette", max), ("calinski_harabasz", max), ("davies_bouldin", min)):
        best = choose(rows, key=lambda row: row[name])["k"]
        audit.same(f"number of segments by {name}", prefers[name], best)
    squares = np.array([row["wcss"] for row in rows])
    chord = np.linspace(squares[0], squares[-1], len(squares))
    audit.same("number of segments at the elbow", prefers["elbow"], int(ks[np.abs(squares - chord).argmax()]))
    strong = [row["k"] for row in rows if row["prediction_strength"] is not None and row["prediction_strength"] >= 0.8]
    audit.same("number of segments by prediction strength", prefers["prediction_strength"], max(strong, default=1))
    bics = {row["k"]: row["bic"] for row in rows if row["bic"] is not None}
    if bics:
        audit.same("number of segments by BIC", prefers["bic"], min(bics, key=lambda k: bics[k]))


def compare_neighbours(study: Study, audit: Audit, made: Matrix, found: dict[int, list[Solution]], rows: dict) -> None:
    """Compare the agreement of the published solution with those of one segment fewer and more."""
    if study.report["decision"]["algorithm"] != "kmeans":
        return
    published = study.customers.labels
    for told in study.report["evidence"]["neighbours"]:
        k = told["k"]
        same = twin(rows[k]["wcss"], found[k])
        if same is None:
            continue
        centres = np.array([made.clean[same.labels == j].mean(axis=0) for j in range(k)])
        other = distances(made.values, centres).argmin(axis=1)
        audit.near(
            f"agreement with {k} segments", told["agreement"], adjusted_rand_score(published, other), 0.01, "optimum"
        )
        smallest = np.bincount(other).min() / len(other)
        audit.near(f"smallest of {k} segments", told["smallest_share"], float(smallest), 0.005, "optimum")


def audit_mixture(study: Study, audit: Audit) -> None:
    """Compare the BIC of Gaussian mixtures with the best of several starts."""
    made = ready(study, audit)
    if made is None:
        return
    clean, found = made.clean, {}
    rows = [row for row in study.report["evidence"]["by_k"] if row["bic"] is not None]
    with audit.at("BIC of mixtures"):
        for row in rows:
            model = GaussianMixture(row["k"], reg_covar=0.01, n_init=MIXTURE_STARTS, max_iter=200, random_state=97)
            found[row["k"]] = min(row["bic"], float(model.fit(clean).bic(clean)))
        prefers = study.report["evidence"]["prefers"]["bic"]
        stays = min(found, key=lambda k: found[k]) == prefers
        for row in rows:
            what, own = f"{row['k']} components, BIC", found[row["k"]]
            # Ten units are strong evidence (Kass and Raftery 1995); what is less tells no two mixtures apart.
            least = max(10.0, 1e-3 * abs(own))
            if row["bic"] - own > least and stays:
                reason = f"a likelier mixture from other starts; the number that the BIC prefers stays {prefers}"
                audit.explain(what, row["bic"], own, reason)
            else:
                audit.near(what, row["bic"], own, least, "optimum")


def audit_directions(study: Study, audit: Audit) -> None:
    """Compare the map: share of the differences on two main directions, and the segments' centres there."""
    made = ready(study, audit)
    if made is None or made.values.shape[1] < 2:
        return
    told = study.report["map"]
    centred = made.values - made.values.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    points = centred @ axes.T
    with audit.at("map"):
        audit.rows("share of the differences", told["explained"], list(singular[:2] ** 2 / (singular**2).sum()))
        for j, centre in enumerate(told["centres"], start=1):
            own = points[study.customers.labels == j].mean(axis=0)
            for name, shown, actual in zip(("across", "up"), centre, own, strict=True):
                audit.report(f"segment {j}, centre {name}", shown, float(actual), 5 if abs(shown) < 1 else None)
        compare_bins(audit, told, points, study.report["study"]["min_cell"])


def compare_bins(audit: Audit, told: dict, points: Floats, cell: int) -> None:
    """Compare the customers in each cell of the map; counts go to whole cells."""
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    n_bins = np.round((high - low) / np.array(told["step"]))
    step = (high - low) / n_bins
    inside = points[((points >= low - 1e-9) & (points <= high + 1e-9)).all(axis=1)]
    places = np.floor((inside - low) / step + 1e-9).astype(int)
    for shown in told["bins"]:
        at = np.floor((np.array([shown["x"], shown["y"]]) - low) / step + 1e-6).astype(int)
        n = int((places == at).all(axis=1).sum())
        # Answers by yes or no fall on edges of cells, to either side by the last digit of a float.
        offset = np.abs((inside - low) / step - at - 0.5)
        edge = int(((offset > 0.5 - 1e-6).any(axis=1) & (offset < 0.5 + 1e-6).all(axis=1)).sum())
        audit.near(f"customers around {shown['x']:.2f}, {shown['y']:.2f}", shown["n"], n, cell / 2 + edge, "digits")


def audit_tree(study: Study, audit: Audit) -> None:
    """Compare the heights of Ward's last unions and the distances to the m-th neighbour."""
    made = ready(study, audit)
    if made is None:
        return
    clean = made.clean[sample(len(made.clean), REFERENCE_ROWS, study.report["study"]["seed"])]
    evidence = study.report["evidence"]
    with audit.at("Ward's tree"):
        heights = linkage(clean, "ward")[:, 2]
        shown = sorted((max(link[1]) for link in evidence["tree"]["links"]), reverse=True)
        for i, (height, own) in enumerate(zip(shown, heights[::-1], strict=False), start=1):
            audit.report(f"union {i} from the top", height, float(own))
        k = study.report["decision"]["k"]
        audit.report("height of the cut", evidence["tree"]["cut"], float((heights[-k] + heights[1 - k]) / 2))
    with audit.at("distance to the m-th neighbour"):
        m = min(max(5, 2 * clean.shape[1]), len(clean) - 1)
        audit.same("m", evidence["reach"]["neighbours"], m)
        curve = np.sort(NearestNeighbors(n_neighbors=m + 1).fit(clean).kneighbors(clean)[0][:, -1])
        own = np.percentile(curve, np.arange(1, 100))
        # The nearest neighbours' distances lose digits to how they are computed.
        for q, (told, actual) in enumerate(zip(evidence["reach"]["quantiles"], own, strict=True), start=1):
            audit.report(f"{q} % of customers", told, float(actual), 5 if told < 1e-3 else None)
