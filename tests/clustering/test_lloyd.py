"""k-means from many starts ends where scikit-learn ends, and the search comes close to what many starts find."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from analysis.clustering.algorithms import distances, lloyd
from analysis.clustering.algorithms.lloyd import Rows, fit_starts, search_best

CLOUD = np.random.default_rng(3).standard_normal((900, 4)) + 50


def yes_or_no(n: int = 700, p: int = 9) -> np.ndarray:
    """Make answers whose k-means has many near-optimal solutions."""
    rng = np.random.default_rng(8)
    return (rng.random((n, p)) < rng.random((n, 1)) * 0.6 + 0.2).astype(float)


def cost(points: np.ndarray, centres: np.ndarray) -> float:
    return float(distances(points, centres).min(axis=1).sum())


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_start_ends_where_scikit_learn_ends(k: int, weighted: bool) -> None:
    weights = np.random.default_rng(1).integers(1, 4, len(CLOUD)) if weighted else None
    rows = Rows(CLOUD, weights)
    drawn = rows.draw(k, 5, np.random.default_rng(2))
    costs, centres = rows.settle(drawn)
    for start, own, value in zip(drawn, centres, costs, strict=True):
        model = KMeans(k, init=start + rows.mean, n_init=1, tol=0).fit(CLOUD, sample_weight=weights)
        assert own + rows.mean == pytest.approx(model.cluster_centers_)
        assert value == pytest.approx(model.inertia_)


def test_starts_and_rows_that_are_computed_apart_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows(CLOUD)
    drawn = rows.draw(6, 4, np.random.default_rng(2))
    at_once = rows.settle(drawn)
    monkeypatch.setattr(lloyd, "_AT_ONCE", 1)
    apart = rows.settle(drawn)
    assert apart[0] == pytest.approx(at_once[0])
    assert apart[1] == pytest.approx(at_once[1])


def test_draws_are_rows_and_those_for_fewer_segments_come_first() -> None:
    (two, four) = fit_starts(CLOUD, (2, 4), 7, 3, np.inf)
    assert two.shape == (2, 4) and four.shape == (4, 4)
    rows = Rows(CLOUD)
    drawn = rows.draw(6, 3, np.random.default_rng(7))
    assert all((np.abs(rows.values - centre).max(axis=1) < 1e-12).any() for centre in drawn.reshape(-1, 4))
    assert len(np.unique(drawn[0], axis=0)) == 6


@pytest.mark.parametrize("k", [3, 6])
def test_an_empty_segment_takes_the_farthest_row(k: int) -> None:
    rows = Rows(CLOUD)
    same = np.repeat(rows.values[:1], k, axis=0)
    costs, centres = rows.settle(same[None])
    assert len(np.unique(centres[0], axis=0)) == k
    sizes = np.bincount(distances(rows.values, centres[0]).argmin(axis=1), minlength=k)
    assert (sizes > 0).all()
    assert costs[0] == pytest.approx(cost(rows.values, centres[0]))


def test_more_segments_than_different_rows_are_no_error() -> None:
    points = np.repeat(np.eye(3), 4, axis=0)
    (centres,) = fit_starts(points, (5,), 1, 3, 0.0)
    assert centres.shape == (5, 3) and cost(points, centres) == pytest.approx(0)
    assert cost(points, search_best(points, 3, 1, 20)) == pytest.approx(0)
    assert fit_starts(points, (), 1, 3, 0.0) == ()


@pytest.mark.slow
@pytest.mark.parametrize("k", [4, 8])
def test_the_search_comes_within_a_thousandth_of_many_starts(k: int) -> None:
    points = yes_or_no()
    many = KMeans(k, n_init=200, random_state=1, tol=0).fit(points)
    assert cost(points, search_best(points, k, 1, 200)) <= many.inertia_ * 1.001


def test_after_the_search_no_row_can_change_its_segment_for_the_better() -> None:
    points = yes_or_no(60, 5)
    centres = search_best(points, 4, 1, 20)
    labels = distances(points, centres).argmin(axis=1)
    for row in range(len(points)):
        for segment in range(4):
            other = labels.copy()
            other[row] = segment
            means = np.array([points[other == j].mean(axis=0) if (other == j).any() else centres[j] for j in range(4)])
            assert ((points - means[other]) ** 2).sum() >= cost(points, centres) - 1e-9


def test_a_search_among_a_sample_ends_among_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lloyd, "SEARCHED_ROWS", 300)
    centres = search_best(CLOUD, 3, 1, 20)
    model = KMeans(3, init=centres, n_init=1, tol=0).fit(CLOUD)
    assert centres == pytest.approx(model.cluster_centers_)
    assert cost(CLOUD, centres) <= KMeans(3, n_init=1, random_state=0).fit(CLOUD).inertia_ * 1.02


@pytest.mark.slow
def test_a_fit_is_the_same_for_the_same_seed() -> None:
    assert (search_best(CLOUD, 5, 4, 40) == search_best(CLOUD, 5, 4, 40)).all()
    first, again = (fit_starts(CLOUD, (2, 5), 4, 3, 1e-3) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
