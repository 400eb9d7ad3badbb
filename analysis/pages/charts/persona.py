"""Chart of a persona page."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import number, percentage
from analysis.pages.figures import (
    FOLDED,
    INK,
    NEGLIGIBLE,
    Figure,
    Table,
    certainty_interval,
    explain_scale,
    make_figure,
    single,
    tip,
    typical,
)
from analysis.report.model import Report, Segment
from analysis.report.parts import Difference, Variable


def title_profile(report: Report, segment: Segment) -> str:
    """Name the feature on which a segment lies furthest from everyone, and the side."""
    variable, furthest = max(_list_differences(report, segment), key=lambda pair: abs(pair[1].z))
    if abs(furthest.z) < NEGLIGIBLE:
        return "Close to everyone on every feature"
    side = {1: "above ", -1: "below "}.get(furthest.direction, "from ")
    return f"Furthest {side}everyone on “{variable.label}”"


def _list_differences(report: Report, segment: Segment) -> list[tuple[Variable, Difference]]:
    """List the features with the segment's differences, largest first."""
    differences = [(v, d) for v in report.forming() if (d := segment.difference(v.name))]
    return sorted(differences, key=lambda pair: -pair[1].z)


def persona_profile(report: Report, segment: Segment) -> Figure:
    """Chart the features of one segment against the overall average, with 95% bootstrap intervals."""
    formats = report.formats()
    differences = _list_differences(report, segment)
    rows = [
        {
            "feature": v.label,
            "z": d.z,
            "low": d.z_low,
            "high": d.z_high,
            "median": typical(formats, d.summary, v.unit),
            "all": typical(formats, report.everyone[v.name], v.unit),
        }
        for v, d in differences
    ]
    chart = _draw_differences(rows, segment.colour)
    title = title_profile(report, segment)
    caption = (
        f"Bar: difference between the segment's mean and everyone's; line: {percentage(0.95)} bootstrap interval. "
        f"The figures beside it are medians, or the share of yes. {explain_scale(report)}"
    )
    table = Table(
        ("Feature", "Here", "Everyone", "Difference, sd", f"{percentage(0.95)} interval"),
        tuple(
            (
                v.label,
                typical(formats, d.summary, v.unit),
                typical(formats, report.everyone[v.name], v.unit),
                number(d.z, 2, "+"),
                certainty_interval(d),
            )
            for v, d in differences
        ),
    )
    height = 28 * len(differences)
    return make_figure(
        f"profile-{segment.letter.lower()}",
        title,
        caption,
        f"Bars of differences from everyone. {title}.",
        single(chart, height),
        height + 60,
        table,
    )


def _draw_differences(rows: list[dict[str, Any]], colour: str) -> Any:
    """Draw one bar for each feature, with its interval."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="feature",
            type="nominal",
            sort=[row["feature"] for row in rows],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        )
    )
    bars = base.mark_bar(height=14, color=colour, cornerRadiusEnd=2).encode(
        x=alt.X(
            field="z",
            type="quantitative",
            title="Standard deviations from everyone",
            axis=alt.Axis(format="+.1f", tickCount=6),
        ),
        tooltip=[tip("feature", "Feature"), tip("median", "Here"), tip("all", "Everyone")],
    )
    ends = base.mark_rule(color=INK, strokeWidth=1.5).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high")
    )
    zero = alt.Chart(pd.DataFrame({"z": [0]})).mark_rule().encode(x=alt.X(field="z", type="quantitative"))
    return alt.layer(bars, ends, zero)
