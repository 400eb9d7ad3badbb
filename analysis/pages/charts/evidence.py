"""Charts of the evidence for the number of segments and their stability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import formatted, in_words, number, percentage, significant
from analysis.pages.figures import ACCENT, EVERYONE, INK, Figure, Table, make_figure, single, tip
from analysis.report.model import Report
from analysis.report.parts import CandidateEvidence
from analysis.report.thresholds import LUMPED_GAP, NATURAL_GAP, PREDICTS, STABLE


def elbow(report: Report) -> Figure | None:
    """Chart the within-cluster sum of squares by k, with its knee."""
    k = report.evidence.prefers.elbow
    criterion = _Criterion(
        "elbow",
        "Within-segment sum of squares",
        f"The elbow points to {k}, weakly",
        "Within-segment sum of squares: how far customers lie from their segment's centre. It always falls; look for "
        "the bend.",
        format=",.0f",
        axis="~s",
    )
    return _by_k(report, report.evidence.by_k, [r.wcss for r in report.evidence.by_k], criterion)


def silhouette(report: Report) -> Figure | None:
    """Chart the mean silhouette by k, with two standard errors where it was sampled."""
    rows = report.evidence.by_k
    errors = [2 * r.silhouette_se for r in rows]
    published = _published(report).silhouette
    best = report.evidence.prefers.silhouette
    caption = (
        f"Mean silhouette{report.core_note()}: 1 = far from every other segment, 0 = on a border. "
        f"Under {number(0.25, 2)} there is no clear gap "
        "between segments (Kaufman and Rousseeuw's reading)."
    )
    if any(errors):
        caption += " Lines: two standard errors either way, as it was taken from a sample of customers."
    criterion = _Criterion(
        "silhouette",
        "Mean silhouette",
        f"Separation is best with {best} segments; with {report.decision.k} it is {number(published, 2)}",
        caption,
        format=".3f",
        zero=True,
    )
    return _by_k(report, rows, [r.silhouette for r in rows], criterion, errors)


def calinski_harabasz(report: Report) -> Figure | None:
    """Chart the Calinski-Harabasz index by k."""
    rows = report.evidence.by_k
    criterion = _Criterion(
        "calinski-harabasz",
        "Calinski-Harabasz index",
        f"Calinski and Harabasz point to {report.evidence.prefers.calinski_harabasz}",
        "Spread between segments over spread within, for the number of segments; higher is better.",
        format=",.0f",
        zero=True,
        height=180,
    )
    return _by_k(report, rows, [r.calinski_harabasz for r in rows], criterion)


def davies_bouldin(report: Report) -> Figure | None:
    """Chart the Davies-Bouldin index by k."""
    rows = report.evidence.by_k
    criterion = _Criterion(
        "davies-bouldin",
        "Davies-Bouldin index",
        f"Davies and Bouldin point to {report.evidence.prefers.davies_bouldin}",
        "Mean likeness of each segment to the one most like it; lower is better.",
        format=".2f",
        height=180,
    )
    return _by_k(report, rows, [r.davies_bouldin for r in rows], criterion)


def gap(report: Report) -> Figure | None:
    """Chart the gap statistic of k-means by k, with its standard error."""
    rows = [r for r in _kmeans(report) if r.gap is not None]
    k = report.evidence.prefers.gap
    title = (
        "The gap statistic finds no number to stop at"
        if k is None
        else f"The gap statistic points to {k}{'' if k > 1 else ', that is to no groups'}"
    )
    criterion = _Criterion(
        "gap",
        "Gap",
        title,
        "How much tighter k-means groups these customers than points spread evenly over the same box. It stops at the "
        "first number whose gap is within one standard error (line) of the next one's. One group is compared too.",
        format=".3f",
    )
    return _by_k(report, rows, [r.gap or 0.0 for r in rows], criterion, [r.gap_se or 0.0 for r in rows])


def prediction_strength(report: Report) -> Figure | None:
    """Chart the prediction strength of k-means by k."""
    rows = [r for r in _kmeans(report) if r.prediction_strength is not None]
    k = report.evidence.prefers.prediction_strength
    title = "One half of the customers does not predict the other with any number of segments"
    if k is not None and k > 1:
        title = f"One half of the customers predicts the other with up to {in_words(k)} segments"
    criterion = _Criterion(
        "prediction-strength",
        "Prediction strength",
        title,
        "Of two customers that one half's own k-means puts together, how often the other half's does so too, in the "
        f"segment where that is rarest. Dashed: {significant(PREDICTS)}, from which Tibshirani and Walther "
        f"accept a number.",
        format=".2f",
        bound=PREDICTS,
        zero=True,
    )
    return _by_k(report, rows, [r.prediction_strength or 0.0 for r in rows], criterion)


def bic(report: Report) -> Figure | None:
    """Chart the BIC of the Gaussian mixture by k."""
    rows = [r for a in report.evidence.algorithms if a.name == "mixture" for r in a.by_k if r.bic is not None]
    k = report.evidence.prefers.bic
    if k is None:
        return None
    criterion = _Criterion(
        "bic",
        "BIC of the mixture",
        f"The mixture describes the data best with {in_words(k)} ellipses",
        "Bayesian information criterion: how badly a mixture of k Gaussian ellipses fits, plus a charge for every "
        "number it needs; lower is better. One segment of odd shape may take several ellipses.",
        format=",.0f",
        axis="~s",
    )
    return _by_k(report, rows, [r.bic or 0.0 for r in rows], criterion)


def stability(report: Report) -> Figure:
    """Chart stability by k: the spread of the adjusted Rand index over pairs of resamples."""
    rows = [r for r in report.evidence.by_k if r.stability.pairs]
    frame = pd.DataFrame(
        [
            {
                "k": r.k,
                "p5": r.stability.p5,
                "q1": r.stability.q1,
                "median": r.stability.median,
                "q3": r.stability.q3,
                "p95": r.stability.p95,
                "mark": _mark(report, r.k),
                "pairs": r.stability.pairs,
            }
            for r in rows
        ]
    )
    chart = _draw_boxes(frame)
    published = _published(report)
    after = next((r for r in rows if r.k == report.decision.k + 1), None)
    title = f"With {report.decision.k} segments, two resamples agree to {number(published.stability.median, 2)}"
    if after:
        title += f"; with {after.k}, to {number(after.stability.median, 2)}"
    caption = (
        "Two bootstrap samples are clustered apart and all customers assigned by both: 1 = the same groups, 0 = "
        "no better than chance. "
        f"Tick: median; box: middle half; line: {percentage(0.05)} to {percentage(0.95)}. "
        f"Dashed: {significant(STABLE)}, the least that the "
        f"decision accepts."
    )
    if len(rows) < len(report.evidence.by_k):
        caption += " A number of segments that had failed already, or lies above the most allowed, is not resampled."
    table = Table(
        ("Segments", "Median", "Lower quartile", "Upper quartile", "Pairs"),
        tuple(
            (
                str(r.k),
                number(r.stability.median, 3),
                number(r.stability.q1, 3),
                number(r.stability.q3, 3),
                str(r.stability.pairs),
            )
            for r in rows
        ),
    )
    spec = single(chart, 280)
    return make_figure("stability", title, caption, f"Box plots by number of segments. {title}.", spec, 340, table)


def _draw_boxes(frame: pd.DataFrame) -> Any:
    """Draw one box for each number of segments, and the least that is accepted."""
    x = alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame).encode(x=x)
    y = alt.Y(
        field="p5",
        type="quantitative",
        title="Agreement between resamples (adjusted Rand)",
        scale=alt.Scale(domain=[0, 1]),
    )
    colour = alt.Color(
        field="mark",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=["published", "other"], range=[ACCENT, EVERYONE]),
    )
    whiskers = base.mark_rule().encode(y=y, y2=alt.Y2(field="p95"), color=colour)
    boxes = base.mark_bar(size=22, opacity=0.55).encode(
        y=alt.Y(field="q1", type="quantitative"), y2=alt.Y2(field="q3"), color=colour
    )
    ticks = base.mark_tick(thickness=3, size=22).encode(
        y=alt.Y(field="median", type="quantitative"),
        color=colour,
        tooltip=[
            tip("k", "Segments"),
            alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median"),
            tip("pairs", "Pairs of resamples"),
        ],
    )
    line = (
        alt.Chart(pd.DataFrame({"y": [STABLE]}))
        .mark_rule(strokeDash=[4, 3], color=INK)
        .encode(y=alt.Y(field="y", type="quantitative"))
    )
    return alt.layer(line, whiskers, boxes, ticks)


def null_reference(report: Report) -> Figure | None:
    """Chart the published stability and that of shuffled data; None for a density method."""
    nulls = report.evidence.nulls.permuted
    published = _published(report).stability.median
    if not nulls:
        return None
    most = max(nulls)
    title = (
        f"Shuffled data reach {number(most, 2)} at best; this study has {number(published, 2)}"
        if published > most
        else f"Shuffled data reach {number(most, 2)}, as high as this study ({number(published, 2)})"
    )
    caption = (
        f"Grey: {len(nulls)} data sets in which each feature was shuffled on its own, so that nothing hangs "
        "together. If the blue line stood among them, the segments would be chance."
    )
    words = _Reference("null", "Median stability", "Shuffled", title, caption)
    return _strip(nulls, published, words, 1.0)


def gaussian_reference(report: Report) -> Figure:
    """Chart the published silhouette, that of Gaussian data, and the threshold for natural segments."""
    nulls = report.evidence.nulls.gaussian
    published, most = _published(report).silhouette, max(nulls)
    lumped = report.evidence.nulls.lumped
    bound = max(most + NATURAL_GAP, max(lumped, default=-1.0) + LUMPED_GAP)
    above = f"{significant(NATURAL_GAP)} above the best of them"
    if lumped:
        above += (
            f" and {significant(LUMPED_GAP)} above every cloud in which as many customers share a value of a feature "
            f"(at most {number(max(lumped), 2)})"
        )
    reading = (
        "as far apart as natural groups are"
        if published > bound
        else "under"
        if published <= most
        else "above, but not by enough"
    )
    cloud = f"One Gaussian cloud reaches a silhouette of {number(most, 2)}"
    title = f"{cloud}; this study has {number(published, 2)}, {reading}"
    if published <= most:
        title = f"{cloud}, no less than this study ({number(published, 2)})"
    caption = (
        f"Grey: {len(nulls)} clouds with the data's own means and covariances, which hold no groups at all, cut by the "
        f"same method. Blue: this study{report.core_note()}. Dashed: {number(bound, 2)}, that is {above}, from which "
        "segments would count as natural."
    )
    words = _Reference("gaussian", "Mean silhouette", "Cloud", title, caption)
    return _strip(nulls, published, words, max(published, bound) * 1.06, bound)


@dataclass(frozen=True, slots=True)
class _Reference:
    """Words of a chart that compares the published value with those of reference data."""

    id: str
    what: str
    other: str
    title: str
    caption: str


def _strip(
    nulls: Sequence[float], published: float, words: _Reference, most: float, bound: float | None = None
) -> Figure:
    """References as ticks on a line from 0 to ``most``, this study as a rule among them."""
    x = alt.X(
        field="x",
        type="quantitative",
        title=words.what,
        scale=alt.Scale(domain=[min(0.0, published, *nulls), most], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    ticks = (
        alt.Chart(pd.DataFrame({"x": list(nulls)}))
        .mark_tick(thickness=2, size=34, opacity=0.7, color=EVERYONE)
        .encode(x=x, tooltip=[alt.Tooltip(field="x", type="quantitative", format=".2f", title=words.other)])
    )
    reference = pd.DataFrame([{"x": published, "text": "this study"}])
    line = alt.Chart(reference).mark_rule(strokeWidth=3, color=ACCENT).encode(x=x)
    side = -1 if published > most / 2 else 1
    label = (
        alt.Chart(reference)
        .mark_text(align="right" if side < 0 else "left", dx=7 * side, dy=-24, fontWeight=600)
        .encode(x=x, text=alt.Text(field="text", type="nominal"))
    )
    layers = [ticks, line, label]
    if bound is not None:
        layers.append(alt.Chart(pd.DataFrame({"x": [bound]})).mark_rule(strokeDash=[4, 3], color=INK).encode(x=x))
    table = Table(
        ("Data", words.what),
        (
            ("This study", number(published, 3)),
            *((f"{words.other} {i}", number(value, 3)) for i, value in enumerate(nulls, 1)),
        ),
    )
    spec = single(alt.layer(*layers), 70)
    return make_figure(words.id, words.title, words.caption, f"Strip of references. {words.title}.", spec, 130, table)


def _mark(report: Report, k: int) -> str:
    return "published" if k == report.decision.k else "other"


def _published(report: Report) -> CandidateEvidence:
    return next(r for r in report.evidence.by_k if r.k == report.decision.k)


def _kmeans(report: Report) -> tuple[CandidateEvidence, ...]:
    return next(a.by_k for a in report.evidence.algorithms if a.name == "kmeans")


@dataclass(frozen=True, slots=True)
class _Criterion:
    """Words of a chart of a criterion, how its values are written (``format``) and which is marked (``bound``)."""

    id: str
    what: str
    title: str
    caption: str
    format: str
    axis: str = ""
    bound: float | None = None
    zero: bool = False
    height: int = 240


def _by_k(
    report: Report,
    rows: Sequence[CandidateEvidence],
    values: Sequence[float],
    criterion: _Criterion,
    errors: Sequence[float] = (),
) -> Figure | None:
    """One number for each number of segments, the published one marked; None where there is but one to show."""
    if len(rows) < 2:
        return None
    errors = errors if any(errors) else ()
    chart = _draw_by_k(report, rows, values, criterion, errors)
    heading = ["Segments", criterion.what]
    cells = [[str(r.k), formatted(x, criterion.format)] for r, x in zip(rows, values, strict=True)]
    if errors:
        heading.append("Either way")
        cells = [[*row, number(error, 3)] for row, error in zip(cells, errors, strict=True)]
    table = Table(tuple(heading), tuple(map(tuple, cells)))
    text = f"{criterion.what} by number of segments. {criterion.title}."
    caption = f"{criterion.caption} Blue square: published."
    height = criterion.height
    return make_figure(criterion.id, criterion.title, caption, text, single(chart, height), height + 60, table)


def _draw_by_k(
    report: Report,
    rows: Sequence[CandidateEvidence],
    values: Sequence[float],
    criterion: _Criterion,
    errors: Sequence[float],
) -> Any:
    """Draw a point for each number of segments, joined by a line, with errors and bound where there are any."""
    field = criterion.id.replace("-", "_")
    frame = pd.DataFrame(
        [{"k": r.k, field: value, "mark": _mark(report, r.k)} for r, value in zip(rows, values, strict=True)]
    )
    if errors:
        frame = frame.assign(low=frame[field] - list(errors), high=frame[field] + list(errors))
    y = alt.Y(
        field=field,
        type="quantitative",
        title=criterion.what,
        scale=alt.Scale(zero=criterion.zero),
        axis=alt.Axis(format=criterion.axis or criterion.format, tickCount=5),
    )
    base = alt.Chart(frame).encode(
        x=alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0)), y=y
    )
    colour = alt.Color(
        field="mark",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=["published", "other"], range=[ACCENT, EVERYONE]),
    )
    shape = alt.Shape(
        field="mark",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=["published", "other"], range=["square", "circle"]),
    )
    points = base.mark_point(filled=True, opacity=1, size=90).encode(
        color=colour,
        shape=shape,
        tooltip=[
            tip("k", "Segments"),
            alt.Tooltip(field=field, type="quantitative", format=criterion.format, title=criterion.what),
        ],
    )
    layers = [base.mark_line(color=EVERYONE), points]
    if errors:
        ends = alt.Y(field="low", type="quantitative", title=criterion.what), alt.Y2(field="high")
        layers.insert(0, base.mark_rule(strokeWidth=2).encode(y=ends[0], y2=ends[1], color=colour))
    if criterion.bound is not None:
        line = alt.Chart(pd.DataFrame({"y": [criterion.bound]})).mark_rule(strokeDash=[4, 3], color=INK)
        layers.insert(0, line.encode(y=alt.Y(field="y", type="quantitative", title=criterion.what)))
    return alt.layer(*layers)
