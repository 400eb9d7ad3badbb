"""Rules by which a number about customers may be published; the page "Disclosure" states them from here.

The rules are those of statistical offices for the checking of output: a threshold, dominance, group disclosure and
rounding (Hundepool et al. 2012, Statistical Disclosure Control, chapters 4 and 5).
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.base import weights as weighing
from analysis.base.weights import Weights

Values = NDArray[np.float64]

COUNT_STEP = 5
"""Counts of customers are rounded to multiples of this."""
SHARE_STEP = 0.01
"""Shares of customers are rounded to multiples of this."""
DOMINANCE = 0.5
"""A total of which one customer makes up this share or more is not published."""
PRECISION = 0.1
"""A total is not published where the second largest contributor could estimate the largest this closely (p % rule)."""
WIDTHS = 2
"""Ranges of the customers around a quantile that it is rounded to. Chosen for this project."""
GROUP = 0.1
"""A sensitive answer of less than this share of a segment, or of all but this share, is not stated more exactly."""
UNDER, OVER = 0.0999, 0.9001
"""How a share below :data:`GROUP`, or above the rest, stands in the report: pages print "under 10%" and "over 90%"."""


class Settings(Protocol):
    """Settings of a study that say how its numbers are published."""

    @property
    def min_cell(self) -> int: ...

    @property
    def disclosure(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How numbers about customers are published.

    Parameters
    ----------
    min_cell : int
        The fewest customers that a number may stand for.
    public : bool
        False for a site that only its owner reads: thresholds hold, and numbers are not rounded.
    """

    min_cell: int = 10
    public: bool = True

    @classmethod
    def of(cls, study: Settings) -> Disclosure:
        """Return the rules that the settings of a study ask for."""
        return cls(study.min_cell, study.disclosure == "public")

    @property
    def neighbours(self) -> int:
        """Customers whose average stands for a quantile."""
        return max(3, math.ceil(self.min_cell / 2))

    def count(self, n: int) -> int:
        """Round a count of customers; one below ``min_cell`` stays, because pages print no such count.

        >>> Disclosure().count(2238), Disclosure().count(7), Disclosure(public=False).count(12)
        (2240, 7, 12)
        """
        if not self.public or n < self.min_cell:
            return n
        return max(COUNT_STEP * math.floor(n / COUNT_STEP + 0.5), self.min_cell)

    def share(self, x: float) -> float:
        """Round a share of customers, or of what they spend.

        >>> Disclosure().share(0.4567)
        0.46
        """
        return _nearest(x, SHARE_STEP) if self.public else x

    def sensitive_share(self, x: float) -> float:
        """Round a share of customers with a sensitive answer; one near 0 or 1 becomes :data:`UNDER` or :data:`OVER`.

        >>> Disclosure().sensitive_share(0.0), Disclosure().sensitive_share(0.96), Disclosure().sensitive_share(0.3)
        (0.0999, 0.9001, 0.3)
        """
        if not self.public:
            return x
        return UNDER if x < GROUP else OVER if x > 1 - GROUP else self.share(x)

    def mean(self, values: Values, weights: Weights = None) -> float:
        """Round the mean of known values to a step that one customer cannot move it by.

        Parameters
        ----------
        values : ndarray, shape (n,)
            NaN where not known.
        weights : ndarray, shape (n,), optional
            Of a survey.

        Returns
        -------
        float
            NaN where nothing is known. Where the total is dominated, values beyond those of all but ``min_cell``
            customers count as the largest of the others.

        Examples
        --------
        >>> Disclosure().mean(np.array([10.0, 12.0, 14.0] * 20 + [110.0]))
        14.0
        """
        known, weights = _known(values, weights)
        if not len(known) or not self.public:
            return _mean(known, weights) if len(known) else math.nan
        if self.is_dominated(known, weights):
            at = max(len(known) - self.min_cell - 1, 0)
            known = np.minimum(known, np.partition(known, at)[at])
        mean = _mean(known, weights)
        return _nearest(mean, self.step(known, mean, weights))

    def step(self, known: Values, mean: float, weights: Weights = None) -> float:
        """Return a round number at least as large as what one of the values can move their mean by; 0 for equal ones.

        >>> Disclosure().step(np.array([0.0] * 49 + [10.0]), 0.2)
        0.2
        >>> Disclosure().step(np.array([0.0] * 49 + [10.0]), 0.2, np.array([1.0] * 49 + [8.0]))
        2.0
        """
        if weights is None:
            return self.step_of(float(np.abs(known - mean).max(initial=0.0)), len(known))
        others = weights.sum() - weights
        moved = np.divide(np.abs(known - mean) * weights, others, out=np.zeros_like(known), where=others > 0)
        return round_up(float(moved.max(initial=0.0)))

    def step_of(self, reach: float, n: int) -> float:
        """Return the same for the mean of n values of which one lies ``reach`` from it; 0 for a single value.

        >>> Disclosure().step_of(9.8, 50)
        0.2
        """
        return round_up(reach / (n - 1)) if n > 1 else 0.0

    def near(self, x: float, values: Values, weights: Weights = None) -> float:
        """Round a number that the values determine, such as a centre, to the step of their mean.

        >>> Disclosure().near(0.23, np.array([0.0] * 49 + [10.0]))
        0.2
        """
        known, weights = _known(values, weights)
        return self.to_step(x, self.step(known, _mean(known, weights), weights)) if len(known) else x

    def to_step(self, x: float, step: float) -> float:
        """Round a number to a multiple of a round step.

        >>> Disclosure().to_step(1.234, 0.03), Disclosure(public=False).to_step(1.234, 0.03)
        (1.25, 1.234)
        """
        return _nearest(x, round_up(step)) if self.public else x

    def quantile(self, values: Values, q: float, weights: Weights = None) -> float:
        """Return one of `quantiles`.

        >>> values = np.array([21.4, 28.8, 31.0, 35.5, 36.1, 39.7, 44.2, 47.9, 52.6, 61.3, 148.25])
        >>> Disclosure().quantile(values, 0.5)
        40.0
        """
        return self.quantiles(values, (q,), weights)[0]

    def quantiles(self, values: Values, qs: Iterable[float], weights: Weights = None) -> tuple[float, ...]:
        """Return the averages of the customers around quantiles, never the value of one, rounded.

        Who is left out moves that average towards the other side. The step is :data:`WIDTHS` times the range of these
        customers, so that two releases seldom tell on which side a customer is.

        Parameters
        ----------
        values : ndarray, shape (n,)
            NaN where not known.
        qs : iterable of float
            0 to 1.
        weights : ndarray, shape (n,), optional
            Of a survey.

        Returns
        -------
        tuple of float
            Whole where all values are; NaN where nothing is known. The lowest and the highest value take part only
            where so few are known that there are no others. The step is at most about a quarter of the range without
            these two.

        Examples
        --------
        >>> values = np.array([21.4, 28.8, 31.0, 35.5, 36.1, 39.7, 44.2, 47.9, 52.6, 61.3, 148.25])
        >>> Disclosure().quantiles(values, (0.5, 0.9))
        (40.0, 50.0)
        """
        known, weights = _known(values, weights)
        n, width = len(known), self.neighbours
        if not n or not self.public:
            return tuple(weighing.quantile(known, q, weights) if n else math.nan for q in qs)
        edge = 1 if n >= width + 2 else 0
        centred = [round(place - (width - 1) / 2) for place in _places(known, qs, weights)]
        firsts = [max(edge, min(first, n - edge - width), 0) for first in centred]
        spans = [(first, min(first + width, n)) for first in firsts]
        # All places in one pass, so that many quantiles of many customers take little more time than one.
        ends = {place for first, last in spans for place in (first, last - 1)}
        placed = np.partition(known, sorted(ends | {edge, n - 1 - edge}))
        inner, whole = float(placed[n - 1 - edge] - placed[edge]), bool((known == np.round(known)).all())
        found = []
        for first, last in spans:
            around = np.sort(placed[first:last])
            reach = min(WIDTHS * float(around[-1] - around[0]), inner / 4)
            average = _nearest(float(around.mean()), round_up(reach))
            found.append(float(math.floor(average + 0.5)) if whole else average)
        return tuple(found)

    def total(self, values: Values, weights: Weights = None) -> float | None:
        """Round a sum to a step that one customer cannot move it by; None where one of them dominates it.

        With the weights of a survey it is that of the population, and neither it nor the sum of the values themselves
        may be dominated.

        >>> Disclosure().total(np.array([100.0] * 30)), Disclosure().total(np.array([1.0] * 30 + [500.0]))
        (3000.0, None)
        """
        known, weights = _known(values, weights)
        parts = known if weights is None else known * weights
        if not self.public:
            return math.fsum(parts)
        if self.is_dominated(known, weights):
            return None
        total = math.fsum(parts)
        return _nearest(total, round_up(float(np.abs(parts).max(initial=0.0))))

    def is_dominated(self, values: Values, weights: Weights = None) -> bool:
        """Return whether one customer makes up so much of a sum, weighted or not, that the sum gives it away.

        >>> Disclosure().is_dominated(np.array([1.0] * 100 + [90.0])), Disclosure().is_dominated(np.ones(20))
        (False, False)
        >>> Disclosure().is_dominated(np.array([1.0] * 100 + [120.0]))
        True
        """
        if weights is not None and self.is_dominated(values * weights):
            return True
        sizes = np.abs(values[~np.isnan(values)])
        whole = float(sizes.sum())
        if len(sizes) < 2 or whole == 0:
            return False
        sizes = np.partition(sizes, len(sizes) - 2)
        rest = whole - float(sizes[-1]) - float(sizes[-2])
        return bool(sizes[-1] >= DOMINANCE * whole or rest < PRECISION * sizes[-1])


def month_end(day: dt.date) -> dt.date:
    """Return the last day of a month: the newest day in the data is that of one customer.

    >>> month_end(dt.date(2024, 2, 3))
    datetime.date(2024, 2, 29)
    """
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _known(values: Values, weights: Weights) -> tuple[Values, Weights]:
    """The values that are known, and their weights."""
    known = ~np.isnan(values)
    return values[known], None if weights is None else weights[known]


def _mean(known: Values, weights: Weights) -> float:
    return float(known.mean()) if weights is None else float(known @ weights / weights.sum())


def _places(known: Values, qs: Iterable[float], weights: Weights) -> list[float]:
    """The places of quantiles among sorted values, 0 to n - 1: where half of a value's weight lies on either side."""
    if weights is None:
        return [q * (len(known) - 1) for q in qs]
    own = weights[np.argsort(known, kind="stable")]
    middles, each = np.cumsum(own) - own / 2, np.arange(len(own))
    return [float(np.interp(q * own.sum(), middles, each)) for q in qs]


def _nearest(x: float, step: float) -> float:
    if step <= 0 or not math.isfinite(x):
        return x
    digits = max(0, 1 - math.floor(math.log10(step)))
    return round(math.floor(x / step + 0.5) * step, min(digits, 15)) + 0.0


def round_up(x: float) -> float:
    """Return the next of 1, 2, 5, 10 times a power of ten."""
    if x <= 0 or not math.isfinite(x):
        return 0.0
    size = 10.0 ** math.floor(math.log10(x))
    if size == 0:
        return 0.0
    return next(size * m for m in (1, 2, 5, 10) if size * m >= x * (1 - 1e-9))
