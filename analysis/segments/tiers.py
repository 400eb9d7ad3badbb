"""Tiers in figures: size, value and outcomes of each half of a segment, as far as they may be published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.assignment.rules import write_sql
from analysis.base import weights as weighted
from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Labels
from analysis.clustering.use.tiers import TIER_WORDS, Tiers
from analysis.features.build import FeatureTable, Variable
from analysis.features.preparation import Features
from analysis.profiles.profile import find_sensitive
from analysis.profiles.sensitivity import find_hidden
from analysis.profiles.value import share_value
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Tier:
    """One half of a segment.

    Attributes
    ----------
    segment : int
    name : str
        Lower or higher by value; recent or earlier by recency.
    n : int
    share : float
        Of all customers.
    value : float, optional
        Mean of what its customers are worth; None where the study has no value.
    value_share : float, optional
        Its part of the value of all; None for all halves where one customer dominates one of them.
    rates : tuple of float
        Means of the outcomes, or shares of a yes.
    """

    segment: int
    name: str
    n: int
    share: float
    value: float | None
    value_share: float | None
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TierTable:
    """All halves.

    Attributes
    ----------
    by : str
        Value or recency.
    variable : str
        What segments are cut by.
    sql : str
        That variable over the customer table ``c``.
    cuts : tuple of float, length k
        Where each segment is cut, in the variable's unit; None where it stays whole.
    tiers : tuple of Tier
        Two a segment that is cut, in the order of the segments.
    outcomes : tuple of str
        Variables of the rates.
    """

    by: str
    variable: str
    sql: str
    cuts: tuple[float | None, ...]
    tiers: tuple[Tier, ...]
    outcomes: tuple[str, ...]


def describe_tiers(tiers: Tiers | None, features: Features, labels: Labels, study: Study) -> TierTable | None:
    """Describe each half of the segments; None without tiers.

    A half is its segment less the other half, so whatever may not be published of one is published of neither: both
    have ``min_cell`` customers, and an outcome with a small cell in any of them is left out.

    Parameters
    ----------
    tiers : Tiers, optional
    features : Features
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    study : Study
    """
    if tiers is None:
        return None
    table, customers, rules = features.table, features.customers, Disclosure.of(study)
    ids = np.where(labels > 0, labels.astype(np.intp) * 3 + tiers.codes, 0)
    # Halves and whole segments, numbered from 1 on.
    numbers = np.unique(ids, return_inverse=True)[1] + (ids.min() > 0)
    worth = None if study.value is None else table.frame[study.value].fillna(0.0).to_numpy(float)
    outcomes = _list_outcomes(table, numbers, study)
    parts = share_value(worth, numbers, rules, table.weights)[1]
    step = study.min_cell if 0 < int((labels == 0).sum()) < study.min_cell else 1
    found = []
    for segment, cut in enumerate(tiers.cuts, start=1):
        for place, name in enumerate(TIER_WORDS[tiers.by], start=1) if cut is not None else ():
            inside = (labels == segment) & (tiers.codes == place)
            # Of a sample, halves are projected to all customers.
            size = round(int(inside.sum()) * customers.n / len(labels))
            n = rules.count(step * round(size / step))
            own = None if table.weights is None else table.weights[inside]
            value = None if worth is None else rules.mean(worth[inside], own)
            rates = tuple(rules.mean(table.frame[o.name].to_numpy(float)[inside], own) for o in outcomes)
            share = n / customers.n if own is None else weighted.share(inside, table.weights)
            part = parts[int(numbers[inside][0]) - 1]
            found.append(Tier(segment, name, n, rules.share(share), value, part, rates))
    sql = write_sql(tiers.variable, customers.cleaned, customers.assembled)
    return TierTable(tiers.by, tiers.variable.name, sql, tiers.cuts, tuple(found), tuple(o.name for o in outcomes))


def _list_outcomes(table: FeatureTable, numbers: Labels, study: Study) -> list[Variable]:
    """List the outcomes of which every half and every whole segment may publish a rate; sensitive ones are none."""
    sensitive = find_sensitive(table, study)
    numeric = [v for v in table.of("outcome") if not v.categorical and v.name not in sensitive]
    hidden = find_hidden(table.frame, numeric, numbers, study.min_cell, sensitive, table.weights)
    return [v for v in numeric if v.name not in hidden]
