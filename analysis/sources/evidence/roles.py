"""The customer, the date and the amount among the columns of orders and events."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.base.cache import once_each
from analysis.sources.columns import Column
from analysis.sources.evidence.vocabularies import (
    AMOUNT,
    BUYER,
    CUSTOMER,
    CUSTOMER_STARTS,
    DATE_STARTS,
    FIRMS,
    MONEY_ENDS,
    NAMES_OF_CUSTOMERS,
    NO_AMOUNT,
    NO_MONEY,
    NOT_WHEN,
    ONE_ITEM,
    ORDER,
    ORDER_STARTS,
    OTHER_AMOUNT,
    PART_AMOUNT,
    PART_ENDS,
    PRICE,
    QUANTITY,
    RECENT,
    SHARE,
    STAFF,
    STOCK,
    TAX,
    TOTAL_STARTS,
    WHOLE_AMOUNT,
    WITH_OR_WITHOUT,
)
from analysis.sources.names import has_word, is_identifier, plain, split_words, words_of
from analysis.sources.tables import RawTable


def find_customer(table: RawTable) -> Column | None:
    """The column whose values repeat because a customer has several rows."""
    return next(iter(find_customers(table)), None)


@once_each
def find_customers(table: RawTable) -> list[Column]:
    """List the columns that may name the customer, all equally surely."""
    repeated = [column for column in table.columns if _repeats(table, column)]
    ranks = {column.name: _customer_rank(table, column) for column in repeated}
    most = max(ranks.values(), default=0)
    if most and most <= _rank_of_row(table):
        return []
    named = [column for column in repeated if most and ranks[column.name] == most]
    if len(named) > 1 and all(STAFF & words_of(column.name) for column in named):
        named = []
    sole = [column for column in table.columns if column.type == "key" and column.n_distinct == table.n_rows]
    wide = [
        column
        for column in repeated
        if column.n_distinct > 0.01 * table.n_rows and not _names_staff(column.name) and _is_code(column)
    ]
    return named or ([] if sole else wide)


def _rank_of_row(table: RawTable) -> int:
    """Rank the column that names each row by how surely it is a customer; a household beside them is no customer."""
    unique = [column for column in table.columns if column.type == "key" and column.n_distinct == table.n_rows]
    return max((_customer_rank(table, column) for column in unique if not _other_words(column.name)), default=0)


def _has_orders(table: RawTable) -> bool:
    """Return whether a column names each row as an order."""
    return any(c.type == "key" and c.n_distinct == table.n_rows and names_order(c.name) for c in table.columns)


def _other_words(name: str) -> frozenset[str]:
    """Return the words of a name that say neither a customer nor a name or number of one.

    >>> _other_words("customer_id"), _other_words("user_event_id")
    (frozenset(), frozenset({'event'}))
    """
    words = {word for word in map(plain, split_words(name)) if word.isalpha()}
    return frozenset(words - CUSTOMER - NAMES_OF_CUSTOMERS)


def _is_code(column: Column) -> bool:
    return column.type == "key" or (column.type in ("text", "category", "number") and is_identifier(column.name))


def _repeats(table: RawTable, column: Column) -> bool:
    """Return whether a column may hold a customer who has several rows."""
    n = table.n_rows - column.n_missing
    if not 1 < column.n_distinct < n:
        return False
    if column.n_distinct >= 0.95 * n:
        rows_named = any(
            other.n_distinct == table.n_rows and is_identifier(other.name) and names_order(other.name)
            for other in table.columns
            if other.name != column.name
        )
        if not rows_named or not find_dates(table) or not _customer_rank(table, column):
            return False
    return _is_code(column) or _customer_rank(table, column) > 0


def names_order(name: str) -> bool:
    """Return whether a name says that the column is about orders, invoices, bookings and the like."""
    words = words_of(name)
    return bool(ORDER & words) or any(word.startswith(ORDER_STARTS) for word in words)


def _names_staff(name: str) -> bool:
    return bool(STAFF & words_of(name))


def names_customer(name: str) -> bool:
    """Return whether a name says that the column is about a customer."""
    words = words_of(name)
    return bool(CUSTOMER & words) or any(word.startswith(CUSTOMER_STARTS) for word in words)


def _customer_rank(table: RawTable, column: Column) -> int:
    """Rank a column by how surely it names the customer; 0 if it does not."""
    words = words_of(column.name)
    if words & STAFF or column.type in ("date", "boolean"):
        return 0
    buyer = bool(words & BUYER) or any(word.startswith(CUSTOMER_STARTS) for word in words)
    if _is_code(column):
        return 6 if buyer else 5 if words & CUSTOMER else 0
    if column.type not in ("text", "category"):
        return 0
    if holds_addresses(table, column):
        return 4
    sure = buyer or (bool(words & CUSTOMER) and _holds_codes(table, column))
    named = _has_orders(table) if words & FIRMS else sure and not _other_words(column.name)
    return 3 if named and column.n_distinct > max(20, 0.05 * table.n_rows) else 0


def _holds_codes(table: RawTable, column: Column) -> bool:
    """Return whether the first values of a column are a few letters and a number, such as u12 or M-0007."""
    head = table.frame[column.name].dropna().head(200).astype("str")
    return bool(len(head)) and bool(head.str.fullmatch(r"[^\W\d_]{0,4}[-_ ]?\d{1,12}").all())


@once_each
def find_dates(table: RawTable) -> list[str]:
    """List the columns of dates, the one that says when it happened first."""
    dates = [column for column in table.columns if column.type == "date"]
    if len(dates) < 2:
        return [column.name for column in dates]

    def rank(column: Column) -> tuple[bool, int]:
        words = words_of(column.name)
        happened = bool(words & RECENT) or any(word.startswith(DATE_STARTS) for word in words)
        return column.n_distinct < 2, -int(happened) + 2 * int(bool(words & NOT_WHEN))

    return [column.name for column in sorted(dates, key=rank)]


def find_dates_of(table: RawTable, customer: Column) -> list[str]:
    """List the columns of dates; those that are the same in all rows of a customer come last."""
    dates = find_dates(table)
    if len(dates) < 2:
        return dates
    rows = table.frame[[customer.name, *dates]].dropna(subset=[customer.name])
    varied = rows.groupby(customer.name)[dates].nunique().max() > 1
    return sorted(dates, key=lambda name: not varied[name])


def find_amount(table: RawTable) -> str | None:
    """The amount of a row: by its name, else the last column with a fraction."""
    return next(iter(find_amounts(table)), None)


@once_each
def find_amounts(table: RawTable) -> list[str]:
    """List the columns that may be the amount of a row, all equally surely."""
    numbers = [
        column.name
        for column in table.columns
        if column.type == "number"
        and column.n_distinct > 2
        and not (is_identifier(column.name) and not names_amount(column.name))
    ]
    if total := find_product(table, numbers):
        return [total]
    numbers = [name for name in numbers if not words_of(name) & (STOCK | NO_MONEY) or words_of(name) & WHOLE_AMOUNT]
    named = sorted((name for name in numbers if names_amount(name)), key=_amount_rank)
    best = [name for name in named if _amount_rank(name) == _amount_rank(named[0])]
    if not best:
        numbers = [name for name in numbers if not words_of(name) & (NO_AMOUNT | SHARE | OTHER_AMOUNT)]
    broken = [name for name in numbers if table.frame[name].dtype == np.float64 and not is_whole(table.frame[name])]
    return best or broken[::-1]


@once_each
def find_price_and_quantity(table: RawTable) -> tuple[str, str] | None:
    """Return the columns of the price of one item and of a quantity that varies, where there is one of each."""
    numbers = [column.name for column in table.columns if column.type == "number" and column.n_distinct > 1]
    quantities = [
        name for name in numbers if words_of(name) & (QUANTITY | {"num", "nb"}) and not words_of(name) & PRICE
    ]
    prices = [name for name in numbers if words_of(name) & PRICE and not money_words(name) & WHOLE_AMOUNT]
    single = [name for name in prices if words_of(name) & ONE_ITEM]
    prices = single if len(single) == 1 else prices
    return (prices[0], quantities[0]) if len(prices) == len(quantities) == 1 else None


def find_product(table: RawTable, numbers: list[str]) -> str | None:
    """Return the column that is price times quantity in nearly all rows."""
    pair = find_price_and_quantity(table)
    if pair is None:
        return None
    product = table.frame[pair[0]].astype("float64") * table.frame[pair[1]].astype("float64")
    for name in numbers:
        if name in pair:
            continue
        near = (table.frame[name].astype("float64") - product).abs() <= 0.011 + 1e-6 * product.abs()
        if near.mean() >= 0.98:
            return name
    return None


def names_amount(name: str) -> bool:
    """Return whether a name says that the column holds an amount of money."""
    words = money_words(name)
    return has_word(words, AMOUNT, MONEY_ENDS) and not words & NO_MONEY


def money_words(name: str) -> frozenset[str]:
    """Return the words of a name; a tax that the amount includes or leaves out is none of them.

    >>> "tax" in money_words("Tax paid"), "tax" in money_words("Total incl. tax")
    (True, False)
    """
    words = words_of(name)
    return words - TAX - WITH_OR_WITHOUT if words & WITH_OR_WITHOUT else words


def _amount_rank(name: str) -> int:
    """Rank the name of an amount: totals first, then amounts, prices, and last what is only a part."""
    words = money_words(name)
    if has_word(words, OTHER_AMOUNT, PART_ENDS):
        return 4
    if words & PART_AMOUNT and not words & {"total"}:
        return 3
    return 1 if words & WHOLE_AMOUNT or any(word.startswith(TOTAL_STARTS) for word in words) else 2


def is_whole(values: Any) -> bool:
    """Return whether all known numbers are whole."""
    numbers = values.dropna().to_numpy(np.float64)
    return bool((numbers == np.floor(numbers)).all())


def holds_addresses(table: RawTable, column: Column) -> bool:
    """Return whether most of the first values of a column are e-mail addresses."""
    if column.type not in ("text", "category", "key") or table.frame[column.name].dtype == np.int64:
        return False
    head = table.frame[column.name].dropna().head(200).astype("str")
    return bool(len(head)) and bool(head.str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").mean() > 0.5)


def row_candidates(table: RawTable) -> dict[str, list[str]]:
    """Return the columns of transactions or events that may be the customer, the date and the amount."""
    return {
        "customer": [column.name for column in find_customers(table)],
        "date": [column.name for column in table.columns if column.type == "date"],
        "amount": find_amounts(table) or [column.name for column in table.columns[::-1] if column.type == "number"],
    }
