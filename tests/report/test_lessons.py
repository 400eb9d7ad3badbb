"""What tests taught: words, verdicts, and plans that follow measured values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.base.formats import Formats
from analysis.experiments.records import Effect, Experiment, Results
from analysis.report.lessons import Lesson, gather_lessons, learn, list_checks, say_effect, say_verdict
from analysis.segments.plans.experiments import Baseline, design_test
from analysis.segments.plans.plan import Slot

FORMATS = Formats("€", "customers", 10)
SHARE = Effect("", 320, 320, 0.3, 0.2, 0.1, 0.04, 0.16, 1.5, 1.2, 1.9, 0.001, 0.08)
NONE = replace(
    SHARE, rate_treated=0.2, lift=0.0, low=-0.05, high=0.05, p=0.9, ratio=1.0, ratio_low=0.8, ratio_high=1.25
)
MONEY = Effect("", 320, 320, 55.0, 70.0, -15.0, -22.0, -8.0, 0.79, 0.7, 0.9, 0.001, 10.0)


def make_test(effect: Effect | None, kpi: str = "ordered", name: str = "one", **more: object) -> Experiment:
    kind = "share" if kpi == "ordered" else "mean"
    results = Results(kind, (effect,), "transactions", 0.5) if effect else None
    test = Experiment(
        name, "B.campaign", "Send a card.", ("b",), "", kpi, "more", 0.5, 42, "2025-05-01", "2025-06-11", (320, 320),
        "", "measured" if effect else "running", "digest", results,
    )  # fmt: skip
    return replace(test, **more)  # type: ignore[arg-type]


def lesson_of(*tests: Experiment) -> Lesson:
    return gather_lessons(tests, {"b": 640}, "2025-06-01")[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "verdict", "effect", "advice"),
    [
        (make_test(SHARE), "helps", "30% against 20% of the others placed an order: 10 percentage points more "
         "(95% interval 4 to 16)", "It works: extend it"),
        (make_test(NONE), "useless", "no difference (95% interval 5 fewer to 5 more", "too little to notice"),
        (make_test(replace(NONE, high=0.12)), "open", "no difference", "not ruled out"),
        (make_test(MONEY, "spend"), "harms", "€55 with the action, €70 without. That is €15 less (95% interval €8 to "
         "€22)", "It does harm"),
        (make_test(Effect("", 320, 320)), "withheld", "", "Too few customers"),
        (make_test(None), "", "", "Running, 10 days left. No effect is shown"),
    ],
)  # fmt: skip
def test_a_test_is_told_in_plain_words(test: Experiment, verdict: str, effect: str, advice: str) -> None:
    lesson = lesson_of(test)
    assert lesson.verdict == verdict
    assert effect in say_effect(lesson, FORMATS) and bool(effect) == bool(say_effect(lesson, FORMATS))
    assert advice in say_verdict(lesson, FORMATS)
    assert lesson.test.groups == ""


@pytest.mark.slow
def test_groups_of_the_wrong_size_show_no_effect() -> None:
    test = make_test(SHARE)
    assert test.results is not None
    lesson = lesson_of(replace(test, results=replace(test.results, sample_ratio=0.0004)))
    assert lesson.verdict == "invalid" and say_effect(lesson, FORMATS) == ""


@pytest.mark.slow
def test_many_tests_make_chance_finds_rarer() -> None:
    weak = replace(SHARE, p=0.03)
    assert lesson_of(make_test(weak)).verdict == "helps"
    others = [make_test(NONE, name=f"n{i}") for i in range(3)]
    assert lesson_of(make_test(weak), *others).verdict != "helps"


@pytest.mark.slow
def test_money_is_the_lift_times_the_customers() -> None:
    gain = replace(MONEY, rate_treated=80.0, rate_control=70.0, lift=10.0, low=4.0, high=16.0)
    lesson = lesson_of(make_test(gain, "spend"))
    assert (lesson.worth, lesson.worth_low, lesson.worth_high) == (6400.0, 2600.0, 10000.0)
    slot = Slot("campaign", "Send a card.", prize_low=1.0, prize_high=2.0, prize="Assumed.", prize_shares=(0.1, 0.2))
    (learned,) = learn("b", (slot,), [lesson], FORMATS)
    assert (learned.prize_low, learned.prize_high) == (2600.0, 10000.0)
    assert "as measured in a test" in learned.prize and learned.prize_shares is None


@pytest.mark.slow
def test_more_orders_are_worth_what_an_order_came_to() -> None:
    """A lift of 10 percentage points among 640 customers is 64 who order, between 25.6 and 102.4, at 50 each."""
    test = make_test(SHARE)
    assert test.results is not None
    lesson = lesson_of(replace(test, results=replace(test.results, order_value=50.0)))
    assert (lesson.worth, lesson.worth_low, lesson.worth_high) == (3200.0, 1300.0, 5100.0)
    assert "worth €1,300 to 5,100 in 42 days, if the additional orders are as large" in say_verdict(lesson, FORMATS)
    slot = Slot("campaign", "Send a card.", prize_low=1.0, prize_high=2.0, prize="Assumed.", prize_shares=(0.1, 0.2))
    (learned,) = learn("b", (slot,), [lesson], FORMATS)
    assert (learned.prize_low, learned.prize_high) == (1300.0, 5100.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "said"),
    [
        (make_test(SHARE), "that is 26 to 100 more who placed an order in 42 days"),
        (make_test(replace(SHARE, lift=-0.1, low=-0.16, high=-0.04), "left", better="less"),
         "that is 26 to 100 fewer with “left” in 42 days"),
    ],
)  # fmt: skip
def test_a_share_without_a_price_is_said_in_customers(test: Experiment, said: str) -> None:
    assert test.results is not None
    lesson = lesson_of(replace(test, results=replace(test.results, kind="share")))
    assert lesson.worth is None and said in say_verdict(lesson, FORMATS)
    slot = Slot("campaign", "Send a card.", prize_low=1.0, prize_high=2.0, prize="Assumed.")
    assert learn("b", (slot,), [lesson], FORMATS)[0].prize == "Assumed."


@pytest.mark.slow
def test_measured_values_replace_assumed_ones_and_a_useless_action_loses_its_prize() -> None:
    design = design_test("share", 6, Baseline(0.05, "assumed: 5%", True, 640, "customers", "more"), "{treated} {held}")
    slot = Slot("campaign", "Send a card.", prize_low=1.0, prize_high=2.0, prize="Assumed.", design=design)
    (learned,) = learn("b", (slot,), [lesson_of(make_test(NONE))], FORMATS)
    assert learned.design is not None
    assert (learned.design.baseline, learned.design.assumed) == (0.2, False)
    assert (learned.verdict, learned.prize_high, learned.prize) == ("useless", 0.0, "")
    other = replace(slot, action="Send a letter.")
    assert learn("b", (other,), [lesson_of(make_test(NONE))], FORMATS) == (other,)
    assert learn("c", (slot,), [lesson_of(make_test(NONE))], FORMATS) == (slot,)


@pytest.mark.slow
def test_segments_of_a_test_have_verdicts_of_their_own() -> None:
    harm = replace(SHARE, segment="c", rate_treated=0.2, rate_control=0.3, lift=-0.1, low=-0.16, high=-0.04, p=0.0005)
    effects = (NONE, replace(SHARE, segment="b"), harm, replace(NONE, segment="d"), Effect("e", 0, 0))
    test = make_test(NONE, segments=("b", "c", "d", "e"))
    assert test.results is not None
    lesson = lesson_of(replace(test, results=replace(test.results, effects=effects)))
    assert [part.verdict for part in lesson.parts] == ["helps", "harms", "useless", "withheld"]
    assert lesson.verdict == "mixed" and "decide for each segment" in say_verdict(lesson, FORMATS)
    assert "10 percentage points fewer" in say_effect(lesson.of("c"), FORMATS)
    assert lesson.of("b").customers == 640 and lesson.of("elsewhere") is lesson
    slot = Slot("campaign", "Send a card.", prize_low=1.0, prize_high=2.0, prize="Assumed.")
    assert [learn(slug, (slot,), [lesson], FORMATS)[0].verdict for slug in "bcd"] == ["helps", "harms", "useless"]


@pytest.mark.slow
def test_many_segments_make_chance_finds_rarer() -> None:
    test = make_test(NONE, segments=tuple("bcde"))
    assert test.results is not None
    weak = replace(SHARE, segment="b", p=0.03)
    several = (NONE, weak, *(replace(NONE, segment=slug) for slug in "cde"))
    lesson = lesson_of(replace(test, results=replace(test.results, effects=several)))
    assert lesson.of("b").verdict != "helps"
    alone = lesson_of(replace(test, results=replace(test.results, effects=(NONE, weak))))
    assert alone.of("b").verdict == "helps"


def test_without_the_cap_on_heavy_customers_the_interval_is_stated_too() -> None:
    test = make_test(MONEY, "spend")
    assert test.results is not None
    heavy = replace(test.results, winsorised=True, boot_low=-24.5, boot_high=-3.25)
    lines = list_checks(lesson_of(replace(test, results=heavy)))
    assert any(line.endswith("the 95% bootstrap interval of the difference is -24.50 to -3.25.") for line in lines)
    assert not any("bootstrap" in line for line in list_checks(lesson_of(test)))


@pytest.mark.parametrize(
    ("kpi", "words"),
    [("visited", "30% against 20% of the others came for a visit"), ("visits", "Visits per customer")],
)
def test_visits_are_told_as_visits(kpi: str, words: str) -> None:
    test = make_test(SHARE, kpi)
    assert test.results is not None
    shares = replace(test, results=replace(test.results, kind="share" if kpi == "visited" else "mean"))
    assert words in say_effect(lesson_of(shares), FORMATS)
