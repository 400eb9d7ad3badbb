"""Text and table of the solutions that tied, and of how one of them was chosen for its use."""

from __future__ import annotations

from analysis.base.formats import in_words, number
from analysis.pages.figures import Table
from analysis.report.model import Report
from analysis.report.thresholds import BAND, SCORES


def explain_choice(report: Report) -> str:
    """Say which of the tied solutions was chosen, for what, and by which half; empty where stability decided."""
    use = report.evidence.use
    if use is None:
        return ""
    first, people, name = use.tied[0], report.study.customers, SCORES[use.measure]
    other = next(tie for tie in use.tied if (tie.algorithm, tie.k) == tuple(use.by_stability))
    score = f"{name} {report.formats().score(first.use)}"
    text = (
        f"{_capital(in_words(len(use.tied)))} solutions return about equally well: all replicate, and their scores lie "
        f"within {number(BAND, 2)} of the best. The settings let the use decide between them. On one half of the "
        f"{people}, {first.title} with {in_words(first.k)} segments predicts “{use.label}” best ({score})."
    )
    if other is first:
        text += " Stability alone would have chosen the same solution."
    else:
        text += (
            f" Stability alone would have chosen {other.title} with {in_words(other.k)} segments "
            f"({name} {report.formats().score(other.use)})."
        )
    return f"{text} The other half of the {people} took no part in this choice."


def list_ties(report: Report) -> Table:
    """List the tied solutions, the one that predicts best first."""
    use, score = report.evidence.use, report.formats().score
    if use is None:
        return Table((), ())
    columns = ("Solution", "Median stability", "Score", f"{SCORES[use.measure]} on one half", "Chosen by")
    rows = []
    for place, tie in enumerate(use.tied):
        by = ["use"] if place == 0 else []
        by += ["stability"] if (tie.algorithm, tie.k) == tuple(use.by_stability) else []
        solution = f"{tie.title}, {tie.k} segments"
        figures = (number(tie.stability, 2), number(tie.score, 2), score(tie.use))
        rows.append((solution, *figures, " and ".join(by) or "–"))
    return Table(columns, tuple(rows))


def proved_on(report: Report) -> str:
    """Say that figures are of customers who took no part in the choice; empty where there was no choice."""
    use = report.evidence.use
    if use is None:
        return ""
    people = report.study.customers
    text = (
        f"Of {in_words(len(use.tied))} solutions that tie, this one predicts “{use.label}” best on one half of the "
        f"{people}. All figures on this page are of the other half, which took no part in that choice."
    )
    if any(score.name == "stable" for target in report.proof.targets for score in target.scores):
        text += " “Segments by stability alone” are those that would have been published without it."
    return text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
