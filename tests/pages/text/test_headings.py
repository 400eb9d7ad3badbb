"""Headings and leads that state something are true of any report, at its edges too."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.formats import in_words, number
from analysis.pages.charts import compare
from analysis.pages.downloads.briefs import key_numbers
from analysis.pages.text import act, evidence, finder, overview, placing
from analysis.pages.text.stability import choices_reading
from analysis.report.model import Report
from analysis.report.parts import CategoryProfile
from tests.pages.text.test_overview import with_shares
from tests.stages import run_stages

DRAWS = settings(max_examples=100, deadline=None)
KINDS = st.sampled_from(("natural", "reproducible", "constructive", "none"))


def of_kind(report: Report, kind: str) -> Report:
    return replace(report, verdict=replace(report.verdict, kind=kind))


@DRAWS
@given(shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=9), kind=KINDS)
def test_the_number_of_segments_is_the_one_that_headings_state(shares: list[float], kind: str) -> None:
    report = of_kind(with_shares(run_stages().report, shares, None), kind)
    title, lead = overview.evidence_title(report), overview.on_personas(report)
    words = in_words(len(shares))
    if kind == "none":
        assert title == "Why no segments" and lead.startswith("No personas")
    else:
        assert title == f"Why {words} segment{'s' * (len(shares) > 1)}"
        assert lead.lower().startswith(f"{words} segment{'s' * (len(shares) > 1)}")
        assert ("largest first" in lead) == (len(shares) > 1)


@DRAWS
@given(left=st.integers(0, 2240), shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=9))
def test_a_finding_counts_only_customers_that_have_a_segment(left: int, shares: list[float]) -> None:
    report = with_shares(run_stages().report, shares, None)
    report = replace(report, unassigned=left, study=replace(report.study, n_customers=2240))
    text = overview.finding(of_kind(report, "natural"))
    assert text.startswith("The customers form") == (not left)
    if 0 < left < report.study.min_cell:
        assert text.startswith("All but a few customers form")
    elif 0 < left < 1120:
        assert text.startswith(f"All but {number(left)} customers form")
    elif left:
        assert text.startswith(f"{report.formats().percent(1 - left / 2240)} of customers form")
    if left:
        assert f"{report.formats().people(left)} customers belong to no segment" in overview.read_picture(report)
    else:
        assert "no segment" not in overview.read_picture(report)


def test_data_with_a_date_are_not_said_to_have_none() -> None:
    report = run_stages().report
    dated = replace(report, study=replace(report.study, as_of="2014-06-30"))
    bare = replace(dated, card=replace(report.card, oldest="", newest=""))
    assert overview.span_of_data(bare) == "one snapshot, without a time span"
    assert overview.span_of_data(replace(bare, study=replace(bare.study, as_of=""))) == "no dates in the data"
    spanned = replace(bare, card=replace(bare.card, oldest="2012-08", newest="2014-06"))
    assert overview.span_of_data(spanned) == "2012-08 to 2014-06"


@pytest.mark.parametrize("level", ["BBQ", "SUVs", "A&E", "Married"])
def test_a_level_keeps_its_capitals_in_a_title(level: str) -> None:
    report = run_stages().report
    one: CategoryProfile = compare.mosaics(report)[0]
    named = replace(one, levels=(level, *one.levels[1:]))
    others = tuple(named if c is one else c for c in report.categories)
    title = compare.mosaic(replace(report, categories=others, contrasts=()), 0).title
    quoted = re.findall(r"“([^”]+)”", title)
    assert quoted and set(quoted) <= set(named.levels), title


def test_the_key_numbers_of_a_study_name_its_segments_its_value_and_its_stability() -> None:
    report = run_stages().report
    worth = tuple(replace(v, label="GMV of BBQ") if v.name == report.study.value else v for v in report.variables)
    labels = [label for _, label, _ in key_numbers(replace(report, variables=worth))]
    assert labels == ["customers", "segments", "GMV of BBQ", "agreement between resamples"]
    bare = replace(report, study=replace(report.study, value=""))
    assert [label for _, label, _ in key_numbers(bare)][1:] == ["segments", "agreement between resamples"]
    assert key_numbers(of_kind(report, "none"))[1][1] == "segments were tried"


@DRAWS
@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_leads_about_placing_state_the_share_that_is_placed(shares: list[float]) -> None:
    report = run_stages().report
    tree = replace(report.rules.tree, fidelity=shares[0])
    shown = replace(report, rules=replace(report.rules, tree=tree))
    (stated,) = re.findall(r"places? (\d+|all|none|hardly any|[a-z ]+?) of 100", placing.in_short(shown)) or [""]
    assert not stated.isdigit() or abs(int(stated) - 100 * shares[0]) <= 1, placing.in_short(shown)
    if report.questions is not None:
        asked = replace(report.questions, accuracy=shares[1])
        text = finder.in_short(replace(report, questions=asked))
        said = [int(x) for x in re.findall(r"(\d+) of 100", text)]
        assert not said or abs(said[0] - 100 * shares[1]) <= 1 or "fewer do not keep" in text, text


@DRAWS
@given(share=st.floats(0, 1))
def test_a_lead_about_choices_follows_the_share_that_agrees(share: float) -> None:
    report = run_stages().report
    many = replace(report.evidence.multiverse, agree_share=share)
    text = choices_reading(replace(report, evidence=replace(report.evidence, multiverse=many)))
    assert ("most reasonable ones lead to the same" in text) <= (share > 0.5)
    assert ("most others lead to different segments" in text) <= (share < 0.5)


@DRAWS
@given(means=st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_whether_another_algorithm_would_differ_goes_by_its_agreement(means: list[float]) -> None:
    report = run_stages().report
    many = report.evidence.multiverse
    at = next(f for f in many.factors if f.name == "algorithm")
    changed = replace(at, means=tuple(means[: len(at.options)]))
    factors = tuple(changed if f is at else f for f in many.factors)
    shown = replace(report, evidence=replace(report.evidence, multiverse=replace(many, factors=factors)))
    others = {
        evidence.ALGORITHMS[name].title: mean
        for name, mean in zip(changed.options, changed.means, strict=True)
        if name != report.decision.algorithm
    }
    same = {name for name, mean in others.items() if mean >= evidence.AGREES}
    text = evidence.another_story(shown)[0]
    said = re.search(r"segments (.+?) would tell the same story", text)
    assert {name for name in others if said and name in said[1]} == same
    answer = "No" if same == set(others) else "Partly" if same else "Yes"
    assert text.startswith(f"{answer}:")


@DRAWS
@given(verdicts=st.lists(st.booleans(), min_size=9, max_size=9))
def test_act_starts_with_segments_that_have_an_action(verdicts: list[bool]) -> None:
    report = run_stages().report
    segments = tuple(s if keep else replace(s, plan=()) for s, keep in zip(report.segments, verdicts, strict=False))
    shown = replace(report, segments=segments)
    lead, first = act.lead(shown), act.first_rows(shown)
    with_plan = {s.letter for s in segments if s.plan}
    if not first:
        assert lead == "There is no plan for this study."
    else:
        named = set(re.findall(r"\b([A-I])\b", lead.partition(",")[0] if len(first) < 3 else lead))
        assert named == {row.segment.letter for row in first} and named <= with_plan
        assert ("segments " in lead) == (len(first) > 1)


@DRAWS
@given(title=st.sampled_from(("highly stable", "valid", "a pattern", "do not trust")), silhouette=st.floats(-0.2, 0.9))
def test_how_far_to_trust_a_segment_goes_by_its_band_and_its_gap(title: str, silhouette: float) -> None:
    report = run_stages().report
    text = evidence.how_sure(report, replace(report.segments[0], band=title, silhouette=silhouette))
    words = {"highly stable": "almost unchanged", "valid": "most of its members", "a pattern": "only in part"}
    assert words.get(title, "does not come back") in text
    gap = "no clear gap" if silhouette < 0.25 else "a weak gap" if silhouette < 0.5 else "a clear gap"
    assert gap in text
