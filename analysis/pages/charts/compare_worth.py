"""Chart of the Compare page: shares of customers beside shares of the value."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_sentence
from analysis.pages.figures import WIDTH, Figure, Table, facet_rows, faceted, make_figure, segment_colour, tag, tip
from analysis.report.model import Report


def value_against_size(report: Report) -> Figure:
    """Chart the share of customers and the share of value by segment."""
    formats = report.formats()
    worth_label = report.value_label()
    rows = []
    for s in report.segments:
        rows.append({"segment": tag(s), "what": "Customers", "share": s.share, "text": formats.percent(s.share)})
        if s.value_share is not None:
            text = formats.percent(s.value_share)
            rows.append({"segment": tag(s), "what": worth_label, "share": s.value_share, "text": text})
    chart = _draw_shares(report, rows)
    worth = [s for s in report.segments if s.value_share is not None]
    if worth:
        best = max(worth, key=lambda s: (s.value_share or 0) - s.share)
        title = (
            f"{best.name}: {formats.percent(best.share)} of customers, "
            f"{formats.percent(best.value_share or 0)} of {in_sentence(worth_label)}"
        )
    else:
        title = f"The largest segment, “{report.segments[0].name}”, holds {formats.percent(report.segments[0].share)}"
    head = ("Segment", "Customers", "Share of customers")
    cells = [(tag(s), formats.people(s.n), formats.percent(s.share)) for s in report.segments]
    if worth:
        head = (*head, f"Share of {in_sentence(worth_label)}")
        cells = [(*c, formats.value(s.value_share, "share")) for c, s in zip(cells, report.segments, strict=True)]
    table = Table(head, tuple(cells))
    caption = (
        f"Pale bar: share of customers. Full bar: share of {in_sentence(worth_label)}. "
        "A full bar longer than its pale one is worth more than its size."
        if worth
        else "The data do not say what a customer is worth, so only size is shown."
    )
    note = formats.rounding_note([s.share for s in report.segments], [s.value_share or 0.0 for s in report.segments])
    caption = f"{caption} {note}".strip()
    height = 84 * len(report.segments) + 40
    return make_figure("value-size", title, caption, f"Bars by segment. {title}.", faceted(chart), height, table)


def _draw_shares(report: Report, rows: list[dict[str, Any]]) -> Any:
    """Draw two bars for each segment: its share of customers and of value."""
    worth_label = report.value_label()
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
    return chart.facet(
        row=facet_rows(
            "segment",
            [tag(s) for s in report.segments],
            alt.Header(labelOrient="top", labelAnchor="start", labelPadding=2),
        ),
        spacing=10,
    )
