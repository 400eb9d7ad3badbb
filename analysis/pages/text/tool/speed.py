"""Text and tables about how long the tool takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from analysis.base.formats import number, significant
from analysis.pages.figures import Table
from analysis.report.parts import Build, Speed

PARTS = {
    "Reading and features": ("Read", "Join", "Clean", "Build features", "Summarise data"),
    "Evidence": ("Gather evidence", "Compare choices"),
    "Profiles and proof": (
        *("Find rules", "Place everyone", "Prove use", "Profile segments", "Compare with the last run"),
    ),
    "Pages": ("Write pages",),
}
"""Stages of a build by what a reader calls them."""
REST = "Start and rest"
"""What lies outside of all stages: modules that are loaded, and the record of the build."""
MINUTE = 60.0


def in_short(speed: Speed) -> str:
    """Summarise for engineers."""
    largest = speed.builds[-1]
    return (
        f"{number(largest.customers)} customers with {number(largest.columns)} columns take "
        f"{duration(largest.seconds)} and {gigabytes(largest.gigabytes)} of memory."
    )


def growth(builds: Sequence[Build]) -> str:
    """State how much longer each larger build takes."""
    steps = [
        f"from {number(small.customers)} to {number(large.customers)} customers {times(large.seconds / small.seconds)}"
        for small, large in pairwise(builds)
    ]
    return f"The time of a build grows {', '.join(steps)}." if steps else ""


def builds(speed: Speed) -> Table:
    """List each build with the time of its parts."""
    return Table(
        ("Made-up table", "Whole build", *PARTS, REST),
        tuple(
            (f"{number(b.customers)} customers", duration(b.seconds), *map(duration, split(b).values()))
            for b in speed.builds
        ),
    )


def needs(speed: Speed) -> Table:
    """List each build with its memory and agreement, beside one fit of k-means."""
    return Table(
        ("Made-up table", "Memory", "One k-means", "Agreement"),
        tuple(
            (f"{number(b.customers)} customers", gigabytes(b.gigabytes), duration(b.one_fit), number(b.agreement, 3))
            for b in speed.builds
        ),
    )


def aggregations(speed: Speed) -> Table:
    """List features of customers beside the same by hand and one bare aggregation."""
    return Table(
        ("Made-up purchases", "All features", "In DuckDB", "By hand", "Ratio", "One GROUP BY"),
        tuple(
            (
                f"{number(a.transactions)} of {number(a.customers)} customers",
                duration(a.seconds),
                duration(a.engine_seconds),
                duration(a.by_hand_seconds),
                number(a.engine_seconds / a.by_hand_seconds, 1),
                duration(a.bare_seconds),
            )
            for a in speed.aggregations
        ),
    )


def shops(speed: Speed) -> Table:
    """List whole builds from purchases, with their memory and that of the features alone."""
    return Table(
        ("Made-up purchases", "Whole build", "Memory", "Memory of features"),
        tuple(
            (
                f"{number(a.transactions)} of {number(a.customers)} customers",
                duration(a.build_seconds),
                gigabytes(a.build_gigabytes),
                gigabytes(a.gigabytes),
            )
            for a in speed.aggregations
        ),
    )


def placings(speed: Speed) -> Table:
    """List how long it takes to place customers with a published model."""
    return Table(
        ("Made-up table", "score", "Memory"),
        tuple(
            (f"{number(p.customers)} customers", duration(p.seconds), gigabytes(p.gigabytes)) for p in speed.placings
        ),
    )


def versions(speed: Speed) -> Table:
    """List the versions that were measured."""
    return Table(("Package", "Version"), tuple(speed.versions.items()))


def split(build: Build) -> dict[str, float]:
    """Seconds of each part of a build, what lies outside of them last."""
    parts = {part: sum(build.stages.get(stage, 0.0) for stage in stages) for part, stages in PARTS.items()}
    return {**parts, REST: max(build.seconds - sum(parts.values()), 0.0)}


def duration(seconds: float) -> str:
    """Format a time: seconds, from two minutes on minutes."""
    if seconds >= 2 * MINUTE:
        return f"{number(seconds / MINUTE, 1)} min"
    return f"{number(seconds)} s" if seconds >= 10 else f"{significant(seconds, 2)} s"


def gigabytes(size: float) -> str:
    """Format a size."""
    return f"{number(size, 1)} GB"


def times(ratio: float) -> str:
    """Format how many times as long something takes."""
    return f"{number(ratio, 1)}-fold"
