"""The workbook: numbers are numbers with the digits of the pages, texts stay texts, the same bytes each time."""

from __future__ import annotations

import functools
import io
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from pptx import Presentation

from analysis.pages.downloads.workbook import list_sheets, write_workbook
from analysis.pages.figures import tag
from analysis.pages.text import act
from analysis.pages.text.overview import finding
from analysis.report.model import Report, Weighting, from_json, to_json
from tests.pages.downloads.test_briefs import all_briefs
from tests.pages.downloads.test_slides import drawn, texts_of, without_groups, without_value
from tests.pages.test_book import HOSTILE, with_words
from tests.stages import run_stages


def opened(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


@functools.cache
def own() -> Any:
    """Write and open the workbook of the synthetic study once."""
    return opened(write_workbook(run_stages().report))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows()
    return [{title.value: cell for title, cell in zip(head, row, strict=True)} for row in rows]


def test_a_workbook_opens_on_the_finding_and_has_a_frozen_head_and_filters_on_each_table() -> None:
    report = run_stages().report
    names = ["About", "Segments", "Profiles", "Differences", "Actions", "Dictionary", "Columns"]
    assert own().sheetnames == names
    told = [cell.value for row in own()["About"].iter_rows() for cell in row if cell.value]
    assert finding(report) in told and set(names[1:]) <= set(told)
    for sheet in own().worksheets[1:]:
        assert sheet.freeze_panes in {"B2", "C2"} and sheet.auto_filter.ref


def test_files_of_a_weighted_survey_say_what_their_figures_stand_for() -> None:
    report = run_stages().report
    weighting = Weighting("household", 400, tuple(s.n for s in report.segments))
    weighted = replace(report, weighting=weighting)
    about = [cell.value for row in opened(write_workbook(weighted))["About"].iter_rows() for cell in row if cell.value]
    assert weighted.weight_note() in about
    slides = [texts_of(slide) for slide in Presentation(io.BytesIO(drawn(weighted))).slides]
    assert sum(weighted.weight_note() in text for text in slides) == 1
    assert all("by “household”. Aggregates only." in brief.data["source"] for brief in all_briefs(weighted))


def test_texts_stand_apart_from_the_numbers_beside_them() -> None:
    for sheet in own().worksheets[1:]:
        head, *rows = sheet.iter_rows()
        for place, title in enumerate(head):
            numeric = any(isinstance(row[place].value, int | float) for row in rows)
            assert title.alignment.horizontal == ("right" if numeric else "left"), (sheet.title, title.value)
            texts = [row[place].alignment for row in rows if isinstance(row[place].value, str)]
            assert all((a.horizontal, a.indent) == ("left", 1) for a in texts), (sheet.title, title.value)


def test_shares_and_counts_are_numbers_with_the_digits_of_the_pages() -> None:
    report = run_stages().report
    f = report.formats()
    for s, row in zip(report.segments, rows_of(own()["Segments"]), strict=True):
        assert row["Customers"].value == s.n and row["Customers"].number_format == "#,##0"
        share = row["Share of customers"]
        assert isinstance(share.value, int | float) and f.percent(share.value) == f.percent(s.share)
        assert share.number_format in {"0%", "0.0%"} and row["In one sentence"].value == s.one_line


def test_profiles_hold_a_typical_value_of_each_segment() -> None:
    report = run_stages().report
    f, rows = report.formats(), {row["Variable"].value: row for row in rows_of(own()["Profiles"])}
    for v in report.forming():
        for s in report.segments:
            d, cell = s.difference(v.name), rows[v.label][tag(s)]
            assert d is not None and isinstance(cell.value, int | float)
            told = d.summary.mean if v.unit == "yes_no" else d.summary.median
            assert f.value(cell.value, v.unit) == f.value(told, v.unit)


def test_differences_and_actions_hold_all_that_the_pages_have() -> None:
    report = run_stages().report
    assert len(rows_of(own()["Differences"])) == sum(len(s.differences) for s in report.segments)
    rows = rows_of(own()["Actions"])
    ranked = act.rank_actions(report)
    assert [row["Action"].value for row in rows[: len(ranked)]] == [row.slot.action for row in ranked]
    assert [row["Rank"].value for row in rows[: len(ranked)]] == [row.rank for row in ranked]
    assert all(isinstance(row["Contacts"].value, int) for row in rows[: len(ranked)])
    assert [row["Data needed"].value for row in rows[len(ranked) :]] == [needs for _, _, needs in act.needs(report)]


@pytest.mark.slow
@pytest.mark.parametrize("start", ["=", "+", "-", "@", " ="])
def test_a_text_that_looks_like_a_formula_is_a_text_and_stays_quoted(start: str) -> None:
    report = with_words(run_stages().report, lambda i: f'{start}HYPERLINK("https://evil.example";"x"){i}')
    cells = [cell for sheet in opened(write_workbook(report)).worksheets for row in sheet.iter_rows() for cell in row]
    risky = [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(start)]
    assert len(risky) > 20 and all(cell.data_type == "s" and cell.quotePrefix for cell in risky)
    assert not any(cell.hyperlink or cell.data_type == "f" for cell in cells)


@pytest.mark.slow
def test_hostile_words_make_a_workbook_that_opens() -> None:
    report = with_words(run_stages().report, lambda i: f"{HOSTILE[i % len(HOSTILE)]}\x00\x0b\ufffe {i}" * 40)
    assert opened(write_workbook(report)).sheetnames[0] == "About"


@pytest.mark.slow
def test_the_same_report_gives_the_same_bytes_and_no_time_of_its_making() -> None:
    report = from_json(to_json(run_stages().report))
    data = write_workbook(report)
    assert data == write_workbook(report)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert len({entry.date_time for entry in packed.infolist()}) == 1
        assert f"{report.study.as_of}T00:00:00Z".encode() in packed.read("docProps/core.xml")


def test_a_study_without_groups_shows_the_split_and_no_actions() -> None:
    report = without_groups(run_stages().report)
    book = opened(write_workbook(report))
    assert "Split that was tried" in book.sheetnames and not {"Segments", "Actions"} & set(book.sheetnames)
    assert not any(row["In one sentence"].value for row in rows_of(book["Split that was tried"]))


def test_without_a_value_there_are_no_columns_of_it() -> None:
    sheets = {sheet.name: sheet for sheet in list_sheets(without_value(run_stages().report))}
    assert not any("Prize" in column or "spend" in column for column in sheets["Actions"].columns)
    assert len(sheets["Segments"].columns) == 7


def small(report: Report) -> Report:
    last = replace(report.segments[-1], n=4)
    return replace(report, segments=(*report.segments[:-1], last))


def test_small_segments_are_not_counted() -> None:
    rows = rows_of(opened(write_workbook(small(run_stages().report)))["Segments"])
    assert rows[-1]["Customers"].value == "fewer than 10" and rows[-1]["Share of customers"].value is None
    assert all(not isinstance(row["Customers"].value, int) or row["Customers"].value >= 10 for row in rows)
    # Everyone less the others would tell the count of the small one.
    assert len([row for row in rows if isinstance(row["Customers"].value, int)]) == 0
