"""Templates of the pages: how they are read, what all of them may use, and the line in which one fails."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from analysis.base.cache import Kept
from analysis.base.formats import Formats, in_words, number, percentage, short_percentage, significant
from analysis.base.yamls import read_yaml
from analysis.pages.escaping import escape, escape_front, escape_lines, marked


def make_environment(folder: Path, formats: Formats, names: Mapping[str, Any], kept: Kept | None = None) -> Environment:
    """Make the environment that fills in templates.

    Parameters
    ----------
    folder : Path
        Of the templates.
    formats : Formats
        Of the study's numbers.
    names : mapping of str to object
        What every template may use.
    kept : Kept, optional
        Where templates are kept as they were compiled.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        autoescape=True,
        # Filters write numbers as the locale does, so none may be applied to constants when a template is compiled.
        optimized=False,
        finalize=_finalize,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    if kept is not None:
        environment.bytecode_cache = FileSystemBytecodeCache(str(kept.folder_of(__name__)))
    environment.globals.update(names)
    environment.filters.update(_list_filters(formats))
    return environment


def read_glossary(path: Path) -> dict[str, dict[str, Any]]:
    """Read the glossary: ``term``, ``text``, the ``page`` below ``site/`` that uses it, and an ``id`` by name."""
    words = read_yaml(path.read_text(encoding="utf-8"))
    return {
        word["term"]: {
            **word,
            "id": Markup(re.sub(r"[^a-z0-9]+", "-", word["term"].lower())),
            "page": Markup(word["page"]),
        }
        for word in words
    }


def find_line(error: Exception) -> str:
    """Find the template and line in which an error arose; empty where it arose in the code."""
    if isinstance(error, TemplateSyntaxError) and error.name:
        return f"templates/{error.name}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if "jinja2" not in Path(f.filename).parts), None)
    if last is None or "/templates/" not in Path(last.filename).as_posix():
        return "templates" if isinstance(error, TemplateNotFound) else ""
    return f"templates/{Path(last.filename).as_posix().rpartition('/templates/')[2]}, line {last.lineno}"


@pass_context
def _finalize(_: Context, value: object) -> object:
    """Escape what is printed; as it takes the context, no constant is printed when a template is compiled."""
    if isinstance(value, Markup) or value is None:
        return value
    if isinstance(value, float):
        return significant(value)
    return Markup(str(value)) if isinstance(value, int) else escape(value)


def _list_filters(formats: Formats) -> dict[str, Any]:
    """Return the filters that templates use, by name."""
    return {
        "front": lambda text: Markup(json.dumps(escape_front(text), ensure_ascii=False)),
        "percent": formats.percent,
        "percentage": percentage,
        "interval": formats.interval,
        "about": formats.about,
        "date": formats.date,
        "people": formats.people,
        "rounded": lambda x: float(f"{x:.3g}"),
        "plain": formats.plain,
        "words": in_words,
        "number": number,
        "value": formats.value,
        "rate": short_percentage,
        "code": escape_lines,
        "marked": marked,
    }
