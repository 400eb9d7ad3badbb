"""The commands, their exit codes and the targets of make, each read from where it is declared."""

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
    """A command: how it is called, what it does, and what it takes."""

    name: str
    usage: str
    about: str
    takes: Table


def list_commands(app: typer.Typer) -> list[Command]:
    """Every command of ``python -m analysis``, as it declares itself."""
    group = typer.main.get_command(app)
    callbacks = [each.callback for each in app.registered_commands if each.callback]
    written = {callback.__name__: get_type_hints(callback) for callback in callbacks}
    commands: dict[str, Any] = getattr(group, "commands", {})
    return [_command(name, commands[name], written[name]) for name in commands]


def list_exit_codes() -> Table:
    """What a command ends with."""
    return Table(("Code", "Meaning"), tuple((str(code), told) for code, told in EXIT_CODES.items()))


def list_targets() -> tuple[Table, Table]:
    """The targets of make and their variables, as ``make help`` lists them."""
    text = (HOME / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*?## (.+)$", text, re.MULTILINE)
    variables = re.findall(r'@echo "  ([A-Z]+=\S+) +(.+)"$', text, re.MULTILINE)
    return (
        Table(("Target", "What it does"), tuple((f"make {name}", told) for name, told in targets)),
        Table(("Variable", "What it does"), tuple(variables)),
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
                "needed" if parameter.required else default,
            )
        )
    usage = ["[options]"] * any(row[0].startswith("-") for row in rows)
    usage += [f"{p.name.upper()}{' …' * (p.nargs < 0)}" for p in command.params if p.param_type_name == "argument"]
    table = Table(("Option or argument", "What it does", "Takes", "Without it"), tuple(rows))
    return Command(name, " ".join(["python -m analysis", name, *usage]), command.get_short_help_str(200), table)
