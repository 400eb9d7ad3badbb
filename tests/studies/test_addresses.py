"""A study whose sources are in an object store is the study of the same files in folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from analysis.base.errors import InputError
from analysis.cli import app
from analysis.sources.large import scans
from tests.s3_server import KEY, SECRET, Bucket, serve_s3
from tests.small_studies import build_quickly

N, BUCKET = 6_000, "quiet-otter-exports"
COLUMNS = {"customer": "buyer", "date": "bought", "amount": "paid", "channel": "shop"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Serve a bucket, and let the environment name server and credentials."""
    exports = Bucket()
    with serve_s3(**{BUCKET: exports}) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield exports


def write_orders(folder: Path) -> None:
    """Write orders of three kinds of customers over two years, in a folder for each shop."""
    rng = np.random.default_rng(6)
    who = rng.choice(300, N, p=(weights := np.repeat([1.0, 4.0, 9.0], 100)) / weights.sum())
    frame = pd.DataFrame(
        {
            "buyer": pd.Series(who).map("K-{:04d}".format),
            "bought": np.datetime64("2023-01-01", "s") + rng.integers(0, 730 * 86_400, N),
            "paid": np.round(rng.lognormal(3, 0.4, N) * np.repeat([1, 5, 2], 100)[who], 2),
        }
    )
    for shop, rows in frame.groupby(np.where(rng.random(N) < 0.2 + who / 500, "web", "store")):
        part = folder / f"shop={shop}"
        part.mkdir(parents=True)
        rows.to_parquet(part / "part-0.parquet", index=False)


def settle(project: Path, place: str) -> Path:
    """Give a copy of the project these orders as its only source."""
    path = project / "_quarto.yml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    source = {"path": place, "kind": "transactions", "columns": COLUMNS}
    settings["segmentation"] = {"title": "Orders", "value": "spend", "max_segments": 3, "sources": [source]}
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return project


def read_report(project: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((project / "build" / "report.json").read_text(encoding="utf-8"))
    return report


def list_differences(one: Any, other: Any, place: str = "") -> set[str]:
    """List where two reports differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return set().union(*(list_differences(one[key], other[key], f"{place}.{key}") for key in one))
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return set().union(*(list_differences(a, b, f"{place}[]") for a, b in zip(one, other, strict=True)))
    return set() if one == other else {place}


@pytest.mark.builds
@pytest.mark.parametrize("scanned", [False, True], ids=["read", "scanned"])
def test_a_build_from_a_store_publishes_the_report_of_the_same_files(
    project: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scanned: bool
) -> None:
    monkeypatch.setenv("SEGMENTATION_SALT", "tests")
    if scanned:
        monkeypatch.setattr(scans, "SCANNED_ROWS", N)
    write_orders(project / "data" / "orders")
    bucket.add_folder(project / "data" / "orders")
    there = Path(shutil.copytree(project, tmp_path / "there"))
    shutil.rmtree(there / "data")
    build_quickly(settle(project, "data/orders"))
    assert build_quickly(settle(there, f"s3://{BUCKET}/orders/")).data == "orders"
    # A file that is not fetched whole has the digest of its footer.
    expected = {".data.sources[].sha256"} if scanned else set()
    assert list_differences(read_report(project), read_report(there)) == expected
    texts = [file for file in (there / "site").rglob("*") if file.is_file() and "notes" not in file.parts]
    assert texts and not [file for file in texts if BUCKET.encode() in file.read_bytes()]
    monkeypatch.chdir(there)
    done = CliRunner().invoke(app, ["score", f"s3://{BUCKET}/orders/", "--as-of", "2024-12-31"])
    assert done.exit_code == 0, done.output
    assert len(pd.read_csv(there / "build" / "scores.csv")) == 300


@pytest.mark.builds
def test_a_file_of_a_store_can_stand_in_for_the_first_source_and_a_refusal_keeps_the_last_build(
    project: Path, bucket: Bucket
) -> None:
    write_orders(project / "data" / "orders")
    frame = pd.concat(map(pd.read_parquet, (project / "data" / "orders").rglob("*.parquet")))
    bucket.objects["new/orders.csv"] = frame.to_csv(index=False).encode()
    settle(project, "data/orders")
    address = f"s3://{BUCKET}/new/orders.csv"
    assert build_quickly(project, address).data == "orders.csv"  # type: ignore[arg-type]
    kept = (project / "build" / "report.json").read_bytes()
    bucket.objects.clear()
    with pytest.raises(InputError, match=rf"--data: {address} does not exist"):
        build_quickly(project, address)  # type: ignore[arg-type]
    assert (project / "build" / "report.json").read_bytes() == kept
