"""What came in: one summary for each column, safe to publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cleaning import Cleaned
from analysis.config import Source
from analysis.features import FeatureTable
from analysis.sources import RawTable

BINS = 20
"""Bins of a histogram before small ones are merged."""
LEVELS = 8
"""Most levels of a category that are shown by name."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin ``[low, high)`` or a level, with its number of customers (0, or at least ``min_cell``)."""

    label: str
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column of the source as it was read.

    ``p10``, ``median`` and ``p90`` are in the column's own unit and None for text; ``bars`` are empty for
    keys, ignored columns and free text.
    """

    name: str
    label: str
    type: str
    role: str
    note: str
    missing: int
    distinct: int
    p10: float | None
    median: float | None
    p90: float | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Correlations:
    """Spearman correlations, row by row, in an order that puts like beside like."""

    labels: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def summarise_columns(
    raw: RawTable, cleaned: Cleaned, source: Source, min_cell: int, reasons: Mapping[str, str] | None = None
) -> tuple[ColumnSummary, ...]:
    """Summarise each column; no level, bin or quantile stands for fewer than ``min_cell`` customers."""
    roles = {
        column: role
        for role in ("feature", "descriptor", "outcome", "ignore")
        for column in getattr(source.roles, role)
    }
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
        p10, median, p90 = (None, None, None)
        if len(known) >= min_cell and not set(np.unique(known)) <= {0.0, 1.0}:
            p10, median, p90 = map(float, np.percentile(known, [10, 50, 90]))
            named = f"{column.name} {source.labels.get(column.name, '')}".lower()
            if ("year" in named or "birth" in named) and p10 >= 1900 and p90 < 2100:
                kind = "year"
        if private or kind == "date":
            bars: tuple[Bar, ...] = _months(values, min_cell) if kind == "date" and not private else ()
        elif numeric and column.n_distinct > LEVELS:
            bars = histogram(known, min_cell)
        else:
            bars = level_bars(values, min_cell)
        summaries.append(
            ColumnSummary(
                column.name,
                source.labels.get(column.name, column.name),
                kind,
                role,
                _joined(column.note, reasons, column.name),
                column.n_missing,
                column.n_distinct,
                p10,
                median,
                p90,
                bars,
            )
        )
    return tuple(summaries)


def _joined(note: str, reasons: Mapping[str, str] | None, name: str) -> str:
    """How a column was read, and, where its role was not set, why it has it."""
    why = (reasons or {}).get(name)
    return f"{note}; {why}" if note and why else why or note


def histogram(values: np.ndarray, min_cell: int) -> tuple[Bar, ...]:
    """Bins between p1 and p99, neighbours merged until each holds ``min_cell`` customers or none at all.

    The outermost bins are open, so that no edge is a person's value.
    """
    if len(values) < 2 * min_cell:
        return ()
    low, high = np.percentile(values, [1, 99])
    if low == high:
        return ()
    whole = bool(np.all(values == np.round(values))) and high - low <= BINS
    edges = np.arange(low - 0.5, high + 1) if whole else np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    bars: list[Bar] = []
    start, held = 0, 0
    for i, n in enumerate(counts):
        held += int(n)
        if held >= min_cell:
            bars.append(Bar("", float(edges[start]), float(edges[i + 1]), held))
            start, held = i + 1, 0
    if held and bars:
        last = bars.pop()
        bars.append(Bar("", last.low, float(edges[-1]), last.n + held))
    return tuple(bars)


def level_bars(values: pd.Series, min_cell: int) -> tuple[Bar, ...]:
    """The commonest levels and "Other"; rare levels are merged until nothing is under ``min_cell``."""
    if set(values.dropna().unique()) <= {0, 1}:
        values = values.map({0: "No", 1: "Yes"})
    counts = values.value_counts()
    shown = counts[(counts >= min_cell) & (counts.index != "Other")].head(LEVELS)
    other = int(counts.sum() - shown.sum())
    while 0 < other < min_cell and len(shown):
        other += int(shown.iloc[-1])
        shown = shown.iloc[:-1]
    bars = [Bar(_level_text(level), None, None, int(n)) for level, n in shown.items()]
    return tuple(bars + ([Bar("Other", None, None, other)] if other else []))


def correlate(table: FeatureTable) -> Correlations:
    """Spearman correlations of features and numeric descriptors; clustered order (average linkage on 1 - |r|)."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    chosen = [v for v in table.of("feature", "descriptor") if not v.categorical and table.frame[v.name].nunique() > 1]
    matrix = table.frame[[v.name for v in chosen]].rank().corr().fillna(0).to_numpy()
    if len(chosen) > 2:
        apart = np.clip(1 - np.abs((matrix + matrix.T) / 2), 0, None)
        np.fill_diagonal(apart, 0)
        order = leaves_list(linkage(squareform(apart, checks=False), "average"))
        matrix = matrix[np.ix_(order, order)]
        chosen = [chosen[i] for i in order]
    return Correlations(tuple(v.label for v in chosen), tuple(tuple(map(float, row)) for row in matrix))


def _months(values: pd.Series, min_cell: int) -> tuple[Bar, ...]:
    """Customers by month of a date; quarters, then years, where months are thin."""
    for period in ("M", "Q", "Y"):
        counts = values.dropna().dt.to_period(period).value_counts().sort_index()
        if len(counts) and counts.min() >= min_cell and len(counts) <= 60:
            return tuple(Bar(str(label), None, None, int(n)) for label, n in counts.items())
    return ()


def _level_text(level: object) -> str:
    if isinstance(level, (bool, np.bool_)):
        return "Yes" if level else "No"
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)
