"""Tables and lists of the Methodology page."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.base.formats import joined, number, significant
from analysis.pages.figures import Table
from analysis.report.model import Report
from analysis.report.thresholds import (
    ALGORITHMS,
    JUDGED_ROWS,
    NULL_ROWS,
    PUBLISHED,
    REFERENCE_ROWS,
    SAMPLE_ROWS,
    SILHOUETTE_ROWS,
)


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


def has_numbers(report: Report) -> bool:
    """Return whether numbers form segments beside yes/no answers and categories."""
    return any(not step.levels and report.variable(step.name).unit != "yes_no" for step in report.steps)


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


def sampling(report: Report) -> Iterator[str]:
    """List the sample of each part of the evidence.

    The size of the core is not shown, because its difference from all customers may be small.
    """
    study, customers, sample = report.study, report.study.customers, report.evidence.sample
    core, n = study.n_core, study.n_customers
    clean = f"{customers} of the clean core"
    if report.held:
        least = min(segment.share for segment in report.segments) * report.held
        yield (
            f"Of {number(n)} {customers}, a seeded sample of {number(report.held)} is held in memory. Columns, "
            f"quantiles, shares of answers, differences with their intervals, and all evidence are of that sample. The "
            f"engine placed everyone by the rule and counted them: sizes, shares of {customers}, means, known values "
            f"and totals are of all. A median of the smallest segment lies within {number(98 / least**0.5, 2)} "
            "percentage points of its place among all, in 95 of 100 samples."
        )
    if sample:
        core, n = round(core * sample.n / n), sample.n
        yield (
            f"All evidence is gathered on a seeded sample of {number(sample.n)} {customers}, and all "
            f"{number(study.n_customers)} are placed by the rule that comes of it; centres of k-means settle among all "
            f"of them first. Another sample of that size gives segments that agree to {number(sample.agreement, 2)} "
            f"(adjusted Rand index over everyone). Searches end after {PUBLISHED} starts or swaps that improve "
            "nothing. What follows is of the sample."
        )

    def of(most: int, rows: int = core, who: str = clean) -> str:
        return f"all {who}" if rows <= most else f"a seeded sample of {number(most)} {who}"

    error = ", so it has a standard error" if core > SILHOUETTE_ROWS else ""
    yield f"The silhouette is taken over {of(SILHOUETTE_ROWS)}{error}."
    yield f"Solutions of resamples are compared over {of(JUDGED_ROWS, n, customers)}."
    taking_part = [ALGORITHMS[a.name] for a in report.evidence.algorithms]
    fewer = [f"{a.title} {number(a.resample_rows)}" for a in taking_part if core > a.resample_rows]
    yield f"A resample draws as many {clean} as there are, with replacement" + (
        f"; fewer for {joined(fewer)}." if fewer else "."
    )
    sampled = [a.title for a in taking_part if a.sampled]
    if sampled:
        yield f"{joined(sampled)} are fitted on {of(SAMPLE_ROWS)}, the others on everyone there."
    yield f"Gap, prediction strength, Ward's tree as drawn and DBSCAN's curve look at {of(REFERENCE_ROWS)}."
    rows = ALGORITHMS[report.decision.algorithm].resample_rows
    yield (
        f"Features are shuffled over {of(rows)}; a Gaussian cloud has as many points, but at most {number(NULL_ROWS)}."
    )
    yield f"Other choices are compared over {of(report.evidence.multiverse.rows, n, customers)}."


def simplest(report: Report) -> str:
    """List the competing algorithms with a given number of segments, the simplest first."""
    ranked = sorted((ALGORITHMS[a.name] for a in report.evidence.algorithms), key=lambda a: a.simplicity)
    return ", then ".join(a.title for a in ranked if a.takes_k)
