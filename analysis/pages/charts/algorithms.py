"""Charts of the algorithms: stability, dendrogram, and DBSCAN's radius."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.formats import in_words, joined, number, percentage, significant
from analysis.pages.figures import (
    ACCENT,
    COLOURS,
    EVERYONE,
    INK,
    SHAPES,
    WIDTH,
    Figure,
    Table,
    faceted,
    list_letters,
    make_figure,
    single,
    tag,
    tip,
)
from analysis.pages.text.evidence import cell_share
from analysis.report.model import Report
from analysis.report.parts import CandidateEvidence, Reach
from analysis.report.thresholds import REFERENCE_ROWS, VALID

NO_GROUP = "No group"
DENSE = ["#54606c", "#b8901a", "#7d3f6b", "#2e8c8c"]
"""Colours of dense groups, apart from those of segments."""


def algorithms(report: Report) -> Figure:
    """Chart the median stability of each algorithm by number of segments."""
    shown = [(a, [r for r in a.by_k if r.stability.pairs]) for a in report.evidence.algorithms]
    rows = [
        {"k": r.k, "median": r.stability.median, "algorithm": a.title, "silhouette": r.silhouette}
        for a, found in shown
        for r in found
    ]
    titles = [a.title for a, found in shown if found]
    colour = alt.Color(
        field="algorithm", type="nominal", title=None, scale=alt.Scale(domain=titles, range=COLOURS[: len(titles)])
    )
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(field="k", type="ordinal", title="Number of segments", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(field="median", type="quantitative", title="Median stability", scale=alt.Scale(domain=[0, 1])),
        color=colour,
    )
    points = base.mark_point(size=70, filled=True, opacity=1).encode(
        shape=alt.Shape(
            field="algorithm", type="nominal", title=None, scale=alt.Scale(domain=titles, range=SHAPES[: len(titles)])
        ),
        tooltip=[
            tip("algorithm", "Algorithm"),
            tip("k", "Segments"),
            alt.Tooltip(field="median", type="quantitative", format=".2f", title="Median stability"),
            alt.Tooltip(field="silhouette", type="quantitative", format=".2f", title="Silhouette"),
        ],
    )
    at = [(a.title, r.stability.median) for a, found in shown for r in found if r.k == report.decision.k]
    title = f"With {in_words(report.decision.k)} segments, {max(at, key=lambda pair: pair[1])[0]} repeats best"
    if len(at) < 2:
        title = f"Only {report.decision.algorithm_title} gives {in_words(report.decision.k)} segments to compare"
    caption = "Each algorithm saw the same customers and features; 1 = the same groups in every resample."
    without = [a.title for a in report.evidence.algorithms if not a.by_k]
    if without:
        caption += f" Without a point: {joined(without)}, as no groups were found."
    if any(not r.stability.pairs for a in report.evidence.algorithms for r in a.by_k):
        caption += " A solution that had already failed is not resampled and not drawn."
    table = Table(
        ("Algorithm", "Segments", "Median stability", "Mean silhouette", "Smallest segment"),
        tuple(
            (
                a.title,
                str(r.k),
                number(r.stability.median, 3),
                number(r.silhouette, 3),
                cell_share(report, r.smallest_share),
            )
            for a, found in shown
            for r in found
        ),
    )
    spec = single(alt.layer(base.mark_line(strokeWidth=2), points), 280)
    return make_figure(
        "algorithms", title, caption, f"Lines of stability by number of segments. {title}.", spec, 360, table
    )


def dendrogram(report: Report) -> Figure:
    """Chart the upper part of Ward's dendrogram, cut at the published number of segments."""
    tree, k = report.evidence.tree, report.decision.k
    heights = sorted((max(y) for _, y in tree.links), reverse=True)
    rows = [
        {"link": i, "step": step, "x": round(x, 2), "height": y, "part": "above" if max(ys) > tree.cut else "below"}
        for i, (xs, ys) in enumerate(tree.links)
        for step, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]
    colour = alt.Color(
        field="part",
        type="nominal",
        legend=None,
        scale=alt.Scale(domain=["above", "below"], range=[ACCENT, EVERYONE]),
    )
    # Room for the words of the cut, right of the tree.
    left, right = min(row["x"] for row in rows), 1.26 * max(row["x"] for row in rows)
    links = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=2, interpolate="linear", strokeJoin="round")
        .encode(
            x=alt.X(field="x", type="quantitative", axis=None, scale=alt.Scale(domain=[left, right], nice=False)),
            y=alt.Y(field="height", type="quantitative", title="Cost of the union", axis=alt.Axis(tickCount=5)),
            detail=alt.Detail(field="link", type="nominal"),
            order=alt.Order(field="step", type="quantitative"),
            color=colour,
        )
    )
    mark = pd.DataFrame([{"height": tree.cut, "text": f"cut: {k}"}])
    y = alt.Y(field="height", type="quantitative", title="Cost of the union")
    line = alt.Chart(mark).mark_rule(strokeDash=[4, 3], color=INK).encode(y=y)
    words = (
        alt.Chart(mark)
        .mark_text(align="right", dy=-8, fontWeight=600)
        .encode(y=y, x=alt.value("width"), text=alt.Text(field="text", type="nominal"))
    )
    steps = [above - below for above, below in pairwise(heights)]
    widest = max(range(len(steps)), key=lambda i: steps[i]) + 2 if steps else 2
    title = (
        f"Ward's tree is cut most easily at {in_words(widest)} groups"
        + (", as published" if widest == k else f"; the line cuts it at {in_words(k)}")
        if steps
        else "Ward's tree has a single union"
    )
    caption = (
        "Read from the bottom: each bracket joins two groups; the higher it is, the more the spread within groups "
        "grows by that union. The longer the upright lines that a cut crosses, the clearer the groups. "
        f"Shown are the last {len(heights)} unions"
    )
    sampled = report.study.n_core > REFERENCE_ROWS
    caption += f" of a sample of {number(REFERENCE_ROWS)} {report.study.customers}." if sampled else "."
    table = Table(
        ("Groups before", "Groups after", "Cost of the union"),
        tuple((str(i + 1), str(i), report.formats().plain(height)) for i, height in enumerate(heights, 1)),
    )
    spec = single(alt.layer(links, line, words), 280)
    return make_figure("dendrogram", title, caption, f"Tree of unions. {title}.", spec, 330, table)


def reach(report: Report) -> Figure | None:
    """Chart the distances to the m-th neighbour, whose knee is DBSCAN's radius."""
    distances, study = report.evidence.reach, report.study
    n = min(study.n_core, REFERENCE_ROWS)
    # A quantile near an end may be the distance of one customer.
    points = [
        (share, value)
        for share, value in enumerate(distances.quantiles, 1)
        if min(share, 100 - share) * n >= 100 * study.min_cell
    ]
    if len(points) < 2:
        return None
    chart = _draw_reach(points, distances)
    within = sum(value <= distances.radius for value in distances.quantiles)
    dbscan = next(a for a in report.evidence.algorithms if a.name == "dbscan")
    title = (
        f"The curve bends at {number(distances.radius, 2)}: that near, {percentage(within / 100)} of customers have "
        f"{distances.neighbours} neighbours"
        if distances.radius > 0
        else f"{percentage(within / 100)} of customers have {distances.neighbours} others just like them, "
        "which leaves no radius to choose"
    )
    caption = (
        f"For each share of customers, the distance within which their {distances.neighbours} nearest neighbours lie "
        "(twice the number of features, at least five). DBSCAN calls a region dense where neighbours are nearer than "
        f"the knee, the point farthest from the straight line between the ends. It {_told(dbscan.outcome)}."
    )
    table = _tabulate_reach(report, points)
    spec = single(chart, 260)
    return make_figure("reach", title, caption, f"Rising curve of distances. {title}.", spec, 310, table)


def _draw_reach(points: list[tuple[int, float]], distances: Reach) -> Any:
    """Draw the curve of distances and the radius across it."""
    curve = (
        alt.Chart(pd.DataFrame([{"share": share, "distance": value} for share, value in points]))
        .mark_line(strokeWidth=2, color=ACCENT)
        .encode(
            x=alt.X(
                field="share",
                type="quantitative",
                title="Share of customers, %",
                scale=alt.Scale(domain=[0, 100]),
                axis=alt.Axis(tickCount=5),
            ),
            y=alt.Y(
                field="distance",
                type="quantitative",
                title=f"Distance to neighbour {distances.neighbours}",
                scale=alt.Scale(zero=False),
                axis=alt.Axis(tickCount=5),
            ),
        )
    )
    mark = pd.DataFrame([{"distance": distances.radius, "text": f"radius {number(distances.radius, 2)}", "share": 2}])
    y = alt.Y(field="distance", type="quantitative", title=f"Distance to neighbour {distances.neighbours}")
    line = alt.Chart(mark).mark_rule(strokeDash=[4, 3], color=INK).encode(y=y)
    words = (
        alt.Chart(mark)
        .mark_text(align="left", dy=-8, fontWeight=600)
        .encode(y=y, x=alt.X(field="share", type="quantitative"), text=alt.Text(field="text", type="nominal"))
    )
    return alt.layer(curve, line, words)


def _tabulate_reach(report: Report, points: list[tuple[int, float]]) -> Table:
    distances = report.evidence.reach
    return Table(
        ("Share of customers", f"Distance to neighbour {distances.neighbours}"),
        tuple(
            (report.formats().percent(share / 100), number(value, 3))
            for share, value in points
            if share % 10 == 0 or (share, value) in (points[0], points[-1])
        ),
    )


def ward_groups(report: Report) -> Figure | None:
    """Chart the stability of Ward's groups and of their nearest-centroid rule; None without resamples."""
    rows = [r for a in report.evidence.algorithms if a.name == "ward" for r in a.by_k if r.own_slsw]
    published = next((r for r in rows if r.k == report.decision.k), rows[0] if rows else None)
    if published is None:
        return None
    groups = [f"Group {j}" for j in range(1, published.k + 1)]
    kinds = ["Ward's own groups", "Nearest centre"]
    chart = _draw_rules(published, groups, kinds)
    title = (
        f"Ward's own groups come back at {number(min(published.own_slsw), 2)} to {number(max(published.own_slsw), 2)}, "
        f"by the nearest centre at {number(min(published.slsw), 2)} to {number(max(published.slsw), 2)}"
    )
    caption = (
        "Ward's tree gives groups to the customers it was grown from; everyone else goes to the nearest centre, and "
        "so do they. For each of its groups, the largest share of members in common with a group of another "
        f"resample's tree, on average: among the customers drawn, and among all by the rule. Dashed: "
        f"{significant(VALID)}, from "
        "which Hennig calls a segment valid."
    )
    table = Table(
        ("Group", *kinds),
        tuple(
            (g, number(a, 3), number(b, 3)) for g, a, b in zip(groups, published.own_slsw, published.slsw, strict=True)
        ),
    )
    height = 34 * published.k
    spec = single(chart, height)
    return make_figure("ward-groups", title, caption, f"Two points for each group. {title}.", spec, height + 90, table)


def _draw_rules(published: CandidateEvidence, groups: list[str], kinds: list[str]) -> Any:
    """Draw two points for each group, one for each rule, and what joins them."""
    points = [
        {"group": group, "rule": kind, "jaccard": value}
        for kind, values in zip(kinds, (published.own_slsw, published.slsw), strict=True)
        for group, value in zip(groups, values, strict=True)
    ]
    y = alt.Y(field="group", type="nominal", sort=groups, title=None)
    x = alt.X(
        field="jaccard",
        type="quantitative",
        title="Mean Jaccard similarity over resamples",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f"),
    )
    pairs = pd.DataFrame(
        [
            {"group": g, "own": a, "centre": b}
            for g, a, b in zip(groups, published.own_slsw, published.slsw, strict=True)
        ]
    )
    between = (
        alt.Chart(pairs)
        .mark_rule(strokeWidth=2, color=EVERYONE)
        .encode(y=y, x=alt.X(field="own", type="quantitative"), x2=alt.X2(field="centre"))
    )
    dots = (
        alt.Chart(pd.DataFrame(points))
        .mark_point(size=90, filled=True, opacity=1)
        .encode(
            y=y,
            x=x,
            color=alt.Color(
                field="rule", type="nominal", title=None, scale=alt.Scale(domain=kinds, range=[COLOURS[2], INK])
            ),
            shape=alt.Shape(
                field="rule", type="nominal", title=None, scale=alt.Scale(domain=kinds, range=[SHAPES[2], SHAPES[0]])
            ),
            tooltip=[
                tip("group", "Group"),
                tip("rule", "Rule"),
                alt.Tooltip(field="jaccard", type="quantitative", format=".2f", title="Similarity"),
            ],
        )
    )
    valid = (
        alt.Chart(pd.DataFrame({"x": [VALID]}))
        .mark_rule(strokeDash=[4, 3], color=INK)
        .encode(x=alt.X(field="x", type="quantitative"))
    )
    return alt.layer(between, valid, dots)


def shapes(report: Report) -> Figure | None:
    """Chart dense groups that no centre describes beside the segments; None where there are none."""
    found = report.evidence.shapes
    if found is None:
        return None
    views = [f"Dense groups by {found.algorithm}", "Published segments"]
    names = {s.id: tag(s) for s in report.segments}
    kinds = {0: NO_GROUP} | {j: f"Group {j}" for j in range(1, found.n_groups + 1)}
    width, height = (step / 2 for step in found.step)
    pairs = [(c, kinds[c.group], names.get(c.segment, NO_GROUP)) for c in found.cells]
    rows = [
        {
            "view": view,
            "x": round(c.x - width, 3),
            "x2": round(c.x + width, 3),
            "y": round(c.y - height, 3),
            "y2": round(c.y + height, 3),
            "group": name,
        }
        for c, *both in pairs
        for view, name in zip(views, both, strict=True)
    ]
    groups, segments = ({row["group"] for row in rows if row["view"] == view} for view in views)
    palette = dict.fromkeys(kinds.values(), EVERYONE) | dict(zip(list(kinds.values())[1:], DENSE * 5, strict=False))
    chart = _draw_shapes(rows, views, palette | {tag(s): s.colour for s in report.segments})
    title = (
        f"{found.algorithm} finds {in_words(found.n_groups)} dense groups, and the {in_words(len(report.segments))} "
        "segments do not follow them"
    )
    caption = (
        f"Squares: places with {report.study.min_cell} {report.study.customers} or more, along the two directions on "
        "which they differ most. Left, the colour is the dense group of most of them, right, their segment. Grey: in "
        f"no group. {list_letters(report)}"
    )
    text = f"Two maps beside each other: {len(groups)} groups and {len(segments)} segments. {title}."
    table = Table(
        ("Across", "Up", "Dense group", "Segment"),
        tuple((number(c.x, 2, "+"), number(c.y, 2, "+"), group, segment) for c, group, segment in pairs),
    )
    return make_figure("shapes", title, caption, text, faceted(chart, 150, 150), 400, table)


def _draw_shapes(rows: list[dict[str, Any]], views: list[str], palette: dict[str, str]) -> Any:
    """Draw one panel of squares for each view, coloured by group or segment."""
    hidden = alt.Axis(labels=False, grid=False, ticks=False, domain=False)
    shown = [name for name in palette if any(row["group"] == name for row in rows)]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect(stroke=None)
        .encode(
            x=alt.X(field="x", type="quantitative", scale=alt.Scale(zero=False), axis=hidden, title=None),
            x2=alt.X2(field="x2"),
            y=alt.Y(field="y", type="quantitative", scale=alt.Scale(zero=False), axis=hidden, title=None),
            y2=alt.Y2(field="y2"),
            color=alt.Color(
                field="group",
                type="nominal",
                title=None,
                scale=alt.Scale(domain=shown, range=[palette[name] for name in shown]),
            ),
            tooltip=[tip("view", "Picture"), tip("group", "Group or segment")],
        )
        .properties(width=WIDTH // 2 - 40, height=WIDTH // 2 - 40)
        .facet(column=alt.Column(field="view", type="nominal", title=None, sort=views), spacing=20)
    )


def _told(outcome: str) -> str:
    """An algorithm's outcome as the rest of a sentence."""
    return outcome if outcome.startswith("finds") else f"finds {outcome}"
