"""What several test modules share: data files, a browser, copies of the project, and rendered sites."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.built_sites import build_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Test processes run side by side: each computes in one thread.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Commands that tests start do all work in one process. The largest site is built, and builds are killed, with several.
os.environ["LOKY_MAX_CPU_COUNT"] = "1"

# Digests are keyed: builds in two folders give the same bytes where both have the same secret.
os.environ["SEGMENTATION_SALT"] = "tests"

ROOT = Path(__file__).resolve().parent.parent
DATASETS = Path(os.environ.get("DATASETS") or ROOT.parent / "shared" / "datasets")
"""Folder of the public data files: the environment's ``DATASETS``, else one beside the project."""

MADE_UP = ROOT / "tests" / "data"
"""Folder of made-up files that have the form of the public ones; ``tests/data/README.md`` says what they are."""

BUILDS = ("built_site", "extended", "project", "trip")
"""Fixtures that copy the project to build in it: a test that asks for one is marked ``builds``."""

BUILDERS = {"build_once", "build_quickly", "build_report", "copy_project", "run_analysis", "take_through"}
"""Functions that take a study of its own through the whole line: a test or fixture that calls one is marked, too."""

BUILDING = (
    "audit",
    "site",
    "studies",
    "validation",
    "pages/test_book.py",
    "report/test_releases.py",
    "report/test_trials.py",
)
"""Folders and files below ``tests/`` whose tests are all marked ``builds``."""

CUSTOMERS = {"default twin": 2240, "few customers": 300}
"""Studies that are built and rendered once for all test processes, by how many synthetic customers they have."""

BY_QUARTO = pytest.param("default twin by Quarto", marks=pytest.mark.quarto)
"""The pages of the default twin, rendered by Quarto: a third ``built_site``, for tests that ask for it."""


@dataclass(frozen=True, slots=True)
class BuiltSite:
    """A project that was built and rendered.

    Attributes
    ----------
    root : Path
        Project folder, with ``build/`` and ``site/``.
    site : Path
        Folder of the website.
    n_customers : int
        Synthetic customers in it.
    engine : str
        "smalldocs" or "quarto".
    """

    root: Path
    site: Path
    n_customers: int
    engine: str = "smalldocs"


LONGEST_DIFF = 20_000
"""Characters up to which pytest compares two texts line by line, which takes hours for a page on one line."""


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say of long texts where they first differ."""
    if op != "==" or not isinstance(left, (str, bytes)) or not isinstance(right, (str, bytes)):
        return None
    if max(len(left), len(right)) <= LONGEST_DIFF:
        return None
    pairs = enumerate(zip(left, right, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))
    here = slice(max(at - 100, 0), at + 100)
    return [f"texts of {len(left):,} and {len(right):,} differ at {at:,}", f"  {left[here]!r}", f"  {right[here]!r}"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that drive a browser or build whole studies, which the fast lane omits; put their files first."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "chromium" in fixtures:
            item.add_marker("browser")
        if any(item.path.is_relative_to(ROOT / "tests" / place) for place in BUILDING) or _builds(item):
            item.add_marker("builds")
    slow = {item.path for item in items if item.get_closest_marker("builds") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in slow)


def _builds(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    definitions = item._fixtureinfo.name2fixturedefs.values()
    functions = [item.function, *(definition.func for each in definitions for definition in each)]
    called = {name for function in functions if (code := getattr(function, "__code__", None)) for name in code.co_names}
    return bool(BUILDERS & called or set(BUILDS) & set(item.fixturenames))


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Give the folder of the public data files, or skip."""
    if not DATASETS.is_dir():
        pytest.skip("the public data files are not there; DATASETS names their folder")
    return DATASETS


@pytest.fixture(scope="session")
def dataset() -> Callable[[str], Path]:
    """Give a public data file by its name, or skip."""
    return find_public_file


def find_public_file(name: str) -> Path:
    """Give a public data file by its name, or skip."""
    if not (DATASETS / name).is_file():
        pytest.skip(f"{name} is not there; DATASETS names the folder of the public data files")
    return DATASETS / name


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium; where tests run unattended it must be there."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "google-chrome", "chromium-browser")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; the rendered site must be tested in a browser")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project, as a fresh clone holds it, into a folder of its own."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session", params=CUSTOMERS)
def built_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    """Give the worker a copy of the synthetic twin, built and rendered with the embedded engine or Quarto."""
    study, _, engine = request.param.partition(" by ")
    if engine and shutil.which("quarto") is None:
        pytest.skip("quarto is not on the PATH")
    n_customers = CUSTOMERS[study]
    built = build_once(study.replace(" ", "-"), lambda root: build_twin(root, n_customers))
    if engine:
        built = build_once(f"{built.name}-by-quarto", lambda root: render_again(built, root))
    root = Path(shutil.copytree(built, tmp_path_factory.mktemp("built") / "project"))
    return BuiltSite(root, root / "_site", n_customers, engine.lower() or "smalldocs")


def build_twin(root: Path, n_customers: int) -> None:
    """Build and render a synthetic twin in a new copy of the project."""
    copy_project(root)
    if n_customers == CUSTOMERS["default twin"]:
        # The audit recomputes every number of this site to its last digit.
        state_exactly(root)
    run_analysis(root, "demo", "--customers", str(n_customers), "--out", "data")
    run_analysis(root, "build", cores=2 if n_customers == CUSTOMERS["default twin"] else 1)
    run_analysis(root, "render", "--engine", "smalldocs")


def render_again(built: Path, root: Path) -> None:
    """Render the pages of a built study with Quarto, in a new copy of it."""
    shutil.copytree(built, root)
    run_analysis(root, "render", "--engine", "quarto")


def state_exactly(root: Path) -> None:
    """Set a project to state numbers as they are, not rounded."""
    path = root / "_quarto.yml"
    text = path.read_text(encoding="utf-8")
    exact = text.replace("\nsegmentation:\n", "\nsegmentation:\n  disclosure: internal\n", 1)
    path.write_text(exact, encoding="utf-8")


def copy_project(to: Path) -> Path:
    """Copy what git would track, told from ``.gitignore``, so that it also works outside a clone."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]

    def ignored(folder: str, names: list[str]) -> list[str]:
        here = Path("/", os.path.relpath(folder, ROOT))
        return [n for n in names if any(fnmatch(n, p) or fnmatch(str(here / n), p) for p in patterns)]

    return Path(shutil.copytree(ROOT, to, ignore=ignored))


def run_analysis(root: Path, *arguments: str, check: bool = True, cores: int = 1) -> subprocess.CompletedProcess[str]:
    """Run a command in a project with little resampling, in an environment free of settings from outside."""
    outside = ("QUARTO", "SEGMENTATION", "MAKE", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    environment |= {
        "SEGMENTATION_EFFORT": "test", "SEGMENTATION_SALT": "tests", "LOKY_MAX_CPU_COUNT": str(cores)
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "analysis", *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if check and done.returncode:
        pytest.fail(f"python -m analysis {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done
