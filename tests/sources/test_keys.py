"""Keys of several tables that are written in different forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.settings.load import check_study
from analysis.settings.sources import Source
from analysis.sources.inputs import read_inputs, read_source
from analysis.sources.tables import check_key

N = 60
FORMS: dict[str, Callable[[int], str]] = {
    "zeros": lambda i: f"{i:06d}",
    "decimals": lambda i: f"{i}.0",
    "prefix": lambda i: f"K-{i}",
    "prefix and zeros": lambda i: f"KD{i:05d}",
}


def write(folder: Path, base: list[str], orders: list[str]) -> tuple[pd.Series, tuple[str, ...]]:
    """Give the customers of the orders as they are joined, and the notes on how."""
    pd.DataFrame({"id": base, "age": range(20, 20 + len(base))}).to_csv(folder / "people.csv", index=False)
    rows = {"who": orders, "day": "2024-01-05", "paid": [float(i) for i in range(len(orders))]}
    pd.DataFrame(rows).to_csv(folder / "orders.csv", index=False)
    columns = {"customer": "who", "date": "day", "amount": "paid"}
    sources = [
        {"path": "people.csv", "key": "id", "types": {"id": "text"}},
        {"path": "orders.csv", "kind": "transactions", "columns": columns, "types": {"who": "text"}},
    ]
    study = check_study({"title": "Shop", "sources": sources})
    places = [folder / "people.csv", folder / "orders.csv"]
    inputs, _ = read_inputs(folder, study, places, False, False)
    return inputs.tables[1].frame["who"], inputs.tables[1].notes


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_keys_in_another_form_are_written_as_in_the_base(form: str, tmp_path: Path) -> None:
    base = [str(100 + i) for i in range(N)]
    who, notes = write(tmp_path, base, [FORMS[form](100 + i) for i in range(10, N + 5)])
    assert list(who[: N - 10]) == base[10:]
    assert sum(key not in base for key in who) == 5, "customers whom the base does not know stay unknown"
    assert any("keys in 'who' are compared" in note for note in notes)


def test_keys_that_fit_stay_as_they_are(tmp_path: Path) -> None:
    base = [f"{i:03d}" for i in range(N)]
    who, notes = write(tmp_path, base, [*base[5:], "1", "2"])
    assert list(who) == [*base[5:], "1", "2"]
    assert not any("are compared" in note for note in notes)


def test_keys_that_would_become_the_same_are_left_alone(tmp_path: Path) -> None:
    base = [*(f"A{i}" for i in range(N)), *(f"B{i}" for i in range(N))]
    orders = [str(i) for i in range(N)]
    who, notes = write(tmp_path, base, orders)
    assert list(who) == orders and not any("are compared" in note for note in notes)


REPEATED = """id,orders,spend,balance,seen
7,1,10.5,100,2024-03-01
8,2,20,50,2024-01-05
7 ,4,2.5,80,
7,3,5,60,2024-02-01
,9,9,9,2024-01-01
"""


@pytest.mark.parametrize(
    ("repeats", "row"),
    [
        ("first", [1, 10.5, 100]),
        ("last", [3, 5.0, 60]),
        ("newest", [1, 10.5, 100]),
        ("sum", [8, 18.0, 60]),
    ],
)
def test_rows_with_the_same_key_become_one_as_the_settings_say(repeats: Any, row: list[float], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(REPEATED, encoding="utf-8")
    source = Source(path="a.csv", key="id", repeats=repeats, types={"id": "text"})
    table = read_source("a.csv", tmp_path, source, "segmentation.sources[0]")
    frame = table.frame
    assert table.n_rows == len(frame) == 3 and frame["id"].isna().sum() == 1
    assert frame.loc[frame["id"].str.strip() == "7", ["orders", "spend", "balance"]].iloc[0].tolist() == row
    assert frame.loc[frame["id"] == "8", "spend"].tolist() == [20.0]
    (note,) = table.dropped
    assert note.startswith("2 rows left out: the key 'id' repeats") and note in table.notes


def test_repeated_keys_are_refused_unless_the_settings_say_what_becomes_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(REPEATED, encoding="utf-8")
    source = Source(path="a.csv", key="id")
    table = read_source("a.csv", tmp_path, source, "segmentation.sources[0]")
    with pytest.raises(InputError, match="set its repeats to first, last, newest or sum"):
        check_key(table, "id", "segmentation.sources[0].key")
    (tmp_path / "b.csv").write_text("id,orders\n7,1\n7,2\n8,1\n", encoding="utf-8")
    undated = Source(path="b.csv", key="id", repeats="newest")
    with pytest.raises(InputError, match=r"repeats: 'newest' needs a date, and b\.csv has none"):
        read_source("b.csv", tmp_path, undated, "segmentation.sources[0]")
