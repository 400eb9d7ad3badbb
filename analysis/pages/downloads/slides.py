"""Slides of a study: the finding, a picture of all segments, one slide a persona, the plan and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.base.formats import in_sentence, in_words
from analysis.pages.downloads.appendix import add_appendix
from analysis.pages.downloads.canvas import MARGIN, WIDTH, Box, Deck, Line, Series, cut_to, mixed, n_lines, whole_parts
from analysis.pages.figures import Figure, tag
from analysis.pages.text import act, evidence, persona
from analysis.pages.text.overview import block_heights, finding
from analysis.report.model import Report, Segment

SLIDES = "segments.pptx"
MOST_BARS = 9
"""Features in the chart of a persona, those that differ most. Chosen for this project."""
FULL = WIDTH - 2 * MARGIN
WORKING_SPLIT = "The segments are a working split, so read these as a way to organise the work."
FORM = "+0.0;-0.0;0.0"
"""Number format of differences in standard deviations."""
SHARES = '[<0.04]"";0%'
"""Number format of the parts of a mix: the smallest have no space for a label."""


@dataclass(frozen=True, slots=True)
class Making:
    """What slides are made of: the report, the charts of the pages by name, and the address of the site."""

    deck: Deck
    report: Report
    figures: Mapping[str, Figure]
    home: str

    def source(self, *places: str) -> list[str]:
        """Return the notes of a slide that say where its figures are from; ``places`` are pages below the site."""
        study, f = self.report.study, self.report.formats()
        dated = f", data as of {f.date(study.as_of)}" if study.as_of else ""
        made = " Synthetic demonstration data: no customer is real." if study.synthetic else ""
        pages = [f"Page: {self.home}{place}" for place in places]
        return [f"Source: {study.title}, {f.people(study.n_customers)} {study.customers}{dated}.{made}", *pages]


def draw_slides(report: Report, figures: Mapping[str, Figure], tokens: Mapping[str, str], home: str) -> bytes:
    """Draw all slides of a study.

    Parameters
    ----------
    report : Report
    figures : mapping of str to Figure
        Charts of the pages, by name: slides have their titles.
    tokens : mapping of str to str
        Colours of the style sheet.
    home : str
        What comes before the addresses of pages.

    Returns
    -------
    bytes
        A file for PowerPoint, Keynote and LibreOffice; the same report gives the same bytes.
    """
    study, f = report.study, report.formats()
    dated = f" · data as of {f.date(study.as_of)}" if study.as_of else ""
    made = "Synthetic demonstration data · " if study.synthetic else ""
    footer = f"{made}{cut_to(study.title, 70)}{dated} · Aggregates only"
    deck = Deck(study.title, footer, study.as_of, tokens, [s.colour for s in report.segments])
    making = Making(deck, report, figures, home)
    _add_finding(making)
    if report.verdict.kind == "none":
        _add_search(making)
    else:
        _add_picture(making)
        for segment in report.segments:
            _add_persona(making, segment)
        _add_plan(making)
    _add_trust(making)
    add_appendix(deck, report, making.source)
    return deck.save()


def _add_finding(making: Making) -> None:
    report, deck = making.report, making.deck
    study, verdict = report.study, report.verdict
    slide = deck.slide(study.title, [finding(report), *making.source("index.html")])
    deck.block(slide, Box(MARGIN, 1.3, 0.9, 0.07), "--accent")
    lines = [Line(finding(report), 40, True)]
    lines += [Line(study.subtitle, 18, colour="--ink-2", before=14)] if study.subtitle else []
    deck.text(slide, Box(MARGIN, 1.7, 11, 3.2), lines)
    about = [Line(verdict.title, 18, True, "--accent"), Line(verdict.sentence, 16, colour="--ink-2", before=4)]
    deck.text(slide, Box(MARGIN, 5.2, 11, 1.3), about)


def _add_picture(making: Making) -> None:
    """Draw all segments as blocks: width for customers, area for value."""
    report, deck, f = making.report, making.deck, making.report.formats()
    figure = making.figures["value_size"]
    worth = any(s.value_share is not None for s in report.segments)
    slide = deck.slide(figure.title, [figure.caption, *making.source("index.html", "compare.html")])
    label = report.value_label()
    how = f"Width: share of {report.study.customers}."
    how += f" Area: share of {in_sentence(label)}." if worth else " The data do not say what each is worth."
    deck.text(slide, Box(MARGIN, 1.12, FULL, 0.35), [Line(how, 14, colour="--ink-2")])
    place = Box(MARGIN, 1.7, FULL, 3.1 if worth else 2.2)
    heights = block_heights(report.segments)
    left = place.x
    for s, height in zip(report.segments, heights, strict=True):
        width, tall = place.w * s.share, max(place.h * height, 0.04)
        box = Box(left, place.y + place.h - tall, max(width - 0.04, 0.03), tall)
        shares = f"{tag(s)}: {f.percent(s.share)} of {report.study.customers}"
        shares += f", {f.value(s.value_share, 'share')} of {label.lower()}" if s.value_share is not None else ""
        deck.block(slide, box, s.colour, _fits_in(s, box), 16, shares, top=tall > 1)
        left += width
    if worth and (average := average_height(report.segments)) is not None:
        line = place.y + place.h * (1 - average)
        deck.rule(slide, (place.x, line), (place.x + place.w, line), "--ink-2")
        words = Line("Dashed: value of an average customer", 11, colour="--ink-2")
        deck.text(slide, Box(place.x, place.y + place.h + 0.06, FULL, 0.25), [words])
    _add_key(making, slide, Box(MARGIN, place.y + place.h + 0.45, FULL, 1.65), worth)


def _fits_in(segment: Segment, box: Box) -> str:
    """Return the name of a segment if it fits its block, else its letter, else nothing."""
    if box.h >= 0.45 and box.w >= 1.0 and max(len(word) for word in segment.name.split()) * 0.125 < box.w - 0.15:
        lines = n_lines(tag(segment), box.w - 0.15, 16, True)
        if lines * 0.28 + 0.1 <= box.h:
            return tag(segment)
    return segment.letter if box.h >= 0.3 and box.w >= 0.28 else ""


def average_height(segments: Sequence[Segment]) -> float | None:
    """Return the height at which an average customer stands in the picture; None without a value."""
    if any(s.value_share is None for s in segments):
        return None
    top = max(max(s.value_share or 0.0, 0.0) / s.share for s in segments)
    return 1 / top if top >= 1 else None


def _add_key(making: Making, slide: Any, place: Box, worth: bool) -> None:
    """List the segments below the picture, in two columns where they are many."""
    report, deck, f = making.report, making.deck, making.report.formats()
    across = 2 if len(report.segments) > 4 else 1
    down = -(-len(report.segments) // across)
    step, wide = min(place.h / down, 0.42), place.w / across
    for number, s in enumerate(report.segments):
        x, y = place.x + wide * (number // down), place.y + step * (number % down)
        deck.block(slide, Box(x, y + 0.04, min(step - 0.08, 0.3), min(step - 0.08, 0.3)), s.colour, s.letter, 12)
        shares = f"{f.percent(s.share)} of {report.study.customers}"
        shares += f", {f.value(s.value_share, 'share')} of {report.value_label().lower()}" if worth else ""
        named = 0.38 if across == 1 else 0.55
        deck.text(slide, Box(x + 0.42, y, wide * named - 0.5, step), [Line(s.name, 14, True)], middle=True)
        deck.text(
            slide, Box(x + wide * named, y, wide * (1 - named) - 0.1, step), [Line(shares, 14, colour="--ink-2")], True
        )


def _add_persona(making: Making, s: Segment) -> None:
    """Say who a segment is, what to do first for it, and show what sets it apart."""
    report, deck = making.report, making.deck
    story = [" ".join(sentence.text for sentence in part.sentences) for part in s.portrait.paragraphs]
    sure = f"{s.band.capitalize()}. {evidence.how_sure(report, s)}"
    notes = [*story, *s.not_all, sure, *making.source(f"segments/{s.slug}.html")]
    slide = deck.slide(s.name, notes, (s.letter, s.colour))
    deck.text(slide, Box(MARGIN, 1.14, FULL, 0.6), [Line(s.one_line, 16, colour="--ink-2")])
    facts = s.portrait.facts[:4]
    for number, fact in enumerate(facts):
        x = MARGIN + 3.05 * number
        lines = [Line(fact.figure, 26, True, "--ink"), Line(fact.label, 12), Line(fact.note, 11, colour="--ink-3")]
        deck.text(slide, Box(x, 1.72, 2.9, 1.0), [line for line in lines if line.text])
    parts = [
        (Line(part.title, 12, True, "--ink-2", 6), Line(text, 12))
        for part, text in zip(s.portrait.paragraphs, story, strict=True)
    ]
    start = act.first_slot(report, s)
    place = Box(MARGIN, 2.8, 5.9, 2.45 if start else 4.1)
    deck.text(slide, place, whole_parts(parts, place.w, place.h))
    if start:
        deck.block(slide, Box(MARGIN, 5.35, 5.9, 1.55), "--wash")
        deck.block(slide, Box(MARGIN, 5.35, 0.07, 1.55), s.colour)
        lines = [Line("Start with", 11, True, "--ink-2"), Line(start.action, 14, True), Line(start.why, 12, before=2)]
        lines += [Line(f"Test: {start.design.sentence}", 12, colour="--ink-2", before=2)] if start.design else []
        deck.text(slide, Box(MARGIN + 0.2, 5.42, 5.6, 1.42), lines)
    strips = persona.strips(report, s)[:1]
    _add_profile(making, slide, s, Box(6.9, 2.85, WIDTH - MARGIN - 6.9, 2.35 if strips else 4.05))
    for strip in strips:
        _add_strip(making, slide, s, strip)


def _add_profile(making: Making, slide: Any, s: Segment, place: Box) -> None:
    """Chart the features that differ most, in standard deviations."""
    report, figure = making.report, making.figures[f"profile_{s.letter.lower()}"]
    pairs = [(v, d) for v in report.forming() if (d := s.difference(v.name))]
    most = sorted(pairs, key=lambda pair: -abs(pair[1].z))[: MOST_BARS if place.h > 3 else 6]
    most.sort(key=lambda pair: -pair[1].z)
    left = len(pairs) - len(most)
    note = "Difference from everyone, in standard deviations of the scale that forms the segments"
    note += f"; the {in_words(len(most))} largest of {in_words(len(pairs))}" if left else ""
    making.deck.text(
        slide, Box(place.x, place.y, place.w, 0.5), [Line(figure.title, 13, True), Line(note, 11, colour="--ink-3")]
    )
    bars = Series("Difference", [d.z for _, d in most], [s.colour])
    box = Box(place.x, place.y + 0.5, place.w, place.h - 0.5)
    making.deck.bars(slide, box, [v.label for v, _ in most], [bars], FORM, figure.alt)


def _add_strip(making: Making, slide: Any, s: Segment, strip: persona.Strip) -> None:
    """Chart the channel or product mix of a segment beside everyone's."""
    report = making.report
    mix = s.portrait.mixes[0]
    x, w = 6.9, WIDTH - MARGIN - 6.9
    title = [Line(strip.title, 13, True), Line(strip.note, 11, colour="--ink-3")]
    making.deck.text(slide, Box(x, 5.28, w, 0.46), title)
    paper = making.deck.tokens["--paper"]
    tints = [mixed(s.colour, paper, 1 - 0.75 * i / max(len(mix.parts) - 1, 1)) for i in range(len(mix.parts))]
    series = [
        Series(part.title, [part.share, part.everyone], [tint]) for part, tint in zip(mix.parts, tints, strict=True)
    ]
    labels = [f"Segment {s.letter}", "Everyone"]
    alt = f"{strip.title}: {persona.strip_text(strip)}. {report.study.title}."
    making.deck.bars(slide, Box(x, 5.68, w, 1.3), labels, series, SHARES, alt)


def _add_plan(making: Making) -> None:
    """Show the three actions to start with."""
    report, deck = making.report, making.deck
    rows = act.first_rows(report)
    if not rows:
        return
    notes = [act.say_why(report, row) for row in rows]
    slide = deck.slide("What to do first", [*notes, *making.source("act.html")])
    lead = f"{act.lead(report)} {WORKING_SPLIT}" if report.verdict.kind == "constructive" else act.lead(report)
    deck.text(slide, Box(MARGIN, 1.14, FULL, 0.5), [Line(lead, 16, colour="--ink-2")])
    wide = (FULL - 0.3 * (act.FIRST - 1)) / act.FIRST
    for number, row in enumerate(rows):
        x = MARGIN + number * (wide + 0.3)
        deck.block(slide, Box(x, 1.75, wide, 5.1), "--wash")
        deck.block(slide, Box(x, 1.75, wide, 0.08), row.segment.colour)
        deck.block(slide, Box(x + 0.2, 2.02, 0.36, 0.36), row.segment.colour, row.segment.letter, 14)
        deck.text(slide, Box(x + 0.68, 2.0, wide - 0.85, 0.42), [Line(row.segment.name, 13, True)], middle=True)
        slot = row.slot
        lines = [Line(slot.action, 18, True), Line(slot.why, 13, before=6)]
        lines += [Line(f"{slot.channel}. {slot.moment}.", 13, colour="--ink-2", before=6)]
        lines += [Line(slot.prize, 13, before=6)] if slot.prize else []
        lines += [Line(f"Test: {slot.design.sentence}", 13, before=6)] if slot.design else []
        deck.text(slide, Box(x + 0.2, 2.6, wide - 0.4, 4.1), lines)


def _add_search(making: Making) -> None:
    """Say what was looked for where nothing was found, and what would help."""
    report, deck = making.report, making.deck
    slide = deck.slide("What was looked for", making.source("evidence.html"))
    deck.text(slide, Box(MARGIN, 1.3, FULL, 1.5), [Line(persona.searched(report), 20)])
    each = (
        ("Simple bands that need no model", persona.bands(report)),
        ("Data that would help", persona.would_help(report)),
    )
    columns = [(title, lines) for title, lines in each if lines]
    for number, (title, lines) in enumerate(columns):
        wide = (FULL - 0.5) / 2
        shown = [Line(title, 18, True), *(Line(line, 15, before=8) for line in lines)]
        deck.text(slide, Box(MARGIN + number * (wide + 0.5), 3.1, wide, 3.7), shown)


def _add_trust(making: Making) -> None:
    """Say how far to trust the segments, with the stability of each."""
    report, deck = making.report, making.deck
    verdict = report.verdict
    first, second = evidence.decision_words(report)
    notes = [first, second, *(evidence.how_sure(report, s) for s in report.segments)]
    notes = notes if verdict.kind != "none" else notes[:2]
    slide = deck.slide("How far to trust this", [*notes, *making.source("evidence.html", "stability.html")])
    named = verdict.kind != "none"
    lines = [Line(verdict.title, 20, True, "--accent"), Line(verdict.sentence, 16, before=4)]
    lines += [Line("The decision", 14, True, before=14), Line(f"{first} {second}", 14, colour="--ink-2", before=2)]
    lines += [Line("Predictions", 14, True, before=14), Line(report.proof.headline, 14, colour="--ink-2", before=2)]
    deck.text(slide, Box(MARGIN, 1.3, 5.9 if named else FULL, 5.5), lines)
    if named:
        x, w = 6.9, WIDTH - MARGIN - 6.9
        title = Line("How well each segment comes back when customers are resampled", 14, True)
        note = Line("Mean Jaccard index: 1 = the same customers every time", 11, colour="--ink-3")
        deck.text(slide, Box(x, 1.3, w, 0.75), [title, note])
        bars = Series("Stability", [s.slsw for s in report.segments], [s.colour for s in report.segments])
        labels = [f"{s.letter} · {s.band}" for s in report.segments]
        alt = "; ".join(f"{tag(s)}: {report.formats().score(s.slsw)}, {s.band}" for s in report.segments)
        tall = min(4.6, 0.9 + 0.62 * len(labels))
        deck.bars(slide, Box(x, 2.1, w, tall), labels, [bars], "0.00", alt)
