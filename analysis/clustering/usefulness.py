"""Predictive validation: prediction of later purchases and outcomes, compared with RFM cells and random groups."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.base.formats import Formats, in_sentence, in_words, joined
from analysis.base.run import USERS, Effort, Run
from analysis.base.weights import Weights
from analysis.clustering.algorithms import competing
from analysis.clustering.evidence import Evidence
from analysis.clustering.holdout import (
    CHANCE,
    LEAVES,
    LEVEL,
    Floats,
    Grouping,
    Measure,
    estimate,
    held_out_scores,
)
from analysis.clustering.resample import fit_solutions
from analysis.customers.assembly import purchases_after, settle_date
from analysis.customers.gathering import name_computed
from analysis.customers.lifetime_value import Estimate
from analysis.customers.rfm import NO_PURCHASE, rfm_cells, rfm_scores
from analysis.features.build import FeatureTable
from analysis.features.preparation import prepare_customers
from analysis.features.prepare import Prepared
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs, look_back

HELD_OUT = 1 / 3
"""Part of the time span that is held out where the settings name no date. Chosen for this project."""
FEWEST, FEWEST_EACH = 100, 20
"""Fewest customers that are scored, and fewest with a yes and with a no. Chosen for this project."""
MOST = 50_000
"""Most customers that are scored; above it a seeded sample. Chosen for this project."""
BINS = 50
"""Groups that the purchase model's expectations are ranked into, so that they are counted as the others are. Chosen for
this project."""
RIVALS = ("rfm", "rfm_groups", "fifths")
"""Simple ways to group; the segments are held against the best of them, so that who wins has beaten all."""


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
    """

    label: str
    kind: Measure
    n: int
    n_yes: int | None
    scores: tuple[Score, ...]
    beats_chance: bool
    rival: str
    against: Literal["wins", "loses", "open"] | None
    sentence: str


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
    halvings, draws, most : int
        Random halves, bootstrap samples, and most customers that were scored.
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
    days = [raw.frame[source.columns.date].dropna() for raw, source in pairs if source.columns.date]
    known = [each[each < pd.Timestamp(as_of) + pd.Timedelta(days=1)] if as_of else each for each in days]
    known = [each for each in known if len(each)]
    if not known:
        if chosen != "auto":
            raise InputError(f"{place}: the study has no transactions to split.", hint="Remove the setting.")
        return None
    first, last = min(each.min() for each in known).date(), max(each.max() for each in known).date()
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
    inputs: Inputs, study: Study, split: dt.date | None, table: FeatureTable, evidence: Evidence, run: Run
) -> Usefulness:
    """Predict what took no part in forming the segments, and compare with simpler ways to group the customers.

    Means of the groups are taken over one half of the customers and scored on the other half: a segmentation does not
    win by having more groups.

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
    """
    with run.stage("Prove use"):
        return _prove(inputs, study, split, table, evidence, run)


def _prove(
    inputs: Inputs, study: Study, split: dt.date | None, table: FeatureTable, evidence: Evidence, run: Run
) -> Usefulness:
    made, effort = Usefulness(), run.effort
    if split is not None and (as_of := settle_date(inputs.tables, study)) is not None:
        # What an error says may name single rows of the data.
        with contextlib.suppress(InputError):
            made = _prove_in_time(inputs, study, as_of, split, evidence, run)
        if not made.split:
            known = f"what is known up to {Formats().date(split.isoformat())}"
            why = f"{known} holds fewer than {FEWEST} customers, or not all that the settings name"
            made = Usefulness(notes=(f"Purchases after a date were not predicted: {why}.",))
    outcomes, notes = _prove_outcomes(table, study, evidence, effort)
    made = replace(made, outcomes=tuple(outcomes), notes=(*made.notes, *notes))
    return replace(made, headline=_headline(made.targets), halvings=effort.holdout_halvings, draws=effort.holdout_draws)


def _prove_in_time(
    inputs: Inputs, study: Study, as_of: dt.date, split: dt.date, evidence: Evidence, run: Run
) -> Usefulness:
    """Form segments by what was known at the split, and predict purchases after it."""
    features = prepare_customers(*look_back(inputs, study, split, FEWEST), run.silent())
    early, cleaned, prepared = features.customers.assembled, features.customers.cleaned, features.prepared
    segments = _form(prepared, study, evidence, run.effort)
    if segments is None:
        return Usefulness()
    groupings = [Grouping("segments", "Segments", segments)]
    computed = {name_computed(early, name): name for name in ("recency_days", "frequency", "spend")}
    groupings += _rfm(cleaned.frame.rename(columns=computed))
    bought = purchases_after(inputs.tables, study, split, as_of).reindex(cleaned.keys.to_numpy()).fillna(0.0)
    model = early.lifetime.of(cleaned.keys).frame if early.lifetime else None
    formats = Formats(study.currency, study.customers, study.min_cell)
    after = f"after {formats.date(split.isoformat())}"
    targets, notes = [], []
    active, spend = (np.asarray(each, dtype=float) for each in (bought["frequency"] > 0, bought["spend"]))
    aims: list[tuple[str, Floats, Measure, str]] = [
        (f"Buys {after}", active, "auc", "purchases"),
        (f"Spend {after}", spend, "r2", "clv"),
    ]
    for label, values, measure, expected in aims:
        ways = [*groupings, _random(groupings[0]), _tree(prepared.matrix)]
        if model is not None:
            ways.append(_ranked(model[expected].to_numpy(float)))
        found = _score(label, values, measure, ways, study, formats, run.effort)
        targets += [found] if found else []
        notes += [] if found else [_too_few(label)]
    undated = [v.label for v in prepared.variables if not {v.name, *v.columns} & set(early.described)]
    if undated:
        notes.append(f"{joined(undated)} have no date, so they are taken as they are today: the test is milder for it.")
    return Usefulness("", tuple(targets), (), split.isoformat(), as_of.isoformat(), len(cleaned.frame), tuple(notes))


def _prove_outcomes(
    table: FeatureTable, study: Study, evidence: Evidence, effort: Effort
) -> tuple[list[Target], list[str]]:
    formats = Formats(study.currency, study.customers, study.min_cell)
    groupings = [Grouping("segments", "Segments", evidence.labels.astype(np.intp)), *_named(table, study)]
    forming = {c for v in table.of("feature") for c in (v.name, *v.columns)}
    numbers = table.frame[[v.name for v in table.of("feature") if not v.categorical]]
    known = numbers.fillna(numbers.median()).to_numpy(float)
    targets, notes = [], []
    for variable in table.of("outcome"):
        if variable.categorical:
            notes.append(f"{variable.label} is neither a number nor a yes or no, so it was not predicted.")
            continue
        values = table.frame[variable.name].to_numpy(float)
        measure: Measure = "auc" if set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0} else "r2"
        rivals = [g for g in groupings if g.name != "fifths" or variable.name != study.value]
        ways = [*rivals, _random(groupings[0]), *([_tree(known)] if known.shape[1] else [])]
        found = _score(variable.label, values, measure, ways, study, formats, effort, table.weights)
        targets += [found] if found else []
        notes += [] if found else [_too_few(variable.label)]
        if found and forming & {variable.name, *variable.columns}:
            notes.append(
                f"{variable.label} is computed from columns that form segments too: that they tell it is no news."
            )
    return targets, notes


def _too_few(label: str) -> str:
    return (
        f"{label}: not predicted. Needed are {FEWEST} customers, and {FEWEST_EACH} who differ from the commonest value."
    )


def _form(prepared: Prepared, study: Study, evidence: Evidence, effort: Effort) -> NDArray[np.intp] | None:
    """Segments by the published algorithm and number; None where none can be formed."""
    core, k = np.ascontiguousarray(prepared.matrix[prepared.core]), evidence.decision.k
    if len(np.unique(core, axis=0)) <= k:
        return None
    algorithms = competing(prepared.matrix, prepared.blocks())
    # Without its categories before the split, k-prototypes is k-means.
    algorithm = algorithms.get(evidence.decision.algorithm, algorithms["kmeans"])
    fits = fit_solutions(core, algorithm, (k,), study.seed, study.starts, effort)
    return fits[0].assign(prepared.matrix).astype(np.intp) if fits else None


def _rfm(frame: pd.DataFrame) -> list[Grouping]:
    """The 25 cells of recency by frequency, and their ten names."""
    scores = rfm_scores(frame)
    cells = ((scores["R"] - 1) * 5 + scores["F"] - 1).fillna(25).to_numpy(np.intp)
    names = np.unique(rfm_cells(frame).fillna(NO_PURCHASE), return_inverse=True)[1]
    return [Grouping("rfm", "RFM cells", cells), Grouping("rfm_groups", "RFM groups", names)]


def _named(table: FeatureTable, study: Study) -> list[Grouping]:
    """RFM cells and fifths of the value, as far as the settings name what they are made of."""
    frame, found = table.frame, []
    numbers = {v.name for v in table.variables if not v.categorical}
    recency = study.proof.recency or "recency_days"
    frequency = study.proof.frequency or "frequency"
    if {recency, frequency} <= numbers:
        known = frame[recency].where(frame[frequency].notna())
        found += _rfm(pd.DataFrame({"recency_days": known, "frequency": frame[frequency], "spend": 0.0}))
    if study.value in numbers:
        worth = frame[study.value]
        made = pd.DataFrame({"recency_days": worth.where(worth.isna(), 0.0), "frequency": 0.0, "spend": worth})
        label = next(v.label for v in table.variables if v.name == study.value)
        fifths = rfm_scores(made)["M"].fillna(0).to_numpy(np.intp)
        found.append(Grouping("fifths", f"Fifths of {in_sentence(label)}", fifths))
    return found


def _random(segments: Grouping) -> Grouping:
    return Grouping("random", "Random split", segments.codes)


def _tree(features: Floats) -> Grouping:
    return Grouping("tree", f"Tree of up to {LEAVES} leaves", np.zeros(len(features), np.intp), features=features)


def _ranked(expected: Floats) -> Grouping:
    ranks = pd.Series(expected).rank(method="average", pct=True).to_numpy()
    codes = np.minimum((ranks * BINS).astype(np.intp), BINS - 1)
    return Grouping("model", "Purchase model", codes, expected)


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
    commonest = np.unique(values[known], return_counts=True)[1].max(initial=0)
    if n < FEWEST or n - commonest < max(FEWEST_EACH, study.min_cell):
        return None
    rng = np.random.default_rng(study.seed)
    at = np.sort(rng.choice(known, MOST, replace=False)) if n > MOST else known
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
    rival, against = _rival(scores), None
    if rival and rival.lead:
        against = "wins" if rival.lead.low > 0 else "loses" if rival.lead.high < 0 else "open"
    sentence = _sentence(label, measure, scores[0], beats, rival, against, formats)
    return Target(label, measure, n, n_yes, scores, beats, rival.label if rival else "", against, sentence)


def _rival(scores: tuple[Score, ...]) -> Score | None:
    return max((s for s in scores if s.name in RIVALS), key=lambda s: s.score.value, default=None)


def _at(grouping: Grouping, at: NDArray[np.intp]) -> Grouping:
    known = (grouping.expected, grouping.features)
    expected, features = (None if each is None else each[at] for each in known)
    return replace(grouping, codes=grouping.codes[at], expected=expected, features=features)


def _sentence(
    label: str,
    measure: Measure,
    own: Score,
    beats: bool,
    rival: Score | None,
    against: str | None,
    formats: Formats,
) -> str:
    """The verdict on one target."""
    name = "AUC" if measure == "auc" else "R²"
    chance = f"{label}: segments predict it {'better' if beats else 'no better'} than chance"
    value = f"{name} {formats.score(own.score.value)}"
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


def _band(estimate: Estimate, formats: Formats) -> str:
    return f"{formats.percent(LEVEL)} interval {formats.score(estimate.low)} to {formats.score(estimate.high)}"


def _headline(targets: tuple[Target, ...]) -> str:
    """How often the segments beat chance, and how they fare against simple groupings."""
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
