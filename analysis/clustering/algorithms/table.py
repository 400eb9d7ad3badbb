"""The table of clustering algorithms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from analysis.clustering.algorithms.density import DBSCAN_ROW, HDBSCAN_ROW
from analysis.clustering.algorithms.fits import Algorithm, Matrix
from analysis.clustering.algorithms.kmeans import KMEANS
from analysis.clustering.algorithms.kprototypes import KPROTOTYPES, fit_kprototypes
from analysis.clustering.algorithms.latent_class import LATENT_CLASS, fit_latent_class
from analysis.clustering.algorithms.mixture import MIXTURE
from analysis.clustering.algorithms.ward import WARD
from analysis.features.prepare import Blocks, list_numbers

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        KMEANS,
        KPROTOTYPES,
        LATENT_CLASS,
        MIXTURE,
        WARD,
        DBSCAN_ROW,
        HDBSCAN_ROW,
    )
}
"""The algorithms, by name. A new one is one more row."""


def competing(matrix: Matrix, blocks: Blocks) -> dict[str, Algorithm]:
    """The algorithms for a matrix with these categories.

    k-prototypes is k-means without categories, and left out; latent classes need answers alone: columns of two values
    and categories.
    """
    found = dict(ALGORITHMS)
    for name, fit in (("kprototypes", fit_kprototypes), ("latent_class", fit_latent_class)):
        found[name] = replace(found[name], fit=partial(fit, blocks=blocks))
    if not blocks:
        del found["kprototypes"]
    numbers = matrix[:, list_numbers(matrix.shape[1], blocks)]
    if not all(np.isin(column, (column.min(), column.max())).all() for column in numbers.T):
        del found["latent_class"]
    return found
