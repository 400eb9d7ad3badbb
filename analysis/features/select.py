"""Selection of the features that form segments: no constants, near-copies or noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from analysis.base.errors import InputError, listed
from analysis.base.formats import Formats, number, percentage
from analysis.base.workers import map_columns
from analysis.features.build import FeatureTable, Variable
from analysis.settings.models import Study
from analysis.settings.sources import Role

Matrix = NDArray[np.float64]

NEAR_COPY = 0.9
"""Absolute Spearman correlation from which two features count as near-copies."""
MOST_EQUAL = 0.99
"""Share of customers with one value above which a feature counts as constant. Chosen for this project."""
PARTS = 25
"""Parts of its median that an amount is counted in before its logarithm is taken. Chosen for this project."""
ENOUGH = 100
"""Customers from which rare values and noise are judged. Chosen for this project."""
MOST_RANKED = 20_000
"""Customers above which correlations and peaks are those of a seeded sample. Chosen for this project."""
FEWEST_BOTH = 30
"""Customers with both values below which two features count as unrelated. Chosen for this project."""
RELATED, CHANCE = 0.1, 0.05
"""Absolute Spearman correlation above which a feature moves with another; and, where that is more, the largest of
unrelated features in all but this share of samples. Chosen for this project."""
DIP, DIP_OF_UNIFORM = 0.015, 0.6
"""Dip above which a feature has several peaks; and, where that is more, this over the root of the number of customers,
which values spread evenly exceed in one sample of a hundred (Hartigan and Hartigan 1985). The first is ours."""
DIP_POINTS = 1_000
"""Quantiles that stand for the customers when peaks are looked for. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that does not form segments: a constant, a near-copy or noise, and the reason with its numbers."""

    name: str
    kind: Literal["constant", "copy", "noise"]
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """Near-copies of one another.

    Attributes
    ----------
    members : tuple of str
        Names, the representative first.
    least : float
        Smallest absolute Spearman correlation between two of them.
    done : str
        What became of them and why.
    """

    members: tuple[str, ...]
    least: float
    done: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The features that form segments and, of the same length, what to divide their squared distances by."""

    variables: tuple[Variable, ...]
    shared_by: tuple[int, ...]
    groups: tuple[Group, ...]
    dropped: tuple[Dropped, ...]


def select(table: FeatureTable, study: Study, logs: frozenset[str]) -> Selection:
    """Select the features that form segments; exclude constants, near-copies and noise.

    Near-copies are the groups of a complete linkage on 1 - |Spearman|, cut at 1 - :data:`NEAR_COPY`; one of each
    represents it. Noise moves with no other feature, neither itself nor its distance from its median, and has one
    peak, so that it can carry no group of its own; a yes or no parts customers in two and is never noise. Categories
    are neither ranked nor noise; they come last.

    Parameters
    ----------
    table : FeatureTable
        n customers. Above :data:`MOST_RANKED` of them a seeded sample is ranked.
    study : Study
        Uses ``near_copies``, ``noise``, ``min_cell`` and ``seed``.
    logs : frozenset of str
        Features that are taken as their logarithm; peaks are looked for on that scale.

    Raises
    ------
    InputError
        Where no feature varies.
    """
    candidates = table.of("feature")
    reasons = {v.name: reason for v in candidates if (reason := _constant(table.frame[v.name]))}
    dropped = {name: Dropped(name, "constant", reason) for name, reason in reasons.items()}
    varying = [v for v in candidates if v.name not in dropped and not v.categorical]
    categories = tuple(v for v in candidates if v.name not in dropped and v.categorical)
    if not varying and not categories:
        raise InputError(
            "No feature varies between customers, so no segments can be formed.",
            f"Features: {listed(variable.label for variable in candidates)}.",
            "Give other columns the role 'feature'.",
        )
    if not varying:
        return Selection(categories, (1,) * len(categories), (), tuple(dropped.values()))
    frame = table.frame[[v.name for v in varying]]
    missing = frame.isna().sum().tolist()
    if len(frame) > MOST_RANKED:
        frame = frame.sample(MOST_RANKED, random_state=study.seed)
    rho = np.nan_to_num(spearman(frame)[0])
    formats = Formats(customers=study.customers, min_cell=study.min_cell)
    sets = [_represent(members, np.abs(rho), missing, formats) for members in _near_copies(np.abs(rho))]
    groups, copies = _settle_copies(varying, sets, rho, study.near_copies)
    dropped |= copies
    if study.noise == "drop" and len(frame) >= ENOUGH:
        noise = _noise(varying, frame, [members for members, _ in sets], logs)
        left = [v for v in varying if v.name not in dropped and v.name not in noise]
        if len(left) + len(categories) >= 2:
            dropped = {name: Dropped(name, "noise", reason) for name, reason in noise.items()} | dropped
    size = {varying[j].name: len(members) for members, _ in sets for j in members}
    chosen = tuple(v for v in varying if v.name not in dropped)
    return Selection(
        chosen + categories,
        tuple(size[v.name] if study.near_copies == "weigh" else 1 for v in chosen) + (1,) * len(categories),
        tuple(groups),
        tuple(dropped[v.name] for v in candidates if v.name in dropped),
    )


def _settle_copies(
    varying: list[Variable], sets: list[tuple[list[int], str]], rho: Matrix, near_copies: str
) -> tuple[list[Group], dict[str, Dropped]]:
    """Settle what becomes of each group of near-copies, and which of them are dropped."""
    groups: list[Group] = []
    copies: dict[str, Dropped] = {}
    for members, why in sets:
        if not why:
            continue
        first = varying[members[0]]
        done = {
            "drop": f"{first.label} stands for all: {why}",
            "weigh": f"each has 1/{len(members)} of a weight in squared distances",
            "keep": f"all are kept, so what they share counts {len(members)} times",
        }
        least = float(np.abs(rho[np.ix_(members, members)]).min())
        groups.append(Group(tuple(varying[j].name for j in members), least, done[near_copies]))
        if near_copies == "drop":
            for j in members[1:]:
                reason = (
                    f"moves with {first.label} (Spearman {number(rho[members[0], j], 2)}), which stands for it: {why}"
                )
                copies[varying[j].name] = Dropped(varying[j].name, "copy", reason)
    return groups, copies


def settle_roles(table: FeatureTable, dropped: tuple[Dropped, ...]) -> FeatureTable:
    """Return the table with the roles after selection.

    Noise describes segments. Constants cannot, and near-copies must not: they differ between segments by what formed
    them.
    """
    roles: dict[str, Role] = {d.name: "descriptor" if d.kind == "noise" else "ignore" for d in dropped}
    return replace(table, variables=tuple(replace(v, role=roles.get(v.name, v.role)) for v in table.variables))


def dip(values: Matrix) -> float:
    """Compute Hartigan's dip statistic: 0 for unimodal values, at most 0.25.

    The largest distance between their cumulative distribution and the nearest one with a single peak (Hartigan and
    Hartigan 1985): an interval that holds the peak shrinks while convex before it and concave after it fit worse than
    within.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Sorted. Takes O(n) for each of a few rounds.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.linspace(0, 1, 50)
    >>> round(dip(half), 2), round(dip(np.concatenate([half, half + 9])), 2)
    (0.01, 0.22)
    """
    n = len(values)
    heights = np.arange(1, n + 1) / n
    low, high, largest_gap = 0, n - 1, 1 / n
    while high > low:
        x, y = values[low : high + 1], heights[low : high + 1]
        under, over = _hull(x, y), _hull(x, -y)
        convex, concave = np.interp(x, x[under], y[under]), np.interp(x, x[over], y[over])
        knots = np.union1d(under, over)
        widest = knots[(concave - convex)[knots].argmax()]
        if concave[widest] - convex[widest] <= largest_gap:
            break
        start = under[under <= widest].max()
        end = over[over >= widest].min()
        largest_gap = max(largest_gap, (y - convex)[: start + 1].max(), (concave - y)[end:].max())
        if (start, end) == (0, len(x) - 1):
            break
        low, high = low + start, low + end
    return float(largest_gap / 2)


def _constant(values: pd.Series) -> str:
    """Why a feature counts as constant; empty where it varies."""
    counts = values.value_counts()
    if len(counts) < 2:
        return f"has {'one value for everyone' if len(counts) else 'no value for anyone'}"
    share = max(counts.iloc[0], len(values) - counts.sum()) / len(values)
    if len(values) >= ENOUGH and share > MOST_EQUAL:
        return f"has one value, or none, for more than {percentage(MOST_EQUAL)} of customers"
    return ""


def _near_copies(similar: Matrix) -> list[list[int]]:
    """Groups of columns, first members ascending; columns without a near-copy are alone."""
    if len(similar) < 2:
        return [[0]]
    apart = np.clip(1 - similar, 0, None)
    np.fill_diagonal(apart, 0)
    labels = fcluster(linkage(squareform(apart, checks=False), "complete"), 1 - NEAR_COPY + 1e-9, "distance")
    groups: dict[int, list[int]] = {}
    for j, label in enumerate(labels):
        groups.setdefault(int(label), []).append(j)
    return list(groups.values())


def _represent(members: list[int], similar: Matrix, missing: list[int], formats: Formats) -> tuple[list[int], str]:
    """A group with its representative first, and why it is that one, in the two digits that pages show."""
    if len(members) == 1:
        return members, ""
    within = {j: round(float(np.mean([similar[j, i] for i in members if i != j])), 2) for j in members}
    first, *others = sorted(members, key=lambda j: (missing[j], -within[j], j))
    least = min(missing[j] for j in others)
    most = max((within[j] for j in others if missing[j] == missing[first]), default=0.0)
    if missing[first] < least:
        had, lack = formats.people(missing[first]), formats.people(least)
        why = f"it has the fewest missing values ({had}, the next {lack})"
    elif within[first] > most:
        why = f"it moves most with the others (mean {number(within[first], 2)}, the next {number(most, 2)})"
    else:
        why = "it comes first in the settings and nothing else tells them apart"
    return [first, *others], why


def _noise(varying: list[Variable], frame: pd.DataFrame, sets: list[list[int]], logs: frozenset[str]) -> dict[str, str]:
    """Reasons of the features, with their near-copies, that move with no other and have one peak."""
    # Twice the ranks are whole numbers: customers as far from the median on either side are tied.
    ranks = 2 * frame.rank()
    rho, known = spearman(pd.concat([frame, (ranks - ranks.median()).abs()], axis=1))
    rho = np.nan_to_num(rho)
    p = len(varying)
    reasons = {}
    for members in sets:
        others = [j for j in range(p) if j not in members]
        if not others:
            continue
        rows = np.ix_([members[0], members[0] + p], [*others, *(j + p for j in others)])
        z = NormalDist().inv_cdf(1 - CHANCE / (8 * len(others)))
        bounds = np.maximum(RELATED, z / np.sqrt(np.maximum(known[rows], 1)))
        closest = np.unravel_index((np.abs(rho[rows]) - bounds).argmax(), bounds.shape)
        r, bound = float(np.abs(rho[rows][closest])), float(bounds[closest])
        first = varying[members[0]]
        values = frame[first.name].dropna().to_numpy(float)
        if r > bound or len(np.unique(values)) <= 2:
            continue
        depth, most = dip(spread_ties(values, first.name in logs)), max(DIP, DIP_OF_UNIFORM / np.sqrt(len(values)))
        if depth > most:
            continue
        other = varying[others[int(closest[1]) % len(others)]].label
        reason = (
            f"moves with no other feature (largest Spearman correlation {number(r, 2)}, with {other}; bound "
            f"{number(bound, 2)}) "
            f"and has one peak (dip {number(depth, 3)}; bound {number(most, 3)})"
        )
        reasons |= {varying[j].name: reason for j in members}
    return reasons


def spread_ties(values: Matrix, log: bool) -> Matrix:
    """At most :data:`DIP_POINTS` quantiles, sorted, equal values spread over the usual step between two values.

    Whole numbers would otherwise be a peak each.
    """
    levels, counts = np.unique(values, return_counts=True)
    place = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.median(np.diff(levels))
    spread = np.repeat(levels, counts) + step * ((place + 0.5) / np.repeat(counts, counts) - 0.5)
    points = np.quantile(spread, np.linspace(0, 1, DIP_POINTS)) if len(spread) > DIP_POINTS else spread
    positive = points[points > 0]
    if not log or not len(positive):
        return points
    # Half a part below zero is still above the pole of the logarithm, whatever the step.
    return np.log1p(np.maximum(points * PARTS / np.median(positive), -0.5))


def spearman(frame: pd.DataFrame) -> tuple[Matrix, Matrix]:
    """Compute Spearman correlations of columns, with pairwise complete customers.

    Ranks taken over everyone who has one of the two values are not ranks of the pair, and their correlation is not
    Spearman's.

    Parameters
    ----------
    frame : DataFrame of float, shape (n, p)
        Missing = NaN.

    Returns
    -------
    rho : ndarray, shape (p, p)
        NaN where a column does not vary among those customers, or fewer than :data:`FEWEST_BOTH` (or half of all, if
        that is less) have both. Rounded to ten digits, so that the order of customers cannot turn a comparison.
    n_both : ndarray, shape (p, p)
        Customers who have both.

    Notes
    -----
    O(n p) for each pair of patterns of missing values, which columns often share.

    Examples
    --------
    >>> nan = float("nan")
    >>> pairs = pd.DataFrame({"a": [1.0, 2.0, 3.0, nan], "b": [1.0, 4.0, 2.0, 3.0]})
    >>> float(spearman(pairs)[0][0, 1])
    0.5
    """
    values = frame.to_numpy(float)
    n, p = values.shape
    known = ~np.isnan(values)
    codes = map_columns(lambda column: np.unique(column, return_inverse=True)[1], values.T, n)
    alike: dict[bytes, list[int]] = {}
    for at, column in enumerate(known.T):
        alike.setdefault(column.tobytes(), []).append(at)
    columns = [alike[pattern] for pattern in sorted(alike)]
    rho = np.full((p, p), np.nan)
    n_both = known.T.astype(float) @ known.astype(float)
    for i, first in enumerate(columns):
        for j, second in enumerate(columns[: i + 1]):
            shared = known[:, first[0]] & known[:, second[0]]
            if shared.sum() < max(2, min(FEWEST_BOTH, n / 2)):
                continue
            left = _standard_ranks([codes[at] for at in first], shared)
            right = left if i == j else _standard_ranks([codes[at] for at in second], shared)
            block = (left.T @ right).round(10)
            rho[np.ix_(first, second)], rho[np.ix_(second, first)] = block, block.T
    return np.clip(rho, -1, 1), n_both


def _standard_ranks(codes: Sequence[NDArray[np.intp]], rows: NDArray[np.bool_]) -> Matrix:
    """Mean ranks among some rows, of mean 0 and length 1, shape (rows, p); NaN where a column does not vary there."""
    n = int(rows.sum())

    def rank(column: NDArray[np.intp]) -> Matrix:
        present = column if n == len(column) else column[rows]
        counts = np.bincount(present)
        ranks: Matrix = (np.cumsum(counts) - (counts - 1) / 2)[present]
        return ranks

    ranks = np.column_stack(map_columns(rank, codes, n))
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks**2).sum(axis=0))
    return np.divide(ranks, length, out=np.full_like(ranks, np.nan), where=length > 0)


def _hull(x: Matrix, y: Matrix) -> NDArray[np.intp]:
    """Indices of the lower convex hull of points with ascending x."""
    hull: list[int] = []
    xs, ys = x.tolist(), y.tolist()
    for i in range(len(xs)):
        while len(hull) > 1:
            a, b = hull[-2:]
            if (ys[b] - ys[a]) * (xs[i] - xs[a]) < (ys[i] - ys[a]) * (xs[b] - xs[a]):
                break
            hull.pop()
        hull.append(i)
    return np.array(hull)
