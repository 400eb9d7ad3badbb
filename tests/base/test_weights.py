"""Survey weights: whole ones give the figures of as many rows, and bad ones are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.base.weights import (
    FEWEST_EFFECTIVE,
    as_counts,
    check_weights,
    deviations,
    effective_size,
    means,
    middle_ranks,
    quantile,
    share,
)
from analysis.base.workers import FEW_VALUES

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 6)), min_size=3, max_size=40)


def split(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, weights = (np.array(each, dtype=float) for each in zip(*pairs, strict=True))
    return values, weights, np.repeat(values, weights.astype(int))


@settings(deadline=None)
@given(PAIRS)
def test_whole_weights_are_rows(pairs: list[tuple[int, int]]) -> None:
    values, weights, rows = split(pairs)
    assert quantile(values, 0.5, weights) == np.median(rows) == quantile(rows, 0.5, None)
    assert means(values[:, None], weights)[0] == pytest.approx(rows.mean())
    assert deviations(values[:, None], weights)[0] == pytest.approx(rows.std())
    assert share(values > 0, weights) == pytest.approx((rows > 0).mean())
    ranks = np.repeat(middle_ranks(values, weights), weights.astype(int)) + 0.5
    assert ranks == pytest.approx(pd.Series(rows).rank().to_numpy())
    assert as_counts(weights).tolist() == weights.tolist()


@settings(deadline=None)
@given(PAIRS, st.floats(0.001, 1000))
def test_a_quantile_does_not_depend_on_the_scale_of_weights(pairs: list[tuple[int, int]], scale: float) -> None:
    values, weights, rows = split(pairs)
    for q in (0.1, 0.25, 0.5, 0.9):
        expected = np.quantile(rows, q, method="averaged_inverted_cdf")
        assert quantile(values, q, weights * scale) == pytest.approx(expected)


def test_values_that_are_not_known_do_not_count() -> None:
    values = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, 9.0]])
    assert means(values, np.array([3.0, 1.0, 1.0])).tolist() == [1.5, 7.0]
    assert np.isnan(means(np.array([[np.nan]]), np.ones(1))).all()


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 20), min_size=1, max_size=60))
def test_counts_add_up_to_the_weights(weights: list[float]) -> None:
    counts = as_counts(np.array(weights))
    assert abs(counts.sum() - sum(weights)) <= 0.5 + 1e-6
    assert (np.abs(counts - weights) < 1 + 1e-6).all()


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=60))
def test_no_row_holds_half_of_a_group_with_enough_effective_rows(weights: list[float]) -> None:
    own = np.sort(weights)
    if effective_size(own) >= FEWEST_EFFECTIVE:
        assert not Disclosure().is_dominated(own)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b"], "holds no numbers"),
        ([True, False], "holds no numbers"),
        ([1.0, -2.0, 3.0], "has 1 negative value"),
        ([0.0, np.nan], "has no positive value"),
        ([1.0, 1.0, 2.0], "one row has half of all weights"),
    ],
)
def test_bad_weights_are_refused(values: list[object], message: str) -> None:
    with pytest.raises(InputError, match=rf"_quarto.yml, here: .*{message}"):
        check_weights(pd.Series(values, name="wt"), "_quarto.yml, here")


def test_zero_and_missing_weights_are_read() -> None:
    found = check_weights(pd.Series([1.0, 0.0, np.nan, 1.5, 1.0], name="wt"), "here")
    assert found[[0, 1, 3, 4]].tolist() == [1.0, 0.0, 1.5, 1.0] and np.isnan(found[2])


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(12, 60))
def test_no_row_moves_a_published_average_by_more_than_its_step(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.gamma(2, 10, n), rng.gamma(1, 1, n) + 0.05
    rules, exact = Disclosure(), float(np.average(values, weights=weights))
    step = rules.step(values, exact, weights)
    for i in range(n):
        others = np.arange(n) != i
        assert abs(np.average(values[others], weights=weights[others]) - exact) <= step + 1e-9
    if not rules.is_dominated(values, weights):
        assert abs(rules.mean(values, weights) - exact) <= step / 2 + 1e-9


def test_a_weighted_total_is_not_stated_where_a_weight_makes_one_customer_dominate_it() -> None:
    values, weights = np.full(30, 100.0), np.ones(30)
    heavy = np.append(np.ones(29), 40.0)
    assert Disclosure().total(values, weights) == 3000 and Disclosure().total(values, 10 * weights) == 30_000
    assert Disclosure().total(values, heavy) is None
    assert Disclosure(public=False).total(values, heavy) == 6900


def test_a_published_median_follows_the_weights() -> None:
    values = np.arange(1.0, 201.0)
    weights = np.where(values > 100, 3.0, 1.0)
    exact = quantile(values, 0.5, weights)
    assert exact == pytest.approx(133.5, abs=1)
    assert abs(Disclosure().quantile(values, 0.5, weights) - exact) <= 10
    assert abs(Disclosure().quantile(values, 0.5) - 100.5) <= 10


def test_means_and_deviations_of_many_rows_are_those_of_few() -> None:
    values = np.random.default_rng(4).gamma(2.0, 3.0, (FEW_VALUES + 1, 3))
    values[::7, 1] = np.nan
    assert means(values, None) == pytest.approx(np.nanmean(values, axis=0))
    assert deviations(values, None) == pytest.approx(np.nanstd(values, axis=0))
