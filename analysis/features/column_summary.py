"""Summaries of the input columns and of missing values, safe to publish."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.customers.cleaning import Cleaned
from analysis.features.binning import LEVELS, Bar, histogram, level_bars, month_bars, round_bars
from analysis.features.prepare import OUTLIER_Z, robust_z
from analysis.features.provenance import without_few, without_values
from analysis.settings.sources import Source
from analysis.sources.tables import RawTable

MOST_PATTERNS = 12
"""Combinations of missing columns that are shown. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column of the source as it was read.

    ``p1`` to ``p99`` are in the column's own unit; each is None where fewer than ``min_cell`` customers lie beyond
    it, and for all but numbers. ``outliers`` counts values with a robust z above
    :data:`~analysis.features.prepare.OUTLIER_Z`. ``bars`` are empty for keys, ignored columns and free text, and
    ``rounded`` to multiples of ``min_cell`` where their sum would tell how many, fewer than that, have no value.
    """

    name: str
    label: str
    type: str
    role: str
    note: str
    missing: int
    distinct: int
    p1: float | None
    p10: float | None
    median: float | None
    p90: float | None
    p99: float | None
    skewness: float | None
    outliers: int | None
    bars: tuple[Bar, ...]
    rounded: bool


@dataclass(frozen=True, slots=True)
class MissingPattern:
    """Customers who lack a value in exactly these groups of columns (places in ``Missingness.groups``)."""

    groups: tuple[int, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Missingness:
    """Which columns are missing together.

    Attributes
    ----------
    groups : tuple of tuple of str
        Labels of the columns that are always missing together.
    patterns : tuple of MissingPattern
        The commonest first; each of at least ``min_cell`` customers. What any column lacks beyond them is nothing
        or stands for at least ``min_cell``.
    others : bool
        Whether there are patterns that are not shown.
    """

    groups: tuple[tuple[str, ...], ...]
    patterns: tuple[MissingPattern, ...]
    others: bool


def summarise_columns(
    raw: RawTable, cleaned: Cleaned, source: Source, rules: Disclosure, reasons: Mapping[str, str] | None = None
) -> tuple[ColumnSummary, ...]:
    """Summarise each column; no level, bin or quantile stands for fewer than ``min_cell`` customers."""
    min_cell = rules.min_cell
    roles = {
        column: role
        for role in ("feature", "descriptor", "outcome", "ignore")
        for column in getattr(source.roles, role)
    } | ({source.weight: "weight"} if source.weight else {})
    summaries = []
    for column in raw.columns:
        values = cleaned.frame[column.name]
        if column.name == source.key:
            role, kind = "key", "key"
        else:
            role = roles.get(column.name, "constant" if column.name in cleaned.constants else "in formulas")
            kind = column.type
        private = role in {"key", "ignore"} or kind == "text"
        numeric = kind in {"number", "boolean"} and not private
        known = pd.to_numeric(values, errors="coerce").dropna().to_numpy(float) if numeric else np.array([])
        if np.isin(known, (0.0, 1.0)).all():
            p1, p10, median, p90, p99 = [None] * 5
            skewness = outliers = None
        else:
            p1, p10, median, p90, p99 = _quantiles(known, (0.01, 0.1, 0.5, 0.9, 0.99), rules)
            skewness = _skewness(known) if median is not None else None
            skewness = round(skewness, 1) if rules.public and skewness is not None else skewness
            outliers = int((robust_z(known[:, None]) > OUTLIER_Z).sum()) if median is not None else None
            kind = "year" if _are_years(known, f"{column.name} {source.labels.get(column.name, '')}") else kind
        if private or kind == "date":
            bars = month_bars(values, None, min_cell) if kind == "date" and not private else ()
        elif numeric and column.n_distinct > LEVELS:
            bars = histogram(known, min_cell)
        else:
            bars = level_bars(values, min_cell)
        unknown = len(values) - sum(bar.n for bar in bars)
        rounded = bool(bars) and any(0 < few < min_cell for few in (unknown, unknown - column.n_missing))
        summaries.append(
            ColumnSummary(
                column.name,
                source.labels.get(column.name, column.name),
                kind,
                role,
                _joined(_public(column.note, min_cell), reasons, column.name),
                column.n_missing,
                column.n_distinct,
                p1,
                p10,
                median,
                p90,
                p99,
                skewness,
                outliers,
                round_bars(bars, min_cell) if rounded else bars,
                rounded,
            )
        )
    return tuple(summaries)


def find_missing_together(raw: RawTable, source: Source, min_cell: int) -> Missingness:
    """Find which columns lack a value for the same customers; ignored and empty columns are left out.

    O(n p) and a sort of the n rows.
    """
    columns = [c for c in raw.columns if c.name != source.key and c.name not in source.roles.ignore]
    gone = raw.frame[[c.name for c in columns]].isna().to_numpy()
    lacking = np.asarray(gone.any(axis=0) & ~gone.all(axis=0))
    if not lacking.any():
        return Missingness((), (), False)
    labels = [source.labels.get(c.name, c.name) for c in columns]
    alike: dict[bytes, list[int]] = {}
    for at in np.flatnonzero(lacking):
        alike.setdefault(np.packbits(gone[:, at]).tobytes(), []).append(int(at))
    columns_of = list(alike.values())
    names = [tuple(labels[at] for at in group) for group in columns_of]
    masks = gone[:, [group[0] for group in columns_of]]
    missing_patterns, counts = _count_patterns(masks[masks.any(axis=1)])
    order = np.argsort(-counts, kind="stable")
    shown = [i for i in order[:MOST_PATTERNS] if counts[i] >= min_cell]
    totals = counts @ missing_patterns
    while shown:
        left = totals - counts[shown] @ missing_patterns[shown]
        few = (left > 0) & (left < min_cell) & (totals >= min_cell)
        if not few.any():
            break
        shown.remove(max(shown, key=lambda i: (int(missing_patterns[i][few].sum()), -counts[i])))
    used = np.flatnonzero(missing_patterns[shown].any(axis=0))
    place = {int(g): i for i, g in enumerate(used)}
    patterns = tuple(
        MissingPattern(tuple(place[int(g)] for g in np.flatnonzero(missing_patterns[i])), int(counts[i])) for i in shown
    )
    return Missingness(tuple(names[g] for g in used), patterns, len(shown) < len(counts))


def _count_patterns(masks: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Count how often each row of masks occurs; the different rows in ascending order."""
    packed = pd.DataFrame(np.packbits(masks, axis=1))
    counted = packed.groupby(list(packed.columns), sort=True).size()
    rows = np.array(list(counted.index), dtype=np.uint8).reshape(len(counted), -1)
    different: NDArray[np.bool_] = np.unpackbits(rows, axis=1, count=masks.shape[1]).astype(bool)
    return different, np.asarray(counted, np.int64)


def _skewness(values: NDArray[np.float64]) -> float | None:
    """Adjusted skewness; None where the numbers are too large or too few for it."""
    with np.errstate(over="ignore", invalid="ignore"):
        skewness = float(np.asarray(pd.Series(values).skew()))
    return skewness if np.isfinite(skewness) else None


def _quantiles(known: np.ndarray, qs: tuple[float, ...], rules: Disclosure) -> list[float | None]:
    """Quantiles with ``min_cell`` values or more beyond each, else None."""
    beyond = [round(len(known) * min(q, 1 - q), 6) for q in qs]
    found = rules.quantiles(known, qs)
    return [each if n >= rules.min_cell else None for each, n in zip(found, beyond, strict=True)]


def _are_years(known: np.ndarray, name: str) -> bool:
    if not re.search("year|birth", name, re.IGNORECASE):
        return False
    low, high = np.quantile(known, [0.1, 0.9])
    return bool(low >= 1900 and high < 2100)


def _public(note: str, min_cell: int) -> str:
    """How a column was read, without single values, and without counts that others of the page give away."""
    note = without_values(note)
    note = re.sub(r"two answers: '.*', the rarer one, is yes; '.*' is no", "two answers: the rarer one is yes", note)
    note = re.sub(r"(two answers: \S+) [\d,]+, (\S+) [\d,]+", r"\1 and \2", note)
    note = re.sub(r"[\d,]+ (written as)", r"\1", note)
    parts = re.sub(r"[\d,]+ missing \((.*?)\)", r"missing is \1", note).split("; ")
    return "; ".join(without_few(part, min_cell) for part in parts if not re.fullmatch(r"[\d,]+ missing", part))


def _joined(note: str, reasons: Mapping[str, str] | None, name: str) -> str:
    """How a column was read, and, where its role was not set, why it has it."""
    why = (reasons or {}).get(name)
    return f"{note}; {why}" if note and why else why or note
