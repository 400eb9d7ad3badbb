"""The persona finder: its few questions are enough, as few as that needs, and do as well as it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

import analysis.assignment.questions
from analysis.assignment.model import read_model
from analysis.assignment.questions import FOUND, KEPT, Questions, find_questions
from analysis.assignment.rounding import round_rule
from analysis.features.prepare import apply_steps
from analysis.pages.rules import JSON, export_rules
from analysis.pages.text import finder
from analysis.report.model import Report
from analysis.settings.load import check_study
from tests.small_studies import SHOP, make_shop
from tests.stages import Stages, run_stages, take_through


@pytest.fixture(scope="module")
def stages() -> Stages:
    return run_stages()


def questions(stages: Stages) -> Questions:
    assert stages.report.questions is not None
    return stages.report.questions


def recomputed(stages: Stages, n_asked: int) -> np.ndarray:
    """Place each customer by the questions that the others would choose, in loops."""
    labels = stages.evidence.labels
    centres = stages.report.rules.centres
    assert centres is not None and centres.axes is None and (labels > 0).all()
    matrix = apply_steps(stages.table.frame, centres.steps)
    points = np.array(centres.centres)

    def told(rows: np.ndarray, chosen: list[int]) -> np.ndarray:
        away = [((matrix[rows][:, chosen] - point[chosen]) ** 2).sum(axis=1) for point in points]
        return np.argmin(away, axis=0) + 1

    placed = np.zeros(len(labels), dtype=int)
    folds = StratifiedKFold(5, shuffle=True, random_state=stages.study.seed)
    for learn, test in folds.split(matrix, labels):
        chosen: list[int] = []
        while len(chosen) < n_asked:
            left = [q for q in range(matrix.shape[1]) if q not in chosen]
            chosen.append(max(left, key=lambda q: (told(learn, [*chosen, q]) == labels[learn]).sum()))
        placed[test] = told(test, chosen)
    return placed


def test_the_accuracy_of_the_few_questions_is_what_a_recomputation_gives(stages: Stages) -> None:
    found, labels = questions(stages), stages.evidence.labels
    assert found.by == "centres" and found.enough
    placed = recomputed(stages, len(found.asked))
    assert found.accuracy == pytest.approx((placed == labels).mean(), abs=1e-6)
    assert found.accuracy >= KEPT * found.full and found.full == 1
    rightly = [(labels[placed == j] == j).mean() for j in range(1, len(stages.report.segments) + 1)]
    assert found.precision == pytest.approx(rightly, abs=0.0051)


def test_one_question_fewer_would_not_be_enough(stages: Stages) -> None:
    found, labels = questions(stages), stages.evidence.labels
    assert 1 < len(found.asked) < len(stages.prepared.steps)
    placed = recomputed(stages, len(found.asked) - 1)
    parts = [(placed[labels == j] == j).mean() for j in range(1, int(labels.max()) + 1)]
    assert (placed == labels).mean() < KEPT * found.full or min(parts) < FOUND


def test_where_the_centres_tell_of_single_customers_the_tree_asks(tmp_path: Path) -> None:
    study = check_study({**SHOP, "segments": 3, "scaling": "minmax", "algorithm": "kmeans"})
    report = take_through(make_shop(), study, tmp_path).report
    found = report.questions
    assert report.rules.centres is None and found is not None and found.by == "tree"
    assert found.accuracy == report.rules.tree.fidelity and found.full == 1
    assert [field.features[0] for field in finder.fields(report)] == list(found.asked)
    assert not finder.both(report)
    data = json.loads(finder.data(report))
    assert data["centres"] is None and len(data["short"]["nodes"]) == len(report.rules.tree.nodes)
    assert {node["second"] for node in data["short"]["nodes"] if "second" in node} <= {0, 1, 2, 3}


def test_questions_that_pass_over_a_segment_are_not_enough(stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_model(stages.build / "model.json")

    def found() -> Questions | None:
        rounded = round_rule(stages.table.frame, stages.prepared, stages.evidence, stages.study)
        given = (stages.table, rounded, stages.evidence, stages.report.rules, stages.study, stages.cleaned)
        return find_questions(*given, model)

    assert found() == questions(stages)
    monkeypatch.setattr(analysis.assignment.questions, "KEPT", 0.3)
    monkeypatch.setattr(analysis.assignment.questions, "FOUND", 0.75)
    careful = found()
    monkeypatch.setattr(analysis.assignment.questions, "FOUND", 0.0)
    careless = found()
    assert careful is not None and careless is not None
    assert len(careless.asked) == 1 < len(careful.asked)
    assert min(careless.precision) < min(careful.precision)


def test_the_page_has_the_published_rule_and_no_other(stages: Stages) -> None:
    data, rule = json.loads(finder.data(stages.report)), json.loads(export_rules(stages.report)[JSON])
    assert data["centres"] == rule["centres"]
    assert data["features"] == [{"name": f["name"], "missing": f["missing"]} for f in rule["features"]]
    assert [name for answer in data["answers"] for name in answer["features"] if answer["asked"]] == list(
        questions(stages).asked
    )
    assert {name for answer in data["answers"] for name in answer["features"]} == set(stages.report.rules.fills)


def test_fields_tell_what_is_usual_and_no_single_customer(stages: Stages) -> None:
    values = stages.table.frame
    for field in finder.fields(stages.report):
        (name,) = field.features
        usual = stages.report.everyone[name]
        text = stages.report.formats().plain
        assert field.hint == f"mostly {text(field.factor * usual.p10)} to {text(field.factor * usual.p90)}"
        assert field.example == f"e.g. {text(field.factor * usual.median)}"
        assert {field.low, field.high} <= {"", "0", "100"}
        ends = (text(field.factor * x) for x in (values[name].min(), values[name].max()))
        assert not {*ends} & {*field.hint.split()} or usual.p10 == values[name].min() or usual.p90 == values[name].max()


def test_a_share_is_asked_in_hundredths_and_yes_or_no_by_choice(stages: Stages) -> None:
    report = stages.report
    variables = tuple(replace(v, unit="yes_no") if v.name == "web_visits" else v for v in report.variables)
    fields = {f.features[0]: f for f in finder.fields(replace(report, variables=variables))}
    assert (fields["wine_share"].unit, fields["wine_share"].factor, fields["wine_share"].high) == ("%", 100, "100")
    assert fields["web_visits"].options == (("1", "yes"), ("0", "no"))


def coded(tmp_path: Path) -> Stages:
    shop = make_shop(300)
    shop["tier"] = np.where(shop["orders"] > 12, "Gold", "Basic")
    shop.loc[:4, "tier"] = "A tier of five"
    source = SHOP["sources"][0]
    roles = {**source["roles"], "feature": [*source["roles"]["feature"], "tier"]}
    settings = {**SHOP, "encode": "label", "near_copies": "keep", "noise": "keep", "segments": 3, "algorithm": "kmeans"}
    study = check_study({**settings, "sources": [{**source, "roles": roles}]})
    return take_through(shop, study, tmp_path)


@pytest.mark.slow
def test_text_that_became_numbers_is_chosen_by_its_words_and_rare_words_are_not_told(tmp_path: Path) -> None:
    report = coded(tmp_path).report
    assert report.questions is not None
    assert report.questions.codes == {"tier": ("", "Basic", "Gold")}
    (field,) = (f for f in finder.fields(report) if f.features == ("tier",))
    assert field.options == (("1", "Basic"), ("2", "Gold"))


def test_one_segment_leaves_nothing_to_ask(stages: Stages) -> None:
    report: Report = replace(stages.report, questions=None)
    assert finder.fields(report) == () and finder.in_short(report).startswith("There is one segment")


def test_what_is_said_follows_from_what_was_found(stages: Stages) -> None:
    found, report = questions(stages), stages.report
    n = len(stages.prepared.steps)
    assert f"; all {n} place 100." in finder.in_short(report)
    few = replace(report, questions=replace(found, enough=False))
    assert finder.in_short(few) == f"It takes all {n} answers: fewer do not keep 90 of 100 placements of the full rule."
