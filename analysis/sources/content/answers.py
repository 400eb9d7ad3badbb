"""Answers of surveys in words, codes and numbers that stand for no answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.formats import number
from analysis.sources.columns import Column
from analysis.sources.names import OUTCOME, plain, words_of

SCALES = (
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("very unlikely", "unlikely", "neutral", "likely", "very likely"),
    ("very poor", "poor", "fair", "good", "very good"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("not at all important", "slightly important", "moderately important", "very important", "extremely important"),
    ("never", "rarely", "sometimes", "often", "always"),
)
"""Verbal scales in English that are recognised, from least to most; answers become 1, 2, 3 and so on."""
OTHER_SCALES = (
    ("strongly disagree", "somewhat disagree", "neither agree nor disagree", "somewhat agree", "strongly agree"),
    ("completely disagree", "disagree", "neutral", "agree", "completely agree"),
    ("not important", "somewhat important", "important", "very important"),
    ("low", "medium", "high"),
    ("stimme überhaupt nicht zu", "stimme nicht zu", "neutral", "stimme zu", "stimme voll und ganz zu"),
    ("stimme gar nicht zu", "stimme eher nicht zu", "teils teils", "stimme eher zu", "stimme voll zu"),
    ("trifft nicht zu", "trifft eher nicht zu", "teils teils", "trifft eher zu", "trifft zu"),
    ("sehr unzufrieden", "unzufrieden", "neutral", "zufrieden", "sehr zufrieden"),
    ("nie", "selten", "manchmal", "oft", "immer"),
    ("pas du tout d'accord", "pas d'accord", "neutre", "d'accord", "tout à fait d'accord"),
    (
        "pas du tout d'accord",
        "plutôt pas d'accord",
        "ni d'accord ni pas d'accord",
        "plutôt d'accord",
        "tout à fait d'accord",
    ),
    ("très insatisfait", "insatisfait", "neutre", "satisfait", "très satisfait"),
    ("jamais", "rarement", "parfois", "souvent", "toujours"),
    ("totalmente en desacuerdo", "en desacuerdo", "neutral", "de acuerdo", "totalmente de acuerdo"),
    ("muy en desacuerdo", "en desacuerdo", "neutral", "de acuerdo", "muy de acuerdo"),
    ("muy insatisfecho", "insatisfecho", "neutral", "satisfecho", "muy satisfecho"),
    ("nunca", "raramente", "a veces", "a menudo", "siempre"),
    ("discordo totalmente", "discordo", "neutro", "concordo", "concordo totalmente"),
    ("muito insatisfeito", "insatisfeito", "neutro", "satisfeito", "muito satisfeito"),
    ("nunca", "raramente", "às vezes", "frequentemente", "sempre"),
    ("molto in disaccordo", "in disaccordo", "neutrale", "d'accordo", "molto d'accordo"),
    ("per niente d'accordo", "in disaccordo", "neutrale", "d'accordo", "completamente d'accordo"),
    ("mai", "raramente", "a volte", "spesso", "sempre"),
    ("helemaal mee oneens", "mee oneens", "neutraal", "mee eens", "helemaal mee eens"),
    ("zeer ontevreden", "ontevreden", "neutraal", "tevreden", "zeer tevreden"),
    ("nooit", "zelden", "soms", "vaak", "altijd"),
)
_NEUTRAL = {
    "neither": "neutral",
    "neither agree nor disagree": "neutral",
    "weder noch": "neutral",
    "undecided": "neutral",
    "teils, teils": "teils teils",
    "teils/teils": "teils teils",
    "teilweise": "teils teils",
    "ni de acuerdo ni en desacuerdo": "neutral",
    "neutral/undecided": "neutral",
    "somewhat": "neutral",
    "não concordo nem discordo": "neutro",
    "indifferente": "neutrale",
}
_NUMBERED = re.compile(r"\s*([+-]?\d{1,2})\s*(?:[-–—=:.)]|\s)\s*\(?[^\d\s].*")
_CODED = re.compile(r"([A-Za-z]{1,3})0?(\d{1,2})")
_STAND_INS = (-99, -98, -97, -9, -8, -7, 66, 77, 88, 96, 97, 98, 99, 888, 997, 998, 999, -999)
_SHARED = 3
"""Columns that hold the same answers from which these are taken for a scale."""


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
    read: dict[str, tuple[pd.Series, Column]] = {}
    scales: dict[str, list[tuple[Column, dict[str, float]]]] = {}
    for column in columns:
        if column.name in forced or not 2 <= column.n_distinct <= 40:
            continue
        values = frame[column.name]
        if column.type == "number":
            without = _without_stand_ins(values, column)
            if without is not None:
                read[column.name] = without
        elif column.type in ("category", "key"):
            levels = [str(level) for level in values.dropna().unique()]
            found = _scale(levels)
            if found is not None:
                scales.setdefault(found[0], []).append((column, found[1]))
            elif column.type == "category" and len(levels) == 2 and words_of(column.name) & OUTCOME:
                read[column.name] = _rarer_is_yes(values, column)
    for members in scales.values():
        if len(members) >= _SHARED:
            read |= {column.name: _as_numbers(frame[column.name], column, codes) for column, codes in members}
    if not read:
        return frame, columns
    frame = pd.DataFrame({name: read[name][0] if name in read else frame[name] for name in frame.columns}, copy=False)
    return frame, tuple(read[column.name][1] if column.name in read else column for column in columns)


def _scale(levels: list[str]) -> tuple[str, dict[str, float]] | None:
    """Find the scale that answers belong to: its name, and the number of each answer."""
    if not 2 <= len(levels) <= 11:
        return None
    texts = {level: " ".join(level.casefold().split()).rstrip(".") for level in levels}
    texts = {level: _NEUTRAL.get(text, text) for level, text in texts.items()}
    for scale in (*SCALES, *OTHER_SCALES):
        if set(texts.values()) <= set(scale):
            return scale[0] + scale[-1], {level: scale.index(text) + 1.0 for level, text in texts.items()}
        plainly = [plain(word) for word in scale]
        if {plain(text) for text in texts.values()} <= set(plainly):
            return scale[0] + scale[-1], {level: plainly.index(plain(text)) + 1.0 for level, text in texts.items()}
    for form, group in ((_NUMBERED, 1), (_CODED, 2)):
        matches = {level: form.fullmatch(level) for level in levels}
        if all(matches.values()):
            numbers = {level: float(match[group]) for level, match in matches.items() if match}
            prefixes = {match[1] for match in matches.values() if match} if form is _CODED else {"number"}
            if len(set(numbers.values())) == len(levels) and max(numbers.values()) <= 11 and len(prefixes) == 1:
                return f"{form.pattern} {prefixes}", numbers
    return None


def _as_numbers(values: pd.Series, column: Column, codes: dict[str, float]) -> tuple[pd.Series, Column]:
    ordered = sorted(codes, key=codes.__getitem__)
    note = f"answers in order: {codes[ordered[0]]:g} is '{ordered[0]}', {codes[ordered[-1]]:g} is '{ordered[-1]}'"
    numbers = pd.Series(values.map(codes).to_numpy(np.float64))
    whole = numbers.astype(np.int64) if not numbers.isna().any() else numbers
    return whole, replace(column, type="number", note=note)


def _without_stand_ins(values: pd.Series, column: Column) -> tuple[pd.Series, Column] | None:
    """Take codes such as 99 and -9 for missing, where all other values are whole numbers from 0 to 11."""
    present: Any = values.dropna()
    levels = sorted(present.unique())
    codes = [level for level in levels if level in _STAND_INS]
    others = [level for level in levels if level not in _STAND_INS]
    if not codes or len(codes) > 3 or not 3 <= len(others) <= 12 or others[0] < 0 or others[-1] > 11:
        return None
    stands_in: Any = present.isin(codes)
    if any(level != int(level) for level in others) or stands_in.mean() > 0.4:
        return None
    numbers = values.astype(np.float64).mask(values.isin(codes))
    n = int(stands_in.sum())
    shown = ", ".join(f"{code:g}" for code in codes)
    scale = f"{others[0]:g} to {others[-1]:g}"
    note = f"{column.note}; {number(n)} values taken as no answer, far from the scale {scale}: {shown}"
    return numbers, replace(column, note=note, n_missing=column.n_missing + n, n_distinct=len(others))


def _rarer_is_yes(values: pd.Series, column: Column) -> tuple[pd.Series, Column]:
    counts = values.value_counts()
    yes = str(counts.index[-1])
    answers = values.eq(yes).astype("boolean").mask(values.isna())
    note = f"two answers: '{yes}', the rarer one, is yes; '{counts.index[0]}' is no"
    return answers, replace(column, type="boolean", note=note)
