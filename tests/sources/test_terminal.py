"""What the terminal shows of an unknown table: each column with a masked example, questions, and the assumptions."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis.settings.load import check_study
from analysis.sources.assumptions import list_assumptions
from analysis.sources.inputs import read_inputs
from analysis.sources.unknown.readings import read_unknown
from analysis.sources.unknown.terminal import apply_answers, ask, print_columns

N = 120


def customers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "client_id": [f"K{i:05d}" for i in rng.choice(90_000, N, replace=False)],
            "visits": rng.integers(1, 40, N),
            "basket": rng.gamma(3, 12, N).round(2),
            "total_spend": rng.gamma(3, 120, N).round(2),
            "education": rng.choice(["School", "Master"], N),
        }
    )


def bookings() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        {"customer_id": rng.integers(100, 140, N), "nights": rng.integers(1, 9, N), "price": rng.random(N)}
    )


@pytest.mark.slow
def test_each_column_is_shown_with_its_form_and_no_value(tmp_path: Path) -> None:
    frame = customers()
    frame.to_csv(tmp_path / "shop.csv", index=False)
    out = io.StringIO()
    print_columns(read_unknown("shop.csv", tmp_path, "init"), Console(file=out, width=200))
    text = out.getvalue()
    for name, read_as in (("client_id", "the key"), ("visits", "a feature, count"), ("education", "a descriptor")):
        line = next(line for line in text.splitlines() if f" {name} " in line)
        assert read_as in line
    assert "A99999" in text
    assert not any(key in text for key in frame["client_id"])


def test_a_survey_weight_is_shown_with_the_line_that_reads_it_otherwise(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    survey = {"respondent": range(1, N + 1), "weight": np.exp(0.4 * rng.normal(size=N)).round(3)}
    survey |= {f"q{j}": rng.integers(1, 6, N) for j in range(1, 7)}
    pd.DataFrame(survey).to_csv(tmp_path / "survey.csv", index=False)
    out = io.StringIO()
    print_columns(read_unknown("survey.csv", tmp_path, "init"), Console(file=out, width=200))
    line = next(line for line in out.getvalue().splitlines() if " weight " in line)
    assert "the survey weight" in line and "weight: null" in line


@pytest.mark.slow
def test_a_build_says_its_main_assumptions_about_an_unknown_table(tmp_path: Path) -> None:
    customers().to_csv(tmp_path / "shop.csv", index=False)
    study = check_study({"title": "Shop", "sources": [{"path": "other.csv", "key": "another"}]})
    said = list(list_assumptions(*read_inputs(tmp_path, study, [tmp_path / "shop.csv"], False, True)))
    assert said == [
        "Read shop.csv without settings. The main assumptions, which the Data page explains:",
        "- A row is one customer; 120 rows.",
        "- 'client_id' names the customer.",
        "- The segments are formed by 'visits', 'basket', 'total_spend'.",
        "- 'total_spend' is the value of a customer.",
    ]
    known = check_study({"title": "Shop", "sources": [{"path": "shop.csv", "key": "client_id"}]})
    assert list(list_assumptions(*read_inputs(tmp_path, known, [tmp_path / "shop.csv"], False, False))) == []


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "kind"), [(0, "transactions"), (1, "customers")])
def test_an_answer_becomes_settings(answer: int, kind: str, tmp_path: Path) -> None:
    bookings().to_csv(tmp_path / "bookings.csv", index=False)
    unknown = read_unknown("bookings.csv", tmp_path, "init")
    asked: list[str] = []

    def choose(question: str, readings: list[str]) -> int:
        asked.append(question)
        return answer

    answered, answers = ask(unknown, choose)
    assert len(asked) == 1 and "'customer_id' repeats" in asked[0]
    answered.check()
    source = apply_answers(answered.draft("bookings.csv"), answers)["sources"][0]
    assert source["kind"] == kind and source["path"] == "bookings.csv"
    if kind == "customers":
        assert source["roles"]["ignore"] == ["customer_id"]
        assert "customer_id" not in source["roles"].get("feature", [])
    else:
        assert source["columns"]["customer"] == "customer_id" and "roles" not in source
