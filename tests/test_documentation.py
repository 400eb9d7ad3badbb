"""What the documents tell readers to type must work."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from analysis.base.expressions import parse
from analysis.base.version import tool_version
from analysis.cli import app
from analysis.settings.load import check_study, merge, project_settings
from analysis.settings.models import Study

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "site/manual/reproduce.qmd", "site/manual/extend.qmd")
COMMANDS: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def code_of(document: str) -> list[str]:
    """Give the lines of fenced blocks and the spans of inline code."""
    text = text_of(document)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in fenced for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", prose)


def matches(pattern: str) -> list[tuple[str, ...]]:
    """Give (document, *groups) for each match of a pattern in the code of the documents, each once."""
    found = [
        (document, *match.groups())
        for document in DOCUMENTS
        for line in code_of(document)
        for match in re.finditer(pattern, line)
    ]
    return sorted(set(found))


def command(name: str) -> Any:
    assert name in COMMANDS, f"commands there: {sorted(COMMANDS)}"
    return COMMANDS[name]


def yaml_examples(document: str) -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", text_of(document), re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block) for block in blocks]


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    named = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    return {requirement.name.lower(): str(requirement.specifier) for requirement in named}


def ranges() -> dict[str, Requirement]:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {requirement.name.lower(): requirement for requirement in map(Requirement, listed)}


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--version"])
    assert not ended.value.code
    assert capsys.readouterr().out == f"Segment site {tool_version()}\n"


@pytest.mark.parametrize(("document", "name", "arguments"), matches(r"python -m analysis (\w+)([^|&;#]*)"))
def test_documented_commands_and_options_exist(document: str, name: str, arguments: str) -> None:
    known = {option for parameter in command(name).params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", arguments)) - known - {"--help"} == set()


@pytest.mark.parametrize(("document", "name"), matches(r"\bmake ([a-z-]+)\b"))
def test_documented_targets_exist(document: str, name: str) -> None:
    assert re.search(rf"^{name}:.*## ", MAKEFILE, re.MULTILINE), f"{document} names make {name}"


@pytest.mark.parametrize(("document", "name"), matches(r"\bmake [a-z]+ ([A-Z]+)="))
def test_documented_variables_exist(document: str, name: str) -> None:
    assert f'"  {name}=' in MAKEFILE, f"{document} names {name}"


@pytest.mark.parametrize(
    ("document", "path"),
    matches(r"^((?:analysis|templates|site|tests|\.github)/[\w./-]+\.\w+|[\w-]+\.(?:toml|txt|md))$"),
)
def test_documented_files_exist(document: str, path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_documents_lead_to_files(document: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(document))
    local = [target for target in targets if not target.startswith("http")]
    assert [target for target in local if not (ROOT / document).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does(name: str) -> None:
    assert command(name).get_short_help_str(200)
    undescribed = [p.name for p in command(name).params if not getattr(p, "help", None)]
    assert undescribed == []


def test_help_lists_every_target() -> None:
    targets = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert targets
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(targets[1].split()) == set(re.findall(r"^  make ([\w-]+)", shown, re.MULTILINE))


@pytest.mark.parametrize("document", ["README.md", "site/manual/reproduce.qmd"])
def test_examples_of_settings_are_valid(document: str) -> None:
    examples = yaml_examples(document)
    assert examples
    study: dict[str, Any] = {}
    for example in examples:
        study = merge(study, example.get("segmentation", example))
        assert isinstance(check_study(study), Study)


def test_functions_named_on_the_reproduce_page_are_in_the_language() -> None:
    sentence = re.search(r"functions (.+?)\.", text_of("site/manual/reproduce.qmd"))
    assert sentence
    names = re.findall(r"`(\w+)`", sentence[1])
    n_arguments = {"where": 3, "is_in": 2, "min": 2, "max": 2}
    assert len(names) >= 9
    for name in names:
        parse(f"{name}({', '.join(['x'] * n_arguments.get(name, 1))})")


def test_a_made_up_setting_in_an_example_would_be_refused() -> None:
    block = merge(project_settings(ROOT)["segmentation"], {"segmnts": 4})
    with pytest.raises(Exception, match="segmnts"):
        check_study(block)


def test_pinned_versions_lie_in_the_declared_ranges() -> None:
    pinned = pins("requirements.txt")
    assert set(pinned) == set(ranges())
    for name, pin in pinned.items():
        assert Version(pin.removeprefix("==")) in ranges()[name].specifier, name


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "requirements-quarto.txt"])
def test_every_requirement_is_pinned(file: str) -> None:
    assert [name for name, pin in pins(file).items() if not pin.startswith("==")] == []


def test_one_version_stands_in_every_place() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert tool_version() == version
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == version
    assert f"## {version}" in text_of("CHANGELOG.md")


def locked(file: str) -> dict[str, tuple[str, int]]:
    """Give version and number of hashes of each package of a lock file."""
    entries = re.findall(r"^([\w.-]+)(?:\[\w,]+)?(==\S+)(.*\n(?:    --hash=.*\n)*)", text_of(file), re.MULTILINE)
    return {name: (pin, rest.count("--hash=sha256:")) for name, pin, rest in entries}


@pytest.mark.parametrize(
    ("lock", "files"),
    [
        ("requirements.lock", ["requirements.txt"]),
        ("requirements-dev.lock", ["requirements.txt", "requirements-dev.txt"]),
    ],
)
def test_the_lock_holds_every_pin_with_its_hashes(lock: str, files: list[str]) -> None:
    held = locked(lock)
    assert len(held) > len(re.findall("^[^ #]", text_of(lock), re.MULTILINE)) - 1
    pinned = {name: pin for file in files for name, pin in pins(file).items()}
    assert {name: held.get(name, ("", 0))[0] for name in pinned} == pinned, "run: make lock"
    assert all(n_hashes for _, n_hashes in held.values())
    assert "://" not in text_of(lock)


def test_the_site_is_made_and_tested_with_the_same_versions() -> None:
    site, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert site.items() <= dev.items()


def test_quarto_is_installed_on_purpose_only() -> None:
    assert not [n for n in (pins("requirements.txt") | pins("requirements-dev.txt")) if "quarto" in n]


def test_the_workflow_publishes_with_the_pinned_quarto() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    setup = next(step for step in steps if "quarto-actions/setup" in step.get("uses", ""))
    assert "==" + setup["with"]["version"] == pins("requirements-quarto.txt")["quarto-cli"]


def test_the_workflow_checks_the_site_right_before_it_uploads_it() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8"))
    steps = [step.get("uses") or step["run"] for step in workflow["jobs"]["build"]["steps"]]
    upload = next(i for i, step in enumerate(steps) if "upload-pages-artifact" in step)
    assert "check" in steps[upload - 1]


def test_cleaning_keeps_data_notes_and_history() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
    generated = ignored.split("# generated")[1].split("\n\n")[0].splitlines()[1:]
    assert "/_site/" in generated
    kept = ("/data", "/site/notes", "/site/history", "/site/manual/reproduce.qmd", "/.venv")
    assert [line for line in generated if line.rstrip("/*") in kept or line in {"/site/", "/"}] == []
