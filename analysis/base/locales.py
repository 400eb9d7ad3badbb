"""Formats of numbers, money, percentages and dates of a locale, from the symbols and patterns of Babel (CLDR)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import format_date
from babel.numbers import (
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
    get_plus_sign_symbol,
)

from analysis.base.errors import did_you_mean

NOT_WITHIN_NUMBER = r"(?!(?<=\d[.,\u00a0\u202f\u2009 '\u2019\u060c\u2e41])\d{3}\b)"
"""Part of a pattern, before digits: they are not the last group of a larger number, in any locale."""
_ISO_DAY, _ISO_MONTH = "yyyy-MM-dd", "yyyy-MM"
_DIRECTIVES = {"d": "%-d", "dd": "%d", "M": "%-m", "MM": "%m", "MMM": "%b", "y": "%Y", "yyyy": "%Y"}
_CURRENCY_SIGN = "\N{CURRENCY SIGN}"
_TAG: ContextVar[str] = ContextVar("locale", default="en")


@dataclass(frozen=True, slots=True)
class Affixes:
    """Text before and after a number.

    Parameters
    ----------
    before, after : (str, str)
        Of numbers that are not negative, and of negative ones.
    """

    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Conventions:
    """Formats of numbers and dates of a locale, always with the digits 0 to 9.

    Symbols and patterns come from Babel and are combined here: Babel's own formatters take ten times as long, and
    they read the apostrophes of 1'234'567 in Swiss locales as quotes.

    Parameters
    ----------
    locale : babel.Locale
    decimal, group, minus, plus : str
    grouping : (int, int)
        Digits of the last group and of those before it.
    percent, currency : Affixes
    day, month : str
        Patterns of dates: those of CLDR that contain digits only, as texts are English. English ones name the month,
        and English without a country is ISO 8601, as countries differ in the order of day and month.
    """

    locale: Locale
    decimal: str
    group: str
    minus: str
    plus: str
    grouping: tuple[int, int]
    percent: Affixes
    currency: Affixes
    day: str
    month: str

    def write(self, text: str) -> str:
        """Convert a number that Python formatted, with groups if it has commas.

        >>> conventions_of("en-IN").write("1,234,567.5"), conventions_of("pt-BR").write("-1,234,567")
        ('12,34,567.5', '-1.234.567')
        """
        sign = text[:1]
        if sign == "-":
            return self.minus + self._unsigned(text[1:])
        return self.plus + self._unsigned(text[1:]) if sign == "+" else self._unsigned(text)

    def _unsigned(self, text: str) -> str:
        whole, point, rest = text.partition(".")
        if "," in whole:
            whole = self._grouped(whole.replace(",", ""))
        return f"{whole}{self.decimal}{rest}" if point else whole

    def _grouped(self, digits: str) -> str:
        last, others = self.grouping
        if len(digits) <= last:
            return digits
        parts, left = [digits[-last:]], digits[:-last]
        while left:
            parts.append(left[-others:])
            left = left[:-others]
        return self.group.join(reversed(parts))

    def write_percent(self, text: str) -> str:
        r"""Convert a number of per cent that Python formatted, with the sign where the locale puts it.

        >>> [conventions_of(tag).write_percent("46.5") for tag in ("en", "de", "tr")]
        ['46.5%', '46,5\xa0%', '%46,5']
        """
        return self._around(self.percent, text)

    def write_money(self, text: str, currency: str) -> str:
        r"""Convert an amount that Python formatted, with the symbol where the locale puts it.

        Parameters
        ----------
        text : str
        currency : str
            Symbol or ISO 4217 code.

        Examples
        --------
        >>> [conventions_of(tag).write_money("-1,183", "EUR") for tag in ("en", "de", "pt-BR")]
        ['-€1,183', '-1.183\xa0€', '-€\xa01.183']
        >>> conventions_of("en").write_money("5", "SGD")
        'SGD\xa05'
        """
        symbol = get_currency_symbol(currency, self.locale)
        written = self._around(self.currency, text)
        # CLDR's currencySpacing: letters do not touch the digits.
        if symbol[-1:].isalpha():
            written = re.sub(rf"{_CURRENCY_SIGN}(?=\d)", f"{_CURRENCY_SIGN}\N{NO-BREAK SPACE}", written)
        if symbol[:1].isalpha():
            written = re.sub(rf"(?<=\d){_CURRENCY_SIGN}", f"\N{NO-BREAK SPACE}{_CURRENCY_SIGN}", written)
        return written.replace(_CURRENCY_SIGN, symbol)

    def _around(self, affixes: Affixes, text: str) -> str:
        below = text.startswith("-")
        before, after = (part[below].replace("-", self.minus) for part in (affixes.before, affixes.after))
        return f"{before}{self.write(text.removeprefix('-'))}{after}"

    @property
    def is_currency_first(self) -> bool:
        """Whether the symbol stands before the amount."""
        return _CURRENCY_SIGN in self.currency.before[0]

    def write_day(self, day: dt.date) -> str:
        """Format a day.

        >>> day = dt.date(2014, 6, 29)
        >>> [conventions_of(tag).write_day(day) for tag in ("en", "en-US", "en-GB", "de", "pt-BR")]
        ['2014-06-29', 'Jun 29, 2014', '29 Jun 2014', '29.06.2014', '29/06/2014']
        """
        return format_date(day, self.day, locale=self.locale)

    def write_month(self, day: dt.date) -> str:
        """Format the month of a day.

        >>> [conventions_of(tag).write_month(dt.date(2014, 6, 29)) for tag in ("en", "en-GB", "de", "fr-CH")]
        ['2014-06', 'Jun 2014', '6/2014', '06.2014']
        """
        return format_date(day, self.month, locale=self.locale)

    def read(self, text: str) -> str:
        """Convert the numbers in a text to English ones and keep the rest.

        >>> conventions_of("de").read("1.234,5 of 12.34"), conventions_of("en-IN").read("1,20,000")
        ('1,234.5 of 12.34', '120,000')
        """
        return _numbers(self.group, self.decimal).sub(self._in_english, text)

    def _in_english(self, found: re.Match[str]) -> str:
        whole, rest = found["whole"], found["rest"]
        if self.group in whole:
            digits = whole.replace(self.group, "")
            if self._grouped(digits) != whole:
                return found[0]
            whole = f"{int(digits):,}"
        return f"{whole}.{rest}" if rest else whole

    def number_locale(self) -> dict[str, Any] | None:
        """Return the locale as charts take it for numbers (d3-format); None for that of US English, their default."""
        last, others = self.grouping
        after = self.percent.after[0] or "%"
        if (self.decimal, self.group, last, others, after) == (".", ",", 3, 3, "%"):
            return None
        return {
            "decimal": self.decimal,
            "thousands": self.group,
            # d3 begins anew at the end of the list.
            "grouping": [last] if last == others else [last, *[others] * 9],
            "currency": ["", ""],
            "percent": after,
        }

    def time_locale(self) -> dict[str, Any] | None:
        """Return the locale as charts take it for dates (d3-time-format); None for English without a country.

        Names of days and months are English in every locale, as all texts are.

        >>> conventions_of("de").time_locale()["date"], conventions_of("en-GB").time_locale()["date"]
        ('%d.%m.%Y', '%-d %b %Y')
        """
        english = Locale("en")
        if self.locale == english:
            return None
        words = self.locale if self.locale.language == "en" else english
        days, months = words.days["format"], words.months["format"]
        sunday_first = (6, 0, 1, 2, 3, 4, 5)
        date = re.sub("d+|M+|y+", lambda field: _DIRECTIVES[field[0]], self.day)
        return {
            "dateTime": f"{date} %H:%M:%S",
            "date": date,
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": [days["wide"][i] for i in sunday_first],
            "shortDays": [days["abbreviated"][i] for i in sunday_first],
            "months": [months["wide"][i] for i in range(1, 13)],
            "shortMonths": [months["abbreviated"][i] for i in range(1, 13)],
        }


@lru_cache
def _numbers(group: str, decimal: str) -> re.Pattern[str]:
    each, point = re.escape(group), re.escape(decimal)
    return re.compile(rf"(?<!\d)(?P<whole>\d+(?:{each}\d{{2,3}}(?!\d))*)(?:{point}(?P<rest>\d+))?")


@lru_cache
def conventions_of(tag: str) -> Conventions:
    """Look up the formats of a locale, once in a process.

    Parameters
    ----------
    tag : str
        A BCP-47 tag that `check_tag` accepts.
    """
    locale = Locale.parse(tag, sep="-")
    percent, currency = locale.percent_formats[None], locale.currency_formats["standard"]
    day, month = _date_patterns(locale)
    return Conventions(
        locale,
        get_decimal_symbol(locale),
        get_group_symbol(locale),
        get_minus_sign_symbol(locale),
        get_plus_sign_symbol(locale),
        locale.decimal_formats[None].grouping,
        Affixes(percent.prefix, percent.suffix),
        Affixes(currency.prefix, currency.suffix),
        day,
        month,
    )


def _date_patterns(locale: Locale) -> tuple[str, str]:
    """Return the patterns of a day and of a month."""
    if locale == Locale("en"):
        return _ISO_DAY, _ISO_MONTH
    day, skeletons = locale.date_formats["medium"].pattern, locale.datetime_skeletons
    if locale.language == "en":
        return day, skeletons["yMMM"].pattern
    days, months = (day, skeletons["yMd"].pattern, _ISO_DAY), (skeletons["yM"].pattern, _ISO_MONTH)
    return next(filter(_has_no_word, days)), next(filter(_has_no_word, months))


def _has_no_word(pattern: str) -> bool:
    return "MMM" not in pattern and not any(c.isalpha() for c in pattern if c not in "dMy")


def check_tag(tag: str) -> str:
    """Return a BCP-47 tag in its usual capitals.

    Raises
    ------
    ValueError
        If Babel has no such locale, with similar ones.

    Examples
    --------
    >>> check_tag("PT-br"), check_tag("zh-hant-tw")
    ('pt-BR', 'zh-Hant-TW')
    >>> check_tag("en_UK")
    Traceback (most recent call last):
    ValueError: 'en_UK' is not a known locale. Use a BCP-47 tag such as en, de, fr-CH or pt-BR. Did you mean 'en-...
    """
    known = {each.replace("_", "-").lower(): each.replace("_", "-") for each in localedata.locale_identifiers()}
    if (usual := known.get(tag.lower())) and usual != "root":
        return usual
    try:
        # Names that the list has in a longer form: zh-TW is zh-Hant-TW there.
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = None
    parts = re.split("[-_]", tag)
    if locale and locale.language == parts[0].lower() and locale.territory == parts[-1].upper():
        return str(locale).replace("_", "-")
    hint = did_you_mean(tag.replace("_", "-").lower(), known)
    hint = re.sub("'(.+)'", lambda near: f"'{known[near[1]]}'", hint)
    raise ValueError(f"{tag!r} is not a known locale. Use a BCP-47 tag such as en, de, fr-CH or pt-BR. {hint}".rstrip())


@contextmanager
def localized(tag: str) -> Iterator[Conventions]:
    """Format numbers and dates for a locale within the context.

    Parameters
    ----------
    tag : str
        A BCP-47 tag that `check_tag` accepts.

    Examples
    --------
    >>> with localized("de"):
    ...     conventions().write("1,234.5")
    '1.234,5'
    """
    token = _TAG.set(tag)
    try:
        yield conventions()
    finally:
        _TAG.reset(token)


def conventions() -> Conventions:
    """Return the formats of the locale of this context; English by default."""
    return conventions_of(_TAG.get())
