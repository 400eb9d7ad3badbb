"""Plans of segments: five filled slots in every kind of study, no text twice, nothing that the data do not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.base.errors import InputError
from analysis.profiles.timing import BusyTime
from analysis.segments.plans.plan import NEEDS, Slot, make_plans
from analysis.segments.plans.playbook import SLOTS, Play, read_playbook
from tests.kinds import KINDS, Kind, load_kind, pairs_of

ORDERS = re.compile(r"\border(?:s|ed|ing)?\b", re.IGNORECASE)

NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten) (?:days|weeks|months|years)|one (?:week|month)"
)
RISKS = {"share who leave", "share who complain", "share who need help in a month"}


def rule(when: str, action: str = "Do it.", reason: str = "Because.", **fields: object) -> tuple[int, Play]:
    return 1, Play.model_validate({"when": when, "action": action, "reason": reason, "measure": "m", **fields})


def texts(slot: Slot) -> str:
    design = slot.design
    tested = (design.sentence, design.tenth_sentence, design.help, design.source) if design else ()
    words = (slot.action, slot.why, slot.channel, slot.moment, slot.message, slot.subject, slot.leave_out, slot.avoid)
    return " | ".join(filter(None, (*words, slot.prize, slot.needs, *tested)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_slot_is_filled_or_says_what_is_missing(kind: str) -> None:
    plans = load_kind(kind).plans()
    for slots in plans:
        assert tuple(slot.slot for slot in slots) == SLOTS
        for slot in slots:
            if slot.needs:
                assert slot.needs == NEEDS[slot.slot] and not slot.action
                continue
            assert slot.leave_out.startswith(("Those ", "Customers ")), slot.leave_out
            assert slot.action and slot.why and slot.channel and slot.moment and slot.kpi and slot.effort and slot.rule
            assert slot.action[0].isupper() and slot.action.endswith("."), slot.action
            assert NUMBER.search(slot.why), slot.why
    pairs = pairs_of(plans)
    assert len(pairs) == len(set(pairs))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_whole_and_say_nothing_that_is_forbidden(kind: str) -> None:
    for slots in load_kind(kind).plans():
        for slot in slots:
            text = texts(slot)
            assert not re.search(r"\bnan\b|\bNone\b|\binf\b|\{|\}|  ", text), text
            assert not re.search(r"Cannot be proved|True friends|Barnacle|Butterfl|Try one change", text), text
            assert not re.search(r"\.\.(?!\.)| ,|\bdetect a rise in churn", text), text


@pytest.mark.slow
def test_a_campaign_names_the_times_at_which_a_segment_buys_most() -> None:
    shop = load_kind("omnichannel")
    times = (BusyTime("weekday", "Saturday", 0.241, 0.152), BusyTime("month", "November", 0.14, 0.09))
    known = replace(shop, times=(times, *shop.times[1:])).plans()[0]
    plain = replace(shop, times=()).plans()[0]
    said = ", on a Saturday (24% of their purchase days; 15% for everyone), in November"
    for slot, without in zip(known, plain, strict=True):
        assert slot.moment == without.moment + (said if slot.slot == "campaign" else "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["survey", "bank", "subscription"])
def test_words_of_orders_stand_only_where_there_are_orders(kind: str) -> None:
    for slots in load_kind(kind).plans():
        for slot in slots:
            for text in (slot.why, slot.moment, slot.channel):
                assert not ORDERS.search(re.sub(r"[Ww]hen they order", "", text)), text


@pytest.mark.slow
def test_a_risk_is_never_to_rise() -> None:
    found = 0
    for kind in KINDS:
        for slots in load_kind(kind).plans():
            for slot in slots:
                if slot.design and slot.design.kpi in RISKS:
                    found += 1
                    assert slot.design.better == "less"
                    assert "detect a rise" not in slot.design.sentence
    assert found


@pytest.mark.slow
def test_the_prize_is_the_segments_value_times_the_shares_of_the_rule() -> None:
    shop = load_kind("shop")
    for segment, slots in zip(
        shop.profiles.segments, shop.plans([rule("segment.n > 0", prize=(0.02, 0.08))]), strict=True
    ):
        slot = slots[0]
        assert segment.value_total is not None
        assert slot.prize_low == float(f"{0.02 * segment.value_total:.2g}")
        assert slot.prize_high == float(f"{0.08 * segment.value_total:.2g}")
        assert "if 2% to 8% " in slot.prize and slot.prize_shares == (0.02, 0.08)


@pytest.mark.slow
def test_without_a_value_there_is_no_prize() -> None:
    for slots in load_kind("survey").plans():
        assert all(slot.prize == "" and slot.prize_low is None for slot in slots)


@pytest.mark.slow
def test_with_no_structure_there_is_no_plan() -> None:
    assert load_kind("bank").plans(verdict="none") == ((), (), ())
    assert all(load_kind("bank").plans(verdict="constructive"))


@pytest.mark.slow
def test_one_segment_has_a_plan() -> None:
    (slots,) = load_kind("subscription", 1).plans()
    assert len(slots) == 5 and all(slot.action or slot.needs for slot in slots)


def flat(kind: Kind, rate: float) -> Kind:
    """Give every customer the same outcome."""
    frame = kind.table.frame.assign(cancelled=rate)
    names = {"cancelled"}
    segments = tuple(
        replace(s, differences=tuple(
            replace(d, summary=replace(d.summary, mean=rate), z=0.0, ratio=1.0) if d.variable in names else d
            for d in s.differences
        ))
        for s in kind.profiles.segments
    )  # fmt: skip
    everyone = {
        name: replace(summary, mean=rate) if name in names else summary
        for name, summary in kind.profiles.everyone.items()
    }
    profiles = replace(kind.profiles, segments=segments, everyone=everyone)
    return replace(kind, table=replace(kind.table, frame=frame), profiles=profiles)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_an_outcome_that_all_or_none_have_is_no_baseline(rate: float) -> None:
    for slots in flat(load_kind("subscription"), rate).plans():
        assert len(slots) == 5
        for slot in slots:
            if slot.design and slot.design.baseline is not None:
                assert 0 < slot.design.baseline < 1


@pytest.mark.slow
def test_a_study_of_unknown_columns_gets_its_plan_from_the_strongest_traits() -> None:
    bank = load_kind("bank")
    known = [variable.name for variable in bank.table.variables]
    plain = {name: f"x{i}" for i, name in enumerate(known)}
    variables = tuple(replace(v, name=plain[v.name], label=f"Q{i}") for i, v in enumerate(bank.table.variables))
    segments = tuple(
        replace(s, differences=tuple(replace(d, variable=plain[d.variable]) for d in s.differences))
        for s in bank.profiles.segments
    )
    everyone = {plain[name]: summary for name, summary in bank.profiles.everyone.items()}
    profiles = replace(bank.profiles, segments=segments, everyone=everyone, categories=())
    table = replace(bank.table, frame=bank.table.frame.rename(columns=plain), variables=variables)
    plans = replace(bank, table=table, profiles=profiles).plans()
    assert all(len(slots) == 5 for slots in plans)
    pairs = pairs_of(plans)
    assert len(pairs) == len(set(pairs)) >= 12


def test_the_same_rule_for_all_gives_each_segment_a_reason_of_its_own() -> None:
    plans = load_kind("bank").plans([rule("segment.n > 0", reason="All of them: {segment.n}.")])
    assert len(set(pairs_of(plans))) == 3
    assert [slots[1].needs for slots in plans] == [NEEDS["recommendation"]] * 3
    same = load_kind("bank").plans([rule("segment.n > 0", reason="Because of one.")])
    assert len(set(pairs_of(same))) == 3


def test_another_rule_is_preferred_to_the_same_action() -> None:
    plays = [rule("segment.n > 0", "First.", "{segment.n}."), rule("segment.n > 0", "Second.", "{segment.n} of them.")]
    assert [slots[0].action for slots in load_kind("bank").plans(plays)] == ["First.", "Second.", "First."]


def test_a_rule_of_an_earlier_playbook_is_a_campaign_and_comes_first() -> None:
    roles = rule("balance.z > -9", "By role.", slot="campaign")
    column = rule("Balance.z > -9", "By column.", slot="campaign")
    old = rule("segment.n > 0", "Old.", "{segment.n} customers.")
    plans = load_kind("bank").plans([roles, column, old])
    assert [slots[0].action for slots in plans] == ["By column.", "Old.", "By role."]


@pytest.mark.slow
def test_stake_and_rate_of_an_earlier_playbook_give_prize_and_test() -> None:
    old = rule(
        "segment.n > 0", stake="0.1 * value.total", assuming="they buy a tenth more", rate="Response.mean",
        rate_of="who accept", lift=0.5,
    )  # fmt: skip
    shop = load_kind("shop")
    for segment, slots in zip(shop.profiles.segments, shop.plans([old]), strict=True):
        total = segment.value_total
        assert total is not None and slots[0].prize_low == slots[0].prize_high == float(f"{total / 10:.2g}")
        assert slots[0].prize.startswith("Worth about ") and slots[0].prize.endswith("they buy a tenth more.")
        assert slots[0].design is None or slots[0].design.source == "share who accept"


def test_a_rule_about_what_the_study_does_not_have_is_passed_over() -> None:
    plays = [
        rule("beer.z >= 0"),
        rule("segment.n > 0", reason="Beer: {beer.median}."),
        rule("segment.n > 0", "Second."),
    ]
    assert load_kind("bank").plans(plays)[0][0].action == "Second."


def test_a_formula_without_a_number_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match="line 1"):
        load_kind("bank").plans([rule("year(Balance.z) > 1")])


def test_the_rule_and_what_it_read_are_kept_for_the_command_line() -> None:
    slot = load_kind("bank").plans([rule("balance.z > -9 and segment.n > 0")])[0][0]
    assert slot.rule == "balance.z > -9 and segment.n > 0" and [name for name, _ in slot.values] == [
        "balance.z",
        "segment.n",
    ]
    assert "Balance" in slot.reads


@pytest.mark.slow
def test_the_largest_channel_that_reaches_them_carries_the_message() -> None:
    shop = load_kind("shop")
    for slots, mixes in zip(shop.plans(), shop.described().mixes, strict=True):
        channel = next(mix for mix in mixes if mix.theme == "channels")
        shares = {part.part: part.share for part in channel.parts}
        direct = max((part for part in shares if "store" not in part), key=lambda part: shares[part])
        by_rule = {play.channel for _, play in read_playbook(Path("templates/playbook.yml")) if play.channel}
        if slots[4].channel not in by_rule:
            assert ("Mail" if "catalogue" in direct else "E-mail and the website") == slots[4].channel


def test_plans_do_not_depend_on_the_order_of_customers() -> None:
    bank = load_kind("bank")
    order = np.random.default_rng(0).permutation(len(bank.labels))
    table = replace(bank.table, frame=bank.table.frame.iloc[order].reset_index(drop=True))
    plays = read_playbook(Path("templates/playbook.yml"))
    assert make_plans(plays, bank.described(), table, bank.labels[order], bank.study) == bank.plans()
