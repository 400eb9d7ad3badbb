"""Column types, inferred from the values.

Every column is reduced to its distinct values first; the rules look at those, weighted by how often they
occur, and the answer is mapped back to the rows: a million rows of two hundred amounts cost two hundred.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import number
from analysis.sources.dates import YEARS, DateOrder, DayMonth, look_like_dates, read_dates
from analysis.sources.names import is_a_person, is_identifier
from analysis.sources.numbers import Decimal, are_words, decimal_mark, read_numbers
from analysis.sources.texts import MISSING, Text, as_text, form_of, gather_distinct, gives_no_answer, list_examples

# Its functions are made at run time, out of a type checker's sight.
pc: Any = compute

ColumnType = Literal["number", "date", "category", "boolean", "text", "key"]

_BOOLEANS = {
    **{("true", "false"): "true", ("yes", "no"): "yes", ("y", "n"): "y", ("t", "f"): "t"},
    **{
        ("ja", "nein"): "ja",
        ("oui", "non"): "oui",
        ("si", "no"): "si",
        ("sí", "no"): "sí",
        ("on", "off"): "on",
        ("ja", "nee"): "ja",
        ("ja", "nej"): "ja",
        ("sim", "não"): "sim",
        ("sim", "nao"): "sim",
        ("sì", "no"): "sì",
        ("s", "n"): "s",
        ("j", "n"): "j",
        ("tak", "nie"): "tak",
        ("v", "f"): "v",
        ("o", "n"): "o",
        ("wahr", "falsch"): "wahr",
        ("vrai", "faux"): "vrai",
        ("verdadero", "falso"): "verdadero",
        ("verdadeiro", "falso"): "verdadeiro",
        ("vero", "falso"): "vero",
        ("checked", "unchecked"): "checked",
        ("selected", "not selected"): "selected",
        ("quoted", "not quoted"): "quoted",
    },
}
LARGEST, SMALLEST, ALIKE = 1e30, 1e-30, 1e-9
"""Size beyond which a number is missing, and below which it is 0, since squares of such cannot be computed; difference,
as a part of the largest, up to which fractions are one number. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column was read.

    Attributes
    ----------
    name : str
        As in the source, spaces around it removed.
    type : {"number", "date", "category", "boolean", "text", "key"}
    note : str
        How it was read and why, one plain sentence.
    n_missing, n_distinct : int
        Rows without a value, and different values among the others.
    n_unread : int
        Rows that hold something else than the type, and count as missing.
    replaced : str
        Why other columns, made from this one, take its place; empty where none do.
    codes : tuple of (str, float)
        The number that stands for each text, where words or ranges became numbers.
    """

    name: str
    type: ColumnType
    note: str
    n_missing: int
    n_distinct: int
    n_unread: int = 0
    replaced: str = ""
    codes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A typed column and what it taught about the rest of the table."""

    values: pd.Series
    column: Column
    order: DayMonth | Literal["open", ""] = ""


def read_columns(
    table: pa.Table,
    *,
    types: Mapping[str, str] | None = None,
    dates: DateOrder = "auto",
    decimal: Decimal = "auto",
    shown: str = "the table",
    setting: str = "segmentation.sources[0]",
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Assign a type to every column, inferred from its values or as given.

    Parameters
    ----------
    table : pyarrow.Table, shape (n_rows, n_columns)
        Text columns are read by evidence; columns that already have a type keep it.
    types : mapping of column name to type, optional
        Types to force.
    dates, decimal : str
        Order of day and month, and decimal mark, where values are to be read in one way only.
    shown, setting : str
        The file and the setting that messages name.

    Returns
    -------
    frame : DataFrame, shape (n_rows, n_columns)
        int64 or float64, datetime64[s], boolean, str.
    columns : tuple of Column

    Raises
    ------
    InputError
        A forced type that is unknown, names no column or cannot be read; a formula; a cell too long.
    """
    types = dict(types or {})
    _check_types(types, table.column_names, shown, setting)
    texts = {
        name: gather_distinct(name, text, shown)
        for name in table.column_names
        if (text := as_text(name, table.column(name), types.get(name))) is not None
    }
    mark = decimal if decimal != "auto" else decimal_mark((text.shown, text.weights) for text in texts.values())

    def read(name: str, order: DateOrder) -> _Read:
        if name not in texts:
            return _read_native(name, table.column(name), types.get(name))
        forced = types.get(name)
        return _read_text(texts[name], forced, order, mark, decimal == "auto", f"{setting}.types.{name}", shown)

    found = {name: read(name, dates) for name in table.column_names}
    orders = {item.order for item in found.values() if item.order in ("day-first", "month-first")}
    if dates == "auto" and len(orders) == 1:
        (order,) = orders
        for name in [name for name, item in found.items() if item.order == "open"]:
            item = read(name, cast(DayMonth, order))
            note = f"{order.replace('-', ' ')} like the table's other dates (its own values fit both orders)"
            tail = item.column.note.partition("; ")[2]
            column = replace(item.column, note="; ".join(filter(None, (note, tail))))
            found[name] = _Read(item.values, column, "open")
    frame = pd.DataFrame({name: item.values for name, item in found.items()}, copy=False)
    return frame, tuple(item.column for item in found.values())


def _check_types(types: Mapping[str, str], names: list[str], shown: str, setting: str) -> None:
    for name, type_ in types.items():
        if name not in names:
            raise InputError(
                f"{setting}.types.{name}: column '{name}' is not in {shown}.",
                f"Available columns: {listed(names)}.",
                did_you_mean(name, names),
            )
        if type_ not in get_args(ColumnType):
            raise InputError(
                f"{setting}.types.{name}: '{type_}' is not a type.",
                f"Valid types: {', '.join(get_args(ColumnType))}.",
                did_you_mean(str(type_), get_args(ColumnType)),
            )


def _matches(values: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)


def _read_text(
    text: Text, forced: str | None, dates: DateOrder, mark: str, guess: bool, setting: str, shown: str
) -> _Read:
    if not len(text.present):
        empty = pd.Series([None] * len(text.codes), dtype="str")
        return _Read(empty, Column(text.name, "category", "no values at all", len(text.codes), 0))
    if forced in (None, "boolean") and (read := _read_boolean(text, forced is not None)) is not None:
        return read
    digits = text.with_western_digits()
    if forced in (None, "date") and (read := _read_date(digits, dates, forced is not None)) is not None:
        return read
    if forced in (None, "number") and (read := _read_number(digits, mark, guess, forced is not None)) is not None:
        return read
    if forced in ("boolean", "date", "number"):
        example = _unread_example(text, forced, mark)
        form = form_of(text.values[example].as_py())
        raise InputError(
            f"{setting}: column '{text.name}' of {shown} cannot be read as {forced}.",
            f"Data row {number(text.row_of(example))} has a value of the form '{form}'.",
            "Correct the values, or remove the type from the settings." if "[" in setting else "Correct the values.",
        )
    return _read_words(text, forced)


def _unread_example(text: Text, forced: str, mark: str) -> int:
    if forced == "number":
        bad = np.isnan(read_numbers(text.shown, mark)[0])
    elif forced == "date":
        bad = ~look_like_dates(text.shown)
    else:
        bad = np.ones(len(text.present), bool)
    return int(text.present[int(bad.argmax())])


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _read_boolean(text: Text, forced: bool) -> _Read | None:
    if len(text.present) > 6:
        return None
    words = [word.casefold() for word in text.shown.to_pylist()]
    if len(words) == 2 and (yes := _denied(words)):
        words = ["true" if word == yes else "false" for word in words]
    elif len(words) == 2 and all(len(word) > 5 for word in words):
        # "Yes, every week" and "No, never" are yes and no.
        first = [re.split(r"[\s,;.:]", word, maxsplit=1)[0] for word in words]
        words = first if len(set(first)) == 2 else words
    pair = next((pair for pair in _BOOLEANS if set(words) <= set(pair)), None)
    if pair is None or (len(set(words)) == 1 and pair[0] != "true" and not forced):
        return None
    answers = np.array([word == _BOOLEANS[pair] for word in words])
    n_true = int(text.weights[answers].sum())
    values = pd.array(text.spread(answers, False), dtype="boolean")
    values[text.spread(np.zeros(len(words), bool), True)] = pd.NA
    note = f"two answers: {pair[0]} {number(n_true)}, {pair[1]} {number(int(text.weights.sum()) - n_true)}"
    column = Column(text.name, "boolean", _joined(note, text.missing_note), text.n_missing, len(set(words)))
    return _Read(pd.Series(values), column)


def _denied(words: list[str]) -> str:
    """Return the one of two words that the other denies, such as chosen of not chosen; empty if neither does."""
    short, long = sorted(words, key=len)
    return short if re.fullmatch(rf"(?:not|nicht|non|no|não|nao|niet|pas) {re.escape(short)}", long) else ""


def _read_number(text: Text, mark: str, guess: bool, forced: bool) -> _Read | None:
    shown, weights = text.shown, text.weights
    digits_alone = _matches(shown, r"^0\d+$|^\d{17,}$|^9[0-9]{15}$").any() and _matches(shown, r"^\d+$").all()
    if not forced and (digits_alone or are_words(shown, mark, guess)):
        return None
    numbers, how = read_numbers(shown, mark, guess, text.name)
    endless = np.abs(numbers) > LARGEST
    unread = np.isnan(numbers)
    n_unread = int(weights[unread].sum())
    if unread.all() or not _nearly_all(text, unread, forced):
        return None
    finite = _settle(np.where(endless, np.nan, numbers))
    values = _tidy(text.spread(finite, np.nan))
    reason = how or ("whole numbers" if values.dtype == np.int64 or _whole(finite) else "numbers with a decimal point")
    note = _joined(
        reason,
        text.missing_note,
        f"{number(int(weights[endless].sum()))} {_how_large(numbers)} taken as missing" if endless.any() else "",
        f"{number(n_unread)} not a number taken as missing ({list_examples(text, unread)})" if n_unread else "",
    )
    n_missing = int(pd.isna(values).sum())
    whole = _whole(finite)
    n_distinct = _ngather_distinct(finite)
    tells_apart = n_distinct > 2 or n_distinct == len(values) - n_missing
    is_key = whole and not forced and tells_apart and is_identifier(text.name)
    type_: ColumnType = "key" if is_key else "number"
    note = f"an identifier by its name, {note}" if type_ == "key" else note
    n_unread += int(weights[endless].sum())
    return _Read(pd.Series(values), Column(text.name, type_, note, n_missing, n_distinct, n_unread))


def _nearly_all(text: Text, unread: np.ndarray, forced: bool) -> bool:
    """Whether the unread values are few, and words rather than codes such as C536379."""
    n_unread = int(text.weights[unread].sum())
    if not n_unread:
        return True
    share = n_unread / text.weights.sum()
    if forced:
        return bool(share <= 0.05)
    words = text.shown.filter(pa.array(unread))
    if share > 0.02 and not _stand_for_missing(words, share, int((~unread).sum())):
        return False
    return len(words) <= 10 and not is_identifier(text.name) and not _matches(words, r"\d").any()


def _stand_for_missing(words: pa.Array, share: float, n_numbers: int) -> bool:
    """Return whether words among many different numbers say that there is none."""
    known = all(map(gives_no_answer, words.to_pylist())) if len(words) <= 5 else False
    return (known and share <= 0.6 and n_numbers >= 5) or (len(words) == 1 and share <= 0.2 and n_numbers >= 20)


def _how_large(numbers: np.ndarray) -> str:
    return "too large" if (np.isfinite(numbers) & (np.abs(numbers) > LARGEST)).any() else "infinite"


def _settle(numbers: np.ndarray) -> np.ndarray:
    """Take numbers next to 0 for 0, and fractions that differ only in their last digits for one number.

    >>> _settle(np.array([1e-320, 2.5])), _settle(1.5 + np.arange(3) * 1e-13)
    (array([0. , 2.5]), array([1.5, 1.5, 1.5]))
    """
    settled = np.where(np.abs(numbers) < SMALLEST, 0.0, numbers)
    known = settled[~np.isnan(settled)]
    if not len(known) or (known == np.floor(known)).all():
        return settled
    low, high = float(known.min()), float(known.max())
    if high - low > ALIKE * max(abs(low), abs(high)):
        return settled
    return np.where(np.isnan(settled), np.nan, float(f"{low:.8g}"))


def _tidy(values: np.ndarray) -> np.ndarray:
    """Turn whole numbers without a gap into int64; leave other numbers float64."""
    if values.dtype == np.int64:
        return values
    if len(values) and not np.isnan(values).any() and _whole(values):
        return values.astype(np.int64)
    return values.astype(np.float64)


def _whole(values: np.ndarray) -> bool:
    finite = values[~np.isnan(values)]
    return bool(len(finite)) and bool((np.abs(finite) < 2**53).all()) and bool((finite == np.floor(finite)).all())


def _ngather_distinct(values: np.ndarray) -> int:
    return len(pd.unique(values[~pd.isna(values)]))


def _read_date(text: Text, order: DateOrder, forced: bool) -> _Read | None:
    dates = read_dates(text.shown, text.weights, order, 0.95 if forced else 0.98, text.name)
    if dates is None:
        return None
    values = text.spread(dates.stamps, np.datetime64("NaT", "s"))
    taken = {
        f"outside {YEARS[0]} to {YEARS[1]}": dates.outside,
        "far from the other dates": dates.isolated,
        "not a date": dates.bad,
    }
    counts = {reason: int(text.weights[mask].sum()) for reason, mask in taken.items()}
    reasons = [
        f"{number(n)} {reason} taken as missing ({list_examples(text, taken[reason])})"
        for reason, n in counts.items()
        if n
    ]
    note = _joined(dates.evidence, text.missing_note, *reasons)
    n_missing = int(np.isnat(values).sum())
    column = Column(text.name, "date", note, n_missing, _ngather_distinct(dates.stamps), sum(counts.values()))
    return _Read(pd.Series(values), column, "open" if dates.is_open else dates.order)


def _read_words(text: Text, forced: str | None) -> _Read:
    shown, n_present = text.shown, int(text.weights.sum())
    digits = bool(_matches(shown, r"^\d+$").all())
    n_distinct = len(text.present)
    named = is_identifier(text.name) and not (n_distinct <= 10 and n_distinct < n_present and is_a_person(text.name))
    if forced is not None:
        type_, reason = forced, f"{forced} as set"
    elif digits and _matches(shown, r"^0\d").any():
        type_, reason = "key", "an identifier: leading zeros are kept"
    elif digits:
        type_, reason = "key", "an identifier: more digits than a number keeps"
    elif named:
        type_, reason = "key", "an identifier by its name"
    elif n_distinct == n_present > 10 and _matches(shown, r"\d").all() and not _matches(shown, r"\s").any():
        type_, reason = "key", "an identifier: a different code in every row"
    elif n_distinct <= max(2, min(50, n_present // 2)) or n_distinct <= min(1000, n_present * 0.05):
        type_, reason = "category", f"{number(n_distinct)} different words"
    else:
        type_, reason = "text", f"{number(n_distinct)} different texts in {number(n_present)} rows"
    merged = len(text.raw) - len(text.values)
    keep_spaces = type_ in ("key", "text") and merged > 0
    values, codes = (text.raw, text.raw_codes) if keep_spaces else (text.values, text.codes)
    is_missing = pc.is_in(pc.utf8_trim_whitespace(values), value_set=pa.array(MISSING, values.type))
    values = pc.if_else(is_missing, pa.scalar(None, values.type), values)
    rows = values.take(pa.array(codes, mask=codes < 0)).cast(pa.string())
    spaces = f"{number(merged)} values differ from another by spaces only" if merged else ""
    note = _joined(reason, spaces, text.missing_note, _contradiction(text))
    if type_ in ("text", "key", "category") and _matches(shown, r"^[^@\s]+@[^@\s]+\.[^@\s]+$").mean() > 0.5:
        lower = pc.utf8_lower(shown)
        folded = n_distinct - len(lower.unique())
        if folded:
            rows, n_distinct = pc.utf8_lower(rows), n_distinct - folded
            note = _joined(note, f"{number(folded)} addresses differ from another by capital letters only")
    series = pd.Series(rows.to_pandas(), dtype="str")
    return _Read(series, Column(text.name, cast(ColumnType, type_), note, text.n_missing, n_distinct))


def _contradiction(text: Text) -> str:
    """Say why a column that looks like dates was not read as dates."""
    fits = look_like_dates(text.shown)
    if text.weights[fits].sum() < 0.98 * text.weights.sum():
        return ""
    return "looks like dates, but no single order of day and month fits all of them"


def _read_native(name: str, array: pa.ChunkedArray, forced: str | None) -> _Read:
    """Read a column that already has a type (Parquet, Excel, a database)."""
    kind = array.type
    missing = f"{number(array.null_count)} missing" if array.null_count else ""
    if pa.types.is_boolean(kind):
        values = pd.Series(array.to_pandas(types_mapper=None)).astype("boolean")
        column = Column(
            name, "boolean", _joined("true or false in the file", missing), array.null_count, values.nunique()
        )
        return _Read(values, column)
    if pa.types.is_temporal(kind):
        if pa.types.is_timestamp(kind) and kind.tz:
            array = array.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
        seconds = array.cast(pa.timestamp("s"), safe=False)
        stamps = seconds.combine_chunks().to_numpy(zero_copy_only=False).astype("datetime64[s]")
        years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
        far = ~np.isnat(stamps) & ((years < YEARS[0]) | (years > YEARS[1]))
        stamps = np.where(far, np.datetime64("NaT", "s"), stamps)
        away = f"{number(int(far.sum()))} outside {YEARS[0]} to {YEARS[1]} taken as missing" if far.any() else ""
        note = _joined("dates in the file", missing, away)
        n_missing = int(np.isnat(stamps).sum())
        column = Column(name, "date", note, n_missing, _ngather_distinct(stamps), int(far.sum()))
        return _Read(pd.Series(stamps), column)
    if pa.types.is_integer(kind) and not array.null_count and not pa.types.is_uint64(kind):
        numbers: np.ndarray = array.cast(pa.int64()).combine_chunks().to_numpy(zero_copy_only=False)
        endless, size = np.zeros(0, bool), ""
    else:
        numbers = array.cast(pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
        endless, size = np.abs(numbers) > LARGEST, _how_large(numbers)
        numbers = _tidy(_settle(np.where(endless, np.nan, numbers)))
    n_missing = int(np.isnan(numbers).sum()) if numbers.dtype == np.float64 else 0
    whole = numbers.dtype == np.int64 or _whole(numbers)
    n_distinct = _ngather_distinct(numbers)
    tells_apart = n_distinct > 2 or n_distinct == len(numbers) - n_missing
    is_key = whole and forced is None and tells_apart and is_identifier(name)
    type_: ColumnType = "key" if is_key else "number"
    note = _joined(
        "an identifier by its name" if type_ == "key" else "",
        "whole numbers" if whole else "numbers with a decimal point",
        f"{number(n_missing - int(endless.sum()))} missing" if n_missing > endless.sum() else "",
        f"{number(int(endless.sum()))} {size} taken as missing" if endless.any() else "",
    )
    return _Read(pd.Series(numbers), Column(name, type_, note, n_missing, n_distinct, int(endless.sum())))
