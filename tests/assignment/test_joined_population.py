"""More customers than are held in memory, described by several sources: these are joined where all customers are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.base.disclosure import COUNT_STEP, Disclosure
from analysis.base.errors import InputError
from analysis.report.model import Report, read_report
from analysis.sources.large import scans
from analysis.sources.tables import read_table
from tests.assignment.test_population import ORDERS, make_customers, make_orders, write_project
from tests.small_studies import build_quickly

N, HELD, BUYERS, ROWS = 6_000, 1_500, 4_500, 30_000
JOINED: dict[str, Any] = {
    "title": "Customers who buy",
    "value": "spend",
    "in_memory": HELD,
    "segments": 3,
    "algorithm": "kmeans",
    "sources": [
        {"path": "data/shop.parquet", "key": "customer", "roles": {"feature": ["orders", "visits"]}},
        {
            "path": "data/bought.parquet",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "day", "amount": "paid"},
            "roles": {"feature": ["spend", "recency_days"]},
        },
        {"path": "data/more.csv", "key": "number", "roles": {"feature": ["income"], "descriptor": ["region"]}},
    ],
}


def make_shop_customers() -> pd.DataFrame:
    """Make customers with a plain key; one has none."""
    made = make_customers().drop(columns="spend").assign(customer=lambda f: [f"K{i:05d}" for i in f.index])
    return made.assign(customer=made["customer"].mask(made.index == 5))


def make_purchases() -> pd.DataFrame:
    """Make purchases of some of them, and of a few whom no table names."""
    orders = make_orders(ROWS, BUYERS)
    return orders.assign(who=[f" K{i + N - BUYERS + 100:05d}" for i in orders["who"]])


def make_incomes() -> pd.DataFrame:
    """Make a further table, which has a column of the same name as the first."""
    rng = np.random.default_rng(5)
    known = [f"K{i:05d}" for i in range(500, 6_500)]
    return pd.DataFrame(
        {
            "number": known,
            "income": rng.normal(50, 9, len(known)).round(1),
            "region": rng.choice(["city", "land"], len(known)),
        }
    )


def write_joined(root: Path, settings: dict[str, Any], **changes: Any) -> Path:
    """Write a project of several sources."""
    write_project(root, make_shop_customers())
    make_purchases().to_parquet(root / "data" / "bought.parquet", index=False)
    make_incomes().to_csv(root / "data" / "more.csv", index=False)
    project = {"project": {"type": "website"}, "segmentation": settings | changes}
    (root / "_quarto.yml").write_text(json.dumps(project))
    return root


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", 10_000)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 2_000)


def members_of(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "build" / "memberships.parquet").set_index("key").sort_index()


def scores_of(root: Path, *files: str) -> pd.DataFrame:
    tables = [read_table(f"data/{file}", root=root) for file in files]
    found = score(tables, read_model(root / "build" / "model.json"))
    return found.dropna(subset="key").set_index("key").sort_index()


def report_of(root: Path) -> Report:
    return read_report(root / "build" / "report.json")


@pytest.mark.builds
def test_everyone_is_joined_placed_and_counted_on_the_engine(tmp_path: Path) -> None:
    root = write_joined(tmp_path / "project", JOINED)
    build_quickly(root)
    members, report, rules = members_of(root), report_of(root), Disclosure()
    scores = scores_of(root, "shop.parquet", "bought.parquet", "more.csv")
    assert len(members) == N - 1
    columns = ["segment", "letter", "name", "confidence"]
    pd.testing.assert_frame_equal(members[columns], scores[columns].reindex(members.index), check_dtype=False)
    assert report.held is not None and 0.8 * HELD < report.held < 1.2 * HELD
    assert report.study.n_customers == rules.count(N - 1)
    bought = make_purchases().assign(who=lambda f: f["who"].str.strip()).groupby("who")["paid"].sum()
    spent = bought.reindex(members.index).fillna(0.0)
    for segment in report.segments:
        own = members.index[members["segment"] == segment.id]
        assert segment.n == rules.count(len(own))
        assert segment.value_total == rules.total(spent[own].to_numpy(float))
        income = segment.difference("income")
        there = make_incomes().set_index("number")["income"].reindex(own).dropna()
        assert income is not None and income.summary.mean == rules.mean(there.to_numpy(float))
    lines = {line.rule: line for line in report.ledger}
    unknown = int((~bought.index.isin(members.index)).sum())
    assert unknown > 0
    assert lines["bought.parquet: customers that the base does not know"].touched == rules.count(unknown)
    without = int((~members.index.isin(make_incomes()["number"])).sum())
    assert lines["more.csv: customers without a row there"].touched == rules.count(without)
    assert not (root / "build" / "spill" / "held").exists()
    # Counts in sentences are rounded as all others are, and say whom they are of.
    counts = re.findall(r"([\d,]+) customers who were looked at", " ".join(report.card.limits))
    assert counts and all(int(count.replace(",", "")) % COUNT_STEP == 0 for count in counts)


@pytest.mark.builds
def test_customers_of_purchases_are_joined_with_their_visits(tmp_path: Path) -> None:
    visits = {
        "path": "data/visits.csv",
        "kind": "events",
        "columns": {"customer": "who", "date": "at"},
        "roles": {"feature": ["sessions"]},
    }
    source = ORDERS["sources"][0] | {"path": "data/bought.parquet"}
    root = write_joined(tmp_path / "project", ORDERS | {"sources": [source, visits]})
    made = make_purchases().sample(12_000, random_state=2)
    made.assign(at=made["day"])[["who", "at"]].to_csv(root / "data" / "visits.csv", index=False)
    build_quickly(root)
    members, report = members_of(root), report_of(root)
    scores = scores_of(root, "bought.parquet", "visits.csv")
    assert report.held is not None and report.held < len(members) == make_purchases()["who"].nunique()
    assert any(variable.name == "sessions" for variable in report.forming())
    pd.testing.assert_series_equal(members["segment"], scores["segment"].reindex(members.index), check_dtype=False)


@pytest.mark.builds
@pytest.mark.parametrize("joined", [False, True])
def test_what_segments_are_chosen_by_leaves_the_table_of_all_customers_alone(tmp_path: Path, joined: bool) -> None:
    source = ORDERS["sources"][0] | {"path": "data/bought.parquet"}
    settings = JOINED if joined else ORDERS | {"sources": [source]}
    root = write_joined(tmp_path / "project", settings, prefer="use", segments="auto")
    build_quickly(root)
    members = members_of(root)
    files = ("shop.parquet", "bought.parquet", "more.csv") if joined else ("bought.parquet",)
    scores = scores_of(root, *files)
    pd.testing.assert_series_equal(members["segment"], scores["segment"].reindex(members.index), check_dtype=False)


@pytest.mark.builds
@pytest.mark.parametrize("held", [HELD, 10_000])
def test_a_table_may_have_a_column_that_is_computed_from_purchases_too(tmp_path: Path, held: int) -> None:
    first, *others = JOINED["sources"]
    first = first | {"roles": first["roles"] | {"ignore": ["spend"]}}
    root = write_joined(tmp_path / "project", JOINED, value="bought_spend", in_memory=held, sources=[first, *others])
    make_shop_customers().assign(spend=lambda f: f["orders"] * 20).to_parquet(root / "data" / "shop.parquet")
    build_quickly(root)
    report, scores = report_of(root), scores_of(root, "shop.parquet", "bought.parquet", "more.csv")
    assert (report.held is None) == (held > N)
    assert any(target.label.startswith("Spend after") for target in report.proof.targets)
    members = members_of(root)
    pd.testing.assert_series_equal(members["segment"], scores["segment"].reindex(members.index), check_dtype=False)


@pytest.mark.builds
def test_purchases_that_fit_no_customer_are_refused(tmp_path: Path) -> None:
    root = write_joined(tmp_path / "project", JOINED)
    purchases = make_purchases()
    purchases.assign(who="other " + purchases["who"]).to_parquet(root / "data" / "bought.parquet", index=False)
    with pytest.raises(InputError, match=r"bought.parquet: none of its [\d,]+ customers is in the table"):
        build_quickly(root)


@pytest.mark.spark
@pytest.mark.builds
def test_spark_joins_everyone_alike(tmp_path: Path) -> None:
    pytest.importorskip("pyspark.sql")
    found: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {}
    for engine in ("duckdb", "spark"):
        root = write_joined(tmp_path / engine, JOINED)
        build_quickly(root, engine=engine)
        report = json.loads((root / "build" / "report.json").read_text())
        del report["study"]["versions"]
        for source in report["data"]["sources"]:
            # Keyed by a secret of the project.
            del source["sha256"]
        found[engine] = members_of(root), report
    pd.testing.assert_frame_equal(found["duckdb"][0], found["spark"][0], check_dtype=False)
    assert found["duckdb"][1] == found["spark"][1]
