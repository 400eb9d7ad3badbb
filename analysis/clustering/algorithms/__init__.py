"""Clustering algorithms, one a module and all in one table; each can fit customers and assign new ones."""

from analysis.clustering.algorithms.fits import (
    Algorithm,
    Classes,
    Counts,
    Fit,
    Labels,
    Matrix,
    distances,
    sample_rows,
    segment_means,
)
from analysis.clustering.algorithms.table import ALGORITHMS, NEEDS, competing

__all__ = [
    "ALGORITHMS",
    "NEEDS",
    "Algorithm",
    "Classes",
    "Counts",
    "Fit",
    "Labels",
    "Matrix",
    "competing",
    "distances",
    "sample_rows",
    "segment_means",
]
