"""k-means."""

from __future__ import annotations

from analysis.clustering.algorithms.fits import PUBLISHED, TO_CENTRE, Algorithm, Counts, Fit, Matrix
from analysis.clustering.algorithms.lloyd import fit_starts, search_best


def fit_kmeans(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Fit k-means, as `Algorithm.fit` says; a published fit searches for the best solution."""
    if n_init >= PUBLISHED:
        return tuple(Fit(search_best(matrix, k, seed, n_init, counts)) for k in ks)
    # Resampled fits, which have the fewer starts, stop earlier: they are compared by whom they put together.
    tolerance = 1e-4 if n_init > 3 else 1e-3
    return tuple(map(Fit, fit_starts(matrix, ks, seed, n_init, tolerance, counts)))


KMEANS = Algorithm(
    name="kmeans",
    title="k-means",
    about="Nearest of k centres; k-means++ starts.",
    places=TO_CENTRE,
    cost="grows with n",
    fit=fit_kmeans,
    takes_k=True,
    simplicity=1,
    resample_rows=10_000,
)
