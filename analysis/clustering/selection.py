"""The decision rule: from evidence to an algorithm, a number of segments and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.base.errors import InputError
from analysis.base.formats import Formats, beside, number, percentage, significant
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.algorithms.knees import knee
from analysis.clustering.resample import Stability
from analysis.settings.models import Study

STABLE, VALID, MOST_NOISE = 0.85, 0.75, 0.25
"""Least median stability, least stability of a segment, largest share unassigned of an eligible solution. Chosen for
this project."""
BAND, CLOSE = 0.15, 0.02
"""How far below the best score a finer solution may lie, and what counts as a tie between algorithms. Chosen for this
project."""
AS_SEPARATE = 0.03
"""How far below the best silhouette of natural solutions a finer one may lie. Chosen for this project."""
NATURAL_STABLE, NATURAL_GAP, REPRODUCIBLE_STABLE = 0.90, 0.15, 0.75
"""Verdict: thresholds of section "What the verdicts mean". Chosen for this project."""
LUMPED_GAP = 0.05
"""How far the silhouette of natural segments lies above that of one cloud with the same lumps. Chosen for this
project."""
HENNIG = ((0.85, "highly stable"), (VALID, "valid"), (0.60, "a pattern"), (0.0, "do not trust"))
"""Least Jaccard stability of a segment in each band (Hennig 2007)."""
DISSOLVED = 0.50
"""Stability under which a segment counts as dissolved (Hennig 2007)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement of an eligible solution, with its numbers.

    ``value`` is None where it was not measured, as an earlier requirement had already failed.
    """

    name: str
    value: float | None
    bound: float
    holds: bool


@dataclass(frozen=True, slots=True)
class CandidateEvidence:
    """Evidence for one algorithm at one number of segments.

    Attributes
    ----------
    k : int
    wcss : float
        Within-segment sum of squares of the clean core, in squared scaled units.
    silhouette, silhouette_se : float
        Mean over the clean core, and its standard error where it was sampled (else 0).
    calinski_harabasz, davies_bouldin : float
    gap, gap_se, prediction_strength : float, optional
        Of k-means at this k (Tibshirani, Walther and Hastie 2001; Tibshirani and Walther 2005).
    bic : float, optional
        Of the Gaussian mixture at this k.
    stability : Stability
        Without pairs where the solution had failed before it was resampled.
    slsw : tuple of float, length k
        Mean Jaccard similarity of each segment over the bootstrap fits (Hennig 2007).
    own_slsw : tuple of float
        The same for the method's own groups among the customers drawn, where its rule for everyone differs.
    smallest_share : float
        Share of customers in the smallest segment.
    unassigned_share : float
    checks : tuple of Check
    eligible : bool
    score : float
        Median stability x smallest SLSW.
    why_not : str
        The first requirement it fails, empty where eligible.
    """

    k: int
    wcss: float
    silhouette: float
    silhouette_se: float
    calinski_harabasz: float
    davies_bouldin: float
    gap: float | None
    gap_se: float | None
    prediction_strength: float | None
    bic: float | None
    stability: Stability
    slsw: tuple[float, ...]
    own_slsw: tuple[float, ...]
    smallest_share: float
    unassigned_share: float
    checks: tuple[Check, ...]
    eligible: bool
    score: float
    why_not: str


@dataclass(frozen=True, slots=True)
class AlgorithmEvidence:
    """One algorithm over all k, judged at its own k; ``natural`` where it took a natural one."""

    name: str
    title: str
    about: str
    places: str
    cost: str
    by_k: tuple[CandidateEvidence, ...]
    k: int | None
    outcome: str
    natural: bool


@dataclass(frozen=True, slots=True)
class Nulls:
    """The decided solution beside data without groups: stability of permuted columns, silhouette of one Gaussian.

    Where features are lumped, ``lumped`` and ``lumped_stability`` are silhouette and stability of one Gaussian cut to
    the same lumps; the latter only where the verdict depends on it.
    """

    permuted: tuple[float, ...]
    permuted_beaten: bool
    gaussian: tuple[float, ...]
    lumped: tuple[float, ...] = ()
    lumped_stability: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen and why; each reason carries its numbers."""

    algorithm: str
    algorithm_title: str
    k: int
    fixed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Requirement:
    """``fails`` says what is wrong, given the value and the bound that it misses, as they read beside each other."""

    name: str
    at_least: bool
    fails: str


_REQUIREMENTS = (
    _Requirement("size", True, "smallest segment has under {bound} of customers"),
    _Requirement("unassigned", False, "{value} of customers unassigned, over {bound}"),
    _Requirement("stability", True, "stability {value}, under {bound}"),
    _Requirement("slsw", True, "least stable segment {value}, under {bound}"),
)


def check(
    smallest: float, least: float, unassigned: float, stability: Stability, slsw: Sequence[float]
) -> tuple[Check, ...]:
    """Check a solution against the requirements, in their order.

    Parameters
    ----------
    smallest, least : float
        Share of customers in the smallest segment, and the least that it may be.
    unassigned : float
        Share of customers.
    stability : Stability
        Without pairs: not resampled.
    slsw : sequence of float
    """
    resampled = stability.pairs > 0
    values = (smallest, unassigned, stability.median if resampled else None, min(slsw) if resampled else None)
    checks = []
    for wanted, value, bound in zip(_REQUIREMENTS, values, (least, MOST_NOISE, STABLE, VALID), strict=True):
        holds = value is not None and (value >= bound if wanted.at_least else value <= bound)
        checks.append(Check(wanted.name, value, bound, holds))
    return tuple(checks)


def first_failure(checks: Sequence[Check]) -> str:
    """The first requirement that does not hold, in words; empty where all do."""
    for wanted, found in zip(_REQUIREMENTS, checks, strict=True):
        if not found.holds and found.value is None:
            return "was not resampled"
        if not found.holds and found.value is not None:
            if wanted.name in {"size", "unassigned"}:
                value, bound = Formats().percent(found.value), Formats().percent(found.bound)
            else:
                value, bound = beside(found.value, found.bound), number(found.bound, 2)
            return wanted.fails.format(value=value, bound=bound)
    return ""


def judge(
    name: str,
    rows: tuple[CandidateEvidence, ...],
    found: int,
    most: int,
    natural_at: Callable[[CandidateEvidence], bool],
) -> AlgorithmEvidence:
    """Choose an algorithm's own number of segments.

    Parameters
    ----------
    name : str
    rows : tuple of CandidateEvidence
        Of two segments or more.
    found : int
        Solutions of any number of segments, to tell one group from none.
    most : int
        Largest number of segments that may be chosen.
    natural_at : callable
        Whether the solution of a row meets the definition of natural.
    """
    algorithm = ALGORITHMS[name]

    def told(k: int | None, outcome: str, natural: bool = False) -> AlgorithmEvidence:
        return AlgorithmEvidence(
            name, algorithm.title, algorithm.about, algorithm.places, algorithm.cost, rows, k, outcome, natural
        )

    if not rows:
        return told(None, "finds one dense region, no groups" if found else "finds no dense region")
    if not algorithm.takes_k:
        row = rows[0]
        return told(
            row.k,
            f"{row.k} groups, {percentage(row.unassigned_share)} of customers unassigned; "
            f"{row.why_not or 'replicates'}",
        )
    eligible = [row for row in rows if row.eligible and row.k <= most]
    if not eligible:
        row = max((r for r in rows if r.k <= most), key=lambda r: r.stability.median)
        if not row.stability.pairs:
            return told(row.k, f"no number of segments passes; with {row.k} the {row.why_not}")
        return told(
            row.k, f"no number of segments replicates; most stable at {row.k} ({number(row.stability.median, 2)})"
        )
    natural: list[CandidateEvidence] = []
    # The best separated first: whether a solution is natural takes many fits to tell.
    for row in sorted(eligible, key=lambda r: -r.silhouette):
        if natural and row.silhouette < natural[0].silhouette - AS_SEPARATE:
            break
        if natural_at(row):
            natural.append(row)
    best = natural[0].score if natural else max(r.score for r in eligible)
    row = max((r for r in natural or eligible if r.score >= best - BAND), key=lambda r: r.k)
    return told(
        row.k,
        f"{row.k} segments, stability {number(row.stability.median, 2)}, least stable segment "
        f"{number(min(row.slsw), 2)}",
        bool(natural),
    )


def decide(
    judged: Sequence[AlgorithmEvidence],
    study: Study,
    beaten_by: Callable[[AlgorithmEvidence, CandidateEvidence, str, int], float | None],
) -> Decision:
    """Choose among the algorithms, or take what the analyst fixed.

    Parameters
    ----------
    judged : sequence of AlgorithmEvidence
    study : Study
        Uses ``algorithm``, ``segments`` and ``max_segments``.
    beaten_by : callable
        For a density method, its row, and the winner among the others with its k: the winner's silhouette over the
        customers that the density method assigns where the latter is natural and better separated, else None.

    Raises
    ------
    InputError
        Where the analyst fixed an algorithm that finds no segments.
    """
    free = [a for a in judged if a.k is not None and ALGORITHMS[a.name].takes_k]
    scored = {a.name: next(r for r in a.by_k if r.k == a.k) for a in free}
    standing = {a.name: _standing(scored[a.name]) for a in free}
    field = [a for a in free if not any(_outdone(a, b) for b in free)] or free
    best = max(standing[a.name] for a in field)
    near = [a for a in field if standing[a.name] >= best - CLOSE]
    winner = best_of_free = min(near, key=lambda a: ALGORITHMS[a.name].simplicity)
    better = []
    for a in judged:
        row = a.by_k[0] if a.by_k and not ALGORITHMS[a.name].takes_k else None
        if row is None or not row.eligible or row.k > study.max_segments:
            continue
        other = beaten_by(a, row, winner.name, scored[winner.name].k)
        if other is not None:
            better = [
                f"{a.title} finds {row.k} groups and leaves {percentage(row.unassigned_share)} of customers "
                f"unassigned; the "
                f"others it separates better (silhouette {number(row.silhouette, 2)}) than {winner.title} does "
                f"({number(other, 2)})."
            ]
            winner, scored[a.name] = a, row
    row = scored[winner.name]
    if study.algorithm == "auto" and study.segments == "auto":
        reasons = better + _reasons(winner, row, judged, scored, study.max_segments)
        return Decision(winner.name, winner.title, row.k, False, tuple(reasons))
    # A number of segments can only be fixed for a method that takes one.
    own = winner if study.segments == "auto" else best_of_free
    fixed = next(a for a in judged if a.name == (own.name if study.algorithm == "auto" else study.algorithm))
    return _take_fixed(fixed, judged, study, f"{winner.title} with {row.k} segments")


def _take_fixed(fixed: AlgorithmEvidence, judged: Sequence[AlgorithmEvidence], study: Study, evident: str) -> Decision:
    """Take the algorithm or the number that the analyst fixed, and say what the evidence alone had chosen."""
    k = fixed.k
    if ALGORITHMS[fixed.name].takes_k and study.segments != "auto":
        k = study.segments if isinstance(study.segments, int) else elbow(judged[0].by_k)
    if k is None:
        raise InputError(
            f"_quarto.yml, segmentation.algorithm: {fixed.title} {fixed.outcome} in this data.",
            "A segmentation needs at least two groups.",
            "Choose auto, kmeans, mixture or ward.",
        )
    chosen = next(r for r in fixed.by_k if r.k == k)
    said = [fixed.title] if study.algorithm != "auto" else []
    said += [f"{k} segments"] if study.segments != "auto" else []
    resampled = (
        f", median stability {number(chosen.stability.median, 2)}, least stable segment {number(min(chosen.slsw), 2)}"
        if chosen.stability.pairs
        else ""
    )
    reasons = (
        f"The analyst fixed {' and '.join(said)}. The evidence alone would have chosen {evident}.",
        f"As published: {fixed.title} with {k} segments{resampled}"
        + ("." if chosen.eligible else f"; it fails a requirement ({chosen.why_not})."),
    )
    return Decision(fixed.name, fixed.title, k, True, reasons)


def _standing(row: CandidateEvidence) -> float:
    """The score; any eligible solution stands above any other."""
    return row.score - (not row.eligible)


def _outdone(a: AlgorithmEvidence, b: AlgorithmEvidence) -> bool:
    """Whether another algorithm does better, or as well and is simpler, with the number of segments that ``a`` took.

    Coarse solutions score higher than fine ones, so algorithms are compared at the same number.
    """
    own = next(r for r in a.by_k if r.k == a.k)
    other = next((r for r in b.by_k if r.k == a.k and r.eligible), None)
    if a is b or other is None:
        return False
    simpler = ALGORITHMS[b.name].simplicity < ALGORITHMS[a.name].simplicity
    return _standing(other) > _standing(own) + (-CLOSE if simpler else CLOSE)


def verdict(row: CandidateEvidence, nulls: Nulls, takes_k: bool, nameable: bool = True) -> str:
    """Natural, reproducible, constructive or none.

    Parameters
    ----------
    row : CandidateEvidence
    nulls : Nulls
    takes_k : bool
        Whether the algorithm is given a number of segments.
    nameable : bool, optional
        Whether the segments are more than the levels of one column, and each differs readably.
    """
    if takes_k and not nulls.permuted_beaten:
        return "none"
    if not nameable:
        return "constructive"
    if row.stability.median >= NATURAL_STABLE and stands_apart(row.silhouette, nulls.gaussian, nulls.lumped):
        return "natural"
    more_stable = all(row.stability.median > cloud for cloud in nulls.lumped_stability)
    if row.stability.median >= REPRODUCIBLE_STABLE and min(row.slsw) >= VALID and more_stable:
        return "reproducible"
    return "constructive"


def stands_apart(silhouette: float, clouds: Sequence[float], lumped: Sequence[float]) -> bool:
    """Whether a silhouette lies as far above those of one cloud, and of one with the same lumps, as natural ones do."""
    return silhouette > max(clouds) + NATURAL_GAP and all(silhouette > cloud + LUMPED_GAP for cloud in lumped)


def elbow(rows: Sequence[CandidateEvidence]) -> int:
    """The number of segments at the knee of the within-segment sum of squares."""
    return rows[knee(np.array([row.wcss for row in rows]))].k


def stability_band(slsw: float) -> str:
    """Hennig's bands for the Jaccard stability of a segment.

    >>> [stability_band(x) for x in (0.9, 0.8, 0.7, 0.55)]
    ['highly stable', 'valid', 'a pattern', 'do not trust']
    """
    return next(band for least, band in HENNIG if slsw >= least or not least)


def _reasons(
    winner: AlgorithmEvidence,
    row: CandidateEvidence,
    judged: Sequence[AlgorithmEvidence],
    scored: dict[str, CandidateEvidence],
    most: int,
) -> list[str]:
    reasons = []
    if row.eligible:
        eligible = [r.k for r in winner.by_k if r.eligible and r.k <= most]
        reasons.append(
            f"{winner.title} replicates with {_listed(eligible)} segments: median stability of at least "
            f"{significant(STABLE)}, "
            f"every segment at least {significant(VALID)}, none too small."
        )
        best = max((r for r in winner.by_k if r.eligible and r.k <= most), key=lambda r: r.score)
        if winner.natural:
            reasons.append(
                f"With {row.k} the segments are natural, and no other natural solution is separated better "
                f"(silhouette {number(row.silhouette, 2)}) by more than {significant(AS_SEPARATE)}."
            )
        elif ALGORITHMS[winner.name].takes_k:
            reasons.append(
                f"{row.k} is the finest of them whose score ({number(row.score, 2)}) is within {significant(BAND)} of "
                f"the best "
                f"({number(best.score, 2)}, at {best.k})."
            )
        finer = next((r for r in winner.by_k if r.k == row.k + 1), None)
        if finer and finer.why_not:
            reasons.append(f"One more segment does not hold: {finer.why_not}.")
    else:
        reasons.append(
            f"No number of segments up to {most} replicates; {row.k} is the most stable "
            f"({number(row.stability.median, 2)}, "
            f"{significant(STABLE)} would be needed)."
        )
    for other in judged:
        if other.name == winner.name:
            continue
        result = scored.get(other.name)
        score = f" (score {number(result.score, 2)})" if result and result.stability.pairs else ""
        reasons.append(f"{other.title}: {other.outcome}{score}.")
    return reasons


def _listed(numbers: list[int]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
