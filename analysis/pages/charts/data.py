"""Charts of the input data."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import and_more, formatted, joined, number
from analysis.pages.figures import EVERYONE, Figure, Table, make_figure, single, tip
from analysis.report.model import Report
from analysis.report.parts import Bar, ColumnSummary, MissingPattern, Relations

FEW_LABELS = 12
"""Columns of a heat map whose labels fit on a phone. Chosen for this project."""


def distribution(report: Report, column: ColumnSummary) -> Figure:
    """Chart the distribution of an input column."""
    formats = report.formats()
    unit = "year" if column.type == "year" else "number"
    numeric = column.bars[0].low is not None
    if numeric:
        chart = _draw_histogram(column.bars, unit)
        height = 96
        table = Table(
            ("From", "To", "Customers"),
            tuple((formats.value(b.low, unit), formats.value(b.high, unit), number(b.n)) for b in column.bars),
        )
    else:
        horizontal = column.type != "date"
        chart = _counts(column.bars, column.label, "Customers", horizontal)
        height = 20 * len(column.bars) if horizontal else 96
        table = Table((column.label, "Customers"), tuple((b.label, number(b.n)) for b in column.bars))
    title = _say_usual(report, column, unit)
    missing = f"{formats.people(column.missing)} missing. " if column.missing else ""
    rare = "Rare answers are in Other." if any(b.label == "Other" for b in column.bars) else "All values."
    caption = f"{missing}The outermost bars are open." if numeric else f"{missing}{rare}"
    if column.rounded:
        caption += f" Counts are rounded to multiples of {report.study.min_cell}, as almost everyone has a value."
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


def _say_usual(report: Report, column: ColumnSummary, unit: str) -> str:
    """Say where half of the values lie, or which value is the most frequent."""
    formats = report.formats()
    if column.median is not None and column.bars[0].low is not None:
        return f"{column.label}: half are at {formats.value(column.median, unit)} or less"
    top = max(column.bars, key=lambda b: b.n)
    total = sum(b.n for b in column.bars)
    yes = next((b.n for b in column.bars if b.label == "Yes"), None)
    return (
        f"{column.label}: yes for {formats.percent(yes / total)}"
        if yes and {b.label for b in column.bars} == {"Yes", "No"}
        else f"{column.label}: {top.label} for {formats.percent(top.n / total)}"
    )


def _draw_histogram(bars: tuple[Bar, ...], unit: str) -> Any:
    """Draw bars over ranges of a number, with areas by customers."""
    digits = "d" if unit == "year" else ",.0f"
    arrays = {
        "low": [b.low for b in bars],
        "high": [b.high for b in bars],
        "customers": [b.n for b in bars],
    }
    axis = alt.Axis(grid=False, tickCount=5, format="d" if unit == "year" else alt.Undefined)
    return (
        alt.Chart(alt.InlineData([arrays]))
        .transform_flatten(list(arrays))
        .transform_calculate(density="datum.customers / (datum.high - datum.low)")
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


def correlation_map(report: Report) -> Figure | None:
    """Chart Spearman correlations of features and numeric descriptors."""
    relations = report.data.correlations
    if len(relations.labels) < 3:
        return None
    a, b, r = _strongest(relations)
    verb = "move together" if r > 0 else "move against each other"
    return _relation_map(
        "correlations",
        relations,
        f"“{a}” and “{b}” {verb} most ({number(r, 2, '+')})",
        "Blue: both rise together; brown: one rises as the other falls.",
        "Spearman correlation",
        alt.Scale(domain=[-1, 0, 1], range=["#b2590f", "#e9e9e6", "#1f6fb2"], interpolate="rgb"),
        "+.2f",
    )


def association_map(report: Report) -> Figure | None:
    """Chart Cramér's V between categories and yes/no variables."""
    relations = report.data.associations
    if len(relations.labels) < 3:
        return None
    a, b, v = _strongest(relations)
    return _relation_map(
        "associations",
        relations,
        f"“{a}” and “{b}” go together most ({number(v, 2)})",
        "The stronger the colour, the better one answer tells the other: 0 says nothing, 1 says all.",
        "Cramér's V",
        alt.Scale(domain=[0, 1], range=["#e9e9e6", "#1f6fb2"], interpolate="rgb"),
        ".2f",
    )


def _strongest(relations: Relations) -> tuple[str, str, float]:
    """The two variables that go together most, and how much."""
    pairs = [(i, j) for i in range(len(relations.labels)) for j in range(i)]
    i, j = max(pairs, key=lambda pair: abs(relations.rows[pair[0]][pair[1]] or 0.0))
    return relations.labels[j], relations.labels[i], relations.rows[i][j] or 0.0


def _relation_map(
    id: str, relations: Relations, title: str, caption: str, measure: str, scale: alt.Scale, digits: str
) -> Figure:
    """Heat map of a symmetric matrix; its cells are hundredths in one list a row, its labels stand once."""
    rows = [{"i": i, "r": [None if r is None else round(100 * r) for r in row]} for i, row in enumerate(relations.rows)]
    axis = alt.Axis(labelExpr="labels[datum.value]", labelLimit=170)
    chart = (
        alt.Chart(alt.InlineData(rows))
        .add_params(alt.param(name="labels", value=list(relations.labels)))
        .transform_calculate(j="sequence(length(datum.r))")
        .transform_flatten(["r", "j"])
        .transform_filter("isValid(datum.r)")
        .transform_calculate(r="datum.r / 100", a="labels[datum.j]", b="labels[datum.i]")
        .mark_rect()
        .encode(
            x=alt.X(
                field="j",
                type="ordinal",
                title=None,
                axis=alt.Axis(labelExpr="labels[datum.value]", labelAngle=-60, labelLimit=150),
            ),
            y=alt.Y(field="i", type="ordinal", title=None, axis=axis),
            color=alt.Color(field="r", type="quantitative", title=measure, scale=scale),
            tooltip=[
                tip("b", "Variable"),
                tip("a", "with"),
                alt.Tooltip(field="r", type="quantitative", format=digits, title=measure),
            ],
        )
    )
    m = len(relations.labels)
    if m < relations.n_variables:
        caption += f" Shown are the {m} of {relations.n_variables} variables with the strongest relation to another."
    cells = (
        tuple(("–" if r is None else formatted(r, digits)) if j < i else "" for j, r in enumerate(row))
        for i, row in enumerate(relations.rows)
    )
    table = Table(
        ("Variable", *relations.labels[:-1]),
        tuple((label, *row[:-1]) for label, row in zip(relations.labels, cells, strict=True)),
    )
    height = 22 * m
    spec = single(chart, height)
    columns = {"labelLimit": 90} if m <= FEW_LABELS else {"labels": False}
    spec["usermeta"]["narrow"] = {"encoding": {"x": {"axis": columns}, "y": {"axis": {"labelLimit": 112}}}}
    return make_figure(
        id,
        title,
        f"{caption} Like stands beside like; columns are in the order of the rows.",
        f"Heat map. {title}.",
        spec,
        height + 190,
        table,
    )


def missing_together(report: Report) -> Figure | None:
    """Chart combinations of columns that are missing together; None if there are none."""
    patterns = report.data.missingness
    if all(_n_columns(report, p) == 1 for p in patterns.patterns):
        return None
    formats = report.formats()
    groups = [and_more(group) for group in patterns.groups]
    rows = [{"i": i, "customers": p.n, "j": list(p.groups)} for i, p in enumerate(patterns.patterns)]
    chart = (
        alt.Chart(alt.InlineData(rows))
        .add_params(
            alt.param(name="groups", value=groups),
            alt.param(name="counts", value=[number(p.n) for p in patterns.patterns]),
        )
        .transform_flatten(["j"])
        .transform_calculate(group="groups[datum.j]")
        .mark_square(size=160, color=EVERYONE, opacity=1)
        .encode(
            x=alt.X(
                field="j",
                type="ordinal",
                title=None,
                axis=alt.Axis(labelExpr="groups[datum.value]", labelAngle=-60, labelLimit=240, grid=True),
            ),
            y=alt.Y(
                field="i",
                type="ordinal",
                title=None,
                axis=alt.Axis(labelExpr="counts[datum.value]", grid=True),
            ),
            tooltip=[
                tip("group", "Missing"),
                alt.Tooltip(field="customers", type="quantitative", format=",d", title="Customers"),
            ],
        )
    )
    first = patterns.patterns[0]
    title = f"{formats.people(first.n)} {report.study.customers} lack {joined([groups[g] for g in first.groups])}" + (
        " together" if _n_columns(report, first) > 1 else " alone"
    )
    others = " Rarer combinations are left out." if patterns.others else ""
    table = Table(
        ("Missing together", "Customers"),
        tuple((joined([groups[g] for g in p.groups]), formats.people(p.n)) for p in patterns.patterns),
    )
    height = 26 * len(rows)
    return make_figure(
        "missing-together",
        title,
        f"A row is so many {report.study.customers}; its squares are what they have no value of.{others}",
        f"Combinations of missing columns. {title}.",
        single(chart, height),
        height + 220,
        table,
    )


def _n_columns(report: Report, pattern: MissingPattern) -> int:
    return sum(len(report.data.missingness.groups[g]) for g in pattern.groups)


def coverage(report: Report, index: int) -> Figure | None:
    """Chart the rows of a source over time; None without dates or with too few customers."""
    source = report.data.sources[index]
    if len(source.bars) < 2:
        return None
    bars = tuple(replace(b, label=_period(report, b.label)) for b in source.bars)
    top = max(bars, key=lambda b: b.n)
    title = f"{source.name}: most rows in {top.label}"
    return make_figure(
        f"coverage-{index + 1}",
        title,
        f"Rows by {source.dated}, from {bars[0].label} to {bars[-1].label}.",
        f"Bars of rows over time. {title}.",
        single(_counts(bars, source.dated, "Rows", False), 96),
        146,
        Table(("Period", "Rows"), tuple((b.label, number(b.n)) for b in bars)),
    )


def _period(report: Report, label: str) -> str:
    """A month as the locale writes it; a quarter or a year as it is."""
    return report.formats().date(label) if re.fullmatch(r"\d{4}-\d{2}", label) else label


def _counts(bars: tuple[Bar, ...], label: str, what: str, horizontal: bool) -> alt.Chart:
    """Bars of levels, lying, or of periods, standing."""
    field = what.lower()
    arrays = {"level": [b.label for b in bars], field: [b.n for b in bars]}
    level: dict[str, Any] = {"field": "level", "type": "nominal", "sort": None, "title": None}
    count: dict[str, Any] = {"field": field, "type": "quantitative", "title": None}
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
    return (
        alt.Chart(alt.InlineData([arrays]))
        .transform_flatten(list(arrays))
        .mark_bar(color=EVERYONE)
        .encode(**encoding, tooltip=[tip("level", label), alt.Tooltip(field=field, type="quantitative", title=what)])
    )


def missing_values(report: Report) -> Figure | None:
    """Chart missing values by column; None if nothing is missing."""
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
        tuple(
            (
                c.label,
                formats.people(c.missing),
                formats.percent(c.missing / n) if c.missing >= report.study.min_cell else "–",
            )
            for c in columns
        ),
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
