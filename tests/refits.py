"""Preparations that change nothing and refits that find the same segments again, for tests of what is made of them."""

from __future__ import annotations

import numpy as np

from analysis.clustering.algorithms import Labels
from analysis.clustering.resample import Refits
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step


def as_they_are(table: FeatureTable, forming: tuple[Variable, ...]) -> Prepared:
    """Take features as they are; a missing value is the median, and everyone belongs to the clean core."""
    values = table.frame[[v.name for v in forming]]
    steps = tuple(Step(v.name, False, float(values[v.name].median()), 0.0, 1.0, 0) for v in forming)
    matrix = values.fillna(values.median()).to_numpy(float)
    return Prepared(matrix, np.ones(len(matrix), dtype=bool), steps, forming, (), (), None, ())


def same_segments(labels: Labels, draws: int = 200) -> Refits:
    """Resample the customers; each keeps the segment."""
    rng, n = np.random.default_rng(1), len(labels)
    counts = np.array([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws)])
    everyone = np.broadcast_to(labels.astype(np.int16), (draws, n))
    return Refits(np.arange(n), everyone, counts.astype(np.uint8), 1.0)
