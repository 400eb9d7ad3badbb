"""Segments that are slices of one order are called levels of one thing; groups that stand apart never are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.disclosure import Disclosure
from analysis.clustering.evidence import Evidence
from analysis.clustering.ladder import Ladder, find_ladder
from tests.stages import judge, project_study

pytestmark = pytest.mark.slow
NAMES = ("orders", "spend", "visits", "months")


def one_factor(seed: int, n: int = 600, noise: float = 0.25) -> np.ndarray:
    """Draw four skewed measures of one thing."""
    rng = np.random.default_rng(seed)
    thing = rng.gamma(2.0, 1.0, n)
    return np.column_stack([np.log1p(10 * thing * np.exp(rng.normal(0, noise, n))) for _ in NAMES])


def solve(points: np.ndarray, segments: int) -> tuple[Evidence, Ladder | None]:
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    found = judge(points, project_study().model_copy(update={"segments": segments, "algorithm": "kmeans"}))
    frame = pd.DataFrame(np.exp(points), columns=list(NAMES))
    return found, find_ladder(found, points, points, NAMES, frame, Disclosure(10, True))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_slices_of_one_factor_are_levels_of_it(seed: int, segments: int) -> None:
    found, ladder = solve(one_factor(seed), segments)
    assert found.verdict != "natural"
    assert ladder is not None
    assert ladder.reproduced >= 0.9
    means = [np.mean([p.mean() for p in one_factor(seed)[found.labels == rung]]) for rung in ladder.rungs]
    assert means == sorted(means)


def test_one_feature_that_carries_all_names_the_levels_and_its_cuts_are_given_in_its_units() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(0, 0.05, (600, 4))
    points[:, 1] = rng.normal(0, 1.0, 600)
    points /= points.std()  # one scale for all, so that spend carries nearly all variation
    found = judge(points, project_study().model_copy(update={"segments": 3, "algorithm": "kmeans"}))
    frame = pd.DataFrame(100 + 20 * points, columns=list(NAMES))
    ladder = find_ladder(found, points, points, NAMES, frame, Disclosure(10, True))
    assert ladder is not None
    assert ladder.variables == ("spend",)
    low, high = ladder.cuts
    band = 1 + (frame["spend"] > low).astype(int) + (frame["spend"] > high)
    rungs = np.array([0, *ladder.rungs])
    assert (rungs[band] == found.labels).mean() > 0.9
    assert all(cut not in set(frame["spend"]) for cut in ladder.cuts)


def test_a_gap_that_yes_no_answers_alone_make_parts_no_levels() -> None:
    rng = np.random.default_rng(2)
    trait = rng.normal(size=600)
    points = np.column_stack([0.8 * trait + 0.6 * rng.normal(size=600) > 0 for _ in NAMES]).astype(float)
    found, ladder = solve(points, 2)
    assert found.verdict != "natural"
    assert ladder is not None
    assert len(ladder.variables) > 1


@pytest.mark.parametrize("segments", [2, 4])
def test_groups_that_stand_apart_are_no_ladder(segments: int) -> None:
    rng = np.random.default_rng(3)
    centres = 9 * np.eye(segments, 4)
    _, ladder = solve(np.repeat(centres, 150, axis=0) + rng.standard_normal((150 * segments, 4)), segments)
    assert ladder is None


def test_two_groups_on_one_axis_with_a_gap_are_no_ladder() -> None:
    rng = np.random.default_rng(5)
    place = np.append(rng.normal(-2.2, 0.9, 300), rng.normal(2.2, 0.9, 300))
    _, ladder = solve(place[:, None] + rng.normal(0, 0.3, (600, 4)), 2)
    assert ladder is None


def test_parts_of_a_cloud_of_two_directions_are_no_ladder() -> None:
    rng = np.random.default_rng(6)
    _, ladder = solve(np.column_stack([rng.standard_normal((600, 2)), rng.standard_normal((600, 2))]), 4)
    assert ladder is None
