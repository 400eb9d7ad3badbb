"""Outcomes of the customers of a test: from a file, or from transactions or events within its window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import InputError, listed
from analysis.customers.outcomes import count_visits, find_last_day, sum_purchases
from analysis.experiments.allocation import CONTROL
from analysis.experiments.importers import write_texts
from analysis.experiments.permissions import YES
from analysis.experiments.records import Experiment
from analysis.experiments.statistics import Values
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import RawTable, read_table

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "ordered": "transactions",
        "orders": "transactions",
        "spend": "transactions",
        "visited": "events",
        "visits": "events",
    }
)
"""KPIs that the data of a study hold, and the kind of source that holds them."""
COUNTED: Mapping[str, str] = MappingProxyType({"ordered": "orders", "visited": "visits"})
"""Shares of customers, and the count that has to be above 0."""
KEYS, VALUES, DATES = ("key", "customer", "customer_id", "id"), ("outcome", "value", "result"), ("date", "day", "as_of")
BEFORE, CONTACTED, SPEND = "before", "contacted", "spend"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcome of each customer of a test, in the order of its groups.

    Attributes
    ----------
    values : ndarray of float, shape (n,)
        NaN where not known.
    before : ndarray of float, shape (n,), optional
        The same before the start.
    source : str
    order_values : ndarray of float, shape (n,), optional
        What an order, or for the share of those who order a customer's orders, came to; NaN without an order.
    """

    values: Values
    before: Values | None
    source: str
    order_values: Values | None = None


def read_outcomes(
    root: Path, place: str, test: Experiment, groups: pd.DataFrame, key: str, as_of: str
) -> tuple[Outcomes, str]:
    """Read outcomes from a file or a database.

    Parameters
    ----------
    root : Path
    place : str
    test : Experiment
    groups : DataFrame
    key : str
        Name of the key in the study.
    as_of : str
        Date of the data; dates in the file that are later count instead.

    Returns
    -------
    Outcomes
    str
        Date of the outcomes.

    Raises
    ------
    InputError
        Where a customer of the test is missing, an outcome is older than the start, or the control was contacted.
    """
    raw = read_table(place, root=root, reading=Reading(setting="--outcomes"), fewest=1)
    frame, where = raw.frame, f"--outcomes {raw.shown_path}"
    named = {str(column).casefold(): str(column) for column in frame.columns}
    keys = _find(named, (key, *KEYS), f"{where}: no column holds the customers' keys", frame)
    column = _find(named, (test.kpi, *VALUES), f"{where}: no column holds the outcome", frame)
    table = frame.set_index(write_texts(frame[keys]).str.strip())
    if table.index.has_duplicates:
        twice = str(table.index[table.index.duplicated()][0])
        raise InputError(f"{where}: customer '{twice}' has several rows.", "Expected one row for each customer.")
    if absent := sorted(set(groups["key"]) - set(table.index)):
        raise InputError(
            f"{where}: {len(absent):,} of the {len(groups):,} customers of test '{test.name}' are missing, "
            f"such as '{absent[0]}'.",
            "Expected a row for every customer who was allocated, contacted or not.",
            "Write 0 for customers without a result, and an empty cell where it is unknown.",
        )
    table = table.reindex(groups["key"])
    as_of = max(as_of, _check_dates(table, named, test, where))
    _check_control(table, named, test, groups, where)
    before = _numbers(table[named[BEFORE]], where) if BEFORE in named else None
    values, order_values = _numbers(table[column], where), None
    if SPEND in named and column != named[SPEND]:
        order_values = _value_orders(values, _numbers(table[named[SPEND]], where), test.kpi)
    return Outcomes(values, before, "a file of outcomes", order_values), as_of


def _check_dates(table: pd.DataFrame, named: dict[str, str], test: Experiment, where: str) -> str:
    """Return the newest date of outcomes, none of which may lie before the start; empty without any."""
    date = next((named[name] for name in DATES if name in named), None)
    if date is None:
        return ""
    days = pd.to_datetime(table[date], errors="coerce")
    if (days < pd.Timestamp(test.start)).any():
        raise InputError(
            f"{where}: an outcome of {days.min().date()} lies before test '{test.name}' started on {test.start}.",
            "Expected outcomes from the window of the test only.",
        )
    newest = days.max()
    return newest.date().isoformat() if pd.notna(newest) else ""


def _check_control(
    table: pd.DataFrame, named: dict[str, str], test: Experiment, groups: pd.DataFrame, where: str
) -> None:
    """Refuse outcomes of a test whose control group was contacted."""
    if CONTACTED not in named:
        return
    contacted = write_texts(table[named[CONTACTED]]).str.lower().isin(YES).to_numpy()
    if n := int((contacted & (groups["group"] == CONTROL).to_numpy()).sum()):
        raise InputError(
            f"{where}: {n:,} customers of the control group of test '{test.name}' were contacted.",
            "A contaminated control group shows too small an effect.",
            f"Check the file. If it is right, stop the test: python -m analysis test stop {test.name} --write",
        )


def sum_outcomes(tables: Sequence[RawTable], study: Study, test: Experiment, groups: pd.DataFrame) -> Outcomes:
    """Compute outcomes from the data of a study, in the window and in as many days before it.

    Parameters
    ----------
    tables : sequence of RawTable
        In the order of ``study.sources``.
    study : Study
    test : Experiment
    groups : DataFrame
    """
    kind = KINDS[test.kpi]
    table, source = find_source(tables, study, kind)
    add_up = count_visits if kind == "events" else sum_purchases
    start, stop = dt.date.fromisoformat(test.start), dt.date.fromisoformat(test.stop)
    before = start - dt.timedelta(days=test.days)
    sums = [
        add_up(table, source.columns, first, last)
        for first, last in ((start, stop), (before, start - dt.timedelta(days=1)))
    ]
    values = [_of_kpi(each, test.kpi, groups["key"]) for each in sums]
    worth = _value_orders(values[0], _of_kpi(sums[0], SPEND, groups["key"]), test.kpi) if SPEND in sums[0] else None
    return Outcomes(values[0], values[1], kind, worth)


def _value_orders(values: Values, spend: Values, kpi: str) -> Values | None:
    """Return what one more of the KPI came to for each customer who ordered; None for KPIs that are no orders."""
    if kpi not in ("ordered", "orders"):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, spend / values, np.nan)


def find_source(tables: Sequence[RawTable], study: Study, kind: str) -> tuple[RawTable, Source]:
    """Return the first source of a kind, ``transactions`` or ``events``.

    Raises
    ------
    InputError
        Where it has none.
    """
    for table, source in zip(tables, study.sources, strict=True):
        if source.kind == kind:
            return table, source
    raise InputError(
        f"This study has no {kind} to measure a test by.",
        "Expected a source of this kind, or a file with the outcomes.",
        "Give the file: python -m analysis measure NAME --outcomes results.csv",
    )


def date_data(tables: Sequence[RawTable], study: Study, kind: str) -> str:
    """Return the newest day of the sources of a kind; empty without any."""
    days = [
        find_last_day(table, source.columns)
        for table, source in zip(tables, study.sources, strict=True)
        if source.kind == kind
    ]
    return max((day.isoformat() for day in days if day), default="")


def _of_kpi(sums: pd.DataFrame, kpi: str, keys: pd.Series) -> Values:
    known = sums.reindex(keys).fillna(0.0)
    values = (known[COUNTED[kpi]] > 0) if kpi in COUNTED else known[kpi]
    return np.asarray(values, dtype="float64")


def _find(named: dict[str, str], wanted: Sequence[str], what: str, frame: pd.DataFrame) -> str:
    found = next((named[name.casefold()] for name in wanted if name.casefold() in named), None)
    if found is None:
        raise InputError(
            f"{what}.",
            f"Columns there: {listed(map(str, frame.columns))}.",
            f"Call it {wanted[0]}{f' or {wanted[1]}' if wanted[1] != wanted[0] else ''}.",
        )
    return found


def _numbers(values: pd.Series, where: str) -> Values:
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        known: Any = values.astype("Float64")
        return known.to_numpy("float64", na_value=np.nan)
    texts = write_texts(values).str.strip()
    numbers: Any = pd.to_numeric(texts, errors="coerce")
    if bad := sorted(set(texts[numbers.isna() & (texts != "")]))[:3]:
        raise InputError(f"{where}: the outcome {bad[0]!r} is no number.", "Expected numbers, or yes and no.")
    return numbers.to_numpy(np.float64)
