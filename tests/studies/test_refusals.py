"""Bad inputs by the command line: one message that names the place, and everything built before stays as it was."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import os
import shutil
import socket
import sqlite3
import struct
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.base import workers
from analysis.cli import main
from analysis.settings.load import check_study, merge
from tests.conftest import ROOT
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, take_through

FILE = "data/shop.csv"
GOOD = make_shop(90)


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad input: how it comes about, and what the message must name.

    ``spoil`` may give arguments for the command; without any, the file of the settings is read.
    """

    spoil: Callable[[Path], tuple[str, ...] | None]
    says: tuple[str, ...]


def table(change: Callable[[pd.DataFrame], pd.DataFrame], *says: str) -> Bad:
    """The shop's file, changed."""
    return Bad(lambda root: change(GOOD).to_csv(root / FILE, index=False), says)


def content(data: bytes | str, *says: str, name: str = "bad.csv") -> Bad:
    """A file that the settings know nothing of, named on the command line."""

    def spoil(root: Path) -> tuple[str, ...]:
        (root / "data" / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return ("--data", f"data/{name}")

    return Bad(spoil, (name, *says))


def named(path: str, *says: str, make: Callable[[Path], object] | None = None) -> Bad:
    """A path on the command line, and what stands there."""

    def spoil(root: Path) -> tuple[str, ...]:
        if make:
            make(root / path)
        return ("--data", path)

    return Bad(spoil, (path.split("/")[-1], *says))


def settings(*says: str, source: dict[str, Any] | None = None, file: bytes | None = None, **changes: Any) -> Bad:
    """The shop's settings, changed; ``source`` is laid over its table's, ``file`` replaces the table."""

    def spoil(root: Path) -> None:
        write_settings(root, source or {}, **changes)
        if file is not None:
            (root / (source or {}).get("path", FILE)).write_bytes(file)

    return Bad(spoil, says)


def feature(formula: str, *says: str) -> Bad:
    return settings("features.own", *says, features={"own": {"label": "Own", "formula": formula}})


def orders(*says: str, columns: dict[str, str] | None = None, **table: Any) -> Bad:
    """Transactions in place of the table of customers."""
    rows = {"client_id": ["a", "b", "c"] * 40, "day": ["2024-01-01", "2024-02-01", "2024-03-01"] * 40}
    rows |= {"paid": np.arange(120) + 0.5} | table
    source = {"kind": "transactions", "key": None, "roles": {}, "units": {}, "columns": columns or {}}
    return settings(*says, source=source, file=pd.DataFrame(rows).to_csv(index=False).encode())


def write_settings(root: Path, source: dict[str, Any], **changes: Any) -> None:
    project = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))
    shop = copy.deepcopy(SHOP)
    # Roles and units of another kind of table are replaced, not merged.
    shop["sources"][0] = {**shop["sources"][0], **source}
    project["segmentation"] = merge(shop, changes)
    (root / "_quarto.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    GOOD.to_parquet(buffer)
    return buffer.getvalue()


def workbook() -> bytes:
    buffer = io.BytesIO()
    GOOD.to_excel(buffer, index=False, sheet_name="Customers")
    return buffer.getvalue()


def database(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE orders (customer TEXT, amount REAL)")
        connection.execute("CREATE TABLE people (customer TEXT, age REAL)")
    connection.close()


def keys(change: Callable[[pd.Series], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(customer=change(table["customer"]))


def a_loop(file: Path) -> None:
    file.symlink_to(file.with_name("other.csv"))
    file.with_name("other.csv").symlink_to(file)


FOREIGN = GOOD.to_csv(index=False).replace("North", "Nörd").encode("cp1252")
ROWS = "id,age,spend\n1,30,10.5\n2,40,20.5\n3,50,30.5\n"
WIDE = "\n".join([",".join(f"c{i}" for i in range(10_000)), *(",".join(["1"] * 10_000) for _ in range(3))])
CONSTANT = "id,a,b\n" + "".join(f"{i},1,x\n" for i in range(90))
WORDS = "id,note\n" + "".join(f"{i},some words {i} that differ\n" for i in range(90))

BAD = {
    # What is not a table.
    "empty file": content(b"", "empty"),
    "blank lines": content("\n\n \n", "blank lines"),
    "header only": content("id,age,spend\n", "no rows"),
    "one row": content("id,age\n1,30\n", "one row"),
    "binary": content(bytes(range(256)) * 20, "binary"),
    "picture": content(b"\x89PNG\r\n\x1a\n" + bytes(99), "PNG"),
    "page of the web": content("<!DOCTYPE html><html><body>Log in</body></html>", "a web page (HTML), not a table"),
    "no delimiter": content("customers\n" + "somebody\n" * 90, "no column that can serve as a feature"),
    "truncated zip": content(zipped(a=ROWS * 50)[:60], "truncated zip", name="bad.zip"),
    "empty zip": content(zipped(), "empty archive", name="bad.zip"),
    "zip of two shapes": content(zipped(a=ROWS, b="id,town\n1,x\n2,y\n"), "differ", name="bad.zip"),
    "truncated gzip": content(gzip.compress(ROWS.encode() * 50)[:-12], "truncated gzip", name="bad.csv.gz"),
    "truncated Parquet": content(parquet()[:300], "damaged Parquet", name="bad.parquet"),
    "damaged workbook": content(b"\xd0\xcf\x11\xe0" + bytes(600), "workbook", name="bad.xls"),
    "10,000 columns": content(WIDE, "10,000 columns", "2,000"),
    "1 MB cell": content(ROWS + f"4,60,{'x' * 2**20}\n", "'spend'", "1,048,576 bytes"),
    "formula cell": content(ROWS + "4,60,=cmd|' /C calc'!A0\n", "'spend', data row 4", "a formula"),
    "line too long": content(ROWS + "4,60,1,2\n", "has 4 fields"),
    "all columns constant": content(CONSTANT, "no column that can serve as a feature"),
    "words only": content(WORDS, "no column that can serve as a feature", "key, text columns"),
    # What cannot be opened.
    "missing file": named("data/shopp.csv", "does not exist", "'shop.csv'"),
    "missing folder": named("nowhere/shop.csv", "does not exist"),
    "folder": named("data", "is a folder"),
    "path through a file": named("data/shop.csv/a.csv", "is a file, not a folder"),
    "pattern without a match": named("data/*.tsv", "matches no file"),
    "symlink loop": named("data/loop.csv", "leads back to itself", make=a_loop),
    "dangling symlink": named("data/gone.csv", "does not exist", make=lambda f: f.symlink_to(f.with_name("no.csv"))),
    "named pipe": named("data/pipe.csv", "not a regular file", make=os.mkfifo),
    # What the settings cannot read.
    "misspelt column": table(lambda t: t.rename(columns={"visits": "vists"}), "shop.csv", "'visits'", "mean 'vists'"),
    "all keys missing": table(keys(lambda key: ""), "sources[0].key", "'customer'", "no value in any of 90 rows"),
    "keys that collide after trimming": table(
        keys(lambda key: key.where(key.index != 5, key[4] + " ")), "'customer'", "differ from another key"
    ),
    "repeated keys": table(keys(lambda key: key.where(key.index != 5, key[4])), "'customer'", "repeats a key"),
    "words in a feature": table(lambda t: t.assign(visits=["often", "seldom"] * 45), "'visits'", "text, not numbers"),
    "a feature without any value": table(lambda t: t.assign(visits=np.nan), "'visits'", "no value in any row"),
    "one value in every feature": table(lambda t: t.assign(orders=3, discount=0.1, visits=7), "feature"),
    "too few customers": table(lambda t: t.head(30), "30 customers are too few"),
    "no transaction has an amount": orders("columns", "amount", "paid", paid=["", "x", ""] * 40),
    "transactions without a date": orders("columns.date", "shop.csv", day="soon"),
    "column of transactions that is not there": orders(
        "columns.amount", "'piad'", "Did you mean 'paid'", columns={"amount": "piad"}
    ),
    # What is wrong with the settings.
    "unknown setting": settings("segmentation.segmnts", "Did you mean 'segments'", segmnts=4),
    "unknown setting of a source": settings("sources[0]", "'kye'", source={"kye": "customer"}),
    "unknown kind": settings("sources[0].kind", "'people'", source={"kind": "people"}),
    "unknown value": settings("segmentation.value", "'spent'", "Did you mean 'spend'", value="spent"),
    "two roles": settings("roles", "'spend'", source={"roles": {"feature": ["spend"], "outcome": ["spend"]}}),
    "range upside down": settings("plausible", "'visits'", source={"plausible": {"visits": [9, 1]}}),
    "date that is none": settings("segmentation.as_of", "'yesterday'", as_of="yesterday"),
    "date in year 0": settings("segmentation.as_of", as_of="0000-01-01"),
    "more segments than customers": settings("90 customers", "18 segments", segments=18, max_segments=18),
    "sheet that is not there": settings(
        "sheet", "'Orders'", "Customers", source={"path": "data/shop.xlsx", "sheet": "Orders"}, file=workbook()
    ),
    "encoding that is none": settings("encoding", "'klingon'", source={"encoding": "klingon"}),
    "wrong encoding": settings("utf-8", source={"encoding": "utf-8"}, file=FOREIGN),
    "delimiter that cannot be one": settings("delimiter", source={"delimiter": '"'}),
    "wrong delimiter": settings("shop.csv", "customer", source={"delimiter": ";"}),
    "type that does not fit": settings("types.region", "'region'", source={"types": {"region": "number"}}),
    "formula with an unknown column": feature("orders / visit", "'visit'", "Did you mean 'visits'"),
    "formula that would run code": feature("__import__('os').system('true')"),
    "formula with an attribute": feature("orders.__class__"),
    "formula of no column": feature("1 + 1", "uses no column"),
    "formula of words": feature("region * 2", "cannot be computed"),
    "formula with the study's date, of which there is none": feature("year(as_of) - orders", "'as_of'"),
    # Databases and addresses.
    "database without a query": named("data/shop.db", "orders, people", make=database),
    "unknown database": settings("'oracel'", source={"path": "oracel://host/shop"}),
    "password written out": settings("sources[0].path", "environment", source={"path": "postgresql://u:s3cret@h/x"}),
    "variable that is not set": settings("NO_SUCH_SECRET", source={"path": "postgresql://u:${NO_SUCH_SECRET}@h/x"}),
    "nobody listens": settings("cannot be reached", source={"path": "http://127.0.0.1:9/a.csv"}),
}  # fmt: skip
"""By name; every one ends with exit code 2."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project with what an earlier build left: any other bytes there would show."""
    root = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT / "templates", root / "templates")
    shutil.copy(ROOT / "_quarto.yml", root)
    for name in ("build/report.json", "build/stamp.json", "build/model.json", "_site/index.html", "site/index.qmd"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"The last good {name}.", encoding="utf-8")
    (root / "data").mkdir()
    GOOD.to_csv(root / FILE, index=False)
    write_settings(root, {})
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be spoiled, as the working folder, in an environment without settings of ours."""
    for name in [n for n in os.environ if n.startswith(("QUARTO", "SEGMENTATION"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(workers, "warm_up", lambda module: None)
    root = Path(shutil.copytree(built, tmp_path / "project"))
    monkeypatch.chdir(root)
    return root


def state(root: Path) -> dict[str, str]:
    """What each file of the last build holds, and that there are no others."""
    files = [f for part in ("build", "_site", "site") for f in (root / part).rglob("*") if f.is_file()]
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.name != ".lock"}


def assert_refused(root: Path, says: tuple[str, ...], capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Run a build that must be refused: one short message, nothing else printed, nothing changed."""
    before = state(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["analysis", "build", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown.err
    assert shown.out == ""
    assert 1 <= len(shown.err.strip().splitlines()) <= 5, shown.err
    assert "Traceback" not in shown.err and str(root) not in shown.err
    for words in says:
        assert words in shown.err, shown.err
    assert state(root) == before and len(before) == 5
    return Ended(2, shown.out, shown.err)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_input_ends_in_one_message_and_changes_nothing(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = BAD[name].spoil(root) or ()
    assert_refused(root, BAD[name].says, capsys, *arguments)


def test_there_are_more_than_forty_bad_inputs() -> None:
    assert len(BAD) > 40


def test_a_broken_settings_file_is_named_with_its_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "_quarto.yml").write_text("segmentation:\n  title: [Shop\n  value: spend\n", encoding="utf-8")
    assert_refused(root, ("_quarto.yml, line", "not valid YAML"), capsys)
    (root / "_quarto.yml").write_bytes("segmentation: {title: Café}".encode("cp1252"))
    assert_refused(root, ("_quarto.yml", "not UTF-8"), capsys)
    (root / "_quarto.yml").unlink()
    assert_refused(root, ("_quarto.yml is not in this folder",), capsys)


def test_an_unknown_profile_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTO_PROFILE", "nowhere")
    assert_refused(root, ("'nowhere'", "_quarto-nowhere.yml"), capsys)


def test_a_file_that_may_not_be_read_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / FILE).chmod(0)
    if os.geteuid() == 0:  # whom no mode stops
        read = Path.read_bytes

        def refuse(self: Path) -> bytes:
            if self.name == "shop.csv":
                raise PermissionError(13, "Permission denied")
            return read(self)

        monkeypatch.setattr(Path, "read_bytes", refuse)
    assert_refused(root, ("shop.csv", "permission denied"), capsys)


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Start a server that meets every connection with a function; gives its port."""
    listening: list[socket.socket] = []

    def start(meet: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)

        def meet_all() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    meet(connection)

        threading.Thread(target=meet_all, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listening:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def refuse_password(connection: socket.socket) -> None:
    """Speak as much of PostgreSQL's protocol as it takes to ask for a password and to reject it."""
    while struct.unpack(">I", connection.recv(4096)[4:8])[0] in {80877103, 80877104}:  # asks for encryption
        connection.sendall(b"N")
    connection.sendall(b"R" + struct.pack(">II", 8, 3))
    connection.recv(4096)
    told = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "ann"\0\0'
    connection.sendall(b"E" + struct.pack(">I", 4 + len(told)) + told)


@pytest.mark.parametrize(
    ("meet", "words"),
    [(refuse_password, ("password", "'shop'")), (lambda connection: connection.recv(4096), ("interrupted", "'shop'"))],
    ids=["wrong password", "dropped connection"],
)
def test_a_database_that_turns_us_away_is_named_and_no_password_shown(
    meet: Callable[[socket.socket], None],
    words: tuple[str, ...],
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    server: Callable[[Callable[[socket.socket], None]], int],
) -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    address = f"postgresql+psycopg://ann:${{SHOP_PASSWORD}}@127.0.0.1:{server(meet)}/shop"
    write_settings(root, {"path": address, "query": "orders"})
    ended = assert_refused(root, ("sources[0].path", *words), capsys)
    assert "s3cret" not in ended.err
    assert not any("s3cret" in f.read_text(errors="replace") for f in root.rglob("*") if f.is_file())


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", "answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nConnection: close\r\n\r\n" + ROWS.encode(), "interrupted"),
    ],
    ids=["not found", "interrupted"],
)
def test_a_download_that_fails_is_named_without_its_query(
    reply: bytes,
    words: str,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    server: Callable[[Callable[[socket.socket], None]], int],
) -> None:
    def meet(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(reply)

    ended = assert_refused(
        root, ("a.csv", words), capsys, "--data", f"http://127.0.0.1:{server(meet)}/a.csv?key=s3cret"
    )
    assert "s3cret" not in ended.err


LEGAL = {
    "day": ["0001-01-01", "9999-12-31", *["2024-03-05", "2024-03-17"] * 44],
    "age": [-4, -1, 130, *[20, 33, 47] * 29],
    "visits": ["NaN", "inf", "-inf", "many", *GOOD["visits"][4:]],
    "constant": 7,
    "customer": " " + GOOD["customer"] + " ",
    "region": ["  north", *GOOD["region"][1:]],
}
"""What is odd in a file and yet legal: two dates, three ages, four visits, spaces around every key."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    source = {
        **SHOP["sources"][0],
        "roles": {**SHOP["sources"][0]["roles"], "descriptor": ["spend", "region", "age"]},
        "plausible": {"age": [0, 120]},
    }
    own = {"label": "Own", "formula": "orders / 0"}
    study = check_study({**SHOP, "sources": [source], "features": {"own": own}})
    root = tmp_path_factory.mktemp("legal")
    (root / "data").mkdir()
    GOOD.assign(**LEGAL).to_csv(root / FILE, index=False)
    return take_through(root / FILE, study, root)


def test_what_is_odd_but_legal_is_taken_as_missing_and_told(told: Stages) -> None:
    notes = {column.name: column.note for column in told.report.data.columns}
    assert "fewer than 10 outside 1800 to 2200 taken as missing" in notes["day"]
    assert "fewer than 10 infinite taken as missing" in notes["visits"]
    assert "fewer than 10 not a number taken as missing" in notes["visits"]
    touched = {line.rule: line.touched for line in told.report.ledger}
    assert touched["age: believable range"] == 3
    assert touched["visits: missing in the file"] == 4
    assert told.report.data.constants == ("constant",)
    assert told.report.study.as_of == "2024-03-31"
    assert told.report.study.n_customers == 90


def test_a_feature_without_a_value_forms_no_segment_and_that_is_told(told: Stages) -> None:
    assert [(d.name, d.reason) for d in told.report.dropped] == [("own", "has no value for anyone")]


def test_one_feature_is_enough_to_form_segments(tmp_path: Path) -> None:
    roles = {"feature": ["orders"], "descriptor": ["spend"]}
    study = check_study({**SHOP, "sources": [{**SHOP["sources"][0], "roles": roles}]})
    (tmp_path / "data").mkdir()
    GOOD.to_csv(tmp_path / FILE, index=False)
    report = take_through(tmp_path / FILE, study, tmp_path).report
    assert [step.name for step in report.steps] == ["orders"]
    assert len(report.segments) >= 2
