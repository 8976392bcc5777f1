"""Who left: outcome labels of one snapshot, from the validated tables.

It decides who counts as a leaver, a stayer or neither, and refuses to know features. Only facts known by the date of
training are read. Those in notice at the snapshot and those who leave inside the gap are neither: nothing could be
done for them (science, section 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.errors import Fault, ModelUnfit
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables

from .snapshots import Snapshot

STATUSES = ("leaver", "stayer", "in_notice", "in_gap", "gone", "not_yet")
JUDGED = ("leaver", "stayer")
"""Statuses that are learned from and judged on; the others are counted and left out."""

HAPPENED: Mapping[str, str] = {
    "calls": "started_at",
    "usage": "period_start",
    "events": "at",
    "interactions": "at",
    "surveys": "invited_at",
}
"""The column that says when a fact of each table happened."""


@dataclass(frozen=True)
class Labels:
    """Labels of one snapshot: ``frame`` has customer_key and left (0 or 1), by rising key; counts by status."""

    frame: pl.DataFrame
    counts: Mapping[str, int]


def labels_of(
    engine: Engine, tables: LakeTables, snapshot: Snapshot, churn: ChurnSettings, known_by: AsOf
) -> Labels:
    """Return the labels of ``snapshot`` for churn by cancellation or inactivity; tables must be registered.

    Raises ModelUnfit when churn is by inactivity and no activity table exists.
    """
    if churn.kind == "inactive":
        found = _inactive(engine, tables, snapshot, churn, known_by)
    else:
        statement = statements_in("training")["labels_cancelled"]
        found = engine.frame(statement, snapshot.parameters(known_by))
    counted = dict(found.group_by("status").len().iter_rows())
    judged = found.filter(pl.col("status").is_in(JUDGED)).select(
        "customer_key", left=(pl.col("status") == "leaver").cast(pl.Int8)
    )
    return Labels(judged.sort("customer_key"), {name: int(counted.get(name, 0)) for name in STATUSES})


def earliest_look(tables: LakeTables, days: int) -> datetime | None:
    """Return the first instant with ``days`` of facts behind it; None without any table of facts."""
    starts = [
        pl.scan_parquet(tables.paths[table]).select(pl.col(column).min()).collect().item()
        for table, column in HAPPENED.items()
        if tables.has(table)
    ]
    known = [start for start in starts if start is not None]
    return min(known) + timedelta(days=days) if known else None


def _inactive(
    engine: Engine, tables: LakeTables, snapshot: Snapshot, churn: ChurnSettings, known_by: AsOf
) -> pl.DataFrame:
    statements = statements_in("training")
    silence = timedelta(days=churn.inactive_days)
    parameters = {
        **snapshot.parameters(known_by),
        "active_from": snapshot.as_of.days_before(churn.inactive_days),
    }
    sources = [name for name in churn.activity if tables.has(name)]
    if not sources:
        raise ModelUnfit(
            Fault(
                code="no_activity",
                where="churnrisk.toml [churn] activity",
                expected="at least one source whose facts count as activity",
                found=f"none of {', '.join(churn.activity)} among the sources",
                remedy="Add the source, or name another in [churn] activity.",
            )
        )
    consents = statements_in("features")["consents"]
    engine.create(consents, {"consent_as_of": known_by.instant})
    activity = pl.concat([engine.frame(statements[f"activity_{name}"], parameters) for name in sources])
    engine.drop(consents.output)
    by_customer = activity.group_by("customer_key").agg(
        pl.col("last_active_at").max(), pl.col("is_active_in_gap").max(), pl.col("is_active_in_outcome").max()
    )
    return by_customer.select("customer_key", status=_silence_status(snapshot, silence))


def _silence_status(snapshot: Snapshot, silence: timedelta) -> pl.Expr:
    """Leaving happens when the silence is complete: before t gone, in [t, t + gap) in the gap, later a leaver."""
    in_gap = (
        ~pl.col("is_active_in_gap")
        & ~pl.col("is_active_in_outcome")
        & (pl.col("last_active_at") + silence < snapshot.outcome_from)
    )
    return (
        pl.when(pl.col("last_active_at").is_null())
        .then(pl.lit("gone"))
        .when(in_gap)
        .then(pl.lit("in_gap"))
        .when(pl.col("is_active_in_outcome"))
        .then(pl.lit("stayer"))
        .otherwise(pl.lit("leaver"))
    )
