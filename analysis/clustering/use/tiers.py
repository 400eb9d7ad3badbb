"""Tiers: each segment in two halves, by what a customer is worth or by when they last bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.base.formats import in_sentence
from analysis.clustering.holdout import Grouping
from analysis.features.build import FeatureTable, Variable
from analysis.settings.models import Study

TIER_WORDS = {"value": ("lower", "higher"), "recency": ("recent", "earlier")}
"""Names of the two tiers of a segment: up to its cut, and above it."""
PLACE = "_quarto.yml, segmentation.tiers"


@dataclass(frozen=True, slots=True)
class TierRule:
    """What places a customer of a segment in one of its halves.

    Attributes
    ----------
    by : {"value", "recency"}
    variable : str
    cuts : tuple of float, length k
        None where the segment stays whole.
    """

    by: Literal["value", "recency"]
    variable: str
    cuts: tuple[float | None, ...]

    def place(self, values: NDArray[np.float64], labels: NDArray[np.integer]) -> pd.Series:
        """Name the half of each customer, length m; missing where the segment stays whole.

        >>> TierRule("value", "spend", (2.0, None)).place(np.array([1.0, 3.0, 3.0]), np.array([1, 1, 2])).tolist()
        ['lower', 'higher', nan]
        """
        cuts = np.array([np.nan, *(np.nan if cut is None else cut for cut in self.cuts)])[labels]
        names = np.where(is_above(values, cuts, self.by), *reversed(TIER_WORDS[self.by]))
        return pd.Series(names, dtype="str").where(~np.isnan(cuts))


@dataclass(frozen=True, slots=True)
class Tiers:
    """Halves of the segments.

    Attributes
    ----------
    by : {"value", "recency"}
    variable : Variable
        What the segments are cut by.
    cuts : tuple of float, length k
        In its unit: the segment's median as it may be published; None where a half would be too small.
    codes : ndarray of int, shape (n,)
        1 up to the cut of the segment, 2 above it, 0 where the segment is not cut. Customers without a value count as
        of the lower value, or as those who bought earlier.
    """

    by: Literal["value", "recency"]
    variable: Variable
    cuts: tuple[float | None, ...]
    codes: NDArray[np.int8]

    @property
    def label(self) -> str:
        """What the segments are cut by, within a sentence."""
        return in_sentence(self.variable.label)

    @property
    def columns(self) -> frozenset[str]:
        """The variable and the columns that it is made of."""
        return frozenset({self.variable.name, *self.variable.columns})

    @property
    def rule(self) -> TierRule:
        """What places new customers."""
        return TierRule(self.by, self.variable.name, self.cuts)

    def words(self) -> pd.Series:
        """Return the name of each customer's tier, length n; missing where the segment is not cut."""
        return pd.Series(self.codes).map(dict(enumerate(TIER_WORDS[self.by], start=1))).astype("str")


def check_tiers(table: FeatureTable, study: Study) -> None:
    """Refuse tiers by what the study does not have.

    Raises
    ------
    InputError
    """
    if study.tiers != "none":
        _find_variable(table, study)


def find_tiers(table: FeatureTable, labels: NDArray[np.integer], study: Study) -> Tiers | None:
    """Cut each segment at its median; None where the settings ask for no tiers.

    Both halves have ``min_customers`` and ``min_cell`` customers at least, so neither follows from the other and the
    whole.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    study : Study

    Raises
    ------
    InputError
        Where the study has no such variable.
    """
    if study.tiers == "none":
        return None
    variable = _find_variable(table, study)
    values = table.frame[variable.name].to_numpy(float)
    fewest, rules = max(study.min_customers, study.min_cell), Disclosure.of(study)
    cuts: list[float | None] = []
    codes = np.zeros(len(labels), dtype=np.int8)
    for segment in range(1, int(labels.max(initial=0)) + 1):
        inside = labels == segment
        cut = rules.quantile(values[inside], 0.5, None if table.weights is None else table.weights[inside])
        upper = inside & is_above(values, cut, study.tiers)
        fits = min(int(upper.sum()), int((inside & ~upper).sum())) >= fewest
        cuts.append(cut if fits else None)
        if fits:
            codes[inside] = 1
            codes[upper] = 2
    return Tiers(study.tiers, variable, tuple(cuts), codes)


def is_above(values: NDArray[np.float64], cut: float | NDArray[np.float64], by: str) -> NDArray[np.bool_]:
    """Return who is above a cut; customers without a value are, where that means that they never bought.

    >>> is_above(np.array([1.0, 3.0, np.nan]), 2.0, "recency").tolist()
    [False, True, True]
    """
    return (values > cut) | (np.isnan(values) & (by == "recency"))


def group_by_tiers(tiers: Tiers, labels: NDArray[np.integer]) -> Grouping:
    """Return the segments with their tiers as one grouping."""
    return Grouping("tiers", f"Segments in halves by {tiers.label}", labels.astype(np.intp) * 3 + tiers.codes)


def _find_variable(table: FeatureTable, study: Study) -> Variable:
    numbers = {v.name: v for v in table.variables if not v.categorical}
    if study.tiers == "value":
        if study.value is None or study.value not in numbers:
            raise InputError(
                f"{PLACE}: tiers by value need a customer value, and the study names none.",
                "Expected under value: a feature or column that says what a customer is worth.",
                "Set segmentation.value, or set tiers: none.",
            )
        return numbers[study.value]
    wanted = study.proof.recency or "recency_days"
    found = next((v for name, v in numbers.items() if name == wanted or name.endswith(f"_{wanted}")), None)
    if found is None:
        raise InputError(
            f"{PLACE}: tiers by recency need the time since the last purchase, and the study has none.",
            "Expected transactions, or under proof.recency a feature or column with it.",
            "Set segmentation.proof.recency, or set tiers: none.",
        )
    return found
