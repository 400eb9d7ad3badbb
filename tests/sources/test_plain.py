"""Large delimited files: in plain form they become Parquet part by part, and any other is read whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.customers.assembly import assemble
from analysis.report.model import read_report
from analysis.settings.load import check_study
from analysis.sources.inputs import Inputs, read_inputs
from analysis.sources.large import plain, scans
from analysis.sources.readers.files import find_data
from tests.assignment.test_population import SETTINGS, make_customers, write_project
from tests.small_studies import build_quickly

N = 6_000
ORDERS: dict[str, Any] = {
    "title": "Orders",
    "sources": [
        {
            "path": "orders.csv",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "day", "amount": "paid", "category": "ware", "quantity": "items"},
        }
    ],
}


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LARGE_BYTES", 1_000)
    monkeypatch.setattr(plain, "HEAD_BYTES", 20_000)
    monkeypatch.setattr(scans, "SCANNED_ROWS", 2_000)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 2_000)


def make_orders() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    day = np.datetime64("2023-01-02", "s") + rng.integers(0, 500 * 86_400, N)
    return pd.DataFrame(
        {
            "who": rng.integers(1, 900, N),
            "day": pd.Series(day).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "paid": np.round(rng.lognormal(3, 0.6, N), 2),
            "ware": rng.choice(["tea", 'the "best"', "Ünder"], N),
            "items": rng.integers(1, 5, N).astype(float),
        }
    ).assign(items=lambda f: f["items"].mask(f.index % 40 == 3))


def read(root: Path, text: str | bytes, folder: Path | None, **settings: Any) -> Inputs:
    """Read orders, which a folder lets become Parquet."""
    (root / "orders.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    study = check_study(ORDERS | {"sources": [ORDERS["sources"][0] | settings]})
    return read_inputs(root, study, [root / "orders.csv"], False, False, scan=True, folder=folder)[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_customers_are_those_of_the_file_read_whole(tmp_path: Path, delimiter: str, ends: str) -> None:
    text = make_orders().to_csv(index=False, sep=delimiter, lineterminator=ends)
    whole = read(tmp_path, text, None)
    inputs = read(tmp_path, text, tmp_path)
    (scanned,) = inputs.tables
    assert scanned.scan is not None and whole.tables[0].scan is None
    assert (scanned.n_rows, scanned.shown_path, scanned.name) == (N, "orders.csv", "orders")
    assert scanned.sha256 == whole.tables[0].sha256
    assert scanned.notes[0] == "delimited text in plain form"
    study = check_study(ORDERS)
    found, known = (assemble(each.tables, study).raw.frame for each in (inputs, whole))
    pd.testing.assert_frame_equal(found, known, check_dtype=False)


def test_files_of_a_pattern_become_one_table(tmp_path: Path) -> None:
    orders = make_orders()
    for i in range(3):
        orders.iloc[i::3].to_csv(tmp_path / f"orders-{i}.csv", index=False)
    study = check_study(ORDERS | {"sources": [ORDERS["sources"][0] | {"path": "orders-*.csv"}]})
    inputs, _ = read_inputs(tmp_path, study, [tmp_path / "orders-*.csv"], False, False, scan=True, folder=tmp_path)
    (table,) = inputs.tables
    assert table.scan is not None and table.n_rows == N
    assert table.notes[:2] == ("delimited text in plain form", "3 files of one shape joined")
    assert len(assemble(inputs.tables, study).raw.frame) == orders["who"].nunique()


@pytest.mark.parametrize("header", [True, False], ids=["columns in another order", "no line of names"])
def test_files_whose_first_lines_differ_are_not_joined_by_the_place_of_their_columns(
    tmp_path: Path, header: bool
) -> None:
    orders = make_orders().drop(columns="ware").assign(items=2.5)
    orders.iloc[::2].to_csv(tmp_path / "orders-0.csv", index=False)
    orders.iloc[1::2][["who", "day", "items", "paid"]].to_csv(tmp_path / "orders-1.csv", index=False, header=header)
    source = ORDERS["sources"][0] | {"path": "orders-*.csv"}
    found = find_data("orders-*.csv", tmp_path, "x")
    assert len(found.places) == 2
    made = plain.convert_plain(
        "orders-*.csv", tmp_path, check_study(ORDERS | {"sources": [source]}).sources[0], "x", 1, tmp_path, None
    )
    assert made is None


LINES = make_orders().to_csv(index=False)
NOT_PLAIN: dict[str, str | bytes] = {
    "a title": f"Orders of the shop\n\n{LINES}",
    "a total below": f"{LINES}Total,,{make_orders()['paid'].sum():.2f},,\n",
    "no amount": f"{LINES}77,2023-05-05 10:00:00,n/a,tea,1.0\n",
    "zeros at the start": f"{LINES}0077,2023-05-05 10:00:00,3.5,tea,1.0\n",
    "another date": f"{LINES}77,05/05/2023,3.5,tea,1.0\n",
    "an amount with its currency": f"{LINES}77,2023-05-05 10:00:00,3.50 €,tea,1.0\n",
    "spaces": f"{LINES}77,2023-05-05 10:00:00,3.5, tea ,1.0\n",
    "another encoding": LINES.encode("cp1252"),
    "decimal commas": make_orders().to_csv(index=False, sep=";", decimal=","),
    "no header": make_orders().to_csv(index=False, header=False),
}


@pytest.mark.parametrize("text", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_in_plain_form_is_read_whole(tmp_path: Path, text: str | bytes) -> None:
    folder = tmp_path / "spill"
    folder.mkdir()
    names = {"names": list(make_orders())} if text is NOT_PLAIN["no header"] else {}
    (table,) = read(tmp_path, text, folder, **names).tables
    assert table.scan is None and table.n_rows >= N
    assert not list(folder.iterdir())


def test_a_line_that_differs_is_named_as_when_read_whole(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"line 6,001 below the header has 4 fields"):
        read(tmp_path, f"{LINES}77,2023-05-05,3.5,tea\n", tmp_path)


@pytest.mark.builds
def test_a_sample_of_many_customers_is_taken_from_a_delimited_file(tmp_path: Path) -> None:
    customers = make_customers().assign(visits=lambda f: f["visits"].replace(np.inf, np.nan), responded=1)
    root = write_project(tmp_path / "project", customers)
    source = SETTINGS["sources"][0] | {"path": "data/shop.csv"}
    source["roles"] = {"feature": ["orders", "discount", "visits"], "descriptor": ["spend", "region"]}
    customers.to_csv(root / "data" / "shop.csv", index=False)
    project = {"project": {"type": "website"}, "segmentation": SETTINGS | {"sources": [source]}}
    (root / "_quarto.yml").write_text(json.dumps(project))
    build_quickly(root)
    report = read_report(root / "build" / "report.json")
    assert report.held is not None and report.data.sources[0].name == "shop.csv"
    assert len(pd.read_parquet(root / "build" / "memberships.parquet")) == N - 1
    assert not list((root / "build").rglob("*.parquet.part")) and not list((root / "build" / "spill").glob("*"))
