"""Ties are eligible solutions near the best; the one that predicts best on one half is chosen, and stability else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.base.run import TESTS
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.resample import Stability
from analysis.clustering.selection import BAND, AlgorithmEvidence, CandidateEvidence, Decision
from analysis.clustering.use.choice import Aim, Chooser, Early, Guide, draw_half, find_ties
from tests.stages import project_study

N = 800
RNG = np.random.default_rng(3)
COARSE = (np.arange(N) % 2 + 1).astype(np.int16)
FINE = (np.arange(N) % 4 + 1).astype(np.int16)
ANSWERS = (RNG.random(N) < np.array([0.1, 0.5, 0.9, 0.5])[FINE - 1]).astype(float)
"""Answers that four segments predict, and two do not: in both of these half say yes."""
DECIDED = Decision("kmeans", "k-means", 2, False, ("It replicates.",))


def row(k: int, score: float, eligible: bool = True) -> CandidateEvidence:
    stability = Stability(score, 0.8, 0.9, 0.7, 1.0, 20)
    blank: Any = dict.fromkeys(CandidateEvidence.__dataclass_fields__, 0.0)
    made = {"k": k, "stability": stability, "slsw": (1.0,) * k, "eligible": eligible, "score": score, "checks": ()}
    return CandidateEvidence(**(blank | made))


def algorithm(name: str, *rows: CandidateEvidence, natural: bool = False) -> AlgorithmEvidence:
    known = ALGORITHMS[name]
    return AlgorithmEvidence(name, known.title, "", "", "", rows, rows[0].k, "", natural)


def choose(judged: list[AlgorithmEvidence], decision: Decision = DECIDED, aim: Aim | None = None, **more: Any) -> Any:
    labels = {("kmeans", 2): COARSE, ("kmeans", 4): FINE, ("ward", 4): FINE, ("mixture", 3): COARSE, **more}
    aim = aim or Aim("Answered", "auc", ANSWERS)
    return Chooser(Guide(aim=aim), labels, project_study(), TESTS).choose(judged, decision)


def test_eligible_solutions_of_any_algorithm_near_the_best_tie() -> None:
    judged = [
        algorithm("kmeans", row(2, 0.95), row(3, 0.95 - BAND - 0.01), row(4, 0.9), row(5, 0.94, eligible=False)),
        algorithm("ward", row(4, 0.95 - BAND), row(9, 0.94)),
        algorithm("hdbscan", row(3, 0.95)),
    ]
    ties = [(a.name, r.k) for a, r in find_ties(judged, DECIDED, most=8)]
    assert ties == [("kmeans", 2), ("kmeans", 4), ("ward", 4)]


def test_the_decided_solution_is_among_the_ties_however_far_the_best_one_is() -> None:
    judged = [algorithm("kmeans", row(2, 0.7)), algorithm("ward", row(4, 0.95))]
    assert [(a.name, r.k) for a, r in find_ties(judged, DECIDED, most=8)] == [("kmeans", 2), ("ward", 4)]


@pytest.mark.parametrize("case", ["natural", "dense", "not eligible"])
def test_what_the_evidence_tells_apart_ties_with_nothing(case: str) -> None:
    judged = [
        algorithm("kmeans", row(2, 0.9, eligible=case != "not eligible"), natural=case == "natural"),
        algorithm("ward", row(4, 0.9)),
        algorithm("hdbscan", row(2, 0.9)),
    ]
    decision = replace(DECIDED, algorithm="hdbscan") if case == "dense" else DECIDED
    assert find_ties(judged, decision, most=8) == []
    unchanged, made = choose(judged, decision)
    assert made is None and (unchanged.algorithm, unchanged.k) == (decision.algorithm, decision.k)
    assert unchanged.reasons[-1].startswith("No other solution ties")


def test_the_tied_solution_that_predicts_best_is_chosen_and_says_why() -> None:
    decision, made = choose([algorithm("kmeans", row(2, 0.95), row(4, 0.9)), algorithm("mixture", row(3, 0.9))])
    assert (decision.algorithm, decision.k, made.by_stability) == ("kmeans", 4, ("kmeans", 2))
    assert made.tied[0].way == ("kmeans", 4) and len(made.tied) == 3
    said = decision.reasons[-1]
    assert said.startswith("3 solutions tie") and "within 0.15 of the best" in said
    assert "predicts “Answered” best on one half" in said and "k-means with 4 segments" in said


def test_on_equal_terms_stability_decides_and_then_the_simpler_algorithm() -> None:
    judged = [algorithm("kmeans", row(2, 0.9)), algorithm("mixture", row(3, 0.9))]
    decision, made = choose(judged)
    assert (decision.algorithm, decision.k) == ("kmeans", 2)
    assert made.tied[0].way == made.by_stability
    judged = [algorithm("kmeans", row(2, 0.9), row(4, 0.9)), algorithm("ward", row(4, 0.9))]
    decision, made = choose(judged)
    assert (decision.algorithm, decision.k) == ("kmeans", 4)
    assert made.tied[0].use == made.tied[1].use


def test_what_the_analyst_fixed_stands() -> None:
    fixed = replace(DECIDED, fixed=True)
    decision, made = choose([algorithm("kmeans", row(2, 0.9), row(4, 0.9))], fixed)
    assert made is None and (decision.k, decision.fixed) == (2, True)
    assert "chose nothing, as the analyst fixed the solution" in decision.reasons[-1]


def test_customers_without_a_value_in_the_aim_change_no_choice() -> None:
    half = draw_half(N, 7)
    judged = [algorithm("kmeans", row(2, 0.95), row(4, 0.9))]
    first = choose(judged, aim=Aim("Answered", "auc", np.where(half, ANSWERS, np.nan)))
    labels = np.where(half, FINE, 5 - FINE).astype(np.int16)
    second = Chooser(
        Guide(aim=Aim("Answered", "auc", np.where(half, ANSWERS, np.nan))),
        {("kmeans", 2): COARSE, ("kmeans", 4): labels},
        project_study(),
        TESTS,
    ).choose(judged, DECIDED)
    assert first == second and first[1].n == half.sum() == N // 2


def test_what_came_later_is_predicted_by_solutions_formed_before() -> None:
    early = np.column_stack([np.arange(N) % 4 * 10.0, np.arange(N) % 4 % 2 * 3.0]) + RNG.normal(size=(N, 2))
    aim = Aim("Spend", "r2", np.array([0.0, 5.0, 1.0, 9.0])[FINE - 1], Early(early, np.ones(N, dtype=bool), ()))
    judged = [algorithm("kmeans", row(2, 0.95), row(4, 0.9))]
    decision, made = choose(judged, aim=aim)
    assert decision.k == 4 and made.tied[0].use == pytest.approx(1.0)


def test_the_half_that_chooses_is_seeded_and_as_large_as_the_other() -> None:
    assert (draw_half(101, 1) == draw_half(101, 1)).all() and draw_half(101, 1).sum() == 50
    assert (draw_half(101, 1) != draw_half(101, 2)).any()


def test_an_aim_follows_a_sample_of_the_customers() -> None:
    rows = np.array([4, 9, 11])
    aim = Aim("Answered", "auc", ANSWERS)
    assert (aim.among(rows).values == ANSWERS[rows]).all()
    early = replace(aim, early=Early(np.zeros((N, 1)), np.ones(N, dtype=bool), ()))
    assert early.among(rows) is early
