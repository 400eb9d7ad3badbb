"""Files that other tools import: their headers, and contact data hashed as advertising platforms ask for it.

Headers and rules are those of the importers' help pages: Klaviyo (lists by CSV), Mailchimp (format guidelines), HubSpot
(import file setup), Meta (customer list custom audience) and Google Ads (Customer Match, hashed upload).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.base.errors import InputError, listed

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "emailadresse", "mailadresse"),
    "phone": ("phone", "phonenumber", "telephone", "mobile", "mobilephone", "tel", "telefon"),
    "first_name": ("firstname", "givenname", "vorname", "prenom"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "nom"),
    "city": ("city", "town", "ort", "ville"),
    "state": ("state", "region", "province"),
    "zip": ("zip", "zipcode", "postcode", "postalcode", "plz"),
    "country": ("country", "countrycode", "land", "pays"),
}
"""Names of columns with contact data, in small letters without signs."""
PLUS = re.compile(r"^(\+|00)")


@dataclass(frozen=True, slots=True)
class Importer:
    """What one tool imports.

    Attributes
    ----------
    headers : dict of str to str
        Header of each kind of contact data.
    clean : dict of str to callable
        How a value is normalised before it is hashed; other values stand as they are.
    plain : tuple of str
        Kinds that are normalised and not hashed.
    segment : str
        Header of the segment's name; empty where the tool takes contact data alone.
    """

    headers: Mapping[str, str]
    clean: Mapping[str, Callable[[str], str]]
    plain: tuple[str, ...] = ()
    segment: str = ""


def sha256(text: str) -> str:
    """Return the SHA-256 digest of a text in small hexadecimal letters; nothing for nothing.

    >>> sha256("abc")[:16], sha256("")
    ('ba7816bf8f01cfea', '')
    """
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def normalise_email(text: str) -> str:
    """Return an address without spaces, in small letters; nothing where it is no address.

    >>> normalise_email(" Ada@Example.ORG "), normalise_email("none")
    ('ada@example.org', '')
    """
    folded = "".join(text.split()).lower()
    return folded if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", folded) else ""


def normalise_e164(text: str) -> str:
    """Return a telephone number as E.164 writes it; nothing where it has no country code.

    >>> normalise_e164("+44 (0)844 412-4653"), normalise_e164("0049 30 123456"), normalise_e164("030 123456")
    ('+448444124653', '+4930123456', '')
    """
    stripped = text.strip()
    if not PLUS.match(stripped):
        return ""
    digits = re.sub(r"\D", "", PLUS.sub("", stripped.replace("(0)", "")))
    return f"+{digits}" if 7 <= len(digits) <= 15 else ""


def normalise_digits(text: str) -> str:
    """Return a telephone number as digits with the country code first; nothing where it begins with a national zero.

    >>> normalise_digits("1-234-567-8910"), normalise_digits("+49 30 123456"), normalise_digits("030 123456")
    ('12345678910', '4930123456', '')
    """
    if found := normalise_e164(text):
        return found[1:]
    digits = re.sub(r"\D", "", text)
    return digits if 10 < len(digits) <= 15 and not digits.startswith("0") else ""


def normalise_name(text: str) -> str:
    """Return a name in small letters without punctuation.

    >>> normalise_name(" O'Neil-Smith "), normalise_name("Émilie")
    ('oneilsmith', 'émilie')
    """
    return "".join(c for c in text.strip().lower() if c.isalpha() or c == " ").strip()


def normalise_place(text: str) -> str:
    """Return a place in small letters without spaces and punctuation.

    >>> normalise_place("New York"), normalise_place("SW1A 1AA")
    ('newyork', 'sw1a1aa')
    """
    return "".join(c for c in text.lower() if c.isalnum())


def normalise_country(text: str) -> str:
    """Return a country code of two small letters; nothing for a name.

    >>> normalise_country("DE"), normalise_country("Germany")
    ('de', '')
    """
    return text.strip().lower() if re.fullmatch(r"\s*[A-Za-z]{2}\s*", text) else ""


IMPORTERS: Mapping[str, Importer] = {
    "klaviyo": Importer(
        {
            "email": "Email", "phone": "Phone Number", "first_name": "First Name", "last_name": "Last Name",
            "city": "City", "state": "State / Region", "zip": "Zip Code", "country": "Country",
        }, {}, segment="Segment",
    ),
    "mailchimp": Importer(
        {"email": "Email Address", "first_name": "First Name", "last_name": "Last Name", "phone": "Phone Number"},
        {}, segment="Tags",
    ),
    "hubspot": Importer(
        {
            "email": "Email", "first_name": "First name", "last_name": "Last name", "phone": "Phone number",
            "city": "City", "state": "State/Region", "zip": "Postal code", "country": "Country/Region",
        }, {}, segment="Segment",
    ),
    "meta": Importer(
        {
            "email": "email", "phone": "phone", "first_name": "fn", "last_name": "ln", "city": "ct", "state": "st",
            "zip": "zip", "country": "country",
        },
        {
            "email": normalise_email, "phone": normalise_digits, "first_name": normalise_name,
            "last_name": normalise_name, "city": normalise_place, "state": normalise_place, "zip": normalise_place,
            "country": normalise_country,
        },
    ),
    "google": Importer(
        {
            "email": "Email", "phone": "Phone", "first_name": "First Name", "last_name": "Last Name",
            "country": "Country", "zip": "Zip",
        },
        {
            "email": normalise_email, "phone": normalise_e164,
            "first_name": lambda text: " ".join(text.lower().split()),
            "last_name": lambda text: " ".join(text.lower().split()),
            "country": lambda text: normalise_country(text).upper(), "zip": str.strip,
        },
        plain=("country", "zip"),
    ),
}  # fmt: skip
"""Tools by the name that ``--for`` takes."""


def find_contacts(columns: Iterable[str]) -> dict[str, str]:
    """Return the column of each kind of contact data, by its name.

    >>> find_contacts(["ID", "E-Mail", "Phone number"])
    {'email': 'E-Mail', 'phone': 'Phone number'}
    """
    folded = {re.sub(r"[^a-z]", "", str(column).lower()): str(column) for column in columns}
    found = {kind: next((folded[name] for name in names if name in folded), "") for kind, names in SYNONYMS.items()}
    return {kind: column for kind, column in found.items() if column}


def check_importer(name: str) -> Importer:
    """Return what a tool imports.

    Raises
    ------
    InputError
        For a tool that is not known.
    """
    if name not in IMPORTERS:
        raise InputError(f"--for {name}: unknown importer.", f"Available: {listed(IMPORTERS)}.")
    return IMPORTERS[name]


def arrange(table: pd.DataFrame, contacts: Mapping[str, str], importer: Importer) -> tuple[pd.DataFrame, int]:
    """Write contact data as a tool imports it.

    Parameters
    ----------
    table : DataFrame
        With ``segment_name`` and the contact columns.
    contacts : dict of str to str
        Column of each kind of contact data.
    importer : Importer

    Returns
    -------
    DataFrame
        With the tool's headers; nothing else about the customers.
    int
        Customers who were left out because neither e-mail address nor telephone number can be used.
    """
    columns: dict[str, pd.Series] = {}
    reached = pd.Series(False, index=table.index)
    for kind, header in importer.headers.items():
        if kind not in contacts:
            continue
        values = write_texts(table[contacts[kind]])
        clean = importer.clean.get(kind, normalise_email if kind == "email" else str.strip)
        values = values.map(clean)
        if kind in ("email", "phone"):
            reached |= values != ""
        hashed = kind in importer.clean and kind not in importer.plain
        columns[header] = values.map(sha256) if hashed else values
    if importer.segment:
        columns[importer.segment] = table["segment_name"].astype("str")
    return pd.DataFrame(columns)[reached].reset_index(drop=True), int((~reached).sum())


def write_texts(values: pd.Series) -> pd.Series:
    """Return values as text: whole numbers without decimals, nothing where there is none."""
    if pd.api.types.is_float_dtype(values.dtype):
        texts = values.map(_write_number, na_action="ignore")
        return texts.astype("object").where(values.notna(), "").astype("str")
    return values.astype("object").where(values.notna(), "").map(str).astype("str")


def _write_number(x: float) -> str:
    return str(int(x)) if x == int(x) else str(x)
