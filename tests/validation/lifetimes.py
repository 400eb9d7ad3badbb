"""Count how often intervals of expected spend hold what customers then spend, where it is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.clustering.algorithms.threads import one_thread
from analysis.customers.lifetime_value import WEEKS_A_YEAR, back_test, customer_lifetime_value

Values = NDArray[np.float64]

N, JOIN, PAST, YEAR, RATE = 1_000, 52.0, 104.0, 52.0, 0.1
"""Customers; weeks within which all join, that are observed and that are forecast; discount rate of a year."""
SPEND = (6.25, 3.74, 15.44)
"""p, q and gamma of the value of a purchase, as fitted to CDNOW by Fader & Hardie 2013."""
EDGES = (1, 3)
"""Repeat purchases from which the second and the third segment start."""
LEFT_OUT, EVERYONE, SEGMENTS, SENSES = 0, 1, 2, 3
"""Places in the counts of `count_covered`."""


Leave = Callable[[int, np.random.Generator], tuple[Values, Values]]
"""Of n customers: the number of purchases, and the weeks since joining, after which each leaves."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A population of buyers.

    Attributes
    ----------
    shape, rate : float
        Of the gamma-distributed purchases a week.
    leave : Leave
    pace : callable
        Of the weeks since the start of the observation: how many times busier than usual everyone is.
    rhythm : int
        Steps of a purchase: 1 is by chance, more is regular (Erlang).
    """

    shape: float
    rate: float
    leave: Leave
    pace: Callable[[Values], Values] = np.ones_like
    rhythm: int = 1


def leave_after_purchases(a: float, b: float, *, first: bool) -> Leave:
    """Let customers leave after a purchase, with a beta-distributed chance; ``first`` after the first one, too."""

    def leave(n: int, rng: np.random.Generator) -> tuple[Values, Values]:
        return rng.geometric(rng.beta(a, b, n)) + float(not first), np.full(n, np.inf)

    return leave


def leave_in_time(s: float, beta: float) -> Leave:
    """Let customers leave at any time, at a gamma-distributed rate."""

    def leave(n: int, rng: np.random.Generator) -> tuple[Values, Values]:
        return np.full(n, np.inf), rng.exponential(1 / rng.gamma(s, 1 / beta, n))

    return leave


SHOPS = {
    "leave after a repeat purchase": Shop(0.243, 4.414, leave_after_purchases(0.793, 2.426, first=False)),
    "leave after any purchase": Shop(0.525, 6.183, leave_after_purchases(0.891, 1.614, first=True)),
    "leave at any time": Shop(0.553, 10.578, leave_in_time(0.606, 11.669)),
    "buy in a rhythm": Shop(1.5, 15.0, leave_in_time(1.5, 60.0), rhythm=3),
    "busy at the end of the year": Shop(
        0.553, 10.578, leave_in_time(0.606, 11.669), pace=lambda weeks: 1 + (weeks % YEAR > YEAR - 8)
    ),
    "sales grow by a third a year": Shop(
        0.553, 10.578, leave_in_time(0.606, 11.669), pace=lambda weeks: 1.33 ** (weeks / YEAR)
    ),
}
"""The first three are the populations of the three models, with the values published for CDNOW; the others are
outside of all models."""


def draw_purchases(shop: Shop, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what customers buy until the end of the year that is forecast.

    Returns
    -------
    DataFrame, shape (purchases, 3)
        ``customer``, ``week`` since the start of the observation, and ``value``.
    """
    joined = rng.uniform(0, JOIN, N)
    pace = rng.gamma(shop.shape, 1 / shop.rate, N)
    p, q, gamma = SPEND
    scale = 1 / rng.gamma(q, 1 / gamma, N)
    most, leaves = shop.leave(N, rng)
    fastest = float(shop.pace(np.linspace(0, PAST + YEAR, 1_000)).max())
    customer, week, bought = np.arange(N), joined.copy(), np.ones(N)
    made = [(customer, week)]
    while len(customer):
        # Candidates come at the fastest pace; each is kept with the chance of its week.
        week = week + rng.gamma(shop.rhythm, 1 / (np.maximum(pace[customer], 1e-12) * fastest * shop.rhythm))
        stays = (week < PAST + YEAR) & (week < joined[customer] + leaves[customer]) & (bought < most)[customer]
        customer, week = customer[stays], week[stays]
        real = rng.random(len(customer)) * fastest < shop.pace(week)
        bought[customer[real]] += 1
        made.append((customer[real], week[real]))
    who, when = (np.concatenate(part) for part in zip(*made, strict=True))
    return pd.DataFrame({"customer": who, "week": when, "value": rng.gamma(p, scale[who])})


def read_histories(purchases: pd.DataFrame, until: float) -> pd.DataFrame:
    """Compute the histories up to a week, as `analysis.customers.transactions.purchase_histories`; days are whole."""
    seen = purchases[purchases["week"] < until]
    days = seen.assign(day=np.floor(7 * seen["week"])).groupby(["customer", "day"], as_index=False)["value"].sum()
    each = days.groupby("customer")
    first, last, x = each["day"].min(), each["day"].max(), each.size() - 1
    later = each["value"].sum() - each["value"].first()
    columns = {"x": x, "t_x": (last - first) / 7, "T": until - first / 7, "value": later / x.where(x > 0)}
    return pd.DataFrame(columns).astype(float)


def count_covered(name: str, seed: int) -> Values:
    """Forecast a year from the past, and compare with the year that comes.

    Returns
    -------
    ndarray, shape (3, 3)
        By place: how many forecasts were left out, how many intervals of everyone's spend and of that of a segment
        held it. Columns are held, all, and the sum of what came over what was forecast.
    """
    shop = SHOPS[name]
    purchases = draw_purchases(shop, np.random.default_rng((seed, 2)))
    histories = read_histories(purchases, PAST)
    counted = np.zeros((SENSES, 3))
    weeks = math.floor(7 * histories["T"].max() / 2) / 7
    try:
        with one_thread():
            tried = back_test(read_histories(purchases, PAST - weeks), histories, weeks)
            value = replace(customer_lifetime_value(histories, model=tried.model), tried=tried)
    except InputError:
        counted[LEFT_OUT] = 1, 1, 0
        return counted
    counted[LEFT_OUT, 1] = 1
    come = purchases[purchases["week"] >= PAST]
    worth = come["value"] * (1 + RATE) ** (-(come["week"] - PAST) / WEEKS_A_YEAR)
    came = worth.groupby(come["customer"]).sum().reindex(histories.index, fill_value=0.0).to_numpy()
    segment = np.digitize(histories["x"], EDGES)
    groups = [np.ones(len(segment), bool), *(segment == s for s in range(len(EDGES) + 1))]
    for place, members in zip((EVERYONE, *[SEGMENTS] * (len(EDGES) + 1)), groups, strict=True):
        stated, true = value.total(members), float(came[members].sum())
        counted[place] += stated.low <= true <= stated.high, 1, true / stated.value
    return counted
