"""A project as a build leaves it, made of memberships alone: no table is analysed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from typer.testing import CliRunner

from analysis.base.errors import InputError
from analysis.base.manifest import STAMP, list_digests
from analysis.cli import app

SEGMENTS = {"A": "Regulars", "B": "Bargain hunters", "C": "Gift buyers"}


def make_members(n: int = 300, seed: int = 3) -> pd.DataFrame:
    """Make memberships of three segments."""
    rng = np.random.default_rng(seed)
    label = rng.integers(1, 4, n)
    letters, names = list(SEGMENTS), list(SEGMENTS.values())
    return pd.DataFrame(
        {
            "key": [f"K{i:05d}" for i in range(n)],
            "segment": label,
            "letter": [letters[i - 1] for i in label],
            "name": [names[i - 1] for i in label],
            "slug": [names[i - 1].lower().replace(" ", "-") for i in label],
            "confidence": rng.uniform(0.5, 1, n).round(3),
        }
    )


def make_customers(keys: pd.Series) -> pd.DataFrame:
    """Make the customer source: contact data and consent, of three in four."""
    number = range(len(keys))
    return pd.DataFrame(
        {
            "id": keys,
            "email": [f"Person{i}@Example.org" for i in number],
            "phone": [f"+49 30 {100_000 + i}" for i in number],
            "agreed": ["no" if i % 4 == 3 else "yes" for i in number],
            "spend": [10.0 + i for i in number],
        }
    )


def finish(
    root: Path,
    members: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    key: str | None = "id",
    sources: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> Path:
    """Write settings, data and the private files of a build into an empty folder."""
    members = make_members() if members is None else members
    customers = make_customers(members["key"]) if customers is None else customers
    (root / "data").mkdir(parents=True, exist_ok=True)
    customers.to_csv(root / "data" / "customers.csv", index=False)
    base: dict[str, Any] = {"path": "data/customers.csv", "kind": "customers", "key": key}
    study = {"title": "Shop", "sources": [base, *(sources or [])]}
    block = {"segmentation": {**study, **settings}}
    (root / "_quarto.yml").write_text(yaml.safe_dump(block), encoding="utf-8")
    write_build(root, members, study)
    return root


def write_build(root: Path, members: pd.DataFrame, study: Mapping[str, Any], report: str = "{}") -> None:
    """Write the private files of a build, and the record that it is whole."""
    build = root / "build"
    build.mkdir(exist_ok=True)
    members.to_parquet(build / "memberships.parquet", index=False)
    (build / "model.json").write_text(json.dumps({"study": study}), encoding="utf-8")
    (build / "report.json").write_text(report, encoding="utf-8")
    files = [build / name for name in ("memberships.parquet", "model.json", "report.json")]
    stamp = {"files": list_digests(root, files), "synthetic": False, "data": "customers.csv"}
    (root / STAMP).write_text(json.dumps(stamp), encoding="utf-8")


def run(*arguments: str) -> str:
    """Run a command in the current folder and return what it prints; its own errors are raised."""
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout
