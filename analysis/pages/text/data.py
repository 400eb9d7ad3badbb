"""Tables and lists of the pages on data and methods, as text."""

from __future__ import annotations

from analysis.base.formats import joined, number, significant
from analysis.pages.figures import Table
from analysis.report.model import Report


def ledger(report: Report) -> Table:
    """The cleaning ledger as text."""
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
    """What the linter found, as text."""
    return Table(
        ("Finding", "Severity", "Why it matters", "What was done"),
        tuple((f.title, f.severity, f.why, f.done) for f in report.findings),
    )


def sources(report: Report) -> Table:
    """Every source: size, fingerprint, time, and what did not fit to the base."""
    many = len(report.data.sources) > 1
    joining = ("Unmatched", "Absent") if many else ()
    rows = []
    for s in report.data.sources:
        fits = tuple("–" if n is None else report.formats().people(n) for n in (s.unknown, s.without)) if many else ()
        span = tuple(
            report.formats().date(month).replace("-", "\N{NON-BREAKING HYPHEN}") for month in (s.first, s.last)
        )
        rows.append((s.name, s.kind, number(s.rows), number(s.columns), *span, *fits, s.sha256))
    return Table(("File", "What a row is", "Rows", "Columns", "From", "To", *joining, "Fingerprint"), tuple(rows))


def dictionary(report: Report) -> Table:
    """Every column as it was read."""
    f = report.formats()
    return Table(
        ("Column", "Meaning", "Read as", "Role", "Missing", "Different values", "How it was read"),
        tuple(
            (c.name, c.label, c.type, c.role, f.people(c.missing), number(c.distinct), c.note)
            for c in report.data.columns
        ),
    )


def variables(report: Report) -> Table:
    """Every variable: its name in settings and files, what it is, its unit and its formula."""
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


def numbers(report: Report) -> Table:
    """How the values of each column of numbers lie."""
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


def parameters(report: Report) -> Table:
    """The models behind the expected spend."""
    told = report.expected.parameters if report.expected else ()
    return Table(("Parameter", "Value"), tuple((name, significant(value, 4)) for name, value in told))


def features(report: Report) -> Table:
    """Every variable with its formula and what was done to it."""
    steps = {step.name: step for step in report.steps}
    dropped = {d.name: d for d in report.dropped}
    sharing = {name: len(g.members) for g in report.groups for name in g.members}
    rows = []
    for v in report.variables:
        left_out = dropped.get(v.name)
        if left_out:
            noise = left_out.kind == "noise"
            use = "noise, describes them" if noise else f"left out: {left_out.reason}"
        else:
            use = "forms segments" if v.name in steps else f"{v.role}, describes them"
        step = steps.get(v.name)
        made = "same level or another" if step and step.levels else ""
        made = made or ("logarithm, " if step and step.log else "") + ("scaled" if step else "as it is")
        if step and report.study.near_copies == "weigh" and v.name in sharing:
            made += f", 1/{sharing[v.name]} of the weight"
        rows.append((v.label, use, v.formula, made, v.about or "–"))
    return Table(("Variable", "Use", "Formula", "Taken as", "Meaning"), tuple(rows))


def core(report: Report) -> str:
    """How many were fitted on, so that nobody can subtract to a few who were not."""
    n, n_core = report.study.n_customers, report.study.n_core
    few = 0 < n - n_core < report.study.min_cell
    return f"all but {report.formats().people(n - n_core)} of {number(n)}" if few else number(n_core)


def groups(report: Report) -> list[str]:
    """The groups of near-copies and what became of each."""
    return [
        f"{joined([report.variable(name).label for name in g.members])} (Spearman {number(g.least, 2)} or "
        f"more); {g.done}"
        for g in report.groups
    ]
