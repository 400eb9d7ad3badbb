"""Files of SPSS, Stata and SAS: labels become words, declared missing values are missing, damaged files are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from analysis.base.errors import InputError
from analysis.sources.inference import infer_roles
from analysis.sources.tables import read_table

N = 60
SATISFIED = {1: "very dissatisfied", 2: "dissatisfied", 3: "neutral", 4: "satisfied", 5: "very satisfied"}


def survey() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "ID": np.arange(1.0, N + 1),
            **{f"Q7_r{i}": rng.integers(1, 6, N).astype(float) for i in range(1, 6)},
            "SEX": rng.integers(1, 3, N).astype(float),
            "NPS": np.where(np.arange(N) % 10 == 0, 99.0, rng.integers(0, 11, N)),
            "AGE": np.where(np.arange(N) % 12 == 0, -9.0, rng.integers(18, 80, N)),
        }
    )


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    pyreadstat.write_sav(
        survey(),
        str(tmp_path / "survey.sav"),
        column_labels={"Q7_r1": "Satisfied with  delivery", "SEX": "Sex"},
        variable_value_labels={
            **{f"Q7_r{i}": SATISFIED for i in range(1, 6)},
            "SEX": {1: "male", 2: "female"},
            "NPS": {0: "not at all likely", 10: "extremely likely", 99: "No answer"},
        },
        missing_ranges={"AGE": [-9.0]},
    )
    return tmp_path


@pytest.mark.slow
def test_labels_become_words_and_scales_of_words_become_numbers_in_order(sav: Path) -> None:
    table = read_table("survey.sav", root=sav)
    truth = survey()
    assert list(table.frame["SEX"]) == ["male" if code == 1 else "female" for code in truth["SEX"]]
    for i in range(1, 6):
        assert list(table.frame[f"Q7_r{i}"]) == list(truth[f"Q7_r{i}"]), (
            "the scale of the labels is one of satisfaction"
        )
    assert any("SPSS" in note for note in table.notes)
    assert any("6 columns read by the labels" in note for note in table.notes)


@pytest.mark.slow
def test_values_declared_missing_or_labelled_as_no_answer_are_missing(sav: Path) -> None:
    table, truth = read_table("survey.sav", root=sav), survey()
    assert (table.frame["NPS"].isna() == (truth["NPS"] == 99)).all()
    assert table.frame["NPS"].max() <= 10, "labels at the two ends leave the scale a scale"
    assert (table.frame["AGE"].isna() == (truth["AGE"] == -9)).all()


@pytest.mark.slow
def test_columns_are_called_what_the_file_calls_them(sav: Path) -> None:
    labels = {column.name: column.label for column in infer_roles(read_table("survey.sav", root=sav))}
    assert labels["Q7_r1"] == "Satisfied with delivery"
    assert labels["SEX"] == "Sex"
    assert labels["NPS"] == "NPS", "a column without a label keeps its name"


@pytest.mark.parametrize(("name", "write"), [("a.sav", pyreadstat.write_sav), ("a.dta", pyreadstat.write_dta)])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_damaged_file_is_refused(name: str, write: Callable[..., Any], part: float, tmp_path: Path) -> None:
    write(survey(), str(tmp_path / name))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(InputError, match=rf"{name} cannot be read as a file of (SPSS|Stata)"):
        read_table(name, root=tmp_path)
