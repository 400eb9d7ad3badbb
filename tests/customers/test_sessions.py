"""Where engines come from, and what is said where one cannot be had."""

from __future__ import annotations

import builtins
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.base.memory import count_bytes
from analysis.customers.descriptions import Columns
from analysis.customers.engines.sessions import Execution, execute_on, open_duckdb, open_spark
from analysis.customers.transactions import customer_features
from analysis.settings.load import check_study

ORDERS = pd.DataFrame({"who": ["a", "b"], "on": pd.to_datetime(["2024-01-01", "2024-01-05"]), "paid": [1.0, 2.0]})
COLUMNS = Columns("who", "on", "paid")


def test_the_memory_of_the_settings_limits_duckdb_and_it_spills_into_the_folder(tmp_path: Path) -> None:
    with execute_on("duckdb", "300MB", tmp_path / "spill") as execution, execution.open() as engine:
        names = "'memory_limit', 'temp_directory'"
        found = engine.connection.execute(
            f"SELECT name, value FROM duckdb_settings() WHERE name IN ({names})"
        ).fetchall()
        settings = dict(found)
        assert settings["memory_limit"] == "286.1 MiB"
        assert Path(settings["temp_directory"]).parent == tmp_path / "spill"
    assert list((tmp_path / "spill").iterdir()) == []


def test_what_an_interrupted_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "spill").mkdir()
    (tmp_path / "spill" / "left.tmp").write_text("rows", encoding="utf-8")
    with execute_on("duckdb", None, tmp_path / "spill"):
        assert len(customer_features(ORDERS, COLUMNS).frame) == 2
    assert list((tmp_path / "spill").iterdir()) == []


def test_memory_that_does_not_suffice_is_named() -> None:
    def collect() -> None:
        with open_duckdb(memory_limit="250MB") as engine:
            engine.connection.execute("SET max_temp_directory_size = '1MB'")
            engine.connection.execute("SELECT list(range) FROM range(100000000)").fetchall()

    with pytest.raises(InputError, match="DuckDB needs more memory than 250MB"):
        collect()


@pytest.mark.parametrize("text", ["3", "GB", "3 XB", "-1GB", "lots", "100MB"])
def test_memory_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"segmentation\.memory"):
        check_study({"title": "x", "sources": [{"path": "x"}], "memory": text})


def test_units_of_memory_are_decimal_or_binary() -> None:
    assert count_bytes("1TB") == 10**12 and count_bytes("512 mib") == 2**29


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError, match=r"segmentation\.engine"):
        check_study({"title": "x", "sources": [{"path": "x"}], "engine": "sparc"})
    with pytest.raises(InputError, match="Did you mean 'spark'"), execute_on("sparc"):  # type: ignore[arg-type]
        pass


def test_spark_without_pyspark_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def refuse(name: str, *rest: Any) -> types.ModuleType:
        if name.startswith("pyspark"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match="needs PySpark"), Execution("spark").open():
        pass


@pytest.mark.spark
def test_spark_without_java_or_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = pytest.importorskip("pyspark.sql").SparkSession
    monkeypatch.setattr(sessions, "getActiveSession", lambda: None)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(InputError, match="needs Java"), open_spark():
        pass
