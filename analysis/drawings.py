"""Every chart of the site, and its static picture."""

from __future__ import annotations

import re
from typing import Any

import vl_convert
from joblib import delayed

from analysis import (
    algorithm_charts,
    charts,
    data_charts,
    descriptor_charts,
    evidence_charts,
    explore_charts,
    news,
    structure_charts,
    trials,
)
from analysis.assets import themed
from analysis.figures import WIDTH, Figure
from analysis.formats import chart_locale
from analysis.kept import Kept
from analysis.report import Report
from analysis.workers import run_parallel

MOST_DRAWN = 26
"""Columns that the Data page draws; more would weigh too much for a phone. All are in its table."""


def draw_all(report: Report) -> list[Figure]:
    """Every chart of the site, once."""
    found = [
        charts.value_against_size(report),
        charts.concentration(report),
        charts.heat_map(report),
        explore_charts.distributions(report),
        explore_charts.segment_map(report),
        explore_charts.parallel_coordinates(report),
        descriptor_charts.outcomes(report),
        descriptor_charts.descriptors(report),
        *(descriptor_charts.mosaic(report, i) for i in range(len(descriptor_charts.mosaics(report)))),
        descriptor_charts.expected_spend(report),
        descriptor_charts.rfm_grid(report),
        *(descriptor_charts.proof(report, i) for i in range(len(report.proof.targets))),
        evidence_charts.stability(report),
        evidence_charts.elbow(report),
        evidence_charts.silhouette(report),
        evidence_charts.calinski_harabasz(report),
        evidence_charts.davies_bouldin(report),
        evidence_charts.gap(report),
        evidence_charts.prediction_strength(report),
        evidence_charts.bic(report),
        evidence_charts.null_reference(report),
        evidence_charts.gaussian_reference(report),
        algorithm_charts.algorithms(report),
        algorithm_charts.dendrogram(report),
        algorithm_charts.reach(report),
        algorithm_charts.ward_groups(report),
        structure_charts.segment_stability(report),
        structure_charts.neighbours(report),
        structure_charts.flow(report),
        structure_charts.sharpness(report),
        structure_charts.gorge(report),
        structure_charts.multiverse(report),
        structure_charts.main_effects(report),
        structure_charts.left_out(report),
        *(data_charts.distribution(report, c) for c in [c for c in report.data.columns if c.bars][:MOST_DRAWN]),
        trials.recovery(report),
        data_charts.missing_values(report),
        data_charts.missing_together(report),
        data_charts.correlation_map(report),
        data_charts.association_map(report),
        *(data_charts.coverage(report, i) for i in range(len(report.data.sources))),
        *news.draw(report),
        *(charts.persona_profile(report, s) for s in report.segments),
    ]
    return [figure for figure in found if figure]


def draw_pictures(figures: list[Figure], tokens: dict[str, str], kept: Kept | None = None) -> dict[str, str]:
    """The static picture of each chart, by id; drawn side by side, as drawing is the slow part."""
    specs = []
    for figure in figures:
        spec = themed(figure.spec, tokens)
        if spec.get("width") == "container":
            spec = {**spec, "width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
        specs.append({"$schema": _SCHEMA, **spec})
    draw = kept.keep(draw_svg) if kept else draw_svg
    drawn = run_parallel(delayed(draw)(spec, chart_locale()) for spec in specs)
    return {figure.id: _numbered(svg) for figure, svg in zip(figures, drawn, strict=True)}


def draw_svg(spec: dict[str, Any], locale: dict[str, Any] | None) -> str:
    return vl_convert.vegalite_to_svg(spec, format_locale=locale)


def _numbered(svg: str) -> str:
    """Count clips and gradients anew; Vega counts on over all pictures of a process, in whatever order it got them."""
    numbers: dict[str, int] = {}
    marks = re.compile(r'((?:id="|url\(#)(?:clip|gradient_))(\d+)')
    return marks.sub(lambda mark: f"{mark[1]}{numbers.setdefault(mark[2], len(numbers) + 1)}", svg)


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
