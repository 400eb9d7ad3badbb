"""What tests taught: their verdicts in words, and plans that follow measured values in place of assumed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from analysis.base.formats import Formats, number
from analysis.base.locales import localized
from analysis.experiments.audience import read_members
from analysis.experiments.outcomes import COUNTED
from analysis.experiments.records import Effect, Experiment, Results, Verdict, judge, judge_segments, read_experiments
from analysis.segments.plans.experiments import Holdout, detectable, round_rate
from analysis.segments.plans.plan import Slot
from analysis.settings.models import Study

WORDS = {
    "ordered": "placed an order",
    "orders": "orders per customer",
    "spend": "spend per customer",
    "visited": "came for a visit",
    "visits": "visits per customer",
}
STATES = {
    "helps": "works",
    "harms": "does harm",
    "mixed": "depends on the segment",
    "useless": "no use",
    "open": "no effect shown",
    "invalid": "not valid",
    "withheld": "too small",
}
"""Each verdict in a few words."""
SINKS = ("useless", "harms")
"""Verdicts after which an action stands last in the ranking."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A test with what follows from it.

    Attributes
    ----------
    test : Experiment
    verdict : str
        As `judge` gives it; empty without results.
    days_left : int
        Days from the date of the data to the end of the test.
    customers : int
        Customers of its segments, rounded.
    worth, worth_low, worth_high : float, optional
        Lift times customers, for spend; for orders, times what an order came to in the control group.
    more_low, more_high : float, optional
        Lift times customers, for any other share of customers.
    parts : tuple of Lesson
        The same of each segment, where the test has several and is measured.
    """

    test: Experiment
    verdict: Verdict | str
    days_left: int
    customers: int
    worth: float | None = None
    worth_low: float | None = None
    worth_high: float | None = None
    more_low: float | None = None
    more_high: float | None = None
    parts: tuple[Lesson, ...] = ()

    @property
    def effect(self) -> Effect | None:
        """The effect among all customers of the test."""
        return self.test.results.effects[0] if self.test.results else None

    def of(self, slug: str) -> Lesson:
        """Return what follows for one segment of the test."""
        return next((part for part in self.parts if part.test.segments == (slug,)), self)


def gather_lessons(tests: Sequence[Experiment], sizes: dict[str, int], as_of: str) -> tuple[Lesson, ...]:
    """Judge all tests of a project.

    Parameters
    ----------
    tests : sequence of Experiment
    sizes : dict of str to int
        Customers of each segment, by its address.
    as_of : str
        Date of the data.
    """
    verdicts, apart = judge(tests), judge_segments(tests)
    return tuple(
        replace(
            _lesson(test, verdicts.get(test.name, ""), sizes, as_of),
            parts=tuple(
                _lesson(_narrow(test, effect), apart[test.name, effect.segment], sizes, as_of)
                for effect in (test.results.effects[1:] if test.results else ())
            ),
        )
        for test in tests
    )


def _lesson(test: Experiment, verdict: Verdict | str, sizes: dict[str, int], as_of: str) -> Lesson:
    n = sum(sizes.get(slug, 0) for slug in test.segments)
    lesson = Lesson(replace(test, groups=""), verdict, test.days_left(as_of), n)
    effect = lesson.effect
    if not effect or not test.results or effect.lift is None or effect.low is None or effect.high is None:
        return lesson
    each = 1.0 if test.kpi == "spend" else test.results.order_value
    if each is not None:
        worth, low, high = (float(f"{x * n * each:.2g}") for x in (effect.lift, effect.low, effect.high))
        return replace(lesson, worth=worth, worth_low=low, worth_high=high)
    if test.results.kind == "share":
        return replace(lesson, more_low=float(f"{effect.low * n:.2g}"), more_high=float(f"{effect.high * n:.2g}"))
    return lesson


def _narrow(test: Experiment, effect: Effect) -> Experiment:
    """Return a test as if it had been one of a single segment."""
    results = replace(test.results, effects=(effect,), boot_low=None, boot_high=None) if test.results else None
    return replace(test, segments=(effect.segment,), results=results)


def say_effect(lesson: Lesson, formats: Formats) -> str:
    """State the effect of a measured test in plain words; empty where none may be shown."""
    test, effect = lesson.test, lesson.effect
    if effect is None or effect.lift is None or effect.low is None or effect.high is None:
        return ""
    if lesson.verdict == "invalid":
        return ""
    way = "more" if effect.lift >= 0 else "fewer" if test.kpi in COUNTED.values() else "less"
    if test.results and test.results.kind == "share":
        what = WORDS[test.kpi] if test.kpi in COUNTED else f"“{test.kpi}”"
        groups = f"{formats.percent(effect.rate_treated or 0)} against {formats.percent(effect.rate_control or 0)}"
        head = f"Of those who got it, {groups} of the others {what}"
        if test.kpi not in COUNTED:
            head = f"{what}: {groups} in the control group"
        lift, low, high = (100 * x for x in (effect.lift, effect.low, effect.high))
        span = _span(low, high, lambda x: f"{x:.3g}", "fewer")
        if not lift:
            return f"{head}: no difference (95% interval {span} percentage points)."
        return f"{head}: {abs(lift):.3g} percentage points {'more' if lift > 0 else 'fewer'} (95% interval {span})."
    unit = "money" if test.kpi == "spend" else "number"
    rates = [formats.value(x, unit) for x in (effect.rate_treated, effect.rate_control)]
    fewer = "fewer" if test.kpi in COUNTED.values() else "less"
    span = _span(effect.low, effect.high, lambda x: formats.value(x, unit), fewer)
    name = WORDS.get(test.kpi, test.kpi)
    change = f"{formats.value(abs(effect.lift), unit)} {way}" if effect.lift else "no difference"
    return (
        f"{name[:1].upper()}{name[1:]}: {rates[0]} with the action, {rates[1]} without. That is {change} "
        f"(95% interval {span})."
    )


def _span(low: float, high: float, write: Callable[[float], str], less: str) -> str:
    """Write the ends of an interval without signs.

    >>> _span(2, 5, str, "less"), _span(-5, -2, str, "less"), _span(-1, 4, str, "less")
    ('2 to 5', '2 to 5', '1 less to 4 more')
    """
    if low >= 0:
        return f"{write(low)} to {write(high)}"
    return f"{write(-high)} to {write(-low)}" if high <= 0 else f"{write(-low)} {less} to {write(high)} more"


def say_verdict(lesson: Lesson, formats: Formats) -> str:
    """Say what to do after a test, or where it stands."""
    test = lesson.test
    if lesson.verdict == "":
        if test.status == "running":
            days = "day" if lesson.days_left == 1 else "days"
            if lesson.days_left:
                return f"Running, {lesson.days_left} {days} left. No effect is shown before the end."
            return "The window has ended and the result is not in yet."
        return {"planned": "Planned, not started.", "stopped": "Stopped before the end, so it has no result."}.get(
            test.status, ""
        )
    worth, whose = "", "segment" if len(test.segments) == 1 else "segments"
    if lesson.worth_low is not None and lesson.worth_high is not None and lesson.verdict == "helps":
        worth = formats.interval(lesson.worth_low, lesson.worth_high, "money")
        worth = f" For all customers of the {whose} that is worth {worth} in {test.days} days{_say_order(lesson)}."
    elif lesson.more_low is not None and lesson.more_high is not None and lesson.verdict == "helps":
        more = _span(lesson.more_low, lesson.more_high, lambda x: formats.value(x, "number"), "fewer")
        more += " more" if lesson.more_low >= 0 else " fewer" if lesson.more_high <= 0 else ""
        who = f"who {WORDS[test.kpi]}" if test.kpi in COUNTED else f"with “{test.kpi}”"
        worth = f" Among all customers of the {whose} that is {more} {who} in {test.days} days."
    return {
        "helps": f"It works: extend it to everyone in the {whose}.{worth}",
        "harms": "It does harm: stop it.",
        "mixed": "It helps in one part and harms in another, so decide for each segment.",
        "useless": "It brings too little to notice: drop it, or change it.",
        "open": "No effect was shown, and a useful one is not ruled out: repeat it with more customers.",
        "invalid": "The groups are not as large as they were drawn, so the result cannot be trusted.",
        "withheld": "Too few customers are behind the result to publish it.",
    }[lesson.verdict]


def _say_order(lesson: Lesson) -> str:
    """Say what an order is taken to be worth, where a test counted orders."""
    if lesson.test.kpi == "spend":
        return ""
    return ", if the additional orders are as large as those of the control group"


def say_result(lesson: Lesson, formats: Formats) -> str:
    """State the effect of a test, and what to do."""
    return f"{say_effect(lesson, formats)} {say_verdict(lesson, formats)}".strip()


def learn(slug: str, plan: tuple[Slot, ...], lessons: Sequence[Lesson], formats: Formats) -> tuple[Slot, ...]:
    """Put measured values into the plan of a segment: lesson, baseline, and the prize where money was measured."""
    by_action = {
        (lesson.test.slot, lesson.test.title): lesson.of(slug)
        for lesson in lessons
        if lesson.verdict and lesson.test.action and slug in lesson.test.segments
    }
    return tuple(
        _learn(slot, lesson, formats) if (lesson := by_action.get((slot.slot, slot.action))) else slot for slot in plan
    )


def _learn(slot: Slot, lesson: Lesson, formats: Formats) -> Slot:
    said = say_result(lesson, formats)
    slot = replace(slot, lesson=said, verdict=lesson.verdict)
    effect, test = lesson.effect, lesson.test
    if effect is None or effect.lift is None or lesson.verdict in ("invalid", "withheld"):
        return slot
    shown = test.results is not None and test.results.kind == "share" and effect.rate_control is not None
    if slot.design and shown and effect.rate_control and 0 < effect.rate_control < 1:
        rate = round_rate(effect.rate_control)
        halves = [
            Holdout(h.treated, h.held, detectable(rate, h.treated, h.held, slot.design.better))
            for h in (slot.design.half, slot.design.tenth)
        ]
        design = replace(
            slot.design, baseline=rate, source=f"measured in the control group of test {test.name}", assumed=False,
            half=halves[0], tenth=halves[1], sentence=f"Tested from {test.start} to {test.stop}. {said}",
            tenth_sentence="", help="", rows=(),
        )  # fmt: skip
        slot = replace(slot, design=design)
    if lesson.verdict in SINKS:
        return replace(slot, prize_low=0.0, prize_high=0.0, prize="", prize_shares=None, prize_of="", assuming="")
    if lesson.verdict == "helps" and lesson.worth_low is not None and lesson.worth_high is not None:
        low, high = max(lesson.worth_low, 0.0), max(lesson.worth_high, 0.0)
        text = f"Worth {formats.interval(low, high, 'money')} in {test.days} days, as measured in a test"
        text += f"{_say_order(lesson)}."
        return replace(slot, prize_low=low, prize_high=high, prize=text, prize_shares=None, prize_of="", assuming="")
    return slot


def describe_measured(root: Path, study: Study, tests: Sequence[str]) -> list[str]:
    """Say what the named tests taught, for a terminal; nothing for those without results."""
    members = read_members(root)
    sizes = {str(slug): int(n) for slug, n in pd.Series(members["slug"]).value_counts().items()}
    names = dict(zip(members["slug"], members["segment"] + " (" + members["segment_name"] + ")", strict=True))
    formats = Formats(study.currency, study.customers, study.min_cell)
    with localized(study.locale):
        lines = []
        for lesson in gather_lessons(read_experiments(root), sizes, ""):
            results = lesson.test.results
            if lesson.test.name not in tests or results is None:
                continue
            lines.append(f"{lesson.test.name}: {say_result(lesson, formats)}")
            lines += [
                f"  Segment {names.get(part.test.segments[0], part.test.segments[0])}: {say_result(part, formats)}"
                for part in sorted(lesson.parts, key=lambda part: names.get(part.test.segments[0], ""))
            ]
            lines += [f"  {line}" for line in list_checks(lesson)]
        return lines


def _say_heavy(results: Results) -> str:
    """State what was done about a few heavy customers, and the interval without it; empty where nothing was."""
    if not results.winsorised:
        return ""
    capped = "A few customers make up much of the outcome, so the largest outcomes were set to the 99th percentile."
    if results.boot_low is None or results.boot_high is None:
        return capped
    low, high = (number(end, 2, "+") for end in (results.boot_low, results.boot_high))
    return f"{capped} Without that, the 95% bootstrap interval of the difference is {low} to {high}."


def list_checks(lesson: Lesson) -> list[str]:
    """List what was checked and done besides the comparison."""
    results = lesson.test.results
    if results is None:
        return []
    lost = max(results.attrition)
    return [
        line
        for line in (
            f"Contacts: {number(results.effects[0].treated)}; held back: {number(results.effects[0].control)}.",
            f"Sample ratio: p = {results.sample_ratio:.3g}.",
            f"Outcomes before the start narrowed the interval by {100 * results.narrowed:.0f}%."
            if results.narrowed > 0
            else "",
            _say_heavy(results),
            f"No outcome is known for up to {100 * lost:.0f}% of a group." if lost else "",
        )
        if line
    ]
