"""Progress of commands."""

from __future__ import annotations

from analysis.commands.progress import open_stage


def test_a_stage_lists_its_parts_and_no_counts() -> None:
    messages: list[str] = []
    with open_stage("Place", messages) as tell:
        for text in ("fits", "250,000 of 1,000,000", "1,000,000 of 1,000,000"):
            tell(text)
    assert [line.split()[0] for line in messages] == ["Place", "fits"]
