# ruff: noqa: E501
"""Columns that tell who a customer is, and columns that do not although they look a little like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

N = 600
RNG = np.random.default_rng(22)
Values = Sequence[object] | np.ndarray
SURNAMES = [
    "Meier",
    "Schmidt",
    "Fischer",
    "Weber",
    "Wagner",
    "Becker",
    "Hoffmann",
    "Schulz",
    "Koch",
    "Richter",
    "Klein",
    "Wolf",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hartmann",
    "Lange",
    "Werner",
    "Lehmann",
    "Köhler",
    "Maier",
    "Huber",
    "Kaiser",
    "Fuchs",
    "Peters",
    "Lang",
    "Scholz",
    "Möller",
]
TOWNS = [
    "Berlin",
    "Hamburg",
    "München",
    "Köln",
    "Frankfurt",
    "Stuttgart",
    "Leipzig",
    "Dresden",
    "Bremen",
    "Essen",
    "Rostock",
    "Kiel",
]


def _levels(values: Values, n: int = N) -> np.ndarray:
    """Give each row one of the values at random."""
    return RNG.choice(np.asarray(values), n)


def _codes(low: int, high: int, n: int = N) -> np.ndarray:
    return RNG.choice(np.arange(low, high), n, replace=False)


_LATITUDES, _LONGITUDES = RNG.uniform(47.3, 54.9, N), RNG.uniform(6.1, 14.9, N)
PERSONAL: dict[str, dict[str, Values]] = {
    "log-in names": {
        "c1": _levels([f"{a}{b.lower()}" for a, b in zip("abcdefghijklmnopqrstuvwxyzabcd", SURNAMES, strict=True)])
    },
    "surnames before an initial": {
        "c1": _levels([f"{b.lower()}{a}" for a, b in zip("abcdefghijklmnopqrst", SURNAMES, strict=False)])
    },
    "log-in names with dots": {
        "u": _levels([f"{b.lower()}.{a}" for a, b in zip("abcdefghijklmnopqrst", SURNAMES, strict=False)])
    },
    "surnames": {"c1": _levels(SURNAMES)},
    "surnames in capitals": {"field_7": _levels([name.upper() for name in SURNAMES])},
    "surnames in other languages": {
        "c1": _levels(
            [
                "Dupont",
                "Martin",
                "Bernard",
                "Garcia",
                "Martinez",
                "Lopez",
                "Silva",
                "Santos",
                "Rossi",
                "Ferrari",
                "Bianchi",
                "Jansen",
                "Smith",
                "Jones",
                "Brown",
            ]
        )
    },
    "titles and surnames": {
        "c1": _levels([f"{'Herr' if i % 2 else 'Frau'} {name}" for i, name in enumerate(SURNAMES)])
    },
    "local telephone numbers": {"c1": [f"{RNG.integers(200, 999)}-{RNG.integers(0, 9999):04d}" for _ in range(N)]},
    "local numbers with a stroke": {
        "c1": [f"{RNG.integers(20, 99)}/{RNG.integers(100_000, 999_999)}" for _ in range(N)]
    },
    "local numbers with spaces": {
        "c1": [f"{RNG.integers(20, 99)} {RNG.integers(10, 99)} {RNG.integers(10, 99)}" for _ in range(N)]
    },
    "local numbers without a sign": {"c1": _codes(2_000_000, 9_999_999)},
    "account numbers over ten": {"c1": _codes(100_000, 999_999) / 10},
    "client numbers over ten": {"c1": _codes(10_000, 99_999) / 10},
    "account numbers over a hundred": {"c1": _codes(1_000_000, 9_999_999) / 100},
    "postcodes of five digits": {"c1": _levels(_codes(10_115, 99_000, 40))},
    "postcodes of one region": {"c1": _levels(18_055 + 2 * np.arange(40))},
    "postcodes of four digits": {"c1": _levels(_codes(1_010, 9_990, 40))},
    "postcodes and places": {"c1": _levels([f"{18_055 + 2 * i} {town}" for i, town in enumerate(TOWNS * 3)])},
    "postcodes of Poland": {"c1": _levels([f"{10 + i}-{200 + 3 * i}" for i in range(40)])},
    "postcodes of Brazil": {"c1": _levels([f"{1_310 + 17 * i:05d}-{100 + i}" for i in range(40)])},
    "latitudes of three digits": {"c1": (54.08 + RNG.normal(0, 0.05, N)).round(3)},
    "both coordinates of three digits": {
        "c1": (41.9 + RNG.normal(0, 0.05, N)).round(3),
        "c2": (12.5 + RNG.normal(0, 0.05, N)).round(3),
    },
    "both coordinates of a country": {"c1": _LATITUDES.round(5), "c2": _LONGITUDES.round(5)},
    "both coordinates of the world": {"y": RNG.uniform(-50, 70, N).round(4), "x": RNG.uniform(-170, 175, N).round(4)},
    "coordinates of repeated places": {
        "c1": np.resize(_LATITUDES[:60].round(4), N),
        "c2": np.resize(_LONGITUDES[:60].round(4), N),
    },
    "coordinates in one cell": {"c1": [f"{a:.4f}, {b:.4f}" for a, b in zip(_LATITUDES, _LONGITUDES, strict=True)]},
    "tax numbers": {"c1": [f"{i % 90 + 10}/{i % 800 + 100}/{RNG.integers(10_000, 99_999)}" for i in range(N)]},
    "card numbers masked": {"c1": [f"XXXX-XXXX-XXXX-{i + 1000}" for i in range(N)]},
    "identifiers of devices": {"c1": [f"{i * 2**100 + 0xABCDEF:032x}" for i in range(1, N + 1)]},
    "last digits of cards": {"last4": RNG.integers(1_000, 10_000, N)},
    "last digits with zeros in front": {"c1": RNG.integers(0, 10_000, N)},
    "tokens of several rows": {"c1": _levels([f"{x:x}" for x in RNG.integers(2**36, 2**40, 40)])},
    "short digests of several rows": {"c1": _levels([f"{x:06x}" for x in RNG.integers(2**20, 2**24, 40)])},
    "Japanese names": {
        "c1": _levels([a + b for a in ("佐藤", "鈴木", "高橋", "田中") for b in ("太郎", "花子", "健", "美咲")])
    },
    "Korean names": {"c1": _levels([a + b for a in "김이박최정" for b in ("민준", "서연", "지훈")])},
    "Arabic names": {
        "c1": _levels([f"{a} {b}" for a in ("محمد", "فاطمة", "خالد", "مريم") for b in ("السيد", "النجار", "حداد")])
    },
    "numbers of members": {"c1": [f"M-{i}" for i in _codes(10_000, 99_999)]},
}
"""Columns by what they hold: name and values of each."""
INNOCENT: dict[str, dict[str, Values]] = {
    "product codes": {"product": _levels([f"P{i:03d}" for i in range(8)])},
    "article numbers": {"sku": _levels([f"SKU-{i}" for i in range(200, 230)])},
    "article numbers in German": {"Artikelgruppe": _levels([f"AG{i}" for i in range(100, 130)])},
    "article numbers of one form": {"c1": _levels([f"AB12C{i}" for i in range(8)])},
    "kinds of goods in Korean": {"c1": _levels(["노트북", "냉장고", "세탁기", "텔레비전", "휴대폰", "카메라", "청소기", "전자레인지", "에어컨", "오븐", "선풍기", "모니터"])},
    "kinds of goods in Japanese": {"c1": _levels(["牛乳", "小麦粉", "石鹸", "田舎味噌", "醤油", "果物", "野菜", "鶏肉", "牛肉", "豆腐", "海苔", "緑茶"])},
    "kilometres a year": {"c1": RNG.integers(1_500, 9_000, N)},
    "few codes": {"c1": _levels([f"A{i}00" for i in range(1, 8)])},
    "sizes of clothes": {"size": _levels(["XS", "S", "M", "L", "XL"])},
    "plans": {"plan": _levels(["Basic 100", "Plus 250", "Max 500"])},
    "tariffs": {"tariff": _levels([f"Tariff {i}" for i in range(1, 15)])},
    "shops": {"store": _levels([f"Store {i}" for i in range(1, 25)])},
    "airports": {"airport": _levels(["FRA", "JFK", "LHR", "CDG", "MUC", "HAM", "AMS", "MAD", "LIS", "FCO", "VIE", "ZRH", "OSL"])},
    "countries": {"country": _levels(["Germany", "France", "Spain", "Portugal", "Italy", "Netherlands"])},
    "codes of countries": {"c1": _levels(["DE", "FR", "ES", "PT", "IT", "NL", "AT", "CH", "BE", "PL", "CZ", "DK", "SE"])},
    "towns": {"city": _levels(TOWNS)},
    "few towns without a telling name": {"c1": _levels(TOWNS[:8])},
    "towns in America": {"c1": _levels(["Austin", "Houston", "Dallas", "Denver", "Chicago", "Boston", "Seattle", "Phoenix"])},
    "towns of two words": {"city": _levels(["New York", "San Diego", "Los Angeles", "Las Vegas", "San Jose", "Fort Worth"])},
    "brands": {"brand": _levels(["Bosch", "Braun", "Miele", "Siemens", "Philips", "Ford", "Opel", "Audi"])},
    "makes of cars without a telling name": {"c1": _levels(["Audi", "Opel", "Ford", "Seat", "Fiat", "Skoda", "Volvo", "Mazda"])},
    "colours": {"c1": _levels(["red", "green", "blue", "black", "white", "grey"])},
    "jobs": {"job": _levels(["Nurse", "Teacher", "Cook", "Engineer", "Driver", "Farmer"])},
    "jobs without a telling name": {"c1": _levels(["Nurse", "Teacher", "Cook", "Engineer", "Driver", "Farmer", "Clerk", "Baker"])},
    "degrees": {"education": _levels(["Basic", "Graduation", "Master", "PhD", "2n Cycle"])},
    "days of the week": {"c1": _levels(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])},
    "months": {"c1": _levels(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])},
    "seasons": {"c1": _levels(["Spring", "Summer", "Autumn", "Winter"])},
    "kinds of pets": {"c1": _levels(["Dog", "Cat", "Fish", "Bird", "Horse"])},
    "genres": {"genre": _levels(["Rock", "Jazz", "Pop", "Folk", "Soul", "Blues"])},
    "browsers": {"browser": _levels(["Chrome", "Firefox", "Safari", "Edge", "Opera"])},
    "devices": {"device": _levels(["iPhone 12", "iPhone 13", "Galaxy S21", "Galaxy S22", "Pixel 6"])},
    "versions": {"version": _levels(["3.1.0", "3.1.1", "3.2.0", "4.0.0"])},
    "answers of several words": {"c1": _levels(["very good", "rather good", "rather bad", "very bad"])},
    "channels": {"channel": _levels(["Web", "Store", "Catalogue", "App"])},
    "reasons": {"reason": _levels(["Too expensive", "Moved away", "Bad service", "No longer needed"])},
    "campaigns": {"campaign": _levels([f"Spring sale {i}" for i in range(2015, 2024)])},
    "ranges of ages": {"age group": _levels(["18-24", "25-34", "35-49", "50-64", "65+"])},
    "ranges of incomes": {"income": _levels([f"{i}-{i + 9_999}" for i in range(10_000, 160_000, 10_000)])},
    "ranges of spending": {"c1": _levels(["0-100", "100-500", "500-1000", "1000-5000"])},
    "years": {"since": _levels(np.arange(1985, 2024))},
    "years without a telling name": {"c1": _levels(np.arange(1950, 2010))},
    "scores of one to five": {"score": RNG.integers(1, 6, N)},
    "scores up to a hundred": {"points": RNG.integers(1, 101, N)},
    "scores up to a thousand": {"credit points": RNG.normal(650, 90, N).round()},
    "percentages": {"c1": RNG.uniform(0, 100, N).round(1)},
    "exact percentages": {"used pct": RNG.uniform(0, 100, N).round(4)},
    "shares": {"c1": RNG.beta(2, 5, N).round(4)},
    "two shares": {"c1": RNG.beta(2, 5, N).round(5), "c2": RNG.beta(3, 3, N).round(5)},
    "two scores": {"c1": RNG.normal(0, 1, N).round(5), "c2": RNG.normal(0, 2, N).round(5)},
    "two changes": {"c1": RNG.normal(3, 12, N).round(1), "c2": RNG.normal(5, 20, N).round(1)},
    "prices": {"price": RNG.choice([9.99, 14.99, 19.99, 24.99, 49.99], N)},
    "prices without a telling name": {"c1": RNG.choice([9.99, 14.99, 19.99, 24.99, 49.99, 99.99], N)},
    "many prices": {"c1": (RNG.integers(5, 400, N) + 0.99).round(2)},
    "whole prices": {"c1": RNG.choice(np.arange(1_499, 9_999, 500), N)},
    "amounts": {"c1": RNG.gamma(2, 300, N).round(2)},
    "large amounts": {"c1": RNG.lognormal(9, 1, N).round(2)},
    "amounts with one digit": {"c1": RNG.gamma(2, 3_000, N).round(1)},
    "salaries": {"salary": RNG.normal(52_000, 9_000, N).round(-2)},
    "salaries to the unit": {"salary": RNG.normal(52_000, 9_000, N).round()},
    "counts": {"orders": RNG.poisson(9, N)},
    "large counts": {"steps": RNG.integers(2_000, 20_000, N)},
    "views": {"c1": RNG.poisson(2_000, N)},
    "minutes": {"c1": RNG.gamma(2, 40, N).round()},
    "kilometres": {"km": RNG.gamma(2, 9_000, N).round()},
    "weights of bodies": {"c1": RNG.normal(74, 12, N).round(1)},
    "heights of bodies": {"c1": RNG.normal(1.73, 0.09, N).round(2)},
    "temperatures": {"c1": RNG.normal(36.7, 0.4, N).round(1)},
    "acidities": {"c1": RNG.normal(7.4, 0.05, N).round(3)},
    "prices of fuel": {"c1": RNG.normal(1.62, 0.07, N).round(3)},
    "sizes of memory": {"c1": RNG.choice([1_024, 2_048, 4_096, 8_192], N)},
    "square metres": {"c1": RNG.normal(95, 30, N).round()},
    "days since": {"c1": RNG.integers(0, 900, N)},
    "answers in order": {"c1": _levels(["never", "rarely", "sometimes", "often", "always"])},
}  # fmt: skip
"""Columns that may be used, by what they hold."""
