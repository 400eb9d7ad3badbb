"""Private files: memberships of everyone, a model that gives the same answer again, and what must stay private."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.disclosure import private_from_build
from analysis.errors import InputError
from analysis.outputs import private_values, score
from analysis.sources import read_table
from tests.stages import Stages, run_stages, take_through, twin_file


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


def new_customers(folder: Path, rows: pd.DataFrame) -> Any:
    rows.to_csv(folder / "new.csv", index=False, sep="\t")
    return read_table(folder / "new.csv", root=folder)


def test_scoring_the_training_file_gives_its_memberships(stages: Stages) -> None:
    scored = score(stages.raw, stages.build / "model.json")
    members = pd.read_parquet(stages.build / "memberships.parquet")
    assert scored["key"].tolist() == members["key"].tolist()
    assert scored["segment"].tolist() == members["segment"].tolist() == stages.evidence.labels.tolist()


def test_memberships_hold_everyone_once(stages: Stages) -> None:
    members = pd.read_parquet(stages.build / "memberships.parquet")
    assert list(members.columns)[:2] == ["key", "segment"]
    assert members["key"].is_unique
    assert sorted(members["key"].astype(int)) == sorted(pd.read_csv(twin_file(500), sep="\t")["ID"])
    assert members["segment"].value_counts().to_dict() == {s.id: s.n for s in stages.report.segments}


def test_confidence_is_half_at_a_tie_and_never_less(stages: Stages) -> None:
    scored = score(stages.raw, stages.build / "model.json")
    assert scored["confidence"].between(0.5, 1).all()
    assert (scored["runner_up"] != scored["segment"]).all()
    assert scored["runner_up"].between(1, len(stages.report.segments)).all()
    assert 0 < scored["unlike_anyone"].mean() < 0.05


def test_an_extreme_customer_is_unlike_anyone(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").head(5)
    rows.loc[0, ["NumWebVisitsMonth", "MntWines"]] = [500, 900_000]
    scored = score(new_customers(tmp_path, rows), stages.build / "model.json").set_index("key")
    assert scored.loc[str(rows["ID"][0]), "unlike_anyone"]
    assert not scored["unlike_anyone"].all()


def test_one_customer_gets_the_same_segment_alone_as_among_all(stages: Stages, tmp_path: Path) -> None:
    together = score(stages.raw, stages.build / "model.json").set_index("key")
    rows = pd.read_csv(twin_file(500), sep="\t").iloc[10:13]
    alone = score(new_customers(tmp_path, rows), stages.build / "model.json").set_index("key")
    pd.testing.assert_frame_equal(alone, together.loc[alone.index])


def test_new_customers_need_only_the_columns_that_the_features_are_made_of(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t")
    needed = {
        c for step in stages.prepared.steps for v in stages.table.variables if v.name == step.name for c in v.columns
    }
    scored = score(new_customers(tmp_path, rows[["ID", *sorted(needed)]]), stages.build / "model.json")
    assert scored["segment"].tolist() == stages.evidence.labels.tolist()


def test_a_column_that_a_feature_needs_and_the_file_lacks_is_named(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").drop(columns="MntWines")
    with pytest.raises(InputError, match="column 'MntWines' is not in the data") as caught:
        score(new_customers(tmp_path, rows), stages.build / "model.json")
    assert len(str(caught.value).splitlines()) <= 5


def test_a_file_without_the_key_is_told(stages: Stages, tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").drop(columns="ID")
    with pytest.raises(InputError, match=r"column 'ID' is not in new\.csv"):
        score(new_customers(tmp_path, rows), stages.build / "model.json")


def test_without_a_model_the_command_to_run_is_told(stages: Stages, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.json is not there yet") as caught:
        score(stages.raw, tmp_path / "model.json")
    assert "python -m analysis build" in str(caught.value)


def test_the_model_holds_no_customer(stages: Stages) -> None:
    model = json.loads((stages.build / "model.json").read_text(encoding="utf-8"))
    assert model["points"] is None
    assert len(json.dumps(model)) < 30_000
    assert [s["slug"] for s in model["segments"]] == [s.slug for s in stages.report.segments]


@pytest.mark.parametrize("algorithm", ["ward", "kmeans"])
def test_a_model_of_each_algorithm_scores_its_own_customers_the_same(algorithm: str, tmp_path: Path) -> None:
    study = run_stages().study.model_copy(update={"algorithm": algorithm, "segments": 3})
    found = take_through(twin_file(500), study, tmp_path)
    scored = score(found.raw, found.build / "model.json")
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
    scored = score(found.raw, found.build / "model.json")
    assert scored["segment"].tolist() == found.evidence.labels.tolist()
    assert [group.members for group in found.report.groups] == [("web_visits", "double")]


def test_keys_and_free_text_are_what_must_stay_private(stages: Stages, tmp_path: Path) -> None:
    found = private_values(stages.raw, stages.cleaned, stages.source, stages.study)
    assert found.keys == frozenset(stages.cleaned.keys)
    assert found.min_cell == stages.study.min_cell
    assert found.key_names == {"ID"}
    assert private_from_build(stages.build).keys == found.keys
    assert np.all([len(text) > 0 for text in found.free_text])


def test_free_text_of_the_customers_is_private(tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").assign(
        remark=[f"Called about order number {i}, wants a reply by letter" for i in range(500)]
    )
    raw = new_customers(tmp_path, rows)
    assert raw.column("remark").type == "text"
    stages = run_stages()
    found = private_values(raw, stages.cleaned, stages.source, stages.study)
    assert len(found.free_text) == 500
