"""How long the tool takes: what is stored, and the page that shows it."""

from __future__ import annotations

import html
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.base.errors import InputError
from analysis.commands.stamp import stamp_inputs
from analysis.pages.book import write_pages
from analysis.pages.charts.tool import speed as charts
from analysis.pages.text.tool import speed as text
from analysis.report.model import from_json, to_json
from analysis.report.speed import RESULTS, Aggregation, Build, Placing, Speed, read_speed
from tests.stages import ROOT, plain_pages, run_stages

STAGES = {"Read": 1.0, "Clean": 2.0, "Gather evidence": 30.0, "Write pages": 8.0, "Profile segments": 4.0}


def made_up() -> Speed:
    """Give measurements of two builds, of which the larger takes two and a half times as long."""
    small = Build(10_000, 13, 50.0, STAGES, 0.6, 0.5, 0.97)
    large = Build(1_000_000, 13, 125.0, STAGES | {"Read": 40.0}, 2.4, 6.0, 0.96)
    return Speed(
        "2 cores and 25 GB of memory",
        "2026-11-29",
        (small, large),
        (
            Aggregation(1_000_000, 50_000, 3.0, 2.0, 0.7, 1.5, 0.5, 40.0, 1.1),
            Aggregation(10_000_000, 500_000, 12.0, 9.0, 1.9, 6.0, 4.0, 190.0, 2.4),
        ),
        (Placing(1_000_000, 9.5, 0.4),),
        {"python": "3.11"},
    )


def test_every_second_of_a_build_is_in_one_part() -> None:
    for build in made_up().builds:
        parts = text.split(build)
        assert sum(parts.values()) == pytest.approx(build.seconds)
        assert parts["Evidence"] == 30.0 and parts[text.REST] == pytest.approx(5.0 if build.seconds == 50.0 else 41.0)


def test_every_stage_of_a_build_has_a_part() -> None:
    found = read_speed(ROOT)
    assert found is not None
    known = {stage for stages in text.PARTS.values() for stage in stages}
    # All but those that are held in memory are placed by the engine.
    assert all(known - {"Place everyone"} <= set(build.stages) <= known for build in found.builds)
    assert "Place everyone" in found.builds[-1].stages


def test_the_stored_measurements_grow_in_size_and_hold_large_ones() -> None:
    found = read_speed(ROOT)
    assert found is not None
    sizes = [b.customers for b in found.builds]
    assert sizes == sorted(set(sizes)) and sizes[-1] >= 1_000_000
    rows = [a.transactions for a in found.aggregations]
    assert rows == sorted(set(rows)) and rows[-1] >= 10_000_000
    assert found.placings[-1].customers >= 1_000_000


def test_the_text_states_the_largest_build_and_how_the_time_grows() -> None:
    found = made_up()
    assert text.in_short(found) == "1,000,000 customers with 13 columns take 2.1 min and 2.4 GB of memory."
    assert text.growth(found.builds) == "The time of a build grows from 10,000 to 1,000,000 customers 2.5-fold."
    assert text.growth(found.builds[:1]) == ""
    assert [row[-2] for row in text.aggregations(found).rows] == ["1.3", "1.5"]
    assert [row[1:] for row in text.shops(found).rows] == [
        ("40 s", "1.1 GB", "0.7 GB"),
        ("3.2 min", "2.4 GB", "1.9 GB"),
    ]


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.034, "0.034 s"), (4.26, "4.3 s"), (17.4, "17 s"), (119.0, "119 s"), (150.0, "2.5 min")]
)
def test_a_time_is_told_in_seconds_or_minutes(seconds: float, told: str) -> None:
    assert text.duration(seconds) == told


def test_the_charts_draw_what_their_tables_state() -> None:
    report = replace(run_stages().report, speed=made_up())
    growth, rows = charts.growth(report), charts.rows(report)
    assert growth is not None and rows is not None
    assert growth.title == "1,000,000 customers take 2.1 min"
    assert growth.table.columns[:2] == ("Customers", charts.WHOLE) and growth.table.rows[1][1] == "2.1 min"
    assert rows.title == "10,000,000 purchases become features in 12 s"
    without = replace(report, speed=None)
    assert charts.growth(without) is None and charts.rows(without) is None


def test_the_page_shows_the_measurements_and_without_them_how_to_get_them(tmp_path: Path) -> None:
    for folder in ("templates", "site"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    report = replace(run_stages().report, speed=made_up())
    assert from_json(to_json(report)) == report
    with plain_pages():
        write_pages(report, tmp_path)
    page = html.unescape((tmp_path / "site/manual/speed.qmd").read_text(encoding="utf-8")).replace("\xa0", " ")
    for words in ("take 2.1 min and 2.4 GB", "on 2 cores", "random 10,000 of them", "Show the numbers", "500,000"):
        assert words in page
    assert page.count('data-source="Measurements of the tool') == 2 == page.count("data-source=")
    with plain_pages():
        write_pages(replace(report, speed=None), tmp_path)
    assert "make bench" in (tmp_path / "site/manual/speed.qmd").read_text(encoding="utf-8")


def test_other_measurements_make_another_build(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_text("project: {}\n", encoding="utf-8")
    before = stamp_inputs(tmp_path, [])
    path = tmp_path / RESULTS
    path.parent.mkdir(parents=True)
    path.write_text("{}", encoding="utf-8")
    assert stamp_inputs(tmp_path, []) != before
    with pytest.raises(InputError, match=r"results\.json.*\n.*speed\.py.*\n.*make bench"):
        read_speed(tmp_path)
