"""Large Parquet sources of transactions stay in their files, and give the same study as sources that are read."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis.base.errors import InputError
from analysis.customers.assembly import assemble, purchases_after
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import execute_on, open_duckdb
from analysis.customers.periods import find_days
from analysis.features.binning import month_bars, pick_bars
from analysis.features.provenance import summarise_sources
from analysis.profiles.timing import find_busy_times
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs, read_inputs
from analysis.sources.large import scans
from analysis.sources.large.scans import Scan
from tests.s3_server import KEY, SECRET, Bucket, serve_s3

N = 20_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sources of this size count as large, and few of their rows be looked at."""
    monkeypatch.setattr(scans, "SCANNED_ROWS", N)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 1_000)
    monkeypatch.setattr(scans, "BATCH", 100)


def make_orders(n: int = N) -> pa.Table:
    """Make orders of 500 customers over two years, most on Saturdays, with gaps and refunds."""
    rng = np.random.default_rng(4)
    day = rng.integers(0, 730, n)
    day = np.where(rng.random(n) < 0.4, day // 7 * 7 + 5, day)
    moment = np.datetime64("2022-01-03", "s") + day * 86_400 + rng.integers(8 * 3600, 20 * 3600, n)
    amount = np.round(rng.lognormal(3, 1, n), 2) * np.where(rng.random(n) < 0.03, -1, 1)
    frame = pd.DataFrame(
        {
            "buyer": pd.Series(rng.integers(0, 500, n)).map("K-{:04d}".format).where(rng.random(n) > 0.01),
            "bought": pd.Series(moment).where(rng.random(n) > 0.01),
            "paid": pd.Series(amount).where(rng.random(n) > 0.01),
            "shop": rng.choice(["web", "store"], n),
        }
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


def write(folder: Path, table: pa.Table) -> str:
    """Write a folder of files, one for each shop."""
    for shop in ("web", "store"):
        part = folder / f"shop={shop}"
        part.mkdir(parents=True)
        rows = table.filter(pa.compute.equal(table["shop"], shop)).drop_columns("shop")
        parquet.write_table(rows, part / "part-0.parquet", row_group_size=4_000)
    return str(folder)


def study_of(place: str, **columns: str) -> Study:
    """Make the settings of one source of transactions."""
    named = {"customer": "buyer", "date": "bought", "amount": "paid", "channel": "shop"} | columns
    return check_study({"title": "x", "sources": [{"path": place, "kind": "transactions", "columns": named}]})


def read_both(folder: Path, study: Study) -> tuple[Inputs, Inputs, Study]:
    """Read a study with its rows, and with its rows left in the files."""
    whole, complete = read_inputs(folder, study, [folder / study.sources[0].path], False, False)
    scanned, same = read_inputs(folder, study, [folder / study.sources[0].path], False, False, scan=True)
    assert complete == same
    return whole, scanned, complete


@pytest.mark.usefixtures("small")
def test_scanned_rows_give_the_same_customers_periods_and_times(tmp_path: Path) -> None:
    write(tmp_path / "orders", make_orders())
    whole, scanned, study = read_both(tmp_path, study_of("orders"))
    (ours,), (theirs,) = whole.tables, scanned.tables
    assert ours.scan is None and len(ours.frame) == N
    assert theirs.scan is not None and len(theirs.frame) < 2_500
    assert (theirs.n_rows, theirs.sha256) == (N, ours.sha256)
    made = [assemble(inputs.tables, study) for inputs in (whole, scanned)]
    pd.testing.assert_frame_equal(made[0].raw.frame, made[1].raw.frame)
    assert (made[0].as_of, made[0].joined, made[0].levels) == (made[1].as_of, made[1].joined, made[1].levels)
    as_of, split = made[0].as_of, dt.date(2023, 1, 1)
    assert as_of is not None
    assert find_days(ours, "bought", as_of) == find_days(theirs, "bought", as_of)
    assert find_days(theirs, "bought", dt.date(2020, 1, 1)) is None
    later = [purchases_after(inputs.tables, study, split, as_of) for inputs in (whole, scanned)]
    pd.testing.assert_frame_equal(*later)
    about = [summarise_sources(inputs.tables, study, made[0].joined)[0] for inputs in (whole, scanned)]
    assert about[0].bars and (about[0].first, about[0].last, about[0].bars) == (
        about[1].first, about[1].last, about[1].bars,
    )  # fmt: skip
    keys = made[0].raw.frame["customer"]
    labels = 1 + np.arange(len(keys)) % 2
    times = [find_busy_times(inputs.tables, study, as_of, keys, labels) for inputs in (whole, scanned)]
    assert times[0] == times[1] and any(time.name == "Saturday" for time in times[0][0])


KEYS = {
    "whole": (pa.array([7, 8, 9, -5, None]), ["7", "-5", "A7", "7.5"], 2),
    "number": (pa.array([7.0, 8.0, 7.5, -5.0, None]), ["7", "-5", "A7", "7.5"], 3),
    "text": (pa.array(["007", " A7\t", "7", "a7", None]), ["7", "A7"], 2),
}
"""Keys in a file, keys that are asked for, and how many rows these have."""


def check_chosen(engine: Engine, folder: Path) -> None:
    """Take rows of customers by keys of each type, one scan after the other in one session."""
    F = engine.functions  # noqa: N806
    for name, (keys, wanted, n) in KEYS.items():
        file = folder / f"{name}.parquet"
        parquet.write_table(pa.table({"buyer": keys, "paid": pa.array([1.0] * 5)}), file)
        whole = Scan((str(file),), "", file.name)
        for scan, expected in ((whole.among("buyer", wanted), n), (whole.among("buyer", ["8"]), None), (whole, 5)):
            rows = engine.read(scan, {"customer": "buyer", "amount": "paid"})
            counted = engine.first_row(rows.frame.agg(F.count(F.lit(1)).alias("n")))["n"]
            assert counted == (int(name != "text") if expected is None else expected), (name, scan.keys)


def test_keys_choose_rows_whatever_their_type(tmp_path: Path) -> None:
    with open_duckdb() as engine:
        check_chosen(engine, tmp_path)


def test_a_store_that_loses_files_meanwhile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    parquet.write_table(make_orders(), content, row_group_size=500)
    shop = Bucket({"orders.parquet": content.getvalue()})

    def add_up(engine: Engine) -> None:
        rows = engine.read(Scan(("s3://shop/orders.parquet",), "", "orders"), {"amount": "paid"})
        shop.objects.clear()
        engine.to_pandas(rows.frame.agg(engine.functions.sum("amount")))

    with serve_s3(shop=shop) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        with pytest.raises(InputError, match=r"A source in an object store .*does not exist"), open_duckdb() as engine:
            add_up(engine)


@pytest.mark.usefixtures("small")
def test_rows_of_some_customers_are_the_same_read_or_scanned(tmp_path: Path) -> None:
    write(tmp_path / "orders", make_orders())
    whole, scanned, study = read_both(tmp_path, study_of("orders"))
    keys = assemble(whole.tables, study).raw.frame["customer"]
    some = [inputs.among(keys.iloc[::7], study) for inputs in (whole, scanned)]
    made = [assemble(inputs.tables, study).raw.frame for inputs in some]
    pd.testing.assert_frame_equal(*made)
    assert made[0]["customer"].tolist() == keys.iloc[::7].tolist()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.set_column(1, "bought", pa.array(pd.Series(table["bought"]).dt.strftime("%d.%m.%Y"))),
        lambda table: table.set_column(2, "paid", pa.compute.cast(table["paid"], pa.string())),
        lambda table: table.slice(0, N - 1),
    ],
    ids=["dates as text", "amounts as text", "few rows"],
)
def test_other_sources_are_read(tmp_path: Path, change: object) -> None:
    parquet.write_table(change(make_orders()), tmp_path / "orders.parquet")  # type: ignore[operator]
    inputs, _ = read_inputs(
        tmp_path, study_of("orders.parquet"), [tmp_path / "orders.parquet"], False, False, scan=True
    )
    assert inputs.tables[0].scan is None and len(inputs.tables[0].frame) >= N - 1


@pytest.mark.usefixtures("small")
def test_a_source_whose_keys_have_to_change_is_read(tmp_path: Path) -> None:
    parquet.write_table(make_orders(), tmp_path / "orders.parquet")
    people = "\n".join(["key,age", *(f"{i},{20 + i % 50}" for i in range(500))])
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    block = study_of("orders.parquet").model_dump(mode="json", exclude_defaults=True)
    block["sources"] = [{"path": "people.csv", "key": "key"}, *block["sources"]]
    places = [tmp_path / "people.csv", tmp_path / "orders.parquet"]
    inputs, _ = read_inputs(tmp_path, check_study(block), places, False, False, scan=True)
    orders = inputs.tables[1]
    assert orders.scan is None and len(orders.frame) == N and any("by their number alone" in n for n in orders.notes)


def test_a_period_of_one_customer_is_not_shown(tmp_path: Path) -> None:
    dates = pd.Series(pd.to_datetime(["2024-01-01"] * 40 + ["2024-02-01"] * 40))
    people = pd.Series(["a"] * 30 + [f"b{i}" for i in range(10)] + [f"b{i % 12}" for i in range(40)])
    parquet.write_table(pa.table({"who": people.tolist(), "at": dates.to_numpy()}), tmp_path / "rows.parquet")
    assert month_bars(dates, people, 10) == pick_bars(count(tmp_path / "rows.parquet"), 10)


def count(file: Path) -> list[object]:
    """Count the rows of a file by month, quarter and year."""
    from analysis.customers.periods import UNITS, count_periods
    from analysis.sources.tables import RawTable

    frame = pd.DataFrame()
    raw = RawTable("rows", frame, (), 0, "", (), "rows", scan=scans.Scan((str(file),), "", "rows"))
    return [count_periods(raw, "who", "at", unit) for unit in UNITS]


@pytest.mark.spark
@pytest.mark.usefixtures("small")
def test_spark_scans_the_same_files(spark: Engine, tmp_path: Path) -> None:
    write(tmp_path / "orders", make_orders())
    _, scanned, study = read_both(tmp_path, study_of("orders"))
    made = []
    for engine in ("duckdb", "spark"):
        with execute_on(engine):
            whole = assemble(scanned.tables, study)
            keys = whole.raw.frame["customer"]
            labels = 1 + np.arange(len(keys)) % 2
            assert whole.as_of is not None
            later = purchases_after(scanned.tables, study, dt.date(2023, 1, 1), whole.as_of)
            times = find_busy_times(scanned.tables, study, whole.as_of, keys, labels)
            some = assemble(scanned.among(keys.iloc[::7], study).tables, study).raw.frame
            made.append((whole.raw.frame, later, some, times, summarise_sources(scanned.tables, study, whole.joined)))
    ours, theirs = made
    for one, other in zip(ours[:3], theirs[:3], strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-12)
    assert ours[3:] == theirs[3:]


@pytest.mark.spark
def test_on_spark_keys_choose_the_same_rows(spark: Engine, tmp_path: Path) -> None:
    check_chosen(spark, tmp_path)
