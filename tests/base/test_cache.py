"""Results of slow computations between builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from analysis.base.cache import Kept
from analysis.base.run import Run

CALLS: list[str] = []


def add(a: Any, b: Any = 0) -> Any:
    CALLS.append("add")
    return a + b


def n_calls(folder: Path, *arguments: Any, mark: str = "code", anew: bool = False, key: object = None) -> int:
    """Ask a new process's cache for a sum, and count how often it was computed for that."""
    CALLS.clear()
    run = Run(cache=Kept(folder, lambda module: mark, anew))
    function = run.cached(add) if key is None else run.cached_by(key, add)
    assert np.all(function(*arguments) == sum(arguments))
    return len(CALLS)


def test_a_result_is_computed_once_for_the_same_arguments(tmp_path: Path) -> None:
    assert [n_calls(tmp_path, 1, 2), n_calls(tmp_path, 1, 2), n_calls(tmp_path, 1, 3)] == [1, 0, 1]


def test_a_result_is_computed_again_after_a_change_of_code(tmp_path: Path) -> None:
    assert [n_calls(tmp_path, 1), n_calls(tmp_path, 1, mark="other"), n_calls(tmp_path, 1, mark="other")] == [1, 1, 0]
    assert n_calls(tmp_path, 1) == 1, "what was kept of earlier code is deleted"


def test_all_is_computed_again_where_that_is_asked_for(tmp_path: Path) -> None:
    assert [n_calls(tmp_path, 1), n_calls(tmp_path, 1, anew=True), n_calls(tmp_path, 1)] == [1, 1, 0]


def test_a_key_stands_for_arguments_of_any_size(tmp_path: Path) -> None:
    table = np.arange(10)
    assert [n_calls(tmp_path, table, key=("a", 1)), n_calls(tmp_path, table, key=("a", 1))] == [1, 0]
    assert n_calls(tmp_path, table + 1, key=("a", 2)) == 1


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    n_calls(tmp_path, 1)
    (result,) = tmp_path.rglob("output.pkl")
    result.write_bytes(result.read_bytes()[:-3])
    assert n_calls(tmp_path, 1) == 1
