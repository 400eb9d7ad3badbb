"""Time the stages from data to website on the synthetic twin: ``make bench``.

Each run works in a folder of its own and computes everything; the table shows the fastest run of each stage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.commands.build import build
from analysis.publish.render import render
from analysis.sources.synthetic.twin import write_twin

ROOT = Path(__file__).resolve().parents[2]
UNCHANGED = "Unchanged build"
MOST_UNCHANGED = 3
"""Seconds that a build may take where nothing changed, from the start of Python to its end."""


def main() -> None:
    """Read the options, run, print one line a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="*", default=[2240, 20_000], help="sizes to time")
    parser.add_argument("--runs", type=int, default=2, help="runs of each size")
    options = parser.parse_args()
    for n_customers in options.customers:
        seconds: dict[str, list[float]] = defaultdict(list)
        for _ in range(options.runs):
            time_once(n_customers, seconds)
        fastest = {stage: min(times) for stage, times in seconds.items()}
        print(f"\n{n_customers:,} customers, fastest of {options.runs}")
        for stage, duration in fastest.items():
            print(f"  {stage:<18} {duration:7.2f} s")
        print(f"  {'All':<18} {sum(fastest.values()):7.2f} s")
        if fastest[UNCHANGED] > MOST_UNCHANGED:
            raise SystemExit(f"An unchanged build took more than {MOST_UNCHANGED} s.")


def time_once(n_customers: int, seconds: dict[str, list[float]]) -> None:
    """Build and render once, and add the duration of each stage to ``seconds``."""

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Callable[[str], None]]:
        started = time.perf_counter()
        yield lambda text: None
        seconds[name].append(time.perf_counter() - started)

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        for part in ("templates", "site"):
            shutil.copytree(ROOT / part, root / part)
        for file in ("_quarto.yml", "404.qmd"):
            shutil.copyfile(ROOT / file, root / file)
        data = write_twin(root / "data", n_customers)
        build(root, data, stage, force=True)
        with stage(UNCHANGED):
            command = [sys.executable, "-m", "analysis", "build", "--data", str(data)]
            again = subprocess.run(
                command,
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            )
        if "Nothing changed" not in again.stdout:
            raise SystemExit(f"The second build computed again: {again.stdout}")
        with stage("Render"):
            render(root, root / "_site", "smalldocs")


if __name__ == "__main__":
    main()
