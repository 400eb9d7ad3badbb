"""DBSCAN and HDBSCAN."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.clustering.algorithms.fits import (
    QUADRATIC,
    SAMPLE_ROWS,
    TO_NEIGHBOUR,
    Algorithm,
    Counts,
    Fit,
    Matrix,
    repeat_rows,
    sample_rows,
)
from analysis.clustering.algorithms.knees import knee, neighbour_curve

LEAST_DENSE = 0.03
"""Smallest share of customers that HDBSCAN calls a group; the size rule of the decision."""
REACH = 0.95
"""HDBSCAN's rule for new customers reaches as far as this share of its members lie from their m-th neighbour. Chosen
for this project."""


def fit_dbscan(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Find dense regions, as `Algorithm.fit` says; none where there are none."""
    from sklearn.cluster import DBSCAN  # pyrefly: ignore[missing-module-attribute]

    at = repeat_rows(matrix, counts)
    rows = matrix[at[sample_rows(len(at), SAMPLE_ROWS, seed)]]
    curve = neighbour_curve(rows)
    radius = float(curve[knee(curve)])
    if radius <= 0:
        return ()
    found = DBSCAN(eps=radius, min_samples=min(max(5, 2 * rows.shape[1]), len(rows) - 1) + 1).fit(rows)
    core = found.core_sample_indices_
    if not len(core):
        return ()
    labels = found.labels_
    centres = np.vstack([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    return (Fit(centres, rows[core], (labels[core] + 1).astype(np.int16), radius),)


def fit_hdbscan(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Find regions denser than what surrounds them, as `Algorithm.fit` says; none where there are none."""
    from sklearn.cluster import HDBSCAN  # pyrefly: ignore[missing-module-attribute]
    from sklearn.neighbors import NearestNeighbors

    at = repeat_rows(matrix, counts)
    rows = matrix[at[sample_rows(len(at), SAMPLE_ROWS, seed)]]
    m = min(max(5, 2 * rows.shape[1]), len(rows) - 1)
    least = max(round(LEAST_DENSE * len(rows)), 5)
    own_copy: Any = True  # scikit-learn's own type says text
    labels = HDBSCAN(min_cluster_size=least, min_samples=m, copy=own_copy).fit_predict(rows)
    if labels.max() < 0:
        return ()
    own = rows[labels >= 0]
    distance, _ = NearestNeighbors(n_neighbors=min(m + 1, len(own))).fit(own).kneighbors(own)
    centres = np.vstack([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    reach = float(np.quantile(distance[:, -1], REACH))
    return (Fit(centres, own, (labels[labels >= 0] + 1).astype(np.int16), reach),)


DBSCAN_ROW = Algorithm(
    name="dbscan",
    title="DBSCAN",
    about="Dense regions of any shape; customers in sparse regions stay unassigned.",
    places=TO_NEIGHBOUR,
    cost=QUADRATIC,
    fit=fit_dbscan,
    takes_k=False,
    simplicity=5,
    resample_rows=1_500,
    shares_work=True,
    sampled=True,
)

HDBSCAN_ROW = Algorithm(
    name="hdbscan",
    title="HDBSCAN",
    about="Regions that are dense against what surrounds them; the rest stays unassigned.",
    places=TO_NEIGHBOUR,
    cost=QUADRATIC,
    fit=fit_hdbscan,
    takes_k=False,
    simplicity=6,
    resample_rows=1_500,
    shares_work=True,
    sampled=True,
)
