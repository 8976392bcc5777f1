"""Who left: outcome labels of one snapshot, from the validated tables.

It decides who counts as a leaver, a stayer or neither, and refuses to know features. Only facts known by the date of
training are read. Those in notice at the snapshot and those who leave inside the gap are neither: nothing could be
done for them (science, section 5). Nor are those who got a retention action first: what they would have done without
it nobody saw; the others are weighted in their stead (``censoring``).
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

from .kinds import kind_of_leaver
from .snapshots import Snapshot

STATUSES = ("leaver", "stayer", "treated", "in_notice", "in_gap", "gone", "not_yet")
JUDGED = ("leaver", "stayer")
"""Statuses that are learned from and judged on; the others are counted and left out."""

SECONDS_PER_DAY = 86_400

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
    """Labels of one snapshot: ``frame`` has customer_key and left (0 or 1), by rising key; counts by status.

    ``frame`` may carry ``weight`` (> 0; a row stands for so many customers), ``is_control``, and ``kind``: how a leaver
    left (``kinds``), null for stayers and where it is not known. ``followed``, where
    retention actions are recorded, has one row per customer who was judged or treated, by rising key: customer_key,
    days (from the as-of instant to the action, the leaving or the end of the window, whichever came first),
    is_treated, is_control, left and log_control_chance (null: no recorded chance).
    """

    frame: pl.DataFrame
    counts: Mapping[str, int]
    followed: pl.DataFrame | None = None


def labels_of(
    engine: Engine,
    tables: LakeTables,
    snapshot: Snapshot,
    churn: ChurnSettings,
    known_by: AsOf,
    *,
    is_censored: bool = True,
) -> Labels:
    """Return the labels of ``snapshot`` for churn by cancellation or inactivity; tables must be registered.

    Who got a retention action in ``[as_of, outcome_to)`` before leaving is ``treated`` and not judged, unless
    ``is_censored`` is false: then actions are not looked at, which understates the risk wherever they work.

    Raises ModelUnfit when churn is by inactivity and no activity table exists.
    """
    if churn.kind == "inactive":
        found = _inactive(engine, tables, snapshot, churn, known_by).with_columns(
            leaves_at=pl.lit(None, dtype=pl.Datetime("us"))
        )
        kind = []
    else:
        statement = statements_in("training")["labels_cancelled"]
        found = engine.frame(statement, snapshot.parameters(known_by))
        kind = [pl.when(pl.col("status") == "leaver").then(kind_of_leaver(churn)).alias("kind")]
    followed = None
    if is_censored and tables.has("treatments"):
        found = _with_actions(engine, found, snapshot, known_by)
        followed = _followed(found, snapshot)
    counted = dict(found.group_by("status").len().iter_rows())
    judged = found.filter(pl.col("status").is_in(JUDGED)).select(
        "customer_key",
        (pl.col("status") == "leaver").cast(pl.Int8).alias("left"),
        *kind,
        *([] if followed is None else ["is_control"]),
    )
    counts = {name: int(counted.get(name, 0)) for name in STATUSES}
    return Labels(judged.sort("customer_key"), counts, followed)


def _with_actions(engine: Engine, found: pl.DataFrame, snapshot: Snapshot, known_by: AsOf) -> pl.DataFrame:
    """Let judged customers whom an action reached before they left become ``treated``; name the controls."""
    parameters = {
        name: value for name, value in snapshot.parameters(known_by).items() if name != "outcome_from"
    }
    actions = engine.frame(statements_in("training")["actions"], parameters)
    was_first = (pl.col("status") == "stayer") | pl.col("leaves_at").is_null()
    reached = pl.col("treated_at").is_not_null() & (was_first | (pl.col("treated_at") <= pl.col("leaves_at")))
    is_judged = pl.col("status").is_in(JUDGED)
    return found.join(actions, on="customer_key", how="left", maintain_order="left").with_columns(
        status=pl.when(is_judged & reached).then(pl.lit("treated")).otherwise(pl.col("status")),
        is_control=pl.col("control_at").is_not_null(),
        log_control_chance=pl.when(pl.col("n_unknown_chances") == 0).then(pl.col("log_control_chance")),
    )


def _followed(found: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    is_treated = pl.col("status") == "treated"
    left = pl.col("status") == "leaver"
    until = (
        pl.when(is_treated)
        .then(pl.col("treated_at"))
        .when(left)
        .then(pl.col("leaves_at"))
        .otherwise(pl.lit(None))
        .fill_null(snapshot.outcome_to)
    )
    return (
        found.filter(is_treated | pl.col("status").is_in(JUDGED))
        .select(
            "customer_key",
            ((until - snapshot.as_of.instant).dt.total_seconds() / SECONDS_PER_DAY).alias("days"),
            is_treated.alias("is_treated"),
            "is_control",
            left.alias("left"),
            "log_control_chance",
        )
        .sort("customer_key")
    )


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
