"""What readers explore stands for enough customers everywhere, and adds up."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.features.build import FeatureTable, Variable
from analysis.pages.figures import FAINT, followed
from analysis.profiles import distributions
from analysis.profiles.distributions import Bin, Spread, measure_spread

MIN_CELL = 10
NAMES = ("orders", "spend", "visits")


def variable(name: str) -> Variable:
    return Variable(name, name.title(), "number", "feature", name, (name,), "", "", "", "auto", False)


def measured(n: int = 900, k: int = 3) -> tuple[FeatureTable, np.ndarray, np.ndarray, Spread]:
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(1, k + 1), n // k)
    frame = pd.DataFrame(
        {
            "orders": rng.poisson(2 + 4 * labels).astype(float),
            "spend": rng.lognormal(labels, 0.5),
            "visits": rng.normal(size=len(labels)),
        }
    )
    frame.loc[frame.index % 17 == 0, "visits"] = np.nan
    table = FeatureTable(frame, tuple(map(variable, NAMES)))
    matrix = frame.fillna(0).to_numpy(float)
    matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    return table, labels, matrix, measure_spread(table, labels, matrix, table.variables, scaled(table), MIN_CELL)


def scaled(table: FeatureTable, *names: str) -> dict[str, np.ndarray]:
    """Put variables on a scale on which spend is its logarithm."""
    frame = table.frame.assign(spend=np.log(table.frame["spend"])) if "spend" in table.frame else table.frame
    standard = (frame - frame.mean()) / frame.std(ddof=0)
    return {name: standard[name].to_numpy() for name in names or frame}


def count_in(values: pd.Series, bins: tuple[Bin, ...], one: Bin) -> int:
    """Count the values of a bin, of which the first and the last are open."""
    low = -np.inf if one is bins[0] else one.low
    high = np.inf if one is bins[-1] else one.high
    return int(((values >= low) & (values < high)).sum())


def test_a_bin_stands_for_nobody_or_for_enough_customers_and_tells_their_share() -> None:
    table, labels, _, found = measured()
    assert {d.variable for d in found.distributions} == set(NAMES)
    for d in found.distributions:
        for segment, bins in enumerate(d.segments, start=1):
            own = table.frame.loc[labels == segment, d.variable].dropna()
            counts = [count_in(own, bins, b) for b in bins]
            assert sum(counts) == len(own)
            assert all(n == 0 or n >= MIN_CELL for n in counts)
            step = max(0.01, MIN_CELL / (2 * len(own)))
            assert all(abs(b.share - n / len(own)) <= step / 2 + 0.006 for b, n in zip(bins, counts, strict=True))
            assert all(left.high == right.low for left, right in itertools.pairwise(bins))


def test_a_variable_that_varies_by_less_than_a_bin_can_tell_has_no_distribution() -> None:
    table, labels, matrix, _ = measured()
    chances = 1 - 1e-10 * np.random.default_rng(3).random(len(labels))
    table = FeatureTable(table.frame.assign(orders=chances), table.variables)
    found = measure_spread(table, labels, matrix, table.variables, scaled(table), MIN_CELL)
    assert {d.variable for d in found.distributions} == {"spend", "visits"}


def test_the_variable_on_which_segments_lie_furthest_apart_comes_first() -> None:
    _, _, _, found = measured()
    assert found.distributions[-1].variable == "visits"
    assert "visits" in {found.planes[-1].x, found.planes[-1].y}


def test_the_cells_of_a_plane_are_told_to_the_nearest_smallest_cell() -> None:
    _, labels, _, found = measured()
    assert len(found.planes) == 3
    for plane in found.planes:
        assert plane.cells
        assert {cell.n % MIN_CELL for cell in plane.cells} == {0}
        assert min(cell.n for cell in plane.cells) >= MIN_CELL
        assert len(plane.centres) == len(plane.outlines) == labels.max()
        places, values = zip(*plane.x_ticks, strict=True)
        assert list(places) == sorted(places)
        assert list(values) == sorted(values)


def test_strands_are_halves_of_halves_whose_means_are_those_of_their_segment() -> None:
    table, labels, _, found = measured()
    for segment in (1, 2, 3):
        strands = [s.means for s in found.strands if s.segment == segment]
        assert 2 <= len(strands) <= distributions.MOST_STRANDS
        assert sum(labels == segment) // len(strands) >= 2 * MIN_CELL - 1
        orders = table.frame["orders"]
        away = (orders[labels == segment].mean() - orders.mean()) / orders.std(ddof=0)
        assert np.mean([means[0] for means in strands]) == pytest.approx(away, abs=0.02)


def test_fewer_segments_leave_room_for_more_axes() -> None:
    few, many = measured(), measured(1200, 8)
    assert len(few[3].planes) == len(many[3].planes) == 3
    assert len(many[3].distributions) == 3 <= distributions.MOST_SHOWN // 8


def test_a_single_feature_has_a_distribution_and_nothing_else() -> None:
    table, labels, matrix, _ = measured()
    alone = FeatureTable(table.frame[["orders"]], table.variables[:1])
    found = measure_spread(alone, labels, matrix[:, :1], alone.variables, scaled(alone), MIN_CELL)
    assert len(found.distributions) == 1
    assert found.planes == found.strands == ()


def test_a_variable_that_must_not_be_told_by_segment_is_not() -> None:
    table, labels, matrix, _ = measured()
    found = measure_spread(table, labels, matrix, table.variables, scaled(table, "orders", "spend"), MIN_CELL)
    assert "visits" not in repr(found)


def test_marks_of_a_segment_can_be_followed_and_others_cannot() -> None:
    mark = {"mark": {"type": "bar", "opacity": 0.8}, "encoding": {"y": {"field": "segment"}}}
    shown = followed({"layer": [mark, {"mark": "rule", "encoding": {"y": {"field": "other"}}}]})
    opacity = shown["layer"][0]["encoding"]["opacity"]
    assert (opacity["condition"]["value"], opacity["value"]) == (0.8, FAINT)
    assert "opacity" not in shown["layer"][1]["encoding"]
    assert shown["params"] == [{"name": "followed", "value": None}]
    assert "params" not in followed(shown["layer"][1])
    facet = followed({"facet": {"row": {"field": "segment"}}, "spec": {"mark": "bar", "encoding": {}}})
    assert "opacity" in facet["spec"]["encoding"]
