"""Time features and builds from transactions: the CDNOW records, and ten million synthetic ones.

Beside them stand one bare GROUP BY and the same features written by hand in the SQL of DuckDB.

Each measurement runs in a process of its own, so that the peak memory printed is that of the work alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from pyarrow import parquet

from analysis.commands.build import build
from analysis.customers.descriptions import Columns
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import open_duckdb
from analysis.customers.transactions import customer_features
from analysis.report.speed import Aggregation
from tests.benchmarks.bench_customers import start_project
from tests.results import in_gigabytes

ROOT = Path(__file__).resolve().parents[2]
CDNOW = ROOT.parent / "shared" / "datasets" / "CDNOW_master.txt"
COLUMNS = Columns("customer", "date", "amount", "order", "quantity", "category", "channel")
BATCH = 1_000_000
WAYS = ("bare", "by hand", "features", "build")
THREADS, MEMORY = 2, "3GB"
"""What DuckDB may use."""
BY_HAND = """
WITH usable AS (FROM read_parquet('{file}') WHERE customer IS NOT NULL AND date IS NOT NULL AND amount IS NOT NULL),
totals AS (
  SELECT customer, sum(amount) FILTER (amount >= 0) AS spend, -sum(amount) FILTER (amount < 0) AS refunds,
    sum(quantity) FILTER (amount >= 0) AS items, count(DISTINCT "order") FILTER (amount >= 0) AS orders, {shares}
  FROM usable GROUP BY customer),
seen AS (
  SELECT customer, date, amount, date - lag(date) OVER w AS gap, date_trunc('month', date) AS month,
    date_trunc('month', lag(date) OVER w) AS earlier, min(date) OVER w AS first_day
  FROM usable WHERE amount >= 0 WINDOW w AS (PARTITION BY customer ORDER BY date)),
pace AS (
  SELECT customer, min(date) AS first_day, max(date) AS last_day, count(*) FILTER (gap > 0) AS n_gaps,
    sum(gap * gap) AS squares, count(*) FILTER (earlier IS NULL OR earlier <> month) AS months,
    sum(amount) FILTER (2 * (date - first_day) > DATE '{newest}' - first_day) AS late
  FROM seen GROUP BY customer)
SELECT totals.*, spend / orders AS order_value, refunds / spend AS refund_share, late / spend AS trend, months,
  DATE '{newest}' - last_day AS recency, DATE '{newest}' - first_day AS tenure,
  (last_day - first_day) / nullif(n_gaps, 0) AS gap,
  sqrt(greatest((squares - (last_day - first_day) ** 2 / nullif(n_gaps, 0)) / nullif(n_gaps - 1, 0), 0)) AS gap_sd
FROM totals LEFT JOIN pace USING (customer)
"""
"""The features as an analyst would write them for this file, without looking at what its rows hold."""


def main() -> None:
    """Read the options, make the file, print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--memory", default=MEMORY, help="limit for DuckDB")
    parser.add_argument("--measure", choices=("cdnow", *WAYS), help="one measurement of --file")
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.file, options.threads, options.memory)
        return
    limits = options.threads, options.memory
    if CDNOW.is_file():
        seconds, _, gigabytes = measured("cdnow", CDNOW, *limits)
        print(f"CDNOW, 69,659 transactions: {seconds:.2f} s, peak {gigabytes:.1f} GB")
    found = compare(options.transactions, options.customers, *limits)
    print(f"{options.transactions:,} transactions of {options.customers:,} customers, {options.threads} threads")
    print(f"  one bare GROUP BY  {found.bare_seconds:7.2f} s")
    print(f"  the same by hand   {found.by_hand_seconds:7.2f} s")
    print(f"  all features       {found.seconds:7.2f} s, peak {found.gigabytes:.1f} GB")
    print(
        f"    of it in DuckDB  {found.engine_seconds:7.2f} s, {found.engine_seconds / found.by_hand_seconds:.2f} times"
    )
    print(f"  a whole build      {found.build_seconds:7.2f} s, peak {found.build_gigabytes:.1f} GB")


def compare(n_transactions: int, n_customers: int, threads: int = THREADS, memory: str = MEMORY) -> Aggregation:
    """Measure all features, and a build, beside a bare aggregation and features by hand, of the same file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "transactions.parquet")
        write_transactions(file, n_transactions, n_customers)
        bare, by_hand, features, whole = (measured(what, file, threads, memory) for what in WAYS)
    seconds, engine_seconds, gigabytes = features
    return Aggregation(
        n_transactions, n_customers, seconds, engine_seconds, gigabytes, by_hand[0], bare[0], whole[0], whole[2]
    )


def measured(what: str, file: Path, threads: int, memory: str) -> tuple[float, float, float]:
    """Seconds, those of them in the engine, and peak gigabytes of one measurement."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.bench_transactions",
        "--measure",
        what,
        "--file",
        str(file),
        "--threads",
        str(threads),
        "--memory",
        memory,
    ]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    seconds, engine_seconds, gigabytes = map(float, said.split())
    return seconds, engine_seconds, gigabytes


def measure(what: str, file: Path, threads: int, memory: str) -> None:
    """Do the work once and print seconds, those in the engine, and peak gigabytes of this process."""
    engine_seconds = 0.0
    if what == "cdnow":
        names = ["customer", "date", "quantity", "amount"]
        table = pd.read_csv(file, sep=r"\s+", dtype={"customer": str}, header=0, names=names)
        table["date"] = pd.to_datetime(table["date"].astype(str))
        started = time.perf_counter()
        customer_features(table, Columns("customer", "date", "amount", quantity="quantity"))
    elif what == "features":
        started = time.perf_counter()
        with open_duckdb(threads, memory) as engine:
            timed = TimedEngine(engine.name, engine.session, engine.functions, engine.window, engine.connection)
            customer_features(file, COLUMNS, engine=timed)
        engine_seconds = sum(SPENT)
    elif what == "build":
        with tempfile.TemporaryDirectory() as folder:
            root = start_project(Path(folder, "project"))
            source = {"path": str(file), "kind": "transactions", "columns": asdict(COLUMNS)}
            settings = {"segmentation": {"title": "Benchmark", "value": "spend", "memory": memory, "sources": [source]}}
            (root / "_quarto-bench.yml").write_text(yaml.safe_dump(settings))
            os.environ["QUARTO_PROFILE"] = "bench"
            started = time.perf_counter()
            build(root, force=True)
    else:
        connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
        started = time.perf_counter()
        connection.sql(write_query(what, file, connection)).to_arrow_table()
    seconds = time.perf_counter() - started
    print(seconds, engine_seconds, in_gigabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def write_query(what: str, file: Path, connection: duckdb.DuckDBPyConnection) -> str:
    """Write a bare GROUP BY, or all features by hand; levels and the newest day are looked up first."""
    source = str(file).replace("'", "''")
    rows = f"read_parquet('{source}')"
    if what == "bare":
        return f"SELECT customer, count(*), sum(amount), max(date) FROM {rows} GROUP BY customer"
    newest = connection.sql(f"SELECT max(date) FROM {rows}").fetchall()[0][0]
    shares = []
    for column, most in (("category", 6), ("channel", 3)):
        ranked = f"SELECT {column} FROM {rows} WHERE amount >= 0 GROUP BY 1 ORDER BY sum(amount) DESC LIMIT {most}"
        for (level,) in connection.sql(ranked).fetchall():
            spent = f"sum(amount) FILTER (amount >= 0 AND {column} = '{level}')"
            shares.append(f"coalesce({spent}, 0) / nullif(sum(amount) FILTER (amount >= 0), 0)")
    return BY_HAND.format(file=source, newest=newest, shares=", ".join(shares))


SPENT: list[float] = []
"""Seconds of each call of the engine."""


class TimedEngine(Engine):
    """An engine that notes how long it takes."""

    def to_pandas(self, frame: Any) -> pd.DataFrame:
        """Run what was described, and note the time."""
        started = time.perf_counter()
        found = super().to_pandas(frame)
        SPENT.append(time.perf_counter() - started)
        return found


def write_transactions(file: Path, n_transactions: int, n_customers: int) -> None:
    """Write purchases over two years: few customers buy much, four in a hundred rows are refunds."""
    rng = np.random.default_rng(7)
    rates = np.cumsum(rng.gamma(0.8, 1.0, n_customers))
    categories, channels = pa.array([f"category {k}" for k in range(8)]), pa.array(["web", "store", "phone"])
    writer = None
    for start in range(0, n_transactions, BATCH):
        n = min(BATCH, n_transactions - start)
        customer = np.searchsorted(rates, rng.uniform(0, rates[-1], n))
        day = rng.integers(0, 730, n)
        amount = np.round(rng.lognormal(3, 1, n), 2) * np.where(rng.random(n) < 0.04, -1, 1)
        batch = pa.table(
            {
                "customer": customer,
                "date": pa.array((day + 19_000).astype("int32"), type=pa.date32()),
                "amount": amount,
                "order": (customer * 1000 + day) * 2 + rng.integers(0, 2, n),
                "quantity": rng.integers(1, 5, n),
                "category": categories.take(pa.array(rng.integers(0, 8, n))),
                "channel": channels.take(pa.array(rng.integers(0, 3, n))),
            }
        )
        writer = writer or parquet.ParquetWriter(file, batch.schema)
        writer.write_table(batch)
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    main()
