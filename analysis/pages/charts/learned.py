"""Chart of the tests of actions."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.pages.figures import FOLDED, INK, Figure, Table, make_figure, single, tip
from analysis.report.lessons import STATES
from analysis.report.model import Report

ROW = 38
SHOWN = ("helps", "harms", "mixed", "useless", "open")
RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 2.0, 3.0, 4.0, 5.0, 10.0)
"""Numbers on the axis."""


def forest(report: Report) -> Figure | None:
    """Chart each measured test: outcome with the action over that without it, with its 95% interval."""
    rows, titles = [], {segment.slug: segment.letter for segment in report.segments}
    titles_of = [lesson.test.title for lesson in report.lessons]
    for lesson in report.lessons:
        if lesson.verdict not in SHOWN or lesson.test.results is None:
            continue
        for effect in sorted(lesson.test.results.effects, key=lambda each: titles.get(each.segment, "")):
            if effect.ratio is None or effect.ratio_low is None or effect.ratio_high is None:
                continue
            part = f" ({lesson.test.start})" if titles_of.count(lesson.test.title) > 1 else ""
            part += f", segment {titles.get(effect.segment, '')}" if effect.segment else ""
            rows.append(
                {
                    "test": f"{lesson.test.title.rstrip('.')}{part}",
                    "ratio": effect.ratio,
                    "low": effect.ratio_low,
                    "high": effect.ratio_high,
                    "text": f"{effect.ratio:.2f}",
                    "band": f"{effect.ratio_low:.2f} to {effect.ratio_high:.2f}",
                    "verdict": STATES[lesson.of(effect.segment).verdict],
                }
            )
    if not rows:
        return None
    n = sum(row["low"] <= 1 <= row["high"] for row in rows)
    title = _name(len(rows) - n, len(rows))
    chart = _draw(rows)
    caption = (
        "Dot: outcome with the action divided by that without it; line: its 95% interval; dashed: no difference. "
        "Intervals are those of single tests; verdicts allow for the number of tests."
    )
    table = Table(
        ("Test", "Ratio", "95% interval", "Verdict"),
        tuple((row["test"], row["text"], row["band"], row["verdict"]) for row in rows),
    )
    height = ROW * len(rows)
    alt_text = f"Dots with intervals, one for each test. {title}."
    return make_figure("learned", title, caption, alt_text, single(chart, height), height + 70, table)


def _draw(rows: list[dict[str, Any]]) -> Any:
    """Draw one dot for each effect with its interval, and no difference as a line."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            field="test",
            type="nominal",
            sort=[row["test"] for row in rows],
            title=None,
            axis=alt.Axis(labelExpr=FOLDED),
        ),
        tooltip=[tip("test", "Test"), tip("text", "Ratio"), tip("band", "95% interval"), tip("verdict", "Verdict")],
    )
    ends = [1.0, *(row["low"] for row in rows), *(row["high"] for row in rows)]
    # On a phone the number beyond the longest line takes a fifth of the width.
    low, high = 0.95 * min(ends), 1.25 * max(ends)
    x = alt.X(
        field="ratio",
        type="quantitative",
        title="with the action / without it",
        axis=alt.Axis(values=[ratio for ratio in RATIOS if low <= ratio <= high], labelOverlap=True),
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
    )
    lines = base.mark_rule(strokeWidth=2, color=INK).encode(
        x=alt.X(field="low", type="quantitative"), x2=alt.X2(field="high")
    )
    dots = base.mark_point(filled=True, size=90, opacity=1, color="var(--accent)").encode(x=x)
    text = base.mark_text(align="left", dx=6, color=INK).encode(
        x=alt.X(field="high", type="quantitative"), text=alt.Text(field="text", type="nominal")
    )
    none = alt.Chart(pd.DataFrame({"x": [1.0]})).mark_rule(strokeDash=[4, 3], color=INK)
    return alt.layer(none.encode(x=alt.X(field="x", type="quantitative")), lines, dots, text)


def _name(n_clear: int, n: int) -> str:
    """Name the finding.

    >>> _name(1, 1), _name(0, 2)
    ('The measured effect is clear of chance', 'No measured effect is clear of chance')
    >>> _name(2, 3)
    '2 of 3 measured effects are clear of chance'
    """
    if n_clear == 0:
        return "No measured effect is clear of chance"
    if n_clear < n:
        return f"{n_clear} of {n} measured effects are clear of chance"
    return "The measured effect is clear of chance" if n == 1 else "All measured effects are clear of chance"
