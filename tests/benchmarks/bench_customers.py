"""Time a build of many planted customers by stage, with peak memory and the agreement with the planted groups."""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from analysis.commands.build import build
from analysis.report.speed import Build
from tests.results import in_gigabytes

ROOT = Path(__file__).resolve().parents[2]
SHARES = (0.4, 0.3, 0.2, 0.1)
MEASURES = (
    "orders", "spend", "visits", "days_since_order", "discount_share",
    "returns", "basket", "tenure_months", "emails_opened", "web_share",
)  # fmt: skip


def main() -> None:
    """Read the options, build each table in a process of its own, print one line a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--one", type=int, help="build this one here, and print its result as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measure_build(options.one))))
        return
    for n_customers in options.customers:
        print_build(read_build(n_customers))


def read_build(n_customers: int) -> Build:
    """Measure one build in a process of its own, so that its peak memory and its start are its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_customers", "--one", str(n_customers)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return Build(**json.loads(said.splitlines()[-1]))


def print_build(build: Build) -> None:
    """Print what it took."""
    print(f"\n{build.customers:,} customers x {build.columns} columns")
    for name, seconds in build.stages.items():
        print(f"  {name:<26} {seconds:7.1f} s")
    print(f"  {'All':<26} {build.seconds:7.1f} s, peak {build.gigabytes:.1f} GB in one process")
    print(f"  {'One k-means fit':<26} {build.one_fit:7.1f} s")
    print(f"  {'Adjusted Rand index':<26} {build.agreement:7.3f}   with the planted groups", flush=True)


def measure_build(n_customers: int) -> Build:
    """Write the customers as Parquet and build their site once."""
    stages: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Callable[[str], None]]:
        started = time.perf_counter()
        yield lambda text: None
        stages[name] = stages.get(name, 0.0) + time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        root = start_project(Path(folder, "project"))
        data = root / "customers.parquet"
        planted, n_columns = write_customers(data, n_customers)
        started = time.perf_counter()
        build(root, data, stage, force=True)
        seconds = time.perf_counter() - started
        kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        found = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key")["segment"]
        keys = pd.read_parquet(data, columns=["customer_id"])["customer_id"]
        agreement = float(adjusted_rand_score(planted, found.reindex(keys)))
        features = np.log1p(pd.read_parquet(data, columns=list(MEASURES)).to_numpy(float))
    return Build(n_customers, n_columns, seconds, stages, in_gigabytes(kilobytes), time_one_fit(features), agreement)


def start_project(root: Path) -> Path:
    """Copy what a project needs beside the code and its data."""
    for part in ("templates", "site"):
        shutil.copytree(ROOT / part, root / part)
    for file in ("_quarto.yml", "404.qmd"):
        shutil.copyfile(ROOT / file, root / file)
    return root


def write_customers(file: Path, n_customers: int) -> tuple[np.ndarray, int]:
    """Write customers as Parquet; return the planted group of each, and the number of columns."""
    table, planted = make_customers(n_customers)
    table.to_parquet(file)
    return planted.astype(np.int8), table.shape[1]


def time_one_fit(features: np.ndarray) -> float:
    """Time scikit-learn's k-means with ten starts on standardised features."""
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    started = time.perf_counter()
    KMeans(len(SHARES), n_init=10, random_state=0).fit(scaled)
    return time.perf_counter() - started


def make_customers(n_customers: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make four overlapping groups that differ in ten skewed measures, with an age and a region that tell nothing.

    The groups are the same for any number of customers.
    """
    rng, groups = np.random.default_rng(5), np.random.default_rng(4)
    planted = rng.choice(len(SHARES), n_customers, p=SHARES)
    columns: dict[str, object] = {"customer_id": [f"C{number:08d}" for number in range(n_customers)]}
    for name in MEASURES:
        means = groups.permutation([1.0, 1.8, 2.9, 4.2])
        columns[name] = rng.gamma(4.0, 5 * means[planted]).round(2 if name in {"spend", "basket"} else 0)
    columns["age"] = rng.normal(45, 12, n_customers).round().clip(18, 90)
    columns["region"] = np.array(["North", "East", "South", "West"])[rng.integers(0, 4, n_customers)]
    return pd.DataFrame(columns), planted


if __name__ == "__main__":
    main()
