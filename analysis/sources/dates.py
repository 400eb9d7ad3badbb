"""Dates in text, with the order of day and month inferred from the whole column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.base.formats import number
from analysis.sources.forms.digits import read_digits
from analysis.sources.forms.month_names import month_names
from analysis.sources.names import is_identifier, names_a_date, names_a_version

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

DateOrder = Literal["auto", "day-first", "month-first", "iso"]
DayMonth = Literal["day-first", "month-first"]

YEARS = (1800, 2200)

_CLOCK = (
    r"(?P<hour>\d{1,2})\s?[:h.]\s?(?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s?(?:Uhr|uhr|h|uur|u))?"
)
_TIME = rf"(?:(?:[ T,:]+|,? (?:à|at|um|om|alle ore|ore|alle|a las|às|-) ){_CLOCK})?\s*(?P<half>[AaPp]\.? ?[Mm]\.?)?"
_ABBREVIATION = "UTC|GMT|WET|WEST|CET|CEST|MEZ|MESZ|EET|EEST|MSK|BST|IST|EST|EDT|CST|CDT|MST|MDT|PST|PDT|JST|AEST|AEDT"
_PLACE = r"\[?[A-Z][A-Za-z]+/[A-Za-z_/]+\]?"
_ZONE = rf"\s*(?:Z|(?:UTC|GMT)?(?P<zone>[+-]\d{{2}}):?(?P<zone_minute>\d{{2}})?|\(?(?:{_ABBREVIATION})\)?|{_PLACE})?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_LETTER = r"[^\s\d.,;:/()'\"-]"
_NAME = rf"(?P<name>{_LETTER}{{3,12}})\.?"
_WEEKDAY = rf"(?:{_LETTER}{{2,12}}\.?,?\s+)?"
_FORMS = {
    "year first": rf"^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})\.?{_TIME}{_ZONE}$",
    "compact": (
        r"^(?P<year>(?:0001|1[89]\d\d|2[01]\d\d|9999))(?P<month>\d{2})(?P<day>\d{2})"
        r"(?:T?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})Z?)?$"
    ),
    "day of the year": r"^(?P<year>(?:19|20)\d\d)(?P<nth>[0-3]\d\d)$",
    "numbers": rf"^{_WEEKDAY}(?P<first>\d{{1,2}})[-/. ](?P<second_>\d{{1,2}})[-/. ]{_YEAR}{_TIME}{_ZONE}$",
    "day, month name": (
        rf"^{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°)?[-/. ]*(?:de |of )?{_NAME}[-/. ,]*(?:de |del )?"
        rf"{_YEAR}{_TIME}{_ZONE}$"
    ),
    "month name, day": (
        rf"^{_WEEKDAY}{_NAME}[-/. ]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[, ]+(?P<year>\d{{4}}){_TIME}{_ZONE}$"
    ),
    "month name, time, year": rf"^{_LETTER}{{3}} {_NAME} +(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE} (?P<year>\d{{4}})$",
    "characters": rf"^(?P<year>\d{{4}})\s*[年년]\s*(?P<month>\d{{1,2}})\s*[月월]\s*(?P<day>\d{{1,2}})\s*[日일]{_TIME}$",
    "weeks": r"^(?P<year>(?:19|20)\d\d)[-/ ]?(?:W|KW|S|w|kw)[-/ ]?(?P<week>\d{1,2})$",
    "weeks, year last": (
        r"^(?:W|KW|S|w|kw|Week|Woche|Semaine|Semana|Settimana)\.?[-/ ]?(?P<week>\d{1,2})[-/ ]+(?P<year>(?:19|20)\d\d)$"
    ),
    "quarters": r"^(?P<year>(?:19|20)\d\d)[-/ ]?(?:Q|T|K)(?P<quarter>[1-4])$",
    "quarters, year last": r"^(?:Q|T|K)(?P<quarter>[1-4])[-/ ]+(?P<year>(?:19|20)\d\d)$",
    "quarters in words": r"^(?P<quarter>[1-4])\. ?(?:Quartal|Q|kwartaal|trimestre)[-/ ]+(?P<year>(?:19|20)\d\d)$",
    "months, year last": r"^(?P<month>0?[1-9]|1[0-2])[-/.](?P<year>(?:19|20)\d\d)$",
    "months": r"^(?P<year>(?:19|20)\d\d)[-/]?(?P<month>0[1-9]|1[0-2])$",
    "month names": rf"^{_NAME}[-/. ]+(?:de )?(?P<year>\d{{4}})$",
    "month names, short years": rf"^{_NAME}[-/. ']+(?P<year>\d\d)$",
}
_TOLD = {
    "year first": "year first",
    "compact": "dates written as YYYYMMDD",
    "characters": "year first",
    "months": "months, read as their first day",
    "month names": "months, read as their first day",
    "month names, short years": "months, read as their first day",
    "day of the year": "days counted within the year",
    "weeks": "weeks, read as their Monday",
    "weeks, year last": "weeks, read as their Monday",
    "quarters": "quarters, read as their first day",
    "quarters, year last": "quarters, read as their first day",
    "quarters in words": "quarters, read as their first day",
    "months, year last": "months, read as their first day",
}
_TRIED = 40
"""Distinct texts of which one has to have a form for all to be tried. Chosen for this project."""
_SHORT, _MOST_YEARS = "month names, short years", 12
"""Months with years of two digits, and how many such years they have at most: more are days of a month."""
_ZERO = r"^(?:0{1,4}[-/.]0{1,2}[-/.]0{1,4}(?:[ T]00:00(?::00(?:\.0+)?)?)?|0)$"
_SENTINELS = ("1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "2099-12-31", "2100-01-01")
_SERIAL = 5
"""Digits of a spreadsheet's days."""
_EPOCHS = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""Digits of moments counted from 1970, and how many of them make a second."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Distinct texts read as dates.

    Attributes
    ----------
    stamps : ndarray of datetime64[s], one a distinct text
        NaT where the text is no date, or one outside the years 1800 to 2200.
    order : {"day-first", "month-first", ""}
        Of the two numbers, where that had to be decided.
    is_open : bool
        Whether the values fit both orders.
    evidence : str
        The form, and the evidence for the order.
    outside, isolated, bad : ndarray of bool
        Dates outside the years 1800 to 2200; dates too far from all others to be meant; texts that are no date.
    """

    stamps: np.ndarray
    order: DayMonth | Literal[""]
    is_open: bool
    evidence: str
    outside: np.ndarray
    isolated: np.ndarray
    bad: np.ndarray


def read_dates(
    texts: pa.Array, weights: np.ndarray, order: DateOrder = "auto", floor: float = 0.98, name: str = ""
) -> Dates | None:
    """Read distinct texts as dates of one form, or return None if they are not.

    Parameters
    ----------
    texts : pyarrow.Array of str, length m
    weights : ndarray of int, length m
        How often each text occurs.
    order : {"auto", "day-first", "month-first", "iso"}
    floor : float
        Share of the rows that must be dates.
    name : str
        Of the column: numbers are moments only where it says so.
    """
    if _matches(texts.slice(0, 200), r"[\x{a0}\x{202f}]").any():
        texts = pc.replace_substring_regex(texts, r"[\x{a0}\x{202f}]", " ")
    counted = _read_counted(texts, weights, name, floor) or _read_digits(texts, name)
    if counted is not None or names_a_version(name):
        return counted
    forms = _forms_of(texts, order)
    zero = _matches(texts, _ZERO) if forms else np.ones(len(texts), bool)
    total = weights[~zero].sum()
    if not total or weights[zero].sum() > total:
        return None
    for form, pattern in forms.items():
        parts = pc.extract_regex(texts, pattern)
        fits = parts.is_valid().to_numpy(zero_copy_only=False)
        if weights[fits].sum() < floor * total:
            continue
        day_month, evidence, is_open = "", _TOLD.get(form, f"dates as {form}"), False
        if not _may_have_form(form, texts, fits, name):
            continue
        if form == "numbers" and order == "auto" and _year_first(parts, fits):
            day_month, evidence = "year-first", "year first, with two digits"
        elif form == "numbers":
            decided = _day_month(parts, weights, fits, order)
            if decided is None or (decided[2] and _could_be_versions(texts, fits, name)):
                return None
            day_month, evidence, is_open = decided
        stamps, two_digit = _stamps(parts, form, day_month)
        bad = np.isnat(stamps)
        years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
        outside = ~bad & ((years < YEARS[0]) | (years > YEARS[1]))
        if weights[~bad].sum() < floor * total or (form == "compact" and bad.any()) or outside[~bad].all():
            continue
        isolated = _isolated(np.where(outside, np.datetime64("NaT", "s"), stamps), weights)
        evidence += "; two-digit years: 69 to 99 are 1969 to 1999" if two_digit else ""
        stamps = np.where(outside | isolated, np.datetime64("NaT", "s"), stamps)
        day_month = "" if day_month == "year-first" else day_month
        return Dates(stamps, day_month, is_open, evidence, outside, isolated, bad)
    return None


def _forms_of(texts: pa.Array, order: DateOrder) -> dict[str, str]:
    """Return the forms that one of the first texts has."""
    head = texts.slice(0, _TRIED).to_pylist()
    allowed = {form: pattern for form, pattern in _FORMS.items() if order != "iso" or form in _TOLD}
    return {form: pattern for form, pattern in allowed.items() if any(re.match(pattern, text) for text in head)}


def look_like_dates(texts: pa.Array) -> np.ndarray:
    """Return whether each text has the form of a date, whether or not the date exists."""
    known = np.zeros(len(texts), bool)
    head = texts.slice(0, 200).to_pylist()
    for pattern in _FORMS.values():
        if not any(re.match(pattern, text) for text in head):
            continue
        known |= pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return known


def _matches(texts: pa.Array, pattern: str) -> np.ndarray:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False)


def _months(words: pa.Array) -> np.ndarray:
    """Return the month of each name as a number; 0 for another word."""
    names = month_names()
    encoded = words.dictionary_encode()
    texts = [word.lower() if word else "" for word in encoded.dictionary.to_pylist()]
    numbers = [names.get(text) or names.get(text[:3], 0) for text in texts]
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.array([*numbers, 0], np.int64)[codes]


def _read_counted(texts: pa.Array, weights: np.ndarray, name: str, floor: float) -> Dates | None:
    """Read seconds, milli-, micro- or nanoseconds since 1970, and days of a spreadsheet since 1900."""
    head = texts.slice(0, 50)
    if not pc.all(pc.match_substring_regex(head, r"^\d+(?:[.,]\d+)?$")).as_py():
        return None
    if not {len(re.split("[.,]", text)[0]) for text in head.to_pylist()} & {_SERIAL, *_EPOCHS}:
        return None
    zero = _matches(texts, r"^0(?:\.0+)?$")
    if zero.all():
        return None
    if _matches(head, ",").any():
        texts = pc.replace_substring(texts, ",", ".")
    fits = _matches(texts, r"^[1-9]\d{4,18}(?:\.\d+)?$")
    if weights[fits].sum() < floor * weights[~zero].sum():
        return None
    plain_texts = pc.if_else(pa.array(fits), texts, pa.scalar(None, texts.type))
    values = pc.cast(plain_texts, pa.float64()).to_numpy(zero_copy_only=False)
    digits = len(str(int(np.nanmax(values))))
    moments = names_a_date(name, clock=True) and not is_identifier(name)
    if (
        digits == _SERIAL
        and names_a_date(name)
        and moments
        and np.nanmin(values) >= 20_000
        and np.nanmax(values) < 75_000
    ):
        seconds, evidence = (values - 25_569) * 86_400, "days counted by a spreadsheet since 1900"
    elif digits in _EPOCHS:
        seconds = values / _EPOCHS[digits]
        whole_days = fits.sum() >= 10 and bool((seconds[fits] % 86_400 == 0).all())
        recent = np.nanmin(seconds) >= 631_152_000 and np.nanmax(seconds) < 2_208_988_800
        if not recent or not (moments or whole_days):
            return None
        unit = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}[_EPOCHS[digits]]
        evidence = f"{unit} counted since 1970"
    else:
        return None
    missing = ~fits
    stamps = np.round(np.where(missing, 0, seconds)).astype(np.int64).astype("datetime64[s]")
    stamps = np.where(missing, np.datetime64("NaT", "s"), stamps)
    none = np.zeros(len(stamps), bool)
    return Dates(stamps, "", False, evidence, none, none, missing)


def _read_digits(texts: pa.Array, name: str) -> Dates | None:
    """Read digits alone as days, where the name of the column says that it holds dates."""
    if not names_a_date(name) or is_identifier(name):
        return None
    known = _matches(texts, r"^\d{5,8}$")
    if not known.any() or not (known | _matches(texts, _ZERO)).all():
        return None
    read = read_digits(texts.filter(pa.array(known)).to_pylist())
    if read is None:
        return None
    stamps = np.full(len(texts), np.datetime64("NaT", "s"))
    stamps[known] = read[0].astype("datetime64[s]")
    none = np.zeros(len(texts), bool)
    return Dates(stamps, "", False, f"dates in digits alone, {read[1]}", none, none, ~known)


def _may_have_form(form: str, texts: pa.Array, fits: np.ndarray, name: str) -> bool:
    """Return whether texts that other things than dates may look like are dates: by the name, or by their values."""
    if form == "months":
        return _are_months(texts, fits, name)
    if form == "months, year last":
        return names_a_date(name) or not _matches(texts, r"\.").any()
    if form == "day of the year":
        return names_a_date(name) and not is_identifier(name)
    if form == "month names, short years":
        years = {text[-2:] for text in texts.filter(pa.array(fits)).to_pylist()}
        return names_a_date(name) and len(years) <= _MOST_YEARS
    return True


def _are_months(texts: pa.Array, fits: np.ndarray, name: str) -> bool:
    """Return whether numbers such as 202301 are months: by the name, or as several close to each other."""
    if names_a_date(name):
        return True
    years = {text[:4] for text in texts.filter(pa.array(fits)).to_pylist()}
    return not is_identifier(name) and len(fits) >= 3 and int(max(years)) - int(min(years)) <= 30


def _year_first(parts: pa.Array, fits: np.ndarray) -> bool:
    """Return whether the first of three two-digit numbers is the year: it varies little, the third like a day."""
    years = pc.struct_field(parts, "year")
    if not pc.all(pc.equal(pc.binary_length(years), 2)).as_py():
        return False
    first, middle, last = (np.unique(_field(parts, part)[fits]) for part in ("first", "second_", "year"))
    spread = last.max() - last.min()
    return bool(
        middle.max() <= 12 and last.max() <= 31 and spread >= 20 and len(last) > 2 * len(first) and len(first) <= 12
    )


def _could_be_versions(texts: pa.Array, fits: np.ndarray, name: str) -> bool:
    """Return whether all texts have the form 3.1.10, with a number of one digit."""
    if not name or names_a_date(name, clock=True):
        return False
    dotted = _matches(texts, r"^\d{1,2}\.\d{1,2}\.\d{1,2}$") & fits
    padded = _matches(texts, r"^\d\d\.\d\d\.\d\d$")
    return bool(dotted.sum() == fits.sum() and (~padded[fits]).any())


def _isolated(stamps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return which dates stand for none: usual stand-ins, and repeated ones, years away from all others."""
    far = np.zeros(len(stamps), bool)
    present = np.flatnonzero(~np.isnat(stamps))
    order = present[np.argsort(stamps[present], kind="stable")]
    if len(order) < 5:
        return far
    sentinels = np.array(_SENTINELS, "datetime64[D]")
    for end, neighbour in ((order[-1], order[-2]), (order[0], order[1])):
        years = abs((stamps[end] - stamps[neighbour]) / np.timedelta64(365 * 86_400, "s"))
        known = stamps[end].astype("datetime64[D]") in sentinels
        far[end] = (known and years > 5) or (weights[end] > 2 and years > 25)
    return far


def _mondays(year: np.ndarray, week: np.ndarray) -> np.ndarray:
    """Return the Monday of each week of ISO 8601; NaT for a week that the year does not have.

    >>> str(_mondays(np.array([2023]), np.array([1]))[0])
    '2023-01-02T00:00:00'
    """
    legal = (year >= 1) & (week >= 1) & (week <= 53)
    fourth = (np.where(legal, year, 1970) - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
    # The fourth of January is in the first week; day 0 of the epoch was a Thursday.
    monday = fourth - (fourth.astype(np.int64) + 3) % 7 + 7 * (np.where(legal, week, 1) - 1)
    return np.where(legal, monday.astype("datetime64[s]"), np.datetime64("NaT", "s"))


def _days_of_years(year: np.ndarray, nth: np.ndarray) -> np.ndarray:
    """Return the day with a number within each year; NaT for one that the year does not have.

    >>> str(_days_of_years(np.array([2024, 2023]), np.array([366, 366])))
    "['2024-12-31T00:00:00'                 'NaT']"
    """
    legal = (year >= 1) & (nth >= 1)
    start = (np.where(legal, year, 1970) - 1970).astype("datetime64[Y]")
    days = start.astype("datetime64[D]") + np.maximum(nth, 1) - 1
    return np.where(legal & (days.astype("datetime64[Y]") == start), days, np.datetime64("NaT")).astype("datetime64[s]")


def _day_month(parts: pa.Array, weights: np.ndarray, fits: np.ndarray, order: str) -> tuple[DayMonth, str, bool] | None:
    """Decide the order of day and month over the whole column; None if the values contradict each other."""
    first = _field(parts, "first")
    second = _field(parts, "second_")
    over_first = int(weights[fits & (first > 12)].sum())
    over_second = int(weights[fits & (second > 12)].sum())
    if order in ("day-first", "month-first"):
        return order, f"{order.replace('-', ' ')} as set", False
    if over_first and over_second:
        return None
    if over_first:
        return "day-first", f"day first: {number(over_first)} values have a first number over 12", False
    if over_second:
        return "month-first", f"month first: {number(over_second)} values have a second number over 12", False
    note = "read day first, but ambiguous: no value has a number over 12"
    return "day-first", f"{note} (set dates: month-first if that is wrong)", True


def _has(parts: pa.Array, name: str) -> bool:
    """Return whether a named group holds something in any text."""
    there = parts.type.get_field_index(name) >= 0
    return there and (pc.max(pc.binary_length(pc.struct_field(parts, name))).as_py() or 0) > 0


def _field(parts: pa.Array, name: str) -> np.ndarray:
    """A named group as int64; -1 where it is absent."""
    if parts.type.get_field_index(name) < 0:
        return np.full(len(parts), -1)
    field = pc.struct_field(parts, name)
    field = pc.if_else(pc.equal(field, ""), pa.scalar(None, field.type), field)
    return pc.fill_null(pc.cast(field, pa.int64()), -1).to_numpy(zero_copy_only=False)


def _stamps(parts: pa.Array, form: str, order: str) -> tuple[np.ndarray, bool]:
    """Build datetime64[s] from the named groups; NaT for days that do not exist."""
    year = _field(parts, "year")
    two_digit = False
    if form in ("numbers", "day, month name", "month name, day", "month name, time, year", "month names", _SHORT):
        short = pc.fill_null(pc.equal(pc.binary_length(pc.struct_field(parts, "year")), 2), False)
        is_short = short.to_numpy(zero_copy_only=False)
        two_digit = bool(is_short.any())
        if order == "year-first":
            year = _field(parts, "first")
        year = np.where(is_short, year + np.where(year < 69, 2000, 1900), year)
    if form == "numbers" and order == "year-first":
        day, month = _field(parts, "year"), _field(parts, "second_")
    elif form == "numbers":
        first, second = _field(parts, "first"), _field(parts, "second_")
        day, month = (first, second) if order == "day-first" else (second, first)
    elif "name" in form:
        month = _months(pc.struct_field(parts, "name"))
        day = _field(parts, "day")
    else:
        month, day = _field(parts, "month"), _field(parts, "day")
    if form == "day of the year":
        return _days_of_years(year, _field(parts, "nth")), False
    if form in ("months", "months, year last", "month names", _SHORT):
        day = np.ones(len(month), np.int64)
    elif form.startswith("quarters"):
        month, day = 3 * _field(parts, "quarter") - 2, np.ones(len(month), np.int64)
    elif form.startswith("weeks"):
        return _mondays(year, _field(parts, "week")), False
    legal = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = (np.where(legal, year, 1970) - 1970) * 12 + np.where(legal, month, 1) - 1
    start = months.astype("datetime64[M]")
    days = start.astype("datetime64[D]") + (np.where(legal, day, 1) - 1)
    legal &= days.astype("datetime64[M]") == start
    hour, minute, second = (np.maximum(_field(parts, name), 0) for name in ("hour", "minute", "second"))
    legal &= (hour < 25) & (minute < 60) & (second < 61)
    if _has(parts, "half"):
        half = pc.utf8_lower(pc.replace_substring(pc.struct_field(parts, "half"), ".", ""))
        half = pc.fill_null(half, "").to_numpy(zero_copy_only=False)
        hour = np.where(half == "pm", hour % 12 + 12, np.where(half == "am", hour % 12, hour))
    seconds = hour * 3600 + minute * 60 + second
    if _has(parts, "zone"):
        zone = pc.fill_null(pc.struct_field(parts, "zone"), "")
        sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
        hours = pc.replace_substring_regex(zone, "[+-]", "")
        hours = pc.fill_null(pc.cast(pc.if_else(pc.equal(hours, ""), "0", hours), pa.int64()), 0)
        offset = hours.to_numpy(zero_copy_only=False) * 3600 + np.maximum(_field(parts, "zone_minute"), 0) * 60
        seconds = seconds - sign * offset
    stamps = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return np.where(legal, stamps, np.datetime64("NaT", "s")), two_digit
