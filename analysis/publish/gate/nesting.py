"""Valid nesting of HTML elements."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = frozenset(
    "address article aside blockquote details dialog div dl fieldset figure footer form "  # noqa: SIM905
    "h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul".split()
)
LINES = frozenset(
    "abbr b bdi bdo button cite code em h1 h2 h3 h4 h5 h6 i kbd label p s small span strong u".split()  # noqa: SIM905
)
"""Elements that hold words and no blocks."""
PARENTS = {
    "li": frozenset(("ul", "ol", "menu")),
    "dt": frozenset(("dl", "div")),
    "dd": frozenset(("dl", "div")),
    "tr": frozenset(("table", "thead", "tbody", "tfoot")),
    "td": frozenset(("tr",)),
    "th": frozenset(("tr",)),
    "caption": frozenset(("table",)),
    "thead": frozenset(("table",)),
    "tbody": frozenset(("table",)),
    "option": frozenset(("select", "datalist", "optgroup")),
    "figcaption": frozenset(("figure",)),
    "summary": frozenset(("details",)),
    "legend": frozenset(("fieldset",)),
}
CHILDREN = {
    "ul": frozenset(("li", "script", "template")),
    "ol": frozenset(("li", "script", "template")),
    "tr": frozenset(("td", "th", "script", "template")),
    "table": frozenset(("caption", "colgroup", "thead", "tbody", "tfoot", "tr", "script", "template")),
    "dl": frozenset(("dt", "dd", "div", "script", "template")),
    "select": frozenset(("option", "optgroup", "hr", "script", "template")),
}
ALONE = frozenset(("a", "button", "form", "label"))
"""Elements that do not stand in one of their own kind."""
UNCLOSED = frozenset("html head body p li dt dd option optgroup tr td th thead tbody tfoot colgroup".split())  # noqa: SIM905
"""Elements whose end may be left out."""


def misplaced(tag: str, stack: Sequence[str]) -> str:
    """Describe an element that its ancestors in `stack` do not allow; empty if it is allowed.

    Examples
    --------
    >>> misplaced("div", ["html", "body", "p"])
    '<div> in <p>'
    >>> misplaced("li", ["html", "body", "ul"])
    ''
    """
    parent = stack[-1] if stack else ""
    if "svg" in stack or "math" in stack or "template" in stack:
        return ""
    if (tag in PARENTS and parent not in PARENTS[tag]) or (parent in CHILDREN and tag not in CHILDREN[parent]):
        return f"<{tag}> in <{parent}>"
    inside = (LINES if tag in BLOCKS else frozenset()) | ({tag} & ALONE)
    return next((f"<{tag}> in <{other}>" for other in reversed(stack) if other in inside), "")
