"""Every chart of the site, and its static picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import vl_convert
from joblib import delayed

from analysis.base.cache import Kept
from analysis.base.formats import chart_locale
from analysis.base.workers import run_parallel
from analysis.pages.assets import themed
from analysis.pages.charts import algorithms as algorithm_charts
from analysis.pages.charts import compare as descriptor_charts
from analysis.pages.charts import data as data_charts
from analysis.pages.charts import evidence as evidence_charts
from analysis.pages.charts import explore as explore_charts
from analysis.pages.charts import index as charts
from analysis.pages.charts import stability as structure_charts
from analysis.pages.figures import WIDTH, Figure
from analysis.pages.text import changes as news
from analysis.pages.text import validation as trials
from analysis.report.model import Report

MOST_DRAWN = 26
"""Columns that the Data page draws; more would weigh too much for a phone. All are in its table."""


def draw_all(report: Report) -> Iterator[Figure]:
    """Every chart of the site, once, each when it is asked for."""
    columns = [c for c in report.data.columns if c.bars][:MOST_DRAWN]
    each = (
        charts.value_against_size,
        charts.concentration,
        charts.heat_map,
        explore_charts.distributions,
        explore_charts.segment_map,
        explore_charts.parallel_coordinates,
        descriptor_charts.outcomes,
        descriptor_charts.descriptors,
        *(partial(descriptor_charts.mosaic, index=i) for i in range(len(descriptor_charts.mosaics(report)))),
        descriptor_charts.expected_spend,
        descriptor_charts.rfm_grid,
        *(partial(descriptor_charts.proof, index=i) for i in range(len(report.proof.targets))),
        evidence_charts.stability,
        evidence_charts.elbow,
        evidence_charts.silhouette,
        evidence_charts.calinski_harabasz,
        evidence_charts.davies_bouldin,
        evidence_charts.gap,
        evidence_charts.prediction_strength,
        evidence_charts.bic,
        evidence_charts.null_reference,
        evidence_charts.gaussian_reference,
        algorithm_charts.algorithms,
        algorithm_charts.dendrogram,
        algorithm_charts.reach,
        algorithm_charts.ward_groups,
        structure_charts.segment_stability,
        structure_charts.neighbours,
        structure_charts.flow,
        structure_charts.sharpness,
        structure_charts.gorge,
        structure_charts.multiverse,
        structure_charts.main_effects,
        structure_charts.left_out,
        *(partial(data_charts.distribution, column=c) for c in columns),
        trials.recovery,
        data_charts.missing_values,
        data_charts.missing_together,
        data_charts.correlation_map,
        data_charts.association_map,
        *(partial(data_charts.coverage, index=i) for i in range(len(report.data.sources))),
        *(partial(charts.persona_profile, segment=s) for s in report.segments),
    )
    yield from filter(None, (draw(report) for draw in each))
    yield from filter(None, news.draw(report))


def draw_pictures(figures: Iterable[Figure], tokens: dict[str, str], kept: Kept | None = None) -> dict[str, str]:
    """The static picture of each chart, by id; drawn side by side, and while the next figure is made."""
    draw, ids = kept.keep(draw_svg) if kept else draw_svg, []

    def jobs() -> Iterator[Any]:
        for figure in figures:
            ids.append(figure.id)
            spec = themed(figure.spec, tokens)
            if spec.get("width") == "container":
                spec = {**spec, "width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
            yield delayed(draw)({"$schema": _SCHEMA, **spec}, chart_locale())

    drawn = list(run_parallel(jobs(), at_once=True))
    return {name: _numbered(svg) for name, svg in zip(ids, drawn, strict=True)}


def draw_svg(spec: dict[str, Any], locale: dict[str, Any] | None) -> str:
    return vl_convert.vegalite_to_svg(spec, format_locale=locale)


def _numbered(svg: str) -> str:
    """Count clips and gradients anew; Vega counts on over all pictures of a process, in whatever order it got them."""
    numbers: dict[str, int] = {}
    marks = re.compile(r'((?:id="|url\(#)(?:clip|gradient_))(\d+)')
    return marks.sub(lambda mark: f"{mark[1]}{numbers.setdefault(mark[2], len(numbers) + 1)}", svg)


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
