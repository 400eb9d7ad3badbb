"""Words about segments: unique names, safe addresses, nothing undefined."""

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

from analysis.clustering.evidence import Evidence, SegmentEvidence
from analysis.features.build import FeatureTable, Variable
from analysis.past.identity import NOTHING, Memory
from analysis.past.records import Identity
from analysis.profiles.profile import Difference, Profiles, SegmentProfile, Summary
from analysis.profiles.segment_map import SegmentMap
from analysis.segments.personas import COLOURS, Persona, slugify, write_personas
from analysis.segments.plans.playbook import read_playbook
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
    summary, side = Summary(50, mean, mean, mean / 2, mean * 2), int(np.sign(z))
    return Difference(name, summary, z, z - 0.1, z + 0.1, 1 + z / 4, marker, 97, z, side)


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


def sentences(persona: Persona) -> list[str]:
    portrait = persona.portrait
    words = [persona.name, portrait.lead.text, *persona.not_all]
    words += [sentence.text for paragraph in portrait.paragraphs for sentence in paragraph.sentences]
    words += [text for pair in persona.typical for text in pair]
    return words + [text for slot in persona.plan for text in (slot.action, slot.why, slot.kpi, slot.leave_out) if text]


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


@pytest.mark.slow
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
        assert len(persona.plan) == 5
        assert persona.portrait.paragraphs and persona.not_all and persona.markers
        assert persona.colour in COLOURS
        for text in sentences(persona):
            assert not re.search(r"\b(nan|None|inf)\b|\{|\}", text), text
        for slot in persona.plan:
            assert slot.why or slot.needs, slot
    assert [p.letter for p in stages.personas] == list("ABCDEFGH"[: len(stages.personas)])


@pytest.mark.slow
@settings(deadline=None)
@given(st.text())
def test_an_address_is_safe_whatever_the_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slugify(name))


@pytest.mark.slow
def test_a_name_is_the_tier_and_the_strongest_marker_no_larger_segment_has() -> None:
    wine, few = difference("wine", 1.5, mean=0.8), difference("child", 0.9, mean=0.9)
    found = personas(profiles((0.7, [wine, few]), (0.2, [wine, few]), (0.1, [difference("wine", -2.0, mean=0.2)])))
    assert [p.name for p in found] == ["Premium wine buyers", "Low-spend parents", "Low-spend non-wine buyers"]
    assert [p.slug for p in found] == ["premium-wine-buyers", "low-spend-parents", "low-spend-non-wine-buyers"]


def test_a_segment_at_nothing_in_particular_still_has_a_name() -> None:
    found = personas(profiles((None, [difference("orders", 0.01, marker=False)])), value=None)
    assert found[0].name == "Typical customers"


@pytest.mark.slow
def test_a_name_of_the_analysts_is_shown_and_the_address_stays() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    named = personas(found, names={"premium-wine-buyers": NameRule(called="Cellar club")})
    assert (named[0].name, named[0].slug) == ("Cellar club", "premium-wine-buyers")


@pytest.mark.slow
def test_a_segment_that_goes_on_keeps_its_name_and_a_new_one_takes_none_that_was() -> None:
    found = profiles((0.7, [difference("wine", 1.5, mean=0.8)]), (0.3, [difference("wine", -1.5, mean=0.2)]))
    first = personas(found)
    lost = Identity("premium-wine-buyers", "Premium wine buyers", "Q", "#000000", "2024-01-01", "Premium wine buyers")
    again = personas(found, memory=Memory((None, first[1].identity), (lost,), "2024-02-01"))
    assert (again[1].name, again[1].letter, again[1].today) == (first[1].name, "B", first[1].name)
    assert again[0].slug not in {first[1].slug, lost.slug} and again[0].letter == "A"
    assert personas(found, memory=Memory((None, None), (lost,), "2024-02-01"))[0].name == "Premium wine buyers 2"


@pytest.mark.slow
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


def test_who_they_are_not_names_the_minority() -> None:
    child = difference("child", 0.9, mean=0.7)
    found = personas(profiles((0.5, [child, difference("wine", 1.0, mean=0.4)]), (0.5, [difference("wine", -1.0)])))
    assert "Three in ten do not have children." in found[0].not_all
    assert "One in ten is at 20% or less in “Wine share”." in found[0].not_all
    assert "One in ten is at 100% or more in “Wine share”." in found[1].not_all


@pytest.mark.slow
def test_small_segments_are_not_counted_out() -> None:
    found = profiles((0.5, [difference("wine", 1.0)]), (0.5, [difference("wine", -1.0)]))
    few = replace(found, segments=(replace(found.segments[0], n=4), found.segments[1]))
    assert personas(few)[0].portrait.facts[0].figure == "fewer than 10"


def test_a_segment_close_to_everyone_is_not_called_different() -> None:
    written = personas(profiles((None, [difference("wine", 0.2, marker=False, mean=0.55)])), value=None)[0]
    assert written.name == "Typical customers"
    assert written.portrait.lead.text.startswith("They are close to all customers") and written.not_all == ()


@pytest.mark.slow
def test_an_end_that_is_the_middle_tells_of_nobody_else() -> None:
    low = replace(difference("wine", -1.0), summary=Summary(50, 0.1, 0.0, 0.0, 0.0))
    assert personas(profiles((None, [low])), value=None)[0].not_all == ()
    high = replace(difference("wine", 1.0), summary=Summary(50, 0.7, 0.8, 0.0, 0.9))
    assert personas(profiles((None, [high])), value=None)[0].not_all == ("One in ten is at 0% in “Wine share”.",)


def known_for(name: str, z: float, n: int, mean: float = 0.5) -> Difference:
    return replace(difference(name, z, mean=mean), summary=Summary(n, mean, mean, mean / 2, 2 * mean))


def test_a_trait_that_fewer_than_half_have_is_not_typical_and_the_others_say_how_many_have_it() -> None:
    found = profiles((None, [known_for("wine", 1.0, 20), known_for("orders", 0.9, 35, 7.0), difference("child", 0.8)]))
    written = personas(found, value=None)[0]
    texts = " ".join(sentences(written))
    assert "Wine share" not in texts and "wine share" not in texts
    assert ("Orders", "7 (known for 35)") in written.typical
    assert dict(written.typical)["Has children"] == "yes (yes for 50%)", "nothing is said where all have a value"
