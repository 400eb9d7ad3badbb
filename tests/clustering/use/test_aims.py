"""An aim is an outcome that forms no segment, or later spend; everything else is refused with what is needed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.base.run import TESTS, Run
from analysis.clustering.use.aims import settle_aim
from analysis.clustering.use.choice import draw_half
from analysis.features.build import FeatureTable, Variable
from analysis.features.preparation import prepare_customers
from analysis.settings.load import check_study
from analysis.sources.inputs import Inputs
from analysis.sources.tables import read_table

N = 600
RNG = np.random.default_rng(5)
RUN = Run(effort=TESTS)
ANSWERS = RNG.integers(0, 2, N).astype(float)


def table_of(outcomes: dict[str, tuple[Any, tuple[str, ...]]]) -> Any:
    """Make features of a table with one forming feature and outcomes: values, and the columns they are made of."""
    frame = pd.DataFrame({"spend": np.arange(N) * 1.0, **{name: values for name, (values, _) in outcomes.items()}})

    def describe(name: str, role: Any, columns: tuple[str, ...]) -> Variable:
        text = not pd.api.types.is_numeric_dtype(frame[name])
        return Variable(name, name.capitalize(), "number", role, name, columns, "", "", "", "auto", text)

    variables = [describe("spend", "feature", ("wine", "meat"))]
    variables += [describe(name, "outcome", columns) for name, (_, columns) in outcomes.items()]
    table = FeatureTable(frame, tuple(variables))
    return SimpleNamespace(table=table, built=table)


def settle(outcomes: dict[str, tuple[Any, tuple[str, ...]]], **settings: Any) -> Any:
    study = check_study({"title": "t", "prefer": "use", "sources": [{"path": "a.csv"}], **settings})
    return settle_aim(Inputs(()), study, None, table_of(outcomes), RUN)


def test_stability_needs_no_aim() -> None:
    assert settle({}, prefer="stability") is None


def test_half_of_the_customers_with_an_answer_choose() -> None:
    answers = np.where(np.arange(N) % 10 == 0, np.nan, ANSWERS)
    aim = settle({"answered": (answers, ("answered",))})
    half = draw_half(N, 2014)
    assert (aim.label, aim.measure) == ("Answered", "auc")
    assert (~np.isnan(aim.values) == (half & ~np.isnan(answers))).all()


def test_the_response_of_the_settings_comes_before_the_first_outcome() -> None:
    outcomes = {"answered": (ANSWERS, ("answered",)), "paid": (RNG.normal(size=N), ("paid",))}
    aim = settle(outcomes, targeting={"response": "paid"})
    assert (aim.label, aim.measure) == ("Paid", "r2")


def test_an_outcome_made_of_forming_columns_is_passed_over_or_refused() -> None:
    circular = ANSWERS, ("meat", "fish")
    assert settle({"big": circular, "answered": (ANSWERS, ("answered",))}).label == "Answered"
    with pytest.raises(InputError, match="the outcome 'big' is computed from columns that form segments: meat"):
        settle({"big": circular})
    with pytest.raises(InputError, match="outcome 'big' is computed"):
        settle({"big": circular, "answered": (ANSWERS, ("answered",))}, targeting={"response": "big"})


def test_too_few_answers_are_refused() -> None:
    rare = (np.arange(N) < 30).astype(float)
    with pytest.raises(InputError, match="too few customers have a value in the outcome 'rare'") as error:
        settle({"rare": (rare, ("rare",))})
    assert "Each half of the customers needs 100 with a value, 20 of them other" in str(error.value)


def test_text_is_no_outcome_to_choose_for() -> None:
    with pytest.raises(InputError, match="all outcomes are text"):
        settle({"answer": (np.where(ANSWERS > 0, "yes", "no"), ("answer",))})


def test_without_an_outcome_and_without_transactions_there_is_nothing_to_predict() -> None:
    with pytest.raises(InputError, match="no outcome and no transactions") as error:
        settle({})
    assert "Give such a column the role 'outcome', add dated transactions, or set prefer: stability." in str(
        error.value
    )


def make_orders(n_customers: int = 400) -> pd.DataFrame:
    who = np.repeat(np.arange(n_customers), np.where(np.arange(n_customers) % 2, 2, 8))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 365, len(who)), unit="D")
    return pd.DataFrame({"who": [f"c{i}" for i in who], "on": days, "paid": RNG.uniform(5, 50, len(who)).round(2)})


def aim_at_orders(folder: Path, orders: pd.DataFrame, split: dt.date) -> Any:
    orders.to_csv(folder / "orders.csv", index=False)
    columns = {"customer": "who", "date": "on", "amount": "paid"}
    source = {"path": "orders.csv", "kind": "transactions", "columns": columns}
    study = check_study({"title": "Shop", "prefer": "use", "sources": [source]})
    inputs = Inputs((read_table(folder / "orders.csv", root=folder),))
    return settle_aim(inputs, study, split, prepare_customers(inputs, study, RUN), RUN), inputs, study


@pytest.mark.slow
def test_without_an_outcome_spend_after_the_split_is_predicted_by_what_was_known_then(tmp_path: Path) -> None:
    orders, split = make_orders(), dt.date(2024, 6, 30)
    aim, _, _ = aim_at_orders(tmp_path, orders, split)
    late = orders["on"] > pd.Timestamp(split)
    assert aim.early is not None and len(aim.early.matrix) == len(aim.values) == orders["who"][~late].nunique()
    chosen = aim.values[~np.isnan(aim.values)]
    spent = orders[late].groupby("who")["paid"].sum()
    assert set(chosen[chosen > 0].round(2)) <= set(spent.round(2))
    assert 0.35 < len(chosen) / len(aim.values) < 0.65
    other = orders.assign(paid=orders["paid"].where(~late, 1.0))
    again, _, _ = aim_at_orders(tmp_path, other, split)
    assert (again.early.matrix == aim.early.matrix).all() and (again.values[~np.isnan(again.values)] != chosen).any()


@pytest.mark.slow
def test_too_few_customers_known_at_the_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few customers were known on 2024-06-30 or bought after it"):
        aim_at_orders(tmp_path, make_orders(120), dt.date(2024, 6, 30))
