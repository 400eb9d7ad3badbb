"""Days of the sources: the study's date, and rows counted by day, month and segment where an engine scans them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.cache import once_each
from analysis.base.disclosure import month_end
from analysis.customers.engines.frames import Kind, clean_key, count_where, finite
from analysis.customers.engines.sessions import engine_for
from analysis.customers.transactions import EPOCH
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS, RowColumns, Source
from analysis.sources.evidence.vocabularies import PROTECTED
from analysis.sources.names import words_of
from analysis.sources.tables import RawTable

Period = Literal["M", "Q", "Y"]
UNITS: tuple[Period, ...] = get_args(Period)
"""Month, quarter and year."""
YEAR = 365
"""Days of the year whose months are counted."""


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """Rows by period.

    Attributes
    ----------
    rows, keyed, people : Series of int
        Rows, those with a customer, and different customers, by period in order.
    largest, second : Series of int
        Most rows of one customer in a period, and of the next; 0 where there is none.
    """

    rows: pd.Series
    keyed: pd.Series
    people: pd.Series
    largest: pd.Series
    second: pd.Series


@dataclass(frozen=True, slots=True)
class TimeCounts:
    """Purchase days, and customers with one, by segment (from 0) and place in time."""

    days: NDArray[np.int64]
    people: NDArray[np.int64]


def settle_date(raws: Sequence[RawTable], study: Study) -> dt.date | None:
    """Give the study's date: that of the settings, else the end of the newest month; None where there is none."""
    return _newest(raws, study.sources) if study.as_of == "auto" else study.as_of


def _newest(raws: Sequence[RawTable], sources: Sequence[Source]) -> dt.date | None:
    """The end of the newest month in any column that dates rows."""
    dates = [_newest_of(raw, _list_dating(raw, source)) for raw, source in zip(raws, sources, strict=True)]
    known = [date for date in dates if not pd.isna(date)]
    return month_end(max(known).date()) if known else None


def _newest_of(raw: RawTable, columns: Sequence[str]) -> Any:
    """The newest moment in columns of dates; of rows that an engine scans, the newest day."""
    dated = raw.frame[list(columns)].select_dtypes("datetime")
    if raw.scan is None:
        return dated.max().max()
    spans = [span for name in dated.columns if (span := find_span(raw, str(name))) is not None]
    return pd.Timestamp(max(last for _, last in spans)) if spans else pd.NaT


def _list_dating(raw: RawTable, source: Source) -> list[str]:
    """List the columns that are not ignored and, by their names, have no birthdays.

    Of sources with several rows for a customer, the date alone counts: an end of a contract may lie in the future.
    """
    date, names = source.columns.date, list(raw.frame.columns)
    if source.kind in ROW_KINDS and date in names:
        names = [date]
    return [name for name in names if name not in source.roles.ignore and not words_of(name) & PROTECTED]


def find_days(raw: RawTable, date: str, as_of: dt.date | None) -> tuple[dt.date, dt.date] | None:
    """Find the first and the last day with a row, up to the study's date if there is one; None without such a row."""
    if raw.scan is None:
        days = raw.frame[date].dropna()
        days = days[days < pd.Timestamp(as_of) + pd.Timedelta(days=1)] if as_of else days
        return (days.min().date(), days.max().date()) if len(days) else None
    return find_span(raw, date, as_of)


def find_span(raw: RawTable, date: str, as_of: dt.date | None = None) -> tuple[dt.date, dt.date] | None:
    """Find the first and the last day of a column in rows that an engine scans; None where no row has one."""
    known = _find_spans(raw)
    if (date, as_of) not in known:
        known[date, as_of] = _measure_span(raw, date, as_of)
    return known[date, as_of]


@once_each
def _find_spans(raw: RawTable) -> dict[tuple[str, dt.date | None], tuple[dt.date, dt.date] | None]:
    """Keep what `find_span` finds, as long as the table."""
    return {}


def _measure_span(raw: RawTable, date: str, as_of: dt.date | None) -> tuple[dt.date, dt.date] | None:
    with engine_for(None, raw.rows) as engine:
        F = engine.functions  # noqa: N806
        rows = engine.read(raw.rows, {"date_": date}).frame
        days = rows.select(F.unix_date(F.col("date_").cast("date")).alias("day"))
        if as_of is not None:
            days = days.where(F.col("day") <= (as_of - EPOCH).days)
        found = engine.first_row(days.agg(F.min("day").alias("low"), F.max("day").alias("high")))
    if pd.isna(found["low"]):
        return None
    first, last = (EPOCH + dt.timedelta(days=int(found[name])) for name in ("low", "high"))
    return first, last


def count_periods(raw: RawTable, customer: str, date: str, period: Period) -> PeriodCounts:
    """Count rows and customers by month, quarter or year.

    Parameters
    ----------
    raw : RawTable
    customer, date : str
        Names of columns; rows without either are left out of the customers, and without a date of the rows.
    period : {"M", "Q", "Y"}
    """
    months = {"M": 1, "Q": 3, "Y": 12}[period]
    with engine_for(None, raw.rows) as engine:
        F, window = engine.functions, engine.window  # noqa: N806
        read = engine.read(raw.rows, {"customer": customer, "date_": date})
        on = F.col("date_").cast("date")
        month = (F.year(on) - 1970) * 12 + F.month(on) - 1
        rows = read.frame.select(
            clean_key(F, read.kinds["customer"], "customer").alias("customer"),
            F.floor(month / F.lit(months)).cast("bigint").alias("period"),
        ).where(F.col("period").isNotNull())
        each = engine.view(rows.groupBy("period", "customer").agg(F.count(F.lit(1)).alias("n")), "rows_by_customer")
        keyed = F.col("customer").isNotNull()
        most = F.row_number().over(window.partitionBy("period").orderBy(F.col("n").desc()))
        ranked = each.where(keyed).select("period", "n", most.alias("rank_"))
        largest = (
            ranked.where(F.col("rank_") <= F.lit(2))
            .groupBy("period")
            .agg(F.max("n").alias("largest"), F.min("n").alias("smallest"), F.count(F.lit(1)).alias("n_ranked"))
        )
        made = {"n": F.sum("n"), "n_keyed": F.sum(F.when(keyed, F.col("n"))), "people": count_where(F, keyed)}
        counted = each.groupBy("period").agg(*(made[name].cast("bigint").alias(name) for name in made))
        frame = engine.to_pandas(counted.join(largest, on="period", how="left"))
    frame = frame.set_index("period").sort_index().fillna(0).astype("int64")
    starts = (frame.index.to_numpy(np.int64) * months).astype("datetime64[M]").astype("datetime64[s]")
    frame = frame.set_axis(pd.DatetimeIndex(starts).to_period(period))
    second = frame["smallest"].where(frame["n_ranked"] > 1, 0)
    return PeriodCounts(frame["n"], frame["n_keyed"], frame["people"], frame["largest"], second)


def count_times(
    raw: RawTable, columns: RowColumns, as_of: dt.date | None, keys: pd.Series, labels: NDArray[np.integer[Any]]
) -> dict[str, TimeCounts]:
    """Count purchase days and customers of each segment by month, weekday and part of the day.

    A day counts once a customer. Refunds do not count. Months are those of the 365 days up to the newest purchase,
    and are left out where the purchases do not go back further; parts of the day are left out where no purchase has a
    time.

    Parameters
    ----------
    raw : RawTable
    columns : RowColumns
        customer, date and amount.
    as_of : date, optional
        Last day that counts.
    keys : Series of str, shape (n,)
        Keys of the customers of the study.
    labels : ndarray of int, shape (n,)
        Segment of each, from 0.

    Returns
    -------
    dict of {"month", "weekday", "part"} to TimeCounts
    """
    made = {"customer": keys.astype("str").to_numpy(), "segment": labels.astype(np.int64), "row_": range(len(keys))}
    members = pd.DataFrame(made)
    roles = {"customer": str(columns.customer), "date_": str(columns.date), "amount": str(columns.amount)}
    with engine_for(None, raw.rows) as engine:
        F = engine.functions  # noqa: N806
        read = engine.read(raw.rows, roles)
        until = None if as_of is None else (as_of - EPOCH).days
        bought = engine.view(list_purchases(read.frame, read.kinds["customer"], F, until), "purchases_made")
        known = bought.join(
            engine.read(members, {str(name): str(name) for name in members}).frame, on="customer", how="inner"
        )
        placed = engine.view(known.select("segment", "row_", "day", "month", "hour"), "purchases_known")
        ends = engine.first_row(
            placed.agg(F.min("day").alias("first_day"), F.max("day").alias("last_day"), F.max("hour").alias("latest"))
        )
        if pd.isna(ends["last_day"]):
            return {}
        first, last = int(ends["first_day"]), int(ends["last_day"])
        day = F.col("day")
        places = {"weekday": (((day + 3) % 7 + 7) % 7, 7)}
        if int(ends["latest"]) > 0:
            places["part"] = (F.floor(F.col("hour") / F.lit(6)), 4)
        if last - first >= YEAR:
            places["month"] = (F.when(day > last - YEAR, F.col("month") - 1), 12)
        names = {kind: [f"{kind}_{at}" for at in range(n)] for kind, (_, n) in places.items()}
        found = engine.to_pandas(_count_places(placed, F, places, names)).set_index("segment")
    counts = {}
    for kind, of in names.items():
        counts[kind] = TimeCounts(*(np.zeros((int(labels.max()) + 1, len(of)), np.int64) for _ in range(2)))
        for table, what in ((counts[kind].days, "days"), (counts[kind].people, "people")):
            table[found.index.to_numpy(np.int64)] = found[[f"{name}_{what}" for name in of]].to_numpy(np.int64)
    return counts


def _count_places(
    placed: Any,
    F: Any,  # noqa: N803
    places: Mapping[str, tuple[Any, int]],
    names: Mapping[str, list[str]],
) -> Any:
    """Count by segment the days, and the customers with one, at each place in time, in one pass over the purchases."""

    def is_at(kind: str, at: int) -> Any:
        return F.when(places[kind][0] == F.lit(at), F.lit(1)).otherwise(F.lit(0))

    # Several parts of the day can hold purchases of one day; month and weekday follow from it.
    parts = [F.max(is_at("part", at)).alias(name) for at, name in enumerate(names.get("part", ()))]
    by_day = placed.groupBy("segment", "row_", "day", "month").agg(F.count(F.lit(1)).alias("n"), *parts)
    sums = [
        F.sum(F.col(name) if kind == "part" else is_at(kind, at)).alias(name)
        for kind, of in names.items()
        for at, name in enumerate(of)
    ]
    by_customer = by_day.groupBy("segment", "row_").agg(*sums)
    each = [name for of in names.values() for name in of]
    counted = [F.sum(name).cast("bigint").alias(f"{name}_days") for name in each]
    counted += [count_where(F, F.col(name) > F.lit(0)).alias(f"{name}_people") for name in each]
    return by_customer.groupBy("segment").agg(*counted)


def list_purchases(rows: Any, key_kind: Kind, F: Any, until_day: int | None) -> Any:  # noqa: N803
    """List the purchases up to a day: customer as text, day, month (1 to 12) and hour."""
    key = clean_key(F, key_kind, "customer")
    key = key.cast("bigint") if key_kind == "number" else key
    on = F.col("date_").cast("date")
    typed = rows.select(
        key.cast("string").alias("customer"),
        F.unix_date(on).alias("day"),
        F.month(on).alias("month"),
        F.hour(F.col("date_").cast("timestamp")).alias("hour"),
        finite(F, "amount").alias("amount"),
    )
    bought = typed.where(F.col("customer").isNotNull() & F.col("day").isNotNull() & (F.col("amount") >= 0))
    return bought if until_day is None else bought.where(F.col("day") <= until_day)
