"""Charts: valid specs of aggregates only, each with its finding and a table that holds the same numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import altair as alt
import pytest

from analysis.base.run import USERS
from analysis.clustering.resample import summarise
from analysis.clustering.selection import Nulls
from analysis.pages import drawings
from analysis.pages.charts import algorithms
from analysis.pages.charts import evidence as evidence_charts
from analysis.pages.figures import Figure
from analysis.report import model
from analysis.report.model import Report
from tests.stages import ROOT, run_stages

MOST_ROWS = 400
"""Rows that a chart of this study may hold: bins of the map, pairs of correlations."""

UNPACKING = {
    "datum", "sequence", "length", "customers", "low", "high", "i", "j", "r", "labels", "groups",
}  # fmt: skip
"""Words of the expressions that unpack lists; whatever the data say stands in data alone."""
NULLS = Nulls((0.2,), True, (0.1, 0.15))
STEERING = {
    "datum", "view", "shown", "axes", "isValid", "followed", "segment", "on", "at", "order", "z", "x", "y", "brushed",
    "hits", "abs", "width", "length", "data", "brush_store", "height",
}  # fmt: skip
"""Words of the expressions by which readers steer charts."""


@pytest.fixture(scope="module")
def report() -> Report:
    return run_stages().report


@pytest.fixture(scope="module")
def figures(report: Report) -> dict[str, Figure]:
    return {figure.id.removeprefix("chart-"): figure for figure in drawings.draw_all(report)}


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every key and value of a nested spec."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def rows_of(spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Give the data sets of a spec."""
    named = list(spec.get("datasets", {}).values())
    return named + [item["values"] for key, item in walk(spec) if key == "data" and "values" in item]


def without_data(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in {"datasets", "data"}}


@pytest.mark.slow
def test_there_are_the_charts_that_the_pages_show(figures: dict[str, Figure], report: Report) -> None:
    always = {
        "value-size", "heat-map", "parallel", "map", "descriptors", "elbow", "silhouette", "stability",
        "algorithms", "segment-stability", "correlations", "calinski-harabasz", "davies-bouldin", "gap",
        "prediction-strength", "null", "gaussian", "dendrogram", "reach", "ward-groups", "neighbours", "flow",
        "sharpness", "gorge", "multiverse", "main-effects", "left-out",
    }  # fmt: skip
    assert always <= set(figures)
    assert {f"profile-{s.letter.lower()}" for s in report.segments} <= set(figures)
    assert len(figures) == len(list(drawings.draw_all(report)))


@pytest.mark.slow
def test_every_spec_is_valid_vega_lite(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        alt.Chart.from_dict(figure.spec, validate=True)
        assert figure.height > 0, name


@pytest.mark.slow
def test_charts_speak_of_their_finding_in_words(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        for text in (figure.title, figure.caption, figure.alt):
            assert text.strip(), name
            assert not re.search(r"\b(nan|None|inf)\b|\{|\}", text), (name, text)
        assert figure.alt.endswith("."), name


@pytest.mark.slow
def test_fields_are_our_own_names_never_those_of_the_data(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        for key, value in walk(without_data(figure.spec)):
            assert key != "shorthand"
            if key == "field" and isinstance(value, str):
                assert re.fullmatch(r"[a-z0-9_]+", value), (name, value)
            if key == "expr" and value.startswith("["):
                words, _, chosen = value.rpartition("[")
                assert json.loads(words) and chosen in {"shown]", "axes]"}, (name, value)
            elif key in {"calculate", "filter"} and isinstance(value, str):
                assert set(re.findall(r"[A-Za-z_]+", value)) <= UNPACKING | STEERING, (name, value)
            if key in {"url", "href"} or (key in {"lookup", "aggregate"} and value not in {"strand", "order"}):
                pytest.fail(f"{name}: {key} {value}")


@pytest.mark.slow
def test_no_chart_holds_a_row_for_each_customer(figures: dict[str, Figure], report: Report) -> None:
    for name, figure in figures.items():
        sets = rows_of(figure.spec)
        assert sets, name
        for rows in sets:
            assert len(rows) <= MOST_ROWS, name
            assert len(rows) != report.study.n_customers, name


def test_counts_in_charts_are_never_those_of_a_few(figures: dict[str, Figure], report: Report) -> None:
    told = [
        row["customers"] for f in figures.values() for rows in rows_of(f.spec) for row in rows if "customers" in row
    ]
    counts = [n for found in told for n in (found if isinstance(found, list) else [found])]
    assert len(counts) > 50
    assert min(counts) >= report.study.min_cell


def test_charts_ask_nothing_of_another_host(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        assert not re.search(r"https?:|//\w", str(without_data(figure.spec))), name


def test_every_row_of_a_table_has_all_its_cells(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        assert figure.table.rows, name
        for row in figure.table.rows:
            assert len(row) == len(figure.table.columns), name
            blank = name in {"correlations", "associations"}  # the upper half of a symmetric table
            assert row[0] and all(isinstance(cell, str) and (cell or blank) for cell in row), (name, row)


def column(figure: Figure, name: str) -> list[str]:
    return [row[figure.table.columns.index(name)] for row in figure.table.rows]


def values(figure: Figure, field: str, n: int) -> list[Any]:
    rows = next(rows for rows in rows_of(figure.spec) if len(rows) == n and field in rows[0])
    return [row[field] for row in rows]


@pytest.mark.parametrize(
    ("name", "field", "heading", "text"),
    [
        ("elbow", "elbow", "Within-segment sum of squares", lambda x: f"{x:,.0f}"),
        ("silhouette", "silhouette", "Mean silhouette", lambda x: f"{x:.3f}"),
        ("gap", "gap", "Gap", lambda x: f"{x:.3f}"),
        ("prediction-strength", "prediction_strength", "Prediction strength", lambda x: f"{x:.2f}"),
        ("stability", "median", "Median", lambda x: f"{x:.3f}"),
        ("segment-stability", "slsw", "Stability", lambda x: f"{x:.3f}"),
        ("main-effects", "agreement", "Mean agreement", lambda x: f"{x:.3f}"),
        ("left-out", "agreement", "Agreement", lambda x: f"{x:.3f}"),
        ("algorithms", "median", "Median stability", lambda x: f"{x:.3f}"),
    ],
)
def test_the_table_holds_the_numbers_of_its_chart(
    figures: dict[str, Figure], name: str, field: str, heading: str, text: Callable[[float], str]
) -> None:
    figure = figures[name]
    expected = column(figure, heading)
    assert [text(x) for x in values(figure, field, len(expected))] == expected


def test_shares_in_the_value_chart_are_those_of_its_table(figures: dict[str, Figure], report: Report) -> None:
    rows = rows_of(figures["value-size"].spec)[0]
    shares = {(row["segment"], row["what"]): row["text"] for row in rows}
    for segment, cells in zip(report.segments, figures["value-size"].table.rows, strict=True):
        tag = f"{segment.letter} · {segment.name}"
        assert cells[0] == tag
        assert (shares[tag, "Customers"], shares[tag, report.value_label()]) == cells[2:]


def test_a_heat_maps_cells_are_those_of_its_table(figures: dict[str, Figure]) -> None:
    figure = figures["heat-map"]
    cells = {(row["feature"], row["segment"]): row["z"] for row in rows_of(figure.spec)[0]}
    for name, *shown in figure.table.rows:
        for segment, text in zip(figure.table.columns[1:], shown, strict=True):
            assert text.split(" (")[0] == f"{cells[name, segment]:+.2f}"


def test_bars_of_a_column_are_those_of_its_table(figures: dict[str, Figure]) -> None:
    drawn = {name: figure for name, figure in figures.items() if name.startswith("column-")}
    assert len(drawn) >= 15
    for figure in drawn.values():
        (arrays,) = rows_of(figure.spec)[0]
        assert [f"{n:,}" for n in arrays["customers"]] == column(figure, "Customers")


def test_the_published_number_of_segments_is_marked(figures: dict[str, Figure], report: Report) -> None:
    for name in ("elbow", "silhouette", "stability", "gap", "prediction-strength"):
        rows = next(rows for rows in rows_of(figures[name].spec) if "mark" in rows[0])
        assert [row["k"] for row in rows if row["mark"] == "published"] == [report.decision.k]


def test_a_sampled_silhouette_is_drawn_with_its_error(report: Report) -> None:
    rows = tuple(replace(r, silhouette_se=0.01) for r in report.evidence.by_k)
    figure = evidence_charts.silhouette(replace(report, evidence=replace(report.evidence, by_k=rows)))
    assert figure and "sample" in figure.caption
    assert set(column(figure, "Either way")) == {"0.020"}
    drawn = next(rows for rows in rows_of(figure.spec) if "low" in rows[0])
    assert all(row["low"] < row["silhouette"] < row["high"] for row in drawn)


def test_the_mixtures_bic_is_drawn_where_it_is_known(report: Report) -> None:
    judged = tuple(
        replace(a, by_k=tuple(replace(r, bic=40_000.0 - 1000 * r.k) for r in a.by_k))
        for a in report.evidence.algorithms
    )
    assert evidence_charts.bic(replace(report, evidence=replace(report.evidence, algorithms=judged))) is None
    prefers = replace(report.evidence.prefers, bic=5)
    figure = evidence_charts.bic(replace(report, evidence=replace(report.evidence, algorithms=judged, prefers=prefers)))
    assert figure and "five ellipses" in figure.title
    assert column(figure, "BIC of the mixture")[0] == "38,000"


def test_a_solution_that_was_not_resampled_has_no_stability_to_draw(report: Report) -> None:
    first, *rest = report.evidence.by_k
    rows = (replace(first, stability=summarise([])), *rest)
    judged = tuple(replace(a, by_k=rows) if a.name == "kmeans" else a for a in report.evidence.algorithms)
    changed = replace(report, evidence=replace(report.evidence, by_k=rows, algorithms=judged))
    assert column(evidence_charts.stability(changed), "Segments") == [str(r.k) for r in rest]
    figure = algorithms.algorithms(changed)
    of_kmeans = [row[1] for row in figure.table.rows if row[0] == "k-means"]
    assert of_kmeans == [str(r.k) for r in rest]
    assert "not resampled" in figure.caption


def test_natural_asks_for_more_than_clouds_with_the_same_lumps_reach(report: Report) -> None:
    rows = (replace(model.chosen(report), silhouette=0.4),)

    def title(*lumped: float) -> str:
        nulls = replace(NULLS, lumped=lumped)
        figure = evidence_charts.gaussian_reference(
            replace(report, evidence=replace(report.evidence, by_k=rows, nulls=nulls))
        )
        assert ("share a value of a feature" in figure.caption) == bool(lumped)
        return figure.title

    assert "as far apart as natural groups are" in title()
    assert "as far apart as natural groups are" in title(0.3, 0.34)
    assert "not by enough" in title(0.3, 0.36)


@pytest.mark.slow
def test_a_density_method_has_no_curve_over_numbers_of_segments(report: Report) -> None:
    evidence = replace(report.evidence, by_k=(model.chosen(report),), nulls=replace(NULLS, permuted=()))
    drawn = {figure.id for figure in drawings.draw_all(replace(report, evidence=evidence))}
    assert not drawn & {"chart-elbow", "chart-silhouette", "chart-davies-bouldin", "chart-null"}
    assert {"chart-gap", "chart-gaussian", "chart-dendrogram"} <= drawn


def test_the_curve_of_distances_ends_where_few_customers_are_left(report: Report) -> None:
    figure = algorithms.reach(report)
    assert figure
    shares = values(figure, "share", len(next(r for r in rows_of(figure.spec) if len(r) > 20)))
    few = 100 * report.study.min_cell / min(report.study.n_core, USERS.reference_rows)
    assert shares and min(shares) >= few and max(shares) <= 100 - few


def test_the_cut_of_the_tree_leaves_the_published_groups_above_it(report: Report) -> None:
    figure = algorithms.dendrogram(report)
    links = {row["link"]: row["part"] for row in max(rows_of(figure.spec), key=len)}
    assert sum(part == "above" for part in links.values()) == report.decision.k - 1


def test_segments_keep_their_colours_in_every_chart(figures: dict[str, Figure], report: Report) -> None:
    tags = [f"{s.letter} · {s.name}" for s in report.segments]
    scales = [
        item
        for f in figures.values()
        for key, item in walk(f.spec)
        if key == "scale" and item and item.get("domain") == tags
    ]
    colours = [scale["range"] for scale in scales if str(scale["range"][0]).startswith("#")]
    assert len(colours) >= 4
    assert all(found == [s.colour for s in report.segments] for found in colours)


def test_colours_of_the_page_are_named_by_tokens_of_the_stylesheet(figures: dict[str, Figure]) -> None:
    css = (ROOT / "site" / "assets" / "site.css").read_text(encoding="utf-8")
    used = {token for f in figures.values() for token in re.findall(r"var\((--[\w-]+)\)", str(f.spec))}
    assert used
    assert {token for token in used if f"{token}:" not in css.replace(" :", ":")} == set()


@pytest.mark.slow
def test_a_study_without_a_value_draws_its_charts(report: Report) -> None:
    segments = tuple(replace(s, value_share=None, value_total=None) for s in report.segments)
    plain = replace(report, segments=segments, study=replace(report.study, value=None), value_total=None)
    drawn = list(drawings.draw_all(plain))
    assert len(drawn) > 20
    assert not [f.id for f in drawn if "None" in f.title + f.caption + str(f.table.rows)]


@pytest.mark.slow
def test_two_columns_whose_names_differ_by_a_mark_have_a_chart_each(report: Report) -> None:
    first = next(c for c in report.data.columns if c.bars)
    columns = tuple(replace(first, name=name) for name in ("net sales", "net-sales", "net_sales", "Net sales"))
    drawn = list(drawings.draw_all(replace(report, data=replace(report.data, columns=columns))))
    names = [figure.id for figure in drawn]
    assert len(names) == len(set(names))


@pytest.mark.slow
def test_a_column_called_image_names_no_picture_in_a_tooltip(report: Report) -> None:
    first = next(c for c in report.data.columns if c.type == "category" and c.bars)
    drawn = list(
        drawings.draw_all(replace(report, data=replace(report.data, columns=(replace(first, label="image"),))))
    )
    titles = {item["title"] for f in drawn for key, found in walk(f.spec) if key == "tooltip" for item in found}
    assert not titles & {"image", "title"}
