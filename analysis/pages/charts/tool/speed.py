"""Charts of how the time that the tool takes grows."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analysis.base.formats import number
from analysis.pages.figures import COLOURS, INK, SHAPES, Figure, Table, make_figure, single, tip
from analysis.pages.text.tool.speed import aggregations, duration, split
from analysis.report.model import Report

WHOLE, ONE_FIT = "Whole build", "One k-means fit"
ALL_FEATURES, BY_HAND, BARE = "All features", "The same by hand", "One GROUP BY"
HEIGHT = 320


def growth(report: Report) -> Figure | None:
    """Chart the time of a build and of its parts by the number of customers; None without measurements."""
    if report.speed is None or not report.speed.builds:
        return None
    builds = report.speed.builds
    lines = {WHOLE: [b.seconds for b in builds]}
    for part in split(builds[0]):
        lines[part] = [split(b)[part] for b in builds]
    lines[ONE_FIT] = [b.one_fit for b in builds]
    last = builds[-1]
    title = f"{number(last.customers)} customers take {duration(last.seconds)}"
    caption = (
        "Both axes are logarithmic. A level line means that more customers take no more time. "
        "One k-means fit is scikit-learn's with ten starts, on features that are ready."
    )
    table = Table(
        ("Customers", *lines),
        tuple(
            (number(b.customers), *(duration(seconds[i]) for seconds in lines.values())) for i, b in enumerate(builds)
        ),
    )
    return _lines("growth", title, caption, "Customers", [b.customers for b in builds], lines, table)


def rows(report: Report) -> Figure | None:
    """Chart the time of builds and features from purchases, beside SQL by hand; None without measurements."""
    if report.speed is None or not report.speed.aggregations:
        return None
    found = report.speed.aggregations
    lines = {
        WHOLE: [a.build_seconds for a in found],
        ALL_FEATURES: [a.seconds for a in found],
        BY_HAND: [a.by_hand_seconds for a in found],
        BARE: [a.bare_seconds for a in found],
    }
    last = found[-1]
    title = f"{number(last.transactions)} purchases become features in {duration(last.seconds)}"
    caption = (
        "Both axes are logarithmic. By hand are the same features in the SQL of DuckDB, for this file alone. "
        "The GROUP BY counts and adds up purchases and finds the last day."
    )
    sizes = [a.transactions for a in found]
    return _lines("rows", title, caption, "Purchases", sizes, lines, aggregations(report.speed))


def _lines(
    id: str, title: str, caption: str, of: str, sizes: Sequence[int], lines: dict[str, list[float]], table: Table
) -> Figure:
    frame = pd.DataFrame(
        [
            {"size": size, "seconds": max(seconds, 0.01), "line": name, "told": f"{number(size)}: {duration(seconds)}"}
            for name, each in lines.items()
            for size, seconds in zip(sizes, each, strict=True)
        ]
    )
    names = list(lines)
    colours = [INK, *COLOURS][: len(names)]
    marks = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    log = alt.Scale(type="log", nice=False, padding=12)
    base = alt.Chart(frame).encode(
        x=alt.X(field="size", type="quantitative", title=of, scale=log, axis=alt.Axis(values=list(sizes), format="~s")),
        y=alt.Y(field="seconds", type="quantitative", title="Seconds", scale=log, axis=alt.Axis(format="~g")),
        color=alt.Color(
            field="line",
            type="nominal",
            title=None,
            scale=alt.Scale(domain=names, range=colours),
            legend=alt.Legend(columns=2, labelLimit=240, symbolOpacity=1),
        ),
    )
    points = base.mark_point(filled=True, opacity=1, size=60).encode(
        shape=alt.Shape(field="line", type="nominal", title=None, scale=alt.Scale(domain=names, range=marks)),
        tooltip=[tip("line", "What"), tip("told", of)],
    )
    spec = single(alt.layer(base.mark_line(strokeWidth=2), points), HEIGHT)
    return make_figure(id, title, caption, f"Lines. {title}.", spec, HEIGHT + 110, table)
