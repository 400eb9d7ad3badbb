"""Rows of customers that can be used: with a key and a date up to the study's date."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.disclosure import month_end
from analysis.base.errors import InputError
from analysis.base.formats import Formats, number
from analysis.sources.tables import RawTable, read_key


def keep_usable(
    raw: RawTable, customer: str, date: str, as_of: dt.date | None, setting: str
) -> tuple[pd.DataFrame, dt.date, tuple[str, ...]]:
    """Keep the rows with a customer and a date that is not after the study's.

    Parameters
    ----------
    raw : RawTable
    customer, date : str
        Names of columns.
    as_of : date, optional
        Last day that counts; the end of the newest month of the table if absent.
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    frame : DataFrame, shape (n_usable, n_columns + 3)
        With ``_key`` (text) and ``_day`` (datetime), sorted by both, and ``_place`` in that order, from 0.
    as_of : date
    notes : tuple of str
        What was left out, as sentences.

    Raises
    ------
    InputError
        The date column holds no dates, or no row can be used.
    """
    if raw.column(date).type != "date":
        raise InputError(
            f"{setting}.date: column '{date}' does not contain dates.",
            f"Expected dates; it was read as {raw.column(date).type}.",
            "Choose another column, or set its type.",
        )
    keys, days = read_key(raw, customer, f"{setting}.customer").values, raw.frame[date].dt.normalize()
    known = days[keys.notna()].dropna()
    last = as_of or (month_end(known.max().date()) if len(known) else dt.date.max)
    reasons = {
        "without a customer were left out.": keys.isna(),
        "without a date were left out.": keys.notna() & days.isna(),
        f"after {Formats().date(last.isoformat())} were left out.": keys.notna() & (days > pd.Timestamp(last)),
    }
    usable = ~pd.concat(reasons, axis=1).any(axis=1)
    if not usable.any():
        raise InputError(
            f"{setting}: none of {number(raw.n_rows)} rows has a customer and a date up to {last}.",
            "Expected at least one.",
            "Check the columns and the as-of date in the settings.",
        )
    frame = raw.frame.assign(_key=keys, _day=days)[usable].sort_values(["_key", "_day"], kind="stable")
    frame = frame.assign(_place=np.arange(len(frame)))
    return frame, last, tuple(f"{number(int(n))} rows {words}" for words, at in reasons.items() if (n := at.sum()))


def take_latest(rows: Any, F: Any, Window: Any, name: str) -> Any:  # noqa: N803
    """Take the latest known value of a column for each customer.

    Parameters
    ----------
    rows : DataFrame of an engine
        customer, place and the column.
    F, Window
        Functions and windows of the engine.
    name : str

    Returns
    -------
    DataFrame of the engine
        customer and the column, one row per customer with a value.
    """
    newest_first = Window.partitionBy("customer").orderBy(F.col("place").desc())
    known = rows.where(F.col(name).isNotNull())
    ranked = known.select("customer", name, F.row_number().over(newest_first).alias("rank_"))
    return ranked.where(F.col("rank_") == F.lit(1)).select("customer", name)
