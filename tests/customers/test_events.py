"""Features from events: against a naive rewrite, and where a session ends."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.errors import InputError
from analysis.customers.descriptions import EventColumns
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import open_duckdb
from analysis.customers.events import event_features

COLUMNS = EventColumns("user", "at", "session", "what")
CUT = EventColumns("user", "at", event="what")
START = datetime(2024, 5, 1, 20)


@pytest.fixture(scope="module")
def duckdb_engine() -> Iterator[Engine]:
    """Share one database."""
    with open_duckdb() as engine:
        yield engine


@st.composite
def clicks(draw: st.DrawFn) -> pd.DataFrame:
    """Make tables with ties, pauses around half an hour, and gaps in every column."""
    row = st.tuples(
        st.sampled_from(["a", "b ", "b", "c", "", None]),
        st.one_of(st.none(), st.integers(0, 20).map(lambda n: n * 15), st.integers(0, 400)),
        st.sampled_from(["s1", "s2", "s3", None]),
        st.sampled_from(["page_view", "View ", "Purchase", "scroll", None]),
    )
    rows = draw(st.lists(row, min_size=1, max_size=40))
    return table_of([("a", 0, "s1", "page_view"), *rows])


def table_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows of (user, minute, session, event) as a table."""
    table = pd.DataFrame(rows, columns=["user", "at", "session", "what"])
    times = [None if pd.isna(m) else START + timedelta(minutes=int(m)) for m in table["at"]]
    words = {name: table[name].astype("str") for name in ("user", "session", "what")}
    return pd.DataFrame({**words, "at": pd.Series(times, dtype="datetime64[us]")})


def naive_visits(table: pd.DataFrame, cut: bool) -> pd.DataFrame:
    """Say again, in loops, what the features are."""
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_dict("records"):
        key = row["user"].strip() if isinstance(row["user"], str) else ""
        if key and not pd.isna(row["at"]):
            what = row["what"].strip().lower() if isinstance(row["what"], str) else ""
            by_user[key].append({**row, "what": what})
    until = max(row["at"] for rows in by_user.values() for row in rows).date()
    views = {"page_view", "view"}
    any_view = any(row["what"] in views for rows in by_user.values() for row in rows)
    made = {}
    for key, rows in sorted(by_user.items()):
        visits: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        last, number = None, 0
        for row in sorted(rows, key=lambda row: row["at"]):
            number += last is None or row["at"] - last > timedelta(minutes=30)
            last = row["at"]
            named = row["session"] if isinstance(row["session"], str) else row["at"].date()
            visits[number if cut else named].append(row)
        pages = [row for row in rows if row["what"] in views or not any_view]
        bought = [visit for visit in visits.values() if any(row["what"] == "purchase" for row in visit)]
        made[key] = {
            "days_since_visit": (until - last.date()).days if last else math.nan,
            "sessions": len(visits),
            "active_days": len({row["at"].date() for row in rows}),
            "events": len(rows),
            "pages_per_session": len(pages) / len(visits),
            "conversion": len(bought) / len(visits),
        }
    return pd.DataFrame.from_dict(made, orient="index").astype("float64")


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(table=clicks(), columns=st.sampled_from([COLUMNS, CUT]))
def test_every_feature_equals_a_naive_rewrite(
    duckdb_engine: Engine, table: pd.DataFrame, columns: EventColumns
) -> None:
    found = event_features(table, columns, engine=duckdb_engine)
    expected = naive_visits(table, cut=columns is CUT)
    pd.testing.assert_frame_equal(found.frame, expected, check_names=False, rtol=1e-12)
    assert [variable.name for variable in found.variables] == list(found.frame.columns)


@pytest.mark.slow
def test_a_pause_of_more_than_thirty_minutes_ends_a_session(duckdb_engine: Engine) -> None:
    table = table_of([("a", 0, None, "view"), ("a", 30, None, "view"), ("a", 61, None, "purchase")])
    assert event_features(table, CUT, engine=duckdb_engine).frame.loc["a", ["sessions", "conversion"]].to_list() == [
        2,
        0.5,
    ]
    longer = event_features(table, CUT, session_minutes=31, engine=duckdb_engine)
    assert longer.frame.loc["a", ["sessions", "conversion"]].to_list() == [1, 1]


@pytest.mark.slow
def test_the_as_of_day_counts_whole_and_later_days_do_not(duckdb_engine: Engine) -> None:
    table = table_of(
        [("a", 0, "s", "view"), ("a", 239, "s", "view"), ("a", 240, "s", "view"), ("a", None, "s", "view")]
    )
    found = event_features(table, COLUMNS, as_of=date(2024, 5, 1), engine=duckdb_engine)
    assert found.frame.loc["a", "events"] == 2
    assert found.notes == (
        "1 events without a time were left out.",
        "1 events after 2024-05-01 were left out.",
        "No what is one of purchase, order, transaction, so nobody converts.",
    )


@pytest.mark.slow
def test_without_an_event_column_there_is_no_conversion(duckdb_engine: Engine) -> None:
    table = table_of([("a", 0, "s", None), ("a", 1, "s", None)])
    found = event_features(table, EventColumns("user", "at"), engine=duckdb_engine)
    assert "conversion" not in found.frame and found.frame.loc["a", "pages_per_session"] == 2


@pytest.mark.slow
def test_a_time_column_without_times_is_named(duckdb_engine: Engine) -> None:
    with pytest.raises(InputError, match=r"columns\.time: column 'what' does not contain dates"):
        event_features(table_of([("a", 0, "s", "v")]), EventColumns("user", "what"), engine=duckdb_engine)
    with pytest.raises(InputError, match="none of 1 events"):
        event_features(table_of([("", 0, "s", "v")]), COLUMNS, engine=duckdb_engine)
