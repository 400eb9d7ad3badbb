"""Slides: the words of the pages, native charts, a picture in proportion, texts that fit, the same bytes each time."""

from __future__ import annotations

import functools
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation
from pptx.util import Inches
from python_calamine import CalamineWorkbook

from analysis.base.locales import localized
from analysis.pages.assets import read_tokens
from analysis.pages.charts import compare_worth
from analysis.pages.charts import persona as profile
from analysis.pages.downloads.canvas import LINE, Line, fitted, n_lines, whole_parts, width_of
from analysis.pages.downloads.slides import average_height, draw_slides
from analysis.pages.figures import Figure, tag
from analysis.pages.text import act, evidence, persona
from analysis.pages.text.overview import block_heights, finding
from analysis.report.model import VERDICTS, Report, from_json, to_json
from tests.pages.test_book import HOSTILE, with_words
from tests.stages import ROOT, run_stages

TOKENS = read_tokens((ROOT / "site" / "assets" / "site.css").read_text(encoding="utf-8"))


def figures_of(report: Report) -> dict[str, Figure]:
    figures = [compare_worth.value_against_size(report), *(profile.persona_profile(report, s) for s in report.segments)]
    return {figure.id.removeprefix("chart-").replace("-", "_"): figure for figure in figures}


def drawn(report: Report) -> bytes:
    with localized(report.study.locale):
        return draw_slides(report, figures_of(report), TOKENS, "site/")


@functools.cache
def own() -> bytes:
    """Draw the slides of the synthetic study once."""
    return drawn(run_stages().report)


def opened(data: bytes) -> Any:
    return Presentation(io.BytesIO(data))


def texts_of(slide: Any) -> str:
    frames = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    cells = [cell.text for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    return "\n".join([*frames, *cells])


def charts_of(slide: Any) -> list[Any]:
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def without_groups(report: Report) -> Report:
    title, sentence = VERDICTS["none"]
    verdict = replace(report.verdict, kind="none", title=title, sentence=sentence, headline="No groups stand out.")
    return replace(report, verdict=verdict, segments=tuple(replace(s, plan=()) for s in report.segments))


def without_value(report: Report) -> Report:
    segments = tuple(replace(s, value_share=None, value_total=None) for s in report.segments)
    return replace(
        report, study=replace(report.study, value=None, as_of=""), value_total=None, segments=segments, expected=None
    )


@pytest.mark.slow
def test_a_deck_has_the_finding_the_picture_the_personas_the_plan_the_trust_and_an_appendix() -> None:
    report = run_stages().report
    titles = [slide.shapes.title.text for slide in opened(own()).slides]
    names = [s.name for s in report.segments]
    head = [report.study.title, figures_of(report)["value_size"].title, *names, "What to do first"]
    assert titles[: len(head) + 1] == [*head, "How far to trust this"]
    appendix = titles[len(head) + 1 :]
    assert appendix and all(title.startswith("Appendix: ") for title in appendix)


@pytest.mark.slow
def test_slides_have_the_words_of_the_pages() -> None:
    report = run_stages().report
    slides = list(opened(own()).slides)
    assert finding(report) in texts_of(slides[0]) and report.verdict.sentence in texts_of(slides[0])
    for s, slide in zip(report.segments, slides[2:], strict=False):
        text, start = texts_of(slide), act.first_slot(report, s)
        assert s.one_line in text
        assert start is None or start.action in text
        for fact in s.portrait.facts[:4]:
            assert fact.figure in text and fact.label in text
        whole = " ".join(x.text for part in s.portrait.paragraphs for x in part.sentences)
        assert whole.replace("\xa0", " ") in slide.notes_slide.notes_text_frame.text.replace("\n", " ").replace(
            "\xa0", " "
        )
    plan, trust = slides[2 + len(report.segments) :][:2]
    assert all(row.slot.action in texts_of(plan) for row in act.first_rows(report))
    assert " ".join(evidence.decision_words(report)) in texts_of(trust)


@pytest.mark.slow
def test_each_slide_says_where_it_is_from_and_its_charts_have_a_text() -> None:
    report = run_stages().report
    for slide in opened(own()).slides:
        notes = slide.notes_slide.notes_text_frame.text
        assert report.study.title in notes and "Page: site/" in notes
        for shape in slide.shapes:
            if shape.has_chart:
                assert shape._element.xpath(".//p:cNvPr")[0].get("descr")


@pytest.mark.slow
def test_the_chart_of_a_persona_is_native_and_its_workbook_holds_the_differences() -> None:
    report = run_stages().report
    for s, slide in zip(report.segments, list(opened(own()).slides)[2:], strict=False):
        chart = charts_of(slide)[0]
        shown = dict(zip(chart.plots[0].categories, chart.plots[0].series[0].values, strict=True))
        held = {v.label: d.z for v in report.forming() if (d := s.difference(v.name))}
        assert shown and all(held[label] == pytest.approx(z, abs=1e-4) for label, z in shown.items() if label in held)
        assert max(map(abs, shown.values())) == pytest.approx(max(map(abs, held.values())), abs=1e-4)
        assert f"{chart.series[0].format.fill.fore_color.rgb}" == s.colour.removeprefix("#").upper()
        book = CalamineWorkbook.from_filelike(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
        rows = book.get_sheet_by_index(0).to_python()[1:]
        assert {row[0]: row[1] for row in rows} == {label: pytest.approx(z) for label, z in shown.items()}


def test_the_mix_of_a_persona_is_told_beside_everyone() -> None:
    report = run_stages().report
    some = [s for s in report.segments if s.portrait.mixes]
    assert some
    slide = list(opened(own()).slides)[1 + some[0].id]
    mix = charts_of(slide)[1]
    parts = some[0].portrait.mixes[0].parts
    assert [one.name for one in mix.series] == [part.title for part in parts]
    assert [one.values[0] for one in mix.series] == [pytest.approx(part.share, abs=1e-4) for part in parts]
    assert [one.values[1] for one in mix.series] == [pytest.approx(part.everyone, abs=1e-4) for part in parts]


def test_blocks_are_as_wide_as_customers_and_as_large_as_value() -> None:
    report = run_stages().report
    slide = opened(own()).slides[1]
    named = {shape._element.xpath(".//p:cNvPr")[0].get("descr", "").partition(": ")[0]: shape for shape in slide.shapes}
    blocks = [named[tag(s)] for s in report.segments]
    gap = Inches(0.04)
    widths = [(block.width + gap) / s.share for block, s in zip(blocks, report.segments, strict=True)]
    assert widths == [pytest.approx(widths[0], rel=0.01)] * len(widths)
    areas = [(b.width + gap) * b.height / (s.value_share or 1) for b, s in zip(blocks, report.segments, strict=True)]
    assert areas == [pytest.approx(areas[0], rel=0.03)] * len(areas)
    assert len({block.top + block.height for block in blocks}) == 1


def test_the_line_of_the_average_customer_cuts_off_as_much_as_it_leaves_out() -> None:
    segments = run_stages().report.segments
    heights, line = block_heights(segments), average_height(segments)
    assert line is not None
    assert sum(s.share * h for s, h in zip(segments, heights, strict=True)) == pytest.approx(
        line * sum(s.value_share or 0 for s in segments), rel=1e-6
    )


@pytest.mark.slow
def test_without_a_value_blocks_have_one_height_and_the_slide_says_so() -> None:
    bare = without_value(run_stages().report)
    assert len(set(block_heights(bare.segments))) == 1 and average_height(bare.segments) is None
    deck = opened(drawn(bare))
    text = texts_of(deck.slides[1])
    assert "do not say what each is worth" in text and "Dashed" not in text
    assert "as of" not in text and all("Prize" not in texts_of(slide) for slide in deck.slides)


@pytest.mark.slow
def test_a_study_without_groups_has_no_personas_and_no_plan() -> None:
    report = without_groups(run_stages().report)
    slides = list(opened(drawn(report)).slides)
    assert [slide.shapes.title.text for slide in slides] == [
        report.study.title,
        "What was looked for",
        "How far to trust this",
        "Appendix: data and method",
    ]
    whole = "\n".join(map(texts_of, slides))
    assert persona.searched(report) in whole
    assert all(line in whole for line in [*persona.bands(report), *persona.would_help(report)])
    assert not any(s.name in whole for s in report.segments) and not any(map(charts_of, slides))


@pytest.mark.slow
def test_the_same_report_gives_the_same_bytes_and_no_time_of_its_making() -> None:
    report = from_json(to_json(run_stages().report))
    assert drawn(report) == drawn(report)
    with zipfile.ZipFile(io.BytesIO(drawn(report))) as packed:
        books = [packed.read(name) for name in packed.namelist() if name.endswith(".xlsx")]
        cores = [packed.read("docProps/core.xml")]
        assert books
        for book in books:
            with zipfile.ZipFile(io.BytesIO(book)) as inner:
                cores.append(inner.read("docProps/core.xml"))
                assert {entry.date_time for entry in inner.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert all(f"{report.study.as_of}T00:00:00Z".encode() in core for core in cores)


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 5])
def test_hostile_words_stay_words(first: int) -> None:
    report = with_words(run_stages().report, lambda i: f"{HOSTILE[(first + i) % len(HOSTILE)]}\x00\ufffe {i}"[:90])
    for slide in opened(drawn(report)).slides:
        assert not any("hlinkClick" in part.tag for part in slide._element.iter() if isinstance(part.tag, str))
        assert not [rel for rel in slide.part.rels.values() if rel.is_external]


def boxes(deck: Any) -> Iterator[tuple[str, float, float, list[Line]]]:
    """Yield name, width and height in inches, and the lines of every text box."""
    for number, slide in enumerate(deck.slides, 1):
        for shape in slide.shapes:
            if shape.has_text_frame:
                runs = [run for paragraph in shape.text_frame.paragraphs for run in paragraph.runs]
                lines = [Line(run.text, run.font.size.pt, bool(run.font.bold)) for run in runs]
                yield f"slide {number}: {shape.text_frame.text[:40]}", shape.width.inches, shape.height.inches, lines


@pytest.mark.slow
@pytest.mark.parametrize("long", [False, True], ids=["own words", "long words"])
def test_every_text_fits_its_box_and_every_shape_its_slide(long: bool) -> None:
    report = run_stages().report
    if long:
        report = with_words(report, lambda i: f"{'Wholesale customers of the northern branch office ' * 4}{i}")
    deck = opened(drawn(report) if long else own())
    for name, width, height, lines in boxes(deck):
        tall = sum(n_lines(x.text, width, x.size, x.bold) * LINE * x.size / 72 for x in lines)
        assert tall <= height + 0.05, name
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
            assert shape.top >= 0 and shape.top + shape.height <= deck.slide_height


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), min_size=1, max_size=4), st.floats(0.5, 8), st.floats(0.3, 4))
def test_a_text_is_shrunk_or_cut_until_it_fits(texts: list[str], width: float, height: float) -> None:
    found = fitted([Line(text, 14, before=4) for text in texts], width, height)
    tall = sum(n_lines(x.text, width, x.size) * LINE * x.size + x.before for x in found) / 72
    assert tall <= height + 1e-6 or len(found) == 1
    for line, text in zip(found, texts, strict=False):
        assert line.text.endswith("…") or len(line.text) <= len(text)


def test_parts_are_shown_whole_or_not_at_all() -> None:
    parts = [(Line("Who", 12, True), Line("word " * 60, 12)) for _ in range(9)]
    shown = whole_parts(parts, 5.9, 2.4)
    assert 2 <= len(shown) < 18 and len(shown) % 2 == 0
    assert len(whole_parts(parts, 5.9, 0.1)) == 2


def test_wide_letters_count_as_wide() -> None:
    assert width_of("顧客", 12) > 1.5 * width_of("ab", 12)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_shows_as_many_pages_as_there_are_slides(tmp_path: Path) -> None:
    import pypdf

    (tmp_path / "deck.pptx").write_bytes(own())
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", tmp_path, tmp_path / "deck.pptx"], check=True, capture_output=True)
    assert len(pypdf.PdfReader(tmp_path / "deck.pdf").pages) == len(opened(own()).slides)


@pytest.mark.slow
def test_numbers_are_written_as_the_locale_says() -> None:
    content = json.loads(to_json(run_stages().report))
    content["study"]["locale"] = "de"
    german = "\n".join(map(texts_of, opened(drawn(from_json(json.dumps(content)))).slides))
    english = "\n".join(map(texts_of, opened(own()).slides))
    assert "\xa0%" in german and "\xa0%" not in english
