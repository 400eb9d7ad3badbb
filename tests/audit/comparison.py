"""What the audit compares: one published number beside the same number computed anew."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

DIGITS = 6
"""Significant digits of a number in ``report.json``, unless it is written with more."""
SLACK = 1e-6
"""Relative error that rounding twice may add: the pages round what the report rounded before."""

NUMBER = re.compile(r"(?<![\w.,])[-+−]?\d+(?:,\d{3})*(?:\.\d+)?%?")
"""A number as the English pages print it, with its percent sign."""

Where = Literal["report", "page"]
How = Literal["digits", "sampling", "optimum"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published number and the same number computed anew.

    Attributes
    ----------
    study : str
    where : {"report", "page"}
        Whether it stands in ``report.json`` or is printed on a rendered page.
    place : str
        The page, or the subject within the report.
    what : str
        The number, in words.
    published, recomputed : str
    agrees : bool
        Whether both are equal, up to half a unit of the last published digit.
    how : {"digits", "sampling", "optimum"}
        What they are held to: the digits; the error of two independent sets of random draws; or the same optimum of
        a search that starts at random.
    reason : str
        Why a difference is no fault; empty where both agree or nothing explains it.
    """

    study: str
    where: Where
    place: str
    what: str
    published: str
    recomputed: str
    agrees: bool
    how: How = "digits"
    reason: str = ""


def half_unit(published: float, decimals: int | None = None) -> float:
    """Give half a unit of the last digit of a number in the report.

    Parameters
    ----------
    published : float
    decimals : int, optional
        Digits after the point; by default six significant digits, or as many as are written.

    Examples
    --------
    >>> half_unit(0.5, 2), round(half_unit(123.456), 7), half_unit(1356988.0)
    (0.005, 0.0005, 0.5)
    """
    if decimals is not None:
        return 0.5 * 10.0**-decimals
    if published == 0:
        return 0.5e-6
    written = re.sub(r"e.*$", "", repr(abs(float(published)))).removesuffix(".0").replace(".", "").strip("0")
    digits = max(DIGITS, len(written))
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(published))) + 1 - digits)


def read_number(text: str) -> tuple[float, float]:
    """Read a printed number.

    Returns
    -------
    value, half : float
        Percentages as shares, and half a unit of the last printed digit on the same scale.

    Examples
    --------
    >>> read_number("1,169"), read_number("29.8"), read_number("46%")
    ((1169.0, 0.5), (29.8, 0.05), (0.46, 0.005))
    """
    plain = text.replace(",", "").replace("−", "-").replace("\u00a0", " ").strip()
    scale = 100.0 if plain.endswith("%") else 1.0
    digits = plain.removesuffix("%").strip()
    return float(digits) / scale, 0.5 * 10.0 ** -len(digits.partition(".")[2]) / scale


def is_close(published: float, recomputed: float, tolerance: float) -> bool:
    """Say whether two numbers are equal up to a tolerance and the error of rounding twice."""
    if not (math.isfinite(published) and math.isfinite(recomputed)):
        return math.isnan(published) and math.isnan(recomputed)
    return abs(published - recomputed) <= tolerance + SLACK * abs(recomputed) + 1e-9


@dataclass(slots=True)
class Audit:
    """The comparisons of one study, gathered subject by subject.

    Attributes
    ----------
    study : str
    place : str
        The subject or page that is compared now.
    found : list of Comparison
    skipped : list of (str, str)
        Tables or numbers that were there and could not be read, with the reason.
    values : dict
        Numbers computed anew for one place that another place prints too, by index and number of segments.
    kept : dict
        Solutions of a search that several subjects need, by number of segments.
    """

    study: str
    place: str = ""
    found: list[Comparison] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    values: dict[tuple[str, int], float] = field(default_factory=dict)
    kept: dict[int, Any] = field(default_factory=dict)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Compare at a subject or page as long as the context lasts."""
        before, self.place = self.place, place
        try:
            yield
        finally:
            self.place = before

    def report(self, what: str, published: Any, recomputed: Any, decimals: int | None = None) -> bool:
        """Compare a number of the report to its last digit; None and NaN both stand for no number."""
        left, right = (math.nan if x is None else float(x) for x in (published, recomputed))
        agrees = is_close(left, right, half_unit(left, decimals) if math.isfinite(left) else 0.0)
        return self._add("report", what, f"{left:.10g}", f"{right:.10g}", agrees)

    def rows(self, what: str, published: Sequence[Any], recomputed: Sequence[Any], decimals: int | None = None) -> None:
        """Compare numbers of the report one by one; lists of unlike length differ as a whole."""
        if len(published) != len(recomputed):
            self.same(f"{what}: how many", len(published), len(recomputed))
            return
        for i, (left, right) in enumerate(zip(published, recomputed, strict=True), start=1):
            self.report(f"{what} {i}", left, right, decimals)

    def same(self, what: str, published: object, recomputed: object, where: Where = "report") -> bool:
        """Compare words, counts or truth values, which must be equal."""
        return self._add(where, what, str(published), str(recomputed), published == recomputed)

    def near(
        self,
        what: str,
        published: float | None,
        recomputed: float,
        tolerance: float,
        how: How = "sampling",
        where: Where = "report",
    ) -> bool:
        """Compare what rests on random draws or a random search, up to a tolerance that the caller reasons for."""
        left = math.nan if published is None else float(published)
        return self._add(
            where,
            what,
            f"{left:.6g}",
            f"{recomputed:.6g} ± {tolerance:.2g}",
            is_close(left, recomputed, tolerance),
            how,
        )

    def explain(self, what: str, published: float, recomputed: float, reason: str, how: How = "optimum") -> None:
        """Note a difference that is no fault, with the reason."""
        self._add("report", what, f"{published:.6g}", f"{recomputed:.6g}", False, how, reason)

    def printed(self, what: str, text: str, recomputed: Sequence[float]) -> bool:
        """Compare every number that a text prints, in order, with the recomputed ones; half a unit each."""
        shown = NUMBER.findall(text)
        if len(shown) != len(recomputed):
            wanted = ", ".join(f"{x:.6g}" for x in recomputed)
            return self._add("page", what, text[:160], f"{len(recomputed)} numbers: {wanted}", False)
        agree = True
        for i, (number, actual) in enumerate(zip(shown, recomputed, strict=True)):
            value, half = read_number(number)
            close = is_close(value, float(actual), half)
            name = f"{what}, number {i + 1}" if len(shown) > 1 else what
            agree &= self._add("page", name, number, f"{float(actual):.8g}", close)
        return agree

    def skip(self, what: str, reason: str) -> None:
        """Note what was there and was not compared."""
        self.skipped.append((f"{self.place}: {what}", reason))

    def _add(
        self,
        where: Where,
        what: str,
        published: str,
        recomputed: str,
        agrees: bool,
        how: How = "digits",
        reason: str = "",
    ) -> bool:
        self.found.append(Comparison(self.study, where, self.place, what, published, recomputed, agrees, how, reason))
        return agrees

    def differences(self) -> list[Comparison]:
        """Give the comparisons that disagree and that nothing explains."""
        return [c for c in self.found if not c.agrees and not c.reason]
