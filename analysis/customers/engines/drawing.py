"""Computed customers that are too many for memory: a seeded sample is fetched, and all stay on the engine."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.customers.engines.frames import Engine, Kind, index_by_customer, write_key
from analysis.customers.engines.queries import save_query
from analysis.sources.large.drawing import Population, in_sample
from analysis.sources.large.scans import Scan

FILE, TABLE = "customers.parquet", "all_customers"
"""Where all customers stay: a file of DuckDB, a view of Spark."""


def fetch_customers(
    engine: Engine, frame: Any, kind: Kind, names: tuple[str, ...], n_rows: int
) -> tuple[pd.DataFrame, Population | None]:
    """Fetch the customers, or a seeded sample of them where they are more than the engine's ``holding`` lets in.

    A customer is in the sample by the digest of the key, which is the same on both engines.

    Parameters
    ----------
    engine : Engine
    frame : DataFrame of the engine
        One row per customer; ``customer`` and features.
    kind : Kind
        Of the key.
    names : tuple of str
        Features, in order.
    n_rows : int
        Rows that the customers are computed from: there are no more customers than these.

    Returns
    -------
    DataFrame of float64, shape (n, features)
        Indexed by the key as text, in canonical order.
    Population or None
        None where all are fetched.
    """
    holding = engine.holding
    if holding is None or n_rows <= holding.most:
        return index_by_customer(engine.to_pandas(frame), kind)[list(names)], None
    F = engine.functions  # noqa: N806
    keyed = frame.select(write_key(F, kind, "customer").alias("customer"), *names)
    if engine.name == "spark":
        rows: Any = keyed.persist()
    else:
        holding.folder.mkdir(parents=True, exist_ok=True)
        file = holding.folder / FILE
        save_query(engine, keyed.sql(dialect="duckdb", optimize=False), file, "The table of all customers")
        rows = Scan((str(file.resolve()),), "", FILE)
    held = engine.read(rows, {"customer": "customer", **{name: name for name in names}}).frame
    n = int(engine.first_row(held.agg(F.count(F.lit(1)).alias("n")))["n"])
    if n > holding.most:
        held = held.where(in_sample(F, F.col("customer"), holding.most / n, holding.seed))
    fetched = index_by_customer(engine.to_pandas(held), "text")[list(names)]
    return fetched, Population(rows, "customer", ("customer", *names), n) if n > holding.most else None
