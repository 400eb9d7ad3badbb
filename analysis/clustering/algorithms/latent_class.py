"""Latent class analysis: classes of customers who answer alike, for yes/no answers and categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from analysis.clustering.algorithms.fits import PUBLISHED, Algorithm, Classes, Counts, Fit, Matrix
from analysis.features.prepare import Blocks

CLASS_STARTS = 20
"""Starts of a published solution, as many different ones end in likelihoods that differ (Linzer and Lewis 2011)."""
PRIOR = 1.0
"""Customers who answer as everyone does, shared out among the classes, so that no share is 0 or 1 (Vermunt and Magidson
2005)."""
CONVERGED, MOST_ROUNDS = 1e-7, 500
"""Gain of the mean log likelihood in a round at which a solution has settled, and rounds at most."""
ROUGHLY, FEW_ROUNDS = 1e-5, 100
"""The same of a resampled solution, which is compared by whom it puts together. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of customers, each pattern once.

    Attributes
    ----------
    given : ndarray of 0 and 1, shape (m, q)
        Which of the q answers each of m patterns has; a question that it leaves open has none.
    weights : ndarray, shape (m,)
        Customers of each pattern.
    question : ndarray of int, shape (q,)
        The question of each answer.
    column, slope, offset : ndarray, shape (q,)
        The matrix column that an answer is a linear function of: ``offset + slope * value`` is 1 where it is given,
        else 0.
    """

    given: Matrix
    weights: Matrix
    question: NDArray[np.intp]
    column: NDArray[np.intp]
    slope: Matrix
    offset: Matrix

    @classmethod
    def of(cls, matrix: Matrix, counts: Counts | None, blocks: Blocks) -> Answers:
        """Read answers of a matrix, shape (n, p), whose columns have two values or are levels of a category."""
        low, high = matrix.min(axis=0), matrix.max(axis=0)
        within = {j: start for start, stop in blocks for j in range(start, stop)}
        parts = []
        for j in range(matrix.shape[1]):
            wide = float(high[j] - low[j])
            slope = 1 / wide if wide > 0 else 0.0
            parts.append((within.get(j, j), j, slope, -low[j] * slope))
            if j not in within:
                parts.append((j, j, -slope, 1 + low[j] * slope))
        question, column, slope, offset = (np.array(each) for each in zip(*parts, strict=True))
        given = (offset + slope * matrix[:, column] > 0.5).astype(np.int8)
        patterns, place = np.unique(given, axis=0, return_inverse=True)
        weights = np.bincount(place, counts, minlength=len(patterns)).astype(float)
        return cls(patterns.astype(float), weights, question, column, slope, offset)


def fit_latent_class(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None, blocks: Blocks = ()
) -> tuple[Fit, ...]:
    """Fit latent classes, as `Algorithm.fit` says; ``blocks`` are the columns of each category.

    No number of classes above the columns plus one is fitted: the rule by points holds no more of them.
    """
    answers = Answers.of(matrix, counts, blocks)
    weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
    return tuple(
        _make_fit(matrix, weights, answers, *fit_classes(answers, k, seed, n_init))
        for k in ks
        if k <= matrix.shape[1] + 1
    )


def fit_classes(
    answers: Answers, k: int, seed: int, n_init: int = PUBLISHED, prior: float = PRIOR
) -> tuple[Matrix, Matrix]:
    """Fit k classes by expectation and maximisation.

    Returns
    -------
    sizes : ndarray, shape (k,)
        Share of each class.
    shares : ndarray, shape (k, q)
        Share of each answer among those of a class who answer its question.
    """
    published = n_init >= PUBLISHED
    starts = CLASS_STARTS if published else n_init
    rng = np.random.default_rng((seed, k))
    likely = answers.weights / answers.weights.sum()
    seeds = rng.choice(len(likely), (starts, k), p=likely)
    everyone = _share_out((answers.weights @ answers.given)[None, None], answers, np.ones(answers.given.shape[1]), 1e-9)
    shares = (answers.given[seeds] + everyone + 0.1) / 2
    shares /= _of_question(shares, answers)
    sizes = np.full((starts, k), 1 / k)
    end = (CONVERGED, MOST_ROUNDS) if published else (ROUGHLY, FEW_ROUNDS)
    sizes, shares, found = _climb(answers, sizes, shares, everyone[0, 0], prior, end)
    best = int(found.argmax())
    return sizes[best], shares[best]


def log_joint(answers: Answers, sizes: Matrix, shares: Matrix) -> Matrix:
    """Log of the probability of each class and each pattern together, shape (..., k, m)."""
    with np.errstate(divide="ignore"):
        known = np.maximum(np.log(shares), -700.0)
    return np.log(sizes)[..., None] + known @ answers.given.T


def _climb(
    answers: Answers, sizes: Matrix, shares: Matrix, everyone: Matrix, prior: float, end: tuple[float, int]
) -> tuple[Matrix, Matrix, NDArray[np.float64]]:
    """Go on from several solutions, (s, k) and (s, k, q), and give them with their log likelihoods, shape (s,)."""
    n = answers.weights.sum()
    before = np.full(len(sizes), -np.inf)
    found = before
    for _ in range(end[1]):
        joint = log_joint(answers, sizes, shares)
        highest = joint.max(axis=1, keepdims=True)
        member = np.exp(joint - highest)
        total = member.sum(axis=1, keepdims=True)
        found = (highest + np.log(total))[:, 0] @ answers.weights
        member *= answers.weights / total
        sizes = (member.sum(axis=2) + prior / sizes.shape[1]) / (n + prior)
        shares = _share_out(member @ answers.given, answers, everyone, prior / sizes.shape[1])
        if (found - before <= end[0] * n).all():
            break
        before = found
    return sizes, shares, found


def _share_out(counted: Matrix, answers: Answers, everyone: Matrix, prior: float) -> Matrix:
    """Shares of answers within each question, with so many customers who answer as everyone."""
    counted = counted + prior * everyone
    return counted / np.maximum(_of_question(counted, answers), 1e-300)


def _of_question(counted: Matrix, answers: Answers) -> Matrix:
    """For each answer, shape (..., q), the sum over all answers to its question."""
    same = (answers.question[:, None] == answers.question[None]).astype(float)
    return counted @ same


def _make_fit(matrix: Matrix, weights: Matrix, answers: Answers, sizes: Matrix, shares: Matrix) -> Fit:
    logs = np.log(np.maximum(shares, 1e-300))
    pulls = (logs * answers.slope) @ np.eye(matrix.shape[1])[answers.column]
    levels = np.log(sizes) + logs @ answers.offset
    points = _as_nearest(pulls, levels)
    joint = log_joint(answers, sizes, shares)
    posterior = softmax(joint, axis=0)
    chance = logsumexp(joint, axis=0)
    k, n, each = len(sizes), answers.weights.sum(), answers.weights
    open_ended = len(answers.question) - len(np.unique(answers.question))
    parameters = k - 1 + k * open_ended
    lost = -2 * float(chance @ each)
    unsure = -(posterior * np.log(np.maximum(posterior, 1e-300))).sum(axis=0) @ each
    classes = Classes(
        points,
        lost + 3 * parameters,
        float(1 - unsure / (n * np.log(k))) if k > 1 else 1.0,
        float(1 - posterior.max(axis=0) @ each / n),
    )
    labels = Fit(points).assign(matrix)
    own = [(matrix[labels == j], weights[labels == j]) for j in range(1, k + 1)]
    means = [np.average(rows, axis=0, weights=of) if of.sum() else matrix.mean(axis=0) for rows, of in own]
    return Fit(np.array(means), bic=lost + parameters * float(np.log(n)), classes=classes)


def _as_nearest(pulls: Matrix, levels: Matrix) -> Matrix:
    """Points, shape (k, p), the nearest of which is the likeliest class of every customer.

    The log joint probability of class j is ``levels[j] + pulls[j] @ x``. Adding one vector to all pulls changes no
    comparison of classes; the one that is added makes the squared length of each point, which a distance takes into
    account, what the level asks for. Half the difference of two squared distances is then that of log probabilities.
    """
    squared = (pulls**2).sum(axis=1)
    wanted = -(levels - levels[0]) - (squared - squared[0]) / 2
    shift = np.linalg.lstsq(pulls - pulls[0], wanted, rcond=None)[0]
    return pulls + shift


LATENT_CLASS = Algorithm(
    name="latent_class",
    title="latent class analysis",
    about="k classes that answer alike, each with its own share of every answer; everyone goes to the likeliest.",
    places="to the likeliest class",
    cost="grows with n",
    fit=fit_latent_class,
    takes_k=True,
    simplicity=2,
    resample_rows=5_000,
)
