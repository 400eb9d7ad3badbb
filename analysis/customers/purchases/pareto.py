"""Pareto/NBD: purchases at a gamma-distributed rate until a customer leaves, at a gamma-distributed rate of leaving.

The likelihood of a history is that of both ways to make it: the customer is still active at ``T``, or left at some time
between the last purchase and ``T``. The second is the integral of
``s (alpha + u)^-(r + x) (beta + u)^-(s + 1)`` over that time. Fader & Hardie 2005 write it as the difference of two
Gaussian hypergeometric functions, with one form for ``alpha >= beta`` and another for ``alpha < beta``. The difference
loses all digits where a customer has just bought, and the functions overflow for frequent buyers. Here the integral is
computed by Gauss-Legendre quadrature, which serves both cases and gives the slopes, too. Tests compare the two.

References: Schmittlein, Morrison & Colombo 1987, doi 10.1287/mnsc.33.1.1; Fader & Hardie 2005, A Note on Deriving the
Pareto/NBD Model and Related Expressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, exprel, gammaln

from analysis.customers.purchases.fitting import Floats, check_fit, maximise

NODES = 32
REACH = 32.0
"""Powers of e by which the integrand has fallen where the integral ends. With as many nodes the integral has ten digits
or more; see the tests."""
BLOCK = 16_384
MANY = 20_000
"""Distinct histories above which the starts are compared on every m-th of them. Chosen for this project."""
STARTS = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.3, 0.6, 0.4), (3.0, 2.0, 0.3, 2.0), (0.3, 0.2, 3.0, 10.0))


@dataclass(frozen=True, slots=True)
class ParetoModel:
    """Purchases at a gamma-distributed rate until a customer leaves, at a gamma-distributed rate of leaving.

    Attributes
    ----------
    r, alpha : float
        Shape and rate (in weeks) of the purchase rates.
    s, beta : float
        Shape and rate (in weeks) of the rates of leaving.
    log_likelihood : float
    covariance : ndarray, shape (4, 4)
        Of the logarithms of the four.
    n_customers : int
    """

    symbols: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    name: ClassVar[str] = "Pareto/NBD"
    early: ClassVar[bool] = True

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float
    covariance: Floats
    n_customers: int

    def log_likelihoods(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the log likelihood of each history, shape (n,), a density in weeks."""
        return _log_likelihoods(self._parameters, x, t_x, T)[0]

    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the probability of being active at ``T``, shape (n,)."""
        stays, left, _ = _both_ways(self._parameters, x, t_x, T)
        return expit(stays - left)

    def expected(self, t: ArrayLike) -> Floats:
        """Compute the purchases that a new customer is expected to make within ``t`` weeks."""
        return self.r / self.alpha * self._active_weeks(np.asarray(t, dtype=float), 0.0)

    def conditional(self, t: ArrayLike, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
        """Compute the purchases expected within ``t`` weeks after ``T``, shape (n,) or that of ``t`` and n."""
        weeks = self._active_weeks(np.asarray(t, dtype=float)[..., None], T)
        return self.alive(x, t_x, T) * (self.r + x) / (self.alpha + T) * weeks

    @property
    def _parameters(self) -> Floats:
        return np.array([self.r, self.alpha, self.s, self.beta])

    def _active_weeks(self, t: Floats, age: Floats | float) -> Floats:
        """Weeks that a customer active at ``age`` is expected to stay so within the next ``t``."""
        logs = np.log1p(t / (self.beta + age))
        # (1 - exp(-(s - 1) logs)) / (s - 1), which is smooth at s = 1.
        return (self.beta + age) * logs * exprel(-(self.s - 1) * logs)


def fit_pareto(x: Floats, t_x: Floats, T: Floats) -> ParetoModel:  # noqa: N803
    """Fit Pareto/NBD by maximum likelihood, on distinct histories and how many customers have each.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (n,)
        As checked by `analysis.customers.purchases.fitting.check_histories`.

    Raises
    ------
    InputError
        A parameter is at its bound, as where customers don't differ in when they leave.
    """
    weeks = float(T.mean())
    distinct, n_each = np.unique(np.column_stack([x, t_x, T]), axis=0, return_counts=True)
    x_each, t_each, T_each = distinct.T  # noqa: N806
    columns = np.array([x_each, t_each / weeks, T_each / weeks, n_each])

    def maximise_on(some: Floats, starts: Floats) -> tuple[Floats, float, Floats]:
        def likelihood(parameters: Floats) -> tuple[float, Floats]:
            value, slopes = _log_likelihoods(parameters, *some[:3])
            return float((value * some[3]).sum()), (slopes * some[3]).sum(axis=1)

        return maximise(likelihood, starts)

    starts = np.array(STARTS)
    if len(distinct) > MANY:
        starts = maximise_on(columns[:, :: len(distinct) // MANY + 1], starts)[0][None]
    best, value, covariance = maximise_on(columns, starts)
    check_fit(ParetoModel.name, ParetoModel.symbols, best, value)
    # In weeks again: each purchase is a density in time.
    value -= float(x.sum() * np.log(weeks))
    r, alpha, s, beta = (float(v) for v in best)
    return ParetoModel(r, alpha * weeks, s, beta * weeks, value, covariance, len(x))


def _log_likelihoods(parameters: Floats, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:  # noqa: N803
    """Log likelihood of each history, and its slopes along r, alpha, s and beta, shape (4, n)."""
    r, alpha, s, beta = parameters
    stays, left, means = _both_ways(parameters, x, t_x, T)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.logaddexp(stays, left)
    gone = expit(left - stays)
    here = 1 - gone
    log_alpha, log_beta, by_alpha, by_beta = means
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha) - here * np.log(alpha + T) - gone * log_alpha,
        r / alpha - (r + x) * (here / (alpha + T) + gone * by_alpha),
        np.log(beta) - here * np.log(beta + T) - gone * (log_beta - 1 / s),
        s / beta - here * s / (beta + T) - gone * (s + 1) * by_beta,
    )
    return value, np.array(slopes)


def _both_ways(parameters: Floats, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats, Floats]:  # noqa: N803
    """Logarithms of being active at ``T`` and of having left before, up to a common factor, shape (n,) each.

    The third are means over the time of leaving, shape (4, n): of log(alpha + u), log(beta + u), 1 / (alpha + u) and
    1 / (beta + u).
    """
    r, alpha, s, beta = parameters
    stays = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    left, means = np.empty(len(x)), np.empty((4, len(x)))
    # Blocks stay in the cache of the processor.
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        left[rows], means[:, rows] = _integrate(r + x[rows], alpha, s, beta, t_x[rows], T[rows])
    return stays, left, means


def _integrate(
    p: Floats,
    alpha: float,
    s: float,
    beta: float,
    t_x: Floats,
    T: Floats,  # noqa: N803
) -> tuple[Floats, Floats]:
    """Log of the integral of s (alpha + u)^-p (beta + u)^-(s + 1) from t_x to T, and means over it, shape (4, n).

    The variable is the logarithm of ``min(alpha, beta) + u``, in which the integrand is smooth on a scale of 1.
    """
    q, gap, swapped = s + 1, abs(beta - alpha), alpha > beta
    lower, low, high = (beta, q, p) if swapped else (alpha, p, q)
    near, far = lower + t_x, lower + gap + t_x
    with np.errstate(over="ignore"):
        span = np.minimum(T - t_x, np.minimum(near * np.expm1(REACH / low), far * np.expm1(REACH / high)))
    length, log_near, log_far = np.log1p(span / near), np.log(near), np.log(far)
    total, means = np.zeros(len(p)), np.zeros((4, len(p)))
    for node, weight in zip(*np.polynomial.legendre.leggauss(NODES), strict=True):
        place = (1 + node) / 2 * length
        at_near = near * np.exp(place)
        at_far = at_near + gap
        to_far = np.log(at_far) - log_far
        part = weight * np.exp((1 - low) * place - high * to_far)
        total += part
        means[0] += part * place
        means[1] += part * to_far
        means[2] += part / at_near
        means[3] += part / at_far
    means /= total
    means[0] += log_near
    means[1] += log_far
    with np.errstate(divide="ignore"):
        left = np.log(s * near * length / 2) + np.log(total) - low * log_near - high * log_far
    return left, means[[1, 0, 3, 2]] if swapped else means
