"""Profiles of segments: medians, ranges and differences with uncertainty, in original units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Labels, Matrix
from analysis.clustering.resample import Refits
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.contrasts import Contrast, Counted, count_levels, find_contrasts
from analysis.profiles.distributions import NOTHING, Spread, measure_spread
from analysis.profiles.segment_map import SegmentMap, draw_map
from analysis.profiles.sensitivity import find_nested, is_sensitive, share_an_answer
from analysis.profiles.uncertainty import Redrawn, interval, redraw, share_intervals
from analysis.profiles.value import Concentration, measure_concentration, share_value
from analysis.settings.models import Study

Z_DIGITS = 2
"""Digits after the point of differences in standard deviations."""
MARKER_SD, MARKER_POINTS, MARKER_RATIO = 0.5, 0.25, 0.5
"""A marker differs by half a standard deviation; a yes/no one by 25 points or by half of everyone's share."""
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
        Difference of means in standard deviations of everyone, with a 95% interval over refits of the segments.
    ratio : float
        Segment mean over everyone's mean; NaN-free: 1 where everyone's mean is 0.
    marker : bool
        Whether it sets the segment apart.
    certainty : int
        In how many of a hundred refits it does.
    z_median : float
        Distance of the segment's median, or of its share of yes, from everyone's mean in the same unit as ``z``.
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


@dataclass(frozen=True, slots=True)
class SegmentProfile:
    """One segment; ``share`` of customers, ``value_share`` of the value variable's total (None without one).

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
    forming: tuple[Variable, ...],
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
    forming : tuple of Variable, length p
    study : Study
        ``value`` says what a customer is worth. Yes/no variables and categories with a cell below ``min_cell`` in any
        segment are merged or hidden. To share a column that identifies customers with a feature says nothing.
    refits : Refits
        What intervals and the certainty of markers are taken from.
    """
    min_cell = study.min_cell
    keys = frozenset(key for source in study.sources for key in (source.key, source.columns.customer) if key)
    rules = Disclosure.of(study)
    numeric = [variable for variable in table.variables if not variable.categorical]
    frame = table.frame[[variable.name for variable in numeric]]
    sensitive = _find_sensitive(table, study)
    hidden = _hide(frame, numeric, labels, min_cell, sensitive if rules.public else frozenset())
    shown = [variable for variable in numeric if variable.name not in hidden]
    values = frame[[variable.name for variable in shown]].to_numpy(float)
    everyone = _summaries(values, shown, rules, frozenset())
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
        segments=_profile_each((shown, values, everyone, sensitive), labels, worth, study, rules, refits),
        categories=tuple(
            _category(name, *found, rules, name in sensitive) for name, found in counted.items() if name in described
        ),
        map=draw_map(matrix, labels, forming, min_cell),
        spread=measure_spread(table, labels, matrix, forming, tuple(v.name for v in shown), min_cell),
        unassigned=int((labels == 0).sum()),
        value_total=rules.total(worth) if worth is not None else None,
        hidden=hidden,
        contrasts=find_contrasts(table, labels, forming, counted, hidden, keys),
        concentration=measure_concentration(worth, labels, rules) if worth is not None else None,
    )


def _hide(
    frame: pd.DataFrame, numeric: list[Variable], labels: Labels, min_cell: int, sensitive: frozenset[str]
) -> tuple[str, ...]:
    """List the variables whose figures would count a few customers, by themselves or beside another's.

    Sensitive codes that a whole segment shares are among them.
    """
    hidden = tuple(
        variable.name
        for variable in numeric
        if _few_known(frame[variable.name], labels, min_cell)
        or (variable.unit == "yes_no" and _small_cell(frame[variable.name], labels, min_cell))
        or (variable.unit != "yes_no" and variable.name in sensitive and share_an_answer(frame[variable.name], labels))
    )
    answers = [v.name for v in numeric if v.unit == "yes_no" and v.name not in hidden]
    return hidden + find_nested(frame[answers], labels, min_cell)


Shown = tuple[list[Variable], NDArray[np.float64], list[Summary], frozenset[str]]
"""Variables, their values of shape (n, variables), everyone's summaries, and the names of the sensitive ones."""


def _profile_each(
    shown: Shown,
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
    totals, shares = share_value(worth, labels, rules)
    valued = np.zeros(len(labels)) if worth is None else worth
    redrawn = redraw(np.column_stack([shown[1], valued]), refits, k)
    differences = _differences(shown, labels, redrawn, rules)
    sizes, parts = share_intervals(redrawn, labels, valued)
    return tuple(
        SegmentProfile(
            id=segment,
            n=rules.count(told * round(int((labels == segment).sum()) / told)),
            share=rules.share(float((labels == segment).mean())),
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
    values: NDArray[np.float64], variables: list[Variable], rules: Disclosure, sensitive: frozenset[str]
) -> list[Summary]:
    """Summarise each column as it may be published; the share of a sensitive answer may be coded."""
    found = []
    for variable, column in zip(variables, values.T, strict=True):
        n = int((~np.isnan(column)).sum())
        if variable.unit == "yes_no":
            mean = float(np.nanmean(column))
            mean = rules.sensitive_share(mean) if variable.name in sensitive else rules.share(mean)
            p10, median, p90 = (float(x) for x in np.nanpercentile(column, [10, 50, 90]))
        else:
            mean = rules.mean(column)
            p10, median, p90 = (rules.quantile(column, q) for q in (0.1, 0.5, 0.9))
        found.append(Summary(rules.count(n), mean, median, p10, p90))
    return found


def _differences(shown: Shown, labels: Labels, redrawn: Redrawn, rules: Disclosure) -> list[tuple[Difference, ...]]:
    """Compare the published means of each segment with everyone's; the intervals lie around the published difference.

    Whether a difference marks the segment is decided by the exact means, so that rounding loses no finding.
    """
    variables, values, everyone, sensitive = shown
    answers = np.array([variable.unit == "yes_no" for variable in variables])
    base, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    overall = np.array([summary.mean for summary in everyone])
    whole, ranges = redrawn.everyone[:, :-1], np.where(redrawn.spread > 0, redrawn.spread, 1.0)[:, :-1]
    found = []
    for segment in range(1, int(labels.max()) + 1):
        own = values[labels == segment]
        summaries = _summaries(own, variables, rules, sensitive)
        exact, drawn = np.nanmean(own, axis=0) - base, redrawn.means[:, segment - 1, :-1] - whole
        means = np.array([summary.mean for summary in summaries])
        typical = [x.mean if v.unit == "yes_no" else x.median for x, v in zip(summaries, variables, strict=True)]
        z, middle = (means - overall) / scale, (np.array(typical) - overall) / scale
        low, high = (end + z - exact / scale for end in interval(drawn / ranges, exact / scale, redrawn.shrink))
        if rules.public:
            # With more digits, the published means give the exact standard deviation, which of two releases gives a
            # customer.
            z, middle, low, high = (np.round(each, Z_DIGITS) + 0.0 for each in (z, middle, low, high))
        marker = _sets_apart(exact, base, scale, answers)
        certain = (_sets_apart(drawn, whole, ranges, answers) & (np.sign(drawn) == np.sign(exact))).mean(axis=0)
        ratio = np.divide(means, overall, out=np.ones_like(means), where=overall != 0)
        figures = (z, low, high, ratio, marker, (100 * certain).round().astype(int), middle)
        columns = [variable.name for variable in variables], summaries, *(each.tolist() for each in figures)
        found.append(tuple(map(Difference, *columns)))
    return found


def _sets_apart(
    apart: NDArray[np.float64], base: NDArray[np.float64], scale: NDArray[np.float64], answers: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    size = np.abs(apart)
    return np.where(answers, (size >= MARKER_POINTS) | (size >= MARKER_RATIO * base), size >= MARKER_SD * scale)


def _find_sensitive(table: FeatureTable, study: Study) -> frozenset[str]:
    """Names of the variables whose answers must not be shown for a whole segment."""
    levels = {v.name: table.frame[v.name].dropna().unique() if v.categorical else () for v in table.variables}
    return frozenset(v.name for v in table.variables if is_sensitive(v, study, levels[v.name]))


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
    name: str,
    levels: tuple[str, ...],
    columns: NDArray[np.int64],
    counts: NDArray[np.int64],
    rules: Disclosure,
    sensitive: bool,
) -> CategoryProfile:
    """Shares of levels as they may be published, and what follows from those alone."""
    sizes = np.array([rules.count(int(n)) for n in counts.sum(axis=0)])[columns > 0]
    publish = np.vectorize(rules.sensitive_share if sensitive else rules.share, otypes=[float])
    shares = publish((counts / counts.sum(axis=0)).T[columns > 0])
    overall = np.vectorize(rules.share, otypes=[float])(counts.sum(axis=1) / counts.sum())
    own = shares.T * sizes
    expected = np.outer(own.sum(axis=1), own.sum(axis=0)) / max(own.sum(), 1e-9)
    residuals = ((own - expected) / np.sqrt(np.maximum(expected, 1e-9))).T
    lifts = shares / np.where(overall > 0, overall, 1.0)
    rows = [tuple(tuple(map(float, row)) for row in matrix) for matrix in (shares, lifts, residuals)]
    return CategoryProfile(name, levels, tuple(map(float, overall)), *rows)
