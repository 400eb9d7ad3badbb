"""From features to the matrix: invertible, with the clean core flagged and what was dropped told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.base.errors import InputError
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step, apply_steps, invert_steps, prepare
from analysis.settings.models import Study
from tests.stages import project_study, run_stages


def variable(name: str, unit: str = "number", transform: str = "auto", role: str = "feature") -> Variable:
    return Variable(name, f"The {name}", unit, role, name, (name,), "", "", "", transform, False)  # type: ignore[arg-type]


def features(columns: dict[str, Any], **units: str) -> FeatureTable:
    frame = pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()})
    return FeatureTable(frame, tuple(variable(name, units.get(name, "number")) for name in columns))


def study(**changes: Any) -> Study:
    return project_study().model_copy(update=changes)


def normal(n: int = 300, p: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, p))


def prepared(columns: dict[str, Any], **changes: Any) -> Prepared:
    return prepare(features(columns), study(**changes))


STEPS = tuple(
    Step(f"f{j}", log, 1.0, centre, scale, 0)
    for j, (log, centre, scale) in enumerate(
        [(True, 2.0, 0.7), (False, -3.0, 12.5), (False, 0.0, 1.0), (True, 0.0, 1e-3)]
    )
)


@pytest.mark.slow
@settings(deadline=None)
@given(arrays(float, (5, len(STEPS)), elements=st.floats(0, 1e6)))
def test_scaled_values_come_back_in_their_own_units(values: np.ndarray) -> None:
    frame = pd.DataFrame(values, columns=[step.name for step in STEPS])
    assert invert_steps(apply_steps(frame, STEPS), STEPS) == pytest.approx(values, rel=1e-6, abs=1e-6)


@pytest.mark.slow
def test_new_customers_are_scaled_as_the_fitted_ones_were() -> None:
    stages = run_stages()
    again = apply_steps(stages.table.frame, stages.prepared.steps)
    assert again == pytest.approx(stages.prepared.matrix, abs=1e-12)
    names = [step.name for step in stages.prepared.steps]
    back = invert_steps(stages.prepared.matrix, stages.prepared.steps)
    known = stages.table.frame[names].notna().to_numpy()
    assert back[known] == pytest.approx(stages.table.frame[names].to_numpy()[known], rel=1e-9, abs=1e-9)


def test_a_missing_value_takes_the_median_and_is_counted() -> None:
    values = normal(200, 1)[:, 0]
    values[:7] = np.nan
    found = prepared({"a": values, "b": normal(200, 1, seed=2)[:, 0]})
    assert found.steps[0].fill == pytest.approx(np.nanmedian(values))
    assert found.steps[0].imputed == 7
    assert np.isfinite(found.matrix).all()
    assert len(set(found.matrix[:7, 0])) == 1
    entry = next(line for line in found.ledger if line.touched == 7)
    assert entry.rule == "The a: no value can be computed"
    assert (entry.rows_in, entry.rows_out) == (200, 200)


@pytest.mark.parametrize(("yes", "fill"), [(50, 0.0), (51, 1.0), (49, 0.0)])
def test_a_missing_yes_or_no_takes_the_commoner_answer(yes: int, fill: float) -> None:
    answers = np.repeat([1.0, 0.0, np.nan], [yes, 100 - yes, 4])
    found = prepare(features({"said": answers, "b": normal(104, 1)[:, 0]}, said="yes_no"), study())
    assert found.steps[0].fill == fill
    assert "filled with the commoner answer" in next(line.done for line in found.ledger if line.touched == 4)


def gapped(n: int = 600) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Give three features that follow one theme, a yes or no that does too, and what was taken out of the first."""
    rng = np.random.default_rng(12)
    theme = rng.standard_normal(n)
    a, b, c = (10 + 4 * (theme + 0.4 * rng.standard_normal(n)) for _ in range(3))
    said = np.where(np.arange(n) % 11 == 0, np.nan, theme + 0.3 * rng.standard_normal(n) > 0)
    gone = np.arange(n) % 7 == 0
    return {"a": np.where(gone, np.nan, a), "b": b, "c": c, "said": said.astype(float)}, a[gone]


@pytest.mark.parametrize("how", ["knn", "iterative"])
def test_what_is_missing_is_learnt_from_the_other_features(how: str) -> None:
    columns, truth = gapped()
    gone = np.isnan(columns["a"])

    def error(found: Prepared) -> float:
        return float(np.abs(invert_steps(found.matrix, found.steps)[gone, 0] - truth).mean())

    plain, found = prepared(columns, outliers="none"), prepared(columns, outliers="none", missing=how)
    assert error(found) < 0.6 * error(plain)
    values = invert_steps(found.matrix, found.steps)
    assert np.isin(values[:, 3].round(9), (0, 1)).all()
    asked = np.isnan(columns["said"])
    assert np.mean((values[asked, 3] > 0.5) == (columns["b"][asked] > 10)) > 0.75
    known = ~np.isnan(np.column_stack(list(columns.values())))
    assert found.matrix[known] == pytest.approx(plain.matrix[known])
    assert found.steps == plain.steps, "new customers get the median"
    line = next(line for line in found.ledger if line.rule.startswith("The a"))
    assert line.touched == gone.sum()
    assert line.done.startswith("filled from the 5 nearest" if how == "knn" else "estimated from the other features")


@pytest.mark.parametrize("how", ["knn", "iterative"])
def test_what_is_learnt_from_a_sample_is_the_same_each_time(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.features.prepare.MOST_NEIGHBOURS", 80)
    first, second = (prepared(gapped()[0], missing=how) for _ in range(2))
    assert (first.matrix == second.matrix).all()


@pytest.mark.parametrize("how", ["knn", "iterative"])
def test_a_customer_with_no_value_at_all_gets_through(how: str) -> None:
    values = normal(200, 3)
    values[0] = np.nan
    found = prepared(dict(zip("abc", values.T, strict=True)), missing=how, noise="keep")
    assert np.isfinite(found.matrix).all()


def test_customers_without_a_value_may_be_left_out_of_the_fit() -> None:
    values = normal(300, 2)
    values[:30, 0] = np.nan
    found = prepared({"a": values[:, 0], "b": values[:, 1]}, missing="exclude", outliers="none")
    assert (~found.core).nonzero()[0].tolist() == list(range(30))
    assert np.isfinite(found.matrix).all()
    lines = {line.rule: line.touched for line in found.ledger}
    assert lines["Customers without a value in a feature"] == 30
    assert lines["Unusual customers"] == 0


def test_unusual_values_may_be_drawn_in_for_fitting_and_placing_alike() -> None:
    values = normal(300, 2)
    values[:5, 0], values[5, 1] = 50, -70
    columns = {"a": values[:, 0], "b": values[:, 1]}
    found = prepared(columns, outliers="winsorise")
    assert found.core.all()
    assert found.ledger[-1].touched == 6
    assert "nobody set aside" in found.ledger[-1].done
    drawn = invert_steps(found.matrix, found.steps)
    limit = np.median(values[:, 0]) + 3.5 * 1.4826 * np.median(np.abs(values[:, 0] - np.median(values[:, 0])))
    assert drawn[:5, 0] == pytest.approx(limit)
    assert drawn[5, 1] > -7
    assert drawn[6:] == pytest.approx(values[6:])
    again = apply_steps(pd.DataFrame(columns), found.steps)
    assert again == pytest.approx(found.matrix, abs=1e-12)
    assert apply_steps(pd.DataFrame({"a": [1e9], "b": [0.0]}), found.steps)[0, 0] == pytest.approx(found.matrix[0, 0])


def test_a_yes_or_no_is_not_drawn_in() -> None:
    rare = np.zeros(300)
    rare[:10] = 1
    found = prepared({"rare": rare, "b": np.linspace(-1, 1, 300)}, outliers="winsorise")
    assert found.steps[0].limits is None
    assert found.ledger[-1].touched == 0


def test_unusual_customers_are_flagged_and_kept() -> None:
    values = normal(300, 2)
    values[:5, 0] = 50.0
    found = prepared({"a": values[:, 0], "b": values[:, 1]})
    assert not found.core[:5].any()
    assert found.core.sum() >= 290
    assert found.matrix.shape == (300, 2)
    assert found.ledger[-1].touched == int((~found.core).sum())
    inner = found.matrix[found.core]
    assert inner.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert inner.std(axis=0) == pytest.approx([1, 1])


def test_where_most_customers_are_unusual_nobody_is_set_aside() -> None:
    rng = np.random.default_rng(0)
    spikes = np.where(rng.random((400, 12)) < 0.08, 60.0, rng.standard_normal((400, 12)))
    found = prepared({f"f{j}": column for j, column in enumerate(spikes.T)})
    assert found.core.all()
    assert found.ledger[-1].touched == 0
    assert "a group rather than outliers" in found.ledger[-1].why


def test_a_yes_no_feature_makes_nobody_unusual() -> None:
    rare = np.zeros(300)
    rare[:10] = 1
    found = prepared({"rare": rare, "b": np.linspace(-1, 1, 300)})
    assert found.core.all()


@pytest.mark.parametrize("how", ["standard", "minmax", "robust", "none"])
def test_each_scaling_puts_the_clean_core_where_it_says(how: str) -> None:
    raw = {"a": 5 + 3 * normal()[:, 0], "b": 100 * normal()[:, 1]}
    found = prepared(raw, scaling=how)
    core = found.matrix[found.core]
    if how == "standard":
        assert core.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
        assert core.std(axis=0) == pytest.approx([1, 1])
    elif how == "minmax":
        assert core.min(axis=0) == pytest.approx([0, 0])
        assert core.max(axis=0) == pytest.approx([1, 1])
    elif how == "robust":
        assert np.median(core, axis=0) == pytest.approx([0, 0])
        assert np.subtract(*np.percentile(core, [75, 25], axis=0)) == pytest.approx([1, 1])
    else:
        assert found.matrix == pytest.approx(np.column_stack(list(raw.values())))


def test_a_near_copy_is_left_out_with_its_reason() -> None:
    a, b = normal(300, 2).T
    found = prepared({"a": a, "copy": 2 * a + 0.01 * b, "mirror": -a, "b": b})
    assert [step.name for step in found.steps] == ["a", "b"]
    assert {d.name for d in found.dropped} == {"copy", "mirror"}
    reasons = {d.name: d.reason for d in found.dropped}
    assert reasons["copy"].startswith("moves with The a (Spearman 1.00)")
    assert reasons["mirror"].startswith("moves with The a (Spearman -1.00)")


def test_constants_are_left_out_with_their_reason() -> None:
    almost = np.zeros(300)
    almost[0] = 1
    gone = np.where(np.arange(300) < 2, [1.0, 2.0] * 150, np.nan)
    found = prepared({"one": np.full(300, 7.0), "almost": almost, "gone": gone, "b": normal()[:, 0]})
    assert [step.name for step in found.steps] == ["b"]
    assert [d.reason for d in found.dropped] == [
        "has one value for everyone",
        "has one value, or none, for more than 99% of customers",
        "has one value, or none, for more than 99% of customers",
    ]


def test_a_study_whose_features_do_not_vary_is_refused() -> None:
    with pytest.raises(InputError, match="No feature varies") as caught:
        prepared({"one": np.full(300, 7.0), "two": np.full(300, np.nan)})
    assert "The one, The two" in str(caught.value)


def test_skewed_amounts_are_taken_as_logarithms_and_shares_are_not() -> None:
    skewed = np.exp(1.2 * normal(300, 4))
    table = features(dict(zip("abcd", skewed.T, strict=True)), a="money", b="count", c="share", d="yes_no")
    assert [step.log for step in prepare(table, study()).steps] == [True, True, False, False]


def test_an_amount_with_negative_values_is_not_taken_as_its_logarithm() -> None:
    skewed = np.exp(1.2 * normal(300, 2))
    skewed[0] = -1
    table = features(dict(zip("ab", skewed.T, strict=True)), a="money", b="money")
    assert [step.log for step in prepare(table, study()).steps] == [False, False]


def test_the_settings_may_ask_for_a_logarithm_or_none() -> None:
    skewed = np.exp(1.2 * normal(300, 2))
    frame = pd.DataFrame(skewed, columns=["a", "b"])
    asked = FeatureTable(frame, (variable("a", "share", "log"), variable("b", "money", "none")))
    assert [step.log for step in prepare(asked, study()).steps] == [True, False]


def test_only_features_form_the_matrix() -> None:
    frame = pd.DataFrame(normal(300, 3), columns=["a", "d", "o"])
    roles = (variable("a"), variable("d", role="descriptor"), variable("o", role="outcome"))
    assert [step.name for step in prepare(FeatureTable(frame, roles), study()).steps] == ["a"]


def test_the_features_are_not_changed() -> None:
    table = features({"a": [1.0, np.nan, 3.0] * 50, "b": normal(150, 1)[:, 0]})
    before = table.frame.copy(deep=True)
    prepare(table, study())
    pd.testing.assert_frame_equal(table.frame, before)


@pytest.mark.parametrize("unit", ["money", "number"])
@pytest.mark.parametrize("rate", [0.01, 7.5, 1936.27])
def test_the_unit_of_currency_makes_no_difference(unit: str, rate: float) -> None:
    rng = np.random.default_rng(4)
    spent = np.where(rng.random(400) < 0.1, 0.0, rng.lognormal(3, 1.2, 400))
    others = normal(400, 2)
    made = [
        prepare(features({"spent": x, "b": others[:, 0] + spent, "c": others[:, 1]}, spent=unit), study(noise="keep"))
        for x in (spent, rate * spent)
    ]
    first, second = ([step for step in one.steps if step.log] for one in made)
    assert [step.name for step in first][:1] == [step.name for step in second][:1] == ["spent"]
    assert made[0].matrix == pytest.approx(made[1].matrix, abs=1e-9)
    assert (made[0].core == made[1].core).all()
