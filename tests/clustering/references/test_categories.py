"""A split along one column is a category; groups that a column tells as well as other features do stay natural."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.clustering.references.categories import all_differ, find_category
from tests.stages import judge, project_study

N = 400


def split(apart: float, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Draw two halves that a yes/no answer tells; on two of three numbers they lie ``apart`` standard deviations."""
    rng = np.random.default_rng(seed)
    half = np.arange(N) % 2
    numbers = rng.normal(size=(N, 3)) + half[:, None] * [apart, apart, 0.0]
    points = np.column_stack([3.0 * half, numbers])
    return points, (half + 1).astype(np.int16)


def test_levels_of_one_column_that_nothing_else_follows_are_a_category() -> None:
    points, labels = split(0.2)
    assert find_category(labels, points, ()) == 0
    assert find_category(labels, points[:, [1, 0, 2, 3]], ()) == 1


def test_groups_that_other_features_tell_too_are_no_category() -> None:
    points, labels = split(0.7)
    assert find_category(labels, points, ()) is None


def test_a_column_must_give_nearly_all_memberships_back() -> None:
    points, labels = split(0.2)
    labels[:8] = 3 - labels[:8]
    assert find_category(labels, points, ()) == 0
    labels[8:16] = 3 - labels[8:16]
    assert find_category(labels, points, ()) is None


def test_counts_up_to_eight_levels_and_a_value_that_many_share_are_discrete() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(N, 2))
    few, many = np.arange(N) % 8, np.arange(N) % 9
    for column, expected in ((few, 0), (many, None)):
        labels = np.where(column > 3, 2, 1).astype(np.int16)
        assert find_category(labels, np.column_stack([column, noise]), ()) == expected
    amount = np.where(np.arange(N) % 2, rng.gamma(2.0, size=N) + 1, 0.0)
    assert find_category(np.where(amount > 0, 2, 1).astype(np.int16), np.column_stack([amount, noise]), ()) == 0


def test_levels_of_a_category_stand_in_several_columns() -> None:
    points, labels = split(0.2)
    plan = np.column_stack([labels == 1, labels == 2]).astype(float)
    assert find_category(labels, np.column_stack([points[:, 1:], plan]), ((3, 5),)) == 3


def test_each_segment_must_differ_from_all_others_in_a_feature() -> None:
    points, labels = split(0.7)
    assert all_differ(labels, points[:, 1:])
    rng = np.random.default_rng(0)
    assert not all_differ(rng.integers(1, 3, N).astype(np.int16), points[:, 1:])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("apart", "algorithm", "expected"), [(0.0, "dbscan", "constructive"), (5.0, "kmeans", "natural")]
)
def test_the_verdict_knows_a_category_from_groups(apart: float, algorithm: str, expected: str) -> None:
    points, truth = split(apart)
    if not apart:
        # Four counts, none so common that it makes a lump.
        points[:, 0] = 6 * points[:, 0] / 3 + np.arange(N) // 2 % 2
    found = judge(points, project_study().model_copy(update={"algorithm": algorithm}))
    inside = found.labels > 0
    assert inside.mean() > 0.8
    assert ((found.labels == found.labels[0]) == (truth == truth[0]))[inside].all()
    assert found.verdict == expected
    assert found.category == (0 if expected == "constructive" else None)
