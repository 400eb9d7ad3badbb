"""Text of slides, workbooks and zip files for the publication check."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from analysis.publish.gate.columns import Cell, Column, grid_columns

PACKED = frozenset((".pptx", ".xlsx", ".zip"))
MARKUP = frozenset(("xml", "rels", "vml"))
MOST_BYTES = 200_000_000
"""Of a file once it is unpacked; a larger one is refused."""
FIELD = re.compile(r'&(?:"[^"]*"|\d+|[A-Z])')
"""Codes in the header and the footer of a sheet."""
PARAGRAPHS = frozenset(("p", "si", "is", "comment", "v", "c"))
"""Elements whose texts belong together, though they may be split into runs."""


def unpack(data: bytes, site: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the files in a zip, but for those that stand in ``site`` as they are.

    Raises
    ------
    ValueError
        If there is more in it than `MOST_BYTES`, or something is encrypted.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        entries = [entry for entry in packed.infolist() if not entry.is_dir()]
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        if packed.comment:
            yield "comment.txt", packed.comment
        for entry in entries:
            content = packed.read(entry)
            same = site / entry.filename if site else None
            # The name of a file that is nowhere else is one of its texts.
            if same is None or not same.is_file() or same.read_bytes() != content:
                yield entry.filename, content


def read_office(data: bytes) -> tuple[list[str], list[Column]]:
    """Read all texts of a presentation or a workbook, those of its charts and notes too, and its tables as columns.

    Raises
    ------
    ValueError
        If it holds a file of an unknown kind.
    """
    texts: list[str] = []
    columns: list[Column] = []
    for name, content in unpack(data):
        suffix = name.rpartition(".")[2].lower()
        if suffix == "xlsx":
            inner, more = read_office(content)
            texts += inner
            columns += more
        elif suffix in MARKUP:
            root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_Builder()))
            texts += _texts(root)
            columns += _tables(root)
        else:
            raise ValueError(f"a .{suffix} file in it")
        texts.append(name)
    columns += _sheets(data)
    return list(dict.fromkeys(texts)), columns


class _Builder(ElementTree.TreeBuilder):
    """Keeps comments, which a file may hold unseen."""

    def __init__(self) -> None:
        super().__init__(insert_comments=True, insert_pis=True)


def _texts(element: ElementTree.Element) -> Iterator[str]:
    """Yield every attribute and every text, the runs of a paragraph as one."""
    yield from (value for value in element.attrib.values() if value)
    if _kind(element) in PARAGRAPHS:
        whole = "".join(element.itertext())
        if whole.strip():
            yield whole
        for child in element.iter():
            yield from (value for value in child.attrib.values() if child is not element and value)
            if not isinstance(child.tag, str):
                yield child.text or ""
        yield element.tail or ""
        return
    yield from (FIELD.sub(" ", text) for text in (element.text, element.tail) if text and text.strip())
    for child in element:
        yield from _texts(child)


def _tables(root: ElementTree.Element) -> Iterator[Column]:
    """Yield the columns of the tables of a slide and the series of a chart."""
    for table in (one for one in root.iter() if _kind(one) == "tbl"):
        rows = [[_cell(cell) for cell in row if _kind(cell) == "tc"] for row in table if _kind(row) == "tr"]
        yield from grid_columns(rows)
    for series in (one for one in root.iter() if _kind(one) == "ser"):
        found = {_kind(part): [_joined(x) for x in part.iter() if _kind(x) == "v"] for part in series}
        labels, values = found.get("cat", []), found.get("val", [])
        labels = labels if len(labels) == len(values) else [""] * len(values)
        cells = tuple(Cell(label, _whole(value), 1) for label, value in zip(labels, values, strict=True))
        yield Column(" ".join(found.get("tx", [])), cells)


def _sheets(data: bytes) -> Iterator[Column]:
    """Yield the columns of the sheets of a workbook; none for slides."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if "xl/workbook.xml" not in packed.namelist():
            return
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
        yield from grid_columns(
            [[Cell("", _whole(str(value)), number) for value in row] for number, row in enumerate(rows, 1)]
        )


def _cell(element: ElementTree.Element) -> Cell:
    return Cell("", _joined(element), 1)


def _joined(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _whole(value: str) -> str:
    """A whole number without the point and zero that programs add."""
    return value.removesuffix(".0")


def _kind(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
