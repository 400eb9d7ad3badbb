"""Joining of all sources into one table with one row per customer."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import number, percentage
from analysis.customers.cleaning import LedgerLine, check_columns
from analysis.customers.descriptions import Columns, CustomerFeatures, Description, EventColumns, Levels
from analysis.customers.events import event_features
from analysis.customers.lifetime_value import LifetimeValue, customer_lifetime_value
from analysis.customers.rfm import NO_PURCHASE, RfmGrid, rfm_cells, rfm_grid
from analysis.customers.surveys import survey_summary
from analysis.customers.transactions import customer_features, purchase_histories
from analysis.settings.models import RowColumns, Source, Study
from analysis.sources.columns import Column
from analysis.sources.tables import RawTable, check_key

DESCRIBES = frozenset(
    [
        *("spend", "tenure_days", "active_months", "gap_days", "gap_sd_days"),
        *("items", "refund_value", "clv", "alive", "rfm_group"),
    ]
)
"""Computed features that describe segments unless the settings say otherwise: sums of others, or often missing."""
FEWEST_FOR_VALUE = 300
"""Fewest customers that lifetime value is fitted on. Ours."""
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


def assemble(raws: Sequence[RawTable], study: Study, levels: Sequence[Levels] | None = None) -> Assembled:
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

    Raises
    ------
    InputError
        Where a source names no key, or a column that it needs is missing.
    """
    pairs = list(zip(range(len(raws)), raws, study.sources, strict=True))
    as_of = settle_date(raws, study)
    answered = [line for _, raw, source in pairs for line in _answers(raw, source)]
    people = [pair for pair in pairs if pair[2].kind == "customers"] or [p for p in pairs if p[2].kind == "survey"]
    if len(pairs) == 1 and people:
        return Assembled(raws[0], study.sources[0], {}, tuple(answered), as_of, {})
    rfm: RfmGrid | None = None
    ledger = answered
    if people:
        at, base_raw, base = people[0]
        if base.key is None:
            raise InputError(
                f"_quarto.yml, segmentation.sources[{at}].key: a source needs a key if others are joined to it.",
                hint=f"Available columns: {listed(base_raw.frame.columns)}.",
            )
        keys = check_key(base_raw, base.key, f"_quarto.yml, segmentation.sources[{at}].key")
        table = (
            base_raw.frame[keys.notna().to_numpy()].assign(**{base.key: keys.dropna()}).set_index(base.key, drop=False)
        )
        table.index = table.index.astype(str)
        described: list[Column] = list(base_raw.columns)
        computed = _compute_all(pairs, as_of, levels, table.index)
    else:
        computed = _compute_all(pairs, as_of, levels, None)
        at, base_raw, base = min(pairs, key=lambda pair: (pair[2].kind != "transactions", pair[0]))
        frame = computed[at][0].frame
        table = pd.DataFrame({"customer": frame.index.astype(str)}, index=frame.index.astype(str))
        described = [Column("customer", "key", f"the customers of {base_raw.shown_path}", 0, len(table))]
        own = {"columns": RowColumns(), "types": {}, "merge": {}, "ordered": {}, "plausible": {}}
        base = base.model_copy(update={"key": "customer", **own})
    lifetime = next((found[1] for found in computed.values() if found[1]), None)
    texts: dict[str, Description] = {}
    joined: dict[int, Joined] = {}
    bought = any(source.kind == "transactions" for _, _, source in pairs)
    # Tables that are joined bring theirs as they come, under the names that their columns get.
    settled = [base, *(source for i, _, source in pairs if i != at and i in computed)]
    roles = {
        role: list(dict.fromkeys(column for source in settled for column in getattr(source.roles, role)))
        for role in ("feature", "descriptor", "outcome", "ignore")
    }
    labels, units = dict(base.labels), dict(base.units)
    merge, ordered, plausible = dict(base.merge), dict(base.ordered), dict(base.plausible)
    for source in settled[1:]:
        labels, units = source.labels | labels, source.units | units
    for i, raw, source in pairs:
        if i in computed:
            found = computed[i][0]
            extra = found.frame.set_axis(found.frame.index.astype(str))
            joined[i] = _match(raw, extra, table, found.notes) if people else Joined(None, None, found.notes)
            ledger += _unmatched(raw, joined[i], len(table))
            placed = extra.reindex(table.index)
            variables = found.variables
            if source.kind == "transactions" and levels is None:
                rfm = rfm or rfm_grid(placed, study.min_cell)
                placed = placed.assign(rfm_group=rfm_cells(placed).fillna(NO_PURCHASE))
                variables = (*variables, _rfm_group(source))
            for v in variables:
                name = f"{raw.name}_{v.name}" if v.name in table.columns else v.name
                values = placed[v.name].fillna(0.0) if v.additive else placed[v.name]
                table = table.assign(**{name: values.to_numpy()})
                texts[name] = replace(v, name=name)
                labels.setdefault(name, v.label)
                units.setdefault(name, v.unit)
                kind = "category" if v.unit == "category" else "number"
                described.append(
                    Column(name, kind, f"computed: {v.formula}", int(values.isna().sum()), values.nunique())
                )
                if not any(name in named for named in roles.values()) and values.nunique() > 1:
                    describes = v.name in DESCRIBES or (source.kind == "events" and bought)
                    roles["descriptor" if describes else "feature"].append(name)
        elif i != at:
            table, columns, taken, joined[i] = _join_table(table, raw, source, i)
            ledger += _unmatched(raw, joined[i], len(table))
            described += columns
            for role, names in roles.items():
                names += [taken[column] for column in getattr(source.roles, role) if column in taken]
            labels = _renamed(source.labels, taken) | labels
            units = _renamed(source.units, taken) | units
            merge |= _renamed(source.merge, taken)
            ordered |= _renamed(source.ordered, taken)
            plausible |= _renamed(source.plausible, taken)
    merged = base.model_copy(
        update={
            "roles": base.roles.model_copy(update={role: tuple(names) for role, names in roles.items()}),
            "labels": labels,
            "units": units,
            "merge": merge,
            "ordered": ordered,
            "plausible": plausible,
        }
    )
    digest = hashlib.sha256("".join(raw.sha256 for raw in raws).encode()).hexdigest()
    table = table.reset_index(drop=True)
    whole = RawTable(base_raw.name, table, tuple(described), len(table), digest, (), base_raw.shown_path)
    shares = {i: found.levels for i, (found, _) in computed.items()}
    return Assembled(whole, merged, texts, tuple(ledger), as_of, joined, lifetime, rfm, shares)


def _compute_all(
    pairs: Sequence[tuple[int, RawTable, Source]],
    as_of: dt.date | None,
    levels: Sequence[Levels] | None,
    known: pd.Index | None,
) -> dict[int, tuple[CustomerFeatures, LifetimeValue | None]]:
    """Compute customers from each source of transactions or events; ``known`` has the keys of the base."""
    return {
        i: _compute(raw, source, as_of, i, levels[i] if levels else None, known)
        for i, raw, source in pairs
        if source.kind in {"transactions", "events"}
    }


def _answers(raw: RawTable, source: Source) -> list[LedgerLine]:
    """Describe the response style of a battery; no respondent is dropped."""
    items = list(source.battery or source.roles.feature)
    if source.kind != "survey" or len(items) < 2 or any(item not in raw.frame.columns for item in items):
        return []
    battery = survey_summary(raw.frame, items, setting="battery").batteries[0]
    lined = round(battery.straight_lining * battery.n_answered) if battery.n_answered else 0
    yes = (
        "of the answers are a yes" if battery.scale == "yes_no" else "of the answers lie above the middle of the scale"
    )
    tendency = f" {percentage(battery.acquiescence)} {yes}." if battery.acquiescence == battery.acquiescence else ""
    why = f"The same answer to all {len(items)} items may be haste rather than opinion.{tendency}"
    return [LedgerLine("Straight-lining", why, raw.n_rows, lined, raw.n_rows, "reported, kept")]


def _rfm_group(source: Source) -> Description:
    own = tuple(name for name in (source.columns.customer, source.columns.date, source.columns.order) if name)
    return Description(
        "rfm_group", "RFM group", "category", "fifth of recency_days by fifth of frequency", own,
        "How lately and how often a customer bought, each in fifths of the customers, as one of ten names.",
    )  # fmt: skip


def _compute(
    raw: RawTable, source: Source, as_of: dt.date | None, i: int, levels: Levels | None, known: pd.Index | None
) -> tuple[CustomerFeatures, LifetimeValue | None]:
    place = f"_quarto.yml, segmentation.sources[{i}].columns"
    named = {name: column for name, column in source.columns.model_dump().items() if column}
    absent = [column for column in named.values() if column not in raw.frame.columns]
    if absent:
        part = next(name for name, column in named.items() if column == absent[0])
        there = list(raw.frame.columns)
        raise InputError(
            f"{place}.{part}: column '{absent[0]}' is not in {raw.shown_path}.",
            f"Available columns: {listed(there)}.",
            did_you_mean(absent[0], there),
        )
    needed = ("customer", "date") if source.kind == "events" else ("customer", "date", "amount")
    for part in needed:
        if part not in named:
            raise InputError(
                f"{place}.{part}: not set; a source of {source.kind} needs it.",
                f"Columns of {raw.shown_path}: {listed(raw.frame.columns)}.",
            )
    if source.kind == "events":
        wanted = EventColumns(named["customer"], named["date"], named.get("session"), named.get("event"))
        return event_features(raw.frame, wanted, as_of=as_of, setting=place), None
    columns = Columns(**{name: named[name] for name in Columns.__dataclass_fields__ if name in named})
    features = customer_features(raw.frame, columns, as_of=as_of, levels=levels, setting=place)
    if levels is not None:
        return features, None
    return _with_lifetime_value(features, raw, columns, place, known)


def _with_lifetime_value(
    features: CustomerFeatures, raw: RawTable, columns: Columns, place: str, known: pd.Index | None
) -> tuple[CustomerFeatures, LifetimeValue | None]:
    """Add the expected spend of the next year, where the history is long enough for the models to be fitted.

    The models learn from the customers of the study alone: ``known`` has their keys where another table names them.
    """
    names = features.frame.index.astype(str)
    if len(names if known is None else names.intersection(known)) < FEWEST_FOR_VALUE:
        note = f"Lifetime value needs {FEWEST_FOR_VALUE} customers or more and was left out."
        return replace(features, notes=(*features.notes, note)), None
    try:
        histories = purchase_histories(raw.frame, columns, as_of=features.as_of, setting=place)
        if known is not None:
            histories = histories[histories.index.astype(str).isin(known)]
        value = customer_lifetime_value(histories)
    except InputError as error:
        note = f"Lifetime value was left out: {str(error).splitlines()[0]}"
        return replace(features, notes=(*features.notes, note)), None
    used = (columns.customer, columns.date, columns.amount)
    made = (
        Description(
            "clv", "Expected spend in the next year", "money", "BG/NBD and Gamma-Gamma", used,
            "Purchases expected in the 52 weeks after the study's date times their value, discounted at "
            f"{percentage(0.1)} a year.",
            additive=True,
        ),
        Description(
            "alive", "Chance that a repeat buyer is still a customer", "share", "BG/NBD", used,
            "By how often and how lately a customer bought; a model's estimate, not an observation. Missing for "
            "customers who bought once, as the model cannot tell whether they have left.",
        ),
    )  # fmt: skip
    frame = features.frame.join(value.frame[["clv", "alive"]])
    value = replace(value, frame=value.frame.set_axis(value.frame.index.astype(str)))
    return replace(features, frame=frame, variables=(*features.variables, *made)), value


def _join_table(
    table: pd.DataFrame, raw: RawTable, source: Source, i: int
) -> tuple[pd.DataFrame, list[Column], dict[str, str], Joined]:
    """Join a further table with one row per customer from the left; the names that its columns get, by their own."""
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
    match = _match(raw, extra, table, ())
    placed = extra.reindex(table.index).rename(columns=taken)
    columns = [
        replace(c, name=taken[c.name], n_missing=int(placed[taken[c.name]].isna().sum()))
        for c in raw.columns
        if c.name in taken
    ]
    return pd.concat([table, placed], axis=1), columns, taken, match


def _renamed(settings: Mapping[str, Value], taken: Mapping[str, str]) -> dict[str, Value]:
    return {taken[column]: value for column, value in settings.items() if column in taken}


def _match(raw: RawTable, extra: pd.DataFrame, table: pd.DataFrame, notes: tuple[str, ...]) -> Joined:
    unknown = int((~extra.index.isin(table.index)).sum())
    if unknown == len(extra):
        raise InputError(
            f"{raw.shown_path}: none of its {number(len(extra))} customers is in the table it is joined to.",
            "Expected the same keys in both tables.",
            "Check the key columns in the settings and the keys in both tables.",
        )
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


def settle_date(raws: Sequence[RawTable], study: Study) -> dt.date | None:
    """Give the study's date: that of the settings, else the newest of all tables; None where there is none."""
    return _newest(raws, study.sources) if study.as_of == "auto" else study.as_of


def _newest(raws: Sequence[RawTable], sources: Sequence[Source]) -> dt.date | None:
    """The newest date in any column that is not ignored."""
    dates = [
        raw.frame.drop(columns=list(source.roles.ignore), errors="ignore").select_dtypes("datetime").max().max()
        for raw, source in zip(raws, sources, strict=True)
    ]
    known = [date for date in dates if not pd.isna(date)]
    return max(known).date() if known else None


def purchases_after(raws: Sequence[RawTable], study: Study, split: dt.date, as_of: dt.date) -> pd.DataFrame:
    """Compute frequency and spending after the split by customer; refunds are ignored."""
    found = []
    for raw, source in zip(raws, study.sources, strict=True):
        c = source.columns
        if source.kind == "transactions" and c.customer and c.date and c.amount:
            rows = raw.frame[raw.frame[c.date] >= pd.Timestamp(split) + pd.Timedelta(days=1)]
            if len(rows):
                features = customer_features(rows, Columns(c.customer, c.date, c.amount), as_of=as_of).frame
                found.append(features[["frequency", "spend"]].set_axis(features.index.astype(str)))
    return pd.concat(found).groupby(level=0).sum()
