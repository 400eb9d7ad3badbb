"""Survey weights: shares, means and quantiles of the population that the rows of a survey stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.base.workers import FEW_VALUES, map_columns

Values = NDArray[np.float64]
Weights = NDArray[np.float64] | None
"""Positive weights of n rows, of any scale; None where each row counts once."""

LARGEST = 0.5
"""Share of all weights that one row may not reach; the share by which one customer dominates a total."""
FEWEST_EFFECTIVE = 5.0
"""Effective respondents that a group needs at least. With more than 4.41, no weight is half of the group's, and the
second largest respondent cannot estimate the largest to within a tenth. Chosen for this project."""


def check_weights(values: pd.Series, place: str) -> Values:
    """Return the survey weights in a column as they are, shape (n,); missing ones are NaN.

    Parameters
    ----------
    values : Series
    place : str
        Place in the settings that messages name.

    Raises
    ------
    InputError
        Where they are not numbers, one is negative, none is positive, or one makes up half of their sum or more.
    """
    advice = "Choose the column of the survey weights, or remove the setting."
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise InputError(f"{place}: column '{values.name}' holds no numbers.", "Expected positive weights.", advice)
    weights = np.asarray(values.astype("Float64").astype("float64"), dtype=np.float64)
    if np.nanmin(weights, initial=0.0) < 0:
        raise InputError(
            f"{place}: column '{values.name}' has {int((weights < 0).sum()):,} negative values.",
            "A weight says how many people a row stands for.",
            advice,
        )
    total = float(np.nansum(weights))
    if not total > 0:
        problem = f"{place}: column '{values.name}' has no positive value."
        raise InputError(problem, "Expected positive weights.", advice)
    if np.nanmax(weights) >= LARGEST * total:
        raise InputError(
            f"{place}: one row has half of all weights in column '{values.name}', or more.",
            "Every figure of the population would be the answer of that row.",
            "Correct or trim that weight, or remove the setting.",
        )
    return weights


def effective_size(weights: Values) -> float:
    """Return the effective sample size, the square of the sum over the sum of squares (Kish 1965, Survey Sampling).

    >>> effective_size(np.array([2.0, 2.0, 2.0])), effective_size(np.array([1.0, 1.0, 2.0, 4.0])).__round__(2)
    (3.0, 2.91)
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def scale(weights: Values) -> Values:
    """Return the weights with a mean of 1, so that they add up to the number of rows."""
    return weights / weights.mean()


def as_counts(weights: Values) -> NDArray[np.int64]:
    """Turn weights into whole counts that add up to their sum, rounded; each differs from its weight by less than 1.

    Whole weights do not change. What is rounded off is carried on to the next row (systematic rounding).

    >>> as_counts(np.array([0.5, 0.5, 1.5, 2.5, 1.0])), as_counts(np.array([2.0, 1.0]))
    (array([0, 1, 1, 3, 1]), array([2, 1]))
    """
    ends = np.floor(np.cumsum(weights) + 0.5 - 1e-9)
    return np.diff(ends, prepend=0.0).astype(np.int64)


def sum_by(labels: NDArray[Any], weights: Weights, length: int) -> Values:
    """Add up the weights of each label 0 to ``length`` - 1; their numbers where rows count once."""
    return np.bincount(labels, weights, minlength=length).astype(float)


def share(inside: NDArray[np.bool_], weights: Weights) -> float:
    """Return the share of the rows that are inside.

    >>> share(np.array([True, False, False]), None).__round__(2), share(np.array([True, False]), np.array([3.0, 1.0]))
    (0.33, 0.75)
    """
    return float(inside.mean()) if weights is None else float(weights[inside].sum() / weights.sum())


def means(values: Values, weights: Weights) -> Values:
    """Return the mean of the known values of each column, shape (p,) for (n, p); NaN where none is known."""
    if weights is None:
        return _measure_each(np.nanmean, values)
    known = ~np.isnan(values)
    total = weights @ known
    return np.divide(weights @ np.where(known, values, 0.0), total, out=np.full(total.shape, np.nan), where=total > 0)


def deviations(values: Values, weights: Weights) -> Values:
    """Return the standard deviation of the known values of each column, shape (p,) for (n, p)."""
    if weights is None:
        return _measure_each(np.nanstd, values)
    return np.sqrt(means((values - means(values, weights)) ** 2, weights))


def _measure_each(measure: Callable[..., Any], values: Values) -> Values:
    """Measure the columns; of many rows one after the other, as copies of all would fill the memory."""
    if len(values) <= FEW_VALUES:
        return np.asarray(measure(values, axis=0))
    return np.array(map_columns(measure, values.T, len(values)))


def quantile(values: Values, q: float, weights: Weights) -> float:
    """Return a quantile of known values.

    With weights it is the second definition of Hyndman and Fan (1996, The American Statistician 50): the value at which
    the cumulated weight passes q, or the average of two where it equals q between them. Whole weights then give the
    median of as many rows.

    >>> quantile(np.array([1.0, 2.0, 5.0]), 0.5, np.array([1.0, 1.0, 2.0])), quantile(np.array([1.0, 4.0]), 0.5, None)
    (3.5, 2.5)
    """
    if weights is None:
        return float(np.quantile(values, q))
    order = np.argsort(values, kind="stable")
    reached, goal = np.cumsum(weights[order]), q * float(weights.sum())
    slack = 1e-9 * reached[-1]
    low, high = (int(np.searchsorted(reached, goal + end, side="left")) for end in (-slack, slack))
    last = len(values) - 1
    return float((values[order[min(low, last)]] + values[order[min(high, last)]]) / 2)


def middle_ranks(values: Values, weights: Values) -> Values:
    """Return the weight below each value and half of that at it: ranks of the population, from 0 to the total."""
    levels, places = np.unique(values, return_inverse=True)
    own = np.bincount(places, weights, minlength=len(levels))
    return (np.cumsum(own) - own / 2)[places]
