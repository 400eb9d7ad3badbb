"""Count how often intervals hold the truth: ``make intervals``.

That of segments is what the same method finds among 200,000 customers, that of expected spend what is spent then.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from analysis.base.run import USERS
from analysis.clustering.algorithms import ALGORITHMS, Fit, Labels
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.resample import Refits, draw_labels, match_refits
from analysis.profiles.uncertainty import interval, redraw, share_intervals
from tests.validation.lifetimes import SHOPS, count_covered

Values = NDArray[np.float64]

N, K, FORMING, EVERYONE = 1_000, 3, 4, 200_000
KINDS = ("differences of features", "differences of descriptors", "shares", "value shares")
WAYS = ("refits", "fixed segments")


@dataclass(frozen=True, slots=True)
class Figures:
    """What is published of each segment: differences in standard deviations, shares of customers and of the value."""

    differences: Values
    shares: Values
    values: Values


def draw_groups(distance: float) -> Callable[[int, np.random.Generator], Values]:
    """Give a population of three groups whose centres lie this far apart on each of two features."""

    def draw(n: int, rng: np.random.Generator) -> Values:
        group = rng.choice(3, n, p=(0.5, 0.3, 0.2))
        centres = distance * np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]], dtype=float)
        return _describe(centres[group] + rng.standard_normal((n, FORMING)), rng)

    return draw


def draw_continuum(n: int, rng: np.random.Generator) -> Values:
    """Draw from one cloud with two correlated, skewed features."""
    cloud = rng.standard_normal((n, FORMING))
    cloud[:, 1] = 0.6 * cloud[:, 0] + 0.8 * cloud[:, 1]
    cloud[:, :2] = np.exp(0.5 * cloud[:, :2])
    return _describe(cloud, rng)


def _describe(features: Values, rng: np.random.Generator) -> Values:
    """Add two descriptors, one of them an answer by yes or no, and a value with a long tail."""
    n = len(features)
    age = features[:, 0] + rng.standard_normal(n)
    answer = (features[:, 1] + 2 * rng.standard_normal(n) > 1).astype(float)
    worth = np.exp(0.5 * features[:, 2] + 0.7 * rng.standard_normal(n))
    return np.column_stack([features, age, answer, worth])


POPULATIONS = {"separate groups": draw_groups(4.0), "touching groups": draw_groups(2.0), "a continuum": draw_continuum}


def fit(customers: Values, seed: int) -> Fit:
    """Publish three segments of the customers."""
    features = np.ascontiguousarray(customers[:, :FORMING])
    with one_thread():
        (found,) = ALGORITHMS["kmeans"].fit(features, (K,), seed, USERS.starts, None)
    return found


def state(customers: Values, labels: Labels) -> Figures:
    """Compute the figures of each segment."""
    means = np.array([customers[labels == s, :-1].mean(axis=0) for s in range(1, K + 1)])
    worth = customers[:, -1]
    return Figures(
        (means - customers[:, :-1].mean(axis=0)) / customers[:, :-1].std(axis=0),
        np.bincount(labels)[1:] / len(labels),
        np.bincount(labels, weights=worth)[1:] / worth.sum(),
    )


def count_held(name: str, seed: int, truth: Figures, rule: Fit) -> Values:
    """Publish segments of a sample; count by way and kind how many intervals hold the truth, and how many there are."""
    customers = POPULATIONS[name](N, np.random.default_rng((seed, 1)))
    features = np.ascontiguousarray(customers[:, :FORMING])
    published = fit(customers, seed)
    with one_thread():
        labels, core, rows = published.assign(features), np.ones(N, dtype=bool), np.arange(N)
        seeds = [(seed, i) for i in range(2 * USERS.pairs_decided)]
        drawn = [each[0].labels for each in draw_labels(features, features, ALGORITHMS["kmeans"], (K,), 3, seeds)]
        table = np.zeros((K + 1, K + 1))
        np.add.at(table, (labels, rule.assign(features)), 1)
    order = linear_sum_assignment(table[1:, 1:], maximize=True)[1]
    again = match_refits(labels, drawn, rows, core, N, seed)
    same = Refits(rows, np.broadcast_to(labels, again.labels.shape), again.counts, 1.0)
    return np.array([_held(customers, labels, each, truth, order) for each in (again, same)])


def _held(customers: Values, labels: Labels, refits: Refits, truth: Figures, order: NDArray[np.intp]) -> Values:
    redrawn, exact = redraw(customers, refits, K), state(customers, labels)
    apart = (redrawn.means[:, :, :-1] - redrawn.everyone[:, None, :-1]) / redrawn.spread[:, None, :-1]
    low, high = interval(apart, exact.differences)
    right = truth.differences[order]
    inside = (low <= right) & (right <= high)
    sizes, parts = share_intervals(redrawn, labels, customers[:, -1])
    shares, values = ((a <= t[order]) & (t[order] <= b) for (a, b), t in ((sizes, truth.shares), (parts, truth.values)))
    kinds = (inside[:, :FORMING], inside[:, FORMING:], shares, values)
    return np.array([[each.sum(), each.size] for each in kinds], dtype=float)


def main() -> None:
    """Read the options, repeat the studies, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1_000, help="samples of each population")
    parser.add_argument("--shops", type=int, default=300, help="samples of each population of buyers")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    print(f"Held by 95% intervals, {options.repetitions} samples of {N} customers")
    for name, draw in POPULATIONS.items():
        everyone = draw(EVERYONE, np.random.default_rng(7))
        rule = fit(everyone, 7)
        with one_thread():
            truth = state(everyone, rule.assign(np.ascontiguousarray(everyone[:, :FORMING])))
        counted = _repeat(name, options.repetitions, options.jobs, partial(count_held, name, truth=truth, rule=rule))
        for way, rows in zip(WAYS, counted, strict=True):
            shares = "  ".join(f"{kind} {held / n:.1%}" for kind, (held, n) in zip(KINDS, rows, strict=True))
            print(f"{name:<16} {way:<15} {shares}", flush=True)
    print(f"Spend of a year to come, held by 95% intervals, {options.shops} samples of {N} customers")
    for name in SHOPS:
        left_out, *counted = _repeat(name, options.shops, options.jobs, partial(count_covered, name))
        shares = "  ".join(
            f"{kind} {held / n:.1%}, {came / n:.2f} times as expected"
            for kind, (held, n, came) in zip(("everyone", "a segment"), counted, strict=True)
        )
        print(f"{name:<29} left out {left_out[0] / left_out[1]:.1%}  {shares}", flush=True)


def _repeat(name: str, repetitions: int, jobs: int, count: Callable[[int], Values]) -> Values:
    """Add up what is counted with each seed, side by side."""
    tasks = (delayed(count)(seed) for seed in range(repetitions))
    total = np.zeros(())
    for i, found in enumerate(Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks), start=1):
        total = total + found
        if i % 50 == 0:
            print(f"  {name}: {i}", file=sys.stderr, flush=True)
    return total


if __name__ == "__main__":
    main()
