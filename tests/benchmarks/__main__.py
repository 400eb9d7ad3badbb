"""Measure builds, aggregations and scoring of growing size: ``make bench`` writes ``tests/benchmarks/results.json``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from dataclasses import asdict
from pathlib import Path

from analysis.report.speed import RESULTS, Speed
from tests.benchmarks.bench_customers import ROOT, read_build
from tests.benchmarks.bench_score import time_scores
from tests.benchmarks.bench_transactions import compare
from tests.results import list_versions, write_results

CUSTOMERS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
TRANSACTIONS = (1_000_000, 10_000_000)
EACH = 20
"""Transactions of a customer."""
SCORED = (1_000_000, 10_000_000)
PACKAGES = ("numpy", "scikit-learn", "pandas", "duckdb", "pyarrow", "altair")


def main() -> None:
    """Read the options, measure one thing after the other, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="*", default=CUSTOMERS)
    parser.add_argument("--transactions", type=int, nargs="*", default=TRANSACTIONS)
    parser.add_argument("--scored", type=int, nargs="*", default=SCORED)
    parser.add_argument("--out", type=Path, default=ROOT / RESULTS)
    options = parser.parse_args()
    print("builds", file=sys.stderr, flush=True)
    builds = tuple(map(read_build, options.customers))
    print("transactions", file=sys.stderr, flush=True)
    aggregations = tuple(compare(n, n // EACH) for n in options.transactions)
    print("score", file=sys.stderr, flush=True)
    placings = tuple(time_scores(n, kinds=["parquet"])["parquet"] for n in options.scored)
    day = dt.datetime.now(dt.UTC).date().isoformat()
    found = Speed(describe_machine(), day, builds, aggregations, placings, list_versions(PACKAGES))
    write_results(options.out, asdict(found))


def describe_machine() -> str:
    """Describe processors and memory."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{len(os.sched_getaffinity(0))} cores and {gigabytes:.0f} GB of memory"


if __name__ == "__main__":
    main()
