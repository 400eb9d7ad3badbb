"""Numbers on pages: readable, never 'nan', never a small count."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.formats import Formats, in_words, joined

UNITS = ("money", "count", "share", "days", "years", "yes_no", "number", "category")


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(-1e15, 1e15) | st.sampled_from([math.nan, math.inf, -math.inf]) | st.none(), st.sampled_from(UNITS))
def test_any_number_has_words_and_none_is_a_dash(x: float | None, unit: str) -> None:
    text = Formats("€").value(x, unit)
    assert text
    assert "nan" not in text and "inf" not in text and "None" not in text
    if x is None or not math.isfinite(x):
        assert text == "–"


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(-1e12, 1e12))
def test_a_plain_number_keeps_two_significant_digits(x: float) -> None:
    text = Formats().plain(x)
    assert float(text.replace(",", "")) == pytest.approx(x, rel=0.06, abs=0.0006)
    assert not text.startswith("-0") or float(text) != 0
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("x", "unit", "text"),
    [
        (0.4567, "share", "46%"),
        (0.0, "share", "0%"),
        (0.0004, "share", "0.0%"),
        (1183.4, "money", "€1,183"),
        (100.0, "count", "100"),
        (0.001, "number", "0.001"),
        (30.0, "days", "30 days"),
        (45.5, "years", "45.5 years"),
        (1.0, "yes_no", "100%"),
    ],
)
def test_a_number_reads_with_its_unit(x: float, unit: str, text: str) -> None:
    assert Formats("€").value(x, unit) == text


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(0, 100), st.integers(2, 30))
def test_a_small_count_is_never_printed(n: int, min_cell: int) -> None:
    text = Formats(min_cell=min_cell).people(n)
    assert text == (f"fewer than {min_cell}" if 0 < n < min_cell else str(n))


def test_ratios_read_as_words() -> None:
    formats = Formats()
    assert formats.times(1.04) == "about the same as"
    assert formats.times(0.5) == "50% of"
    assert formats.times(3.04) == "3 times"


def test_lists_read_as_sentences() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [in_words(0), in_words(10), in_words(11), in_words(-1)] == ["no", "ten", "11", "-1"]
