"""Slides to look things up on: all actions, typical values, the data and the method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.base.formats import joined, number
from analysis.pages.downloads.canvas import HEAD, MARGIN, WIDTH, Box, Deck, Line
from analysis.pages.figures import tag
from analysis.pages.text import act, evidence
from analysis.report.model import Report

A_SLIDE = 8
"""Rows of a table on a slide. Chosen for this project."""
MOST_SEGMENTS = 6
"""Segments in a table of typical values; more do not fit."""
FULL = WIDTH - 2 * MARGIN
Source = Callable[..., list[str]]


def add_appendix(deck: Deck, report: Report, source: Source) -> None:
    """Add the appendix to a deck; ``source`` writes the notes with the pages that it is given."""
    if report.verdict.kind != "none":
        _add_actions(deck, report, source)
        _add_typical(deck, report, source)
    _add_method(deck, report, source)


def _add_actions(deck: Deck, report: Report, source: Source) -> None:
    rows = [
        (str(row.rank), row.slot.action, tag(row.segment), row.slot.channel, row.slot.effort, row.prize or "–")
        for row in act.rank_actions(report)
    ]
    worth = report.study.value is not None
    head = ("", "Action", "Segment", "Channel", "Effort", "Prize")
    widths = (0.4, 4.6, 2.4, 2.3, 1.0, 1.5)
    if not worth:
        rows, head, widths = [row[:-1] for row in rows], head[:-1], widths[:-1]
    _add_tables(deck, "Appendix: all actions, ranked", [head, *rows], widths, source("act.html"))


def _add_typical(deck: Deck, report: Report, source: Source) -> None:
    """List medians, and shares of yes, of each segment beside everyone's."""
    f, segments = report.formats(), report.segments[:MOST_SEGMENTS]
    rows = []
    for v in (v for v in report.variables if v.name in report.everyone and not v.categorical):
        told = [d.summary if (d := s.difference(v.name)) else None for s in segments]
        cells = [
            "–" if x is None else f.value(x.mean if v.unit == "yes_no" else x.median, v.unit)
            for x in (report.everyone[v.name], *told)
        ]
        rows.append((v.label, *cells))
    head = ("", "Everyone", *(tag(s) for s in segments))
    widths = (3.2, 1.3, *(1.5 for _ in segments))
    words = "Medians; for questions of yes or no, the share of yes. An en dash: too few values to publish."
    _add_tables(deck, "Appendix: typical values", [head, *rows], widths, [words, *source("compare.html")], 11)


def _add_tables(
    deck: Deck, title: str, rows: Sequence[Sequence[str]], widths: Sequence[float], notes: Sequence[str], each: int = 8
) -> None:
    """Spread the rows of a table over as many slides as they take, the first row on top of each."""
    head, body = rows[0], rows[1:]
    parts = [body[i : i + each] for i in range(0, len(body), each)]
    for place, part in enumerate(parts, start=1):
        counted = f" ({place} of {len(parts)})" if len(parts) > 1 else ""
        slide = deck.slide(f"{title}{counted}", notes)
        row_height = 0.6 if each <= A_SLIDE else 0.46
        deck.table(slide, Box(MARGIN, 1.2, FULL, HEAD + row_height * len(part)), [head, *part], widths, 12)


def _add_method(deck: Deck, report: Report, source: Source) -> None:
    """Say what the data are, how the segments were found and what tests assume."""
    study, f = report.study, report.formats()
    slide = deck.slide("Appendix: data and method", source("data.html", "methodology.html", "card.html"))
    names = joined([one.name for one in report.data.sources])
    data = [
        f"{f.people(study.n_customers)} {study.customers}, read from {names}.",
        f"{number(len(report.forming()))} of {number(len(report.variables))} variables form the segments.",
    ]
    data += [f"Data as of {f.date(study.as_of)}."] if study.as_of else []
    data += [report.weight_note()] if report.weighting else []
    data += [f"To be used until {f.date(report.card.valid_until)}."] if report.card.valid_until else []
    data += [f"{f.people(report.unassigned)} {study.customers} have no segment."] if report.unassigned else []
    data += ["Groups of fewer than " + f"{number(study.min_cell)} {study.customers} are not told apart."]
    method = evidence.decision_words(report)
    lines = [Line("Data", 16, True), *(Line(text, 14, before=4) for text in data)]
    lines += [Line("Method", 16, True, before=14), *(Line(text, 14, before=4) for text in method)]
    assumed = act.assumed(report).rows
    deck.text(slide, Box(MARGIN, 1.25, 5.8, 5.6), lines)
    if assumed:
        shown = [Line("What the tests assume", 16, True)]
        shown += [Line(f"{what} (plans of {letters})", 14, before=4) for what, letters in assumed]
        deck.text(slide, Box(6.9, 1.25, WIDTH - MARGIN - 6.9, 5.6), shown)
