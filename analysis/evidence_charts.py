"""Charts of the evidence: why this number of segments, and how far to trust each."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.figures import EVERYONE, SHAPES, Figure, Table, make_figure, segment_colour, single, tag, tip
from analysis.formats import joined
from analysis.report import Report


def elbow(report: Report) -> Figure:
    """Within-segment sum of squares by k, with its knee."""
    rows = report.evidence.by_k
    frame = pd.DataFrame([{"k": r.k, "wcss": r.wcss, "mark": _mark(report, r.k)} for r in rows])
    k = report.evidence.prefers.elbow
    title = f"The elbow points to {k}, weakly"
    caption = (
        "Within-segment sum of squares: how far customers lie from their segment's centre. It always falls; look "
        "for the bend. Filled: published."
    )
    spec = _k_line(report, frame, "wcss", "Within-segment sum of squares", "~s")
    table = Table(("Segments", "Within-segment sum of squares"), tuple((str(r.k), f"{r.wcss:,.0f}") for r in rows))
    return make_figure(
        "elbow", title, caption, f"Line falling with the number of segments, bend at {k}.", spec, 320, table
    )


def silhouette(report: Report) -> Figure:
    """Mean silhouette by k."""
    rows = report.evidence.by_k
    frame = pd.DataFrame([{"k": r.k, "silhouette": r.silhouette, "mark": _mark(report, r.k)} for r in rows])
    best = report.evidence.prefers.silhouette
    published = next((r.silhouette for r in rows if r.k == report.decision.k), rows[0].silhouette)
    title = f"Separation is best with {best} segments; with {report.decision.k} it is {published:.2f}"
    caption = (
        "Mean silhouette: 1 = far from every other segment, 0 = on a border. Under 0.25 there is no clear gap "
        "between segments (Kaufman and Rousseeuw's reading). Filled: published."
    )
    spec = _k_line(report, frame, "silhouette", "Mean silhouette", ".2f", zero=True)
    table = Table(("Segments", "Mean silhouette"), tuple((str(r.k), f"{r.silhouette:.3f}") for r in rows))
    return make_figure(
        "silhouette", title, caption, f"Mean silhouette by number of segments; {title}.", spec, 320, table
    )


def stability(report: Report) -> Figure:
    """Stability by k: the spread of the adjusted Rand index over pairs of resamples."""
    rows = report.evidence.by_k
    frame = pd.DataFrame(
        [
            {
                "k": r.k,
                "p5": r.stability.p5,
                "q1": r.stability.q1,
                "median": r.stability.median,
                "q3": r.stability.q3,
                "p95": r.stability.p95,
                "mark": _mark(report, r.k),
                "pairs": r.stability.pairs,
            }
            for r in rows
        ]
    )
    x = alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame).encode(x=x)
    y = alt.Y(
        field="p5",
        type="quantitative",
        title="Agreement between resamples (adjusted Rand)",
        scale=alt.Scale(domain=[0, 1]),
    )
    colour = alt.Color(
        field="mark",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=["published", "other"], range=["var(--accent)", EVERYONE]),
    )
    whiskers = base.mark_rule().encode(y=y, y2=alt.Y2(field="p95"), color=colour)
    boxes = base.mark_bar(size=22, opacity=0.55).encode(
        y=alt.Y(field="q1", type="quantitative"), y2=alt.Y2(field="q3"), color=colour
    )
    ticks = base.mark_tick(thickness=3, size=22).encode(
        y=alt.Y(field="median", type="quantitative"),
        color=colour,
        tooltip=[
            tip("k", "Segments"),
            alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median"),
            tip("pairs", "Pairs of resamples"),
        ],
    )
    line = (
        alt.Chart(pd.DataFrame({"y": [0.85]}))
        .mark_rule(strokeDash=[4, 3])
        .encode(y=alt.Y(field="y", type="quantitative"))
    )
    published = next((r for r in rows if r.k == report.decision.k), rows[0])
    after = next((r for r in rows if r.k == report.decision.k + 1), None)
    title = f"With {report.decision.k} segments, two resamples agree to {published.stability.median:.2f}"
    if after:
        title += f"; with {after.k}, to {after.stability.median:.2f}"
    caption = (
        "Two bootstrap samples are clustered apart and all customers assigned by both: 1 = the same groups, 0 = "
        "no better than chance. "
        "Tick: median; box: middle half; line: 5 to 95 %. Dashed: 0.85, the least that the decision accepts."
    )
    table = Table(
        ("Segments", "Median", "Lower quartile", "Upper quartile", "Pairs"),
        tuple(
            (
                str(r.k),
                f"{r.stability.median:.3f}",
                f"{r.stability.q1:.3f}",
                f"{r.stability.q3:.3f}",
                str(r.stability.pairs),
            )
            for r in rows
        ),
    )
    spec = single(alt.layer(line, whiskers, boxes, ticks), 280)
    return make_figure("stability", title, caption, f"Box plots by number of segments. {title}.", spec, 340, table)


def algorithms(report: Report) -> Figure:
    """Median stability over k for each algorithm."""
    rows = [
        {"k": r.k, "median": r.stability.median, "algorithm": a.title, "silhouette": r.silhouette}
        for a in report.evidence.algorithms
        for r in a.by_k
    ]
    titles = [a.title for a in report.evidence.algorithms if a.by_k]
    colours = ["#2f7fc4", "#c2621b", "#1d8f68", "#a9579f"][: len(titles)]
    colour = alt.Color(field="algorithm", type="nominal", title=None, scale=alt.Scale(domain=titles, range=colours))
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(field="median", type="quantitative", title="Median stability", scale=alt.Scale(domain=[0, 1])),
        color=colour,
    )
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        shape=alt.Shape(
            field="algorithm", type="nominal", title=None, scale=alt.Scale(domain=titles, range=SHAPES[: len(titles)])
        ),
        tooltip=[
            tip("algorithm", "Algorithm"),
            tip("k", "Segments"),
            alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median stability"),
            alt.Tooltip(field="silhouette", type="quantitative", format=".2f", title="Silhouette"),
        ],
    )
    without = [a.title for a in report.evidence.algorithms if not a.by_k]
    title = f"{report.decision.algorithm_title} gives the most repeatable segments"
    if report.decision.fixed:
        title = f"{report.decision.algorithm_title} was published; this is how the others repeat"
    caption = "Each algorithm saw the same customers and features; 1 = the same groups in every resample."
    if without:
        caption += f" {joined(without)} found no groups and has no point here."
    table = Table(
        ("Algorithm", "Segments", "Median stability", "Mean silhouette", "Smallest segment"),
        tuple(
            (
                a.title,
                str(r.k),
                f"{r.stability.median:.3f}",
                f"{r.silhouette:.3f}",
                report.formats().percent(r.smallest_share),
            )
            for a in report.evidence.algorithms
            for r in a.by_k
        ),
    )
    spec = single(alt.layer(base.mark_line(strokeWidth=2), points), 280)
    return make_figure(
        "algorithms", title, caption, f"Lines of stability by number of segments. {title}.", spec, 360, table
    )


def segment_stability(report: Report) -> Figure:
    """How well each segment comes back in resamples."""
    rows = [{"segment": tag(s), "slsw": s.slsw, "text": f"{s.slsw:.2f}", "reading": s.band} for s in report.segments]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="segment", type="nominal", sort=[tag(s) for s in report.segments], title=None),
        x=alt.X(
            field="slsw",
            type="quantitative",
            title="Mean Jaccard similarity over resamples",
            scale=alt.Scale(domain=[0, 1.12]),
            axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1]),
        ),
    )
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        color=segment_colour(report, "segment"),
        tooltip=[tip("segment", "Segment"), tip("text", "Stability"), tip("reading", "Reading")],
    )
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    line = (
        alt.Chart(pd.DataFrame({"x": [0.75]}))
        .mark_rule(strokeDash=[4, 3])
        .encode(x=alt.X(field="x", type="quantitative"))
    )
    least = min(report.segments, key=lambda s: s.slsw)
    title = (
        f"Even the least stable segment, {least.name}, comes back at {least.slsw:.2f}"
        if least.slsw >= 0.75
        else f"{least.name} does not come back reliably ({least.slsw:.2f})"
    )
    caption = (
        "In each resample the most similar segment is found; 1 = exactly the same customers. Dashed: 0.75, from "
        "which Hennig calls a segment valid."
    )
    height = 34 * len(rows)
    table = Table(
        ("Segment", "Stability", "Reading", "Mean silhouette", "Shadow value"),
        tuple((tag(s), f"{s.slsw:.3f}", s.band, f"{s.silhouette:.3f}", f"{s.shadow:.3f}") for s in report.segments),
    )
    return make_figure(
        "segment-stability",
        title,
        caption,
        f"Bars of stability by segment. {title}.",
        single(alt.layer(bars, line, text), height),
        height + 70,
        table,
    )


def null_reference(report: Report) -> Figure | None:
    """The published stability beside that of shuffled data; None for a density method."""
    nulls = report.evidence.nulls.permuted
    if not nulls:
        return None
    own = next(r for r in report.evidence.by_k if r.k == report.decision.k).stability.median
    frame = pd.DataFrame({"stability": list(nulls)})
    points = (
        alt.Chart(frame)
        .mark_tick(thickness=2, size=34, opacity=0.7, color=EVERYONE)
        .encode(
            x=alt.X(
                field="stability",
                type="quantitative",
                title="Median stability",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(tickCount=5),
            ),
            tooltip=[alt.Tooltip(field="stability", type="quantitative", format=".2f", title="Shuffled data")],
        )
    )
    marks = pd.DataFrame([{"x": own, "text": "this study"}])
    line = (
        alt.Chart(marks).mark_rule(strokeWidth=3, color="var(--accent)").encode(x=alt.X(field="x", type="quantitative"))
    )
    words = (
        alt.Chart(marks)
        .mark_text(align="right", dx=-7, fontWeight=600)
        .encode(x=alt.X(field="x", type="quantitative"), text=alt.Text(field="text", type="nominal"))
    )
    most = max(nulls)
    title = (
        f"Shuffled data reach {most:.2f} at best; this study has {own:.2f}"
        if own > most
        else f"Shuffled data reach {most:.2f}, as high as this study ({own:.2f})"
    )
    caption = (
        f"Grey: {len(nulls)} data sets in which each feature was shuffled on its own, so that nothing hangs "
        "together. If the blue line stood among them, the segments would be chance."
    )
    table = Table(
        ("Data", "Median stability"),
        (("This study", f"{own:.3f}"), *((f"Shuffled {i}", f"{x:.3f}") for i, x in enumerate(nulls, 1))),
    )
    return make_figure(
        "null",
        title,
        caption,
        f"Strip of stabilities. {title}.",
        single(alt.layer(points, line, words), 70),
        130,
        table,
    )


def _mark(report: Report, k: int) -> str:
    return "published" if k == report.decision.k else "other"


def _k_line(
    report: Report, frame: pd.DataFrame, field: str, title: str, format: str, zero: bool = False
) -> dict[str, Any]:
    base = alt.Chart(frame).encode(
        x=alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            field=field,
            type="quantitative",
            title=title,
            scale=alt.Scale(zero=zero),
            axis=alt.Axis(format=format, tickCount=5),
        ),
    )
    points = base.mark_point(size=80, filled=True, opacity=1).encode(
        color=alt.Color(
            field="mark",
            type="nominal",
            legend=None,
            scale=alt.Scale(domain=["published", "other"], range=["var(--accent)", EVERYONE]),
        ),
        tooltip=[tip("k", "Segments"), alt.Tooltip(field=field, type="quantitative", format=",.3f", title=title)],
    )
    return single(alt.layer(base.mark_line(color=EVERYONE), points), 260)
