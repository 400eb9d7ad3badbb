"""Formats of numbers, money, percentages, dates, lists and plurals in several locales."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel import Locale, localedata
from babel.numbers import format_decimal, get_minus_sign_symbol
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.errors import InputError
from analysis.base.formats import Formats, joined, number, percentage, plural
from analysis.base.locales import check_tag, conventions, localized
from analysis.publish.gate.disclosure import read_count
from analysis.settings.load import check_study
from tests.stages import project_study

NBSP, THIN, LRM, RLM = "\u00a0", "\u202f", "\u200e", "\u200f"


@pytest.mark.parametrize(
    ("tag", "large", "small", "money", "share", "day", "month"),
    [
        ("en", "1,234,567", "-0.50", "€1,183", "3.1%", "2014-06-29", "2014-06"),
        ("de", "1.234.567", "-0,50", f"1.183{NBSP}€", f"3,1{NBSP}%", "29.06.2014", "6/2014"),
        ("de-CH", "1'234'567", "-0.50", f"€{NBSP}1'183", "3.1%", "29.06.2014", "6/2014"),
        ("fr", f"1{THIN}234{THIN}567", "-0,50", f"1{THIN}183{NBSP}€", f"3,1{NBSP}%", "29/06/2014", "06/2014"),
        ("ja", "1,234,567", "-0.50", "€1,183", "3.1%", "2014/06/29", "2014/6"),
        ("pt-BR", "1.234.567", "-0,50", f"€{NBSP}1.183", "3,1%", "29/06/2014", "06/2014"),
        ("sv", f"1{NBSP}234{NBSP}567", "−0,50", f"1{NBSP}183{NBSP}€", f"3,1{NBSP}%", "2014-06-29", "2014-06"),
        (
            "ar", "1,234,567", f"{LRM}-0.50", f"{RLM}1,183{NBSP}€", "3.1%",
            f"29{RLM}/06{RLM}/2014", f"6{RLM}/2014",
        ),
    ],
)  # fmt: skip
def test_numbers_money_shares_and_dates_follow_the_locale(
    tag: str, large: str, small: str, money: str, share: str, day: str, month: str
) -> None:
    formats = Formats("€")
    with localized(tag):
        # CLDR has had two kinds of apostrophe for Switzerland.
        assert (number(1_234_567).replace("’", "'"), number(-0.5, 2)) == (large, small)
        assert (formats.value(1183.4, "money").replace("’", "'"), formats.percent(0.0312)) == (money, share)
        assert (formats.date("2014-06-29"), formats.date("2014-06")) == (day, month)
        assert percentage(0.0312, 1) == share


@pytest.mark.parametrize("tag", ["en", "de", "fr", "ja", "pt-BR", "sv", "ar"])
def test_lists_and_plurals_are_english_in_every_locale_as_all_texts_are(tag: str) -> None:
    with localized(tag):
        assert [joined(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
        assert [plural(n, "customer", "customers") for n in (0, 1, 2, 1001)] == [
            "customers", "customer", "customers", "customers",
        ]  # fmt: skip
        assert Formats().value(1, "days") == "1 day"
        assert Formats().value(1.5, "years") == f"{number(1.5, 1)} years"


@pytest.mark.parametrize(
    ("tag", "currency", "amount", "interval"),
    [
        ("en", "EUR", "€1,183", "€36.2 to 1,047"),
        ("en", "SGD", "SGD\u00a01,183", "SGD\u00a036.2 to 1,047"),
        ("de", "€", "1.183\u00a0€", "36,2 to 1.047\u00a0€"),
        ("pt-BR", "BRL", "R$\u00a01.183", "R$\u00a036,2 to 1.047"),
        ("pl", "PLN", "1\u00a0183\u00a0zł", "36,2 to 1\u00a0047\u00a0zł"),
        ("en", "", "1,183", "36.2 to 1,047"),
    ],
)
def test_a_currency_stands_where_the_locale_puts_it(tag: str, currency: str, amount: str, interval: str) -> None:
    with localized(tag):
        assert Formats(currency).value(1183.4, "money") == amount
        assert Formats(currency).interval(36.2, 1047.4, "money") == interval


def test_a_negative_amount_has_its_sign_before_the_currency() -> None:
    assert Formats("€").value(-1183.4, "money") == "-€1,183"


@pytest.mark.parametrize("tag", ["en", "de", "fr", "sv", "hi", "tr", "ar-EG", "ja", "es-MX"])
@settings(deadline=None, max_examples=50)
@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_number_reads_as_babel_writes_it(tag: str, x: Decimal) -> None:
    locale = Locale.parse(tag, sep="-")
    grouped = locale.decimal_formats[None].pattern.split(".")[0]
    minus = get_minus_sign_symbol(locale)
    with localized(tag):
        assert number(float(x), 2) == format_decimal(x, f"{grouped}.00", locale).replace("-", minus)
        assert conventions().read(number(abs(float(x)), 2)) == f"{abs(x):,.2f}"


@pytest.mark.slow
def test_each_locale_of_babel_writes_numbers_that_can_be_read_back() -> None:
    for name in localedata.locale_identifiers():
        if name == "root":
            continue
        tag = check_tag(name.replace("_", "-"))
        with localized(tag):
            text = number(1_234_567.5, 1)
            assert read_count(number(1_234_567)) == 1_234_567, tag
            assert conventions().read(text) == ("1,234,567.5" if conventions().group in text else "1234567.5"), tag
            shown = Formats("€").value(1183, "money"), Formats().percent(0.46), Formats().date("2014-06-29"), text
            assert all(c in "0123456789" for part in shown for c in part if c.isdigit()), tag
            assert "€" in shown[0] and "46" in shown[1] and "2014" in shown[2], tag
            assert conventions().locale.language == "en" or not any(c.isascii() and c.isalpha() for c in shown[2]), tag


def test_a_locale_ends_with_its_context_even_after_an_error() -> None:
    with pytest.raises(ValueError), localized("de"):
        raise ValueError
    assert number(0.5, 1) == "0.5"


@pytest.mark.parametrize(
    ("tag", "near"),
    [
        ("klingon", ""),
        ("en_US", "en-US"),
        ("de-XY", "de-"),
        ("pt-BZ", "pt-"),
        ("de-u-nu-arab", ""),
        ("", ""),
        ("root", ""),
    ],
)
def test_an_unknown_locale_is_told_with_those_that_are_near(tag: str, near: str) -> None:
    block = {**project_study().model_dump(mode="json"), "locale": tag}
    with pytest.raises(InputError, match=r"segmentation\.locale(?s:.*)such as en, de, fr-CH or pt-BR") as error:
        check_study(block)
    assert near in str(error.value) and ("Did you mean" in str(error.value)) >= bool(near)


def test_a_locale_may_be_written_in_any_capitals() -> None:
    assert check_study({**project_study().model_dump(mode="json"), "locale": "PT-br"}).locale == "pt-BR"
