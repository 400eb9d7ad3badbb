"""Features of customers from a panel, one row for each customer and month, quarter or year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.customers.descriptions import CustomerFeatures, Description, Unit
from analysis.customers.engines.frames import Engine, EngineName, finite, in_order, whole_units
from analysis.customers.engines.sessions import engine_for
from analysis.customers.spans.rows import keep_usable, take_latest
from analysis.settings.sources import Source
from analysis.sources.evidence.units import infer_unit
from analysis.sources.inference import label_of
from analysis.sources.tables import RawTable


def panel_features(
    raw: RawTable,
    source: Source,
    *,
    as_of: dt.date | None = None,
    engine: EngineName | Engine | None = None,
    setting: str = "columns",
) -> CustomerFeatures:
    """Add up amounts and counts over the periods, and take the latest value of balances.

    A total, the trend from the first half of the periods to the second, and the number of periods since the last
    amount are computed of each column in ``source.totals``; the latest known value of each column in
    ``source.balances``. A period without a row counts as none.

    Parameters
    ----------
    raw : RawTable
    source : Source
        Columns of the customer and of the period, totals and balances.
    as_of : date, optional
        Last day that counts.
    engine : {"duckdb", "spark"} or Engine, optional
        That of `analysis.customers.engines.sessions.execute_on` if absent.
    setting : str
        Place in the settings that messages name.

    Raises
    ------
    InputError
        A measure is no number of the table, or no row can be used.
    """
    customer, date = str(source.columns.customer), str(source.columns.date)
    totals, balances = source.totals, source.balances
    _check(raw, (*totals, *balances), setting)
    rows, last, notes = keep_usable(raw, customer, date, as_of, setting)
    measures = {f"total_{i}": name for i, name in enumerate(totals)}
    measures |= {f"balance_{i}": name for i, name in enumerate(balances)}
    days = np.sort(rows["_day"].unique())
    plain = pd.DataFrame(
        {"customer": rows["_key"], "place": rows["_place"], "period": np.searchsorted(days, rows["_day"].to_numpy())}
        | {plain: rows[name].astype("float64") for plain, name in measures.items()}
    )
    with engine_for(engine, plain) as opened:
        sums = _add_up(opened, plain, len(days))
    made, variables = _describe(raw, source, sums)
    said = [f"{listed(totals, 6)} added up over the periods." if totals else ""]
    said += [f"The latest value of {listed(balances, 6)} counts." if balances else ""]
    frame = in_order(pd.DataFrame(made).astype("float64"))
    return CustomerFeatures(frame, tuple(variables), last, {}, (*notes, *filter(None, said)))


def _describe(raw: RawTable, source: Source, sums: pd.DataFrame) -> tuple[dict[str, pd.Series], list[Description]]:
    """Give sums their names, and describe them."""
    customer, date = str(source.columns.customer), str(source.columns.date)
    variables = [
        Description("periods", "Periods with a row", "count", f"count of distinct {date}", (customer, date),
                    "In how many periods a customer is in the table.", additive=True)
    ]  # fmt: skip
    made = {"periods": sums["periods"]}
    for i, name in enumerate(source.totals):
        parts = {part: f"{name} {part}" for part in ("total", "trend", "periods since last")}
        made |= {column: sums[f"{part} {i}"] for part, column in parts.items()}
        variables += _describe_total(name, list(parts.values()), _unit(raw, name), (customer, date, name))
    for i, name in enumerate(source.balances):
        made[f"{name} latest"] = sums[f"balance_{i}"]
        variables.append(
            Description(
                f"{name} latest", f"{label_of(name)} at the end", _unit(raw, name), f"{name} of the last period",
                (customer, date, name), "The latest known value: values of several periods do not add up.",
            )
        )  # fmt: skip
    return made, variables


def _add_up(engine: Engine, plain: pd.DataFrame, n_periods: int) -> pd.DataFrame:
    """Add up totals over the periods of each customer and take the latest balances, by plain names."""
    F = engine.functions  # noqa: N806
    rows = engine.read(plain, {str(name): str(name) for name in plain}).frame
    totals = [str(name) for name in plain if str(name).startswith("total_")]
    units = {}
    if totals:
        largest = engine.first_row(rows.agg(*(F.max(F.abs(finite(F, name))).alias(name) for name in totals)))
        units = {name: whole_units(most, len(plain)) for name, most in largest.items()}
    by_period = engine.view(add_up_periods(rows, F, units), "rows_by_period")
    sums = engine.to_pandas(compare_periods(by_period, F, units, n_periods)).set_index("customer")
    for at, name in enumerate(units):
        first, second = sums[f"first_{at}"].to_numpy(float), sums[f"second_{at}"].to_numpy(float)
        size = np.abs(first) + np.abs(second)
        sums[f"total {at}"] = (sums[f"all_{at}"] / units[name]).round(6)
        sums[f"trend {at}"] = np.divide(second - first, size, out=np.zeros(len(size)), where=size > 0).round(6)
        sums[f"periods since last {at}"] = n_periods - 1 - sums[f"last_{at}"].fillna(-1)
    for name in map(str, plain):
        if name.startswith("balance_"):
            latest = engine.to_pandas(take_latest(rows, F, engine.window, name)).set_index("customer")
            sums[name] = latest[name].reindex(sums.index)
    return sums


def add_up_periods(rows: Any, F: Any, units: Mapping[str, float]) -> Any:  # noqa: N803
    """Add up the rows of each customer and period, as whole numbers of a small unit whose sums are exact.

    Parameters
    ----------
    rows : DataFrame of an engine
        customer, period (numbered from 0) and totals.
    F : module
        Functions of the engine.
    units : mapping of total to float
        Small units in 1.
    """
    made = [F.sum(F.round(finite(F, name) * F.lit(unit)).cast("bigint")).alias(name) for name, unit in units.items()]
    return rows.groupBy("customer", "period").agg(F.count(F.lit(1)).alias("n_rows"), *made)


def compare_periods(by_period: Any, F: Any, units: Mapping[str, float], n_periods: int) -> Any:  # noqa: N803
    """Sum all periods, the first half and the second half of each customer, and find the last with an amount.

    Parameters
    ----------
    by_period : DataFrame of an engine
        As from `add_up_periods`.
    F : module
    units : mapping of total to float
    n_periods : int
        Periods of the whole table.
    """
    half, period = n_periods // 2, F.col("period")
    made = [F.count(F.lit(1)).cast("double").alias("periods")]
    for at, name in enumerate(units):
        amount = F.coalesce(F.col(name), F.lit(0))
        parts = {
            "all": amount,
            "first": F.when(period < half, amount).otherwise(F.lit(0)),
            "second": F.when(period >= n_periods - half, amount).otherwise(F.lit(0)),
        }
        made += [F.sum(part).cast("double").alias(f"{word}_{at}") for word, part in parts.items()]
        made.append(F.max(F.when(amount != 0, period)).cast("double").alias(f"last_{at}"))
    return by_period.groupBy("customer").agg(*made)


def _describe_total(name: str, made: Sequence[str], unit: Unit, used: tuple[str, ...]) -> list[Description]:
    label = label_of(name)
    total, trend, since = made
    return [
        Description(
            total, f"{label} in total", unit, f"sum of {name}", used, "The sum over all periods.", additive=True
        ),
        Description(
            trend, f"{label} trend", "number", f"({name} in the second half - in the first) / both", used,
            "The second half of the periods against the first, from -1 to 1.",
        ),
        Description(
            since, f"{label}: periods since the last", "count", f"periods at the end without {name}", used,
            "How many periods have passed since the last one with an amount.",
        ),
    ]  # fmt: skip


def _unit(raw: RawTable, name: str) -> Unit:
    unit = infer_unit(raw, raw.column(name), "feature")
    return "money" if unit == "money" else "count" if unit == "count" else "number"


def _check(raw: RawTable, names: Sequence[str], setting: str) -> None:
    place = setting.removesuffix(".columns")
    if not names:
        raise InputError(
            f"{place}: no column of {raw.shown_path} is a number that differs between the periods of a customer.",
            f"Available columns: {listed(raw.frame.columns)}.",
            "Set totals or balances of the source.",
        )
    for name in names:
        if name not in raw.frame.columns or raw.column(name).type != "number":
            there = [column.name for column in raw.columns if column.type == "number"]
            raise InputError(
                f"{place}: '{name}' is no column of numbers of {raw.shown_path}.",
                f"Columns of numbers: {listed(there)}.",
                did_you_mean(name, there) or "Correct totals or balances.",
            )
