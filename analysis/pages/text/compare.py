"""Text and tables of the Compare page."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.base.formats import number, unit_beside
from analysis.pages.figures import Table, tag
from analysis.report.model import Report


@dataclass(frozen=True, slots=True)
class Line:
    """One variable over all groups; ``places`` are distances from everyone in standard deviations, by segment."""

    label: str
    texts: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Multiple:
    """One variable as bars, a segment each, with everyone's bar below.

    Attributes
    ----------
    label, note : str
        The note says whether figures are medians, averages or shares.
    rows : tuple of (str, str, str, str)
        Letter, colour, figure, and the length of the bar from 0 to 100 for CSS; everyone last, without a letter.
    """

    label: str
    note: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ThemeMultiples:
    """The variables of a theme on which the segments differ most."""

    theme: str
    title: str
    multiples: tuple[Multiple, ...]


MOST_MULTIPLES = 3
"""Most variables shown of a theme."""
APART = 0.35
"""Standard deviations between the extreme segments from which a variable is shown. Threshold chosen here."""


def by_theme(report: Report) -> tuple[ThemeMultiples, ...]:
    """Return small multiples of the variables on which the segments differ most, by theme."""
    found = []
    for group in report.themes:
        chosen = _choose(report, group.variables)
        if chosen:
            multiples = tuple(_multiple(report, name) for name in chosen)
            found.append(ThemeMultiples(group.theme, group.title, multiples))
    return tuple(found)


def _choose(report: Report, names: tuple[str, ...]) -> list[str]:
    """Return the few variables on which the segments differ most."""
    shown = [name for name in names if _is_shown(report, name)]
    return sorted(shown, key=lambda name: (-_gap(report, name), name))[:MOST_MULTIPLES]


def _gap(report: Report, name: str) -> float:
    """Distance between the extreme segments, in standard deviations of everyone."""
    places = [d.z for s in report.segments if (d := s.difference(name))]
    return max(places) - min(places) if len(places) == len(report.segments) > 1 else 0.0


def _is_shown(report: Report, name: str) -> bool:
    lowest = min(d.summary.p10 for s in report.segments if (d := s.difference(name)))
    return _gap(report, name) >= APART and lowest >= 0


def _figures(report: Report, name: str) -> tuple[str, list[float], float]:
    """Return the measure, the figure of each segment and everyone's: medians where they differ between all segments."""
    unit, base = report.variable(name).unit, report.everyone[name]
    summaries = [d.summary for s in report.segments if (d := s.difference(name))]
    medians = [summary.median for summary in summaries]
    if unit in {"share", "yes_no"}:
        return "share of all" if unit == "yes_no" else "average", [s.mean for s in summaries], base.mean
    if len(set(medians)) == len(medians):
        return "median", medians, base.median
    return "average", [s.mean for s in summaries], base.mean


def _multiple(report: Report, name: str) -> Multiple:
    formats, variable = report.formats(), report.variable(name)
    note, here, base = _figures(report, name)
    unit = unit_beside(variable.label, variable.unit)
    top = max(*here, base) or 1.0
    rows = [
        (s.letter, s.colour, formats.value(x, unit), f"{100 * x / top:.1f}")
        for s, x in zip(report.segments, here, strict=True)
    ]
    return Multiple(variable.label, note, (*rows, ("", "", formats.value(base, unit), f"{100 * base / top:.1f}")))


def extremes(report: Report) -> Table:
    """List which segment is highest and which lowest on each variable of the small multiples."""
    rows = []
    for group in report.themes:
        for name in _choose(report, group.variables):
            _, here, _ = _figures(report, name)
            variable, formats = report.variable(name), report.formats()
            unit = unit_beside(variable.label, variable.unit)
            told = []
            for wanted in (max(here), min(here)):
                at = [tag(s) for s, x in zip(report.segments, here, strict=True) if x == wanted]
                told.append(f"{' and '.join(at)} ({formats.value(wanted, unit)})")
            rows.append((variable.label, *told))
    return Table(("On", "Highest", "Lowest"), tuple(rows))


def tests(report: Report) -> Table:
    """List the tests of descriptors and outcomes; no p-value for variables behind the segments."""
    formats = report.formats()
    return Table(
        ("Descriptor", "Test", "Size of the difference", "Effect", "Corrected p"),
        tuple(
            (
                report.variable(c.variable).label,
                c.test if c.p is not None else "none",
                c.size,
                f"{c.measure} {formats.effect(c.effect)}",
                formats.p_value(c.p) if c.p is not None else "–",
            )
            for c in report.contrasts
        ),
    )


def untested(report: Report) -> bool:
    """Return whether a descriptor depends on the features that formed the segments."""
    return any(c.p is None for c in report.contrasts)


def columns(report: Report) -> list[str]:
    """Return the headings of the groups: all customers, then each segment."""
    return ["Everyone", *(tag(s) for s in report.segments)]


def side_by_side(report: Report) -> list[Line]:
    """List median and middle 80% of each group, or the share of yes, with the distance from all customers."""
    formats, lines = report.formats(), []
    for variable in report.variables:
        differences = [s.difference(variable.name) for s in report.segments]
        if variable.name not in report.everyone or not all(differences):
            continue
        unit = unit_beside(variable.label, variable.unit)
        texts, places = [], ["0"]
        for summary in (report.everyone[variable.name], *(d.summary for d in differences if d)):
            middle = f" ({formats.interval(summary.p10, summary.p90, unit)})"
            yes = variable.unit == "yes_no"
            texts.append(formats.percent(summary.mean) if yes else formats.value(summary.median, unit) + middle)
        places += [number(d.z, 2) for d in differences if d]
        lines.append(Line(variable.label, tuple(texts), tuple(places)))
    return lines
