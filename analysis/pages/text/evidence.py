"""Text and tables of the Evidence page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from analysis.base.formats import beside, in_sentence, in_words, joined, number, significant
from analysis.pages.figures import Table, ladder_axis
from analysis.report.model import Report, Segment, chosen
from analysis.report.parts import AlgorithmEvidence, CandidateEvidence
from analysis.report.thresholds import (
    AGREES,
    ALGORITHMS,
    PREDICTS,
    STABLE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A criterion as its card shows it; ``k`` is the number that it would choose, None without an opinion."""

    title: str
    k: int | None
    reading: str
    text: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """A cell of the table of the rule; ``holds`` is None where it was not measured."""

    text: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """A number of segments in the table of the rule."""

    k: int
    published: bool
    cells: tuple[Requirement, ...]
    score: str
    outcome: str


def how_sure(report: Report, s: Segment) -> str:
    """Describe the stability, the separation and the size of a segment, in a sentence each."""
    gap = (
        "no clear gap to the next segment, so people near the border could be in either"
        if s.silhouette < 0.25
        else "a weak gap to the next segment"
        if s.silhouette < 0.5
        else "a clear gap to the next segment"
    )
    return (
        f"When the analysis is repeated on other samples of {report.study.customers}, {comes_back(s)} "
        f"(Jaccard index {number(s.slsw, 2)}, where 1 = the same {report.study.customers}). There is {gap} (mean "
        f"silhouette {number(s.silhouette, 2)}{report.core_note()}).{_sizes(report, s)}"
    )


def comes_back(s: Segment) -> str:
    """Say how much of a segment the most similar group of another sample keeps, by its band of stability."""
    return {
        "highly stable": "this segment comes back almost unchanged",
        "valid": "this segment comes back with most of its members",
        "a pattern": "this segment comes back only in part",
    }.get(s.band, "this segment does not come back")


def _sizes(report: Report, s: Segment) -> str:
    """State how large the segment is where it is found again."""
    if s.share_interval is None:
        return ""
    parts = [f"{_span(report, s.share_interval)} of {report.study.customers}"]
    if s.value_interval:
        parts.append(f"{_span(report, s.value_interval)} of {in_sentence(report.value_label())}")
    return f" In 95 of 100 repetitions it has {joined(parts)}."


def _span(report: Report, ends: tuple[float, float]) -> str:
    low, high = (report.formats().percent(end) for end in ends)
    return low if low == high else f"{low} to {high}"


def winner(report: Report) -> AlgorithmEvidence:
    """List the published algorithm by number of segments."""
    return next(a for a in report.evidence.algorithms if a.name == report.decision.algorithm)


def cell_share(report: Report, share: float) -> str:
    """Format a share of all customers without revealing small counts."""
    study = report.study
    few = 0 < round(share * study.n_customers) < study.min_cell
    text = report.formats().percent(study.min_cell / study.n_customers if few else share)
    return f"under {text}" if few else text


def decision_words(report: Report) -> tuple[str, str]:
    """Explain the decision and its main reason in two sentences."""
    decision, row, published = report.decision, chosen(report), winner(report)
    what = f"{decision.algorithm_title} with {in_words(decision.k)} segments"
    if decision.fixed:
        first = f"{what}, fixed by the analyst."
    elif not ALGORITHMS[decision.algorithm].takes_k:
        left = cell_share(report, row.unassigned_share)
        first = f"{what}: dense groups that stand apart, with {left} of {report.study.customers} unassigned."
    elif not row.eligible:
        first = f"{what}: no number of segments comes back reliably, and this is the most stable."
    elif use := report.evidence.use:
        first = f"{what}: of {in_words(len(use.tied))} solutions that tie, the one that predicts “{use.label}” best."
    elif published.natural:
        first = f"{what}, the finest of the natural solutions that are separated about as well as the best."
    else:
        first = f"{what}, the finest split that still comes back when {report.study.customers} are resampled."
    if not row.stability.pairs:
        return first, f"It was not resampled: {row.why_not}."
    second = f"Two resamples agree to {number(row.stability.median, 2)}, where 1 is the same groups and 0 chance"
    after = next((r for r in report.evidence.by_k if r.k == decision.k + 1 and r.stability.pairs), None)
    if after:
        second += f"; with {in_words(after.k)} segments they agree to {number(after.stability.median, 2)}"
        if after.stability.median < STABLE:
            second += f", under the {significant(STABLE)} that is asked"
    return first, f"{second}."


def ladder_words(report: Report) -> str:
    """Say how well bands of one order give the segments back, and offer them; empty where they are no ladder."""
    ladder, formats, axis = report.evidence.ladder, report.formats(), ladder_axis(report)
    if not ladder or report.verdict.kind == "none":
        return ""
    bands, people = in_words(len(ladder.rungs)), report.study.customers
    alone = len(ladder.variables) == 1
    order = f"{axis} alone" if alone else f"the axis along which the features vary most, mainly {axis},"
    text = (
        f"Order {people} by {order} and cut the line into {bands} bands as large as the segments: "
        f"{formats.percent(ladder.reproduced)} of {people} stay in their segment, and no gap parts the bands. "
    )
    if not ladder.cuts:
        return f"{text}To choose whom to contact, a score of {axis} would do as well as the segments."
    unit = report.variable(ladder.variables[0]).unit
    cuts = [formats.value(cut, unit) for cut in ladder.cuts]
    between = [f"{low} to {high}" for low, high in pairwise(cuts)]
    bounds = joined([f"up to {cuts[0]}", *between, f"above {cuts[-1]}"])
    return f"{text}To choose whom to contact, simple bands do as well and are easier to explain: {bounds}."


def criteria(report: Report) -> tuple[Reading, ...]:
    """List every criterion with its preferred number of segments, the deciding one first."""
    row, published = chosen(report), winner(report)
    most = max(r.k for a in report.evidence.algorithms for r in a.by_k)
    stable = (
        f"Two resamples agree to {number(row.stability.median, 2)} (adjusted Rand index, {row.stability.pairs} pairs)."
    )
    takes_k = ALGORITHMS[report.decision.algorithm].takes_k
    cards = [
        Reading(
            "Stability",
            published.k,
            _points(published.k, most) if takes_k else f"finds {published.k}",
            f"{stable if row.stability.pairs else 'Not resampled.'} "
            + ("This would have decided." if report.decision.fixed else _whether_it_decides(report)),
        )
    ]
    if len(report.evidence.by_k) > 1:
        cards += _read_separation(report, most)
    cards += _read_models(report, most)
    return tuple(cards)


def _read_separation(report: Report, most: int) -> list[Reading]:
    """Read the criteria that ask how far apart segments are."""
    prefers, row = report.evidence.prefers, chosen(report)
    return [
        Reading(
            "Silhouette",
            prefers.silhouette,
            _points(prefers.silhouette, most),
            f"Separation is {number(row.silhouette, 2)} as published{report.core_note()}. "
            + (
                "Fewer, coarser segments are nearly always further apart."
                if prefers.silhouette <= row.k
                else "Finer segments are tighter here; whether they come back it does not ask."
            ),
        ),
        Reading(
            "Elbow",
            prefers.elbow,
            _points(prefers.elbow, most),
            "The bend in the within-segment sum of squares. Weak evidence: the eye finds a bend in any curve.",
        ),
        Reading(
            "Calinski-Harabasz",
            prefers.calinski_harabasz,
            _points(prefers.calinski_harabasz, most),
            "Spread between segments over spread within. Likes few, round segments.",
        ),
        Reading(
            "Davies-Bouldin",
            prefers.davies_bouldin,
            _points(prefers.davies_bouldin, most),
            "How alike each segment is to the one most like it. Judges separation too.",
        ),
    ]


def _read_models(report: Report, most: int) -> list[Reading]:
    """Read the criteria that compare with chance, predict, or describe the density."""
    prefers, row = report.evidence.prefers, chosen(report)
    strength = (
        f"; with {in_words(row.k)} it is {number(row.prediction_strength, 2)}"
        if row.prediction_strength is not None
        else ""
    )
    return [
        Reading(
            "Gap",
            prefers.gap,
            "does not settle" if prefers.gap is None else _points(prefers.gap, most),
            "Tightness beside points spread evenly. It adds segments as long as they follow the data's shape, groups "
            "or not.",
        ),
        Reading(
            "Prediction strength",
            prefers.prediction_strength,
            "no opinion" if prefers.prediction_strength is None else _points(prefers.prediction_strength, most),
            f"The most segments that one half predicts in the other to {significant(PREDICTS)}, the weakest "
            f"counting{strength}.",
        ),
        Reading(
            "BIC of the mixture",
            prefers.bic,
            "no opinion" if prefers.bic is None else _points(prefers.bic, most),
            "The best description of the data's density; one group of odd shape may take several ellipses.",
        ),
    ]


def _points(k: int | None, most: int) -> str:
    return "points to 1: no groups" if k == 1 else f"points to {k}{', the most tried' if k == most else ''}"


def disagreement(report: Report) -> str:
    """Explain criteria that prefer another number of segments; empty if there are none."""
    k = report.decision.k
    others = [card for card in criteria(report)[1:] if card.k is not None]
    named = {
        word: [f"{_inside(c.title)} ({c.k})" for c in others if c.k is not None and test(c.k)]
        for word, test in (("fewer", lambda x: x < k), ("more", lambda x: x > k))
    }
    agree = [_inside(card.title) for card in others if card.k == k]
    parts = []
    if named["fewer"]:
        parts.append(f"{joined(named['fewer'])} would take fewer segments")
    if named["more"]:
        parts.append(f"{joined(named['more'])} would take more")
    if not parts:
        return f"All other criteria also point to {in_words(k)}." if agree else ""
    text = _capital("; ".join(parts)) + (f"; {joined(agree)} would take {in_words(k)} as well." if agree else ".")
    if named["fewer"]:
        text += (
            " Few, broad segments are always further apart and easier to find again, but they lump together "
            f"{report.study.customers} who need different treatment."
        )
    if named["more"]:
        text += (
            " More segments follow the data more closely, and a continuum has no last one; whether each comes back, "
            "these criteria do not ask."
        )
    if report.decision.fixed:
        return f"{text} Here the analyst fixed the solution."
    if report.evidence.use:
        return f"{text} Of the solutions that tie, the decision takes the one that predicts best."
    return f"{text} The decision asks for the finest split that still comes back."


def _whether_it_decides(report: Report) -> str:
    return "This decides which solutions tie; the use chose between them." if report.evidence.use else "This decides."


def _inside(title: str) -> str:
    """The title of a criterion within a sentence; names of people and of formulas keep their capitals."""
    if "-" in title:
        return f"the {title} index"
    return f"the {title if title.startswith('BIC') else title.lower()}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def requirements(report: Report) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    """List the requirements of the rule, and how each number of segments meets them.

    Returns
    -------
    headings : tuple of str
        A text for each requirement.
    lines : tuple of Line
        A line for each number of segments, with a cell for each requirement.
    """
    percent = report.formats().percent
    words = {
        "size": ("Smallest segment", "at least", percent),
        "unassigned": ("Unassigned", "at most", percent),
        "stability": ("Median stability", "at least", lambda x: number(x, 2)),
        "slsw": ("Least stable segment", "at least", lambda x: number(x, 2)),
    }
    rows = report.evidence.by_k
    headings = tuple(
        f"{title} ({bound} {written(check.bound)})"
        for check in rows[0].checks
        for title, bound, written in [words[check.name]]
    )
    most = int(report.study.setting("max_segments"))
    lines = []
    for row in rows:
        cells = tuple(
            Requirement("not measured", None)
            if check.value is None
            else Requirement(
                cell_share(report, check.value)
                if check.name in {"size", "unassigned"}
                else beside(check.value, check.bound),
                check.holds,
            )
            for check in row.checks
        )
        published = row.k == report.decision.k
        outcome = "eligible" if row.eligible else "fails"
        if row.eligible and row.k > most:
            outcome = f"more than the {most} allowed"
        if published:
            outcome = "published" if row.eligible else "published, though it fails"
        score = number(row.score, 2) if row.stability.pairs else "–"
        lines.append(Line(row.k, published, cells, score, outcome))
    return headings, tuple(lines)


def how_it_works(report: Report) -> Table:
    """List what each algorithm does."""
    return Table(
        ("Algorithm", "How it fits", "Where it places a new customer", "Work"),
        tuple((a.title, a.about, _capital(a.places), _capital(a.cost)) for a in report.evidence.algorithms),
    )


def how_each_did(report: Report) -> Table:
    """List each algorithm at its own and at the published number of segments."""
    beside = f"{report.decision.algorithm_title} there"
    rows = []
    for a in report.evidence.algorithms:
        row = next((r for r in a.by_k if r.k == a.k), None)
        if row is None:
            rows.append((a.title, "none", *["–"] * 6, _capital(a.outcome)))
            continue
        same = next((r for r in report.evidence.by_k if r.k == row.k and r.stability.pairs), None)
        resampled = row.stability.pairs > 0
        rows.append(
            (
                a.title,
                str(row.k),
                number(row.stability.median, 2) if resampled else "–",
                number(min(row.slsw), 2) if resampled else "–",
                number(row.silhouette, 2),
                cell_share(report, row.unassigned_share),
                number(row.score, 2) if resampled else "–",
                number(same.score, 2) if same else "–",
                _verdict(report, a, row),
            )
        )
    columns = ("Stability", "Least stable segment", "Silhouette", "Unassigned", "Score", beside)
    return Table(("Algorithm", "Its own number", *columns, "What the rule says"), tuple(rows))


def _published_with(report: Report) -> str:
    return f"Published with {in_words(report.decision.k)}, {'for its use' if report.evidence.use else 'as fixed'}"


def _verdict(report: Report, a: AlgorithmEvidence, row: CandidateEvidence) -> str:
    if a.name == report.decision.algorithm:
        return "Published" if a.k == report.decision.k else _published_with(report)
    most = int(report.study.setting("max_segments"))
    if row.k > most:
        return f"More than the {most} allowed"
    if not row.eligible:
        return f"Fails: {row.why_not}"
    kind = "Natural" if a.natural else "Replicates"
    return kind if report.decision.fixed else f"{kind}, but is set aside"


def agreements(report: Report) -> dict[str, float]:
    """Return the mean agreement with the published segments by algorithm, for those with a given number.

    The adjusted Rand index at the published number of segments. One fit alone says less: some algorithms change much
    with little.
    """
    factor = next((f for f in report.evidence.multiverse.factors if f.name == "algorithm"), None)
    return dict(zip(factor.options, factor.means, strict=True)) if factor else {}


def _finding(report: Report, a: AlgorithmEvidence) -> str:
    row = next((r for r in a.by_k if r.k == a.k), None)
    if row is None:
        return a.outcome
    return f"finds {in_words(row.k)} groups and leaves {cell_share(report, row.unassigned_share)} unassigned"


def another_story(report: Report) -> tuple[str, str]:
    """Return whether another algorithm gives different segments, with the numbers behind the answer."""
    means, decision = agreements(report), report.decision
    ranked = [(ALGORITHMS[name].title, mean) for name, mean in means.items() if name != decision.algorithm]
    dense = [a for a in report.evidence.algorithms if not ALGORITHMS[a.name].takes_k]
    dense = [a for a in dense if a.name != report.decision.algorithm]
    density = "; ".join(f"{a.title} {_finding(report, a)}" for a in dense)
    density = f"Of those that look for dense regions, {density}." if dense else ""
    k = in_words(report.decision.k)
    if not ranked:
        return f"What the other algorithms make of the same {report.study.customers}.", density
    same = [name for name, agreement in ranked if agreement >= AGREES]
    if len(same) == len(ranked):
        first = f"No: with {k} segments {joined(same)} would tell the same story."
    elif same:
        other = [name for name, _ in ranked if name not in same]
        first = f"Partly: with {k} segments {joined(same)} would tell the same story, {joined(other)} another one."
    else:
        first = f"Yes: with {k} segments {joined([name for name, _ in ranked])} would draw the borders elsewhere."
    numbers = joined([f"{name} {beside(mean, AGREES)}" for name, mean in ranked])
    best = (
        f" ({decision.algorithm_title} itself {number(means[decision.algorithm], 2)})"
        if decision.algorithm in means
        else ""
    )
    ways = len({(choice.scaling, choice.features, choice.outliers) for choice in report.evidence.multiverse.choices})
    second = (
        f"Agreement with the published segments, mean of {ways} ways to prepare the data: {numbers}{best}, where 1 is "
        f"the same groups, 0 chance, and {significant(AGREES)} or more the same story. {density} What decides "
        f"between them is how well "
        "each one's own groups come back."
    )
    return first, second
