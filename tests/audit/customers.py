"""The customers of a study, from its raw files: every variable of the report, computed anew."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from tests.audit.formulas import evaluate
from tests.audit.pages import Page, read_pages
from tests.audit.purchases import histories, purchase_features, rfm, visit_features

if TYPE_CHECKING:
    from tests.audit.lifetime import Lifetime

YES, NO = {"yes", "true", "1", "y"}, {"no", "false", "0", "n"}
NOT_KNOWN = "_not_known"


@dataclass(frozen=True)
class Customers:
    """One row a customer, in the order of the memberships.

    Attributes
    ----------
    keys : Index of str, length n
    labels : ndarray of int, shape (n,)
        Segment 1..k, 0 = unassigned.
    frame : DataFrame, shape (n, variables)
        Every variable of the report: numbers as float64, categories as text, None for missing.
    columns : DataFrame, shape (n, columns)
        Columns of the base table after merging and believable ranges.
    sources : list of DataFrame
        The files as they were read, in the order of the settings.
    as_of : Timestamp, optional
        Newest date of all files.
    computed : DataFrame, shape (n, ...)
        What was computed from purchases, visits and joined files, before anything was left out.
    lifetime : Lifetime, optional
    scores : DataFrame, optional
        R, F and the RFM group, where there are purchases.
    """

    keys: pd.Index
    labels: NDArray[np.int64]
    frame: pd.DataFrame
    columns: pd.DataFrame
    sources: list[pd.DataFrame]
    as_of: pd.Timestamp | None
    computed: pd.DataFrame
    lifetime: Lifetime | None = None
    scores: pd.DataFrame | None = None

    @property
    def k(self) -> int:
        """Number of segments."""
        return int(self.labels.max())

    def inside(self, segment: int) -> pd.DataFrame:
        """Give the variables of one segment."""
        return self.frame[self.labels == segment]


@dataclass
class Study:
    """A built project beside its customers.

    Attributes
    ----------
    name : str
    root : Path
        The project, with ``build/`` and ``_site/``.
    report : dict
    settings : dict
        The ``segmentation`` block that names the sources.
    """

    name: str
    root: Path
    profile: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.report = self.report or json.loads((self.root / "build" / "report.json").read_text(encoding="utf-8"))
        if not self.settings:
            name = f"_quarto-{self.profile}.yml" if self.profile else "_quarto.yml"
            self.settings = yaml.safe_load((self.root / name).read_text(encoding="utf-8"))["segmentation"]

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every rendered page, by its path."""
        return read_pages(self.root / "_site")

    @cached_property
    def customers(self) -> Customers:
        """The customers, computed from the raw files."""
        return read_customers(self)

    @cached_property
    def variables(self) -> dict[str, dict[str, Any]]:
        """The report's variables, by name."""
        return {v["name"]: v for v in self.report["variables"]}

    @cached_property
    def by_label(self) -> dict[str, str]:
        """Names of variables by the label that pages print."""
        return {v["label"]: v["name"] for v in self.report["variables"]}

    def numeric(self) -> list[str]:
        """Give the names of variables that are numbers or yes and no."""
        return [v["name"] for v in self.report["variables"] if not v["categorical"]]

    def forming(self) -> list[str]:
        """Give the names of the features that form the segments."""
        return [step["name"] for step in self.report["steps"]]


def locate(root: Path, source: dict[str, Any]) -> Path:
    """Give the file of a source; where it is not there, the synthetic one that the build made instead."""
    path = root / source["path"]
    if path.exists():
        return path
    found = sorted((root / "build" / "demo").rglob(Path(source["path"]).name))
    if not found:
        raise FileNotFoundError(f"{source['path']} is neither in the project nor among its synthetic data")
    return found[0]


def read_file(path: Path, source: dict[str, Any]) -> pd.DataFrame:
    """Read a raw file with pandas alone, every cell as text; keys lose the spaces around them."""
    first = path.read_text(encoding="utf-8-sig").splitlines()[0]
    separator = "\t" if "\t" in first else ";" if ";" in first else "," if "," in first else r"\s+"
    named = {"header": None, "names": source["names"]} if source.get("header") is False else {}
    frame = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig", **named)
    return frame.apply(lambda column: column.str.strip())


def typed(values: pd.Series, kind: str, note: str) -> pd.Series:
    """Read a column of text as the type that the data dictionary prints for it."""
    if kind in {"number", "year"}:
        return pd.to_numeric(values, errors="coerce").astype(float)
    if kind == "boolean":
        small = values.str.lower()
        return small.map(dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0)).astype(float)
    if kind == "date":
        return pd.to_datetime(values, dayfirst="day first" in note, errors="coerce")
    return values.astype(object).where(values.notna(), None)


def base_table(study: Study, raw: pd.DataFrame, source: dict[str, Any], keys: pd.Index) -> pd.DataFrame:
    """Type the columns of the table that the others are joined to, merge levels, mend what is not believable."""
    own = raw.set_index(raw[source["key"]]).reindex(keys) if source.get("key") else raw.set_index(keys)
    described = {c["name"]: c for c in study.report["data"]["columns"]}
    columns = {}
    for name in own.columns:
        told = described.get(name, {"type": "text", "note": ""})
        values = typed(own[name], told["type"], told["note"])
        for old, new in source.get("merge", {}).get(name, {}).items():
            values = values.replace(old, new)
        low, high = source.get("plausible", {}).get(name, (None, None))
        if low is not None or high is not None:
            values = values.where(values.between(-np.inf if low is None else low, np.inf if high is None else high))
        columns[name] = values
    return pd.DataFrame(columns, index=keys)


def purchase_lines(raw: pd.DataFrame, source: dict[str, Any]) -> pd.DataFrame:
    """Give purchase lines the names of their roles; lines without a customer, a day or an amount are left out."""
    named = {column: role for role, column in source["columns"].items()}
    lines = raw.rename(columns=named)[list(named.values())].rename(columns={"date": "day"})
    lines["day"] = pd.to_datetime(lines["day"], errors="coerce").dt.normalize()
    for role in ("amount", "quantity"):
        if role in lines:
            lines[role] = pd.to_numeric(lines[role], errors="coerce")
    return lines.dropna(subset=["customer", "day", "amount"])


def newest_date(study: Study, tables: list[pd.DataFrame]) -> pd.Timestamp | None:
    """Give the end of the newest month of all files, by the columns that the report or the settings call a date."""
    notes = {c["name"]: c for c in study.report["data"]["columns"] if c["type"] == "date"}
    found = []
    for raw, source in zip(tables, study.settings["sources"], strict=True):
        dated = source.get("columns", {}).get("date")
        names = [dated] if dated else [name for name in raw.columns if name in notes]
        for name in names:
            day_first = "day first" in notes[name]["note"] if name in notes else False
            found.append(pd.to_datetime(raw[name], dayfirst=day_first, errors="coerce").max())
    return max(found).normalize() + pd.offsets.MonthEnd(0) if found else None


def read_customers(study: Study) -> Customers:
    """Read the raw files and compute every variable of the report."""
    members = pd.read_parquet(study.root / "build" / "memberships.parquet")
    keys = pd.Index(members["key"].astype(str), name="key")
    sources = study.settings["sources"]
    tables = [read_file(locate(study.root, source), source) for source in sources]
    as_of = newest_date(study, tables)
    extra: list[pd.DataFrame] = []
    columns = pd.DataFrame(index=keys)
    lifetime, scores = None, None
    has_base = any(source.get("kind", "customers") in {"customers", "survey"} for source in sources)
    based = False
    for raw, source in zip(tables, sources, strict=True):
        kind = source.get("kind", "customers")
        if kind == "transactions" and as_of is not None:
            lines = purchase_lines(raw, source)
            made = purchase_features(lines, as_of)
            placed = counted(made.reindex(keys), ("spend", "frequency", "active_months", "refund_value", "items"))
            scores = rfm(placed)
            lifetime = expect(lines if not has_base else lines[lines["customer"].isin(keys)], as_of, study)
            placed["rfm_group"] = scores["group"]
            if lifetime is not None:
                placed["clv"] = lifetime.value.reindex(keys).fillna(0.0)
                placed["alive"] = lifetime.alive.reindex(keys)
            extra.append(placed)
        elif kind == "events" and as_of is not None:
            roles = {v: ("time" if k == "date" else k) for k, v in source["columns"].items()}
            events = raw.rename(columns=roles)
            events["time"] = pd.to_datetime(events["time"], errors="coerce")
            extra.append(counted(visit_features(events, as_of).reindex(keys), ("sessions", "active_days", "events")))
        elif not based:
            columns, based = base_table(study, raw, source, keys), True
        else:
            extra.append(base_table(study, raw, source, keys))
    computed = pd.concat(extra, axis=1) if extra else pd.DataFrame(index=keys)
    frame = build_frame(study, columns, computed, as_of)
    return Customers(
        keys, members["segment"].to_numpy(np.int64), frame, columns, tables, as_of, computed, lifetime, scores
    )


def counted(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Fill what is a sum or a count with 0 for customers without a row; an average or a share of nothing is missing."""
    return frame.fillna({name: 0.0 for name in names if name in frame})


def expect(lines: pd.DataFrame, as_of: pd.Timestamp, study: Study) -> Lifetime | None:
    """Fit lifetime value where enough customers bought; the horizon and rate are those that the report prints."""
    from tests.audit.lifetime import FEWEST, fit_lifetime

    history = histories(lines, as_of)
    told = study.report.get("expected") or {}
    if len(history) < FEWEST:
        return None
    model = told.get("model", "BG/NBD")
    return fit_lifetime(history, told.get("horizon_weeks", 52.0), told.get("discount_rate", 0.1), model)


def build_frame(
    study: Study, columns: pd.DataFrame, computed: pd.DataFrame, as_of: pd.Timestamp | None
) -> pd.DataFrame:
    """Compute every variable of the report: taken, derived by its printed formula, or computed from single rows."""
    made: dict[str, pd.Series] = {}
    known = pd.concat([columns, computed[[c for c in computed if c not in columns]]], axis=1)
    for variable in study.report["variables"]:
        name, formula = variable["name"], variable["formula"]
        if name.endswith(NOT_KNOWN):
            first = made.get(name.removesuffix(NOT_KNOWN))
            made[name] = first.isna().astype(float) if first is not None else pd.Series(np.nan, index=columns.index)
        elif name in computed.columns:
            made[name] = computed[name]
        elif name in columns.columns:
            made[name] = columns[name]
        else:
            made[name] = evaluate(formula, known, as_of)
        if variable["categorical"]:
            made[name] = as_levels(made[name])
    return pd.DataFrame(made, index=columns.index)


def as_levels(values: pd.Series) -> pd.Series:
    """Give the levels of a category as text; whole numbers without a decimal point."""
    if values.dtype == float:
        return values.map(lambda x: None if pd.isna(x) else str(int(x)) if float(x).is_integer() else str(x))
    return values.astype(object).where(values.notna(), None)
