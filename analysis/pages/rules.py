"""The published rules as SQL, Python and JSON files."""

from __future__ import annotations

import json
import pprint
from collections.abc import Iterator
from typing import Any

from analysis.base.expressions.placing import Line, fill_features, find_nearest, name_of, tier_case
from analysis.base.expressions.sql import quote_name, quote_text
from analysis.report.model import Report
from analysis.report.parts import Centres, Node
from analysis.report.thresholds import TIER_WORDS

JSON, SCHEMA, PYTHON = "segment_rule.json", "segment_rule.schema.json", "segment_rule.py"
TREE_SQL, CENTRES_SQL = "segment_tree.sql", "segment_centres.sql"


def export_rules(report: Report) -> dict[str, str]:
    """Return all rule files by name."""
    rule = rule_as_data(report)
    files = {
        JSON: json.dumps(rule, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        SCHEMA: json.dumps(_schema(report), indent=1) + "\n",
        PYTHON: (_PYTHON + _PYTHON_TIERS * (report.tiers is not None)).replace(
            "{rule}", pprint.pformat(rule, width=110, sort_dicts=False)
        ),
        TREE_SQL: "\n".join(_tree_sql(report)) + "\n",
    }
    if report.rules.centres is not None:
        files[CENTRES_SQL] = "\n".join(_centres_sql(report, report.rules.centres)) + "\n"
    return files


def rule_as_data(report: Report) -> dict[str, Any]:
    """Return the content of the JSON rule file."""
    rules = report.rules
    variables = [report.variable(name) for name in rules.fills]
    centres = rules.centres
    return {
        "$schema": SCHEMA,
        "version": 1,
        "study": report.study.title,
        "segments": [{"segment": s.id, "name": s.name} for s in report.segments],
        "features": [
            {"name": v.name, "label": v.label, "unit": v.unit, "formula": v.formula, "missing": rules.fills[v.name]}
            for v in variables
        ],
        "tree": {"agreement": rules.tree.fidelity, "root": _as_branch(rules.tree.nodes, 0)},
        "centres": None
        if centres is None
        else {
            "agreement": centres.fidelity,
            "steps": [
                {
                    "feature": step.name,
                    "log_unit": step.unit if step.log else None,
                    "limits": None if step.limits is None else list(step.limits),
                    "subtract": step.centre,
                    "divide": step.scale,
                }
                for step in centres.steps
            ],
            "axes": None if centres.axes is None else [list(row) for row in centres.axes],
            "points": [list(row) for row in centres.centres],
        },
        **_tiers_as_data(report),
    }


def _tiers_as_data(report: Report) -> dict[str, Any]:
    """Return where each segment is cut in halves; empty without halves."""
    table = report.tiers
    if table is None:
        return {}
    variable, (below, above) = report.variable(table.variable), TIER_WORDS[table.by]
    cuts = [
        {"segment": s.id, "at_most": cut, "yes": below, "no": above}
        for s, cut in zip(report.segments, table.cuts, strict=True)
        if cut is not None
    ]
    about = {"feature": variable.name, "label": variable.label, "unit": variable.unit, "formula": variable.formula}
    return {"tiers": {**about, "missing": above if table.by == "recency" else below, "cuts": cuts}}


def _as_branch(nodes: tuple[Node, ...], place: int) -> dict[str, Any]:
    node = nodes[place]
    if not node.feature:
        return {"segment": node.segment}
    following = {"yes": _as_branch(nodes, node.yes), "no": _as_branch(nodes, node.no)}
    return {"feature": node.feature, "at_most": node.threshold, **following}


def _opening(report: Report, what: str) -> Iterator[str]:
    """Comments that say what to change, and the features, filled where they are missing."""
    rules = report.rules
    key = f"c.{quote_name(rules.key)}" if rules.key else "ROW_NUMBER() OVER ()"
    yield f"-- {what} For DuckDB and PostgreSQL."
    yield f"-- Study: {_comment(report.study.title)}"
    yield '-- Put the name of your table for "customers" below. Columns that are not in it must be computed first.'
    features = [(rules.sql[name], _comment(report.variable(name).label)) for name in rules.fills]
    yield from fill_features(key, _cut_by(report), features, tuple(rules.fills.values()))


def _cut_by(report: Report) -> list[Line]:
    """What halves are cut by, as a column that each step hands on to the next."""
    table = report.tiers
    return [] if table is None else [(f"{table.sql} AS cut_by", _comment(report.variable(table.variable).label))]


def _tier_case(report: Report) -> Iterator[str]:
    """Write the half of each customer as a column of its own."""
    table = report.tiers
    if table is None:
        return
    below, above = map(quote_text, TIER_WORDS[table.by])
    cuts = {s.id: cut for s, cut in zip(report.segments, table.cuts, strict=True) if cut is not None}
    *lines, last = (f"  {line}" for line in tier_case(cuts, (below, above), above if table.by == "recency" else below))
    yield from lines
    yield f"{last} AS tier"


def _closing(report: Report) -> Iterator[str]:
    yield "SELECT customer_key, segment,"
    yield "  CASE segment"
    for s in report.segments:
        yield f"    WHEN {s.id} THEN {quote_text(s.name)}"
    yield "  END AS segment_name" + "," * (report.tiers is not None)
    yield from _tier_case(report)
    yield "FROM placed;"


def _tree_sql(report: Report) -> Iterator[str]:
    tree = report.rules.tree
    yield from _opening(report, "A few questions place each customer in a segment.")
    yield "), placed AS ("
    yield f"  SELECT {' '.join(f'{name},' for name in ('customer_key', *map(name_of, _cut_by(report))))}"
    columns = {name: f"x{i}" for i, name in enumerate(report.rules.fills, start=1)}
    yield from _case(tree.nodes, 0, columns, 2)
    yield "    AS segment"
    yield "  FROM filled"
    yield ")"
    yield from _closing(report)


def _case(nodes: tuple[Node, ...], place: int, columns: dict[str, str], depth: int) -> Iterator[str]:
    node, indent = nodes[place], "  " * depth
    if not node.feature:
        yield f"{indent}{node.segment}"
        return
    yield f"{indent}CASE WHEN {columns[node.feature]} <= {node.threshold!r} THEN"
    yield from _case(nodes, node.yes, columns, depth + 1)
    yield f"{indent}ELSE"
    yield from _case(nodes, node.no, columns, depth + 1)
    yield f"{indent}END"


def _centres_sql(report: Report, centres: Centres) -> Iterator[str]:
    yield from _opening(report, "The nearest centre is each customer's segment.")
    yield from find_nearest(centres, _cut_by(report))
    yield from _closing(report)


def _comment(text: str) -> str:
    """Text that cannot end a comment: one line of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _schema(report: Report) -> dict[str, Any]:
    """Return the schema of the JSON rule file; it knows halves where the study has them."""
    tiers = {"tiers": _TIERS} if report.tiers else {}
    return {**_SCHEMA, "properties": _SCHEMA["properties"] | tiers}


_FEATURE = {"type": "string", "description": "Name of a feature."}
_TEXT = {"type": "string"}
_PER_STEP = {"type": "array", "items": {"type": "number"}}
_CUT = {"segment": {"type": "integer", "minimum": 1}, "at_most": {"type": "number"}, "yes": _TEXT, "no": _TEXT}
_TIERS = {
    "type": "object",
    "description": "Halves of a segment: `yes` up to `at_most`, `no` above it; a segment that is not listed is whole.",
    "required": ["feature", "label", "unit", "formula", "missing", "cuts"],
    "properties": {
        "feature": _FEATURE,
        "label": _TEXT,
        "unit": _TEXT,
        "formula": _TEXT,
        "missing": {"type": "string", "description": "The half of customers without a value."},
        "cuts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["segment", "at_most", "yes", "no"],
                "properties": _CUT,
            },
        },
    },
}
_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Rules that place a customer in a segment",
    "description": "Give each feature its value, or `missing` where there is none. Then follow `tree`, or `centres`.",
    "type": "object",
    "required": ["version", "study", "segments", "features", "tree", "centres"],
    "properties": {
        "version": {"const": 1},
        "study": {"type": "string"},
        "segments": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["segment", "name"],
                "properties": {"segment": {"type": "integer", "minimum": 1}, "name": {"type": "string"}},
            },
        },
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "label", "unit", "formula", "missing"],
                "properties": {
                    "name": _FEATURE,
                    "label": {"type": "string"},
                    "unit": {"type": "string", "description": "A share is 0 to 1; yes or no is 1 or 0."},
                    "formula": {"type": "string", "description": "How the study computes it from its columns."},
                    "missing": {"type": "number", "description": "Stands for a missing value."},
                },
            },
        },
        "tree": {
            "type": "object",
            "required": ["agreement", "root"],
            "properties": {
                "agreement": {
                    "type": "number",
                    "description": "Share of customers placed as the full rule does, cross-validated.",
                },
                "root": {"$ref": "#/$defs/branch"},
            },
        },
        "centres": {
            "description": "Null where its numbers would tell of single customers.",
            "oneOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": ["agreement", "steps", "axes", "points"],
                    "properties": {
                        "agreement": {
                            "type": "number",
                            "description": "Share of customers placed as the full rule does.",
                        },
                        "steps": {
                            "type": "array",
                            "description": "One a feature: where log_unit is set, take log(1 + max(x, 0) / log_unit); "
                            "where limits are set, draw the value in to them; subtract; divide.",
                            "items": {
                                "type": "object",
                                "required": ["feature", "log_unit", "limits", "subtract", "divide"],
                                "properties": {
                                    "feature": _FEATURE,
                                    "log_unit": {"type": ["number", "null"]},
                                    "limits": {
                                        "oneOf": [{"type": "null"}, {**_PER_STEP, "minItems": 2, "maxItems": 2}]
                                    },
                                    "subtract": {"type": "number"},
                                    "divide": {"type": "number"},
                                },
                            },
                        },
                        "axes": {
                            "description": "Where set, one row a step: the values become their sums, each times the "
                            "number in its row and the sum's column.",
                            "oneOf": [{"type": "null"}, {"type": "array", "items": _PER_STEP}],
                        },
                        "points": {
                            "type": "array",
                            "description": "One a segment, in their order: the segment of the nearest is the "
                            "customer's, the first of several as near.",
                            "items": _PER_STEP,
                        },
                    },
                },
            ],
        },
    },
    "$defs": {
        "branch": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["segment"],
                    "properties": {"segment": {"type": "integer", "minimum": 1}},
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "required": ["feature", "at_most", "yes", "no"],
                    "properties": {
                        "feature": _FEATURE,
                        "at_most": {"type": "number"},
                        "yes": {"$ref": "#/$defs/branch"},
                        "no": {"$ref": "#/$defs/branch"},
                    },
                    "additionalProperties": False,
                },
            ]
        }
    },
}

_PYTHON = '''\
"""Place a customer in a segment: by a few questions, or by the nearest centre.

    from segment_rule import place_by_tree, place_by_centre

Both take the features of one customer by name, None for what is missing, and return the segment's number and name.
RULE["features"] says what each feature is and how it is computed.
"""

from math import log1p

RULE = {rule}


def place_by_tree(customer):
    """Ask the tree's questions; returns (number, name)."""
    values = _filled(customer)
    branch = RULE["tree"]["root"]
    while "segment" not in branch:
        branch = branch["yes" if values[branch["feature"]] <= branch["at_most"] else "no"]
    return _named(branch["segment"])


def place_by_centre(customer):
    """Find the nearest centre; returns (number, name)."""
    rule = RULE["centres"]
    if rule is None:
        raise ValueError("this study publishes no centres; use place_by_tree")
    values = _filled(customer)
    point = [_scaled(values[step["feature"]], step) for step in rule["steps"]]
    if rule["axes"] is not None:
        point = [sum(x * weight for x, weight in zip(point, column)) for column in zip(*rule["axes"])]
    away = [sum((x - c) ** 2 for x, c in zip(point, centre)) for centre in rule["points"]]
    return _named(1 + away.index(min(away)))


def _filled(customer):
    known = {feature["name"]: feature["missing"] for feature in RULE["features"]}
    unknown = sorted(set(customer) - set(known))
    if unknown:
        raise ValueError("no such feature: " + ", ".join(unknown) + "; there are: " + ", ".join(known))
    given = {name: value for name, value in customer.items() if value is not None and value == value}
    return {**known, **given}


def _scaled(x, step):
    if step["log_unit"] is not None:
        x = log1p(max(x, 0) / step["log_unit"])
    if step["limits"] is not None:
        low, high = step["limits"]
        x = min(max(x, low), high)
    return (x - step["subtract"]) / step["divide"]


def _named(number):
    return number, next(s["name"] for s in RULE["segments"] if s["segment"] == number)
'''


_PYTHON_TIERS = '''

def find_tier(segment, value):
    """Find the half of a segment by RULE["tiers"]["feature"], None where it is missing; None for a whole segment."""
    tiers = RULE["tiers"]
    cut = next((c for c in tiers["cuts"] if c["segment"] == segment), None)
    if cut is None:
        return None
    if value is None or value != value:
        return tiers["missing"]
    return cut["yes"] if value <= cut["at_most"] else cut["no"]
'''
