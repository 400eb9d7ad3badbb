"""Effect of an action: difference of two groups with its interval, for shares and for means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
POWERED = 2.8016
"""Standard errors that a two-sided test at 5% detects with 80% power: 1.9600 and 0.8416."""
HEAVY_PART, HEAVY_SHARE = 0.01, 0.2
"""Where this part of customers holds more than this share of the outcome, outcomes are winsorised."""
RESAMPLES, MOST_DRAWS, AT_ONCE = 2000, 2e8, 5_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Difference of treatment and control with its 95% interval, and the same as a ratio (None below or at zero)."""

    treated: float
    control: float
    lift: float
    low: float
    high: float
    p: float
    least: float
    ratio: tuple[float, float, float] | None


def compare_shares(treated: Values, control: Values) -> Estimate:
    """Compare the shares of two groups.

    Newcombe's interval of the difference, a log interval of the ratio, and the two-sided z test.

    Parameters
    ----------
    treated, control : ndarray of 0 and 1, shape (n,) and (m,)
    """
    from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

    a, n, b, m = int(treated.sum()), len(treated), int(control.sum()), len(control)
    interval: Any = confint_proportions_2indep(a, n, b, m, compare="diff", method="newcomb")
    p = float(proportions_ztest([a, b], [n, m])[1]) if 0 < a + b < n + m else 1.0
    ratio = None
    if a and b:
        ends: Any = confint_proportions_2indep(a, n, b, m, compare="ratio", method="log")
        ratio = (a / n / (b / m), float(ends[0]), float(ends[1]))
    rate = (a + b) / (n + m)
    least = POWERED * math.sqrt(rate * (1 - rate) * (1 / n + 1 / m))
    return Estimate(a / n, b / m, a / n - b / m, float(interval[0]), float(interval[1]), p, least, ratio)


def compare_means(treated: Values, control: Values) -> Estimate:
    """Compare the means of two groups by Welch's test.

    Parameters
    ----------
    treated, control : ndarray, shape (n,) and (m,)
    """
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    compared = CompareMeans(DescrStatsW(treated), DescrStatsW(control))
    one, other = float(treated.mean()), float(control.mean())
    variances = treated.var(ddof=1) / len(treated), control.var(ddof=1) / len(control)
    error = math.sqrt(sum(variances))
    if error == 0:
        return Estimate(one, other, one - other, one - other, one - other, 1.0 if one == other else 0.0, 0.0, None)
    low, high = compared.tconfint_diff(usevar="unequal")
    p = float(compared.ttest_ind(usevar="unequal")[1])
    ratio = None
    if one > 0 and other > 0:
        spread = 1.959964 * math.sqrt(variances[0] / one**2 + variances[1] / other**2)
        ratio = (one / other, one / other * math.exp(-spread), one / other * math.exp(spread))
    return Estimate(one, other, one - other, float(low), float(high), p, POWERED * error, ratio)


def is_heavy(values: Values) -> bool:
    """Return whether the heaviest customers hold more than their share of the outcome, as `HEAVY_SHARE` says.

    >>> is_heavy(np.array([1.0] * 99 + [60.0])), is_heavy(np.ones(100))
    (True, False)
    """
    size = np.sort(np.abs(values))
    n_top = max(round(HEAVY_PART * len(size)), 1)
    total = float(size.sum())
    return total > 0 and float(size[-n_top:].sum()) > HEAVY_SHARE * total


def winsorise(values: Values) -> Values:
    """Set values beyond the 1st and 99th percentile to them."""
    low, high = np.quantile(values, [HEAVY_PART, 1 - HEAVY_PART])
    return np.clip(values, low, high)


def adjust_by_before(values: Values, before: Values) -> tuple[Values, float]:
    """Take out what the same KPI before the start predicts (CUPED; Deng, Xu, Kohavi & Walker 2013).

    Parameters
    ----------
    values, before : ndarray, shape (n,)
        Of all customers, both groups together.

    Returns
    -------
    ndarray, shape (n,)
        ``values - theta * (before - mean)`` with theta = cov / var.
    float
        Part by which the interval becomes narrower.
    """
    spread = before.var()
    if spread == 0 or values.var() == 0:
        return values, 0.0
    theta = float(np.cov(values, before, ddof=0)[0, 1] / spread)
    adjusted = values - theta * (before - before.mean())
    return adjusted, 1 - math.sqrt(float(adjusted.var() / values.var()))


def bootstrap(treated: Values, control: Values, seed: int = 2014) -> tuple[float, float]:
    """Return the percentile interval (95%) of the difference of means over resamples of each group."""
    rng = np.random.default_rng(seed)
    n_resamples = int(min(RESAMPLES, max(200, MOST_DRAWS // (len(treated) + len(control)))))
    differences = _resample(treated, n_resamples, rng) - _resample(control, n_resamples, rng)
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def _resample(values: Values, n_resamples: int, rng: np.random.Generator) -> Values:
    step = max(AT_ONCE // len(values), 1)
    means = [
        values[rng.integers(0, len(values), (min(step, n_resamples - start), len(values)))].mean(axis=1)
        for start in range(0, n_resamples, step)
    ]
    return np.concatenate(means)


def check_ratio(n_treated: int, n_control: int, holdout: float) -> float:
    """Return the probability of groups as unequal as these, by a chi-square test.

    >>> check_ratio(500, 500, 0.5), check_ratio(600, 400, 0.5) < 0.001
    (1.0, True)
    """
    from scipy.stats import chisquare

    total: Any = n_treated + n_control
    return float(chisquare([n_treated, n_control], [total * (1 - holdout), total * holdout]).pvalue)
