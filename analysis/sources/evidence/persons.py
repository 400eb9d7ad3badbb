"""Columns that tell who a customer is, recognised by their values where the name of the column says nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.sources.columns import Column
from analysis.sources.evidence.vocabularies import CODED, COORDINATES, COUNT, DEMOGRAPHIC, MONEY, POSTAL
from analysis.sources.names import words_of
from analysis.sources.tables import RawTable

MOST_LOOKED_AT = 500
"""Different values of a column that are looked at. Chosen for this project."""
MOSTLY = 0.6
"""Share of different values from which a pattern is that of the column. Chosen for this project."""
FEWEST_NAMES, PART_NAMES = 12, 0.9
"""Different values, and their share, from which words with capitals are names of people. Chosen for this project."""
UNIQUE = 0.98
"""Share of rows with a value of their own from which whole numbers or places can tell a customer."""

NARROW, PLACE_DIGITS = 20, 4
"""How many standard deviations the mean is from zero, and digits after the point, from which numbers are taken for
degrees of latitude or longitude. Chosen for this project."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,24}")
_PHONE = re.compile(
    r"(?:\+|00|\(?0)[\d\s()./-]{6,20}\d|\+?\d{1,3}[\s./-]\(?\d{2,5}\)?[\s./-]\d{3,5}(?:[\s./-]?\d{2,5})*"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?")
_HOST = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f:]*"
)
_SURNAME_FIRST = re.compile(r"([^\W\d_][\w'’ -]+), ([^\W\d_][\w'’ -]+)")
_STREET = re.compile(
    r"(?:\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|rue|chemin|via|viale|piazza|calle|avenida"
    r"|plaza|rua|travessa|laan|straat|weg|am|an der|auf der)\b\.?"
    r"|(?:stra(?:ß|ss)e|str\.|weg|gasse|allee|platz|ring|damm|straat|laan|plein)\b)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b\d{1,4}\s?[a-z]?\b", re.IGNORECASE)
_NAME = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau)\.? )?[^\W\d_][\w'’-]+(?: [^\W\d_]\.?)?(?: [^\W\d_][\w'’-]+){1,2}"
)
_NOT_NAMES = (
    "job title role position department product item brand model category type segment city town state country region "
    "district area school university company store branch channel plan package campaign source reason status industry "
    "sector genre style color colour occupation profession education course subject team group market browser device"
)
OF_THINGS = frozenset(_NOT_NAMES.split()) | DEMOGRAPHIC | CODED
"""Words of columns whose values may be several words with capitals and no names of people."""


def tells_a_person(table: RawTable, column: Column) -> str:
    """Say why a column tells who a customer is; empty where it does not seem to.

    Parameters
    ----------
    table : RawTable
    column : Column

    Returns
    -------
    str
        The reason, without any of the values.
    """
    if column.type == "number":
        return _number_tells(table, column)
    if column.type not in ("category", "text", "key"):
        return ""
    values = table.frame[column.name].dropna().astype("str").unique()[:MOST_LOOKED_AT]
    shown = [value.strip() for value in values]
    if not shown:
        return ""
    for reason, fits in (
        ("e-mail addresses", lambda text: bool(_EMAIL.fullmatch(text))),
        ("bank account numbers", lambda text: bool(_IBAN.fullmatch(text)) and _is_iban(text)),
        ("telephone numbers", lambda text: bool(_PHONE.fullmatch(text)) and sum(map(str.isdigit, text)) >= 7),
        ("addresses of devices", lambda text: bool(_HOST.fullmatch(text))),
        ("postal addresses", lambda text: bool(_STREET.search(text)) and bool(_NUMBERED.search(text))),
    ):
        if np.mean([fits(text) for text in shown]) >= MOSTLY:
            return f"private: {reason}"
    if (
        len(shown) >= FEWEST_NAMES
        and not words_of(column.name) & OF_THINGS
        and np.mean(_name_like(shown)) >= PART_NAMES
    ):
        return "private: names of people, by the look of them"
    return ""


def _number_tells(table: RawTable, column: Column) -> str:
    words = words_of(column.name)
    values: Any = table.frame[column.name]
    known = values.dropna()
    if len(known) < 50:
        return ""
    if words & POSTAL and column.n_distinct > 50:
        return "a code with many values"
    unique = column.n_distinct >= UNIQUE * len(known)
    if unique and words & COORDINATES:
        return "private: places as exact as a house"
    if unique and _look_like_places(known.to_numpy(float)):
        return "private: places as exact as a house, by the look of them"
    whole = bool((known == np.floor(known)).all())
    if not unique or not whole or words & (MONEY | COUNT):
        return ""
    low, high = float(known.min()), float(known.max())
    if low >= 1_000 and len(str(int(low))) == len(str(int(high))) and len(known) < 0.9 * (high - low):
        return "a different code in nearly every row"
    return "numbers that pass the check of card numbers" if low >= 10**11 and _pass_luhn(known) else ""


def _name_like(values: list[str]) -> list[bool]:
    values = [_SURNAME_FIRST.sub(r"\2 \1", text) for text in values]
    return [bool(_NAME.fullmatch(text)) and all(w[0].isupper() for w in text.split()) for text in values]


def _look_like_places(values: NDArray[np.float64]) -> bool:
    """Return whether numbers could be degrees of places in one region: many digits, all near to each other.

    >>> rng = np.random.default_rng(1)
    >>> _look_like_places(54.08 + rng.normal(0, 0.02, 99).round(6)), _look_like_places(rng.normal(0, 1, 99).round(6))
    (True, False)
    """
    if np.abs(values).max() > 180 or abs(float(values.mean())) < NARROW * float(values.std()):
        return False
    digits = [len(format(x, ".9f").rstrip("0").partition(".")[2]) for x in values[:MOST_LOOKED_AT].tolist()]
    return float(np.median(digits)) >= PLACE_DIGITS


def _is_iban(text: str) -> bool:
    """Check an IBAN by its digits, ISO 13616.

    >>> _is_iban("GB82 WEST 1234 5698 7654 32"), _is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _pass_luhn(numbers: pd.Series) -> bool:
    """Return whether nearly all numbers pass the check of ISO/IEC 7812, as one in ten does by chance."""
    passed = 0
    sample = numbers.iloc[:MOST_LOOKED_AT]
    for number in sample:
        digits = [int(digit) for digit in str(int(number))[::-1]]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        passed += (sum(digits[::2]) + sum(doubled)) % 10 == 0
    return passed >= 0.9 * len(sample)
