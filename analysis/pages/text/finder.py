"""Fields, text and numbers of the persona finder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis.base.formats import in_words, percentage, unit_beside
from analysis.pages.escaping import escape_json
from analysis.pages.figures import Table
from analysis.pages.rules import rule_as_data
from analysis.report.model import Report


@dataclass(frozen=True, slots=True)
class Field:
    """One answer.

    Attributes
    ----------
    label : str
    unit : str
        What stands beside the number: a sign or a word; empty for none.
    options : tuple of (str, str)
        What can be chosen, each with its value; empty where a number is entered.
    hint, example : str
        What is usual; the middle of it. Empty where a number of customers is too small to tell.
    low, high : str
        What the number cannot leave by its meaning, never the ends of the data; empty for open.
    factor : int
        What the number is divided by.
    levels : bool
        Whether the answer is a level of a category, each of which is a feature of the rule.
    features : tuple of str
        Names in the rule.
    asked : bool
        Whether it belongs to the few.
    """

    label: str
    unit: str
    options: tuple[tuple[str, str], ...]
    hint: str
    example: str
    low: str
    high: str
    factor: int
    levels: bool
    features: tuple[str, ...]
    asked: bool


def fields(report: Report) -> tuple[Field, ...]:
    """List all answers, those of the short version first, the most informative on top."""
    questions = report.questions
    if questions is None:
        return ()
    names = _answers(report)
    order = [*questions.asked, *(name for name in names if name not in questions.asked)]
    shown = order if report.rules.centres is not None else order[: len(questions.asked)]
    return tuple(_field(report, name, tuple(names[name])) for name in shown)


def in_short(report: Report) -> str:
    """Summarise the number of questions and their accuracy in one sentence."""
    questions, people = report.questions, report.study.customers
    if questions is None:
        return f"There is one segment, so all {people} belong to it."
    every, asked = len(_answers(report)), len(questions.asked)
    if not questions.enough and report.rules.centres is None:
        placed = _placed(questions.accuracy, asked)
        return f"{_count(asked)} {placed} of 100 {people} as the full rule does; that is not enough."
    if not questions.enough or asked == every:
        return f"It takes all {every} answers: fewer do not keep 90 of 100 placements of the full rule."
    comparison = "" if report.rules.centres is None else f"; all {every} place {_of_100(questions.full)}"
    return f"{_count(asked)} {_placed(questions.accuracy, asked)} of 100 {people} as the full rule does{comparison}."


def few(report: Report) -> str:
    """Write the number of questions in words."""
    questions = report.questions
    return _count(len(questions.asked)).lower() if questions else ""


def both(report: Report) -> bool:
    """Return whether the reader can choose between the short and the full version."""
    return any(not field.asked for field in fields(report))


def how(report: Report) -> str:
    """Explain how the questions were chosen and how accurate they are."""
    questions = report.questions
    assert questions is not None
    people = report.study.customers
    by = (
        "A customer is placed by the nearest centre, in these answers alone."
        if questions.by == "centres"
        else "A customer is placed by the tree of questions on the page Placing new customers."
    )
    return (
        f"The build looked for the fewest answers that place at least {percentage(0.9)} as many customers rightly as "
        "the full rule, and at least half of each segment: features added one by one to a nearest-centre rule, or a "
        "tree of questions, whichever asks less. "
        f"{by} "
        f"How often that is right was measured on {people} that the choice was not made on."
    )


def precision(report: Report) -> Table:
    """Return the precision of the assignment to a segment."""
    assert report.questions is not None
    rows = [
        (f"{s.letter} · {s.name}", f"{_of_100(share)} of 100")
        for s, share in zip(report.segments, report.questions.precision, strict=True)
    ]
    return Table(("Segment", "Of those named so by the few answers, rightly"), tuple(rows))


def data(report: Report) -> Markup:
    """Return the data of the script: the rule, the questions and the personas."""
    questions = report.questions
    assert questions is not None
    rule = rule_as_data(report)
    short: dict[str, Any] = {"by": questions.by, "precision": questions.precision, "points": questions.points}
    short["nodes"] = [
        {"feature": node.feature, "at_most": node.threshold, "yes": node.yes, "no": node.no}
        if node.feature
        else {"segment": node.segment, "share": node.purity.share, "least": node.purity.at_least, "second": second}
        for node, second in zip(report.rules.tree.nodes, questions.seconds, strict=False)
    ]
    return escape_json(
        {
            "features": [{"name": f["name"], "missing": f["missing"]} for f in rule["features"]],
            "centres": rule["centres"],
            "short": short,
            "answers": [
                {"features": f.features, "levels": f.levels, "factor": f.factor, "asked": f.asked}
                for f in fields(report)
            ],
            "segments": [
                {"name": s.name, "letter": s.letter, "colour": s.colour, "slug": s.slug} for s in report.segments
            ],
        }
    )


def _field(report: Report, name: str, features: tuple[str, ...]) -> Field:
    questions, formats = report.questions, report.formats()
    assert questions is not None
    variable, asked = report.variable(name), name in questions.asked
    options: tuple[tuple[str, str], ...] = ()
    levels = features != (name,)
    if levels:
        named = [report.variable(feature).formula for feature in features]
        options = (*((str(i), text) for i, text in enumerate(named)), ("-1", "another"))
    elif name in questions.codes:
        options = tuple((str(i), text) for i, text in enumerate(questions.codes[name]) if text)
    elif variable.unit == "yes_no":
        options = (("1", "yes"), ("0", "no"))
    if options:
        return Field(variable.label, "", options, "", "", "", "", 1, levels, features, asked)
    unit = unit_beside(variable.label, variable.unit)
    beside = {"share": "%", "money": formats.currency, "days": "days", "years": "years"}.get(unit, "")
    low = "0" if variable.unit in {"share", "count"} else ""
    usual = report.everyone.get(name)
    factor, hint, example = 100 if variable.unit == "share" else 1, "", ""
    if usual is not None:
        low_10, middle, high_10 = (formats.plain(factor * x) for x in (usual.p10, usual.median, usual.p90))
        hint, example = f"mostly {low_10} to {high_10}", f"e.g. {middle}"
    high = "100" if variable.unit == "share" else ""
    return Field(variable.label, beside, (), hint, example, low, high, factor, False, features, asked)


def _answers(report: Report) -> dict[str, list[str]]:
    """Names of the rule by what is asked: a category's levels are one answer."""
    levels = {level.name: level.name.removesuffix(f" = {level.formula}") for level in report.rules.levels}
    names: dict[str, list[str]] = {}
    for name in report.rules.fills:
        names.setdefault(levels.get(name, name), []).append(name)
    return names


def _count(n: int) -> str:
    text = in_words(n)
    return f"{text[:1].upper()}{text[1:]} answer{'s' * (n != 1)}"


def _placed(share: float, n: int) -> str:
    return f"place{'s' * (n == 1)} {_of_100(share)}"


def _of_100(share: float) -> int:
    return round(100 * share)
