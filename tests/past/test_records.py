"""Identity over runs: who goes on as whom, what a run leaves behind, and what a broken history does."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from analysis.base.errors import InputError
from analysis.pages import book
from analysis.pages.text import changes as news
from analysis.past import archive
from analysis.past.archive import FOLDER, fetch_history, recall, write_history
from analysis.past.identity import Matching, Memory, gone_after, match_centres, match_customers, remember, settle
from analysis.past.records import (
    Figures,
    Identity,
    Measures,
    Moments,
    Past,
    Record,
    Spread,
    from_json,
    name_run,
    to_json,
)
from analysis.report.model import read_report
from analysis.settings.load import check_study
from analysis.settings.models import Study
from tests.site.conftest import serve  # noqa: F401
from tests.small_studies import SHOP, build_quickly, make_shop, write_study

COLOURS = ("#000001", "#000002", "#000003", "#000004", "#000005", "#000006")
SETTINGS: dict[str, Any] = {"title": "Shop", "sources": [{"path": "shop.csv"}]}


def study(**changes: Any) -> Study:
    return check_study({**SETTINGS, **changes})


def measures(
    centres: list[list[float]], sizes: list[int], scale: float = 1.0, log_unit: float | None = None
) -> Measures:
    """Two features, a and b, whose centres are given in standard units."""
    moments = Moments(0.0, 1.0, 0.0, -1.2816, 1.2816)
    total = sum(sizes)
    return Measures(
        total,
        tuple(Spread(name, name, "number", (), (), (), moments, log_unit, 0.0, scale) for name in "ab"),
        tuple(
            Figures(n, n / total, None, None, dict(zip("ab", centre, strict=True)), {})
            for centre, n in zip(centres, sizes, strict=True)
        ),
    )


def record(stem: str, as_of: str, found: Measures | None = None, names: tuple[str, ...] = ("One", "Two")) -> Record:
    found = found or measures([[0.0, 0.0], [4.0, 4.0]], [100, 100])
    people = tuple(Identity(name.lower(), name, chr(65 + i), COLOURS[i], as_of, name) for i, name in enumerate(names))
    k = len(people)
    return Record(1, "Shop", False, stem, as_of, "natural", k, "k-means", 0.5, 0.9, found, people, (), None)


def members(*groups: Sequence[int]) -> pd.Series:
    keys = [str(key) for group in groups for key in group]
    return pd.Series([i for i, group in enumerate(groups, 1) for _ in group], index=pd.Index(keys))


THEN = (range(0, 100), range(100, 180), range(180, 240))
"""Customers of three segments."""


@pytest.mark.parametrize(
    ("now", "pairs", "merged", "split"),
    [
        ((range(100, 180), range(0, 100), range(180, 240)), {0: 1, 1: 0, 2: 2}, {}, {}),
        ((range(0, 180), range(180, 240)), {0: 0, 2: 1}, {1: 0}, {}),
        ((range(0, 55), range(55, 100), range(100, 180), range(180, 240)), {0: 0, 1: 2, 2: 3}, {}, {1: 0}),
        ((range(0, 100), range(100, 180)), {0: 0, 1: 1}, {}, {}),
        ((*THEN, range(500, 600)), {0: 0, 1: 1, 2: 2}, {}, {}),
        ((range(40, 100), range(100, 180), [*range(180, 240), *range(0, 40)]), {0: 0, 1: 1, 2: 2}, {}, {}),
    ],
    ids=["reordered", "two merged", "one split", "one left the data", "a new group", "some moved"],
)
def test_segments_go_on_by_who_is_in_them(
    now: tuple[Sequence[int], ...], pairs: dict[int, int], merged: dict[int, int], split: dict[int, int]
) -> None:
    found = match_customers(members(*THEN), members(*now), 3, len(now), 10)
    assert found is not None
    assert (found.pairs, found.merged, found.split) == (pairs, merged, split)


def test_a_few_strays_do_not_carry_an_identity_over() -> None:
    now = members(range(0, 100), range(100, 180), [*range(180, 189), *range(500, 700)])
    found = match_customers(members(*THEN), now, 3, 3, 10)
    assert found is not None and found.pairs == {0: 0, 1: 1} and found.split == {}


def test_runs_of_other_customers_are_not_matched_by_customers() -> None:
    now = members(range(500, 600), range(600, 680), range(230, 240))
    assert match_customers(members(*THEN), now, 3, 3, 10) is None


OLD = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]


@pytest.mark.parametrize(
    ("centres", "sizes", "pairs", "merged", "split"),
    [
        ([[4.2, 0.1], [0.1, 0.0], [0.0, 3.8]], [110, 100, 90], {0: 1, 1: 0, 2: 2}, {}, {}),
        ([[1.8, 0.0], [0.0, 4.0]], [200, 100], {0: 0, 2: 1}, {1: 0}, {}),
        ([[0.0, 0.0], [4.0, -0.4], [4.0, 1.2], [0.0, 4.0]], [100, 60, 50, 100], {0: 0, 1: 1, 2: 3}, {}, {2: 1}),
        ([[0.0, 0.0], [4.0, 0.0]], [100, 100], {0: 0, 1: 1}, {}, {}),
        ([*OLD, [9.0, 9.0]], [100, 100, 100, 100], {0: 0, 1: 1, 2: 2}, {}, {}),
        ([[0.0, 0.0], [4.0, 0.0], [9.0, 9.0]], [100, 100, 100], {0: 0, 1: 1}, {}, {}),
    ],
    ids=["moved a little", "two merged", "one split", "one gone", "a new group", "one gone and a new one"],
)
def test_segments_go_on_by_where_they_lie(
    centres: list[list[float]],
    sizes: list[int],
    pairs: dict[int, int],
    merged: dict[int, int],
    split: dict[int, int],
) -> None:
    found = match_centres(measures(OLD, [100, 100, 100]), measures(centres, sizes))
    assert (found.pairs, found.merged, found.split) == (pairs, merged, split)


def test_centres_are_compared_in_todays_units() -> None:
    then = measures([[1.0, 1.0], [2.0, 2.0]], [100, 100], scale=10.0)
    now = measures([[10.0, 10.0], [20.0, 20.0]], [100, 100], scale=1.0)
    assert match_centres(then, now).pairs == {0: 0, 1: 1}
    logged = measures([[np.log1p(10.0)] * 2, [np.log1p(20.0)] * 2], [100, 100], log_unit=1.0)
    assert match_centres(then, logged).pairs == {0: 0, 1: 1}


@pytest.mark.parametrize("by", ["customers", "centres"])
def test_ten_runs_of_a_drifting_population_keep_every_identity(by: str) -> None:
    rng = np.random.default_rng(5)
    centres = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    group = rng.choice(4, 600, p=weights)
    keys, noise, newest = np.arange(600), rng.standard_normal((600, 2)), 600
    base: Record | None = None
    known: pd.Series | None = None
    names: dict[int, str] = {}
    for run in range(10):
        points = centres[group] + noise
        labels = KMeans(4, init=centres).fit_predict(points)
        order = np.argsort(-np.bincount(labels), kind="stable")
        labels = np.argsort(order)[labels] + 1
        found = measures(
            [points[labels == j].mean(axis=0).tolist() for j in range(1, 5)], np.bincount(labels)[1:].tolist()
        )
        now = pd.Series(labels, index=pd.Index(keys.astype(str)))
        matching: Matching | None = None
        if base is not None:
            assert known is not None
            by_people = match_customers(known, now, 4, 4, 10)
            matching = by_people if by == "customers" else match_centres(base.measures, found)
            assert matching is not None and len(matching.pairs) == 4
        memory = remember(base, matching, 4, f"2024-01-{run + 10}")
        people = settle([f"Run {run} segment {j}" for j in range(4)], memory, study(), COLOURS)
        planted = {j: int(np.bincount(group[labels == j + 1]).argmax()) for j in range(4)}
        for j, identity in enumerate(people):
            assert names.setdefault(planted[j], identity.slug) == identity.slug
        base = replace(record("2024-01-01-aaaa", f"2024-01-{run + 10}", found, ("A", "B", "C", "D")), segments=people)
        known = now
        # Centres and sizes drift, an eighth of the customers is replaced.
        centres = centres + 0.25 * rng.standard_normal(centres.shape)
        weights = np.abs(weights + 0.02 * rng.standard_normal(4))
        stay = rng.random(len(keys)) > 0.125
        new = int((~stay).sum())
        keys = np.append(keys[stay], np.arange(newest, newest + new))
        group = np.append(group[stay], rng.choice(4, new, p=weights / weights.sum()))
        noise, newest = np.vstack([noise[stay], rng.standard_normal((new, 2))]), newest + new
    assert len(set(names.values())) == 4


def test_a_new_segment_takes_no_name_letter_or_colour_that_was_anybodys() -> None:
    old = record("2024-01-01-aaaa", "2024-01-01", names=("One", "Two", "Three"))
    memory = Memory((old.segments[0], None, old.segments[2]), (old.segments[1],), "2024-02-01")
    people = settle(["x", "Fresh", "y"], memory, study(), COLOURS)
    assert [p.slug for p in people] == ["one", "fresh", "three"]
    assert [(p.letter, p.colour) for p in people] == [("A", COLOURS[0]), ("D", COLOURS[3]), ("C", COLOURS[2])]
    assert people[1].since == "2024-02-01" and gone_after(memory, people, study()) == (old.segments[1],)


def make_memory() -> Memory:
    old = record("2024-01-01-aaaa", "2024-01-01", names=("One", "Two", "Three"))
    return Memory(old.segments[:2], (old.segments[2],), "2024-02-01")


def test_a_name_of_the_settings_stays_a_name_and_the_address_stays() -> None:
    people = settle(["", ""], make_memory(), study(names={"two": "Cellar friends"}), COLOURS)
    assert [(p.slug, p.name, p.label) for p in people] == [("one", "One", "One"), ("two", "Two", "Cellar friends")]


def test_a_segment_that_is_an_earlier_one_gets_all_of_it_back() -> None:
    registry = study(names={"two": {"same_as": "three"}})
    people = settle(["", ""], make_memory(), registry, COLOURS)
    assert (people[1].slug, people[1].letter, people[1].colour) == ("three", "C", COLOURS[2])
    assert people[1].former == ("two",)
    again = Memory(people, (), "2024-02-01")
    assert settle(["", ""], again, registry, COLOURS) == people


def test_a_retired_name_goes_on_nowhere() -> None:
    people = settle(["", "Fresh"], make_memory(), study(names={"two": {"retired": True}}), COLOURS)
    assert [p.slug for p in people] == ["one", "fresh"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"twoo": "Friends"}, r"names\.twoo: no segment has or had this address.*\n.*Did you mean 'two'"),
        ({"B": "Friends"}, r"names\.B: no segment has or had this address"),
        ({"one": "Friends", "two": "friends"}, r"names\.two: 'friends' is the name of two segments, one and two"),
        ({"two": "One"}, r"names\.two: 'One' is the name of two segments"),
        ({"two": {"same_as": "one"}}, r"names\.two: 'one' is another segment of this run"),
        ({"two": {"same_as": "four"}}, r"names\.two: no earlier segment had the address 'four'"),
        ({"two": {"same_as": "one"}, "one": {"same_as": "two"}}, r"names\.two: two is one is two"),
        ({"two": {"same_as": "one"}, "one": {"retired": True}}, r"names\.two: 'one' is retired"),
        ({"three": {"retired": True}, "one": "Three"}, r"names\.one: 'Three' is retired by names\.three"),
        ({"two": {"retired": True, "same_as": "one"}}, r"names\.two: expected a name,"),
        ({"two": {}}, r"names\.two: expected a name,"),
    ],
)
def test_a_registry_that_cannot_hold_stops_with_its_line(names: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=r"_quarto\.yml, segmentation(?:: |\.)" + told):
        settle(["", ""], make_memory(), study(names=names), COLOURS)


def test_words_of_the_settings_make_no_new_run() -> None:
    plain, renamed = study(), study(title="The shop", names={"one": "First"}, currency="EUR")
    assert name_run(plain, ["aa"], "2024-01-01") == name_run(renamed, ["aa"], "2024-01-01")
    others = {name_run(study(seed=3), ["aa"], "2024-01-01"), name_run(plain, ["ab"], "2024-01-01")}
    assert name_run(plain, ["aa"], "2024-01-01") not in others and len(others) == 2


def test_a_record_comes_back_as_it_was() -> None:
    made = record("2024-01-01-aaaa", "2024-01-01")
    assert from_json(to_json(made)) == made


@pytest.mark.slow
def test_the_newest_other_run_is_compared_with_and_a_later_one_only_without_any(tmp_path: Path) -> None:
    for month in ("01", "03", "02"):
        write_history(tmp_path, record(f"2024-{month}-01-aaaa", f"2024-{month}-01"))
    index = json.loads((tmp_path / FOLDER / "index.json").read_text(encoding="utf-8"))
    assert [run["as_of"] for run in index["runs"]] == ["2024-01-01", "2024-03-01", "2024-02-01"]

    def compared(as_of: str) -> str:
        return recall(tmp_path, study(), False, "2030-01-01-bbbb", as_of).compared()

    assert compared("2024-04-01") == "2024-02-01-aaaa"
    assert compared("2024-01-15") == "2024-01-01-aaaa"
    assert compared("2023-01-01") == "2024-02-01-aaaa"


def test_another_study_and_synthetic_data_are_set_aside_and_come_back(tmp_path: Path) -> None:
    first = record("2024-01-01-aaaa", "2024-01-01")
    write_history(tmp_path, first)
    write_history(tmp_path, replace(first, study="Bank", stem="2024-01-01-bbbb"))
    write_history(tmp_path, replace(first, synthetic=True, stem="2024-01-01-cccc"))
    assert sorted(f.name for f in (tmp_path / FOLDER).glob("*.json")) == ["2024-01-01-cccc.json", "index.json"]
    assert recall(tmp_path, study(), False, "2024-02-01-dddd", "2024-02-01").compared() == "2024-01-01-aaaa"
    write_history(tmp_path, replace(first, stem="2024-02-01-dddd"))
    names = sorted(f.name for f in (tmp_path / FOLDER).glob("*.json"))
    assert names == ["2024-01-01-aaaa.json", "2024-02-01-dddd.json", "index.json"]


def test_two_titles_spelt_alike_never_share_a_history(tmp_path: Path) -> None:
    first = record("2024-01-01-aaaa", "2024-01-01")
    for number, title in enumerate(("Käse", "Kase", "客户", "顧客")):
        write_history(tmp_path, replace(first, study=title, stem=f"2024-01-0{number + 1}-bbbb"))
        assert len(list((tmp_path / FOLDER).glob("*.json"))) == 2


@pytest.mark.slow
def test_records_survive_a_kill_while_they_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = record("2024-01-01-aaaa", "2024-01-01")
    for stem in ("2024-01-01-aaaa", "2024-02-01-aaaa"):
        write_history(tmp_path, replace(first, stem=stem))
    write_history(tmp_path, replace(first, study="Bank", stem="2024-01-01-bbbb"))
    known = {"2024-01-01-aaaa.json", "2024-02-01-aaaa.json", "2024-01-01-bbbb.json"}
    whole = archive.write_whole
    for struck in range(4):
        calls = iter(range(100))

        def killed(file: Path, content: bytes, at: int = struck, calls: Iterator[int] = calls) -> None:
            if next(calls) == at:
                raise KeyboardInterrupt
            whole(file, content)

        monkeypatch.setattr(archive, "write_whole", killed)
        with contextlib.suppress(KeyboardInterrupt):
            write_history(tmp_path, replace(first, stem="2024-03-01-aaaa"))
        assert known <= {file.name for file in (tmp_path / FOLDER).rglob("*.json")}


def spoil(change: Callable[[dict[str, Any]], None]) -> str:
    content = json.loads(to_json(record("2024-01-01-aaaa", "2024-01-01")))
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        to_json(record("2024-01-01-aaaa", "2024-01-01"))[:300],
        spoil(lambda r: r["segments"][0].update(slug="../../etc")),
        spoil(lambda r: r["segments"][0].update(slug="index")),
        spoil(lambda r: r["segments"][0].update(colour="red;} body {")),
        spoil(lambda r: r["segments"][0].update(letter="<b>")),
        spoil(lambda r: r["segments"].pop()),
        spoil(lambda r: r.update(stem="2024-01-01-zzzz")),
        spoil(lambda r: r.update(version=2)),
    ],
)
def test_a_record_that_is_none_is_told_and_neither_used_nor_published(tmp_path: Path, text: str) -> None:
    file = tmp_path / FOLDER / "2024-01-01-aaaa.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    past = recall(tmp_path, study(), False, "2024-02-01-bbbb", "2024-02-01")
    assert past.compared() == "" and "no record of a run" in past.told[0]
    write_history(tmp_path, record("2024-02-01-bbbb", "2024-02-01"))
    assert not file.exists() and (file.parent / "unread" / file.name).is_file()


@pytest.mark.slow
def test_the_settings_choose_a_file_a_folder_or_a_site(tmp_path: Path, serve: Callable[[Path], str]) -> None:  # noqa: F811
    site, own = tmp_path / "site root", tmp_path / "own"
    write_history(site, record("2024-01-01-aaaa", "2024-01-01"))
    write_history(site, record("2024-02-01-bbbb", "2024-02-01"))
    write_history(own, record("2024-03-01-cccc", "2024-03-01"))
    address = serve(site)

    def compared(place: str) -> str:
        past = recall(own, study(history={"previous": place}), False, "2024-04-01-dddd", "2024-04-01")
        assert past.told == ()
        return past.compared()

    assert compared("../site root/site/history/2024-01-01-aaaa.json") == "2024-01-01-aaaa"
    for place in ("../site root", "../site root/site/history", address, f"{address}/site/index.html"):
        assert compared(place) == "2024-02-01-bbbb"
    assert compared(f"{address}/site/history/2024-01-01-aaaa.json") == "2024-01-01-aaaa"
    with pytest.raises(InputError, match=r"segmentation\.history\.previous: nowhere does not exist"):
        compared("nowhere")


def test_a_published_history_comes_into_a_fresh_checkout(tmp_path: Path, serve: Callable[[Path], str]) -> None:  # noqa: F811
    site, own = tmp_path / "site", tmp_path / "own"
    write_history(site, record("2024-01-01-aaaa", "2024-01-01"))
    address = serve(site)
    assert "1 run fetched" in fetch_history(own, address)[-1]
    assert "No new run" in fetch_history(own, address)[-1]
    assert recall(own, study(), False, "2024-02-01-bbbb", "2024-02-01").compared() == "2024-01-01-aaaa"


def test_a_site_without_a_history_is_a_first_run(tmp_path: Path, serve: Callable[[Path], str]) -> None:  # noqa: F811
    (tmp_path / "site").mkdir()
    address = serve(tmp_path / "site")
    assert fetch_history(tmp_path / "own", address) == [f"{address} has no history yet (404): this is a first run."]
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("address", ["", " ", "file:///etc/passwd", "example.org", "https://", "http:// x"])
def test_an_address_that_is_none_of_the_web_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="The address is missing" if not address.strip() else "not a web address"):
        fetch_history(tmp_path, address)


GOOD = b'{"runs": [{"file": "2024-01-01-aaaa.json"}]}'
ANSWERS: dict[str, tuple[dict[str, bytes], str]] = {
    "500": ({"index": b"HTTP/1.0 500 Broken\r\n\r\n"}, "answered 500 Broken"),
    "503": ({"index": b"HTTP/1.0 503 Busy\r\n\r\n"}, "answered 503 Busy"),
    "403": ({"index": b"HTTP/1.0 403 Closed\r\n\r\n"}, "answered 403 Closed"),
    "a bad status line": ({"index": b"no status at all\r\n\r\n"}, "the answer is not HTTP"),
    "nothing": ({"index": b""}, "closed without an answer"),
    "half of it": ({"index": b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n" + GOOD}, "broke off|cannot be fetched"),
    "half JSON": ({"index": b"HTTP/1.0 200 OK\r\n\r\n" + GOOD[:20]}, "is no list of runs"),
    "a web page": ({"index": b"HTTP/1.0 200 OK\r\n\r\n<!DOCTYPE html>"}, "is no list of runs"),
    "no runs": ({"index": b'HTTP/1.0 200 OK\r\n\r\n{"runs": null}'}, "is no list of runs"),
    "runs that are numbers": ({"index": b'HTTP/1.0 200 OK\r\n\r\n{"runs": [5]}'}, "is no list of runs"),
    "a path out of the folder": (
        {"index": b'HTTP/1.0 200 OK\r\n\r\n{"runs": [{"file": "../../secret.json"}]}'}, "is no list of runs",
    ),
    "a list": ({"index": b"HTTP/1.0 200 OK\r\n\r\n[]"}, "is no list of runs"),
    "a record that is gone": (
        {"index": b"HTTP/1.0 200 OK\r\n\r\n" + GOOD, "record": b"HTTP/1.0 404 Gone\r\n\r\n"}, "not there .404.",
    ),
    "a record that is none": (
        {"index": b"HTTP/1.0 200 OK\r\n\r\n" + GOOD, "record": b"HTTP/1.0 200 OK\r\n\r\n{}"}, "no record of a run",
    ),
}  # fmt: skip


@pytest.fixture
def answering() -> Iterator[Callable[[dict[str, bytes]], str]]:
    """Serve raw answers to requests for the index and for records, and give the address."""
    servers = []

    def start(answers: dict[str, bytes]) -> str:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = self.rfile.readline()
                self.wfile.write(answers["index" if b"index.json" in asked else "record"])

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("name", ANSWERS)
def test_a_history_that_cannot_be_fetched_whole_stops_and_changes_nothing(
    name: str, tmp_path: Path, answering: Callable[[dict[str, bytes]], str]
) -> None:
    answers, words = ANSWERS[name]
    write_history(tmp_path, record("2024-03-01-cccc", "2024-03-01"))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(InputError, match=words) as refused:
        fetch_history(tmp_path, answering(answers))
    assert "site/history/" in str(refused.value) and "Nothing was changed" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 3
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_site_that_refuses_the_connection_stops(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match=r"cannot be fetched: .*refused"):
        fetch_history(tmp_path, address)


def test_a_build_that_cannot_reach_the_run_to_compare_with_says_so(
    tmp_path: Path, answering: Callable[[dict[str, bytes]], str]
) -> None:
    address = answering({"index": b"HTTP/1.0 503 Busy\r\n\r\n"})
    past = recall(tmp_path, study(history={"previous": address}), False, "2024-04-01-dddd", "2024-04-01")
    assert past.compared() == "" and "503 Busy" in past.told[0] and "not known" in past.told[0]


def test_an_unknown_history_is_a_first_run(tmp_path: Path) -> None:
    assert recall(tmp_path, study(), False, "2024-01-01-aaaa", "2024-01-01") == Past("2024-01-01-aaaa")


def files_of(root: Path) -> dict[str, bytes]:
    found = [*(root / FOLDER).glob("*.json"), root / "build" / "report.json"]
    return {file.name: file.read_bytes() for file in found}


def test_a_run_told_again_changes_no_byte_whatever_came_between(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "write_pages", lambda *_: [])
    whole = make_shop(180)
    file = write_study(project, SHOP, whole)
    build_quickly(project)
    first = files_of(project)
    assert len(first) == 3 and json.loads(first["report.json"])["change"] is None
    whole[whole["orders"] < 21].to_csv(file, index=False)
    build_quickly(project)
    second = files_of(project)
    told = json.loads(second["report.json"])
    assert "death" in [c["kind"] for c in told["change"]["segments"]]
    was = {s["slug"]: (s["letter"], s["colour"], s["name"]) for s in json.loads(first["report.json"])["segments"]}
    kept = [c["then"]["slug"] for c in told["change"]["segments"] if c["kind"] == "kept"]
    assert {s["slug"]: (s["letter"], s["colour"], s["name"]) for s in told["segments"] if s["slug"] in kept} == {
        slug: was[slug] for slug in kept
    }
    assert not build_quickly(project).fresh
    build_quickly(project, force=True)
    assert files_of(project) == second
    whole.to_csv(file, index=False)
    build_quickly(project)
    assert files_of(project) == second | {"report.json": first["report.json"]}
    whole[whole["orders"] < 21].to_csv(file, index=False)
    for private in (project / "build" / "history").glob("*.parquet"):
        private.unlink()
    build_quickly(project)
    assert files_of(project) == second


@pytest.fixture
def quick(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project that builds with little work and writes no pages."""
    monkeypatch.setattr(book, "write_pages", lambda *_: [])
    return project


def read_run(root: Path) -> dict[str, Any]:
    return json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))


def test_monthly_files_without_settings_are_runs_of_one_study(quick: Path) -> None:
    folder = quick.parent
    make_shop(180).to_csv(folder / "m1.csv", index=False)
    make_shop(180).iloc[10:].to_csv(folder / "m2.csv", index=False)
    first = build_quickly(quick, folder / "m1.csv")
    assert not any("next run" in line for line in first.told)
    names = [(s["slug"], s["letter"]) for s in read_run(quick)["segments"]]
    second = build_quickly(quick, folder / "m2.csv")
    change = read_run(quick)["change"]
    assert change is not None and change["by"] == "customers"
    assert {(s["slug"], s["letter"]) for s in read_run(quick)["segments"]} == set(names)
    assert any("those of the study “M1”, so this is its next run" in line for line in second.told)
    index = json.loads((quick / FOLDER / "index.json").read_text(encoding="utf-8"))
    assert index["study"] == "M1" and len(index["runs"]) == 2
    again = build_quickly(quick, folder / "m2.csv", force=True)
    assert read_run(quick)["change"] == change
    assert not any("next run" in line for line in again.told)


def test_a_table_of_other_columns_is_another_study(quick: Path) -> None:
    folder = quick.parent
    make_shop(180).to_csv(folder / "m1.csv", index=False)
    make_shop(180).rename(columns={"orders": "calls", "visits": "hours"}).to_csv(folder / "other.csv", index=False)
    build_quickly(quick, folder / "m1.csv")
    told = build_quickly(quick, folder / "other.csv").told
    assert read_run(quick)["change"] is None and not any("M1" in line for line in told)


def test_a_renamed_title_says_the_line_that_keeps_the_runs(quick: Path) -> None:
    write_study(quick, SHOP)
    build_quickly(quick)
    write_study(quick, {**SHOP, "title": "The shop, renamed"}, make_shop(170))
    (line,) = [line for line in build_quickly(quick).told if "on record" in line]
    assert "“Customers of the shop”" in line and 'title: "Customers of the shop"' in line
    write_study(quick, {**SHOP, "title": "Customers of the shop"}, make_shop(170))
    assert not any("on record" in line for line in build_quickly(quick).told)
    assert read_run(quick)["change"] is not None


def test_an_edited_formula_is_not_read_as_behaviour(quick: Path) -> None:
    source = {**SHOP["sources"][0], "roles": {"feature": ["discount", "visits"], "descriptor": ["region", "spend"]}}
    feature = {"label": "Orders a visit", "formula": "orders / visits"}
    settings = {**SHOP, "customers": "members", "sources": [source], "features": {"rate": feature}}
    write_study(quick, settings)
    build_quickly(quick)
    edited = {**settings, "features": {"rate": {**feature, "formula": "orders * 10"}}}
    write_study(quick, edited)
    build_quickly(quick)
    change = read_run(quick)["change"]
    assert change["edited"] == ["Orders a visit"]
    assert "rate" not in {d["variable"] for d in change["drift"]} | {t["variable"] for t in change["traits"]}
    assert {"discount", "visits"} <= {d["variable"] for d in change["drift"]}
    report = read_report(quick / "build" / "report.json")
    assert "formula of “Orders a visit” was edited" in news.edited(report)
    assert news.sizes(report).columns[1:3] == ("Members then", "Members now")


def test_an_edited_formula_takes_no_part_in_matching_by_centres() -> None:
    def marked(found: Measures, formula: str) -> Measures:
        return replace(found, spreads=(replace(found.spreads[0], formula=formula), *found.spreads[1:]))

    then = measures([[0.0, 0.0], [4.0, 4.0]], [100, 100])
    now = measures([[40.0, 0.0], [-40.0, 4.0]], [100, 100])
    assert match_centres(marked(then, "a" * 12), marked(now, "b" * 12)).pairs == {0: 0, 1: 1}
    assert match_centres(then, now).pairs == {}


def test_a_record_of_an_older_version_still_loads() -> None:
    made = record("2024-01-01-aaaa", "2024-01-01")
    content = json.loads(to_json(made))
    del content["table"]
    for spread in content["measures"]["spreads"]:
        del spread["formula"]
    assert from_json(json.dumps(content)) == made
