"""Made-up sessions, subscriptions and panels in seven languages, and rows that are none of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from tests.cases.corpus import N_BUYERS, Case, orders, text

N = 120
SESSIONS = {
    "en": "Session ID|User ID|Started at|Duration (s)|Pageviews",
    "de": "Sitzungsnr|Kundennummer|Beginn|Verweildauer|Seitenaufrufe",
    "fr": "ID session|N° client|Début|Durée|Pages vues",
    "es": "ID sesión|ID cliente|Inicio|Duración|Páginas vistas",
    "pt": "ID da sessão|Código cliente|Início|Duração|Páginas",
    "it": "ID sessione|Codice cliente|Inizio|Durata|Pagine",
    "nl": "Sessienummer|Klantnummer|Start|Duur|Paginaweergaven",
}
SUBSCRIPTIONS = {
    "en": "subscription_id|customer_id|plan|start_date|end_date|monthly_price",
    "de": "Vertragsnr|Kundennummer|Tarif|Vertragsbeginn|Vertragsende|Monatspreis",
    "fr": "N° contrat|N° client|Formule|Date de début|Date de fin|Prix mensuel",
    "es": "Nº contrato|ID cliente|Plan|Fecha de inicio|Fecha de fin|Cuota mensual",
    "pt": "Nº contrato|Código cliente|Plano|Data de início|Data de fim|Mensalidade",
    "it": "N° contratto|Codice cliente|Piano|Data inizio|Data fine|Canone mensile",
    "nl": "Contractnummer|Klantnummer|Abonnement|Startdatum|Einddatum|Maandbedrag",
}
PANELS = {
    "en": "Account ID|Month|Balance|Revenue",
    "de": "Kontonummer|Monat|Kontostand|Umsatz",
    "fr": "N° client|Mois|Solde|Chiffre d'affaires",
    "es": "ID cliente|Mes|Saldo|Ventas",
    "pt": "Código cliente|Mês|Saldo|Faturamento",
    "it": "Codice cliente|Mese|Saldo|Fatturato",
    "nl": "Klantnummer|Maand|Saldo|Omzet",
}


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def sessions() -> pd.DataFrame:
    """Make one row for each of 120 sessions of forty visitors."""
    starts = [dt.datetime(2023, 3, 1, 8) + dt.timedelta(hours=7 * i) for i in range(N)]
    return pd.DataFrame(
        {
            "session": [f"s{i:05}" for i in range(N)],
            "customer": np.resize(11_000 + 7 * np.arange(40), N),
            "start": [start.isoformat(" ") for start in starts],
            "duration": _rng(5).integers(5, 900, N),
            "pages": _rng(6).integers(1, 20, N),
        }
    )


def subscriptions() -> pd.DataFrame:
    """Make one row for each of 120 contracts of sixty customers, a third of them with an end, some in the future."""
    starts = [dt.date(2021, 1, 4) + dt.timedelta(days=int(day)) for day in _rng(1).integers(0, 1000, N)]
    ends = [str(start + dt.timedelta(days=400 + 9 * i)) if i % 3 == 0 else "" for i, start in enumerate(starts)]
    return pd.DataFrame(
        {
            "contract": 40_001 + np.arange(N),
            "customer": np.resize(70_000 + 11 * np.arange(60), N),
            "plan": _rng(7).choice(["Basic", "Pro"], N),
            "start": [str(start) for start in starts],
            "end": ends,
            "price": _rng(8).choice([9.9, 29.0, 99.5], N),
        }
    )


def panel() -> pd.DataFrame:
    """Make one row for each of forty customers and six months."""
    rows = [(5_001 + 3 * a, f"2023-{m:02}", 1000.5 + 40 * a + 13 * m, 20 + 1.5 * a + 3 * (a * m % 7))
            for a in range(40) for m in range(1, 7)]  # fmt: skip
    return pd.DataFrame(rows, columns=["customer", "month", "balance", "revenue"])


def in_languages() -> Iterator[Case]:
    """Make the three kinds under names of seven languages."""
    for language, names in SESSIONS.items():
        named = names.split("|")
        expect = {"kind": "sessions", "n": 40, "customer": named[1], "date": named[2], "value": None}
        roles = {"roles": {named[3]: "ignore", named[4]: "ignore"}}
        yield Case(f"sessions_{language}.csv", text(sessions().set_axis(named, axis=1), ";"), expect | roles)
    for language, names in SUBSCRIPTIONS.items():
        named = names.split("|")
        expect = {"kind": "subscriptions", "n": 60, "customer": named[1], "date": named[3], "amount": named[5]}
        data = text(subscriptions().set_axis(named, axis=1), ";")
        yield Case(f"subscriptions_{language}.csv", data, {**expect, "n_rows": N, "value": "contract_value"})
    for language, names in PANELS.items():
        named = names.split("|")
        expect = {"kind": "panel", "n": 40, "customer": named[0], "date": named[1], "value": f"{named[3]} total"}
        yield Case(f"panel_{language}.csv", text(panel().set_axis(named, axis=1), ";"), {**expect, "amount": None})


def of_others() -> Iterator[Case]:
    """Make contracts without an end or a price of a period, quarters, and rows that look like these kinds."""
    no_end = subscriptions().drop(columns="end").rename(columns={"price": "price"})
    no_end["status"] = ["cancelled" if i % 4 == 0 else "active" for i in range(N)]
    names = {"contract": "contract_id", "customer": "customer_id", "start": "start_date"}
    expect = {"kind": "subscriptions", "n": 60, "n_rows": N, "value": None}
    yield Case("subscriptions_status.csv", text(no_end.rename(columns=names)), expect)
    whole = subscriptions().rename(columns={**names, "end": "end_date", "price": "price"})
    yield Case("subscriptions_price.csv", text(whole), {**expect, "amount": "price"})
    lines = whole.assign(contract_id=lambda f: f["contract_id"] // 3).rename(columns={"start_date": "billing_date"})
    lines = lines.drop(columns="end_date").rename(columns={"price": "amount"})
    yield Case("billing.csv", text(lines), {"kind": "transactions", "n": 60, "n_rows": N, "amount": "amount"})
    one_each = subscriptions().drop_duplicates("customer").rename(columns={**names, "end": "end_date"})
    one_each = one_each.drop(columns="contract_id").assign(visits=_rng(3).poisson(9, 60), calls=_rng(4).poisson(4, 60))
    yield Case("subscribers.csv", text(one_each), {"kind": "customers", "n": 60, "key": "customer_id"})
    quarters = panel().assign(month=lambda f: [f"2023-{3 * (int(m[-1]) - 1) % 12 + 1:02}-01" for m in f["month"]])
    quarters = quarters[quarters["month"] >= "2023-01"].drop_duplicates(["customer", "month"])
    quarters = quarters.rename(columns={"customer": "customer_id", "month": "quarter", "balance": "nps_score"})
    expect = {"kind": "panel", "n": 40, "date": "quarter", "value": "revenue total"}
    yield Case("panel_quarters.csv", text(quarters), expect)
    yield Case("panel_gaps.csv", text(quarters[np.arange(len(quarters)) % 7 != 3]), {**expect, "n": 40})
    monthly = orders().assign(order_date=lambda f: f["order_date"].dt.strftime("%Y-%m-01")).drop(columns="order_no")
    yield Case("orders_by_month.csv", text(monthly), {"kind": "transactions", "n": N_BUYERS, "amount": "amount"})
    lessons = sessions().rename(columns={"session": "session_id", "customer": "customer_id", "start": "date"})
    lessons = lessons.drop(columns=["pages", "duration"]).assign(price=_rng(9).choice([40.0, 55.5, 70.0], N))
    yield Case("lessons.csv", text(lessons), {"kind": "transactions", "n": 40, "amount": "price"})
    shop = sessions().assign(revenue=np.where(np.arange(N) % 6 == 0, 49.9, 0.0))
    shop = shop.rename(columns={"session": "session_id", "customer": "visitor_id", "start": "started_at"})
    yield Case("sessions_revenue.csv", text(shop), {"kind": "sessions", "n": 40, "value": None})
    for who in ("visitor", "Besucher", "visiteur", "visitante", "visitatore", "bezoeker"):
        # The word alone names whom letters and a number stand for.
        coded = sessions().assign(customer=lambda f: "u" + f["customer"].astype("str"))
        coded = coded.rename(columns={"customer": who, "session": "session_id", "start": "started_at"})
        yield Case(f"sessions_of_{who}.csv", text(coded), {"kind": "sessions", "n": 40, "customer": who})


def cases() -> list[Case]:
    """Make all cases."""
    return [*in_languages(), *of_others()]
