"""Time to export a million customers with a control group, to CSV and to Parquet.

Run with ``python -m tests.benchmarks.bench_export``.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pandas as pd

from tests.experiments.finished import finish, make_members, run

N_CUSTOMERS = 1_000_000
TARGET_SECONDS = 15


def main() -> None:
    """Export both files and print how long each took, and the size of the groups."""
    with tempfile.TemporaryDirectory() as folder:
        root = finish(Path(folder), make_members(N_CUSTOMERS), pd.DataFrame({"id": ["K1", "K2"], "spend": [1, 2]}))
        os.chdir(root)
        total = 0.0
        for suffix in (".csv", ".parquet"):
            started = time.perf_counter()
            text = run("export", "--all", "--holdout", "0.5", "--test", "spring", "--out", f"exports/all{suffix}")
            seconds = time.perf_counter() - started
            total += seconds
            size = (root / f"exports/all{suffix}").stat().st_size / 1e6
            print(f"{N_CUSTOMERS:,} customers to {suffix}: {seconds:.1f} s, {size:.0f} MB. {text.splitlines()[-1]}")
        print(f"Both: {total:.1f} s; the target is {TARGET_SECONDS} s.")
        os.chdir("/")


if __name__ == "__main__":
    main()
