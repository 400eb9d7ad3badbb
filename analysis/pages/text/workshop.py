"""The targeting workshop: its scores with their sources, and what its script weighs."""

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
"""Least reachability (F1) of a segment that a few questions can be said to find. Ours."""
SOLID = ("highly stable", "valid")
"""Bands of segments that are solid enough to plan with."""
LEAST = 10
"""Share of customers, in hundredths, that the box for a least size begins with. Ours."""


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
    """Who comes first by the first weights, in one sentence."""
    found = report.targeting
    if found is None or len(report.segments) < 2:
        return "There is one segment, so there is nothing to choose."
    names = {s.id: s.name for s in report.segments}
    first, second = (names[number] for number in found.order[:2])
    return f"By the weights to begin with, {first} come first, then {second}. Weigh what matters to you."


def sliders(report: Report) -> tuple[Slider, ...]:
    """Every criterion that the study holds."""
    found = report.targeting
    return tuple(_slider(report, criterion) for criterion in found.criteria) if found else ()


def left_out(report: Report) -> str:
    """What the study does not hold, and so cannot be weighed."""
    held = {slider.name for slider in sliders(report)}
    missing = {
        "growth": "growth (not every segment was there in a run before)",
        "value": "value (no variable says what a customer is worth)",
        "response": "response (no outcome is told for every segment)",
    }
    parts = [text for name, text in missing.items() if name not in held]
    return f"Not weighed: {joined(parts)}." if parts else ""


def ranking(report: Report) -> tuple[Line, ...]:
    """The segments by the first weights, the best first."""
    found = report.targeting
    assert found is not None
    return tuple(_line(found, report.segments[number - 1]) for number in found.order)


def sources(report: Report) -> Table:
    """Each segment's numbers with their scores in brackets."""
    names = (f"{s.letter} · {s.name}" for s in report.segments)
    return Table(("Criterion", *names), tuple((s.label, *s.cells) for s in sliders(report)))


def data(report: Report) -> Markup:
    """What the script weighs: scores, and what the boxes ask."""
    found = report.targeting
    assert found is not None
    reach = next((c.values for c in found.criteria if c.name == "reachability"), (0.0,) * len(report.segments))
    segments = [
        {
            "id": s.id, "letter": s.letter, "name": s.name, "colour": s.colour, "share": s.share,
            "reachable": of >= REACHABLE, "solid": s.band in SOLID,
        }
        for s, of in zip(report.segments, reach, strict=True)
    ]  # fmt: skip
    criteria = [{"name": c.name, "axis": c.axis, "scores": c.scores} for c in found.criteria]
    return escape_json({"segments": segments, "criteria": criteria})


def _slider(report: Report, criterion: Criterion) -> Slider:
    formats = report.formats()
    label, about, tell = "Size", f"share of all {report.study.customers}", formats.percent
    if criterion.name == "reachability":
        label, about = "Reachability", "how well a few questions find them: F1, between share found and rightly named"
    elif criterion.name == "growth":
        label, about = "Growth", f"share of all {report.study.customers} now, in parts of the share in the run before"
    elif criterion.name == "outlook":
        label, about, tell = "Outlook", "expected spend in the next year, a customer", _told(report, "money")
    elif criterion.variable:
        variable = report.variable(criterion.variable)
        label = "Value" if criterion.name == "value" else "Response"
        about = f"{in_sentence(variable.label)}, {'share of a yes' if variable.unit == 'yes_no' else 'mean a customer'}"
        tell = _told(report, variable.unit)
    cells = tuple(f"{tell(x)} ({score})" for x, score in zip(criterion.values, criterion.scores, strict=True))
    return Slider(criterion.name, label, about, criterion.axis, criterion.weight, criterion.apart, cells)


def _told(report: Report, unit: str) -> Callable[[float], str]:
    return lambda x: report.formats().value(x, unit)


def _line(found: Targeting, s: Segment) -> Line:
    cells = (_whole(of[s.id - 1]) for of in (found.total, found.attractiveness, found.fit))
    total, attractiveness, fit = cells
    return Line(Markup(f"segments/{s.slug}.html"), s.letter, Markup(s.colour), s.name, (total, attractiveness, fit))


def _whole(x: float | None) -> str:
    return "–" if x is None else str(int(x + 0.5))
