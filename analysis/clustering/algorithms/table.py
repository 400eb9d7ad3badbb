"""The table of clustering algorithms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from analysis.clustering.algorithms.density import DBSCAN_ROW, HDBSCAN_ROW
from analysis.clustering.algorithms.fits import Algorithm
from analysis.clustering.algorithms.kmeans import KMEANS
from analysis.clustering.algorithms.kprototypes import KPROTOTYPES, fit_kprototypes
from analysis.clustering.algorithms.mixture import MIXTURE
from analysis.clustering.algorithms.ward import WARD
from analysis.features.prepare import Blocks

ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        KMEANS,
        KPROTOTYPES,
        MIXTURE,
        WARD,
        DBSCAN_ROW,
        HDBSCAN_ROW,
    )
}
"""The algorithms, by name. A new one is one more row."""


def competing(blocks: Blocks) -> dict[str, Algorithm]:
    """The algorithms for a matrix with these categories; k-prototypes is k-means where there are none, and left out."""
    bound = replace(ALGORITHMS["kprototypes"], fit=partial(fit_kprototypes, blocks=blocks))
    return {name: bound if name == bound.name else a for name, a in ALGORITHMS.items() if blocks or name != bound.name}
