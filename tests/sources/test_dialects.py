"""Tables written in random dialects are read back as they were, or asked about where the text fits two tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.sources.unknown.readings import read_unknown
from tests.sources.dialects import Written, write_table

FEW, MANY = 50, 1000
MOST_ASKED = 0.05
"""Largest share of tables with one reading that may be asked about."""


def read_back(written: Written, folder: Path) -> str:
    """Return right, asked, or what differs."""
    (folder / "table.csv").write_bytes(written.data)
    try:
        unknown = read_unknown("table.csv", folder, "init")
    except InputError as error:
        return f"refused: {str(error).splitlines()[0]}"
    if unknown.questions:
        return "asked"
    frame, truth = unknown.raw.frame, written.truth
    if list(frame.columns) != list(truth.columns) or len(frame) != len(truth):
        return f"shape {frame.shape}, {list(frame.columns)[:3]}"
    for name in truth.columns:
        try:
            pd.testing.assert_series_equal(frame[name], truth[name], check_dtype=name != "visits")
        except AssertionError as error:
            return (
                f"{name}: {str(error).splitlines()[-1]} {frame[name].iloc[:3].tolist()} {truth[name].iloc[:3].tolist()}"
            )
    return "right"


def try_dialects(n: int, folder: Path) -> None:
    states: Counter[str] = Counter()
    wrong = []
    for seed in range(n):
        written = write_table(seed)
        state = read_back(written, folder)
        if written.is_ambiguous():
            states["ambiguous"] += 1
            continue
        states[state if state in ("right", "asked") else "wrong"] += 1
        if state not in ("right", "asked"):
            wrong.append(f"{seed}: {state} {written.dialect}")
    print(dict(states))
    assert wrong == []
    assert states["asked"] <= MOST_ASKED * (n - states["ambiguous"])


@pytest.mark.slow
def test_few_tables_in_random_dialects_are_read_back(tmp_path: Path) -> None:
    try_dialects(FEW, tmp_path)


@pytest.mark.trials
def test_many_tables_in_random_dialects_are_read_back(tmp_path: Path) -> None:
    try_dialects(MANY, tmp_path)
