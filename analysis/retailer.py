"""A synthetic omnichannel retailer: customers, orders, a survey and web events, with planted segments.

Five groups of customers buy by a Poisson process that sale weeks and the gift season speed up, and leave for
good after an order with a probability of their own (BG/NBD); baskets follow the Gamma-Gamma model. Orders
placed online leave a session among the web events where the visitor agreed to be counted; all else that is
known of a customer is drawn around the customer's segment. Every number here is rounded and made up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError

_CHANNELS = ("store", "web", "app")
_CATEGORIES = ("Food", "Home", "Fashion", "Beauty", "Electronics", "Toys")
_PRICE_LEVELS = np.array([0.6, 1.2, 1.0, 0.7, 1.8, 0.9])  # in the order of _CATEGORIES
_REGIONS = ("North", "East", "South", "West", "Centre", "Capital")
_REGION_SHARES = (0.16, 0.12, 0.2, 0.17, 0.11, 0.24)
_CARDS = ("no card", "bronze", "silver", "gold")
_EVENTS = ("search", "view", "cart", "purchase")
_DEVICES = ("desktop", "mobile", "tablet")
_COLUMNS = {
    "customers": ("customer_id", "joined", "birth_year", "region", "newsletter", "loyalty_card"),
    "orders": ("order_id", "customer_id", "date", "amount", "channel", "category"),
    "survey": ("customer_id", "price_matters", "quality", "sustainability", "trends", "service", "convenience")
    + ("loyalty", "advice"),
    "events": ("customer_id", "session_id", "timestamp", "event_type", "device"),
}  # fmt: skip
_TRUTH_HEADER = "customer_id,segment"

_FIRST_DAY, _N_DAYS = "2023-07-01", 731
_N_EARLY, _LATEST_JOIN = 365, 670  # customers join from so many days before the first day, up to this day
_SALES = ((1, 2, 1, 20), (7, 1, 7, 20), (11, 20, 11, 30))  # from month and day to month and day
_GIFTS = ((11, 25, 12, 24), (5, 1, 5, 14))
_SALE_PRICE = 0.75
_VALUE_SHAPES = (5.0, 5.0)  # Gamma-Gamma: of an order around its customer, of customers around their segment
_CONSENT, _ANONYMOUS, _STRAIGHT = 1 / 3, 0.22, 0.04

_FEWEST, _MOST_REMADE = 50, 200_000
# How many of each in 3,000 customers, and at least one.
_N_REGIONS_MISSING, _N_COPIES, _N_SPACED, _N_STRAY, _N_STRANGERS = 45, 25, 40, 30, 18
_ABSURD = 99_999.99

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Segment:
    """What one planted group is like; rates are a year's, shares and chances are probabilities."""

    share: float
    joined: tuple[float, float]  # shapes of the beta day between the earliest and the latest
    orders: tuple[float, float]  # mean rate, gamma shape
    leaves: tuple[float, float]  # beta shapes of the chance to leave after an order
    value: float  # mean, EUR, at a price level of one
    channels: tuple[float, ...]  # gamma shapes, in the order of _CHANNELS
    categories: tuple[float, ...]  # gamma shapes, in the order of _CATEGORIES
    pulls: tuple[float, float]  # how much sale weeks and the gift season add to the pace of orders
    refunds: float  # chance for an online order; 0.4 of it in a store
    visits: float  # rate of visits without an order, of those counted
    carts: float  # chance of a cart in such a visit
    desktop: float  # share
    age: float  # mean
    newsletter: float  # share
    cards: tuple[float, ...]  # shares, in the order of _CARDS
    responds: float  # chance to answer the survey
    answers: tuple[float, ...]  # means, in the order of the items


_SEGMENTS = (
    _Segment(  # store regulars: often, small baskets of food and things for the home
        share=0.27, joined=(1.0, 2.6), orders=(12.0, 4.0), leaves=(1.0, 70.0), value=44.0,
        channels=(12.0, 0.9, 0.5), categories=(9.0, 5.0, 1.2, 2.0, 0.5, 0.8), pulls=(0.1, 0.2),
        refunds=0.05, visits=1.6, carts=0.1, desktop=0.45,
        age=56, newsletter=0.48, cards=(0.08, 0.27, 0.4, 0.25),
        responds=0.56, answers=(3.3, 3.9, 3.1, 2.0, 4.3, 3.2, 4.5, 3.8),
    ),
    _Segment(  # app bargain hunters: often, cheap, in sale weeks, much looked at and sent back
        share=0.24, joined=(1.2, 2.0), orders=(9.5, 3.0), leaves=(1.0, 28.0), value=26.0,
        channels=(0.5, 2.0, 11.0), categories=(0.8, 1.0, 8.0, 4.5, 1.0, 1.0), pulls=(1.3, 0.1),
        refunds=0.14, visits=14.0, carts=0.45, desktop=0.06,
        age=31, newsletter=0.72, cards=(0.3, 0.5, 0.17, 0.03),
        responds=0.38, answers=(4.7, 3.0, 2.9, 4.1, 2.4, 4.2, 2.2, 2.1),
    ),
    _Segment(  # occasional gift buyers: a few times a year, toys and beauty, store first
        share=0.19, joined=(1.0, 2.4), orders=(2.6, 6.0), leaves=(1.0, 40.0), value=62.0,
        channels=(6.0, 3.0, 0.4), categories=(1.2, 0.8, 0.5, 4.0, 0.6, 8.0), pulls=(0.1, 1.6),
        refunds=0.06, visits=2.4, carts=0.2, desktop=0.5,
        age=47, newsletter=0.3, cards=(0.52, 0.38, 0.09, 0.01),
        responds=0.33, answers=(3.2, 3.6, 2.9, 2.8, 3.8, 4.0, 2.6, 4.4),
    ),
    _Segment(  # premium web buyers: large orders of electronics and for the home, from the desk
        share=0.16, joined=(1.1, 2.4), orders=(6.5, 4.0), leaves=(1.0, 45.0), value=118.0,
        channels=(1.0, 10.0, 0.9), categories=(0.8, 5.0, 1.5, 0.8, 8.0, 0.4), pulls=(0.0, 0.2),
        refunds=0.08, visits=8.0, carts=0.16, desktop=0.74,
        age=44, newsletter=0.52, cards=(0.12, 0.2, 0.33, 0.35),
        responds=0.41, answers=(2.0, 4.7, 4.0, 3.3, 3.6, 4.3, 3.3, 2.6),
    ),
    _Segment(  # short-lived customers: some orders of fashion in a few months, then none
        share=0.14, joined=(2.2, 2.8), orders=(9.0, 5.0), leaves=(5.0, 11.0), value=48.0,
        channels=(1.0, 7.0, 3.0), categories=(0.7, 3.5, 7.0, 2.0, 1.6, 0.8), pulls=(0.5, 0.1),
        refunds=0.1, visits=7.0, carts=0.32, desktop=0.35,
        age=37, newsletter=0.34, cards=(0.66, 0.3, 0.04, 0.0),
        responds=0.19, answers=(3.9, 3.3, 2.9, 3.6, 2.3, 3.4, 1.8, 2.6),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retailer:
    """The sources of a synthetic retailer, each as pandas reads its file, and the truth behind them.

    Attributes
    ----------
    customers : DataFrame
        One row a customer: customer_id, joined (DD/MM/YYYY), birth_year, region (some missing), newsletter
        (yes, no), loyalty_card.
    orders : DataFrame
        One row an order or refund, by date: order_id, customer_id, date (YYYY-MM-DD), amount (EUR), channel,
        category. The refund R0000042 is negative and gives back all or part of order O0000042.
    survey : DataFrame
        One row a respondent: customer_id and eight items from 1 to 5.
    events : DataFrame
        One row an event, by time: customer_id (missing where anonymous), session_id, timestamp, event_type,
        device.
    truth : Series of int64
        Planted segment by customer_id: 1 store regulars, 2 app bargain hunters, 3 occasional gift buyers,
        4 premium web buyers, 5 short-lived customers.
    """

    customers: pd.DataFrame
    orders: pd.DataFrame
    survey: pd.DataFrame
    events: pd.DataFrame
    truth: pd.Series


@dataclass(frozen=True, slots=True)
class _People:
    segment: Array  # 0 to 4, in random order
    joined: Array  # day, counted from the first one
    keys: list[str]
    strangers: list[str]
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Purchases:
    who: Array
    day: Array
    amount: Array
    channel: Array
    category: Array
    until: Array  # the last day of each customer's interest, exclusive; 0 or less: none in the two years
    keenness: Array  # of each customer, within the segment


def make_retailer(n_customers: int = 3000, seed: int = 2014) -> Retailer:
    """Draw the retailer; the same arguments give the same tables.

    The orders span 2023-07-01 to 2025-06-30. Copied rows, keys with spaces, orders of unknown customers and
    missing regions come in proportion to the customers, and one order has an absurd amount. Some customers
    joined and left before the first day and have no order. Time and memory grow linearly.

    Parameters
    ----------
    n_customers : int
        50 or more.
    seed : int
        Seed of the random numbers, 0 or more.

    Raises
    ------
    InputError
        When there are fewer than 50 customers or the seed is negative.

    Examples
    --------
    >>> make_retailer(100).customers.shape
    (100, 6)
    """
    if n_customers < _FEWEST:
        raise InputError(f"{n_customers} synthetic customers are too few.", f"Expected {_FEWEST} or more.")
    if seed < 0:
        raise InputError(f"The seed of the demonstration data is {seed}.", "Expected 0 or more.")
    people = _draw_people(n_customers, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1])
    bought = _draw_purchases(people, rng)
    orders = _write_orders(people, bought, rng)
    survey = _draw_survey(people, rng)
    events = _draw_events(people, bought, rng)
    index = pd.Index(people.frame["customer_id"], name="customer_id")
    truth = pd.Series(people.segment + 1, index=index, name="segment", dtype="int64")
    return Retailer(people.frame, orders, survey, events, truth)


def write_retailer(folder: Path, n_customers: int = 3000, seed: int = 2014) -> dict[str, Path]:
    """Write customers.csv, orders.csv, survey.csv and events.csv, and the planted segments as truth.csv.

    Parameters
    ----------
    folder : Path
        Made when absent.
    n_customers, seed : int
        As for `make_retailer`. The same arguments give the same bytes.

    Returns
    -------
    dict of str to Path
        Keys customers, orders, survey, events, truth.

    Raises
    ------
    InputError
        As `make_retailer`, and when the folder cannot be written.
    """
    made = make_retailer(n_customers, seed)
    tables = {name: getattr(made, name) for name in _COLUMNS} | {"truth": made.truth.reset_index()}
    paths = {name: folder / f"{name}.csv" for name in tables}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            paths[name].write_bytes(_table_bytes(table))
    except OSError as error:
        raise InputError(f"{folder}: no demonstration data written ({error.strerror}).") from error
    return paths


def is_retailer(folder: Path) -> bool:
    """Tell whether a folder holds a synthetic retailer: its truth is there, or its customers can be made again.

    Parameters
    ----------
    folder : Path
        Where customers.csv, orders.csv, survey.csv and events.csv are looked for.
    """
    headers = {name: ",".join(columns) for name, columns in _COLUMNS.items()}
    if any(_first_line(folder / f"{name}.csv") != header for name, header in headers.items()):
        return False
    if _first_line(folder / "truth.csv") == _TRUTH_HEADER:
        return True
    raw = (folder / "customers.csv").read_bytes()
    n_customers = raw.count(b"\n") - 1
    if not _FEWEST <= n_customers <= _MOST_REMADE:
        return False
    return _table_bytes(_draw_people(n_customers, np.random.default_rng([2014, 0])).frame) == raw


def _first_line(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.readline(200).decode("ascii").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return None


def _table_bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode("ascii")


def _draw_people(n: int, rng: np.random.Generator) -> _People:
    ends = np.rint(np.cumsum([segment.share for segment in _SEGMENTS]) * n).astype(int)
    segment = rng.permutation(np.repeat(np.arange(len(_SEGMENTS)), np.diff(ends, prepend=0)))
    numbers = rng.permutation(2 * n)[: n + _scaled(_N_STRANGERS, n)] + 1
    keys = [f"C{number:06d}" for number in numbers]
    shapes = _of("joined", segment)
    joined = (rng.beta(shapes[:, 0], shapes[:, 1]) * (_N_EARLY + _LATEST_JOIN)).astype(int) - _N_EARLY
    region = rng.choice(len(_REGIONS), n, p=_REGION_SHARES)
    region[rng.choice(n, _scaled(_N_REGIONS_MISSING, n), replace=False)] = -1
    age = np.clip(_of("age", segment) + 11 * rng.standard_normal(n), 18, 92)
    days = pd.date_range(_FIRST_DAY, periods=_N_DAYS) - pd.Timedelta(days=_N_EARLY)
    columns = (
        pd.array(keys[:n], dtype="str"),
        _text(days.strftime("%d/%m/%Y"), joined + _N_EARLY),
        2025 - np.rint(age).astype(np.int64),
        _text(_REGIONS, region),
        _text(("no", "yes"), rng.random(n) < _of("newsletter", segment)),
        _text(_CARDS, _pick(rng, _of("cards", segment))),
    )
    frame = pd.DataFrame(dict(zip(_COLUMNS["customers"], columns, strict=True)))
    return _People(segment, joined, keys[:n], keys[n:], frame)


def _draw_purchases(people: _People, rng: np.random.Generator) -> _Purchases:
    """Draw all orders of the two years, by customer and day, and how long each customer stays interested."""
    segment, n = people.segment, len(people.segment)
    (mean, shape), leaves = _of("orders", segment).T, _of("leaves", segment)
    keenness = rng.gamma(shape) / shape
    clock, on_sale = _run_clocks()
    start, end = clock[segment, people.joined + _N_EARLY], clock[segment, -1]
    n_possible = rng.poisson(mean * keenness * (end - start))
    n_stays = rng.geometric(rng.beta(leaves[:, 0], leaves[:, 1]))
    who = np.repeat(np.arange(n), n_possible)
    moment = start[who] + rng.random(who.size) * (end - start)[who]
    moment = moment[np.lexsort((moment, who))]
    stays = np.arange(who.size) - (np.cumsum(n_possible) - n_possible)[who] < n_stays[who]
    who, moment = who[stays], moment[stays]
    day = np.empty(who.size, dtype=int)
    for place, ticks in enumerate(clock):
        own = segment[who] == place
        day[own] = np.searchsorted(ticks, moment[own]) - _N_EARLY
    # The day of joining is the day of the first order.
    last = people.joined.copy()
    np.maximum.at(last, who, day)
    until = np.where(n_possible > n_stays, np.minimum(last + 45, _N_DAYS), _N_DAYS)
    who, day = np.append(np.arange(n), who), np.append(people.joined, day)
    who, day = who[day >= 0], day[day >= 0]

    channel = _pick(rng, _mixes(rng, _of("channels", segment))[who])
    category = _pick(rng, _mixes(rng, _of("categories", segment))[who])
    order_shape, customer_shape = _VALUE_SHAPES
    typical = _of("value", segment) * (customer_shape - 1) / rng.gamma(customer_shape, size=n)
    amount = typical[who] * _PRICE_LEVELS[category] * rng.gamma(order_shape, size=who.size) / order_shape
    reduced = on_sale[day + _N_EARLY] & (rng.random(who.size) < 0.25 + _of("pulls", segment)[who, 0] / 2)
    amount = np.round(np.maximum(np.where(reduced, _SALE_PRICE, 1.0) * amount, 1.5), 2)
    return _Purchases(who, day, amount, channel, category, until, keenness)


def _run_clocks() -> tuple[Array, Array]:
    """Return years passed at the pace of each segment, 5 x days from the earliest, and which days have a sale."""
    days = pd.date_range(_FIRST_DAY, periods=_N_DAYS + _N_EARLY) - pd.Timedelta(days=_N_EARLY)
    date = np.asarray(days.month * 100 + days.day)
    sale, gift = (
        np.any([(date >= m * 100 + d) & (date <= to * 100 + end) for m, d, to, end in spans], axis=0)
        for spans in (_SALES, _GIFTS)
    )
    pulls = np.array([segment.pulls for segment in _SEGMENTS])
    pace = 1 + pulls[:, :1] * sale + pulls[:, 1:] * gift
    return np.cumsum(pace / pace[:, :365].sum(axis=1, keepdims=True), axis=1), sale


def _write_orders(people: _People, bought: _Purchases, rng: np.random.Generator) -> pd.DataFrame:
    """Number the orders by date, add refunds and what is wrong in the table."""
    n, n_bought = len(people.segment), bought.who.size
    stray = rng.choice(n_bought, _scaled(_N_STRAY, n))
    source = np.append(np.arange(n_bought), stray)
    who, day, amount = bought.who[source], bought.day[source], bought.amount[source].copy()
    who[n_bought:] = n + rng.integers(0, len(people.strangers), stray.size)
    number = np.empty(source.size, dtype=int)
    number[np.lexsort((rng.random(source.size), day))] = np.arange(1, source.size + 1)

    chance = _of("refunds", people.segment)[bought.who] * np.where(bought.channel == 0, 0.4, 1.0)
    later = bought.day + rng.integers(3, 31, n_bought)
    refunded = np.flatnonzero((rng.random(n_bought) < chance) & (later < _N_DAYS))
    part = np.where(rng.random(refunded.size) < 0.75, 1.0, rng.uniform(0.2, 0.8, refunded.size))
    quiet = rng.permutation(np.setdiff1d(np.arange(n_bought), refunded))
    amount[quiet[0]] = _ABSURD
    copied, spaced = np.split(quiet[1:], [_scaled(_N_COPIES, n)])
    spaced = spaced[: _scaled(_N_SPACED, n)]

    rows = np.concatenate([np.arange(source.size), refunded, copied])
    is_refund = (np.arange(rows.size) >= source.size) & (np.arange(rows.size) < source.size + refunded.size)
    on, paid = day[rows], amount[rows]
    on[is_refund], paid[is_refund] = later[refunded], -np.round(amount[refunded] * part, 2)
    keys = people.keys + people.strangers
    n_keys = len(keys)
    key = who[rows]
    key[spaced] = n_keys + np.arange(spaced.size)
    keys += [f" {keys[i]}" if place % 2 else f"{keys[i]} " for place, i in enumerate(who[spaced])]
    order = np.lexsort((number[rows], on))
    numbered = zip(is_refund[order].tolist(), number[rows][order].tolist(), strict=True)
    columns = (
        pd.array([f"{'R' if refund else 'O'}{place:07d}" for refund, place in numbered], dtype="str"),
        _text(keys, key[order]),
        _text(pd.date_range(_FIRST_DAY, periods=_N_DAYS).strftime("%Y-%m-%d"), on[order]),
        paid[order],
        _text(_CHANNELS, bought.channel[source][rows][order]),
        _text(_CATEGORIES, bought.category[source][rows][order]),
    )
    return pd.DataFrame(dict(zip(_COLUMNS["orders"], columns, strict=True)))


def _draw_survey(people: _People, rng: np.random.Generator) -> pd.DataFrame:
    """Draw answers around the segment's, each respondent with a leaning to agree; some tick one column."""
    who = np.flatnonzero(rng.random(len(people.segment)) < _of("responds", people.segment))
    means = _of("answers", people.segment[who])
    leaning = 0.3 * rng.standard_normal((who.size, 1))
    answers = np.clip(np.rint(means + leaning + 0.75 * rng.standard_normal(means.shape)), 1, 5).astype(np.int64)
    answers[rng.permutation(who.size)[: max(round(_STRAIGHT * who.size), 1)]] = 3
    first, *items = _COLUMNS["survey"]
    return pd.DataFrame({first: _text(people.keys, who)} | dict(zip(items, answers.T, strict=True)))


def _draw_events(people: _People, bought: _Purchases, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the visits that were counted: those with an online order and those without, event by event."""
    segment = people.segment
    since = np.maximum(people.joined, 0)
    span = np.maximum(bought.until - since, 0)
    n_idle = rng.poisson(_of("visits", segment) * np.sqrt(bought.keenness) * span / 365)
    idle = np.repeat(np.arange(segment.size), n_idle)
    counted = np.flatnonzero((bought.channel > 0) & (rng.random(bought.who.size) < _CONSENT))
    buys = np.arange(idle.size + counted.size) >= idle.size
    who = np.append(idle, bought.who[counted])
    day = np.append(since[idle] + (rng.random(idle.size) * span[idle]).astype(int), bought.day[counted])
    start = day * 86_400 + (np.asarray(rng.triangular(6.5, 20, 23, who.size)) * 3600).astype(int)
    by_app = np.append(rng.random(idle.size) > _of("desktop", segment)[idle], bought.channel[counted] == 2)
    by_desk = ~by_app & (rng.random(who.size) < np.where(buys, 0.25 + 0.75 * _of("desktop", segment)[who], 1))
    device = np.where(by_desk, 0, 1 + (rng.random(who.size) < 0.12))
    shown = np.where(~buys & (rng.random(who.size) < _ANONYMOUS), -1, who)

    cart = buys | (rng.random(who.size) < _of("carts", segment)[who])
    counts = np.stack([rng.poisson(0.35, who.size), 1 + rng.poisson(0.7 + buys), cart, buys], axis=1)
    order = np.argsort(start, kind="stable")
    counts, n_events = counts[order], counts[order].sum(axis=1)
    visit = np.repeat(np.arange(order.size), n_events)
    event = np.repeat(np.tile(np.arange(len(_EVENTS)), order.size), counts.ravel())
    passed = np.cumsum(10 + rng.exponential(60, visit.size)).astype(int)
    second = start[order][visit] + passed - passed[np.cumsum(n_events) - n_events][visit]
    in_time = np.argsort(second, kind="stable")
    visit, second = visit[in_time], second[in_time]
    days = pd.date_range(_FIRST_DAY, periods=_N_DAYS).strftime("%Y-%m-%d ")
    seconds = pd.date_range(_FIRST_DAY, periods=86_400, freq="s").strftime("%H:%M:%S")
    columns = (
        _text(people.keys, shown[order][visit]),
        _text([f"S{place:07d}" for place in range(1, order.size + 1)], visit),
        _text(days, second // 86_400) + _text(seconds, second % 86_400),
        _text(_EVENTS, event[in_time]),
        _text(_DEVICES, device[order][visit]),
    )
    return pd.DataFrame(dict(zip(_COLUMNS["events"], columns, strict=True)))


def _of(name: str, segment: Array) -> Array:
    """Return what each customer's segment is like, a row for each customer."""
    return np.array([getattr(one, name) for one in _SEGMENTS])[segment]


def _text(levels: Iterable[str], codes: Array) -> Any:
    """Return the level that each code stands for; -1 is missing."""
    return pd.array(list(levels), dtype="str").take(np.asarray(codes, dtype=np.intp), allow_fill=True)


def _mixes(rng: np.random.Generator, shapes: Array) -> Array:
    """Return Dirichlet shares, a row for each row of shapes."""
    parts = rng.standard_gamma(shapes)
    return parts / parts.sum(axis=1, keepdims=True)


def _pick(rng: np.random.Generator, shares: Array) -> Array:
    """Return a place in each row of shares, as likely as its share."""
    passed = rng.random((len(shares), 1)) > np.cumsum(shares, axis=1)[:, :-1]
    return passed.sum(axis=1)


def _scaled(count: int, n: int) -> int:
    """Return a count of 3,000 customers for ``n``."""
    return max(round(count * n / 3000), 1)
