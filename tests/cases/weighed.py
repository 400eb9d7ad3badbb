"""Made-up files with survey weights, and with weights of bodies and goods, which are none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tests.cases.corpus import N_CUSTOMERS, N_RESPONDENTS, Case, answers, customers, text

ONE_EACH = {"kind": "customers", "n": N_CUSTOMERS}
SURVEY = {"kind": "survey", "n": N_RESPONDENTS}
NAMES = (
    *("survey_weight", "sample weight", "finalwgt", "pweight", "Gewichtungsfaktor", "Hochrechnungsfaktor"),
    *("pondération", "poids de sondage", "coef redressement", "ponderación", "factor de expansión", "fexp"),
    *("ponderação", "fator de expansão", "ponderazione", "peso campionario", "coefficiente di riporto"),
    *("weegfactor", "steekproefgewicht", "wegingsfactor"),
)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _scaled(n: int, seed: int = 1) -> np.ndarray:
    weights = _rng(seed).lognormal(0, 0.5, n)
    return (weights / weights.mean()).round(4)


def survey_weights() -> Iterator[Case]:
    """Make survey weights under the names of seven languages, scaled to a mean of 1 or as expansion factors."""
    table = customers()
    for i, name in enumerate(NAMES):
        values = _scaled(N_CUSTOMERS, i) if i % 2 else (1_000 * _scaled(N_CUSTOMERS, i)).round()
        expect = {
            **ONE_EACH,
            "key": "customer_id",
            "roles": {name: "weight"},
            "no": [name],
            "feat": ["orders", "visits"],
        }
        yield Case(f"weight_{i}.csv", text(table.assign(**{name: values})), expect)
    items = pd.DataFrame({f"q{i + 1}": column for i, column in enumerate(answers().T)})
    for name in ("weight", "Gewicht", "poids", "peso", "wt"):
        asked = {**SURVEY, "roles": {name: "weight"}, "no": [name], "feat": ["q1", "q6"]}
        yield Case(f"survey_{name}.csv", text(items.assign(**{name: _scaled(N_RESPONDENTS)})), asked)
    whole = items.assign(weighting_factor_sample_weight=_rng(4).integers(1, 5, N_RESPONDENTS))
    name = "weighting_factor_sample_weight"
    yield Case("survey_whole.csv", text(whole), {**SURVEY, "roles": {name: "weight"}, "no": [name], "feat": ["q1"]})
    census = table.drop(columns="customer_id").assign(fnlwgt=_rng(5).integers(12_285, 1_484_705, N_CUSTOMERS))
    yield Case("census.csv", text(census), {**ONE_EACH, "key": None, "roles": {"fnlwgt": "weight"}, "no": ["fnlwgt"]})
    several = table.assign(dweight=_scaled(N_CUSTOMERS, 2), pspwght=_scaled(N_CUSTOMERS, 3))
    kept = {"dweight": "ignore", "pspwght": "ignore"}
    yield Case("two_weights.csv", text(several), {**ONE_EACH, "roles": kept, "no": list(kept)})


def other_weights() -> Iterator[Case]:
    """Make weights of bodies and goods: they stay what they are."""
    table = customers()
    body = _rng(6).normal(74, 12, N_CUSTOMERS).clip(40, 150).round(1)
    height = _rng(7).normal(1.73, 0.09, N_CUSTOMERS).round(2)
    goods = _rng(8).gamma(2, 250, N_CUSTOMERS).round(1) + 55
    for i, (name, values, more) in enumerate(
        (
            ("weight_kg", body, {}),
            ("Weight", body, {}),
            ("Weight", body, {"Height": height * 100}),
            ("Gewicht", body, {"Größe": height * 100}),
            ("peso", body, {}),
            ("poids", body.round(), {"taille": (height * 100).round()}),
            ("body weight", body, {}),
            ("Gewicht", goods, {}),
            ("package weight", goods / 500, {}),
            ("net_weight", goods / goods.mean(), {}),
            ("weight", (body / body.mean()).round(3), {"height": height * 100}),
            ("weight loss", _scaled(N_CUSTOMERS), {}),
        )
    ):
        expect = {**ONE_EACH, "roles": {name: "feature"}, "feat": ["orders", name]}
        yield Case(f"other_weight_{i}.csv", text(table.assign(**more, **{name: values})), expect)


def cases() -> list[Case]:
    """Make all cases."""
    return [*survey_weights(), *other_weights()]
