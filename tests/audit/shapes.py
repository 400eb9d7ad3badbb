"""Groups of another shape: dense groups by HDBSCAN, the gaps between them, and how well centres describe them.

Reference: Campello, Moulavi & Sander 2013, doi 10.1007/978-3-642-37456-2_14. The trees of shortest links are those of
scipy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.evidence import ready

MOST = 3_000
"""Most customers for which the groups are found again."""
LIMIT, WIDE, NOISE = 0.75, 1.5, 0.25
"""Bounds of the finding, as the page Methodology states them."""


def measure(points: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[float, float]:
    """Compute the agreement of the groups with the nearest centre, and the gap over the links within them."""
    numbers = np.unique(groups)
    centres = np.array([points[groups == j].mean(axis=0) for j in numbers])
    by_centre = float(adjusted_rand_score(groups, pairwise_distances_argmin(points, centres)))
    away = np.empty(len(points))
    links = 0.0
    for j in numbers:
        away[groups == j] = cKDTree(points[groups != j]).query(points[groups == j])[0]
        tree = minimum_spanning_tree(squareform(pdist(points[groups == j]))).data
        links = max(links, float(np.quantile(tree, 0.99)) if len(tree) else 0.0)
    return by_centre, float(np.quantile(away, 0.01)) / links if links else 0.0


def audit_shapes(study: Study, audit: Audit) -> None:
    """Compare whether there are groups of another shape, and their numbers where HDBSCAN finds them."""
    made = ready(study, audit)
    if made is None or len(made.clean) > MOST:
        return
    published = study.report["evidence"]["shapes"]
    n, p = made.clean.shape
    m = min(max(5, 2 * p), n - 1)
    groups = HDBSCAN(min_cluster_size=max(round(0.03 * n), 5), min_samples=m, copy=True).fit_predict(made.clean)
    inside = groups >= 0
    found = False
    by_centre, gap, by_segments = 1.0, 0.0, 1.0
    if groups.max() > 0 and (~inside).mean() <= NOISE:
        by_centre, gap = measure(made.clean[inside], groups[inside])
        labels = study.customers.labels[made.core]
        by_segments = float(adjusted_rand_score(groups[inside], labels[inside]))
        found = by_centre < LIMIT and by_segments < LIMIT and gap >= WIDE
    with audit.at("groups of another shape"):
        if published is None or published["algorithm"] == "HDBSCAN":
            natural = study.report["verdict"]["kind"] == "natural"
            audit.same("HDBSCAN finds them", published is not None, found and not natural)
        if published and found and published["algorithm"] == "HDBSCAN":
            audit.same("groups", published["n_groups"], int(groups.max()) + 1)
            # The published groups also hold customers that a rule placed.
            audit.near("gap", published["gap"], gap, 0.1 * gap, "sampling")
            audit.near("agreement with centres", published["by_centre"], by_centre, 0.02, "sampling")
            audit.near("agreement with segments", published["by_segments"], by_segments, 0.02, "sampling")
