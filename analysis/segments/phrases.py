"""English phrases about a variable: what customers with more or less of it do, and how its figures read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from analysis.base.formats import Formats, number
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
    "balance": ("have more in “{label}”", "have less in “{label}”", "have the most in “{label}”",
                "have the least in “{label}”"),
    "debt": ("have more in “{label}”", "have less in “{label}”", "have the most in “{label}”",
             "have the least in “{label}”"),
    "satisfaction": ("give a higher “{label}”", "give a lower “{label}”", "give the highest “{label}”",
                     "give the lowest “{label}”"),
    "opinion": ("agree more with “{label}”", "agree less with “{label}”", "agree most with “{label}”",
                "agree least with “{label}”"),
}  # fmt: skip
"""What customers with more or less do, by meaning."""
_GENERIC = (
    "are higher in “{label}”",
    "are lower in “{label}”",
    "are highest in “{label}”",
    "are lowest in “{label}”",
)
_COUNTED = ("have more “{label}”", "have fewer “{label}”", "have the most “{label}”", "have the fewest “{label}”")
_VISITED = (
    (("web", "website", "site", "online"), "visit the website"),
    (("branch", "branches"), "visit the branch"),
    (("app", "login", "logins"), "use the app"),
)
_ORDERS = {"orders", "purchases", "purchase days"}
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
        "A typical one of them is expected to spend {here} next year",
        "On average, they are expected to spend {here} next year",
    ),
}
"""Sentences about other figures, by meaning: with a median, with a mean."""
_VERBS = {"Has": "have", "Is": "are", "Does": "do", "Lives": "live", "Takes": "take", "Uses": "use", "Owns": "own",
          "Likes": "like", "Wants": "want", "Buys": "buy", "Pays": "pay", "Reads": "read", "Knows": "know",
          "Subscribes": "subscribe", "Works": "work", "Rents": "rent", "Drives": "drive"}  # fmt: skip
"""First words of yes/no labels that are verbs, and their plural."""
_PLURALS = {"children", "kids", "people", "teenagers"}
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
        forms = _MORE_LESS.get(trait.meaning)
        if forms is None:
            forms = _COUNTED if self._is_counted() else _GENERIC
        return forms[index].format(label=self.label)

    def _visit(self) -> str:
        words = _words(self.trait.label) | _words(self.trait.name)
        if found := next((text for known, text in _VISITED if words & set(known)), ""):
            return found
        return "visit" if words & {"visits", "sessions", "visit"} else ""

    def _is_counted(self) -> bool:
        return self.trait.variable.unit in {"count", "number"} and is_plural(self.label) and " per " not in self.label

    def _part_phrase(self, index: int) -> str:
        if index > 1:
            return ""
        trait = self.trait
        where = _where(trait.link, trait.part)
        amount = ("more", "less")[index]
        if trait.whole == "orders":
            return f"place {'more' if index == 0 else 'fewer'} of their orders {where}"
        return f"spend {amount} of their money {where}"

    def majority(self, part: MixPart, whole: str) -> str:
        """Continue "They ..." for a segment of which the part is more than half."""
        where = _where(part.link, part.part)
        return f"place most of their orders {where}" if whole == "orders" else f"spend most of their money {where}"

    def hardly(self, part: MixPart, whole: str) -> str:
        """Continue "They ..." for a segment of which the part is next to nothing."""
        where = _where(part.link, part.part)
        return f"hardly ever order {where}" if whole == "orders" else f"spend hardly anything {where}"

    def _yes_no_phrase(self, index: int) -> str:
        if index > 1:
            return ""
        often = ("more often", "less often")[index]
        if self.trait.meaning == "opinion":
            return f"say “{answer(self.label)}” {often}"
        verb = self.verb(plural=True)
        return f"{often} {verb}" if verb else f"{often} have “{self.label}”"

    def verb(self, plural: bool) -> str:
        """Turn a yes/no label such as "Has children at home" into a verb phrase; empty if it is none."""
        first, _, rest = self.label.partition(" ")
        if first not in _VERBS or not rest:
            return ""
        following = rest.split()[0].casefold()
        if first == "Has" and following not in _PLURALS | {"a", "an", "no", "the"} and not following.endswith("s"):
            rest = f"{'an' if following[0] in 'aeiou' else 'a'} {rest}"
        return f"{_VERBS[first] if plural else first.casefold()} {rest}"

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
        if unit == "years" and self.trait.meaning != "age":
            return f"{around(value)} {'year' if around(value) == '1' else 'years'}"
        return around(value)

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
        if self.trait.variable.unit in {"days", "years"} and meaning in named:
            return named[meaning]
        return named["basket"] if meaning == "basket" else self.label

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
            return f"They {verb}: {here} {label.casefold()}{period}, {against}."
        if meaning == "spend" and unit == "money":
            return f"They {verb}: {here}{period}, {against}."
        if meaning == "basket":
            return f"{'A typical' if typical else 'An average'} order is worth {here}, {against}."
        if meaning == "discount" and label.casefold().startswith("share of orders"):
            return f"{here} of their orders use a discount, {against}."
        if unit in {"days", "years"} and meaning in _TIMES:
            return f"{_TIMES[meaning][not typical].format(here=here)}, {against}."
        if meaning in _STATED and unit in {"years", "money", "number", "count"}:
            return f"{_STATED[meaning][not typical].format(here=here)}, {against}."
        if meaning == "children":
            return f"They {verb}: {here}, {against}."
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


def rounded(value: float) -> float:
    """Round a figure for reading: two digits, three from a thousand to ten thousand.

    >>> [rounded(x) for x in (1183.4, 396, 73_700, 68.2, 4.26, 0.374, 0)]
    [1180, 400, 74000, 68, 4.3, 0.37, 0]
    """
    size = abs(value)
    if size < 10:
        return round(value, 2 if size < 1 else 1) or 0
    if size < 100:
        return round(value)
    step = 10 ** (math.floor(math.log10(size)) - (2 if 1_000 <= size < 10_000 else 1))
    return round(value / step) * step


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


def is_plural(text: str) -> bool:
    """Guess whether a noun phrase is plural from its last word before a preposition.

    >>> is_plural("stores"), is_plural("the web site"), is_plural("Products used"), is_plural("fruit, fish and sweets")
    (True, False, False, True)
    """
    if "," in text or " and " in text:
        return True
    last = re.split(r" (?:of|in|at|per|on|by|last) ", text.casefold())[0].split()
    return bool(last) and (last[-1] in _PLURALS or (last[-1].endswith("s") and not last[-1].endswith("ss")))


def _where(link: str, part: str) -> str:
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
