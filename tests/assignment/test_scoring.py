"""Scoring: new customers in the published segments, by a model that holds no customer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.model import read_model
from analysis.assignment.scoring import Drift, check_sources, explain_gaps, measure_gaps, place, score
from analysis.base.errors import InputError
from analysis.clustering.algorithms import Fit
from analysis.settings.load import check_study
from analysis.sources.tables import RawTable, read_table
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, run_stages, take_through, twin_file


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


def new_customers(folder: Path, rows: pd.DataFrame) -> RawTable:
    rows.to_csv(folder / "new.csv", index=False, sep="\t")
    return read_table(folder / "new.csv", root=folder, fewest=1)


def scores(raw: RawTable, build: Path) -> pd.DataFrame:
    return score([raw], read_model(build / "model.json"))


def test_scoring_the_training_file_gives_its_memberships(stages: Stages) -> None:
    scored = scores(stages.raw, stages.build)
    members = pd.read_parquet(stages.build / "memberships.parquet")
    assert scored["key"].tolist() == members["key"].tolist()
    assert scored["segment"].tolist() == members["segment"].tolist() == stages.evidence.labels.tolist()


def test_confidence_is_half_at_a_tie_and_never_less(stages: Stages) -> None:
    scored = scores(stages.raw, stages.build)
    assert scored["confidence"].between(0.5, 1).all()
    assert (scored["runner_up"] != scored["segment"]).all()
    assert scored["runner_up"].between(1, len(stages.report.segments)).all()
    assert 0 < scored["unlike_anyone"].mean() < 0.05


@pytest.mark.slow
def test_an_extreme_customer_is_unlike_anyone(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").head(5)
    rows.loc[0, ["NumWebVisitsMonth", "MntWines"]] = [500, 900_000]
    scored = scores(new_customers(tmp_path, rows), stages.build).set_index("key")
    assert scored.loc[str(rows["ID"][0]), "unlike_anyone"]
    assert not scored["unlike_anyone"].all()


@pytest.mark.slow
def test_customers_of_another_company_are_reported_to_differ(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t")
    assert Drift.of(scores(new_customers(tmp_path, rows), stages.build)).report() == ""
    spend = [name for name in rows if name.startswith("Mnt")]
    other = rows.assign(**{name: rows[name] * 40 for name in spend}, NumWebVisitsMonth=200)
    report = Drift.of(scores(new_customers(tmp_path, other), stages.build)).report()
    assert "of 500 lie farther from their segment than 99%" in report and "a study of their own" in report


def test_few_strange_customers_are_no_drift(stages: Stages) -> None:
    scored = scores(stages.raw, stages.build).head(4).assign(unlike_anyone=True)
    assert Drift.of(scored).report() == ""


@pytest.mark.slow
def test_one_customer_gets_the_same_segment_alone_as_among_all(stages: Stages, tmp_path: Path) -> None:
    together = scores(stages.raw, stages.build).set_index("key")
    rows = pd.read_csv(twin_file(500), sep="\t").iloc[10:13]
    alone = scores(new_customers(tmp_path, rows), stages.build).set_index("key")
    pd.testing.assert_frame_equal(alone, together.loc[alone.index])


@pytest.mark.slow
def test_new_customers_need_only_the_columns_that_the_features_are_made_of(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t")
    needed = {
        c for step in stages.prepared.steps for v in stages.table.variables if v.name == step.name for c in v.columns
    }
    scored = scores(new_customers(tmp_path, rows[["ID", *sorted(needed)]]), stages.build)
    assert scored["segment"].tolist() == stages.evidence.labels.tolist()


@pytest.mark.slow
def test_a_column_that_a_feature_needs_and_the_file_lacks_is_named(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").drop(columns="MntWines")
    with pytest.raises(InputError, match=r"column 'MntWines' is not in new\.csv") as caught:
        scores(new_customers(tmp_path, rows), stages.build)
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.slow
def test_a_single_customer_gets_the_segment_that_it_has_among_all(stages: Stages, tmp_path: Path) -> None:
    together = scores(stages.raw, stages.build).set_index("key")
    for at in (3, 77, 301):
        row = pd.read_csv(twin_file(500), sep="\t").iloc[[at]]
        alone = scores(new_customers(tmp_path, row), stages.build).set_index("key")
        pd.testing.assert_frame_equal(alone, together.loc[alone.index])


def test_scores_and_memberships_name_the_segments_as_the_site_does(stages: Stages) -> None:
    scored = scores(stages.raw, stages.build)
    members = pd.read_parquet(stages.build / "memberships.parquet")
    published = {s.id: (s.letter, s.name, s.slug) for s in stages.report.segments}
    for table in (scored, members):
        found = table[["segment", "letter", "name", "slug"]].drop_duplicates()
        assert {row[0]: row[1:] for row in found.itertuples(index=False, name=None)} == published
    letters = scored["runner_up"].map({i: of[0] for i, of in published.items()})
    assert scored["runner_up_letter"].tolist() == letters.tolist()


@pytest.mark.slow
def test_a_column_that_is_empty_is_filled_as_a_missing_value_is(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").iloc[10:13].assign(NumWebVisitsMonth=None)
    raw, model = new_customers(tmp_path, rows), read_model(stages.build / "model.json")
    empty = score([raw], model).set_index("key")
    assert [
        line for line in explain_gaps([measure_gaps(raw, model, 0)]) if "column 'NumWebVisitsMonth' is empty" in line
    ]
    whole = pd.read_csv(twin_file(500), sep="\t")
    whole["NumWebVisitsMonth"] = whole["NumWebVisitsMonth"].where(~whole["ID"].isin(rows["ID"]))
    among = scores(new_customers(tmp_path, whole), stages.build).set_index("key")
    pd.testing.assert_frame_equal(empty, among.loc[empty.index])


@pytest.mark.slow
def test_a_table_that_tells_nothing_of_its_customers_is_refused(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").head(4)
    raw = new_customers(tmp_path, rows.assign(**dict.fromkeys(rows.columns.drop("ID"))))
    with pytest.raises(InputError, match=r"new\.csv has no value in any column that the segments depend on"):
        explain_gaps([measure_gaps(raw, read_model(stages.build / "model.json"), 0)])


@pytest.mark.slow
@pytest.mark.parametrize("lost", [[3, 5, 7], [0, 1, 2, 3, 4, 5, 6, 7]], ids=["some", "all"])
def test_rows_without_a_key_are_placed_with_an_empty_key_and_counted(
    lost: list[int], stages: Stages, tmp_path: Path
) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").head(8)
    whole = scores(new_customers(tmp_path, rows), stages.build).set_index("key")
    keys = rows["ID"].astype(str)
    raw = new_customers(tmp_path, rows.assign(ID=rows["ID"].astype("Int64").mask(rows.index.isin(lost))))
    found = scores(raw, stages.build)
    assert len(found) == 8 and found["key"].isna().sum() == len(lost)
    assert found["segment"].tail(len(lost)).tolist() == whole.loc[keys[lost], "segment"].tolist()
    named = found.dropna(subset="key").set_index("key")
    pd.testing.assert_frame_equal(named, whole.loc[named.index])
    (line,) = explain_gaps([measure_gaps(raw, read_model(stages.build / "model.json"), 0)])
    assert line.startswith(f"new.csv: {len(lost)} rows have no value in the key column 'ID'")


@pytest.mark.slow
def test_a_file_without_the_key_is_told(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").drop(columns="ID")
    with pytest.raises(InputError, match=r"column 'ID' is not in new\.csv"):
        scores(new_customers(tmp_path, rows), stages.build)


def test_without_a_model_the_command_to_run_is_told(stages: Stages, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.json does not exist yet") as caught:
        scores(stages.raw, tmp_path)
    assert "python -m analysis build" in str(caught.value)


def test_the_model_holds_no_customer(stages: Stages) -> None:
    model = json.loads((stages.build / "model.json").read_text(encoding="utf-8"))
    assert model["fit"]["points"] is None
    assert len(json.dumps(model)) < 30_000


@pytest.mark.parametrize("algorithm", ["ward", "kmeans"])
def test_a_model_of_each_algorithm_scores_its_own_customers_the_same(algorithm: str, tmp_path: Path) -> None:
    study = run_stages().study.model_copy(update={"algorithm": algorithm, "segments": 3})
    found = take_through(twin_file(500), study, tmp_path)
    scored = scores(found.raw, found.build)
    assert scored["segment"].tolist() == found.evidence.labels.tolist()


@pytest.mark.parametrize(
    "settings", [{"outliers": "winsorise"}, {"near_copies": "weigh", "outliers": "none"}, {"scaling": "none"}]
)
def test_a_model_of_each_preparation_scores_its_own_customers_the_same(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    own = run_stages().study
    double = own.features["orders"].model_copy(update={"label": "Twice the orders", "formula": "2 * NumWebVisitsMonth"})
    changed = {"segments": 3, "algorithm": "kmeans", "features": {**own.features, "double": double}, **settings}
    found = take_through(twin_file(500), own.model_copy(update=changed), tmp_path)
    scored = scores(found.raw, found.build)
    assert scored["segment"].tolist() == found.evidence.labels.tolist()
    assert [group.members for group in found.report.groups] == [("web_visits", "double")]


ORDERS = {"customer": "customer", "date": "date", "amount": "amount", "channel": "channel"}


def make_orders(n_customers: int = 240) -> pd.DataFrame:
    """Orders of two kinds of customers: many small ones on the web, few large ones in the store."""
    rng = np.random.default_rng(3)
    often = np.arange(n_customers) % 2 == 0
    who = np.repeat(np.arange(n_customers), np.where(often, 12, 3) + rng.integers(0, 3, n_customers))
    amount = np.where(often[who], rng.uniform(5, 15, len(who)), rng.uniform(80, 120, len(who)))
    days = pd.to_timedelta(rng.integers(0, 300, len(who)), unit="D")
    shop = np.where(rng.random(len(who)) < np.where(often[who], 0.9, 0.1), "web", "store")
    names = np.array([f"K-{i:04d}" for i in range(n_customers)])
    when = pd.Timestamp("2023-01-01") + days
    return pd.DataFrame({"customer": names[who], "date": when, "amount": amount.round(2), "channel": shop})


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """A study of customers and their orders, where orders form the segments."""
    root = tmp_path_factory.mktemp("joined")
    (root / "data").mkdir()
    orders = make_orders()
    people = pd.DataFrame({"customer": orders["customer"].unique()})
    people.assign(region=np.resize(["North", "South", "West"], len(people))).to_csv(
        root / "data/people.csv", index=False
    )
    orders.to_csv(root / "data/orders.csv", index=False)
    study = check_study(
        {
            "title": "Customers and orders",
            "segments": 2,
            "algorithm": "kmeans",
            "min_customers": 20,
            "sources": [
                {"path": "data/people.csv", "key": "customer", "roles": {"descriptor": ["region"]}},
                {"path": "data/orders.csv", "kind": "transactions", "columns": ORDERS},
            ],
        }
    )
    return take_through(root / "data/people.csv", study, root)


def read_all(*files: Path) -> list[RawTable]:
    return [read_table(file, root=file.parent) for file in files]


def test_segments_made_of_joined_sources_take_new_ones_of_each(joined: Stages) -> None:
    model = read_model(joined.build / "model.json")
    data = joined.build.parent / "data"
    scored = score(read_all(data / "people.csv", data / "orders.csv"), model)
    assert scored["segment"].tolist() == joined.evidence.labels.tolist()


def test_new_files_may_have_other_names_fewer_channels_and_another_day(joined: Stages, tmp_path: Path) -> None:
    model = read_model(joined.build / "model.json")
    data = joined.build.parent / "data"
    together = score(read_all(data / "people.csv", data / "orders.csv"), model).set_index("key")
    orders = pd.read_csv(data / "orders.csv")
    web = orders.groupby("customer").filter(lambda rows: bool((rows["channel"] == "web").all()))
    assert 2 <= web["customer"].nunique() < orders["customer"].nunique()
    web.to_csv(tmp_path / "sales.csv", index=False)
    web[["customer"]].drop_duplicates().to_csv(tmp_path / "who.csv", index=False)
    newest = joined.cleaned.as_of
    alone = score(read_all(tmp_path / "who.csv", tmp_path / "sales.csv"), model, newest).set_index("key")
    pd.testing.assert_frame_equal(alone, together.loc[alone.index])


def test_rows_that_cannot_be_joined_are_counted(joined: Stages, tmp_path: Path) -> None:
    model = read_model(joined.build / "model.json")
    data = joined.build.parent / "data"
    people = pd.read_csv(data / "people.csv")
    people.assign(customer=people["customer"].mask(people.index < 3)).to_csv(tmp_path / "who.csv", index=False)
    raws = read_all(tmp_path / "who.csv", data / "orders.csv")
    (line,) = explain_gaps([measure_gaps(raw, model, at) for at, raw in enumerate(raws)])
    assert line.startswith("who.csv: 3 rows have no value in the key column 'customer'; they are left out")
    assert len(score(raws, model)) == len(people) - 3


def test_a_source_that_is_not_given_is_asked_for(joined: Stages) -> None:
    model = read_model(joined.build / "model.json")
    with pytest.raises(InputError, match="1 file given; the study has 2 sources") as caught:
        score(read_all(joined.build.parent / "data" / "people.csv"), model)
    assert "people (customers), orders (transactions)" in str(caught.value)


def test_a_feature_that_is_estimated_from_everyone_is_refused(joined: Stages) -> None:
    model = read_model(joined.build / "model.json")
    with pytest.raises(InputError, match="'clv' can only be computed for a whole study"):
        check_sources(["a", "b"], replace(model, forming=("clv",)))


def place_points(stages: Stages, fit: Fit, unlike: tuple[float, ...], points: list[list[float]]) -> pd.DataFrame:
    model = replace(read_model(stages.build / "model.json"), fit=fit, unlike=unlike)
    return place(np.array(points), pd.Series([str(i) for i in range(len(points))]), model)


def test_a_customer_far_along_a_long_ellipse_is_like_its_others(stages: Stages) -> None:
    centres = np.array([[0.0, 0.0], [0.0, 40.0]])
    long_and_thin = np.array([np.diag([1 / 10, 1.0]), np.diag([1.0, 1.0])])
    fit = Fit(centres, shapes=long_and_thin, shares=np.array([0.5, 0.5]))
    found = place_points(stages, fit, (0.0, 3.0, 3.0), [[20.0, 0.0], [0.0, 6.0], [0.0, 41.0]])
    assert found["segment"].tolist() == [1, 1, 2]
    assert found["unlike_anyone"].tolist() == [False, True, False]


def test_a_customer_near_dense_ones_is_like_them_however_far_the_centre_is(stages: Stages) -> None:
    ring = np.array([[np.cos(t), np.sin(t)] for t in np.linspace(0, 2 * np.pi, 60)]) * 10
    points = np.vstack([ring, [[0.0, 0.0], [0.1, 0.0]]])
    kinds = np.array([1] * 60 + [2] * 2, dtype=np.int16)
    fit = Fit(np.array([[0.0, 0.0], [0.05, 0.0]]), points, kinds, 1.5)
    found = place_points(stages, fit, (4.0, 4.0, 4.0), [[10.0, 0.5], [0.2, 0.0], [7.0, 0.0], [30.0, 0.0]])
    assert found["segment"].tolist() == [1, 2, 0, 0]
    assert found["unlike_anyone"].tolist() == [False, False, False, True]
    assert found["runner_up"].tolist() == [2, 1, 1, 1]
    assert found["confidence"].isna().tolist() == [False, False, True, True]
    assert (found["confidence"].dropna() > 0.5).all()


def test_where_there_is_one_segment_nobody_is_runner_up(stages: Stages) -> None:
    found = place_points(stages, Fit(np.zeros((1, 2))), (0.0, 5.0), [[1.0, 1.0], [9.0, 9.0]])
    assert found["runner_up"].tolist() == [0, 0]
    assert found["unlike_anyone"].tolist() == [False, True]


@pytest.mark.parametrize("algorithm", ["mixture", "dbscan", "hdbscan"])
def test_other_rules_than_centres_score_their_own_customers_the_same(algorithm: str, tmp_path: Path) -> None:
    found = take_through(make_shop(300), check_study({**SHOP, "algorithm": algorithm}), tmp_path)
    scored = scores(found.raw, found.build)
    assert scored["segment"].tolist() == found.evidence.labels.tolist()
    assert scored["unlike_anyone"].mean() < 0.05
    assert found.report.rules.centres is not None and not found.report.rules.centres.exact


def test_numbered_levels_keep_their_numbers_where_a_level_is_absent(tmp_path: Path) -> None:
    source = SHOP["sources"][0]
    roles = {"feature": [*source["roles"]["feature"], "region"]}
    western = {"label": "Western", "formula": 'where(is_in(region, "West"), visits, 0)', "unit": "number"}
    settings = {
        "features": {"western": western},
        "encode": "label",
        "near_copies": "keep",
        "noise": "keep",
        "segments": 3,
        "algorithm": "kmeans",
    }
    study = check_study({**SHOP, **settings, "value": None, "sources": [{**source, "roles": roles, "units": {}}]})
    found = take_through(make_shop(300), study, tmp_path)
    together = scores(found.raw, found.build).set_index("key")
    assert together["segment"].tolist() == found.evidence.labels.tolist()
    west = found.raw.frame[found.raw.frame["region"] == "West"].head(20)
    alone = scores(new_customers(tmp_path, west), found.build).set_index("key")
    pd.testing.assert_frame_equal(alone, together.loc[alone.index])
