"""Chart of the trials on data with known segments."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.base.formats import number, percentage
from analysis.pages.figures import (
    ACCENT,
    COLOURS,
    EVERYONE,
    FOLDED,
    INK,
    SHAPES,
    WIDTH,
    Figure,
    Table,
    faceted,
    make_figure,
    single,
    tip,
)
from analysis.pages.text.tool.validation import AIM, FORMATS, interval, of, share_text, worst
from analysis.report.model import Report

_PERCENT = ".0%"


def recovery(report: Report) -> Figure | None:
    """Chart the share of correct numbers of groups by condition, with intervals; None without results."""
    if report.validation is None:
        return None
    rows = sorted(report.validation.planted, key=lambda p: (p.beyond, -share_text(p.right)))
    kinds = ["around centres", "beyond centres"]
    frame = pd.DataFrame(
        [
            {
                "condition": p.title,
                "share": share_text(p.right),
                "low": p.right.low,
                "high": p.right.high,
                "kind": kinds[p.beyond],
                "told": of(p.right),
            }
            for p in rows
        ]
    )
    order = [p.title for p in rows]
    ticks = alt.Axis(format=_PERCENT, tickCount=5)
    x = alt.X("low:Q", title="Right number of groups", scale=alt.Scale(domain=[0, 1]), axis=ticks)
    axis = alt.Axis(labelExpr=FOLDED.replace("datum.label", "datum.value"), labelLimit=180)
    y = alt.Y(field="condition", type="nominal", title=None, sort=order, axis=axis)
    scale = alt.Scale(domain=kinds, range=[ACCENT, EVERYONE])
    colour = alt.Color(field="kind", type="nominal", title=None, scale=scale, legend=alt.Legend(symbolOpacity=1))
    shapes = alt.Scale(domain=kinds, range=["circle", "diamond"])
    shape = alt.Shape(field="kind", type="nominal", title=None, scale=shapes)
    base = alt.Chart(frame).encode(y=y, color=colour)
    lines = base.mark_rule(strokeWidth=2).encode(x=x, x2=alt.X2(field="high"))
    points = base.mark_point(filled=True, opacity=1, size=110).encode(
        x=alt.X(field="share", type="quantitative"),
        shape=shape,
        tooltip=[tip("condition", "Condition"), tip("told", "Right number")],
    )
    aim = (
        alt.Chart(pd.DataFrame({"x": [AIM]}))
        .mark_rule(strokeDash=[4, 3], color=INK)
        .encode(x=alt.X(field="x", type="quantitative"))
    )
    all_in = [p for p in rows if not p.beyond and share_text(p.right) >= AIM]
    title = f"The number of groups is right in {of(report.validation.right)} tries, and worst with {worst(rows)}"
    within = sum(not p.beyond for p in rows)
    caption = (
        f"Dot: share of tries with the right number of groups. Line: {percentage(0.95)} interval (Wilson), wide as "
        f"there are few tries. Dashed: {FORMATS.percent(AIM)}, the aim over all, which {len(all_in)} of the {within} "
        "kinds of data with groups around centres reach. Beyond centres the number may be right and the groups are not."
    )
    table = Table(
        ("Condition", "Right number", f"{percentage(0.95)} interval"),
        tuple((p.title, of(p.right), interval(p.right)) for p in rows),
    )
    height = 34 * len(rows)
    spec = single(alt.layer(aim, lines, points), height)
    return make_figure("recovery", title, caption, f"Dots with intervals. {title}.", spec, height + 90, table)


def example(report: Report) -> Figure | None:
    """Chart made-up customers by planted group and by segment, where no centre describes the groups; None without."""
    found = report.validation.example if report.validation else None
    if found is None:
        return None
    views = ["As planted", "As segmented"]
    rows = [
        {"view": view, "x": x, "y": y, "group": f"{what} {each}"}
        for x, y, group, segment in found.points
        for view, what, each in zip(views, ("Group", "Segment"), (group, segment), strict=True)
    ]
    names = sorted({row["group"] for row in rows})
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(names))]
    hidden = alt.Axis(labels=False, grid=False, ticks=False, domain=False)
    loose = alt.Scale(zero=False)
    marks = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_point(filled=True, opacity=1, size=36)
        .encode(
            x=alt.X(field="x", type="quantitative", scale=loose, axis=hidden, title=None),
            y=alt.Y(field="y", type="quantitative", scale=loose, axis=hidden, title=None),
            color=alt.Color(field="group", type="nominal", title=None, scale=alt.Scale(domain=names, range=colours)),
            shape=alt.Shape(field="group", type="nominal", title=None, scale=alt.Scale(domain=names, range=marks)),
            tooltip=[tip("group", "Group or segment")],
        )
        .properties(width=WIDTH // 2 - 40, height=WIDTH // 3 - 40)
        .facet(column=alt.Column(field="view", type="nominal", title=None, sort=views), spacing=20)
    )
    title = "Segments cut across groups that no centre describes"
    caption = (
        f"{found.title}: {number(len(found.points))} made-up points of one try, on their two features. Left, the "
        "colour is the planted group, right, the segment that the tool gives them. They agree to "
        f"{number(found.agreement, 2)} (adjusted Rand index: 1 is full agreement, 0 chance)."
    )
    table = Table(
        ("Planted group", "Segment", "Points"),
        tuple(
            (f"Group {group}", f"Segment {segment}", str(sum(p[2:] == (group, segment) for p in found.points)))
            for group, segment in sorted({p[2:] for p in found.points})
        ),
    )
    text = f"Two pictures of the same points. {title}."
    return make_figure("example", title, caption, text, faceted(chart, 150, 120), 290, table)
