"""From the tables of a study to its customers: joined, one row each, cleaned."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.base.errors import InputError
from analysis.base.run import Run
from analysis.customers.assembly import Assembled, assemble
from analysis.customers.cleaning import Cleaned, LedgerLine, clean
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.inputs import Inputs
from analysis.sources.large.drawing import Population


@dataclass(frozen=True, slots=True)
class Customers:
    """One row per customer, and how the rows were made.

    Attributes
    ----------
    inputs : Inputs
    assembled : Assembled
        The sources joined, before anything was cleaned.
    cleaned : Cleaned
        n customers.
    """

    inputs: Inputs
    assembled: Assembled
    cleaned: Cleaned

    @property
    def source(self) -> Source:
        """Settings of the joined table."""
        return self.assembled.source

    @property
    def n(self) -> int:
        """All customers, held or not."""
        return len(self.cleaned.frame) if self.population is None else self.population.n

    @property
    def population(self) -> Population | None:
        """All customers, where those that are held are a sample of them; else None."""
        return self.assembled.raw.population

    @property
    def ledger(self) -> tuple[LedgerLine, ...]:
        """What drawing, joining and cleaning did."""
        lines = (*self.assembled.ledger, *self.cleaned.ledger)
        if self.population is None:
            return lines
        n, held = self.n, self.assembled.raw.n_rows
        why = "More than are to be held in memory; a seeded sample is looked at, and everyone is placed by its rule."
        drawn = LedgerLine("Sample of the customers", why, n, n - held, held, "placed and counted, not looked at")
        return drawn, *lines

    @property
    def as_of(self) -> str:
        """The study's date as text; empty without one."""
        return self.cleaned.as_of.isoformat() if self.cleaned.as_of else ""


def gather_customers(inputs: Inputs, study: Study, run: Run) -> Customers:
    """Join the tables on the customer and clean what they hold.

    Raises
    ------
    InputError
        For tables that do not fit together, a missing column, or fewer customers than ``inputs.fewest``.
    """
    with run.stage("Join"):
        assembled = assemble(inputs.tables, study, run=run)
        if inputs.until is not None:
            assembled = _seen(assembled, inputs)
    with run.stage("Clean"):
        cleaned = clean(assembled.raw, assembled.source, study, assembled.as_of)
    return Customers(inputs, assembled, cleaned)


def name_computed(assembled: Assembled, name: str) -> str:
    """Find the column of a computed feature: its own name, or that with its source before it."""
    return next((c for c in assembled.described if c == name or c.endswith(f"_{name}")), name)


def _seen(assembled: Assembled, inputs: Inputs) -> Assembled:
    """Leave out customers who had neither bought nor visited by the last day that is looked at."""
    raw = assembled.raw
    seen = [name_computed(assembled, name) for name in ("recency_days", "days_since_visit")]
    there = [column for column in seen if column in raw.frame.columns]
    frame = raw.frame[raw.frame[there].notna().any(axis=1)].reset_index(drop=True)
    if len(frame) < inputs.fewest:
        raise InputError(f"{len(frame)} customers exist up to {inputs.until}.", f"At least {inputs.fewest} are needed.")
    return replace(assembled, raw=replace(raw, frame=frame, n_rows=len(frame)))
