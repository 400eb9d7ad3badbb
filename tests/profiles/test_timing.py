"""When segments buy: counted by hand, and told only where it stands out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.profiles.timing import BusyTime, find_busy_times
from analysis.settings.models import Study
from analysis.settings.sources import RowColumns, Source
from analysis.sources.tables import RawTable

MONDAY = pd.Timestamp("2022-01-03")
N = 40
"""Customers of each segment."""


def _orders(first: list[pd.Timestamp], second: list[pd.Timestamp], amount: float = 9.0) -> pd.DataFrame:
    """Each customer 1..N buys on the first days, each of N+1..2N on the second."""
    rows = [(who, day, amount) for who in range(1, 2 * N + 1) for day in (first if who <= N else second)]
    return pd.DataFrame(rows, columns=["who", "day", "paid"])


def _find(orders: pd.DataFrame, as_of: dt.date | None = None, min_cell: int = 10) -> tuple[tuple[BusyTime, ...], ...]:
    columns = RowColumns(customer="who", date="day", amount="paid")
    source = Source(path="orders.csv", kind="transactions", columns=columns)
    study = Study(title="Orders", sources=(source,), min_cell=min_cell)
    raw = RawTable("orders", orders, (), len(orders), "", (), "orders.csv")
    keys = pd.Series([str(who) for who in range(1, 2 * N + 1)])
    return find_busy_times([raw], study, as_of, keys, np.repeat([1, 2], N))


def _weeks(n: int, *weekdays: int) -> list[pd.Timestamp]:
    return [MONDAY + pd.Timedelta(weeks=week, days=day) for week in range(n) for day in weekdays]


def test_the_weekday_that_stands_out_is_found_with_its_shares() -> None:
    first, second = _find(_orders(_weeks(10, 5, 5, 2), _weeks(10, 0, 1, 2, 3, 4, 5, 6)))
    assert first == (BusyTime("weekday", "Wednesday", 0.5, 20 / 90),)
    assert second == ()


def test_a_day_with_several_orders_counts_once() -> None:
    days = [*_weeks(10, 5), *_weeks(10, 0, 1, 2, 3, 4, 6)]
    assert _find(_orders(days + _weeks(10, 5) * 3, days)) == _find(_orders(days, days))


def test_months_are_told_of_the_last_year_only_where_purchases_go_further_back() -> None:
    every = [pd.Timestamp(2022, month, 10) + pd.DateOffset(years=year) for year in (0, 1) for month in range(1, 13)]
    november = [pd.Timestamp(2023, 11, day) for day in range(11, 23)]
    first, second = _find(_orders(every + november, every))
    month = next(time for time in first if time.kind == "month")
    assert (month.name, month.share) == ("November", pytest.approx(13 / 24))
    assert not [time for time in second if time.kind == "month"]
    shorter = [day for day in every + november if day.year == 2023]
    assert not [time for time in _find(_orders(shorter, shorter))[0] if time.kind == "month"]


def test_parts_of_the_day_are_told_where_dates_have_a_time() -> None:
    evening = [day + pd.Timedelta(hours=19) for day in _weeks(10, *range(7))]
    noon = [day + pd.Timedelta(hours=h) for day in _weeks(10, *range(7)) for h in (3, 9, 13, 20)]
    first, second = _find(_orders(evening, noon))
    assert first == (BusyTime("part", "evening", 1.0, 2 / 5),)
    assert second == ()


@pytest.mark.parametrize("change", ["few days", "few people", "refunds", "later"])
def test_nothing_is_told_of_few_or_of_what_does_not_count(change: str) -> None:
    days = _weeks(10, 5, 2)
    orders, as_of = _orders(days, days), None
    if change == "few days":
        orders = _orders(_weeks(2, 5, 2), _weeks(2, 5, 2))
    elif change == "few people":
        many = _orders(_weeks(40, 5), _weeks(40, 5))
        orders = many[(many["who"] % N).between(1, 9)]
    elif change == "refunds":
        orders = orders.assign(paid=-1.0)
    else:
        as_of = dt.date(2022, 1, 2)
    assert _find(orders, as_of) == ((), ())


def test_keys_of_other_tables_and_types_are_matched_as_text() -> None:
    orders = _orders(_weeks(10, 5, 2), _weeks(10, 0, 1, 2, 3, 4, 5, 6))
    as_text = orders.assign(who=orders["who"].map(lambda who: f" {who} "))
    as_float = orders.assign(who=orders["who"].astype(float))
    strangers = pd.concat([orders, orders.assign(who=orders["who"] + 1000)])
    assert _find(as_text) == _find(as_float) == _find(strangers) == _find(orders) != ((), ())
