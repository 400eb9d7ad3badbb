"""Last step of every number into the report: counts and shares of customers are rounded here, whoever computed them.

Means, quantiles, totals and shares of value are rounded where they are computed, so that texts state the same numbers:
all by the rules of :mod:`analysis.base.disclosure`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from analysis.base.disclosure import COUNT_STEP, Disclosure

T = TypeVar("T")

COUNTS = {
    "Bar": ("n",),
    "Before": ("n",),
    "Card": ("n_read", "n_excluded"),
    "Cell": ("n",),
    "ChosenForUse": ("n",),
    "ColumnSummary": ("missing", "outliers"),
    "DataInfo": ("missing_cells", "duplicates", "duplicate_rows"),
    "ExpectedSpend": ("n_customers", "n_repeaters"),
    "Flow": ("n",),
    "LedgerLine": ("rows_in", "touched", "rows_out"),
    "MapBin": ("n",),
    "MissingPattern": ("n",),
    "Multiverse": ("rows",),
    "Report": ("unassigned", "held"),
    "SampleInfo": ("n",),
    "Segment": ("n",),
    "SegmentChange": ("n_then",),
    "SourceSummary": ("rows", "unknown", "without"),
    "Step": ("imputed",),
    "StudyInfo": ("n_customers", "n_core"),
    "Summary": ("n",),
    "Target": ("n", "n_yes"),
    "Tier": ("n",),
    "Usefulness": ("n_known",),
    "Weighting": ("n_effective", "segments"),
}
"""Fields that count customers or their rows, by class."""
SHARES = {
    "CandidateEvidence": ("smallest_share", "unassigned_share"),
    "Gorge": ("shares",),
    "Level": ("shares", "origins"),
    "MixPart": ("share", "everyone", "main", "main_everyone"),
    "Neighbour": ("smallest_share",),
    "Descriptor": ("base", "hit"),
    "RfmCell": ("share",),
    "Tier": ("share", "value_share"),
    "Shapes": ("inside_share",),
    "RfmGrid": ("no_purchase",),
}
"""Fields that are shares of customers or of what they spend, by class."""
DIGITS = 3
"""Significant digits of a number that many customers determine together, such as a silhouette. Chosen for this
project."""
MEASURES = {
    "CandidateEvidence": (
        *("wcss", "silhouette", "silhouette_se", "calinski_harabasz", "davies_bouldin", "gap", "gap_se"),
        *("prediction_strength", "bic", "slsw", "own_slsw", "score"),
    ),
    "CategoryProfile": ("lifts", "residuals"),
    "Check": ("value", "bound"),
    "Contrast": ("effect", "p"),
    "Descriptor": ("strength",),
    "Estimate": ("value", "low", "high"),
    "Group": ("least",),
    "Neighbour": ("difference", "agreement", "stability", "silhouette"),
    "Nulls": ("permuted", "gaussian", "lumped", "lumped_stability"),
    "Reach": ("quantiles", "radius"),
    "Relations": ("rows",),
    "SampleInfo": ("agreement",),
    "Segment": ("slsw", "silhouette", "shadow"),
    "SegmentEvidence": ("slsw", "silhouette", "shadow"),
    "Shapes": ("gap", "by_centre", "by_segments"),
    "Stability": ("median", "q1", "q3", "p5", "p95"),
    "Tied": ("stability", "score", "use"),
    "Tree": ("links", "cut"),
}
"""Fields with such numbers, by class."""
CODED = {"Reach": ("shares",)}
"""Fields that are shares of groups by a protected attribute, by class."""
DISTINCT = {"ColumnSummary": ("distinct",)}
"""Fields that count different values: few tell nothing of a customer, many do."""
MOST_LEVELS = 10 * COUNT_STEP
"""Different values up to which their number is stated exactly."""


def publish(part: T, rules: Disclosure) -> T:
    """Return a part of the report with its counts and shares of customers as they may be published.

    Parameters
    ----------
    part : dataclass, tuple, dict or scalar
    rules : Disclosure

    Examples
    --------
    >>> from analysis.features.binning import Bar
    >>> publish((Bar("North", None, None, 123),), Disclosure())
    (Bar(label='North', low=None, high=None, n=125),)
    """
    if isinstance(part, (tuple, dict)) or is_dataclass(part):
        return _publish(part, rules)
    return part


def _publish(part: Any, rules: Disclosure) -> Any:
    if isinstance(part, tuple):
        return tuple(_publish(item, rules) for item in part)
    if isinstance(part, dict):
        return {key: _publish(item, rules) for key, item in part.items()}
    if not is_dataclass(part) or isinstance(part, type):
        return part
    name, changed = type(part).__name__, {}
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in COUNTS.get(name, ()):
            changed[field.name] = _round_shares(value, rules.count)
        elif field.name in SHARES.get(name, ()):
            changed[field.name] = _round_shares(value, rules.share)
        elif field.name in MEASURES.get(name, ()) and rules.public:
            changed[field.name] = _round_shares(value, _round_measure)
        elif field.name in CODED.get(name, ()):
            changed[field.name] = _round_shares(value, rules.sensitive_share)
        elif field.name in DISTINCT.get(name, ()):
            changed[field.name] = rules.count(value) if value > MOST_LEVELS else value
        elif (made := _publish(value, rules)) is not value:
            changed[field.name] = made
    return replace(part, **changed) if changed else part


def _round_measure(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")


def _round_shares(value: Any, rounded: Callable[[Any], float]) -> Any:
    if isinstance(value, tuple):
        return tuple(_round_shares(item, rounded) for item in value)
    return None if value is None else rounded(value)
