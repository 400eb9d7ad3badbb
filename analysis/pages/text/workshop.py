"""Scores, sources and initial weights of the targeting workshop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from analysis.base.formats import in_sentence, joined
from analysis.pages.escaping import escape_json
from analysis.pages.figures import Table
from analysis.report.model import Report, Segment
from analysis.report.parts import Criterion, Targeting

REACHABLE = 0.5
"""Least reachability (F1) of a segment that a few questions can be said to find. Threshold chosen for this project."""
SOLID = ("highly stable", "valid")
"""Bands of segments that are solid enough to plan with."""
LEAST = 10
"""Share of customers, in hundredths, that the box for a least size begins with. Threshold chosen for this project."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A criterion as the page shows it: ``cells`` has each segment's number and score."""

    name: str
    label: str
    about: str
    axis: str
    weight: int
    apart: bool
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A segment in the ranking by the first weights."""

    url: Markup
    letter: str
    colour: Markup
    name: str
    cells: tuple[str, str, str]


def in_short(report: Report) -> str:
    """State in one sentence which segments rank first with the initial weights."""
    targeting = report.targeting
    if targeting is None or len(report.segments) < 2:
        return "There is one segment, so there is nothing to choose."
    names = {s.id: s.name for s in report.segments}
    first, second = (names[number] for number in targeting.order[:2])
    return (
        f"With the initial weights, “{first}” ranks first and “{second}” second. Change the weights to suit your goal."
    )


def sliders(report: Report) -> tuple[Slider, ...]:
    """List every criterion that is available in the study."""
    targeting = report.targeting
    return tuple(_slider(report, criterion) for criterion in targeting.criteria) if targeting else ()


def left_out(report: Report) -> str:
    """List the criteria that are not available in the study."""
    available = {slider.name for slider in sliders(report)}
    missing = {
        "growth": "growth (not every segment was there in a run before)",
        "value": "value (no variable says what a customer is worth)",
        "response": "response (no outcome is known for every segment)",
    }
    parts = [text for name, text in missing.items() if name not in available]
    return f"Left out: {joined(parts)}." if parts else ""


def ranking(report: Report) -> tuple[Line, ...]:
    """List the segments by initial score, the best first."""
    targeting = report.targeting
    assert targeting is not None
    return tuple(_line(targeting, report.segments[number - 1]) for number in targeting.order)


def sources(report: Report) -> Table:
    """List each segment's numbers with their scores in brackets."""
    names = (f"{s.letter} · {s.name}" for s in report.segments)
    return Table(("Criterion", *names), tuple((s.label, *s.cells) for s in sliders(report)))


def data(report: Report) -> Markup:
    """Return the data of the script: scores, weights and options."""
    targeting = report.targeting
    assert targeting is not None
    reach = next((c.values for c in targeting.criteria if c.name == "reachability"), (0.0,) * len(report.segments))
    segments = [
        {
            "id": s.id, "letter": s.letter, "name": s.name, "colour": s.colour, "share": s.share,
            "reachable": of >= REACHABLE, "solid": s.band in SOLID,
        }
        for s, of in zip(report.segments, reach, strict=True)
    ]  # fmt: skip
    criteria = [{"name": c.name, "axis": c.axis, "scores": c.scores} for c in targeting.criteria]
    return escape_json({"segments": segments, "criteria": criteria})


def _slider(report: Report, criterion: Criterion) -> Slider:
    formats = report.formats()
    label, about, tell = "Size", f"share of all {report.study.customers}", formats.percent
    if criterion.name == "reachability":
        label, about = "Reachability", "how easily they can be recognised from a few questions (F1 score)"
    elif criterion.name == "growth":
        label, about = "Growth", f"share of all {report.study.customers} now, relative to the previous run"
    elif criterion.name == "outlook":
        label, about, tell = "Outlook", "expected spend in the next year, per customer", _told(report, "money")
    elif criterion.variable:
        variable = report.variable(criterion.variable)
        label = "Value" if criterion.name == "value" else "Response"
        about = (
            f"{in_sentence(variable.label)}, {'share of a yes' if variable.unit == 'yes_no' else 'mean per customer'}"
        )
        tell = _told(report, variable.unit)
    cells = tuple(f"{tell(x)} ({score})" for x, score in zip(criterion.values, criterion.scores, strict=True))
    return Slider(criterion.name, label, about, criterion.axis, criterion.weight, criterion.apart, cells)


def _told(report: Report, unit: str) -> Callable[[float], str]:
    return lambda x: report.formats().value(x, unit)


def _line(targeting: Targeting, s: Segment) -> Line:
    cells = (_whole(of[s.id - 1]) for of in (targeting.total, targeting.attractiveness, targeting.fit))
    total, attractiveness, fit = cells
    return Line(Markup(f"segments/{s.slug}.html"), s.letter, Markup(s.colour), s.name, (total, attractiveness, fit))


def _whole(x: float | None) -> str:
    return "–" if x is None else str(int(x + 0.5))
