"""Text about the stability and separation of segments."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.base.formats import in_words, joined, number
from analysis.pages.figures import Table
from analysis.report.model import Report, Segment
from analysis.report.parts import Neighbour
from analysis.report.thresholds import DISSOLVED, HENNIG, VALID

MOST_AGREE, FEW_AGREE = 0.75, 0.5
"""Shares of choices that agree from which the segments do not hang on one choice, and hang on it in part. Chosen for
this project."""
FACTORS = {
    "scaling": "how features are scaled",
    "algorithm": "the algorithm",
    "features": "which features take part",
    "outliers": "what is done with unusual customers",
}
"""Kinds of choice in words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A heading, the answer in a few words, and the answer in full."""

    title: str
    short: str
    text: str


def solid_or_shaky(report: Report) -> str:
    """State in one sentence which segments are stable under resampling."""
    segments = report.segments
    if report.verdict.kind == "none":
        return "Shuffled data give groups just as stable, so no segment is solid, however often it comes back."
    shaky = [s for s in segments if s.slsw < VALID]
    named = joined([f"{s.name} ({number(s.slsw, 2)})" for s in shaky])
    if not shaky:
        least, most = (number(pick(s.slsw for s in segments), 2) for pick in (min, max))
        span = least if least == most else f"{least} to {most}"
        all_ = "Both segments" if len(segments) == 2 else f"All {in_words(len(segments))} segments"
        return f"{all_} are solid: each comes back in resamples ({span}, where 1 = the same customers)."
    if len(shaky) == len(segments):
        return f"No segment is solid: none comes back reliably in resamples, {_least(report).name} least of all."
    solid = joined([s.name for s in segments if s.slsw >= VALID])
    those = "that group" if len(shaky) == 1 else "those groups"
    return f"Solid: {solid}. Shaky: {named}; another sample of {report.study.customers} may not hold {those}."


def advice(report: Report) -> tuple[Reading, ...]:
    """Advise on each unstable segment, or on the least stable one if all are stable."""
    shaky = [s for s in report.segments if s.slsw < VALID]
    if shaky:
        return tuple(_advise(report, s) for s in shaky)
    s = _least(report)
    if report.verdict.kind == "none":
        return (Reading("All segments", "do not act on them", report.verdict.sentence),)
    text = (
        f"{s.name} is the least stable, and still {s.band} ({number(s.slsw, 2)}). Its core can be planned "
        f"with by name; a "
        "customer at a border may be on the other side after the next run."
    )
    return (Reading("No segment is shaky", "nothing to mend", text),)


def bands(report: Report) -> Table:
    """List Hennig's stability bands with the segments in each."""
    rows = []
    for (low, band), high in zip(HENNIG, (1.0, *(least for least, _ in HENNIG)), strict=False):
        members = [f"{s.letter} {number(s.slsw, 2)}" for s in report.segments if s.band == band]
        reading = band.capitalize() + ("" if low else f"; under {number(DISSOLVED, 2)} it has dissolved")
        rows.append((reading, f"{number(low, 2)} to {number(high, 2)}", ", ".join(members) or "–"))
    return Table(("Reading", "Stability", "Segments"), tuple(rows))


def fewer_and_more(report: Report) -> tuple[Reading, ...]:
    """Explain why there is not one segment fewer or more; empty for a density method."""
    if not report.evidence.slsa:
        return ()
    k, neighbours = report.decision.k, {n.k: n for n in report.evidence.neighbours}
    return tuple(_compare(report, neighbours[j]) if j in neighbours else _not_there(report, j) for j in (k - 1, k + 1))


def choices_in_short(report: Report) -> str:
    """Summarise in one sentence how many choices agree, and which kind of choice matters most."""
    choices = report.evidence.multiverse
    share = report.formats().percent(choices.agree_share)
    text = f"Of {len(choices.choices)} ways to form {in_words(choices.k)} segments, {share} tell the published story"
    most = choices.factors[0]
    return f"{text}; what matters most is {FACTORS[most.name]}." if most.matters else f"{text}, whatever is chosen."


def choices_reading(report: Report) -> str:
    """Explain the consequence of the share of choices that agree."""
    choices = report.evidence.multiverse
    if choices.agree_share >= MOST_AGREE:
        return "You need not worry about analysis choices: most reasonable ones lead to the same segments."
    if choices.agree_share >= FEW_AGREE:
        return (
            "The segments depend partly on analysis choices. Rely on the large differences between them, "
            "not on their exact borders."
        )
    return (
        "The segments depend on analysis choices: most others lead to different segments. Use them for plans that can "
        "be tested, and not as facts about the customers."
    )


def _advise(report: Report, s: Segment) -> Reading:
    partners = [
        other.name
        for n in report.evidence.neighbours
        for other in report.segments
        if n.change == "merge" and s.id in n.segments and other.id in n.segments and other is not s
    ]
    joins = (
        f" With one segment fewer it becomes one with {joined(partners)}: plan for them together." if partners else ""
    )
    if s.band == "a pattern":
        text = (
            f"Its core comes back, its border moves ({number(s.slsw, 2)}). Use it for ideas and messages; choose "
            f"customers of "
            f"a campaign by their own numbers, not by membership, and look again when there are new data.{joins}"
        )
        return Reading(s.name, "plan, do not target", text)
    text = (
        f"Another sample of customers would give another group ({number(s.slsw, 2)}). Spend nothing on it "
        f"alone, compare "
        f"nothing over time, and do not name it to others until new data show it again.{joins}"
    )
    return Reading(s.name, "do not act on it", text)


def _compare(report: Report, n: Neighbour) -> Reading:
    published, other = (next(r for r in report.evidence.by_k if r.k == k) for k in (report.decision.k, n.k))
    short, change = _change(report, n)
    reasons = [_instead("silhouette", n.silhouette, published.silhouette)]
    if other.stability.pairs:
        reasons.insert(0, _instead("two resamples agree to", n.stability, published.stability.median))
    numbers = "; ".join(reasons)
    if not other.eligible:
        end = f"It does not hold: {other.why_not}."
    elif report.evidence.use:
        end = "It holds as well, but was not chosen for its use."
    elif n.k < report.decision.k:
        end = "It holds as well, but tells less."
    else:
        end = "It holds as well; the rule of the decision stopped before it."
    if report.decision.fixed:
        end += f" {in_words(report.decision.k).capitalize()} was fixed by the analyst."
    which = "fewer" if n.k < report.decision.k else "more"
    text = f"{change} {numbers[0].upper()}{numbers[1:]}. {end}"
    return Reading(f"One {which}: {in_words(n.k)} segments", short, text)


def _instead(what: str, here: float, published: float) -> str:
    there = number(published, 2)
    return f"{what} {there}, as now" if number(here, 2) == there else f"{what} {number(here, 2)} instead of {there}"


def _change(report: Report, n: Neighbour) -> tuple[str, str]:
    """What becomes of the published segments, in short and as a sentence."""
    segments = [s for s in report.segments if s.id in n.segments]
    letters, names = joined([s.letter for s in segments]), joined([f"{s.letter} ({s.name})" for s in segments])
    count = in_words(n.k)
    if n.change == "reshuffle":
        text = (
            f"With {count}, all borders move: the two solutions agree to {number(n.agreement, 2)} (1 = the same "
            f"groups)."
        )
        return "a different cut", text
    apart = f"differ most in “{report.variable(n.variable).label}” ({number(n.difference, 1)} standard deviations)."
    if n.change == "merge":
        return f"merges {letters}", f"With {count}, {names} become one; they {apart}"
    formats, size = report.formats(), segments[0].n
    parts = sorted(n.parts, reverse=True)
    if min(parts) * size < report.study.min_cell:
        return f"splits {letters}", f"With {count}, {names} only loses {formats.people(1)} {report.study.customers}."
    shares = joined([formats.percent(part) for part in parts])
    return f"splits {letters}", f"With {count}, {names} is split into parts of {shares}; these {apart}"


def _not_there(report: Report, k: int) -> Reading:
    if k > 1:
        return Reading(f"One more: {in_words(k)} segments", "not tried", "There are too few different customers.")
    text = "With one segment there is nothing to tell apart: everyone is treated alike."
    gap = " The gap statistic would choose it." if report.evidence.prefers.gap == 1 else ""
    return Reading("One fewer: no segments", "no segments", text + gap)


def _least(report: Report) -> Segment:
    return min(report.segments, key=lambda s: s.slsw)
