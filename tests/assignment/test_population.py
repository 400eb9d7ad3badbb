"""More customers than are held in memory: a sample is looked at, and the engine places and counts all of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.model import read_model
from analysis.assignment.population import Known
from analysis.assignment.scoring import score
from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.experiments.audience import read_members
from analysis.profiles.population import is_dominated, state_mean, state_total
from analysis.report.model import Report, read_report
from analysis.settings.load import check_study
from analysis.sources.inputs import read_inputs
from analysis.sources.large import scans
from analysis.sources.large.drawing import draw_customers
from analysis.sources.tables import read_table
from tests.small_studies import build_quickly, make_shop, write_study
from tests.stages import ROOT

N, HELD = 6_000, 1_500
SETTINGS: dict[str, Any] = {
    "title": "Customers of the shop",
    "value": "spend",
    "in_memory": HELD,
    "segments": 3,
    "algorithm": "kmeans",
    "tiers": "value",
    "features": {"per_visit": {"formula": "spend / visits", "label": "Spend a visit", "unit": "money"}},
    "sources": [
        {
            "path": "data/shop.parquet",
            "key": "customer",
            "roles": {"feature": ["orders", "discount", "visits"], "descriptor": ["spend", "region", "responded"]},
        }
    ],
}
ORDERS: dict[str, Any] = {
    "title": "Orders",
    "value": "spend",
    "segments": 3,
    "algorithm": "kmeans",
    "in_memory": 1_200,
    "sources": [
        {
            "path": "data/orders.parquet",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "day", "amount": "paid"},
        }
    ],
}


def make_customers(n: int = N) -> pd.DataFrame:
    """Make customers in any order; some have no key, no value or no finite one."""
    shop = make_shop(n).assign(responded=lambda f: f["responded"].astype(bool))
    shop = shop.assign(spend=shop["spend"].mask(shop.index % 50 == 3), discount=shop["discount"].mask(shop.index == 7))
    shop.loc[shop.index == 11, "visits"] = np.inf
    return shop.assign(customer=shop["customer"].mask(shop.index == 5)).sample(frac=1, random_state=1)


def write_project(root: Path, customers: pd.DataFrame, **settings: Any) -> Path:
    """Write a project whose customers are a Parquet file."""
    for part in ("templates", "site"):
        shutil.copytree(ROOT / part, root / part)
    for file in ("_quarto.yml", "404.qmd"):
        shutil.copyfile(ROOT / file, root / file)
    write_study(root, SETTINGS | settings, customers)
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    return root


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("shop") / "project", make_customers())
    build_quickly(root)
    return root


@pytest.fixture
def report(built: Path) -> Report:
    return read_report(built / "build" / "report.json")


@pytest.fixture
def members(built: Path) -> pd.DataFrame:
    return pd.read_parquet(built / "build" / "memberships.parquet").set_index("key").sort_index()


@pytest.mark.builds
def test_everyone_is_placed_as_score_places_them(built: Path, members: pd.DataFrame) -> None:
    raw = read_table("data/shop.parquet", root=built)
    scores = score([raw], read_model(built / "build" / "model.json")).dropna(subset="key").set_index("key").sort_index()
    assert len(members) == N - 1
    columns = ["segment", "letter", "name", "slug", "confidence", "tier"]
    pd.testing.assert_frame_equal(members[columns], scores[columns].reindex(members.index), check_dtype=False)


@pytest.mark.builds
def test_sizes_totals_and_means_are_of_everyone(built: Path, report: Report, members: pd.DataFrame) -> None:
    people = make_customers().set_index("customer").reindex(members.index)
    rules = Disclosure(report.study.min_cell)
    assert report.held is not None and 0.8 * HELD < report.held < 1.2 * HELD
    assert report.study.n_customers == rules.count(N - 1)
    for segment in report.segments:
        own = people[members["segment"] == segment.id]
        assert segment.n == rules.count(len(own))
        assert segment.share == rules.share(len(own) / (N - 1))
        assert segment.value_total == rules.total(own["spend"].to_numpy(float))
        assert segment.value_share == rules.share(own["spend"].sum() / people["spend"].sum())
        for name in ("orders", "spend", "discount"):
            found = segment.difference(name)
            assert found is not None
            assert found.summary.mean == rules.mean(own[name].to_numpy(float))
            assert found.summary.n == rules.count(int(own[name].notna().sum()))
        yes = segment.difference("responded")
        assert yes is not None and yes.summary.mean == rules.share(own["responded"].mean())
    assert report.everyone["orders"].mean == rules.mean(people["orders"].to_numpy(float))
    assert report.value_total == rules.total(people["spend"].to_numpy(float))


@pytest.mark.builds
def test_pages_say_that_a_sample_was_looked_at(built: Path, report: Report) -> None:
    first = report.ledger[0]
    assert (first.rule, first.rows_in, first.rows_out) == ("Sample of the customers", 6_000, report.held)
    assert report.data.sources[0].rows == 6_000
    assert report.card.n_read == 6_000
    assert any(line.startswith("They were found in a random") for line in report.card.limits)
    methodology = (built / "site" / "methodology.qmd").read_text(encoding="utf-8")
    assert "The engine placed everyone by the rule and counted them" in methodology


@pytest.mark.builds
def test_one_customer_outside_the_sample_makes_no_new_figures(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(built, root)
    customers = make_customers()
    customers.loc[find_outside(root, customers), "spend"] = 9e5
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    told = build_quickly(root).told
    assert any("The pages keep the figures of the last build" in line for line in told)
    before, now = ((folder / "build" / "report.json").read_text() for folder in (built, root))
    assert before == now


@pytest.mark.builds
@pytest.mark.parametrize(
    ("repeated", "settings", "message"),
    [
        (True, {}, "'customer' repeats a key in 1 of 6,000 rows"),
        (False, {"algorithm": "mixture"}, "SQL cannot place them"),
    ],
    ids=["repeated key", "no nearest centre"],
)
def test_what_cannot_be_placed_is_refused_and_the_last_site_stays(
    built: Path, tmp_path: Path, repeated: bool, settings: dict[str, Any], message: str
) -> None:
    root = tmp_path / "project"
    shutil.copytree(built, root)
    before = (root / "site" / "index.qmd").read_text(encoding="utf-8")
    customers = make_customers()
    if repeated:
        customers = pd.concat([customers, customers.loc[[find_outside(root, customers)]]])
    write_study(root, SETTINGS | settings, customers)
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    with pytest.raises(InputError, match=message):
        build_quickly(root)
    assert (root / "site" / "index.qmd").read_text(encoding="utf-8") == before
    assert len(pd.read_parquet(root / "build" / "memberships.parquet")) == N - 1


@pytest.mark.builds
def test_an_unknown_table_is_drafted_from_a_sample_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 500)
    root = write_project(tmp_path / "project", make_shop())
    make_customers().to_parquet(tmp_path / "other.parquet", index=False)
    study = check_study({"title": "x", "in_memory": HELD, "sources": [{"path": "x", "roles": {"feature": ["none"]}}]})
    inputs, drafted = read_inputs(root, study, [tmp_path / "other.parquet"], synthetic=False, chosen=True, scan=True)
    assert drafted.sources[0].key == "customer" and drafted.in_memory == HELD
    assert inputs.tables[0].population is not None and inputs.tables[0].n_all == N - 1
    assert len(inputs.tables[0].frame) < 1.2 * HELD


def find_outside(root: Path, customers: pd.DataFrame) -> int:
    """Find the row of a customer who is not in the sample."""
    held = draw_customers("data/shop.parquet", root, study_of().sources[0], "x", study_of())
    assert held is not None
    keyed = customers[customers["customer"].notna()]
    return int(keyed.index[~keyed["customer"].isin(held.frame["customer"])][0])


def study_of(**settings: Any) -> Any:
    """Return the settings of the study."""
    return check_study(SETTINGS | settings)


def test_most_who_are_in_the_sample_stay_in_it_when_others_come(tmp_path: Path) -> None:
    study, drawn = study_of(), []
    for n in (N, N + 600):
        pd.DataFrame({"customer": [f"C{i}" for i in range(n)], "orders": np.arange(n) % 7}).to_parquet(
            tmp_path / "c.parquet", index=False
        )
        found = draw_customers("c.parquet", tmp_path, study.sources[0], "x", study)
        assert found is not None and abs(len(found.frame) / HELD - 1) < 0.1
        drawn.append(set(found.frame["customer"]))
    assert len(drawn[0] & drawn[1]) > 0.85 * HELD
    other = draw_customers("c.parquet", tmp_path, study.sources[0], "x", study_of(seed=7))
    assert other is not None and len(drawn[1] & set(other.frame["customer"])) < 0.5 * HELD


@pytest.mark.parametrize(
    "settings",
    [{"key": None}, {"types": {"orders": "category"}}, {"repeats": "first"}, {"leave_out": {"region": ["x"]}}],
)
def test_a_table_whose_rows_change_while_it_is_read_is_read_whole(tmp_path: Path, settings: dict[str, Any]) -> None:
    make_customers().to_parquet(tmp_path / "shop.parquet", index=False)
    source = study_of().sources[0].model_copy(update=settings)
    assert draw_customers("shop.parquet", tmp_path, source, "x", study_of()) is None


def test_a_mean_or_total_that_one_customer_may_dominate_is_not_taken_from_all() -> None:
    rules = Disclosure()
    even, one = Known(100, 1_000.0, 1_000.0, 5.0, 15.0), Known(100, 1_000.0, 1_000.0, 1.0, 600.0)
    assert not is_dominated(even) and is_dominated(one)
    assert (state_mean(even, rules, 3.0), state_total(even, rules)) == (10.0, 1_000.0)
    assert (state_mean(one, rules, 3.0), state_total(one, rules)) == (3.0, None)
    # The second largest is not known here: where it may leave too little beside the two, the total is not stated.
    assert is_dominated(Known(100, 1_000.0, 1_000.0, 1.0, 480.0))
    assert state_total(one, Disclosure(public=False)) == 1_000.0


@pytest.mark.builds
def test_customers_of_purchases_stay_on_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", 10_000)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 2_000)
    root = write_project(tmp_path / "project", make_shop())
    orders = make_orders(30_000, 4_000)
    orders.to_parquet(root / "data" / "orders.parquet", index=False)
    project = {"project": {"type": "website"}, "segmentation": ORDERS}
    (root / "_quarto.yml").write_text(json.dumps(project))
    build_quickly(root)
    members = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key")
    spent = orders[orders["paid"] >= 0].groupby("who")["paid"].sum()
    assert sorted(members.index) == sorted(map(str, orders["who"].unique()))
    report = read_report(root / "build" / "report.json")
    rules = Disclosure(report.study.min_cell)
    assert report.held is not None and report.held < 1_500
    for segment in report.segments:
        own = spent[spent.index.astype(str).isin(members.index[members["segment"] == segment.id])]
        assert segment.n == rules.count(int((members["segment"] == segment.id).sum()))
        assert segment.value_total == rules.total(own.to_numpy(float))
    assert not (root / "build" / "spill" / "held").exists()


def make_orders(n: int, n_customers: int) -> pd.DataFrame:
    """Make orders of customers who come more or less often."""
    rng = np.random.default_rng(3)
    rate = rng.gamma(1.0, 1.0, n_customers)
    who = rng.choice(n_customers, n, p=rate / rate.sum())
    day = np.datetime64("2022-01-03", "s") + rng.integers(0, 700, n) * 86_400
    return pd.DataFrame({"who": who, "day": day, "paid": np.round(rng.lognormal(3, 0.6, n), 2)})


@pytest.mark.spark
@pytest.mark.builds
@pytest.mark.parametrize("of", ["customers", "purchases"])
def test_spark_places_and_counts_everyone_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    pytest.importorskip("pyspark.sql")
    monkeypatch.setattr(scans, "SCANNED_ROWS", 10_000)
    customers = make_customers().assign(since=np.datetime64("2024-01-01", "s"))
    found: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {}
    for engine in ("duckdb", "spark"):
        root = write_project(tmp_path / engine, customers)
        settings = SETTINGS | {"features": {"days_here": {"formula": "days(as_of - since)", "label": "Days"}}}
        settings |= {"as_of": "2024-06-30"}
        if of == "purchases":
            make_orders(30_000, 4_000).to_parquet(root / "data" / "orders.parquet", index=False)
            settings = ORDERS
        (root / "_quarto.yml").write_text(json.dumps({"project": {"type": "website"}, "segmentation": settings}))
        build_quickly(root, engine=engine)
        report = json.loads((root / "build" / "report.json").read_text())
        del report["study"]["versions"]
        for source in report["data"]["sources"]:
            # Keyed by a secret of the project.
            del source["sha256"]
        found[engine] = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key").sort_index(), report
    pd.testing.assert_frame_equal(found["duckdb"][0], found["spark"][0], check_dtype=False)
    assert found["duckdb"][1] == found["spark"][1]


@pytest.mark.builds
def test_memberships_can_be_written_elsewhere(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(built, root)
    customers = make_customers()
    write_study(root, SETTINGS | {"memberships": str(tmp_path / "members.parquet")}, customers)
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    build_quickly(root)
    there, before = (
        pd.read_parquet(f) for f in (tmp_path / "members.parquet", built / "build" / "memberships.parquet")
    )
    assert there.equals(before)
    with pytest.raises(InputError, match="wrote who is in which segment elsewhere"):
        read_members(root)
    write_study(root, SETTINGS | {"memberships": str(tmp_path / "none" / "members.parquet")}, customers)
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    with pytest.raises(InputError, match="memberships cannot be written to"):
        build_quickly(root)


@pytest.mark.spark
@pytest.mark.builds
def test_customers_are_drawn_from_a_table_of_spark_and_placed_there(tmp_path: Path) -> None:
    sql = pytest.importorskip("pyspark.sql")
    root = write_project(tmp_path / "project", make_customers())
    warehouse = str(tmp_path / "warehouse")
    session = sql.SparkSession.builder.master("local[2]").config("spark.sql.warehouse.dir", warehouse).getOrCreate()
    try:
        frame = session.read.parquet(str(root / "data" / "shop.parquet"))
        frame.createOrReplaceTempView("shop_customers")
        source = SETTINGS["sources"][0] | {"path": "table:shop_customers"}
        settings = SETTINGS | {"sources": [source], "memberships": "shop_members"}
        project = {"project": {"type": "website"}, "segmentation": settings}
        (root / "_quarto.yml").write_text(json.dumps(project))
        build_quickly(root, engine="spark")
        members = session.table("shop_members").toArrow().to_pandas()
        session.sql("DROP TABLE shop_members")
    finally:
        session.stop()
    report = read_report(root / "build" / "report.json")
    assert report.held is not None and 0.8 * HELD < report.held < 1.2 * HELD
    assert len(members) == N - 1
    assert [s.n for s in report.segments] == [
        Disclosure(report.study.min_cell).count(n) for n in members["segment"].value_counts().sort_index()
    ]
    assert not (root / "build" / "memberships.parquet").exists()


@pytest.mark.builds
def test_a_feature_that_all_customers_lack_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", 10_000)
    root = write_project(tmp_path / "project", make_shop())
    make_orders(30_000, 4_000).to_parquet(root / "data" / "orders.parquet", index=False)
    source = ORDERS["sources"][0] | {"roles": {"feature": ["frequency", "spend", "rfm_group"]}}
    settings = ORDERS | {"sources": [source], "encode": "indicator"}
    project = {"project": {"type": "website"}, "segmentation": settings}
    (root / "_quarto.yml").write_text(json.dumps(project))
    with pytest.raises(InputError, match=r"The feature 'rfm_group = .*' cannot be computed where all"):
        build_quickly(root)


@pytest.mark.builds
def test_a_study_that_is_held_again_replaces_what_spark_wrote(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(built, root)
    file = root / "build" / "memberships.parquet"
    file.unlink()
    file.mkdir()
    make_shop().to_parquet(file / "part-0.parquet")
    customers = make_customers()
    write_study(root, SETTINGS | {"in_memory": 10_000}, customers)
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    build_quickly(root)
    assert len(pd.read_parquet(file)) == N - 1


@pytest.mark.builds
def test_figures_that_stay_keep_the_parts_that_spark_wrote(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(built, root)
    file = root / "build" / "memberships.parquet"
    members = pd.read_parquet(file)
    file.unlink()
    file.mkdir()
    members.to_parquet(file / "part-0.parquet", index=False)
    customers = make_customers()
    customers.loc[find_outside(root, customers), "spend"] = 9e5
    customers.to_parquet(root / "data" / "shop.parquet", index=False)
    assert any("keep the figures of the last build" in line for line in build_quickly(root).told)
    assert build_quickly(root).fresh is False


@pytest.mark.builds
@pytest.mark.parametrize(
    "settings",
    [
        {"encode": "label"},
        {"encode": "label", "reduce": {"pca": 2}},
        {"encode": "indicator", "algorithm": "kprototypes"},
        {"encode": "indicator", "algorithm": "latent_class"},
    ],
    ids=lambda settings: " ".join(map(str, settings.values())),
)
def test_categories_are_placed_as_score_places_them(tmp_path: Path, settings: dict[str, Any]) -> None:
    source = SETTINGS["sources"][0]
    source = source | {
        "roles": {"feature": ["orders", "discount", "region"], "descriptor": ["spend"]},
        "merge": {"region": {"West": "North"}},
    }
    customers = make_customers().assign(customer=lambda f: f["customer"].str[2:].str.replace("-", "").astype(float))
    root = write_project(tmp_path / "project", customers, sources=[source], tiers="none", **settings)
    build_quickly(root)
    members = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key").sort_index()
    raw = read_table("data/shop.parquet", root=root)
    scores = score([raw], read_model(root / "build" / "model.json")).dropna(subset="key").set_index("key").sort_index()
    columns = ["segment", "letter", "confidence"]
    pd.testing.assert_frame_equal(members[columns], scores[columns], check_dtype=False)
