"""Scoring part by part: the same answers as in one piece, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.assignment import parts as module
from analysis.assignment.model import Model, read_model
from analysis.assignment.parts import Scored, find_parts, score_parts
from analysis.assignment.scoring import Drift, measure_gaps, score
from analysis.base.errors import InputError
from analysis.sources.tables import read_table
from tests.s3_server import KEY, SECRET, Bucket, serve_s3
from tests.stages import Stages, run_stages, twin_file

ROWS = 700


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


@pytest.fixture
def model(stages: Stages) -> Model:
    return read_model(stages.build / "model.json")


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Customers that make four parts, one of whom has no key."""
    monkeypatch.setattr(module, "LARGE_ROWS", 100)
    monkeypatch.setattr(module, "PART_ROWS", 200)
    twin = pd.read_csv(twin_file(500), sep="\t")
    drawn = twin.iloc[np.random.default_rng(3).integers(0, len(twin), ROWS)].reset_index(drop=True)
    return drawn.assign(ID=pd.Series(range(ROWS)).astype("Int64").mask(pd.Series(range(ROWS)) == 5))


def write(people: pd.DataFrame, folder: Path) -> Path:
    people.to_parquet(folder / "new.parquet", index=False)
    return folder / "new.parquet"


def test_a_table_without_values_is_refused_and_the_last_scores_stay(
    people: pd.DataFrame, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "scores.csv").write_text("the last ones")
    wanted = [name for name in people if name.startswith(("Mnt", "Num"))]
    found = find_parts(write(people.assign(**dict.fromkeys(wanted, np.nan)), tmp_path), tmp_path, model, None)
    assert found is not None
    with pytest.raises(InputError, match="no value in any column"):
        score_parts(found, model, None, tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text() == "the last ones"


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_parts_give_what_one_piece_gives(people: pd.DataFrame, model: Model, tmp_path: Path, name: str) -> None:
    file = write(people, tmp_path)
    found = find_parts(file, tmp_path, model, None)
    assert found is not None and found.n_rows == ROWS
    told: list[str] = []
    scored = score_parts(found, model, None, tmp_path / name, told.append)
    raw = read_table(file, root=tmp_path, known=model.types[0])
    whole = score([raw], model)
    written = (
        pd.read_csv(tmp_path / name, dtype={"key": str}) if name.endswith("csv") else pd.read_parquet(tmp_path / name)
    )
    assert scored == Scored(ROWS, tuple(whole), measure_gaps(raw, model, 0), Drift.of(whole))
    assert told == ["200 of 700", "400 of 700", "600 of 700", "700 of 700"]
    both = [each.astype({"key": "str"}).sort_values("key").reset_index(drop=True) for each in (written, whole)]
    pd.testing.assert_frame_equal(*both, check_dtype=False)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("scores")] == [name]


def test_parts_of_a_table_in_an_object_store_are_placed_as_those_of_a_file(
    people: pd.DataFrame, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(people, tmp_path)
    with serve_s3(shop=Bucket({"in/new.parquet": file.read_bytes()})) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        for place, name in ((file, "here.csv"), ("s3://shop/in/", "there.csv")):
            found = find_parts(place, tmp_path, model, None)
            assert found is not None and found.n_rows == ROWS
            score_parts(found, model, None, tmp_path / name)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_a_table_whose_rows_depend_on_each_other_is_read_whole(
    people: pd.DataFrame, model: Model, tmp_path: Path
) -> None:
    keyed = people.dropna(subset="ID")
    assert find_parts(write(keyed, tmp_path), tmp_path, model, None) is not None
    assert find_parts(write(pd.concat([keyed, keyed.head(1)]), tmp_path), tmp_path, model, None) is None
    assert find_parts(write(keyed.astype({"MntWines": "str"}), tmp_path), tmp_path, model, None) is None
    assert find_parts(write(keyed.drop(columns="MntWines"), tmp_path), tmp_path, model, None) is None
    assert find_parts(write(keyed.head(50), tmp_path), tmp_path, model, None) is None
    assert find_parts("$NEW_CUSTOMERS/new.parquet", tmp_path, model, None) is None
    keyed.to_csv(tmp_path / "new.csv", index=False)
    assert find_parts(tmp_path / "new.csv", tmp_path, model, None) is None


def test_an_error_leaves_the_last_scores(people: pd.DataFrame, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("the last ones")
    found = find_parts(write(people, tmp_path), tmp_path, model, None)
    assert found is not None
    (tmp_path / "new.parquet").write_bytes((tmp_path / "new.parquet").read_bytes()[:2_000])
    with pytest.raises((InputError, OSError, ValueError)):
        score_parts(found, model, None, out)
    assert out.read_text() == "the last ones"
    assert {path.name for path in tmp_path.iterdir()} == {"new.parquet", "scores.csv"}
