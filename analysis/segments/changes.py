"""Changes since an earlier run: sizes, value, traits, distributions and movements."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.weights import effective_size
from analysis.clustering.algorithms import Labels
from analysis.clustering.evidence import Evidence
from analysis.features.build import FeatureTable
from analysis.past.identity import Matching, Memory, edited_features, gone_after, match, remember
from analysis.past.records import (
    Before,
    Change,
    Drift,
    Flow,
    Identity,
    Interval,
    Measures,
    Past,
    Record,
    SegmentChange,
    Spread,
    TraitShift,
)
from analysis.profiles.measures import DIGITS, round_digits
from analysis.profiles.profile import Profiles
from analysis.segments.personas import Persona
from analysis.settings.models import Study

MOVED, ANOTHER = 0.1, 0.25
"""PSI from which a distribution has moved, and from which it is another one, as credit scoring reads it."""
TELLS = 0.2
"""Shift of a segment's mean, in standard deviations of everyone, from which it is flagged. Chosen for this project."""
Z95 = 1.96
KS95 = 1.358
"""Critical value of the two-sample KS test at 5%, to be divided by the root of n m / (n + m)."""


@dataclass(frozen=True, slots=True)
class LookedBack:
    """What a run owes to those before it: identities, what changed, and the messages to show."""

    memory: Memory
    change: Change | None
    told: tuple[str, ...] = ()


def look_back(
    past: Past,
    measures: Measures,
    table: FeatureTable,
    labels: Labels,
    keys: pd.Series,
    profiles: Profiles,
    study: Study,
    as_of: str,
) -> LookedBack:
    """Match today's segments to those of the earlier run and say what changed.

    A run that is on record with the same numbers says again what it said.

    Parameters
    ----------
    past : Past
    measures : Measures
        Of today.
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
    keys : Series of str, shape (n,)
    profiles : Profiles
    study : Study
    as_of : str
    """
    own = past.own
    if own and own.measures == measures:
        return LookedBack(Memory(own.segments, own.gone, as_of), own.change)
    k, base = len(profiles.segments), past.previous or own
    now = pd.Series(labels, index=pd.Index(keys.astype("str")))
    matching = match(base, measures, (past.members, now), study.min_cell) if base else None
    if base and matching is None:
        what = f"The run {base.stem} was made of other features; this one is not compared with it."
        return LookedBack(remember(None, None, k, as_of), None, (what,))
    memory = remember(base, matching, k, as_of)
    if not past.previous or not matching:
        return LookedBack(memory, None)
    change = compare(past.previous, matching, measures, table, labels, profiles, study.min_cell)
    if study.value in edited_features(past.previous.measures, measures):
        unlike = {"value_then": None, "value_shift": None}
        change = replace(change, segments=tuple(replace(segment, **unlike) for segment in change.segments))
    return LookedBack(memory, change)


def compare(
    then: Record,
    matching: Matching,
    measures: Measures,
    table: FeatureTable,
    labels: Labels,
    profiles: Profiles,
    min_cell: int,
) -> Change:
    """Compare this run with another one.

    Shares and numbers of the other run are those of its record, rounded. Where it is known who was in both, intervals
    of shares of customers allow for that; else, and for value and traits, the runs count as independent samples, which
    makes intervals wider than need be where customers are the same.
    """
    common = None if matching.counts is None else _part(int(matching.counts.sum()), sum(matching.joined), min_cell)
    return Change(
        Before(
            then.stem,
            then.as_of,
            then.measures.n,
            then.verdict,
            then.k,
            then.algorithm,
            then.silhouette,
            then.stability,
        ),
        matching.by,
        common,
        _segments(then, matching, measures, profiles, len(labels), min_cell),
        _traits(then, matching, measures),
        _drifts(then.measures, measures, table),
        _flows(then, matching, min_cell),
        tuple(edited_features(then.measures, measures).values()),
    )


def make_record(
    past: Past,
    looked: LookedBack,
    measures: Measures,
    personas: tuple[Persona, ...],
    evidence: Evidence,
    study: Study,
    as_of: str,
    synthetic: bool,
) -> Record:
    """Return the record of this run."""
    chosen = next(row for row in evidence.chosen().by_k if row.k == evidence.decision.k)
    identities = tuple(persona.identity for persona in personas)
    return Record(
        version=1,
        study=past.study or study.title,
        synthetic=synthetic,
        stem=past.stem,
        as_of=as_of,
        verdict=evidence.verdict,
        k=len(personas),
        algorithm=evidence.decision.algorithm_title,
        silhouette=round_digits(chosen.silhouette),
        stability=round_digits(chosen.stability.median),
        measures=measures,
        segments=identities,
        gone=gone_after(looked.memory, identities, study),
        change=looked.change,
        table=past.table,
    )


def population_stability(then: NDArray[np.float64], now: NDArray[np.float64], n_now: int) -> float:
    """Compute the PSI: sum of (now - then) ln(now / then) over bins; an empty bin counts as half a customer.

    >>> population_stability(np.array([0.5, 0.5]), np.array([0.5, 0.5]), 100)
    0.0
    >>> round(population_stability(np.array([0.5, 0.5]), np.array([0.6, 0.4]), 100), 4)
    0.0405
    """
    floor = 0.5 / max(n_now, 1)
    a, b = np.maximum(then, floor), np.maximum(now, floor)
    return float(((b - a) * np.log(b / a)).sum())


def share_shift(then: float, n_then: float, now: float, n_now: float, both: float = 0.0) -> Interval:
    """Return the difference of two shares with its 95% interval.

    ``both`` is the covariance of the two answers, summed over the customers of both runs: 0 for independent samples,
    all of the variance where the same customers gave the same answers.

    >>> [round(x, 3) for x in share_shift(0.2, 1000, 0.25, 1000)]
    [0.05, 0.013, 0.087]
    >>> [round(x, 3) + 0.0 for x in share_shift(0.2, 1000, 0.2, 1000, 1000 * 0.2 * 0.8)]
    [0.0, 0.0, 0.0]
    """
    variance = then * (1 - then) / n_then + now * (1 - now) / n_now - 2 * both / (n_then * n_now)
    reach = Z95 * float(np.sqrt(max(variance, 0.0)))
    return now - then, now - then - reach, now - then + reach


def _segments(
    then: Record, matching: Matching, measures: Measures, profiles: Profiles, n: int, min_cell: int
) -> tuple[SegmentChange, ...]:
    """Today's segments in their order, then those that ended."""
    back = {j: i for i, j in matching.pairs.items()}
    found = []
    for j, (segment, own) in enumerate(zip(profiles.segments, measures.segments, strict=True)):
        if j not in back:
            source = matching.split.get(j)
            kind = "birth" if source is None else "split"
            out_of = None if source is None else then.segments[source]
            origins = _origins(then, matching, j, min_cell)
            found.append(SegmentChange(kind, None, j + 1, None, out_of, None, None, None, None, None, None, origins))
            continue
        i = back[j]
        old = then.measures.segments[i]
        sizes, both = (then.measures.n * then.measures.worth, n * measures.worth), _both(matching, i, j)
        # Weights are those of the population at each time, so that the covariance of the answers does not carry over.
        both = both if then.measures.worth == measures.worth == 1 else 0.0
        shift = _plain(share_shift(old.share, sizes[0], segment.share, sizes[1], both))
        worth = None
        if old.value_share is not None and segment.value_share is not None:
            step = segment.value_share - old.value_share
            reach = Z95 * float(np.hypot(old.value_se or 0, own.value_se or 0))
            worth = _plain((step, step - reach, step + reach))
        figures = (old.n, old.share, old.value_share, shift, worth, _stayed(matching, i, j, min_cell))
        found.append(SegmentChange("kept", then.segments[i], j + 1, None, None, *figures))
    for i, old in enumerate(then.measures.segments):
        if i not in matching.pairs:
            into = matching.merged.get(i)
            kind = "death" if into is None else "merged"
            ended = (old.n, old.share, old.value_share, None, None, _stayed(matching, i, into, min_cell))
            place = None if into is None else into + 1
            found.append(SegmentChange(kind, then.segments[i], None, place, None, *ended))
    return tuple(found)


def _origins(then: Record, matching: Matching, j: int, min_cell: int) -> tuple[tuple[Identity | None, float], ...]:
    """Where a new segment's customers were, the most first, from counts that are multiples of the smallest cell."""
    if matching.counts is None:
        return ()
    counts = [*map(int, matching.counts[: then.k, j]), matching.joined[j]]
    published = [_told(c, min_cell) for c in counts]
    parts = zip((*then.segments, None), published, strict=True)
    return tuple(
        sorted(((who, round(n / max(sum(published), 1), 2)) for who, n in parts if n), key=lambda part: -part[1])
    )


def _both(matching: Matching, i: int, j: int) -> float:
    """Covariance of being in the earlier segment and in today's, summed over the customers of both runs."""
    if matching.counts is None:
        return 0.0
    n = float(matching.counts.sum())
    was, is_now = float(matching.counts[i].sum()), float(matching.counts[:, j].sum())
    return float(matching.counts[i, j]) - was * is_now / n


def _stayed(matching: Matching, i: int, j: int | None, min_cell: int) -> float | None:
    """Share of an earlier segment's customers who are in today's segment, or who are in the data at all."""
    if matching.counts is None:
        return None
    inside, left = int(matching.counts[i].sum()), matching.left[i]
    if j is None:
        return _part(inside, left, min_cell)
    return _part(int(matching.counts[i, j]), inside - int(matching.counts[i, j]), min_cell)


def _part(n: int, others: int, min_cell: int) -> float:
    """A share from multiples of the smallest cell, so that few customers are none."""
    here, there = _told(n, min_cell), _told(others, min_cell)
    return round(here / max(here + there, 1), 2)


def _told(n: int, min_cell: int) -> int:
    return min_cell * round(n / min_cell) if n >= min_cell else 0


def _traits(then: Record, matching: Matching, measures: Measures) -> tuple[TraitShift, ...]:
    edited = edited_features(then.measures, measures)
    everyone = {
        s.name: s.everyone for s in then.measures.spreads if s.everyone and s.everyone.sd > 0 and s.name not in edited
    }
    found = []
    for i, j in sorted(matching.pairs.items(), key=lambda pair: pair[1]):
        old, new = then.measures.segments[i], measures.segments[j]
        for name, was in old.variables.items():
            if name not in everyone or name not in new.variables:
                continue
            own = new.variables[name]
            base = everyone[name]
            assert base is not None
            z = (own.mean - was.mean) / base.sd
            sizes = old.n * then.measures.worth, new.n * measures.worth
            reach = Z95 * float(np.sqrt(was.sd**2 / max(sizes[0], 1) + own.sd**2 / max(sizes[1], 1))) / base.sd
            flagged = abs(z) >= TELLS and abs(z) > reach
            shift = _plain((z, z - reach, z + reach))
            found.append(TraitShift(j + 1, name, (was.median, own.median), (was.mean, own.mean), shift, flagged))
    return tuple(found)


def _drifts(then: Measures, now: Measures, table: FeatureTable) -> tuple[Drift, ...]:
    """Every variable of both runs over the earlier run's bins, the furthest moved first."""
    shared = {spread.name for spread in now.spreads} - set(edited_features(then, now))
    drifts = []
    for spread in then.spreads:
        if spread.name not in shared or not spread.shares:
            continue
        known = table.frame[spread.name].notna().to_numpy()
        values, weights = table.frame[spread.name][known], None if table.weights is None else table.weights[known]
        shares = _shares_now(values, spread, np.ones(len(values)) if weights is None else weights)
        n = len(values) if weights is None else round(effective_size(weights))
        before = np.array(spread.shares) / sum(spread.shares)
        psi = population_stability(before, shares, n)
        ks = None if spread.levels else round(float(np.abs(np.cumsum(shares - before)).max()), 4)
        chance = KS95 * float(np.sqrt(1 / (then.n * then.worth) + 1 / max(n, 1)))
        reading = "as before" if psi < MOVED else "moved" if psi < ANOTHER else "another distribution"
        drifts.append(Drift(spread.name, spread.label, round(psi, 4), ks, round(chance, 4), reading))
    return tuple(sorted(drifts, key=lambda d: (-d.psi, d.variable)))


def _shares_now(values: pd.Series, spread: Spread, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of today's values in the earlier bins; levels that were not there then count as the last one, or none."""
    if spread.levels:
        others = {"Other", "Unknown"} & set(spread.levels)
        text = values.astype("str")
        text = text.where(text.isin(spread.levels), sorted(others)[0]) if others else text
        counts = np.array([weights[(text == level).to_numpy()].sum() for level in spread.levels], dtype=float)
    else:
        places = np.searchsorted(np.array(spread.edges), values.to_numpy(float), side="right")
        counts = np.bincount(places, weights, minlength=len(spread.edges) + 1)
    return counts / max(counts.sum(), 1.0)


def _flows(then: Record, matching: Matching, min_cell: int) -> tuple[Flow, ...]:
    """Counts as multiples of the smallest cell; smaller ones are left out, so that subtraction reveals nothing."""
    if matching.counts is None:
        return ()
    k_now = matching.counts.shape[1] - 1
    places = [*range(1, k_now + 1), 0, -1]
    rows: list[tuple[Identity | None, list[int]]] = [
        (then.segments[i], [*map(int, matching.counts[i]), matching.left[i]]) for i in range(then.k)
    ]
    rows.append((None, [*matching.joined, 0, 0]))
    flows = []
    for identity, counts in rows:
        published = [_told(c, min_cell) for c in counts]
        if total := sum(published):
            shares = tuple((place, round_digits(n / total)) for place, n in zip(places, published, strict=True) if n)
            flows.append(Flow(identity, total, shares))
    return tuple(flows)


def _plain(interval: Interval) -> Interval:
    """No finer than :data:`DIGITS` digits after the point, so that no count follows from it."""
    value, low, high = (round(x, DIGITS) + 0.0 for x in interval)
    return value, low, high
