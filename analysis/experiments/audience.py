"""Customers of segments, ready to leave: those who may be contacted, with their group where some are held back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.manifest import check_whole, read_stamp
from analysis.customers.engines.sessions import execute_on
from analysis.experiments.permissions import Permissions
from analysis.settings.load import check_study
from analysis.settings.models import SLOTS, Study
from analysis.settings.sources import ROW_KINDS, Source
from analysis.sources.inputs import read_source
from analysis.sources.locate import Location
from analysis.sources.tables import RawTable, check_key

MEMBERSHIPS = "build/memberships.parquet"


@dataclass(frozen=True, slots=True)
class Audience:
    """Customers who may leave, and how many may not.

    Attributes
    ----------
    table : DataFrame
        ``key``, ``segment`` (letter), ``segment_name``, ``confidence`` and further columns; one row per customer.
    left_out : dict of str to int
        Customers of the chosen segments who stay, by reason.
    removed : Series of str
        Their keys.
    """

    table: pd.DataFrame
    left_out: Mapping[str, int]
    removed: pd.Series

    def without(self, drop: pd.Series, reason: str) -> Audience:
        """Leave out further customers, for a reason."""
        if not drop.any():
            return self
        left_out = {**self.left_out, reason: self.left_out.get(reason, 0) + int(drop.sum())}
        removed = pd.concat([self.removed, self.table.loc[drop, "key"]])
        return Audience(self.table[~drop].reset_index(drop=True), left_out, removed)

    def with_columns(self, columns: Mapping[str, Any]) -> Audience:
        """Add columns in the order of the customers."""
        return replace(self, table=self.table.assign(**columns))


def read_members(root: Path) -> pd.DataFrame:
    """Read who is in which segment; those in no segment are not in the table.

    Raises
    ------
    InputError
        Where there is no whole build, one of an earlier version, or one whose customers have no key.
    """
    check_whole(root)
    source = _base(read_sources(root))
    if source is None:
        raise InputError(
            "The customers of this study have no key, so a list of them is of no use.",
            "Expected a key in the settings: segmentation.sources[0].key.",
            "Name the column that identifies the customer, and build again.",
        )
    if not (root / MEMBERSHIPS).exists():
        raise InputError(
            f"{MEMBERSHIPS} does not exist: the last build wrote who is in which segment elsewhere.",
            "Expected the memberships in build/.",
            "Take them from the place in the settings, or remove segmentation.memberships and build again.",
        )
    members = pd.read_parquet(root / MEMBERSHIPS)
    if "confidence" not in members.columns:
        raise InputError(
            f"{MEMBERSHIPS} is from another version of the tool.", hint="Run: python -m analysis build --force"
        )
    members = members[members["segment"] > 0].reset_index(drop=True)
    return members.drop(columns="segment").rename(columns={"letter": "segment", "name": "segment_name"})


def read_sources(root: Path) -> tuple[Source, ...]:
    """Return the sources of the last build, with keys that were inferred."""
    try:
        content = json.loads((root / "build" / "model.json").read_text(encoding="utf-8"))
        return check_study({**content["study"], "title": content["study"]["title"] or "Study"}).sources
    except (OSError, ValueError, LookupError, TypeError):
        raise InputError("build/model.json is missing or damaged.", hint="Run: python -m analysis build") from None


def _base(sources: Sequence[Source]) -> Source | None:
    """Return the source that customers are identified by; None where it has no key."""
    for kind in ("customers", "survey", "transactions", *sorted(ROW_KINDS - {"transactions"})):
        if of_kind := [source for source in sources if source.kind == kind]:
            first = of_kind[0]
            return first if first.key or first.columns.customer else None
    return None


def choose_segments(members: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Return the letters of segments that are named by letter, name or the last part of their address.

    Raises
    ------
    InputError
        With the segments of the study.
    """
    segments = members[["segment", "segment_name", "slug"]].drop_duplicates().sort_values("segment")
    letters = []
    for name in wanted:
        folded = name.strip().casefold()
        found = segments[(segments.map(str.casefold) == folded).any(axis=1)]
        if found.empty:
            known = [text for row in segments.itertuples(index=False) for text in row]
            raise InputError(
                f"'{name}' is no segment of this study.",
                f"Segments: {listed(f'{row.segment} ({row.segment_name})' for row in segments.itertuples())}.",
                did_you_mean(name, known),
            )
        letters.append(str(found["segment"].iloc[0]))
    return sorted(set(letters))


def split_action(action: str) -> tuple[str, str]:
    """Return segment and part of the plan of an action such as B.campaign.

    Raises
    ------
    InputError
        Where it has another form.
    """
    segment, _, slot = action.rpartition(".")
    if not segment or slot.casefold() not in SLOTS:
        raise InputError(
            f"'{action}' is no action of a plan.",
            f"Expected a segment and a part of its plan, such as B.campaign. Parts: {', '.join(SLOTS)}.",
            did_you_mean(slot, SLOTS),
        )
    return segment, slot.casefold()


def select_audience(members: pd.DataFrame, letters: Sequence[str], permissions: Permissions) -> Audience:
    """Choose the customers of segments, and leave out those who may not be contacted.

    Parameters
    ----------
    members : DataFrame
        As `read_members` gives them.
    letters : sequence of str
    permissions : Permissions
    """
    table = members[members["segment"].isin(letters)].reset_index(drop=True)
    columns = ["key", "segment", "segment_name", "slug", "confidence"]
    if permissions.allowed is None and not permissions.suppressed:
        return Audience(table[columns], {}, table["key"][:0])
    reasons = permissions.refuse(table["key"])
    refused = (reasons != "").to_numpy()
    counts = reasons[refused].value_counts()
    return Audience(
        table.loc[~refused, columns].reset_index(drop=True),
        {str(reason): int(n) for reason, n in sorted(counts.items())},
        table.loc[refused, "key"],
    )


def read_customers(root: Path, study: Study, places: Sequence[Location]) -> tuple[RawTable, pd.DataFrame]:
    """Read the customer source of a study, indexed by key.

    Parameters
    ----------
    root : Path
    study : Study
        As the last build completed it.
    places : sequence of Path or str
        Location of each source.

    Raises
    ------
    InputError
        Where no source has a row for each customer.
    """
    base = _base(study.sources)
    if base is None or base.key is None or base.kind not in ("customers", "survey"):
        raise InputError(
            "This study has no table with a row for each customer.",
            "Consent columns and contact data are read from such a table.",
            "Add it to segmentation.sources, or give consent and suppress as files of keys.",
        )
    at = study.sources.index(base)
    with execute_on(study.engine):
        raw = read_source(places[at], root, base, f"segmentation.sources[{at}]", fewest=1)
    keys = check_key(raw, base.key, f"segmentation.sources[{at}].key")
    present = keys.notna().to_numpy()
    return raw, raw.frame[present].set_index(pd.Index(keys[present].astype("str"), name=None))


def add_contacts(audience: Audience, customers: pd.DataFrame, columns: Sequence[str]) -> Audience:
    """Add columns of the customer source.

    Raises
    ------
    InputError
        Where the source lacks a column, or its name is taken.
    """
    for column in columns:
        if column not in customers.columns:
            there = list(map(str, customers.columns))
            raise InputError(
                f"--with {column}: the customer source has no column '{column}'.",
                f"Columns there: {listed(there)}.",
                did_you_mean(column, there),
            )
        if column in audience.table.columns:
            raise InputError(f"--with {column}: the file has a column of this name already.", hint="Leave it out.")
    found = customers[list(columns)].reindex(audience.table["key"])
    return audience.with_columns({column: found[column].array for column in columns})


def was_synthetic(root: Path) -> bool:
    """Return whether the last build used synthetic data."""
    return bool(read_stamp(root).get("synthetic"))


def count_groups(groups: np.ndarray[Any, Any]) -> dict[str, int]:
    """Count the customers of each group."""
    names, counts = np.unique(groups, return_counts=True)
    return dict(zip(map(str, names), map(int, counts), strict=True))
