"""Reader of delimited text, with inferred encoding, delimiter and header."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from charset_normalizer import from_bytes
from pyarrow import csv as arrow_csv

from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.sources.content.encodings import is_central_european, recognise_chinese
from analysis.sources.content.first_row import has_header, is_number
from analysis.sources.content.headings import count_titles, join_headings, number_repeated
from analysis.sources.content.margins import trim_footer, trim_titles
from analysis.sources.dates import DateOrder
from analysis.sources.numbers import Decimal

_STRONG = ("\t", ";", ",", "|", "\x1f", "\x01")
_BLOCK = 1 << 22
_WEAK = (" ", ":", "^", "~")
_SEEN = 1 << 16
"""Bytes by which an encoding is recognised."""

_ALPHABETS = (
    *("cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_DELIMITER_NAMES = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "spaces", ":": "colon"}
_DELIMITER_WORDS = {"tab": "\t", "\\t": "\t", "whitespace": " ", "space": " "}
EXPECTED = (
    "Expected CSV or another text table, JSON, Parquet, Excel, OpenDocument, SPSS, Stata, SAS or SQLite; they may be"
    " compressed."
)
_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"RIFF": "a sound or film",
    b"ARROW1": "an Arrow file",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the settings say about reading one source; "auto" and None leave it to the evidence.

    Attributes
    ----------
    types : mapping of column name to type
        Forced types: number, date, category, boolean, text, key.
    dates, decimal, delimiter, encoding : str
    sheet : str or int, optional
        Sheet of a workbook, by name or by number from 0.
    query : str, optional
        SELECT statement, or a table's name, for a database.
    header : bool, optional
        Whether the first line names the columns.
    names : sequence of str, optional
        Names for the columns, in order.
    leave_out : mapping of column name to sequence of str
        Rows with one of these values in the column are left out.
    setting : str
        Place in the settings that messages name.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    dates: DateOrder = "auto"
    decimal: Decimal = "auto"
    delimiter: str = "auto"
    encoding: str = "auto"
    sheet: str | int | None = None
    query: str | None = None
    header: bool | None = None
    names: Sequence[str] | None = None
    leave_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    setting: str = "segmentation.sources[0]"


AS_FOUND = Reading()
"""Everything by evidence."""


def read_delimited(where: str, data: bytes, reading: Reading) -> tuple[pa.Table, tuple[str, ...]]:
    """Read delimited text into columns of text."""
    _refuse_other_kinds(where, data)
    text, encoding_note = _decode(where, data, reading)
    notes = [encoding_note] if encoding_note else []
    body, stated = _trim_start(where, text, notes)
    body = trim_titles(body, notes)
    body = trim_footer(body, notes)
    if re.search(r'[,;|] +"', body[:_SEEN]):
        body = re.sub(r'([,;|]) +(?=")', r"\1", body)
        notes.append("spaces before quotation marks removed")
    sample = _sample(body)
    separator = stated if stated and stated not in '"\0' else _delimiter(sample)
    delimiter = _settle_delimiter(reading, separator)
    notes.append(
        f"columns separated by {_DELIMITER_NAMES.get(delimiter, repr(delimiter))}" if delimiter else "one column"
    )
    if delimiter == " ":
        body, sample, delimiter = _even_spaces(body), _sample(_even_spaces("\n".join(sample))), "\t"
    elif len(delimiter) > 1 or not delimiter.isascii():
        body, sample = body.replace(delimiter, "\x1f"), [line.replace(delimiter, "\x1f") for line in sample]
        delimiter = "\x1f"
    delimiter = delimiter or "\x1f"
    rows = _split(sample, delimiter)
    if reading.header is None and (n_titles := count_titles(rows)):
        notes.append(f"{number(n_titles)} row{'s' if n_titles > 1 else ''} before the table skipped")
        body = _after_rows(body, sample, delimiter, n_titles)
        sample = _sample(body)
        rows = _split(sample, delimiter)
    widths = Counter(len(row) for row in rows[1:])
    width = max(widths, key=lambda w: (widths[w], w)) if widths else len(rows[0])
    headed = reading.header if reading.header is not None else has_header(rows, reading.names)
    if headed:
        first, n_headings = join_headings(rows)
        names, twice = number_repeated(header_names(first, width, rows[n_headings:]))
        notes += [f"{number(n_headings)} rows of headings joined"] if n_headings > 1 else []
        notes += twice
        body = _after_rows(body, sample, delimiter, n_headings)
        if not body.strip():
            raise InputError(
                f"{where} has a header but no rows.", "Expected data below the header.", "Export the table again."
            )
    else:
        names = [f"column_{i + 1}" for i in range(width)]
        notes.append("no header: columns are numbered" if reading.names is None else "no header: names as set")
    table = _parse(where, body, delimiter, len(names), headed)
    if headed and len(names) == width and not names[-1]:
        last = table.column(len(names) - 1)
        if not any(last.unique().to_pylist()):
            table, names = table.remove_column(len(names) - 1), names[:-1]
            notes.append("a delimiter at the end of each line dropped")
    names = [name or f"column_{i + 1}" for i, name in enumerate(names)]
    return table.rename_columns(names), tuple(notes)


def _trim_start(where: str, text: str, notes: list[str]) -> tuple[str, str]:
    """Drop blank lines, which are noted, and a line that states the delimiter, which is returned."""
    empty = re.match(r"(?:[ \t]*(?:\r\n|\n|\r))+", text)
    body = text[empty.end() :] if empty else text
    if empty:
        n_empty = len(re.findall(r"\r\n|\n|\r", empty[0]))
        notes.append(f"{number(n_empty)} blank line{'s' if n_empty > 1 else ''} before the table skipped")
    if not body.strip():
        raise InputError(f"{where} contains only blank lines.", "Expected a table.", "Export the table again.")
    stated = re.match(r"sep=(.)\r?\n", body, re.IGNORECASE)
    if stated:
        body = body[stated.end() :]
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return body, stated[1] if stated else ""


def _settle_delimiter(reading: Reading, evident: str) -> str:
    """Return the delimiter that is set, else the evident one."""
    if reading.delimiter == "auto":
        return evident
    delimiter = _DELIMITER_WORDS.get(reading.delimiter, reading.delimiter)
    if re.search(r'["\r\n]|^$', delimiter):
        raise InputError(
            f"{reading.setting}.delimiter: {reading.delimiter!r} is not a valid delimiter.",
            "Expected a character such as , or ; or |, or the word tab or whitespace.",
        )
    return delimiter


def _refuse_other_kinds(where: str, data: bytes) -> None:
    kind = next((kind_name for magic, kind_name in _MAGIC.items() if data.startswith(magic)), None)
    head = data[:300].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<body", b"<div")):
        kind = "a web page (HTML)"
    elif head.startswith(b"<?xml") or (head.startswith(b"<") and b"xmlns" in head):
        kind = "an XML document"
    if kind is not None:
        raise InputError(
            f"{where} is {kind}, not a table.",
            EXPECTED,
            "Give the file that contains the data.",
        )


def _decode(where: str, data: bytes, reading: Reading) -> tuple[str, str]:
    boms = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((name for bom, name in boms.items() if data.startswith(bom)), None)
    wanted = reading.encoding if reading.encoding != "auto" else marked
    if wanted is None and b"\0" in data[:65536]:
        head = data[:2000]
        even, odd = head[::2].count(0), head[1::2].count(0)
        if odd > 0.4 * len(head) / 2 and not even:
            wanted = "utf-16-le"
        elif even > 0.4 * len(head) / 2 and not odd:
            wanted = "utf-16-be"
        else:
            raise InputError(
                f"{where} is not a text table: it contains binary data.",
                EXPECTED,
                "Give the file that contains the data.",
            )
    try:
        text = data.decode(wanted or "utf-8")
        note = {None: "", "utf-8-sig": "UTF-8 with a byte-order mark"}.get(wanted, f"encoding {wanted}")
    except LookupError:
        raise InputError(
            f"{reading.setting}.encoding: '{wanted}' is not an encoding.",
            "For example utf-8, cp1252, utf-16.",
        ) from None
    except UnicodeError as error:
        if wanted is not None:
            raise InputError(
                f"{where} is not valid {wanted}.",
                first_line(error),
                "Set encoding to auto or to the correct encoding.",
            ) from None
        recognised = _other_alphabet(data) or ("cp1250" if is_central_european(data) else None)
        if recognised is not None:
            text, note = data.decode(recognised), f"encoding {recognised}, recognised by its letters"
        else:
            text = data.decode("cp1252", errors="replace") if _is_cp1252(data) else data.decode("latin-1")
            note = "encoding cp1252 (Western European), since it is not valid UTF-8"
    head = text[:4000]
    odd_signs = sum(ord(sign) < 32 and sign not in "\t\r\n\x0c\x1f\x01" for sign in head)
    if odd_signs > 0.02 * len(head):
        raise InputError(
            f"{where} is not a text table: it contains binary data.",
            EXPECTED,
            "Give the file that contains the data.",
        )
    return text, note


def _other_alphabet(data: bytes) -> str | None:
    """Recognise an encoding of Cyrillic, Greek, Hebrew, Arabic, Thai or East Asian letters.

    Encodings of Latin letters differ in too few characters to be distinguished in a short table: those stay Western
    European unless the settings name another.

    Returns
    -------
    str or None
        An encoding that decodes all of `data`; None for Latin letters.
    """
    lines = [line for line in data[:_BLOCK].split(b"\n") if not line.isascii()]
    best = from_bytes(b"\n".join(lines)[:_SEEN], cp_isolation=list(_ALPHABETS)).best()
    if best is None:
        return None
    try:
        words = set(re.findall(r"[^\W\d_]{2,}", data.decode(best.encoding)))
    except UnicodeError:
        return None
    # French read as Russian mixes both alphabets in a word, and capital umlauts read as Japanese become half-width
    # letters; Russian read as Russian and Japanese read as Japanese do neither.
    foreign = [word for word in words if not word.isascii()]
    whole = sum(not re.search("[A-Za-z\u00c0-\u024f\uff61-\uff9f]", word) for word in foreign)
    if len(foreign) < 3 or whole < 0.9 * len(foreign):
        return None
    return (
        recognise_chinese(data) or best.encoding
        if best.encoding in ("cp949", "cp932", "euc_jp", "big5")
        else best.encoding
    )


def _is_cp1252(data: bytes) -> bool:
    return not re.search(rb"[\x81\x8d\x8f\x90\x9d]", data)


def _sample(body: str, n_lines: int = 200) -> list[str]:
    """The first lines that hold something."""
    lines = body[:4_000_000].split("\n", n_lines)[:n_lines]
    return [line.rstrip("\r") for line in lines if line.strip()]


def _split(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    return [[cell.strip() for cell in row] for row in rows if row]


def _delimiter(sample: list[str]) -> str:
    """The delimiter whose columns are the most even; an empty string for one column."""

    def score(delimiter: str) -> tuple[int, float, float, int]:
        rows = _split(map(str.strip, sample) if delimiter == " " else sample, delimiter)
        if delimiter == " ":
            rows = [[cell for cell in row if cell] for row in rows]
        widths = Counter(len(row) for row in rows[1:] or rows)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        if width < 2:
            return (-2, 0.0, 0.0, 0)
        cells = [cell for row in rows[1:50] for cell in row if cell]
        numbers = sum(map(is_number, cells)) / max(len(cells), 1)
        even = count / max(len(rows) - 1, 1)
        return (-min(abs(len(rows[0]) - width), 2), round(even, 1), round(numbers, 1), width)

    for family in (_STRONG, _WEAK):
        scores = {delimiter: score(delimiter) for delimiter in family if any(delimiter in line for line in sample[:5])}
        good = {delimiter: value for delimiter, value in scores.items() if value[3] and value[1] >= 0.8}
        if family is _WEAK:
            good = {delimiter: value for delimiter, value in good.items() if value[0] > -2 and value[1] == 1}
        if good:
            return max(good, key=lambda delimiter: good[delimiter])
    present = [delimiter for delimiter in _STRONG if sample and delimiter in sample[0]]
    return present[0] if present else ""


def _even_spaces(text: str) -> str:
    """Turn runs of spaces between fields into one tab, outside quotation marks."""
    text = re.sub(r"(?m)^[ \t]+|[ \t\r]+$", "", text)
    if '"' not in text:
        return re.sub(r"[ \t]+", "\t", text)
    return re.sub(r'"[^"\n]*"|[ \t]+', lambda m: m[0] if m[0].startswith('"') else "\t", text)


def header_names(cells: list[str], width: int = 0, below: list[list[str]] | None = None) -> list[str]:
    """Return the names in a heading, and complete one that is a field short."""
    names = [re.sub(r"\s+", " ", cell.strip().lstrip("\ufeff")) for cell in cells]
    if below and len(names) == width - 1:
        trailing = not any(row[-1] for row in below if len(row) == width)
        names = [*names, ""] if trailing else ["row", *names]
    return names


def _after_rows(body: str, sample: list[str], delimiter: str, n_rows: int) -> str:
    """The text below the heading, whose rows may span lines inside quotation marks."""
    reader = csv.reader((f"{line}\n" for line in sample), delimiter=delimiter)
    for _ in range(n_rows):
        next(reader, None)
    for _ in range(reader.line_num):
        cut = body.find("\n")
        body = body[cut + 1 :] if cut >= 0 else ""
        body = body.lstrip("\r\n")
    return body


def _parse(where: str, body: str, delimiter: str, width: int, has_header: bool) -> pa.Table:
    broken: list[tuple[int, str]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        broken.append((row.actual_columns, row.text or ""))
        return "skip"

    names = [f"c{i}" for i in range(width)]
    data = pa.py_buffer(body.encode("utf-8", "replace"))
    quoted = '"' in body

    def parse(block_size: int) -> pa.Table:
        broken.clear()
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=block_size),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=quoted,
                quote_char='"' if quoted else False,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    try:
        try:
            table = parse(_BLOCK)
        except pa.ArrowInvalid:
            # A row longer than a block cannot be split; the whole text as one block always can.
            table = parse(max(_BLOCK, data.size + 1))
    except pa.ArrowException as error:
        raise InputError(
            f"{where} cannot be split into {width:,} columns: {first_line(error)}",
            "Expected the same delimiter in every line and closed quotation marks.",
            "Set delimiter, or export the table again.",
        ) from None
    if broken:
        actual, line = broken[0]
        more = f", and {len(broken) - 1:,} more lines differ" if len(broken) > 1 else ""
        below = " below the header" if has_header else ""
        first = (line.splitlines() or [""])[0].strip()
        at = next((i for i, text in enumerate(body.splitlines(), 1) if text.strip() == first), 1)
        raise InputError(
            f"{where}: line {number(at)}{below} has {actual:,} field{'s' if actual > 1 else ''}{more}.",
            f"Expected {width:,} fields, {'as in the header' if has_header else 'as in the other lines'}.",
            "Put quotation marks around values that contain the delimiter, or correct those lines.",
        )
    return table


def first_line(error: Exception) -> str:
    """Return the first line of an error message, as a sentence."""
    text = (str(error).splitlines() or [""])[0][:160]
    return text if text.endswith(".") else f"{text}."
