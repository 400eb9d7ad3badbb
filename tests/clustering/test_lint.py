"""The linter finds what is wrong with a recipe, finds nothing else, and says it in whole sentences."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analysis.clustering.lint import Finding, lint
from analysis.settings.load import load_study
from tests.stages import ROOT, run_stages, take_through, temporary_folder, twin_file

NOTEBOOK = {
    "date-order",
    "age-at-today",
    "duplicates-without-key",
    "sum-beside-parts",
    "near-copies",
    "label-encoded",
    "borrowed-k",
    "reduced-space",
}
"""What is wrong with the public notebook's recipe; a sum beside its parts and near-copies are one fault of seven."""


@pytest.fixture(scope="module")
def notebook() -> tuple[Finding, ...]:
    root = temporary_folder() / "notebook"
    root.mkdir()
    return take_through(twin_file(500), load_study(ROOT, "notebook"), root).report.findings


def test_the_notebooks_recipe_has_its_findings(notebook: tuple[Finding, ...]) -> None:
    found = {finding.rule for finding in notebook}
    assert found - {"constants", "few-customers"} == NOTEBOOK


def test_an_age_names_both_years(notebook: tuple[Finding, ...]) -> None:
    age = next(finding for finding in notebook if finding.rule == "age-at-today")
    assert age.title == "Age is counted from 2021, the data end in 2014"


def test_the_default_study_has_none_of_them() -> None:
    found = {finding.rule for finding in run_stages().report.findings}
    assert found & NOTEBOOK <= {"duplicates-without-key"}


def test_no_finding_shows_the_name_of_a_variable(notebook: tuple[Finding, ...]) -> None:
    for finding in (*notebook, *run_stages().report.findings):
        assert re.search(r"[{}]|None|nan", f"{finding.title} {finding.why} {finding.done}") is None


def test_a_few_repeated_rows_are_not_counted_out() -> None:
    stages = run_stages()
    few = replace(stages.cleaned, duplicates=4)
    found = lint(stages.study, stages.raw, few, stages.table, stages.prepared, stages.evidence)
    assert "fewer than 10 rows repeat" in next(f.title for f in found if f.rule == "duplicates-without-key")
