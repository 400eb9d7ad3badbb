"""A build around the method: what is computed again after a change, and what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.assignment import rules
from analysis.clustering import choices, sampling, usefulness
from analysis.commands import build as commands
from analysis.pages import book
from tests.small_studies import SHOP, build_quickly, write_study

HEAVY = ("pandas", "numpy", "scipy", "sklearn", "joblib", "pyarrow")
FILE = SHOP["sources"][0]["path"]
SLOW = ((sampling, "gather_evidence"), (choices, "run_all"), (usefulness, "_prove_outcomes"), (rules, "find_tree"))
"""What the stages do whose results are cached: evidence, comparison of choices, proof and rules."""


class ComputedAgainError(Exception):
    """A stage was computed whose results are there."""


def refuse(*_: Any, **__: Any) -> None:
    raise ComputedAgainError


@pytest.fixture
def shop(project: Path) -> Path:
    """Build a small study in a copy of the project."""
    write_study(project, SHOP)
    build_quickly(project)
    return project


def add_line(file: Path, line: str = "\n# changed\n") -> None:
    with file.open("a", encoding="utf-8") as text:
        text.write(line)


def pages_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in (root / "site").rglob("*.qmd")}


@pytest.mark.slow
def test_a_build_with_nothing_to_do_does_not_wait_for_the_analysis_to_be_imported() -> None:
    """What finds the data, compares the stamp, and looks up earlier runs starts without the libraries that compute."""
    code = (
        "import sys, analysis.cli, analysis.commands.build, analysis.past.archive, analysis.publish.render;"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_after_a_change_of_pages_they_are_written_again_from_the_last_report(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, report = pages_of(shop), (shop / "build" / "report.json").read_bytes()
    monkeypatch.setattr(commands, "_make", refuse)
    add_line(shop / "analysis/pages/text/compare.py")
    assert build_quickly(shop).fresh and pages_of(shop) == before
    add_line(shop / "templates/pages/compare.qmd", "\nAnother sentence.\n")
    assert build_quickly(shop).fresh
    assert {name for name, text in pages_of(shop).items() if text != before.get(name)} == {"site/compare.qmd"}
    (shop / "site" / "index.qmd").unlink()
    assert "site/index.qmd was missing" in build_quickly(shop).told[0]
    assert (shop / "site" / "index.qmd").read_bytes() == before["site/index.qmd"]
    assert not build_quickly(shop).fresh
    assert (shop / "build" / "report.json").read_bytes() == report


@pytest.mark.parametrize(
    "changed",
    [
        "analysis/segments/names.py",
        "analysis/base/formats.py",
        "templates/playbook.yml",
        "_quarto.yml",
        "data/shop.csv",
    ],
)
def test_after_a_change_of_what_the_report_depends_on_it_is_made_again(
    changed: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_make", refuse)
    add_line(shop / changed)
    with pytest.raises(ComputedAgainError):
        build_quickly(shop)


def test_pages_are_not_written_from_a_damaged_report(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_make", refuse)
    add_line(shop / "analysis/pages/text/compare.py")
    add_line(shop / "build" / "report.json", " ")
    with pytest.raises(ComputedAgainError):
        build_quickly(shop)


def test_pages_that_were_written_in_part_are_written_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pages_of(shop)
    add_line(shop / "analysis/pages/text/compare.py")
    with monkeypatch.context() as patch:
        patch.setattr(book, "_sweep_generated", refuse)
        (shop / "site" / "index.qmd").unlink()
        with pytest.raises(ComputedAgainError):
            build_quickly(shop)
    assert not (shop / "build" / "stamp.json").exists()
    assert build_quickly(shop).fresh and pages_of(shop) == before


def test_another_name_of_a_segment_takes_the_results_of_all_slow_stages(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = next((shop / "site" / "segments").glob("[!i]*.qmd")).stem
    write_study(shop, {**SHOP, "subtitle": "Another", "names": {slug: "Friends of the house"}})
    for module, name in SLOW:
        monkeypatch.setattr(module, name, refuse)
    build_quickly(shop)
    assert "Friends of the house" in (shop / "site" / "segments" / "index.qmd").read_text(encoding="utf-8")
    add_line(shop / "analysis/segments/names.py")
    build_quickly(shop)


@pytest.mark.parametrize(
    ("module", "name", "changed"),
    [
        (sampling, "gather_evidence", {"segments": 2}),
        (sampling, "gather_evidence", {"seed": 1}),
        (sampling, "gather_evidence", {"locale": "de"}),
        (choices, "run_all", {"scaling": "robust"}),
        (usefulness, "_prove_outcomes", {"locale": "de"}),
        (usefulness, "_prove_outcomes", {"customers": "members"}),
        (rules, "find_tree", {"min_cell": 12}),
    ],
)
def test_a_setting_that_a_stage_reads_makes_it_compute_again(
    module: Any, name: str, changed: dict[str, Any], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(shop, {**SHOP, **changed})
    monkeypatch.setattr(module, name, refuse)
    with pytest.raises(ComputedAgainError):
        build_quickly(shop)


def test_force_takes_no_result_of_an_earlier_build(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "gather_evidence", refuse)
    with pytest.raises(ComputedAgainError):
        build_quickly(shop, force=True)


def test_two_studies_in_one_folder_take_their_own_results(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (shop / "build" / "report.json").read_bytes()
    other = {**SHOP, "title": "Another study", "segments": 2}
    write_study(shop, other)
    build_quickly(shop)
    second = (shop / "build" / "report.json").read_bytes()
    monkeypatch.setattr(sampling, "gather_evidence", refuse)
    for settings, report in ((SHOP, first), (other, second)):
        write_study(shop, settings)
        build_quickly(shop)
        assert (shop / "build" / "report.json").read_bytes() == report
