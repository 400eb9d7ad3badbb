"""Features from transactions: against a naive rewrite, and what must not change them."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.errors import InputError
from analysis.customers.descriptions import Columns, CustomerFeatures
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import open_duckdb
from analysis.customers.rfm import NAMES, rfm_cells, rfm_scores
from analysis.customers.transactions import MAX_LEVELS, customer_features, purchase_histories

COLUMNS = Columns("Customer ID", "bought on", "paid", "order no.", "pieces", "category", "channel")
BARE = Columns("Customer ID", "bought on", "paid")
START = datetime(2023, 11, 1)


@pytest.fixture(scope="module")
def duckdb_engine() -> Iterator[Engine]:
    """Share one database among the tests that only ask for numbers."""
    with open_duckdb() as engine:
        yield engine


@st.composite
def transactions(draw: st.DrawFn) -> pd.DataFrame:
    """Make tables with refunds, ties, one purchase, several orders a day, zeros and gaps in all columns."""
    row = st.tuples(
        st.sampled_from(["a", "a", "b", " b", "c", "c", "10", "9", "dé", "", None]),
        st.one_of(st.integers(0, 9), st.integers(0, 9), st.integers(0, 120), st.none()),
        st.sampled_from([0, 0.5, 0.999]),
        st.one_of(
            st.integers(0, 20000).map(lambda cents: cents / 100),
            st.integers(0, 20000).map(lambda cents: cents / 100),
            st.sampled_from([0.0, -12.5, -0.01, None, math.inf, math.nan, 1e6]),
        ),
        st.one_of(st.integers(1, 9), st.integers(1, 9), st.none()),
        st.one_of(st.integers(1, 5), st.none()),
        st.sampled_from(["wine", "Wine", "fish ", "fish", "meat", "a", "b", "c", "d", "", None]),
        st.sampled_from(["web", "store", None]),
    )
    n = draw(st.integers(1, 80))
    rows = draw(st.lists(row, min_size=n, max_size=n))
    return table_of([("a", 5, 0, 12.5, 1, 1, "wine", "web"), *rows])


def table_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows of (customer, day, time of day, paid, order, pieces, category, channel) as a table."""
    table = pd.DataFrame(rows, columns=["who", "day", "time", "paid", "order", "pieces", "category", "channel"])
    moments = [
        None if day is None or math.isnan(day) else START + timedelta(days=int(day), hours=24 * time)
        for day, time in zip(table["day"], table["time"], strict=True)
    ]
    return pd.DataFrame(
        {
            "Customer ID": table["who"].astype("str"),
            "bought on": pd.Series(moments, dtype="datetime64[us]"),
            "paid": table["paid"].astype("float64"),
            "order no.": table["order"].astype("Int64"),
            "pieces": table["pieces"].astype("float64"),
            "category": table["category"].astype("str"),
            "channel": table["channel"].astype("str"),
        }
    )


def naive_features(table: pd.DataFrame, as_of: date | None = None, columns: Columns = COLUMNS) -> pd.DataFrame:
    """Say again, in loops, what the features are."""
    usable = []
    for row in table.to_dict("records"):
        key = row["Customer ID"].strip() if isinstance(row["Customer ID"], str) else ""
        if key and not pd.isna(row["bought on"]) and math.isfinite(row["paid"]):
            usable.append({**row, "key": key, "day": row["bought on"].date()})
    until = as_of or max(row["day"] for row in usable)
    by_customer: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in usable:
        if row["day"] <= until:
            by_customer[row["key"]].append(row)
    levels = {
        role: naive_levels([row for rows in by_customer.values() for row in rows if row["paid"] >= 0], role)
        for role in ("category", "channel")
        if getattr(columns, role)
    }
    made = {}
    for key in sorted(by_customer, key=lambda key: (len(key), key)):
        bought = [row for row in by_customer[key] if row["paid"] >= 0]
        refunded = -sum(row["paid"] for row in by_customer[key] if row["paid"] < 0)
        days = sorted({row["day"] for row in bought})
        spend = math.fsum(row["paid"] for row in bought)
        orders = {("day", row["day"]) if pd.isna(row["order no."]) else ("order", row["order no."]) for row in bought}
        frequency = len(orders) if columns.order else len(days)
        gaps = [(later - earlier).days for earlier, later in pairwise(days)]
        features = dict.fromkeys(("recency_days", "order_value", "tenure_days", "gap_days", "gap_sd_days"), math.nan)
        features |= {"frequency": frequency, "spend": spend, "trend": math.nan, "refund_share": math.nan}
        features |= {"refund_value": refunded, "active_months": len({(day.year, day.month) for day in days})}
        if columns.quantity:
            features["items"] = sum(row["pieces"] for row in bought if not pd.isna(row["pieces"]))
        if days:
            features["recency_days"] = (until - days[-1]).days
            features["tenure_days"] = tenure = (until - days[0]).days
            features["order_value"] = spend / frequency
            if tenure and spend:
                late = math.fsum(row["paid"] for row in bought if (row["day"] - days[0]).days > tenure / 2)
                features["trend"] = late / spend
        if gaps:
            features["gap_days"] = statistics.mean(gaps)
        if len(gaps) > 1:
            features["gap_sd_days"] = statistics.stdev(gaps)
        if spend:
            features["refund_share"] = refunded / spend
        for role, of_role in levels.items():
            for level in of_role:
                spent = math.fsum(row["paid"] for row in bought if naive_level(row[role], of_role) == level)
                features[f"{role}:{level}"] = spent / spend if spend else math.nan
        made[key] = features
    return pd.DataFrame.from_dict(made, orient="index").astype("float64")


def naive_levels(bought: list[dict[str, Any]], role: str) -> tuple[str | None, ...]:
    """Levels by spend, then by name; None where some purchases belong to none of them."""
    spend: dict[str, list[float]] = defaultdict(list)
    for row in bought:
        spend[row[role].strip() if isinstance(row[role], str) else ""].append(row["paid"])
    named = {level: round(math.fsum(paid) * 100) for level, paid in spend.items() if level}
    ranked = sorted(named, key=lambda level: (-named[level], level))
    rest = ranked and ("" in spend or len(ranked) > MAX_LEVELS)
    return (*ranked[:MAX_LEVELS], *([None] if rest else []))


def naive_level(value: Any, levels: tuple[str | None, ...]) -> str | None:
    """Level that a value counts towards."""
    stripped = value.strip() if isinstance(value, str) else None
    return stripped if stripped in levels else None


def assert_equals_naive(features: CustomerFeatures, expected: pd.DataFrame) -> None:
    """Compare all columns; shares by the level that they stand for."""
    shares = [f"{role}:{level}" for role, of_role in features.levels.items() for level in of_role]
    plain = len(features.variables) - len(shares)
    found = features.frame.set_axis([*features.frame.columns[:plain], *shares], axis=1)
    assert set(found.columns) == set(expected.columns)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_names=False, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(table=transactions(), as_of=st.sampled_from([None, date(2023, 12, 1), date(2025, 1, 1)]))
def test_every_feature_equals_a_naive_rewrite(duckdb_engine: Engine, table: pd.DataFrame, as_of: date | None) -> None:
    features = customer_features(table, COLUMNS, as_of=as_of, engine=duckdb_engine)
    assert_equals_naive(features, naive_features(table, as_of))


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(table=transactions())
def test_without_an_order_column_days_with_a_purchase_are_counted(duckdb_engine: Engine, table: pd.DataFrame) -> None:
    features = customer_features(table, BARE, engine=duckdb_engine)
    assert_equals_naive(features, naive_features(table, columns=BARE))


@pytest.mark.slow
def test_the_order_of_rows_changes_no_bit(duckdb_engine: Engine) -> None:
    rng = np.random.default_rng(4)
    paid = rng.lognormal(2, 2, 4000) * rng.choice([1, 1, 1, -1], 4000)
    rows = [
        (f"c{k}", day, 0, money, order, pieces / 10, f"kind {kind}", "web")
        for k, day, money, order, pieces, kind in zip(
            *(rng.integers(0, 30, 4000), rng.integers(0, 300, 4000), paid),
            *(rng.integers(0, 900, 4000), rng.integers(1, 90, 4000), rng.integers(0, 9, 4000)),
            strict=True,
        )
    ]
    table = table_of(rows)
    one, other = (
        customer_features(t, COLUMNS, engine=duckdb_engine) for t in (table, table.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    assert one.notes == other.notes and one.levels == other.levels


@pytest.mark.slow
def test_a_later_as_of_date_adds_its_days_to_recency_and_tenure(duckdb_engine: Engine) -> None:
    table = table_of([("a", 0, 0, 5, 1, 1, "x", "web"), ("b", 40, 0, 5, 2, 1, "x", "web")])
    now = customer_features(table, COLUMNS, engine=duckdb_engine)
    later = customer_features(table, COLUMNS, as_of=now.as_of + timedelta(days=11), engine=duckdb_engine)
    same = ["frequency", "spend", "order_value", "gap_days", "refund_value"]
    pd.testing.assert_frame_equal(now.frame[same], later.frame[same])
    at_noon = customer_features(
        table, COLUMNS, as_of=pd.Timestamp(later.as_of) + pd.Timedelta("12h"), engine=duckdb_engine
    )
    pd.testing.assert_frame_equal(later.frame, at_noon.frame)
    moved = later.frame[["recency_days", "tenure_days"]] - now.frame[["recency_days", "tenure_days"]]
    assert (moved == 11).all(axis=None)


@pytest.mark.slow
def test_refund_rows_do_not_count_as_purchases(duckdb_engine: Engine) -> None:
    bought = [("a", 0, 0, 100, 1, 2, "x", "web"), ("b", 9, 0, 5, 2, 1, "x", "web")]
    refunds = [("a", 5, 0, -30, 3, 1, "y", "store"), ("only", 2, 0, -1, 4, 1, "x", "web")]
    with_refunds = customer_features(table_of(bought + refunds), COLUMNS, engine=duckdb_engine)
    without = customer_features(table_of(bought), COLUMNS, engine=duckdb_engine)
    apart = ["refund_value", "refund_share"]
    pd.testing.assert_frame_equal(
        with_refunds.frame.loc[["a", "b"]].drop(columns=apart), without.frame.drop(columns=apart)
    )
    assert list(with_refunds.frame.loc["a", apart]) == [30, 0.3]
    assert with_refunds.frame.loc["only", ["frequency", "spend", "refund_value"]].to_list() == [0, 0, 1]
    assert math.isnan(with_refunds.frame.loc["only", "recency_days"])
    assert "1 customers have refunds only, and no purchase up to 2023-11-10." in with_refunds.notes


@pytest.mark.slow
def test_what_is_left_out_or_counted_apart_is_said(duckdb_engine: Engine) -> None:
    rows = [
        ("a", 1, 0, 10, 1, 1, "x", "web"),
        ("a", 1, 0, 0, None, 1, None, "web"),
        (None, 1, 0, 10, 1, 1, "x", "web"),
        (" ", 1, 0, 10, 1, 1, "x", "web"),
        ("a", None, 0, 10, 1, 1, "x", "web"),
        ("a", 1, 0, math.inf, 1, 1, "x", "web"),
        ("a", 9, 0, 10, 1, 1, "x", "web"),
    ]
    assert customer_features(table_of(rows), COLUMNS, as_of=date(2023, 11, 3), engine=duckdb_engine).notes == (
        "2 transactions without a customer were left out.",
        "1 transactions without a date were left out.",
        "1 transactions without a finite paid were left out.",
        "1 transactions after 2023-11-03 were left out.",
        "1 transactions with paid 0 were counted as purchases.",
        "1 transactions without order no. were counted as one order a day.",
        "1 transactions without category went to the share of other categories.",
    )


@pytest.mark.slow
def test_given_levels_yield_the_same_columns_from_other_rows(duckdb_engine: Engine) -> None:
    many = [("a", 0, 0, 10 - n, n, 1, f"level {n}", "web") for n in range(8)]
    first = customer_features(table_of(many), COLUMNS, engine=duckdb_engine)
    assert len(first.levels["category"]) == MAX_LEVELS + 1
    again = customer_features(
        table_of([("b", 3, 0, 8, 1, 1, "level 2", "phone"), ("b", 3, 0, 2, 1, 1, "new", "web")]),
        COLUMNS, levels=first.levels, engine=duckdb_engine,
    )  # fmt: skip
    assert list(again.frame.columns) == list(first.frame.columns)
    assert list(again.frame.loc["b", ["category_level_2_share", "category_other_share"]]) == [0.8, 0.2]


@pytest.mark.slow
def test_spend_at_the_middle_of_the_time_is_not_late(duckdb_engine: Engine) -> None:
    table = table_of([("a", day, 0, 10, day, 1, "x", "web") for day in (0, 5, 6, 10)])
    assert customer_features(table, COLUMNS, engine=duckdb_engine).frame.loc["a", "trend"] == 0.5


@pytest.mark.slow
def test_every_column_is_described_once_and_in_order(duckdb_engine: Engine) -> None:
    table = table_of([("a", n, 0, 10, n, 1, name, "web") for n, name in enumerate(["Über & Co", "über co", None])])
    features = customer_features(table, COLUMNS, engine=duckdb_engine)
    names = [variable.name for variable in features.variables]
    assert names == list(features.frame.columns) and len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    for variable in features.variables:
        assert variable.about.endswith(".") and variable.label and variable.formula and variable.high
        assert set(variable.columns) <= set(table.columns)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "expected"),
    [([10, 9, 9], ["9", "10"]), ([10.0, 9.0, None], ["9", "10"]), (["b", "a", "aa"], ["a", "b", "aa"])],
    ids=["whole", "float", "text"],
)
def test_customers_come_in_canonical_order_of_their_keys_as_text(
    duckdb_engine: Engine, keys: list[Any], expected: list[str]
) -> None:
    table = pd.DataFrame({"Customer ID": keys, "bought on": pd.Timestamp("2024-01-01"), "paid": 1})
    assert list(customer_features(table, BARE, engine=duckdb_engine).frame.index) == expected


@pytest.mark.slow
def test_amounts_of_any_size_keep_their_digits(duckdb_engine: Engine) -> None:
    amounts = [1e-6, 0.1 + 0.2, 123456.789012, 9e14, 3e300]
    for amount in amounts:
        table = pd.DataFrame({"Customer ID": ["a", "a"], "bought on": pd.Timestamp("2024-01-01"), "paid": amount})
        spend = customer_features(table, BARE, engine=duckdb_engine).frame.loc["a", "spend"]
        assert spend == pytest.approx(2 * amount, rel=1e-12)


@pytest.mark.slow
def test_clock_time_counts_where_moments_have_a_zone(duckdb_engine: Engine) -> None:
    moments = pd.to_datetime(["2024-03-01 23:30", "2024-03-02 00:10"]).tz_localize("America/New_York")
    table = pd.DataFrame({"Customer ID": ["a", "a"], "bought on": moments, "paid": 1.0})
    features = customer_features(table, BARE, engine=duckdb_engine)
    assert features.as_of == date(2024, 3, 2) and features.frame.loc["a", "frequency"] == 2


@pytest.mark.slow
def test_dates_decimals_and_columns_without_any_value_are_read(duckdb_engine: Engine) -> None:
    table = pd.DataFrame(
        {
            "Customer ID": [7, 7, None],
            "bought on": [date(2024, 1, 1), date(2024, 1, 3), None],
            "paid": [Decimal("10.10"), Decimal("-0.20"), None],
            "category": [None, None, None],
            "pieces": [None, None, None],
        }
    )
    columns = Columns("Customer ID", "bought on", "paid", category="category")
    features = customer_features(table, columns, engine=duckdb_engine)
    assert features.frame.loc["7", ["spend", "refund_value", "recency_days"]].to_list() == [10.1, 0.2, 2]
    assert features.levels == {"category": ()}
    with pytest.raises(InputError, match="column 'pieces' does not contain numbers"):
        customer_features(table, replace(columns, quantity="pieces"), engine=duckdb_engine)


@pytest.mark.slow
def test_parquet_files_of_a_pattern_give_what_the_table_gives(duckdb_engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    table = table_of([(f"{n % 7}", n, 0.5, n - 2, n, 1, f"c{n % 3}", "web") for n in range(60)])
    table[:20].to_parquet(folder / "1.parquet")
    table[20:].to_parquet(folder / "2.parquet")
    one = customer_features(table, COLUMNS, engine=duckdb_engine)
    other = customer_features(str(folder / "*.parquet"), COLUMNS, engine=duckdb_engine)
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"date": "bougt on"}, "columns.date: column 'bougt on' is not in the table."),
        ({"amount": "payd"}, "Did you mean 'paid'?"),
        ({"date": "category"}, "columns.date: column 'category' does not contain dates."),
        ({"amount": "channel"}, "columns.amount: column 'channel' does not contain numbers."),
    ],
)
def test_a_wrong_column_is_named(duckdb_engine: Engine, change: dict[str, str], message: str) -> None:
    table = table_of([("a", 1, 0, 1, 1, 1, "x", "web")])
    names = {"customer": "Customer ID", "date": "bought on", "amount": "paid"} | change
    with pytest.raises(InputError) as caught:
        customer_features(table, Columns(**names), engine=duckdb_engine)
    assert message in str(caught.value)


def test_tables_without_a_usable_row_are_refused(duckdb_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 1 transactions"):
        customer_features(table_of([("a", None, 0, 1, 1, 1, "x", "web")]), COLUMNS, engine=duckdb_engine)
    table = table_of([("a", 1, 0, 1, 1, 1, "x", "web")])
    with pytest.raises(InputError, match="all 1 transactions are later than 2020-01-01"):
        customer_features(table, COLUMNS, as_of=date(2020, 1, 1), engine=duckdb_engine)
    with pytest.raises(InputError, match=r"none\.parquet cannot be read as Parquet"):
        customer_features(tmp_path / "none.parquet", COLUMNS, engine=duckdb_engine)
    with pytest.raises(InputError, match="Did you mean 'spark'"):
        customer_features(table, COLUMNS, engine="sparc")  # type: ignore[arg-type]


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(table=transactions())
def test_histories_count_purchase_days_after_the_first(duckdb_engine: Engine, table: pd.DataFrame) -> None:
    features = naive_features(table, columns=BARE)
    histories = purchase_histories(table, BARE, engine=duckdb_engine)
    bought = features[features["frequency"] > 0]
    assert list(histories.index) == list(bought.index)
    np.testing.assert_array_equal(histories["x"], bought["frequency"] - 1)
    np.testing.assert_allclose(histories["T"] * 7, bought["tenure_days"])
    np.testing.assert_allclose(histories["t_x"] * 7, bought["tenure_days"] - bought["recency_days"])
    assert (histories["value"].isna() == (histories["x"] == 0)).all()
    assert (histories["value"].fillna(0) * histories["x"] <= bought["spend"] + 1e-9).all()


def test_the_25_cells_of_the_grid_each_have_their_name() -> None:
    grid = [(r, f) for r in range(1, 6) for f in range(1, 6)]
    frame = pd.DataFrame([{"recency_days": -r, "frequency": f, "spend": r * f} for r, f in grid])
    scores, cells = rfm_scores(frame), rfm_cells(frame)
    assert list(zip(scores["R"], scores["F"], strict=True)) == grid
    assert list(cells) == [NAMES[r - 1][f - 1] for r, f in grid]
    assert dict(cells.value_counts()) == {
        "Hibernating": 4, "At risk": 4, "Can't lose": 2, "About to sleep": 2, "Need attention": 1, "Loyal": 4,
        "Promising": 1, "Potential loyalist": 4, "New": 1, "Champions": 2,
    }  # fmt: skip


def test_ties_share_their_mean_rank_and_customers_without_a_purchase_have_no_cell() -> None:
    frame = pd.DataFrame({"recency_days": [5.0] * 9 + [math.nan], "frequency": [1.0] * 8 + [2, 0], "spend": 1.0})
    scores = rfm_scores(frame)
    assert list(scores["R"].dropna().unique()) == [3]
    assert list(scores["F"][:9]) == [3] * 8 + [5]
    assert rfm_cells(frame).isna().to_list() == [False] * 9 + [True]


@pytest.mark.slow
def test_cdnow_customers_add_up(duckdb_engine: Engine, dataset: Any) -> None:
    names = ["customer_id", "date", "number_of_cds", "dollar_value"]
    table = pd.read_csv(dataset("CDNOW_master.txt"), sep=r"\s+", dtype={"customer_id": str}, header=0, names=names)
    table["date"] = pd.to_datetime(table["date"].astype(str))
    columns = Columns("customer_id", "date", "dollar_value", quantity="number_of_cds")
    features = customer_features(table, columns, engine=duckdb_engine)
    assert features.frame.shape[0] == 23_570 and features.as_of == date(1998, 6, 30)
    assert features.frame["spend"].sum() == pytest.approx(2_500_315.63)
    assert features.frame["items"].sum() == 167_881
    assert features.frame["frequency"].sum() == len(table.drop_duplicates(["customer_id", "date"]))


def test_a_second_database_beside_an_open_one_is_refused(duckdb_engine: Engine) -> None:
    with pytest.raises(RuntimeError, match="hand it on"), open_duckdb():
        pass
