"""Notes of the analyst: merged, kept, reported where lost, and inert in every way but plain Markdown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from analysis.base.errors import InputError
from analysis.pages import book
from analysis.pages.notes import as_html, find_lost, read_notes
from analysis.publish.render import render
from tests.pages.test_book import HOSTILE
from tests.small_studies import SHOP, build_quickly, build_report, write_study
from tests.stages import ROOT, plain_pages, run_stages

SAFE = re.compile(
    r"</?(?:p|strong|em|ul|li|blockquote|hr|br|code|pre|tr|thead|tbody|th|td|table|div|a|ol|h\d)"
    r"(?: (?:class|href|start|role|tabindex|aria-label)=\"[^\"<>]*\")*(?: /)?>"
)


def note(root: Path, name: str, text: str | bytes) -> Path:
    file = root / "site" / "notes" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def written(root: Path) -> Path:
    """Write the pages of a report into a folder that may hold notes."""
    shutil.copytree(ROOT / "templates", root / "templates", dirs_exist_ok=True)
    (root / "site" / "assets").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")
    with plain_pages():
        book.write_pages(run_stages().report, root)
    return root / "site" / "segments"


def test_markdown_of_a_note_is_read() -> None:
    html = str(as_html("# Calls\n\n1. **Ring** *early*\n2. `code`\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"))
    for part in ('<h3 class="no-anchor">Calls</h3>', "<strong>Ring</strong>", "<em>early</em>", "<code>code</code>"):
        assert part in html
    assert "<blockquote>" in html and '<table class="data">' in html and html.count("</div>") == 1


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("[a](https://shop.example/x)", "https://shop.example/x"),
        ("[a](../evidence.html#decision)", "../evidence.html#decision"),
        ("[a](other.html)", "other.html"),
        ("[a](javascript:alert)", None),
        ("[a](data:text/html,x)", None),
        ("[a](//evil.example)", None),
        ("[a](file:///etc/passwd)", None),
        ("![a](https://evil.example/x.png)", "https://evil.example/x.png"),
    ],
)
def test_links_lead_to_the_web_and_to_pages_and_nothing_is_loaded(text: str, address: str | None) -> None:
    import html

    found = re.findall(r'href="([^"]*)"', str(as_html(text)))
    assert [html.unescape(each) for each in found] == ([address] if address else [])
    assert "<img" not in str(as_html(text)) and "src=" not in str(as_html(text))


@pytest.mark.parametrize("payload", [*HOSTILE, "\n\n".join(HOSTILE), "    {{< env HOME >}}\n", "```{python}\nx\n```"])
def test_hostile_text_of_a_note_is_inert(payload: str) -> None:
    html = str(as_html(f"{payload}\n\n{payload} x"))
    rest = SAFE.sub("", html)
    assert not re.search(r"[<>{}`\[\]$@\\]", rest), rest
    assert not re.search(r"^\s*(?:---|:::|~~~)", rest, re.MULTILINE)


@pytest.mark.slow
def test_a_note_is_merged_into_its_page_and_kept_on_regeneration(tmp_path: Path) -> None:
    slug = run_stages().report.segments[0].slug
    file = note(tmp_path, f"{slug}.md", "Ring **early**.")
    for _ in range(2):
        folder = written(tmp_path)
        page = (folder / f"{slug}.qmd").read_text(encoding="utf-8")
        assert page.count("## Notes") == 1 and "<strong>early</strong>" in page
        assert file.read_text(encoding="utf-8") == "Ring **early**."
    other = (folder / f"{run_stages().report.segments[1].slug}.qmd").read_text(encoding="utf-8")
    assert "## Notes" not in other
    assert "Notes without a segment" not in (folder / "index.qmd").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_note_whose_segment_is_gone_is_told_on_the_personas_page(tmp_path: Path) -> None:
    note(tmp_path, "gone {{< env HOME >}}.md", "Was here.")
    page = (written(tmp_path) / "index.qmd").read_text(encoding="utf-8")
    assert "## Notes without a segment" in page and "- gone &#123;&#123;&#60; env HOME" in page
    assert find_lost(read_notes(tmp_path), ["a"]) == ["gone {{< env HOME >}}.md"]


def test_an_empty_note_is_none_and_one_that_is_no_text_is_told(tmp_path: Path) -> None:
    note(tmp_path, "a.md", " \n")
    assert read_notes(tmp_path) == {}
    note(tmp_path, "b.md", b"caf\xe9 \xff")
    with pytest.raises(InputError, match=r"site/notes/b\.md is not UTF-8"):
        read_notes(tmp_path)


def test_a_site_with_notes_renders_and_shows_hostile_words_as_words(project: Path) -> None:
    data = write_study(project, SHOP)
    slug = build_report(project, data).segments[0].slug
    note(project, f"{slug}.md", "Ring {{< env HOME >}} {{< include /etc/passwd >}} <script>alert(1)</script> **early**")
    note(project, "gone.md", "Was here.")
    told = build_quickly(project, data).told
    assert "site/notes/gone.md: no segment has this address; the note is kept and shown nowhere." in told
    render(project, project / "_site", "smalldocs")
    page = (project / "_site" / "site" / "segments" / f"{slug}.html").read_text(encoding="utf-8")
    assert "<strong>early</strong>" in page and "<script>alert(1)" not in page and "root:" not in page
    assert re.search(r"&#123;&#123;&#60; env HOME|\{\{&lt; env HOME", page)
