"""Readings: the words beside the numbers of the evidence say what the numbers say, whatever was decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.assignment import trees
from analysis.assignment.trees import Part
from analysis.base.formats import in_sentence
from analysis.clustering.choices import Factor
from analysis.clustering.ladder import Ladder
from analysis.clustering.preferences import Preferences
from analysis.clustering.resample import summarise
from analysis.pages.text import evidence as readings
from analysis.pages.text import methodology, overview, placing
from analysis.report.model import Report
from tests.stages import run_stages


@pytest.fixture(scope="module")
def report() -> Report:
    return run_stages().report


def preferring(report: Report, **prefers: int | None) -> Report:
    """Let the criteria prefer other numbers of segments."""
    return replace(report, evidence=replace(report.evidence, prefers=replace(report.evidence.prefers, **prefers)))


def all_preferring(report: Report, k: int) -> Report:
    return preferring(report, **dict.fromkeys(Preferences.__slots__, k))


def agreeing(report: Report, **agreement: float) -> Report:
    """Let algorithms agree to another degree with segments of k-means."""
    many = report.evidence.multiverse
    factor = Factor("algorithm", tuple(agreement), tuple(agreement.values()), 0.5)
    evidence = replace(report.evidence, multiverse=replace(many, factors=(factor,)))
    decision = replace(report.decision, algorithm="kmeans", algorithm_title="k-means")
    return replace(report, evidence=evidence, decision=decision)


def test_stability_comes_first_and_points_to_what_was_decided(report: Report) -> None:
    first, *others = readings.criteria(report)
    assert (first.title, first.k) == ("Stability", report.decision.k)
    assert "decides" in first.text
    assert len(others) == 7
    prefers = report.evidence.prefers
    assert [card.k for card in others] == [getattr(prefers, name) for name in (
        "silhouette", "elbow", "calinski_harabasz", "davies_bouldin", "gap", "prediction_strength", "bic",
    )]  # fmt: skip


def test_a_criterion_without_an_opinion_says_so(report: Report) -> None:
    changed = preferring(report, gap=None, bic=None, prediction_strength=1)
    found = {card.title: card.reading for card in readings.criteria(changed)}
    assert found["Gap"] == "does not settle"
    assert found["BIC of the mixture"] == "no opinion"
    assert found["Prediction strength"] == "points to 1: no groups"


def test_criteria_that_part_from_the_decision_are_named_with_their_number(report: Report) -> None:
    k = report.decision.k
    text = readings.disagreement(replace(all_preferring(report, k), decision=replace(report.decision, k=k)))
    assert text.startswith("All other criteria also point to")
    text = readings.disagreement(preferring(all_preferring(report, k), gap=k + 3, silhouette=k - 1))
    assert text.startswith(f"The silhouette ({k - 1}) would take fewer segments; the gap ({k + 3}) would take more")
    assert "the Calinski-Harabasz index" in text and "as well" in text
    fixed = replace(all_preferring(report, k + 1), decision=replace(report.decision, fixed=True))
    assert "the analyst fixed" in readings.disagreement(fixed)


def test_the_decision_is_told_as_what_it_was(report: Report) -> None:
    assert "finest split that still comes back" in readings.decision_words(report)[0]
    fixed = replace(report, decision=replace(report.decision, fixed=True))
    assert readings.decision_words(fixed)[0].endswith("fixed by the analyst.")
    rows = tuple(replace(r, eligible=False) for r in report.evidence.by_k)
    loose = replace(report, evidence=replace(report.evidence, by_k=rows))
    assert "no number of segments comes back reliably" in readings.decision_words(loose)[0]
    rows = tuple(replace(r, stability=summarise([]), why_not="smallest segment") for r in report.evidence.by_k)
    unsampled = replace(report, evidence=replace(report.evidence, by_k=rows))
    assert readings.decision_words(unsampled)[1] == "It was not resampled: smallest segment."


def test_the_table_of_the_rule_marks_what_fails_and_what_was_not_measured(report: Report) -> None:
    headings, lines = readings.requirements(report)
    assert [line.k for line in lines if line.published] == [report.decision.k]
    assert len(headings) == len(lines[0].cells) == len(report.evidence.by_k[0].checks)
    for line, row in zip(lines, report.evidence.by_k, strict=True):
        assert [cell.holds for cell in line.cells] == [c.holds if c.value is not None else None for c in row.checks]
    first, *rest = report.evidence.by_k
    blank = replace(first, checks=(*first.checks[:2], *(replace(c, value=None) for c in first.checks[2:])))
    _, lines = readings.requirements(replace(report, evidence=replace(report.evidence, by_k=(blank, *rest))))
    assert [cell.text for cell in lines[0].cells[2:]] == ["not measured", "not measured"]


@pytest.mark.parametrize("n", [1, 9])
def test_a_share_of_a_few_customers_is_not_told_apart(report: Report, n: int) -> None:
    few = readings.cell_share(report, n / report.study.n_customers)
    assert few == readings.cell_share(report, 5 / report.study.n_customers)
    assert few.startswith("under ")
    assert readings.cell_share(report, report.study.min_cell / report.study.n_customers) == few.removeprefix("under ")
    assert readings.cell_share(report, 0.0) == report.formats().percent(0)


@pytest.mark.parametrize(("mixture", "ward", "answer"), [(0.9, 0.8, "No:"), (0.9, 0.2, "Partly:"), (0.3, 0.2, "Yes:")])
def test_whether_another_algorithm_tells_another_story(
    report: Report, mixture: float, ward: float, answer: str
) -> None:
    first, second = readings.another_story(agreeing(report, kmeans=0.9, mixture=mixture, ward=ward))
    assert first.startswith(answer)
    assert f"Gaussian mixture {mixture:.2f} and Ward {ward:.2f}" in second


def test_an_agreement_that_just_misses_the_same_story_does_not_read_as_reaching_it(report: Report) -> None:
    first, second = readings.another_story(agreeing(report, kmeans=0.9, mixture=0.646, ward=0.7))
    assert first.startswith("Partly:")
    assert "Gaussian mixture 0.646 and Ward 0.70 (k-means itself 0.90)" in second


def test_a_number_beyond_the_most_allowed_is_told_as_that(report: Report) -> None:
    most = str(report.decision.k - 1)
    settings = tuple(
        (name, most if name == "max_segments" else value, why) for name, value, why in report.study.settings
    )
    judged = tuple(replace(a, k=report.decision.k) if a.name == "ward" else a for a in report.evidence.algorithms)
    changed = replace(
        report,
        study=replace(report.study, settings=settings),
        evidence=replace(report.evidence, algorithms=judged),
    )
    told = {row[0]: row[-1] for row in readings.how_each_did(changed).rows}
    assert told["Ward"] == f"More than the {most} allowed"


def test_a_value_that_misses_its_bound_by_little_has_a_digit_more(report: Report) -> None:
    first, *rest = report.evidence.by_k
    near = (*first.checks[:2], replace(first.checks[2], value=0.8473, holds=False), first.checks[3])
    rows = (replace(first, checks=near), *rest)
    _, lines = readings.requirements(replace(report, evidence=replace(report.evidence, by_k=rows)))
    assert lines[0].cells[2].text == "0.847"


def test_each_algorithm_stands_beside_the_published_one_at_the_same_number(report: Report) -> None:
    table = readings.how_each_did(report)
    scores = {str(r.k): f"{r.score:.2f}" for r in report.evidence.by_k}
    assert [row[0] for row in table.rows] == [a.title for a in report.evidence.algorithms]
    at, beside = table.columns.index("Its own number"), table.columns.index(f"{report.decision.algorithm_title} there")
    for row in table.rows:
        assert len(row) == len(table.columns)
        assert row[beside] == scores.get(row[at], "–")


def test_only_samples_that_were_taken_are_told(report: Report) -> None:
    small = replace(report, study=replace(report.study, n_core=400, n_customers=500))
    assert "sample of" not in " ".join(methodology.sampling(small)).replace("resample", "")
    large = replace(report, study=replace(report.study, n_core=90_000, n_customers=100_000))
    text = " ".join(methodology.sampling(large))
    for most in ("5,000", "20,000", "2,000"):
        assert f"a seeded sample of {most} customers" in text
    assert "standard error" in text


def test_a_segments_stability_is_called_the_index_that_it_is_and_silhouettes_say_whom_they_leave_out() -> None:
    report = run_stages().report
    segment = report.segments[0]
    text = readings.how_sure(report, segment)
    assert f"Jaccard index {segment.slsw:.2f}" in text and "of its members" not in text
    assert ("with unusual customers left out" in text) == (report.study.n_core < report.study.n_customers)
    everyone = replace(report, study=replace(report.study, n_core=report.study.n_customers))
    assert "left out" not in readings.how_sure(everyone, segment)


def test_a_bound_that_lies_far_below_the_share_reads_most() -> None:
    assert placing._told(Part(0.56, True)) == "most"
    assert placing._told(Part(0.93, True)) == "at least 93%"
    assert placing._told(Part(0.56, False)) == "56%"
    assert trees._part(21, 23, 10) == Part(0.56, True)


@pytest.mark.parametrize("kind", ["reproducible", "constructive"])
def test_levels_of_one_thing_are_called_so_and_the_bands_are_offered(kind: str, report: Report) -> None:
    rungs = tuple(range(1, len(report.segments) + 1))
    ladder = Ladder(("spend",), rungs, 0.94, tuple(100.0 * rung for rung in rungs[:-1]))
    levels = replace(
        report, evidence=replace(report.evidence, ladder=ladder), verdict=replace(report.verdict, kind=kind)
    )
    label = in_sentence(report.variable("spend").label)
    text = readings.ladder_words(levels)
    assert "94%" in text
    assert f"by {label} alone" in text
    assert all(report.formats().value(cut, report.variable("spend").unit) in text for cut in ladder.cuts)
    assert f"levels of one thing, {label}:" in overview.trust(levels)
    several = replace(levels, evidence=replace(levels.evidence, ladder=replace(ladder, variables=("spend",), cuts=())))
    assert "a score of" in readings.ladder_words(several)


def test_other_segments_are_not_called_levels(report: Report) -> None:
    plain = replace(report, evidence=replace(report.evidence, ladder=None))
    assert readings.ladder_words(plain) == ""
    assert "levels" not in overview.trust(plain)
