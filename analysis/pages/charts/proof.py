"""Charts of the predictive validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_sentence
from analysis.pages.figures import EVERYONE, FOLDED, INK, Figure, Table, make_figure, single, tip
from analysis.report.model import Report
from analysis.report.parts import Score, Target
from analysis.report.thresholds import CHANCE, CONTACTED

MEASURES = {"auc": ("AUC", "probability"), "r2": ("R²", "share of the variance")}
"""Name of each score and what it is on the axis."""


def proof(report: Report, index: int) -> Figure:
    """Chart how well segments, simpler groups and a random split predict one target, with intervals."""
    formats, target = report.formats(), report.proof.targets[index]
    name, level = MEASURES[target.kind][0], formats.percent(report.proof.level)
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
    chart = _draw_scores(rows, target, level)
    against = (s for s in target.scores if s.label == target.rival or (not target.rival and s.name == "random"))
    rival = next(against, target.scores[-1])
    title = (
        f"{target.label}: {name} {formats.score(target.scores[0].score.value)} by segments, "
        f"{formats.score(rival.score.value)} by {in_sentence(rival.label)}"
    )
    caption = (
        f"Dot: the score on customers held out; line: its {level} interval; dashed: chance. In brackets the number of "
        "groups."
    )
    if rival.reached and target.scores[0].reached:
        caption += f" {_reach(report, target, rival)}"
    reached = [f"Reached with the best {formats.percent(part)}" for part in CONTACTED[: len(target.scores[0].reached)]]
    table = Table(
        ("Grouping", name, f"{level} interval", "Segments less this", f"{level} interval of that", *reached),
        tuple(
            (
                row["grouping"],
                row["text"],
                row["band"],
                formats.score(s.lead.value) if s.lead else "–",
                f"{formats.score(s.lead.low)} to {formats.score(s.lead.high)}" if s.lead else "–",
                *_reached(s, report),
            )
            for row, s in zip(rows, target.scores, strict=True)
        ),
    )
    height = 34 * len(rows)
    spec = single(chart, height)
    return make_figure(f"proof-{index + 1}", title, caption, f"Dots with intervals. {title}.", spec, height + 70, table)


def _reached(score: Score, report: Report) -> Iterator[str]:
    """Give each share that is reached, with its interval, which ends at none and all."""
    percent = report.formats().percent
    for e in score.reached:
        yield f"{percent(e.value)} ({percent(max(e.low, 0.0))} to {percent(min(e.high, 1.0))})"


def _reach(report: Report, target: Target, rival: Score) -> str:
    """Say how many with a yes a planner reaches by contacting a fifth of the customers."""
    percent = report.formats().percent
    own, other = (percent(score.reached[0].value) for score in (target.scores[0], rival))
    who = report.study.customers
    return (
        f"Contacting the best {percent(CONTACTED[0])} of {who} by segment reaches {own} of those with a yes; "
        f"by {in_sentence(rival.label)} {other}; by lot {percent(CONTACTED[0])}."
    )


def _draw_scores(rows: list[dict[str, Any]], target: Target, level: str) -> Any:
    """Draw one dot for each grouping, with its interval, and chance as a line."""
    name, unit = MEASURES[target.kind]
    chance = CHANCE[target.kind]
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
    return alt.layer(mark, lines, dots, text)
