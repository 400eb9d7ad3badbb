"""When the customers of a segment buy: the month, the weekday and the part of the day that stand out."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.clustering.algorithms import Labels
from analysis.customers.periods import TimeCounts, count_times
from analysis.settings.models import Study
from analysis.sources.tables import RawTable

TimeKind = Literal["month", "weekday", "part"]
NAMES: dict[TimeKind, tuple[str, ...]] = {
    "weekday": tuple(calendar.day_name),
    "part": ("night", "morning", "afternoon", "evening"),
    "month": tuple(calendar.month_name[1:]),
}
"""Parts of the day are six hours each, from midnight."""
STANDS_OUT = 1.25
"""How far the most frequent time must lie above an even spread, at the lower end of its interval. Chosen for this
project."""
FEWEST_DAYS = 200
"""Fewest purchase days for which the times of a segment are stated. Chosen for this project."""
YEAR = 365


@dataclass(frozen=True, slots=True)
class BusyTime:
    """The most frequent time of a segment, where it stands out.

    Attributes
    ----------
    kind : {"month", "weekday", "part"}
    name : str
        Such as November, Saturday or evening.
    share, everyone : float
        Share of the purchase days of the segment, and of everyone.
    """

    kind: TimeKind
    name: str
    share: float
    everyone: float

    def in_words(self) -> str:
        """Return the time as a sentence goes on with it.

        >>> BusyTime("part", "night", 0.4, 0.3).in_words(), BusyTime("weekday", "Monday", 0.2, 0.15).in_words()
        ('at night', 'on a Monday')
        """
        if self.kind == "weekday":
            return f"on a {self.name}"
        return "at night" if self.name == "night" else f"in {'' if self.kind == 'month' else 'the '}{self.name}"


def find_busy_times(
    raws: Sequence[RawTable], study: Study, as_of: date | None, keys: pd.Series, labels: Labels
) -> tuple[tuple[BusyTime, ...], ...]:
    """Find when each segment buys more often than at other times.

    A day counts once a customer. Refunds do not count. Months are those of the year that ends with the newest
    purchase, and count where the purchases go back further than it; parts of the day count where dates have a time.

    Parameters
    ----------
    raws : sequence of RawTable
        In the order of ``study.sources``.
    study : Study
    as_of : date, optional
        Last day that counts.
    keys : Series of str, shape (n,)
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.

    Returns
    -------
    tuple of tuple of BusyTime, length k
        At most one of each kind, weekdays first; none without transactions.
    """
    k = int(labels.max())
    found: list[list[BusyTime]] = [[] for _ in range(k)]
    for kind, counts in _count(raws, study, as_of, keys, labels):
        for segment, time in _find_peaks(counts, kind, study.min_cell):
            found[segment - 1].append(time)
    return tuple(map(tuple, found))


def _count(
    raws: Sequence[RawTable], study: Study, as_of: date | None, keys: pd.Series, labels: Labels
) -> Iterator[tuple[TimeKind, TimeCounts]]:
    """Count purchase days and customers by segment and time, kind by kind; nothing without purchases."""
    pairs = list(zip(raws, study.sources, strict=True))
    scanned = [(raw, source) for raw, source in pairs if source.kind == "transactions" and raw.scan is not None]
    if scanned:
        # A source whose rows are scanned is the only one of transactions.
        raw, source = scanned[0]
        known = count_times(raw, source.columns, as_of, keys, labels)
        yield from ((kind, known[kind]) for kind in NAMES if kind in known)
        return
    k = int(labels.max())
    bought = [
        _purchases(raw.frame, source.columns, as_of, keys) for raw, source in pairs if source.kind == "transactions"
    ]
    if not bought or not sum(map(len, bought)):
        return
    purchases = pd.concat(bought)
    for kind in NAMES:
        placed = _place(purchases, kind)
        once = placed[["row", "place"]].drop_duplicates()
        days, people = (
            _cross(labels[each["row"].to_numpy()], each["place"].to_numpy(), k, len(NAMES[kind]))
            for each in (placed, once)
        )
        yield kind, TimeCounts(days, people)


def _purchases(frame: pd.DataFrame, columns: Any, as_of: date | None, keys: pd.Series) -> pd.DataFrame:
    """The customers of the study and the moments of their purchases, as rows of numbers: ``row`` and ``moment``."""
    codes, names = pd.factorize(frame[columns.customer])
    numeric = pd.api.types.is_numeric_dtype(names.dtype)
    texts = [str(int(name)) if numeric and name == int(name) else str(name).strip() for name in names]
    rows = np.append(pd.Index(keys.astype("str")).get_indexer(pd.Index(texts, dtype="str")), -1)[codes]
    moments: Any = frame[columns.date]
    if moments.dt.tz is not None:
        moments = moments.dt.tz_localize(None)
    kept = (rows >= 0) & moments.notna().to_numpy() & (frame[columns.amount].to_numpy(float, na_value=np.nan) >= 0)
    if as_of is not None:
        kept &= (moments < pd.Timestamp(as_of) + pd.Timedelta(days=1)).to_numpy()
    return pd.DataFrame({"row": rows[kept], "moment": moments[kept].to_numpy("datetime64[s]")})


def _place(purchases: pd.DataFrame, kind: TimeKind) -> pd.DataFrame:
    """Each day of each customer once, with its place among the times of a kind; empty where these say nothing."""
    moments = purchases["moment"]
    days = moments.to_numpy("datetime64[D]").astype(np.int64)
    if kind == "month":
        places = moments.dt.month.to_numpy() - 1
        whole = days.max() - days.min() >= YEAR
        kept = (days > days.max() - YEAR) & whole
    elif kind == "weekday":
        places, kept = moments.dt.day_of_week.to_numpy(), np.ones(len(days), bool)
    else:
        places = moments.dt.hour.to_numpy() // 6
        kept = np.full(len(days), bool((moments.dt.hour != 0).any()))
    placed = pd.DataFrame({"row": purchases["row"], "day": days, "place": places})[kept]
    return placed.drop_duplicates()


def _find_peaks(counts: TimeCounts, kind: TimeKind, min_cell: int) -> list[tuple[int, BusyTime]]:
    """The most frequent time of each segment where the lower end of its 95% interval stands out."""
    names, days, people = NAMES[kind], counts.days, counts.people
    everyone = days.sum(axis=0)
    peaks = []
    for segment in range(1, len(days)):
        own, n = days[segment], int(days[segment].sum())
        if n < FEWEST_DAYS:
            continue
        at = int(own.argmax())
        share = float(own[at]) / n
        lower = share - 1.96 * float(np.sqrt(share * (1 - share) / n))
        if people[segment, at] >= min_cell and lower * len(names) >= STANDS_OUT:
            peaks.append((segment, BusyTime(kind, names[at], share, float(everyone[at] / everyone.sum()))))
    return peaks


def _cross(segments: Labels, places: NDArray[np.int64], k: int, n_places: int) -> NDArray[np.int64]:
    flat = np.bincount(segments.astype(np.int64) * n_places + places, minlength=(k + 1) * n_places)
    return flat.reshape(k + 1, n_places)
