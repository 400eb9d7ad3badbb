"""Numbers of segments that the single criteria prefer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.clustering.selection import (
    CandidateEvidence,
    elbow,
)

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
