"""From labels to segments that people can act on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.assignment.methods import Assignment
from analysis.base.disclosure import Disclosure
from analysis.base.run import Run
from analysis.clustering.evidence import Evidence
from analysis.features.preparation import Features
from analysis.past.records import Change, Past, Record
from analysis.profiles.measures import measure
from analysis.profiles.population import restate
from analysis.profiles.profile import Profiles, profile_segments
from analysis.profiles.timing import find_busy_times
from analysis.profiles.value import ExpectedSpend, expect_spend
from analysis.segments.card import Background, Card, write_card
from analysis.segments.changes import look_back, make_record
from analysis.segments.personas import Persona, write_personas
from analysis.segments.plans.playbook import Play
from analysis.segments.targeting import Targeting, weigh_segments
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Segments:
    """Everything that is said of the segments.

    Attributes
    ----------
    profiles : Profiles
    personas : tuple of Persona, length k
    card : Card
    expected : ExpectedSpend, optional
        None without transactions, or where a segment has too few buyers.
    targeting : Targeting
    change : Change, optional
        Since the run before; None for a first run.
    record : Record
        What this run leaves to the next one.
    messages : tuple of str
        What the user should know about earlier runs.
    """

    profiles: Profiles
    personas: tuple[Persona, ...]
    card: Card
    expected: ExpectedSpend | None
    targeting: Targeting
    change: Change | None
    record: Record
    messages: tuple[str, ...]


def describe_segments(
    features: Features,
    evidence: Evidence,
    assignment: Assignment,
    study: Study,
    plays: list[tuple[int, Play]],
    past: Past,
    background: Background,
    run: Run,
) -> Segments:
    """Profile the segments, recognise those of the run before, and write personas, plans and the card.

    Parameters
    ----------
    features : Features
        n customers.
    evidence : Evidence
        With their labels, 1..k, 0 = unassigned.
    assignment : Assignment
    study : Study
    plays : list of (int, Play)
        Rules of the playbook.
    past : Past
    background : Background
        What the card states beside the segments.
    run : Run
    """
    table, prepared, labels = features.table, features.prepared, evidence.labels
    assembled, cleaned, as_of = features.customers.assembled, features.customers.cleaned, features.customers.as_of
    with run.stage("Profile segments"):
        shown = prepared.matrix if features.before_reduction is None else features.before_reduction
        profiles = profile_segments(table, labels, shown, prepared, study, evidence.refits)
        if assignment.counts is not None:
            profiles = restate(profiles, assignment.counts, table, study)
    with run.stage("Compare with the last run"):
        # Without a key, nobody can be recognised.
        past = past if assembled.source.key else replace(past, members=None)
        n_all = features.customers.n
        measures = measure(table, features.scaled, prepared.steps, labels, profiles, study, n_all)
        looked = look_back(past, measures, table, labels, cleaned.keys, profiles, study, as_of)
        times = find_busy_times(features.customers.inputs.tables, study, cleaned.as_of, cleaned.keys, labels)
        personas = write_personas(profiles, table, evidence, study, plays, looked.memory, times)
        record = make_record(past, looked, measures, personas, evidence, study, as_of, background.synthetic)
        card = write_card(study, cleaned, table, prepared, labels, profiles, personas, background)
        lifetime, limits = assembled.lifetime, Disclosure.of(study)
        expected = expect_spend(lifetime, cleaned.keys, labels, limits, n_all) if lifetime else None
        targeting = weigh_segments(
            profiles.segments, table.variables, assignment.rules, expected, study, looked.change, table.weights
        )
    messages = (*past.told, *looked.told)
    return Segments(profiles, personas, card, expected, targeting, looked.change, record, messages)
