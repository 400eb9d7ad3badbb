"""English phrases about a variable: what customers with more or less of it do, and how its figures read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analysis.base.formats import PLURALS, Formats, in_sentence, is_plural, number, rounded
from analysis.profiles.mixes import BARE, MixPart
from analysis.profiles.themes import Trait
from analysis.settings.models import Study

FRACTIONS = (
    (0.1, "one in ten"),
    (0.2, "one in five"),
    (0.25, "one in four"),
    (0.3, "three in ten"),
    (1 / 3, "one in three"),
    (0.4, "two in five"),
    (0.5, "about half"),
    (0.6, "three in five"),
    (2 / 3, "two in three"),
    (0.7, "seven in ten"),
    (0.75, "three in four"),
    (0.8, "four in five"),
    (0.9, "nine in ten"),
)
"""Shares in words; the nearest one is used."""
NEARLY_ALL, HARDLY_ANY = 0.945, 0.055
"""Shares beyond which a share reads "nearly all" or "hardly any". Thresholds chosen for this project."""
_MORE_LESS: Mapping[str, tuple[str, str, str, str]] = {
    # meaning: more, less, most of all segments, least of all segments
    "spend": ("spend more", "spend less", "spend the most", "spend the least"),
    "expected_spend": (
        "are expected to spend more next year",
        "are expected to spend less next year",
        "are expected to spend the most next year",
        "are expected to spend the least next year",
    ),
    "basket": ("spend more per order", "spend less per order", "spend the most per order", "spend the least per order"),
    "frequency": ("order more often", "order less often", "order most often", "order least often"),
    "items": ("buy more items", "buy fewer items", "buy the most items", "buy the fewest items"),
    "breadth": ("use more products", "use fewer products", "use the most products", "use the fewest products"),
    "recency": ("have not ordered for longer", "ordered more recently", "have not ordered for the longest time",
                "ordered most recently"),
    "gap": ("wait longer between orders", "wait less between orders", "wait longest between orders",
            "wait least between orders"),
    "regularity": ("order at less regular intervals", "order at more regular intervals", "", ""),
    "tenure": ("have been customers for longer", "have been customers for less time", "have been customers longest",
               "have been customers for the shortest time"),
    "trend": ("have spent more of their money recently", "have spent less of their money recently", "", ""),
    "active_months": ("buy in more months", "buy in fewer months", "", ""),
    "alive": ("are more likely to buy again", "are less likely to buy again", "", ""),
    "refunds": ("return more of what they buy", "return less of what they buy", "", ""),
    "discount": ("use discounts more often", "use discounts less often", "use discounts most often",
                 "use discounts least often"),
    "last_visit": ("have not visited for longer", "visited more recently", "", ""),
    "pages": ("look at more pages", "look at fewer pages", "look at the most pages", "look at the fewest pages"),
    "conversion": ("buy on more of their visits", "buy on fewer of their visits", "", ""),
    "income": ("have a higher income", "have a lower income", "have the highest income", "have the lowest income"),
    "age": ("are older", "are younger", "are the oldest", "are the youngest"),
    "company_size": ("have more employees", "have fewer employees", "have the most employees",
                     "have the fewest employees"),
    "balance": ("have a larger “{label}”", "have a smaller “{label}”", "have the largest “{label}”",
                "have the smallest “{label}”"),
    "debt": ("have a larger “{label}”", "have a smaller “{label}”", "have the largest “{label}”",
             "have the smallest “{label}”"),
    "satisfaction": ("give a higher “{label}”", "give a lower “{label}”", "give the highest “{label}”",
                     "give the lowest “{label}”"),
    "opinion": ("agree more with “{label}”", "agree less with “{label}”", "agree most with “{label}”",
                "agree least with “{label}”"),
}  # fmt: skip
"""What customers with more or less do, by meaning."""
_GENERIC = (
    "have a higher “{label}”",
    "have a lower “{label}”",
    "have the highest “{label}”",
    "have the lowest “{label}”",
)
_SEVERAL = ("have more “{label}”", "have less “{label}”", "have the most “{label}”", "have the least “{label}”")
_REDUCED = ("get larger discounts", "get smaller discounts", "get the largest discounts", "get the smallest discounts")
_REFUNDED = ("get more money back", "get less money back", "get the most money back", "get the least money back")
_COUNTED = ("have more “{label}”", "have fewer “{label}”", "have the most “{label}”", "have the fewest “{label}”")
_VISITED = (
    (("web", "website", "site", "online"), "visit the website"),
    (("branch", "branches"), "visit the branch"),
    (("app", "login", "logins"), "use the app"),
)
_ORDERS = {"orders", "purchases", "purchase days"}
_PLAIN = frozenset(
    {"orders", "purchases", "web", "site", "website", "app", "branch", "visits", "logins", "sessions"}
    | {"last", "this", "per", "a", "week", "month", "quarter", "year"}
)
"""Words of a label of orders or visits that may continue a sentence."""
_TIMES = {
    "recency": ("Their last order was typically {here} ago", "On average, their last order was {here} ago"),
    "last_visit": ("Their last visit was typically {here} ago", "On average, their last visit was {here} ago"),
    "gap": ("They typically wait {here} between orders", "On average, they wait {here} between orders"),
    "tenure": ("They have typically been customers for {here}", "On average, they have been customers for {here}"),
}
"""Sentences about times, by meaning: with a median, with a mean."""
_STATED = {
    "age": ("Their typical age is {here}", "Their average age is {here}"),
    "income": ("Their income is typically {here}", "Their average income is {here}"),
    "company_size": ("They typically employ {here} people", "On average, they employ {here} people"),
    "expected_spend": (
        "They are typically expected to spend {here} each next year",
        "On average, they are expected to spend {here} each next year",
    ),
}
"""Sentences about other figures, by meaning: with a median, with a mean."""
_VERBS = {"Has": "have", "Is": "are", "Does": "do", "Lives": "live", "Takes": "take", "Uses": "use", "Owns": "own",
          "Likes": "like", "Wants": "want", "Buys": "buy", "Pays": "pay", "Reads": "read", "Knows": "know",
          "Subscribes": "subscribe", "Works": "work", "Rents": "rent", "Drives": "drive"}  # fmt: skip
"""First words of yes/no labels that are verbs, and their plural."""
_SCALE = re.compile(r",? (from )?-?\d+ to \+?\d+$")


class Phrases:
    """Phrases for one trait.

    Parameters
    ----------
    trait : Trait
    study : Study
        Uses ``period`` and ``customers``.
    """

    def __init__(self, trait: Trait, study: Study) -> None:
        self.trait, self.study = trait, study
        self.label = _SCALE.sub("", trait.label)

    def more(self) -> str:
        """Continue "They ..." for a segment above others."""
        return self.trait.more or self._phrase(0)

    def less(self) -> str:
        """Continue "They ..." for a segment below others."""
        return self.trait.less or self._phrase(1)

    def most(self) -> str:
        """Continue "They ..." for the highest segment; empty without a phrase."""
        return "" if self.trait.more else self._phrase(2)

    def least(self) -> str:
        """Continue "They ..." for the lowest segment; empty without a phrase."""
        return "" if self.trait.less else self._phrase(3)

    def _phrase(self, index: int) -> str:
        trait = self.trait
        if trait.meaning == "part":
            return self._part_phrase(index)
        if trait.variable.unit == "yes_no":
            return self._yes_no_phrase(index)
        if trait.meaning == "spend" and _words(self.label) & {"fee", "fees", "charge", "charges", "premium"}:
            return ("pay more", "pay less", "pay the most", "pay the least")[index]
        if trait.meaning == "visits":
            visit = self._visit()
            if visit:
                return f"{visit} {('more often', 'less often', 'most often', 'least often')[index]}"
        if trait.meaning == "children" and trait.variable.unit == "count":
            where = " at home" if "home" in _words(self.label) else ""
            return f"have {('more', 'fewer', 'the most', 'the fewest')[index]} children{where}"
        return self._forms()[index].format(label=self.label)

    def _forms(self) -> tuple[str, str, str, str]:
        meaning, unit = self.trait.meaning, self.trait.variable.unit
        if meaning in {"balance", "debt"} and is_plural(self.label):
            return _SEVERAL if meaning == "balance" else _COUNTED
        if meaning == "discount" and self.is_reduction():
            return _REDUCED
        if meaning == "refunds" and unit == "money":
            return _REFUNDED
        return _MORE_LESS.get(meaning) or (_COUNTED if self._is_counted() else _GENERIC)

    def is_reduction(self) -> bool:
        """Tell whether a discount is how much prices are reduced, not how often."""
        return not _words(self.label) & {"orders", "purchases", "deals", "deal", "promo", "promotions", "coupons"}

    def _visit(self) -> str:
        words = _words(self.trait.label) | _words(self.trait.name)
        if found := next((text for known, text in _VISITED if words & set(known)), ""):
            return found
        return "visit" if words & {"visits", "sessions", "visit"} else ""

    def _is_counted(self) -> bool:
        return self.trait.variable.unit in {"count", "number"} and is_plural(self.label)

    def _part_phrase(self, index: int) -> str:
        if index > 1:
            return ""
        trait = self.trait
        place = where(trait.link, trait.part)
        amount = ("more", "less")[index]
        if trait.whole == "orders":
            return f"place {'more' if index == 0 else 'fewer'} of their orders {place}"
        return f"spend {amount} of their money {place}"

    def majority(self, part: MixPart, whole: str) -> str:
        """Continue "They ..." for a segment of which the part is more than half."""
        place = where(part.link, part.part)
        return f"place most of their orders {place}" if whole == "orders" else f"spend most of their money {place}"

    def hardly(self, part: MixPart, whole: str) -> str:
        """Continue "They ..." for a segment of which the part is next to nothing."""
        place = where(part.link, part.part)
        return f"hardly ever order {place}" if whole == "orders" else f"spend hardly anything {place}"

    def _yes_no_phrase(self, index: int) -> str:
        if index > 1:
            return ""
        often = ("more often", "less often")[index]
        if self.trait.meaning == "opinion":
            return f"say “{answer(self.label)}” {often}"
        verb = self.verb(plural=True)
        return f"are {often.split()[0]} likely to {self.infinitive()}" if verb else f"{often} have “{self.label}”"

    def verb(self, plural: bool) -> str:
        """Turn a yes/no label such as "Has children at home" into a verb phrase; empty if it is none."""
        first, _, rest = self.label.partition(" ")
        if first not in _VERBS or not rest:
            return ""
        following = rest.split()[0].casefold()
        if first == "Has" and following not in PLURALS | {"a", "an", "no", "the"} and not following.endswith("s"):
            rest = f"{'an' if following[0] in 'aeiou' else 'a'} {rest}"
        return f"{_VERBS[first] if plural else first.casefold()} {rest}"

    def infinitive(self) -> str:
        """Turn a yes/no label such as "Is a member" into what follows "do not"; empty if it is no verb phrase."""
        verb = self.verb(plural=True)
        return f"be {verb.removeprefix('are ')}" if verb.startswith("are ") else verb.removeprefix("do ")

    def share(self, own: float, base: float, customers: str) -> str:
        """State a share of yes beside everyone's, as a sentence."""
        people, one = in_people(own), in_people(own).startswith("one in")
        against = of_all(base, customers)
        if self.trait.meaning == "opinion":
            return f"{capital(people)} {'says' if one else 'say'} “{answer(self.label)}”, against {against}."
        if verb := self.verb(plural=not one):
            return f"{capital(people)} {verb}, against {against}."
        return f"“{self.label}” applies to {people} of them, against {against}."

    def noun(self) -> str:
        """Return what the variable counts, for a share of it."""
        return {"spend": "sales"}.get(self.trait.meaning, f"“{self.label}”") if not self._is_fee() else "fees"

    def _is_fee(self) -> bool:
        return bool(_words(self.label) & {"fee", "fees", "charge", "charges", "premium"})

    def figure(self, value: float, formats: Formats) -> str:
        """Return a figure as text, rounded for reading."""
        unit = self.trait.variable.unit
        if unit in {"share", "yes_no"}:
            return formats.whole_percent(value)
        if unit == "money":
            return formats.money(rounded(value))
        if unit == "days":
            return duration(value)
        if named := self._unit_of_time():
            return counted(around(value), named)
        return around(value)

    def _unit_of_time(self) -> str:
        """Return the unit of a time, of the variable or in its label; empty for what is no time."""
        if self.trait.meaning == "age" or self.trait.meaning not in {*_TIMES, "age"}:
            return ""
        if self.trait.variable.unit == "years":
            return "years"
        return next((unit for unit in ("weeks", "months", "years") if unit in _words(self.label)), "")

    def figure_label(self) -> str:
        """Return the label of a figure that stands alone."""
        meaning, period = self.trait.meaning, f" {self.study.period}" if self.study.period else ""
        named = {
            "basket": "per order",
            "recency": "since the last order",
            "tenure": "as customers",
            "gap": "between orders",
        }
        if meaning == "frequency" and self.label.casefold() in _ORDERS:
            return f"{self.label.casefold()}{period}"
        if (self.trait.variable.unit == "days" or self._unit_of_time()) and meaning in named:
            return named[meaning]
        return named["basket"] if meaning == "basket" else self.label

    def plain(self, here: str, typical: bool) -> str:
        """State a figure alone, as a sentence; empty where that needs a comparison.

        Parameters
        ----------
        here : str
            The figure in the segment, as text.
        typical : bool
            Whether it is a median; otherwise it is a mean.
        """
        meaning, unit, label = self.trait.meaning, self.trait.variable.unit, self.label
        period = f" {self.study.period}" if self.study.period else ""
        how = "typically" if typical else "on average"
        if meaning == "frequency" and label.casefold() in _ORDERS:
            return f"They {how} place {counted(here, label.casefold())}{period}."
        if meaning == "basket":
            return f"{'A typical' if typical else 'An average'} order is worth {here}."
        if meaning == "pages" and is_plural(label):
            return f"They {how} look at {counted(here, in_sentence(label))}."
        if (unit == "days" or self._unit_of_time()) and meaning in _TIMES:
            return f"{_TIMES[meaning][not typical].format(here=here)}."
        if meaning in _STATED and unit in {"years", "money", "number", "count"}:
            return f"{_STATED[meaning][not typical].format(here=here)}."
        return ""

    def shared(self) -> str:
        """Return what a segment is like everyone in, as part of a sentence."""
        if self.trait.meaning == "partner" and self.trait.variable.unit == "yes_no":
            return "living with a partner"
        if self.trait.meaning == "children":
            return "having children" if self.trait.variable.unit == "yes_no" else "the number of children"
        return {"age": "age", "income": "income"}.get(self.trait.meaning, f"“{self.trait.label}”")

    def statement(self, verb: str, here: str, there: str, typical: bool) -> str:
        """State a figure beside everyone's, as a sentence.

        Parameters
        ----------
        verb : str
            What they do, after "They".
        here, there : str
            The figure in the segment and over everyone, as text.
        typical : bool
            Whether the figures are medians; otherwise they are means.
        """
        one = singular(self.study.customers)
        whom = f"a typical {one}" if typical else f"the average {one}"
        against = f"against {there} for {whom}"
        meaning, unit, label = self.trait.meaning, self.trait.variable.unit, self.label
        period = f" {self.study.period}" if self.study.period else ""
        if meaning == "frequency" and label.casefold() in _ORDERS:
            return f"They {verb}: {counted(here, label.casefold())}{period}, {against}."
        if meaning in {"frequency", "visits"} and _words(label) <= _PLAIN:
            return f"They {verb}: {counted(here, in_sentence(label))}, {against}."
        if meaning == "spend" and unit == "money":
            return f"They {verb}: {here}{period}, {against}."
        if meaning == "basket":
            return f"{'A typical' if typical else 'An average'} order is worth {here}, {against}."
        if meaning == "discount" and label.casefold().startswith("share of orders"):
            return f"They use a discount on {here} of their orders, {against}."
        if (unit == "days" or self._unit_of_time()) and meaning in _TIMES:
            return f"{_TIMES[meaning][not typical].format(here=here)}, {against}."
        if meaning in _STATED and unit in {"years", "money", "number", "count"}:
            return f"{_STATED[meaning][not typical].format(here=here)}, {against}."
        if meaning in {"children", "breadth"}:
            return f"They {verb}: {here}, {against}."
        if meaning == "pages" and is_plural(label):
            return f"They {verb}: {counted(here, in_sentence(label))}, {against}."
        return f"They {verb} (“{label}”: {here}, {against})." if "“" not in verb else f"They {verb}: {here}, {against}."


def in_people(share: float) -> str:
    """Return a share of people in words.

    >>> in_people(0.66), in_people(0.5), in_people(0.98), in_people(0.19)
    ('two in three', 'about half', 'nearly all', 'one in five')
    """
    if share >= NEARLY_ALL:
        return "nearly all" if share < 1 else "all"
    if share <= HARDLY_ANY:
        return "hardly any" if share > 0 else "none"
    return min(FRACTIONS, key=lambda fraction: abs(fraction[0] - share))[1]


def of_all(share: float, customers: str) -> str:
    """Return a share of all customers in words.

    >>> of_all(0.3, "customers"), of_all(0.5, "members"), of_all(0.99, "customers")
    ('three in ten of all customers', 'about half of all members', 'nearly all customers')
    """
    people = in_people(share)
    return f"{people} {customers}" if people in {"nearly all", "all", "hardly any"} else f"{people} of all {customers}"


def around(value: float) -> str:
    """Return a figure as text, rounded for reading.

    >>> around(1183.4), around(4.0)
    ('1,180', '4')
    """
    return Formats().plain(rounded(value))


def duration(days: float) -> str:
    """Return a time in days, months or years.

    >>> duration(53.2), duration(1), duration(356), duration(1200), duration(730)
    ('53 days', '1 day', '12 months', '3.3 years', '2 years')
    """
    if days < 75:
        text = around(days)
        return f"{text} day{'' if text == '1' else 's'}"
    if days < 700:
        return f"{number(round(days / 30.44))} months"
    return f"{around(days / 365.25)} years"


def counted(figure: str, plural: str) -> str:
    """Put a figure before what it counts.

    >>> counted("1", "web visits last month"), counted("2", "orders"), counted("1", "months")
    ('1 web visit last month', '2 orders', '1 month')
    """
    if figure != "1":
        return f"{figure} {plural}"
    head = re.split(r" (?:of|in|at|per|on|by|last|this) ", plural)[0]
    return f"1 {singular(head)}{plural[len(head) :]}"


def singular(plural: str) -> str:
    """Return the singular of what customers are called.

    >>> [singular(x) for x in ("customers", "companies", "people", "staff", "visitors")]
    ['customer', 'company', 'person', 'staff', 'visitor']
    """
    known = {"people": "person", "households": "household"}
    if plural in known:
        return known[plural]
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural[:-1] if plural.endswith("s") and not plural.endswith("ss") else plural


def where(link: str, part: str) -> str:
    """Continue a verb with a part of a mix: "in stores", "on the website"."""
    article = "the " if part.casefold() in BARE and link != "by" else ""
    return f"{link} {article}{part}".strip()


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return f"{text[:1].upper()}{text[1:]}"


def answer(label: str) -> str:
    """Return a survey answer as it is quoted: in lower case unless it is an abbreviation or a sentence."""
    return label if any(c.isupper() for c in label[1:]) or " " in label else label.lower()


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.casefold()))
