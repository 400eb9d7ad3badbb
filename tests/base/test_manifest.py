"""Manifest of a build: what is missing or changed is noticed, and a file is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.base.errors import InputError, explain_disk
from analysis.base.manifest import STAMP, check_whole, find_changed, list_digests, write_whole


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("build/report.json", "site/index.qmd", "site/data.qmd"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    files = list_digests(tmp_path, tmp_path.rglob("*.*"))
    (tmp_path / STAMP).write_text(json.dumps({"files": files}), encoding="utf-8")
    return tmp_path


def test_a_whole_build_may_be_rendered(built: Path) -> None:
    check_whole(built)


@pytest.mark.parametrize("spoil", ["cut", "changed", "gone"])
def test_a_page_of_another_build_is_noticed(built: Path, spoil: str) -> None:
    page = built / "site/data.qmd"
    if spoil == "gone":
        page.unlink()
    else:
        page.write_text({"cut": "site", "changed": "SITE/data.qmd"}[spoil], encoding="utf-8")
    assert find_changed(built, json.loads((built / STAMP).read_text())["files"]) == ["site/data.qmd"]
    with pytest.raises(InputError, match=r"site/data\.qmd is missing or not what the last build wrote"):
        check_whole(built)


def test_a_build_without_its_record_was_interrupted(built: Path) -> None:
    (built / STAMP).unlink()
    with pytest.raises(InputError, match="was interrupted"):
        check_whole(built)


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "record.json"
    write_whole(file, b"first")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left") as told:
        write_whole(file, b"second")
    assert file.read_bytes() == b"first" and list(tmp_path.iterdir()) == [file]
    assert explain_disk(told.value).startswith(f"{file}: no space left on device. Free some space")
