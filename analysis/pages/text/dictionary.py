"""Tables of the data dictionary."""

from __future__ import annotations

from analysis.base.formats import number
from analysis.pages.figures import Table
from analysis.report.model import Report


def dictionary(report: Report) -> Table:
    """List every column with its inferred type."""
    f = report.formats()
    return Table(
        ("Column", "Meaning", "Read as", "Role", "Missing", "Different values", "How it was read"),
        tuple(
            (c.name, c.label, c.type, c.role, f.people(c.missing), number(c.distinct), c.note)
            for c in report.data.columns
        ),
    )


def variables(report: Report) -> Table:
    """List every variable: name, description, unit and formula."""
    forming = {step.name for step in report.steps}
    money = f"money, {report.study.currency}" if report.study.currency else "money"
    return Table(
        ("Name", "On the pages", "What it is", "Unit", "Part", "Made of"),
        tuple(
            (
                v.name,
                v.label,
                v.about or "–",
                money if v.unit == "money" else v.unit.replace("_", " or "),
                "feature" if v.name in forming else "descriptor" if v.role == "feature" else v.role,
                v.formula,
            )
            for v in report.variables
        ),
    )
