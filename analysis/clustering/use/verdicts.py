"""Scores of groupings on one target, and the verdict on them in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.base.formats import Formats, in_sentence, in_words, joined
from analysis.clustering.holdout import LEVEL, SCORES, Measure
from analysis.clustering.use.groupings import name_equals
from analysis.customers.lifetime_value import Estimate

Against = Literal["wins", "loses", "open"]
RIVALS = ("rfm", "rfm_groups", "fifths")
"""Simple ways to group; segments are compared with the best of them, so that a winner has beaten all."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well one way to group customers predicts on those it was not fitted on.

    Attributes
    ----------
    name, label : str
        segments, rfm, rfm_groups, fifths, random, tree or model; and in words.
    n_groups : int, optional
        None where each customer has an expectation of one's own.
    score : Estimate
        With its interval.
    lead : Estimate, optional
        The segments' score less this one, over the same customers; None for the segments.
    reached : tuple of Estimate
        Of a yes or no, the shares of all with a yes that are reached by contacting the most promising
        :data:`analysis.clustering.holdout.CONTACTED` of the customers.
    """

    name: str
    label: str
    n_groups: int | None
    score: Estimate
    lead: Estimate | None
    reached: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to predict.

    Attributes
    ----------
    label : str
    kind : {"auc", "r2"}
        The score of a yes or no, and of a number.
    n, n_yes : int
        Customers with a value, and of a yes or no those with a yes (None of a number).
    scores : tuple of Score
        The segments first.
    beats_chance : bool
    rival : str
        Label of the best of the simple groupings; empty where there is none.
    against : {"wins", "loses", "open"}, optional
        How the segments fare against the rival.
    sentence : str
        The verdict.
    tiers_against : {"wins", "loses", "open"}, optional
        How the segments with their tiers fare against the rival, or else against the segments; None without tiers.
    tiers : str
        The verdict on them; empty without tiers.
    equals : str
        Scores at equal numbers of groups; empty where nothing has as many groups.
    """

    label: str
    kind: Measure
    n: int
    n_yes: int | None
    scores: tuple[Score, ...]
    beats_chance: bool
    rival: str
    against: Against | None
    sentence: str
    tiers_against: Against | None = None
    tiers: str = ""
    equals: str = ""


def best_rival(scores: tuple[Score, ...]) -> Score | None:
    """Return the best of the simple groupings; None where there is none."""
    return max((s for s in scores if s.name in RIVALS), key=lambda s: s.score.value, default=None)


def state_verdict(
    label: str,
    measure: Measure,
    own: Score,
    beats: bool,
    rival: Score | None,
    against: str | None,
    formats: Formats,
) -> str:
    """State the verdict on one target."""
    chance = f"{label}: segments predict it {'better' if beats else 'no better'} than chance"
    value = f"{SCORES[measure]} {formats.score(own.score.value)}"
    if rival is None or rival.lead is None:
        return f"{chance} ({value}, {_band(own.score, formats)})."
    how = {
        "wins": "and better than" if beats else "though better than",
        "loses": "but worse than" if beats else "and worse than",
        "open": "with no clear difference from",
    }[against or "open"]
    gap = f"The difference is {formats.score(rival.lead.value)} ({_band(rival.lead, formats)})"
    both = f"{in_sentence(rival.label)} ({value} against {formats.score(rival.score.value)})"
    return f"{chance}, {how} {both}. {gap}{', so there may be none' if against == 'open' else ''}."


def compare(lead: Estimate) -> Against:
    """Return whether a lead is clear, and whose it is."""
    return "wins" if lead.low > 0 else "loses" if lead.high < 0 else "open"


def state_tiers(tiers: Score, rival: Score, lead: Estimate, formats: Formats) -> str:
    """State how the segments with their tiers fare against another grouping.

    Parameters
    ----------
    tiers, rival : Score
    lead : Estimate
        The score of the tiers less that of the rival.
    formats : Formats
    """
    how = {"wins": "better than", "loses": "worse than", "open": "with no clear difference from"}[compare(lead)]
    scores = f"{formats.score(tiers.score.value)} against {formats.score(rival.score.value)}"
    return (
        f"{tiers.label} ({tiers.n_groups} groups) predict it {how} {in_sentence(rival.label)} ({scores}). The "
        f"difference is {formats.score(lead.value)} ({_band(lead, formats)})."
    )


def state_equals(scores: tuple[Score, ...], measure: Measure, formats: Formats) -> str:
    """State the scores of simple groupings and of a tree with as many groups as the segments, and as their tiers."""
    sentences = []
    for own in (s for s in scores if s.name in {"segments", "tiers"} and s.n_groups):
        equals = [s for s in scores if s.name in name_equals(own.n_groups or 0)]
        if equals:
            others = joined([f"{formats.score(s.score.value)} by {_name_in_sentence(s)}" for s in equals])
            value = f"{SCORES[measure]} is {formats.score(own.score.value)} by {in_sentence(own.label)}"
            sentences.append(f"With {own.n_groups} groups each, {value}, {others}.")
    return " ".join(sentences)


def _name_in_sentence(score: Score) -> str:
    return f"{'a ' * score.name.startswith('tree')}{in_sentence(score.label)}"


def _band(estimate: Estimate, formats: Formats) -> str:
    return f"{formats.percent(LEVEL)} interval {formats.score(estimate.low)} to {formats.score(estimate.high)}"


def state_headline(targets: tuple[Target, ...]) -> str:
    """State how often the segments beat chance, and how they fare against simple groupings."""
    if not targets:
        return "Nothing in these data can show whether the segments predict anything."
    n, beaten = len(targets), sum(t.beats_chance for t in targets)
    every = {1: "it", 2: "both"}.get(n, f"all {in_words(n)}")
    amount = (
        "the one target"
        if n == 1
        else f"{every} targets"
        if beaten == n
        else f"{in_words(beaten)} of {in_words(n)} targets"
    )
    text = f"Segments predict {amount if beaten else 'no target'} better than chance."
    counts = {how: sum(t.against == how for t in targets) for how in ("loses", "wins", "open")}
    words = {"loses": "do better on {}", "wins": "do worse on {}", "open": "show no clear difference on {}"}
    told = [words[how].format(every if count == n else in_words(count)) for how, count in counts.items() if count]
    simple = {s.name: s.label for t in targets for s in t.scores if s.name in RIVALS}
    made = ["by how recently and how often customers buy"] if "rfm" in simple else []
    made += [f"by {in_sentence(simple['fifths']).removeprefix('fifths of ')}"] if "fifths" in simple else []
    return f"{text} Simple groups, {' or '.join(made)}, {joined(told)}." if told else text
