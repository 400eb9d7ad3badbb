"""One leak at a time in the real site, where it would happen: the gate names its file, line and rule."""

from __future__ import annotations

import base64
import functools
import io
import json
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pypdf
import pytest

from analysis.pages.downloads.briefs import compile_brief
from analysis.publish.gate import documents
from analysis.publish.gate.checks import RULES, Private, Scene, check, private_from_build
from analysis.publish.gate.disclosure import Finding
from tests.conftest import ROOT, BuiltSite

pytestmark = pytest.mark.parametrize("built_site", ["default twin"], indirect=True)

KEY = "QX-4471-88"
"""A key that gives itself away; the study's own are short numbers, of which only a list is a leak."""
RARE = "YOLO"
"""A category of a few customers, were it not that the settings name it."""
REVIEW = "The parcel came late and the box was crushed"
Change = Callable[[str], str]
COMPARE, DATA, OVERVIEW, PERSONA = "site/compare.html", "site/data.html", "site/index.html", "site/segments/*-*.html"
SEARCH = "site/assets/search-index.js"
SEGMENTS, RECORD, EDUCATION = "site/downloads/segments.json", "site/history/*-*.json", "*/chart-column-education.svg"


@dataclass(frozen=True, slots=True)
class Leak:
    """The rule that refuses it, the file, and the change of its text, in which K1 to K4 stand for keys of the study.

    ``line`` is where the refusal points; by default, where the text differs first.
    """

    rule: str
    file: str
    change: Change | bytes
    line: int | None = None


def put(new: str, after: str) -> Change:
    """Put it behind the first match."""
    return lambda text: re.sub(after, lambda match: match[0] + new, text, count=1)


def swap(old: str, new: str) -> Change:
    """Put it in the place of the first match, of its first group where there is one."""

    def change(text: str) -> str:
        match = re.search(old, text)
        assert match, old
        group = min(1, len(match.groups()))
        return text[: match.start(group)] + new + text[match.end(group) :]

    return change


def less(count: str, by: int) -> Change:
    """Take some off the number in the first group."""

    def change(text: str) -> str:
        match = re.search(count, text)
        assert match, count
        left = f"{int(match[1].replace(',', '')) - by:{',' if ',' in match[1] else ''}}"
        return text[: match.start(1)] + left + text[match.end(1) :]

    return change


def whole(text: str) -> Change:
    return lambda _: text


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(*chunks: bytes, tail: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + b"".join((head, *chunks, chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b"")))
        + tail
    )


def zipped(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, text)
    return file.getvalue()


def encoded(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def table(head: str, *rows: str) -> str:
    lines = [f"<tr><th>{'</th><th>'.join(head.split('|'))}</th></tr>"]
    lines += [f"<tr><td>{'</td><td>'.join(row.split('|'))}</td></tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


MAIN = r"<main[^>]*>"
ROWS = r'"datasets":\{"data-\w+":\[\{'
LEAKS = {
    "key in a tooltip of a chart": Leak("keys", COMPARE, put(f'"who":"{KEY}",', ROWS)),
    "keys among the rows of a chart": Leak(
        "keys", COMPARE, put("".join(f'"ID":{key}}},{{' for key in ("K1", "K2", "K3", "K4")), ROWS)
    ),
    "list of keys in a data attribute": Leak(
        "keys", OVERVIEW, put(' data-members="K1, K2, K3, K4"', '<a class="segment-column"')
    ),
    "key in each data attribute": Leak(
        "keys", PERSONA, put("".join(f'<i data-customer="{key}"></i>' for key in ("K1", "K2", "K3", "K4")), MAIN)
    ),
    "keys as a table of examples": Leak("keys", PERSONA, put(table("ID|Orders", "K1|4", "K2|5", "K3|6"), MAIN)),
    "key split by tags": Leak("keys", PERSONA, put(f"<p>Such as <b>{KEY[:4]}</b>{KEY[4:]}</p>", MAIN)),
    "key in entities": Leak("keys", PERSONA, put("".join(f"&#{ord(c)};" for c in KEY), MAIN)),
    "key with characters of no width": Leak("keys", PERSONA, put("\u200b".join(KEY), MAIN)),
    "key with soft hyphens": Leak("keys", PERSONA, put("&shy;".join(KEY), MAIN)),
    "key in wide letters": Leak("keys", PERSONA, put("".join(chr(ord(c) + 0xFEE0) for c in KEY), MAIN)),
    "key with another dash": Leak("keys", PERSONA, put(KEY.replace("-", "\u2011"), MAIN)),
    "key in an address": Leak("keys", PERSONA, put(f'<a href="index.html?c={KEY.replace("-", "%2D")}">x</a>', MAIN)),
    "key in the title of a page": Leak("keys", PERSONA, put(f"{KEY} ", "<title>")),
    "key in a spoken label": Leak("keys", PERSONA, put(f'<span role="img" aria-label="{KEY}"></span>', MAIN)),
    "key in a comment": Leak("keys", DATA, put(f"<!-- {KEY} -->", MAIN)),
    "key in a hidden field": Leak("keys", "site/finder.html", put(f'<input type="hidden" value="{KEY}">', MAIN)),
    "key in linked data": Leak(
        "keys", OVERVIEW, put(f'<script type="application/ld+json">{{"name": "{KEY}"}}</script>', "<head>")
    ),
    "key in a data address": Leak(
        "keys", PERSONA, put(f'<img alt="" src="{encoded("image/svg+xml", f"<svg><text>{KEY}</text></svg>")}">', MAIN)
    ),
    "key in a picture of the style sheet": Leak(
        "keys",
        "site/assets/site.css",
        lambda text: f'p {{ background: url("{encoded("image/svg+xml", f"<svg><text>{KEY}</text></svg>")}") }}\n{text}',
    ),
    "key in what the style sheet writes": Leak(
        "keys", "site/assets/site.css", lambda text: f'main::after {{ content: "{KEY}" }}\n{text}'
    ),
    "key in a script file": Leak("keys", "site/assets/site.js", lambda text: f'const who = "{KEY}";\n{text}'),
    "key in the title of a drawing": Leak("keys", EDUCATION, put(f"<title>{KEY}</title>", r"<svg[^>]*>")),
    "key in the text of a drawing": Leak("keys", EDUCATION, put(f"<text>{KEY}</text>", r"<svg[^>]*>")),
    "key in the record of the run": Leak("keys", RECORD, put(f' "who": "{KEY}",', r"^\{")),
    "keys as fields of the record": Leak("keys", RECORD, put(' "moves": {"K1": 1, "K2": 2, "K3": 1},', r"^\{")),
    "keys in a table to download": Leak("keys", "site/downloads/rows.csv", whole("ID,orders\nK1,4\nK2,5\nK3,6\n"), 2),
    "key in the name of a download": Leak("keys", f"site/downloads/{KEY}.csv", whole("segment,share\nA,0.3\n"), 1),
    "key in the guide for machines": Leak("keys", "site/llms.txt", put(f"\n\n{KEY}\n", "^#.*")),
    "key in the site map": Leak("keys", "sitemap.xml", whole(f"<urlset>\n<loc>{KEY}.html</loc></urlset>"), 2),
    "key in the text of a picture": Leak(
        "keys", "site/downloads/share.png", picture(chunk(b"tEXt", f"Comment\0{KEY}".encode())), 1
    ),
    "packed text of a picture": Leak(
        "keys", "site/downloads/share.png", picture(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(KEY.encode()))), 1
    ),
    "key behind a picture": Leak("keys", "site/downloads/share.png", picture(tail=KEY.encode()), 1),
    "key in a photograph": Leak(
        "keys", "site/assets/who.jpg", b"\xff\xd8\xff\xfe\0\x0c" + KEY.encode() + b"\xff\xd9", 1
    ),
    "category in the search index": Leak("free-text", SEARCH, put("YOLO ", r'"text":"')),
    "category in a chart": Leak("free-text", DATA, put('"level":"YOLO",', ROWS)),
    "category in a spoken label": Leak("free-text", DATA, put('<i aria-label="Marital status: YOLO"></i>', MAIN)),
    "review in a story": Leak("free-text", PERSONA, put(f"<p>One wrote: “{REVIEW}”.</p>", MAIN)),
    "review in the guide for machines": Leak("free-text", "site/llms.txt", put(f"\n\n{REVIEW}\n", "^#.*")),
    "address in an alternative text": Leak("contacts", COMPARE, put("ann.lee@example.org ", '<img [^>]*alt="')),
    "telephone number in a description": Leak(
        "contacts", PERSONA, put("+44 20 7946 0958 ", 'name="description" content="')
    ),
    "address in the record of the run": Leak("contacts", RECORD, put(' "by": "ann.lee@example.org",', r"^\{")),
    "cell of three in a table": Leak("small-cells", COMPARE, swap(r'scope="row">A [^\n]*?<td>([\d,]+)</td>', "3")),
    "cell of three in a chart": Leak("small-cells", DATA, swap(r'"customers":\[(\d+)', "3")),
    "cell of three in a mark's label": Leak("small-cells", EDUCATION, swap(r"Customers: (\d+)", "3")),
    "cell of three in the description of a drawing": Leak(
        "small-cells", EDUCATION, put("<desc>3 customers</desc>", r"<svg[^>]*>")
    ),
    "cell of three in segments.json": Leak("small-cells", SEGMENTS, swap(r'"segments": [^$]*?"customers": (\d+)', "3")),
    "cell of three in the record of the run": Leak("small-cells", RECORD, swap(r'"segments": [^$]*?"n": (\d+)', "3")),
    "cell of three in a table to download": Leak(
        "small-cells", "site/downloads/a.tsv", whole("segment\tcustomers\nA\t1,200\nB\t3\n"), 3
    ),
    "cell of three in the search index": Leak("small-cells", SEARCH, put("3 customers left. ", r'"text":"')),
    "cell of three in an alternative text": Leak("small-cells", DATA, put("3 customers left. ", '<img [^>]*alt="')),
    "cell of three in the guide for machines": Leak(
        "small-cells", "site/llms.txt", put("\n\nOf them 3 customers left.\n", "^#.*")
    ),
    "total less the rows in one table": Leak(
        "subtraction",
        COMPARE,
        put(table("Segment|Customers", "A|900", "B|100", "Other|fewer than 10", "Total|1,004"), MAIN),
    ),
    "rows of a table less than everyone": Leak(
        "subtraction", DATA, less(r'<tr><th scope="row">(?:Graduation|No)</th><td>([\d,]+)</td>', 4)
    ),
    "rows of a chart less than everyone": Leak("subtraction", DATA, less(r'"customers":\[(\d+)', 4)),
    "rows on a page less than those to download": Leak(
        "subtraction", COMPARE, less(r'<tr><th scope="row">A [^\n]*?<td>([\d,]+)</td>', 4)
    ),
    "one segment to download less than on its page": Leak(
        "subtraction", SEGMENTS, less(r'"segments": [^$]*?"customers": (\d+)', 4)
    ),
    "table to download less than everyone": Leak(
        "subtraction", "site/downloads/a.csv", whole("region,customers\nNorth,1236\nSouth,1000\n"), 2
    ),
    "everyone less four in a sentence": Leak(
        "subtraction", "site/proof.html", put("<p>2,236 customers have an answer.</p>", MAIN)
    ),
    "everyone less four in a key number": Leak("subtraction", SEGMENTS, less(r'"customers": (\d+)', 4)),
    "workbook to download": Leak("unread", "site/downloads/rows.xlsx", zipped("xl/sheet1.xml", KEY), 1),
    "archive to download": Leak("keys", "site/downloads/rows.zip", zipped("rows.csv", KEY), 1),
    "packed table to download": Leak("unread", "site/downloads/rows.csv.gz", zlib.compress(KEY.encode()), 1),
    "request of another host": Leak("off-host", PERSONA, put('<img alt="" src="https://example.org/p.gif">', MAIN)),
    "font of another host": Leak(
        "off-host", "site/assets/site.css", lambda text: f"@import 'https://example.org/a.css';\n{text}"
    ),
    "link to nowhere": Leak("links", OVERVIEW, put('<a href="segments/gone.html">Gone</a>', MAIN)),
    "anchor to nowhere": Leak("links", OVERVIEW, put('<a href="compare.html#gone">Gone</a>', MAIN)),
    "the same id again": Leak("duplicate-ids", COMPARE, put('<i id="quarto-document-content"></i>', MAIN)),
    "page too heavy": Leak("weight", DATA, put("word " * 60_000, MAIN), 1),
    "shortcode in the text": Leak("marks", PERSONA, put("<p>{{&lt; var notice &gt;}}</p>", MAIN)),
    "template's mark in a label": Leak("marks", PERSONA, put('<i aria-label="&lt;&lt; name >>"></i>', MAIN)),
    "block in a line": Leak("valid-html", PERSONA, put("<span><div>A</div></span>", MAIN)),
    "block in a paragraph": Leak("valid-html", PERSONA, put("<p>A <ul><li>B</li></ul></p>", MAIN)),
    "line of no list": Leak("valid-html", PERSONA, put("<div><li>A</li></div>", MAIN)),
    "row of no table": Leak("valid-html", PERSONA, put("<div><td>A</td></div>", MAIN)),
    "link in a link": Leak("valid-html", PERSONA, put('<a href="#"><b><a href="#">A</a></b></a>', MAIN)),
    "element that does not end": Leak("valid-html", PERSONA, put("<div><em>A</div>", MAIN)),
    "end of nothing": Leak("valid-html", PERSONA, put("</section>", MAIN)),
    "attribute twice": Leak("valid-html", PERSONA, put('<i title="A" title="B"></i>', MAIN)),
    "script in the page": Leak("active-text", PERSONA, put("<script>track()</script>", MAIN)),
    "handler in a drawing": Leak("active-text", EDUCATION, put('<g onload="track()"></g>', r"<svg[^>]*>")),
}
"""By what leaks."""


@dataclass(frozen=True, slots=True)
class Site:
    """A copy of the site, and what must not be in it: the study's own list, a key and a review that tell themselves."""

    folder: Path
    private: Private
    keys: tuple[str, ...]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leaks") / "_site"


@pytest.fixture
def site(built_site: BuiltSite, copy: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Copy the site once; what has not changed since is neither parsed nor checked again."""
    if not copy.exists():
        shutil.copytree(built_site.site, copy)
    monkeypatch.setattr(documents, "read_document", lambda path, name: _read(path, name, path.stat().st_mtime_ns))
    for rule in OF_ONE_FILE:
        monkeypatch.setitem(RULES, rule, functools.partial(_findings, rule))
    own = private_from_build(built_site.root / "build")
    assert own.known
    private = replace(own, keys=own.keys | {KEY}, free_text=own.free_text | {REVIEW, RARE})
    return Site(copy, private, tuple(sorted(key for key in own.keys if len(key) == 5)[:4]))


OF_ONE_FILE = set(RULES) - {"links", "contacts", "subtraction"}
"""Rules whose findings in a file do not depend on other files."""
_RULES = dict(RULES)
_FOUND: dict[tuple[str, int], list[Finding]] = {}


def _findings(rule: str, document: documents.Document, scene: Scene) -> list[Finding]:
    # Parsed files stay in memory, so that the id of each is its own.
    key = rule, id(document)
    if key not in _FOUND:
        _FOUND[key] = list(_RULES[rule](document, scene))
    return _FOUND[key]


_read = functools.lru_cache(maxsize=None)(lambda path, name, changed, read=documents.read_document: read(path, name))


@pytest.fixture
def plant(site: Site) -> Iterator[Callable[[str, Change | bytes], tuple[str, int]]]:
    """Plant a leak, tell where, and put the file back when the test has ended."""
    before: dict[Path, bytes | None] = {}

    def change(file: str, leak: Change | bytes) -> tuple[str, int]:
        path = next(iter(sorted(site.folder.rglob(file))), site.folder / file) if "*" in file else site.folder / file
        old = before[path] = path.read_bytes() if path.exists() else None
        new = leak
        if not isinstance(new, bytes):
            text = new((old or b"").decode())
            for place, key in enumerate(site.keys, start=1):
                text = text.replace(f"K{place}", key)
            new = text.encode()
        assert new != old
        same = next((i for i, (a, b) in enumerate(zip(old or b"", new, strict=False)) if a != b), 0)
        path.write_bytes(new)
        return path.relative_to(site.folder).as_posix(), new.count(b"\n", 0, same) + 1

    yield change
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def test_the_real_site_passes(site: Site) -> None:
    assert check(site.folder, site.private) == []


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_in_the_real_site_is_refused_with_file_line_and_rule(
    name: str, site: Site, plant: Callable[[str, Change | bytes], tuple[str, int]]
) -> None:
    leak = LEAKS[name]
    file, line = plant(leak.file, leak.change)
    found = check(site.folder, site.private)
    assert (file, leak.line or line, leak.rule) in {(r.file, r.line, r.rule) for r in found}, (file, line, found)
    assert not [refusal for refusal in found if KEY in refusal.message or REVIEW in refusal.message]


BRIEF = {
    "title": "Wine buyers", "lead": "They buy wine.", "letter": "A", "colour": "#33475b",
    "tiles": [["670", "customers", ""]],
    "traits": ["Wine"], "story": ["A story."], "picture_title": "What sets them apart", "wide": False,
    "right": [{"title": "Typical", "columns": ["Trait", "Customers"], "rows": [["Age", "40"]]}],
    "actions_title": "What to do", "actions": [], "sure_title": "How sure we are", "sure": ["Sure."],
    "lang": "en", "source": "Data.", "address": "/site/",
    "picture": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text y="9">A</text></svg>', "alt": "A",
}  # fmt: skip
"""What a page to print says, by the place on it."""
IN_BRIEFS = {
    "key in the story": ("keys", {"story": [f"Such as {KEY}."]}),
    "key in the title": ("keys", {"title": KEY}),
    "review in the lead": ("free-text", {"lead": REVIEW}),
    "address at the foot": ("contacts", {"source": "ann.lee@example.org"}),
    "cell of three in a sentence": ("small-cells", {"sure": ["Only 3 customers left."]}),
    "cell of three in a tile": ("small-cells", {"tiles": [["3", "customers", ""]]}),
}


@pytest.mark.parametrize("name", IN_BRIEFS)
def test_a_leak_in_a_page_to_print_is_refused(
    name: str, site: Site, plant: Callable[[str, Change | bytes], tuple[str, int]]
) -> None:
    rule, changes = IN_BRIEFS[name]
    template = str(ROOT / "templates" / "briefs" / "brief.typ")
    clean = compile_brief(template, json.dumps(BRIEF))
    assert KEY.encode() not in clean
    file, _ = plant("site/downloads/brief.pdf", clean)
    assert check(site.folder, site.private) == []
    (site.folder / file).write_bytes(compile_brief(template, json.dumps({**BRIEF, **changes})))
    assert (file, 1, rule) in {(r.file, r.line, r.rule) for r in check(site.folder, site.private)}


def test_a_key_in_the_properties_of_a_page_to_print_is_refused(
    site: Site, plant: Callable[[str, Change | bytes], tuple[str, int]]
) -> None:
    path = site.folder / "site/downloads/brief.pdf"
    writer, content = pypdf.PdfWriter(clone_from=path), io.BytesIO()
    writer.add_metadata({"/Keywords": KEY})
    writer.write(content)
    file, _ = plant("site/downloads/brief.pdf", content.getvalue())
    assert (file, 1, "keys") in {(r.file, r.line, r.rule) for r in check(site.folder, site.private)}
