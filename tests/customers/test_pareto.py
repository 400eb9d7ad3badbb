"""Pareto/NBD: the published numbers of the CDNOW sample, its closed forms, and fits that fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1
from scipy.stats import gamma

from analysis.base.errors import InputError
from analysis.customers import lifetime_value
from analysis.customers.descriptions import Columns
from analysis.customers.lifetime_value import back_test, customer_lifetime_value
from analysis.customers.purchase_models import (
    PARETO_NBD,
    PURCHASE_MODELS,
    conditional_expectation,
    expected_purchases,
    fit_purchases,
    log_likelihoods,
    probability_alive,
)
from analysis.customers.purchases import pareto
from analysis.customers.purchases.pareto import ParetoModel, fit_pareto
from analysis.customers.transactions import purchase_histories
from tests.audit.lifetime import fit_lifetime

TRUTH = (0.8, 6.0, 0.7, 9.0)
PUBLISHED = (0.553, 10.578, 0.606, 11.669)


def model_of(r: float, alpha: float, s: float, beta: float) -> ParetoModel:
    return ParetoModel(r, alpha, s, beta, 0.0, np.zeros((4, 4)), 1)


def drawn(n: int, seed: int = 3) -> pd.DataFrame:
    """Draw histories of 40 to 80 weeks with the parameters of TRUTH; values are drawn around 20."""
    rng = np.random.default_rng(seed)
    r, alpha, s, beta = TRUTH
    T, rates = rng.uniform(40, 80, n), rng.gamma(r, 1 / alpha, n)  # noqa: N806
    ends = np.minimum(rng.exponential(1 / rng.gamma(s, 1 / beta, n)), T)
    times = np.cumsum(rng.exponential(1 / rates[:, None], (n, 250)), axis=1)
    bought = times <= ends[:, None]
    values = 20 * rng.gamma(6, 1 / 6, n)
    return pd.DataFrame(
        {"x": bought.sum(axis=1), "t_x": np.where(bought, times, 0.0).max(axis=1), "T": T, "value": values}
    )


def log_likelihood_by_hypergeometric(model: ParetoModel, x: int, t_x: float, T: float) -> float:  # noqa: N803
    """Log likelihood in the form of Fader & Hardie 2005, with its two cases."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    larger, gap, second = max(alpha, beta), abs(alpha - beta), s + 1 if alpha >= beta else r + x

    def part(t: float) -> float:
        series = hyp2f1(r + s + x, second, r + s + x + 1, gap / (larger + t))
        return float(series / (larger + t) ** (r + s + x))

    both = 1 / ((alpha + T) ** (r + x) * (beta + T) ** s) + s / (r + s + x) * (part(t_x) - part(T))
    return float(gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(both))


@pytest.mark.slow
def test_published_parameters_of_the_cdnow_sample(dataset: Callable[[str], Path]) -> None:
    names = ["master", "customer", "date", "cds", "dollars"]
    table = pd.read_csv(dataset("CDNOW_sample.txt"), sep=r"\s+", names=names, dtype={"customer": str})
    table = table.assign(date=pd.to_datetime(table["date"].astype(str)))
    first = purchase_histories(table, Columns("customer", "date", "dollars"), as_of=date(1997, 9, 30))
    model = fit_purchases(first["x"], first["t_x"], first["T"], PARETO_NBD)
    assert isinstance(model, ParetoModel)
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx(PUBLISHED, abs=6e-4)
    assert model.log_likelihood == pytest.approx(-9595.0, abs=0.05)
    assert log_likelihoods(model, first["x"], first["t_x"], first["T"]).sum() == pytest.approx(model.log_likelihood)
    assert model.n_customers == 2357


@pytest.mark.parametrize("parameters", [PUBLISHED, (0.553, 11.669, 0.606, 10.578), (2.0, 0.5, 0.1, 40.0), (1, 5, 2, 5)])
@pytest.mark.parametrize(("x", "t_x", "T"), [(0, 0.0, 39.0), (1, 3.0, 30.0), (12, 20.0, 39.0), (3, 39.0, 39.0)])
def test_the_likelihood_is_that_of_the_closed_form(parameters: tuple, x: int, t_x: float, T: float) -> None:  # noqa: N803
    model = model_of(*parameters)
    expected = log_likelihood_by_hypergeometric(model, x, t_x, T)
    assert log_likelihoods(model, [x], [t_x], [T])[0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("parameters", [(0.01, 1e-3, 4.0, 1e-3), (40.0, 60.0, 0.3, 0.01), (5.0, 120.0, 0.02, 1.0)])
@pytest.mark.parametrize(("x", "t_x"), [(0, 0.0), (5, 1e-4), (2000, 0.01), (2000, 0.999)])
def test_the_integral_has_ten_digits_at_the_ends(parameters: tuple, x: int, t_x: float) -> None:
    r, alpha, s, beta = parameters
    near = min(alpha, beta) + t_x
    length = np.log1p((1 - t_x) / near)

    def relative(place: float) -> float:
        after = near * np.expm1(place)
        return np.exp(place - (r + x) * np.log1p(after / (alpha + t_x)) - (s + 1) * np.log1p(after / (beta + t_x)))

    knots = np.concatenate([[0.0], length * np.logspace(-6, 0, 13)])
    whole = sum(quad(relative, *ends, epsabs=0, epsrel=1e-12)[0] for ends in pairwise(knots))
    expected = np.log(s * near * whole) - (r + x) * np.log(alpha + t_x) - (s + 1) * np.log(beta + t_x)
    found = pareto._integrate(np.array([r + x]), alpha, s, beta, np.array([t_x]), np.array([1.0]))[0][0]
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("s", [0.4, 1.0, 1 + 1e-9, 2.5])
def test_expected_purchases_equal_their_integral(s: float) -> None:
    model = model_of(0.553, 10.578, s, 11.669)
    for t in (0.5, 39.0, 500.0):

        def bought(leave: float, t: float = t) -> float:
            return -np.expm1(-leave * t) / leave * gamma.pdf(leave, s, scale=1 / 11.669)

        halves = quad(bought, 0, 0.1, limit=400)[0] + quad(bought, 0.1, np.inf, limit=400)[0]
        assert expected_purchases(model, t) == pytest.approx(0.553 / 10.578 * halves, rel=1e-4)


def test_expectations_of_histories_are_those_of_what_was_drawn() -> None:
    model, rng = model_of(*TRUTH), np.random.default_rng(5)
    half = rng.uniform(20, 40, 40_000)
    rates, leaves = rng.gamma(0.8, 1 / 6, 40_000), rng.exponential(1 / rng.gamma(0.7, 1 / 9, 40_000))
    times = np.cumsum(rng.exponential(1 / rates[:, None], (40_000, 250)), axis=1)
    until = np.minimum(leaves, half)[:, None]
    x, t_x = (times <= until).sum(axis=1), np.where(times <= until, times, 0.0).max(axis=1)
    came = ((times > half[:, None]) & (times <= np.minimum(leaves, half + 20)[:, None])).sum(axis=1)
    expected = conditional_expectation(model, 20.0, x, t_x, half)
    alive = probability_alive(model, x, t_x, half)
    for group in (x == 0, (x > 0) & (x < 5), x >= 5):
        error = came[group].std() / np.sqrt(group.sum())
        assert abs(came[group].mean() - expected[group].mean()) < 4 * error
        assert (leaves > half)[group].mean() == pytest.approx(alive[group].mean(), abs=2 / np.sqrt(group.sum()))


def test_parameters_are_found_again_in_drawn_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = drawn(4000)
    columns = tuple(histories[name].to_numpy(float) for name in ("x", "t_x", "T"))
    model = fit_pareto(*columns)
    errors = np.sqrt(np.diag(model.covariance))
    assert (np.abs(np.log([model.r, model.alpha, model.s, model.beta]) - np.log(TRUTH)) < 3 * errors).all()
    assert (errors < 0.5).all()
    # With many customers the starts are compared on a part of them, and the end is the same.
    monkeypatch.setattr(pareto, "MANY", 500)
    part = fit_pareto(*columns)
    assert part.log_likelihood == pytest.approx(model.log_likelihood, abs=1e-6)
    assert (part.r, part.alpha, part.s, part.beta) == pytest.approx((model.r, model.alpha, model.s, model.beta), 1e-3)


def test_extreme_histories_stay_finite() -> None:
    x, t_x, T = np.array([0, 1, 2000, 2000]), np.array([0, 1e-3, 519, 10]), np.array([0, 1000, 520, 520])  # noqa: N806
    model = model_of(*PUBLISHED)
    alive = probability_alive(model, x, t_x, T)
    assert alive[0] == 1 and alive[1] < 0.5 and alive[2] > 0.95 and alive[3] < 1e-6
    expected = conditional_expectation(model, np.array([0.0, 52.0]), x, t_x, T)
    assert np.isfinite(expected).all() and (expected[0] == 0).all() and (expected[1] >= 0).all()
    assert expected[1, 2] == pytest.approx(200, rel=0.2)


@pytest.mark.parametrize("model", PURCHASE_MODELS)
def test_buyers_of_one_rhythm_make_every_fit_fail(model: str) -> None:
    x = 12 + np.arange(500) % 2
    with pytest.raises(InputError, match=rf"{model} could not be fitted \(r.* at the bound of the search"):
        fit_purchases(x, x * 4.5, np.full(500, 60.0), model)


def test_where_every_model_fails_the_first_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(x: object, t_x: object, T: object, model: str) -> None:  # noqa: N803
        raise InputError(f"Lifetime value: {model} could not be fitted.")

    monkeypatch.setattr(lifetime_value, "fit_purchases", fails)
    histories = drawn(400)
    with pytest.raises(InputError, match="BG/NBD could not be fitted"):
        back_test(histories, histories, 26.0)


def test_lifetime_value_with_it_has_an_interval_and_a_chance_for_customers_who_bought_once() -> None:
    histories = drawn(1500)
    worth = customer_lifetime_value(histories, model=PARETO_NBD)
    frame = worth.frame
    assert worth.purchases.name == PARETO_NBD and worth.jacobian.shape == (1500, 7)
    assert frame["alive"].between(0, 1).all()
    assert (frame["clv_low"] < frame["clv"]).all() and (frame["clv"] < frame["clv_high"]).all()
    plain = customer_lifetime_value(histories, model=PARETO_NBD, discount_rate=0).frame
    np.testing.assert_allclose(plain["clv"], plain["purchases"] * plain["purchase_value"])


@pytest.mark.slow
def test_the_audit_finds_the_same_by_hypergeometric_functions() -> None:
    histories = drawn(800)
    own, found = fit_lifetime(histories, 52.0, 0.1, PARETO_NBD), customer_lifetime_value(histories, model=PARETO_NBD)
    np.testing.assert_allclose(own.value, found.frame["clv"], rtol=1e-4)
    np.testing.assert_allclose(own.alive, found.frame["alive"], atol=1e-4)
