"""Plain English and standard terms in help, messages, documents and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from analysis.base.errors import EXIT_CODES
from analysis.cli import app
from analysis.manual.settings import blocks_of_settings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "site/manual/extend.qmd",
    "site/manual/reproduce.qmd",
    "templates/pages/architecture.qmd",
    "templates/pages/commands.qmd",
    "templates/pages/settings.qmd",
)
BANNED = (
    # The project as a person.
    r"\bours\b",
    r"\bour\b",
    r"\bnobody\b",
    r"\banybody\b",
    r"\bfault of\b",
    # Words with a private meaning.
    r"\btold\b",
    r"\btells? (of|from|the)\b",
    r"\bwhom\b",
    r"\bhers\b",
    r"\bgorge\b(?! plot)",
    r"\bstrands?\b",
    r"\bmends?\b",
    r"\banew\b(?! :)",
    r"\brooms?\b",
    r"\bnews\b",
    r"\bthe house\b",
    r"\bthe wall\b",
    r"\b(the|a) (synthetic )?twin\b",
    r"\bstand-in\b",
    r"\bheld against\b",
    r"\bhold\b[^.;]*\bagainst\b",
    r"\bsays? of\b",
    r"\bputs? to the proof\b",
    r"\bunlike anyone\b",
    # Word order of another language.
    r"\bneeded (is|are)\b",
    r"\bexpected is\b",
    r"\b(is|are) not there\b",
    r"\bthere is no such\b",
    r"\b(is|are|stays?) as (it was|they were|it is|they are)\b",
    r"\b(is|are) in place\b",
    r"\bwithout a word\b",
    r"\bout of question\b",
    r"\bto begin with\b",
    r"\bworth asking\b",
    r"\bhang (in part )?on\b",
    r"\bcannot be used\b",
    r"\bas they come\b",
    r"\bas they stand\b",
    r"\bat hand\b",
    r"\b(data|tables|transactions|events|files|addresses|records) in[,;]",
    r"\bdrawn in\b",
    r"\ba (line|row) a \w+",
    r"\bone (page|file|row) a \w+",
)
"""Phrases that a reader would have to translate; each is searched without regard to case."""
WITHOUT_DOCSTRINGS = ("analysis/base/formats.py", "analysis/pipeline.py")
"""Modules whose docstrings name methods such as ``told`` and are not searched yet."""


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the place and text of every docstring."""
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in WITHOUT_DOCSTRINGS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", text


def messages() -> Iterator[tuple[str, str]]:
    """Yield the place and text of every string literal that is passed to an error or printed."""
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            known = {"InputError", "GateError", "ValueError", "print"} | (
                {"Finding"} if "gate" in path.parts else set()
            )
            if getattr(node.func, "id", "") not in known:
                continue
            for part in [*node.args, *(keyword.value for keyword in node.keywords)]:
                for each in ast.walk(part):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield f"{path.relative_to(ROOT)}:{each.lineno}", each.value


def helps() -> Iterator[tuple[str, str]]:
    """Yield the place and text of the help of commands, options, settings and make targets."""
    group: Any = typer.main.get_command(app)
    for name, command in {"": group, **group.commands}.items():
        yield f"--help of {name}", command.help
        yield from ((f"{name} {parameter.name}", parameter.help or "") for parameter in command.params)
    for place, model in blocks_of_settings().items():
        if not place:
            continue  # The descriptions of the study's own settings are a part of the report.
        yield from ((f"{place}.{name}", field.description or "") for name, field in model.model_fields.items())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    yield from (
        ("Makefile", text) for text in re.findall(r"## (.+)$|echo \"(.+?)\"", makefile, re.MULTILINE) for text in text
    )
    yield from (("exit codes", meaning) for meaning in EXIT_CODES.values())


def documents() -> Iterator[tuple[str, str]]:
    """Yield the place and text of every line of the documents, code left out."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
        for number, line in enumerate(prose.splitlines(), 1):
            yield f"{document}:{number}", re.sub(r"`[^`]*`|<<.*?>>|<%.*?%>|\]\([^)]*\)|\{#.*?\}", "", line)


@pytest.mark.slow
@pytest.mark.parametrize("texts", [helps, messages, documents, docstrings])
def test_no_phrase_needs_a_translation(texts: Any) -> None:
    pattern = re.compile("|".join(BANNED), re.IGNORECASE)
    hits = [f"{place}: {match[0]!r} in {text[:90]!r}" for place, text in texts() if (match := pattern.search(text))]
    assert hits == []


def test_the_search_finds_a_phrase() -> None:
    pattern = re.compile("|".join(BANNED), re.IGNORECASE)
    for text in (
        "A choice of ours.",
        "Expected is a file.",
        "x.csv is not there.",
        "One file a segment.",
        "Needed are 3.",
    ):
        assert pattern.search(text)
