"""The Overview's finding is true of every report, and its picture adds up."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.customers.lifetime_value import Estimate
from analysis.pages.text import overview
from analysis.report.model import Report, Segment
from tests.stages import run_stages

WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
SHARES = st.lists(st.floats(0.01, 1), min_size=2, max_size=9)


def with_shares(report: Report, shares: list[float], values: list[float] | None) -> Report:
    """Give a report segments of these sizes and values, each scaled to a whole."""
    first = report.segments[0]
    worth = [None] * len(shares) if values is None else [x / sum(values) for x in values]
    segments: list[Segment] = [
        replace(first, id=i + 1, share=share / sum(shares), value_share=value)
        for i, (share, value) in enumerate(zip(shares, worth, strict=True))
    ]
    return replace(report, segments=tuple(segments))


def stated(text: str) -> list[float]:
    """Read the shares that a finding states."""
    figures = {m.start(): float(m[1]) / 100 for m in re.finditer(r"([\d.]+)%", text)}
    pattern = rf"\b({'|'.join(WORDS)}) in ({'|'.join(WORDS)})\b"
    words = {m.start(): WORDS[m[1]] / WORDS[m[2]] for m in re.finditer(pattern, text.lower())}
    half = {m.start(): 0.5 for m in re.finditer(r"\bhalf of\b", text.lower())}
    return [share for _, share in sorted((figures | words | half).items())]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(shares=SHARES, values=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_a_finding_states_shares_that_a_segment_has(shares: list[float], values: list[float]) -> None:
    values = [max(x, 1e-6) for x in values[: len(shares)]]
    shown = with_shares(run_stages().report, shares, values)
    text = overview.finding(shown)
    pairs = [(s.share, s.value_share or 0) for s in shown.segments]
    if "brings about as much" in text:
        assert all(value - share < overview.EVEN for share, value in pairs)
        return
    told = stated(text)
    assert len(told) == 2, text
    assert any(
        abs(told[0] - share) <= overview.NEAR and abs(told[1] - value) <= overview.NEAR for share, value in pairs
    ), (text, pairs)
    assert told[1] > told[0], text
    assert re.search(r"\bOne in \w+ \w+ brings\b", text) or not text.startswith("One "), text


@settings(max_examples=100, deadline=None)
@given(shares=SHARES)
def test_without_a_value_the_finding_is_about_size(shares: list[float]) -> None:
    shown = with_shares(run_stages().report, shares, None)
    (told,) = stated(overview.finding(shown))
    assert told == pytest.approx(max(s.share for s in shown.segments), abs=0.006)


def test_one_segment_and_no_structure_have_findings_of_their_own() -> None:
    report = run_stages().report
    one = with_shares(report, [1], [1])
    assert overview.finding(one) == "The customers form one group"
    none = replace(report, verdict=replace(report.verdict, kind="none"))
    assert "no groups of customers" in overview.finding(none)
    assert overview.trust(none).startswith("Do not act")


@settings(max_examples=100, deadline=None)
@given(shares=SHARES, values=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_the_area_of_a_column_is_its_share_of_value(shares: list[float], values: list[float]) -> None:
    values = [max(x, 1e-3) for x in values[: len(shares)]]
    shown = with_shares(run_stages().report, shares, values)
    columns = overview.draw_columns(shown)
    areas = [float(c.width) * float(c.height) for c in columns]
    assert max(float(c.height) for c in columns) == pytest.approx(100)
    for area, s in zip(areas, shown.segments, strict=True):
        assert area / sum(areas) == pytest.approx(s.value_share, abs=0.005)


def test_without_a_value_all_columns_are_equally_high() -> None:
    report = run_stages().report
    columns = overview.draw_columns(with_shares(report, [3, 1], None))
    assert len({c.height for c in columns}) == 1
    assert [float(c.width) for c in columns] == pytest.approx([75, 25])
    negative = with_shares(report, [1, 1], [3, -1])
    assert not overview.has_value(negative)


def with_bands(*bands: str) -> Report:
    report = with_shares(run_stages().report, [1.0] * len(bands), None)
    segments = (
        replace(s, band=band, letter=letter) for s, band, letter in zip(report.segments, bands, "ABCDEF", strict=False)
    )
    return replace(report, segments=tuple(segments), verdict=replace(report.verdict, kind="reproducible"))


def test_evidence_opens_with_what_it_means_for_plans() -> None:
    assert overview.on_stability(with_bands("valid", "highly stable")).startswith("Both segments are safe to plan with")
    mixed = overview.on_stability(with_bands("valid", "a pattern", "do not trust"))
    assert mixed == "Plan with A. Treat B and C as provisional until a later run confirms them."
    assert overview.on_stability(with_bands("a pattern", "a pattern")).startswith("Treat every segment as provisional")
    assert overview.trust(with_bands("valid", "valid")).endswith("treat the borders between them as soft.")
    assert "Be careful with B, which returns less reliably" in overview.trust(with_bands("valid", "a pattern"))


def test_what_the_segments_predict_is_not_overstated() -> None:
    report = run_stages().report
    targets = report.proof.targets
    assert targets
    none = replace(report.proof, later=(), outcomes=())
    assert "to understand, not to predict" in overview.on_usefulness(replace(report, proof=none))
    lost = replace(report.proof, later=(), outcomes=tuple(replace(t, beats_chance=False) for t in targets))
    assert overview.on_usefulness(replace(report, proof=lost)).startswith("Do not use the segments to predict")
    worse = replace(none, outcomes=(replace(targets[0], beats_chance=True, against="loses"),))
    said = overview.on_usefulness(replace(report, proof=worse))
    assert said.startswith("Use the segments to decide what to say to whom. To choose whom to contact, take ")
    assert said.endswith(", which predict it better.")
    halved = replace(none, outcomes=(replace(targets[0], beats_chance=True, against="loses", tiers_against="open"),))
    said = overview.on_usefulness(replace(report, proof=halved))
    assert "To choose whom to contact, use their halves, which predict it about as well as " in said
    halved = replace(none, outcomes=(*halved.outcomes, replace(worse.outcomes[0], tiers_against="loses")))
    assert "take " in overview.on_usefulness(replace(report, proof=halved))
    tree = next(s for s in targets[0].scores if s.name == "tree")
    for high, advice in ((-0.1, "take a small decision tree, which predicts it better."), (0.1, "You can use")):
        scores = (targets[0].scores[0], replace(tree, lead=Estimate(-0.2, -0.3, high)))
        alone = replace(targets[0], beats_chance=True, against=None, rival="", scores=scores)
        assert advice in overview.on_usefulness(replace(report, proof=replace(none, outcomes=(alone,))))


@pytest.mark.parametrize(("missing", "words"), [(0, "nearly complete"), (0.05, "Some values"), (0.4, "Many values")])
def test_missing_values_are_told_by_their_share(missing: float, words: str) -> None:
    report = run_stages().report
    cells = sum(source.rows * source.columns for source in report.data.sources)
    data = replace(report.data, missing_cells=round(missing * cells))
    assert words in overview.on_data(replace(report, data=data))
