"""The measures behind the evidence, each against its definition, and fits under weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from analysis.base.run import TESTS
from analysis.base.weights import effective_size
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.algorithms.published import fit_solutions
from analysis.clustering.resample import (
    adjusted_rand,
    box,
    count_draws,
    dispersion,
    draw_rows,
    measure_extremes,
    own_jaccard,
    prediction_strengths,
    reference_dispersions,
    silhouettes,
    some,
)  # fmt: skip


def islands(n: int = 60, k: int = 3, p: int = 3, apart: float = 9.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(apart * np.eye(k, p), n, axis=0) + rng.standard_normal((n * k, p))


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_silhouettes_of_many_labellings_are_those_of_scikit_learn(k: int, p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((640, p)).round(1)
    labelings = [rng.permutation(np.arange(640) % k + 1).astype(np.int16) for _ in range(2)]
    for labels, each in zip(labelings, silhouettes(points, labelings), strict=True):
        assert each == pytest.approx(np.asarray(silhouette_samples(points, labels)), abs=1e-6)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=60))
def test_the_adjusted_rand_index_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, dtype=np.int16) for side in zip(*pairs, strict=True))
    assert adjusted_rand(first, second) == pytest.approx(adjusted_rand_score(first, second), abs=1e-12)


def test_unassigned_customers_have_no_silhouette_and_count_for_nobodys() -> None:
    points = islands()
    labels = np.repeat([1, 2, 0], 60).astype(np.int16)
    (each,) = silhouettes(points, [labels])
    assert np.isnan(each[120:]).all()
    assert each[:120] == pytest.approx(np.asarray(silhouette_samples(points[:120], labels[:120])))


def test_one_segment_or_a_customer_alone_has_silhouette_zero() -> None:
    points = islands(5)
    alone = np.array([1] * 14 + [2], dtype=np.int16)
    together, single = silhouettes(points, [np.ones(15, dtype=np.int16), alone])
    assert together.tolist() == [0.0] * 15
    assert single[-1] == 0.0


def test_the_reference_box_holds_everyone_and_one_group_has_the_total_sum_of_squares() -> None:
    points = islands()
    low, high = box(points)
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    assert ((points @ axes.T >= low) & (points @ axes.T <= high)).all()
    (fit,) = ALGORITHMS["kmeans"].fit(points, (1,), 0, 1, None)
    assert dispersion(points, fit) == pytest.approx(np.log(((points - points.mean(axis=0)) ** 2).sum()))


@pytest.mark.slow
def test_the_gap_is_largest_at_the_planted_number() -> None:
    points, ks = islands(), (1, 2, 3, 4, 5)
    corners = box(points)
    references = np.array([reference_dispersions(*corners, len(points), ks, 3, (1, draw)) for draw in range(10)])
    own = [dispersion(points, ALGORITHMS["kmeans"].fit(points, (k,), 0, 5, None)[0]) for k in ks]
    assert (references.mean(axis=0) - own).argmax() == 2


@pytest.mark.slow
def test_prediction_strength_is_one_for_islands_and_falls_beyond() -> None:
    strengths = np.mean([prediction_strengths(islands(), (2, 3, 4, 5), 3, (7, draw)) for draw in range(10)], axis=0)
    assert strengths[1] == pytest.approx(1.0)
    assert (strengths[2:] < 0.8).all()


def test_prediction_strength_is_the_share_of_pairs_that_stay_together() -> None:
    rng = np.random.default_rng(5)
    points = rng.standard_normal((60, 2))
    order = np.random.default_rng((3, 1, 5)).permutation(60)
    halves = points[order[:30]], points[order[30:]]
    start = np.random.default_rng((3, 1, 5))
    start.permutation(60)
    seed = int(start.integers(2**31))
    first, second = (ALGORITHMS["kmeans"].fit(half, (3,), seed, 3, None)[0] for half in halves)
    strengths = []
    for half, own, other in ((halves[0], first, second), (halves[1], second, first)):
        mine, theirs = own.assign(half), other.assign(half)
        kept = []
        for segment in (1, 2, 3):
            pairs = [(i, j) for i in range(30) for j in range(i) if mine[i] == mine[j] == segment]
            kept.append(np.mean([theirs[i] == theirs[j] for i, j in pairs]))
        strengths.append(min(kept))
    assert prediction_strengths(points, (3,), 3, (3, 1)) == pytest.approx([np.mean(strengths)])


def test_own_groups_are_compared_over_those_drawn_only() -> None:
    reference = np.array([1, 1, 1, 2, 2, 0], dtype=np.int16)
    drawn = np.array([2, 0, 2, 1, 1, 1], dtype=np.int16)
    assert own_jaccard(reference, drawn, 2).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_whole_number_weights_are_as_repeated_rows(name: str) -> None:
    points = islands(80)
    counts = np.random.default_rng(2).integers(1, 4, len(points))
    weighted = ALGORITHMS[name].fit(points, (3,), 1, 10, counts)
    repeated = ALGORITHMS[name].fit(np.repeat(points, counts, axis=0), (3,), 1, 10, None)
    first, second = (fits[0].by_size(points) for fits in (weighted, repeated))
    assert first.centres == pytest.approx(second.centres, abs=1e-3)
    assert (first.assign(points) == second.assign(points)).all()


@pytest.mark.parametrize("name", [name for name, algorithm in ALGORITHMS.items() if algorithm.takes_k])
def test_survey_weights_are_as_counts_whatever_their_scale(name: str) -> None:
    points = islands(80)
    counts = np.random.default_rng(2).integers(1, 4, len(points))
    (weighted,) = fit_solutions(points, ALGORITHMS[name], (3,), 1, effort=TESTS, weights=250.0 * counts)
    (repeated,) = fit_solutions(np.repeat(points, counts, axis=0), ALGORITHMS[name], (3,), 1, effort=TESTS)
    first, second = (fit.by_size(points, 1.0 * counts) for fit in (weighted, repeated))
    assert (first.assign(points) == second.assign(points)).all()
    sizes = np.bincount(first.assign(points), counts)[1:]
    assert (np.diff(sizes) <= 0).all()


def test_resamples_draw_in_proportion_to_weights_as_many_as_they_are_worth() -> None:
    weights = np.random.default_rng(0).lognormal(0, 0.8, 300)
    n = count_draws(300, weights)
    assert n == round(effective_size(weights)) < 200 and count_draws(300, None) == 300
    drawn = np.sum([draw_rows(300, n, (1, i), weights)[1] for i in range(2000)], axis=0)
    assert drawn.sum() == 2000 * n
    expected = 2000 * n * weights / weights.sum()
    assert (np.abs(drawn - expected) < 5 * np.sqrt(expected)).all()
    assert draw_rows(300, 300, (1, 2))[1].tolist() == draw_rows(300, 300, (1, 2), None)[1].tolist()


def test_the_smallest_segment_is_that_of_the_population_unless_its_rows_are_few() -> None:
    labels = np.repeat([0, 1, 2], [10, 70, 20]).astype(np.int16)
    weights = np.where(labels == 1, 1.0, 4.0)
    assert measure_extremes(labels, 2, None, 30) == (0.2, 0.1)
    assert measure_extremes(labels, 2, weights, 15) == pytest.approx((70 / 190, 40 / 190))
    assert measure_extremes(labels, 2, weights, 30) == pytest.approx((0.2, 40 / 190))


def test_a_sample_is_seeded_and_everyone_is_kept_where_they_are_few() -> None:
    points = islands()
    assert some(points, 1000, 3) is not points and (some(points, 1000, 3) == points).all()
    assert len(some(points, 50, 3)) == 50
    assert (some(points, 50, 3) == some(points, 50, 3)).all()
