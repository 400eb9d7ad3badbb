"""Durations such as 4:05 or 1h 20min, and numbers beside units of several sizes, such as 900 MB and 1.2 GB."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from analysis.sources.names import vocabulary, words_of

_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?")
_PARTS = re.compile(
    r"(?:(\d+) ?d(?:ays?)?)?[ ,]*(?:(\d+) ?(?:h|hrs?|hours?|std\.?|stunden?|heures?|horas?|ore|uur))?[ ,]*"
    r"(?:(\d+) ?(?:m|mins?\.?|minut\w*))?[ ,]*(?:(\d+) ?(?:s|secs?\.?|sek\.?|second\w*|sekund\w*))?",
    re.IGNORECASE,
)
_UNITED = re.compile(r"([+-]?\d[\d.,' \u00a0\u202f]*?)\s?([^\W\d_]{1,10})\.?")
_DURATION = vocabulary(
    "duration durations dur dauer gesprachsdauer sitzungsdauer verweildauer besuchsdauer duree duracion duracao",
    "durata duur",
    "length lange longueur elapsed runtime playtime watchtime talktime handletime onhold wait waiting wartezeit",
    "attente",
    "espera attesa wachttijd spent stay usage talk hold handling watched listened played online",
)
_TIME, _SPENT = (
    vocabulary("time zeit temps tiempo tempo tijd"),
    vocabulary("on site page auf sur per in avg average total"),
)
_NO_CLOCK = 23
"""Hour of a clock above which two numbers with a colon can only be a duration."""


def _sizes(*lines: str) -> dict[str, float]:
    return {word: float(size) for line in lines for size, *words in [line.split()] for word in words}


_FAMILIES = (
    _sizes("1 b bytes", "1e3 kb", "1e6 mb", "1e9 gb", "1e12 tb"),
    _sizes("1e-3 mg", "1 g gr", "1e3 kg", "1e6 t"),
    _sizes("1e-3 mm", "1e-2 cm", "1 m", "1e3 km"),
    _sizes("1e-3 ml", "1e-2 cl", "0.1 dl", "1 l"),
    _sizes(
        "1 s sec secs sek seg second seconds sekunde sekunden seconde secondes segundo segundos secondi seconden",
        "60 min mins minute minutes minuten minuto minutos minuti minuut",
        "3600 h hr hrs std hour hours stunde stunden heure heures hora horas ora ore uur",
        "86400 d day days tag tage tagen jour jours dia dias giorno giorni dag dagen",
        "604800 week weeks woche wochen semaine semaines semana semanas settimana settimane weken",
        "2629800 month months monat monate monaten mois mes meses mese mesi maand maanden",
        "31557600 y yr yrs year years jahr jahre jahren an ans ano anos anno anni jaar jaren",
    ),
)
"""Units that measure the same, and how large each is."""


def names_duration(name: str) -> bool:
    """Return whether a name says that the column holds how long something lasted.

    >>> names_duration("Dauer (s)"), names_duration("time on site"), names_duration("order time")
    (True, True, False)
    """
    words = words_of(name)
    lasts = words & _DURATION or any(word.endswith(("dauer", "duur")) for word in words)
    return bool(lasts or (words & _TIME and words & _SPENT))


def read_durations(texts: Sequence[str], name: str) -> list[float] | None:
    """Read durations in minutes, or return None where texts are none, or may be the time of a day.

    Parameters
    ----------
    texts : sequence of str, length m
    name : str
        Of the column.

    Examples
    --------
    >>> read_durations(["0:01:30", "1:00:00"], "duration"), read_durations(["10:30", "11:45"], "opens")
    ([1.5, 60.0], None)
    >>> read_durations(["1h 20min", "45s"], "")
    [80.0, 0.75]
    """
    clocks = [_CLOCK.fullmatch(text.strip()) for text in texts]
    if texts and all(clocks):
        parts = [[int(part or 0) for part in match.groups()] for match in clocks if match]
        if not names_duration(name) and max(part[0] for part in parts) <= _NO_CLOCK:
            return None
        three = any(match[3] for match in clocks if match)
        return [60.0 * a + b + c / 60 if three else a + b / 60 for a, b, c in parts]
    found = [_PARTS.fullmatch(text.strip()) for text in texts]
    if not texts or not all(found) or max(sum(part is not None for part in m.groups()) for m in found if m) < 2:
        return None
    amounts = [[int(part or 0) for part in match.groups()] for match in found if match]
    return [1440.0 * d + 60 * h + m + s / 60 for d, h, m, s in amounts]


def find_units(texts: Sequence[str]) -> tuple[list[str], list[float], str] | None:
    """Find the numbers, their factors and the usual unit of texts with units of several sizes; None for other texts.

    Examples
    --------
    >>> find_units(["900 MB", "1.2 GB", "700 MB"])
    (['900', '1.2', '700'], [1.0, 1000.0, 1.0], 'MB')
    """
    found = [_UNITED.fullmatch(text.strip()) for text in texts]
    matches = [match for match in found if match]
    if len(matches) < len(found) or not matches:
        return None
    counts = Counter(match[2] for match in matches)
    family = next((sizes for sizes in _FAMILIES if all(unit.casefold() in sizes for unit in counts)), None)
    if family is None or len({family[unit.casefold()] for unit in counts}) < 2:
        return None
    usual = counts.most_common(1)[0][0]
    factors = [family[match[2].casefold()] / family[usual.casefold()] for match in matches]
    return [match[1] for match in matches], factors, usual
