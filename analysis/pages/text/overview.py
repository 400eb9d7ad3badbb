"""Words and picture of the Overview, and the sentence with which each page of evidence opens: what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from analysis.base.formats import in_sentence, in_words, joined, number
from analysis.pages.figures import ladder_axis
from analysis.report.model import Report, Segment

FRACTIONS = ((1 / 4, "one in four"), (1 / 3, "one in three"), (2 / 3, "two in three"), (3 / 4, "three in four"))
"""Shares in words beside the tenths."""
NEAR = 0.026
"""How far a share may lie from a fraction in words that stands for it. Threshold chosen for this project."""
EVEN = 0.05
"""Shares of customers and of value that differ by less are called alike. Threshold chosen for this project."""
NEARLY_COMPLETE, MANY_MISSING = 0.01, 0.1
"""Shares of missing cells that are called few and many. Thresholds chosen for this project."""
TALLEST = 100
"""Height of the segment with the highest value per customer, in per cent of the picture."""


@dataclass(frozen=True, slots=True)
class Column:
    """A segment in the picture: ``width`` is its share of customers, ``width`` times ``height`` goes by its value."""

    segment: Segment
    width: Markup
    height: Markup
    size: str
    worth: str


def finding(report: Report) -> str:
    """State the main finding in one sentence, which is true at the edges of the data.

    Examples: "Three in ten customers bring three in five of total spend", and for segments without a value "The
    customers form four groups; the largest holds 34%".
    """
    people, segments = report.study.customers, report.segments
    if report.verdict.kind == "none":
        return f"The data show no groups of {people} that can be told apart reliably"
    if len(segments) == 1:
        return f"{who_form(report)} one group"
    groups = f"{who_form(report)} {in_words(len(segments))} groups"
    largest = max(segments, key=lambda s: s.share)
    worth = report.value_label()
    if not has_value(report):
        return f"{groups}; the largest holds {report.formats().percent(largest.share)}"
    best = max(segments, key=lambda s: (s.value_share or 0) - s.share)
    gain = (best.value_share or 0) - best.share
    if gain < EVEN:
        return f"{groups}; each brings about as much {in_sentence(worth)} as its size suggests"
    few, much = (in_fraction(share) for share in (best.share, best.value_share or 0))
    if few and much:
        who = f"Half of the {people}" if few == "half" else f"{few[0].upper()}{few[1:]} {people}"
        return f"{who} {'brings' if few.startswith('one ') else 'bring'} {much} of {in_sentence(worth)}"
    shares = [report.formats().percent(share) for share in (best.share, best.value_share or 0)]
    return f"{shares[0]} of {people} bring {shares[1]} of {in_sentence(worth)}"


def who_form(report: Report) -> str:
    """Name those who form the segments, without the customers that are in none."""
    people, n, left = report.study.customers, report.study.n_customers, report.unassigned
    if not left:
        return f"The {people} form"
    if left >= n / 2:
        return f"{report.formats().percent(1 - left / n)} of {people} form"
    return f"All but {'a few' if left < report.study.min_cell else number(left)} {people} form"


def in_fraction(share: float) -> str:
    """Say a share in words where a fraction is near enough, else nothing.

    >>> in_fraction(0.3), in_fraction(0.62), in_fraction(0.26), in_fraction(0.45)
    ('three in ten', 'six in ten', 'one in four', '')
    """
    tenths = round(10 * share)
    if 1 <= tenths <= 9 and abs(tenths / 10 - share) < NEAR:
        return "half" if tenths == 5 else f"{in_words(tenths)} in ten"
    fraction, words = min(FRACTIONS, key=lambda each: abs(each[0] - share))
    return words if abs(fraction - share) <= NEAR else ""


def has_value(report: Report) -> bool:
    """Return whether every segment has a share of value, and none a negative one."""
    return all(s.value_share is not None and s.value_share >= 0 for s in report.segments)


def block_heights(segments: Sequence[Segment]) -> list[float]:
    """Return the height of each block, the tallest being 1: value a customer; the same for all without a value."""
    if any(s.value_share is None for s in segments):
        return [1.0 for _ in segments]
    rates = [max(s.value_share or 0.0, 0.0) / s.share if s.share else 0.0 for s in segments]
    return [rate / (max(rates) or 1) for rate in rates]


def draw_columns(report: Report) -> tuple[Column, ...]:
    """Draw the segments side by side: width for customers, area for value; all equally high without a value."""
    formats, total = report.formats(), sum(s.share for s in report.segments)
    worth = f"of {in_sentence(report.value_label())}" if report.value_label() else ""
    worth_something = has_value(report) and any(s.value_share for s in report.segments)
    heights = block_heights(report.segments) if worth_something else [1.0] * len(report.segments)
    return tuple(
        Column(
            s,
            Markup(f"{100 * s.share / total:.3f}"),
            Markup(f"{TALLEST * height:.3f}"),
            f"{formats.percent(s.share)} of {report.study.customers}",
            f"{formats.percent(s.value_share)} {worth}" if s.value_share is not None else "",
        )
        for s, height in zip(report.segments, heights, strict=True)
    )


def read_picture(report: Report) -> str:
    """Say how to read the picture, and who is not in it."""
    value = in_sentence(report.value_label())
    how = (
        f"Width: {report.study.customers}. Height: {value} per customer. Area: {value}."
        if has_value(report)
        else f"Width: {report.study.customers}. The data do not say what each segment is worth."
    )
    if not report.unassigned:
        return how
    left = f"{report.formats().people(report.unassigned)} {report.study.customers}"
    return f"{how} {left} belong to no segment and are not drawn."


def trust(report: Report) -> str:
    """Say in one sentence how far to rely on the segments."""
    k = len(report.segments)
    segments = f"the {in_words(k)} segments" if k > 1 else "the segment"
    shaky = [s.letter for s in report.segments if s.band in {"a pattern", "do not trust"}]
    reliable = {
        "natural": f"You can rely on {segments}: they are separate groups that return in every resample.",
        "reproducible": f"You can rely on {segments}, but treat the borders between them as soft.",
        "constructive": f"Use {segments} to organise work, not as a discovery: the data have no separate groups.",
        "none": "Do not act on the split that was tried: it is no better than chance.",
    }[report.verdict.kind]
    if report.verdict.kind != "none" and report.evidence.ladder:
        reliable = f"Treat {segments} as levels of one thing, {ladder_axis(report)}: no gap parts them."
    if report.evidence.shapes:
        reliable = f"Use {segments} to organise work, not as a discovery: the data hold groups of another shape."
    if report.verdict.kind == "none" or not shaky or len(shaky) == k:
        return reliable
    return (
        f"{reliable} Be careful with {joined(shaky)}, which {'returns' if len(shaky) == 1 else 'return'} less reliably."
    )


def describe_data(report: Report) -> str:
    """Say what the data are and as of when."""
    study, formats = report.study, report.formats()
    made = "synthetic " if study.synthetic else ""
    dated = f", as of {formats.date(study.as_of)}" if study.as_of else ""
    total = ""
    if report.value_total is not None and study.value:
        variable = report.variable(study.value)
        period = f" {study.period}" if study.period else ""
        total = f", {in_sentence(variable.label)} {formats.value(report.value_total, variable.unit)}{period}"
    return f"{study.title}: {number(study.n_customers)} {made}{study.customers}{total}{dated}."


def span_of_data(report: Report) -> str:
    """Say from when to when the data are; those without a time span may still have a date."""
    card, date = report.card, report.formats().date
    if card.oldest and card.newest:
        return f"{date(card.oldest)} to {date(card.newest)}"
    return "one snapshot, without a time span" if report.study.as_of else "no dates in the data"


def evidence_title(report: Report) -> str:
    """Name the question that the page about the decision answers."""
    if report.verdict.kind == "none":
        return "Why no segments"
    k = len(report.segments)
    return f"Why {in_words(k)} segment{'' if k == 1 else 's'}"


def on_personas(report: Report) -> str:
    """Say in a sentence or two how many personas there are and what their pages hold."""
    k = len(report.segments)
    if report.verdict.kind == "none":
        return "No personas: the data show no groups that can be told apart reliably."
    if k == 1:
        return "One segment. Its page says who they are, what to do for them and how far to trust it."
    return (
        f"{in_words(k).capitalize()} segments, largest first. "
        "Each page says who they are, what to do for them and how far to trust it."
    )


def on_stability(report: Report) -> str:
    """Say in one sentence what the stability of the segments means for plans."""
    solid = [s for s in report.segments if s.band in {"highly stable", "valid"}]
    shaky = [s for s in report.segments if s not in solid]
    k = len(report.segments)
    if report.verdict.kind == "none":
        return "Plan with none of these segments: shuffled data give groups that return just as often."
    if not shaky:
        named = "The one segment is" if k == 1 else f"{'Both' if k == 2 else f'All {in_words(k)}'} segments are"
        returns = "it returns" if k == 1 else "each returns"
        return f"{named} safe to plan with: {returns} in other samples of {report.study.customers}."
    if not solid:
        return (
            f"Treat every segment as provisional: none returns reliably on other samples of {report.study.customers}."
        )
    safe, loose = (joined([s.letter for s in group]) for group in (solid, shaky))
    later = f"until a later run confirms {'it' if len(shaky) == 1 else 'them'}"
    return f"Plan with {safe}. Treat {loose} as provisional {later}."


def on_usefulness(report: Report) -> str:
    """Say in one sentence what the segments can be used to predict."""
    targets = report.proof.targets
    if not targets:
        return "Use the segments to understand, not to predict: these data cannot show whether they predict anything."
    beaten = [t for t in targets if t.beats_chance]
    if not beaten:
        return "Do not use the segments to predict: they do no better than chance."
    if lost := [t for t in targets if t.against == "loses"]:
        rivals = " or ".join(dict.fromkeys(in_sentence(t.rival) for t in lost))
        what = _how_many(len(lost), len(targets))
        if all(t.tiers_against in ("wins", "open") for t in lost):
            return (
                "Use the segments to decide what to say to whom. To choose whom to contact, use their halves, which "
                f"predict {what} about as well as {rivals}."
            )
        return (
            "Use the segments to decide what to say to whom. To choose whom to contact, take "
            f"{rivals}, which predict {what} better."
        )
    if grown := [t for t in beaten if any(s.name == "tree" and s.lead and s.lead.high < 0 for s in t.scores)]:
        return (
            "Use the segments to decide what to say to whom. To choose whom to contact, take a small decision tree, "
            f"which predicts {_how_many(len(grown), len(targets))} better."
        )
    return "You can use the segments to predict, as well as to understand and to plan."


def _how_many(n: int, targets: int) -> str:
    """Say on how many of the targets something holds."""
    if n < targets:
        return f"{in_words(n)} of {in_words(targets)} targets"
    return "it" if targets == 1 else "every target"


def on_data(report: Report) -> str:
    """Say in one sentence how complete the data are and what that means."""
    cells = sum(source.rows * source.columns for source in report.data.sources)
    share = report.data.missing_cells / cells if cells else 0.0
    if share < NEARLY_COMPLETE:
        return "The data are nearly complete, so missing values hardly affect the segments."
    gone = report.formats().percent(share)
    if share < MANY_MISSING:
        return f"Some values are missing ({gone}), so read the figures of the affected columns with care."
    return f"Many values are missing ({gone}), so the segments rest on the customers and columns that are known."
