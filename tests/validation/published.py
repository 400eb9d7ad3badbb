"""Numbers that others published about public data, beside what this code finds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.clustering.algorithms import ALGORITHMS, Matrix
from analysis.clustering.algorithms.published import fit_solutions
from analysis.clustering.resample import agreements, draw_labels, own_jaccard, silhouettes, summarise
from analysis.customers.assembly import assemble
from analysis.customers.cleaning import clean
from analysis.customers.descriptions import Columns
from analysis.customers.purchase_models import fit_purchases
from analysis.customers.transactions import purchase_histories
from analysis.features.build import FeatureTable, build_features
from analysis.features.prepare import Prepared, prepare
from analysis.report.trials import Published
from analysis.settings.load import load_study
from analysis.settings.models import Study
from analysis.sources.inputs import read_source

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "data", ROOT.parent / "shared" / "datasets")
"""Where the public data files may be."""
DRAWS = 80
"""Bootstrap samples behind a stability."""


def find_dataset(name: str) -> Path | None:
    """Find a public data file; None where it is not there."""
    return next((folder / name for folder in FOLDERS if (folder / name).is_file()), None)


def prepare_study(profile: str, file: Path) -> tuple[Study, FeatureTable, Prepared]:
    """Take a file as far as the algorithms, by the settings of a profile."""
    study = load_study(ROOT, profile)
    whole = assemble([read_source(file, ROOT, study.sources[0], "sources[0]")], study)
    cleaned = clean(whole.raw, whole.source, study, whole.as_of)
    table = build_features(cleaned, whole.source, study, whole.described)
    return study, table, prepare(table, study)


def stabilities(points: Matrix, ks: tuple[int, ...], starts: int = 3) -> list[float]:
    """Median stability of k-means for each number of segments."""
    draws = draw_labels(points, points, ALGORITHMS["kmeans"], ks, starts, [(7, draw) for draw in range(DRAWS)])
    return [summarise(agreements([draw[i].labels for draw in draws])).median for i in range(len(ks))]


def wards_own(points: Matrix, k: int) -> list[float]:
    """Stability of Ward's own groups, the least first."""
    (fit,) = fit_solutions(points, ALGORITHMS["ward"], (k,), 7)
    draws = draw_labels(points, points, ALGORITHMS["ward"], (k,), 3, [(7, draw) for draw in range(DRAWS)])
    members = fit.by_size(points).members
    assert members is not None
    each = [own_jaccard(members, draw[0].members, k) for draw in draws if draw[0].members is not None]
    return sorted(np.mean(each, axis=0).tolist())


def compare_published() -> tuple[Published, ...]:
    """Compare what the data files that are there allow."""
    found: list[Published] = []
    if file := find_dataset("marketing_campaign.csv"):
        _, _, prepared = prepare_study("notebook", file)
        points = np.ascontiguousarray(prepared.matrix[prepared.core])
        source = "Public notebook on marketing_campaign.csv"
        (fit,) = fit_solutions(points, ALGORITHMS["kmeans"], (4,), 7)
        replicated = stabilities(points, (2, 3, 4, 5, 6))
        separation = float(np.mean(silhouettes(points, [fit.assign(points)])[0]))
        found += [
            Published("Stability of k-means with 2 to 6 segments", source, *_told(KMEANS, replicated)),
            Published("Stability of Ward's four groups", source, *_told(WARD, wards_own(points, 4))),
            Published("Silhouette of k-means with 4 segments", source, *_told((0.373,), [separation], 3)),
        ]
    if file := find_dataset("CDNOW_sample.txt"):
        names = ["master", "customer", "date", "cds", "dollars"]
        table = pd.read_csv(file, sep=r"\s+", names=names, dtype={"customer": str})
        table = table.assign(date=pd.to_datetime(table["date"].astype(str)))
        histories = purchase_histories(table, Columns("customer", "date", "dollars"), as_of=date(1997, 9, 30))
        model = fit_purchases(histories["x"], histories["t_x"], histories["T"])
        numbers = [model.r, model.alpha, model.a, model.b]
        found.append(
            Published(
                "Purchase model of the CDNOW sample: r, alpha, a, b",
                "Fader, Hardie and Lee 2005",
                *_told(CDNOW, numbers, 3),
            )
        )
    return tuple(found)


KMEANS = (0.978, 0.976, 0.967, 0.897, 0.768)
"""Stability of the notebook's recipe, 2 to 6 segments."""
WARD = (0.70, 0.73, 0.89, 0.95)
"""Stability of its four groups by Ward's method."""
CDNOW = (0.243, 4.414, 0.793, 2.426)
"""Parameters r, alpha, a and b of the purchase model (Fader, Hardie and Lee 2005)."""


def _told(published: tuple[float, ...], found: list[float], digits: int = 2) -> tuple[str, str]:
    published_text, found_text = (", ".join(f"{x:.{digits}f}" for x in numbers) for numbers in (published, found))
    return published_text, found_text
