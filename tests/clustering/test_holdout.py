"""Groupings are scored on customers that they were not fitted on, as a slow reading of the definition does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.tree import DecisionTreeRegressor

from analysis.base.run import USERS
from analysis.clustering import holdout
from analysis.clustering.holdout import Grouping, Measure, estimate, held_out_scores

EFFORT = replace(USERS, holdout_draws=100)


def draw(n: int, n_groups: int, signal: float, seed: int, measure: Measure = "auc") -> tuple[np.ndarray, Grouping]:
    """Draw customers whose group moves what is to be predicted by so many standard deviations."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_groups, n)
    y = rng.normal(size=n) + signal * np.linspace(-1, 1, n_groups)[codes]
    return ((y > 0.8).astype(float) if measure == "auc" else y), Grouping("segments", "Segments", codes)


def slowly(values: np.ndarray, measure: Measure, codes: np.ndarray, seed: int) -> float:
    """Score by the definition: halves, means of groups, scikit-learn's metric."""
    rng, scores = np.random.default_rng(seed), []
    for inside in [rng.permutation(len(values)) < len(values) // 2 for _ in range(EFFORT.holdout_halvings)]:
        for fitted in (inside, ~inside):
            means = {g: values[fitted & (codes == g)].mean() for g in np.unique(codes[fitted])}
            predicted = [means.get(g, values[fitted].mean()) for g in codes[~fitted]]
            metric = roc_auc_score if measure == "auc" else r2_score
            scores.append(metric(values[~fitted], predicted))
    return float(np.mean(scores))


@pytest.mark.slow
@pytest.mark.parametrize("measure", ["auc", "r2"])
@pytest.mark.parametrize("n_groups", [3, 40])
def test_scores_are_those_of_the_definition(measure: Measure, n_groups: int) -> None:
    values, grouping = draw(160, n_groups, 0.5, 3, measure)
    (found,) = held_out_scores(values, measure, [grouping], np.random.default_rng(5), EFFORT)
    assert found[0, 0] == pytest.approx(slowly(values, measure, grouping.codes, 5))


@pytest.mark.parametrize("measure", ["auc", "r2"])
def test_a_customer_of_weight_two_counts_as_two_in_one_half(measure: Measure) -> None:
    values, grouping = draw(200, 4, 0.5, 1, measure)
    weights = np.random.default_rng(2).integers(0, 3, 200)
    halves = np.array([np.random.default_rng(i).permutation(200) < 100 for i in range(3)]).astype(np.intp)
    counter = holdout._Counter(grouping, values, halves, [])
    twice = Grouping("segments", "Segments", np.repeat(grouping.codes, weights))
    repeated = holdout._Counter(twice, np.repeat(values, weights), np.repeat(halves, weights, axis=1), [])
    expected = repeated.score(np.ones((weights.sum(), 1)), measure)
    assert counter.score(weights[:, None].astype(float), measure) == pytest.approx(expected)


def test_more_groups_that_know_nothing_do_not_help() -> None:
    values, _ = draw(1_000, 4, 0.0, 1, "r2")
    noise = np.random.default_rng(8).integers(0, 100, 1_000)
    (found,) = held_out_scores(values, "r2", [Grouping("segments", "", noise)], np.random.default_rng(1), EFFORT)
    assert found[0, 0] < 0 and np.corrcoef(values, [values[noise == g].mean() for g in noise])[0, 1] ** 2 > 0.05


@pytest.mark.slow
def test_groups_that_know_nothing_hardly_ever_beat_chance() -> None:
    draws = (draw(300, 4, 0.0, seed) for seed in range(40))
    found = [
        held_out_scores(values, "auc", [g], np.random.default_rng(i), EFFORT) for i, (values, g) in enumerate(draws)
    ]
    assert sum(estimate(rows[0, 0]).low > 0.5 for rows in found) <= 4


@pytest.mark.slow
def test_intervals_hold_the_score_of_other_customers() -> None:
    found = [
        held_out_scores(values, "auc", [g], np.random.default_rng(i), EFFORT)[0, 0]
        for i, (values, g) in enumerate(draw(400, 4, 0.6, seed) for seed in range(40))
    ]
    usual = np.mean([scores[0] for scores in found])
    held = sum(e.low <= usual <= e.high for e in map(estimate, found))
    assert usual > 0.6 and held >= 34


def test_a_random_split_of_segments_that_know_all_knows_nothing() -> None:
    values, grouping = draw(600, 3, 3.0, 4)
    split = Grouping("random", "Random split", grouping.codes)
    own, random = held_out_scores(values, "auc", [grouping, split], np.random.default_rng(1), EFFORT)
    assert own[0, 0] > 0.9 and abs(random[0, 0] - 0.5) < 0.06


def test_expectations_predict_along_a_line_fitted_on_the_other_half() -> None:
    rng = np.random.default_rng(3)
    expected = rng.normal(size=2_000)
    values = 5 - 2 * expected + 0.1 * rng.normal(size=2_000)
    bins = np.argsort(np.argsort(expected)) // 40
    (found,) = held_out_scores(values, "r2", [Grouping("model", "", bins, expected)], rng, EFFORT)
    assert found[0, 0] > 0.97


@pytest.mark.slow
@pytest.mark.parametrize("measure", ["auc", "r2"])
def test_a_tree_is_scored_on_the_half_that_it_was_not_grown_on(measure: Measure) -> None:
    rng = np.random.default_rng(6)
    features = rng.normal(size=(800, 4))
    latent = np.where(features[:, 0] > 0.3, 1.0, np.where(features[:, 1] > 0, 0.5, 0.0)) + 0.1 * rng.normal(size=800)
    values = (latent > 0.7).astype(float) if measure == "auc" else latent
    noise = rng.permutation(values)
    way = Grouping("tree", "", np.zeros(800, np.intp), features=features)
    (knows,), (guesses,) = (
        held_out_scores(each, measure, [way], np.random.default_rng(2), EFFORT) for each in (values, noise)
    )
    assert knows[0, 0] > 0.9
    assert guesses[0, 0] < {"auc": 0.56, "r2": 0.0}[measure]
    inside = np.random.default_rng(2).permutation(800) < 400
    first = []
    for learnt in (inside, ~inside):
        tree = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=20, random_state=0).fit(
            features[learnt], values[learnt]
        )
        told = tree.predict(features[~learnt])
        score = roc_auc_score(values[~learnt], told) if measure == "auc" else r2_score(values[~learnt], told)
        first.append(score)
    (alone,) = held_out_scores(values, measure, [way], np.random.default_rng(2), replace(EFFORT, holdout_halvings=1))
    assert alone[0, 0] == pytest.approx(np.mean(first), abs=0.01)


def test_a_half_without_a_yes_in_a_sample_says_nothing() -> None:
    values, grouping = draw(100, 3, 1.0, 1)
    halves = np.array([np.arange(100) < 50, np.arange(100) % 2]).astype(np.intp)
    counter = holdout._Counter(grouping, values, halves, [])
    weights = np.where((values > 0) & (np.arange(100) < 50), 0.0, 1.0)[:, None]
    (score,), *_ = counter.score(weights, "auc")
    counter.shape, counter.moments = (1, 2, 3), [m[6:] for m in counter.moments]
    (other,), *_ = counter.score(weights, "auc")
    assert np.isfinite(score) and score != other


def test_the_most_promising_groups_are_contacted_first_and_the_last_in_part() -> None:
    # Ten customers in three groups, in this order of promise: 2 with 2 yes, 4 with 2 yes, 4 with none.
    shaped = (np.array(each, dtype=float).reshape(1, 1, 3, 1) for each in ([3, 2, 1], [2, 4, 4], [2, 2, 0]))
    predicted, count, total = shaped
    reached = [holdout._reach(predicted, count, total, part).item() for part in (0.1, 0.2, 0.4, 0.6, 1.0)]
    assert reached == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


@pytest.mark.parametrize("n_groups", [3, 12])
def test_what_is_reached_is_what_contacting_one_by_one_reaches(n_groups: int) -> None:
    values, grouping = draw(400, n_groups, 0.8, 5, "auc")
    (found,) = held_out_scores(values, "auc", [grouping], np.random.default_rng(7), EFFORT)
    rng, reached = np.random.default_rng(7), []
    for inside in [rng.permutation(400) < 200 for _ in range(EFFORT.holdout_halvings)]:
        for fitted in (inside, ~inside):
            means = np.array([values[fitted & (grouping.codes == g)].mean() for g in range(n_groups)])
            yes, codes = values[~fitted], grouping.codes[~fitted]
            left, share = 0.2 * len(yes), 0.0
            for g in np.argsort(-means, kind="stable"):
                size = (codes == g).sum()
                part = min(left, size) / max(size, 1)
                left -= part * size
                share += part * yes[codes == g].sum() / yes.sum()
            reached.append(share)
    assert found[1, 0] == pytest.approx(np.mean(reached))
    assert 0.2 < found[1, 0] < found[2, 0] < 1
