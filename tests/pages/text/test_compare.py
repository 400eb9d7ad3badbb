"""The tables of the Compare page: every number beside its group, and p-values only where they mean something."""

from __future__ import annotations

from dataclasses import replace

from analysis.pages.text import compare
from analysis.profiles.contrasts import Contrast
from tests.stages import run_stages


def test_tests_are_told_in_words_and_circular_ones_have_no_p_value() -> None:
    report = replace(
        run_stages().report,
        contrasts=(
            Contrast("spend", "Kruskal-Wallis", "ε²", 0.7, "large", None),
            Contrast("Education", "chi-square", "V", 0.004, "negligible", 0.0412),
            Contrast("age", "Kruskal-Wallis", "ε²", 0.08, "medium", 1e-12),
        ),
    )
    assert compare.tests(report).rows == (
        ("Total spend", "none", "large", "ε² = 0.70", "–"),
        ("Education", "chi-square", "negligible", "V < 0.01", "0.041"),
        ("Age", "Kruskal-Wallis", "medium", "ε² = 0.08", "< 0.001"),
    )
    assert compare.untested(report)


def test_every_variable_stands_beside_every_group() -> None:
    report = run_stages().report
    lines = compare.side_by_side(report)
    assert {line.label for line in lines} == {report.variable(name).label for name in report.everyone}
    groups = compare.columns(report)
    assert groups[0] == "Everyone" and len(groups) == len(report.segments) + 1
    assert all(len(line.texts) == len(line.places) == len(groups) for line in lines)
    age = next(line for line in lines if line.label == "Age")
    base = report.everyone["age"]
    assert age.texts[0] == f"{base.median:.0f} years ({base.p10:.0f} to {base.p90:.0f} years)"
    assert age.places[0] == "0" and float(age.places[1]) == round(report.segments[0].difference("age").z, 2)  # type: ignore[union-attr]
