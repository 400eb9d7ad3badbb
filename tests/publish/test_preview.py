"""Serving the site: what is watched, what a fault or an edit during a build does, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.base.errors import InputError
from analysis.commands.build import data_files
from analysis.pages.templating import find_line
from analysis.publish import preview
from analysis.publish.preview import newest, serve
from tests.conftest import BuiltSite

SETTINGS = """\
segmentation:
  title: Shop
  sources:
    - path: ../elsewhere/orders-*.csv
      kind: transactions
    - path: sqlite:///shop.db
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project of a few files, with its data beside it."""
    files = {
        "project/_quarto.yml": SETTINGS,
        "project/templates/pages/index.qmd": "<!-- generated from a report -->\n",
        "project/templates/playbook.yml": "[]",
        "project/site/index.qmd": "<!-- generated from a report -->\n",
        "project/site/manual/reproduce.qmd": "By hand\n",
        "project/shop.db": "",
        "elsewhere/orders-1.csv": "a",
        "elsewhere/orders-2.csv": "a",
        "elsewhere/m1.csv": "a",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "project/site/assets").mkdir()
    return tmp_path / "project"


def touch(file: Path) -> None:
    os.utime(file, ns=(time.time_ns(), file.stat().st_mtime_ns + 1_000_000))


@pytest.mark.parametrize(
    "name",
    [
        "_quarto.yml",
        "templates/pages/index.qmd",
        "templates/playbook.yml",
        "site/manual/reproduce.qmd",
        "shop.db",
        "../elsewhere/orders-2.csv",
    ],
)
def test_settings_templates_pages_and_data_wherever_they_lie_are_watched(name: str, root: Path) -> None:
    before = newest(root, data_files(root))
    touch(root / name)
    assert newest(root, data_files(root)) != before


def test_pages_that_a_build_writes_are_not_watched(root: Path) -> None:
    before = newest(root, data_files(root))
    touch(root / "site/index.qmd")
    assert newest(root, data_files(root)) == before


def test_the_file_of_the_option_is_watched_in_place_of_the_first_source(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent / "elsewhere")
    assert [file.name for file in data_files(root, "m1.csv")] == ["m1.csv", "shop.db"]


def test_settings_that_cannot_be_read_name_no_data(root: Path) -> None:
    (root / "_quarto.yml").write_text("segmentation: [", encoding="utf-8")
    assert data_files(root) == []


@pytest.fixture
def served(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], int]:
    """Serve until nothing has changed, and give how often the site was made."""

    def idle(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(preview.time, "sleep", idle)

    def run(work: Callable[[int], None]) -> int:
        made = []

        def remake() -> None:
            made.append(1)
            work(len(made))

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serve(root, root / "_site", remake, port, lambda: data_files(root))
        return len(made)

    return run


def test_an_edit_during_a_build_is_noticed_after_it(
    root: Path, served: Callable[[Callable[[int], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert served(lambda n: touch(root / "_quarto.yml") if n < 3 else None) == 3
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "Server stopped. The site is unchanged."
    assert shown.err == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("templates/pages/index.qmd, line 3: 'x' is undefined."), "templates/pages/index.qmd, line 3"),
        (RuntimeError("something else"), "The site could not be built: RuntimeError: something else"),
    ],
)
def test_a_fault_is_one_message_and_the_server_goes_on(
    error: Exception,
    told: str,
    root: Path,
    served: Callable[[Callable[[int], None]], int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(n: int) -> None:
        if n < 3:
            touch(root / "templates/pages/index.qmd")
        if n == 2:
            raise error

    assert served(work) == 3
    message = capsys.readouterr().err
    assert message.count(told) == 1 and "Traceback" not in message
    assert message.endswith("Waiting for the next change.\n")


def test_ctrl_c_while_the_site_is_made_stops_the_build(
    root: Path, served: Callable[[Callable[[int], None]], int]
) -> None:
    def work(n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        served(work)


@pytest.mark.parametrize("port", [80_000, 0, -4, 65_536])
def test_a_port_that_cannot_be_is_refused_before_the_build(port: int, root: Path) -> None:
    with pytest.raises(InputError, match=rf"Port {port} is not valid.*\n.*1 to 65535"):
        serve(root, root / "_site", lambda: pytest.fail("built"), port)


def test_a_port_that_is_taken_is_refused_before_the_build(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"Port {port} is in use.*\n.*PORT="):
            serve(root, root / "_site", lambda: pytest.fail("built"), port)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one\n<< gone.x >>\n", "templates/pages/a.qmd, line 2: 'gone' is undefined"),
        ("one\n\n<% if %>\n", "templates/pages/a.qmd, line 3: "),
        ('<< 1 + "a" >>\n', "templates/pages/a.qmd, line 1: "),
        ('<% include "pages/none.qmd" %>', "templates/pages/a.qmd, line 1: 'pages/none.qmd' not found"),
    ],
)
def test_an_error_in_a_template_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "templates/pages/a.qmd"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(tmp_path / "templates"), undefined=StrictUndefined,
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
    )  # fmt: skip
    with pytest.raises(Exception) as caught:
        environment.get_template("pages/a.qmd").render()
    assert f"{find_line(caught.value)}: {caught.value}".startswith(told)


# Tests that run in the background may be told to ignore the interrupt; the command under test is not.
HEARS = """import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "analysis", *sys.argv[1:]])"""


def start(root: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("QUARTO", "SEGMENTATION"))}
    environment |= {"SEGMENTATION_EFFORT": "test", "SEGMENTATION_SALT": "tests", **variables}
    return subprocess.Popen(
        [sys.executable, "-c", HEARS, *arguments],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=60)


def read_until(stream: IO[str] | None, words: str) -> str:
    assert stream is not None
    return next((line for line in stream if words in line), "")


@pytest.mark.parametrize("built_site", ["few customers"], indirect=True)
def test_ctrl_c_ends_a_server_with_one_line_and_a_build_with_another(built_site: BuiltSite) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(built_site.root, "preview", "--port", str(port))
    limit = threading.Timer(120, process.kill)
    limit.daemon = True
    limit.start()
    assert f"http://127.0.0.1:{port}/" in read_until(process.stdout, "Serving")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html", timeout=10) as answer:
        assert answer.status == 200
    out, err = interrupt(process)
    limit.cancel()
    assert (process.returncode, err) == (0, "")
    assert out == "Server stopped. The site is unchanged.\n"
    for seconds in (0.5, 5.0):
        # With another secret nothing is taken from the build before.
        process = start(built_site.root, "build", "--force", SEGMENTATION_SALT="other", LOKY_MAX_CPU_COUNT="2")
        time.sleep(seconds)
        out, err = interrupt(process)
        assert (process.returncode, out, err) == (130, "", "Interrupted. The last site is unchanged.\n")
