"""Transaction records in, one row of features per customer out; the last room that sees transactions.

Every function that takes a ``DataFrame`` speaks the PySpark DataFrame API and is run by either engine of
`analysis.engines`. Money and quantities are summed as whole millionths, so that neither the order of the
rows nor the number of threads shows in the last digit.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.engines import Engine, EngineName, Kind, engine_for
from analysis.errors import InputError

Unit = Literal["money", "count", "share", "days", "number"]
Levels = Mapping[str, tuple[str | None, ...]]

EPOCH = date(1970, 1, 1)
MAX_LEVELS = 6
RFM_NAMES = (
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    ("Promising", "Potential loyalist", "Potential loyalist", "Loyal", "Loyal"),
    ("New", "Potential loyalist", "Potential loyalist", "Champions", "Champions"),
)
"""Names of the cells: recency quintile 1 to 5 downwards, frequency quintile 1 to 5 to the right."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a transaction table, one row a purchase line.

    Attributes
    ----------
    customer, date, amount : str
        Negative amounts are refunds.
    order : str, optional
        Number of the order a line belongs to; without it a day with purchases counts as one order.
    quantity, category, channel : str, optional
    """

    customer: str
    date: str
    amount: str
    order: str | None = None
    quantity: str | None = None
    category: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a page needs to know of one feature.

    Attributes
    ----------
    name, label : str
    unit : {"money", "count", "share", "days", "number"}
    formula : str
    columns : tuple of str
        Source columns.
    about : str
        One sentence.
    high, low : str
        Words for customers far above and far below everyone, as a plural noun.
    """

    name: str
    label: str
    unit: Unit
    formula: str
    columns: tuple[str, ...]
    about: str
    high: str = ""
    low: str = ""


@dataclass(frozen=True, slots=True)
class CustomerFeatures:
    """One row per customer.

    Attributes
    ----------
    frame : DataFrame of float64, shape (n_customers, n_features)
        Indexed by the customer key as text, shorter keys first, then by text; missing = NaN.
    variables : tuple of Description
        In the order of the columns.
    as_of : date
        The day that recency and tenure are counted to.
    levels : mapping of column role to levels
        Levels with a share of their own; None stands for all others. Given back to `customer_features`
        they yield the same columns from other rows.
    notes : tuple of str
        What was left out or counted apart, as sentences.
    """

    frame: pd.DataFrame
    variables: tuple[Description, ...]
    as_of: date
    levels: Levels
    notes: tuple[str, ...]


def customer_features(
    table: Any,
    columns: Columns,
    *,
    as_of: date | None = None,
    engine: EngineName | Engine = "duckdb",
    levels: Levels | None = None,
    setting: str = "columns",
) -> CustomerFeatures:
    """Compute recency, frequency, spend and what else tells customers apart from their transactions.

    Rows without a key, a date or an amount, and rows after ``as_of``, are left out and counted. A row of
    amount 0 is a purchase; a negative one is a refund and counts towards the two refund features only.

    Parameters
    ----------
    table : pandas DataFrame, path or glob pattern of Parquet files, or PySpark DataFrame
    columns : Columns
    as_of : date, optional
        The newest date of the table if absent.
    engine : {"duckdb", "spark"} or Engine
    levels : mapping, optional
        Categories and channels with a share of their own; the six with the most spend if absent.
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    CustomerFeatures

    Raises
    ------
    InputError
        A column is not there or of the wrong type, or no row can be used.

    Examples
    --------
    >>> orders = pd.DataFrame({"who": ["a", "a", "b"], "on": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-31"]),
    ...                        "paid": [10.0, 30.0, 5.0]})
    >>> customer_features(orders, Columns("who", "on", "paid")).frame[["recency_days", "frequency", "spend"]]
              recency_days  frequency  spend
    customer
    a                 20.0        2.0   40.0
    b                  0.0        1.0    5.0
    """
    roles = {"customer": columns.customer, "moment": columns.date, "amount": columns.amount}
    optional = {"order_no": columns.order, "quantity": columns.quantity}
    optional |= {"category": columns.category, "channel": columns.channel}
    roles |= {role: own for role, own in optional.items() if own is not None}
    with engine_for(engine, table) as opened:
        F = opened.functions  # noqa: N806
        rows = opened.read(table, roles, setting)
        _check_kinds(rows.kinds, roles, setting)
        typed = type_lines(rows.frame, rows.kinds, F)
        counts = _first(opened, count_rows(typed, F))
        if not counts["n_usable"]:
            raise InputError(
                f"{setting}: none of {counts['n_rows']:,} transactions has a customer, a date and an amount.",
                "Expected at least one.",
                "Check which columns are named there.",
            )
        until = as_of or EPOCH + timedelta(days=int(counts["newest"]))
        until_day = (until - EPOCH).days
        kept = typed.where(F.col("usable") & (F.col("day") <= until_day))
        found = _first(opened, measure_lines(kept, F))
        if not found["n_lines"]:
            raise InputError(
                f"{setting}: all {counts['n_usable']:,} transactions are later than {until}.",
                "Expected some on or before that day.",
                "Set a later as-of date.",
            )
        lines = count_in_units(kept, F, _units(found, "amount"), _units(found, "quantity"))
        chosen = {
            role: tuple(levels[role]) if levels and role in levels else _choose_levels(opened, lines, role, found)
            for role in ("category", "channel")
            if role in roles
        }
        described = _describe(columns, chosen)
        frame = opened.to_pandas(
            aggregate_customers(lines, F, opened.window, until_day, chosen, [d.name for d in described])
        )
        key_kind = rows.kinds["customer"]
    notes = _notes(counts, found, columns, until, chosen, frame)
    ready = index_by_customer(frame, key_kind)[[d.name for d in described]]
    return CustomerFeatures(ready, described, until, chosen, notes)


def type_lines(rows: Any, kinds: Mapping[str, Kind], F: Any) -> Any:  # noqa: N803
    """Give each row a clean key, day and month numbers, finite amounts and whether it can be used.

    Parameters
    ----------
    rows : DataFrame
        customer, moment, amount, and order_no, quantity, category, channel where the table has them.
    kinds : mapping of column name to kind
    F : module
        Functions of the engine.

    Returns
    -------
    DataFrame
        ``day`` in days since 1970-01-01, ``month`` in months since the year 0.
    """
    on = F.col("moment").cast("date")
    made = {
        "customer": clean_key(F, kinds["customer"], "customer"),
        "day": F.unix_date(on),
        "month": F.year(on) * 12 + F.month(on),
        "amount": _finite(F, "amount"),
    }
    if "quantity" in kinds:
        made["quantity"] = _finite(F, "quantity")
    for role in ("order_no", "category", "channel"):
        if role in kinds:
            made[role] = clean_key(F, kinds[role] if role == "order_no" else "other", role)
    typed = rows.select(*(column.alias(name) for name, column in made.items()))
    usable = F.col("customer").isNotNull() & F.col("day").isNotNull() & F.col("amount").isNotNull()
    return typed.withColumn("usable", usable)


def count_rows(typed: Any, F: Any) -> Any:  # noqa: N803
    """Count the rows that can be used and why others cannot; one row."""
    keyed, dated = F.col("customer").isNotNull(), F.col("day").isNotNull()
    return typed.agg(
        F.count(F.lit(1)).alias("n_rows"),
        count_where(F, F.col("usable")).alias("n_usable"),
        count_where(F, ~keyed).alias("n_unkeyed"),
        count_where(F, keyed & ~dated).alias("n_undated"),
        count_where(F, keyed & dated & F.col("amount").isNull()).alias("n_unpriced"),
        F.max(F.when(F.col("usable"), F.col("day"))).alias("newest"),
    )


def measure_lines(kept: Any, F: Any) -> Any:  # noqa: N803
    """Count zero amounts, refunds and gaps, and find the largest values; one row."""
    made = [
        F.count(F.lit(1)).alias("n_lines"),
        count_where(F, F.col("amount") == 0).alias("n_zero"),
        count_where(F, F.col("amount") < 0).alias("n_refunds"),
        F.max(F.abs(F.col("amount"))).alias("largest_amount"),
    ]
    if "quantity" in kept.columns:
        made.append(F.max(F.abs(F.col("quantity"))).alias("largest_quantity"))
    for role in ("order_no", "category", "channel"):
        if role in kept.columns:
            absent = F.col(role).isNull() & (F.col("amount") >= 0)
            made.append(count_where(F, absent).alias(f"n_without_{role}"))
    return kept.agg(*made)


def count_in_units(kept: Any, F: Any, money_units: float, quantity_units: float) -> Any:  # noqa: N803
    """Replace amount and quantity by whole numbers of a small unit, whose sums are exact.

    Parameters
    ----------
    kept : DataFrame
    F : module
    money_units, quantity_units : float
        Units in 1, a power of ten.
    """
    money = F.round(F.col("amount") * F.lit(money_units)).cast("bigint")
    purchased = F.col("amount") >= 0
    lines = kept.withColumn("bought", F.when(purchased, money)).withColumn("refunded", F.when(~purchased, -money))
    lines = lines.withColumn("per_money", F.lit(money_units))
    if "quantity" in kept.columns:
        pieces = F.round(F.col("quantity") * F.lit(quantity_units)).cast("bigint")
        lines = lines.withColumn("pieces", F.when(purchased, pieces)).withColumn("per_piece", F.lit(quantity_units))
    return lines


def rank_levels(lines: Any, F: Any, role: str) -> Any:  # noqa: N803
    """Levels of a category or channel by spend, the largest first; one more than have a share of their own."""
    spend = F.sum("bought").cast("double").alias("spend")
    levels = lines.where(F.col("bought").isNotNull() & F.col(role).isNotNull()).groupBy(role).agg(spend)
    return levels.orderBy(F.col("spend").desc(), F.col(role).asc()).limit(MAX_LEVELS + 1)
