"""Worker processes end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from analysis.base import workers
from analysis.base.workers import FEW_VALUES, map_columns

PARENT = """
import os, time
from joblib import delayed
from analysis.base import workers
workers.CORES = 2

def work(_):
    time.sleep(0.2)
    return os.getpid()

print(*set(workers.run_parallel(delayed(work)(i) for i in range(8))), flush=True)
time.sleep(600)
"""
LATE = "import time; from analysis.base.workers import _work; print(flush=True); _work({parent}, time.sleep, 600)"


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_of_a_killed_build_end() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2 and all(map(is_running, workers))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(300):
        if not any(map(is_running, workers)):
            return
        time.sleep(0.1)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    pytest.fail("workers live on")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_whose_parent_was_killed_before_its_first_job_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    worker = subprocess.Popen([sys.executable, "-c", LATE.format(parent=gone.pid)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker.stdout:
        worker.stdout.readline()
    assert worker.wait(timeout=30) == 1


@pytest.mark.parametrize("n_values", [10, 10 * FEW_VALUES])
def test_columns_come_back_in_their_order_with_or_without_threads(
    monkeypatch: pytest.MonkeyPatch, n_values: int
) -> None:
    monkeypatch.setattr(workers, "CORES", 4)
    used = set()

    def work(number: int) -> int:
        used.add(threading.get_ident())
        time.sleep(0.02 / (number + 1))
        return number**2

    assert map_columns(work, iter(range(8)), n_values) == [number**2 for number in range(8)]
    assert (len(used) > 1) == (n_values > FEW_VALUES)


def test_an_error_in_a_column_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        map_columns(lambda number: 1 / number, [1, 0], 10 * FEW_VALUES)
