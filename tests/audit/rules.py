"""The published rules, executed exactly as they are downloaded: SQL in DuckDB, Python as a module, JSON by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from tests.audit.comparison import Audit
from tests.audit.customers import Study
from tests.audit.pages import PrintedTable
from tests.audit.printed_tables import segment_of

DOWNLOADS = "_site/site/downloads"
LEAVES, FOLDS, SMALLEST = 8, 5, 0.01
"""Ends of a tree, folds of the cross-validation, and the smallest share of customers at an end."""
FOLD_ERROR = 0.03
"""How far the fidelity of two trees of one depth may lie apart: thresholds are rounded and folds drawn anew."""


def load_python(path: Path) -> ModuleType:
    """Import the Python file as a customer of the site would."""
    module = ModuleType("downloaded_rule")
    # An import would leave compiled code in the site.
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), module.__dict__)
    return module


def customer_table(study: Study) -> pd.DataFrame:
    """Give the table that the SQL files ask for: columns of the base, and the computed features.

    A feature that no SQL can compute stands under its own name, as the comment at the top of the file says.
    """
    source = study.settings["sources"][0]
    raw = study.customers.sources[0]
    based = source.get("kind", "customers") in {"customers", "survey"}
    table = pd.DataFrame(index=study.customers.keys)
    if based:
        own = (
            raw.set_index(raw[source["key"]]).reindex(study.customers.keys)
            if source.get("key")
            else raw.set_index(study.customers.keys)
        )
        types = {c["name"]: c["type"] for c in study.report["data"]["columns"]}
        for name in own.columns:
            values = (
                pd.to_numeric(own[name], errors="coerce") if types.get(name) in {"number", "year", "key"} else own[name]
            )
            table[name] = own[name] if values.isna().all() else values
        for name, kind in types.items():
            if kind in {"date", "boolean"} and name in study.customers.columns:
                table[name] = study.customers.columns[name]
    computed = study.customers.computed
    for name in study.report["rules"]["fills"]:
        if name in computed.columns:
            table[name] = computed[name]
        elif name in study.customers.frame and name not in table.columns:
            table[name] = study.customers.frame[name]
    key = study.report["rules"]["key"]
    if key and key not in table.columns:
        table[key] = study.customers.keys
    return table


def run_sql(path: Path, customers: pd.DataFrame) -> pd.DataFrame:
    """Run a SQL file over a table named customers."""
    connection = duckdb.connect()
    connection.register("customers", customers)
    return connection.execute(path.read_text(encoding="utf-8")).df()


def audit_rules(study: Study, audit: Audit) -> None:
    """Execute the downloaded rules on every customer and compare them with each other and with the segments."""
    folder, labels = study.root / DOWNLOADS, study.customers.labels
    rules, names = study.report["rules"], list(study.report["rules"]["fills"])
    frame = study.customers.frame
    if not all(name in frame for name in names):
        audit.skip("rules", "they ask for the levels of a category")
        return
    values = frame[names]
    module = load_python(folder / "segment_rule.py")
    rows = values.to_dict("records")
    by_tree = np.array([module.place_by_tree(row)[0] for row in rows])
    table = customer_table(study)
    with audit.at("rules as downloaded"):
        tree = run_sql(folder / "segment_tree.sql", table)
        audit.same("customers placed by the SQL of the tree", len(tree), len(labels))
        audit.same("SQL and Python of the tree place alike", int((in_order(study, tree) != by_tree).sum()), 0)
        data = json.loads((folder / "segment_rule.json").read_text(encoding="utf-8"))
        audit.same(
            "JSON and Python of the tree place alike",
            int((follow(data["tree"]["root"], values, rules["fills"]) != by_tree).sum()),
            0,
        )
        audit.report("agreement in the JSON file", data["tree"]["agreement"], rules["tree"]["fidelity"])
        compare_nodes(study, audit, values.fillna(rules["fills"]))
        if rules["centres"] is not None:
            by_centre = np.array([module.place_by_centre(row)[0] for row in rows])
            sql = in_order(study, run_sql(folder / "segment_centres.sql", table))
            audit.same("SQL and Python of the centres place alike", int((sql != by_centre).sum()), 0)
            placed = labels > 0
            audit.report(
                "fidelity of the centres", rules["centres"]["fidelity"], float((by_centre == labels)[placed].mean())
            )
    compare_tree_fidelity(study, audit, values.fillna(rules["fills"]), by_tree)


def in_order(study: Study, placed: pd.DataFrame) -> np.ndarray:
    """Give the segments of a SQL result in the order of the memberships."""
    keys = placed["customer_key"].astype(str)
    if not study.report["rules"]["key"]:
        return placed["segment"].to_numpy()
    return placed.set_index(keys)["segment"].reindex(study.customers.keys.astype(str)).to_numpy()


def follow(node: dict[str, Any], values: pd.DataFrame, fills: dict[str, float]) -> np.ndarray:
    """Follow the questions of the JSON file for every customer."""
    if "segment" in node:
        return np.full(len(values), node["segment"])
    answer = values[node["feature"]].fillna(fills[node["feature"]]) <= node["at_most"]
    return np.where(answer, follow(node["yes"], values, fills), follow(node["no"], values, fills))


def compare_nodes(study: Study, audit: Audit, known: pd.DataFrame) -> None:
    """Compare who comes to each question and end of the tree, and how many of them are of its segment."""
    nodes, labels = study.report["rules"]["tree"]["nodes"], study.customers.labels
    cell = study.report["study"]["min_cell"]

    def walk(place: int, here: np.ndarray) -> None:
        node = nodes[place]
        own, n = int((labels[here] == node["segment"]).sum()), int(here.sum())
        audit.report(f"node {place}, share of customers", node["share"], n / len(labels), 2)
        purity = node["purity"]
        if purity["at_least"]:
            audit.same(f"node {place}, at least so many are of its segment", bool(own / n >= purity["share"]), True)
            audit.same(
                f"node {place}, that bound is not far below",
                bool(own / n - purity["share"] <= max(0.01 + cell / n, 0.5)),
                True,
            )
        else:
            audit.report(f"node {place}, of its segment", purity["share"], own / n, 2)
        if node["feature"]:
            yes = (known[node["feature"]] <= node["threshold"]).to_numpy()
            walk(node["yes"], here & yes)
            walk(node["no"], here & ~yes)

    if len(labels) <= 20_000 and (labels > 0).all():
        walk(0, np.ones(len(labels), bool))


def cross_validated(values: np.ndarray, labels: np.ndarray, depth: int, leaves: int | None, least: int) -> np.ndarray:
    """Predict every customer by trees that did not learn from them."""
    told = np.zeros_like(labels)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=11)
    for learn, test in folds.split(values, labels):
        model = DecisionTreeClassifier(max_depth=depth, max_leaf_nodes=leaves, min_samples_leaf=least, random_state=11)
        told[test] = model.fit(values[learn], labels[learn]).predict(values[test])
    return told


def compare_tree_fidelity(study: Study, audit: Audit, known: pd.DataFrame, by_tree: np.ndarray) -> None:
    """Compare the cross-validated fidelity of the questions, and of descriptors alone, with own trees."""
    labels, rules = study.customers.labels, study.report["rules"]
    least = max(study.report["study"]["min_cell"], int(np.ceil(SMALLEST * len(labels))))
    tree = rules["tree"]
    told = cross_validated(known.to_numpy(float), labels, tree["questions"], max(LEAVES, 2 * study.customers.k), least)
    with audit.at("fidelity of the questions"):
        audit.near("fidelity, cross-validated", tree["fidelity"], float((told == labels).mean()), FOLD_ERROR)
        audit.same(
            "no better than on the customers it was grown on",
            bool(tree["fidelity"] <= (by_tree == labels).mean() + 0.01),
            True,
        )
        for each in tree["segments"]:
            own, named = labels == each["id"], told == each["id"]
            error = 3 * np.sqrt(0.25 / own.sum()) + 0.02
            audit.near(f"segment {each['id']}, found", each["recall"], float(named[own].mean()), error)
            right = float(own[named].mean()) if named.any() else 0.0
            audit.near(f"segment {each['id']}, rightly named", each["precision"], right, error)
        guess = rules["without_behaviour"]
        if guess is not None:
            audit.report(
                "naming the largest segment", guess["largest"], float(np.bincount(labels).max() / len(labels)), 2
            )


def printed_questions(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare what the Placing page prints of the questions with the report's numbers, which own trees are held to."""
    by_id = {each["id"]: each for each in study.report["rules"]["tree"]["segments"]}
    for row in table.rows:
        told = by_id[segment_of(study, row[0])]
        audit.printed(row[0], " ".join(row[1:]), [told["recall"], told["precision"]])


def printed_centres(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the centres in the features' own units, turned back from means of the scaled features."""
    centres = study.report["rules"]["centres"]
    points = np.array(centres["centres"])
    for place, row in enumerate(table.rows):
        step = study.report["steps"][place]
        back = points[:, place] * step["scale"] + step["centre"]
        back = np.expm1(back) * step["unit"] if step["log"] else back
        for segment, (cell, value) in enumerate(zip(row[1:], back, strict=True), start=1):
            audit.printed(f"{row[0]}, segment {segment}", re.sub(r"[$€£]", "", cell), [float(value)])
