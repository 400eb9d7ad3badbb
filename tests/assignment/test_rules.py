"""Rules for new customers: planted groups are found by few questions; ends are large, numbers are round."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.rounding import assign_by_rule, round_rule
from analysis.assignment.rules import Rules
from analysis.assignment.trees import MOST_LEAVES, MOST_QUESTIONS, SMALLEST_LEAF, Tree
from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Fit
from analysis.settings.load import check_study
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, run_stages, take_through


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return take_shop(make_shop(600), tmp_path_factory.mktemp("shop"))


def take_shop(customers: pd.DataFrame, root: Path, **settings: Any) -> Stages:
    return take_through(customers, check_study({**SHOP, "segments": 3, "algorithm": "kmeans", **settings}), root)


def filled(stages: Stages, rules: Rules) -> pd.DataFrame:
    return stages.table.frame[list(rules.fills)].fillna(rules.fills)


@pytest.mark.slow
def test_questions_find_planted_groups(shop: Stages) -> None:
    tree = shop.report.rules.tree
    assert tree.questions <= 2
    assert tree.fidelity > 0.95
    assert all(found.recall > 0.9 and found.precision > 0.9 for found in tree.segments)


def test_every_end_of_a_tree_is_large_enough_to_show(stages: Stages) -> None:
    tree = stages.report.rules.tree
    frame = filled(stages, stages.report.rules)
    least = max(stages.study.min_cell, SMALLEST_LEAF * len(frame))
    ends = [i for i, node in enumerate(tree.nodes) if not node.feature]
    reached = np.full(len(frame), -1)
    for row, (_, customer) in enumerate(frame.iterrows()):
        at = 0
        while tree.nodes[at].feature:
            at = (
                tree.nodes[at].yes
                if customer[tree.nodes[at].feature] <= tree.nodes[at].threshold
                else tree.nodes[at].no
            )
        reached[row] = at
    assert sorted(set(reached)) == ends
    assert min((reached == end).sum() for end in ends) >= least
    assert len(ends) <= MOST_LEAVES and tree.questions <= MOST_QUESTIONS
    assert [tree.nodes[at].segment for at in reached] == tree.assign(frame).tolist()


@pytest.mark.slow
def test_the_smallest_cell_of_the_settings_holds_for_ends(tmp_path: Path) -> None:
    found = take_shop(make_shop(180), tmp_path, min_cell=30)
    counts = np.bincount(found.report.rules.tree.assign(filled(found, found.report.rules)))[1:]
    assert min(count for count in counts if count) >= 30


def test_thresholds_have_three_digits_and_the_centres_six(stages: Stages) -> None:
    rules = stages.report.rules
    for node in rules.tree.nodes:
        assert node.threshold == float(f"{node.threshold:.3g}")
        assert (node.share, node.purity.share) == (round(node.share, 2), round(node.purity.share, 2))
    assert rules.centres is not None
    numbers = [x for row in rules.centres.centres for x in row] + [step.centre for step in rules.centres.steps]
    assert all(x == float(f"{x:.6g}") for x in numbers)


def test_numbers_of_the_rule_are_rounded_to_what_one_customer_can_move(stages: Stages) -> None:
    public, exact = (stages.study.model_copy(update={"disclosure": how}) for how in ("public", "internal"))
    arguments = stages.features.table.frame, stages.prepared, stages.evidence
    rounded = round_rule(*arguments, public)
    matrix, rules = rounded.prepared.matrix, Disclosure(public.min_cell)
    fitted = np.where(stages.evidence.core, stages.evidence.fit.assign(stages.prepared.matrix), 0)
    for j, centre in enumerate(rounded.centres):
        for x, column in zip(centre, matrix[fitted == j + 1].T, strict=True):
            step = rules.step(column, float(column.mean()))
            assert x == pytest.approx(round(x / step) * step, abs=1e-5)
            assert x == pytest.approx(float(column.mean()), abs=0.1)
    for before, after in zip(stages.prepared.steps, rounded.prepared.steps, strict=True):
        assert after.scale == pytest.approx(before.scale, rel=0.05) or before.log
        assert len(f"{after.scale:.6g}") < len(f"{before.scale:.6g}")
    told = round_rule(*arguments, exact)
    assert [step.scale for step in told.prepared.steps] == [float(f"{s.scale:.6g}") for s in stages.prepared.steps]


def test_customers_are_assigned_with_the_rounded_rule(stages: Stages) -> None:
    moved = np.roll(stages.evidence.fit.assign(stages.prepared.matrix), 1)
    fitted = replace(stages.evidence, labels=stages.evidence.fit.assign(stages.prepared.matrix))
    assigned = assign_by_rule(stages.features, fitted, stages.study)
    rounded = round_rule(stages.features.table.frame, stages.prepared, fitted, stages.study)
    assert assigned.labels.tolist() == Fit(rounded.centres).assign(rounded.prepared.matrix).tolist()
    assert np.mean(assigned.labels == fitted.labels) > 0.98
    other = replace(stages.evidence, labels=moved)
    assert assign_by_rule(stages.features, other, stages.study) is other


def test_no_end_tells_of_a_few_who_are_elsewhere(stages: Stages) -> None:
    tree, labels = stages.report.rules.tree, stages.evidence.labels
    frame = filled(stages, stages.report.rules)
    for end, rows in ends_of(tree, frame):
        others, told = int((labels[rows] != tree.nodes[end].segment).sum()), tree.nodes[end].purity
        assert told.at_least == (others < stages.study.min_cell)
        least = 1 - max(others, stages.study.min_cell) / len(rows)
        most = max(least, 0.5) if told.at_least and 2 * others < len(rows) else least
        assert most - 0.011 <= told.share <= most + 0.006


def ends_of(tree: Tree, frame: pd.DataFrame, place: int = 0, rows: np.ndarray | None = None) -> list[Any]:
    """Give each end with the customers who come there."""
    rows = np.arange(len(frame)) if rows is None else rows
    node = tree.nodes[place]
    if not node.feature:
        return [(place, rows)]
    yes = frame[node.feature].to_numpy()[rows] <= node.threshold
    return ends_of(tree, frame, node.yes, rows[yes]) + ends_of(tree, frame, node.no, rows[~yes])


@pytest.mark.slow
def test_fidelity_is_of_customers_that_the_tree_was_not_made_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noise = make_shop(300)
    for column in ("orders", "discount", "visits"):
        noise[column] = rng.permutation(noise[column].to_numpy())
    found = take_shop(noise, tmp_path)
    tree = found.report.rules.tree
    inside = np.mean(tree.assign(filled(found, found.report.rules)) == found.evidence.labels)
    assert 0 < tree.fidelity < 1
    assert tree.fidelity <= inside + 0.02


def test_the_path_to_a_segment_holds_for_the_share_that_is_told(stages: Stages) -> None:
    frame, labels = filled(stages, stages.report.rules), stages.evidence.labels
    for found in stages.report.rules.tree.segments:
        on = np.ones(len(frame), dtype=bool)
        for bound in found.path:
            values = frame[bound.feature]
            on &= ((values > bound.low) if bound.low is not None else True) & (
                (values <= bound.high) if bound.high is not None else True
            )
        own = (labels == found.id) & on
        assert found.path
        for part, whole in ((found.purity, on.sum()), (found.reach, (labels == found.id).sum())):
            share = own.sum() / whole
            assert share >= part.share if part.at_least else share == pytest.approx(part.share, abs=0.006)


def test_centres_place_everybody_where_the_segments_are_formed_by_them(stages: Stages) -> None:
    centres = stages.report.rules.centres
    assert centres is not None and centres.exact and centres.fidelity == 1
    for segment, typical in zip(stages.report.segments, centres.typical, strict=True):
        own = stages.table.frame[stages.evidence.labels == segment.id]
        for step, value in zip(centres.steps, typical, strict=True):
            assert own[step.name].min() <= value <= own[step.name].max()


@pytest.mark.slow
def test_what_customers_say_tells_the_segment_where_it_is_the_segment(tmp_path: Path) -> None:
    customers = make_shop(600)
    groups = pd.cut(customers["orders"], [-np.inf, 12, 21, np.inf], labels=["few", "some", "many"]).astype(str)
    found = take_shop(customers.assign(region=groups), tmp_path / "telling")
    told = found.report.rules.without_behaviour
    assert told is not None and told.accuracy > 0.9 > told.largest
    assert told.variables[0] == "region"
    silent = take_shop(customers.drop(columns="spend"), tmp_path / "silent", **without_spend()).report
    guess = silent.rules.without_behaviour
    assert guess is not None and guess.accuracy < guess.largest + 0.08


def without_spend() -> dict[str, Any]:
    source = SHOP["sources"][0]
    roles = {**source["roles"], "descriptor": ["region"]}
    return {"value": None, "sources": [{**source, "roles": roles, "units": {"responded": "yes_no"}}]}


def test_behaviour_does_not_count_as_a_description_of_it(stages: Stages) -> None:
    guess = stages.report.rules.without_behaviour
    assert guess is not None
    behaviour = {c for v in stages.prepared.variables for c in v.columns}
    assert all(not behaviour & set(stages.report.variable(name).columns) for name in guess.variables)
    assert not {"spend", "store_share", "recency"} & set(guess.variables)


def test_the_unassigned_take_no_part(tmp_path: Path) -> None:
    customers = make_shop(300)
    customers.loc[:14, ["orders", "discount", "visits"]] = np.random.default_rng(2).uniform(60, 200, (15, 3))
    found = take_through(customers, check_study({**SHOP, "algorithm": "dbscan", "outliers": "none"}), tmp_path)
    assert (found.evidence.labels == 0).sum() >= 10
    rules = found.report.rules
    assert {node.segment for node in rules.tree.nodes} <= set(range(1, len(found.report.segments) + 1))
    assert rules.centres is not None and rules.centres.fidelity > 0.9
