"""Numeric survey answers and measures of response style: straight-lining, acquiescence and yea-saying."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import number, percentage
from analysis.customers.cleaning import LedgerLine
from analysis.settings.sources import Source
from analysis.sources.content.scales import OTHER_SCALES, SCALES
from analysis.sources.tables import RawTable

Scale = Literal["yes_no", "likert", "number"]

YES = ("yes", "y", "true", "1", "ja", "oui", "si", "sí", "checked", "selected")
NO = ("no", "n", "false", "0", "nein", "non", "unchecked", "not selected")
OFTEN = (
    *("never", "less than once a year", "once a year", "twice a year", "every six months", "every three months"),
    *("every two months", "every month", "monthly", "once a month", "twice a month", "every two weeks", "weekly"),
    *("every week", "once a week", "twice a week", "several times a week", "more than once a week", "daily"),
    *("every day", "once a day", "more than once a day"),
)
"""Answers to how often, from least to most."""
ALL_AGREED = 0.9
"""Share of the items, of each direction where there are two, from which a respondent who agrees counts as a yea-sayer.
Chosen for this project."""
MOST_POINTS = 11
"""Points that a scale of plain whole numbers has at most, as from 0 to 10. Chosen for this project."""
OPPOSED = 0.2
"""Loading on the first principal axis from which an item with the other sign points the other way. Chosen for this
project."""
_SIGNED = re.compile(r"(?:^|[^\d\w.,+-])([+-]\d+(?:[.,]\d+)?)$|^([+-]\d+(?:[.,]\d+)?)\b|[^\d\s]([+-]\d+(?:[.,]\d+)?)$")
_RANGE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:-|–|to)\s*\d")


@dataclass(frozen=True, slots=True)
class Battery:
    """How the items of one battery were read and answered.

    Attributes
    ----------
    name : str
    items : tuple of str
    n_asked : int
        Respondents.
    scale : {"yes_no", "likert", "number"}
    codes : tuple of (str, float)
        Each answer and the number that it became, from least to most.
    n_answered : int
        Respondents who answered every item.
    straight_lining : float
        Share of those who gave the same answer to all items; NaN for a battery of one item.
    acquiescence : float
        Share of yes among all answers, or of answers above the middle of the scale; NaN for plain numbers.
    yea_saying : float
        Share of those who answered every item that agreed with :data:`ALL_AGREED` of them, of both directions where
        items point in two; NaN for numbers that are no scale and for a battery of one item.
    reversed_items : tuple of str
        Items that point the other way than most; empty where fewer than two do.
    """

    name: str
    items: tuple[str, ...]
    n_asked: int
    scale: Scale
    codes: tuple[tuple[str, float], ...]
    n_answered: int
    straight_lining: float
    acquiescence: float
    yea_saying: float
    reversed_items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """Numeric answers; no respondent is dropped.

    Attributes
    ----------
    frame : DataFrame of float64, shape (n, n_items)
        0 and 1 for no and yes; positions on the scale; missing = NaN. Indexed like the answers.
    straight_lined : DataFrame of bool, shape (n, n_batteries)
        Who gave the same answer to all items of a battery.
    batteries : tuple of Battery
    notes : tuple of str
    """

    frame: pd.DataFrame
    straight_lined: pd.DataFrame
    batteries: tuple[Battery, ...]
    notes: tuple[str, ...]


def find_order(levels: Sequence[str]) -> tuple[str, ...]:
    """Find the order of answers that have one: words of a known scale, positions with a sign, or ranges of numbers.

    Returns
    -------
    tuple of str
        The levels from least to most; empty if their order is unknown. Plain whole numbers may be
        codes and have none.

    Examples
    --------
    >>> find_order(["Once a week", "Never", "Once a month"])
    ('Never', 'Once a month', 'Once a week')
    >>> find_order(["0", "-2", "+2", "-1", "I love it!+5"])
    ('-2', '-1', '0', '+2', 'I love it!+5')
    >>> find_order(["65+", "18 to 30", "31 to 64"]), find_order(["Capital", "North"]), find_order(["1", "2", "13"])
    (('18 to 30', '31 to 64', '65+'), (), ())
    """
    if len(levels) < 3:
        return ()
    plain = {level: " ".join(level.lower().split()) for level in levels}
    for scale in (*SCALES, *OTHER_SCALES, OFTEN):
        if set(plain.values()) <= set(scale):
            return tuple(sorted(levels, key=lambda level: scale.index(plain[level])))
    signed, ranges = ([bool(form.search(level)) for level in levels] for form in (_SIGNED, _RANGE))
    numbers = {level: re.search(r"\d+(?:[.,]\d+)?", level) for level in levels}
    if 2 * max(sum(signed), sum(ranges)) < len(levels) or any(match is None for match in numbers.values()):
        return ()

    def place(level: str) -> float:
        match = _SIGNED.search(level)
        text = next(group for group in match.groups() if group) if match else numbers[level][0]  # type: ignore[index]
        return float(text.replace(",", "."))

    placed = {level: abs(place(level)) if sum(ranges) > sum(signed) else place(level) for level in levels}
    return tuple(sorted(levels, key=placed.__getitem__)) if len(set(placed.values())) == len(levels) else ()


def survey_summary(
    frame: pd.DataFrame,
    items: Sequence[str] | Mapping[str, Sequence[str]],
    *,
    scales: Mapping[str, Sequence[str]] | None = None,
    setting: str = "items",
) -> SurveySummary:
    """Turn answers into numbers and say how they were given.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        One row per respondent.
    items : sequence of str, or mapping of battery to sequence of str
        Columns; the items of a battery share one scale.
    scales : mapping of battery to sequence of str, optional
        Answers from least to most, where they are not recognised (a list of items is battery ``survey``).
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    SurveySummary

    Raises
    ------
    InputError
        No such column, or answers of no known scale.

    Examples
    --------
    >>> answers = pd.DataFrame({"cheap": ["Yes", "No", "Yes"], "tasty": ["Yes", "No", "No"]})
    >>> summary = survey_summary(answers, ["cheap", "tasty"])
    >>> summary.frame["tasty"].to_list()
    [1.0, 0.0, 0.0]
    >>> round(summary.batteries[0].straight_lining, 3), summary.batteries[0].acquiescence
    (0.667, 0.5)
    """
    batteries = items if isinstance(items, Mapping) else {"survey": items}
    coded: list[pd.DataFrame] = []
    lined: dict[str, pd.Series] = {}
    summaries: list[Battery] = []
    for name, columns in batteries.items():
        numbers, same, battery = _read_battery(frame, name, columns, (scales or {}).get(name), setting)
        coded.append(numbers)
        lined[name] = same
        summaries.append(battery)
    notes = tuple(
        f"{number(len(frame) - battery.n_answered)} of {number(len(frame))} respondents left an item of "
        f"{battery.name} empty."
        for battery in summaries
        if battery.n_answered < len(frame)
    )
    return SurveySummary(pd.concat(coded, axis=1), pd.DataFrame(lined), tuple(summaries), notes)


def _read_battery(
    frame: pd.DataFrame, name: str, columns: Sequence[str], order: Sequence[str] | None, setting: str
) -> tuple[pd.DataFrame, pd.Series, Battery]:
    """Turn the answers of one battery into numbers; and which respondents gave the same to all of its items."""
    for column in columns:
        if column not in frame.columns:
            raise InputError(
                f"{setting}.{name}: column '{column}' is not in the table.",
                f"Available columns: {listed(frame.columns)}.",
                did_you_mean(column, map(str, frame.columns)),
            )
    answers = frame[list(columns)]
    scale, codes = _read_scale(answers, order, f"{setting}.{name}")
    numbers = pd.DataFrame({c: _plain(answers[c]).map(codes) for c in columns}, dtype="float64")
    if scale == "number":
        numbers = answers.astype("Float64").astype("float64")
    complete = numbers.notna().all(axis=1)
    same = complete & (numbers.nunique(axis=1) == 1) & (len(columns) > 1)
    n_answered = int(complete.sum())
    agreed = _agreed(numbers[complete], scale, codes or _points(numbers))
    other_way = _find_reversed(numbers[complete])
    return (
        numbers,
        same,
        Battery(
            name=name,
            items=tuple(columns),
            n_asked=len(frame),
            scale=scale,
            codes=tuple(sorted(codes.items(), key=lambda code: (code[1], code[0]))),
            n_answered=n_answered,
            straight_lining=float(same.sum() / n_answered) if n_answered and len(columns) > 1 else float("nan"),
            acquiescence=_acquiescence(numbers, scale, codes),
            yea_saying=_yea_saying(agreed, other_way),
            reversed_items=tuple(str(column) for column in numbers.columns[other_way]),
        ),
    )


def _read_scale(answers: pd.DataFrame, given: Sequence[str] | None, place: str) -> tuple[Scale, dict[str, float]]:
    """Find the scale of a battery: as given, yes and no, plain numbers, known words, or words with a number."""
    answered = sorted(set().union(*(_plain(answers[column]).dropna() for column in answers)))
    if given is not None:
        codes = {_plain(pd.Series([answer])).iloc[0]: place_ + 1.0 for place_, answer in enumerate(given)}
        missing = [answer for answer in answered if answer not in codes]
        if missing:
            raise InputError(
                f"{place}: the answer '{missing[0]}' is not on the given scale.",
                f"The scale is: {listed(given)}.",
                did_you_mean(missing[0], codes) or "Add it to the scale.",
            )
        return "likert", codes
    if answered and set(answered) <= {*YES, *NO}:
        return "yes_no", {answer: float(answer in YES) for answer in answered}
    if all(pd.api.types.is_numeric_dtype(answers[column]) for column in answers):
        return "number", {}
    for scale in (*SCALES, *OTHER_SCALES):
        if set(answered) <= set(scale):
            return "likert", {answer: place_ + 1.0 for place_, answer in enumerate(scale)}
    numbered = {answer: _number_in(answer) for answer in answered}
    values = [value for value in numbered.values() if value is not None]
    if answered and len(values) == len(answered) == len(set(values)):
        return "likert", {answer: value for answer, value in numbered.items() if value is not None}
    raise InputError(
        f"{place}: the answers do not match a known scale: {listed(answered, 6)}.",
        "Expected yes and no, numbers, or a scale such as disagree to agree.",
        "List the answers under scales, from lowest to highest.",
    )


def _number_in(answer: str) -> float | None:
    """Number that an answer starts or ends with: ``+3``, ``1 - never``, ``i love it!+5``.

    >>> _number_in("+3"), _number_in("1 - never"), _number_in("i hate it!-5"), _number_in("never")
    (3.0, 1.0, -5.0, None)
    """
    match = re.match(r"([+-]?\d+(?:\.\d+)?)(?![\d.])", answer) or re.search(r"([+-]?\d+(?:\.\d+)?)$", answer)
    return float(match.group(1)) if match else None


def _plain(values: pd.Series) -> pd.Series:
    """Answers without case, spaces and a ``.0`` that missing values bring; empty ones are missing."""
    text = values.astype("str").str.strip().str.lower().str.replace(r"^([+-]?\d+)\.0$", r"\1", regex=True)
    return text.mask(text == "")


def _acquiescence(numbers: pd.DataFrame, scale: Scale, codes: Mapping[str, float]) -> float:
    agreed = _agreed(numbers, scale, codes)
    if agreed is None or not numbers.notna().any(axis=None):
        return float("nan")
    return float(agreed.sum() / numbers.notna().to_numpy().sum())


def _agreed(numbers: pd.DataFrame, scale: Scale, codes: Mapping[str, float]) -> NDArray[np.bool_] | None:
    """Which answers, shape (n, items), are a yes or lie above the middle of the scale; None without a scale."""
    if not codes:
        return None
    middle = 0.5 if scale == "yes_no" else (min(codes.values()) + max(codes.values())) / 2
    return numbers.to_numpy() > middle


def _points(numbers: pd.DataFrame) -> dict[str, float]:
    """Ends of a scale of plain whole numbers, as they were used; nothing where numbers are no scale."""
    given = numbers.to_numpy()[numbers.notna().to_numpy()]
    if not len(given) or (given % 1 != 0).any():
        return {}
    low, high = float(given.min()), float(given.max())
    return {"lowest": low, "highest": high} if 1 < high - low < MOST_POINTS else {}


def _find_reversed(numbers: pd.DataFrame) -> NDArray[np.bool_]:
    """Which items, shape (items,), point the other way than most: by the sign of their loading on the first axis."""
    none = np.zeros(numbers.shape[1], dtype=bool)
    answers = numbers.to_numpy()
    varies = np.ptp(answers, axis=0) > 0 if len(answers) else none
    if varies.sum() < 4:
        return none
    first = np.linalg.eigh(np.corrcoef(answers[:, varies].T))[1][:, -1]
    loadings = np.zeros(len(none))
    loadings[varies] = first * np.sign(first.sum() or 1.0)
    other_way = loadings <= -OPPOSED
    return other_way if 2 <= other_way.sum() <= (loadings >= OPPOSED).sum() else none


def _yea_saying(agreed: NDArray[np.bool_] | None, other_way: NDArray[np.bool_]) -> float:
    """Share of respondents who agree with nearly all items, shape (n, items), of each direction."""
    if agreed is None or not len(agreed) or agreed.shape[1] < 2:
        return float("nan")
    sides = [side for side in (other_way, ~other_way) if side.any()]
    return float(np.all([agreed[:, side].mean(axis=1) >= ALL_AGREED for side in sides], axis=0).mean())


def read_styles(raws: Sequence[RawTable], sources: Sequence[Source]) -> tuple[tuple[Battery, ...], list[LedgerLine]]:
    """Read how the batteries of all surveys were answered, and describe it.

    Parameters
    ----------
    raws : sequence of RawTable
        In the order of ``sources``.
    sources : sequence of Source
    """
    pairs = zip(raws, sources, strict=True)
    styles = [(battery, source) for raw, source in pairs for battery in _read_answers(raw, source)]
    return tuple(b for b, _ in styles), [
        line for battery, source in styles for line in _describe_answers(battery, source)
    ]


def _read_answers(raw: RawTable, source: Source) -> tuple[Battery, ...]:
    """Read how the battery of a survey was answered; no respondent is dropped."""
    items = list(source.battery or source.roles.feature)
    if source.kind != "survey" or len(items) < 2 or any(item not in raw.frame.columns for item in items):
        return ()
    return survey_summary(raw.frame, items, setting="battery").batteries


def _describe_answers(battery: Battery, source: Source) -> list[LedgerLine]:
    """Describe the response style of a battery."""
    n, items = battery.n_asked, len(battery.items)
    lined = round(battery.straight_lining * battery.n_answered) if battery.n_answered else 0
    yes = (
        "of the answers are a yes" if battery.scale == "yes_no" else "of the answers lie above the middle of the scale"
    )
    tendency = f" {percentage(battery.acquiescence)} {yes}." if battery.acquiescence == battery.acquiescence else ""
    why = f"The same answer to all {items} items may be haste rather than opinion.{tendency}"
    centred = bool(source.centred())
    done = "set aside while segments are formed, then assigned like everyone" if centred else "reported, kept"
    lines = [LedgerLine("Straight-lining", why, n, lined, n, done)]
    if battery.yea_saying == battery.yea_saying:
        each = "items of either direction" if battery.reversed_items else "items"
        why = f"Who agrees with {percentage(ALL_AGREED)} or more of the {each} may have a habit of agreeing."
        if not battery.reversed_items:
            why += " No item points the other way, so it may also be an opinion."
        done = "each respondent's average taken from the answers" if centred else "reported, kept"
        lines.append(LedgerLine("Yea-saying", why, n, round(battery.yea_saying * battery.n_answered), n, done))
    return lines
