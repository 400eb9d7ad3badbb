"""Refits that find the same segments again, for tests of what is made of them."""

from __future__ import annotations

import numpy as np

from analysis.clustering.algorithms import Labels
from analysis.clustering.resample import Refits


def same_segments(labels: Labels, draws: int = 200) -> Refits:
    """Resample the customers; each keeps the segment."""
    rng, n = np.random.default_rng(1), len(labels)
    counts = np.array([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws)])
    everyone = np.broadcast_to(labels.astype(np.int16), (draws, n))
    return Refits(np.arange(n), everyone, counts.astype(np.uint8), 1.0)
