"""One trial: customers whose truth is known go through the whole line, and to what people commonly use instead."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from analysis.base.disclosure import Disclosure
from analysis.base.run import TRIALS
from analysis.clustering import evidence
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.ladder import find_ladder
from analysis.clustering.shapes import find_shapes, settle_verdict
from analysis.features.prepare import prepare
from analysis.settings.load import check_study
from analysis.settings.models import Study
from tests.validation.customers import draw_customers
from tests.validation.rivals import Answer, in_turn, time_rivals

RECOVERABLE = 0.9
"""Adjusted Rand index of the oracle from which a draw can be recovered."""
QUICK = replace(TRIALS, pairs=8, pairs_decided=8, null_draws=3, most_segments=5)
"""Draws behind the evidence of a quick trial, which only tells whether the line still decides as it did."""
STUDY: Study = check_study({"title": "Trial", "sources": [{"path": "trial.csv", "roles": {"feature": ["x1"]}}]})
"""The tool's own settings, none changed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw: planted groups, the oracle's agreement with the truth, our answer and verdict, and the rivals'.

    ``ladder`` says whether the segments were named levels of one thing, ``shapes`` whether the data were said to hold
    groups of another shape. ``labels`` are the segments.
    """

    draw: int
    planted: int
    oracle: float
    own: Answer
    algorithm: str
    verdict: str
    ladder: bool
    rivals: dict[str, Answer]
    shapes: bool = False
    labels: tuple[int, ...] = ()


def run_trial(name: str, stream: int, draw: int, quick: bool = False) -> Trial:
    """Draw customers and segment them by the whole line; by the rivals too, unless the trial is a quick one.

    The gap statistic and the prediction strength decide nothing, and take one draw each.
    """
    customers, k = draw_customers(name, stream, draw)
    inside = customers.truth >= 0

    def agreement(labels: NDArray[Any]) -> float:
        return float(adjusted_rand_score(customers.truth[inside], labels[inside]))

    with one_thread(), mock.patch.object(evidence, "run_parallel", in_turn):
        started = time.process_time()
        prepared = prepare(customers.table, STUDY)
        found = evidence.gather_evidence(prepared.matrix, prepared.core, STUDY, effort=QUICK if quick else TRIALS)
        own = Answer(found.decision.k, agreement(found.labels), time.process_time() - started)
        blocks, names = prepared.blocks(), [variable.name for variable in prepared.columns()]
        matrices, rules = (prepared.matrix, prepared.matrix), Disclosure.of(STUDY)
        ladder = find_ladder(found, *matrices, names, customers.table.frame, rules, blocks, STUDY.seed)
        shapes = find_shapes(found, prepared.matrix, STUDY)
        found = settle_verdict(found, shapes)
        rivals = {} if quick else time_rivals(customers.table.frame.to_numpy(float), agreement)
    said = found.decision.algorithm, found.verdict, ladder is not None
    labels = tuple(map(int, found.labels))
    return Trial(draw, k, agreement(customers.oracle), own, *said, rivals, shapes is not None, labels)
