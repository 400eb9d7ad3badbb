"""The table of clustering algorithms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from analysis.clustering.algorithms.density import DBSCAN_ROW, HDBSCAN_ROW
from analysis.clustering.algorithms.fits import Algorithm, Matrix
from analysis.clustering.algorithms.kmeans import KMEANS
from analysis.clustering.algorithms.kprototypes import KPROTOTYPES, fit_kprototypes
from analysis.clustering.algorithms.latent_class import LATENT_CLASS, MIXED_CLASS, fit_latent_class
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
NEEDS = {
    "kprototypes": (
        "_quarto.yml, segmentation.algorithm: kprototypes needs a categorical feature, and there is none.",
        "Without categories it equals k-means.",
        "Give a column of text the role 'feature', or choose kmeans.",
    ),
    "latent_class": (
        "_quarto.yml, segmentation.algorithm: latent_class needs a yes/no answer or a category, and there is none.",
        "Only other numbers form segments, or features are reduced to principal components.",
        "Give a column of answers or categories the role 'feature', remove reduce, or choose auto.",
    ),
}
"""What an algorithm that does not suit the features needs."""


def competing(matrix: Matrix, blocks: Blocks) -> dict[str, Algorithm]:
    """The algorithms for a matrix with these categories.

    k-prototypes is k-means without categories, and left out; latent classes need answers, which are columns of two
    values and categories. Beside numbers their mixed form competes.
    """
    found = dict(ALGORITHMS)
    found["kprototypes"] = replace(KPROTOTYPES, fit=partial(fit_kprototypes, blocks=blocks))
    if not blocks:
        del found["kprototypes"]
    alone = list_numbers(matrix.shape[1], blocks)
    numbers = tuple(j for j in alone if not np.isin(matrix[:, j], (matrix[:, j].min(), matrix[:, j].max())).all())
    form = MIXED_CLASS if numbers else LATENT_CLASS
    found["latent_class"] = replace(form, fit=partial(fit_latent_class, blocks=blocks, numbers=numbers))
    if len(numbers) == len(alone) and not blocks:
        del found["latent_class"]
    return found
