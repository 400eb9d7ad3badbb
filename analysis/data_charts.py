"""Charts of the data as they came in."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.explore import ColumnSummary
from analysis.figures import EVERYONE, Figure, Table, make_figure, single, tip
from analysis.report import Report


def distribution(report: Report, column: ColumnSummary) -> Figure:
    """Histogram or bars of one column as it came in."""
    formats = report.formats()
    unit = "year" if column.type == "year" else "number"
    digits = "d" if unit == "year" else ",.0f"
    numeric = column.bars[0].low is not None
    if numeric:
        rows = [
            {"low": b.low, "high": b.high, "density": b.n / ((b.high or 0) - (b.low or 0)), "customers": b.n}
            for b in column.bars
        ]
        frame = pd.DataFrame(rows)
        axis = alt.Axis(grid=False, tickCount=5, format="d" if unit == "year" else alt.Undefined)
        chart = (
            alt.Chart(frame)
            .mark_bar(color=EVERYONE, stroke="var(--paper)", strokeWidth=0.5)
            .encode(
                x=alt.X(
                    field="low",
                    type="quantitative",
                    title=None,
                    axis=axis,
                    scale=alt.Scale(zero=False, nice=False),
                ),
                x2=alt.X2(field="high"),
                y=alt.Y(field="density", type="quantitative", title=None, axis=None),
                y2=alt.Y2(datum=0),
                tooltip=[
                    alt.Tooltip(field="low", type="quantitative", format=digits, title="From"),
                    alt.Tooltip(field="high", type="quantitative", format=digits, title="To"),
                    alt.Tooltip(field="customers", type="quantitative", title="Customers"),
                ],
            )
        )
        height = 96
        table = Table(
            ("From", "To", "Customers"),
            tuple((formats.value(b.low, unit), formats.value(b.high, unit), f"{b.n:,}") for b in column.bars),
        )
    else:
        rows = [{"level": b.label, "customers": b.n} for b in column.bars]
        order = [b.label for b in column.bars]
        horizontal = column.type != "date"
        level = {"field": "level", "type": "nominal", "sort": order, "title": None}
        count = {"field": "customers", "type": "quantitative", "title": None}
        encoding: dict[str, Any] = (
            {
                "y": alt.Y(**level, axis=alt.Axis(labelLimit=130)),
                "x": alt.X(**count, axis=alt.Axis(tickCount=3, format=",d")),
            }
            if horizontal
            else {
                "x": alt.X(**level, axis=alt.Axis(labelOverlap=True, labelAngle=0)),
                "y": alt.Y(**count, axis=alt.Axis(tickCount=3)),
            }
        )
        chart = (
            alt.Chart(pd.DataFrame(rows))
            .mark_bar(color=EVERYONE)
            .encode(
                **encoding,
                tooltip=[
                    tip("level", column.label),
                    alt.Tooltip(field="customers", type="quantitative", title="Customers"),
                ],
            )
        )
        height = 20 * len(rows) if horizontal else 96
        table = Table((column.label, "Customers"), tuple((b.label, f"{b.n:,}") for b in column.bars))
    if column.median is not None and numeric:
        title = f"{column.label}: half are at {formats.value(column.median, unit)} or less"
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
    name = _address(column)
    twins = [c for c in report.data.columns if _address(c) == name]
    if len(twins) > 1:
        name += f"-{twins.index(column) + 1}"
    return make_figure(
        f"column-{name}",
        title,
        caption,
        f"Distribution of {column.label}. {title}.",
        single(chart, height),
        height + 50,
        table,
    )


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
    n = len(found.labels)
    pairs = [(abs(row["r"]), row["a"], row["b"], row["r"]) for i, row in enumerate(rows) if i // n < i % n]
    _, a, b, r = max(pairs)
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X(
                field="a",
                type="nominal",
                sort=list(found.labels),
                title=None,
                axis=alt.Axis(labelAngle=-60, labelLimit=150),
            ),
            y=alt.Y(field="b", type="nominal", sort=list(found.labels), title=None, axis=alt.Axis(labelLimit=170)),
            color=alt.Color(
                field="r",
                type="quantitative",
                title="Spearman correlation",
                scale=alt.Scale(domain=[-1, 0, 1], range=["#b2590f", "#e9e9e6", "#1f6fb2"]),
            ),
            tooltip=[
                tip("a", "Feature"),
                tip("b", "with"),
                alt.Tooltip(field="r", type="quantitative", format="+.2f", title="Correlation"),
            ],
        )
    )
    title = (
        f"{a} and {b.lower()} move together most ({r:+.2f})"
        if r > 0
        else f"{a} and {b.lower()} move against each other most ({r:+.2f})"
    )
    caption = "Blue: both rise together; brown: one rises as the other falls. Like stands beside like."
    table = Table(
        ("Variable", *found.labels),
        tuple((label, *(f"{x:+.2f}" for x in row)) for label, row in zip(found.labels, found.rows, strict=True)),
    )
    height = 22 * len(found.labels)
    return make_figure(
        "correlations",
        title,
        caption,
        f"Heat map of correlations. {title}.",
        single(chart, height),
        height + 190,
        table,
    )


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
        x=alt.X(
            field="share",
            type="quantitative",
            title="Share of customers without a value",
            axis=alt.Axis(format=".1%", tickCount=4),
        ),
    )
    bars = base.mark_bar(height=16, color=EVERYONE)
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    title = f"{rows[0]['column']} is missing for {rows[0]['text']} {report.study.customers}" + (
        ", nothing else is" if len(columns) == 1 else ""
    )
    table = Table(
        ("Column", "Missing", "Share"),
        tuple((c.label, formats.people(c.missing), formats.percent(c.missing / n)) for c in columns),
    )
    height = 30 * len(rows) + 10
    return make_figure(
        "missing",
        title,
        "Empty cells in the file, before anything was done.",
        f"Bars of missing values. {title}.",
        single(alt.layer(bars, text), height),
        height + 60,
        table,
    )


def _address(column: ColumnSummary) -> str:
    """Part of a file name: short, as a column may be named by a whole question."""
    return "".join(c if c.isalnum() else "-" for c in column.name.lower())[:40]
