"""Words of the Downloads page: what is in each file, how large it is, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from markupsafe import Markup

from analysis.base.formats import number
from analysis.pages.downloads.briefs import brief_files
from analysis.pages.downloads.sharing import GUIDE, PICTURE, SEGMENTS, SEGMENTS_SCHEMA
from analysis.pages.downloads.slides import SLIDES
from analysis.pages.downloads.workbook import WORKBOOK
from analysis.pages.figures import tag
from analysis.pages.rules import CENTRES_SQL, JSON, PYTHON, SCHEMA, TREE_SQL
from analysis.report.model import Report

OFFLINE = Markup("downloads/site.zip")
"""The offline copy, which is made when the site is rendered."""
Entry = Mapping[str, str]


def for_meetings(report: Report, sizes: Mapping[str, int]) -> list[Entry]:
    """List the slides, the workbook, the brief of the study and the picture for links."""
    found = report.verdict.kind != "none"
    told = "the finding, a picture of all segments, a slide for each persona, what to do first, how far to trust it"
    searched = "the finding, what was looked for, simple bands, data that would help"
    sheets = "profiles, differences, actions" if found else "the split that was tried"
    add = _adder(sizes)
    return [
        *add(SLIDES, "Slides", f"PowerPoint: {told if found else searched}. Charts and texts can be edited"),
        *add(WORKBOOK, "Workbook", f"Excel: {sheets} and the dictionary, to sort and filter"),
        *add(brief_files("")[0], "The study on one page", "PDF to print, A4"),
        *add(brief_files("")[1], "Picture card of the study", "PNG for mail and slides"),
        *add(PICTURE, "Preview picture", "PNG that chats and social networks show with a link to this site"),
    ]


def for_personas(report: Report, sizes: Mapping[str, int]) -> list[Entry]:
    """List the brief and the picture card of each segment."""
    add = _adder(sizes)
    entries: list[Entry] = []
    for s in report.segments:
        page, picture = brief_files(s.slug)
        entries += add(page, tag(s), "PDF to print, A4")
        entries += add(picture, f"{tag(s)}, picture card", "PNG for mail and slides")
    return entries


def for_programs(sizes: Mapping[str, int]) -> list[Entry]:
    """List the files that other programs read."""
    add = _adder(sizes)
    each = (
        (SEGMENTS, "Segments", "JSON: size, value, what sets each apart and how to recognise it"),
        (SEGMENTS_SCHEMA, "Schema of the segments", "JSON Schema: every field of that file"),
        (JSON, "Rules", "JSON: places a customer in a segment"),
        (SCHEMA, "Schema of the rules", "JSON Schema: every field of that file"),
        (PYTHON, "Rules as Python", "Python: two functions that need no library"),
        (TREE_SQL, "Rules as SQL, by questions", "SQL: one query"),
        (CENTRES_SQL, "Rules as SQL, by distance", "SQL: one query"),
    )
    entries = [entry for name, text, note in each for entry in add(name, text, note)]
    guide = {"url": Markup(GUIDE), "text": "Guide for language models", "note": "Plain text: what is on each page"}
    return [*entries, guide]


def tell_size(n_bytes: int) -> str:
    """Return the size of a file as it is read.

    >>> tell_size(830), tell_size(122_334), tell_size(2_960_000)
    ('1 kB', '122 kB', '3.0 MB')
    """
    return f"{number(n_bytes / 1e6, 1)} MB" if n_bytes >= 999_500 else f"{number(max(n_bytes / 1e3, 1))} kB"


def _adder(sizes: Mapping[str, int]) -> Callable[[str, str, str], list[Entry]]:
    """Return a function that describes a file below ``downloads/``; an absent one is left out."""

    def add(name: str, text: str, note: str) -> list[Entry]:
        if name not in sizes:
            return []
        return [{"url": Markup(f"downloads/{name}"), "text": text, "note": f"{note}. {tell_size(sizes[name])}"}]

    return add
