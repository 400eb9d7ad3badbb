"""Where sources are looked for, and when a synthetic study stands in for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.base.errors import InputError
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.locate import files_at, locate

SHIPPED = "data/marketing_campaign.csv"


def study_of(path: str = SHIPPED, **settings: Any) -> Study:
    return check_study({"title": "Shop", "demo": "twin", "sources": [{"path": path}]} | settings)


def never() -> bool:
    return False


def test_the_twin_stands_in_where_nobody_has_brought_data(tmp_path: Path) -> None:
    paths, synthetic = locate(tmp_path, study_of(), None, False, never)
    assert synthetic and paths == [tmp_path / "build/demo/marketing_campaign.csv"]


def test_the_twin_does_not_replace_a_study_made_from_real_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist[\s\S]*real data[\s\S]*DEMO=1"):
        locate(tmp_path, study_of(), None, False, lambda: True)


def test_the_twin_stands_in_for_no_other_file(tmp_path: Path) -> None:
    paths, synthetic = locate(tmp_path, study_of("data/mine.csv"), None, False, never)
    assert not synthetic and paths == [tmp_path / "data/mine.csv"]


def test_a_file_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / SHIPPED).write_text("ID\n1\n", encoding="utf-8")
    assert locate(tmp_path, study_of(), None, False, never) == ([tmp_path / SHIPPED], False)


def test_a_demonstration_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / SHIPPED).write_text("ID\n1\n", encoding="utf-8")
    paths, synthetic = locate(tmp_path, study_of(), None, True, lambda: True)
    assert synthetic and files_at(Path(paths[0]))
    with pytest.raises(InputError, match="no synthetic data"):
        locate(tmp_path, study_of(demo="none"), None, True, never)


@pytest.mark.slow
@pytest.mark.parametrize("demo", ["twin", "retailer"])
def test_a_demonstration_has_as_many_customers_as_the_settings_say(tmp_path: Path, demo: str) -> None:
    file = {"twin": SHIPPED, "retailer": "data/retailer/customers.csv"}[demo]
    (place, *_), _ = locate(tmp_path, study_of(file, demo=demo, demo_customers=300), None, True, never)
    with Path(place).open(encoding="utf-8") as rows:
        assert sum(1 for _ in rows) == pytest.approx(301, abs=5)


def test_a_file_of_the_command_line_is_found_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(Path("/elsewhere"), study_of(), "new.csv", False, never) == ([tmp_path / "new.csv"], False)
    address = "sqlite:///shop.db"
    assert locate(tmp_path, study_of(), address, False, never)[0] == [address]
