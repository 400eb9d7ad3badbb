"""The page about tests, and where their results show besides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.pages.charts.learned import forest
from analysis.pages.text import act
from analysis.report.lessons import gather_lessons, learn
from analysis.report.model import Report
from tests.report.test_lessons import MONEY, NONE, SHARE, make_test
from tests.stages import run_stages


def taught(report: Report) -> Report:
    """Give a report three measured tests and one that runs, each of the first action of a plan."""
    slots = [(s, next(slot for slot in s.plan if slot.action)) for s in report.segments]
    effects = [(SHARE, "ordered"), (NONE, "ordered"), (MONEY, "spend"), (None, "ordered")]
    tests = [
        make_test(
            effect, kpi, f"t{i}", title=slot.action, action=f"{segment.letter}.{slot.slot}", segments=(segment.slug,)
        )
        for i, ((segment, slot), (effect, kpi)) in enumerate(zip((slots * 4)[:4], effects, strict=True))
    ]
    lessons = gather_lessons(tests, {s.slug: s.n for s in report.segments}, "2025-06-01")
    segments = tuple(replace(s, plan=learn(s.slug, s.plan, lessons, report.formats())) for s in report.segments)
    return replace(report, lessons=lessons, segments=segments)


@pytest.mark.slow
def test_every_test_is_listed_also_those_that_found_nothing() -> None:
    report = taught(run_stages().report)
    assert act.say_learned(report) == (
        "Three tests have results: one works, one does harm and one brings too little to notice. One is running."
    )
    assert [test.state for test in act.list_learned(report)] == ["works", "no use", "does harm", "running"]
    figure = forest(report)
    assert figure is not None and figure.title == "2 of 3 measured effects are clear of chance"
    assert [row[1] for row in figure.table.rows] == ["1.50", "1.00", "0.79"]
    assert forest(run_stages().report) is None


@pytest.mark.slow
def test_an_action_that_failed_stands_last_and_is_not_first_for_anyone() -> None:
    report = taught(run_stages().report)
    failed = [row for row in act.rank_actions(report) if row.slot.verdict in ("useless", "harms")]
    assert failed and [row.rank for row in failed] == list(
        range(len(act.rank_actions(report)) - len(failed) + 1, len(act.rank_actions(report)) + 1)
    )
    assert not {row.rank for row in failed} & {row.rank for row in act.first_rows(report)}
    lines = [line for s in report.segments for line in act.lessons_of(report, s)]
    assert len(lines) == 3 and any("It does harm: stop it." in line for line in lines)


def test_without_a_result_the_headline_says_so() -> None:
    report = run_stages().report
    running = gather_lessons([make_test(None)], {}, "2025-06-01")
    assert act.say_learned(replace(report, lessons=running)) == "No test has a result yet. One is running."


@pytest.mark.slow
def test_a_test_of_several_segments_shows_each_of_them() -> None:
    report = run_stages().report
    one, other = (s.slug for s in report.segments[:2])
    harm = replace(SHARE, segment=other, lift=-0.1, low=-0.16, high=-0.04, ratio=0.67, ratio_low=0.5, ratio_high=0.8)
    test = make_test(NONE, segments=(one, other), action="", title="Card")
    assert test.results is not None
    test = replace(test, results=replace(test.results, effects=(NONE, replace(SHARE, segment=one), harm)))
    told = replace(report, lessons=gather_lessons([test], {one: 640, other: 640}, "2025-06-01"))
    (listed,) = act.list_learned(told)
    assert [(s.slug, state) for s, state, _ in listed.parts] == [(one, "works"), (other, "does harm")]
    assert listed.state == "depends on the segment"
    assert act.say_learned(told) == "One test has a result: it helps one segment and harms another."
    assert ["It works" in line for s in report.segments[:2] for line in act.lessons_of(told, s)] == [True, False]
    figure = forest(told)
    assert figure is not None
    assert [row[3] for row in figure.table.rows] == ["depends on the segment", "works", "does harm"]
