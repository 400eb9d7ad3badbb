"""The proof uses nothing from after the date, says who wins and who loses, and tells of no few customers."""

from __future__ import annotations

import datetime as dt
import html
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.base.run import TESTS, Run
from analysis.clustering import holdout, usefulness
from analysis.clustering.holdout import Grouping
from analysis.clustering.use.choice import draw_half
from analysis.clustering.usefulness import Usefulness, prove, settle_split
from analysis.features.build import FeatureTable, Variable
from analysis.pages.book import write_pages
from analysis.pages.charts.proof import proof as draw_proof
from analysis.report.model import Report
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs
from analysis.sources.tables import RawTable, read_table
from tests.stages import ROOT, plain_pages, run_stages

SPLIT = dt.date(2024, 6, 30)
NOBODY = np.zeros(0)
NOTHING = FeatureTable(pd.DataFrame(), ())
HOSTILE = "</script><script>alert(1)</script>"


RUN = Run(effort=replace(TESTS, holdout_draws=60))


def make_orders(n_customers: int = 200, seed: int = 1) -> pd.DataFrame:
    """Make a year of orders; every second customer buys often, and all by amounts of their own."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_customers), np.where(np.arange(n_customers) % 2, 1, 6))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, len(who)), unit="D")
    paid = (10 + who % 7) * rng.uniform(0.8, 1.2, len(who))
    return pd.DataFrame({"who": [f"c{i}" for i in who], "on": days, "paid": paid.round(2)})


def draw_orders(n_customers: int, seed: int = 1) -> pd.DataFrame:
    """Draw a year of orders of customers who buy at rates of their own and may leave after each order."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        rate, leaves, level = rng.gamma(1.2, 1 / 25), rng.beta(1, 3), rng.gamma(4, 8)
        day = rng.uniform(0, 200)
        while day < 365:
            rows.append(
                (f"c{customer}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(day)), rng.gamma(4, level / 4))
            )
            if rng.random() < leaves:
                break
            day += 1 + rng.exponential(1 / rate)
    return pd.DataFrame(rows, columns=["who", "on", "paid"]).round({"paid": 2})


def study_of(folder: Path, orders: pd.DataFrame, **more: Any) -> tuple[list[RawTable], Study]:
    """Write orders, and what other sources there are, and read them."""
    columns = {"customer": "who", "date": "on", "amount": "paid"}
    tables, sources = {"orders": orders}, [{"path": "orders.csv", "kind": "transactions", "columns": columns}]
    for name, (table, source) in more.pop("others", {}).items():
        tables[name] = table
        sources.append({"path": f"{name}.csv", **source})
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    study = check_study({"title": "Shop", "sources": sources, **more})
    return [read_table(folder / source.path, root=folder) for source in study.sources], study


def judged(labels: np.ndarray = NOBODY, k: int = 3, algorithm: str = "kmeans") -> Any:
    return SimpleNamespace(decision=SimpleNamespace(algorithm=algorithm, k=k), labels=labels, use=None, sample=None)


def prove_orders(raws: list[RawTable], study: Study, split: dt.date = SPLIT) -> Usefulness:
    return prove(Inputs(tuple(raws)), study, split, NOTHING, judged(), RUN)


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, list[Grouping]]]:
    """Keep what is scored."""
    kept: list[tuple[np.ndarray, list[Grouping]]] = []

    def keep(values: np.ndarray, measure: Any, groupings: list[Grouping], *more: Any) -> np.ndarray:
        kept.append((values, groupings))
        return holdout.held_out_scores(values, measure, groupings, *more)

    monkeypatch.setattr(usefulness, "held_out_scores", keep)
    return kept


@pytest.mark.slow
def test_nothing_after_the_date_forms_a_group(tmp_path: Path, grouped: list[Any]) -> None:
    orders = make_orders()
    late = orders["on"] > pd.Timestamp(SPLIT)
    other = orders.assign(paid=orders["paid"].where(~late, 999.0))
    for name, table in {
        "as_it_is": orders,
        "other_future": other,
        "no_future": orders[~late | (np.arange(len(orders)) % 2 > 0)],
    }.items():
        (tmp_path / name).mkdir()
        prove_orders(*study_of(tmp_path / name, table))
    first, *others = [groupings for _, groupings in grouped[::2]]
    assert len(others) == 2 and {"segments", "rfm", "rfm_groups", "random", "tree"} <= {g.name for g in first}
    for groupings in others:
        for one, two in zip(first, groupings, strict=True):
            assert (one.codes == two.codes).all(), one.name


@pytest.mark.slow
def test_what_is_predicted_is_what_was_bought_after_the_date(tmp_path: Path, grouped: list[Any]) -> None:
    orders = make_orders()
    refunds = pd.DataFrame({"who": ["c0", "c1"], "on": ["2024-09-01", "2024-09-02"], "paid": [-5.0, -6.0]})
    found = prove_orders(*study_of(tmp_path, pd.concat([orders, refunds.assign(on=pd.to_datetime(refunds["on"]))])))
    late = orders[orders["on"] > pd.Timestamp(SPLIT)]
    known = sorted(set(orders["who"][orders["on"] <= pd.Timestamp(SPLIT)]), key=lambda key: (len(key), key))
    (active, _), (spend, _) = grouped
    expected = late.groupby("who")["paid"].sum().reindex(known).fillna(0.0)
    assert spend == pytest.approx(expected.to_numpy())
    assert (active == (expected > 0)).all()
    assert [t.n for t in found.later] == [len(known)] * 2 and found.n_known == len(known)
    assert found.later[0].n_yes == int(active.sum()) and found.later[1].n_yes is None
    assert (found.split, found.until) == ("2024-06-30", "2024-12-31")


@pytest.mark.slow
def test_of_many_customers_some_are_looked_at_and_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usefulness, "MOST", 150)
    monkeypatch.setattr(usefulness, "SCORED", 150)
    raws, study = study_of(tmp_path, make_orders())
    keys = pd.Series(sorted(raws[0].frame["who"].unique()))
    found = prove(Inputs(tuple(raws)), study, SPLIT, NOTHING, judged(), RUN, keys)
    assert 110 < found.n_known <= 150 < len(keys)
    assert found.notes[0] == "Segments were formed by what was known of 150 customers drawn at random."
    assert prove(Inputs(tuple(raws)), study, SPLIT, NOTHING, judged(), RUN, keys) == found


@pytest.mark.slow
def test_customers_whom_nobody_knew_then_take_no_part(tmp_path: Path) -> None:
    orders = make_orders()
    people = pd.DataFrame({"id": [f"c{i}" for i in range(260)], "region": ["N", "S"] * 130})
    others = {"people": (people, {"key": "id", "roles": {"descriptor": ["region"]}})}
    raws, study = study_of(tmp_path, orders, others=others)
    known = orders["who"][orders["on"] <= pd.Timestamp(SPLIT)].nunique()
    assert prove_orders(raws, study).n_known == known < 260


@pytest.mark.slow
def test_answers_given_after_the_date_form_nothing(tmp_path: Path, grouped: list[Any]) -> None:
    orders, rng = make_orders(), np.random.default_rng(2)
    people = pd.DataFrame({"id": [f"c{i}" for i in range(200)]})
    late = np.arange(200) >= 100
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        answers = people.assign(on=np.where(late, "2024-08-01", "2024-02-01"), price=np.arange(200) % 5)
        answers["price"] = np.where(late, rng.integers(0, 5, 200), answers["price"])
        others = {
            "people": (people.assign(born=1980), {"key": "id"}),
            "answers": (answers, {"kind": "survey", "key": "id", "roles": {"feature": ["price"]}}),
        }
        prove_orders(*study_of(tmp_path / name, orders, others=others))
    first, second = (groupings for _, groupings in grouped[::2])
    assert (first[0].codes == second[0].codes).all()


def test_a_third_of_the_time_is_held_out_unless_a_date_is_named(tmp_path: Path) -> None:
    orders = make_orders()
    raws, study = study_of(tmp_path, orders)
    split = settle_split(Inputs(tuple(raws)), study)
    first, last = orders["on"].min().date(), orders["on"].max().date()
    assert split is not None and (last - split) / (last - first) == pytest.approx(1 / 3, abs=0.01)
    named = study.model_copy(update={"proof": study.proof.model_copy(update={"split": SPLIT})})
    assert settle_split(Inputs(tuple(raws)), named) == SPLIT


@pytest.mark.parametrize(("date", "word"), [("2023-12-31", "before"), ("2025-06-30", "after")])
def test_a_date_that_leaves_nothing_is_refused(tmp_path: Path, date: str, word: str) -> None:
    raws, study = study_of(tmp_path, make_orders(), proof={"split": date})
    with pytest.raises(InputError, match=rf"proof.split: {date} leaves no transactions {word} it") as error:
        settle_split(Inputs(tuple(raws)), study)
    assert "Transactions range from 2024-01-0" in str(error.value)


def test_a_date_without_transactions_is_refused() -> None:
    study = check_study({"title": "t", "sources": [{"path": "a.csv"}], "proof": {"split": "2024-01-01"}})
    with pytest.raises(InputError, match="no transactions to split"):
        settle_split(Inputs((SimpleNamespace(frame=pd.DataFrame(), scan=None),)), study)  # type: ignore[arg-type]


@pytest.mark.slow
def test_too_few_customers_known_then_are_told_without_a_number(tmp_path: Path) -> None:
    raws, study = study_of(tmp_path, make_orders(90))
    found = prove_orders(raws, study)
    assert not found.targets and found.headline.startswith("Nothing in these data")
    assert "fewer than 100 customers" in found.notes[0]


@pytest.mark.slow
def test_where_the_history_is_long_enough_a_model_shows_what_grouping_costs(tmp_path: Path) -> None:
    found = prove_orders(*study_of(tmp_path, draw_orders(500)))
    for target in found.later:
        first, last = ["segments", "rfm", "rfm_groups", "rfm_3", "random", "tree"], ["tree_3", "model"]
        assert [s.name for s in target.scores] == first + last
        assert target.scores[-1].n_groups is None


def table_of(value: np.ndarray, **outcomes: Any) -> FeatureTable:
    """Make a table of a feature that is worth something, and outcomes."""
    made = {"spend": value, "days": np.arange(len(value)) % 9, "orders": np.arange(len(value)) % 11, **outcomes}
    frame = pd.DataFrame(made)

    def describe(name: str) -> Variable:
        role = "outcome" if name in outcomes else "feature"
        text = not pd.api.types.is_numeric_dtype(frame[name])
        return Variable(name, name.capitalize(), "number", role, name, (name,), "", "", "", "auto", text)

    return FeatureTable(frame, tuple(map(describe, frame)))


def prove_table(labels: np.ndarray, table: FeatureTable, **settings: Any) -> Usefulness:
    study = check_study({"title": "t", "sources": [{"path": "a.csv"}], "value": "spend", **settings})
    return prove(Inputs(()), study, None, table, judged(labels), RUN)


RNG = np.random.default_rng(4)
GROUP, WORTH = RNG.integers(1, 4, 900), RNG.exponential(10, 900)
BY_GROUP = (RNG.random(900) < np.array([0.1, 0.4, 0.8])[GROUP - 1]).astype(float)
BY_WORTH = (RNG.random(900) < np.where(WORTH > 8, 0.8, 0.1)).astype(float)


def test_the_verdict_says_who_wins_who_loses_and_what_stays_open() -> None:
    by_chance = RNG.integers(0, 2, 900).astype(float)
    found = prove_table(GROUP, table_of(WORTH, told=BY_GROUP, worth=BY_WORTH, luck=by_chance))
    assert [(t.label, t.beats_chance, t.against) for t in found.outcomes] == [
        ("Told", True, "wins"),
        ("Worth", False, "loses"),
        ("Luck", False, "open"),
    ]
    told, worth, luck = (t.sentence for t in found.outcomes)
    assert "better than chance, and better than fifths of spend (AUC 0.80" in told
    assert "no better than chance, and worse than fifths of spend" in worth
    assert "no better than chance, with no clear difference from" in luck and "there may be none" in luck
    assert found.headline == (
        "Segments predict one of three targets better than chance. Simple groups, by spend, do better on one, "
        "do worse on one and show no clear difference on one."
    )


def test_segments_are_held_against_the_best_of_the_simple_groupings() -> None:
    settings = {"proof": {"recency": "days", "frequency": "orders"}}
    (target,) = prove_table(GROUP, table_of(WORTH, worth=BY_WORTH), **settings).outcomes
    simple = ["rfm", "rfm_groups", "rfm_3", "fifths", "value_3", "random", "tree", "tree_3"]
    assert [s.name for s in target.scores] == ["segments", *simple]
    assert target.rival == "Fifths of spend" and target.against == "loses"


def test_a_number_is_scored_by_the_variance_that_groups_explain() -> None:
    (target,) = prove_table(GROUP, table_of(WORTH, liked=GROUP + np.random.default_rng(5).normal(size=900))).outcomes
    assert target.kind == "r2" and target.n_yes is None
    # Two thirds of the variance of the groups beside one of chance.
    assert target.scores[0].score.value == pytest.approx(0.4, abs=0.07) and "(R² 0." in target.sentence


def test_the_value_is_not_held_against_fifths_of_itself() -> None:
    table = table_of(WORTH, told=BY_GROUP)
    variables = tuple(replace(v, role="outcome" if v.name == "spend" else v.role) for v in table.variables)
    found = prove_table(GROUP, FeatureTable(table.frame, variables))
    assert {t.label: t.rival for t in found.outcomes} == {"Spend": "", "Told": "Fifths of spend"}


def test_what_cannot_be_predicted_is_told_with_its_reason() -> None:
    rare = np.r_[np.ones(15), np.zeros(885)]
    found = prove_table(GROUP, table_of(WORTH, rare=rare, words=["yes", "no", "so"] * 300))
    assert not found.targets and len(found.notes) == 2
    assert "Rare: not predicted" in found.notes[0] and "Words is neither" in found.notes[1]
    assert "15" not in found.notes[0]


def test_an_outcome_made_of_what_forms_segments_is_called_circular() -> None:
    table = table_of(WORTH, large=(WORTH > 10).astype(float))
    variables = tuple(replace(v, columns=("spend",)) if v.name == "large" else v for v in table.variables)
    found = prove_table(GROUP, FeatureTable(table.frame, variables))
    assert found.outcomes and "computed from columns that form segments too" in found.notes[0]


def test_customers_without_a_value_are_left_out() -> None:
    gaps = np.where(np.arange(900) < 300, np.nan, BY_GROUP)
    (target,) = prove_table(GROUP, table_of(WORTH, told=gaps)).outcomes
    assert (target.n, target.n_yes) == (600, int(np.nansum(gaps)))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ward", "mixture", "hdbscan"])
def test_any_algorithm_can_be_put_to_the_proof(tmp_path: Path, algorithm: str) -> None:
    raws, study = study_of(tmp_path, make_orders())
    found = prove(Inputs(tuple(raws)), study, SPLIT, NOTHING, judged(algorithm=algorithm), RUN)
    assert len(found.later) == 2 or found.notes


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Usefulness], str]:
    """Give the page of a proof, in the place of the small study's."""
    root = tmp_path_factory.mktemp("proof")
    shutil.copytree(ROOT / "templates", root / "templates")
    (root / "site" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")

    def write(found: Usefulness) -> str:
        with plain_pages():
            write_pages(replace(run_stages().report, proof=found), root)
        return (root / "site" / "proof.qmd").read_text(encoding="utf-8")

    return write


@pytest.mark.slow
def test_the_page_says_what_to_bring_where_nothing_can_be_proved(show: Callable[[Usefulness], str]) -> None:
    page = html.unescape(show(Usefulness("Nothing can be shown.", notes=("Rare: not predicted.",))))
    assert "## What to bring" in page and "- Rare: not predicted." in page and "chart-proof" not in page


@pytest.mark.slow
def test_counts_on_the_page_cannot_be_subtracted(show: Callable[[Usefulness], str]) -> None:
    report = run_stages().report
    target = replace(report.proof.outcomes[0], n=report.study.n_customers - 3, n_yes=123)
    page = html.unescape(show(replace(report.proof, outcomes=(target,))))
    assert f"{report.study.n_customers - 3:,} customers" not in page
    assert "About 500 customers, about 120 of them with a yes" in page


@pytest.mark.slow
def test_hostile_words_stay_words(show: Callable[[Usefulness], str]) -> None:
    found = run_stages().report.proof
    target = replace(found.outcomes[0], label=HOSTILE, sentence=HOSTILE, rival=HOSTILE)
    scores = tuple(replace(s, label=HOSTILE) for s in target.scores)
    page = show(replace(found, headline=HOSTILE, outcomes=(replace(target, scores=scores),), notes=(HOSTILE,)))
    assert HOSTILE not in page and "alert" in page


@pytest.mark.slow
def test_the_chart_shows_every_grouping_with_its_interval() -> None:
    report: Report = run_stages().report
    for i, target in enumerate(report.proof.targets):
        figure = draw_proof(report, i)
        rows = next(rows for rows in figure.spec["datasets"].values() if "low" in rows[0])
        assert [row["name"] for row in rows] == [s.name for s in target.scores]
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
        assert [row[1] for row in figure.table.rows] == [f"{s.score.value:.3f}" for s in target.scores]


def test_groupings_of_equal_number_stand_beside_the_best_of_each_kind() -> None:
    settings = {"proof": {"recency": "days", "frequency": "orders"}}
    (target,) = prove_table(GROUP, table_of(WORTH, worth=BY_WORTH), **settings).outcomes
    scores = {s.name: s for s in target.scores}
    assert scores["value_3"].n_groups == 3 and scores["value_3"].label == "Spend in 3 bands"
    assert "With 3 groups each, AUC is" in target.equals
    assert f"{scores['value_3'].score.value:.3f} by spend in 3 bands" in target.equals
    assert "by a tree of up to 3 leaves" in target.equals


def test_halves_by_value_are_proved_where_the_value_is_not_what_is_predicted() -> None:
    table = table_of(WORTH, worth=BY_WORTH, double=2 * WORTH)
    variables = tuple(replace(v, columns=("spend",)) if v.name == "double" else v for v in table.variables)
    found = prove_table(GROUP, FeatureTable(table.frame, variables), tiers="value", disclosure="internal")
    worth, double = found.outcomes
    assert worth.tiers_against in ("wins", "open", "loses")
    assert worth.tiers.startswith("Segments in halves by spend (6 groups) predict it")
    tiers = next(s for s in worth.scores if s.name == "tiers")
    assert tiers.n_groups == 6 and tiers.score.value > worth.scores[0].score.value + 0.1
    assert double.tiers == "" and "tiers" not in [s.name for s in double.scores]
    assert any(note.startswith("Double is not predicted by halves of the segments") for note in found.notes)


def test_segments_too_small_for_halves_stay_whole() -> None:
    found = prove_table(GROUP, table_of(WORTH, worth=BY_WORTH), tiers="value", min_customers=400)
    assert found.outcomes[0].tiers_against is None and found.outcomes[0].tiers == ""


def test_whoever_chose_takes_no_part_in_the_proof() -> None:
    study = check_study({"title": "t", "sources": [{"path": "a.csv"}], "value": "spend", "prefer": "use"})
    evidence = judged(GROUP)
    evidence.use = SimpleNamespace(by_stability=("ward", 2))
    evidence.solutions = {("ward", 2): np.minimum(GROUP, 2)}
    half = draw_half(900, study.seed)
    answers = np.where(half, 1 - BY_GROUP, BY_GROUP)
    found = prove(Inputs(()), study, None, table_of(WORTH, told=answers), evidence, RUN)
    (target,) = found.outcomes
    assert target.n == 450 and target.n_yes == int(BY_GROUP[~half].sum())
    assert target.beats_chance and [s.name for s in target.scores][:2] == ["segments", "stable"]
    assert target.scores[1].n_groups == 2 and target.scores[0].score.value > target.scores[1].score.value
