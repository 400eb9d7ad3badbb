"""The processes that work side by side. They start while this one still reads its libraries."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Iterable
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

CORES = min(os.cpu_count() or 1, 8)
"""Processes that are used."""


def run_parallel(jobs: Iterable[Any], at_once: bool = False) -> Iterable[Any]:
    """Run joblib jobs; results come in the order of the jobs.

    With ``at_once`` this process goes through all jobs first, and each is worked on from when it was made.
    """
    waiting = "all" if at_once else "2 * n_jobs"
    return Parallel(n_jobs=CORES, return_as="generator", max_nbytes="1M", pre_dispatch=waiting)(jobs)


def run_all(jobs: Iterable[Any]) -> list[Any]:
    """The results of joblib jobs, in their order."""
    return list(run_parallel(jobs))


def warm_up(module: str) -> None:
    """Start the processes in the background and let each import a module."""
    jobs = [delayed(importlib.import_module)(module) for _ in range(2 * CORES)]
    threading.Thread(target=lambda: Parallel(n_jobs=CORES)(jobs), daemon=True).start()


def stop() -> None:
    """End the processes at once; left to themselves they take a second to say goodbye."""
    get_reusable_executor().shutdown(wait=False, kill_workers=True)
