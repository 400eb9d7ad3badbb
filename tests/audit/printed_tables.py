"""The tables of the rendered pages, cell by cell, beside the numbers computed anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from tests.audit.columns import column_values
from tests.audit.comparison import NUMBER, Audit
from tests.audit.customers import Study
from tests.audit.descriptors import chi_square, cramers_v, is_circular, kruskal_wallis, level_codes, spearman
from tests.audit.matrix import on_the_scale
from tests.audit.pages import Page, PrintedTable
from tests.audit.profiles import count_levels, summarise
from tests.audit.sizes import worth_of

Handler = Callable[[Study, Audit, PrintedTable], None]
BANDS = ("median", "p10", "p90")


def groups(study: Study) -> list[int]:
    """Give everyone (0) and the segments, in the order of most tables."""
    return [0, *range(1, study.customers.k + 1)]


def stats(study: Study, name: str, segment: int) -> dict[str, float]:
    """Summarise a variable over a segment; 0 stands for everyone."""
    frame = study.customers.frame if segment == 0 else study.customers.inside(segment)
    return summarise(frame[name])


def z_score(study: Study, name: str, segment: int) -> float:
    """Compute the difference of means from everyone on the scale on which segments are compared."""
    values = on_the_scale(study, name)
    inside = study.customers.labels == segment
    return float(values[inside].mean() - values.mean())


def is_yes_no(study: Study, name: str) -> bool:
    """Say whether a variable is answered by yes or no."""
    return study.variables[name]["unit"] == "yes_no"


def named(study: Study, audit: Audit, table: PrintedTable, label: str) -> str | None:
    """Give the variable that a row or column names, or note that there is none."""
    name = study.by_label.get(label)
    if name is None:
        audit.skip(f"{table.id}, {label}", "no variable has this label")
    return name


def side_by_side(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare medians with the middle 80 %, or shares of a yes, of everyone and each segment."""
    for label, *cells in table.rows:
        name = named(study, audit, table, label)
        for segment, cell in zip(groups(study), cells, strict=True) if name else ():
            own = stats(study, name, segment)
            values = [own["mean"]] if is_yes_no(study, name) else [own[field] for field in BANDS]
            audit.printed(f"{label}, group {segment}", cell, values)


def heat_map(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare standardised differences; the intervals rest on resamples and are held to their width elsewhere."""
    for label, *cells in table.rows:
        name = named(study, audit, table, label)
        for segment, cell in enumerate(cells, start=1) if name else ():
            first = NUMBER.search(cell)
            audit.printed(f"{label}, segment {segment}", first[0] if first else cell, [z_score(study, name, segment)])


def by_segment(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare tables with one row a group and one column a variable: shares, medians or means."""
    for column, heading in enumerate(table.header[1:], start=1):
        label, _, measure = (
            heading.rpartition(", ") if heading.endswith(("median", "mean", "average")) else (heading, "", "")
        )
        name = named(study, audit, table, label)
        for row in table.rows if name else ():
            own = stats(study, name, segment_of(study, row[0]))
            field = "median" if measure == "median" else "mean"
            audit.printed(f"{heading}, {row[0]}", row[column], [own[field]])


def segment_of(study: Study, text: str) -> int:
    """Give the segment that a row names by its letter; 0 for everyone."""
    letters = {s["letter"]: s["id"] for s in study.report["segments"]}
    found = re.search(r"\b([A-Z]) ·", text)
    return letters[found[1]] if found else 0


def mix(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare shares, lifts and residuals of a category."""
    name = named(study, audit, table, table.header[0])
    levels = [row[0] for row in table.rows]
    counts = count_levels(study, name, levels) if name else None
    if counts is None:
        audit.skip(f"{table.id}, {table.header[0]}", "its levels do not say what was merged")
        return
    own = counts[:, 1:]
    everyone = counts.sum(axis=1) / counts.sum()
    expected = np.outer(own.sum(axis=1), own.sum(axis=0)) / own.sum()
    shares, residuals = own / own.sum(axis=0), (own - expected) / np.sqrt(np.maximum(expected, 1e-9))
    for i, row in enumerate(table.rows):
        audit.printed(f"{levels[i]}, everyone", row[1], [everyone[i]])
        for j in range(own.shape[1]):
            audit.printed(f"{levels[i]}, segment {j + 1}", row[2 + 2 * j], [shares[i, j]])
            told = [shares[i, j] / everyone[i], residuals[i, j]]
            audit.printed(f"{levels[i]}, segment {j + 1}, lift and residual", row[3 + 2 * j], told)


def bounded(audit: Audit, what: str, text: str, value: float) -> None:
    """Compare a number, or a bound under which it is said to lie."""
    if "<" in text:
        bound = float(NUMBER.findall(text)[-1])
        audit.same(f"{what}: {text}", True, bool(value < bound), "page")
    else:
        audit.printed(what, NUMBER.findall(text)[-1] if NUMBER.findall(text) else text, [value])


def tests(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the effect of each test and Holm's p-value."""
    from statsmodels.stats.multitest import multipletests

    levels = {c["variable"]: c["levels"] for c in study.report["categories"]}
    chi = {c["variable"] for c in study.report["contrasts"] if c["test"] == "chi-square"}
    found, shown = {}, {}
    for row in table.rows:
        name = named(study, audit, table, row[0])
        counts = count_levels(study, name, levels.get(name, ["Yes", "No"])) if name in chi else None
        if name is None or (name in chi and counts is None):
            continue
        found[name], shown[name] = chi_square(counts) if counts is not None else kruskal_wallis(study, name), row
        bounded(audit, f"{row[0]}, effect", row[3], found[name][0])
        audit.same(f"{row[0]}, size", row[2], found[name][1], "page")
    tested = [name for name in found if not is_circular(study, name)]
    if tested and len(found) == len(table.rows):
        corrected = multipletests([found[name][2] for name in tested], method="holm")[1]
        for name, p in zip(tested, corrected, strict=True):
            bounded(audit, f"{shown[name][0]}, corrected p", shown[name][4], float(p))


def concentration(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare what the most valuable customers bring, and whole segments added up."""
    worth, labels = worth_of(study), study.customers.labels
    told = study.report["concentration"]
    if worth is None or told is None:
        return
    brought = np.cumsum(np.sort(worth)[::-1]) / worth.sum()
    means = {j: worth[labels == j].mean() for j in groups(study)[1:]}
    ranked = sorted(means, key=lambda j: -means[j])
    for (share, value), (exact, _) in zip(table.rows, told["curve"], strict=False):
        n = round(exact * len(worth))
        audit.printed(f"the first {n} customers", f"{share} {value}", [n / len(worth), brought[n - 1]])
    for i, (share, value) in enumerate(table.rows[len(told["curve"]) :], start=1):
        inside = np.isin(labels, ranked[:i])
        first = NUMBER.findall(share)[0]
        audit.printed(f"{share}", f"{first} {value}", [inside.mean(), worth[inside].sum() / worth.sum()])


def value_and_size(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare customers, their share and their share of value."""
    worth, labels = worth_of(study), study.customers.labels
    for row in table.rows:
        inside = labels == segment_of(study, row[0])
        values = [int(inside.sum()), inside.mean()]
        if len(row) > 3 and worth is not None:
            values.append(worth[inside].sum() / worth.sum())
        audit.printed(row[0], " ".join(row[1:]), values)


def rfm_grid(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the share of customers in each cell of recency by frequency."""
    scores = study.customers.scores
    if scores is None:
        return
    for row in table.rows:
        for frequency, cell in enumerate(row[1:], start=1):
            if not NUMBER.search(cell):
                continue
            inside = (scores["R"] == int(row[0])) & (scores["F"] == frequency)
            audit.printed(f"recency {row[0]}, frequency {frequency}", cell, [inside.sum() / len(scores)])


def expected_spend(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the expected spend of a customer, by an own fit of the models."""
    own = study.customers.lifetime
    if own is None:
        return
    value = own.value.reindex(study.customers.keys).fillna(0.0).to_numpy()
    for row in table.rows:
        segment = segment_of(study, row[0])
        inside = study.customers.labels == segment if segment else np.ones(len(value), bool)
        audit.printed(row[0], row[1], [value[inside].mean()])
        audit.same(f"{row[0]}, level of the interval", "95" in table.header[2], True, "page")


def parallel(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare medians of the segments, then of everyone, or the shares of yes."""
    for label, *cells in table.rows:
        name = named(study, audit, table, label)
        order = [*groups(study)[1:], 0]
        for segment, cell in zip(order, cells, strict=True) if name else ():
            field = "mean" if is_yes_no(study, name) else "median"
            audit.printed(f"{label}, group {segment}", cell, [stats(study, name, segment)[field]])


def ledger(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare customers in and out with what was touched: each line adds up."""
    for rule, came, touched, went, done, _ in table.rows:
        numbers = [float(x.replace(",", "")) for x in NUMBER.findall(f"{came} {went}")]
        gone = "left out" in done and rule == "Customer key"
        away = float(touched.replace(",", "")) if gone and touched.replace(",", "").isdigit() else 0.0
        audit.same(f"{rule}, adds up", numbers[0] - away, numbers[1], "page")


def column_numbers(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare quantiles, skewness and outliers of each column."""
    from scipy.stats import skew

    from tests.audit.matrix import robust_z

    by_label = {c["label"]: c["name"] for c in study.report["data"]["columns"]}
    for label, *cells in table.rows:
        values = column_values(study, by_label.get(label, ""))
        if values is None:
            audit.skip(f"{table.id}, {label}", "not recomputed")
            continue
        known = values.dropna().to_numpy(float)
        for q, cell in zip((0.01, 0.1, 0.5, 0.9, 0.99), cells, strict=False):
            if NUMBER.search(cell):
                audit.printed(f"{label}, {q:.0%}", cell, [float(np.quantile(known, q))])
        if NUMBER.search(cells[5]):
            audit.printed(f"{label}, skewness", cells[5], [float(skew(known, bias=False))])
        counted(audit, f"{label}, outliers", cells[6], int((robust_z(known) > 3.5).sum()))


def counted(audit: Audit, what: str, text: str, n: int) -> None:
    """Compare a count, or the bound under which it is not told."""
    if text.startswith("fewer than"):
        audit.same(f"{what}: {text}", True, 0 < n < float(NUMBER.findall(text)[0]), "page")
    else:
        audit.printed(what, text, [n])


def bars(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the bars of a column as they are printed with counts between the report's own edges."""
    from tests.audit.columns import compare_bars

    told = next(
        (c for c in study.report["data"]["columns"] if slug(c["name"]) == table.id.removeprefix("chart-column-")), None
    )
    values = column_values(study, told["name"]) if told else None
    if told is None or values is None or not told["bars"] or len(told["bars"]) != len(table.rows):
        audit.skip(table.id, "no such column in the report")
        return
    scratch = Audit(audit.study)
    compare_bars(scratch, told, values, study.report["study"]["min_cell"])
    tolerance = study.report["study"]["min_cell"] / 2 if told["rounded"] else 0.5
    for row, found in zip(table.rows, scratch.found, strict=True):
        n = float(found.recomputed.split(" ")[0])
        shown = float(row[-1].replace(",", ""))
        audit.near(f"{' to '.join(row[:-1])}", shown, n, tolerance, "digits", "page")


def slug(name: str) -> str:
    """Give a column's name as the id of its chart has it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def missing(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare how many customers lack a value of each column, and their share."""
    from tests.audit.columns import as_read

    by_label = {c["label"]: c["name"] for c in study.report["data"]["columns"]}
    for label, n, share in table.rows:
        if label not in by_label:
            audit.skip(f"{table.id}, {label}", "not a single column")
            continue
        gone = as_read(study, by_label[label]).isna()
        counted(audit, f"{label}, missing", n, int(gone.sum()))
        if NUMBER.search(share):
            audit.printed(f"{label}, share", share, [gone.mean()])


def missing_together(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare how many customers lack exactly these columns."""
    from tests.audit.columns import patterns

    found = patterns(study)
    for (label, n), (_, own) in zip(table.rows, found, strict=False):
        audit.printed(label, n, [own])


def relations(measure: Callable[[Study, str, str], float]) -> Handler:
    """Make the comparison of a triangle of relations between variables."""

    def compare(study: Study, audit: Audit, table: PrintedTable) -> None:
        for label, *cells in table.rows:
            for heading, cell in zip(table.header[1:], cells, strict=True):
                first, second = study.by_label.get(label), study.by_label.get(heading)
                if first and second and NUMBER.search(cell):
                    audit.printed(f"{label} and {heading}", cell, [measure(study, first, second)])

    return compare


def rank_correlation(study: Study, first: str, second: str) -> float:
    """Compute Spearman's correlation of two variables."""
    frame = study.customers.frame
    return spearman(frame[first], frame[second])


def association(study: Study, first: str, second: str) -> float:
    """Compute Cramér's V of two variables."""
    import pandas as pd

    return cramers_v(pd.crosstab(level_codes(study, first), level_codes(study, second)).to_numpy())


def files(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare rows and columns of each file."""
    for row, raw in zip(table.rows, study.customers.sources, strict=True):
        audit.printed(row[0], f"{row[2]} {row[3]}", [len(raw), raw.shape[1]])


def dictionary(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare missing and different values of each column."""
    from tests.audit.columns import as_read, raw_values

    for row in table.rows:
        if column_values(study, row[0]) is None:
            continue
        values = as_read(study, row[0])
        counted(audit, f"{row[0]}, missing", row[4], int(values.isna().sum()))
        if raw_values(study, row[0]) is not None:
            audit.printed(f"{row[0]}, different values", row[5], [values.nunique()])


HANDLERS: dict[tuple[str, str], Handler] = {
    ("site/compare.html", "chart-heat-map"): heat_map,
    ("site/compare.html", "two-segments-side-by-side"): side_by_side,
    ("site/compare.html", "chart-outcomes"): by_segment,
    ("site/compare.html", "chart-descriptors"): by_segment,
    ("site/compare.html", "chart-mix"): mix,
    ("site/compare.html", "is-that-more-than-chance"): tests,
    ("site/compare.html", "chart-concentration"): concentration,
    ("site/compare.html", "chart-expected-spend"): expected_spend,
    ("site/compare.html", "chart-rfm"): rfm_grid,
    ("site/compare.html", "chart-value-size"): value_and_size,
    ("site/dictionary.html", "columns"): dictionary,
    ("site/explore.html", "chart-parallel"): parallel,
    ("site/data.html", "what-was-done"): ledger,
    ("site/data.html", "where-it-came-from"): files,
    ("site/data.html", "chart-missing"): missing,
    ("site/data.html", "chart-missing-together"): missing_together,
    ("site/data.html", "chart-column"): bars,
    ("site/data.html", "the-numbers-of-each-column"): column_numbers,
    ("site/data.html", "chart-correlations"): relations(rank_correlation),
    ("site/data.html", "chart-associations"): relations(association),
}
"""What compares a table, by its page and id."""


FAMILIES = ("chart-mix", "chart-column", "chart-profile", "chart-proof")
"""Beginnings of ids of which a page has several."""


def handler_of(page: Page, table: PrintedTable, handlers: dict[tuple[str, str], Handler]) -> Handler | None:
    """Give what compares a table, by its id or by the family that it belongs to."""
    family = next((name for name in FAMILIES if table.id.startswith(f"{name}-")), table.id)
    folder = page.name.rpartition("/")[0]
    return next((handlers[at, family] for at in (page.name, folder) if (at, family) in handlers), None)


def audit_tables(study: Study, audit: Audit, handlers: dict[tuple[str, str], Handler] | None = None) -> None:
    """Compare every table of a page that has a handler; a table that a handler cannot read counts as a difference."""
    for page in study.pages.values():
        for table in page.tables:
            compare = handler_of(page, table, HANDLERS if handlers is None else handlers)
            if compare is None:
                continue
            with audit.at(f"{page.name}, {table.id}"):
                read_table(study, audit, table, compare)


def read_table(study: Study, audit: Audit, table: PrintedTable, compare: Handler) -> None:
    """Run a handler; where the layout of a table is another one, say so as a difference of the table."""
    try:
        compare(study, audit, table)
    except (ValueError, KeyError, IndexError, StopIteration) as error:
        audit.same(f"can be read ({type(error).__name__}: {error})", False, True, "page")


def expected_tables(study: Study) -> Sequence[str]:
    """Give the ids of tables that a study must have, so that none drops out of the audit unseen."""
    wanted = ["chart-heat-map", "two-segments-side-by-side", "what-was-done", "where-it-came-from"]
    wanted.append("chart-correlations")
    report = study.report
    wanted += ["chart-concentration"] * (report["concentration"] is not None) + ["chart-rfm"] * (
        report["rfm"] is not None
    )
    wanted += ["chart-value-size"] * all(s["value_share"] is not None for s in report["segments"])
    wanted += ["chart-expected-spend"] * (report["expected"] is not None)
    wanted += ["is-that-more-than-chance"] * bool(report["contrasts"])
    return wanted


def audit_presence(study: Study, audit: Audit) -> None:
    """Say which tables are gone that the audit reads."""
    there = {table.id for page in study.pages.values() for table in page.tables}
    with audit.at("tables of the pages"):
        for id_ in expected_tables(study):
            audit.same(f"{id_} is there", id_ in there, True, "page")
