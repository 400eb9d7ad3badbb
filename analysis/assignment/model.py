"""Model that places new customers: made of a study, written and read as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.errors import InputError
from analysis.base.expressions import parse
from analysis.clustering.algorithms import Classes, Fit, Labels, Matrix, distances
from analysis.clustering.use.tiers import TierRule
from analysis.customers.assembly import Assembled
from analysis.customers.cleaning import Cleaned
from analysis.features.prepare import Prepared, Step
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.tables import Known, RawTable

UNLIKE = 0.99
"""A customer farther from its segment than this share of the fitted ones is unlike anyone seen."""
VERSION = 4
TYPES = ("number", "date", "category", "boolean")
"""Types of columns that a new file is read with, as its few rows may not show them."""
PARTS = ("types", "units", "merge", "ordered", "plausible")
"""Settings of a source by column that change the values of features."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a segment is called on the site; ``slug`` is the last part of its page's address."""

    letter: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Model:
    """What places new customers.

    Attributes
    ----------
    study : Study
        The settings that their features need, and no others.
    names : tuple of str
        What the study's sources are called, in order; new files take these names.
    forming : tuple of str
        Columns that form segments without a formula, including computed ones.
    codes : dict of str to tuple of str
        Levels of text that stand for numbers, by column.
    levels : tuple of dict
        Of each source, the categories and channels that have a share of their own.
    steps : tuple of Step
    axes : ndarray, shape (p, q), optional
    fit : Fit
    unlike : tuple of float, length k + 1
        Distance beyond which a customer is unlike all others, by segment; that of the unassigned first.
    types : tuple of dict of str to str, or to dict of str to float
        Of each source, the types of the columns that features are made of; the numbers of texts that became numbers.
    segments : tuple of Name, length k
        What the segments are called on the site; empty before they are named.
    tiers : TierRule, optional
        What places a customer in one half of a segment.
    """

    study: Study
    names: tuple[str, ...]
    forming: tuple[str, ...]
    codes: dict[str, tuple[str, ...]]
    levels: tuple[dict[str, tuple[str | None, ...]], ...]
    steps: tuple[Step, ...]
    axes: Matrix | None
    fit: Fit
    unlike: tuple[float, ...]
    types: tuple[dict[str, Known], ...] = ()
    segments: tuple[Name, ...] = ()
    tiers: TierRule | None = None

    def described(self) -> tuple[str, ...]:
        """List the columns that are taken without a formula: those that form segments, and that halves are cut by."""
        tiers = self.tiers
        more = () if tiers is None or tiers.variable in {*self.forming, *self.study.features} else (tiers.variable,)
        return (*self.forming, *more)

    def needed(self) -> frozenset[str]:
        """List the columns that the features depend on."""
        columns = {name for f in self.study.features.values() for name in parse(f.formula).names}
        items = {item for source in self.study.sources for item in source.centred()}
        return frozenset(columns | items | set(self.described()))


def make_model(
    study: Study, raws: Sequence[RawTable], whole: Assembled, cleaned: Cleaned, prepared: Prepared,
    fit: Fit, labels: Labels, tiers: TierRule | None = None,
) -> Model:  # fmt: skip
    """Keep what places new customers as these were placed."""
    names = [step.name for step in prepared.steps]
    used = {*names, tiers.variable} if tiers else set(names)
    features = {name: feature for name, feature in study.features.items() if name in used}
    forming = tuple(name for name in names if name not in features)
    away = measure_distances(fit, prepared.matrix)[1]
    reaches = [away[labels == j] if fit.points is None else away for j in range(fit.k + 1)]
    sources = tuple(_with_order(source, raw) for source, raw in zip(study.sources, raws, strict=True))
    return Model(
        study=study.model_copy(update={"features": features, "sources": sources}),
        names=tuple(raw.name for raw in raws),
        forming=forming,
        codes={
            name: list_levels(cleaned.frame[name])
            for name in forming
            if study.encode == "label" and is_text(cleaned.frame[name])
        },
        levels=tuple({role: tuple(of) for role, of in whole.levels.get(i, {}).items()} for i in range(len(raws))),
        steps=prepared.steps,
        axes=prepared.axes,
        fit=fit,
        unlike=tuple(float(np.quantile(reach, UNLIKE)) if len(reach) else 0.0 for reach in reaches),
        tiers=tiers,
        types=tuple({c.name: dict(c.codes) or c.type for c in raw.columns if c.type in TYPES} for raw in raws),
    )


def to_json(model: Model) -> str:
    """Return the model as JSON text."""
    fit = {
        name: None if getattr(model.fit, name) is None else getattr(model.fit, name).tolist()
        for name in ("centres", "points", "point_labels", "shapes", "shares")
    }
    content = {
        "schema_version": VERSION,
        "study": _settings(model),
        "names": model.names,
        "forming": model.forming,
        "codes": model.codes,
        "levels": model.levels,
        "steps": [asdict(step) for step in model.steps],
        "axes": None if model.axes is None else model.axes.tolist(),
        "fit": {
            **fit,
            "radius": model.fit.radius,
            "classes": model.fit.classes and {**asdict(model.fit.classes), "points": model.fit.classes.points.tolist()},
        },
        "unlike": model.unlike,
        "types": [
            {c: kind for c, kind in types.items() if c in _own_columns(model, at)}
            for at, types in enumerate(model.types)
        ],
        "segments": [asdict(segment) for segment in model.segments],
    }
    if model.tiers is not None:
        content["tiers"] = asdict(model.tiers)
    return json.dumps(content, indent=1) + "\n"


def read_model(path: Path) -> Model:
    """Read ``build/model.json``.

    Raises
    ------
    InputError
        Where there is none, or one of another version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != VERSION:
            raise ValueError
        fit = content["fit"]
        kinds: dict[str, Any] = dict.fromkeys(("centres", "points", "shapes", "shares"), float)
        kinds["point_labels"] = np.int16
        arrays: dict[str, Any] = {
            name: None if fit[name] is None else np.array(fit[name], dtype=kind) for name, kind in kinds.items()
        }
        return Model(
            check_study(content["study"]),
            tuple(content["names"]),
            tuple(content["forming"]),
            {column: tuple(levels) for column, levels in content["codes"].items()},
            tuple({role: tuple(of) for role, of in levels.items()} for levels in content["levels"]),
            tuple(map(_read_step, content["steps"])),
            None if content["axes"] is None else np.array(content["axes"]),
            Fit(**arrays, radius=fit["radius"], classes=_read_classes(fit["classes"])),
            tuple(content["unlike"]),
            tuple(content["types"]),
            tuple(Name(**segment) for segment in content["segments"]),
            _read_tiers(content.get("tiers")),
        )
    except FileNotFoundError:
        raise InputError("build/model.json does not exist yet.", hint="Run: python -m analysis build") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "build/model.json is from another version of the tool or damaged.",
            hint="Run: python -m analysis build --force",
        ) from None


def _read_classes(classes: dict[str, Any] | None) -> Classes | None:
    if classes is None:
        return None
    points = np.array(classes["points"], dtype=float)
    return Classes(points, classes["aic3"], classes["entropy_r2"], classes["error"])


def _read_tiers(tiers: dict[str, Any] | None) -> TierRule | None:
    return None if tiers is None else TierRule(tiers["by"], tiers["variable"], tuple(tiers["cuts"]))


def _read_step(step: dict[str, Any]) -> Step:
    read: dict[str, Any] = {**step, "limits": step["limits"] and tuple(step["limits"])}
    return Step(**read)


def measure_distances(fit: Fit, matrix: Matrix) -> tuple[Matrix, NDArray[np.float64]]:
    """How far each customer is from each segment, shape (m, k), and how far it is from what was seen, shape (m,).

    Both are distances to the nearest centre; for a density method to the nearest dense customer; for a mixture the
    first is what its rule makes smallest, the second the distance in standard deviations of the likeliest ellipse; for
    latent classes the first is the same, the second the distance to the mean of the likeliest class.
    """
    if fit.points is not None and fit.point_labels is not None:
        near = [_to_nearest(matrix, fit.points[fit.point_labels == j]) for j in range(1, fit.k + 1)]
        costs = np.column_stack(near)
        return costs, costs.min(axis=1)
    costs = fit.costs(matrix)
    if fit.classes is not None:
        return costs, np.sqrt(distances(matrix, fit.centres)[np.arange(len(matrix)), costs.argmin(axis=1)])
    if fit.shapes is None:
        np.sqrt(costs, out=costs)
        return costs, costs.min(axis=1)
    labels = costs.argmin(axis=1)
    away = np.empty(len(matrix))
    for j in range(fit.k):
        members = labels == j
        away[members] = np.sqrt((((matrix[members] - fit.centres[j]) @ fit.shapes[j]) ** 2).sum(axis=1))
    return costs, away


def _to_nearest(matrix: Matrix, points: Matrix) -> NDArray[np.float64]:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(points).kneighbors(matrix)[0][:, 0]


def _with_order(source: Source, raw: RawTable) -> Source:
    """The settings of a source with the order of its dates, which the few dates of new customers may not show."""
    if source.dates == "auto" and any(c.type == "date" and c.note.startswith("month first") for c in raw.columns):
        return source.model_copy(update={"dates": "month-first"})
    return source


def _own_columns(model: Model, at: int) -> frozenset[str]:
    """The columns of a source that features are made of, as they are called in its file."""
    name, source = model.names[at], model.study.sources[at]
    needed = model.needed()
    rows = {column for part, column in source.columns.model_dump().items() if column and part != "customer"}
    taken = {c for c in model.types[at] if f"{name}_{c}" in needed}
    return frozenset(needed | rows | taken | {*source.totals, *source.balances})


def _settings(model: Model) -> dict[str, Any]:
    """The settings that a new customer's features need."""
    needed = model.needed()
    sources = []
    for name, source in zip(model.names, model.study.sources, strict=True):
        settings = source.model_dump(mode="json", exclude={"roles", "labels", "battery", "origin"})
        settings["roles"] = {"ignore": list(source.roles.ignore)}
        settings["battery"] = list(source.centred())
        row_columns = {source.key, *source.columns.model_dump().values()}
        for part in PARTS:
            remaining = {c: v for c, v in settings[part].items() if c in row_columns or {c, f"{name}_{c}"} & needed}
            settings[part] = remaining
        sources.append(settings)
    study = model.study.model_dump(mode="json", include={"title", "as_of", "features", "encode", "min_cell"})
    return {**study, "sources": sources}


def list_levels(values: pd.Series) -> tuple[str, ...]:
    """List the levels of a text in the order of their numbers, from 0 on."""
    return tuple(map(str, values.astype("category").cat.categories))


def is_text(values: pd.Series) -> bool:
    """Return whether a column holds neither numbers nor yes and no."""
    return not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
