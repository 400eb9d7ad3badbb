"""Profiles of segments: medians, ranges and differences with uncertainty, in original units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.run import USERS, Effort
from analysis.clustering.algorithms import Labels, Matrix
from analysis.customers.lifetime_value import Estimate, LifetimeValue
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.contrasts import Contrast, Counted, count_levels, find_contrasts
from analysis.profiles.distributions import NOTHING, Spread, measure_spread
from analysis.profiles.segment_map import SegmentMap, draw_map
from analysis.settings.models import Study

NORMAL_FROM = 5_000
"""Customers of a segment above whom resampled means are drawn from the normal distribution that they come to. Chosen
for this project."""
MARKER_SD, MARKER_POINTS, MARKER_RATIO = 0.5, 0.25, 0.5
"""A marker differs by half a standard deviation; a yes/no one by 25 points or by half of everyone's share."""
TYPICAL_FROM = 0.5
"""Share of a segment's customers with a value from which the value counts as typical of the segment."""
STEPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of customers, most valuable first, whose share of the value is told. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A variable over a group of customers, in its own unit; ``n`` counts the known values."""

    n: int
    mean: float
    median: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A segment against everyone on one variable.

    Attributes
    ----------
    variable : str
    summary : Summary
        Of the segment.
    z, z_low, z_high : float
        Difference of means in standard deviations of everyone, with a 95% bootstrap interval.
    ratio : float
        Segment mean over everyone's mean; NaN-free: 1 where everyone's mean is 0.
    marker : bool
        Whether it sets the segment apart.
    certainty : int
        In how many of a hundred resamples it does.
    """

    variable: str
    summary: Summary
    z: float
    z_low: float
    z_high: float
    ratio: float
    marker: bool
    certainty: int


@dataclass(frozen=True, slots=True)
class SegmentProfile:
    """One segment; ``share`` of customers, ``value_share`` of the value variable's total (None without one)."""

    id: int
    n: int
    share: float
    value_total: float | None
    value_share: float | None
    differences: tuple[Difference, ...]

    def is_typical(self, summary: Summary) -> bool:
        """Return whether enough members have a value for the variable to describe the segment."""
        return summary.n >= TYPICAL_FROM * self.n


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """A category or an answer of yes or no by segment: levels, everyone's shares, and one row of shares a segment.

    ``lifts`` has each of those over everyone's, ``residuals`` its Pearson residual
    (observed - expected) / sqrt(expected).
    """

    variable: str
    levels: tuple[str, ...]
    everyone: tuple[float, ...]
    segments: tuple[tuple[float, ...], ...]
    lifts: tuple[tuple[float, ...], ...]
    residuals: tuple[tuple[float, ...], ...]


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


@dataclass(frozen=True, slots=True)
class Profiles:
    """All segments. ``hidden`` names the variables whose cells are too small to publish by segment.

    ``categories`` holds the descriptors answered by yes or no as well. Where fewer than ``min_cell`` customers are
    unassigned, sizes of segments are to the nearest ``min_cell``: what they lack of everyone tells nothing.
    """

    everyone: dict[str, Summary]
    segments: tuple[SegmentProfile, ...]
    categories: tuple[CategoryProfile, ...]
    map: SegmentMap
    unassigned: int
    value_total: float | None
    hidden: tuple[str, ...]
    contrasts: tuple[Contrast, ...] = ()
    concentration: Concentration | None = None
    spread: Spread = NOTHING


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
    parameters : tuple of (str, float)
        r, alpha, a, b (times in weeks) of BG/NBD; p, q, gamma of Gamma-Gamma.
    n_customers, n_repeaters : int
        That the two models were fitted on.
    horizon_weeks, discount_rate, level : float
    """

    total: Estimate
    everyone: Estimate
    segments: tuple[Estimate, ...]
    parameters: tuple[tuple[str, float], ...]
    n_customers: int
    n_repeaters: int
    horizon_weeks: float
    discount_rate: float
    level: float


def expect_spend(lifetime: LifetimeValue, keys: pd.Series, labels: Labels, min_cell: int) -> ExpectedSpend | None:
    """Add up the expected spend by segment; customers without a purchase count with none.

    Parameters
    ----------
    lifetime : LifetimeValue
    keys : Series of str, shape (n,)
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    min_cell : int

    Returns
    -------
    ExpectedSpend or None
        None where a segment has customers with a purchase, but fewer than may be published.
    """
    own = lifetime.of(keys)
    buyers = np.bincount(labels[own.frame["purchase_value"].notna().to_numpy()])[1:]
    if ((buyers > 0) & (buyers < min_cell)).any():
        return None
    buying, spending = own.purchases, own.spend
    total = own.total()
    return ExpectedSpend(
        total=total,
        everyone=_each(total, len(labels)),
        segments=tuple(
            _each(own.total(labels == segment), int((labels == segment).sum()))
            for segment in range(1, int(labels.max()) + 1)
        ),
        parameters=(
            *((name, float(getattr(buying, name))) for name in ("r", "alpha", "a", "b")),
            *((name, float(getattr(spending, name))) for name in ("p", "q", "gamma")),
        ),
        n_customers=buying.n_customers,
        n_repeaters=spending.n_customers,
        horizon_weeks=own.horizon_weeks,
        discount_rate=own.discount_rate,
        level=own.level,
    )


def _each(total: Estimate, n: int) -> Estimate:
    return Estimate(total.value / n, total.low / n, total.high / n)


def profile_segments(
    table: FeatureTable,
    labels: Labels,
    matrix: Matrix,
    forming: tuple[Variable, ...],
    study: Study,
    effort: Effort = USERS,
) -> Profiles:
    """Describe each segment on every variable.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    matrix : ndarray, shape (n, p)
        Scaled features that formed the segments, for the map.
    forming : tuple of Variable, length p
    study : Study
        ``value`` says what a customer is worth. Yes/no variables and categories with a cell below ``min_cell`` in any
        segment are merged or hidden. To share a column that identifies customers with a feature says nothing.
    effort : Effort, optional
    """
    min_cell = study.min_cell
    keys = frozenset(key for source in study.sources for key in (source.key, source.columns.customer) if key)
    numeric = [variable for variable in table.variables if not variable.categorical]
    frame = table.frame[[variable.name for variable in numeric]]
    hidden = tuple(
        variable.name
        for variable in numeric
        if _few_known(frame[variable.name], labels, min_cell)
        or (variable.unit == "yes_no" and _small_cell(frame[variable.name], labels, min_cell))
    )
    shown = [variable for variable in numeric if variable.name not in hidden]
    values = frame[[variable.name for variable in shown]].to_numpy(float)
    everyone = _summaries(values)
    worth = frame[study.value].fillna(0).to_numpy(float) if study.value else None
    counted = {
        variable.name: found
        for variable in table.variables
        if (variable.categorical or (variable.unit == "yes_no" and variable.name not in hidden))
        and (found := _count(table.frame[variable.name], labels, min_cell, variable)) is not None
    }
    hidden += tuple(
        v.name for v in table.variables if v.categorical and v.name not in counted and table.frame[v.name].nunique() > 1
    )
    described = {variable.name for variable in table.variables if variable.categorical or variable.role == "descriptor"}
    return Profiles(
        everyone={variable.name: summary for variable, summary in zip(shown, everyone, strict=True)},
        segments=_profile_each(shown, values, everyone, labels, worth, study, effort),
        categories=tuple(_category(name, *found) for name, found in counted.items() if name in described),
        map=draw_map(matrix, labels, forming, min_cell),
        spread=measure_spread(table, labels, matrix, forming, tuple(v.name for v in shown), min_cell),
        unassigned=int((labels == 0).sum()),
        value_total=math.fsum(worth) if worth is not None else None,
        hidden=hidden,
        contrasts=find_contrasts(table, labels, forming, counted, hidden, keys),
        concentration=_concentration(worth, labels, min_cell) if worth is not None else None,
    )


def _profile_each(
    variables: list[Variable],
    values: NDArray[np.float64],
    everyone: list[Summary],
    labels: Labels,
    worth: NDArray[np.float64] | None,
    study: Study,
    effort: Effort,
) -> tuple[SegmentProfile, ...]:
    """Profile each segment: its size, its part of the value, and how it differs on each variable."""
    spread = np.nanstd(values, axis=0)
    total = math.fsum(worth) if worth is not None else None
    rng = np.random.default_rng((study.seed, 3))
    unassigned = int((labels == 0).sum())
    told = study.min_cell if 0 < unassigned < study.min_cell else 1
    segments = []
    for segment in range(1, int(labels.max()) + 1):
        inside = labels == segment
        own = math.fsum(worth[inside]) if worth is not None else None
        segments.append(
            SegmentProfile(
                id=segment,
                n=told * round(int(inside.sum()) / told),
                share=float(inside.mean()),
                value_total=own,
                value_share=own / total if own is not None and total else None,
                differences=_differences(variables, values, inside, everyone, spread, rng, effort.profile_resamples),
            )
        )
    return tuple(segments)


def _summaries(values: NDArray[np.float64]) -> list[Summary]:
    known = (~np.isnan(values)).sum(axis=0)
    p10, median, p90 = np.nanpercentile(values, [10, 50, 90], axis=0)
    mean = np.nanmean(values, axis=0)
    return [Summary(int(n), *map(float, row)) for n, *row in zip(known, mean, median, p10, p90, strict=True)]


def _differences(
    variables: list[Variable],
    values: NDArray[np.float64],
    inside: NDArray[np.bool_],
    everyone: list[Summary],
    spread: NDArray[np.float64],
    rng: np.random.Generator,
    draws: int,
) -> tuple[Difference, ...]:
    own = values[inside]
    summaries = _summaries(own)
    resampled = _resampled_means(own, rng, draws)
    overall = np.array([summary.mean for summary in everyone])
    scale = np.where(spread > 0, spread, 1.0)
    z = (np.array([summary.mean for summary in summaries]) - overall) / scale
    z_draws = (resampled - overall) / scale
    low, high = np.percentile(z_draws, [2.5, 97.5], axis=0)
    found = []
    for j, variable in enumerate(variables):
        mean, base = summaries[j].mean, overall[j]
        means = resampled[:, j]
        if variable.unit == "yes_no":
            marks = _sets_apart(np.append(means, mean), base)
        else:
            marks = np.abs(np.append(z_draws[:, j], z[j])) >= MARKER_SD
            marks &= np.sign(np.append(z_draws[:, j], z[j])) == np.sign(z[j])
        found.append(
            Difference(
                variable.name,
                summaries[j],
                float(z[j]),
                float(low[j]),
                float(high[j]),
                float(mean / base) if base else 1.0,
                bool(marks[-1]),
                round(100 * marks[:-1].mean()),
            )
        )
    return tuple(found)


def _sets_apart(shares: NDArray[np.float64], base: float) -> NDArray[np.bool_]:
    apart = np.abs(shares - base)
    return (apart >= MARKER_POINTS) | (apart >= MARKER_RATIO * base)


def _resampled_means(values: NDArray[np.float64], rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """Means of bootstrap samples of the rows, shape (draws, variables); missing values left out. O(n variables)."""
    n = len(values)
    known = ~np.isnan(values)
    if n > NORMAL_FROM:
        spread = np.nanstd(values, axis=0) / np.sqrt(np.maximum(known.sum(axis=0), 1))
        return np.nanmean(values, axis=0) + spread * rng.standard_normal((draws, values.shape[1]))
    drawn = rng.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n).astype(float)
    n_known = np.maximum(weights @ known, 1)
    return (weights @ np.where(known, values, 0.0)) / n_known


def _few_known(values: pd.Series, labels: Labels, min_cell: int) -> bool:
    """Whether a segment's figures would stand for fewer customers than may be published."""
    known = np.bincount(labels[values.notna().to_numpy()], minlength=int(labels.max()) + 1)
    return bool((known[1:] < np.minimum(min_cell, np.bincount(labels)[1:])).any())


def _small_cell(values: pd.Series, labels: Labels, min_cell: int) -> bool:
    known = values.notna().to_numpy()
    table = pd.crosstab(values[known].to_numpy() > 0, labels[known])
    return bool(((table > 0) & (table < min_cell)).to_numpy().any())


def _count(values: pd.Series, labels: Labels, min_cell: int, variable: Variable) -> Counted | None:
    if variable.categorical:
        return count_levels(values, labels, min_cell, variable.order)
    known = values.notna().to_numpy()
    return count_levels((values[known] > 0).map({True: "Yes", False: "No"}), labels[known], min_cell)


def _category(
    name: str, levels: tuple[str, ...], columns: NDArray[np.int64], counts: NDArray[np.int64]
) -> CategoryProfile:
    shares, own = (counts / counts.sum(axis=0)).T[columns > 0], counts[:, columns > 0]
    expected = np.outer(own.sum(axis=1), own.sum(axis=0)) / own.sum()
    residuals = ((own - expected) / np.sqrt(np.maximum(expected, 1e-9))).T
    overall = counts.sum(axis=1) / counts.sum()
    rows = [tuple(tuple(map(float, row)) for row in matrix) for matrix in (shares, shares / overall, residuals)]
    return CategoryProfile(name, levels, tuple(map(float, overall)), *rows)


def _concentration(worth: NDArray[np.float64], labels: Labels, min_cell: int) -> Concentration | None:
    """None where nothing is of value, or where customers are too few for a curve of groups."""
    n, total = len(worth), float(worth.sum())
    if total <= 0 or n < 2 * min_cell:
        return None
    reached, ends = np.cumsum(np.sort(worth)[::-1]), [0]
    for share in STEPS:
        end = math.ceil(share * n)
        if end - ends[-1] >= min_cell and n - end >= min_cell:
            ends.append(end)
    curve = [(end / n, float(reached[end - 1]) / total) for end in ends[1:]]
    inside = [labels == segment for segment in range(1, int(labels.max()) + 1)]
    order = sorted(range(len(inside)), key=lambda i: -float(worth[inside[i]].mean()))
    segments, people, value = [], 0, 0.0
    for i in order:
        people, value = people + int(inside[i].sum()), value + float(worth[inside[i]].sum())
        segments.append((i + 1, people / n, value / total))
    return Concentration((*curve, (1.0, 1.0)), tuple(segments))
