"""Made-up outcomes of a campaign at the synthetic retailer: three of its groups respond, each in its own way."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.base.errors import InputError

PLANTED = {1: 1.3, 2: 0.65}
"""What the campaign multiplies orders by: it helps store regulars (1), drives away app bargain hunters (2) and changes
nothing for the other planted groups."""
_ORDERS = "O"  # first letter of their numbers; refunds have another
_YEAR = 365


def play_campaign(
    folder: Path, groups: pd.DataFrame, start: dt.date, stop: dt.date, treatment: str, seed: int = 2014
) -> pd.DataFrame:
    """Play the window of a test: customers order as in the year before, and more or less if they get the campaign.

    Parameters
    ----------
    folder : Path
        Written by `write_retailer`.
    groups : DataFrame
        ``key`` and ``group`` of n customers.
    start, stop : date
        First and last day.
    treatment : str
        Group that gets the campaign.
    seed : int
        The same arguments give the same outcomes, whatever the order of the rows.

    Returns
    -------
    DataFrame, n rows
        ``customer_id``, ``orders`` in the window and their ``spend``, ``before`` (orders in as many days before the
        start), ``contacted`` and ``date``, the last day.

    Raises
    ------
    InputError
        Where the folder does not hold the retailer, or a customer is not one of the retailer's.
    """
    try:
        truth = pd.read_csv(folder / "truth.csv", index_col="customer_id")["planted_segment"]
        orders = pd.read_csv(folder / "orders.csv", parse_dates=["date"]).drop_duplicates()
    except (OSError, ValueError, KeyError):
        raise InputError(
            "The synthetic retailer does not exist yet.", hint="Build it: QUARTO_PROFILE=loop python -m analysis build"
        ) from None
    keys = np.sort(groups["key"].to_numpy(dtype=str))
    if unknown := sorted(set(keys) - set(truth.index)):
        raise InputError(f"Customer '{unknown[0]}' is not one of the synthetic retailer's.")
    orders = orders[orders["order_id"].str.startswith(_ORDERS)].assign(key=orders["customer_id"].str.strip())
    n_days, first = (stop - start).days + 1, pd.Timestamp(start)
    year, window = (_count(orders, first, days, keys) for days in (_YEAR, n_days))
    treated = groups.set_index("key")["group"].reindex(keys).to_numpy() == treatment
    factor = np.where(treated, truth.reindex(keys).map(PLANTED).fillna(1.0), 1.0)
    made = np.random.default_rng(seed).poisson(year * n_days / _YEAR * factor)
    each = orders.groupby("key")["amount"].mean().reindex(keys).fillna(0.0).to_numpy()
    return pd.DataFrame(
        {
            "customer_id": keys,
            "orders": made,
            "spend": (made * each).round(2),
            "before": window.astype(int),
            "contacted": np.where(treated, "yes", "no"),
            "date": stop.isoformat(),
        }
    )


def _count(orders: pd.DataFrame, start: pd.Timestamp, n_days: int, keys: np.ndarray) -> np.ndarray:
    """Count each customer's orders in the days before the start."""
    inside = (orders["date"] < start) & (orders["date"] >= start - pd.Timedelta(days=n_days))
    return orders.loc[inside, "key"].value_counts().reindex(keys).fillna(0).to_numpy(dtype=np.float64)
