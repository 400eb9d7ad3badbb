"""Two releases that differ in one customer tell no more about that customer than the later one alone.

An attacker who knows that exactly one customer was left out, added or changed has all numbers of both: counts and
shares by level, averages, totals and the history. ``make trials`` plays 200 pairs of releases; ``make test`` one of
each kind.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.run import TESTS
from analysis.commands.build import build
from analysis.pages import book
from tests.conftest import copy_project
from tests.small_studies import SHOP, make_shop, write_study
from tests.stages import empty_pictures

KINDS = ("left out", "added", "changed")
STUDY = {**SHOP, "algorithm": "kmeans", "segments": 3}
GUESSED = ("region", "responded", "spend")
PAIRS, PAIRS_OF_A_TABLE = 200, 20
BETTER = 0.05
"""Most by which guesses may be better than those of one who has one release only."""
STATE = ("build", "site/history")
"""Folders with what a release leaves for the next."""
LEAST = replace(
    TESTS, most_segments=3, pairs=2, pairs_decided=2, null_draws=1, null_pairs=1, gap_draws=1, strength_halvings=1,
    holdout_halvings=2, holdout_draws=5,
)  # fmt: skip
"""As little computation as runs every stage."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Whether an attribute of a customer is guessed from two releases, and whether it is from one."""

    attribute: str
    right: bool
    usual_is_right: bool


@dataclass(frozen=True, slots=True)
class Release:
    """The numbers of a release, by the path that leads to them in its files."""

    numbers: dict[str, float]

    def change(self, other: Release) -> dict[str, float]:
        """Subtract another release, number by number."""
        return {path: x - other.numbers[path] for path, x in self.numbers.items() if path in other.numbers}


def read_release(root: Path) -> Release:
    """Read all numbers that pages can show, and those of the history."""
    newest = max((root / "site/history").glob("[!i]*.json"), key=lambda file: file.stat().st_mtime_ns)
    files = {"report": root / "build/report.json", "record": newest}
    found = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
    return Release(dict(numbers_of(found, "")))


def numbers_of(part: Any, path: str) -> Iterator[tuple[str, float]]:
    """Yield path and number; items of a list are distinguished by their name or label."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from numbers_of(value, f"{path}/{key}")
    elif isinstance(part, list):
        for i, value in enumerate(part):
            name = value.get("label") or value.get("name") or i if isinstance(value, dict) else i
            yield from numbers_of(value, f"{path}/{name}")
    elif isinstance(part, (int, float)) and not isinstance(part, bool):
        yield path, float(part)


def guess(before: Release, after: Release, attribute: str, usual: Any, middle: float) -> Any:
    """Guess an attribute of the customer who is in the first release and not in the second."""
    change = before.change(after)
    n = before.numbers["/report/study/n_customers"]
    if attribute == "spend":
        means = {path: x for path, x in before.numbers.items() if path.endswith("/everyone/spend/mean")}
        gone = [n * x - (n - 1) * after.numbers[path] for path, x in means.items() if change.get(path)]
        return bool(gone[0] > middle) if gone else usual
    fallen: dict[str, float] = {}
    for path, x in change.items():
        whole, _, level = path.removesuffix("/n").rpartition("/bars/")
        if x and whole.lower().endswith(f"/columns/{attribute}"):
            fallen[level] = fallen.get(level, 0.0) + x
    most = max(fallen.values(), default=0.0)
    levels = [level for level, x in fallen.items() if x == most > 0]
    if len(levels) != 1:
        return usual
    return levels[0] if attribute == "region" else levels[0].lower() in {"yes", "1", "true"}


def draw_other(everyone: pd.DataFrame, kind: str, at: int) -> pd.DataFrame:
    """Return the table of the other release, without the customer at a place, or with other values of theirs."""
    if kind != "changed":
        return everyone.drop(index=at)
    return everyone.assign(
        region=everyone.region.where(everyone.index != at, "West"),
        responded=everyone.responded.where(everyone.index != at, 1 - everyone.responded[at]),
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the project; pages are left out, because they show nothing but the report."""
    monkeypatch.setattr(book, "write_pages", lambda *_: [])
    return copy_project(tmp_path / "project")


def publish(root: Path, table: pd.DataFrame, disclosure: str = "public") -> Release:
    """Build a release and read it."""
    write_study(root, {**STUDY, "disclosure": disclosure}, table)
    with empty_pictures():
        build(root, effort=LEAST)
    return read_release(root)


def keep_state(root: Path, to: Path) -> None:
    """Copy what a release leaves: its private files and the history."""
    shutil.rmtree(to, ignore_errors=True)
    for place in STATE:
        shutil.copytree(root / place, to / place)


def put_state_back(root: Path, kept: Path) -> None:
    for place in STATE:
        shutil.rmtree(root / place)
        shutil.copytree(kept / place, root / place)


def play(root: Path, seed: int, pairs: list[tuple[str, int]], disclosure: str = "public") -> list[Guess]:
    """Make pairs of releases that differ in one customer of a table, and attack them."""
    everyone, kept, guesses = make_shop(180, seed), root.parent / "kept", []
    middle = float(everyone.spend.median())
    usual = {"region": everyone.region.mode()[0], "responded": bool(everyone.responded.mean() > 0.5), "spend": False}
    for place in STATE:
        shutil.rmtree(root / place, ignore_errors=True)
    whole = publish(root, everyone, disclosure)
    keep_state(root, kept)
    for kind, at in pairs:
        other = draw_other(everyone, kind, at)
        if kind == "added":
            for place in STATE:
                shutil.rmtree(root / place)
            less = publish(root, other, disclosure)
            more = publish(root, everyone, disclosure)
        else:
            put_state_back(root, kept)
            more, less = whole, publish(root, other, disclosure)
        truth = {"region": everyone.region[at], "responded": bool(everyone.responded[at]),
                 "spend": bool(everyone.spend[at] > middle)}  # fmt: skip
        for name in GUESSED:
            guessed = guess(more, less, name, usual[name], middle)
            guesses.append(Guess(name, guessed == truth[name], usual[name] == truth[name]))
    return guesses


def bound_gain(guesses: list[Guess]) -> float:
    """Return the upper end, at 95 %, of how much more often guesses are right than those without the second release."""
    gains = np.array([guess.right - guess.usual_is_right for guess in guesses], float)
    return float(gains.mean() + 1.645 * gains.std() / math.sqrt(len(gains)))


def test_one_customer_less_more_or_changed_tells_nothing(root: Path) -> None:
    guesses = play(root, 7, [("left out", 17), ("changed", 99), ("added", 130)])
    assert bound_gain(guesses) <= 0


@pytest.mark.trials
def test_the_attack_reads_a_customer_off_two_exact_releases(root: Path) -> None:
    guesses = play(root, 7, [("left out", at) for at in (3, 31, 77, 150)], "internal")
    assert np.mean([guess.right for guess in guesses]) > 0.9
    assert np.mean([guess.usual_is_right for guess in guesses]) < 0.8


@pytest.mark.trials
def test_pairs_of_releases_are_guessed_no_better_than_one(root: Path) -> None:
    rng, guesses = np.random.default_rng(22), []
    for seed in range(PAIRS // PAIRS_OF_A_TABLE):
        places = rng.choice(180, PAIRS_OF_A_TABLE, replace=False)
        guesses += play(root, seed, [(KINDS[i % 3], int(at)) for i, at in enumerate(places)])
    assert len(guesses) == PAIRS * len(GUESSED)
    for name in GUESSED:
        assert bound_gain([guess for guess in guesses if guess.attribute == name]) <= BETTER
