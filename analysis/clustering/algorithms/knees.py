"""Knee of a curve, and the curve of distances whose knee is DBSCAN's radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def neighbour_curve(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each customer to its m-th neighbour, ascending; m = 2 x features, at least 5."""
    from sklearn.neighbors import NearestNeighbors

    m = min(max(5, 2 * matrix.shape[1]), len(matrix) - 1)
    distance, _ = NearestNeighbors(n_neighbors=m + 1).fit(matrix).kneighbors(matrix)
    return np.sort(distance[:, -1])


def knee(curve: NDArray[np.float64]) -> int:
    """Index of the point of a monotone curve that is farthest from the chord between its ends."""
    x = np.linspace(0, 1, len(curve))
    span = curve[-1] - curve[0]
    y = (curve - curve[0]) / span if span else np.zeros_like(curve)
    return int(np.abs(y - x).argmax())
