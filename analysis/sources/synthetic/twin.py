"""Synthetic copy of the default data set, with the same columns and known segments.

Four groups of customers are drawn one after the other, each from its own small model: a latent standard
normal for income drives spend, spend drives orders and children, baskets and channels are Dirichlet-like
shares, deals follow the children, and a campaign is accepted where a latent leaning passes a threshold.
Every number is rounded and chosen for this project; no row of the original is copied.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.base.errors import InputError

_BASKET = ("MntWines", "MntFruits", "MntMeatProducts", "MntFishProducts", "MntSweetProducts", "MntGoldProds")
_CEILING = np.array([1500, 200, 1000, 260, 230, 250])
_EVEN = np.array([1.0, 0.67, 1.0, 0.67])  # meat and gold vary less than a Dirichlet lets them
_FRESH_SPLIT = (1.1, 1.6, 1.1)  # shapes: fruit, fish, sweets
_ORDERS = ("NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases")
_CAMPAIGNS = ("AcceptedCmp3", "AcceptedCmp4", "AcceptedCmp5", "AcceptedCmp1", "AcceptedCmp2", "Response")
_EDUCATION = ("Graduation", "PhD", "Master", "2n Cycle", "Basic")
_MARITAL = ("Married", "Together", "Single", "Divorced", "Widow")
_MARITAL_SHARES = (0.387, 0.26, 0.215, 0.104, 0.034)
_COLUMNS = (
    *("ID", "Year_Birth", "Education", "Marital_Status", "Income", "Kidhome", "Teenhome", "Dt_Customer"),
    *("Recency", *_BASKET, "NumDealsPurchases", *_ORDERS, "NumWebVisitsMonth"),
    *(*_CAMPAIGNS[:-1], "Complain", "Z_CostContact", "Z_Revenue", "Response"),
)
_FIRST_DAY, _N_DAYS, _YEAR = "2012-07-30", 700, 2014
_N_ORIGINAL, _ID_CEILING = 2240, 11191
_FEWEST, _FEWEST_WITH_QUIRKS = 20, 200
_N_REPEATED, _N_COPIES = 176, 182


@dataclass(frozen=True, slots=True)
class _Segment:
    """What one planted group is like; shapes are those of gamma parts, rates are probabilities."""

    share: float
    income: tuple[float, float]  # mean, sd
    spend: tuple[float, float, float]  # median, spread of the log, bend of the log (a ceiling where negative)
    basket: tuple[float, float, float, float]  # shapes: wine, meat, fresh (fruit, fish, sweets), gold
    orders: tuple[float, float, float]  # median, spread of the log, correlation with log spend
    channels: tuple[float, float, float]  # shapes: web, catalogue, store
    deals_per_child: float
    visits: tuple[float, float]  # mean, sd
    age: float  # mean
    childless: tuple[float, float]  # rates: no small child, no teenager
    child_spend: tuple[float, float]  # correlation of small children, of teenagers with spend
    education: tuple[float, ...]  # rates, in the order of _EDUCATION
    accepts: tuple[float, ...]  # rates, in the order of _CAMPAIGNS


_SEGMENTS = (
    _Segment(  # well-off households that buy everything, by catalogue too
        share=0.305, income=(73000, 11500), spend=(1215, 0.47, -0.072), basket=(5.0, 5.5, 2.4, 1.1),
        orders=(18.5, 0.24, 0.35), channels=(6.0, 6.0, 6.5), deals_per_child=1.2, visits=(2.8, 1.5),
        age=46.5, childless=(0.95, 0.71), child_spend=(-0.3, -0.6),
        education=(0.553, 0.212, 0.156, 0.079, 0.0), accepts=(0.06, 0.1, 0.2, 0.17, 0.025, 0.22),
    ),
    _Segment(  # families with teenagers: wine, the web and deals
        share=0.28, income=(55000, 12000), spend=(590, 0.76, -0.09), basket=(6.6, 2.6, 0.85, 1.2),
        orders=(15.0, 0.37, 0.85), channels=(8.0, 3.2, 6.0), deals_per_child=1.7, visits=(6.5, 1.6),
        age=48.0, childless=(0.66, 0.22), child_spend=(-0.45, 0.05),
        education=(0.456, 0.291, 0.204, 0.047, 0.002), accepts=(0.1, 0.15, 0.04, 0.05, 0.025, 0.16),
    ),
    _Segment(  # small baskets from the store, half of them wine
        share=0.238, income=(36500, 10300), spend=(48, 0.78, 0.05), basket=(4.3, 3.4, 1.0, 1.4),
        orders=(5.0, 0.38, 0.9), channels=(7.5, 1.2, 5.5), deals_per_child=0.65, visits=(6.3, 1.7),
        age=44.0, childless=(0.18, 0.42), child_spend=(-0.15, 0.1),
        education=(0.464, 0.27, 0.196, 0.07, 0.0), accepts=(0.03, 0.01, 0.0, 0.0, 0.0, 0.06),
    ),
    _Segment(  # young households on a small budget: fresh food, sweets and gold
        share=0.177, income=(27000, 9800), spend=(65, 0.75, 0.09), basket=(1.6, 3.4, 4.0, 4.4),
        orders=(5.4, 0.4, 0.85), channels=(4.8, 1.2, 2.6), deals_per_child=0.8, visits=(6.6, 1.75),
        age=39.5, childless=(0.3, 0.81), child_spend=(-0.2, 0.15),
        education=(0.542, 0.033, 0.077, 0.211, 0.137), accepts=(0.1, 0.0, 0.0, 0.0, 0.0, 0.12),
    ),
)  # fmt: skip

# Leanings of the campaigns, in the order of _CAMPAIGNS: on spend, on an openness to offers that they share.
_LEAN_SPEND = (0.0, 0.3, 0.6, 0.55, 0.5, 0.25)
_LEAN_OPEN = (0.45, 0.4, 0.5, 0.5, 0.5, 0.6)

_NO_ORDERS = dict.fromkeys((*_ORDERS, "NumDealsPurchases"), 0)
_CRUMBS = dict.fromkeys(_BASKET, (0, 3)) | {"MntWines": (1, 60)}
_RICH: dict[str, Any] = {"Income": (153000, 162500), "NumWebVisitsMonth": (0, 1)}
_POOR: dict[str, Any] = {"Income": (1700, 8100), "NumWebVisitsMonth": (13, 20)}
_MANY_DEALS: dict[str, Any] = {"NumDealsPurchases": 15}

# How many rows in 2,240, the segment they are taken from (0: any), and what they get: a value or its bounds.
_QUIRKS: tuple[tuple[int, int, dict[str, Any]], ...] = (
    (24, 0, {"Income": None}),
    (1, 0, {"Year_Birth": 1893}),
    (1, 0, {"Year_Birth": 1899}),
    (1, 0, {"Year_Birth": 1900}),
    (2, 0, {"Marital_Status": "YOLO"}),
    (2, 0, {"Marital_Status": "Absurd"}),
    (3, 0, {"Marital_Status": "Alone"}),
    (1, 4, {"Income": 666666} | dict.fromkeys(_BASKET, (8, 12))),
    (3, 1, _RICH | _MANY_DEALS | _CRUMBS | {"MntMeatProducts": (1580, 1725), "NumWebPurchases": 0}
        | {"NumCatalogPurchases": (22, 28), "NumStorePurchases": (0, 1)}),
    (2, 3, _RICH | _NO_ORDERS | _CRUMBS),
    (2, 3, _RICH | _NO_ORDERS | _CRUMBS | {"NumStorePurchases": 1}),
    (2, 3, _POOR | _NO_ORDERS | _CRUMBS),
    (2, 4, _POOR | _NO_ORDERS | _CRUMBS | _MANY_DEALS),
    (1, 4, _POOR | _NO_ORDERS | _CRUMBS | _MANY_DEALS | {"NumCatalogPurchases": 1}),
    (3, 4, _NO_ORDERS | _CRUMBS | {"MntGoldProds": (260, 360), "NumWebPurchases": (23, 27)}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Twin:
    """A synthetic customer table and the truth behind it.

    Attributes
    ----------
    table : DataFrame
        One row per customer, 29 columns named, ordered and typed as the original file is when pandas reads it.
    truth : Series of int64
        The planted segment of each row, 1 to 4 by size; same index as `table`.
    """

    table: pd.DataFrame
    truth: pd.Series


def make_twin(n_customers: int = _N_ORIGINAL, seed: int = 2014) -> Twin:
    """Draw synthetic customers; the same arguments give the same table.

    The quirks of the original (missing and absurd incomes, joke entries, repeated customers ...) come in its
    proportions, and at least once each from 200 customers on. Time and memory grow linearly.

    Parameters
    ----------
    n_customers : int
        Rows, 20 or more; the original has 2,240.
    seed : int
        Seed of the random numbers, 0 or more.

    Raises
    ------
    InputError
        When there are fewer than 20 customers or the seed is negative.

    Examples
    --------
    >>> make_twin(100).table.shape
    (100, 29)
    """
    if n_customers < _FEWEST:
        raise InputError(f"{n_customers} synthetic customers are too few.", f"Expected {_FEWEST} or more.")
    if seed < 0:
        raise InputError(f"The seed of the demonstration data is {seed}.", "Expected 0 or more.")
    rng = np.random.default_rng(seed)
    ends = np.rint(np.cumsum([segment.share for segment in _SEGMENTS]) * n_customers).astype(int)
    sizes = np.diff(ends, prepend=0)
    drawn = [_draw(segment, int(size), rng) for segment, size in zip(_SEGMENTS, sizes, strict=True)]
    truth = np.repeat(np.arange(1, len(_SEGMENTS) + 1), sizes)
    columns = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    free = _plant(columns, truth, rng)
    source = _repeat(free, n_customers)[rng.permutation(n_customers)]
    n_ids = _ID_CEILING * n_customers // _N_ORIGINAL
    columns = {name: values[source] for name, values in columns.items()} | {
        "ID": rng.permutation(np.append(0, 1 + rng.choice(n_ids, n_customers - 1, replace=False))),
        "Z_CostContact": np.full(n_customers, 3),
        "Z_Revenue": np.full(n_customers, 11),
    }
    days = pd.date_range(_FIRST_DAY, periods=_N_DAYS).strftime("%d-%m-%Y").to_numpy(dtype=object)
    columns["Dt_Customer"] = days[columns["Dt_Customer"]]
    table = pd.DataFrame({name: columns[name] for name in _COLUMNS})
    return Twin(table, pd.Series(truth[source], name="segment"))


def write_twin(folder: Path, n_customers: int = _N_ORIGINAL, seed: int = 2014) -> Path:
    """Write the synthetic data as ``marketing_campaign.csv``, and its known segments as ``truth.csv`` beside it.

    The table is tab separated with CRLF line ends and whole incomes, as the original file; the truth has the
    columns ID and segment. The same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        Where the two files go; made when absent.
    n_customers, seed : int
        As for `make_twin`.

    Returns
    -------
    Path
        The path of the table.

    Raises
    ------
    InputError
        As `make_twin`, and when the folder cannot be written.
    """
    twin = make_twin(n_customers, seed)
    path = folder / "marketing_campaign.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_table_bytes(twin))
        truth = pd.DataFrame({"ID": twin.table["ID"], "segment": twin.truth})
        truth.to_csv(folder / "truth.csv", index=False, lineterminator="\n", encoding="ascii")
    except OSError as error:
        raise InputError(f"{folder}: the demonstration data could not be written ({error.strerror}).") from error
    return path


def is_twin(path: Path, sha256: str, columns: tuple[str, ...], n_customers: int) -> bool:
    """Return whether a file is synthetic: truth.csv is next to it, or its bytes can be reproduced.

    Parameters
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    columns : tuple of str
    n_customers : int
    """
    if set(columns) != set(_COLUMNS):
        return False
    try:
        with (path.parent / "truth.csv").open(encoding="ascii") as truth:
            if truth.readline() == "ID,segment\n":
                return True
    except (OSError, UnicodeDecodeError):
        pass
    if not _FEWEST <= n_customers <= 200_000:
        return False
    return hashlib.sha256(_table_bytes(make_twin(n_customers))).hexdigest() == sha256


def _table_bytes(twin: Twin) -> bytes:
    whole = twin.table.assign(Income=twin.table["Income"].astype("Int64"))
    return whole.to_csv(sep="\t", index=False, lineterminator="\r\n").encode("ascii")


def _draw(segment: _Segment, n: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw the columns of ``n`` customers of one segment, the day of enrolment as a number."""
    income, age, late, open_ = (rng.standard_normal(n) for _ in range(4))
    recency = rng.integers(0, 100, n)
    spend = _blend(rng, (0.6, income), (-0.25, late))
    kids = _steps(_blend(rng, (-0.25, age), (segment.child_spend[0], spend)), segment.childless[0])
    teens = _steps(_blend(rng, (0.4, age), (segment.child_spend[1], spend)), segment.childless[1])
    median, spread, bend = segment.spend
    total = np.maximum(5, median * np.exp(spread * spend + bend * spend**2))
    wine, meat, fresh, gold = (_shares(rng, np.tile(segment.basket, (n, 1)), _EVEN) * total[:, None]).T
    fruit, fish, sweets = fresh * _shares(rng, np.tile(_FRESH_SPLIT, (n, 1))).T
    basket = np.rint(_fold(np.stack([wine, fruit, meat, fish, sweets, gold], axis=1), 0, _CEILING))

    # Everybody's first orders go to the store; the channels share the others.
    median, spread, tie = segment.orders
    others = np.rint(_fold(median * np.exp(spread * _blend(rng, (tie, spend))), 3, 30)) - 2
    shapes = np.tile(segment.channels, (n, 1))
    shapes[:, 0] *= np.exp(-0.2 * late)
    shapes[:, 1] *= np.exp(0.3 * spend)
    share = _shares(rng, shapes)
    web = np.rint(others * share[:, 0])
    catalogue = np.minimum(np.rint(others * share[:, 1]), others - web)
    store = 2 + others - web - catalogue
    surplus = np.maximum(0, store - 13)
    store, catalogue = store - surplus, catalogue + surplus
    children = kids + teens
    eager = segment.deals_per_child * np.exp(-0.25 * late - 0.4 * income) * (others - 1) / (median - 3)
    deals = 1 + np.minimum(rng.poisson(eager * (0.15 + children)), np.minimum(others - 1, 14))
    deals[(children == 0) & (rng.random(n) < 0.07)] = 0
    browsing, _, walking = (share - np.array(segment.channels) / sum(segment.channels)).T / 0.13
    typical, spread = segment.visits
    visits = typical + spread * _blend(rng, (-0.35, income), (-0.4, late), (0.4, browsing))

    patience = ndtri((recency + 0.5) / 100)
    columns: dict[str, NDArray[Any]] = dict(zip(_BASKET, basket.T.astype(np.int64), strict=True))
    leanings = zip(_CAMPAIGNS, segment.accepts, _LEAN_SPEND, _LEAN_OPEN, strict=True)
    for name, rate, on_spend, on_open in leanings:
        further = ((-0.35, patience), (-0.3, late), (-0.25, walking)) if name == "Response" else ()
        lean = _blend(rng, (on_spend, spend), (on_open, open_), *further)
        columns[name] = (lean > -ndtri(rate)).astype(np.int64)
    return columns | {
        "Year_Birth": _YEAR - np.rint(_fold(segment.age + 12 * age, 18, 74)).astype(np.int64),
        "Education": rng.choice(np.array(_EDUCATION, dtype=object), n, p=segment.education),
        "Marital_Status": rng.choice(np.array(_MARITAL, dtype=object), n, p=_MARITAL_SHARES),
        "Income": np.rint(_fold(segment.income[0] + segment.income[1] * income, 5000, 113000)),
        "Kidhome": kids,
        "Teenhome": teens,
        "Dt_Customer": np.minimum(_N_DAYS * ndtr(late), _N_DAYS - 1).astype(np.int64),
        "Recency": recency,
        "NumDealsPurchases": np.minimum(deals, web + catalogue + store).astype(np.int64),
        "NumWebPurchases": web.astype(np.int64),
        "NumCatalogPurchases": catalogue.astype(np.int64),
        "NumStorePurchases": store.astype(np.int64),
        "NumWebVisitsMonth": np.rint(_fold(visits, 0.4, 10)).astype(np.int64),
        "Complain": (rng.random(n) < 0.009).astype(np.int64),
    }


def _plant(columns: dict[str, NDArray[Any]], truth: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Write the quirks into separate rows of the table; return the rows that stay free, in random order."""
    n = len(truth)
    free = rng.permutation(n)
    columns["Dt_Customer"][free[0]] = _N_DAYS - 1
    free = free[1:]
    for count, segment, values in _QUIRKS:
        fitting = np.flatnonzero((truth[free] == segment) | (segment == 0))[: _scaled(count, n)]
        rows, free = free[fitting], np.delete(free, fitting)
        for name, value in values.items():
            low, high = value if isinstance(value, tuple) else (value, value)
            columns[name][rows] = low if low == high else rng.integers(low, high, rows.size, endpoint=True)
    return free


def _repeat(free: NDArray[Any], n: int) -> NDArray[Any]:
    """Return which row each row shows: itself, or one of the free rows that it repeats."""
    n_repeated, n_copies = _scaled(_N_REPEATED, n), _scaled(_N_COPIES, n)
    source = np.arange(n)
    originals, copies = free[:n_repeated], free[n_repeated : n_repeated + n_copies]
    source[copies] = np.resize(originals, n_copies)
    return source


def _scaled(count: int, n: int) -> int:
    """Return a count of the original for a table of ``n`` rows."""
    return max(round(count * n / _N_ORIGINAL), int(n >= _FEWEST_WITH_QUIRKS))


def _blend(rng: np.random.Generator, *terms: tuple[float, NDArray[Any]]) -> NDArray[Any]:
    """Return a latent of unit variance with the given weights on independent latents of unit variance."""
    rest = max(0.0, 1.0 - sum(weight**2 for weight, _ in terms)) ** 0.5
    return sum((weight * latent for weight, latent in terms), rest * rng.standard_normal(len(terms[0][1])))


def _steps(latent: NDArray[Any], none: float) -> NDArray[Any]:
    """Return 0, 1 or 2 children by where the latent falls; 2% have two."""
    return (latent > ndtri(none)).astype(np.int64) + (latent > ndtri(0.98))


def _shares(rng: np.random.Generator, shapes: NDArray[Any], scale: Any = 1.0) -> NDArray[Any]:
    """Return the shares of gamma parts (Dirichlet where the scale is one), a row for each row of shapes."""
    parts = rng.standard_gamma(shapes) * scale
    return parts / parts.sum(axis=1, keepdims=True)


def _fold(values: NDArray[Any], low: float, high: float | NDArray[Any]) -> NDArray[Any]:
    """Reflect values at the bounds, where a clip would heap them up."""
    return np.clip(high - np.abs(high - low - np.abs(values - low)), low, high)
