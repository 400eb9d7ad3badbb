"""Private files: memberships of everyone, and what must stay private."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.report.outputs import private_values
from analysis.report.private import private_from_build
from analysis.sources.tables import read_table
from tests.stages import Stages, run_stages, twin_file


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


def new_customers(folder: Path, rows: pd.DataFrame) -> Any:
    rows.to_csv(folder / "new.csv", index=False, sep="\t")
    return read_table(folder / "new.csv", root=folder)


def test_memberships_hold_everyone_once(stages: Stages) -> None:
    members = pd.read_parquet(stages.build / "memberships.parquet")
    assert list(members.columns) == ["key", "segment", "letter", "name", "slug", "confidence"]
    assert members["confidence"].between(0.5, 1).all()
    assert members["key"].is_unique
    assert sorted(members["key"].astype(int)) == sorted(pd.read_csv(twin_file(500), sep="\t")["ID"])
    assert members["segment"].value_counts().to_dict() == {s.id: s.n for s in stages.report.segments}


def test_keys_and_free_text_are_what_must_stay_private(stages: Stages, tmp_path: Path) -> None:
    found = private_values(stages.raw, stages.cleaned, stages.source, stages.study)
    assert found.keys == frozenset(stages.cleaned.keys)
    assert found.min_cell == stages.study.min_cell
    assert found.key_names == {"ID"}
    assert private_from_build(stages.build).keys == found.keys
    assert np.all([len(text) > 0 for text in found.free_text])


@pytest.mark.slow
def test_free_text_of_the_customers_is_private(tmp_path: Path) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").assign(
        remark=[f"Called about order number {i}, wants a reply by letter" for i in range(500)]
    )
    raw = new_customers(tmp_path, rows)
    assert raw.column("remark").type == "text"
    stages = run_stages()
    found = private_values(raw, stages.cleaned, stages.source, stages.study)
    assert len([text for text in found.free_text if text.startswith("Called")]) == 500


def test_a_word_that_a_few_customers_have_is_private(stages: Stages) -> None:
    found = private_values(stages.raw, stages.cleaned, stages.source, stages.study)
    levels = stages.raw.frame["Marital_Status"].value_counts()
    merged = stages.source.merge["Marital_Status"]
    assert "YOLO" in merged
    assert found.free_text == set(levels.index[levels < stages.study.min_cell].astype(str)) - set(merged)


@pytest.mark.slow
def test_the_name_of_a_group_that_few_customers_are_in_is_no_secret(tmp_path: Path) -> None:
    groups = ["Champions"] * 300 + ["Can't lose"] * 3 + ["Loyal"] * 194 + ["Friends of Anna"] * 3
    rows = pd.read_csv(twin_file(500), sep="\t").assign(rfm_group=groups)
    stages = run_stages()
    found = private_values(new_customers(tmp_path, rows), stages.cleaned, stages.source, stages.study)
    assert "Friends of Anna" in found.free_text and "Can't lose" not in found.free_text


@pytest.mark.slow
def test_amounts_of_single_customers_are_looked_for_and_common_numbers_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = pd.read_csv(twin_file(500), sep="\t").assign(
        paid=rng.gamma(2.0, 300.0, 500).round(2), born=rng.integers(1940, 2000, 500), crowded=1000 + np.arange(500)
    )
    stages = run_stages()
    found = private_values(new_customers(tmp_path, rows), stages.cleaned, stages.source, stages.study)
    paid = {f"{x:.12g}" for x in rows["paid"] if len(f"{x:.12g}".replace(".", "")) >= 4}
    assert len(paid) > 450 and paid <= found.figures
    assert not found.figures & {*map(str, rows["born"]), *map(str, rows["crowded"])}


@pytest.mark.slow
def test_a_rare_answer_that_a_common_one_repeats_is_no_secret(tmp_path: Path) -> None:
    rooms = ["Private room"] * 200 + ["Private Room"] * 3 + ["Entire flat"] * 294 + ["Boat by the old pier"] * 3
    wants = ["Price, Style, Comfort"] * 297 + ["Style, Comfort"] * 3 + ["Price"] * 200
    rows = pd.read_csv(twin_file(500), sep="\t").assign(room=rooms, wants=wants)
    stages = run_stages()
    found = private_values(new_customers(tmp_path, rows), stages.cleaned, stages.source, stages.study)
    assert "Boat by the old pier" in found.free_text
    assert not found.free_text & {"Private Room", "Private room", "Style, Comfort", "Price"}
