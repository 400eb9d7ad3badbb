"""The settings of a study, block by block, as their models declare them."""

from __future__ import annotations

import datetime as dt
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

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
            (name, field.description or "", describe_type(field.annotation, field.metadata), _default(field))
            for name, field in model.model_fields.items()
        ),
    )


def about_settings(model: type[BaseModel]) -> str:
    """What a block is for: the first paragraph of its model's docstring."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model that a setting holds, and how its place ends: nothing, [] for each of a list, or a name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    end = {tuple: "[]", dict: ".<name>"}.get(get_origin(annotation), "")
    models = [found for part in get_args(annotation) if (found := _model_in(part)[0])]
    return (models[0], end) if models else (None, "")


def describe_type(annotation: Any, metadata: list[Any], many: bool = False) -> str:
    """What a setting takes, in plain words."""
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part is not type(None)]
    if origin is Annotated:
        inner = parts[1:]
        return describe_type(
            parts[0], [x for each in inner for x in (each.metadata if isinstance(each, FieldInfo) else [each])], many
        )
    if origin is Literal:
        return _either([str(part) for part in parts])
    if origin in (Union, types.UnionType):
        return ", or ".join(describe_type(part, metadata, many) for part in parts)
    if origin in (tuple, list):
        if origin is tuple and parts[-1] is not Ellipsis:
            return f"list of {len(parts)} {describe_type(parts[0], [], True)}"
        return f"list of {describe_type(parts[0], [], True)}"
    if origin is dict:
        keys = "name" if parts[0] is str else f"of {describe_type(parts[0], [])}"
        return f"for each {keys}: {describe_type(parts[1], [])}"
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
