"""Features of customers from their subscriptions, each row a contract."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from analysis.base.errors import InputError
from analysis.customers.descriptions import CustomerFeatures, Description
from analysis.customers.engines import in_order
from analysis.customers.spans.rows import keep_usable
from analysis.settings.sources import RowColumns
from analysis.sources.evidence.spans import MONTHS_OF, has_ended, period_of
from analysis.sources.tables import RawTable

DAYS_A_MONTH = 365.25 / 12


def subscription_features(
    raw: RawTable, columns: RowColumns, *, as_of: dt.date | None = None, setting: str = "columns"
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
    today = pd.Timestamp(last)
    ends = pd.to_datetime(rows[columns.end]) if columns.end else pd.Series(pd.NaT, index=rows.index)
    over = has_ended(rows[columns.status], columns.status) if columns.status else np.zeros(len(rows), bool)
    ended = pd.Series(over, index=rows.index) | (ends <= today)
    price = rows[columns.amount].astype("float64") if columns.amount else pd.Series(np.nan, index=rows.index)
    until = ends.where(ends < today, today).mask(ended & ends.isna())
    months = (until - rows["_day"]).dt.days.clip(lower=0) / DAYS_A_MONTH
    period = period_of(columns.amount) if columns.amount else ""
    made = pd.DataFrame(
        {
            "contracts": 1.0,
            "active_contracts": (~ended).astype("float64"),
            "recurring_amount": price.where(~ended, 0.0),
            "contract_value": months * price / MONTHS_OF.get(period, np.nan),
        }
    )
    sums = made.groupby(rows["_key"]).sum(min_count=1).round(6)
    sums["contract_value"] = sums["contract_value"].mask(made["contract_value"].isna().groupby(rows["_key"]).any())
    sums["ended_share"] = 1 - sums["active_contracts"] / sums["contracts"]
    sums["tenure_days"] = (today - rows.groupby("_key")["_day"].min()).dt.days.astype("float64")
    if columns.plan:
        sums["plan"] = rows[columns.plan].astype("str").groupby(rows["_key"]).last()
    variables = tuple(v for v in _describe(columns, period) if v.name in sums)
    return CustomerFeatures(in_order(sums)[[v.name for v in variables]], variables, last, {}, notes)


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
