"""Named cleaning rules, each recorded in a log. No customer is dropped silently."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.base.disclosure import Disclosure, month_end
from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import and_more, number, significant
from analysis.base.weights import Weights, check_weights, effective_size
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.tables import Column, RawTable, check_key


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
    weights : ndarray of float64, shape (n,), optional
        Survey weights, positive and as in the file; None without them, and where all are the same.
    """

    frame: pd.DataFrame
    keys: pd.Series
    as_of: dt.date | None
    ledger: tuple[LedgerLine, ...]
    duplicates: int
    duplicate_groups_rows: int
    constants: tuple[str, ...]
    weights: Weights = None


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
    weights = None
    if source.weight is not None:
        place, rules = f"_quarto.yml, {setting}.weight", Disclosure.of(study)
        frame, keys, weights, weighed = _weigh(frame, keys, source.weight, place, rules)
        lines += weighed
    n, as_read = len(frame), frame
    others = [column for column in frame if column != source.key]
    # Computed figures coincide for customers of one purchase; that says nothing of copies.
    own = others if source.kind in {"customers", "survey"} else []
    repeated = frame.duplicated(subset=own) if own else pd.Series(False, index=frame.index)
    grouped = frame.duplicated(subset=own, keep=False) if own else repeated
    used = [c for c in raw.columns if c.name != source.key and c.name not in source.roles.ignore]
    lines += _repairs(used, source, n)
    frame, merged = _merge_as_set(frame, source)
    frame, respelled = _merge_spellings(frame, used, source, study)
    frame, emptied = _empty_unbelievable(frame, source)
    lines += [*merged, *respelled, *emptied]
    lines += _gaps(as_read, used, source)
    if own:
        why = "Different customers can share all values; the file cannot tell copies from twins."
        lines.append(LedgerLine("Same row under another key", why, n, int(repeated.sum()), n, "reported, kept"))
    constants = tuple(str(column) for column in others if frame[column].nunique(dropna=False) <= 1)
    return Cleaned(
        frame,
        keys,
        as_of or _as_of(frame.drop(columns=list(source.roles.ignore), errors="ignore"), study),
        tuple(lines),
        int(repeated.sum()),
        int(grouped.sum()),
        constants,
        weights,
    )


def _weigh(
    frame: pd.DataFrame, keys: pd.Series, column: str, place: str, rules: Disclosure
) -> tuple[pd.DataFrame, pd.Series, Weights, list[LedgerLine]]:
    """Read the survey weights; rows that stand for no one are left out."""
    numbers = check_weights(frame[column], place)
    counted = numbers > 0
    n, lost = len(frame), int((~counted).sum())
    why = "Without a positive weight, a row stands for no one in the population."
    done = "left out" if lost else "none needed"
    lines = [LedgerLine(f"{column}: survey weight of zero, or none", why, n, lost, n - lost, done)]
    weights = numbers[counted]
    same = float(weights.min()) == float(weights.max())
    effective = number(rules.count(round(effective_size(weights))))
    why = (
        "All rows have the same weight, so that weighting changes nothing."
        if same
        else f"They count as much as about {effective} rows of equal weight: (sum of weights)² / sum of weights²."
    )
    done = "not needed" if same else "figures stand for the population"
    touched = 0 if same else len(weights)
    lines.append(LedgerLine(f"{column}: survey weights", why, len(weights), touched, len(weights), done))
    return frame[counted].reset_index(drop=True), keys[counted].reset_index(drop=True), None if same else weights, lines


def _merge_as_set(frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, list[LedgerLine]]:
    """Merge the answers that the settings name."""
    n, lines = len(frame), list[LedgerLine]()
    for column, spellings in source.merge.items():
        merged = frame[column].replace(dict(spellings))
        why = "Rare or joking answers say nothing about a group and could point to a person."
        rule = f"{_label(source, column)}: merge rare answers"
        lines += _merging(rule, why, "merged", frame[column], merged) or [LedgerLine(rule, why, n, 0, n, "merged")]
        frame = frame.assign(**{column: merged})
    return frame, lines


def _merge_spellings(
    frame: pd.DataFrame, columns: list[Column], source: Source, study: Study
) -> tuple[pd.DataFrame, list[LedgerLine]]:
    """Merge spellings of one answer; answers that are rare are reported only."""
    lines: list[LedgerLine] = []
    for column in (c.name for c in columns if c.type == "category"):
        merged = _respell(frame[column], _settled_spellings(source, study, column))
        why = "They differ by capitals or spaces only; one spelling stands for all."
        lines += _merging(f"{_label(source, column)}: spellings", why, "merged", frame[column], merged)
        frame = frame.assign(**{column: merged})
        counts = frame[column].value_counts()
        shown = frame[column].mask(frame[column].isin(list(counts.index[counts < study.min_cell])), "Other")
        why = f"An answer of fewer than {study.min_cell} could point to a person."
        lines += _merging(f"{_label(source, column)}: rare answers", why, "merged on the pages", frame[column], shown)
    return frame, lines


def _empty_unbelievable(frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, list[LedgerLine]]:
    """Set values outside the believable range to missing."""
    n, lines = len(frame), list[LedgerLine]()
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
    return frame, lines


def _repairs(columns: list[Column], source: Source, n: int) -> list[LedgerLine]:
    """What columns hold that is not of their type."""
    done = "something else before, missing after; customer kept"
    return [
        LedgerLine(
            f"{_label(source, c.name)}: not a {c.type}", f"All its other cells are a {c.type}.", n, c.n_unread, n, done
        )
        for c in columns
        if c.n_unread
    ]


def _settled_spellings(source: Source, study: Study, column: str) -> frozenset[str]:
    """Spellings that the settings use: the targets of merges, and what formulas have between quotation marks."""
    quoted = re.findall(r"\"([^\"]*)\"|'([^']*)'", " ".join(feature.formula for feature in study.features.values()))
    return frozenset(source.merge.get(column, {}).values()) | {part for pair in quoted for part in pair if part}


def _respell(values: pd.Series, settled: frozenset[str]) -> pd.Series:
    """Write levels that differ by capitals and spaces alike: as the settings do, else as most rows do."""
    counts = values.value_counts()
    folded = {level: " ".join(level.split()).casefold() for level in counts.index}
    first: dict[str, str] = {}
    for level in sorted(folded, key=lambda level: (level not in settled, -counts[level], level)):
        first.setdefault(folded[level], level)
    return values.replace({level: first[fold] for level, fold in folded.items() if level != first[fold]})


def _merging(rule: str, why: str, how: str, before: pd.Series, after: pd.Series) -> list[LedgerLine]:
    """The line of a merger, or none where it changes nothing."""
    n, touched = len(before), int((before.notna() & (before != after)).sum())
    done = f"{how}: {number(before.nunique())} answers before, {number(after.nunique())} after"
    return [LedgerLine(rule, why, n, touched, n, done)] if touched else []


def _gaps(as_read: pd.DataFrame, columns: list[Column], source: Source) -> list[LedgerLine]:
    """A line for all columns that lack a value for the same customers, for one reason and with one consequence."""
    n = len(as_read)
    groups: dict[tuple[bytes, LedgerLine], list[str]] = {}
    for c in columns:
        gone = as_read[c.name].isna().to_numpy()
        what, why = "missing in the file", "The file has no value there."
        if c.note.startswith("computed: "):
            what, why = "no value", "There is nothing to compute it from."
        elif c.n_unread:
            why = "The file has no value there, or none that could be read."
        level = c.name in source.roles.descriptor and (c.type == "category" or source.units.get(c.name) == "category")
        done = 'the answer "Unknown", customer kept' if level else "left out of this column's figures, customer kept"
        if gone.any():
            line = LedgerLine(what, why, n, int(gone.sum()), n, done)
            groups.setdefault((np.packbits(gone).tobytes(), line), []).append(_label(source, c.name))
    return [replace(line, rule=f"{and_more(labels)}: {line.rule}") for (_, line), labels in groups.items()]


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
    """Refuse settings that name a column which is not in the table; one that is to be ignored may be absent.

    Raises
    ------
    InputError
    """
    there = list(raw.frame.columns)
    absent = [column for column in source.named_columns() if column not in {*there, *source.roles.ignore}]
    if not absent:
        return
    places = {
        "key": (source.key,),
        "weight": (source.weight,),
        **{f"roles.{role}": getattr(source.roles, role) for role in ("feature", "descriptor", "outcome", "ignore")},
        "columns": tuple(source.columns.model_dump().values()),
        **{part: getattr(source, part) for part in ("totals", "balances", "battery")},
        **{part: getattr(source, part) for part in ("labels", "units", "types", "merge", "ordered", "plausible")},
    }
    place = next(part for part, columns in places.items() if absent[0] in columns)
    also = f" (and {len(absent) - 1} more: {listed(absent[1:], 4)})" if len(absent) > 1 else ""
    raise InputError(
        f"_quarto.yml, {setting}.{place}: column '{absent[0]}' is not in {raw.shown_path}{also}.",
        f"Available columns: {listed(there)}.",
        did_you_mean(absent[0], there) or "Correct the name, or remove it from the settings.",
    )


def _as_of(frame: pd.DataFrame, study: Study) -> dt.date | None:
    if study.as_of != "auto":
        return study.as_of
    dates = frame.select_dtypes("datetime")
    newest = dates.max().max() if dates.shape[1] else pd.NaT
    return None if pd.isna(newest) else month_end(newest.date())


def _label(source: Source, column: str) -> str:
    return source.labels.get(column, column)


def _range_text(low: float | None, high: float | None) -> str:
    if low is None:
        return "any value" if high is None else f"at most {number(high)}"
    if high is None:
        return f"at least {number(low)}"
    return f"{significant(low)} to {significant(high)}" if high < 10_000 else f"{number(low)} to {number(high)}"
