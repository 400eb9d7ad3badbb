"""Labels, units, formulas and explanations of computed features."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import pandas as pd

from analysis.sources.large.drawing import Population

Unit = Literal["money", "count", "share", "days", "number", "category"]
Levels = Mapping[str, tuple[str | None, ...]]
"""Levels of a category or channel with a share of their own, by role; None stands for all others."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a transaction table, one row per purchase line.

    Attributes
    ----------
    customer, date, amount : str
        Negative amounts are refunds.
    order : str, optional
        Number of the order a line belongs to; without it a day with purchases counts as one order.
    quantity, category, channel : str, optional
    """

    customer: str
    date: str
    amount: str
    order: str | None = None
    quantity: str | None = None
    category: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Names of the columns of an event table, one row an event.

    Attributes
    ----------
    customer, time : str
    session : str, optional
        Without it, sessions are cut at pauses.
    event : str, optional
        What happened, such as a page view or a purchase; without it every row is a page view.
    each_session : bool
        Whether each row is a whole session.
    pages, duration : str, optional
        Of a session.
    """

    customer: str
    time: str
    session: str | None = None
    event: str | None = None
    each_session: bool = False
    pages: str | None = None
    duration: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a page needs to know of one feature.

    Attributes
    ----------
    name, label : str
    unit : {"money", "count", "share", "days", "number", "category"}
    formula : str
    columns : tuple of str
        Source columns.
    about : str
        One sentence.
    high, low : str
        Words for customers far above and far below everyone, as a plural noun.
    additive : bool
        Whether it is a sum or a count, of which a customer without a row has 0. An average, a share, a gap or a trend
        of nothing is missing.
    """

    name: str
    label: str
    unit: Unit
    formula: str
    columns: tuple[str, ...]
    about: str
    high: str = ""
    low: str = ""
    additive: bool = False


@dataclass(frozen=True, slots=True)
class CustomerFeatures:
    """One row per customer.

    Attributes
    ----------
    frame : DataFrame of float64, shape (n_customers, n_features)
        Indexed by the customer key as text, shorter keys first, then by text; missing = NaN.
    variables : tuple of Description
        In the order of the columns.
    as_of : date
        The day that recency and tenure are counted to.
    levels : mapping of column role to levels
        Levels with a share of their own; None stands for all others. Given back to `customer_features`
        they yield the same columns from other rows.
    notes : tuple of str
        What was left out or counted apart, as sentences.
    population : Population, optional
        All customers, where ``frame`` is a sample of them.
    """

    frame: pd.DataFrame
    variables: tuple[Description, ...]
    as_of: date
    levels: Levels
    notes: tuple[str, ...]
    population: Population | None = None


def describe_purchases(columns: Columns, levels: Levels) -> tuple[Description, ...]:
    """Describe the features that `analysis.customers.transactions.customer_features` makes of these columns."""
    who, on, paid, order = columns.customer, columns.date, columns.amount, columns.order
    one, ones = ("order", "Orders") if order else ("purchase day", "Purchase days")
    bought = f"{paid} >= 0"
    spend = f"sum of {paid} where {bought}"
    dated, priced, both = (who, on, paid), (who, paid), (who, on, paid)
    ordered = (who, order, paid) if order else both
    made = [
        Description(
            "recency_days", "Days since the last purchase", "days", f"as-of date - last {on} where {bought}",
            dated, "How long ago a customer last bought, counted to the as-of date.",
            "lapsed buyers", "recent buyers",
        ),
        Description(
            "frequency", ones, "count", f"count of distinct {order or on} where {bought}",
            ordered, f"How often a customer bought: every {one} counts once, refunds do not count.",
            "frequent buyers", "occasional buyers", additive=True,
        ),
        Description(
            "spend", "Total spend", "money", spend,
            priced, "Everything a customer bought; refunds are counted apart.",
            "big spenders", "small spenders", additive=True,
        ),
        Description(
            "order_value", f"Average spend per {one}", "money", f"({spend}) / frequency",
            ordered, f"Total spend divided by {ones.lower()}; missing for customers who never bought.",
            "big-basket buyers", "small-basket buyers",
        ),
        *_describe_rhythm(columns),
        Description(
            "refund_value", "Refunds", "money", f"-sum of {paid} where {paid} < 0",
            priced, "What a customer was paid back.",
            "customers with large refunds", "customers with small refunds", additive=True,
        ),
        Description(
            "refund_share", "Refunds per spend", "share", "refund_value / spend",
            priced, "Refunds divided by spend; more than all of it where older purchases were paid back.",
            "customers who return much", "customers who return little",
        ),
    ]  # fmt: skip
    if columns.quantity:
        made.append(
            Description(
                "items", "Items bought", "count", f"sum of {columns.quantity} where {bought}",
                (who, columns.quantity, paid), "How many pieces a customer bought.",
                "buyers of many items", "buyers of few items", additive=True,
            )
        )  # fmt: skip
    return (*made, *_describe_shares(columns, levels))


def _describe_rhythm(columns: Columns) -> list[Description]:
    """Describe when a customer buys: since when, how evenly, and whether more or less than before."""
    who, on, paid = columns.customer, columns.date, columns.amount
    bought, dated = f"{paid} >= 0", (who, on, paid)
    return [
        Description(
            "tenure_days", "Days since the first purchase", "days", f"as-of date - first {on} where {bought}",
            dated, "How long a customer has been one, counted to the as-of date.",
            "long-standing customers", "new customers",
        ),
        Description(
            "active_months", "Months with a purchase", "count",
            f"count of distinct months of {on} where {bought}",
            dated, "In how many calendar months a customer bought.",
            "steady buyers", "buyers of few months", additive=True,
        ),
        Description(
            "gap_days", "Days between purchases", "days", f"mean difference between the days of {on}",
            dated, "The usual pause between two purchase days; missing for customers of one day.",
            "slow-paced buyers", "fast-paced buyers",
        ),
        Description(
            "gap_sd_days", "Unevenness of the pauses", "days",
            f"standard deviation of the differences between the days of {on}",
            dated, "How much the pauses between purchase days vary; needs three purchase days.",
            "irregular buyers", "regular buyers",
        ),
        Description(
            "trend", "Share of spend in the second half", "share",
            f"sum of {paid} after the middle between first {on} and as-of date / spend",
            dated, "The part of the spend in the second half of the time since the first purchase.",
            "buyers on the rise", "fading buyers",
        ),
    ]  # fmt: skip


def _describe_shares(columns: Columns, levels: Levels) -> list[Description]:
    """Describe the share of spend that goes to each category and channel."""
    who, paid = columns.customer, columns.amount
    bought, made = f"{paid} >= 0", list[Description]()
    for role, of_role in levels.items():
        column = str(getattr(columns, role))
        through, kind = ("on", "buyers") if role == "category" else ("through", "shoppers")
        for level, name in zip(of_role, share_names(role, of_role), strict=True):
            level_label = level or ("other categories" if role == "category" else "other channels")
            test = f"{column} = '{level}'" if level else f"{column} is none of those with a share of their own"
            made.append(
                Description(
                    name, f"Share of spend {through} {level_label}", "share",
                    f"sum of {paid} where {bought} and {test} / spend",
                    (who, column, paid), f"The part of a customer's spend that goes {through} {level_label}.",
                    f"{level_label} {kind}", f"customers who spend little {through} {level_label}",
                )
            )  # fmt: skip
    return made


def describe_visits(columns: EventColumns, session_minutes: float) -> tuple[Description, ...]:
    """Describe the features that `analysis.customers.events.event_features` makes of these columns."""
    if columns.each_session:
        return _describe_sessions(columns)
    who, at = columns.customer, columns.time
    cut = columns.session or f"pauses over {session_minutes:g} minutes in {at}"
    in_session = (who, columns.session or at)
    made = [
        Description(
            "days_since_visit", "Days since the last visit", "days", f"as-of date - last {at}",
            (who, at), "How long ago a customer last visited, counted to the as-of date.",
            "lapsed visitors", "recent visitors",
        ),
        Description(
            "sessions", "Sessions", "count", f"count of sessions by {cut}",
            in_session, "How many visits a customer made.", "frequent visitors", "occasional visitors", additive=True,
        ),
        Description(
            "active_days", "Days with a visit", "count", f"count of distinct days of {at}",
            (who, at), "On how many days a customer visited.",
            "visitors of many days", "visitors of few days", additive=True,
        ),
        Description(
            "events", "Events", "count", "count of rows",
            (who,), "Everything a customer did there, counted.", "busy visitors", "quiet visitors", additive=True,
        ),
        Description(
            "pages_per_session", "Pages per session", "number", "page views / sessions",
            (*in_session, *([columns.event] if columns.event else [])),
            "How many pages a customer looks at in one visit.", "thorough browsers", "brief browsers",
        ),
    ]  # fmt: skip
    if columns.event:
        made.append(
            Description(
                "conversion", "Sessions with a purchase", "share", "sessions with a purchase / sessions",
                (*in_session, columns.event), "The part of a customer's visits that end in a purchase.",
                "visitors who buy", "visitors who only look",
            )
        )  # fmt: skip
    return tuple(made)


def _describe_sessions(columns: EventColumns) -> tuple[Description, ...]:
    """Describe the features of rows that are whole sessions."""
    visits = {v.name: v for v in describe_visits(EventColumns(columns.customer, columns.time), 0)}
    made = [
        visits["days_since_visit"],
        replace(visits["sessions"], formula="count of rows", columns=(columns.customer,)),
        visits["active_days"],
    ]
    if columns.pages:
        used = (columns.customer, columns.pages)
        made.append(replace(visits["pages_per_session"], formula=f"mean of {columns.pages}", columns=used))
    if columns.duration:
        made.append(
            Description(
                "session_length", "Average duration of a session", "number", f"mean of {columns.duration}",
                (columns.customer, columns.duration),
                f"How long a session of a customer lasts, in the unit of {columns.duration}.",
                "visitors who stay long", "visitors who leave soon",
            )
        )  # fmt: skip
    return tuple(made)


def share_names(role: str, levels: Sequence[str | None]) -> list[str]:
    """Name the share of each level, in plain lower-case words, no two alike.

    >>> share_names("category", ["Fruit & veg", "fruit veg", None])
    ['category_fruit_veg_share', 'category_fruit_veg_2_share', 'category_other_share']
    """
    names: list[str] = []
    for level in levels:
        plain = unicodedata.normalize("NFKD", level or "other").encode("ascii", "ignore").decode().lower()
        word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "level"
        same = sum(re.fullmatch(rf"{role}_{word}(_\d+)?_share", name) is not None for name in names)
        names.append(f"{role}_{word}_{same + 1}_share" if same else f"{role}_{word}_share")
    return names
