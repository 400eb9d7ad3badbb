"""Aggregation of transactions to features of customers.

Every function that takes a ``DataFrame`` speaks the PySpark DataFrame API and is run by either engine of
`analysis.customers.engines`. Money and quantities are summed as whole millionths, so that neither the order of the
rows nor the number of threads shows in the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from analysis.base.errors import InputError
from analysis.base.formats import Formats, number
from analysis.customers.descriptions import Columns, CustomerFeatures, Levels, describe_purchases, share_names
from analysis.customers.engines.drawing import fetch_customers
from analysis.customers.engines.frames import (
    Engine,
    EngineName,
    Kind,
    check_kinds,
    clean_key,
    count_where,
    finite,
    index_by_customer,
    whole_units,
)
from analysis.customers.engines.sessions import engine_for
from analysis.sources.large.scans import Scan

EPOCH = date(1970, 1, 1)
MAX_LEVELS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """What the rows settle before they are counted.

    Attributes
    ----------
    until_day : int
        As-of date in days since 1970-01-01.
    money_units, quantity_units : float
        Small units in 1, powers of ten.
    unordered : bool
        Whether some purchases have no order number.
    levels : mapping of column role to levels
    """

    until_day: int
    money_units: float
    quantity_units: float
    unordered: bool
    levels: Levels


def customer_features(
    table: Any,
    columns: Columns,
    *,
    as_of: date | None = None,
    engine: EngineName | Engine | None = None,
    levels: Levels | None = None,
    known: pd.Index | None = None,
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
    engine : {"duckdb", "spark"} or Engine, optional; by default that of `execute_on`
    levels : mapping, optional
        Categories and channels with a share of their own; the six with the most spend if absent.
    known : Index, optional
        Keys of the customers that are held, where not all are.
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    CustomerFeatures

    Raises
    ------
    InputError
        A column is missing or of the wrong type, or no row can be used.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-31"])
    >>> orders = pd.DataFrame({"who": ["a", "a", "b"], "on": days, "paid": [10.0, 30.0, 5.0]})
    >>> features = customer_features(orders, Columns("who", "on", "paid")).frame
    >>> features[["recency_days", "frequency", "spend"]].rename_axis(None)
       recency_days  frequency  spend
    a          20.0        2.0   40.0
    b           0.0        1.0    5.0
    """
    with engine_for(engine, table) as opened:
        settled = _settle(opened, table, columns, as_of, setting)
        plan = replace(settled.plan, levels=_choose_levels(opened, settled, levels or {}))
        computed = aggregate_customers(settled.lines, opened.functions, opened.window, plan)
        variables = describe_purchases(columns, plan.levels)
        # Those of new rows, of rows in memory and of chosen customers are all held.
        holder = opened if levels is None and isinstance(table, Scan) and table.is_whole else opened.holding_all()
        names, n_rows = tuple(variable.name for variable in variables), int(settled.totals["n_lines"])
        frame, population = fetch_customers(holder, computed, settled.kinds["customer"], names, n_rows, known)
    notes = _notes(settled, columns, frame)
    return CustomerFeatures(frame, variables, settled.until, plan.levels, notes, population)


def purchase_histories(
    table: Any,
    columns: Columns,
    *,
    as_of: date | None = None,
    engine: EngineName | Engine | None = None,
    setting: str = "columns",
) -> pd.DataFrame:
    """Compute what lifetime value needs: how often customers came back, and for how much.

    Purchases of one day count as one; refunds do not count.

    Parameters
    ----------
    table, columns, as_of, engine, setting
        As for `customer_features`.

    Returns
    -------
    DataFrame of float64, shape (n_customers, 4)
        ``x`` repeat purchase days, ``t_x`` and ``T`` in weeks from the first purchase to the last and to the
        as-of date, ``value`` mean spend of a repeat purchase day (NaN without one). Customers with refunds
        only are left out. Indexed as the features are.

    Raises
    ------
    InputError
        As `customer_features`.
    """
    with engine_for(engine, table) as opened:
        settled = _settle(opened, table, columns, as_of, setting)
        F = opened.functions  # noqa: N806
        paced = pace_purchases(settled.lines, F, opened.window, settled.plan)
        n_gaps, until_day = F.col("n_gaps"), F.lit(settled.plan.until_day)
        later = (F.col("all_bought") - F.col("first_bought")) / F.lit(settled.plan.money_units)
        made = {
            "x": n_gaps,
            "t_x": (F.col("last_day") - F.col("first_day")) / F.lit(7.0),
            "T": (until_day - F.col("first_day")) / F.lit(7.0),
            "value": F.when(n_gaps > 0, later / n_gaps),
        }
        chosen = (column.cast("double").alias(name) for name, column in made.items())
        frame = opened.to_pandas(paced.select("customer", *chosen))
    return index_by_customer(frame, settled.kinds["customer"])


def type_lines(rows: Any, kinds: Mapping[str, Kind], F: Any) -> Any:  # noqa: N803
    """Add to each row a clean key, day and month numbers, finite amounts, and whether it can be used.

    Parameters
    ----------
    rows : DataFrame
        customer, moment, amount, and order_, quantity, category, channel where the table has them.
    kinds : mapping of column name to kind
    F : module
        Functions of the engine.

    Returns
    -------
    DataFrame
        ``day`` in days since 1970-01-01, ``month`` in months since the year 0.
    """
    on = F.col("date_").cast("date")
    made = {
        "customer": clean_key(F, kinds["customer"], "customer"),
        "day": F.unix_date(on),
        "month": F.year(on) * 12 + F.month(on),
        "amount": finite(F, "amount"),
    }
    if "quantity" in kinds:
        made["quantity"] = finite(F, "quantity")
    for role in ("order_", "category", "channel"):
        if role in kinds:
            made[role] = clean_key(F, kinds[role] if role == "order_" else "other", role)
    made["usable"] = made["customer"].isNotNull() & made["day"].isNotNull() & made["amount"].isNotNull()
    return rows.select(*(column.alias(name) for name, column in made.items()))


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


def measure_lines(lines: Any, F: Any) -> Any:  # noqa: N803
    """Count zero amounts, refunds and gaps, and find the largest values; one row."""
    made = [
        F.count(F.lit(1)).alias("n_lines"),
        count_where(F, F.col("amount") == 0).alias("n_zero"),
        count_where(F, F.col("amount") < 0).alias("n_refunds"),
        F.max(F.abs(F.col("amount"))).alias("largest_amount"),
    ]
    if "quantity" in lines.columns:
        made.append(F.max(F.abs(F.col("quantity"))).alias("largest_quantity"))
    for role in ("order_", "category", "channel"):
        if role in lines.columns:
            absent = F.col(role).isNull() & (F.col("amount") >= 0)
            made.append(count_where(F, absent).alias(f"n_without_{role}"))
    return lines.agg(*made)


def count_in_units(lines: Any, F: Any, plan: Plan) -> Any:  # noqa: N803
    """Split amounts into bought and refunded, as whole numbers of a small unit whose sums are exact."""
    money = F.round(F.col("amount") * F.lit(plan.money_units)).cast("bigint")
    purchased = F.col("amount") >= 0
    made = {"bought": F.when(purchased, money), "refunded": F.when(~purchased, -money)}
    if "quantity" in lines.columns:
        pieces = F.round(F.col("quantity") * F.lit(plan.quantity_units)).cast("bigint")
        made["pieces"] = F.when(purchased, pieces)
    taken = [name for name in ("customer", "day", "month", "order_", "category", "channel") if name in lines.columns]
    return lines.select(*taken, *(column.alias(name) for name, column in made.items()))


def rank_levels(lines: Any, F: Any, role: str) -> Any:  # noqa: N803
    """Rank levels of a category or channel by spending; one more is returned than get their own share."""
    spend = F.sum("bought").cast("double").alias("spend")
    levels = lines.where(F.col("bought").isNotNull() & F.col(role).isNotNull()).groupBy(role).agg(spend)
    return levels.orderBy(F.col("spend").desc(), F.col(role).asc()).limit(MAX_LEVELS + 1)


def pace_purchases(lines: Any, F: Any, Window: Any, plan: Plan) -> Any:  # noqa: N803
    """Compute first and last purchase, active days and months, gaps and late spending by customer."""
    in_time = Window.partitionBy("customer").orderBy("day")
    seen = lines.where(F.col("bought").isNotNull()).select(
        "customer",
        "day",
        "month",
        "bought",
        (F.col("day") - F.lag("day").over(in_time)).alias("gap"),
        F.lag("month").over(in_time).alias("earlier_month"),
        F.min("day").over(in_time).alias("first_day"),
    )
    gap = F.col("gap").cast("bigint")
    late = 2 * (F.col("day") - F.col("first_day")) > F.lit(plan.until_day) - F.col("first_day")
    new_month = F.col("earlier_month").isNull() | (F.col("earlier_month") != F.col("month"))
    return seen.groupBy("customer").agg(
        F.min("day").alias("first_day"),
        F.max("day").alias("last_day"),
        count_where(F, F.col("gap") > 0).alias("n_gaps"),
        F.sum(gap * gap).cast("double").alias("gap_squares"),
        count_where(F, new_month).alias("n_months"),
        F.sum("bought").cast("double").alias("all_bought"),
        F.sum(F.when(F.col("day") == F.col("first_day"), F.col("bought"))).cast("double").alias("first_bought"),
        F.sum(F.when(late, F.col("bought"))).cast("double").alias("late_bought"),
    )


def total_purchases(lines: Any, F: Any, plan: Plan) -> Any:  # noqa: N803
    """Sum spending, refunds, quantity, orders and spending by level for each customer."""

    def total(column: Any) -> Any:
        return F.coalesce(F.sum(column).cast("double"), F.lit(0.0))

    purchased = F.col("bought").isNotNull()
    made = [total(F.col("bought")).alias("bought"), total(F.col("refunded")).alias("refunded")]
    if "pieces" in lines.columns:
        made.append(total(F.col("pieces")).alias("pieces"))
    if "order_" in lines.columns:
        orders = F.count_distinct(F.when(purchased, F.col("order_")))
        if plan.unordered:
            orders = orders + F.count_distinct(F.when(purchased & F.col("order_").isNull(), F.col("day")))
        made.append(orders.alias("n_orders"))
    for role, levels in plan.levels.items():
        for place, level in enumerate(levels):
            if level is not None:
                spent = F.when(F.col(role) == F.lit(level), F.col("bought"))
                made.append(total(spent).alias(f"{role}_{place}"))
    return lines.groupBy("customer").agg(*made)


def aggregate_customers(lines: Any, F: Any, Window: Any, plan: Plan) -> Any:  # noqa: N803
    """Compute the features.

    Parameters
    ----------
    lines : DataFrame
        customer, day, month, bought, refunded and what else `count_in_units` gives.
    F, Window
        Functions and windows of the engine.
    plan : Plan

    Returns
    -------
    DataFrame
        One row per customer, in no order; null where a feature has no meaning, such as a gap after one
        purchase.
    """
    totals = total_purchases(lines, F, plan)
    both = totals.join(pace_purchases(lines, F, Window, plan), on="customer", how="left")

    def ratio(part: Any, whole: Any) -> Any:
        return F.when(whole > 0, part.cast("double") / whole.cast("double"))

    def money(column: str) -> Any:
        return F.col(column) / F.lit(plan.money_units)

    span, n_gaps = F.col("last_day") - F.col("first_day"), F.col("n_gaps")
    tenure = F.lit(plan.until_day) - F.col("first_day")
    n_days = F.coalesce(n_gaps + 1, F.lit(0))
    frequency = F.col("n_orders") if "n_orders" in totals.columns else n_days
    # Whole numbers up to the last step: the difference loses no digit.
    spread = n_gaps * F.col("gap_squares") - span.cast("double") * span.cast("double")
    features = {
        "recency_days": F.lit(plan.until_day) - F.col("last_day"),
        "frequency": frequency,
        "spend": money("bought"),
        "order_value": ratio(money("bought"), frequency),
        "tenure_days": tenure,
        "active_months": F.coalesce(F.col("n_months"), F.lit(0)),
        "gap_days": ratio(span, n_gaps),
        "gap_sd_days": F.sqrt(F.when(n_gaps > 1, spread / (n_gaps * (n_gaps - 1)).cast("double"))),
        "trend": F.when(tenure > 0, ratio(F.coalesce(F.col("late_bought"), F.lit(0.0)), F.col("bought"))),
        "refund_value": money("refunded"),
        "refund_share": ratio(F.col("refunded"), F.col("bought")),
    }
    if "pieces" in totals.columns:
        features["items"] = F.col("pieces") / F.lit(plan.quantity_units)
    for role, levels in plan.levels.items():
        rest = F.col("bought")
        for place, (level, name) in enumerate(zip(levels, share_names(role, levels), strict=True)):
            if level is not None:
                rest = rest - F.col(f"{role}_{place}")
            part = rest if level is None else F.col(f"{role}_{place}")
            features[name] = ratio(part, F.col("bought"))
    return both.select("customer", *(column.cast("double").alias(name) for name, column in features.items()))


def last_day(as_of: date | None, newest: float) -> date:
    """Return the last day to count (in days since 1970-01-01): the given date or the latest in the data."""
    if as_of is None:
        return EPOCH + timedelta(days=int(newest))
    return as_of.date() if isinstance(as_of, datetime) else as_of


@dataclass(frozen=True, slots=True)
class _Settled:
    """Lines ready to be counted, and what was found on the way."""

    lines: Any
    kinds: Mapping[str, Kind]
    plan: Plan
    until: date
    counts: Mapping[str, Any]
    totals: Mapping[str, Any]


def _settle(engine: Engine, table: Any, columns: Columns, as_of: date | None, setting: str) -> _Settled:
    optional = {"order_": columns.order, "quantity": columns.quantity}
    optional |= {"category": columns.category, "channel": columns.channel}
    roles = {"customer": columns.customer, "date_": columns.date, "amount": columns.amount}
    roles |= {role: own for role, own in optional.items() if own is not None}
    F = engine.functions  # noqa: N806
    rows = engine.read(table, roles, setting)
    numbers: tuple[Kind, ...] = ("number", "whole")
    wanted: dict[str, tuple[Kind, ...]] = {"date_": ("moment",), "amount": numbers, "quantity": numbers}
    check_kinds(rows.kinds, wanted, roles, setting)
    typed = engine.view(type_lines(rows.frame, rows.kinds, F), "typed_rows")
    counts = engine.first_row(count_rows(typed, F))
    if not counts["n_usable"]:
        raise InputError(
            f"{setting}: none of {number(counts['n_rows'])} transactions has a customer, a date and an amount.",
            "Expected at least one.",
            "Check the columns in the settings.",
        )
    until = last_day(as_of, counts["newest"])
    until_day = (until - EPOCH).days
    kept = typed.where(F.col("usable") & (F.col("day") <= until_day))
    totals = engine.first_row(measure_lines(kept, F))
    if not totals["n_lines"]:
        raise InputError(
            f"{setting}: all {number(counts['n_usable'])} transactions are later than {until}.",
            "Expected transactions on or before that date.",
            "Set a later as-of date.",
        )

    n_lines = int(totals["n_lines"])
    plan = Plan(
        until_day,
        whole_units(totals["largest_amount"], n_lines),
        whole_units(totals.get("largest_quantity"), n_lines),
        bool(totals.get("n_without_order_")),
        {},
    )
    lines = engine.view(count_in_units(kept, F, plan), "purchase_lines")
    return _Settled(lines, rows.kinds, plan, until, counts, totals)


def _choose_levels(engine: Engine, settled: _Settled, fixed: Levels) -> Levels:
    """Give a share of its own to each fixed category and channel, else to those with the most spend."""
    levels = dict(fixed)
    for role in ("category", "channel"):
        if role in settled.kinds and role not in fixed:
            ranked = list(engine.to_pandas(rank_levels(settled.lines, engine.functions, role))[role])
            more = len(ranked) > MAX_LEVELS or (ranked and settled.totals[f"n_without_{role}"])
            levels[role] = (*ranked[:MAX_LEVELS], None) if more else tuple(ranked)
    return {role: levels[role] for role in ("category", "channel") if role in settled.kinds}


def _notes(settled: _Settled, columns: Columns, frame: pd.DataFrame) -> tuple[str, ...]:
    counts, totals, on = settled.counts, settled.totals, Formats().date(settled.until.isoformat())
    late = int(counts["n_usable"]) - int(totals["n_lines"])
    without = {role: int(totals.get(f"n_without_{role}", 0)) for role in ("order_", "category", "channel")}
    excluded = (
        (int(counts["n_unkeyed"]), "without a customer were left out"),
        (int(counts["n_undated"]), "without a date were left out"),
        (int(counts["n_unpriced"]), f"without a finite {columns.amount} were left out"),
        (late, f"after {on} were left out"),
        (
            int(totals["n_refunds"]),
            f"with a negative {columns.amount} were counted as refunds, not as purchases",
        ),
        (int(totals["n_zero"]), f"with {columns.amount} 0 were counted as purchases"),
        (without["order_"], f"without {columns.order} were counted as one order a day"),
        (without["category"], f"without {columns.category} went to the share of other categories"),
        (without["channel"], f"without {columns.channel} went to the share of other channels"),
    )
    notes = [f"{number(n)} transactions {words}." for n, words in excluded if n]
    if n_refunds_only := int((frame["frequency"] == 0).sum()):
        notes.append(f"{number(n_refunds_only)} customers have refunds only, and no purchase up to {on}.")
    return tuple(notes)
