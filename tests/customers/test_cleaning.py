"""Cleaning: every rule's customers are told, nobody disappears, the order of the file does not matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.customers.cleaning import Cleaned, LedgerLine, clean
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import RawTable, read_table
from tests.stages import project_study, twin_table, with_frame


def settings(**source: Any) -> Study:
    return check_study(
        {"title": "T", "sources": [{"path": "a.csv", "key": "id", "roles": {"feature": ["x"]}, **source}]}
    )


def table(folder: Path, text: str, **options: Any) -> RawTable:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return read_table(folder / "a.csv", root=folder, reading=Reading(**options))


def cleaned(folder: Path, text: str, **source: Any) -> Cleaned:
    study = settings(**source)
    return clean(table(folder, text), study.sources[0], study)


def line(found: Cleaned, rule: str) -> LedgerLine:
    return next(entry for entry in found.ledger if entry.rule == rule)


def check_ledger(found: Cleaned, n_rows: int) -> None:
    assert found.ledger[0].rows_in == n_rows
    for before, after in zip(found.ledger, found.ledger[1:], strict=False):
        assert after.rows_in == before.rows_out
    assert found.ledger[-1].rows_out == len(found.frame) == len(found.keys)
    for entry in found.ledger:
        left_out = entry.touched if entry.done == "left out" else 0
        assert entry.rows_in - left_out == entry.rows_out
        assert 0 <= entry.touched <= entry.rows_in


@pytest.mark.slow
def test_the_published_file_is_cleaned_as_its_dictionary_says(dataset: Callable[[str], Path], tmp_path: Path) -> None:
    study = project_study()
    raw = read_table(dataset("marketing_campaign.csv"), root=tmp_path)
    found = clean(raw, study.sources[0], study)
    check_ledger(found, 2240)
    assert len(found.frame) == 2240
    assert (found.duplicates, found.duplicate_groups_rows) == (182, 358)
    assert found.as_of == dt.date(2014, 6, 30)
    assert found.constants == ("Z_CostContact", "Z_Revenue")
    assert line(found, "Yearly household income: missing in the file").touched == 24
    assert line(found, "Year of birth: believable range").touched == 3
    assert line(found, "Yearly household income: believable range").touched == 1
    assert line(found, "Marital status: merge rare answers").touched == 7
    assert line(found, "Same row under another key").touched == 182
    assert found.frame["Dt_Customer"].min() == pd.Timestamp("2012-07-30")
    assert int((found.frame["Dt_Customer"].dt.day > 12).sum()) == 1324
    assert set(found.frame["Marital_Status"]) == {
        "Married", "Together", "Single", "Divorced", "Widow", "Other",
    }  # fmt: skip


@pytest.mark.slow
def test_every_customer_of_the_twin_is_kept() -> None:
    raw, study = twin_table(500), project_study()
    found = clean(raw, study.sources[0], study)
    check_ledger(found, 500)
    assert sorted(found.keys) == sorted(raw.frame["ID"].astype(str))


@pytest.mark.slow
def test_the_order_of_the_rows_does_not_matter() -> None:
    raw, study = twin_table(500), project_study()
    shuffled = with_frame(raw, raw.frame.sample(frac=1, random_state=3).reset_index(drop=True))
    first, second = (clean(r, study.sources[0], study) for r in (raw, shuffled))
    pd.testing.assert_frame_equal(first.frame, second.frame)
    pd.testing.assert_series_equal(first.keys, second.keys)
    assert first.ledger == second.ledger
    assert first.keys.astype(int).is_monotonic_increasing


def test_the_table_that_was_read_is_not_changed() -> None:
    raw, study = twin_table(500), project_study()
    before = raw.frame.copy(deep=True)
    clean(raw, study.sources[0], study)
    pd.testing.assert_frame_equal(raw.frame, before)


def test_dates_with_days_over_twelve_are_read_day_first(tmp_path: Path) -> None:
    text = "id,x,since\n" + "".join(f"{i},{i % 3},{d}\n" for i, d in enumerate(["03-04-2013", "25-12-2013"] * 6))
    found = cleaned(tmp_path, text)
    assert found.frame["since"].iloc[0] == pd.Timestamp("2013-04-03")
    assert found.as_of == dt.date(2013, 12, 31)


def test_a_date_in_the_settings_is_the_studys_date(tmp_path: Path) -> None:
    study = settings().model_copy(update={"as_of": dt.date(2020, 2, 29)})
    raw = table(tmp_path, "id,x,since\n1,2,2013-01-01\n2,3,2013-01-02\n")
    assert clean(raw, study.sources[0], study).as_of == dt.date(2020, 2, 29)


def test_values_outside_the_believable_range_become_missing_and_the_customer_stays(tmp_path: Path) -> None:
    text = "id,x\n" + "".join(f"{i},{x}\n" for i, x in enumerate([1893, 1920, 1950, 2014, 2015, ""]))
    found = cleaned(tmp_path, text, plausible={"x": [1920, 2014]})
    assert found.frame["x"].isna().tolist() == [True, False, False, False, True, True]
    assert found.frame["x"].dropna().tolist() == [1920, 1950, 2014]
    entry = line(found, "x: believable range")
    assert (entry.touched, entry.why) == (2, "Believable is 1920 to 2014 (set by the analyst).")
    assert line(found, "x: missing in the file").touched == 1
    check_ledger(found, 6)


@pytest.mark.parametrize(
    ("bounds", "kept", "words"),
    [([None, 3], [1, 2, 3], "at most 3"), ([3, None], [3, 4, 5], "at least 3"), ([None, None], [1, 2, 3, 4, 5], None)],
)
def test_a_range_may_be_open_at_one_side(tmp_path: Path, bounds: list[Any], kept: list[int], words: str | None) -> None:
    text = "id,x\n" + "".join(f"{i},{i}\n" for i in range(1, 6))
    found = cleaned(tmp_path, text, plausible={"x": bounds})
    assert found.frame["x"].dropna().tolist() == kept
    if words:
        assert words in line(found, "x: believable range").why


def test_rows_without_a_key_are_counted_and_left_out(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "id,x\na,1\n,2\nb,3\n  ,4\nc,5\n")
    assert (found.ledger[0].touched, found.ledger[0].done, found.ledger[0].rows_out) == (2, "left out", 3)
    assert found.keys.tolist() == ["a", "b", "c"]
    assert found.frame["x"].tolist() == [1, 3, 5]
    check_ledger(found, 5)


def test_missing_values_are_counted_among_the_customers_that_stay(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "id,x,y\na,1,1\n,,2\nb,,3\nc,5,4\n,6,5\n")
    assert line(found, "x: missing in the file").touched == int(found.frame["x"].isna().sum()) == 1


def test_without_a_key_row_numbers_serve_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "x,y\n" + "".join(f"{9 - i},{i}\n" for i in range(10)), key=None)
    assert found.keys.tolist()[:2] == ["row 01", "row 02"]
    assert found.frame["x"].tolist() == list(range(9, -1, -1))


def test_number_keys_are_ordered_as_numbers(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "id,x\n10,1\n9,2\n100,3\n1,4\n")
    assert found.keys.tolist() == ["1", "9", "10", "100"]
    assert found.frame["x"].tolist() == [4, 2, 1, 3]


def test_spellings_are_merged_and_counted(tmp_path: Path) -> None:
    text = "id,x,s\n" + "".join(f"{i},{i % 4},{s}\n" for i, s in enumerate(["one", "uno", "two", "one", "uno", "eins"]))
    found = cleaned(tmp_path, text, merge={"s": {"uno": "one", "eins": "one"}})
    assert found.frame["s"].tolist() == ["one", "one", "two", "one", "one", "one"]
    merged = line(found, "s: merge rare answers")
    assert (merged.touched, merged.done) == (3, "merged: 4 answers before, 2 after")


def answers(folder: Path, words: list[str], formula: str = "x", **source: Any) -> Cleaned:
    """Clean a table with one row for each answer."""
    text = "id,x,s\n" + "".join(f"{i},{i % 4},{word}\n" for i, word in enumerate(words))
    block = {"path": "a.csv", "key": "id", "roles": {"feature": ["x"]}, **source}
    features = {"f": {"label": "F", "formula": formula}}
    study = check_study({"title": "T", "sources": [block], "features": features})
    return clean(table(folder, text), study.sources[0], study)


def test_spellings_that_differ_by_capitals_or_spaces_become_the_commonest(tmp_path: Path) -> None:
    found = answers(tmp_path, ["New York"] * 14 + ["new  york"] * 3 + ["NEW YORK"] * 2 + ["Rome"] * 11)
    assert found.frame["s"].value_counts().to_dict() == {"New York": 19, "Rome": 11}
    merged = line(found, "s: spellings")
    assert (merged.touched, merged.done) == (5, "merged: 4 answers before, 2 after")
    check_ledger(found, 30)


def test_a_spelling_that_the_settings_use_stands_for_the_others(tmp_path: Path) -> None:
    words = ["gold"] * 20 + ["Gold"] * 5 + ["plain"] * 12
    assert set(answers(tmp_path, words).frame["s"]) == {"gold", "plain"}
    assert set(answers(tmp_path, words, formula='is_in(s, "Gold")').frame["s"]) == {"Gold", "plain"}
    assert set(answers(tmp_path, words, merge={"s": {"plain": "Gold"}}).frame["s"]) == {"Gold"}


def test_words_that_are_ignored_keep_their_spellings(tmp_path: Path) -> None:
    found = answers(tmp_path, ["gold", "Gold", "GOLD"] * 10, roles={"feature": ["x"], "ignore": ["s"]})
    assert set(found.frame["s"]) == {"gold", "Gold", "GOLD"}
    assert not [entry for entry in found.ledger if entry.rule.startswith("s:")]


def test_answers_of_a_few_are_told_and_the_data_keep_them(tmp_path: Path) -> None:
    found = answers(tmp_path, ["red"] * 20 + ["blue"] * 12 + ["puce"] * 4 + ["taupe"] * 3)
    assert set(found.frame["s"]) == {"red", "blue", "puce", "taupe"}
    rare = line(found, "s: rare answers")
    assert (rare.touched, rare.done) == (7, "merged on the pages: 4 answers before, 3 after")


def test_cells_of_another_type_are_told(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "id,x\n" + "".join(f"{i},{'ask' if i in (3, 5) else i}\n" for i in range(200)))
    entry = line(found, "x: not a number")
    assert (entry.touched, entry.done) == (2, "something else before, missing after; customer kept")
    gap = line(found, "x: missing in the file")
    assert gap.touched == 2 and "could be read" in gap.why


def test_columns_without_a_value_for_the_same_customers_share_a_line(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i},{'' if i < 4 else i},{'' if i < 4 else i + 1},{'' if i < 3 else i}\n" for i in range(30))
    found = cleaned(tmp_path, f"id,x,a,b,c\n{rows}")
    gaps = [(entry.rule, entry.touched) for entry in found.ledger if "missing" in entry.rule]
    assert gaps == [("a and 1 more: missing in the file", 4), ("c: missing in the file", 3)]


def test_a_category_without_a_value_becomes_unknown(tmp_path: Path) -> None:
    words = ["red"] * 15 + ["blue"] * 12 + [""] * 11
    found = answers(tmp_path, words, roles={"feature": ["x"], "descriptor": ["s"]})
    assert line(found, "s: missing in the file").done == 'the answer "Unknown", customer kept'


def test_duplicates_are_counted_on_the_table_as_it_came_in(tmp_path: Path) -> None:
    text = "id,x,s\n1,5,uno\n2,5,one\n3,5,one\n4,900,two\n5,901,two\n"
    found = cleaned(tmp_path, text, merge={"s": {"uno": "one"}}, plausible={"x": [0, 100]})
    assert (found.duplicates, found.duplicate_groups_rows) == (1, 2)
    assert len(found.frame) == 5


@pytest.mark.parametrize(
    ("source", "place", "column"),
    [
        ({"key": "idd"}, "key", "idd"),
        ({"roles": {"feature": ["xx"]}}, "roles.feature", "xx"),
        ({"labels": {"yy": "Y"}}, "labels", "yy"),
        ({"units": {"yy": "money"}}, "units", "yy"),
        ({"merge": {"yy": {"a": "b"}}}, "merge", "yy"),
        ({"plausible": {"yy": [0, 1]}}, "plausible", "yy"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_setting(
    tmp_path: Path, source: dict[str, Any], place: str, column: str
) -> None:
    with pytest.raises(InputError) as caught:
        cleaned(tmp_path, "id,x,y\n1,2,3\n4,5,6\n", **source)
    first, *rest = str(caught.value).splitlines()
    assert first == f"_quarto.yml, segmentation.sources[0].{place}: column '{column}' is not in a.csv."
    assert rest[0] == "  Available columns: id, x, y."
    assert len(rest) <= 4


def test_a_key_that_repeats_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="repeats a key in 1 rows, such as in data rows"):
        cleaned(tmp_path, "id,x\na,1\na,2\nb,3\n")


def test_a_study_without_dates_has_none_of_its_own(tmp_path: Path) -> None:
    assert cleaned(tmp_path, "id,x\n1,2\n2,3\n").as_of is None


def test_constants_are_named_and_missing_counts_as_a_value(tmp_path: Path) -> None:
    found = cleaned(tmp_path, "id,x,one,none,some\n1,2,7,,7\n2,3,7,,\n3,4,7,,7\n")
    assert found.constants == ("one", "none")
    assert np.isnan(found.frame["some"].iloc[1])
