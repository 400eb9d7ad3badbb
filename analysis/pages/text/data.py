"""Tables of the Data page and of the data dictionary."""

from __future__ import annotations

from analysis.base.formats import in_sentence, in_words, joined, number
from analysis.pages.figures import Table
from analysis.report.model import Report


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def ledger(report: Report) -> Table:
    """List the cleaning log."""
    return Table(
        ("Rule", "Customers in", "Touched", "Customers out", "What was done", "Why"),
        tuple(
            (
                x.rule,
                number(x.rows_in),
                report.formats().people(x.touched),
                number(x.rows_out),
                x.done if x.touched else "nothing to do",
                x.why,
            )
            for x in report.ledger
        ),
    )


def findings(report: Report) -> Table:
    """List the findings of the linter."""
    return Table(
        ("Finding", "Severity", "Why it matters", "What was done"),
        tuple((f.title, f.severity, f.why, f.done) for f in report.findings),
    )


ROWS = {
    "customers": "one of the {people}",
    "transactions": "an order, or a line of one",
    "events": "an event, such as a visit or a click",
    "survey": "the answers of one person",
    "sessions": "a session, with its pages or its duration",
    "subscriptions": "a subscription, from its start to its end",
    "panel": "one of the {people} in one month, quarter or year",
}
"""What a row of each kind of source is."""
MOST_NAMED = 8


def reading(report: Report) -> list[str]:
    """Say how the files were read: what a row is, what forms the segments, what their value is, what was left out."""
    study = report.study
    lines = []
    for s in report.data.sources:
        row = ROWS[s.kind].format(people=study.customers)
        dated = f"; \N{LEFT DOUBLE QUOTATION MARK}{s.dated}\N{RIGHT DOUBLE QUOTATION MARK} says when" if s.dated else ""
        lines.append(f"{s.name}: a row is {row}{dated}.")
    forming = [v.label for v in report.variables if v.role == "feature"]
    more = len(forming) - MOST_NAMED
    named = joined([*forming[:MOST_NAMED], *([f"{in_words(more)} more"] if more > 0 else [])])
    lines.append(f"The segments are formed by {named}.")
    value = report.value_label()
    worth = f"The value of {study.customers} is {in_sentence(value)}." if value else ""
    lines.append(worth or "No column is surely a value, so the pages speak of sizes alone.")
    ignored = sum(column.role == "ignore" for column in report.data.columns)
    if ignored:
        left_out = "columns are" if ignored > 1 else "column is"
        lines.append(f"{in_words(ignored).capitalize()} {left_out} left out; the Dictionary says why.")
    return lines


def sources(report: Report) -> Table:
    """List every source: size, fingerprint, time and unmatched rows."""
    many = len(report.data.sources) > 1
    joining = ("Unmatched", "Absent") if many else ()
    rows = []
    for s in report.data.sources:
        fits = tuple("–" if n is None else report.formats().people(n) for n in (s.unknown, s.without)) if many else ()
        span = tuple(_unbroken(report.formats().date(month)) for month in (s.first, s.last))
        rows.append((s.name, s.kind, number(s.rows), number(s.columns), *span, *fits, s.sha256))
    return Table(("File", "What a row is", "Rows", "Columns", "From", "To", *joining, "Fingerprint"), tuple(rows))


def numbers(report: Report) -> Table:
    """List the distribution of each numeric column."""
    f = report.formats()
    return Table(
        ("Column", "p1", "p10", "Median", "p90", "p99", "Skewness", "Outliers"),
        tuple(
            (
                c.label,
                *(f.value(x, c.type) for x in (c.p1, c.p10, c.median, c.p90, c.p99)),
                number(round(c.skewness, 1) + 0.0, 1, "+") if c.skewness is not None else "–",
                f.people(c.outliers or 0),
            )
            for c in report.data.columns
            if c.median is not None
        ),
    )


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
