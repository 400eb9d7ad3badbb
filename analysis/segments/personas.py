"""Personas: name, story, exceptions and actions of each segment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, count
from typing import Literal

from analysis.base.formats import Formats, in_sentence, joined, unit_beside
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import NOT_KNOWN, Variable
from analysis.history.identity import NOTHING, Memory, kept_names, settle, taken_addresses
from analysis.history.records import Identity, slugify
from analysis.segments.playbook import Action, Play, choose_actions
from analysis.segments.profile import Difference, Profiles, SegmentProfile, Summary
from analysis.settings.models import Study

COLOURS = ("#2f7fc4", "#c2621b", "#1d8f68", "#a9579f", "#8a7a1c", "#c04a6b", "#0f8ca0", "#7a6fd0")
"""One for each segment: at least 3:1 on white and on the dark paper, told apart by the colour-blind."""
EVERYONE = "#858b95"
TIERS = ((1.4, "Premium"), (0.7, "Mid-value"), (0.0, "Low-spend"))
"""Least ratio of a segment's mean value to everyone's, and the word for it."""
MOST_MARKERS, MOST_PARTS = 5, 4
PARTITION, MOST_PARTITIONED = 0.005, 8
"""How far the means of shares that part a whole may be from it, and the most shares that are tried together."""
SURE = 0.05
"""Corrected p-value under which a variable that took no part is called different."""
_PART = re.compile(r"Share of (\w+) ((\w+) .+)")


@dataclass(frozen=True, slots=True)
class Persona:
    """The words about one segment.

    ``markers`` are variable names, strongest first; ``today`` is the name that its numbers would give it today.
    """

    name: str
    slug: str
    letter: str
    colour: str
    one_line: str
    story: tuple[str, ...]
    day: tuple[str, ...]
    typical: tuple[tuple[str, str], ...]
    markers: tuple[str, ...]
    traits: tuple[str, ...]
    not_all: tuple[str, ...]
    actions: tuple[Action, ...]
    identity: Identity
    today: str


def write_personas(
    profiles: Profiles,
    evidence: tuple[SegmentEvidence, ...],
    variables: tuple[Variable, ...],
    study: Study,
    plays: list[tuple[int, Play]],
    memory: Memory = NOTHING,
) -> tuple[Persona, ...]:
    """Write each segment's words from its numbers.

    Parameters
    ----------
    profiles : Profiles
        k segments.
    evidence : tuple of SegmentEvidence, length k
    variables : tuple of Variable
    study : Study
        Uses ``value``, ``period``, ``customers`` and ``names``.
    plays : list of (int, Play)
        Rules of the playbook, as `read_playbook` gives them.
    memory : Memory
        Identities that segments go on with; by default all are new.

    Raises
    ------
    InputError
        For a rule whose formulas give no number, or a name of the settings that cannot be given.
    """
    formats = Formats(study.currency, study.customers, study.min_cell)
    by_name = {variable.name: variable for variable in variables}
    markers = [_markers(segment, by_name) for segment in profiles.segments]
    k = len(profiles.segments)
    today = _names(profiles, markers, by_name, study, [None] * k, set())
    taken = taken_addresses(memory, study, k)
    names = _names(profiles, markers, by_name, study, kept_names(memory, study, k), taken) if taken else today
    identities = settle(names, memory, study, COLOURS)
    personas = []
    for segment, found, marks, own, name in zip(profiles.segments, evidence, markers, identities, today, strict=True):
        personas.append(
            Persona(
                name=own.label,
                slug=own.slug,
                letter=own.letter,
                colour=own.colour,
                one_line=_one_line(marks, by_name, study),
                story=_story(segment, marks, by_name, profiles, study, formats),
                day=_day(segment, profiles, by_name, formats),
                typical=(*_typical(segment, variables, formats), *_commonest(segment, profiles, by_name, formats)),
                markers=tuple(mark.variable for mark in marks[:MOST_MARKERS]),
                traits=_traits(segment, marks, by_name, profiles, formats),
                not_all=_not_all(segment, marks, by_name, profiles, formats),
                actions=choose_actions(plays, segment, found, profiles, by_name, study, formats),
                identity=own,
                today=name,
            )
        )
    return tuple(personas)


def _markers(segment: SegmentProfile, by_name: Mapping[str, Variable]) -> list[Difference]:
    """Forming features that set the segment apart, strongest first; where none does, the largest differences."""
    forming = [d for d in segment.differences if by_name[d.variable].role == "feature"]
    forming = [d for d in forming if segment.is_typical(d.summary)] or forming
    ranked = sorted(forming, key=lambda d: (-abs(d.z), d.variable))
    return [d for d in ranked if d.marker] or ranked[:2]


def _words(mark: Difference, by_name: Mapping[str, Variable]) -> str:
    variable = by_name[mark.variable]
    return variable.high if mark.z > 0 else variable.low


def _names(
    profiles: Profiles,
    markers: list[list[Difference]],
    by_name: Mapping[str, Variable],
    study: Study,
    kept_names: Sequence[str | None],
    taken: Set[str],
) -> list[str]:
    """Value tier and the strongest marker that no larger segment is named for; addresses made of them are unique."""
    names: list[str] = []
    slugs = {"index", *taken}
    value_like = {"money"} if study.value else set()
    used: set[str] = set()
    for segment, markers_of, fixed in zip(profiles.segments, markers, kept_names, strict=True):
        if fixed:
            names.append(fixed)
            continue
        tier, letter = _tier(segment, profiles, study), chr(ord("A") + segment.id - 1)
        candidates = sorted(
            (m for m in markers_of if _words(m, by_name)),
            key=lambda m: (
                _words(m, by_name) in used,
                by_name[m.variable].unit in value_like or (by_name[m.variable].unit == "count" and bool(tier)),
                -abs(m.z) * (1.25 if m.z > 0 else 1.0),
            ),
        )
        ranked = candidates or markers_of[:2]
        words = [_words(m, by_name) or _plain_words(m, by_name) for m in ranked]
        shown = 1 if tier else 2
        if not any(m.marker for m in markers_of):
            name, words = f"{tier} typical {study.customers}".strip(), words[:shown]
        elif candidates or by_name[ranked[0].variable].unit == "yes_no":
            # What they are comes before what they are not.
            first = sorted(words[:shown], key=lambda word: word.startswith("not "))
            name = f"{tier}{' ' if candidates else ', '}{words[0]}" if tier else " and ".join(first)
        else:
            name = f"{tier} {study.customers} with {joined(words[:shown])}".strip()
        if slugify(name) in slugs and len(words) > shown:
            name = f"{name} and {words[shown]}"
        if slugify(name) in slugs - set(taken):
            name = f"{name} ({letter})"
        if slugify(name) in slugs:
            name = next(f"{name} {i}" for i in count(2) if slugify(f"{name} {i}") not in slugs)
        used.update(words[:1])
        slugs.add(slugify(name))
        names.append(name[:1].upper() + name[1:])
    return names


def _plain_words(mark: Difference, by_name: Mapping[str, Variable]) -> str:
    """Words for a marker that the settings give none for."""
    variable = by_name[mark.variable]
    if variable.unit == "yes_no":
        return in_sentence(variable.label) if mark.z > 0 else f"not {in_sentence(variable.label)}"
    return f"{'high' if mark.z > 0 else 'low'} {in_sentence(variable.label)}"


def _tier(segment: SegmentProfile, profiles: Profiles, study: Study) -> str:
    if not study.value or not segment.value_share:
        return ""
    ratio = segment.value_share / segment.share
    return next(word for least, word in TIERS if ratio >= least)


def _one_line(markers: list[Difference], by_name: Mapping[str, Variable], study: Study) -> str:
    """The strongest markers in words."""
    if not any(mark.marker for mark in markers):
        return f"Close to all {study.customers} on every feature that forms segments."
    ordered = sorted(markers[:4], key=lambda m: m.z < 0)
    parts = [_words(mark, by_name) or _plain_words(mark, by_name) for mark in ordered]
    text = joined(list(dict.fromkeys(parts)))
    return f"{text[:1].upper()}{text[1:]}."


def _story(
    segment: SegmentProfile,
    marks: list[Difference],
    by_name: Mapping[str, Variable],
    profiles: Profiles,
    study: Study,
    formats: Formats,
) -> tuple[str, ...]:
    lines = [f"{formats.people(segment.n)} {study.customers}, {formats.percent(segment.share)} of all."]
    worth = _difference(segment, study.value)
    if worth and segment.value_share is not None and study.value:
        variable = by_name[study.value]
        base = profiles.everyone[study.value]
        known = _known(worth.summary, segment, formats)
        period = f" {study.period}" if study.period else ""
        lines[0] = (
            f"{formats.people(segment.n)} {study.customers}, {formats.percent(segment.share)} of all, bring "
            f"{formats.percent(segment.value_share)} of {variable.label.lower()}."
        )
        compared = formats.times(worth.summary.median / base.median) if base.median > 0 else ""
        if known is not None:
            lines.append(
                f"Their median {in_sentence(variable.label)}{period} is "
                f"{formats.value(worth.summary.median, variable.unit)}"
                + (f", {compared} everyone's ({formats.value(base.median, variable.unit)})" if compared else "")
                + (f" ({known})." if known else ".")
            )
    shown = [m for m in marks if m.variable != study.value]
    if told := _beside_everyone(shown, 3, segment, by_name, profiles, formats):
        lines.append(f"What differs most: {told}." if marks[0].marker else f"Little differs; the most: {told}.")
    # What is made of the forming features, or copies one, differs because the segments were made to differ.
    apart = {c.variable for c in profiles.contrasts if c.p is not None and c.p < SURE}
    described = [
        d
        for d in segment.differences
        if by_name[d.variable].role == "descriptor" and d.marker and d.variable in apart - {study.value}
    ]
    described.sort(key=lambda d: -abs(d.z))
    if told := _beside_everyone(described, 2, segment, by_name, profiles, formats):
        lines.append(f"Not used to form the segment, yet different: {told}.")
    return tuple(lines)


def _told(
    mark: Difference, variable: Variable, profiles: Profiles, formats: Formats
) -> tuple[Literal["share", "median", "mean"], str, str] | None:
    summary, base = mark.summary, profiles.everyone[mark.variable]
    return formats.told(
        unit_beside(variable.label, variable.unit), (summary.mean, summary.median), (base.mean, base.median)
    )


def _known(summary: Summary, segment: SegmentProfile, formats: Formats) -> str | None:
    """Say for how many of a segment a value is known, where that is not nearly all.

    Returns
    -------
    str or None
        Empty where all but a few have a value; None where so few have one that it is not typical.
    """
    if not segment.is_typical(summary):
        return None
    return f"known for {formats.people(summary.n)}" if segment.n - summary.n >= formats.min_cell else ""


def _beside_everyone(
    marks: list[Difference],
    most: int,
    segment: SegmentProfile,
    by_name: Mapping[str, Variable],
    profiles: Profiles,
    formats: Formats,
) -> str:
    """The first few variables here and over everyone, each label once: medians together, then means, then shares."""
    found: dict[str, list[str]] = {"median": [], "mean": [], "share": []}
    seen: set[str] = set()
    for mark in marks:
        variable = by_name[mark.variable]
        told, known = _told(mark, variable, profiles, formats), _known(mark.summary, segment, formats)
        if told is None or known is None or variable.label in seen or len(seen) == most:
            continue
        seen.add(variable.label)
        measure, here, everyone = told
        label = in_sentence(variable.label)
        link = " for" if measure == "share" else ":" if label[-1:].isdigit() else ""
        among = f"; {known}" if known else ""
        found[measure].append(f"{label}{link} {here} (everyone {everyone}{among})")
    heads = {"median": "by median, ", "mean": "on average, ", "share": ""}
    return "; ".join(f"{heads[measure]}{joined(parts)}" for measure, parts in found.items() if parts)


def _difference(segment: SegmentProfile, name: str | None) -> Difference | None:
    return next((d for d in segment.differences if d.variable == name), None)


def _day(
    segment: SegmentProfile, profiles: Profiles, by_name: Mapping[str, Variable], formats: Formats
) -> tuple[str, ...]:
    """What they usually do, by medians: amounts that form segments first, then what each whole parts into.

    A whole may be parted in several ways, as spend is by category and by channel; each has a sentence of its own.
    """
    amounts: list[str] = []
    parts: dict[str, list[_Part]] = {}
    for d in segment.differences:
        variable, known = by_name[d.variable], _known(d.summary, segment, formats)
        if variable.role not in {"feature", "descriptor"} or variable.unit not in {"count", "money", "share"}:
            continue
        if known is None:
            continue
        among = f" ({known})" if known else ""
        if (part := _PART.match(variable.label)) and variable.unit == "share":
            mean = profiles.everyone[d.variable].mean
            parts.setdefault(part[1], []).append(_Part(mean, d.summary.median, f"{part[2]}{among}", part[3]))
        elif variable.role == "feature":
            value = formats.value(d.summary.median, unit_beside(variable.label, variable.unit))
            amounts.append(f"{in_sentence(variable.label)} {value}{among}")
    lines = [f"In the middle of the segment: {joined(amounts[:MOST_MARKERS])}."] if amounts else []
    for whole, found in ((whole, group) for whole, those in parts.items() for group in _wholes(those)):
        some = (part for part in found if round(part.median, 2) > 0)
        shown = sorted(some, key=lambda part: -part.median)[:MOST_PARTS]
        if len(shown) > 1:
            told = joined([f"{formats.percent(part.median)} {part.where}" for part in shown])
            lines.append(f"Of a typical customer's {whole}: {told}.")
    if any(line.startswith("Of a typical") for line in lines):
        lines.append(f"Each share is a median, so the shares need not add up to {formats.percent(1)}.")
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Part:
    """A share: everyone's mean, the segment's median, and what it is a share for, with its first word."""

    mean: float
    median: float
    where: str
    link: str


def _wholes(parts: list[_Part]) -> list[list[_Part]]:
    """Sort shares into the partitions that they belong to: those whose means add up to all, or do not pass it."""
    if sum(part.mean for part in parts) <= 1 + PARTITION:
        return [parts]
    linked = [[part for part in parts if part.link == link] for link in dict.fromkeys(part.link for part in parts)]
    complete = [group for group in linked if len(group) > 1 and abs(sum(part.mean for part in group) - 1) <= PARTITION]
    rest = [part for part in parts if not any(part in group for group in complete)]
    for size in range(min(len(rest), MOST_PARTITIONED), 1, -1):
        for group in combinations(rest, size):
            if abs(sum(part.mean for part in group) - 1) <= PARTITION:
                return [*complete, list(group)]
    return [*complete, *(group for group in linked if len(group) > 1 and group not in complete)]


def _typical(segment: SegmentProfile, variables: tuple[Variable, ...], formats: Formats) -> tuple[tuple[str, str], ...]:
    """A composite of medians, never a person; each with the number of customers where that is not the segment's."""
    by_variable = {d.variable: d for d in segment.differences}
    rows = []
    for variable in variables:
        if variable.name not in by_variable or variable.role == "outcome":
            continue
        summary = by_variable[variable.name].summary
        known = _known(summary, segment, formats)
        if known is None:
            continue
        among = f" ({known})" if known else ""
        if variable.unit == "yes_no":
            share = f"yes for {formats.percent(summary.mean)}" + (f", {known}" if known else "")
            rows.append((variable.label, f"{'yes' if summary.mean >= 0.5 else 'no'} ({share})"))
        else:
            value = formats.value(summary.median, unit_beside(variable.label, variable.unit))
            rows.append((variable.label, f"{value}{among}"))
    return tuple(rows)


def _commonest(
    segment: SegmentProfile, profiles: Profiles, by_name: Mapping[str, Variable], formats: Formats
) -> list[tuple[str, str]]:
    """The most common level of each category here, and its share beside everyone's."""
    rows = []
    for category in profiles.categories:
        if by_name[category.variable].unit == "yes_no":
            continue
        here = category.segments[segment.id - 1]
        named = [i for i, level in enumerate(category.levels) if level not in {"Other", "Unknown"}]
        if not named:
            continue
        top = max(named, key=lambda i: here[i])
        shares = f"{formats.percent(here[top])}, everyone {formats.percent(category.everyone[top])}"
        rows.append((f"{by_name[category.variable].label}, most common", f"{category.levels[top]} ({shares})"))
    return rows


def _traits(
    segment: SegmentProfile,
    marks: list[Difference],
    by_name: Mapping[str, Variable],
    profiles: Profiles,
    formats: Formats,
) -> tuple[str, ...]:
    """The two strongest markers whose difference can be read, each with what its number is."""
    heads = {"mean": "on average ", "median": "typically ", "share": ""}
    lines = []
    for mark in marks:
        variable, known = by_name[mark.variable], _known(mark.summary, segment, formats)
        if known is not None and (told := _told(mark, variable, profiles, formats)):
            measure, here, everyone = told
            among = f"; {known}" if known else ""
            lines.append(f"{variable.label}: {heads[measure]}{here} (everyone {everyone}{among})")
    return tuple(lines[:2])


def _not_all(
    segment: SegmentProfile,
    marks: list[Difference],
    by_name: Mapping[str, Variable],
    profiles: Profiles,
    formats: Formats,
) -> tuple[str, ...]:
    """List exceptions from the persona: a tenth at the other end of each marker, and the other answer of yes/no."""
    lines = []
    for mark in [m for m in marks if m.marker][:3]:
        variable, own = by_name[mark.variable], mark.summary
        edge, word = (own.p10, "less") if mark.z > 0 else (own.p90, "more")
        # An end that is the middle as well tells of most of them, not of those for whom the picture fails.
        known = _known(own, segment, formats)
        if variable.unit == "yes_no" or edge == own.median or known is None:
            continue
        among = f" ({known})" if known else ""
        tail = f"at {formats.value(edge, unit_beside(variable.label, variable.unit))}" + (f" or {word}" if edge else "")
        group = "high" if mark.z > 0 else "low"
        lines.append(f"{variable.label}: {group} as a group, yet one in ten is {tail}{among}.")
    for difference in segment.differences:
        variable = by_name[difference.variable]
        share = difference.summary.mean
        known = _known(difference.summary, segment, formats)
        if variable.name.endswith(NOT_KNOWN) or known is None:
            continue
        if variable.unit == "yes_no" and variable.role != "outcome" and 0.1 <= share <= 0.9:
            minority = min(share, 1 - share)
            answer = "no" if share >= 0.5 else "yes"
            n_known = formats.people(difference.summary.n)
            whom = f"the {n_known} of this segment who answered" if known else "this segment"
            lines.append(f"{variable.label}: the answer is {answer} for {formats.percent(minority)} of {whom}.")
    return tuple(lines[:5])
