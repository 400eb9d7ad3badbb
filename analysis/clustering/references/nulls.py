"""Each solution beside customers without groups, computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from joblib import delayed

from analysis.base.run import Effort
from analysis.clustering.algorithms import Algorithm, Matrix
from analysis.clustering.references.clouds import Gaussian, cloud_stability, gaussian_silhouette, permuted_stability
from analysis.clustering.resample import some
from analysis.clustering.selection import Nulls
from analysis.features.prepare import Blocks
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Matrices:
    """The clean core.

    Attributes
    ----------
    clean : ndarray, shape (n, p)
        What the algorithms see.
    features : ndarray, shape (n, q)
        Scaled features before they were reduced.
    blocks, feature_blocks : tuple of (int, int)
        Columns of either that are the levels of a category.
    n_axes : int
        Principal components that ``clean`` has; 0 where it is not reduced.
    """

    clean: Matrix
    features: Matrix
    blocks: Blocks
    feature_blocks: Blocks
    n_axes: int


class References:
    """Null references of solutions, kept so that none is made twice."""

    def __init__(
        self, matrices: Matrices, study: Study, effort: Effort, run: Callable[[Iterable[Any]], Iterable[Any]]
    ) -> None:
        self.matrices, self.study, self.effort, self.run = matrices, study, effort, run
        self.gaussian = Gaussian.of(matrices.clean, matrices.blocks)
        self.lumped = self.gaussian.with_lumps(matrices.clean)
        self.permuted: dict[tuple[str, int], tuple[float, ...]] = {}
        self.silhouettes: dict[tuple[str, int], tuple[float, ...]] = {}
        self.lumped_silhouettes: dict[tuple[str, int], tuple[float, ...]] = {}

    def glance(self, algorithm: Algorithm, k: int) -> float:
        """Silhouette of k segments in one cloud, or the largest of those that are known."""
        known = self.silhouettes.get((algorithm.name, k))
        return max(known) if known else next(iter(self._silhouettes(self.gaussian, algorithm, k, 1)))

    def separate(self, algorithm: Algorithm, k: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Silhouettes of k segments in one cloud, and in one with the same lumps, which is empty without any."""
        key, draws = (algorithm.name, k), self.effort.null_draws
        if key not in self.silhouettes:
            self.silhouettes[key] = tuple(self._silhouettes(self.gaussian, algorithm, k, draws))
            lumped = self._silhouettes(self.lumped, algorithm, k, draws) if self.lumped.lumps else ()
            self.lumped_silhouettes[key] = tuple(lumped)
        return self.silhouettes[key], self.lumped_silhouettes[key]

    def compare(self, algorithm: Algorithm, k: int, stability: float, ks: tuple[int, ...]) -> Nulls:
        """Compare k segments and their median stability with shuffled features and clouds.

        Parameters
        ----------
        algorithm : Algorithm
        k : int
        stability : float
        ks : tuple of int
            All numbers of segments: one tree holds them all, so such a method is shuffled once for all.
        """
        key, starts, seed = (algorithm.name, k), self.study.starts, self.study.seed
        gaussian, lumped = self.separate(algorithm, k)
        if key not in self.permuted and algorithm.takes_k:
            ks = ks if algorithm.shares_work else (k,)
            rows, of = some(self.matrices.features, algorithm.resample_rows, seed), self.matrices
            found = self.run(
                delayed(permuted_stability)(
                    rows, of.feature_blocks, of.n_axes, algorithm, ks, starts, (seed, draw), self.effort
                )
                for draw in range(self.effort.null_draws)
            )
            each = zip(ks, zip(*found, strict=True), strict=True)
            self.permuted |= {(algorithm.name, j): values for j, values in each}
        permuted = self.permuted.get(key, ())
        beaten = all(stability > null for null in permuted)
        return Nulls(permuted, beaten, gaussian, lumped)

    def add_lumped(self, nulls: Nulls, algorithm: Algorithm, k: int) -> Nulls:
        """Add how stable k segments of one cloud with the same lumps are; nothing where no feature is lumped."""
        if not self.lumped.lumps:
            return nulls
        rows = min(len(self.matrices.clean), algorithm.resample_rows)
        jobs = (
            delayed(cloud_stability)(
                self.lumped, rows, algorithm, k, self.study.starts, (self.study.seed, draw), self.effort
            )
            for draw in range(self.effort.null_draws)
        )
        return replace(nulls, lumped_stability=tuple(self.run(jobs)))

    def _silhouettes(self, gaussian: Gaussian, algorithm: Algorithm, k: int, draws: int) -> Iterable[float]:
        rows, seed = min(len(self.matrices.clean), self.effort.null_rows), self.study.seed
        return self.run(
            delayed(gaussian_silhouette)(gaussian, rows, algorithm, k, (seed, draw), self.effort)
            for draw in range(draws)
        )
