"""Day two and after: the study is made again and again on new, broken, missing and restored data, in three engines.

A stand-in for Quarto serves where there is none (`quarto_double`). ``make test`` runs one journey of each kind with it;
``make trials`` runs every journey in each engine.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.publish.last_site import list_files
from tests.conftest import copy_project
from tests.small_studies import SHOP, make_shop, write_study

STUDY = {**SHOP, "algorithm": "kmeans", "segments": 3, "demo": "twin"}
BROKEN = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "without its key": b"orders,discount\n1,2\n3,4\n",
    "a heading only": b"customer,orders,discount,visits,spend,region,responded\n",
    "not a table": b"<html><body>Sign in to continue</body></html>\n",
}
OUTSIDE = ("QUARTO", "SEGMENTATION", "MAKE", "MFLAGS", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Trip:
    """A project on its way through the journeys.

    Attributes
    ----------
    root : Path
        Project folder.
    engine : str
        "double", "embedded" or "quarto".
    path : str
        PATH for the commands.
    """

    root: Path
    engine: str
    path: str

    @property
    def site(self) -> Path:
        return self.root / "_site"

    @property
    def data(self) -> Path:
        return self.root / "data" / "shop.csv"

    def render(self, *arguments: str, profile: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Analyse and render, as a user of the engine does."""
        return subprocess.run(
            self.command(*arguments), cwd=cwd or self.root, env=self.environment(profile),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def command(self, *arguments: str, work: str = "render") -> list[str]:
        """Return a command that renders the site; the embedded renderer can be asked to serve it, too."""
        if work == "preview" and self.engine == "embedded":
            return [sys.executable, "-m", "analysis", "preview", "--port", str(4900 + os.getpid() % 90)]
        if self.engine != "embedded":
            return ["quarto", "render", *arguments]
        out = f" --out {arguments[1]}" if arguments[:1] == ("--output-dir",) else ""
        run = f"{sys.executable} -m analysis"
        return ["sh", "-c", f"{run} build && {run} render --engine smalldocs{out}"]

    def environment(self, profile: str = "") -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
        return {**outside, "PATH": self.path, "NO_COLOR": "1", "SEGMENTATION_EFFORT": "test",
                **({"QUARTO_PROFILE": profile} if profile else {})}  # fmt: skip

    def analysis(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "analysis", *arguments], cwd=self.root, env=self.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def add_rows(self, n: int, seed: int) -> None:
        """Append new customers to the data."""
        more = make_shop(max(n, 6), seed).head(n)
        more["customer"] = [f"N-{seed}-{i}" for i in range(n)]
        with self.data.open("a", encoding="utf-8") as file:
            file.write(more.to_csv(index=False, header=False))


def set_out(engine: str, folder: Path) -> Trip:
    """Copy the project, give it a small study and an engine; there is no activated environment."""
    tools = folder / "bin"
    tools.mkdir()
    path = os.pathsep.join((str(tools), "/usr/local/bin", "/usr/bin", "/bin"))
    if engine == "double":
        double = tools / "quarto"
        script = Path(__file__).parent / "quarto_double.py"
        double.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', encoding="utf-8")
        double.chmod(double.stat().st_mode | stat.S_IXUSR)
    elif engine == "quarto":
        found = shutil.which("quarto")
        if found is None:
            pytest.skip("quarto is not on the PATH")
        path = os.pathsep.join((str(tools), str(Path(found).parent), path))
    root = copy_project(folder / "a project")
    (root / ".venv").symlink_to(sys.prefix)
    write_study(root, STUDY)
    profile = {"website": {"title": "Another shop"}, "segmentation": {**STUDY, "title": "Another shop"}}
    (root / "_quarto-other.yml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    return Trip(root, engine, path)


ENGINES = [
    "double",
    pytest.param("embedded", marks=pytest.mark.trials),
    pytest.param("quarto", marks=[pytest.mark.trials, pytest.mark.quarto]),
]


@pytest.fixture(scope="module", params=ENGINES)
def trip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    """Set out, and render a first time."""
    trip = set_out(request.param, tmp_path_factory.mktemp("journey"))
    done = trip.render()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stdout + done.stderr
    return trip


def fails_and_leaves(trip: Trip, before: dict[str, str], *arguments: str, says: str, code: int | None = None) -> str:
    """Assert that a render fails with a message, and that the site is byte for byte as before."""
    done = trip.render(*arguments)
    log = done.stdout + done.stderr
    expected = {None: 2 if trip.engine == "embedded" else 1}.get(code, code)
    assert done.returncode == expected, log
    assert says in log and "Traceback" not in log, log
    assert list_files(trip.site) == before
    return log


def test_the_same_again_gives_the_same_site(trip: Trip) -> None:
    before = list_files(trip.site)
    done = trip.render()
    assert done.returncode == 0, done.stderr
    assert "Nothing changed since the last build" in done.stdout
    assert list_files(trip.site) == before


@pytest.mark.parametrize(("n", "seed"), [(300, 1), pytest.param(5, 2, marks=pytest.mark.trials)])
def test_more_rows_give_a_new_site_without_files_of_the_old_one(trip: Trip, n: int, seed: int) -> None:
    trip.add_rows(n, seed)
    done = trip.render()
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert "Built from shop.csv" in log
    assert not list(trip.site.rglob("_site"))
    records = set((trip.root / "site/history").glob("*.json"))
    assert {file.name for file in (trip.site / "site/history").iterdir()} == {file.name for file in records}
    made_of_the_site = {"assets/search-index.js", "downloads/site.zip"}
    assert downloads(trip.site / "site") - made_of_the_site == downloads(trip.root / "site") - made_of_the_site


def downloads(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for name in ("downloads", "assets") for file in (folder / name).rglob("*.*")}


@pytest.mark.trials
def test_another_profile_takes_the_place_of_the_site(trip: Trip) -> None:
    done = trip.render(profile="other")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Another shop" in (trip.site / "site/index.html").read_text(encoding="utf-8")
    assert trip.render().returncode == 0
    assert "Another shop" not in (trip.site / "site/index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind", [kind if kind == "binary" else pytest.param(kind, marks=pytest.mark.trials) for kind in BROKEN]
)
def test_broken_data_leave_the_last_good_site(trip: Trip, kind: str) -> None:
    before, good = list_files(trip.site), trip.data.read_bytes()
    trip.data.write_bytes(BROKEN[kind])
    log = fails_and_leaves(trip, before, says="shop.csv")
    assert trip.engine == "embedded" or "The last good site was restored in _site." in log
    trip.data.write_bytes(good)


def test_missing_data_are_not_replaced_by_a_demonstration_and_come_back(trip: Trip) -> None:
    before, away = list_files(trip.site), trip.root / "elsewhere.csv"
    trip.data.rename(away)
    fails_and_leaves(trip, before, says="shop.csv does not exist")
    away.rename(trip.data)
    assert trip.render().returncode == 0
    assert list_files(trip.site) == before


def test_refused_pages_leave_the_last_good_site(trip: Trip) -> None:
    before, page = list_files(trip.site), trip.root / "site/manual/reproduce.qmd"
    good = page.read_text(encoding="utf-8")
    page.write_text(f"{good}\n![](https://example.org/picture.png)\n", encoding="utf-8")
    log = fails_and_leaves(trip, before, says="off-host", code=3 if trip.engine == "embedded" else 1)
    assert "build/refused" in log or (trip.root / "build/refused").is_dir()
    page.write_text(good, encoding="utf-8")
    assert trip.render().returncode == 0


def draw_strikes(n: int) -> Iterator[Any]:
    """Draw moments at which a process is killed or stopped by Ctrl-C, in seconds after the site is cleared."""
    rng = random.Random(2)
    for number in range(n):
        how, work = (signal.SIGKILL, signal.SIGINT)[number % 2], ("render", "preview")[number % 3 == 2]
        name = f"{how.name} {work} {number}"
        yield pytest.param(rng.uniform(0, 6), how, work, marks=pytest.mark.trials, id=name)


@pytest.mark.parametrize(
    ("wait", "how", "work"),
    [(0.3, signal.SIGKILL, "render"), (0.9, signal.SIGINT, "preview"), *draw_strikes(30)],
)
def test_after_a_kill_the_next_command_puts_the_last_good_site_back(
    trip: Trip, wait: float, how: signal.Signals, work: str
) -> None:
    before, records = list_files(trip.site), {path.name for path in trip.root.glob("site/history/*.json")}
    trip.add_rows(20, seed=int(1000 * wait) + int(how))
    struck = subprocess.Popen(
        trip.command(work=work), cwd=trip.root,
        env={**trip.environment(), "LOKY_MAX_CPU_COUNT": "2"}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    cleared = time.monotonic()
    while trip.engine != "embedded" and trip.site.exists() and time.monotonic() - cleared < 60:
        time.sleep(0.02)
    time.sleep(wait)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(struck.pid, how)
    struck.wait()
    trip.analysis("init", "no-such-file.csv")
    after = list_files(trip.site)
    assert trip.render().returncode == 0
    assert after in (before, list_files(trip.site))
    assert records <= {path.name for path in trip.root.glob("site/history/*.json")}
    assert not [path.name for path in trip.root.glob("._site-*")]


@pytest.mark.trials
def test_a_single_page_needs_no_analysis_and_keeps_the_rest(trip: Trip) -> None:
    if trip.engine == "embedded":
        pytest.skip("the embedded renderer makes all pages")
    before = list_files(trip.site)
    done = trip.render("site/manual/reproduce.qmd")
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert "Gather evidence" not in log
    assert "segmentation:\n    title" not in log
    assert before.keys() <= list_files(trip.site).keys()


@pytest.mark.trials
def test_a_subfolder_and_another_output_folder(trip: Trip) -> None:
    if trip.engine != "embedded":
        assert trip.render(cwd=trip.root / "site").returncode == 0
    before = list_files(trip.site)
    done = trip.render("--output-dir", "elsewhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list_files(trip.site) == before
    assert not list((trip.root / "elsewhere").rglob("_site"))
    there = list_files(trip.root / "elsewhere")
    good = trip.data.read_bytes()
    trip.data.write_bytes(b"")
    assert trip.render("--output-dir", "elsewhere").returncode != 0
    assert list_files(trip.root / "elsewhere") == there
    trip.data.write_bytes(good)


@pytest.mark.trials
def test_without_the_packages_one_message_says_what_to_do(trip: Trip) -> None:
    if trip.engine == "embedded":
        pytest.skip("Quarto starts the scripts with any Python")
    before, environment = list_files(trip.site), trip.root / ".venv"
    environment.rename(trip.root / ".venv-away")
    fails_and_leaves(trip, before, says="The packages of requirements.txt are not installed")
    (trip.root / ".venv-away").rename(environment)


@pytest.mark.trials
@pytest.mark.quarto
def test_a_preview_shows_changed_settings_and_data(tmp_path: Path) -> None:
    trip = set_out("quarto", tmp_path)
    assert trip.render().returncode == 0
    port, log = 4871, tmp_path / "preview.log"
    with log.open("w") as out:
        preview = subprocess.Popen(
            ["quarto", "preview", "--no-browser", "--port", str(port)], cwd=trip.root, env=trip.environment(),
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        page = f"http://localhost:{port}/site/index.html"
        wait_for(lambda: "shop" in read(page), 90, log)
        settings = trip.root / "_quarto.yml"
        text = settings.read_text(encoding="utf-8").replace("title: Customers of the shop", "title: The corner shop")
        settings.write_text(text, encoding="utf-8")
        wait_for(lambda: "The corner shop" in read(page), 120, log)
        trip.add_rows(120, seed=77)
        (trip.root / "site/manual/reproduce.qmd").touch()
        n = len(trip.data.read_text(encoding="utf-8").splitlines()) - 1
        wait_for(lambda: read(f"http://localhost:{port}/site/manual/reproduce.html") and f"{n}" in read(page), 120, log)
        time.sleep(8)
        assert log.read_text().count("Gather evidence") <= 3
    finally:
        os.killpg(preview.pid, signal.SIGKILL)
        preview.wait()


def read(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.read().decode("utf-8", "replace")
    except OSError:
        return ""


def wait_for(holds: Callable[[], bool], seconds: float, log: Path) -> None:
    """Wait until something holds."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, log.read_text()[-3000:]
        time.sleep(1)
