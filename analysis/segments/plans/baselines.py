"""Baselines of tests: from the data where they hold the rate, else assumed, else not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.base.errors import InputError
from analysis.base.expressions import Expression, parse
from analysis.base.formats import in_sentence
from analysis.base.weights import share
from analysis.clustering.algorithms import Labels
from analysis.features.build import FeatureTable
from analysis.profiles.profile import Profiles
from analysis.profiles.themes import Trait
from analysis.segments.plans.experiments import (
    EVERYONE,
    KPIS,
    NEARLY,
    WINDOWS,
    Baseline,
    Direction,
    describe_assumption,
    round_rate,
)
from analysis.segments.plans.facts import Facts
from analysis.segments.plans.playbook import ATTITUDES, PLAYBOOK, Play
from analysis.settings.models import Study

MONTH_DAYS = 30


class Baselines:
    """Rates of all segments of a study before a test.

    Parameters
    ----------
    facts : sequence of Facts, length k
    profiles : Profiles
        k segments.
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
    study : Study
    """

    def __init__(
        self, facts: Sequence[Facts], profiles: Profiles, table: FeatureTable, labels: Labels, study: Study
    ) -> None:
        self.facts, self.profiles, self.frame, self.labels, self.study = facts, profiles, table.frame, labels, study
        self.weights = np.ones(len(labels)) if table.weights is None else table.weights

    def find(self, i: int, play: Play, line: int) -> Baseline | None:
        """The rate before the test: from the data where they hold it, else assumed, else not known."""
        n, people = self.profiles.segments[i].n, self.study.customers
        if play.rate:
            return self._by_formula(i, play, line)
        if not play.test:
            return None
        if play.test in ATTITUDES:
            return self._by_answer(i, play.test)
        kpi = KPIS[play.test]
        unit, visits = people, self.facts[i].numbers.get("visits.mean")
        trait = self.facts[i].traits.get(play.test)
        if kpi.unit == "visits" and visits and (trait is None or trait.variable.role != "outcome"):
            n, unit = int(visits[0] * n), "visits"
        if play.test == "reorder" and (known := self._reorder(i, n, unit)) is not None:
            return known
        found = self._from_data(i, play.test)
        if found is not None:
            rate, source = round_rate(found[0]), found[1]
            if 0 < rate < 1:
                return Baseline(rate, source, False, n, unit, kpi.better)
        if kpi.assumed is None:
            return Baseline(None, "not known", True, n, unit, kpi.better)
        rate = round_rate(self.study.assumptions.get(play.test, kpi.assumed))
        return Baseline(rate, describe_assumption(play.test, rate), True, n, unit, kpi.better)

    def _from_data(self, i: int, test: str) -> tuple[float, str] | None:
        """The rate of a KPI in a segment, and what it is."""
        traits, numbers = self.facts[i].traits, self.facts[i].numbers
        if test in traits and traits[test].variable.role == "outcome" and f"{test}.rate" in numbers:
            return numbers[f"{test}.rate"][0], in_sentence(traits[test].label)
        if test == "return" and "last_visit" in traits:
            rate = self._share_within(i, traits["last_visit"], MONTH_DAYS)
            return (rate, f"visited in the last {MONTH_DAYS} days") if rate is not None else None
        if test == "contact" and "support" in traits:
            known = self.frame[traits["support"].name].to_numpy(float)[self._members(i)]
            there = np.isfinite(known)
            rate = self._share(known[there] >= 1, self.weights[self._members(i)][there])
            return (rate, f"{in_sentence(traits['support'].label)}: one or more") if rate is not None else None
        if test == "conversion" and {"conversion", "visits"} <= set(traits):
            rows = self.frame[[traits["conversion"].name, traits["visits"].name]].to_numpy(float)[self._members(i)]
            complete = np.isfinite(rows).all(axis=1)
            rows, own = rows[complete], self.weights[self._members(i)][complete]
            total = (rows[:, 1] * own).sum()
            return (float((rows.prod(axis=1) * own).sum() / total), "visits with an order") if total > 0 else None
        return None

    def _reorder(self, i: int, n: int, unit: str) -> Baseline | None:
        """Return the share who ordered within the longest time in which not nearly all did; None if it is not known."""
        trait = self.facts[i].traits.get("recency")
        if trait is None or trait.variable.unit != "days":
            return None
        for window, (days, _, _) in enumerate(WINDOWS):
            rate = self._share_within(i, trait, days)
            if rate is not None and rate < EVERYONE:
                return Baseline(round_rate(rate), f"ordered in the last {days} days", False, n, unit, "more", window)
        values = self.frame[trait.name].to_numpy(float)[self._members(i)]
        if (values <= WINDOWS[-1][0]).mean() >= EVERYONE:
            return Baseline(None, NEARLY, False, n, unit, "more", len(WINDOWS) - 1)
        return None

    def _members(self, i: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return self.labels == self.profiles.segments[i].id

    def _share_within(self, i: int, trait: Trait, days: int) -> float | None:
        """Return the share of members with the event in the last days; in transactions, no date means never."""
        values, own = self.frame[trait.name].to_numpy(float)[self._members(i)], self.weights[self._members(i)]
        if not trait.variable.name.endswith("_days"):
            known = np.isfinite(values)
            values, own = values[known], own[known]
        return self._share(values <= days, own)

    def _share(
        self, holds: np.ndarray[Any, np.dtype[np.bool_]], weights: np.ndarray[Any, np.dtype[np.float64]]
    ) -> float | None:
        """A share, if neither those counted nor the others are too few to publish."""
        few = self.study.min_cell
        return share(holds, weights) if holds.sum() >= few and (~holds).sum() >= few else None

    def _by_answer(self, i: int, test: str) -> Baseline | None:
        trait, n = self.facts[i].traits.get(test), self.profiles.segments[i].n
        if trait is None:
            return None
        better: Direction = "less" if test in {"says_expensive", "says_bad"} else "more"
        if trait.variable.unit != "yes_no":
            return Baseline(None, "an answer on a scale", True, n, self.study.customers, better)
        rate = round_rate(self.facts[i].numbers[f"{test}.mean"][0])
        source = "this share of the segment in the survey"
        return Baseline(rate if 0 < rate < 1 else None, source, False, n, self.study.customers, better)

    def _by_formula(self, i: int, play: Play, line: int) -> Baseline | None:
        """The rate of an earlier playbook's rule: a formula of the segment's numbers, or a number that is assumed."""
        formula, values = parse(play.rate), self.facts[i].values()
        n, unit = self.profiles.segments[i].n, play.rate_unit or self.study.customers
        if any(name not in values for name in formula.names):
            return None
        if play.rate_count:
            counted = parse(play.rate_count)
            if any(name not in values for name in counted.names):
                return None
            n = int(compute(counted, values, line))
        rate = round_rate(compute(formula, values, line))
        source = f"share {play.rate_of}".rstrip() if formula.names else f"assumed: share {play.rate_of}".rstrip()
        return Baseline(rate if 0 < rate < 1 else None, source, not formula.names, n, unit, "more")


def compute(formula: Expression, values: Mapping[str, Any], line: int) -> float:
    """Compute a formula; the message names the line of its rule.

    Raises
    ------
    InputError
        Where the formula gives no number.
    """
    try:
        return float(formula(values))
    except (ValueError, TypeError) as error:
        raise InputError(f"{PLAYBOOK}, line {line}: {error}.", "Rules compare numbers.") from None
