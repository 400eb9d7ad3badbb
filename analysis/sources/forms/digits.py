"""Days written as digits alone, such as 230105 or 5012023, whose order is decided over the whole column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ORDERS = {
    6: {"year first": (0, 2, 4), "day first": (4, 2, 0), "month first": (4, 0, 2)},
    8: {"day first": (4, 2, 0), "month first": (4, 0, 2)},
}
"""Where year, month and day begin among six or eight digits; eight that begin with the year have one reading only."""
FEWEST = 5
"""Different texts from which an order of digits can be decided. Chosen for this project."""


def read_digits(texts: list[str]) -> tuple[NDArray[np.datetime64], str] | None:
    """Read texts of five to eight digits as days, or return None where no single order fits.

    Of several orders that fit, the right one has many days in few years.

    Parameters
    ----------
    texts : list of str, length m
        Different texts; a zero may be missing at the start.

    Returns
    -------
    ndarray of datetime64[D], length m
    str
        The order.

    Examples
    --------
    >>> days, order = read_digits(["230105", "230117", "230208", "230219", "230330"])
    >>> str(days[0]), order
    ('2023-01-05', 'year first')
    >>> read_digits(["230105", "994512"]) is None
    True
    """
    if len(texts) < FEWEST or not all(text.isascii() and text.isdigit() for text in texts):
        return None
    longest = max(map(len, texts))
    width = 2 * ((longest + 1) // 2)
    if width not in _ORDERS or min(map(len, texts)) < width - 1:
        return None
    full = [text.zfill(width) for text in texts]
    found = {}
    for order, (year_at, month_at, day_at) in _ORDERS[width].items():
        years = np.array([int(text[year_at : year_at + width - 4]) for text in full])
        months = np.array([int(text[month_at : month_at + 2]) for text in full])
        days = np.array([int(text[day_at : day_at + 2]) for text in full])
        stamps = _days(years if width == 8 else years + np.where(years < 69, 2000, 1900), months, days)
        if stamps is not None and len(np.unique(days)) > 2 * len(np.unique(years)):
            found[order] = stamps
    if len(found) != 1:
        return None
    ((order, stamps),) = found.items()
    return stamps, order


def _days(
    years: NDArray[np.int64], months: NDArray[np.int64], days: NDArray[np.int64]
) -> NDArray[np.datetime64] | None:
    """Return the days, or None where one does not exist or lies outside the years 1900 to 2100."""
    if years.min() < 1900 or years.max() > 2100 or months.min() < 1 or months.max() > 12 or days.min() < 1:
        return None
    start: NDArray[np.datetime64] = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    stamps: NDArray[np.datetime64] = start.astype("datetime64[D]") + (days - 1).astype("timedelta64[D]")
    return stamps if bool((stamps.astype("datetime64[M]") == start).all()) else None
