"""Time ``score`` on a million synthetic customers, from Parquet and from CSV: reading, placing and writing.

The model is that of the synthetic twin. The command's own start is part of a run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.commands.build import build
from analysis.sources.synthetic.twin import write_twin

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Read the options, make the files, print one line a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2, help="runs of each format")
    options = parser.parse_args()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        shutil.copytree(ROOT / "templates", root / "templates")
        shutil.copytree(ROOT / "site", root / "site")
        shutil.copyfile(ROOT / "_quarto.yml", root / "_quarto.yml")
        build(root, write_twin(root / "data"), force=True)
        files = write_customers(root, options.customers)
        print(f"{options.customers:,} customers, fastest of {options.runs}")
        for file in files:
            seconds = []
            for _ in range(options.runs):
                started = time.perf_counter()
                command = [sys.executable, "-m", "analysis", "score", str(file), "--out", "scores.csv"]
                subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            print(f"  {file.suffix[1:]:<8} {min(seconds):6.2f} s")


def write_customers(folder: Path, n_customers: int) -> list[Path]:
    """Write customers drawn from the twin, their amounts moved."""
    rng = np.random.default_rng(7)
    twin = pd.read_csv(write_twin(folder), sep="\t")
    drawn = twin.iloc[rng.integers(0, len(twin), n_customers)].reset_index(drop=True)
    amounts = [column for column in drawn if str(column).startswith("Mnt")]
    moved = {column: (drawn[column] * rng.uniform(0.8, 1.25, n_customers)).round() for column in amounts}
    table = drawn.assign(ID=np.arange(1, n_customers + 1), **moved)
    table.to_parquet(folder / "new.parquet", index=False)
    table.to_csv(folder / "new.csv", index=False)
    return [folder / "new.parquet", folder / "new.csv"]


if __name__ == "__main__":
    main()
