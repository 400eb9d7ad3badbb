"""The gate reads slides, workbooks and zip files: a planted name is refused wherever it stands."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from analysis.publish.gate import archives
from analysis.publish.gate.checks import Private, check
from analysis.publish.offline import COPY, add_offline_copy

NAME = "Wilhelmina Oesterreicher-Quandt"
KEY = "C-104-2931"
PRIVATE = Private(frozenset({KEY, "C-104-2932"}), frozenset({NAME}), 10, frozenset({"ID"}))
PAGE = "<!DOCTYPE html><html lang='en'><title>x</title><p>x</p></html>"
Slide = Any


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make a site of one page."""
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "site" / "downloads").mkdir(parents=True)
    return tmp_path


def rules(site: Path, name: str, data: bytes) -> set[tuple[str, str]]:
    """Put a file into the downloads of a site, and return file and rule of each refusal."""
    place = site / "site" / "downloads" / name
    place.write_bytes(data)
    return {(refusal.file, refusal.rule) for refusal in check(site, PRIVATE)}


def deck(plant: Callable[[Any, Slide], None]) -> bytes:
    """Make slides of which one has a title, notes, a table and a chart, without the parts that are no XML."""
    file: Any = Presentation()
    for holder in (file.part.package, file.part):
        for name, relation in list(holder._rels.items()):
            if relation.reltype.endswith(("thumbnail", "printerSettings")):
                holder._rels.pop(name)
    slide: Any = file.slides.add_slide(file.slide_layouts[5])
    slide.shapes.title.text = "Segments"
    slide.notes_slide.notes_text_frame.text = "Source"
    plant(file, slide)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def in_runs(file: Any, slide: Slide) -> None:
    paragraph = slide.shapes.title.text_frame.paragraphs[0]
    for part in (" ", NAME[:7], NAME[7:12], NAME[12:]):
        paragraph.add_run().text = part


def in_notes(file: Any, slide: Slide) -> None:
    slide.notes_slide.notes_text_frame.text = f"Such as {NAME}."


def in_alt_text(file: Any, slide: Slide) -> None:
    slide.shapes.title._element.xpath(".//p:cNvPr")[0].set("descr", NAME)


def in_properties(file: Any, slide: Slide) -> None:
    file.core_properties.keywords = NAME


def in_table(file: Any, slide: Slide) -> None:
    table = slide.shapes.add_table(2, 1, Inches(1), Inches(1), Inches(3), Inches(1)).table
    table.cell(0, 0).text, table.cell(1, 0).text = "Segment", NAME


def in_chart(file: Any, slide: Slide) -> None:
    data = CategoryChartData()
    data.categories = [NAME, "Others"]
    data.add_series("Share", (1, 2))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Inches(1), Inches(1), Inches(3), Inches(2), data)


def in_workbook_of_chart(file: Any, slide: Slide) -> None:
    data = CategoryChartData()
    data.categories = ["A", "B"]
    data.add_series("Share", (1, 2))
    frame: Any = slide.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(1), Inches(3), Inches(2), data)
    frame.chart.part.chart_workbook.xlsx_part.blob = workbook(in_cell)


def in_comment_of_xml(file: Any, slide: Slide) -> None:
    from lxml import etree

    slide.shapes._spTree.append(etree.Comment(NAME))


def in_layout(file: Any, slide: Slide) -> None:
    shape = copy.deepcopy(slide.shapes.title._element)
    shape.xpath(".//a:p")[0].append(shape.makeelement(f"{{{shape.nsmap['a']}}}r", {}))
    shape.xpath(".//a:r")[-1].append(shape.makeelement(f"{{{shape.nsmap['a']}}}t", {}))
    shape.xpath(".//a:t")[-1].text = f" {NAME}"
    file.slide_layouts[5].shapes._spTree.append(shape)


DECKS = (
    in_runs,
    in_notes,
    in_alt_text,
    in_properties,
    in_table,
    in_chart,
    in_workbook_of_chart,
    in_comment_of_xml,
    in_layout,
)


@pytest.mark.parametrize("plant", DECKS, ids=lambda plant: plant.__name__)
def test_a_name_planted_in_slides_is_refused(plant: Callable[[Any, Slide], None], site: Path) -> None:
    assert rules(site, "deck.pptx", deck(lambda file, slide: None)) == set()
    assert rules(site, "deck.pptx", deck(plant)) == {("site/downloads/deck.pptx", "free-text")}


def workbook(plant: Callable[[Any, Any], None]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Segment", "Share"])
    sheet.append(["A", 0.5])
    plant(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_cell(book: Any, sheet: Any) -> None:
    sheet["A3"] = NAME


def in_sheet_name(book: Any, sheet: Any) -> None:
    sheet.title = NAME


def in_comment(book: Any, sheet: Any) -> None:
    sheet["A2"].comment = Comment(f"Such as {NAME}", "x")


def in_header(book: Any, sheet: Any) -> None:
    sheet.oddHeader.center.text = NAME


def in_hidden_sheet(book: Any, sheet: Any) -> None:
    other = book.create_sheet("More")
    other.sheet_state, other["Z99"] = "hidden", NAME


def in_validation(book: Any, sheet: Any) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet.add_data_validation(DataValidation(type="list", formula1=f'"A,{NAME}"', sqref="A2"))


BOOKS = (in_cell, in_sheet_name, in_comment, in_header, in_hidden_sheet, in_validation)


@pytest.mark.parametrize("plant", BOOKS, ids=lambda plant: plant.__name__)
def test_a_name_planted_in_a_workbook_is_refused(plant: Callable[[Any, Any], None], site: Path) -> None:
    assert rules(site, "book.xlsx", workbook(lambda book, sheet: None)) == set()
    assert rules(site, "book.xlsx", workbook(plant)) == {("site/downloads/book.xlsx", "free-text")}


def test_keys_and_small_counts_in_the_cells_of_a_workbook_are_refused(site: Path) -> None:
    def counts(*numbers: int) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["Segment", "Customers"])
            for row, n in enumerate(numbers, start=1):
                sheet.write_row(row, 0, ["ABC"[row - 1], n])
        return out.getvalue()

    file = "site/downloads/book.xlsx"
    assert rules(site, "book.xlsx", counts(40, 30)) == set()
    assert rules(site, "book.xlsx", counts(40, 3)) == {(file, "small-cells")}
    assert (file, "keys") in rules(site, "book.xlsx", workbook(lambda _, sheet: sheet.append([KEY, 1])))
    assert (file, "contacts") in rules(site, "book.xlsx", workbook(lambda _, s: s.append(["ann.lee@example.org", 1])))


def test_a_small_count_in_a_table_or_a_sentence_of_slides_is_refused(site: Path) -> None:
    def in_rows(file: Any, slide: Slide) -> None:
        table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(3), Inches(1)).table
        for place, text in enumerate(("Segment", "Customers", "A", "3")):
            table.cell(*divmod(place, 2)).text = text

    def in_words(file: Any, slide: Slide) -> None:
        slide.shapes.title.text = "Only 3 customers left"

    for plant in (in_rows, in_words):
        assert rules(site, "deck.pptx", deck(plant)) == {("site/downloads/deck.pptx", "small-cells")}


def zipped(**files: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


@pytest.mark.parametrize(
    "files",
    [
        {"page__html": PAGE.replace("<p>x", f"<p>{NAME}")},
        {"index__html": PAGE.replace("<p>x", f"<p>{NAME}")},
        {"table__csv": f"Segment,Note\nA,{NAME}\n"},
        {"script__js": f"// {NAME}"},
        {"page__html": f"<!DOCTYPE html><html lang='en'><title>x</title><script>var a = '{NAME}'</script></html>"},
        {"deck__pptx": deck(in_notes)},
        {"book__xlsx": workbook(in_cell)},
        {f"{NAME}__txt": "x"},
    ],
    ids=["new page", "changed page", "table", "script", "script of a page", "slides", "workbook", "name of a file"],
)
def test_a_name_planted_in_a_zip_is_refused(files: dict[str, str | bytes], site: Path) -> None:
    assert rules(site, "copy.zip", zipped(index__html=PAGE, page__html=PAGE)) == set()
    assert rules(site, "copy.zip", zipped(**files)) == {("site/downloads/copy.zip", "free-text")}


def test_a_name_in_the_comment_of_a_zip_is_refused(site: Path) -> None:
    out = io.BytesIO(zipped(index__html=PAGE))
    with zipfile.ZipFile(out, "a") as packed:
        packed.comment = NAME.encode()
    assert rules(site, "copy.zip", out.getvalue()) == {("site/downloads/copy.zip", "free-text")}


def test_what_the_offline_copy_repeats_is_read_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "site" / "downloads.html").write_text(PAGE, encoding="utf-8")
    add_offline_copy(site)
    found = list(archives.unpack((site / COPY).read_bytes(), site))
    assert found == []
    (site / "index.html").write_text(PAGE.replace("<p>x", f"<p>{NAME}"), encoding="utf-8")
    add_offline_copy(site)
    assert {refusal.file for refusal in check(site, PRIVATE)} == {"index.html"}


@pytest.mark.parametrize("name", ["deck.pptx", "book.xlsx", "copy.zip"])
def test_a_file_that_cannot_be_read_is_refused(name: str, site: Path) -> None:
    file = f"site/downloads/{name}"
    assert rules(site, name, b"PK nothing") == {(file, "unread")}
    assert rules(site, name, zipped(macros__bin="x")) == {(file, "unread")}
    if name == "copy.zip":
        assert rules(site, name, zipped(inner__zip=zipped(index__html=PAGE))) == {(file, "unread")}


def test_a_file_that_is_too_large_once_unpacked_is_refused(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1_000)
    assert rules(site, "copy.zip", zipped(long__txt="x" * 1_001)) == {("site/downloads/copy.zip", "unread")}
