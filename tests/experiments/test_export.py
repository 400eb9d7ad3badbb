"""Exports: who leaves, in which form, and who never does."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.errors import InputError
from analysis.experiments import files
from analysis.experiments.allocation import allocate
from analysis.experiments.importers import IMPORTERS, sha256
from tests.experiments.finished import finish, make_customers, make_members, run

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".xlsx": lambda file: pd.read_excel(file, engine="calamine"),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = finish(tmp_path / "shop", consent="agreed")
    monkeypatch.chdir(root)
    return root


def consenting(root: Path) -> set[str]:
    table = pd.read_csv(root / "data/customers.csv")
    return set(table.loc[table["agreed"] == "yes", "id"])


def members_of(*letters: str) -> set[str]:
    members = make_members()
    return set(members.loc[members["letter"].isin(letters), "key"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["B", "bargain-hunters", "Bargain hunters", "b"])
def test_a_segment_is_exported_by_letter_slug_or_name(shop: Path, name: str) -> None:
    text = run("export", "--segment", name)
    table = pd.read_csv(shop / "exports/B.csv")
    assert list(table) == ["key", "segment", "segment_name", "confidence"]
    assert set(table["key"]) == members_of("B") & consenting(shop)
    assert set(table["segment_name"]) == {"Bargain hunters"}
    assert f"Left out: {len(members_of('B') - consenting(shop))} without consent." in text


def test_several_segments_and_actions_go_into_one_file(shop: Path) -> None:
    run("export", "--segment", "C", "--action", "A.campaign", "--out", "exports/two.parquet")
    table = pd.read_parquet(shop / "exports/two.parquet")
    assert set(table["key"]) == members_of("A", "C") & consenting(shop)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", files.FORMATS)
def test_every_format_holds_the_same_and_only_its_owner_reads_it(shop: Path, suffix: str) -> None:
    run("export", "--all", "--with", "email,phone", "--out", f"exports/all{suffix}")
    file = shop / f"exports/all{suffix}"
    table = READERS[suffix](file)
    assert list(table) == ["key", "segment", "segment_name", "confidence", "email", "phone"]
    assert set(table["key"]) == consenting(shop)
    source = make_customers(make_members()["key"]).set_index("id")
    assert (table.set_index("key")["email"] == source["email"].reindex(table["key"])).all()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((shop / "exports").iterdir()) == [file]


def test_a_list_of_keys_suppresses_however_its_keys_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = finish(tmp_path, suppress="data/stop.txt")
    (root / "data/stop.txt").write_text("k00001\n K00002 \nX9\n")
    monkeypatch.chdir(root)
    text = run("export", "--all")
    assert set(make_members()["key"]) - set(pd.read_csv(root / "exports/everyone.csv")["key"]) == {"K00001", "K00002"}
    assert "Left out: 2 on the suppression list." in text


def test_a_list_of_other_peoples_keys_is_refused_rather_than_suppressing_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = finish(tmp_path, suppress="data/stop.csv")
    (root / "data/stop.csv").write_text("email\nPerson1@Example.org\n")
    monkeypatch.chdir(root)
    with pytest.raises(InputError, match=r"no key in data/stop\.csv is a customer of this study"):
        run("export", "--all")
    assert not (root / "exports").exists()


@pytest.mark.slow
@pytest.mark.parametrize("tool", IMPORTERS)
def test_an_importer_gets_its_own_headers_and_no_control_customer(shop: Path, tool: str) -> None:
    run("export", "--segment", "A", "--for", tool, "--holdout", "0.5", "--test", "spring")
    table = pd.read_csv(shop / f"exports/spring-{tool}.csv", dtype=str)
    keys = pd.Series(sorted(members_of("A") & consenting(shop)))
    treated = set(keys[allocate("spring", keys, 0.5) == "treatment"])
    assert len(table) == len(treated)
    headers = IMPORTERS[tool].headers
    first = str(make_customers(make_members()["key"]).set_index("id")["email"].reindex(sorted(treated)).iloc[0])
    hashed = tool in ("meta", "google")
    assert (sha256(first.lower()) if hashed else first.lower()) in set(table[headers["email"]])
    assert list(table) == [headers["email"], headers["phone"], *([] if hashed else [IMPORTERS[tool].segment])]


def test_hashes_are_those_that_are_published() -> None:
    # FIPS 180-2, appendix B.1, and the sample of X's documentation of custom audiences.
    assert sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256("adsapi") == "49e0be2aeccfb51a8dee4c945c8a70a9ac500cf6f5cb08112575f74db9b1470d"


@pytest.mark.slow
def test_a_database_is_updated_by_key_and_loses_who_may_not_be_contacted(shop: Path) -> None:
    address = "sqlite:///data/crm.db"
    assert f"{len(members_of('A') & consenting(shop))} new, 0 updated" in run(
        "export", "--segment", "A", "--to", address, "--table", "people"
    )
    gone = sorted(members_of("A") & consenting(shop))[0]
    table = pd.read_csv(shop / "data/customers.csv")
    table.loc[table["id"] == gone, "agreed"] = "no"
    table.to_csv(shop / "data/customers.csv", index=False)
    run("export", "--all", "--to", address, "--table", "people")
    run("export", "--all", "--to", address, "--table", "people")
    with sqlite3.connect(shop / "data/crm.db") as connection:
        rows = connection.execute("select key, segment from people").fetchall()
    connection.close()
    assert {key for key, _ in rows} == consenting(shop) and len(rows) == len(consenting(shop))
    assert dict(rows) == make_members().set_index("key")["letter"].reindex([key for key, _ in rows]).to_dict()


def test_a_workbook_that_is_too_long_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_XLSX_ROWS", 100)
    with pytest.raises(InputError, match="do not fit into a worksheet"):
        run("export", "--all", "--out", "exports/all.xlsx")
    assert not (shop / "exports").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--segment", "Z"], "'Z' is no segment of this study"),
        (["--action", "B.advert"], "is no action of a plan"),
        ([], "Which segments"),
        (["--all", "--segment", "B"], "already means every segment"),
        (["--all", "--holdout", "0.5"], "belong together"),
        (["--all", "--with", "mail"], "no column 'mail'"),
        (["--all", "--for", "fax"], "unknown importer"),
        (["--all", "--for", "meta", "--with", "spend"], "no column holds e-mail addresses"),
        (["--all", "--out", "site/list.csv"], "this folder is published"),
        (["--all", "--out", "_site/site/list.csv"], "this folder is published"),
        (["--all", "--out", "list.csv"], "git would commit"),
        (["--all", "--out", "exports/list.doc"], "not a supported format"),
        (["--all", "--to", "nonsense://x"], "address cannot be read"),
        (["--all", "--to", "sqlite:///x.db", "--table", "a; drop"], "no name of a table"),
    ],
)
def test_a_mistake_is_one_message_and_nothing_is_written(shop: Path, arguments: list[str], message: str) -> None:
    before = sorted(shop.rglob("*"))
    with pytest.raises(InputError, match=message):
        run("export", *arguments)
    assert sorted(shop.rglob("*")) == before


def test_a_study_without_key_exports_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finish(tmp_path, key=None))
    with pytest.raises(InputError, match="have no key"):
        run("export", "--all")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [("consent", "agree"), ("suppress", "data/none.csv")])
def test_consent_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.chdir(finish(tmp_path, **{name: value}))
    with pytest.raises(InputError, match=f"segmentation.{name}: '{value}' is neither a file nor a column"):
        run("export", "--all")


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    refused=st.sets(st.integers(0, 29), max_size=29),
    stopped=st.sets(st.integers(0, 29), min_size=1, max_size=29),
    suffix=st.sampled_from(files.FORMATS),
    tool=st.sampled_from(["", *IMPORTERS]),
    word=st.sampled_from(["no", "", "unknown", "0"]),
)
def test_nobody_who_opted_out_is_in_any_file(
    refused: set[int], stopped: set[int], suffix: str, tool: str, word: str
) -> None:
    members = make_members(30)
    customers = make_customers(members["key"]).assign(agreed=[word if i in refused else "yes" for i in range(30)])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = finish(Path(folder), members, customers, consent="agreed", suppress="data/stop.csv")
        (root / "data/stop.csv").write_text("id\n" + "".join(f"K{i:05d}\n" for i in sorted(stopped)))
        patch.chdir(root)
        contacts = ["--for", tool] if tool else ["--with", "email,phone"]
        run("export", "--all", *contacts, "--out", f"exports/all{suffix}")
        table = READERS[suffix](root / f"exports/all{suffix}")
        there = {str(value) for column in table for value in table[column]}
    emails = [str(email) for email in customers["email"]]
    for i in range(30):
        known = {members["key"][i], emails[i], emails[i].lower(), sha256(emails[i].lower())}
        assert bool(known & there) == (i not in refused | stopped)
