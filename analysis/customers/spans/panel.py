"""Features of customers from a panel, one row for each customer and month, quarter or year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.customers.descriptions import CustomerFeatures, Description, Unit
from analysis.customers.engines import in_order
from analysis.customers.spans.rows import keep_usable
from analysis.settings.sources import Source
from analysis.sources.content.months import summarise_periods
from analysis.sources.evidence.units import infer_unit
from analysis.sources.inference import label_of
from analysis.sources.tables import RawTable


def panel_features(
    raw: RawTable, source: Source, *, as_of: dt.date | None = None, setting: str = "columns"
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
    of_each = rows.groupby("_key")
    made: dict[str, pd.Series] = {"periods": of_each["_day"].nunique().astype("float64")}
    variables = [
        Description("periods", "Periods with a row", "count", f"count of distinct {date}", (customer, date),
                    "In how many periods a customer is in the table.", additive=True)
    ]  # fmt: skip
    for name in totals:
        amounts = rows[["_key", "_day"]].assign(amount=rows[name].astype("float64"))
        wide = amounts.groupby(["_key", "_day"])["amount"].sum().unstack().fillna(0.0)
        summary = {column: series for column, (series, _) in summarise_periods(name, wide, "period").items()}
        made |= summary
        variables += _describe_total(name, list(summary), _unit(raw, name), (customer, date, name))
    for name in balances:
        made[f"{name} latest"] = of_each[name].last().astype("float64")
        variables.append(
            Description(
                f"{name} latest", f"{label_of(name)} at the end", _unit(raw, name), f"{name} of the last period",
                (customer, date, name), "The latest known value: values of several periods do not add up.",
            )
        )  # fmt: skip
    said = [f"{listed(totals, 6)} added up over the periods." if totals else ""]
    said += [f"The latest value of {listed(balances, 6)} counts." if balances else ""]
    frame = in_order(pd.DataFrame(made).astype("float64"))
    return CustomerFeatures(frame, tuple(variables), last, {}, (*notes, *filter(None, said)))


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
