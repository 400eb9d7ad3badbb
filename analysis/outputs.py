"""The private files of a run: memberships, the model that scores new customers, and what must never be published."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.cleaning import Cleaned
from analysis.cluster import Fit, distances
from analysis.config import Source, Study, check_study
from analysis.disclosure import Private
from analysis.errors import InputError
from analysis.evidence import Evidence
from analysis.features import build_features
from analysis.prepare import Prepared, Step, apply_steps
from analysis.report import Report, to_json
from analysis.sources import RawTable

UNLIKE = 0.99
"""A customer farther from its centre than this share of the fitted ones is unlike anyone seen."""


def write_outputs(
    build: Path, study: Study, report: Report, cleaned: Cleaned, prepared: Prepared, evidence: Evidence
) -> list[Path]:
    """Write ``report.json``, ``memberships.parquet`` and ``model.json``; returns their paths."""
    build.mkdir(parents=True, exist_ok=True)
    files = [build / name for name in ("report.json", "memberships.parquet", "model.json")]
    files[0].write_text(to_json(report), encoding="utf-8")
    memberships = pd.DataFrame({"key": cleaned.keys.astype("str"), "segment": evidence.labels.astype("int64")})
    memberships.to_parquet(files[1], index=False)
    files[2].write_text(json.dumps(_model(study, report, prepared, evidence), indent=1) + "\n", encoding="utf-8")
    return files


def private_values(raw: RawTable, cleaned: Cleaned, source: Source, study: Study) -> Private:
    """Keys and free text of the source: what the gate refuses to publish."""
    keys = frozenset(cleaned.keys) if source.key else frozenset()
    text: set[str] = set()
    for column in raw.columns:
        values = raw.frame[column.name]
        hidden = column.type == "text" or (column.name in source.roles.ignore and column.type == "category")
        if hidden and column.name != source.key:
            text.update(values.dropna().astype(str))
    names = frozenset({source.key}) if source.key else frozenset()
    return Private(keys, frozenset(text), study.min_cell, names)


def score(raw: RawTable, model_path: Path) -> pd.DataFrame:
    """Assign new customers to the published segments.

    Parameters
    ----------
    raw : RawTable
        m new customers, with the columns that the features need.
    model_path : Path
        ``build/model.json`` of a run.

    Returns
    -------
    DataFrame
        ``key``, ``segment`` (0 = unassigned), ``confidence`` (0 to 1: half of it is a tie with the runner-up),
        ``runner_up`` and ``unlike_anyone``; one row a customer, in the order of the key.

    Raises
    ------
    InputError
        Where there is no model, or a column that a feature needs is not in the file.
    """
    from analysis.cleaning import clean

    try:
        model = json.loads(model_path.read_text(encoding="utf-8"))
        study = check_study(model["study"])
        fit, steps = _fit(model), tuple(Step(**step) for step in model["steps"])
        axes, reach = model["axes"], model["unlike_distance"]
    except FileNotFoundError:
        raise InputError("build/model.json is not there yet.", hint="Run: python -m analysis build") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "build/model.json is not a model of this version.", hint="Run: python -m analysis build --force"
        ) from None
    source = _scoring_source(study.sources[0], raw)
    cleaned = clean(raw, source, study)
    table = build_features(cleaned, source, study)
    matrix = apply_steps(table.frame, steps)
    if axes is not None:
        matrix = matrix @ np.array(axes)
    labels = fit.assign(matrix)
    away = np.sqrt(distances(matrix, fit.centres))
    costs = fit.costs(matrix)
    order = np.argsort(costs, axis=1, kind="stable")
    nearest, second = np.take_along_axis(costs, order, axis=1)[:, :2].T
    if fit.shapes is None:
        nearest, second = np.sqrt(nearest), np.sqrt(second)
        confidence = second / np.maximum(nearest + second, 1e-12)
    else:
        confidence = 1 / (1 + np.exp((nearest - second) / 2))
    own = np.where(labels > 0, away[np.arange(len(labels)), np.maximum(labels, 1) - 1], np.nan)
    runner_up = np.where(order[:, 0] + 1 == labels, order[:, 1], order[:, 0]) + 1
    limit = np.array([np.nan, *reach])[labels]
    return pd.DataFrame(
        {
            "key": cleaned.keys,
            "segment": labels.astype(int),
            "confidence": np.round(confidence, 3),
            "runner_up": runner_up.astype(int),
            "unlike_anyone": ~(own <= limit),
        }
    )


def _scoring_source(source: Source, raw: RawTable) -> Source:
    """New customers need not bring outcomes or descriptors; only what the features are made of."""
    there = set(map(str, raw.frame.columns))
    roles = source.roles.model_copy(
        update={
            "descriptor": tuple(c for c in source.roles.descriptor if c in there),
            "outcome": tuple(c for c in source.roles.outcome if c in there),
            "ignore": tuple(c for c in source.roles.ignore if c in there),
        }
    )
    kept = {
        part: {c: v for c, v in getattr(source, part).items() if c in there}
        for part in ("labels", "units", "types", "merge", "plausible")
    }
    return source.model_copy(update={"roles": roles, **kept})


def _fit(model: dict[str, Any]) -> Fit:
    def array(name: str, kind: type = float) -> Any:
        return None if model[name] is None else np.array(model[name], dtype=kind)

    return Fit(
        array("centres"),
        array("points"),
        array("point_labels", np.int16),
        model["radius"],
        array("shapes"),
        array("shares"),
    )


def _model(study: Study, report: Report, prepared: Prepared, evidence: Evidence) -> dict[str, Any]:
    fit, labels = evidence.fit, evidence.labels
    away = np.sqrt(distances(prepared.matrix, fit.centres))
    limits = [float(np.quantile(away[labels == j + 1, j], UNLIKE)) for j in range(fit.k)]
    return {
        "schema_version": 1,
        "study": _forming_study(study, prepared),
        "algorithm": evidence.decision.algorithm,
        "steps": [asdict(step) for step in prepared.steps],
        "axes": None if prepared.axes is None else prepared.axes.tolist(),
        "centres": fit.centres.tolist(),
        **{
            name: None if getattr(fit, name) is None else getattr(fit, name).tolist()
            for name in ("points", "point_labels", "shapes", "shares")
        },
        "radius": fit.radius,
        "unlike_distance": limits,
        "segments": [{"id": s.id, "slug": s.slug, "name": s.name} for s in report.segments],
    }


def _forming_study(study: Study, prepared: Prepared) -> dict[str, Any]:
    """The settings that a new customer's features need, and no others."""
    forming = {step.name for step in prepared.steps}
    source = study.sources[0]
    roles = {"feature": [column for column in source.roles.feature if column in forming]}
    reading = source.model_dump(
        mode="json", include={"kind", "types", "units", "merge", "plausible", "dates", "decimal"}
    )
    features = {name: f.model_dump(mode="json") for name, f in study.features.items() if name in forming}
    return {
        "title": study.title,
        "as_of": study.model_dump(mode="json")["as_of"],
        "sources": [{"path": source.path, "key": source.key, "roles": roles, **reading}],
        "features": features,
        "encode": study.encode,
    }
