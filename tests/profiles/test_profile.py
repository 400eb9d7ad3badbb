"""Profiles: plain medians and shares, intervals that hold them, and no published cell that is too small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.disclosure import COUNT_STEP, OVER, SHARE_STEP, UNDER, Disclosure
from analysis.customers.lifetime_value import BackTest, LifetimeValue
from analysis.customers.purchase_models import BetaGeometricModel, SpendModel
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step, prepare, standard_steps
from analysis.profiles.contrasts import count_levels
from analysis.profiles.profile import (
    MARKER_SD,
    Difference,
    Profiles,
    Summary,
    _category,
    profile_segments,
)
from analysis.profiles.segment_map import MAP_BINS
from analysis.profiles.value import expect_spend, measure_concentration
from analysis.settings.models import Study
from tests.refits import as_they_are, same_segments
from tests.stages import project_study, run_stages

MIN_CELL = 10
STUDY = Study.model_construct(value=None, min_cell=MIN_CELL, seed=1, sources=(), disclosure="internal")
EXACT = Disclosure(MIN_CELL, public=False)


def variable(name: str, unit: str = "number", role: str = "feature") -> Variable:
    return Variable(name, name.title(), unit, role, name, (name,), "", "", "", "auto", unit == "category")  # type: ignore[arg-type]


def profile(frame: pd.DataFrame, labels: np.ndarray, value: str | None = None, **units: str) -> Profiles:
    variables = tuple(variable(name, units.get(name, "number")) for name in frame)
    forming = tuple(v for v in variables if not v.categorical)[:2]
    matrix = frame[[v.name for v in forming]].fillna(0).to_numpy(float)
    study = STUDY.model_copy(update={"value": value, "transform": "none"})
    table = FeatureTable(frame, variables)
    return profile_segments(table, labels, matrix, as_they_are(table, forming), study, same_segments(labels))


@pytest.fixture(scope="module")
def groups() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 2, 3, 0], [90, 60, 40, 10]).astype(np.int16)
    frame = pd.DataFrame(
        {"a": 5.0 * labels + rng.standard_normal(200), "b": rng.random(200), "spend": 10.0 * rng.random(200)}
    )
    frame.loc[::9, "b"] = np.nan
    return frame, labels


def test_medians_and_bands_are_those_of_pandas(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = groups
    found = profile(frame, labels)
    for name in frame:
        every = frame[name].dropna()
        assert found.everyone[name].median == pytest.approx(every.median())
        for segment in found.segments:
            own = frame.loc[labels == segment.id, name].dropna()
            difference = next(d for d in segment.differences if d.variable == name)
            assert difference.summary.n == len(own)
            assert difference.summary.mean == pytest.approx(own.mean())
            assert difference.summary.median == pytest.approx(own.median())
            assert difference.summary.p10 == pytest.approx(own.quantile(0.1))
            assert difference.summary.p90 == pytest.approx(own.quantile(0.9))
            assert difference.z == pytest.approx((own.mean() - every.mean()) / every.std(ddof=0))
            assert difference.ratio == pytest.approx(own.mean() / every.mean())
            assert difference.z_low <= difference.z <= difference.z_high
            assert difference.marker == (abs(difference.z) >= MARKER_SD)
            assert difference.direction == np.sign(difference.z)


def skewed(seed: int = 5) -> tuple[pd.DataFrame, np.ndarray]:
    """Make two groups that differ by a factor on an amount, of which one customer is extreme."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 2], [300, 200]).astype(np.int16)
    frame = pd.DataFrame(
        {
            "amount": rng.lognormal(np.where(labels == 1, 2.5, 4.0), 0.7),
            "even": rng.normal(size=500) + labels,
            "balance": rng.normal(size=500),
            "income": rng.lognormal(np.where(labels == 1, 2.5, 4.0), 0.7),
        }
    )
    frame.loc[0, ["balance", "income"]] = 1e6
    return frame, labels


def prepared_as_studies_are(frame: pd.DataFrame, **units: str) -> tuple[FeatureTable, Prepared, Study]:
    """Prepare the amount and the even number as the features of a study; the others describe."""
    forming = ("amount", "even")
    table = FeatureTable(
        frame,
        tuple(
            variable(name, units.get(name, "money"), "feature" if name in forming else "descriptor") for name in frame
        ),
    )
    study = project_study().model_copy(update={"value": None, "disclosure": "internal", "noise": "keep"})
    return table, prepare(table, study), study


def differences(frame: pd.DataFrame, labels: np.ndarray, **units: str) -> dict[str, Difference]:
    """Give the differences of the first segment."""
    table, prepared, study = prepared_as_studies_are(frame, **units)
    found = profile_segments(table, labels, prepared.matrix, prepared, study, same_segments(labels))
    return {d.variable: d for d in found.segments[0].differences}


def test_differences_are_those_of_the_columns_that_form_segments() -> None:
    frame, labels = skewed()
    prepared = prepared_as_studies_are(frame)[1]
    found = differences(frame, labels)
    for step, column in zip(prepared.steps, prepared.matrix.T, strict=True):
        assert found[step.name].z == pytest.approx(column[labels == 1].mean() - column.mean())
    assert prepared.steps[0].log and found["amount"].marker
    assert found["amount"].summary.mean == pytest.approx(frame["amount"][labels == 1].mean())


@pytest.mark.parametrize("changes", [{"scaling": "minmax"}, {"scaling": "robust"}, {"near_copies": "weigh"}])
def test_differences_do_not_depend_on_how_features_are_scaled_or_weighed(changes: dict[str, str]) -> None:
    frame, _ = skewed()
    frame["copy"] = frame["amount"] ** 1.1
    table = FeatureTable(frame, tuple(variable(name, "money") for name in frame))
    study = project_study().model_copy(update={"value": None, "noise": "keep", "near_copies": "keep"})
    plain, other = (prepare(table, each) for each in (study, study.model_copy(update=changes)))
    names = ["amount", "even", "copy", "balance"]
    first, second = (standard_steps(table, names, each, study) for each in (plain, other))
    for one, two in zip(first, second, strict=True):
        assert (one.centre, one.scale) == pytest.approx((two.centre, two.scale))


@pytest.mark.parametrize("name", ["balance", "income"])
def test_one_extreme_customer_does_not_make_a_difference(name: str) -> None:
    frame, labels = skewed()
    usual = frame.assign(**{name: frame[name].where(frame.index > 0, frame[name].median())})
    found, expected = differences(frame, labels)[name], differences(usual, labels)[name]
    assert found.z == pytest.approx(expected.z, abs=0.03)
    assert found.marker == expected.marker == (name == "income")


def test_where_scale_and_original_units_disagree_there_is_no_direction() -> None:
    frame, labels = skewed()
    found = differences(frame, labels)["income"]
    assert found.z < -MARKER_SD and found.ratio > 1 and found.direction == 0
    usual = differences(frame.assign(income=frame["income"].clip(upper=500)), labels)["income"]
    assert usual.direction == -1 and usual.ratio < 1


def test_missing_values_take_no_part_in_differences() -> None:
    frame, labels = skewed()
    gaps = frame.assign(even=frame["even"].where(np.arange(500) % 3 > 0))
    some = differences(gaps, labels)["even"]
    known, core = gaps["even"].dropna(), gaps["even"][prepared_as_studies_are(gaps)[1].core]
    assert some.z == pytest.approx((known[labels[known.index] == 1].mean() - known.mean()) / core.std(ddof=0))


def test_customers_of_categories_alone_have_no_differences() -> None:
    labels = np.repeat([1, 2], 60).astype(np.int16)
    table = FeatureTable(pd.DataFrame({"town": ["A", "B"] * 60}), (variable("town", "category"),))
    matrix = (table.frame == "A").to_numpy(float)
    steps = (Step("town", False, 0.0, 0.0, 1.0, 0, levels=("A",)),)
    prepared = Prepared(matrix, np.ones(120, dtype=bool), steps, table.variables, (), (), None, ())
    found = profile_segments(
        table, labels, matrix, prepared, project_study().model_copy(update={"value": None}), same_segments(labels, 20)
    )
    assert [segment.differences for segment in found.segments] == [(), ()]
    assert found.categories[0].levels == ("A", "B")


@pytest.mark.slow
def test_the_twins_numbers_are_those_of_pandas() -> None:
    stages = run_stages()
    labels, frame = stages.evidence.labels, stages.table.frame
    for segment in stages.report.segments:
        inside = frame[labels == segment.id]
        for d in segment.differences:
            values = inside[d.variable].dropna().sort_values().to_numpy()
            low, high = values[len(values) // 2 - 4], values[len(values) // 2 + 4]
            assert low - 0.5 <= d.summary.median <= high + 0.5
        assert abs(segment.n - len(inside)) <= COUNT_STEP / 2
        share = inside["spend"].sum() / frame["spend"].sum()
        assert segment.value_share == pytest.approx(share, abs=SHARE_STEP / 2 + 1e-9)


def test_shares_and_sizes_add_up_with_those_that_are_unassigned(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = groups
    found = profile(frame, labels, "spend")
    assert [s.n for s in found.segments] == [90, 60, 40]
    assert found.unassigned == 10
    assert sum(s.share for s in found.segments) + found.unassigned / 200 == pytest.approx(1)
    loose = frame.loc[labels == 0, "spend"].sum()
    assert sum(s.value_total or 0 for s in found.segments) + loose == pytest.approx(frame["spend"].sum())
    assert found.value_total == pytest.approx(frame["spend"].sum())
    assert sum(s.value_share or 0 for s in found.segments) + loose / frame["spend"].sum() == pytest.approx(1)


def test_without_a_value_nobody_has_one(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    found = profile(*groups)
    assert found.value_total is None
    assert {s.value_share for s in found.segments} == {None}


def test_a_marker_that_every_resample_shows_is_certain(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    first = profile(*groups).segments[0]
    by_name = {d.variable: d for d in first.differences}
    assert by_name["a"].marker and by_name["a"].certainty == 100
    assert not by_name["b"].marker and by_name["b"].certainty < 50


def test_intervals_are_as_wide_as_the_standard_error_says() -> None:
    rng = np.random.default_rng(8)
    labels = np.repeat([1, 2], [400, 300]).astype(np.int16)
    frame = pd.DataFrame({f"v{i}": rng.standard_normal(700) for i in range(40)})
    ratios = []
    for segment in profile(frame, labels).segments:
        for d in segment.differences:
            values, inside = frame[d.variable], labels == segment.id
            # Everyone's mean holds the segment's own.
            errors = [values[rows].var(ddof=0) / rows.sum() for rows in (inside, ~inside)]
            error = (~inside).mean() * np.sqrt(sum(errors)) / values.std(ddof=0)
            ratios.append((d.z_high - d.z_low) / (2 * 1.96 * error))
    # Two hundred refits give the width of an interval to about 7%.
    assert np.mean(ratios) == pytest.approx(1, abs=0.06) and np.std(ratios) < 0.1


def yes_no(per_segment: list[int], size: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    labels = np.repeat(np.arange(1, len(per_segment) + 1), size).astype(np.int16)
    answers = np.concatenate([[1.0] * n + [0.0] * (size - n) for n in per_segment])
    noise = np.random.default_rng(0).random((len(labels), 2))
    return pd.DataFrame({"a": noise[:, 0] + labels, "b": noise[:, 1], "yes": answers}), labels


@pytest.mark.parametrize(
    ("answers", "published"),
    [
        ([10, 30], True),
        ([9, 30], False),
        ([51, 30], False),
        ([50, 30], True),
        ([1, 30], False),
        ([0, 30], True),
        ([60, 30], True),
    ],
)
def test_a_yes_no_variable_with_a_small_cell_is_hidden(answers: list[int], published: bool) -> None:
    found = profile(*yes_no(answers), yes="yes_no")
    assert ("yes" in found.everyone) == published
    assert found.hidden == (() if published else ("yes",))
    assert all(any(d.variable == "yes" for d in s.differences) == published for s in found.segments)


CELLS = st.lists(st.lists(st.integers(0, 40), min_size=2, max_size=3), min_size=2, max_size=6)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(CELLS, st.integers(2, 12))
def test_no_published_share_of_a_category_stands_for_a_few(cells: list[list[int]], min_cell: int) -> None:
    k = min(map(len, cells))
    labels = np.concatenate([np.repeat(j + 1, row[j]) for row in cells for j in range(k)] + [np.arange(1, k + 1)])
    levels = np.concatenate(
        [np.repeat(f"level {i}", row[j]) for i, row in enumerate(cells) for j in range(k)] + [["level 0"] * k]
    )
    counted = count_levels(pd.Series(levels.astype(object)), labels.astype(np.int16), min_cell)
    if counted is None:
        return
    found = _category("c", counted, EXACT, False)
    assert len(set(found.levels)) == len(found.levels) >= 2
    sizes = np.bincount(labels, minlength=k + 1)[1:]
    for shares, size in zip(found.segments, sizes, strict=True):
        assert sum(shares) == pytest.approx(1)
        counts = np.array(shares) * size
        assert not ((counts > 0.5) & (counts < min_cell - 0.5)).any()
    assert sum(found.everyone) == pytest.approx(1)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=4), st.integers(0, 59))
def test_no_published_yes_no_share_stands_for_a_few(answers: list[int], n_missing: int) -> None:
    frame, labels = yes_no(answers)
    frame.loc[frame.index[: n_missing // 2], "yes"] = np.nan
    if bool(frame["yes"].groupby(labels).count().eq(0).any()):
        return
    found = profile(frame, labels, yes="yes_no")
    for segment in found.segments:
        for d in segment.differences:
            if d.variable == "yes":
                yes = round(d.summary.mean * d.summary.n)
                assert yes == 0 or yes >= MIN_CELL
                assert d.summary.n - yes == 0 or d.summary.n - yes >= MIN_CELL


def test_missing_categories_are_a_level_of_their_own() -> None:
    labels = np.repeat([1, 2], 100).astype(np.int16)
    values = pd.Series((["x"] * 60 + [None] * 40) * 2, dtype=object)
    counted = count_levels(values, labels, MIN_CELL)
    assert counted is not None
    found = _category("c", counted, EXACT, False)
    assert set(found.levels) == {"x", "Unknown"}
    assert dict(zip(found.levels, found.everyone, strict=True)) == pytest.approx({"x": 0.6, "Unknown": 0.4})


def test_category_shares_are_those_of_a_cross_table() -> None:
    stages = run_stages()
    found = next(c for c in stages.profiles.categories if c.variable == "Education")
    text = stages.table.frame["Education"]
    of = {part: level for level in found.levels for part in level.split(" or ")}
    kept = text.map(of).fillna("Other")
    table = pd.crosstab(kept, stages.evidence.labels, normalize="columns")
    for segment, shares in enumerate(found.segments, 1):
        assert dict(zip(found.levels, shares, strict=True)) == pytest.approx(table[segment].to_dict(), abs=0.0051)


def test_no_bin_of_the_map_holds_fewer_than_the_least(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    for found in (profile(*groups).map, run_stages().profiles.map):
        assert all(cell.n >= MIN_CELL for cell in found.bins)
        assert len(found.bins) <= (MAP_BINS + 1) ** 2
        assert len(found.centres) == len(found.outlines) == 3 or len(found.centres) == run_stages().evidence.decision.k
    assert run_stages().profiles.map.bins


def test_the_map_shows_the_first_two_principal_components() -> None:
    stages = run_stages()
    matrix = stages.prepared.matrix - stages.prepared.matrix.mean(axis=0)
    values = np.sort(np.linalg.eigvalsh(np.cov(matrix.T)))[::-1]
    assert stages.profiles.map.explained == pytest.approx(tuple(values[:2] / values.sum()))
    centre = np.mean(
        [s.share * np.array(c) for s, c in zip(stages.profiles.segments, stages.profiles.map.centres, strict=True)],
        axis=0,
    )
    assert centre == pytest.approx([0, 0], abs=0.1) or stages.profiles.unassigned


def test_the_same_seed_gives_the_same_intervals(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    assert profile(*groups) == profile(*groups)


def lifetime(n: int) -> LifetimeValue:
    """Give a value to ``n`` customers whose models are known by half a per cent."""
    rng = np.random.default_rng(4)
    clv = rng.uniform(10, 90, n)
    frame = pd.DataFrame({"alive": 0.5, "purchase_value": 20.0, "clv": clv}, index=[str(i) for i in range(n)])
    buying = BetaGeometricModel(1.0, 10.0, 0.5, 2.0, -1.0, np.eye(4) * 2.5e-5, n)
    spending = SpendModel(6.0, 4.0, 15.0, -1.0, np.eye(3) * 2.5e-5, n // 2)
    return LifetimeValue(frame, buying, spending, 52.0, 0.1, 1.0, 0.9, np.outer(clv, np.ones(7)))


def test_expected_spend_of_the_segments_adds_up_to_everyones() -> None:
    keys, labels = pd.Series([str(i) for i in range(60)]), np.repeat([1, 2, 0], [30, 20, 10])
    found = expect_spend(lifetime(50), keys, labels, EXACT)
    assert found is not None
    first, second = found.segments
    assert 30 * first.value + 20 * second.value == pytest.approx(found.total.value) == 60 * found.everyone.value
    for estimate in (found.total, found.everyone, first, second):
        assert estimate.low < estimate.value < estimate.high < 1.05 * estimate.value
    assert dict(found.parameters)["alpha"] == 10.0 and (found.n_customers, found.n_repeaters) == (50, 25)


def test_expected_spend_is_not_told_where_a_segment_has_few_buyers() -> None:
    keys, labels = pd.Series([str(i) for i in range(60)]), np.repeat([1, 2], [55, 5])
    assert expect_spend(lifetime(58), keys, labels, EXACT) is None
    assert expect_spend(lifetime(55), keys, labels, EXACT) is not None


def test_residuals_and_lifts_are_those_of_the_table_of_counts() -> None:
    stages = run_stages()
    found = next(c for c in stages.profiles.categories if c.variable == "Education")
    text = stages.table.frame["Education"]
    of = {part: level for level in found.levels for part in level.split(" or ")}
    counts = pd.crosstab(stages.evidence.labels, text.map(of).fillna("Other"))[list(found.levels)]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.to_numpy().sum()
    exact = ((counts - expected) / np.sqrt(expected)).to_numpy()
    assert np.abs(np.array(found.residuals) - exact).max() < 1
    assert np.array(found.lifts) == pytest.approx(np.array(found.segments) / np.array(found.everyone))


def test_answers_of_descriptors_are_drawn_and_those_of_outcomes_are_not() -> None:
    told = {c.variable for c in run_stages().profiles.categories}
    assert "partner" in told and not {"Response", "any_campaign"} & told


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1000), min_size=5, max_size=400), st.integers(2, 12))
def test_no_point_of_the_curve_stands_for_a_few(worth: list[float], min_cell: int) -> None:
    labels = (np.arange(len(worth)) % 2 + 1).astype(np.int16)
    found = measure_concentration(np.array(worth), labels, Disclosure(min_cell, public=False))
    if found is None:
        assert sum(worth) <= 0 or len(worth) < 2 * min_cell
        return
    people = [round(x * len(worth)) for x, _ in found.curve]
    assert len(people) <= 20 and people[-1] == len(worth)
    assert people[0] >= max(min_cell, 0.01 * len(worth))
    assert min(np.diff(people), default=min_cell) >= min_cell
    ranked = sorted(worth, reverse=True)
    assert [y for _, y in found.curve] == pytest.approx([sum(ranked[:n]) / sum(worth) for n in people])


def test_segments_add_up_along_the_curve_and_never_lie_above_it() -> None:
    found = run_stages().profiles.concentration
    assert found is not None
    assert found.segments[-1][1:] == pytest.approx((1, 1))
    across, up = zip(*found.curve, strict=True)
    assert all(y <= np.interp(x, (0, *across), (0, *up)) + 0.01 for _, x, y in found.segments)


def in_public(frame: pd.DataFrame, labels: np.ndarray, value: str | None = None, **units: str) -> Profiles:
    """Profile as a site for the public states it."""
    variables = tuple(variable(name, units.get(name, "number"), "descriptor") for name in frame)
    study = STUDY.model_copy(update={"value": value, "disclosure": "public", "transform": "auto"})
    table, matrix = FeatureTable(frame, variables), frame.iloc[:, :2].fillna(0).to_numpy(float)
    return profile_segments(table, labels, matrix, as_they_are(table, variables[:2]), study, same_segments(labels))


def summary_of(found: Profiles, segment: int, name: str) -> Summary:
    return next(d for d in found.segments[segment - 1].differences if d.variable == name).summary


def test_nobody_who_dominates_a_total_is_told(groups: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = groups
    found = in_public(frame.assign(spend=frame["spend"].where(frame.index != 3, 1e6)), labels, "spend")
    assert found.value_total is None and found.concentration is None
    assert {(s.value_total, s.value_share) for s in found.segments} == {(None, None)}
    assert summary_of(found, 1, "spend").mean < 100


def test_no_quantile_of_a_few_is_the_value_of_one() -> None:
    rng = np.random.default_rng(8)
    labels = np.repeat([1, 2], [40, 60]).astype(np.int16)
    salary = np.where(np.arange(100) < 11, 0, np.nan) + np.r_[rng.normal(40_000, 9_000, 11), np.zeros(89)]
    salary[40:] = rng.normal(30_000, 5_000, 60)
    found = in_public(pd.DataFrame({"a": labels * 5.0, "b": rng.random(100), "salary": salary}), labels)
    told = summary_of(found, 1, "salary")
    for value in (told.median, told.p10, told.p90):
        assert np.abs(salary[:11] / value - 1).min() > 1e-5


def test_a_sensitive_answer_that_a_segment_shares_is_coded_and_a_plain_one_is_not() -> None:
    frame, labels = yes_no([0, 30, 60])
    found = in_public(frame.assign(debt_collection=frame["yes"]), labels, yes="yes_no", debt_collection="yes_no")
    assert [summary_of(found, j, "yes").mean for j in (1, 2, 3)] == [0.0, 0.5, 1.0]
    assert "debt_collection" in found.everyone or "debt_collection" in found.hidden
    alone = in_public(frame.rename(columns={"yes": "debt_collection"}), labels, debt_collection="yes_no")
    assert [summary_of(alone, j, "debt_collection").mean for j in (1, 2, 3)] == [UNDER, 0.5, OVER]
    shares = next(c for c in alone.categories if c.variable == "debt_collection").segments
    assert {x for row in shares for x in row} == {UNDER, 0.5, OVER}


@pytest.mark.parametrize(
    "name",
    [
        *("Schuldenstand", "schwerbehindert", "Religionszugehörigkeit", "chronische_krankheit", "handicapé"),
        *("enfermedades", "discapacidad", "malattie_croniche", "mahnverfahren", "hiv_status", "sindicalizado"),
        *("surendettement", "embarazada", "zwangerschap", "vorbestraft", "klachten", "ethnische_herkunft"),
    ],
)
def test_names_of_sensitive_answers_are_known_in_compounds_and_other_languages(name: str) -> None:
    frame, labels = yes_no([0, 30, 60])
    found = in_public(frame.rename(columns={"yes": name}), labels, **{name: "yes_no"})
    assert [summary_of(found, j, name).mean for j in (1, 2, 3)] == [UNDER, 0.5, OVER]


def test_answers_tell_that_a_category_is_sensitive_where_its_name_does_not() -> None:
    labels = np.repeat([1, 2], 60)
    faith = np.array(["Catholic"] * 60 + ["Muslim"] * 30 + ["None"] * 30)
    frame = pd.DataFrame({"a": labels * 5.0, "b": np.arange(120.0), "c7": faith})
    (category,) = in_public(frame, labels, c7="category").categories
    assert {x for row in category.segments for x in row} == {UNDER, 0.5, OVER}


def test_of_two_answers_that_differ_by_a_few_customers_one_is_hidden() -> None:
    frame, labels = yes_no([20, 30])
    more = frame["yes"].copy()
    more.iloc[[25, 26, 27, 28]] = 1.0
    found = in_public(frame.assign(or_in_prison=more), labels, yes="yes_no", or_in_prison="yes_no")
    assert found.hidden == ("or_in_prison",)


def test_codes_of_a_sensitive_answer_that_a_segment_shares_are_hidden() -> None:
    labels = np.repeat([1, 2], 60)
    codes = pd.DataFrame({"diagnosis": [1.0, 2.0, 3.0] * 20 + [2.0] * 58 + [1.0, 3.0], "visits": np.arange(120.0)})
    assert in_public(codes, labels).hidden == ("diagnosis",)
    assert in_public(codes.assign(diagnosis=[1.0, 2.0, 3.0] * 40), labels).hidden == ()
    assert in_public(codes.rename(columns={"diagnosis": "rooms"}), labels).hidden == ()


def test_expected_spend_is_not_told_where_one_customer_dominates_it() -> None:
    keys, labels = pd.Series([str(i) for i in range(60)]), np.repeat([1, 2], 30)
    known = lifetime(60)
    assert expect_spend(known, keys, labels, Disclosure(MIN_CELL)) is not None
    known.frame.loc["45", "clv"] = 9_000.0
    assert expect_spend(known, keys, labels, Disclosure(MIN_CELL)) is None
    assert expect_spend(known, keys, labels, EXACT) is not None


def test_expected_spend_without_an_interval_is_left_out() -> None:
    keys, labels = pd.Series([str(i) for i in range(60)]), np.repeat([1, 2], 30)
    known = lifetime(60)
    vague = replace(known, purchases=replace(known.purchases, covariance=np.full((4, 4), np.nan)))
    assert expect_spend(vague, keys, labels, EXACT) is None


def test_what_came_is_stated_by_tenth_where_enough_were_known() -> None:
    keys, labels = pd.Series([str(i) for i in range(200)]), np.repeat([1, 2, 3], [120, 75, 5])
    known = lifetime(200)
    frame = pd.DataFrame({"expected": known.frame["clv"], "came": known.frame["clv"] * 1.2})
    frame.iloc[150:] = np.nan
    tried = replace(known, tried=BackTest(39.2, frame))
    found = expect_spend(tried, keys, labels, Disclosure(5, public=False))
    assert found is not None and found.tried is not None
    assert found.tried.weeks == 39
    expected, came = found.tried.everyone
    assert came == pytest.approx(1.2 * expected) and expected == pytest.approx(frame["expected"].mean())
    order = [pair[0] for pair in found.tried.tenths]
    assert len(order) == 10 and order == sorted(order)
    few = expect_spend(tried, keys, labels, Disclosure(20, public=False))
    assert few is None or few.tried is None or few.tried.tenths == ()
