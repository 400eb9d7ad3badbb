"""Disclosure rules: customer keys, free text, contact details and small counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from scipy.special import bdtrc

from analysis.base.locales import NOT_WITHIN_NUMBER, conventions
from analysis.publish.gate.columns import Cell, Column
from analysis.publish.gate.documents import Document, join_texts, undisguised
from analysis.report.private import write_figure

COINCIDENCE = 1e-5
RUNNING = 0.5
"""Share of the numbers from the smallest key to the largest that are keys, from which they count as running numbers.
Chosen for this project."""
FEWEST_FIGURES, MOSTLY = 5, 0.8
"""Numbers of a column that are those of single customers, and their share of the telling ones, from which it is a list
of customers. Chosen for this project."""
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")
PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
TABULAR = frozenset((".csv", ".tsv", ".txt", ".md", ".xml", ".yml", ".yaml", ".js", ".sql", ".py", ".pdf"))
WORD = re.compile(r"\d*\.\d+|\w+")
COUNTS = frozenset(
    (
        "n",
        "count",
        "counts",
        "n_customers",
        "customers",
        "customer_count",
        "number_of_customers",
        "people",
        "count_of_records",
        "n_leaf",
        "leaf_n",
        "leaf_customers",
        "samples",
        "n_samples",
        "n_node_samples",
    )
)
IDENTIFIERS = frozenset(
    (
        "id",
        "ids",
        "key",
        "keys",
        "customer",
        "customers",
        "customer_id",
        "customer_ids",
        "customerid",
        "cust",
        "cust_id",
        "client",
        "client_id",
        "member",
        "member_id",
        "user",
        "user_id",
        "userid",
        "account",
        "account_id",
        "person",
        "person_id",
        "respondent",
        "respondent_id",
        "example",
        "examples",
    )
)
TOTALS = frozenset(("total", "totals", "all", "all customers", "everyone", "sum", "overall"))
EVERYONE = frozenset(("all", "all customers", "everyone"))
LEADING_COUNT = re.compile(
    r"\s*(\d{1,3}(?:[,\u00a0\u202f\u2009 ']\d{3})+|\d+)(?:\.0+)?(?![\d.,]*\d)(?!\s*%)(?=$|[\s(/])"
)
GROUP = "[.,\u00a0\u202f\u2009 '’،⹁]"
"""What a locale may set between groups of digits."""
FEW = re.compile(
    rf"(?<![\w.,-]){NOT_WITHIN_NUMBER}(\d+) (?:customers?|people|persons?)\b"
    r"(?! (?:in|out of) (?:every )?(?:10|100|1000)\b)",
    re.IGNORECASE,
)
MANY = re.compile(
    rf"(?<![\w.,-])(\d{{1,2}}(?:,\d\d)+,\d{{3}}|\d+(?:{GROUP}\d{{3}})*) (?:customers|people|persons)\b", re.IGNORECASE
)
READ_FILES = frozenset((".pdf", ".pptx", ".xlsx", ".txt", ".md"))
NOT_A_CELL = re.compile(
    r"(?:\b(?:in|of|than|top|least|most|per|every|under|below|to|or|the|first|any|with)|[<>≤≥±+\u2013-]) ?$",
    re.IGNORECASE,
)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,24}\b")
SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
MOST_DIGESTS = 10
"""Different digests in one column from which it is a list of customers. Chosen for this project."""
NOT_A_HOST = re.compile(r"\.(?:png|jpe?g|svg|gif|webp|avif|m?js|css|html|json)$", re.IGNORECASE)
PHONE = re.compile(
    r"(?<![\w.,+/-])(?:\+\d{1,3}[ .()/-]*(?:\d[ .()/-]{0,2}){7,12}\d|\(\d{2,5}\)[ .-]?\d{3,4}[ .-]?\d{3,5}"
    r"|\d{3}[.-]\d{3}[.-]\d{4}|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5})(?![\w.,-]*\d)"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: the line of the file and a sentence about it."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Index:
    """Private values made ready for search.

    `words` and `phrases` are refused wherever they stand, in any case, `exact` ones in their own; of `plain`
    ones, ordinary words or numbers, only a column is a leak. `lengths` has those of phrases by first word,
    `share` by number of digits the share of all such numbers that are private. `span` has the smallest and the largest
    of the plain numbers, and the share of the numbers between them that are private.
    """

    words: frozenset[str]
    phrases: frozenset[str]
    lengths: Mapping[str, set[int]]
    exact: frozenset[str]
    plain: frozenset[str]
    share: Mapping[int, float]
    span: tuple[int, int, float] = (0, -1, 0.0)

    def chance(self, number: str) -> float:
        """Return how likely a number like this one is private without being taken from the data."""
        low, high, density = self.span
        share = self.share.get(len(number), 0.0)
        return max(share, density) if density >= RUNNING and low <= int(number) <= high else share


def index_values(values: Iterable[str]) -> Index:
    """Sort private values into those that give themselves away and those that coincide with ordinary text.

    Linear in the number of values; a million keys of one word take about a second.
    """
    words, exact, plain, phrases = set(), set(), set(), set()
    lengths: dict[str, set[int]] = {}
    digits: Counter[int] = Counter()
    for value in map(undisguised, values):
        if value.isdecimal():
            if len(value) >= 10 or (len(value) >= 7 and value[0] == "0"):
                words.add(value)
            else:
                plain.add(value)
                digits[len(value)] += 1
        elif value.isalnum():
            if value.isalpha():
                telling = len(value) >= 4 and sum(map(str.isupper, value)) >= 2
                (exact if telling else plain).add(value if telling else value.lower())
            else:
                (words if len(value) >= 5 else plain).add(value.lower())
        else:
            folded = " ".join(value.lower().split())
            first = WORD.search(folded)
            if first and _is_telling(value):
                phrases.add(folded[first.start() :])
                lengths.setdefault(first[0], set()).add(len(folded) - first.start())
            elif folded:
                plain.add(folded)
    share = {length: count / (9 * 10 ** (length - 1)) for length, count in digits.items()}
    numbers = sorted(int(value) for value in plain if value.isdecimal())
    low, high = (numbers[0], numbers[-1]) if numbers else (0, -1)
    span = (low, high, len(numbers) / (high - low + 1) if numbers else 0.0)
    return Index(frozenset(words), frozenset(phrases), lengths, frozenset(exact), frozenset(plain), share, span)


def _is_telling(value: str) -> bool:
    """Whether a value of several words or parts can hardly stand on a page by chance."""
    letters = sum(map(str.isalnum, value))
    if len(value.split()) == 1:
        return letters >= 5 and (any(map(str.isdigit, value)) or "@" in value)
    return letters >= 12 or (letters >= 7 and sum(map(str.isupper, value)) >= 2)


def find_private(document: Document, index: Index, names: frozenset[str], what: str) -> Iterator[Finding]:
    """Yield the private values that a document shows, alone or as a column of ordinary-looking ones."""
    seen: set[str] = set()
    for fold, single in ((False, index.exact), (True, index.words)):
        if not single and not (fold and index.phrases):
            continue
        stream = join_texts(document, fold=fold)
        tokens = frozenset(WORD.findall(stream.text))
        starts = {token for token in tokens if token in single}
        starts |= {token for token in tokens if token in index.lengths} if fold else set()
        if not starts:
            continue
        for match in WORD.finditer(stream.text):
            if match[0] not in starts:
                continue
            shown = match[0] if match[0] in single else _phrase_at(stream.text, match, index)
            if shown and shown not in seen:
                seen.add(shown)
                line = document.find_line(re.escape(shown), stream.line_at(match.start()))
                yield Finding(line, f"shows {what} {_masked(shown)}")
    for column in document.columns:
        hits = {
            cell.value.strip().lower(): cell.line for cell in column.cells if cell.value.strip().lower() in index.plain
        }
        if len(hits) >= 3 and _is_leak(column, hits, index, names):
            first = next(iter(hits))
            line = document.find_line(rf"(?<!\w){re.escape(first)}(?!\w)", hits[first])
            under = f" under “{column.name}”" if column.name.strip("/") else ""
            yield Finding(line, f"lists {len(hits)} values{under} that are {what}, {_masked(first)} first")


def find_figures(document: Document, figures: frozenset[str]) -> Iterator[Finding]:
    """Yield columns, and files that are no page, whose numbers are mostly those of single customers."""
    for column in document.columns:
        own = {cell.value.strip(): cell.line for cell in column.cells}
        told = {value: figure for value in own if (figure := _figure(value))}
        hits = [value for value, figure in told.items() if figure in figures]
        if len(hits) >= FEWEST_FIGURES and len(hits) >= MOSTLY * len(told):
            name = f" under “{column.name}”" if column.name.strip("/") else ""
            yield Finding(
                own[hits[0]], f"lists {len(hits)} numbers{name} of single customers, {_masked(hits[0])} first"
            )
    if not document.is_page and not document.is_engine:
        texts = [text.value for text in document.texts if text.origin == "file" and text.holder in TABULAR]
        numbers = {figure for text in texts for each in NUMBER.findall(text) if (figure := _figure(each))}
        if len(hits := numbers & figures) >= 2 * FEWEST_FIGURES and len(hits) >= len(numbers) / 2:
            yield Finding(1, f"holds {len(hits)} numbers of single customers, {_masked(min(hits))} among them")


def _figure(text: str) -> str:
    """Return a cell as it is written in the list of private numbers; empty where it is no telling number."""
    plain = text.replace(",", "") if GROUPED.fullmatch(text) else text
    return write_figure(plain) if PLAIN.fullmatch(plain) else ""


def _phrase_at(text: str, match: re.Match[str], index: Index) -> str:
    for length in index.lengths[match[0]]:
        end = match.start() + length
        phrase = text[match.start() : end]
        if phrase in index.phrases and not (phrase[-1].isalnum() and text[end : end + 1].isalnum()):
            return phrase
    return ""


def _is_leak(column: Column, hits: Mapping[str, int], index: Index, names: frozenset[str]) -> bool:
    """Whether three or more plain hits of a column are more than numbers that happen to be keys."""
    values = {cell.value.strip().lower() for cell in column.cells}
    numbers = [value for value in values if value.isdecimal()]
    if not all(hit.isdecimal() for hit in hits):
        # Fields of charts are called x and y, as a customer may be.
        least = 2 if column.name.endswith("/") else 1
        return sum(not hit.isdecimal() and len(hit) >= least for hit in hits) >= 3
    whole = {int(number) for number in numbers}
    if whole in (set(range(len(whole))), set(range(1, len(whole) + 1))):
        return False
    if normalise(column.name.rstrip("/")) in IDENTIFIERS | names and normalise(column.name) not in COUNTS:
        return True
    chance = sum(map(index.chance, numbers)) / len(numbers)
    return float(bdtrc(len(hits) - 1, len(numbers), min(1.0, chance))) < COINCIDENCE


def _masked(value: str) -> str:
    """Return enough of a value to find it, and no more: the build's log may be public as well."""
    return f"“{value[:2]}…” ({len(value)} characters)"


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return a column's name in snake case.

    Examples
    --------
    >>> normalise("Number of customers")
    'number_of_customers'
    """
    return "_".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip()).lower()))


def find_contacts(document: Document, samples: frozenset[str]) -> Iterator[Finding]:
    """Yield e-mail addresses and telephone numbers, but for those in code and its `samples` elsewhere.

    A column of SHA-256 digests is a list of contacts for an advertising platform.
    """
    for column in document.columns:
        hashed = {cell.value.strip() for cell in column.cells if SHA256.fullmatch(cell.value.strip())}
        if len(hashed) >= MOST_DIGESTS:
            yield Finding(column.cells[0].line, f"lists {len(hashed)} digests, as of e-mail addresses")
    for text in document.texts:
        if text.code or (text.origin == "file" and text.holder in (".css", ".js", ".mjs", ".map", "script", "style")):
            continue
        for kind, pattern in (("an e-mail address", EMAIL), ("a telephone number", PHONE)):
            if kind == "an e-mail address" and "@" not in text.value:
                continue
            for match in pattern.finditer(text.value):
                if NOT_A_HOST.search(match[0]) or match[0] in samples:
                    continue
                line = document.find_line(re.escape(match[0]), text.line + text.value.count("\n", 0, match.start()))
                yield Finding(line, f"shows {kind}, {_masked(match[0])}")
    for tag in document.tags:
        if tag.attrs.get("href", "").lower().startswith(("tel:", "sms:")):
            yield Finding(tag.line, "links to a telephone number")


def code_contacts(documents: Iterable[Document]) -> frozenset[str]:
    """Return the addresses that stand in code on the pages: the search index repeats them as plain text."""
    return frozenset(
        match
        for document in documents
        for text in document.texts
        if text.code and "@" in text.value
        for match in EMAIL.findall(text.value)
    )


def read_count(value: str) -> int | None:
    """Return the whole number that a cell begins with, or None for shares, decimals and words.

    Examples
    --------
    >>> read_count("2,240"), read_count("3 (1%)"), read_count("12%"), read_count("fewer than 10")
    (2240, 3, None, None)
    """
    match = LEADING_COUNT.match(conventions().read(value))
    return int(re.sub(r"\D", "", match[1])) if match else None


def find_small_cells(document: Document, min_cell: int) -> Iterator[Finding]:
    """Yield counts of customers from 1 to `min_cell` - 1, in columns, in JSON and in running text."""
    for column in document.columns:
        if normalise(column.name) not in COUNTS or column.name.endswith("/"):
            continue
        for cell in column.cells:
            count = read_count(cell.value)
            if count is not None and 0 < count < min_cell:
                line = document.find_line(rf'"{re.escape(column.name)}"\s*:\s*"?{count}\b(?![.\d])', cell.line)
                label = f" of “{cell.label}”" if cell.label else ""
                yield Finding(line, f"“{column.name}”{label} is {count}; the smallest that may show is {min_cell}")
    for match, line in _told(document, FEW):
        if 0 < int(match[1]) < min_cell:
            yield Finding(line, f"shows “{match[0]}”; the smallest that may show is {min_cell}")


def _told(document: Document, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
    """Yield (match, line) for counts in what a reader reads, but for those that are no cell."""
    for text in document.texts:
        if text.code or text.origin == "comment" or (text.origin == "file" and text.holder not in READ_FILES):
            continue
        for match in pattern.finditer(text.value):
            if not NOT_A_CELL.search(text.value[: match.start()]):
                yield match, text.line + text.value.count("\n", 0, match.start())


def find_subtractions(document: Document, min_cell: int, step: int) -> Iterator[Finding]:
    """Yield columns of counts whose total, less the rows beside it, leaves 1 to `min_cell` - 1.

    Counts that are all multiples of `step` were rounded, so that what is left tells nothing.
    """
    for name, cells in _counts(document):
        totals = [(cell, count) for cell, count in cells if cell.label.strip().lower() in TOTALS]
        parts = [count for cell, count in cells if cell.label.strip().lower() not in TOTALS]
        if not any(count % step for _, count in cells):
            continue
        if totals and parts and 0 < (left := totals[-1][1] - sum(parts)) < min_cell:
            line = _line_of(document, totals[-1][0])
            yield Finding(line, f"“{name}”: the total {totals[-1][1]} less the rows leaves {left} customers")


def _counts(document: Document) -> Iterator[tuple[str, list[tuple[Cell, int]]]]:
    """Yield (name, cells with their counts) for each column that counts customers."""
    for column in document.columns:
        if normalise(column.name) in COUNTS and not column.name.endswith("/"):
            counts = [(cell, count) for cell in column.cells if (count := read_count(cell.value)) is not None]
            if counts:
                yield column.name, counts


def _line_of(document: Document, cell: Cell) -> int:
    """Return the line of a cell; those of a JSON text have but that of its beginning."""
    return document.find_line(rf":\s*{re.escape(cell.value)}\b", cell.line) if document.suffix == ".json" else cell.line


def find_unequal_totals(documents: Iterable[Document], min_cell: int, step: int) -> Iterator[tuple[str, Finding]]:
    """Yield (file, finding) for totals that differ from a total elsewhere on the site by 1 to `min_cell` - 1.

    Everyone is what rows of that name tell, and what the rows of most columns add up to. Counts that are all
    multiples of `step` were rounded so that their sum tells nothing.
    """
    everyone, parts, totals = _gather_totals(documents, step)
    for less, more in pairwise(sorted(everyone)):
        if more - less < min_cell and (less % step or more % step):
            file, line = everyone[less]
            other = everyone[more][0]
            yield file, Finding(line, f"everyone is {less} here and {more} in {other}: {more - less} customers differ")
    if parts:
        most = Counter(count for count, _, _ in parts).most_common(1)[0][0]
        everyone.setdefault(most, ("", 1))
    for count, file, line in parts + totals:
        for left in (most - count for most in everyone):
            if 0 < left < min_cell:
                yield (
                    file,
                    Finding(line, f"{count} customers here, of {count + left} elsewhere: {left} customers differ"),
                )


def _gather_totals(
    documents: Iterable[Document], step: int
) -> tuple[dict[int, tuple[str, int]], list[tuple[int, str, int]], list[tuple[int, str, int]]]:
    """Gather the totals of everyone, with where they stand; the sums of columns; and the totals in sentences."""
    everyone: dict[int, tuple[str, int]] = {}
    parts: list[tuple[int, str, int]] = []
    totals: list[tuple[int, str, int]] = []
    for document in documents:
        for _, cells in _counts(document):
            for cell, count in cells:
                if cell.label.strip().lower() in EVERYONE:
                    everyone.setdefault(count, (document.file, _line_of(document, cell)))
            rows = [(cell, count) for cell, count in cells if cell.label.strip().lower() not in TOTALS]
            if any(count % step for _, count in rows):
                parts.append((sum(count for _, count in rows), document.file, _line_of(document, rows[0][0])))
        for match, line in _told(document, MANY):
            if (count := read_count(match[1])) and count % step:
                totals.append((count, document.file, line))
    return everyone, parts, totals
