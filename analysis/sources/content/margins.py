"""Lines of a text file above and below its table: titles, comments and footers."""

from __future__ import annotations

import re
from collections import Counter

from analysis.base.formats import number

DELIMITERS = ("\t", ";", ",", "|", "\x1f", "\x01")
_SEEN = 1 << 16


def _count(line: str) -> tuple[int, ...]:
    """Count the delimiters of a line outside quotation marks."""
    bare = re.sub(r'"[^"]*"', "", line)
    return tuple(bare.count(delimiter) for delimiter in DELIMITERS)


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
            return body if not n_skipped else body.split("\n", n_skipped)[-1]
        n_skipped += 1
    else:
        return body
    if not n_skipped:
        return body
    notes.append(f"{number(n_skipped)} line{'s' if n_skipped > 1 else ''} before the table skipped")
    return body.split("\n", n_skipped)[-1]


def trim_footer(body: str, notes: list[str]) -> str:
    """Drop lines after a blank line at the end that have fewer delimiters than the header."""
    tail = body[-4000:].rstrip().split("\n")
    usual = max(_count(body.split("\n", 1)[0]))
    blank = next((i for i in range(len(tail) - 1, max(len(tail) - 12, 0), -1) if not tail[i].strip()), 0)
    footer = tail[blank + 1 :]
    if not blank or not usual or any(max(_count(line)) >= usual for line in footer):
        return body
    notes.append(f"{number(len(footer))} line{'s' if len(footer) > 1 else ''} below the table skipped")
    cut = len("\n".join(tail[blank:]))
    return body.rstrip()[:-cut]
