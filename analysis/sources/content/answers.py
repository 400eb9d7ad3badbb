"""Answers of surveys in words, codes and numbers that stand for no answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.base.formats import number
from analysis.sources.columns import Column
from analysis.sources.content.scales import SHARED, find_codes
from analysis.sources.names import OUTCOME, words_of
from analysis.sources.texts import gives_no_answer

_STAND_INS = (-99, -98, -97, -9, -8, -7, 66, 77, 88, 96, 97, 98, 99, 888, 997, 998, 999, -999)
IN_ORDER = "answers in order"
"""How the note of a column begins whose words became numbers."""
_DIGITS = (7, 8, 9)
"""Numbers that stand for no answer where the scale ends before them."""
_ALONE = (-999, -99, -98, -97, -9, -8, -7, -1, 888, 997, 998, 999, 8888, 9998, 9999, 99999, 999999)
"""Numbers that stand for no answer where they lie far from all others."""
_MOST_LEVELS = 500


def read_answers(
    frame: pd.DataFrame, columns: tuple[Column, ...], forced: Collection[str]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Turn answers on a shared scale of words into numbers, and numbers that stand for no answer into missing ones.

    Words become numbers only where three columns or more share their scale. An outcome in two words becomes yes or no.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    forced : collection of str
        Columns whose type is set, which are not changed.

    Returns
    -------
    DataFrame, tuple of Column
    """
    open_ = [column for column in columns if column.name not in forced]
    read = _without_codes(frame, [c for c in open_ if c.type == "number" and 2 <= c.n_distinct <= _MOST_LEVELS])
    words = {
        column.name: [str(level) for level in frame[column.name].dropna().unique()]
        for column in open_
        if column.type in ("category", "key") and 2 <= column.n_distinct <= 40
    }
    given = {name: [level for level in levels if not gives_no_answer(level)] for name, levels in words.items()}
    codes = find_codes(given)
    for column in open_:
        values = frame[column.name]
        if column.name in codes:
            read[column.name] = _as_numbers(values, column, codes[column.name])
        elif column.type == "category" and len(words.get(column.name, ())) == 2 and words_of(column.name) & OUTCOME:
            read[column.name] = _rarer_is_yes(values, column)
    if not read:
        return frame, columns
    frame = pd.DataFrame({name: read[name][0] if name in read else frame[name] for name in frame.columns}, copy=False)
    return frame, tuple(read[column.name][1] if column.name in read else column for column in columns)


def _as_numbers(values: pd.Series, column: Column, codes: dict[str, float]) -> tuple[pd.Series, Column]:
    ordered = sorted(codes, key=codes.__getitem__)
    note = f"{IN_ORDER}: {codes[ordered[0]]:g} is '{ordered[0]}', {codes[ordered[-1]]:g} is '{ordered[-1]}'"
    numbers = pd.Series(values.map(codes).to_numpy(np.float64))
    n_missing = int(numbers.isna().sum())
    if n_missing > column.n_missing:
        note += f"; {number(n_missing - column.n_missing)} answers that give none taken as missing"
    whole = numbers.astype(np.int64) if not n_missing else numbers
    known = tuple(codes.items())
    return whole, replace(column, type="number", note=note, n_missing=n_missing, n_distinct=len(codes), codes=known)


def apply_codes(
    frame: pd.DataFrame, columns: tuple[Column, ...], codes: Mapping[str, Mapping[str, float]]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Turn words and ranges into the numbers that an earlier reading gave them, whatever other rows hold.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    codes : mapping of column name to mapping of text to float
        Texts that it lacks become the number that they are, or missing.

    Returns
    -------
    DataFrame, tuple of Column
    """
    if not codes:
        return frame, columns
    made = {}
    for name, numbers in codes.items():
        texts = frame[name].astype("str")
        made[name] = texts.map(dict(numbers)).astype("float64").fillna(pd.to_numeric(texts, errors="coerce"))
    read = (
        replace(column, type="number", n_missing=int(made[column.name].isna().sum())) if column.name in made else column
        for column in columns
    )
    return frame.assign(**made), tuple(read)


def _without_codes(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, tuple[pd.Series, Column]]:
    """Take numbers that stand for no answer for missing: 99 beside 1 to 5, 9 where others share the scale, 999."""
    levels = {column.name: np.sort(frame[column.name].dropna().unique().astype(np.float64)) for column in columns}
    whole = {name: found for name, found in levels.items() if bool((found == np.floor(found)).all())}
    shared = Counter(_scale_before(found)[0] for found in whole.values())
    read = {}
    for column in columns:
        found = whole.get(column.name)
        if found is None:
            continue
        scale, after = _scale_before(found)
        codes = after if shared[scale] >= SHARED and set(after) <= {*_DIGITS, *_STAND_INS} else ()
        codes = codes or _find_stand_ins(found) or _find_alone(found, frame[column.name])
        taken = _without(frame[column.name], column, found, codes) if codes else None
        if taken is not None:
            read[column.name] = taken
    return read


def _scale_before(levels: np.ndarray) -> tuple[tuple[float, float], tuple[float, ...]]:
    """Return the run of whole numbers that levels begin with, and the numbers two or more beyond it.

    >>> _scale_before(np.array([1.0, 2, 3, 4, 5, 9]))
    ((1.0, 5.0), (9.0,))
    """
    gaps = np.flatnonzero(np.diff(levels) > 1)
    if levels[0] not in (0, 1) or levels[-1] > 1000 or not len(gaps) or gaps[0] < 2:
        return (float(levels[0]), float(levels[-1])), ()
    end = int(gaps[0])
    return (float(levels[0]), float(levels[end])), tuple(map(float, levels[end + 1 :]))


def _find_stand_ins(levels: np.ndarray) -> tuple[float, ...]:
    """Return the codes such as 99 and -9 where all other values are whole numbers from 0 to 11."""
    if len(levels) > 40:
        return ()
    codes = [level for level in levels if level in _STAND_INS]
    others = [level for level in levels if level not in _STAND_INS]
    fits = codes and len(codes) <= 3 and 3 <= len(others) <= 12 and others[0] >= 0 and others[-1] <= 11
    return tuple(codes) if fits else ()


def _find_alone(levels: np.ndarray, values: pd.Series) -> tuple[float, ...]:
    """Return a number such as 999 or -1 that several rows have, and that lies far from all others or below zero."""
    if len(levels) < 10:
        return ()
    found = []
    for code, others in ((levels[-1], levels[:-1]), (levels[0], levels[1:])):
        far = code >= 2 * others[-1] and others[-1] > 11 if code > 0 else others[0] >= 0
        if code in _ALONE and far and int((values == code).sum()) >= 3:
            found.append(float(code))
    return tuple(found)


def _without(
    values: pd.Series, column: Column, levels: np.ndarray, codes: tuple[float, ...]
) -> tuple[pd.Series, Column] | None:
    stands_in = values.isin(codes)
    n = int(stands_in.sum())
    if n > 0.4 * int(values.notna().sum()):
        return None
    others = levels[~np.isin(levels, codes)]
    shown = ", ".join(f"{code:g}" for code in codes)
    scale = f"{others[0]:g} to {others[-1]:g}"
    note = f"{column.note}; {number(n)} values taken as no answer, far from the scale {scale}: {shown}"
    missing = values.astype(np.float64).mask(stands_in)
    return missing, replace(column, note=note, n_missing=column.n_missing + n, n_distinct=len(others))


def _rarer_is_yes(values: pd.Series, column: Column) -> tuple[pd.Series, Column]:
    counts = values.value_counts()
    yes = str(counts.index[-1])
    answers = values.eq(yes).astype("boolean").mask(values.isna())
    note = f"two answers: '{yes}', the rarer one, is yes; '{counts.index[0]}' is no"
    return answers, replace(column, type="boolean", note=note)
