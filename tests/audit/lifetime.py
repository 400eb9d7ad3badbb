"""Customer lifetime value by an own likelihood: BG/NBD, MBG/NBD or Pareto/NBD for purchases, Gamma-Gamma for value.

References: Fader, Hardie & Lee 2005, doi 10.1287/mksc.1040.0098, equations 6, 7 and 10; Batislam, Denizel & Filiztekin
2007, doi 10.1016/j.ijresmar.2006.12.005; Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value. MBG/NBD counts
one more purchase, the first, after which a customer could leave. Pareto/NBD: Schmittlein, Morrison & Colombo 1987, doi
10.1287/mnsc.33.1.1, by the hypergeometric functions of Fader & Hardie 2005, A Note on Deriving the Pareto/NBD Model;
both are brought by Euler's transformation to the form F(1, b; c; z), which stays finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import norm

from tests.audit.comparison import Audit
from tests.audit.customers import Study

Floats = NDArray[np.float64]
STEP_WEEKS, WEEKS_A_YEAR = 4.0, 365.25 / 7
PARETO = "Pareto/NBD"
FEWEST = 300
"""Customers with a purchase below which no value is published."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Both models fitted, and what they expect.

    Attributes
    ----------
    parameters : ndarray, shape (7,)
        Four of purchases, r, alpha, a, b or r, alpha, s, beta (weeks); p, q, gamma.
    value : Series
        Expected discounted spend of each customer.
    alive : Series
        Chance of still being one; NaN without a repeat purchase where the model says 1 by construction.
    slopes : ndarray, shape (n, 7)
        Of ``value`` along the logarithms of the parameters.
    covariance : ndarray, shape (7, 7)
        Of the logarithms.
    n_repeaters : int
    """

    parameters: Floats
    value: pd.Series
    alive: pd.Series
    slopes: Floats
    covariance: Floats
    n_repeaters: int


def purchase_log_likelihood(
    logs: Floats,
    x: Floats,
    t_x: Floats,
    T: Floats,  # noqa: N803
    weight: Floats,
    early: int,
) -> float:
    """Compute the log-likelihood of the purchases (equation 6) at the logarithms of r, alpha, a and b."""
    r, alpha, a, b = np.exp(logs)
    y = x + early
    stays = -(r + x) * np.log(alpha + T)
    leaves = np.log(a) - np.log(b + np.maximum(y, 1) - 1) - (r + x) * np.log(alpha + t_x)
    each = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + betaln(a, b + y)
        - betaln(a, b)
        + np.logaddexp(stays, np.where(y > 0, leaves, -np.inf))
    )
    return float(weight @ each)


def gamma_gamma_log_likelihood(logs: Floats, x: Floats, mean: Floats) -> float:
    """Compute the log-likelihood of Gamma-Gamma at the logarithms of p, q and gamma."""
    p, q, gamma = np.exp(logs)
    each = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(gamma)
        + (p * x - 1) * np.log(mean)
        + p * x * np.log(x)
        - (p * x + q) * np.log(gamma + mean * x)
    )
    return float(each.sum())


def maximise(log_likelihood: Callable[[Floats], float], starts: list[list[float]]) -> tuple[Floats, Floats]:
    """Maximise from several starts, polish the best, and give the covariance from a numeric Hessian."""

    def loss(logs: Floats) -> float:
        value = log_likelihood(logs)
        return -value if np.isfinite(value) else 1e12

    runs = [minimize(loss, np.log(start), method="L-BFGS-B", bounds=[(-12, 12)] * len(start)) for start in starts]
    best = min(runs, key=lambda run: run.fun)
    options = {"xatol": 1e-8, "fatol": 1e-9, "maxiter": 4000, "maxfev": 8000}
    best = minimize(loss, best.x, method="Nelder-Mead", options=options)
    at, step = np.asarray(best.x), 1e-3
    moves = np.eye(len(at)) * step
    hessian = np.array(
        [
            [(loss(at + u + v) - loss(at + u - v) - loss(at - u + v) + loss(at - u - v)) / (4 * step**2) for v in moves]
            for u in moves
        ]
    )
    return at, np.linalg.pinv((hessian + hessian.T) / 2, hermitian=True)


def log_tail(p: Floats, alpha: float, s: float, beta: float, t: Floats) -> Floats:
    """Compute the log of the integral of (alpha + u)^-p (beta + u)^-(s + 1) over u above t."""
    from_alpha, from_beta = np.log(alpha + t), np.log(beta + t)
    if alpha >= beta:
        series = hyp2f1(1.0, p, p + s + 1, (alpha - beta) / (alpha + t))
        return np.log(series) - p * from_alpha - s * from_beta - np.log(p + s)
    series = hyp2f1(1.0, s + 1, p + s + 1, (beta - alpha) / (beta + t))
    return np.log(series) - (p - 1) * from_alpha - (s + 1) * from_beta - np.log(p + s)


def log_left(parameters: Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
    """Compute the log of having left between the last purchase and the end, over that of being active (Pareto/NBD)."""
    r, alpha, s, beta = parameters[:4]
    last, end = (log_tail(r + x, alpha, s, beta, t) for t in (t_x, T))
    with np.errstate(divide="ignore"):
        between = last + np.log(-np.expm1(np.minimum(end - last, 0.0)))
    return np.log(s) + between + (r + x) * np.log(alpha + T) + s * np.log(beta + T)


def pareto_log_likelihood(logs: Floats, x: Floats, t_x: Floats, T: Floats, weight: Floats) -> float:  # noqa: N803
    """Compute the log-likelihood of the purchases under Pareto/NBD at the logarithms of r, alpha, s and beta."""
    r, alpha, s, beta = np.exp(logs)
    each = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + s * np.log(beta)
        - (r + x) * np.log(alpha + T)
        - s * np.log(beta + T)
        + np.logaddexp(0.0, log_left(np.exp(logs), x, t_x, T))
    )
    return float(weight @ each)


def chance_alive(parameters: Floats, x: Floats, t_x: Floats, T: Floats, model: str) -> Floats:  # noqa: N803
    """Compute the chance of still being a customer (equation 7); 1 where leaving was not possible, by construction."""
    if model == PARETO:
        return 1 / (1 + np.exp(log_left(parameters, x, t_x, T)))
    early = int(model == "MBG/NBD")
    r, alpha, a, b = parameters[:4]
    y = x + early
    odds = a / (b + np.maximum(y, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    return np.where(y > 0, 1 / (1 + odds), 1.0)


def purchases_within(
    parameters: Floats,
    t: float,
    x: Floats,
    t_x: Floats,
    T: Floats,  # noqa: N803
    model: str,
) -> Floats:
    """Compute the purchases expected within ``t`` weeks (equation 10; the same in the note on Pareto/NBD)."""
    r, alpha, a, b = parameters[:4]
    if model == PARETO:
        s, beta = a, b
        weeks = (beta + T) / (s - 1) * (1 - ((beta + T) / (beta + T + t)) ** (s - 1))
        return chance_alive(parameters, x, t_x, T, model) * (r + x) / (alpha + T) * weeks
    y = x + int(model == "MBG/NBD")
    series = hyp2f1(r + x, b + y, a + b + y - 1, t / (alpha + T + t))
    shrink = ((alpha + T) / (alpha + T + t)) ** (r + x)
    return (a + b + y - 1) / (a - 1) * (1 - shrink * series) * chance_alive(parameters, x, t_x, T, model)


def discounted_value(parameters: Floats, h: pd.DataFrame, horizon: float, rate: float, model: str) -> Floats:
    """Compute the expected spend within the horizon, discounted in the middle of steps of at most four weeks."""
    x, t_x, T = (h[name].to_numpy(float) for name in ("x", "t_x", "T"))  # noqa: N806
    ends = np.linspace(0, horizon, max(int(np.ceil(horizon / STEP_WEEKS)), 1) + 1)
    until = np.array([purchases_within(parameters, float(end), x, t_x, T, model) for end in ends])
    factors = (1 + rate) ** (-(ends[1:] + ends[:-1]) / 2 / WEEKS_A_YEAR)
    p, q, gamma = parameters[4:]
    mean = h["value"].fillna(0.0).to_numpy(float)
    worth = p * (gamma + np.where(x > 0, mean, 0.0) * x) / (p * x + q - 1)
    return (factors @ np.diff(until, axis=0)) * worth


def fit_lifetime(h: pd.DataFrame, horizon: float, rate: float, model: str) -> Lifetime:
    """Fit both models to purchase histories and compute what they expect of each customer."""
    grouped = h.groupby(["x", "t_x", "T"]).size().reset_index(name="n")
    x, t_x, T, n = (grouped[name].to_numpy(float) for name in ("x", "t_x", "T", "n"))  # noqa: N806
    early = int(model == "MBG/NBD")
    buying, first = maximise(
        lambda logs: (
            pareto_log_likelihood(logs, x, t_x, T, n)
            if model == PARETO
            else purchase_log_likelihood(logs, x, t_x, T, n, early)
        ),
        [[0.3, 5.0, 0.8, 2.5], [1.0, 10.0, 0.3, 3.0], [3.0, 20.0, 0.5, 5.0]],
    )
    kept = h[(h["x"] > 0) & (h["value"] > 0)]
    scale = float(kept["value"].mean())
    times, mean = kept["x"].to_numpy(float), kept["value"].to_numpy(float)
    spending, second = maximise(
        lambda logs: gamma_gamma_log_likelihood(logs, times, mean),
        [[6.0, 4.0, scale / 2], [1.0, 2.0, scale], [10.0, 2.0, scale / 10]],
    )
    logs = np.concatenate([buying, spending])
    parameters = np.exp(logs)
    covariance = np.zeros((7, 7))
    covariance[:4, :4], covariance[4:, 4:] = first, second

    def worth(logs: Floats) -> Floats:
        return discounted_value(np.exp(logs), h, horizon, rate, model)

    slopes = [(worth(logs + move) - worth(logs - move)) / 2e-4 for move in np.eye(7) * 1e-4]
    value = pd.Series(worth(logs), index=h.index)
    chance = chance_alive(parameters, *(h[c].to_numpy(float) for c in ("x", "t_x", "T")), model)
    alive = pd.Series(chance, index=h.index).where((h["x"] > 0) | (model != "BG/NBD"))
    return Lifetime(parameters, value, alive, np.column_stack(slopes), covariance, len(kept))


def audit_lifetime(study: Study, audit: Audit) -> None:
    """Compare the models' parameters and the expected spend of everyone and of each segment."""
    published, own = study.report.get("expected"), study.customers.lifetime
    if published is None or own is None:
        audit.same("expected spend is published", published is not None, own is not None)
        return
    with audit.at("lifetime value"):
        for (name, value), actual in zip(published["parameters"], own.parameters, strict=True):
            audit.near(f"parameter {name}", value, float(actual), 2e-4 * abs(float(actual)), "optimum")
        audit.report("customers in the purchase model", published["n_customers"], len(own.value))
        audit.report("customers in the spend model", published["n_repeaters"], own.n_repeaters)
        keys = study.customers.keys
        place = own.value.index.get_indexer(keys)
        value = np.where(place >= 0, own.value.to_numpy()[place], 0.0)
        slopes = np.where((place >= 0)[:, None], own.slopes[place], 0.0)
        everyone = np.ones(len(keys), bool)
        groups = [("total", published["total"], everyone, 1), ("everyone", published["everyone"], everyone, len(keys))]
        for segment, told in enumerate(published["segments"], start=1):
            inside = study.customers.labels == segment
            groups.append((f"segment {segment}", told, inside, int(inside.sum())))
        for name, told, inside, n in groups:
            slope = slopes[inside].sum(axis=0) / n
            compare_expected(audit, name, told, value[inside].sum() / n, slope, own.covariance, published["tried"])


def compare_expected(
    audit: Audit,
    name: str,
    told: dict[str, float],
    value: float,
    slope: Floats,
    covariance: Floats,
    tried: object,
) -> None:
    """Compare an expected spend with its 95% interval, by the delta method on the logarithm.

    Where the models were tried on the past, the published interval has to hold this one. Optimisers stop within 0.02%
    of each other; numeric derivatives leave 2% of the interval's width.
    """
    spread = float(np.sqrt(slope @ covariance @ slope)) / value
    reach = float(norm.ppf(0.975)) * spread
    low, high = value * np.exp(-reach), value * np.exp(reach)
    audit.near(f"expected spend, {name}", told["value"], value, 2e-4 * value, "optimum")
    if tried:
        holds = told["low"] <= low * (1 + 2e-4) and told["high"] >= high * (1 - 2e-4)
        audit.same(f"expected spend, {name}, the interval holds that of the parameters", holds, True)
        return
    audit.near(f"expected spend, {name}, low end", told["low"], low, 2e-4 * value + 0.02 * (value - low), "optimum")
    audit.near(f"expected spend, {name}, high end", told["high"], high, 2e-4 * value + 0.02 * (high - value), "optimum")
