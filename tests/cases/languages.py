"""More made-up files, of the kinds that were once read wrongly, in seven languages."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.cases.corpus import N_BUYERS, N_CUSTOMERS, N_ORDERS, N_RESPONDENTS, Case, answers, customers, orders, text

DAY = "%d/%m/%Y"
ROWS = {"kind": "transactions", "n": N_BUYERS}
ONE_EACH = {"kind": "customers", "n": N_CUSTOMERS}
SURVEY = {"kind": "survey", "n": N_RESPONDENTS}


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _comma(values: pd.Series) -> pd.Series:
    return values.map("{:.2f}".format).str.replace(".", ",")


def _orders(names: dict[str, str], form: str = DAY, **more: Any) -> pd.DataFrame:
    """Order lines with days and decimal commas, columns named and ordered as in ``names``; others are added."""
    frame = orders()
    frame = frame.assign(order_date=frame["order_date"].dt.strftime(form), amount=_comma(frame["amount"]), **more)
    return frame[list(names)].rename(columns=names)


def _customers(names: str, **more: Any) -> pd.DataFrame:
    """Customers with the four given names, separated by a bar."""
    frame = customers()
    frame.columns = names.split("|")
    return frame.assign(**more)


def what_a_row_is() -> Iterator[Case]:
    """Make orders, tickets, invoices, panels and events under names of many languages."""
    names = {"order_no": "N° billet", "customer_id": "Abonné", "order_date": "Date d'émission", "amount": "Prix TTC"}
    yield Case("billets.csv", text(_orders(names), ";"), {**ROWS, "customer": "Abonné", "amount": "Prix TTC"})
    firms = [f"{a}{b} {c}" for a in ("Bak", "Noord", "Zuid") for b in ("hof", "berg", "veld", "dam") for c in "ABCD"]
    frame = orders()
    firm = [firms[(code - 12_000) // 37] for code in frame["customer_id"]]
    names = {
        "order_no": "Factuurnummer",
        "firm": "Debiteur",
        "order_date": "Factuurdatum",
        "amount": "Bedrag excl. btw",
    }
    data = text(_orders(names, "%d-%m-%Y", firm=firm), ";")
    yield Case("facturen.csv", data, {**ROWS, "customer": "Debiteur", "amount": "Bedrag excl. btw"})
    panel = pd.DataFrame(
        [(5000 + 3 * a, f"2023-{m:02}", 1000 + 40.5 * a + 13 * m, a * m % 9) for a in range(40) for m in range(1, 7)],
        columns=["account_id", "month", "balance", "logins"],
    )
    yield Case("panel.csv", text(panel), {"kind": "panel", "n": 40, "customer": "account_id", "value": None})
    event = _rng(5).choice(["page_view", "add_to_cart", "purchase"], N_ORDERS, p=[0.6, 0.3, 0.1])
    revenue = np.where(event == "purchase", frame["amount"].astype(str), "")
    visits = frame[["customer_id", "order_date"]].assign(event=event, revenue=revenue)
    visits = visits.rename(columns={"customer_id": "visitor", "order_date": "timestamp"})
    yield Case("visitors.csv", text(visits), {"kind": "events", "n": N_BUYERS, "customer": "visitor"})
    plays = frame[["customer_id", "order_date"]].set_axis(["user", "played_at"], axis=1)
    plays["ms_played"] = _rng(2).integers(1_000, 300_000, N_ORDERS)
    yield Case("plays.csv", text(plays), {"kind": "events", "n": N_BUYERS, "customer": "user", "date": "played_at"})
    names = {"order_no": "Buchungsnummer", "customer_id": "Gast-Nr", "order_date": "Anreise", "amount": "Gesamtpreis"}
    yield Case("buchungen.csv", text(_orders(names), ";"), {**ROWS, "customer": "Gast-Nr", "amount": "Gesamtpreis"})
    card = _orders({"order_no": "Receipt", "customer_id": "Loyalty card", "order_date": "Bought", "amount": "Gross"})
    yield Case("loyalty.csv", text(card, ";"), {}, ask=True)
    yield Case("headless.csv", text(card.drop(columns="Receipt"), ";").split(b"\n", 1)[1], {}, ask=True)


def of_names() -> Iterator[Case]:
    """Make identifiers, roles, units, labels and nouns for customers in seven languages."""
    keys = {
        "Mitglieds-Nr.|Kurse|Ausgaben|Besuche": ("members", "Ausgaben"),
        "Nº de socio|Pedidos|Gasto|Visitas": ("members", "Gasto"),
        "N° adhérent|Nb commandes|Chiffre d'affaires (€)|Visites": ("members", "Chiffre d'affaires (€)"),
        "Spendernummer|Anzahl Spenden|Spendensumme (EUR)|Kontakte": ("donors", "Spendensumme (EUR)"),
        "ID paziente|Esami|Costo totale|Visite": ("patients", None),
        "Abonnentennummer|Bestellungen|Jahresumsatz|Besuche": ("subscribers", "Jahresumsatz"),
        "Kd-Nr|Käufe|Umsatz|Besuche": ("customers", "Umsatz"),
        "Codcliente|Ordini|Spesa|Visite": ("customers", "Spesa"),
        "NºCliente|Nº de pedidos|Importe total|Nº de visitas": ("customers", "Importe total"),
    }
    for names, (word, value) in keys.items():
        key, *others = names.split("|")
        expect = {**ONE_EACH, "key": key, "no": [key], "word": word, "value": value, "feat": [others[0], others[2]]}
        yield Case(f"{word}_{key[:6].strip()}.csv", text(_customers(names)), expect)
    rng = _rng(11)
    table = _customers("Kundennummer|Bestellungen|Umsatz|Besuche")
    for name, values, role in (
        ("Abgewandert", rng.choice(["ja", "nein"], N_CUSTOMERS), "outcome"),
        ("Hat_gekündigt", rng.choice(["Ja", "Nein"], N_CUSTOMERS), "outcome"),
        ("Kaufwahrscheinlichkeit", rng.random(N_CUSTOMERS).round(4), "ignore"),
        ("Probabilidad_de_fuga", rng.random(N_CUSTOMERS).round(3), "ignore"),
        ("Gewichtungsfaktor", rng.uniform(0.4, 2.2, N_CUSTOMERS).round(4), "weight"),
        ("CPF", 10_000_000_000 + rng.integers(0, 89_999_999_999, N_CUSTOMERS), "ignore"),
        ("Idade", rng.integers(18, 80, N_CUSTOMERS), "descriptor"),
        ("Situation familiale", rng.choice(["marié", "seul"], N_CUSTOMERS), "descriptor"),
    ):
        expect = {**ONE_EACH, "key": "Kundennummer", "roles": {name: role}, "no": [name]}
        yield Case(f"role_{name}.csv", text(table.assign(**{name: values})), expect)
    worth = {
        "Kreditlimit|Bestellungen|Jahresumsatz|Kontostand": "Jahresumsatz",
        "Plafond de crédit|Nb achats|Solde|Nb visites": None,
        "Límite de crédito|Visitas|Gasto total|Puntos": "Gasto total",
        "Kortingspercentage|Bezoeken|Omzet 2023|BTW": "Omzet 2023",
        "Tax paid|Orders|Total incl. tax|Unit price": "Total incl. tax",
        "avg_order_value|orders|lifetime_value|tickets": "lifetime_value",
        "Remise|Panier moyen|Montant dépensé|Points": "Montant dépensé",
        "Salary|Family|Mortgage|Children": None,
    }
    for names, value in worth.items():
        table = _customers(names).assign(customer_id=lambda f: np.arange(len(f)) * 7 + 50_000)
        yield Case(f"value_{names[:7]}.csv", text(table), {**ONE_EACH, "key": "customer_id", "value": value})


def of_columns() -> Iterator[Case]:
    """Make order lines whose customer, date and amount stand behind others."""
    rng = _rng(12)
    parts = {
        "birth": [f"0{1 + c % 9}/03/{1950 + c % 50}" for c in orders()["customer_id"]],
        "staff": rng.integers(1, 9, N_ORDERS),
        "shipping": _comma(pd.Series(rng.choice([4.9, 6.9, 8.9], N_ORDERS))),
        "tax": _comma(orders()["amount"] * 0.2),
    }
    for language, names in {
        "fr": "Conseiller|Date de naissance|Frais de port|TVA|N° client|Date commande|Montant TTC",
        "pt": "vendedor_id|Data de nascimento|Frete|Imposto|cliente_id|Data da venda|Valor total",
        "nl": "Kassamedewerker|Geboortedatum|Verzendkosten|BTW|Klantnr|Besteldatum|Totaalbedrag",
        "es": "Cajero|Fecha de nacimiento|Gastos de envío|IVA|ID cliente|Fecha compra|Total pedido",
        "de": "Verkäufer|Geburtsdatum|Versandkosten|MwSt|Kundennr|Kaufdatum|Rechnungsbetrag",
        "it": "Venditore|Data di nascita|Spedizione|IVA|Cliente|Data ordine|Totale fattura",
    }.items():
        *_, customer, date, amount = own = names.split("|")
        order = ["staff", "birth", "shipping", "tax", "customer_id", "order_date", "amount"]
        data = text(_orders(dict(zip(order, own, strict=True)), **parts), ";")
        yield Case(f"behind_{language}.csv", data, {**ROWS, "customer": customer, "date": date, "amount": amount})
    quantity = rng.integers(1, 6, N_ORDERS)
    for price, count in (("Prezzo unitario", "Quantità"), ("Prix", "Qté"), ("Precio unitario", "Cantidad")):
        names = {"customer_id": "Cliente", "order_date": "Data ordine", "amount": price, "n": count}
        yield Case(f"product_{price}.csv", text(_orders(names, n=quantity), ";"), {}, ask=True)
    line = _comma(orders()["amount"] * quantity)
    names = {"customer_id": "Klant", "order_date": "Datum", "amount": "Prijs", "n": "Aantal", "line": "Regel"}
    yield Case("product.csv", text(_orders(names, n=quantity, line=line), ";"), {**ROWS, "amount": "Regel"})
    for name, bad, good in (("Statut", "annulée", "livrée"), ("Situação", "Pago recusado", "Entregue")):
        status = [bad if i % 9 == 4 else good for i in range(N_ORDERS)]
        names = {"customer_id": "N° client", "order_date": "Date", "status": name, "amount": "Montant"}
        expect = {"kind": "transactions", "n_rows": status.count(good), "told": "left out"}
        yield Case(f"undone_{name}.csv", text(_orders(names, status=status), ";"), expect)
    zeros = [f"{code:07}" + " " * (i % 4 == 0) for i, code in enumerate(orders()["customer_id"])]
    names = {"zeros": "Klantnummer", "order_date": "Besteldatum", "amount": "Bedrag"}
    yield Case("key_spaces.csv", text(_orders(names, zeros=zeros), ";"), {**ROWS, "customer": "Klantnummer"})
    gaps = customers().astype({"customer_id": object}).rename(columns={"customer_id": "Kundennr."})
    gaps.loc[9, "Kundennr."], gaps.loc[20, "Kundennr."] = "", gaps.loc[21, "Kundennr."]
    yield Case("key_twice.csv", text(gaps), {"kind": "customers", "key": "Kundennr.", "no": ["Kundennr."]})


def of_numbers_and_dates() -> Iterator[Case]:
    """Make numbers and dates as people write them."""

    def grouped(value: float) -> str:
        return f"{value:,.2f}".replace(",", "\u202f").replace(".", ",")

    forms: dict[str, Callable[[float], str]] = {
        "hard_space": lambda v: grouped(v) + "\u00a0€",
        "dash": lambda v: f"€ {int(v)},-",
        "mil": lambda v: f"R$ {v / 1000:.2f} mil".replace(".", ","),
        "k_sign": lambda v: f"{v / 1000:.2f}k €",
        "about": lambda v: f"~{v:.0f}",
    }
    for name, write in forms.items():
        frame = customers()
        expect = {**ONE_EACH, "feat": ["spend"], "low": ["spend", 20], "top": ["spend", 20_000]}
        yield Case(f"written_{name}.csv", text(frame.assign(spend=frame["spend"].map(write)), ";"), expect)
    returns = orders()
    returns["amount"] = ["\u2212" * (i % 9 == 4) + grouped(30 * v) + "\u00a0€" for i, v in enumerate(returns["amount"])]
    yield Case("written_returns.csv", text(returns, ";"), {**ROWS, "amount": "amount", "refunds": True})
    short = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août"]
    days = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."]
    dates: dict[str, tuple[str, Callable[[dt.datetime], str]]] = {
        "weeks": ("week", lambda d: f"{d.isocalendar().year}-W{d.isocalendar().week:02}"),
        "quarters": ("quarter", lambda d: f"Q{(d.month - 1) // 3 + 1} {d.year}"),
        "uhr": ("Zeitpunkt", lambda d: d.strftime("%d.%m.%Y, %H:%M Uhr")),
        "a": ("Date", lambda d: f"{days[d.weekday()]} {d.day} {short[d.month - 1]} {d.year} à {d.hour}h{d.minute:02}"),
        "dots": ("Data", lambda d: d.strftime("%d/%m/%Y %H.%M.%S")),
        "serial": (
            "Fecha",
            lambda d: f"{(d - dt.datetime(1899, 12, 30)).total_seconds() / 86_400:.4f}".replace(".", ","),
        ),
        "month_year": ("Monat", lambda d: d.strftime("%m/%Y")),
    }
    for name, (column, write) in dates.items():
        frame = orders()
        frame["order_date"] = [write(day) for day in frame["order_date"]]
        data = text(frame.rename(columns={"order_date": column}), ";")
        yield Case(f"written_{name}.csv", data, {**ROWS, "date": column, "first": "2023-01-0"})


def of_headings() -> Iterator[Case]:
    """Make headings of several rows, repeated names, titles and totals."""
    head, body = text(customers()).decode().split("\n", 1)
    four = {**ONE_EACH, "feat": ["Activity Orders", "Activity Visits"], "key": "Customer Id"}
    for name, start, expect in (
        ("grouped", "Customer,Activity,,\nId,Orders,Spend,Visits", four),
        ("years", ",Sales,,Web\nCustomer ID,2022,2023,2023", {**ONE_EACH, "feat": ["Sales 2022", "Web 2023"]}),
        ("twice", "customer_id,visits,spend,visits", {**ONE_EACH, "feat": ["visits", "visits (2)"], "told": "called"}),
        ("types", f"{head}\nkey,n,EUR,n\nint,int,float,int", {**ONE_EACH, "feat": ["orders", "spend", "visits"]}),
        ("titles", f"Export,,,\n,,,\nMay 2024,,,\n{head}", {**ONE_EACH, "key": "customer_id", "feat": ["spend"]}),
    ):
        yield Case(f"head_{name}.csv", f"{start}\n{body}".encode(), expect)
    for total in ("Totale complessivo", "Total général", "Summe gesamt", "Totaal generaal", "Total geral"):
        data = f"{head}\n{body}{total},400,8000.5,600\n".encode()
        yield Case(f"total_{total}.csv", data, {**ONE_EACH, "key": "customer_id"})
    book, rows = io.BytesIO(), [["Klant", None, "Aankopen", None], ["Nummer", "Bezoeken", "Aantal", "Bedrag"]]
    rows += [[int(key), int(n), int(v), float(s)] for key, v, s, n in customers().to_numpy()]
    with pd.ExcelWriter(book) as writer:
        pd.DataFrame({"Toelichting": ["Overzicht", "van klanten"]}).to_excel(writer, sheet_name="Leesmij", index=False)
        pd.DataFrame(rows).to_excel(writer, sheet_name="Klanten", index=False, header=False)
    yield Case("head_sheets.xlsx", book.getvalue(), {**ONE_EACH, "feat": ["Aankopen Aantal", "Aankopen Bedrag"]})


def of_answers() -> Iterator[Case]:
    """Make scales in words, ranges, several answers in a cell, boxes, codes and measures by month."""
    scales = (
        "Trifft überhaupt nicht zu|Trifft eher nicht zu|Teils/teils|Trifft eher zu|Trifft voll und ganz zu",
        "Très insatisfait|Plutôt insatisfait|Neutre|Plutôt satisfait|Très satisfait",
        "Nunca|Casi nunca|A veces|Casi siempre|Siempre",
        "Muito improvável|Improvável|Talvez|Provável|Muito provável",
        "Per niente|Poco|Abbastanza|Molto|Moltissimo",
        "Zeer oneens|Oneens|Neutraal|Eens|Zeer eens",
        "Terrible|Poor|Average|Good|Excellent",
        "1 (very bad)|2|3|4|5 (very good)",
    )
    for i, scale in enumerate(scales):
        words = np.array(scale.split("|"), object)[answers() - 1]
        words[7::12, 1] = ("Keine Angabe", "prefer not to say")[i % 2]
        frame = pd.DataFrame(words, columns=[f"q{j + 1}" for j in range(6)])
        yield Case(
            f"words_{i}.csv", text(frame, ";"), {**SURVEY, "feat": ["q1", "q2"], "top": ["q2", 5], "low": ["q1", 1]}
        )
    values = answers(8)
    values[6::10, 0] = 9
    frame = pd.DataFrame(values, columns=[f"q{j + 1}" for j in range(8)])
    yield Case("code_9.csv", text(frame), {**SURVEY, "feat": ["q1"], "top": ["q1", 5]})
    ages = customers().assign(age=_rng(3).integers(18, 80, N_CUSTOMERS))
    ages.loc[::9, "age"] = 999
    yield Case("code_alone.csv", text(ages), {**ONE_EACH, "top": ["age", 80]})
    for i, (name, levels, top) in enumerate(
        (
            ("Age group", "under 18|18-24|25-34|35-49|50+", 70),
            ("Income", "Less than $40K|$40K - $60K|$60K - $80K|$80K - $120K|$120K +|Unknown", 200_000),
            ("Alter", "unter 18|18 bis 29|30 bis 49|50 bis 64|65 und älter", 90),
            ("Tranche d'âge", "moins de 25 ans|25-34 ans|35-49 ans|50 ans et plus", 80),
            ("Employees", "1-9|10-49|50-249|250+", 400),
            ("Reddito", "fino a 1.000 €|1.000 - 2.000 €|2.000 - 3.000 €|oltre 3.000 €", 4_000),
        )
    ):
        column = np.resize(levels.split("|"), N_CUSTOMERS)
        expect = {**ONE_EACH, "types": {name: "number"}, "top": [name, top], "low": [name, 0.5]}
        yield Case(f"ranges_{i}.csv", text(customers().assign(**{name: column}), ";"), expect)
    options = np.array(["E-mail", "SMS", "Application", "Courrier"])
    chosen = _rng(4).random((N_CUSTOMERS, 4)) < 0.5
    for i, mark in enumerate(("; ", "|", ", ")):
        table = customers().assign(Canaux=[mark.join(options[row]) for row in chosen])
        expect = {**ONE_EACH, "made": ["Canaux", 4], "types": {"Canaux: SMS": "boolean"}, "no": ["Canaux"]}
        yield Case(f"choices_{i}.csv", text(table, "\t"), expect)
    towns = customers().assign(town=np.resize(["Köln, NRW", "Bonn, NRW", "Ulm, BW", "Kiel, SH"], N_CUSTOMERS))
    yield Case("choices_none.csv", text(towns), {**ONE_EACH, "made": ["town", 0], "types": {"town": "category"}})
    ticks = {f"Which? {name}": np.where(_rng(ord(name)).random(N_RESPONDENTS) < 0.5, name, "") for name in "ABCDEF"}
    yield Case("boxes.csv", text(pd.DataFrame(ticks)), {**SURVEY, "feat": ["Which? A"]})
    named = pd.DataFrame({f"Kennt {n}": np.resize(["genannt", "nicht genannt", "genannt"][: i % 2 + 2], N_RESPONDENTS)
                          for i, n in enumerate("ABCDEF")})  # fmt: skip
    yield Case("boxes_named.csv", text(named), {**SURVEY, "feat": ["Kennt A"]})
    months = {
        "revenue total": [f"revenue_2024_{m:02}" for m in range(1, 13)],
        "Umsatz total": [f"Umsatz {m} 2023" for m in ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun"]],
        "Months total": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    }
    for i, (total, names) in enumerate(months.items()):
        made = {name: _rng(j).poisson(1, N_CUSTOMERS) * 25 for j, name in enumerate(names)}
        table = pd.DataFrame({"customer_id": customers()["customer_id"], **made})
        feats = [total, total.replace("total", "trend"), total.replace("total", "months since last")]
        yield Case(f"months_{i}.csv", text(table), {**ONE_EACH, "feat": feats, "no": names[:1]})


def cases() -> list[Case]:
    """Make all cases."""
    makers = (what_a_row_is, of_names, of_columns, of_numbers_and_dates, of_headings, of_answers)
    return [case for make in makers for case in make()]
