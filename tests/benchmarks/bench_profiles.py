"""Time profiles and personas of a million synthetic customers with twelve features and a category."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.base.run import USERS
from analysis.clustering.algorithms import sample_rows
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.profile import profile_segments
from analysis.segments.personas import write_personas
from analysis.segments.plans.playbook import read_playbook
from analysis.settings.load import load_study
from tests.refits import as_they_are, same_segments

ROOT = Path(__file__).resolve().parents[2]
SOUND = SegmentEvidence(0.9, "highly stable", 0.3, 0.5)


def main() -> None:
    """Read the options, make the customers, print one line a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=12)
    options = parser.parse_args()
    table, labels = make_customers(options.customers, options.features)
    study = load_study(ROOT).model_copy(update={"value": "x0", "names": {}})
    forming = tuple(table.of("feature"))
    matrix = table.frame[[v.name for v in forming]].to_numpy()
    looked = sample_rows(len(labels), USERS.judged_rows, seed=1)
    refits = replace(same_segments(labels[looked]), rows=looked)
    started = time.perf_counter()
    profiles = profile_segments(table, labels, matrix, as_they_are(table, forming), study, refits)
    profiled = time.perf_counter()
    plays = read_playbook(ROOT / "templates" / "playbook.yml")
    write_personas(profiles, (SOUND,) * 4, table.variables, study, plays)
    print(f"{options.customers:,} customers, {options.features} features")
    print(f"  profiles {profiled - started:6.2f} s")
    print(f"  personas {time.perf_counter() - profiled:6.2f} s")


def make_customers(n: int, p: int) -> tuple[FeatureTable, np.ndarray]:
    """Make four groups on p features, with a descriptor, an answer and a category that did not form them."""
    rng = np.random.default_rng(11)
    labels = rng.integers(1, 5, n).astype(np.int16)
    features = {f"x{i}": rng.gamma(2.0, 10.0, n) * (1 + (labels == 1 + i % 4)) for i in range(p)}
    described = {
        "age": rng.normal(45, 12, n).round(),
        "yes": (rng.random(n) < labels / 8).astype(float),
        "region": np.array(["North", "East", "South", "West", "Abroad"], object)[rng.integers(0, 5, n)],
    }
    units = {"age": "years", "yes": "yes_no", "region": "category"}
    frame = pd.DataFrame({**features, **described})
    variables = tuple(
        Variable(
            name, name.title(), units.get(name, "number"), "descriptor" if name in described else "feature", name,
            (name,), "", "", "", "auto", name == "region",
        )
        for name in map(str, frame)
    )  # fmt: skip
    return FeatureTable(frame, variables), labels


if __name__ == "__main__":
    main()
