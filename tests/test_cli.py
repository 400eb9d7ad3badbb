"""The commands as a user meets them: what they print, what they leave alone, how they end."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from analysis.cli import main
from analysis.publish.render import build_lock
from analysis.settings.load import merge
from tests.conftest import BuiltSite, run_analysis

pytestmark = pytest.mark.parametrize("built_site", ["few customers"], indirect=True)

DATA = Path("data/marketing_campaign.csv")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def finished(built_site: BuiltSite, tmp_path: Path) -> Path:
    """Copy a project that was built and rendered, so that a test may spoil it."""
    unused = shutil.ignore_patterns("kept", "test_*.py")
    return Path(shutil.copytree(built_site.root, tmp_path / "project", ignore=unused))


@pytest.fixture
def run(finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command within this process, in the finished project."""
    for name in [n for n in os.environ if n.startswith(("QUARTO", "SEGMENTATION"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEGMENTATION_EFFORT", "test")
    monkeypatch.chdir(finished)

    def command(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["analysis", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Ended(int(ended.value.code or 0), shown.out, shown.err)

    return command


def state(root: Path) -> dict[str, tuple[bytes, int]]:
    """Give bytes and time of every file, the lock left out."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock" and "__pycache__" not in path.parts
    }


def assert_refused(ended: Ended, *words: str) -> None:
    """Exit code 2 and one message of one to five lines that names what is wrong; nothing that sounds like success."""
    assert ended.code == 2, ended
    assert ended.out == ""
    assert 1 <= len(ended.err.strip().splitlines()) <= 5, ended.err
    assert "Traceback" not in ended.err and "Error:" not in ended.err
    for word in words:
        assert word in ended.err


def change_settings(root: Path, **changes: Any) -> None:
    path = root / "_quarto.yml"
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    project["segmentation"] = merge(project["segmentation"], changes)
    path.write_text(yaml.safe_dump(project, sort_keys=False, allow_unicode=True), encoding="utf-8")


def change_table(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Replace the data by a changed copy; without its truth it is nobody's twin."""
    table = pd.read_csv(root / DATA, sep="\t")
    change(table).to_csv(root / DATA, sep="\t", index=False)


def picture() -> bytes:
    """Make a PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def a_directory(root: Path) -> None:
    (root / DATA).unlink()
    (root / DATA).mkdir()


Spoil = Callable[[Path], object]
UNUSABLE_DATA: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "empty": (lambda r: (r / DATA).write_bytes(b""), ("marketing_campaign.csv", "empty")),
    "blank lines": (lambda r: (r / DATA).write_bytes(b"\n\n\n"), ("marketing_campaign.csv",)),
    "names of columns only": (lambda r: change_table(r, lambda t: t.head(0)), ("marketing_campaign.csv",)),
    "one row": (lambda r: change_table(r, lambda t: t.head(1)), ("marketing_campaign.csv", "one row")),
    "a folder": (a_directory, ("marketing_campaign.csv", "folder")),
    "a picture": (lambda r: (r / DATA).write_bytes(picture()), ("marketing_campaign.csv",)),
    "a page of the web": (
        lambda r: (r / DATA).write_text("<!DOCTYPE html><html><body>Log in</body></html>"),
        ("marketing_campaign.csv",),
    ),
    "a misspelt column": (
        lambda r: change_table(r, lambda t: t.rename(columns={"MntWines": "MntWine"})),
        ("marketing_campaign.csv", "'MntWines'", "Did you mean 'MntWine'"),
    ),
    "no key": (lambda r: change_table(r, lambda t: t.drop(columns="ID")), ("marketing_campaign.csv", "'ID'")),
    "words for numbers": (
        lambda r: change_table(r, lambda t: t.assign(MntWines="a lot of it")), ("MntWines",),
    ),
    "the same customer in every row": (lambda r: change_table(r, lambda t: pd.concat([t.head(1)] * 200)), ("ID",)),
}  # fmt: skip
UNUSABLE_SETTINGS: dict[str, tuple[Spoil, tuple[str, ...]]] = {
    "an unknown setting": (
        lambda r: change_settings(r, segmnts=4),
        ("_quarto.yml", "segmentation.segmnts", "Did you mean 'segments'?"),
    ),
    "one segment": (lambda r: change_settings(r, segments=1), ("_quarto.yml", "segmentation.segments", "1")),
    "5000 segments": (lambda r: change_settings(r, segments=5000), ("segmentation.segments", "5000")),
    "more segments than customers allow": (lambda r: change_settings(r, segments=18), ("300", "18")),
    "an unknown algorithm": (lambda r: change_settings(r, algorithm="kmean"), ("segmentation.algorithm", "kmeans")),
    "an unknown value": (lambda r: change_settings(r, value="spent"), ("segmentation.value", "'spend'")),
    "a formula with an unknown column": (
        lambda r: change_settings(r, features={"spend": {"formula": "MntWines + MntFruit"}}),
        ("MntFruit", "Did you mean 'MntFruits'?"),
    ),
    "a formula that is none": (
        lambda r: change_settings(r, features={"spend": {"formula": "__import__('os')"}}),
        ("segmentation.features.spend",),
    ),
    "no block": (
        lambda r: (r / "_quarto.yml").write_text("project: {type: website}\n"), ("_quarto.yml", "segmentation"),
    ),
    "no YAML": (
        lambda r: (r / "_quarto.yml").write_text("project:\n  type: [website\nformat: html\n"),
        ("_quarto.yml, line", "YAML"),
    ),
    "no settings file": (lambda r: (r / "_quarto.yml").unlink(), ("_quarto.yml",)),
    "a broken playbook": (
        lambda r: (r / "templates/playbook.yml").write_text("- when: [\n"), ("playbook.yml",),
    ),
    "a rule without an action": (
        lambda r: (r / "templates/playbook.yml").write_text("- when: segment.share > 0\n"), ("playbook.yml", "action"),
    ),
    "a rule of an effort that there is not": (
        lambda r: (r / "templates/playbook.yml").write_text(
            "- when: segment.share > 0\n  action: a\n  reason: b\n  measure: c\n  avoid: d\n  effort: tiny\n"
        ),
        ("playbook.yml, line 6", "effort", "'low', 'medium' or 'high'"),
    ),
    "a misspelt number in a reason": (
        lambda r: (r / "templates/playbook.yml").write_text(
            "- {when: segment.share > 0, action: a, reason: 'b {wine_share.medain}', measure: c, avoid: d}\n"
        ),
        ("playbook.yml, line 1", "'wine_share.medain'", "Did you mean 'wine_share.median'?"),
    ),
    "a misspelt number in a condition": (
        lambda r: (r / "templates/playbook.yml").write_text(
            "- {when: wine_share.meen > 0, action: a, reason: b, measure: c, avoid: d}\n"
        ),
        ("playbook.yml, line 1", "'wine_share.meen'", "Did you mean 'wine_share.mean'?"),
    ),
    "a rule that cannot be read": (
        lambda r: (r / "templates/playbook.yml").write_text(
            "- {when: segment.share >, action: a, reason: b, measure: c, avoid: d, effort: low}\n"
        ),
        ("playbook.yml", "segment.share >"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE_DATA)
def test_data_that_cannot_be_used_change_nothing(name: str, finished: Path, run: Run) -> None:
    spoil, words = UNUSABLE_DATA[name]
    (finished / "data/truth.csv").unlink()
    spoil(finished)
    before = state(finished)
    assert_refused(run("build"), *words)
    assert state(finished) == before


@pytest.mark.parametrize("name", UNUSABLE_SETTINGS)
def test_settings_that_cannot_be_used_change_nothing(
    name: str, finished: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, words = UNUSABLE_SETTINGS[name]
    spoil(finished)
    before = state(finished)
    assert_refused(run("build"), *words)
    assert state(finished) == before


@pytest.mark.parametrize("name", ["missing.csv", "no/such/folder/data.parquet", "templates"])
def test_a_data_file_that_is_not_there_is_named(name: str, finished: Path, run: Run) -> None:
    before = state(finished)
    assert_refused(run("build", "--data", name), name)
    assert state(finished) == before


def test_an_unknown_profile_is_named(finished: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTO_PROFILE", "nowhere")
    before = state(finished)
    assert_refused(run("build"), "'nowhere'", "_quarto-nowhere.yml")
    assert state(finished) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("render", "--engine", "latex"), ("latex", "smalldocs")),
        (("render", "--out", "."), ("cannot be the folder of the site",)),
        (("render", "--out", "site.tar.gz"), ("site.tar.gz", ".zip")),
        (("render", "--out", "site.ZIP"), ("site.ZIP", ".zip")),
        (("render", "--out", "nowhere/site.zip"), ("nowhere does not exist",)),
        (("check", "--site", "nowhere"), ("nowhere",)),
        (("score", "nobody.csv"), ("nobody.csv",)),
        (("score", str(DATA), str(DATA)), ("2 files given", "marketing_campaign (customers)")),
        (("score", str(DATA), "--out", "templates"), ("--out templates", "folder", ".csv or .parquet")),
        (("score", str(DATA), "--out", "scores.xlsx"), ("--out scores.xlsx", "'.xlsx'", ".csv", ".parquet")),
        (("score", str(DATA), "--out", "scores.txt"), ("--out scores.txt", "'.txt'", ".csv", ".parquet")),
        (("score", str(DATA), "--out", "scores"), ("--out scores", "no suffix", ".csv", ".parquet")),
        (("score", str(DATA), "--out", "README.md/scores.csv"), ("README.md is a file",)),
        (("history", "--from", ""), ("The address is missing", "make history SITE=https://")),
        (("history", "--from", "example.org"), ("--from example.org", "https://")),
        (("history", "--from", "http://127.0.0.1:9"), ("http://127.0.0.1:9/site/history/index.json", "refused")),
        (("demo", "--customers", "0", "--out", "twin"), ("0",)),
        (("demo", "--customers", "-5", "--out", "twin"), ("-5",)),
        (("demo", "--customers", "20", "--out", "_quarto.yml/twin"), ("_quarto.yml/twin",)),
    ],
    ids=" ".join,
)
def test_arguments_that_cannot_be_used_change_nothing(
    arguments: tuple[str, ...], words: tuple[str, ...], finished: Path, run: Run
) -> None:
    before = state(finished)
    assert_refused(run(*arguments), *words)
    assert state(finished) == before


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("biuld",), "biuld"),
        (("build", "--dat", "x.csv"), "--dat"),
        (("demo", "--customers", "many"), "--customers"),
        (("score",), "Missing argument"),
    ],
)
def test_a_mistyped_command_is_refused(arguments: tuple[str, ...], word: str, finished: Path, run: Run) -> None:
    before = state(finished)
    ended = run(*arguments)
    assert ended.code == 2
    assert ended.out == "" and "Traceback" not in ended.err
    assert word in ended.err
    assert state(finished) == before


def test_a_second_build_touches_nothing(finished: Path, run: Run) -> None:
    before = state(finished)
    ended = run("build")
    assert ended.code == 0
    assert "Nothing changed" in ended.out and "synthetic demonstration data" in ended.out
    assert state(finished) == before


def test_another_build_at_work_is_told(finished: Path, run: Run) -> None:
    before = state(finished)
    with build_lock(finished):
        assert_refused(run("build", "--force"), "Another build")
        assert_refused(run("render", "--engine", "smalldocs"), "Another build")
    assert state(finished) == before


def test_a_site_of_ours_may_be_published(run: Run) -> None:
    ended = run("check")
    assert ended.code == 0
    assert ended.out == "_site may be published.\n"


LEAKS = {
    "contacts": "<p>Write to anna.becker@posteo.de about it.</p>",
    "off-host": '<img src="https://counter.example.net/p.gif" alt="">',
    "links": '<a href="gone.html">Gone</a>',
    "active-text": '<p onclick="pwned()">Text</p>',
}


@pytest.mark.parametrize("rule", LEAKS)
def test_a_planted_leak_is_refused_with_its_place(rule: str, finished: Path, run: Run) -> None:
    page = finished / "_site/site/evidence.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", f"\n{LEAKS[rule]}\n</main>"), encoding="utf-8")
    ended = run("check")
    assert ended.code == 3
    assert ended.out == ""
    line = next(i for i, text in enumerate(page.read_text(encoding="utf-8").split("\n"), 1) if LEAKS[rule] in text)
    assert f"site/evidence.html:{line}: {rule}: " in ended.err


def test_a_table_of_customers_keys_is_refused(finished: Path, run: Run) -> None:
    keys = pd.read_parquet(finished / "build/memberships.parquet")["key"].astype(str)[:30]
    folder = finished / "_site/site/downloads"
    folder.mkdir(exist_ok=True)
    (folder / "segments.csv").write_text("customer,segment\n" + "".join(f"{key},1\n" for key in keys))
    ended = run("check")
    assert ended.code == 3
    assert "site/downloads/segments.csv:" in ended.err and ": keys: " in ended.err


def test_a_leak_in_the_pages_keeps_the_last_site(finished: Path, run: Run) -> None:
    page = finished / "site/manual/reproduce.qmd"
    page.write_text(page.read_text(encoding="utf-8") + "\nAsk anna.becker@posteo.de.\n", encoding="utf-8")
    before = state(finished / "_site")
    ended = run("render", "--engine", "smalldocs")
    assert ended.code == 3
    assert "contacts" in ended.err and "Open " not in ended.out
    assert state(finished / "_site") == before


def test_rendering_says_where_to_open_what_rendered_it_and_on_which_data(run: Run) -> None:
    ended = run("render", "--engine", "smalldocs")
    assert ended.code == 0 and ended.err == ""
    for words in ("Open _site/index.html", "the embedded renderer, smalldocs", "synthetic demonstration data"):
        assert words in ended.out


def test_scores_agree_with_the_memberships(finished: Path, run: Run) -> None:
    ended = run("score", str(DATA))
    assert ended.code == 0
    scores = pd.read_csv(finished / "build/scores.csv", dtype={"key": str})
    names = ["key", "segment", "letter", "name", "slug", "confidence", "runner_up", "runner_up_letter", "unlike_anyone"]
    assert list(scores.columns) == names
    assert scores["confidence"].between(0.5, 1).all()
    assert (scores["segment"] != scores["runner_up"]).all()
    assert scores["unlike_anyone"].mean() < 0.05
    published = pd.read_parquet(finished / "build/memberships.parquet")
    both = scores.merge(published.assign(key=published["key"].astype(str)), on="key", suffixes=("", "_published"))
    assert len(both) == len(published) == len(scores)
    assert (both["segment"] == both["segment_published"]).all()


def test_new_customers_need_only_the_columns_that_form_segments(finished: Path, run: Run) -> None:
    table = pd.read_csv(finished / DATA, sep="\t").head(40)
    unused = ["Income", "Education", "Marital_Status", "Response", "Complain", "Dt_Customer", "Year_Birth"]
    table.drop(columns=unused).to_csv(finished / "new.csv", index=False)
    assert run("score", "new.csv", "--out", "new_scores.csv").code == 0
    assert len(pd.read_csv(finished / "new_scores.csv")) == 40


def test_one_customer_is_scored_and_rows_without_a_key_are_said(finished: Path, run: Run) -> None:
    table = pd.read_csv(finished / DATA, sep="\t").head(40).astype(object)
    table.head(1).to_csv(finished / "one.csv", index=False)
    assert run("score", "one.csv").out.startswith("1 customer scored into build/scores.csv")
    table.loc[[3, 5, 7], "ID"] = None
    table.to_csv(finished / "new.csv", index=False)
    ended = run("score", "new.csv")
    assert ended.code == 0 and ended.out.startswith("40 customers scored")
    assert "new.csv: 3 rows have no value in the key column 'ID'; they are placed, with an empty key." in ended.err
    assert pd.read_csv(finished / "build/scores.csv")["key"].isna().sum() == 3


def test_scores_are_written_as_the_file_is_named(finished: Path, run: Run) -> None:
    assert run("score", str(DATA), "--out", "new/scores.parquet").code == 0
    assert list(pd.read_parquet(finished / "new/scores.parquet").columns)[:3] == ["key", "segment", "letter"]


def test_a_column_that_scoring_needs_is_named(finished: Path, run: Run) -> None:
    pd.read_csv(finished / DATA, sep="\t").drop(columns="NumWebVisitsMonth").to_csv(finished / "new.csv", index=False)
    assert_refused(run("score", "new.csv"), "NumWebVisitsMonth")
    assert not (finished / "build/scores.csv").exists()


@pytest.mark.parametrize(
    ("file", "arguments"),
    [("report.json", ("render", "--engine", "smalldocs")), ("model.json", ("score", str(DATA)))],
)
def test_what_a_build_must_come_before_says_so(file: str, arguments: tuple[str, ...], finished: Path, run: Run) -> None:
    (finished / "build" / file).unlink()
    before = state(finished)
    assert_refused(run(*arguments), f"build/{file}", "python -m analysis build")
    assert state(finished) == before


@pytest.mark.parametrize("text", ["{", "{}", '{"schema_version": 1}', "[]"])
@pytest.mark.parametrize(
    ("file", "arguments"),
    [("report.json", ("render", "--engine", "smalldocs")), ("model.json", ("score", str(DATA)))],
)
def test_a_spoiled_file_of_the_build_is_named(
    file: str, arguments: tuple[str, ...], text: str, finished: Path, run: Run
) -> None:
    (finished / "build" / file).write_text(text)
    assert_refused(run(*arguments), f"build/{file}", "python -m analysis build")


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_a_spoiled_stamp_only_means_to_build_again(
    text: str, finished: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.commands import build

    (finished / "build/stamp.json").write_text(text)
    monkeypatch.setattr(build, "_make", lambda *_, **__: build.Built("data", False, fresh=True))
    ended = run("build")
    assert ended.code == 0 and "Built from" in ended.out


def test_the_demonstration_is_written_with_its_truth(finished: Path, run: Run) -> None:
    ended = run("demo", "--customers", "80", "--out", "twin")
    assert ended.code == 0
    assert "make site DATA=twin/marketing_campaign.csv" in ended.out
    table = pd.read_csv(finished / "twin/marketing_campaign.csv", sep="\t")
    truth = pd.read_csv(finished / "twin/truth.csv")
    assert table.shape == (80, 29)
    assert list(truth.columns) == ["ID", "segment"] and set(truth["ID"]) == set(table["ID"])


def test_without_kagglehub_the_way_by_hand_is_told(finished: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (finished / DATA).unlink()
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert_refused(run("data"), "kagglehub", "By hand", "marketing_campaign.csv", "data/")


def test_data_in_place_are_not_fetched_again(finished: Path, run: Run) -> None:
    before = state(finished)
    assert "is ready" in run("data").out
    assert state(finished) == before


def test_errors_of_a_real_process_go_to_standard_error(finished: Path) -> None:
    done = run_analysis(finished, "build", "--data", "missing.csv", check=False)
    assert_refused(Ended(done.returncode, done.stdout, done.stderr), "missing.csv")


def test_a_reader_that_stops_listening_is_no_fault(finished: Path) -> None:
    command = f"{sys.executable} -m analysis --help | true"
    done = subprocess.run(["sh", "-c", command], cwd=finished, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_site_in_one_file_is_held_against_the_gate(finished: Path, run: Run) -> None:
    shutil.make_archive(str(finished / "site-of-today"), "zip", finished / "_site")
    ended = run("check", "--site", "site-of-today.zip")
    assert (ended.code, ended.out) == (0, "site-of-today.zip may be published.\n")
    (finished / "half.zip").write_bytes((finished / "site-of-today.zip").read_bytes()[:5000])
    assert_refused(run("check", "--site", "half.zip"), "half.zip cannot be unpacked")


def test_where_the_site_cannot_be_written_is_said_before_the_build(finished: Path, run: Run) -> None:
    before = state(finished)
    assert_refused(run("build", "--force", "--out", "nowhere/site.zip"), "nowhere does not exist")
    assert state(finished) == before


def test_serving_is_not_offered_for_a_site_elsewhere(finished: Path, run: Run) -> None:
    out = finished.parent / "elsewhere"
    ended = run("render", "--engine", "smalldocs", "--out", str(out))
    assert ended.code == 0 and "elsewhere/index.html in a browser\n" in ended.out
    assert "make serve" not in ended.out
