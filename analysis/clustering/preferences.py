"""Numbers of segments that the single criteria prefer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.base.formats import number, percentage
from analysis.clustering.algorithms import Fit
from analysis.clustering.selection import AlgorithmEvidence, CandidateEvidence, elbow

PREDICTS = 0.8
"""Prediction strength from which a number of segments is supported (Tibshirani and Walther 2005)."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The number of segments that each criterion would choose; None where it has no opinion.

    ``gap`` may be 1: no groups at all. All but ``bic`` (of the mixture) are of the published algorithm, gap and
    prediction strength of k-means.
    """

    elbow: int
    silhouette: int
    calinski_harabasz: int
    davies_bouldin: int
    gap: int | None
    prediction_strength: int | None
    bic: int | None


def find_preferences(
    rows: Sequence[CandidateEvidence],
    gaps: Mapping[int, tuple[float, float]],
    strengths: Mapping[int, float],
    bics: Mapping[int, float],
) -> Preferences:
    """Find the number of segments that each criterion prefers.

    Parameters
    ----------
    rows : sequence of CandidateEvidence
        Of the winning algorithm, by number of segments.
    gaps : mapping of int to (float, float)
        Gap statistic of k-means and its standard error, by number of segments.
    strengths : mapping of int to float
        Prediction strength of k-means.
    bics : mapping of int to float
        BIC of the mixture; empty where it was not fitted.
    """
    gap = next(
        (k for k in sorted(gaps) if k + 1 in gaps and gaps[k][0] >= gaps[k + 1][0] - gaps[k + 1][1]),
        None,
    )
    return Preferences(
        elbow(rows),
        max(rows, key=lambda r: r.silhouette).k,
        max(rows, key=lambda r: r.calinski_harabasz).k,
        min(rows, key=lambda r: r.davies_bouldin).k,
        gap,
        max((k for k, strength in strengths.items() if strength >= PREDICTS), default=1),
        min(bics, key=lambda k: bics[k]) if bics else None,
    )


def describe_classes(judged: AlgorithmEvidence, fits: Sequence[Fit], about: str) -> AlgorithmEvidence:
    """Add to latent class analysis its form, the numbers of classes that its likelihood prefers, and how sure it is."""
    own = next((fit.classes for fit in fits if fit.k == judged.k), None)
    if own is None:
        return replace(judged, about=about)
    by_bic = min(fits, key=lambda fit: fit.bic or 0.0).k
    by_aic3 = min(fits, key=lambda fit: fit.classes.aic3 if fit.classes else 0.0).k
    said = (
        f"BIC prefers {by_bic}, AIC3 {by_aic3}; entropy R² {number(own.entropy_r2, 2)}, "
        f"{percentage(own.error)} expected in another class"
    )
    return replace(judged, about=about, outcome=f"{judged.outcome}; {said}")
