"""Numbers in text: decimal marks, thousands separators, currencies and percent signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import compute

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

Decimal = Literal["auto", ".", ","]

_GROUP = "[\\s'\u2019\u00a0\u202f]"
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
        sample, counts = pc.replace_substring_regex(texts.slice(0, 2000), _GROUP, ""), weights[:2000]
        plain = _matches(sample, r"^[+-]?[\d.,]*\d[\d.,]*$")
        if not counts.sum() or counts[plain].sum() < 0.9 * counts.sum():
            continue
        for mark, pattern in _EVIDENCE.items():
            votes[mark] += int(_matches(sample, pattern).any())
    return "," if votes[","] > votes["."] else "."


def read_numbers(texts: pa.Array, mark: str, guess: bool = True) -> tuple[np.ndarray, str]:
    """Read distinct texts as numbers.

    Parameters
    ----------
    texts : pyarrow.Array of str, length m
    mark : {".", ","}
        The table's decimal mark.
    guess : bool
        Whether the texts' own evidence may overrule it.

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
    bare = pc.replace_substring_regex(texts, r"^\((.+)\)$", r"-\1")
    bare = pc.replace_substring_regex(bare, r"^([+-]?)\s*[$€£¥]\s*|\s*[$€£¥%]$", r"\1")
    bare = pc.replace_substring_regex(bare, r"^(?:\+|(-)\s+)", r"\1")
    if guess:
        closed = pc.replace_substring_regex(bare, _GROUP, "")
        votes = {key: int(_matches(closed, pattern).sum()) for key, pattern in _EVIDENCE.items()}
        if votes["."] != votes[","]:
            mark = max(votes, key=lambda key: votes[key])
    other = "," if mark == "." else "."
    whole = rf"\d{{1,3}}(?:(?:{_GROUP}|[{other}])\d{{3}})+|\d+"
    pattern = rf"^-?(?:(?:{whole})(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d{{1,3}})?$"
    endless = _matches(bare, r"^[+-]?(?i:inf|infinity)$")
    fits = _matches(bare, pattern) | endless
    plain = pc.replace_substring_regex(bare, rf"{_GROUP}|[{other}]", "")
    plain = pc.replace_substring(plain, mark, ".") if mark == "," else plain
    plain = pc.if_else(pa.array(fits), plain, pa.scalar(None, plain.type))
    numbers = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    grouped = _matches(bare, rf"\d(?:{_GROUP}|[{other}])\d") & fits
    marked = _matches(bare, rf"[{mark}]") & fits
    signed = _matches(texts, r"[$€£¥%]") & fits
    how = {
        "numbers with a decimal comma": mark == "," and marked.any(),
        "numbers with a decimal point": mark == "." and marked.any(),
        "separators between thousands removed": grouped.any(),
        "currency or per cent signs removed": signed.any(),
    }
    note = ", ".join(words for words, is_so in how.items() if is_so)
    return numbers, note


def _matches(values: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
