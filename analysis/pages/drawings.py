"""List of all charts, and their static pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from joblib import delayed
from joblib import hash as hash_value

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
from analysis.pages.figures import WIDTH, Figure, draw_each
from analysis.pages.pictures import draw_svg
from analysis.report.model import Report

MOST_DRAWN = 26
"""Columns that the Data page draws; more would weigh too much for a phone. All are in its table."""


def draw_all(report: Report, kept: Kept | None = None) -> Iterator[Figure]:
    """Yield every chart of the site once, those of a module when its first one is needed, those of briefs first."""
    columns = [c for c in report.data.columns if c.bars][:MOST_DRAWN]
    each = (
        compare_worth.value_against_size,
        *(partial(persona.persona_profile, segment=s) for s in report.segments),
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
    )
    yield from filter(None, _draw_modules(each, report, kept))
    yield from filter(None, changes.draw(report))


def _draw_modules(each: Sequence[Any], report: Report, kept: Kept | None) -> Iterator[Figure | None]:
    """Draw charts in their order; those of a module whose code and report are known are not drawn again."""
    functions = [draw.func if isinstance(draw, partial) else draw for draw in each]
    mark, drawn = hash_value(report) if kept else "", dict[str, Iterator[Figure | None]]()
    for module in (function.__module__ for function in functions):
        if module not in drawn:
            own = [i for i, function in enumerate(functions) if function.__module__ == module]
            key = mark, [(functions[i].__name__, repr(getattr(each[i], "keywords", ""))) for i in own]
            draw = kept.keep_by(key, draw_each, module) if kept else draw_each
            drawn[module] = iter(draw([each[i] for i in own], report))
        yield next(drawn[module])


def draw_pictures(figures: Iterable[Figure], tokens: dict[str, str], kept: Kept | None = None) -> Mapping[str, str]:
    """Start to draw the static picture of each chart, by id; one that is asked for waits for those before it.

    Other processes draw those that are not cached, while this one does something else.
    """
    pictures: dict[str, str] = {}
    number_locale, time_locale = conventions().number_locale(), conventions().time_locale()

    def jobs() -> Iterator[Any]:
        for figure in figures:
            spec = themed(figure.spec, tokens)
            if spec.get("width") == "container":
                spec = {**spec, "width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
            arguments = {"$schema": _SCHEMA, **spec}, number_locale, time_locale
            key = json.dumps(arguments)
            draw = kept.keep_by(key, draw_svg) if kept else draw_svg
            known = kept is not None and kept.knows(key, draw_svg)
            pictures[figure.id] = draw(*arguments) if known else ""
            if not known:
                yield delayed(draw)(*arguments)

    drawn = run_parallel(jobs(), at_once=True)
    return _Pictures(pictures, drawn)


class _Pictures(Mapping[str, str]):
    """Pictures by id of the chart: those that are known, and for each empty one, in order, what is being drawn."""

    def __init__(self, known: dict[str, str], drawn: Iterable[str]) -> None:
        self._pictures = {name: _numbered(svg) for name, svg in known.items()}
        self._drawn, self._awaited = iter(drawn), [name for name in reversed(known) if not known[name]]

    def __getitem__(self, name: str) -> str:
        while self._awaited and not self._pictures[name]:
            self._pictures[self._awaited.pop()] = _numbered(next(self._drawn))
        return self._pictures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)


def _numbered(svg: str) -> str:
    """Renumber clips and gradients, because Vega numbers them over all pictures of a process."""
    numbers: dict[str, int] = {}
    references = re.compile(r'((?:id="|url\(#)(?:clip|gradient_))(\d+)')
    return references.sub(lambda mark: f"{mark[1]}{numbers.setdefault(mark[2], len(numbers) + 1)}", svg)


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
