"""Tests of actions: sizes and detectable rates recomputed with scipy alone, and what is said at the edges."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from analysis.base.errors import InputError
from analysis.base.formats import percentage
from analysis.segments.plans.experiments import (
    KPIS,
    NEARLY,
    Amount,
    Baseline,
    Design,
    Direction,
    Pool,
    check_assumptions,
    design_test,
    detectable,
    round_rate,
)
from tests.kinds import KINDS, load_kind

RATES = st.floats(0.001, 0.999)


def reachable(rate: float, treated: int, held: int, better: Direction) -> float | None:
    """Compute the detectable rate from the normal distribution, without rounding."""
    quantiles = norm.ppf(0.975) + norm.ppf(0.8)
    effect = quantiles * math.sqrt(1 / treated + 1 / held)
    angle = math.asin(math.sqrt(rate)) + (effect if better == "more" else -effect) / 2
    return math.sin(angle) ** 2 if 0 < angle < math.pi / 2 else None


def check(design: Design) -> None:
    """Recompute what both holdouts of a design detect."""
    assert design.baseline is not None
    for holdout in (design.half, design.tenth):
        exact = reachable(design.baseline, holdout.treated, holdout.held, design.better)
        if holdout.detects is None:
            assert exact is None or exact > 0.99 or exact < 0.01
        elif design.better == "more":
            assert exact is not None and exact <= holdout.detects + 1e-6 and holdout.detects < exact + 0.0101
        else:
            assert exact is not None and exact >= holdout.detects - 1e-6 and holdout.detects > exact - 0.0101


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(RATES, st.integers(20, 20_000), st.integers(20, 20_000), st.sampled_from(["more", "less"]))
def test_a_detectable_rate_is_rounded_away_from_the_baseline(
    rate: float, treated: int, held: int, better: Direction
) -> None:
    found, exact = detectable(rate, treated, held, better), reachable(rate, treated, held, better)
    if found is None:
        assert exact is None or not 0.01 <= exact <= 0.99
        return
    assert exact is not None
    beyond = found - exact if better == "more" else exact - found
    assert -1e-6 <= beyond < 0.0101


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_design_of_every_study_is_recomputed_with_scipy(kind: str) -> None:
    for slots in load_kind(kind).plans():
        for slot in slots:
            if slot.design is None:
                continue
            if slot.design.source == NEARLY:
                assert slot.design.rows == () and slot.design.baseline is None
            elif slot.design.baseline is None:
                assert len(slot.design.rows) == 3
                for row in slot.design.rows:
                    exact = reachable(row.baseline, slot.design.half.treated, slot.design.half.held, slot.design.better)
                    assert (row.half is None) == (exact is None or not 0.01 <= exact <= 0.99)
            else:
                check(slot.design)


def baseline(rate: float | None, n: int = 670, better: Direction = "more", unit: str = "customers") -> Baseline:
    return Baseline(rate, "answered", False, n, unit, better)


def test_a_design_says_what_can_be_done_and_what_it_shows() -> None:
    design = design_test("response", 6, baseline(0.22), "Offer it to {treated} picked at random, hold back {held}")
    assert design.sentence == (
        "Offer it to 335 picked at random, hold back 335: enough to detect a rise from 22% to 32% or more."
    )
    assert design.feasible and design.help == "" and design.rows == ()
    assert (design.tenth.treated, design.tenth.held) == (603, 67)


def test_a_risk_is_to_fall() -> None:
    design = design_test(
        "churn", 13, baseline(0.17, better="less"), "Call {treated} picked at random, hold back {held}"
    )
    assert "a fall from 17% to 9% or less" in design.sentence and "rise" not in design.sentence


def test_visits_are_counted_as_visits() -> None:
    design = design_test(
        "orders per visit",
        4,
        baseline(0.03, 4_000, unit="visits"),
        "Offer it to {treated} picked at random, hold back {held}",
    )
    assert design.sentence.startswith("Show it in 2,000 visits picked at random, leave 2,000 as they are: ")


def test_a_coarse_design_says_what_would_help() -> None:
    pool, amount = Pool("segment C", 600, 0.06), Amount("average order value", 60, 50.0, 10.0)
    design = design_test(
        "response", 6, baseline(0.05, 60), "Send it to {treated} picked at random, hold back {held}", pool, amount
    )
    assert not design.feasible
    assert design.help.startswith("To see smaller changes, run it in two periods (a rise to ")
    assert "pool it with segment C (together a rise from 6% to " in design.help
    assert re.search(r"compare average order value \(a difference of \d+% shows\)\.$", design.help)


def test_without_a_baseline_three_are_shown() -> None:
    design = design_test("uptake", 8, baseline(None), "Offer it to {treated} picked at random, hold back {held}")
    assert [row.baseline for row in design.rows] == [0.05, 0.15, 0.3]
    assert "Offer it to 335 picked at random" in design.sentence and design.baseline is None


@pytest.mark.slow
@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from([0.0, 0.001, 0.01, 0.5, 0.99, 0.999, 1.0]), st.integers(2, 300), st.sampled_from(["more", "less"])
)
def test_at_the_edges_something_feasible_is_said(rate: float, n: int, better: Direction) -> None:
    design = design_test("x", 6, baseline(rate, n, better), "Offer it to {treated} picked at random, hold back {held}")
    text = " ".join((design.sentence, design.tenth_sentence, design.help))
    assert design.sentence.startswith("Offer it to ") and design.half.treated + design.half.held == n
    assert not re.search(r"[Cc]annot|None|nan|\b0% or less|100% or more", text)


def test_rates_are_rounded_as_they_are_printed() -> None:
    for rate in (0.0312, 0.0999, 0.0994, 0.1449, 0.301):
        assert percentage(round_rate(rate)) == percentage(rate)


def test_an_assumption_of_an_unknown_name_is_refused_with_similar_ones() -> None:
    with pytest.raises(InputError, match=r"assumptions.conversoin: .*\n.*\n  Did you mean 'conversion'\?"):
        check_assumptions({"conversoin": 0.1})
    check_assumptions({name: 0.1 for name, kpi in KPIS.items() if kpi.assumed is not None})


@pytest.mark.slow
def test_assumptions_of_the_settings_replace_those_of_the_code() -> None:
    plans = load_kind("shop").plans(assumptions={"conversion": 0.12})
    designs = [slot.design for slots in plans for slot in slots if slot.design]
    found = [d for d in designs if d.kpi == KPIS["conversion"].label]
    assert found and all(d.baseline == 0.12 and d.source == "assumed: 12% of visits end in an order" for d in found)


@pytest.mark.slow
def test_baselines_come_from_the_data_where_they_hold_them() -> None:
    shop = load_kind("shop")
    table, labels = shop.table.frame, shop.labels
    for i, slots in enumerate(shop.plans(), 1):
        design = next(
            (s.design for s in slots if s.design and not s.design.assumed and "campaign" in s.design.source), None
        )
        if design is not None:
            assert design.baseline == round_rate(float(table["Response"][labels == i].mean()))
    accounts = load_kind("business")
    days = accounts.table.frame["Days since last order"].to_numpy()
    for i, slots in enumerate(accounts.plans(), 1):
        for design in (s.design for s in slots if s.design and s.design.source.startswith("ordered in the last ")):
            within = int(re.findall(r"\d+", design.source)[0])
            assert design.baseline == round_rate(float((days[accounts.labels == i] <= within).mean()))
            assert design.baseline is not None and design.baseline < 0.9


@pytest.mark.slow
def test_a_visit_counts_once_in_orders_per_visit() -> None:
    shop = load_kind("omnichannel")
    plans = [slot for slots in shop.plans() for slot in slots if slot.design and slot.design.unit == "visits"]
    for slot in plans:
        assert slot.design is not None and slot.design.baseline is not None
        frame, found = shop.table.frame, set()
        for i in range(1, int(shop.labels.max()) + 1):
            rows = frame[shop.labels == i][["conversion", "sessions"]].dropna()
            found.add(round_rate(float((rows["conversion"] * rows["sessions"]).sum() / rows["sessions"].sum())))
        assert slot.design.baseline in found


def test_a_design_of_another_size_is_another_design() -> None:
    first = design_test("x", 6, baseline(0.2), "Offer it to {treated} picked at random, hold back {held}")
    assert replace(first, kpi="y") != first
