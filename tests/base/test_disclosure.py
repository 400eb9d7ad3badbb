"""Rules of publication: no number follows from one customer, and what is rounded stays near."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.disclosure import COUNT_STEP, DOMINANCE, Disclosure, month_end
from analysis.base.salt import FILE, VARIABLE, keep_salt, keyed_digest, read_salt

RULES = Disclosure()
AMOUNTS = st.lists(st.floats(0, 1e6), min_size=10, max_size=80)


@pytest.mark.slow
@settings(deadline=None)
@given(AMOUNTS)
def test_the_step_of_a_mean_hides_each_customer(amounts: list[float]) -> None:
    values = np.array(amounts)
    if RULES.is_dominated(values):
        return
    step = RULES.step(values, float(values.mean()))
    assert abs(RULES.mean(values) - values.mean()) <= step / 2 + 1e-6
    for i in range(len(values)):
        assert abs(np.delete(values, i).mean() - values.mean()) <= step * (1 + 1e-6) + 1e-9


@pytest.mark.slow
@settings(deadline=None)
@given(AMOUNTS)
def test_a_total_is_told_only_where_no_customer_dominates_it(amounts: list[float]) -> None:
    values = np.array(amounts)
    total = RULES.total(values)
    if total is None:
        assert values.max() >= DOMINANCE * values.sum() or np.sort(values)[:-2].sum() < 0.1 * values.max()
    else:
        assert abs(total - values.sum()) <= 10 * values.max() / 2 + 1e-6


@pytest.mark.parametrize("n", [11, 12, 35, 200])
@pytest.mark.parametrize("q", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_no_quantile_is_the_value_of_a_customer_nor_rests_on_the_extremes(n: int, q: float) -> None:
    values = np.random.default_rng(n).normal(40_000, 9_000, n) + 0.25
    told = RULES.quantile(values, q)
    assert np.abs(values - told).min() > 1e-3
    spoilt = np.sort(values)
    spoilt[[0, -1]] = -1e9, 1e9
    assert RULES.quantile(spoilt, q) == told


def test_counts_that_differ_by_one_customer_are_told_alike_or_five_apart() -> None:
    for n in range(10, 300):
        assert RULES.count(n + 1) - RULES.count(n) in {0, COUNT_STEP}
        assert abs(RULES.count(n) - n) <= COUNT_STEP / 2 and RULES.count(n) >= RULES.min_cell
    assert Disclosure(12).count(12) == 12


def test_an_internal_site_states_what_is_there() -> None:
    exact = Disclosure(public=False)
    values = np.array([1.0, 2.0, 4.0] * 10)
    assert exact.mean(values) == values.mean() and exact.total(values) == 70.0
    assert exact.quantile(values, 0.9) == 4.0 and exact.share(0.123) == 0.123


def test_nothing_known_has_no_mean_and_equal_values_have_theirs() -> None:
    assert math.isnan(RULES.mean(np.full(3, np.nan))) and math.isnan(RULES.quantile(np.array([]), 0.5))
    assert RULES.mean(np.full(30, 1e-320)) == 1e-320 and RULES.mean(np.full(30, 7.0)) == 7.0
    assert RULES.mean(4_917_000_000_000 + np.arange(30.0)) == pytest.approx(4_917_000_000_015, abs=1)


def test_the_last_day_that_can_be_is_a_months_end() -> None:
    assert month_end(dt.date(9999, 12, 31)) == dt.date(9999, 12, 31)


def test_a_project_keeps_its_secret_and_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    first = read_salt(tmp_path)
    assert not (tmp_path / FILE).exists(), "nothing is written before a build is made with it"
    keep_salt(tmp_path, first)
    assert read_salt(tmp_path) == first and len(first) == 64
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    monkeypatch.setenv(VARIABLE, "chosen")
    assert read_salt(tmp_path) == b"chosen" and keyed_digest(b"chosen", "a") != keyed_digest(first, "a")


def test_the_median_of_one_customer_less_seldom_tells_on_which_side_the_customer_is() -> None:
    rng, told = np.random.default_rng(3), []
    for _ in range(60):
        values = rng.lognormal(6, 1, 180).round(2)
        for i in rng.choice(180, 10, replace=False):
            moved = RULES.quantile(np.delete(values, i), 0.5) - RULES.quantile(values, 0.5)
            told.append(moved != 0 and (moved < 0) == (values[i] > np.median(values)))
    assert np.mean(told) < 0.1


@pytest.mark.parametrize("n", [600, 2_000])
def test_quantiles_stay_in_order_and_near(n: int) -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).gamma(2, 90, n).round(2)
        told = [RULES.quantile(values, q) for q in (0.1, 0.5, 0.9)]
        assert told == sorted(told)
        assert np.abs(np.array(told) - np.quantile(values, [0.1, 0.5, 0.9])).max() < 0.4 * values.std()
