"""A study of customers, orders, a survey and visits, each with keys in a form of its own and some that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.customers.assembly import assemble
from analysis.features.provenance import summarise_sources
from analysis.pages.text.data import sources as list_sources
from analysis.settings.load import check_study
from analysis.sources.inputs import read_inputs
from tests.stages import run_stages

N = 120
BOUGHT, ANSWERED, VISITED = slice(0, 100), slice(20, 90), slice(30, N)
STRANGERS = {"orders": 25, "survey": 12, "web": 15}


def write_sources(folder: Path) -> dict[str, list[str]]:
    """Write four files whose customers overlap in part, and give the keys of each as they are written."""
    ids = np.arange(100, 100 + N)
    keys = {
        "customers": [f"{i:05d}" for i in ids],
        "orders": [str(i) for i in [*ids[BOUGHT], *range(900, 900 + STRANGERS["orders"])]],
        "survey": [f"{i}.0" for i in [*ids[ANSWERED], *range(950, 950 + STRANGERS["survey"])]],
        "web": [f"K-{i}" for i in [*ids[VISITED], *range(980, 980 + STRANGERS["web"])]],
    }
    frames = {
        "customers": pd.DataFrame(
            {"customer_id": keys["customers"], "region": np.resize(["North", "South", "West"], N)}
        ),
        "orders": pd.DataFrame({"cust": keys["orders"], "day": "2023-05-05", "paid": 20.5}),
        "survey": pd.DataFrame({"respondent": keys["survey"], "q1": np.resize([1, 2, 3, 4, 5], len(keys["survey"]))}),
        "web": pd.DataFrame({"visitor": keys["web"], "at": "2023-05-05T08:00:00", "page": "home"}),
    }
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return keys


@pytest.mark.slow
def test_four_sources_are_joined_and_what_does_not_fit_is_counted_on_both_sides(tmp_path: Path) -> None:
    keys = write_sources(tmp_path)
    settings = [
        {"path": "customers.csv", "key": "customer_id"},
        {
            "path": "orders.csv",
            "kind": "transactions",
            "columns": {"customer": "cust", "date": "day", "amount": "paid"},
        },
        {"path": "survey.csv", "kind": "survey", "key": "respondent"},
        {"path": "web.csv", "kind": "events", "columns": {"customer": "visitor", "date": "at", "event": "page"}},
    ]
    study = check_study({"title": "Four sources", "sources": settings})
    paths = [tmp_path / source.path for source in study.sources]
    inputs, _ = read_inputs(tmp_path, study, paths, False, False)
    whole = assemble(inputs.tables, study)
    table = whole.raw.frame
    assert list(table["customer_id"]) == keys["customers"]
    assert (table["spend"] > 0).sum() == 100 and table["q1"].notna().sum() == 70 and (table["sessions"] > 0).sum() == 90
    summaries = summarise_sources(inputs.tables, study, whole.joined)
    absent = {"orders": N - 100, "survey": N - 70, "web": N - 90}
    assert {s.name: (s.unknown, s.without) for s in summaries[1:]} == {
        f"{name}.csv": (STRANGERS[name], absent[name]) for name in STRANGERS
    }
    touched = [line.touched for line in whole.ledger]
    assert all(n in touched for n in (*STRANGERS.values(), *absent.values()))

    report = run_stages().report
    shown = list_sources(replace(report, data=replace(report.data, sources=summaries)))
    cells = {row[0]: dict(zip(shown.columns, row, strict=True)) for row in shown.rows}
    assert [cells[f"{name}.csv"]["Unmatched"] for name in STRANGERS] == [str(n) for n in STRANGERS.values()]
    assert [cells[f"{name}.csv"]["Absent"] for name in STRANGERS] == ["20", "50", "30"]
