"""The tables of the evidence and stability pages, beside the indices computed anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.metrics import silhouette_samples

from tests.audit.comparison import Audit, read_number
from tests.audit.customers import Study
from tests.audit.evidence import SAMPLED_ABOVE, distances, sample
from tests.audit.fairness import printed_fairness
from tests.audit.matrix import can_make, make_matrix
from tests.audit.pages import PrintedTable
from tests.audit.printed_tables import FAMILIES, HANDLERS, Handler, audit_tables, segment_of
from tests.audit.rules import printed_centres, printed_questions
from tests.audit.spread import printed_distributions, printed_map
from tests.audit.usefulness import printed_scores

TOLD = {"wcss": 1e-5, "calinski_harabasz": 2e-5, "silhouette": 2e-3, "davies_bouldin": 5e-3}
"""Relative error of each index where two sums of squares agree to five digits."""


def index_by_k(name: str) -> Handler:
    """Make the comparison of one index at every number of segments; where the search found the same optimum."""

    def compare(study: Study, audit: Audit, table: PrintedTable) -> None:
        if study.report["decision"]["algorithm"] != "kmeans":
            return
        for k, text, *_ in table.rows:
            own = audit.values.get((name, int(k)))
            if own is not None:
                # Two fits of one optimum stop within a hundredth of a thousandth of each other.
                shown, half = read_number(text)
                audit.near(f"{k} segments, {name}", shown, own, half + TOLD[name] * own, "optimum", "page")

    return compare


def sharpness(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare each segment's mean silhouette and shadow value."""
    centres = study.report["rules"]["centres"]
    if not can_make(study) or centres is None or not centres["exact"] or study.report["unassigned"]:
        return
    made, points = make_matrix(study), np.array(centres["centres"])
    labels, rows = (
        study.customers.labels[made.core],
        sample(len(made.clean), SAMPLED_ABOVE, study.report["study"]["seed"]),
    )
    each = silhouette_samples(made.clean[rows], labels[rows])
    near = np.sort(distances(made.clean, points), axis=1)[:, :2]
    shadow = 2 * near[:, 0] / near.sum(axis=1)
    for row in table.rows:
        j = segment_of(study, row[0])
        audit.printed(row[0], " ".join(row[1:3]), [each[labels[rows] == j].mean(), shadow[labels == j].mean()])


def gorge(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the shares of customers by similarity to a segment; counts go to whole cells before they are shares."""
    centres = study.report["rules"]["centres"]
    if not can_make(study) or centres is None or not centres["exact"]:
        return
    made, cell = make_matrix(study), study.report["study"]["min_cell"]
    closeness = np.exp(-distances(made.values, np.array(centres["centres"])))
    similar = closeness / closeness.sum(axis=1, keepdims=True)
    for name, low, high, share in table.rows:
        column = similar[:, segment_of(study, name) - 1]
        counts = np.histogram(column, 20, (0.0, 1.0))[0]
        n = int(counts[round(float(low) * 20)])
        rounded = cell * round(n / cell)
        audit.printed(f"{name}, {low} to {high}", share, [rounded / len(column)])


def sizes_of_solutions(study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the segments' sizes in the chain of solutions, where the row is a published segment."""
    labels = study.customers.labels
    for row in table.rows:
        segment = segment_of(study, row[0])
        if segment:
            audit.printed(f"{row[0]}, customers", row[1], [float((labels == segment).mean())])


EVIDENCE: dict[tuple[str, str], Callable[[Study, Audit, PrintedTable], None]] = {
    ("site/evidence.html", "chart-elbow"): index_by_k("wcss"),
    ("site/evidence.html", "chart-silhouette"): index_by_k("silhouette"),
    ("site/evidence.html", "chart-calinski-harabasz"): index_by_k("calinski_harabasz"),
    ("site/evidence.html", "chart-davies-bouldin"): index_by_k("davies_bouldin"),
    ("site/stability.html", "chart-sharpness"): sharpness,
    ("site/stability.html", "chart-gorge"): gorge,
    ("site/stability.html", "chart-neighbours"): sizes_of_solutions,
    ("site/explore.html", "chart-distributions"): printed_distributions,
    ("site/explore.html", "chart-map"): printed_map,
    ("site/card.html", "fairness-check"): printed_fairness,
    ("site/card.html", "do-actions-differ-by-it"): printed_fairness,
    ("site/placing.html", "a-few-questions"): printed_questions,
    ("site/placing.html", "the-nearest-centre"): printed_centres,
    ("site/proof.html", "chart-proof"): printed_scores,
}
"""What compares a table of these pages, by page and id."""


def audit_more_tables(study: Study, audit: Audit) -> None:
    """Compare the tables of the pages on evidence, stability, exploring, placing, proof and the card."""
    audit_tables(study, audit, EVIDENCE)


MANUAL = ("architecture", "commands", "settings", "dictionary", "methodology", "validation", "reproduce", "extend")
"""Pages whose tables hold words, settings, or results of another file."""


def unread_tables(study: Study) -> list[str]:
    """Name the tables of the pages about this study that nothing here compares."""
    known, found = {*HANDLERS, *EVIDENCE}, set()
    own = {"chart-profile", "how-they-answered", "a-typical-customer"}
    for page in study.pages.values():
        if page.name.startswith(tuple(f"site/{name}." for name in MANUAL)):
            continue
        persona = page.name.startswith("site/segments/")
        for table in page.tables:
            family = next((f for f in FAMILIES if table.id.startswith(f"{f}-")), table.id)
            if (page.name, family) not in known and not (persona and family in own):
                found.add(f"{page.name.removeprefix('site/')}: {family or table.caption}")
    return sorted(found)
