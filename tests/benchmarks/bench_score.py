"""Time ``score`` on many synthetic customers, from Parquet and from CSV: reading, placing and writing.

The model is that of the synthetic twin. The command's own start is part of a run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from analysis.commands.build import build
from analysis.report.speed import Placing
from analysis.sources.synthetic.twin import write_twin
from tests.benchmarks.bench_customers import start_project
from tests.results import in_gigabytes

ROOT = Path(__file__).resolve().parents[2]
BATCH = 1_000_000


def main() -> None:
    """Read the options, make the files, print one line a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2, help="runs of each format")
    options = parser.parse_args()
    print(f"{options.customers:,} customers, fastest of {options.runs}")
    for kind, found in time_scores(options.customers, options.runs).items():
        print(f"  {kind:<8} {found.seconds:6.2f} s, peak {found.gigabytes:.1f} GB")


def time_scores(n_customers: int, runs: int = 1, kinds: Sequence[str] = ("parquet", "csv")) -> dict[str, Placing]:
    """Score a file of each format and write the answers in the same, the fastest of some runs."""
    environment, found = {**os.environ, "PYTHONPATH": str(ROOT)}, {}
    with tempfile.TemporaryDirectory() as folder:
        root = start_project(Path(folder, "project"))
        build(root, write_twin(root / "data"), force=True)
        for kind in kinds:
            file = write_customers(root / f"new.{kind}", n_customers)
            command = [sys.executable, "-m", "analysis", "score", str(file), "--out", f"scores.{kind}"]
            each = [run(command, root, environment) for _ in range(runs)]
            found[kind] = Placing(n_customers, min(s for s, _ in each), max(size for _, size in each))
    return found


def run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run a command and give its seconds and its peak memory in gigabytes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}")
    return time.perf_counter() - started, in_gigabytes(usage.ru_maxrss)


def write_customers(file: Path, n_customers: int) -> Path:
    """Write customers drawn from the twin, their amounts moved, a million at a time."""
    rng = np.random.default_rng(7)
    twin = pd.read_csv(write_twin(file.parent), sep="\t")
    amounts = [column for column in twin if str(column).startswith("Mnt")]
    writer: parquet.ParquetWriter | csv.CSVWriter | None = None
    for start in range(0, n_customers, BATCH):
        n = min(BATCH, n_customers - start)
        drawn = twin.iloc[rng.integers(0, len(twin), n)].reset_index(drop=True)
        moved = {column: (drawn[column] * rng.uniform(0.8, 1.25, n)).round() for column in amounts}
        drawn = drawn.assign(ID=np.arange(start + 1, start + n + 1), **moved)
        table = pa.Table.from_pandas(drawn, preserve_index=False)
        writer = writer or (parquet.ParquetWriter if file.suffix == ".parquet" else csv.CSVWriter)(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return file


if __name__ == "__main__":
    main()
