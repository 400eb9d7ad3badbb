"""Scoring of new customers with the model that a build saves as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.assignment.model import PARTS, UNLIKE, Model, Name, _own_columns, measure_distances
from analysis.base.errors import InputError, did_you_mean, listed
from analysis.clustering.algorithms import Fit, Labels, Matrix
from analysis.customers.assembly import Assembled, assemble
from analysis.customers.cleaning import clean
from analysis.features.build import build_features
from analysis.features.prepare import apply_steps
from analysis.settings.sources import ROW_KINDS, Roles, Source
from analysis.sources.tables import Known, RawTable

DRIFTED, DRIFTED_LEAST = 0.05, 5
"""Share and number of such customers from which a table is said to differ from the study: five times as expected."""
OF_EVERYONE = ("clv", "alive")
"""Features that are estimated from all customers together, so not for new ones."""


def score(raws: Sequence[RawTable], model: Model, as_of: dt.date | None = None) -> pd.DataFrame:
    """Assign new customers to the published segments.

    Parameters
    ----------
    raws : sequence of RawTable
        m new customers, in the study's sources and in their order.
    model : Model
    as_of : date, optional
        The day that features look back from; by default the settings', or the newest date of these tables.

    Returns
    -------
    DataFrame
        ``key``, ``segment`` (0 = unassigned) with its ``letter``, ``name`` and ``slug`` on the site, ``confidence``
        (half of it is a tie with the runner-up; missing for the unassigned), ``runner_up`` (0 = there is none) with its
        letter, and ``unlike_anyone``; and ``tier`` where segments are cut in halves. One row per customer, in the order
        of the key. Of a table with a row for each
        customer, rows without a key are placed too, with an empty key, and come last.

    Raises
    ------
    InputError
        Where the sources are not as many as the study's, or a column that a feature needs is missing.
    """
    check_sources([raw.shown_path for raw in raws], model)
    raws, nameless = _fill_keys(raws, model)
    study = model.study if as_of is None else model.study.model_copy(update={"as_of": as_of})
    if len(raws) == 1 and study.sources[0].kind in {"customers", "survey"}:
        _check_needed(raws[0], model)
    named = [
        _typed(replace(raw, name=name), types) for name, raw, types in zip(model.names, raws, model.types, strict=True)
    ]
    sources = tuple(_known(source, raw) for source, raw in zip(study.sources, named, strict=True))
    study = study.model_copy(update={"sources": sources})
    whole = assemble(named, study, model.levels)
    if whole.as_of is None and "as_of" in model.needed():
        raise InputError(
            f"score: some features need a reference date, and {raws[0].shown_path} contains no date.",
            hint="Give a date: --as-of 2024-06-30",
        )
    raw, source = _cut(whole, model)
    cleaned = clean(raw, source, study, whole.as_of)
    table = build_features(cleaned, source, study, whole.described)
    # New customers may lack a level; the others keep the numbers that they had. Formulas read the words themselves.
    codes = {
        column: cleaned.frame[column].astype("str").map({level: float(i) for i, level in enumerate(levels)})
        for column, levels in model.codes.items()
    }
    frame = table.frame.assign(**codes)
    matrix = apply_steps(frame, model.steps)
    keys = cleaned.keys.mask(cleaned.keys.isin(nameless)) if nameless else cleaned.keys
    scores = place(matrix if model.axes is None else matrix @ model.axes, keys, model)
    if model.tiers is None:
        return scores
    worth = table.frame[model.tiers.variable].to_numpy(float)
    return scores.assign(tier=model.tiers.place(worth, scores["segment"].to_numpy()))


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a table of new customers lacks.

    Attributes
    ----------
    shown : str
        What messages call the table.
    key : str
        Name of the key column.
    placed : bool
        Whether rows without a key are placed all the same.
    wanted : tuple of str
        Columns that the segments depend on, as far as the table has them.
    n_unkeyed : int
        Rows without a key.
    empty : frozenset of str
        Those of ``wanted`` that hold no value.
    """

    shown: str
    key: str
    placed: bool
    wanted: tuple[str, ...]
    n_unkeyed: int
    empty: frozenset[str]

    def joined(self, other: Gaps) -> Gaps:
        """Return what two parts of one table lack together."""
        return replace(self, n_unkeyed=self.n_unkeyed + other.n_unkeyed, empty=self.empty & other.empty)


def measure_gaps(raw: RawTable, model: Model, at: int) -> Gaps:
    """Count rows without a key and find columns without values, in the table of the study's source ``at``."""
    source = model.study.sources[at]
    key = str(source.key or source.columns.customer)
    n_unkeyed = int(_is_blank(raw.frame[key]).sum()) if key in raw.frame.columns else 0
    wanted = tuple(c for c in raw.frame.columns if c in _own_columns(model, at) and c != key)
    empty = frozenset(c for c in wanted if raw.frame[c].isna().all())
    placed = len(model.study.sources) == 1 and source.kind not in ROW_KINDS
    return Gaps(raw.shown_path, key, placed, wanted, n_unkeyed, empty)


def explain_gaps(each: Sequence[Gaps]) -> list[str]:
    """Describe rows without a key and required columns without values.

    Raises
    ------
    InputError
        Where a table has no value in any column that the segments depend on.
    """
    lines = []
    for gaps in each:
        if n := gaps.n_unkeyed:
            rows = f"{gaps.shown}: {n:,} row{'s have' if n > 1 else ' has'} no value in the key column '{gaps.key}'"
            done = "placed, with an empty key" if gaps.placed else "left out, as nothing tells whose they are"
            lines.append(f"{rows}; {'they are' if n > 1 else 'it is'} {done}.")
        empty = [column for column in gaps.wanted if column in gaps.empty]
        if empty and len(empty) == len(gaps.wanted):
            raise InputError(
                f"{gaps.shown} has no value in any column that the segments depend on.",
                f"Empty: {listed(empty, 6)}.",
                "Export these columns with their values.",
            )
        for column in empty:
            lines.append(
                f"{gaps.shown}: column '{column}' is empty; features made of it get the value that the study gives "
                "to customers whose value is missing."
            )
    return lines


@dataclass(frozen=True, slots=True)
class Drift:
    """Numbers of new customers, and of those who lie far from everyone in the study."""

    n: int
    n_unlike: int

    @classmethod
    def of(cls, scores: pd.DataFrame) -> Drift:
        """Count in what :func:`score` gives."""
        return cls(len(scores), int(scores["unlike_anyone"].sum()))

    def joined(self, other: Drift) -> Drift:
        """Add two parts of one table."""
        return Drift(self.n + other.n, self.n_unlike + other.n_unlike)

    def report(self) -> str:
        """Say that new customers do not look like those of the study; empty where they do, or where they are few."""
        if self.n_unlike < DRIFTED_LEAST or self.n_unlike < DRIFTED * self.n:
            return ""
        return (
            f"These customers differ from those of the study: {self.n_unlike:,} of {self.n:,} lie farther from their "
            f"segment than {UNLIKE:.0%} of the study's customers do. Check that columns, units, currency and period "
            "are the same. Customers of another company need a study of their own."
        )


def place(matrix: Matrix, keys: pd.Series, model: Model) -> pd.DataFrame:
    """Return segment, confidence, runner-up and novelty of scaled customers, shape (m, p), as in :func:`score`."""
    fit = model.fit
    costs, away = measure_distances(fit, matrix)
    labels = costs.argmin(axis=1) + 1
    at = np.arange(len(labels))
    cost = costs[at, labels - 1]
    costs[at, labels - 1] = np.inf
    second = costs.argmin(axis=1) + 1
    confidence = _rate(fit, cost, costs[at, second - 1])
    if fit.k == 1:
        second = np.zeros_like(labels)
    if fit.radius is not None:
        far = cost > fit.radius
        second = np.where(far, labels, second)
        labels, confidence = np.where(far, 0, labels), np.where(far, np.nan, confidence)
    named = name_segments(labels, model.segments)
    return pd.DataFrame(
        {
            "key": keys,
            "segment": labels,
            **named,
            "confidence": np.round(confidence, 3),
            "runner_up": second,
            "runner_up_letter": name_segments(second, model.segments)["letter"],
            "unlike_anyone": away > np.array(model.unlike)[labels],
        }
    )


def rate_confidence(labels: Labels, matrix: Matrix, model: Model) -> NDArray[np.float64]:
    """Return how sure each customer's segment is, shape (n,), as :func:`score` does; missing for the unassigned.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    matrix : ndarray, shape (n, p)
        Scaled customers.
    model : Model
    """
    costs = measure_distances(model.fit, matrix)[0]
    at, own = np.arange(len(labels)), np.maximum(labels, 1) - 1
    cost = costs[at, own]
    costs[at, own] = np.inf
    confidence = _rate(model.fit, cost, costs.min(axis=1))
    confidence[labels == 0] = np.nan
    return np.round(confidence, 3)


def _rate(fit: Fit, cost: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the confidence in a segment from the distances to it and to the runner-up."""
    if fit.k == 1:
        return np.ones_like(cost)
    if fit.shapes is None and fit.classes is None:
        return np.divide(other, cost + other, out=np.full(len(cost), 0.5), where=cost + other > 0)
    return 1 / (1 + np.exp(np.minimum((cost - other) / 2, 0)))


def name_segments(labels: NDArray[np.integer[Any]], segments: Sequence[Name]) -> dict[str, pd.Series]:
    """Return letter, name and slug of each customer's segment, length m; missing for unassigned customers."""
    columns = {}
    for part in ("letter", "name", "slug"):
        known = dict(enumerate((getattr(segment, part) for segment in segments), start=1))
        columns[part] = pd.Series(labels).map(known).astype("str")
    return columns


def check_sources(files: Sequence[str], model: Model) -> None:
    """Refuse files that are not as many as the study's sources, and features that new customers cannot have.

    Raises
    ------
    InputError
    """
    wanted = [f"{name} ({source.kind})" for name, source in zip(model.names, model.study.sources, strict=True)]
    if len(files) != len(wanted):
        raise InputError(
            f"score: {len(files)} file{'s' * (len(files) != 1)} given; the study has {len(wanted)} sources.",
            f"Expected one file for each source, in this order: {', '.join(wanted)}.",
            "Give all of them: python -m analysis score " + " ".join(f"NEW_{name}" for name in model.names),
        )
    for name in OF_EVERYONE:
        if name in model.forming and any(source.kind == "transactions" for source in model.study.sources):
            raise InputError(
                f"score: the feature '{name}' can only be computed for a whole study.",
                "It is not available for new customers alone.",
                "Remove it from roles.feature and build again, or add the new customers to the study.",
            )


def _is_blank(values: pd.Series) -> pd.Series:
    return values.isna() | (values.astype("str").str.strip() == "")


def _fill_keys(raws: Sequence[RawTable], model: Model) -> tuple[Sequence[RawTable], frozenset[str]]:
    """Give rows without a key one of their own, that sorts last, where a row is a customer and nothing is joined."""
    raw, key, kind = raws[0], model.study.sources[0].key, model.study.sources[0].kind
    if len(raws) > 1 or kind not in {"customers", "survey"} or key is None or key not in raw.frame.columns:
        return raws, frozenset()
    keys = raw.frame[key]
    blank = _is_blank(keys)
    if not blank.any():
        return raws, frozenset()
    if pd.api.types.is_float_dtype(keys):
        keys = keys.map(_write_number, na_action="ignore")
    keys = keys.astype("str")
    width = max(keys[~blank].str.len().max() if not blank.all() else 0, len(str(len(keys)))) + 1
    new_keys = [f"{'~' * width}{i:0{width}d}" for i in range(int(blank.sum()))]
    keys = keys.mask(blank, pd.Series(new_keys, index=keys.index[blank], dtype="str").reindex(keys.index))
    frame = raw.frame.assign(**{key: keys})
    return [replace(raw, frame=frame)], frozenset(new_keys)


def _write_number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _check_needed(raw: RawTable, model: Model) -> None:
    """Refuse a table with a row for each customer that lacks a column which the features are made of."""
    there = list(map(str, raw.frame.columns))
    key = model.study.sources[0].key
    needed = sorted(model.needed() - {"as_of"}) + ([key] if key else [])
    if absent := [column for column in needed if column not in there]:
        more = f" (and {len(absent) - 1} more: {listed(absent[1:], 4)})" if len(absent) > 1 else ""
        raise InputError(
            f"score: column '{absent[0]}' is not in {raw.shown_path}{more}.",
            f"The segments depend on it. Available columns: {listed(there)}.",
            did_you_mean(absent[0], there) or "Export the table with this column.",
        )


def _typed(raw: RawTable, types: Mapping[str, Known]) -> RawTable:
    """Give columns without any value the type that they have in the study."""
    kinds = {"number": "float64", "date": "datetime64[s]", "boolean": "boolean"}
    frame = raw.frame
    for column, known in types.items():
        kind = known if isinstance(known, str) else "number"
        if kind in kinds and column in frame.columns and frame[column].isna().all():
            frame = frame.assign(**{column: pd.Series(None, index=frame.index, dtype=kinds[kind])})
    return replace(raw, frame=frame)


def _known(source: Source, raw: RawTable) -> Source:
    """New customers need not bring outcomes or descriptors; only what the features are made of."""
    there = set(map(str, raw.frame.columns))
    remaining = {part: {c: v for c, v in getattr(source, part).items() if c in there} for part in PARTS}
    ignored = Roles(ignore=tuple(c for c in source.roles.ignore if c in there))
    own = {"roles": ignored, "labels": {}, "battery": source.centred(), "weight": None}
    return source.model_copy(update=own | remaining)


def _cut(whole: Assembled, model: Model) -> tuple[RawTable, Source]:
    """The joined table with the columns that features are made of alone, which is all that cleaning need see."""
    raw, source = whole.raw, whole.source
    wanted = model.needed() | {source.key}
    columns = tuple(column for column in raw.columns if column.name in wanted)
    frame = raw.frame[[column.name for column in columns]]
    remaining = {part: {c: v for c, v in getattr(source, part).items() if c in wanted} for part in PARTS}
    # Copies among new customers are nobody's business: a table of computed customers is not searched for them.
    cut = source.model_copy(
        update={"roles": Roles(feature=model.described()), "labels": {}, "kind": "transactions", **remaining}
    )
    return RawTable(raw.name, frame, columns, raw.n_rows, raw.sha256, raw.notes, raw.shown_path), cut
