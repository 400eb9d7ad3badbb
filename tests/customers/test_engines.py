"""The same definitions give the same numbers on PySpark as on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.base.errors import InputError
from analysis.customers.descriptions import Columns, EventColumns
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import open_duckdb
from analysis.customers.events import event_features
from analysis.customers.transactions import customer_features, purchase_histories

pytestmark = pytest.mark.spark

COLUMNS = Columns("Customer ID", "bought on", "paid", "order no.", "pieces", "category", "channel")


@pytest.fixture(scope="module")
def duckdb_engine() -> Iterator[Engine]:
    """Share one database."""
    with open_duckdb() as engine:
        yield engine


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Make 3,000 transactions with refunds, ties, zeros and gaps in every column."""
    rng = np.random.default_rng(5)
    n = 3_000
    table = pd.DataFrame(
        {
            "Customer ID": pd.Series(rng.zipf(1.4, n) % 400).map("{:03d} ".format).astype("str"),
            "bought on": pd.Timestamp("2023-11-01") + pd.to_timedelta(rng.integers(0, 400 * 1440, n), unit="min"),
            "paid": np.round(rng.lognormal(3, 1, n), 2) * rng.choice([1, 1, 1, 1, 0, -1], n),
            "order no.": pd.array(rng.integers(1, 900, n), dtype="Int64"),
            "pieces": rng.integers(1, 5, n).astype(float),
            "category": pd.Series(rng.choice([f"Kind {k} é" for k in range(9)], n)).astype("str"),
            "channel": pd.Series(rng.choice(["web", "store"], n)).astype("str"),
        }
    )
    for column in table.columns:
        table.loc[rng.random(n) < 0.02, column] = None
    return table


def test_features_agree(spark: Engine, duckdb_engine: Engine, table: pd.DataFrame) -> None:
    ours = customer_features(table, COLUMNS, engine=duckdb_engine)
    theirs = customer_features(table, COLUMNS, engine=spark)
    assert len(ours.frame) > 150 and len(ours.notes) >= 7
    pd.testing.assert_frame_equal(ours.frame, theirs.frame, rtol=1e-12, atol=1e-12)
    assert (ours.variables, ours.as_of, ours.levels, ours.notes) == (
        theirs.variables, theirs.as_of, theirs.levels, theirs.notes,
    )  # fmt: skip


def test_histories_agree(spark: Engine, duckdb_engine: Engine, table: pd.DataFrame) -> None:
    ours, theirs = (purchase_histories(table, COLUMNS, engine=engine) for engine in (duckdb_engine, spark))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("session", [None, "order no."], ids=["cut at pauses", "named"])
def test_visits_agree(spark: Engine, duckdb_engine: Engine, table: pd.DataFrame, session: str | None) -> None:
    columns = EventColumns("Customer ID", "bought on", session, "category")
    kinds = {"purchase_events": ["kind 1 é"], "page_events": ["KIND 2 é", "kind 3 é"], "session_minutes": 5000}
    ours, theirs = (event_features(table, columns, engine=engine, **kinds) for engine in (duckdb_engine, spark))
    pd.testing.assert_frame_equal(ours.frame, theirs.frame, rtol=1e-12)
    assert ours.notes == theirs.notes
    assert ours.frame["conversion"].max() > 0 and (ours.frame["sessions"] < ours.frame["events"]).any()


def test_a_spark_table_or_its_parquet_files_are_read_where_they_are(
    spark: Engine, duckdb_engine: Engine, table: pd.DataFrame, tmp_path: Path
) -> None:
    table.to_parquet(tmp_path / "orders.parquet")
    held = spark.session.read.parquet(str(tmp_path / "orders.parquet"))
    ours = customer_features(tmp_path / "orders.parquet", COLUMNS, engine=duckdb_engine).frame
    for given in (held, str(tmp_path / "*.parquet")):
        theirs = customer_features(given, COLUMNS, engine="spark").frame
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_missing_column_or_file_is_named(spark: Engine, tmp_path: Path) -> None:
    held = spark.session.createDataFrame(pa.table({"paid": [1.0]}))
    with pytest.raises(InputError, match="Did you mean 'paid'"):
        customer_features(held, Columns("paid", "paid", "payd"), engine="spark")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        customer_features(tmp_path / "none.parquet", COLUMNS, engine=spark)
