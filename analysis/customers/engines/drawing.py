"""Customers that are too many for memory: a sample is fetched or joined, and all stay on the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.customers.engines.frames import Engine, Kind, in_quotes, index_by_customer, write_key
from analysis.customers.engines.queries import keep_query, name_rows, run_query, write_key_text
from analysis.customers.engines.sessions import engine_for
from analysis.sources.large.drawing import Population, in_sample

ALL = "The table of all customers"


@dataclass(frozen=True, slots=True)
class Part:
    """A table with one row per customer, to be joined to all customers.

    Attributes
    ----------
    rows : Scan, PySpark DataFrame or pandas DataFrame
    key : str
        Column of the key, as text.
    columns : mapping of str to str
        Its other columns, and the names that they get.
    counted : frozenset of str
        Columns that are 0 for a customer without a row, as counts and sums are.
    """

    rows: Any
    key: str
    columns: Mapping[str, str]
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """Rows of a part, those of customers that the base does not know, and customers of the base without a row."""

    rows: int
    unknown: int
    without: int


def fetch_customers(
    engine: Engine, frame: Any, kind: Kind, names: tuple[str, ...], n_rows: int, known: pd.Index | None = None
) -> tuple[pd.DataFrame, Population | None]:
    """Fetch the customers, or some where they may be more than the engine's ``holding`` lets in.

    These are the ones whose keys are ``known``, else a seeded sample. A customer is in the sample by the digest of the
    key, which is the same on both engines.

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
    known : Index, optional
        Keys of the sample of another table, whose customers these are.

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
    spark = engine.name == "spark"
    query = "" if spark else keyed.sql(dialect="duckdb", optimize=False)
    rows = keyed.persist() if spark else keep_query(engine, query, holding.folder, ALL)
    held = engine.read(rows, {"customer": "customer", **{name: name for name in names}}).frame
    n = int(engine.first_row(held.agg(F.count(F.lit(1)).alias("n")))["n"])
    if known is not None:
        wanted = pd.DataFrame({"customer": known.astype(str)})
        held = held.join(engine.read(wanted, {"customer": "customer"}).frame, on="customer", how="inner")
    elif n > holding.most:
        held = held.where(in_sample(F, F.col("customer"), holding.most / n, holding.seed))
    fetched = index_by_customer(engine.to_pandas(held), "text")[list(names)]
    whole = known is None and n <= holding.most
    return fetched, None if whole else Population(rows, "customer", ("customer", *names), n)


def join_parts(base: Population, parts: Sequence[Part]) -> tuple[Population, tuple[Match, ...]]:
    """Join tables to all customers of the base, on the engine.

    Parameters
    ----------
    base : Population
    parts : sequence of Part

    Returns
    -------
    Population
        The base's columns, then those of the parts.
    tuple of Match
        Of each part.
    """
    made, joins = [f"b.{in_quotes(column)}" for column in base.columns], []
    marks = [f"has a row in part {i}" for i in range(len(parts))]
    with engine_for(None, base.rows) as engine:
        kinds = name_rows(engine, base.rows, base.columns, "base")
        key = write_key_text(f"b.{in_quotes(base.key)}", kinds[base.key])
        for i, part in enumerate(parts):
            name_rows(engine, part.rows, (part.key, *part.columns), f"part{i}")
            for own, new in part.columns.items():
                value = f"p{i}.{in_quotes(own)}"
                made.append(f"{f'COALESCE({value}, 0)' if own in part.counted else value} AS {in_quotes(new)}")
            made.append(f"p{i}.{in_quotes(part.key)} IS NOT NULL AS {in_quotes(marks[i])}")
            joins.append(f"LEFT JOIN part{i} AS p{i} ON p{i}.{in_quotes(part.key)} = {key}")
        query = f"SELECT {', '.join(made)} FROM base AS b {' '.join(joins)} WHERE {key} IS NOT NULL"
        rows = keep_query(engine, query, engine.holding.folder if engine.holding else None, ALL)
        name_rows(engine, rows, marks, "joined_customers")
        counts = [f"COUNT(CASE WHEN {in_quotes(mark)} THEN 1 END) AS n{i}" for i, mark in enumerate(marks)]
        found = run_query(engine, f"SELECT COUNT(*) AS n, {', '.join(counts)} FROM joined_customers").iloc[0]
        sizes = [int(run_query(engine, f"SELECT COUNT(*) AS n FROM part{i}")["n"][0]) for i in range(len(parts))]
    n = int(found["n"])
    matches = tuple(Match(size, size - int(found[f"n{i}"]), n - int(found[f"n{i}"])) for i, size in enumerate(sizes))
    columns = (*base.columns, *(new for part in parts for new in part.columns.values()))
    return Population(rows, base.key, columns, n), matches
