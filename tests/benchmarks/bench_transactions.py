"""Time features from transactions: the CDNOW records, and ten million synthetic ones against one bare GROUP BY.

Each measurement runs in a process of its own, so that the peak memory printed is that of the work alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from analysis.customers.descriptions import Columns
from analysis.customers.engines.sessions import open_duckdb
from analysis.customers.transactions import customer_features
from analysis.report.speed import Aggregation
from tests.results import in_gigabytes

ROOT = Path(__file__).resolve().parents[2]
CDNOW = ROOT.parent / "shared" / "datasets" / "CDNOW_master.txt"
COLUMNS = Columns("customer", "date", "amount", "order", "quantity", "category", "channel")
BATCH = 1_000_000
THREADS, MEMORY = 2, "3GB"
"""What DuckDB may use."""


def main() -> None:
    """Read the options, make the file, print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--memory", default=MEMORY, help="limit for DuckDB")
    parser.add_argument("--measure", choices=("bare", "features", "cdnow"), help="one measurement of --file")
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.file, options.threads, options.memory)
        return
    limits = options.threads, options.memory
    if CDNOW.is_file():
        seconds, gigabytes = measured("cdnow", CDNOW, *limits)
        print(f"CDNOW, 69,659 transactions: {seconds:.2f} s, peak {gigabytes:.1f} GB")
    found = compare(options.transactions, options.customers, *limits)
    print(f"{options.transactions:,} transactions of {options.customers:,} customers, {options.threads} threads")
    print(f"  one bare GROUP BY  {found.bare_seconds:7.2f} s, peak {found.bare_gigabytes:.1f} GB")
    print(f"  all features       {found.seconds:7.2f} s, peak {found.gigabytes:.1f} GB")
    print(f"  ratio              {found.seconds / found.bare_seconds:7.1f}")


def compare(n_transactions: int, n_customers: int, threads: int = THREADS, memory: str = MEMORY) -> Aggregation:
    """Measure all features beside one bare aggregation of the same file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "transactions.parquet")
        write_transactions(file, n_transactions, n_customers)
        bare, features = (measured(what, file, threads, memory) for what in ("bare", "features"))
    return Aggregation(n_transactions, n_customers, *features, *bare)


def measured(what: str, file: Path, threads: int, memory: str) -> tuple[float, float]:
    """Seconds and peak gigabytes of one measurement."""
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
    seconds, gigabytes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(gigabytes)


def measure(what: str, file: Path, threads: int, memory: str) -> None:
    """Do the work once and print seconds and peak gigabytes of this process."""
    if what == "cdnow":
        names = ["customer", "date", "quantity", "amount"]
        table = pd.read_csv(file, sep=r"\s+", dtype={"customer": str}, header=0, names=names)
        table["date"] = pd.to_datetime(table["date"].astype(str))
        started = time.perf_counter()
        customer_features(table, Columns("customer", "date", "amount", quantity="quantity"))
    elif what == "bare":
        connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
        started = time.perf_counter()
        source = str(file).replace("'", "''")
        query = f"SELECT customer, count(*), sum(amount), max(date) FROM read_parquet('{source}') GROUP BY customer"
        connection.sql(query).to_arrow_table()
    else:
        started = time.perf_counter()
        with open_duckdb(threads, memory) as engine:
            customer_features(file, COLUMNS, engine=engine)
    seconds = time.perf_counter() - started
    print(seconds, in_gigabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


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
