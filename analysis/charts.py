"""Charts of segments: one function a chart, from a part of the Report to spec, finding, alt text and twin."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.figures import (
    EVERYONE,
    FOLDED,
    INK,
    SHAPES,
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
from analysis.formats import number
from analysis.profile import Difference
from analysis.report import Report, Segment


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
        opacity=alt.Opacity(
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


def parallel_coordinates(report: Report) -> Figure:
    """Each segment as a line over the forming features."""
    formats = report.formats()
    variables = report.forming()
    rows = []
    for s in report.segments:
        for v in variables:
            if d := s.difference(v.name):
                rows.append(
                    {
                        "segment": tag(s),
                        "feature": v.label,
                        "z": d.z,
                        "median": formats.value(d.summary.median, v.unit),
                    }
                )
    frame = pd.DataFrame(rows)
    pick = alt.selection_point(name="pick", fields=["segment"], on="pointerover", clear="pointerout")
    base = alt.Chart(frame).encode(
        y=alt.Y(
            field="feature",
            type="nominal",
            sort=[v.label for v in variables],
            title=None,
            axis=alt.Axis(grid=True, labelLimit=230, labelExpr=FOLDED),
        ),
        x=alt.X(
            field="z",
            type="quantitative",
            title="Standard deviations from everyone",
            axis=alt.Axis(format="+.1f", grid=False, tickCount=6),
        ),
        color=segment_colour(report, "segment", legend=True),
        opacity=alt.condition(pick, alt.value(1), alt.value(0.2), empty=True),
    )
    order = {v.label: i for i, v in enumerate(variables)}
    frame["order"] = frame["feature"].map(order)
    lines = base.mark_line(strokeWidth=2.5).encode(order=alt.Order(field="order", type="quantitative"))
    points = (
        base.mark_point(size=70, filled=True, opacity=1)
        .encode(
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
        .add_params(pick)
    )
    zero = (
        alt.Chart(pd.DataFrame({"z": [0]})).mark_rule(strokeDash=[4, 3]).encode(x=alt.X(field="z", type="quantitative"))
    )
    widest = max(
        variables,
        key=lambda v: (
            max(r["z"] for r in rows if r["feature"] == v.label) - min(r["z"] for r in rows if r["feature"] == v.label)
        ),
    )
    title = f"The segments spread most on {widest.label.lower()}"
    table = Table(
        ("Feature", *(tag(s) for s in report.segments), "Everyone"),
        tuple(
            (
                v.label,
                *(
                    formats.value(d.summary.median, v.unit) if (d := s.difference(v.name)) else "–"
                    for s in report.segments
                ),
                formats.value(report.everyone[v.name].median, v.unit),
            )
            for v in variables
        ),
    )
    caption = (
        "One line a segment; the dashed line is everyone. Point at a line to follow it. The table holds the medians."
    )
    height = 34 * len(variables)
    spec = single(alt.layer(zero, lines, points), height)
    return make_figure(
        "parallel",
        title,
        caption,
        f"Parallel coordinates, one line a segment. {title}.",
        spec,
        height + 110,
        table,
    )


def segment_map(report: Report) -> Figure:
    """Customers as binned counts in the plane of the first two principal components, with segment outlines."""
    formats, found = report.formats(), report.map
    bins = pd.DataFrame([(b.x, b.y, b.n) for b in found.bins], columns=["x", "y", "customers"])
    half_x, half_y = found.step[0] / 2, found.step[1] / 2
    bins = bins.assign(x0=bins.x - half_x, x1=bins.x + half_x, y0=bins.y - half_y, y1=bins.y + half_y)
    x_title = _axis_title(found.x_means, formats.percent(found.explained[0]))
    y_title = _axis_title(found.y_means, formats.percent(found.explained[1]))
    cells = (
        alt.Chart(bins.drop(columns=["x", "y"]).round(3))
        .mark_rect(stroke=None)
        .encode(
            x=alt.X(
                field="x0",
                type="quantitative",
                title=x_title,
                axis=alt.Axis(labels=False, grid=False),
                scale=alt.Scale(zero=False),
            ),
            x2=alt.X2(field="x1"),
            y=alt.Y(
                field="y0",
                type="quantitative",
                title=y_title,
                axis=alt.Axis(labels=False, grid=False),
                scale=alt.Scale(zero=False),
            ),
            y2=alt.Y2(field="y1"),
            opacity=alt.Opacity(
                field="customers", type="quantitative", legend=None, scale=alt.Scale(range=[0.12, 0.6])
            ),
            color=alt.value(EVERYONE),
            tooltip=[alt.Tooltip(field="customers", type="quantitative", title="Customers here")],
        )
    )
    outline_rows = [
        {"segment": tag(s), "x": round(x, 3), "y": round(y, 3), "order": i}
        for s, outline in zip(report.segments, found.outlines, strict=True)
        for i, (x, y) in enumerate(outline)
    ]
    colour = segment_colour(report, "segment")
    outlines = (
        alt.Chart(pd.DataFrame(outline_rows))
        .mark_line(strokeWidth=2, interpolate="linear-closed")
        .encode(
            x=alt.X(field="x", type="quantitative"),
            y=alt.Y(field="y", type="quantitative"),
            order=alt.Order(field="order", type="quantitative"),
            color=colour,
            detail=alt.Detail(field="segment", type="nominal"),
        )
    )
    centre_rows = pd.DataFrame(
        [
            {"segment": tag(s), "letter": s.letter, "x": round(x, 3), "y": round(y, 3)}
            for s, (x, y) in zip(report.segments, found.centres, strict=True)
        ]
    )
    centres = alt.Chart(centre_rows).encode(
        x=alt.X(field="x", type="quantitative"), y=alt.Y(field="y", type="quantitative")
    )
    dots = centres.mark_point(size=520, filled=True, opacity=1).encode(
        color=colour, tooltip=[tip("segment", "Segment")]
    )
    letters = centres.mark_text(fontWeight=700, fontSize=13, color="#ffffff").encode(
        text=alt.Text(field="letter", type="nominal")
    )
    both = sum(found.explained)
    title = f"Neighbouring segments touch: the map shows {formats.percent(both)} of the differences between customers"
    caption = (
        "Squares: customers, darker where there are more (none is shown for fewer than "
        f"{report.study.min_cell}). Letter: a segment's centre; outline: where about half of its customers lie. "
        "An arrow names the feature that grows that way most. Overlap here is not overlap in all features."
    )
    table = Table(
        ("Segment", "Centre, across", "Centre, up", "Customers"),
        tuple(
            (tag(s), number(x, 2, "+"), number(y, 2, "+"), formats.people(s.n))
            for s, (x, y) in zip(report.segments, found.centres, strict=True)
        ),
    )
    spec = single(alt.layer(cells, outlines, dots, letters), 420)
    return make_figure(
        "map",
        title,
        caption,
        f"Map of customers with {len(report.segments)} outlined segments. {title}.",
        spec,
        480,
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


def _axis_title(ends: tuple[str, str], percent: str) -> list[str]:
    low, high = ends
    sides = [f"← {low}"] if low else []
    sides += [f"{high} →"] if high else []
    return ["   |   ".join(sides), f"{percent} of all differences"]
