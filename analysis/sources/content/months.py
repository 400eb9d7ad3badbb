"""Columns of one measure by month, summed up as total, trend and time since the last."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.base.formats import number
from analysis.sources.columns import Column
from analysis.sources.dates import month_number
from analysis.sources.names import plain

FEWEST = 4
"""Months in a row from which columns are one measure by month. Chosen for this project."""

_YEAR_MONTH = re.compile(
    r"(?P<stem>.*?)[\s_.\-/]*(?P<year>(?:19|20)\d\d)[\s_.\-/]?M?(?P<month>0[1-9]|1[0-2])(?P<end>\D*)"
)
_MONTH_YEAR = re.compile(r"(?P<stem>.*?)[\s_.\-/]*(?P<month>0[1-9]|1[0-2])[\s_.\-/](?P<year>(?:19|20)\d\d)(?P<end>\D*)")
_NAMED = re.compile(
    r"(?P<stem>.*?)[\s_.\-/]*(?P<name>[^\W\d_]{3,10})\.?(?:[\s_.\-/']*(?P<year>(?:19|20)\d\d|\d\d))?(?P<end>\s*[(\[].*)?"
)
_COUNTED = re.compile(
    r"(?:(?P<stem>.*?)[\s_.\-/]+(?:m|month|monat|mois|mes|mese|maand)|(?:month|monat|mois|mes|mese|maand))"
    r"[\s_.\-/]?(?P<month>\d{1,2})",
    re.IGNORECASE,
)
Period = tuple[str, int]
"""Name of a measure, and the number of a month."""


def sum_up_months(
    frame: pd.DataFrame, columns: tuple[Column, ...], forced: Collection[str]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Add total, trend and time since the last for each measure that the table has by month.

    The trend compares the second half of the months with the first: 1 where all falls in the second, -1 where all
    falls in the first. A missing month counts as none.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    forced : collection of str
        Columns whose type is set, which are not used.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns + 3 for each measure)
    tuple of Column
        A column of a month says so in ``replaced``.
    """
    open_ = [column.name for column in columns if column.type == "number" and column.name not in forced]
    measures = find_measures(open_)
    added: dict[str, tuple[pd.Series, Column]] = {}
    reasons: dict[str, str] = {}
    for stem, names in measures.items():
        made = _summary(stem, frame[names])
        if set(made) & (set(frame.columns) | set(added)):
            continue
        added |= made
        reasons |= dict.fromkeys(names, f"one of {number(len(names))} months, summed up in '{stem} total' and others")
    if not added:
        return frame, columns
    values = {name: frame[name] for name in frame.columns} | {name: series for name, (series, _) in added.items()}
    read = [replace(column, replaced=reasons.get(column.name, "")) for column in columns]
    return pd.DataFrame(values, copy=False), (*read, *(column for _, column in added.values()))


def find_measures(names: Collection[str]) -> dict[str, list[str]]:
    """Find the measures that columns hold by month: for each its columns, the earliest first.

    Examples
    --------
    >>> find_measures(["id", "revenue_2024_02", "revenue_2024_01", "revenue_2024_03", "revenue_2024_04"])
    {'revenue': ['revenue_2024_01', 'revenue_2024_02', 'revenue_2024_03', 'revenue_2024_04']}
    >>> find_measures(["Jan", "Feb", "Mar", "Apr", "Market"])
    {'Months': ['Jan', 'Feb', 'Mar', 'Apr']}
    >>> find_measures(["q1", "q2", "q3", "q4"])
    {}
    """
    periods: dict[str, dict[int, str]] = {}
    for name in names:
        found = _period(name)
        if found is not None:
            periods.setdefault(found[0], {}).setdefault(found[1], name)
    return {
        stem: [of_month[month] for month in sorted(of_month)]
        for stem, of_month in periods.items()
        if len(of_month) >= FEWEST and max(of_month) - min(of_month) == len(of_month) - 1
    }


def _period(name: str) -> Period | None:
    for form in (_YEAR_MONTH, _MONTH_YEAR, _COUNTED, _NAMED):
        match = form.fullmatch(name.strip())
        if match is None:
            continue
        parts = match.groupdict()
        month = int(parts["month"]) if parts.get("month") else month_number(plain(parts["name"]))
        if not 1 <= month <= 36:
            continue
        year = int(parts.get("year") or 0)
        stem = " ".join(re.sub(r"[_\s]+", " ", parts["stem"] or "").split()) + (parts.get("end") or "").rstrip()
        return stem.strip(" -./") or "Months", 12 * year + month
    return None


def _summary(stem: str, months: pd.DataFrame) -> dict[str, tuple[pd.Series, Column]]:
    amounts = months.to_numpy(np.float64)
    known = np.nan_to_num(amounts)
    half = amounts.shape[1] // 2
    first, second = known[:, :half].sum(axis=1), known[:, -half:].sum(axis=1)
    size = np.abs(first) + np.abs(second)
    trend = np.divide(second - first, size, out=np.zeros(len(size)), where=size > 0)
    had = known != 0
    since = np.where(had.any(axis=1), had[:, ::-1].argmax(axis=1), had.shape[1]).astype(np.int64)
    n = f"{number(amounts.shape[1])} months"
    made = {
        f"{stem} total": (known.sum(axis=1).round(6), f"sum of {n}"),
        f"{stem} trend": (trend.round(6), f"second half of {n} against the first, from -1 to 1"),
        f"{stem} months since last": (since, f"months at the end of {n} without any"),
    }
    return {
        name: (pd.Series(values, index=months.index), Column(name, "number", note, 0, len(np.unique(values))))
        for name, (values, note) in made.items()
    }
