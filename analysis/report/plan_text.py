"""Plans of the report as text for a terminal, with the rules behind them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.report.model import Report, Segment
from analysis.segments.plans.plan import Slot
from analysis.segments.plans.playbook import PLAYBOOK

WIDTH = 100
NO_PLAN = "This study has no plan: the data show no groups."


def find_segment(report: Report, wanted: str) -> Segment:
    """Find a segment by its letter, name or address.

    Raises
    ------
    InputError
        With the segments of the study.
    """
    folded = wanted.strip().casefold()
    for segment in report.segments:
        if folded in {segment.letter.casefold(), segment.name.casefold(), segment.slug.casefold()}:
            return segment
    known = [text for s in report.segments for text in (s.letter, s.name, s.slug)]
    segments = [f"{s.letter} ({s.name})" for s in report.segments]
    raise InputError(
        f"'{wanted}' is no segment of this study.", f"Segments: {listed(segments)}.", did_you_mean(wanted, known)
    )


def describe_plans(report: Report) -> Iterator[str]:
    """Yield the plans of all segments, line by line."""
    if not any(segment.plan for segment in report.segments):
        yield NO_PLAN
        return
    for segment in report.segments:
        yield f"{segment.letter}  {segment.name}"
        for slot in segment.plan:
            yield from _describe(slot)
        yield ""


def explain_plan(report: Report, segment: Segment) -> Iterator[str]:
    """Yield the plan of one segment with the rule that filled each part, and the numbers that the rule read."""
    yield f"{segment.letter}  {segment.name}"
    if not segment.plan:
        yield NO_PLAN
    for slot in segment.plan:
        yield from _describe(slot)
        if slot.rule:
            yield from _wrapped(f"Rule: {PLAYBOOK}, line {slot.line}: {slot.rule}")
            yield from _wrapped("Numbers: " + ", ".join(f"{name} = {value}" for name, value in slot.values))
            if slot.design:
                yield from _wrapped(f"Baseline: {slot.design.source}")


def _describe(slot: Slot) -> Iterator[str]:
    yield f"  {slot.slot.capitalize()}"
    if slot.needs:
        yield from _wrapped(slot.needs)
        return
    yield from _wrapped(slot.action)
    yield from _wrapped(f"Why: {slot.why}")
    yield from _wrapped(f"Where and when: {slot.channel}. {slot.moment}.")
    yield from _wrapped(f"Leave out: {slot.leave_out}.{f' Avoid: {slot.avoid}.' if slot.avoid else ''}")
    if slot.prize:
        yield from _wrapped(f"Prize: {slot.prize} Effort: {slot.effort}.")
    if slot.design:
        yield from _wrapped(f"Test: {slot.design.sentence}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
