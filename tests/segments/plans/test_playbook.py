"""Rules of the playbook: what is refused, with file and line, and what the project's own rules may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.base.errors import InputError
from analysis.segments.plans.playbook import SLOTS, find_misspelt, read_playbook
from tests.conftest import ROOT

PLAYBOOK = ROOT / "templates" / "playbook.yml"


def rules(folder: Path, text: str) -> Path:
    path = folder / "templates" / "playbook.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rule(when: str, reason: str = "Because.", action: str = "Do it") -> str:
    return f"- when: '{when}'\n  action: {action}\n  reason: '{reason}'\n  measure: m\n  avoid: a\n  effort: low\n"


def test_a_name_all_but_spelt_as_a_variable_is_told_with_its_line(tmp_path: Path) -> None:
    text = "".join(rule(f"{name}.z > 0") for name in ("orders", "incme", "web_visits"))
    plays = read_playbook(rules(tmp_path, text))
    told = find_misspelt(plays, ["orders", "income", "spend"])
    assert told == [
        "templates/playbook.yml, line 7: the study has no 'incme', so the rule is passed over. Did you mean 'income'?"
    ]


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
        read_playbook(rules(tmp_path, text))
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) <= 5


def test_every_fault_of_a_playbook_is_told_at_once(tmp_path: Path) -> None:
    text = rule("wine.z > 1 and wine.z < 0") + rule("wine.z / 0 > 1") + rule("segment.n < 1")
    with pytest.raises(InputError) as caught:
        read_playbook(rules(tmp_path, text))
    assert re.findall(r"line (\d+)", str(caught.value)) == ["1", "7", "13"]


def test_a_playbook_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"playbook\.yml does not exist"):
        read_playbook(tmp_path / "playbook.yml")


def test_slots_tests_and_prizes_are_checked(tmp_path: Path) -> None:
    for field, message in (
        ("slot: campain", "field slot: input should be 'campaign', 'recommendation'"),
        ("test: respons", "unknown KPI 'respons'"),
        ("prize: [0.5, 0.1]", "field prize: the lower share comes first"),
        ("prize: [0.5, 7]", "field prize: input should be less than or equal to 1"),
        ("say: '{prodct}'", "'prodct' is not a number of a segment"),
        ("say: '{product.shar}'", "unknown name 'product.shar'"),
    ):
        with pytest.raises(InputError) as caught:
            read_playbook(rules(tmp_path, rule("wine.z > 0") + f"  {field}\n"))
        assert str(caught.value).startswith("templates/playbook.yml, line ") and message in str(caught.value)


def test_the_playbook_fills_every_slot_and_tests_every_action() -> None:
    plays = [play for _, play in read_playbook(PLAYBOOK)]
    assert {play.slot for play in plays} == set(SLOTS)
    for play in plays:
        assert play.test and play.say and play.subject and (play.leave_out or play.avoid), play.action
        assert (play.prize is None) == (play.assuming == ""), play.action
        assert not re.search(r"barnacle|butterfl|true friend|stranger", play.action, re.IGNORECASE)


@pytest.mark.slow
def test_the_playbook_reads_roles_not_columns() -> None:
    assert not any(play.is_specific() for _, play in read_playbook(PLAYBOOK))
