"""The workflows: valid, pinned, and without a step that may fail in silence."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps_of(file: Path) -> list[dict[str, Any]]:
    """List the steps of all jobs of a workflow."""
    return [step for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values() for step in job["steps"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("dependabot", [ROOT / ".github" / "dependabot.yml"]),
        ("github-issue-forms", [ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml" for name in ("bug", "idea")]),
        ("github-issue-config", [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"]),
        ("citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_the_files_are_what_their_schema_asks_for(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_with_the_version_beside(file: Path) -> None:
    used = re.findall(r"uses: (.+)", file.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_failed_step_is_passed_over(file: Path) -> None:
    assert not [step for step in steps_of(file) if "continue-on-error" in step]
    assert "|| true" not in file.read_text(encoding="utf-8")


def test_nothing_is_deployed_before_data_history_site_and_gate() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["deploy"]["needs"] == "build"
    assert jobs["build"]["needs"] == "test"
    runs = [step.get("run", step.get("uses", "")) for step in jobs["build"]["steps"]]
    order = [next(i for i, run in enumerate(runs) if wanted in run) for wanted in (
        "make data", "gh api", "make history", "make site", "make check", "upload-pages-artifact",
    )]  # fmt: skip
    assert order == sorted(order)
    assert not any("if" in step for step in jobs["build"]["steps"])


def test_the_three_systems_run_the_fast_lane_of_the_makefile() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    marks = dict(re.findall(r"^(UNIT|FAST) := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    fast = marks["FAST"].replace("$(UNIT)", marks["UNIT"])
    runs = [step.get("run", "") for step in jobs["systems"]["steps"]]
    assert any(f'-m "{fast}"' in run for run in runs)
    assert {system.partition("-")[0] for system in jobs["systems"]["strategy"]["matrix"]["system"]} == {
        "ubuntu", "windows", "macos",
    }  # fmt: skip
