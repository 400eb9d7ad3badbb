"""Words of the Data page: how the files were read."""

from __future__ import annotations

from dataclasses import replace

from analysis.pages.text.data import reading
from tests.stages import run_stages


def test_the_reading_says_what_a_row_is_what_forms_the_segments_and_what_is_left_out() -> None:
    report = run_stages().report
    lines = reading(report)
    assert lines[0].startswith(f"{report.data.sources[0].name}: a row is one of the {report.study.customers}")
    forming = [v.label for v in report.variables if v.role == "feature"]
    assert lines[1].startswith(f"The segments are formed by {forming[0]}")
    assert all(label in lines[1] for label in forming[:8])
    assert report.value_label().lower() in lines[2].lower()
    n_ignored = sum(column.role == "ignore" for column in report.data.columns)
    assert any("left out" in line for line in lines) == (n_ignored > 0)


def test_without_a_value_the_reading_says_that_sizes_are_told_alone() -> None:
    report = run_stages().report
    without = replace(report, study=replace(report.study, value=None))
    assert "No column is surely a value, so the pages speak of sizes alone." in reading(without)
