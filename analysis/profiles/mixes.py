"""Channel and product mixes: how a segment splits a whole, such as its orders or its spending, into parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.weights import Weights
from analysis.clustering.algorithms import Labels
from analysis.features.build import FeatureTable
from analysis.profiles.themes import Trait
from analysis.settings.models import Theme

WHOLE = 0.005
"""How far the mean shares of a partition may sum from one. Threshold chosen for this project."""
EQUAL = 1e-9
"""How close two shares of a customer are called equal."""
WHOLES = {
    "spend": "spend",
    "spending": "spend",
    "sales": "spend",
    "revenue": "spend",
    "orders": "frequency",
    "purchases": "frequency",
}
"""Meaning of the variable that weighs the shares of each whole."""
REST = "other"
BARE = {"catalogue", "catalog", "web", "app", "store", "shop", "website", "phone", "branch", "internet"}
"""Channels that take an article."""


@dataclass(frozen=True, slots=True)
class MixPart:
    """One part of a mix.

    Attributes
    ----------
    variable : str
        Empty for the rest that no variable counts.
    part, link : str
        "wine" and "on"; the link is empty where the part stands alone, as in "online".
    share, everyone : float
        Of the whole, in the segment and over all customers.
    main, main_everyone : float
        Share of customers whose largest part this is.
    """

    variable: str
    part: str
    link: str
    share: float
    everyone: float
    main: float
    main_everyone: float

    @property
    def phrase(self) -> str:
        """The part as it stands in a sentence: "wine", "the catalogue"."""
        return f"the {self.part}" if self.part.casefold() in BARE else self.part

    @property
    def title(self) -> str:
        """The part at the beginning of a sentence."""
        return f"{self.phrase[:1].upper()}{self.phrase[1:]}"


@dataclass(frozen=True, slots=True)
class Mix:
    """A partition of a whole in one segment.

    Attributes
    ----------
    theme : {"channels", "products"}
    whole : str
        "orders" or "spend".
    pooled : bool
        Whether shares are of the segment's whole together; otherwise they are means over customers.
    parts : tuple of MixPart
        The largest of everyone's first; the shares sum to one.
    """

    theme: Theme
    whole: str
    pooled: bool
    parts: tuple[MixPart, ...]

    def largest(self) -> MixPart:
        """Return the segment's largest part."""
        return max(self.parts, key=lambda part: part.share)

    def largest_everywhere(self) -> MixPart:
        """Return everyone's largest part."""
        return max(self.parts, key=lambda part: part.everyone)


def find_mixes(
    table: FeatureTable, labels: Labels, traits: Sequence[Trait], rules: Disclosure
) -> tuple[tuple[Mix, ...], ...]:
    """Find the partitions among the shares of a study and measure them in each segment.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    traits : sequence of Trait
    rules : Disclosure
        A share of customers that stands for fewer than ``min_cell`` is given as 0. Where one customer dominates a part
        of a whole, in a segment or over all, its shares are means over customers.

    Returns
    -------
    tuple of tuple of Mix, length k
        For each segment the channel mix and the product mix, where the study has them.
    """
    found: list[list[Mix]] = [[] for _ in range(int(labels.max()))]
    own = np.ones(len(labels)) if table.weights is None else table.weights
    themes: tuple[Theme, ...] = ("channels", "products")
    for theme in themes:
        for parts in _partitions([t for t in traits if t.meaning == "part" and t.theme == theme], table.frame):
            shares = table.frame[[part.name for part in parts]].to_numpy(float)
            rest = 1 - shares.sum(axis=1)
            if np.nanmean(rest) > WHOLE:
                shares = np.column_stack([shares, rest])
            weights, pooled = _weights(parts[0].whole, traits, table.frame)
            if pooled and _is_dominated(shares * weights[:, None], labels, rules, table.weights):
                weights, pooled = np.ones(len(weights)), False
            for segment, mixes in enumerate(found, start=1):
                inside = np.asarray(labels == segment)
                mixes.append(_measure(theme, parts, (shares, weights, own, pooled), inside, rules.min_cell))
    return tuple(tuple(mixes) for mixes in found)


def _partitions(shares: list[Trait], frame: pd.DataFrame) -> Iterable[list[Trait]]:
    """Group the shares of each whole; a group that sums to more than one is no partition."""
    for whole in dict.fromkeys(trait.whole for trait in shares):
        parts = [trait for trait in shares if trait.whole == whole]
        total = float(frame[[part.name for part in parts]].sum(axis=1, min_count=len(parts)).mean())
        if len(parts) > 1 and total <= 1 + WHOLE:
            yield parts


def _weights(whole: str, traits: Sequence[Trait], frame: pd.DataFrame) -> tuple[NDArray[np.float64], bool]:
    """Return the amount behind each customer's shares, or ones if the study does not have it."""
    meaning = WHOLES.get(whole.casefold())
    amount = next((t.name for t in traits if t.meaning == meaning and not t.variable.categorical), None)
    if amount is None:
        return np.ones(len(frame)), False
    return frame[amount].fillna(0).to_numpy(float), True


def _is_dominated(amounts: NDArray[np.float64], labels: Labels, rules: Disclosure, weights: Weights) -> bool:
    """Return whether one customer makes up too much of what a part comes to, in a segment or over all."""
    groups = (np.ones(len(labels), bool), *(labels == segment for segment in range(1, int(labels.max()) + 1)))
    own = [None if weights is None else weights[rows] for rows in groups]
    each = zip(groups, own, strict=True)
    return rules.public and any(rules.is_dominated(part, part_of) for rows, part_of in each for part in amounts[rows].T)


def _measure(
    theme: Theme,
    parts: Sequence[Trait],
    measured: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], bool],
    inside: NDArray[np.bool_],
    min_cell: int,
) -> Mix:
    shares, weights, own, pooled = measured
    groups = inside, np.ones(len(shares), bool)
    here, everyone = (_pool(shares[rows], weights[rows], own[rows]) for rows in groups)
    main, main_everyone = (_count_main(shares[rows], own[rows], min_cell) for rows in groups)
    names = [(part.name, part.part, part.link) for part in parts] + [("", REST, "")]
    made = [
        MixPart(*names[j], float(here[j]), float(everyone[j]), float(main[j]), float(main_everyone[j]))
        for j in range(shares.shape[1])
    ]
    return Mix(theme, parts[0].whole, pooled, tuple(sorted(made, key=lambda part: (-part.everyone, part.variable))))


def _pool(shares: NDArray[np.float64], weights: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(shares.sum(axis=1))
    weights = np.where(known, weights * own, 0.0)
    if weights.sum() == 0:
        weights = known * own
    return (np.where(known[:, None], shares, 0.0) * weights[:, None]).sum(axis=0) / max(weights.sum(), 1e-300)


def _count_main(shares: NDArray[np.float64], own: NDArray[np.float64], min_cell: int) -> NDArray[np.float64]:
    """Return how often each part is larger than any other, among customers with a known mix."""
    complete = ~np.isnan(shares).any(axis=1)
    known, own = shares[complete], own[complete]
    alone = (known >= known.max(axis=1, keepdims=True, initial=0) - EQUAL).sum(axis=1) == 1
    largest = known[alone].argmax(axis=1)
    counts = np.bincount(largest, minlength=shares.shape[1])
    sums = np.bincount(largest, own[alone], minlength=shares.shape[1])
    return np.where(counts < min_cell, 0.0, sums / max(own.sum(), 1e-300))
