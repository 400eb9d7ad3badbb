"""Predictive performance of a grouping on held-out customers, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights, effective_size, scale
from analysis.base.workers import map_columns
from analysis.customers.lifetime_value import Estimate

LEVEL = 0.95
"""Of the intervals."""
SCORES = {"auc": "AUC", "r2": "R²"}
"""Name of each score."""
CHANCE = {"auc": 0.5, "r2": 0.0}
"""Score of a grouping that knows nothing."""

CONTACTED = (0.2, 0.4)
"""Shares of customers, the most promising first, of whom it is stated how many with a yes they reach."""

FEWEST, FEWEST_EACH = 100, 20
"""Fewest customers that are scored, and fewest with a yes and with a no. Chosen for this project."""
LEAVES, LEAST_LEAF = 8, 20
"""Most leaves of a tree that is grown for one target, and fewest customers in one. Chosen for this project."""

_BLOCK = 50

Measure = Literal["auc", "r2"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to group n customers.

    Attributes
    ----------
    name, label : str
    codes : ndarray of int, shape (n,)
        Group of each customer, any numbers.
    expected : ndarray, shape (n,), optional
        A model's expectation for each customer, which the groups are bins of.
    features : ndarray, shape (n, p), optional
        What a tree is grown on, for each half that is predicted by the other one; its leaves are then the groups.
    leaves : int
        Most leaves of that tree.
    """

    name: str
    label: str
    codes: NDArray[np.intp]
    expected: Floats | None = None
    features: Floats | None = None
    leaves: int = LEAVES


def estimate(drawn: Floats) -> Estimate:
    """A score and its interval.

    A bootstrap sample holds fewer different customers to learn from, so its scores lie lower; how they vary around
    their own mean is how the score varies.
    """
    value = float(drawn[0])
    low, high = value + np.quantile(drawn[1:] - drawn[1:].mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def held_out_scores(
    values: Floats,
    measure: Measure,
    groupings: Sequence[Grouping],
    rng: np.random.Generator,
    effort: Effort = USERS,
    weights: Weights = None,
) -> Floats:
    """Score groupings on customers that their means were not taken over.

    Each of several random halves is predicted by the means of the other one; a grouping named ``random`` is
    shuffled again each time. The score is the mean over all halves. In a bootstrap sample copies of a customer stay in
    one half, and the means are computed again.

    Parameters
    ----------
    values : ndarray, shape (n,)
        0 and 1 for ``auc``.
    measure : {"auc", "r2"}
        Area under the ROC curve, ties counted half; or one less the squared errors over those of the mean.
    groupings : sequence of Grouping
    rng : Generator
    effort : Effort, optional
        Its halvings and draws of the holdout.
    weights : ndarray, shape (n,), optional
        Of a survey. Scores are then those of the population. Bootstrap samples draw customers in proportion to weights,
        as many as the effective sample size.

    Returns
    -------
    ndarray, shape (groupings, 1 or 1 + len(CONTACTED), 1 + draws)
        The score; for ``auc`` also the shares of all with a yes that are reached by contacting the most promising
        :data:`CONTACTED` of the customers. All customers as they are, then the bootstrap samples. Time grows with
        n x groupings x halvings x draws.
    """
    n, n_halvings, n_draws = len(values), effort.holdout_halvings, effort.holdout_draws
    y = values if measure == "auc" else (values - values.mean()) / values.std()
    halves = np.array([rng.permutation(n) < n // 2 for _ in range(n_halvings)]).astype(np.intp)
    shuffles = [rng.permutation(n) for _ in range(n_halvings)]
    size = n * _BLOCK
    counters = map_columns(lambda grouping: _Counter(grouping, y, halves, shuffles, weights), groupings, size)
    own = np.ones((n, 1)) if weights is None else scale(weights)[:, None]
    scores = np.empty((len(groupings), 1 + len(CONTACTED) * (measure == "auc"), 1 + n_draws))
    scores[:, :, 0] = [c.score(own, measure)[:, 0] for c in counters]
    for start in range(0, n_draws, _BLOCK):
        some = range(start, min(start + _BLOCK, n_draws))
        drawn = np.column_stack([_draw(n, rng, weights) for _ in some]).astype(float)
        found = map_columns(lambda counter, drawn=drawn: counter.score(drawn, measure), counters, size)
        scores[:, :, 1 + some.start : 1 + some.stop] = found
    return scores


def _draw(n: int, rng: np.random.Generator, weights: Weights) -> NDArray[np.intp]:
    """How often each customer is in a bootstrap sample, shape (n,)."""
    if weights is None:
        return np.bincount(rng.integers(0, n, n), minlength=n)
    drawn = rng.choice(n, max(2, round(effective_size(weights))), p=weights / weights.sum())
    return np.bincount(drawn, minlength=n)


class _Counter:
    """Sums of a grouping by halving, half and group, as sparse matrices from the customers."""

    def __init__(
        self,
        grouping: Grouping,
        y: Floats,
        halves: NDArray[np.intp],
        shuffles: list[NDArray[np.intp]],
        weights: Weights = None,
    ) -> None:
        codes = np.unique(grouping.codes, return_inverse=True)[1].astype(np.intp)
        n, n_groups, self.counts = len(y), int(codes.max()) + 1, np.True_
        if grouping.features is not None:
            # A tree for each half that is predicted: a score counts on that half alone.
            how = weights, grouping.leaves
            own = np.array([_grow(grouping.features, y, half != side, *how) for half in halves for side in (0, 1)])
            self.counts = np.tile(np.eye(2, dtype=bool), (len(halves), 1))[:, :, None]
            halves, n_groups = np.repeat(halves, 2, axis=0), grouping.leaves
        elif grouping.name == "random":
            own = np.array([codes[s] for s in shuffles])
        else:
            own = np.tile(codes, (len(halves), 1))
        rows = ((np.arange(len(halves))[:, None] * 2 + halves) * n_groups + own).ravel()
        self.shape = (len(halves), 2, n_groups)
        size, cells = (len(halves) * 2 * n_groups, n), (rows, np.tile(np.arange(n), len(halves)))
        self.moments = [csr_array((np.tile(y**power, len(halves)), cells), shape=size) for power in range(3)]
        known = grouping.expected
        self.expected = None if known is None else np.bincount(codes, known) / np.bincount(codes)

    def score(self, weights: Floats, measure: Measure) -> Floats:
        """Mean figures over the halves under each column of weights, shape (figures, draws) for (n, draws)."""
        count, total, squares = ((m @ weights).reshape(*self.shape, -1) for m in self.moments)
        # Each half is predicted by the other one.
        predicted = self._predict(count[:, ::-1], total[:, ::-1])
        if measure == "auc":
            no = count - total
            right = np.zeros_like(total[:, :, 0])
            for group in range(self.shape[2]):
                ahead = (np.sign(predicted[:, :, group, None] - predicted) + 1) / 2
                right += total[:, :, group] * (ahead * no).sum(axis=2)
            pairs = total.sum(axis=2) * no.sum(axis=2)
            each = np.divide(right, pairs, out=np.full_like(right, np.nan), where=pairs > 0)
        else:
            errors = (squares - 2 * predicted * total + predicted**2 * count).sum(axis=2)
            around = squares.sum(axis=2) - total.sum(axis=2) ** 2 / count.sum(axis=2)
            each = 1 - np.divide(errors, around, out=np.full_like(errors, np.nan), where=around > 1e-9)
        figures = [each, *(_reach(predicted, count, total, part) for part in CONTACTED)] if measure == "auc" else [each]
        # A sample in which a half has one value only says nothing about that half.
        return np.array([np.nanmean(np.where(self.counts, each, np.nan), axis=(0, 1)) for each in figures])

    def _predict(self, count: Floats, total: Floats) -> Floats:
        """Means of the groups, or a line through what a model expects; shape (halvings, 2, groups, draws)."""
        everyone = count.sum(axis=2, keepdims=True)
        mean = total.sum(axis=2, keepdims=True) / everyone
        if self.expected is None:
            return np.where(count > 0, total / np.maximum(count, 1), mean)
        x = self.expected[:, None] - (count * self.expected[:, None]).sum(axis=2, keepdims=True) / everyone
        spread = (count * x**2).sum(axis=2, keepdims=True)
        return mean + x * (total * x).sum(axis=2, keepdims=True) / np.where(spread > 0, spread, 1.0)


def _grow(features: Floats, y: Floats, learnt: NDArray[np.bool_], weights: Weights, leaves: int) -> NDArray[np.intp]:
    """Grow a tree on some customers, and return the leaf of each customer, from 0 on."""
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=LEAST_LEAF, random_state=0)
    own = None if weights is None else weights[learnt]
    ends = tree.fit(features[learnt], y[learnt], sample_weight=own).apply(features)
    return np.unique(ends, return_inverse=True)[1].astype(np.intp)


def _reach(predicted: Floats, count: Floats, total: Floats, part: float) -> Floats:
    """Share of all with a yes among the most promising part of a half, shape (halvings, 2, draws).

    The last group is taken in part, by lot.
    """
    order = np.argsort(-predicted, axis=2, kind="stable")
    people, yes = (np.take_along_axis(each, order, axis=2) for each in (count, total))
    before = people.cumsum(axis=2) - people
    left = part * people.sum(axis=2, keepdims=True) - before
    taken = np.clip(np.divide(left, people, out=np.zeros_like(left), where=people > 0), 0.0, 1.0)
    everyone = yes.sum(axis=2)
    return np.divide((taken * yes).sum(axis=2), everyone, out=np.full_like(everyone, np.nan), where=everyone > 0)
