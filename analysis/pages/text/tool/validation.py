"""Text and tables about the trials on data with known segments."""

from __future__ import annotations

from analysis.base.formats import Formats, joined, number, percentage, retold
from analysis.pages.figures import Table
from analysis.report.model import VERDICTS
from analysis.report.parts import Planted, Rate, Validation

AIM = 0.9
"""Share of tries with the right number of groups that the whole line is held to. Chosen for this project."""

FORMATS = Formats()


def in_short(trials: Validation) -> str:
    """Summarise the trials for managers."""
    right, said = trials.right, trials.said_so
    return (
        f"In {right.held} of {right.tries} tries with known groups it found the right number; in {said.held} of "
        f"{said.tries} tries without groups it said so."
    )


def weak_spots(trials: Validation) -> str:
    """Describe the conditions with most errors, and the limits of the trials."""
    within = [p for p in trials.planted if not p.beyond]
    worst = min(within, key=lambda p: p.right.held / max(p.right.tries, 1))
    text = f"It does worst with {worst.title.lower()}: right in {of(worst.right)}."
    for p in trials.planted:
        if p.beyond:
            text += (
                f" {p.title} are beyond it: it looks for groups around centres, and agrees with the truth there to "
                f"{number(p.agreement, 2)} only, whatever number it finds."
            )
    if trials.shaped and trials.misshaped:
        text += (
            f" It says itself that the data hold groups of another shape in {of(trials.shaped)} such tries, and "
            f"wrongly in {of(trials.misshaped)} others."
        )
    return text


def stretched(trials: Validation) -> str:
    """State how often correlated features without groups were reported as groups."""
    return " ".join(
        f"{g.title} has no groups either, but features that hang together can be cut the same way again and again. The "
        "verdict “reproducible” then says that the segments are cuts through a continuum. It was called natural in "
        f"{g.verdicts.get('natural', 0)} of {g.said_so.tries} tries."
        for g in trials.groupless
        if g.connected
    )


def with_groups(trials: Validation) -> Table:
    """List every condition with known groups."""
    return Table(
        (
            "Condition",
            "What is planted",
            "Right number",
            f"{percentage(0.95)} interval",
            "Agreement with the truth",
            "The oracle's",
            "Called natural",
        ),
        tuple(
            (
                p.title,
                retold(p.about),
                of(p.right),
                interval(p.right),
                number(p.agreement, 2),
                number(p.oracle, 2),
                f"{p.verdicts.get('natural', 0)} of {p.right.tries}",
            )
            for p in trials.planted
        ),
    )


def without_groups(trials: Validation) -> Table:
    """List every condition without groups, by verdict."""
    return Table(
        ("Customers", *(title for title, _ in VERDICTS.values()), "Said so", f"{percentage(0.95)} interval"),
        tuple(
            (
                f"{g.title}: {retold(g.about)}",
                *(str(g.verdicts.get(kind, 0)) for kind in VERDICTS),
                of(g.said_so),
                interval(g.said_so),
            )
            for g in trials.groupless
        ),
    )


def rivals(trials: Validation) -> Table:
    """List each method over all trials."""
    return Table(
        (
            "Way",
            "Right number",
            "Agreement with the truth",
            "Said so where there are none",
            "Time a try",
            "Default study",
        ),
        tuple(
            (
                w.title,
                of(w.right),
                number(w.agreement, 2),
                of(w.said_so),
                _seconds(w.seconds),
                _together(f"{w.study_k} groups in {_seconds(w.study_seconds)}"),
            )
            for w in trials.ways
        ),
    )


def rivals_by_condition(trials: Validation) -> Table:
    """List the correct numbers of groups of each method by condition."""
    return Table(
        ("Condition", *(w.title for w in trials.ways)),
        tuple((p.title, of(p.right), *(of(p.rivals[w.name]) for w in trials.ways[1:])) for p in trials.planted),
    )


def losses(trials: Validation) -> list[str]:
    """List where another method performs better."""
    this_tool, others = trials.ways[0], trials.ways[1:]
    sentences = []
    for way in others:
        better = [p.title.lower() for p in trials.planted if share_text(p.rivals[way.name]) > share_text(p.right)]
        if better:
            sentences.append(f"{way.title} finds the right number more often with {joined(better)}.")
        if way.agreement > this_tool.agreement:
            sentences.append(
                f"{way.title} agrees more with the truth over all tries ({number(way.agreement, 2)} against "
                f"{number(this_tool.agreement, 2)})."
            )
        if share_text(way.said_so) > share_text(this_tool.said_so):
            sentences.append(f"{way.title} says more often that there are no groups where there are none.")
    fastest = min(others, key=lambda w: w.seconds)
    sentences.append(
        f"All are faster: {fastest.title} takes {_seconds(fastest.seconds)} a try, this project "
        f"{_seconds(this_tool.seconds)}, as it fits thousands of resamples."
        if all(w.seconds < this_tool.seconds for w in others)
        else f"{fastest.title} takes {_seconds(fastest.seconds)} a try, this project {_seconds(this_tool.seconds)}."
    )
    return sentences


def published(trials: Validation) -> Table:
    """List results that others have published."""
    rows = tuple((p.what, p.source, retold(p.published), retold(p.found)) for p in trials.published)
    return Table(("What", "Source", "Published", "Found here"), rows)


def how_compared(trials: Validation) -> Table:
    """List how each method works."""
    return Table(("Way", "What it does"), tuple((w.title, retold(w.about)) for w in trials.ways))


def of(rate: Rate) -> str:
    """Format a rate as counts, on one line."""
    return _together(f"{rate.held} of {rate.tries}")


def interval(rate: Rate) -> str:
    """Format the interval of a rate."""
    return _together(f"{FORMATS.percent(rate.low)} to {FORMATS.percent(rate.high)}")


def _together(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def share_text(rate: Rate) -> float:
    return rate.held / rate.tries if rate.tries else 0.0


def worst(rows: list[Planted]) -> str:
    return min((p for p in rows if not p.beyond), key=lambda p: share_text(p.right)).title.lower()


def _seconds(seconds: float) -> str:
    return (
        f"{number(seconds)} s"
        if seconds >= 10
        else f"{number(seconds, 1)} s"
        if seconds >= 1
        else f"{number(1000 * seconds)} ms"
    )
