"""Workbook of a study: segments, profiles, differences, actions and the dictionary, with numbers as numbers."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from analysis.pages.downloads.texts import as_shown, printable
from analysis.pages.figures import explain_scale, tag
from analysis.pages.text import act, data
from analysis.pages.text.overview import finding
from analysis.report.model import Report
from analysis.report.parts import Summary, Variable

WORKBOOK = "segments.xlsx"
MOST_LETTERS = 32_000
"""Of a cell: a little under what Excel can hold."""
WIDEST, WRAPS_AT = 60, 56
"""Characters of a column, and of a line of a longer text, which wraps."""
ROW_HEIGHT = 15
"""Points of a row with one line."""
FORMULA = ("=", "+", "-", "@")
"""First letters that make a program read a text as a formula, where it is typed or pasted again."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a cell with its format; ``None`` leaves the cell empty."""

    value: float | None
    form: str = "#,##0"


Cell = str | Number


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the workbook: what it holds, its columns and its rows."""

    name: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def write_workbook(report: Report) -> bytes:
    """Write the workbook; the same report gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    day = report.study.as_of
    created = dt.datetime.fromisoformat(f"{day}-01"[:10]) if day else dt.datetime(1980, 1, 1)
    book.set_properties({"title": _text(report.study.title)[:255], "created": created})
    forms = _Forms(book)
    sheets = list(list_sheets(report))
    _write_first(book, forms, report, sheets)
    for sheet in sheets:
        _write_sheet(book, forms, sheet)
    book.close()
    return out.getvalue()


def list_sheets(report: Report) -> Iterable[Sheet]:
    """Yield the tables of the workbook; a study without groups has no actions."""
    found = report.verdict.kind != "none"
    yield _segments(report, found)
    yield _profiles(report)
    yield _differences(report)
    if found and (actions := _actions(report)).rows:
        yield actions
    known = data.variables(report)
    yield Sheet("Dictionary", "Every variable: its name, unit and what it is made of.", known.columns, known.rows)
    yield _columns(report)


def _segments(report: Report, found: bool) -> Sheet:
    study, shown = report.study, all(s.n >= report.study.min_cell for s in report.segments)
    worth = report.value_label()
    columns = ["Segment", "Name", "Customers", "Share of customers"]
    columns += [f"Share of {worth.lower()}"] if worth else []
    columns += ["Stability", "Stability in words", "In one sentence"]
    rows = []
    for s in report.segments:
        row: list[Cell] = [s.letter, s.name, Number(s.n) if shown else report.formats().people(s.n)]
        row += [_share(s.share if s.n >= study.min_cell else None)]
        row += [_share(s.value_share if s.n >= study.min_cell else None)] if worth else []
        row += [Number(round(s.slsw, 2), "0.00"), s.band if found else "", s.one_line if found else ""]
        rows.append(tuple(row))
    name, about = ("Segments", "Size, value and stability of each segment.")
    if not found:
        name, about = "Split that was tried", "The study found no groups. These are the parts of the split it tried."
    return Sheet(name, about, tuple(columns), tuple(rows))


def _profiles(report: Report) -> Sheet:
    """List a typical value of each variable, and the shares of each category, by segment."""
    forming = {v.name for v in report.forming()}
    rows: list[tuple[Cell, ...]] = []
    for v in report.variables:
        if v.name not in report.everyone or v.categorical:
            continue
        told = [d.summary if (d := s.difference(v.name)) else None for s in report.segments]
        numbers = [_number(v, x) for x in (report.everyone[v.name], *told)]
        rows.append((v.label, "", _part(v, forming), v.unit.replace("_", " or "), _measure(v), *numbers))
    for profile in report.categories:
        v = report.variable(profile.variable)
        for place, level in enumerate(profile.levels if v.categorical else ()):
            shares = [profile.everyone[place], *(row[place] for row in profile.segments)]
            rows.append((v.label, level, _part(v, forming), "category", "share", *map(_share, shares)))
    columns = ("Variable", "Level", "Part", "Unit", "Measure", "Everyone", *map(tag, report.segments))
    about = "A typical value of each variable by segment. An empty cell: too few values to publish."
    return Sheet("Profiles", about, columns, tuple(rows))


def _differences(report: Report) -> Sheet:
    """List each difference between a segment and everyone, the largest first."""
    rows: list[tuple[Cell, ...]] = []
    for s in report.segments:
        for d in sorted(s.differences, key=lambda d: (-abs(d.z), d.variable)):
            v, plain = report.variable(d.variable), d.summary
            everyone = report.everyone.get(v.name)
            if everyone is None:
                continue
            spread = (None, None) if v.unit == "yes_no" else (plain.p10, plain.p90)
            typical = [_number(v, plain), _number(v, everyone), *(_value(v, x) for x in spread)]
            sizes = [Number(round(x, 2), "+0.00;-0.00;0.00") for x in (d.z, d.z_low, d.z_high)]
            apart = "yes" if d.marker else "no"
            rows.append((s.letter, s.name, v.label, v.unit.replace("_", " or "), _measure(v), *typical, *sizes, apart))
    columns = ("Segment", "Name", "Variable", "Unit", "Measure", "Here", "Everyone", "10th percentile here")
    columns += ("90th percentile here", "Difference (sd)", "Interval from", "Interval to", "Sets it apart")
    about = "Each segment against everyone. Differences have a 95% bootstrap interval. " + explain_scale(report)
    return Sheet("Differences", about, columns, tuple(rows))


def _actions(report: Report) -> Sheet:
    """List all actions in the order of the ranking, then the parts of a plan that the data cannot fill."""
    unit = report.variable(report.study.value).unit if report.study.value else ""
    rows: list[tuple[Cell, ...]] = []
    for row in act.rank_actions(report):
        slot, design = row.slot, row.slot.design
        prize = [_plain(x, unit) for x in (slot.prize_low, slot.prize_high)] if unit else []
        rates = (design.baseline, design.half.detects) if design else (None, None)
        test: list[Cell] = [*map(_rate, rates), "yes" if design and design.assumed else "no"]
        test += [Number(row.contacts), Number(design.weeks if design else None), design.sentence if design else ""]
        words = (slot.action, slot.why, slot.channel, slot.moment, slot.effort)
        rows.append(
            (Number(row.rank), row.segment.letter, row.segment.name, row.title, *words, *prize, slot.kpi, *test, "")
        )
    columns = ["Rank", "Segment", "Name", "Part", "Action", "Why", "Channel", "Moment", "Effort"]
    columns += ["Prize from", "Prize to"] if unit else []
    columns += ["KPI", "Rate now", "Detects", "Rate is assumed", "Contacts", "Weeks", "Test", "Data needed"]
    for named, title, needs in act.needs(report):
        letter, _, name = named.partition(" · ")
        empty = [""] * (len(columns) - 5)
        rows.append((Number(None), letter, name, title, *empty, needs))
    about = "All actions, ranked by what they may bring against effort and certainty."
    return Sheet("Actions", about, tuple(columns), tuple(rows))


def _columns(report: Report) -> Sheet:
    """List the columns of the data as they were read."""
    known, few = data.dictionary(report), report.study.min_cell
    rows = []
    for column, row in zip(report.data.columns, known.rows, strict=True):
        missing = Number(column.missing) if column.missing >= few or not column.missing else row[4]
        rows.append((*row[:4], missing, Number(column.distinct), *row[6:]))
    return Sheet("Columns", "Every column of the data and how it was read.", known.columns, tuple(rows))


def _part(v: Variable, forming: set[str]) -> str:
    return "feature" if v.name in forming else "descriptor" if v.role == "feature" else v.role


def _measure(v: Variable) -> str:
    return "share of yes" if v.unit == "yes_no" else "median"


def _number(v: Variable, summary: Summary | None) -> Number:
    if summary is None:
        return Number(None)
    return _value(v, summary.mean if v.unit == "yes_no" else summary.median)


def _value(v: Variable, x: float | None) -> Number:
    return _plain(x, v.unit)


def _plain(x: float | None, unit: str) -> Number:
    """A number with the digits of the pages, in a format that shows them."""
    if x is None:
        return Number(None)
    if unit in {"share", "yes_no"}:
        return _share(x)
    shown = as_shown(x, unit)
    if unit == "year":
        return Number(shown, "0")
    digits = next(n for n in range(4) if round(shown, n) == shown or n == 3)
    return Number(shown, "#,##0" + ("." + "0" * digits if digits else ""))


def _share(x: float | None) -> Number:
    shown = None if x is None else as_shown(x, "share")
    return Number(shown, "0%" if shown is None or round(shown, 2) == shown else "0.0%")


def _rate(x: float | None) -> Number:
    """A rate of a test: whole per cents, with a digit where pages print one."""
    shown = None if x is None else round(x, 3)
    return Number(shown, "0%" if shown is None or round(shown, 2) == shown else "0.0%")


class _Forms:
    """Cell formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self.book, self.made = book, dict[tuple[tuple[str, Any], ...], Any]()

    def get(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format(
                {"font_name": "Arial", "font_size": 10, "valign": "top", **properties}
            )
        return self.made[key]


def _write_first(book: Any, forms: _Forms, report: Report, sheets: Sequence[Sheet]) -> None:
    """Write the sheet that opens: the finding, the verdict, and what each sheet holds."""
    study, verdict, f = report.study, report.verdict, report.formats()
    sheet = book.add_worksheet("About")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    lines = [
        (study.title, "", {"bold": True, "font_size": 16}),
        (finding(report), "", {"bold": True, "font_size": 12}),
    ]
    lines += [("Synthetic demonstration data: no customer is real.", "", {"bold": True})] if study.synthetic else []
    lines += [("", "", {}), (verdict.title, verdict.sentence, {})]
    lines += [("Data as of", f.date(study.as_of), {})] if study.as_of else []
    lines += [("Currency", study.currency, {})] if study.currency else []
    lines += [("Survey weights", report.weight_note(), {})] if report.weighting else []
    note = f"Aggregates only. Groups of fewer than {study.min_cell} {study.customers} are not told apart."
    lines += [("What is left out", note, {}), ("", "", {}), ("Sheet", "What it holds", {"bold": True})]
    lines += [(one.name, one.about, {}) for one in sheets]
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for number, (left, right, look) in enumerate(lines):
        sheet.set_row(number, 24 if not number else ROW_HEIGHT * max(-(-len(right) // 90), 1))
        _write_text(sheet, number, 0, left, forms, look)
        if right:
            _write_text(sheet, number, 1, right, forms, {**look, "text_wrap": True})


def _write_sheet(book: Any, forms: _Forms, content: Sheet) -> None:
    """Write a table with a frozen first row, filters, and columns as wide as their texts."""
    sheet = book.add_worksheet(content.name)
    sheet.freeze_panes(1, 2 if content.columns[0] == "Segment" else 1)
    head = {"bold": True, "text_wrap": True, "bg_color": "#F5F7F9", "bottom": 1, "bottom_color": "#B9C1CA"}
    # An indent counts only where the side is stated.
    left = {"align": "left", "indent": 1}
    for place, title in enumerate(content.columns):
        numeric = any(isinstance(row[place], Number) for row in content.rows)
        _write_text(sheet, 0, place, title, forms, {**head, **({"align": "right"} if numeric else left)})
        longest = max([len(title) // 2, *(len(_shown(row[place])) for row in content.rows)], default=8)
        sheet.set_column(place, place, min(max(longest + 2, 9), WIDEST))
    sheet.set_row(0, 2 * ROW_HEIGHT)
    for number, row in enumerate(content.rows, start=1):
        sheet.set_row(number, ROW_HEIGHT * max(-(-len(_shown(cell)) // WRAPS_AT) for cell in row))
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                _write_text(sheet, number, place, cell, forms, {"text_wrap": len(cell) > WIDEST, **left})
            elif cell.value is not None:
                sheet.write_number(number, place, cell.value, forms.get(num_format=cell.form))
    if content.rows:
        sheet.autofilter(0, 0, len(content.rows), len(content.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write_text(sheet: Any, row: int, place: int, text: str, forms: _Forms, look: dict[str, Any]) -> None:
    """Write a text as text, whatever it begins with: what looks like a formula stays quoted when it is edited."""
    shown = _text(text)
    quoted = {"quote_prefix": True} if shown.lstrip().startswith(FORMULA) else {}
    if shown:
        sheet.write_string(row, place, shown, forms.get(**look, **quoted))


def _text(text: str) -> str:
    return printable(text)[:MOST_LETTERS]


def _shown(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "" if cell.value is None else f"{cell.value:,}"
