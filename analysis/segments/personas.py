"""Personas: name, portrait, exceptions and plan of each segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from analysis.base.disclosure import Disclosure
from analysis.base.formats import Formats, unit_beside
from analysis.clustering.evidence import Evidence
from analysis.features.build import FeatureTable, Variable
from analysis.past.identity import NOTHING, Memory, kept_names, settle, taken_addresses
from analysis.past.records import Identity, slugify
from analysis.profiles.mixes import find_mixes
from analysis.profiles.profile import Difference, Profiles, SegmentProfile, Summary
from analysis.profiles.themes import read_traits
from analysis.profiles.timing import BusyTime
from analysis.segments.claims import Portrait
from analysis.segments.exceptions import list_exceptions
from analysis.segments.names import Name, Namer
from analysis.segments.plans.plan import Described, Slot, make_plans
from analysis.segments.plans.playbook import Play
from analysis.segments.portrait import write_portraits
from analysis.settings.models import Study

COLOURS = ("#2f7fc4", "#c2621b", "#1d8f68", "#a9579f", "#8a7a1c", "#c04a6b", "#0f8ca0", "#7a6fd0")
"""One for each segment: at least 3:1 on white and on the dark paper, told apart by the colour-blind."""
EVERYONE = "#858b95"
MOST_MARKERS = 5


@dataclass(frozen=True, slots=True)
class Persona:
    """The words about one segment.

    Attributes
    ----------
    name, slug, letter, colour : str
    name_basis : str
        Share of members who fit the name, as a sentence; empty for names of the settings and plain names.
    portrait : Portrait
    typical : tuple of (str, str)
        Medians of traits, and the most common answers.
    markers : tuple of str
        Variables that set the segment apart, the strongest first.
    not_all : tuple of str
        Exceptions from the portrait.
    plan : tuple of Slot
        Five actions; none without structure.
    identity : Identity
    today : str
        Name that the segment's numbers would give it today.
    """

    name: str
    slug: str
    letter: str
    colour: str
    name_basis: str
    portrait: Portrait
    typical: tuple[tuple[str, str], ...]
    markers: tuple[str, ...]
    not_all: tuple[str, ...]
    plan: tuple[Slot, ...]
    identity: Identity
    today: str


def write_personas(
    profiles: Profiles,
    table: FeatureTable,
    evidence: Evidence,
    study: Study,
    plays: list[tuple[int, Play]],
    memory: Memory = NOTHING,
    times: tuple[tuple[BusyTime, ...], ...] = (),
) -> tuple[Persona, ...]:
    """Write each segment's words from its numbers; without structure, groups have letters instead of names.

    Parameters
    ----------
    profiles : Profiles
        k segments.
    table : FeatureTable
    evidence : Evidence
    study : Study
    plays : list of (int, Play)
        Rules of the playbook, as `read_playbook` gives them.
    memory : Memory
        Identities that segments go on with; by default all are new.
    times : tuple of tuple of BusyTime
        As in `Described`.

    Raises
    ------
    InputError
        For a rule whose formulas give no number, or a name of the settings that cannot be given.
    """
    formats = Formats(study.currency, study.customers, study.min_cell)
    by_name = {variable.name: variable for variable in table.variables}
    traits = read_traits(table.variables, study)
    mixes = find_mixes(table, evidence.labels, traits, Disclosure.of(study))
    namer = Namer(table, evidence.labels, profiles, traits, mixes, study, formats)
    today, identities = _identify(namer, profiles, memory, study, named=evidence.verdict != "none")
    letters = tuple(f"segment {own.letter}" for own in identities)
    described = Described(profiles, evidence.segments, traits, mixes, letters, evidence.verdict, times)
    plans = make_plans(plays, described, table, evidence.labels, study)
    portraits = write_portraits(profiles, traits, mixes, [own.label for own in identities], study, formats)
    personas = []
    for segment, plan, own, name, portrait in zip(profiles.segments, plans, identities, today, portraits, strict=True):
        marks = _markers(segment, by_name)
        personas.append(
            Persona(
                name=own.label,
                slug=own.slug,
                letter=own.letter,
                colour=own.colour,
                name_basis=name.basis if own.label == name.text else "",
                portrait=portrait,
                typical=_list_typical(segment, profiles, table, formats),
                markers=tuple(mark.variable for mark in marks[:MOST_MARKERS]),
                not_all=list_exceptions(segment, marks, traits, study, formats),
                plan=plan,
                identity=own,
                today=name.text,
            )
        )
    return tuple(personas)


def _identify(
    namer: Namer, profiles: Profiles, memory: Memory, study: Study, *, named: bool
) -> tuple[list[Name], tuple[Identity, ...]]:
    """Name the segments as their numbers would today, and settle what they are called.

    A name of an earlier run is kept unless it says something that is false for most members. Then the segment gets a
    new name and address, and the old address leads to it.
    """
    k = len(profiles.segments)
    if not named:
        groups = [Name(f"Group {chr(ord('A') + i)}") for i in range(k)]
        return groups, settle(
            [group.text for group in groups], NOTHING, study.model_copy(update={"names": {}}), COLOURS
        )
    today = namer.names([None] * k, set())
    kept, taken = kept_names(memory, study, k), taken_addresses(memory, study, k)
    false = [i for i, name in enumerate(kept) if name and namer.misleads(i + 1, name)]
    fixed = [None if i in false else name for i, name in enumerate(kept)]
    names = namer.names(fixed, taken) if taken else today
    memory = replace(memory, kept=tuple(_renamed(own, names[i], i in false) for i, own in enumerate(memory.kept)))
    return today, settle([name.text for name in names], memory, study, COLOURS)


def _renamed(own: Identity | None, name: Name, misleading: bool) -> Identity | None:
    if own is None or not misleading:
        return own
    slug = slugify(name.text)
    former = tuple(dict.fromkeys((*own.former, own.slug)))
    return replace(own, slug=slug, name=name.text, label=name.text, former=tuple(x for x in former if x != slug))


def _list_typical(
    segment: SegmentProfile, profiles: Profiles, table: FeatureTable, formats: Formats
) -> tuple[tuple[str, str], ...]:
    by_name = {variable.name: variable for variable in table.variables}
    return (*_typical(segment, table.variables, formats), *_commonest(segment, profiles, by_name, formats))


def _markers(segment: SegmentProfile, by_name: Mapping[str, Variable]) -> list[Difference]:
    """Forming features that set the segment apart, strongest first; where none does, the largest differences."""
    forming = [d for d in segment.differences if by_name[d.variable].role == "feature"]
    forming = [d for d in forming if segment.is_typical(d.summary)] or forming
    ranked = sorted(forming, key=lambda d: (-abs(d.z), d.variable))
    return [d for d in ranked if d.marker] or ranked[:2]


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
