"""Made-up files of forms that were once read wrongly or asked about, beside those of the other modules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.cases.corpus import N_BUYERS, N_CUSTOMERS, N_ORDERS, Case, customers, orders, text

ROWS = {"kind": "transactions", "n": N_BUYERS}
ONE_EACH = {"kind": "customers", "n": N_CUSTOMERS}
MONTHS_IT = "gennaio febbraio marzo aprile maggio giugno luglio agosto".split()  # noqa: SIM905
MONTHS_NL = "januari februari maart april mei juni juli augustus".split()  # noqa: SIM905


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def what_a_row_is() -> Iterator[Case]:
    """Make insurance contracts, subscriptions, sessions and months of members."""
    frame = orders()
    days = list(frame["order_date"])
    prices = _rng(1).choice([118.5, 240.0, 99.9], N_ORDERS)
    policies = {
        "Policennummer": 7_000_000 + np.arange(N_ORDERS),
        "Versicherungsnehmer-Nr.": frame["customer_id"],
        "Sparte": np.resize(["Kfz", "Haus", "Leben"], N_ORDERS),
        "Beginn": [f"{day:%d.%m.%Y}" for day in days],
        "Ablauf": [f"{day + dt.timedelta(days=365 * (1 + i % 5)):%d.%m.%Y}" for i, day in enumerate(days)],
        "Jahresbeitrag": [f"{price:.2f}".replace(".", ",") for price in prices],
    }
    expect = {"kind": "subscriptions", "n": N_BUYERS, "n_rows": N_ORDERS}
    named = {"customer": "Versicherungsnehmer-Nr.", "date": "Beginn", "amount": "Jahresbeitrag"}
    yield Case("policies.csv", text(pd.DataFrame(policies), ";"), expect | named)
    plans = {
        "cliente": frame["customer_id"],
        "fecha de alta": [f"{day:%d/%m/%Y}" for day in days],
        "fecha de baja": [
            f"{day + dt.timedelta(days=200 + i):%d/%m/%Y}" if i % 3 == 0 else "" for i, day in enumerate(days)
        ],
        "suscripción": np.resize(["básica", "premium"], N_ORDERS),
        "importe mensual": prices,
    }
    named = {"customer": "cliente", "date": "fecha de alta", "amount": "importe mensual"}
    yield Case("suscripciones.csv", text(pd.DataFrame(plans), ";"), expect | named)
    visits = {
        "id_seance": [f"z{i:05}" for i in range(N_ORDERS)],
        "id_visiteur": frame["customer_id"],
        "horodatage": days,
        "nb_pages": _rng(2).integers(1, 20, N_ORDERS),
        "temps passé (s)": _rng(3).integers(3, 800, N_ORDERS),
    }
    named = {"kind": "sessions", "n": N_BUYERS, "customer": "id_visiteur", "word": "visitors"}
    yield Case("seances.csv", text(pd.DataFrame(visits), ";"), named)
    rows = [(700 + i, f"{m:02}.2023", 900.25 - 3 * i + 20 * m, (i + m) % 9, 12 + 1.1 * i + m * i % 5)
            for i in range(36) for m in range(1, 10)]  # fmt: skip
    members = pd.DataFrame(rows, columns=["Mitgliedsnr", "Monat", "Guthaben", "Kurse", "Ausgaben"])
    expect = {"kind": "panel", "n": 36, "customer": "Mitgliedsnr", "date": "Monat", "first": "2023-01-01"}
    yield Case("mitglieder.csv", text(members, ";"), {**expect, "value": "Ausgaben total", "word": "members"})
    claims = frame.rename(columns={"order_date": "claim_date", "amount": "claim_amount"})
    claims = claims.assign(order_no=lambda f: f["customer_id"] + 80_000).rename(columns={"order_no": "policy_number"})
    yield Case("claims.csv", text(claims), {**ROWS, "customer": "customer_id", "amount": "claim_amount"})


def of_columns() -> Iterator[Case]:
    """Make numbers with a rate or a bound, moments in words, footers below empty rows, and roles of compounds."""
    truth = customers()
    least, most = float(truth["spend"].min()), float(truth["spend"].max())
    forms: dict[str, Callable[[int, float], str]] = {
        "rate_sv": lambda _, v: f"{v:.2f} kr/mån".replace(".", ","),
        "rate_fr": lambda _, v: f"{v:.2f} €/an",
        "at_least": lambda i, v: f"≥{v:.0f}" if i % 11 == 3 else f"{v:.0f}",
        "more_than": lambda i, v: f"größer als {v:.0f}" if i % 9 == 1 else f"{v:.0f}",
        "sign_us": lambda _, v: f"{v:,.2f} $US".replace(",", " "),
    }
    expect: dict[str, Any] = {**ONE_EACH, "feat": ["spend"], "low": ["spend", least - 1], "top": ["spend", most + 1]}
    for name, write in forms.items():
        frame = truth.assign(spend=[write(i, v) for i, v in enumerate(truth["spend"])])
        yield Case(f"found_{name}.csv", text(frame, ";"), expect)
    two = truth.assign(spend=[f"{v:.2f} €/{'an' if i % 2 else 'mois'}" for i, v in enumerate(truth["spend"])])
    yield Case("found_two_rates.csv", text(two, ";"), {**ONE_EACH, "no": ["spend"]})
    dates: dict[str, tuple[str, Callable[[dt.datetime], str]]] = {
        "ore": ("data ordine", lambda d: f"{d.day} {MONTHS_IT[d.month - 1]} {d.year}, ore {d:%H:%M}"),
        "om": ("besteld op", lambda d: f"{d.day} {MONTHS_NL[d.month - 1]} {d.year} om {d:%H.%M} uur"),
        "full_stop": ("Kaufdatum", lambda d: f"{d:%Y.%m.%d.}"),
        "arabic": ("date", lambda d: f"{d:%d/%m/%Y}".translate({ord(str(i)): chr(0x660 + i) for i in range(10)})),
    }
    for name, (column, write_date) in dates.items():
        frame = orders()
        frame["order_date"] = [write_date(day) for day in frame["order_date"]]
        data = text(frame.rename(columns={"order_date": column}), ";")
        yield Case(f"found_{name}.csv", data, {**ROWS, "date": column, "first": "2023-01-0"})
    footer = text(truth, ";").decode() + ";;;\n;;;\nExport gemaakt op 3 mei 2024 door jan\n"
    yield Case("found_footer.csv", footer.encode(), {**ONE_EACH, "key": "customer_id", "feat": ["spend"]})
    keys = truth.rename(columns={"customer_id": "ext_customer_ref"})
    yield Case("found_reference.csv", text(keys), {**ONE_EACH, "key": "ext_customer_ref", "value": "spend"})
    worth = truth.rename(columns={"spend": "Warenwert gesamt"}).assign(Einzelpreis=truth["spend"] * 1.3)
    yield Case("found_worth.csv", text(worth), {**ONE_EACH, "value": "Warenwert gesamt"})
    bands = ["bis 1.500 €", "1.500 bis 3.000 €", "3.000 bis 5.000 €", "über 5.000 €", "keine Angabe"]
    people = truth.assign(
        Haushaltseinkommen=np.resize(bands, N_CUSTOMERS), kans_op_aankoop_score=_rng(4).random(N_CUSTOMERS).round(4)
    )
    expect = {**ONE_EACH, "no": ["Haushaltseinkommen", "kans_op_aankoop_score"], "top": ["Haushaltseinkommen", 8_000]}
    yield Case("found_people.csv", text(people, ";"), expect)


def cases() -> list[Case]:
    """Make all cases."""
    return [*what_a_row_is(), *of_columns()]
