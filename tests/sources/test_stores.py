"""Files at addresses in an object store, served on this machine, give the same tables as files in folders."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis.base.errors import InputError
from analysis.customers.assembly import assemble, purchases_after
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.settings.sources import RowColumns, Source
from analysis.sources.inputs import Inputs, read_inputs
from analysis.sources.large import scans
from analysis.sources.tables import RawTable, read_table
from tests.s3_server import KEY, SECRET, Bucket, serve_s3

N = 4_000


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Serve a bucket called shop, and let the environment name server and credentials."""
    shop = Bucket()
    with serve_s3(shop=shop) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield shop


def write_orders(folder: Path, n: int = N) -> pd.DataFrame:
    """Write orders into a folder of Parquet files, one for each year and shop; names need quoting in addresses."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "buyer": pd.Series(rng.integers(0, 150, n)).map("K-{:04d}".format),
            "bought": np.datetime64("2023-01-01", "s") + rng.integers(0, 730 * 86_400, n),
            "paid": np.round(rng.lognormal(3, 1, n), 2),
            "note": rng.choice(["x" * 50, "y" * 50], n),
        }
    )
    for (year, shop), rows in frame.groupby([frame["bought"].dt.year, rng.choice(["web", "high street"], n)]):
        part = folder / f"year={year}" / f"shop={str(shop).replace(' ', '%20')}"
        part.mkdir(parents=True)
        parquet.write_table(pa.Table.from_pandas(rows, preserve_index=False), part / "part 0.parquet")
    (folder / "_SUCCESS").touch()
    return frame


def read(address: str, root: Path) -> RawTable:
    return read_table(address, root=root)


def assert_same(ours: RawTable, theirs: RawTable) -> None:
    pd.testing.assert_frame_equal(ours.frame, theirs.frame)
    assert (ours.columns, ours.notes, ours.shown_path, ours.sha256) == (
        theirs.columns, theirs.notes, theirs.shown_path, theirs.sha256,
    )  # fmt: skip


@pytest.mark.parametrize(
    "place",
    ["orders", "orders/", "orders/*/*/*.parquet", "orders/**/*.parquet", "orders/year=2023/*/part*", "people.csv"],
)
def test_an_address_is_read_as_a_path_is(bucket: Bucket, tmp_path: Path, place: str) -> None:
    write_orders(tmp_path / "orders")
    (tmp_path / "people.csv").write_text("id;age\n1;30\n2;40\n", encoding="utf-8")
    bucket.add_folder(tmp_path / "orders")
    bucket.objects["people.csv"] = (tmp_path / "people.csv").read_bytes()
    there = read(f"s3://shop/{place}", tmp_path)
    assert_same(read(place, tmp_path), there)
    assert "shop:" not in repr(there) and "s3" not in there.shown_path


def test_one_file_of_any_format_is_read(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.objects["in/a b.csv"] = b"id,x\n1,2\n3,4\n"
    bucket.objects["in/c.json"] = b'[{"id": 1, "x": 2}, {"id": 3, "x": 4}]'
    monkeypatch.setenv("BUCKET", "shop")
    for address in ("s3://shop/in/a b.csv", "s3a://shop/in/c.json", "s3://${BUCKET}/in/a b.csv", "s3://shop/in/*.csv"):
        table = read(address, tmp_path)
        assert table.frame["x"].tolist() == [2, 4] and table.shown_path in ("a b.csv", "c.json")


REFUSED = {
    "key": ("s3://shop/orders/nothing.parquet", "s3://shop/orders/nothing.parquet does not exist"),
    "folder": ("s3://shop/nothing/", "does not exist"),
    "pattern": ("s3://shop/*.parquet", "matches no file"),
    "pattern in no folder": ("s3://shop/nothing/*.parquet", "matches no file"),
    "mixed folder": ("s3://shop/mixed", r"mixed is a folder[\s\S]*b\.csv"),
    "bucket": ("s3://shopp/orders/*.csv", r"no bucket of this name[\s\S]*Check its name"),
    "no bucket": ("s3:///a.csv", "names no bucket"),
    "Delta": ("s3://shop/sales.v2", r"Delta table[\s\S]*table:delta\.`s3://shop/sales\.v2`"),
    "Delta and DuckDB": ("s3://shop/sales/", r"delta\.`s3://shop/sales` is a table of Spark"),
    "port": ("hdfs://host:9000/a.csv", "cannot be read"),
    "key in the address": (f"s3://{KEY}:{SECRET}@shop/mixed/b.csv", "contains a password|contains credentials"),
    "variable in the address": ("s3://key:${AWS_SECRET_ACCESS_KEY}@shop/mixed/b.csv", "contains credentials"),
    "other scheme": ("sftp://host/a.csv", r"sftp:// addresses cannot be read[\s\S]*fsspec"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_explained(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    bucket.objects |= {"mixed/a.parquet": b"", "mixed/b.csv": b"x\n1\n"}
    bucket.objects |= {f"sales{end}/{name}": b"" for end in ("", ".v2") for name in ("_delta_log/0.json", "a.parquet")}
    address, words = REFUSED[name]
    with pytest.raises(InputError, match=words) as refused:
        read(address, tmp_path)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("place", ["a.csv", "*.csv", "folder/"])
def test_refused_access_says_where_credentials_come_from(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    bucket.objects["a.csv"] = b"x\n1\n"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEONEELSE")
    with pytest.raises(InputError, match=r"access is denied[\s\S]*AWS_ACCESS_KEY_ID"):
        read(f"s3://shop/{place}", tmp_path)


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(InputError, match=r"cannot be reached[\s\S]*endpoint and region"):
        read("s3://shop/a.csv", tmp_path)


def study_of(place: str) -> Study:
    columns = {"customer": "buyer", "date": "bought", "amount": "paid", "channel": "shop"}
    return check_study({"title": "x", "sources": [{"path": place, "kind": "transactions", "columns": columns}]})


def take(place: str | Path, root: Path) -> tuple[Inputs, Study]:
    return read_inputs(root, study_of(str(place)), [place], False, False, scan=True)


@pytest.mark.slow
def test_large_files_stay_in_the_store_and_give_the_same_customers(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", N)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 400)
    monkeypatch.setattr(scans, "BATCH", 100)
    write_orders(tmp_path / "orders")
    bucket.add_folder(tmp_path / "orders")
    both = [take(tmp_path / "orders", tmp_path), take("s3://shop/orders/", tmp_path)]
    (here, study), (there, _) = both
    assert there.tables[0].scan is not None and len(there.tables[0].frame) < N and there.tables[0].n_rows == N
    pd.testing.assert_frame_equal(here.tables[0].frame, there.tables[0].frame)
    made = [assemble(inputs.tables, study) for inputs in (here, there)]
    pd.testing.assert_frame_equal(made[0].raw.frame, made[1].raw.frame)
    as_of, split = made[0].as_of, dt.date(2024, 3, 1)
    assert as_of is not None and as_of == made[1].as_of
    later = [purchases_after(inputs.tables, study, split, as_of) for inputs in (here, there)]
    pd.testing.assert_frame_equal(*later)
    keys = made[0].raw.frame["customer"].iloc[::7]
    some = [assemble(inputs.among(keys, study).tables, study).raw.frame for inputs in (here, there)]
    pd.testing.assert_frame_equal(*some)
    kept = there.fetched(study, tmp_path)
    bucket.objects.clear()
    pd.testing.assert_frame_equal(made[0].raw.frame, assemble(kept.tables, study).raw.frame)
    with pytest.raises(InputError, match=r"The source orders .*does not exist"):
        there.fetched(study, tmp_path)


def test_a_digest_of_stored_files_follows_their_content(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "SCANNED_ROWS", N)
    frame = write_orders(tmp_path / "orders").assign(shop="web")
    digests = []
    for paid in (frame["paid"], frame["paid"], frame["paid"] + 1):
        parquet.write_table(pa.table(frame.assign(paid=paid)), tmp_path / "all.parquet")
        bucket.objects["all.parquet"] = (tmp_path / "all.parquet").read_bytes()
        digests.append(take("s3://shop/all.parquet", tmp_path)[0].tables[0].sha256)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.slow
def test_what_is_not_used_is_not_fetched(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 200_000
    monkeypatch.setattr(scans, "SCANNED_ROWS", n)
    monkeypatch.setattr(scans, "SAMPLE_ROWS", 1_000)
    monkeypatch.setattr(scans, "BATCH", 500)
    rng = np.random.default_rng(1)
    table = pa.table(
        {
            "buyer": pa.array(rng.integers(0, 150, n)),
            "bought": pa.array(np.datetime64("2023-01-01", "s") + rng.integers(0, 86_400 * 700, n)),
            "paid": pa.array(rng.integers(1, 99, n).astype(float)),
            "blob": pa.array([rng.bytes(200).hex() for _ in range(n)]),
        }
    )
    parquet.write_table(table, tmp_path / "wide.parquet")
    size = (tmp_path / "wide.parquet").stat().st_size
    bucket.objects["wide.parquet"] = (tmp_path / "wide.parquet").read_bytes()
    columns = RowColumns(customer="buyer", date="bought", amount="paid")
    source = Source(path="x", kind="transactions", columns=columns)
    raw = scans.scan_source("s3://shop/wide.parquet", tmp_path, source, "x")
    assert raw is not None and raw.n_rows == n and bucket.n_bytes < size / 5
    before = bucket.n_bytes
    scan = raw.scan.fetch(["buyer", "paid"], tmp_path / "kept")
    assert bucket.n_bytes - before < size / 20
    assert parquet.read_table(scan.files[0]).equals(table.select(["buyer", "paid"]))
