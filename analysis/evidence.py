"""Evidence for the number of segments and for each segment, the decision that follows, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.metrics import silhouette_samples

from analysis.cluster import ALGORITHMS, RESAMPLE_ROWS, Fit, Labels, Matrix, distances, knee, sample_rows
from analysis.config import Study
from analysis.errors import InputError
from analysis.resample import (
    NULL_DRAWS,
    Stability,
    agreements,
    draw_labels,
    fit_solutions,
    gaussian_silhouette,
    jaccard,
    measure,
    one_thread,
    permuted_stability,
    summarise,
)
from analysis.workers import run_parallel

K_MOST = 10
"""Largest number of segments that is tried."""
PAIRS, PAIRS_DECIDED = 20, 100
"""Pairs of bootstrap samples: everywhere, and at the decided k and its neighbours."""
SILHOUETTE_ROWS = 5_000
"""Customers in a silhouette; above it a seeded sample."""
STABLE, VALID, BAND, CLOSE = 0.85, 0.75, 0.15, 0.02
"""Decision: least stability, least SLSW, reach below the best score, tie between algorithms. Ours."""
NATURAL_STABLE, NATURAL_GAP, REPRODUCIBLE_STABLE = 0.90, 0.15, 0.75
"""Verdict: thresholds of section "What the verdicts mean". Ours."""
MOST_NOISE = 0.25
"""Largest share of customers that a density method may leave unassigned."""

_BLOCK = 4

Tick = Callable[[str], None]


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
    stability : Stability
    slsw : tuple of float, length k
        Mean Jaccard similarity of each segment over the bootstrap fits (Hennig 2007).
    smallest_share : float
        Share of customers in the smallest segment.
    unassigned_share : float
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
    stability: Stability
    slsw: tuple[float, ...]
    smallest_share: float
    unassigned_share: float
    eligible: bool
    score: float
    why_not: str


@dataclass(frozen=True, slots=True)
class AlgorithmEvidence:
    """One algorithm over all k, judged at its own k; ``natural`` where it took the natural k with the best "
    "silhouette."""

    name: str
    title: str
    about: str
    by_k: tuple[CandidateEvidence, ...]
    k: int | None
    outcome: str
    natural: bool


@dataclass(frozen=True, slots=True)
class Nulls:
    """The decided solution beside data without groups: stability of permuted columns, silhouette of one Gaussian."""

    permuted: tuple[float, ...]
    permuted_beaten: bool
    gaussian: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SegmentEvidence:
    """One published segment: stability within the solution, its band, mean silhouette and shadow value."""

    slsw: float
    band: str
    silhouette: float
    shadow: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen and why; each reason carries its numbers."""

    algorithm: str
    algorithm_title: str
    k: int
    fixed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that speaks for or against the solution.

    ``labels`` has shape (n,), 1..k by size, 0 = unassigned. ``elbow_k`` and ``silhouette_k`` are what those
    criteria would choose for the winning algorithm.
    """

    fit: Fit
    labels: Labels
    decision: Decision
    verdict: str
    algorithms: tuple[AlgorithmEvidence, ...]
    segments: tuple[SegmentEvidence, ...]
    nulls: Nulls
    elbow_k: int
    silhouette_k: int

    def chosen(self) -> AlgorithmEvidence:
        """The winning algorithm's evidence."""
        return next(a for a in self.algorithms if a.name == self.decision.algorithm)


def gather_evidence(matrix: Matrix, core: NDArray[np.bool_], study: Study, tick: Tick = lambda text: None) -> Evidence:
    """Fit all candidates, resample them, decide, and judge the decision.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
        Scaled features; rows in canonical order, so that the seed means the same in every run.
    core : ndarray of bool, shape (n,)
    study : Study
        Uses ``algorithm``, ``segments``, ``max_segments``, ``seed``, ``min_share`` and ``min_customers``.
    tick : callable, optional
        Told what is being done.

    Raises
    ------
    InputError
        For too few different customers, or an algorithm of the analyst's that finds no segments.
    """
    with one_thread():
        return _Judge(matrix, core, study, tick).judge()


def stability_band(slsw: float) -> str:
    """Hennig's bands for the Jaccard stability of a segment.

    >>> [stability_band(x) for x in (0.9, 0.8, 0.7, 0.55)]
    ['highly stable', 'valid', 'a pattern', 'do not trust']
    """
    bands = ((0.85, "highly stable"), (0.75, "valid"), (0.60, "a pattern"))
    return next((band for least, band in bands if slsw >= least), "do not trust")


class _Judge:
    """The state of one judgement: solutions and draws, kept so that more draws can be added to the first ones."""

    def __init__(self, matrix: Matrix, core: NDArray[np.bool_], study: Study, tick: Tick) -> None:
        self.matrix, self.core, self.study, self.tick = matrix, core, study, tick
        self.clean = np.ascontiguousarray(matrix[core])
        self.sample = sample_rows(len(self.clean), SILHOUETTE_ROWS, study.seed)
        self.ks = self._candidate_ks()
        self.fits: dict[tuple[str, int], Fit] = {}
        self.labels: dict[tuple[str, int], Labels] = {}
        self.geometry: dict[tuple[str, int], tuple[float, float, float, float, float]] = {}
        self.draws: dict[tuple[str, int], list[Labels]] = {}
        self.agreement: dict[tuple[str, int], list[float]] = {}
        self.permuted: dict[tuple[str, int], tuple[float, ...]] = {}
        self.gaussian: dict[tuple[str, int], tuple[float, ...]] = {}

    def judge(self) -> Evidence:
        study = self.study
        self.tick("fits")
        self._fit_all()
        judged = [self._first_look(name) for name in ALGORITHMS]
        winner, k, reasons = self._decide(judged)
        while more := [j for j in (k - 1, k, k + 1) if len(self.draws.get((winner, j), ())) == 2 * PAIRS]:
            self.tick(f"more resamples for {', '.join(map(str, more))} segments")
            self._resample(winner, tuple(more), PAIRS, PAIRS_DECIDED)
            judged = [self._conclude(a.name) for a in judged]
            winner, k, reasons = self._decide(judged)
        fit, labels = self.fits[winner, k], self.labels[winner, k]
        self.tick("null references")
        nulls = self._nulls(winner, k)
        row = self._row(winner, k)
        verdict = _verdict(row, nulls, ALGORITHMS[winner].takes_k)
        chosen = next(a for a in judged if a.name == winner)
        by_k = chosen.by_k
        elbow_k = _elbow(chosen)
        silhouette_k = max(by_k, key=lambda r: r.silhouette).k
        title = ALGORITHMS[winner].title
        fixed = study.algorithm != "auto" or study.segments != "auto"
        decision = Decision(winner, title, k, fixed, tuple(reasons))
        return Evidence(
            fit,
            labels,
            decision,
            verdict,
            tuple(judged),
            self._segments(winner, k, row),
            nulls,
            elbow_k,
            silhouette_k,
        )

    def _candidate_ks(self) -> tuple[int, ...]:
        distinct = len(np.unique(self.clean, axis=0))
        wanted = self.study.segments if isinstance(self.study.segments, int) else 2
        most = max(K_MOST, wanted + 1)
        if distinct <= wanted:
            raise InputError(
                f"Only {distinct} different customers are left to form segments by.",
                f"Needed are at least {wanted + 1}.",
                "Give more columns the role 'feature', or ask for fewer segments.",
            )
        return tuple(range(2, min(most, distinct - 1) + 1))

    def _fit_all(self) -> None:
        """Every algorithm at every k; those that share no work between numbers of segments are fitted apart."""
        tasks = [
            (name, ks)
            for name, algorithm in ALGORITHMS.items()
            for ks in ([self.ks] if algorithm.quadratic else [(k,) for k in self.ks])
        ]
        jobs = (delayed(fit_solutions)(self.clean, name, ks, self.study.seed) for name, ks in tasks)
        for (name, _), fits in zip(tasks, run_parallel(jobs), strict=True):
            for fit in fits:
                self.fits[name, fit.k] = fit.by_size(self.matrix)
                self.labels[name, fit.k] = self.fits[name, fit.k].assign(self.matrix)
        jobs = (
            delayed(measure)(self.clean, fit, self.labels[key][self.core], self.sample)
            for key, fit in self.fits.items()
        )
        self.geometry = dict(zip(self.fits, run_parallel(jobs), strict=True))

    def _first_look(self, name: str) -> AlgorithmEvidence:
        self.tick(f"resamples of {ALGORITHMS[name].title}")
        self._resample(name, tuple(k for a, k in self.fits if a == name and k > 1), 0, PAIRS)
        return self._conclude(name)

    def _resample(self, name: str, ks: tuple[int, ...], first: int, last: int) -> None:
        """Add the labels of all customers under both fits of the pairs ``first``..``last``."""
        if not ks:
            return
        numbers = range(2 * first, 2 * last)
        blocks = [numbers[i : i + _BLOCK] for i in range(0, len(numbers), _BLOCK)]
        jobs = (
            delayed(draw_labels)(self.clean, self.matrix, name, ks, [(self.study.seed, draw) for draw in block])
            for block in blocks
        )
        for block in run_parallel(jobs):
            for labels in block:
                for k, column in zip(ks, labels, strict=True):
                    self.draws.setdefault((name, k), []).append(column)
        for k in ks:
            known = self.agreement.setdefault((name, k), [])
            known += agreements(self.draws[name, k][2 * len(known) :])

    def _row(self, name: str, k: int) -> CandidateEvidence:
        key, study = (name, k), self.study
        wcss, silhouette, error, ch, db = self.geometry[key]
        labels, draws = self.labels[key], self.draws.get(key, [])
        stability = summarise(self.agreement.get(key, []))
        each = np.array([jaccard(labels, other, k) for other in draws]).mean(axis=0) if draws else np.zeros(k)
        counts = np.bincount(labels, minlength=k + 1)
        smallest, unassigned = int(counts[1:].min()), counts[0] / len(labels)
        least = max(study.min_share * len(labels), study.min_customers)
        if smallest < least:
            why_not = f"smallest segment has {smallest / len(labels):.1%} of customers, under {least / len(labels):.1%}"
        elif unassigned > MOST_NOISE:
            why_not = f"{unassigned:.0%} of customers unassigned, over {MOST_NOISE:.0%}"
        elif stability.median < STABLE:
            why_not = f"stability {stability.median:.2f}, under {STABLE}"
        elif each.min() < VALID:
            why_not = f"least stable segment {each.min():.2f}, under {VALID}"
        else:
            why_not = ""
        return CandidateEvidence(
            k,
            wcss,
            silhouette,
            error,
            ch,
            db,
            stability,
            tuple(map(float, each)),
            smallest / len(labels),
            float(unassigned),
            not why_not,
            float(stability.median * each.min()),
            why_not,
        )

    def _conclude(self, name: str) -> AlgorithmEvidence:
        algorithm = ALGORITHMS[name]
        rows = tuple(self._row(name, k) for a, k in sorted(self.fits) if a == name and k > 1)
        if not rows:
            found = sum(1 for a, _ in self.fits if a == name)
            outcome = "finds one dense region, no groups" if found else "finds no dense region"
            return AlgorithmEvidence(name, algorithm.title, algorithm.about, (), None, outcome, False)
        eligible = [row for row in rows if row.eligible and row.k <= self.study.max_segments]
        if not algorithm.takes_k:
            row = rows[0]
            outcome = f"{row.k} groups, {row.unassigned_share:.0%} of customers unassigned; " + (
                row.why_not or "replicates"
            )
            return AlgorithmEvidence(name, algorithm.title, algorithm.about, rows, row.k, outcome, False)
        if not eligible:
            row = max((r for r in rows if r.k <= self.study.max_segments), key=lambda r: r.stability.median)
            outcome = f"no number of segments replicates; most stable at {row.k} ({row.stability.median:.2f})"
            return AlgorithmEvidence(name, algorithm.title, algorithm.about, rows, row.k, outcome, False)
        natural = [row for row in eligible if self._may_be_natural(name, row)]
        if natural:
            row = max(natural, key=lambda r: r.silhouette)
        else:
            best = max(r.score for r in eligible)
            row = max((r for r in eligible if r.score >= best - BAND), key=lambda r: r.k)
        outcome = f"{row.k} segments, stability {row.stability.median:.2f}, least stable segment {min(row.slsw):.2f}"
        return AlgorithmEvidence(name, algorithm.title, algorithm.about, rows, row.k, outcome, bool(natural))

    def _may_be_natural(self, name: str, row: CandidateEvidence) -> bool:
        """Whether a solution meets the definition of natural; the cheap conditions first."""
        if row.stability.median < NATURAL_STABLE or row.silhouette < NATURAL_GAP:
            return False
        if (name, row.k) not in self.gaussian:
            first = next(iter(run_parallel([self._gaussian_job(name, row.k, 0)])))
            if row.silhouette < first + NATURAL_GAP:
                return False
        return _verdict(row, self._nulls(name, row.k), ALGORITHMS[name].takes_k) == "natural"

    def _decide(self, judged: list[AlgorithmEvidence]) -> tuple[str, int, list[str]]:
        study = self.study
        free = [a for a in judged if a.k is not None and ALGORITHMS[a.name].takes_k]
        scored = {a.name: next(r for r in a.by_k if r.k == a.k) for a in free}
        best = max((r.score if r.eligible else r.score - 1) for r in scored.values())
        near = [a for a in free if (scored[a.name].score - (not scored[a.name].eligible)) >= best - CLOSE]
        winner = best_of_free = min(near, key=lambda a: ALGORITHMS[a.name].simplicity)
        better = ""
        for a in judged:
            row = a.by_k[0] if a.by_k and not ALGORITHMS[a.name].takes_k else None
            if row is None or not row.eligible or row.k > study.max_segments:
                continue
            # Leaving the border out raises any silhouette, so both are taken over the same customers.
            other = self._silhouette(winner.name, scored[winner.name].k, self.labels[a.name, row.k] > 0)
            if row.silhouette > other + CLOSE and self._may_be_natural(a.name, row):
                better = (
                    f"{a.title} finds {row.k} groups and leaves {row.unassigned_share:.0%} of customers "
                    "unassigned; the "
                    f"others it separates better (silhouette {row.silhouette:.2f}) than {winner.title} does "
                    f"({other:.2f})."
                )
                winner, scored[a.name] = a, row
        row = scored[winner.name]
        reasons = ([better] if better else []) + _reasons(winner, row, judged, scored, study.max_segments)
        if study.algorithm == "auto" and study.segments == "auto":
            return winner.name, row.k, reasons
        # A number of segments can only be fixed for a method that takes one.
        own = winner if study.segments == "auto" else best_of_free
        fixed = next(a for a in judged if a.name == (own.name if study.algorithm == "auto" else study.algorithm))
        k = fixed.k
        if ALGORITHMS[fixed.name].takes_k and study.segments != "auto":
            k = study.segments if isinstance(study.segments, int) else _elbow(judged[0])
        if k is None:
            raise InputError(
                f"_quarto.yml, segmentation.algorithm: {fixed.title} {fixed.outcome} in this data.",
                "A segmentation needs at least two groups.",
                "Choose auto, kmeans or ward.",
            )
        chosen = next(r for r in fixed.by_k if r.k == k)
        said = " and ".join(
            text
            for text, is_set in (
                (fixed.title, study.algorithm != "auto"),
                (f"{k} segments", study.segments != "auto"),
            )
            if is_set
        )
        reasons = [
            f"The analyst fixed {said}. The evidence alone would have chosen {winner.title} with {row.k} segments.",
            f"As published: {fixed.title} with {k} segments, median stability {chosen.stability.median:.2f}, "
            f"least stable segment {min(chosen.slsw):.2f}"
            + ("." if chosen.eligible else f"; it fails a requirement ({chosen.why_not})."),
        ]
        return fixed.name, k, reasons

    def _silhouette(self, name: str, k: int, among: NDArray[np.bool_]) -> float:
        """Mean silhouette of a solution over some of the clean core."""
        labels = self.labels[name, k][self.core]
        rows = self.sample[among[self.core][self.sample]]
        found = len(np.unique(labels[rows]))
        return float(silhouette_samples(self.clean[rows], labels[rows]).mean()) if 1 < found < len(rows) else 0.0

    def _nulls(self, name: str, k: int) -> Nulls:
        if (name, k) not in self.gaussian:
            jobs = [self._gaussian_job(name, k, draw) for draw in range(NULL_DRAWS)]
            self.gaussian[name, k] = tuple(run_parallel(jobs))
        if (name, k) not in self.permuted and ALGORITHMS[name].takes_k:
            # One tree holds every number of segments, so a quadratic method is shuffled once for all.
            ks = self.ks if ALGORITHMS[name].quadratic else (k,)
            seeds = [(self.study.seed, draw) for draw in range(NULL_DRAWS)]
            found = run_parallel(delayed(permuted_stability)(self.clean, name, ks, seed) for seed in seeds)
            self.permuted |= {(name, j): values for j, values in zip(ks, zip(*found, strict=True), strict=True)}
        permuted = self.permuted.get((name, k), ())
        stability = summarise(self.agreement[name, k]).median
        return Nulls(permuted, all(stability > null for null in permuted), self.gaussian[name, k])

    def _gaussian_job(self, name: str, k: int, draw: int):
        mean, covariance = self.clean.mean(axis=0), np.atleast_2d(np.cov(self.clean.T))
        rows = min(len(self.clean), RESAMPLE_ROWS)
        return delayed(gaussian_silhouette)(mean, covariance, rows, name, k, (self.study.seed, draw))

    def _segments(self, name: str, k: int, row: CandidateEvidence) -> tuple[SegmentEvidence, ...]:
        fit, labels = self.fits[name, k], self.labels[name, k][self.core]
        rows = self.sample[labels[self.sample] > 0]
        each = np.asarray(silhouette_samples(self.clean[rows], labels[rows]))
        near = np.sqrt(np.sort(distances(self.clean, fit.centres), axis=1)[:, :2])
        shadow = 2 * near[:, 0] / np.maximum(near.sum(axis=1), 1e-12)
        return tuple(
            SegmentEvidence(
                slsw,
                stability_band(slsw),
                float(each[labels[rows] == j].mean()),
                float(shadow[labels == j].mean()),
            )
            for j, slsw in enumerate(row.slsw, start=1)
        )


def _reasons(
    winner: AlgorithmEvidence,
    row: CandidateEvidence,
    judged: list[AlgorithmEvidence],
    scored: dict[str, CandidateEvidence],
    most: int,
) -> list[str]:
    reasons = []
    if row.eligible:
        eligible = [r.k for r in winner.by_k if r.eligible and r.k <= most]
        reasons.append(
            f"{winner.title} replicates with {_listed(eligible)} segments: median stability of at least {STABLE}, "
            f"every segment at least {VALID}, none too small."
        )
        best = max((r for r in winner.by_k if r.eligible and r.k <= most), key=lambda r: r.score)
        if winner.natural:
            reasons.append(
                f"With {row.k} the segments are natural, and no other natural solution is better separated "
                f"(silhouette {row.silhouette:.2f})."
            )
        elif ALGORITHMS[winner.name].takes_k:
            reasons.append(
                f"{row.k} is the finest of them whose score ({row.score:.2f}) is within {BAND} of the best "
                f"({best.score:.2f}, at {best.k})."
            )
        finer = next((r for r in winner.by_k if r.k == row.k + 1), None)
        if finer and finer.why_not:
            reasons.append(f"One more segment does not hold: {finer.why_not}.")
    else:
        reasons.append(
            f"No number of segments up to {most} replicates; {row.k} is the most stable ({row.stability.median:.2f}, "
            f"{STABLE} would be needed)."
        )
    for other in judged:
        if other.name == winner.name:
            continue
        result = scored.get(other.name)
        score = f" (score {result.score:.2f})" if result else ""
        reasons.append(f"{other.title}: {other.outcome}{score}.")
    return reasons


def _elbow(algorithm: AlgorithmEvidence) -> int:
    """The number of segments at the knee of the within-segment sum of squares."""
    return algorithm.by_k[knee(np.array([row.wcss for row in algorithm.by_k]))].k


def _listed(numbers: list[int]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _verdict(row: CandidateEvidence, nulls: Nulls, takes_k: bool) -> str:
    """Natural, reproducible, constructive or none."""
    if takes_k and not nulls.permuted_beaten:
        return "none"
    if row.stability.median >= NATURAL_STABLE and row.silhouette > max(nulls.gaussian) + NATURAL_GAP:
        return "natural"
    if row.stability.median >= REPRODUCIBLE_STABLE and min(row.slsw) >= VALID:
        return "reproducible"
    return "constructive"
