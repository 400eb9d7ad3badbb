"""From the matrix to segments and to how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.base.disclosure import Disclosure
from analysis.base.errors import GateError
from analysis.base.run import Run
from analysis.base.weights import FEWEST_EFFECTIVE, effective_size
from analysis.clustering.choices import Multiverse, explore_choices
from analysis.clustering.evidence import SETTINGS, Evidence
from analysis.clustering.ladder import Ladder, find_ladder
from analysis.clustering.lint import Finding, lint
from analysis.clustering.sampling import judge_customers
from analysis.clustering.shapes import Shapes, find_shapes
from analysis.clustering.solutions import Solutions, compare_solutions
from analysis.clustering.use.choice import Aim, Guide
from analysis.features.preparation import Features
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Robustness:
    """How much the segments depend on how they were made.

    Attributes
    ----------
    solutions : Solutions
        The published solution beside those with one segment more or less.
    multiverse : Multiverse
        The same customers under other reasonable choices.
    findings : tuple of Finding
        Pitfalls in data and settings.
    ladder : Ladder, optional
        What the segments are levels of, where they are levels of one thing.
    shapes : Shapes, optional
        Dense groups that the segments do not follow, where no centre describes them.
    """

    solutions: Solutions
    multiverse: Multiverse
    findings: tuple[Finding, ...]
    ladder: Ladder | None
    shapes: Shapes | None = None


def judge_segments(features: Features, study: Study, run: Run, aim: Aim | None = None) -> Evidence:
    """Fit every algorithm for every number of segments, resample, and decide for one solution.

    Where several tie, the one decides that predicts the aim best.
    """
    prepared = features.prepared
    with run.stage("Gather evidence") as tick:
        return run.cached(judge_customers, "tick")(
            prepared.matrix,
            prepared.core,
            study.only(*SETTINGS),
            tick,
            features.before_reduction,
            prepared.feature_blocks(),
            run.effort,
            Guide(features.table.weights, aim),
        )


def refuse_small_segments(evidence: Evidence, study: Study) -> None:
    """Refuse to describe a segment of so few customers that its figures would tell about each of them.

    Raises
    ------
    GateError
        Where a segment has fewer than ``min_cell`` customers. A number of segments, an algorithm or a smallest share
        from the settings can lead there.
    """
    k, weights = int(evidence.labels.max()), evidence.weights
    smallest = int(np.bincount(evidence.labels)[1:].min(initial=study.min_cell))
    if weights is not None:
        sizes = [effective_size(weights[evidence.labels == j]) for j in range(1, k + 1)]
        if min(sizes, default=FEWEST_EFFECTIVE) < FEWEST_EFFECTIVE:
            raise GateError(
                f"A few rows hold most of the weight of one of {k} segments, so nothing can be published of it.\n"
                f"  Trim the weights in column '{study.sources[0].weight}', or set fewer segments in _quarto.yml."
            )
    if smallest < study.min_cell:
        raise GateError(
            f"One of {k} segments has fewer than {study.min_cell} customers, so nothing can be published of it.\n"
            "  Set fewer segments, or a larger min_share, in _quarto.yml:  segments: "
            f"{max(k - 1, 1)}"
        )


def compare_choices(features: Features, evidence: Evidence, study: Study, run: Run) -> Robustness:
    """Compare the solution with those beside it and with those of other choices, and look for pitfalls."""
    table, prepared, customers = features.table, features.prepared, features.customers
    with run.stage("Compare choices"):
        names = tuple(variable.name for variable in prepared.columns())
        matrices = prepared.matrix, features.scaled
        solutions = compare_solutions(evidence, *matrices, names, study.min_cell, study.seed, run.effort)
        multiverse = explore_choices(features, study, evidence, run)
        rules = Disclosure.of(study)
        ladder = find_ladder(evidence, *matrices, names, table.frame, rules, prepared.blocks(), study.seed)
        shapes = find_shapes(evidence, prepared.matrix, study)
    assembled = customers.assembled
    findings = lint(study, assembled.raw, customers.cleaned, table, prepared, evidence, assembled.batteries)
    return Robustness(solutions, multiverse, findings, ladder, shapes)
