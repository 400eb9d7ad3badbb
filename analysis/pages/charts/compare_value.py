"""Charts that compare segments by outcome and value: shares, RFM cells, expected spending, concentration."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_sentence
from analysis.pages.figures import (
    ACCENT,
    EVERYONE,
    FOLDED,
    INK,
    WIDTH,
    Figure,
    Table,
    facet_rows,
    faceted,
    fold_rows,
    make_figure,
    segment_colour,
    single,
    tag,
    tip,
)
from analysis.report.model import Report
from analysis.report.parts import PastForecast

PAST = ("Expected", "Spent")
NEAR = 0.05
"""Part by which the spend may differ from the expected for the models to be called close. Chosen for this project."""


def outcomes(report: Report) -> Figure | None:
    """Chart outcomes by segment; None if no outcome can be published."""
    formats = report.formats()
    chosen = [v for v in report.variables if v.role == "outcome" and v.name in report.everyone and v.unit == "yes_no"]
    if not chosen:
        return None
    rows = []
    for v in chosen:
        base = report.everyone[v.name].mean
        for s in report.segments:
            if d := s.difference(v.name):
                rows.append(
                    {
                        "segment": tag(s),
                        "what": v.label,
                        "share": d.summary.mean,
                        "base": base,
                        "end": max(d.summary.mean, base),
                        "text": formats.percent(d.summary.mean),
                    }
                )
    chart = _draw_outcomes(report, rows, [v.label for v in chosen])
    first = chosen[0]
    rates = [(d.summary.mean, s) for s in report.segments if (d := s.difference(first.name))]
    top_rate, top = max(rates, key=lambda pair: pair[0])
    low_rate, low = min(rates, key=lambda pair: pair[0])
    title = f"{first.label}: {formats.percent(top_rate)} in {top.name}, {formats.percent(low_rate)} in {low.name}"
    caption = (
        "The upright tick is everyone. Outcomes took no part in forming the segments, so no difference is built in."
    )
    table = Table(
        ("Segment", *(v.label for v in chosen)),
        (
            *(
                (
                    tag(s),
                    *(formats.percent(d.summary.mean) if (d := s.difference(v.name)) else "–" for v in chosen),
                )
                for s in report.segments
            ),
            ("Everyone", *(formats.percent(report.everyone[v.name].mean) for v in chosen)),
        ),
    )
    height = (32 * len(report.segments) + 40) * len(chosen) + 40
    spec = faceted(chart, narrow_height=fold_rows([tag(s) for s in report.segments], 32))
    return make_figure("outcomes", title, caption, f"Bars of outcomes by segment. {title}.", spec, height, table)


def _draw_outcomes(report: Report, rows: list[dict[str, Any]], labels: list[str]) -> Any:
    """Draw one panel for each outcome, one bar for each segment, and everyone as a tick."""
    frame = pd.DataFrame(rows)
    order = [tag(s) for s in report.segments]
    y = alt.Y(field="segment", type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED))
    base_chart = alt.Chart(frame).encode(y=y)
    bars = base_chart.mark_bar(height=16, cornerRadiusEnd=2).encode(
        x=alt.X(
            field="share",
            type="quantitative",
            title="Share of the segment",
            axis=alt.Axis(format="%", tickCount=4),
        ),
        color=segment_colour(report, "segment"),
        tooltip=[tip("segment", "Segment"), tip("what", "Outcome"), tip("text", "Share")],
    )
    text = base_chart.mark_text(align="left", dx=5).encode(
        x=alt.X(field="end", type="quantitative"), text=alt.Text(field="text", type="nominal")
    )
    mark = base_chart.mark_tick(color=INK, thickness=2, size=24).encode(x=alt.X(field="base", type="quantitative"))
    chart = (
        alt.layer(bars, text, mark)
        .properties(width=WIDTH - 250, height=32 * len(report.segments))
        .facet(
            row=facet_rows("what", labels, alt.Header(labelOrient="top")),
            spacing=16,
        )
    )
    return chart


def rfm_grid(report: Report) -> Figure | None:
    """Chart the share of customers in each RFM cell; None without transactions."""
    if report.rfm is None:
        return None
    formats = report.formats()
    rows = []
    for c in report.rfm.cells:
        lines = c.name.rsplit(" ", 1) if len(c.name) > 11 else [c.name]
        lines += [] if c.share is None else [formats.percent(c.share)]
        rows.append(
            {
                "recency": c.recency,
                "frequency": c.frequency,
                "name": c.name,
                "share": c.share,
                "text": "not shown" if c.share is None else formats.percent(c.share),
                "cell": "\n".join(lines),
                "lines": len(lines),
            }
        )
    top = max((c for c in report.rfm.cells if c.share is not None), key=lambda c: c.share or 0)
    chart = _draw_cells(rows, top.share or 0)
    title = (
        f"The fullest cell is {top.name}, recency {top.recency} and frequency {top.frequency}: "
        f"{formats.percent(top.share or 0)} of {report.study.customers}"
    )
    absent = report.rfm.no_purchase
    outside = f" Customers without a purchase, {formats.percent(absent)}, are in none." if absent else ""
    veiled = any(c.share is None for c in report.rfm.cells)
    few = " Cells without a share hold too few customers, or would give away one that does." if veiled else ""
    table = Table(
        ("Recency", *(f"Frequency {f}" for f in range(1, 6))),
        tuple(
            (str(r), *(f"{x['name']}: {x['text']}" for x in rows if x["recency"] == r))
            for r in sorted({c.recency for c in report.rfm.cells}, reverse=True)
        ),
    )
    caption = (
        "Recency is days since the last purchase, frequency how often a customer bought, each cut into fifths of the "
        f"customers; ties score alike.{outside}{few}"
    )
    if not veiled:
        shares = [*(c.share or 0.0 for c in report.rfm.cells), absent or 0.0]
        caption = f"{caption} {formats.rounding_note(shares)}".strip()
    spec = single(chart, 330)
    return make_figure("rfm", title, caption, f"Grid of recency by frequency. {title}.", spec, 460, table)


def _draw_cells(rows: list[dict[str, Any]], most: float) -> Any:
    """Draw one cell for each fifth of recency and frequency, shaded by its share."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            field="frequency",
            type="ordinal",
            title="Frequency, in fifths (5: bought most often)",
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y(field="recency", type="ordinal", sort="descending", title="Recency, in fifths (5: most recent)"),
        tooltip=[tip("name", "Group"), tip("recency", "Recency"), tip("frequency", "Frequency"), tip("text", "Share")],
    )
    shade = alt.Color(
        field="share",
        type="quantitative",
        title="Share of customers",
        scale=alt.Scale(domain=[0, most], range=["#eef1f4", "#1f6fb2"]),
        legend=alt.Legend(format="%", gradientLength=220, titleLimit=400),
    )
    # Cells without a share have no colour of their own: the plain ones below show.
    plain, cells = base.mark_rect(cornerRadius=2, color="#dcdad4"), base.mark_rect(cornerRadius=2).encode(color=shade)
    size, up = alt.expr("width < 420 ? 8 : 12"), alt.expr("-(width < 420 ? 5 : 7) * (datum.lines - 1)")
    text = base.mark_text(fontSize=size, lineBreak="\n", dy=up, baseline="middle").encode(
        text=alt.Text(field="cell", type="nominal"),
        color=alt.condition(f"datum.share > {0.8 * most}", alt.value("#ffffff"), alt.value("#15191e")),
    )
    return alt.layer(plain, cells, text)


def expected_spend(report: Report) -> Figure | None:
    """Chart expected spending in the next year by segment, with intervals; None without transactions."""
    if report.expected is None:
        return None
    formats, expected = report.formats(), report.expected
    pairs = list(zip(report.segments, expected.segments, strict=True))
    named = [*((tag(s), e) for s, e in pairs), ("Everyone", expected.everyone)]
    rows = [
        {
            "segment": name,
            "value": e.value,
            "low": e.low,
            "high": e.high,
            "text": formats.value(e.value, "money"),
            "band": formats.interval(e.low, e.high, "money"),
        }
        for name, e in named
    ]
    chart = _draw_expected(report, rows)
    (best, most), (last, least) = (pick(pairs, key=lambda pair: pair[1].value) for pick in (max, min))
    title = (
        f"{best.name} are expected to spend {formats.value(most.value, 'money')} each in the next year, "
        f"{last.name} {formats.value(least.value, 'money')}"
    )
    caption = f"The thin line is the {formats.percent(expected.level)} interval of the segment's mean. " + (
        "It reaches as far as the models were off when they were tried on the past, and holds the chance of what "
        "customers do."
        if expected.tried
        else "It holds the uncertainty of the models' parameters alone: the history is too short to try the models "
        "on the past. What customers will do varies more."
    )
    table = Table(
        ("Segment", "Expected spend of a customer", f"{formats.percent(expected.level)} interval"),
        tuple((row["segment"], row["text"], row["band"]) for row in rows),
    )
    height = 32 * len(rows)
    return make_figure(
        "expected-spend",
        title,
        caption,
        f"Bars of expected spend by segment. {title}.",
        single(chart, height),
        height + 60,
        table,
    )


def back_test(report: Report) -> Figure | None:
    """Chart what the models expected of the past, and what came, by tenth of customers; None where not tried."""
    tried = report.expected.tried if report.expected else None
    if tried is None or not tried.tenths:
        return None
    formats = report.formats()
    rows = [
        {"tenth": i, "what": what, "spend": spend, "text": formats.value(spend, "money")}
        for i, pair in enumerate(tried.tenths, start=1)
        for what, spend in zip(PAST, pair, strict=True)
    ]
    foreseen, came = (formats.value(spend, "money") for spend in tried.everyone)
    title = f"{_say_past(report, tried)} ({came} a customer, expected {foreseen})"
    caption = (
        f"Fitted on the first half of the time, the models were asked for the {tried.weeks} weeks after it. Each pair "
        "is a tenth of the customers, from those of whom least was expected to those of whom most was."
    )
    cells = [(f"Tenth {i}", *pair) for i, pair in enumerate(tried.tenths, start=1)]
    cells.append(("Everyone", *tried.everyone))
    table = Table(
        ("Customers", *PAST), tuple((name, *(formats.value(x, "money") for x in pair)) for name, *pair in cells)
    )
    unit = report.study.currency or "currency units"
    colour = alt.Scale(domain=list(PAST), range=[EVERYONE, ACCENT])
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                field="tenth",
                type="ordinal",
                title="Tenth of customers, by what was expected",
                axis=alt.Axis(labelAngle=0),
            ),
            xOffset=alt.XOffset(field="what", type="nominal", sort=list(PAST)),
            y=alt.Y(field="spend", type="quantitative", title=f"A customer ({unit})", axis=alt.Axis(tickCount=4)),
            color=alt.Color(field="what", type="nominal", title=None, sort=list(PAST), scale=colour),
            tooltip=[tip("tenth", "Tenth"), tip("what", "What"), tip("text", "A customer")],
        )
    )
    return make_figure(
        "back-test",
        title,
        caption,
        f"Pairs of bars of expected and actual spend. {title}.",
        single(chart, 220),
        300,
        table,
    )


def _say_past(report: Report, tried: PastForecast) -> str:
    """Say how far from expected the spend was when the models were tried on the past."""
    foreseen, came = tried.everyone
    apart = came / foreseen - 1 if foreseen else 0.0
    if abs(apart) < NEAR:
        return "Tried on the past, the models were close"
    more = "more" if apart > 0 else "less"
    return f"Tried on the past, {report.formats().percent(abs(apart))} {more} was spent than expected"


def _draw_expected(report: Report, rows: list[dict[str, Any]]) -> Any:
    """Draw one bar for each segment and for everyone, with its interval."""
    order = [row["segment"] for row in rows]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="segment", type="nominal", sort=order, title=None),
        color=alt.Color(
            field="segment",
            type="nominal",
            legend=None,
            scale=alt.Scale(domain=order, range=[*(s.colour for s in report.segments), EVERYONE]),
        ),
        tooltip=[tip("segment", "Segment"), tip("text", "Expected"), tip("band", "Interval")],
    )
    unit = report.study.currency or "currency units"
    bars = base.mark_bar(height=16, cornerRadiusEnd=2).encode(
        x=alt.X(
            field="value",
            type="quantitative",
            title=f"A customer, next year ({unit})",
            axis=alt.Axis(tickCount=5),
            scale=alt.Scale(domainMin=0, domainMax=1.2 * max(row["high"] for row in rows)),
        )
    )
    ends = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"), color=alt.value(INK)
    )
    text = base.mark_text(align="left", dx=6).encode(
        x=alt.X(field="high", type="quantitative"), text=alt.Text(field="text", type="nominal"), color=alt.value(INK)
    )
    return alt.layer(bars, ends, text)


def concentration(report: Report) -> Figure | None:
    """Chart the cumulative share of value by share of customers; None without a value."""
    if report.concentration is None:
        return None
    formats, lorenz, label = report.formats(), report.concentration, in_sentence(report.value_label())
    curve = [(0.0, 0.0), *lorenz.curve]
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
        for i, x, y in lorenz.segments
    ]
    chart = _draw_concentration(report, rows, dots)
    people, value = min(lorenz.curve, key=lambda point: abs(point[0] - 0.2))
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
            *((formats.percent(x), formats.percent(y)) for x, y in lorenz.curve),
            *((f"{d['people']}: segments up to {d['segment']}", d["text"]) for d in dots),
        ),
    )
    spec = single(chart, 320)
    return make_figure("concentration", title, caption, f"Curve of concentration. {title}.", spec, 400, table)


def _draw_concentration(report: Report, rows: list[dict[str, Any]], dots: list[dict[str, Any]]) -> Any:
    """Draw the curve of customers, the line of equal value, and a letter for each segment."""
    label = in_sentence(report.value_label())
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
    point_layer = base.mark_point(color=INK, filled=True, size=30, opacity=1).encode(tooltip=shown)
    even = (
        alt.Chart(pd.DataFrame({"share": [0, 1], "value": [0, 1]}))
        .mark_line(color=EVERYONE, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x=x, y=y)
    )
    segment_points = alt.Chart(pd.DataFrame(dots)).encode(x=x, y=y)
    points = segment_points.mark_point(filled=True, size=420, opacity=1).encode(
        color=segment_colour(report, "segment"), tooltip=[tip("segment", "Up to and with"), *shown]
    )
    letters = segment_points.mark_text(fontWeight=700, fontSize=12, color="#ffffff").encode(
        text=alt.Text(field="letter", type="nominal")
    )
    return alt.layer(even, line, point_layer, points, letters)
