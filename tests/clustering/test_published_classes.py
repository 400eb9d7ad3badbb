"""Latent classes of two public surveys against the log likelihoods that stepmix 3.0.0 finds.

stepmix took the best of 50 starts (8 for the mixed form) to a gain of 1e-9 or less. Its model ``gaussian_unit`` on
numbers in units of the deviations within classes is the mixed form with variances that all classes share.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from statsmodels.datasets import anes96

from analysis.clustering.algorithms.latent_class import Answers, Solution, _common_density, fit_classes, log_joint
from analysis.clustering.algorithms.threads import one_thread

NO_PRIOR = 1e-8
"""So few customers who answer as everyone that the likelihood is the largest one, as in stepmix."""
NUMBERS = ["age", "educ", "income"]


def voters() -> pd.DataFrame:
    """Read the American National Election Study of 1996: 944 respondents, scales of seven points in three parts."""
    data = anes96.load_pandas().data
    parts = {"own": "selfLR", "clinton": "ClinLR", "dole": "DoleLR"}
    answers = {name: np.digitize(data[column], [4, 5]) for name, column in parts.items()}
    return data[NUMBERS].astype(float).assign(**answers, party=np.digitize(data["PID"], [3, 4]), vote=data["vote"])


def fit(frame: pd.DataFrame, categories: list[str], numbers: list[str], k: int, prior: float) -> tuple[float, Solution]:
    """Return the log likelihood of k classes, and the classes."""
    columns = [frame[numbers].to_numpy()]
    blocks, at = [], len(numbers)
    for name in categories:
        levels = np.unique(frame[name])
        columns.append((frame[name].to_numpy()[:, None] == levels).astype(float))
        blocks.append((at, at + len(levels)))
        at += len(levels)
    with one_thread():
        answers = Answers.of(np.column_stack(columns), None, tuple(blocks), tuple(range(len(numbers))))
        found = fit_classes(answers, k, 2014, prior=prior)
    chance = logsumexp(log_joint(answers, found), axis=0) @ answers.weights
    return float(chance + _common_density(answers, found)), found


@pytest.mark.parametrize(("k", "stepmix"), [(2, -3114.8121), (3, -2996.0639), (4, -2964.9814)])
def test_classes_of_voters_are_as_likely_as_those_of_stepmix(k: int, stepmix: float) -> None:
    categories = ["own", "clinton", "dole", "party", "vote"]
    assert fit(voters(), categories, [], k, NO_PRIOR)[0] >= stepmix - 0.005
    assert fit(voters(), categories, [], k, 1.0)[0] == pytest.approx(stepmix, abs=0.5), "the prior costs little"


@pytest.mark.parametrize(
    ("k", "stepmix", "deviations", "sizes"),
    [
        (2, -10631.1485, [16.3921, 1.5914, 5.8428], [0.439, 0.561]),
        (3, -10542.2541, [16.0157, 1.3889, 5.3757], [0.259, 0.303, 0.438]),
    ],
)
def test_classes_of_answers_and_numbers_are_as_likely_as_those_of_stepmix(
    k: int, stepmix: float, deviations: list[float], sizes: list[float]
) -> None:
    likelihood, found = fit(voters(), ["own", "party", "vote"], NUMBERS, k, NO_PRIOR)
    assert likelihood >= stepmix - 0.005
    assert np.sqrt(found.variances[0]) == pytest.approx(deviations, abs=0.01)
    assert np.sort(found.sizes) == pytest.approx(sizes, abs=0.002)


def test_classes_of_the_fast_food_survey_are_as_likely_as_those_of_stepmix(dataset: Callable[[str], Path]) -> None:
    answers = pd.read_csv(dataset("mcdonalds.csv")).iloc[:, :11]
    assert fit(answers, list(answers), [], 2, NO_PRIOR)[0] >= -7610.8361 - 0.005
