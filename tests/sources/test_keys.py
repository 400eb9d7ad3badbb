"""Keys of several tables that are written in different forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.settings.load import check_study
from analysis.sources.inputs import read_inputs

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
