"""Computation of customers from sources with many rows each, such as transactions and events."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import percentage
from analysis.base.run import PLAIN, Run
from analysis.customers.descriptions import Columns, CustomerFeatures, Description, EventColumns, Levels
from analysis.customers.events import event_features
from analysis.customers.lifetime_value import SHORTEST_TEST, LifetimeValue, estimate_value
from analysis.customers.spans.panel import panel_features
from analysis.customers.spans.subscriptions import subscription_features
from analysis.customers.transactions import customer_features, purchase_histories
from analysis.settings.sources import ROW_KINDS, Source
from analysis.sources.tables import RawTable

Placed = tuple[int, RawTable, Source]
"""A source with its place in the settings."""
FEWEST_FOR_VALUE = 300
"""Fewest customers that lifetime value is fitted on. Chosen for this project."""


def compute_customers(
    pairs: Sequence[Placed],
    as_of: dt.date | None,
    levels: Sequence[Levels] | None,
    known: pd.Index | None,
    run: Run = PLAIN,
) -> dict[int, tuple[CustomerFeatures, LifetimeValue | None]]:
    """Compute customers from each source with several rows for a customer, by its place in the settings.

    Parameters
    ----------
    pairs : sequence of (int, RawTable, Source)
        Every source with its place in the settings.
    as_of : date, optional
        Last day that counts.
    levels : sequence of Levels, optional
        Those of an earlier run, by source; no lifetime value is then fitted.
    known : Index, optional
        Keys of the customers, where another table names them.
    run : Run, optional

    Raises
    ------
    InputError
        Where a column that a source needs is missing or not set.
    """
    return {
        i: _compute(raw, source, as_of, i, levels[i] if levels else None, known, run)
        for i, raw, source in pairs
        if source.kind in ROW_KINDS
    }


def _compute(
    raw: RawTable,
    source: Source,
    as_of: dt.date | None,
    i: int,
    levels: Levels | None,
    known: pd.Index | None,
    run: Run,
) -> tuple[CustomerFeatures, LifetimeValue | None]:
    place = f"_quarto.yml, segmentation.sources[{i}].columns"
    named = {name: column for name, column in source.columns.model_dump().items() if column}
    absent = [column for column in named.values() if column not in raw.frame.columns]
    if absent:
        part = next(name for name, column in named.items() if column == absent[0])
        there = list(raw.frame.columns)
        raise InputError(
            f"{place}.{part}: column '{absent[0]}' is not in {raw.shown_path}.",
            f"Available columns: {listed(there)}.",
            did_you_mean(absent[0], there),
        )
    needed = ("customer", "date", "amount") if source.kind == "transactions" else ("customer", "date")
    for part in needed:
        if part not in named:
            raise InputError(
                f"{place}.{part}: not set; a source of {source.kind} needs it.",
                f"Columns of {raw.shown_path}: {listed(raw.frame.columns)}.",
            )
    if source.kind != "transactions":
        return _compute_others(raw, source, as_of, place), None
    columns = Columns(**{name: named[name] for name in Columns.__dataclass_fields__ if name in named})
    features = customer_features(raw.rows, columns, as_of=as_of, levels=levels, known=known, setting=place)
    if levels is not None:
        return features, None
    return _with_lifetime_value(features, raw, columns, place, known, run)


def _compute_others(raw: RawTable, source: Source, as_of: dt.date | None, place: str) -> CustomerFeatures:
    """Compute customers from events, sessions, subscriptions or a panel."""
    columns = source.columns
    if source.kind == "subscriptions":
        return subscription_features(raw, columns, as_of=as_of, setting=place)
    if source.kind == "panel":
        return panel_features(raw, source, as_of=as_of, setting=place)
    wanted = EventColumns(str(columns.customer), str(columns.date), columns.session, columns.event)
    if source.kind == "sessions":
        wanted = replace(wanted, event=None, each_session=True, pages=columns.pages, duration=columns.duration)
    return event_features(raw.frame, wanted, as_of=as_of, setting=place)


def _with_lifetime_value(
    features: CustomerFeatures, raw: RawTable, columns: Columns, place: str, known: pd.Index | None, run: Run
) -> tuple[CustomerFeatures, LifetimeValue | None]:
    """Add the expected spend of the next year, where the history is long enough for the models to be fitted.

    The models learn from the customers of the study alone: ``known`` has their keys where another table names them.
    """
    names = features.frame.index.astype(str)
    if len(names if known is None else names.intersection(known)) < FEWEST_FOR_VALUE:
        note = f"Lifetime value needs {FEWEST_FOR_VALUE} customers or more and was left out."
        return replace(features, notes=(*features.notes, note)), None
    rows = raw.rows if features.population is None else raw.rows.among(columns.customer, names)
    try:
        histories = purchase_histories(rows, columns, as_of=features.as_of, setting=place)
        if known is not None:
            histories = histories[histories.index.astype(str).isin(known)]
        earlier, weeks = None, math.floor(7 * histories["T"].max() / 2) / 7
        if weeks >= SHORTEST_TEST:
            day = features.as_of - dt.timedelta(weeks=weeks)
            earlier = purchase_histories(rows, columns, as_of=day, setting=place)
            earlier = earlier[earlier.index.isin(histories.index)]
            if len(earlier) < FEWEST_FOR_VALUE:
                earlier = None
        value = run.cached(estimate_value)(histories, earlier, weeks)
    except InputError as error:
        reason = str(error).splitlines()[0].removeprefix("Lifetime value: ")
        note = f"Lifetime value was left out: {reason}"
        return replace(features, notes=(*features.notes, note)), None
    used = (columns.customer, columns.date, columns.amount)
    whose, missing = "Chance of still being a customer", ""
    if not value.purchases.early:
        whose = "Chance that a repeat buyer is still a customer"
        missing = " Missing for customers who bought once, as the model cannot tell whether they have left."
    made = (
        Description(
            "clv", "Expected spend in the next year", "money", f"{value.purchases.name} and Gamma-Gamma", used,
            "Purchases expected in the 52 weeks after the study's date times their value, discounted at "
            f"{percentage(0.1)} a year.",
            additive=True,
        ),
        Description(
            "alive", whose, "share", value.purchases.name, used,
            f"By how often and how recently a customer bought; a model's estimate, not an observation.{missing}",
        ),
    )  # fmt: skip
    frame = features.frame.join(value.frame[["clv", "alive"]])
    value = replace(value, frame=value.frame.set_axis(value.frame.index.astype(str)))
    if value.tried:
        tried = value.tried.frame
        value = replace(value, tried=replace(value.tried, frame=tried.set_axis(tried.index.astype(str))))
    return replace(features, frame=frame, variables=(*features.variables, *made)), value
