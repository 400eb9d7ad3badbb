"""Columns that tell a person are recognised by their values, and others are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.sources.content.first_row import has_header
from analysis.sources.inference import infer_roles
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import read_table

Values = Sequence[object] | np.ndarray
RNG = np.random.default_rng(12)
NAMES = [f"{a} {b}" for a in ("Anna", "Bernd", "Clara", "Dieter") for b in ("Musterfrau", "Beispiel", "Probe", "Nemo")]
GIVEN = ("Anna", "Bernd", "Clara", "Dieter", "Emilia", "Franz", "Gerda", "Hans", "Ines", "Jens", "Karla", "Lars")
PERSONAL: dict[str, Values] = {
    "names": NAMES,
    "addresses": [f"Lindenweg {i}, 18055 Rostock" for i in range(20)],
    "streets": [f"{i} Baker Street" for i in range(200, 220)],
    "e-mail addresses": [f"person{i}@example.org" for i in range(20)],
    "telephone numbers": [f"+49 381 {i:06d}" for i in range(123_456, 123_476)],
    "bank accounts": ["DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"],
    "surnames first": [f"{b}, {a}" for a, b in map(str.split, NAMES)],
    "addresses of computers": [f"10.0.{i}.{i + 7}" for i in range(12)],
    "degrees of latitude": (54.08 + RNG.normal(0, 0.02, 600)).round(6),
    "account numbers": RNG.choice(np.arange(100_000, 999_999), 600, replace=False),
    "client numbers": RNG.choice(np.arange(1_000, 9_999), 600, replace=False),
    "user names with numbers": [f"user{i:02d}" for i in range(20)],
    "handles": [f"@{a.lower()}_{i}" for i, a in enumerate(GIVEN)],
    "log-in names": [f"{a[0].lower()}.{b}" for a in GIVEN for b in ("musterfrau", "beispiel", "probe")],
    "names in small letters": [name.lower() for name in NAMES],
    "few names": ["Anna Musterfrau", "Bernd Beispiel", "Clara Probe", "Dieter Nemo"],
    "given names": [name.lower() for name in GIVEN],
    "initials": [f"{a}. {b}" for a in "ABC" for b in ("Musterfrau", "Beispiel", "Probe", "Nemo")],
    "names in Chinese": [a + b for a in "王李张" for b in ("伟", "娜", "敏", "静")],
    "streets in small letters": [f"lindenweg {i}, rostock" for i in range(20)],
    "streets without such a word": [f"Unter den Linden {i}" for i in range(1, 21)],
    "post boxes": [f"PO Box {i}" for i in range(100, 120)],
    "number plates": [f"HRO-{a}K {i + 10}" for i, a in enumerate("ABCDEFGHIJKLMN")],
    "plates of another country": [f"AB-{i + 100}-C{a}" for i, a in enumerate("ABCDEFGHIJKLMN")],
    "postcodes": [f"M{i} 4BT" for i in range(1, 20)],
    "passports": [f"CJ{3_980_393 + 971 * i}" for i in range(20)],
    "account numbers in small letters": ["de89370400440532013000", "gb82west12345698765432"],
    "card numbers": [f"4000 1234 5678 {i:04d}" for i in range(20)],
    "American telephone numbers": [f"({i + 300}) 555-{i:04d}" for i in range(20)],
    "telephone numbers in sentences": [f"call at 0381 555 {i:04d}, please" for i in range(20)],
    "telephone numbers as numbers": RNG.choice(np.arange(61_000_000, 61_000_200), 600),
    "addresses in sentences": [f"contact: person{i}@example.org (home)" for i in range(20)],
    "disguised addresses": [f"person{i} at example dot org" for i in range(20)],
    "profiles": [f"example.org/people/{i}" for i in range(20)],
    "digests": [f"{i * 2**120 + 0xABC:032x}" for i in range(1, 20)],
    "running numbers": RNG.permutation(np.arange(1, 601)),
    "numbers with gaps": RNG.choice(np.arange(1, 1_000), 600, replace=False),
    "numbers of different length": RNG.choice(np.arange(1_000, 9_999_999), 600, replace=False),
    "account numbers of several rows": np.repeat(RNG.choice(np.arange(100_000, 999_999), 300, replace=False), 2),
    "days as digits": [int(f"{d}{m:02d}{y}") for d in (3, 14, 28) for m in (1, 7, 12) for y in (48, 66, 71, 85)],
}
PLAIN: dict[str, Values] = {
    "kinds of goods": ["Wine", "Bread", "Cheese"],
    "answers of several words": ["Price Style", "Price", "style and comfort", "comfort"],
    "amounts": RNG.gamma(2.0, 300.0, 600).round(2),
    "scores of many digits": RNG.normal(0, 1, 600).round(6),
    "goods with a comma": ["Wine, red", "Wine, white", "Bread"],
    "counts": RNG.poisson(20, 600),
    "levels with numbers": [f"Level {i}" for i in range(5)],
    "weeks": [f"Week {i}" for i in range(1, 21)],
    "bands": [f"{low} - {low + 9_999}" for low in range(0, 150_000, 10_000)],
    "goods in small letters": [f"{a} {b}" for a in ("red", "white") for b in ("wine", "grapes", "bread", "rice")],
    "sizes of memory": ["1024 MB", "2048 MB", "4096 MB"],
    "codes of few goods": ["A100", "A200", "B100"],
    "whole amounts": RNG.gamma(2.0, 3_000.0, 600).round(),
    "steps": RNG.integers(2_000, 20_000, 600),
}


def role_of(folder: Path, values: Values) -> tuple[str, str]:
    frame = pd.DataFrame({"client_id": [f"K{i:04d}" for i in range(600)], "visits": RNG.poisson(9, 600)})
    frame["c1"] = np.resize(np.asarray(values), 600)
    frame.to_csv(folder / "a.csv", index=False)
    column = infer_roles(read_table(folder / "a.csv", root=folder, reading=Reading()))[-1]
    return column.role, column.why


@pytest.mark.slow
@pytest.mark.parametrize("what", PERSONAL)
def test_a_column_that_tells_a_person_is_left_out_and_not_quoted(what: str, tmp_path: Path) -> None:
    role, why = role_of(tmp_path, PERSONAL[what])
    assert role in {"ignore", "key"}
    assert not any(str(value) in why for value in PERSONAL[what])


@pytest.mark.parametrize("what", PLAIN)
def test_a_column_that_tells_nobody_is_used(what: str, tmp_path: Path) -> None:
    assert role_of(tmp_path, PLAIN[what])[0] in {"feature", "descriptor"}


ROWS = [
    ["Anna Musterfrau", "4", "21.5", "Hebamme"],
    ["Bo Probe", "7", "33.5", "Koch"],
    ["Cy Nemo", "9", "12.0", "Arzt"],
]


@pytest.mark.parametrize(
    ("first", "named"),
    [
        (ROWS[0], False),
        (["name", "visits", "basket", "job"], True),
        (["name", "1", "2", "job"], False),
        (["name", "2021", "2022", "2023"], True),
    ],
)
def test_a_first_row_of_data_names_no_columns(first: list[str], named: bool) -> None:
    below = ROWS if first[-1] != "2023" else [["Anna", "4", "5", "6"], ["Bo", "7", "8", "9"]]
    assert has_header([first, *below]) == named


@pytest.mark.parametrize(
    ("first", "others", "named"),
    [
        (["Anna Probe", "57,50 €", "3 kg"], ["Bo Nemo", "8,25 €", "12 kg"], False),
        (["Anna Probe", "2024-03-05 10:15:00"], ["Bo Nemo", "2024-04-01 09:00:30"], False),
        (["Anna Probe", "n/a", "15"], ["Bo Nemo", "7", "31"], False),
        (["anna@example.org", "gold"], ["bo.nemo@example.org", "silver"], False),
        (["Anna Probe", "0381/78533", "18566 Rostock"], ["Bo Nemo", "0381/1234", "18055 Rostock"], False),
        (["Anna Probe", "twelve", "15", "gold"], ["Bo Nemo", "7", "31", "gold"], False),
        (["name", "Item 1", "Item 2"], ["Bo Nemo", "7", "31"], True),
        (["name", "Q1", "Q2"], ["Bo Nemo", "A1", "B3"], True),
        (["", "amount", "level"], ["4", "31", "level"], True),
        (["name", "Style"], ["Bo Nemo", "Style"], True),
    ],
)
def test_a_first_row_of_the_form_of_the_others_is_a_customer(first: list[str], others: list[str], named: bool) -> None:
    varied = [[f"{cell[:-1]}{i}" if cell[-1:].isdigit() else cell for cell in others] for i in range(9)]
    ranks = [row if i % 2 or "gold" not in row else [*row[:-1], "silver"] for i, row in enumerate(varied)]
    assert has_header([first, *ranks]) == named
