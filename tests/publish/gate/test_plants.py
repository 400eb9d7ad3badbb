"""The gate on a built site: each kind of private content is found in each kind of file, and innocent ones pass."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typst
from pptx import Presentation
from pptx.util import Inches

from analysis.publish.gate.checks import Private, check, private_from_build
from analysis.publish.search import PREFIX, read_index
from tests.built_sites import build_once
from tests.conftest import CUSTOMERS, build_twin

NAME = "Wilhelmina Oesterreicher-Quandt"
REMARK = "The parcel came late and the box was crushed"
CODE, LONG = "KD88-213-QX", "2014031709251"
PAGE = "site/compare.html"


@dataclass(frozen=True, slots=True)
class Content:
    """What is put into a file: a sentence, and a named column of values."""

    text: str = ""
    name: str = ""
    values: tuple[str, ...] = ()

    @property
    def listed(self) -> str:
        """Return the column as words."""
        return f"{self.name}: {', '.join(self.values)}" if self.values else ""

    @property
    def told(self) -> str:
        """Return all of it as words."""
        return " ".join(filter(None, (self.text, self.listed)))


@dataclass(frozen=True, slots=True)
class Study:
    """A built site and what is private of it."""

    site: Path
    private: Private


@pytest.fixture(scope="module")
def study() -> Study:
    """Give the shared site of few customers; its private list also has a name, a remark and two more keys."""
    name = "few customers"
    root = build_once(name.replace(" ", "-"), lambda folder: build_twin(folder, CUSTOMERS[name]))
    known = private_from_build(root / "build")
    more = Private(frozenset({CODE, LONG}), frozenset({NAME, REMARK}), known.min_cell)
    return Study(root / "_site", known.joined(more))


def in_page(data: bytes, content: Content) -> bytes:
    rows = "".join(f"<tr><td>{value}</td></tr>" for value in content.values)
    table = f"<table><tr><th>{content.name}</th></tr>{rows}</table>" if rows else ""
    text = content.text.replace("<", "&lt;")
    return data.replace(b"</main>", f"<p>{text}</p>{table}</main>".encode(), 1)


def in_json(data: bytes, content: Content) -> bytes:
    rows = [{content.name: int(v) if v.isdecimal() and len(v) < 10 else v} for v in content.values]
    return json.dumps({**json.loads(data), "note": content.text, "more": rows}, ensure_ascii=False).encode()


def in_csv(data: bytes, content: Content) -> bytes:
    rows = "".join(f"{value}\n" for value in content.values)
    return f"Segment\nA\nB\n{content.text}\n".encode() if not rows else f"{content.name}\n{rows}".encode()


def in_picture(data: bytes, content: Content) -> bytes:
    text = content.told.replace("<", "&lt;")
    return data.replace(b"</svg>", f'<text x="1" y="1">{text}</text></svg>'.encode())


def in_document(data: bytes, content: Content) -> bytes:
    return typst.compile(f"Segments\n\n#{json.dumps(content.told, ensure_ascii=False)}".encode())


def in_archive(data: bytes, content: Content) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("more/table.csv", in_csv(b"", content))
        packed.writestr("more/read.txt", content.told)
    return out.getvalue()


def in_slides(data: bytes, content: Content) -> bytes:
    file: Any = Presentation(io.BytesIO(data))
    slide = file.slides[1]
    slide.notes_slide.notes_text_frame.text += f" {content.text}"
    if content.values:
        size = Inches(1), Inches(1), Inches(3), Inches(2)
        table = slide.shapes.add_table(len(content.values) + 1, 1, *size).table
        for row, value in enumerate((content.name, *content.values)):
            table.cell(row, 0).text = value
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def in_workbook(data: bytes, content: Content) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet: Any = book.create_sheet("More")
    for value in filter(None, (content.text, content.name, *content.values)):
        sheet.append([float(value) if value.replace(".", "").isdecimal() and len(value) < 12 else value])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_guide(data: bytes, content: Content) -> bytes:
    return data + f"\n{content.told}\n".encode()


def in_index(data: bytes, content: Content) -> bytes:
    index = json.loads(read_index(data.decode()))
    index["pages"][0]["parts"].append({"at": "", "title": "More", "text": content.told})
    return f"{PREFIX}{json.dumps(index, ensure_ascii=False)};\n".encode()


PLACES: dict[str, tuple[str, Callable[[bytes, Content], bytes]]] = {
    "page": (PAGE, in_page),
    "JSON": ("site/downloads/segments.json", in_json),
    "CSV": ("site/downloads/table.csv", in_csv),
    "SVG": ("site/assets/charts/chart-heat-map.svg", in_picture),
    "PDF": ("site/downloads/brief.pdf", in_document),
    "zip": ("site/downloads/site.zip", in_archive),
    "slides": ("site/downloads/segments.pptx", in_slides),
    "workbook": ("site/downloads/segments.xlsx", in_workbook),
    "llms.txt": ("site/llms.txt", in_guide),
    "search index": ("site/assets/search-index.js", in_index),
}


@cache
def read(file: Path) -> bytes:
    """Read a file of the shared site; nothing where the test makes it up."""
    return file.read_bytes() if file.exists() else b""


def refused(study: Study, tmp_path: Path, place: str, content: Content, private: Private | None = None) -> set[str]:
    """Return the rules that refuse a file of the site with some content; links lead to pages that are left out."""
    name, plant = PLACES[place]
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(plant(read(study.site / name), content))
    found = check(tmp_path, private or study.private)
    return {refusal.rule for refusal in found if refusal.file == name and refusal.rule not in {"links", "weight"}}


def list_keys(private: Private) -> tuple[str, ...]:
    return tuple(sorted(key for key in private.keys if key.isdecimal() and len(key) < 6)[:4])


def list_figures(private: Private) -> tuple[str, ...]:
    return tuple(sorted(private.figures)[:6])


PLANTS: dict[str, tuple[str, Callable[[Private], Content]]] = {
    "name": ("free-text", lambda _: Content(f"Such as {NAME}, who")),
    "remark": ("free-text", lambda _: Content(f"They say: {REMARK.lower()}.")),
    "code": ("keys", lambda _: Content(f"Ask for {CODE} first")),
    "long number": ("keys", lambda _: Content(f"Ask for {LONG} first")),
    "keys": ("keys", lambda private: Content("", "customer id", list_keys(private))),
    "amounts": ("figures", lambda private: Content("", "Amounts", list_figures(private))),
    "address": ("contacts", lambda _: Content("Write to ann.lee@example.org today")),
    "telephone": ("contacts", lambda _: Content("Call +49 381 555 01 23 today")),
    "few": ("small-cells", lambda _: Content("Only 3 customers left", "Customers", ("40", "3"))),
}


@pytest.mark.parametrize("kind", PLANTS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_planted_is_refused(place: str, kind: str, study: Study, tmp_path: Path) -> None:
    rule, make = PLANTS[kind]
    assert rule in refused(study, tmp_path, place, make(study.private))


def running(private: Private) -> Private:
    """Take customers who are numbered from 1 to 300."""
    return replace(private, keys=private.keys | frozenset(map(str, range(1, 301))))


def marked(private: Private) -> Private:
    return replace(private, marked=frozenset({"{{ curly }} things", "<<old>>"}))


def lettered(private: Private) -> Private:
    return replace(private, keys=private.keys | {"x", "y", "n", "Bo"})


INNOCENT: dict[str, tuple[Content, Callable[[Private], Private]]] = {
    "edges of bins": (Content("", "Income from", ("50", "100", "150", "200", "250")), running),
    "marks in words": (Content("They like {{ curly }} things and <<old>> ones"), marked),
    "letters": (Content("The fields x, y and n"), lettered),
    "one number": (Content("About 1240 of 5524 visits; in 2174 cases"), lambda private: private),
    "rounded counts": (Content("", "Customers", ("40", "35", "120")), lambda private: private),
    "dates and versions": (
        Content("From 2014-06-29 to 2016-01-31, version 1.10.18, doi 10.1002/9781118348239"),
        lambda private: private,
    ),
    "words of a remark": (Content("The box was late, and the parcel came"), lambda private: private),
    "bounds": (Content("Fewer than 10 customers; 1 in 3 customers; at most 5 customers"), lambda private: private),
    "shares": (Content("", "Share", ("4%", "3%", "93%")), lambda private: private),
    "averages": (Content("", "Average", ("1234.5", "567.25", "89.125", "43.21", "98.76")), lambda private: private),
}


@pytest.mark.parametrize("kind", INNOCENT)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_innocent_passes(place: str, kind: str, study: Study, tmp_path: Path) -> None:
    content, adapt = INNOCENT[kind]
    assert refused(study, tmp_path, place, content, adapt(study.private)) == set()


def test_the_whole_site_passes(study: Study) -> None:
    assert check(study.site, study.private) == []
