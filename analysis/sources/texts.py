"""Text columns as their distinct values, which the rules of types look at, and one code a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.base.errors import InputError, listed
from analysis.base.formats import number
from analysis.base.yamls import read_yaml
from analysis.sources.dates import YEARS
from analysis.sources.names import is_identifier, names_a_date, plain

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

MISSING = (
    *("", "-", "--", "?", ".", "NA", "N/A", "na", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "<NA>"),
    *("None", "none", "NONE", "NaT", "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
    *("\\N", "#NV", "#N/D", "#WERT!", "#VALEUR!", "n.a.", "N.A.", "k.A.", "k. A.", "n.d.", "N.D.", "s.d.", "n.b."),
)
MAX_CELL = 100_000
FREQUENT = 10
"""Rows from which a value is quoted in a message; it is then no single customer's. Chosen for this project."""


_OTHER_DIGITS = r"[\x{660}-\x{669}\x{6f0}-\x{6f9}\x{ff10}-\x{ff19}]"
_WESTERN = {start + digit: str(digit) for start in (0x660, 0x6F0, 0xFF10) for digit in range(10)}
_WESTERN |= {0x66B: ".", 0x66C: ",", 0x66A: "%", 0xFF0E: ".", 0xFF0C: ",", 0x61C: "", 0x200E: "", 0x200F: ""}
"""Digits of other scripts, their decimal mark and thousands separator, and signs that only turn the direction."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text column as distinct trimmed values (``present`` ones apart) and one code a row."""

    name: str
    values: pa.Array
    codes: np.ndarray
    present: np.ndarray
    counts: np.ndarray
    missing_note: str
    raw: pa.Array
    raw_codes: np.ndarray

    @property
    def shown(self) -> pa.Array:
        """The distinct values that are not missing."""
        return self.values if len(self.present) == len(self.values) else self.values.take(pa.array(self.present))

    @property
    def weights(self) -> np.ndarray:
        """How often each of them occurs."""
        return self.counts[self.present]

    @property
    def n_missing(self) -> int:
        """Rows without a value."""
        return len(self.codes) - int(self.weights.sum())

    def row_of(self, value: int) -> int:
        """Return the first data row, counted from 1, with the distinct value number ``value``."""
        return int(np.argmax(self.codes == value)) + 1

    def with_western_digits(self) -> Text:
        """Write Arabic, Persian and full-width digits, and the marks between them, as 0 to 9, comma and point."""
        if not pc.any(pc.match_substring_regex(self.values.slice(0, 1000), _OTHER_DIGITS)).as_py():
            return self
        written = [value.translate(_WESTERN) for value in self.values.to_pylist()]
        return replace(self, values=pa.array(written, self.values.type))

    def spread(self, values: np.ndarray, nothing: Any) -> np.ndarray:
        """Map values of distinct values back to the rows."""
        lookup = np.full(len(self.values) + 1, nothing, dtype=values.dtype)
        lookup[self.present] = values
        return lookup[self.codes]


def as_text(name: str, array: pa.ChunkedArray, forced: str | None) -> pa.ChunkedArray | None:
    """Return the column as text where its values have to be read, None where they already have a type."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return as_text(name, array.cast(kind.value_type), forced)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_integer(kind):
        lowest, highest = (value.as_py() for value in pc.min_max(array).values())
        if array.null_count and highest is not None and max(abs(lowest), highest) > 2**53:
            return array.cast(pa.string())
        compact = lowest is not None and lowest >= YEARS[0] * 10_000 and highest < YEARS[1] * 10_000
        dated = forced is None and names_a_date(name, clock=True) and not is_identifier(name)
        return array.cast(pa.string()) if compact or dated or forced not in (None, "number") else None
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        dated = forced is None and names_a_date(name) and not is_identifier(name)
        return None if forced in (None, "number") and not dated else pa.chunked_array([_written(array)])
    if pa.types.is_boolean(kind):
        return None if forced in (None, "boolean") else array.cast(pa.string())
    if pa.types.is_temporal(kind) and not (pa.types.is_time(kind) or pa.types.is_duration(kind)):
        return None if forced in (None, "date") else array.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())])
    return array.cast(pa.string())


def _written(array: pa.ChunkedArray) -> pa.Array:
    """Write numbers as text, whole ones without a decimal point."""
    numbers = (None if v is None or v != v else v for v in array.to_pylist())
    return pa.array([None if v is None else str(int(v) if v == int(v) else v) for v in numbers], pa.string())


def gather_distinct(name: str, array: pa.ChunkedArray, shown: str) -> Text:
    """Gather the distinct values of a column, spaces around them removed.

    Raises
    ------
    InputError
        Where a cell is too long, or holds a formula.
    """
    whole = array.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = array.cast(pa.large_string()).combine_chunks()
    encoded = whole.dictionary_encode()
    raw, raw_codes = encoded.dictionary, encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    values, codes = raw, raw_codes
    # Some programs write text as a formula, ="00123", so that a spreadsheet keeps its zeros.
    formulas = pc.any(pc.starts_with(raw, '="')).as_py()
    bare = pc.replace_substring_regex(raw, r'^="([^"]*)"$', r"\1") if formulas else raw
    trimmed = pc.utf8_trim_whitespace(bare)
    if not trimmed.equals(raw):
        again = trimmed.dictionary_encode()
        values = again.dictionary
        codes = np.append(again.indices.to_numpy(zero_copy_only=False), -1)[raw_codes]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    is_missing = pc.is_in(values, value_set=pa.array(MISSING, values.type)).to_numpy(zero_copy_only=False)
    text = Text(
        *(name, values, codes, np.flatnonzero(~is_missing), counts),
        *(_missing_note(values, is_missing, counts, len(codes)), raw, raw_codes),
    )
    _check_cells(text, shown)
    return text


def _missing_note(values: pa.Array, is_missing: np.ndarray, counts: np.ndarray, n_rows: int) -> str:
    n_missing = n_rows - int(counts[~is_missing].sum())
    if not n_missing:
        return ""
    words = {values[int(i)].as_py(): int(counts[i]) for i in np.flatnonzero(is_missing)}
    words.pop("", None)
    words_used = ", ".join(f"{number(count)} written as '{word}'" for word, count in words.items())
    return f"{number(n_missing)} missing" + (f" ({words_used})" if words_used else "")


def _check_cells(text: Text, shown: str) -> None:
    if not len(text.values):
        return
    lengths = pc.binary_length(text.values).to_numpy(zero_copy_only=False)
    longest = int(lengths.argmax())
    if lengths[longest] > MAX_CELL:
        raise InputError(
            f"{shown}, column '{text.name}', data row {number(text.row_of(longest))}: a cell of "
            f"{number(lengths[longest])} bytes.",
            f"Expected cells of at most {number(MAX_CELL)} bytes.",
            "An unclosed quotation mark is a common cause; otherwise remove the column.",
        )
    formula = pc.match_substring_regex(text.values, r"^=\s*[A-Za-z$(+\-'\"\d]").to_numpy(zero_copy_only=False)
    if formula.any():
        first = int(formula.argmax())
        raise InputError(
            f"{shown}, column '{text.name}', data row {number(text.row_of(first))}: a formula.",
            "Expected values.",
            "Paste the column as values and save the file again.",
        )


@cache
def no_answers() -> frozenset[str]:
    """Return words and sentences that say that there is no value or answer, without case and accents."""
    content: Any = read_yaml(Path(__file__).with_name("no_answers.yml").read_text(encoding="utf-8"))
    return frozenset(plain(text) for texts in content.values() for text in texts)


def gives_no_answer(text: str) -> bool:
    """Return whether a text says that there is no value or answer.

    >>> gives_no_answer("Don\u2019t know / not sure"), gives_no_answer("Keine Angabe"), gives_no_answer("Not satisfied")
    (True, True, False)
    """
    word = _bare(plain(text.replace("\u2019", "'")))
    return word in no_answers() or all(_bare(part) in no_answers() for part in re.split(r"[/,(]", word))


def _bare(text: str) -> str:
    """Return a text without brackets, spaces and full stops around it."""
    return re.sub(r"^[\s().<>\[\]!]+|[\s().<>\[\]!]+$", "", text)


def shorten(value: str, limit: int = 40) -> str:
    """Cut a value for a message."""
    return value if len(value) <= limit else value[: limit - 1] + "…"


def form_of(value: str) -> str:
    """Return the form of a value: logs may be public, and a message must not quote what one customer has.

    >>> form_of("Ann Lee, 0381 55")
    'Aaa Aaa, 9999 99'
    """
    letters = re.sub(r"[^\W\d_]", lambda match: "A" if match[0].isupper() else "a", value)
    return shorten(re.sub(r"\d", "9", letters), 24)


def list_examples(text: Text, mask: np.ndarray) -> str:
    """List the most frequent of the values that a mask selects; of rare ones only the form."""
    shown, weights = text.shown, text.weights
    found = np.flatnonzero(mask)
    order = found[np.argsort(-weights[found], kind="stable")].tolist()
    texts = ((shown[i].as_py(), bool(weights[i] >= FREQUENT)) for i in order)
    values = ((value, often or gives_no_answer(value)) for value, often in texts)
    return listed((f"'{shorten(value, 24) if often else form_of(value)}'" for value, often in values), limit=3)
