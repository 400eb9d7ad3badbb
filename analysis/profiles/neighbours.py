"""Which segments are nearest to one another."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from analysis.profiles.profile import SegmentProfile


def rank_neighbours(
    segment: SegmentProfile, segments: Sequence[SegmentProfile], variables: Collection[str] | None = None
) -> tuple[int, ...]:
    """Rank the other segments by the distance of their standardised means.

    Parameters
    ----------
    segment : SegmentProfile
    segments : sequence of SegmentProfile
        All segments.
    variables : collection of str, optional
        Variables to compare; by default all.

    Returns
    -------
    tuple of int
        Numbers of the segments, the nearest first.
    """
    own = {d.variable: d.z for d in segment.differences if variables is None or d.variable in variables}
    distances = {
        other.id: sum((own[d.variable] - d.z) ** 2 for d in other.differences if d.variable in own)
        for other in segments
        if other.id != segment.id
    }
    return tuple(sorted(distances, key=lambda number: (distances[number], number)))
