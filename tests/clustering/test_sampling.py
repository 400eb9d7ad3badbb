"""Evidence of many customers is gathered on a sample, and everyone is placed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from analysis.base.run import TESTS
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.algorithms.published import fit_customers
from analysis.clustering.evidence import Evidence, gather_evidence
from analysis.clustering.sampling import judge_customers
from analysis.clustering.solutions import compare_solutions
from tests.stages import project_study

pytestmark = pytest.mark.slow
SMALL = replace(TESTS, whole_rows=400, evidence_rows=400)
NAMES = ("east", "north", "up")


def islands(*sizes: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    centres = 9 * np.eye(len(sizes), 3)
    return rng.permutation(np.repeat(centres, sizes, axis=0) + rng.standard_normal((sum(sizes), 3)))


def judge(points: np.ndarray, algorithm: str = "kmeans") -> Evidence:
    study = project_study().model_copy(update={"segments": 3, "algorithm": algorithm})
    return judge_customers(points, np.ones(len(points), dtype=bool), study, effort=SMALL)


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, Evidence]:
    points = islands(900, 600, 500)
    return points, judge(points)


def test_everyone_is_placed_as_all_of_them_would_have_been(many: tuple[np.ndarray, Evidence]) -> None:
    points, found = many
    whole = KMeans(3, n_init=5, random_state=0).fit(points)
    assert adjusted_rand_score(found.labels, whole.labels_) == 1.0
    nearest = np.abs(found.fit.centres[:, None] - whole.cluster_centers_[None]).sum(axis=2).min(axis=1)
    assert nearest == pytest.approx([0, 0, 0], abs=1e-3)
    assert np.array_equal(found.labels, found.fit.assign(points))


def test_the_sample_is_named_and_its_cost_is_measured_on_another(many: tuple[np.ndarray, Evidence]) -> None:
    _, found = many
    assert found.sample is not None
    assert len(found.sample.rows) == 400
    assert found.sample.agreement == pytest.approx(1.0)
    assert {len(labels) for labels in found.solutions.values()} == {400}


def test_where_samples_disagree_the_figure_says_so() -> None:
    cloud = np.random.default_rng(2).standard_normal((3_000, 3))
    found = judge(cloud)
    assert found.sample is not None
    assert found.sample.agreement < 0.95


@pytest.mark.parametrize("algorithm", ["kmeans", "mixture"])
def test_segments_are_numbered_by_size_among_everyone(algorithm: str) -> None:
    # The two larger groups differ by less than a sample of 400 can tell.
    points = islands(701, 700, 599)
    found = judge(points, algorithm)
    sizes = np.bincount(found.labels)[1:]
    assert list(sizes) == sorted(sizes, reverse=True)
    own = found.solutions[algorithm, 3]
    assert found.sample is not None
    assert adjusted_rand_score(own, found.labels[found.sample.rows]) == 1.0
    assert (own == found.labels[found.sample.rows]).all()


def test_the_chain_and_the_neighbours_are_of_the_sample(many: tuple[np.ndarray, Evidence]) -> None:
    points, found = many
    solutions = compare_solutions(found, points, points, NAMES, 10, 1, SMALL)
    assert [level.k for level in solutions.slsa] == [2, 3, 4, 5]
    assert {n.k for n in solutions.neighbours} == {2, 4}


def test_as_many_as_the_sample_are_all_judged() -> None:
    points = islands(180, 120, 100)
    core, study = np.ones(400, dtype=bool), project_study().model_copy(update={"segments": 3})
    found, whole = (
        judge_customers(points, core, study, effort=SMALL),
        gather_evidence(points, core, study, effort=SMALL),
    )
    assert found.sample is None
    assert found.decision == whole.decision
    assert found.algorithms == whole.algorithms
    assert np.array_equal(found.labels, whole.labels)


def test_classes_of_answers_and_numbers_are_made_again_from_both() -> None:
    rng = np.random.default_rng(6)
    group = np.repeat([0, 1, 2], [900, 600, 500])
    answers = (rng.random((2_000, 4)) < np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.9, 0.9, 0.1], [0.1] * 4])[group]) * 1.0
    numbers = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])[group] + rng.standard_normal((2_000, 2))
    found = judge(rng.permutation(np.column_stack([numbers, answers])), "latent_class")
    assert found.sample is not None
    assert found.sample.agreement > 0.9


@pytest.mark.parametrize("name", ["kmeans", "mixture"])
def test_one_solution_of_many_is_fitted_to_a_sample_and_holds_for_everyone(name: str) -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 3, 3_000)
    points = rng.standard_normal((3_000, 2)) + 8.0 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    effort = replace(TESTS, whole_rows=1_000, evidence_rows=500)
    some, whole = (fit_customers(points, ALGORITHMS[name], 3, project_study(), each) for each in (effort, TESTS))
    assert some is not None and whole is not None
    assert adjusted_rand_score(truth, some.assign(points)) > 0.99
    assert adjusted_rand_score(whole.assign(points), some.assign(points)) > 0.99
    if name == "kmeans":
        # Centres settle among everyone, so that they are those of all and not of the sample.
        ours, theirs = (np.sort(fit.centres.sum(axis=1)) for fit in (some, whole))
        assert ours == pytest.approx(theirs, abs=0.01)
