"""Several sources become one table of customers; what the settings say of a computed column holds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.assembly import assemble
from analysis.cleaning import clean
from analysis.config import Study, check_study
from analysis.sources import RawTable, read_table


def shop(tmp_path: Path, **orders: object) -> tuple[list[RawTable], Study]:
    """Three customers and the orders of two of them, one unknown."""
    pd.DataFrame({"id": ["a", "b", "c"], "region": ["N", "S", "N"]}).to_csv(tmp_path / "people.csv", index=False)
    rows = {
        "who": ["a", "a", "b", "x"],
        "on": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-03-02"],
        "paid": [10.5, 20.0, 5.25, 1.0],
    }
    pd.DataFrame(rows).to_csv(tmp_path / "orders.csv", index=False)
    sources = [
        {"path": "people.csv", "key": "id", "roles": {"descriptor": ["region"]}},
        {
            "path": "orders.csv",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "on", "amount": "paid"},
            **orders,
        },
    ]
    study = check_study({"title": "Shop", "sources": sources})
    return [read_table(tmp_path / source.path, root=tmp_path) for source in study.sources], study


def test_every_customer_of_the_base_stays_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path))
    assert whole.raw.frame.set_index("id")["spend"].to_dict() == pytest.approx({"a": 30.5, "b": 5.25, "c": 0.0})
    assert [line.touched for line in whole.ledger] == [1, 1]


def test_a_role_that_the_settings_give_a_computed_column_is_its_only_one(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path, roles={"descriptor": ["frequency"]}))
    assert "frequency" in whole.source.roles.descriptor
    assert "frequency" not in whole.source.roles.feature


def test_a_label_of_the_settings_wins_over_the_computed_one(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path, labels={"frequency": "Visits to the till"}))
    assert whole.source.labels["frequency"] == "Visits to the till"


def test_a_joined_column_whose_name_is_taken_is_renamed_with_its_gaps(tmp_path: Path) -> None:
    raws, study = shop(tmp_path)
    pd.DataFrame({"id": ["a", "b"], "region": ["East", None]}).to_csv(tmp_path / "panel.csv", index=False)
    panel = {"path": "panel.csv", "key": "id", "roles": {}}
    study = check_study({"title": "Shop", "sources": [*(s.model_dump() for s in study.sources), panel]})
    whole = assemble([*raws, read_table(tmp_path / "panel.csv", root=tmp_path)], study)
    assert whole.raw.column("panel_region").n_missing == int(whole.raw.frame["panel_region"].isna().sum()) == 2
    assert (whole.joined[2].unknown, whole.joined[2].without) == (0, 1)


def test_the_date_of_the_study_is_not_taken_from_an_ignored_column(tmp_path: Path) -> None:
    days = pd.DataFrame({"id": range(40), "joined": "2023-05-01", "contract_end": "2031-12-31", "spend": range(40)})
    days.to_csv(tmp_path / "people.csv", index=False)
    raws = [read_table(tmp_path / "people.csv", root=tmp_path)]
    roles = {"feature": ["spend"], "descriptor": ["joined"]}
    source = {"path": "people.csv", "key": "id", "roles": roles}
    study = check_study({"title": "People", "sources": [source]})
    assert str(assemble(raws, study).as_of) == "2031-12-31"
    ignoring = {**source, "roles": {**roles, "ignore": ["contract_end"]}}
    study = check_study({"title": "People", "sources": [ignoring]})
    assert str(assemble(raws, study).as_of) == "2023-05-01"
    assert str(clean(raws[0], study.sources[0], study).as_of) == "2023-05-01"
