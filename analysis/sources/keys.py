"""Keys: forms such as 00123, 123 and K-123 brought to one, and rows of customers whose key repeats."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.base.errors import InputError, listed
from analysis.base.formats import number, percentage
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS, Source
from analysis.sources.evidence.roles import find_dates
from analysis.sources.evidence.spans import adds_up
from analysis.sources.tables import RawTable, read_key

ENOUGH = 0.5
"""Share of the keys of a table that must be known in the base for their form to be taken as it is, or as another one.
Threshold chosen for this project."""


def align_keys(tables: Sequence[RawTable], study: Study) -> tuple[RawTable, ...]:
    """Write the keys of every table as the base writes them, where most fit only in another form.

    The base is the first table of customers, else the first survey, else the first table. A key is changed only if it
    then equals exactly one key of the base, and no two keys become the same.

    Parameters
    ----------
    tables : sequence of RawTable
        In the order of ``study.sources``.
    study : Study

    Returns
    -------
    tuple of RawTable
        With a note where keys were changed.
    """
    columns = [key_of(source) for source in study.sources]
    kinds = [source.kind for source in study.sources]
    at = next((kinds.index(kind) for kind in ("customers", "survey") if kind in kinds), 0)
    if len(tables) < 2 or columns[at] not in tables[at].frame.columns:
        return tuple(tables)
    base = set(write_keys(tables[at].frame[str(columns[at])]).values())
    return tuple(
        table if i == at or column not in table.frame.columns else _align(table, str(column), base)
        for i, (table, column) in enumerate(zip(tables, columns, strict=True))
    )


def key_of(source: Source) -> str | None:
    """Name the column that holds the customers of a source."""
    return source.columns.customer if source.kind in ROW_KINDS else source.key


def write_keys(values: pd.Series) -> dict[Any, str]:
    """Return the text of each different key."""
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    present = values.dropna().unique()
    return {value: str(int(value)) if numeric and value == int(value) else str(value).strip() for value in present}


def _without_zeros(key: str) -> str:
    return re.sub(r"\.0+$", "", key).lstrip("0") or "0"


def _digits(key: str) -> str:
    """The number of a key that letters or signs come before; the key itself for any other."""
    found = re.fullmatch(r"[^\W\d_]{0,6}[-_ #.:/]?(\d+)", _without_zeros(key))
    return _without_zeros(found[1]) if found else key.casefold()


_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("without zeros at the start", _without_zeros),
    ("whatever the case", str.casefold),
    ("by their number alone", _digits),
)


def _align(table: RawTable, column: str, base: set[str]) -> RawTable:
    texts = write_keys(table.frame[column])
    keys = set(texts.values())
    if len(keys & base) >= ENOUGH * len(keys):
        return table
    for words, form in _FORMS:
        of_form = {form(key): key for key in base}
        known = {key: of_form[form(key)] for key in keys if form(key) in of_form}
        distinct = len(of_form) == len(base) and len(set(known.values())) == len(known)
        if distinct and len(known) >= ENOUGH * len(keys):
            written = {value: known.get(key, key) for value, key in texts.items()}
            frame = table.frame.assign(**{column: table.frame[column].map(written).astype("str")})
            note = (
                f"keys in '{column}' are compared {words}; {percentage(len(known) / len(keys))} are known in the base"
            )
            return replace(table, frame=frame, notes=(*table.notes, note))
    return table


def settle_repeats(raw: RawTable, source: Source, setting: str) -> RawTable:
    """Make one row of the rows of a customer whose key repeats, as the settings say.

    Parameters
    ----------
    raw : RawTable
    source : Source
        Where ``repeats`` is refuse, or a customer may have several rows, the table is returned as it is.
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    RawTable
        With a note that says what was done. Rows without a key stay.

    Raises
    ------
    InputError
        As `read_key`; or for the newest row where no column is a date.
    """
    if source.repeats == "refuse" or source.kind in ROW_KINDS or source.key is None:
        return raw
    read = read_key(raw, source.key, f"{setting}.key")
    if not read.n_repeats:
        return raw
    keys, dates = read.values, find_dates(raw)
    dates = [str(source.columns.date)] if source.columns.date in raw.frame.columns else dates
    if source.repeats == "newest" and not dates:
        raise InputError(
            f"_quarto.yml, {setting}.repeats: 'newest' needs a date, and {raw.shown_path} has none.",
            f"Columns there: {listed(raw.frame.columns)}.",
            "Keep the first or the last row of each key, or set columns.date.",
        )
    frame = raw.frame.reset_index(drop=True)
    newest = source.repeats == "newest"
    order = frame[dates[0]].sort_values(kind="stable", na_position="first").index if newest else frame.index
    ordered = keys.set_axis(frame.index)[order]
    again = ordered.duplicated(keep="first" if source.repeats == "first" else "last") & ordered.notna()
    kept = ~again.sort_index()
    added: list[str] = []
    if source.repeats == "sum":
        added = [c.name for c in raw.columns if c.type == "number" and c.name != source.key and adds_up(c.name)]
        sums = frame[added].groupby(keys.to_numpy()).transform("sum", min_count=1)
        frame = frame.assign(**{name: sums[name].where(ordered.notna(), frame[name]) for name in added})
    how = {
        "newest": f"the newest by '{dates[0] if dates else ''}' of each is kept",
        "sum": f"{listed(map(repr, added), 6)} added up, other columns as in the last row of each",
    }.get(source.repeats, f"the {source.repeats} of each is kept")
    note = f"{number(int((~kept).sum()))} rows left out: the key '{source.key}' repeats, and {how}"
    frame = frame[kept.to_numpy()].reset_index(drop=True)
    return replace(raw, frame=frame, n_rows=len(frame), notes=(*raw.notes, note), dropped=(*raw.dropped, note))
