"""Published numbers of two public studies come out of this code, where the data are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.base.run import TESTS
from analysis.clustering.algorithms import ALGORITHMS, Matrix
from analysis.clustering.algorithms.published import fit_solutions
from analysis.clustering.evidence import gather_evidence
from analysis.clustering.references.clouds import permuted_stability
from analysis.clustering.resample import agreements, draw_labels, jaccard, summarise
from analysis.features.prepare import apply_steps
from analysis.settings.load import load_study
from tests.stages import ROOT, little_work
from tests.validation.published import DRAWS, KMEANS, WARD, prepare_study, stabilities, wards_own


def matrix_of(profile: str, file: Path) -> tuple[Matrix, Matrix]:
    """Take a file as far as the algorithms: their matrix and the scaled features, both of the clean core."""
    _, table, found = prepare_study(profile, file)
    features = apply_steps(table.frame, found.steps)
    return np.ascontiguousarray(found.matrix[found.core]), features[found.core]


@pytest.fixture(scope="module")
def recipe(datasets: Path) -> tuple[Matrix, Matrix]:
    reduced, features = matrix_of("notebook", datasets / "marketing_campaign.csv")
    assert (reduced.shape, features.shape) == ((2212, 3), (2212, 23))
    return reduced, features


@pytest.fixture(scope="module")
def notebook(recipe: tuple[Matrix, Matrix]) -> Matrix:
    return recipe[0]


def test_kmeans_replicates_as_published_on_the_public_notebooks_recipe(notebook: Matrix) -> None:
    medians = stabilities(notebook, (2, 3, 4, 5, 6))
    assert medians[:3] == pytest.approx(KMEANS[:3], abs=0.02)
    assert medians[3:] == pytest.approx(KMEANS[3:], abs=0.05)


def test_wards_own_groups_come_back_as_published(notebook: Matrix) -> None:
    assert wards_own(notebook, 4) == pytest.approx(WARD, abs=0.05)


def test_the_public_notebooks_recipe_is_reproducible_and_not_natural(recipe: tuple[Matrix, Matrix]) -> None:
    study = load_study(ROOT, "notebook").model_copy(update={"algorithm": "kmeans", "segments": 4})
    with little_work():
        found = gather_evidence(recipe[0], np.ones(len(recipe[0]), dtype=bool), study, features=recipe[1], effort=TESTS)
    row = next(r for r in found.chosen().by_k if r.k == 4)
    assert row.silhouette == pytest.approx(0.373, abs=0.002)
    assert found.verdict == "reproducible"
    nulls = [permuted_stability(recipe[1], (), 3, ALGORITHMS["kmeans"], (4,), 3, (7, draw))[0] for draw in range(6)]
    assert max(nulls) < 0.85 * row.stability.median


def test_four_segments_are_among_the_stable_ones_of_the_fast_food_survey(dataset: Callable[[str], Path]) -> None:
    points, _ = matrix_of("survey", dataset("mcdonalds.csv"))
    assert points.shape == (1453, 11) and set(np.unique(points)) == {0.0, 1.0}
    starts = load_study(ROOT, "survey").starts
    draws = draw_labels(points, points, ALGORITHMS["kmeans"], (4, 5), starts, [(7, draw) for draw in range(DRAWS)])
    four, five = (summarise(agreements([draw[i].labels for draw in draws])) for i in range(2))
    (fit,) = fit_solutions(points, ALGORITHMS["kmeans"], (4,), 7)
    labels = fit.by_size(points).assign(points)
    each = np.mean([jaccard(labels, draw[0].labels, 4) for draw in draws], axis=0)
    assert four.median >= 0.85 and each.min() >= 0.75
    # Five have two solutions in turn: the median moves with the draws, the lower quartile stays low.
    assert four.q1 >= 0.75 > 0.7 > five.q1
