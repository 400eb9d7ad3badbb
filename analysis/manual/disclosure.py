"""Parameters of the rules of publication, for the page "Disclosure"."""

from __future__ import annotations

from analysis.base.disclosure import COUNT_STEP, DOMINANCE, GROUP, PRECISION, SHARE_STEP, WIDTHS, Disclosure
from analysis.base.formats import in_words, percentage
from analysis.base.weights import FEWEST_EFFECTIVE
from analysis.settings.models import Study


def list_limits() -> dict[str, str]:
    """Return each parameter as the page prints it, by name; ``min_cell`` is the default of the setting."""
    min_cell = Study.model_fields["min_cell"].default
    return {
        "min_cell": str(min_cell),
        "neighbours": str(Disclosure(min_cell).neighbours),
        "widths": in_words(WIDTHS),
        "count_step": str(COUNT_STEP),
        "share_step": percentage(SHARE_STEP),
        "dominance": percentage(DOMINANCE),
        "precision": percentage(PRECISION),
        "effective": str(int(FEWEST_EFFECTIVE)),
        "under": percentage(GROUP),
        "over": percentage(1 - GROUP),
    }
