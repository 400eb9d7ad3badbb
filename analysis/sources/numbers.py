"""Numbers in text: decimal marks, thousands separators, currencies and percent signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.sources.forms.measures import find_units, read_durations

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

Decimal = Literal["auto", ".", ","]

_MANY = 20_000
"""Distinct texts above which some are tried as numbers first."""
_GROUP = "[\\s'\u2019\u00a0\u202f_]"
_EVIDENCE = {
    ".": (
        r"^-?\d{1,3}(?:,\d{3})+\.\d*$|^-?\d{1,3}(?:,\d{3}){2,}$"
        r"|^-?\d*\.(?:\d{1,2}|\d{4,})$|^-?(?:0|\d{4,})?\.\d+$"
    ),
    ",": (
        r"^-?\d{1,3}(?:\.\d{3})+,\d*$|^-?\d{1,3}(?:\.\d{3}){2,}$"
        r"|^-?\d*,(?:\d{1,2}|\d{4,})$|^-?(?:0|\d{4,})?,\d+$"
    ),
}
_CURRENCY = (
    r"(?:(?:R|US|A|C|CA|AU|NZ|HK|S|NT|MX)?\$(?:US|CA|CAN)?|\p{Sc}|kr\.?|Kr\.?|zł|Kč|Ft|lei|руб\.?|р\.|Rs\.?|円|元|원|S?Fr\.?|Euros?|euros?|(?i:"
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|BRL|SEK|NOK|DKK|PLN|CZK|HUF|RON|RUB|TRY|AUD|CAD|NZD|MXN|ZAR|SGD|HKD|KRW|ILS|AED"
    "|SAR|THB|IDR|MYR|PHP|COP|CLP|ARS|PEN))"
)
_MULTIPLES = {
    **{"k": 1e3, "tsd": 1e3, "t": 1e3, "m": 1e6, "mio": 1e6, "mln": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9},
    **{"mil": 1e3, "mi": 1e6, "mill": 1e6, "md": 1e9, "mld": 1e9, "lakh": 1e5, "lac": 1e5, "cr": 1e7, "crore": 1e7},
}
_MULTIPLE_WORDS = (
    "k|K|M|Tsd|Mio|mio|mln|Mn|mn|bn|Bn|B|Mrd|mrd|mil|mi|mill|Mill|Md|mld|Mld|[Ll]akh|[Ll]ac|[Cc]r|[Cc]rore"
)
_SPREAD = r"(?:±|\+/-|\+-)"
_PLAIN = r"^[+-]?[\d.,]*\d[\d.,]*$"
_EXPONENT = r"(\d)?[eE][+-]?\d{1,3}$"
_BELOW = (
    r"<=?|≤|(?:less than|under|below|unter|weniger als|kleiner als|moins de|inférieur à|menos de|menor que|inferior a"
    r"|meno di|minore di|inferiore a|minder dan|kleiner dan|onder)\b"
)
_ABOVE = (
    r">=?|≥|(?:more than|over|above|über|mehr als|größer als|plus de|supérieur à|más de|mayor que|superior a|mais de"
    r"|maior que|acima de|più di|maggiore di|superiore a|meer dan|groter dan|boven)\b"
)
FEWEST_BESIDE = 5
"""Different plain numbers beside which numbers with a bound are numbers too. Chosen for this project."""
_EITHER_WAY = r"^-?[1-9]\d{0,2}[.,]\d{3}$"


def decimal_mark(columns: Iterable[tuple[pa.Array, np.ndarray]]) -> str:
    """Decide the decimal mark of a table: each column that can be read in one way only has a vote.

    Parameters
    ----------
    columns : iterable of (texts, weights)
        Distinct texts of a column and how often each occurs.
    """
    votes = Counter({".": 0, ",": 0})
    for texts, weights in columns:
        sample, counts = texts.slice(0, 2000), weights[:2000]
        plain = _matches(sample, _PLAIN)
        if not plain.all():
            sample = pc.replace_substring_regex(_strip_signs(sample), _GROUP, "")
            sample = pc.replace_substring_regex(sample, _EXPONENT, "")
            plain = _matches(sample, _PLAIN)
        if not counts.sum() or counts[plain].sum() < 0.9 * counts.sum():
            continue
        for mark, pattern in _EVIDENCE.items():
            votes[mark] += int(_matches(sample, pattern).any())
    return "," if votes[","] > votes["."] else "."


def read_numbers(texts: pa.Array, mark: str, guess: bool = True, name: str = "") -> tuple[np.ndarray, str]:
    """Read distinct texts as numbers.

    Parameters
    ----------
    texts : pyarrow.Array of str, length m
    mark : {".", ","}
        The table's decimal mark.
    guess : bool
        Whether the texts' own evidence may overrule it.
    name : str
        Of the column: a number with a colon is a duration only where it says so.

    Returns
    -------
    numbers : ndarray of float, length m
        NaN where a text is no number.
    evidence : str
        How they were written, where that is not plain.
    """
    either = mark == "," and bool(_matches(texts, _EITHER_WAY).any())
    if not either:
        try:
            return pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False), ""
        except pa.ArrowInvalid:
            if not _matches(texts.slice(0, 1000), r"\d").any():
                return np.full(len(texts), np.nan), ""
    measured = _read_measures(texts, mark, name) if guess else None
    if measured is not None:
        return measured
    texts = _settle_rates(texts) if guess else texts
    texts, halves = _settle_bounds(texts) if guess else (texts, np.ones(len(texts)))
    bare, factors, unit = _strip(texts) if guess else (_strip_signs(texts), np.ones(len(texts)), "")
    if guess:
        closed = pc.replace_substring_regex(bare, _GROUP, "")
        mantissas = pc.replace_substring_regex(closed, _EXPONENT, r"\1")
        votes = {key: int(_matches(mantissas, pattern).sum()) for key, pattern in _EVIDENCE.items()}
        if votes["."] != votes[","]:
            mark = max(votes, key=lambda key: votes[key])
        bare = _one_mark(bare, closed, mark)
    numbers, fits = _parse(bare, mark)
    percent = _matches(texts, r"%$") & fits
    if percent.any() and not percent[fits].all() and np.nanmax(np.abs(numbers[fits & ~percent])) <= 1:
        factors = np.where(percent, 0.01, factors)
    numbers = numbers * factors * halves
    grouped = _matches(bare, rf"\d(?:{_GROUP}|[{',' if mark == '.' else '.'}])\d") & fits
    signed = _matches(texts, rf"[%\p{{Sc}}]|{_CURRENCY}") & fits
    how = {
        "numbers with a decimal comma": mark == "," and (_matches(bare, ",") & fits).any(),
        "numbers with a decimal point": mark == "." and (_matches(bare, r"\.") & fits).any(),
        "separators between thousands removed": grouped.any(),
        "currency or per cent signs removed": signed.any(),
        "signs of several currencies": len(_signs(texts)) > 1,
        "K, M and the like multiplied out": (factors > 1).any(),
        f"the unit '{unit}' removed": bool(unit),
        "numbers below a bound read as half of it": (halves < 1).any(),
        "the value before ± counts": _matches(texts, rf"\d\s*{_SPREAD}\s*\d").any(),
    }
    note = ", ".join(words for words, is_so in how.items() if is_so)
    return numbers, note


def _parse(bare: pa.Array, mark: str) -> tuple[np.ndarray, np.ndarray]:
    """Parse texts without signs as numbers with one decimal mark, and say which of them are numbers."""
    other = "," if mark == "." else "."
    whole = rf"\d{{1,3}}(?:(?:{_GROUP}|[{other}])\d{{3}})+|\d+"
    if mark == ".":
        whole += r"|\d{1,2}(?:,\d{2})+,\d{3}"
    pattern = rf"^-?(?:(?:{whole})(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d{{1,3}})?$"
    endless = _matches(bare, r"^[+-]?(?i:inf|infinity)$")
    fits = _matches(bare, pattern) | endless
    plain = pc.replace_substring_regex(bare, rf"{_GROUP}|[{other}]", "")
    plain = pc.replace_substring(plain, mark, ".") if mark == "," else plain
    plain = pc.if_else(pa.array(fits), plain, pa.scalar(None, plain.type))
    return pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False), fits


def _read_measures(texts: pa.Array, mark: str, name: str) -> tuple[np.ndarray, str] | None:
    """Read durations in minutes, and numbers beside units of several sizes in the usual one; None for other texts."""
    if not _matches(texts.slice(0, 20), r"^\d+:\d\d|\d\s?\p{L}{1,10}\.?$").all():
        return None
    shown = texts.to_pylist()
    minutes = read_durations(shown, name)
    if minutes is not None:
        return np.array(minutes), "durations in minutes"
    found = find_units(shown)
    if found is None:
        return None
    numbers, factors, unit = found
    return read_numbers(pa.array(numbers), mark)[0] * np.array(factors), f"units of several sizes, all in {unit}"


def are_words(texts: pa.Array, mark: str, guess: bool) -> bool:
    """Whether most of some of many distinct texts are no numbers, so that more than a few of all are none."""
    if len(texts) <= _MANY:
        return False
    some = texts.take(pa.array(np.linspace(0, len(texts) - 1, _MANY // 10).astype(int)))
    return bool(np.isnan(read_numbers(some, mark, guess)[0]).mean() > 0.5)


def _strip_signs(texts: pa.Array) -> pa.Array:
    """Remove signs of currencies and per cent; write negative numbers with a leading minus."""
    bare = pc.replace_substring_regex(texts, r"[\x{a0}\x{2009}\x{202f}]", " ")
    bare = pc.replace_substring_regex(bare, r"^'([+\-(\d])", r"\1")
    bare = pc.replace_substring_regex(bare, rf"\(({_CURRENCY})\)$", r"\1")
    bare = pc.replace_substring_regex(bare, r"(\d)\s?T(€|\s?EUR)$", r"\1 Tsd \2")
    bare = pc.replace_substring_regex(bare, rf"(\d)\s*{_SPREAD}\s*\d[\d.,]*", r"\1")
    colon = r"([+-]?\d[\d .]*):(\d\d)"
    bare = pc.replace_substring_regex(bare, rf"^{colon}(\s?{_CURRENCY})$", r"\1.\2\3")
    bare = pc.replace_substring_regex(bare, rf"^({_CURRENCY}\s?){colon}$", r"\1\2.\3")
    bare = pc.replace_substring_regex(bare, r"(\d)\s?[.,:][-\x{2013}\x{2014}]{1,2}", r"\1")
    bare = pc.replace_substring_regex(bare, r"^([+-]?\d+)(?:[€$£]|\x{b7})(\d\d)$", r"\1.\2")
    bare = pc.replace_substring_regex(bare, rf"^({_CURRENCY}\s?[\d.,]+)m$", r"\1M")
    bare = pc.replace_substring_regex(bare, r"^[\x{2212}\x{2013}]", "-")
    bare = pc.replace_substring_regex(bare, rf"^({_CURRENCY})?\s*\((.+)\)\s*({_CURRENCY})?$", r"-\2")
    bare = pc.replace_substring_regex(bare, rf"^([+-]?)\s*{_CURRENCY}\s*([+-]?)\s*([\d.,])", r"\1\2\3")
    bare = pc.replace_substring_regex(bare, rf"(\d[.,]?[-+]?)\s*(?:{_CURRENCY}|%)$", r"\1")
    bare = pc.replace_substring_regex(bare, rf"(\d\s?(?:[kKM]|Tsd\.?|Mio\.?))\s*{_CURRENCY}$", r"\1")
    bare = pc.replace_substring_regex(bare, r"^(?:~|≈|ca\.? |circa |approx\.? )\s*([+-]?\d)", r"\1")
    bare = pc.replace_substring_regex(bare, r"^(\d.*?)\s*-$", r"-\1")
    return pc.replace_substring_regex(bare, r"^(?:\+|(-)\s+)", r"\1")


def _strip(texts: pa.Array) -> tuple[pa.Array, np.ndarray, str]:
    """Remove what stands beside numbers: signs, footnote marks, multiples such as K, and one unit.

    Returns
    -------
    bare : pyarrow.Array of str, length m
    factors : ndarray of float, length m
        What K, M and the like multiply by.
    unit : str
        The word after all numbers; empty if there is none.
    """
    bare = pc.replace_substring_regex(_strip_signs(_settle_sides(texts)), r"(\d)\s*[*†‡]+$", r"\1")
    factors = np.ones(len(texts))
    ended = _matches(bare, r"^[+-]?[\d.,]*\d\s?\p{L}")
    if not ended.any():
        return bare, factors, ""
    multiple = rf"^([+-]?[\d.,]*\d)\s?({_MULTIPLE_WORDS})\.?$"
    scaled = _matches(bare, multiple)
    if scaled.any():
        if _matches(bare, r"\dmil|\d mil$").any() and not _matches(bare, r"\d,\d{1,2}\s?mil$").any():
            # A thousand in Spanish and Portuguese, a million in English.
            return bare, factors, ""
        words = pc.utf8_lower(pc.replace_substring_regex(bare, multiple, r"\2")).to_pylist()
        factors = np.array(
            [_MULTIPLES.get(word, 1.0) if fits else 1.0 for word, fits in zip(words, scaled, strict=True)]
        )
        return _strip_signs(pc.replace_substring_regex(bare, multiple, r"\1")), factors, ""
    united = r"^([+-]?[\d.,' \x{a0}\x{202f}]*\d)(?:\s([\p{L}²³]{1,14}\.?)|([\p{L}²³]{2,14}\.?|[xhglsdjym×]))$"
    fits = _matches(bare, united)
    if fits.mean() < 0.9:
        return bare, factors, ""
    first = bare.filter(pa.array(fits)).slice(0, 2000)
    words = {word.rstrip(".") for word in pc.replace_substring_regex(first, united, r"\2\3").to_pylist()}
    longest: str = max(words, key=len)
    if len({word[: max(len(longest) - 2, 1)].casefold() for word in words}) > 1 or len(words) > 3:
        return bare, factors, ""
    return pc.replace_substring_regex(bare, united, r"\1"), factors, longest


def _settle_rates(texts: pa.Array) -> pa.Array:
    """Remove what an amount is due for, such as the year of 12.50 €/year, where all that have one have the same."""
    rate = rf"^(.*\d.*(?:{_CURRENCY}))\s?(?:/|per |pro |par |por |al |alla )\s?(\p{{L}}+\.?)$"
    if not _matches(texts.slice(0, 1000), rate).any():
        return texts
    due = set(pc.replace_substring_regex(texts.filter(pa.array(_matches(texts, rate))), rate, r"\2").to_pylist())
    return pc.replace_substring_regex(texts, rate, r"\1") if len(due) == 1 else texts


def _settle_bounds(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Write numbers that are known to lie below or above a bound, such as <20 among other numbers, without the sign.

    As the ranges of `analysis.sources.content.ranges`: what lies below a bound is read as the middle between zero and
    it, what lies above one as the bound. Nothing changes where bounds are most of the texts, or others are negative.

    Returns
    -------
    texts : pyarrow.Array of str, length m
    halves : ndarray of float, length m
        One half for a number below a bound, else one.
    """
    halves = np.ones(len(texts))
    bound = rf"^(?:(?i:{_BELOW})|(?i:{_ABOVE}))\s*((?:{_CURRENCY})?\s?\d.*)$"
    bounded = _matches(texts, bound)
    n_plain = int((_matches(texts, rf"^(?:{_CURRENCY})?\s?\d") & ~bounded).sum())
    if not bounded.any() or n_plain < max(FEWEST_BESIDE, int(bounded.sum())) or _matches(texts, r"^[-\x{2212}(]").any():
        return texts, halves
    halves[bounded & _matches(texts, rf"^(?i:{_BELOW})")] = 0.5
    return pc.replace_substring_regex(texts, bound, r"\1"), halves


def _settle_sides(texts: pa.Array) -> pa.Array:
    """Write amounts on the credit side of an account, marked CR or H, as negative where others are marked DR or S."""
    for credit, debit in (("CR", "DR"), ("H", "S")):
        if _matches(texts, rf"\d\s?{credit}$").any() and _matches(texts, rf"\d\s?{debit}$").any():
            texts = pc.replace_substring_regex(texts, rf"^(.*\d)\s?{credit}$", r"-\1")
            return pc.replace_substring_regex(texts, rf"(\d)\s?{debit}$", r"\1")
    return texts


def _signs(texts: pa.Array) -> set[str]:
    """Return the different signs of currencies of the first texts."""
    signs = pc.extract_regex(texts.slice(0, 2000), r"(?P<sign>\p{Sc}|\b[A-Z]{3}\b)")
    return {sign["sign"] for sign in signs.to_pylist() if sign}


def _one_mark(bare: pa.Array, closed: pa.Array, mark: str) -> pa.Array:
    """Write numbers with the other decimal mark with this one, where each of the two stands in some beyond doubt."""
    by_comma = _matches(closed, r"^-?\d+,\d{1,2}$|^-?\d{1,3}(?:\.\d{3})+,\d{1,2}$")
    by_point = _matches(closed, r"^-?\d+\.\d{1,2}$|^-?\d{1,3}(?:,\d{3})+\.\d{1,2}$")
    if not by_comma.any() or not by_point.any():
        return bare
    other, odd = (",", by_comma) if mark == "." else (".", by_point)
    turned = pc.replace_substring(pc.replace_substring(closed, mark, ""), other, mark)
    return pc.if_else(pa.array(odd), turned, bare)


def _matches(values: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
