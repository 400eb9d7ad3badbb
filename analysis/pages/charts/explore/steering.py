"""Choices below a chart, and the titles that follow them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt

from analysis.pages.figures import WIDTH, harmless

SHORT = 38
"""Letters of a line over a chart on a phone."""


def make_choice(name: str, label: str, options: Sequence[str]) -> Any:
    """Return a select below the chart, by number, as words of the data have no place in expressions."""
    bind = alt.binding_select(options=list(range(len(options))), labels=list(options), name=f"{label} ")
    return alt.param(name=name, value=0, bind=bind)


def follow_choice(
    spec: dict[str, Any], signal: str, titles: Sequence[str], lines: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Let the title of a figure and the words over its chart follow what the reader chooses.

    Parameters
    ----------
    spec : dict
        Vega-Lite of a chart with a version for narrow pages.
    signal : str
        Name of the choice, a number from 0.
    titles : sequence of str
        The title of the figure for each option.
    lines : sequence of sequence of str
        The lines over the chart for each option; on a phone long ones are folded.
    """
    folded = [[part for line in option for part in textwrap.wrap(line, SHORT)] for option in lines]
    wide, narrow = ({"text": _list_words(each, signal)} for each in (lines, folded))
    title = {"anchor": "start", "fontSize": 13, "offset": 8, "limit": WIDTH, **wide}
    more = max(map(len, folded)) - max(map(len, lines))
    usermeta = spec.get("usermeta", {})
    follows = {
        **usermeta,
        "narrow": {**usermeta.get("narrow", {}), "title": narrow, "more_lines": more},
        "titles": {"signal": signal, "texts": list(titles)},
    }
    return {**spec, "title": title, "usermeta": follows}


def _list_words(lines: Sequence[Sequence[str]], signal: str) -> dict[str, str]:
    words = json.dumps([[harmless(line, "title") for line in option] for option in lines], ensure_ascii=False)
    return {"expr": f"{words}[{signal}]"}
