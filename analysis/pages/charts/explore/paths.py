"""All features at once: parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.pages.charts.explore.steering import make_choice
from analysis.pages.figures import (
    FOLDED,
    NEGLIGIBLE,
    SHAPES,
    Figure,
    Table,
    explain_scale,
    fold_rows,
    list_letters,
    make_figure,
    segment_colour,
    single,
    tag,
    tip,
    typical,
)
from analysis.report.model import Report
from analysis.report.parts import Variable

SIDES = ("anywhere", "above everyone", "below everyone", "a deviation above everyone", "a deviation below everyone")
"""Where the groups of the parallel coordinates that are kept may lie on the chosen feature."""
ROW = 34
"""Pixels between two features."""
APART = 0.1
"""Least distance between the letters over the lines, as a part of the width. A letter must not cover another."""


def title_paths(report: Report) -> str:
    """Name the feature on which the segments' medians lie furthest apart."""

    def spread(variable: Variable) -> float:
        middles = [d.z_median for s in report.segments if (d := s.difference(variable.name))]
        return max(middles) - min(middles) if middles else 0.0

    furthest = max(report.forming(), key=spread)
    if spread(furthest) < NEGLIGIBLE:
        return "The segments hardly differ on any single feature"
    return f"The segments lie furthest apart on “{furthest.label}”"


def parallel_coordinates(report: Report) -> Figure:
    """Chart each segment as a line of medians over all features, before the density of its customers."""
    formats, variables = report.formats(), report.forming()
    order = {v.name: i for i, v in enumerate(variables)}
    rows = [
        {
            "segment": tag(s),
            "letter": s.letter,
            "feature": v.label,
            "order": order[v.name],
            "z": d.z_median,
            "median": typical(formats, d.summary, v.unit),
        }
        for s in report.segments
        for v in variables
        if (d := s.difference(v.name))
    ]
    names = [name for name in report.spread.features if name in order]
    bundles = [
        {
            "strand": i,
            "segment": tag(report.segments[bundle.segment - 1]),
            "order": [order[name] for name in names],
            "z": [z for name, z in zip(report.spread.features, bundle.means, strict=True) if name in order],
        }
        for i, bundle in enumerate(report.spread.strands)
    ]
    title = title_paths(report)
    table = Table(
        ("Feature", *(tag(s) for s in report.segments), "Everyone"),
        tuple(
            (
                v.label,
                *(typical(formats, d.summary, v.unit) if (d := s.difference(v.name)) else "–" for s in report.segments),
                typical(formats, report.everyone[v.name], v.unit),
            )
            for v in variables
        ),
    )
    caption = (
        "Thick line: a segment's medians, or its share of yes; dashed: everyone's mean. The table holds the figures. "
        f"{explain_scale(report)} {list_letters(report)}"
    )
    if bundles:
        caption += (
            f" Thin lines: groups of at least {report.study.min_cell} like {report.study.customers} of a segment, so "
            "there are more where lines are dense. Draw a box over some of them, or choose below, to follow these "
            "alone; a double click lets go."
        )
    chart = alt.layer(*_draw_paths(report, rows, bundles))
    spec = single(chart, ROW * len(variables), fold_rows([v.label for v in variables], ROW))
    text = f"Parallel coordinates, one line a segment. {title}."
    return make_figure("parallel", title, caption, text, spec, ROW * len(variables) + 150, table)


def place_letters(rows: list[dict[str, Any]], extent: float) -> list[dict[str, Any]]:
    """Place the letter of each segment over the first feature, near its line and apart from the others.

    Parameters
    ----------
    rows : list of dict
        ``segment``, ``letter``, ``order`` of the feature and ``z``.
    extent : float
        Width of the chart in standard deviations.

    Returns
    -------
    list of dict
        ``segment``, ``letter``, the place ``at`` in standard deviations, and ``z`` where its line begins.
    """
    step = APART * extent
    first = sorted((row for row in rows if row["order"] == 0), key=lambda row: row["z"])
    places: list[float] = []
    for row in first:
        places.append(max(row["z"], places[-1] + step) if places else row["z"])
    shift = sum(at - row["z"] for at, row in zip(places, first, strict=True)) / max(len(first), 1)
    return [
        {"segment": row["segment"], "letter": row["letter"], "at": round(at - shift, 3), "z": row["z"]}
        for at, row in zip(places, first, strict=True)
    ]


def _draw_paths(report: Report, rows: list[dict[str, Any]], bundles: list[dict[str, Any]]) -> list[Any]:
    """Draw the line of each segment over all features, and the groups of customers behind."""
    variables = report.forming()
    y = alt.Y(
        field="feature",
        type="nominal",
        sort=[v.label for v in variables],
        title=None,
        axis=alt.Axis(grid=True, labelLimit=260, labelExpr=FOLDED),
    )
    x = alt.X(
        field="z",
        type="quantitative",
        title="Standard deviations from everyone's mean",
        axis=alt.Axis(format="+.1f", grid=False, tickCount=6),
    )
    colour = segment_colour(report, "segment")
    path = alt.Order(field="order", type="quantitative")
    base = alt.Chart(pd.DataFrame(rows)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=3).encode(order=path)
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        shape=alt.Shape(
            field="segment",
            type="nominal",
            legend=None,
            scale=alt.Scale(domain=[tag(s) for s in report.segments], range=SHAPES[: len(report.segments)]),
        ),
        tooltip=[
            tip("segment", "Segment"),
            tip("feature", "Feature"),
            tip("median", "Median"),
            alt.Tooltip(field="z", type="quantitative", format="+.2f", title="Difference"),
        ],
    )
    zero = (
        alt.Chart(pd.DataFrame({"z": [0]})).mark_rule(strokeDash=[4, 3]).encode(x=alt.X(field="z", type="quantitative"))
    )
    drawn = [*(row["z"] for row in rows), *(z for bundle in bundles for z in bundle["z"])]
    extent = (max(drawn) - min(drawn)) or 1.0
    behind = _strands(bundles, x, y, colour, path, variables) if bundles else []
    return [zero, *behind, lines, points, *_draw_letters(place_letters(rows, extent), colour, len(variables))]


def _draw_letters(rows: list[dict[str, Any]], colour: Any, n_features: int) -> list[Any]:
    """Draw the letters over the lines, each joined with the beginning of its own."""
    at = alt.X(field="at", type="quantitative")
    base = alt.Chart(pd.DataFrame(rows)).encode(x=at, color=colour)
    start = alt.value(alt.ExprRef(f"height / {2 * n_features}"))
    leads = base.mark_rule(strokeWidth=1.5).encode(x2=alt.X2(field="z"), y=alt.value(-10), y2=start)
    dots = base.mark_point(size=380, filled=True, opacity=1).encode(
        y=alt.value(-14), tooltip=[tip("segment", "Segment")]
    )
    letters = base.mark_text(fontWeight=700, baseline="middle").encode(
        y=alt.value(-14), text=alt.Text(field="letter", type="nominal"), color=alt.value("#ffffff")
    )
    return [leads, dots, letters]


CHOSEN = "on > 0 || length(data('brush_store')) > 0"
"""Whether the reader has chosen some of the groups: before that, none stands out."""


def _strands(rows: list[dict[str, Any]], x: Any, y: Any, colour: Any, path: Any, variables: Sequence[Any]) -> list[Any]:
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    features = pd.DataFrame({"order": range(len(variables)), "feature": [v.label for v in variables]})
    base = (
        alt.Chart(pd.DataFrame(rows))
        .transform_flatten(["order", "z"])
        .transform_lookup(lookup="order", from_=alt.LookupData(data=features, key="order", fields=["feature"]))
        .encode(x=x, y=y, color=colour, detail=alt.Detail(field="strand", type="nominal"))
    )
    on = make_choice("on", "Keep groups that lie", SIDES)
    at = make_choice("at", "on", [v.label for v in variables])
    hit = (
        "on === 0 || (datum.order === at && (on === 1 ? datum.z > 0 : on === 2 ? datum.z < 0 : "
        "on === 3 ? datum.z > 1 : datum.z < -1))"
    )
    # Lines that are left out would leave the axis without an extent, so they are there unseen.
    seen = f"({CHOSEN}) && isValid(datum.brushed) && datum.hits > 0"
    selected = (
        base.transform_lookup(
            lookup="strand", from_=alt.LookupSelection(key="strand", param="brush", fields=["strand"]), as_=["brushed"]
        )
        .transform_calculate(hit=f"{hit} ? 1 : 0")
        .transform_joinaggregate(hits="max(hit)", groupby=["strand"])
        .mark_line(strokeWidth=1.2)
        .encode(order=path, opacity=alt.condition(seen, alt.value(0.75), alt.value(0)))
        .add_params(on, at)
    )
    faint = base.mark_line(strokeWidth=1, opacity=0.15).encode(order=path)
    knots = base.mark_point(size=10, filled=True, opacity=0.4).add_params(brush)
    # Vega-Lite looks a selection up only in layers after the one that has it.
    return [faint, knots, selected]
