"""Escaping of text from data for pages, front matter and scripts."""

from __future__ import annotations

import json
import re

from markupsafe import Markup

# Look-alikes for what YAML, Pandoc and shortcodes give a meaning to.
_FRONT = str.maketrans("<>{}[]\"'\\`&$@:|#*", "‹›❴❵［］”’∖ˋ＆＄＠∶∣＃∗")


def escape(text: object) -> Markup:
    """Escape text on one line; only letters, digits, spaces and commas stay unchanged.

    >>> print(escape("a<b>"))
    a&#60;b&#62;
    """
    one_line = re.sub(r"[^\S\u00a0\u202f]+", " ", str(text))
    return Markup("".join(c if c.isalnum() or c in " ," else f"&#{ord(c)};" for c in one_line))


def escape_lines(text: str) -> Markup:
    """Escape text of several lines for a ``pre`` element and keep its indentation."""
    lines = (line.rstrip() for line in text.splitlines())
    return Markup("\n").join(
        Markup("&#32;" * (len(line) - len(line.lstrip()))) + escape(line.lstrip()) for line in lines
    )


def escape_front(text: str) -> str:
    """Replace characters that YAML or Pandoc would interpret in front matter by look-alikes.

    >>> escape_front("{{< env HOME >}}")
    '❴❴‹ env HOME ›❵❵'
    """
    # Spaces that do not break stay, as some languages group digits by them.
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).translate(_FRONT)


def escape_json(value: object) -> Markup:
    """Escape JSON for a script element, on one line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def marked(text: str) -> Markup:
    """Escape a docstring and mark text in double backticks as code.

    >>> print(marked("reads ``a`` only"))
    reads <code>a</code> only
    """
    parts = re.split(r"``(.+?)``", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(escape(x)) if i % 2 else escape(x) for i, x in enumerate(parts)
    )
