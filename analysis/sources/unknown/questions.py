"""Rows that stand for no customer, and questions that the values of an unknown table leave open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from analysis.base.errors import listed
from analysis.base.formats import number
from analysis.settings.sources import ROW_KINDS
from analysis.sources.columns import Column
from analysis.sources.evidence.exports import find_export
from analysis.sources.evidence.persons import OF_THINGS, tells_a_person
from analysis.sources.evidence.roles import (
    find_amounts,
    find_dates,
    find_price_and_quantity,
    find_product,
    holds_addresses,
    is_whole,
    names_amount,
    names_customer,
    names_order,
    row_candidates,
)
from analysis.sources.evidence.vocabularies import (
    AMOUNT,
    COUNT,
    DEMOGRAPHIC,
    MONEY,
    NO_AMOUNT,
    NO_MONEY,
    SHARE,
    STAFF,
    STATUS,
    SUBSCRIPTION,
)
from analysis.sources.inference import InferredColumn, infer_kind, infer_roles
from analysis.sources.names import is_identifier, names_a_date, vocabulary, words_of
from analysis.sources.tables import RawTable
from analysis.sources.texts import form_of

pc: Any = compute
_CANCELLED = vocabulary(
    "cancelled canceled cancellation deleted void voided failed refused declined test istest storniert storno geloscht",
    "annule annulee supprime supprimee cancelado cancelada anulado anulada eliminado eliminada excluido annullato",
    "annullata eliminata geannuleerd verwijderd",
)
"""Words of yes or no columns that say that an order came to nothing."""
_UNDONE = re.compile(
    r"(cancel|storn|annul|anul|cancelad|geannul|fail|fehlgeschlagen|échou|fallid|falh|fallit|mislukt|void|test|declin"
    r"|rejected|abgelehnt|refusé|rechazad|recusad|rifiutat|geweigerd|abandon|draft|expired)",
    re.IGNORECASE,
)
_GUEST = re.compile(
    r"0+|-1|walk[- ]?in|laufkund\w*|barverkauf|passant\w*|client de passage|comptoir|mostrador|balc[aã]o"
    r"|consumidor final|p[uú]blico (?:en )?general|cliente (?:generico|occasionale|ocasional|avulso|contado|mostrador)"
    r"|cash|n/a|none|no customer|guest(?: user| checkout)?|gast(?:bestellung|besteller)?|invit[ée]|invitado|convidado"
    r"|ospite|anonym\w*|unknown|unbekannt|inconnu|desconocido|sconosciuto|onbekend",
    re.IGNORECASE,
)
_TEST = re.compile(r"test(?:[-_ .]?\w{0,4})?|dummy|testkunde|prueba|teste|prova|example", re.IGNORECASE)
_MEASURES = MONEY | NO_MONEY | COUNT | AMOUNT | NO_AMOUNT | SHARE | DEMOGRAPHIC
_CURRENCY = vocabulary("currency wahrung devise moneda moeda valuta waehrung waers currencycode")


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading of a table, and the lines of YAML that choose it."""

    reading: str
    yaml: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the values leave open, in one sentence, and the readings that fit them."""

    what: str
    readings: tuple[Choice, ...]


def find_rows_to_leave_out(raw: RawTable) -> dict[str, tuple[str, ...]]:
    """Find the values by column whose rows stand for no customer.

    Guests who share one number, test customers, and orders that were cancelled, failed or are drafts.

    Parameters
    ----------
    raw : RawTable

    Returns
    -------
    dict of str to tuple of str
    """
    export = find_export(raw.frame.columns)
    if export is not None:
        return {name: found for name, values in export.leave_out.items() if (found := _present(raw, name, values))}
    leave_out: dict[str, tuple[str, ...]] = {}
    kind = infer_kind(raw).kind
    rows = kind in ROW_KINDS
    contracts = any(words_of(column.name) & SUBSCRIPTION for column in raw.columns)
    for column in infer_roles(raw):
        values: Any = raw.frame[column.name].dropna()
        if column.role == "customer" or (column.role == "key" and not rows):
            guests = _find_guests(values, raw.n_rows) if rows else ()
            found = (*guests, *_find_tests(values))
            if found:
                leave_out[column.name] = found
        elif rows and not contracts and (said := _says_cancelled(raw, column)):
            leave_out[column.name] = (said,)
        elif rows and not contracts and column.type == "category" and words_of(column.name) & STATUS:
            undone = tuple(sorted(level for level in values.unique() if _is_undone(level)))
            if undone and values.isin(undone).mean() < 0.5:
                leave_out[column.name] = undone
    return leave_out


def _says_cancelled(raw: RawTable, column: InferredColumn) -> str:
    """Return how the file writes the yes of a column such as cancelled; empty for another column."""
    if not words_of(column.name) & _CANCELLED or column.unit != "yes_no":
        return ""
    values: Any = raw.frame[column.name]
    share = float((values == 1).mean())
    written = re.search(r"two answers: (\S+) \d", raw.column(column.name).note)
    return (written[1] if written else "1" if column.type == "number" else "true") if 0 < share < 0.5 else ""


def _is_undone(level: str) -> bool:
    """Return whether a word of a status says that an order came to nothing.

    >>> _is_undone("Cancelled"), _is_undone("Pago recusado"), _is_undone("Nicht storniert")
    (True, True, False)
    """
    denied = re.match(r"(?:not|nicht|non|no|não|niet|pas)\b", level, re.IGNORECASE)
    return not denied and any(_UNDONE.match(word) for word in level.split())


def _present(raw: RawTable, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    there = {str(value).casefold() for value in raw.frame[name].dropna().unique()}
    return tuple(value for value in values if value.casefold() in there)


def _find_guests(values: Any, n_rows: int) -> tuple[str, ...]:
    """Find a customer who is a word or number for guests, and has more rows than the others."""
    counts = values.value_counts()
    typical = max(float(counts.median()), 1.0)
    others = values.astype("str")
    if values.dtype in (np.int64, np.float64) and (values.median() < 100):
        return ()
    found = [str(int(value)) if isinstance(value, float) else str(value) for value in counts.index[:5]]
    return tuple(
        name
        for name, n in zip(found, counts.iloc[:5], strict=False)
        if _GUEST.fullmatch(name) and n >= 2 * typical and n < 0.9 * len(others)
    )


def _find_tests(values: Any) -> tuple[str, ...]:
    """Find keys that are words for tests among other keys."""
    if values.dtype in (np.int64, np.float64):
        return ()
    texts = pa.array(values.unique(), pa.string())
    likely = texts.filter(pc.match_substring_regex(texts, f"^(?:{_TEST.pattern})$", ignore_case=True))
    found = tuple(sorted(value for value in likely.to_pylist() if _TEST.fullmatch(value)))
    return found if len(found) <= 10 and len(found) < 0.1 * values.nunique() else ()


def find_questions(raw: RawTable) -> tuple[Question, ...]:
    """Find what the values of a table leave open.

    Parameters
    ----------
    raw : RawTable

    Returns
    -------
    tuple of Question
        Empty where one reading fits far better than any other.
    """
    if find_export(raw.frame.columns) is not None:
        return tuple(filter(None, [_ask_currency(raw)]))
    kind = infer_kind(raw).kind
    columns = infer_roles(raw)
    asked = [_ask_cut_numbers(raw), _ask_currency(raw) if kind != "transactions" else None]
    if kind == "events":
        asked.append(_ask_unread_amount(raw))
    if kind == "customers":
        asked.append(_ask_repeated_customer(raw) or _ask_whose_rows(raw, columns))
    if kind == "transactions":
        asked += [_ask_currency(raw), _ask_unit_price(raw, columns), _ask_amount(raw)]
    questions = [question for question in asked if question]
    if not questions and kind in ("customers", "survey") and not any(c.role == "feature" for c in columns):
        questions += filter(None, [_ask_features(raw)])
    return tuple(questions)


def _ask_cut_numbers(raw: RawTable) -> Question | None:
    for column in raw.columns:
        values: Any = raw.frame[column.name].dropna()
        if not is_identifier(column.name) or values.dtype not in (np.int64, np.float64) or values.empty:
            continue
        if values.min() > 1e9 and (values % 10 ** (len(str(int(values.max()))) - 6) == 0).all():
            return Question(
                f"The numbers in '{column.name}' end in zeros, as if a spreadsheet program had cut them: customers may "
                "share a number.",
                (
                    Choice("each row is a customer", f"kind: customers\nroles: {{ignore: ['{column.name}']}}"),
                    Choice("the numbers are complete", f"key: '{column.name}'\ntypes: {{'{column.name}': text}}"),
                ),
            )
    return None


def _ask_repeated_customer(raw: RawTable) -> Question | None:
    """Ask what a row is where a customer has several, and no column says when."""
    candidates = row_candidates(raw)["customer"]
    customers = [
        column
        for column in raw.columns
        if column.name in candidates
        and names_customer(column.name)
        and is_identifier(column.name)
        and column.n_distinct < 0.95 * (raw.n_rows - column.n_missing)
    ]
    named = any(column.role == "key" and names_customer(column.name) for column in infer_roles(raw))
    if not customers or named or any(column.type == "date" for column in raw.columns):
        return None
    customer = customers[0]
    what = (
        f"'{customer.name}' repeats ({number(raw.n_rows / customer.n_distinct, 1)} rows each), but no column is a date"
    )
    unread = _unread_date(raw)
    if unread is not None:
        example = form_of(str(raw.frame[unread.name].dropna().iloc[0]))
        what += f": '{unread.name}', with values such as '{example}', has no form that fits all of its values"
        rows = f"kind: transactions\ntypes: {{'{unread.name}': date}}"
        readings = (
            Choice("rows are orders, dates are day first", f"{rows}\ndates: day-first"),
            Choice("rows are orders, dates are month first", f"{rows}\ndates: month-first"),
        )
    else:
        readings = (
            Choice(
                "each row is an order or event",
                f"kind: transactions\ncolumns: {{customer: '{customer.name}', date: <column of dates>}}",
            ),
        )
    row = Choice("each row is a customer", f"kind: customers\nroles: {{ignore: ['{customer.name}']}}")
    return Question(f"{what}.", (*readings, row))


def _unread_date(raw: RawTable) -> Column | None:
    words = [column for column in raw.columns if column.type in ("text", "category", "key")]
    named = [column for column in words if names_a_date(column.name, clock=True)]
    noted = [column for column in words if "looks like dates" in column.note]
    return next(iter([*noted, *named]), None)


def _ask_currency(raw: RawTable) -> Question | None:
    paid = any(column.type == "number" and names_amount(column.name) for column in raw.columns)
    for column in raw.columns:
        if paid and column.type == "category" and words_of(column.name) & _CURRENCY and 2 <= column.n_distinct <= 10:
            counts: Any = raw.frame[column.name].value_counts()
            codes = [str(code) for code in counts.index]
            return Question(
                f"The amounts are in {listed(codes, 4)} ('{column.name}') and cannot be added up.",
                tuple(
                    Choice(
                        f"only amounts in {code}",
                        f"leave_out: {{'{column.name}': [{', '.join(other for other in codes if other != code)}]}}",
                    )
                    for code in codes[:3]
                ),
            )
        if "signs of several currencies" in column.note and column.type == "number":
            return Question(
                f"The amounts in '{column.name}' carry signs of several currencies and cannot be added up.",
                (
                    Choice("all are in one currency all the same", f"types: {{'{column.name}': number}}"),
                    Choice("they are left out", f"types: {{'{column.name}': text}}"),
                ),
            )
    return None


def _ask_unread_amount(raw: RawTable) -> Question | None:
    """Ask about a column that is called an amount, holds digits and cannot be read as numbers."""
    for column in raw.columns:
        unread = column.type in ("text", "category", "key") and not is_identifier(column.name)
        if not unread or not names_amount(column.name):
            continue
        values: Any = raw.frame[column.name].dropna().astype("str")
        if values.str.contains(r"\d").mean() < 0.8 or words_of(column.name) & (STAFF | OF_THINGS):
            continue
        example = form_of(str(values.iloc[0]))
        return Question(
            f"'{column.name}' is called an amount, but not all of its values can be read as numbers: '{example}'.",
            (
                Choice("those that cannot be read are missing", f"types: {{'{column.name}': number}}"),
                Choice("rows are events without amounts", f"kind: events\ntypes: {{'{column.name}': text}}"),
            ),
        )
    return None


def _ask_unit_price(raw: RawTable, columns: tuple[InferredColumn, ...]) -> Question | None:
    """Ask about the amount where only the price of one item and a quantity are known."""
    of_role = {column.role: column.name for column in columns}
    pair = find_price_and_quantity(raw)
    if pair is None or of_role.get("amount") != pair[0]:
        return None
    price, quantity = pair
    rows = f"customer: '{of_role['customer']}', date: '{of_role['date']}'"
    product = f"price: '{price}', quantity: '{quantity}', amount: '{price} × {quantity}'"
    return Question(
        f"'{price}' is the price of one item, and no column is that price times '{quantity}'.",
        (
            Choice("the amount is price times quantity", f"kind: transactions\ncolumns: {{{rows}, {product}}}"),
            Choice("the price is the amount", f"kind: transactions\ncolumns: {{{rows}, amount: '{price}'}}"),
        ),
    )


def _ask_whose_rows(raw: RawTable, columns: tuple[InferredColumn, ...]) -> Question | None:
    """Ask whose rows these are where each names an order, or no row is named, beside a date and a code that repeats."""
    dates = find_dates(raw)
    unnamed = any(note.startswith("no header") for note in raw.notes)
    key = next((column.name for column in columns if column.role == "key"), None)
    if not dates or (key is not None and names_customer(key)):
        return None
    by_order = key is None or unnamed or names_order(key)
    candidates = [
        column.name
        for column in raw.columns
        if column.name != key and _may_name_customer(raw, column) and (by_order or _are_long_codes(raw, column))
    ]
    if not candidates:
        return None
    numbers = [name for name in find_amounts(raw) if name not in candidates]
    paid, kind = (f", amount: '{numbers[0]}'", "transactions") if numbers else ("", "events")
    what = f"each row has a date ('{dates[0]}'), and {listed(map(repr, candidates), 3)} repeats from row to row"
    return Question(
        f"The file has no header: {what}." if unnamed else f"No column surely names the customer: {what}.",
        (
            *(
                Choice(
                    f"rows are orders, and '{name}' names the customer",
                    f"kind: {kind}\ncolumns: {{customer: '{name}', date: '{dates[0]}'{paid}}}",
                )
                for name in candidates[:2]
            ),
            Choice("each row is a customer", "kind: customers"),
        ),
    )


def _ask_amount(raw: RawTable) -> Question | None:
    """Ask which number is the amount where none is called so and several may be."""
    numbers = find_amounts(raw)
    if len(numbers) < 2 or any(names_amount(name) for name in numbers) or find_product(raw, numbers):
        return None
    return Question(
        f"No column is surely the amount of a row: {listed(map(repr, numbers), 4)} may be.",
        (
            *(
                Choice(f"'{name}' is the amount", f"kind: transactions\ncolumns: {{amount: '{name}'}}")
                for name in numbers[:3]
            ),
            Choice("rows are events without amounts", "kind: events"),
        ),
    )


def _may_name_customer(raw: RawTable, column: Column) -> bool:
    n = raw.n_rows - column.n_missing
    if not max(10, 0.02 * n) < column.n_distinct < 0.9 * n or words_of(column.name) & (OF_THINGS | STAFF):
        return False
    if column.type == "key":
        return True
    if column.type in ("text", "category"):
        return holds_addresses(raw, column) or tells_a_person(raw, column).startswith("private: names")
    return column.type == "number" and _look_like_codes(raw, column)


def _are_long_codes(raw: RawTable, column: Column) -> bool:
    """Return whether codes have five signs or more, and two to twenty rows each."""
    values: Any = raw.frame[column.name].dropna()
    per_code = len(values) / max(column.n_distinct, 1)
    return 1.5 <= per_code <= 20 and int(values.astype("str").str.len().min()) >= 5


def _look_like_codes(raw: RawTable, column: Column) -> bool:
    """Return whether numbers are whole, of three digits or more and of one length, and no years or measures by name."""
    values: Any = raw.frame[column.name].dropna()
    if words_of(column.name) & _MEASURES or not is_whole(values):
        return False
    low, high = int(values.min()), int(values.max())
    return low >= 100 and len(str(low)) == len(str(high)) and not 1900 <= low <= high <= 2100


def _ask_features(raw: RawTable) -> Question | None:
    """Ask which columns form the segments, where some vary between rows."""
    kinds = ("number", "boolean", "category")
    numbers = [column.name for column in raw.columns if column.type in kinds and column.n_distinct > 1]
    if not numbers:
        return None
    return Question(
        "No column can serve as a feature: numbers or yes/no answers that vary and tell what customers do.",
        (Choice("these columns form the segments", f"roles: {{feature: [{', '.join(map(repr, numbers[:6]))}]}}"),),
    )
