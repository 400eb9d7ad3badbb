"""Profiles of a sample of the customers, with the sizes, means and totals of all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.assignment.population import Counts, Known
from analysis.base.disclosure import DOMINANCE, PRECISION, Disclosure
from analysis.features.build import FeatureTable
from analysis.profiles.profile import Difference, Profiles, SegmentProfile, Summary, find_sensitive
from analysis.settings.models import Study


def restate(profiles: Profiles, counts: Counts, table: FeatureTable, study: Study) -> Profiles:
    """State sizes, shares, means, known values and totals of all customers in place of the sample's.

    Quantiles, differences on the scale of the segments, their intervals and shares of answers stay those of the sample.

    Parameters
    ----------
    profiles : Profiles
        Of the sample.
    counts : Counts
        Of all customers.
    table : FeatureTable
        Of the sample.
    study : Study
    """
    rules, sensitive = Disclosure.of(study), find_sensitive(table, study)
    units = {variable.name: variable.unit for variable in table.variables}
    everyone = {name: join(each) for name, each in counts.numbers.items()}

    def describe(name: str, summary: Summary, known: Known | None, hides: bool) -> Summary:
        if known is None or not known.n:
            return summary
        mean = known.total / known.n
        if units[name] == "yes_no":
            mean = rules.sensitive_share(mean) if hides else rules.share(mean)
        else:
            mean = state_mean(known, rules, summary.mean)
        return replace(summary, n=rules.count(known.n), mean=mean)

    whole = {name: describe(name, each, everyone.get(name), hides=False) for name, each in profiles.everyone.items()}

    def compare(difference: Difference, segment: int) -> Difference:
        name = difference.variable
        known = counts.numbers[name][segment - 1] if name in counts.numbers else None
        summary = describe(name, difference.summary, known, hides=name in sensitive)
        overall = whole[name].mean
        return replace(difference, summary=summary, ratio=summary.mean / overall if overall else 1.0)

    worth = counts.numbers.get(study.value or "")
    totals, shares = _share_value(worth, profiles.segments, rules)
    # Sizes tell nothing of customers without a segment: there are none.
    segments = tuple(
        replace(
            segment,
            n=rules.count(size),
            share=rules.share(size / counts.n),
            value_total=total,
            value_share=share,
            value_interval=None if share is None else segment.value_interval,
            differences=tuple(compare(difference, segment.id) for difference in segment.differences),
        )
        for segment, size, total, share in zip(profiles.segments, counts.sizes, totals, shares, strict=True)
    )
    total = profiles.value_total if worth is None else state_total(join(worth), rules)
    return replace(profiles, everyone=whole, segments=segments, value_total=total, unassigned=0)


def join(each: Sequence[Known]) -> Known:
    """Return what is known of several groups together."""
    there = [known for known in each if known.n]
    return Known(
        sum(known.n for known in each),
        math.fsum(known.total for known in each),
        math.fsum(known.size for known in each),
        min((known.low for known in there), default=0.0),
        max((known.high for known in there), default=0.0),
    )


def is_dominated(known: Known) -> bool:
    """Return whether one customer may make up so much of a sum that it gives the customer away.

    The second largest value is not known here, so it counts as large as the largest.
    """
    largest = max(abs(known.low), abs(known.high))
    if known.n < 2 or not largest:
        return False
    return largest >= DOMINANCE * known.size or known.size - 2 * largest < PRECISION * largest


def state_mean(known: Known, rules: Disclosure, otherwise: float) -> float:
    """Round a mean to a step that one customer cannot move it by; where one dominates it, return that of the sample."""
    mean = known.total / known.n
    if not rules.public:
        return mean
    if is_dominated(known):
        return otherwise
    return rules.to_step(mean, rules.step_of(max(known.high - mean, mean - known.low), known.n))


def state_total(known: Known, rules: Disclosure) -> float | None:
    """Round a sum to a step that one customer cannot move it by; None where one dominates it."""
    if not rules.public:
        return known.total
    if is_dominated(known):
        return None
    return rules.to_step(known.total, max(abs(known.low), abs(known.high)))


def _share_value(
    worth: Sequence[Known] | None, segments: Sequence[SegmentProfile], rules: Disclosure
) -> tuple[list[float | None], list[float | None]]:
    """Total and share of the value by segment; all are left out where one customer dominates one of them."""
    if worth is None:
        return [segment.value_total for segment in segments], [segment.value_share for segment in segments]
    whole = join(worth)
    totals = [state_total(known, rules) for known in worth]
    if None in totals or state_total(whole, rules) is None or not whole.total:
        return [None] * len(segments), [None] * len(segments)
    return totals, [rules.share(known.total / whole.total) for known in worth]
