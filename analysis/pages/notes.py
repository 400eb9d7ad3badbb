"""Notes of the analyst: Markdown files, one per segment, that are added to the persona pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from analysis.base.errors import InputError
from analysis.pages.escaping import escape, escape_lines
from analysis.report.model import Report

FOLDER = "site/notes"
_SCROLL = '<div class="table-scroll" role="group" tabindex="0" aria-label="Table in the notes">'
_WEB = re.compile(r"https?://[^\s<>\"'`{}\\]+", re.IGNORECASE)
_PAGE = re.compile(r"(?:\.\./)?[\w-]+\.html(?:#[\w-]+)?|#[\w-]+")


def read_notes(root: Path) -> dict[str, str]:
    """Read the notes by the address of their segment; empty files are none.

    Raises
    ------
    InputError
        For a file that is not UTF-8 text.
    """
    notes = {}
    for file in sorted((root / FOLDER).glob("*.md")):
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{FOLDER}/{file.name} is not UTF-8 text.", hint="Save it as UTF-8.") from None
        if text.strip():
            notes[file.stem] = text
    return notes


def find_lost(notes: Iterable[str], slugs: Iterable[str]) -> list[str]:
    """Return the names of notes whose segment no longer exists.

    >>> find_lost(["wine-buyers", "old-group"], ["wine-buyers"])
    ['old-group.md']
    """
    return [f"{name}.md" for name in sorted(set(notes) - set(slugs))]


def explain_lost(notes: Iterable[str], report: Report) -> tuple[str, ...]:
    """Say which notes no page shows, as their segments are gone, one line each."""
    lost = find_lost(notes, [segment.slug for segment in report.segments])
    return tuple(f"{FOLDER}/{name}: no segment has this address; the note is kept and shown nowhere." for name in lost)


def as_html(text: str) -> Markup:
    """Convert Markdown to HTML: headings, lists, emphasis, quotes, code, tables and links.

    Raw HTML, pictures, shortcodes and other addresses are shown as the text that they are.

    >>> print(as_html("Call **early**: <b>now</b>"))
    <p>Call <strong>early</strong>&#58; &#60;b&#62;now&#60;&#47;b&#62;</p>
    """
    reader = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    reader.enable("table").disable(["image", "html_block", "html_inline", "entity", "autolink"])
    reader.validateLink = lambda url: bool(_WEB.fullmatch(url) or _PAGE.fullmatch(url))  # type: ignore[method-assign]
    return Markup(reader.render(text.replace("\x00", " ")).strip())


class _Renderer(RendererHTML):
    """Writes every text and address so that no page engine reads anything in it; headings lie under the page's."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return escape(tokens[idx].content)

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<code>{escape(tokens[idx].content)}</code>"

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<pre><code>{escape_lines(tokens[idx].content)}</code></pre>\n"

    code_block = fence

    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: N802
        token = tokens[idx]
        if token.type in {"heading_open", "heading_close"}:
            level = min(int(token.tag[1]) + 2, 6)
            return f'<h{level} class="no-anchor">' if token.nesting == 1 else f"</h{level}>\n"
        if token.type == "table_open":
            return f'{_SCROLL}<table class="data">\n'
        if token.type == "table_close":
            return "</table></div>\n"
        if token.type == "link_open":
            return f'<a href="{escape(token.attrs["href"])}">'
        if token.type == "ordered_list_open" and "start" in token.attrs:
            return f'<ol start="{int(token.attrs["start"])}">\n'
        token.attrs = {}
        return super().renderToken(tokens, idx, options, env)
