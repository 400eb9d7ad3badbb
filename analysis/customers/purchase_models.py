"""Models of purchases (BG/NBD, MBG/NBD, Pareto/NBD) and of their value (Gamma-Gamma), fitted by maximum likelihood.

The words are those of the papers and not those of recency, frequency and spend: ``x`` counts *repeat*
purchases, ``t_x`` is the customer's age at the last of them and ``T`` the age at the end of the
observation, both in weeks since the first purchase.

References: Fader, Hardie & Lee 2005, doi 10.1287/mksc.1040.0098; Batislam, Denizel & Filiztekin 2007, doi
10.1016/j.ijresmar.2006.12.005; Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value. Pareto/NBD has a module of
its own, `analysis.customers.purchases.pareto`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, gammaln, hyp2f1

from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.customers.purchases.fitting import Floats, check_fit, check_histories, maximise
from analysis.customers.purchases.pareto import ParetoModel, fit_pareto

BG_NBD, MBG_NBD, PARETO_NBD = "BG/NBD", "MBG/NBD", ParetoModel.name
PURCHASE_MODELS = (BG_NBD, MBG_NBD, PARETO_NBD)

MANY, FIRST = 30_000, 8_000
"""Customers above which a search has one start: what about so many of them, taken at even distances, lead to. Chosen
for this project."""


@dataclass(frozen=True, slots=True)
class BetaGeometricModel:
    """Purchases at a gamma-distributed rate until a customer leaves, with beta-distributed chance.

    BG/NBD lets customers leave after a repeat purchase, MBG/NBD after the first one, too. The formulas are the same
    but for the number of purchases after which a customer could leave, one more with MBG/NBD.

    Attributes
    ----------
    r, alpha : float
        Shape and rate (in weeks) of the purchase rates.
    a, b : float
        Of the chance to leave after a purchase.
    log_likelihood : float
    covariance : ndarray, shape (4, 4)
        Of the logarithms of the four.
    n_customers : int
    early : bool
        Whether customers can leave after the first purchase (MBG/NBD).
    """

    symbols: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    covariance: Floats
    n_customers: int
    early: bool = False

    @property
    def name(self) -> str:
        """Return the name of the model in the literature."""
        return MBG_NBD if self.early else BG_NBD

    def log_likelihoods(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the log likelihood of each history, shape (n,), a density in weeks."""
        return _log_likelihoods(np.array([self.r, self.alpha, self.a, self.b]), x, t_x, T, self.early)[0]

    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the probability of not having left, shape (n,); 1 where leaving is not possible yet."""
        y = x + self.early
        odds = np.log(self.a) - np.log(self.b + np.maximum(y, 1) - 1)
        odds = odds + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        return np.where(y > 0, expit(-odds), 1.0)

    def expected(self, t: ArrayLike) -> Floats:
        """Compute the purchases that a new customer is expected to make within ``t`` weeks."""
        a = self._off_one()
        t, c = np.asarray(t, dtype=float), a + self.b + self.early - 1
        # Pfaff's transformation of the paper's formula: no product of a vanishing and an exploding factor.
        series = hyp2f1(self.r, a - 1, c, -t / self.alpha)
        stays = self.b / (a + self.b) if self.early else 1.0
        return stays * c / (a - 1) * (1 - series)

    def conditional(self, t: ArrayLike, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the purchases expected within ``t`` weeks after ``T``, shape (n,) or that of ``t`` and n."""
        a = self._off_one()
        c = a + self.b + x + self.early - 1
        series = hyp2f1(self.r + x, a - 1, c, -np.asarray(t, dtype=float)[..., None] / (self.alpha + T))
        return c / (a - 1) * (1 - series) * self.alive(x, t_x, T)

    def _off_one(self) -> float:
        """Move ``a`` off the two places where the formula is 0 / 0; the expectation is smooth there."""
        a, b = self.a, self.b + self.early
        return a + 1e-6 if min(abs(a - 1), abs(a + b - 1)) < 1e-6 else a


PurchaseModel = BetaGeometricModel | ParetoModel


@dataclass(frozen=True, slots=True)
class SpendModel:
    """Gamma-Gamma: purchases of a customer vary around a mean of one's own, and the means vary too.

    Attributes
    ----------
    p, q, gamma : float
        ``gamma`` in units of money.
    log_likelihood : float
    covariance : ndarray, shape (3, 3)
        Of the logarithms of the three.
    n_customers : int
        With at least one repeat purchase.
    """

    symbols: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    p: float
    q: float
    gamma: float
    log_likelihood: float
    covariance: Floats
    n_customers: int


def fit_purchases(
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,  # noqa: N803
    model: str = BG_NBD,
) -> PurchaseModel:
    """Fit a purchase model by maximum likelihood.

    Parameters
    ----------
    x : array of int, shape (n,)
        Repeat purchases.
    t_x, T : array of float, shape (n,)
        Age in weeks at the last purchase and at the end of the observation; ``0 <= t_x <= T``.
    model : str
        One of :data:`PURCHASE_MODELS`.

    Returns
    -------
    PurchaseModel

    Raises
    ------
    InputError
        No repeat purchases, histories that contradict themselves, or a fit that found no maximum.
    """
    x, t_x, T = check_histories(x, t_x, T)  # noqa: N806
    if not x.any():
        raise InputError(
            "Lifetime value: no customer bought a second time.",
            "Expected repeat purchases to fit the model.",
            "Use a longer period, or leave out lifetime value.",
        )
    return fit_pareto(x, t_x, T) if model == PARETO_NBD else _fit_beta_geometric(x, t_x, T, model == MBG_NBD)


def _fit_beta_geometric(x: Floats, t_x: Floats, T: Floats, early: bool) -> BetaGeometricModel:  # noqa: N803
    weeks = float(T.mean())

    def maximise_on(some: slice, starts: Floats) -> tuple[Floats, float, Floats]:
        def likelihood(parameters: Floats) -> tuple[float, Floats]:
            value, slopes = _log_likelihoods(parameters, x[some], t_x[some] / weeks, T[some] / weeks, early)
            return float(value.sum()), slopes.sum(axis=1)

        return maximise(likelihood, starts)

    starts = np.array(((1.0, 1.0, 1.0, 1.0), (0.3, 0.2, 0.8, 2.5), (0.5, 0.5, 0.1, 2.0), (3.0, 2.0, 0.5, 5.0)))
    if len(x) > MANY:
        starts = maximise_on(slice(None, None, len(x) // FIRST), starts)[0][None]
    best, value, covariance = maximise_on(slice(None), starts)
    check_fit(MBG_NBD if early else BG_NBD, BetaGeometricModel.symbols, best, value)
    # In weeks again: each purchase is a density in time.
    value -= float(x.sum() * np.log(weeks))
    r, alpha, a, b = (float(v) for v in best)
    return BetaGeometricModel(r, alpha * weeks, a, b, value, covariance, len(x), early)


def log_likelihoods(model: PurchaseModel, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:  # noqa: N803
    """Compute the log likelihood of each customer's history, a density in weeks.

    Parameters
    ----------
    model : PurchaseModel
    x, t_x, T : array, shape (n,)
        As for `fit_purchases`.

    Returns
    -------
    ndarray, shape (n,)
    """
    return model.log_likelihoods(*check_histories(x, t_x, T))


def _log_likelihoods(
    parameters: Floats,
    x: Floats,
    t_x: Floats,
    T: Floats,  # noqa: N803
    early: bool,
) -> tuple[Floats, Floats]:
    """Log likelihood of each history, and its slopes along r, alpha, a and b, shape (4, n)."""
    r, alpha, a, b = parameters
    # Purchases after which the customer could leave; without any, the second term is absent.
    y = x + early
    leaves, before = y > 0, b + np.maximum(y, 1) - 1
    log_end, log_last = np.log(alpha + T), np.log(alpha + t_x)
    stays = -(r + x) * log_end
    left = np.where(leaves, np.log(a) - np.log(before) - (r + x) * log_last, -np.inf)
    value = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        + gammaln(a + b) + gammaln(b + y) - gammaln(b) - gammaln(a + b + y)
        + np.logaddexp(stays, left)
    )  # fmt: skip
    gone = np.where(leaves, expit(left - stays), 0.0)
    here = 1 - gone
    by_both = digamma(a + b) - digamma(a + b + y)
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha) - here * log_end - gone * log_last,
        r / alpha - (r + x) * (here * np.exp(-log_end) + gone * np.exp(-log_last)),
        by_both + gone / a,
        by_both + digamma(b + y) - digamma(b) - gone / before,
    )
    return value, np.array(slopes)


def expected_purchases(model: PurchaseModel, t: ArrayLike) -> Floats:
    """Compute the repeat purchases that a new customer is expected to make within ``t`` weeks.

    Parameters
    ----------
    model : PurchaseModel
    t : array of float
        Weeks since the first purchase.

    Returns
    -------
    ndarray
    """
    return model.expected(t)


def probability_alive(model: PurchaseModel, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:  # noqa: N803
    """Compute the probability that a customer with this history is still active.

    Missing without a repeat purchase where the model lets customers leave after a repeat purchase only: it would give
    1 by construction, whatever the history.

    Parameters
    ----------
    model : PurchaseModel
    x, t_x, T : array, shape (n,)
        As for `fit_purchases`.

    Returns
    -------
    ndarray, shape (n,)
        NaN where ``x`` is 0 and the model is BG/NBD.
    """
    x, t_x, T = check_histories(x, t_x, T)  # noqa: N806
    return np.where(x + model.early > 0, model.alive(x, t_x, T), np.nan)


def conditional_expectation(
    model: PurchaseModel,
    t: ArrayLike,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,  # noqa: N803
) -> Floats:
    """Compute the expected purchases of customers with these histories in the next ``t`` weeks.

    Parameters
    ----------
    model : PurchaseModel
    t : float, or array of float, shape (m,)
        Weeks after the end of the observation.
    x, t_x, T : array, shape (n,)
        As for `fit_purchases`.

    Returns
    -------
    ndarray, shape (n,) or (m, n)
    """
    return model.conditional(t, *check_histories(x, t_x, T))


def fit_gamma_gamma(x: ArrayLike, value: ArrayLike) -> SpendModel:
    """Fit the spend model by maximum likelihood.

    Parameters
    ----------
    x : array of int, shape (n,)
        Repeat purchases; customers without any are left out.
    value : array of float, shape (n,)
        Their mean value; customers without a positive one are left out.

    Returns
    -------
    SpendModel

    Raises
    ------
    InputError
        Fewer than ten customers remain.
    """
    x, value = np.asarray(x, dtype=float), np.asarray(value, dtype=float)
    usable = (x > 0) & (value > 0) & np.isfinite(value)
    if usable.sum() < 10:
        raise InputError(
            f"Lifetime value: {usable.sum()} customers have repeat purchases with a positive value.",
            "Expected at least ten.",
            "Use a longer period, or leave out lifetime value.",
        )
    x, money = x[usable], float(value[usable].mean())
    mean = value[usable] / money

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = parameters
        px, sums = p * x, gamma + mean * x
        terms = (
            gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma)
            + (px - 1) * np.log(mean) + px * np.log(x) - (px + q) * np.log(sums)
        )  # fmt: skip
        slopes = (
            x * (digamma(px + q) - digamma(px) + np.log(mean * x) - np.log(sums)),
            digamma(px + q) - digamma(q) + np.log(gamma) - np.log(sums),
            q / gamma - (px + q) / sums,
        )
        return float(terms.sum()), np.array([slope.sum() for slope in slopes])

    starts = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (2.0, 10.0, 5.0))
    best, total, covariance = maximise(likelihood, np.array(starts))
    check_fit("Gamma-Gamma", SpendModel.symbols, best, total)
    p, q, gamma = (float(v) for v in best)
    return SpendModel(p, q, gamma * money, total - len(x) * float(np.log(money)), covariance, len(x))


def expected_purchase_value(model: SpendModel, x: ArrayLike, value: ArrayLike) -> Floats:
    """Compute the expected value of future purchases, shrunk towards the overall mean.

    Parameters
    ----------
    model : SpendModel
    x, value : array, shape (n,)
        As for `fit_gamma_gamma`; ``value`` is not read where ``x`` is 0.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        The spread of customers is so wide that there is no mean (q at most 1, for customers without a
        repeat purchase).
    """
    x, value = np.asarray(x, dtype=float), np.asarray(value, dtype=float)
    weight = model.p * x + model.q - 1
    if (weight <= 0).any():
        raise InputError(
            f"Lifetime value: spend varies too widely for a mean value (q = {number(model.q, 2)}).",
            "Expected q above 1.",
            "Check the amounts for errors by a factor of 10 or more, or leave out lifetime value.",
        )
    return model.p * (model.gamma + np.where(x > 0, value, 0.0) * x) / weight
