"""Every number of every persona page, read from the rendered page and computed anew from memberships and raw file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from tests.conftest import BuiltSite
from tests.site.test_tree import Element, read

pytestmark = pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")

NUMBER = re.compile(r"(?<![\w.,])[-+]?\d+(?:,\d{3})*(?:\.\d+)?%?")
AMOUNT = r"([-+]?\d+(?:,\d{3})*(?:\.\d+)?%?)(?: days?| years?)?"
BY_RESAMPLING = {"how-to-recognise-them", "how-sure-we-are"}
"""Sections whose numbers are of resamples and rules, which no line on the memberships gives."""
WINE, FRESH = "MntWines", ["MntFruits", "MntFishProducts", "MntSweetProducts"]
SPEND = [WINE, *FRESH, "MntMeatProducts", "MntGoldProds"]
ORDERS = ["NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"]


@dataclass(frozen=True, slots=True)
class Customers:
    """Raw customers with the segment of each; ``columns`` by label, ``names`` gives labels by name."""

    columns: pd.DataFrame
    names: dict[str, str]
    yes_no: frozenset[str]
    education: pd.Series
    segment: pd.Series

    def here(self, segment: int) -> pd.DataFrame:
        """Those of one segment."""
        return self.columns[(self.segment == segment).to_numpy()]


def customers_of(root: Path) -> Customers:
    """Read the raw file with pandas alone."""
    raw = pd.read_csv(root / "data" / "marketing_campaign.csv", sep=None, engine="python", dtype={"ID": str})
    member = pd.read_parquet(root / "build" / "memberships.parquet").set_index("key")["segment"]
    joined = pd.to_datetime(raw["Dt_Customer"], dayfirst=True)
    spend, orders = raw[SPEND].sum(axis=1).astype(float), raw[ORDERS].sum(axis=1).astype(float)
    some, ordered = spend.where(spend > 0), orders.where(orders > 0)
    born = raw["Year_Birth"].where(raw["Year_Birth"].between(1920, 2014))
    children = raw["Kidhome"] + raw["Teenhome"]
    campaigns = raw[[f"AcceptedCmp{i}" for i in range(1, 6)]].sum(axis=1) > 0
    found: dict[str, tuple[str, pd.Series]] = {
        "orders": ("Orders", orders),
        "order_value": ("Average order value", spend / ordered),
        "wine_share": ("Share of spend on wine", raw[WINE] / some),
        "meat_share": ("Share of spend on meat", raw["MntMeatProducts"] / some),
        "fresh_share": ("Share of spend on fruit, fish and sweets", raw[FRESH].sum(axis=1) / some),
        "gold_share": ("Share of spend on gold products", raw["MntGoldProds"] / some),
        "web_share": ("Share of orders on the web site", raw["NumWebPurchases"] / ordered),
        "catalogue_share": ("Share of orders by catalogue", raw["NumCatalogPurchases"] / ordered),
        "deal_share": ("Share of orders with a discount", (raw["NumDealsPurchases"] / ordered).clip(upper=1)),
        "web_visits": ("Web visits last month", raw["NumWebVisitsMonth"]),
        "spend": ("Total spend", spend),
        "store_share": ("Share of orders in stores", raw["NumStorePurchases"] / ordered),
        "age": ("Age", joined.max().year - born),
        "children": ("Children at home", children),
        "has_children": ("Has children at home", children > 0),
        "partner": ("Lives with a partner", raw["Marital_Status"].isin(["Married", "Together"])),
        "tenure": ("Days since enrolment", (joined.max() - joined).dt.days),
        "recency": ("Days since last purchase", raw["Recency"]),
        "any_campaign": ("Accepted any of campaigns 1 to 5", campaigns),
        "Income": ("Yearly household income", raw["Income"].where(raw["Income"].between(0, 200_000))),
        "Response": ("Accepted the last campaign", raw["Response"] > 0),
        "Complain": ("Complained in two years", raw["Complain"] > 0),
    }
    columns = pd.DataFrame({label: values.astype(float) for label, values in found.values()})
    yes_no = frozenset(label for label, values in found.values() if values.dtype == bool)
    names = {name: label for name, (label, _) in found.items()}
    return Customers(columns, names, yes_no, raw["Education"], raw["ID"].map(member))


def is_close(shown: str, actual: float) -> bool:
    """Whether a printed number is the actual one, rounded to the digits that it has."""
    text = shown.replace(",", "").replace("\u00a0", " ")
    number, scale = float(text.removesuffix("%")), 100 if text.endswith("%") else 1
    digits = len(text.removesuffix("%").strip().partition(".")[2])
    return abs(number - scale * actual) <= 0.5 * 10**-digits + 2e-5 * abs(scale * actual)


def as_printed(share: float, up: bool = False) -> float:
    """Round a share to the digits that pages give it."""
    digits = 0 if 100 * share >= 9.95 or share == 0 else 1
    points = 100 * share * 10**digits
    return (np.ceil(points - 1e-6) if up else round(points)) / 10**digits / 100


def wrong(text: str, actual: list[float], where: str) -> list[str]:
    """Say where the numbers of a text are not these, in this order, and no others."""
    shown = NUMBER.findall(text)
    if len(shown) == len(actual) and all(map(is_close, shown, actual)):
        return []
    return [f"{where}: {text!r} should have {[round(x, 4) for x in actual]}"]


def in_text(label: str) -> str:
    return re.escape(label[:1].lower() + label[1:])


class Page:
    """One persona page beside its customers."""

    def __init__(self, main: Element, segment: int, customers: Customers, plays: list[dict[str, Any]]) -> None:
        self.main, self.customers, self.plays = main, customers, plays
        self.all, self.here = customers.columns, customers.here(segment)
        self.education = customers.education[(customers.segment == segment).to_numpy()]
        self.share = len(self.here) / len(self.all)
        self.value_share = self.here["Total spend"].sum() / self.all["Total spend"].sum()

    def check(self) -> Iterator[str]:
        """Yield what is wrong on the page."""
        yield from self.tiles()
        yield from self.story()
        yield from self.bands()
        yield from self.actions()
        yield from self.outcomes(self.section("how-they-answered"))
        yield from self.day(self.section("a-day-with-them"))
        yield from self.typical(self.section("a-typical-customer"))
        yield from self.not_all(self.section("who-they-are-not"))
        yield from self.twin()

    def known(self, label: str) -> list[int]:
        """Count who has a value, where ten or more have none."""
        n = int(self.here[label].notna().sum())
        return [n] if len(self.here) - n >= 10 else []

    def section(self, name: str) -> Element:
        """Give the section under a heading."""
        return next(section for section in self.main.all("section") if section.attrs.get("id") == name)

    def tiles(self) -> Iterator[str]:
        spend, everyone = self.here["Total spend"], self.all["Total spend"]
        wanted = [
            [len(self.here), self.share],
            [self.value_share, self.share],
            [spend.median(), everyone.median()],
        ]
        tiles = [tile.text() for tile in self.main.all("div", **{"class": "tile"})]
        assert len(tiles) == 4 and "stability" in tiles[3], "a tile that no line here computes"
        for text, actual in zip(tiles, wanted, strict=False):
            yield from wrong(text, actual, "tile")

    def story(self) -> Iterator[str]:
        (text,) = [p.text() for p in self.main.children if p.name == "p"]
        spend, base = self.here["Total spend"].median(), self.all["Total spend"].median()
        head, tail = re.fullmatch(r"(.*? everyone's \(.*?\)\.)(.*)", text).groups()  # type: ignore[union-attr]
        ratio = [] if "about the same" in head else [spend / base]
        yield from wrong(head, [len(self.here), self.share, self.value_share, spend, *ratio, base], "story")
        measure, told = "", 0
        steps = "|".join(in_text(label) for label in sorted(self.all, key=len, reverse=True))
        here, everyone = rf"({steps})(?: for|:)? {AMOUNT}", rf"\(everyone {AMOUNT}(?:; known for ([\d,]+))?\)"
        claim = re.compile(f"(by median|on average)|{here} {everyone}")
        for match in claim.finditer(tail):
            if match[1]:
                measure = match[1]
                continue
            label = next(known for known in self.all if in_text(known) == re.escape(match[2]))
            mean = label in self.customers.yes_no or measure == "on average"
            told += 1
            known = self.known(label)
            if (match[5] or "") != (f"{known[0]:,}" if known else ""):
                yield f"story: {match[0]!r} should say that it is known for {known}"
            for shown, group in ((match[3], self.here), (match[4], self.all)):
                actual = group[label].mean() if mean else group[label].median()
                if not is_close(shown, actual):
                    yield f"story: {match[0]!r} should have {actual:.4f}"
        if NUMBER.search(claim.sub("", tail)) or (not told and "differs" in tail):
            yield f"story: numbers that no line here computes: {claim.sub('', tail)!r}"

    def bands(self) -> Iterator[str]:
        key = self.main.one("p", **{"class": "band-key"})
        yield from wrong(" ".join(span.text() for span in list(key.all("span"))[2:]), [0.8], "key of the bands")
        for band in self.main.all("div", **{"class": "band"}):
            label = band.one("strong").text()
            own, base = self.here[label], self.all[label]
            note = band.one("p", **{"class": "band-label"}).text().removeprefix(label)
            note = re.sub(r"in \d+ of 100 resamples", "", note)
            means = [own.mean(), base.mean()] if "on average" in note else []
            yield from wrong(note, [*means, *self.known(label)], label)
            for kind, values in (("band-seg-text", own), ("band-all-text", base)):
                text = band.one("span", **{"class": kind}).text()
                yield from wrong(text, [values.median(), values.quantile(0.1), values.quantile(0.9)], label)

    def actions(self) -> Iterator[str]:
        known: dict[str, Any] = {
            "segment": SimpleNamespace(share=self.share, n=len(self.here)),
            "value": SimpleNamespace(
                share=self.value_share,
                ratio=self.value_share / self.share,
                median=self.here["Total spend"].median(),
                total=self.here["Total spend"].sum(),
            ),
        }
        for name, label in self.customers.names.items():
            own, base = self.here[label], self.all[label]
            z = (own.mean() - base.mean()) / base.std(ddof=0)
            facts = {"mean": own.mean(), "median": own.median(), "everyone_median": base.median(), "z": z}
            known[name] = SimpleNamespace(**facts, everyone=base.mean(), ratio=own.mean() / base.mean())
        told = [row[0] for row in rows(self.section("how-they-answered"))]
        forming = [row[0] for row in rows(next(self.main.all("figure")))]
        for owner, labels in (("top", forming), ("outcome", told)):
            name = max((n for n, x in self.customers.names.items() if x in labels), key=lambda n: abs(known[n].z))
            found, mean = known[name], owner == "outcome"
            known[owner] = SimpleNamespace(
                z=found.z,
                ratio=found.ratio,
                rate=found.mean,
                here=found.mean if mean else found.median,
                all=found.everyone if mean else found.everyone_median,
                label=re.sub(r"^.", lambda x: x[0].lower(), self.customers.names[name]),
            )
        (note,) = [p.text() for p in self.section("what-to-do").children if p.name == "p"]
        yield from wrong(note, [0.05, 0.8], "note on tests")
        for card in self.main.all("article", **{"class": "action"}):
            title, reason, *lines = [part.text() for part in card.all() if part.name in {"h3", "p"}]
            title = title.removesuffix(f": {known['outcome'].label}").removesuffix(f": {known['top'].label}")
            play = next(play for play in self.plays if play["action"].partition(": {")[0] == title)
            asked = dict(re.match(r"(At stake|What to measure|How to prove it|Avoid|Rule that fired) (.*)", x).groups()
                         for x in lines)  # type: ignore[union-attr]  # fmt: skip

            def quoted(template: str) -> list[float]:
                return [eval(name, {}, known) for name in re.findall(r"\{([\w.]+)\}", template)]

            yield from wrong(reason, quoted(play["reason"]), title)
            yield from wrong(asked["What to measure"], quoted(play["measure"]), title)
            yield from wrong(asked["Avoid"], quoted(play["avoid"]), title)
            if asked["Rule that fired"] != play["when"] or not eval(play["when"], {}, known):
                yield f"{title}: {asked['Rule that fired']} did not fire"
            if "At stake" in asked:
                stake = float(f"{eval(play['stake'], {}, known):.2g}")
                yield from wrong(asked["At stake"], [stake], title)
            if "How to prove it" in asked:
                rate, count = eval(str(play["rate"]), {}, known), eval(play.get("rate_count", "segment.n"), {}, known)
                yield from self.proof(asked["How to prove it"], rate, count, play, title)

    def proof(self, text: str, rate: float, count: float, play: dict[str, Any], title: str) -> Iterator[str]:
        rate = as_printed(rate)
        after = as_printed(min(rate * (1 + play.get("lift", 0.25)), (1 + rate) / 2))
        size = NormalIndPower().solve_power(proportion_effectsize(after, rate), alpha=0.05, power=0.8, ratio=1)
        unit = play.get("rate_unit", "customers")
        there = float(f"{int(count):.2g}") if unit != "customers" else count
        shown = [float(x.replace(",", "")) for x in re.findall(rf"(?<![\d.])(\d[\d,]*) {unit}(?! in all)", text)]
        if len(shown) != 1 or abs(shown[0] - size) > 1.5:
            yield f"{title}: {text!r} should have groups of {size:.1f}"
        effect = NormalIndPower().solve_power(nobs1=int(count) // 2, alpha=0.05, power=0.8, ratio=1)
        least = as_printed(float(np.sin(np.arcsin(np.sqrt(rate)) + effect / 2) ** 2), up=True)
        cannot = [there, least] if "Halves" in text else [there] if "in all" in text else []
        rest = re.sub(rf"(?<![\d.])\d[\d,]* {unit}(?! in all)", "", text)
        yield from wrong(rest, [rate, after, *cannot], title)

    def outcomes(self, section: Element) -> Iterator[str]:
        for label, own, everyone in rows(section):
            actual = [self.here[label].mean(), self.all[label].mean()]
            yield from wrong(f"{own} {everyone}", actual, label)

    def day(self, section: Element) -> Iterator[str]:
        text = next(section.all("p")).text()
        labels = sorted(self.all, key=len, reverse=True)
        for label in labels:
            whole = re.match(r"Share of (\w+) (.+)", label)
            claim = rf"{AMOUNT} {re.escape(whole[2])}(?=,| and|\.)" if whole else rf"{in_text(label)} {AMOUNT}"
            for match in list(re.finditer(claim, text)):
                if not is_close(match[1], self.here[label].median()):
                    yield f"day: {match[0]!r} should have {self.here[label].median():.4f}"
                text = text.replace(match[0], "")
        text = re.sub(r"need not add up to 100%", "", text)
        if NUMBER.search(text):
            yield f"day: numbers that no line here computes: {text!r}"

    def typical(self, section: Element) -> Iterator[str]:
        yield from wrong(next(section.all("p")).text(), [len(self.here)], "typical")
        for label, value in rows(section):
            if label == "Education, most common":
                level = self.education.value_counts().index[0]
                shares = [(values == level).mean() for values in (self.education, self.customers.education)]
                yield from wrong(value.removeprefix(level), shares, label)
            elif label in self.customers.yes_no:
                yield from wrong(value, [self.here[label].mean(), *self.known(label)], label)
                if value.split()[0] != ("yes" if self.here[label].mean() >= 0.5 else "no"):
                    yield f"{label}: {value}"
            else:
                yield from wrong(value, [self.here[label].median(), *self.known(label)], label)

    def not_all(self, section: Element) -> Iterator[str]:
        for line in [item.text() for item in section.all("li")]:
            label, text = line.split(": ", 1)
            own = self.here[label]
            if "the answer is" in text:
                share = own.mean() if "is yes" in text else 1 - own.mean()
                yield from wrong(text, [share], label)
            else:
                edge = own.quantile(0.1 if text.startswith("high") else 0.9)
                yield from wrong(text, [edge, *self.known(label)], label)

    def twin(self) -> Iterator[str]:
        (figure,) = self.main.all("figure")
        for label, own, everyone, difference, _interval in rows(figure):
            z = (self.here[label].mean() - self.all[label].mean()) / self.all[label].std(ddof=0)
            medians = [self.here[label].median(), self.all[label].median()]
            yield from wrong(f"{own} {everyone} {difference}", [*medians, z], label)


def rows(element: Element) -> list[list[str]]:
    """Cells of the body of the table in it."""
    body = element.one("tbody")
    return [[cell.text() for cell in row.children if cell.name in {"th", "td"}] for row in body.all("tr")]


@pytest.fixture(scope="session")
def persona_pages(built_site: BuiltSite) -> list[tuple[Path, int]]:
    """Give each persona's page and its number, by the order in which the site lists them."""
    report = json.loads((built_site.root / "build" / "report.json").read_text(encoding="utf-8"))
    found = [(built_site.site / "site" / "segments" / f"{s['slug']}.html", s["id"]) for s in report["segments"]]
    assert len(found) == len(list((built_site.site / "site" / "segments").glob("*.html"))) - 1 >= 2
    return found


@pytest.fixture(scope="session")
def make_page(built_site: BuiltSite) -> Callable[[Element, int], Page]:
    customers = customers_of(built_site.root)
    plays = yaml.safe_load((built_site.root / "templates" / "playbook.yml").read_text(encoding="utf-8"))
    return lambda page, segment: Page(page.one("main"), segment, customers, plays)


def test_every_number_of_a_persona_is_that_of_its_customers(
    persona_pages: list[tuple[Path, int]], make_page: Callable[[Element, int], Page]
) -> None:
    found = [f"{path.stem}: {fault}" for path, i in persona_pages for fault in make_page(read(path), i).check()]
    assert found == []


def test_a_number_that_is_changed_on_a_persona_page_is_found(
    persona_pages: list[tuple[Path, int]], make_page: Callable[[Element, int], Page]
) -> None:
    for path, i in persona_pages:
        page = read(path)
        checked = list(numbered(page.one("main")))
        assert len(checked) > 60, path.stem
        for element, at in checked:
            (text,) = element.words
            digit = text[at]
            element.words[0] = f"{text[:at]}{(int(digit) + 5) % 10}{text[at + 1 :]}"
            assert any(True for _ in make_page(page, i).check()), (path.stem, text, element.words[0])
            element.words[0] = text


def numbered(main: Element) -> Iterator[tuple[Element, int]]:
    """Every text of the page with a number that a line here computes, with the place of the last digit of each."""
    skipped = {"nav", "script", "figure", "code", "strong", "h1", "h3", "th", "caption", "svg"}

    def below(element: Element) -> Iterator[Element]:
        tile = element.attrs.get("class") == "tile" and "stability" in element.text()
        if tile or element.name in skipped or element.attrs.get("id") in BY_RESAMPLING:
            return
        yield from [element] if element.name == "#" else []
        for child in element.children:
            yield from below(child)

    for element in below(main):
        # How often a difference came back is of resamples.
        text = re.sub(r"\d+ of 100 resamples", lambda found: "x" * len(found[0]), element.words[0])
        for match in NUMBER.finditer(text):
            yield element, match.end() - (3 if match[0].endswith("%") else 1)
