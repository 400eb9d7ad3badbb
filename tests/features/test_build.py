"""Features: each one is what its formula says, in one row a customer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.base.errors import InputError
from analysis.customers.cleaning import clean
from analysis.features.build import FeatureTable, build_features
from analysis.settings.load import check_study
from analysis.settings.models import Feature, Study
from analysis.sources.tables import RawTable, read_table
from tests.stages import ROOT, project_study, run_stages, take_through, twin_file, twin_table

MONEY = ["MntWines", "MntFruits", "MntMeatProducts", "MntFishProducts", "MntSweetProducts", "MntGoldProds"]
ORDERS = ["NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"]
CAMPAIGNS = [f"AcceptedCmp{i}" for i in range(1, 6)]


def rewrite(rows: pd.DataFrame) -> pd.DataFrame:
    """Compute the default study's features again, one customer after the other."""
    # The study's date is the end of the month of the newest date.
    newest = max(pd.to_datetime(rows["Dt_Customer"], format="%d-%m-%Y")) + pd.offsets.MonthEnd(0)
    found = []
    for row in rows.to_dict("records"):
        spend = sum(row[column] for column in MONEY)
        orders = sum(row[column] for column in ORDERS)

        def part(amount: float, of: float) -> float:
            return amount / of if of else float("nan")

        day, month, year = map(int, row["Dt_Customer"].split("-"))
        born = row["Year_Birth"] if 1920 <= row["Year_Birth"] <= 2014 else float("nan")
        deals = part(row["NumDealsPurchases"], orders)
        found.append(
            {
                "ID": row["ID"],
                "spend": spend,
                "orders": orders,
                "order_value": part(spend, orders),
                "wine_share": part(row["MntWines"], spend),
                "meat_share": part(row["MntMeatProducts"], spend),
                "fresh_share": part(row["MntFruits"] + row["MntFishProducts"] + row["MntSweetProducts"], spend),
                "gold_share": part(row["MntGoldProds"], spend),
                "web_share": part(row["NumWebPurchases"], orders),
                "catalogue_share": part(row["NumCatalogPurchases"], orders),
                "store_share": part(row["NumStorePurchases"], orders),
                "deal_share": deals if np.isnan(deals) else min(1, deals),
                "web_visits": row["NumWebVisitsMonth"],
                "age": newest.year - born,
                "children": row["Kidhome"] + row["Teenhome"],
                "has_children": row["Kidhome"] + row["Teenhome"] > 0,
                "partner": row["Marital_Status"] in {"Married", "Together"},
                "tenure": (newest - pd.Timestamp(year, month, day)).days,
                "recency": row["Recency"],
                "any_campaign": any(row[column] for column in CAMPAIGNS),
                "Response": row["Response"],
                "Complain": row["Complain"],
                "Income": row["Income"] if row["Income"] <= 200_000 else float("nan"),
            }
        )
    return pd.DataFrame(found).sort_values("ID").drop(columns="ID").reset_index(drop=True).astype(float)


def features_of(raw: RawTable, study: Study) -> FeatureTable:
    return build_features(clean(raw, study.sources[0], study), study.sources[0], study)


def with_formula(formula: str, **settings: Any) -> Study:
    feature = {"label": "F", "formula": formula, **settings}
    return project_study().model_copy(update={"features": {"f": Feature.model_validate(feature)}, "value": None})


def check_against_rewrite(file: Path) -> None:
    table = features_of(read_table(file, root=file.parent), project_study())
    expected = rewrite(pd.read_csv(file, sep="\t"))
    numeric = [v.name for v in table.variables if not v.categorical]
    assert sorted(numeric) == sorted(expected.columns)
    pd.testing.assert_frame_equal(table.frame[numeric], expected[numeric], rtol=1e-12)


@pytest.mark.slow
def test_the_twins_features_equal_a_naive_rewrite() -> None:
    check_against_rewrite(twin_file(500))


@pytest.mark.slow
def test_the_published_files_features_equal_a_naive_rewrite(dataset: Callable[[str], Path]) -> None:
    check_against_rewrite(dataset("marketing_campaign.csv"))


def test_every_variable_has_its_words_and_its_source_columns() -> None:
    stages = run_stages()
    columns = set(stages.raw.frame.columns)
    assert list(stages.table.frame.columns) == [v.name for v in stages.table.variables]
    for variable in stages.table.variables:
        assert variable.label and variable.formula
        assert set(variable.columns) <= columns
    assert not {v.name for v in stages.table.of("feature")} & set(stages.source.roles.outcome)
    assert {v.name for v in stages.table.of("outcome")} >= {"Response", "Complain", "any_campaign"}


def test_ages_are_taken_at_the_studys_date_not_today() -> None:
    table = run_stages().table
    born = run_stages().cleaned.frame["Year_Birth"]
    assert (table.frame["age"] + born).dropna().unique().tolist() == [2014]
    joined = pd.to_datetime(run_stages().cleaned.frame["Dt_Customer"])
    assert table.frame["tenure"].min() == (joined.max() + pd.offsets.MonthEnd(0) - joined.max()).days


def test_the_unit_of_the_currency_changes_no_membership(tmp_path: Path) -> None:
    plain = run_stages()
    money = [*MONEY, "Income"]
    rows = pd.read_csv(twin_file(500), sep="\t")
    dear = take_through(rows.assign(**{c: rows[c] * 100 for c in money}), study_in_cents(), tmp_path)
    share = adjusted_rand_score(plain.evidence.labels, dear.evidence.labels)
    assert dear.evidence.decision.k == plain.evidence.decision.k
    assert share > 0.95
    assert dear.table.frame["spend"].tolist() == pytest.approx((plain.table.frame["spend"] * 100).tolist())


def study_in_cents() -> Study:
    study = project_study()
    source = study.sources[0]
    ranges = {**source.plausible, "Income": (0.0, 20_000_000.0)}
    return study.model_copy(update={"sources": (source.model_copy(update={"plausible": ranges}),)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("MntWine + 1", "column 'MntWine' is not in the data."),
        ("Education + 1", "cannot be computed"),
        ("year(Income)", "cannot be computed"),
        ("days(Income)", "cannot be computed"),
        ("Education", "cannot be computed"),
        ("1 + 1", "cannot be computed"),
        ("Dt_Customer", "cannot be computed"),
        ("max()", "cannot be computed"),
        ("where(Income)", "cannot be computed"),
        ("Income + 'x'", "cannot be computed"),
    ],
)
def test_a_formula_that_cannot_be_used_is_told_with_its_place(formula: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        features_of(twin_table(500), with_formula(formula))
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("_quarto.yml, segmentation.features.f.formula: ")
    assert message in first
    assert 1 <= len(rest) <= 4


@pytest.mark.slow
def test_a_misspelt_column_in_a_formula_gets_its_near_name() -> None:
    with pytest.raises(InputError, match="Did you mean 'MntWines'"):
        features_of(twin_table(500), with_formula("MntWine + 1"))


def test_a_division_by_zero_is_missing_and_never_infinite() -> None:
    table = features_of(twin_table(500), with_formula("MntWines / (Kidhome * 0)"))
    assert table.frame["f"].isna().all()
    assert not np.isinf(run_stages().table.frame.select_dtypes("number")).any().any()


def test_a_feature_with_the_name_of_a_column_is_refused() -> None:
    named = project_study().model_copy(update={"features": {"Income": project_study().features["spend"]}})
    with pytest.raises(InputError, match=r"segmentation\.features\.Income: the file has a column with the same name"):
        features_of(twin_table(500), named)


def test_a_study_without_features_is_refused() -> None:
    study = project_study().model_copy(update={"features": {}})
    with pytest.raises(InputError, match="no variable has the role 'feature'"):
        features_of(twin_table(500), study)


def test_text_cannot_form_segments(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,s\n1,red\n2,blue\n3,red\n4,blue\n", encoding="utf-8")
    study = check_study({"title": "T", "sources": [{"path": "a.csv", "key": "id", "roles": {"feature": ["s"]}}]})
    with pytest.raises(InputError, match=r"roles\.feature: column 's' contains text, not numbers"):
        features_of(read_table(tmp_path / "a.csv", root=tmp_path), study)


def test_a_coded_category_keeps_its_codes_as_text(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 7},{'' if i == 3 else i % 3}\n" for i in range(30))
    (tmp_path / "a.csv").write_text("id,x,region\n" + rows, encoding="utf-8")
    source = {"path": "a.csv", "key": "id", "roles": {"feature": ["x"], "descriptor": ["region"]}}
    study = check_study({"title": "T", "sources": [{**source, "units": {"region": "category"}}]})
    table = features_of(read_table(tmp_path / "a.csv", root=tmp_path), study)
    region = next(v for v in table.variables if v.name == "region")
    assert region.categorical
    assert set(table.frame["region"].dropna()) == {"0", "1", "2"}
    assert table.frame["region"].isna().sum() == 1


def gappy(folder: Path, **gaps: int) -> FeatureTable:
    """Give the features of 200 customers of whom the first few lack an answer."""
    columns = {name: [np.nan if i < n else float(i % 9) for i in range(200)] for name, n in gaps.items()}
    frame = pd.DataFrame({"id": [f"c{i}" for i in range(200)], "x": range(200), **columns})
    frame.to_csv(folder / "a.csv", index=False)
    source = {"path": "a.csv", "key": "id", "roles": {"feature": ["x"], "descriptor": list(gaps)}}
    per = {"label": "Per x", "formula": "x / (x - x)", "role": "descriptor"}
    study = check_study({"title": "T", "sources": [{**source, "labels": {"a": "Age"}}], "features": {"per": per}})
    return features_of(read_table(folder / "a.csv", root=folder), study)


def test_what_many_do_not_tell_describes_segments_too(tmp_path: Path) -> None:
    table = gappy(tmp_path, a=20, b=9)
    made = [v for v in table.variables if v.name not in {"per", "x", "a", "b"}]
    assert [(v.name, v.label, v.unit, v.role) for v in made] == [
        ("a_not_known", "Age: not known", "yes_no", "descriptor")
    ]
    assert table.frame["a_not_known"].sum() == 20 and table.frame["a_not_known"].notna().all()


def test_answers_that_are_missing_together_are_told_once(tmp_path: Path) -> None:
    made = [v.label for v in gappy(tmp_path, a=30, b=30, c=31).variables if v.name.endswith("_not_known")]
    assert made == ["Age and 1 more: not known", "c: not known"]


def test_a_division_by_nothing_is_not_an_answer_that_was_not_given(tmp_path: Path) -> None:
    table = gappy(tmp_path, a=0)
    assert table.frame["per"].isna().all()
    assert not [v.name for v in table.variables if v.name.endswith("_not_known")]


def test_the_default_studys_formulas_name_only_columns_of_the_data_dictionary() -> None:
    columns = set(pd.read_csv(twin_file(500), sep="\t", nrows=1).columns)
    for name, feature in project_study().features.items():
        assert name not in columns
        assert feature.about.endswith("."), name
    assert (ROOT / "_quarto.yml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["a lot", "little", "none of it"], "column 'MntWines' holds text."),
        ([None], "column 'MntWines' holds no value in any row."),
    ],
)
def test_a_formula_over_text_or_nothing_says_which_column_in_plain_words(
    values: list[str | None], told: str, tmp_path: Path
) -> None:
    rows = pd.read_csv(twin_file(500), sep="\t")
    rows = rows.assign(MntWines=pd.Series(values * 500).head(len(rows)))
    rows.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError) as refused:
        features_of(read_table(tmp_path / "a.csv", root=tmp_path), project_study())
    message = str(refused.value)
    assert told in message and "formula" in message.splitlines()[0]
    assert "operation" not in message and "truediv" not in message
