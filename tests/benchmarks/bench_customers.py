"""Time a build of many planted customers by stage, with peak memory and the agreement with the planted groups."""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from analysis.commands.build import build

ROOT = Path(__file__).resolve().parents[2]
SHARES = (0.4, 0.3, 0.2, 0.1)
MEASURES = (
    "orders", "spend", "visits", "days_since_order", "discount_share",
    "returns", "basket", "tenure_months", "emails_opened", "web_share",
)  # fmt: skip


def main() -> None:
    """Read the options, make the file, print one line a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="*", default=[100_000, 1_000_000])
    options = parser.parse_args()
    for n_customers in options.customers:
        time_build(n_customers)


def time_build(n_customers: int) -> None:
    """Write the customers as Parquet, build their site once and print what it took."""

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Callable[[str], None]]:
        started = time.perf_counter()
        yield lambda text: None
        print(f"  {name:<26} {time.perf_counter() - started:7.1f} s", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        for part in ("templates", "site"):
            shutil.copytree(ROOT / part, root / part)
        for file in ("_quarto.yml", "404.qmd"):
            shutil.copyfile(ROOT / file, root / file)
        table, planted = make_customers(n_customers)
        data = root / "customers.parquet"
        table.to_parquet(data)
        print(f"\n{n_customers:,} customers x {table.shape[1]} columns")
        started = time.perf_counter()
        build(root, data, stage, force=True)
        seconds = time.perf_counter() - started
        found = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key")["segment"]
        agreement = adjusted_rand_score(planted, found.reindex(table["customer_id"]))
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"  {'All':<26} {seconds:7.1f} s, peak {kilobytes / 1e6:.1f} GB in one process")
    print(f"  {'Adjusted Rand index':<26} {agreement:7.3f}   with the planted groups")


def make_customers(n_customers: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make four overlapping groups that differ in ten skewed measures, with an age and a region that tell nothing."""
    rng = np.random.default_rng(5)
    planted = rng.choice(len(SHARES), n_customers, p=SHARES)
    columns: dict[str, object] = {"customer_id": [f"C{number:08d}" for number in range(n_customers)]}
    for name in MEASURES:
        means = rng.permutation([1.0, 1.8, 2.9, 4.2])
        columns[name] = rng.gamma(4.0, 5 * means[planted]).round(2 if name in {"spend", "basket"} else 0)
    columns["age"] = rng.normal(45, 12, n_customers).round().clip(18, 90)
    columns["region"] = np.array(["North", "East", "South", "West"])[rng.integers(0, 4, n_customers)]
    return pd.DataFrame(columns), planted


if __name__ == "__main__":
    main()
