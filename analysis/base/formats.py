"""Text of numbers on pages: rounding, units, lists and plurals. `analysis.base.locales` has the formats of a locale."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel import Locale
from babel.lists import format_list

from analysis.base.disclosure import GROUP, OVER, UNDER
from analysis.base.locales import conventions

ENGLISH = Locale("en", "GB")
"""Language of texts in every locale, and with it of lists and plurals."""

CODED = 1e-6
"""How close a share must be to stand for a code."""

MEDIAN_TELLS = 0.5
"""A difference of means is told by medians where they differ at least this much of it in the same direction. Chosen for
this project."""


def number(x: float, digits: int = 0, sign: str = "") -> str:
    """A number with so many digits after the decimal sign.

    Parameters
    ----------
    x : float
    digits : int
    sign : {"", "+"}
        Whether a plus is written.

    Examples
    --------
    >>> number(1234.5), number(0.5, 2), number(0.5, 1, "+")
    ('1,234', '0.50', '+0.5')
    """
    return conventions().write(f"{x:{sign},.{digits}f}")


def formatted(x: float, spec: str) -> str:
    """A number by a format that Python and charts share.

    >>> formatted(-0.5, "+.2f"), formatted(15149.2, ",.0f")
    ('-0.50', '15,149')
    """
    return conventions().write(format(x, spec))


def significant(x: float, digits: int = 6) -> str:
    """A number to so many digits in all, without thousands.

    >>> significant(0.123456, 3), significant(2.0)
    ('0.123', '2')
    """
    return conventions().write(f"{x:.{digits}g}")


def percentage(x: float, digits: int = 0) -> str:
    """Format a share in per cent with a fixed number of digits.

    >>> percentage(0.95), percentage(0.0312, 1)
    ('95%', '3.1%')
    """
    return conventions().write_percent(f"{100 * x:,.{digits}f}")


def exact_percentage(x: float) -> str:
    """Format a share in per cent to three significant digits, as thresholds are.

    >>> exact_percentage(0.12345), exact_percentage(0.5)
    ('12.3%', '50%')
    """
    return conventions().write_percent(f"{100 * x:.3g}")


def retold(text: str) -> str:
    """A sentence that was stored in English, its decimals as the locale writes them.

    >>> from analysis.base.locales import localized
    >>> with localized("de"):
    ...     retold("0.98 of 3 draws, version 1.2.3")
    '0,98 of 3 draws, version 1.2.3'
    """
    return re.sub(r"(?<![\w.])\d+\.\d+(?!\.?\w)", lambda found: conventions().write(found[0]), text)


@dataclass(frozen=True, slots=True)
class Formats:
    """Number formats of a study.

    Parameters
    ----------
    currency : str
        Symbol or code, placed as the locale does; empty if unknown.
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
        ('46%', '$1,183', '2')
        """
        if x is None or not math.isfinite(x):
            return "–"
        if unit in {"share", "yes_no"}:
            return self.percent(x)
        if unit == "money":
            return self.money(x)
        if unit == "year":
            return f"{x:.0f}"
        if unit in {"days", "years"}:
            text = _plain(x)
            return f"{conventions().write(text)} {plural(text, unit[:-1], unit)}"
        return self.plain(x)

    def interval(self, low: float, high: float, unit: str) -> str:
        """Two ends with their unit, once.

        >>> Formats("$").interval(36.2, 47.4, "money"), Formats().interval(28, 63, "years")
        ('$36.2 to 47.4', '28 to 63 years')
        """
        if unit in {"days", "years"}:
            return f"{self.plain(low)} to {self.value(high, unit)}"
        if unit == "money" and conventions().is_currency_first:
            return f"{self.value(low, unit)} to {self.plain(high)}"
        return f"{self.plain(low) if unit == 'money' else self.value(low, unit)} to {self.value(high, unit)}"

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
        ('mean', '1.2%', '12%')
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
        return conventions().write(_plain(x)) if math.isfinite(x) else "–"

    def money(self, x: float, exact: bool = False) -> str:
        r"""Format an amount with its currency, rounded as `plain` does; ``exact`` to three digits, as thresholds are.

        >>> Formats("EUR").money(-1183.4), Formats("kr").money(42.35), Formats().money(1e5)
        ('-€1,183', 'kr\xa042.4', '100,000')
        """
        text = _exact(x) if exact else _plain(x)
        return conventions().write_money(text, self.currency) if self.currency else conventions().write(text)

    def score(self, x: float) -> str:
        """Three digits after the point, all of them: scores and their differences stand beside each other.

        >>> Formats().score(0.74), Formats().score(-0.0001)
        ('0.740', '0.000')
        """
        return number(round(x, 3) + 0.0, 3)

    def p_value(self, p: float) -> str:
        """A p-value as it is read: three digits, and a bound under them.

        >>> Formats().p_value(0.0412), Formats().p_value(1e-9), Formats().p_value(1.0)
        ('0.041', '< 0.001', '1.000')
        """
        return f"< {number(0.001, 3)}" if p < 0.001 else number(p, 3)

    def effect(self, x: float) -> str:
        """The size of an effect between 0 and 1: two digits.

        >>> Formats().effect(0.4567), Formats().effect(0.001)
        ('= 0.46', '< 0.01')
        """
        return f"< {number(0.01, 2)}" if x < 0.01 else f"= {number(x, 2)}"

    def percent(self, x: float) -> str:
        """A share as a percentage; the sign stays on the number's line.

        >>> [Formats().percent(x) for x in (0.3, 0.0312, 0.004)]
        ['30%', '3.1%', '0.4%']
        """
        return coded_share(x) or percentage(x, _share_digits(x))

    def whole_percent(self, x: float) -> str:
        """A share to the whole percent, for sentences; what is there but rounds to none keeps a digit.

        >>> [Formats().whole_percent(x) for x in (0.0588, 0.0012, 0)]
        ['6%', '0.1%', '0%']
        """
        return self.percent(x) if 0 < x < 0.005 or coded_share(x) else percentage(round(x, 2))

    def rounding_note(self, *wholes: Sequence[float]) -> str:
        r"""Say that printed shares of a whole need not add up, where those of one of these do not.

        Parameters
        ----------
        *wholes : sequence of float
            Shares of one whole each; those that are no parts of one whole are not looked at.

        Returns
        -------
        str
            A sentence; empty where the printed shares of each add up to 100.

        Examples
        --------
        >>> Formats().rounding_note([1 / 3] * 3), Formats().rounding_note([0.5, 0.5], [0.2])
        ('Percentages are rounded, so they need not add up to 100%.', '')
        """
        for shares in wholes:
            total = sum(round(100 * x, _share_digits(x)) for x in shares)
            if abs(sum(shares) - 1) < 1e-4 and abs(total - 100) > 0.05:
                return f"Percentages are rounded, so they need not add up to {percentage(1)}."
        return ""

    def date(self, day: str) -> str:
        """A day or a month, given as ISO text; an en dash where there is none.

        >>> Formats().date("2014-06-29"), Formats().date("2012-07"), Formats().date("")
        ('2014-06-29', '2012-07', '–')
        """
        if not day:
            return "–"
        if len(day) == len("2012-07"):
            return conventions().write_month(dt.date.fromisoformat(f"{day}-01"))
        return conventions().write_day(dt.date.fromisoformat(day[:10]))

    def people(self, n: int) -> str:
        """A count of customers; small ones are not told apart.

        >>> Formats().people(2240), Formats().people(3), Formats().people(0)
        ('2,240', 'fewer than 10', '0')
        """
        return f"fewer than {self.min_cell}" if 0 < n < self.min_cell else number(n)

    def about(self, n: int) -> str:
        """A count to two digits, where the exact one could be subtracted from another.

        >>> Formats().about(2357), Formats().about(946)
        ('about 2,400', 'about 950')
        """
        return f"about {number(float(f'{n:.2g}'))}"

    def times(self, ratio: float) -> str:
        r"""How a value compares with everyone's, in words.

        >>> [Formats().times(x) for x in (2.04, 1.02, 0.25)]
        ['2 times', 'about the same as', '25% of']
        """
        if abs(ratio - 1) < 0.05:
            return "about the same as"
        return f"{self.plain(round(ratio, 1))} times" if ratio > 1 else f"{self.percent(ratio)} of"


def coded_share(x: float) -> str:
    """Return the words for a sensitive share that is not told exactly; empty for any other.

    >>> coded_share(UNDER), coded_share(1 - UNDER), coded_share(0.1)
    ('under 10%', 'over 90%', '')
    """
    if abs(x - UNDER) < CODED:
        return f"under {percentage(GROUP)}"
    return f"over {percentage(1 - GROUP)}" if abs(x - OVER) < CODED else ""


def _plain(x: float) -> str:
    """Three significant digits under 100, whole numbers above, as Python formats them."""
    if abs(x) >= 100 or x == round(x):
        return f"{x + 0.0:,.0f}"
    digits = 1 if abs(x) >= 10 else 2 if abs(x) >= 1 else 3
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _exact(x: float) -> str:
    """Three digits under 100, whole numbers above, as Python formats them."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def _share_digits(x: float) -> int:
    """Digits after the point of a share in per cent: one under ten, none for a whole number."""
    return 0 if abs(100 * x) >= 9.95 or abs(100 * x - round(100 * x)) < CODED else 1


def short_percentage(x: float) -> str:
    """Format a rate in per cent: whole, with one digit only under ten where it is not whole.

    >>> short_percentage(0.32), short_percentage(0.035), short_percentage(0.05)
    ('32%', '3.5%', '5%')
    """
    points = round(100 * x, 1)
    return percentage(x, 0 if points == round(points) or points >= 10 else 1)


PLURALS = frozenset(("children", "kids", "people", "teenagers"))
"""Plural nouns without an s."""
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def beside(value: float, bound: float) -> str:
    """Two digits; a third where the value would otherwise read as the bound that it misses.

    >>> beside(0.848, 0.85), beside(0.7, 0.85), beside(0.852, 0.85)
    ('0.848', '0.70', '0.85')
    """
    text = number(value, 2)
    return number(value, 3) if value < bound and text == number(bound, 2) else text


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


def joined(parts: Sequence[str]) -> str:
    """A list as a sentence part.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return format_list(parts, locale=ENGLISH)


@lru_cache(maxsize=4096)
def plural(n: float | str, one: str, other: str) -> str:
    """Return the form of a noun after a number.

    >>> plural(1, "day", "days"), plural(0, "day", "days"), plural("1.5", "day", "days")
    ('day', 'days', 'days')
    """
    number = Decimal(n.replace(",", "")) if isinstance(n, str) else n
    return one if ENGLISH.plural_form(number) == "one" else other


def and_more(labels: Sequence[str]) -> str:
    """The first of several labels, with the number of the others.

    >>> and_more(["Income"]), and_more(["Price", "Quality", "Advice"])
    ('Income', 'Price and 2 more')
    """
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"


def rounded(value: float) -> float:
    """Round a figure for reading: two digits, three from a thousand to ten thousand.

    >>> [rounded(x) for x in (1183.4, 396, 73_700, 68.2, 4.26, 0.374, 0)]
    [1180, 400, 74000, 68, 4.3, 0.37, 0]
    """
    size = abs(value)
    if size < 10:
        return round(value, 2 if size < 1 else 1) or 0
    if size < 100:
        return round(value)
    step = 10 ** (math.floor(math.log10(size)) - (2 if 1_000 <= size < 10_000 else 1))
    return round(value / step) * step


def is_plural(text: str) -> bool:
    """Guess whether a noun phrase is plural from its last word before a preposition.

    >>> [is_plural(x) for x in ("stores", "the website", "Products used", "fruit, fish and sweets", "NPS")]
    [True, False, True, True, False]
    """
    if "," in text or " and " in text:
        return True
    words = re.split(r" (?:of|in|at|per|on|by|last) ", text)[0].split()
    if not words or (len(words[-1]) > 1 and words[-1].isupper()):
        return False
    nouns = [word for word in words if not word.endswith("ed")] or words
    last = nouns[-1].casefold()
    return last in PLURALS or (last.endswith("s") and not last.endswith("ss"))
