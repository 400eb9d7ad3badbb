"""Charts of what did not form the segments: outcomes, descriptors, categories."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import Formats, in_sentence, number
from analysis.pages.figures import (
    EVERYONE,
    FOLDED,
    INK,
    WIDTH,
    Figure,
    Table,
    faceted,
    make_figure,
    segment_colour,
    single,
    tag,
    tip,
)
from analysis.report.model import Report
from analysis.report.parts import CategoryProfile, Summary, Variable
from analysis.report.thresholds import CHANCE

MOST_MOSAICS = 5
"""Categories that are drawn by segment. Ours."""


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
                rows.append(
                    {
                        "segment": tag(s),
                        "what": v.label,
                        "share": d.summary.mean,
                        "base": base,
                        "text": formats.percent(d.summary.mean),
                    }
                )
    frame = pd.DataFrame(rows)
    base_chart = alt.Chart(frame).encode(
        y=alt.Y(field="segment", type="nominal", sort=[tag(s) for s in report.segments], title=None)
    )
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
        x=alt.X(field="share", type="quantitative"), text=alt.Text(field="text", type="nominal")
    )
    mark = base_chart.mark_tick(color=INK, thickness=2, size=24).encode(x=alt.X(field="base", type="quantitative"))
    chart = (
        alt.layer(bars, text, mark)
        .properties(width=WIDTH - 250, height=32 * len(report.segments))
        .facet(
            row=alt.Row(
                field="what",
                type="nominal",
                title=None,
                sort=[v.label for v in chosen],
                header=alt.Header(labelOrient="top"),
            ),
            spacing=16,
        )
    )
    first = chosen[0]
    rates = [(d.summary.mean, s) for s in report.segments if (d := s.difference(first.name))]
    top_rate, top = max(rates, key=lambda pair: pair[0])
    low_rate, low = min(rates, key=lambda pair: pair[0])
    title = f"{first.label}: {formats.percent(top_rate)} in {top.name}, {formats.percent(low_rate)} in {low.name}"
    caption = (
        "The upright tick is everyone. Outcomes took no part in forming the segments, so a difference here is news."
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
    return make_figure(
        "outcomes", title, caption, f"Bars of outcomes by segment. {title}.", faceted(chart), height, table
    )


def descriptors(report: Report) -> Figure | None:
    """Numeric descriptors: median and the middle 80 % by segment, each on its own axis."""
    formats = report.formats()
    chosen = [
        v
        for v in report.variables
        if v.role == "descriptor" and v.name in report.everyone and v.unit not in {"yes_no", "category"}
    ]
    chosen = sorted(chosen, key=lambda v: -_spread(report, v.name))[:6]
    if not chosen:
        return None
    rows = []
    for v in chosen:
        base = report.everyone[v.name]
        rows.append(_band_row("Everyone", v, base, formats))
        rows += [_band_row(tag(s), v, d.summary, formats) for s in report.segments if (d := s.difference(v.name))]
    order = ["Everyone", *(tag(s) for s in report.segments)]
    frame = pd.DataFrame(rows)
    colour = alt.Color(
        field="segment",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=order, range=[EVERYONE, *(s.colour for s in report.segments)]),
    )
    base_chart = alt.Chart(frame).encode(y=alt.Y(field="segment", type="nominal", sort=order, title=None), color=colour)
    bands = base_chart.mark_rule(strokeWidth=7, opacity=0.4, strokeCap="round").encode(
        x=alt.X(field="p10", type="quantitative", title=None, axis=alt.Axis(tickCount=5)),
        x2=alt.X2(field="p90"),
    )
    ticks = base_chart.mark_tick(thickness=3, size=18).encode(
        x=alt.X(field="median", type="quantitative"),
        tooltip=[
            tip("segment", "Segment"),
            tip("what", "Descriptor"),
            tip("text", "Median"),
            tip("band", "Middle 80 %"),
        ],
    )
    chart = (
        alt.layer(bands, ticks)
        .properties(width=WIDTH - 250, height=24 * len(order))
        .facet(
            row=alt.Row(
                field="what",
                type="nominal",
                title=None,
                sort=[_with_unit(v, report) for v in chosen],
                header=alt.Header(labelOrient="top"),
            ),
            spacing=16,
        )
        .resolve_scale(x="independent")
    )
    widest = next((v for v in chosen if v.name != report.study.value), chosen[0])
    ranked = sorted(
        ((d.summary.median, s) for s in report.segments if (d := s.difference(widest.name))),
        key=lambda pair: pair[0],
    )
    title = (
        f"{widest.label}: median {formats.value(ranked[-1][0], widest.unit)} in {ranked[-1][1].name}, "
        f"{formats.value(ranked[0][0], widest.unit)} in {ranked[0][1].name}"
    )
    table = Table(
        ("Segment", *(f"{v.label}, median" for v in chosen)),
        tuple((row, *(formats.value(_summary(report, row, v.name).median, v.unit) for v in chosen)) for row in order),
    )
    caption = "Tick: the median; bar: the middle 80 % of the group. Descriptors took no part in forming the segments."
    height = (24 * len(order) + 52) * len(chosen) + 20
    return make_figure(
        "descriptors",
        title,
        caption,
        f"Bands of descriptors by segment. {title}.",
        faceted(chart),
        height,
        table,
    )


def mosaic(report: Report, index: int) -> Figure:
    """Levels of a category by segment: areas as large as their customers, shaded by Pearson residual."""
    formats, found = report.formats(), mosaics(report)[index]
    variable = report.variable(found.variable)
    label = variable.label
    pairs = list(zip(report.segments, found.segments, found.lifts, found.residuals, strict=True))
    rows, names, top = [], [], 0.0
    for s, shares, lifts, residuals in pairs:
        across = 0.0
        names.append({"segment": tag(s), "letter": s.letter, "middle": round(top + s.share / 2, 4)})
        for level, share, lift, residual in zip(found.levels, shares, lifts, residuals, strict=True):
            rows.append(
                {
                    "segment": tag(s),
                    "level": level,
                    "left": round(across, 4),
                    "right": round(across + share, 4),
                    "top": round(top, 4),
                    "bottom": round(top + s.share, 4),
                    "across": round(across + share / 2, 4),
                    "middle": round(top + s.share / 2, 4),
                    "residual": round(residual, 2),
                    "text": formats.percent(share),
                    "lift": formats.plain(round(lift, 2)),
                    "far": number(residual, 1, "+"),
                }
            )
            across += share
        top += s.share
    x = alt.X(
        field="left",
        type="quantitative",
        title="Share of the segment",
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], grid=False, domain=False),
        scale=alt.Scale(domainMin=alt.expr("width < 420 ? -0.08 : -0.3"), domainMax=1, nice=False),
    )
    y = alt.Y(
        field="top",
        type="quantitative",
        axis=None,
        scale=alt.Scale(domain=[0, round(top, 4)], reverse=True, nice=False),
    )
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y)
    tiles = base.mark_rect(stroke="var(--paper)", strokeWidth=2).encode(
        x=x,
        x2=alt.X2(field="right"),
        y2=alt.Y2(field="bottom"),
        color=alt.Color(
            field="residual",
            type="quantitative",
            title="Pearson residual",
            scale=alt.Scale(
                type="threshold",
                domain=[-4, -2, 2, 4],
                range=["#b2590f", "#dfb083", "#e9e9e6", "#90bbdf", "#1f6fb2"],
            ),
            legend=alt.Legend(gradientLength=220, titleLimit=400),
        ),
        tooltip=[
            tip("segment", "Segment"),
            tip("level", label),
            tip("text", "Share"),
            tip("lift", "Lift"),
            tip("far", "Residual"),
        ],
    )
    room = "(datum.right - datum.left) * width / 1.3"
    words = base.mark_text(
        baseline="middle", fontSize=12, limit=alt.expr(f"max(1, {room} - 6)"), opacity=alt.expr(f"{room} > 34 ? 1 : 0")
    )
    words = words.encode(
        x=alt.X(field="across", type="quantitative"),
        y=alt.Y(field="middle", type="quantitative"),
        text=alt.Text(field="level", type="nominal"),
        color=alt.condition("abs(datum.residual) > 4", alt.value("#ffffff"), alt.value("#15191e")),
    )
    sides = (
        alt.Chart(pd.DataFrame(names))
        .mark_text(
            align="right",
            dx=-8,
            color=INK,
            limit=alt.expr("0.22 * width"),
            text=alt.expr("width < 420 ? datum.letter : datum.segment"),
        )
        .encode(
            x=alt.datum(0, type="quantitative"),
            y=alt.Y(field="middle", type="quantitative"),
        )
    )
    tested = any(c.variable == found.variable and c.p is not None for c in report.contrasts)
    cells = [
        (abs(residual), s, level, share, everyone)
        for s, shares, _, residuals in pairs
        for residual, level, share, everyone in zip(residuals, found.levels, shares, found.everyone, strict=True)
        if level == "Yes" or "Yes" not in found.levels
    ]
    _, segment, level, share, everyone = max(cells, key=lambda cell: cell[0])
    title = f"{label}: {level} for {formats.percent(share)} of {segment.name}, {formats.percent(everyone)} of everyone"
    table = Table(
        (
            label,
            "Everyone",
            *(heading for s in report.segments for heading in (tag(s), f"{s.letter}, lift and residual")),
        ),
        tuple(
            (
                level,
                formats.percent(found.everyone[i]),
                *(
                    text
                    for _, shares, lifts, residuals in pairs
                    for text in (
                        formats.percent(shares[i]),
                        f"{formats.plain(round(lifts[i], 2))} and {number(residuals[i], 1, '+')}",
                    )
                ),
            )
            for i, level in enumerate(found.levels)
        ),
    )
    caption = (
        "A row is as high as its segment is large, a tile as wide as its share. Blue: more than if segments did not "
        "matter, brown: fewer; pale from 2 and full from 4 standard deviations (Pearson residual). Levels that are "
        f"rare in a segment are merged{' with their neighbours' if variable.order else ''}."
        f"{f' {label} formed no segment.' if tested else ''}"
    )
    caption = f"{caption} {formats.rounding_note(found.everyone, *found.segments)}".strip()
    return make_figure(
        f"mix-{index + 1}",
        title,
        caption,
        f"Mosaic of {label} by segment. {title}.",
        single(alt.layer(tiles, words, sides), 300),
        400,
        table,
    )


def mosaics(report: Report) -> list[CategoryProfile]:
    """The categories that differ most between the segments, then those that formed them."""
    order = [contrast.variable for contrast in report.contrasts]
    found = [c for c in report.categories if c.variable in order]
    found.sort(key=lambda c: order.index(c.variable))
    return [*found, *(c for c in report.categories if c.variable not in order)][:MOST_MOSAICS]


def rfm_grid(report: Report) -> Figure | None:
    """Share of customers in each cell of recency by frequency, with its name. None without transactions."""
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
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            field="frequency",
            type="ordinal",
            title="Frequency, in fifths (5: bought most often)",
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y(field="recency", type="ordinal", sort="descending", title="Recency, in fifths (5: bought most lately)"),
        tooltip=[tip("name", "Group"), tip("recency", "Recency"), tip("frequency", "Frequency"), tip("text", "Share")],
    )
    shade = alt.Color(
        field="share",
        type="quantitative",
        title="Share of customers",
        scale=alt.Scale(domain=[0, top.share], range=["#eef1f4", "#1f6fb2"]),
        legend=alt.Legend(format="%", gradientLength=220, titleLimit=400),
    )
    # Cells without a share have no colour of their own: the plain ones below show.
    plain, cells = base.mark_rect(cornerRadius=2, color="#dcdad4"), base.mark_rect(cornerRadius=2).encode(color=shade)
    size, up = alt.expr("width < 420 ? 8 : 12"), alt.expr("-(width < 420 ? 5 : 7) * (datum.lines - 1)")
    text = base.mark_text(fontSize=size, lineBreak="\n", dy=up, baseline="middle").encode(
        text=alt.Text(field="cell", type="nominal"),
        color=alt.condition(f"datum.share > {0.8 * (top.share or 0)}", alt.value("#ffffff"), alt.value("#15191e")),
    )
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
    spec = single(alt.layer(plain, cells, text), 330)
    return make_figure("rfm", title, caption, f"Grid of recency by frequency. {title}.", spec, 460, table)


def expected_spend(report: Report) -> Figure | None:
    """Expected spend of a customer in the next year, by segment, with its interval. None without transactions."""
    if report.expected is None:
        return None
    formats, found = report.formats(), report.expected
    pairs = list(zip(report.segments, found.segments, strict=True))
    named = [*((tag(s), e) for s, e in pairs), ("Everyone", found.everyone)]
    order = [name for name, _ in named]
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
            scale=alt.Scale(domainMin=0, domainMax=1.2 * max(e.high for _, e in named)),
        )
    )
    ends = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"), color=alt.value(INK)
    )
    text = base.mark_text(align="left", dx=6).encode(
        x=alt.X(field="high", type="quantitative"), text=alt.Text(field="text", type="nominal"), color=alt.value(INK)
    )
    (best, most), (last, least) = (pick(pairs, key=lambda pair: pair[1].value) for pick in (max, min))
    title = (
        f"{best.name} are expected to spend {formats.value(most.value, 'money')} each in the next year, "
        f"{last.name} {formats.value(least.value, 'money')}"
    )
    caption = (
        f"The thin line is the {formats.percent(found.level)} interval of the segment's mean, from the uncertainty of "
        "the models' parameters; what a single customer will do varies far more."
    )
    table = Table(
        ("Segment", "Expected spend of a customer", f"{formats.percent(found.level)} interval"),
        tuple((row["segment"], row["text"], row["band"]) for row in rows),
    )
    height = 32 * len(order)
    return make_figure(
        "expected-spend",
        title,
        caption,
        f"Bars of expected spend by segment. {title}.",
        single(alt.layer(bars, ends, text), height),
        height + 60,
        table,
    )


def proof(report: Report, index: int) -> Figure:
    """How well segments, simpler groupings and a random split predict one target; dots with intervals."""
    formats, target = report.formats(), report.proof.targets[index]
    name, unit = ("AUC", "probability") if target.kind == "auc" else ("R²", "share of the variance")
    chance, level = CHANCE[target.kind], formats.percent(report.proof.level)
    rows = [
        {
            "grouping": s.label if s.n_groups is None else f"{s.label} ({s.n_groups})",
            "name": s.name,
            "value": round(s.score.value, 3),
            "low": round(s.score.low, 3),
            "high": round(s.score.high, 3),
            "text": formats.score(s.score.value),
            "band": f"{formats.score(s.score.low)} to {formats.score(s.score.high)}",
        }
        for s in target.scores
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="grouping",
            type="nominal",
            sort=[row["grouping"] for row in rows],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        ),
        color=alt.Color(
            field="name",
            type="nominal",
            legend=None,
            scale=alt.Scale(
                domain=[s.name for s in target.scores],
                range=[{"segments": "var(--accent)", "random": EVERYONE}.get(s.name, INK) for s in target.scores],
            ),
        ),
        tooltip=[tip("grouping", "Grouping (groups)"), tip("text", name), tip("band", f"{level} interval")],
    )
    ends = [chance, *(s.score.low for s in target.scores), *(s.score.high for s in target.scores)]
    low, span = min(ends), max(ends) - min(ends)
    x = alt.X(
        field="value",
        type="quantitative",
        title=f"{name}, {unit}",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(domain=[low - 0.04 * span, max(ends) + 0.3 * span], nice=False, zero=False),
    )
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high"))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=x)
    text = base.mark_text(align="left", dx=6).encode(
        x=alt.X(field="high", type="quantitative"), text=alt.Text(field="text", type="nominal"), color=alt.value(INK)
    )
    mark = (
        alt.Chart(pd.DataFrame({"x": [chance]}))
        .mark_rule(strokeDash=[4, 3], color=INK)
        .encode(x=alt.X(field="x", type="quantitative"))
    )
    rival = next((s for s in target.scores if s.label == target.rival), target.scores[-1])
    title = (
        f"{target.label}: {name} {formats.score(target.scores[0].score.value)} by segments, "
        f"{formats.score(rival.score.value)} by {in_sentence(rival.label)}"
    )
    caption = (
        f"Dot: the score on customers held out; line: its {level} interval; dashed: chance. In brackets the number of "
        "groups."
    )
    table = Table(
        ("Grouping", name, f"{level} interval", "Segments less this", f"{level} interval of that"),
        tuple(
            (
                row["grouping"],
                row["text"],
                row["band"],
                formats.score(s.lead.value) if s.lead else "–",
                f"{formats.score(s.lead.low)} to {formats.score(s.lead.high)}" if s.lead else "–",
            )
            for row, s in zip(rows, target.scores, strict=True)
        ),
    )
    height = 34 * len(rows)
    spec = single(alt.layer(mark, lines, dots, text), height)
    return make_figure(f"proof-{index + 1}", title, caption, f"Dots with intervals. {title}.", spec, height + 70, table)


def _with_unit(variable: Variable, report: Report) -> str:
    unit = {"money": report.study.currency or "currency units", "days": "days", "years": "years"}.get(variable.unit)
    return f"{variable.label} ({unit})" if unit and unit.split()[0] not in variable.label.lower() else variable.label


def _band_row(name: str, variable: Variable, summary: Summary, formats: Formats) -> dict[str, Any]:
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
    segment = next(s for s in report.segments if tag(s) == row)
    found = segment.difference(variable)
    assert found is not None
    return found.summary
