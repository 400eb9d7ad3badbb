"""All actions of all segments: ranked, the first three, and a calendar of tests for one quarter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from markupsafe import Markup

from analysis.base.formats import in_words, joined, percentage, short_percentage
from analysis.pages.figures import Table
from analysis.report.lessons import SINKS, STATES, Lesson, list_checks, say_result
from analysis.report.model import Report, Segment
from analysis.report.parts import Design, Slot

TITLES = {
    "campaign": "Campaign",
    "recommendation": "Recommendation",
    "service": "Service",
    "product": "Product",
    "retention": "Retention",
}
EFFORTS = {"low": 1.0, "medium": 2.0, "high": 4.0}
"""Cost of an effort, relative to a low one. Weights chosen for this project."""
CERTAINTY = {"clear": 1.0, "fair": 0.8, "coarse": 0.5}
"""Weight of how much a test can tell: a fine design on a baseline from the data is clear, on an assumed one fair; a
coarse design or an unknown baseline is coarse. Weights chosen for this project."""
FIRST = 3
QUARTER_WEEKS = 13
BETWEEN_WEEKS = 1
"""Week between two tests of a segment, to read the first."""


@dataclass(frozen=True, slots=True)
class Row:
    """An action of a segment in the ranking.

    Attributes
    ----------
    rank : int
    segment : Segment
    slot : Slot
    title : str
        Name of the slot.
    url : Markup
        Address of the plan on the persona page.
    certainty : {"clear", "fair", "coarse"}
    prize : str
        Range of what it may bring; empty without a value.
    shows : str
        Smallest change that a test detects.
    contacts : int
        Customers or visits that get the action in a test with half held back.
    weight : Markup
        Certainty against effort, by which the middle of the prize is weighed, as scripts read numbers.
    score : float
    """

    rank: int
    segment: Segment
    slot: Slot
    title: str
    url: Markup
    certainty: str
    prize: str
    shows: str
    contacts: int
    weight: Markup
    score: float


@dataclass(frozen=True, slots=True)
class Prize:
    """The sentence about a prize, in parts of which a reader can change the shares that are assumed.

    Attributes
    ----------
    key : str
        Names the action in the page's memory of changed shares.
    total : Markup
        What the shares are shares of, as scripts read numbers.
    worth : str
        The range as published.
    pattern : str
        The range with {low} and {high} in place of the numbers.
    low, high : Markup
        The shares in per cent, as a number field takes them.
    sign : str
        The per cent sign as the locale puts it after a number.
    of, assuming : str
        What follows the range and the shares.
    """

    key: str
    total: Markup
    worth: str
    pattern: str
    low: Markup
    high: Markup
    sign: str
    of: str
    assuming: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A printable page about one action.

    Attributes
    ----------
    id : Markup
        Its anchor on the page.
    row : Row
    audience : str
        Who gets the action.
    """

    id: Markup
    row: Row
    audience: str


@dataclass(frozen=True, slots=True)
class Booking:
    """A test in the calendar, in weeks from 1; an empty title is a pause."""

    first: int
    weeks: int
    title: str
    action: str


def rank_actions(report: Report) -> tuple[Row, ...]:
    """Rank the actions of all segments by the middle of the prize against effort and certainty.

    Without a value the share of customers stands in for the prize.
    """
    formats = report.formats()
    unit = report.variable(report.study.value).unit if report.study.value else "number"
    rows = []
    for segment in report.segments:
        for slot in segment.plan:
            if not slot.action:
                continue
            certainty = judge_certainty(slot.design)
            low, high = slot.prize_low, slot.prize_high
            worth = (low + high) / 2 if low is not None and high is not None else segment.share
            prize = ""
            if low is not None and high is not None:
                prize = formats.interval(low, high, unit) if low != high else formats.value(low, unit)
            # An action that a test found useless or harmful stands last.
            weight = 0.0 if slot.verdict in SINKS else CERTAINTY[certainty] / EFFORTS[slot.effort]
            contacts = slot.design.half.treated if slot.design else segment.n
            url = Markup(f"segments/{segment.slug}.html#plan")
            shows = describe_change(slot.design)
            weighed = (contacts, Markup(f"{weight:.6g}"), worth * weight)
            rows.append(Row(0, segment, slot, TITLES[slot.slot], url, certainty, prize, shows, *weighed))
    rows.sort(key=lambda row: (-row.score, row.segment.id, list(TITLES).index(row.slot.slot)))
    return tuple(replace(row, rank=i) for i, row in enumerate(rows, 1))


def find_prize(report: Report, segment: Segment, slot: Slot) -> Prize | None:
    """Return a prize whose assumption is a share of the segment's value; None for any other."""
    low, high, shares = slot.prize_low, slot.prize_high, slot.prize_shares
    if low is None or high is None or shares is None or segment.value_total is None or not report.study.value:
        return None
    formats, unit = report.formats(), report.variable(report.study.value).unit
    worth = formats.interval(low, high, unit)
    first, _, second = worth.partition(" to ")
    ends = (first.replace(formats.plain(low), "{low}"), second.replace(formats.plain(high), "{high}"))
    least, most = (Markup(f"{100 * share:.3g}") for share in shares)
    sign = percentage(1).replace("100", "")
    key = brief_id(segment, slot)
    total = Markup(f"{segment.value_total:.12g}")
    return Prize(key, total, worth, " to ".join(ends), least, most, sign, slot.prize_of, slot.assuming)


def brief_id(segment: Segment, slot: Slot) -> Markup:
    """Return the anchor of an action on the page of briefs."""
    return Markup(f"{segment.slug}-{slot.slot}")


def briefs(report: Report) -> tuple[Brief, ...]:
    """Return a brief for each action, by segment and in the order of the plan."""
    formats, rows = report.formats(), rank_actions(report)
    by_action: dict[tuple[int, str], Row] = {(row.segment.id, row.slot.slot): row for row in rows}
    found = []
    for segment in report.segments:
        for name in TITLES:
            row = by_action.get((segment.id, name))
            if row is None:
                continue
            people = formats.people(segment.n)
            audience = f"{segment.name}: {people} {report.study.customers}, {formats.percent(segment.share)} of all."
            found.append(Brief(brief_id(segment, row.slot), row, audience))
    return tuple(found)


def judge_certainty(design: Design | None) -> str:
    """Judge how much a test can tell."""
    if design is None or design.baseline is None or not design.feasible:
        return "coarse"
    return "fair" if design.assumed else "clear"


def describe_change(design: Design | None) -> str:
    """State the smallest change that a test with half held back detects."""
    if design is None:
        return ""
    if design.baseline is None:
        first = next((row for row in design.rows if row.half is not None), None)
        return (
            f"{short_percentage(first.baseline)} to {short_percentage(first.half or 0)}, for example" if first else ""
        )
    if design.half.detects is None:
        return "only a change for the worse"
    note = " (assumed)" if design.assumed else ""
    return f"{short_percentage(design.baseline)} to {short_percentage(design.half.detects)}{note}"


def source(design: Design) -> str:
    """Say where the baseline of a test is from."""
    if design.baseline is None:
        return f"{design.kpi[:1].upper()}{design.kpi[1:]}: {design.source}."
    if design.source.startswith("assumed: "):
        return f"{design.source[:1].upper()}{design.source[1:]}."
    return f"Baseline from the data: {design.source}."


def source_line(report: Report) -> str:
    """Name the study that an action is from, its date, and how far to trust its segments."""
    formats = report.formats()
    dated = f", as of {formats.date(report.study.as_of)}" if report.study.as_of else ""
    until = f" To be used until {formats.date(report.card.valid_until)}." if report.card.valid_until else ""
    made = " Synthetic demonstration data." if report.study.synthetic else ""
    return f"{report.study.title}{dated}. {report.verdict.title}.{until}{made}"


def first_rows(report: Report) -> tuple[Row, ...]:
    """Choose what to start with: the best action of each of the three segments that have the best ones."""
    ranked = rank_actions(report)
    best = {row.segment.id: row for row in reversed(ranked)}
    chosen = sorted((row for row in best.values() if row.score > 0), key=lambda row: row.rank)[:FIRST]
    return tuple(chosen)


def first_slot(report: Report, segment: Segment) -> Slot | None:
    """Return the action that a segment should start with; None without a plan."""
    ranked = (row for row in rank_actions(report) if row.segment.id == segment.id)
    return next((row.slot for row in ranked if row.slot.verdict not in SINKS), None)


def say_why(report: Report, row: Row) -> str:
    """Say why an action is among the first."""
    certainty = {
        "clear": "A test can show the effect, and the data give the baseline.",
        "fair": "A test can show the effect if the assumed baseline is right.",
        "coarse": "A test shows large effects only.",
    }[row.certainty]
    return f"The effort is {row.slot.effort}. {certainty}"


def lead(report: Report) -> str:
    """State in a sentence where to start."""
    first = first_rows(report)
    if not first:
        return "There is no plan for this study."
    letters = joined([row.segment.letter for row in first])
    return f"Start with segment{'s' if len(first) > 1 else ''} {letters}, one test in each."


def needs(report: Report) -> tuple[tuple[str, str, str], ...]:
    """List the slots without an action: segment, slot and the data that would fill it."""
    return tuple(
        (f"{s.letter} · {s.name}", TITLES[slot.slot], slot.needs)
        for s in report.segments
        for slot in s.plan
        if slot.needs
    )


def calendar(report: Report) -> tuple[tuple[Segment, tuple[Booking, ...]], ...]:
    """Plan the tests of a quarter: one at a time in a segment, the best first, as long as they end within 13 weeks."""
    ranked = rank_actions(report)
    plans = []
    for segment in report.segments:
        tests: list[Booking] = []
        week = 1
        for row in (row for row in ranked if row.segment.id == segment.id and row.slot.design):
            weeks = row.slot.design.weeks if row.slot.design else 0
            if week + weeks - 1 > QUARTER_WEEKS:
                continue
            if tests:
                tests.append(Booking(week - BETWEEN_WEEKS, BETWEEN_WEEKS, "", ""))
            tests.append(Booking(week, weeks, row.title, row.slot.action))
            week += weeks + BETWEEN_WEEKS
        if tests:
            end = tests[-1].first + tests[-1].weeks
            if end <= QUARTER_WEEKS:
                tests.append(Booking(end, QUARTER_WEEKS - end + 1, "", ""))
            plans.append((segment, tuple(tests)))
    return tuple(plans)


def assumed(report: Report) -> Table:
    """List the rates that tests assume, with what they are assumed of."""
    seen: dict[str, list[str]] = {}
    for segment in report.segments:
        for slot in segment.plan:
            if slot.design and slot.design.assumed and slot.design.baseline is not None:
                letters = seen.setdefault(slot.design.source.removeprefix("assumed: "), [])
                if segment.letter not in letters:
                    letters.append(segment.letter)
    return Table(("Assumed", "In the plans of"), tuple((what, ", ".join(letters)) for what, letters in seen.items()))


def choices(report: Report) -> dict[str, list[tuple[str, str]]]:
    """List what the filters offer: value and text of each option, by filter."""
    rows = rank_actions(report)
    segments = {row.segment.letter: f"{row.segment.letter} · {row.segment.name}" for row in rows}
    return {
        "slot": [(name, title) for name, title in TITLES.items() if any(row.slot.slot == name for row in rows)],
        "segment": sorted(segments.items()),
        "channel": [(name, name) for name in sorted({row.slot.channel for row in rows})],
        "effort": [(name, name) for name in EFFORTS if any(row.slot.effort == name for row in rows)],
    }


OUTCOMES = (
    ("helps", "works", "work"),
    ("harms", "does harm", "do harm"),
    ("mixed", "helps one segment and harms another", "help one segment and harm another"),
    ("useless", "brings too little to notice", "bring too little to notice"),
    ("open", "shows no effect yet", "show no effect yet"),
    ("invalid", "cannot be trusted", "cannot be trusted"),
    ("withheld", "is too small to publish", "are too small to publish"),
)
"""Verdict, and what is said of one test and of several."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A test on the page about tests.

    Attributes
    ----------
    title : str
        What was done.
    segments : tuple of Segment
        Those that it was done in, as far as they are still published.
    state : str
        One or two words.
    said : str
        Effect and what to do, or where the test stands.
    hypothesis, details : str
    parts : tuple of (Segment, str, str)
        Each segment of a test of several, with state and what is said of it.
    """

    title: str
    segments: tuple[Segment, ...]
    state: str
    said: str
    hypothesis: str
    details: str
    parts: tuple[tuple[Segment, str, str], ...] = ()


def say_learned(report: Report) -> str:
    """State in a sentence what the tests taught so far."""
    verdicts = [lesson.verdict for lesson in report.lessons if lesson.verdict]
    n_running = sum(lesson.test.status == "running" for lesson in report.lessons)
    running = f"{in_words(n_running).capitalize()} {'is' if n_running == 1 else 'are'} running." if n_running else ""
    if not verdicts:
        return f"No test has a result yet. {running}".strip()
    parts = [
        f"{'it' if len(verdicts) == 1 else in_words(n)} {one if n == 1 else several}"
        for verdict, one, several in OUTCOMES
        if (n := verdicts.count(verdict))
    ]
    have = (
        "One test has a result" if len(verdicts) == 1 else f"{in_words(len(verdicts)).capitalize()} tests have results"
    )
    return f"{have}: {joined(parts)}. {running}".strip()


def list_learned(report: Report) -> tuple[Learned, ...]:
    """List all tests: those with results first, then those that are running, planned and stopped."""
    order = ["measured", "running", "planned", "stopped"]
    lessons = sorted(report.lessons, key=lambda lesson: (order.index(lesson.test.status), lesson.test.start))
    return tuple(_learned(report, lesson) for lesson in lessons)


def _learned(report: Report, lesson: Lesson) -> Learned:
    formats, test = report.formats(), lesson.test
    segments = tuple(s for s in report.segments if s.slug in test.segments)
    window = f"From {formats.date(test.start)} to {formats.date(test.stop)}, {100 * test.holdout:.0f}% held back."
    details = " ".join([window, *list_checks(lesson)])
    apart = ((segment, lesson.of(segment.slug)) for segment in segments if lesson.parts)
    parts = tuple((segment, _state(part), say_result(part, formats)) for segment, part in apart)
    return Learned(test.title, segments, _state(lesson), say_result(lesson, formats), test.hypothesis, details, parts)


def _state(lesson: Lesson) -> str:
    return STATES.get(lesson.verdict, lesson.test.status)


def lessons_of(report: Report, segment: Segment) -> tuple[str, ...]:
    """List what tests taught about the actions of a segment, one sentence or two each."""
    formats = report.formats()
    return tuple(
        f"{lesson.test.title.rstrip('.')}: {say_result(lesson.of(segment.slug), formats)}"
        for lesson in report.lessons
        if lesson.verdict and segment.slug in lesson.test.segments
    )


def fairness(report: Report) -> tuple[list[tuple[str, ...]], list[list[tuple[str, ...]]]]:
    """List how segments and their actions differ by protected attribute."""
    percent, effect = report.formats().percent, report.formats().effect
    rows, uneven = [], []
    for d in report.card.protected:
        known = () if d.strength is None else (f"{d.measure} {effect(d.strength)}", percent(d.base), percent(d.hit))
        rows.append((d.label, d.guessed, *(known or ("–", "–", "–"))))
        uneven.append([(r.segments, "; ".join(r.actions), *map(percent, r.shares)) for r in d.uneven])
    return rows, uneven
