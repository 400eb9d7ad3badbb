"""Each chart's title is checked against its report, whatever the numbers: true, or it does not name a finding.

The edges of single titles are in :mod:`tests.pages.charts.test_titles`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.pages import drawings
from analysis.pages.charts import compare, compare_value, compare_worth, persona, stability
from analysis.pages.charts import evidence as evidence_charts
from analysis.pages.charts.explore import distributions, paths, plane
from analysis.pages.figures import Figure, tag, typical
from analysis.report.model import Report, Segment
from tests.stages import run_stages

DRAWS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
"""Reports that each title is checked on."""
NUMBERS = st.lists(st.floats(0, 1), min_size=24, max_size=24)


def drawn_report(numbers: Sequence[float]) -> Report:
    """Give the report other sizes, values, distances, medians, shares and criteria."""
    report, n = run_stages().report, iter(numbers)
    sizes = [0.05 + next(n) for _ in report.segments]
    worth = [next(n) for _ in report.segments]
    segments = []
    for segment, size, value in zip(report.segments, sizes, worth, strict=True):
        scale, shift = 3 * next(n), next(n)
        differences = tuple(
            replace(
                d,
                z=round(d.z * scale, 2),
                z_median=round(d.z_median * scale, 2),
                summary=replace(d.summary, median=d.summary.median * scale, mean=min(1.0, d.summary.mean * shift))
                if 0 <= d.summary.mean <= 1
                else replace(d.summary, median=d.summary.median * scale),
            )
            for d in segment.differences
        )
        share = value / (sum(worth) or 1)
        segments.append(
            replace(segment, share=size / sum(sizes), value_share=share, differences=differences, silhouette=next(n))
        )
    by_k = tuple(replace(row, silhouette=round(next(n), 3)) for row in report.evidence.by_k)
    mixed = tuple(
        replace(c, residuals=tuple(tuple(r * 2 * next(n, 0.5) for r in row) for row in c.residuals))
        for c in report.categories
    )
    best = max(by_k, key=lambda row: row.silhouette).k
    evidence = replace(report.evidence, by_k=by_k, prefers=replace(report.evidence.prefers, silhouette=best))
    changed = replace(report, segments=tuple(segments), evidence=evidence, categories=mixed)
    return replace(changed, contrasts=() if next(n, 1) < 0.5 else report.contrasts)


def ends(values: list[tuple[float, str]]) -> tuple[set[str], set[str]]:
    """Give the names of those with the highest value and of those with the lowest, ties included."""
    return tuple({name for value, name in values if value == edge(values)[0]} for edge in (max, min))  # type: ignore[return-value]


def check_value_size(report: Report, figure: Figure) -> None:
    gains = [((s.value_share or 0) - s.share, s.name) for s in report.segments]
    assert any(figure.title.startswith(f"{name}: ") for name in ends(gains)[0])


def check_heat_map(report: Report, figure: Figure) -> None:
    forming = {v.name: v.label for v in report.forming()}
    far = [
        (abs(d.z), f"{forming[d.variable]} tells {tag(s)} apart most")
        for s in report.segments
        for d in s.differences
        if d.variable in forming
    ]
    assert any(figure.title.startswith(words) for words in ends(far)[0])


def check_ends(report: Report, figure: Figure) -> None:
    """Check "X: … in the highest, … in the lowest"."""
    label = figure.title.split(": ")[0]
    variable = next(v for v in report.variables if v.label == label)
    if "hardly differ" in figure.title:
        assert any(c.variable == variable.name and c.size == "negligible" for c in report.contrasts)
        return
    known = [(d.summary, s.name) for s in report.segments if (d := s.difference(variable.name))]
    high, low = ends([(x.mean if variable.unit == "yes_no" else x.median, name) for x, name in known])
    assert any(f" in {name}, " in figure.title for name in high), figure.title
    assert any(figure.title.endswith(f" in {name}") for name in low), figure.title


def check_distributions(report: Report, figure: Figure) -> None:
    formats, titles = report.formats(), figure.spec["usermeta"]["titles"]["texts"]
    assert figure.title == titles[0]
    for d, title in zip(report.spread.distributions, titles, strict=True):
        variable = report.variable(d.variable)
        known = [(x.summary.median, s.name, x.summary) for s in report.segments if (x := s.difference(d.variable))]
        high, low = ends([(median, name) for median, name, _ in known])
        told = {name: typical(formats, summary, variable.unit) for _, name, summary in known}
        if "about the same" in title:
            assert len({told[name] for name in high | low}) == 1
        else:
            assert any(f"median {told[name]} in {name}, " in title for name in high), title
            assert any(title.endswith(f"{told[name]} in {name}") for name in low), title


def check_map(report: Report, figure: Figure) -> None:
    first, *others = figure.spec["usermeta"]["titles"]["texts"]
    assert figure.title == first and report.formats().percent(sum(report.map.explained)) in first
    for one, title in zip(report.spread.planes, others, strict=True):
        names = [s.name for s in report.segments if s.name in title.partition(", ")[2]]
        pairs = {
            (a.name, b.name): (x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2
            for i, (a, x) in enumerate(zip(report.segments, one.centres, strict=True))
            for b, y in list(zip(report.segments, one.centres, strict=True))[i + 1 :]
        }
        assert pairs[names[0], names[1]] == pytest.approx(max(pairs.values())), title


def check_paths(report: Report, figure: Figure) -> None:
    spread = []
    for v in report.forming():
        middles = [d.z_median for s in report.segments if (d := s.difference(v.name))]
        spread.append((max(middles) - min(middles), v.label))
    if max(spread)[0] < 0.2:
        assert "hardly differ" in figure.title
    else:
        assert any(figure.title.endswith(f"“{label}”") for label in ends(spread)[0])


def check_mosaic(report: Report, figure: Figure) -> None:
    category = compare.mosaics(report)[0]
    if "hardly differ" in figure.title:
        assert any(c.variable == category.variable and c.size == "negligible" for c in report.contrasts)
        return
    cells = [
        (abs(residual), f"“{level}” for {report.formats().percent(share)} of {s.name}, ")
        for s, residuals, shares in zip(report.segments, category.residuals, category.segments, strict=True)
        for residual, share, level in zip(residuals, shares, category.levels, strict=True)
        if level == "Yes" or "Yes" not in category.levels
    ]
    assert any(words in figure.title for words in ends(cells)[0]), figure.title


def check_profile(report: Report, figure: Figure) -> None:
    forming = {v.name: v.label for v in report.forming()}
    far = [(abs(d.z), forming[d.variable], d.z) for d in report.segments[0].differences if d.variable in forming]
    if max(far)[0] < 0.2:
        assert figure.title == "Close to everyone on every feature"
    else:
        word, label = re.fullmatch(r"Furthest (above|below) everyone on “(.+)”", figure.title).groups()  # type: ignore[union-attr]
        assert any(
            z == max(far)[0] and label == name and word == ("above" if signed > 0 else "below")
            for z, name, signed in far
        )


def check_silhouette(report: Report, figure: Figure) -> None:
    best = {row.k for row in report.evidence.by_k if row.silhouette == max(r.silhouette for r in report.evidence.by_k)}
    numbers = [int(x) for x in re.findall(r"with (\d+) segments", figure.title)]
    assert numbers and numbers[0] in best, figure.title


def check_numbers(report: Report, figure: Figure) -> None:
    """Check that each number of a title stands in its chart or its table."""
    labels = sorted((v.label for v in report.variables), key=len, reverse=True)
    title = figure.title
    for label in [*labels, *(s.name for s in report.segments)]:
        title = title.replace(label, "")
    shown = {float(x) for row in figure.table.rows for cell in row for x in re.findall(r"\d+\.?\d*", cell)}
    shown |= {float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-\d+)?", str(figure.spec["datasets"]))}
    for number in re.findall(r"\d+\.\d+", title):
        digits = len(number.partition(".")[2])
        assert any(round(abs(x), digits) == pytest.approx(float(number)) for x in shown), (figure.title, number)


Title = tuple[Callable[[Report], Figure | None], Callable[[Report, Figure], None]]
REGISTRY: dict[str, Title] = {
    "value-size": (compare_worth.value_against_size, check_value_size),
    "heat-map": (compare.heat_map, check_heat_map),
    "descriptors": (compare.descriptors, check_ends),
    "outcomes": (compare_value.outcomes, check_ends),
    "distributions": (distributions.distributions, check_distributions),
    "map": (plane.segment_map, check_map),
    "parallel": (paths.parallel_coordinates, check_paths),
    "mix": (partial(compare.mosaic, index=0), check_mosaic),
    "profile": (lambda report: persona.persona_profile(report, report.segments[0]), check_profile),
    "silhouette": (evidence_charts.silhouette, check_silhouette),
    "segment-stability": (stability.segment_stability, check_numbers),
    "concentration": (compare_value.concentration, check_numbers),
}
"""Titles that name a highest, a lowest or a largest part: how the chart is drawn, and what must hold."""
NUMBERS_ONLY = {
    "stability", "elbow", "calinski-harabasz", "davies-bouldin", "gap", "prediction-strength", "bic", "null",
    "gaussian", "algorithms", "dendrogram", "reach", "ward-groups", "neighbours", "flow", "sharpness", "gorge",
    "multiverse", "main-effects", "left-out", "column", "recovery", "missing", "missing-together", "correlations",
    "associations", "coverage", "proof", "rfm", "expected-spend", "back-test", "shapes", "example",
    "growth", "rows",
}  # fmt: skip
"""Titles whose numbers are held against their chart and its table on the report as it is."""


@pytest.mark.slow
@pytest.mark.parametrize("name", REGISTRY)
def test_a_title_is_true_of_any_report(name: str) -> None:
    draw, check = REGISTRY[name]

    @DRAWS
    @given(numbers=NUMBERS)
    def holds(numbers: list[float]) -> None:
        report = drawn_report(numbers)
        figure = draw(report)
        if figure is not None:
            check(report, figure)

    holds()


@pytest.mark.slow
def test_every_chart_is_in_the_registry_and_states_numbers_that_it_shows() -> None:
    report = run_stages().report
    for figure in drawings.draw_all(report):
        name = figure.id.removeprefix("chart-")
        kind = re.sub(r"^(mix|profile|column|proof|coverage)-.*", r"\1", name)
        assert kind in REGISTRY.keys() | NUMBERS_ONLY, f"{name}: say in test_registry.py what its title claims"
        if kind != "column":  # their titles state a median of all customers, the chart counts them
            check_numbers(report, figure)


def test_a_wrong_title_is_found() -> None:
    report = run_stages().report
    figure = compare_worth.value_against_size(report)
    worst: Segment = min(report.segments, key=lambda s: (s.value_share or 0) - s.share)
    with pytest.raises(AssertionError):
        check_value_size(report, replace(figure, title=f"{worst.name}: 10% of customers, 90% of total spend"))
