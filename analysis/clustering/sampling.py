"""Evidence of many customers: it is gathered on a sample, and everyone is placed by the rule that comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights, scale
from analysis.clustering.algorithms import Fit, Matrix, competing, sample_rows
from analysis.clustering.algorithms.fits import PUBLISHED, order_by_size, renumber
from analysis.clustering.algorithms.published import fit_solutions, settle_centres
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.evidence import Evidence, Tick, gather_evidence
from analysis.clustering.resample import Sample, adjusted_rand
from analysis.clustering.use.choice import NO_GUIDE, Guide
from analysis.features.prepare import Blocks
from analysis.settings.models import Study


def judge_customers(
    matrix: Matrix,
    core: NDArray[np.bool_],
    study: Study,
    tick: Tick = lambda text: None,
    features: Matrix | None = None,
    blocks: Blocks = (),
    effort: Effort = USERS,
    guide: Guide = NO_GUIDE,
) -> Evidence:
    """Gather the evidence on all customers, or on a seeded sample where they are more than ``effort.whole_rows``.

    Searches in a sample end as soon as published ones may. The centres of k-means then settle among all customers. Any
    other rule stays as the sample gave it.

    Parameters
    ----------
    matrix, core, study, tick, features, blocks, effort, guide
        As in :func:`analysis.clustering.evidence.gather_evidence`.

    Returns
    -------
    Evidence
        Fit, labels and core are those of all n customers; what was measured, and ``solutions``, are of its ``sample``.
    """
    if len(matrix) <= effort.whole_rows:
        return gather_evidence(matrix, core, study, tick, features, blocks, effort, guide)
    weights, effort = guide.weights, replace(effort, starts=min(effort.starts, PUBLISHED))
    rows, second = (sample_rows(len(matrix), effort.evidence_rows, study.seed + i) for i in range(2))
    some = None if features is None else features[rows]
    judged = gather_evidence(matrix[rows], core[rows], study, tick, some, blocks, effort, guide.among(rows))
    tick("everyone")
    name, k = judged.decision.algorithm, judged.decision.k
    with one_thread():
        fit = replace(judged.fit, members=None)
        if name == "kmeans":
            fit = Fit(settle_centres(matrix[core], fit.centres, None if weights is None else scale(weights[core])))
        placed = _by_size(judged, fit, matrix, core, weights)
        other = np.ascontiguousarray(matrix[second][core[second]])
        own = None if weights is None else weights[second][core[second]]
        algorithm = competing(matrix[core], blocks if features is None else ())[name]
        again = fit_solutions(other, algorithm, (k,), study.seed, study.starts, effort, own)
        agreement = adjusted_rand(placed.labels, again[0].assign(matrix)) if again else 0.0
    refits = replace(placed.refits, rows=rows[placed.refits.rows])
    return replace(placed, sample=Sample(rows, agreement), refits=refits)


def _by_size(judged: Evidence, fit: Fit, matrix: Matrix, core: NDArray[np.bool_], weights: Weights) -> Evidence:
    """Place everyone, and number the segments by size among all instead of in the sample."""
    labels = fit.assign(matrix)
    k = fit.k
    order = order_by_size(labels, k, weights)
    number = renumber(order)
    key = judged.decision.algorithm, judged.decision.k
    solutions = judged.solutions | {key: number[judged.solutions[key]]}

    def ordered(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[i] for i in order) if len(values) == k else values

    rows = tuple(
        replace(row, slsw=ordered(row.slsw), own_slsw=ordered(row.own_slsw)) if row.k == k else row
        for row in judged.chosen().by_k
    )
    algorithms = tuple(replace(a, by_k=rows) if a.name == key[0] else a for a in judged.algorithms)
    return replace(
        judged,
        fit=fit.in_order(order),
        labels=number[labels],
        core=core,
        weights=weights,
        algorithms=algorithms,
        segments=ordered(judged.segments),
        solutions=solutions,
        refits=replace(judged.refits, labels=number[judged.refits.labels]),
    )
