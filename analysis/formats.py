"""How numbers read on a page: rounding, units and plurals in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MEDIAN_TELLS = 0.5
"""A difference of means is told by medians where they differ at least this much of it in the same direction. Ours."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Number formats of a study.

    Parameters
    ----------
    currency : str
        Symbol set before an amount; empty where the data state none.
    customers : str
        What a row is called, plural.
    min_cell : int
        Counts under it are not printed.
    """

    currency: str = ""
    customers: str = "customers"
    min_cell: int = 10

    def value(self, x: float | None, unit: str) -> str:
        r"""A number with its unit; an en dash where there is none.

        >>> Formats().value(0.4567, "share"), Formats("$").value(1183.4, "money"), Formats().value(2, "count")
        ('46\xa0%', '$1,183', '2')
        """
        if x is None or not math.isfinite(x):
            return "–"
        if unit in {"share", "yes_no"}:
            return self.percent(x)
        if unit == "money":
            return f"{self.currency}{self.plain(x)}"
        if unit == "year":
            return f"{x:.0f}"
        if unit in {"days", "years"}:
            text = self.plain(x)
            return f"{text} {unit[:-1] if text == '1' else unit}"
        return self.plain(x)

    def interval(self, low: float, high: float, unit: str) -> str:
        """Two ends with their unit, once.

        >>> Formats("$").interval(36.2, 47.4, "money"), Formats().interval(28, 63, "years")
        ('$36.2 to 47.4', '28 to 63 years')
        """
        if unit in {"days", "years"}:
            return f"{self.plain(low)} to {self.value(high, unit)}"
        return f"{self.value(low, unit)} to {self.plain(high) if unit == 'money' else self.value(high, unit)}"

    def told(
        self, unit: str, here: tuple[float, float], everyone: tuple[float, float]
    ) -> tuple[Literal["share", "median", "mean"], str, str] | None:
        r"""How a difference of means can be told: by a share of yes, by medians, or by means where medians hide it.

        Parameters
        ----------
        unit : str
        here, everyone : (mean, median)

        Returns
        -------
        (measure, here, everyone) or None
            None where both sides would read alike.

        Examples
        --------
        >>> Formats().told("share", (0.012, 0.0), (0.12, 0.0))
        ('mean', '1.2 %', '12 %')
        >>> Formats().told("count", (5.2, 5.0), (11.0, 10.0))
        ('median', '5', '10')
        """
        (mean, median), (base_mean, base_median) = here, everyone
        moved, shown = mean - base_mean, median - base_median
        if unit == "yes_no":
            texts = ("share", self.percent(mean), self.percent(base_mean))
        elif shown * moved > 0 and abs(shown) >= MEDIAN_TELLS * abs(moved):
            texts = ("median", self.value(median, unit), self.value(base_median, unit))
        else:
            texts = ("mean", self.value(mean, unit), self.value(base_mean, unit))
        return texts if texts[1] != texts[2] else None

    def plain(self, x: float) -> str:
        """Three significant digits under 100, whole numbers above.

        >>> [Formats().plain(x) for x in (12345.6, 42.35, 7.0, 0.1234)]
        ['12,346', '42.4', '7', '0.123']
        """
        if not math.isfinite(x):
            return "–"
        if abs(x) >= 100 or x == round(x):
            return f"{x + 0.0:,.0f}"
        digits = 1 if abs(x) >= 10 else 2 if abs(x) >= 1 else 3
        text = f"{x:,.{digits}f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    def score(self, x: float) -> str:
        """Three digits after the point, all of them: scores and their differences stand beside each other.

        >>> Formats().score(0.74), Formats().score(-0.0001)
        ('0.740', '0.000')
        """
        return f"{round(x, 3) + 0.0:.3f}"

    def p_value(self, p: float) -> str:
        """A p-value as it is read: three digits, and a bound under them.

        >>> Formats().p_value(0.0412), Formats().p_value(1e-9), Formats().p_value(1.0)
        ('0.041', '< 0.001', '1.000')
        """
        return "< 0.001" if p < 0.001 else f"{p:.3f}"

    def effect(self, x: float) -> str:
        """The size of an effect between 0 and 1: two digits.

        >>> Formats().effect(0.4567), Formats().effect(0.001)
        ('= 0.46', '< 0.01')
        """
        return "< 0.01" if x < 0.01 else f"= {x:.2f}"

    def percent(self, x: float) -> str:
        r"""A share as a percentage; the sign stays on the number's line.

        >>> [Formats().percent(x) for x in (0.3, 0.0312, 0.004)]
        ['30\xa0%', '3.1\xa0%', '0.4\xa0%']
        """
        points = 100 * x
        digits = 0 if abs(points) >= 9.95 or points == 0 else 1
        return f"{points:.{digits}f}\N{NO-BREAK SPACE}%"

    def date(self, day: str) -> str:
        r"""A day or a month, given as ISO text; an en dash where there is none.

        >>> Formats().date("2014-06-29"), Formats().date("2012-07"), Formats().date("")
        ('2014-06-29', '2012-07', '–')
        """
        return day or "–"

    def people(self, n: int) -> str:
        """A count of customers; small ones are not told apart.

        >>> Formats().people(2240), Formats().people(3), Formats().people(0)
        ('2,240', 'fewer than 10', '0')
        """
        return f"fewer than {self.min_cell}" if 0 < n < self.min_cell else f"{n:,}"

    def about(self, n: int) -> str:
        """A count to two digits, where the exact one could be subtracted from another.

        >>> Formats().about(2357), Formats().about(946)
        ('about 2,400', 'about 950')
        """
        return f"about {float(f'{n:.2g}'):,.0f}"

    def times(self, ratio: float) -> str:
        r"""How a value compares with everyone's, in words.

        >>> [Formats().times(x) for x in (2.04, 1.02, 0.25)]
        ['2 times', 'about the same as', '25\xa0% of']
        """
        if abs(ratio - 1) < 0.05:
            return "about the same as"
        return f"{self.plain(round(ratio, 1))} times" if ratio > 1 else f"{self.percent(ratio)} of"


def number(x: float, spec: str) -> str:
    """A number by a format of Python's.

    >>> number(1234.5, ",.1f"), number(0.5, ".2f")
    ('1,234.5', '0.50')
    """
    return format(x, spec)


_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def beside(value: float, bound: float) -> str:
    """Two digits; a third where the value would otherwise read as the bound that it misses.

    >>> beside(0.848, 0.85), beside(0.7, 0.85), beside(0.852, 0.85)
    ('0.848', '0.70', '0.85')
    """
    text = f"{value:.2f}"
    return f"{value:.3f}" if value < bound and text == f"{bound:.2f}" else text


def in_words(n: int) -> str:
    """Numbers up to ten as words.

    >>> in_words(4), in_words(12)
    ('four', '12')
    """
    return _SMALL[n] if 0 <= n < len(_SMALL) else str(n)


def unit_beside(label: str, unit: str) -> str:
    """The unit of a number that stands beside its label: not told twice.

    >>> unit_beside("Days since enrolment", "days"), unit_beside("Age", "years")
    ('number', 'years')
    """
    return "number" if unit in {"days", "years"} and label.lower().startswith(unit) else unit


def in_sentence(label: str) -> str:
    """A label within a sentence: without its capital, unless it is an abbreviation or a column's own name.

    >>> in_sentence("Total spend"), in_sentence("RFM cells"), in_sentence("MntWines bought")
    ('total spend', 'RFM cells', 'MntWines bought')
    """
    first = label.split(" ", 1)[0]
    named = any(c.isupper() or c.isdigit() or c == "_" for c in first[1:])
    return label if named else label[:1].lower() + label[1:]


def joined(parts: list[str]) -> str:
    """A list as a sentence part.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def and_more(labels: Sequence[str]) -> str:
    """The first of several labels, with the number of the others.

    >>> and_more(["Income"]), and_more(["Price", "Quality", "Advice"])
    ('Income', 'Price and 2 more')
    """
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"
