"""Text and tables of the halves that segments are cut into."""

from __future__ import annotations

from analysis.base.formats import in_sentence, joined, unit_beside
from analysis.pages.figures import Table
from analysis.report.model import Report, Segment

NAMES = {
    "lower": "lower {}",
    "higher": "higher {}",
    "recent": "bought more recently",
    "earlier": "bought longer ago",
}


def name_half(report: Report, name: str) -> str:
    """Return the name of a half, such as "higher total spend"."""
    return NAMES[name].format(in_sentence(report.variable(report.tiers.variable).label) if report.tiers else "")


def about_halves(report: Report) -> str:
    """Say how segments are cut in two and which stay whole; empty without tiers."""
    table = report.tiers
    if table is None:
        return ""
    variable = report.variable(table.variable)
    whole = [s.letter for s, cut in zip(report.segments, table.cuts, strict=True) if cut is None]
    text = f"Each segment is cut at its own median of {in_sentence(variable.label)}."
    if table.by == "value":
        text += f" {report.study.customers.capitalize()} without a value are in the lower half."
    else:
        text += f" {report.study.customers.capitalize()} who never bought are with those who bought longer ago."
    if whole:
        stays = "stays whole, because its halves" if len(whole) == 1 else "stay whole, because their halves"
        text += f" {joined(whole)} {stays} would be too small."
    return text


def list_halves(report: Report, only: Segment | None = None) -> Table:
    """List the halves of all segments, or of one, with size, value and outcomes."""
    table, formats = report.tiers, report.formats()
    if table is None:
        return Table((), ())
    variable = report.variable(table.variable)
    outcomes = [report.variable(name) for name in table.outcomes]
    valued = any(tier.value is not None for tier in table.tiers)
    shared = any(tier.value_share is not None for tier in table.tiers)
    label = report.value_label()
    columns = ["Half", f"Cut at, {in_sentence(variable.label)}", "Size", "Share of all"]
    columns += [f"{label}, average"] if valued else []
    columns += [f"Share of {in_sentence(label)}"] if shared else []
    columns += [v.label if v.unit == "yes_no" else f"{v.label}, average" for v in outcomes]
    rows = []
    for tier in table.tiers:
        s, cut = report.segments[tier.segment - 1], table.cuts[tier.segment - 1]
        if (only is not None and s.id != only.id) or cut is None:
            continue
        half = name_half(report, tier.name)
        row = [f"{s.letter}, {half}" if only is None else half[:1].upper() + half[1:]]
        edge = "up to" if tier.name in {"lower", "recent"} else "above"
        row += [f"{edge} {formats.value(cut, unit_beside(variable.label, variable.unit))}", formats.people(tier.n)]
        row.append(formats.percent(tier.share))
        row += [formats.value(tier.value or 0.0, report.variable(report.study.value or "").unit)] if valued else []
        row += [formats.percent(tier.value_share or 0.0)] if shared else []
        rates = zip(outcomes, tier.rates, strict=True)
        row += [formats.percent(x) if v.unit == "yes_no" else formats.value(x, v.unit) for v, x in rates]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows))


def has_halves(report: Report, s: Segment) -> bool:
    """Return whether a segment is cut in two."""
    return report.tiers is not None and report.tiers.cuts[s.id - 1] is not None
