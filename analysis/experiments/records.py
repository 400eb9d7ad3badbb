"""Tests as they are kept: a file in ``experiments/`` for each, without customers, and a private one with the groups."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import TypeAdapter, ValidationError

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.manifest import write_whole
from analysis.base.salt import keep_salt, keyed_digest, read_salt
from analysis.base.yamls import read_yaml
from analysis.experiments.files import write_private_file

FOLDER = "experiments"
PRIVATE = "build/history/tests"
"""Folder of the private files: who is in which group."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
Status = Literal["planned", "running", "stopped", "measured"]
Kind = Literal["share", "mean"]
Verdict = Literal["helps", "harms", "mixed", "useless", "open", "invalid", "withheld"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the action changed among all customers of a test, or among those of one segment.

    Attributes
    ----------
    segment : str
        Address of the segment; empty for all.
    treated, control : int
        Customers of each group, rounded.
    rate_treated, rate_control : float, optional
        Share or mean of each group, rounded; None where too few customers are behind it.
    lift, low, high : float, optional
        Difference with its 95% interval, rounded.
    ratio, ratio_low, ratio_high : float, optional
        Treatment over control with its 95% interval.
    p : float, optional
    least : float, optional
        Smallest difference that groups of these sizes detect with 80% power.
    """

    segment: str
    treated: int
    control: int
    rate_treated: float | None = None
    rate_control: float | None = None
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    p: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Results of a test that may be published.

    Attributes
    ----------
    kind : {"share", "mean"}
    effects : tuple of Effect
        Of all customers, then of each segment where there are several.
    source : str
        Where the outcomes are from: transactions or a file.
    sample_ratio : float
        Probability of groups as unequal as these if the allocation was right.
    attrition : tuple of (float, float)
        Share of treatment and control without a known outcome.
    winsorised : bool
        Whether the outcomes above the 99th percentile were set to it.
    narrowed : float
        Part by which the outcomes before the start narrowed the interval (CUPED).
    boot_low, boot_high : float, optional
        Bootstrap interval of the lift, where few customers hold much of the outcome.
    order_value : float, optional
        Mean of what one more of the KPI came to in the control group, rounded: an order, or the orders of a customer.
    """

    kind: Kind
    effects: tuple[Effect, ...]
    source: str
    sample_ratio: float
    attrition: tuple[float, float] = (0.0, 0.0)
    winsorised: bool = False
    narrowed: float = 0.0
    boot_low: float | None = None
    boot_high: float | None = None
    order_value: float | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A test of an action, from plan to result.

    Attributes
    ----------
    name : str
        Also the key of the hash that allocates customers.
    action : str
        Segment and part of the plan, such as B.campaign; empty for a test of something else.
    title : str
        What is done.
    segments : tuple of str
        Addresses of the segments.
    hypothesis : str
    kpi : str
        ordered, orders or spend of transactions, visited or visits of events, or the name of an outcome in a file.
    better : {"more", "less"}
    holdout : float
        Share that is held back.
    days : int
        Length of the window.
    start, stop : str
        First and last day of the window.
    planned : tuple of (int, int)
        Customers in treatment and control, rounded.
    detects : str
        Smallest change that the test is to detect.
    status : {"planned", "running", "stopped", "measured"}
    groups : str
        Keyed digest of the private file with the groups.
    results : Results, optional
    study : str
        Title of the study that it belongs to; empty for any.
    """

    name: str
    action: str
    title: str
    segments: tuple[str, ...]
    hypothesis: str
    kpi: str
    better: Literal["more", "less"]
    holdout: float
    days: int
    start: str
    stop: str
    planned: tuple[int, int]
    detects: str
    status: Status = "planned"
    groups: str = ""
    results: Results | None = None
    study: str = ""

    @property
    def slot(self) -> str:
        """Return the part of the plan that is tested; empty for none."""
        return self.action.rpartition(".")[2]

    def days_left(self, as_of: str) -> int:
        """Return the days from a date to the end of the window; 0 from its end on."""
        return max((dt.date.fromisoformat(self.stop) - dt.date.fromisoformat(as_of)).days, 0) if as_of else self.days


def check_name(name: str) -> str:
    """Return the name of a test.

    Raises
    ------
    InputError
        Where it is none.
    """
    if not NAME.fullmatch(name):
        raise InputError(
            f"'{name}' is not a valid name for a test.", "Expected small letters, digits and hyphens, such as spring-b."
        )
    return name


def read_experiments(root: Path, study: str = "") -> tuple[Experiment, ...]:
    """Read all tests of a project, or those of one study, by start and name.

    Raises
    ------
    InputError
        Naming a file that is no test, and the field.
    """
    files = sorted((root / FOLDER).glob("*.yml"))
    tests = (test for test in map(_read, files) if not study or test.study in ("", study))
    return tuple(sorted(tests, key=lambda test: (test.start, test.name)))


def _read(file: Path) -> Experiment:
    place = f"{FOLDER}/{file.name}"
    try:
        test = TypeAdapter(Experiment).validate_python(read_yaml(file.read_text(encoding="utf-8")))
        dt.date.fromisoformat(test.start), dt.date.fromisoformat(test.stop)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{place}, {where}: {first['msg']}.", hint="Correct the file, or delete it.") from None
    except (OSError, ValueError, yaml.YAMLError):
        raise InputError(f"{place} cannot be read.", hint="Correct the file, or delete it.") from None
    if test.name != file.stem:
        raise InputError(
            f"{place}: the test in this file is called '{test.name}'.", hint=f"Rename it to {test.name}.yml."
        )
    return test


def find_experiment(root: Path, name: str) -> Experiment:
    """Return a test by its name.

    Raises
    ------
    InputError
        With the tests that there are.
    """
    known = {test.name: test for test in read_experiments(root)}
    if name not in known:
        raise InputError(
            f"There is no test '{name}'.",
            f"Tests: {listed(known)}.",
            did_you_mean(name, known)
            or f"Plan it: python -m analysis test plan {check_name(name)} --action B.campaign",
        )
    return known[name]


def write_experiment(root: Path, test: Experiment) -> Path:
    """Write the file of a test."""
    file = root / FOLDER / f"{check_name(test.name)}.yml"
    file.parent.mkdir(exist_ok=True)
    content: dict[str, Any] = {name: value for name, value in asdict(test).items() if value is not None}
    if test.results:
        content["results"]["effects"] = [
            {k: v for k, v in effect.items() if v is not None} for effect in content["results"]["effects"]
        ]
    text = yaml.safe_dump(_listed(content), sort_keys=False, allow_unicode=True, width=120)
    write_whole(file, text.encode())
    return file


def _listed(value: object) -> object:
    """Return the same with lists in place of tuples, which YAML does not have."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def keep_groups(root: Path, test: Experiment, groups: pd.DataFrame) -> Experiment:
    """Write who is in which group, for the owner alone, and return the test with the digest of that file.

    Parameters
    ----------
    root : Path
    test : Experiment
    groups : DataFrame
        ``key``, ``segment`` (address) and ``group``.
    """
    salt = read_salt(root)
    keep_salt(root, salt)
    table = groups[["key", "segment", "group"]].sort_values("key").reset_index(drop=True)
    write_private_file(root / PRIVATE / f"{test.name}.parquet", lambda file: table.to_parquet(file, index=False))
    return replace(test, groups=_mark(salt, table))


def read_groups(root: Path, test: Experiment) -> pd.DataFrame:
    """Read who is in which group.

    Raises
    ------
    InputError
        Where the private file is missing or is not the one that the test was started with.
    """
    file = root / PRIVATE / f"{test.name}.parquet"
    try:
        table = pd.read_parquet(file)
    except (OSError, ValueError):
        raise InputError(
            f"The groups of test '{test.name}' are not on this computer.",
            f"Expected {PRIVATE}/{test.name}.parquet, which was written when the test started.",
            "Copy it from the computer where the test was started.",
        ) from None
    if _mark(read_salt(root), table) != test.groups:
        raise InputError(
            f"{PRIVATE}/{test.name}.parquet is not the file that test '{test.name}' was started with.",
            "Its digest differs from that in the test's file, or the project's secret is another one.",
            "Restore the file and build/history/salt from the computer where the test was started.",
        )
    return table


def read_running(root: Path, but: str = "") -> pd.DataFrame:
    """Return key, group and test of all customers in running tests, except for one test."""
    running = [test for test in read_experiments(root) if test.status == "running" and test.name != but]
    tables = [read_groups(root, test).assign(test=test.name) for test in running]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"key": [], "group": [], "test": []})


def _mark(salt: bytes, table: pd.DataFrame) -> str:
    lines = [" ".join(map(str, row)) for row in table[["key", "segment", "group"]].itertuples(index=False)]
    return keyed_digest(salt, "\n".join(lines))


def adjust(values: Sequence[float]) -> list[float]:
    """Return p values adjusted for several tests by Holm's method.

    >>> adjust([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    if not values:
        return []
    from statsmodels.stats.multitest import multipletests

    adjusted: Any = multipletests(values, method="holm")[1]
    return [round(float(p), 6) for p in adjusted]


def judge(tests: Sequence[Experiment]) -> dict[str, Verdict]:
    """Judge each measured test by its effect on all customers, adjusted for the number of tests (Holm).

    Returns
    -------
    dict of str to str
        By name: helps, harms, mixed (helps one segment and harms another), useless (no effect shown, and the interval
        excludes what the test was to detect), open (no effect shown), invalid (the sizes of the groups are wrong) or
        withheld (too few customers).
    """
    pooled = [(test, test.results.effects[0]) for test in tests if test.results]
    found = {test.name: verdict for (test, _), verdict in zip(pooled, _judge(pooled), strict=True)}
    apart = judge_segments(tests)
    for name in found:
        if {"helps", "harms"} <= {verdict for (test, _), verdict in apart.items() if test == name}:
            found[name] = "mixed"
    return found


def judge_segments(tests: Sequence[Experiment]) -> dict[tuple[str, str], Verdict]:
    """Judge each segment of tests of several, adjusted for the number of these segments in all tests (Holm).

    Returns
    -------
    dict of (str, str) to str
        By the test's name and the segment's address, as `judge`.
    """
    apart = [(test, effect) for test in tests if test.results for effect in test.results.effects[1:]]
    verdicts = _judge(apart)
    return {(test.name, effect.segment): verdict for (test, effect), verdict in zip(apart, verdicts, strict=True)}


def _judge(effects: Sequence[tuple[Experiment, Effect]]) -> list[Verdict]:
    counted = [i for i, (_, effect) in enumerate(effects) if effect.p is not None]
    adjusted = dict(zip(counted, adjust([effects[i][1].p or 0.0 for i in counted]), strict=True))
    found: list[Verdict] = []
    for i, (test, effect) in enumerate(effects):
        if test.results and test.results.sample_ratio < BROKEN:
            found.append("invalid")
        elif i not in adjusted or effect.lift is None or effect.high is None or effect.low is None:
            found.append("withheld")
        elif adjusted[i] < ALPHA:
            found.append("helps" if (effect.lift > 0) == (test.better == "more") else "harms")
        else:
            best = effect.high if test.better == "more" else -effect.low
            found.append("useless" if effect.least is not None and best < effect.least else "open")
    return found


ALPHA = 0.05
BROKEN = 0.001
"""Probability of the groups' sizes below which the allocation is taken as broken."""
