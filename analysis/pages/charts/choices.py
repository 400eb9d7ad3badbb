"""Charts of analysis choices and their effect on the segments."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_words, number, significant
from analysis.pages.figures import (
    FOLDED,
    WIDTH,
    Figure,
    Table,
    facet_rows,
    faceted,
    make_figure,
    short_number,
    single,
    tip,
)
from analysis.pages.text.stability import FACTORS
from analysis.report.model import Report
from analysis.report.parts import Choice
from analysis.report.thresholds import AGREES, ALGORITHMS

KINDS = {"scaling": "Scaling", "algorithm": "Algorithm", "features": "Features", "outliers": "Unusual customers"}
OPTIONS = {
    "scaling": {"standard": "Standard", "minmax": "0 to 1", "robust": "Robust"},
    "outliers": {"robust": "Set aside", "winsorise": "Pulled in", "none": "Kept"},
    "features": {"as published": "As published"},
}


def multiverse(report: Report) -> Figure:
    """Chart the agreement of every other choice with the published segments."""
    choices = report.evidence.multiverse
    formats = report.formats()
    rows = [
        {
            "features": _option("features", c.features),
            "outliers": _option("outliers", c.outliers),
            "choice": _column(c),
            "agreement": round(c.agreement, 2),
            "text": short_number(c.agreement),
            "mark": "published" if c.published else "other",
        }
        for c in choices.choices
    ]
    columns = list(dict.fromkeys(str(row["choice"]) for row in rows))
    sets = list(dict.fromkeys(str(row["features"]) for row in rows))
    cells = _draw_agreements(rows, columns)
    inner = 27 * len({row["outliers"] for row in rows})
    chart = cells.properties(width=WIDTH - 140, height=inner)
    chart = chart.facet(row=facet_rows("features", sets), spacing=10)
    values = [c.agreement for c in choices.choices]
    title = (
        f"Agreement runs from {number(min(values), 2)} to {number(max(values), 2)}; "
        f"{formats.percent(choices.agree_share)} of "
        f"{len(rows)} ways reach {significant(AGREES)}"
    )
    caption = (
        f"Each cell forms {in_words(choices.k)} segments in another way. Blue: at least {significant(AGREES)}, "
        f"the same story; brown: "
        "another one. " + ("Outlined: the published way." if any(c.published for c in choices.choices) else "")
    ).strip()
    table = Table(
        ("Features", "Unusual customers", "Scaling", "Algorithm", "Adjusted Rand index"),
        tuple(
            (
                *(_option(name, getattr(c, name)) for name in ("features", "outliers", "scaling", "algorithm")),
                number(c.agreement, 2) + (", published" if c.published else ""),
            )
            for c in choices.choices
        ),
    )
    height = (inner + 36) * len(sets) + 220
    return make_figure("multiverse", title, caption, f"Heat map. {title}.", faceted(chart, 222), height, table)


def _draw_agreements(rows: list[dict[str, Any]], columns: list[str]) -> Any:
    """Draw one cell for each combination of choices, shaded by its agreement."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            field="choice",
            type="nominal",
            sort=columns,
            title=None,
            axis=alt.Axis(labelAngle=-60, labelLimit=240, labelOverlap=False),
        ),
        y=alt.Y(field="outliers", type="nominal", sort=None, title=None),
    )
    cells = base.mark_rect(cornerRadius=2, strokeWidth=3).encode(
        color=alt.Color(
            field="agreement",
            type="quantitative",
            title="Adjusted Rand index",
            scale=alt.Scale(
                domain=[0, AGREES, AGREES, 1],
                range=["#b2590f", "#f3e3d0", "#d3e4f3", "#1f6fb2"],
                interpolate="rgb",
                clamp=True,
            ),
            legend=alt.Legend(gradientLength=200, values=[0, AGREES, 1], format=".2f", titleLimit=300),
        ),
        stroke=alt.Stroke(
            field="mark",
            type="nominal",
            legend=None,
            scale=alt.Scale(domain=["published", "other"], range=["var(--ink)", "transparent"]),
        ),
        tooltip=[
            tip("features", "Features"),
            tip("outliers", "Unusual customers"),
            tip("choice", "Scaling and algorithm"),
            alt.Tooltip(field="agreement", type="quantitative", format=".2f", title="Agreement"),
        ],
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text(field="text", type="nominal"),
        color=alt.condition(
            "datum.agreement > 0.95 || datum.agreement < 0.1", alt.value("#ffffff"), alt.value("#15191e")
        ),
    )
    return alt.layer(cells, text)


def main_effects(report: Report) -> Figure:
    """Chart the mean agreement by option of each analysis choice."""
    choices, formats = report.evidence.multiverse, report.formats()
    rows = [
        {
            "factor": f"{KINDS[f.name]}: {formats.percent(f.matters)}",
            "option": _option(f.name, option),
            "agreement": round(mean, 3),
            "text": number(mean, 2),
        }
        for f in choices.factors
        for option, mean in zip(f.options, f.means, strict=True)
    ]
    most = choices.factors[0]
    title = (
        f"What matters most is {FACTORS[most.name]} ({formats.percent(most.matters)} of the differences)"
        if most.matters
        else "No choice makes a difference"
    )
    caption = (
        "Bar: mean agreement with the published segments over all ways that take this option. The further apart the "
        f"bars of one kind, the more that choice matters; its percentage is its share of the differences. "
        f"Dashed: {significant(AGREES)}."
    )
    table = Table(
        ("Kind of choice", "Option", "Mean agreement", "Share of the differences"),
        tuple(
            (KINDS[f.name], _option(f.name, option), number(mean, 3), formats.percent(f.matters))
            for f in choices.factors
            for option, mean in zip(f.options, f.means, strict=True)
        ),
    )
    factors = list(dict.fromkeys(str(row["factor"]) for row in rows))
    inner = 28 * max(len(f.options) for f in choices.factors)
    chart = _agreement_bars(rows, "option", None).properties(width=WIDTH - 180, height=inner)
    chart = chart.facet(row=facet_rows("factor", factors), spacing=14).resolve_scale(y="independent")
    height = (inner + 40) * len(factors) + 50
    text = f"Bars of mean agreement by option. {title}."
    return make_figure("main-effects", title, caption, text, faceted(chart, 185), height, table)


def left_out(report: Report) -> Figure | None:
    """Chart the agreement without each feature; None if too few features form segments."""
    agreements = report.evidence.multiverse.without
    if not agreements:
        return None
    rows = [
        {"option": report.variable(name).label, "agreement": round(value, 3), "text": number(value, 2)}
        for name, value in agreements
    ]
    first = rows[0]
    title = (
        f"Without {first['option']} the segments change most, and still agree to {first['text']}"
        if agreements[0][1] >= AGREES
        else f"The segments depend on {first['option']}: without it they agree to {first['text']} only"
    )
    caption = (
        "Each feature is left out in turn and the customers are clustered again. The shorter the bar, the more the "
        f"segments depend on that feature. Dashed: {significant(AGREES)}."
    )
    table = Table(
        ("Left out", "Agreement"),
        tuple((str(row["option"]), number(value, 3)) for row, (_, value) in zip(rows, agreements, strict=True)),
    )
    chart = _agreement_bars(rows, "option", [str(row["option"]) for row in rows])
    height = 28 * len(rows)
    text = f"Bars of agreement by feature left out. {title}."
    return make_figure("left-out", title, caption, text, single(chart, height), height + 60, table)


def _agreement_bars(rows: list[dict[str, Any]], field: str, order: list[str] | None) -> Any:
    frame = pd.DataFrame(rows)
    line = f"datum.value == {AGREES}"
    dashes = alt.condition(line, alt.value([4, 3]), alt.value([1, 0]))
    colour = alt.condition(line, alt.value("var(--ink-3)"), alt.value("var(--rule)"))
    base = alt.Chart(frame).encode(
        y=alt.Y(field=field, type="nominal", sort=order, title=None, axis=alt.Axis(labelExpr=FOLDED)),
        x=alt.X(
            field="agreement",
            type="quantitative",
            title="Agreement with the published segments",
            stack=None,
            scale=alt.Scale(domain=[min(0.0, float(frame["agreement"].min())), 1.12], nice=False),
            axis=alt.Axis(values=[0, AGREES, 1], format=".2f", gridColor=colour, gridDash=dashes),
        ),
    )
    bars = base.mark_bar(height=16, cornerRadiusEnd=2).encode(tooltip=[tip(field, "Choice"), tip("text", "Agreement")])
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    return alt.layer(bars, text)


def _option(factor: str, option: str) -> str:
    if factor == "algorithm":
        # Other choices may let one compete that the published ones do not.
        return ALGORITHMS[option].title
    return OPTIONS[factor].get(option, option[:1].upper() + option[1:])


def _column(choice: Choice) -> str:
    return f"{_option('algorithm', choice.algorithm)} · {_option('scaling', choice.scaling).lower()}"
