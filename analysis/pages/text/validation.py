"""The trials on customers whose truth is known: tables and the sentences that sum them up."""

from __future__ import annotations

from analysis.base.formats import Formats, joined, number, retold
from analysis.pages.figures import Table
from analysis.report.model import VERDICTS
from analysis.report.parts import Planted, Rate, Validation

AIM = 0.9
"""Share of tries with the right number of groups that the whole line is held to. Ours."""

FORMATS = Formats()


def in_short(found: Validation) -> str:
    """What a manager should remember."""
    right, said = found.right, found.said_so
    return (
        f"In {right.held} of {right.tries} tries with known groups it found the right number; in {said.held} of "
        f"{said.tries} tries without groups it said so."
    )


def weak_spots(found: Validation) -> str:
    """Where the right number was missed most, and what lies beyond."""
    within = [p for p in found.planted if not p.beyond]
    worst = min(within, key=lambda p: p.right.held / max(p.right.tries, 1))
    text = f"It does worst with {worst.title.lower()}: right in {of(worst.right)}."
    for p in found.planted:
        if p.beyond:
            text += (
                f" {p.title} are beyond it: it looks for groups around centres, and agrees with the truth there to "
                f"{number(p.agreement, 2)} only, whatever number it finds."
            )
    return text


def stretched(found: Validation) -> str:
    """How often features that hang together without groups were taken for groups."""
    return " ".join(
        f"{g.title} has no groups either, but features that hang together can be cut the same way again and again. The "
        "verdict “reproducible” then says that the segments are cuts through a continuum. It was called natural in "
        f"{g.verdicts.get('natural', 0)} of {g.said_so.tries} tries."
        for g in found.groupless
        if g.connected
    )


def with_groups(found: Validation) -> Table:
    """Every condition with known groups."""
    return Table(
        (
            "Condition",
            "What is planted",
            "Right number",
            "95 % interval",
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
            for p in found.planted
        ),
    )


def without_groups(found: Validation) -> Table:
    """Every condition without groups, by verdict."""
    return Table(
        ("Customers", *(title for title, _ in VERDICTS.values()), "Said so", "95 % interval"),
        tuple(
            (
                f"{g.title}: {retold(g.about)}",
                *(str(g.verdicts.get(kind, 0)) for kind in VERDICTS),
                of(g.said_so),
                interval(g.said_so),
            )
            for g in found.groupless
        ),
    )


def rivals(found: Validation) -> Table:
    """Each way to segment over all tries."""
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
            for w in found.ways
        ),
    )


def rivals_by_condition(found: Validation) -> Table:
    """Right numbers of groups of each way, condition by condition."""
    return Table(
        ("Condition", *(w.title for w in found.ways)),
        tuple((p.title, of(p.right), *(of(p.rivals[w.name]) for w in found.ways[1:])) for p in found.planted),
    )


def losses(found: Validation) -> list[str]:
    """Where another way does better than ours."""
    own, others = found.ways[0], found.ways[1:]
    told = []
    for way in others:
        better = [p.title.lower() for p in found.planted if share_text(p.rivals[way.name]) > share_text(p.right)]
        if better:
            told.append(f"{way.title} finds the right number more often with {joined(better)}.")
        if way.agreement > own.agreement:
            told.append(
                f"{way.title} agrees more with the truth over all tries ({number(way.agreement, 2)} against "
                f"{number(own.agreement, 2)})."
            )
        if share_text(way.said_so) > share_text(own.said_so):
            told.append(f"{way.title} says more often that there are no groups where there are none.")
    fastest = min(others, key=lambda w: w.seconds)
    told.append(
        f"All are faster: {fastest.title} takes {_seconds(fastest.seconds)} a try, this project "
        f"{_seconds(own.seconds)}, as it fits thousands of resamples."
        if all(w.seconds < own.seconds for w in others)
        else f"{fastest.title} takes {_seconds(fastest.seconds)} a try, this project {_seconds(own.seconds)}."
    )
    return told


def published(found: Validation) -> Table:
    """Numbers that others published."""
    rows = tuple((p.what, p.source, retold(p.published), retold(p.found)) for p in found.published)
    return Table(("What", "Source", "Published", "Found here"), rows)


def how_compared(found: Validation) -> Table:
    """What each way does."""
    return Table(("Way", "What it does"), tuple((w.title, retold(w.about)) for w in found.ways))


def of(rate: Rate) -> str:
    """A rate as counts, on one line."""
    return _together(f"{rate.held} of {rate.tries}")


def interval(rate: Rate) -> str:
    """The interval of a rate."""
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
