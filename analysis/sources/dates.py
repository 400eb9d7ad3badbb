"""Dates in text, with the order of day and month inferred from the whole column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.base.formats import number

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

DateOrder = Literal["auto", "day-first", "month-first", "iso"]
DayMonth = Literal["day-first", "month-first"]

YEARS = (1800, 2200)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
_TIME = rf"(?:[ T,]+{_CLOCK})?\s*(?P<half>[AaPp][Mm])?"
_ZONE = r"\s*(?:Z|UTC|(?P<zone>[+-]\d{2}):?(?P<zone_minute>\d{2})?)?"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_NAME = r"(?P<name>[A-Za-z]{3,9})"
_FORMS = {
    "year first": rf"^(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_TIME}{_ZONE}$",
    "compact": r"^(?P<year>(?:0001|1[89]\d\d|2[01]\d\d|9999))(?P<month>\d{2})(?P<day>\d{2})$",
    "numbers": rf"^(?P<first>\d{{1,2}})[-/. ](?P<second_>\d{{1,2}})[-/. ]{_YEAR}{_TIME}$",
    "day, month name": rf"^(?P<day>\d{{1,2}})[-/. ]?{_NAME}[-/. ,]*{_YEAR}{_TIME}$",
    "month name, day": rf"^{_NAME}[-/. ]*(?P<day>\d{{1,2}})[, ]+(?P<year>\d{{4}}){_TIME}$",
}
_TOLD = {"year first": "year first", "compact": "dates written as YYYYMMDD"}


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
    far, bad : ndarray of bool
        Dates too far away to be meant; texts that are no date.
    """

    stamps: np.ndarray
    order: DayMonth | Literal[""]
    is_open: bool
    evidence: str
    far: np.ndarray
    bad: np.ndarray


def read_dates(texts: pa.Array, weights: np.ndarray, order: DateOrder = "auto", floor: float = 0.98) -> Dates | None:
    """Read distinct texts as dates of one form, or return None if they are not.

    Parameters
    ----------
    texts : pyarrow.Array of str, length m
    weights : ndarray of int, length m
        How often each text occurs.
    order : {"auto", "day-first", "month-first", "iso"}
    floor : float
        Share of the rows that must be dates.
    """
    total = weights.sum()
    for form, pattern in _FORMS.items():
        if order == "iso" and form not in _TOLD:
            continue
        if not pc.any(pc.match_substring_regex(texts.slice(0, 200), pattern)).as_py():
            continue
        parts = pc.extract_regex(texts, pattern)
        fits = parts.is_valid().to_numpy(zero_copy_only=False)
        if weights[fits].sum() < floor * total:
            continue
        day_month, evidence, is_open = "", _TOLD.get(form, f"dates as {form}"), False
        if form == "numbers":
            decided = _day_month(parts, weights, fits, order)
            if decided is None:
                return None
            day_month, evidence, is_open = decided
        stamps, two_digit = _stamps(parts, form, day_month)
        bad = np.isnat(stamps)
        years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
        far = ~bad & ((years < YEARS[0]) | (years > YEARS[1]))
        if weights[~bad].sum() < floor * total or (form == "compact" and bad.any()) or far[~bad].all():
            continue
        evidence += "; two-digit years: 69 to 99 are 1969 to 1999" if two_digit else ""
        stamps = np.where(far, np.datetime64("NaT", "s"), stamps)
        return Dates(stamps, day_month, is_open, evidence, far, bad)
    return None


def look_like_dates(texts: pa.Array) -> np.ndarray:
    """Return whether each text has the form of a date, whether or not the date exists."""
    known = np.zeros(len(texts), bool)
    for pattern in _FORMS.values():
        known |= pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return known


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
    if form not in ("year first", "compact"):
        short = pc.fill_null(pc.equal(pc.binary_length(pc.struct_field(parts, "year")), 2), False)
        is_short = short.to_numpy(zero_copy_only=False)
        two_digit = bool(is_short.any())
        year = np.where(is_short, year + np.where(year < 69, 2000, 1900), year)
    if form == "numbers":
        first, second = _field(parts, "first"), _field(parts, "second_")
        day, month = (first, second) if order == "day-first" else (second, first)
    elif "name" in form:
        names = pc.utf8_lower(pc.utf8_slice_codeunits(pc.struct_field(parts, "name"), 0, 3))
        month = pc.fill_null(pc.add(pc.index_in(names, pa.array(_MONTHS, names.type)), 1), 0)
        month = month.to_numpy(zero_copy_only=False)
        day = _field(parts, "day")
    else:
        month, day = _field(parts, "month"), _field(parts, "day")
    legal = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = (np.where(legal, year, 1970) - 1970) * 12 + np.where(legal, month, 1) - 1
    start = months.astype("datetime64[M]")
    days = start.astype("datetime64[D]") + (np.where(legal, day, 1) - 1)
    legal &= days.astype("datetime64[M]") == start
    hour, minute, second = (np.maximum(_field(parts, name), 0) for name in ("hour", "minute", "second"))
    legal &= (hour < 25) & (minute < 60) & (second < 61)
    if parts.type.get_field_index("half") >= 0:
        half = pc.fill_null(pc.utf8_lower(pc.struct_field(parts, "half")), "").to_numpy(zero_copy_only=False)
        hour = np.where(half == "pm", hour % 12 + 12, np.where(half == "am", hour % 12, hour))
    seconds = hour * 3600 + minute * 60 + second
    if parts.type.get_field_index("zone") >= 0:
        zone = pc.fill_null(pc.struct_field(parts, "zone"), "")
        sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
        hours = pc.replace_substring_regex(zone, "[+-]", "")
        hours = pc.fill_null(pc.cast(pc.if_else(pc.equal(hours, ""), "0", hours), pa.int64()), 0)
        offset = hours.to_numpy(zero_copy_only=False) * 3600 + np.maximum(_field(parts, "zone_minute"), 0) * 60
        seconds = seconds - sign * offset
    stamps = days.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return np.where(legal, stamps, np.datetime64("NaT", "s")), two_digit
