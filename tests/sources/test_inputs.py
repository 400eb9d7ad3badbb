"""What stands for tables and settings in the key of a cached result."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from analysis.settings.models import CardChoices, NameRule, ProofChoices, Study
from analysis.sources.inputs import ABOUT, Inputs
from analysis.sources.tables import RawTable
from tests.conftest import ROOT
from tests.stages import project_study

TABLE = RawTable("orders", pd.DataFrame({"a": [1, 2]}), (), 2, "digest", (), "orders.csv")
BELOW = ("base", "sources", "customers", "features", "clustering", "assignment")
"""Packages whose results are cached by this key, and those that they import."""


def mark(table: RawTable = TABLE, **settings: Any) -> str:
    return Inputs((table,)).mark(project_study().model_copy(update=settings))


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"names": {"a": NameRule(called="Big spenders")}},
        {"card": CardChoices(owner="Marketing")},
        {"assumptions": {"conversion": 0.2}},
    ],
)
def test_words_about_the_segments_do_not_change_the_key(change: dict[str, Any]) -> None:
    assert mark(**change) == mark()


@pytest.mark.parametrize(
    "change",
    [
        {"segments": 5},
        {"seed": 1},
        {"locale": "de"},
        {"min_cell": 11},
        {"sources": ()},
        {"proof": ProofChoices(recency="Recency")},
        {"prefer": "use"},
    ],
)
def test_settings_that_numbers_or_their_format_depend_on_change_the_key(change: dict[str, Any]) -> None:
    assert mark(**change) != mark()


@pytest.mark.parametrize("change", [{"sha256": "other"}, {"name": "sales"}, {"n_rows": 3}])
def test_another_table_changes_the_key(change: dict[str, Any]) -> None:
    assert mark(replace(TABLE, **change)) != mark()


def test_no_stage_with_that_key_reads_a_setting_that_is_not_in_it() -> None:
    assert set(Study.model_fields) > ABOUT
    read = re.compile(rf"study\.({'|'.join(sorted(ABOUT))})\b")
    modules = [path for room in BELOW for path in (ROOT / "analysis" / room).rglob("*.py")]
    found = [(path.name, read.findall(path.read_text(encoding="utf-8"))) for path in modules]
    assert [each for each in found if each[1]] == []
