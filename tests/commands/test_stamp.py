"""What a build depends on: a change of any module makes the results of the old code stale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analysis.base.cache import Kept
from analysis.commands.stamp import mark_code
from tests.conftest import ROOT

CODE = ROOT / "analysis"
PACKAGES = sorted({path.parent.relative_to(CODE).as_posix() for path in CODE.rglob("*.py")})


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the code into a project folder of its own."""
    shutil.copytree(CODE, tmp_path / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def n_runs(root: Path, runs: list[str]) -> int:
    """Ask the cache of a project for a result, and count how often it was computed in all."""

    def compute(x: int) -> int:
        runs.append("run")
        return x

    Kept(root / "build" / "kept", mark_code(root)).keep(compute)(1)
    return len(runs)


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_changed_module_makes_a_cached_result_stale(package: str, copied: Path) -> None:
    runs: list[str] = []
    assert n_runs(copied, runs) == 1
    assert n_runs(copied, runs) == 1
    module = sorted((copied / "analysis" / package).glob("*.py"))[-1]
    with module.open("a", encoding="utf-8") as code:
        code.write("\n# changed\n")
    assert n_runs(copied, runs) == 2


def test_a_module_that_goes_to_another_room_makes_a_cached_result_stale(copied: Path) -> None:
    before = mark_code(copied)
    (copied / "analysis/base/formats.py").rename(copied / "analysis/settings/sql.py")
    assert mark_code(copied) != before


def test_the_mark_is_the_same_for_the_same_code(copied: Path) -> None:
    assert mark_code(copied) == mark_code(ROOT)
