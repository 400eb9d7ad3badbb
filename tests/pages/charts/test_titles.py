"""Titles that state something are true of what their chart shows, at its edges too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.formats import in_words
from analysis.pages.charts import changes, compare, data, persona
from analysis.pages.charts.explore import paths, plane
from analysis.pages.figures import typical
from analysis.pages.portraits import build_card
from analysis.past.records import Before, Change, Flow, Identity, SegmentChange
from analysis.profiles.contrasts import Contrast
from analysis.report.model import Report, Segment
from tests.stages import run_stages

DRAWS = settings(max_examples=60, deadline=None)


def with_differences(report: Report, segment: Segment, scale: float) -> tuple[Report, Segment]:
    """Multiply how far a segment lies from everyone."""
    moved = tuple(
        replace(d, z=d.z * scale, z_low=d.z_low * scale, z_high=d.z_high * scale, z_median=d.z_median * scale)
        for d in segment.differences
    )
    changed = replace(segment, differences=moved)
    segments = tuple(changed if s.id == segment.id else s for s in report.segments)
    return replace(report, segments=segments), changed


@DRAWS
@given(scale=st.floats(0, 3))
def test_a_segment_that_is_like_everyone_is_not_said_to_lie_apart(scale: float) -> None:
    report, segment = with_differences(run_stages().report, run_stages().report.segments[0], scale)
    title = persona.title_profile(report, segment)
    forming = {v.name: v.label for v in report.forming()}
    furthest = max((d for d in segment.differences if d.variable in forming), key=lambda d: abs(d.z))
    if abs(furthest.z) < 0.2:
        assert title == "Close to everyone on every feature"
    else:
        word = "above" if furthest.z > 0 else "below"
        assert title == f"Furthest {word} everyone on “{forming[furthest.variable]}”"


def test_a_title_names_no_side_where_scale_and_original_units_disagree() -> None:
    report = run_stages().report
    segment = report.segments[0]
    forming = {v.name: v.label for v in report.forming()}
    furthest = max((d for d in segment.differences if d.variable in forming), key=lambda d: abs(d.z))
    unclear = replace(segment, differences=tuple(replace(d, direction=0) for d in segment.differences))
    assert persona.title_profile(report, unclear) == f"Furthest from everyone on “{forming[furthest.variable]}”"


@DRAWS
@given(scales=st.lists(st.floats(0, 3), min_size=9, max_size=9))
def test_the_feature_on_which_lines_lie_furthest_apart_is_named(scales: list[float]) -> None:
    report = run_stages().report
    for segment, scale in zip(report.segments, scales, strict=False):
        report, _ = with_differences(report, segment, scale)
    spread = {
        v.label: max(z) - min(z)
        for v in report.forming()
        if (z := [d.z_median for s in report.segments if (d := s.difference(v.name))])
    }
    widest = max(spread, key=lambda label: spread[label])
    if spread[widest] < 0.2:
        assert paths.title_paths(report) == "The segments hardly differ on any single feature"
    else:
        assert paths.title_paths(report) == f"The segments lie furthest apart on “{widest}”"


@DRAWS
@given(x=st.floats(0, 0.5), y=st.floats(0, 0.5))
def test_the_map_says_no_more_than_what_its_directions_hold(x: float, y: float) -> None:
    report = run_stages().report
    title = plane.title_map(replace(report, map=replace(report.map, explained=(x, y))))
    assert title.startswith("The two main directions show ") and report.formats().percent(x + y) in title
    assert "touch" not in title


@pytest.mark.slow
def test_negligible_differences_are_no_finding() -> None:
    report = run_stages().report
    shown = compare.descriptors(report)
    assert shown is not None
    label = shown.title.split(":")[0]
    name = next(v.name for v in report.variables if v.label == label)
    flat = replace(report, contrasts=(Contrast(name, "Kruskal-Wallis", "ε²", 0.001, "negligible", 0.4),))
    found = compare.descriptors(flat)
    assert found is not None and found.title == f"{label}: the segments hardly differ"
    category = compare.mosaics(report)[0]
    flat = replace(report, contrasts=(Contrast(category.variable, "chi-square", "V", 0.01, "negligible", 0.4),))
    assert compare.mosaic(flat, 0).title.endswith(": the segments hardly differ")
    assert "hardly" not in compare.mosaic(replace(report, contrasts=()), 0).title


def test_labels_keep_their_capitals() -> None:
    report = run_stages().report
    relations = report.data.correlations
    shouting = replace(relations, labels=tuple(label.upper() for label in relations.labels))
    figure = data.correlation_map(replace(report, data=replace(report.data, correlations=shouting)))
    assert figure is not None
    named = [label for label in shouting.labels if f"“{label}”" in figure.title]
    assert len(named) == 2


def test_a_yes_or_no_is_told_by_its_share() -> None:
    report = run_stages().report
    yes_no = next(v for v in report.variables if v.unit == "yes_no" and v.name in report.everyone)
    segment = report.segments[0]
    known = segment.difference(yes_no.name)
    assert known is not None
    base = report.everyone[yes_no.name]
    assert typical(report.formats(), known.summary, "yes_no") == report.formats().percent(known.summary.mean)
    assert typical(report.formats(), base, "count") == report.formats().value(base.median, "count")


@DRAWS
@given(share=st.floats(0.01, 1), worth=st.floats(-0.5, 1.5))
def test_a_meter_fills_its_track_by_the_share_itself(share: float, worth: float) -> None:
    report = run_stages().report
    card = build_card(report, replace(report.segments[0], share=share, value_share=worth), "")
    assert card["customers_pct"] == round(100 * share)
    assert card["value_pct"] == min(100, max(0, round(100 * worth)))


def change_of(report: Report, stayed: dict[int, float], ended: int) -> Report:
    """Give a report a run before: today's segments kept these parts of their customers, and more have ended."""

    def identity(letter: str) -> Identity:
        return Identity(f"was-{letter.lower()}", f"Was {letter}", letter, "#2f7fc4", "2014-01-01", f"Was {letter}")

    then = {number: identity("ABCDEFGH"[number - 1]) for number in stayed}
    gone = [identity("WXYZ"[i]) for i in range(ended)]
    numbers = (None, 100, 0.2, None, (0.1, 0.05, 0.15), None)
    kept = [SegmentChange("kept", then[j], j, None, *numbers, share) for j, share in stayed.items()]
    lost = [SegmentChange("death", each, None, None, *numbers, 0.0) for each in gone]
    flows = [Flow(then[j], 100, ((j, share), (-1, 1 - share))) for j, share in stayed.items()]
    flows += [Flow(each, 100, ((-1, 1.0),)) for each in gone]
    k = len(stayed) + ended
    before = Before("2014-01-01-abcdef", "2014-01-01", 500, "reproducible", k, "k-means", 0.2, 0.9)
    return replace(report, change=Change(before, "centres", None, tuple(kept + lost), (), (), tuple(flows)))


@DRAWS
@given(shares=st.lists(st.floats(0.01, 1), min_size=2, max_size=2), ended=st.integers(0, 3))
def test_who_stayed_counts_segments_that_ended(shares: list[float], ended: int) -> None:
    report = change_of(run_stages().report, dict(enumerate(shares, start=1)), ended)
    assert report.change is not None
    title = changes._say_who_stayed(report, report.change)
    least = report.segments[shares.index(min(shares))]
    whole = "All two segments go on" if not ended else f"Two of {in_words(2 + ended)} segments go on"
    assert title.startswith(whole)
    assert title.endswith(
        f"{least.name} kept the smallest part of its customers, {report.formats().percent(min(shares))}"
    )


def test_who_stayed_where_one_or_no_segment_goes_on() -> None:
    report = change_of(run_stages().report, {1: 0.4}, 2)
    assert report.change is not None
    title = changes._say_who_stayed(report, report.change)
    assert title == f"One of three segments goes on; {report.segments[0].name} kept 40% of its customers"
    none = change_of(report, {}, 2)
    assert none.change is not None
    assert changes._say_who_stayed(none, none.change) == "No segment of then goes on"
