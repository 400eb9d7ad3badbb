"""How long the tool takes and how much memory it needs, as measured by ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.report.trials import read_results

RESULTS = Path("tests", "benchmarks", "results.json")


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a table of made-up customers.

    Attributes
    ----------
    customers, columns : int
    seconds : float
        Of the whole build, after Python has started.
    stages : dict of str to float
        Seconds of each stage by its name.
    gigabytes : float
        Most memory that one process held, which also made the table.
    one_fit : float
        Seconds of scikit-learn's k-means on the same features, with ten starts and the planted number of groups.
    agreement : float
        Adjusted Rand index of the segments with the planted groups.
    """

    customers: int
    columns: int
    seconds: float
    stages: dict[str, float]
    gigabytes: float
    one_fit: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Features of customers from made-up transactions.

    Attributes
    ----------
    transactions, customers : int
    seconds : float
        For all features.
    engine_seconds : float
        Of these, in DuckDB.
    gigabytes : float
        Most memory that the process held.
    by_hand_seconds : float
        For the same features, written by hand in the SQL of DuckDB.
    bare_seconds : float
        For one GROUP BY in DuckDB that counts, adds up and finds the last day.
    build_seconds, build_gigabytes : float
        For a whole build.
    """

    transactions: int
    customers: int
    seconds: float
    engine_seconds: float
    gigabytes: float
    by_hand_seconds: float
    bare_seconds: float
    build_seconds: float
    build_gigabytes: float


@dataclass(frozen=True, slots=True)
class Placing:
    """The command ``score`` on a file of made-up customers."""

    customers: int
    seconds: float
    gigabytes: float


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured, the smallest first, on which machine, when (ISO date) and with which versions."""

    machine: str
    measured: str
    builds: tuple[Build, ...]
    aggregations: tuple[Aggregation, ...]
    placings: tuple[Placing, ...]
    versions: dict[str, str]


def read_speed(root: Path) -> Speed | None:
    """Read what was measured, as :func:`analysis.report.trials.read_results`."""
    return read_results(root, RESULTS, Speed, "make bench")
