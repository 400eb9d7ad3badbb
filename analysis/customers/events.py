"""Aggregation of web and app events to features of customers: sessions, page views, conversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from analysis.base.errors import InputError
from analysis.base.formats import Formats, number
from analysis.customers.descriptions import CustomerFeatures, EventColumns, describe_visits
from analysis.customers.engines.frames import (
    Engine,
    EngineName,
    Kind,
    check_kinds,
    clean_key,
    count_where,
    finite,
    index_by_customer,
)
from analysis.customers.engines.sessions import engine_for
from analysis.customers.transactions import EPOCH, last_day

PURCHASE_EVENTS = ("purchase", "order", "transaction")
PAGE_EVENTS = ("page_view", "page view", "pageview", "page", "view")
SESSION_MINUTES = 30
NUMBERS: tuple[Kind, ...] = ("number", "whole")


def event_features(
    table: Any,
    columns: EventColumns,
    *,
    as_of: date | None = None,
    purchase_events: Sequence[str] = PURCHASE_EVENTS,
    page_events: Sequence[str] = PAGE_EVENTS,
    session_minutes: float = SESSION_MINUTES,
    engine: EngineName | Engine | None = None,
    setting: str = "columns",
) -> CustomerFeatures:
    """Compute visits, pages and conversion of each customer from single events.

    A session is what the session column says; without one, a pause longer than ``session_minutes`` ends it.
    Where no event is a page view, every event counts as a page. Pages and durations of whole sessions are averaged.

    Parameters
    ----------
    table : pandas DataFrame, path or glob pattern of Parquet files, or PySpark DataFrame
    columns : EventColumns
    as_of : date, optional
        Last day that counts; the newest day of the table if absent.
    purchase_events, page_events : sequence of str
        Values of the event column, whatever their case.
    session_minutes : float
    engine : {"duckdb", "spark"} or Engine, optional; by default that of `execute_on`
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
    >>> import pandas as pd
    >>> times = pd.to_datetime(["2024-05-01 10:00", "2024-05-01 10:29", "2024-05-01 11:00"])
    >>> clicks = pd.DataFrame({"who": "a", "at": times, "what": ["view", "purchase", "view"]})
    >>> made = event_features(clicks, EventColumns("who", "at", event="what"))
    >>> made.frame.loc["a", ["sessions", "conversion"]].to_list()
    [2.0, 0.5]
    """
    optional = {name: getattr(columns, name) for name in ("session", "event", "pages", "duration")}
    roles = {"customer": columns.customer, "time": columns.time}
    roles |= {role: own for role, own in optional.items() if own is not None}
    wanted: dict[str, tuple[Kind, ...]] = {"time": ("moment",), "pages": NUMBERS, "duration": NUMBERS}
    with engine_for(engine, table) as opened:
        rows = opened.read(table, roles, setting)
        check_kinds(rows.kinds, wanted, roles, setting)
        typed = type_events(rows.frame, rows.kinds, opened.functions, purchase_events, page_events)
        usable, counted = _keep_usable(opened, opened.view(typed, "typed_events"), as_of, setting)
        frame = _measure_visits(opened, usable, columns, session_minutes, counted)
    variables = describe_visits(columns, session_minutes)
    frame = index_by_customer(frame, rows.kinds["customer"])[[variable.name for variable in variables]]
    return CustomerFeatures(frame, variables, counted.until, {}, _list_notes(columns, counted, purchase_events))


@dataclass(frozen=True, slots=True)
class _Counted:
    """Events by what became of them; ``until`` is the last day that counts."""

    until: date
    n_unkeyed: int
    n_undated: int
    n_late: int
    n_pages: int
    n_purchases: int
    n_sessionless: int


def _keep_usable(opened: Engine, typed: Any, as_of: date | None, setting: str) -> tuple[Any, _Counted]:
    """Keep the events with a customer and a time until the as-of date, and count the others."""
    F = opened.functions  # noqa: N806
    keyed, dated = F.col("customer").isNotNull(), F.col("day").isNotNull()
    counts = opened.first_row(
        typed.agg(
            F.count(F.lit(1)).alias("n_rows"),
            count_where(F, ~keyed).alias("n_unkeyed"),
            count_where(F, keyed & ~dated).alias("n_undated"),
            F.max(F.when(keyed, F.col("day"))).alias("newest"),
        )
    )
    n_usable = int(counts["n_rows"] - counts["n_unkeyed"] - counts["n_undated"])
    if not n_usable:
        raise InputError(
            f"{setting}: none of {number(counts['n_rows'])} events has a customer and a time.",
            "Expected at least one.",
            "Check the columns in the settings.",
        )
    until = last_day(as_of, counts["newest"])
    usable = opened.view(typed.where(keyed & dated & (F.col("day") <= (until - EPOCH).days)), "kept_events")
    totals = opened.first_row(
        usable.agg(
            F.count(F.lit(1)).alias("n_events"),
            count_where(F, F.col("is_page")).alias("n_pages"),
            count_where(F, F.col("is_purchase")).alias("n_purchases"),
            count_where(F, F.col("session").isNull()).alias("n_sessionless"),
        )
    )
    if not totals["n_events"]:
        raise InputError(
            f"{setting}: all {number(n_usable)} events are later than {until}.",
            "Expected events on or before that date.",
            "Set a later as-of date.",
        )
    n_late = n_usable - totals["n_events"]
    left_out = (counts["n_unkeyed"], counts["n_undated"], n_late)
    kept = (totals["n_pages"], totals["n_purchases"], totals["n_sessionless"])
    return usable, _Counted(until, *map(int, left_out), *map(int, kept))


def _measure_visits(
    opened: Engine, usable: Any, columns: EventColumns, session_minutes: float, counted: _Counted
) -> pd.DataFrame:
    """Form sessions and compute the features; one row per customer, in no order."""
    F = opened.functions  # noqa: N806
    if columns.each_session:
        return opened.to_pandas(average_sessions(usable, F, (counted.until - EPOCH).days))
    if columns.session:
        sessions = opened.view(name_sessions(usable, F), "session_events")
    else:
        sessions = opened.view(cut_sessions(usable, F, opened.window, session_minutes), "session_events")
    pages = F.col("is_page") if counted.n_pages else F.lit(True)
    return opened.to_pandas(aggregate_visits(sessions, F, (counted.until - EPOCH).days, pages))


def _list_notes(columns: EventColumns, counted: _Counted, purchase_events: Sequence[str]) -> tuple[str, ...]:
    """Say which events were left out or counted apart."""
    notes = [
        (counted.n_unkeyed, "without a customer were left out."),
        (counted.n_undated, "without a time were left out."),
        (counted.n_late, f"after {Formats().date(counted.until.isoformat())} were left out."),
        (
            counted.n_sessionless if columns.session and not columns.each_session else 0,
            f"without {columns.session} were counted as one session a day.",
        ),
    ]
    what = "sessions" if columns.each_session else "events"
    said = [f"{number(n)} {what} {words}" for n, words in notes if n]
    if columns.event and not counted.n_pages:
        said.append("No event is a page view, so every event counts as a page.")
    if columns.event and not counted.n_purchases:
        said.append(f"No {columns.event} is one of {', '.join(purchase_events)}, so nobody converts.")
    return tuple(said)


def type_events(
    rows: Any,
    kinds: Any,
    F: Any,  # noqa: N803
    purchase_events: Sequence[str],
    page_events: Sequence[str],
) -> Any:
    """Add to each event a clean key, day, microsecond, and whether it is a page view or a purchase."""

    def is_one_of(events: Sequence[str]) -> Any:
        event = F.lower(clean_key(F, "text", "event"))
        return F.coalesce(event.isin([event.lower() for event in events]), F.lit(False))

    has_event, has_session = "event" in kinds, "session" in kinds
    return rows.select(
        clean_key(F, kinds["customer"], "customer").alias("customer"),
        F.unix_date(F.col("time").cast("date")).alias("day"),
        F.unix_micros(F.col("time").cast("timestamp")).alias("micros"),
        (clean_key(F, "text", "session") if has_session else F.lit(None).cast("string")).alias("session"),
        (is_one_of(page_events) if has_event else F.lit(True)).alias("is_page"),
        (is_one_of(purchase_events) if has_event else F.lit(False)).alias("is_purchase"),
        *(finite(F, name).alias(name) for name in ("pages", "duration") if name in kinds),
    )


def name_sessions(events: Any, F: Any) -> Any:  # noqa: N803
    """Use the sessions of the table; events without one form one session per day."""
    named = F.coalesce(F.concat(F.lit("s"), F.col("session")), F.concat(F.lit("d"), F.col("day").cast("string")))
    return events.select("customer", "day", "is_page", "is_purchase", named.alias("visit"))


def cut_sessions(events: Any, F: Any, Window: Any, session_minutes: float) -> Any:  # noqa: N803
    """Split events into sessions at pauses, numbered from 1 for each customer."""
    in_time = Window.partitionBy("customer").orderBy("micros")
    pause = F.col("micros") - F.lag("micros").over(in_time)
    starts = F.when(pause <= int(session_minutes * 60e6), F.lit(0)).otherwise(F.lit(1))
    flagged = events.select("customer", "day", "micros", "is_page", "is_purchase", starts.alias("starts"))
    return flagged.select(
        "customer", "day", "is_page", "is_purchase", F.sum("starts").over(in_time).cast("bigint").alias("visit")
    )


def average_sessions(sessions: Any, F: Any, until_day: int) -> Any:  # noqa: N803
    """Compute the features of rows that are whole sessions; one row per customer, in no order.

    Parameters
    ----------
    sessions : DataFrame
        customer, day; pages and duration where the table has them, which are summed as whole millionths.
    F : module
    until_day : int
        As-of date in days since 1970-01-01.
    """
    features = {
        "days_since_visit": F.lit(until_day) - F.max("day"),
        "sessions": F.count(F.lit(1)),
        "active_days": F.count_distinct(F.col("day")),
    }
    for name, made in (("pages", "pages_per_session"), ("duration", "session_length")):
        if name in sessions.columns:
            whole = F.sum(F.round(F.col(name) * F.lit(1e6)).cast("bigint")).cast("double")
            features[made] = whole / F.lit(1e6) / F.count(F.col(name))
    return sessions.groupBy("customer").agg(*(column.cast("double").alias(name) for name, column in features.items()))


def aggregate_visits(sessions: Any, F: Any, until_day: int, pages: Any) -> Any:  # noqa: N803
    """Compute the features; one row per customer, in no order.

    Parameters
    ----------
    sessions : DataFrame
        customer, day, is_page, is_purchase, visit.
    F : module
    until_day : int
        As-of date in days since 1970-01-01.
    pages : Column
        Condition under which an event counts as a page.
    """
    visits = sessions.groupBy("customer", "visit").agg(
        F.count(F.lit(1)).alias("n_events"),
        count_where(F, pages).alias("n_pages"),
        F.max(F.when(F.col("is_purchase"), F.lit(1)).otherwise(F.lit(0))).alias("converted"),
    )
    by_visit = visits.groupBy("customer").agg(
        F.count(F.lit(1)).alias("n_visits"),
        F.sum("n_events").cast("double").alias("n_events"),
        F.sum("n_pages").cast("double").alias("n_pages"),
        F.sum("converted").cast("double").alias("n_converted"),
    )
    by_day = sessions.groupBy("customer").agg(
        F.count_distinct(F.col("day")).alias("n_days"), F.max("day").alias("last_day")
    )
    n_visits = F.col("n_visits").cast("double")
    features = {
        "days_since_visit": F.lit(until_day) - F.col("last_day"),
        "sessions": n_visits,
        "active_days": F.col("n_days"),
        "events": F.col("n_events"),
        "pages_per_session": F.col("n_pages") / n_visits,
        "conversion": F.col("n_converted") / n_visits,
    }
    both = by_visit.join(by_day, on="customer", how="inner")
    return both.select("customer", *(column.cast("double").alias(name) for name, column in features.items()))
