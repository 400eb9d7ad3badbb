"""Studies with survey weights: whole weights are rows, equal ones are none, and bad ones are refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.base.weights import effective_size
from analysis.clustering.resample import adjusted_rand
from analysis.report.model import from_json, to_json
from analysis.settings.load import check_study
from analysis.settings.models import Study
from tests.stages import Stages, take_through

GROUPS = np.array([[2.0, 8.0, 3.0], [9.0, 2.0, 6.0], [5.0, 5.0, 12.0]])
LEFT_OUT = 5
"""Rows without a positive weight."""


def respondents(n: int = 420, seed: int = 3) -> pd.DataFrame:
    """Make respondents of three groups that stand apart; the rarer the group, the larger the weights."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame(
        (GROUPS[group] + 0.7 * rng.standard_normal((n, 3))).round(2), columns=["calls", "mails", "visits"]
    )
    return frame.assign(
        person=np.arange(1, n + 1),
        spend=(40 + 30 * group + rng.gamma(2, 10, n)).round(2),
        region=np.where(rng.random(n) < 0.3 + 0.2 * group, "North", "South"),
        bought=(rng.random(n) < 0.2 + 0.2 * group).astype(int),
        weight=np.array([1, 2, 4])[group],
    )


def settings(weight: str | None, **more: Any) -> Study:
    roles = {"feature": ["calls", "mails", "visits"], "descriptor": ["spend", "region"], "outcome": ["bought"]}
    source = {"path": "people.tsv", "key": "person", "roles": roles, "units": {"bought": "yes_no"}}
    source |= {"weight": weight} if weight else {}
    fixed = {"title": "People", "value": "spend", "segments": 3, "algorithm": "kmeans", "disclosure": "internal"}
    return check_study({**fixed, "sources": [source], **more})


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return take_through(respondents(), settings("weight"), tmp_path_factory.mktemp("weighted"))


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    people = respondents()
    rows = people.loc[people.index.repeat(people["weight"])].drop(columns="weight")
    rows = rows.assign(person=np.arange(1, len(rows) + 1))
    return take_through(rows, settings(None), tmp_path_factory.mktemp("repeated"))


def test_whole_weights_form_the_segments_of_as_many_rows(weighted: Stages, repeated: Stages) -> None:
    own = np.repeat(weighted.analysis.evidence.labels, respondents()["weight"])
    assert adjusted_rand(own, repeated.analysis.evidence.labels) == 1.0
    assert own.tolist() == repeated.analysis.evidence.labels.tolist()


def test_the_report_states_the_shares_and_averages_of_the_population(weighted: Stages, repeated: Stages) -> None:
    here, there = weighted.report, repeated.report
    assert here.study.n_customers == 420 and there.study.n_customers == respondents()["weight"].sum()
    assert here.value_total == pytest.approx(there.value_total)
    for own, other in zip(here.segments, there.segments, strict=True):
        assert (own.share, own.value_share, own.value_total) == pytest.approx(
            (other.share, other.value_share, other.value_total), rel=1e-4
        )
        for a, b in zip(own.differences, other.differences, strict=True):
            assert a.variable == b.variable
            assert (a.summary.mean, a.summary.median) == pytest.approx((b.summary.mean, b.summary.median), rel=1e-4)
    for a, b in zip(here.categories, there.categories, strict=True):
        assert a.levels == b.levels
        assert [x for row in a.segments for x in row] == pytest.approx([x for row in b.segments for x in row], abs=1e-4)
    for target, other in zip(here.proof.outcomes, there.proof.outcomes, strict=True):
        assert target.n == 420 and target.label == other.label
        assert target.scores[0].score.value == pytest.approx(other.scores[0].score.value, abs=0.03)


def test_the_report_says_what_its_figures_rest_on(weighted: Stages) -> None:
    weighting, weights = weighted.report.weighting, respondents()["weight"].to_numpy(float)
    assert weighting is not None and weighting.column == "weight"
    assert weighting.n_effective == round(effective_size(weights))
    labels = weighted.analysis.evidence.labels
    assert weighting.segments == tuple(round(effective_size(weights[labels == j])) for j in (1, 2, 3))
    assert [s.n for s in weighted.report.segments] == [int((labels == j).sum()) for j in (1, 2, 3)]
    assert "stand for the population" in weighted.report.weight_note()
    assert "of the population" in weighted.report.verdict.headline
    assert {c.name: c.role for c in weighted.report.data.columns}["weight"] == "weight"
    assert "weight" not in {v.name for v in weighted.report.variables}
    assert from_json(to_json(weighted.report)) == weighted.report


def test_without_weights_nothing_is_said_of_them(repeated: Stages) -> None:
    assert repeated.report.weighting is None and not repeated.report.weight_note() and not repeated.report.rows_note()
    assert "weighting" not in json.loads(to_json(repeated.report))


@pytest.mark.parametrize("equal", [1, 0.37])
def test_equal_weights_change_no_number(equal: float, tmp_path: Path) -> None:
    people = respondents(200).assign(weight=equal)
    own = take_through(people, settings("weight"), tmp_path / "equal").report
    other = take_through(people.drop(columns="weight"), settings(None), tmp_path / "none").report
    same = ("segments", "everyone", "categories", "contrasts", "evidence", "value_total", "proof", "map", "spread")
    for part in same:
        assert getattr(own, part) == getattr(other, part), part
    assert own.weighting is None
    assert any(line.rule == "weight: survey weights" and line.done == "not needed" for line in own.ledger)


def test_rows_without_a_positive_weight_are_left_out_and_counted(tmp_path: Path) -> None:
    people = respondents(200).astype({"weight": float})
    people.loc[: LEFT_OUT - 1, "weight"] = [0.0, 0.0, np.nan, np.nan, 0.0]
    found = take_through(people, settings("weight"), tmp_path)
    assert found.report.study.n_customers == 200 - LEFT_OUT
    (line,) = (line for line in found.report.ledger if line.rule == "weight: survey weight of zero, or none")
    assert asdict(line) | {"why": ""} == {
        "rule": line.rule,
        "why": "",
        "rows_in": 200,
        "touched": LEFT_OUT,
        "rows_out": 200 - LEFT_OUT,
        "done": "left out",
    }


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (lambda w: w - 2.5, "negative values"),
        (lambda w: w * 0, "no positive value"),
        (lambda w: ["heavy"] * len(w), "holds no numbers"),
        (lambda w: w.where(w.index != 0, 10_000), "one row has half of all weights"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weights: Any, message: str, tmp_path: Path) -> None:
    people = respondents(120)
    people = people.assign(weight=weights(people["weight"]))
    with pytest.raises(InputError, match=rf"sources\[0\]\.weight: .*{message}"):
        take_through(people, settings("weight"), tmp_path)


def test_a_weight_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sources\[0\]\.weight: column 'wieght' is not in"):
        take_through(respondents(120), settings("wieght"), tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "transactions"}, "several rows for a customer"),
        ({"roles": {"feature": ["weight"]}}, "is also the feature"),
        ({"key": "weight"}, "is also the key"),
    ],
)
def test_a_weight_has_no_other_use(source: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_study({"title": "People", "sources": [{"path": "people.csv", "weight": "weight", **source}]})


def test_weights_need_a_study_of_one_table() -> None:
    sources = [{"path": "people.csv", "weight": "weight"}, {"path": "orders.csv", "kind": "transactions"}]
    with pytest.raises(InputError, match="a weight needs a study of one table"):
        check_study({"title": "People", "sources": sources})
