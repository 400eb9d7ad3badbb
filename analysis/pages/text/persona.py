"""Words and small pictures of a persona page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.base.formats import joined, rounded, unit_beside
from analysis.report.model import Claim, Mix, Paragraph, Report, Segment

MOST_BARS = 3
"""Most comparisons with everyone beside a paragraph."""
MOST_RELATED = 2
"""Most related personas."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A comparison with everyone: texts, and lengths from 0 to 100 for CSS."""

    label: str
    here: str
    everyone: str
    here_pct: str
    everyone_pct: str


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph of the portrait with its icon and its bars."""

    icon: str
    title: str
    text: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """A mix as two stacked bars: the segment's and everyone's.

    Attributes
    ----------
    title, note : str
    pieces : tuple of (str, str, str, str, str)
        Label, share here and of everyone as text, and both as percentages for CSS.
    """

    title: str
    note: str
    pieces: tuple[tuple[str, str, str, str, str], ...]


def parts(report: Report, segment: Segment) -> tuple[Part, ...]:
    """Return the paragraphs of the portrait, each with the comparisons that its sentences state."""
    return tuple(
        Part(
            paragraph.theme,
            paragraph.title,
            " ".join(sentence.text for sentence in paragraph.sentences),
            _bars(report, paragraph),
        )
        for paragraph in segment.portrait.paragraphs
    )


def _bars(report: Report, paragraph: Paragraph) -> tuple[Bar, ...]:
    claims = [claim for sentence in paragraph.sentences for claim in sentence.claims]
    bars = (_bar(report, claim) for claim in claims)
    found = {bar.label: bar for bar in bars if bar is not None}
    return tuple(found.values())[:MOST_BARS]


def _bar(report: Report, claim: Claim) -> Bar | None:
    """Draw a claim that states a figure beside everyone's; None for others, and for negative figures."""
    if claim.value is None or claim.everyone is None or min(claim.value, claim.everyone) < 0:
        return None
    variable, formats = report.variable(claim.variable), report.formats()
    is_share = claim.kind in {"share", "part", "level"} or variable.unit in {"share", "yes_no"}
    top = 1.0 if is_share else max(claim.value, claim.everyone) or 1.0
    if is_share:
        texts = (formats.whole_percent(claim.value), formats.whole_percent(claim.everyone))
    else:
        unit = unit_beside(variable.label, variable.unit)
        texts = (formats.value(rounded(claim.value), unit), formats.value(rounded(claim.everyone), unit))
    label = f"{variable.label}: {claim.level}" if claim.level else variable.label
    return Bar(label, *texts, f"{100 * claim.value / top:.1f}", f"{100 * claim.everyone / top:.1f}")


def strips(report: Report, segment: Segment) -> tuple[Strip, ...]:
    """Return the channel mix and the product mix of a segment beside everyone's."""
    return tuple(_strip(report, mix) for mix in segment.portrait.mixes)


def _strip(report: Report, mix: Mix) -> Strip:
    percent = report.formats().whole_percent
    title = "Where they buy" if mix.theme == "channels" else "What they buy"
    whole = "spending" if mix.whole == "spend" else mix.whole
    pieces = tuple(
        (
            part.title,
            percent(part.share),
            percent(part.everyone),
            f"{100 * part.share:.1f}",
            f"{100 * part.everyone:.1f}",
        )
        for part in mix.parts
    )
    return Strip(title, f"Shares of {whole}" + ("." if mix.pooled else ", on average over customers."), pieces)


def strip_text(strip: Strip) -> str:
    """Return a mix as one line of text, for readers who do not see the picture."""
    return "; ".join(f"{label} {here} (everyone {everyone})" for label, here, everyone, *_ in strip.pieces)


def related(report: Report, segment: Segment) -> tuple[Segment, ...]:
    """Return the most similar personas, the nearest first."""
    by_id = {other.id: other for other in report.segments}
    return tuple(by_id[number] for number in segment.portrait.nearest[:MOST_RELATED])


def name_line(segment: Segment) -> str:
    """Say for how many members the name is true; empty for names that make no such statement."""
    return f"The name: {segment.name_basis[:1].lower()}{segment.name_basis[1:]}" if segment.name_basis else ""


def searched(report: Report) -> str:
    """Say what was looked for in a study in which nothing was found."""
    methods = joined([algorithm.title for algorithm in report.evidence.algorithms])
    features = len(report.forming())
    return (
        f"{methods} looked for groups of {report.study.customers} in {features} features. The groups they gave were no "
        "more stable than groups in shuffled data, so this study names no personas and makes no plan."
    )


def bands(report: Report) -> list[str]:
    """Describe simple bands that need no model: the middle and the ends of the value, or of the forming features."""
    formats = report.formats()
    names: Sequence[str] = [report.study.value] if report.study.value else []
    names = [*names, *(v.name for v in report.forming() if v.name != report.study.value)]
    lines = []
    for name in names[:4]:
        variable, summary = report.variable(name), report.everyone.get(name)
        if summary is None or variable.unit == "yes_no" or summary.p10 == summary.p90:
            continue
        value = [formats.value(x, variable.unit) for x in (summary.p10, summary.median, summary.p90)]
        lines.append(
            f"{variable.label}: one in ten is at {value[0]} or less, half are at {value[1]} or less, "
            f"and one in ten is at {value[2]} or more."
        )
    return lines


def would_help(report: Report) -> list[str]:
    """List the kinds of data that the study lacks and that could show groups."""
    kinds = {source.kind for source in report.data.sources}
    wanted = {
        "transactions": "Transactions with customer, date and amount: how often and how recently each one buys.",
        "events": "Web events with customer and time: how each one looks for products.",
        "survey": "A survey with answers by customer: what each one wants.",
        "customers": "A customer table: who they are, and since when.",
    }
    return [text for kind, text in wanted.items() if kind not in kinds]
