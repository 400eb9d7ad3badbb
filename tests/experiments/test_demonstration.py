"""The demonstration of the README: segments, a test of three of them, made-up outcomes and the site."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.cli import app
from analysis.experiments.records import find_experiment, judge, judge_segments
from analysis.report.model import read_report
from analysis.sources.synthetic.campaign import PLANTED
from tests.conftest import copy_project
from tests.experiments.finished import run
from tests.small_studies import build_quickly, render_and_check

README = Path(__file__).resolve().parents[2] / "README.md"


def commands() -> list[list[str]]:
    """Return the arguments of the commands in the README that take the test from start to result."""
    section = README.read_text(encoding="utf-8").split("## Test an action")[1].split("## ")[0]
    block = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return [line.split("-m analysis ")[1].split() for line in block[1].splitlines() if "-m analysis " in line]


@pytest.mark.slow
def test_the_loop_finds_the_lift_the_harm_and_nothing_where_they_were_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_project(tmp_path / "project")
    monkeypatch.chdir(root)
    monkeypatch.setenv("QUARTO_PROFILE", "loop")
    build_quickly(root, app=app)
    built, start, measure = commands()
    assert built == ["build"]
    run(*start)
    with pytest.raises(InputError, match="do not go together"):
        run(*measure, "--outcomes", "other.csv")
    said = run(*measure)
    test = find_experiment(root, "offer")
    letters = {s.slug: s.letter for s in read_report(root / "build/report.json").segments}
    found = {letters[slug]: verdict for (_, slug), verdict in judge_segments([test]).items()}
    assert found.pop("C") in ("useless", "open") and found == {"A": "helps", "B": "harms"}
    assert judge([test]) == {"offer": "mixed"} and "decide for each segment" in said
    assert test.results is not None
    # Not all customers of a segment are of the planted group, so its effect is a little weaker than the planted one.
    ratios = {letters[effect.segment]: effect.ratio for effect in test.results.effects[1:]}
    assert ratios["A"] == pytest.approx(PLANTED[1], abs=0.25) and ratios["B"] == pytest.approx(PLANTED[2], abs=0.15)
    outcomes = pd.read_csv(root / "build/demo/offer.csv")
    control = outcomes[(outcomes["contacted"] == "no") & (outcomes["orders"] > 0)]
    assert test.results.order_value == pytest.approx((control["spend"] / control["orders"]).mean(), rel=0.03)
    build_quickly(root, app=app)
    assert not render_and_check(root)
    page = html.unescape((root / "_site/site/learned.html").read_text(encoding="utf-8"))
    assert all(
        words in page
        for words in ("It works: extend it", "that is worth", "It does harm: stop it", "helps one segment and")
    )
    assert not re.search(r"C\d{6}", page)
