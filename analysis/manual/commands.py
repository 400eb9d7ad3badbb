"""Commands, exit codes and make targets, read from where each is declared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, get_type_hints

import typer

from analysis.base.errors import EXIT_CODES
from analysis.manual.architecture import HOME
from analysis.manual.settings import describe_type
from analysis.pages.figures import Table


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its usage and options.

    Attributes
    ----------
    name, usage : str
    about : str
        What it does, in one line.
    details : tuple of str
        Further paragraphs of its help.
    example : str
        A command line to copy.
    options : Table
        Its options and arguments.
    """

    name: str
    usage: str
    about: str
    details: tuple[str, ...]
    example: str
    options: Table


def list_commands(app: typer.Typer) -> list[Command]:
    """List every command of ``python -m analysis`` from its declaration."""
    group = typer.main.get_command(app)
    callbacks = [each.callback for each in app.registered_commands if each.callback]
    written = {callback.__name__: get_type_hints(callback) for callback in callbacks}
    commands: dict[str, Any] = getattr(group, "commands", {})
    return [_command(name, commands[name], written[name]) for name in commands]


def list_exit_codes() -> Table:
    """List the exit codes of all commands."""
    return Table(("Code", "Meaning"), tuple((str(code), meaning) for code, meaning in EXIT_CODES.items()))


def list_targets() -> tuple[Table, Table]:
    """List the make targets and their variables, as ``make help`` shows them."""
    text = (HOME / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*?## (.+)$", text, re.MULTILINE)
    variables = re.findall(r'@echo "  ([A-Z]+=\S+) +(.+)"$', text, re.MULTILINE)
    return (
        Table(("Target", "Description"), tuple((f"make {name}", purpose) for name, purpose in targets)),
        Table(("Variable", "Description"), tuple(variables)),
    )


def _command(name: str, command: Any, hints: dict[str, Any]) -> Command:
    rows = []
    for parameter in command.params:
        option = parameter.param_type_name == "option"
        flag = hints[parameter.name] is bool
        default = "off" if flag else "–" if parameter.default is None else str(parameter.default)
        rows.append(
            (
                ", ".join(parameter.opts) if option else parameter.name.upper(),
                parameter.help or "",
                "–" if flag else describe_type(hints[parameter.name], []),
                "required" if parameter.required else default,
            )
        )
    usage = ["[options]"] * any(row[0].startswith("-") for row in rows)
    usage += [f"{p.name.upper()}{' …' * (p.nargs < 0)}" for p in command.params if p.param_type_name == "argument"]
    table = Table(("Option or argument", "Description", "Type", "Default"), tuple(rows))
    about, *details = (" ".join(paragraph.split()) for paragraph in command.help.split("\n\n"))
    example = command.epilog.removeprefix("Example: ")
    return Command(name, " ".join(["python -m analysis", name, *usage]), about, tuple(details), example, table)
