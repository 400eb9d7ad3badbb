"""Solutions beside customers without groups: clouds come first, and features are shuffled only where that is asked."""

from __future__ import annotations

import numpy as np

from analysis.base.run import TESTS
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.references.nulls import Matrices, References
from tests.stages import project_study
from tests.validation.rivals import in_turn


def test_how_far_clouds_stand_apart_is_known_without_shuffling_and_is_computed_once() -> None:
    points = np.random.default_rng(2).normal(size=(300, 3))
    references = References(Matrices(points, points, (), (), 0), project_study(), TESTS, in_turn)
    kmeans = ALGORITHMS["kmeans"]
    gaussian, lumped = references.separate(kmeans, 3)
    assert len(gaussian) == TESTS.null_draws and lumped == () and not references.permuted
    nulls = references.compare(kmeans, 3, 1.1, (2, 3))
    assert nulls.gaussian == gaussian and len(nulls.permuted) == TESTS.null_draws and nulls.permuted_beaten
