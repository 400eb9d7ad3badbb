"""One table in many dresses comes out as one typed table, and says how it was read."""

from __future__ import annotations

import bz2
import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import lzma
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

from analysis.base.errors import InputError
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import RawTable, check_key, read_key, read_table
from tests.conftest import DATASETS, MADE_UP
from tests.conftest import find_public_file as dataset


def small() -> pd.DataFrame:
    """A customer table of 300 rows with every type and a few gaps."""
    rng = np.random.default_rng(7)
    n = 300
    income = np.round(rng.gamma(9, 6000, n)).astype(float)
    income[[3, 77]] = np.nan
    return pd.DataFrame(
        {
            "ID": rng.permutation(n) * 7,
            "Year_Birth": rng.integers(1940, 1997, n),
            "Education": pd.Series(rng.choice(["Graduation", "PhD", "2n Cycle"], n), dtype="str"),
            "Income": income,
            "Dt_Customer": (np.datetime64("2012-07-30") + rng.integers(0, 700, n)).astype("datetime64[s]"),
            "MntWines": rng.integers(0, 1500, n),
            "Score": np.round(rng.normal(0, 3, n), 3),
        }
    )


def marketing() -> pd.DataFrame:
    path = dataset("marketing_campaign.csv")
    frame = pd.read_csv(path, sep="\t")
    days = pd.to_datetime(frame["Dt_Customer"], format="%d-%m-%Y").astype("datetime64[s]")
    return frame.assign(Dt_Customer=days)


TABLES = {"small": small, "marketing": marketing}


@pytest.fixture(scope="module", params=TABLES)
def truth(request: pytest.FixtureRequest) -> pd.DataFrame:
    return TABLES[request.param]()


def text(frame: pd.DataFrame, separator: str = "\t", dates: str = "%d-%m-%Y", **options: Any) -> str:
    whole = {"Income": frame["Income"].astype("Int64")} if "decimal" not in options else {}
    return frame.assign(**whole).to_csv(sep=separator, index=False, date_format=dates, lineterminator="\n", **options)


def dump(frame: pd.DataFrame, write: Callable[[pd.DataFrame, Any], Any]) -> bytes:
    buffer = io.BytesIO()
    write(frame, buffer)
    return buffer.getvalue()


def sqlite_bytes(frame: pd.DataFrame, folder: Path) -> bytes:
    file = folder / "made.db"
    connection = sqlite3.connect(file)
    frame.assign(Dt_Customer=frame["Dt_Customer"].dt.strftime("%Y-%m-%d")).to_sql("t", connection, index=False)
    connection.close()
    return file.read_bytes()


def accented(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(Education=frame["Education"].str.replace("a", "á", regex=False))


def written(frame: pd.DataFrame, write: Callable[[pd.DataFrame, str], Any], suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"made.{suffix}"
        write(frame.assign(Dt_Customer=frame["Dt_Customer"].astype("datetime64[us]")), str(file))
        return file.read_bytes()


DRESSES: dict[str, Callable[[pd.DataFrame], str | bytes]] = {
    "tab.csv": text,
    "comma.csv": lambda f: text(f, ","),
    "semicolon.csv": lambda f: text(f, ";"),
    "bar.txt": lambda f: text(f, "|"),
    "quoted.csv": lambda f: text(f, ",", quoting=1),
    "bom.csv": lambda f: b"\xef\xbb\xbf" + text(f, ",").encode(),
    "utf16.csv": lambda f: text(f, ",").encode("utf-16"),
    "blank-first-line.csv": lambda f: "\n" + text(f),
    "blank-last-lines.csv": lambda f: text(f) + "\n\n\n",
    "crlf.csv": lambda f: text(f, ";").replace("\n", "\r\n"),
    "cr.csv": lambda f: text(f, ";").replace("\n", "\r"),
    "spaces-at-line-ends.csv": lambda f: text(f, ",").replace("\n", "  \n"),
    "spaces-after-commas.csv": lambda f: text(f, ",").replace(",", ", "),
    "delimiter-at-line-ends.csv": lambda f: text(f, ";").replace("\n", ";\n"),
    "stated-delimiter.csv": lambda f: "sep=;\n" + text(f, ";"),
    "two-sign-delimiter.csv": lambda f: text(f, "|").replace("|", "||"),
    "decimal-commas.csv": lambda f: text(f, ";", decimal=","),
    "slashed-dates.csv": lambda f: text(f, ",", "%d/%m/%Y"),
    "dotted-dates.csv": lambda f: text(f, ",", "%d.%m.%Y"),
    "month-first.csv": lambda f: text(f, ",", "%m/%d/%Y"),
    "iso-dates.csv": lambda f: text(f, ",", "%Y-%m-%d"),
    "times.csv": lambda f: text(f, ",", "%Y-%m-%dT%H:%M:%SZ"),
    "compact-dates.csv": lambda f: text(f, ",", "%Y%m%d"),
    "named-months.csv": lambda f: text(f, ",", "%d %b %Y"),
    "missing-words.csv": lambda f: text(f, ",", na_rep="N/A"),
    "zip.zip": lambda f: dump(f, lambda f, b: zipfile.ZipFile(b, "w").writestr("x.csv", text(f))),
    "gzip.csv.gz": lambda f: gzip.compress(text(f).encode()),
    "bzip2.csv.bz2": lambda f: bz2.compress(text(f).encode()),
    "xz.csv.xz": lambda f: lzma.compress(text(f).encode()),
    "zstandard.csv.zst": lambda f: pa.compress(text(f).encode(), "zstd", asbytes=True),
    "parquet.parquet": lambda f: dump(f, lambda f, b: f.to_parquet(b)),
    "spss.sav": lambda f: written(f, pyreadstat.write_sav, "sav"),
    "spss-compressed.zsav": lambda f: written(f, functools.partial(pyreadstat.write_sav, compress=True), "zsav"),
    "stata.dta": lambda f: written(f, pyreadstat.write_dta, "dta"),
    "sas.xpt": lambda f: written(f, pyreadstat.write_xport, "xpt"),
}


@pytest.mark.slow
@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_table_in_another_format_reads_the_same(dress: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    content = DRESSES[dress](truth)
    (tmp_path / dress).write_bytes(content.encode() if isinstance(content, str) else content)
    delimiter = "||" if dress.startswith("two-sign") else "auto"
    table = read_table(dress, root=tmp_path, reading=Reading(delimiter=delimiter))
    pd.testing.assert_frame_equal(table.frame, truth)
    assert table.shown_path == dress and table.n_rows == len(truth)


@pytest.mark.slow
def test_sqlite_reads_the_same(truth: pd.DataFrame, tmp_path: Path) -> None:
    sqlite_bytes(truth, tmp_path)
    for path in ("made.db", "sqlite:///made.db"):
        pd.testing.assert_frame_equal(read_table(path, root=tmp_path).frame, truth)


@pytest.mark.slow
def test_workbook_reads_the_same(truth: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="openpyxl, which writes the workbook, is not installed")
    with pd.ExcelWriter(tmp_path / "a.xlsx", engine="openpyxl") as book:
        truth.to_excel(book, sheet_name="customers", index=False)
        pd.DataFrame({"x": [1, 2, 3], "y": [4, 5, 6]}).to_excel(book, sheet_name="other", index=False)
    for sheet in ("customers", 0):
        table = read_table("a.xlsx", root=tmp_path, reading=Reading(sheet=sheet))
        pd.testing.assert_frame_equal(table.frame, truth)
    with pytest.raises(InputError, match=r"2 sheets with data: customers, other"):
        read_table("a.xlsx", root=tmp_path)
    with pytest.raises(InputError, match="Did you mean 'customers'"):
        read_table("a.xlsx", root=tmp_path, reading=Reading(sheet="customer"))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_accents_survive_every_encoding(encoding: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(text(accented(truth), ";").encode(encoding))
    pd.testing.assert_frame_equal(read_table("a.csv", root=tmp_path).frame, accented(truth))


ALPHABETS = {
    "cp1251": "имя;город\nИван;Москва\nМария;Казань\nПётр;Омск\n",
    "koi8_r": "имя;город\nИван;Москва\nМария;Казань\nПётр;Омск\n",
    "cp1253": "όνομα;πόλη\nΓιώργος;Αθήνα\nΜαρία;Πάτρα\nΝίκος;Βόλος\n",
    "cp932": "名前;都市\n田中;東京\n鈴木;大阪\n佐藤;京都\n",
    "gb18030": "姓名;城市\n王伟;北京\n李娜;上海\n张敏;广州\n",
    "cp949": "이름;도시\n김철수;서울\n이영희;부산\n박민수;대구\n",
}


@pytest.mark.parametrize("encoding", ALPHABETS)
def test_other_alphabets_are_recognised_by_their_letters(encoding: str, tmp_path: Path) -> None:
    rows = [line.split(";") for line in ALPHABETS[encoding].splitlines()]
    (tmp_path / "a.csv").write_bytes(ALPHABETS[encoding].encode(encoding))
    table = read_table("a.csv", root=tmp_path)
    assert [list(table.frame), *table.frame.to_numpy().tolist()] == rows
    assert any(f"encoding {encoding}" in note for note in table.notes)


WESTERN = {
    "French": "nom;ville\nRené;Orléans\nÉlodie;Besançon\nJérôme;Nîmes\n",
    "short words": "été;là;où\nà;É;ÇÀ\nça;là;où\nx;y;z\n",
    "capitals": "ÄÖÜ;b\nx;2\ny;3\n",
    "signs": "a;b\n1°;2\n§§;½\n",
    "one letter": "name;city\nJosé;Lima\nBob;Rome\n",
    "euro": "product;price\nwine;€12\nbread;€3\n",
}


@pytest.mark.parametrize("kind", WESTERN)
def test_what_is_not_another_alphabet_is_western_european(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(WESTERN[kind].encode("cp1252"))
    table = read_table("a.csv", root=tmp_path)
    assert any("cp1252" in note for note in table.notes)


@pytest.mark.slow
def test_order_of_rows_and_columns_does_not_matter(truth: pd.DataFrame, tmp_path: Path) -> None:
    shuffled = truth.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=3)
    (tmp_path / "a.csv").write_text(text(shuffled, ","))
    (tmp_path / "b.csv").write_text(text(truth, ","))
    one, other = (read_table(name, root=tmp_path) for name in ("a.csv", "b.csv"))
    again = one.frame[list(truth)].sort_values("ID", ignore_index=True)
    pd.testing.assert_frame_equal(again, truth.sort_values("ID", ignore_index=True))
    assert {c.name: c for c in one.columns} == {c.name: c for c in other.columns}


def read(tmp_path: Path, content: str, **options: Any) -> RawTable:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    return read_table("a.csv", root=tmp_path, reading=Reading(**options))


def column(values: list[str], tmp_path: Path, **options: Any) -> tuple[pd.Series, str, str]:
    """Read values as the second column of a table with semicolons."""
    rows = "".join(f"{'ab'[i % 2]};{value}\n" for i, value in enumerate(values))
    table = read(tmp_path, f"g;v\n{rows}", **options)
    return table.frame["v"], table.column("v").type, table.column("v").note


@pytest.mark.parametrize(
    ("values", "expected", "told"),
    [
        (["1,5", "2,25", "1.234,5"], [1.5, 2.25, 1234.5], "decimal comma"),
        (["1.5", "2.25", "1,234.5"], [1.5, 2.25, 1234.5], "decimal point"),
        (["1.234", "12.345.678", "5"], [1234, 12345678, 5], "thousands"),
        (["1,234", "12,345,678", "5"], [1234, 12345678, 5], "thousands"),
        (["1'234.50", "7", "8"], [1234.5, 7, 8], "thousands"),
        (["1 234,50", "7", "8"], [1234.5, 7, 8], "decimal comma"),
        (["€ 5,20", "7 €", "-€3,10"], [5.2, 7, -3.1], "currency"),
        (["$1,200.50", "($3.10)", "$2"], [1200.5, -3.1, 2], "currency"),
        (["12%", "7.5%", "3%"], [12, 7.5, 3], "per cent"),
        (["+3", "-4", "0"], [3, -4, 0], ""),
        (["1e3", "2.5E-1", "4"], [1000, 0.25, 4], ""),
    ],
)
def test_numbers_are_read_as_they_were_meant(
    values: list[str], expected: list[float], told: str, tmp_path: Path
) -> None:
    series, type_, note = column(values, tmp_path)
    assert type_ == "number" and told in note
    assert series.tolist() == expected


def test_thousands_or_decimals_follow_the_rest_of_the_table(tmp_path: Path) -> None:
    table = read(tmp_path, "a;b\n1,5;1.234\n2,25;5.678\n3,75;9.012\n")
    assert table.frame["b"].tolist() == [1234, 5678, 9012]
    table = read(tmp_path, "a;b\n1.5;1.234\n2.25;5.678\n3.75;9.012\n")
    assert table.frame["b"].tolist() == [1.234, 5.678, 9.012]


def test_decimal_mark_can_be_set(tmp_path: Path) -> None:
    series, _, _ = column(["1.234", "5.678"], tmp_path, decimal=",")
    assert series.tolist() == [1234, 5678]


@pytest.mark.parametrize(
    ("values", "first", "told"),
    [
        (["01/02/2020", "25/02/2020"], "2020-02-01", "day first: 1 values have a first number over 12"),
        (["01/02/2020", "02/25/2020"], "2020-01-02", "month first: 1 values have a second number over 12"),
        (["01/02/2020", "03/04/2020"], "2020-02-01", "ambiguous"),
        (["1.2.20", "25.2.20"], "2020-02-01", "two-digit years"),
        (["Jan 2, 2020", "Feb 3, 2020"], "2020-01-02", "month name"),
        (["2-Jan-2020", "3-Feb-2020"], "2020-01-02", "month name"),
        (["01/02/2020 3:04 PM", "25/02/2020 3:04 AM"], "2020-02-01 15:04", "day first"),
        (["2020-01-02T03:04:05+02:00", "2020-01-03T03:04:05+02:00"], "2020-01-02 01:04:05", "year first"),
        (["20200102", "20200229"], "2020-01-02", "YYYYMMDD"),
    ],
)
def test_dates_are_read_with_their_evidence(values: list[str], first: str, told: str, tmp_path: Path) -> None:
    series, type_, note = column(values, tmp_path)
    assert type_ == "date" and told in note
    assert series.dtype == "datetime64[s]" and series[0] == pd.Timestamp(first)


def test_an_ambiguous_date_follows_the_other_dates_of_the_table(tmp_path: Path) -> None:
    table = read(tmp_path, "a;b\n01/25/2020;01/02/2020\n01/26/2020;03/04/2020\n")
    assert table.frame["b"].iloc[0] == pd.Timestamp("2020-01-02")
    assert "month first like the table's other dates" in table.column("b").note


def test_order_of_day_and_month_can_be_set(tmp_path: Path) -> None:
    series, _, note = column(["01/02/2020", "03/04/2020"], tmp_path, dates="month-first")
    assert series[0] == pd.Timestamp("2020-01-02") and note == "month first as set"


def test_dates_of_both_orders_stay_words(tmp_path: Path) -> None:
    _, type_, note = column(["25/02/2020", "02/25/2020", "01/02/2020"] * 5, tmp_path)
    assert type_ == "category" and "no single order" in note


def test_days_that_do_not_exist_are_missing_not_moved(tmp_path: Path) -> None:
    days = ["30-02-2020", *(f"{day:02d}-01-2020" for day in range(1, 31))] + ["15-05-2020"] * 40
    series, type_, note = column(days, tmp_path)
    assert type_ == "date" and series.isna().tolist() == [True] + [False] * 70
    assert "1 not a date taken as missing ('99-99-9999')" in note


def test_numbers_that_only_look_like_days_stay_numbers(tmp_path: Path) -> None:
    series, type_, _ = column(["20201399", "20200101", "19991231"], tmp_path)
    assert type_ == "number" and series[0] == 20201399


def test_leading_zeros_are_kept(tmp_path: Path) -> None:
    series, type_, note = column(["00012", "00345", "12345"], tmp_path)
    assert type_ == "key" and series.tolist() == ["00012", "00345", "12345"] and "leading zeros" in note


def test_long_identifiers_keep_every_digit(tmp_path: Path) -> None:
    series, _, _ = column(["12345678901234567890", "12345678901234567891"], tmp_path)
    assert series.tolist() == ["12345678901234567890", "12345678901234567891"]


def test_missing_words_are_counted_by_word(tmp_path: Path) -> None:
    values = ["1", "2", "", "NA", "?", "-", "null", "NA", "None", "n/a"]
    series, _, note = column(values, tmp_path)
    assert series.isna().sum() == 8
    assert "8 missing" in note and "2 written as 'NA'" in note and "1 written as '?'" in note


def test_yes_and_no_become_boolean_with_gaps(tmp_path: Path) -> None:
    series, type_, note = column(["Yes", "no", "", "YES"], tmp_path)
    assert type_ == "boolean" and series.dtype == "boolean"
    assert series.tolist() == [True, False, pd.NA, True] and "yes 2, no 1" in note


def test_types_can_be_forced(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,2\n3,4\n", types={"a": "category", "b": "key"})
    assert table.frame["a"].tolist() == ["1", "3"] and table.column("a").note == "category as set"
    assert table.column("b").type == "key"


def test_a_table_without_a_header_is_recognised(tmp_path: Path) -> None:
    table = read(tmp_path, "1,2020-01-01,x\n2,2020-01-02,y\n3,2020-01-03,x\n")
    assert list(table.frame) == ["column_1", "column_2", "column_3"] and table.n_rows == 3
    assert "no header: columns are numbered" in table.notes
    named = read(tmp_path, "1,2020-01-01,x\n2,2020-01-02,y\n", names=["id", "day", "group"])
    assert list(named.frame) == ["id", "day", "group"] and named.n_rows == 2
    assert read(tmp_path, "2019,2020\n1,2\n3,4\n", header=True).n_rows == 2


def test_row_names_without_a_heading_become_a_column(tmp_path: Path) -> None:
    table = read(tmp_path, "age spend\nr1 30 1.5\nr2 40 2.5\nr3 50 3.5\n")
    assert list(table.frame) == ["row", "age", "spend"]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,said\n1,"a, b"\n2,"he said ""no"""\n3,"two\nlines"\n')
    assert table.frame["said"].tolist() == ["a, b", 'he said "no"', "two\nlines"]


@pytest.mark.slow
def test_a_late_long_row_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{i},short\n" for i in range(300_000))
    table = read(tmp_path, f'id,said\n{rows}300000,"{"x" * 90_000}"\n')
    assert table.n_rows == 300_001 and len(table.frame["said"].iloc[-1]) == 90_000


def test_files_of_one_shape_are_joined_and_typed_together(tmp_path: Path) -> None:
    (tmp_path / "o-1.csv").write_text("id,day\n1,01/02/2020\n2,03/02/2020\n")
    (tmp_path / "o-2.csv").write_text("day;id\n25/02/2020;3\n26/02/2020;4\n")
    table = read_table("o-*.csv", root=tmp_path)
    assert table.frame["id"].tolist() == [1, 2, 3, 4]
    assert table.frame["day"].iloc[0] == pd.Timestamp("2020-02-01")
    assert table.notes[0] == "2 files of one shape joined" and table.shown_path == "o-*.csv"


def test_members_of_an_archive_are_joined(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.csv", "id,x\n1,2\n")
        archive.writestr("2.csv", "id,x\n3,4\n")
        archive.writestr("__MACOSX/._1.csv", b"\0\1")
        archive.writestr("readme.md", "# hello")
    assert read_table("a.zip", root=tmp_path).frame["id"].tolist() == [1, 3]


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,2\n3,4\n")
    assert table.sha256 == hashlib.sha256(b"a,b\n1,2\n3,4\n").hexdigest()


def test_keys_are_trimmed_and_counted(tmp_path: Path) -> None:
    table = read(tmp_path, 'customer_id,x\n"A1",1\n"A1 ",2\n,3\nB2,4\nB2,5\n')
    key = read_key(table, "customer_id", "key")
    assert (key.n_missing, key.n_distinct, key.n_repeats, key.n_collisions) == (1, 2, 2, 1)
    whole = read(tmp_path, "id,x\n5,1\n,2\n7,3\n")
    assert check_key(whole, "id", "key").fillna("").tolist() == ["5", "", "7"]


def test_an_address_is_downloaded(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,x\n1,2\n3,4\n")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        table = read_table(f"http://127.0.0.1:{server.server_port}/a.csv?key=1", root=tmp_path)
        server.shutdown()
    assert table.frame["x"].tolist() == [2, 4] and table.shown_path == "a.csv"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server of our own with a password; yield its address with ${PG_PASSWORD} in it."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    initdb, server = (
        shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
        for name in ("initdb", "postgres")
    )
    if not initdb or not server:
        pytest.skip("the PostgreSQL server is not installed")
    folder = tmp_path_factory.mktemp("pg")
    (folder / "secret").write_text("right horse")
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "cwd": "/"}
        for part in folder.parents:
            if part.name.startswith(("pytest-", "popen-")):
                part.chmod(0o755)
        folder.chmod(0o777)
    data = folder / "data"
    options = [
        "-A",
        "scram-sha-256",
        "-U",
        "ann",
        f"--pwfile={folder / 'secret'}",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    made = subprocess.run([initdb, "-D", str(data), *options], capture_output=True, text=True, **user)
    if made.returncode:
        pytest.skip(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "-D", str(data), "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-F"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user) as process:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"postgresql+psycopg://ann:${{PG_PASSWORD}}@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()


@pytest.mark.slow
def test_postgresql_reads_the_same_and_cannot_be_changed(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy as sa

    truth = small()
    monkeypatch.setenv("PG_PASSWORD", "right horse")
    engine = sa.create_engine(postgres.replace("${PG_PASSWORD}", "right horse"))
    truth.to_sql("Customers", engine, index=False)
    table = read_table(postgres, root=tmp_path, reading=Reading(query="Customers"))
    pd.testing.assert_frame_equal(table.frame, truth)
    assert table.shown_path == "postgres" and "right horse" not in repr(table)
    one = read_table(
        postgres,
        root=tmp_path,
        reading=Reading(query='SELECT count(*)::int AS n FROM "Customers" GROUP BY "Education"'),
    )
    assert one.frame["n"].sum() == 300
    with pytest.raises(InputError, match="read-only"):
        read_table(
            postgres,
            root=tmp_path,
            reading=Reading(query='WITH gone AS (DELETE FROM "Customers" RETURNING 1) SELECT * FROM gone'),
        )
    with pytest.raises(InputError, match="interrupted"):
        read_table(postgres, root=tmp_path, reading=Reading(query="SELECT pg_terminate_backend(pg_backend_pid())"))
    engine.dispose()


@pytest.mark.slow
def test_a_wrong_password_is_told_but_not_shown(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_PASSWORD", "wr0ng")
    with pytest.raises(InputError, match="user 'ann' was refused: wrong user name or password") as caught:
        read_table(postgres, root=tmp_path, reading=Reading(query="orders"))
    assert "wr0ng" not in str(caught.value)


def test_a_password_in_the_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains a password") as caught:
        read_table("postgresql+psycopg://ann:plain@127.0.0.1/shop", root=tmp_path, reading=Reading(query="orders"))
    assert "plain" not in str(caught.value)


REAL = {
    "marketing_campaign.csv": (2240, 29, {"Dt_Customer": "date", "ID": "key", "Education": "category"}),
    "CDNOW_master.txt": (69_659, 4, {"customer_id": "key", "date": "date", "dollar_value": "number"}),
    "CDNOW_sample.txt": (6_919, 5, {"column_1": "key", "column_2": "key", "column_3": "date"}),
    "mcdonalds.csv": (1_453, 15, {"yummy": "boolean", "Like": "category", "Age": "number"}),
    "online_shoppers_intention.csv": (12_330, 18, {"Weekend": "boolean", "Month": "category"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_files_have_their_published_shape(name: str) -> None:
    n_rows, n_columns, types = REAL[name]
    table = read_table(dataset(name), root=DATASETS)
    assert table.frame.shape == (n_rows, n_columns)
    assert {column: table.column(column).type for column in types} == types


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_made_up_files_have_the_form_of_the_real_ones(name: str) -> None:
    _, n_columns, types = REAL[name]
    table = read_table(MADE_UP / name, root=MADE_UP)
    assert table.frame.shape[1] == n_columns and len(table.frame) >= 200
    assert {column: table.column(column).type for column in types} == types


@pytest.mark.slow
def test_marketing_facts() -> None:
    table = read_table(dataset("marketing_campaign.csv"), root=DATASETS)
    assert table.column("Income").n_missing == 24
    assert table.column("Dt_Customer").note == "day first: 1,324 values have a first number over 12"
    assert table.frame["Dt_Customer"].agg(["min", "max"]).astype("str").tolist() == [
        "2012-07-30",
        "2014-06-29",
    ]


@pytest.mark.slow
def test_cdnow_facts() -> None:
    table = read_table(dataset("CDNOW_master.txt"), root=DATASETS)
    assert table.column("customer_id").n_distinct == 23_570 and table.frame["customer_id"].iloc[0] == "00001"
    assert round(table.frame["dollar_value"].sum(), 2) == 2_500_315.63
    assert table.frame["number_of_cds"].sum() == 167_881


def test_survey_facts() -> None:
    table = read_table(dataset("mcdonalds.csv"), root=DATASETS)
    shares = table.frame[["yummy", "convenient", "disgusting"]].mean().astype(float).round(2)
    assert shares.tolist() == [0.55, 0.91, 0.24]
    assert table.frame["Like"].value_counts()["+3"] == 229


def test_a_single_row_is_read_with_the_types_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,member,code,spend\n7,no,12,5\n", encoding="utf-8")
    known = {"member": "boolean", "code": "category", "spend": "number", "gone": "date"}
    table = read_table("a.csv", root=tmp_path, known=known, fewest=1)
    assert {c.name: c.type for c in table.columns} == {
        "id": "key", "member": "boolean", "code": "category", "spend": "number"
    }  # fmt: skip
    assert table.frame["member"].tolist() == [False] and table.frame["code"].tolist() == ["12"]


def test_a_table_of_a_database_is_named_in_its_address(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as database:
        for name in ("orders", "people"):
            database.execute(f"CREATE TABLE {name} (id INTEGER, spend REAL)")
            database.executemany(f"INSERT INTO {name} VALUES (?, ?)", [(1, 2.0), (2, 3.0), (3, 4.0)])
        database.commit()
    assert read_table("sqlite:///x.db?table=people", root=tmp_path).n_rows == 3
    for address in ("sqlite:///x.db", "x.db"):
        with pytest.raises(InputError) as refused:
            read_table(address, root=tmp_path, reading=Reading(setting="--data"))
        assert "Available tables: orders, people." in str(refused.value)
        assert 'x.db?table=orders"' in str(refused.value) and '--data "sqlite:///' in str(refused.value)
    with pytest.raises(InputError, match="'peple' is neither a table"):
        read_table("sqlite:///x.db?table=peple", root=tmp_path)


def test_only_files_that_contain_data_are_suggested(tmp_path: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "README.md", "pyproject.toml"):
        (tmp_path / name).write_text("numpy==2.3.0\npandas==3.0.0\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_table("requirement.txt", root=tmp_path, reading=Reading(setting="--data"))
    assert "requirements" not in str(refused.value)
    assert "This folder contains no data file." in str(refused.value)
    (tmp_path / "orders.txt").write_text("customer;amount\n1;20\n2;30\n", encoding="utf-8")
    (tmp_path / "customers.csv").write_text("customer,age\n1,20\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"customers\.csv, orders\.txt\.\n  Did you mean 'orders\.txt'") as refused:
        read_table("order.txt", root=tmp_path, reading=Reading(setting="--data"))
    assert "requirements" not in str(refused.value)
    with pytest.raises(InputError, match=r"Data files in this folder: customers\.csv, orders\.txt\.") as refused:
        read_table(".", root=tmp_path, reading=Reading(setting="--data"))


@pytest.mark.parametrize("name", ["requirements.txt", "order.txt", "READM.md", "orders.tsv", "data"])
def test_a_missing_file_is_never_replaced_by_one_of_the_project(tmp_path: Path, name: str) -> None:
    requirements = "altair>=6.0,<7\nbabel>=2.17,<3\nduckdb>=1.4,<3\n"
    (tmp_path / "requirements.in.txt").write_text(requirements, encoding="utf-8")
    (tmp_path / "packages.txt").write_text(requirements, encoding="utf-8")
    if name != "requirements.txt":
        (tmp_path / "requirements.txt").write_text(requirements, encoding="utf-8")
    (tmp_path / "README.md").write_text("# Orders, and more\n\nOne, two\nThree, four\n", encoding="utf-8")
    (tmp_path / "README.txt").write_text("Orders, and more\nOne, two\n", encoding="utf-8")
    (tmp_path / "orders.csv").write_text("customer,amount\n1,20\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_table(name, root=tmp_path, reading=Reading(setting="--data"))
    _, *advice = str(refused.value).splitlines()
    assert "Data files in this folder: orders.csv." in advice[0]
    assert not any(word in line for word in ("requirements", "packages", "README") for line in advice)


def test_a_note_on_rows_that_the_settings_leave_out_names_no_value(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 1.5}\n" for i in range(1, 40))
    (tmp_path / "orders.csv").write_text(f"customer,amount\n{rows}4711,9.5\n", encoding="utf-8")
    raw = read_table("orders.csv", root=tmp_path, reading=Reading(setting="x", leave_out={"customer": ("4711",)}))
    assert raw.n_rows == 39
    assert any("values of customer that the settings leave out" in note for note in (*raw.notes, *raw.dropped))
    assert not any("4711" in note for note in (*raw.notes, *raw.dropped))
