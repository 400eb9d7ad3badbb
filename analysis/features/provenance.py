"""Origin of the data: size, period and unmatched rows of each source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.base.locales import NOT_WITHIN_NUMBER
from analysis.customers.assembly import Joined
from analysis.customers.periods import UNITS, count_periods
from analysis.features.binning import Bar, month_bars, pick_bars, round_bars
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS, Source
from analysis.sources.tables import RawTable


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """A table that came in.

    Attributes
    ----------
    name, kind : str
        File name without folders; customers, transactions, survey or events.
    rows, columns : int
    sha256 : str
        Of its bytes, first twelve digits.
    notes : tuple of str
        How it was read and what was left out, fit for a page.
    unknown : int, optional
        Its customers that are not in the base; None for the base itself.
    without : int, optional
        Customers of the base who have no row here.
    dated : str
        The column that says when; empty where none does.
    first, last : str
        First and last month in which ``min_cell`` customers or more have a row; empty where there is none.
    bars : tuple of Bar
        Rows of transactions or events by month, quarter or year; empty where these hold too few customers.
    """

    name: str
    kind: str
    rows: int
    columns: int
    sha256: str
    notes: tuple[str, ...]
    unknown: int | None
    without: int | None
    dated: str
    first: str
    last: str
    bars: tuple[Bar, ...]


def summarise_sources(
    raws: Sequence[RawTable], study: Study, joined: Mapping[int, Joined], explained: Sequence[Sequence[str]] = ()
) -> tuple[SourceSummary, ...]:
    """Summarise each source, safe to publish; ``explained`` describes how the rows of each were read."""
    summaries = []
    for i, (raw, source) in enumerate(zip(raws, study.sources, strict=True)):
        match = joined.get(i, Joined(None, None, ()))
        notes = (*raw.notes, *(explained[i] if explained else ()), *match.notes)
        dated = _date_column(raw, source)
        customer = source.columns.customer or source.key
        people = raw.frame[customer] if customer else None
        events = source.kind in ROW_KINDS
        if raw.scan is not None and customer and dated:
            first, last, bars = _span_of_scan(raw, customer, dated, study.min_cell)
        else:
            first, last, bars = _span(raw.frame[dated], people, events, study.min_cell) if dated else ("", "", ())
        summaries.append(
            SourceSummary(
                raw.shown_path,
                source.kind,
                raw.n_all,
                len(raw.columns),
                raw.sha256[:12],
                tuple(without_few(without_values(note), study.min_cell) for note in notes),
                match.unknown,
                match.without,
                source.labels.get(dated, dated),
                first,
                last,
                bars,
            )
        )
    return tuple(summaries)


def without_values(note: str) -> str:
    """Return a note without the values that it gives as examples.

    >>> without_values("2 not a date taken as missing ('soon', 'later', 'May' and 4 more)")
    '2 not a date taken as missing'
    """
    ends = r"(?=; [\d,]+ (?:values|infinite|outside|far from|not an?) |\.?\Z)"
    return re.sub(rf" \('.*?'(?: and \d+ more)?\){ends}", "", note, flags=re.DOTALL)


def without_few(note: str, min_cell: int) -> str:
    """Return a note in which no count of rows or values is below ``min_cell``.

    >>> without_few("3 transactions without a date were left out.", 10)
    'fewer than 10 transactions without a date were left out.'
    >>> without_few("1 row left out: values of name that the settings leave out", 10)
    'fewer than 10 rows left out: values of name that the settings leave out'
    """
    note = re.sub(r"^1 row left out", "1 rows left out", note)
    kinds = "transactions|events|customers|values|addresses|infinite|outside|far from|not an? |missing|written as"
    kinds += "|rows left out"
    counted = rf"(?<![\w.,'-]){NOT_WITHIN_NUMBER}\d+(?= (?:{kinds})\b)"
    return re.sub(counted, lambda n: f"fewer than {min_cell}" if 0 < int(n[0]) < min_cell else n[0], note)


def _date_column(raw: RawTable, source: Source) -> str:
    """The column that the settings name, else the first date that is not ignored."""
    dates = [c.name for c in raw.columns if c.type == "date" and c.name not in source.roles.ignore]
    return source.columns.date if source.columns.date in dates else next(iter(dates), "")


def _span(dates: pd.Series, people: pd.Series | None, of_rows: bool, min_cell: int) -> tuple[str, str, tuple[Bar, ...]]:
    months = dates.dt.to_period("M")
    n_people = months.value_counts() if people is None else people.groupby(months).nunique()
    busy = sorted(n_people.index[n_people >= min_cell])
    bars = month_bars(dates, people, min_cell) if of_rows else ()
    if 0 < dates.isna().sum() < min_cell:
        bars = round_bars(bars, min_cell)
    return (str(busy[0]), str(busy[-1]), bars) if busy else ("", "", bars)


def _span_of_scan(raw: RawTable, customer: str, dated: str, min_cell: int) -> tuple[str, str, tuple[Bar, ...]]:
    """Return the same of rows that an engine counts."""
    months = count_periods(raw, customer, dated, "M")
    busy = sorted(months.people.index[months.people >= min_cell])
    bars = pick_bars((months if unit == "M" else count_periods(raw, customer, dated, unit) for unit in UNITS), min_cell)
    if 0 < raw.n_rows - int(months.rows.sum()) < min_cell:
        bars = round_bars(bars, min_cell)
    return (str(busy[0]), str(busy[-1]), bars) if busy else ("", "", bars)
