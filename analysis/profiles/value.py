"""Value of segments: totals, shares, and how much of it comes from how few."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights, scale
from analysis.clustering.algorithms import Labels
from analysis.customers.lifetime_value import BackTest, Estimate, LifetimeValue

STEPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of customers, most valuable first, whose share of the value is stated. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of the value comes from how few.

    Attributes
    ----------
    curve : tuple of (float, float)
        Share of customers, most valuable first, and their share of the value; the first point stands for
        ``min_cell`` customers and 1% at least, and so do the steps between points.
    segments : tuple of (int, float, float)
        The same adding up whole segments, the most valuable a customer first.
    """

    curve: tuple[tuple[float, float], ...]
    segments: tuple[tuple[int, float, float], ...]


def share_value(
    worth: NDArray[np.float64] | None, labels: Labels, rules: Disclosure, weights: Weights = None
) -> tuple[list[float | None], list[float | None]]:
    """Total and share of the value by segment; no shares where a customer dominates a segment or everyone.

    All are left out together: one alone would follow from the others. With survey weights, totals are those of the
    population.
    """
    k = int(labels.max())
    if worth is None:
        return [None] * k, [None] * k
    inside = [np.flatnonzero(labels == segment) for segment in range(1, k + 1)]
    own = [None if weights is None else weights[rows] for rows in inside]
    totals = [rules.total(worth[rows], weighing) for rows, weighing in zip(inside, own, strict=True)]
    parts = worth if weights is None else worth * weights
    whole = math.fsum(parts)
    if None in totals or rules.total(worth, weights) is None or not whole:
        return [None] * k, [None] * k
    return totals, [rules.share(math.fsum(parts[rows]) / whole) for rows in inside]


def measure_concentration(
    worth: NDArray[np.float64], labels: Labels, rules: Disclosure, weights: Weights = None
) -> Concentration | None:
    """None where nothing is of value, a customer dominates it, or customers are too few for a curve of groups."""
    n, min_cell = len(worth), rules.min_cell
    each = np.ones(n) if weights is None else scale(weights)
    parts = worth * each
    total = float(parts.sum())
    if total <= 0 or n < 2 * min_cell or None in share_value(worth, labels, rules, weights)[0]:
        return None
    # Customers of equal value are in any order, but with weights the order has to be the same in every run.
    ranked = np.argsort(-worth, kind="stable")
    reached, counted, ends = np.cumsum(parts[ranked]), np.cumsum(each[ranked]), [0]
    for share in STEPS:
        end = math.ceil(share * n) if weights is None else int(np.searchsorted(counted, share * n)) + 1
        if end - ends[-1] >= min_cell and n - end >= min_cell:
            ends.append(end)
    curve = [
        (rules.share(float(counted[end - 1]) / n), rules.share(float(reached[end - 1]) / total)) for end in ends[1:]
    ]
    inside = [labels == segment for segment in range(1, int(labels.max()) + 1)]
    order = sorted(range(len(inside)), key=lambda i: -float(parts[inside[i]].sum() / each[inside[i]].sum()))
    segments, people, value = [], 0.0, 0.0
    for i in order:
        people, value = people + float(each[inside[i]].sum()), value + float(parts[inside[i]].sum())
        segments.append((i + 1, rules.share(people / n), rules.share(value / total)))
    return Concentration((*curve, (1.0, 1.0)), tuple(segments))


@dataclass(frozen=True, slots=True)
class PastForecast:
    """What the models of the first half of the time expected of the second, and what came, a customer.

    Attributes
    ----------
    weeks : int
        Length of the second half, rounded.
    everyone : tuple of (float, float)
        Expected and came.
    tenths : tuple of (float, float)
        The same by tenth of customers, the least expected first; empty where a tenth would be of few. There is none by
        segment: segments know the second half.
    """

    weeks: int
    everyone: tuple[float, float]
    tenths: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ExpectedSpend:
    """What customers are expected to spend in the next year, by the models of purchases and of their value.

    Attributes
    ----------
    total : Estimate
        Of all customers together.
    everyone : Estimate
        Of one customer, on average.
    segments : tuple of Estimate
        The same for each segment, in the order of their numbers.
    model : str
        Of the purchases: BG/NBD, MBG/NBD or Pareto/NBD.
    parameters : tuple of (str, float)
        r, alpha, and a, b or s, beta (times in weeks) of that model; p, q, gamma of Gamma-Gamma.
    n_customers, n_repeaters : int
        That the two models were fitted on.
    horizon_weeks, discount_rate, level : float
    tried : PastForecast, optional
        None where the history is too short.
    """

    total: Estimate
    everyone: Estimate
    segments: tuple[Estimate, ...]
    model: str
    parameters: tuple[tuple[str, float], ...]
    n_customers: int
    n_repeaters: int
    horizon_weeks: float
    discount_rate: float
    level: float
    tried: PastForecast | None = None


def expect_spend(
    lifetime: LifetimeValue, keys: pd.Series, labels: Labels, rules: Disclosure, n_all: int | None = None
) -> ExpectedSpend | None:
    """Add up the expected spend by segment; customers without a purchase count with none.

    Parameters
    ----------
    lifetime : LifetimeValue
    keys : Series of str, shape (n,)
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    rules : Disclosure
    n_all : int, optional
        All customers, where n are a sample of them: their total is projected.

    Returns
    -------
    ExpectedSpend or None
        None where a segment has customers with a purchase, but fewer than may be published, and where one customer
        dominates what a segment or everyone is expected to spend. The same where the models are not known well enough
        for an interval, as where one customer places most of the orders.
    """
    own = lifetime.of(keys)
    if rules.public and None in share_value(own.frame["clv"].to_numpy(float), labels, rules)[0]:
        return None
    buyers = np.bincount(labels[own.frame["purchase_value"].notna().to_numpy()])[1:]
    if ((buyers > 0) & (buyers < rules.min_cell)).any():
        return None
    buying, spending = own.purchases, own.spend
    total = own.total()
    if not np.isfinite([total.value, total.low, total.high]).all():
        return None
    part = len(labels) / (n_all or len(labels))
    return ExpectedSpend(
        total=total if part == 1 else Estimate(total.value / part, total.low / part, total.high / part),
        everyone=_each(total, len(labels)),
        segments=tuple(
            _each(own.total(labels == segment), int((labels == segment).sum()))
            for segment in range(1, int(labels.max()) + 1)
        ),
        model=buying.name,
        parameters=(
            *((name, float(getattr(buying, name))) for name in buying.symbols),
            *((name, float(getattr(spending, name))) for name in spending.symbols),
        ),
        n_customers=buying.n_customers,
        n_repeaters=spending.n_customers,
        horizon_weeks=own.horizon_weeks,
        discount_rate=own.discount_rate,
        level=own.level,
        tried=_forecast_past(own.tried, rules) if own.tried else None,
    )


def _forecast_past(tried: BackTest, rules: Disclosure) -> PastForecast:
    """State the means of expected and actual spend, of everyone and of each tenth."""
    pairs = tried.frame[["expected", "came"]].to_numpy(float)
    known = np.flatnonzero(np.isfinite(pairs[:, 0]))

    def means(rows: NDArray[np.intp]) -> tuple[float, float]:
        return rules.mean(pairs[rows, 0]), rules.mean(pairs[rows, 1])

    tenths = np.array_split(known[np.argsort(pairs[known, 0], kind="stable")], 10)
    return PastForecast(
        weeks=round(tried.weeks),
        everyone=means(known),
        tenths=tuple(means(rows) for rows in tenths) if len(known) >= 10 * rules.min_cell else (),
    )


def _each(total: Estimate, n: int) -> Estimate:
    return Estimate(total.value / n, total.low / n, total.high / n)
