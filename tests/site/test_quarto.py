"""Quarto itself: a clean copy renders without a warning and gives the pages of the embedded renderer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.publish.gate.checks import check, private_from_build
from analysis.publish.quarto import OWN_RENDER
from analysis.publish.render import render
from tests.conftest import copy_project
from tests.small_studies import SHOP, write_study

pytestmark = pytest.mark.quarto


@pytest.fixture(autouse=True, scope="module")
def _quarto_is_there() -> None:
    if shutil.which("quarto") is None:
        pytest.skip("quarto is not on the PATH")


def run_quarto(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Render as a user does, who has activated this environment."""
    outside = ("QUARTO", "SEGMENTATION")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    environment |= {"PATH": os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"])), "NO_COLOR": "1"}
    return subprocess.run(
        ["quarto", "render", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Render a clean copy with nothing built before."""
    root = copy_project(tmp_path_factory.mktemp("quarto") / "project")
    write_study(root, SHOP)
    return root, run_quarto(root)


Rendered = tuple[Path, subprocess.CompletedProcess[str]]


def names_of(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


def test_a_clean_copy_renders_without_a_warning(rendered: Rendered) -> None:
    _, done = rendered
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert "Built from" in log and "may be published" in log
    assert re.search(r"\b(WARN|ERROR)", log) is None, log


def test_it_gives_the_pages_of_the_embedded_renderer(rendered: Rendered) -> None:
    root, _ = rendered
    embedded = render(root, root.parent / "embedded", "smalldocs").site
    assert names_of(root / "_site") == names_of(embedded)
    assert len(names_of(embedded)) >= 10


def test_its_site_passes_the_gate(rendered: Rendered) -> None:
    root, _ = rendered
    private = private_from_build(root / "build")
    assert private.known
    assert check(root / "_site", private) == []


def test_our_own_render_of_the_same_pages_passes_too(rendered: Rendered) -> None:
    root, _ = rendered
    done = render(root, root.parent / "ours", "quarto")
    assert check(done.site, private_from_build(root / "build")) == []
    assert names_of(done.site) == names_of(root / "_site")


def test_a_single_page_does_not_analyse_again(rendered: Rendered) -> None:
    root, _ = rendered
    stamp = root / "build" / "stamp.json"
    stamp.write_text("{}", encoding="utf-8")
    done = run_quarto(root, "site/manual/reproduce.qmd")
    assert done.returncode == 0, done.stderr
    assert stamp.read_text(encoding="utf-8") == "{}"


def test_data_that_cannot_be_used_stop_it_with_one_clear_line(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "project")
    write_study(root, SHOP).write_bytes(b"")
    done = run_quarto(root)
    assert done.returncode != 0
    log = done.stdout + done.stderr
    assert "shop.csv is empty" in log
    assert "Traceback" not in log
    assert OWN_RENDER not in log
