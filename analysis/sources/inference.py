"""Inferred kind, roles, units and labels of an unknown table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.base.formats import number, percentage
from analysis.sources.columns import Column, ColumnType
from analysis.sources.names import is_identifier, split_words
from analysis.sources.tables import RawTable

Kind = Literal["customers", "transactions", "survey", "events"]
InferredRole = Literal["key", "feature", "descriptor", "outcome", "ignore", "date", "amount", "customer"]
InferredUnit = Literal["money", "count", "share", "days", "years", "yes_no", "number", "category", ""]


def _vocabulary(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_CUSTOMER = _vocabulary(
    "customer client user visitor member account household buyer person respondent",
)
_PRIVATE = _vocabulary(
    "email mail phone telephone tel mobile fax address street iban ip ssn url firstname lastname fullname",
    "surname forename name comment comments note notes remark remarks feedback message description",
    "passport vorname nachname",
)
_NUMBERED_PRIVATE = _vocabulary(
    "phone telephone tel mobile fax iban ssn",
)
PROTECTED = _vocabulary(
    "age birth born birthday birthdate dob gender sex marital married partner spouse family kid kids kidhome",
    "teen teens teenhome child children dependents dependants ethnicity religion language nationality race",
    "seniorcitizen senior citizen",
)
"""Words of columns that tell age, sex, family, origin or belief: the fairness of segments is checked on them."""
_DEMOGRAPHIC = PROTECTED | _vocabulary(
    "education income salary region country city state province district zip postcode postal zipcode",
    "occupation job profession household location area",
)
_OUTCOME = _vocabulary(
    "response responded churn churned exited left attrition accepted accept converted conversion complain",
    "complained complaint subscribed purchased bought target label revenue default defaulted clicked",
    "cancelled canceled renewed outcome",
)
_CODED = _vocabulary(
    "browser type code system systems region zone channel device platform class category group branch",
    "store zip postcode zipcode postal traffic os",
)
_MONEY = _vocabulary(
    "amount mnt price spend spent spending revenue sales income salary cost balance payment paid dollar",
    "dollars usd eur euro gbp fee fees turnover monetary profit budget charges charge expenditure wage",
    "credit debit",
)
_AMOUNT = _MONEY | _vocabulary(
    "value total sum",
)
_COUNT = _vocabulary(
    "num n nr count counts number quantity qty visits purchases orders clicks sessions items units kids",
    "children kidhome teenhome pages frequency times calls",
)
_SHARE = _vocabulary(
    "rate rates share ratio pct percent percentage proportion",
)
_EVENT = _vocabulary(
    "event action page url click path activity screen referrer",
)


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
        key, customer, date and amount say what a row is about; the others are the roles of the settings.
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
    """
    words = split_words(name) or [name]
    shouted = name.isupper() and len(name) > 3
    words = [word if word.isupper() and len(word) > 1 and not shouted else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def infer_kind(table: RawTable) -> InferredKind:
    """Decide what a row of the table is.

    Transactions and events repeat an identifier beside a date; a survey asks at least five questions on one
    scale; anything else has one row for each customer.
    """
    customer = _customer(table)
    dates = [column.name for column in table.columns if column.type == "date"]
    if customer and dates:
        numbers = [column.name for column in table.columns if column.type == "number"]
        n_each = table.n_rows / customer.n_distinct
        reason = f"'{customer.name}' repeats ({number(n_each, 1)} rows each) beside the date '{dates[0]}'"
        amount = _amount(table)
        events = [column.name for column in table.columns if _EVENT & _words(column.name)]
        named = amount is not None and bool(_AMOUNT & _words(amount))
        if events and not named:
            return InferredKind("events", f"{reason}, and '{events[0]}' says what happened.")
        if amount is not None:
            return InferredKind("transactions", f"{reason} and the amount '{amount}'.")
        if not numbers:
            return InferredKind("events", f"{reason}, without an amount.")
    battery = _battery(table)
    others = sum(column.type != "key" for column in table.columns)
    if len(battery) >= 5 and 2 * len(battery) >= others:
        return InferredKind("survey", f"{len(battery)} of {others} columns are answers on one scale.")
    return InferredKind("customers", "No identifier repeats beside a date: one row for each customer.")


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
    rows_of_a_customer = kind in ("transactions", "events")
    taken: dict[str, tuple[InferredRole, str]] = {}
    if rows_of_a_customer:
        taken = _row_roles(table)
    elif key := _key(table):
        taken[key.name] = ("key", "the key: a different value in every row")
    battery = set(_battery(table)) if kind == "survey" else set()
    roles = []
    for column in table.columns:
        role, why = taken.get(column.name) or _role(table, column, battery, kind)
        unit = _unit(table, column, role)
        roles.append(InferredColumn(column.name, label_of(column.name), column.type, role, unit, why))
    return tuple(roles)


def _words(name: str) -> set[str]:
    words = [word.casefold() for word in split_words(name)]
    return {*words, *(word.rstrip("0123456789") for word in words), "".join(words)}


def row_candidates(table: RawTable) -> dict[str, list[str]]:
    """Return the columns of transactions or events that may be the customer, the date and the amount."""
    return {
        "customer": [column.name for column in _customers(table)],
        "date": [column.name for column in table.columns if column.type == "date"],
        "amount": _amounts(table),
    }


def key_candidates(table: RawTable) -> list[str]:
    """Return the columns that may be the key, only those with the strongest evidence."""
    return [column.name for column in _keys(table)]


def _customer(table: RawTable) -> Column | None:
    """The column whose values repeat because a customer has several rows."""
    return next(iter(_customers(table)), None)


def _customers(table: RawTable) -> list[Column]:
    repeated = [
        column
        for column in table.columns
        if 1 < column.n_distinct < 0.95 * (table.n_rows - column.n_missing)
        and (column.type == "key" or (column.type in ("text", "category", "number") and is_identifier(column.name)))
    ]
    named = [column for column in repeated if _CUSTOMER & _words(column.name)]
    sole = [column for column in table.columns if column.type == "key" and column.n_distinct == table.n_rows]
    wide = [column for column in repeated if column.n_distinct > 0.01 * table.n_rows]
    return named or ([] if sole else wide)


def _amount(table: RawTable) -> str | None:
    """The amount of a row: by its name, else the last column with a fraction, else the last number."""
    return next(iter(_amounts(table)), None)


def _amounts(table: RawTable) -> list[str]:
    numbers = [column.name for column in table.columns if column.type == "number" and column.n_distinct > 2]
    named = [name for name in numbers if _AMOUNT & _words(name)]
    priced = [name for name in named if "price" not in _words(name)] or named
    broken = [name for name in numbers if table.frame[name].dtype == np.float64 and not _is_whole(table.frame[name])]
    return priced or broken[::-1] or numbers[::-1]


def _is_whole(values: Any) -> bool:
    numbers = values.dropna().to_numpy(np.float64)
    return bool((numbers == np.floor(numbers)).all())


def _row_roles(table: RawTable) -> dict[str, tuple[InferredRole, str]]:
    """Roles of the columns that say whose row it is, when, and how much."""
    customer = _customer(table)
    if customer is None:
        return {}
    taken: dict[str, tuple[InferredRole, str]] = {
        customer.name: ("customer", "whose row it is: the value repeats from row to row")
    }
    dates = [column.name for column in table.columns if column.type == "date"]
    taken |= dict.fromkeys(dates[:1], ("date", "when it happened"))
    amount = _amount(table)
    if amount is not None:
        named = bool(_AMOUNT & _words(amount))
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


def _keys(table: RawTable) -> list[Column]:
    unique = [c for c in table.columns if c.n_distinct == table.n_rows and not c.n_missing]
    by_name = [c for c in unique if is_identifier(c.name)]
    mine = [c for c in by_name if _CUSTOMER & _words(c.name)]
    other = [
        c
        for c in unique
        if c.type == "key"
        or (c.type in ("text", "category") and not _PRIVATE & _words(c.name) and _longest(table, c) <= 40)
        or (c.type == "number" and _is_running(table.frame[c.name]))
    ]
    return mine or by_name or other


def _longest(table: RawTable, column: Column) -> int:
    return int(table.frame[column.name].str.len().max())


def _is_running(values: Any) -> bool:
    return values.dtype == np.int64 and int(values.max()) - int(values.min()) == len(values) - 1


def _battery(table: RawTable) -> list[str]:
    """Columns that are answers on one scale: yes or no, or the same few whole numbers."""
    answers = [column.name for column in table.columns if column.type == "boolean"]
    scales: dict[tuple[int, int], list[str]] = {}
    for column in table.columns:
        values: Any = table.frame[column.name]
        if column.type != "number" or not 2 <= column.n_distinct <= 11 or not _is_whole(values):
            continue
        lowest, highest = int(values.min()), int(values.max())
        if 0 <= lowest <= 1 and highest <= 10:
            scales.setdefault((0 if highest == 1 else 1, highest), []).append(column.name)
    return max([answers, *scales.values()], key=len)


def _role(table: RawTable, column: Column, battery: set[str], kind: Kind) -> tuple[InferredRole, str]:
    words = _words(column.name)
    binary = column.n_distinct == 2 and column.type in ("boolean", "number", "category")
    rules: tuple[tuple[bool, InferredRole, str], ...] = (
        (column.n_distinct == 0, "ignore", "no values"),
        (column.n_distinct == 1, "ignore", "constant: the same value in every row tells nobody apart"),
        (column.n_missing > 0.6 * table.n_rows, "ignore", f"more than {percentage(0.6)} missing"),
        (
            column.type not in ("number", "boolean", "date") and bool(words & _PRIVATE),
            "ignore",
            "private by its name",
        ),
        (_holds_addresses(table, column), "ignore", "private: e-mail addresses"),
        (
            bool(words & _NUMBERED_PRIVATE),
            "ignore",
            "private by its name",
        ),
        (column.type == "key", "ignore", "an identifier, not a trait"),
        (column.type == "text", "ignore", f"free text: {number(column.n_distinct)} different values"),
        (column.type == "date", "date", "a date: it dates the row and does not form segments itself"),
        (column.name in battery, "feature", "one of several answers on the same scale"),
        (binary and bool(words & _OUTCOME), "outcome", "a result with two answers, by its name"),
        (
            bool(words & _DEMOGRAPHIC),
            "descriptor",
            "describes the person rather than what they do, by its name",
        ),
        (kind == "survey", "descriptor", "beside the questions on one scale: it describes who answered"),
        (_is_coded(column, words), "descriptor", "numbers that are codes: their order means nothing"),
        (column.type in ("category", "boolean"), "descriptor", f"{number(column.n_distinct)} groups"),
    )
    for fits, role, why in rules:
        if fits:
            return role, why
    return "feature", "a number about what the customer does"


def _holds_addresses(table: RawTable, column: Column) -> bool:
    if column.type not in ("text", "category", "key") or table.frame[column.name].dtype == np.int64:
        return False
    head = table.frame[column.name].dropna().head(200).astype("str")
    return bool(len(head)) and bool(head.str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").mean() > 0.5)


def _is_coded(column: Column, words: set[str]) -> bool:
    return (
        column.type == "number" and column.n_distinct <= 50 and bool(words & _CODED) and not words & (_COUNT | _MONEY)
    )


def _unit(table: RawTable, column: Column, role: InferredRole) -> InferredUnit:
    words = _words(column.name)
    if column.type in ("key", "date", "text") or role in ("key", "customer"):
        return ""
    if column.type == "category":
        return "category"
    values: Any = table.frame[column.name]
    if column.type == "boolean" or (column.n_distinct <= 2 and set(values.dropna().unique()) <= {0, 1}):
        return "yes_no"
    whole = _is_whole(values)
    rules: tuple[tuple[bool, InferredUnit], ...] = (
        (_is_coded(column, words), "category"),
        (bool(words & _SHARE) and bool(values.between(0, 1)[values.notna()].all()), "share"),
        (whole and bool(words & _COUNT), "count"),
        (role == "amount" or bool(words & _MONEY), "money"),
        (bool(words & {"days", "recency"}), "days"),
        (bool(words & {"age", "years"}), "years"),
    )
    for fits, unit in rules:
        if fits:
            return unit
    return "number"
