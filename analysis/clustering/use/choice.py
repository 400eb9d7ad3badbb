"""Choice among solutions that the evidence cannot tell apart, by what they predict on one half of the customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.base.formats import significant
from analysis.base.run import Effort
from analysis.base.weights import Weights
from analysis.clustering.algorithms import ALGORITHMS, Labels, Matrix
from analysis.clustering.holdout import Floats, Grouping, Measure, held_out_scores
from analysis.clustering.selection import BAND, AlgorithmEvidence, CandidateEvidence, Decision
from analysis.clustering.use.groupings import form_segments
from analysis.features.prepare import Blocks
from analysis.settings.models import Study

HALVE, SCORE = 21, 22
"""Streams of chance: who takes part in the choice, and in which halves solutions are scored there."""
DIGITS = 6
"""Decimals to which scores are compared, so that sums in another order change no choice. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Early:
    """Customers as they were known at an earlier date: scaled features, shape (m, p), clean core, and categories."""

    matrix: Matrix
    core: NDArray[np.bool_]
    blocks: Blocks


@dataclass(frozen=True, slots=True)
class Aim:
    """What tied solutions are to predict.

    Attributes
    ----------
    label : str
    measure : {"auc", "r2"}
    values : ndarray, shape (n,)
        NaN for customers without a value and for those of the other half, which proves the use. Of the m customers of
        ``early`` where there is one.
    early : Early, optional
        Customers that each solution is formed of again, where what is predicted came later.
    """

    label: str
    measure: Measure
    values: Floats
    early: Early | None = None

    def among(self, rows: NDArray[np.intp]) -> Aim:
        """Return the aim for some of the n customers."""
        return self if self.early is not None else replace(self, values=self.values[rows])


@dataclass(frozen=True, slots=True)
class Guide:
    """What evidence and decision follow beside the features.

    Attributes
    ----------
    weights : ndarray of float64, shape (n,), optional
        Of a survey. References without groups, and measures of separation, count each row once.
    aim : Aim, optional
        What tied solutions are to predict, where that decides between them.
    """

    weights: Weights = None
    aim: Aim | None = None

    def among(self, rows: NDArray[np.intp]) -> Guide:
        """Return the guide for some of the n customers."""
        return Guide(None if self.weights is None else self.weights[rows], self.aim and self.aim.among(rows))


NO_GUIDE = Guide()
"""Everyone counts the same, and stability decides."""


@dataclass(frozen=True, slots=True)
class Tied:
    """One of the solutions that the evidence cannot tell apart.

    Attributes
    ----------
    algorithm, title : str
    k : int
    stability, score : float
        Median stability, and the score of the decision.
    use : float
        How well it predicts on the half that took part in the choice.
    """

    algorithm: str
    title: str
    k: int
    stability: float
    score: float
    use: float

    @property
    def way(self) -> tuple[str, int]:
        """Algorithm and number of segments."""
        return self.algorithm, self.k


@dataclass(frozen=True, slots=True)
class ChosenForUse:
    """What was chosen among ties.

    Attributes
    ----------
    label : str
        What was predicted.
    measure : {"auc", "r2"}
    n : int
        Customers that solutions were scored on.
    tied : tuple of Tied
        The best first.
    by_stability : tuple of (str, int)
        Algorithm and number of segments that had been chosen by stability alone.
    """

    label: str
    measure: Measure
    n: int
    tied: tuple[Tied, ...]
    by_stability: tuple[str, int]


def draw_half(n: int, seed: int) -> NDArray[np.bool_]:
    """Draw the half of n customers that takes part in the choice; the others prove it."""
    return np.random.default_rng((seed, HALVE)).permutation(n) < n // 2


def find_ties(
    judged: Sequence[AlgorithmEvidence], decision: Decision, most: int
) -> list[tuple[AlgorithmEvidence, CandidateEvidence]]:
    """Find the solutions that are as good as the chosen one by the evidence.

    These are the eligible solutions of all algorithms that are given a number, whose score lies within
    :data:`analysis.clustering.selection.BAND` of the best one, and the decided solution. Natural segments, dense groups
    and a solution that does not replicate tie with no other.

    Parameters
    ----------
    judged : sequence of AlgorithmEvidence
    decision : Decision
    most : int
        Largest number of segments that may be chosen.
    """
    own = next(a for a in judged if a.name == decision.algorithm)
    if own.natural or not ALGORITHMS[own.name].takes_k:
        return []
    eligible = [(a, r) for a in judged if ALGORITHMS[a.name].takes_k for r in a.by_k if r.eligible and r.k <= most]
    decided = [(a, r) for a, r in eligible if (a.name, r.k) == (decision.algorithm, decision.k)]
    if not decided:
        return []
    best = max(r.score for _, r in eligible)
    return [(a, r) for a, r in eligible if r.score >= best - BAND or (a, r) in decided]


class Chooser:
    """Scores of solutions on the half that takes part in the choice, kept for when the decision is made again."""

    def __init__(self, guide: Guide, labels: Mapping[tuple[str, int], Labels], study: Study, effort: Effort) -> None:
        self.aim, self.labels, self.study = guide.aim, labels, study
        self.weights = guide.weights if guide.aim and guide.aim.early is None else None
        self.effort = replace(effort, holdout_draws=0)
        self.known = np.flatnonzero(~np.isnan(guide.aim.values)) if guide.aim else np.array([], np.intp)
        self.scores: dict[tuple[str, int], float | None] = {}

    def choose(self, judged: Sequence[AlgorithmEvidence], decision: Decision) -> tuple[Decision, ChosenForUse | None]:
        """Choose the tied solution that predicts best; on equal terms the decided one, then the simplest and finest.

        Parameters
        ----------
        judged : sequence of AlgorithmEvidence
        decision : Decision
            By stability.

        Returns
        -------
        Decision
        ChosenForUse or None
            None where stability decides, or there was nothing to choose from.
        """
        aim = self.aim
        if aim is None:
            return decision, None
        if decision.fixed:
            return _explain(decision, "The setting prefer: use chose nothing, as the analyst fixed the solution."), None
        ties = [
            Tied(a.name, a.title, r.k, r.stability.median, r.score, score)
            for a, r in find_ties(judged, decision, self.study.max_segments)
            if (score := self._score((a.name, r.k), aim)) is not None
        ]
        decided = (decision.algorithm, decision.k)
        if len(ties) < 2 or decided not in [tie.way for tie in ties]:
            return _explain(decision, "No other solution ties with this one, so its use had nothing to decide."), None
        ties.sort(key=lambda t: (-t.use, t.way != decided, ALGORITHMS[t.algorithm].simplicity, -t.k))
        made = ChosenForUse(aim.label, aim.measure, len(self.known), tuple(ties), decided)
        first, explained = ties[0], _explain(decision, _say(made))
        return replace(explained, algorithm=first.algorithm, algorithm_title=first.title, k=first.k), made

    def _score(self, way: tuple[str, int], aim: Aim) -> float | None:
        if way not in self.scores:
            self.scores[way] = self._predict(way, aim)
        return self.scores[way]

    def _predict(self, way: tuple[str, int], aim: Aim) -> float | None:
        """Score a solution on customers that its means were not taken over; None where it cannot be formed."""
        early = aim.early
        labels: NDArray[np.integer] | None = self.labels[way]
        if early is not None:
            labels = form_segments(early.matrix, early.core, early.blocks, way, self.study, self.effort)
        if labels is None:
            return None
        grouping = Grouping("segments", "Segments", labels[self.known].astype(np.intp))
        rng = np.random.default_rng((self.study.seed, SCORE))
        own = None if self.weights is None else self.weights[self.known]
        drawn = held_out_scores(aim.values[self.known], aim.measure, [grouping], rng, self.effort, own)
        return round(float(drawn[0, 0, 0]), DIGITS)


def _explain(decision: Decision, *reasons: str) -> Decision:
    return replace(decision, reasons=(*decision.reasons, *reasons))


def _say(made: ChosenForUse) -> str:
    """Say that a use decided, and between how many; the Evidence page has a section about it."""
    first = made.tied[0]
    return (
        f"{len(made.tied)} solutions tie: all replicate, and their scores lie within {significant(BAND)} of the best. "
        f"The setting prefer: use takes the one that predicts “{made.label}” best on one half of the customers: "
        f"{first.title} with {first.k} segments."
    )
