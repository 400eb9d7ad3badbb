"""The targeting workshop: scores follow from the report's numbers, and say where segments do not differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analysis.base.errors import InputError
from analysis.customers.lifetime_value import Estimate
from analysis.pages.text import workshop
from analysis.past.records import Before, Change, SegmentChange
from analysis.profiles.value import ExpectedSpend
from analysis.report.model import Report
from analysis.segments.targeting import WEIGHT, Targeting, weigh_segments
from analysis.settings.load import check_study
from analysis.settings.models import TargetingChoices
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, take_through


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    study = check_study({**SHOP, "segments": 3, "algorithm": "kmeans"})
    return take_through(make_shop(600), study, tmp_path_factory.mktemp("shop"))


def weighed(stages: Stages, **choices: object) -> Targeting:
    study = stages.study.model_copy(update={"targeting": TargetingChoices.model_validate(choices)})
    segments, variables = stages.profiles.segments, stages.table.variables
    return weigh_segments(segments, variables, stages.report.rules, None, study)


def held(report: Report) -> Targeting:
    assert report.targeting is not None
    return report.targeting


def test_the_best_scores_a_hundred_and_half_the_number_half_of_it(stages: Stages) -> None:
    for criterion in held(stages.report).criteria:
        best = max(criterion.values)
        assert max(criterion.scores) == 100
        assert criterion.scores == pytest.approx([100 * x / best for x in criterion.values], abs=0.51)


def test_numbers_are_those_of_the_personas(stages: Stages) -> None:
    report = stages.report
    by_name = {c.name: c for c in held(report).criteria}
    assert list(by_name) == ["size", "value", "reachability", "response"]
    assert by_name["size"].values == tuple(s.share for s in report.segments)
    for name in ("value", "response"):
        told = [s.difference(by_name[name].variable) for s in report.segments]
        assert by_name[name].values == tuple(d.summary.mean for d in told if d)
    f1 = [2 * r.precision * r.recall / (r.precision + r.recall) for r in report.rules.tree.segments]
    assert by_name["reachability"].values == pytest.approx(f1, rel=1e-5)


def test_totals_and_order_follow_from_scores_and_weights(stages: Stages) -> None:
    found = weighed(stages, weights={"size": 20, "value": 80, "reachability": 0, "response": 40})
    scores = {c.name: c.scores for c in found.criteria}
    for i, total in enumerate(found.total):
        parts = 20 * scores["size"][i] + 80 * scores["value"][i] + 40 * scores["response"][i]
        assert total == pytest.approx(parts / 140)
        assert found.attractiveness[i] == pytest.approx((20 * scores["size"][i] + 80 * scores["value"][i]) / 100)
        assert found.fit[i] == scores["response"][i]
    assert list(found.order) == sorted(found.order, key=lambda j: -(found.total[j - 1] or 0))


def test_a_criterion_without_a_difference_says_so_and_weighs_nothing(stages: Stages) -> None:
    alike = tuple(replace(s, share=0.25 + s.id / 1000, n=125) for s in stages.profiles.segments)
    study, rules = stages.study, stages.report.rules
    size = weigh_segments(alike, stages.table.variables, rules, None, study).criteria[0]
    assert (size.name, size.apart, size.weight) == ("size", False, 0)
    far = tuple(replace(s, share=(0.7, 0.1)[s.id > 1]) for s in stages.profiles.segments)
    size = weigh_segments(far, stages.table.variables, rules, None, study).criteria[0]
    assert (size.apart, size.weight) == (True, WEIGHT)


def test_without_any_weight_nothing_is_claimed(stages: Stages) -> None:
    none = weighed(stages, weights=dict.fromkeys(("size", "value", "reachability", "response"), 0))
    assert set(none.total) == {None}
    lines = workshop.ranking(replace(stages.report, targeting=none))
    assert {cell for line in lines for cell in line.cells} == {"–"}


def test_what_the_study_does_not_hold_is_left_out_and_said(stages: Stages) -> None:
    bare = tuple(replace(s, differences=()) for s in stages.profiles.segments)
    found = weigh_segments(bare, stages.table.variables, stages.report.rules, None, stages.study)
    assert [c.name for c in found.criteria] == ["size", "reachability"]
    told = workshop.left_out(replace(stages.report, targeting=found))
    assert "value" in told and "response" in told and "growth" in told


def test_what_is_expected_of_the_next_year_is_weighed_where_it_is_known(stages: Stages) -> None:
    each = (Estimate(10, 9, 11), Estimate(5, 4, 6), Estimate(5, 4, 6))
    expected = ExpectedSpend(Estimate(20, 17, 23), Estimate(7, 6, 8), each, "BG/NBD", (), 600, 300, 52.0, 0.1, 0.95)
    segments, variables = stages.profiles.segments, stages.table.variables
    found = weigh_segments(segments, variables, stages.report.rules, expected, stages.study)
    (outlook,) = (c for c in found.criteria if c.name == "outlook")
    assert (outlook.scores, outlook.apart, outlook.axis) == ((100, 50, 50), True, "attractiveness")
    rows = {row[0]: row[1:] for row in workshop.sources(replace(stages.report, targeting=found)).rows}
    assert rows["Outlook"] == ("10 (100)", "5 (50)", "5 (50)")


def test_growth_is_weighed_where_every_segment_was_there_before(stages: Stages) -> None:
    shares = {1: 0.2, 2: 0.3, 3: 0.5}
    kept = tuple(
        SegmentChange("kept", None, j, None, None, 100, share, None, (0.1, 0.05, 0.15), None, None)
        for j, share in shares.items()
    )
    before = Before("2014-01-01-abcdef", "2014-01-01", 500, "reproducible", 3, "k-means", 0.2, 0.9)
    change = Change(before, "centres", None, kept, (), (), ())
    given = (stages.profiles.segments, stages.table.variables, stages.report.rules, None, stages.study)
    (growth,) = (c for c in weigh_segments(*given, change).criteria if c.name == "growth")
    assert growth.values == pytest.approx((1.5, 1 + 1 / 3, 1.2))
    assert (growth.scores, growth.apart) == ((100, 89, 80), False)
    one_new = replace(change, segments=kept[:2])
    assert "growth" not in [c.name for c in weigh_segments(*given, one_new).criteria]


def test_the_response_is_an_outcome_of_the_study(stages: Stages) -> None:
    assert (
        next(c.variable for c in weighed(stages, response="responded").criteria if c.name == "response") == "responded"
    )
    assert "response" not in {c.name for c in weighed(stages, response="").criteria}
    with pytest.raises(InputError, match=r"targeting\.response: 'respond' is not a yes/no outcome") as caught:
        weighed(stages, response="respond")
    assert "responded" in str(caught.value)


def test_settings_that_are_no_criterion_or_no_weight_are_refused() -> None:
    for weights in ({"sise": 50}, {"size": 101}, {"size": -1}):
        with pytest.raises(InputError, match="targeting"):
            check_study({**SHOP, "targeting": {"weights": weights}})


def test_the_page_shows_each_number_beside_its_score(stages: Stages) -> None:
    report = stages.report
    size, value, *_ = workshop.sources(report).rows
    formats, found = report.formats(), held(report).criteria
    assert size[1:] == tuple(
        f"{formats.percent(s.share)} ({x})" for s, x in zip(report.segments, found[0].scores, strict=True)
    )
    assert value[0] == "Value" and f"({found[1].scores[0]})" in value[1]
    data = json.loads(workshop.data(report))
    assert [c["scores"] for c in data["criteria"]] == [list(c.scores) for c in found]
    assert [s["solid"] for s in data["segments"]] == [s.band in ("highly stable", "valid") for s in report.segments]


def test_one_segment_leaves_nothing_to_choose(stages: Stages) -> None:
    one = replace(stages.report, segments=stages.report.segments[:1])
    assert workshop.in_short(one).startswith("There is one segment")
