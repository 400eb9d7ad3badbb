"""The kept copy of the last good site: made whole, put back whole, and never mistaken for a running render."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.base.errors import InputError
from analysis.publish.last_site import (
    MOST_SITES,
    begin,
    end,
    exchange,
    keep_site,
    list_files,
    make_hidden,
    put_back,
    recover,
    remove_leftovers,
    replace_folder,
    replacing,
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "_site"
    (site / "site").mkdir(parents=True)
    (site / "index.html").write_text("redirect", encoding="utf-8")
    (site / "site/index.html").write_text("first", encoding="utf-8")
    keep_site(tmp_path, site)
    return site


def ended_process() -> int:
    """Give the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_a_site_that_was_cleared_comes_back_whole(tmp_path: Path, site: Path) -> None:
    before = list_files(site)
    (site / "site/index.html").unlink()
    (site / "site/new.html").write_text("half", encoding="utf-8")
    assert put_back(tmp_path, site) == "The last good site was restored in _site."
    assert list_files(site) == before


def test_a_site_that_is_whole_is_left_alone(tmp_path: Path, site: Path) -> None:
    inode = site.stat().st_ino
    assert put_back(tmp_path, site) == "The last good site is in _site."
    assert site.stat().st_ino == inode


def test_the_newest_good_site_is_the_one_that_comes_back(tmp_path: Path, site: Path) -> None:
    (site / "site/index.html").write_text("second", encoding="utf-8")
    keep_site(tmp_path, site)
    (site / "site/index.html").write_text("broken", encoding="utf-8")
    put_back(tmp_path, site)
    assert (site / "site/index.html").read_text(encoding="utf-8") == "second"
    assert len(list(tmp_path.glob("build/last-site/*/copy-*"))) == 1


def test_refused_pages_go_where_they_can_be_read(tmp_path: Path, site: Path) -> None:
    (site / "site/index.html").write_text("a key", encoding="utf-8")
    put_back(tmp_path, site, refused=True)
    assert (tmp_path / "build/refused/site/index.html").read_text(encoding="utf-8") == "a key"
    assert (site / "site/index.html").read_text(encoding="utf-8") == "first"


def test_without_a_good_site_nothing_stays_in_its_place(tmp_path: Path) -> None:
    site = tmp_path / "_site"
    site.mkdir()
    (site / "index.html").write_text("a key", encoding="utf-8")
    assert put_back(tmp_path, site, refused=True) == "There is no earlier site to restore in _site."
    assert not site.exists()


def test_a_spoiled_copy_is_not_put_back(tmp_path: Path, site: Path) -> None:
    next(tmp_path.glob("build/last-site/*/copy-*/index.html")).write_text("cut", encoding="utf-8")
    (site / "index.html").unlink()
    assert "no earlier site" in put_back(tmp_path, site)
    assert (site / "site/index.html").is_file()


def test_after_a_killed_render_the_next_command_puts_the_site_back(tmp_path: Path, site: Path) -> None:
    before = list_files(site)
    begin(tmp_path, site, ended_process())
    (site / "site/index.html").write_text("half", encoding="utf-8")
    assert recover(tmp_path) == "The last render was interrupted. The last good site was restored in _site."
    assert list_files(site) == before
    assert recover(tmp_path) == ""


def test_a_site_that_is_gone_comes_back_without_a_mark(tmp_path: Path, site: Path) -> None:
    before = list_files(site)
    (site / "index.html").unlink()
    assert "The last good site was restored" in recover(tmp_path)
    assert list_files(site) == before


def test_a_file_that_was_deleted_by_hand_comes_back(tmp_path: Path, site: Path) -> None:
    before = list_files(site)
    (site / "site/index.html").unlink()
    assert "The last good site was restored" in recover(tmp_path)
    assert list_files(site) == before
    assert recover(tmp_path) == ""


def test_a_render_that_still_runs_is_left_alone(tmp_path: Path, site: Path) -> None:
    begin(tmp_path, site, os.getpid())
    (site / "site/index.html").write_text("half", encoding="utf-8")
    assert recover(tmp_path) == ""
    assert (site / "site/index.html").read_text(encoding="utf-8") == "half"
    end(tmp_path)


def test_a_swap_that_was_killed_half_way_is_completed_and_leaves_nothing(tmp_path: Path, site: Path) -> None:
    before = list_files(site)
    hidden = tmp_path / "._site-abcd1234"
    hidden.mkdir()
    site.rename(hidden / "last")
    begin(tmp_path, site, ended_process())
    recover(tmp_path)
    assert list_files(site) == before
    assert not hidden.exists()


def test_a_replacement_that_fails_leaves_its_mark_for_the_next_command(tmp_path: Path, site: Path) -> None:
    with pytest.raises(OSError, match="full"), replacing(tmp_path, site):
        raise OSError("disk full")
    assert (tmp_path / "build/last-site/running.json").is_file()


def test_copies_are_kept_for_the_last_output_folders(tmp_path: Path, site: Path) -> None:
    for n in range(MOST_SITES + 2):
        keep_site(tmp_path, tmp_path / f"site-{n}", site)
    assert len(list(tmp_path.glob("build/last-site/*/manifest.json"))) == MOST_SITES


def test_the_newest_copy_stays_where_the_clock_was_set_back(tmp_path: Path, site: Path) -> None:
    for n in range(MOST_SITES):
        keep_site(tmp_path, tmp_path / f"site-{n}", site)
    for manifest in tmp_path.glob("build/last-site/*/manifest.json"):
        os.utime(manifest, (4e9, 4e9))
    keep_site(tmp_path, tmp_path / "newest", site)
    shown = [manifest.read_text("utf-8") for manifest in tmp_path.glob("build/last-site/*/manifest.json")]
    assert len(shown) == MOST_SITES and any('"newest"' in text for text in shown)


def test_a_site_stands_in_its_place_at_every_moment_of_a_swap(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "index.html").write_text("next", encoding="utf-8")
    if not exchange(fresh, site):
        pytest.skip("this file system cannot exchange two folders")
    exchange(fresh, site)
    rename = Path.rename

    def watched(self: Path, target: Path) -> Path:
        assert (site / "index.html").is_file()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", watched)
    replace_folder(fresh, site, tmp_path / "last")
    assert (site / "index.html").read_text(encoding="utf-8") == "next"
    assert (tmp_path / "last/site/index.html").read_text(encoding="utf-8") == "first"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the system has no such place")
def test_a_place_where_no_folder_can_be_made_is_told_in_one_message() -> None:
    with pytest.raises(InputError, match="No folder can be made in /proc"):
        make_hidden(Path("/proc/_site"))


def test_hidden_folders_of_dead_renders_go_and_those_of_living_ones_stay(tmp_path: Path, site: Path) -> None:
    dead, living = (tmp_path / f"._site-{pid}-abcd1234" for pid in (ended_process(), os.getpid()))
    for folder in (dead, living):
        folder.mkdir()
    recover(tmp_path)
    assert not dead.exists() and living.exists()
    remove_leftovers(site, locked=True)
    assert not living.exists()
