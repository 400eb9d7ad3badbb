"""What the tool says of itself: its settings, commands, targets and modules, each read from where it is declared."""

from __future__ import annotations

import datetime as dt
import re
import types
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from analysis.base.errors import EXIT_CODES
from analysis.manual.architecture import HOME, STAGES, Stage, purpose_of
from analysis.pages.figures import Table
from analysis.settings.models import Study

_WORDS = {
    str: ("text", "texts"),
    int: ("whole number", "whole numbers"),
    float: ("number", "numbers"),
    bool: ("true or false", "true or false"),
    dt.date: ("date such as 2014-06-29", "dates"),
    dt.datetime: ("date such as 2014-06-29", "dates"),
    Path: ("path", "paths"),
}
"""What a setting takes, alone and in a list."""
_BOUNDS = {"ge": "{} or more", "le": "{} or less", "gt": "above {}", "lt": "under {}"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how it is called, what it does, and what it takes."""

    name: str
    usage: str
    about: str
    takes: Table


def blocks_of_settings() -> dict[str, type[BaseModel]]:
    """The models of the settings by the place of their block, such as ``sources[].roles``; the study's is empty."""

    def within(place: str, model: type[BaseModel]) -> dict[str, type[BaseModel]]:
        found = {place: model}
        for name, field in model.model_fields.items():
            inner, end = _model_in(field.annotation)
            if inner:
                found |= within(f"{place}.{name}{end}".lstrip("."), inner)
        return found

    return within("", Study)


def list_settings(model: type[BaseModel]) -> Table:
    """Every setting of a block: name, what it does, what it takes, what holds without it."""
    return Table(
        ("Setting", "What it does", "Takes", "Without it"),
        tuple(
            (name, field.description or "", _takes(field.annotation, field.metadata), _default(field))
            for name, field in model.model_fields.items()
        ),
    )


def about_settings(model: type[BaseModel]) -> str:
    """What a block is for: the first paragraph of its model's docstring."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def list_commands() -> list[Command]:
    """Every command of ``python -m analysis``, as it declares itself."""
    # By name: the commands stand right of the pages, which only tell what they take.
    app = import_module("analysis.cli").app
    group = typer.main.get_command(app)
    written = {each.callback.__name__: get_type_hints(each.callback) for each in app.registered_commands}
    commands: dict[str, Any] = getattr(group, "commands", {})
    return [_command(name, commands[name], written[name]) for name in commands]


def list_exit_codes() -> Table:
    """What a command ends with."""
    return Table(("Code", "Meaning"), tuple((str(code), told) for code, told in EXIT_CODES.items()))


def list_targets() -> tuple[Table, Table]:
    """The targets of make and their variables, as ``make help`` lists them."""
    text = (HOME / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):.*?## (.+)$", text, re.MULTILINE)
    variables = re.findall(r'@echo "  ([A-Z]+=\S+) +(.+)"$', text, re.MULTILINE)
    return (
        Table(("Target", "What it does"), tuple((f"make {name}", told) for name, told in targets)),
        Table(("Variable", "What it does"), tuple(variables)),
    )


def list_modules(stage: Stage) -> Table:
    """The modules of a stage and what each is for."""
    told = [(module, purpose_of(module)) for module in stage.modules]
    return Table(("Module", "What it is for"), tuple((module, about) for module, about in told if about))


@cache
def read_manual() -> dict[str, Any]:
    """All of it, by the name that templates call it."""
    blocks = blocks_of_settings().items()
    return {
        "blocks": {place: (about_settings(model), list_settings(model)) for place, model in blocks},
        "commands": list_commands(),
        "exit_codes": list_exit_codes(),
        "targets": list_targets(),
        "stages": [(stage, list_modules(stage)) for stage in STAGES],
    }


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
                "–" if flag else _takes(hints[parameter.name], []),
                "needed" if parameter.required else default,
            )
        )
    usage = ["[options]"] * any(row[0].startswith("-") for row in rows)
    usage += [f"{p.name.upper()}{' …' * (p.nargs < 0)}" for p in command.params if p.param_type_name == "argument"]
    table = Table(("Option or argument", "What it does", "Takes", "Without it"), tuple(rows))
    return Command(name, " ".join(["python -m analysis", name, *usage]), command.get_short_help_str(200), table)


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model that a setting holds, and how its place ends: nothing, [] for each of a list, or a name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    end = {tuple: "[]", dict: ".<name>"}.get(get_origin(annotation), "")
    models = [found for part in get_args(annotation) if (found := _model_in(part)[0])]
    return (models[0], end) if models else (None, "")


def _takes(annotation: Any, metadata: list[Any], many: bool = False) -> str:
    """What a setting takes, in plain words."""
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part is not type(None)]
    if origin is Annotated:
        inner = parts[1:]
        return _takes(
            parts[0], [x for each in inner for x in (each.metadata if isinstance(each, FieldInfo) else [each])], many
        )
    if origin is Literal:
        return _either([str(part) for part in parts])
    if origin in (Union, types.UnionType):
        return ", or ".join(_takes(part, metadata, many) for part in parts)
    if origin in (tuple, list):
        if origin is tuple and parts[-1] is not Ellipsis:
            return f"list of {len(parts)} {_takes(parts[0], [], True)}"
        return f"list of {_takes(parts[0], [], True)}"
    if origin is dict:
        keys = "name" if parts[0] is str else f"of {_takes(parts[0], [])}"
        return f"for each {keys}: {_takes(parts[1], [])}"
    if issubclass(annotation, BaseModel):
        return "blocks" if many else "a block"
    bounds = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for each in metadata
        for name in _BOUNDS
        if (value := getattr(each, name, None)) is not None
    }
    if {"ge", "le"} <= bounds.keys():
        told = [f"from {bounds['ge']} to {bounds['le']}"]
    else:
        told = [_BOUNDS[name].format(value) for name, value in bounds.items()]
    return " ".join([_WORDS[annotation][many], *told[:1], *(f"and {more}" for more in told[1:])])


def _either(choices: list[str]) -> str:
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "needed"
    if isinstance(value, BaseModel) or value in ((), {}, "", None) or value is PydanticUndefined:
        return "–"
    return str(value).lower() if isinstance(value, bool) else str(value)
