"""Robustness to analysis choices: segmentation of the same customers under other reasonable choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray

from analysis.base.run import Effort, Run
from analysis.base.weights import Weights, scale
from analysis.base.workers import run_all
from analysis.clustering.algorithms import Algorithm, Labels, Matrix, competing, sample_rows
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.evidence import Evidence
from analysis.clustering.resample import adjusted_rand
from analysis.features.build import FeatureTable, Variable
from analysis.features.preparation import Features
from analysis.features.prepare import Prepared, prepare
from analysis.features.relations import cramers_v
from analysis.features.select import spearman
from analysis.settings.models import Reduce, Study

AGREES = 0.65
"""Adjusted Rand index from which two solutions tell the same story (moderate recovery, Steinley 2004)."""
SCALINGS = ("standard", "minmax", "robust")
OUTLIERS = ("robust", "none")
HOLDS = 0.8
"""Share of variance that the principal components of one of the choices hold. Chosen for this project."""
ROWS = 10_000
"""Most customers in the comparison; above it a seeded sample."""
SETTINGS = (
    *("missing", "transform", "scaling", "reduce", "outliers", "near_copies", "noise"),
    *("seed", "min_cell", "customers"),
)
"""The settings of a study on which the comparison depends."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do it, whether it is the published one, and the adjusted Rand index with the published segments."""

    scaling: str
    algorithm: str
    features: str
    outliers: str
    published: bool
    agreement: float


@dataclass(frozen=True, slots=True)
class Factor:
    """One kind of choice: mean agreement of each of its options, and its share of the variance of all agreements."""

    name: str
    options: tuple[str, ...]
    means: tuple[float, ...]
    matters: float


@dataclass(frozen=True, slots=True)
class Multiverse:
    """All choices.

    Attributes
    ----------
    k : int
        Number of segments, the published one throughout.
    rows : int
        Customers that were compared.
    choices : tuple of Choice
    agree_share : float
        Share of choices that agree to at least `AGREES`.
    median : float
    factors : tuple of Factor
        The one that matters most first.
    without : tuple of (str, float)
        Forming variables, and the agreement when that one is left out; the most influential first.
    """

    k: int
    rows: int
    choices: tuple[Choice, ...]
    agree_share: float
    median: float
    factors: tuple[Factor, ...]
    without: tuple[tuple[str, float], ...]


def explore_choices(features: Features, study: Study, evidence: Evidence, run: Run) -> Multiverse:
    """Cluster the customers again under every combination of scaling, algorithm, feature set and outlier rule.

    Parameters
    ----------
    features : Features
        n customers.
    study : Study
    evidence : Evidence
    run : Run
    """
    at = sample_rows(len(features.table.frame), ROWS, study.seed)
    # What was chosen stands: leaving a feature out must not bring another one in.
    copies = "weigh" if study.near_copies == "weigh" else "keep"
    plain = study.only(*SETTINGS).model_copy(update={"near_copies": copies, "noise": "keep"})
    weights = None if features.table.weights is None else features.table.weights[at]
    decision = evidence.decision
    task = _Task(evidence.labels[at], decision.algorithm, decision.k, study.seed, run.effort, weights)
    return run.cached(_explore)(_only_forming(features, at), features.prepared, plain, task)


def _explore(own: FeatureTable, prepared: Prepared, study: Study, task: _Task) -> Multiverse:
    """Compare all choices, and what is left without each feature; ``prepared`` is how the published ones were."""
    described, jobs = _list_choices(own, prepared, study, task)
    single = list(prepared.variables) if len(prepared.variables) > 2 else []
    jobs += [_leave_out(own, variable, study, task) for variable in single]
    found = run_all(jobs)
    choices = tuple(replace(choice, agreement=value) for choice, value in zip(described, found, strict=False))
    values = np.array([choice.agreement for choice in choices])
    left = sorted(zip((v.name for v in single), found[len(choices) :], strict=True), key=lambda pair: pair[1])
    return Multiverse(
        task.k,
        len(own.frame),
        choices,
        float((values >= AGREES).mean()),
        float(np.median(values)),
        _factors(choices),
        tuple(left),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """What each choice is compared with: published labels, algorithm and number of segments; and how it is made."""

    published: Labels
    algorithm: str
    k: int
    seed: int
    effort: Effort
    weights: Weights

    def job(self, made: Prepared, algorithm: Algorithm) -> Any:
        """Prepare the clustering of a matrix; its result is the agreement with the published labels."""
        what, own = (made.matrix, made.core, algorithm, self.k), [] if self.weights is None else [self.weights]
        return delayed(_agreement)(*what, self.seed, self.published, self.effort.starts_null, *own)


def _only_forming(features: Features, at: NDArray[np.intp]) -> FeatureTable:
    """Keep some rows; variables that do not form segments only describe, and outcomes go."""
    forming = {variable.name for variable in features.prepared.variables}
    return FeatureTable(
        features.table.frame.iloc[at].reset_index(drop=True),
        tuple(
            v if v.name in forming else replace(v, role="descriptor")
            for v in features.table.variables
            if v.role != "outcome"
        ),
    )


def _list_choices(own: FeatureTable, prepared: Prepared, study: Study, task: _Task) -> tuple[list[Choice], list[Any]]:
    """List all combinations and the job of each, by algorithms that take a number of segments."""
    described, jobs = [], []
    for (label, (table, reduce)), scaling, outliers in product(
        dict(_feature_sets(own, prepared, study)).items(), SCALINGS, OUTLIERS
    ):
        changed = study.model_copy(update={"scaling": scaling, "outliers": outliers, "reduce": reduce})
        made = prepare(table, changed)
        as_set = (scaling, outliers, reduce) == (study.scaling, study.outliers, study.reduce) and table is own
        for name, algorithm in competing(made.matrix, made.blocks()).items():
            if algorithm.takes_k:
                published = as_set and name == task.algorithm
                described.append(Choice(scaling, name, label, outliers, published, 0.0))
                jobs.append(task.job(made, algorithm))
    return described, jobs


def _leave_out(own: FeatureTable, variable: Variable, study: Study, task: _Task) -> Any:
    """Give the job that clusters without a feature, by the published algorithm where it takes a number of segments."""
    made = prepare(_without(own, variable.name), study)
    algorithms = competing(made.matrix, made.blocks())
    winner = algorithms.get(task.algorithm, algorithms["kmeans"])
    return task.job(made, winner if winner.takes_k else algorithms["kmeans"])


def _feature_sets(
    own: FeatureTable, prepared: Prepared, study: Study
) -> Iterator[tuple[str, tuple[FeatureTable, Reduce | None]]]:
    """Give the features as published, their principal components, and all but the one least related to the others."""
    yield "as published", (own, study.reduce)
    p = len(prepared.variables)
    if study.reduce:
        yield "all features, not reduced", (own, None)
    elif p > 2:
        clean = prepared.matrix[prepared.core]
        every = np.linalg.svd(clean - clean.mean(axis=0), compute_uv=False)
        held = np.cumsum(every**2) / (every**2).sum()
        yield "principal components", (own, Reduce(pca=int(np.searchsorted(held, HOLDS)) + 1))
    if p > 3:
        loner = _loner(own, prepared.variables)
        yield f"without {loner.label}", (_without(own, loner.name), study.reduce)


def _loner(own: FeatureTable, variables: Sequence[Variable]) -> Variable:
    """Find the feature that the others tell least of: by Spearman's correlations, of categories by Cramér's V."""
    numbers = [v for v in variables if not v.categorical]
    if numbers:
        related = np.abs(np.nan_to_num(spearman(own.frame[[v.name for v in numbers]])[0]))
        return numbers[int(related.sum(axis=0).argmin())]
    answers = [own.frame[v.name] for v in variables]
    related = np.array([[cramers_v(pd.crosstab(a, b).to_numpy()) for a in answers] for b in answers])
    return variables[int(related.sum(axis=0).argmin())]


def _without(table: FeatureTable, name: str) -> FeatureTable:
    variables = tuple(replace(v, role="descriptor") if v.name == name else v for v in table.variables)
    return FeatureTable(table.frame, variables)


def _agreement(
    matrix: Matrix,
    core: NDArray[np.bool_],
    algorithm: Algorithm,
    k: int,
    seed: int,
    published: Labels,
    starts: int,
    weights: Weights = None,
) -> float:
    clean = np.ascontiguousarray(matrix[core])
    at = sample_rows(len(clean), algorithm.resample_rows, seed)
    counts = None if weights is None else scale(weights[core][at])
    with one_thread():
        (fit,) = algorithm.fit(clean[at], (k,), seed, starts, counts)
        return adjusted_rand(published, fit.assign(matrix))


def _factors(choices: tuple[Choice, ...]) -> tuple[Factor, ...]:
    values = np.array([choice.agreement for choice in choices])
    total = values.var()
    factors = []
    for name in ("scaling", "algorithm", "features", "outliers"):
        options = tuple(dict.fromkeys(getattr(choice, name) for choice in choices))
        means = np.array([values[[getattr(c, name) == option for c in choices]].mean() for option in options])
        factors.append(Factor(name, options, tuple(map(float, means)), float(means.var() / total) if total else 0.0))
    return tuple(sorted(factors, key=lambda factor: -factor.matters))
