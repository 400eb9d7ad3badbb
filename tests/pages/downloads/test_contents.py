"""The Downloads page names every file that is there, with its size, and nothing that is not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from analysis.pages.book import write_pages
from analysis.pages.downloads import contents, takeaways
from analysis.report.model import Report
from tests.pages.downloads.test_slides import without_groups
from tests.stages import ROOT, plain_pages, run_stages

LINKED = re.compile(r'<a href="downloads/([^"]+)" download>')


def written(report: Report, root: Path, briefs: bool = False) -> str:
    """Write the pages of a report and return the Downloads page."""
    if not (root / "templates").exists():
        shutil.copytree(ROOT / "templates", root / "templates")
        (root / "site" / "assets").mkdir(parents=True)
        shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")
    with plain_pages() as patch:
        if briefs:
            names = ("brief.pdf", "card.png", f"brief-{report.segments[0].slug}.pdf")
            made = [root / "site" / "downloads" / name for name in names]

            def write_briefs(*_: object) -> list[Path]:
                for file in made:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(b"x" * 1500)
                return made

            patch.setattr(takeaways, "write_briefs", write_briefs)
        write_pages(report, root)
    return (root / "site" / "downloads.qmd").read_text(encoding="utf-8")


@pytest.mark.slow
def test_each_file_is_linked_once_with_its_size(tmp_path: Path) -> None:
    report = run_stages().report
    page = written(report, tmp_path, briefs=True)
    files = {path.name: path.stat().st_size for path in (tmp_path / "site" / "downloads").iterdir()}
    assert sorted(LINKED.findall(page)) == sorted([*files, "site.zip"])
    text = page.replace("&#46;", ".")
    for name, size in files.items():
        after = text[text.index(f'"downloads/{name}"') :]
        assert after[: after.index("</li>")].endswith(f". {contents.tell_size(size)}</span>")


@pytest.mark.slow
def test_files_that_are_no_longer_made_go(tmp_path: Path) -> None:
    report = run_stages().report
    written(report, tmp_path, briefs=True)
    page = written(report, tmp_path)
    assert not list((tmp_path / "site" / "downloads").glob("brief*")) and "brief" not in page


@pytest.mark.slow
def test_a_study_without_groups_promises_no_personas(tmp_path: Path) -> None:
    page = written(without_groups(run_stages().report), tmp_path)
    assert "what was looked for" in page and "each persona" not in page and "actions" not in page


@pytest.mark.parametrize(
    ("size", "told"), [(1, "1 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (12_340_000, "12.3 MB")]
)
def test_sizes_are_read_in_the_larger_unit(size: int, told: str) -> None:
    assert contents.tell_size(size) == told
