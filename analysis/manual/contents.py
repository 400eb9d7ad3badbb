"""Data for the manual's pages, by the names that their templates use."""

from __future__ import annotations

from functools import cache
from typing import Any

import typer

from analysis.manual.architecture import list_modules, list_walk, read_rooms
from analysis.manual.commands import list_commands, list_exit_codes, list_targets
from analysis.manual.disclosure import list_limits
from analysis.manual.settings import about_settings, blocks_of_settings, list_settings


@cache
def read_manual(app: typer.Typer | None = None) -> dict[str, Any]:
    """Read settings, commands, make targets and packages from their declarations.

    Parameters
    ----------
    app : typer.Typer, optional
        The command-line app; without it, no commands are listed.
    """
    return {
        "blocks": {
            place: (about_settings(model), list_settings(model)) for place, model in blocks_of_settings().items()
        },
        "commands": list_commands(app) if app else [],
        "exit_codes": list_exit_codes(),
        "targets": list_targets(),
        "walk": list_walk(),
        "limits": list_limits(),
        "rooms": [(room, list_modules(room)) for room in read_rooms()],
    }
