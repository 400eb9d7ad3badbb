"""Synthetic omnichannel retailer: customers, orders, a survey and web events, with known segments.

Five groups of customers buy by a Poisson process that sale weeks and the gift season speed up, and leave for
good after an order with a probability of their own (BG/NBD); amounts follow the Gamma-Gamma model. An order
placed online leaves a session where the visitor agreed to be counted. Every number here is made up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError

Array = NDArray[Any]

_CHANNELS = ("store", "web", "app")
_CATEGORIES = ("Food", "Home", "Fashion", "Beauty", "Electronics", "Toys")
_PRICE_LEVELS = np.array([0.6, 1.2, 1.0, 0.7, 1.8, 0.9])  # of the categories
_REGIONS = {"North": 0.16, "East": 0.12, "South": 0.2, "West": 0.17, "Centre": 0.11, "Capital": 0.24}
_CARDS = ("no card", "bronze", "silver", "gold")
_ITEMS = "price_matters", "quality", "sustainability", "trends", "service", "convenience", "loyalty", "advice"

# A column a group, in the order of Retailer.truth; rates are a year's, tuples within follow the levels above.
_TRAITS: dict[str, tuple[Any, ...]] = {
    "share": (0.27, 0.24, 0.19, 0.16, 0.14),
    "joined": ((1, 2.6), (1.2, 2), (1, 2.4), (1.1, 2.4), (2.2, 2.8)),  # beta shapes, earliest day to latest
    "orders": (12, 9.5, 2.6, 6.5, 9),  # mean rate
    "leaves": ((1, 70), (1, 28), (1, 40), (1, 45), (5, 11)),  # beta shapes of the chance after an order
    "sale": (0.1, 1.3, 0.1, 0, 0.5),  # what sale weeks add to the pace of orders
    "gift": (0.2, 0.1, 1.6, 0.2, 0.1),  # what the gift season adds
    "value": (44, 26, 62, 118, 48),  # mean of an order at a price level of one, EUR
    "refund": (0.05, 0.14, 0.06, 0.08, 0.1),  # chance for an online order; 0.4 of it in a store
    "channels": ((12, 0.9, 0.5), (0.5, 2, 11), (6, 3, 0.4), (1, 10, 0.9), (1, 7, 3)),  # Dirichlet shapes
    "categories": ((9, 5, 1.2, 2, 0.5, 0.8), (0.8, 1, 8, 4.5, 1, 1), (1.2, 0.8, 0.5, 4, 0.6, 8),
                   (0.8, 5, 1.5, 0.8, 8, 0.4), (0.7, 3.5, 7, 2, 1.6, 0.8)),
    "visits": (1.6, 13, 2.4, 8, 7),  # rate of counted visits without an order
    "cart": (0.1, 0.45, 0.2, 0.16, 0.32),  # chance of a cart in such a visit
    "desktop": (0.45, 0.06, 0.5, 0.74, 0.35),
    "age": (56, 31, 47, 44, 37),
    "newsletter": (0.48, 0.72, 0.3, 0.52, 0.34),
    "cards": ((0.08, 0.27, 0.4, 0.25), (0.3, 0.5, 0.17, 0.03), (0.52, 0.38, 0.09, 0.01),
              (0.12, 0.2, 0.33, 0.35), (0.66, 0.3, 0.04, 0.0)),
    "responds": (0.56, 0.38, 0.33, 0.41, 0.19),
    "answers": ((3.3, 3.9, 3.1, 2.0, 4.3, 3.2, 4.5, 3.8), (4.7, 3.0, 2.9, 4.1, 2.4, 4.2, 2.2, 2.1),
                (3.2, 3.6, 2.9, 2.8, 3.8, 4.0, 2.6, 4.4), (2.0, 4.7, 4.0, 3.3, 3.6, 4.3, 3.3, 2.6),
                (3.9, 3.3, 2.9, 3.6, 2.3, 3.4, 1.8, 2.6)),
}  # fmt: skip

_N_DAYS, _N_EARLY, _LATEST_JOIN = 731, 180, 670  # of orders; before them, when customers join too; until then
_DAYS = pd.date_range(end="2025-06-30", periods=_N_EARLY + _N_DAYS)
_SALES, _GIFTS = ((102, 120), (701, 720), (1120, 1130)), ((501, 514), (1125, 1224))  # months and days
_SALE_PRICE, _ABSURD_AMOUNT = 0.75, 99_999.99
_RATE_SHAPE, _ORDER_SHAPE, _CUSTOMER_SHAPE = 4.0, 5.0, 5.0  # of BG/NBD and, twice, of Gamma-Gamma
_CONSENT, _ANONYMOUS, _STRAIGHT, _FEWEST = 1 / 3, 0.22, 0.04, 50
# How many in 3,000 customers, and at least one.
_N_REGIONS_MISSING, _N_COPIES, _N_SPACED, _N_STRAY, _N_STRANGERS = 45, 25, 40, 30, 18


@dataclass(frozen=True, slots=True)
class Retailer:
    """The sources of a synthetic retailer, each as pandas reads its file, and the truth behind them.

    Attributes
    ----------
    customers : DataFrame
        customer_id, joined (DD/MM/YYYY, the day of the first order), birth_year, region (some missing),
        newsletter (yes, no), loyalty_card.
    orders : DataFrame
        By date: order_id, customer_id, date (YYYY-MM-DD), amount (EUR), channel, category. The negative
        refund R0000042 gives back all or part of order O0000042.
    survey : DataFrame
        One row per respondent: customer_id and eight items from 1 to 5.
    events : DataFrame
        By time: customer_id (missing where anonymous), session_id, timestamp, event_type, device.
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
    segment: Array  # 0 to 4
    joined: Array  # days from the first one
    keys: list[str]  # of the customers, then of the strangers
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Purchases:
    who: Array
    day: Array
    amount: Array
    channel: Array
    category: Array
    until: Array  # the day after which each customer visits no more; before the first day for some
    keenness: Array  # of each customer, 1 on average


def make_retailer(n_customers: int = 3000, seed: int = 2014) -> Retailer:
    """Draw the retailer; the same arguments give the same tables.

    The orders span 2023-07-01 to 2025-06-30. Copied rows, keys with spaces, orders of unknown customers and
    missing regions come in proportion to the customers, and one order has an absurd amount. Some customers
    left before the first day and have no order. Time and memory grow linearly.

    Parameters
    ----------
    n_customers, seed : int
        50 or more customers; a seed of 0 or more.

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
    rng = np.random.default_rng(seed)
    people = _draw_people(n_customers, rng)
    bought = _draw_purchases(people, rng)
    orders, events = _list_orders(people, bought, rng), _draw_events(people, bought, rng)
    truth = pd.Series(people.segment + 1, pd.Index(people.frame["customer_id"]), "int64", "planted_segment")
    return Retailer(people.frame, orders, _draw_survey(people, rng), events, truth)


def write_retailer(folder: Path, n_customers: int = 3000, seed: int = 2014) -> dict[str, Path]:
    """Write customers.csv, orders.csv, survey.csv and events.csv, and the planted segments as truth.csv.

    Parameters
    ----------
    folder : Path
        Made when absent.
    n_customers, seed : int
        As for `make_retailer`; the same arguments give the same bytes.

    Returns
    -------
    dict of str to Path
        By customers, orders, survey, events, truth.

    Raises
    ------
    InputError
        As `make_retailer`, and when the folder cannot be written.
    """
    made = make_retailer(n_customers, seed)
    tables = {name: getattr(made, name) for name in ("customers", "orders", "survey", "events")}
    tables["truth"] = made.truth.reset_index()
    paths = {name: folder / f"{name}.csv" for name in tables}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.to_csv(paths[name], index=False, lineterminator="\n", encoding="ascii")
    except OSError as error:
        raise InputError(f"{folder}: the demonstration data could not be written ({error.strerror}).") from error
    return paths


def is_retailer(folder: Path) -> bool:
    """Return whether a folder contains a synthetic retailer with its segments in truth.csv.

    Parameters
    ----------
    folder : Path
    """
    try:
        with (folder / "truth.csv").open(encoding="ascii") as truth:
            return truth.readline(80) == "customer_id,planted_segment\n"
    except (OSError, UnicodeDecodeError):
        return False


def _draw_people(n: int, rng: np.random.Generator) -> _People:
    ends = np.rint(np.cumsum(_TRAITS["share"]) * n).astype(int)
    segment = rng.permutation(np.repeat(np.arange(ends.size), np.diff(ends, prepend=0)))
    keys = [f"C{number:06d}" for number in 1 + rng.permutation(2 * n)[: n + _scaled(_N_STRANGERS, n)]]
    joined = np.asarray(rng.beta(*_of("joined", segment).T) * (_N_EARLY + _LATEST_JOIN)).astype(int) - _N_EARLY
    region = rng.choice(len(_REGIONS), n, p=list(_REGIONS.values()))
    region[rng.choice(n, _scaled(_N_REGIONS_MISSING, n), replace=False)] = -1
    age = np.clip(_of("age", segment) + 11 * rng.standard_normal(n), 18, 92)
    frame = pd.DataFrame({
        "customer_id": pd.array(keys[:n], dtype="str"),
        "joined": _text(_DAYS.strftime("%d/%m/%Y"), _N_EARLY + joined),
        "birth_year": 2025 - np.rint(age).astype(np.int64),
        "region": _text(_REGIONS, region),
        "newsletter": _text(("no", "yes"), rng.random(n) < _of("newsletter", segment)),
        "loyalty_card": _text(_CARDS, _pick(_of("cards", segment), rng)),
    })  # fmt: skip
    return _People(segment, joined, keys, frame)


def _draw_purchases(people: _People, rng: np.random.Generator) -> _Purchases:
    segment, n = people.segment, people.segment.size
    keenness = rng.gamma(_RATE_SHAPE, 1 / _RATE_SHAPE, n)
    clock, is_sale = _run_clocks()
    first = segment * is_sale.size + _N_EARLY  # where the clock of the segment stands at day 0
    start, end = clock[first + people.joined], clock[first + _N_DAYS - 1]
    n_possible = rng.poisson(_of("orders", segment) * keenness * (end - start))
    n_stays = np.asarray(rng.geometric(rng.beta(*_of("leaves", segment).T)))
    who = np.repeat(np.arange(n), n_possible)
    moment = start[who] + rng.random(who.size) * (end - start)[who]
    moment = moment[np.lexsort((moment, who))]
    stays = np.arange(who.size) - (np.cumsum(n_possible) - n_possible)[who] < n_stays[who]
    again = np.searchsorted(clock, moment[stays]) - first[who[stays]]
    who, day = np.append(np.arange(n), who[stays]), np.append(people.joined, again)
    last = people.joined.copy()
    np.maximum.at(last, who, day)
    until = np.where(n_possible > n_stays, np.minimum(last + 45, _N_DAYS), _N_DAYS)
    who, day = who[day >= 0], day[day >= 0]
    channel, category = (_pick(_mix(_of(of, segment), rng)[who], rng) for of in ("channels", "categories"))
    typical = _of("value", segment) * (_CUSTOMER_SHAPE - 1) / rng.gamma(_CUSTOMER_SHAPE, size=n)
    amount = typical[who] * _PRICE_LEVELS[category] * rng.gamma(_ORDER_SHAPE, 1 / _ORDER_SHAPE, who.size)
    reduced = is_sale[day + _N_EARLY] & (rng.random(who.size) < 0.25 + _of("sale", segment)[who] / 2)
    amount = np.round(np.maximum(amount * np.where(reduced, _SALE_PRICE, 1), 1.5), 2)
    return _Purchases(who, day, amount, channel, category, until, keenness)


def _run_clocks() -> tuple[Array, Array]:
    """Return the years gone by each day at a segment's pace, one after the other, and the sale days."""
    date = np.asarray(_DAYS.month * 100 + _DAYS.day)
    sale, gift = (np.any([(date >= a) & (date <= b) for a, b in of], axis=0) for of in (_SALES, _GIFTS))
    pace = 1 + np.outer(_TRAITS["sale"], sale) + np.outer(_TRAITS["gift"], gift)
    return np.cumsum(pace / pace[:, :365].sum(axis=1, keepdims=True)), sale


def _list_orders(people: _People, bought: _Purchases, rng: np.random.Generator) -> pd.DataFrame:
    """Number the orders by date, add refunds and what is wrong in the table."""
    n, n_bought = people.segment.size, bought.who.size
    source = np.append(np.arange(n_bought), rng.choice(n_bought, _scaled(_N_STRAY, n)))
    who, day, amount = bought.who[source], bought.day[source], bought.amount[source]
    who[n_bought:] = rng.integers(n, len(people.keys), source.size - n_bought)
    number = np.empty(source.size, dtype=int)
    number[np.lexsort((rng.random(source.size), day))] = np.arange(1, source.size + 1)
    chance = _of("refund", people.segment)[bought.who] * np.where(bought.channel == 0, 0.4, 1)
    later = bought.day + rng.integers(3, 31, n_bought)
    refunded = np.flatnonzero((rng.random(n_bought) < chance) & (later < _N_DAYS))
    part = np.where(rng.random(refunded.size) < 0.75, 1, rng.uniform(0.2, 0.8, refunded.size))
    quiet = rng.permutation(np.setdiff1d(np.arange(n_bought), refunded))
    absurd, copied, spaced, _ = np.split(quiet, np.cumsum([1, _scaled(_N_COPIES, n), _scaled(_N_SPACED, n)]))
    amount[absurd] = _ABSURD_AMOUNT

    rows = np.concatenate([np.arange(source.size), copied, refunded])
    is_refund = np.arange(rows.size) >= source.size + copied.size
    on, paid, key = day[rows], amount[rows], who[rows]
    on[is_refund], paid[is_refund] = later[refunded], -np.round(amount[refunded] * part, 2)
    key[spaced] = len(people.keys) + np.arange(spaced.size)
    padded = [f" {people.keys[i]}" if i % 2 else f"{people.keys[i]} " for i in who[spaced]]
    order = np.lexsort((number[rows], on))
    rows, letters = rows[order], np.where(is_refund[order], "R", "O")
    numbered = zip(letters, number[rows], strict=True)
    return pd.DataFrame({
        "order_id": pd.array([f"{letter}{place:07d}" for letter, place in numbered], dtype="str"),
        "customer_id": _text(people.keys + padded, key[order]),
        "date": _text(_DAYS.strftime("%Y-%m-%d"), _N_EARLY + on[order]),
        "amount": paid[order],
        "channel": _text(_CHANNELS, bought.channel[source[rows]]),
        "category": _text(_CATEGORIES, bought.category[source[rows]]),
    })  # fmt: skip


def _draw_survey(people: _People, rng: np.random.Generator) -> pd.DataFrame:
    """Draw answers around the segment's, each respondent with a leaning to agree; some tick the middle."""
    who = np.flatnonzero(rng.random(people.segment.size) < _of("responds", people.segment))
    meant = _of("answers", people.segment[who]) + 0.3 * rng.standard_normal((who.size, 1))
    answers = np.clip(np.rint(meant + 0.75 * rng.standard_normal(meant.shape)), 1, 5).astype(np.int64)
    answers[rng.permutation(who.size)[: max(round(_STRAIGHT * who.size), 1)]] = 3
    return pd.DataFrame({"customer_id": _text(people.keys, who)} | dict(zip(_ITEMS, answers.T, strict=True)))


def _draw_events(people: _People, bought: _Purchases, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the counted visits, those without an order and those with one online, event by event."""
    segment, since = people.segment, np.maximum(people.joined, 0)
    span = np.maximum(bought.until - since, 0)
    n_idle = rng.poisson(_of("visits", segment) * np.sqrt(bought.keenness) * span / 365)
    idle = np.repeat(np.arange(segment.size), n_idle)
    counted = np.flatnonzero((bought.channel > 0) & (rng.random(bought.who.size) < _CONSENT))
    who = np.append(idle, bought.who[counted])
    n, buys = who.size, np.arange(who.size) >= idle.size
    day = np.append(since[idle] + (rng.random(idle.size) * span[idle]).astype(int), bought.day[counted])
    start = day * 86_400 + (rng.triangular(6.5, 20, 23, n) * 3600).astype(int)
    at_desk = rng.random(n) < _of("desktop", segment)[who]
    at_desk[idle.size :] &= bought.channel[counted] == 1
    device = np.where(at_desk, 0, 1 + (rng.random(n) < 0.12))
    shown = np.where(~buys & (rng.random(n) < _ANONYMOUS), -1, who)

    cart = buys | (rng.random(n) < _of("cart", segment)[who])
    counts = np.stack([rng.poisson(0.35, n), 1 + rng.poisson(0.7 + buys), cart, buys], axis=1)
    order = np.argsort(start, kind="stable")
    counts, n_events = counts[order], counts[order].sum(axis=1)
    visit = np.repeat(np.arange(n), n_events)
    event = np.repeat(np.tile(np.arange(counts.shape[1]), n), counts.ravel())
    passed = np.cumsum(10 + rng.exponential(60, visit.size)).astype(int)
    second = start[order][visit] + passed - passed[np.cumsum(n_events) - n_events][visit]
    by_time = np.argsort(second, kind="stable")
    visit, second = visit[by_time], second[by_time]
    times = pd.date_range("2025", periods=86_400, freq="s").strftime(" %H:%M:%S")
    date, time = _text(_DAYS.strftime("%Y-%m-%d"), _N_EARLY + second // 86_400), _text(times, second % 86_400)
    return pd.DataFrame({
        "customer_id": _text(people.keys, shown[order][visit]),
        "session_id": _text([f"S{place:07d}" for place in range(1, n + 1)], visit),
        "timestamp": date + time,
        "event_type": _text(("search", "view", "cart", "purchase"), event[by_time]),
        "device": _text(("desktop", "mobile", "tablet"), device[order][visit]),
    })  # fmt: skip


def _of(name: str, segment: Array) -> Array:
    """Return what each customer's segment is like, a row for each customer."""
    return np.array(_TRAITS[name])[segment]


def _text(levels: Iterable[str], codes: Array) -> Any:
    """Return the level that each code stands for; -1 is missing."""
    return pd.array(list(levels), dtype="str").take(codes.astype(np.intp), allow_fill=True)


def _mix(shapes: Array, rng: np.random.Generator) -> Array:
    parts = rng.standard_gamma(shapes)
    return parts / parts.sum(axis=1, keepdims=True)


def _pick(shares: Array, rng: np.random.Generator) -> Array:
    """Return a place in each row of shares, as likely as its share."""
    return (rng.random((len(shares), 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)


def _scaled(count: int, n: int) -> int:
    return max(round(count * n / 3000), 1)
