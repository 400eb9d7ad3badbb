"""The processes that work side by side. They start while this one still reads its libraries."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Iterable
from typing import Any

from joblib import Parallel, delayed

CORES = min(os.cpu_count() or 1, 8)
"""Processes that are used."""


def run_parallel(jobs: Iterable[Any]) -> Iterable[Any]:
    """Run joblib jobs; results come in the order of the jobs."""
    return Parallel(n_jobs=CORES, return_as="generator", max_nbytes="1M")(jobs)


def run_all(jobs: Iterable[Any]) -> list[Any]:
    """The results of joblib jobs, in their order."""
    return list(run_parallel(jobs))


def warm_up(module: str) -> None:
    """Start the processes in the background and let each import a module."""
    jobs = [delayed(importlib.import_module)(module) for _ in range(2 * CORES)]
    threading.Thread(target=lambda: Parallel(n_jobs=CORES)(jobs), daemon=True).start()
