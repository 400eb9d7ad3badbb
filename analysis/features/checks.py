"""What a study must have before segments can be formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.settings.models import Study

if TYPE_CHECKING:
    from analysis.features.build import FeatureTable
    from analysis.sources.tables import RawTable


def check_draft(study: Study, raw: RawTable) -> None:
    source = study.sources[0]
    if source.kind in {"customers", "survey"} and not source.roles.feature:
        held = dict.fromkeys(column.type for column in raw.columns)
        raise InputError(
            f"{raw.shown_path} has no column that could form segments; it holds {listed(held, 6)} columns.",
            "Expected a number or a yes/no answer that differs from row to row.",
            "Export such columns too, or draft settings and choose: python -m analysis init",
        )


def check_features(study: Study, table: FeatureTable) -> None:
    names, n = table.frame.columns.tolist(), len(table.frame)
    texts = {variable.name for variable in table.variables if variable.categorical}
    named = {"value": study.value, "proof.recency": study.proof.recency, "proof.frequency": study.proof.frequency}
    for setting, name in named.items():
        if name is not None and name not in names:
            raise InputError(
                f"_quarto.yml, segmentation.{setting}: '{name}' is neither a feature nor a column with a role.",
                f"There are: {listed(names)}.",
                did_you_mean(name, names) or "Name one of them, or leave the setting out.",
            )
        if name in texts and setting != "value":
            raise InputError(
                f"_quarto.yml, segmentation.{setting}: '{name}' holds text.", "Expected a variable of numbers."
            )
    wanted = study.segments if isinstance(study.segments, int) else 2
    if n < wanted * study.min_customers:
        raise InputError(
            f"{n:,} customers are too few to form {wanted} segments.",
            f"Needed are at least {wanted * study.min_customers} ({study.min_customers} a segment).",
            "Bring more customers, ask for fewer segments, or lower segmentation.min_customers.",
        )
