"""Inferred kind, roles, units and labels of an unknown table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from analysis.base.formats import number, percentage
from analysis.sources.columns import Column, ColumnType
from analysis.sources.names import OUTCOME, is_identifier, plain, split_words, vocabulary, words_of
from analysis.sources.tables import RawTable

Kind = Literal["customers", "transactions", "survey", "events"]
InferredRole = Literal["key", "feature", "descriptor", "outcome", "ignore", "date", "amount", "customer"]
InferredUnit = Literal["money", "count", "share", "days", "years", "yes_no", "number", "category", ""]


_CUSTOMER = vocabulary(
    "customer client user visitor member account household buyer person respondent",
    "customers cust custid cliente clienti clientes kunde kunden kundin kundennummer kundennr kundenid",
    "debitor kunnr klant",
    "klantnummer shopper subscriber patient guest donor borrower passenger usuario utente gebruiker membre mitglied",
    "kaufer comprador acheteur clientnum contact abonnent abonne socio lid",
)
_CUSTOMER_STARTS = ("kunden", "klant", "customer", "debitor")
_BUYER = vocabulary(
    "customer customers client cliente clienti clientes kunde kunden kundin kundennummer kundennr",
    "kundenid debitor kunnr",
    "klant klantnummer cust custid clientnum shopper buyer kaufer comprador acheteur",
)
_STAFF = vocabulary(
    "agent staff seller vendor employee cashier rep salesrep salesperson manager operator owner admin",
    "verkaufer vendeur",
    "vendedor venditore verkoper mitarbeiter employe empleado funcionario dipendente medewerker advisor driver",
)
_NAMES_OF_CUSTOMERS = vocabulary("name email mail e address id hash code key no nr number full nom nombre nome naam")
_ORDER = vocabulary(
    "order invoice receipt booking transaction ticket bestellung bestellnummer bestellnr auftrag",
    "auftragsnummer beleg",
    "belegnummer belnr rechnung rechnungsnummer facture commande pedido factura fatura ordine fattura bestelling",
    "bestelnummer reservation reserva prenotazione purchase sale payment charge checkout session cart",
)
_PRIVATE = vocabulary(
    "email mail phone telephone tel mobile fax address street iban ip ssn url firstname lastname fullname",
    "surname forename name comment comments note notes remark remarks feedback message description",
    "passport vorname nachname telefon telefonnummer handy adresse strasse nom prenom telefono direccion correo",
    "apellido apellidos sobrenome endereco telefone indirizzo cognome voornaam achternaam adres telefoon bemerkung",
    "kommentar commentaire comentario commento opmerking",
)
_NUMBERED_PRIVATE = vocabulary(
    "phone telephone tel mobile fax iban ssn telefon telefonnummer handy telefono telefone telefoon",
)
PROTECTED = vocabulary(
    "age birth born birthday birthdate dob gender sex marital married partner spouse family kid kids kidhome",
    "teen teens teenhome child children dependents dependants ethnicity religion language nationality race",
    "seniorcitizen senior citizen",
    "alter geburtsdatum geburtsjahr geschlecht familienstand kinder religionszugehorigkeit",
    "staatsangehorigkeit sprache",
    "sexe enfants naissance nationalite edad sexo genero nacimiento hijos nacionalidad idade nascimento filhos",
    "nacionalidade eta sesso nascita figli nazionalita leeftijd geslacht geboortedatum kinderen nationaliteit",
)
"""Words of columns that tell age, sex, family, origin or belief: the fairness of segments is checked on them."""
_DEMOGRAPHIC = PROTECTED | vocabulary(
    "education income salary region country city state province district zip postcode postal zipcode",
    "occupation job profession household location area latitude longitude lat lon lng pincode plz postleitzahl",
    "einkommen gehalt land stadt ort bundesland beruf bildung revenu salaire pays ville departement metier",
    "ingresos salario pais ciudad provincia ocupacion educacion renda cidade estado profissao escolaridade",
    "reddito stipendio paese citta regione professione inkomen salaris stad regio beroep opleiding",
)
_COORDINATES = vocabulary("latitude longitude lat lon lng")
_POSTAL = vocabulary("pincode pin zip zipcode postcode postal plz postleitzahl cap cep codepostal codigopostal")
_CODED = vocabulary(
    "browser type code system systems region zone channel device platform class category group branch",
    "store zip postcode zipcode postal traffic os",
)
_MONEY = vocabulary(
    "amount mnt price spend spent spending revenue sales income salary cost balance payment paid dollar",
    "dollars usd eur euro gbp fee fees turnover monetary profit budget charges charge expenditure wage",
    "credit debit loan tax vat discount shipping freight subtotal",
    "betrag umsatz preis ausgaben kosten gebuhr einkommen gehalt steuer montant prix depense depenses ttc ht revenu",
    "importe precio gasto gastos ventas ingresos monto valor preco despesa receita renda faturamento",
    "importo prezzo spesa",
    "ricavi fatturato reddito bedrag prijs omzet uitgaven besteding inkomen wrbtr dmbtr netwr",
    "gesamtbetrag rechnungsbetrag",
    "nettobetrag bruttobetrag bestellwert warenwert einkaufswert gesamtumsatz jahresumsatz stuckpreis einzelpreis",
)
_MONEY_ENDS = ("betrag", "umsatz", "preis", "ausgaben", "bedrag", "omzet")
_NO_MONEY = vocabulary("score rating points punkte index level rank grade stars limit")
_AMOUNT = _MONEY | vocabulary(
    "value total sum wert summe gesamt totale totaal valore",
)
_WHOLE_AMOUNT = vocabulary(
    "total grand gross revenue sales turnover umsatz gesamtbetrag gesamtsumme gesamtumsatz gesamt brutto",
    "bruttobetrag ttc",
    "ventas receita faturamento ricavi fatturato omzet totale totaal totalprice ordertotal",
    "rechnungsbetrag bestellwert",
)
_PART_AMOUNT = vocabulary("subtotal price preis prix precio preco prezzo prijs net netto ht netwr income")
_OTHER_AMOUNT = vocabulary(
    "shipping freight tax vat mwst tva iva btw discount rabatt remise descuento desconto sconto korting",
    "cost costs kosten",
    "cout costo custo profit margin fee fees tip unit stuckpreis einzelpreis balance limit rate score",
    "rating cogs versand",
    "steuer porto gewinn versandkosten livraison frete envio spedizione verzending credit debit loan salary handling",
    "unitprice average avg",
)
_QUANTITY = vocabulary("quantity qty menge anzahl quantite cantidad quantidade quantita aantal units items")
_VALUE = vocabulary(
    "spend spent spending revenue sales turnover monetary clv ltv mnt expenditure amount purchase purchases total",
    "umsatz ausgaben gesamtumsatz jahresumsatz depense depenses montant ca ventas gasto gastos monto",
    "importe receita despesa",
    "faturamento gastos ricavi fatturato spesa omzet uitgaven besteding gesamtbetrag charges payments",
)
_NO_VALUE = vocabulary(
    "limit price unit score balance loan tax salary income credit debit cost profit discount fee fees",
    "rate rating budget",
    "preis prix precio preco prezzo prijs steuer kredit einkommen wage shipping",
)
_COUNT = vocabulary(
    "num n nr count counts number quantity qty visits purchases orders clicks sessions items units kids",
    "children kidhome teenhome pages frequency times calls",
    "anzahl anz menge bestellungen besuche kaufe nombre nb quantite commandes visites achats cantidad",
    "compras pedidos",
    "visitas quantidade quantita ordini acquisti visite aantal bestellingen bezoeken aankopen belege",
)
_SHARE = vocabulary(
    "rate rates share ratio pct percent percentage proportion anteil quote taux part porcentaje tasa taxa",
    "tasso aandeel",
)
_EVENT = vocabulary(
    "event action page url click path activity screen referrer",
)
_MODEL = vocabulary(
    "cluster clusters segment segmentation rfm predicted prediction propensity probability decile",
    "quintile bayes logit",
    "classifier proba pred",
)
_WEIGHT = vocabulary("weight weights wt wgt gewicht gewichtung poids ponderation ponderacion peso weging weegfactor")
_SUBSTANCE = vocabulary("kg lb lbs gram grams body product parcel package height")
_RECENT = vocabulary("order purchase invoice transaction booking sale event visit bestell achat commande compra pedido")
_DATE_STARTS = (
    "bestell",
    "kauf",
    "rechnung",
    "auftrag",
    "bestel",
    "aankoop",
    "buch",
    "commande",
    "compra",
    "pedido",
    "acquist",
)
_NOT_WHEN = vocabulary(
    "birth born dob birthday birthdate signup sign registered registration joined join modified updated",
    "update last change",
    "changed shipped ship delivery delivered due expiry expires expiration end until warranty valid",
    "geburtsdatum anmeldung",
    "registrierung lieferdatum anderung inscription livraison naissance registro alta nacimiento entrega cadastro",
    "iscrizione nascita consegna inschrijving geboortedatum levering since member created",
)


_PEOPLE = {
    "members": vocabulary("member memberid mitglied mitgliedsnummer membre"),
    "accounts": vocabulary("account accountid konto kontonummer compte"),
    "respondents": vocabulary("respondent respondentid responseid respid"),
    "patients": vocabulary("patient patientid"),
    "borrowers": vocabulary("loan loanid borrower borrowerid"),
    "subscribers": vocabulary("subscriber subscriberid abonnent abonne"),
    "users": vocabulary("user userid utente gebruiker usuario"),
    "visitors": vocabulary("visitor visitorid"),
    "guests": vocabulary("guest guestid"),
    "donors": vocabulary("donor donorid"),
    "households": vocabulary("household householdid"),
    "invoices": vocabulary("invoice invoiceid invoiceno rechnung rechnungsnummer facture factura fattura fatura"),
    "receipts": vocabulary("receipt receiptid beleg belegnummer bon"),
    "bookings": vocabulary("booking bookingid reservation reserva prenotazione"),
    "orders": vocabulary("order orderid bestellnummer bestellung auftragsnummer commande pedido ordine bestelnummer"),
}
"""Plural nouns for rows and customers, by the words of the column that names them."""
_UNIT_AT_END = re.compile(
    r"\s*[(\[](?:[kKmM]?\s?(?:[$€£¥₹]|EUR|USD|GBP|CHF)|%|kg|g|km|min|h|s|days|years|Tage|Jahre)[)\]]\s*$"
)


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """What a column of an unknown table is taken for.

    Attributes
    ----------
    name, label : str
        As in the source, and in words.
    type : str
        As read.
    role : str
        key, customer, date and amount say what a row is about; the others are the roles of the settings.
    unit : str
        One of the units of the settings; empty for keys, dates and text.
    why : str
        One plain sentence.
    """

    name: str
    label: str
    type: ColumnType
    role: InferredRole
    unit: InferredUnit
    why: str


@dataclass(frozen=True, slots=True)
class InferredKind:
    """What a row of an unknown table is, and why."""

    kind: Kind
    why: str


def label_of(name: str) -> str:
    """Turn a column name into words for the page.

    Examples
    --------
    >>> label_of("MntWines"), label_of("visit_frequency"), label_of("CustomerID"), label_of("INCOME")
    ('Mnt wines', 'Visit frequency', 'Customer ID', 'Income')
    >>> label_of("Umsatz (€)"), label_of("chiffre d'affaires"), label_of("Spending Score (1-100)")
    ('Umsatz', "Chiffre d'affaires", 'Spending Score (1-100)')
    """
    if re.search(r"[^\w\s.\-/]", name):
        # As the file has it, without a unit in brackets at the end.
        text = re.sub(r"[\s_]+", " ", _UNIT_AT_END.sub("", name)).strip() or name
        return text[:1].upper() + text[1:]
    words = split_words(name) or [name]
    shouted = name.isupper() and len(name) > 3
    words = [word if word.isupper() and len(word) > 1 and not shouted else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def infer_kind(table: RawTable) -> InferredKind:
    """Decide what a row of the table is.

    Transactions and events repeat an identifier beside a date; a survey asks at least five questions on one
    scale; anything else has one row for each customer.
    """
    customer = _customer(table)
    dates = _dates(table)
    if customer and dates:
        numbers = [column.name for column in table.columns if column.type == "number"]
        n_each = table.n_rows / customer.n_distinct
        reason = f"'{customer.name}' repeats ({number(n_each, 1)} rows each) beside the date '{dates[0]}'"
        amount = _amount(table)
        events = [column.name for column in table.columns if _EVENT & _words(column.name)]
        named = amount is not None and _is_amount(amount)
        if events and not named:
            return InferredKind("events", f"{reason}, and '{events[0]}' says what happened.")
        if amount is not None:
            return InferredKind("transactions", f"{reason} and the amount '{amount}'.")
        if not numbers:
            return InferredKind("events", f"{reason}, without an amount.")
    battery = _battery(table)
    others = sum(column.type != "key" for column in table.columns)
    if len(battery) >= 5 and 2 * len(battery) >= others:
        return InferredKind("survey", f"{len(battery)} of {others} columns are answers on one scale.")
    return InferredKind("customers", "No identifier repeats beside a date: one row for each customer.")


def infer_roles(table: RawTable) -> tuple[InferredColumn, ...]:
    """Infer role, unit and label of every column from its name and values.

    Parameters
    ----------
    table : RawTable

    Returns
    -------
    tuple of InferredColumn
        In the order of the table. Where no column names the row, none is the ``key``: row numbers serve.
    """
    kind = infer_kind(table).kind
    rows_of_a_customer = kind in ("transactions", "events")
    taken: dict[str, tuple[InferredRole, str]] = {}
    if rows_of_a_customer:
        taken = _row_roles(table)
    elif key := _key(table):
        taken[key.name] = ("key", "the key: a different value in every row")
    battery = set(_battery(table)) if kind == "survey" else set()
    roles = []
    for column in table.columns:
        role, why = taken.get(column.name) or _role(table, column, battery, kind)
        unit = _unit(table, column, role)
        roles.append(InferredColumn(column.name, label_of(column.name), column.type, role, unit, why))
    return tuple(_promote(roles) if kind == "customers" else roles)


def _promote(columns: list[InferredColumn]) -> list[InferredColumn]:
    """Let numbers about the person form segments where fewer than three columns tell what they do."""
    if sum(column.role == "feature" for column in columns) >= 3:
        return columns
    why = "describes the person, and forms segments since fewer than three columns tell what they do"

    def promoted(column: InferredColumn) -> bool:
        words = words_of(column.name)
        kept = PROTECTED | _COORDINATES | _POSTAL
        return (
            column.role == "descriptor"
            and column.type == "number"
            and column.unit in ("money", "number")
            and bool(words & _DEMOGRAPHIC)
            and not words & kept
        )

    return [replace(column, role="feature", why=why) if promoted(column) else column for column in columns]


def _words(name: str) -> frozenset[str]:
    return words_of(name)


def row_candidates(table: RawTable) -> dict[str, list[str]]:
    """Return the columns of transactions or events that may be the customer, the date and the amount."""
    return {
        "customer": [column.name for column in _customers(table)],
        "date": [column.name for column in table.columns if column.type == "date"],
        "amount": _amounts(table),
    }


def infer_people(table: RawTable) -> str:
    """Return the plural noun for what a row, or the customer of several rows, is; "customers" where nothing says so.

    Examples
    --------
    Members by a column ``member_id``, invoices where only ``Invoice ID`` names the row, respondents of a survey.
    """
    columns = infer_roles(table)
    name = next((column.name for column in columns if column.role in ("customer", "key")), "")
    words = words_of(name)
    named = next((noun for noun, singular in _PEOPLE.items() if words & singular), None)
    if named is None and any(names_customer(column.name) and is_identifier(column.name) for column in columns):
        return "customers"
    return named or ("respondents" if infer_kind(table).kind == "survey" else "customers")


def key_candidates(table: RawTable) -> list[str]:
    """Return the columns that may be the key, only those with the strongest evidence."""
    return [column.name for column in _keys(table)]


def _customer(table: RawTable) -> Column | None:
    """The column whose values repeat because a customer has several rows."""
    return next(iter(_customers(table)), None)


def _customers(table: RawTable) -> list[Column]:
    repeated = [column for column in table.columns if _repeats(table, column)]
    ranked = sorted(
        (column for column in repeated if _customer_rank(table, column)),
        key=lambda column: _customer_rank(table, column),
        reverse=True,
    )
    named = [column for column in ranked if _customer_rank(table, column) == _customer_rank(table, ranked[0])]
    if len(named) > 1 and all(_STAFF & _words(column.name) for column in named):
        named = []
    sole = [column for column in table.columns if column.type == "key" and column.n_distinct == table.n_rows]
    wide = [
        column
        for column in repeated
        if column.n_distinct > 0.01 * table.n_rows and not _names_staff(column.name) and _is_code(column)
    ]
    return named or ([] if sole else wide)


def _is_code(column: Column) -> bool:
    return column.type == "key" or (column.type in ("text", "category", "number") and is_identifier(column.name))


def _repeats(table: RawTable, column: Column) -> bool:
    """Return whether a column may hold a customer who has several rows."""
    n = table.n_rows - column.n_missing
    if not 1 < column.n_distinct < n:
        return False
    if column.n_distinct >= 0.95 * n:
        rows_named = any(
            other.n_distinct == table.n_rows and is_identifier(other.name) and _ORDER & _words(other.name)
            for other in table.columns
            if other.name != column.name
        )
        if not rows_named or not _dates(table) or not _customer_rank(table, column):
            return False
    return _is_code(column) or _customer_rank(table, column) > 0


def _names_staff(name: str) -> bool:
    return bool(_STAFF & _words(name))


def names_customer(name: str) -> bool:
    """Return whether a name says that the column is about a customer."""
    words = _words(name)
    return bool(_CUSTOMER & words) or any(word.startswith(_CUSTOMER_STARTS) for word in words)


def _customer_rank(table: RawTable, column: Column) -> int:
    """Rank a column by how surely it names the customer; 0 if it does not."""
    words = _words(column.name)
    if words & _STAFF or column.type in ("date", "boolean"):
        return 0
    buyer = bool(words & _BUYER) or any(word.startswith(_CUSTOMER_STARTS) for word in words)
    if _is_code(column):
        return 6 if buyer else 5 if words & _CUSTOMER else 0
    if column.type not in ("text", "category"):
        return 0
    if _holds_addresses(table, column):
        return 4
    rest = {word for word in map(plain, split_words(column.name)) if word.isalpha()} - _CUSTOMER - _NAMES_OF_CUSTOMERS
    if buyer and not rest and column.n_distinct > max(20, 0.05 * table.n_rows):
        return 3
    return 0


def _dates(table: RawTable) -> list[str]:
    """List the columns of dates, the one that says when it happened first."""
    dates = [column for column in table.columns if column.type == "date"]
    if len(dates) < 2:
        return [column.name for column in dates]

    def rank(column: Column) -> tuple[bool, int]:
        words = _words(column.name)
        happened = bool(words & _RECENT) or any(word.startswith(_DATE_STARTS) for word in words)
        return column.n_distinct < 2, -int(happened) + 2 * int(bool(words & _NOT_WHEN))

    return [column.name for column in sorted(dates, key=rank)]


def _amount(table: RawTable) -> str | None:
    """The amount of a row: by its name, else the last column with a fraction, else the last number."""
    return next(iter(_amounts(table)), None)


def _amounts(table: RawTable) -> list[str]:
    numbers = [
        column.name
        for column in table.columns
        if column.type == "number"
        and column.n_distinct > 2
        and not (is_identifier(column.name) and not _is_amount(column.name))
    ]
    named = sorted((name for name in numbers if _is_amount(name)), key=_amount_rank)
    best = [name for name in named if _amount_rank(name) == _amount_rank(named[0])]
    broken = [name for name in numbers if table.frame[name].dtype == np.float64 and not _is_whole(table.frame[name])]
    return best or broken[::-1] or numbers[::-1]


def _is_amount(name: str) -> bool:
    words = _words(name)
    return bool(_AMOUNT & words or any(word.endswith(_MONEY_ENDS) for word in words)) and not words & _NO_MONEY


def _amount_rank(name: str) -> int:
    """Rank the name of an amount: totals first, then amounts, prices, and last what is only a part."""
    words = _words(name)
    if words & _OTHER_AMOUNT:
        return 4
    if words & _PART_AMOUNT and not words & {"total"}:
        return 3
    return 1 if words & _WHOLE_AMOUNT else 2


def _is_whole(values: Any) -> bool:
    numbers = values.dropna().to_numpy(np.float64)
    return bool((numbers == np.floor(numbers)).all())


def _row_roles(table: RawTable) -> dict[str, tuple[InferredRole, str]]:
    """Roles of the columns that say whose row it is, when, and how much."""
    customer = _customer(table)
    if customer is None:
        return {}
    taken: dict[str, tuple[InferredRole, str]] = {
        customer.name: ("customer", "whose row it is: the value repeats from row to row")
    }
    dates = _dates_of(table, customer)
    taken |= dict.fromkeys(dates[:1], ("date", "when it happened"))
    taken |= dict.fromkeys(dates[1:], ("ignore", "another date than the one when it happened"))
    amount = _amount(table)
    if amount is not None:
        named = _is_amount(amount)
        taken[amount] = (
            "amount",
            "the amount, by its name" if named else "the amount: the last column with a fraction",
        )
    codes: Any = table.frame[customer.name]
    for column in table.columns:
        if column.name in taken or column.type != "key":
            continue
        if (
            column.n_distinct == customer.n_distinct == len(table.frame[[customer.name, column.name]].drop_duplicates())
            and not codes.isna().any()
        ):
            taken[column.name] = ("ignore", f"names the same customers as '{customer.name}'")
        elif column.n_distinct == table.n_rows:
            taken[column.name] = ("key", "names the row: a different value in each")
        else:
            taken[column.name] = ("ignore", "an identifier other than the customer's")
    return taken


def _dates_of(table: RawTable, customer: Column) -> list[str]:
    """List the columns of dates; those that are the same in all rows of a customer come last."""
    dates = _dates(table)
    if len(dates) < 2:
        return dates
    rows = table.frame[[customer.name, *dates]].dropna(subset=[customer.name])
    varied = rows.groupby(customer.name)[dates].nunique().max() > 1
    return sorted(dates, key=lambda name: not varied[name])


def _key(table: RawTable) -> Column | None:
    """The column that names the row: unique, complete, and named like one or first of its kind."""
    return next(iter(_keys(table)), None)


def _keys(table: RawTable) -> list[Column]:
    unique = [c for c in table.columns if c.n_distinct == table.n_rows and not c.n_missing]
    nearly = [
        c
        for c in table.columns
        if c not in unique and c.type == "key" and names_customer(c.name) and _is_nearly_unique(table, c)
    ]
    by_name = [c for c in unique if is_identifier(c.name) and not _is_row_number(table, c)]
    mine = [c for c in by_name if names_customer(c.name)]
    other = [
        c
        for c in unique
        if c.type == "key"
        or (c.type in ("text", "category") and not _PRIVATE & _words(c.name) and _longest(table, c) <= 40)
        or (c.type == "number" and _is_running(table.frame[c.name]))
    ]
    return mine or nearly or by_name or other


def _is_nearly_unique(table: RawTable, column: Column) -> bool:
    """Return whether at most one in fifty rows has no value, or that of another row."""
    return column.n_distinct >= 0.98 * table.n_rows and column.n_distinct >= table.n_rows - max(1, table.n_rows // 50)


def _longest(table: RawTable, column: Column) -> int:
    return int(table.frame[column.name].str.len().max())


def _is_running(values: Any) -> bool:
    return values.dtype == np.int64 and values.is_unique and int(values.max()) - int(values.min()) == len(values) - 1


def _is_row_number(table: RawTable, column: Column) -> bool:
    """Return whether a column only numbers the rows: it has no name, or one such as row, and counts from 0 or 1."""
    if column.type not in ("number", "key") or not _is_running(table.frame[column.name]):
        return False
    first = int(table.frame[column.name].min())
    unnamed = re.fullmatch(
        r"Unnamed: \d+|column_\d+|row|index|rownum|row_?id|rank|#|\.\.\.1|X|lfd.*", column.name, re.I
    )
    return first in (0, 1) and unnamed is not None


def _battery(table: RawTable) -> list[str]:
    """Columns that are answers on one scale: yes or no, or the same few whole numbers."""
    answers = [column.name for column in table.columns if column.type == "boolean"]
    scales: dict[tuple[int, int], list[str]] = {}
    for column in table.columns:
        values: Any = table.frame[column.name]
        if column.type != "number" or not 2 <= column.n_distinct <= 11 or not _is_whole(values):
            continue
        lowest, highest = int(values.min()), int(values.max())
        if 0 <= lowest <= 1 and highest <= 10:
            scales.setdefault((0 if highest == 1 else 1, highest), []).append(column.name)
    return max([answers, *scales.values()], key=len)


def _role(table: RawTable, column: Column, battery: set[str], kind: Kind) -> tuple[InferredRole, str]:
    words = _words(column.name)
    binary = column.n_distinct == 2 and column.type in ("boolean", "number", "category")
    rules: tuple[tuple[bool, InferredRole, str], ...] = (
        (column.n_distinct == 0, "ignore", "no values"),
        (column.n_distinct == 1, "ignore", "constant: the same value in every row tells nobody apart"),
        (column.n_missing > 0.6 * table.n_rows, "ignore", f"more than {percentage(0.6)} missing"),
        (
            column.type not in ("number", "boolean", "date") and bool(words & _PRIVATE),
            "ignore",
            "private by its name",
        ),
        (_holds_addresses(table, column), "ignore", "private: e-mail addresses"),
        (
            bool(words & _NUMBERED_PRIVATE),
            "ignore",
            "private by its name",
        ),
        (column.type == "key", "ignore", "an identifier, not a trait"),
        (_is_row_number(table, column), "ignore", "the number of the row"),
        (_is_long_number(table, column), "ignore", "numbers of ten digits or more: an identifier, not a trait"),
        (_is_weight(table, column, words), "ignore", "a weight of the row, not a trait"),
        (bool(words & _MODEL) and column.type == "number", "ignore", "the result of another model, by its name"),
        (column.type == "text", "ignore", f"free text: {number(column.n_distinct)} different values"),
        (column.type == "date", "date", "a date: it dates the row and does not form segments itself"),
        (column.name in battery, "feature", "one of several answers on the same scale"),
        (binary and bool(words & OUTCOME), "outcome", "a result with two answers, by its name"),
        (
            bool(words & _DEMOGRAPHIC),
            "descriptor",
            "describes the person rather than what they do, by its name",
        ),
        (kind == "survey", "descriptor", "beside the questions on one scale: it describes who answered"),
        (bool(words & _POSTAL) and column.n_distinct > 50, "ignore", "a code with many values"),
        (_looks_like_codes(table, column, words), "ignore", "a different code in nearly every row"),
        (_is_coded(column, words), "descriptor", "numbers that are codes: their order means nothing"),
        (column.type in ("category", "boolean"), "descriptor", f"{number(column.n_distinct)} groups"),
    )
    for fits, role, why in rules:
        if fits:
            return role, why
    return "feature", "a number about what the customer does"


def _is_long_number(table: RawTable, column: Column) -> bool:
    values: Any = table.frame[column.name]
    return column.type == "number" and _is_whole(values) and bool((values.dropna() >= 10**9).mean() > 0.9)


def _is_weight(table: RawTable, column: Column, words: frozenset[str]) -> bool:
    values: Any = table.frame[column.name]
    return (
        column.type == "number"
        and bool(words & _WEIGHT)
        and not words & _SUBSTANCE
        and bool(values.min() >= 0)
        and bool(values.max() < 50)
        and not _is_whole(values)
    )


def _looks_like_codes(table: RawTable, column: Column, words: frozenset[str]) -> bool:
    """Return whether whole numbers of the same length, five digits or more, differ in nearly all rows."""
    values: Any = table.frame[column.name]
    if column.type != "number" or table.n_rows < 50 or column.n_missing > 0.1 * table.n_rows:
        return False
    if column.n_distinct < 0.98 * (table.n_rows - column.n_missing) or words & (_MONEY | _COUNT | _AMOUNT):
        return False
    present = values.dropna()
    if not _is_whole(present) or present.min() < 10_000:
        return False
    return len(str(int(present.min()))) == len(str(int(present.max())))


def _holds_addresses(table: RawTable, column: Column) -> bool:
    if column.type not in ("text", "category", "key") or table.frame[column.name].dtype == np.int64:
        return False
    head = table.frame[column.name].dropna().head(200).astype("str")
    return bool(len(head)) and bool(head.str.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+").mean() > 0.5)


def _is_coded(column: Column, words: frozenset[str]) -> bool:
    return (
        column.type == "number" and column.n_distinct <= 50 and bool(words & _CODED) and not words & (_COUNT | _MONEY)
    )


def _is_money(words: frozenset[str]) -> bool:
    money = bool(words & _MONEY) or any(word.endswith(_MONEY_ENDS) for word in words)
    return (money or words <= {"total", "gesamt", "totale", "totaal"}) and not words & (_NO_MONEY - {"limit"})


def names_value(name: str) -> bool:
    """Return whether a name says what a customer is worth: spending or revenue, no limit, price, score or loan."""
    words = words_of(name)
    worth = bool(words & _VALUE) or any(word.endswith(("umsatz", "omzet", "ausgaben")) for word in words)
    return worth and not words & (_NO_VALUE | _NO_MONEY)


def _unit(table: RawTable, column: Column, role: InferredRole) -> InferredUnit:
    words = _words(column.name)
    if column.type in ("key", "date", "text") or role in ("key", "customer"):
        return ""
    if column.type == "category":
        return "category"
    values: Any = table.frame[column.name]
    if column.type == "boolean" or (column.n_distinct <= 2 and set(values.dropna().unique()) <= {0, 1}):
        return "yes_no"
    whole = _is_whole(values)
    rules: tuple[tuple[bool, InferredUnit], ...] = (
        (_is_coded(column, words), "category"),
        (bool(words & _SHARE) and bool(values.between(0, 1)[values.notna()].all()), "share"),
        (whole and bool(words & _COUNT), "count"),
        (role == "amount" or _is_money(words), "money"),
        (bool(words & {"days", "recency", "tage", "jours", "dias", "giorni", "dagen"}), "days"),
        (bool(words & {"age", "years", "alter", "edad", "idade", "leeftijd"}), "years"),
    )
    for fits, unit in rules:
        if fits:
            return unit
    return "number"
