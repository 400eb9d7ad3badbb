"""Lines of a text file above and below its table: titles, comments and footers."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from analysis.base.formats import number

DELIMITERS = ("\t", ";", ",", "|", "\x1f", "\x01")
_COUNTED = re.compile(
    r"\n\(?\d[\d.,]* (?:rows?|records?|zeilen|datensätze|lignes|filas|registros|righe|rijen|linhas)\)?\s*\Z",
    re.IGNORECASE,
)
_SEEN = 1 << 16


def _count(line: str) -> tuple[int, ...]:
    """Count the delimiters of a line outside quotation marks."""
    bare = re.sub(r'"[^"]*"', "", line)
    return tuple(bare.count(delimiter) for delimiter in DELIMITERS)


def _is_one_table(body: str) -> bool:
    """Return whether a text with line breaks inside quoted cells has rows of one width, two or more, throughout."""
    if '"' not in body:
        return False
    csv.field_size_limit(2**31 - 1)
    head = body.split("\n", 1)[0]
    for delimiter in (delimiter for delimiter in DELIMITERS if delimiter in head):
        rows = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
        widths: set[int] = set()
        has_breaks = False
        try:
            for row in rows:
                if row:
                    widths.add(len(row))
                    has_breaks = has_breaks or any("\n" in cell for cell in row)
                if len(widths) > 1:
                    break
        except csv.Error:
            continue
        if has_breaks and len(widths) == 1 and min(widths) > 1:
            return True
    return False


def trim_titles(body: str, notes: list[str]) -> str:
    """Drop titles and comments before the header: lines with fewer delimiters than almost all lines below them."""
    lines = body[:_SEEN].split("\n")[:60]
    full = [line for line in lines[1:] if line.strip() and not line.startswith("#")]
    if len(lines) < 4 or not full or ('"' in body[:_SEEN] and re.search(r'^"[^"\n]*$', body[:_SEEN], re.MULTILINE)):
        return body
    n_skipped = 0
    usual, n_usual = Counter(map(_count, full)).most_common(1)[0]
    if max(usual) == 0 or 2 * n_usual < len(full):
        return body
    for line in lines[:20]:
        if _count(line) == usual and not (line.startswith("#") and n_skipped):
            break
        comment = line.startswith("#")
        if line.strip() and not comment and 2 * max(_count(line)) > max(usual) and line.strip(" ,;|\t") == line.strip():
            return body if not n_skipped or _is_one_table(body) else body.split("\n", n_skipped)[-1]
        n_skipped += 1
    else:
        return body
    if not n_skipped or _is_one_table(body):
        return body
    notes.append(f"{number(n_skipped)} line{'s' if n_skipped > 1 else ''} before the table skipped")
    return body.split("\n", n_skipped)[-1]


def trim_footer(body: str, notes: list[str]) -> str:
    """Drop lines after a blank line at the end that have fewer delimiters than the header, and a count of the rows."""
    body = re.sub(r"\A([^\n]*\n)[-=+ ]{3,}\n", r"\1", body)
    counted = _COUNTED.search(body[-200:])
    if counted:
        body = body[: len(body) - len(body[-200:]) + counted.start()]
        notes.append("1 line below the table skipped")
    tail = body[-4000:].rstrip().split("\n")
    separators = "".join(DELIMITERS) + ' "'
    usual = max(_count(body.split("\n", 1)[0]))
    blank = next((i for i in range(len(tail) - 1, max(len(tail) - 12, 0), -1) if not tail[i].strip(separators)), 0)
    footer = tail[blank + 1 :]
    if not blank or not usual or any(max(_count(line)) >= usual for line in footer):
        return body
    cut = len(body.rstrip()) - len("\n".join(tail[blank:]))
    if body.count('"', 0, cut) % 2 or _is_one_table(body):
        # The blank line stands inside a quoted cell.
        return body
    notes.append(f"{number(len(footer))} line{'s' if len(footer) > 1 else ''} below the table skipped")
    return body[:cut]
