"""Published rules: SQL, Python and JSON say what the model says, for everybody; hostile names stay names."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import pandas as pd
import pytest
import sqlglot

from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.customers.cleaning import clean
from analysis.features.build import build_features
from analysis.pages.rules import CENTRES_SQL, JSON, PYTHON, SCHEMA, TREE_SQL, export_rules
from analysis.report.model import Report
from analysis.settings.load import check_study
from analysis.sources.tables import RawTable, read_table
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, project_study, run_stages, take_through, twin_file


@dataclass(frozen=True, slots=True)
class Placed:
    """Customers placed by each published rule, in the order of their keys, and by ``score``."""

    scored: list[int]
    centres: dict[str, list[int]]
    trees: dict[str, list[int]]


@pytest.fixture(scope="module")
def real(dataset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return take_through(dataset("marketing_campaign.csv"), project_study(), tmp_path_factory.mktemp("real"))


def random_customers(raw: RawTable, n: int) -> pd.DataFrame:
    """Each column drawn for itself, amounts moved, and a value in twenty missing: nobody like them was fitted."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({c: raw.frame[c].to_numpy()[rng.integers(0, len(raw.frame), n)] for c in raw.frame})
    for column in frame.columns[frame.columns.str.startswith(("Mnt", "Num"))]:
        moved = np.floor(frame[column].to_numpy(float) * rng.uniform(0, 3, n))
        frame[column] = np.where(rng.random(n) < 0.05, np.nan, moved)
    return frame.assign(ID=np.arange(1, n + 1))


def by_sql(sql: str, table: pd.DataFrame) -> list[int]:
    with duckdb.connect() as connection:
        connection.register("customers", table)
        found = connection.execute(sql).fetchall()
    assert all(isinstance(name, str) for _, _, name in found)
    order = sorted(found, key=lambda row: (len(str(row[0])), str(row[0])))
    return [int(segment) for _, segment, _ in order]


def load_python(text: str, folder: Path) -> Any:
    file = folder / PYTHON
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("segment_rule", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def follow_tree(rule: dict[str, Any], customer: dict[str, float | None]) -> int:
    """Place by the JSON as its schema says."""
    missing = {f["name"]: f["missing"] for f in rule["features"]}
    branch = rule["tree"]["root"]
    while "segment" not in branch:
        value = customer[branch["feature"]]
        value = missing[branch["feature"]] if value is None else value
        branch = branch["yes"] if value <= branch["at_most"] else branch["no"]
    return branch["segment"]


def nearest_point(rule: dict[str, Any], customer: dict[str, float | None]) -> int:
    """Place by the JSON as its schema says."""
    missing = {f["name"]: f["missing"] for f in rule["features"]}
    found: list[float] = []
    for step in rule["centres"]["steps"]:
        value = customer[step["feature"]]
        x = missing[step["feature"]] if value is None else value
        x = x if step["log_unit"] is None else math.log(1 + max(x, 0) / step["log_unit"])
        if step["limits"]:
            x = float(np.clip(x, *step["limits"]))
        found.append((x - step["subtract"]) / step["divide"])
    point = np.array(found)
    if rule["centres"]["axes"]:
        point = point @ np.array(rule["centres"]["axes"])
    return int(((point - np.array(rule["centres"]["points"])) ** 2).sum(axis=1).argmin()) + 1


def place_all(stages: Stages, report: Report, table: pd.DataFrame, folder: Path) -> Placed:
    """Place a customer table by every file and by ``score``."""
    folder.mkdir(exist_ok=True, parents=True)
    table.to_parquet(folder / "new.parquet", index=False)
    raw = read_table(folder / "new.parquet", root=folder)
    scored = score([raw], read_model(stages.build / "model.json"))
    source = stages.study.sources[0]
    cleaned = clean(raw, source, stages.study, stages.cleaned.as_of)
    features = build_features(cleaned, source, stages.study).frame[list(report.rules.fills)]
    customers = [
        {name: None if pd.isna(x) else float(x) for name, x in zip(features, row, strict=True)}
        for row in features.itertuples(index=False)
    ]
    files = export_rules(report)
    module, rule = load_python(files[PYTHON], folder), json.loads(files[JSON])
    jsonschema.validate(rule, json.loads(files[SCHEMA]))
    trees = {
        "SQL": by_sql(files[TREE_SQL], table),
        "Python": [module.place_by_tree(customer)[0] for customer in customers],
        "JSON": [follow_tree(rule, customer) for customer in customers],
        "itself": report.rules.tree.assign(features.fillna(report.rules.fills)).tolist(),
    }
    centres: dict[str, list[int]] = {}
    if CENTRES_SQL in files:
        centres = {
            "SQL": by_sql(files[CENTRES_SQL], table),
            "Python": [module.place_by_centre(customer)[0] for customer in customers],
            "JSON": [nearest_point(rule, customer) for customer in customers],
        }
    return Placed(scored["segment"].tolist(), centres, trees)


def test_every_file_places_the_real_customers_as_the_study_did(real: Stages, tmp_path: Path) -> None:
    placed = place_all(real, real.report, real.raw.frame, tmp_path)
    assert len(placed.scored) == 2240
    assert placed.scored == real.evidence.labels.tolist()
    assert [name for name, found in placed.centres.items() if found != placed.scored] == []
    assert len(placed.centres) == 3
    assert len(set(map(tuple, placed.trees.values()))) == 1
    agreement = np.mean(np.array(placed.trees["SQL"]) == placed.scored)
    assert agreement == pytest.approx(real.report.rules.tree.fidelity, abs=0.05)


def test_every_file_places_ten_thousand_random_customers_alike(real: Stages, tmp_path: Path) -> None:
    placed = place_all(real, real.report, random_customers(real.raw, 10_000), tmp_path)
    assert len(set(placed.scored)) > 1 and len(placed.scored) == 10_000
    assert [name for name, found in placed.centres.items() if found != placed.scored] == []
    assert len(placed.centres) == 3
    assert len(set(map(tuple, placed.trees.values()))) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"algorithm": "ward", "outliers": "winsorise"},
        {"algorithm": "kmeans", "reduce": {"pca": 3}, "scaling": "robust"},
        {"algorithm": "kmeans", "scaling": "none", "transform": "none"},
        {"algorithm": "latent_class", "noise": "keep", "disclosure": "public"},
    ],
    ids=["drawn in", "reduced", "as they are", "mixed classes"],
)
def test_every_way_to_prepare_features_is_in_the_files(settings: dict[str, Any], tmp_path: Path) -> None:
    plain = project_study().model_dump(mode="json")
    if settings["algorithm"] == "latent_class":
        plain["features"]["has_children"]["role"] = "feature"
    stages = take_through(twin_file(500), check_study({**plain, "segments": 3, **settings}), tmp_path)
    placed = place_all(stages, stages.report, random_customers(stages.raw, 500), tmp_path / "files")
    assert [name for name, found in placed.centres.items() if found != placed.scored] == []
    assert len(placed.centres) == 3
    assert len(set(map(tuple, placed.trees.values()))) == 1


def test_centres_that_would_tell_a_lowest_and_highest_value_are_not_published(tmp_path: Path) -> None:
    plain = project_study().model_dump(mode="json")
    study = check_study({**plain, "segments": 3, "algorithm": "kmeans", "scaling": "minmax"})
    stages = take_through(twin_file(500), study, tmp_path)
    assert stages.report.rules.centres is None
    files = export_rules(stages.report)
    assert CENTRES_SQL not in files and json.loads(files[JSON])["centres"] is None
    module = load_python(files[PYTHON], tmp_path)
    with pytest.raises(ValueError, match="publishes no centres"):
        module.place_by_centre({})
    scored = score([stages.raw], read_model(stages.build / "model.json"))
    assert scored["segment"].tolist() == stages.evidence.labels.tolist()


HOSTILE = {
    "orders": 'orders" FROM customers; DROP TABLE customers; --',
    "discount": "share '; -- */ off",
    "visits": '"""\\',
    "customer": 'key"; --',
}


def test_hostile_names_of_columns_and_segments_stay_names(tmp_path: Path) -> None:
    shop = make_shop(300).rename(columns=HOSTILE)
    source = SHOP["sources"][0]
    roles = {**source["roles"], "feature": [HOSTILE[name] for name in source["roles"]["feature"]]}
    labels = {HOSTILE["orders"]: 'Orders\n"""; import os\r\u2028DROP TABLE customers; -- */'}
    hostile = {**source, "key": HOSTILE["customer"], "roles": roles, "labels": labels}
    study = check_study({**SHOP, "title": 'A \n"""shop"""; -- */', "sources": [hostile]})
    stages = take_through(shop, study, tmp_path)
    bad = 'Ann\'s\n*/ \'; DROP TABLE customers; -- """ {rule} \\'
    report = replace(stages.report, segments=tuple(replace(s, name=f"{bad}{s.id}") for s in stages.report.segments))
    placed = place_all(stages, report, stages.raw.frame, tmp_path / "files")
    assert len(placed.centres) == 3
    assert [name for name, found in placed.centres.items() if found != placed.scored] == []
    assert len(set(map(tuple, placed.trees.values()))) == 1
    files = export_rules(report)
    for name in (TREE_SQL, CENTRES_SQL):
        assert len(sqlglot.parse(files[name], read="postgres")) == 1
    module = load_python(files[PYTHON], tmp_path)
    number, told = module.place_by_tree({})
    assert told == f"{bad}{number}"


def test_the_python_file_needs_nothing_installed(tmp_path: Path) -> None:
    text = export_rules(run_stages().report)[PYTHON]
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [(node.module, [a.name for a in node.names]) for node in imports if isinstance(node, ast.ImportFrom)] == [
        ("math", ["log1p"])
    ]
    assert len(imports) == 1
    with pytest.raises(ValueError, match="no such feature: order;"):
        load_python(text, tmp_path).place_by_tree({"order": 3})


def test_sql_uses_no_function_of_one_engine_alone() -> None:
    files = export_rules(run_stages().report)
    for name in (TREE_SQL, CENTRES_SQL):
        (tree,) = sqlglot.parse(files[name], read="postgres")
        assert tree is not None and not list(tree.find_all(sqlglot.exp.Anonymous))


def test_the_same_report_gives_the_same_bytes() -> None:
    report = run_stages().report
    assert export_rules(report) == export_rules(replace(report))
