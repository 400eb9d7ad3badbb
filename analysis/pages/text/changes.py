"""Text and tables of the Changes page."""

from __future__ import annotations

from analysis.base.formats import Formats, in_words, joined, number, unit_beside
from analysis.pages.figures import Table, tag
from analysis.report.model import VERDICTS, Report, Segment
from analysis.report.parts import Change, Identity, Interval, SegmentChange

MOST_LEFT = 0.5
"""Share still in the data under which a segment ended because its customers left. Chosen for this project."""


def since(report: Report) -> str:
    """Return the phrase for the run that is compared with; empty for a first run."""
    change = report.change
    if change is None:
        return ""
    then = change.before.as_of
    if not then:
        return "Compared with the run before"
    day = report.formats().date(then)
    return f"Since {day}" if then < report.study.as_of else f"Compared with the run as of {day}"


def headline(report: Report) -> str:
    """Summarise the changes in a sentence."""
    change = report.change
    if change is None:
        return (
            "This is the first run on record, so there is nothing to compare it with. The next one, on other data or "
            "under other settings, is compared with it here."
        )
    continued = [c for c in change.segments if c.kind == "kept"]
    if len(continued) == change.before.k == 1:
        text = "the one segment is still there"
    elif len(continued) == change.before.k:
        text = f"all {in_words(len(continued))} segments are still there"
    else:
        text = f"{in_words(len(continued))} of {in_words(change.before.k)} segments are still there"
    for kind, one, many in (
        ("merged", "went into another", "went into others"),
        ("death", "is gone", "are gone"),
        ("birth", "is new", "are new"),
        ("split", "split off", "split off"),
    ):
        if n := sum(c.kind == kind for c in change.segments):
            text += f", {in_words(n)} {one if n == 1 else many}"
    sentences = most_moved(report, continued)
    return f"{since(report)}, {text}{f'; {sentences}' if sentences else ''}."


def most_moved(report: Report, kept: list[SegmentChange]) -> str:
    """Return the continuing segments that grew or shrank most, if the change is significant."""
    sure = [c for c in kept if c.shift and _is_sure(c.shift)]
    if not sure:
        return "none of them surely grew or shrank" if kept else ""
    most = max(sure, key=lambda c: abs(c.shift[0]) if c.shift else 0)
    segment, f, then = segment_now(report, most), report.formats(), most.share_then or 0
    moved = "grew" if segment.share > then else "shrank"
    people = report.study.customers
    return f"{segment.name} {moved} most, from {f.percent(then)} to {f.percent(segment.share)} of {people}"


def events(report: Report) -> list[str]:
    """Return a sentence for each segment that is new or has ended."""
    change = report.change
    return [] if change is None else [_event(report, change, c) for c in change.segments if c.kind != "kept"]


def old_name(report: Report, s: Segment) -> list[str]:
    """Explain the name of a segment whose current numbers would give it another name."""
    if report.change is None or not s.name == s.given != s.today or s.since == report.study.as_of:
        return []
    day = report.formats().date(s.since)
    return [f"{s.name} has its name from the run as of {day}; by today's numbers it would be “{s.today}”."]


def renamed(report: Report) -> list[str]:
    """Name the segments whose published name was replaced because it was not true of most members any more."""
    change = report.change
    pairs = [(c.then, segment_now(report, c)) for c in change.segments if c.kind == "kept" and c.then] if change else []
    return [
        f"“{then.label}” is now called “{now.name}”: the old name was no longer true of most of its "
        f"{report.study.customers}. The old address leads to the new page."
        for then, now in pairs
        if then.slug in now.former and then.slug != now.slug
    ]


def basis(report: Report) -> str:
    """Explain how segments were matched and what the intervals assume."""
    change = report.change
    if change is None:
        return ""
    if change.by == "centres":
        return (
            "Who was in which segment then is not at hand, so segments were matched by where their centres lie, and it "
            "cannot be told who moved. Intervals take the two runs for independent samples; where many customers are "
            "the same they are wider than need be."
        )
    return (
        f"Segments were matched by who is in them: {report.formats().percent(change.common or 0)} of today's "
        f"{report.study.customers} were in the data then. Intervals of shares of {report.study.customers} allow for "
        "that; those of value and traits take the runs for independent samples and are wider than need be."
    )


def edited(report: Report) -> str:
    """List the features that are not compared because their formula has changed; empty if there are none."""
    labels = report.change.edited if report.change else ()
    if not labels:
        return ""
    named = joined([f"“{label}”" for label in labels])
    formula = "The formula of" if len(labels) == 1 else "The formulas of"
    was = "was edited after that run, so it is" if len(labels) == 1 else "were edited after that run, so they are"
    return (
        f"{formula} {named} {was} left out of this comparison. Segments can differ for that reason alone: their sizes "
        f"then and now do not say that {report.study.customers} behave differently."
    )


def runs(report: Report) -> Table:
    """Compare the two runs side by side."""
    change = report.change
    assert change is not None
    then, f = change.before, report.formats()
    row = next(r for r in report.evidence.by_k if r.k == report.decision.k)
    return Table(
        ("What", "Then", "Now"),
        (
            ("As of", f.date(then.as_of), f.date(report.study.as_of)),
            (report.study.customers.capitalize(), about_n(then.n), f.people(report.study.n_customers)),
            ("Verdict", VERDICTS[then.verdict][0] if then.verdict in VERDICTS else "–", report.verdict.title),
            ("Segments", str(then.k), str(report.decision.k)),
            ("Algorithm", then.algorithm, report.decision.algorithm_title),
            ("Agreement between resamples", number(then.stability, 2), number(row.stability.median, 2)),
            ("Mean silhouette", number(then.silhouette, 2), number(row.silhouette, 2)),
        ),
    )


def sizes(report: Report) -> Table:
    """List size and value of every segment in both runs."""
    change, f = report.change, report.formats()
    assert change is not None
    worth = report.value_label()
    people = report.study.customers.capitalize()
    heads = ("Segment", f"{people} then", f"{people} now", "Share then", "Share now", "Shift in points")
    rows = []
    for c in change.segments:
        segment = None if c.now is None else segment_now(report, c)
        row = [
            tag(segment) if segment else tag_of(c.then),
            "–" if c.n_then is None else about_n(c.n_then),
            "–" if segment is None else f.people(segment.n),
            "–" if c.share_then is None else f.percent(c.share_then),
            "–" if segment is None else f.percent(segment.share),
            _points(c.shift, f),
        ]
        if worth:
            now = segment.value_share if segment else None
            row += [
                "–" if c.value_then is None else f.percent(c.value_then),
                "–" if now is None else f.percent(now),
                _points(c.value_shift, f),
            ]
        rows.append(tuple(row))
    worth_heads = (f"{worth} then", f"{worth} now", "Shift in points of it") if worth else ()
    return Table((*heads, *worth_heads), tuple(rows))


def traits(report: Report) -> Table | None:
    """List the significant shifts of continuing segments, largest first; None if there are none."""
    change, f = report.change, report.formats()
    shifts = [t for t in change.traits if t.flagged] if change else []
    rows = []
    for t in sorted(shifts, key=lambda t: (t.now, -abs(t.shift[0]))):
        variable = report.variable(t.variable)
        unit = unit_beside(variable.label, variable.unit)
        if variable.unit == "yes_no":
            values = [f"{f.percent(x)} yes" for x in t.means]
        elif f.value(t.medians[0], unit) == f.value(t.medians[1], unit):
            values = [f"{f.value(x, unit)} on average" for x in t.means]
        else:
            values = [f.value(x, unit) for x in t.medians]
        z, low, high = (number(x, 2, "+") for x in t.shift)
        rows.append((tag(report.segments[t.now - 1]), variable.label, *values, f"{z} {_range(low, high)}"))
    return Table(("Segment", "Trait", "Median then", "Median now", "Shift of the mean"), tuple(rows)) if rows else None


def drifts(report: Report) -> Table:
    """List the drift of each variable's distribution."""
    assert report.change is not None
    return Table(
        ("Variable", "PSI", "KS, at least", "Reading"),
        tuple(
            (
                d.label,
                number(d.psi, 3),
                "–" if d.ks is None else f"{number(d.ks, 3)}{', more than chance' if d.ks > d.chance else ''}",
                d.reading,
            )
            for d in report.change.drift
        ),
    )


def _event(report: Report, change: Change, c: SegmentChange) -> str:
    people, f = report.study.customers, report.formats()
    if c.kind in {"birth", "split"}:
        places = [f"in {who.label}" if who else "not in the data" for who, _ in c.origins]
        were = [f"{f.percent(part)} {place}" for place, (_, part) in zip(places, c.origins, strict=True)]
        text = f"New: {segment_now(report, c).name}"
        if c.kind == "split" and c.out_of:
            text += f", split off from {c.out_of.label}"
            text += "" if were else ", which lies nearest and shrank by most of it"
        return f"{text}; of its {people} {joined(were)} then." if were else f"{text}."
    gone = c.then.label if c.then else ""
    if c.kind == "merged" and c.into is not None:
        into = report.segments[c.into - 1].name
        if c.stayed is None:
            return f"Ended: {gone}; {into} lies nearest and grew by most of it."
        return f"Ended: {gone}; {f.percent(c.stayed)} of those still in the data went into {into}."
    if c.stayed is None:
        return f"Ended: {gone}; no segment lies where it was."
    if c.stayed < MOST_LEFT:
        return f"Ended: {gone}; {f.percent(1 - c.stayed)} of its {people} are no longer in the data."
    return f"Ended: {gone}; its {people} are spread over other segments."


def segment_now(report: Report, c: SegmentChange) -> Segment:
    return report.segments[(c.now or 1) - 1]


def tag_of(identity: Identity | None) -> str:
    return f"{identity.letter} · {identity.label}, ended" if identity else "–"


def about_n(n: int) -> str:
    return f"about {number(n)}"


def _is_sure(shift: Interval) -> bool:
    return shift[1] > 0 or shift[2] < 0


def _range(low: str, high: str) -> str:
    """An interval in brackets that stays on one line."""
    space = "\N{NO-BREAK SPACE}"
    return f"({low}{space}to{space}{high})"


def _points(shift: Interval | None, f: Formats) -> str:
    """A difference of shares in percentage points with its interval."""
    if shift is None:
        return "–"
    value, low, high = (number(100 * x + 0.0, 1, "+") for x in shift)
    return f"{value} {_range(low, high)}"
