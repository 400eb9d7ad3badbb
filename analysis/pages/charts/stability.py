"""Charts of the stability and separation of segments."""

from __future__ import annotations

from itertools import accumulate, pairwise, takewhile
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_words, number, percentage, significant
from analysis.pages.figures import (
    FOLDED,
    WIDTH,
    Figure,
    Table,
    facet_rows,
    faceted,
    make_figure,
    segment_colour,
    short_number,
    single,
    tag,
    tip,
)
from analysis.report.model import Report
from analysis.report.parts import Level
from analysis.report.thresholds import VALID

THIN = 0.01
"""Share of customers from which a ribbon of the flow chart is drawn."""
ROOM = 0.085
"""Share of customers from which a block of the flow chart has room for its label."""

_GAP = 0.012


def segment_stability(report: Report) -> Figure:
    """Chart the stability of each segment over resamples."""
    rows = [{"segment": tag(s), "slsw": s.slsw, "text": number(s.slsw, 2), "reading": s.band} for s in report.segments]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="segment",
            type="nominal",
            sort=[tag(s) for s in report.segments],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        ),
        x=alt.X(
            field="slsw",
            type="quantitative",
            title="Mean Jaccard similarity over resamples",
            scale=alt.Scale(domain=[0, 1.12]),
            axis=alt.Axis(values=[0, 0.5, VALID, 1], format=".2f"),
        ),
    )
    bars = base.mark_bar(height=18, cornerRadiusEnd=2).encode(
        color=segment_colour(report, "segment"),
        tooltip=[tip("segment", "Segment"), tip("text", "Stability"), tip("reading", "Reading")],
    )
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    line = (
        alt.Chart(pd.DataFrame({"x": [VALID]}))
        .mark_rule(strokeDash=[4, 3])
        .encode(x=alt.X(field="x", type="quantitative"))
    )
    least = min(report.segments, key=lambda s: s.slsw)
    title = (
        f"Even the least stable segment, {least.name}, comes back at {number(least.slsw, 2)}"
        if least.slsw >= VALID
        else f"{least.name} does not come back reliably ({number(least.slsw, 2)})"
    )
    caption = (
        "In each resample the most similar segment is found; 1 = exactly the same customers. Dashed: "
        f"{significant(VALID)}, from which Hennig calls a segment valid."
    )
    height = 34 * len(rows)
    table = Table(
        ("Segment", "Stability", "Reading"),
        tuple((tag(s), number(s.slsw, 3), s.band) for s in report.segments),
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


def sharpness(report: Report) -> Figure:
    """Chart mean silhouette and mean shadow value by segment."""
    measures = ("Silhouette: long is sharp", "Shadow value: short is sharp")
    rows = [
        {"measure": measure, "segment": tag(s), "value": round(value, 3), "text": number(value, 2)}
        for s in report.segments
        for measure, value in zip(measures, (s.silhouette, s.shadow), strict=True)
    ]
    order = [tag(s) for s in report.segments]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="segment", type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED)),
        x=alt.X(
            field="value",
            type="quantitative",
            title=None,
            axis=alt.Axis(values=[0, 0.5, 1], format=".2f"),
            scale=alt.Scale(domain=[min(0.0, *(s.silhouette for s in report.segments)), 1.12], nice=False),
        ),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(
        color=segment_colour(report, "segment"), tooltip=[tip("segment", "Segment"), tip("text", "Value")]
    )
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    inner = 30 * len(order)
    chart = alt.layer(bars, text).properties(width=WIDTH - 180, height=inner)
    chart = chart.facet(row=facet_rows("measure", list(measures)), spacing=18)
    sharp = min(report.segments, key=lambda s: s.shadow)
    soft = max(report.segments, key=lambda s: s.shadow)
    title = (
        f"The border is sharpest around {sharp.name}, softest around {soft.name}"
        if sharp is not soft
        else f"Shadow value of {sharp.name}: {number(sharp.shadow, 2)}"
    )
    caption = (
        f"These are means{report.core_note()}. "
        "Silhouette: 1 = far from every other segment, 0 = on a border, below 0 = nearer to another one. Shadow value: "
        "0 = at the segment's own centre, 1 = half-way to the next. Both run towards softer borders as features are "
        "added, so compare segments with each other, not with another study."
    )
    table = Table(
        ("Segment", "Mean silhouette", "Mean shadow value"),
        tuple((tag(s), number(s.silhouette, 3), number(s.shadow, 3)) for s in report.segments),
    )
    height = 2 * inner + 130
    text_alt = f"Two groups of bars by segment. {title}."
    return make_figure("sharpness", title, caption, text_alt, faceted(chart, 175), height, table)


def gorge(report: Report) -> Figure:
    """Chart a histogram of similarity to each segment (gorge plot)."""
    formats = report.formats()
    histograms = list(zip(report.segments, report.evidence.gorge, strict=True))
    bins = [(s, *b) for s, g in histograms for b in zip(g.edges, g.edges[1:], g.shares, strict=False)]
    rows = [{"segment": tag(s), "low": low, "high": high, "share": round(share, 3)} for s, low, high, share in bins]
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(stroke="var(--paper)", strokeWidth=0.5)
        .encode(
            x=alt.X(
                field="low",
                type="quantitative",
                title="Similarity to the segment",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(grid=False, values=[0, 0.25, 0.5, 0.75, 1], format=".2f"),
            ),
            x2=alt.X2(field="high"),
            y=alt.Y(field="share", type="quantitative", title=None, axis=None),
            y2=alt.Y2(datum=0),
            color=segment_colour(report, "segment"),
            tooltip=[tip("segment", "Segment"), tip("low", "From"), tip("high", "To")],
        )
        .properties(width=WIDTH - 60, height=74)
    )
    chart = bars.facet(row=facet_rows("segment", [tag(s) for s, _ in histograms]), spacing=12)
    chart = chart.resolve_scale(y="independent")
    sharp = min(report.segments, key=lambda s: s.shadow)
    title = f"Customers fall most clearly inside or outside of {sharp.name}"
    caption = (
        "Each row holds all customers, from those unlike the segment (left) to those at its heart (right). A valley "
        "between two hills = the segment stands apart; one slope without a valley = it shades into its neighbours. "
        f"Each row has its own height; bars are rounded to multiples of {report.study.min_cell} customers."
    )
    table = Table(
        ("Segment", "Similarity from", "to", "Share of customers"),
        tuple((tag(s), number(low, 2), number(high, 2), formats.percent(share)) for s, low, high, share in bins),
    )
    text = f"Histograms of similarity, one a segment. {title}."
    return make_figure("gorge", title, caption, text, faceted(chart, 290), 114 * len(histograms) + 40, table)


def flow(report: Report) -> Figure | None:
    """Chart the origin of segments as their number grows; None without two comparable solutions."""
    levels = _told_levels(report)
    k = report.decision.k
    published = next((level for level in levels if level.k == k), None)
    if len(levels) < 2:
        return None
    title = "Where customers go as segments are added"
    if published and published.origins:
        ranked = sorted(zip(published.stability, published.segments, strict=True))
        (low, mixed), (high, same) = ranked[0], ranked[-1]
        names = {s.id: s.name for s in report.segments}
        title = (
            f"{names[same]} comes most from a single one of {in_words(k - 1)} segments ({number(high, 2)}), "
            f"{names[mixed]} least ({number(low, 2)})"
            if high - low >= 0.01
            else f"Every segment comes from those of {in_words(k - 1)} in the same way ({number(high, 2)})"
        )
    caption = (
        "A row a number of segments, a block a segment, as wide as its share of customers; ribbons lead to where its "
        f"customers are with one segment more. Coloured: published. Number in a block: 1 = from one segment, 0 = from "
        f"all alike. Ribbons of under {percentage(THIN)} of customers are not drawn."
    )
    labels = {
        (x.k, j): short_number(s) for x in levels if x.origins for j, s in zip(x.segments, x.stability, strict=True)
    }
    return _flow_figure(report, "flow", title, caption, levels, labels)


def neighbours(report: Report) -> Figure | None:
    """Chart the published segments and the solutions with one fewer and one more; None without them."""
    k = report.decision.k
    levels = [level for level in _told_levels(report) if abs(level.k - k) <= 1]
    if len(levels) < 2 or k not in {level.k for level in levels}:
        return None
    others = [in_words(level.k) for level in levels if level.k != k]
    title = f"The {in_words(k)} segments beside {' and '.join(others)}"
    caption = (
        "Each row is everyone, split into that many segments of these shares; ribbons join the same customers. The "
        "coloured row is published."
    )
    percent = report.formats().percent
    labels = {(x.k, j): percent(share) for x in levels for j, share in zip(x.segments, x.shares, strict=True)}
    return _flow_figure(report, "neighbours", title, caption, levels, labels)


def _told_levels(report: Report) -> list[Level]:
    """The chain up to the first solution with a segment too small to be published."""
    least = report.study.min_cell / report.study.n_customers
    return list(takewhile(lambda level: min(level.shares) >= least, report.evidence.slsa))


def _flow_figure(
    report: Report, id: str, title: str, caption: str, levels: list[Level], labels: dict[tuple[int, int], str]
) -> Figure:
    """A flow chart of some levels, with a label a block by (k, segment)."""
    k, letters = report.decision.k, {s.id: s.letter for s in report.segments}
    starts = [_starts(level) for level in levels]
    blocks, ribbons = [], []
    for level, at in zip(levels, starts, strict=True):
        for segment, x, share in zip(level.segments, at, level.shares, strict=True):
            letter = letters[segment] if level.k == k else ""
            text = f"{letter} {labels.get((level.k, segment), '')}".strip() if share >= ROOM else letter
            ends = {"low": round(x, 3), "high": round(x + share, 3)}
            blocks.append({"k": level.k, **ends, "letter": letter, "text": text})
    for (before, left), (after, right) in pairwise(zip(levels, starts, strict=True)):
        ribbons += _ribbons(before, left, after, right, letters, k)
    ribbons = [{**row, "edge": i // 2} for i, row in enumerate(ribbons)]
    y = alt.Y(
        field="k",
        type="quantitative",
        title="Number of segments",
        scale=alt.Scale(domain=[levels[0].k - 0.3, levels[-1].k + 0.3], reverse=True, nice=False, zero=False),
        axis=alt.Axis(values=[level.k for level in levels], format="d", grid=False),
    )
    x = alt.X(field="low", type="quantitative", axis=None, scale=alt.Scale(nice=False, zero=False))
    colour = alt.Color(
        field="letter",
        type="nominal",
        legend=None,
        scale=alt.Scale(
            domain=["", *letters.values()], range=["var(--rule-strong)", *(s.colour for s in report.segments)]
        ),
    )
    areas = [
        alt.Chart(pd.DataFrame(rows))
        .mark_area(orient="horizontal", opacity=0.35)
        .encode(y=y, x=x, x2=alt.X2(field="high"), detail=alt.Detail(field="edge", type="nominal"), color=shade)
        for rows, shade in (
            ([row for row in ribbons if "letter" not in row], alt.value("var(--rule-strong)")),
            ([row for row in ribbons if "letter" in row], colour),
        )
        if rows
    ]
    base = alt.Chart(pd.DataFrame(blocks)).encode(y=y, x=x)
    bars = base.mark_bar(height=22, cornerRadius=2).encode(x2=alt.X2(field="high"), color=colour)
    words = base.mark_text(align="left", dx=3, fontWeight=600, fontSize=11).encode(
        text=alt.Text(field="text", type="nominal"),
        color=alt.condition("datum.letter == ''", alt.value("var(--ink)"), alt.value("#ffffff")),
    )
    height = 58 * (len(levels) - 1) + 40
    table = Table(
        ("Segment", "Customers", "Stability", "Came from"),
        tuple(
            row
            for before, level in zip([None, *levels], levels, strict=False)
            for row in _flow_rows(report, before, level)
        ),
    )
    spec = single(alt.layer(*areas, bars, words), height)
    return make_figure(id, title, caption, f"Flow chart of segments. {title}.", spec, height + 30, table)


def _starts(level: Level) -> list[float]:
    """Left ends of the blocks of a level, centred."""
    widths = [share + _GAP for share in level.shares]
    left = (1 - sum(widths) + _GAP) / 2
    return [left + x for x in accumulate(widths[:-1], initial=0.0)]


def _ribbons(
    before: Level, left: list[float], after: Level, right: list[float], letters: dict[int, str], k: int
) -> list[dict[str, Any]]:
    """Upper and lower end of the ribbons between two levels; one at the published level has its segment's letter."""
    ribbons: list[dict[str, Any]] = []
    used = list(left)
    # Shares are rounded and leave out a few customers, so that more may seem to leave a block than it holds.
    leaving = [
        sum(share * parts[i] for share, parts in zip(after.shares, after.origins, strict=True)) for i in range(before.k)
    ]
    fits = [
        min(1.0, fraction / total) if total else 1.0 for fraction, total in zip(before.shares, leaving, strict=True)
    ]
    for segment, at, share, origins in zip(after.segments, right, after.shares, after.origins, strict=True):
        for i, part in enumerate(origins):
            width = share * part
            if width >= THIN:
                touches = before.segments[i] if before.k == k else segment if after.k == k else 0
                same = {"letter": letters[touches]} if touches else {}
                ends = ((before.k + 0.2, used[i], width * fits[i]), (after.k - 0.2, at, width))
                ribbons += [{"k": y, "low": round(x, 3), "high": round(x + w, 3), **same} for y, x, w in ends]
            used[i] += width * fits[i]
            at += width
    return ribbons


def _flow_rows(report: Report, before: Level | None, level: Level) -> list[tuple[str, ...]]:
    formats, names = report.formats(), {s.id: tag(s) for s in report.segments}

    def called(k: int, segment: int) -> str:
        return names[segment] if k == report.decision.k else f"{segment} of {k}"

    rows: list[tuple[str, ...]] = []
    for i, segment in enumerate(level.segments):
        origins = sorted(zip(level.origins[i], before.segments, strict=True), reverse=True) if before else []
        came = ", ".join(f"{formats.percent(part)} {called(level.k - 1, j)}" for part, j in origins if part)
        stability = number(level.stability[i], 2) if level.origins else "–"
        rows.append((called(level.k, segment), formats.percent(level.shares[i]), stability, came or "–"))
    return rows
