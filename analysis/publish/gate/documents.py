"""Parser of the rendered site for the publication check."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import unicodedata
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from analysis.publish.gate.archives import PACKED, read_office, unpack
from analysis.publish.gate.columns import (
    Cell,
    Column,
    csv_columns,
    grid_columns,
    json_columns,
    json_strings,
    listed_columns,
)
from analysis.publish.gate.nesting import UNCLOSED, misplaced
from analysis.publish.gate.pdfs import read_pdf
from analysis.publish.search import INDEX, read_index

VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
CODE = frozenset(("pre", "code", "kbd", "samp"))
INLINE = frozenset(
    "a abbr b bdi bdo cite code data dfn em i kbd mark q s samp small span strong sub sup tspan u var wbr".split()  # noqa: SIM905
)
GEOMETRY = frozenset(("d", "points", "transform", "viewbox", "class", "integrity"))
CELLS = {"td": "tr", "th": "tr", "li": "", "option": "", "dd": ""}
MARKUP = frozenset((".html", ".htm", ".xhtml", ".svg"))
TEXT = frozenset(
    ".css .js .mjs .map .txt .md .xml .sql .py .yml .yaml .toml .license .webmanifest".split()  # noqa: SIM905
)
PICTURES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico"))
FONTS = frozenset((".woff", ".woff2", ".ttf", ".otf"))
ENGINE = "site_libs/"
EMBEDDED = re.compile(r"data:[\w/+.-]+[;,][^\"')\s]+")
LETTERS = re.compile(rb"[\x20-\x7e]{8,}")
DISGUISES = dict.fromkeys(
    (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)
DISGUISES |= dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-") | dict.fromkeys(range(0x2018, 0x201C), "'")
DISGUISES |= dict.fromkeys(range(0x201C, 0x2020), '"')
PAIR = re.compile(r"([A-Za-z_][\w ]{0,40}): ([^:;\n]{1,60})(?=;|,|$)")


class Tag(NamedTuple):
    """A start tag: its name, its attributes, its line, and whether it stands in the page's `<main>`."""

    name: str
    attrs: Mapping[str, str]
    line: int
    in_main: bool


class Text(NamedTuple):
    """A run of text: `origin` is text, attribute, comment, json or file, `holder` its tag or field."""

    value: str
    line: int
    origin: str
    holder: str = ""
    code: bool = False
    glued: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """An inline `<script>` or `<style>` and its attributes; `name` tells which."""

    name: str
    attrs: Mapping[str, str]
    body: str
    line: int
    in_main: bool


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the site, parsed: `file` is its POSIX path below the site, `faults` and `slips` are (line, reason).

    A fault keeps the file from being searched, a slip is invalid HTML.
    """

    file: str
    text: str
    size: int
    tags: list[Tag] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    values: list[tuple[int, object]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    slips: list[tuple[int, str]] = field(default_factory=list)

    @property
    def suffix(self) -> str:
        """Return the suffix of the file, in lower case."""
        return Path(self.file).suffix.lower()

    @property
    def is_page(self) -> bool:
        """Return whether the file is an HTML page."""
        return self.suffix in MARKUP and self.suffix != ".svg"

    @property
    def is_engine(self) -> bool:
        """Return whether the file is a library of the page engine."""
        return self.file.startswith(ENGINE)

    def find_line(self, pattern: str, line: int) -> int:
        """Return the line at or after `line` where the regular expression is found, else `line`."""
        start = 0
        for _ in range(line - 1):
            start = self.text.find("\n", start) + 1
        match = re.compile(pattern, re.IGNORECASE).search(self.text, start)
        return line + self.text.count("\n", start, match.start()) if match else line


def read_site(site: Path) -> list[Document]:
    """Parse every file below `site` once.

    Parameters
    ----------
    site : Path
        The root of the rendered tree.

    Returns
    -------
    list of Document
        Sorted by path. Fonts come without text, pictures with what is written in the file beside the dots; a file
        of an unknown kind carries a fault. The name of a file is one of its texts.
    """
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return [read_document(site / name, name) for name in names]


def read_document(path: Path, name: str) -> Document:
    """Parse one file; `name` is its path below the site."""
    return parse_document(path.read_bytes(), name, path.parents[len(Path(name).parts) - 1])


def parse_document(data: bytes, name: str, site: Path | None = None) -> Document:
    """Parse the bytes of a file; what an archive repeats of `site` is parsed there and not again."""
    suffix = Path(name).suffix.lower()
    readable = suffix in MARKUP | TEXT or suffix in (".json", ".csv", ".tsv", ".jsonl")
    called = [] if name.startswith(ENGINE) else [Text(name, 1, "file", "name")]
    if suffix in FONTS:
        return Document(name, "", len(data), texts=called)
    if suffix in PICTURES:
        return Document(name, "", len(data), texts=called + [Text(x, 1, "file", suffix) for x in _picture_texts(data)])
    if suffix == ".pdf":
        extracted, fault = read_pdf(data)
        texts = [Text(text, page, "file", suffix) for page, text in extracted]
        lists = [column for text in texts for column in listed_columns(text.value, text.line)]
        return Document(name, "", len(data), texts=called + texts, columns=lists, faults=[(1, fault)] * bool(fault))
    if suffix in PACKED:
        return _read_packed(data, name, called, site)
    if not readable and not name.startswith(ENGINE) and Path(name).name not in ("LICENSE", "CNAME", ".nojekyll"):
        return Document(name, "", len(data), faults=[(1, f"a {suffix or 'nameless'} file cannot be searched")])
    if b"\0" in data and not name.startswith(ENGINE):
        return Document(name, "", len(data), faults=[(1, "a text that is not in UTF-8 cannot be searched")])
    text = data.decode("utf-8-sig", errors="replace")
    document = Document(name, text, len(data), texts=called)
    if document.is_engine and suffix not in MARKUP:
        return document
    if suffix in MARKUP:
        _Reader(document).read()
    elif suffix == ".json" or name.endswith(f"/{INDEX}"):
        read_json(document, read_index(text) if suffix == ".js" else text, 1)
    elif suffix == ".jsonl":
        read_json(document, f"[{','.join(filter(str.strip, text.splitlines()))}]", 1)
    else:
        _read_plain(document, text, suffix)
    return document


def _read_plain(document: Document, text: str, suffix: str) -> None:
    """Add a text that is neither markup nor JSON to its document."""
    document.texts.append(Text(text, 1, "file", suffix))
    for match in EMBEDDED.finditer(text):
        _read_embedded(document, match[0], 1 + text.count("\n", 0, match.start()))
    if suffix in (".txt", ".md"):
        document.columns.extend(listed_columns(text, 1))
    if suffix in (".csv", ".tsv"):
        document.columns.extend(csv_columns(text, "\t" if suffix == ".tsv" else ","))


def _read_packed(data: bytes, name: str, called: list[Text], site: Path | None) -> Document:
    """Read a file that is a zip: slides, a workbook, or files of a site, each parsed as it would be there."""
    document, suffix = Document(name, "", len(data), texts=called), Path(name).suffix.lower()
    try:
        if suffix != ".zip":
            texts, columns = read_office(data)
            document.texts.extend(Text(text, 1, "file", suffix) for text in texts)
            document.columns.extend(columns)
            return document
        for place, content in unpack(data, site):
            if Path(place).suffix.lower() == ".zip":
                raise ValueError("a zip in a zip")
            inner = parse_document(content, place)
            document.texts.extend(inner.texts)
            document.texts.extend(Text(x.body, x.line, "file", x.name, code=True) for x in inner.scripts)
            document.columns.extend(inner.columns)
            document.faults.extend((line, f"{place}: {reason}") for line, reason in inner.faults)
    except Exception as error:
        # Whatever is wrong with a file from elsewhere: what cannot be read is refused.
        document.faults.append((1, f"a {suffix} file cannot be searched ({type(error).__name__}: {error})"))
    return document


def _picture_texts(data: bytes) -> Iterator[str]:
    """Yield what is written in a picture's file beside the dots: of PNG, packed texts too."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from (run.decode("ascii") for run in LETTERS.findall(data))
        return
    start = 8
    while start + 8 <= len(data):
        kind, end = data[start + 4 : start + 8], start + 12 + int.from_bytes(data[start : start + 4])
        body = data[start + 8 : end - 4]
        if kind in (b"zTXt", b"iTXt"):
            with contextlib.suppress(zlib.error, ValueError):
                body += b"\n" + zlib.decompress(body[body.index(b"\x78") :])
        if kind != b"IDAT":
            yield " ".join(body.decode("utf-8", "replace").split())
        start = end if kind != b"IEND" else len(data)
    yield data[data.rfind(b"IEND") + 8 :].decode("utf-8", "replace")


def read_json(document: Document, text: str, line: int) -> None:
    """Add a JSON text that begins at `line` to the document: its strings, its columns, its parsed value."""
    bare: list[str] = []
    try:
        value = json.loads(text, parse_constant=bare.append)
    except ValueError as error:
        document.faults.append((line, f"not valid JSON ({error})"))
        return
    if bare:
        document.faults.append((line, f"{bare[0]} is not valid JSON"))
    document.values.append((line, value))
    strings = dict.fromkeys(json_strings(value))
    document.texts.extend(Text(text, line, "json", name) for name, text in strings)
    document.columns.extend(column for _, text in strings for column in listed_columns(text, line))
    document.columns.extend(json_columns(value, "", line))


class _Reader(HTMLParser):
    """Walks one page or SVG and fills its Document."""

    def __init__(self, document: Document) -> None:
        super().__init__(convert_charrefs=True)
        self.document = document
        self.stack: list[str] = []
        self.open: list[tuple[str, Mapping[str, str], int]] = []
        self.glued = False
        self.grids: list[list[list[Cell]]] = []
        self.lists: list[list[Cell]] = []
        self.cells: list[tuple[int, int, list[str]]] = []
        self.repeated: dict[str, list[Cell]] = {}
        self.body = ""

    def read(self) -> None:
        """Parse the whole text, then close what the page left open."""
        self.feed(self.document.text)
        self.close()
        self.document.slips.extend((self.getpos()[0], f"<{tag}> has no end") for tag in set(self.stack) - UNCLOSED)
        for name in reversed(list(self.stack)):
            self.handle_endtag(name)
        self.document.columns.extend(Column(name, tuple(cells)) for name, cells in self.repeated.items())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, known = self.getpos()[0], {}
        for name, value in attrs:
            known.setdefault(name, value or "")
        if len(known) < len(attrs):
            self.document.slips.append((line, f"<{tag}> has an attribute twice"))
        if slip := misplaced(tag, self.stack):
            self.document.slips.append((line, slip))
        self.document.tags.append(Tag(tag, known, line, "main" in self.stack))
        for name, value in known.items():
            self._read_attribute(name, value, line)
        self.glued = self.glued and tag in INLINE
        if tag in VOID:
            return
        if tag == "table":
            self.grids.append([])
        elif tag in ("ul", "ol", "dl", "select", "datalist"):
            self.lists.append([])
        elif tag == "tr" and self.grids:
            self.grids[-1].append([])
        self.stack.append(tag)
        if tag in CELLS:
            self.cells.append((len(self.stack), line, []))
        if tag in ("script", "style"):
            self.open.append((tag, known, line))
            self.body = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)
            if tag in ("script", "style"):
                self.clear_cdata_mode()

    def handle_endtag(self, tag: str) -> None:
        self.glued = self.glued and tag in INLINE
        if tag not in self.stack:
            self.document.slips.append((self.getpos()[0], f"</{tag}> ends nothing"))
            return
        while self.stack:
            depth, top = len(self.stack), self.stack.pop()
            if top != tag and top not in UNCLOSED:
                self.document.slips.append((self.getpos()[0], f"</{tag}> ends <{top}>, too"))
            if self.cells and self.cells[-1][0] == depth:
                self._close_cell(top)
            if top == "table":
                self.document.columns.extend(grid_columns([row for row in self.grids.pop() if row]))
            elif top in ("ul", "ol", "dl", "select", "datalist") and self.lists:
                self.document.columns.append(Column("", tuple(self.lists.pop())))
            elif top in ("script", "style") and self.open:
                self._close_script()
            if top == tag:
                return

    def handle_data(self, data: str) -> None:
        line = self.getpos()[0]
        if self.open:
            self.body += data
            return
        if data.strip():
            for _, _, parts in self.cells:
                parts.append(data)
            lead = len(data) - len(data.lstrip())
            line += data.count("\n", 0, lead)
            holder = self.stack[-1] if self.stack else ""
            code = not CODE.isdisjoint(self.stack)
            self.document.texts.append(Text(re.sub(r"\s+", " ", data), line, "text", holder, code, self.glued))
            self.glued = True
            self.document.columns.extend(listed_columns(data, line))

    def handle_comment(self, data: str) -> None:
        self.document.texts.append(Text(data, self.getpos()[0], "comment"))

    def unknown_decl(self, data: str) -> None:
        self.document.texts.append(Text(data, self.getpos()[0], "comment"))

    def _close_cell(self, tag: str) -> None:
        _, line, parts = self.cells.pop()
        cell = Cell("", re.sub(r"\s+", " ", "".join(parts)).strip(), line)
        if CELLS[tag] and self.grids and self.grids[-1]:
            self.grids[-1][-1].append(cell)
        elif not CELLS[tag] and self.lists:
            self.lists[-1].append(cell)

    def _close_script(self) -> None:
        name, attrs, line = self.open.pop()
        self.document.scripts.append(Script(name, attrs, self.body, line, "main" in self.stack))
        if "json" in attrs.get("type", "") and attrs.get("id") != "quarto-search-options":
            read_json(self.document, self.body, line)
        elif self.body.strip():
            self.document.texts.append(Text(self.body, line, "file", name, code=True))

    def _read_attribute(self, name: str, value: str, line: int) -> None:
        if name in GEOMETRY or not value:
            return
        if value.startswith("data:"):
            _read_embedded(self.document, value, line)
            return
        value = unquote(value) if "%" in value else value
        self.document.texts.append(Text(value, line, "attribute", name))
        if name.startswith("data-") or name == "value":
            self.repeated.setdefault(name.removeprefix("data-"), []).append(Cell("", value, line))
        if name in ("aria-label", "title", "alt") or name.startswith("data-"):
            for head, cell in PAIR.findall(value):
                self.repeated.setdefault(head.strip(), []).append(Cell("", cell.strip(), line))
            self.document.columns.extend(listed_columns(value, line))


def _read_embedded(document: Document, address: str, line: int) -> None:
    """Add what a `data:` address holds to the document in which it stands."""
    head, text = _embedded(address)
    if "svg" in head:
        picture = Document(document.file, text, len(text))
        _Reader(picture).read()
        document.texts.extend(part._replace(line=line) for part in picture.texts)
        document.columns.extend(picture.columns)
    elif text:
        document.texts.append(Text(text, line, "attribute", "data"))


def _embedded(address: str) -> tuple[str, str]:
    """Return the head and the text of a `data:` address; pictures of dots and fonts have no text."""
    head, _, body = address.partition(",")
    if not re.match(r"data:(text/|application/json|image/svg)", head):
        return head, ""
    try:
        return head, base64.b64decode(body).decode("utf-8", "replace") if head.endswith(";base64") else unquote(body)
    except binascii.Error:
        return head, body


@dataclass(frozen=True, slots=True)
class Stream:
    """The texts of a document end to end, so that one search covers them; block boundaries break a phrase."""

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    def line_at(self, offset: int) -> int:
        """Return the line of the file for an offset in the text."""
        place = bisect_right(self.starts, offset) - 1
        return self.lines[place] + self.text.count("\n", self.starts[place], offset)


def undisguised(text: str) -> str:
    """Return a text as it reads, with plain dashes and quotes and without characters that do not show.

    Examples
    --------
    >>> undisguised("AB\u200b–12")
    'AB-12'
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", text.translate(DISGUISES))


def join_texts(document: Document, *, fold: bool) -> Stream:
    """Join the texts of a document, in lower case if `fold`."""
    parts: list[str] = []
    starts, lines, offset = [], [], 0
    for text in sorted(document.texts, key=lambda text: text.origin != "text"):
        gap = "" if text.glued or not parts else "\n_\n"
        value = undisguised(text.value)
        value = value.lower() if fold else value
        parts += (gap, value)
        starts.append(offset + len(gap))
        lines.append(text.line)
        offset += len(gap) + len(value)
    return Stream("".join(parts), tuple(starts), tuple(lines))
