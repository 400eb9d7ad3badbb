"""Latent class analysis: classes of customers who answer alike, for answers alone and for answers beside numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from analysis.clustering.algorithms.fits import PUBLISHED, Algorithm, Classes, Counts, Fit, Matrix
from analysis.clustering.algorithms.lloyd import Rows
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
SHORT_ROUNDS, PROMISING = 10, 4
"""Rounds after which the starts of a solution with numbers are compared, and how many of them go on. Chosen for this
project."""

_AT_ONCE = 250_000
"""Probabilities that are computed together, so that memory does not grow with the starts."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers and numbers of customers; where there are answers alone, each pattern once.

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
    values : ndarray, shape (m, r)
        Numbers of each pattern, around their mean.
    number, middle : ndarray, shape (r,)
        The matrix column of each number, and its mean.
    least : ndarray, shape (r,)
        Smallest variance that a number may have within classes.
    """

    given: Matrix
    weights: Matrix
    question: NDArray[np.intp]
    column: NDArray[np.intp]
    slope: Matrix
    offset: Matrix
    values: Matrix
    number: NDArray[np.intp]
    middle: Matrix
    least: Matrix

    @classmethod
    def of(cls, matrix: Matrix, counts: Counts | None, blocks: Blocks, numbers: tuple[int, ...] = ()) -> Answers:
        """Read a matrix, shape (n, p), whose columns have two values or are levels of a category, but for numbers."""
        low, high = matrix.min(axis=0), matrix.max(axis=0)
        within = {j: start for start, stop in blocks for j in range(start, stop)}
        parts = []
        for j in sorted({*range(matrix.shape[1])} - {*numbers}):
            wide = float(high[j] - low[j])
            slope = 1 / wide if wide > 0 else 0.0
            parts.append((within.get(j, j), j, slope, -low[j] * slope))
            if j not in within:
                parts.append((j, j, -slope, 1 + low[j] * slope))
        question, column, slope, offset = (np.array(each) for each in zip(*parts, strict=True))
        given = (offset + slope * matrix[:, column] > 0.5).astype(np.int8)
        weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
        values = matrix[:, list(numbers)]
        if numbers:
            patterns, middle = given, np.average(values, axis=0, weights=weights)
        else:
            patterns, place = np.unique(given, axis=0, return_inverse=True)
            weights = np.bincount(place, weights, minlength=len(patterns)).astype(float)
            values, middle = np.empty((len(patterns), 0)), np.empty(0)
        return cls(
            patterns.astype(float),
            weights,
            question,
            column,
            slope,
            offset,
            values - middle,
            np.array(numbers, dtype=np.intp),
            middle,
            _least_variances(values),
        )


@dataclass(frozen=True, slots=True)
class Solution:
    """Classes, or several solutions of as many classes: then each array has one more first axis.

    Attributes
    ----------
    sizes : ndarray, shape (k,)
        Share of each class.
    shares : ndarray, shape (k, q)
        Share of each answer among those of a class who answer its question.
    means : ndarray, shape (k, r)
        Means of the numbers, around those of everyone.
    variances : ndarray, shape (1, r)
        Their variances within classes, which all classes have in common.
    """

    sizes: Matrix
    shares: Matrix
    means: Matrix
    variances: Matrix

    def pick(self, at: int | slice) -> Solution:
        """Return some of several solutions, or one."""
        return Solution(self.sizes[at], self.shares[at], self.means[at], self.variances[at])


def fit_latent_class(
    matrix: Matrix,
    ks: tuple[int, ...],
    seed: int,
    n_init: int,
    counts: Counts | None = None,
    blocks: Blocks = (),
    numbers: tuple[int, ...] = (),
) -> tuple[Fit, ...]:
    """Fit latent classes, as `Algorithm.fit` says.

    No number of classes above the columns plus one is fitted: the rule by points holds no more of them.

    Parameters
    ----------
    blocks : tuple of (int, int)
        Columns of each category.
    numbers : tuple of int
        Columns that are numbers; all others are answers.
    """
    answers = Answers.of(matrix, counts, blocks, numbers)
    weights = np.ones(len(matrix)) if counts is None else counts.astype(float)
    return tuple(
        _make_fit(matrix, weights, answers, fit_classes(answers, k, seed, n_init))
        for k in ks
        if k <= matrix.shape[1] + 1
    )


def fit_classes(answers: Answers, k: int, seed: int, n_init: int = PUBLISHED, prior: float = PRIOR) -> Solution:
    """Fit k classes by expectation and maximisation.

    Answers and numbers are independent within a class. Answers have shares there, numbers a Gaussian with a mean of its
    own and the variance that all classes have in common, so that the log odds of two classes are linear in all columns.
    """
    published = n_init >= PUBLISHED
    starts = CLASS_STARTS if published else n_init
    rng = np.random.default_rng((seed, k))
    everyone = _share_out((answers.weights @ answers.given)[None, None], answers, np.ones(answers.given.shape[1]), 1e-9)
    if answers.number.size:
        return _search(answers, _draw_groups(answers, k, starts, rng), everyone[0, 0], prior, published)
    likely = answers.weights / answers.weights.sum()
    seeds = rng.choice(len(likely), (starts, k), p=likely)
    shares = (answers.given[seeds] + everyone + 0.1) / 2
    shares /= _of_question(shares, answers)
    none = np.empty((starts, k, 0))
    begun = Solution(np.full((starts, k), 1 / k), shares, none, none[:, :1])
    end = (CONVERGED, MOST_ROUNDS) if published else (ROUGHLY, FEW_ROUNDS)
    solution, found = _climb(answers, begun, everyone[0, 0], prior, end)
    return solution.pick(int(found.argmax()))


def _search(answers: Answers, member: Matrix, everyone: Matrix, prior: float, published: bool) -> Solution:
    """Go on from groups of customers, shape (s, k, m), to the likeliest solution, and leave starts behind on the way.

    A few rounds show which starts are promising (Biernacki, Celeux and Govaert 2003).
    """
    at_once = max(1, _AT_ONCE // member[0].size)
    starts = [
        _maximise(answers, member[first : first + at_once] * answers.weights, everyone, prior)
        for first in range(0, len(member), at_once)
    ]
    ends = [(ROUGHLY, SHORT_ROUNDS), (ROUGHLY, FEW_ROUNDS), (CONVERGED, MOST_ROUNDS)]
    left = [PROMISING if published else 1, 1, 1]
    for end, most in zip(ends if published else ends[:2], left, strict=False):
        reached = [_climb(answers, start, everyone, prior, end) for start in starts]
        each = [(float(found), part.pick(slice(i, i + 1))) for part, all_ in reached for i, found in enumerate(all_)]
        starts = [start for _, start in sorted(each, key=lambda one: -one[0])[:most]]
    return starts[0].pick(0)


def _draw_groups(answers: Answers, k: int, starts: int, rng: np.random.Generator) -> Matrix:
    """Draw groups of customers around some who lie apart, shape (s, k, m), 1 for the group of each.

    Numbers and answers count alike, each by its own spread, as in k-means++ (Arthur and Vassilvitskii 2007).
    """
    columns = np.column_stack([answers.values, answers.given])
    spread = np.sqrt(np.average((columns - np.average(columns, 0, answers.weights)) ** 2, 0, answers.weights))
    rows = Rows(columns / np.where(spread > 0, spread, 1.0), answers.weights)
    return rows.join_nearest(rows.draw(k, starts, rng)).astype(float)


def log_joint(answers: Answers, solution: Solution) -> Matrix:
    """Log of the probability of each class and each pattern together, shape (..., k, m).

    Of the density of numbers the part that no class changes is left out: :func:`_common_density`.
    """
    with np.errstate(divide="ignore"):
        known = np.maximum(np.log(solution.shares), -700.0)
    joint = np.log(solution.sizes)[..., None] + known @ answers.given.T
    if answers.number.size:
        slopes = solution.means / solution.variances
        joint += slopes @ answers.values.T
        joint -= (slopes * solution.means).sum(axis=-1)[..., None] / 2
    return joint


def _common_density(answers: Answers, solution: Solution) -> NDArray[np.float64]:
    """Sum over customers of the log density of numbers that no class changes, shape (...)."""
    squares = answers.weights @ answers.values**2
    each = answers.weights.sum() * np.log(2 * np.pi * solution.variances) + squares / solution.variances
    return -each.sum(axis=(-2, -1)) / 2


def _climb(
    answers: Answers, solution: Solution, everyone: Matrix, prior: float, end: tuple[float, int]
) -> tuple[Solution, NDArray[np.float64]]:
    """Go on from several solutions, and give them with their log likelihoods, shape (s,)."""
    n = answers.weights.sum()
    before = np.full(len(solution.sizes), -np.inf)
    found = before
    for _ in range(end[1]):
        member = log_joint(answers, solution)
        highest = member.max(axis=1, keepdims=True)
        member -= highest
        np.exp(member, out=member)
        total = member.sum(axis=1, keepdims=True)
        found = (highest + np.log(total))[:, 0] @ answers.weights + _common_density(answers, solution)
        member *= answers.weights / total
        solution = _maximise(answers, member, everyone, prior)
        if (found - before <= end[0] * n).all():
            break
        before = found
    return solution, found


def _maximise(answers: Answers, member: Matrix, everyone: Matrix, prior: float) -> Solution:
    """Take sizes, shares, means and variances from customers of each class, shape (s, k, m)."""
    n, k = answers.weights.sum(), member.shape[1]
    counted = member.sum(axis=2)
    shares = _share_out(member @ answers.given, answers, everyone, prior / k)
    # Those who answer as everyone does have the numbers of everyone, too: mean 0, and the squares of all.
    whole = (counted + prior / k)[..., None]
    means = member @ answers.values / whole
    squares = answers.weights @ answers.values**2 * ((n + prior) / n)
    variances = (squares - (whole * means**2).sum(axis=1)) / (n + prior)
    return Solution((counted + prior / k) / (n + prior), shares, means, np.maximum(variances, answers.least)[:, None])


def _least_variances(values: Matrix) -> Matrix:
    """Smallest variance of each number within classes, shape (r,).

    With it the density at a mean, times the usual step between values, is 1: a value of a number with few of them is
    no likelier than an answer can be.
    """
    steps = [np.ptp(column) / max(len(np.unique(column)) - 1, 1) for column in values.T]
    return np.maximum(np.array(steps) ** 2 / (2 * np.pi), 1e-12)


def _share_out(counted: Matrix, answers: Answers, everyone: Matrix, prior: float) -> Matrix:
    """Shares of answers within each question, with so many customers who answer as everyone."""
    counted = counted + prior * everyone
    return counted / np.maximum(_of_question(counted, answers), 1e-300)


def _of_question(counted: Matrix, answers: Answers) -> Matrix:
    """For each answer, shape (..., q), the sum over all answers to its question."""
    same = (answers.question[:, None] == answers.question[None]).astype(float)
    return counted @ same


def _make_fit(matrix: Matrix, weights: Matrix, answers: Answers, solution: Solution) -> Fit:
    logs = np.log(np.maximum(solution.shares, 1e-300))
    pulls = (logs * answers.slope) @ np.eye(matrix.shape[1])[answers.column]
    levels = np.log(solution.sizes) + logs @ answers.offset
    if answers.number.size:
        slopes = solution.means / solution.variances
        pulls[:, answers.number] = slopes
        levels -= slopes @ answers.middle + (slopes * solution.means).sum(axis=1) / 2
    points = _as_nearest(pulls, levels)
    joint = log_joint(answers, solution)
    posterior = softmax(joint, axis=0)
    chance = logsumexp(joint, axis=0)
    k, n, each = len(solution.sizes), answers.weights.sum(), answers.weights
    open_ended, r = len(answers.question) - len(np.unique(answers.question)), len(answers.number)
    parameters = k - 1 + k * (open_ended + r) + r
    lost = -2 * (float(chance @ each) + float(_common_density(answers, solution)))
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
MIXED_CLASS = replace(
    LATENT_CLASS,
    about=(
        "k classes, each with its own share of every answer and its own mean of every number; everyone goes to the "
        "likeliest."
    ),
    resample_rows=2_000,
)
"""The same for answers and numbers together."""
