"""What changed: intervals, distributions, events, the page about them, and that nothing small can be read off."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.base.disclosure import Disclosure
from analysis.features.build import FeatureTable, Variable
from analysis.pages import book
from analysis.past.archive import FOLDER
from analysis.past.identity import match_customers
from analysis.past.records import Measures, Moments
from analysis.profiles.measures import _spread
from analysis.segments.changes import _drifts, _flows, population_stability, share_shift
from tests.past.test_records import THEN, measures, members, record
from tests.small_studies import SHOP, build_quickly, build_report, make_shop, render_and_check, write_study

VALUE = Variable("x", "Spend", "money", "feature", "", (), "", "", "", "auto", False)


def test_the_interval_of_a_shift_covers_what_it_should_for_overlapping_customers() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(400):
        then = rng.random(300) < 0.3
        # Two thirds are in both runs and mostly stay; there is no shift.
        stay = rng.random(200) < 0.8
        now = np.append(np.where(stay, then[:200], rng.random(200) < 0.3), rng.random(100) < 0.3)
        both = float((then[:200] & now[:200]).sum()) - then[:200].sum() * now[:200].sum() / 200
        _, low, high = share_shift(float(then.mean()), 300, float(now.mean()), 300, both)
        missed += not low <= 0 <= high
    assert 8 <= missed <= 34


def test_an_interval_for_the_same_customers_is_narrower_than_for_others() -> None:
    apart, same = share_shift(0.3, 300, 0.35, 300), share_shift(0.3, 300, 0.35, 300, 40.0)
    assert apart[0] == same[0] and same[2] - same[1] < apart[2] - apart[1]


@pytest.mark.parametrize(("shift", "reading"), [(0.0, "as before"), (0.35, "moved"), (1.0, "another distribution")])
def test_a_moved_distribution_is_read_as_such(shift: float, reading: str) -> None:
    rng = np.random.default_rng(1)
    spread = _spread(VALUE, None, rng.normal(50, 10, 2000), Disclosure())
    table = FeatureTable(pd.DataFrame({"x": rng.normal(50 + 10 * shift, 10, 2000)}), (VALUE,))
    found = _drifts(Measures(2000, (spread,), ()), Measures(2000, (spread,), ()), table)[0]
    assert found.reading == reading
    assert found.ks is not None and (found.ks > found.chance) == (shift > 0)


def test_the_index_of_stability_is_that_of_its_formula() -> None:
    then, now = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    expected = 0.1 * np.log(1.5) - 0.1 * np.log(0.8)
    assert population_stability(then, now, 100) == pytest.approx(expected)
    assert np.isfinite(population_stability(then, np.array([0.0, 0.5, 0.5]), 100))


def test_no_bin_of_a_distribution_holds_few_customers() -> None:
    values = np.array([*np.zeros(60), *np.ones(5), *np.arange(2.0, 32.0), np.nan])
    spread = _spread(VALUE, None, values, Disclosure())
    places = np.searchsorted(spread.edges, values[:-1], side="right")
    assert np.bincount(places, minlength=len(spread.shares)).min() >= 10
    assert len(spread.shares) == len(spread.edges) + 1 and sum(spread.shares) == pytest.approx(1, abs=0.04)


def test_movements_tell_no_small_count() -> None:
    now = members(range(0, 97), [*range(97, 100), *range(100, 180)], [*range(180, 234), *range(500, 504)])
    matching = match_customers(members(*THEN), now, 3, 3, 10)
    assert matching is not None
    flows = _flows(
        record("2024-01-01-aaaa", "2024-01-01", measures([[0.0, 0.0]] * 3, [100, 80, 60]), tuple("ABC")), matching, 10
    )
    told = [round(flow.n * share) for flow in flows for _, share in flow.to]
    assert told and all(n % 10 == 0 and n >= 10 for n in told)
    assert [place for flow in flows for place, _ in flow.to] == [1, 2, 3]


def kinds(root: Path) -> list[str]:
    change = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))["change"]
    return sorted(c["kind"] for c in change["segments"])


def test_a_merge_and_a_birth_among_planted_groups_are_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "write_pages", lambda *_: [])
    customers = make_shop(240)
    features = ["orders", "discount", "visits"]
    file = write_study(project, SHOP, customers)
    first = build_report(project)
    assert [s.n for s in first.segments] == [120, 80, 40]
    one = customers.copy()
    shift = customers.loc[:119, features].mean() - customers.loc[120:199, features].mean()
    one.loc[120:199, features] += shift
    one.to_csv(file, index=False)
    build_quickly(project)
    assert kinds(project) == ["kept", "kept", "merged"]
    rng = np.random.default_rng(2)
    new = customers.head(60).assign(
        customer=[f"N-{i}" for i in range(60)],
        orders=3 + rng.normal(0, 0.5, 60),
        discount=0.9 + rng.normal(0, 0.02, 60),
        visits=20 + rng.normal(0, 1, 60),
    )
    for record_file in (project / FOLDER).glob("*.json"):
        record_file.unlink()
    customers.to_csv(file, index=False)
    build_quickly(project)
    pd.concat([customers, new]).to_csv(file, index=False)
    told = build_report(project)
    assert kinds(project) == ["birth", "kept", "kept", "kept"]
    assert {s.slug for s in first.segments} < {s.slug for s in told.segments}
    assert len({s.letter for s in told.segments}) == len({s.colour for s in told.segments}) == 4


def text_of(file: Path) -> str:
    return re.sub(
        r"\s+", " ", html.unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", file.read_text("utf-8"), flags=re.S))
    )


def test_the_page_tells_of_a_first_run_and_of_a_change_and_may_be_published(project: Path) -> None:
    customers = make_shop(180)
    file = write_study(project, SHOP, customers)
    first = build_report(project)
    assert render_and_check(project) == []
    assert "url=evidence.html" in (project / "_site/site/changes.html").read_text("utf-8")
    assert "changes.html" not in (project / "_site/site/stability.html").read_text("utf-8")
    assert "Since the last run" not in text_of(project / "_site/site/index.html")
    smallest = first.segments[-1]
    known = pd.read_parquet(project / "build" / "memberships.parquet").set_index("key")["segment"]
    customers[customers["customer"].map(known) != smallest.id].to_csv(file, index=False)
    second = build_report(project)
    assert second.change is not None and smallest.slug not in {s.slug for s in second.segments}
    assert render_and_check(project) == []
    assert 'href="changes.html"' in (project / "_site/site/stability.html").read_text("utf-8")
    page = text_of(project / "_site/site/changes.html")
    assert f"Ended: {smallest.name}; 100% of its customers are no longer in the data." in page
    assert "Since the last run" in text_of(project / "_site/site/index.html")
    published = {f.name for f in (project / "_site/site/history").iterdir()}
    assert len(published) == 3 and "index.json" in published


def test_record_of_few_has_no_more_digits_than_its_spread_needs() -> None:
    spread = _spread(VALUE, None, np.random.default_rng(1).normal(1968.123456, 12.3, 500), Disclosure())
    assert isinstance(spread.everyone, Moments)
    assert spread.everyone.mean == round(spread.everyone.mean, 1)
