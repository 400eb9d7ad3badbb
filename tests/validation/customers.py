"""Customers whose groups are known, and customers without groups, by condition and seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import make_moons

from analysis.features.build import FeatureTable, Variable

Numbers = NDArray[np.float64]
Groups = NDArray[np.int64]

REPORTED, TUNED = 7, 1
"""First part of the seeds: of the draws that are reported, and of those that the bounds of the rule were set on."""
KS = tuple(range(2, 9))
"""Numbers of planted segments; draws take them in turn."""
SEVERAL = 100
"""Customers for each planted group; at least :data:`FEWEST` in all, and as many where there are no groups."""
FEWEST = 300


@dataclass(frozen=True, slots=True)
class Customers:
    """One draw.

    Attributes
    ----------
    table : FeatureTable
        n customers.
    truth : ndarray of int, shape (n,)
        Planted group from 0; -1 for an outlier of no group.
    oracle : ndarray of int, shape (n,)
        Group by the parameters that the customers were drawn from.
    """

    table: FeatureTable
    truth: Groups
    oracle: Groups


@dataclass(frozen=True, slots=True)
class Condition:
    """What customers are drawn: ``make`` takes a generator of random numbers and how many groups to plant.

    ``ks`` is empty for customers without groups; ``beyond`` marks groups that no centre describes; ``connected`` marks
    features that hang together without groups, ``levels`` those of which a verdict must not make more than levels of
    one thing or a working split.
    """

    title: str
    about: str
    make: Callable[[np.random.Generator, int], Customers]
    ks: tuple[int, ...] = KS
    beyond: bool = False
    connected: bool = False
    levels: bool = False


def draw_customers(name: str, stream: int, draw: int) -> tuple[Customers, int]:
    """Customers of one draw of a condition, and how many groups were planted (0 for none)."""
    condition = CONDITIONS[name]
    k = condition.ks[draw % len(condition.ks)] if condition.ks else 0
    return condition.make(np.random.default_rng([stream, list(CONDITIONS).index(name), draw]), k), k


def _mixture(  # noqa: PLR0913 - each argument is a way in which groups may be unlike the ideal
    rng: np.random.Generator,
    k: int,
    apart: tuple[float, float] = (4.0, 6.0),
    unequal: bool = False,
    spreads: tuple[float, float] = (1.0, 1.0),
    stretch: float = 1.0,
    tails: int = 0,
    noise: int = 0,
    outliers: float = 0.0,
    items: int = 0,
) -> Customers:
    """Groups around centres; the nearest two lie ``apart`` (from, to) standard deviations within groups.

    Parameters
    ----------
    unequal : bool
        Each group has about 0.6 of the customers of the next larger one.
    spreads : tuple of float
        Standard deviations of the groups, from the tightest to the widest.
    stretch : float
        Variance along the longest direction of a group, with 1 along the shortest.
    tails : int
        Degrees of freedom of Student's t; 0 for a Gaussian.
    noise, items : int
        Features that know nothing of the groups; yes/no answers that do, and as many columns of a category.
    outliers : float
        Share of customers anywhere in a box three times as wide.
    """
    n, p = max(FEWEST, SEVERAL * k), int(rng.integers(4, 7))
    truth = np.repeat(np.arange(k), _sizes(n, k, unequal))
    s = rng.permutation(np.linspace(*spreads, k))
    turn, _ = np.linalg.qr(rng.normal(size=(p, p)))
    shape = turn * np.sqrt(np.linspace(1, stretch, p))
    whiten = np.linalg.inv(shape).T
    centres = max((rng.normal(size=(k, p)) for _ in range(50)), key=lambda c: _least(c @ whiten, s))
    centres *= rng.uniform(*apart) / _least(centres @ whiten, s)
    scatter = rng.normal(size=(n, p))
    if tails:
        scatter *= np.sqrt((tails - 2) / rng.chisquare(tails, n))[:, None]
    points = centres[truth] + (s[truth, None] * scatter) @ shape.T
    far = (((points @ whiten)[:, None] - (centres @ whiten)[None]) ** 2).sum(axis=2)
    likely = np.log(np.bincount(truth)) - p * np.log(s) - far / (2 * s**2)
    columns = {f"x{j + 1}": points[:, j] for j in range(p)}
    yes_no: dict[str, Numbers] = {}
    if items:
        rates = rng.permuted(np.tile(np.where(np.arange(k) < (k + 1) // 2, 0.9, 0.1), (items, 1)), axis=1).T
        answers = rng.random((n, items)) < rates[truth]
        likely += answers @ np.log(rates).T + ~answers @ np.log1p(-rates).T
        usual = rng.permutation(np.arange(k) % items)
        level = np.where(rng.random(n) < 0.8, usual[truth], rng.integers(0, items, n))
        likely += np.log(0.8 * (level[:, None] == usual) + 0.2 / items)
        yes_no |= {f"answer{j + 1}": answers[:, j].astype(float) for j in range(items)}
        yes_no |= {f"is{j + 1}": (level == j).astype(float) for j in range(items)}
    for j in range(noise):
        columns[f"noise{j + 1}"] = rng.normal(size=n)
    oracle = likely.argmax(axis=1)
    if outliers:
        astray = rng.choice(n, round(outliers * n), replace=False)
        middle, reach = np.median(points, axis=0), 1.5 * np.ptp(points, axis=0)
        for j, x in enumerate(rng.uniform(middle - reach, middle + reach, (len(astray), p)).T):
            columns[f"x{j + 1}"][astray] = x
        truth[astray] = -1
    return Customers(_table(columns, yes_no), truth, oracle)


def _sizes(n: int, k: int, unequal: bool) -> Groups:
    """Customers of each group; the smallest has at least 45."""
    weights = 0.6 ** np.arange(k) if unequal else np.ones(k)
    sizes = np.floor(45 + (n - 45 * k) * weights / weights.sum()).astype(np.int64)
    sizes[0] += n - sizes.sum()
    return sizes


def _least(centres: Numbers, spreads: Numbers) -> float:
    """Smallest distance of two centres, in mean standard deviations of the two groups."""
    first, second = np.triu_indices(len(centres), 1)
    apart = np.sqrt(((centres[first] - centres[second]) ** 2).sum(axis=1))
    return float((2 * apart / (spreads[first] + spreads[second])).min())


def _shapes(rng: np.random.Generator, k: int) -> Customers:
    """Two rings around one centre, or two half-moons, by the toss of a coin."""
    n = 400
    if rng.random() < 0.5:
        truth = np.repeat([0, 1], n // 2)
        angle, radius = rng.uniform(0, 2 * np.pi, n), np.array([1.0, 3.0])[truth] + rng.normal(0, 0.15, n)
        points = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
        oracle = (np.abs(radius) > 2).astype(np.int64)
    else:
        points, truth = make_moons(n, noise=0.07, random_state=int(rng.integers(2**31)))
        curve, side = make_moons(n, noise=None, random_state=0)
        oracle = side[((points[:, None] - curve[None]) ** 2).sum(axis=2).argmin(axis=1)]
    return Customers(_table({"x1": points[:, 0], "x2": points[:, 1]}, {}), truth, oracle)


def _without_groups(kind: str) -> Callable[[np.random.Generator, int], Customers]:
    def make(rng: np.random.Generator, k: int) -> Customers:
        n, p = FEWEST, 4
        points = rng.uniform(size=(n, p)) if kind == "uniform" else rng.normal(size=(n, p))
        if kind == "correlated":
            points = _stretched(rng, points)
        if kind == "lognormal":
            points = np.exp(points)
        return _nobody({f"x{j + 1}": points[:, j] for j in range(p)}, {})

    return make


def _stretched(rng: np.random.Generator, points: Numbers) -> Numbers:
    p = points.shape[1]
    turn, _ = np.linalg.qr(rng.normal(size=(p, p)))
    return points @ (turn * np.sqrt(np.geomspace(0.1, 2, p))).T


def _one_thing(rng: np.random.Generator, k: int) -> Customers:
    """Four amounts that grow with one thing, which few have much of."""
    thing = rng.gamma(2.0, size=FEWEST)
    columns = {f"x{j + 1}": 10 * thing * np.exp(rng.normal(0, 0.25, FEWEST)) for j in range(4)}
    return _nobody(columns, {})


def _zeros(rng: np.random.Generator, k: int) -> Customers:
    """Four amounts, each zero for 30 to 70 % of customers, the more often the less active a customer is."""
    active, pull = rng.normal(size=FEWEST), rng.uniform(0, 1)
    columns = {}
    for j in range(4):
        own, size = (pull * active + np.sqrt(1 - pull**2) * rng.normal(size=FEWEST) for _ in range(2))
        columns[f"x{j + 1}"] = np.where(own > np.quantile(own, rng.uniform(0.3, 0.7)), np.exp(2 + size), 0.0)
    return _nobody(columns, {})


def _answers(rng: np.random.Generator, k: int) -> Customers:
    """Six yes/no answers, all the more often yes the more of one trait a customer has."""
    trait, pull = rng.normal(size=FEWEST), rng.uniform(0, 0.8)
    answers = {}
    for j in range(6):
        own = pull * trait + np.sqrt(1 - pull**2) * rng.normal(size=FEWEST)
        answers[f"answer{j + 1}"] = (own > np.quantile(own, rng.uniform(0.3, 0.7))).astype(float)
    return _nobody({}, answers)


def _dominant(rng: np.random.Generator, k: int) -> Customers:
    """One yes/no answer beside three correlated numbers that know nothing of it."""
    points = _stretched(rng, rng.normal(size=(FEWEST, 3)))
    answer = (rng.random(FEWEST) < rng.uniform(0.3, 0.7)).astype(float)
    return _nobody({f"x{j + 1}": points[:, j] for j in range(3)}, {"answer": answer})


def _nobody(numbers: dict[str, Numbers], yes_no: dict[str, Numbers]) -> Customers:
    alone = np.zeros(FEWEST, dtype=np.int64)
    return Customers(_table(numbers, yes_no), alone, alone)


def _table(numbers: dict[str, Numbers], yes_no: dict[str, Numbers]) -> FeatureTable:
    columns = numbers | yes_no
    variables = tuple(
        Variable(
            name, name, "yes_no" if name in yes_no else "number", "feature", name, (name,), "", "", "", "auto", False
        )
        for name in columns
    )
    return FeatureTable(pd.DataFrame(columns), variables)


def _planted(**settings: object) -> Callable[[np.random.Generator, int], Customers]:
    return lambda rng, k: _mixture(rng, k, **settings)


CONDITIONS = {
    "spherical": Condition("Equal round groups", "as many customers in each, spread alike everywhere", _planted()),
    "sizes": Condition(
        "Unequal sizes", "each group about 0.6 times as large as the next larger", _planted(unequal=True)
    ),
    "spreads": Condition(
        "Unequal spreads", "the widest group spreads three times as far as the tightest", _planted(spreads=(0.5, 1.5))
    ),
    "noise": Condition("Noise features", "three more features that know nothing of the groups", _planted(noise=3)),
    "correlated": Condition(
        "Correlated features", "groups two and a half times as long as wide, in any direction", _planted(stretch=6.0)
    ),
    "mixed": Condition(
        "Mixed types", "three yes/no answers and a category of three levels beside the numbers", _planted(items=3)
    ),
    "tails": Condition(
        "Heavy tails",
        "distances within groups follow Student's t with 4 degrees of freedom",
        _planted(tails=4, apart=(5.0, 7.0)),
    ),
    "outliers": Condition("Outliers", "four in a hundred customers lie anywhere, far out", _planted(outliers=0.04)),
    "shapes": Condition(
        "Rings and half-moons", "groups that no centre describes: one around the other", _shapes, (2,), beyond=True
    ),
    "uniform": Condition("Evenly spread", "every value as likely as any other", _without_groups("uniform"), ()),
    "gaussian": Condition("One cloud", "independent normal features", _without_groups("gaussian"), ()),
    "lognormal": Condition("One skewed cloud", "independent log-normal features", _without_groups("lognormal"), ()),
    "continuum": Condition(
        "One stretched cloud", "correlated normal features", _without_groups("correlated"), (), connected=True
    ),
    "factor": Condition(
        "One skewed thing", "four amounts that grow with one thing, which few have much of", _one_thing, (), levels=True
    ),
    "zeros": Condition(
        "Many zeros", "four amounts, zero for 30 to 70 % of customers, more or less correlated", _zeros, (), levels=True
    ),
    "answers": Condition("Yes/no answers", "six answers that share one trait, more or less", _answers, (), levels=True),
    "dominant": Condition(
        "One dominant answer", "a yes/no answer beside three correlated numbers", _dominant, (), levels=True
    ),
}
"""The conditions by name; a new one goes to the end, so that the seeds of the others stay."""
