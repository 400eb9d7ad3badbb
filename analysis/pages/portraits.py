"""What pages show of a segment: its card, key figures, outcomes and markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from analysis.report.model import Report, Segment

BADGES = {
    "highly stable": "highly-stable",
    "valid": "valid",
    "a pattern": "pattern",
    "do not trust": "do-not-trust",
}


@dataclass(frozen=True, slots=True)
class Band:
    """A marker row: positions 0-100 on a common axis from the lowest p10 to the highest p90."""

    label: str
    text: str
    colour: Markup
    seg_text: str
    all_text: str
    seg_lo: Markup
    seg_mid: Markup
    seg_hi: Markup
    all_lo: Markup
    all_mid: Markup
    all_hi: Markup


def build_card(report: Report, s: Segment, folder: str) -> dict[str, Any]:
    """Build the data of a persona for its card, the switcher and the pager."""
    formats = report.formats()
    return {
        "url": Markup(f"{folder}{s.slug}.html"),
        "letter": s.letter,
        "colour": Markup(s.colour),
        "name": s.name,
        "story": s.one_line,
        "customers_text": f"{formats.people(s.n)} ({formats.percent(s.share)})",
        "customers_pct": round(100 * s.share),
        "value_label": report.value_label(),
        "value_text": formats.value(s.value_share, "share") if s.value_share is not None else "",
        "value_pct": min(100, max(0, round(100 * (s.value_share or 0)))),
        "facts": [f"{fact.figure} {fact.label}" for fact in s.portrait.facts[2:]],
        "badge_kind": Markup(BADGES[s.band]),
        "badge_text": s.band.capitalize() if report.verdict.kind != "none" else "",
    }


def say_expected(report: Report, s: Segment) -> str:
    """Say what a customer of the segment is expected to spend; empty without transactions."""
    expected, formats = report.expected, report.formats()
    if expected is None:
        return ""
    own = expected.segments[s.id - 1]
    return (
        f"Expected spend in the next year: {formats.value(own.value, 'money')} per customer "
        f"({formats.percent(expected.level)} interval {formats.interval(own.low, own.high, 'money')}; "
        f"everyone {formats.value(expected.everyone.value, 'money')})."
    )


def list_outcomes(report: Report, s: Segment) -> list[tuple[str, str, str]]:
    """List each outcome with its rate in the segment and overall."""
    formats = report.formats()
    return [
        (
            v.label,
            formats.percent(d.summary.mean),
            formats.percent(report.everyone[v.name].mean),
        )
        for v in report.variables
        if v.role == "outcome" and v.unit == "yes_no" and (d := s.difference(v.name))
    ]


def place_marker(report: Report, s: Segment, name: str) -> Band:
    """Build the data of a marker: its range in the segment and overall."""
    formats = report.formats()
    variable, difference = report.variable(name), s.difference(name)
    assert difference is not None
    summary, base = difference.summary, report.everyone[name]
    word = {1: "higher", -1: "lower"}.get(difference.direction, "different")
    sure = f"clearly {word} in {difference.certainty} of 100 re-runs"
    if s.n - summary.n >= report.study.min_cell:
        sure += f"; known for {formats.people(summary.n)}"
    if variable.unit == "yes_no":
        here, all_ = round(100 * summary.mean, 1), round(100 * base.mean, 1)
        texts = (formats.percent(summary.mean), formats.percent(base.mean))
        place = [Markup(x) for x in (0, here, here, 0, all_, all_)]
        return Band(variable.label, f"yes, {sure}", Markup(s.colour), *texts, *place)
    low, high = min(summary.p10, base.p10), max(summary.p90, base.p90)
    span = (high - low) or 1.0
    told = formats.told(variable.unit, (summary.mean, summary.median), (base.mean, base.median))
    if told and told[0] == "mean":
        sure = f"on average {told[1]}, everyone {told[2]}; {sure}"
    place = [
        Markup(round(4 + 92 * (x - low) / span, 1))
        for x in (summary.p10, summary.median, summary.p90, base.p10, base.median, base.p90)
    ]
    unit = variable.unit
    return Band(
        variable.label,
        sure,
        Markup(s.colour),
        f"{formats.value(summary.median, unit)} ({formats.value(summary.p10, unit)} to "
        f"{formats.value(summary.p90, unit)})",
        f"{formats.value(base.median, unit)} ({formats.value(base.p10, unit)} to {formats.value(base.p90, unit)})",
        *place,
    )
