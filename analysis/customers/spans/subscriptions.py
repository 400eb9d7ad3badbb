"""Features of customers from their subscriptions, each row a contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import InputError
from analysis.customers.descriptions import CustomerFeatures, Description
from analysis.customers.engines.frames import Engine, EngineName, count_where, finite, in_order, whole_units
from analysis.customers.engines.sessions import engine_for
from analysis.customers.spans.rows import keep_usable, take_latest
from analysis.customers.transactions import EPOCH
from analysis.settings.sources import RowColumns
from analysis.sources.evidence.spans import MONTHS_OF, has_ended, period_of
from analysis.sources.tables import RawTable

DAYS_A_MONTH = 365.25 / 12
MICROSECONDS_A_DAY = 86_400_000_000


def subscription_features(
    raw: RawTable,
    columns: RowColumns,
    *,
    as_of: dt.date | None = None,
    engine: EngineName | Engine | None = None,
    setting: str = "columns",
) -> CustomerFeatures:
    """Compute how many contracts a customer has and had, since when, and what is due each period.

    A contract is active if it has not ended by the study's date: an end lies later or is missing, and no status says
    that it has ended. Without a date the study's is the end of the month of the newest start, since an end may lie in
    the future. The price of one period is due, not paid: months times price are computed only where the name of the
    price says that it is due each month or year, and are missing for a customer
    with an end that is not known.

    Parameters
    ----------
    raw : RawTable
    columns : RowColumns
        customer and date; amount, end, status and plan where there are such columns.
    as_of : date, optional
    engine : {"duckdb", "spark"} or Engine, optional
        That of `analysis.customers.engines.sessions.execute_on` if absent.
    setting : str
        Place in the settings that messages name.

    Raises
    ------
    InputError
        A column holds something else than dates or numbers, or no row can be used.
    """
    customer, start = str(columns.customer), str(columns.date)
    for part, kind in (("amount", "number"), ("end", "date")):
        name = getattr(columns, part)
        if name and raw.column(name).type != kind and raw.column(name).n_distinct:
            raise InputError(
                f"{setting}.{part}: column '{name}' was read as {raw.column(name).type}.",
                f"Expected a column of the type {kind}.",
                "Choose another column, or set its type.",
            )
    rows, last, notes = keep_usable(raw, customer, start, as_of, setting)
    period = period_of(columns.amount) if columns.amount else ""
    contracts = _contracts(rows, columns)
    with engine_for(engine, contracts) as opened:
        sums = _add_up(opened, contracts, (last - EPOCH).days, MONTHS_OF.get(period, np.nan))
    variables = tuple(v for v in _describe(columns, period) if v.name in sums)
    return CustomerFeatures(in_order(sums)[[v.name for v in variables]], variables, last, {}, notes)


def _contracts(rows: pd.DataFrame, columns: RowColumns) -> pd.DataFrame:
    """Return what counts of each contract, under plain names."""
    made: dict[str, Any] = {"customer": rows["_key"], "place": rows["_place"], "start_": rows["_day"]}
    made["end_"] = pd.to_datetime(rows[columns.end]) if columns.end else pd.Series(pd.NaT, index=rows.index)
    over = has_ended(rows[columns.status], columns.status) if columns.status else np.zeros(len(rows), bool)
    made["over_"] = np.asarray(over, dtype=bool)
    made["price"] = rows[columns.amount].astype("float64") if columns.amount else np.nan
    if columns.plan:
        made["plan"] = rows[columns.plan].astype("str")
    return pd.DataFrame(made)


def _add_up(engine: Engine, contracts: pd.DataFrame, until_day: int, months_a_period: float) -> pd.DataFrame:
    """Add up the contracts of each customer; the latest plan where there is one."""
    F = engine.functions  # noqa: N806
    rows = engine.read(contracts, {str(name): str(name) for name in contracts}).frame
    dated = engine.view(date_contracts(rows, F, until_day, months_a_period), "dated_contracts")
    largest = engine.first_row(
        dated.agg(F.max(F.abs(F.col("price"))).alias("price"), F.max(F.abs(F.col("worth"))).alias("worth"))
    )
    units = {name: whole_units(most, len(contracts)) for name, most in largest.items()}
    added = engine.to_pandas(add_up_contracts(dated, F, until_day, units)).set_index("customer")
    sums = added.astype("float64")
    sums["ended_share"] = 1 - sums["active_contracts"] / sums["contracts"]
    if "plan" in contracts:
        latest = engine.to_pandas(take_latest(rows, F, engine.window, "plan")).set_index("customer")
        sums["plan"] = latest["plan"].astype("str").reindex(sums.index)
    return sums


def date_contracts(rows: Any, F: Any, until_day: int, months_a_period: float) -> Any:  # noqa: N803
    """Find which contracts have ended, and what each was worth until its end or the study's date.

    Parameters
    ----------
    rows : DataFrame of an engine
        customer, start_, end_, over_ (whether a status says that it has ended) and price.
    F : module
        Functions of the engine.
    until_day : int
        As-of date in days since 1970-01-01.
    months_a_period : float
        Months that the price is due for; NaN if that is not known.

    Returns
    -------
    DataFrame of the engine
        customer, day, ended, price, and worth (null where the end is not known).
    """
    today = F.lit(until_day * MICROSECONDS_A_DAY)
    start, end = (F.unix_micros(F.col(name).cast("timestamp")) for name in ("start_", "end_"))
    ended = F.col("over_") | F.coalesce(end <= today, F.lit(False))
    until = F.when(end < today, end).when(end.isNotNull() | ~ended, today)
    days = F.floor((until - start) / F.lit(float(MICROSECONDS_A_DAY)))
    months = F.when(days > 0, days.cast("double")).otherwise(F.when(until.isNotNull(), F.lit(0.0))) / DAYS_A_MONTH
    price = finite(F, "price")
    worth = months * price / F.lit(months_a_period) if months_a_period == months_a_period else F.lit(None)
    return rows.select(
        "customer",
        F.unix_date(F.col("start_").cast("date")).alias("day"),
        ended.alias("ended"),
        price.alias("price"),
        worth.cast("double").alias("worth"),
    )


def add_up_contracts(dated: Any, F: Any, until_day: int, units: Mapping[str, float]) -> Any:  # noqa: N803
    """Compute the features; one row per customer, in no order.

    Parameters
    ----------
    dated : DataFrame of an engine
        As from `date_contracts`.
    F : module
    until_day : int
    units : mapping of "price" and "worth" to float
        Small units in 1, in which sums are exact.
    """

    def add(name: str) -> Any:
        whole = F.round(F.col(name) * F.lit(units[name])).cast("bigint")
        due = F.when(F.col("ended"), F.lit(0)).otherwise(whole) if name == "price" else whole
        return F.sum(due).cast("double") / F.lit(units[name])

    unknown = count_where(F, F.col("worth").isNull())
    features = {
        "contracts": F.count(F.lit(1)),
        "active_contracts": count_where(F, ~F.col("ended")),
        "recurring_amount": add("price"),
        "contract_value": F.when(unknown == 0, add("worth")),
        "tenure_days": F.lit(until_day) - F.min("day"),
    }
    return dated.groupBy("customer").agg(*(column.cast("double").alias(name) for name, column in features.items()))


def _describe(columns: RowColumns, period: str) -> list[Description]:
    who, start, price, plan = str(columns.customer), str(columns.date), columns.amount, columns.plan
    ends = tuple(name for name in (columns.end, columns.status) if name)
    due = f" each {period}" if period else ""
    made = [
        Description(
            "contracts", "Subscriptions", "count", "count of rows", (who,), "How many contracts a customer has or had.",
            "customers with many subscriptions", "customers with few subscriptions", additive=True,
        ),
        Description(
            "active_contracts", "Active subscriptions", "count", "count of rows without an end by the as-of date",
            (who, *ends), "How many contracts of a customer are active.", "active subscribers", "former subscribers",
            additive=True,
        ),
        Description(
            "tenure_days", "Days since the first subscription", "days", f"as-of date - first {start}", (who, start),
            "How long ago a customer first subscribed, counted to the as-of date.",
            "long-standing subscribers", "new subscribers",
        ),
        Description(
            "ended_share", "Share of subscriptions that ended", "share", "1 - active_contracts / contracts",
            (who, *ends), "The part of a customer's contracts that has ended.", "leavers", "loyal subscribers",
        ),
    ]  # fmt: skip
    if price:
        made.append(
            Description(
                "recurring_amount", f"Price of active subscriptions{due}", "money",
                f"sum of {price} of active contracts", (who, price, *ends),
                f"What a customer's active contracts cost{due}; it is due, and not a total.",
                "subscribers who pay much", "subscribers who pay little", additive=True,
            )
        )  # fmt: skip
    if price and period:
        made.append(
            Description(
                "contract_value", "Contract value", "money",
                f"sum of {period}s from {start} to end or as-of date, times {price}", (who, start, price, *ends),
                "Time under contract times price; missing where an end is not known.",
                "subscribers of high value", "subscribers of low value",
            )
        )  # fmt: skip
    if plan:
        made.append(Description("plan", "Latest plan", "category", f"{plan} of the latest row", (who, start, plan),
                                "The plan that a customer chose last."))  # fmt: skip
    return made
