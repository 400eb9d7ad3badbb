"""Made-up files of all kinds, forms and languages are read rightly, or asked about where they leave a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.sources.unknown.readings import describe_reading
from tests.cases import corpus, found, languages, spans, weighed, writings
from tests.cases.corpus import Case
from tests.cases.run import ASKED, RIGHT, compare

CASES = [*corpus.cases(), *languages.cases(), *writings.cases(), *spans.cases(), *found.cases(), *weighed.cases()]
EVERY = 4
"""The quick tests read every fourth file."""
PARAMETERS = [
    pytest.param(case, id=case.name, marks=pytest.mark.slow if i % EVERY else ()) for i, case in enumerate(CASES)
]


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_file_is_read_rightly_or_asked_about(case: Case, tmp_path: Path) -> None:
    (tmp_path / case.name).write_bytes(case.data)
    state, why = compare(describe_reading(case.name, tmp_path), case.expect)
    assert state == (ASKED if case.ask else RIGHT), why


def test_files_are_small() -> None:
    assert len(CASES) >= 350 and max(len(case.data) for case in CASES) <= 32_000
