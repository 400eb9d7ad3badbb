"""Customer features from single purchases and visits, computed anew with pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

MICRO = 1_000_000
"""Small units in one unit of money."""
MOST_LEVELS = 6
"""Categories or channels with a share of spend of their own, as the data dictionary says."""
GROUPS = (
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    ("Promising", "Potential loyalist", "Potential loyalist", "Loyal", "Loyal"),
    ("New", "Potential loyalist", "Potential loyalist", "Champions", "Champions"),
)
"""Names of the RFM cells: recency 1 to 5 downwards, frequency 1 to 5 to the right; 5 is best."""
PAGE_VIEWS = {"page_view", "page view", "pageview", "page", "view"}
PURCHASES = {"purchase", "order", "transaction"}


def purchase_features(lines: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Compute the features of purchases.

    Parameters
    ----------
    lines : DataFrame
        One row a purchase line: ``customer``, ``day``, ``amount`` (negative: a refund), and where the data have them
        ``order``, ``quantity``, ``category``, ``channel``.
    until : Timestamp
        The day that recency and tenure are counted to.

    Returns
    -------
    DataFrame
        Indexed by customer. What has no meaning is missing: a share, an average, a gap or a trend of nothing.
    """
    lines = lines[lines["day"] <= until]
    lines = lines.assign(amount=(lines["amount"] * MICRO).round())
    bought, refunded = lines[lines["amount"] >= 0], lines[lines["amount"] < 0]
    customers = pd.Index(sorted(lines["customer"].unique()), name="customer")
    by = bought.groupby("customer")
    # Sums of whole millionths are exact, so that equal sums are ties whatever the order of the lines.
    spend = by["amount"].sum().reindex(customers, fill_value=0.0) / MICRO
    made = pd.DataFrame({"spend": spend})
    first, last = by["day"].min().reindex(customers), by["day"].max().reindex(customers)
    made["recency_days"] = (until - last).dt.days
    made["tenure_days"] = (until - first).dt.days
    days = bought[["customer", "day"]].drop_duplicates().sort_values(["customer", "day"])
    n_days = days.groupby("customer").size().reindex(customers, fill_value=0)
    gaps = days.groupby("customer")["day"].diff().dt.days
    made["gap_days"] = gaps.groupby(days["customer"]).mean().reindex(customers)
    made["gap_sd_days"] = gap_deviation(gaps, days["customer"]).reindex(customers)
    made["frequency"] = count_orders(bought).reindex(customers, fill_value=0) if "order" in bought else n_days
    made["order_value"] = (spend / made["frequency"]).where(made["frequency"] > 0)
    months = bought["day"].dt.to_period("M").groupby(bought["customer"]).nunique()
    made["active_months"] = months.reindex(customers, fill_value=0)
    middle = first + (until - first) / 2
    late = bought[bought["day"] > bought["customer"].map(middle)].groupby("customer")["amount"].sum() / MICRO
    known = (made["tenure_days"] > 0) & (spend > 0)
    made["trend"] = (late.reindex(customers, fill_value=0.0) / spend).where(known)
    made["refund_value"] = -refunded.groupby("customer")["amount"].sum().reindex(customers, fill_value=0.0) / MICRO
    made["refund_share"] = (made["refund_value"] / spend).where(spend > 0)
    if "quantity" in bought:
        made["items"] = by["quantity"].sum().reindex(customers, fill_value=0.0)
    for role in ("category", "channel"):
        if role in bought:
            made = made.join(spend_shares(bought, spend, role))
    return made.astype(float)


def gap_deviation(gaps: pd.Series, customer: pd.Series) -> pd.Series:
    """Compute the standard deviation of each customer's gaps from whole numbers, so that equal ones are ties."""
    known = gaps.dropna()
    by = known.groupby(customer)
    n, total, squares = by.size(), by.sum(), (known**2).groupby(customer).sum()
    return np.sqrt(((n * squares - total**2) / (n * (n - 1)).where(n > 1)).astype(float))


def count_orders(bought: pd.DataFrame) -> pd.Series:
    """Count the distinct orders of each customer; lines without an order number are one order a day."""
    numbered = bought.dropna(subset="order").groupby("customer")["order"].nunique()
    loose = bought[bought["order"].isna()].groupby("customer")["day"].nunique()
    return numbered.add(loose, fill_value=0)


def spend_shares(bought: pd.DataFrame, spend: pd.Series, role: str) -> pd.DataFrame:
    """Compute the share of spend of each category or channel; the six with the most spend, the rest together."""
    by_level = bought.groupby(role)["amount"].sum().sort_values(ascending=False, kind="stable")
    shown = list(by_level.index[:MOST_LEVELS])
    parts = {}
    for level in shown:
        part = bought[bought[role] == level].groupby("customer")["amount"].sum() / MICRO
        parts[level] = part.reindex(spend.index, fill_value=0.0)
    if len(by_level) > MOST_LEVELS or bought[role].isna().any():
        parts["other"] = spend - sum(parts.values())
    return pd.DataFrame(
        {f"{role}_{name_part(level)}_share": (part / spend).where(spend > 0) for level, part in parts.items()}
    )


def name_part(level: str) -> str:
    """Give a level as the names of its variable have it: small letters, digits and underscores."""
    return "_".join("".join(c if c.isalnum() else " " for c in level.lower()).split())


def visit_features(events: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Compute the features of web events.

    Parameters
    ----------
    events : DataFrame
        ``customer``, ``time``, ``session``, ``event``.
    until : Timestamp

    Returns
    -------
    DataFrame
        Indexed by customer.
    """
    events = events[events["customer"].notna() & (events["time"].dt.normalize() <= until)]
    kind = events["event"].str.lower()
    events = events.assign(page=kind.isin(PAGE_VIEWS), bought=kind.isin(PURCHASES), day=events["time"].dt.normalize())
    pages = events["page"] if events["page"].any() else pd.Series(True, index=events.index)
    by = events.groupby("customer")
    sessions = by["session"].nunique()
    converted = events[events["bought"]].groupby("customer")["session"].nunique().reindex(sessions.index, fill_value=0)
    return pd.DataFrame(
        {
            "days_since_visit": (until - by["day"].max()).dt.days,
            "sessions": sessions,
            "active_days": by["day"].nunique(),
            "events": by.size(),
            "pages_per_session": pages.groupby(events["customer"]).sum() / sessions,
            "conversion": converted / sessions,
        }
    ).astype(float)


def fifths(values: pd.Series) -> pd.Series:
    """Score values from 1 to 5, a fifth of the customers each; ties share their mean rank."""
    ten = (values.rank(method="average") * 10).round().astype("int64")
    return (ten - 5) // (2 * len(values)) + 1


def rfm(frame: pd.DataFrame) -> pd.DataFrame:
    """Score recency and frequency and name the cell.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        ``recency_days`` (missing without a purchase) and ``frequency``.

    Returns
    -------
    DataFrame, shape (n, 3)
        R, F (NaN without a purchase) and ``group``.
    """
    bought = frame[frame["recency_days"].notna() & frame["frequency"].notna()]
    scores = pd.DataFrame({"R": fifths(-bought["recency_days"]), "F": fifths(bought["frequency"])})
    names = [GROUPS[r - 1][f - 1] for r, f in zip(scores["R"], scores["F"], strict=True)]
    scores["group"] = pd.Series(names, index=scores.index, dtype="object")
    found = scores.reindex(frame.index)
    found["group"] = found["group"].fillna("No purchase")
    return found


def histories(lines: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Give what models of lifetime value are fitted on; purchases of a day count as one, refunds do not count.

    Returns
    -------
    DataFrame
        ``x`` repeat purchase days, ``t_x`` and ``T`` in weeks since the first purchase, and ``value``, the mean spend
        of a repeat purchase day (NaN without one). Indexed by customer.
    """
    bought = lines[(lines["amount"] >= 0) & (lines["day"] <= until)]
    daily = bought.groupby(["customer", "day"])["amount"].sum().reset_index()
    by = daily.groupby("customer")
    first, last, n = by["day"].min(), by["day"].max(), by.size()
    opening = daily[daily["day"] == daily["customer"].map(first)].set_index("customer")["amount"]
    repeats = n - 1
    later = (by["amount"].sum() - opening) / repeats.where(repeats > 0, np.nan)
    return pd.DataFrame(
        {
            "x": repeats.astype(float),
            "t_x": (last - first).dt.days / 7,
            "T": (until - first).dt.days / 7,
            "value": later,
        }
    )
