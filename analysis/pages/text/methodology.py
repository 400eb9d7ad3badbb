"""Tables and lists of the Methodology page."""

from __future__ import annotations

from analysis.base.formats import joined, number, significant
from analysis.pages.figures import Table
from analysis.report.model import Report


def parameters(report: Report) -> Table:
    """List the parameters of the models behind expected spending."""
    models = report.expected.parameters if report.expected else ()
    return Table(("Parameter", "Value"), tuple((name, significant(value, 4)) for name, value in models))


def features(report: Report) -> Table:
    """List every variable with its formula and preparation."""
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
    """Describe the number of customers in the fit without revealing small counts."""
    n, n_core = report.study.n_customers, report.study.n_core
    few = 0 < n - n_core < report.study.min_cell
    return f"all but {report.formats().people(n - n_core)} of {number(n)}" if few else number(n_core)


def groups(report: Report) -> list[str]:
    """List the groups of near-copies and how they were treated."""
    return [
        f"{joined([report.variable(name).label for name in g.members])} (Spearman {number(g.least, 2)} or "
        f"more); {g.done}"
        for g in report.groups
    ]
