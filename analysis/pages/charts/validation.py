"""Chart of the trials on data with known segments."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.base.formats import percentage
from analysis.pages.figures import ACCENT, EVERYONE, FOLDED, INK, Figure, Table, make_figure, single, tip
from analysis.pages.text.validation import AIM, FORMATS, interval, of, share_text, worst
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
