"""Plan and start of a test: who takes part, how large the groups are, and how balanced."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.experiments.allocation import CONTROL, TREATMENT, UNBALANCED, allocate, measure_balance
from analysis.experiments.audience import Audience
from analysis.experiments.records import BROKEN, FOLDER, PRIVATE, Experiment, check_name, read_running
from analysis.experiments.statistics import check_ratio

FEWEST = 2
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Action:
    """An action of the last report's plan, as far as a test needs it.

    Attributes
    ----------
    title : str
    baseline : float, optional
        Rate before the test, where the plan has one.
    better : {"more", "less"}
    days : int
        Length of the test in the plan.
    """

    title: str = ""
    baseline: float | None = None
    better: Literal["more", "less"] = "more"
    days: int = 42


def find_action(root: Path, letter: str, slot: str) -> Action:
    """Return an action of the last report; without a slot, a test of no particular action.

    Raises
    ------
    InputError
        Where the plan of the segment has no such part.
    """
    if not slot:
        return Action()
    report: dict[str, Any] = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
    segment = next((s for s in report.get("segments", ()) if s["letter"] == letter), None)
    found = next((s for s in (segment or {}).get("plan", ()) if s["slot"] == slot and s["action"]), None)
    if found is None:
        raise InputError(
            f"The plan of segment {letter} has no {slot}.",
            "Expected a part of its plan with an action.",
            "See the plans: python -m analysis plan",
        )
    design = found.get("design") or {}
    return Action(found["action"], design.get("baseline"), design.get("better", "more"), 7 * design.get("weeks", 6))


def read_date(root: Path) -> str:
    """Return the date of the data in the last report; empty without one."""
    report = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
    return str(report.get("study", {}).get("as_of", ""))


def plan_test(
    root: Path, name: str, action: str, act: Action, audience: Audience, design: tuple[str, float, int, dt.date]
) -> Experiment:
    """Plan a test of those who may be contacted and are in no running test.

    Parameters
    ----------
    root : Path
    name : str
    action : str
        Such as B.campaign; empty for none.
    act : Action
    audience : Audience
        With ``slug``.
    design : tuple
        KPI, share held back, days and first day.

    Raises
    ------
    InputError
        Where a test of this name exists, or too few customers remain.
    """
    if (root / FOLDER / f"{check_name(name)}.yml").exists() or (root / PRIVATE / f"{name}.parquet").exists():
        raise InputError(
            f"Test '{name}' exists already.", "A test is never overwritten.", "Choose another name, or see: test status"
        )
    kpi, holdout, days, start = design
    words = {
        "ordered": "the share who order",
        "orders": "the number of orders",
        "spend": "the spend per customer",
        "visited": "the share who visit",
        "visits": "the number of visits",
    }
    way = "raises" if act.better == "more" else "lowers"
    return Experiment(
        name=name,
        action=action,
        title=act.title or name,
        segments=tuple(sorted(set(audience.table["slug"]))),
        hypothesis=f"The action {way} {words.get(kpi, kpi)} within {days} days.",
        kpi=kpi,
        better=act.better,
        holdout=holdout,
        days=days,
        start=start.isoformat(),
        stop=(start + dt.timedelta(days=days - 1)).isoformat(),
        planned=count(draw(name, holdout, audience)),
        detects="",
    )


def draw(name: str, holdout: float, audience: Audience) -> pd.DataFrame:
    """Allocate the customers of an audience: ``key``, ``segment`` (address) and ``group``.

    Raises
    ------
    InputError
        Where one of the groups has fewer than two customers, or the sizes would fail the sample-ratio check.
    """
    keys = audience.table["key"]
    groups = allocate(name, keys, holdout)
    table = pd.DataFrame({"key": keys.astype("str"), "segment": audience.table["slug"].astype("str"), "group": groups})
    if min(int((groups == each).sum()) for each in (TREATMENT, CONTROL)) < FEWEST:
        raise InputError(
            f"Test '{name}': {len(table)} customers are too few for two groups.",
            "Customers without consent and customers in running tests do not take part.",
            "Test more segments, or wait until a running test ends.",
        )
    n_control = int((groups == CONTROL).sum())
    if check_ratio(len(table) - n_control, n_control, holdout) < BROKEN:
        raise InputError(
            f"Test '{name}': this name draws {len(table) - n_control} for treatment and {n_control} for control.",
            "Sizes this far from the plan come up in 1 of 1,000 tests, and the sample-ratio check rejects them.",
            "Choose another name.",
        )
    return table


def count(groups: pd.DataFrame) -> tuple[int, int]:
    """Return the customers in treatment and control, rounded so that they may be published."""
    rules = Disclosure()
    counts = groups["group"].value_counts()
    return rules.count(int(counts.get(TREATMENT, 0))), rules.count(int(counts.get(CONTROL, 0)))


def leave_out_running(root: Path, audience: Audience, but: str = "", held_only: bool = False) -> Audience:
    """Leave out customers of running tests, or only their control groups."""
    running = read_running(root, but)
    for name, members in running.groupby("test"):
        held = members[members["group"] == CONTROL] if held_only else members
        reason = f"held back by the running test {name}" if held_only else f"in the running test {name}"
        audience = audience.without(audience.table["key"].isin(held["key"]), reason)
    return audience


def describe_balance(groups: pd.DataFrame, features: pd.DataFrame) -> list[str]:
    """Say how balanced the groups are in their segments and features.

    Parameters
    ----------
    groups : DataFrame
    features : DataFrame
        Numbers of the same customers, in the same order.
    """
    segments = pd.get_dummies(groups["segment"], dtype=float) if groups["segment"].nunique() > 1 else pd.DataFrame()
    table = pd.concat([features.reset_index(drop=True), segments.reset_index(drop=True)], axis=1)
    balance = measure_balance(table, groups["group"].to_numpy())
    lines = [f"  {name}: {value:+.3f}" for name, value in balance.head(MOST_SHOWN).items()]
    n = int((balance.abs() > UNBALANCED).sum())
    judged = "all below 0.1" if n == 0 else f"{n} above 0.1, which chance allows in small groups"
    return [
        "Standardised differences between the groups, largest first:",
        *lines,
        f"  {len(balance)} in all; {judged}.",
    ]


def begin(test: Experiment, groups: pd.DataFrame | None, start: dt.date | None) -> Experiment:
    """Return a planned test as running.

    Raises
    ------
    InputError
        Where it was started before.
    """
    if test.status != "planned":
        raise InputError(
            f"Test '{test.name}' was started already.",
            f"It is {test.status}: {test.start} to {test.stop}.",
            "Plan another test to repeat it.",
        )
    first = start or dt.date.fromisoformat(test.start)
    last = first + dt.timedelta(days=test.days - 1)
    return replace(
        test,
        status="running",
        start=first.isoformat(),
        stop=last.isoformat(),
        planned=test.planned if groups is None else count(groups),
    )


def describe_state(tests: Sequence[Experiment], as_of: str) -> list[str]:
    """Say in one line where each test stands at a date."""
    lines = []
    for test in tests:
        state: str = test.status
        if test.status == "running":
            left = test.days_left(as_of)
            days = "day" if left == 1 else "days"
            state = f"running, {left} {days} left" if left else "ended, not measured yet"
            state += f" at the data's date, {as_of}" if as_of else ""
        lines.append(f"{test.name}: {state}. From {test.start} to {test.stop}: {test.title.rstrip('.')}.")
    return lines or ["There is no test yet. Plan one: python -m analysis test plan NAME --action B.campaign"]
