"""Tests of actions from plan to result, by the commands."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import yaml

from analysis.base.errors import InputError
from analysis.experiments.allocation import allocate
from analysis.experiments.audience import Audience
from analysis.experiments.closing import measure_due
from analysis.experiments.planning import draw
from analysis.experiments.records import find_experiment, judge, read_experiments, write_experiment
from analysis.settings.load import check_study, load_study
from analysis.sources.tables import read_table
from tests.experiments.finished import SEGMENTS, finish, make_members, run, write_build

N = 2000
DATABASE = os.environ.get("TEST_DATABASE_URL", "")
"""Address of an empty database, such as PostgreSQL, that the round trip is tried on besides SQLite."""
ANSWERS = """
select key, case when cast(substr(key, length(key)) as integer) < case "group" when 'treatment' then 5 else 3 end
  then 1 else 0 end as answered, '2025-07-31' as date from {}
"""
ORDERS = {
    "path": "data/orders.csv",
    "kind": "transactions",
    "columns": {"customer": "who", "date": "day", "amount": "paid", "order": "number"},
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SEGMENTATION_SALT", raising=False)
    root = finish(tmp_path / "shop", make_members(N))
    monkeypatch.chdir(root)
    return root


def start(*segments: str, kpi: str = "answered", name: str = "spring", days: int = 30) -> None:
    chosen = [part for letter in segments for part in ("--segment", letter)]
    run("test", "plan", name, *chosen, "--kpi", kpi, "--days", str(days), "--start", "2025-07-01", "--write")
    run("test", "start", name, "--write")


def groups_of(root: Path, name: str = "spring") -> pd.DataFrame:
    return pd.read_parquet(root / f"build/history/tests/{name}.parquet")


def write_results(root: Path, treated: float, control: float, date: str = "2025-07-31", **more: object) -> pd.DataFrame:
    groups = groups_of(root)
    share = np.where(groups["group"] == "treatment", treated, control)
    answered = (np.random.default_rng(5).random(len(groups)) < share).astype(int)
    table = pd.DataFrame({"key": groups["key"], "answered": answered, "date": date}).assign(**more)
    table.to_csv(root / "data/results.csv", index=False)
    return table


@pytest.mark.slow
def test_nothing_is_written_without_asking_and_nothing_is_overwritten(shop: Path) -> None:
    before = sorted(shop.rglob("*"))
    run("test", "plan", "spring", "--segment", "B", "--start", "2025-07-01")
    assert sorted(shop.rglob("*")) == before
    start("B")
    file = shop / "experiments/spring.yml"
    kept = file.read_text()
    with pytest.raises(InputError, match="exists already"):
        run("test", "plan", "spring", "--segment", "A", "--start", "2025-07-01", "--write")
    with pytest.raises(InputError, match="was started already"):
        run("test", "start", "spring", "--write")
    assert file.read_text() == kept


@pytest.mark.slow
def test_the_file_of_a_test_names_no_customer_and_the_groups_are_private(shop: Path) -> None:
    start("B")
    text = (shop / "experiments/spring.yml").read_text()
    assert not [key for key in make_members(N)["key"] if key in text]
    private = shop / "build/history/tests/spring.parquet"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    table = groups_of(shop)
    assert set(table["segment"]) == {"bargain-hunters"}
    swapped = table.assign(group=table["group"].iloc[::-1].to_numpy())
    swapped.to_parquet(private, index=False)
    with pytest.raises(InputError, match="is not the file that test 'spring' was started with"):
        run("export", "--test", "spring")


@pytest.mark.slow
def test_a_customer_is_in_one_running_test_at_most_and_a_control_leaves_with_no_export(shop: Path) -> None:
    start("B")
    start("A", "B", name="summer")
    one, other = groups_of(shop), groups_of(shop, "summer")
    assert not set(one["key"]) & set(other["key"])
    assert set(other["segment"]) == {"regulars"}
    run("export", "--all")
    held = pd.concat([one, other]).query("group == 'control'")["key"]
    left = set(pd.read_csv(shop / "exports/everyone.csv")["key"])
    assert left == set(make_members(N)["key"]) - set(held)
    run("export", "--test", "spring")
    assert dict(zip(*pd.read_csv(shop / "exports/spring.csv")[["key", "group"]].to_numpy().T, strict=True)) == dict(
        zip(one["key"], one["group"], strict=True)
    )


@pytest.mark.slow
def test_before_the_end_no_effect_is_shown(shop: Path) -> None:
    start("B")
    write_results(shop, 0.5, 0.1, date="2025-07-18")
    kept = (shop / "experiments/spring.yml").read_bytes()
    text = run("measure", "spring", "--outcomes", "data/results.csv")
    assert "running, 12 days left at the data's date, 2025-07-18" in text and "%" not in text
    assert (shop / "experiments/spring.yml").read_bytes() == kept


@pytest.mark.slow
def test_a_result_is_rounded_and_read_again_without_private_files(shop: Path) -> None:
    start("B")
    table = write_results(shop, 0.35, 0.2)
    text = run("measure", "spring", "--outcomes", "data/results.csv")
    assert "It works: extend it" in text
    effect = find_experiment(shop, "spring").results.effects[0]  # type: ignore[union-attr]
    rates = table.set_index("key")["answered"].groupby(groups_of(shop).set_index("key")["group"]).mean()
    assert effect.treated % 5 == effect.control % 5 == 0
    assert effect.rate_treated == pytest.approx(rates["treatment"], abs=0.005)
    assert effect.lift == pytest.approx(rates["treatment"] - rates["control"], abs=0.005)
    (shop / "build/history/tests/spring.parquet").unlink()
    assert judge(read_experiments(shop)) == {"spring": "helps"}
    again = find_experiment(shop, "spring")
    kept = (shop / "experiments/spring.yml").read_bytes()
    assert write_experiment(shop, again).read_bytes() == kept


@pytest.mark.slow
def test_too_few_customers_are_not_published(shop: Path) -> None:
    start("B")
    write_results(shop, 0.35, 0.004)
    assert "Too few customers" in run("measure", "spring", "--outcomes", "data/results.csv")
    effect = yaml.safe_load((shop / "experiments/spring.yml").read_text())["results"]["effects"][0]
    assert set(effect) == {"segment", "treated", "control"}


@pytest.mark.slow
def test_several_segments_are_measured_together_and_apart(shop: Path) -> None:
    start("A", "B")
    write_results(shop, 0.4, 0.2)
    run("measure", "spring", "--outcomes", "data/results.csv")
    effects = find_experiment(shop, "spring").results.effects  # type: ignore[union-attr]
    assert [effect.segment for effect in effects] == ["", "bargain-hunters", "regulars"]
    assert abs(sum(e.treated for e in effects[1:]) - effects[0].treated) <= 10


@pytest.mark.slow
def test_a_broken_allocation_gives_no_verdict(shop: Path) -> None:
    start("B")
    table = write_results(shop, 0.5, 0.1)
    lost = (groups_of(shop)["group"] == "control") & (np.arange(len(table)) % 2 == 0)
    table.assign(answered=table["answered"].where(~lost)).to_csv(shop / "data/results.csv", index=False)
    text = run("measure", "spring", "--outcomes", "data/results.csv")
    assert "cannot be trusted" in text and "percentage points" not in text


@pytest.mark.slow
@pytest.mark.parametrize("address", ["sqlite:///data/crm.db", DATABASE])
def test_outcomes_make_the_round_trip_through_a_database(shop: Path, address: str) -> None:
    if not address:
        pytest.skip("TEST_DATABASE_URL names no database")
    start("B")
    table, engine = f"people_{os.getpid()}", sa.create_engine(address)
    for times in range(2):
        run("export", "--test", "spring", "--to", address, "--table", table)
        with engine.begin() as database:
            n, n_keys = database.execute(sa.text(f"select count(*), count(distinct key) from {table}")).one()
            assert n == n_keys == len(groups_of(shop)), times
            if times:
                database.execute(sa.text(f"create table {table}_results as {ANSWERS.format(table)}"))
    run("measure", "spring", "--outcomes", f"{address}?table={table}_results")
    found = find_experiment(shop, "spring")
    assert found.status == "measured"
    with engine.begin() as database:
        database.execute(sa.text(f"drop table {table}_results"))
        database.execute(sa.text(f"drop table {table}"))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename(columns={"key": "number"}), "no column holds the customers' keys"),
        (lambda t: t.iloc[1:], "customers of test 'spring' are missing"),
        (lambda t: t.assign(date="2025-06-30"), "before test 'spring' started on 2025-07-01"),
        (lambda t: t.assign(contacted="yes"), "of the control group of test 'spring' were contacted"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "has several rows"),
        (lambda t: t.drop(columns="answered"), "no column holds the outcome"),
    ],
)
def test_outcomes_that_cannot_be_right_change_nothing(shop: Path, change: object, message: str) -> None:
    start("B")
    change(write_results(shop, 0.3, 0.2)).to_csv(shop / "data/results.csv", index=False)  # type: ignore[operator]
    kept = (shop / "experiments/spring.yml").read_bytes()
    with pytest.raises(InputError, match=message):
        run("measure", "spring", "--outcomes", "data/results.csv")
    assert (shop / "experiments/spring.yml").read_bytes() == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["test", "plan", "Spring!", "--segment", "B", "--start", "2025-07-01"], "no valid name|not a valid name"),
        (["test", "plan", "x", "--segment", "Q", "--start", "2025-07-01"], "'Q' is no segment"),
        (["test", "plan", "x", "--segment", "B"], "The data have no date"),
        (["test", "plan", "x", "--action", "B.campaign", "--start", "2025-07-01"], "has no campaign"),
        (["test", "start", "x"], "There is no test 'x'"),
        (["test", "stop", "x"], "There is no test 'x'"),
        (["measure", "x"], "There is no test 'x'"),
        (["measure"], "No test is running"),
    ],
)
def test_a_mistake_is_one_message_and_nothing_is_written(shop: Path, arguments: list[str], message: str) -> None:
    before = sorted(shop.rglob("*"))
    with pytest.raises(InputError, match=message):
        run(*arguments, *(["--write"] if arguments[0] == "test" else []))
    assert sorted(shop.rglob("*")) == before


@pytest.mark.slow
def test_a_name_that_draws_groups_of_unusual_sizes_is_refused() -> None:
    table = make_members(200).query("letter == 'A'").reset_index(drop=True)
    audience = Audience(table, {}, table["key"][:0])
    names = [f"t{i}" for i in range(5000)]
    sizes = {name: int((allocate(name, table["key"], 0.5) == "control").sum()) for name in names}
    odd = max(names, key=lambda name: abs(sizes[name] - len(table) / 2))
    with pytest.raises(InputError, match=f"Test '{odd}': this name draws"):
        draw(odd, 0.5, audience)
    assert len(draw(min(names, key=lambda name: abs(sizes[name] - len(table) / 2)), 0.5, audience)) == len(table)


@pytest.mark.slow
def test_a_stopped_test_has_no_result(shop: Path) -> None:
    start("B")
    run("test", "stop", "spring", "--write")
    assert "spring: stopped" in run("test", "status")
    with pytest.raises(InputError, match="is stopped, not running"):
        run("measure", "spring")


@pytest.mark.slow
def test_a_file_that_is_no_test_is_named_with_its_field(shop: Path) -> None:
    start("B")
    file = shop / "experiments/spring.yml"
    file.write_text(file.read_text().replace("status: running", "status: paused"))
    with pytest.raises(InputError, match=r"experiments/spring\.yml, status"):
        run("test", "status")


def write_orders(root: Path, until: str) -> None:
    """Write orders before and after the start; the treatment of B spends more after it."""
    rng = np.random.default_rng(8)
    keys = make_members(N)["key"].to_numpy()
    groups = groups_of(root).set_index("key")["group"].reindex(keys)
    level = rng.gamma(2, 30, N)
    parts = []
    for day in ("2025-06-10", "2025-07-10", "2025-07-30"):
        paid = level * rng.uniform(0.8, 1.2, N) * np.where((groups == "treatment") & (day > "2025-07"), 1.3, 1.0)
        parts.append(pd.DataFrame({"who": keys, "day": day, "paid": paid.round(2)}))
    table = pd.concat(parts).query("day <= @until")
    table.assign(number=[f"O{i}" for i in range(len(table))]).to_csv(root / "data/orders.csv", index=False)


@pytest.mark.slow
def test_new_transactions_measure_a_test_and_the_time_before_narrows_its_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = finish(tmp_path, make_members(N), sources=[ORDERS])
    monkeypatch.chdir(root)
    start("B", kpi="spend")
    study = check_study(yaml.safe_load((root / "_quarto.yml").read_text())["segmentation"])

    def due() -> list[str]:
        tables = [read_table(Path(source.path), root=root) for source in study.sources]
        return measure_due(root, tables, study)

    write_orders(root, "2025-07-10")
    assert due() == []
    assert "20 days left" in run("measure")
    write_orders(root, "2025-07-30")
    assert len(due()) == 1 and due() == []
    test = find_experiment(root, "spring")
    assert test.results is not None and judge([test]) == {"spring": "helps"}
    effect = test.results.effects[0]
    assert effect.ratio == pytest.approx(1.3, abs=0.1)
    assert test.results.narrowed > 0.5
    assert effect.low is not None and effect.high is not None and effect.low < 0.3 * 117 < effect.high


@pytest.mark.slow
@pytest.mark.parametrize("kpi", ["ordered", "orders"])
def test_orders_are_kept_with_what_they_came_to_in_the_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kpi: str
) -> None:
    root = finish(tmp_path, make_members(N), sources=[ORDERS])
    monkeypatch.chdir(root)
    start("B", kpi=kpi)
    write_orders(root, "2025-07-30")
    assert "is measured" in run("measure")
    orders, groups = pd.read_csv(root / "data/orders.csv"), groups_of(root)
    control = groups.loc[groups["group"] == "control", "key"]
    bought = orders[orders["who"].isin(control) & (orders["day"] > "2025-07")].groupby("who")["paid"]
    found = find_experiment(root, "spring").results
    assert found is not None
    worth = (bought.sum() if kpi == "ordered" else bought.mean()).mean()
    assert found.order_value == pytest.approx(worth, rel=0.03) and found.order_value != worth


@pytest.mark.slow
@pytest.mark.parametrize("kpi", ["visited", "visits"])
def test_visits_of_events_measure_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kpi: str) -> None:
    events = {"path": "data/web.csv", "kind": "events", "columns": {"customer": "who", "date": "at", "session": "sid"}}
    root = finish(tmp_path, make_members(N), sources=[events])
    monkeypatch.chdir(root)
    start("B", kpi=kpi)
    groups = groups_of(root)
    rng, rows = np.random.default_rng(3), []
    for who, group in zip(groups["key"], groups["group"], strict=True):
        rate = 0.9 if group == "treatment" else 0.5
        for day in ("2025-06-10", "2025-07-05", "2025-07-20", "2025-08-05"):
            many = rng.poisson(rate if day[5:7] == "07" else 0.6)
            # Two pages in a session are one visit.
            rows += [(who, f"{day} 10:0{page}", f"{who}-{day}-{i}") for i in range(many) for page in (1, 2)]
    frame = pd.DataFrame(rows, columns=["who", "at", "sid"])
    frame.to_csv(root / "data/web.csv", index=False)
    assert "is measured" in run("measure")
    found = find_experiment(root, "spring")
    assert found.results is not None and judge([found]) == {"spring": "helps"}
    inside = frame[frame["at"].str[:7] == "2025-07"].groupby("who")["sid"].nunique()
    each = inside.reindex(groups["key"]).fillna(0).to_numpy()
    each = (each > 0).astype(float) if kpi == "visited" else each
    treated = (groups["group"] == "treatment").to_numpy()
    effect = found.results.effects[0]
    assert found.results.kind == ("share" if kpi == "visited" else "mean")
    assert effect.lift == pytest.approx(each[treated].mean() - each[~treated].mean(), abs=0.05)
    assert effect.low is not None and effect.low > 0


def test_visits_need_a_source_of_events(shop: Path) -> None:
    start("B", kpi="visits")
    with pytest.raises(InputError, match="has no events to measure a test by"):
        run("measure", "spring")


def test_an_action_of_the_plan_brings_its_title_and_baseline(shop: Path) -> None:
    slot = {
        "slot": "campaign",
        "action": "Send a card.",
        "design": {"baseline": 0.2, "better": "more", "weeks": 4},
    }
    report = {"study": {"as_of": "2025-06-30"}, "segments": [{"letter": "B", "plan": [slot]}]}
    study = {"title": "Shop", "sources": [{"path": "data/customers.csv", "key": "id"}]}
    write_build(shop, make_members(N), study, json.dumps(report))
    text = run("test", "plan", "card", "--action", "B.campaign", "--write")
    test = find_experiment(shop, "card")
    assert (test.title, test.start, test.stop) == ("Send a card.", "2025-07-01", "2025-07-28")
    assert test.segments == ("bargain-hunters",) and list(SEGMENTS)[1] in text
    assert test.detects.startswith("20% to ")


@pytest.mark.slow
def test_a_test_is_planned_and_started_at_once(shop: Path) -> None:
    arguments = ("test", "start", "spring", "--segment", "B", "--start", "2025-07-01", "--days", "30")
    before = sorted(shop.rglob("*"))
    run(*arguments)
    assert sorted(shop.rglob("*")) == before
    run(*arguments, "--write")
    test = find_experiment(shop, "spring")
    assert (test.status, test.segments, test.stop) == ("running", ("bargain-hunters",), "2025-07-30")
    with pytest.raises(InputError, match="exists already"):
        run(*arguments, "--write")


@pytest.mark.slow
def test_no_outcomes_are_made_up_for_real_customers(shop: Path) -> None:
    start("B", kpi="orders")
    kept = (shop / "experiments/spring.yml").read_bytes()
    with pytest.raises(InputError, match="no outcome of test 'spring' can be made up"):
        run("measure", "spring", "--demo")
    assert (shop / "experiments/spring.yml").read_bytes() == kept


@pytest.mark.slow
def test_a_test_belongs_to_the_study_that_it_was_planned_in(shop: Path) -> None:
    start("B")
    (test,) = read_experiments(shop)
    assert test.study == load_study(shop).title
    assert read_experiments(shop, test.study) == (test,)
    assert read_experiments(shop, "Another study") == ()
