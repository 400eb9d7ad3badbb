"""Latent class analysis: planted classes come back, and the nearest point is the likeliest class."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import adjusted_rand_score

from analysis.assignment.model import Model
from analysis.assignment.rounding import assign_by_rule, round_rule
from analysis.assignment.rules import _find_centres
from analysis.assignment.scoring import rate_confidence
from analysis.clustering.algorithms import ALGORITHMS, Fit, competing
from analysis.clustering.algorithms.latent_class import Answers, fit_classes, fit_latent_class, log_joint
from analysis.clustering.algorithms.threads import one_thread
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import prepare
from tests.stages import judge, project_study

SHARES = np.array([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9, 0.9, 0.1], [0.1, 0.9, 0.1, 0.1, 0.9, 0.9]])


def survey(n: int = 600, seed: int = 1, shares: np.ndarray = SHARES) -> tuple[np.ndarray, np.ndarray]:
    """Draw yes/no answers of three classes, standardised, and the class of each customer."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    answers = (rng.random((n, shares.shape[1])) < shares[truth]).astype(float)
    return (answers - answers.mean(axis=0)) / answers.std(axis=0), truth


def with_category() -> tuple[np.ndarray, tuple[tuple[int, int], ...]]:
    """Draw the same with a category of three levels that one in six leaves open."""
    points, truth = survey()
    rng = np.random.default_rng(3)
    level = np.where(rng.random(len(truth)) < 0.8, truth, rng.integers(0, 3, len(truth)))
    levels = (level[:, None] == np.arange(3)) * 0.7
    levels[::6] = 0
    return np.column_stack([points, levels]), ((6, 9),)


def test_planted_classes_come_back_with_their_sizes_and_shares() -> None:
    points, truth = survey(4_000)
    with one_thread():
        found = fit_classes(Answers.of(points, None, ()), 3, 7)
    order = np.argsort(-found.sizes)
    shares = found.shares
    assert found.sizes[order] == pytest.approx([0.5, 0.3, 0.2], abs=0.04)
    assert shares[order][:, ::2] == pytest.approx(SHARES, abs=0.06)
    (fit,) = fit_latent_class(points, (3,), 7, 20)
    assert adjusted_rand_score(truth, fit.assign(points)) > 0.75


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_nearest_point_is_the_likeliest_class_and_gives_its_odds(k: int) -> None:
    points, blocks = with_category()
    answers = Answers.of(points, None, blocks)
    (fit,) = fit_latent_class(points, (k,), 7, 20, None, blocks)
    given = answers.offset + answers.slope * points[:, answers.column]
    found = fit_classes(answers, k, 7)
    joint = np.log(found.sizes) + given.round() @ np.log(found.shares).T
    assert (fit.assign(points) - 1 == joint.argmax(axis=1)).all()
    assert softmax(-fit.costs(points) / 2, axis=1) == pytest.approx(softmax(joint, axis=1), abs=1e-6)
    assert fit.by_size(points).assign(points).max() == k


def test_an_answer_that_is_left_open_counts_for_no_class() -> None:
    points, blocks = with_category()
    answers = Answers.of(points, None, blocks)
    found = fit_classes(answers, 3, 7)
    known = log_joint(answers, found)
    leaves_open = answers.given[:, answers.question == 6].sum(axis=1) == 0
    assert leaves_open.any()
    without = (
        np.log(found.sizes)[:, None]
        + np.log(found.shares[:, answers.question != 6]) @ answers.given[:, answers.question != 6].T
    )
    assert known[:, leaves_open] == pytest.approx(without[:, leaves_open])
    assert answers.weights.sum() == len(points)


def test_of_many_starts_the_likeliest_is_taken() -> None:
    rates = np.random.default_rng(0).uniform(0.1, 0.9, (3, 10))
    answers = Answers.of(survey(shares=rates)[0], None, ())

    def likelihood(starts: int, seed: int) -> float:
        found = fit_classes(answers, 5, seed, starts)
        return float(np.logaddexp.reduce(log_joint(answers, found), axis=0) @ answers.weights)

    assert likelihood(20, 7) >= max(likelihood(1, seed) for seed in range(10)) - 0.5


def test_latent_classes_compete_where_there_are_answers_or_categories() -> None:
    points, blocks = with_category()
    alone = competing(points, blocks)["latent_class"]
    assert alone.about == competing(points[:, :6], ())["latent_class"].about == ALGORITHMS["latent_class"].about
    mixed = competing(np.column_stack([points, np.arange(len(points))]), blocks)["latent_class"]
    assert "mean of every number" in mixed.about
    assert "latent_class" not in competing(np.random.default_rng(1).normal(size=(60, 3)), ())
    assert list(ALGORITHMS).index("latent_class") < list(ALGORITHMS).index("mixture")


def test_confidence_is_the_posterior_probability_between_the_two_likeliest() -> None:
    points, _ = survey()
    (fit,) = fit_latent_class(points, (2,), 7, 20)
    model = Model(project_study(), (), (), {}, (), (), None, fit, (9.0, 9.0, 9.0))
    found = rate_confidence(fit.assign(points), points, model)
    assert found == pytest.approx(softmax(-fit.costs(points) / 2, axis=1).max(axis=1), abs=0.001)
    assert Fit(fit.centres).assign(points).shape == found.shape


@pytest.mark.slow
def test_classes_are_judged_as_other_segments_are_and_say_what_their_likelihood_prefers() -> None:
    points, truth = survey()
    found = judge(points, project_study().model_copy(update={"algorithm": "latent_class"}))
    assert (found.decision.algorithm, found.decision.k) == ("latent_class", 3)
    assert adjusted_rand_score(truth, found.labels) > 0.7
    assert found.chosen().outcome.startswith("3 segments, stability 0.9")
    assert "BIC prefers 3" in found.chosen().outcome


@pytest.mark.slow
def test_the_published_rule_places_as_the_likeliest_class_does() -> None:
    points, _ = survey()
    frame = pd.DataFrame((points > 0).astype(float), columns=[f"answer{j}" for j in range(points.shape[1])])
    variables = tuple(
        Variable(name, name, "yes_no", "feature", name, (name,), "", "", "", "auto", False) for name in frame
    )
    study = project_study().model_copy(update={"algorithm": "latent_class", "noise": "keep"})
    table = FeatureTable(frame, variables)
    prepared = prepare(table, study)
    found = judge(prepared.matrix, study, prepared.core)
    features: Any = SimpleNamespace(table=table, prepared=prepared)
    placed = assign_by_rule(features, found, study)
    assert (placed.labels == found.labels).mean() > 0.97, "rounding moves few"
    rounded = round_rule(frame, prepared, placed, study)
    rule = _find_centres(frame, rounded.prepared, rounded.centres, placed, study)
    assert rule is not None and rule.exact and rule.fidelity == 1
    means = [[frame[name][placed.labels == j].mean() for name in frame] for j in range(1, found.fit.k + 1)]
    assert np.array(rule.typical) == pytest.approx(np.array(means), abs=0.03)
