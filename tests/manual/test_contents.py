"""The pages about the tool itself say what the code declares, all of it."""

from __future__ import annotations

import ast
import html
import re
import subprocess
from typing import Any

import pytest
import yaml

from analysis.base.errors import EXIT_CODES, GateError, InputError
from analysis.base.salt import FILE, VARIABLE
from analysis.cli import app
from analysis.manual.architecture import HOME, Room, list_walk, read_rooms
from analysis.manual.contents import read_manual
from analysis.manual.settings import blocks_of_settings, list_settings
from analysis.pages.book import write_pages
from analysis.publish.approval import FORCED
from analysis.settings.load import check_study, merge
from analysis.settings.models import Study
from tests.stages import ROOT, plain_pages, run_stages

BLOCKS = blocks_of_settings()
SETTINGS = [(place, name) for place, model in BLOCKS.items() for name in model.model_fields]
TEMPLATE = (ROOT / "templates/pages/settings.qmd").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEMPLATE, re.DOTALL | re.MULTILINE)
NEEDED: dict[str, Any] = {"title": "Shop", "sources": [{"path": "data/shop.csv"}]}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the three pages as a reader's browser decodes them."""
    root = tmp_path_factory.mktemp("manual")
    (root / "templates").symlink_to(ROOT / "templates")
    (root / "site" / "assets").mkdir(parents=True)
    (root / "site/assets/site.css").write_bytes((ROOT / "site/assets/site.css").read_bytes())
    (root / "_quarto.yml").write_text("{}", encoding="utf-8")
    with plain_pages():
        write_pages(run_stages().report, root, manual=read_manual(app))
    names = ("settings", "commands", "disclosure", "architecture")
    return {name: html.unescape((root / "site/manual" / f"{name}.qmd").read_text(encoding="utf-8")) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "name"), SETTINGS)
def test_every_setting_says_what_it_does(place: str, name: str, shown: dict[str, str]) -> None:
    description = BLOCKS[place].model_fields[name].description or ""
    assert re.fullmatch(r"[A-Zk-].{7,118}\.", description), "give it a description of one plain sentence"
    assert f'<th scope="row"><code>{name}</code></th><td>{description}</td>' in shown["settings"]


def test_every_block_has_its_place_on_the_page_and_an_example() -> None:
    assert re.findall(r'<< block\("([^"]*)"', TEMPLATE) == [
        "", "sources[]", "sources[].columns", "sources[].roles", "features.<name>",
        "variables.<name>", "reduce", "proof", "card", "targeting", "names.<name>", "history",
    ]  # fmt: skip
    assert set(re.findall(r'<< block\("([^"]*)"', TEMPLATE)) == set(BLOCKS)
    assert len(EXAMPLES) == len(BLOCKS)


@pytest.mark.parametrize(("place", "example"), list(zip(BLOCKS, EXAMPLES, strict=True)))
def test_every_example_is_read_as_settings_and_shows_its_block(place: str, example: str) -> None:
    written = yaml.safe_load(example)["segmentation"]
    at = written
    for part in filter(None, re.split(r"(\[\])|\.", place)):
        at = at[0] if part == "[]" else next(iter(at.values())) if part == "<name>" else at[part]
    assert at
    assert isinstance(check_study(merge(NEEDED, written)), Study)


@pytest.mark.parametrize(
    ("place", "name", "takes", "default"),
    [
        ("", "locale", "text", "en"),
        ("", "max_segments", "whole number from 2 to 20", "8"),
        ("", "min_share", "number above 0 and under 0.5", "0.03"),
        ("", "as_of", "date such as 2014-06-29, or auto", "auto"),
        ("", "sources", "list of blocks", "required"),
        ("sources[]", "plausible", "for each name: list of 2 numbers", "–"),
        ("sources[].roles", "feature", "list of texts", "–"),
        ("names.<name>", "retired", "true or false", "false"),
        ("targeting", "response", "text", "–"),
    ],
)
def test_what_a_setting_takes_is_said_in_words(place: str, name: str, takes: str, default: str) -> None:
    row = next(row for row in list_settings(BLOCKS[place]).rows if row[0] == name)
    assert row[2:] == (takes, default)


@pytest.mark.slow
def test_the_page_on_commands_has_each_with_all_that_it_takes(shown: dict[str, str]) -> None:
    names = [each.callback.__name__ for each in app.registered_commands if each.callback]
    assert [command.name for command in read_manual(app)["commands"]] == names
    for name in names:
        done = subprocess.run(
            ["python", "-m", "analysis", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        section = shown["commands"].split(f"\n## {name} ")[1].split("\n## ")[0]
        for option in set(re.findall(r"^ *(--[a-z-]+)", done.stdout, re.MULTILINE)) - {"--help"}:
            assert re.search(rf"<code>[^<]*{option}\b[^<]*</code>", section)
        assert f"Example: <code>python -m analysis {name}" in section


@pytest.mark.slow
def test_the_page_on_commands_has_every_target_and_variable_of_make(shown: dict[str, str]) -> None:
    output = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^  (make \w+|[A-Z]+=\S+) +(.+)$", output, re.MULTILINE)
    assert len(lines) >= 15
    for name, what in lines:
        assert f'<th scope="row"><code>{name}</code></th><td>{what}</td>' in shown["commands"]


@pytest.mark.slow
def test_exit_codes_are_those_of_the_errors(shown: dict[str, str]) -> None:
    assert EXIT_CODES[InputError.exit_code] == "invalid data or settings"
    assert EXIT_CODES[GateError.exit_code] == "publication check failed"
    for code, meaning in EXIT_CODES.items():
        assert f"<code>{code}</code></th><td>{meaning}</td>" in shown["commands"]
        assert f"{code}  {meaning}" in str(app.info.help)


ROOMS = read_rooms()
MODULES = [(room, module) for room in ROOMS for module in room.modules]


@pytest.mark.slow
@pytest.mark.parametrize(("room", "module"), MODULES, ids=lambda x: x if isinstance(x, str) else x.name)
def test_the_page_on_architecture_has_every_module_in_its_words(room: Room, module: str, shown: dict[str, str]) -> None:
    folder = HOME / "analysis" / room.name
    path = (folder if folder.is_dir() else folder.parent) / f"{module}.py"
    docstring = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    words = re.sub(r"``(.+?)``", r"<code>\1</code>", docstring.replace("\n", " "))
    assert f'<th scope="row"><code>{module}</code></th><td>{words}</td>' in shown["architecture"]


def test_the_page_on_architecture_leaves_no_module_out() -> None:
    files = {path.relative_to(HOME / "analysis") for path in (HOME / "analysis").rglob("*.py")}
    written = {path.with_suffix("").as_posix() for path in files if path.name != "__init__.py"}
    assert written == {module if room.name == module else f"{room.name}/{module}" for room, module in MODULES}


@pytest.mark.slow
def test_the_walk_of_a_row_leads_through_every_room_in_order_and_shows_what_each_does(shown: dict[str, str]) -> None:
    rows = list_walk().rows
    steps = [room.name for room in ROOMS if room.side != "around"]
    assert rows[0][0] == "sources" and rows[-1][0] == "publish"
    assert {package for package, *_ in rows} == set(steps)
    names = [name for _, name, _ in rows]
    order = ["read_inputs", "assemble", "clean", "build_features", "judge_segments", "profile_segments"]
    order += ["write_personas", "write_report", "write_pages", "render", "approve"]
    assert [name for name in names if name in order] == order
    assert all(text.endswith(".") for *_, text in rows)
    assert f"<code>{names[1]}</code>" in shown["architecture"]


@pytest.mark.slow
def test_the_picture_has_every_room_from_data_to_site_and_leads_to_it(shown: dict[str, str]) -> None:
    picture = shown["architecture"].split('<ol class="stages">')[1].split("</ol>")[0]
    links = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', picture))
    assert list(links) == [room.name for room in ROOMS if room.side != "around"]
    assert all(f"{{#{anchor}}}" in shown["architecture"] for anchor in links)
    assert picture.count("stage-wall") == 1
    assert all(room.about for room in ROOMS)


def test_the_page_on_disclosure_names_the_secret_and_where_it_is_kept() -> None:
    template = (ROOT / "templates" / "pages" / "disclosure.qmd").read_text(encoding="utf-8")
    assert f"`{VARIABLE}`" in template and f"`{FILE}`" in template and f"`{FORCED}`" in template
