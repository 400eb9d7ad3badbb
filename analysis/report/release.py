"""Guard between releases: one whose customers are almost those of the last one is not published."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from analysis.base.errors import InputError
from analysis.report.model import Report, read_report

FILE = "customers.parquet"
"""Digest of each customer of the last release, in the private folder."""


def explain_held(min_cell: int) -> str:
    """Say that the figures of the last build stay, and why."""
    return (
        f"Fewer than {min_cell} customers were added, changed or left since the last build, so the two sites would "
        "tell what they bring.\n  The pages keep the figures of the last build. To publish new ones all the same, "
        "first run: make clean"
    )


def explain_off(build: Path, report: Report, customers: pd.DataFrame, recorded: bool) -> str:
    """Explain that the guard is off, or that it cannot help; empty where it is on, or where it is not needed.

    Parameters
    ----------
    build : Path
        The private folder.
    report : Report
    customers : DataFrame
        Digests of its customers, as from :func:`mark_customers`.
    recorded : bool
        Whether there is a record of an earlier run.
    """
    needed = report.study.setting("disclosure") == "public" and not report.study.synthetic
    last = _read_last(build)
    if needed and last is not None and _has_few_changes(last[1], customers, report) and not _is_same(last[0], report):
        return (
            f"Settings changed, and fewer than {report.study.min_cell} customers were added, changed or left since the "
            "last build.\n  The two sites can be compared, and only rounding protects these customers. It is safer to "
            "change settings on the data of the last build first."
        )
    if not needed or last is not None or not (recorded or os.environ.get("CI")):
        return ""
    return (
        "The release guard is off: build/ has no private files of the last release, so the number of changed "
        "customers is not known.\n  Only rounding protects this release. The page Disclosure shows how a hosted build "
        "gets its secret."
    )


def mark_customers(keys: pd.Series | None, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a digest of each customer's values.

    Parameters
    ----------
    keys : Series of str, shape (n,), optional
        None where the table has no key: customers are then compared by their values.
    frame : DataFrame, shape (n, columns)

    Returns
    -------
    DataFrame
        Columns ``key``, empty without keys, and ``mark``.
    """
    marks = pd.util.hash_pandas_object(frame.reset_index(drop=True), index=False)
    known = [""] * len(frame) if keys is None else keys.astype("str").to_list()
    return pd.DataFrame({"key": known, "mark": marks.astype("str")})


def write_customers(build: Path, customers: pd.DataFrame) -> Path:
    """Keep the digests of a release for the guard of the next one."""
    file = build / FILE
    customers.sort_values(["key", "mark"]).to_parquet(file, index=False)
    return file


def held_back(build: Path, report: Report, customers: pd.DataFrame) -> Report | None:
    """Return the report of the last build where a new one would differ from it by a few customers.

    Parameters
    ----------
    build : Path
        The private folder, with the last report and the digests of its customers.
    report : Report
        The new one.
    customers : DataFrame
        Digests of its customers, as from :func:`mark_customers`.

    Returns
    -------
    Report or None
        None where at least ``min_cell`` customers were added, changed or left, or none; where settings changed; for an
        internal site; and where no last build is known. A variable that is new by itself changes all customers; one
        that a single customer makes appear, or disappear, changes few.
    """
    if report.study.setting("disclosure") != "public" or (found := _read_last(build)) is None:
        return None
    last, known = found
    return last if _has_few_changes(known, customers, report) and _is_same(last, report) else None


def _is_same(last: Report, report: Report) -> bool:
    """Whether two reports are of one study with the same settings."""
    then, now = ((each.study.title, each.study.synthetic, each.study.settings) for each in (last, report))
    return then == now


def _has_few_changes(known: pd.DataFrame, customers: pd.DataFrame, report: Report) -> bool:
    return 0 < _count_changed(known, customers) < report.study.min_cell


def _read_last(build: Path) -> tuple[Report, pd.DataFrame] | None:
    try:
        return read_report(build / "report.json"), pd.read_parquet(build / FILE, columns=["key", "mark"])
    except (InputError, OSError, ValueError, KeyError):
        return None


def _count_changed(before: pd.DataFrame, now: pd.DataFrame) -> int:
    """Count the customers who were added, changed or left; one who changed counts once."""
    then, today = (Counter(zip(frame["key"], frame["mark"], strict=True)) for frame in (before, now))
    gone, new = (Counter(key for key, _ in each.elements()) for each in (then - today, today - then))
    return sum(max(gone[key], new[key]) for key in gone | new)
