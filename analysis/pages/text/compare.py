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
