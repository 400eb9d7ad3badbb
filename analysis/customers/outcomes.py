"""Purchases and visits of each customer within a window, as outcomes of a test."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from analysis.base.errors import InputError
from analysis.settings.sources import RowColumns
from analysis.sources.tables import RawTable


def sum_purchases(table: RawTable, columns: RowColumns, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Count orders and add up what was spent, from the first to the last day of a window.

    Parameters
    ----------
    table : RawTable
        Transactions.
    columns : RowColumns
    first, last : date

    Returns
    -------
    DataFrame
        ``orders`` and ``spend`` by customer, of those with a row in the window; refunds lower the spend and are no
        orders.

    Raises
    ------
    InputError
        Where the settings do not name customer, date and amount.
    """
    if columns.customer is None or columns.date is None or columns.amount is None:
        raise InputError(
            f"{table.shown_path}: the settings name no customer, date or amount of the transactions.",
            hint="Set columns of the source, or give the outcomes: --outcomes results.csv",
        )
    frame = table.frame[[columns.customer, columns.date, columns.amount]]
    order = table.frame[columns.order] if columns.order else frame[columns.date].dt.normalize()
    rows = pd.DataFrame(
        {
            "key": frame[columns.customer].astype("str").str.strip(),
            "day": frame[columns.date].dt.normalize(),
            "amount": frame[columns.amount].astype("float64"),
            "order": order,
        }
    ).dropna(subset=["day", "amount"])
    rows = rows[rows["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    bought = rows[rows["amount"] >= 0].groupby("key")["order"].nunique()
    spent = rows.groupby("key")["amount"].sum()
    return pd.DataFrame({"orders": bought, "spend": spent}).fillna(0.0).astype("float64")


def count_visits(table: RawTable, columns: RowColumns, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Count sessions, or days with an event where events name no session, within a window.

    Parameters
    ----------
    table : RawTable
        Events.
    columns, first, last
        As in `sum_purchases`.

    Returns
    -------
    DataFrame
        ``visits`` by customer, of those with an event in the window.

    Raises
    ------
    InputError
        Where the settings do not name customer and date.
    """
    if columns.customer is None or columns.date is None:
        raise InputError(
            f"{table.shown_path}: the settings name no customer or date of the events.",
            hint="Set columns of the source, or give the outcomes: --outcomes results.csv",
        )
    days = table.frame[columns.date].dt.normalize()
    rows = pd.DataFrame(
        {
            "key": table.frame[columns.customer].astype("str").str.strip(),
            "visit": table.frame[columns.session] if columns.session else days,
        }
    )[days.between(pd.Timestamp(first), pd.Timestamp(last))]
    return rows.groupby("key")["visit"].nunique().to_frame("visits").astype("float64")


def find_last_day(table: RawTable, columns: RowColumns) -> dt.date | None:
    """Return the newest day of transactions or events; None without one."""
    days = table.frame[columns.date].dropna() if columns.date else pd.Series(dtype="datetime64[s]")
    return days.max().date() if len(days) else None
