"""Trials on customers whose truth is known: what is drawn, what is stored, and the page that shows it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.base.errors import InputError
from analysis.clustering import selection
from analysis.pages.book import write_pages
from analysis.pages.charts.tool import validation as validation_charts
from analysis.pages.text.tool import validation
from analysis.report.model import VERDICTS, from_json, to_json
from analysis.report.trials import RESULTS, Groupless, Planted, Published, Rate, Validation, Way, read_validation
from tests.stages import ROOT, plain_pages, run_stages
from tests.validation.__main__ import HONEST, LEVELS, SHAPED, said_so, summarise_trials
from tests.validation.customers import CONDITIONS, REPORTED, TUNED, draw_customers
from tests.validation.rivals import Answer
from tests.validation.trials import RECOVERABLE, Trial, run_trial

WITH_GROUPS = [name for name, condition in CONDITIONS.items() if condition.ks]
FEW, MANY = Rate(11, 20, 0.34, 0.74), Rate(19, 20, 0.76, 0.99)
ALL, NONE = Rate(100, 100, 0.96, 1.0), Rate(0, 100, 0.0, 0.04)
COUNTS = {"natural": 0, "reproducible": 2, "constructive": 38, "none": 60}


def made_up() -> Validation:
    """Give results with a weak condition, a rival that is better at it, and groups beyond centres."""
    planted = Planted("round", "Round groups", "as planted", False, 20, MANY, 0.97, 0.99, COUNTS, {"other": FEW})
    return Validation(
        right=Rate(30, 40, 0.6, 0.86),
        of_oracle=0.98,
        said_so=Rate(98, 100, 0.93, 0.99),
        recoverable=RECOVERABLE,
        data="customers.csv",
        planted=(
            planted,
            replace(planted, name="long", title="Long groups", right=FEW, rivals={"other": MANY}),
            replace(planted, name="rings", title="Rings", beyond=True, agreement=0.4),
        ),
        groupless=(Groupless("even", "Evenly spread", "no groups", False, False, Rate(98, 100, 0.93, 0.99), COUNTS),),
        ways=(
            Way("own", "This project", "all evidence", MANY, 0.97, ALL, 5.0, 21.0, 4),
            Way("other", "Another way", "something else", FEW, 0.98, NONE, 0.01, 0.4, 2),
        ),
        published=(Published("A number", "Somebody 2001", "0.50", "0.51"),),
        rule={},
        versions={"python": "3.11"},
    )


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    """Read the stored results, or skip."""
    if not (ROOT / RESULTS).is_file():
        pytest.skip("there are no results yet: make validate writes them")
    return json.loads((ROOT / RESULTS).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_seed_draws_the_same_customers_and_another_others(name: str) -> None:
    (first, k), (again, _), (other, _) = (draw_customers(name, *seed) for seed in ((3, 4), (3, 4), (5, 4)))
    assert first.table.frame.equals(again.table.frame)
    assert not first.table.frame.equals(other.table.frame)
    assert len(set(first.truth.tolist()) - {-1}) == max(k, 1)
    assert REPORTED != TUNED


@pytest.mark.parametrize("name", WITH_GROUPS)
def test_an_oracle_recovers_most_draws_and_every_number_of_groups_is_planted(name: str) -> None:
    found = [draw_customers(name, 3, draw) for draw in range(7)]
    inside = [c.truth >= 0 for c, _ in found]
    oracles = [adjusted_rand_score(c.truth[i], c.oracle[i]) for (c, _), i in zip(found, inside, strict=True)]
    assert np.mean(np.array(oracles) >= RECOVERABLE) >= 0.8
    assert {k for _, k in found} == set(CONDITIONS[name].ks)


def test_only_draws_that_the_oracle_recovers_count() -> None:
    answers = {name: Answer(3, 0.9, 0.1) for name in ("silhouette", "hdbscan", "bic")}
    right, wrong = Answer(3, 0.9, 1.0), Answer(2, 0.5, 1.0)
    draws = [
        Trial(0, 3, 0.95, right, "kmeans", "natural", False, answers),
        Trial(1, 3, 0.95, wrong, "kmeans", "reproducible", False, answers),
        Trial(2, 3, 0.6, wrong, "kmeans", "reproducible", False, answers),
    ]
    none = [Trial(d, 0, 1.0, right, "kmeans", verdict, False, answers) for d, verdict in enumerate(VERDICTS)]
    found = summarise_trials(
        {name: draws if condition.ks else none for name, condition in CONDITIONS.items()},
        {"own": right, **answers},
        "customers.csv",
        (),
    )
    first = found.planted[0]
    assert (first.draws, first.right.held, first.right.tries) == (3, 1, 2)
    assert first.rivals["bic"].held == 2
    assert found.right.tries == 2 * sum(not CONDITIONS[name].beyond for name in WITH_GROUPS)
    assert [g.said_so.held for g in found.groupless] == [2] * 8 and found.said_so.tries == 4 * 7
    levels = [replace(trial, ladder=True) for trial in none]
    assert [said_so(trial, True) for trial in levels] == [verdict != "natural" for verdict in VERDICTS]
    assert [said_so(trial, False) for trial in levels] == [verdict in HONEST for verdict in VERDICTS]
    assert first.right.low == pytest.approx(0.0945, abs=1e-3)


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_line_decides_as_it_did(name: str, stored: dict[str, Any]) -> None:
    if any(version(package) != known for package, known in stored["versions"].items() if package != "python"):
        pytest.skip("the results are of other versions of the packages")
    planted, oracle, k, agreement, algorithm, verdict, *named = stored["quick"][name].split()
    found = run_trial(name, REPORTED, 0, quick=True)
    assert (found.planted, found.own.k, found.algorithm, found.verdict) == (int(planted), int(k), algorithm, verdict)
    assert (found.ladder, found.shapes) == (LEVELS in named, SHAPED in named)
    assert (found.oracle, found.own.agreement) == pytest.approx((float(oracle), float(agreement)), abs=0.006)


def test_the_results_are_of_the_rule_in_force(stored: dict[str, Any]) -> None:
    assert stored["rule"] == {name: getattr(selection, name) for name in stored["rule"]}, "run: make validate"


def test_the_rates_are_those_of_the_draws(stored: dict[str, Any]) -> None:
    found = read_validation(ROOT)
    assert found is not None
    for planted in found.planted:
        rows = [row.split() for row in stored["draws"][planted.name]]
        counted = [row for row in rows if float(row[1]) >= RECOVERABLE]
        assert (planted.draws, planted.right.tries) == (len(rows), len(counted))
        assert planted.right.held == sum(row[0] == row[2] for row in counted)
    for groupless in found.groupless:
        rows = [row.split() for row in stored["draws"][groupless.name]]
        verdicts = [row[5] for row in rows]
        named = [groupless.levels and LEVELS in row[6:] and row[5] != "natural" for row in rows]
        assert groupless.said_so.held == sum(
            verdict in HONEST or name for verdict, name in zip(verdicts, named, strict=True)
        )
        assert groupless.verdicts == {kind: verdicts.count(kind) for kind in VERDICTS}
    rates = {True: found.shaped, False: found.misshaped}
    for beyond, rate in rates.items():
        rows = [row.split() for n, c in CONDITIONS.items() if c.beyond == beyond for row in stored["draws"][n]]
        assert rate is not None and (rate.held, rate.tries) == (sum(SHAPED in row for row in rows), len(rows))


def test_the_whole_line_keeps_what_is_asked_of_it(stored: dict[str, Any]) -> None:
    found = read_validation(ROOT)
    assert found is not None
    assert found.right.held / found.right.tries >= 0.9 and found.of_oracle >= 0.97
    assert min(p.right.held / p.right.tries for p in found.planted if not p.beyond) >= 0.6
    assert min(g.said_so.held / g.said_so.tries for g in found.groupless if not g.connected) >= 0.95
    assert all(g.verdicts["natural"] == 0 for g in found.groupless)
    assert "cuts through a continuum" in VERDICTS["reproducible"][1]
    assert found.shaped is not None and found.shaped.held / found.shaped.tries >= 0.9
    assert found.misshaped is not None and found.misshaped.held == 0


def test_a_project_without_results_has_none(tmp_path: Path) -> None:
    assert read_validation(tmp_path) is None


@pytest.mark.parametrize("text", ['{"right": 3}', "[]", "half a fi"])
def test_results_of_another_format_are_told_of(tmp_path: Path, text: str) -> None:
    path = tmp_path / RESULTS
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"results\.json.*\n.*\n.*make validate"):
        read_validation(tmp_path)


def test_the_page_shows_weak_conditions_and_losses_and_without_results_how_to_get_them(
    tmp_path: Path,
) -> None:
    for folder in ("templates", "site"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    report = replace(run_stages().report, validation=made_up())
    assert from_json(to_json(report)) == report
    with plain_pages():
        write_pages(report, tmp_path)
    page = (tmp_path / "site/manual/validation.qmd").read_text(encoding="utf-8").replace("&#160;", " ")
    assert "In 30 of 40 tries with known groups it found the right number&#59; in 98 of 100 tries" in page
    for words in ("It does worst with long groups", "Rings are beyond it", "Somebody 2001", "Show the numbers"):
        assert words in page
    with plain_pages():
        write_pages(replace(report, validation=None), tmp_path)
    assert "make validate" in (tmp_path / "site/manual/validation.qmd").read_text(encoding="utf-8")


def test_losses_name_what_another_way_does_better() -> None:
    found = made_up()
    assert validation.losses(found) == [
        "Another way finds the right number more often with long groups.",
        "Another way agrees more with the truth over all tries (0.98 against 0.97).",
        "All are faster: Another way takes 10 ms a try, this project 5.0 s, as it fits thousands of resamples.",
    ]


def test_the_chart_has_every_condition_worst_last_and_those_beyond_apart() -> None:
    figure = validation_charts.recovery(replace(run_stages().report, validation=made_up()))
    assert figure is not None
    assert [row[0] for row in figure.table.rows] == ["Round groups", "Long groups", "Rings"]
    assert "worst with long groups" in figure.title
    assert validation_charts.recovery(replace(run_stages().report, validation=None)) is None
