"""Descriptions of all settings, read from their models."""

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
"""Name of a type, for one value and for a list."""
_BOUNDS = {"ge": "{} or more", "le": "{} or less", "gt": "above {}", "lt": "under {}"}


def blocks_of_settings() -> dict[str, type[BaseModel]]:
    """Return the settings models by path, such as ``sources[].roles``; the path of the study is empty."""

    def within(place: str, model: type[BaseModel]) -> dict[str, type[BaseModel]]:
        models = {place: model}
        for name, field in model.model_fields.items():
            inner, end = _model_in(field.annotation)
            if inner:
                models |= within(f"{place}.{name}{end}".lstrip("."), inner)
        return models

    return within("", Study)


def list_settings(model: type[BaseModel]) -> Table:
    """List the settings of a block: name, description, type and default."""
    return Table(
        ("Setting", "Description", "Type", "Default"),
        tuple(
            (name, field.description or "", describe_type(field.annotation, field.metadata), _default(field))
            for name, field in model.model_fields.items()
        ),
    )


def about_settings(model: type[BaseModel]) -> str:
    """Return the first paragraph of a model's docstring."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the model of a nested setting and the suffix of its path: nothing, ``[]`` or ``.<name>``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    end = {tuple: "[]", dict: ".<name>"}.get(get_origin(annotation), "")
    models = [model for part in get_args(annotation) if (model := _model_in(part)[0])]
    return (models[0], end) if models else (None, "")


def describe_type(annotation: Any, metadata: list[Any], many: bool = False) -> str:
    """Describe a type in plain words."""
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
        limits = [f"from {bounds['ge']} to {bounds['le']}"]
    else:
        limits = [_BOUNDS[name].format(value) for name, value in bounds.items()]
    return " ".join([_WORDS[annotation][many], *limits[:1], *(f"and {more}" for more in limits[1:])])


def _either(choices: list[str]) -> str:
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "required"
    if isinstance(value, BaseModel) or value in ((), {}, "", None) or value is PydanticUndefined:
        return "–"
    return str(value).lower() if isinstance(value, bool) else str(value)
