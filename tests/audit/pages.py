"""The rendered pages, read as a reader's browser does: elements, their words, and every table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HIDDEN = {"script", "style", "svg"}


@dataclass(slots=True)
class Element:
    """A piece of a page: its name, attributes, and the elements and words in it, in order."""

    name: str
    attrs: dict[str, str]
    parts: list[Element | str] = field(default_factory=list)

    def all(self, name: str = "", class_: str = "", id_: str = "") -> Iterator[Element]:
        """Give every element below with this name, word of the class and id; an empty one asks for nothing."""
        for part in self.parts:
            if isinstance(part, str):
                continue
            asked = name in ("", part.name) and id_ in ("", part.attrs.get("id", ""))
            if asked and (not class_ or class_ in part.attrs.get("class", "").split()):
                yield part
            yield from part.all(name, class_, id_)

    def first(self, name: str = "", class_: str = "", id_: str = "") -> Element | None:
        """Give the first such element, or None."""
        return next(self.all(name, class_, id_), None)

    def text(self) -> str:
        """Give the words that a reader sees, with single spaces; spaces that keep words together stay."""
        if self.name in HIDDEN:
            return ""
        words = " ".join(part if isinstance(part, str) else part.text() for part in self.parts)
        return " ".join(word for word in words.replace("\n", " ").replace("\t", " ").split(" ") if word)

    def direct(self, *names: str) -> list[Element]:
        """Give the elements right below that have one of these names."""
        return [part for part in self.parts if not isinstance(part, str) and part.name in names]


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table of a page.

    Attributes
    ----------
    id : str
        Of the chart or section that it stands in.
    caption : str
    header : tuple of str
    rows : tuple of tuple of str
        Cells of the body, the first of each row names it.
    """

    id: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.top = Element("", {})
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].name == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read_html(text: str) -> Element:
    """Read the elements of a page."""
    reader = _Reader()
    reader.feed(text)
    return reader.top


def tables_of(page: Element) -> list[PrintedTable]:
    """Give every table of a page in order, each with the id of the chart or section around it."""
    return list(_tables(page, ""))


def _tables(element: Element, place: str) -> Iterator[PrintedTable]:
    for part in element.parts:
        if isinstance(part, str):
            continue
        if part.name == "table":
            yield _table(part, place)
            continue
        named = part.name in {"figure", "section"} and part.attrs.get("id")
        yield from _tables(part, part.attrs["id"] if named else place)


def _table(element: Element, place: str) -> PrintedTable:
    caption, head, body = (element.first(name) for name in ("caption", "thead", "tbody"))
    header = [cell.text() for row in (head.all("tr") if head else ()) for cell in row.direct("th", "td")]
    rows = [tuple(cell.text() for cell in row.direct("th", "td")) for row in (body.all("tr") if body else ())]
    return PrintedTable(place, caption.text() if caption else "", tuple(header), tuple(rows))


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered page with its elements and tables."""

    name: str
    main: Element
    tables: tuple[PrintedTable, ...]

    def table(self, id_: str) -> PrintedTable | None:
        """Give the first table of this chart or section, or None."""
        return next((table for table in self.tables if table.id == id_), None)

    def section(self, id_: str) -> Element | None:
        """Give the section under a heading, or None."""
        return self.main.first("section", id_=id_)


def read_pages(site: Path) -> dict[str, Page]:
    """Read every page of a website by its path below it."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        top = read_html(path.read_text(encoding="utf-8"))
        main = top.first("main") or top
        name = path.relative_to(site).as_posix()
        pages[name] = Page(name, main, tuple(tables_of(main)))
    return pages
