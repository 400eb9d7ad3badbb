"""Small made-up files of all kinds, forms and languages, each with its right reading."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

N_ORDERS, N_BUYERS, N_CUSTOMERS, N_RESPONDENTS = 120, 40, 60, 80
START = dt.datetime(2023, 1, 5, 10)


@dataclass(frozen=True, slots=True)
class Case:
    """A file, and what `tests.cases.run.compare` expects of its reading; ``ask`` where it has to be a question."""

    name: str
    data: bytes
    expect: dict[str, Any]
    ask: bool = False


def _rng() -> np.random.Generator:
    return np.random.default_rng(21)


def orders(n: int = N_ORDERS) -> pd.DataFrame:
    """Make order lines of forty customers over 170 days."""
    rng = _rng()
    buyers = np.concatenate([np.arange(N_BUYERS), rng.integers(0, N_BUYERS, n - N_BUYERS)])
    days = np.sort(rng.integers(0, 170, n))
    return pd.DataFrame(
        {
            "customer_id": 12_000 + buyers * 37,
            "order_date": [START + dt.timedelta(days=int(day)) for day in days],
            "order_no": 50_001 + np.arange(n),
            "amount": rng.gamma(2, 40, n).round(2) + 5,
        }
    )


def customers() -> pd.DataFrame:
    """Make one row for each of sixty customers."""
    rng = _rng()
    spend = rng.gamma(2, 900, N_CUSTOMERS).round(2) + 20
    return pd.DataFrame(
        {
            "customer_id": 54_000 + rng.permutation(N_CUSTOMERS) * 31,
            "orders": rng.poisson(6, N_CUSTOMERS) + 1,
            "spend": spend,
            "visits": rng.poisson(14, N_CUSTOMERS),
        }
    )


def answers(n_items: int = 6, top: int = 5) -> np.ndarray:
    """Make answers from 1 to ``top`` to a few questions."""
    values = _rng().integers(1, top + 1, (N_RESPONDENTS, n_items))
    values[:top, :] = np.arange(1, top + 1)[:, None]
    return values


def text(frame: pd.DataFrame, sep: str = ",", encoding: str = "utf-8") -> bytes:
    """Write a table as delimited text."""
    return frame.to_csv(index=False, sep=sep).encode(encoding)


LANGUAGES: dict[str, dict[str, Any]] = {
    "en": {"orders": ["Customer ID", "Order date", "Order no", "Amount"], "sep": ",", "mark": ".", "date": "%d %B %Y"},
    "de": {"orders": ["Kundennr", "Bestelldatum", "Bestellnummer", "Gesamtbetrag"], "sep": ";", "mark": ","},
    "fr": {"orders": ["N° client", "Date de commande", "N° commande", "Montant"], "sep": ";", "mark": ","},
    "es": {"orders": ["ID cliente", "Fecha del pedido", "N° pedido", "Importe"], "sep": ";", "mark": ","},
    "pt": {"orders": ["Código cliente", "Data do pedido", "Nº pedido", "Valor"], "sep": ";", "mark": ","},
    "it": {"orders": ["Codice cliente", "Data ordine", "N° ordine", "Importo"], "sep": ";", "mark": ","},
    "nl": {"orders": ["Klantnummer", "Besteldatum", "Bestelnummer", "Bedrag"], "sep": ";", "mark": ","},
}
MONTHS = {
    "en": "January February March April May June",
    "de": "Januar Februar März April Mai Juni",
    "fr": "janvier février mars avril mai juin",
    "es": "enero febrero marzo abril mayo junio",
    "pt": "janeiro fevereiro março abril maio junho",
    "it": "gennaio febbraio marzo aprile maggio giugno",
    "nl": "januari februari maart april mei juni",
}
TABLES = {
    "en": ["Customer number", "Orders", "Spend", "Age"],
    "de": ["Kundennummer", "Anzahl Bestellungen", "Umsatz (€)", "Alter"],
    "fr": ["Numéro client", "Nombre de commandes", "Dépenses", "Sexe"],
    "es": ["Cliente", "Compras", "Gasto", "Edad"],
    "pt": ["Cliente", "Pedidos", "Receita", "Idade"],
    "it": ["Cliente", "Acquisti", "Spesa", "Sesso"],
    "nl": ["Klant", "Aantal bestellingen", "Omzet", "Leeftijd"],
}
LIKERT = {
    "en": "Strongly disagree|Disagree|Neither agree nor disagree|Agree|Strongly agree",
    "de": "Stimme überhaupt nicht zu|Stimme nicht zu|Neutral|Stimme zu|Stimme voll und ganz zu",
    "fr": "Pas du tout d'accord|Pas d'accord|Neutre|D'accord|Tout à fait d'accord",
    "es": "Totalmente en desacuerdo|En desacuerdo|Neutral|De acuerdo|Totalmente de acuerdo",
    "pt": "Discordo totalmente|Discordo|Neutro|Concordo|Concordo totalmente",
    "it": "Per niente d'accordo|In disaccordo|Neutrale|D'accordo|Completamente d'accordo",
    "nl": "Helemaal mee oneens|Mee oneens|Neutraal|Mee eens|Helemaal mee eens",
}
YES_NO = {
    "en": "Yes No",
    "de": "Ja Nein",
    "fr": "Oui Non",
    "es": "Sí No",
    "pt": "Sim Não",
    "it": "Sì No",
    "nl": "Ja Nee",
}


def in_languages() -> Iterator[Case]:
    """Make orders, customers, scales and yes or no in seven languages."""
    for language, form in LANGUAGES.items():
        frame = orders()
        months = MONTHS[language].split()
        written = [f"{day.day} {months[day.month - 1]} {day.year}" for day in frame["order_date"]]
        frame["order_date"] = written
        frame["amount"] = frame["amount"].map("{:.2f}".format).str.replace(".", form["mark"])
        names = form["orders"]
        frame.columns = names
        expect = {
            **{"kind": "transactions", "n": N_BUYERS, "customer": names[0], "date": names[1], "amount": names[3]},
            "first": "2023-01",
        }
        yield Case(f"orders_{language}.csv", text(frame, form["sep"]), expect)
        table = customers()
        table["visits"] = _rng().integers(18, 80, N_CUSTOMERS)
        names = TABLES[language]
        if names[3] in ("Sexe", "Sesso"):
            table["visits"] = _rng().choice(["F", "M"], N_CUSTOMERS)
        table["spend"] = table["spend"].map("{:.2f}".format).str.replace(".", form["mark"])
        table.columns = names
        expect = {
            "kind": "customers",
            "n": N_CUSTOMERS,
            "key": names[0],
            "feat": names[1:3],
            "no": [names[0], names[3]],
        }
        yield Case(f"customers_{language}.csv", text(table, form["sep"]), {**expect, "value": names[2]})
        scale = LIKERT[language].split("|")
        survey = pd.DataFrame({f"q{i + 1}": [scale[v - 1] for v in col] for i, col in enumerate(answers().T)})
        survey.insert(0, "respondent_id", np.arange(N_RESPONDENTS) + 1)
        items = {"kind": "survey", "n": N_RESPONDENTS, "feat": ["q1", "q6"]}
        yield Case(f"scale_{language}.csv", text(survey), {**items, "top": ["q1", 5], "low": ["q1", 1]})
        yes, no = YES_NO[language].split()
        ticked = pd.DataFrame({f"q{i + 1}": np.where(col > 3, yes, no) for i, col in enumerate(answers().T)})
        yield Case(f"yes_no_{language}.csv", text(ticked), items | {"type_": ["q1", ["boolean"]]})


def _dated(name: str, write: Callable[[dt.datetime], object], column: str = "order_date", **expect: Any) -> Case:
    frame = orders()
    frame["order_date"] = [write(day) for day in frame["order_date"]]
    frame = frame.rename(columns={"order_date": column})
    right = {"kind": "transactions", "n": N_BUYERS, "customer": "customer_id", "date": column, "first": "2023-01-05"}
    return Case(f"date_{name}.csv", text(frame), {**right, "amount": "amount", **expect})


def of_dates() -> Iterator[Case]:
    """Make order lines with dates in many forms."""
    seconds = lambda day: int(day.replace(tzinfo=dt.UTC).timestamp())  # noqa: E731
    first = {"first": "2023-01"}
    yield _dated("seconds", seconds, "event_time", **first)
    yield _dated("milliseconds", lambda day: seconds(day) * 1000, **first)
    yield _dated("microseconds", lambda day: seconds(day) * 10**6, "created_at", **first)
    yield _dated("serial", lambda day: (day - dt.datetime(1899, 12, 30)).days, **first)
    yield _dated("compact", lambda day: day.strftime("%Y%m%d"), "BUDAT", **first)
    yield _dated("compact_time", lambda day: day.strftime("%Y%m%d%H%M%S"), **first)
    yield _dated("months", lambda day: day.strftime("%Y%m"), "month", first="2023-01-01")
    yield _dated("two_digits", lambda day: day.strftime("%d.%m.%y"), **first)
    yield _dated("year_first_two_digits", lambda day: day.strftime("%y-%m-%d"), **first)
    yield _dated("month_first", lambda day: day.strftime("%m/%d/%Y"), **first)
    yield _dated("half_days", lambda day: day.strftime("%m/%d/%Y %I:%M %p"), **first)
    yield _dated("zone", lambda day: day.strftime("%Y-%m-%dT%H:%M:%S+02:00"), **first)
    yield _dated("zone_name", lambda day: day.strftime("%Y-%m-%d %H:%M:%S GMT"), **first)
    yield _dated("mail", lambda day: day.strftime("%a, %d %b %Y %H:%M:%S +0000"), **first)
    yield _dated("c", lambda day: day.strftime("%a %b %d %H:%M:%S %Y"), **first)
    yield _dated("characters", lambda day: f"{day.year}年{day.month}月{day.day}日", **first)
    yield _dated("ordinal", lambda day: day.strftime("%B ") + f"{day.day}th, {day.year}", **first)
    frame = orders()
    frame["order_date"] = frame["order_date"].dt.strftime("%Y-%m-%d")
    frame.loc[::15, "order_date"] = "0000-00-00"
    yield Case("date_zeros.csv", text(frame), {"kind": "transactions", "n": N_BUYERS, "date": "order_date"})
    frame["order_date"] = np.where(frame["order_date"] == "0000-00-00", "1900-01-01", frame["order_date"])
    yield Case("date_stand_in.csv", text(frame), {"kind": "transactions", "first": "2023-01", "date": "order_date"})
    frame = orders().assign(
        birth_date=lambda f: [f"19{60 + c % 30}-03-0{1 + c % 9}" for c in f["customer_id"]],
        delivery_date=lambda f: f["order_date"] + pd.Timedelta(days=3),
    )
    frame = frame[["birth_date", "delivery_date", "customer_id", "order_date", "order_no", "amount"]]
    yield Case("date_of_order.csv", text(frame), {"kind": "transactions", "n": N_BUYERS, "date": "order_date"})
    frame = orders()
    frame["order_date"] = [
        f"{d.day:02}/{d.month:02}/2023" if i % 2 else f"{d.month:02}/{d.day:02}/2023"
        for i, d in enumerate(frame["order_date"])
    ]
    yield Case("date_mixed.csv", text(frame), {}, ask=True)
    yield Case("date_none.csv", text(orders().drop(columns=["order_date", "order_no"])), {}, ask=True)
    version = customers().assign(app_version=[f"{i % 9}.{i % 5}.{10 + i % 7}" for i in range(N_CUSTOMERS)])
    yield Case("version.csv", text(version), {"type_": ["app_version", ["category", "text", "key"]]})


def of_numbers() -> Iterator[Case]:
    """Make customers whose spending is written in many forms."""

    def grouped(value: float, thousands: str, mark: str) -> str:
        return f"{value:,.2f}".replace(",", "\0").replace(".", mark).replace("\0", thousands)

    forms: dict[str, Callable[[float], str]] = {
        "real": lambda v: "R$ " + grouped(v, ".", ","),
        "thousands_k": lambda v: f"{v / 1000:.1f}K",
        "narrow_space": lambda v: grouped(v, "\u202f", ",") + " €",
        "apostrophe": lambda v: "CHF " + grouped(v, "'", "."),
        "swiss_quote": lambda v: grouped(v, "\u2019", "."),
        "zloty": lambda v: grouped(v, "\u00a0", ",") + " zł",
        "krona": lambda v: grouped(v, " ", ",") + " kr",
        "rupees": lambda v: f"₹{v:,.2f}",
        "pounds": lambda v: f"£{v:,.2f}",
        "code_after": lambda v: f"{v:.2f} USD",
        "unit": lambda v: f"{v:.0f} points",
        "footnote": lambda v: f"{v:.2f}" + ("*" if v > 2000 else ""),
    }
    for name, write in forms.items():
        frame = customers()
        expect: dict[str, Any] = {"n": N_CUSTOMERS, "key": "customer_id", "feat": ["spend"], "top": ["spend", 20_000]}
        yield Case(f"number_{name}.csv", text(frame.assign(spend=frame["spend"].map(write)), ";"), expect)
    for i, word in enumerate(("unknown", "k.A.", "n/d", "keine Angabe", "\\N", "sans réponse")):
        frame = customers().astype({"spend": object})
        frame.loc[::9, "spend"] = word
        yield Case(f"missing_{i}.csv", text(frame), {"n": N_CUSTOMERS, "feat": ["spend"]})
    returns: dict[str, Callable[[float], str]] = {
        "minus_after": lambda v: f"{v:.2f}-",
        "brackets": lambda v: f"({v:.2f})",
        "long_minus": lambda v: f"\u2212{v:.2f}",
    }
    for name, write in returns.items():
        frame = orders().astype({"amount": object})
        frame["amount"] = [write(v) if i % 9 == 4 else f"{v:.2f}" for i, v in enumerate(frame["amount"])]
        expect = {"kind": "transactions", "n": N_BUYERS, "amount": "amount", "refunds": True}
        yield Case(f"refund_{name}.csv", text(frame), expect)
    signs = orders()
    signs["amount"] = [("€" if i % 3 else "¥") + f"{v:.2f}" for i, v in enumerate(signs["amount"])]
    yield Case("currency_signs.csv", text(signs), {}, ask=True)
    yield Case("currencies.csv", text(orders().assign(currency=["EUR", "USD"] * (N_ORDERS // 2))), {}, ask=True)


def of_rows() -> Iterator[Case]:
    """Make titles, second headings, totals, footers, repeated and missing keys, guests and tests."""
    whole = {"kind": "customers", "n": N_CUSTOMERS, "key": "customer_id", "feat": ["spend"], "no": ["customer_id"]}
    frame, lines = customers(), text(customers()).decode()
    head, body = lines.split("\n", 1)
    changed = {
        "titles": f"Report of customers\nMay 2024\n\n{lines}",
        "comments": f"# made in May\n# all customers\n{lines}",
        "second_heading": f"{head}\nNumber of the customer,How many,In euros,Number of visits\n{body}",
        "units": f"{head}\n,count,EUR,count\n{body}",
        "heading_again": f"{head}\n{body}{head}\n",
        "total": f"{lines}Total,{frame['orders'].sum()},{frame['spend'].sum():.2f},{frame['visits'].sum()}\n",
        "total_de": f"{lines}Summe,{frame['orders'].sum()},{frame['spend'].sum():.2f},{frame['visits'].sum()}\n",
        "sum_without_name": f"{lines},{frame['orders'].sum()},{frame['spend'].sum():.2f},{frame['visits'].sum()}\n",
        "footer": f"{lines}\nSource: made up\n",
    }
    for name, content in changed.items():
        yield Case(f"rows_{name}.csv", content.encode(), whole)
    numbered = frame.reset_index(names="Unnamed: 0")
    yield Case("rows_numbered.csv", text(numbered), {**whole, "no": ["Unnamed: 0", "customer_id"]})
    gap = frame.astype({"customer_id": object})
    gap.loc[7, "customer_id"] = ""
    yield Case("key_missing_once.csv", text(gap), {"key": "customer_id", "no": ["customer_id"]})
    tests = pd.concat([frame, pd.DataFrame({"customer_id": ["TEST"], "orders": [1], "spend": [9e6], "visits": [1]})])
    yield Case("key_test.csv", text(tests), whole)
    long = frame.assign(customer_id=[str(90071992547409921 + i) for i in range(N_CUSTOMERS)])
    yield Case("key_long.csv", text(long), whole)
    zeros = frame.assign(customer_id=[f"{i:06}" for i in frame["customer_id"]])
    yield Case("key_zeros.csv", text(zeros), whole)
    guests = orders()
    guests.loc[::6, "customer_id"] = 0
    n = guests.loc[guests["customer_id"] > 0, "customer_id"].nunique()
    yield Case("guests.csv", text(guests), {"kind": "transactions", "n": int(n), "told": "left out"})
    status = orders().assign(status=["cancelled" if i % 8 == 3 else "completed" for i in range(N_ORDERS)])
    kept = int((status["status"] == "completed").sum())
    yield Case("cancelled.csv", text(status), {"kind": "transactions", "n_rows": kept, "told": "cancelled"})
    mails = orders()
    mails["customer_id"] = [f"{'P' if i % 2 else 'p'}{c}@Example.org" for i, c in enumerate(mails["customer_id"])]
    mails = mails.rename(columns={"customer_id": "Email"})
    yield Case("key_mail.csv", text(mails), {"kind": "transactions", "n": N_BUYERS, "customer": "Email"})


def of_columns() -> Iterator[Case]:
    """Make columns that have to be chosen or kept out by their names and values."""
    frame = orders()
    parts = frame.assign(shipping=4.9, tax=lambda f: (f["amount"] * 0.19).round(2), total=lambda f: f["amount"] + 1)
    parts["shipping"] = _rng().choice([4.9, 5.9, 7.5], N_ORDERS)
    parts = parts[["order_no", "customer_id", "order_date", "shipping", "tax", "total"]]
    yield Case("amount_total.csv", text(parts), {"kind": "transactions", "amount": "total", "customer": "customer_id"})
    staff = frame.assign(agent_id=_rng().integers(1, 8, N_ORDERS))[["agent_id", *frame.columns]]
    yield Case("customer_not_agent.csv", text(staff), {"customer": "customer_id", "n": N_BUYERS})
    price = frame.rename(columns={"amount": "unit_price"}).assign(quantity=_rng().integers(1, 6, N_ORDERS))
    yield Case("amount_price.csv", text(price), {}, ask=True)
    events = frame.drop(columns=["amount", "order_no"]).assign(event=["view", "cart", "buy"] * (N_ORDERS // 3))
    events = events.rename(columns={"customer_id": "user_id", "order_date": "event_time"})
    yield Case("events.csv", text(events), {"kind": "events", "customer": "user_id", "n": N_BUYERS})
    table = customers()
    rng = _rng()
    for name in ("CLIENTNUM", "Recnum", "cust_id", "Debitor", "Konto", "KUNNR"):
        renamed = table.rename(columns={"customer_id": name})
        yield Case(f"key_{name}.csv", text(renamed), {"key": name, "no": [name], "n": N_CUSTOMERS})
    kept_out = {
        "weight": rng.uniform(0.5, 2, N_CUSTOMERS).round(3),
        "Cluster": rng.integers(0, 4, N_CUSTOMERS),
        "rank": np.arange(N_CUSTOMERS) + 1,
        "phone": 9_800_000_000 + rng.integers(0, 10**8, N_CUSTOMERS),
        "plz": 10_115 + rng.integers(0, 80_000, N_CUSTOMERS),
        "latitude": rng.uniform(48, 49, N_CUSTOMERS),
        "churn_probability": rng.uniform(0, 1, N_CUSTOMERS),
        "account_ref": 100_000 + rng.permutation(800_000)[:N_CUSTOMERS],
    }
    for name, values in kept_out.items():
        yield Case(f"out_{name}.csv", text(table.assign(**{name: values})), {"no": [name], "key": "customer_id"})
    outcome = table.assign(Churn=np.where(rng.random(N_CUSTOMERS) < 0.3, "Leaves", "Stays"))
    yield Case("outcome.csv", text(outcome), {"roles": {"Churn": "outcome"}, "type_": ["Churn", ["boolean"]]})
    income = pd.DataFrame(
        {
            "CustomerID": np.arange(N_CUSTOMERS) + 1,
            "Gender": rng.choice(["Male", "Female"], N_CUSTOMERS),
            "Age": rng.integers(18, 70, N_CUSTOMERS),
            "Annual Income (k$)": rng.integers(15, 140, N_CUSTOMERS),
            "Spending Score (1-100)": rng.integers(1, 100, N_CUSTOMERS),
        }
    )
    both = ["Annual Income (k$)", "Spending Score (1-100)"]
    yield Case("income_and_score.csv", text(income), {"feat": both, "no": ["Age"], "value": None})
    loans = pd.DataFrame({"ID": np.arange(N_CUSTOMERS) + 1, "Credit amount": rng.integers(300, 9000, N_CUSTOMERS)})
    loans["Duration"] = rng.integers(6, 60, N_CUSTOMERS)
    yield Case("loans.csv", text(loans), {"key": "ID", "value": None, "kind": "customers"})


def of_answers() -> Iterator[Case]:
    """Make surveys with codes, numbers before words, and codes for no answer."""
    items = {"kind": "survey", "n": N_RESPONDENTS, "feat": ["q1", "q6"], "top": ["q1", 5], "low": ["q1", 1]}
    values = answers()
    names = [f"q{i + 1}" for i in range(6)]
    for code in (99, -9, 88, 999):
        coded = values.copy()
        coded[9::11, 0] = code
        coded[3::13, 2] = code
        yield Case(f"answers_code_{code}.csv", text(pd.DataFrame(coded, columns=names)), items)
    words = LIKERT["en"].split("|")
    forms: dict[str, Callable[[int], str]] = {
        "numbered": lambda v: f"{v} - {words[v - 1]}",
        "equals": lambda v: f"{v} = {words[v - 1]}",
        "codes": lambda v: f"A{v}",
    }
    for name, write in forms.items():
        frame = pd.DataFrame([[write(int(v)) for v in row] for row in values], columns=names)
        yield Case(f"answers_{name}.csv", text(frame), items)
    frame = pd.DataFrame(values, columns=names)
    frame.insert(0, "Duration (in seconds)", _rng().integers(60, 900, N_RESPONDENTS))
    lines = text(frame).decode().split("\n", 1)
    heads = "Duration (in seconds)," + ",".join(f"How much do you agree: {name}" for name in names)
    ids = ",".join('"{""ImportId"": ""QID' + str(i) + '""}"' for i in range(7))
    survey = {**items, "no": ["Duration (in seconds)"]}
    yield Case("answers_three_headings.csv", "\n".join([lines[0], heads, ids, lines[1]]).encode(), survey)
    long = np.where(values > 3, "Yes, every week or more", "No, hardly ever")
    yield Case("answers_long.csv", text(pd.DataFrame(long, columns=names)), {"kind": "survey", "feat": ["q1"]})


def of_formats() -> Iterator[Case]:
    """Make the same customers as JSON, compressed, with other delimiters and in other encodings."""
    whole = {"kind": "customers", "n": N_CUSTOMERS, "key": "customer_id", "feat": ["orders", "spend", "visits"]}
    frame = customers()
    rows = frame.to_dict("records")
    yield Case("array.json", json.dumps(rows).encode(), whole)
    yield Case("lines.jsonl", "\n".join(json.dumps(row) for row in rows).encode(), whole)
    nested = [{"customer_id": row.pop("customer_id"), "stats": row, "tags": [1, 2]} for row in frame.to_dict("records")]
    expect = {**whole, "feat": ["stats.orders", "stats.spend"]}
    yield Case("nested.json", json.dumps({"data": nested}).encode(), expect)
    yield Case("packed.csv.gz", gzip.compress(text(frame), mtime=0), whole)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("customers.csv", text(frame))
    yield Case("packed.zip", archive.getvalue(), whole)
    parquet = io.BytesIO()
    frame.to_parquet(parquet)
    yield Case("table.parquet", parquet.getvalue(), whole)
    yield Case("tabs.tsv", text(frame, "\t"), whole)
    yield Case("bars.txt", text(frame, "|"), whole)
    yield Case("utf16.csv", text(frame.assign(city="Łódź"), ",", "utf-16"), whole)
    towns = frame.assign(city=np.resize(["Łódź", "Kraków", "Poznań", "Wrocław"], N_CUSTOMERS))
    yield Case("polish.csv", text(towns, ";", "cp1250"), whole | {"told": "cp1250"})
    chinese = frame.rename(columns={"customer_id": "customer_id", "spend": "消费金额", "orders": "订单数量"})
    expect = {**whole, "feat": ["消费金额", "订单数量"]}
    yield Case("chinese.csv", text(chinese.assign(城市="北京"), ",", "gb18030"), expect)
    page = f"<table>{''.join(f'<tr><td>{i}</td></tr>' for i in range(9))}</table>".encode()
    yield Case("page.xls", page, {"or_refuse": "web page"}, ask=True)


def cases() -> list[Case]:
    """Make all cases."""
    makers = (in_languages, of_dates, of_numbers, of_rows, of_columns, of_answers, of_formats)
    return [case for make in makers for case in make()]
