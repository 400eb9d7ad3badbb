"""Names of months in many languages."""

from __future__ import annotations

from functools import lru_cache

from babel.dates import get_month_names

_LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "pl")


@lru_cache(maxsize=1)
def month_names() -> dict[str, int]:
    """Return the number of each month by its name and abbreviation, in lower case without a full stop."""
    names = {}
    for language in _LANGUAGES:
        for width in ("abbreviated", "wide"):
            for context in ("format", "stand-alone"):
                for month, word in get_month_names(width, context, language).items():
                    names.setdefault(word.lower().rstrip("."), month)
    english = {word[:3]: month for word, month in names.items() if word.isascii() and word in _ENGLISH}
    return english | {"sept": 9, "set": 9, "mrz": 3, "mrt": 3} | names


def month_number(word: str) -> int:
    """Return the number of the month with a name or abbreviation in lower case; 0 for another word.

    >>> month_number("jan"), month_number("dezember"), month_number("market")
    (1, 12, 0)
    """
    return month_names().get(word, 0)


_ENGLISH = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
    "december",
)
