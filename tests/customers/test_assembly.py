"""Several sources become one table of customers; what the settings say of a computed column holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.customers.assembly import assemble
from analysis.customers.cleaning import clean
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.tables import RawTable, read_table


def shop(tmp_path: Path, **orders: object) -> tuple[list[RawTable], Study]:
    """Three customers and the orders of two of them, one unknown."""
    pd.DataFrame({"id": ["a", "b", "c"], "region": ["N", "S", "N"]}).to_csv(tmp_path / "people.csv", index=False)
    rows = {
        "who": ["a", "a", "b", "x"],
        "on": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-03-02"],
        "paid": [10.5, 20.0, 5.25, 1.0],
    }
    pd.DataFrame(rows).to_csv(tmp_path / "orders.csv", index=False)
    sources = [
        {"path": "people.csv", "key": "id", "roles": {"descriptor": ["region"]}},
        {
            "path": "orders.csv",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "on", "amount": "paid"},
            **orders,
        },
    ]
    study = check_study({"title": "Shop", "sources": sources})
    return [read_table(tmp_path / source.path, root=tmp_path) for source in study.sources], study


@pytest.mark.slow
def test_every_customer_of_the_base_stays_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path))
    assert whole.raw.frame.set_index("id")["spend"].to_dict() == pytest.approx({"a": 30.5, "b": 5.25, "c": 0.0})
    assert [line.touched for line in whole.ledger] == [1, 1]


@pytest.mark.slow
def test_a_sum_or_count_of_nothing_is_zero_and_an_average_share_or_pause_of_nothing_is_missing(tmp_path: Path) -> None:
    _, study = shop(tmp_path)
    pd.DataFrame(
        {"who": ["a", "a", "b"], "on": ["2024-01-01", "2024-02-01", "2024-03-01"], "paid": [10.5, 20.0, -5.25]}
    ).to_csv(tmp_path / "orders.csv", index=False)
    events = {
        "path": "visits.csv",
        "kind": "events",
        "columns": {"customer": "who", "date": "at", "event": "what"},
    }
    visits = {"who": ["a", "a"], "at": ["2024-01-01 10:00", "2024-01-02 11:00"], "what": ["view", "purchase"]}
    pd.DataFrame(visits).to_csv(tmp_path / "visits.csv", index=False)
    study = check_study({"title": "Shop", "sources": [*(s.model_dump() for s in study.sources), events]})
    whole = assemble([read_table(tmp_path / source.path, root=tmp_path) for source in study.sources], study)
    table = whole.raw.frame.set_index("id")
    # b has a refund only, c has neither an order nor a visit.
    zero = ["frequency", "spend", "active_months", "refund_value", "sessions", "active_days", "events"]
    assert (table.loc["c", zero] == 0).all() and table.loc["b", "spend"] == 0 and table.loc["b", "refund_value"] == 5.25
    nothing = [name for name in whole.described if name not in {*zero, "rfm_group"}]
    assert {"order_value", "gap_days", "trend", "refund_share", "pages_per_session", "conversion"} <= set(nothing)
    assert table.loc["c", nothing].isna().all() and pd.isna(table.loc["b", "order_value"])
    assert table.loc["a", "order_value"] == pytest.approx(15.25)
    assert whole.raw.column("order_value").n_missing == 2


@pytest.mark.slow
def test_lifetime_value_learns_from_the_customers_of_the_study_alone(tmp_path: Path) -> None:
    _, study = shop(tmp_path)
    rng = np.random.default_rng(0)
    names = [f"c{i}" for i in range(400)]
    pd.DataFrame({"id": names[:350], "region": "N"}).to_csv(tmp_path / "people.csv", index=False)
    # Customers buy at rates of their own, and may leave after each order.
    rate, leaves, first = rng.gamma(1.2, 1 / 25, 400), rng.beta(1, 3, 400), rng.integers(0, 200, 400)
    orders_of = rng.geometric(leaves)
    drawn = [(i, first[i] + t) for i in range(400) for t in (0, *np.cumsum(1 + rng.exponential(1 / rate[i], 60)))]
    kept = [(i, int(t)) for at, (i, t) in enumerate(drawn) if at % 61 < orders_of[i] and t < 360]
    who, day = np.array(kept).T
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    paid = rng.gamma(4, rng.gamma(4, 3, 400)[who]).round(2)
    orders = pd.DataFrame({"who": [names[i] for i in who], "on": days.strftime("%Y-%m-%d"), "paid": paid})
    orders.to_csv(tmp_path / "orders.csv", index=False)
    raws = [read_table(tmp_path / source.path, root=tmp_path) for source in study.sources]
    lifetime = assemble(raws, study).lifetime
    assert lifetime is not None
    known = orders["who"].isin(names[:350])
    assert set(lifetime.frame.index) == set(orders["who"][known])
    assert lifetime.purchases.n_customers == orders["who"][known].nunique()
    once = orders[known].groupby("who")["on"].nunique() == 1
    unknown = once & (not lifetime.purchases.early)
    assert once.any() and lifetime.frame["alive"].isna()[once.index].eq(unknown).all()
    table = assemble(raws, study).raw.frame.set_index("id")
    assert table["alive"].isna()[once.index].eq(unknown).all()


@pytest.mark.slow
def test_a_role_that_the_settings_give_a_computed_column_is_its_only_one(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path, roles={"descriptor": ["frequency"]}))
    assert "frequency" in whole.source.roles.descriptor
    assert "frequency" not in whole.source.roles.feature


@pytest.mark.slow
def test_a_label_of_the_settings_wins_over_the_computed_one(tmp_path: Path) -> None:
    whole = assemble(*shop(tmp_path, labels={"frequency": "Visits to the till"}))
    assert whole.source.labels["frequency"] == "Visits to the till"


@pytest.mark.slow
def test_a_joined_column_whose_name_is_taken_is_renamed_with_its_gaps(tmp_path: Path) -> None:
    raws, study = shop(tmp_path)
    pd.DataFrame({"id": ["a", "b"], "region": ["East", None]}).to_csv(tmp_path / "panel.csv", index=False)
    panel = {"path": "panel.csv", "key": "id", "roles": {}}
    study = check_study({"title": "Shop", "sources": [*(s.model_dump() for s in study.sources), panel]})
    whole = assemble([*raws, read_table(tmp_path / "panel.csv", root=tmp_path)], study)
    assert whole.raw.column("panel_region").n_missing == int(whole.raw.frame["panel_region"].isna().sum()) == 2
    assert (whole.joined[2].unknown, whole.joined[2].without) == (0, 1)


def test_the_date_of_the_study_is_not_taken_from_an_ignored_column(tmp_path: Path) -> None:
    days = pd.DataFrame({"id": range(40), "joined": "2023-05-01", "contract_end": "2031-12-31", "spend": range(40)})
    days.to_csv(tmp_path / "people.csv", index=False)
    raws = [read_table(tmp_path / "people.csv", root=tmp_path)]
    roles = {"feature": ["spend"], "descriptor": ["joined"]}
    source = {"path": "people.csv", "key": "id", "roles": roles}
    study = check_study({"title": "People", "sources": [source]})
    assert str(assemble(raws, study).as_of) == "2031-12-31"
    ignoring = {**source, "roles": {**roles, "ignore": ["contract_end"]}}
    study = check_study({"title": "People", "sources": [ignoring]})
    assert str(assemble(raws, study).as_of) == "2023-05-31"
    assert str(clean(raws[0], study.sources[0], study).as_of) == "2023-05-31"
