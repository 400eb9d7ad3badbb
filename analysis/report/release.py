"""Guard between releases: one whose customers are almost those of the last one is not published."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.base.errors import InputError
from analysis.base.manifest import list_digests, write_whole
from analysis.report.model import Report, read_report

FILE = "customers.parquet"
"""Digest of each customer of the last release, in the private folder."""
GUARD_OFF = (
    "The release guard is off: build/ has no private files of the last release, so the number of changed customers is "
    "not known.\n  Only rounding protects this release. The page Disclosure shows how a hosted build gets its secret."
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard found: the report of the last build, where its figures stay, and a message; empty for none."""

    last: Report | None = None
    message: str = ""


def guard(build: Path, report: Report, customers: pd.DataFrame, recorded: bool) -> Guarded:
    """Decide whether the figures of the last build stay.

    They do where fewer than ``min_cell`` customers were added, changed or left. They do not where settings changed, for
    an internal site, and where no last build is known, which is said. A variable that is new by itself changes all
    customers; one that a single customer makes appear, or disappear, changes few.

    Parameters
    ----------
    build : Path
        The private folder, with the last report and the digests of its customers.
    report : Report
        The new one.
    customers : DataFrame
        Digests of its customers, as from :func:`mark_customers`.
    recorded : bool
        Whether there is a record of an earlier run.
    """
    if report.study.setting("disclosure") != "public":
        return Guarded()
    found, needed = _read_last(build), not report.study.synthetic
    if found is None:
        return Guarded(message=GUARD_OFF if needed and (recorded or os.environ.get("CI")) else "")
    last, known = found
    changed = _count_changed(known, customers)
    if report.held and _mark_sources(last) != _mark_sources(report):
        # Someone may have come, changed or left beside the sample that is compared.
        changed = max(changed, 1)
    if not 0 < changed < report.study.min_cell:
        return Guarded()
    if _is_same(last, report):
        return Guarded(last, _explain_held(report.study.min_cell))
    return Guarded(message=_explain_settings(report.study.min_cell) if needed else "")


def _explain_held(min_cell: int) -> str:
    return (
        f"Fewer than {min_cell} customers were added, changed or left since the last build, so the two sites would "
        "tell what they bring.\n  The pages keep the figures of the last build. To publish new ones all the same, "
        "first run: make clean"
    )


def _explain_settings(min_cell: int) -> str:
    return (
        f"Settings changed, and fewer than {min_cell} customers were added, changed or left since the last build.\n"
        "  The two sites can be compared, and only rounding protects these customers. It is safer to change settings "
        "on the data of the last build first."
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
    """Keep the digests of a release, with that of its report, for the guard of the next one."""
    file, kept = build / FILE, io.BytesIO()
    customers.sort_values(["key", "mark"]).assign(report=_mark_report(build)).to_parquet(kept, index=False)
    write_whole(file, kept.getvalue())
    return file


def _mark_report(build: Path) -> str:
    return list_digests(build, [build / "report.json"])["report.json"]


def _mark_sources(report: Report) -> tuple[str, ...]:
    return tuple(source.sha256 for source in report.data.sources)


def _is_same(last: Report, report: Report) -> bool:
    """Whether two reports are of one study with the same settings."""
    then, now = ((each.study.title, each.study.synthetic, each.study.settings) for each in (last, report))
    return then == now


def _read_last(build: Path) -> tuple[Report, pd.DataFrame] | None:
    """Read the last report and its customers; None where an interrupted build left those of two releases."""
    try:
        known = pd.read_parquet(build / FILE, columns=["key", "mark", "report"])
        if set(known["report"]) != {_mark_report(build)}:
            return None
        return read_report(build / "report.json"), known[["key", "mark"]]
    except (InputError, OSError, ValueError, KeyError):
        return None


def _count_changed(before: pd.DataFrame, now: pd.DataFrame) -> int:
    """Count the customers who were added, changed or left; one who changed counts once.

    >>> then = pd.DataFrame({"key": ["a", "b", "c"], "mark": ["1", "2", "3"]})
    >>> _count_changed(then, pd.DataFrame({"key": ["a", "b", "d"], "mark": ["1", "9", "3"]}))
    3
    """
    both = pd.concat([before.assign(n=-1), now.assign(n=1)], ignore_index=True)
    change = both.groupby(["key", "mark"], sort=False)["n"].sum()
    gone, new = (each.clip(lower=0).groupby(level="key").sum() for each in (-change[change < 0], change[change > 0]))
    return int(gone.to_frame("gone").join(new.to_frame("new"), how="outer").max(axis=1).sum())
