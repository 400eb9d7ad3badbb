"""Measures of a run: the aggregates that later runs are compared by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights, deviations, effective_size, quantile, share
from analysis.base.workers import map_columns
from analysis.clustering.algorithms import Labels, Matrix
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Step
from analysis.past.records import (
    Figures,
    Measures,
    Moments,
    Spread,
    digest,
)
from analysis.profiles.profile import Profiles
from analysis.profiles.sensitivity import is_sensitive
from analysis.settings.models import Study

DECILES = 9
"""Cuts between the bins of a distribution. Chosen for this project."""
WIDTH_OF_NORMAL = 2.5631
"""Standard deviations between the deciles of a normal distribution."""
STANDARD_STEP, FAR = 0.01, 5
"""Part of a scale that centre and scale are rounded to, and scales from the centre that one customer may be. Chosen
for this project."""
DIGITS = 3
"""Significant digits of a number in a record: two runs cannot be subtracted to a few customers. Chosen for this
project."""


def measure(
    table: FeatureTable,
    matrix: Matrix,
    steps: tuple[Step, ...],
    labels: Labels,
    profiles: Profiles,
    study: Study,
    n_all: int | None = None,
) -> Measures:
    """Compute the aggregates that this run is compared by.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    matrix : ndarray, shape (n, p)
        Scaled features before any reduction.
    steps : tuple of Step
        What made the matrix.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    profiles : Profiles
        What it hides is not measured.
    study : Study
    n_all : int, optional
        All customers, where n are a sample of them.
    """
    least, n, n_all = study.min_cell, len(labels), n_all or len(labels)
    rules = Disclosure(least)
    shown = [v for v in table.variables if v.name in profiles.everyone and v.role in {"feature", "descriptor"}]
    formed = {step.name: step for step in steps}
    values, weights = table.frame[[v.name for v in shown]].to_numpy(float), table.weights
    centres = _centres(matrix, steps, labels, profiles, rules, weights)
    worth = table.frame[study.value].fillna(0).to_numpy(float) if study.value else None
    scales = deviations(values, weights).tolist()
    segments = []
    for segment, centre in zip(profiles.segments, centres, strict=True):
        inside = labels == segment.id
        own = None if weights is None else weights[inside]
        size = _rounded(segment.n, least)
        columns = zip(shown, values[inside].T, scales, strict=True)
        found = map_columns(
            lambda each, own=own: _moments(*each, rules, is_sensitive(each[0], study), own), columns, len(labels)
        )
        moments = dict(zip((v.name for v in shown), found, strict=True))
        spread = None if worth is None or segment.value_share is None else _share_error(worth, inside, weights)
        value = None if segment.value_share is None else round_digits(segment.value_share)
        share = round_digits(size / _rounded(n_all, least) if weights is None else segment.share)
        segments.append(Figures(size, share, value, spread, centre, moments))
    spreads = map_columns(
        lambda pair: _spread(pair[0], formed.get(pair[0].name), pair[1], rules, is_sensitive(pair[0], study), weights),
        zip(shown, values.T, strict=True),
        n,
    )
    spreads += _spread_levels(table, profiles, formed, rules)
    formulas = {name: digest(feature.formula) for name, feature in study.features.items()}
    marked = tuple(replace(spread, formula=formulas.get(spread.name, "")) for spread in spreads)
    worth_of_row = () if weights is None else (round_digits(effective_size(weights) / n),)
    return Measures(_rounded(n_all, least), marked, tuple(segments), *worth_of_row)


def _spread_levels(
    table: FeatureTable, profiles: Profiles, formed: Mapping[str, Step], rules: Disclosure
) -> Iterator[Spread]:
    """Shares of the levels of each category."""
    for category in profiles.categories:
        v = next(v for v in table.variables if v.name == category.variable)
        if v.categorical:
            shares = tuple(map(round_digits, category.everyone))
            standard = _standard(formed.get(v.name), len(table.frame), rules)
            yield Spread(v.name, v.label, v.unit, (), category.levels, shares, None, *standard)


def _centres(
    matrix: Matrix,
    steps: tuple[Step, ...],
    labels: Labels,
    profiles: Profiles,
    rules: Disclosure,
    weights: Weights,
) -> list[dict[str, float]]:
    """Means of the scaled features by segment; of a level only where neither it nor the others are few anywhere."""
    names = [f"{s.name}={level}" if level else s.name for s in steps for level in s.levels or ("",)]
    plain = {s.name for s in steps if not s.levels}
    shown = []
    for column, name in zip(matrix.T, names, strict=True):
        hidden = name in plain and name not in profiles.everyone
        if name not in plain:
            counts = [(int((x > 0).sum()), int((x <= 0).sum())) for x in _by_segment(column, labels, profiles)]
            hidden = any(0 < n < rules.min_cell for pair in counts for n in pair)
        shown.append(not hidden)
    inside = [labels == segment.id for segment in profiles.segments]
    means = [[rules.mean(x, None if weights is None else weights[at]) for x in matrix[at].T] for at in inside]
    return [{name: round_digits(x) for name, x, show in zip(names, mean, shown, strict=True) if show} for mean in means]


def _by_segment(column: NDArray[np.float64], labels: Labels, profiles: Profiles) -> list[NDArray[np.float64]]:
    return [column[labels == segment.id] for segment in profiles.segments]


def _spread(
    variable: Variable,
    step: Step | None,
    values: NDArray[np.float64],
    rules: Disclosure,
    sensitive: bool = False,
    weights: Weights = None,
) -> Spread:
    """Deciles and the shares between them; neighbours are merged until each bin holds ``min_cell`` customers."""
    kept, min_cell = ~np.isnan(values), rules.min_cell
    known, own = values[kept], None if weights is None else weights[kept]
    sd = float(known.std() if own is None else deviations(known[:, None], own)[0])
    deciles = rules.quantiles(known, np.arange(1, DECILES + 1) / (DECILES + 1), own)
    cuts = np.unique([_near(decile, sd) for decile in deciles])
    counts = np.bincount(np.searchsorted(cuts, known, side="right"), minlength=len(cuts) + 1)
    edges: list[float] = []
    counts_held: list[int] = [0]
    for count, cut in zip(counts, [*cuts, None], strict=True):
        counts_held[-1] += int(count)
        if cut is not None and counts_held[-1] >= min_cell:
            edges.append(float(cut))
            counts_held.append(0)
    if len(counts_held) > 1 and counts_held[-1] < min_cell:
        last = counts_held.pop()
        counts_held[-1] += last
        edges.pop()
    sums, whole = counts_held, len(known)
    if own is not None:
        sums = np.bincount(np.searchsorted(np.array(edges), known, side="right"), own, len(edges) + 1).tolist()
        whole = own.sum()
    shares = tuple(rules.share(n / whole) for n in sums)
    moments = _moments(variable, values, sd, rules, sensitive, weights)
    return Spread(
        variable.name,
        variable.label,
        variable.unit,
        tuple(edges),
        (),
        shares,
        moments,
        *_standard(step, len(values), rules),
    )


def _standard(step: Step | None, n: int, rules: Disclosure) -> tuple[float | None, float | None, float | None]:
    """Unit of the logarithm, centre and scale of a step, rounded: they are a mean, and the spread around it."""
    if step is None:
        return None, None, None
    width = max(step.scale * STANDARD_STEP, rules.step_of(FAR * step.scale, n))
    centre, scale = (rules.to_step(x, width) for x in (step.centre, step.scale))
    return (float(f"{step.unit:.6g}") if step.log else None), centre, scale


def _moments(
    variable: Variable,
    values: NDArray[np.float64],
    deviation: float,
    rules: Disclosure,
    sensitive: bool,
    weights: Weights = None,
) -> Moments:
    kept = ~np.isnan(values)
    known, own = values[kept], None if weights is None else weights[kept]
    if variable.unit == "yes_no":
        mean, (median, p10, p90) = share(known > 0, own), (quantile(known, q, own) for q in (0.5, 0.1, 0.9))
        mean = rules.sensitive_share(mean) if sensitive else rules.share(mean)
        return Moments(mean, round_digits((mean * (1 - mean)) ** 0.5), median, p10, p90)
    median, p10, p90 = rules.quantiles(known, (0.5, 0.1, 0.9), own)
    parts = (rules.mean(known, own), (p90 - p10) / WIDTH_OF_NORMAL, median, p10, p90)
    return Moments(*(_near(float(x), deviation) for x in parts))


def _share_error(worth: NDArray[np.float64], inside: NDArray[np.bool_], weights: Weights) -> float:
    """Standard error of a segment's share of the value, a ratio of two sums."""
    worth = worth if weights is None else worth * weights
    total, n = float(worth.sum()), len(worth)
    apart = worth * (inside - float(worth[inside].sum()) / total)
    return round_digits(float(np.sqrt((apart**2).sum() * n / max(n - 1, 1))) / total)


def _rounded(n: int, step: int) -> int:
    return max(step, step * round(n / step)) if n else 0


def round_digits(x: float) -> float:
    """Round to :data:`DIGITS` significant digits."""
    return float(f"{float(x):.{DIGITS}g}")


def _near(x: float, deviation: float) -> float:
    """A value as finely as :data:`DIGITS` digits of its standard deviation."""
    return round(x, DIGITS - 1 - int(np.floor(np.log10(deviation)))) + 0.0 if deviation > 0 else round_digits(x)
