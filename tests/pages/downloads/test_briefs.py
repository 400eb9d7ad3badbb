"""Briefs and picture cards: one tagged page and one picture each, words stay words, the gate reads them."""

from __future__ import annotations

import functools
import io
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from analysis.pages import book, drawings
from analysis.pages.downloads.briefs import (
    Brief,
    brief_files,
    compile_brief,
    home_address,
    persona_brief,
    study_brief,
    write_briefs,
)
from analysis.publish.gate.checks import Private, check
from analysis.publish.gate.pdfs import read_pdf
from analysis.report.model import Report
from tests.pages.test_book import HOSTILE, with_words
from tests.stages import ROOT, little_work, run_stages

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 60"><text y="30" font-family="x">Pictured</text></svg>'
TEMPLATES = ROOT / "templates" / "briefs"
KEY = "C-104-2931"


def all_briefs(report: Report) -> list[Brief]:
    with little_work() as patch:
        patch.setattr(book, "draw_pictures", lambda figures, *_: {f.id: SVG for f in figures})
        return list(book._Book(report, ROOT, "vega.js").briefs())


@functools.cache
def own_briefs() -> list[Brief]:
    """Make the briefs of the synthetic study once."""
    return all_briefs(run_stages().report)


def text_of(data: bytes) -> str:
    found, fault = read_pdf(data)
    assert fault == ""
    return " ".join(" ".join(text for _, text in found).split())


def pdf(brief: Brief, **changes: Any) -> bytes:
    return compiled(json.dumps({**brief.data, **changes}))


@functools.cache
def compiled(data: str) -> bytes:
    return compile_brief(str(TEMPLATES / "brief.typ"), data)


@pytest.mark.slow
def test_a_brief_is_one_tagged_page_of_a4_with_title_language_and_words_for_the_picture() -> None:
    report = run_stages().report
    found = own_briefs()
    assert [brief.name for brief in found] == ["", *(s.slug for s in report.segments)]
    for brief in found:
        data = pdf(brief)
        reader = pypdf.PdfReader(io.BytesIO(data), strict=True)
        (page,) = reader.pages
        assert [round(float(x)) for x in page.mediabox] == [0, 0, 595, 842]
        catalogue = reader.trailer["/Root"]
        assert catalogue["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in catalogue and catalogue["/Lang"] == "en"
        assert reader.metadata.title == brief.data["title"]
        assert reader.metadata.creation_date is None and b"pdfuaid" in data.replace(b"\n", b"")
        text = text_of(data)
        assert " ".join(brief.data["alt"].split()) in text and "Pictured" in text


@pytest.mark.slow
def test_a_brief_holds_what_a_reader_needs() -> None:
    report = run_stages().report
    for s, brief in zip(report.segments, own_briefs()[1:], strict=True):
        text = text_of(pdf(brief)).replace("\xa0", " ")
        for words in (s.name, report.verdict.title, report.study.as_of, f"segments/{s.slug}.html", f"{s.n:,}"):
            assert words in text
        for slot in s.plan:
            assert slot.action in text and slot.prize[:30].replace("\xa0", " ") in text


@pytest.mark.slow
def test_the_same_report_gives_the_same_bytes_and_files_are_written_once(tmp_path: Path) -> None:
    found = own_briefs()[:1]
    files = write_briefs(found, tmp_path, TEMPLATES)
    assert [file.name for file in files] == list(brief_files(""))
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in files]
    write_briefs(found, tmp_path, TEMPLATES)
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in files] == before


@pytest.mark.slow
def test_a_card_is_a_picture_of_1200_by_630(tmp_path: Path) -> None:
    for brief in own_briefs()[:2]:
        data = compile_brief(str(TEMPLATES / "card.typ"), json.dumps(brief.data))
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", data[16:24]) == (1200, 630)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    ['#read("/etc/passwd") #panic("x")', "*bold* _it_ $x^2$ = heading", '#eval("1+1") <label> @ref `raw` \\u{41}'],
)
def test_words_are_printed_and_never_run(words: str) -> None:
    report = with_words(run_stages().report, lambda i: words)
    for brief in all_briefs(report)[:2]:
        text = text_of(pdf(brief))
        assert words.split()[0] in text


@pytest.mark.slow
def test_hostile_words_of_any_script_make_one_page_and_a_picture() -> None:
    report = with_words(run_stages().report, lambda i: f"{HOSTILE[i % len(HOSTILE)]} {i}")
    for brief in all_briefs(report):
        assert len(pypdf.PdfReader(io.BytesIO(pdf(brief))).pages) == 1
        assert compile_brief(str(TEMPLATES / "card.typ"), json.dumps(brief.data)).startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["title", "lead", "alt", "address", "story", "picture"])
def test_the_gate_finds_a_key_anywhere_in_a_brief(place: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!DOCTYPE html><html lang='en'><title>x</title><p>x</p></html>")
    brief = own_briefs()[1]
    private = Private(frozenset({KEY, "C-104-2932"}), frozenset(), 10, frozenset({"ID"}))
    file = tmp_path / "brief.pdf"
    file.write_bytes(pdf(brief))
    assert check(tmp_path, private) == []
    planted: Any = {"story": [f"Such as {KEY}."], "picture": SVG.replace("Pictured", KEY)}.get(place, f"Such as {KEY}.")
    file.write_bytes(pdf(brief, **{place: planted}))
    assert {refusal.rule for refusal in check(tmp_path, private)} == {"keys"}


def test_a_pdf_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!DOCTYPE html><html lang='en'><title>x</title><p>x</p></html>")
    (tmp_path / "brief.pdf").write_bytes(b"%PDF-1.7 nothing")
    private = Private(frozenset(), frozenset(), 10)
    assert {refusal.rule for refusal in check(tmp_path, private)} == {"unread"}


def test_the_address_is_that_of_the_settings(tmp_path: Path) -> None:
    assert home_address(tmp_path) == "site/"
    (tmp_path / "_quarto.yml").write_text("website: {site-url: https://shop.example/crm}\n", encoding="utf-8")
    assert home_address(tmp_path) == "https://shop.example/crm/site/"


def test_briefs_of_a_study_without_value_and_date_can_be_made() -> None:
    report = run_stages().report
    bare = replace(
        report,
        study=replace(report.study, value=None, as_of=""),
        value_total=None,
        segments=tuple(replace(s, value_share=None, value_total=None) for s in report.segments),
    )
    figure = next(drawings.draw_all(report))
    assert study_brief(bare, [], figure, SVG, "site/").data["right"][0]["columns"] == ["Segment", "Customers"]
    assert "as of" not in persona_brief(bare, bare.segments[0], "", figure, SVG, "").data["source"]
