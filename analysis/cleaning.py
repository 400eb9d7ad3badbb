"""Named cleaning rules; each leaves a line in the ledger. Nobody is dropped without being counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.config import Source, Study
from analysis.errors import InputError, did_you_mean, listed
from analysis.sources import RawTable, check_key


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What one rule did.

    Attributes
    ----------
    rule, why : str
        Its name and the reason for it, as the page prints them.
    rows_in, touched, rows_out : int
        Customers before, touched by, and after the rule.
    done : str
        What was done to the touched ones.
    """

    rule: str
    why: str
    rows_in: int
    touched: int
    rows_out: int
    done: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One row per customer with believable values; missing stays missing.

    Attributes
    ----------
    frame : DataFrame, shape (n, columns)
        Indexed by row number 0..n-1, in the canonical order of the key.
    keys : Series of str, shape (n,)
    as_of : date, optional
        The study's date; None where neither the settings nor the data have one.
    ledger : tuple of LedgerLine
    duplicates : int
        Rows that repeat an earlier row in everything but the key.
    duplicate_groups_rows : int
        Rows that belong to such a group, first ones included.
    constants : tuple of str
        Columns with one value.
    """

    frame: pd.DataFrame
    keys: pd.Series
    as_of: dt.date | None
    ledger: tuple[LedgerLine, ...]
    duplicates: int
    duplicate_groups_rows: int
    constants: tuple[str, ...]


def clean(
    raw: RawTable,
    source: Source,
    study: Study,
    as_of: dt.date | None = None,
    setting: str = "segmentation.sources[0]",
) -> Cleaned:
    """Check the columns, give every customer one row, repair what is not believable.

    Parameters
    ----------
    raw : RawTable
        As read, typed.
    source : Source
        The settings of this table.
    study : Study
    as_of : date, optional
        Newest date of all sources; by default that of this table, or the settings'.
    setting : str
        Where those settings stand, for messages.

    Raises
    ------
    InputError
        For a named column that is not in the file, or a key that does not identify customers.
    """
    check_columns(raw, source, setting)
    frame, keys, lines = _identify(raw, source, setting)
    n, as_read = len(frame), frame
    others = [column for column in frame if column != source.key]
    # Computed figures coincide for customers of one purchase; that says nothing of copies.
    own = others if source.kind in {"customers", "survey"} else []
    repeated = frame.duplicated(subset=own) if own else pd.Series(False, index=frame.index)
    grouped = frame.duplicated(subset=own, keep=False) if own else repeated
    for column, spellings in source.merge.items():
        touched = frame[column].isin(list(spellings))
        frame = frame.assign(**{column: frame[column].replace(dict(spellings))})
        why = "Rare or joking answers say nothing about a group and could point to a person."
        lines.append(
            LedgerLine(f"{_label(source, column)}: merge rare answers", why, n, int(touched.sum()), n, "merged")
        )
    for column, (low, high) in source.plausible.items():
        values = pd.to_numeric(frame[column], errors="coerce")
        odd = ~values.between(-np.inf if low is None else low, np.inf if high is None else high) & values.notna()
        frame = frame.assign(**{column: frame[column].mask(odd)})
        why = f"Believable is {_range_text(low, high)} (set by the analyst)."
        touched = int(odd.sum())
        lines.append(
            LedgerLine(
                f"{_label(source, column)}: believable range",
                why,
                n,
                touched,
                n,
                "value set to missing, customer kept",
            )
        )
    for column in frame:
        missing = int(as_read[column].isna().sum())
        if missing and column not in source.roles.ignore:
            # What was computed from orders or visits has a note that says so.
            computed = raw.column(str(column)).note.startswith("computed")
            why = "There is too little to compute it from." if computed else "The file has no value there."
            done = "left out of this column's figures, customer kept"
            lines.append(
                LedgerLine(
                    f"{_label(source, str(column))}: missing{'' if computed else ' in the file'}",
                    why,
                    n,
                    missing,
                    n,
                    done,
                )
            )
    if own:
        why = "Different customers can share all values; the file cannot tell copies from twins."
        lines.append(LedgerLine("Same row under another key", why, n, int(repeated.sum()), n, "reported, kept"))
    constants = tuple(str(column) for column in others if frame[column].nunique(dropna=False) <= 1)
    return Cleaned(
        frame,
        keys,
        as_of or _as_of(frame, study),
        tuple(lines),
        int(repeated.sum()),
        int(grouped.sum()),
        constants,
    )


def _identify(raw: RawTable, source: Source, setting: str) -> tuple[pd.DataFrame, pd.Series, list[LedgerLine]]:
    """Rows in canonical order with their keys; rows without a key are counted and left out."""
    n_in = raw.n_rows
    if source.key is None:
        width = len(str(n_in))
        keys = pd.Series([f"row {i:0{width}d}" for i in range(1, n_in + 1)], dtype="str", name="key")
        line = LedgerLine("Customer key", "No key is set; row numbers serve.", n_in, 0, n_in, "none needed")
        return raw.frame.reset_index(drop=True), keys, [line]
    keys = check_key(raw, source.key, f"{setting}.key")
    present = keys.notna()
    lost = int((~present).sum())
    why = f"Column {source.key} names the customer; a row without it belongs to nobody."
    lines = [LedgerLine("Customer key", why, n_in, lost, n_in - lost, "left out" if lost else "none needed")]
    frame, keys = raw.frame[present.to_numpy()], keys[present]
    order = keys.str.len().to_frame("length").assign(key=keys).sort_values(["length", "key"], kind="stable").index
    return (
        frame.loc[order].reset_index(drop=True),
        keys.loc[order].reset_index(drop=True).rename("key"),
        lines,
    )


def check_columns(raw: RawTable, source: Source, setting: str) -> None:
    """Refuse settings that name a column which is not in the table.

    Raises
    ------
    InputError
    """
    there = list(raw.frame.columns)
    absent = [column for column in source.named_columns() if column not in there]
    if not absent:
        return
    places = {
        "key": (source.key,),
        **{f"roles.{role}": getattr(source.roles, role) for role in ("feature", "descriptor", "outcome", "ignore")},
        "battery": source.battery,
        **{part: getattr(source, part) for part in ("labels", "units", "types", "merge", "plausible")},
    }
    place = next(part for part, columns in places.items() if absent[0] in columns)
    also = f" (and {len(absent) - 1} more: {listed(absent[1:], 4)})" if len(absent) > 1 else ""
    raise InputError(
        f"_quarto.yml, {setting}.{place}: column '{absent[0]}' is not in {raw.shown_path}{also}.",
        f"Columns there: {listed(there)}.",
        did_you_mean(absent[0], there) or "Correct the name, or take it out of the settings.",
    )


def _as_of(frame: pd.DataFrame, study: Study) -> dt.date | None:
    if study.as_of != "auto":
        return study.as_of
    dates = frame.select_dtypes("datetime")
    newest = dates.max().max() if dates.shape[1] else pd.NaT
    return None if pd.isna(newest) else newest.date()


def _label(source: Source, column: str) -> str:
    return source.labels.get(column, column)


def _range_text(low: float | None, high: float | None) -> str:
    if low is None:
        return "any value" if high is None else f"at most {high:,.0f}"
    if high is None:
        return f"at least {low:,.0f}"
    return f"{low:g} to {high:g}" if high < 10_000 else f"{low:,.0f} to {high:,.0f}"
