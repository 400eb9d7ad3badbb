"""Queries in the SQL of DuckDB on either engine, over tables that stay there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.base.errors import InputError
from analysis.customers.engines.frames import Engine, Kind, in_quotes
from analysis.sources.large.scans import Scan


def name_rows(engine: Engine, table: Any, columns: Sequence[str], name: str) -> Mapping[str, Kind]:
    """Let queries call a table by a name, its columns by their own names; what is no finite number becomes null.

    Parameters
    ----------
    engine : Engine
    table
        As for `Engine.read`.
    columns : sequence of str
    name : str

    Returns
    -------
    mapping of column name to kind
    """
    own = f"{name}_rows"
    rows = engine.read(table, {f"c{i}": column for i, column in enumerate(columns)}, view=own)
    made = []
    for i, column in enumerate(columns):
        finite = f"CASE WHEN ABS(c{i}) < 1.7e308 THEN c{i} END" if rows.kinds[f"c{i}"] == "number" else f"c{i}"
        made.append(f"{finite} AS {in_quotes(column)}")
    query = f"SELECT {', '.join(made)} FROM {own}"
    if engine.name == "spark":
        rows.frame.createOrReplaceTempView(own)
        engine.session.sql(_for_spark(query)).createOrReplaceTempView(name)
    else:
        engine.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
    return {column: rows.kinds[f"c{i}"] for i, column in enumerate(columns)}


def write_key_text(key: str, kind: Kind) -> str:
    """Write a key as text, in the SQL of DuckDB; null where it is empty."""
    if kind != "number":
        return f"NULLIF(TRIM(CAST({key} AS VARCHAR)), '')"
    whole = f"CAST(CAST({key} AS BIGINT) AS VARCHAR)"
    return f"CASE WHEN {key} = FLOOR({key}) THEN {whole} ELSE CAST({key} AS VARCHAR) END"


def run_query(engine: Engine, query: str) -> pd.DataFrame:
    """Run a query in the SQL of DuckDB, and fetch the result."""
    if engine.name == "spark":
        return engine.session.sql(_for_spark(query)).toArrow().to_pandas()
    return engine.connection.sql(query).to_arrow_table().to_pandas()


def keep_query(engine: Engine, query: str, folder: Path | None, what: str) -> Scan | Any:
    """Run a query in the SQL of DuckDB, and keep the result as a table: DuckDB in a file, Spark with its executors.

    Parameters
    ----------
    engine : Engine
    query : str
    folder : Path, optional
        Of the file; its name is a new one there. Spark needs none.
    what : str
        What messages call the result.

    Returns
    -------
    Scan or PySpark DataFrame

    Raises
    ------
    InputError
        Where it cannot be written there.
    """
    if engine.name == "spark":
        return engine.session.sql(_for_spark(query)).persist()
    if folder is None:
        raise ValueError("DuckDB keeps a table in a folder, and none is given")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"customers-{len(list(folder.iterdir()))}.parquet"
    save_query(engine, query, file, what)
    return Scan((str(file.resolve()),), "", file.name)


def save_query(engine: Engine, query: str, place: Path | str, what: str = "memberships") -> None:
    """Run a query in the SQL of DuckDB, and write the result as Parquet: DuckDB to a file, Spark to a folder.

    Parameters
    ----------
    engine : Engine
    query : str
    place : Path or str
        On this machine; or, as text, any place that the engine knows. Without a slash it is a table of Spark's catalog.
    what : str
        What messages call the result.

    Raises
    ------
    InputError
        Where it cannot be written there.
    """
    shown, where = (place.name, str(place.resolve())) if isinstance(place, Path) else (place, place)
    unwritten = InputError(
        f"{what} cannot be written to {shown}.",
        "Expected a place that the engine may write to: for DuckDB a file of this machine.",
        "Correct memberships in the settings if it is set, and free some disk space.",
    )
    if engine.name == "spark":
        from pyspark.errors import PySparkException

        writer = engine.session.sql(_for_spark(query)).write.mode("overwrite")
        try:
            if isinstance(place, Path):
                where = Path(where).as_uri()
            writer.parquet(where) if "/" in where else writer.saveAsTable(where)
        except PySparkException:
            raise unwritten from None
        return
    import duckdb

    try:
        engine.connection.execute(f"COPY ({query}) TO {in_quotes(where, chr(39))} (FORMAT parquet)")
    except (duckdb.IOException, duckdb.HTTPException):
        raise unwritten from None


def _for_spark(query: str) -> str:
    """Translate a query; a difference of two dates is a number of days there, too."""
    from sqlglot import exp, parse_one

    def count_days(node: Any) -> Any:
        dated = isinstance(node, exp.Sub) and all(
            isinstance(side, exp.Cast) and side.is_type("date") for side in (node.left, node.right)
        )
        return exp.DateDiff(this=node.left, expression=node.right, unit=exp.var("DAY")) if dated else node

    return parse_one(query, read="duckdb").transform(count_days).sql(dialect="spark")
