"""What stands for the site elsewhere: segments as JSON, the guide in plain text, the picture, the addresses."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from analysis.base.locales import localized
from analysis.pages.assets import read_tokens
from analysis.pages.downloads.sharing import (
    SEGMENTS,
    SEGMENTS_SCHEMA,
    draw_picture,
    export_segments,
    segments_as_data,
    write_guide,
)
from analysis.publish.render import _name_addresses
from analysis.report.model import Report
from tests.stages import ROOT, run_stages

TOKENS = read_tokens((ROOT / "site" / "assets" / "site.css").read_text(encoding="utf-8"))
PAGE = '---\ntitle: "Data"\ndescription: "What came in."\n---\n\ntext\n'


@pytest.fixture(scope="module")
def report() -> Report:
    return run_stages().report


def with_name(report: Report, name: str) -> Report:
    first, *others = report.segments
    portrait = replace(first.portrait, lead=replace(first.portrait.lead, text=name))
    return replace(report, segments=(replace(first, name=name, portrait=portrait), *others))


def test_the_segments_are_what_their_schema_says(report: Report) -> None:
    files = {name: json.loads(text) for name, text in export_segments(report).items()}
    jsonschema.Draft202012Validator.check_schema(files[SEGMENTS_SCHEMA])
    jsonschema.validate(files[SEGMENTS], files[SEGMENTS_SCHEMA])
    assert [s["slug"] for s in files[SEGMENTS]["segments"]] == [s.slug for s in report.segments]
    assert all(s["markers"] for s in files[SEGMENTS]["segments"])


def test_every_field_of_the_segments_is_in_the_schema(report: Report) -> None:
    schema = json.loads(export_segments(report)[SEGMENTS_SCHEMA])
    data = segments_as_data(report)
    assert set(data) - {"$schema"} == set(schema["properties"])
    assert set(data["segments"][0]) == set(schema["properties"]["segments"]["items"]["properties"])


def test_the_segments_hold_the_digits_of_the_pages(report: Report) -> None:
    formats = report.formats()
    for s, told in zip(report.segments, segments_as_data(report)["segments"], strict=True):
        assert formats.percent(told["share"]) == formats.percent(s.share)
        assert told["share"] == round(told["share"], 3)
        for marker in told["markers"]:
            difference = s.difference(marker["feature"])
            assert difference
            own = difference.summary
            exact = own.mean if marker["measure"] == "share of yes" else own.median
            assert formats.value(marker["here"], marker["unit"]) == formats.value(exact, marker["unit"])


def test_a_small_segment_has_no_size(report: Report) -> None:
    first, *others = report.segments
    small = replace(report, segments=(replace(first, n=report.study.min_cell - 1), *others))
    told = segments_as_data(small)["segments"]
    assert [told[0][key] for key in ("customers", "share", "value_share")] == [None, None, None]
    assert told[1]["customers"] == others[0].n


def test_numbers_for_machines_know_no_locale(report: Report) -> None:
    with localized("de"):
        german = export_segments(report)[SEGMENTS]
    assert german == export_segments(report)[SEGMENTS]


def test_the_guide_names_personas_pages_and_files(report: Report) -> None:
    slug = report.segments[0].slug
    guide = write_guide(report, {"data.qmd": PAGE, f"segments/{slug}.qmd": PAGE}, "https://shop.example/site/")
    assert guide.startswith(f"# {report.study.title}\n")
    assert report.verdict.sentence in guide
    assert "- [Data](https://shop.example/site/data.html): What came in.\n" in guide
    assert guide.count(f"https://shop.example/site/segments/{slug}.html") == 1
    assert f"https://shop.example/site/downloads/{SEGMENTS})" in guide


def test_a_hostile_name_stays_on_its_line_of_the_guide(report: Report) -> None:
    hostile = with_name(report, "x](http://evil.example)\n# Heading <script>alert(1)</script>")
    guide = write_guide(hostile, {"data.qmd": PAGE}, "")
    assert len(guide.splitlines()) == len(write_guide(report, {"data.qmd": PAGE}, "").splitlines())
    assert "<script" not in guide
    assert "x](http" not in guide


@pytest.mark.slow
def test_the_picture_has_the_size_that_links_show_and_the_same_bytes_each_time(report: Report) -> None:
    picture = draw_picture(report, TOKENS)
    assert picture[:4] == b"\x89PNG"
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert draw_picture(report, TOKENS) == picture


@pytest.mark.slow
@pytest.mark.parametrize("name", ["var(--ink)", "word " * 60, "</text><script>alert(1)</script>", "ünïcode 客户"])
def test_any_name_can_stand_on_the_picture(report: Report, name: str) -> None:
    assert struct.unpack(">II", draw_picture(with_name(report, name), TOKENS)[16:24]) == (1200, 630)


def test_pages_and_search_engines_are_told_where_the_pages_are(tmp_path: Path) -> None:
    for name in ("404.html", "site/index.html", "site/data.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("<head><title>x</title></head><body></head></body>", encoding="utf-8")
    entry = "  <url>\n    <loc>https://shop.example/{}</loc>\n    <lastmod>2026-01-01</lastmod>\n  </url>\n"
    text = entry.format("404.html") + entry.format("site/data.html")
    (tmp_path / "sitemap.xml").write_text(text, encoding="utf-8")
    _name_addresses(tmp_path, "https://shop.example")
    page = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.*")}
    assert page["data.html"].count('<link rel="canonical" href="https://shop.example/site/data.html">') == 1
    assert 'href="https://shop.example/site/">' in page["index.html"]
    assert page["sitemap.xml"] == entry.format("site/data.html")
    assert "https://shop.example/sitemap.xml" in page["robots.txt"]
