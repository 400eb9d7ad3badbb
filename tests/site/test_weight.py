"""A table of a hundred columns still gives a page that a phone can load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.small_studies import SHOP, build_report, make_shop, render_and_check, write_study

N_COLUMNS = 100


def wide_shop(n_customers: int = 240) -> tuple[dict[str, Any], pd.DataFrame]:
    """Make a shop whose customers answered many questions, with gaps of all kinds."""
    rng = np.random.default_rng(12)
    shop = make_shop(n_customers)
    mood = rng.standard_normal(n_customers)
    answers: dict[str, Any] = {}
    for i in range(N_COLUMNS - shop.shape[1]):
        name = f"How often do you look at shelf {i} before you pay?"
        numbers = mood * rng.random() + rng.standard_normal(n_customers)
        kind = i % 4
        if kind == 0:
            answers[name] = pd.Series((1000 * np.exp(numbers)).round(2))
        elif kind == 1:
            answers[name] = pd.Series(numbers.round(3))
        elif kind == 2:
            answers[name] = pd.Series((numbers > 0.4).astype(int))
        else:
            levels = [f"{word} on most days" for word in ("Never", "Seldom", "Often", "Always", "Gladly")]
            answers[name] = pd.Series(np.array(levels)[np.digitize(numbers, [-1, 0, 0.7, 1.3])])
        answers[name] = answers[name].astype(object).mask(rng.random(n_customers) < rng.choice([0, 0.03, 0.2]))
    roles = SHOP["sources"][0]["roles"]
    source = {**SHOP["sources"][0], "roles": {**roles, "descriptor": [*roles["descriptor"], *answers]}}
    return {**SHOP, "segments": 3, "sources": [source]}, shop.assign(**answers)


def test_the_page_of_a_hundred_columns_stays_within_its_weight(project: Path) -> None:
    settings, customers = wide_shop()
    assert customers.shape[1] == N_COLUMNS
    write_study(project, settings, customers)
    report = build_report(project)
    assert len(report.data.columns) == N_COLUMNS
    assert report.data.correlations.n_variables > len(report.data.correlations.labels)
    refusals = render_and_check(project)
    assert [str(r) for r in refusals if r.file == "site/data.html" or r.rule != "weight"] == []
