"""Rows that last: sessions, subscriptions, and one row for each customer and period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.cache import once_each
from analysis.settings.sources import Kind
from analysis.sources.columns import Column
from analysis.sources.evidence.roles import (
    find_amount,
    find_customer,
    find_dates,
    names_amount,
    names_order,
)
from analysis.sources.evidence.units import names_value
from analysis.sources.evidence.vocabularies import (
    AMOUNT,
    COUNT,
    DEMOGRAPHIC,
    END,
    END_ENDS,
    EVENT,
    MODEL,
    MONEY,
    MONEY_ENDS,
    MONTHLY_STARTS,
    NO_MONEY,
    OTHER_AMOUNT,
    PAGES,
    PERIOD,
    PERIOD_ENDS,
    PLAN,
    PRICE,
    SESSION_STARTS,
    SHARE,
    START,
    START_ENDS,
    STATUS,
    STOCK,
    SUBSCRIPTION,
    SUBSCRIPTION_STARTS,
    USED,
    YEARLY_STARTS,
)
from analysis.sources.forms.measures import names_duration
from analysis.sources.names import OUTCOME, has_word, is_identifier, vocabulary, words_of
from analysis.sources.tables import RawTable

MONTHS_OF = {"month": 1.0, "year": 12.0}
"""Months in a period for which a price is due."""
_NEVER = vocabulary("average avg mean durchschnitt moyenne media promedio gemiddeld median max min active total per")
FILLED = 0.7
"""Share of rows with an amount other than zero from which sessions are purchases."""
DENSE = 0.5
"""Share of the periods between its first and last row in which a customer of a panel has one. Both are chosen for this
project."""


@dataclass(frozen=True, slots=True)
class Spans:
    """What the rows of a table are, and what its columns say about them.

    Attributes
    ----------
    kind : {"sessions", "subscriptions", "panel"}
    why : str
        One plain sentence.
    columns : dict of str to str
        As in the settings of a source.
    totals, balances : tuple of str
        Columns of a panel that add up over the periods, and those whose latest value counts.
    value : str, optional
        The computed feature that is surely what a customer is worth.
    """

    kind: Kind
    why: str
    columns: dict[str, str]
    totals: tuple[str, ...] = ()
    balances: tuple[str, ...] = ()
    value: str | None = None


@once_each
def recognise_spans(table: RawTable) -> Spans | None:
    """Recognise sessions, subscriptions and panels, by names and values alike; None for other tables."""
    customer = find_customer(table)
    if customer is None or not find_dates(table):
        return None
    return _find_subscriptions(table, customer) or _find_panel(table, customer) or _find_sessions(table, customer)


def name_columns(table: RawTable, kind: Kind) -> dict[str, str]:
    """Name the columns of sessions or subscriptions by their names and types alone."""
    if kind == "sessions":
        return _columns_of_sessions(table)
    return _columns_of_subscriptions(table) if kind == "subscriptions" else {}


def period_of(name: str) -> str:
    """Return month or year where a name says for how long a price is due, else an empty text.

    >>> period_of("Monatspreis"), period_of("annual_premium"), period_of("price")
    ('month', 'year', '')
    """
    words = words_of(name)
    if _starts(words, MONTHLY_STARTS):
        return "month"
    return "year" if _starts(words, YEARLY_STARTS) or "jahr" in words else ""


def find_measures(table: RawTable, customer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the columns of a panel that add up over periods, and those whose latest value counts.

    A number adds up if its name says that it is an amount of money, a count or a consumption, and not that it is had,
    such as a balance, or a rate, a price or a score. Numbers that never differ within a customer are no measures.
    """
    totals, balances = [], []
    for column in table.columns:
        words = words_of(column.name)
        if column.type != "number" or column.replaced or column.name == customer or column.n_distinct < 3:
            continue
        if is_identifier(column.name) or words & (DEMOGRAPHIC - STOCK | MODEL) or not _varies(table, column, customer):
            continue
        (totals if adds_up(column.name) else balances).append(column.name)
    return tuple(totals), tuple(balances)


def adds_up(name: str) -> bool:
    """Return whether a name says that values of several rows add up: amounts, counts and consumption.

    >>> adds_up("revenue"), adds_up("orders"), adds_up("balance"), adds_up("unit price"), adds_up("age")
    (True, True, False, False, False)
    """
    words = words_of(name)
    had = words & (STOCK | SHARE | PRICE | NO_MONEY | DEMOGRAPHIC | _NEVER)
    return has_word(words, MONEY | AMOUNT | COUNT | USED, MONEY_ENDS) and not had


def _starts(words: Iterable[str], starts: tuple[str, ...]) -> bool:
    return any(word.startswith(starts) for word in words)


def _varies(table: RawTable, column: Column, customer: str) -> bool:
    """Return whether a number differs between the rows of at least one in ten customers."""
    return bool((table.frame.groupby(customer)[column.name].nunique() > 1).mean() >= 0.1)


def _first(columns: Iterable[Column], fits: Any) -> str | None:
    return next((column.name for column in columns if fits(words_of(column.name))), None)


def _named(parts: dict[str, str | None]) -> dict[str, str]:
    return {part: name for part, name in parts.items() if name}


def _columns_of_sessions(table: RawTable) -> dict[str, str]:
    numbers = [column for column in table.columns if column.type == "number" and not is_identifier(column.name)]
    keys = [c for c in table.columns if c.n_distinct >= 0.98 * table.n_rows and c.type in ("key", "text", "number")]
    return _named(
        {
            "session": _first(keys, lambda words: _starts(words, SESSION_STARTS)),
            "pages": _first(numbers, lambda words: words & PAGES),
            "duration": next((column.name for column in numbers if names_duration(column.name)), None),
        }
    )


def _find_sessions(table: RawTable, customer: Column) -> Spans | None:
    """Recognise sessions: a number of the session in each row, its pages, its duration; two of these beside amounts."""
    parts = _columns_of_sessions(table)
    if any(EVENT & words_of(column.name) and column.name not in parts.values() for column in table.columns):
        return None
    amount = find_amount(table)
    if amount in parts.values():
        amount = None
    named = amount is not None and names_amount(amount)
    paid = named and (table.frame[amount].fillna(0) != 0).mean() >= FILLED
    if paid or not ("session" in parts or {"pages", "duration"} <= set(parts)) or (named and len(parts) < 2):
        return None
    session = f"'{parts['session']}' names each session" if "session" in parts else ""
    lasts = " and ".join(f"'{parts[part]}'" for part in ("pages", "duration") if part in parts)
    why = "; ".join(filter(None, (session, f"{lasts} measure it" if lasts else "")))
    return Spans("sessions", f"'{customer.name}' repeats, and {why}.", _dated(table, customer, parts))


def _dated(table: RawTable, customer: Column, parts: dict[str, str]) -> dict[str, str]:
    start = _start(table) or find_dates(table)[0]
    return {"customer": customer.name, "date": start, **parts}


def _start(table: RawTable) -> str | None:
    dates = [column for column in table.columns if column.type == "date"]
    return _first(dates, lambda words: has_word(words, START, START_ENDS))


def _columns_of_subscriptions(table: RawTable) -> dict[str, str]:
    start = _start(table)
    ends = [column for column in table.columns if column.type == "date" and column.name != start]
    words = [column for column in table.columns if column.type in ("category", "boolean")]
    numbers = [column for column in table.columns if column.type == "number" and not is_identifier(column.name)]
    paid = [c for c in numbers if names_amount(c.name) and not words_of(c.name) & (OTHER_AMOUNT | STOCK | {"value"})]
    return _named(
        {
            "date": start,
            "end": _first(ends, lambda words: has_word(words, END, END_ENDS)),
            "status": _first(words, lambda words: words & (STATUS | OUTCOME | END | {"active", "aktiv"})),
            "plan": _first([c for c in words if c.type == "category"], lambda words: words & PLAN),
            "amount": next((c.name for c in paid if period_of(c.name)), paid[0].name if paid else None),
        }
    )


def _find_subscriptions(table: RawTable, customer: Column) -> Spans | None:
    """Recognise subscriptions: words of contracts, a start, and an end, a status or a price that is due each period."""
    told = [c.name for c in table.columns if words_of(c.name) & SUBSCRIPTION or _tells_contract(c.name)]
    parts = _columns_of_subscriptions(table)
    price = parts.get("amount")
    if not told or "date" not in parts or not ({"end", "status"} & set(parts) or (price and period_of(price))):
        return None
    numbers = [c for c in table.columns if c.type == "key" and c.name != customer.name and names_order(c.name)]
    if any(column.n_distinct < table.n_rows - column.n_missing for column in numbers):
        return None
    known = "end" in parts and price is not None and bool(period_of(price)) and not _ended_without_end(table, parts)
    ends = ", ".join(f"'{parts[part]}'" for part in ("end", "status", "amount") if part in parts)
    why = f"'{customer.name}' has contracts by '{told[0]}', each with the start '{parts['date']}' and {ends}."
    columns = {"customer": customer.name, **parts}
    return Spans("subscriptions", why, columns, value="contract_value" if known else None)


def _tells_contract(name: str) -> bool:
    return _starts(words_of(name), SUBSCRIPTION_STARTS)


def _ended_without_end(table: RawTable, parts: dict[str, str]) -> bool:
    if "status" not in parts:
        return False
    ended = has_ended(table.frame[parts["status"]], parts["status"])
    return bool((ended & table.frame[parts["end"]].isna()).any())


def has_ended(status: pd.Series, name: str) -> np.ndarray:
    """Return which contracts have ended by their status.

    Parameters
    ----------
    status : Series, length n_rows
        Words, or yes and no to what the name asks.
    name : str
        Of the column.

    Examples
    --------
    >>> has_ended(pd.Series(["aktiv", "gekündigt", "inactive", None]), "Status").tolist()
    [False, True, True, False]
    """
    if pd.api.types.is_bool_dtype(status.dtype) or pd.api.types.is_numeric_dtype(status.dtype):
        runs = bool(words_of(name) & {"active", "aktiv", "actif", "activo", "ativo", "attivo", "actief", "running"})
        return (status.eq(0) if runs else status.eq(1)).fillna(False).to_numpy(bool)
    return status.astype("str").str.contains(_ENDED, case=False, na=False).to_numpy(bool)


_ENDED = (
    r"\b(?:cancel|gekünd|gekuend|kündig|storn|résil|resil|baja|anul|annul|rescind|encerr|disdet|cessat|scad|opgez"
    r"|geannul|beëind|expir|abgelauf|inacti|inakti|inatti|inati|niet actief|non attiv|ended|terminat|terminé|churn"
    r"|beendet|lapsed|closed|verlopen|caduc|vencid|finaliz|finish|afgelopen|not active|ausgelaufen|geschlossen)"
)


def _find_panel(table: RawTable, customer: Column) -> Spans | None:
    """Recognise a panel: a row for each customer and month, quarter or year, with measures that vary."""
    dates = find_dates(table)
    if len(dates) != 1 or any(c.type == "key" and c.n_distinct == table.n_rows for c in table.columns):
        return None
    rows = table.frame[[customer.name, dates[0]]].dropna()
    days = np.sort(rows[dates[0]].dt.normalize().unique())
    gaps = np.diff(days) / np.timedelta64(1, "D")
    if len(days) < 3 or gaps.min() < 28 or rows.duplicated().any() or len(rows) < 0.98 * table.n_rows:
        return None
    of_each = rows.groupby(customer.name)[dates[0]]
    places = pd.Series(np.searchsorted(days, of_each.max()) - np.searchsorted(days, of_each.min()) + 1)
    if float(of_each.size().mean()) < 2 or float((of_each.size().to_numpy() / places).mean()) < DENSE:
        return None
    totals, balances = find_measures(table, customer.name)
    says = has_word(words_of(dates[0]), PERIOD, PERIOD_ENDS)
    had = any(words_of(name) & STOCK for name in balances)
    if not (totals or balances) or not (says or had):
        return None
    worth = [name for name in totals if names_value(name)]
    why = f"'{customer.name}' has one row for each of {len(days)} periods in '{dates[0]}'."
    columns = {"customer": customer.name, "date": dates[0]}
    return Spans("panel", why, columns, totals, balances, f"{worth[0]} total" if len(worth) == 1 else None)
