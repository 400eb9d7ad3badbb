"""Texts for files of other programs: without what no font has, and numbers with the digits of the pages."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff\\s]+")


def printable(text: str) -> str:
    r"""Return a text on one line without control characters and halves of letters, which XML and fonts do not have.

    >>> printable("a\x00b\nc\ud800")
    'a b c '
    """
    return re.sub(_UNPRINTABLE, _spaced, text)


def _spaced(found: re.Match[str]) -> str:
    """Leave a space; one that does not break stays."""
    return found[0] if found[0] in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}" else " "


def as_shown(x: float, unit: str) -> float:
    """Return a number with the digits that pages print: those of ``Formats.percent`` and ``Formats.plain``.

    >>> as_shown(0.12345, "share"), as_shown(1183.44, "money"), as_shown(42.35, "count")
    (0.12, 1183.0, 42.4)
    """
    size = abs(x)
    if unit in {"share", "yes_no"}:
        return round(x, 2 if size >= 0.0995 else 3)
    return round(x, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)
