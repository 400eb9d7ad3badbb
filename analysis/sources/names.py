"""What the names of columns say, in English, German, French, Spanish, Portuguese, Italian and Dutch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache


def split_words(name: str) -> list[str]:
    """Split a column name into words at spaces, underscores, dots, hyphens and changes of case.

    Examples
    --------
    >>> split_words("NumWebVisitsMonth"), split_words("dt_customer"), split_words("CustomerID")
    (['Num', 'Web', 'Visits', 'Month'], ['dt', 'customer'], ['Customer', 'ID'])
    """
    spaced = re.sub(r"[\s_.\-/]+", " ", name)
    return re.findall(r"[A-Z]+(?![^\W\d_A-Z])\d*|[A-Z]?[^\WA-Z_]+|[^\s]", spaced)


@lru_cache(maxsize=20_000)
def words_of(name: str) -> frozenset[str]:
    """Return the words of a name without case and accents, also without digits at the end, and all joined.

    >>> sorted(words_of("N° client")), sorted(words_of("Número2"))
    (['client', 'n', 'nclient', '°'], ['numero', 'numero2'])
    """
    words = [plain(word) for word in split_words(name)]
    joined = re.sub(r"\W", "", "".join(words))
    return frozenset({*words, *(word.rstrip("0123456789") for word in words), joined} - {""})


def has_word(words: Iterable[str], known: frozenset[str], ends: tuple[str, ...]) -> bool:
    """Return whether one of the words is known, or is a compound with one of these ends.

    >>> has_word({"vertragsbeginn"}, frozenset({"start"}), ("beginn",)), has_word({"name"}, frozenset({"start"}), ())
    (True, False)
    """
    return any(word in known or word.endswith(ends) for word in words)


def plain(word: str) -> str:
    """Return a word without case and accents.

    >>> plain("Número"), plain("Größe")
    ('numero', 'grosse')
    """
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def vocabulary(*lines: str) -> frozenset[str]:
    """Return the words of the lines."""
    return frozenset(" ".join(lines).split())


_LAST = vocabulary(
    "id ids key uuid guid nr no number identifier nummer num numero codigo codice matricule kennung",
    "kundennummer kundennr kundenid kundenkennung debitor debitornr kreditor kunnr belnr vbeln matnr",
    "recnum clientnum",
    "custid custno acctno kdnr kundnr msisdn matricola tesserano buyerref kontonr rowid recordid",
    "respid responseid idnr idnum klantnummer klantnr klantid",
)
_ENDS = ("nummer", "kennung", "konto", "nr")
_ENTITY = (
    "customer|client|user|account|order|session|visitor|member|invoice|product|transaction|person|cust|respondent"
    "|cliente|kunde|kunden|klant|konto|mitglied|bestell|auftrag|beleg|rechnung|artikel|commande|facture|membre|usuario"
    "|utente|gebruiker|pedido|ordine|factura|fattura|fatura|compte|cuenta|conta|record|case|subscriber|patient|loan"
    "|booking|agent|ticket|receipt|policy|contract|household|abonne|abonnent|abbonato|adherent|debiteur"
    "|buyer|guest|donor|player|student|shopper|visitor|contact|company|tenant|device|employee|store|lead|kto|acct|cli|clt"
    "|socio|associado|assinante|suscriptor|paciente|paziente|donante|doador|donatore|donateur|donneur|spender"
    "|teilnehmer|haushalt|foyer|lid|abonnee|deelnemer|tessera|tarjeta|cartao|kaart|karte|carte|rut|policen|vertrags"
)
_ALONE = vocabulary(
    "customer client visitor respondent cust cliente kunde klant konto debitor agent kundin debiteur abonne abonnent",
    "abbonato adherent socio associado assinante suscriptor paciente paziente donante doador donatore donateur spender",
    "subscriber donor borrower household member mitglied membre usuario utente gebruiker utilisateur acheteur abonnee",
    "comprador acquirente kaufer tessera patient user passenger player student guest rider shopper participant",
    "buyer account uid userid kto acct compte cuenta conta ospite gast guest hote huesped hospede kundenkarte nutzer",
    "klantenkaart passeggero inscrit donneur adherente iscritto benutzer socia",
    "codicefiscale dni nif nie cpf cnpj bsn curp policyholder versicherungsnehmer schuler alumno eleve aluno alunno",
)
_FIRST = vocabulary("n no nr num numero nummer id ref reference referenz referencia riferimento")
_CODES = vocabulary("codigo code codice cod ref reference referenz referencia riferimento")


def is_a_person(name: str) -> bool:
    """Return whether a name is no more than a noun for a customer, which may also head a column of a few groups.

    >>> is_a_person("Student"), is_a_person("Student ID")
    (True, False)
    """
    return "".join(plain(word) for word in split_words(name) if word.isalnum()) in _ALONE


def is_identifier(name: str) -> bool:
    """Return whether the name of a column suggests an identifier.

    Examples
    --------
    >>> is_identifier("customer_id"), is_identifier("CustomerID"), is_identifier("paid")
    (True, True, False)
    >>> is_identifier("Kundennummer"), is_identifier("N° client"), is_identifier("Cliente"), is_identifier("num orders")
    (True, True, True, False)
    """
    words = [plain(word) for word in split_words(name)]
    words = [
        word for word in words if word.isalnum() and word not in ("de", "del", "du", "di", "do", "da", "van", "la")
    ]
    if not words:
        return False
    joined = "".join(words)
    numbered = re.search("[°º#]", name) is not None or len(words) > 1
    return (
        words[-1] in _LAST
        or words[0] in {"id", "uuid", "guid"}
        or words[-1].endswith(_ENDS)
        or joined in _ALONE | _LAST
        or re.fullmatch(rf"({_ENTITY})(id|no|nr|num|key|number|code|nummer)", joined) is not None
        or re.fullmatch(rf"(id|cod|codigo|codice|code)({_ENTITY})", joined) is not None
        or (numbered and words[0] in _FIRST and re.fullmatch(rf"({_ENTITY})", "".join(words[1:])) is not None)
        or (words[0] in _CODES and re.fullmatch(rf"({_ENTITY})", "".join(words[1:])) is not None)
        or (words[-1] in _CODES and re.fullmatch(rf"({_ENTITY})", "".join(words[:-1])) is not None)
        or (words[-1] in _CODES and len(words) > 2 and re.fullmatch(rf"({_ENTITY})", words[-2]) is not None)
    )


_DATE = vocabulary(
    "date dates datetime timestamp dt day epoch datum zeitpunkt zeitstempel fecha data jour tag dia giorno dag dato",
    "month monat mois mes mese maand period periode periodo yearmonth yyyymm created updated modified seen ordered",
    "week woche kw semaine semana settimana quarter quartal trimestre kwartaal jour moment momento",
    "signup registered joined birthday birthdate dob when purchased bought invoiced shipped budat bldat",
)
_CLOCK = vocabulary("time ts at ms zeit heure hora ora tijd us epoch unix microseconds milliseconds")
_DATE_ENDS = ("datum", "date", "fecha", "zeitpunkt", "datetime", "timestamp", "monat", "woche", "quartal")
_VERSION = vocabulary("version versions ver release build ip firmware app")


def names_a_date(name: str, clock: bool = False) -> bool:
    """Return whether a name says that the column holds dates, or with ``clock`` moments.

    >>> names_a_date("order_date"), names_a_date("Bestelldatum"), names_a_date("amount"), names_a_date("event_ts", True)
    (True, True, False, True)
    """
    words = words_of(name)
    return has_word(words, _DATE, _DATE_ENDS) or bool(clock and words & _CLOCK)


def names_a_version(name: str) -> bool:
    """Return whether a name says that the column holds versions of software or addresses of machines."""
    return bool(words_of(name) & _VERSION)


OUTCOME = vocabulary(
    "response responded churn churned exited left attrition accepted accept converted conversion complain",
    "complained complaint subscribed purchased bought target label revenue default defaulted clicked",
    "cancelled canceled renewed outcome attrited kuendigung kundigung gekundigt churner resilie",
    "resiliation baja abandono abgewandert abwanderung reagiert gekauft beantwortet verlangert parti renouvele",
    "cancelou abbandono opgezegd geantwortet abandonne desabonne cancelado cancelada abandonado respondio compro",
    "evadido desistiu respondeu comprou abbandonato disdetta disdetto risposto acquistato vertrokken gereageerd",
    "verlengd fuga abandonou saiu uscito",
)
"""Words of columns that tell how something ended: whether someone answered, stayed or bought."""
