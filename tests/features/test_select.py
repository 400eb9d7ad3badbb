"""Which features form segments: groups of near-copies, noise, and what becomes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from analysis.features import select as selection
from analysis.features.prepare import Prepared, apply_steps, invert_steps
from analysis.features.select import Dropped, Selection, dip, select, settle_roles
from tests.features.test_prepare import features, prepared, study

SETTINGS = ("drop", "weigh", "keep")


def selected(columns: dict[str, Any], **changes: Any) -> Selection:
    return select(features(columns), study(**changes), frozenset())


def names(found: Selection | Prepared) -> list[str]:
    return [variable.name for variable in found.variables]


def reasons(found: Selection | Prepared) -> dict[str, tuple[str, str]]:
    return {d.name: (d.kind, d.reason) for d in found.dropped}


def related(n: int = 400, seed: int = 3) -> dict[str, np.ndarray]:
    """Give two features that move together, far from being copies."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n)
    return {"a": a, "b": a + rng.standard_normal(n)}


def copies(of: np.ndarray, how_many: int, spread: float = 0.05, seed: int = 5) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(seed).standard_normal((how_many, len(of)))
    return {f"copy{i}": of + spread * of.std() * noise[i] for i in range(how_many)}


class TestNearCopies:
    def test_the_member_with_the_fewest_missing_values_represents_its_group(self) -> None:
        columns = related()
        columns["a2"] = 2 * columns["a"]
        columns["a"] = np.where(np.arange(400) < 25, np.nan, columns["a"])
        found = selected(columns)
        assert names(found) == ["b", "a2"]
        kind, reason = reasons(found)["a"]
        assert kind == "copy"
        assert reason == "moves with The a2 (Spearman 1.00), which stands for it: " + (
            "it has the fewest missing values (0, the next 25)"
        )

    def test_a_few_missing_values_are_not_counted_out(self) -> None:
        columns = related()
        columns["a2"] = 2 * columns["a"]
        columns["a"] = np.where(np.arange(400) < 3, np.nan, columns["a"])
        assert "(0, the next fewer than 10)" in reasons(selected(columns))["a"][1]

    def test_the_member_that_moves_most_with_the_others_represents_its_group(self) -> None:
        base = related()
        left, right = copies(base["a"], 2, 0.3).values()
        found = selected({"left": left, "right": right, "middle": base["a"], "b": base["b"]})
        assert names(found) == ["middle", "b"]
        assert set(reasons(found)) == {"left", "right"}
        assert "it moves most with the others (mean 0.95, the next 0.93)" in reasons(found)["left"][1]
        assert found.groups[0].members[0] == "middle"

    def test_of_equal_members_the_first_in_the_settings_represents_them(self) -> None:
        base = related()
        found = selected({"mirror": -base["a"], **base})
        assert names(found) == ["mirror", "b"]
        assert reasons(found)["a"][1].startswith("moves with The mirror (Spearman -1.00)")
        assert "first in the settings" in found.groups[0].done

    def test_a_chain_of_near_copies_is_not_one_group(self) -> None:
        steps = np.random.default_rng(2).standard_normal((3, 4000)).cumsum(axis=0) * [[1], [0.42], [0.42]]
        chain = {"one": steps[0], "two": steps[0] + steps[1], "three": steps[0] + steps[1] + steps[2]}
        rho = pd.DataFrame(chain).corr("spearman").to_numpy()
        chained = (rho[0, 1] >= 0.9, rho[1, 2] >= 0.9, rho[0, 2] < 0.9)
        assert chained == (True, True, True)
        found = selected(chain, noise="keep")
        assert [len(group.members) for group in found.groups] == [2]
        assert len(names(found)) == 2
        assert found.groups[0].least >= 0.9

    @pytest.mark.parametrize("how", SETTINGS)
    def test_each_setting_says_what_became_of_the_group(self, how: str) -> None:
        base = related()
        found = selected({**copies(base["a"], 3), **base}, near_copies=how)
        assert len(names(found)) == (2 if how == "drop" else 5)
        expected = {"drop": "stands for all", "weigh": "1/4 of a weight", "keep": "counts 4 times"}
        assert expected[how] in found.groups[0].done
        assert bool(found.dropped) == (how == "drop")
        assert sorted(found.shared_by) == ([1, 4, 4, 4, 4] if how == "weigh" else [1] * len(found.variables))

    @pytest.mark.parametrize("scaling", ["standard", "minmax", "robust", "none"])
    def test_six_near_copies_that_share_a_weight_give_the_segments_of_one(self, scaling: str) -> None:
        rng = np.random.default_rng(1)
        group = rng.integers(0, 2, 600)
        even, parted = rng.uniform(-2, 2, 600), 2.6 * group + 0.5 * rng.standard_normal(600)
        even = even + 0.3 * parted
        changes = {"scaling": scaling, "noise": "keep"}

        def segments(found: Prepared) -> np.ndarray:
            return KMeans(2, n_init=10, random_state=0).fit_predict(found.matrix)

        alone = segments(prepared({"even": even, "parted": parted}, **changes))
        six = {**copies(even, 6, 0.05), "parted": parted}
        weighed = segments(prepared(six, near_copies="weigh", **changes))
        kept = segments(prepared(six, near_copies="keep", **changes))
        assert adjusted_rand_score(alone, weighed) > 0.97
        assert adjusted_rand_score(alone, kept) < 0.6

    def test_shared_weights_can_be_undone(self) -> None:
        base = related()
        columns = {**copies(base["a"], 2), **base}
        found = prepared(columns, near_copies="weigh")
        frame = pd.DataFrame(columns)[[step.name for step in found.steps]]
        assert apply_steps(frame, found.steps) == pytest.approx(found.matrix)
        assert invert_steps(found.matrix, found.steps) == pytest.approx(frame.to_numpy())
        assert found.matrix[found.core].var(axis=0).sum() == pytest.approx(2)


class TestNoise:
    def test_an_even_spread_that_moves_with_nothing_is_noise(self) -> None:
        even = np.random.default_rng(9).integers(0, 100, 400)
        found = selected({"even": even, **related()})
        assert names(found) == ["a", "b"]
        kind, reason = reasons(found)["even"]
        assert kind == "noise"
        assert reason.startswith("moves with no other feature (largest Spearman correlation 0.")
        assert "; bound 0.14) and has one peak (dip 0.0" in reason
        assert "bound 0.030)" in reason

    def test_the_settings_may_keep_noise(self) -> None:
        even = np.random.default_rng(9).uniform(size=400)
        assert names(selected({"even": even, **related()}, noise="keep")) == ["even", "a", "b"]

    @pytest.mark.parametrize(
        "make",
        [
            lambda rng, n: rng.standard_normal(n) + 5 * rng.integers(0, 2, n),
            lambda rng, n: rng.standard_normal(n) + 6 * rng.integers(0, 3, n),
            lambda rng, n: rng.integers(0, 2, n),
            lambda rng, n: rng.random(n) < 0.1,
            lambda rng, n: rng.choice([1, 2, 3, 4, 5], n, p=[0.4, 0.1, 0.05, 0.1, 0.35]),
        ],
        ids=["two groups", "three groups", "yes or no", "rare yes", "for or against"],
    )
    def test_what_parts_customers_by_itself_is_not_noise(self, make: Any) -> None:
        lone = make(np.random.default_rng(4), 400)
        assert names(selected({"lone": lone, **related()})) == ["lone", "a", "b"]

    @pytest.mark.parametrize("seed", range(4))
    def test_an_answer_in_five_steps_that_moves_with_nothing_is_noise(self, seed: int) -> None:
        lone = np.random.default_rng(seed).choice([1, 2, 3, 4, 5], 400, p=[0.1, 0.2, 0.4, 0.2, 0.1])
        assert names(selected({"lone": lone, **related()})) == ["a", "b"]

    def test_a_feature_that_follows_anothers_distance_from_the_middle_is_not_noise(self) -> None:
        rng = np.random.default_rng(14)
        even = rng.uniform(-1, 1, 400)
        bowl = even**2 + 0.2 * rng.standard_normal(400)
        assert abs(pd.Series(bowl).corr(pd.Series(even), "spearman")) < 0.1
        assert names(selected({"bowl": bowl, "even": even, **related()})) == ["bowl", "even", "a", "b"]
        assert names(selected({"bowl": bowl[rng.permutation(400)], "even": even, **related()})) == ["a", "b"]

    def test_groups_in_a_triangle_are_not_noise(self) -> None:
        rng = np.random.default_rng(8)
        corner = rng.integers(0, 3, 900)
        x, y = (np.array(c)[corner] + rng.standard_normal(900) for c in ([-1.5, 1.5, 0], [0, 0, 2.5]))
        assert names(selected({"x": x, "y": y, **related(900)})) == ["x", "y", "a", "b"]

    def test_copies_of_noise_are_noise(self) -> None:
        even = np.random.default_rng(9).uniform(size=400)
        columns = {"even": even, "again": 2 * even, **related()}
        for how in SETTINGS:
            found = selected(columns, near_copies=how)
            assert names(found) == ["a", "b"]
            assert {name for name, (kind, _) in reasons(found).items() if kind == "noise"} <= {"even", "again"}

    def test_a_zero_beside_a_hump_of_logarithms_is_not_noise(self) -> None:
        rng = np.random.default_rng(6)
        spend = np.where(rng.random(800) < 0.3, 0, np.exp(3 + rng.standard_normal(800)))
        table = features({"spend": spend, **related(800)}, spend="money")
        assert "spend" in names(select(table, study(), frozenset({"spend"})))

    def test_fewer_than_two_features_are_never_left(self) -> None:
        rng = np.random.default_rng(7)
        columns = {name: rng.uniform(size=500) for name in "abc"}
        assert names(selected(columns)) == ["a", "b", "c"]

    def test_few_customers_tell_nothing_of_noise(self) -> None:
        rng = np.random.default_rng(7)
        columns = {"even": rng.uniform(size=90), **related(90)}
        assert names(selected(columns)) == ["even", "a", "b"]

    def test_a_feature_that_few_customers_have_is_judged_by_those(self) -> None:
        base = related(2000)
        sparse = np.where(np.arange(2000) % 5 == 0, base["a"] + np.random.default_rng(1).standard_normal(2000), np.nan)
        assert "sparse" in names(selected({"sparse": sparse, **base}))


class TestSelection:
    def test_what_a_sample_hardly_holds_gets_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(selection, "MOST_RANKED", 100)
        sparse = np.where(np.arange(3000) % 90 == 0, np.arange(3000.0), np.nan)
        rare = np.where(np.arange(3000) % 80 == 0, np.arange(3000.0), 0)
        assert set(names(selected({"sparse": sparse, "rare": rare, **related(3000)}))) >= {"a", "b"}

    def test_the_order_of_customers_changes_nothing(self) -> None:
        columns = {"even": np.random.default_rng(9).uniform(size=400), **copies(related()["a"], 2), **related()}
        turned = np.random.default_rng(0).permutation(400)
        assert selected(columns) == selected({name: values[turned] for name, values in columns.items()})

    def test_the_unit_of_a_feature_changes_nothing(self) -> None:
        columns = {"even": np.random.default_rng(9).uniform(size=400), **copies(related()["a"], 2), **related()}
        assert selected(columns) == selected({name: 100 * values + 7 for name, values in columns.items()})

    def test_many_customers_are_judged_on_the_same_sample_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        columns = {
            "even": np.random.default_rng(9).uniform(size=3000),
            **copies(related(3000)["a"], 1),
            **related(3000),
        }
        whole = selected(columns)
        monkeypatch.setattr(selection, "MOST_RANKED", 1000)
        found = selected(columns)
        assert found == selected(columns)
        assert (names(found), set(reasons(found))) == (names(whole), set(reasons(whole)))
        assert found.groups[0].least != whole.groups[0].least

    def test_noise_describes_and_what_copies_the_segments_does_not(self) -> None:
        table = features({name: [1.0, 2.0] for name in ("a", "copy", "one", "even")})
        dropped = (Dropped("copy", "copy", ""), Dropped("one", "constant", ""), Dropped("even", "noise", ""))
        settled = settle_roles(table, dropped)
        assert [v.role for v in settled.variables] == ["feature", "ignore", "ignore", "descriptor"]
        assert [v.role for v in table.variables] == ["feature"] * 4


class TestDip:
    @pytest.mark.parametrize("seed", range(6))
    def test_the_dip_is_the_distance_to_the_nearest_distribution_with_one_peak(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        values = np.sort(rng.standard_normal(13) + (3 * rng.integers(0, 2, 13) if seed % 2 else 0))
        assert dip(values) == pytest.approx(max(nearest_one_peaked(values), 1 / 26), abs=1e-7)

    def test_two_far_groups_of_one_size_dip_by_nearly_a_quarter(self) -> None:
        half = np.linspace(0, 1, 200)
        assert dip(np.concatenate([half, half + 1000])) == pytest.approx(0.25, abs=0.005)

    def test_even_values_do_not_dip(self) -> None:
        assert dip(np.linspace(-3, 8, 500)) == pytest.approx(1 / 1000)

    def test_unit_and_direction_change_nothing(self) -> None:
        rng = np.random.default_rng(3)
        values = np.sort(rng.standard_normal(300) + 3 * rng.integers(0, 2, 300))
        assert dip(5 * values - 2) == pytest.approx(dip(values))
        assert dip(-values[::-1]) == pytest.approx(dip(values), abs=1 / 300)

    def test_evenly_drawn_values_seldom_pass_the_bound(self) -> None:
        rng = np.random.default_rng(0)
        passed = [dip(np.sort(rng.random(200))) > selection.DIP_OF_UNIFORM / np.sqrt(200) for _ in range(200)]
        assert np.mean(passed) < 0.04


def nearest_one_peaked(x: np.ndarray) -> float:
    """Find by linear programs, one for each place of the peak, how near a convex-concave curve comes to the steps."""
    n = len(x)
    steps = np.arange(1, n + 1) / n
    best = 1.0
    for peak in range(n):
        # The curve may jump at the peak, so it has a value on either side of it.
        at = [*range(peak + 1), *range(peak, n)]
        rows, bounds = [], []

        def add(bound: float, *terms: tuple[int, float], into: list[Any] = rows, to: list[float] = bounds) -> None:
            row = np.zeros(n + 2)
            for place, factor in terms:
                row[place] += factor
            into.append(row)
            to.append(bound)

        for i, j in enumerate(at):
            add(steps[j], (i, 1), (n + 1, -1))
            add(-steps[j], (i, -1), (n + 1, -1))
            if i:
                add(0, (i - 1, 1), (i, -1))
        for i in [*range(1, peak), *range(peak + 2, n)]:
            before, after = 1 / (x[at[i]] - x[at[i - 1]]), 1 / (x[at[i + 1]] - x[at[i]])
            sign = 1 if i < peak else -1
            add(0, (i - 1, -sign * before), (i, sign * (before + after)), (i + 1, -sign * after))
        cost = np.eye(n + 2)[-1]
        best = min(best, linprog(cost, A_ub=np.array(rows), b_ub=bounds, bounds=(None, None)).fun)
    return best
