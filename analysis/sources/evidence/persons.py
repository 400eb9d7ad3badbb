"""Columns that tell who a customer is, recognised by their values where the name of the column says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.yamls import read_yaml
from analysis.sources.columns import Column
from analysis.sources.evidence.places import look_like_coordinates, look_like_degrees, look_like_postcodes
from analysis.sources.evidence.roles import is_whole
from analysis.sources.evidence.vocabularies import CODED, COORDINATES, COUNT, DEMOGRAPHIC, MONEY, POSTAL, SHARE
from analysis.sources.names import plain, vocabulary, words_of
from analysis.sources.tables import RawTable

_FILE = Path(__file__).with_suffix(".yml")
MOST_LOOKED_AT = 500
"""Different values of a column that are looked at. Chosen for this project."""
MOSTLY = 0.6
"""Share of different values from which a pattern is that of the column. Chosen for this project."""
FEWEST_NAMES, PART_NAMES = 12, 0.9
"""Different values, and their share, from which words with capitals are names of people. Chosen for this project."""
UNIQUE = 0.98
"""Share of rows with a value of their own from which whole numbers or places can tell a customer."""

MANY_DATES, SURELY = 30, 0.95
"""Different numbers, and their share, from which days written as digits are dates. Chosen for this project."""
SMALL = 100
"""Size up to which whole numbers of few values are no identifiers. Chosen for this project."""
LONG, WIDE, ROUND = 10**7, 10**5, 0.2
"""Size from which whole numbers are codes; largest one from which they may be; share of tens up to which they are not
rounded. Chosen for this project."""
FEWEST_REPEATS = 8
"""Expected repetitions from which it is telling that there are few. Chosen for this project."""
FEWEST_GIVEN, FEWEST_ALONE, MOST_PARTS = 3, 5, 5
"""Different names of several words, or of one, and words of a name. Chosen for this project."""
FEWEST_CODES = 12
"""Different values from which codes, or a word with a number, can be those of customers. Chosen for this project."""
LOGINS = 0.5
"""Share of different values that are a frequent surname and an initial, from which they are log-in names."""
GIVEN, GIVEN_ALONE = 0.4, 0.6
"""Share of different values with a frequent given name from which they are names, of several words or of one."""

_EMAIL = re.compile(
    r"[^@\s<>]+@[^@\s<>]+\.[A-Za-z]{2,24}|\w+ ?(?:\bat\b|\(at\)|\[at\]) ?\w+ ?(?:\bdot\b|\(dot\)|\[dot\]|\.) ?\w+"
)
_HANDLE = re.compile(r"@[\w.-]{2,40}")
_LINK = re.compile(r"(?:https?://|www\.)\S+|(?:[a-z0-9-]+\.)+[a-z]{2,6}/\S+", re.IGNORECASE)
_PHONE = re.compile(
    r"(?:\+|00|\(?0)[\d\s()./-]{6,20}\d|\+?\d{1,3}[\s./-]\(?\d{2,5}\)?[\s./-]\d{3,5}(?:[\s./-]?\d{2,5})*"
    r"|\(\d{2,5}\) ?\d{3,4}[ .-]?\d{3,5}"
)
_PHONE_WITHIN = re.compile(r"(?<![\w.,])(?:\+\d|0[1-9]|\(0?\d{2,5}\))[\d ()./-]{5,18}\d(?![\w.,]*\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?", re.IGNORECASE)
_HOST = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f:]*"
)
_DIGEST = re.compile(r"(?=[^a-f]*[a-f])(?=\D*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4}){0,3}(?:-?[0-9a-f]{8,12})?", re.IGNORECASE)
_PLATE = re.compile(
    r"[A-ZÄÖÜ]{1,3}[- ][A-Z]{1,2}[- ]?\d{1,4}[EH]?|[A-Z]{2}[- ]?\d{3}[- ]?[A-Z]{1,2}|[A-Z]{2}\d{2} ?[A-Z]{3}"
    r"|\d{4} ?[B-Z]{3}|[A-Z]{1,2}[- ]?\d{2,3}[- ]?[A-Z]{2}",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}-\d{4,5}|\d{4} ?[A-Z]{2}"
    r"|\d{2}-\d{3}|\d{5}-\d{3,4}|\d{4}-\d{3}|\d{3} \d{2}|(?:[A-Z]{1,2}-)?\d{4,5} [A-ZÄÖÜ][\w .()-]+"
)
_CODE = re.compile(r"(?!(?:19|20)\d\d\D)(?=(?:\D*\d){3})[A-Z]{0,9}[\d/._+A-Z -]*\d[\d/._+A-Z -]*")
_RANGE = re.compile(r"\D{0,4}\d[\d.,]*\D{0,3} ?(?:-|–|—|to|bis|à|a|tot) ?\D{0,3}\d[\d.,]*\D{0,4}")
_LOGIN = re.compile(r"[^\W\d_][._][^\W\d_]{3,}\d*")
_INITIAL = re.compile(r"(?:[^\W\d_]\. ?){1,3}[^\W\d_][\w'’-]{2,}")
_PART = re.compile(r"[^\W\d_]+")
_SURNAME_FIRST = re.compile(r"([^\W\d_][\w'’ -]+), ([^\W\d_][\w'’ -]+)")
_STREET = re.compile(
    r"(?:\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|rue|chemin|via|viale|piazza|calle|avenida"
    r"|plaza|rua|travessa|laan|straat|weg|am|an der|auf der|ul|p\.? ?o\.? box|postfach)\b\.?|\bc/"
    r"|(?:stra(?:ß|ss)e|str\.|weg|gasse|allee|platz|(?<!\bsp)(?<!\bst)ring|damm|straat|laan|plein|gatan|vägen)\b)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b\d{1,4}\s?[a-z]?\b", re.IGNORECASE)
_WORD_AND_NUMBER = re.compile(r"([^\W\d_][^\d]*?)[ _.#-]*\d{1,6} ?[a-zA-Z]?")
_NAME = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof|Herr|Frau)\.? )?[^\W\d_][\w'’-]+(?: [^\W\d_]\.?)?(?: [^\W\d_][\w'’-]+){1,2}"
)
_HAN = re.compile(r"[\u4e00-\u9fff]{2,4}")
_HAN_FAMILY = frozenset(
    "王李张劉刘陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖田董袁潘"
    "于蒋蔡余杜叶葉程苏蘇魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵"
)
_HANGUL = re.compile(r"[김이박최정강조윤장임한오서신권황안송류홍전고문손양배백허남심노하곽성차주우구민][가-힣]{2}")
_NOT_NAMES = (
    "job title role position department product item brand model category type segment city town state country region "
    "district area school university company store branch channel plan package campaign source reason status industry "
    "sku article artikel articulo articolo artigo produkt produit producto prodotto produto warengruppe tariff tarif "
    "tarifa tariffa artikelgruppe warengruppe "
    "sector genre style color colour occupation profession education course subject team group market browser device"
)
OF_THINGS = frozenset(_NOT_NAMES.split()) | DEMOGRAPHIC | CODED
"""Words of columns whose values may be several words with capitals and no names of people."""
TITLES = vocabulary(
    "dr mr mrs ms prof herr frau m mme mlle sr sra senor senora dona sig signor signora dott de van von"
)
"""Words before a surname."""
STEPS = vocabulary("level tier step stage phase week month quarter year grade version part answer")
"""Words before a number that count steps of something."""


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
    shown = [" ".join(value.split()) for value in values]
    if not shown:
        return ""
    for reason, fits in PATTERNS.items():
        if np.mean([fits(text) for text in shown]) >= MOSTLY:
            return f"private: {reason}"
    of_things = bool(words_of(column.name) & OF_THINGS)
    if not of_things and _are_names(shown):
        return "private: names of people, by the look of them"
    if len(shown) >= FEWEST_CODES and not of_things:
        for reason, shape in (("number plates", _PLATE), ("postcodes", _POSTCODE)):
            if np.mean([bool(shape.fullmatch(text)) for text in shown]) >= MOSTLY:
                return f"private: {reason}"
        codes = [bool(_CODE.fullmatch(text)) and not _RANGE.fullmatch(text) for text in shown]
        if np.mean(codes) >= PART_NAMES or _are_tokens(shown):
            return "codes that may name a customer"
        if np.mean([_is_a_place_or_login(text) for text in shown]) >= PART_NAMES:
            return "private: a word and a number, as in addresses and user names"
    return ""


def _is_a_place_or_login(text: str) -> bool:
    match = _WORD_AND_NUMBER.fullmatch(text)
    return match is not None and not words_of(match[1]) & (OF_THINGS | STEPS)


def _are_tokens(shown: list[str]) -> bool:
    """Return whether texts are letters and digits in no order, as in digests and tokens.

    >>> _are_tokens(["dc59bf", "78c288", "a1b2c3", "9f00d1"]), _are_tokens(["AB100", "AC101", "AD230", "AX400"])
    (True, False)
    """
    if not all(text.isalnum() and text.isascii() and len(text) == len(shown[0]) >= 6 for text in shown):
        return False
    return len({re.sub(r"[a-z]", "a", re.sub(r"\d", "0", text.lower())) for text in shown}) >= len(shown) / 2


def _are_names(shown: list[str]) -> bool:
    """Return whether values are names of people: by capitals where there are many, or by frequent given names."""
    if len(shown) >= FEWEST_NAMES and np.mean(_name_like(shown)) >= PART_NAMES:
        return True
    if len(shown) >= FEWEST_NAMES:
        if np.mean([_is_login(text) for text in shown]) >= LOGINS:
            return True
        for fits in (
            lambda text: bool(_LOGIN.fullmatch(text) or _INITIAL.fullmatch(text)),
            lambda text: bool(_HAN.fullmatch(text)) and (text[0] in _HAN_FAMILY or text[:2] in surnames()),
            lambda text: bool(_HANGUL.fullmatch(text)),
        ):
            if np.mean([fits(text) for text in shown]) >= PART_NAMES:
                return True
    parts = [[plain(part) for part in _PART.findall(text)] for text in shown]
    several = [part for part in parts if len(part) > 1]
    given, family = given_names(), surnames()
    if len(parts) >= FEWEST_ALONE and np.mean([_ends_in_surname(part, family) for part in parts]) >= GIVEN_ALONE:
        return True
    if len(several) >= MOSTLY * len(parts) and len(parts) >= FEWEST_GIVEN:
        named = [len(part) <= MOST_PARTS and bool(given & set(part)) for part in parts]
        return bool(np.mean(named) >= GIVEN)
    return len(parts) >= FEWEST_ALONE and bool(np.mean([bool(given & set(part)) for part in parts]) >= GIVEN_ALONE)


def _ends_in_surname(part: list[str], family: frozenset[str]) -> bool:
    """Return whether a text is a surname, alone or after a title or an initial."""
    return bool(part) and part[-1] in family and (len(part) == 1 or part[0] in TITLES or len(part[0]) == 1)


def _is_login(text: str) -> bool:
    """Return whether a text is a frequent surname together with one or two letters, or with a given name.

    >>> _is_login("ameier"), _is_login("schmidt.b"), _is_login("amount")
    (True, True, False)
    """
    word = plain(text).strip("0123456789")
    family = surnames()
    letters = re.sub(r"[._-]", "", word)
    ends = [letters[1:], letters[2:], letters[:-1], letters[:-2]]
    return letters.isalpha() and text == text.lower() and any(end in family for end in ends)


@cache
def surnames() -> frozenset[str]:
    """Return frequent surnames, without case and accents."""
    content: Any = read_yaml(_FILE.read_text(encoding="utf-8"))
    return vocabulary(content["surnames"])


@cache
def given_names() -> frozenset[str]:
    """Return frequent given names, without case and accents."""
    content: Any = read_yaml(_FILE.read_text(encoding="utf-8"))
    return frozenset(map(plain, vocabulary(content["given"])))


def _number_tells(table: RawTable, column: Column) -> str:
    words = words_of(column.name)
    values: Any = table.frame[column.name]
    known = values.dropna()
    few = column.n_distinct <= SMALL and 0 <= known.min() <= known.max() <= SMALL and is_whole(known)
    if len(known) < 50 or (few and not words & COORDINATES):
        return ""
    if words & POSTAL and column.n_distinct > 50:
        return "a code with many values"
    unique = column.n_distinct >= UNIQUE * len(known)
    if unique and words & COORDINATES:
        return "private: places as exact as a house"
    if not words & (MONEY | COUNT | SHARE) and _tell_places(table, column):
        return "private: places as exact as a house, by the look of them"
    if words & (MONEY | COUNT):
        return ""
    if not bool((known == np.floor(known)).all()):
        return "codes with a point in them" if unique and _are_divided_codes(known.to_numpy(float)) else ""
    if not words & OF_THINGS and look_like_postcodes(known.to_numpy(float)):
        return "private: postcodes, by the look of them"
    sizes = np.sort(np.abs(known.to_numpy(float)))
    if column.n_distinct >= MANY_DATES and np.mean([_is_day(int(x)) for x in sizes[:: _stride(sizes)]]) >= SURELY:
        return "private: dates, by the look of them"
    if np.mean(sizes >= LONG) >= PART_NAMES:
        return "numbers of eight digits or more: an identifier, not a trait"
    if unique and _look_drawn(sizes):
        return "a different code in nearly every row"
    if column.n_distinct >= MANY_DATES and (_look_like_codes(sizes) or _are_endings(sizes)):
        return "codes that may name a customer"
    return ""


def _tell_places(table: RawTable, column: Column) -> bool:
    """Return whether numbers are degrees by themselves, or together with those of the column before or after."""
    own = table.frame[column.name].dropna().to_numpy(float)
    if np.abs(own).max() > 180 or bool((own == np.floor(own)).all()):
        return False
    if look_like_degrees(own):
        return True
    at = [other.name for other in table.columns].index(column.name)
    beside = [table.columns[i] for i in (at - 1, at + 1) if 0 <= i < len(table.columns)]
    for other in beside:
        if other.type != "number" or words_of(other.name) & (MONEY | COUNT | SHARE):
            continue
        pair = (table.frame[other.name].dropna().to_numpy(float), own)
        if len(pair[0]) and np.abs(pair[0]).max() <= 180 and look_like_coordinates(*pair):
            return True
    return False


def _are_divided_codes(values: NDArray[np.float64]) -> bool:
    """Return whether numbers times ten or a hundred are codes of one length, as of accounts, spread evenly.

    >>> rng = np.random.default_rng(1)
    >>> _are_divided_codes(rng.choice(np.arange(100_000, 999_999), 99, False) / 10)
    True
    >>> _are_divided_codes(rng.gamma(2, 3_000, 99).round(1))
    False
    """
    from scipy.stats import kstest

    for factor, smallest in ((10.0, 10_000), (100.0, 1_000_000)):
        whole = np.round(values * factor)
        if np.abs(whole - values * factor).max() < 1e-6 * factor:
            low, high = float(whole.min()), float(whole.max())
            even = kstest((whole - low) / max(high - low, 1.0), "uniform").pvalue > 0.01
            return low >= smallest and len(str(int(low))) == len(str(int(high))) and high > 4 * low and bool(even)
    return False


def _stride(sizes: NDArray[np.float64]) -> int:
    return len(sizes) // MOST_LOOKED_AT + 1


def _look_drawn(sizes: NDArray[np.float64]) -> bool:
    """Return whether different whole numbers have one length, or lie so near that a trait would repeat.

    Of n numbers that are spread over w, about n²/2w are the same by chance.
    """
    low, high, n = float(sizes[0]), float(sizes[-1]), len(sizes)
    width = high - low + 1
    if low >= 1_000 and len(str(int(low))) == len(str(int(high))) and n < 0.9 * width:
        return True
    expected = n * n / (2 * width)
    repeats = n - len(np.unique(sizes))
    return repeats <= expected / 4 if expected >= FEWEST_REPEATS else _are_even(sizes)


def _look_like_codes(sizes: NDArray[np.float64]) -> bool:
    """Return whether repeated numbers are spread evenly over so wide a range that a trait would hardly repeat."""
    n, width = len(sizes), float(sizes[-1] - sizes[0]) + 1
    different = np.unique(sizes)
    return n - len(different) > 10 * n * n / (2 * width) + 5 and _are_even(different)


def _are_endings(sizes: NDArray[np.float64]) -> bool:
    """Return whether numbers fill all of those of four digits evenly, as the last digits of cards and accounts do."""
    from scipy.stats import kstest

    low, high = float(sizes[0]), float(sizes[-1])
    if not ((low < 200 or 1_000 <= low < 1_200) and 9_800 < high < 10_000) or np.mean(sizes % 10 == 0) > ROUND:
        return False
    return float(kstest((sizes - low) / (high - low), "uniform").pvalue) > 0.01


def _are_even(different: NDArray[np.float64]) -> bool:
    """Return whether numbers of many digits are spread evenly, and not rounded, as codes are and amounts are not."""
    from scipy.stats import kstest

    low, high = float(different[0]), float(different[-1])
    if high < WIDE or len(different) < MANY_DATES or np.mean(different % 10 == 0) > ROUND:
        return False
    return float(kstest((different - low) / (high - low), "uniform").pvalue) > 0.01


def _is_day(number: int) -> bool:
    """Return whether five or six digits can be a day, month and year of two digits, in any order.

    >>> _is_day(181086), _is_day(861018), _is_day(994512)
    (True, True, False)
    """
    text = f"{number:06d}"
    first, second, third = int(text[:2]), int(text[2:4]), int(text[4:])
    return len(text) == 6 and any(
        1 <= day <= 31 and 1 <= month <= 12 for day, month in ((first, second), (second, first), (third, second))
    )


def _name_like(values: list[str]) -> list[bool]:
    values = [_SURNAME_FIRST.sub(r"\2 \1", text) for text in values]
    return [bool(_NAME.fullmatch(text)) and all(w[0].isupper() for w in text.split()) for text in values]


def _is_iban(text: str) -> bool:
    """Check an IBAN by its digits, ISO 13616.

    >>> _is_iban("GB82 WEST 1234 5698 7654 32"), _is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _n_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


PATTERNS: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": lambda text: bool(_EMAIL.search(text)),
    "names of accounts": lambda text: bool(_HANDLE.fullmatch(text)),
    "addresses of web pages": lambda text: bool(_LINK.fullmatch(text)),
    "bank account numbers": lambda text: bool(_IBAN.fullmatch(text)) and _is_iban(text),
    "telephone numbers": lambda text: (
        (bool(_PHONE.fullmatch(text)) and _n_digits(text) >= 7)
        or any(_n_digits(found) >= 7 for found in _PHONE_WITHIN.findall(text))
    ),
    "addresses of devices": lambda text: bool(_HOST.fullmatch(text)),
    "digests": lambda text: bool(_DIGEST.fullmatch(text)),
    "postal addresses": lambda text: bool(_STREET.search(text)) and bool(_NUMBERED.search(text)),
}
"""What most values of a column may be, by how one of them looks."""
