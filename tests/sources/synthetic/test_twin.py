"""The synthetic twin: quirks, determinism, scaling, likeness to the data dictionary, planted segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from analysis.base.errors import InputError
from analysis.sources.synthetic.twin import Twin, make_twin, write_twin

BASKET = ["MntWines", "MntFruits", "MntMeatProducts", "MntFishProducts", "MntSweetProducts", "MntGoldProds"]
ORDERS = ["NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"]
HEADER = [
    *("ID", "Year_Birth", "Education", "Marital_Status", "Income", "Kidhome", "Teenhome", "Dt_Customer"),
    "Recency",
    *("MntWines", "MntFruits", "MntMeatProducts", "MntFishProducts", "MntSweetProducts", "MntGoldProds"),
    *(
        "NumDealsPurchases",
        "NumWebPurchases",
        "NumCatalogPurchases",
        "NumStorePurchases",
        "NumWebVisitsMonth",
    ),
    *("AcceptedCmp3", "AcceptedCmp4", "AcceptedCmp5", "AcceptedCmp1", "AcceptedCmp2", "Complain"),
    *("Z_CostContact", "Z_Revenue", "Response"),
]


@pytest.fixture(scope="module")
def twin() -> Twin:
    return make_twin()


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """Return many customers, so that a tolerance is about the model and not about the draw."""
    return with_totals(make_twin(50_000, seed=5).table)


def with_totals(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        spend=table[BASKET].sum(axis=1),
        orders=table[ORDERS].sum(axis=1),
        enrolled=pd.to_datetime(table["Dt_Customer"], format="%d-%m-%Y").map(pd.Timestamp.toordinal),
    )


def behaviour(table: pd.DataFrame) -> np.ndarray:
    """Return the standardised features of the default study, rows x 11; no orders means average shares."""
    totals = with_totals(table)
    share = table[BASKET].div(totals["spend"], axis=0)
    channel = table[ORDERS].div(totals["orders"].where(totals["orders"] > 0), axis=0)
    features = pd.concat(
        [
            np.log1p(totals["spend"]),
            share[["MntWines", "MntMeatProducts", "MntGoldProds"]],
            share[["MntFruits", "MntFishProducts", "MntSweetProducts"]].sum(axis=1),
            channel,
            (table["NumDealsPurchases"] / totals["orders"].where(totals["orders"] > 0)).clip(upper=1),
            np.log1p(totals["orders"]),
            table["NumWebVisitsMonth"],
        ],
        axis=1,
    )
    return StandardScaler().fit_transform(features.fillna(features.mean()).to_numpy())


def test_columns_are_those_of_the_original(twin: Twin) -> None:
    assert list(twin.table) == HEADER
    floats = twin.table.select_dtypes("float64").columns.tolist()
    texts = twin.table.select_dtypes("str").columns.tolist()
    assert floats == ["Income"]
    assert texts == ["Education", "Marital_Status", "Dt_Customer"]
    assert (twin.table.drop(columns=floats + texts).dtypes == "int64").all()


def test_original_size_has_every_quirk_of_the_original(twin: Twin) -> None:
    table = with_totals(twin.table)
    income = table["Income"]
    assert len(table) == 2240
    assert income.isna().sum() == table[HEADER].isna().sum().sum() == 24
    assert income.max() == 666666
    assert table.loc[income == 666666, "spend"].between(40, 90).tolist() == [True]
    assert income.between(153_000, 163_000).sum() == 7
    assert income.between(114_000, 152_999).sum() == 0
    assert sorted(table.loc[table["Year_Birth"] < 1940, "Year_Birth"]) == [1893, 1899, 1900]
    marital = table["Marital_Status"].value_counts()
    assert marital[["YOLO", "Absurd", "Alone"]].tolist() == [2, 2, 3]
    assert table["Z_CostContact"].unique().tolist() == [3]
    assert table["Z_Revenue"].unique().tolist() == [11]
    assert table["ID"].is_unique
    assert (table["ID"].min(), (table["ID"] == 0).sum()) == (0, 1)
    assert ((table["orders"] == 0) & (table["spend"] > 0)).sum() == 6
    assert (table["NumDealsPurchases"] > table["orders"]).sum() == 3


def test_repeated_customers_show_once_the_id_is_dropped(twin: Twin) -> None:
    assert twin.table.duplicated().sum() == 0
    without_id = twin.table.drop(columns="ID")
    assert without_id.duplicated().sum() == 182
    assert without_id.duplicated(keep=False).sum() == 358


@pytest.mark.parametrize("n_customers", [20, 2240])
def test_enrolment_is_day_first_text_that_ends_with_the_newest_date(n_customers: int) -> None:
    text = make_twin(n_customers).table["Dt_Customer"]
    assert text.str.fullmatch(r"\d\d-\d\d-\d{4}").all()
    dates = pd.to_datetime(text, format="%d-%m-%Y")
    assert dates.max() == pd.Timestamp("2014-06-29")
    assert dates.min() >= pd.Timestamp("2012-07-30")


@pytest.mark.slow
def test_recency_is_uniform_from_0_to_99(large: pd.DataFrame) -> None:
    share = large["Recency"].value_counts(normalize=True)
    assert sorted(share.index) == list(range(100))
    assert share.between(0.007, 0.013).all()


@pytest.mark.slow
def test_values_stay_in_the_range_of_the_original(large: pd.DataFrame) -> None:
    assert (large[[*BASKET, *ORDERS, "NumDealsPurchases", "NumWebVisitsMonth"]] >= 0).all(axis=None)
    assert large["Income"].min() >= 1700
    assert large["spend"].between(1, 3500).all()
    assert large["NumStorePurchases"].max() <= 13
    assert large["NumDealsPurchases"].max() <= 15
    assert large[["Kidhome", "Teenhome"]].isin([0, 1, 2]).all(axis=None)
    assert large["Year_Birth"].max() <= 1996


def test_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    paths = [write_twin(tmp_path / name, 300, seed=7) for name in ("a", "b")]
    for name in ("marketing_campaign.csv", "truth.csv"):
        first, second = ((path.parent / name).read_bytes() for path in paths)
        assert first == second


def test_another_seed_draws_other_customers() -> None:
    assert not make_twin(300, seed=7).table.equals(make_twin(300, seed=8).table)


def test_file_is_tab_separated_with_crlf_and_whole_numbers(tmp_path: Path) -> None:
    path = write_twin(tmp_path / "made" / "here")
    raw = path.read_bytes()
    assert path == tmp_path / "made" / "here" / "marketing_campaign.csv"
    assert raw.startswith("\t".join(HEADER).encode() + b"\r\n")
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 2241
    assert raw.isascii()
    assert not set(b'".,;') & set(raw)


def test_file_reads_back_as_the_table_and_its_truth(tmp_path: Path) -> None:
    twin = make_twin(500, seed=3)
    path = write_twin(tmp_path, 500, seed=3)
    pd.testing.assert_frame_equal(pd.read_csv(path, sep="\t"), twin.table)
    truth = pd.read_csv(tmp_path / "truth.csv")
    assert truth.columns.tolist() == ["ID", "segment"]
    assert truth["ID"].tolist() == twin.table["ID"].tolist()
    assert truth["segment"].tolist() == twin.truth.tolist()


@pytest.mark.parametrize("n_customers", [20, 21, 37, 199, 200, 201, 1001])
def test_any_number_of_customers_from_20_on_can_be_drawn(n_customers: int) -> None:
    twin = make_twin(n_customers, seed=1)
    assert twin.table.shape == (n_customers, 29)
    assert twin.table["ID"].is_unique
    assert twin.truth.index.equals(twin.table.index)
    assert set(twin.truth) == {1, 2, 3, 4}


@pytest.mark.slow
@pytest.mark.parametrize(("n_customers", "missing", "absurd", "copies"), [(200, 2, 1, 16), (50_000, 536, 22, 4062)])
def test_quirks_scale_with_the_customers(n_customers: int, missing: int, absurd: int, copies: int) -> None:
    table = with_totals(make_twin(n_customers).table)
    assert table["Income"].isna().sum() == missing
    assert (table["Income"] == 666666).sum() == absurd
    assert table.drop(columns="ID").duplicated().sum() == pytest.approx(copies, abs=3)
    assert {"YOLO", "Absurd", "Alone"} <= set(table["Marital_Status"])
    assert {1893, 1899, 1900} <= set(table["Year_Birth"])
    assert (table["NumDealsPurchases"] > table["orders"]).any()
    assert (table["orders"] == 0).any()


@pytest.mark.parametrize(("n_customers", "seed"), [(19, 0), (0, 0), (-5, 0), (100, -1)])
def test_too_few_customers_or_a_negative_seed_is_the_users_error(n_customers: int, seed: int) -> None:
    with pytest.raises(InputError, match="Expected"):
        make_twin(n_customers, seed)


def test_folder_that_is_a_file_is_the_users_error(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(InputError, match="taken"):
        write_twin(taken, 20)


@pytest.mark.parametrize(
    ("column", "quartiles", "mean", "sd"),
    [
        ("Income", (35303, 51381.5, 68522), 52247, 25173),
        ("spend", (68.75, 396, 1045.5), 605.8, 602.2),
        ("MntWines", (23.75, 173.5, 504.25), 303.94, 336.60),
        ("MntFruits", (1, 8, 33), 26.30, 39.77),
        ("MntMeatProducts", (16, 67, 232), 166.95, 225.72),
        ("MntFishProducts", (3, 12, 50), 37.53, 54.63),
        ("MntSweetProducts", (1, 8, 33), 27.06, 41.28),
        ("MntGoldProds", (9, 24, 56), 44.02, 52.17),
        ("orders", (6, 12, 18), 12.54, 7.21),
        ("NumDealsPurchases", (1, 2, 3), 2.33, 1.93),
        ("NumWebPurchases", (2, 4, 6), 4.08, 2.78),
        ("NumCatalogPurchases", (0, 2, 4), 2.66, 2.92),
        ("NumStorePurchases", (3, 5, 8), 5.79, 3.25),
        ("NumWebVisitsMonth", (3, 6, 7), 5.32, 2.43),
        ("Recency", (24, 49, 74), 49.11, 28.96),
        ("Kidhome", (0, 0, 1), 0.44, 0.54),
        ("Teenhome", (0, 0, 1), 0.51, 0.54),
    ],
)
def test_margins_are_near_the_dictionary(
    large: pd.DataFrame, column: str, quartiles: tuple[float, ...], mean: float, sd: float
) -> None:
    assert large[column].quantile([0.25, 0.5, 0.75]).tolist() == pytest.approx(quartiles, rel=0.15, abs=2)
    assert large[column].mean() == pytest.approx(mean, rel=0.15)
    assert large[column].std() == pytest.approx(sd, rel=0.2)


@pytest.mark.parametrize(
    ("column", "share"),
    [
        ("AcceptedCmp3", 0.0728),
        ("AcceptedCmp4", 0.0746),
        ("AcceptedCmp5", 0.0728),
        ("AcceptedCmp1", 0.0643),
        ("AcceptedCmp2", 0.0134),
        ("Complain", 0.0094),
        ("Response", 0.1491),
    ],
)
def test_outcomes_are_as_frequent_as_in_the_dictionary(large: pd.DataFrame, column: str, share: float) -> None:
    assert large[column].mean() == pytest.approx(share, rel=0.15)


def test_categories_are_as_frequent_as_in_the_dictionary(large: pd.DataFrame) -> None:
    education = {"Graduation": 1127, "PhD": 486, "Master": 370, "2n Cycle": 203, "Basic": 54}
    marital = {"Married": 864, "Together": 580, "Single": 480, "Divorced": 232, "Widow": 77}
    for column, counts in (("Education", education), ("Marital_Status", marital)):
        shares = large[column].value_counts(normalize=True)
        assert {name: shares[name] * 2240 for name in counts} == pytest.approx(counts, rel=0.1, abs=10)


@pytest.mark.parametrize(
    ("one", "other", "spearman"),
    [
        ("Income", "spend", 0.85),
        ("Income", "NumWebVisitsMonth", -0.64),
        ("Income", "NumCatalogPurchases", 0.79),
        ("spend", "orders", 0.91),
        ("spend", "Kidhome", -0.62),
        ("spend", "Response", 0.24),
        ("MntWines", "MntMeatProducts", 0.82),
        ("MntFruits", "MntFishProducts", 0.71),
        ("NumDealsPurchases", "Teenhome", 0.48),
        ("NumWebVisitsMonth", "enrolled", -0.30),
        ("Year_Birth", "Teenhome", -0.39),
        ("Recency", "Response", -0.20),
        ("Recency", "spend", 0.02),
        ("Income", "NumDealsPurchases", -0.20),
    ],
)
def test_main_correlations_are_those_of_the_original(
    large: pd.DataFrame, one: str, other: str, spearman: float
) -> None:
    assert large[one].corr(large[other], method="spearman") == pytest.approx(spearman, abs=0.1)


def test_planted_segments_are_numbered_by_size(twin: Twin) -> None:
    shares = twin.truth.value_counts(normalize=True)
    assert shares.index.tolist() == [1, 2, 3, 4]
    assert shares.tolist() == pytest.approx([0.31, 0.28, 0.23, 0.18], abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2014, 1])
def test_k_means_on_behaviour_recovers_the_planted_segments(seed: int) -> None:
    twin = make_twin(seed=seed)
    found = KMeans(4, n_init=5, random_state=0).fit_predict(behaviour(twin.table))
    assert adjusted_rand_score(twin.truth, found) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("segment", [1, 2])
def test_better_off_customers_spend_more_within_a_segment_too(segment: int) -> None:
    twin = make_twin(20_000)
    members = with_totals(twin.table)[twin.truth == segment]
    assert members["Income"].corr(members["spend"], method="spearman") == pytest.approx(0.65, abs=0.15)
