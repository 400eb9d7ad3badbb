"""How solutions relate: chains, neighbours and gorges of planted groups, and the choices that were ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import adjusted_rand_score

from analysis.base.run import TESTS, Run
from analysis.clustering.choices import AGREES, Multiverse, explore_choices
from analysis.clustering.evidence import Evidence
from analysis.clustering.solutions import Solutions, compare_solutions
from tests.stages import Stages, judge, little_work, project_study, run_stages

NAMES = ("east", "north", "up", "still")


def nested(seed: int = 0) -> np.ndarray:
    """Draw three groups; the first is two halves that lie near each other to the north."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0, -2, 0, 0], [0, 2, 0, 0], [14, 0, 0, 0], [0, 0, 14, 0]], dtype=float)
    return np.repeat(centres, (60, 60, 70, 90), axis=0) + rng.standard_normal((280, 4))


def solved(segments: int) -> tuple[Evidence, Solutions]:
    points = nested()
    found = judge(points, project_study().model_copy(update={"segments": segments, "algorithm": "kmeans"}))
    return found, compare_solutions(found, points, points, NAMES, 10, 1)


@pytest.fixture(scope="module")
def three() -> tuple[Evidence, Solutions]:
    return solved(3)


@pytest.mark.slow
def test_one_more_segment_splits_the_group_with_two_halves_on_what_tells_them_apart(
    three: tuple[Evidence, Solutions],
) -> None:
    found, solutions = three
    more = next(n for n in solutions.neighbours if n.k == 4)
    largest = int(found.labels[0])
    assert (more.change, more.segments, more.variable) == ("split", (largest,), "north")
    assert sorted(more.parts) == pytest.approx([0.5, 0.5], abs=0.03)
    points = nested()
    halves = found.solutions["kmeans", 4]
    spread = points[:, 1].std()
    parts = [points[halves == halves[i], 1].mean() for i in (0, 119)]
    assert more.difference == pytest.approx(abs(parts[0] - parts[1]) / spread)
    assert more.agreement == pytest.approx(adjusted_rand_score(found.labels, halves))


@pytest.mark.slow
def test_one_segment_fewer_merges_the_halves() -> None:
    found, solutions = solved(4)
    fewer = next(n for n in solutions.neighbours if n.k == 3)
    assert (fewer.change, fewer.variable, fewer.parts) == ("merge", "north", ())
    assert set(fewer.segments) == {int(found.labels[0]), int(found.labels[119])}


@pytest.mark.slow
def test_the_chain_tells_where_members_came_from(three: tuple[Evidence, Solutions]) -> None:
    found, solutions = three
    assert [level.k for level in solutions.slsa] == sorted(k for name, k in found.solutions if name == "kmeans")
    for level, before in zip(solutions.slsa[1:], solutions.slsa, strict=False):
        labels, last = found.solutions["kmeans", level.k], found.solutions["kmeans", before.k]
        assert sorted(level.segments) == list(range(1, level.k + 1))
        for segment, stability, origins in zip(level.segments, level.stability, level.origins, strict=True):
            shares = np.bincount(last[labels == segment], minlength=before.k + 1)[1:] / (labels == segment).sum()
            assert origins == pytest.approx([shares[j - 1] for j in before.segments], abs=0.006)
            most = np.log(before.k) if before.k > 1 else 1.0
            assert stability == pytest.approx(1 - entropy(shares) / most, abs=0.006)
    assert solutions.slsa[1].stability == (1.0, 1.0, 1.0)


@pytest.mark.slow
def test_islands_have_a_valley_in_their_gorge_and_no_bin_tells_of_a_few(three: tuple[Evidence, Solutions]) -> None:
    found, solutions = three
    n = len(found.labels)
    for gorge, size in zip(solutions.gorge, np.bincount(found.labels)[1:], strict=True):
        assert len(gorge.edges) == len(gorge.shares) + 1
        assert all((share * n) % 10 == pytest.approx(0, abs=1e-9) for share in gorge.shares)
        high = sum(share for low, share in zip(gorge.edges, gorge.shares, strict=False) if low >= 0.85)
        assert high == pytest.approx(size / n, abs=0.05)


@pytest.mark.slow
def test_the_tree_is_cut_between_the_merges_that_give_the_published_number(three: tuple[Evidence, Solutions]) -> None:
    _, solutions = three
    heights = sorted((max(y) for _, y in solutions.tree.links), reverse=True)
    assert heights[2] < solutions.tree.cut < heights[1]


def test_the_radius_is_on_the_curve(three: tuple[Evidence, Solutions]) -> None:
    reach = three[1].reach
    assert list(reach.quantiles) == sorted(reach.quantiles)
    assert reach.quantiles[0] <= reach.radius <= reach.quantiles[-1] * 1.5
    assert reach.neighbours == 8


@pytest.mark.slow
def test_a_density_method_has_no_chain_and_no_neighbours() -> None:
    points = nested()
    found = judge(points, project_study().model_copy(update={"algorithm": "dbscan"}))
    solutions = compare_solutions(found, points, points, NAMES, 10, 1)
    assert solutions.slsa == () and solutions.neighbours == ()
    assert len(solutions.gorge) == found.decision.k


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


def explored(stages: Stages, **changes: Any) -> Multiverse:
    with little_work():
        return explore_choices(
            stages.features, stages.study.model_copy(update=changes), stages.evidence, Run(effort=TESTS)
        )


def test_the_choices_are_all_combinations_and_the_published_one_agrees_nearly_fully(stages: Stages) -> None:
    found = stages.report.evidence.multiverse
    kinds = [{getattr(c, kind) for c in found.choices} for kind in ("scaling", "algorithm", "features", "outliers")]
    assert len(found.choices) == np.prod([len(options) for options in kinds])
    assert kinds[0] == {"standard", "minmax", "robust"} and kinds[3] == {"robust", "none"}
    own = next(
        c for c in found.choices
        if (c.scaling, c.algorithm, c.features, c.outliers)
        == ("standard", stages.evidence.decision.algorithm, "as published", "robust")
    )  # fmt: skip
    assert own.agreement > 0.9
    assert found.agree_share == pytest.approx(np.mean([c.agreement >= AGREES for c in found.choices]), abs=1e-5)


def test_what_matters_most_stands_first_and_its_means_are_those_of_its_options(stages: Stages) -> None:
    found = stages.report.evidence.multiverse
    matters = [factor.matters for factor in found.factors]
    assert matters == sorted(matters, reverse=True) and sum(matters) <= 1 + 1e-6
    for factor in found.factors:
        for option, mean in zip(factor.options, factor.means, strict=True):
            own = [c.agreement for c in found.choices if getattr(c, factor.name) == option]
            assert mean == pytest.approx(np.mean(own), abs=1e-4)


def test_each_forming_feature_is_left_out_once(stages: Stages) -> None:
    found = stages.report.evidence.multiverse
    assert {name for name, _ in found.without} == {v.name for v in stages.prepared.variables}
    assert [value for _, value in found.without] == sorted(value for _, value in found.without)


@pytest.mark.slow
def test_the_comparison_of_choices_is_the_same_twice(stages: Stages) -> None:
    assert explored(stages) == explored(stages)
