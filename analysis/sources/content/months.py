"""Columns of one measure by month, summed up; and columns of a year and a month, joined to a date."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.base.formats import number
from analysis.sources.columns import Column
from analysis.sources.forms.month_names import month_number
from analysis.sources.names import plain, vocabulary, words_of

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
_BEGINNINGS = vocabulary(
    "abr ago aou apr aug avr cze dec des dez dic ene feb fev gen giu gru jan jui jul jun kwi lip lis lug",
    "lut maa mag mai maj mar may mei mrt mrz nov oct okt ott out paz sep set sie sty wrz",
)
"""First letters of the months in all languages: only names that begin so are looked up, since Babel loads slowly."""
_YEARS = vocabulary("year years jahr annee an ano anio anno jaar fy geschaftsjahr exercice")
_MONTHS = vocabulary("month monat mois mes mese maand")
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
        made = summarise_periods(stem, frame[names])
        if set(made) & (set(frame.columns) | set(added)):
            continue
        added |= made
        reasons |= dict.fromkeys(names, f"one of {number(len(names))} months, summed up in '{stem} total' and others")
    if not added:
        return frame, columns
    values = {name: frame[name] for name in frame.columns} | {name: series for name, (series, _) in added.items()}
    read = [replace(column, replaced=reasons.get(column.name, "")) for column in columns]
    return pd.DataFrame(values, copy=False), (*read, *(column for _, column in added.values()))


def join_periods(
    frame: pd.DataFrame, columns: tuple[Column, ...], forced: Collection[str]
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Add a date where rows are periods of customers: a year, or a year and a month, differ in the rows of each.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : tuple of Column
    forced : collection of str
        Columns whose type is set, which are not used.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns + 1) where a date is added
    tuple of Column
        A column that became part of the date says so in ``replaced``.
    """
    open_ = [column for column in columns if column.name not in forced and not column.n_missing]
    years = [column for column in open_ if words_of(column.name) & _YEARS and _within(frame[column.name], 1990, 2100)]
    if len(years) != 1 or any(column.type == "date" for column in columns):
        return frame, columns
    months = {column.name: found for column in open_ if (found := _months_in(frame[column.name], column)) is not None}
    if len(months) > 1:
        return frame, columns
    year = years[0].name
    name = f"{year}, {next(iter(months))}" if months else f"{year} as a date"
    month = next(iter(months.values()), np.ones(len(frame), np.int64))
    stamps = ((frame[year].to_numpy(np.int64) - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[s]")
    if name in frame.columns or len(np.unique(stamps)) < 2:
        return frame, columns
    dated = frame.assign(**{name: stamps})
    rows = [column.name for column in columns if column.type == "key" and column.n_distinct <= 0.7 * len(frame)]
    if not any(not dated[[key, name]].duplicated().any() for key in rows):
        return frame, columns
    reason = f"part of the date '{name}'"
    parts = {year, *months}
    read = [replace(column, replaced=reason) if column.name in parts else column for column in columns]
    note = "first day of the month" if months else "first day of the year"
    return dated, (*read, Column(name, "date", note, 0, len(np.unique(stamps))))


def _within(values: pd.Series, low: int, high: int) -> bool:
    return values.dtype == np.int64 and bool(values.between(low, high).all())


def _months_in(values: pd.Series, column: Column) -> np.ndarray | None:
    """Return the months that a column holds as numbers or names; None for another column."""
    if not words_of(column.name) & _MONTHS:
        return None
    if column.type == "category":
        numbers = values.map({word: month_number(plain(str(word)).rstrip(".")) for word in values.unique()})
        return numbers.to_numpy(np.int64) if bool((numbers > 0).all()) else None
    return values.to_numpy(np.int64) if _within(values, 1, 12) else None


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
        month = int(parts["month"]) if parts.get("month") else _month_called(plain(parts["name"]))
        if not 1 <= month <= 36:
            continue
        year = int(parts.get("year") or 0)
        stem = " ".join(re.sub(r"[_\s]+", " ", parts["stem"] or "").split()) + (parts.get("end") or "").rstrip()
        return stem.strip(" -./") or "Months", 12 * year + month
    return None


def _month_called(name: str) -> int:
    return month_number(name) if name[:3] in _BEGINNINGS else 0


def summarise_periods(stem: str, months: pd.DataFrame, period: str = "month") -> dict[str, tuple[pd.Series, Column]]:
    """Sum up a measure over periods: total, trend and periods since the last, each with how it was made.

    Parameters
    ----------
    stem : str
        Name of the measure.
    months : DataFrame, shape (n_rows, n_periods)
        The earliest period first.
    period : str
        Noun for one of them.
    """
    amounts = months.to_numpy(np.float64)
    known = np.nan_to_num(amounts)
    half = amounts.shape[1] // 2
    first, second = known[:, :half].sum(axis=1), known[:, -half:].sum(axis=1)
    size = np.abs(first) + np.abs(second)
    trend = np.divide(second - first, size, out=np.zeros(len(size)), where=size > 0)
    had = known != 0
    since = np.where(had.any(axis=1), had[:, ::-1].argmax(axis=1), had.shape[1]).astype(np.int64)
    n = f"{number(amounts.shape[1])} {period}s"
    made = {
        f"{stem} total": (known.sum(axis=1).round(6), f"sum of {n}"),
        f"{stem} trend": (trend.round(6), f"second half of {n} against the first, from -1 to 1"),
        f"{stem} {period}s since last": (since, f"{period}s at the end of {n} without any"),
    }
    return {
        name: (pd.Series(values, index=months.index), Column(name, "number", note, 0, len(np.unique(values))))
        for name, (values, note) in made.items()
    }
