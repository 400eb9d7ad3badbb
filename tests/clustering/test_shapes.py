"""Groups of another shape: found where no centre describes dense groups, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import make_moons

from analysis.base.run import TESTS
from analysis.clustering.evidence import Evidence, gather_evidence
from analysis.clustering.shapes import Shapes, comes_back, find_shapes, is_large, measure_groups, settle_verdict
from analysis.settings.load import check_study

STUDY = check_study({"title": "Shapes", "sources": [{"path": "shapes.csv", "roles": {"feature": ["x"]}}]})
Points = NDArray[np.float64]


def rings(n: int = 600, seed: int = 0) -> tuple[Points, NDArray[np.int64]]:
    """Draw two rings around one centre, the inner one first, and which customer is in which."""
    rng = np.random.default_rng(seed)
    truth, angle = np.repeat([1, 2], n // 2), rng.uniform(0, 2 * np.pi, n)
    radius = np.array([1.0, 3.0])[truth - 1] + rng.normal(0, 0.15, n)
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    return points / points.std(axis=0), truth


def blobs(n: int = 600, seed: int = 0) -> tuple[Points, NDArray[np.int64]]:
    """Draw three round groups that stand apart."""
    truth = np.repeat([1, 2, 3], n // 3)
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    return centres[truth - 1] + np.random.default_rng(seed).normal(size=(n, 2)), truth


def solve(points: Points) -> tuple[Evidence, Shapes | None]:
    found = gather_evidence(points, np.ones(len(points), bool), STUDY, effort=TESTS)
    return found, find_shapes(found, points, STUDY)


@pytest.mark.slow
def test_rings_are_found_and_the_segments_are_a_working_split() -> None:
    points, _ = rings()
    evidence, shapes = solve(points)
    assert shapes is not None and evidence.decision.algorithm not in ("dbscan", "hdbscan")
    assert shapes.n_groups == 2 and shapes.inside_share > 0.95
    assert shapes.by_centre < 0.1 and shapes.gap > 2 and shapes.by_segments < 0.75
    settled = settle_verdict(evidence, shapes)
    assert settled.verdict == "constructive" and settle_verdict(evidence, None) is evidence
    # Every cell holds min_cell customers, and most of those of its group.
    low = np.array([cell.x for cell in shapes.cells]).min()
    assert all(cell.group in (0, 1, 2) for cell in shapes.cells) and low < -1
    middle = [cell.group for cell in shapes.cells if np.hypot(cell.x, cell.y) < 0.9]
    outside = [cell.group for cell in shapes.cells if np.hypot(cell.x, cell.y) > 1.1]
    assert len(set(middle)) == len(set(outside)) == 1 and set(middle) != set(outside)
    # The cells together hold most customers, and none holds fewer than min_cell.
    counts = []
    for cell in shapes.cells:
        near = np.abs(turned(points) - [cell.x, cell.y]) <= np.array(shapes.step) / 2 + 1e-9
        counts.append(int(near.all(axis=1).sum()))
    assert min(counts) >= STUDY.min_cell and sum(counts) >= 0.75 * len(points)
    assert find_shapes(replace(evidence, verdict="natural"), points, STUDY) is None


def turned(points: Points) -> Points:
    """Give the points on their principal axes, each pointing to its heaviest feature."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(np.cov(centred.T))[2]
    return centred @ (axes * np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]).T


@pytest.mark.slow
def test_round_groups_are_no_shapes() -> None:
    points, _ = blobs()
    evidence, shapes = solve(points)
    assert shapes is None
    assert find_shapes(replace(evidence, verdict="reproducible"), points, STUDY) is None


def test_centres_describe_round_groups_and_neither_rings_nor_moons() -> None:
    moons, side = make_moons(600, noise=0.05, random_state=1)
    for points, truth in (rings(), (moons, side + 1)):
        measured = measure_groups(points, truth)
        assert measured is not None
        assert measured[0] < 0.75 and measured[1] > 1.5
    assert measure_groups(*blobs()) is None


def test_groups_that_touch_have_no_gap() -> None:
    points, truth = rings()
    rng = np.random.default_rng(2)
    bridge = rng.uniform(-1, 1, (300, 2)) * 1.6
    both = np.vstack([points, bridge])
    nearest = np.where(np.hypot(*bridge.T) < 0.9, 1, 2)
    assert measure_groups(both, np.concatenate([truth, nearest])) is None


def test_customers_of_equal_values_have_no_links_and_one_group_no_gap() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]], 50, axis=0)
    assert measure_groups(points, np.repeat([1, 1, 2, 2], 50)) is None
    assert measure_groups(points, np.ones(200, dtype=int)) is None


def test_groups_that_leave_many_out_or_are_small_do_not_count() -> None:
    assert is_large(np.repeat([0, 1, 2], [20, 40, 40]), STUDY)
    assert not is_large(np.repeat([0, 1, 2], [30, 40, 40]), STUDY)
    assert not is_large(np.repeat([0, 1, 2], [0, 71, 29]), STUDY)


@pytest.mark.slow
def test_groups_that_other_samples_do_not_give_do_not_come_back() -> None:
    points, truth = rings()
    everyone = np.ones(len(points), bool)
    assert comes_back("hdbscan", points, truth, everyone, 0)
    assert not comes_back("hdbscan", points, np.random.default_rng(0).permutation(truth), everyone, 0)
