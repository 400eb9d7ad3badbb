"""Words, ranges, several answers in a cell, measures by month, headings and parts become columns to count with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.base.cache import once_each
from analysis.base.errors import InputError
from analysis.sources.content.months import _BEGINNINGS
from analysis.sources.forms.month_names import month_names
from analysis.sources.inference import infer_kind, infer_roles
from analysis.sources.names import plain
from analysis.sources.tables import Known, RawTable, read_table

N = 60


def read(folder: Path, frame: pd.DataFrame, known: Mapping[str, Known] | None = None) -> RawTable:
    frame.to_csv(folder / "a.csv", index=False)
    return read_table("a.csv", root=folder, known=known, fewest=1)


def words() -> pd.DataFrame:
    scale = np.array(["Stimme nicht zu", "Teils, teils", "Stimme zu", "Keine Angabe"])
    ages = np.array(["unter 18", "18-29", "30-59", "60+"])
    rows = np.arange(N)
    return pd.DataFrame({f"q{i}": scale[(rows + i) % 4] for i in range(3)} | {"age": ages[rows % 4]})


def test_words_and_ranges_become_numbers_and_words_for_no_answer_are_missing(tmp_path: Path) -> None:
    raw = read(tmp_path, words())
    assert raw.frame["q0"].dropna().unique().tolist() == [1, 2, 3] and raw.column("q0").n_missing == N // 4
    assert raw.frame["age"].unique().tolist() == [12.5, 23.5, 44.5, 74.5]
    assert raw.column("age").note.startswith("ranges") and "'" not in raw.column("age").note


def test_a_single_new_row_gets_the_numbers_of_the_study(tmp_path: Path) -> None:
    raw = read(tmp_path, words())
    known = {column.name: dict(column.codes) for column in raw.columns}
    one = read(tmp_path, words().iloc[[3]], known)
    assert one.frame.iloc[0].to_list()[1:] == raw.frame.iloc[3].to_list()[1:]
    assert np.isnan(one.frame["q0"][0]) and one.column("q0").type == "number"


def test_answers_that_few_give_get_no_column_of_their_own(tmp_path: Path) -> None:
    cells = np.resize(["Price; Quality", "Price", "Quality; Service; Price", "Quality"], N).astype(object)
    cells[0], cells[1] = "Price; my neighbour Karl", None
    raw = read(tmp_path, pd.DataFrame({"id": np.arange(N) + 900, "why": cells}))
    assert list(raw.frame.columns) == ["id", "why", "why: Price", "why: Quality", "why: Service"]
    assert raw.frame["why: Price"][:4].tolist() == [True, pd.NA, True, False]
    roles = {column.name: column.role for column in infer_roles(raw)}
    assert roles["why"] == "ignore" and roles["why: Price"] == "descriptor"


def test_measures_by_month_are_summed_up(tmp_path: Path) -> None:
    months = {f"sales_2024_{m:02}": np.where(np.arange(N) % 3 == 0, 0, m) for m in range(1, 7)}
    months["sales_2024_06"] = np.where(np.arange(N) == 1, 0, months["sales_2024_06"])
    raw = read(tmp_path, pd.DataFrame({"id": np.arange(N) + 900, **months}))
    made = raw.frame[["sales total", "sales trend", "sales months since last"]]
    assert made.iloc[:3].to_numpy().tolist() == [
        [0, 0, 6],
        [15, pytest.approx((9 - 6) / 15), 1],
        [21, pytest.approx(9 / 21), 0],
    ]
    assert {column.role for column in infer_roles(raw) if column.name.startswith("sales_")} == {"ignore"}


def test_items_that_end_in_numbers_are_no_months(tmp_path: Path) -> None:
    raw = read(tmp_path, pd.DataFrame({f"item{i}": np.arange(N) % 5 for i in range(1, 13)}))
    assert raw.frame.shape[1] == 12


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": np.arange(N), "spend": np.arange(N) * 1.5})
    for country, rows in (("DE", frame[: N // 2]), ("FR", frame[N // 2 :])):
        folder = tmp_path / "sales" / f"country={country}"
        folder.mkdir(parents=True)
        rows.to_parquet(folder / "part-0.parquet", index=False)
    (tmp_path / "sales" / "_SUCCESS").touch()
    raw = read_table("sales", root=tmp_path)
    assert raw.shown_path == "sales" and raw.n_rows == N and "2 files of one shape joined" in raw.notes
    assert raw.frame["country"].value_counts().to_dict() == {"DE": N // 2, "FR": N // 2}
    (tmp_path / "sales" / "readme.txt").write_text("two parts")
    with pytest.raises(InputError, match="is a folder"):
        read_table("sales", root=tmp_path)


def test_headings_of_two_rows_are_joined_and_repeated_names_numbered(tmp_path: Path) -> None:
    lines = ["Customer,Orders,,Orders", "Id,Count,Value,Count"] + [
        f"{900 + i},{i % 7},{i / 8},{i % 5}" for i in range(N)
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    raw = read_table("a.csv", root=tmp_path)
    assert list(raw.frame.columns) == ["Customer Id", "Orders Count", "Orders Value", "Orders Count (2)"]
    assert raw.n_rows == N and "2 rows of headings joined" in raw.notes
    assert any("the second is read as 'Orders Count (2)'" in note for note in raw.notes)


def test_what_is_inferred_of_a_table_is_computed_once(tmp_path: Path) -> None:
    raw = read(tmp_path, words())
    calls: list[str] = []

    def compute(table: RawTable) -> int:
        calls.append(table.name)
        return len(calls)

    count = once_each(compute)
    assert count(raw) == count(raw) == 1
    assert infer_kind(raw) is infer_kind(raw) and infer_roles(raw) is infer_roles(raw)


def test_names_of_months_are_looked_up_by_their_first_letters() -> None:
    assert {plain(word)[:3] for word in month_names() if not word.isdigit()} == _BEGINNINGS
