"""Columns that tell a person are left out whatever their name, and innocent ones that look alike are used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest

from analysis.sources.inference import InferredColumn, infer_roles
from analysis.sources.tables import LoadedTable, type_table
from tests.sources.identifiers import INNOCENT, PERSONAL, N, Values

RNG = np.random.default_rng(5)
BESIDE: dict[str, Values] = {
    "client_id": [f"K{i:04d}" for i in range(N)],
    "visits": RNG.poisson(9, N),
    "spend": RNG.gamma(2, 90, N).round(2),
    "calls": RNG.poisson(3, N),
}


def read(columns: Mapping[str, Values]) -> list[InferredColumn]:
    """Infer what columns are that stand beside a key and three numbers."""
    cells = {name: [str(value) for value in values] for name, values in {**BESIDE, **columns}.items()}
    table = type_table(LoadedTable("made-up.csv", pa.table(cells), (), "0" * 64))
    return [column for column in infer_roles(table) if column.name not in BESIDE]


@pytest.mark.parametrize("what", PERSONAL)
def test_what_tells_a_person_is_left_out_and_not_quoted(what: str) -> None:
    found = read(PERSONAL[what])
    assert {column.role for column in found} <= {"ignore", "key"}, [(column.name, column.why) for column in found]
    assert not any(str(value) in column.why for column in found for value in PERSONAL[what][column.name])


@pytest.mark.parametrize("what", INNOCENT)
def test_what_tells_nobody_is_used(what: str) -> None:
    found = read(INNOCENT[what])
    assert {column.role for column in found} <= {"feature", "descriptor"}, [(c.name, c.why) for c in found]


def test_enough_kinds_of_columns_are_tried() -> None:
    assert len(PERSONAL) >= 30 and len(INNOCENT) >= 60
