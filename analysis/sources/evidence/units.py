"""Units of columns, and whether a column tells what a customer is worth."""

from __future__ import annotations

from typing import Any, Literal

from analysis.sources.columns import Column
from analysis.sources.content.ranges import RANGES
from analysis.sources.evidence.roles import is_whole, money_words
from analysis.sources.evidence.vocabularies import (
    CODED,
    COUNT,
    MONEY,
    MONEY_ENDS,
    NO_MONEY,
    NO_VALUE,
    SHARE,
    VALUE,
)
from analysis.sources.names import has_word, words_of
from analysis.sources.tables import RawTable

DISCOUNTS = frozenset(["discount", "rabatt", "remise", "descuento", "sconto", "korting", "desconto"])
"""Words of a price reduction, which is a share of the price where no value exceeds one."""

InferredUnit = Literal["money", "count", "share", "days", "years", "yes_no", "number", "category", ""]


def is_coded(column: Column, words: frozenset[str]) -> bool:
    """Return whether few different numbers are codes by their name, so that their order means nothing."""
    if column.note.startswith(RANGES):
        return False
    return column.type == "number" and column.n_distinct <= 50 and bool(words & CODED) and not words & (COUNT | MONEY)


def _is_money(words: frozenset[str]) -> bool:
    money = has_word(words, MONEY | set("€$£¥₹"), MONEY_ENDS)
    return (money or words <= {"total", "gesamt", "totale", "totaal"}) and not words & (NO_MONEY - {"limit"})


def names_value(name: str) -> bool:
    """Return whether a name says what a customer is worth: spending or revenue, no limit, price, score or loan."""
    words = money_words(name)
    worth = bool(words & VALUE) or any(word.endswith(("umsatz", "omzet", "ausgaben")) for word in words)
    worth = worth or {"chiffre", "affaires"} <= words
    return worth and not words & (NO_VALUE | NO_MONEY)


def infer_unit(table: RawTable, column: Column, role: str) -> InferredUnit:
    """Infer the unit of a column from its name, its values and its role; empty for keys, dates and text."""
    words = words_of(column.name)
    if column.type in ("key", "date", "text") or role in ("key", "customer"):
        return ""
    if column.type == "category":
        return "category"
    values: Any = table.frame[column.name]
    if column.type == "boolean" or (column.n_distinct <= 2 and set(values.dropna().unique()) <= {0, 1}):
        return "yes_no"
    whole = is_whole(values)
    rules: tuple[tuple[bool, InferredUnit], ...] = (
        (is_coded(column, words), "category"),
        (bool(words & SHARE) and bool(values.between(0, 1)[values.notna()].all()), "share"),
        (bool(words & DISCOUNTS) and not whole and bool(values.between(0, 1)[values.notna()].all()), "share"),
        (whole and bool(words & COUNT), "count"),
        (role == "amount" or _is_money(words), "money"),
        (bool(words & {"days", "recency", "tage", "jours", "dias", "giorni", "dagen"}), "days"),
        (bool(words & {"age", "years", "alter", "edad", "idade", "leeftijd"}), "years"),
    )
    for fits, unit in rules:
        if fits:
            return unit
    return "number"
