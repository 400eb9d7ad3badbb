"""Worker processes for parallel computation."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor, reusable_executor

from analysis.base.memory import collect_rarely

Item = TypeVar("Item")
Result = TypeVar("Result")

# The process that cleans up after killed workers removes what they shared, and need not say so.
_QUIET = "ignore:resource_tracker:UserWarning"
os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), _QUIET)))

_meanwhile: list[str] = []
"""Modules that are imported while the processes work."""
_watching = threading.Event()
"""Whether this worker looks after its parent."""
FEW_VALUES = 50_000
"""Values of a column up to which threads cost more time than they save. Chosen for this project."""
CORES = min(cpu_count(), 8)
"""Processes that are used: one for each core that this one may use, or as LOKY_MAX_CPU_COUNT says."""


def run_parallel(jobs: Iterable[Any], at_once: bool = False) -> Iterable[Any]:
    """Run joblib jobs; results come in the order of the jobs.

    With ``at_once`` this process goes through all jobs first, and each is worked on from when it was made.
    """
    waiting = "all" if at_once else "2 * n_jobs"
    threading.excepthook = _report_others
    # An error elsewhere may come before the results are asked for; it is the one to show.
    warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed", UserWarning)
    if at_once and CORES == 1:
        # One process alone would go through the jobs as their results are asked for.
        jobs = list(jobs)
    parent = os.getpid()
    watched = ((_work, (parent, function, *arguments), named) for function, arguments, named in jobs)
    results = Parallel(n_jobs=CORES, return_as="generator", max_nbytes="1M", pre_dispatch=waiting)(watched)
    while CORES > 1 and _meanwhile:
        importlib.import_module(_meanwhile.pop(0))
    return results


def _report_others(about: threading.ExceptHookArgs) -> None:
    """Report the error of a thread, but of one that manages processes which an interruption ended."""
    if type(about.thread).__module__.partition(".")[0] != "joblib":
        threading.__excepthook__(about)


def run_all(jobs: Iterable[Any]) -> list[Any]:
    """Return the results of joblib jobs, in order."""
    return list(run_parallel(jobs))


def map_columns(function: Callable[[Item], Result], items: Iterable[Item], n_values: int) -> list[Result]:
    """Apply a function to each of some columns, in threads of this process where each has many values.

    It is for work that numpy and scipy do without Python's lock, such as sorting; nothing is copied.
    """
    if n_values <= FEW_VALUES or CORES == 1:
        return list(map(function, items))
    with ThreadPoolExecutor(CORES) as threads:
        return list(threads.map(function, items))


def warm_up(module: str) -> None:
    """Start the processes and let each import a module; that goes on in the background."""
    if CORES == 1:
        return
    jobs = [delayed(_work)(os.getpid(), importlib.import_module, module) for _ in range(2 * CORES)]
    with _deaf_to_interrupts():
        results = Parallel(n_jobs=CORES, return_as="generator", pre_dispatch="all")(jobs)

    def wait() -> None:
        # Whoever stops the processes needs no message from here.
        with contextlib.suppress(Exception):
            list(results)

    threading.Thread(target=wait, daemon=True).start()


def import_meanwhile(*modules: str) -> None:
    """Import modules once the processes have work to do next; a thread could lock itself and this one out."""
    _meanwhile.extend(modules)


def _work(parent: int, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Do a job; a worker ends soon after its parent, also where that one was killed, maybe before the first job."""
    if os.getpid() != parent and not _watching.is_set():
        _watching.set()
        collect_rarely()
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return function(*arguments, **named)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def stop() -> None:
    """End the processes at once; left to themselves they take a second to say goodbye."""
    if CORES > 1:
        # The one that is there; another would first wait for it.
        get_reusable_executor(reuse=True).shutdown(wait=False, kill_workers=True)


def kill() -> None:
    """Kill the processes without waiting for anything, where this process is about to end too."""
    if CORES == 1:
        return
    threading.excepthook = lambda _: None
    # Asked for in the usual way, the executor is waited for.
    executor = getattr(reusable_executor, "_executor", None)
    for number in list(getattr(executor, "_processes", None) or ()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach and that say nothing when this one is stopped.

    This one ends them. Otherwise each would print where it was, and joblib's helper what it had to tidy up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, filters = signal.signal(signal.SIGINT, signal.SIG_IGN), os.environ.get("PYTHONWARNINGS")
    quiet = "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker"
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (filters, quiet)))
    try:
        yield
    finally:
        if filters is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = filters
        signal.signal(signal.SIGINT, before)
