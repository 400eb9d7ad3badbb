"""k-means from many starts at once, and a search for the best solution.

scikit-learn checks and prepares its input again for each start, which takes longer than the start itself where rows are
few. Here a round of several starts is two matrix products; from the same centres both end at the same solution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.clustering.algorithms.fits import Counts, Matrix

STARTS, SWAPS, PARENTS = 40, 20, 6
"""Starts of the search, swaps of a round of it, and the best solutions in which it swaps."""
SEARCHED_ROWS = 20_000
"""Rows above which the search takes a sample."""
ROUGHLY = 1e-2
"""Squared shift of the centres, as a part of the mean variance of a column, at which the search chooses the starts that
it takes to their end. Chosen for this project."""
SAME = 1e-6
"""Part of its cost by which two solutions differ at most that count as one."""
STILL = 1e-20
"""Squared shift of the centres, as a part of the mean variance of a column, that is rounding alone."""
MOST_ROUNDS = 300
"""Rounds of a start at most, as in scikit-learn."""

_AT_ONCE = 60_000
"""Distances that are computed together, so that they stay in the processor's cache."""


def fit_starts(
    matrix: Matrix, ks: tuple[int, ...], seed: int, starts: int, tolerance: float, weights: Counts | None = None
) -> tuple[Matrix, ...]:
    """Fit k-means for each number of segments and keep the best of the starts.

    The centres that k-means++ draws for the most segments are, as far as they go, those for fewer.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
    ks : tuple of int
    seed, starts : int
    tolerance : float
        A start ends where the squared shift of the centres is at most this part of the mean variance of a column, or
        where no row changes its segment.
    weights : ndarray of int, shape (n,), optional
        How often each row counts.

    Returns
    -------
    tuple of ndarray, shape (k, p)
    """
    # Such fits are compared by whom they put together; single precision takes a third off their time.
    rows = Rows(matrix, weights, np.float32)
    drawn = rows.draw(max(ks, default=1), starts, np.random.default_rng(seed))
    found = []
    for k in ks:
        costs, centres = rows.settle(drawn[:, :k], tolerance)
        found.append(centres[costs.argmin()] + rows.mean)
    return tuple(found)


def search_best(matrix: Matrix, k: int, seed: int, patience: int, weights: Counts | None = None) -> Matrix:
    """Search the k-means solution with the least cost.

    The best of some starts are improved by random swaps (Fränti 2018): one centre goes to a row that lies far from all
    of them. At the end no single row can change its segment for the better (Hartigan and Wong 1979). Where rows are
    many, the search takes a sample of them, and its best solutions settle among all.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
    k, seed : int
    patience : int
        Swaps in a row that improve nothing, after which the search ends.
    weights : ndarray of int, shape (n,), optional

    Returns
    -------
    ndarray, shape (k, p)
    """
    rng = np.random.default_rng(seed)
    rows = Rows(matrix, weights)
    sampled = len(matrix) > SEARCHED_ROWS
    some = rows.sample(SEARCHED_ROWS, rng) if sampled else rows
    costs, centres = _best(*some.settle_promising(some.draw(k, STARTS, rng)))
    idle = 0
    while idle < patience:
        swapped = some.settle_promising(some.swap(centres[np.arange(SWAPS) % len(centres)], rng))
        before = costs[0]
        costs, centres = _best(np.append(costs, swapped[0]), np.append(centres, swapped[1], axis=0))
        idle = 0 if costs[0] < before * (1 - SAME) else idle + SWAPS
    if not sampled:
        return rows.exchange(centres[0]) + rows.mean
    costs, centres = rows.settle(centres + (some.mean - rows.mean))
    return centres[costs.argmin()] + rows.mean


def _best(costs: Matrix, centres: Matrix) -> tuple[Matrix, Matrix]:
    """Give the few best solutions that differ, the best first."""
    order = np.argsort(costs, kind="stable")
    differs = np.append(True, np.diff(costs[order]) > SAME * costs[order][1:])
    order = order[differs][:PARENTS]
    return costs[order], centres[order]


class Rows:
    """Rows to cluster around their mean, prepared once for many starts; centres here are around it, too."""

    def __init__(self, matrix: Matrix, weights: Counts | Matrix | None = None, precision: Any = np.float64) -> None:
        n = len(matrix)
        self.mean = matrix.mean(axis=0)
        self.weights: Matrix = np.asarray(np.ones(n) if weights is None else weights, precision)
        # A column of ones takes in the squares of the centres, and gives the sizes of the segments.
        self.wide: Matrix = np.column_stack([matrix - self.mean, np.ones(n)]).astype(precision)
        self.values = np.ascontiguousarray(self.wide[:, :-1])
        self.tall = np.ascontiguousarray(self.wide.T)
        self.weighted = self.wide if weights is None else self.wide * self.weights[:, None]
        self.squares = (self.values**2).sum(axis=1)
        self.variance = float(matrix.var(axis=0).mean())

    def sample(self, most: int, rng: np.random.Generator) -> Rows:
        """Draw some of the rows."""
        at = np.sort(rng.choice(len(self.values), most, replace=False))
        return Rows(self.values[at] + self.mean, self.weights[at])

    def draw(self, k: int, starts: int, rng: np.random.Generator) -> Matrix:
        """Draw k-means++ centres (Arthur and Vassilvitskii 2007), each the best of some; shape (starts, k, p)."""
        tries = 2 + int(np.log(k))
        at_once = max(1, _AT_ONCE // (tries * len(self.wide)))
        parts = [self._draw(k, min(at_once, starts - i), tries, rng) for i in range(0, starts, at_once)]
        return np.concatenate(parts)

    def _draw(self, k: int, starts: int, tries: int, rng: np.random.Generator) -> Matrix:
        each = np.arange(starts)
        chosen = np.empty((starts, k), dtype=np.intp)
        chosen[:, 0] = _pick(np.tile(self.weights, (starts, 1)), rng.random((starts, 1)))[:, 0]
        nearest = self._apart(chosen[:, :1])[:, 0]
        for j in range(1, k):
            candidates = _pick(nearest * self.weights, rng.random((starts, tries)))
            apart = self._apart(candidates)
            np.minimum(apart, nearest[:, None], out=apart)
            best = (apart @ self.weights).argmin(axis=1)
            chosen[:, j], nearest = candidates[each, best], apart[each, best]
        return self.values[chosen]

    def join_nearest(self, centres: Matrix) -> NDArray[np.bool_]:
        """Which rows are nearest to each centre, shape (starts, k, n); centres are around the mean, as `draw` gives."""
        return _nearest(self._scores(centres))

    def _apart(self, rows: NDArray[np.intp]) -> Matrix:
        """Squared distances of all rows to some, shape (*rows.shape, n)."""
        apart = self._scores(self.values[rows])
        apart *= 2
        apart += self.squares
        return np.maximum(apart, 0, out=apart)

    def _scores(self, centres: Matrix, part: slice = slice(None)) -> Matrix:
        """Half the squared distance of rows to centres, less half the row's square; shape (starts, k, rows)."""
        starts, k, p = centres.shape
        flat = np.empty((starts * k, p + 1), self.wide.dtype)
        flat[:, :p] = centres.reshape(-1, p)
        flat[:, p] = -0.5 * (flat[:, :p] ** 2).sum(axis=1)
        return (-flat @ self.tall[:, part]).reshape(starts, k, -1)

    def settle_promising(self, centres: Matrix) -> tuple[Matrix, Matrix]:
        """Take many starts some rounds far, and settle those that may become the best; as `settle` for these."""
        costs, centres = self.settle(centres, ROUGHLY)
        order = np.argsort(costs, kind="stable")[:PARENTS]
        return self.settle(centres[order])

    def settle(self, centres: Matrix, tolerance: float = 0.0) -> tuple[Matrix, Matrix]:
        """Move centres to the means of the rows nearest to them (Lloyd 1982) until no row changes its segment.

        Parameters
        ----------
        centres : ndarray, shape (starts, k, p)
        tolerance : float

        Returns
        -------
        costs : ndarray, shape (starts,)
            Weighted sums of squared distances.
        centres : ndarray, shape (starts, k, p)
        """
        at_once = max(1, _AT_ONCE // (centres.shape[1] * len(self.wide)))
        parts = [self._settle(centres[i : i + at_once], tolerance) for i in range(0, len(centres), at_once)]
        return np.concatenate([costs for costs, _ in parts]), np.concatenate([found for _, found in parts])

    def _settle(self, centres: Matrix, tolerance: float) -> tuple[Matrix, Matrix]:
        centres = centres.copy()
        going = np.arange(len(centres))
        for _ in range(MOST_ROUNDS):
            sums = self._sums(centres[going])
            for start in np.flatnonzero((sums[..., -1] == 0).any(axis=1)):
                self._fill(centres[going[start]], sums[start])
            moved = np.divide(sums[..., :-1], sums[..., -1:], out=centres[going], where=sums[..., -1:] > 0)
            shift = ((moved - centres[going]) ** 2).sum(axis=(1, 2))
            centres[going] = moved
            # Where no row changes its segment, centres move by rounding at most.
            going = going[shift > max(tolerance, STILL) * self.variance]
            if not len(going):
                break
        return self.costs(centres), centres

    def _sums(self, centres: Matrix) -> Matrix:
        """Sums of the rows nearest to each centre, and their weights in the last column, shape (starts, k, p + 1)."""
        starts, k, p = centres.shape
        sums = np.zeros((starts * k, p + 1), self.wide.dtype)
        for part in self._parts(starts * k):
            inside = _nearest(self._scores(centres, part))
            sums += inside.reshape(starts * k, -1).astype(self.wide.dtype) @ self.weighted[part]
        return sums.reshape(starts, k, p + 1)

    def _parts(self, wide: int) -> list[slice]:
        size = max(_AT_ONCE // wide, 1_000)
        return [slice(i, i + size) for i in range(0, len(self.wide), size)]

    def _fill(self, centres: Matrix, sums: Matrix) -> None:
        """Give each empty segment of a start the row that lies farthest from its centre."""
        scores = self._scores(centres[None])[0]
        member, apart = scores.argmin(axis=0), 2 * scores.min(axis=0) + self.squares
        for j in np.flatnonzero(sums[:, -1] == 0):
            row = int(apart.argmax())
            sums[member[row]] -= self.weighted[row]
            sums[j] += self.weighted[row]
            member[row], apart[row] = j, 0.0

    def costs(self, centres: Matrix) -> Matrix:
        """Weighted sums of squared distances to the nearest centres, shape (starts,)."""
        total = np.full(len(centres), float(self.squares @ self.weights))
        for part in self._parts(centres.shape[0] * centres.shape[1]):
            total += 2 * self._scores(centres, part).min(axis=1) @ self.weights[part]
        return np.maximum(total, 0.0)

    def swap(self, centres: Matrix, rng: np.random.Generator) -> Matrix:
        """Put one centre of each start on a row that is drawn as k-means++ draws; shape (starts, k, p)."""
        swapped = centres.copy()
        for start, old in enumerate(centres):
            apart = np.maximum(2 * self._scores(old[None]).min(axis=1) + self.squares, 0.0)
            row = _pick(apart * self.weights, rng.random((1, 1)))[0, 0]
            swapped[start, rng.integers(len(old))] = self.values[row]
        return swapped

    def exchange(self, centres: Matrix) -> Matrix:
        """Move single rows to another segment while that lowers the cost; shape (k, p)."""
        each: Any = np.arange(len(self.wide))
        for _ in range(MOST_ROUNDS):
            scores = self._scores(centres[None])[0]
            labels = scores.argmin(axis=0)
            sizes: Matrix = np.bincount(labels, self.weights, len(centres)).astype(float)
            apart = np.maximum(2 * scores + self.squares, 0.0)
            # What the cost loses where a row leaves its segment, and gains where it joins another.
            leaves = apart[labels, each] * _ratio(sizes[labels], -self.weights)
            joins = apart * _ratio(sizes[:, None], self.weights)
            joins[labels, each] = np.inf
            saved = leaves - joins.min(axis=0)
            row = int(saved.argmax())
            if saved[row] <= 1e-12 * float(self.squares @ self.weights):
                break
            to, old = int(joins[:, row].argmin()), labels[row]
            moved = centres.copy()
            weight = self.weights[row]
            moved[old] -= (self.values[row] - moved[old]) * weight / (sizes[old] - weight)
            moved[to] += (self.values[row] - moved[to]) * weight / (sizes[to] + weight)
            centres = self.settle(moved[None])[1][0]
        return centres


def _nearest(scores: Matrix) -> NDArray[np.bool_]:
    """Which rows belong to each centre, the first of several as near; shape (starts, k, rows)."""
    inside = np.equal(scores, scores.min(axis=1, keepdims=True))
    if np.count_nonzero(inside) > inside.shape[0] * inside.shape[2]:
        inside &= inside.cumsum(axis=1) == 1
    return inside


def _ratio(sizes: Matrix, change: Matrix) -> Matrix:
    """Size x weight / (size + change), 0 where nothing would be left."""
    after = sizes + change
    return np.divide(sizes * np.abs(change), after, out=np.zeros(np.broadcast(sizes, change).shape), where=after > 0)


def _pick(weights: Matrix, at: Matrix) -> NDArray[np.intp]:
    """Draw rows in proportion to weights, shape (starts, n), by uniform numbers, shape (starts, m)."""
    cumulated = np.cumsum(weights, axis=1, dtype=float)
    found = [np.searchsorted(c, a * c[-1], side="right") for c, a in zip(cumulated, at, strict=True)]
    return np.minimum(np.stack(found), weights.shape[1] - 1)
