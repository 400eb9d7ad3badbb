"""Words about segments: unique names, safe addresses, actions with the number that fired, nothing undefined."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from analysis.base.errors import InputError
from analysis.clustering.evidence import Evidence, SegmentEvidence
from analysis.features.build import FeatureTable, Variable
from analysis.history.identity import NOTHING, Memory
from analysis.history.records import Identity
from analysis.profiles.profile import CategoryProfile, Difference, Profiles, SegmentProfile, Summary
from analysis.profiles.segment_map import SegmentMap
from analysis.segments import playbook
from analysis.segments.personas import COLOURS, Persona, slugify, write_personas
from analysis.segments.playbook import ALPHA, MOST_ACTIONS, POWER, find_misspelt, holdout_size, read_playbook
from analysis.settings.models import NameRule
from tests.stages import ROOT, project_study, run_stages, temporary_folder

PLAYBOOK = ROOT / "templates" / "playbook.yml"
SHORT = temporary_folder() / "short.yml"
SHORT.write_text(
    "- {when: segment.n > 0, action: Do, reason: 'All {segment.n}.', measure: m, avoid: a}\n", encoding="utf-8"
)
SOUND = SegmentEvidence(0.9, "highly stable", 0.3, 0.5)
NOWHERE = SegmentMap((0.5, 0.3), ("", ""), ("", ""), (1.0, 1.0), (), (), ())
VARIABLES = (
    Variable("spend", "Spend", "money", "descriptor", "spend", ("spend",), "", "", "", "auto", False),
    Variable(
        "wine", "Wine share", "share", "feature", "wine", ("wine",), "", "wine buyers", "non-wine buyers", "auto", False
    ),
    Variable("orders", "Orders", "count", "feature", "orders", ("orders",), "", "", "", "auto", False),
    Variable("child", "Has children", "yes_no", "feature", "child", ("child",), "", "parents", "", "auto", False),
)


def difference(name: str, z: float, marker: bool = True, mean: float = 0.5) -> Difference:
    return Difference(name, Summary(50, mean, mean, mean / 2, mean * 2), z, z - 0.1, z + 0.1, 1 + z / 4, marker, 97)


def profiles(*segments: tuple[float | None, list[Difference]]) -> Profiles:
    n = len(segments)
    everyone = {v.name: Summary(50 * n, 0.5, 0.5, 0.1, 0.9) for v in VARIABLES}
    found = tuple(
        SegmentProfile(i, 50, 1 / n, None if worth is None else 100 * worth, worth, tuple(differences))
        for i, (worth, differences) in enumerate(segments, 1)
    )
    return Profiles(everyone, found, (), NOWHERE, 0, 100.0, ())


def personas(
    found: Profiles,
    playbook: Path = PLAYBOOK,
    memory: Memory = NOTHING,
    variables: tuple[Variable, ...] = VARIABLES,
    verdict: str = "reproducible",
    **changes: Any,
) -> tuple[Persona, ...]:
    study = project_study().model_copy(update={"names": {}, "variables": {}, **changes})
    table, evidence = customers_of(found, variables), evidence_of(found, verdict)
    return write_personas(found, table, evidence, study, read_playbook(playbook), memory)


def customers_of(found: Profiles, variables: tuple[Variable, ...]) -> FeatureTable:
    """Make fifty customers for each segment who all have its means."""
    columns = {
        v.name: [
            next((d.summary.mean for d in segment.differences if d.variable == v.name), 0.5)
            for segment in found.segments
            for _ in range(50)
        ]
        for v in variables
    }
    return FeatureTable(pd.DataFrame(columns, dtype=float), variables)


def evidence_of(found: Profiles, verdict: str = "reproducible") -> Evidence:
    """Make evidence with labels for fifty customers a segment."""
    k = len(found.segments)
    labels = np.repeat(np.arange(1, k + 1), 50)
    return cast(Evidence, SimpleNamespace(labels=labels, segments=(SOUND,) * k, verdict=verdict))


def rules(folder: Path, text: str) -> Path:
    path = folder / "templates" / "playbook.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rule(when: str, reason: str = "Because.", action: str = "Do it") -> str:
    return f"- when: '{when}'\n  action: {action}\n  reason: '{reason}'\n  measure: m\n  avoid: a\n  effort: low\n"


def sentences(persona: Persona) -> list[str]:
    portrait = persona.portrait
    words = [persona.name, portrait.lead.text, *persona.not_all]
    words += [sentence.text for paragraph in portrait.paragraphs for sentence in paragraph.sentences]
    words += [text for pair in persona.typical for text in pair]
    return words + [text for a in persona.actions for text in (a.title, a.reason, a.measure, a.avoid)]


ANY_DIFFERENCE = st.builds(
    difference,
    st.sampled_from([v.name for v in VARIABLES]),
    st.floats(-3, 3),
    st.booleans(),
    st.floats(0, 1),
)
ANY_SEGMENT = st.tuples(
    st.none() | st.floats(0, 1), st.lists(ANY_DIFFERENCE, min_size=1, max_size=4, unique_by=lambda d: d.variable)
)


@settings(deadline=None, max_examples=80, phases=[Phase.explicit, Phase.generate])
@given(st.lists(ANY_SEGMENT, min_size=1, max_size=9))
def test_names_and_addresses_are_unique_and_no_word_is_undefined(
    segments: list[tuple[float | None, list[Difference]]],
) -> None:
    found = personas(profiles(*segments), SHORT)
    assert len({p.name for p in found}) == len(found)
    assert len({p.slug for p in found}) == len(found)
    for persona in found:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", persona.slug)
        for text in sentences(persona):
            assert text.strip()
            assert not re.search(r"\b(nan|None|inf)\b|\{|\}|  ", text), text


def test_the_twins_personas_read_well() -> None:
    stages = run_stages()
    assert len({p.slug for p in stages.personas}) == len(stages.personas)
    for persona in stages.personas:
        assert len(persona.actions) >= 2
        assert persona.portrait.paragraphs and persona.not_all and persona.markers
        assert persona.colour in COLOURS
        for text in sentences(persona):
            assert not re.search(r"\b(nan|None|inf)\b|\{|\}", text), text
        for action in persona.actions:
            assert re.search(r"\d", action.reason), action
    assert [p.letter for p in stages.personas] == list("ABCDEFGH"[: len(stages.personas)])


@settings(deadline=None)
@given(st.text())
def test_an_address_is_safe_whatever_the_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slugify(name))


def test_a_name_is_the_tier_and_the_strongest_marker_no_larger_segment_has() -> None:
    wine, few = difference("wine", 1.5, mean=0.8), difference("child", 0.9, mean=0.9)
    found = personas(profiles((0.7, [wine, few]), (0.2, [wine, few]), (0.1, [difference("wine", -2.0, mean=0.2)])))
    assert [p.name for p in found] == ["Premium wine buyers", "Low-spend parents", "Low-spend non-wine buyers"]
    assert [p.slug for p in found] == ["premium-wine-buyers", "low-spend-parents", "low-spend-non-wine-buyers"]


def test_a_segment_at_nothing_in_particular_still_has_a_name() -> None:
    found = personas(profiles((None, [difference("orders", 0.01, marker=False)])), value=None)
    assert found[0].name == "Typical customers"


def test_a_name_of_the_analysts_is_shown_and_the_address_stays() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    named = personas(found, names={"premium-wine-buyers": NameRule(called="Cellar club")})
    assert (named[0].name, named[0].slug) == ("Cellar club", "premium-wine-buyers")


def test_a_segment_that_goes_on_keeps_its_name_and_a_new_one_takes_none_that_was() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    first = personas(found)
    lost = Identity("premium-wine-buyers", "Premium wine buyers", "Q", "#000000", "2024-01-01", "Premium wine buyers")
    again = personas(found, memory=Memory((None, first[1].identity), (lost,), "2024-02-01"))
    assert (again[1].name, again[1].letter, again[1].today) == (first[1].name, "B", first[1].name)
    assert again[0].slug not in {first[1].slug, lost.slug} and again[0].letter == "A"
    assert personas(found, memory=Memory((None, None), (lost,), "2024-02-01"))[0].name == "Premium wine buyers 2"


def test_a_published_name_that_is_false_now_is_replaced_once_and_its_address_leads_on() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    wrong = Identity(
        "mid-value-wine-buyers", "Mid-value wine buyers", "Q", "#000000", "2024-01-01", "Mid-value wine buyers"
    )
    second = personas(found, memory=Memory((None, wrong), (), "2024-02-01"))[1]
    assert (second.name, second.letter) == ("Low-spend non-wine buyers", "Q")
    assert second.identity.former == ("mid-value-wine-buyers",)
    assert personas(found, memory=Memory((None, second.identity), (), "2024-03-01"))[1].identity == second.identity


def test_a_noun_is_true_for_most_members_and_for_more_of_them_than_of_everyone() -> None:
    few = difference("wine", 0.9, mean=0.45)
    found = personas(profiles((0.7, [few, difference("child", 0.9, mean=0.3)]), (0.3, [difference("wine", 0.1)])))
    assert found[0].name == "Premium customers", "below everyone's median, whatever the mean"


def test_without_structure_groups_have_letters_and_no_name() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    assert [p.name for p in personas(found, verdict="none")] == ["Group A", "Group B"]
    kept = Identity("group-a", "Group A", "A", "#000000", "2024-01-01", "Group A")
    again = personas(found, memory=Memory((kept, None), (), "2024-02-01"))
    assert again[0].name == "Premium wine buyers" and again[0].identity.former == ("group-a",)


def test_an_action_quotes_the_number_that_made_it_appear(tmp_path: Path) -> None:
    text = rule("wine.z >= 1", "Wine is {wine.median} (everyone {wine.everyone}), {value.share} of spend, {segment.n}.")
    found = personas(
        profiles((0.7, [difference("wine", 1.5, mean=0.42)]), (0.3, [difference("wine", 0.5)])), rules(tmp_path, text)
    )
    assert [a.reason for a in found[0].actions] == ["Wine is 42% (everyone 50%), 70% of spend, 50."]
    assert [a.rule for a in found[0].actions] == ["wine.z >= 1"]
    assert found[1].actions == ()


def test_the_twins_actions_fired_by_the_numbers_they_quote() -> None:
    stages = run_stages()
    formats = stages.report.formats()
    for segment in stages.report.segments:
        for action in segment.actions:
            if "Response.ratio" in action.rule:
                own = segment.difference("Response")
                assert own is not None and own.ratio >= 1.25
                assert formats.percent(own.summary.mean) in action.reason


def test_a_rule_about_a_variable_the_study_does_not_have_is_passed_over(tmp_path: Path) -> None:
    text = rule("beer.z >= 0") + rule("wine.z >= 0", "Beer is {beer.median}.") + rule("wine.z >= 0", "Yes.", "Second")
    found = personas(profiles((0.7, [difference("wine", 1.5)])), rules(tmp_path, text))
    assert [a.title for a in found[0].actions] == ["Second"]


def test_a_name_all_but_spelt_as_a_variable_is_told_with_its_line(tmp_path: Path) -> None:
    text = "".join(rule(f"{name}.z > 0") for name in ("orders", "incme", "web_visits"))
    plays = read_playbook(rules(tmp_path, text))
    told = find_misspelt(plays, ["orders", "income", "spend"])
    assert told == [
        "templates/playbook.yml, line 7: the study has no 'incme', so the rule is passed over. Did you mean 'income'?"
    ]


def test_no_more_actions_than_a_page_holds(tmp_path: Path) -> None:
    found = personas(profiles((0.7, [difference("wine", 1.5)])), rules(tmp_path, rule("wine.z > 0") * 9))
    assert len(found[0].actions) == MOST_ACTIONS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- when: a: b\n", "templates/playbook.yml, line 1: not valid YAML."),
        ("- action: x\n", "templates/playbook.yml, line 1: field when: field required."),
        (rule("wine.z > 0") + rule("wine.z >"), 'templates/playbook.yml, line 7: formula "wine.z >" is not a complete'),
        (rule("open(wine.z)"), "templates/playbook.yml, line 1: formula \"open(wine.z)\": unknown function 'open'"),
        (
            rule("wine.z > 0") + "  cost: 3\n",
            "templates/playbook.yml, line 7: field cost: unknown field.",
        ),
        ("when: x\n", "templates/playbook.yml"),
        ("- just words\n", "templates/playbook.yml, line 1"),
        ("just words\n", "templates/playbook.yml"),
        (rule("max() > 1"), 'templates/playbook.yml, line 1: formula "max() > 1" cannot be computed'),
        (rule("year(wine.z) > 1"), 'templates/playbook.yml, line 1: formula "year(wine.z) > 1" cannot be computed'),
        (
            rule("wine.z > 1 and wine.z < 0.5"),
            'templates/playbook.yml, line 1: "wine.z > 1 and wine.z < 0.5" contradicts itself',
        ),
        (
            rule("not (segment.n >= 1)"),
            'templates/playbook.yml, line 1: "not (segment.n >= 1)" can never hold: segment.n is 1 or more.',
        ),
        (
            rule("wine.z > 0 and (segment.share > 1 or segment.stability > 1)"),
            'templates/playbook.yml, line 1: "wine.z > 0 and (segment.share > 1 or segment.stability > 1)" can',
        ),
        (rule("wine.z / (1 - 1) > 1"), 'templates/playbook.yml, line 1: "wine.z / (1 - 1) > 1" divides by zero.'),
        (
            rule("segment.shar > 0.1"),
            "templates/playbook.yml, line 1: unknown name 'segment.shar'; available: segment.share",
        ),
        (rule("wine > 0.1"), "templates/playbook.yml, line 1: 'wine' is not a number of a segment; write for example"),
        (rule("wine.z > 0", "{value.shar}"), "templates/playbook.yml, line 3: unknown name 'value.shar'"),
    ],
)
def test_a_playbook_that_cannot_be_used_is_told_with_file_and_rule(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        personas(profiles((0.7, [difference("wine", 1.5)])), rules(tmp_path, text))
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) <= 5


def test_every_fault_of_a_playbook_is_told_at_once(tmp_path: Path) -> None:
    text = rule("wine.z > 1 and wine.z < 0") + rule("wine.z / 0 > 1") + rule("segment.n < 1")
    with pytest.raises(InputError) as caught:
        read_playbook(rules(tmp_path, text))
    assert re.findall(r"line (\d+)", str(caught.value)) == ["1", "7", "13"]


def test_what_is_at_stake_and_the_test_follow_from_the_segments_numbers(tmp_path: Path) -> None:
    own = difference("child", 0.9, mean=0.2)
    text = rule("child.z > 0") + "  stake: 0.1 * value.total\n  assuming: they buy a tenth more\n"
    text += "  rate: child.mean\n  rate_of: with children\n  lift: 0.5\n"
    found = profiles((0.7, [own, difference("wine", 1.0)]), (0.3, [own, difference("wine", -1.0)]))
    total = found.segments[0].value_total
    assert total is not None
    small = personas(found, rules(tmp_path, text))
    of_all = tuple(replace(d, summary=replace(d.summary, n=5_000)) for d in found.segments[0].differences)
    large = replace(found.segments[0], n=5_000, differences=of_all)
    action = small[0].actions[0]
    assert action.stake.startswith(f"About {total / 10:,.0f} of ") and action.stake.endswith("they buy a tenth more.")
    size = holdout_size(0.2, 0.3)
    assert action.proof.startswith("Cannot be proved in this segment: a rise from 20% to 30% with children")
    assert f"{size} customers who get the change" in action.proof
    enough = personas(replace(found, segments=(large, found.segments[1])), rules(tmp_path, text))[0].actions[0]
    assert enough.proof.startswith(f"{size} customers with the change and as many without it show a rise from 20")


@pytest.mark.parametrize(("before", "after"), [(0.14, 0.18), (0.02, 0.03), (0.5, 0.4), (0.8, 0.84), (0.3, 0.9)])
def test_sizes_of_tests_are_those_of_statsmodels(before: float, after: float) -> None:
    effect = proportion_effectsize(after, before)
    size = NormalIndPower().solve_power(effect, alpha=ALPHA, power=POWER, ratio=1)
    assert holdout_size(before, after) == pytest.approx(size, rel=0.01, abs=1)


def test_the_least_rise_is_the_one_whose_size_is_there() -> None:
    for rate in (0.05, 0.3, 0.8):
        least = playbook._least_rise(rate, 400)
        assert holdout_size(rate, least) == pytest.approx(400, abs=1)


def test_the_share_of_a_level_can_be_named(tmp_path: Path) -> None:
    found = profiles((0.7, [difference("wine", 1.5)]), (0.3, [difference("wine", -1.5)]))
    groups = CategoryProfile(
        "orders",
        ("At risk", "New"),
        (0.2, 0.8),
        ((0.5, 0.5), (0.1, 0.9)),
        ((2.5, 0.6), (0.5, 1.1)),
        ((4.0, -2.0), (-1.0, 1.0)),
    )
    text = rule("orders.at_risk >= 0.2 and orders.at_risk_lift > 2", "{orders.at_risk} at risk.")
    written = personas(replace(found, categories=(groups,)), rules(tmp_path, text))
    assert [[a.reason for a in p.actions] for p in written] == [["50% at risk."], []]


def test_a_playbook_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"playbook\.yml does not exist"):
        personas(profiles((0.7, [difference("wine", 1.5)])), tmp_path / "playbook.yml")


def test_an_empty_playbook_gives_no_actions(tmp_path: Path) -> None:
    found = personas(profiles((0.7, [difference("wine", 1.5)])), rules(tmp_path, ""))
    assert found[0].actions == ()


def test_who_they_are_not_names_the_minority() -> None:
    child = difference("child", 0.9, mean=0.7)
    found = personas(profiles((0.5, [child, difference("wine", 1.0, mean=0.4)]), (0.5, [difference("wine", -1.0)])))
    assert "Has children: Three in ten of them say no (30%)." in found[0].not_all
    assert "Wine share: high as a group, but one in ten is at 20% or less." in found[0].not_all
    assert "Wine share: low as a group, but one in ten is at 100% or more." in found[1].not_all


def test_small_segments_are_not_counted_out() -> None:
    found = profiles((0.5, [difference("wine", 1.0)]), (0.5, [difference("wine", -1.0)]))
    few = replace(found, segments=(replace(found.segments[0], n=4), found.segments[1]))
    assert personas(few)[0].portrait.facts[0].figure == "fewer than 10"


def test_a_segment_close_to_everyone_is_not_called_different() -> None:
    written = personas(profiles((None, [difference("wine", 0.2, marker=False, mean=0.55)])), value=None)[0]
    assert written.name == "Typical customers"
    assert written.portrait.lead.text.startswith("They are close to all customers") and written.not_all == ()


def test_an_end_that_is_the_middle_tells_of_nobody_else() -> None:
    low = replace(difference("wine", -1.0), summary=Summary(50, 0.1, 0.0, 0.0, 0.0))
    assert personas(profiles((None, [low])), value=None)[0].not_all == ()
    high = replace(difference("wine", 1.0), summary=Summary(50, 0.7, 0.8, 0.0, 0.9))
    assert personas(profiles((None, [high])), value=None)[0].not_all == (
        "Wine share: high as a group, but one in ten is at 0%.",
    )


def known_for(name: str, z: float, n: int, mean: float = 0.5) -> Difference:
    return replace(difference(name, z, mean=mean), summary=Summary(n, mean, mean, mean / 2, 2 * mean))


def test_a_trait_that_fewer_than_half_have_is_not_typical_and_the_others_say_how_many_have_it() -> None:
    found = profiles((None, [known_for("wine", 1.0, 20), known_for("orders", 0.9, 35, 7.0), difference("child", 0.8)]))
    written = personas(found, value=None)[0]
    texts = " ".join(sentences(written))
    assert "Wine share" not in texts and "wine share" not in texts
    assert ("Orders", "7 (known for 35)") in written.typical
    assert dict(written.typical)["Has children"] == "yes (yes for 50%)", "nothing is said where all have a value"


def action_of(tmp_path: Path, n: int, rate: float, more: str = "") -> str:
    text = rule("child.z > 0") + "  rate: child.mean\n  rate_of: with children\n" + more
    own = replace(difference("child", 0.9), summary=Summary(n, rate, rate, 0, 1))
    found = profiles((None, [own, known_for("orders", 1.0, n, 7.0)]))
    found = replace(found, segments=(replace(found.segments[0], n=n),))
    return personas(found, rules(tmp_path, text), value=None)[0].actions[0].proof


@pytest.mark.parametrize("rate", [0.1, 0.0312, 0.1449, 0.301, 0.5, 0.749])
def test_the_size_of_a_test_follows_from_the_shares_that_are_printed(tmp_path: Path, rate: float) -> None:
    text = action_of(tmp_path, 100_000, rate)
    (each,) = [int(x.replace(",", "")) for x in re.findall(r"^([\d,]+) customers", text)]
    before, after = (float(x) / 100 for x in re.findall(r"([\d.]+)%", text))
    assert each == holdout_size(before, after)
    few = action_of(tmp_path, 200, rate)
    assert few.startswith("Cannot be proved")
    before, _, least = (float(x) / 100 for x in re.findall(r"([\d.]+)%", few))
    assert holdout_size(before, least) <= 100, "the rise that halves are said to show, they show"


def test_a_share_of_visits_is_tested_on_visits(tmp_path: Path) -> None:
    counted = "  rate_unit: visits\n  rate_count: orders.mean * segment.n\n"
    text = action_of(tmp_path, 500, 0.1, counted)
    assert "customers" not in text
    assert text.startswith("Cannot be proved") and "and there are about 3,500 visits in all" in text
    assert re.match(r"[\d,]+ visits with the change", action_of(tmp_path, 5_000, 0.1, counted))
    assert re.match(r"[\d,]+ visits with the change", action_of(tmp_path, 500, 0.1, "  rate_unit: visits\n"))


def test_the_playbook_says_whose_a_median_is_and_asks_visits_of_visits() -> None:
    for _, play in read_playbook(PLAYBOOK):
        if ".median}" in play.reason:
            assert re.search(r"typical", play.reason), play.reason
            assert not re.search(r"\.median\} (of|on) (their|its)|of their", play.reason), play.reason
        assert "average" not in play.reason
        if "visits" in play.rate_of:
            assert play.rate_unit == "visits"
