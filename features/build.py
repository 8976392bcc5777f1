"""The feature table as of one date: runs the statements in order, adds ties and attributes, and joins all by customer.

It decides which features can be made from the sources at hand, and refuses to know what any feature means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from churnrisk.config import ChurnSettings, TieSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables

from .attributes import Kind, TypedAttributes, attribute_rows, typed_attributes
from .catalogue import feature_columns, is_feature_statement
from .functions import Context
from .library import Library
from .network import COMMUNITY, Ties, network_rows, published_network
from .running import DEFAULT_RULES, Run, prepared, ties_days, ties_in
from .ties.rules import TieRules

KEYS = ("customer_key", "customer_id")


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """What is known of every customer as of one date.

    Attributes
    ----------
    frame
        One row per customer, by rising customer_id: customer_key, customer_id, then features by name; Float64, Int64,
        Int8 (flags) or String (categories); null = unknown or undefined.
    kinds
        "number" or "category" per feature, as typed at this date; give it to `build` at another date for like types.
    ties
        The graph, None without call data or when not asked for.
    network
        The published table ``network`` without as_of and run_id, exposures exact, None likewise.
    opinions
        customer_id, opinion (detractor, passive, promoter) by everybody's latest answer; None without surveys.
    notes
        Warnings for run_log; no personal value in them.
    """

    frame: pl.DataFrame
    kinds: Mapping[str, Kind]
    ties: Ties | None = None
    network: pl.DataFrame | None = None
    opinions: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the features, in the order of the frame."""
        return [name for name in self.frame.columns if name not in KEYS]


def build(
    engine: Engine,
    tables: LakeTables,
    as_of: AsOf,
    settings: ChurnSettings,
    *,
    customers: Sequence[str] | None = None,
    consent_as_of: AsOf | None = None,
    names: Sequence[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    rules: TieRules | None = DEFAULT_RULES,
    own: Path | None = None,
) -> FeatureSet:
    """Compute the features of every customer as of a date.

    Parameters
    ----------
    engine : Engine
        Tables of the build live in it while it runs and are gone afterwards; the sources stay registered.
    tables : LakeTables
        Validated tables: ``customers`` and ``keys``, and any of calls, surveys, interactions, usage and events. A
        source that is not there gives no columns.
    as_of : AsOf
        Only facts that happened and were known before its instant are read.
    settings : ChurnSettings
        What leaving means, and how far back to look.
    customers : sequence of str, optional
        Ids to compute; by default everybody. The others still count as their neighbours, so values are the same.
    consent_as_of : AsOf, optional
        The date whose consents decide which calls and answers may be used; by default ``as_of``. For past snapshots
        give the day of training: a refusal holds for the past too. A day before ``as_of`` counts as ``as_of``.
    names : sequence of str, optional
        Features to compute, as in a bundle; by default all. A named event or topic that nobody had is a column of 0.
    kinds : mapping of feature to "number" or "category", optional
        Types that attributes must take, as in a bundle; by default as the values known at the date are.
    rules : TieRules, optional
        What counts as a tie; None leaves ties and network features out, the costliest part.
    own : Path, optional
        Folder with the user's own ``*.sql`` features.

    Returns
    -------
    FeatureSet
        One row per customer of the date who is not known to leave, and, for churn by inactivity, was active lately.

    Notes
    -----
    Sums are of integers and windows have a total order: the same facts in any order give the same bits. Cost is one
    pass over the calls for volumes, one sort of the ties' window for pairs, O(rows) for the rest.
    """
    wanted = None if names is None else frozenset(names)
    with_ties = rules is not None
    with prepared(
        engine,
        tables,
        as_of,
        settings,
        customers=customers,
        consent_as_of=consent_as_of,
        own=own,
        rules=rules,
    ) as running:
        parts = [running.rows("population").sort("customer_id").select(KEYS)]
        parts += list(_statement_parts(running, wanted, with_ties=with_ties))
        parts += list(_function_parts(running, wanted))
        typed = _attributes(running, tables, wanted, kinds)
        parts.append(typed.frame)
        ties = ties_in(running) if with_ties and running.make("tie_pairs") else None
        if ties is not None:
            parts.append(_network_part(running, ties))
        full = _joined(parts)
        if ties is not None and ties.silence is not None:
            full = _without_counts_of_calls(full, running.library)
        opinions = _opinions(running)
        pair_notes = () if running.pairs is None else running.pairs.notes
        catalogue = running.library.catalogue
    network = published_network(full) if ties is not None else None
    full = full.drop(COMMUNITY, strict=False)
    frame = full if wanted is None else full.select(*KEYS, *[name for name in full.columns if name in wanted])
    found_kinds: dict[str, Kind] = dict(typed.kinds)
    for name in frame.columns[len(KEYS) :]:
        _ = catalogue[name]
        found_kinds.setdefault(name, "category" if frame[name].dtype == pl.String else "number")
    return FeatureSet(
        frame, found_kinds, ties, network, opinions, (*typed.notes, *_tie_notes(ties), *pair_notes)
    )


def tie_rules(settings: TieSettings, weights: Mapping[str, float] | None = None) -> TieRules:
    """Give the rules of the settings, with weights of strength learned from the user's own ties if there are any."""
    return TieRules(settings.max_partners, settings.max_one_way_partners, weights)


COUNTS_OF_CALLS = ("calls_volume", "calls_partners")
"""Statements that count contacts in windows no longer than that of ties: where nobody's came, 0 would be no count."""


def _without_counts_of_calls(full: pl.DataFrame, known: Library) -> pl.DataFrame:
    columns = {column for name in COUNTS_OF_CALLS for column in feature_columns(known.statements[name])}
    return full.with_columns(
        pl.lit(None, full.schema[name]).alias(name) for name in full.columns if name in columns
    )


def _tie_notes(ties: Ties | None) -> tuple[str, ...]:
    if ties is None:
        return ()
    if ties.silence is not None:
        return (ties.silence.text,)
    n_hubs = ties.nodes["n_partners"].count()
    if not n_hubs:
        return ()
    who = f"{n_hubs} customers talk with more people than anybody has friends (call centres, mass callers)"
    return (f"{who}: no social ties, left out of the network; see [ties] max_partners",)


def ties_at(
    engine: Engine,
    tables: LakeTables,
    as_of: AsOf,
    settings: ChurnSettings,
    rules: TieRules | None = DEFAULT_RULES,
) -> tuple[Ties, pl.Series] | None:
    """Return the ties as of a date and the ids of its customers, without any feature; None without call data.

    The consents of the date decide which calls may be used.
    """
    with prepared(engine, tables, as_of, settings, rules=rules) as running:
        if not running.make("tie_pairs"):
            return None
        return ties_in(running), running.everybody["customer_id"]


def _statement_parts(
    running: Run, wanted: frozenset[str] | None, *, with_ties: bool
) -> Iterator[pl.DataFrame]:
    """Frames of the feature statements whose sources are there and some of whose features are wanted."""
    if wanted is not None and with_ties:
        wanted |= {"share_calls_offnet_90d"}
    for name, statement in running.library.statements.items():
        is_wanted = wanted is None or not wanted.isdisjoint(feature_columns(statement))
        if is_feature_statement(statement) and is_wanted and running.make(name):
            yield running.rows(name)


def _function_parts(running: Run, wanted: frozenset[str] | None) -> Iterator[pl.DataFrame]:
    context = Context(running.engine, running.as_of, wanted)
    for function in running.library.functions.values():
        is_wanted = wanted is None or any(function.gives(name) for name in wanted)
        if is_wanted and all(running.make(name) for name in function.reads):
            yield function.make(context)


def _attributes(
    running: Run, tables: LakeTables, wanted: frozenset[str] | None, kinds: Mapping[str, Kind] | None
) -> TypedAttributes:
    """Attributes in their types, which everybody's values decide, also when only some customers are asked for."""
    asked = [attribute for attribute in tables.attributes if wanted is None or attribute.column in wanted]
    if not asked:
        return TypedAttributes(running.everybody.select("customer_key"), {})
    return typed_attributes(attribute_rows(tables.paths["customers"], asked, running.everybody), asked, kinds)


def _network_part(running: Run, ties: Ties) -> pl.DataFrame:
    running.make("leavers")
    opinions = running.rows("latest_opinions") if running.make("latest_opinions") else None
    tie_days = ties_days(running.settings)
    return network_rows(ties, running.everybody, running.rows("leavers"), opinions, tie_days)


def _opinions(running: Run) -> pl.DataFrame | None:
    if not running.make("latest_opinions"):
        return None
    ids = running.rows("nodes").select("node", "customer_id")
    found = running.rows("latest_opinions").join(ids, on="node").sort("customer_id")
    return found.select("customer_id", "opinion")


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Join the parts to the first, which has the keys; whole numbers become Int64, flags Int8, the rest Float64."""
    first, *others = parts
    frame = first
    for part in others:
        frame = frame.join(part, on="customer_key", how="left", maintain_order="left")
    features = [name for name in frame.columns if name not in KEYS]
    return frame.select(*KEYS, *[_in_type(name, frame.schema[name]) for name in features])


def _in_type(name: str, kind: pl.DataType) -> pl.Expr:
    if kind == pl.Boolean:
        return pl.col(name).cast(pl.Int8)
    if kind.is_integer():
        return pl.col(name).cast(pl.Int64)
    return pl.col(name) if kind == pl.String else pl.col(name).cast(pl.Float64)
