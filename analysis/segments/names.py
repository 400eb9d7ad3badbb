"""Names of segments: a value tier and a noun that holds for most members, with the evidence for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import count

import numpy as np

from analysis.base.formats import Formats
from analysis.base.weights import share
from analysis.clustering.algorithms import Labels
from analysis.features.build import FeatureTable
from analysis.past.records import slugify
from analysis.profiles.mixes import Mix
from analysis.profiles.profile import Difference, Profiles, SegmentProfile
from analysis.profiles.themes import Trait
from analysis.segments.phrases import Phrases, answer, capital, singular
from analysis.settings.models import Study
from analysis.sources.names import split_words

TIERS = ((1.4, "Premium"), (0.7, "Mid-value"), (0.0, "Low-spend"))
"""Least ratio of a segment's mean value to everyone's, and the word for it. Thresholds chosen for this project."""
HOLDS, CLEARLY = 0.5, 0.1
"""Least share of members for whom a noun is true, and least excess over everyone. Chosen for this project."""
MOST_WORDS = 4
"""Most words of a name; an answer or label in quotation marks counts as one."""
_NOUNS: Mapping[str, tuple[str, str]] = {
    "frequency": ("frequent buyers", "occasional buyers"),
    "basket": ("big-basket buyers", "small-basket buyers"),
    "discount": ("deal seekers", "full-price buyers"),
    "recency": ("lapsed buyers", "recent buyers"),
    "tenure": ("long-standing {all}", "new {all}"),
    "visits": ("frequent visitors", "rare visitors"),
    "age": ("older {all}", "younger {all}"),
    "income": ("high-income {all}", "low-income {all}"),
    "company_size": ("large companies", "small companies"),
    "balance": ("high-balance {all}", "low-balance {all}"),
    "breadth": ("multi-product {all}", "single-product {all}"),
    "support": ("support-heavy {all}", "low-support {all}"),
    "usage": ("heavy users", "light users"),
    "satisfaction": ("satisfied {all}", "critical {all}"),
}
"""Nouns by meaning, where the settings have none; {all} is what customers are called."""
_WEIGHTS: Mapping[str, float] = {
    "part": 1.3, "discount": 1.2, "recency": 1.2, "trend": 0.7, "frequency": 0.6, "basket": 0.6, "visits": 0.7,
    "age": 0.6, "income": 0.6, "company_size": 1.3, "support": 0.8, "satisfaction": 0.8, "breadth": 0.8,
}  # fmt: skip
"""How well a meaning names a segment; 1 for others. Frequency and basket repeat the value tier."""
_LOANS = frozenset(
    {"loan", "loans", "mortgage", "mortgages", "credit", "kredit", "kredite", "darlehen"}
    | {"prêt", "prestito", "préstamo", "lening"}
)
"""Words of a debt whose holders are called borrowers."""
_QUOTED = re.compile("“[^”]*”")


@dataclass(frozen=True, slots=True)
class Name:
    """A name and its evidence.

    Attributes
    ----------
    text : str
    basis : str
        One sentence with the share of members who fit the noun; empty for a name without a noun.
    variables : tuple of str
        Variables that the noun stands for.
    nouns : tuple of str
        The noun, so that no other segment gets it.
    holds, everyone : float
        Share of members, and of all customers, who fit the noun.
    """

    text: str
    basis: str = ""
    variables: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    holds: float = 1.0
    everyone: float = 1.0


@dataclass(frozen=True, slots=True)
class _Noun:
    """A candidate noun with its evidence and its strength."""

    text: str
    variables: tuple[str, ...]
    holds: float
    everyone: float
    basis: str
    strength: float


class Namer:
    """Names segments from their data.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
    profiles : Profiles
    traits : sequence of Trait
    mixes : sequence of tuple of Mix, length k
    study : Study
        Uses ``value`` and ``customers``.
    formats : Formats
    """

    def __init__(
        self,
        table: FeatureTable,
        labels: Labels,
        profiles: Profiles,
        traits: Sequence[Trait],
        mixes: Sequence[tuple[Mix, ...]],
        study: Study,
        formats: Formats,
    ) -> None:
        self.table, self.labels, self.profiles, self.study, self.formats = table, labels, profiles, study, formats
        self.traits, self.mixes = {trait.name: trait for trait in traits}, mixes
        self.candidates = [self._candidates(segment) for segment in profiles.segments]

    def names(self, fixed: Sequence[str | None], taken: Set[str]) -> list[Name]:
        """Name the segments that have no fixed name; addresses made of the names are unique.

        Parameters
        ----------
        fixed : sequence of (str or None), length k
            Names that earlier runs gave.
        taken : set of str
            Addresses that must not be used.
        """
        slugs, used = {"index", *taken}, set[str]()
        made: list[Name] = []
        for segment, candidates, kept in zip(self.profiles.segments, self.candidates, fixed, strict=True):
            name = Name(kept) if kept else self._choose(segment, candidates, used, slugs)
            used.update(name.nouns)
            slugs.add(slugify(name.text))
            made.append(name)
        return made

    def misleads(self, segment: int, name: str) -> bool:
        """Whether a published name uses a noun of the settings or of a meaning that is false for this segment.

        Parameters
        ----------
        segment : int
            From 1.
        name : str
        """
        if re.fullmatch("Group [A-Z]", name):
            return True
        own = self.profiles.segments[segment - 1]
        words = f" {name.casefold()} "
        for difference in own.differences:
            trait = self.traits.get(difference.variable)
            if trait is None:
                continue
            for up, noun in zip((True, False), self._nouns_of(trait), strict=True):
                if noun and f" {noun.casefold()} " in words and self._noun(own, trait, difference, up) is None:
                    return True
        return False

    def _choose(self, segment: SegmentProfile, candidates: Sequence[_Noun], used: Set[str], slugs: Set[str]) -> Name:
        tier = self._tier(segment)
        free = [noun for noun in candidates if noun.text not in used] or list(candidates)
        for noun in free:
            text = capital(f"{tier} {noun.text}".strip())
            if count_words(text) <= MOST_WORDS and slugify(text) not in slugs:
                return Name(text, noun.basis, noun.variables, (noun.text,), noun.holds, noun.everyone)
        if free:
            text = capital(f"{tier} {free[0].text}".strip())
            text = next(f"{text} {i}" for i in count(2) if slugify(f"{text} {i}") not in slugs)
            return Name(text, free[0].basis, free[0].variables, (free[0].text,), free[0].holds, free[0].everyone)
        plain = capital(f"{tier or 'typical'} {self.study.customers}")
        if slugify(plain) in slugs:
            letter = chr(ord("A") + segment.id - 1)
            plain = f"{plain} ({letter})"
        if slugify(plain) in slugs:
            plain = next(f"{plain} {i}" for i in count(2) if slugify(f"{plain} {i}") not in slugs)
        return Name(plain)

    def _tier(self, segment: SegmentProfile) -> str:
        if not self.study.value or not segment.value_share or len(self.profiles.segments) < 2:
            return ""
        ratio = segment.value_share / segment.share
        return next(word for least, word in TIERS if ratio >= least)

    def _candidates(self, segment: SegmentProfile) -> list[_Noun]:
        """Return nouns that hold, the strongest first; for surveys, answers first."""
        found, answers = [], list[tuple[float, bool, Trait, _Noun]]()
        for difference in segment.differences:
            trait = self.traits.get(difference.variable)
            if trait is None or trait.variable.role != "feature" or not segment.is_typical(difference.summary):
                continue
            up = difference.direction > 0
            noun = self._noun(segment, trait, difference, up) if difference.marker else None
            if noun is None:
                continue
            if trait.meaning == "opinion" and trait.variable.unit == "yes_no":
                answers.append((abs(difference.z), up, trait, noun))
            else:
                found.append(noun)
        found.sort(key=lambda noun: (-noun.strength, noun.text))
        return [*self._say(answers), *found]

    def _say(self, answers: list[tuple[float, bool, Trait, _Noun]]) -> list[_Noun]:
        """Name a group of respondents by what most of them say and what they do not."""
        answers.sort(key=lambda answer: (not answer[1], -answer[0], answer[2].name))
        pairs = [answers[:2], [*answers[:1], *answers[2:3]], answers[:1]] if answers else []
        found = []
        for pair in pairs:
            nouns = [noun for *_, noun in pair]
            words = [f"“{answer(Phrases(trait, self.study).label)}”" for _, _, trait, _ in pair]
            if not pair[0][1]:
                text = f"don't say {words[0]}" + (f" or {words[1]}" if len(words) > 1 else "")
            elif len(pair) > 1:
                text = f"say {words[0]} and {words[1]}" if pair[1][1] else f"say {words[0]}, not {words[1]}"
            else:
                text = f"say {words[0]}"
            variables = tuple(v for noun in nouns for v in noun.variables)
            basis = " ".join(noun.basis for noun in nouns)
            weakest = min(nouns, key=lambda noun: noun.holds)
            found.append(_Noun(text, variables, weakest.holds, weakest.everyone, basis, 0.0))
        return found

    def _noun(self, segment: SegmentProfile, trait: Trait, difference: Difference, up: bool) -> _Noun | None:
        """Return the noun for a difference if it is true for most members and clearly more than for everyone."""
        if difference.direction != (1 if up else -1):
            return None
        high, low = self._nouns_of(trait)
        text = (high if up else low) or self._generic(trait, up)
        evidence = self._evidence(segment, trait, up)
        if evidence is None or not text:
            return None
        holds, everyone, sentence = evidence
        strength = abs(difference.z) * _WEIGHTS.get(trait.meaning, 1.0) * (1.25 if up else 1.0)
        return _Noun(text, (trait.name,), holds, everyone, sentence, strength)

    def _nouns_of(self, trait: Trait) -> tuple[str, str]:
        variable = trait.variable
        high, low = _NOUNS.get(trait.meaning, ("", ""))
        if trait.meaning == "discount" and Phrases(trait, self.study).is_reduction():
            high, low = "high-discount {all}", "low-discount {all}"
        if trait.meaning == "debt" and _LOANS & {word.casefold() for word in split_words(trait.label)}:
            median = self.profiles.everyone[trait.name].median
            high = "borrowers" if median == 0 else "large borrowers"
            low = "small borrowers" if median > 0 else ""
        everyone = self.study.customers
        return variable.high or high.format(all=everyone), variable.low or low.format(all=everyone)

    def _generic(self, trait: Trait, up: bool) -> str:
        if trait.meaning == "spend" and trait.name == self.study.value:
            return ""
        if trait.meaning == "part":
            return f"{trait.part} {self.study.customers}" if up and not trait.link and " " not in trait.part else ""
        if trait.variable.unit == "yes_no":
            quoted = f"“{answer(Phrases(trait, self.study).label)}”"
            return quoted if up else f"no {quoted}"
        return f"{'high' if up else 'low'} “{trait.label}”"

    def _evidence(self, segment: SegmentProfile, trait: Trait, up: bool) -> tuple[float, float, str] | None:
        """Return the share of members and of everyone who fit the noun, and a sentence about it."""
        percent, one = self.formats.whole_percent, singular(self.study.customers)
        part = next((p for mix in self.mixes[segment.id - 1] for p in mix.parts if p.variable == trait.name), None)
        if part is not None and up:
            mix = next(m for m in self.mixes[segment.id - 1] if part in m.parts)
            leads = part is mix.largest()
            clear = part.share - part.everyone >= CLEARLY / 2 or part.main - part.main_everyone >= CLEARLY
            if not clear or not (leads or part.main >= HOLDS):
                return None
            shares = f"{percent(part.main)} ({percent(part.main_everyone)} of all)"
            return part.main, part.main_everyone, f"“{part.part}” is the largest part for {shares}."
        values = self.table.frame[trait.name].to_numpy(float)
        if trait.meaning == "part" and up:
            bound, words = HOLDS, f"are over half in “{trait.label}”"
        elif trait.variable.unit == "yes_no":
            bound, words = 0.5, f"answer {'yes' if up else 'no'} to “{trait.label}”"
        else:
            bound = self.profiles.everyone[trait.name].median
            words = f"are {'above' if up else 'below'} the typical {one} in “{trait.label}”"
        known = ~np.isnan(values)
        true = values > bound if up else values < bound
        inside = known & (self.labels == segment.id)
        own = self.table.weights
        holds, everyone = (share(true[rows], None if own is None else own[rows]) for rows in (inside, known))
        if holds < HOLDS or holds - everyone < CLEARLY:
            return None
        return holds, everyone, f"{percent(holds)} of them {words} ({percent(everyone)} of all)."


def count_words(name: str) -> int:
    """Count the words of a name; what stands in quotation marks counts as one.

    >>> count_words("Premium full-price buyers"), count_words("Say “very cheap” and “tasty”")
    (3, 4)
    """
    return len(_QUOTED.sub("x", name).split())
