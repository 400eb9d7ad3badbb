"""Charts of segments: one function a chart, from a part of the Report to spec, finding, alt text and twin."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.base.formats import number
from analysis.pages.figures import (
    EVERYONE,
    FOLDED,
    INK,
    WIDTH,
    WRAPPED,
    Figure,
    Table,
    faceted,
    make_figure,
    segment_colour,
    single,
    tag,
    tip,
)
from analysis.report.model import Report, Segment
from analysis.report.parts import Difference


def value_against_size(report: Report) -> Figure:
    """Share of customers beside share of value, by segment."""
    formats = report.formats()
    worth_label = report.value_label()
    rows = []
    for s in report.segments:
        rows.append({"segment": tag(s), "what": "Customers", "share": s.share, "text": formats.percent(s.share)})
        if s.value_share is not None:
            text = formats.percent(s.value_share)
            rows.append({"segment": tag(s), "what": worth_label, "share": s.value_share, "text": text})
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        y=alt.Y(field="what", type="nominal", title=None, sort=["Customers", worth_label]),
        x=alt.X(
            field="share",
            type="quantitative",
            title="Share of the total",
            axis=alt.Axis(format="%", tickCount=5),
        ),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(
        color=segment_colour(report, "segment"),
        fillOpacity=alt.FillOpacity(
            field="what",
            type="nominal",
            legend=None,
            sort=["Customers", worth_label],
            scale=alt.Scale(domain=["Customers", worth_label], range=[0.5, 1]),
        ),
        tooltip=[tip("segment", "Segment"), tip("what", "Share of"), tip("text", "Share")],
    )
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    chart = alt.layer(bars, labels).properties(width=WIDTH - 120, height=44)
    chart = chart.facet(
        row=alt.Row(
            field="segment",
            type="nominal",
            title=None,
            sort=[tag(s) for s in report.segments],
            header=alt.Header(labelOrient="top", labelAnchor="start", labelPadding=2),
        ),
        spacing=10,
    )
    worth = [s for s in report.segments if s.value_share is not None]
    if worth:
        best = max(worth, key=lambda s: (s.value_share or 0) - s.share)
        title = (
            f"{best.name}: {formats.percent(best.share)} of customers, "
            f"{formats.percent(best.value_share or 0)} of {worth_label.lower()}"
        )
    else:
        title = f"{report.segments[0].name} is the largest segment, {formats.percent(report.segments[0].share)}"
    head = ("Segment", "Customers", "Share of customers")
    cells = [(tag(s), formats.people(s.n), formats.percent(s.share)) for s in report.segments]
    if worth:
        head = (*head, f"Share of {worth_label.lower()}")
        cells = [(*c, formats.value(s.value_share, "share")) for c, s in zip(cells, report.segments, strict=True)]
    table = Table(head, tuple(cells))
    caption = (
        f"Pale bar: share of customers. Full bar: share of {worth_label.lower()}. "
        "A full bar longer than its pale one is worth more than its size."
        if worth
        else "The data do not say what a customer is worth, so only size is shown."
    )
    note = formats.rounding_note([s.share for s in report.segments], [s.value_share or 0.0 for s in report.segments])
    caption = f"{caption} {note}".strip()
    height = 84 * len(report.segments) + 40
    return make_figure("value-size", title, caption, f"Bars by segment. {title}.", faceted(chart), height, table)


def concentration(report: Report) -> Figure | None:
    """Share of customers, most valuable first, against share of the value. None where nothing is of value."""
    if report.concentration is None:
        return None
    formats, found, label = report.formats(), report.concentration, report.value_label().lower()
    curve = [(0.0, 0.0), *found.curve]
    rows = [
        {"share": round(x, 4), "value": round(y, 4), "people": formats.percent(x), "text": formats.percent(y)}
        for x, y in curve
    ]
    named = {s.id: s for s in report.segments}
    dots = [
        {
            "segment": tag(named[i]),
            "letter": named[i].letter,
            "share": round(x, 4),
            "value": round(y, 4),
            "people": formats.percent(x),
            "text": formats.percent(y),
        }
        for i, x, y in found.segments
    ]
    x = alt.X(
        field="share",
        type="quantitative",
        title=f"Share of {report.study.customers}, most valuable first",
        axis=alt.Axis(format="%", tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    y = alt.Y(field="value", type="quantitative", title=f"Share of {label}", axis=alt.Axis(format="%", tickCount=5))
    shown = [tip("people", "Share of customers"), tip("text", f"Share of {label}")]
    base = alt.Chart(pd.DataFrame(rows)).encode(x=x, y=y)
    line = base.mark_line(color=INK, strokeWidth=2.5)
    marks = base.mark_point(color=INK, filled=True, size=30, opacity=1).encode(tooltip=shown)
    even = (
        alt.Chart(pd.DataFrame({"share": [0, 1], "value": [0, 1]}))
        .mark_line(color=EVERYONE, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=x, y=y)
    )
    own = alt.Chart(pd.DataFrame(dots)).encode(x=x, y=y)
    points = own.mark_point(filled=True, size=420, opacity=1).encode(
        color=segment_colour(report, "segment"), tooltip=[tip("segment", "Up to and with"), *shown]
    )
    letters = own.mark_text(fontWeight=700, fontSize=12, color="#ffffff").encode(
        text=alt.Text(field="letter", type="nominal")
    )
    people, value = min(found.curve, key=lambda point: abs(point[0] - 0.2))
    title = (
        f"The most valuable {formats.percent(people)} of {report.study.customers} bring {formats.percent(value)} of "
        f"{label}"
    )
    caption = (
        "Line: from the most valuable customers to all of them. Letters: whole segments added up in the same way, the "
        "most valuable a customer first; the nearer they come to the line, the more the segments tell of value. "
        "Dashed: as if all were worth the same."
    )
    table = Table(
        ("Most valuable customers", f"Share of {label}"),
        (
            *((formats.percent(x), formats.percent(y)) for x, y in found.curve),
            *((f"{d['people']}: segments up to {d['segment']}", d["text"]) for d in dots),
        ),
    )
    spec = single(alt.layer(even, line, marks, points, letters), 320)
    return make_figure("concentration", title, caption, f"Curve of concentration. {title}.", spec, 400, table)


def heat_map(report: Report) -> Figure:
    """Segments by forming features: distance from everyone in standard deviations."""
    formats = report.formats()
    names = [v.name for v in report.forming()]
    labels = {v.name: v.label for v in report.forming()}
    rows = [
        {
            "segment": tag(s),
            "feature": labels[d.variable],
            "z": d.z,
            "text": number(d.z, 1, "+"),
            "median": formats.value(d.summary.median, report.variable(d.variable).unit),
            "band": _interval(d),
        }
        for s in report.segments
        for d in (s.difference(name) for name in names)
        if d
    ]
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X(
            field="segment",
            type="nominal",
            sort=[tag(s) for s in report.segments],
            title=None,
            axis=alt.Axis(orient="top", labelAngle=0, labelLimit=150, labelExpr=WRAPPED, labelPadding=32),
        ),
        y=alt.Y(
            field="feature",
            type="nominal",
            sort=[labels[n] for n in names],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        ),
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            field="z",
            type="quantitative",
            title="Standard deviations from everyone",
            scale=alt.Scale(domain=[-1.5, 0, 1.5], range=["#b2590f", "#e9e9e6", "#1f6fb2"], clamp=True),
            legend=alt.Legend(gradientLength=220, format="+.1f", titleLimit=400),
        ),
        tooltip=[
            tip("segment", "Segment"),
            tip("feature", "Feature"),
            tip("text", "Difference"),
            tip("band", "95 % interval"),
            tip("median", "Median"),
        ],
    )
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text(field="text", type="nominal"),
        color=alt.condition("abs(datum.z) > 0.9", alt.value("#ffffff"), alt.value("#15191e")),
    )
    height = 30 * len(names)
    strongest = max(rows, key=lambda row: abs(row["z"]))
    title = f"{strongest['feature']} tells {strongest['segment']} apart most ({strongest['text']} standard deviations)"
    table = Table(
        ("Feature", *(tag(s) for s in report.segments)),
        tuple(
            (
                labels[n],
                *(
                    f"{number(d.z, 2, '+')} ({_interval(d)})" if (d := s.difference(n)) else "–"
                    for s in report.segments
                ),
            )
            for n in names
        ),
    )
    caption = (
        "Blue: the segment's mean is above everyone's; brown: below; grey: the same. "
        "These features formed the segments, so differences are expected and carry no test. In the table, brackets "
        "hold the 95 % bootstrap interval."
    )
    spec = single(alt.layer(cells, text), height)
    return make_figure(
        "heat-map",
        title,
        caption,
        f"Heat map of {len(names)} features by segment. {title}.",
        spec,
        height + 120,
        table,
    )


def persona_profile(report: Report, segment: Segment) -> Figure:
    """One segment's forming features against everyone, with 95 % bootstrap intervals."""
    formats = report.formats()
    found = [(v, d) for v in report.forming() if (d := segment.difference(v.name))]
    found.sort(key=lambda pair: -pair[1].z)
    rows = [
        {
            "feature": v.label,
            "z": d.z,
            "low": d.z_low,
            "high": d.z_high,
            "median": formats.value(d.summary.median, v.unit),
            "all": formats.value(report.everyone[v.name].median, v.unit),
        }
        for v, d in found
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="feature",
            type="nominal",
            sort=[v.label for v, _ in found],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        )
    )
    bars = base.mark_bar(height=14, color=segment.colour, cornerRadiusEnd=2).encode(
        x=alt.X(
            field="z",
            type="quantitative",
            title="Standard deviations from everyone",
            axis=alt.Axis(format="+.1f", tickCount=6),
        ),
        tooltip=[tip("feature", "Feature"), tip("median", "Median here"), tip("all", "Median of everyone")],
    )
    ends = base.mark_rule(color=INK, strokeWidth=1.5).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high")
    )
    zero = alt.Chart(pd.DataFrame({"z": [0]})).mark_rule().encode(x=alt.X(field="z", type="quantitative"))
    top = max(found, key=lambda pair: abs(pair[1].z))
    word = "above" if top[1].z > 0 else "below"
    title = f"Furthest {word} everyone on {top[0].label.lower()}"
    caption = "Bar: difference between the segment's mean and everyone's; line: 95 % bootstrap interval."
    table = Table(
        ("Feature", "Median here", "Median of everyone", "Difference, sd", "95 % interval"),
        tuple(
            (
                v.label,
                formats.value(d.summary.median, v.unit),
                formats.value(report.everyone[v.name].median, v.unit),
                number(d.z, 2, "+"),
                _interval(d),
            )
            for v, d in found
        ),
    )
    height = 28 * len(found)
    return make_figure(
        f"profile-{segment.letter.lower()}",
        title,
        caption,
        f"Bars of differences from everyone. {title}.",
        single(alt.layer(bars, ends, zero), height),
        height + 60,
        table,
    )


def _interval(difference: Difference) -> str:
    return f"{number(difference.z_low, 2, '+')} to {number(difference.z_high, 2, '+')}"
