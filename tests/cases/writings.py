"""More made-up files: further writings of dates, numbers, answers and headings, and further kinds of rows."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.cases.corpus import N_BUYERS, N_CUSTOMERS, N_ORDERS, N_RESPONDENTS, Case, answers, customers, orders, text

ROWS = {"kind": "transactions", "n": N_BUYERS}
ONE_EACH = {"kind": "customers", "n": N_CUSTOMERS}
SURVEY = {"kind": "survey", "n": N_RESPONDENTS}


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _rows(customer: str, date: str, amount: str, form: str | Callable[[dt.datetime], object], **more: Any) -> bytes:
    frame = orders()
    written = [day.strftime(form) if isinstance(form, str) else form(day) for day in frame["order_date"]]
    table = {customer: frame["customer_id"], date: written, amount: frame["amount"].map("{:.2f}".format)}
    return text(pd.DataFrame(table | more), ";")


def of_dates() -> Iterator[Case]:
    """Make order lines whose dates are digits alone, have names of zones, or are periods."""
    weekdays = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]
    forms: dict[str, tuple[str, str | Callable[[dt.datetime], object]]] = {
        "year_first_digits": ("orderdate", "%y%m%d"),
        "day_first_digits": ("fecha", "%d%m%Y"),
        "day_of_year": ("order_dt", "%Y%j"),
        "zone_place": ("checkout_time", lambda d: d.strftime("%Y-%m-%d %H:%M:%S") + " America/New_York"),
        "weekday": ("Kaufdatum", lambda d: f"{weekdays[d.weekday()]}, {d:%d.%m.%Y}"),
        "statistics_program": ("TRANDATE", lambda d: d.strftime("%d%b%Y:%H:%M:%S").upper()),
        "short_year": ("Mois", "%b-%y"),
    }
    for name, (date, form) in forms.items():
        expect = {**ROWS, "customer": "Kto", "date": date, "amount": "Betrag", "first": "2023-01"}
        yield Case(f"days_{name}.csv", _rows("Kto", date, "Betrag", form), expect)
    months = [(5_000 + a, 2023, m, 20 + 1.5 * a + 3.1 * m, a * m % 9) for a in range(40) for m in range(1, 7)]
    panel = pd.DataFrame(months, columns=["customer_id", "year", "month", "revenue", "orders"])
    expect = {"kind": "panel", "n": N_BUYERS, "customer": "customer_id", "value": "revenue total"}
    expect |= {"date": "year, month", "first": "2023-01-01"}
    yield Case("panel_of_months.csv", text(panel), expect)
    years = panel.assign(year=2018 + panel["month"]).drop(columns="month").rename(columns={"year": "Jahr"})
    yield Case("panel_of_years.csv", text(years), {**expect, "date": "Jahr as a date", "first": "2019-01-01"})


def what_a_row_is() -> Iterator[Case]:
    """Make rows of people beside households, sessions, contracts and cancelled orders."""
    n = N_ORDERS
    people = pd.DataFrame(
        {
            "person_id": 1_001 + np.arange(n),
            "household_id": _rng(1).integers(1, 50, n),
            "signup_date": [f"2023-0{1 + i % 9}-05" for i in range(n)],
            "visits": _rng(2).poisson(5, n),
            "spend": _rng(3).gamma(2, 50, n).round(2),
        }
    )
    yield Case("people_of_households.csv", text(people), {"kind": "customers", "n": n, "key": "person_id"})
    referred = people.assign(referred_by=_rng(4).integers(1_001, 1_060, n)).drop(columns="household_id")
    yield Case("referred.csv", text(referred), {"kind": "customers", "n": n, "no": ["referred_by"]})
    starts = [(dt.datetime(2023, 3, 1) + dt.timedelta(hours=7 * i)).isoformat() for i in range(n)]
    sessions = {"Sitzung": [f"s{i:05}" for i in range(n)], "Nutzer-ID": np.resize(1_000 + np.arange(40), n)}
    sessions |= {"Beginn": starts, "Dauer (s)": _rng(5).integers(5, 900, n), "Seiten": _rng(6).integers(1, 20, n)}
    expect = {"kind": "sessions", "n": 40, "customer": "Nutzer-ID", "date": "Beginn"}
    yield Case("sitzungen.csv", text(pd.DataFrame(sessions)), expect)
    contracts = {
        "Abo-Nr": 100 + np.arange(n),
        "Kundennummer": np.resize(7_000 + np.arange(60), n),
        "Tarif": _rng(7).choice(["basic", "pro"], n),
        "Monatspreis": _rng(8).choice([9, 29, 99], n),
        "Vertragsbeginn": [f"0{1 + i % 9}.0{1 + i % 9}.202{i % 3}" for i in range(n)],
        "Status": ["gekündigt" if i % 4 == 0 else "storniert" if i % 4 == 1 else "aktiv" for i in range(n)],
    }
    expect = {"kind": "subscriptions", "n": 60, "n_rows": n, "customer": "Kundennummer", "date": "Vertragsbeginn"}
    yield Case("vertraege.csv", text(pd.DataFrame(contracts)), expect)
    for column, yes, no in (
        ("storniert", "ja", "nein"),
        ("is_test", "True", "False"),
        ("Bestelstatus", "Geannuleerd", "Betaald"),
    ):
        undone = [yes if i % 8 == 3 else no for i in range(n)]
        expect = {"kind": "transactions", "n_rows": undone.count(no), "told": "left out"}
        yield Case(f"undone_{column}.csv", _rows("Klantnr", "Datum", "Bedrag", "%Y-%m-%d", **{column: undone}), expect)
    refunds = {"refund_amount": "orders|refund_amount|visits", "LTV": "orders|LTV|visits", "CA annuel": "n|CA annuel|v"}
    for name, names in refunds.items():
        table = customers().set_axis(["customer_id", *names.split("|")], axis=1)
        yield Case(f"worth_{name}.csv", text(table), {**ONE_EACH, "value": None if "refund" in name else name})
    for key, word in (("Student ID", "students"), ("employee_id", "employees"), ("Abonneenummer", "subscribers")):
        table = customers().rename(columns={"customer_id": key})
        yield Case(f"people_{word}.csv", text(table), {**ONE_EACH, "key": key, "word": word})
    signs = customers().astype({"spend": "object"})
    signs["spend"] = [f"{'€' if i % 3 else '$'}{v:.2f}" for i, v in enumerate(signs["spend"])]
    yield Case("two_signs.csv", text(signs), {}, ask=True)


def of_numbers() -> Iterator[Case]:
    """Make customers whose numbers have a sign inside, a unit, or are durations."""
    highest = float(customers()["spend"].max())
    forms: dict[str, Callable[[float], str]] = {
        "sign_inside": lambda v: f"{int(v)}€{round(v * 100) % 100:02}",
        "dot_inside": lambda v: f"{int(v)}·{round(v * 100) % 100:02}",
        "formula": lambda v: f'="{v:.2f}"',
        "exponent": lambda v: f"{v:.6E}".replace(".", ","),
        "small_m": lambda v: f"£{v / 1e6:.6f}m",
        "code_in_brackets": lambda v: f"{v:.2f} (USD)",
        "dash_after": lambda v: f"{int(v)} ,-",
        "sign_after": lambda v: f"{int(v):,}円",
    }
    for name, write in forms.items():
        frame = customers()
        expect = {**ONE_EACH, "feat": ["spend"], "low": ["spend", 20], "top": ["spend", highest + 1]}
        yield Case(f"number_with_{name}.csv", text(frame.assign(spend=frame["spend"].map(write)), ";"), expect)
    yield from _of_numbers_elsewhere()
    seconds = _rng(9).integers(61, 900, N_CUSTOMERS)
    table = customers().assign(
        wait=[f"{x}s" for x in seconds],
        call_duration=[f"{x // 60}:{x % 60:02}" for x in seconds],
        time_on_site=[f"0{x % 3}:{x // 60:02}:{x % 60:02}" for x in seconds],
        talk=[f"{x // 60}m {x % 60}s" for x in seconds],
        used=[f"{x} MB" if i % 2 else f"{x / 100:.1f} GB" for i, x in enumerate(seconds)],
    )
    measured = dict.fromkeys(("wait", "call_duration", "time_on_site", "talk", "used"), "number")
    yield Case(
        "units_and_durations.csv", text(table, ";"), {**ONE_EACH, "types": measured, "top": ["call_duration", 15]}
    )
    sides = orders().astype({"amount": object})
    sides["amount"] = [f"{v:.2f} {'CR' if i % 9 == 4 else 'DR'}" for i, v in enumerate(sides["amount"])]
    yield Case("credit_and_debit.csv", text(sides), {**ROWS, "amount": "amount", "refunds": True})
    vague = orders().astype({"amount": object})
    vague["amount"] = [f"{v:.2f} per item, {i} left" for i, v in enumerate(vague["amount"])]
    yield Case("amount_unread.csv", text(vague), {}, ask=True)
    long = orders().assign(
        customer_id=lambda f: [str(9_007_199_254_740_993 + 2 * (c - 12_000)) for c in f["customer_id"]]
    )
    yield Case("key_beyond_2_53.csv", text(long), {**ROWS, "customer": "customer_id"})


def _of_numbers_elsewhere() -> Iterator[Case]:
    """Make numbers with underscores, colons, bounds, spreads and the digits of other scripts, and texts beside them."""
    arabic, persian = ({ord(str(i)): chr(start + i) for i in range(10)} for start in (0x660, 0x6F0))
    below = dict(
        zip(
            ("en", "de", "fr", "es", "pt", "it", "nl"),
            ["<", "unter ", "moins de ", "menos de ", "menor que ", "meno di ", "minder dan "],
            strict=True,
        )
    )
    forms: dict[str, Callable[[int, float], str]] = {
        "underscore": lambda _, v: f"{v:_.0f}",
        "colon": lambda _, v: f"{v:,.2f} kr".replace(",", " ").replace(".", ":"),
        "colon_dash": lambda _, v: f"{v:.0f}:-",
        "colon_first": lambda _, v: f"kr {v:.2f}".replace(".", ":"),
        "spread": lambda i, v: f"{v:.1f} ± {i % 5}.5",
        "spread_unit": lambda i, v: f"{v:.0f} +/- {i % 5} points",
        "arabic": lambda _, v: f"{v:,.2f}".replace(",", "\u066c").replace(".", "\u066b").translate(arabic),
        "persian": lambda _, v: f"{v:.0f}".translate(persian),
        "full_width": lambda _, v: f"{v:.0f}".translate({ord(str(i)): chr(0xFF10 + i) for i in range(10)}),
        **{
            f"below_{name}": lambda i, v, word=word: f"{word}40" if i % 9 == 2 else f"{v:.0f}"
            for name, word in below.items()
        },
    }
    truth = customers()
    for name, write in forms.items():
        frame = truth.assign(spend=[write(i, v) for i, v in enumerate(truth["spend"])])
        least = 20 if name.startswith("below") else float(truth["spend"].min()) - 1
        expect = {
            **ONE_EACH,
            "feat": ["spend"],
            "low": ["spend", least],
            "top": ["spend", float(truth["spend"].max()) + 1],
        }
        yield Case(f"elsewhere_{name}.csv", text(frame, ";"), expect)
    codes = truth.assign(
        size=[f"{i % 3}_{i % 4}" for i in range(N_CUSTOMERS)], opens=[f"{8 + i % 4}:30" for i in range(N_CUSTOMERS)]
    )
    yield Case("elsewhere_codes.csv", text(codes), {**ONE_EACH, "types": {"size": "category", "opens": "category"}})
    bands = truth.assign(age=np.resize(["<20", "20-39", "40-59", ">=60"], N_CUSTOMERS))
    yield Case("elsewhere_bands.csv", text(bands), {**ONE_EACH, "low": ["age", 10], "top": ["age", 70]})


def of_answers() -> Iterator[Case]:
    """Make answers in words of degree, parts of a scale, intervals, and no answers."""
    scales = (
        "Trifft gar nicht zu|Trifft wenig zu|Trifft teilweise zu|Trifft ziemlich zu|Trifft völlig zu",
        "lehne stark ab|lehne ab|weder noch|stimme zu|stimme stark zu",
        "Not at all likely|Slightly likely|Moderately likely|Very likely|Extremely likely",
        "Pas du tout important|Peu important|Assez important|Très important",
        "Nada satisfecho|Poco satisfecho|Bastante satisfecho|Muy satisfecho",
        "Nunca|Menos de uma vez por mês|Uma vez por mês|Uma vez por semana|Todos os dias",
        "basso|medio|alto",
        "1/5|2/5|3/5|4/5|5/5",
        "★|★★|★★★|★★★★|★★★★★",
    )
    none = ("weiß ich nicht", "Prefiero no contestar", "Je ne sais pas", "Prefer not to disclose", "weet ik niet")
    for i, scale in enumerate(scales):
        steps = scale.split("|")
        words = np.array(steps, object)[answers(6, len(steps)) - 1]
        words[7::12, 1] = none[i % len(none)]
        frame = pd.DataFrame(words, columns=[f"q{j + 1}" for j in range(6)])
        expect = {**SURVEY, "feat": ["q1", "q2"], "top": ["q2", len(steps)], "low": ["q1", 1]}
        yield Case(f"degrees_{i}.csv", text(frame, ";"), expect)
    for i, (levels, top) in enumerate(
        (("[18,25)|[25,35)|[35,50)|[50,99)", 99), ("1–10 people|11–50 people|51–200 people", 200))
    ):
        table = customers().assign(band=np.resize(levels.split("|"), N_CUSTOMERS))
        yield Case(
            f"intervals_{i}.csv", text(table, ";"), {**ONE_EACH, "types": {"band": "number"}, "top": ["band", top]}
        )
    options = np.array(["Radio", "TV", "Presse", "Internet", "Freunde"])
    chosen = _rng(4).random((N_CUSTOMERS, 5)) < 0.5
    for i, mark in enumerate((" / ", "+")):
        table = customers().assign(Quelle=[mark.join(options[row]) for row in chosen])
        yield Case(f"choices_of_five_{i}.csv", text(table), {**ONE_EACH, "made": ["Quelle", 5], "feat": ["spend"]})


def of_headings() -> Iterator[Case]:
    """Make tables with lines, totals and remarks among the rows, and in further formats."""
    whole = {**ONE_EACH, "key": "customer_id", "feat": ["orders", "spend", "visits"]}
    frame = customers()
    head, *lines = text(frame).decode().strip().split("\n")
    body = "".join(f"{line}\n" for line in lines)
    bars = [f"| {' | '.join(line.split(','))} |\n" for line in lines]
    changed = {
        "units": f"{head}\n[-],[#],[€],[#]\n{body}",
        "line": f"{head}\n-----------,------,-----,------\n{body}",
        "bars": f"| {' | '.join(head.split(','))} |\n|---|---|---|---|\n{''.join(bars)}",
        "query": f"{' | '.join(head.split(','))}\n-----+-----+-----+-----\n{body.replace(',', ' | ')}(60 rows)\n",
        "subtotals": f"{head}\n"
        + "".join(f"{line}\n" + "Subtotal,9,99.5,9\n" * (i % 20 == 19) for i, line in enumerate(lines)),
        "groups": f"{head}\n"
        + "".join("Region Nord,,,\n" * (i % 20 == 0) + f"{line}\n" for i, line in enumerate(lines)),
        "count": f"{head}\n{body}Anzahl: 60,,,\n",
        "statistics": f"{head}\n{body}Mittelwert,5,1800,14\nMaximum,9,9000,30\n",
    }
    for name, content in changed.items():
        yield Case(f"among_{name}.csv", content.encode(), whole)
    turned = frame.T.to_csv(header=False).encode()
    yield Case("turned.csv", turned, {"or_refuse": "one column for each customer"}, ask=True)
    yield Case("by_column.json", json.dumps(frame.to_dict("list")).encode(), whole)
    yield Case("split.json", frame.to_json(orient="split").encode(), whole)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "Customers of last year.\nSee the web page.")
        archive.writestr("data/customers.csv", text(frame))
    yield Case("beside_a_text.zip", packed.getvalue(), whole)
    book = io.BytesIO()
    start: list[list[Any]] = [["Kunden", None, None, None], ["Stand", dt.datetime(2024, 1, 5), None, None], [None] * 4]
    with pd.ExcelWriter(book) as writer:
        rows = [*start, list(frame.columns), *frame.to_numpy().tolist()]
        pd.DataFrame(rows).to_excel(writer, index=False, header=False)
    yield Case("titled.xlsx", book.getvalue(), {**ONE_EACH, "feat": ["orders", "spend", "visits"]})


def cases() -> list[Case]:
    """Make all cases."""
    makers = (of_dates, what_a_row_is, of_numbers, of_answers, of_headings)
    return [case for make in makers for case in make()]
