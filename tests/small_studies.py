"""Studies of few customers that are built and rendered in a few seconds, with little resampling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from analysis.base.run import TESTS
from analysis.cli import app
from analysis.commands.build import Built, build
from analysis.publish.gate.checks import Refusal, check, private_from_build
from analysis.publish.render import Engine, render
from analysis.report.model import Report, read_report
from tests.stages import empty_pictures

SHOP: dict[str, Any] = {
    "title": "Customers of the shop",
    "value": "spend",
    "min_customers": 20,
    "sources": [
        {
            "path": "data/shop.csv",
            "key": "customer",
            "roles": {
                "feature": ["orders", "discount", "visits"],
                "descriptor": ["spend", "region"],
                "outcome": ["responded"],
            },
            "units": {"spend": "money", "responded": "yes_no"},
        }
    ],
}
"""Settings of a study with one row a customer, three groups and a column of each kind."""


def make_shop(n_customers: int = 180, seed: int = 7) -> pd.DataFrame:
    """Make customers of three clear groups; the groups' sizes are as 3 to 2 to 1."""
    rng = np.random.default_rng(seed)
    halves, thirds = n_customers // 2, n_customers // 3
    group = np.repeat([0, 1, 2], [halves, thirds, n_customers - halves - thirds])
    centres = np.array([[8.0, 0.15, 5.0], [16.0, 0.45, 11.0], [26.0, 0.2, 6.0]])
    spread = np.array([1.6, 0.06, 1.3])
    orders, discount, visits = (centres[group] + spread * rng.standard_normal((n_customers, 3))).T
    return pd.DataFrame(
        {
            "customer": [f"K-{7000 + i}-{x}" for i, x in enumerate(rng.integers(1000, 9999, n_customers))],
            "orders": orders.round(1),
            "discount": discount.round(3),
            "visits": visits.round(1),
            "spend": (orders * rng.uniform(20, 30, n_customers)).round(2),
            "region": rng.choice(["North", "South", "West"], n_customers),
            "responded": (rng.random(n_customers) < np.array([0.2, 0.4, 0.6])[group]).astype(int),
        }
    )


def write_study(root: Path, settings: Mapping[str, Any], customers: pd.DataFrame | None = None) -> Path:
    """Put the settings in the place of the project's own, and the customers where the first source is."""
    path = root / "_quarto.yml"
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    project["segmentation"] = dict(settings)
    path.write_text(yaml.safe_dump(project, sort_keys=False, allow_unicode=True), encoding="utf-8")
    file = root / settings["sources"][0]["path"]
    file.parent.mkdir(parents=True, exist_ok=True)
    (make_shop() if customers is None else customers).to_csv(file, index=False)
    return file


def build_quickly(root: Path, data: Path | None = None, **options: Any) -> Built:
    """Build a project in this process, without starting others, with little resampling and with empty pictures."""
    with empty_pictures():
        return build(root, data, effort=TESTS, **options)


def build_report(root: Path, data: Path | None = None) -> Report:
    """Build a project in this process and read its report."""
    build_quickly(root, data, app=app)
    return read_report(root / "build" / "report.json")


def render_and_check(root: Path, engine: Engine = "smalldocs") -> list[Refusal]:
    """Render a built project into ``_site`` and hold it against the gate."""
    render(root, root / "_site", engine)
    return check(root / "_site", private_from_build(root / "build"))
