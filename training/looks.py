"""The past dates that a training looks at: features as of each, and who left after it.

It decides which dates those are and stacks them into rows, and refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from churnrisk.bundle import Kind
from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.errors import Fault
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features import FeatureSet, build, tie_rules

from .censoring import Censoring, weighted
from .contagion import Watch
from .fit import FitSettings
from .labels import Labels, earliest_look, labels_of
from .result import SnapshotUse
from .rows import Rows, rows_of
from .snapshots import Snapshot, outcome_days, snapshot_schedule
from .trees import threads_for


@dataclass(frozen=True)
class Look:
    """One snapshot with its feature table and labels."""

    snapshot: Snapshot
    features: pl.DataFrame
    labels: Labels
    notes: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """The as-of day, ISO."""
        return str(self.snapshot.as_of)

    @property
    def instant(self) -> AsOf:
        """The as-of date."""
        return self.snapshot.as_of

    @property
    def outcomes(self) -> pl.DataFrame:
        """customer_key and left of those judged."""
        return self.labels.frame


def looks_along(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    known_by: AsOf,
    schedule: Sequence[Snapshot],
    *,
    own: Path | None,
    tie_weights: Mapping[str, float] | None,
) -> Iterator[tuple[Look, FeatureSet]]:
    """Yield each snapshot of the schedule that has labels, with what was built; the first decides types for all.

    Calls of each day are counted into pairs once for all of them. Outcomes and consents are those of ``known_by``.
    """
    tables = replace(tables, kept_for=tuple(snapshot.as_of for snapshot in schedule))
    kinds: Mapping[str, Kind] | None = None
    for snapshot in schedule:
        labels = labels_of(engine, tables, snapshot, config.churn, known_by)
        if not labels.frame.height:
            continue
        found = build(
            engine,
            tables,
            snapshot.as_of,
            config.churn,
            consent_as_of=known_by,
            kinds=kinds,
            rules=tie_rules(config.ties, tie_weights),
            own=own,
        )
        kinds = found.kinds if kinds is None else kinds
        yield Look(snapshot, found.frame, labels, found.notes), found


def looks_of(
    engine: Engine,
    tables: LakeTables,
    config: Config,
    as_of: AsOf,
    *,
    own: Path | None,
    tie_weights: Mapping[str, float] | None,
    watch: Watch | None,
) -> list[Look]:
    """Return every snapshot with labels and features; the latest decides the types of attributes for all."""
    churn = config.churn
    schedule = snapshot_schedule(
        as_of, churn, config.training, earliest=earliest_look(tables, outcome_days(churn))
    )
    looks: list[Look] = []
    for look, found in looks_along(engine, tables, config, as_of, schedule, own=own, tie_weights=tie_weights):
        looks.append(look)
        if watch is not None:
            watch.add(look.snapshot, found, look.labels)
    return looks


def watch_of(
    engine: Engine, tables: LakeTables, config: Config, as_of: AsOf, group_of: Callable[[str], str]
) -> Watch | None:
    """Return what follows the looks to see whether churn spreads; None where the settings do not ask."""
    if not config.training.study_contagion:
        return None
    days = outcome_days(config.churn)
    schedule = snapshot_schedule(as_of, config.churn, config.training, earliest=earliest_look(tables, days))
    earliest = schedule[-1].as_of.instant if schedule else None
    return Watch.begun(engine, config.churn, as_of, earliest, group_of)


def without_actions(looks: list[Look], settings: FitSettings) -> tuple[list[Look], Censoring | None]:
    """Return the looks with weights that make the untreated stand for all, and what was done; see ``censoring``."""
    cells = sum(look.features.height * look.features.width for look in looks)
    labels, done = weighted(looks, seed=settings.seed, threads=threads_for(cells, settings.threads))
    return [replace(look, labels=found) for look, found in zip(looks, labels, strict=True)], done


def stacked(looks: list[Look], is_wanted: Callable[[Look], bool]) -> Rows:
    """Return the labelled rows of the looks that are wanted, one under another."""
    return rows_of([(look.day, look.features, look.labels.frame) for look in looks if is_wanted(look)])


def use_of(look: Look) -> SnapshotUse:
    """Return what the training does with a look, and how many customers it holds."""
    snapshot = look.snapshot
    left = look.labels.frame.join(look.features.select("customer_key"), on="customer_key")["left"]
    return SnapshotUse(
        look.day, snapshot.use, snapshot.is_shipped, len(left), int(left.sum()), look.labels.counts
    )


def no_snapshot() -> Fault:
    """Return what to say where no past date can be learned from."""
    return Fault(
        code="no_snapshot",
        where="sources",
        expected="at least one past date with history before it and a whole outcome window after it",
        found="none",
        remedy="Give more history, or shorten [churn] horizon_days, gap_days or inactive_days.",
    )
