"""Charts of structure: flow, gorge and other choices show what the Report holds, whatever its shape."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from analysis.clustering.solutions import Level
from analysis.pages.charts import choices as choices_charts
from analysis.pages.charts import stability
from analysis.pages.figures import Figure, tag
from analysis.report.model import EvidenceInfo, Report
from tests.stages import run_stages

FEW = Level(3, (1, 3, 2), (0.5, 0.004, 0.496), (1.0, 0.5, 1.0), ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0)))
"""A solution with two of 500 customers in a segment."""


@pytest.fixture(scope="module")
def report() -> Report:
    return run_stages().report


def with_evidence(report: Report, **changes: Any) -> Report:
    evidence: EvidenceInfo = replace(report.evidence, **changes)
    return replace(report, evidence=evidence)


def rows(figure: Figure, field: str) -> list[dict[str, Any]]:
    """Give the rows of the data sets that have a field."""
    return [row for rows in figure.spec["datasets"].values() for row in rows if field in row]


@pytest.mark.slow
def test_every_segment_of_the_chain_has_a_block_as_wide_as_its_share(report: Report) -> None:
    figure = stability.flow(report)
    assert figure
    drawn = [(row["k"], round(row["high"] - row["low"], 2)) for row in rows(figure, "text")]
    held = [(level.k, round(share, 2)) for level in report.evidence.slsa for share in level.shares]
    assert [k for k, _ in drawn] == [k for k, _ in held]
    assert [width for _, width in drawn] == pytest.approx([share for _, share in held], abs=0.011)


def test_blocks_of_a_level_do_not_overlap(report: Report) -> None:
    figure = stability.flow(report)
    assert figure
    for level in report.evidence.slsa:
        blocks = [row for row in rows(figure, "text") if row["k"] == level.k]
        assert all(left["high"] < right["low"] for left, right in pairwise(blocks))


def test_the_published_level_alone_has_letters(report: Report) -> None:
    figure = stability.flow(report)
    assert figure
    lettered = {(row["k"], row["letter"]) for row in rows(figure, "text") if row["letter"]}
    assert lettered == {(report.decision.k, s.letter) for s in report.segments}


def test_ribbons_start_and_end_within_the_blocks_they_join(report: Report) -> None:
    figure = stability.flow(report)
    assert figure
    blocks = rows(figure, "text")
    ribbons = rows(figure, "edge")
    assert ribbons
    for row in ribbons:
        k = round(row["k"])
        assert any(b["low"] - 0.002 <= row["low"] and row["high"] <= b["high"] + 0.006 for b in blocks if b["k"] == k)


def test_a_solution_with_a_segment_of_a_few_ends_the_chain(report: Report) -> None:
    first = report.evidence.slsa[0]
    assert first.k == 2 and report.study.n_customers == 500
    figure = stability.flow(with_evidence(report, slsa=(first, FEW, *report.evidence.slsa[2:])))
    assert figure is None


def test_a_density_method_has_no_flow(report: Report) -> None:
    bare = with_evidence(report, slsa=(), neighbours=())
    assert stability.flow(bare) is None
    assert stability.neighbours(bare) is None


def test_the_small_flow_holds_the_published_solution_and_its_neighbours(report: Report) -> None:
    figure = stability.neighbours(report)
    assert figure
    k = report.decision.k
    assert {row["k"] for row in rows(figure, "text")} == {k - 1, k, k + 1} & {x.k for x in report.evidence.slsa}


def test_bars_of_the_gorge_are_those_of_its_table(report: Report) -> None:
    figure = stability.gorge(report)
    drawn = [(row["segment"], f"{row['low']:.2f}", f"{row['high']:.2f}") for row in rows(figure, "share")]
    assert drawn == [row[:3] for row in figure.table.rows]
    for segment, found in zip(report.segments, report.evidence.gorge, strict=True):
        own = [row["share"] for row in rows(figure, "share") if row["segment"] == tag(segment)]
        assert own == [round(share, 3) for share in found.shares]


def test_each_way_has_a_cell_and_the_published_one_is_marked(report: Report) -> None:
    cells = rows(choices_charts.multiverse(report), "agreement")
    found = report.evidence.multiverse
    assert len({(c["features"], c["outliers"], c["choice"]) for c in cells}) == len(found.choices)
    (marked,) = [cell for cell in cells if cell["mark"] == "published"]
    assert marked["features"] == "As published"
    assert report.decision.algorithm_title in marked["choice"]


def test_without_the_published_way_among_them_the_caption_promises_no_outline(report: Report) -> None:
    choices = tuple(replace(c, published=False) for c in report.evidence.multiverse.choices)
    other = with_evidence(report, multiverse=replace(report.evidence.multiverse, choices=choices))
    assert "Outlined" in choices_charts.multiverse(report).caption
    assert "Outlined" not in choices_charts.multiverse(other).caption


def test_a_study_of_two_features_leaves_none_out(report: Report) -> None:
    assert (
        choices_charts.left_out(with_evidence(report, multiverse=replace(report.evidence.multiverse, without=())))
        is None
    )


def test_ways_that_all_agree_alike_have_no_choice_that_matters(report: Report) -> None:
    found = report.evidence.multiverse
    factors = tuple(replace(f, means=(1.0,) * len(f.options), matters=0.0) for f in found.factors)
    alike = with_evidence(report, multiverse=replace(found, factors=factors, agree_share=1.0))
    assert choices_charts.main_effects(alike).title == "No choice makes a difference"


@pytest.mark.slow
def test_charts_of_structure_are_light(report: Report) -> None:
    for draw in (
        "segment_stability",
        "neighbours",
        "flow",
        "sharpness",
        "gorge",
        "multiverse",
        "main_effects",
        "left_out",
    ):
        page = stability if hasattr(stability, draw) else choices_charts
        figure = getattr(page, draw)(report)
        assert len(json.dumps(figure.spec)) <= 15_000, draw
