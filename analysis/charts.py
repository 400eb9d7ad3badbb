"""One function a chart: a part of the Report becomes a spec, its finding, alt text and table twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.explore import ColumnSummary
from analysis.features import Variable
from analysis.formats import joined
from analysis.profile import Summary
from analysis.report import Report, Segment

WIDTH = 720
"""Width of the static picture in pixels; the live chart follows the page."""
EVERYONE = "var(--everyone)"
INK = "var(--ink-2)"


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a chart as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with everything that a page needs to show it.

    Attributes
    ----------
    id : str
        Unique on the site.
    title : str
        States the finding.
    caption : str
        How to read it, and the base.
    alt : str
        The finding for those who do not see it.
    spec : dict
        Vega-Lite; colours of text and axes as ``var(--token)``.
    height : int
        Pixels that the page keeps free.
    table : Table
        The table twin.
    """

    id: str
    title: str
    caption: str
    alt: str
    spec: dict[str, Any]
    height: int
    table: Table


def value_against_size(report: Report) -> Figure:
    """Share of customers beside share of value, by segment."""
    formats = report.formats()
    worth_label = report.value_label()
    rows = []
    for s in report.segments:
        rows.append({"segment": _tag(s), "what": "Customers", "share": s.share, "text": formats.percent(s.share)})
        if s.value_share is not None:
            text = formats.percent(s.value_share)
            rows.append({"segment": _tag(s), "what": worth_label, "share": s.value_share, "text": text})
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        y=alt.Y(field="what", type="nominal", title=None, sort=["Customers", worth_label]),
        x=alt.X(field="share", type="quantitative", title="Share of the total", axis=alt.Axis(format="%", tickCount=5)),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(
        color=_segment_colour(report, "segment"),
        opacity=alt.Opacity(
            field="what", type="nominal", legend=None, sort=["Customers", worth_label],
            scale=alt.Scale(domain=["Customers", worth_label], range=[0.5, 1]),
        ),
        tooltip=[_tip("segment", "Segment"), _tip("what", "Share of"), _tip("text", "Share")],
    )  # fmt: skip
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    chart = alt.layer(bars, labels).properties(width=WIDTH - 120, height=44)
    chart = chart.facet(
        row=alt.Row(
            field="segment", type="nominal", title=None, sort=[_tag(s) for s in report.segments],
            header=alt.Header(labelOrient="top", labelAnchor="start", labelPadding=2),
        ),
        spacing=10,
    )  # fmt: skip
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
    cells = [(_tag(s), formats.people(s.n), formats.percent(s.share)) for s in report.segments]
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
    return _figure("value-size", title, caption, f"Bars by segment. {title}.", _faceted(chart), height, table)


def heat_map(report: Report) -> Figure:
    """Segments by forming features: distance from everyone in standard deviations."""
    formats = report.formats()
    names = [v.name for v in report.forming()]
    labels = {v.name: v.label for v in report.forming()}
    rows = [
        {
            "segment": _tag(s), "feature": labels[d.variable], "z": d.z, "text": f"{d.z:+.1f}",
            "median": formats.value(d.summary.median, report.variable(d.variable).unit),
        }
        for s in report.segments
        for d in (s.difference(name) for name in names)
        if d
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X(
            field="segment", type="nominal", sort=[_tag(s) for s in report.segments], title=None,
            axis=alt.Axis(orient="top", labelAngle=0, labelLimit=150, labelExpr=_WRAPPED, labelPadding=32),
        ),
        y=alt.Y(field="feature", type="nominal", sort=[labels[n] for n in names], title=None, axis=alt.Axis(labelExpr=_FOLDED)),
    )  # fmt: skip
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            field="z", type="quantitative", title="Standard deviations from everyone",
            scale=alt.Scale(domain=[-1.5, 0, 1.5], range=["#b2590f", "#e9e9e6", "#1f6fb2"], clamp=True),
            legend=alt.Legend(gradientLength=220, format="+.1f", titleLimit=400),
        ),
        tooltip=[_tip("segment", "Segment"), _tip("feature", "Feature"), _tip("text", "Difference"), _tip("median", "Median")],
    )  # fmt: skip
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text(field="text", type="nominal"),
        color=alt.condition("abs(datum.z) > 0.9", alt.value("#ffffff"), alt.value("#15191e")),
    )
    height = 30 * len(names)
    strongest = max(rows, key=lambda row: abs(row["z"]))
    title = f"{strongest['feature']} tells {strongest['segment']} apart most ({strongest['text']} standard deviations)"
    table = Table(
        ("Feature", *(_tag(s) for s in report.segments)),
        tuple(
            (labels[n], *(f"{d.z:+.2f}" if (d := s.difference(n)) else "–" for s in report.segments)) for n in names
        ),
    )
    caption = (
        "Blue: the segment's mean is above everyone's; brown: below; grey: the same. "
        "These features formed the segments, so differences are expected and carry no test."
    )
    spec = _single(alt.layer(cells, text), height)
    return _figure("heat-map", title, caption, f"Heat map of {len(names)} features by segment. {title}.", spec, height + 120, table)


def parallel_coordinates(report: Report) -> Figure:
    """Each segment as a line over the forming features."""
    formats = report.formats()
    variables = report.forming()
    rows = []
    for s in report.segments:
        for v in variables:
            if d := s.difference(v.name):
                rows.append(
                    {"segment": _tag(s), "feature": v.label, "z": d.z, "median": formats.value(d.summary.median, v.unit)}
                )
    frame = pd.DataFrame(rows)
    pick = alt.selection_point(name="pick", fields=["segment"], on="pointerover", clear="pointerout")
    base = alt.Chart(frame).encode(
        y=alt.Y(field="feature", type="nominal", sort=[v.label for v in variables], title=None, axis=alt.Axis(grid=True, labelLimit=230, labelExpr=_FOLDED)),
        x=alt.X(
            field="z", type="quantitative", title="Standard deviations from everyone",
            axis=alt.Axis(format="+.1f", grid=False, tickCount=6),
        ),
        color=_segment_colour(report, "segment", legend=True),
        opacity=alt.condition(pick, alt.value(1), alt.value(0.2), empty=True),
    )  # fmt: skip
    order = {v.label: i for i, v in enumerate(variables)}
    frame["order"] = frame["feature"].map(order)
    lines = base.mark_line(strokeWidth=2.5).encode(order=alt.Order(field="order", type="quantitative"))
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        shape=alt.Shape(
            field="segment", type="nominal", title=None,
            scale=alt.Scale(domain=[_tag(s) for s in report.segments], range=_SHAPES[: len(report.segments)]),
        ),
        tooltip=[_tip("segment", "Segment"), _tip("feature", "Feature"), _tip("median", "Median"), alt.Tooltip(field="z", type="quantitative", format="+.2f", title="Difference")],
    ).add_params(pick)  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"z": [0]})).mark_rule(strokeDash=[4, 3]).encode(x=alt.X(field="z", type="quantitative"))
    widest = max(
        variables, key=lambda v: max(r["z"] for r in rows if r["feature"] == v.label) - min(r["z"] for r in rows if r["feature"] == v.label)
    )
    title = f"The segments spread most on {widest.label.lower()}"
    table = Table(
        ("Feature", *(_tag(s) for s in report.segments), "Everyone"),
        tuple(
            (
                v.label,
                *(formats.value(d.summary.median, v.unit) if (d := s.difference(v.name)) else "–" for s in report.segments),
                formats.value(report.everyone[v.name].median, v.unit),
            )
            for v in variables
        ),
    )
    caption = "One line a segment; the dashed line is everyone. Point at a line to follow it. The table holds the medians."
    height = 34 * len(variables)
    spec = _single(alt.layer(zero, lines, points), height)
    return _figure("parallel", title, caption, f"Parallel coordinates, one line a segment. {title}.", spec, height + 110, table)


def segment_map(report: Report) -> Figure:
    """Customers as binned counts in the plane of the first two principal components, with segment outlines."""
    formats, found = report.formats(), report.map
    bins = pd.DataFrame([(b.x, b.y, b.n) for b in found.bins], columns=["x", "y", "customers"])
    half_x, half_y = found.step[0] / 2, found.step[1] / 2
    bins = bins.assign(x0=bins.x - half_x, x1=bins.x + half_x, y0=bins.y - half_y, y1=bins.y + half_y)
    x_title = _axis_title(found.x_means, formats.percent(found.explained[0]))
    y_title = _axis_title(found.y_means, formats.percent(found.explained[1]))
    cells = alt.Chart(bins.drop(columns=["x", "y"]).round(3)).mark_rect(stroke=None).encode(
        x=alt.X(field="x0", type="quantitative", title=x_title, axis=alt.Axis(labels=False, grid=False), scale=alt.Scale(zero=False)),
        x2=alt.X2(field="x1"),
        y=alt.Y(field="y0", type="quantitative", title=y_title, axis=alt.Axis(labels=False, grid=False), scale=alt.Scale(zero=False)),
        y2=alt.Y2(field="y1"),
        opacity=alt.Opacity(field="customers", type="quantitative", legend=None, scale=alt.Scale(range=[0.12, 0.6])),
        color=alt.value(EVERYONE),
        tooltip=[alt.Tooltip(field="customers", type="quantitative", title="Customers here")],
    )  # fmt: skip
    outline_rows = [
        {"segment": _tag(s), "x": round(x, 3), "y": round(y, 3), "order": i}
        for s, outline in zip(report.segments, found.outlines, strict=True)
        for i, (x, y) in enumerate(outline)
    ]
    colour = _segment_colour(report, "segment")
    outlines = alt.Chart(pd.DataFrame(outline_rows)).mark_line(strokeWidth=2, interpolate="linear-closed").encode(
        x=alt.X(field="x", type="quantitative"), y=alt.Y(field="y", type="quantitative"),
        order=alt.Order(field="order", type="quantitative"), color=colour, detail=alt.Detail(field="segment", type="nominal"),
    )  # fmt: skip
    centre_rows = pd.DataFrame(
        [
            {"segment": _tag(s), "letter": s.letter, "x": round(x, 3), "y": round(y, 3)}
            for s, (x, y) in zip(report.segments, found.centres, strict=True)
        ]
    )
    centres = alt.Chart(centre_rows).encode(
        x=alt.X(field="x", type="quantitative"), y=alt.Y(field="y", type="quantitative")
    )
    dots = centres.mark_point(size=520, filled=True, opacity=1).encode(color=colour, tooltip=[_tip("segment", "Segment")])
    letters = centres.mark_text(fontWeight=700, fontSize=13, color="#ffffff").encode(text=alt.Text(field="letter", type="nominal"))
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
            (_tag(s), f"{x:+.2f}", f"{y:+.2f}", formats.people(s.n))
            for s, (x, y) in zip(report.segments, found.centres, strict=True)
        ),
    )
    spec = _single(alt.layer(cells, outlines, dots, letters), 420)
    return _figure("map", title, caption, f"Map of customers with {len(report.segments)} outlined segments. {title}.", spec, 480, table)


def outcomes(report: Report) -> Figure | None:
    """Outcomes by segment; they did not form the segments. None where no outcome can be published."""
    formats = report.formats()
    chosen = [v for v in report.variables if v.role == "outcome" and v.name in report.everyone and v.unit == "yes_no"]
    if not chosen:
        return None
    rows = []
    for v in chosen:
        base = report.everyone[v.name].mean
        for s in report.segments:
            if d := s.difference(v.name):
                rows.append({"segment": _tag(s), "what": v.label, "share": d.summary.mean, "base": base, "text": formats.percent(d.summary.mean)})
    frame = pd.DataFrame(rows)
    base_chart = alt.Chart(frame).encode(
        y=alt.Y(field="segment", type="nominal", sort=[_tag(s) for s in report.segments], title=None)
    )
    bars = base_chart.mark_bar(height=16, cornerRadiusEnd=2).encode(
        x=alt.X(field="share", type="quantitative", title="Share of the segment", axis=alt.Axis(format="%", tickCount=4)),
        color=_segment_colour(report, "segment"),
        tooltip=[_tip("segment", "Segment"), _tip("what", "Outcome"), _tip("text", "Share")],
    )
    text = base_chart.mark_text(align="left", dx=5).encode(
        x=alt.X(field="share", type="quantitative"), text=alt.Text(field="text", type="nominal")
    )
    mark = base_chart.mark_tick(color=INK, thickness=2, size=24).encode(x=alt.X(field="base", type="quantitative"))
    chart = (
        alt.layer(bars, text, mark)
        .properties(width=WIDTH - 250, height=32 * len(report.segments))
        .facet(row=alt.Row(field="what", type="nominal", title=None, sort=[v.label for v in chosen], header=alt.Header(labelOrient="top")), spacing=16)
    )
    first = chosen[0]
    ranked = sorted((s for s in report.segments if s.difference(first.name)), key=lambda s: -s.difference(first.name).summary.mean)  # type: ignore[union-attr]
    top, low = ranked[0], ranked[-1]
    top_rate, low_rate = (s.difference(first.name).summary.mean for s in (top, low))  # type: ignore[union-attr]
    title = f"{first.label}: {formats.percent(top_rate)} in {top.name}, {formats.percent(low_rate)} in {low.name}"
    caption = "The upright tick is everyone. Outcomes took no part in forming the segments, so a difference here is news."
    table = Table(
        ("Segment", *(v.label for v in chosen)),
        (
            *((_tag(s), *(formats.percent(d.summary.mean) if (d := s.difference(v.name)) else "–" for v in chosen)) for s in report.segments),
            ("Everyone", *(formats.percent(report.everyone[v.name].mean) for v in chosen)),
        ),
    )
    height = (32 * len(report.segments) + 40) * len(chosen) + 40
    return _figure("outcomes", title, caption, f"Bars of outcomes by segment. {title}.", _faceted(chart), height, table)


def descriptors(report: Report) -> Figure | None:
    """Numeric descriptors: median and the middle 80 % by segment, each on its own axis."""
    formats = report.formats()
    chosen = [
        v for v in report.variables
        if v.role == "descriptor" and v.name in report.everyone and v.unit not in {"yes_no", "category"}
    ]  # fmt: skip
    chosen = sorted(chosen, key=lambda v: -_spread(report, v.name))[:6]
    if not chosen:
        return None
    rows = []
    for v in chosen:
        base = report.everyone[v.name]
        rows.append(_band_row("Everyone", v, base, formats))
        rows += [_band_row(_tag(s), v, d.summary, formats) for s in report.segments if (d := s.difference(v.name))]
    order = ["Everyone", *(_tag(s) for s in report.segments)]
    frame = pd.DataFrame(rows)
    colour = alt.Color(
        field="segment", type="nominal", legend=None,
        scale=alt.Scale(domain=order, range=[EVERYONE, *(s.colour for s in report.segments)]),
    )  # fmt: skip
    base_chart = alt.Chart(frame).encode(y=alt.Y(field="segment", type="nominal", sort=order, title=None), color=colour)
    bands = base_chart.mark_rule(strokeWidth=7, opacity=0.4, strokeCap="round").encode(
        x=alt.X(field="p10", type="quantitative", title=None, axis=alt.Axis(tickCount=5)), x2=alt.X2(field="p90")
    )
    ticks = base_chart.mark_tick(thickness=3, size=18).encode(
        x=alt.X(field="median", type="quantitative"),
        tooltip=[_tip("segment", "Segment"), _tip("what", "Descriptor"), _tip("text", "Median"), _tip("band", "Middle 80 %")],
    )
    chart = (
        alt.layer(bands, ticks)
        .properties(width=WIDTH - 250, height=24 * len(order))
        .facet(row=alt.Row(field="what", type="nominal", title=None, sort=[_with_unit(v, report) for v in chosen], header=alt.Header(labelOrient="top")), spacing=16)
        .resolve_scale(x="independent")
    )
    widest = next((v for v in chosen if v.name != report.study.value), chosen[0])
    ranked = sorted(((d.summary.median, s) for s in report.segments if (d := s.difference(widest.name))), key=lambda pair: pair[0])
    title = (
        f"{widest.label}: median {formats.value(ranked[-1][0], widest.unit)} in {ranked[-1][1].name}, "
        f"{formats.value(ranked[0][0], widest.unit)} in {ranked[0][1].name}"
    )
    table = Table(
        ("Segment", *(f"{v.label}, median" for v in chosen)),
        tuple(
            (row, *(
                formats.value(_summary(report, row, v.name).median, v.unit) for v in chosen
            ))
            for row in order
        ),
    )  # fmt: skip
    caption = "Tick: the median; bar: the middle 80 % of the group. Descriptors took no part in forming the segments."
    height = (24 * len(order) + 52) * len(chosen) + 20
    return _figure("descriptors", title, caption, f"Bands of descriptors by segment. {title}.", _faceted(chart), height, table)


def category_mix(report: Report, index: int) -> Figure:
    """Shares of the levels of one category, by segment."""
    formats, found = report.formats(), report.categories[index]
    label = report.variable(found.variable).label
    order = [*(_tag(s) for s in report.segments), "Everyone"]
    shares = [*found.segments, found.everyone]
    rows = [
        {"segment": name, "level": level, "share": share, "text": formats.percent(share), "order": i}
        for name, row in zip(order, shares, strict=True)
        for i, (level, share) in enumerate(zip(found.levels, row, strict=True))
    ]
    greys = ["#2a5d8f", "#5c8fbf", "#9dbfdd", "#c9b27c", "#a07c3a", "#7f8893", "#b9c1ca", "#565f6a", "#d8dde3"]
    chart = alt.Chart(pd.DataFrame(rows)).mark_bar(height=22, stroke="var(--paper)", strokeWidth=1).encode(
        y=alt.Y(field="segment", type="nominal", sort=order, title=None),
        x=alt.X(field="share", type="quantitative", stack="zero", title="Share of the group", axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color(field="level", type="nominal", sort=list(found.levels), title=None, scale=alt.Scale(domain=list(found.levels), range=greys[: len(found.levels)])),
        order=alt.Order(field="order", type="quantitative"),
        tooltip=[_tip("segment", "Segment"), _tip("level", label), _tip("text", "Share")],
    )  # fmt: skip
    gaps = [
        (abs(share - everyone), s, level, share)
        for s, row in zip(report.segments, found.segments, strict=True)
        for level, share, everyone in zip(found.levels, row, found.everyone, strict=True)
    ]
    _, segment, level, share = max(gaps, key=lambda gap: gap[0])
    base = found.everyone[found.levels.index(level)]
    title = f"{label}: {level} is {formats.percent(share)} of {segment.name}, {formats.percent(base)} of everyone"
    table = Table((label, *order), tuple((lv, *(formats.percent(row[i]) for row in shares)) for i, lv in enumerate(found.levels)))
    height = 34 * len(order)
    caption = f"Shares add up to 100 % in each row. Levels that are rare in a segment are in Other. {label} formed no segment."
    return _figure(f"mix-{index + 1}", title, caption, f"Stacked bars of {label} by segment. {title}.", _single(chart, height), height + 100, table)


def elbow(report: Report) -> Figure:
    """Within-segment sum of squares by k, with its knee."""
    rows = report.evidence.by_k
    frame = pd.DataFrame([{"k": r.k, "wcss": r.wcss, "mark": _mark(report, r.k)} for r in rows])
    k = report.evidence.elbow_k
    title = f"The elbow points to {k}, weakly"
    caption = "Within-segment sum of squares: how far customers lie from their segment's centre. It always falls; look for the bend. Filled: published."
    spec = _k_line(report, frame, "wcss", "Within-segment sum of squares", "~s")
    table = Table(("Segments", "Within-segment sum of squares"), tuple((str(r.k), f"{r.wcss:,.0f}") for r in rows))
    return _figure("elbow", title, caption, f"Line falling with the number of segments, bend at {k}.", spec, 320, table)


def silhouette(report: Report) -> Figure:
    """Mean silhouette by k."""
    rows = report.evidence.by_k
    frame = pd.DataFrame([{"k": r.k, "silhouette": r.silhouette, "mark": _mark(report, r.k)} for r in rows])
    best = report.evidence.silhouette_k
    published = next((r.silhouette for r in rows if r.k == report.decision.k), rows[0].silhouette)
    title = f"Separation is best with {best} segments; with {report.decision.k} it is {published:.2f}"
    caption = "Mean silhouette: 1 = far from every other segment, 0 = on a border. Under 0.25 there is no clear gap between segments (Kaufman and Rousseeuw's reading). Filled: published."
    spec = _k_line(report, frame, "silhouette", "Mean silhouette", ".2f", zero=True)
    table = Table(("Segments", "Mean silhouette"), tuple((str(r.k), f"{r.silhouette:.3f}") for r in rows))
    return _figure("silhouette", title, caption, f"Mean silhouette by number of segments; {title}.", spec, 320, table)


def stability(report: Report) -> Figure:
    """Stability by k: the spread of the adjusted Rand index over pairs of resamples."""
    rows = report.evidence.by_k
    frame = pd.DataFrame(
        [
            {"k": r.k, "p5": r.stability.p5, "q1": r.stability.q1, "median": r.stability.median, "q3": r.stability.q3,
             "p95": r.stability.p95, "mark": _mark(report, r.k), "pairs": r.stability.pairs}
            for r in rows
        ]
    )  # fmt: skip
    x = alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame).encode(x=x)
    y = alt.Y(field="p5", type="quantitative", title="Agreement between resamples (adjusted Rand)", scale=alt.Scale(domain=[0, 1]))
    colour = alt.Color(
        field="mark", type="nominal", legend=None, scale=alt.Scale(domain=["published", "other"], range=["var(--accent)", EVERYONE])
    )
    whiskers = base.mark_rule().encode(y=y, y2=alt.Y2(field="p95"), color=colour)
    boxes = base.mark_bar(size=22, opacity=0.55).encode(y=alt.Y(field="q1", type="quantitative"), y2=alt.Y2(field="q3"), color=colour)
    ticks = base.mark_tick(thickness=3, size=22).encode(
        y=alt.Y(field="median", type="quantitative"), color=colour,
        tooltip=[_tip("k", "Segments"), alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median"), _tip("pairs", "Pairs of resamples")],
    )  # fmt: skip
    line = alt.Chart(pd.DataFrame({"y": [0.85]})).mark_rule(strokeDash=[4, 3]).encode(y=alt.Y(field="y", type="quantitative"))
    published = next((r for r in rows if r.k == report.decision.k), rows[0])
    after = next((r for r in rows if r.k == report.decision.k + 1), None)
    title = f"With {report.decision.k} segments, two resamples agree to {published.stability.median:.2f}"
    if after:
        title += f"; with {after.k}, to {after.stability.median:.2f}"
    caption = (
        "Two bootstrap samples are clustered apart and all customers assigned by both: 1 = the same groups, 0 = no better than chance. "
        "Tick: median; box: middle half; line: 5 to 95 %. Dashed: 0.85, the least that the decision accepts."
    )
    table = Table(
        ("Segments", "Median", "Lower quartile", "Upper quartile", "Pairs"),
        tuple(
            (str(r.k), f"{r.stability.median:.3f}", f"{r.stability.q1:.3f}", f"{r.stability.q3:.3f}", str(r.stability.pairs))
            for r in rows
        ),
    )
    spec = _single(alt.layer(line, whiskers, boxes, ticks), 280)
    return _figure("stability", title, caption, f"Box plots by number of segments. {title}.", spec, 340, table)


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
        shape=alt.Shape(field="algorithm", type="nominal", title=None, scale=alt.Scale(domain=titles, range=_SHAPES[: len(titles)])),
        tooltip=[_tip("algorithm", "Algorithm"), _tip("k", "Segments"), alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median stability"), alt.Tooltip(field="silhouette", type="quantitative", format=".2f", title="Silhouette")],
    )  # fmt: skip
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
            (a.title, str(r.k), f"{r.stability.median:.3f}", f"{r.silhouette:.3f}", report.formats().percent(r.smallest_share))
            for a in report.evidence.algorithms
            for r in a.by_k
        ),
    )
    spec = _single(alt.layer(base.mark_line(strokeWidth=2), points), 280)
    return _figure("algorithms", title, caption, f"Lines of stability by number of segments. {title}.", spec, 360, table)


def segment_stability(report: Report) -> Figure:
    """How well each segment comes back in resamples."""
    rows = [{"segment": _tag(s), "slsw": s.slsw, "text": f"{s.slsw:.2f}, {s.band}"} for s in report.segments]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="segment", type="nominal", sort=[_tag(s) for s in report.segments], title=None),
        x=alt.X(field="slsw", type="quantitative", title="Mean Jaccard similarity over resamples", scale=alt.Scale(domain=[0, 1.25]), axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1])),
    )  # fmt: skip
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(color=_segment_colour(report, "segment"), tooltip=[_tip("segment", "Segment"), _tip("text", "Stability")])
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    line = alt.Chart(pd.DataFrame({"x": [0.75]})).mark_rule(strokeDash=[4, 3]).encode(x=alt.X(field="x", type="quantitative"))
    least = min(report.segments, key=lambda s: s.slsw)
    title = f"Even the least stable segment, {least.name}, comes back at {least.slsw:.2f}" if least.slsw >= 0.75 else f"{least.name} does not come back reliably ({least.slsw:.2f})"
    caption = "In each resample the most similar segment is found; 1 = exactly the same customers. Dashed: 0.75, from which Hennig calls a segment valid."
    height = 34 * len(rows)
    table = Table(
        ("Segment", "Stability", "Reading", "Mean silhouette", "Shadow value"),
        tuple((_tag(s), f"{s.slsw:.3f}", s.band, f"{s.silhouette:.3f}", f"{s.shadow:.3f}") for s in report.segments),
    )
    return _figure("segment-stability", title, caption, f"Bars of stability by segment. {title}.", _single(alt.layer(bars, line, text), height), height + 70, table)


def null_reference(report: Report) -> Figure | None:
    """The published stability beside that of shuffled data; None for a density method."""
    nulls = report.evidence.nulls.permuted
    if not nulls:
        return None
    own = next(r for r in report.evidence.by_k if r.k == report.decision.k).stability.median
    frame = pd.DataFrame({"stability": list(nulls)})
    points = alt.Chart(frame).mark_tick(thickness=2, size=34, opacity=0.7, color=EVERYONE).encode(
        x=alt.X(field="stability", type="quantitative", title="Median stability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)),
        tooltip=[alt.Tooltip(field="stability", type="quantitative", format=".2f", title="Shuffled data")],
    )  # fmt: skip
    marks = pd.DataFrame([{"x": own, "text": "this study"}])
    line = alt.Chart(marks).mark_rule(strokeWidth=3, color="var(--accent)").encode(x=alt.X(field="x", type="quantitative"))
    words = alt.Chart(marks).mark_text(align="right", dx=-7, fontWeight=600).encode(x=alt.X(field="x", type="quantitative"), text=alt.Text(field="text", type="nominal"))
    most = max(nulls)
    title = (
        f"Shuffled data reach {most:.2f} at best; this study has {own:.2f}"
        if own > most
        else f"Shuffled data reach {most:.2f}, as high as this study ({own:.2f})"
    )
    caption = f"Grey: {len(nulls)} data sets in which each feature was shuffled on its own, so that nothing hangs together. If the blue line stood among them, the segments would be chance."
    table = Table(("Data", "Median stability"), (("This study", f"{own:.3f}"), *((f"Shuffled {i}", f"{x:.3f}") for i, x in enumerate(nulls, 1))))
    return _figure("null", title, caption, f"Strip of stabilities. {title}.", _single(alt.layer(points, line, words), 70), 130, table)


def distribution(report: Report, column: ColumnSummary) -> Figure:
    """Histogram or bars of one column as it came in."""
    formats = report.formats()
    numeric = column.bars[0].low is not None
    if numeric:
        rows = [{"low": b.low, "high": b.high, "density": b.n / ((b.high or 0) - (b.low or 0)), "customers": b.n} for b in column.bars]
        frame = pd.DataFrame(rows)
        chart = alt.Chart(frame).mark_bar(color=EVERYONE, stroke="var(--paper)", strokeWidth=0.5).encode(
            x=alt.X(field="low", type="quantitative", title=None, axis=alt.Axis(grid=False, tickCount=5), scale=alt.Scale(zero=False, nice=False)),
            x2=alt.X2(field="high"),
            y=alt.Y(field="density", type="quantitative", title=None, axis=None),
            y2=alt.Y2(datum=0),
            tooltip=[alt.Tooltip(field="low", type="quantitative", format=",.0f", title="From"), alt.Tooltip(field="high", type="quantitative", format=",.0f", title="To"), alt.Tooltip(field="customers", type="quantitative", title="Customers")],
        )  # fmt: skip
        height = 96
        table = Table(("From", "To", "Customers"), tuple((formats.plain(b.low or 0), formats.plain(b.high or 0), f"{b.n:,}") for b in column.bars))
    else:
        rows = [{"level": b.label, "customers": b.n} for b in column.bars]
        order = [b.label for b in column.bars]
        horizontal = column.type != "date"
        level = {"field": "level", "type": "nominal", "sort": order, "title": None}
        count = {"field": "customers", "type": "quantitative", "title": None}
        encoding: dict[str, Any] = (
            {"y": alt.Y(**level, axis=alt.Axis(labelLimit=130)), "x": alt.X(**count, axis=alt.Axis(tickCount=3, format=",d"))}
            if horizontal
            else {"x": alt.X(**level, axis=alt.Axis(labelOverlap=True, labelAngle=0)), "y": alt.Y(**count, axis=alt.Axis(tickCount=3))}
        )
        chart = alt.Chart(pd.DataFrame(rows)).mark_bar(color=EVERYONE).encode(
            **encoding, tooltip=[_tip("level", column.label), alt.Tooltip(field="customers", type="quantitative", title="Customers")]
        )  # fmt: skip
        height = 20 * len(rows) if horizontal else 96
        table = Table((column.label, "Customers"), tuple((b.label, f"{b.n:,}") for b in column.bars))
    if column.median is not None and numeric:
        title = f"{column.label}: half are at {formats.plain(column.median)} or less"
    else:
        top = max(column.bars, key=lambda b: b.n)
        total = sum(b.n for b in column.bars)
        yes = next((b.n for b in column.bars if b.label == "Yes"), None)
        title = (
            f"{column.label}: yes for {formats.percent(yes / total)}"
            if yes and {b.label for b in column.bars} == {"Yes", "No"}
            else f"{column.label}: {top.label} for {formats.percent(top.n / total)}"
        )
    missing = f"{formats.people(column.missing)} missing. " if column.missing else ""
    rare = "Rare answers are in Other." if any(b.label == "Other" for b in column.bars) else "All values."
    caption = f"{missing}The outermost bars are open." if numeric else f"{missing}{rare}"
    name = "".join(c if c.isalnum() else "-" for c in column.name.lower())
    return _figure(f"column-{name}", title, caption, f"Distribution of {column.label}. {title}.", _single(chart, height), height + 50, table)


def correlation_map(report: Report) -> Figure | None:
    """Spearman correlations of features and numeric descriptors."""
    found = report.data.correlations
    if len(found.labels) < 3:
        return None
    rows = [
        {"a": a, "b": b, "r": round(found.rows[i][j], 2)}
        for i, a in enumerate(found.labels)
        for j, b in enumerate(found.labels)
    ]
    pairs = [(abs(row["r"]), row["a"], row["b"], row["r"]) for row in rows if row["a"] < row["b"]]
    _, a, b, r = max(pairs)
    chart = alt.Chart(pd.DataFrame(rows)).mark_rect().encode(
        x=alt.X(field="a", type="nominal", sort=list(found.labels), title=None, axis=alt.Axis(labelAngle=-60, labelLimit=150)),
        y=alt.Y(field="b", type="nominal", sort=list(found.labels), title=None, axis=alt.Axis(labelLimit=170)),
        color=alt.Color(field="r", type="quantitative", title="Spearman correlation", scale=alt.Scale(domain=[-1, 0, 1], range=["#b2590f", "#e9e9e6", "#1f6fb2"])),
        tooltip=[_tip("a", "Feature"), _tip("b", "with"), alt.Tooltip(field="r", type="quantitative", format="+.2f", title="Correlation")],
    )  # fmt: skip
    title = f"{a} and {b.lower()} move together most ({r:+.2f})" if r > 0 else f"{a} and {b.lower()} move against each other most ({r:+.2f})"
    caption = "Blue: both rise together; brown: one rises as the other falls. Like stands beside like."
    table = Table(
        ("Variable", *found.labels),
        tuple((label, *(f"{x:+.2f}" for x in row)) for label, row in zip(found.labels, found.rows, strict=True)),
    )
    height = 22 * len(found.labels)
    return _figure("correlations", title, caption, f"Heat map of correlations. {title}.", _single(chart, height), height + 190, table)


def missing_values(report: Report) -> Figure | None:
    """Columns with missing values; None where nothing is missing."""
    formats = report.formats()
    columns = sorted((c for c in report.data.columns if c.missing), key=lambda c: -c.missing)[:20]
    if not columns:
        return None
    n = report.study.n_customers
    rows = [
        {"column": c.label, "share": c.missing / n, "text": formats.people(c.missing)}
        for c in columns
        if c.missing >= report.study.min_cell
    ]
    if not rows:
        return None
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="column", type="nominal", sort=None, title=None),
        x=alt.X(field="share", type="quantitative", title="Share of customers without a value", axis=alt.Axis(format=".1%", tickCount=4)),
    )
    bars = base.mark_bar(height=16, color=EVERYONE)
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    title = f"{rows[0]['column']} is missing for {rows[0]['text']} {report.study.customers}" + (", nothing else is" if len(columns) == 1 else "")
    table = Table(("Column", "Missing", "Share"), tuple((c.label, formats.people(c.missing), formats.percent(c.missing / n)) for c in columns))
    height = 30 * len(rows) + 10
    return _figure("missing", title, "Empty cells in the file, before anything was done.", f"Bars of missing values. {title}.", _single(alt.layer(bars, text), height), height + 60, table)


def persona_profile(report: Report, segment: Segment) -> Figure:
    """One segment's forming features against everyone, with 95 % bootstrap intervals."""
    formats = report.formats()
    found = [(v, d) for v in report.forming() if (d := segment.difference(v.name))]
    found.sort(key=lambda pair: -pair[1].z)
    rows = [
        {"feature": v.label, "z": d.z, "low": d.z_low, "high": d.z_high, "median": formats.value(d.summary.median, v.unit),
         "all": formats.value(report.everyone[v.name].median, v.unit)}
        for v, d in found
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).encode(y=alt.Y(field="feature", type="nominal", sort=[v.label for v, _ in found], title=None, axis=alt.Axis(labelExpr=_FOLDED)))
    bars = base.mark_bar(height=14, color=segment.colour, cornerRadiusEnd=2).encode(
        x=alt.X(field="z", type="quantitative", title="Standard deviations from everyone", axis=alt.Axis(format="+.1f", tickCount=6)),
        tooltip=[_tip("feature", "Feature"), _tip("median", "Median here"), _tip("all", "Median of everyone")],
    )
    ends = base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"))
    zero = alt.Chart(pd.DataFrame({"z": [0]})).mark_rule().encode(x=alt.X(field="z", type="quantitative"))
    top = max(found, key=lambda pair: abs(pair[1].z))
    word = "above" if top[1].z > 0 else "below"
    title = f"Furthest {word} everyone on {top[0].label.lower()}"
    caption = "Bar: difference between the segment's mean and everyone's; line: 95 % bootstrap interval."
    table = Table(
        ("Feature", "Median here", "Median of everyone", "Difference, sd"),
        tuple((v.label, formats.value(d.summary.median, v.unit), formats.value(report.everyone[v.name].median, v.unit), f"{d.z:+.2f}") for v, d in found),
    )
    height = 28 * len(found)
    return _figure(f"profile-{segment.letter.lower()}", title, caption, f"Bars of differences from everyone. {title}.", _single(alt.layer(bars, ends, zero), height), height + 60, table)


def _figure(id: str, title: str, caption: str, text: str, spec: dict[str, Any], height: int, table: Table) -> Figure:
    return Figure(f"chart-{id}", title, caption, text, spec, height, table)


_WRAPPED = "width < 420 ? slice(datum.label, 0, 1) : [slice(datum.label, 0, 1), split(slice(datum.label, 4), ' ')[0], join(slice(split(slice(datum.label, 4), ' '), 1), ' ')]"
_FOLDED = "width < 420 ? split(replace(datum.label, regexp('^(.{9,}?) '), '$1|'), '|') : datum.label"
_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"]


def _tag(segment: Segment) -> str:
    return f"{segment.letter} · {segment.name}"


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(field=field, type="nominal", title=title)


def _segment_colour(report: Report, field: str, legend: bool = False) -> alt.Color:
    scale = alt.Scale(domain=[_tag(s) for s in report.segments], range=[s.colour for s in report.segments])
    shown = alt.Legend(title=None, columns=2, labelLimit=300, symbolOpacity=1) if legend else None
    return alt.Color(field=field, type="nominal", scale=scale, legend=shown, title=None)


def _axis_title(ends: tuple[str, str], percent: str) -> list[str]:
    low, high = ends
    sides = [f"← {low}"] if low else []
    sides += [f"{high} →"] if high else []
    return ["   |   ".join(sides), f"{percent} of all differences"]


def _with_unit(variable: Variable, report: Report) -> str:
    unit = {"money": report.study.currency or "currency units", "days": "days", "years": "years"}.get(variable.unit)
    return f"{variable.label} ({unit})" if unit and unit.split()[0] not in variable.label.lower() else variable.label


def _band_row(name: str, variable: Variable, summary: Summary, formats: Any) -> dict[str, Any]:
    unit = variable.unit
    return {
        "segment": name,
        "what": variable.label,
        "p10": summary.p10,
        "median": summary.median,
        "p90": summary.p90,
        "text": formats.value(summary.median, unit),
        "band": f"{formats.value(summary.p10, unit)} to {formats.value(summary.p90, unit)}",
    }


def _spread(report: Report, variable: str) -> float:
    """How far apart the segments are on a variable, in standard deviations."""
    found = [d.z for s in report.segments if (d := s.difference(variable))]
    return max(found) - min(found)


def _summary(report: Report, row: str, variable: str) -> Summary:
    if row == "Everyone":
        return report.everyone[variable]
    segment = next(s for s in report.segments if _tag(s) == row)
    found = segment.difference(variable)
    assert found is not None
    return found.summary


def _mark(report: Report, k: int) -> str:
    return "published" if k == report.decision.k else "other"


def _k_line(report: Report, frame: pd.DataFrame, field: str, title: str, format: str, zero: bool = False) -> dict[str, Any]:
    base = alt.Chart(frame).encode(
        x=alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(field=field, type="quantitative", title=title, scale=alt.Scale(zero=zero), axis=alt.Axis(format=format, tickCount=5)),
    )
    points = base.mark_point(size=80, filled=True, opacity=1).encode(
        color=alt.Color(field="mark", type="nominal", legend=None, scale=alt.Scale(domain=["published", "other"], range=["var(--accent)", EVERYONE])),
        tooltip=[_tip("k", "Segments"), alt.Tooltip(field=field, type="quantitative", format=",.3f", title=title)],
    )  # fmt: skip
    return _single(alt.layer(base.mark_line(color=EVERYONE), points), 260)


def _single(chart: Any, height: int) -> dict[str, Any]:
    """A chart as wide as its place on the page; a narrow one cuts its labels shorter."""
    return _narrow(_spec(chart.properties(height=height), "container"), {"config": {"axisY": {"labelLimit": 112}}})


def _faceted(chart: Any) -> dict[str, Any]:
    """Rows of small charts; a narrow page takes a narrower inner width."""
    spec = _spec(chart, None)
    return _narrow(spec, {"spec": {"width": 150}, "config": {"axisY": {"labelLimit": 112}}})


def _narrow(spec: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "usermeta": {"narrow": override}}


def _spec(chart: Any, width: str | None) -> dict[str, Any]:
    alt.data_transformers.disable_max_rows()
    spec = chart.to_dict(validate=False)
    for unwanted in ("config", "$schema"):
        spec.pop(unwanted, None)
    if width:
        spec["width"] = width
    return spec
