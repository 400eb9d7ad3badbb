"""Scales of answers in words, and the numbers that the answers of a table become."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from analysis.base.yamls import read_yaml
from analysis.sources.content.degrees import find_degrees
from analysis.sources.names import plain

_FILE = Path(__file__).with_suffix(".yml")
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
_BARE = re.compile(r"\s*([+-]?\d{1,2})\s*")
_PARTED = re.compile(r"(\d{1,2})\s?(?:/|of|out of|von|sur|de|su|van|di)\s?(\d{1,2})")
_STARS = re.compile(r"([\u2605\u2b50]{1,10})[\u2606\ufe0f]*")
_CODED = re.compile(r"([A-Za-z]{1,3})0?(\d{1,2})")
_LEVELS = ("low", "medium", "high")
"""Words of many things: a scale only where several columns hold them."""
_MOST_STEPS = 11
SHARED = 3
"""Columns that hold answers in order from which words are taken for a scale. Chosen for this project."""


def find_codes(levels: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Find the columns whose words are answers in order, and the number of each answer.

    Three columns or more have to hold answers in order. Numbers before words, such as 1 - never, count only where
    three columns have this form.

    Parameters
    ----------
    levels : mapping of column name to sequence of str
        The different answers of each column.

    Returns
    -------
    dict of column name to dict of answer to float
        1 for the least; steps of a scale that no column holds are not counted, unless the scale is a usual one.

    Examples
    --------
    >>> find_codes({name: ["nie", "oft", "immer"] for name in "abc"})["a"]
    {'nie': 1.0, 'oft': 4.0, 'immer': 5.0}
    >>> find_codes({"a": ["nie", "oft", "immer"]})
    {}
    """
    found = {name: scale for name, words in levels.items() if (scale := _find_scale(words))}
    forms = Counter(form for form, _ in found.values())
    rest = {name: [_fold(word) for word in words] for name, words in levels.items() if name not in found}
    by_degree = {name: ranks for name, words in rest.items() if (ranks := find_degrees(words))}
    stepped = by_degree | _place_on_steps(rest) if len(levels) >= SHARED else {}
    n_verbal = len(stepped) + sum(n for form, n in forms.items() if form.startswith("words"))
    codes = {name: codes for name, (form, codes) in found.items() if forms[form] >= SHARED}
    if n_verbal < SHARED:
        return codes
    codes |= {name: codes for name, (form, codes) in found.items() if form.startswith("words")}
    return codes | {name: dict(zip(levels[name], steps, strict=True)) for name, steps in stepped.items()}


def _place_on_steps(folded: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Place the words of each column on the scale of the file that most columns share."""
    folded = {name: words for name, words in folded.items() if 3 <= len(words) <= _MOST_STEPS}
    fitting = {
        name: [number for number, scale in enumerate(_known()) if _fits(words, scale)] for name, words in folded.items()
    }
    counts = Counter(number for numbers in fitting.values() for number in numbers)
    own = {name: max(numbers, key=lambda n: (counts[n], -n)) for name, numbers in fitting.items() if numbers}
    used: dict[int, set[int]] = {}
    for name, number in own.items():
        used.setdefault(number, set()).update(_known()[number][word] for word in folded[name])
    ranks = {number: {step: i + 1.0 for i, step in enumerate(sorted(steps))} for number, steps in used.items()}
    return {name: [ranks[n][_known()[n][word]] for word in folded[name]] for name, n in own.items()}


def _fits(words: Sequence[str], scale: Mapping[str, int]) -> bool:
    steps = [scale.get(word) for word in words]
    return None not in steps and len(set(steps)) == len(steps)


@cache
def _known() -> tuple[dict[str, int], ...]:
    """The scales of the file: the step of each word."""
    languages = read_yaml(_FILE.read_text(encoding="utf-8")).values()
    return tuple(
        {_fold(word): step for step, words in enumerate(scale) for word in words}
        for scales in languages
        for scale in scales
    )


def _fold(word: str) -> str:
    """Write a word without case, accents and punctuation.

    >>> _fold("Teils/teils"), _fold("Ni d\u2019accord, ni pas d\u2019accord.")
    ('teils teils', "ni d'accord ni pas d'accord")
    """
    return " ".join(re.sub(r"[,;/.]", " ", plain(word.replace("\u2019", "'"))).split())


def _find_scale(levels: Sequence[str]) -> tuple[str, dict[str, float]] | None:
    """Find the usual scale or the form that answers belong to: its name, and the number of each answer."""
    if not 2 <= len(levels) <= 11:
        return None
    texts = {level: " ".join(level.casefold().split()).rstrip(".") for level in levels}
    texts = {level: _NEUTRAL.get(text, text) for level, text in texts.items()}
    for scale in (*SCALES, *OTHER_SCALES):
        kind = "levels" if scale == _LEVELS else f"words {scale[0]} {scale[-1]}"
        plainly = [plain(word) for word in scale]
        folded = {level: plain(text) for level, text in texts.items()}
        if set(folded.values()) <= set(plainly) and len(set(folded.values())) == len(levels):
            return kind, {level: plainly.index(text) + 1.0 for level, text in folded.items()}
    parted = {level: _PARTED.fullmatch(level.strip()) for level in levels}
    if all(parted.values()) and len({match[2] for match in parted.values() if match}) == 1:
        return "parts", {level: float(match[1]) for level, match in parted.items() if match}
    stars = {level: _STARS.fullmatch(level.strip()) for level in levels}
    if all(stars.values()) and len({len(match[1]) for match in stars.values() if match}) == len(levels):
        return "stars", {level: float(len(match[1])) for level, match in stars.items() if match}
    for form, group in ((_NUMBERED, 1), (_CODED, 2)):
        matches = {level: form.fullmatch(level) for level in levels}
        if form is _NUMBERED and sum(map(bool, matches.values())) >= 2:
            # Often only the ends of a scale have words.
            matches = {level: match or _BARE.fullmatch(level) for level, match in matches.items()}
        if all(matches.values()):
            numbers = {level: float(match[group]) for level, match in matches.items() if match}
            prefixes = {match[1] for match in matches.values() if match} if form is _CODED else {"number"}
            if len(set(numbers.values())) == len(levels) and max(numbers.values()) <= 11 and len(prefixes) == 1:
                return f"{form.pattern} {prefixes}", numbers
    return None
