"""Charts that compare segments by features, descriptors and categories."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import Formats, number, percentage
from analysis.pages.figures import (
    EVERYONE,
    FOLDED,
    INK,
    WIDTH,
    WRAPPED,
    Figure,
    Table,
    certainty_interval,
    explain_scale,
    facet_rows,
    faceted,
    fold_rows,
    make_figure,
    measure_spread,
    name_with_unit,
    single,
    tag,
    tip,
)
from analysis.report.model import Report
from analysis.report.parts import CategoryProfile, Summary, Variable

MOST_MOSAICS = 5
"""Categories that are drawn by segment. Chosen for this project."""


def descriptors(report: Report) -> Figure | None:
    """Chart median and middle 80% of numeric descriptors by segment, each on its own axis."""
    formats = report.formats()
    chosen = [
        v
        for v in report.variables
        if v.role == "descriptor" and v.name in report.everyone and v.unit not in {"yes_no", "category"}
    ]
    chosen = sorted(chosen, key=lambda v: -measure_spread(report, v.name))[:6]
    if not chosen:
        return None
    rows = []
    for v in chosen:
        base = report.everyone[v.name]
        rows.append(_band_row("Everyone", v, base, formats))
        rows += [_band_row(tag(s), v, d.summary, formats) for s in report.segments if (d := s.difference(v.name))]
    order = ["Everyone", *(tag(s) for s in report.segments)]
    chart = _draw_bands(report, rows, [name_with_unit(v, report) for v in chosen], order)
    widest = next((v for v in chosen if v.name != report.study.value), chosen[0])
    ranked = sorted(
        ((d.summary.median, s) for s in report.segments if (d := s.difference(widest.name))),
        key=lambda pair: pair[0],
    )
    title = (
        f"{widest.label}: median {formats.value(ranked[-1][0], widest.unit)} in {ranked[-1][1].name}, "
        f"{formats.value(ranked[0][0], widest.unit)} in {ranked[0][1].name}"
    )
    if hardly_differs(report, widest.name):
        title = f"{widest.label}: the segments hardly differ"
    table = Table(
        ("Segment", *(f"{v.label}, median" for v in chosen)),
        tuple((row, *(formats.value(_summary(report, row, v.name).median, v.unit) for v in chosen)) for row in order),
    )
    caption = (
        f"Tick: the median; bar: the middle {percentage(0.8)} of the group. "
        "Descriptors took no part in forming the segments."
    )
    height = (24 * len(order) + 52) * len(chosen) + 20
    return make_figure(
        "descriptors",
        title,
        caption,
        f"Bands of descriptors by segment. {title}.",
        faceted(chart, narrow_height=fold_rows(order, 24)),
        height,
        table,
    )


def _draw_bands(report: Report, rows: list[dict[str, Any]], labels: list[str], order: list[str]) -> Any:
    """Draw one panel for each descriptor, one band for each segment."""
    frame = pd.DataFrame(rows)
    colour = alt.Color(
        field="segment",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=order, range=[EVERYONE, *(s.colour for s in report.segments)]),
    )
    y = alt.Y(field="segment", type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED))
    base_chart = alt.Chart(frame).encode(y=y, color=colour)
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
            tip("band", f"Middle {percentage(0.8)}"),
        ],
    )
    chart = (
        alt.layer(bands, ticks)
        .properties(width=WIDTH - 250, height=24 * len(order))
        .facet(
            row=facet_rows("what", labels, alt.Header(labelOrient="top")),
            spacing=16,
        )
        .resolve_scale(x="independent")
    )
    return chart


def hardly_differs(report: Report, variable: str) -> bool:
    """Return whether the segments differ on a variable by a negligible effect at most."""
    return any(c.variable == variable and c.size == "negligible" for c in report.contrasts)


def mosaic(report: Report, index: int) -> Figure:
    """Chart the levels of a category by segment, with areas by customers and shades by Pearson residual."""
    formats, category = report.formats(), mosaics(report)[index]
    variable = report.variable(category.variable)
    label = variable.label
    rows, names = _place_tiles(report, category)
    chart = _draw_tiles(rows, names, label)
    tested = any(c.variable == category.variable and c.p is not None for c in report.contrasts)
    title = _say_strongest(report, category)
    table = _tabulate_levels(report, category)
    caption = (
        "A row is as high as its segment is large, a tile as wide as its share. Blue: more than if segments did not "
        "matter, brown: fewer; pale from 2 and full from 4 standard deviations (Pearson residual). Levels that are "
        f"rare in a segment are merged{' with their neighbours' if variable.order else ''}."
        f"{f' {label} formed no segment.' if tested else ''}"
    )
    caption = f"{caption} {formats.rounding_note(category.everyone, *category.segments)}".strip()
    return make_figure(
        f"mix-{index + 1}",
        title,
        caption,
        f"Mosaic of {label} by segment. {title}.",
        single(chart, 300),
        400,
        table,
    )


def _say_strongest(report: Report, category: CategoryProfile) -> str:
    """Name the level and segment that lie furthest from independence."""
    formats = report.formats()
    label = report.variable(category.variable).label
    cells = [
        (abs(residual), s, level, share, everyone)
        for s, shares, residuals in zip(report.segments, category.segments, category.residuals, strict=True)
        for residual, level, share, everyone in zip(residuals, category.levels, shares, category.everyone, strict=True)
        if level == "Yes" or "Yes" not in category.levels
    ]
    _, segment, level, share, everyone = max(cells, key=lambda cell: cell[0])
    if hardly_differs(report, category.variable):
        return f"{label}: the segments hardly differ"
    return f"{label}: “{level}” for {formats.percent(share)} of {segment.name}, {formats.percent(everyone)} of everyone"


def _tabulate_levels(report: Report, category: CategoryProfile) -> Table:
    formats = report.formats()
    label = report.variable(category.variable).label
    pairs = list(zip(category.segments, category.lifts, category.residuals, strict=True))
    return Table(
        (
            label,
            "Everyone",
            *(heading for s in report.segments for heading in (tag(s), f"{s.letter}, lift and residual")),
        ),
        tuple(
            (
                level,
                formats.percent(category.everyone[i]),
                *(
                    text
                    for shares, lifts, residuals in pairs
                    for text in (
                        formats.percent(shares[i]),
                        f"{formats.plain(round(lifts[i], 2))} and {number(residuals[i], 1, '+')}",
                    )
                ),
            )
            for i, level in enumerate(category.levels)
        ),
    )


def _draw_tiles(rows: list[dict[str, Any]], names: list[dict[str, Any]], label: str) -> Any:
    """Draw the tiles, the levels in them and the segments beside them."""
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
        scale=alt.Scale(domain=[0, rows[-1]["bottom"]], reverse=True, nice=False),
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
        baseline="middle",
        fontSize=12,
        limit=alt.expr(f"max(1, {room} - 6)"),
        opacity=alt.expr(f"{room} > 8 + 7 * length(datum.level) ? 1 : 0"),
    )
    words = words.encode(
        x=alt.X(field="across", type="quantitative"),
        y=alt.Y(field="middle", type="quantitative"),
        text=alt.Text(field="level", type="nominal"),
        color=alt.condition("abs(datum.residual) > 4", alt.value("#ffffff"), alt.value("#15191e")),
    )
    sides = _draw_sides(names)
    return alt.layer(tiles, words, sides)


def _draw_sides(names: list[dict[str, Any]]) -> Any:
    """Draw the name of each segment left of its tiles, or its letter on a phone."""
    return (
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


def _place_tiles(report: Report, category: CategoryProfile) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give each level of each segment its tile, and each segment the place of its name."""
    formats = report.formats()
    pairs = zip(report.segments, category.segments, category.lifts, category.residuals, strict=True)
    rows, names, top = [], [], 0.0
    for s, shares, lifts, residuals in pairs:
        across = 0.0
        names.append({"segment": tag(s), "letter": s.letter, "middle": round(top + s.share / 2, 4)})
        for level, share, lift, residual in zip(category.levels, shares, lifts, residuals, strict=True):
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
    return rows, names


def mosaics(report: Report) -> list[CategoryProfile]:
    """List the categories that differ most between segments, then those that formed the segments."""
    order = [contrast.variable for contrast in report.contrasts]
    categories = [c for c in report.categories if c.variable in order]
    categories.sort(key=lambda c: order.index(c.variable))
    return [*categories, *(c for c in report.categories if c.variable not in order)][:MOST_MOSAICS]


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


def _summary(report: Report, row: str, variable: str) -> Summary:
    if row == "Everyone":
        return report.everyone[variable]
    segment = next(s for s in report.segments if tag(s) == row)
    difference = segment.difference(variable)
    assert difference is not None
    return difference.summary


def heat_map(report: Report) -> Figure:
    """Chart segments by features, as distance from the overall average in standard deviations."""
    formats = report.formats()
    names = [v.name for v in report.forming()]
    labels = {v.name: v.label for v in report.forming()}
    rows = [
        {
            "segment": tag(s),
            "feature": labels[d.variable],
            "z": d.z,
            "text": number(round(d.z, 1) + 0.0, 1, "+"),
            "median": formats.value(d.summary.median, report.variable(d.variable).unit),
            "band": certainty_interval(d),
        }
        for s in report.segments
        for d in (s.difference(name) for name in names)
        if d
    ]
    chart = _draw_heat(report, rows, list(labels.values()))
    height = 30 * len(names)
    strongest = max(rows, key=lambda row: abs(row["z"]))
    title = f"{strongest['feature']} tells {strongest['segment']} apart most ({strongest['text']} standard deviations)"
    table = Table(
        ("Feature", *(tag(s) for s in report.segments)),
        tuple(
            (
                labels[n],
                *(
                    f"{number(d.z, 2, '+')} ({certainty_interval(d)})" if (d := s.difference(n)) else "–"
                    for s in report.segments
                ),
            )
            for n in names
        ),
    )
    caption = (
        f"{explain_scale(report)} Blue: on it the segment's mean is above everyone's; brown: below; grey: the same. "
        "These features formed the segments, so differences are expected and carry no test. In the table, brackets "
        f"hold the {percentage(0.95)} bootstrap interval."
    )
    spec = single(chart, height, fold_rows(list(labels.values()), 30))
    return make_figure(
        "heat-map",
        title,
        caption,
        f"Heat map of {len(names)} features by segment. {title}.",
        spec,
        height + 120,
        table,
    )


def _draw_heat(report: Report, rows: list[dict[str, Any]], features: list[str]) -> Any:
    """Draw one cell for each feature of each segment, shaded by its distance from everyone."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
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
            sort=features,
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        ),
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            field="z",
            type="quantitative",
            title="Standard deviations from everyone",
            scale=alt.Scale(
                domain=[-1.5, 0, 1.5], range=["#b2590f", "#e9e9e6", "#1f6fb2"], clamp=True, interpolate="rgb"
            ),
            legend=alt.Legend(gradientLength=220, format="+.1f", titleLimit=400),
        ),
        tooltip=[
            tip("segment", "Segment"),
            tip("feature", "Feature"),
            tip("text", "Difference"),
            tip("band", f"{percentage(0.95)} interval"),
            tip("median", "Median"),
        ],
    )
    text = base.mark_text(fontSize=12).encode(
        text=alt.Text(field="text", type="nominal"),
        color=alt.condition("abs(datum.z) > 0.9", alt.value("#ffffff"), alt.value("#15191e")),
    )
    return alt.layer(cells, text)
