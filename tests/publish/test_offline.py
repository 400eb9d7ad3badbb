"""The offline copy holds the rendered site, but not itself, and is the same each time."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from analysis.publish.approval import approve_folder
from analysis.publish.gate.checks import Private, check, write_private
from analysis.publish.offline import COPY, PAGE, add_offline_copy, pack_site
from analysis.publish.quarto import OUTPUT, WHOLE

DOWNLOADS = (
    "<!DOCTYPE html><html lang='en'><title>x</title><p>x</p><!-- online -->\n<p>"
    '<a href="downloads/site.zip" download>Copy</a> <span data-size="site.zip">ZIP</span></p>\n<!-- /online --></html>'
)


PRIVATE = Private(frozenset({"C-104-2931"}), frozenset(), 10)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make a site of two pages and a file."""
    folder = tmp_path / "site-of-two"
    for name, text in {"index.html": "<!DOCTYPE html><html lang='en'><title>x</title></html>", PAGE: DOWNLOADS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "site" / "downloads").mkdir()
    (folder / "site" / "downloads" / "rule.sql").write_text("select 1", encoding="utf-8")
    return folder


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as packed:
        return packed.namelist()


def test_the_copy_holds_the_site_in_order_without_itself_and_without_dates(site: Path) -> None:
    add_offline_copy(site)
    first = (site / COPY).read_bytes()
    assert names(site / COPY) == ["index.html", "site/downloads/rule.sql", PAGE]
    for path in site.rglob("*"):
        os.utime(path, (1, 1))
    add_offline_copy(site)
    assert (site / COPY).read_bytes() == first
    with zipfile.ZipFile(site / COPY) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_page_says_how_large_the_copy_is_and_the_page_in_it_does_not_offer_it(site: Path) -> None:
    add_offline_copy(site)
    page = (site / PAGE).read_text(encoding="utf-8")
    assert '<span data-size="site.zip">ZIP: all pages and all files. 1 kB</span>' in page
    with zipfile.ZipFile(site / COPY) as packed:
        inside = packed.read(PAGE).decode("utf-8")
    assert "site.zip" not in inside and "<p>x</p>" in inside


def test_a_site_with_its_copy_passes_the_gate_and_the_copy_equals_a_packed_site(site: Path, tmp_path: Path) -> None:
    add_offline_copy(site)
    assert check(site, PRIVATE) == []
    assert pack_site(site, tmp_path / "packed.zip").read_bytes() == (site / COPY).read_bytes()


def test_a_site_without_the_page_gets_no_copy(site: Path) -> None:
    (site / PAGE).unlink()
    add_offline_copy(site)
    assert not (site / COPY).exists()


@pytest.mark.parametrize("whole", [True, False], ids=["whole render", "first render of a page"])
def test_what_quarto_renders_by_itself_gets_the_copy_before_it_is_checked(
    whole: bool, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OUTPUT, str(site))
    monkeypatch.setenv(WHOLE, "1" if whole else "")
    write_private(tmp_path / "build", PRIVATE)
    assert approve_folder(tmp_path, site)
    assert names(site / COPY) == ["index.html", "site/assets/search-index.js", "site/downloads/rule.sql", PAGE]


def test_a_render_of_one_page_keeps_the_copy_that_is_there(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_offline_copy(site)
    before = (site / COPY).read_bytes()
    (site / "index.html").write_text("<!DOCTYPE html><html lang='en'><title>y</title></html>", encoding="utf-8")
    monkeypatch.setenv(OUTPUT, str(site))
    monkeypatch.delenv(WHOLE, raising=False)
    write_private(tmp_path / "build", PRIVATE)
    approve_folder(tmp_path, site)
    assert (site / COPY).read_bytes() == before
