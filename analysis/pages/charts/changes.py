"""Charts of changes since an earlier run: sizes, movements and drift."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_words, joined, number, significant
from analysis.pages.figures import FOLDED, Figure, Table, make_figure, single, tag, tip
from analysis.pages.text.changes import about_n, drifts, most_moved, segment_now, sizes, tag_of
from analysis.report.model import Report
from analysis.report.parts import Change, Flow
from analysis.report.thresholds import ANOTHER, MOVED

MOST_DRAWN = 14
"""Variables whose drift is drawn; all are in the table. Chosen for this project."""


LEFT, NONE, JOINED = "No longer in the data", "In no segment", "Not in the data then"


def draw(report: Report) -> list[Figure]:
    """Draw the charts of the page; none for a first run."""
    change = report.change
    if change is None:
        return []
    figures = [_draw_sizes(report, change)] if any(c.kind == "kept" for c in change.segments) else []
    figures += [_draw_flows(report, change)] if change.flows else []
    return figures + ([_draw_drift(report, change)] if change.drift else [])


def _draw_sizes(report: Report, change: Change) -> Figure:
    f = report.formats()
    order, rows = [], []
    for c in change.segments:
        segment = None if c.now is None else segment_now(report, c)
        name, colour = (tag(segment), segment.colour) if segment else (tag_of(c.then), c.then.colour if c.then else "")
        order.append(name)
        for when, share in (("then", c.share_then), ("now", segment.share if segment else None)):
            if share is not None:
                rows.append(
                    {"segment": name, "when": when, "share": round(share, 4), "text": f.percent(share), "of": colour}
                )
    frame = pd.DataFrame(rows)
    y = alt.Y(field="segment", type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED))
    x = alt.X(
        field="share",
        type="quantitative",
        title=f"Share of {report.study.customers}",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(format="%", tickCount=5),
    )
    colours = {str(row["segment"]): str(row["of"]) for row in rows}
    colour = alt.Color(
        field="segment",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
    )
    base = alt.Chart(frame).encode(y=y)
    lines = base.mark_line(strokeWidth=3, opacity=0.5).encode(
        x=x, color=colour, detail=alt.Detail(field="segment", type="nominal")
    )
    shape = alt.Shape(
        field="when",
        type="nominal",
        title=None,
        scale=alt.Scale(domain=["then", "now"], range=["circle", "diamond"]),
    )
    fill = alt.condition("datum.when == 'then'", alt.value("var(--paper)"), alt.value("transparent"))
    points = base.mark_point(size=130, strokeWidth=2, filled=False).encode(
        x=x,
        color=colour,
        shape=shape,
        fill=fill,
        tooltip=[tip("segment", "Segment"), tip("when", "When"), tip("text", "Share")],
    )
    summary = most_moved(report, [c for c in change.segments if c.kind == "kept"])
    title = summary[:1].upper() + summary[1:]
    caption = (
        f"Circle: then, diamond: now. A segment with a circle alone has ended, one with a diamond alone is new. "
        f"Sizes of then are rounded to multiples of {report.study.min_cell} {report.study.customers}."
    )
    height = 36 * len(order)
    spec = single(alt.layer(lines, points), height)
    return make_figure(
        "changes-sizes", title, caption, f"Shares then and now. {title}.", spec, height + 70, sizes(report)
    )


def _draw_flows(report: Report, change: Change) -> Figure:
    """One bar a segment of then, in parts by where its customers are now."""
    f = report.formats()
    places = {s.id: tag(s) for s in report.segments} | {0: NONE, -1: LEFT}
    colours = {tag(s): s.colour for s in report.segments} | {NONE: "var(--rule-strong)", LEFT: "var(--rule)"}
    rows = [
        {
            "origin": _origin(flow),
            "to": places[to],
            "share": share,
            "text": f.percent(share),
            "rank": list(places).index(to),
            "shown": f.percent(share) if share >= 0.12 else "",
        }
        for flow in change.flows
        for to, share in flow.to
    ]
    used = [name for name in colours if name in {row["to"] for row in rows}]
    order = [_origin(flow) for flow in change.flows]
    bars = _draw_destinations(rows, order, {name: colours[name] for name in used})
    title = _say_who_stayed(report, change)
    caption = (
        f"A bar is a segment then, its parts say where the same {report.study.customers} are now; the last bar holds "
        f"those who are new. Counts are rounded to multiples of {report.study.min_cell}, and what is under "
        f"{report.study.min_cell} is left out, so parts are not exact."
    )
    table = Table(
        ("Then", f"{report.study.customers.capitalize()}, about", "Now"),
        tuple(
            (
                _origin(flow),
                about_n(flow.n),
                ", ".join(f"{places[to]} {f.percent(share)}" for to, share in sorted(flow.to, key=lambda x: -x[1])),
            )
            for flow in change.flows
        ),
    )
    height = 34 * len(order)
    spec = single(bars, height)
    return make_figure("changes-flows", title, caption, f"Bars in parts. {title}.", spec, height + 130, table)


def _draw_destinations(rows: list[dict[str, Any]], order: list[str], colours: dict[str, str]) -> Any:
    """Draw one bar for each origin, in parts by where its customers are now."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(field="origin", type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED)),
        x=alt.X(
            field="share",
            type="quantitative",
            stack="zero",
            title="Where they are now",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5),
        ),
        order=alt.Order(field="rank", type="quantitative"),
    )
    return base.mark_bar(height=22, stroke="var(--paper)", strokeWidth=1).encode(
        color=alt.Color(
            field="to",
            type="nominal",
            title=None,
            scale=alt.Scale(domain=list(colours), range=list(colours.values())),
            legend=alt.Legend(title=None, columns=2, labelLimit=300, symbolOpacity=1),
        ),
        tooltip=[tip("origin", "Then"), tip("to", "Now"), tip("text", "Share")],
    )


def _say_who_stayed(report: Report, change: Change) -> str:
    """Say how many segments go on, and which of these kept the smallest part of its customers."""
    continued = {c.then.slug: c.now for c in change.segments if c.then and c.now}
    stayed = {
        flow.then.slug: dict(flow.to).get(continued[flow.then.slug] or 0, 0.0)
        for flow in change.flows
        if flow.then and flow.then.slug in continued
    }
    names = {c.then.slug: segment_now(report, c).name for c in change.segments if c.then and c.now}
    least = min(stayed, key=lambda slug: stayed[slug], default="")
    if not least:
        return "No segment of then goes on"
    share, k = report.formats().percent(stayed[least]), change.before.k
    if len(stayed) == k:
        whole = "The one segment goes on" if k == 1 else f"All {in_words(k)} segments go on"
    else:
        whole = (
            f"{in_words(len(stayed)).capitalize()} of {in_words(k)} segments {'goes' if len(stayed) == 1 else 'go'} on"
        )
    if len(stayed) == 1:
        return f"{whole}; {names[least]} kept {share} of its customers"
    return f"{whole}; of these, {names[least]} kept the smallest part of its customers, {share}"


def _draw_drift(report: Report, change: Change) -> Figure:
    shown = change.drift[:MOST_DRAWN]
    rows = [
        {"variable": d.label, "psi": round(d.psi, 3), "text": number(d.psi, 3), "reading": d.reading} for d in shown
    ]
    top = max([0.3, *(d.psi * 1.15 for d in shown)])
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="variable",
            type="nominal",
            sort=[str(row["variable"]) for row in rows],
            title=None,
        ),
        x=alt.X(
            field="psi",
            type="quantitative",
            title="Population stability index (PSI)",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=alt.Axis(values=[0, MOVED, ANOTHER], format=".2f"),
        ),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(
        tooltip=[tip("variable", "Variable"), tip("text", "PSI"), tip("reading", "Reading")]
    )
    words = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    moved = [d for d in change.drift if d.psi >= MOVED]
    if not moved:
        title = "Everyone as a whole is as before: no variable's distribution has moved"
    else:
        named = joined([d.label for d in moved[:3]]) if len(moved) <= 3 else f"{moved[0].label} most of all"
        n = "One variable" if len(moved) == 1 else f"{in_words(len(moved)).capitalize()} variables"
        title = f"{n} of {len(change.drift)} moved: {named}"
    caption = (
        f"{report.study.customers.capitalize()} now in the tenths of then. "
        f"Under {significant(MOVED)}: as before; up to {significant(ANOTHER)}: "
        "moved, worth a look; above: another distribution, so segments of then may not fit today."
        + (f" The {len(shown)} that moved most; all are in the table." if len(shown) < len(change.drift) else "")
    )
    height = 24 * len(rows)
    spec = single(alt.layer(bars, words), height)
    return make_figure(
        "changes-drift", title, caption, f"Bars of PSI by variable. {title}.", spec, height + 60, drifts(report)
    )


def _origin(flow: Flow) -> str:
    return f"{flow.then.letter} · {flow.then.label}" if flow.then else f"+ · {JOINED}"
