"""Categories that form segments: each level a column, prototypes of means and commonest levels, through to scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.base.errors import InputError
from analysis.base.run import TESTS
from analysis.clustering import resample
from analysis.clustering.algorithms import competing, kprototypes
from analysis.clustering.evidence import gather_evidence
from analysis.clustering.references import clouds
from analysis.clustering.references.clouds import Gaussian, gaussian_silhouette, permuted_stability
from analysis.clustering.resample import adjusted_rand
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import MISMATCH, Prepared, apply_steps, prepare
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.tables import read_table
from tests.stages import Stages, judge, little_work, project_study, take_through

LEVELS = np.array(["low", "middle", "high"])


def shop(n: int = 300, seed: int = 3) -> pd.DataFrame:
    """Make three groups that numbers alone cannot tell apart: two share their numbers, two their plan."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    numbers = np.array([[0.0, 0.0], [0.0, 0.0], [5.0, 5.0]])[group] + rng.standard_normal((n, 2))
    plan = np.where(rng.random(n) < 0.95, LEVELS[[0, 1, 1]][group], "high")
    colour = np.where(rng.random(n) < 0.95, LEVELS[[2, 0, 0]][group], "middle")
    shade = np.where(rng.random(n) < 0.95, LEVELS[[1, 2, 2]][group], "low")
    made = pd.DataFrame({"visits": 10 + numbers[:, 0], "orders": 10 + numbers[:, 1]})
    return made.assign(plan=plan, colour=colour, shade=shade, group=group)


def table(frame: pd.DataFrame) -> FeatureTable:
    def variable(name: str) -> Variable:
        text = not pd.api.types.is_numeric_dtype(frame[name])
        return Variable(
            name, name, "category" if text else "number", "feature", name, (name,), "", "", "", "none", text
        )

    return FeatureTable(frame, tuple(variable(name) for name in frame))


def study(**changes: Any) -> Study:
    return project_study().model_copy(update={"encode": "indicator", "noise": "keep", "outliers": "none", **changes})


def made(**changes: Any) -> Prepared:
    return prepare(table(shop().drop(columns="group")), study(**changes))


def test_a_category_has_a_column_for_each_level_after_the_numbers() -> None:
    found = made()
    assert [step.levels for step in found.steps[2:]] == [tuple(sorted(LEVELS))] * 3
    assert found.matrix.shape == (300, 2 + 9)
    assert found.blocks() == ((2, 5), (5, 8), (8, 11))
    assert [v.name for v in found.columns()] == ["visits", "orders", *["plan"] * 3, *["colour"] * 3, *["shade"] * 3]


def test_another_level_costs_what_huang_proposed() -> None:
    frame = shop().drop(columns="group")
    found = made()
    columns = found.matrix[:, :2]
    expected = ((columns[0] - columns[1]) ** 2).sum() + MISMATCH * columns.std(axis=0).mean() * (
        frame.iloc[0, 2:] != frame.iloc[1, 2:]
    ).sum()
    assert ((found.matrix[0] - found.matrix[1]) ** 2).sum() == pytest.approx(expected)


def test_a_level_that_is_missing_rare_or_new_is_as_unlike_one_as_another() -> None:
    frame = shop().drop(columns="group")
    frame.loc[0, "plan"] = None
    frame.loc[1:3, "plan"] = "never heard of"
    found = prepare(table(frame), study())
    assert "never heard of" not in found.steps[2].levels
    assert (found.matrix[:4, 2:5] == 0).all()
    assert found.steps[2].imputed == 1
    new = frame.assign(plan="not seen before")
    assert (apply_steps(new, found.steps)[:, 2:5] == 0).all()
    assert apply_steps(frame, found.steps) == pytest.approx(found.matrix)


def test_prototypes_are_means_and_commonest_levels_of_those_nearest_to_them() -> None:
    found = made()
    (fit,) = competing(found.matrix, found.blocks())["kprototypes"].fit(found.matrix, (3,), 1, 10, None)
    labels = fit.assign(found.matrix)
    for j in (1, 2, 3):
        own = found.matrix[labels == j]
        assert fit.centres[j - 1, :2] == pytest.approx(own[:, :2].mean(axis=0))
        for start, stop in found.blocks():
            block = fit.centres[j - 1, start:stop]
            assert (block > 0).sum() == 1
            assert block.argmax() == own[:, start:stop].sum(axis=0).argmax()


def test_a_prototype_that_nobody_is_nearest_to_starts_anew() -> None:
    points = np.repeat(np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]), [30, 2, 1], axis=0)
    starts = np.array([[0.0, 0.0], [1.0, 0.0], [99.0, 99.0]])
    centres, cost = kprototypes._prototypes(points, np.ones(33), starts, ())
    assert sorted(map(tuple, centres)) == [(0.0, 0.0), (0.0, 9.0), (9.0, 0.0)]
    assert cost == 0


def test_groups_that_only_categories_tell_apart_are_found_and_judged() -> None:
    found = made()
    with little_work():
        evidence = gather_evidence(
            found.matrix, found.core, study(algorithm="kprototypes", segments=3), blocks=found.blocks(), effort=TESTS
        )
    assert adjusted_rand(shop()["group"].to_numpy() + 1, evidence.labels) > 0.9
    alone = (
        competing(found.matrix, ())["kmeans"].fit(found.matrix[:, :2], (3,), 1, 10, None)[0].assign(found.matrix[:, :2])
    )
    assert adjusted_rand(shop()["group"].to_numpy() + 1, alone) < 0.7


def test_the_levels_of_a_category_are_shuffled_together(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made()
    seen: list[np.ndarray] = []
    draw = resample._draw
    monkeypatch.setattr(resample, "_draw", lambda clean, *rest: (seen.append(clean), draw(clean, *rest))[1])
    algorithm = competing(found.matrix, found.blocks())["kprototypes"]
    permuted_stability(found.matrix, found.blocks(), 0, algorithm, (3,), 1, (1, 2))
    for start, stop in found.blocks():
        assert ((seen[0][:, start:stop] > 0).sum(axis=1) == 1).all()
        assert seen[0][:, start:stop].sum(axis=0) == pytest.approx(found.matrix[:, start:stop].sum(axis=0))
        assert (seen[0][:, start:stop] != found.matrix[:, start:stop]).any()


def test_a_gaussian_cloud_has_levels_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made()
    seen: list[np.ndarray] = []
    monkeypatch.setattr(clouds, "silhouettes", lambda cloud, labels: (seen.append(cloud), [np.zeros(len(cloud))])[1])
    algorithm = competing(found.matrix, found.blocks())["kprototypes"]
    highest = found.matrix.max(axis=0)
    gaussian_silhouette(Gaussian.of(found.matrix, found.blocks()), 500, algorithm, 3, (1, 0))
    for start, stop in found.blocks():
        block = seen[0][:, start:stop]
        assert ((block > 0).sum(axis=1) == 1).all()
        assert block.max() == highest[start:stop].max()
        shares = (block > 0).mean(axis=0)
        assert shares == pytest.approx((found.matrix[:, start:stop] > 0).mean(axis=0), abs=0.2)


def test_categories_alone_form_segments() -> None:
    found = prepare(table(shop()[["plan", "colour", "shade"]]), study())
    assert found.matrix.shape == (300, 9)
    (fit,) = competing(found.matrix, found.blocks())["kprototypes"].fit(found.matrix, (2,), 1, 5, None)
    assert adjusted_rand((shop()["group"].to_numpy() > 0) + 1, fit.assign(found.matrix)) > 0.8


def test_prototypes_are_refused_where_no_category_forms_segments() -> None:
    with pytest.raises(InputError, match="set encode: indicator"):
        check_study({"title": "x", "sources": [{"path": "x.csv"}], "algorithm": "kprototypes"})
    with pytest.raises(InputError, match="kprototypes needs a categorical feature, and there is none"):
        judge(np.random.default_rng(1).standard_normal((200, 2)), study(algorithm="kprototypes"))


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    settings = {
        "title": "Customers of the shop",
        "min_customers": 20,
        "encode": "indicator",
        "algorithm": "kprototypes",
        "noise": "keep",
        "sources": [
            {"path": "data/shop.tsv", "roles": {"feature": ["visits", "orders", "plan", "colour", "shade"]}},
        ],
    }
    frame = shop().drop(columns="group")
    frame.loc[:19, "plan"] = None
    return take_through(frame, check_study(settings), tmp_path_factory.mktemp("shop"))


def test_a_study_with_categories_gets_through_and_scores_its_own_customers_the_same(stages: Stages) -> None:
    scored = score([stages.raw], read_model(stages.build / "model.json"))
    assert scored["segment"].tolist() == stages.evidence.labels.tolist()
    assert stages.report.decision.algorithm == "kprototypes"
    lines = [line for line in stages.prepared.ledger if line.done.startswith("as unlike one segment")]
    assert [line.touched for line in lines] == [20]
    told = {c.variable for c in stages.profiles.categories}
    assert "plan" in told


def test_a_customer_of_a_new_level_is_scored(stages: Stages, tmp_path: Path) -> None:
    new = shop(30, seed=9).drop(columns="group").assign(plan="unheard of")
    new.to_csv(tmp_path / "new.csv", index=False)
    scored = score([read_table(tmp_path / "new.csv", root=tmp_path)], read_model(stages.build / "model.json"))
    assert scored["segment"].between(1, len(stages.report.segments)).all()


def test_rules_ask_for_levels_of_categories_and_agree_with_the_score(stages: Stages) -> None:
    rules = stages.report.rules
    assert (
        "plan = high" in rules.fills
        and rules.sql["plan = high"] == "CASE WHEN c.\"plan\" IN ('high') THEN 1 ELSE 0 END"
    )
    assert rules.centres is not None and rules.centres.exact and rules.centres.fidelity == 1
    assert stages.report.variable("plan = high").label == "plan: high"
