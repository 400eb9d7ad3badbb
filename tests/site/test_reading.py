"""Pages that stakeholders read: first screens, length, numbers, ease of reading, and no rule expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyphen
import pytest
from playwright.sync_api import Browser

from tests.conftest import BuiltSite
from tests.site.test_tree import Element, read

MOST_WORDS = {"persona": 600, "overview": 350, "other": 800}
"""Most words of open prose; what folds, tables, pictures and navigation do not count."""
MOST_NUMBERS = 8
EASY = 55.0
"""Least Flesch reading ease."""
STAKEHOLDERS = ("index", "compare", "act")
SIZES = ((1280, 800), (390, 844))
CLOSED = {"details", "nav", "table", "figure", "script", "aside", "footer", "header"}
PICTURES = {"versus", "strip", "tiles", "switcher", "multiples", "multiples-key", "follow"}
HYPHENS = pyphen.Pyphen(lang="en_US")
FIELDS = "z|mean|median|share|ratio|rate|everyone"
EXPRESSION = re.compile(rf"\b[a-z_]+\.({FIELDS})\b *([<>]=?|==)|\b[a-z_]+ (>=|<=|==) ?-?\d")


def pages_of(site: Path) -> Iterator[tuple[str, Element]]:
    """Give each page for stakeholders with its kind."""
    for page in sorted((site / "site" / "segments").glob("*.html")):
        if page.stem != "index" and "http-equiv" not in page.read_text(encoding="utf-8")[:600]:
            yield "persona", read(page).one("main")
    for name in STAKEHOLDERS:
        yield "overview" if name == "index" else "other", read(site / "site" / f"{name}.html").one("main")


def prose(element: Element) -> str:
    """Give the words of paragraphs and lists that stand open."""
    words = []
    for part in element.children:
        if isinstance(part, str):
            continue
        if part.name in CLOSED or PICTURES & set(part.attrs.get("class", "").split()):
            continue
        words.append(part.text() if part.name in {"p", "li"} else prose(part))
    return " ".join(words)


def syllables(word: str) -> int:
    return len(HYPHENS.inserted(word).split("-"))


def reading_ease(text: str) -> float:
    """Compute the Flesch reading ease (Flesch 1948)."""
    sentences = max(1, len(re.findall(r"[.!?:](?= |$)", text)))
    words = re.findall(r"[A-Za-z’'-]+", text)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(syllables, words)) / max(len(words), 1)


def test_a_page_is_short_and_easy_to_read(built_site: BuiltSite) -> None:
    for kind, main in pages_of(built_site.site):
        text = prose(main)
        assert len(text.split()) <= MOST_WORDS[kind], (kind, len(text.split()))
        assert reading_ease(text) >= EASY, (kind, reading_ease(text), text[:300])


def test_a_persona_page_has_few_numbers_before_its_portrait(built_site: BuiltSite) -> None:
    for kind, main in pages_of(built_site.site):
        if kind != "persona":
            continue
        tiles = [part.text() for part in main.all("p", **{"class": "tile-value"})]
        texts = [*tiles, main.one("p", **{"class": "start-action"}).text()]
        assert sum(len(re.findall(r"\d[\d,.]*", text)) for text in texts) <= MOST_NUMBERS


def test_no_rule_expression_and_no_refusal_to_test_stands_on_a_page(built_site: BuiltSite) -> None:
    for page in (built_site.site / "site").rglob("*.html"):
        if "<main" not in page.read_text(encoding="utf-8"):
            continue
        if page.stem in {"settings", "extend", "reproduce", "architecture", "commands", "disclosure"} | {
            "dictionary",
            "methodology",
        }:
            continue
        text = read(page).one("main").text()
        assert not EXPRESSION.search(text), (page.name, EXPRESSION.search(text))
        assert "Cannot be proved" not in text and "cannot be proved" not in text


@pytest.mark.parametrize("size", SIZES)
def test_the_first_screen_of_a_persona_ends_with_the_action_and_its_test(
    built_site: BuiltSite, chromium: Browser, size: tuple[int, int]
) -> None:
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    try:
        for file in sorted((built_site.site / "site" / "segments").glob("*.html")):
            if file.stem == "index":
                continue
            page.goto(file.as_uri())
            if page.locator(".start-here").count() == 0:
                continue
            for part in ("h1", ".tiles", ".start-action", ".start-test"):
                box = page.locator(part).first.bounding_box()
                assert box is not None and box["y"] + box["height"] <= size[1], (file.stem, part, box)
    finally:
        page.close()
