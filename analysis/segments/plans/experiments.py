"""Tests of actions: what share is to change, how large it is now, and the smallest change that a segment can show."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import number, short_percentage

ALPHA, POWER = 0.05, 0.8
"""Of the two-sided tests, of a share in customers who get the action against one in customers who do not."""
HOLDOUTS = (0.5, 0.1)
"""Share of the segment that is held back."""
COARSE = 0.5
"""A design is too coarse where the smallest change it detects exceeds this part of the baseline. Threshold chosen for
this project."""
FINE = 0.25
"""Difference of a mean up to which it is worth measuring in place of a share. Threshold chosen for this project."""
BASELINES = (0.05, 0.15, 0.3)
"""Where no baseline is known, what a segment can show is given for these."""
EVERYONE = 0.9
"""From this share on, a share that nearly everyone reaches is no baseline to raise. Threshold chosen for this
project."""
NEARLY = "nearly all do so already"
"""Source of a baseline that cannot rise; a design then compares an amount."""
WINDOWS = ((91, "three months", 13), (61, "two months", 9), (30, "a month", 5))
"""Days within which customers order again, in words, and the weeks of a test; a shorter one is used where nearly all
order within the longer."""
VISITS = "Show it in {treated} visits picked at random, leave {held} as they are"
"""What is done where visits are counted, whoever makes them."""
ASKED = "Ask {treated} who saw it and {held} who did not"
"""What is done where an answer is counted."""
Direction = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A share that a test can change.

    Attributes
    ----------
    label : str
    assumed : float, optional
        Rate where the data do not hold one; None where no such rate can be assumed.
    sentence : str
        What is assumed, after the rate.
    better : {"more", "less"}
    weeks : int
        How long a test runs.
    unit : str
        What the share counts, if not customers.
    """

    label: str
    assumed: float | None
    sentence: str
    better: Direction = "more"
    weeks: int = 6
    unit: str = ""


KPIS: Mapping[str, Kpi] = {
    "response": Kpi("response to a campaign", 0.05, "answer a campaign"),
    "reorder": Kpi("share who order within three months", 0.3, "order within three months", weeks=13),
    "conversion": Kpi("orders per visit", 0.03, "of visits end in an order", weeks=4, unit="visits"),
    "second": Kpi("share who add the recommended product", 0.1, "add the recommended product to an order"),
    "upgrade": Kpi("share who move to the larger offer", 0.05, "move to a larger plan or contract", weeks=8),
    "return": Kpi("share who come back within a month", 0.2, "come back within a month"),
    "active": Kpi("share who use it every week", 0.5, "use the service every week", weeks=8),
    "contact": Kpi("share who need help in a month", 0.2, "contact support in a month", "less", weeks=6),
    "churn": Kpi("share who leave", 0.1, "leave within a quarter", "less", weeks=13),
    "default": Kpi("share who fall behind with payments", 0.05, "fall behind with payments in a quarter", "less", 13),
    "complaint": Kpi("share who complain", 0.05, "complain within a quarter", "less", weeks=13),
    "uptake": Kpi("share who take the offer", None, "", weeks=8),
}
"""The only table of KPIs and assumed rates; ``assumptions`` in the settings overrides the rates by name."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A rate before the test.

    Attributes
    ----------
    rate : float, optional
        As it is printed; None where it is not known.
    source : str
        Where the rate is from.
    assumed : bool
    n : int
        Customers, or visits, of which a part can be held back.
    unit : str
        What is counted, plural.
    better : {"more", "less"}
    window : int
        Place in `WINDOWS` of the time within which customers order again.
    """

    rate: float | None
    source: str
    assumed: bool
    n: int
    unit: str
    better: Direction
    window: int = 0


@dataclass(frozen=True, slots=True)
class Holdout:
    """One way to divide a segment.

    ``detects`` is the share from which a change shows, rounded away from the baseline to a whole percentage; None where
    no change can show.
    """

    treated: int
    held: int
    detects: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """What a segment can show at one assumed baseline, with half and with a tenth held back."""

    baseline: float
    half: float | None
    tenth: float | None


@dataclass(frozen=True, slots=True)
class Design:
    """A test that a segment can carry.

    Attributes
    ----------
    kpi : str
    baseline : float, optional
        Rate before the test, as printed; None where no rate is known or assumed.
    source : str
        Where the baseline is from.
    assumed : bool
    better : {"more", "less"}
    unit : str
        What the rate counts: customers or visits.
    half, tenth : Holdout
    feasible : bool
        Whether the change that it detects is small enough to hope for.
    sentence : str
        What can be done and what it shows.
    tenth_sentence : str
    help : str
        What would show smaller changes; empty where the design is fine enough.
    rows : tuple of Row
        For three baselines, where none is known.
    weeks : int
    """

    kpi: str
    baseline: float | None
    source: str
    assumed: bool
    better: Direction
    unit: str
    half: Holdout
    tenth: Holdout
    feasible: bool
    sentence: str
    tenth_sentence: str
    help: str
    rows: tuple[Row, ...]
    weeks: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The segment most alike, which a test may take in: its name, and the baseline of both together."""

    name: str
    n: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Amount:
    """A continuous KPI of the segment: its mean and standard deviation over members with a value."""

    label: str
    n: int
    mean: float
    sd: float


def check_assumptions(assumptions: Mapping[str, float]) -> None:
    """Refuse assumptions that no KPI uses.

    Raises
    ------
    InputError
        Naming the setting, with similar names.
    """
    known = [name for name, kpi in KPIS.items() if kpi.assumed is not None]
    for name in assumptions:
        if name not in known:
            raise InputError(
                f"_quarto.yml, segmentation.assumptions.{name}: the plan uses no rate of this name.",
                f"Available: {listed(known, 20)}.",
                did_you_mean(name, known) or "Correct the name.",
            )


def describe_assumption(name: str, rate: float) -> str:
    """Name an assumed rate.

    >>> describe_assumption("conversion", 0.03), describe_assumption("churn", 0.1)
    ('assumed: 3% of visits end in an order', 'assumed: 10% leave within a quarter')
    """
    return f"assumed: {short_percentage(rate)} {KPIS[name].sentence}"


def design_test(
    kpi: str, weeks: int, baseline: Baseline, lead: str, pool: Pool | None = None, amount: Amount | None = None
) -> Design:
    """Design the test of an action.

    Parameters
    ----------
    kpi : str
        What is measured.
    weeks : int
    baseline : Baseline
        With the rate as printed; sizes are computed from it.
    lead : str
        What is done with those picked and with those held back, whose numbers stand in braces, such as
        "Send it to {treated} picked at random, hold back {held}".
    pool : Pool, optional
    amount : Amount, optional
        What else could be measured.
    """
    usable = baseline.rate is not None and 0 < baseline.rate < 1
    rate, n = (baseline.rate if usable else None), baseline.n
    half, tenth = (_divide(n, part, rate, baseline.better) for part in HOLDOUTS)
    rows = () if usable or baseline.source == NEARLY else tuple(_row(n, each, baseline.better) for each in BASELINES)
    change = abs(half.detects - rate) / rate if rate is not None and half.detects is not None else None
    feasible = change is not None and change <= COARSE
    lead = VISITS if baseline.unit == "visits" else lead
    lead = lead.format(treated=number(half.treated), held=number(half.held))
    if baseline.source == NEARLY:
        part = None if amount is None else _least_part(amount)
        compared = f"Compare {amount.label}: a difference of {short_percentage(part)} shows." if amount and part else ""
        sentence, short, feasible = f"{lead}. {compared}".rstrip(), "", part is not None and part <= COARSE
    elif rate is None:
        first = next((row for row in rows if row.half is not None), None)
        shown = f": enough to detect {_change(first.baseline, first.half, baseline.better)}" if first else ""
        sentence = f"{lead}{shown}." if first is None else f"{lead}{shown}, for example."
        short = ""
    else:
        sentence = f"{lead}: {_enough(rate, half, baseline, n, 0.5)}."
        short = (
            f"With only {number(tenth.held)} held back, {_change(rate, tenth.detects, baseline.better)} shows."
            if tenth.detects is not None
            else ""
        )
    return Design(
        kpi, rate, baseline.source, baseline.assumed, baseline.better, baseline.unit, half, tenth, feasible, sentence,
        short, "" if feasible or rate is None else _help(rate, half, baseline, pool, amount), rows, weeks,
    )  # fmt: skip


def detectable(rate: float, treated: int, held: int, better: Direction) -> float | None:
    """Compute the rate from which a change shows, rounded away from the baseline to a whole percentage.

    Arcsine effect size (Cohen 1988) that a two-sided test of two shares detects with this power.

    Returns
    -------
    float or None
        None where not even the end of the scale would show.

    Examples
    --------
    >>> detectable(0.22, 335, 335, "more"), detectable(0.17, 335, 335, "less")
    (0.32, 0.09)
    """
    if treated < 1 or held < 1:
        return None
    angle = math.asin(math.sqrt(rate)) + _least_effect(treated, held) / 2 * (1 if better == "more" else -1)
    if not 0 < angle < math.pi / 2:
        return None
    points = round(100 * math.sin(angle) ** 2, 6)
    found = math.ceil(points) if better == "more" else math.floor(points)
    return found / 100 if 0 < found < 100 else None


@functools.cache
def _least_effect(treated: int, held: int) -> float:
    """The smallest effect size that groups of these sizes detect."""
    from statsmodels.stats.power import NormalIndPower

    effect = NormalIndPower().solve_power(nobs1=treated, ratio=held / treated, alpha=ALPHA, power=POWER)
    return float(np.squeeze(effect))


def round_rate(x: float) -> float:
    """Round a rate as `short_percentage` prints it.

    >>> round_rate(0.2249), round_rate(0.0312)
    (0.22, 0.031)
    """
    return round(x, 2) if x >= 0.0995 else round(x, 3)


def _divide(n: int, part: float, rate: float | None, better: Direction) -> Holdout:
    held = min(max(math.floor(n * part), 1), n)
    treated = n - held
    return Holdout(treated, held, None if rate is None else detectable(rate, treated, held, better))


def _row(n: int, rate: float, better: Direction) -> Row:
    half, tenth = (_divide(n, part, rate, better).detects for part in HOLDOUTS)
    return Row(rate, half, tenth)


def _change(before: float, after: float | None, better: Direction) -> str:
    if after is None:
        return ""
    way, end = ("rise", "more") if better == "more" else ("fall", "less")
    return f"a {way} from {short_percentage(before)} to {short_percentage(after)} or {end}"


def _enough(rate: float, half: Holdout, baseline: Baseline, n: int, part: float) -> str:
    """What a design detects: the wanted change, or the other one where that is out of reach."""
    if half.detects is not None:
        return f"enough to detect {_change(rate, half.detects, baseline.better)}"
    other: Direction = "less" if baseline.better == "more" else "more"
    found = _divide(n, part, rate, other).detects
    if found is None:
        return "enough to see that nothing gets much worse, and to learn from their answers"
    return f"enough to notice {_change(rate, found, other)}, should it do harm"


def _least_part(amount: Amount) -> float | None:
    """The smallest difference of means that halves show, as a part of the mean, rounded up to a whole percentage."""
    if amount.mean <= 0 or amount.n <= 3:
        return None
    return math.ceil(100 * _least_effect(amount.n // 2, amount.n // 2) * amount.sd / amount.mean) / 100


def _help(rate: float, half: Holdout, baseline: Baseline, pool: Pool | None, amount: Amount | None) -> str:
    """What would show a smaller change."""
    n, better, way = baseline.n, baseline.better, "rise" if baseline.better == "more" else "fall"
    ways = []
    twice = detectable(rate, n, n, better)
    if twice is not None and (half.detects is None or abs(twice - rate) < abs(half.detects - rate)):
        ways.append(f"run it in two periods (a {way} to {short_percentage(twice)} shows)")
    if pool is not None and pool.rate is not None and 0 < pool.rate < 1:
        both = n + pool.n
        together = detectable(pool.rate, both - both // 2, both // 2, better)
        if together is not None and (half.detects is None or abs(together - pool.rate) < abs(half.detects - rate)):
            change = f"from {short_percentage(pool.rate)} to {short_percentage(together)}"
            ways.append(f"pool it with {pool.name} (together a {way} {change} shows)")
    if amount is not None and baseline.unit != "visits":
        part = _least_part(amount)
        if part is not None and part <= FINE:
            ways.append(f"compare {amount.label} (a difference of {short_percentage(part)} shows)")
    return (
        f"To see smaller changes, {', '.join(ways[:-1]) + ' or ' if len(ways) > 1 else ''}{ways[-1]}." if ways else ""
    )
