"""What a build depends on: a changed module makes the results stale of what can reach it, and of nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grimp
import pytest

from analysis.assignment.rules import find_rules
from analysis.base.cache import Kept
from analysis.clustering.sampling import judge_customers
from analysis.clustering.usefulness import prove
from analysis.commands.stamp import Code, mark_code
from analysis.customers.lifetime_value import estimate_value
from analysis.pages.pictures import draw_svg
from tests.conftest import ROOT

CODE = ROOT / "analysis"
PACKAGES = sorted({path.parent.relative_to(CODE).as_posix() for path in CODE.rglob("*.py")})
ROOMS = sorted({package.partition("/")[0] for package in PACKAGES} - {"."})
STAGES = (judge_customers, prove, find_rules, estimate_value, draw_svg)
"""A function of each stage whose results are cached."""
FORMS_SEGMENTS = {"base", "settings", "sources", "customers", "features", "clustering"}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the code into a project folder of its own."""
    shutil.copytree(CODE, tmp_path / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def change(module: Path) -> None:
    """Add a line to a module."""
    with module.open("a", encoding="utf-8") as code:
        code.write("\n# changed\n")


def changed_by(root: Path, module: Path) -> set[Callable[..., Any]]:
    """List the stages whose results a change of a module makes stale."""
    before = {stage: Code(root).mark(stage.__module__) for stage in STAGES}
    change(module)
    return {stage for stage, mark in before.items() if Code(root).mark(stage.__module__) != mark}


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_changed_module_changes_the_mark_of_all_code(package: str, copied: Path) -> None:
    before = mark_code(copied)
    change(sorted((copied / "analysis" / package).glob("*.py"))[-1])
    assert mark_code(copied) != before


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_evidence_is_stale_after_a_change_of_what_forms_segments_and_of_nothing_else(room: str, copied: Path) -> None:
    stale = changed_by(copied, copied / "analysis" / room / "__init__.py")
    assert (judge_customers in stale) == (prove in stale) == (room in FORMS_SEGMENTS)
    assert (find_rules in stale) == (room in FORMS_SEGMENTS | {"assignment"})
    assert (draw_svg in stale) == (room == "pages")


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("base/formats.py", {judge_customers, prove, find_rules, estimate_value}),
        ("customers/purchase_models.py", {judge_customers, prove, find_rules, estimate_value}),
        ("features/prepare.py", {judge_customers, prove, find_rules}),
        ("sources/no_answers.yml", {judge_customers, prove, find_rules}),
        ("clustering/resample.py", {judge_customers, prove, find_rules}),
        ("clustering/usefulness.py", {prove}),
        ("assignment/trees.py", {find_rules}),
        ("segments/names.py", set()),
        ("pages/text/compare.py", set()),
        ("pages/charts/compare.py", set()),
        ("report/write.py", set()),
    ],
)
def test_a_changed_module_makes_stale_what_can_reach_it(
    module: str, stale: set[Callable[..., Any]], copied: Path
) -> None:
    assert changed_by(copied, copied / "analysis" / module) == stale


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_no_module_that_a_stage_imports_is_missed(stage: Callable[..., Any]) -> None:
    """The import contract is checked by a tool that parses the code; the mark finds imports by their lines."""
    imported = grimp.build_graph("analysis", cache_dir=None).find_upstream_modules(stage.__module__)
    reached = {name.removesuffix(".py").removesuffix("/__init__") for name in Code(ROOT).reach(stage.__module__)}
    assert {name.replace(".", "/") for name in (*imported, stage.__module__)} <= reached


def test_results_of_changed_code_are_deleted_and_those_of_other_code_stay(copied: Path) -> None:
    folder = copied / "build" / "kept"
    for stage in (judge_customers, draw_svg):
        Kept(folder, Code(copied).mark).keep(stage)
    change(copied / "analysis/clustering/resample.py")
    Kept(folder, Code(copied).mark).keep(prove)
    assert {path.name.partition("-")[0] for path in folder.iterdir()} == {draw_svg.__module__, prove.__module__}


def test_a_module_that_goes_to_another_room_changes_the_mark(copied: Path) -> None:
    before = mark_code(copied)
    (copied / "analysis/base/formats.py").rename(copied / "analysis/settings/sql.py")
    assert mark_code(copied) != before


def test_the_mark_is_the_same_for_the_same_code(copied: Path) -> None:
    assert mark_code(copied) == mark_code(ROOT)
    assert Code(copied).mark(prove.__module__) == Code(ROOT).mark(prove.__module__)
