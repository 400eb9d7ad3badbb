"""Tables that Spark knows by name are sources, and Delta tables are read by Spark alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from analysis.base.errors import InputError
from analysis.customers.assembly import assemble
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import execute_on
from analysis.report.model import read_report
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs, read_inputs
from analysis.sources.large import scans
from analysis.sources.locate import files_at, locate
from analysis.sources.readers.catalogs import name_for_spark
from analysis.sources.tables import read_table
from tests.small_studies import build_quickly

ORDERS = pd.DataFrame(
    {
        "buyer": [f"K-{i % 40:03d}" for i in range(600)],
        "bought": pd.Timestamp("2023-01-01 23:30") + pd.to_timedelta([i * 29 for i in range(600)], "h"),
        "paid": [float(i % 17) + 0.25 for i in range(600)],
        "shop": ["web" if i % 3 else "store" for i in range(600)],
    }
)
COLUMNS = {"customer": "buyer", "date": "bought", "amount": "paid", "channel": "shop"}


def study_of(place: str) -> Study:
    source = {"path": place, "kind": "transactions", "columns": COLUMNS}
    return check_study({"title": "x", "engine": "spark", "sources": [source]})


def read(place: str, root: Path) -> tuple[Inputs, Study]:
    study = study_of(place)
    places, synthetic = locate(root, study, None, False, lambda: False)
    return read_inputs(root, study, places, synthetic, False, scan=True)


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    """Make a folder as Delta writes it."""
    folder = tmp_path / "orders"
    (folder / "_delta_log").mkdir(parents=True)
    (folder / "_delta_log" / "00000000000000000000.json").write_text("{}", encoding="utf-8")
    parquet.write_table(pa.table(ORDERS), folder / "part-0.parquet")
    return folder


@pytest.mark.parametrize("engine", [None, "duckdb"])
def test_a_table_of_spark_needs_the_engine_spark(tmp_path: Path, engine: str | None) -> None:
    with (
        nullcontext() if engine is None else execute_on(engine),
        pytest.raises(InputError, match=r"main\.shop\.orders is a table of Spark[\s\S]*Set engine: spark"),
    ):
        read("table:main.shop.orders", tmp_path)


def test_files_of_a_delta_table_are_not_read_as_if_all_of_them_counted(delta: Path) -> None:
    with pytest.raises(InputError, match=r"orders` is a table of Spark[\s\S]*Delta"):
        read_table("orders", root=delta.parent)


def test_a_change_of_its_log_is_a_change_of_a_delta_table(delta: Path) -> None:
    assert [file.name for file in files_at(delta)] == ["part-0.parquet", "00000000000000000000.json"]


@pytest.fixture
def table(spark: Engine, tmp_path: Path) -> Iterator[str]:
    """Save the orders as a table of the catalog."""
    parquet.write_table(pa.table(ORDERS), tmp_path / "written.parquet")
    frame = spark.session.read.parquet(str(tmp_path / "written.parquet"))
    frame.withColumn("bought", frame["bought"].cast("timestamp")).write.saveAsTable("shop_orders")
    yield "default.shop_orders"
    spark.session.sql("DROP TABLE shop_orders")


@pytest.mark.spark
@pytest.mark.parametrize("rows", [600, 601], ids=["scanned", "read"])
def test_a_table_of_the_catalog_gives_the_customers_of_a_file(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", rows)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 200)
    parquet.write_table(pa.table(ORDERS), tmp_path / "orders.parquet")
    with execute_on("spark"):
        there, study = read(f"table:{table}", tmp_path)
        here, _ = read("orders.parquet", tmp_path)
        (raw,) = there.tables
        assert (raw.scan is not None) is (rows == 600) and len(raw.frame) == (200 if rows == 600 else 600)
        assert (raw.n_rows, raw.shown_path) == (600, "shop_orders")
        made = [assemble(inputs.tables, study) for inputs in (here, there)]
        keys = made[0].raw.frame["customer"].iloc[::7]
        some = [assemble(inputs.among(keys, study).tables, study).raw.frame for inputs in (here, there)]
    pd.testing.assert_frame_equal(made[0].raw.frame, made[1].raw.frame, rtol=1e-12)
    assert made[0].as_of == made[1].as_of
    pd.testing.assert_frame_equal(*some, rtol=1e-12)
    again = []
    for _ in range(2):
        with execute_on("spark"):
            again.append(read(f"table:{table}", tmp_path)[0].tables[0].sha256)
    assert {raw.sha256, *again} == {raw.sha256}


@pytest.mark.spark
@pytest.mark.parametrize("name", ["nothing", "no.such.catalog.orders", "two words"])
def test_a_table_that_spark_does_not_find_is_named(spark: Engine, tmp_path: Path, name: str) -> None:
    with execute_on("spark"), pytest.raises(InputError, match=rf"{name} cannot be opened[\s\S]*SHOW TABLES"):
        read(f"table:{name}", tmp_path)


@pytest.mark.spark
def test_a_spark_without_delta_says_what_it_needs(spark: Engine, delta: Path) -> None:
    with execute_on("spark"), pytest.raises(InputError, match=r"no package for Delta[\s\S]*io\.delta:delta-spark"):
        read("orders", delta.parent)


@pytest.mark.spark
def test_addresses_in_s3_have_the_name_that_hadoop_gives_them(spark: Engine) -> None:
    wanted = {"s3://shop/a": "s3a://shop/a", "s3a://shop/a": "s3a://shop/a", "gcs://b/c": "gs://b/c", "/a/b": "/a/b"}
    assert {place: name_for_spark(spark.session, place) for place in wanted} == wanted


@pytest.mark.spark
@pytest.mark.builds
def test_a_study_is_built_from_a_view_of_the_session(spark: Engine, project: Path) -> None:
    rng = np.random.default_rng(8)
    who = rng.choice(200, 4_000, p=(weights := np.repeat([1.0, 6.0], 100)) / weights.sum())
    moments = np.datetime64("2023-01-01", "us") + rng.integers(0, 700 * 86_400, 4_000) * np.timedelta64(1, "s")
    spend = np.round(rng.lognormal(3, 0.3, 4_000) * np.repeat([1, 4], 100)[who], 2)
    parquet.write_table(
        pa.table({"buyer": [f"K-{i}" for i in who], "bought": moments, "paid": spend, "shop": ["web"] * 4_000}),
        project / "orders.parquet",
    )
    spark.session.read.parquet(str(project / "orders.parquet")).createOrReplaceTempView("orders_of_the_shop")
    settings = yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    source = {"path": "table:orders_of_the_shop", "kind": "transactions", "columns": COLUMNS}
    settings["segmentation"] = {"title": "Orders", "engine": "spark", "max_segments": 3, "sources": [source]}
    (project / "_quarto.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert build_quickly(project).data == "orders_of_the_shop"
    (about,) = read_report(project / "build" / "report.json").data.sources
    assert (about.rows, about.name) == (4_000, "orders_of_the_shop")
