"""Intervals and tests against published numbers and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.experiments.records import adjust
from analysis.experiments.statistics import (
    adjust_by_before,
    bootstrap,
    check_ratio,
    compare_means,
    compare_shares,
    is_heavy,
    winsorise,
)


def of(yes: int, n: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [yes, n - yes])


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 20), 0.6791, 1.0)],
)
def test_intervals_of_shares_are_those_of_newcombe_1998(counts: tuple[int, ...], low: float, high: float) -> None:
    # Newcombe (1998), Interval estimation for the difference between independent proportions, table II, method 10.
    found = compare_shares(of(counts[0], counts[1]), of(counts[2], counts[3]))
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_means_are_compared_as_scipy_does() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.gamma(2, 30, 400), rng.gamma(2, 25, 300)
    known = stats.ttest_ind(one, other, equal_var=False)
    found = compare_means(one, other)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_what_came_before_narrows_by_its_correlation() -> None:
    rng = np.random.default_rng(2)
    before = rng.standard_normal(20_000)
    values = 0.8 * before + 0.6 * rng.standard_normal(20_000)
    adjusted, narrowed = adjust_by_before(values, before)
    assert narrowed == pytest.approx(1 - (1 - 0.8**2) ** 0.5, abs=0.01)
    assert adjusted.mean() == pytest.approx(values.mean())
    assert adjust_by_before(values, np.zeros(20_000))[1] == 0.0


def test_heavy_outcomes_are_winsorised_and_resampled() -> None:
    rng = np.random.default_rng(3)
    values = rng.pareto(1.2, 2000)
    assert is_heavy(values) and not is_heavy(rng.uniform(size=2000))
    assert winsorise(values).max() == np.quantile(values, 0.99)
    one, other = rng.normal(1, 1, 500), rng.normal(0, 1, 500)
    welch = compare_means(one, other)
    assert bootstrap(one, other) == (pytest.approx(welch.low, abs=0.02), pytest.approx(welch.high, abs=0.02))
    assert bootstrap(one, other) == bootstrap(one, other)


def test_unequal_groups_are_noticed_and_chance_is_not() -> None:
    assert check_ratio(5100, 4900, 0.5) > 0.001 > check_ratio(5300, 4700, 0.5)
    assert check_ratio(900, 100, 0.1) == pytest.approx(1.0)


@pytest.mark.slow
def test_several_tests_are_adjusted_by_holm() -> None:
    assert adjust([0.01, 0.04, 0.03, 0.005]) == [0.03, 0.06, 0.06, 0.02]
    assert adjust([]) == []
