"""Interactive charts: one feature, two features, or all features at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import number, percentage
from analysis.pages.figures import (
    EVERYONE,
    FOLDED,
    INK,
    SHAPES,
    WIDTH,
    Figure,
    Table,
    facet_rows,
    faceted,
    harmless,
    make_figure,
    measure_spread,
    segment_colour,
    single,
    tag,
    tip,
    typical,
)
from analysis.report.model import Report
from analysis.report.parts import Bin, Variable

NARROW = 290
"""Pixels of a line over a chart on a phone."""
SIDES = ("anywhere", "above everyone", "below everyone", "a deviation above everyone", "a deviation below everyone")
"""Where the groups of the parallel coordinates that are kept may lie on the chosen feature."""


def distributions(report: Report) -> Figure | None:
    """Chart the distribution of one variable by segment; the reader chooses the variable."""
    spreads = report.spread.distributions
    if not spreads:
        return None
    variables = [report.variable(d.variable) for d in spreads]
    rows, outline = _list_ranges(report, variables)
    chart = _draw_ranges(report, variables, rows, outline)
    first = variables[0].label
    title = f"Of all features, the segments lie furthest apart on “{first}”"
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
    text = f"Bars of one feature by segment; another can be chosen. {title}."
    return make_figure("distributions", title, caption, text, _titled(faceted(chart, narrow=236)), height, table)


def _draw_ranges(
    report: Report, variables: Sequence[Variable], rows: list[dict[str, Any]], outline: list[dict[str, Any]]
) -> Any:
    """Draw one panel for each segment, for the variable that is chosen."""
    shown = _choice("shown", "Feature", [v.label for v in variables])
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
        .properties(title=_chosen([[v.label] for v in variables], "shown"))
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


def _choice(name: str, label: str, options: Sequence[str]) -> Any:
    """A select below the chart, by number, as words of the data have no place in expressions."""
    bind = alt.binding_select(options=list(range(len(options))), labels=list(options), name=f"{label} ")
    return alt.param(name=name, value=0, bind=bind)


def _chosen(options: Sequence[Sequence[str]], name: str) -> alt.TitleParams:
    words = json.dumps([[harmless(line, "title") for line in option] for option in options], ensure_ascii=False)
    return alt.TitleParams(
        text=alt.ExprRef(expr=f"{words}[{name}]"), anchor="start", fontSize=13, offset=8, limit=WIDTH
    )


def _titled(spec: dict[str, Any]) -> dict[str, Any]:
    """On a phone the words over a chart are cut where it ends, as they would take its space."""
    narrow = {**spec["usermeta"]["narrow"], "title": {"limit": NARROW}}
    return {**spec, "usermeta": {**spec["usermeta"], "narrow": narrow}}


@dataclass(frozen=True, slots=True)
class _Views:
    """What the map shows on each pair of axes, as rows that say which of the ``names`` they belong to."""

    cells: list[dict[str, Any]]
    outlines: list[dict[str, Any]]
    centres: list[dict[str, Any]]
    ticks: list[dict[str, Any]]
    titles: list[list[str]]
    names: list[str]


def title_map(report: Report) -> str:
    """Say how much of all differences the map can show."""
    shown = report.formats().percent(sum(report.map.explained))
    return f"The two main directions show {shown} of the differences between customers"


def segment_map(report: Report) -> Figure:
    """Chart binned customer counts on two axes, with segment outlines; the reader chooses the axes."""
    planes = report.map
    views = _list_views(report)
    chart = _draw_map(report, views).properties(title=_chosen(views.titles, "axes"))
    if report.spread.planes:
        chart = chart.add_params(_choice("axes", "Axes", views.names))
    else:
        chart = chart.add_params(alt.param(name="axes", value=0))
    title = title_map(report)
    caption = (
        "Squares: customers, stronger where there are more (none is shown for fewer than "
        f"{report.study.min_cell}). Letter: a segment's centre; outline: where about half of its customers lie. "
        "The two main directions hold as much of all differences as two axes can; an arrow names the feature that "
        "grows that way most. Overlap here is not overlap in all features."
    )
    table = Table(
        ("Axes and segment", "Centre, across", "Centre, up"),
        tuple(
            (f"{name[:1].upper() + name[1:]}: {tag(s)}", number(x, 2, "+"), number(y, 2, "+"))
            for name, plane in zip(views.names, [planes, *report.spread.planes], strict=True)
            for s, (x, y) in zip(report.segments, plane.centres, strict=True)
        ),
    )
    text = f"Map of customers with {len(report.segments)} outlined segments. {title}."
    return make_figure("map", title, caption, text, _titled(single(chart, 420)), 520, table)


def _list_views(report: Report) -> _Views:
    """List the two main directions, then each pair of features."""
    formats, planes = report.formats(), report.map
    half_x, half_y = planes.step[0] / 2, planes.step[1] / 2
    cells = [_cells(0, [(b.x - half_x, b.y - half_y, b.n) for b in planes.bins])]
    outlines = [
        _outline(0, tag(s), outline[:-1:4]) for s, outline in zip(report.segments, planes.outlines, strict=True)
    ]
    centres = [
        {"view": 0, "segment": tag(s), "letter": s.letter, "x": x, "y": y}
        for s, (x, y) in zip(report.segments, planes.centres, strict=True)
    ]
    # A view without any tick would leave the axes without an extent.
    ticks: list[dict[str, Any]] = [{"view": 0, side: planes.centres[0][i], "text": ""} for i, side in enumerate("xy")]
    titles = [[f"Across: {_ends(planes.x_means)}", f"Up: {_ends(planes.y_means)}"]]
    names = ["the two main directions"]
    for view, plane in enumerate(report.spread.planes, start=1):
        across, up = report.variable(plane.x), report.variable(plane.y)
        names.append(f"{across.label} and {up.label}")
        titles.append([f"Across: {across.label}", f"Up: {up.label}"])
        cells.append(_cells(view, [(c.x, c.y, c.n) for c in plane.cells]))
        for s, (x, y), outline in zip(report.segments, plane.centres, plane.outlines, strict=True):
            centres.append({"view": view, "segment": tag(s), "letter": s.letter, "x": x, "y": y})
            outlines.append(_outline(view, tag(s), outline))
        ticks += [{"view": view, "x": at, "text": formats.value(v, across.unit)} for at, v in plane.x_ticks]
        ticks += [{"view": view, "y": at, "text": formats.value(v, up.unit)} for at, v in plane.y_ticks]
    return _Views(cells, outlines, centres, ticks, titles, names)


def _draw_map(report: Report, views: _Views) -> Any:
    """Draw squares of customers, outlines and letters of segments, and the ticks of both axes."""
    steps = [report.map.step, *(plane.step for plane in report.spread.planes)]
    widths, heights = ([round(step[i], 3) for step in steps] for i in (0, 1))
    chosen = "datum.view === axes"
    hidden = alt.Axis(labels=False, grid=False, ticks=False)
    loose = alt.Scale(zero=False)
    x = alt.X(field="x", type="quantitative", scale=loose, axis=hidden, title=None)
    y = alt.Y(field="y", type="quantitative", scale=loose, axis=hidden, title=None)
    colour = segment_colour(report, "segment")
    squares = (
        _frame(views.cells)
        .transform_filter(chosen)
        .transform_flatten(["x0", "y0", "customers"])
        .transform_calculate(x1=f"datum.x0 + {widths}[axes]", y1=f"datum.y0 + {heights}[axes]")
        .mark_rect(stroke=None)
        .encode(
            x=alt.X(field="x0", type="quantitative", scale=loose, axis=hidden, title=None),
            x2=alt.X2(field="x1"),
            y=alt.Y(field="y0", type="quantitative", scale=loose, axis=hidden, title=None),
            y2=alt.Y2(field="y1"),
            opacity=alt.Opacity(
                field="customers", type="quantitative", legend=None, scale=alt.Scale(range=[0.12, 0.6])
            ),
            color=alt.value(EVERYONE),
            tooltip=[alt.Tooltip(field="customers", type="quantitative", title="Customers here, about")],
        )
    )
    lines = (
        _frame(views.outlines)
        .transform_filter(chosen)
        .transform_flatten(["x", "y", "order"])
        .mark_line(strokeWidth=2, interpolate="cardinal-closed")
        .encode(x=x, y=y, order=alt.Order(field="order", type="quantitative"), color=colour)
    )
    middles = _frame(views.centres).transform_filter(chosen).encode(x=x, y=y)
    dots = middles.mark_point(size=520, filled=True, opacity=1).encode(
        color=colour, tooltip=[tip("segment", "Segment")]
    )
    letters = middles.mark_text(fontWeight=700, fontSize=13, color="#ffffff").encode(
        text=alt.Text(field="letter", type="nominal")
    )
    ticks_layer = _frame(views.ticks).transform_filter(chosen).encode(text=alt.Text(field="text", type="nominal"))
    along = ticks_layer.transform_filter("isValid(datum.x)").mark_text(baseline="bottom", dy=-3, color=INK)
    aside = ticks_layer.transform_filter("isValid(datum.y)").mark_text(align="left", dx=4, color=INK)
    axes = [along.encode(x=x, y=alt.value("height")), aside.encode(y=y, x=alt.value(0))]
    return alt.layer(squares, *axes, lines, dots, letters)


def _cells(view: int, cells: Sequence[tuple[float, float, int]]) -> dict[str, Any]:
    x, y, n = zip(*cells, strict=True) if cells else ((), (), ())
    return {"view": view, "x0": [round(v, 2) for v in x], "y0": [round(v, 2) for v in y], "customers": list(n)}


def _outline(view: int, segment: str, points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    x, y = zip(*points, strict=True)
    corners = {"x": [round(v, 2) for v in x], "y": [round(v, 2) for v in y], "order": list(range(len(x)))}
    return {"view": view, "segment": segment, **corners}


def _frame(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(pd.DataFrame(rows).round(2))


def _ends(ends: tuple[str, str]) -> str:
    low, high = ends
    return " … ".join([*([f"← {low}"] if low else []), *([f"{high} →"] if high else [])])


def title_paths(report: Report) -> str:
    """Name the feature on which the segments' means lie furthest apart."""
    furthest = max(report.forming(), key=lambda v: measure_spread(report, v.name))
    return f"The segments lie furthest apart on “{furthest.label}”"


def parallel_coordinates(report: Report) -> Figure:
    """Chart each segment as a line over all features, with brushable paths of similar customers."""
    formats = report.formats()
    variables = report.forming()
    order = {v.name: i for i, v in enumerate(variables)}
    rows = [
        {
            "segment": tag(s),
            "feature": v.label,
            "order": order[v.name],
            "z": d.z,
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
    layers = _draw_paths(report, rows, bundles)
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
    caption = "Thick line: a segment's mean; the dashed line is everyone. The table holds medians, or the share of yes."
    if bundles:
        caption += (
            f" Thin lines: groups of at least {report.study.min_cell} like {report.study.customers} of a segment. Draw "
            "a box over some of them, or choose below, to follow these alone; a double click lets go."
        )
    height = 34 * len(variables)
    text = f"Parallel coordinates, one line a segment. {title}."
    return make_figure("parallel", title, caption, text, single(alt.layer(*layers), height), height + 170, table)


def _draw_paths(report: Report, rows: list[dict[str, Any]], bundles: list[dict[str, Any]]) -> list[Any]:
    """Draw the line of each segment over all features, and the groups of customers behind."""
    variables = report.forming()
    y = alt.Y(
        field="feature",
        type="nominal",
        sort=[v.label for v in variables],
        title=None,
        axis=alt.Axis(grid=True, labelLimit=230, labelExpr=FOLDED),
    )
    x = alt.X(
        field="z",
        type="quantitative",
        title="Standard deviations from everyone",
        axis=alt.Axis(format="+.1f", grid=False, tickCount=6),
    )
    colour = segment_colour(report, "segment", legend=True)
    path = alt.Order(field="order", type="quantitative")
    base = alt.Chart(pd.DataFrame(rows)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=3).encode(order=path)
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        shape=alt.Shape(
            field="segment",
            type="nominal",
            title=None,
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
    return [zero, *(_strands(bundles, x, y, colour, path, variables) if bundles else []), lines, points]


def _strands(rows: list[dict[str, Any]], x: Any, y: Any, colour: Any, path: Any, variables: Sequence[Any]) -> list[Any]:
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    features = pd.DataFrame({"order": range(len(variables)), "feature": [v.label for v in variables]})
    base = (
        alt.Chart(pd.DataFrame(rows))
        .transform_flatten(["order", "z"])
        .transform_lookup(lookup="order", from_=alt.LookupData(data=features, key="order", fields=["feature"]))
        .encode(x=x, y=y, color=colour, detail=alt.Detail(field="strand", type="nominal"))
    )
    on = _choice("on", "Keep groups that lie", SIDES)
    at = _choice("at", "on", [v.label for v in variables])
    hit = (
        "on === 0 || (datum.order === at && (on === 1 ? datum.z > 0 : on === 2 ? datum.z < 0 : "
        "on === 3 ? datum.z > 1 : datum.z < -1))"
    )
    selected = (
        base.transform_lookup(
            lookup="strand", from_=alt.LookupSelection(key="strand", param="brush", fields=["strand"]), as_=["brushed"]
        )
        .transform_calculate(hit=f"{hit} ? 1 : 0")
        .transform_joinaggregate(hits="max(hit)", groupby=["strand"])
        .transform_filter("isValid(datum.brushed) && datum.hits > 0")
        .mark_line(strokeWidth=1.2, opacity=0.75)
        .encode(order=path)
        .add_params(on, at)
    )
    faint = base.mark_line(strokeWidth=1, opacity=0.15).encode(order=path)
    knots = base.mark_point(size=10, filled=True, opacity=0.4).add_params(brush)
    # Vega-Lite looks a selection up only in layers after the one that has it.
    return [faint, knots, selected]
