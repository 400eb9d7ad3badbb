"""Sentences about structure are right for every shape that the evidence can have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.clustering.selection import stability_band
from analysis.clustering.solutions import Neighbour
from analysis.pages.text.stability import advice, choices_in_short, choices_reading, fewer_and_more, solid_or_shaky
from analysis.report.model import Report
from tests.stages import run_stages


@pytest.fixture(scope="module")
def report() -> Report:
    """Give a study with at least three segments, its verdict a good one."""
    found = run_stages().report
    assert len(found.segments) >= 3
    return replace(found, verdict=replace(found.verdict, kind="reproducible"))


def with_stability(report: Report, *values: float) -> Report:
    """Give segments other stabilities; the last one is that of all that remain."""
    filled = (*values, *[values[-1]] * len(report.segments))
    segments = tuple(replace(s, slsw=x, band=stability_band(x)) for s, x in zip(report.segments, filled, strict=False))
    return replace(report, segments=segments)


def with_neighbours(report: Report, *neighbours: Neighbour, **decision: Any) -> Report:
    evidence = replace(report.evidence, neighbours=neighbours)
    return replace(report, evidence=evidence, decision=replace(report.decision, **decision))


def neighbour(report: Report, step: int, change: Any, segments: tuple[int, ...], **other: Any) -> Neighbour:
    variable = "" if change == "reshuffle" else report.forming()[0].name
    plain = Neighbour(report.decision.k + step, change, segments, (), variable, 1.23, 0.4, 0.9, 0.3, 0.1)
    return replace(plain, **other)


def test_all_solid_is_said_with_the_span() -> None:
    report = with_stability(run_stages().report, 0.91, 0.97)
    report = replace(report, verdict=replace(report.verdict, kind="reproducible"))
    assert solid_or_shaky(report).startswith("All ")
    assert "0.91 to 0.97" in solid_or_shaky(report)
    (only,) = advice(report)
    assert only.short == "nothing to mend" and report.segments[0].name in only.text


def test_a_shaky_segment_is_named_and_has_its_advice(report: Report) -> None:
    shaky = with_stability(report, 0.66, 0.9)
    first, *rest = shaky.segments
    sentence = solid_or_shaky(shaky)
    solid, unsure = sentence.split("Shaky: ")
    assert f"{first.name} (0.66)" in unsure
    assert all(s.name in solid for s in rest)
    (told,) = advice(shaky)
    assert (told.title, told.short) == (first.name, "plan, do not target")


def test_a_segment_that_dissolves_is_not_to_be_acted_on(report: Report) -> None:
    assert advice(with_stability(report, 0.4, 0.9))[0].short == "do not act on it"


def test_a_shaky_segment_is_told_which_one_it_merges_with(report: Report) -> None:
    shaky = with_neighbours(with_stability(report, 0.66, 0.9), neighbour(report, -1, "merge", (1, 2)))
    assert f"becomes one with {report.segments[1].name}" in advice(shaky)[0].text


def test_no_solid_segment_is_said(report: Report) -> None:
    none = with_stability(report, 0.5, 0.7)
    assert solid_or_shaky(none).startswith("No segment is solid")
    assert len(advice(none)) == len(report.segments)


def test_without_structure_nothing_is_called_solid(report: Report) -> None:
    none = replace(with_stability(report, 0.97), verdict=replace(report.verdict, kind="none"))
    assert "no segment is solid" in solid_or_shaky(none)
    assert [a.short for a in advice(none)] == ["do not act on them"]


def test_a_merge_names_the_segments_and_what_tells_them_apart(report: Report) -> None:
    fewer, _ = fewer_and_more(with_neighbours(report, neighbour(report, -1, "merge", (1, 2))))
    first, second = report.segments[:2]
    assert fewer.short == f"merges {first.letter} and {second.letter}"
    assert f"{first.letter} ({first.name}) and {second.letter} ({second.name}) become one" in fewer.text
    assert f"“{report.forming()[0].label}” (1.2 standard deviations)" in fewer.text
    assert "agree to 0.90" in fewer.text and "silhouette 0.30" in fewer.text


def test_a_split_tells_its_parts(report: Report) -> None:
    n = neighbour(report, 1, "split", (2,), parts=(0.3, 0.7))
    _, more = fewer_and_more(with_neighbours(report, n))
    assert more.short == f"splits {report.segments[1].letter}"
    assert "parts of 70% and 30%" in more.text


def test_a_part_of_a_few_customers_is_not_counted(report: Report) -> None:
    share = 4 / report.segments[1].n
    n = neighbour(report, 1, "split", (2,), parts=(share, 1 - share))
    _, more = fewer_and_more(with_neighbours(report, n))
    assert f"fewer than {report.study.min_cell}" in more.text
    assert "%" not in more.text.split(".")[0]


def test_a_reshuffle_names_no_segment_and_no_variable(report: Report) -> None:
    fewer, _ = fewer_and_more(with_neighbours(report, neighbour(report, -1, "reshuffle", ())))
    assert fewer.short == "a different cut"
    assert "all borders move" in fewer.text and "0.40" in fewer.text
    assert "standard deviations" not in fewer.text


def test_a_solution_that_fails_says_why(report: Report) -> None:
    k = report.decision.k
    by_k = tuple(
        replace(r, eligible=False, why_not="stability 0.63, under 0.85") if r.k == k + 1 else r
        for r in report.evidence.by_k
    )
    report = replace(report, evidence=replace(report.evidence, by_k=by_k))
    _, more = fewer_and_more(with_neighbours(report, neighbour(report, 1, "reshuffle", ())))
    assert "does not hold: stability 0.63, under 0.85." in more.text


def test_a_number_that_the_analyst_fixed_is_told(report: Report) -> None:
    fixed = with_neighbours(report, neighbour(report, -1, "reshuffle", ()), fixed=True)
    assert "was fixed by the analyst" in fewer_and_more(fixed)[0].text


def test_two_segments_have_none_fewer_but_one(report: Report) -> None:
    fewer, more = fewer_and_more(with_neighbours(report, k=2))
    assert fewer.short == "no segments" and "everyone is treated alike" in fewer.text
    assert more.short == "not tried"


def test_a_density_method_has_no_neighbours(report: Report) -> None:
    assert fewer_and_more(replace(report, evidence=replace(report.evidence, slsa=(), neighbours=()))) == ()


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.8, "need not worry"), (0.6, "depend partly"), (0.2, "depend on analysis choices: most others")],
)
def test_what_follows_from_other_choices_depends_on_how_many_agree(report: Report, share: float, words: str) -> None:
    found = replace(report.evidence.multiverse, agree_share=share)
    other = replace(report, evidence=replace(report.evidence, multiverse=found))
    assert words in choices_reading(other)
    assert report.formats().percent(share) in choices_in_short(other)
