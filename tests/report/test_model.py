"""The Report: to JSON and back without a change, rounded, and nothing in it that JSON cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.report.model import DIGITS, VERDICTS, Report, from_json, read_report, to_json
from analysis.report.write import Tool, _headline, write_report
from tests.stages import project_study, run_stages, take_through, twin_file


@pytest.fixture(scope="module")
def report() -> Report:
    return run_stages().report


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, float):
        yield value


@pytest.mark.slow
def test_a_report_comes_back_from_its_json_as_it_was(report: Report) -> None:
    assert from_json(to_json(report)) == report
    assert to_json(from_json(to_json(report))) == to_json(report)


def test_the_file_of_the_build_is_the_report(report: Report) -> None:
    assert read_report(run_stages().build / "report.json") == report


def test_numbers_are_rounded_so_that_two_machines_agree(report: Report) -> None:
    found = list(numbers_in(json.loads(to_json(report))))
    assert len(found) > 500
    assert all(x == float(f"{x:.{DIGITS}g}") or (abs(x) >= 10**DIGITS and x == round(x)) for x in found)


@pytest.mark.slow
def test_a_total_of_millions_keeps_its_whole_digits(report: Report) -> None:
    large = replace(report, value_total=1_356_988.37)
    assert from_json(to_json(large)).value_total == 1_356_988.0
    assert from_json(to_json(replace(report, value_total=135_698.837))).value_total == 135_699.0


def test_a_report_cannot_be_changed(report: Report) -> None:
    with pytest.raises(FrozenInstanceError):
        report.unassigned = 3  # type: ignore[misc]


@pytest.mark.slow
def test_a_report_of_another_version_is_told_with_the_command_to_run(report: Report, tmp_path: Path) -> None:
    old = json.loads(to_json(report))
    del old["verdict"]
    for text in (json.dumps(old), "{}", "", "not json", "[]"):
        (tmp_path / "report.json").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="from another version") as caught:
            read_report(tmp_path / "report.json")
        assert "python -m analysis build" in str(caught.value)


def test_a_report_that_is_not_there_is_told_with_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist yet") as caught:
        read_report(tmp_path / "report.json")
    assert "python -m analysis build" in str(caught.value)


def test_sizes_and_shares_add_up_to_everyone(report: Report) -> None:
    assert sum(s.n for s in report.segments) + report.unassigned == report.study.n_customers == 500
    assert sum(s.share for s in report.segments) + report.unassigned / 500 == pytest.approx(1, abs=1e-5)
    assert sum(s.value_share or 0 for s in report.segments) <= 1 + 1e-5


def test_the_headline_holds_the_numbers_of_the_most_valuable_segment(report: Report) -> None:
    formats = report.formats()
    best = max(report.segments, key=lambda s: (s.value_share or 0) / s.share)
    assert "500 customers" in report.verdict.headline
    if report.verdict.kind != "none":
        assert formats.percent(best.share) in report.verdict.headline
        assert formats.percent(best.value_share or 0) in report.verdict.headline


def test_a_split_along_one_column_is_named_as_a_category() -> None:
    analysis = run_stages().analysis
    column = analysis.features.prepared.columns()[1].label
    evidence = replace(analysis.evidence, verdict="constructive", category=1)
    found = write_report(replace(analysis, evidence=evidence), Tool({}))
    assert f"“{column}”" in found.verdict.sentence and "a category" in found.verdict.sentence
    other = write_report(replace(analysis, evidence=replace(evidence, category=None)), Tool({}))
    assert other.verdict.sentence == VERDICTS["constructive"][1]


def test_the_report_holds_no_row_of_a_customer(report: Report) -> None:
    text = to_json(report)
    keys = run_stages().cleaned.keys
    long_keys = [key for key in keys if len(key) >= 4]
    quoted = [key for key in long_keys if f'"{key}"' in text]
    assert quoted == []


def test_a_descriptor_that_one_segment_lacks_is_left_out_and_the_rest_is_written(tmp_path: Path) -> None:
    stages = run_stages()
    rows = pd.read_csv(twin_file(500), sep="\t")
    segment = pd.Series(stages.evidence.labels, index=stages.cleaned.keys.astype(int))
    inside = rows["ID"].map(segment) == 1
    found = take_through(rows.assign(Income=rows["Income"].mask(inside, np.nan)), project_study(), tmp_path)
    assert "Income" in found.report.hidden
    assert all(s.difference("Income") is None for s in found.report.segments)
    assert from_json(to_json(found.report)) == found.report


def test_of_two_segments_one_is_the_smaller_and_not_the_smallest(report: Report) -> None:
    two = tuple(
        replace(s, n=n, share=share, value_share=worth)
        for s, n, share, worth in zip(report.segments, (700, 300), (0.7, 0.3), (0.4, 0.6), strict=False)
    )
    study = replace(report.study, n_customers=1000)
    told = _headline(0, two, "reproducible", study, "spend")
    assert told == "1,000 customers form two groups; the smaller, 30% of them, brings 60% of spend."
    assert "small" not in _headline(0, two[:1], "reproducible", study, "spend")
    left = _headline(100, two, "reproducible", study, "spend")
    assert left == "900 of 1,000 customers form two groups; the smaller, 30% of all, brings 60% of spend."
