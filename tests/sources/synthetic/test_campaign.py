"""Made-up outcomes of a campaign at the synthetic retailer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.experiments.allocation import allocate
from analysis.sources.synthetic.campaign import PLANTED, play_campaign
from analysis.sources.synthetic.retailer import write_retailer

START, STOP = dt.date(2025, 7, 1), dt.date(2025, 9, 30)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaign")
    write_retailer(folder, 1000)
    return folder


def draw(shop: Path) -> tuple[pd.Series, pd.DataFrame]:
    truth = pd.read_csv(shop / "truth.csv", index_col="customer_id")["planted_segment"]
    return truth, pd.DataFrame({"key": truth.index, "group": allocate("offer", truth.index, 0.5)})


@pytest.mark.slow
def test_planted_effects_show_in_their_groups_and_nowhere_else(shop: Path) -> None:
    truth, groups = draw(shop)
    played = [play_campaign(shop, groups, START, STOP, "treatment", seed) for seed in range(40)]
    mean = pd.concat(played).groupby("customer_id")["orders"].mean()
    # Averaged over draws, each customer's orders are those of the year before times the planted effect.
    nobody = groups.assign(group="control")
    usual = pd.concat([play_campaign(shop, nobody, START, STOP, "treatment", seed) for seed in range(40)])
    treated = groups.set_index("key")["group"] == "treatment"
    base = usual.groupby("customer_id")["orders"].mean()
    for segment in range(1, 6):
        own = truth.index[(truth == segment) & treated]
        assert mean[own].sum() / base[own].sum() == pytest.approx(PLANTED.get(segment, 1.0), rel=0.06)
        held = truth.index[(truth == segment) & ~treated]
        assert mean[held].sum() / base[held].sum() == pytest.approx(1, rel=0.06)


def test_outcomes_have_a_row_for_each_customer_whatever_the_order(shop: Path) -> None:
    _, groups = draw(shop)
    one = play_campaign(shop, groups, START, STOP, "treatment")
    assert one["customer_id"].tolist() == sorted(groups["key"]) and (one["date"] == "2025-09-30").all()
    assert (
        (one["contacted"] == "yes") == (one["customer_id"].map(groups.set_index("key")["group"]) == "treatment")
    ).all()
    shuffled = groups.sample(frac=1, random_state=np.random.default_rng(1))
    pd.testing.assert_frame_equal(one, play_campaign(shop, shuffled, START, STOP, "treatment"))


def test_only_customers_of_the_retailer_can_be_played(shop: Path, tmp_path: Path) -> None:
    _, groups = draw(shop)
    with pytest.raises(InputError, match="is not one of the synthetic retailer's"):
        play_campaign(shop, pd.DataFrame({"key": ["X1"], "group": ["control"]}), START, STOP, "treatment")
    with pytest.raises(InputError, match="The synthetic retailer does not exist"):
        play_campaign(tmp_path, groups, START, STOP, "treatment")
