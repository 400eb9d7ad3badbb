"""What people commonly use to segment, as scikit-learn has it, and how each does on the default study."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from analysis.clustering import evidence
from analysis.clustering.algorithms.threads import one_thread
from analysis.sources.synthetic.twin import write_twin
from tests.validation.customers import Groups
from tests.validation.published import find_dataset, prepare_study

Agreement = Callable[[NDArray[Any]], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way to segment said: number of groups (0 or 1: none), agreement with the truth, processor seconds."""

    k: int
    agreement: float
    seconds: float


def time_rivals(points: NDArray[np.float64], agreement: Agreement) -> dict[str, Answer]:
    """Answers of all rivals on the same points, shape (n, p), which are standardised first."""
    points = StandardScaler().fit_transform(points)
    return {name: _time(method, points, agreement) for name, method in RIVALS.items()}


def time_study() -> tuple[dict[str, Answer], str]:
    """Answers on the default study, whose truth nobody knows (agreement 0); and the file, or its synthetic twin."""
    with TemporaryDirectory() as folder:
        file = find_dataset("marketing_campaign.csv") or write_twin(Path(folder))
        study, _, prepared = prepare_study("", file)
    with one_thread(), mock.patch.object(evidence, "run_parallel", in_turn):
        started = time.process_time()
        found = evidence.gather_evidence(prepared.matrix, prepared.core, study)
        own = Answer(found.decision.k, 0.0, time.process_time() - started)
        return {"own": own} | time_rivals(prepared.matrix, lambda labels: 0.0), file.name


def in_turn(jobs: Iterable[Any], **_: Any) -> list[Any]:
    """Run joblib jobs one after the other in this process."""
    return [function(*arguments, **named) for function, arguments, named in jobs]


def _time(method: Callable[[NDArray[np.float64]], Groups], points: NDArray[np.float64], agreement: Agreement) -> Answer:
    started = time.process_time()
    labels = method(points)
    seconds = time.process_time() - started
    return Answer(len(set(labels.tolist()) - {-1}), agreement(labels), seconds)


def _kmeans_by_silhouette(points: NDArray[np.float64]) -> Groups:
    fits = [KMeans(k, n_init=10, random_state=0).fit_predict(points) for k in range(2, 11)]
    return max(fits, key=lambda labels: silhouette_score(points, labels))


def _hdbscan(points: NDArray[np.float64]) -> Groups:
    return HDBSCAN(copy=True).fit_predict(points)


def _mixture_by_bic(points: NDArray[np.float64]) -> Groups:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [GaussianMixture(k, random_state=0).fit(points) for k in range(1, 11)]
    return min(fits, key=lambda fit: fit.bic(points)).predict(points)


RIVALS: dict[str, Callable[[NDArray[np.float64]], Groups]] = {
    "silhouette": _kmeans_by_silhouette,
    "hdbscan": _hdbscan,
    "bic": _mixture_by_bic,
}
"""What people commonly use, as scikit-learn has it, on standardised features: shape (n, p) to groups, -1 for noise."""

WAYS = {
    "own": ("This project", "all evidence, with its settings as they come"),
    "silhouette": ("k-means by silhouette", "2 to 10 groups, the number with the best silhouette"),
    "hdbscan": ("HDBSCAN", "as it comes; it finds the number itself and may leave customers out"),
    "bic": ("Mixture by BIC", "1 to 10 ellipses of any shape, the number with the lowest BIC"),
}
"""Title and meaning of each way to segment."""
