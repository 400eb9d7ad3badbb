"""Every count of the report is rounded on its way in, and a release too near to the last one is held back."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.base.disclosure import COUNT_STEP, Disclosure
from analysis.report.disclosure import COUNTS, DIGITS, DISTINCT, MEASURES, SHARES, publish
from analysis.report.model import Report, to_json
from analysis.report.release import guard, mark_customers, write_customers
from tests.stages import run_stages

NO_CUSTOMERS = {
    "Report.schema_version", "StudyInfo.min_cell", "StudyInfo.seed", "SourceSummary.columns", "MissingPattern.groups",
    "Relations.n_variables", "Decision.k", "CandidateEvidence.k", "Stability.pairs", "AlgorithmEvidence.k",
    "Preferences.elbow", "Preferences.silhouette", "Preferences.calinski_harabasz", "Preferences.davies_bouldin",
    "Preferences.gap", "Preferences.prediction_strength", "Preferences.bic", "Level.k", "Level.segments", "Neighbour.k",
    "Tied.k", "Tier.segment", "ChosenForUse.by_stability",
    "Ladder.rungs", "Neighbour.segments", "Reach.neighbours", "Multiverse.k", "Strand.segment", "Segment.id",
    "Claim.against", "Portrait.nearest", "Design.weeks", "Slot.line", "Difference.certainty", "Difference.direction",
    "Node.yes", "Node.no", "PastForecast.weeks", "Node.segment", "Tree.questions", "Recognition.id", "Score.n_groups",
    "Usefulness.halvings", "Usefulness.draws", "Usefulness.most", "Usefulness.scored",
    "RfmCell.recency", "RfmCell.frequency", "Rate.held", "Rate.tries", "Planted.draws",
    "Planted.verdicts", "Groupless.verdicts", "Way.study_k", "Concentration.segments", "Before.k", "SegmentChange.now",
    "SegmentChange.into", "TraitShift.now", "Flow.to", "Questions.seconds", "Criterion.scores", "Criterion.weight",
    "Example.points", "Shapes.n_groups", "ShapeCell.group", "ShapeCell.segment", "Targeting.order",
    "Experiment.days", "Lesson.days_left", "Build.customers", "Build.columns", "Aggregation.transactions",
    "Aggregation.customers", "Placing.customers",
}  # fmt: skip
"""Whole numbers of the report that count no customers of the study."""
FOLLOW = {
    "Holdout.treated", "Holdout.held", "Effect.treated", "Effect.control", "Experiment.planned", "Lesson.customers",
}  # fmt: skip
"""Counts that are computed from rounded ones, or rounded where a test is measured."""


def whole_numbers(kind: object, seen: set[type]) -> Iterator[str]:
    """Yield class and field of each whole number in a type, as "Class.field"."""
    for part in typing.get_args(kind):
        yield from whole_numbers(part, seen)
    if isinstance(kind, type) and is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        hints = typing.get_type_hints(kind)
        for field in fields(kind):
            if holds_int(hints[field.name]):
                yield f"{kind.__name__}.{field.name}"
            yield from whole_numbers(hints[field.name], seen)


def holds_int(kind: object) -> bool:
    return kind is int or any(map(holds_int, typing.get_args(kind)))


def test_every_whole_number_of_the_report_is_rounded_or_counts_no_customers() -> None:
    found = set(whole_numbers(Report, set()))
    known = {f"{name}.{field}" for table in (COUNTS, DISTINCT) for name, names in table.items() for field in names}
    assert found - known == NO_CUSTOMERS | FOLLOW
    assert known <= found


def values_of(part: object, table: dict[str, tuple[str, ...]]) -> Iterator[float]:
    """Yield the numbers of the fields in a table, in the order of the report."""
    if isinstance(part, (tuple, list)):
        for item in part:
            yield from values_of(item, table)
    elif isinstance(part, dict):
        yield from values_of(tuple(part.values()), table)
    elif is_dataclass(part):
        for field in fields(part):
            value = getattr(part, field.name)
            if field.name not in table.get(type(part).__name__, ()):
                yield from values_of(value, table)
            elif isinstance(value, tuple):
                yield from (x for row in value for x in (row if isinstance(row, tuple) else (row,)))
            elif value is not None:
                yield value


def test_what_is_published_is_the_rounding_of_what_is_there() -> None:
    report = run_stages().report
    rounded = publish(report, Disclosure())
    pairs = list(zip(values_of(report, COUNTS), values_of(rounded, COUNTS), strict=True))
    assert len(pairs) > 100
    for exact, told in pairs:
        assert told == exact < 10 or (told % COUNT_STEP == 0 and abs(told - exact) <= COUNT_STEP / 2)
    for exact, told in zip(values_of(report, SHARES), values_of(rounded, SHARES), strict=True):
        assert told == pytest.approx(round(100 * exact) / 100, abs=0.0101) and abs(told - exact) <= 0.0051
    measures = list(zip(flat(values_of(report, MEASURES)), flat(values_of(rounded, MEASURES)), strict=True))
    assert len(measures) > 100 and all(told == float(f"{exact:.{DIGITS}g}") for exact, told in measures)
    assert publish(rounded, Disclosure()) == rounded
    assert publish(report, Disclosure(public=False)) == report


def flat(values: Iterator[object]) -> Iterator[float]:
    """Yield the numbers of tuples in tuples."""
    for value in values:
        if isinstance(value, tuple):
            yield from flat(iter(value))
        elif isinstance(value, float):
            yield value


def in_public(report: Report) -> Report:
    settings = tuple(
        (name, "public" if name == "disclosure" else value, about) for name, value, about in report.study.settings
    )
    return replace(report, study=replace(report.study, settings=settings))


@pytest.mark.slow
@pytest.mark.parametrize(("gone", "held"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_release_a_few_customers_apart_keeps_the_last_figures(tmp_path: Path, gone: int, held: bool) -> None:
    report = in_public(run_stages().report)
    keys, values = pd.Series([f"c{i}" for i in range(500)]), pd.DataFrame({"spend": np.arange(500.0)})
    everyone, fewer = mark_customers(keys, values), mark_customers(keys[gone:], values[gone:])
    (tmp_path / "report.json").write_text(to_json(report), encoding="utf-8")
    write_customers(tmp_path, everyone)
    found = guard(tmp_path, report, fewer, recorded=True)
    assert found.last == (report if held else None)
    assert ("Fewer than 10 customers" in found.message) == held
    other = replace(report, study=replace(report.study, title="Another study"))
    assert guard(tmp_path, other, fewer, recorded=True).last is None
    assert guard(tmp_path, run_stages().report, fewer, recorded=True).last is None
    assert guard(tmp_path / "nothing", report, fewer, recorded=True).last is None
    # As a build leaves it that was killed between the two files.
    (tmp_path / "report.json").write_bytes((tmp_path / "report.json").read_bytes() + b" ")
    torn = guard(tmp_path, replace(report, study=replace(report.study, synthetic=False)), fewer, recorded=True)
    assert torn.last is None and "guard is off" in torn.message


@pytest.mark.slow
@pytest.mark.parametrize(("changed", "held"), [(0, False), (1, True), (9, True), (10, False)])
@pytest.mark.parametrize("keyed", [True, False])
def test_customers_whose_values_changed_count_too(tmp_path: Path, changed: int, held: bool, keyed: bool) -> None:
    report = in_public(run_stages().report)
    keys = pd.Series([f"c{i}" for i in range(500)]) if keyed else None
    values = pd.DataFrame({"spend": np.arange(500.0), "region": ["North", "South"] * 250})
    (tmp_path / "report.json").write_text(to_json(report), encoding="utf-8")
    write_customers(tmp_path, mark_customers(keys, values))
    later = values.assign(spend=values["spend"].where(values.index >= changed, -1.0))
    assert guard(tmp_path, report, mark_customers(keys, later), recorded=True).last == (report if held else None)


@pytest.mark.slow
def test_a_build_says_that_the_release_guard_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    report = in_public(run_stages().report)
    report = replace(report, study=replace(report.study, synthetic=False))
    people = mark_customers(pd.Series(["a"]), pd.DataFrame({"spend": [1.0]}))

    def say(report: Report, people: pd.DataFrame, recorded: bool = True) -> str:
        return guard(tmp_path, report, people, recorded).message

    assert "The release guard is off" in say(report, people)
    assert say(report, people, recorded=False) == ""
    assert say(replace(report, study=replace(report.study, synthetic=True)), people) == ""
    assert say(run_stages().report, people) == ""
    monkeypatch.setenv("CI", "true")
    assert "The release guard is off" in say(report, people, recorded=False)
    (tmp_path / "report.json").write_text(to_json(report), encoding="utf-8")
    write_customers(tmp_path, people)
    assert say(report, people) == ""
    other = mark_customers(pd.Series(["b"]), pd.DataFrame({"spend": [2.0]}))
    assert "The pages keep the figures of the last build" in say(report, other)
    changed = replace(report, study=replace(report.study, settings=report.study.settings[1:]))
    changed = in_public(changed)
    assert "Settings changed, and fewer than" in say(changed, other)
    assert say(changed, people) == ""
