"""The synthetic retailer: four sources, their planted quirks, segments that show and that foretell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from analysis.base.errors import InputError
from analysis.sources.synthetic.retailer import Retailer, is_retailer, make_retailer, write_retailer

SOURCES = ("customers", "orders", "survey", "events")
FIRST_DAY = pd.Timestamp("2023-07-01")
N_DAYS = 731
ITEMS = [
    *("price_matters", "quality", "sustainability", "trends"),
    *("service", "convenience", "loyalty", "advice"),
]


@pytest.fixture(scope="module")
def retailer() -> Retailer:
    return make_retailer()


@pytest.fixture(scope="module")
def purchases(retailer: Retailer) -> pd.DataFrame:
    return sound_purchases(retailer)


def sound_purchases(retailer: Retailer) -> pd.DataFrame:
    """Return the purchases of known customers without what is wrong in the file, the day as a number."""
    orders = retailer.orders.drop_duplicates()
    orders = orders.assign(
        customer_id=orders["customer_id"].str.strip(),
        day=(pd.to_datetime(orders["date"], format="%Y-%m-%d") - FIRST_DAY).dt.days,
    )
    sound = orders["amount"].between(0, 50_000) & orders["customer_id"].isin(retailer.truth.index)
    return orders[sound]


def behaviour(purchases: pd.DataFrame) -> pd.DataFrame:
    """Return standardised recency, frequency, order value and shares of channels and categories."""
    key = purchases["customer_id"]
    by_customer = purchases.groupby("customer_id").agg(n=("day", "size"), value=("amount", "mean"), last=("day", "max"))
    features = pd.concat(
        [
            np.log(by_customer[["n", "value"]]),
            np.sqrt(by_customer["last"].max() - by_customer["last"]),
            pd.crosstab(key, purchases["channel"], normalize="index"),
            pd.crosstab(key, purchases["category"], normalize="index"),
        ],
        axis=1,
    )
    return pd.DataFrame(StandardScaler().fit_transform(features), index=features.index)


@pytest.mark.slow
def test_sources_have_their_columns(retailer: Retailer) -> None:
    assert list(retailer.customers) == [
        *("customer_id", "joined", "birth_year", "region", "newsletter", "loyalty_card")
    ]
    assert list(retailer.orders) == ["order_id", "customer_id", "date", "amount", "channel", "category"]
    assert list(retailer.survey) == ["customer_id", *ITEMS]
    assert list(retailer.events) == ["customer_id", "session_id", "timestamp", "event_type", "device"]
    assert set(retailer.customers["region"].dropna()) == {"North", "East", "South", "West", "Centre", "Capital"}
    assert set(retailer.customers["newsletter"]) == {"no", "yes"}
    assert set(retailer.orders["channel"]) == {"store", "web", "app"}
    assert retailer.orders["category"].nunique() == 6
    assert set(retailer.events["event_type"]) == {"search", "view", "cart", "purchase"}
    assert set(retailer.events["device"]) == {"desktop", "mobile", "tablet"}


@pytest.mark.slow
def test_customers_have_one_row_and_one_planted_segment_each(retailer: Retailer) -> None:
    assert retailer.customers["customer_id"].is_unique
    assert retailer.customers["customer_id"].str.fullmatch(r"C\d{6}").all()
    assert retailer.truth.index.tolist() == retailer.customers["customer_id"].tolist()
    assert retailer.truth.value_counts().to_dict() == {1: 810, 2: 720, 3: 570, 4: 480, 5: 420}


@pytest.mark.slow
def test_sizes_and_money_are_those_of_a_shop(retailer: Retailer, purchases: pd.DataFrame) -> None:
    assert 25_000 <= len(retailer.orders) <= 36_000
    assert 60_000 <= len(retailer.events) <= 90_000
    assert 1_200_000 < purchases["amount"].sum() < 2_400_000
    assert purchases["amount"].between(1.5, 5_000).all()
    assert purchases["amount"].median() == pytest.approx(30, rel=0.2)
    assert (retailer.orders["amount"] * 100 % 1).apply(lambda rest: min(rest, 1 - rest)).max() < 1e-6


def test_dates_are_day_first_in_one_file_and_iso_in_the_others(retailer: Retailer) -> None:
    joined = pd.to_datetime(retailer.customers["joined"], format="%d/%m/%Y")
    ordered = pd.to_datetime(retailer.orders["date"], format="%Y-%m-%d")
    happened = pd.to_datetime(retailer.events["timestamp"], format="%Y-%m-%d %H:%M:%S")
    assert joined.dt.day.max() == 31 and joined.min() < FIRST_DAY
    assert (ordered.min(), ordered.max()) == (FIRST_DAY, FIRST_DAY + pd.Timedelta(days=N_DAYS - 1))
    assert ordered.is_monotonic_increasing and happened.is_monotonic_increasing
    assert happened.between(FIRST_DAY, FIRST_DAY + pd.Timedelta(days=N_DAYS)).all()


def test_first_order_is_on_the_day_of_joining(retailer: Retailer, purchases: pd.DataFrame) -> None:
    joined = pd.to_datetime(retailer.customers["joined"], format="%d/%m/%Y")
    day = pd.Series((joined - FIRST_DAY).dt.days.to_numpy(), retailer.customers["customer_id"])
    first = purchases.groupby("customer_id")["day"].min()
    day = day[first.index]
    untouched = retailer.orders.loc[retailer.orders["amount"] > 50_000, "customer_id"].str.strip()
    late = (first != day)[day >= 0].drop(untouched, errors="ignore")
    assert late.sum() == 0
    assert (first >= day).all()


@pytest.mark.slow
@pytest.mark.parametrize("n_customers", [3000, 12_000])
def test_quirks_are_planted_in_proportion(n_customers: int) -> None:
    made = make_retailer(n_customers, seed=5)
    times, orders = n_customers // 3000, made.orders
    keys = orders["customer_id"]
    assert made.customers["region"].isna().sum() == 45 * times
    assert orders.duplicated().sum() == 25 * times
    assert orders.drop_duplicates()["order_id"].is_unique
    assert (keys != keys.str.strip()).sum() == 40 * times
    strays = keys[~keys.str.strip().isin(made.customers["customer_id"])]
    assert len(strays) == 30 * times
    assert strays.nunique() <= 18 * times
    assert orders["amount"].nlargest(2).tolist()[0] == 99_999.99
    assert orders["amount"].nlargest(2).tolist()[1] < 5_000
    assert orders.drop(columns="customer_id").notna().all(axis=None) and keys.notna().all()


def test_refunds_give_back_at_most_an_earlier_order_of_the_same_customer(retailer: Retailer) -> None:
    orders = retailer.orders.drop_duplicates()
    refunds = orders[orders["amount"] < 0]
    assert refunds["order_id"].str.startswith("R").all()
    assert orders.loc[orders["amount"] > 0, "order_id"].str.startswith("O").all()
    both = refunds.assign(order_id="O" + refunds["order_id"].str[1:]).merge(
        orders, on="order_id", suffixes=("", "_bought"), validate="1:1"
    )
    assert len(both) == len(refunds) > 1_000
    assert (both["customer_id"] == both["customer_id_bought"].str.strip()).all()
    assert (both["date"] > both["date_bought"]).all()
    assert (-both["amount"] <= both["amount_bought"]).all()
    assert (both["channel"] == both["channel_bought"]).all()
    assert (-both["amount"] == both["amount_bought"]).mean() == pytest.approx(0.75, abs=0.05)


def test_survey_is_answered_by_four_in_ten_and_unevenly(retailer: Retailer) -> None:
    answered = retailer.truth.index.isin(retailer.survey["customer_id"])
    assert retailer.survey["customer_id"].is_unique
    assert answered.sum() == len(retailer.survey)
    assert answered.mean() == pytest.approx(0.4, abs=0.04)
    by_segment = pd.Series(answered).groupby(retailer.truth.to_numpy()).mean()
    assert by_segment.tolist() == pytest.approx([0.56, 0.38, 0.33, 0.41, 0.19], abs=0.07)


def test_some_respondents_tick_one_column(retailer: Retailer) -> None:
    answers = retailer.survey[ITEMS]
    assert set(np.unique(answers)) == {1, 2, 3, 4, 5}
    assert (answers.nunique(axis=1) == 1).mean() == pytest.approx(0.04, abs=0.01)
    means = answers.groupby(retailer.truth[retailer.survey["customer_id"]].to_numpy()).mean()
    assert means["price_matters"].idxmax() == 2 and means["price_matters"].idxmin() == 4
    assert means["loyalty"].idxmax() == 1 and means["advice"].idxmax() == 3


def test_events_are_sessions_of_one_visitor_on_one_device(retailer: Retailer) -> None:
    sessions = retailer.events.groupby("session_id")
    assert (sessions["device"].nunique() == 1).all()
    assert (sessions["customer_id"].nunique(dropna=False) == 1).all()
    assert retailer.events["customer_id"].dropna().isin(retailer.truth.index).all()
    assert sessions["customer_id"].first().isna().mean() == pytest.approx(0.18, abs=0.03)


def test_each_purchase_event_is_an_online_order_of_that_day(retailer: Retailer, purchases: pd.DataFrame) -> None:
    bought = retailer.events[retailer.events["event_type"] == "purchase"]
    online = retailer.orders[(retailer.orders["channel"] != "store") & (retailer.orders["amount"] > 0)]
    known = set(zip(online["customer_id"].str.strip(), online["date"], strict=True))
    assert set(zip(bought["customer_id"], bought["timestamp"].str[:10], strict=True)) <= known
    share = len(bought) / (purchases["channel"] != "store").sum()
    assert share == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2014, 1])
def test_k_means_on_behaviour_recovers_the_planted_segments(seed: int) -> None:
    made = make_retailer(seed=seed)
    features = behaviour(sound_purchases(made))
    found = KMeans(5, n_init=3, random_state=0).fit_predict(features)
    assert adjusted_rand_score(made.truth[features.index], found) > 0.75


def test_segments_differ_in_channel_value_and_pace(retailer: Retailer, purchases: pd.DataFrame) -> None:
    segment = retailer.truth[purchases["customer_id"]].to_numpy()
    channels = pd.crosstab(segment, purchases["channel"], normalize="index")
    assert channels.idxmax(axis=1).tolist() == ["store", "app", "store", "web", "web"]
    value = purchases.groupby(segment)["amount"].mean()
    assert value.idxmax() == 4 and value.idxmin() == 2
    in_sale = purchases["date"].str[5:].between("01-02", "01-20").groupby(segment).mean()
    in_gifts = purchases["date"].str[5:].between("11-25", "12-24").groupby(segment).mean()
    assert in_sale.idxmax() == 2 and in_gifts.idxmax() == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2014, 1])
def test_segments_found_in_the_first_year_foretell_spend_in_the_second(seed: int) -> None:
    purchases = sound_purchases(make_retailer(seed=seed))
    features = behaviour(purchases[purchases["day"] < 366])
    later = purchases[purchases["day"] >= 366].groupby("customer_id")["amount"].sum()
    spend = later.reindex(features.index).fillna(0.0)
    rng = np.random.default_rng(0)
    found = pd.Series(KMeans(5, n_init=3, random_state=0).fit_predict(features), features.index)
    fitted = rng.random(len(spend)) < 0.5

    def explained(group: pd.Series) -> float:
        means = spend[fitted].groupby(group[fitted]).mean()
        rest = spend[~fitted] - group[~fitted].map(means)
        return 1 - float((rest**2).sum() / ((spend[~fitted] - spend[fitted].mean()) ** 2).sum())

    at_random = pd.Series(rng.permutation(found), found.index)
    assert explained(found) > 0.1 > explained(at_random) + 0.08


@pytest.mark.slow
def test_a_bg_nbd_model_of_the_first_year_foretells_the_orders_of_the_second(purchases: pd.DataFrame) -> None:
    """Formulas of Fader, Hardie & Lee 2005, in weeks; orders of one day count once."""
    days = purchases[["customer_id", "day"]].drop_duplicates()
    seen = days[days["day"] < 366].groupby("customer_id")["day"].agg(["min", "max", "size"])
    x, last, age = seen["size"] - 1, (seen["max"] - seen["min"]) / 7, (365 - seen["min"]) / 7

    def loss(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + last)
        either = np.where(x > 0, np.logaddexp(alive, gone), alive)
        return -float((gammaln(r + x) - gammaln(r) + r * np.log(alpha) + either).mean())

    r, alpha, a, b = np.exp(minimize(loss, np.zeros(4), method="Nelder-Mead", options={"maxiter": 2000}).x)
    weeks = 365 / 7
    rest = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    rest *= hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    odds = (x > 0) * a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + last)) ** (r + x)
    expected = (a + b + x - 1) / (a - 1) * (1 - rest) / (1 + odds)
    later = days[(days["day"] >= 366) & days["customer_id"].isin(seen.index)]
    assert expected.sum() == pytest.approx(len(later), rel=0.12)
    assert expected.corr(later.groupby("customer_id").size().reindex(seen.index).fillna(0)) > 0.6


def test_some_customers_have_no_order_in_the_two_years(retailer: Retailer, purchases: pd.DataFrame) -> None:
    silent = retailer.truth[~retailer.truth.index.isin(purchases["customer_id"])]
    assert 0.01 < len(silent) / len(retailer.truth) < 0.05


@pytest.mark.slow
def test_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_retailer(tmp_path / name, 200, seed=7) for name in ("a", "b"))
    assert list(first) == [*SOURCES, "truth"]
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)


@pytest.mark.slow
def test_another_seed_draws_other_customers() -> None:
    one, other = make_retailer(200, seed=7), make_retailer(200, seed=8)
    assert all(not getattr(one, name).equals(getattr(other, name)) for name in SOURCES)


@pytest.mark.slow
def test_files_read_back_as_the_tables(tmp_path: Path) -> None:
    made, paths = make_retailer(300, seed=3), write_retailer(tmp_path / "made" / "here", 300, seed=3)
    for name in SOURCES:
        assert paths[name] == tmp_path / "made" / "here" / f"{name}.csv"
        pd.testing.assert_frame_equal(pd.read_csv(paths[name]), getattr(made, name))
    truth = pd.read_csv(paths["truth"], index_col="customer_id")["planted_segment"]
    pd.testing.assert_series_equal(truth, made.truth)


@pytest.mark.slow
def test_files_of_the_default_size_stay_small(tmp_path: Path) -> None:
    paths = write_retailer(tmp_path)
    assert sum(path.stat().st_size for path in paths.values()) < 6_000_000


def test_a_written_retailer_is_known_as_synthetic(tmp_path: Path) -> None:
    write_retailer(tmp_path, 60, seed=9)
    assert is_retailer(tmp_path)


@pytest.mark.parametrize("truth", [None, b"customer_id,segment\nC000001,2\n", b"\xff\xfe", b""])
def test_other_folders_are_not_synthetic(tmp_path: Path, truth: bytes | None) -> None:
    if truth is not None:
        (tmp_path / "truth.csv").write_bytes(truth)
    assert not is_retailer(tmp_path)
    assert not is_retailer(tmp_path / "absent")


@pytest.mark.slow
@pytest.mark.parametrize("n_customers", [50, 51, 99, 1001])
def test_any_number_of_customers_from_50_on_can_be_drawn(n_customers: int) -> None:
    made = make_retailer(n_customers, seed=1)
    assert len(made.customers) == len(made.truth) == n_customers
    assert set(made.truth) == {1, 2, 3, 4, 5}
    assert made.customers["region"].isna().any() and made.orders.duplicated().any()
    assert len(made.survey) and len(made.events)


@pytest.mark.slow
def test_many_customers_have_keys_of_their_own_and_orders_in_proportion() -> None:
    made = make_retailer(12_000)
    assert made.customers["customer_id"].is_unique
    assert 108_000 < len(made.orders) < 168_000


@pytest.mark.parametrize(("n_customers", "seed"), [(49, 0), (0, 0), (-5, 0), (100, -1)])
def test_too_few_customers_or_a_negative_seed_is_the_users_error(n_customers: int, seed: int) -> None:
    with pytest.raises(InputError, match="Expected"):
        make_retailer(n_customers, seed)


def test_folder_that_is_a_file_is_the_users_error(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(InputError, match="taken"):
        write_retailer(taken, 50)
