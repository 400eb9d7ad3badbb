"""Whatever is wrong with a source ends in one message of one to five lines that names the place."""

from __future__ import annotations

import gzip
import io
import os
import re
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import check_key, read_table

GOOD = "id,age,spend\n1,30,10.5\n2,40,20.5\n3,50,30.5\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


@dataclass(frozen=True)
class Bad:
    """One bad input: what stands in the folder, how it is read, what the message says."""

    name: str
    files: dict[str, bytes | str]
    says: str
    path: str = "a.csv"
    options: dict[str, Any] | None = None


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"id": range(50), "spend": range(50)}).to_parquet(buffer)
    return buffer.getvalue()


def formula_workbook() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["id", "spend"], [1, 10], [2, "=B2*2"], [3, 30]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def wide(n: int) -> str:
    header = ",".join(f"c{i}" for i in range(n))
    return "\n".join([header, *(",".join(["1"] * n) for _ in range(3))])


BAD = [
    Bad(
        "missing file",
        {"customers.csv": GOOD},
        r"custmers\.csv does not exist.*Did you mean 'customers\.csv'",
        "custmers.csv",
    ),
    Bad("missing folder", {}, r"does not exist.*folder nowhere does not exist", "nowhere/a.csv"),
    Bad("folder", {"sub/b.csv": GOOD}, r"sub is a folder.*b\.csv", "sub"),
    Bad("path through a file", {"a.csv": GOOD}, r"a part of this path is a file", "a.csv/b.csv"),
    Bad("pattern without a match", {"a.csv": GOOD}, r"\*\.tsv matches no file", "*.tsv"),
    Bad("empty file", {"a.csv": ""}, r"a\.csv is empty \(0 bytes\)"),
    Bad("only blank lines", {"a.csv": "\n\n  \n"}, r"contains only blank lines"),
    Bad("only a byte-order mark", {"a.csv": b"\xef\xbb\xbf"}, r"contains only blank lines"),
    Bad("header and no rows", {"a.csv": "id,age\n"}, r"has a header but no rows"),
    Bad("one row", {"a.csv": "id,age\n1,30\n"}, r"a\.csv has one row"),
    Bad("image renamed", {"a.csv": PNG}, r"is a PNG image, not a table"),
    Bad("PDF renamed", {"a.csv": b"%PDF-1.7\n" + b"x" * 99}, r"is a PDF document"),
    Bad("binary", {"a.csv": bytes(range(256)) * 20}, r"contains binary data"),
    Bad("text with control signs", {"a.csv": b"\x02\x03\x04\x05\x06abc" * 50}, r"contains binary data"),
    Bad("truncated zip", {"a.zip": zipped(("a.csv", GOOD * 50))[:60]}, r"truncated zip archive", "a.zip"),
    Bad(
        "zip with a damaged member",
        {"a.zip": zipped(("a.csv", GOOD)).replace(b"a.csv", b"a.cs?", 1)},
        r"zip",
        "a.zip",
    ),
    Bad("empty zip", {"a.zip": zipped()}, r"is an empty archive", "a.zip"),
    Bad(
        "zip of two shapes",
        {"a.zip": zipped(("a.csv", GOOD), ("b.csv", "id,town\n1,x\n2,y\n"))},
        r"columns of b\.csv and a\.csv differ: age, spend, town",
        "a.zip",
    ),
    Bad("truncated gzip", {"a.csv.gz": gzip.compress(GOOD.encode() * 50)[:-12]}, r"truncated gzip", "a.csv.gz"),
    Bad("truncated Parquet", {"a.parquet": parquet()[:200]}, r"damaged Parquet", "a.parquet"),
    Bad(
        "damaged workbook",
        {"a.xls": b"\xd0\xcf\x11\xe0" + b"\0" * 600},
        r"cannot be opened as a workbook",
        "a.xls",
    ),
    Bad(
        "files of two shapes",
        {"p1.csv": GOOD, "p2.csv": "id,x\n1,2\n2,3\n"},
        r"p2\.csv and p1\.csv differ",
        "p*.csv",
    ),
    Bad("a line too long", {"a.csv": GOOD + "4,60,1,2\n"}, r"line 4 below the header has 4 fields.*Expected 3"),
    Bad("a line too short", {"a.csv": GOOD + "4\n5,1,2\n"}, r"line 4 below the header has 1 field\."),
    Bad("10,000 columns", {"a.csv": wide(10_000)}, r"has 10,000 columns.*at most 2,000"),
    Bad(
        "1 MB cell",
        {"a.csv": GOOD + f"4,60,{'x' * 2**20}\n"},
        r"'spend', data row 4: a cell of 1,048,576 bytes",
    ),
    Bad(
        "quotation mark never closed",
        {"a.csv": 'id,name,spend\n1,"Ann,3\n' + "".join(f"{i},Bo,4\n" for i in range(20_000))},
        r"data row 1: a cell of|closed quotation marks|fields",
    ),
    Bad(
        "formula cell",
        {"a.csv": "id,spend\n1,10\n2,=SUM(B1:B2)\n3,4\n"},
        r"'spend', data row 2: a formula.",
    ),
    Bad("wrong encoding named", {"a.csv": GOOD}, r"encoding: 'klingon'", options={"encoding": "klingon"}),
    Bad(
        "encoding that does not fit",
        {"a.csv": "id,n\n1,é\n2,e\n".encode("latin-1")},
        r"not valid utf-8",
        options={"encoding": "utf-8"},
    ),
    Bad(
        "delimiter that cannot be one",
        {"a.csv": GOOD},
        r"delimiter: '\"' is not a valid delimiter",
        options={"delimiter": '"'},
    ),
    Bad("password in the settings", {}, r"contains a password or token", "postgresql://u:plain@h/x"),
    Bad("too few names", {"a.csv": GOOD}, r"2 names for the 3 columns", options={"names": ["x", "y"]}),
    Bad(
        "type for no column",
        {"a.csv": GOOD},
        r"types\.agee: column 'agee'.*Did you mean 'age'",
        options={"types": {"agee": "number"}},
    ),
    Bad(
        "unknown type",
        {"a.csv": GOOD},
        r"'nomber' is not a type.*Did you mean 'number'",
        options={"types": {"age": "nomber"}},
    ),
    Bad(
        "text as number",
        {"a.csv": "id,age\n1,old\n2,young\n3,7\n"},
        r"types\.age: column 'age' of a\.csv cannot be read as number.*row 1 has a value of the form 'aaa'",
        options={"types": {"age": "number"}},
    ),
    Bad(
        "text as date",
        {"a.csv": "id,day\n1,soon\n2,later\n"},
        r"cannot be read as date",
        options={"types": {"day": "date"}},
    ),
    Bad(
        "both orders of day and month, forced",
        {"a.csv": "id,day\n1,13/01/2020\n2,01/13/2020\n"},
        r"cannot be read as date",
        options={"types": {"day": "date"}},
    ),
    Bad("SQLite without a file", {}, r"SQLite file shop\.db does not exist", "sqlite:///shop.db"),
    Bad("unknown database", {}, r"'oracel' is not a supported database", "oracel://host/shop"),
    Bad("address that cannot be read", {}, r"address cannot be read", "postgresql://h:port/x"),
    Bad(
        "variable not set",
        {},
        r"environment variable NO_SUCH_SECRET is not set",
        "postgresql://u:${NO_SUCH_SECRET}@h/x",
    ),
    Bad("not a web server", {}, r"cannot be reached", "http://127.0.0.1:9/a.csv"),
]


def write(folder: Path, files: dict[str, bytes | str]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def refusal(path: str, folder: Path, **options: Any) -> str:
    """The message for a source, checked for what every message owes its reader."""
    with pytest.raises(InputError) as caught:
        read_table(path, root=folder, reading=Reading(**options))
    message = str(caught.value)
    assert 1 <= len(message.splitlines()) <= 5
    assert str(folder) not in message
    assert "Traceback" not in message and not re.search(r"\bNone\b", message)
    return message


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_input_ends_in_one_message(bad: Bad, tmp_path: Path) -> None:
    write(tmp_path, bad.files)
    message = refusal(bad.path, tmp_path, **(bad.options or {}))
    assert re.search(bad.says, message.replace("\n", " ")), message


def test_there_are_forty_bad_inputs() -> None:
    assert len({bad.name for bad in BAD}) == len(BAD) >= 40


def test_uncalculated_formula_in_a_workbook_is_named_by_its_cell(tmp_path: Path) -> None:
    write(tmp_path, {"a.xlsx": formula_workbook()})
    assert "cell B3: a formula without a calculated value." in refusal("a.xlsx", tmp_path)


def test_symlink_loop_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert "leads back to itself" in refusal("a.csv", tmp_path)


def test_dangling_symlink_is_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    assert "does not exist" in refusal("a.csv", tmp_path)


def test_unreadable_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a.csv": GOOD})
    if os.geteuid() == 0:

        def refuse(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
    else:
        (tmp_path / "a.csv").chmod(0)
    assert "permission denied" in refusal("a.csv", tmp_path)


def test_named_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert "not a regular file" in refusal("a.csv", tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (customer TEXT, amount REAL)")
        connection.execute("CREATE TABLE people (customer TEXT, age INTEGER)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [("a", 1.5), ("b", 2.5)])
    connection.close()
    return tmp_path


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (None, r"choose a table of database 'shop\.db'.*orders, people"),
        ("ordrs", r"'ordrs' is neither a table.*Did you mean 'orders'"),
        ("DELETE FROM orders", r"neither a table of 'shop\.db' nor a SELECT"),
        ("SELECT price FROM orders", r"query: no such column"),
        ("SELECT * FROM nowhere", r"query: no such table"),
        ("SELECT amount, amount FROM orders", r"more than one column is called 'amount'"),
        ("SELECT * FROM people", r"has no rows"),
    ],
)
def test_bad_query_is_told(shop: Path, query: str | None, says: str) -> None:
    message = refusal("sqlite:///shop.db", shop, query=query)
    assert re.search(says, message.replace("\n", " ")), message


def test_a_query_cannot_change_the_database(shop: Path) -> None:
    refusal("sqlite:///shop.db", shop, query="DELETE FROM orders")
    assert read_table("sqlite:///shop.db", root=shop, reading=Reading(query="orders")).n_rows == 2


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], int]]:
    """Start a server that answers every connection with some bytes and hangs up."""
    servers: list[socket.socket] = []

    def start(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def answer_all() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        threading.Thread(target=answer_all, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def answer(status: str, body: bytes, length: int | None = None) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answer("404 Not Found", b"no"), "answered 404 Not Found"),
        (answer("200 OK", GOOD.encode(), 9999), "interrupted"),
        (answer("200 OK", b"<!DOCTYPE html><html></html>"), "answered with a web page"),
        (b"", "cannot be reached|interrupted"),
    ],
)
def test_bad_download_is_told(serve: Callable[[bytes], int], tmp_path: Path, reply: bytes, says: str) -> None:
    message = refusal(f"http://127.0.0.1:{serve(reply)}/data/a.csv?key=secret", tmp_path)
    assert re.search(says, message), message
    assert "secret" not in message


def test_dropped_database_connection_is_told_without_the_password(
    serve: Callable[[bytes], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    address = f"postgresql+psycopg://ann:${{SHOP_PASSWORD}}@127.0.0.1:{serve(b'')}/shop"
    message = refusal(address, tmp_path, query="orders")
    assert "database 'shop'" in message and "interrupted" in message
    assert "s3cret" not in message


def test_missing_key_column_and_empty_keys_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "customer,age\n,30\n,40\n"})
    table = read_table("a.csv", root=tmp_path)
    with pytest.raises(InputError, match=r"sources\[0\].key: column 'customer' of a.csv has no value in any of 2 rows"):
        check_key(table, "customer", "sources[0].key")
    with pytest.raises(InputError, match="Did you mean 'customer'"):
        check_key(table, "custmer", "sources[0].key")


def test_keys_that_collide_after_trimming_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": 'customer_id,age\n"A1",30\n"A1 ",40\n"B2",50\n'})
    table = read_table("a.csv", root=tmp_path)
    with pytest.raises(InputError, match="1 keys differ from another key only by spaces, such as in data rows 1 and 2"):
        check_key(table, "customer_id", "sources[0].key")


def test_repeated_keys_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "customer_id,age\n1,30\n1,40\n2,50\n"})
    with pytest.raises(InputError, match="repeats a key in 1 rows, such as in data rows 1 and 2"):
        check_key(read_table("a.csv", root=tmp_path), "customer_id", "sources[0].key")


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("id,age\n1,30\n2,Ann Lee 0381\n3,40\n", {"types": {"age": "number"}}),
        ("id,day\n1,Ann Lee 0381\n2,soon\n", {"types": {"day": "date"}}),
        ("id,name\n1,30\n2,=Ann Lee 0381\n", {}),
        ("id,age\n1,30\n2,40\nAnn Lee 0381,3,4\n", {}),
        ("customer_id,age\nAnn Lee 0381,30\nAnn Lee 0381,40\nBo,50\n", {}),
        ('customer_id,age\n"Ann Lee 0381",30\n"Ann Lee 0381 ",40\nBo,50\n', {}),
    ],
)
def test_messages_tell_the_place_and_quote_no_customer(content: str, options: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": content})
    with pytest.raises(InputError) as told:
        check_key(read_table("a.csv", root=tmp_path, reading=Reading(**options)), "customer_id", "sources[0].key")
    assert "row" in str(told.value) or "line" in str(told.value)
    assert "Ann" not in str(told.value) and "0381" not in str(told.value)


def test_notes_quote_only_what_many_have(tmp_path: Path) -> None:
    rows = [f"{i},{'later' if i < 12 else 'Ann Lee' if i == 20 else i}" for i in range(1_000)]
    write(tmp_path, {"a.csv": "\n".join(["id,age", *rows])})
    note = read_table("a.csv", root=tmp_path).column("age").note
    assert "'later'" in note and "Ann" not in note and "'Aaa Aaa'" in note


@pytest.mark.parametrize(
    ("cells", "told", "note"),
    [
        (["1e-320", "4e-310", "2.5", "3.5"], [0.0, 0.0, 2.5, 3.5], ""),
        (["1.5000000000001", "1.5000000000002", "1.5", "1.5"], [1.5] * 4, ""),
        (["1e300", "2", "3.5", "-1e308"], [None, 2.0, 3.5, None], "2 too large taken as missing"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_numbers_whose_squares_cannot_be_computed_are_settled(
    cells: list[str], told: list[float | None], note: str, suffix: str, tmp_path: Path
) -> None:
    table = pd.DataFrame({"id": range(4), "x": list(map(float, cells))})
    table.to_csv(tmp_path / "a.csv", index=False) if suffix == "csv" else table.to_parquet(tmp_path / "a.parquet")
    read = read_table(f"a.{suffix}", root=tmp_path)
    assert [None if pd.isna(x) else x for x in read.frame["x"]] == told
    assert note in read.column("x").note


def test_odd_values_are_taken_as_missing_and_told(tmp_path: Path) -> None:
    days = ["0001-01-01", "9999-12-31", *(f"2020-01-{day:02d}" for day in range(1, 29))]
    spend = ["NaN", "inf", "-Infinity", *map(str, np.arange(27) + 0.5)]
    rows = "".join(f"{i},{day},{value}\n" for i, (day, value) in enumerate(zip(days, spend, strict=True)))
    write(tmp_path, {"a.csv": f"id,day,spend\n{rows}"})
    table = read_table("a.csv", root=tmp_path)
    assert table.frame["day"].min() == pd.Timestamp("2020-01-01")
    assert table.column("day").n_missing == 2
    assert "2 outside 1800 to 2200 taken as missing" in table.column("day").note
    assert table.column("spend").n_missing == 3
    assert "1 missing (1 written as 'NaN'); 2 infinite taken as missing" in table.column("spend").note


def test_blank_lines_inside_quoted_cells_end_no_table(tmp_path: Path) -> None:
    notes = ["short", "```\n\nlong, and\nlonger\n```", "x"] * 30
    write(tmp_path, {"a.csv": pd.DataFrame({"id": range(90), "age": range(90), "note": notes}).to_csv(index=False)})
    table = read_table("a.csv", root=tmp_path)
    assert table.n_rows == 90 and table.frame["note"].tolist() == notes
    assert not any("skipped" in note for note in table.notes)


def test_a_first_row_with_a_word_for_a_number_is_no_second_heading(tmp_path: Path) -> None:
    rows = "".join(f"{value},{'yes' if i % 2 else 'no'}\n" for i, value in enumerate(["unknown", *range(99)]))
    write(tmp_path, {"a.csv": f"age,told\n{rows}"})
    assert read_table("a.csv", root=tmp_path).n_rows == 100


def test_mixed_types_stay_words_unless_nearly_all_are_numbers(tmp_path: Path) -> None:
    rows = "".join(
        f"{i},{'unknown' if i == 7 else i * 2},{'x' if i % 2 else i},{'C9' if i == 9 else i}\n" for i in range(100)
    )
    write(tmp_path, {"a.csv": f"id,age,mixed,code\n{rows}"})
    table = read_table("a.csv", root=tmp_path)
    assert "1 not a number taken as missing ('unknown')" in table.column("age").note
    assert table.column("mixed").type != "number"
    assert table.frame["code"].iloc[9] == "C9"
