"""What a table without settings is assumed to be, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.base.errors import listed
from analysis.base.formats import number
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS
from analysis.sources.inputs import Inputs

_MOST_FEATURES = 6


def list_assumptions(inputs: Inputs, study: Study) -> Iterator[str]:
    """Yield what an unknown table is assumed to be: its rows, customers, features and value, and what is left out."""
    if not inputs.draft:
        return
    raw, source = inputs.tables[0], study.sources[0]
    rows = {"transactions": "an order or a line of one", "events": "an event", "survey": "the answers of a respondent"}
    rows |= {"sessions": "a session", "subscriptions": "a subscription", "panel": "a customer in one period"}
    yield f"Read {raw.shown_path} without settings. The main assumptions, which the Data page explains:"
    yield f"- A row is {rows.get(source.kind, 'one customer')}; {number(raw.n_all)} rows."
    if source.kind in ROW_KINDS:
        columns = source.columns
        paid = f", and '{columns.amount}' is the amount" if columns.amount and source.kind == "transactions" else ""
        yield f"- '{columns.customer}' names the customer, '{columns.date}' says when{paid}."
    else:
        yield f"- '{source.key}' names the customer." if source.key else "- No column names the customer."
        yield f"- The segments are formed by {listed(map(repr, source.roles.feature), _MOST_FEATURES)}."
    if source.weight:
        yield f"- '{source.weight}' is the survey weight, so shares and means stand for the population."
    sizes = "- No column is surely the value of a customer, so the site speaks of sizes."
    yield f"- '{study.value}' is the value of a customer." if study.value else sizes
    for line in raw.dropped:
        yield f"- {line}."
