"""Lifetime value: the published numbers of the CDNOW sample, and properties that must hold anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import beta

from analysis.base.errors import InputError
from analysis.customers import lifetime_value, purchase_models
from analysis.customers.descriptions import Columns
from analysis.customers.lifetime_value import BackTest, back_test, customer_lifetime_value
from analysis.customers.purchase_models import (
    BG_NBD,
    MBG_NBD,
    PARETO_NBD,
    PURCHASE_MODELS,
    BetaGeometricModel,
    conditional_expectation,
    expected_purchase_value,
    expected_purchases,
    fit_gamma_gamma,
    fit_purchases,
    log_likelihoods,
    probability_alive,
)
from analysis.customers.purchases import fitting, pareto
from analysis.customers.transactions import purchase_histories

COLUMNS = Columns("customer", "date", "dollars")
PUBLISHED = BetaGeometricModel(0.243, 4.414, 0.793, 2.426, -9582.4, np.zeros((4, 4)), 2357)


@pytest.fixture(scope="module")
def sample(dataset: Callable[[str], Path]) -> pd.DataFrame:
    """Read the published 1/10 sample of CDNOW."""
    names = ["master", "customer", "date", "cds", "dollars"]
    table = pd.read_csv(dataset("CDNOW_sample.txt"), sep=r"\s+", names=names, dtype={"customer": str})
    return table.assign(date=pd.to_datetime(table["date"].astype(str)))


@pytest.fixture(scope="module")
def calibration(sample: pd.DataFrame) -> pd.DataFrame:
    """Histories of the first 39 weeks."""
    return purchase_histories(sample, COLUMNS, as_of=date(1997, 9, 30))


@pytest.fixture(scope="module")
def fitted(calibration: pd.DataFrame) -> BetaGeometricModel:
    """Purchase model of the first 39 weeks."""
    return fit_purchases(calibration["x"], calibration["t_x"], calibration["T"])


TRUTH = (0.8, 6.0, 0.9, 2.5)


def drawn(n: int, seed: int = 3, until: float = 1.0) -> pd.DataFrame:
    """Draw histories of 40 to 80 weeks from Pareto/NBD (r 0.8, alpha 6, s 0.7, beta 9), with values as `simulated`."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(40, 80, n)
    rates, leaves = rng.gamma(0.8, 1 / 6, n), rng.exponential(1 / rng.gamma(0.7, 1 / 9, n))
    times = np.cumsum(rng.exponential(1 / rates[:, None], (n, 250)), axis=1)
    bought = times <= np.minimum(leaves, until * ages)[:, None]
    x, t_x = bought.sum(axis=1).astype(float), np.where(bought, times, 0.0).max(axis=1)
    sums = rng.gamma(6 * np.maximum(x, 1)) / (rng.gamma(4, 1 / 15, n))
    return pd.DataFrame(
        {"x": x, "t_x": t_x, "T": until * ages, "value": np.where(x > 0, sums / np.maximum(x, 1), np.nan)}
    )


def simulated(n: int = 1500, seed: int = 3, early: bool = False, until: float = 1.0) -> pd.DataFrame:
    """Draw histories of 40 to 80 weeks from both models, with the parameters of TRUTH, p 6, q 4 and gamma 15.

    The same draws are seen ``until`` a part of that time.
    """
    rng = np.random.default_rng(seed)
    r, alpha, a, b = TRUTH
    x, t_x, ages = np.zeros(n), np.zeros(n), rng.uniform(40, 80, n)
    for i, (rate, leave) in enumerate(zip(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), strict=True)):
        now = np.inf if early and rng.random() < leave else rng.exponential(1 / rate)
        while now <= ages[i]:
            if now <= until * ages[i]:
                x[i], t_x[i] = x[i] + 1, now
            if rng.random() < leave:
                break
            now += rng.exponential(1 / rate)
    sums = rng.gamma(6 * np.maximum(x, 1)) / (rng.gamma(4, 1 / 15, n))
    return pd.DataFrame(
        {"x": x, "t_x": t_x, "T": until * ages, "value": np.where(x > 0, sums / np.maximum(x, 1), np.nan)}
    )


@pytest.mark.slow
def test_published_parameters_of_the_purchase_model(fitted: BetaGeometricModel) -> None:
    found = (fitted.r, fitted.alpha, fitted.a, fitted.b)
    assert found == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=0.01)
    assert fitted.log_likelihood == pytest.approx(-9582.4, abs=0.1)
    assert fitted.n_customers == 2357


@pytest.mark.slow
def test_published_parameters_of_the_model_in_which_customers_leave_after_the_first_purchase(
    calibration: pd.DataFrame,
) -> None:
    model = fit_purchases(calibration["x"], calibration["t_x"], calibration["T"], MBG_NBD)
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.525, 6.183, 0.891, 1.614), abs=0.002)
    once = calibration["x"] == 0
    alive = probability_alive(model, calibration["x"], calibration["t_x"], calibration["T"])
    assert np.isfinite(alive).all() and 0.3 < alive[once].mean() < 0.5
    each = log_likelihoods(model, calibration["x"], calibration["t_x"], calibration["T"])
    assert each.sum() == pytest.approx(model.log_likelihood, abs=1e-6)


@pytest.mark.slow
def test_cumulative_repeat_purchases_to_week_78(sample: pd.DataFrame, fitted: BetaGeometricModel) -> None:
    whole = purchase_histories(sample, COLUMNS)
    observed = whole["x"].sum()
    expected = expected_purchases(fitted, whole["T"]).sum()
    assert observed == 4339
    assert expected == pytest.approx(observed, rel=0.05)
    assert expected == pytest.approx(4161, rel=0.01)


@pytest.mark.slow
def test_conditional_prediction_of_the_hold_out(fitted: BetaGeometricModel, calibration: pd.DataFrame) -> None:
    predicted = conditional_expectation(fitted, 39, calibration["x"], calibration["t_x"], calibration["T"])
    assert predicted.sum() == pytest.approx(1653, rel=0.01)


def test_published_parameters_of_the_spend_model(calibration: pd.DataFrame) -> None:
    model = fit_gamma_gamma(calibration["x"], calibration["value"])
    assert model.n_customers == 946
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), rel=0.01)


@pytest.mark.parametrize("early", [False, True])
def test_parameters_are_found_again_in_simulated_histories(early: bool) -> None:
    histories = simulated(4000, early=early)
    model = fit_purchases(histories["x"], histories["t_x"], histories["T"], MBG_NBD if early else BG_NBD)
    spend = fit_gamma_gamma(histories["x"], histories["value"])
    found = np.log([model.r, model.alpha, model.a, model.b, spend.p, spend.q, spend.gamma])
    errors = np.sqrt(np.concatenate([np.diag(model.covariance), np.diag(spend.covariance)]))
    assert (np.abs(found - np.log([*TRUTH, 6, 4, 15])) < 3 * errors).all()
    assert (errors < 0.5).all()


def test_slopes_of_the_likelihoods_are_those_of_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    whole = fitting.maximise

    def watched(likelihood: fitting.Likelihood, starts: fitting.Floats) -> tuple[fitting.Floats, float, fitting.Floats]:
        seen.append((likelihood, starts))
        return whole(likelihood, starts)

    for module in (purchase_models, pareto):
        monkeypatch.setattr(module, "maximise", watched)
    histories = simulated(200)
    for model in PURCHASE_MODELS:
        fit_purchases(histories["x"], histories["t_x"], histories["T"], model)
    fit_gamma_gamma(histories["x"], histories["value"])
    assert len(seen) == 4
    for likelihood, starts in seen:
        for start in starts:
            slopes = likelihood(start)[1]
            gap = check_grad(lambda p, f=likelihood: f(p)[0], lambda p, f=likelihood: f(p)[1], start)
            assert gap < 1e-4 * (1 + np.linalg.norm(slopes))


def test_another_unit_of_time_or_money_gives_the_same_models() -> None:
    histories = simulated()
    x, t_x, T, value = (histories[name] for name in histories)  # noqa: N806
    weeks, days = fit_purchases(x, t_x, T), fit_purchases(x, t_x * 7, T * 7)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-5)
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-5)
    dollars, cents = fit_gamma_gamma(x, value), fit_gamma_gamma(x, value * 100)
    assert (cents.p, cents.q, cents.gamma) == pytest.approx((dollars.p, dollars.q, 100 * dollars.gamma), rel=1e-5)


@pytest.mark.parametrize("a", [0.4, 0.793, 1.0, 1 + 1e-9, 1.3])
@pytest.mark.parametrize("b", [0.2, 0.6, 2.426])
@pytest.mark.parametrize("early", [False, True])
def test_expected_purchases_equal_their_integral(a: float, b: float, early: bool) -> None:
    model = BetaGeometricModel(0.243, 4.414, a, b, 0.0, np.zeros((4, 4)), 1, early)
    for t in (0.5, 39.0, 500.0):

        def bought(p: float, t: float = t) -> float:
            stays = 1 - p if early else 1.0
            return stays * (1 - (1 + p * t / model.alpha) ** -model.r) / p * beta.pdf(p, a, b)

        halves = quad(bought, 0, 0.5, limit=400)[0] + quad(bought, 0.5, 1, limit=400)[0]
        assert expected_purchases(model, t) == pytest.approx(halves, rel=1e-4)


def test_extreme_histories_stay_finite() -> None:
    x, t_x, T = np.array([0, 1, 2000, 2000]), np.array([0, 1e-3, 519, 10]), np.array([0, 1000, 520, 520])  # noqa: N806
    alive = probability_alive(PUBLISHED, x, t_x, T)
    assert np.isnan(alive[0]) and alive[2] > 0.95 and alive[3] < 1e-6
    expected = conditional_expectation(PUBLISHED, 52, x, t_x, T)
    assert np.isfinite(expected).all() and (expected >= 0).all()
    assert expected[2] == pytest.approx(200, rel=0.2)


def test_expectations_grow_with_time_from_zero(calibration: pd.DataFrame) -> None:
    arguments = (calibration["x"], calibration["t_x"], calibration["T"])
    expected = np.array([conditional_expectation(PUBLISHED, t, *arguments) for t in (0, 1, 10, 100)])
    assert np.allclose(expected[0], 0) and (np.diff(expected, axis=0) > 0).all()


def test_the_value_of_few_purchases_is_drawn_towards_everyones() -> None:
    histories = simulated()
    model = fit_gamma_gamma(histories["x"], histories["value"])
    nobody = expected_purchase_value(model, [0], [np.nan])[0]
    once, often = expected_purchase_value(model, [1, 50], [500.0, 500.0])
    assert nobody == pytest.approx(model.p * model.gamma / (model.q - 1))
    assert nobody < once < often < 500


def test_lifetime_value_adds_up_and_has_an_interval() -> None:
    histories = simulated()
    worth = customer_lifetime_value(histories)
    frame = worth.frame
    assert frame.index.equals(histories.index)
    assert (frame["clv_low"] < frame["clv"]).all() and (frame["clv"] < frame["clv_high"]).all()
    assert worth.level == 0.95
    repeated = histories["x"] > 0
    assert frame["alive"][repeated].between(0, 1).all() and frame["alive"][~repeated].isna().all()
    half = np.arange(len(frame)) % 2 == 0
    assert worth.total(half).value + worth.total(~half).value == pytest.approx(worth.total().value)
    whole = worth.total()
    assert whole.value == pytest.approx(frame["clv"].sum())
    assert whole.low < whole.value < whole.high
    assert whole.high / whole.value < (frame["clv_high"] / frame["clv"]).max()


@pytest.mark.slow
def test_horizon_discount_and_margin_act_as_said() -> None:
    histories = simulated()
    free = customer_lifetime_value(histories, discount_rate=0)
    bought = free.frame["purchases"] * free.frame["purchase_value"]
    np.testing.assert_allclose(free.frame["clv"], bought)
    discounted = customer_lifetime_value(histories, discount_rate=0.2)
    assert (discounted.frame["clv"] < free.frame["clv"]).all()
    assert (discounted.frame["clv"] > free.frame["clv"] / 1.2).all()
    longer = customer_lifetime_value(histories, discount_rate=0, horizon_weeks=104, margin=0.5)
    assert (longer.frame["clv"] < free.frame["clv"]).all()
    assert (longer.frame["purchases"] > free.frame["purchases"]).all()


@pytest.mark.slow
def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    zero = np.zeros((4, 4))
    true = BetaGeometricModel(*TRUTH, 0.0, zero, 1)
    hits = 0
    for seed in range(20):
        histories = simulated(300, seed)
        worth = customer_lifetime_value(histories, discount_rate=0, level=0.9)
        x, t_x, T = (histories[name] for name in ("x", "t_x", "T"))  # noqa: N806
        spend = 6 * (15 + histories["value"].fillna(0) * x) / (6 * x + 4 - 1)
        expected = float((conditional_expectation(true, 52, x, t_x, T) * spend).sum())
        total = worth.total()
        hits += total.low < expected < total.high
    assert 14 <= hits <= 20


@pytest.mark.parametrize(
    ("x", "t_x", "T", "message"),
    [
        ([0, 0], [0, 0], [3, 4], "no customer bought a second time"),
        ([1, 1], [5, 1], [3, 4], "history 0 has x = 1, t_x = 5, T = 3"),
        ([1, 0], [1, 2], [3, 4], "history 1 has x = 0, t_x = 2, T = 4"),
        ([1, -1], [1, 0], [3, 4], "history 1 has x = -1"),
        ([1, 1], [1, np.nan], [3, 4], "history 1"),
    ],
)
def test_histories_that_cannot_be_are_refused(x: list, t_x: list, T: list, message: str) -> None:  # noqa: N803
    with pytest.raises(InputError, match=message):
        fit_purchases(x, t_x, T)


def test_too_few_positive_values_are_refused() -> None:
    with pytest.raises(InputError, match="9 customers have repeat purchases with a positive value"):
        fit_gamma_gamma([1] * 10 + [0], [5.0] * 9 + [0, 7])


def test_value_by_key_keeps_the_order_asked_for_and_expects_nothing_of_the_unknown() -> None:
    value = customer_lifetime_value(simulated(400))
    value = replace(value, frame=value.frame.set_axis([f"k{i}" for i in range(400)]))
    some = value.of(["k7", "nobody", "k3"])
    assert list(some.frame["clv"]) == [value.frame["clv"]["k7"], 0.0, value.frame["clv"]["k3"]]
    assert some.frame["alive"].isna().to_list() == [False, True, False]
    here, there = some.total(), value.total(value.frame.index.isin(["k3", "k7"]))
    assert (here.value, here.low, here.high) == pytest.approx((there.value, there.low, there.high))


@pytest.mark.slow
def test_tried_on_the_published_sample_the_models_expect_too_little(
    sample: pd.DataFrame, calibration: pd.DataFrame
) -> None:
    later = purchase_histories(sample, COLUMNS, as_of=date(1998, 6, 30))
    tried = back_test(calibration, later, 39.0)
    assert tried.frame.index.equals(later.index)
    assert [name for name, _ in tried.held_out] == list(PURCHASE_MODELS)
    assert tried.model == max(tried.held_out, key=lambda pair: pair[1])[0] == MBG_NBD
    assert tried.frame["expected"].sum() == pytest.approx(57_128, rel=0.01)
    assert tried.frame["came"].sum() == pytest.approx(70_976, rel=0.01)


def test_the_interval_of_a_total_reaches_as_far_as_the_models_were_off() -> None:
    value = customer_lifetime_value(simulated(400))
    expected = pd.Series(10.0, index=value.frame.index)
    tried = BackTest(26.0, pd.DataFrame({"expected": expected, "came": 12.0}))
    plain, wider = value.total(), replace(value, tried=tried).total()
    assert wider.value == plain.value and wider.low == pytest.approx(plain.low)
    assert wider.high == pytest.approx(1.2 * plain.high)
    came = pd.Series([0.0, 20.0] * 200, index=value.frame.index)
    chance = replace(value, tried=BackTest(26.0, pd.DataFrame({"expected": expected, "came": came}))).total()
    # Each customer was 10 off in 26 weeks, so 400 are off by 10 times the root of 400 times 2 in 52.
    reach = 1.96 * 10 * np.sqrt(400 * 52 / 26)
    assert chance.high - chance.value == pytest.approx(np.hypot(plain.high - plain.value, reach), rel=1e-3)


def test_members_of_nobody_in_the_first_half_have_the_interval_of_the_parameters() -> None:
    value = customer_lifetime_value(simulated(400))
    frame = pd.DataFrame({"expected": 10.0, "came": 10.0}, index=value.frame.index)
    frame.iloc[:20] = np.nan
    tried = replace(value, tried=BackTest(26.0, frame))
    new = np.arange(400) < 20
    assert tried.total(new).high == pytest.approx(value.total(new).high)


@pytest.mark.slow
@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_the_model_that_made_the_histories_is_chosen_by_the_time_after_them(model: str) -> None:
    draw = partial(drawn, 12_000) if model == PARETO_NBD else partial(simulated, 6000, early=model == MBG_NBD)
    half, whole = (draw(until=until) for until in (0.5, 1.0))
    assert back_test(half, whole, 30.0).model == model


def test_a_model_that_cannot_be_fitted_is_left_out_of_the_choice() -> None:
    earlier, later = (simulated(1500, until=until) for until in (0.5, 1.0))
    with pytest.raises(InputError, match=r"Pareto/NBD could not be fitted \(s, beta at the bound"):
        fit_purchases(earlier["x"], earlier["t_x"], earlier["T"], PARETO_NBD)
    tried = back_test(earlier, later, 30.0)
    assert [name for name, _ in tried.held_out] == [BG_NBD, MBG_NBD] and tried.model in (BG_NBD, MBG_NBD)


def test_models_that_were_wrong_about_the_past_forecast_nothing() -> None:
    earlier = simulated(400)
    later = earlier.assign(x=earlier["x"] + 9, t_x=earlier["T"], value=earlier["value"].fillna(30.0))
    with pytest.raises(InputError, match="wrong about the second"):
        back_test(earlier, later, 26.0)


def test_of_many_customers_some_fit_the_models_and_everyone_has_a_value(
    calibration: pd.DataFrame, sample: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = purchase_histories(sample, COLUMNS)
    whole, tried = customer_lifetime_value(calibration), back_test(calibration, later, 39.0)
    monkeypatch.setattr(lifetime_value, "MOST_FITTED", 1_500)
    some, tried_again = customer_lifetime_value(calibration), back_test(calibration, later, 39.0)
    assert (whole.purchases.n_customers, some.purchases.n_customers) == (2_357, 1_500)
    assert some.frame["clv"].notna().all() and len(some.frame) == len(calibration)
    assert some.total().value == pytest.approx(whole.total().value, rel=0.15)
    assert tried_again.ratio == pytest.approx(tried.ratio, rel=0.1)
    pd.testing.assert_frame_equal(some.frame, customer_lifetime_value(calibration).frame)
