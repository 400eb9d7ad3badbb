"""Numbers that tell where a customer lives: coordinates and postcodes, recognised by their values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NARROW = 20
"""How many standard deviations the mean of latitudes or longitudes of one region is from zero.

Chosen for this project."""
FINE, COARSE, FAR = 4, 3, 20.0
"""Digits after the point from which degrees tell a place; digits where they are also far from zero, and how far.
Chosen for this project."""
LOOKED_AT = 500
"""Values whose digits are counted. Chosen for this project."""
UNIQUE = 0.9
"""Share of rows with a value of their own from which small numbers of many digits can be degrees."""
FEWEST_PLACES = 30
"""Different values from which numbers can be places of customers. Chosen for this project."""
ROUND, OFTEN = 0.25, 10
"""Share of tens up to which codes are not rounded; how many times more often than by chance they repeat.

Chosen for this project."""


def count_digits(values: NDArray[np.float64]) -> int:
    """Return how many digits after the point the first numbers have, typically.

    >>> count_digits(np.array([54.0834, 54.1, 12.2345]))
    4
    """
    digits = [len(format(x, ".9f").rstrip("0").partition(".")[2]) for x in values[:LOOKED_AT].tolist()]
    return int(np.median(digits)) if digits else 0


def look_like_degrees(values: NDArray[np.float64]) -> bool:
    """Return whether numbers could be latitudes or longitudes in one region: many digits, all near to each other.

    >>> rng = np.random.default_rng(1)
    >>> look_like_degrees(54.08 + rng.normal(0, 0.02, 99).round(6)), look_like_degrees(rng.normal(0, 1, 99).round(6))
    (True, False)
    """
    mean, spread = abs(float(values.mean())), float(values.std())
    n_different = len(np.unique(values))
    if np.abs(values).max() > 180 or mean < NARROW * spread or n_different < FEWEST_PLACES:
        return False
    digits = count_digits(values)
    fine = digits >= FINE and (mean >= FAR / 2 or n_different >= UNIQUE * len(values))
    return fine or (digits >= COARSE and mean >= FAR and spread <= 2)


def look_like_coordinates(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Return whether two columns could be latitude and longitude, in either order.

    Both have as many digits, one is no further from zero than 90, and neither is a share or a percentage.

    >>> rng = np.random.default_rng(1)
    >>> look_like_coordinates(rng.uniform(47, 55, 99).round(5), rng.uniform(6, 15, 99).round(5))
    True
    >>> look_like_coordinates(rng.uniform(0, 1, 99).round(5), rng.uniform(0, 100, 99).round(5))
    False
    """
    pair = (first, second)
    sizes = [float(np.abs(values).max()) for values in pair]
    if min(sizes) > 90 or max(sizes) > 180 or max(sizes) < 10 or min(sizes) < 2:
        return False
    if any(len(np.unique(values)) < FEWEST_PLACES or _is_percentage(values) for values in pair):
        return False
    digits = [count_digits(values) for values in pair]
    if abs(digits[0] - digits[1]) > 1 or min(digits) < COARSE:
        return False
    return min(digits) >= FINE or any(look_like_degrees(values) for values in pair)


def _is_percentage(values: NDArray[np.float64]) -> bool:
    low, high = float(values.min()), float(values.max())
    return low >= 0 and (high <= 1 or (low < 5 and 60 < high <= 100))


def look_like_postcodes(values: NDArray[np.float64]) -> bool:
    """Return whether whole numbers of four or five digits are codes: many rows share a few dozen of them.

    >>> rng = np.random.default_rng(1)
    >>> look_like_postcodes(rng.choice(rng.integers(10_115, 99_000, 40), 600).astype(float))
    True
    >>> look_like_postcodes(rng.integers(2_000, 20_000, 600).astype(float))
    False
    """
    low, high, n = float(values.min()), float(values.max()), len(values)
    if low < 1_000 or high > 99_999 or len(str(int(low))) != len(str(int(high))) or (low >= 1850 and high <= 2100):
        return False
    different = np.unique(values)
    if len(different) < FEWEST_PLACES or len(different) > 0.5 * n or np.mean(different % 10 == 0) > ROUND:
        return False
    width = high - low + 1
    evenly = len(np.unique(np.diff(different))) == 1 and different[1] - different[0] >= 5
    repeated = n - len(different) > OFTEN * n * n / (2 * width) or (len(different) < 60 and low >= 10_000)
    return repeated and not evenly
