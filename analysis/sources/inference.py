"""Inferred kind, roles, units and labels of an unknown table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from analysis.base.cache import once_each
from analysis.base.formats import number, percentage
from analysis.settings.sources import ROW_KINDS, Kind
from analysis.sources.columns import Column, ColumnType
from analysis.sources.content.answers import IN_ORDER
from analysis.sources.content.choices import ONE_OF_SEVERAL
from analysis.sources.evidence.exports import find_export
from analysis.sources.evidence.persons import tells_a_person
from analysis.sources.evidence.roles import (
    find_amount,
    find_customer,
    find_dates,
    find_dates_of,
    holds_addresses,
    is_whole,
    names_amount,
    names_customer,
)
from analysis.sources.evidence.spans import recognise_spans
from analysis.sources.evidence.units import InferredUnit, infer_unit, is_coded
from analysis.sources.evidence.vocabularies import (
    AMOUNT,
    COMPOUND,
    COORDINATES,
    COUNT,
    DEMOGRAPHIC,
    DEMOGRAPHIC_ENDS,
    EVENT,
    MODEL,
    MODEL_ENDS,
    MONEY,
    MOST_CODES,
    NUMBERED_PRIVATE,
    PEOPLE,
    POSTAL,
    PRIVATE,
    PROTECTED,
    names_sensitive,
)
from analysis.sources.evidence.weights import UNSURE, find_weights, is_sure_weight, may_be_weight
from analysis.sources.names import OUTCOME, has_word, is_identifier, split_words, words_of
from analysis.sources.tables import RawTable

InferredRole = Literal["key", "feature", "descriptor", "outcome", "ignore", "weight", "date", "amount", "customer"]
ORDER_DATE: tuple[InferredRole, str] = ("date", "when it happened")
OTHER_DATE: tuple[InferredRole, str] = ("ignore", "another date than the one when it happened")


_UNIT_AT_END = re.compile(
    r"\s*[(\[](?:(?:in )?(?:[kKmMT]|Tsd\.?|Mio\.?|mil)?\s?(?:[$€£¥₹]|R\$|zł|kr|EUR|USD|GBP|CHF)"
    r"|%|kg|g|km|min|h|s|days|years|Tage|Jahre)[)\]]\s*$"
)


SELDOM = 0.3
"""Share of events without an amount from which the amount belongs to few of them. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """What a column of an unknown table is taken for.

    Attributes
    ----------
    name, label : str
        As in the source, and in words.
    type : str
        As read.
    role : str
        key, customer, date, amount and weight say what a row is about; the others are the roles of the settings.
    unit : str
        One of the units of the settings; empty for keys, dates and text.
    why : str
        One plain sentence.
    """

    name: str
    label: str
    type: ColumnType
    role: InferredRole
    unit: InferredUnit
    why: str


@dataclass(frozen=True, slots=True)
class InferredKind:
    """What a row of an unknown table is, and why."""

    kind: Kind
    why: str


def label_of(name: str) -> str:
    """Turn a column name into words for the page.

    Examples
    --------
    >>> label_of("MntWines"), label_of("visit_frequency"), label_of("CustomerID"), label_of("INCOME")
    ('Mnt wines', 'Visit frequency', 'Customer ID', 'Income')
    >>> label_of("Umsatz (€)"), label_of("chiffre d'affaires"), label_of("Spending Score (1-100)")
    ('Umsatz', "Chiffre d'affaires", 'Spending Score (1-100)')
    """
    if re.search(r"[^\w\s.\-/]", name):
        # As the file has it, without a unit in brackets at the end.
        text = re.sub(r"[\s_]+", " ", _UNIT_AT_END.sub("", name)).strip() or name
        return text[:1].upper() + text[1:]
    words = split_words(name) or [name]
    shouted = name.isupper() and len(name) > 3
    words = [word if word.isupper() and len(word) > 1 and not shouted else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


@once_each
def infer_kind(table: RawTable) -> InferredKind:
    """Decide what a row of the table is.

    Transactions, events, sessions, subscriptions and panels repeat an identifier beside a date; a survey asks at
    least five questions on one scale; anything else has one row for each customer.
    """
    export = find_export(table.frame.columns)
    if export is not None:
        return InferredKind(cast(Kind, export.kind), f"It has the columns of {export.name}.")
    spans = recognise_spans(table)
    if spans is not None:
        return InferredKind(spans.kind, spans.why)
    customer = find_customer(table)
    dates = find_dates(table)
    if customer and dates:
        n_each = table.n_rows / customer.n_distinct
        reason = f"'{customer.name}' repeats ({number(n_each, 1)} rows each) beside the date '{dates[0]}'"
        amount = find_amount(table)
        events = [column.name for column in table.columns if EVENT & words_of(column.name)]
        named = amount is not None and names_amount(amount)
        seldom = amount is not None and table.column(amount).n_missing > SELDOM * table.n_rows
        if events and (not named or seldom):
            return InferredKind("events", f"{reason}, and '{events[0]}' says what happened.")
        if amount is not None:
            return InferredKind("transactions", f"{reason} and the amount '{amount}'.")
        return InferredKind("events", f"{reason}, without an amount.")
    battery = _battery(table)
    others = sum(column.type != "key" for column in table.columns)
    of_one = [name for name in battery if table.column(name).note == ONE_OF_SEVERAL]
    measured = sum(
        column.type == "number" and bool(words_of(column.name) & (MONEY | COUNT)) for column in table.columns
    )
    if of_one and measured >= 2:
        # Beside measures of what people do, the answers to one question describe them.
        battery = [name for name in battery if name not in of_one]
    if len(battery) >= 5 and 2 * len(battery) >= others:
        return InferredKind("survey", f"{len(battery)} of {others} columns are answers on one scale.")
    return InferredKind("customers", "No identifier repeats beside a date: one row for each customer.")


@once_each
def infer_roles(table: RawTable) -> tuple[InferredColumn, ...]:
    """Infer role, unit and label of every column from its name and values.

    Parameters
    ----------
    table : RawTable

    Returns
    -------
    tuple of InferredColumn
        In the order of the table. Where no column names the row, none is the ``key``: row numbers serve.
    """
    kind = infer_kind(table).kind
    rows_of_a_customer = kind in ROW_KINDS
    taken: dict[str, tuple[InferredRole, str]] = {}
    export = find_export(table.frame.columns)
    if export is not None:
        taken |= cast(dict[str, tuple[InferredRole, str]], export.decided())
        other_dates = [c.name for c in table.columns if c.type == "date" and c.name not in taken and rows_of_a_customer]
        taken |= dict.fromkeys(other_dates, OTHER_DATE)
    elif rows_of_a_customer:
        taken = _row_roles(table)
    elif key := _key(table):
        taken[key.name] = ("key", "the key: a different value in every row")
    if not rows_of_a_customer:
        taken |= cast(dict[str, tuple[InferredRole, str]], find_weights(table, kind == "survey"))
    battery = set(_battery(table)) if kind == "survey" else set()
    roles = []
    for column in table.columns:
        role, why = taken.get(column.name) or _role(table, column, battery, kind)
        unit = infer_unit(table, column, role)
        label = table.labels.get(column.name) or label_of(column.name)
        roles.append(InferredColumn(column.name, label, column.type, role, unit, why))
    return tuple(_promote(roles) if kind == "customers" else roles)


def _promote(columns: list[InferredColumn]) -> list[InferredColumn]:
    """Let numbers about the person form segments where fewer than three columns tell what they do."""
    if sum(column.role == "feature" for column in columns) >= 3:
        return columns
    why = "describes the person, and forms segments since fewer than three columns tell what they do"

    def promoted(column: InferredColumn) -> bool:
        words = words_of(column.name)
        kept = PROTECTED | COORDINATES | POSTAL
        return (
            column.role == "descriptor"
            and column.type == "number"
            and column.unit in ("money", "number")
            and has_word(words, DEMOGRAPHIC, DEMOGRAPHIC_ENDS)
            and not words & kept
        )

    return [replace(column, role="feature", why=why) if promoted(column) else column for column in columns]


@once_each
def infer_people(table: RawTable) -> str:
    """Return the plural noun for what a row, or the customer of several rows, is; "customers" where nothing says so.

    Examples
    --------
    Members by a column ``member_id``, invoices where only ``Invoice ID`` names the row, respondents of a survey.
    """
    columns = infer_roles(table)
    name = next((column.name for column in columns if column.role in ("customer", "key")), "")
    words = words_of(name)
    stems = {stem for stem in COMPOUND if any(word.startswith(stem) for word in words)}
    named = next((noun for noun, singular in PEOPLE.items() if (words | stems) & singular), None)
    if named is None and any(names_customer(column.name) and is_identifier(column.name) for column in columns):
        return "customers"
    return named or ("respondents" if infer_kind(table).kind == "survey" else "customers")


def key_candidates(table: RawTable) -> list[str]:
    """Return the columns that may be the key, only those with the strongest evidence."""
    return [column.name for column in _keys(table)]


def _row_roles(table: RawTable) -> dict[str, tuple[InferredRole, str]]:
    """Roles of the columns that say whose row it is, when, and how much."""
    customer = find_customer(table)
    if customer is None:
        return {}
    taken: dict[str, tuple[InferredRole, str]] = {
        customer.name: ("customer", "whose row it is: the value repeats from row to row")
    }
    dates, spans = find_dates_of(table, customer), recognise_spans(table)
    if spans is not None:
        dates = [spans.columns["date"], *(name for name in dates if name != spans.columns["date"])]
        parts = {name: part for part, name in spans.columns.items() if part not in ("customer", "date", "amount")}
        uses = {name: f"the {part} of each of the {spans.kind}" for name, part in parts.items()}
        uses |= dict.fromkeys(spans.totals, "adds up over the periods")
        uses |= dict.fromkeys(spans.balances, "its latest value counts")
        taken |= {name: ("ignore", use) for name, use in uses.items()}
    taken |= dict.fromkeys(dates[:1], ORDER_DATE) | {name: OTHER_DATE for name in dates[1:] if name not in taken}
    amount = find_amount(table) if spans is None else spans.columns.get("amount")
    if amount is not None:
        named = names_amount(amount)
        taken[amount] = (
            "amount",
            "the amount, by its name" if named else "the amount: the last column with a fraction",
        )
    codes: Any = table.frame[customer.name]
    for column in table.columns:
        if column.name in taken or column.type != "key":
            continue
        if (
            column.n_distinct == customer.n_distinct == len(table.frame[[customer.name, column.name]].drop_duplicates())
            and not codes.isna().any()
        ):
            taken[column.name] = ("ignore", f"names the same customers as '{customer.name}'")
        elif column.n_distinct == table.n_rows:
            taken[column.name] = ("key", "names the row: a different value in each")
        else:
            taken[column.name] = ("ignore", "an identifier other than the customer's")
    return taken


def _key(table: RawTable) -> Column | None:
    """The column that names the row: unique, complete, and named like one or first of its kind."""
    return next(iter(_keys(table)), None)


@once_each
def _keys(table: RawTable) -> list[Column]:
    unique = [
        c for c in table.columns if c.n_distinct == table.n_rows and not c.n_missing and not is_sure_weight(table, c)
    ]
    nearly = [
        c
        for c in table.columns
        if c not in unique and c.type == "key" and names_customer(c.name) and _is_nearly_unique(table, c)
    ]
    by_name = [c for c in unique if is_identifier(c.name) and not _is_row_number(table, c)]
    mine = [c for c in by_name if names_customer(c.name)]
    other = [
        c
        for c in unique
        if c.type == "key"
        or (c.type in ("text", "category") and not PRIVATE & words_of(c.name) and _longest(table, c) <= 40)
        or (c.type == "number" and _is_running(table.frame[c.name]))
    ]
    return mine or nearly or by_name or other


def _is_nearly_unique(table: RawTable, column: Column) -> bool:
    """Return whether at most one in fifty rows, or two, have no value, or that of another row."""
    return table.n_rows >= 20 and column.n_distinct >= table.n_rows - max(2, table.n_rows // 50)


def _longest(table: RawTable, column: Column) -> int:
    return int(table.frame[column.name].str.len().max())


def _is_running(values: Any) -> bool:
    return values.dtype == np.int64 and values.is_unique and int(values.max()) - int(values.min()) == len(values) - 1


def _is_row_number(table: RawTable, column: Column) -> bool:
    """Return whether a column only numbers the rows: it has no name, or one such as row, and counts from 0 or 1."""
    if column.type not in ("number", "key") or not _is_running(table.frame[column.name]):
        return False
    first = int(table.frame[column.name].min())
    unnamed = re.fullmatch(
        r"Unnamed: \d+|column_\d+|row|index|rownum|row_?id|rank|#|\.\.\.1|X|lfd.*", column.name, re.I
    )
    return first in (0, 1) and unnamed is not None


@once_each
def _battery(table: RawTable) -> list[str]:
    """Columns that are answers on one scale: yes or no, words in order, or the same few whole numbers."""
    answers = [column.name for column in table.columns if column.type == "boolean"]
    words = [column.name for column in table.columns if column.note.startswith(IN_ORDER)]
    scales: dict[tuple[int, int], list[str]] = {}
    for column in table.columns:
        values: Any = table.frame[column.name]
        if column.type != "number" or not 2 <= column.n_distinct <= 11 or not is_whole(values):
            continue
        if is_sure_weight(table, column):
            continue
        lowest, highest = int(values.min()), int(values.max())
        if 0 <= lowest <= 1 and highest <= 10:
            scales.setdefault((0 if highest == 1 else 1, highest), []).append(column.name)
    return max([answers, words, *scales.values()], key=len)


def _role(table: RawTable, column: Column, battery: set[str], kind: Kind) -> tuple[InferredRole, str]:
    words = words_of(column.name)
    binary = column.n_distinct == 2 and column.type in ("boolean", "number", "category")
    rules: tuple[tuple[bool, InferredRole, str], ...] = (
        (bool(column.replaced), "ignore", column.replaced),
        (column.n_distinct == 0, "ignore", "no values"),
        (column.n_distinct == 1, "ignore", "constant: the same value in every row tells nobody apart"),
        (column.n_missing > 0.6 * table.n_rows, "ignore", f"more than {percentage(0.6)} missing"),
        (
            column.type not in ("number", "boolean", "date") and bool(words & PRIVATE),
            "ignore",
            "private by its name",
        ),
        (holds_addresses(table, column), "ignore", "private: e-mail addresses"),
        (
            bool(words & NUMBERED_PRIVATE),
            "ignore",
            "private by its name",
        ),
        (column.type == "key", "ignore", "an identifier, not a trait"),
        (_is_row_number(table, column), "ignore", "the number of the row"),
        (_names_another(table, column), "ignore", "names another row: an identifier, not a trait"),
        (bool(person := tells_a_person(table, column)), "ignore", person),
        (_is_long_number(table, column), "ignore", "numbers of ten digits or more: an identifier, not a trait"),
        (may_be_weight(table, column), "ignore", UNSURE),
        (column.type == "number" and _names_model(words), "ignore", "the result of another model, by its name"),
        (column.type == "text", "ignore", f"free text: {number(column.n_distinct)} different values"),
        (column.type == "date", "date", "a date: it dates the row and does not form segments itself"),
        (column.name in battery, "feature", "one of several answers on the same scale"),
        (binary and bool(words & OUTCOME), "outcome", "a result with two answers, by its name"),
        (
            has_word(words, DEMOGRAPHIC, DEMOGRAPHIC_ENDS),
            "descriptor",
            "describes the person rather than what they do, by its name",
        ),
        (
            column.n_distinct <= MOST_CODES and names_sensitive(words),
            "descriptor",
            "a sensitive answer, by its name: it forms no segments",
        ),
        (kind == "survey", "descriptor", "beside the questions on one scale: it describes who answered"),
        (_looks_like_codes(table, column, words), "ignore", "a different code in nearly every row"),
        (is_coded(column, words), "descriptor", "numbers that are codes: their order means nothing"),
        (column.type in ("category", "boolean"), "descriptor", f"{number(column.n_distinct)} groups"),
    )
    for fits, role, why in rules:
        if fits:
            return role, why
    return "feature", "a number about what the customer does"


def _names_another(table: RawTable, column: Column) -> bool:
    """Return whether whole numbers are keys of other rows, such as of who referred a customer."""
    key = _key(table)
    if key is None or column.type != "number" or table.frame[key.name].dtype != np.int64 or column.n_distinct < 5:
        return False
    keys, values = table.frame[key.name], table.frame[column.name].dropna()
    low, high = int(keys.min()), int(keys.max())
    return low >= 1_000 and bool(values.between(low, high).mean() >= 0.95) and bool(values.isin(keys).mean() >= 0.95)


def _names_model(words: frozenset[str]) -> bool:
    return has_word(words, MODEL, MODEL_ENDS)


def _is_long_number(table: RawTable, column: Column) -> bool:
    values: Any = table.frame[column.name]
    return column.type == "number" and is_whole(values) and bool((values.dropna() >= 10**9).mean() > 0.9)


def _looks_like_codes(table: RawTable, column: Column, words: frozenset[str]) -> bool:
    """Return whether whole numbers of the same length, five digits or more, differ in nearly all rows."""
    values: Any = table.frame[column.name]
    if column.type != "number" or table.n_rows < 50 or column.n_missing > 0.1 * table.n_rows:
        return False
    if column.n_distinct < 0.98 * (table.n_rows - column.n_missing) or words & (MONEY | COUNT | AMOUNT):
        return False
    present = values.dropna()
    if not is_whole(present) or present.min() < 10_000:
        return False
    return len(str(int(present.min()))) == len(str(int(present.max())))
