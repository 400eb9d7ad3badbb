"""Customer lifetime value: expected purchases times expected value (Gamma-Gamma), discounted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.base.workers import run_all
from analysis.customers.purchase_models import (
    BG_NBD,
    MANY,
    PURCHASE_MODELS,
    PurchaseModel,
    SpendModel,
    conditional_expectation,
    expected_purchase_value,
    fit_gamma_gamma,
    fit_purchases,
    log_likelihoods,
    probability_alive,
)
from analysis.customers.purchases.fitting import Floats

WEEKS_A_YEAR = 365.25 / 7
SHORTEST_TEST = 13.0
"""Fewest weeks of history to fit the models on, and to try them on. Chosen for this project."""
WORST_RATIO = 2.0
"""Spend that came over the spend expected, or the other way round, above which nothing is forecast. Chosen for this
project."""
MOST_FITTED = 50_000
"""Most customers whose histories the models are fitted to; of more, a seeded sample. Chosen for this project."""
STEP_WEEKS = 4.0
SLOPE_STEP = 1e-4


Model = TypeVar("Model", bound=PurchaseModel | SpendModel)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BackTest:
    """The models tried on the past: fitted on its first half, they expect the spend of the second.

    Attributes
    ----------
    weeks : float
        Length of the second half.
    frame : DataFrame, shape (n, 2)
        ``expected`` and ``came``, not discounted, of each customer of the first half; NaN for others.
    model : str
        The model of purchases that made those of the second half most likely.
    held_out : tuple of (str, float)
        Log likelihood of the purchases of the second half, of each model that could be fitted.
    """

    weeks: float
    frame: pd.DataFrame
    model: str = BG_NBD
    held_out: tuple[tuple[str, float], ...] = ()

    @property
    def ratio(self) -> float:
        """What came over what was expected, of all customers together."""
        return float(self.frame["came"].sum() / self.frame["expected"].sum())

    def deviation(self, members: NDArray[np.bool_], weeks: float) -> float:
        """Standard deviation of the spend of some customers within ``weeks``, by how far each was from expected."""
        apart = (self.frame["came"] - self.ratio * self.frame["expected"]).to_numpy()[members]
        n_known = int(np.isfinite(apart).sum())
        mean_square = float(np.nansum(apart**2)) / max(n_known, 1)
        return float(np.sqrt(mean_square * members.sum() * weeks / self.weeks))


@dataclass(frozen=True, slots=True)
class LifetimeValue:
    """Expected discounted value of each customer.

    Attributes
    ----------
    frame : DataFrame, shape (n, 6)
        ``alive`` (probability; with BG/NBD, NaN for customers who bought once), ``purchases`` (expected within the
        horizon), ``purchase_value`` (expected money of one), ``clv`` with
        ``clv_low`` and ``clv_high``; indexed like the histories.
    purchases : PurchaseModel
    spend : SpendModel
    horizon_weeks, discount_rate, margin, level : float
    jacobian : ndarray, shape (n, 7)
        Slopes of ``clv`` along the logarithms of the four parameters of purchases and of p, q, gamma.
    tried : BackTest, optional
        Of the same n customers; None where the history is too short.
    """

    frame: pd.DataFrame
    purchases: PurchaseModel
    spend: SpendModel
    horizon_weeks: float
    discount_rate: float
    margin: float
    level: float
    jacobian: Floats
    tried: BackTest | None = None

    def total(self, members: ArrayLike | None = None) -> Estimate:
        """Add up the value of some customers, or of all.

        Parameters
        ----------
        members : array of bool, shape (n,), optional

        Returns
        -------
        Estimate
            The interval is that of the expected total, as in `customer_lifetime_value`. Where the models were tried on
            the past, it is that of the spend to come: it reaches as far as they were off, and holds the chance of
            what each customer does.
        """
        chosen = np.ones(len(self.frame), bool) if members is None else np.asarray(members, bool)
        value = float(self.frame["clv"].to_numpy()[chosen].sum())
        slopes = self.jacobian[chosen].sum(axis=0)[None]
        low, high = _interval(np.array([value]), slopes, self.purchases, self.spend, self.level)
        if self.tried is None:
            return Estimate(value, float(low[0]), float(high[0]))
        ratio, reach = self.tried.ratio, float(ndtri((1 + self.level) / 2))
        reach *= self.margin * self.tried.deviation(chosen, self.horizon_weeks)
        below, above = value - float(low[0]) * min(ratio, 1.0), float(high[0]) * max(ratio, 1.0) - value
        return Estimate(value, max(value - float(np.hypot(below, reach)), 0.0), value + float(np.hypot(above, reach)))

    def of(self, keys: Iterable[str]) -> LifetimeValue:
        """Select these customers in this order; customers without a purchase have an expected value of 0.

        Parameters
        ----------
        keys : iterable of str, length m
            Of the index of ``frame``, or unknown there.
        """
        wanted = pd.Index(list(keys))
        at = self.frame.index.get_indexer(wanted)
        none = dict.fromkeys(("purchases", "clv", "clv_low", "clv_high"), 0.0)
        jacobian = np.where((at >= 0)[:, None], self.jacobian[at], 0.0)
        tried = replace(self.tried, frame=self.tried.frame.reindex(wanted)) if self.tried else None
        return replace(self, frame=self.frame.reindex(wanted).fillna(none), jacobian=jacobian, tried=tried)


def estimate_value(histories: pd.DataFrame, earlier: pd.DataFrame | None, weeks: float) -> LifetimeValue:
    """Fit the models by whose purchases the past is forecast best, and value all customers by them.

    Parameters
    ----------
    histories : DataFrame, shape (n, 4)
        As in `customer_lifetime_value`.
    earlier : DataFrame, shape (m, 4), optional
        The same up to ``weeks`` before; None where the history is too short to try the models on.
    weeks : float

    Raises
    ------
    InputError
        As `back_test` and `customer_lifetime_value`.
    """
    tried = None if earlier is None else back_test(earlier, histories, weeks)
    return replace(customer_lifetime_value(histories, model=tried.model if tried else BG_NBD), tried=tried)


def customer_lifetime_value(
    histories: pd.DataFrame,
    *,
    horizon_weeks: float = 52.0,
    discount_rate: float = 0.1,
    margin: float = 1.0,
    level: float = 0.95,
    model: str = BG_NBD,
) -> LifetimeValue:
    """Fit both models and add up what each customer is expected to spend, discounted.

    The interval is that of the *expected* value, by the delta method: the covariance of the seven parameters (inverse
    Hessian, on the log scale) along the slopes of the logarithm of the value. What one customer will do varies more.

    Parameters
    ----------
    histories : DataFrame, shape (n, 4)
        ``x``, ``t_x``, ``T`` and ``value`` as from `analysis.customers.transactions.purchase_histories`.
    horizon_weeks : float
    discount_rate : float
        A year; purchases are discounted in the middle of steps of at most four weeks.
    margin : float
        Share of the spend that counts as value.
    level : float
        Of the intervals.
    model : str
        Of purchases, one of `PURCHASE_MODELS`.

    Raises
    ------
    InputError
        As `fit_purchases`, `fit_gamma_gamma` and `expected_purchase_value`.
    """
    _check_choices(horizon_weeks, discount_rate, level)
    x, t_x, T, value = (histories[name].to_numpy(float) for name in ("x", "t_x", "T", "value"))  # noqa: N806
    value = np.where(value > 0, value, 0.0)
    some = _sample(len(x))
    buying, spending = fit_purchases(x[some], t_x[some], T[some], model), fit_gamma_gamma(x[some], value[some])
    # Customers of one history share one value, so each history is computed once.
    distinct, place = np.unique(np.column_stack([x, t_x, T]), axis=0, return_inverse=True)
    discounted = partial(_discount, histories=distinct, horizon_weeks=horizon_weeks, discount_rate=discount_rate)

    def worth(bought: Floats, model: SpendModel) -> Floats:
        return margin * bought[place] * expected_purchase_value(model, x, value)

    clv = worth(discounted(buying), spending)
    jacobian = _differentiate(discounted, worth, buying, spending)
    low, high = _interval(clv, jacobian, buying, spending, level)
    frame = pd.DataFrame(
        {
            "alive": probability_alive(buying, x, t_x, T),
            "purchases": conditional_expectation(buying, horizon_weeks, *distinct.T)[place],
            "purchase_value": expected_purchase_value(spending, x, value),
            "clv": clv,
            "clv_low": low,
            "clv_high": high,
        },
        index=histories.index,
    )
    return LifetimeValue(frame, buying, spending, horizon_weeks, discount_rate, margin, level, jacobian)


def back_test(earlier: pd.DataFrame, later: pd.DataFrame, weeks: float) -> BackTest:
    """Fit the models on the histories up to some day, and compare what they expect of the weeks after it.

    Of the models of purchases, the one is taken that makes the purchases after the day most likely: the difference of
    the log likelihoods of the whole history and of its first part. A model that cannot be fitted is left out.

    Parameters
    ----------
    earlier, later : DataFrame
        As in `customer_lifetime_value`, up to that day and up to ``weeks`` after it.
    weeks : float

    Raises
    ------
    InputError
        As `customer_lifetime_value`, and where what came lies further than :data:`WORST_RATIO` from what was expected.
    """
    x, t_x, T, value = (earlier[name].to_numpy(float) for name in ("x", "t_x", "T", "value"))  # noqa: N806
    value = np.where(value > 0, value, 0.0)
    whole = later.reindex(earlier.index)[["x", "t_x", "T"]].to_numpy(float).T
    some = _sample(len(x))
    fitted = _fit_each(x[some], t_x[some], T[some])
    held_out = [float((log_likelihoods(m, *whole) - log_likelihoods(m, x, t_x, T)).sum()) for m in fitted]
    buying = fitted[int(np.argmax(np.nan_to_num(held_out, nan=-np.inf)))]
    spending = fit_gamma_gamma(x[some], value[some])
    expected = conditional_expectation(buying, weeks, x, t_x, T) * expected_purchase_value(spending, x, value)
    # The first purchase of a customer lies before the day, so spend after it is repeat spend.
    repeat = (later["x"] * later["value"].fillna(0.0)).reindex(earlier.index).to_numpy() - x * value
    frame = pd.DataFrame({"expected": expected, "came": np.maximum(repeat, 0.0)}, index=earlier.index)
    names = (model.name for model in fitted)
    found = BackTest(weeks, frame.reindex(later.index), buying.name, tuple(zip(names, held_out, strict=True)))
    if not 1 / WORST_RATIO <= found.ratio <= WORST_RATIO:
        raise InputError(
            f"Lifetime value: fitted on the first half of the time, the models were wrong about the second "
            f"({number(found.ratio, 2)} times the spend that they expected).",
            f"Expected a factor of at most {number(WORST_RATIO, 1)}.",
            "Use a period with steadier sales, or leave out lifetime value.",
        )
    return found


def _sample(n: int) -> NDArray[np.intp] | slice:
    """Choose the customers that the models are fitted to, in their order: all of few, some of many."""
    if n <= MOST_FITTED:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n, MOST_FITTED, replace=False))


def _fit_each(x: Floats, t_x: Floats, T: Floats) -> list[PurchaseModel]:  # noqa: N803
    """Fit every model of purchases, without those that fail; where all fail, the first says why."""
    jobs = (delayed(_try_to_fit)(x, t_x, T, model) for model in PURCHASE_MODELS)
    found = run_all(jobs) if len(x) > MANY else [_try_to_fit(x, t_x, T, model) for model in PURCHASE_MODELS]
    fitted = [model for model in found if not isinstance(model, InputError)]
    if not fitted:
        raise next(failure for failure in found if isinstance(failure, InputError))
    return fitted


def _try_to_fit(x: Floats, t_x: Floats, T: Floats, model: str) -> PurchaseModel | InputError:  # noqa: N803
    try:
        return fit_purchases(x, t_x, T, model)
    except InputError as failure:
        return failure


def _check_choices(horizon_weeks: float, discount_rate: float, level: float) -> None:
    if horizon_weeks <= 0 or discount_rate < 0 or not 0 < level < 1:
        raise InputError(
            f"Lifetime value: horizon {horizon_weeks}, discount rate {discount_rate}, level {level}.",
            "Expected a horizon above 0 weeks, a rate of at least 0 and a level between 0 and 1.",
        )


def _discount(model: PurchaseModel, histories: Floats, horizon_weeks: float, discount_rate: float) -> Floats:
    """Expected purchases within the horizon, each discounted to today; ``histories`` has a row x, t_x, T each."""
    ends = np.linspace(0, horizon_weeks, max(int(np.ceil(horizon_weeks / STEP_WEEKS)), 1) + 1)
    factors = (1 + discount_rate) ** (-(ends[1:] + ends[:-1]) / 2 / WEEKS_A_YEAR)
    until = np.ascontiguousarray(conditional_expectation(model, ends, *histories.T).T)
    return np.diff(until, axis=1) @ factors


def _differentiate(
    discounted: Callable[[PurchaseModel], Floats],
    worth: Callable[[Floats, SpendModel], Floats],
    buying: PurchaseModel,
    spending: SpendModel,
) -> Floats:
    """Slopes of the value along the logarithms of the seven parameters, by central differences."""
    bought = discounted(buying)
    slopes = []
    for name in buying.symbols:
        up, down = (worth(discounted(_moved(buying, name, step)), spending) for step in (SLOPE_STEP, -SLOPE_STEP))
        slopes.append((up - down) / (2 * SLOPE_STEP))
    for name in spending.symbols:
        up, down = (worth(bought, _moved(spending, name, step)) for step in (SLOPE_STEP, -SLOPE_STEP))
        slopes.append((up - down) / (2 * SLOPE_STEP))
    return np.column_stack(slopes)


def _interval(
    value: Floats, jacobian: Floats, buying: PurchaseModel, spending: SpendModel, level: float
) -> tuple[Floats, Floats]:
    slopes = jacobian / np.maximum(value, np.finfo(float).tiny)[:, None]
    variance = np.einsum("ni,ij,nj->n", slopes[:, :4], buying.covariance, slopes[:, :4])
    variance = variance + np.einsum("ni,ij,nj->n", slopes[:, 4:], spending.covariance, slopes[:, 4:])
    reach = ndtri((1 + level) / 2) * np.sqrt(np.maximum(variance, 0))
    return value * np.exp(-reach), value * np.exp(reach)


def _moved(model: Model, name: str, step: float) -> Model:
    return replace(model, **{name: getattr(model, name) * float(np.exp(step))})
