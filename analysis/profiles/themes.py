"""What a variable is about: its theme, its meaning, and for outcomes whether more of it is good.

Settings come first (``variables`` in ``_quarto.yml``). What they leave open is inferred from the name, label, unit and
role of the variable with the dictionary in this module, the only place with such words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.features.build import NOT_KNOWN, Variable
from analysis.settings.models import Better, Meaning, Study, Theme, VariableWords
from analysis.sources.names import split_words

TITLES: Mapping[Theme, str] = {
    "buying": "How much they buy",
    "rhythm": "How often and when",
    "products": "What they buy",
    "channels": "Where they buy",
    "price": "Price and promotions",
    "contact": "Contact and response",
    "people": "Who they are",
    "opinions": "What they think",
    "other": "Other differences",
}
"""Themes in the order of the pages."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A meaning with its theme, the words that reveal it, and for outcomes the good direction."""

    meaning: Meaning
    theme: Theme
    words: frozenset[str]
    better: Better = "neither"


def _entry(meaning: Meaning, theme: Theme, better: Better, *words: str) -> _Entry:
    return _Entry(meaning, theme, frozenset(" ".join(words).split()), better)


# English, German, French, Spanish, Italian, Dutch and Portuguese; the first entry with a word in the name wins.
DICTIONARY = (
    _entry(
        "churn",
        "contact",
        "less",
        "churn churned exited attrition cancelled canceled cancel cancellation unsubscribe unsubscribed gekündigt",
        "kündigung résilié résiliation baja cancelado disdetta opgezegd",
    ),
    _entry("default", "contact", "less", "default defaulted delinquent arrears overdue zahlungsausfall impayé moroso"),
    _entry(
        "complaint",
        "contact",
        "less",
        "complain complained complaint complaints beschwerde beschwerden reklamation réclamation plainte queja",
        "reclamo klacht reclamação",
    ),
    _entry(
        "response",
        "contact",
        "more",
        "response responded accepted accept converted converts conversion subscribed clicked cmp campaign renewed",
        "antwort reaktion réponse respuesta risposta",
    ),
    _entry(
        "discount",
        "price",
        "neither",
        "discount discounts deal deals coupon coupons promo promotion promotions voucher rebate rabatt rabatte",
        "gutschein remise réduction descuento sconto korting desconto",
    ),
    _entry(
        "refunds", "price", "less", "refund refunds return returned returns retoure retouren retour devolución reso"
    ),
    _entry(
        "support",
        "contact",
        "neither",
        "ticket tickets support call calls helpdesk hotline contacts service anruf anrufe appels llamadas",
    ),
    _entry(
        "satisfaction",
        "opinions",
        "more",
        "satisfaction satisfied nps csat rating like liking recommend zufriedenheit satisfacción soddisfazione",
        "tevredenheid satisfação",
    ),
    _entry(
        "visits",
        "contact",
        "neither",
        "visit visits session sessions login logins besuch besuche sitzungen visites visitas visite bezoeken",
    ),
    _entry("pages", "contact", "neither", "pages"),
    _entry("recency", "rhythm", "neither", "recency"),
    _entry(
        "tenure",
        "rhythm",
        "neither",
        "tenure enrolment enrollment membership seniority betriebszugehörigkeit ancienneté antigüedad",
    ),
    _entry(
        "income",
        "people",
        "neither",
        "income salary wage einkommen gehalt revenu salaire ingreso salario reddito inkomen renda",
    ),
    _entry("age", "people", "neither", "age alter âge edad età leeftijd idade"),
    _entry(
        "children",
        "people",
        "neither",
        "children child kids kid teen teens dependents kinder enfants hijos figli kinderen filhos",
    ),
    _entry("partner", "people", "neither", "partner married spouse verheiratet marié casado sposato gehuwd"),
    _entry(
        "company_size",
        "people",
        "neither",
        "employees headcount staff mitarbeiter effectif empleados dipendenti werknemers",
    ),
    _entry(
        "balance",
        "buying",
        "neither",
        "balance savings deposit deposits saldo guthaben épargne ahorro risparmio spaargeld",
    ),
    _entry(
        "debt",
        "buying",
        "neither",
        "loan debt credit mortgage invoices kredit darlehen schulden prêt dette deuda prestito lening",
    ),
    _entry("newsletter", "contact", "neither", "newsletter optin consent paperless"),
    _entry(
        "breadth",
        "products",
        "neither",
        "products categories assortment produkte produits productos prodotti producten produtos",
    ),
    _entry(
        "usage",
        "rhythm",
        "neither",
        "hours minutes usage streams devices payments nutzung stunden heures horas ore uren",
    ),
    _entry(
        "frequency",
        "buying",
        "neither",
        "orders purchases frequency transactions bookings bestellungen käufe commandes achats pedidos compras",
        "ordini acquisti bestellingen",
    ),
    _entry(
        "spend",
        "buying",
        "neither",
        "spend spent spending revenue sales turnover amount monetary fee fees charges umsatz ausgaben dépenses",
        "gasto ventas spesa omzet vendas",
    ),
)
"""Words of column names and labels by meaning."""
_THEMES: Mapping[Meaning, Theme] = {entry.meaning: entry.theme for entry in DICTIONARY}
_BOUGHT = frozenset(
    [
        "purchase",
        "purchased",
        "bought",
        "order",
        "ordered",
        "buy",
        "revenue",
        "achat",
        "compra",
        "acquisto",
        "kauf",
        "bestellung",
    ]
)
_VISIT = frozenset(["visit", "session", "revenue", "besuch", "sitzung", "visite", "visita", "bezoek"])
"""Words of an outcome that tells whether a visit ended in an order."""
COMPUTED: Mapping[str, tuple[Meaning, Theme]] = {
    "recency_days": ("recency", "rhythm"),
    "frequency": ("frequency", "buying"),
    "spend": ("spend", "buying"),
    "order_value": ("basket", "buying"),
    "tenure_days": ("tenure", "rhythm"),
    "active_months": ("active_months", "rhythm"),
    "gap_days": ("gap", "rhythm"),
    "gap_sd_days": ("regularity", "rhythm"),
    "trend": ("trend", "rhythm"),
    "refund_value": ("refunds", "price"),
    "refund_share": ("refunds", "price"),
    "items": ("items", "buying"),
    "clv": ("expected_spend", "buying"),
    "alive": ("alive", "rhythm"),
    "days_since_visit": ("last_visit", "contact"),
    "sessions": ("visits", "contact"),
    "active_days": ("visits", "contact"),
    "events": ("visits", "contact"),
    "pages_per_session": ("pages", "contact"),
    "conversion": ("conversion", "contact"),
    "session_length": ("other", "contact"),
    "contracts": ("other", "buying"),
    "active_contracts": ("other", "buying"),
    "ended_share": ("other", "rhythm"),
    "recurring_amount": ("spend", "buying"),
    "contract_value": ("spend", "buying"),
    "plan": ("other", "products"),
}
"""Features that the tool computes from rows of customers, by name."""
CHANNEL_WORDS: Mapping[str, frozenset[str]] = {
    key: frozenset(words.split())
    for key, words in {
        "app": "app mobile",
        "catalogue": "catalogue catalog katalog mail post",
        "email": "email",
        "website": "web website online internet site",
        "phone": "phone telephone telefon",
        "branch": "branch branches filiale filialen",
        "store": "store stores shop laden geschäft boutique magasin tienda negozio winkel loja outlet kiosk",
        "marketplace": "marketplace",
        "partner": "partner reseller",
    }.items()
}
"""Words of each channel, in the languages of the dictionary."""
CHANNELS = frozenset().union(*CHANNEL_WORDS.values())
"""Words of a share's part that make it a channel; any other part is a product group."""
_PART = re.compile(
    r"^share of (?P<whole>.+?) (?P<link>on|in|by|through|via|for|from|with|at) (?P<part>.+)$", re.IGNORECASE
)
_PART_PLAIN = re.compile(r"^share of (?P<whole>\w+) (?P<part>.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trait:
    """A variable with what it is about.

    Attributes
    ----------
    variable : Variable
    theme, meaning : str
    better : {"more", "less", "neither"}
        Good direction of an outcome.
    part, link, whole : str
        Of a share: what it is for ("wine"), the word before it ("on") and what it is a share of ("spend").
    more, less, typical : str
        Phrases of the settings that continue "They ..."; empty where there is none.
    """

    variable: Variable
    theme: Theme
    meaning: Meaning
    better: Better
    part: str
    link: str
    whole: str
    more: str
    less: str
    typical: str

    @property
    def name(self) -> str:
        """Name of the variable."""
        return self.variable.name

    @property
    def label(self) -> str:
        """Label of the variable."""
        return self.variable.label


@dataclass(frozen=True, slots=True)
class ThemeGroup:
    """Variables of one theme, by name."""

    theme: Theme
    title: str
    variables: tuple[str, ...]


def group_by_theme(traits: Iterable[Trait], shown: Iterable[str]) -> tuple[ThemeGroup, ...]:
    """Group the variables that are shown by theme, in the order of the themes."""
    names = set(shown)
    groups: dict[Theme, list[str]] = {theme: [] for theme in TITLES}
    for trait in traits:
        if trait.name in names:
            groups[trait.theme].append(trait.name)
    return tuple(ThemeGroup(theme, TITLES[theme], tuple(found)) for theme, found in groups.items() if found)


def read_traits(variables: Iterable[Variable], study: Study) -> tuple[Trait, ...]:
    """Tell what each variable is about, in the order of the themes and then of the variables.

    Parameters
    ----------
    variables : iterable of Variable
        Those that record only whether another value is known are left out.
    study : Study
        Uses ``variables``, ``value`` and the survey items of the sources.
    """
    items = {name for source in study.sources for name in source.battery}
    items |= {name for source in study.sources if source.kind == "survey" for name in source.roles.feature}
    found = [
        _read(variable, study.variables.get(variable.name, VariableWords()), variable.name in items, study.value)
        for variable in variables
        if not variable.name.endswith(NOT_KNOWN)
    ]
    order = list(TITLES)
    return tuple(sorted(found, key=lambda trait: order.index(trait.theme)))


def _read(variable: Variable, words: VariableWords, is_item: bool, value: str | None) -> Trait:
    meaning, theme, better = _infer(variable, is_item, value)
    part, link, whole = "", "", ""
    if meaning == "part":
        match = _PART.match(variable.label) or _PART_PLAIN.match(variable.label)
        if match:
            groups = match.groupdict()
            part, link, whole = groups["part"], groups.get("link") or "", groups["whole"]
        theme = "channels" if CHANNELS & _split(words.part or part) else "products"
    if variable.role != "outcome" and better != "neither" and meaning not in {"satisfaction", "complaint"}:
        better = "neither"
    if variable.role == "outcome" and better == "neither":
        better = "more"
    chosen = words.meaning or meaning
    if words.meaning and not words.theme:
        theme = _THEMES.get(chosen, theme)
    return Trait(
        variable=variable,
        theme=words.theme or theme,
        meaning=chosen,
        better=words.better or better,
        part=words.part or part,
        link=link,
        whole=whole,
        more=words.more,
        less=words.less,
        typical=words.typical,
    )


def _infer(variable: Variable, is_item: bool, value: str | None) -> tuple[Meaning, Theme, Better]:
    """Infer meaning, theme and good direction from name, label, unit and role."""
    if variable.name in COMPUTED:
        return (*COMPUTED[variable.name], "neither")
    if is_item:
        return "opinion", "opinions", "neither"
    if variable.name == value:
        return "spend", "buying", "neither"
    words = _split(variable.name) | _split(variable.label)
    if (found := _infer_by_unit(variable, words)) is not None:
        return found
    for entry in DICTIONARY:
        if entry.words & words and _fits(entry.meaning, variable):
            return entry.meaning, entry.theme, entry.better
    if variable.unit == "money":
        return "other", "buying", "neither"
    if words & {"page", "pages", "web", "site", "app", "visitor"}:
        return "other", "contact", "neither"
    return "other", "people" if variable.role == "descriptor" else "other", "neither"


def _infer_by_unit(variable: Variable, words: set[str]) -> tuple[Meaning, Theme, Better] | None:
    """Infer what unit and words tell together; None where they tell nothing."""
    if variable.unit == "share" and "discount" not in words and "deal" not in words and _is_part(variable):
        return "part", "products", "neither"
    if variable.unit == "money" and {"order", "basket", "average"} <= words | {"basket"} and "order" in words:
        return "basket", "buying", "neither"
    if variable.unit == "days" and words & {"last", "since"} and words & {"purchase", "order", "bought", "buy"}:
        return "recency", "rhythm", "neither"
    if variable.unit in {"days", "years"} and words & {"enrolment", "enrollment", "joined", "first"}:
        return "tenure", "rhythm", "neither"
    if variable.role == "outcome" and variable.unit == "yes_no" and words & _BOUGHT and words & _VISIT:
        return "conversion", "contact", "more"
    return None


def _is_part(variable: Variable) -> bool:
    return bool(_PART.match(variable.label) or _PART_PLAIN.match(variable.label))


def _fits(meaning: str, variable: Variable) -> bool:
    """Check a meaning against the unit: a category is no amount, and a yes/no answer is no count."""
    yes_no = variable.unit == "yes_no" or variable.categorical
    if meaning in {"churn", "default", "complaint", "response", "newsletter", "partner"}:
        return yes_no or meaning == "complaint"
    if variable.categorical:
        return meaning in {"satisfaction"} and bool(variable.order)
    if variable.unit == "yes_no":
        return meaning in {"children", "debt"}
    if meaning in {"visits", "pages", "frequency", "breadth", "children", "support"}:
        return variable.unit in {"count", "number"}
    return not (meaning == "discount" and variable.unit == "money")


def _split(text: str) -> set[str]:
    words = [word.casefold() for word in split_words(text)]
    return {*words, *(word.rstrip("0123456789") for word in words)} - {""}
