"""List of all charts, and their static pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from joblib import delayed

from analysis.base.cache import Kept
from analysis.base.locales import conventions
from analysis.base.workers import run_parallel
from analysis.pages.assets import themed
from analysis.pages.charts import (
    algorithms,
    changes,
    choices,
    compare,
    compare_value,
    compare_worth,
    data,
    evidence,
    learned,
    persona,
    proof,
    stability,
)
from analysis.pages.charts.explore import distributions, paths, plane
from analysis.pages.charts.tool import speed, validation
from analysis.pages.figures import WIDTH, Figure
from analysis.pages.pictures import draw_svg
from analysis.report.model import Report

MOST_DRAWN = 26
"""Columns that the Data page draws; more would weigh too much for a phone. All are in its table."""


def draw_all(report: Report) -> Iterator[Figure]:
    """Yield every chart of the site once, each when it is needed."""
    columns = [c for c in report.data.columns if c.bars][:MOST_DRAWN]
    each = (
        compare_worth.value_against_size,
        compare_value.concentration,
        compare.heat_map,
        distributions.distributions,
        plane.segment_map,
        paths.parallel_coordinates,
        compare_value.outcomes,
        compare.descriptors,
        *(partial(compare.mosaic, index=i) for i in range(len(compare.mosaics(report)))),
        compare_value.expected_spend,
        compare_value.back_test,
        compare_value.rfm_grid,
        learned.forest,
        *(partial(proof.proof, index=i) for i in range(len(report.proof.targets))),
        evidence.stability,
        evidence.elbow,
        evidence.silhouette,
        evidence.calinski_harabasz,
        evidence.davies_bouldin,
        evidence.gap,
        evidence.prediction_strength,
        evidence.bic,
        evidence.null_reference,
        evidence.gaussian_reference,
        algorithms.algorithms,
        algorithms.shapes,
        algorithms.dendrogram,
        algorithms.reach,
        algorithms.ward_groups,
        stability.segment_stability,
        stability.neighbours,
        stability.flow,
        stability.sharpness,
        stability.gorge,
        choices.multiverse,
        choices.main_effects,
        choices.left_out,
        *(partial(data.distribution, column=c) for c in columns),
        validation.recovery,
        validation.example,
        speed.growth,
        speed.rows,
        data.missing_values,
        data.missing_together,
        data.correlation_map,
        data.association_map,
        *(partial(data.coverage, index=i) for i in range(len(report.data.sources))),
        *(partial(persona.persona_profile, segment=s) for s in report.segments),
    )
    yield from filter(None, (draw(report) for draw in each))
    yield from filter(None, changes.draw(report))


def draw_pictures(figures: Iterable[Figure], tokens: dict[str, str], kept: Kept | None = None) -> dict[str, str]:
    """Draw the static picture of each chart in parallel, by id."""
    draw, ids = kept.keep(draw_svg) if kept else draw_svg, []
    number_locale, time_locale = conventions().number_locale(), conventions().time_locale()

    def jobs() -> Iterator[Any]:
        for figure in figures:
            ids.append(figure.id)
            spec = themed(figure.spec, tokens)
            if spec.get("width") == "container":
                spec = {**spec, "width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
            yield delayed(draw)({"$schema": _SCHEMA, **spec}, number_locale, time_locale)

    drawn = list(run_parallel(jobs(), at_once=True))
    return {name: _numbered(svg) for name, svg in zip(ids, drawn, strict=True)}


def _numbered(svg: str) -> str:
    """Renumber clips and gradients, because Vega numbers them over all pictures of a process."""
    numbers: dict[str, int] = {}
    references = re.compile(r'((?:id="|url\(#)(?:clip|gradient_))(\d+)')
    return references.sub(lambda mark: f"{mark[1]}{numbers.setdefault(mark[2], len(numbers) + 1)}", svg)


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
