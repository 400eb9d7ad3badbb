"""Preconditions of a segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.settings.models import Study

if TYPE_CHECKING:
    from analysis.features.build import FeatureTable


def check_features(study: Study, table: FeatureTable) -> None:
    """Refuse settings that name a missing variable, and too few customers."""
    names, n = table.frame.columns.tolist(), len(table.frame)
    texts = {variable.name for variable in table.variables if variable.categorical}
    named = {"value": study.value, "proof.recency": study.proof.recency, "proof.frequency": study.proof.frequency}
    for setting, name in named.items():
        if name is not None and name not in names:
            raise InputError(
                f"_quarto.yml, segmentation.{setting}: '{name}' is neither a feature nor a column with a role.",
                f"Available: {listed(names)}.",
                did_you_mean(name, names) or "Choose one of them, or remove the setting.",
            )
        if name in texts:
            raise InputError(
                f"_quarto.yml, segmentation.{setting}: '{name}' contains text.", "Expected a numeric variable."
            )
    wanted = study.segments if isinstance(study.segments, int) else 2
    fewest = max(study.min_customers, study.min_cell)
    if n < wanted * fewest:
        lower = "min_customers" if study.min_customers >= study.min_cell else "min_cell"
        raise InputError(
            f"{n:,} customers are too few to form {wanted} segments.",
            f"At least {wanted * fewest} are needed ({fewest} per segment).",
            f"Add customers, choose fewer segments, or lower segmentation.{lower}.",
        )
