"""Text and tables about the rules for new customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.base.formats import (
    Formats,
    exact_percentage,
    in_sentence,
    in_words,
    is_plural,
    joined,
    number,
    percentage,
    significant,
)
from analysis.pages.figures import Table
from analysis.pages.rules import CENTRES_SQL, JSON, PYTHON, SCHEMA, TREE_SQL
from analysis.report.model import Report, Segment
from analysis.report.parts import Bound, Part

NEARLY_SHARP = 0.85
"""Least bound of a share that is worth printing; with a lower one it is "most". `site/assets/finder.js` has it too."""
MUCH = 0.1
"""Share of customers by which a guess must beat naming the largest segment to be worth asking. Chosen for
this project."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A question with what follows each answer, or where ``question`` is empty an end."""

    question: str
    yes: Branch | None = None
    no: Branch | None = None
    letter: str = ""
    colour: str = ""
    name: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A file and what it is for."""

    url: Markup
    text: str
    note: str


def in_short(report: Report) -> str:
    """Summarise the accuracy of a few questions in one sentence."""
    tree, people = report.rules.tree, report.study.customers
    if not tree.questions:
        return f"No question tells the segments apart well enough to place {people} by."
    asked = "One question places" if tree.questions == 1 else f"{_capital(in_words(tree.questions))} questions place"
    few = asked if tree.questions == 1 else f"At most {asked[:1].lower()}{asked[1:]}"
    return f"{few} {_of_100(tree.fidelity)} of 100 {people} as the full rule does."


def centres_in_short(report: Report) -> str:
    """Relate the nearest-centroid rule to the segments."""
    centres, people = report.rules.centres, report.study.customers
    if centres is None:
        return (
            f"Features are scaled by their lowest and highest value here. Those are values of single {people}, so the "
            "centres are not published; the command at the end of this page uses them."
        )
    if centres.exact and centres.fidelity == 1:
        return f"This is the rule that formed the segments: it places all {people} as they were."
    what = "This is the rule that formed the segments" if centres.exact else "Centres are only near to the full rule"
    accuracy = f"it places {report.formats().percent(centres.fidelity)} of {people} as the full rule does"
    if 0.995 <= centres.fidelity < 1:
        accuracy = f"it places nearly all {people} as the full rule does"
    why = "" if centres.exact else f" The segments were formed by {report.decision.algorithm_title}."
    return f"{what}: {accuracy}.{why}"


def tree(report: Report) -> Branch:
    """Write the decision tree in words."""
    return _branch(report, 0)


def recognise(report: Report, segment: Segment) -> tuple[str, str]:
    """Explain how to recognise a member of a segment, with the accuracy."""
    rule = report.rules.tree.segments[segment.id - 1]
    people = report.study.customers
    if not rule.path:
        return "No short list of questions leads to this segment. The full rule places its members.", ""
    path = joined([_say_bound(report, bound) for bound in rule.path])
    reach, purity = (_told(part) for part in (rule.reach, rule.purity))
    how = (
        f"{_capital(reach)} of the segment fit this, and {purity} of the {people} who fit it belong to the segment. "
        f"All questions together find {_whole(rule.recall)} of them."
    )
    return f"{_capital(path)}.", how


def accuracy(report: Report) -> Table:
    """List precision and recall of each segment."""
    rows = [
        (f"{s.letter} · {s.name}", _whole(r.recall), _whole(r.precision) if r.precision else "–")
        for s, r in zip(report.segments, report.rules.tree.segments, strict=True)
    ]
    return Table(("Segment", "Of the segment, found", "Of those named so, rightly"), tuple(rows))


def typical(report: Report) -> Table:
    """List the centroids in original units, one row per feature."""
    formats, centres = report.formats(), report.rules.centres
    assert centres is not None
    names = (f"{s.letter} · {s.name}" for s in report.segments)
    lines = zip(centres.steps, zip(*centres.typical, strict=True), strict=True)
    rows = [
        (report.variable(step.name).label, *(formats.value(x, report.variable(step.name).unit) for x in values))
        for step, values in lines
    ]
    return Table(("Feature", *names), tuple(rows))


def without_behaviour(report: Report) -> str:
    """Explain whether segments can be recognised without behavioural features."""
    guess = report.rules.without_behaviour
    if guess is None:
        return "The data hold nothing beside the behaviour that forms the segments, so nothing else can be asked."
    labels = [report.variable(name).label for name in guess.variables]
    shown = joined(labels if len(labels) <= 6 else [*labels[:5], f"{len(labels) - 5} more"]) or "what else is known"
    gain = guess.accuracy - guess.largest
    worth = "They are worth asking" if gain >= MUCH else "They help little" if gain > 0.02 else "They do not help"
    return (
        f"{worth}: questions about {shown} name the segment rightly for {_of_100(guess.accuracy)} of 100 "
        f"{report.study.customers}; always naming the largest does for {_of_100(guess.largest)}."
    )


def downloads(report: Report) -> tuple[Download, ...]:
    """List the rules as files."""
    files = [
        (TREE_SQL, "The questions as SQL", "for DuckDB and PostgreSQL; over the columns of the customer table"),
        (CENTRES_SQL, "The nearest centre as SQL", "the same, by the centres"),
        (PYTHON, "Both as Python", "two functions, nothing to install"),
        (JSON, "Both as JSON", "for any other language"),
        (SCHEMA, "What the JSON holds", "a JSON Schema that says how to follow it"),
    ]
    known = report.rules.centres is not None
    return tuple(
        Download(Markup(f"downloads/{name}"), text, note) for name, text, note in files if known or name != CENTRES_SQL
    )


def _branch(report: Report, place: int) -> Branch:
    node = report.rules.tree.nodes[place]
    if not node.feature:
        segment = report.segments[node.segment - 1]
        mixed = "a mixed group, " if node.purity.share < 0.5 and not node.purity.at_least else ""
        note = f"{_whole(node.share)} of {report.study.customers}, {mixed}{_told(node.purity)} of them rightly"
        return Branch("", None, None, segment.letter, Markup(segment.colour), segment.name, note)
    variable = report.variable(node.feature)
    question = f"{variable.label}: at most {_exact(report.formats(), node.threshold, variable.unit)}?"
    if variable.unit == "yes_no":
        question = f"{variable.label}: no?"
    return Branch(question, _branch(report, node.yes), _branch(report, node.no))


def _say_bound(report: Report, bound: Bound) -> str:
    """Say a bound as part of a sentence, shares to the whole per cent; the exact bounds stand with the questions."""
    variable, formats = report.variable(bound.feature), report.formats()
    if variable.unit == "yes_no":
        return f"{'yes' if bound.low is not None else 'no'} to “{variable.label}”"
    ends = (("more than", bound.low), ("at most", bound.high))
    whole = variable.unit == "share"
    text = " and ".join(
        f"{word} {percentage(end) if whole else _exact(formats, end, variable.unit)}"
        for word, end in ends
        if end is not None
    )
    if variable.unit == "count" and is_plural(variable.label):
        return f"{text} {in_sentence(variable.label)}"
    return f"{text} in “{variable.label}”"


def _bound(report: Report, bound: Bound) -> str:
    variable, formats = report.variable(bound.feature), report.formats()
    if variable.unit == "yes_no":
        return f"{variable.label}: {'yes' if bound.low is not None else 'no'}"
    parts: Sequence[str] = [
        *([f"more than {_exact(formats, bound.low, variable.unit)}"] if bound.low is not None else []),
        *([f"at most {_exact(formats, bound.high, variable.unit)}"] if bound.high is not None else []),
    ]
    return f"{variable.label}: {' and '.join(parts)}"


def _exact(formats: Formats, x: float, unit: str) -> str:
    """A threshold as it stands in the rule: all of its three digits."""
    if unit == "share":
        return exact_percentage(x)
    if unit == "money":
        return formats.money(x, exact=True)
    text = number(x) if abs(x) >= 100 else significant(x, 3)
    return f"{text} {unit}" if unit in {"days", "years"} else text


def _told(part: Part) -> str:
    if part.at_least and 0.5 <= part.share < NEARLY_SHARP:
        return "most"
    return ("at least " if part.at_least else "") + _whole(part.share)


def _whole(share: float) -> str:
    """A share that is known in whole hundredths."""
    return percentage(share)


def _of_100(share: float) -> int:
    return round(100 * share)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
