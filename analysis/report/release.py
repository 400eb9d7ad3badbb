"""Guard between releases: one whose customers are almost those of the last one is not published."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.base.errors import InputError
from analysis.report.model import Report, read_report


def explain_held(min_cell: int) -> str:
    """Say that the figures of the last build stay, and why."""
    return (
        f"Fewer than {min_cell} customers were added or left since the last build, so the two sites would tell what "
        "they bring.\n  The pages keep the figures of the last build. To publish new ones all the same, first run: "
        "make clean"
    )


def held_back(build: Path, report: Report, keys: pd.Series) -> Report | None:
    """Return the report of the last build where a new one would differ from it by a few customers.

    Parameters
    ----------
    build : Path
        The private folder, with the last report and its memberships.
    report : Report
        The new one.
    keys : Series of str, shape (n,)
        Customers of the new report.

    Returns
    -------
    Report or None
        None where at least ``min_cell`` customers were added or left, or none; where settings or variables changed, so
        that no two numbers can be compared; for an internal site; and where no last build is known.
    """
    if report.study.setting("disclosure") != "public":
        return None
    try:
        last = read_report(build / "report.json")
        known = set(pd.read_parquet(build / "memberships.parquet", columns=["key"])["key"].astype("str"))
    except (InputError, OSError, ValueError, KeyError):
        return None
    same = (last.study.title, last.study.synthetic, last.study.settings) == (
        report.study.title,
        report.study.synthetic,
        report.study.settings,
    )
    few = 0 < len(known ^ set(keys.astype("str"))) < report.study.min_cell
    return last if few and same and last.variables == report.variables else None
