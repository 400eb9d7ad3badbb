"""Joining of all sources into one table with one row per customer."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pandas as pd

from analysis.base.errors import InputError, listed
from analysis.base.formats import number
from analysis.base.run import PLAIN, Run
from analysis.customers.aggregation import Placed, compute_customers
from analysis.customers.cleaning import LedgerLine, check_columns
from analysis.customers.descriptions import Columns, CustomerFeatures, Description, Levels
from analysis.customers.engines.drawing import Part, join_parts
from analysis.customers.lifetime_value import LifetimeValue
from analysis.customers.periods import find_span, settle_date
from analysis.customers.rfm import NO_PURCHASE, RfmGrid, rfm_cells, rfm_grid
from analysis.customers.surveys import Battery, read_styles
from analysis.customers.transactions import customer_features
from analysis.settings.models import Study
from analysis.settings.sources import RowColumns, Source
from analysis.sources.columns import Column
from analysis.sources.large.drawing import Population
from analysis.sources.tables import RawTable, check_key

DESCRIBES = frozenset(
    [
        *("spend", "tenure_days", "active_months", "gap_days", "gap_sd_days"),
        *("items", "refund_value", "clv", "alive", "rfm_group", "plan", "contract_value", "periods"),
    ]
)
"""Computed features that describe segments unless the settings say otherwise: sums of others, or often missing."""
EXPECTED = frozenset(("clv", "alive"))
"""What a model says of customers, which is fitted to those who are held."""
KEY = "key of the customer"
"""Column of a table that is joined to all customers."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Joined:
    """How a source fits to the base.

    Attributes
    ----------
    unknown, without : int, optional
        Its customers that are not in the base, and customers of the base without a row here; None for the base.
    notes : tuple of str
        What was left out where customers were computed from its rows.
    """

    unknown: int | None
    without: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the stages after this one see as the one table of the study.

    Attributes
    ----------
    raw : RawTable
        One row per customer; the base's own columns, then what the other sources give.
    source : Source
        The base's settings, with roles, labels and units of all.
    described : dict of str to Description
        The computed columns, by name.
    ledger : tuple of LedgerLine
        What did not fit together.
    as_of : date, optional
        The newest date over all sources, or the settings'.
    joined : dict of int to Joined
        By place in the settings, for sources that were computed or joined.
    lifetime : LifetimeValue, optional
        Of the customers with a purchase, by key; None without transactions or where they are too few.
    rfm : RfmGrid, optional
        None without transactions.
    levels : dict of int to Levels
        Categories and channels with a share of their own, by place in the settings.
    batteries : tuple of Battery
        Items of surveys on one scale, and how they were answered.
    """

    raw: RawTable
    source: Source
    described: dict[str, Description]
    ledger: tuple[LedgerLine, ...]
    as_of: dt.date | None
    joined: dict[int, Joined]
    lifetime: LifetimeValue | None = None
    rfm: RfmGrid | None = None
    levels: dict[int, Levels] = field(default_factory=dict)
    batteries: tuple[Battery, ...] = ()


def assemble(
    raws: Sequence[RawTable], study: Study, levels: Sequence[Levels] | None = None, run: Run = PLAIN
) -> Assembled:
    """Join the sources on the customer key.

    The base is the first customer table, else the first survey, else the customers of the first transactions. Every
    customer of the base stays; keys of other sources that it does not know are counted and left out.

    Parameters
    ----------
    raws : sequence of RawTable
        In the order of ``study.sources``.
    study : Study
    levels : sequence of Levels, optional
        Those of an earlier run, by source; customers are then new, and no model is fitted to them.
    run : Run, optional

    Raises
    ------
    InputError
        Where a source names no key, or a column that it needs is missing.
    """
    pairs = list(zip(range(len(raws)), raws, study.sources, strict=True))
    as_of = settle_date(raws, study)
    batteries, answered = read_styles(raws, study.sources)
    people = [pair for pair in pairs if pair[2].kind == "customers"] or [p for p in pairs if p[2].kind == "survey"]
    if people and len(pairs) == 1:
        return Assembled(raws[0], study.sources[0], {}, tuple(answered), as_of, {}, batteries=batteries)
    base = _take_base(people[0]) if people else None
    computed = compute_customers(pairs, as_of, levels, base.table.index if base else None, run)
    base = base or _list_customers(pairs, computed)
    # Tables that are joined bring theirs as they come, under the names that their columns get.
    settled = [base.source, *(source for i, _, source in pairs if i != base.at and i in computed)]
    whole = _Whole.start(base, settled, answered)
    bought = any(source.kind == "transactions" for _, _, source in pairs)
    for i, raw, source in pairs:
        if i in computed:
            found, _ = computed[i]
            placed, variables = whole.match((i, raw, source), found, others=bool(people)), found.variables
            if source.kind == "transactions" and levels is None:
                whole.rfm = whole.rfm or rfm_grid(placed, study.min_cell)
                placed = placed.assign(rfm_group=rfm_cells(placed).fillna(NO_PURCHASE))
                variables = (*variables, _rfm_group(source))
            whole.add_computed(raw.name, placed, variables, describes=source.kind == "events" and bought)
        elif i != base.at:
            whole.add_table((i, raw, source))
    whole.join_everyone(others=bool(people))
    digest = hashlib.sha256("".join(raw.sha256 for raw in raws).encode()).hexdigest()
    return Assembled(
        whole.as_raw(base.raw, digest),
        whole.settle(base.source),
        whole.texts,
        tuple(whole.ledger),
        as_of,
        whole.joined,
        lifetime=next((found[1] for found in computed.values() if found[1]), None),
        rfm=whole.rfm,
        levels={i: found.levels for i, (found, _) in computed.items()},
        batteries=batteries,
    )


@dataclass(frozen=True, slots=True)
class _Base:
    """The table that the others are joined to, indexed by its key, with its settings and their place."""

    at: int
    raw: RawTable
    source: Source
    table: pd.DataFrame
    columns: tuple[Column, ...]


def _take_base(pair: Placed) -> _Base:
    """Take a table of customers or a survey as the base; rows without a key are left out."""
    at, raw, source = pair
    if source.key is None:
        raise InputError(
            f"_quarto.yml, segmentation.sources[{at}].key: a source needs a key if others are joined to it.",
            hint=f"Available columns: {listed(raw.frame.columns)}.",
        )
    keys = check_key(raw, source.key, f"_quarto.yml, segmentation.sources[{at}].key")
    table = raw.frame[keys.notna().to_numpy()].assign(**{source.key: keys.dropna()}).set_index(source.key, drop=False)
    table.index = table.index.astype(str)
    return _Base(at, raw, source.model_copy(update={"battery": source.centred() or source.battery}), table, raw.columns)


def _list_customers(
    pairs: Sequence[Placed], computed: Mapping[int, tuple[CustomerFeatures, LifetimeValue | None]]
) -> _Base:
    """List the customers of the first transactions, or of the first source where there are none, as the base."""
    at, raw, source = min(pairs, key=lambda pair: (pair[2].kind != "transactions", pair[0]))
    keys, raw = computed[at][0].frame.index.astype(str), replace(raw, population=computed[at][0].population)
    table = pd.DataFrame({"customer": keys}, index=keys)
    own = {"columns": RowColumns(), "types": {}, "merge": {}, "ordered": {}, "plausible": {}}
    own |= {"totals": (), "balances": ()}
    column = Column("customer", "key", f"the customers of {raw.shown_path}", 0, len(table))
    return _Base(at, raw, source.model_copy(update={"key": "customer", **own}), table, (column,))


@dataclass(slots=True)
class _Whole:
    """The one table while sources are added to it, and the settings of its columns."""

    table: pd.DataFrame
    columns: list[Column]
    ledger: list[LedgerLine]
    roles: dict[str, list[str]]
    labels: dict[str, str]
    units: dict[str, Any]
    merge: dict[str, dict[str, str]]
    ordered: dict[str, tuple[str, ...]]
    plausible: dict[str, tuple[float | None, float | None]]
    texts: dict[str, Description] = field(default_factory=dict)
    joined: dict[int, Joined] = field(default_factory=dict)
    rfm: RfmGrid | None = None
    population: Population | None = None
    parts: list[tuple[Placed, Part, tuple[str, ...]]] = field(default_factory=list)

    @classmethod
    def start(cls, base: _Base, settled: Sequence[Source], ledger: list[LedgerLine]) -> _Whole:
        """Begin with the base, and with the roles, labels and units of all sources in ``settled``."""
        roles = {
            role: list(dict.fromkeys(column for source in settled for column in getattr(source.roles, role)))
            for role in ("feature", "descriptor", "outcome", "ignore")
        }
        own = base.source
        labels, units = dict(own.labels), dict(own.units)
        for source in settled[1:]:
            labels, units = source.labels | labels, source.units | units
        merge, ordered, plausible = dict(own.merge), dict(own.ordered), dict(own.plausible)
        settings = (roles, labels, units, merge, ordered, plausible)
        return cls(base.table, list(base.columns), ledger, *settings, population=base.raw.population)

    def match(self, pair: Placed, found: CustomerFeatures, *, others: bool) -> pd.DataFrame:
        """Match computed customers to those of the table, which ``others`` says comes from another source."""
        extra = found.frame.set_axis(found.frame.index.astype(str))
        if self.population is None:
            joined = _match(extra, self.table, found.notes) if others else Joined(None, None, found.notes)
            self.note(pair, joined, len(extra))
        elif self.population is found.population:
            self.note(pair, Joined(None, None, found.notes), len(extra))
        else:
            self.parts.append((pair, self._part_of(pair[1].name, found, extra), found.notes))
        return extra.reindex(self.table.index)

    def _part_of(self, source: str, found: CustomerFeatures, extra: pd.DataFrame) -> Part:
        """List what all customers get from computed ones; what a model expects of those who are held is not of them."""
        of_all = found.population
        there = [v for v in found.variables if v.name not in EXPECTED]
        names = {v.name: f"{source}_{v.name}" if v.name in self.table.columns else v.name for v in there}
        counted = frozenset(v.name for v in there if v.additive)
        if of_all is not None:
            return Part(of_all.rows, of_all.key, names, counted)
        return Part(extra.rename_axis(KEY).reset_index(), KEY, names, counted)

    def note(self, pair: Placed, joined: Joined, n_there: int) -> None:
        """Note how a source of so many customers fits to the base.

        Raises
        ------
        InputError
            Where no customer is in both.
        """
        raw = pair[1]
        if joined.unknown == n_there:
            raise InputError(
                f"{raw.shown_path}: none of its {number(n_there)} customers is in the table it is joined to.",
                "Expected the same keys in both tables.",
                "Check the key columns in the settings and the keys in both tables.",
            )
        self.joined[pair[0]] = joined
        n = len(self.table) if self.population is None else self.population.n
        self.ledger += _unmatched(raw, joined, n)

    def join_everyone(self, *, others: bool) -> None:
        """Join to all customers, where those that are held are a sample, what was joined to the sample."""
        if self.population is None or not self.parts:
            return
        self.population, matches = join_parts(self.population, [part for _, part, _ in self.parts])
        for (pair, _, notes), match in zip(self.parts, matches, strict=True):
            joined = Joined(match.unknown, match.without, notes) if others else Joined(None, None, notes)
            self.note(pair, joined, match.rows)

    def add_computed(
        self, source: str, placed: pd.DataFrame, variables: Sequence[Description], *, describes: bool
    ) -> None:
        """Add what was computed from the rows of a source; a role that the settings do not give is settled here."""
        for v in variables:
            name = f"{source}_{v.name}" if v.name in self.table.columns else v.name
            values = placed[v.name].fillna(0.0) if v.additive else placed[v.name]
            self.table = self.table.assign(**{name: values.to_numpy()})
            self.texts[name] = replace(v, name=name)
            self.labels.setdefault(name, v.label)
            self.units.setdefault(name, v.unit)
            kind = "category" if v.unit == "category" else "number"
            self.columns.append(
                Column(name, kind, f"computed: {v.formula}", int(values.isna().sum()), values.nunique())
            )
            if not any(name in named for named in self.roles.values()) and values.nunique() > 1:
                self.roles["descriptor" if describes or v.name in DESCRIBES else "feature"].append(name)

    def add_table(self, pair: Placed) -> None:
        """Join a further table with one row per customer, and take over the settings of its columns."""
        i, raw, source = pair
        extra, columns, taken, table = _join_table(self.table, raw, source, i)
        if self.population is None:
            self.note(pair, _match(extra, self.table, ()), len(extra))
        else:
            self.parts.append((pair, Part(extra.rename_axis(KEY).reset_index(), KEY, taken), ()))
        self.table = table
        self.columns += columns
        for role, names in self.roles.items():
            names += [taken[column] for column in getattr(source.roles, role) if column in taken]
        self.labels = _renamed(source.labels, taken) | self.labels
        self.units = _renamed(source.units, taken) | self.units
        self.merge |= _renamed(source.merge, taken)
        self.ordered |= _renamed(source.ordered, taken)
        self.plausible |= _renamed(source.plausible, taken)

    def as_raw(self, base: RawTable, digest: str) -> RawTable:
        """Return the table as if it had been read from one file, under the name of the base."""
        table = self.table.reset_index(drop=True)
        columns, of_all = tuple(self.columns), self.population
        return RawTable(base.name, table, columns, len(table), digest, (), base.shown_path, population=of_all)

    def settle(self, base: Source) -> Source:
        """Return the settings of the base with those of all columns."""
        update = {
            "roles": base.roles.model_copy(update={role: tuple(names) for role, names in self.roles.items()}),
            **{name: getattr(self, name) for name in ("labels", "units", "merge", "ordered", "plausible")},
        }
        return base.model_copy(update=update)


def _rfm_group(source: Source) -> Description:
    own = tuple(name for name in (source.columns.customer, source.columns.date, source.columns.order) if name)
    return Description(
        "rfm_group", "RFM group", "category", "fifth of recency_days by fifth of frequency", own,
        "How recently and how often a customer bought, each in fifths of the customers, as one of ten names.",
    )  # fmt: skip


def _join_table(
    table: pd.DataFrame, raw: RawTable, source: Source, i: int
) -> tuple[pd.DataFrame, list[Column], dict[str, str], pd.DataFrame]:
    """Join a further table with one row per customer from the left; the names that its columns get, by their own.

    Returns what is joined by key, its columns, their names, and both tables in one.
    """
    if source.key is None:
        raise InputError(
            f"_quarto.yml, segmentation.sources[{i}].key: a second table needs a key for the join.",
            hint=f"Available columns: {listed(raw.frame.columns)}.",
        )
    check_columns(raw, source, f"segmentation.sources[{i}]")
    keys = check_key(raw, source.key, f"_quarto.yml, segmentation.sources[{i}].key")
    extra = raw.frame[keys.notna().to_numpy()].drop(columns=source.key)
    extra.index = pd.Index(keys.dropna().astype(str))
    taken = {column: f"{raw.name}_{column}" if column in table.columns else column for column in extra.columns}
    placed = extra.reindex(table.index).rename(columns=taken)
    columns = [
        replace(c, name=taken[c.name], n_missing=int(placed[taken[c.name]].isna().sum()))
        for c in raw.columns
        if c.name in taken
    ]
    return extra, columns, taken, pd.concat([table, placed], axis=1)


def _renamed(settings: Mapping[str, Value], taken: Mapping[str, str]) -> dict[str, Value]:
    return {taken[column]: value for column, value in settings.items() if column in taken}


def _match(extra: pd.DataFrame, table: pd.DataFrame, notes: tuple[str, ...]) -> Joined:
    unknown = int((~extra.index.isin(table.index)).sum())
    return Joined(unknown, int((~table.index.isin(extra.index)).sum()), notes)


def _unmatched(raw: RawTable, joined: Joined, n: int) -> list[LedgerLine]:
    if joined.unknown is None or joined.without is None:
        return []
    return [
        LedgerLine(
            f"{raw.shown_path}: customers that the base does not know",
            "They cannot be described, so they cannot be placed.",
            n,
            joined.unknown,
            n,
            "left out",
        ),
        LedgerLine(
            f"{raw.shown_path}: customers without a row there",
            "Not everyone buys, answers or visits.",
            n,
            joined.without,
            n,
            "counted as none where a count or a sum; missing otherwise",
        ),
    ]


def _rows_after(raw: RawTable, date: str, split: dt.date) -> Any:
    """The rows after a day, as an engine takes them; None where there are none."""
    if raw.scan is not None:
        span = find_span(raw, date)
        return raw.scan.after(date, split) if span is not None and span[1] > split else None
    rows = raw.frame[raw.frame[date] >= pd.Timestamp(split) + pd.Timedelta(days=1)]
    return rows if len(rows) else None


def purchases_after(raws: Sequence[RawTable], study: Study, split: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Compute frequency and spending after the split by customer; refunds are ignored."""
    found = []
    for raw, source in zip(raws, study.sources, strict=True):
        c = source.columns
        if source.kind == "transactions" and c.customer and c.date and c.amount:
            rows = _rows_after(raw, c.date, split)
            if rows is not None:
                features = customer_features(rows, Columns(c.customer, c.date, c.amount), as_of=as_of).frame
                found.append(features[["frequency", "spend"]].set_axis(features.index.astype(str)))
    return pd.concat(found).groupby(level=0).sum()
