"""Latent classes of numbers and answers together: planted classes come back, and the rule by points is exact."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from analysis.assignment.rounding import _point_steps, assign_by_rule
from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import competing
from analysis.clustering.algorithms.latent_class import Answers, Solution, fit_classes, fit_latent_class
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.resample import adjusted_rand
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Blocks, prepare
from tests.stages import judge, project_study

NUMBERS = (0, 1, 2)
BLOCKS: Blocks = ((5, 8),)
MEANS = np.array([[0.0, 0.0, 0.0], [2.0, -1.0, 1.0], [-1.0, 2.0, 1.0]])
SPREADS = np.array([1.0, 0.8, 1.2])
RATES = np.array([[0.9, 0.2], [0.2, 0.2], [0.5, 0.9]])
LEVELS = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])


def draw(n: int = 600, seed: int = 1, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw three numbers, two yes/no answers and a category of three levels, and the class of each customer."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    numbers = apart * MEANS[truth] + SPREADS * rng.normal(size=(n, 3))
    answers = (rng.random((n, 2)) < RATES[truth]).astype(float)
    level = (rng.random(n)[:, None] > LEVELS[truth].cumsum(axis=1)).sum(axis=1)
    level = (level[:, None] == np.arange(3)) * 0.7
    return np.column_stack([numbers, 2 * answers - 1, level]), truth + 1


def read(points: np.ndarray) -> Answers:
    return Answers.of(points, None, BLOCKS, NUMBERS)


def joint_by_hand(points: np.ndarray, answers: Answers, found: Solution) -> np.ndarray:
    """Return the log of the joint probability of each customer and class, shape (n, k), from the densities."""
    given = answers.offset + answers.slope * points[:, answers.column]
    chance = np.log(found.sizes) + given.round() @ np.log(found.shares).T
    for j in range(len(NUMBERS)):
        means = found.means[:, j] + answers.middle[j]
        chance += norm.logpdf(points[:, [NUMBERS[j]]], means, np.sqrt(found.variances[0, j]))
    return chance


def test_planted_classes_come_back_with_their_means_variances_and_shares() -> None:
    points, _ = draw(6_000)
    with one_thread():
        answers = read(points)
        found = fit_classes(answers, 3, 7)
    order = np.argsort(-found.sizes)
    assert found.sizes[order] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert found.means[order] + answers.middle == pytest.approx(MEANS, abs=0.12)
    assert np.sqrt(found.variances[0]) == pytest.approx(SPREADS, abs=0.04)
    assert found.shares[order][:, [0, 2]] == pytest.approx(RATES, abs=0.05)
    assert found.shares[order][:, 4:] == pytest.approx(LEVELS, abs=0.05)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_nearest_point_is_the_likeliest_class_and_gives_its_odds(k: int) -> None:
    points, _ = draw()
    (fit,) = fit_latent_class(points, (k,), 7, 20, None, BLOCKS, NUMBERS)
    answers = read(points)
    joint = joint_by_hand(points, answers, fit_classes(answers, k, 7))
    assert (fit.assign(points) - 1 == joint.argmax(axis=1)).all()
    assert softmax(-fit.costs(points) / 2, axis=1) == pytest.approx(softmax(joint, axis=1), abs=1e-6)


def test_bic_is_that_of_the_densities_and_free_numbers() -> None:
    points, _ = draw()
    (fit,) = fit_latent_class(points, (3,), 7, 20, None, BLOCKS, NUMBERS)
    answers = read(points)
    likelihood = logsumexp(joint_by_hand(points, answers, fit_classes(answers, 3, 7)), axis=1).sum()
    free = 2 + 3 * (3 + 2 + 2) + 3
    assert fit.bic == pytest.approx(-2 * likelihood + free * np.log(len(points)))
    assert fit.classes is not None and fit.classes.aic3 == pytest.approx(-2 * likelihood + 3 * free)


def test_a_row_that_counts_twice_is_two_customers() -> None:
    points, _ = draw(200)
    counts = np.random.default_rng(2).integers(1, 4, len(points))
    once = fit_classes(Answers.of(points, counts, BLOCKS, NUMBERS), 2, 7)
    repeated = fit_classes(read(np.repeat(points, counts, axis=0)), 2, 7)
    order, other = np.argsort(once.sizes), np.argsort(repeated.sizes)
    assert once.means[order] == pytest.approx(repeated.means[other], abs=0.01)
    assert once.variances == pytest.approx(repeated.variances, abs=0.01)


def test_the_unit_of_a_number_changes_no_class() -> None:
    points, _ = draw()
    stretched = points * np.array([10.0, 0.1, 1, 1, 1, 1, 1, 1])
    first, second = (fit_latent_class(x, (3,), 7, 20, None, BLOCKS, NUMBERS)[0].assign(x) for x in (points, stretched))
    assert adjusted_rand(first, second) > 0.99


def test_a_number_of_few_values_makes_no_spike() -> None:
    rng = np.random.default_rng(5)
    points, truth = draw(900, apart=1.5)
    points[:, 0] = rng.integers(0, 3, len(points))
    answers = read(points)
    found = fit_classes(answers, 3, 7)
    assert found.variances[0, 0] >= 1 / (2 * np.pi), "a step of 1"
    assert norm.pdf(0, 0, np.sqrt(answers.least[0])) == pytest.approx(1.0)
    (fit,) = fit_latent_class(points, (3,), 7, 20, None, BLOCKS, NUMBERS)
    assert adjusted_rand(truth, fit.assign(points)) > 0.6, "the classes are not the three values"


def agreement(algorithm: str, draws: int, **how: Any) -> list[float]:
    """Return the adjusted Rand index of three segments with the planted classes, for each draw."""
    found = []
    with one_thread():
        for seed in range(draws):
            points, truth = draw(seed=seed, **how)
            points[:, :5] = (points[:, :5] - points[:, :5].mean(axis=0)) / points[:, :5].std(axis=0)
            (fit,) = competing(points, BLOCKS)[algorithm].fit(points, (3,), 7, 20, None)
            found.append(adjusted_rand(truth, fit.assign(points)))
    return found


@pytest.mark.parametrize("other", ["kmeans", "kprototypes", "mixture"])
def test_mixed_classes_are_found_better_than_by_other_algorithms(other: str) -> None:
    assert np.mean(agreement("latent_class", 6)) > np.mean(agreement(other, 6)) + 0.02


@pytest.mark.slow
def test_planted_surveys_are_found_at_least_as_well_as_by_k_means() -> None:
    """Over 20 draws the mean index was 0.50 against 0.38 on yes/no answers, and 0.84 against 0.63 on mixed data."""
    yes_no: dict[str, list[float]] = {"latent_class": [], "kmeans": []}
    with one_thread():
        for seed in range(20):
            rng = np.random.default_rng([9, seed])
            truth = rng.choice(4, 600, p=[0.4, 0.3, 0.2, 0.1])
            answers = (rng.random((600, 10)) < rng.choice([0.15, 0.35, 0.65, 0.85], (4, 10))[truth]).astype(float)
            points = (answers - answers.mean(axis=0)) / answers.std(axis=0)
            for name, found in yes_no.items():
                (fit,) = competing(points, ())[name].fit(points, (4,), 7, 20, None)
                found.append(adjusted_rand(truth + 1, fit.assign(points)))
    gained = np.array(yes_no["latent_class"]) - yes_no["kmeans"]
    assert gained.mean() > 0.08 and (gained >= -0.02).sum() >= 17
    mixed = np.array(agreement("latent_class", 20)) - agreement("kmeans", 20)
    assert mixed.mean() > 0.1 and (mixed >= -0.02).all()


def test_points_are_rounded_to_more_than_one_customer_can_move_them_by() -> None:
    points, _ = draw(600)
    (fit,) = fit_latent_class(points, (3,), 7, 20, None, BLOCKS, NUMBERS)
    steps = _point_steps(fit.nearest[:, :3], points[:, :3], fit.assign(points), Disclosure())
    assert steps.min() > 0 and steps.max() < 0.6

    def apart(points: np.ndarray) -> np.ndarray:
        return points[:, None, :3] - points[None, :, :3]

    extreme = np.argsort(-np.abs(points[:, :3] - points[:, :3].mean(axis=0)).max(axis=1))
    for row in extreme[:3]:
        (less,) = fit_latent_class(np.delete(points, row, axis=0), (3,), 7, 20, None, BLOCKS, NUMBERS)
        same = less.in_order(np.array([np.abs(less.centres - c).sum(axis=1).argmin() for c in fit.centres]))
        assert (np.abs(apart(fit.nearest) - apart(same.nearest)) <= steps[:, None] + steps[None]).all()


@pytest.mark.slow
def test_a_public_rule_places_nearly_all_as_the_likeliest_class_does() -> None:
    points, truth = draw(1_000, apart=1.5)
    columns = {f"x{j}": points[:, j] for j in range(3)} | {f"yes{j}": (points[:, j + 3] > 0) * 1.0 for j in range(2)}
    frame = pd.DataFrame(columns)
    units = ["number"] * 3 + ["yes_no"] * 2
    variables = tuple(
        Variable(name, name, unit, "feature", name, (name,), "", "", "", "auto", False)
        for name, unit in zip(frame, units, strict=True)
    )
    study = project_study().model_copy(
        update={"algorithm": "latent_class", "noise": "keep", "disclosure": "public", "segments": 3}
    )
    prepared = prepare(FeatureTable(frame, variables), study)
    found = judge(prepared.matrix, study, prepared.core)
    features: Any = SimpleNamespace(table=SimpleNamespace(frame=frame), prepared=prepared)
    placed = assign_by_rule(features, found, study)
    assert (placed.labels == found.labels).mean() > 0.97
    assert adjusted_rand(truth, placed.labels) > 0.85
