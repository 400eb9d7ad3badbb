"""Profiles of segments: medians, ranges and differences with uncertainty, in original units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights, deviations, means, share
from analysis.base.workers import map_columns
from analysis.clustering.algorithms import Labels, Matrix
from analysis.clustering.resample import Refits
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step, apply_steps, standard_steps
from analysis.profiles.contrasts import Contrast, Counted, count_levels, find_contrasts
from analysis.profiles.distributions import NOTHING, Spread, measure_spread
from analysis.profiles.segment_map import SegmentMap, draw_map
from analysis.profiles.sensitivity import find_hidden, is_sensitive
from analysis.profiles.uncertainty import Redrawn, interval, redraw, share_intervals
from analysis.profiles.value import Concentration, measure_concentration, share_value
from analysis.settings.models import Study

Z_DIGITS = 2
"""Digits after the point of differences in standard deviations."""
MARKER_SD, MARKER_POINTS, MARKER_RATIO = 0.5, 0.25, 0.5
"""A marker differs by half a standard deviation; a yes/no one by 25 points or by half of everyone's share. Thresholds
chosen for this project."""
TYPICAL_FROM = 0.5
"""Share of a segment's customers with a value from which the value counts as typical of the segment."""


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
        Difference of means on the scale that forms segments, in standard deviations of the clean core, with a 95%
        interval over refits of the segments. Missing values, which are filled for forming segments only, do not count.
    ratio : float
        Segment mean over everyone's mean; NaN-free: 1 where everyone's mean is 0.
    marker : bool
        Whether it sets the segment apart.
    certainty : int
        In how many of a hundred refits it does.
    z_median : float
        Distance of the segment's median, or of its share of yes, from everyone's mean in the same unit as ``z``.
    direction : int
        1 where the segment lies above everyone, -1 where it lies below; 0 where ``z`` and the means in original units
        have different signs, so that neither may be said.
    """

    variable: str
    summary: Summary
    z: float
    z_low: float
    z_high: float
    ratio: float
    marker: bool
    certainty: int
    z_median: float
    direction: int


@dataclass(frozen=True, slots=True)
class SegmentProfile:
    """One segment; ``share`` of customers, ``value_share`` of the value variable's total (None without one).

    With survey weights these are of the population, as are all figures but ``n``, which counts rows.

    ``share_interval`` and ``value_interval`` have the two shares in 95 of 100 refits.
    """

    id: int
    n: int
    share: float
    value_total: float | None
    value_share: float | None
    differences: tuple[Difference, ...]
    share_interval: tuple[float, float] | None = None
    value_interval: tuple[float, float] | None = None

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


def profile_segments(
    table: FeatureTable,
    labels: Labels,
    matrix: Matrix,
    prepared: Prepared,
    study: Study,
    refits: Refits,
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
    prepared : Prepared
        Its steps, and its clean core, give the scale on which differences are measured.
    study : Study
        ``value`` says what a customer is worth. Yes/no variables and categories with a cell below ``min_cell`` in any
        segment are merged or hidden. To share a column that identifies customers with a feature says nothing.
    refits : Refits
        What intervals and the certainty of markers are taken from.
    """
    min_cell, sensitive = study.min_cell, find_sensitive(table, study)
    keys = frozenset(key for source in study.sources for key in (source.key, source.columns.customer) if key)
    rules, forming = Disclosure.of(study), prepared.columns()
    numeric = [variable for variable in table.variables if not variable.categorical]
    frame = table.frame[[variable.name for variable in numeric]]
    hidden = find_hidden(frame, numeric, labels, min_cell, sensitive if rules.public else frozenset(), table.weights)
    shown = [variable for variable in numeric if variable.name not in hidden]
    numbers = _gather_numbers(table, shown, prepared, study, sensitive)
    columns = {variable.name: column for variable, column in zip(shown, numbers.scaled.T, strict=True)}
    worth = frame[study.value].fillna(0).to_numpy(float) if study.value else None
    counted = {
        variable.name: found
        for variable in table.variables
        if (variable.categorical or (variable.unit == "yes_no" and variable.name not in hidden))
        and (found := _count(table.frame[variable.name], labels, min_cell, variable, table.weights)) is not None
    }
    hidden += tuple(
        v.name for v in table.variables if v.categorical and v.name not in counted and table.frame[v.name].nunique() > 1
    )
    described = {variable.name for variable in table.variables if variable.categorical or variable.role == "descriptor"}
    return Profiles(
        everyone={variable.name: summary for variable, summary in zip(shown, numbers.everyone, strict=True)},
        segments=_profile_each(numbers, labels, worth, study, rules, refits),
        categories=tuple(
            _category(name, found, rules, name in sensitive) for name, found in counted.items() if name in described
        ),
        map=draw_map(matrix, labels, forming, min_cell),
        spread=measure_spread(table, labels, matrix, forming, columns, min_cell),
        unassigned=int((labels == 0).sum()),
        value_total=rules.total(worth, table.weights) if worth is not None else None,
        hidden=hidden,
        contrasts=find_contrasts(table, labels, forming, counted, hidden, keys),
        concentration=measure_concentration(worth, labels, rules, table.weights) if worth is not None else None,
    )


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Variables by which segments are compared.

    ``values`` and ``scaled``, of shape (n, variables), hold them in original units and, by ``steps``, on the scale that
    forms segments; ``everyone`` their summaries, ``sensitive`` the names of sensitive ones, and ``weights`` survey
    weights of shape (n,).
    """

    variables: list[Variable]
    values: NDArray[np.float64]
    scaled: NDArray[np.float64]
    steps: tuple[Step, ...]
    everyone: list[Summary]
    sensitive: frozenset[str]
    weights: Weights

    @property
    def answers(self) -> NDArray[np.bool_]:
        """Which are answered by yes or no."""
        return np.array([variable.unit == "yes_no" for variable in self.variables], dtype=bool)

    def place(self, figures: list[float]) -> NDArray[np.float64]:
        """Place a figure of each variable in original units on the scale."""
        frame = pd.DataFrame([figures], columns=[step.name for step in self.steps])
        return apply_steps(frame, self.steps)[0] if self.steps else np.empty(0)

    def centres(self, rows: NDArray[np.bool_], summaries: list[Summary], rules: Disclosure) -> NDArray[np.float64]:
        """Means on the scale as they may be published; of answers, what the published share gives."""
        own = None if self.weights is None else self.weights[rows]
        averages = np.array([rules.mean(column, own) for column in self.scaled[rows].T])
        return np.where(self.answers, self.place([summary.mean for summary in summaries]), averages)


def _gather_numbers(
    table: FeatureTable, shown: list[Variable], prepared: Prepared, study: Study, sensitive: frozenset[str]
) -> _Numbers:
    """Gather the variables that may be published by segment, in original units and on the scale of the profiles."""
    names = [variable.name for variable in shown]
    values = table.frame[names].to_numpy(float)
    everyone = _summaries(values, shown, Disclosure.of(study), frozenset(), table.weights)
    steps = standard_steps(table, names, prepared, study)
    scaled = np.where(np.isnan(values), np.nan, apply_steps(table.frame, steps)) if steps else values
    return _Numbers(shown, values, scaled, steps, everyone, sensitive, table.weights)


def _profile_each(
    numbers: _Numbers,
    labels: Labels,
    worth: NDArray[np.float64] | None,
    study: Study,
    rules: Disclosure,
    refits: Refits,
) -> tuple[SegmentProfile, ...]:
    """Profile each segment: its size, its part of the value, and how it differs on each variable."""
    k = int(labels.max())
    unassigned = int((labels == 0).sum())
    told = study.min_cell if 0 < unassigned < study.min_cell else 1
    totals, shares = share_value(worth, labels, rules, numbers.weights)
    valued = np.zeros(len(labels)) if worth is None else worth
    redrawn = redraw(np.column_stack([numbers.scaled[refits.rows], valued[refits.rows]]), refits, k)
    differences = _differences(numbers, labels, redrawn, rules)
    sizes, parts = share_intervals(redrawn, labels, valued, numbers.weights)
    return tuple(
        SegmentProfile(
            id=segment,
            n=rules.count(told * round(int((labels == segment).sum()) / told)),
            share=rules.share(share(labels == segment, numbers.weights)),
            value_total=totals[segment - 1],
            value_share=shares[segment - 1],
            differences=differences[segment - 1],
            share_interval=(rules.share(sizes[0][segment - 1]), rules.share(sizes[1][segment - 1])),
            value_interval=(rules.share(parts[0][segment - 1]), rules.share(parts[1][segment - 1]))
            if shares[segment - 1] is not None
            else None,
        )
        for segment in range(1, k + 1)
    )


def _summaries(
    values: NDArray[np.float64],
    variables: list[Variable],
    rules: Disclosure,
    sensitive: frozenset[str],
    weights: Weights,
) -> list[Summary]:
    """Summarise each column as it may be published; the share of a sensitive answer may be coded."""
    exact = Disclosure(rules.min_cell, public=False)

    def summarise(pair: tuple[Variable, NDArray[np.float64]]) -> Summary:
        variable, column = pair
        n = int((~np.isnan(column)).sum())
        if variable.unit == "yes_no":
            mean = float(means(column[:, None], weights)[0])
            mean = rules.sensitive_share(mean) if variable.name in sensitive else rules.share(mean)
            p10, median, p90 = exact.quantiles(column, (0.1, 0.5, 0.9), weights)
        else:
            mean = rules.mean(column, weights)
            p10, median, p90 = rules.quantiles(column, (0.1, 0.5, 0.9), weights)
        return Summary(rules.count(n), mean, median, p10, p90)

    return map_columns(summarise, zip(variables, values.T, strict=True), len(values))


def _differences(
    numbers: _Numbers, labels: Labels, redrawn: Redrawn, rules: Disclosure
) -> list[tuple[Difference, ...]]:
    """Compare the published means of each segment with everyone's; the intervals lie around the published difference.

    Whether a difference marks the segment is decided by the exact means, so that rounding loses no finding.
    """
    names, scaled, answers = [variable.name for variable in numbers.variables], numbers.scaled, numbers.answers
    weights = numbers.weights
    base, spread, original = means(scaled, weights), deviations(scaled, weights), means(numbers.values, weights)
    overall = np.array([summary.mean for summary in numbers.everyone])
    centre = numbers.centres(np.ones(len(labels), dtype=bool), numbers.everyone, rules)
    whole, ranges = redrawn.everyone[:, :-1], redrawn.spread[:, :-1]
    # Other customers have another standard deviation, so the unit of the scale varies as well.
    unit = np.divide(ranges, spread, out=np.ones_like(ranges), where=(ranges > 0) & (spread > 0))
    found = []
    for segment in range(1, int(labels.max()) + 1):
        inside = labels == segment
        own = None if weights is None else weights[inside]
        summaries = _summaries(numbers.values[inside], numbers.variables, rules, numbers.sensitive, own)
        exact, drawn = means(scaled[inside], own) - base, redrawn.means[:, segment - 1, :-1] - whole
        averages = np.array([summary.mean for summary in summaries])
        typical = [x.mean if yes else x.median for x, yes in zip(summaries, answers, strict=True)]
        z, middle = numbers.centres(inside, summaries, rules) - centre, numbers.place(typical) - centre
        low, high = (end + z - exact for end in interval(drawn / unit, exact, redrawn.shrink))
        if rules.public:
            # With more digits, the published means give the exact standard deviation, which of two releases gives a
            # customer.
            z, middle, low, high = (np.round(each, Z_DIGITS) + 0.0 for each in (z, middle, low, high))
        marker = np.where(answers, _is_far(exact, base, numbers.steps), np.abs(exact) >= MARKER_SD)
        again = np.where(answers, _is_far(drawn, whole, numbers.steps), np.abs(drawn / unit) >= MARKER_SD)
        certain = (again & (np.sign(drawn) == np.sign(exact))).mean(axis=0)
        ratio = np.divide(averages, overall, out=np.ones_like(averages), where=overall != 0)
        plain = means(numbers.values[inside], own) - original
        side = _find_direction(exact, z, plain, averages - overall)
        figures = (z, low, high, ratio, marker, (100 * certain).round().astype(int), middle, side)
        found.append(tuple(map(Difference, names, summaries, *(each.tolist() for each in figures))))
    return found


def _is_far(apart: NDArray[np.float64], base: NDArray[np.float64], steps: tuple[Step, ...]) -> NDArray[np.bool_]:
    """Whether shares of yes, of which differences and everyone's lie on the scale, are far enough for a marker."""
    scale, centre = np.array([step.scale for step in steps]), np.array([step.centre for step in steps])
    points = np.abs(apart * scale)
    return (points >= MARKER_POINTS) | (points >= MARKER_RATIO * (base * scale + centre))


def _find_direction(exact: NDArray[np.float64], *others: NDArray[np.float64]) -> NDArray[np.int64]:
    """The sign of exact differences; 0 where one of the others, published or in original units, contradicts it."""
    agree = np.all([np.sign(exact) * each >= 0 for each in others], axis=0)
    return np.where(agree, np.sign(exact), 0).astype(np.int64)


def find_sensitive(table: FeatureTable, study: Study) -> frozenset[str]:
    """List the variables whose answers must not be shown for a whole segment."""
    levels = {v.name: table.frame[v.name].dropna().unique() if v.categorical else () for v in table.variables}
    return frozenset(v.name for v in table.variables if is_sensitive(v, study, levels[v.name]))


def _count(values: pd.Series, labels: Labels, min_cell: int, variable: Variable, weights: Weights) -> Counted | None:
    if variable.categorical:
        return count_levels(values, labels, min_cell, variable.order, weights=weights)
    known = values.notna().to_numpy()
    answers, own = (values[known] > 0).map({True: "Yes", False: "No"}), None if weights is None else weights[known]
    return count_levels(answers, labels[known], min_cell, weights=own)


def _category(name: str, counted: Counted, rules: Disclosure, sensitive: bool) -> CategoryProfile:
    """Shares of levels as they may be published, and what follows from those alone."""
    levels, columns, counts = counted.levels, counted.columns, counted.weighed
    sizes = np.array([rules.count(round(n)) for n in counts.sum(axis=0)])[columns > 0]
    publish = np.vectorize(rules.sensitive_share if sensitive else rules.share, otypes=[float])
    shares = publish((counts / counts.sum(axis=0)).T[columns > 0])
    overall = np.vectorize(rules.share, otypes=[float])(counts.sum(axis=1) / counts.sum())
    own = shares.T * sizes
    expected = np.outer(own.sum(axis=1), own.sum(axis=0)) / max(own.sum(), 1e-9)
    residuals = ((own - expected) / np.sqrt(np.maximum(expected, 1e-9))).T
    lifts = shares / np.where(overall > 0, overall, 1.0)
    rows = [tuple(tuple(map(float, row)) for row in matrix) for matrix in (shares, lifts, residuals)]
    return CategoryProfile(name, levels, tuple(map(float, overall)), *rows)
