"""Predictive validation: prediction of later purchases and outcomes, compared with RFM cells and random groups."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.base.formats import Formats, joined, number
from analysis.base.run import USERS, Effort, Run
from analysis.base.weights import Weights
from analysis.clustering.algorithms import sample_rows
from analysis.clustering.evidence import Evidence
from analysis.clustering.holdout import (
    CHANCE,
    FEWEST,
    FEWEST_EACH,
    LEVEL,
    Floats,
    Grouping,
    Measure,
    estimate,
    held_out_scores,
)
from analysis.clustering.use.aims import are_enough, list_forming, measure_of
from analysis.clustering.use.choice import draw_half
from analysis.clustering.use.groupings import (
    form_segments,
    group_by_rfm,
    group_simply,
    grow_trees,
    rank_expected,
    split_at_random,
)
from analysis.clustering.use.tiers import find_tiers, group_by_tiers
from analysis.clustering.use.verdicts import (
    Score,
    Target,
    best_rival,
    compare,
    state_equals,
    state_headline,
    state_tiers,
    state_verdict,
)
from analysis.customers.assembly import purchases_after
from analysis.customers.gathering import name_computed
from analysis.customers.periods import find_days, settle_date
from analysis.features.build import FeatureTable
from analysis.features.preparation import prepare_customers
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs, look_back

HELD_OUT = 1 / 3
"""Part of the time span that is held out where the settings name no date. Chosen for this project."""
MOST, SCORED = 50_000, 20_000
"""Most customers who are all scored, and of more the size of the seeded sample that is. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Usefulness:
    """All that was tried.

    Attributes
    ----------
    headline : str
    later : tuple of Target
        What customers did after ``split``, by segments that were formed up to it.
    outcomes : tuple of Target
        By the published segments.
    split, until : str
        Dates, as text; empty without a split.
    n_known : int
        Customers known at the split.
    notes : tuple of str
        What was not tried and why, and what to keep in mind.
    halvings, draws, most, scored : int
        Random halves, bootstrap samples, most customers who are all scored, and the sample of more.
    level : float
        Of the intervals.
    """

    headline: str = ""
    later: tuple[Target, ...] = ()
    outcomes: tuple[Target, ...] = ()
    split: str = ""
    until: str = ""
    n_known: int = 0
    notes: tuple[str, ...] = ()
    halvings: int = USERS.holdout_halvings
    draws: int = USERS.holdout_draws
    most: int = MOST
    scored: int = SCORED
    level: float = LEVEL

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everything that was predicted."""
        return (*self.later, *self.outcomes)


def settle_split(inputs: Inputs, study: Study) -> dt.date | None:
    """Choose the last day that segments are formed by when they predict what comes later; None without transactions.

    Raises
    ------
    InputError
        Where the date of the settings leaves no transactions before or after it.
    """
    chosen, place = study.proof.split, "_quarto.yml, segmentation.proof.split"
    as_of = settle_date(inputs.tables, study)
    pairs = [(r, s) for r, s in zip(inputs.tables, study.sources, strict=True) if s.kind == "transactions"]
    days = [find_days(raw, source.columns.date, as_of) for raw, source in pairs if source.columns.date]
    known = [each for each in days if each is not None]
    if not known:
        if chosen != "auto":
            raise InputError(f"{place}: the study has no transactions to split.", hint="Remove the setting.")
        return None
    first, last = min(low for low, _ in known), max(high for _, high in known)
    if chosen == "auto":
        return first + (last - first) * (1 - HELD_OUT) if last > first else None
    if not first <= chosen < last:
        raise InputError(
            f"{place}: {chosen} leaves no transactions {'before' if chosen < first else 'after'} it.",
            f"Transactions range from {first} to {last}.",
            "Choose a date in between, or remove the setting.",
        )
    return chosen


def prove(
    inputs: Inputs,
    study: Study,
    split: dt.date | None,
    table: FeatureTable,
    evidence: Evidence,
    run: Run,
    keys: pd.Series | None = None,
    sampled: bool = False,
) -> Usefulness:
    """Predict what took no part in forming the segments, and compare with simpler ways to group the customers.

    Means of the groups are taken over one half of the customers and scored on the other half: a segmentation does not
    win by having more groups. Customers who took part in a choice among tied solutions take no part in its proof.

    Parameters
    ----------
    inputs : Inputs
    study : Study
    split : date, optional
        As `settle_split` gives it.
    table : FeatureTable
        n customers.
    evidence : Evidence
        Of them.
    run : Run
    keys : Series of str, shape (n,), optional
        Of the customers; by these they are found again among those known at the split.
    sampled : bool
        Whether the tables have more customers than these.
    """
    with run.stage("Prove use"):
        key = (inputs.mark(study), evidence.labels, _list_ways(evidence), run.effort)
        return run.cached_by(key, _prove)(inputs, study, split, table, evidence, run, keys, sampled)


def _prove(
    inputs: Inputs,
    study: Study,
    split: dt.date | None,
    table: FeatureTable,
    evidence: Evidence,
    run: Run,
    keys: pd.Series | None,
    sampled: bool,
) -> Usefulness:
    chose = draw_half(len(table.frame), study.seed) if evidence.use else np.zeros(len(table.frame), dtype=bool)
    made, effort = Usefulness(), run.effort
    if split is not None and (as_of := settle_date(inputs.tables, study)) is not None:
        keys = pd.Series(dtype="str") if keys is None else keys
        known = frozenset(keys[chose]) if chose.any() else frozenset()
        many = len(keys) > MOST
        taken = keys.iloc[sample_rows(len(keys), SCORED, study.seed)] if many else keys
        looked = inputs.among(taken, study) if many or sampled else inputs
        made = _prove_later(looked, study, (split, as_of), evidence, run, known)
        if many and made.split:
            told = f"Segments were formed by what was known of {number(SCORED)} {study.customers} drawn at random."
            made = replace(made, notes=(told, *made.notes))
    outcomes, notes = _prove_outcomes(table, study, evidence, effort, chose)
    made = replace(made, outcomes=tuple(outcomes), notes=(*made.notes, *notes))
    headline = state_headline(made.targets)
    return replace(made, headline=headline, halvings=effort.holdout_halvings, draws=effort.holdout_draws)


def _prove_later(
    inputs: Inputs, study: Study, days: tuple[dt.date, dt.date], evidence: Evidence, run: Run, chose: frozenset[str]
) -> Usefulness:
    """Predict what came between two days, where enough was known on the first; else say why not."""
    # What an error says may name single rows of the data.
    with contextlib.suppress(InputError):
        made = _prove_in_time(inputs, study, days, evidence, run, chose)
        if made.split:
            return made
    known = f"what is known up to {Formats().date(days[0].isoformat())}"
    why = f"{known} holds fewer than {FEWEST} customers, or not all that the settings name"
    return Usefulness(notes=(f"Purchases after a date were not predicted: {why}.",))


def _prove_in_time(
    inputs: Inputs, study: Study, days: tuple[dt.date, dt.date], evidence: Evidence, run: Run, chose: frozenset[str]
) -> Usefulness:
    """Form segments by what was known at the split, and predict purchases after it by whoever took part in no choice.

    ``days`` are the split and the study's date.
    """
    split, as_of = days
    features = prepare_customers(*look_back(inputs, study, split, FEWEST), run.silent())
    early, cleaned, prepared = features.customers.assembled, features.customers.cleaned, features.prepared
    groupings = []
    for name, label, way in _list_ways(evidence):
        segments = form_segments(prepared.matrix, prepared.core, prepared.blocks(), way, study, run.effort)
        if segments is not None:
            groupings.append(Grouping(name, label, segments))
    if not groupings or groupings[0].name != "segments":
        return Usefulness()
    computed = {name_computed(early, name): name for name in ("recency_days", "frequency", "spend")}
    tiers = find_tiers(features.table, groupings[0].codes, study)
    groupings += [group_by_tiers(tiers, groupings[0].codes)] if tiers and tiers.codes.any() else []
    numbers = _count_groups(groupings)
    groupings += group_by_rfm(cleaned.frame[list(computed)].rename(columns=computed), numbers)
    bought = purchases_after(inputs.tables, study, split, as_of).reindex(cleaned.keys.to_numpy()).fillna(0.0)
    model = early.lifetime.of(cleaned.keys).frame if early.lifetime else None
    formats = Formats(study.currency, study.customers, study.min_cell)
    after = f"after {formats.date(split.isoformat())}"
    targets, notes = [], []
    proving = ~cleaned.keys.isin(chose).to_numpy()
    active, spend = (np.where(proving, each, np.nan) for each in (bought["frequency"] > 0, bought["spend"]))
    aims: list[tuple[str, Floats, Measure, str]] = [
        (f"Buys {after}", active, "auc", "purchases"),
        (f"Spend {after}", spend, "r2", "clv"),
    ]
    for label, values, measure, expected in aims:
        ways = [*groupings, split_at_random(groupings[0]), *grow_trees(prepared.matrix, numbers)]
        if model is not None:
            ways.append(rank_expected(model[expected].to_numpy(float)))
        found = _score(label, values, measure, ways, study, formats, run.effort)
        targets += [found] if found else []
        notes += [] if found else [_too_few(label)]
    undated = [v.label for v in prepared.variables if not {v.name, *v.columns} & set(early.described)]
    if undated:
        notes.append(f"{joined(undated)} have no date, so they are taken as they are today: the test is milder for it.")
    return Usefulness("", tuple(targets), (), split.isoformat(), as_of.isoformat(), len(cleaned.frame), tuple(notes))


def _prove_outcomes(
    table: FeatureTable, study: Study, evidence: Evidence, effort: Effort, chose: NDArray[np.bool_]
) -> tuple[list[Target], list[str]]:
    formats = Formats(study.currency, study.customers, study.min_cell)
    groupings = [Grouping("segments", "Segments", evidence.labels.astype(np.intp))]
    if evidence.sample is None:
        others = _list_ways(evidence)[1:]
        groupings += [Grouping(name, label, evidence.solutions[way].astype(np.intp)) for name, label, way in others]
    tiers = find_tiers(table, evidence.labels, study)
    groupings += [group_by_tiers(tiers, evidence.labels)] if tiers and tiers.codes.any() else []
    numbers = _count_groups(groupings)
    groupings += group_simply(table, study, numbers)
    forming = list_forming(table)
    features = table.frame[[v.name for v in table.of("feature") if not v.categorical]]
    known = features.fillna(features.median()).to_numpy(float)
    targets, notes = [], []
    for variable in table.of("outcome"):
        if variable.categorical:
            notes.append(f"{variable.label} is neither a number nor a yes or no, so it was not predicted.")
            continue
        values = np.where(chose, np.nan, table.frame[variable.name].to_numpy(float))
        measure = measure_of(values)
        made_of = {variable.name, *variable.columns}
        itself = "tiers" if tiers and made_of & tiers.columns else ""
        of_value = ("fifths", "value_") if variable.name == study.value else ()
        rivals = [g for g in groupings if g.name != itself and not g.name.startswith(of_value)]
        ways = [*rivals, split_at_random(groupings[0]), *grow_trees(known, numbers)]
        found = _score(variable.label, values, measure, ways, study, formats, effort, table.weights)
        targets += [found] if found else []
        notes += [] if found else [_too_few(variable.label)]
        if found and itself and tiers:
            notes.append(f"{variable.label} is not predicted by halves of the segments, as {tiers.label} makes both.")
        if found and forming & made_of:
            notes.append(
                f"{variable.label} is computed from columns that form segments too: that they tell it is no news."
            )
    return targets, notes


def _list_ways(evidence: Evidence) -> list[tuple[str, str, tuple[str, int]]]:
    """List name, label, algorithm and number of the published segments and, if others, those of stability alone."""
    ways = [("segments", "Segments", (evidence.decision.algorithm, evidence.decision.k))]
    if evidence.use and evidence.use.by_stability != ways[0][2]:
        ways.append(("stable", "Segments by stability alone", evidence.use.by_stability))
    return ways


def _count_groups(groupings: list[Grouping]) -> tuple[int, ...]:
    """Numbers of groups of the segments, and of their tiers."""
    counted = {len(np.unique(g.codes)) for g in groupings if g.name in {"segments", "tiers"}}
    return tuple(sorted(counted - {1}))


def _too_few(label: str) -> str:
    return (
        f"{label}: not predicted. Needed are {FEWEST} customers, and {FEWEST_EACH} who differ from the commonest value."
    )


def _score(
    label: str,
    values: Floats,
    measure: Measure,
    groupings: list[Grouping],
    study: Study,
    formats: Formats,
    effort: Effort,
    weights: Weights = None,
) -> Target | None:
    """Score all ways to group the customers with a value; None where they are too few."""
    known = np.flatnonzero(~np.isnan(values))
    n, n_yes = len(known), int(values[known].sum()) if measure == "auc" else None
    if not are_enough(values, study.min_cell):
        return None
    rng = np.random.default_rng(study.seed)
    at = np.sort(rng.choice(known, SCORED, replace=False)) if n > MOST else known
    own = None if weights is None else weights[at]
    drawn = held_out_scores(values[at], measure, [_at(g, at) for g in groupings], rng, effort, own)
    scores = tuple(
        Score(
            g.name,
            g.label,
            None if g.expected is not None or g.features is not None else len(np.unique(g.codes[at])),
            estimate(own[0]),
            None if g is groupings[0] else estimate(drawn[0, 0] - own[0]),
            tuple(map(estimate, own[1:])),
        )
        for g, own in zip(groupings, drawn, strict=True)
    )
    beats = scores[0].score.low > CHANCE[measure]
    rival, against = best_rival(scores), None
    if rival and rival.lead:
        against = compare(rival.lead)
    sentence = state_verdict(label, measure, scores[0], beats, rival, against, formats)
    made = Target(label, measure, n, n_yes, scores, beats, rival.label if rival else "", against, sentence)
    made = replace(made, equals=state_equals(scores, measure, formats))
    names = [g.name for g in groupings]
    if "tiers" not in names:
        return made
    at_tiers, other = names.index("tiers"), rival or scores[0]
    lead = estimate(drawn[at_tiers, 0] - drawn[scores.index(other), 0])
    return replace(made, tiers_against=compare(lead), tiers=state_tiers(scores[at_tiers], other, lead, formats))


def _at(grouping: Grouping, at: NDArray[np.intp]) -> Grouping:
    known = (grouping.expected, grouping.features)
    expected, features = (None if each is None else each[at] for each in known)
    return replace(grouping, codes=grouping.codes[at], expected=expected, features=features)
