"""The fits that are published: of all customers, or of a sample where they are many."""

from __future__ import annotations

from dataclasses import replace

from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights, scale
from analysis.clustering.algorithms import Algorithm, Fit, Matrix, sample_rows
from analysis.clustering.algorithms.fits import PUBLISHED
from analysis.clustering.algorithms.lloyd import Rows
from analysis.clustering.algorithms.threads import one_thread
from analysis.settings.models import Study

USUAL_STARTS = 3
"""Value of the setting ``starts`` at which ``Effort.starts`` holds for published fits, which grows with the square of
a larger one. Starts of resampled fits, of halves and of the gap's references are the setting itself."""
SETTLED = 1e-6
"""Part of a column's mean variance by which centres of all customers still move when they count as settled."""


def fit_solutions(
    clean: Matrix,
    algorithm: Algorithm,
    ks: tuple[int, ...],
    seed: int,
    starts: int = USUAL_STARTS,
    effort: Effort = USERS,
    weights: Weights = None,
) -> tuple[Fit, ...]:
    """The published fits of one algorithm; more starts in resamples mean a longer search here, too."""
    counts = None if weights is None else scale(weights)
    with one_thread():
        return algorithm.fit(clean, ks, seed, effort.starts * max(starts, USUAL_STARTS) ** 2 // USUAL_STARTS**2, counts)


def fit_customers(clean: Matrix, algorithm: Algorithm, k: int, study: Study, effort: Effort) -> Fit | None:
    """Fit one solution to all customers, or as `judge_customers` does to a sample where they are many.

    Parameters
    ----------
    clean : ndarray, shape (n, p)
    algorithm : Algorithm
    k : int
        Number of segments.
    study : Study
        Uses ``seed`` and ``starts``.
    effort : Effort

    Returns
    -------
    Fit, or None
        None where the algorithm finds no segments.
    """
    few = len(clean) <= effort.whole_rows
    some = clean if few else clean[sample_rows(len(clean), effort.evidence_rows, study.seed)]
    if not few:
        effort = replace(effort, starts=min(effort.starts, PUBLISHED))
    fits = fit_solutions(some, algorithm, (k,), study.seed, study.starts, effort)
    if few or not fits or algorithm.name != "kmeans":
        return fits[0] if fits else None
    with one_thread():
        return Fit(settle_centres(clean, fits[0].centres, None))


def settle_centres(clean: Matrix, centres: Matrix, weights: Weights) -> Matrix:
    """Move centres of k-means to where they stay among these customers, by full passes."""
    rows = Rows(clean, weights)
    return rows.settle(centres[None] - rows.mean, SETTLED)[1][0] + rows.mean
