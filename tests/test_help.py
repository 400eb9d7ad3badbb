"""The help of the commands: complete, within 80 columns, and with an example."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from analysis.base.errors import EXIT_CODES
from analysis.cli import app

COMMANDS: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
WIDTH = 80


def help_of(*command: str) -> str:
    """Return the help of a command as a terminal of 80 columns shows it."""
    result = CliRunner().invoke(app, [*command, "--help"], terminal_width=WIDTH, prog_name="python -m analysis")
    assert result.exit_code == 0 and not result.stderr
    return result.stdout


@pytest.mark.parametrize("command", [(), *((name,) for name in sorted(COMMANDS))], ids=" ".join)
def test_help_fits_80_columns_is_not_cut_and_has_an_example(command: tuple[str, ...]) -> None:
    lines = help_of(*command).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []
    assert [line for line in lines if line.endswith("...") and not line.startswith("Usage:")] == []
    example = " ".join(["Example: python -m analysis", *command])
    assert sum(line.strip().startswith(example) for line in lines) == 1


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_is_a_line_and_a_paragraph(name: str) -> None:
    first, *paragraphs = COMMANDS[name].help.split("\n\n")
    assert re.fullmatch(r"[A-Z][^\n.]+\.", first) and len(first) <= 60
    assert paragraphs


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_describes_every_option(name: str) -> None:
    text = help_of(name).lower()
    for option in COMMANDS[name].params:
        assert option.help and max(option.opts, key=len).lower() in text


def test_help_lists_every_command_in_full() -> None:
    text = help_of()
    assert {"build", "render", "check", "demo", "score", "preview", "data"} <= set(COMMANDS)
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.help.splitlines()[0])}$", text, re.MULTILINE)


def test_help_lists_every_exit_code_on_a_line() -> None:
    text = help_of()
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^ +{code}  {re.escape(meaning)}$", text, re.MULTILINE)
