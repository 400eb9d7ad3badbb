"""Two features: a map of customers and segments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import number
from analysis.pages.charts.explore.steering import follow_choice, make_choice
from analysis.pages.figures import (
    EVERYONE,
    INK,
    Figure,
    Table,
    list_letters,
    make_figure,
    segment_colour,
    single,
    tag,
    tip,
)
from analysis.report.model import Report
from analysis.report.parts import Plane


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


def title_plane(report: Report, plane: Plane) -> str:
    """Name the two segments whose centres lie furthest apart on two features."""
    axes = f"“{report.variable(plane.x).label}” and “{report.variable(plane.y).label}”"
    pairs = list(itertools.combinations(zip(report.segments, plane.centres, strict=True), 2))
    if not pairs:
        return axes
    (a, here), (b, there) = max(pairs, key=lambda pair: math.dist(pair[0][1], pair[1][1]))
    if math.dist(here, there) == 0:
        return f"On {axes}, the segments have the same centre"
    return f"On {axes}, {a.name} and {b.name} lie furthest apart"


def segment_map(report: Report) -> Figure:
    """Chart binned customer counts on two axes, with segment outlines; the reader chooses the axes."""
    planes = report.map
    views = _list_views(report)
    chart = _draw_map(report, views)
    if report.spread.planes:
        chart = chart.add_params(make_choice("axes", "Axes", views.names))
    else:
        chart = chart.add_params(alt.param(name="axes", value=0))
    titles = [title_map(report), *(title_plane(report, plane) for plane in report.spread.planes)]
    caption = (
        "Squares: customers, stronger where there are more (none is shown for fewer than "
        f"{report.study.min_cell}). Letter: a segment's centre; outline: where about half of its customers lie. "
        "The two main directions hold as much of all differences as two axes can; an arrow names the feature that "
        f"grows that way most. Overlap here is not overlap in all features. {list_letters(report)}"
    )
    table = Table(
        ("Axes and segment", "Centre, across", "Centre, up"),
        tuple(
            (f"{name[:1].upper() + name[1:]}: {tag(s)}", number(x, 2, "+"), number(y, 2, "+"))
            for name, plane in zip(views.names, [planes, *report.spread.planes], strict=True)
            for s, (x, y) in zip(report.segments, plane.centres, strict=True)
        ),
    )
    text = f"Map of customers with {len(report.segments)} outlined segments. {titles[0]}."
    spec = follow_choice(single(chart, 420), "axes", titles, views.titles)
    return make_figure("map", titles[0], caption, text, spec, 520, table)


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
