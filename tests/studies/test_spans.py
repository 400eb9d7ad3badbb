"""Sessions, subscriptions and a panel without settings become studies, with features as loops over the rows say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.stages import Stages, project_study, take_through

N = 240
GROUPS = np.arange(N) % 3


def sessions() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    start = dt.datetime(2024, 1, 1)
    rows = [
        (f"u{i:04}", start + dt.timedelta(hours=int(rng.integers(0, 8000))), int(rng.gamma(9, [8, 50, 15][g])),
         int(1 + rng.poisson([14, 3, 6][g])))
        for i, g in enumerate(GROUPS) for _ in range(3 + rng.poisson([3, 9, 25][g]))
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["user_id", "started_at", "duration_seconds", "pageviews"])
    return table.assign(session_id=[f"s{i:06}" for i in range(len(table))])


def subscriptions() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = []
    for i, g in enumerate(GROUPS):
        for _ in range(1 + rng.poisson([0.3, 2, 5][g])):
            start = dt.date(2020, 1, 1) + dt.timedelta(days=int(rng.integers(0, 1400)))
            end = start + dt.timedelta(days=int(rng.integers(90, 900))) if rng.random() < [0.1, 0.9, 0.5][g] else None
            rows.append(
                (f"K{i:04}", rng.choice(["Basic", "Pro"]), float([90, 20, 45][g] + rng.integers(9)), start, end)
            )
    table = pd.DataFrame(rows, columns=["customer_id", "plan", "monthly_price", "start_date", "end_date"])
    return table.assign(contract_id=np.arange(len(table)) + 5_000)


def panel() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (f"A{i:04}", f"2023-{m:02}", round([500, 5_000, 90][g] * rng.gamma(50) / 50, 2),
         round([20 + 9 * m, 60, 140 - 9 * m][g] * rng.gamma(50) / 50, 2))
        for i, g in enumerate(GROUPS) for m in range(1, 13)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["account_id", "month", "balance", "revenue"])


def build(table: pd.DataFrame, folder: Path, name: str) -> Stages:
    table.to_csv(folder / f"{name}.csv", index=False)
    return take_through(folder / f"{name}.csv", project_study(), folder)


def computed(stages: Stages) -> pd.DataFrame:
    frame = stages.table.frame
    return frame.set_axis(pd.Index(stages.cleaned.keys, name="key"))


def check_groups(stages: Stages) -> None:
    groups = [GROUPS[int(key[1:])] for key in stages.cleaned.keys]
    assert adjusted_rand_score(groups, stages.evidence.labels) > 0.7


@pytest.mark.slow
def test_a_study_of_sessions_is_formed_by_visits_pages_and_durations(tmp_path: Path) -> None:
    table = sessions()
    stages = build(table, tmp_path, "sessions")
    made = computed(stages)
    assert {"sessions", "pages_per_session", "session_length"} <= {v.name for v in stages.report.forming()}
    for key, rows in table.groupby("user_id"):
        assert made.loc[key, "sessions"] == len(rows)
        assert made.loc[key, "pages_per_session"] == pytest.approx(rows["pageviews"].mean())
        assert made.loc[key, "session_length"] == pytest.approx(rows["duration_seconds"].mean())
    assert stages.report.study.value is None
    check_groups(stages)


@pytest.mark.slow
def test_a_study_of_subscriptions_knows_who_is_active_and_adds_no_prices_up(tmp_path: Path) -> None:
    table = subscriptions()
    stages = build(table, tmp_path, "subscriptions")
    made = computed(stages)
    today = pd.Timestamp(stages.cleaned.as_of)
    assert today == pd.to_datetime(table["start_date"]).max() + pd.offsets.MonthEnd(0)
    for key, rows in table.groupby("customer_id"):
        ended = pd.to_datetime(rows["end_date"]) <= today
        until = pd.to_datetime(rows["end_date"]).where(ended, today)
        months = (until - pd.to_datetime(rows["start_date"])).dt.days / (365.25 / 12)
        assert made.loc[key, "active_contracts"] == (~ended).sum()
        assert made.loc[key, "recurring_amount"] == pytest.approx(rows["monthly_price"][~ended].sum())
        assert made.loc[key, "contract_value"] == pytest.approx((months * rows["monthly_price"]).sum())
    assert stages.report.study.value == "contract_value"
    check_groups(stages)


@pytest.mark.slow
def test_a_study_of_months_adds_revenue_up_and_takes_the_latest_balance(tmp_path: Path) -> None:
    table = panel()
    stages = build(table, tmp_path, "panel")
    made = computed(stages)
    for key, rows in table.groupby("account_id"):
        assert made.loc[key, "revenue total"] == pytest.approx(rows["revenue"].sum())
        assert made.loc[key, "balance latest"] == rows["balance"].iloc[-1]
        early, late = rows["revenue"].iloc[:6].sum(), rows["revenue"].iloc[6:].sum()
        assert made.loc[key, "revenue trend"] == pytest.approx((late - early) / (late + early), abs=1e-6)
    assert stages.report.study.value == "revenue total"
    assert not any("balance total" in variable.name for variable in stages.report.variables)
    check_groups(stages)
