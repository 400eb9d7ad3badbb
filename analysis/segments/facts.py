"""Facts about a segment: each trait with its difference from everyone, its rank and the phrases to say it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from analysis.profiles.measures import WIDTH_OF_NORMAL
from analysis.profiles.profile import Difference, Profiles, SegmentProfile, Summary
from analysis.profiles.themes import Trait
from analysis.segments.claims import Claim
from analysis.segments.phrases import Phrases
from analysis.settings.models import Study

CLEAR = 0.35
"""Standard deviations from which a difference is worth a sentence. Threshold chosen for this project."""
ALIKE = 0.12
"""Standard deviations up to which a segment counts as like everyone. Threshold chosen for this project."""
LINKED = frozenset({"spend", "frequency", "basket"})
"""What is bought in all, how often and for how much: two of them say the third."""
POINTS = 0.1
"""Difference of shares from which it is worth a sentence. Threshold chosen for this project."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A trait of the segment: its difference from everyone, and how its mean ranks among the segments."""

    trait: Trait
    difference: Difference
    everyone: Summary
    highest: bool
    lowest: bool
    phrases: Phrases

    @property
    def is_clear(self) -> bool:
        """Whether the difference is large and sure enough for a sentence."""
        d = self.difference
        if self.trait.variable.unit in {"yes_no", "share"} and abs(d.summary.mean - self.everyone.mean) < POINTS / 2:
            return False
        return abs(d.z) >= CLEAR and d.z_low * d.z_high > 0 and d.direction != 0

    @property
    def is_alike(self) -> bool:
        """Whether the segment is like everyone, on the scale that forms segments and in original units."""
        d, base = self.difference, self.everyone
        most = ALIKE * (base.p90 - base.p10) / WIDTH_OF_NORMAL
        answered = self.trait.variable.unit == "yes_no"
        return abs(d.z) <= ALIKE and (answered or abs(d.summary.mean - base.mean) <= most)

    @property
    def claim(self) -> Claim:
        """The claim that the segment's mean lies above or below everyone's."""
        return Claim("higher" if self.difference.direction > 0 else "lower", self.trait.name)


def collect_facts(segment: SegmentProfile, profiles: Profiles, traits: Sequence[Trait], study: Study) -> list[Fact]:
    """Return the facts of a segment, in the order of the traits.

    Outcomes are left out, and traits that are known for too few members to be typical.
    """
    means: dict[str, list[float]] = {}
    for each in profiles.segments:
        for difference in each.differences:
            means.setdefault(difference.variable, []).append(difference.summary.mean)
    own = {difference.variable: difference for difference in segment.differences}
    found = []
    for trait in traits:
        difference = own.get(trait.name)
        if difference is None or trait.variable.role in {"outcome", "ignore"}:
            continue
        if not segment.is_typical(difference.summary):
            continue
        ranked = sorted(means[trait.name])
        mean, several = difference.summary.mean, len(ranked) > 1
        highest = several and mean == ranked[-1] > ranked[-2]
        lowest = several and mean == ranked[0] < ranked[1]
        everyone = profiles.everyone[trait.name]
        found.append(Fact(trait, difference, everyone, highest, lowest, Phrases(trait, study)))
    return found


def strength(fact: Fact) -> tuple[float, str]:
    """Return a key that sorts facts by the size of their difference."""
    return -abs(fact.difference.z), fact.trait.name


def subject(trait: Trait) -> str:
    """Return what a trait is about, so that no paragraph says the same twice."""
    if trait.meaning == "part":
        return f"part {trait.theme}"
    if trait.meaning in {"opinion", "other", "usage", "balance", "debt"}:
        return trait.name
    return trait.meaning


def is_news(trait: Trait, said: Set[str]) -> bool:
    """Tell whether a trait says something that the subjects named so far do not.

    Of spend, orders and their value, two say the third.
    """
    about = subject(trait)
    return about not in said and not (about in LINKED and len(LINKED & said) > 1)


def has_orders(facts: Iterable[Fact]) -> bool:
    """Tell whether the study has orders, so that words of orders may be used."""
    return any(f.trait.meaning in {"frequency", "basket", "recency"} for f in facts)
