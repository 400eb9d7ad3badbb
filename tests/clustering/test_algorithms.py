"""The candidates: each assigns as its own fit did, and numbers segments by size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score, pairwise_distances
from sklearn.mixture import GaussianMixture

from analysis.clustering.algorithms import ALGORITHMS, Fit, distances, mixture, sample_rows
from analysis.clustering.algorithms.knees import knee, neighbour_curve
from analysis.clustering.algorithms.kprototypes import find_twice
from analysis.clustering.algorithms.published import fit_solutions


def blobs(sizes: tuple[int, ...] = (150, 90, 60), p: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw groups far from each other, and which group each point is of."""
    rng = np.random.default_rng(seed)
    centres = 8 * np.eye(len(sizes), p)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return centres[truth] + rng.standard_normal((len(truth), p)), truth


CLOUD = np.random.default_rng(3).standard_normal((400, 4))


@pytest.mark.slow
def test_kmeans_assigns_as_scikit_learn_predicts() -> None:
    (fit,) = ALGORITHMS["kmeans"].fit(CLOUD, (5,), 11, 20, None)
    reference = KMeans(5, init=fit.centres, n_init=1).fit(CLOUD)
    new = np.random.default_rng(4).standard_normal((1000, 4))
    assert (fit.assign(new) - 1 == reference.predict(new)).all()
    assert (fit.assign(CLOUD) - 1 == reference.labels_).all()


def test_wards_centres_are_the_means_of_its_groups() -> None:
    for fit, k in zip(ALGORITHMS["ward"].fit(CLOUD, (2, 3, 6), 0, 1, None), (2, 3, 6), strict=True):
        groups = AgglomerativeClustering(k, linkage="ward").fit_predict(CLOUD)
        means = sorted(tuple(CLOUD[groups == j].mean(axis=0)) for j in range(k))
        assert np.array(sorted(map(tuple, fit.centres))) == pytest.approx(np.array(means))


@pytest.mark.parametrize("name", ["kmeans", "ward"])
def test_separated_groups_are_found_and_numbered_by_size(name: str) -> None:
    points, truth = blobs((60, 150, 90))
    (fit,) = ALGORITHMS[name].fit(points, (3,), 5, 10, None)
    labels = fit.by_size(points).assign(points)
    assert adjusted_rand_score(truth, labels) == 1
    assert np.bincount(labels).tolist() == [0, 150, 90, 60]


def test_segments_of_equal_size_keep_their_order() -> None:
    fit = Fit(np.array([[0.0], [10.0], [20.0]]))
    points = np.array([[0.0], [20.0], [10.0]])
    assert fit.by_size(points).centres.tolist() == fit.centres.tolist()


def test_dbscan_assigns_its_own_core_points_as_it_found_them() -> None:
    points, truth = blobs((200, 120))
    (fit,) = ALGORITHMS["dbscan"].fit(points, (2, 3), 0, 1, None)
    assert fit.radius is not None and fit.points is not None
    reference = DBSCAN(eps=fit.radius, min_samples=max(5, 2 * points.shape[1]) + 1).fit(points)
    core = reference.core_sample_indices_
    assert (fit.assign(points)[core] - 1 == reference.labels_[core]).all()
    assert ((fit.assign(points) == 0) == (reference.labels_ == -1)).all()
    assert fit.k == 2
    assert adjusted_rand_score(truth[core], fit.assign(points)[core]) == 1


def test_dbscan_leaves_a_far_customer_unassigned_before_and_after_numbering() -> None:
    points, _ = blobs((80, 160))
    (fit,) = ALGORITHMS["dbscan"].fit(points, (2,), 0, 1, None)
    ordered = fit.by_size(points)
    far = np.full((1, 3), 100.0)
    assert fit.assign(far).tolist() == ordered.assign(far).tolist() == [0]
    sizes = np.bincount(ordered.assign(points))
    assert sizes[1] > sizes[2] > 0


def test_dbscan_finds_nothing_among_equal_customers() -> None:
    assert ALGORITHMS["dbscan"].fit(np.ones((50, 2)), (2,), 0, 1, None) == ()


def test_the_knee_is_where_a_curve_bends() -> None:
    assert knee(np.array([100.0, 40.0, 10.0, 9.0, 8.0, 7.0])) == 2
    assert knee(np.array([0.0, 0.1, 0.2, 0.3, 5.0, 10.0])) == 3
    assert knee(np.array([5.0])) == 0
    assert 0 <= knee(np.array([2.0, 2.0, 2.0])) < 3


def test_the_neighbour_curve_is_the_distance_to_the_mth_neighbour() -> None:
    points = CLOUD[:60, :2]
    expected = np.sort(np.sort(pairwise_distances(points), axis=1)[:, 5])
    assert neighbour_curve(points) == pytest.approx(expected)


FINITE = st.floats(-1e3, 1e3)


@pytest.mark.slow
@settings(deadline=None)
@given(arrays(float, (6, 2), elements=FINITE), arrays(float, (3, 2), elements=FINITE))
def test_distances_are_euclidean_squared_and_never_negative(points: np.ndarray, centres: np.ndarray) -> None:
    naive = np.array([[((p - c) ** 2).sum() for c in centres] for p in points])
    found = distances(points, centres)
    assert (found >= 0).all()
    assert found == pytest.approx(
        naive, rel=1e-6, abs=1e-6 * (1 + np.abs(points).max() ** 2 + np.abs(centres).max() ** 2)
    )


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 5))
def test_a_sample_of_rows_is_sorted_without_repeats_and_the_same_for_a_seed(n: int, most: int, seed: int) -> None:
    rows = sample_rows(n, most, seed)
    assert len(rows) == min(n, most)
    assert (np.diff(rows) > 0).all()
    assert set(rows) <= set(range(n))
    assert rows.tolist() == sample_rows(n, most, seed).tolist()


@pytest.mark.parametrize("name", ["kmeans", "ward"])
def test_a_fit_has_as_many_segments_as_were_asked_for_even_where_customers_tie(name: str) -> None:
    corners = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    tied = np.repeat(corners, 12, axis=0)
    for k, fit in zip(range(2, 7), ALGORITHMS[name].fit(tied, tuple(range(2, 7)), 0, 3, None), strict=True):
        assert fit.k == k
        assert set(fit.assign(tied)) <= set(range(1, k + 1))


def crowded(k: int = 12, n: int = 40, seed: int = 5) -> np.ndarray:
    """Make many groups of which few starts find all."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.uniform(-10, 10, (k, 4)), n, axis=0) + rng.standard_normal((k * n, 4))


def test_starts_end_once_the_best_was_found_twice() -> None:
    costs = [5.0, 3.0, 4.0, 3.0, 2.0]
    tried: list[int] = []

    def start(number: int) -> tuple[float, Any]:
        tried.append(number)
        return costs[number], number

    assert find_twice(start, 5, least=1) == 1 and tried == [0, 1, 2, 3]
    tried.clear()
    assert find_twice(start, 3, least=1) == 1 and tried == [0, 1, 2], "not more than the most"
    tried.clear()
    assert find_twice(start, 5, least=5) == 4 and len(tried) == 5, "not fewer than the least"


@pytest.mark.slow
@pytest.mark.parametrize("k", [8, 12])
def test_a_published_fit_is_as_tight_as_that_of_many_starts(k: int) -> None:
    points = crowded()
    (fit,) = fit_solutions(points, ALGORITHMS["kmeans"], (k,), 3)
    many = KMeans(k, n_init=300, random_state=1, tol=1e-6).fit(points)
    assert distances(points, fit.centres).min(axis=1).sum() <= many.inertia_ * 1.001


def test_a_mixture_ends_where_that_of_scikit_learn_ends_from_the_same_groups() -> None:
    weights = np.random.default_rng(8).integers(1, 4, len(CLOUD)).astype(float)
    nearest = distances(CLOUD, CLOUD[:3]).argmin(axis=1)
    repeated = np.repeat(np.arange(len(CLOUD)), weights.astype(int))

    class FromGroups(GaussianMixture):
        def _initialize_parameters(self, X: np.ndarray, *_: Any, **__: Any) -> None:  # noqa: N803
            self._initialize(X, np.eye(3)[nearest[repeated]])

    theirs = FromGroups(3, reg_covar=mixture.RIDGE, tol=1e-4, max_iter=200).fit(CLOUD[repeated])
    customers = mixture._Customers.of(CLOUD, weights)
    ours, likely = mixture._climb(customers, mixture._near(customers, CLOUD[:3]), 1e-4, 200)
    assert likely == pytest.approx(theirs.lower_bound_, abs=1e-10)
    assert ours.means == pytest.approx(theirs.means_, abs=1e-8)
    assert ours.shapes == pytest.approx(theirs.precisions_cholesky_, abs=1e-8)
    fit = mixture._as_fit(ours)
    assert (fit.assign(CLOUD) - 1 == theirs.predict(CLOUD)).all()
    assert mixture._bic(customers, ours) == pytest.approx(theirs.bic(CLOUD[repeated]))


def test_a_mixture_with_more_starts_is_as_likely_as_with_one() -> None:
    (one,), (several,) = (ALGORITHMS["mixture"].fit(CLOUD, (5,), 2, n_init, None) for n_init in (3, 10))
    likely = [np.log(np.exp(-fit.costs(CLOUD) / 2).sum(axis=1)).mean() for fit in (one, several)]
    assert one.bic is None and several.bic is not None
    assert likely[1] >= likely[0]


@pytest.mark.slow
def test_a_published_mixture_is_no_less_likely_than_that_of_some_starts() -> None:
    points = crowded(6, 60)
    (fit,) = fit_solutions(points, ALGORITHMS["mixture"], (6,), 3)
    some = GaussianMixture(6, reg_covar=0.01, n_init=3, random_state=3, max_iter=200).fit(points)
    assert fit.bic is not None and fit.bic <= some.bic(points) + 1
