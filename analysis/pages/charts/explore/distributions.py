"""One feature: its distribution by segment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import percentage
from analysis.pages.charts.explore.steering import follow_choice, make_choice
from analysis.pages.figures import (
    INK,
    WIDTH,
    Figure,
    Table,
    facet_rows,
    faceted,
    make_figure,
    segment_colour,
    tag,
    tip,
    typical,
)
from analysis.report.model import Report
from analysis.report.parts import Bin, Variable


def title_distribution(report: Report, variable: Variable) -> str:
    """Say where a variable's median is highest and lowest."""
    formats = report.formats()
    known = [(d.summary.median, s, d.summary) for s in report.segments if (d := s.difference(variable.name))]
    if len(known) < 2:
        return f"“{variable.label}” by segment"
    (_, low, least), (_, top, most) = (choose(known, key=lambda each: each[0]) for choose in (min, max))
    ends = [typical(formats, summary, variable.unit) for summary in (most, least)]
    if ends[0] == ends[1]:
        return f"“{variable.label}”: the median is about the same in every segment"
    return f"“{variable.label}”: median {ends[0]} in {top.name}, {ends[1]} in {low.name}"


def distributions(report: Report) -> Figure | None:
    """Chart the distribution of one variable by segment; the reader chooses the variable."""
    spreads = report.spread.distributions
    if not spreads:
        return None
    variables = [report.variable(d.variable) for d in spreads]
    rows, outline = _list_ranges(report, variables)
    chart = _draw_ranges(report, variables, rows, outline)
    titles = [title_distribution(report, v) for v in variables]
    caption = (
        "Bars: how a segment is spread; outline: everyone. Height: share in a range of the usual width, so a wide low "
        f"bar is few {report.study.customers} over a wide range. No bar stands for fewer than {report.study.min_cell}. "
        "The outermost ranges are open."
    )
    cells = [
        (
            f"{v.label}: {tag(s)}",
            "; ".join(f"{_range(report, v.unit, bins, b)}: {percentage(b.share)}" for b in bins),
        )
        for d, v in zip(spreads, variables, strict=True)
        for bins, s in zip(d.segments, report.segments, strict=True)
    ]
    table = Table(("Feature and segment", "Share of the segment by value"), tuple(cells))
    height = 96 * len(report.segments) + 110
    text = f"Bars of one feature by segment; another can be chosen. {titles[0]}."
    spec = follow_choice(faceted(chart, narrow=236), "shown", titles, [[v.label] for v in variables])
    return make_figure("distributions", titles[0], caption, text, spec, height, table)


def _draw_ranges(
    report: Report, variables: Sequence[Variable], rows: list[dict[str, Any]], outline: list[dict[str, Any]]
) -> Any:
    """Draw one panel for each segment, for the variable that is chosen."""
    shown = make_choice("shown", "Feature", [v.label for v in variables])
    shares = json.dumps([i for i, v in enumerate(variables) if v.unit == "share"])
    x = alt.X(
        field="low",
        type="quantitative",
        title=None,
        scale=alt.Scale(zero=False, nice=False),
        axis=alt.Axis(
            tickCount=6, grid=False, labelExpr=f"format(datum.value, indexof({shares}, shown) < 0 ? ',' : '.0%')"
        ),
    )
    y = alt.Y(field="height", type="quantitative", title=None, axis=alt.Axis(format="%", tickCount=2))
    chosen = "datum.view === shown"
    bars = (
        alt.Chart()
        .transform_filter(chosen)
        .transform_flatten(["low", "high", "height", "range", "text"])
        .mark_rect()
        .encode(
            x=x,
            x2=alt.X2(field="high"),
            y=y,
            y2=alt.Y2Datum(0),
            color=segment_colour(report, "segment"),
            tooltip=[tip("segment", "Segment"), tip("range", "Value"), tip("text", "Share of the segment")],
        )
    )
    everyone = (
        alt.Chart(pd.DataFrame(outline))
        .transform_filter(chosen)
        .transform_flatten(["low", "high", "height"])
        .mark_rect(fillOpacity=0, stroke=INK, strokeWidth=1)
        .encode(x=x, x2=alt.X2(field="high"), y=y, y2=alt.Y2Datum(0))
    )
    chart = (
        alt.layer(bars, everyone, data=pd.DataFrame(rows))
        .properties(width=WIDTH - 80, height=64)
        .facet(
            row=facet_rows(
                "segment",
                [tag(s) for s in report.segments],
                alt.Header(labelOrient="top", labelAnchor="start", labelPadding=2),
            ),
            spacing=8,
        )
        .add_params(shown)
    )
    return chart


def _list_ranges(report: Report, variables: Sequence[Variable]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """List the ranges of each variable by segment, and those of everyone."""
    rows, outline = [], []
    for view, (d, v) in enumerate(zip(report.spread.distributions, variables, strict=True)):
        for bins, s in [*zip(d.segments, report.segments, strict=True), (d.everyone, None)]:
            row: dict[str, Any] = {
                "view": view,
                "low": [b.low for b in bins],
                "high": [b.high for b in bins],
                "height": [round(b.share * d.step / (b.high - b.low), 4) for b in bins],
            }
            if s and bins:
                fields = {
                    "range": [_range(report, v.unit, bins, b) for b in bins],
                    "text": [percentage(b.share) for b in bins],
                }
                rows.append({**row, "segment": tag(s), **fields})
            elif bins:
                outline.append(row)
    return rows, outline


def _range(report: Report, unit: str, bins: Sequence[Bin], one: Bin) -> str:
    formats = report.formats()
    if one is bins[0]:
        return f"under {formats.value(one.high, unit)}"
    if one is bins[-1]:
        return f"{formats.value(one.low, unit)} and more"
    return f"{formats.value(one.low, unit)} to {formats.value(one.high, unit)}"
