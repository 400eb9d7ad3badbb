"""Answers that differ in words of degree, such as not at all, slightly and very likely."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analysis.base.yamls import read_yaml
from analysis.sources.names import plain

_FILE = Path(__file__).with_suffix(".yml")
FEWEST = 3
"""Answers from which words of degree make a scale. Chosen for this project."""


def find_degrees(folded: Sequence[str]) -> list[float] | None:
    """Place answers in order by their words of degree, or return None where they are no such scale.

    The other words must be the same in all answers, or those of two opposites.

    Parameters
    ----------
    folded : sequence of str
        Answers without case, accents and punctuation.

    Returns
    -------
    list of float
        Rank of each answer, from 1.

    Examples
    --------
    >>> find_degrees(["very likely", "not at all likely", "slightly likely"])
    [3.0, 1.0, 2.0]
    >>> find_degrees(["lehne stark ab", "stimme zu", "weder noch", "lehne ab"])
    [1.0, 4.0, 3.0, 2.0]
    >>> find_degrees(["very red", "not at all blue", "slightly green"]) is None
    True
    """
    parts = [_split(text) for text in folded]
    stems = {stem for stem, _ in parts if stem}
    known = _words()
    low: str | None = None
    if len(stems) == 2:
        low = next((low for low, high in known["opposites"] if {low, high} == stems), None)
    if len(folded) < FEWEST or not stems or (len(stems) == 2 and low is None) or len(stems) > 2:
        return None
    places = [0.0 if not stem else -1 - degree if stem == low else 1 + degree for stem, degree in parts]
    n_neutral = sum(not stem for stem, _ in parts)
    if len(stems) == 1 and n_neutral:
        return None
    order = sorted(set(places))
    return [order.index(place) + 1.0 for place in places] if len(order) == len(places) else None


def _split(text: str) -> tuple[str, float]:
    """Return the words of an answer without the longest word of degree in it, and its degree."""
    known = _words()
    if text in known["neutral"]:
        return "", 0.0
    spaced = f" {text} "
    for phrase, degree in known["degrees"]:
        if f" {phrase} " in spaced:
            return " ".join(spaced.replace(f" {phrase} ", " ", 1).split()), degree
    return text, known["plain"]


@cache
def _words() -> dict[str, Any]:
    content: Any = read_yaml(_FILE.read_text(encoding="utf-8"))
    degrees = {
        plain(word): float(rank) for rank, words in content["degrees"].items() if rank != "plain" for word in words
    }
    return {
        "degrees": sorted(degrees.items(), key=lambda item: -len(item[0])),
        "plain": float(content["degrees"]["plain"]),
        "opposites": [tuple(map(plain, pair)) for pair in content["opposites"]],
        "neutral": frozenset(map(plain, content["neutral"])),
    }
