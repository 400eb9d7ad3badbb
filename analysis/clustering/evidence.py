"""Evidence for the number of segments and for the stability of each segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights
from analysis.base.workers import run_parallel
from analysis.clustering.algorithms import NEEDS, Fit, Labels, Matrix, competing, distances, sample_rows
from analysis.clustering.algorithms.published import fit_solutions
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.preferences import Preferences, describe_classes, find_preferences
from analysis.clustering.references.categories import all_differ, find_category
from analysis.clustering.references.nulls import Matrices, References
from analysis.clustering.resample import (
    Drawn,
    Refits,
    Sample,
    agreements,
    box,
    dispersion,
    draw_labels,
    jaccard,
    match_refits,
    mean_silhouette,
    measure,
    measure_extremes,
    own_jaccard,
    prediction_strengths,
    reference_dispersions,
    silhouettes,
    some,
    summarise,
)
from analysis.clustering.selection import (
    CLOSE,
    NATURAL_GAP,
    NATURAL_STABLE,
    AlgorithmEvidence,
    CandidateEvidence,
    Decision,
    Nulls,
    check,
    decide,
    first_failure,
    judge,
    stability_band,
    stands_apart,
    verdict,
)
from analysis.clustering.use.choice import NO_GUIDE, Chooser, ChosenForUse, Guide
from analysis.features.prepare import Blocks
from analysis.settings.models import Study

SETTINGS = ("algorithm", "segments", "max_segments", "starts", "seed", "min_share", "min_customers", "locale")
"""The settings of a study on which evidence depends; its texts hold numbers."""

_BLOCK = 4

Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SegmentEvidence:
    """One published segment: stability within the solution, its band, mean silhouette and shadow value."""

    slsw: float
    band: str
    silhouette: float
    shadow: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that speaks for or against the solution.

    Attributes
    ----------
    fit : Fit
    labels : ndarray of int, shape (n,)
        1..k by size, 0 = unassigned.
    core : ndarray of bool, shape (n,)
    decision : Decision
    verdict : str
    algorithms : tuple of AlgorithmEvidence
    segments : tuple of SegmentEvidence
    nulls : Nulls
    prefers : Preferences
    solutions : dict of (algorithm, k) to ndarray of int, shape (m,)
        Labels of every solution that was compared; m = n, or the rows of ``sample``.
    refits : Refits
        The solution made again from resamples.
    sample : Sample, optional
        Who was measured, where that was not everyone.
    category : int, optional
        Scaled feature whose levels are the segments, where nothing else sets them apart.
    weights : ndarray of float64, shape (n,), optional
        Survey weights that fits, resamples and shares follow.
    use : ChosenForUse, optional
        How it was chosen among tied solutions, where that is what the settings prefer.
    """

    fit: Fit
    labels: Labels
    core: NDArray[np.bool_]
    decision: Decision
    verdict: str
    algorithms: tuple[AlgorithmEvidence, ...]
    segments: tuple[SegmentEvidence, ...]
    nulls: Nulls
    prefers: Preferences
    solutions: dict[tuple[str, int], Labels]
    refits: Refits
    sample: Sample | None = None
    category: int | None = None
    weights: Weights = None
    use: ChosenForUse | None = None

    def chosen(self) -> AlgorithmEvidence:
        """The winning algorithm's evidence."""
        return next(a for a in self.algorithms if a.name == self.decision.algorithm)


def gather_evidence(
    matrix: Matrix,
    core: NDArray[np.bool_],
    study: Study,
    tick: Tick = lambda text: None,
    features: Matrix | None = None,
    blocks: Blocks = (),
    effort: Effort = USERS,
    guide: Guide = NO_GUIDE,
) -> Evidence:
    """Fit all candidates, resample them, decide, and judge the decision.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
        Scaled features; rows in canonical order, so that the seed means the same in every run.
    core : ndarray of bool, shape (n,)
    study : Study
        Uses those of :data:`SETTINGS`.
    tick : callable, optional
        Called with the name of the current step.
    features : ndarray, shape (n, q), optional
        Scaled features before they were reduced to ``matrix``, where they were.
    blocks : tuple of (int, int)
        Columns of the features that are the levels of a category.
    effort : Effort, optional
    guide : Guide, optional

    Raises
    ------
    InputError
        For too few different customers, or an algorithm of the analyst's that finds no segments.
    """
    with one_thread():
        return _Judge(matrix, core, study.only(*SETTINGS), tick, features, blocks, effort, guide).judge()


class _Judge:
    """The state of one judgement: solutions and draws, kept so that more draws can be added to the first ones."""

    def __init__(
        self,
        matrix: Matrix,
        core: NDArray[np.bool_],
        study: Study,
        tick: Tick,
        features: Matrix | None = None,
        blocks: Blocks = (),
        effort: Effort = USERS,
        guide: Guide = NO_GUIDE,
    ) -> None:
        self.matrix, self.core, self.study, self.tick, self.effort = matrix, core, study, tick, effort
        self.guide, self.weights = guide, guide.weights
        self.clean_weights = None if guide.weights is None else guide.weights[core]
        self.clean = np.ascontiguousarray(matrix[core])
        self.features = self.clean if features is None else np.ascontiguousarray(features[core])
        self.n_axes = 0 if features is None else matrix.shape[1]
        self.feature_blocks = blocks
        # Principal components mix the levels of a category with everything else.
        self.blocks = blocks if features is None else ()
        self.algorithms = competing(self.clean, self.blocks)
        if study.algorithm not in ("auto", *self.algorithms):
            raise InputError(*NEEDS[study.algorithm])
        self.sample = sample_rows(len(self.clean), effort.silhouette_rows, study.seed)
        self.compared = sample_rows(len(matrix), effort.judged_rows, study.seed)
        self.judged = np.ascontiguousarray(matrix[self.compared])
        self.ks = self._candidate_ks()
        self.fits: dict[tuple[str, int], Fit] = {}
        self.labels: dict[tuple[str, int], Labels] = {}
        self.geometry: dict[tuple[str, int], tuple[float, float, float]] = {}
        self.separation: dict[tuple[str, int], NDArray[np.float64]] = {}
        self.draws: dict[tuple[str, int], list[Drawn]] = {}
        self.agreement: dict[tuple[str, int], list[float]] = {}
        self.similarities: dict[tuple[str, int], tuple[int, NDArray[np.float64], list[NDArray[np.float64]]]] = {}
        matrices = Matrices(self.clean, self.features, self.blocks, blocks, self.n_axes)
        self.references = References(matrices, study, effort, run_parallel)
        self.gaps: dict[int, tuple[float, float]] = {}
        self.strengths: dict[int, float] = {}

    def judge(self) -> Evidence:
        chooser = Chooser(self.guide, self.labels, self.study, self.effort)
        self.tick("fits")
        self._fit_all()
        self.tick("gap and prediction strength")
        self._reference_all()
        judged = []
        for name, algorithm in self.algorithms.items():
            self.tick(f"resamples of {algorithm.title}")
            self._resample(name, self._worth_resampling(name), self.effort.pairs)
            judged.append(self._conclude(name))
        decision, use = chooser.choose(judged, decide(judged, self.study, self._beaten_by))
        while more := self._too_few_draws(decision.algorithm, decision.k):
            self.tick(f"more resamples for {', '.join(map(str, more))} segments")
            self._resample(decision.algorithm, more, self.effort.pairs_decided)
            judged = [self._conclude(a.name) for a in judged]
            decision, use = chooser.choose(judged, decide(judged, self.study, self._beaten_by))
        name, k = decision.algorithm, decision.k
        self.tick("null references")
        row = self._row(name, k)
        nulls = self._nulls(name, k)
        kind = self._verdict(name, row, nulls)
        if kind == "reproducible":
            nulls = self.references.add_lumped(nulls, self.algorithms[name], k)
            kind = self._verdict(name, row, nulls)
        return Evidence(
            self.fits[name, k],
            self.labels[name, k],
            self.core,
            decision,
            kind,
            tuple(judged),
            self._segments(name, k, row),
            nulls,
            self._preferences(next(a for a in judged if a.name == name)),
            self.labels,
            self._refits(name, k),
            category=self._category(name, k),
            weights=self.weights,
            use=use,
        )

    def _candidate_ks(self) -> tuple[int, ...]:
        distinct = len(np.unique(self.clean, axis=0))
        wanted = self.study.segments if isinstance(self.study.segments, int) else 2
        most = max(self.effort.most_segments, wanted + 1)
        if distinct <= wanted:
            raise InputError(
                f"Only {distinct} distinct customers are left after cleaning.",
                f"At least {wanted + 1} are needed.",
                "Give more columns the role 'feature', or choose fewer segments.",
            )
        return tuple(range(2, min(most, distinct - 1) + 1))

    def _fit_all(self) -> None:
        """Every algorithm at every k; those that share no work between numbers of segments are fitted apart."""
        tasks = [
            (name, ks)
            for name, algorithm in self.algorithms.items()
            for ks in ([self.ks] if algorithm.shares_work else [(k,) for k in self.ks])
        ]
        how = self.study.seed, self.study.starts, self.effort, self.clean_weights
        jobs = (delayed(fit_solutions)(self.clean, self.algorithms[name], ks, *how) for name, ks in tasks)
        for (name, _), fits in zip(tasks, run_parallel(jobs), strict=True):
            for fit in fits:
                self.fits[name, fit.k] = fit.by_size(self.matrix, self.weights)
                self.labels[name, fit.k] = self.fits[name, fit.k].assign(self.matrix)
        for key, fit in self.fits.items():
            self.geometry[key] = measure(self.clean, fit, self.labels[key][self.core])
        labelings = [labels[self.core][self.sample] for labels in self.labels.values()]
        self.separation = dict(zip(self.labels, silhouettes(self.clean[self.sample], labelings), strict=True))

    def _reference_all(self) -> None:
        """Gap and prediction strength, which are of k-means."""
        effort, seed, starts = self.effort, self.study.seed, self.study.starts
        rows = some(self.clean, effort.reference_rows, seed)
        ks = (1, *self.ks)
        corners = box(rows)
        references = np.array(
            list(
                run_parallel(
                    delayed(reference_dispersions)(*corners, len(rows), ks, starts, (seed, draw))
                    for draw in range(effort.gap_draws)
                )
            )
        )
        one = Fit(rows.mean(axis=0, keepdims=True))
        own = np.array([dispersion(rows, one if k == 1 else self.fits["kmeans", k]) for k in ks])
        errors = references.std(axis=0) * np.sqrt(1 + 1 / effort.gap_draws)
        self.gaps = dict(zip(ks, zip(references.mean(axis=0) - own, errors, strict=True), strict=True))
        halves = tuple(k for k in self.ks if k <= len(rows) // 4)
        found = list(
            run_parallel(
                delayed(prediction_strengths)(rows, halves, starts, (seed, draw))
                for draw in range(effort.strength_halvings)
            )
        )
        self.strengths = dict(zip(halves, map(float, np.mean(found, axis=0)), strict=True))

    def _worth_resampling(self, name: str) -> tuple[int, ...]:
        """The numbers of segments that can still be chosen; those of k-means are shown at any rate."""
        ks = tuple(sorted(k for a, k in self.fits if a == name and k > 1))
        if name == "kmeans" or (self.algorithms[name].shares_work and self.algorithms[name].takes_k):
            return ks
        shown = {"size", "unassigned"}
        return tuple(
            k
            for k in ks
            if k <= self.study.max_segments and all(c.holds for c in self._row(name, k).checks if c.name in shown)
        )

    def _too_few_draws(self, name: str, k: int) -> tuple[int, ...]:
        return tuple(
            j
            for j in (k - 1, k, k + 1)
            if j > 1 and (name, j) in self.fits and len(self.draws.get((name, j), ())) < 2 * self.effort.pairs_decided
        )

    def _resample(self, name: str, ks: tuple[int, ...], pairs: int) -> None:
        """Draw until there are this many pairs; ``ks`` have as many as each other, or none."""
        algorithm, starts, seed = self.algorithms[name], self.study.starts, self.study.seed
        for first in sorted({len(self.draws.get((name, k), ())) for k in ks}):
            behind = tuple(k for k in ks if len(self.draws.get((name, k), ())) == first)
            numbers = range(first, 2 * pairs)
            blocks = [numbers[i : i + _BLOCK] for i in range(0, len(numbers), _BLOCK)]
            what, weights = (self.clean, self.judged, algorithm, behind, starts), self.clean_weights
            seeds = ([(seed, draw) for draw in block] for block in blocks)
            jobs = (delayed(draw_labels)(*what, each, weights) for each in seeds)
            for block in run_parallel(jobs):
                for found in block:
                    for k, drawn in zip(behind, found, strict=True):
                        self.draws.setdefault((name, k), []).append(drawn)
            for k in behind:
                known = self.agreement.setdefault((name, k), [])
                known += agreements([d.labels for d in self.draws[name, k][2 * len(known) :]])

    def _row(self, name: str, k: int) -> CandidateEvidence:
        key, study = (name, k), self.study
        wcss, ch, db = self.geometry[key]
        labels = self.labels[key]
        stability = summarise(self.agreement.get(key, []))
        each, own = self._similarities(key)
        smallest, unassigned = measure_extremes(labels, k, self.weights, study.min_customers)
        least = max(study.min_share, study.min_customers / len(labels))
        checks = check(smallest, least, unassigned, stability, tuple(map(float, each)))
        why_not = first_failure(checks)
        gap, gap_se = self.gaps.get(k, (None, None))
        mixture = self.fits.get(("mixture", k))
        return CandidateEvidence(
            k,
            wcss,
            *mean_silhouette(self.separation[key], len(self.sample) < len(self.clean)),
            ch,
            db,
            None if gap is None else float(gap),
            None if gap_se is None else float(gap_se),
            self.strengths.get(k),
            mixture.bic if mixture else None,
            stability,
            tuple(map(float, each)),
            tuple(map(float, np.mean(own, axis=0))) if own else (),
            smallest,
            unassigned,
            checks,
            not why_not,
            float(stability.median * each.min()),
            why_not,
        )

    def _similarities(self, key: tuple[str, int]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Mean Jaccard similarity of each segment over the draws, and of the method's own groups in each of them."""
        draws, k = self.draws.get(key, []), key[1]
        known = self.similarities.get(key)
        if known is None or known[0] != len(draws):
            judged, members = self.labels[key][self.compared], self.fits[key].members
            each = np.array([jaccard(judged, d.labels, k) for d in draws]).mean(axis=0) if draws else np.zeros(k)
            own = [own_jaccard(members, d.members, k) for d in draws if members is not None and d.members is not None]
            known = self.similarities[key] = len(draws), each, own
        return known[1:]

    def _conclude(self, name: str) -> AlgorithmEvidence:
        rows = tuple(self._row(name, k) for a, k in sorted(self.fits) if a == name and k > 1)
        found = sum(1 for a, _ in self.fits if a == name)
        judged = judge(name, rows, found, self.study.max_segments, lambda row: self._may_be_natural(name, row))
        fits = [fit for (a, _), fit in self.fits.items() if a == name and fit.classes is not None]
        return describe_classes(judged, fits, self.algorithms[name].about) if fits else judged

    def _may_be_natural(self, name: str, row: CandidateEvidence) -> bool:
        """Whether a solution meets the definition of natural; the cheap conditions first."""
        if row.stability.median < NATURAL_STABLE or row.silhouette < NATURAL_GAP:
            return False
        algorithm, references = self.algorithms[name], self.references
        apart = row.silhouette >= references.glance(algorithm, row.k) + NATURAL_GAP
        apart = apart and stands_apart(row.silhouette, *references.separate(algorithm, row.k))
        return apart and self._verdict(name, row, self._nulls(name, row.k)) == "natural"

    def _verdict(self, name: str, row: CandidateEvidence, nulls: Nulls) -> str:
        nameable = self._category(name, row.k) is None and all_differ(self._clean_labels(name, row.k), self.features)
        return verdict(row, nulls, self.algorithms[name].takes_k, nameable)

    def _category(self, name: str, k: int) -> int | None:
        return find_category(self._clean_labels(name, k), self.features, self.feature_blocks)

    def _clean_labels(self, name: str, k: int) -> Labels:
        return self.labels[name, k][self.core]

    def _beaten_by(self, dense: AlgorithmEvidence, row: CandidateEvidence, name: str, k: int) -> float | None:
        """Leaving the border out raises any silhouette, so both are taken over the same customers."""
        assigned = (self.labels[dense.name, row.k] > 0)[self.core][self.sample]
        (each,) = silhouettes(
            self.clean[self.sample][assigned], [self.labels[name, k][self.core][self.sample][assigned]]
        )
        other = float(np.nanmean(each)) if len(each) else 0.0
        return other if row.silhouette > other + CLOSE and self._may_be_natural(dense.name, row) else None

    def _nulls(self, name: str, k: int) -> Nulls:
        return self.references.compare(self.algorithms[name], k, summarise(self.agreement[name, k]).median, self.ks)

    def _segments(self, name: str, k: int, row: CandidateEvidence) -> tuple[SegmentEvidence, ...]:
        fit, labels = self.fits[name, k], self._clean_labels(name, k)
        each, sampled = self.separation[name, k], labels[self.sample]
        near = np.sqrt(np.sort(distances(self.clean, fit.centres), axis=1)[:, :2])
        shadow = 2 * near[:, 0] / np.maximum(near.sum(axis=1), 1e-12)
        return tuple(
            SegmentEvidence(
                slsw,
                stability_band(slsw),
                float(each[sampled == j].mean()),
                float(shadow[labels == j].mean()),
            )
            for j, slsw in enumerate(row.slsw, start=1)
        )

    def _refits(self, name: str, k: int) -> Refits:
        draws, most = [drawn.labels for drawn in self.draws[name, k]], self.algorithms[name].resample_rows
        labels = self.labels[name, k]
        return match_refits(labels, draws, self.compared, self.core, most, self.study.seed, self.weights)

    def _preferences(self, chosen: AlgorithmEvidence) -> Preferences:
        bics = {k: fit.bic for (name, k), fit in self.fits.items() if name == "mixture" and fit.bic is not None}
        return find_preferences(chosen.by_k, self.gaps, self.strengths, bics)
