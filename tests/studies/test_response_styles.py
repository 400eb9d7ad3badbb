"""A survey with straight-liners and yea-sayers: reported, and taken out of the answers where settings ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.base.errors import InputError
from analysis.pages.rules import CENTRES_SQL, export_rules
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.tables import read_table
from tests.pages.test_rules import by_sql
from tests.stages import Stages, take_through

ITEMS = [f"item{j}" for j in range(1, 7)]
LINED, YEAS = 30, 60


def answers(n: int = 420) -> pd.DataFrame:
    """Make three groups of opinions on six items from 1 to 7, each respondent with a level of agreement of its own."""
    rng = np.random.default_rng(8)
    group = np.arange(n) % 3
    opinion = 1.6 * np.array([[1, 1, 0, 0, -1, -1], [-1, -1, 1, 1, 0, 0], [0, 0, -1, -1, 1, 1]])[group]
    level = rng.normal(scale=0.8, size=(n, 1)) + 2 * (np.arange(n) % 7 == 0)[:, None]
    given = np.clip(np.round(4 + opinion + level + rng.normal(scale=0.5, size=(n, 6))), 1, 7)
    given[:LINED] = rng.integers(2, 7, (LINED, 1))
    given[LINED : LINED + YEAS] = rng.integers(6, 8, (YEAS, 6))
    given[-5:, 2] = np.nan
    made = pd.DataFrame(given, columns=ITEMS)
    return made.assign(person=[f"P{i:04d}" for i in range(n)], group=group, age=rng.integers(18, 80, n))


def study(style: str, **changes: Any) -> Study:
    source = {"path": "data/answers.csv", "kind": "survey", "key": "person", "response_style": style}
    source["roles"] = {"feature": ITEMS, "descriptor": ["age"], "ignore": ["group"]}
    settings = {"title": "Opinions", "customers": "respondents", "algorithm": "kmeans", "segments": 3, "noise": "keep"}
    return check_study({**settings, "min_customers": 20, "outliers": "none", "sources": [source], **changes})


@pytest.fixture(scope="module")
def centred(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return take_through(answers(), study("centre"), tmp_path_factory.mktemp("centred"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return take_through(answers(), study("keep"), tmp_path_factory.mktemp("kept"))


def found_by(stages: Stages) -> float:
    """Return the share of careful respondents who are in the segment that most of their group are in."""
    labels = pd.Series(stages.evidence.labels)[LINED + YEAS :]
    table = pd.crosstab(labels, stages.cleaned.frame["group"][LINED + YEAS :])
    return float(table.max(axis=0).sum() / len(labels))


def test_styles_are_in_the_cleaning_log_and_are_findings(kept: Stages, centred: Stages) -> None:
    for stages, done in ((kept, "reported, kept"), (centred, "set aside while segments are formed")):
        lines = {line.rule: line for line in stages.report.ledger}
        assert lines["Straight-lining"].done.startswith(done)
        assert lines["Straight-lining"].touched == pytest.approx(LINED, abs=6)
        assert lines["Yea-saying"].touched >= YEAS - 5
        assert {"straight-lining", "yea-saying"} <= {finding.rule for finding in stages.report.findings}
    why = next(f.done for f in kept.report.findings if f.rule == "yea-saying")
    assert "response_style: centre" in why


def test_answers_are_less_the_average_of_those_that_were_given(centred: Stages) -> None:
    raw = centred.cleaned.frame[ITEMS]
    expected = raw.sub(raw.mean(axis=1), axis=0)
    assert np.allclose(centred.table.frame[ITEMS], expected, equal_nan=True)
    variable = next(v for v in centred.table.variables if v.name == "item1")
    assert variable.label == "item1 (against own average)" and variable.is_centred
    assert set(variable.columns) == set(ITEMS)


def test_straight_liners_form_no_segment_and_have_one(centred: Stages, kept: Stages) -> None:
    lined = centred.cleaned.frame[ITEMS].nunique(axis=1) == 1
    assert lined.sum() >= LINED
    assert not centred.evidence.core[lined].any() and centred.evidence.core[~lined].all()
    assert (centred.evidence.labels[lined] > 0).all()
    assert kept.evidence.core.all()


def test_centring_finds_opinions_where_levels_hide_them(centred: Stages, kept: Stages) -> None:
    assert found_by(centred) > 0.97
    assert found_by(centred) > found_by(kept) + 0.05


def test_new_respondents_are_centred_by_score_and_by_sql(centred: Stages, tmp_path: Path) -> None:
    new = answers().sample(frac=1, random_state=3).drop(columns=["group", "age"])
    new.loc[new.index[:20], "item4"] = np.nan
    new.to_csv(tmp_path / "new.csv", index=False)
    scored = score([read_table(tmp_path / "new.csv", root=tmp_path)], read_model(centred.build / "model.json"))
    sql = by_sql(export_rules(centred.report)[CENTRES_SQL], new)
    assert scored["segment"].tolist() == sql
    first = dict(zip(centred.cleaned.keys, centred.evidence.labels, strict=True))
    known = new.index[20:]
    again = scored.set_index("key")["segment"]
    assert all(first[key] == again[key] for key in new.loc[known, "person"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "customers"}, "response_style: centre needs kind: survey, not customers"),
        ({"response_style": "center"}, "centre"),
    ],
)
def test_a_style_that_cannot_be_is_refused(change: dict[str, str], message: str) -> None:
    source = {"path": "a.csv", "kind": "survey", "response_style": "centre", "roles": {"feature": ITEMS}}
    with pytest.raises(InputError) as caught:
        check_study({"title": "Opinions", "sources": [{**source, **change}]})
    assert message in str(caught.value)


def test_a_survey_that_joins_customers_cannot_be_centred() -> None:
    survey = {"path": "a.csv", "kind": "survey", "key": "id", "response_style": "centre", "roles": {"feature": ITEMS}}
    with pytest.raises(InputError) as caught:
        check_study({"title": "Opinions", "sources": [{"path": "c.csv", "key": "id"}, survey]})
    assert "sources[1].response_style: centre needs a survey that other sources are joined to" in str(caught.value)


def test_categories_cannot_be_centred(tmp_path: Path) -> None:
    coded = study("centre", encode="indicator")
    coded = coded.model_copy(
        update={"sources": (coded.sources[0].model_copy(update={"units": {"item1": "category"}}),)}
    )
    with pytest.raises(InputError) as caught:
        take_through(answers(), coded, tmp_path)
    assert "response_style: column 'item1' is a category" in str(caught.value)
