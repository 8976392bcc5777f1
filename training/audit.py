"""The order of the leakage audit: which rows it looks at, which comparisons it makes, and what it refuses.

It decides nothing about evidence (leakage, joins) and refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl

from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables

from .futures import own_features, reading_the_future
from .joins import late_readings
from .leakage import Leak, Origins, knowing, refuse_leaks
from .rows import Rows, rows_of

ENOUGH_LEAVERS = 200
"""Leavers with whom the audit is content; with fewer in the newest snapshot it takes earlier ones too."""


class Seen(Protocol):
    """One snapshot with features and labels by customer_key."""

    @property
    def instant(self) -> AsOf:
        """Its as-of date."""

    @property
    def features(self) -> pl.DataFrame:
        """The feature table of the date."""

    @property
    def outcomes(self) -> pl.DataFrame:
        """customer_key and left (0 or 1)."""


def audit_extract(
    rows: Rows, tables: LakeTables, config: Config, source_of: Callable[[str], str]
) -> tuple[tuple[Leak, ...], tuple[str, ...]]:
    """Return the leaks of a labelled extract and the warnings; raise GateRefused for what is not accepted."""
    origins = Origins("labelled", tables.attributes, source_of)
    leaks = knowing(rows, origins, seed=config.training.seed, threads=config.engine.threads)
    return leaks, _told(leaks, tables, config)


def audit_snapshots(
    seen: Sequence[Seen],
    engine: Engine,
    tables: LakeTables,
    config: Config,
    *,
    known_by: AsOf,
    source_of: Callable[[str], str],
    own: Path | None = None,
) -> tuple[tuple[Leak, ...], tuple[str, ...]]:
    """Return the leaks of dated snapshots, latest first, and the warnings; raise GateRefused as above.

    The newest snapshot is looked at, and as many earlier ones as it takes to see 200 leavings. Features of the folder
    ``own`` and of functions outside the package are made once more for the newest, without what came after it.
    """
    if not seen:
        return (), ()
    by_design = frozenset(config.churn.activity) if config.churn.kind == "inactive" else frozenset()
    own_names = own_features(own)
    origins = Origins("customers", tables.attributes, source_of, frozenset(own_names), by_design)
    looked_at: list[Seen] = []
    n_left = 0
    for look in seen:
        looked_at.append(look)
        n_left += int(look.outcomes["left"].sum())
        if n_left >= ENOUGH_LEAVERS:
            break
    rows = rows_of([(str(look.instant), look.features, look.outcomes) for look in looked_at])
    newest = seen[0]
    leaks = (
        *reading_the_future(
            engine,
            tables,
            config.churn,
            day=newest.instant,
            consent_as_of=known_by,
            names=own_names,
            own=own,
            labels=newest.outcomes,
            origins=origins,
        ),
        *late_readings(
            tables, newest.features, newest.outcomes, newest.instant, known_by=known_by, origins=origins
        ),
        *knowing(rows, origins, seed=config.training.seed, threads=config.engine.threads),
    )
    return leaks, _told(leaks, tables, config)


def _told(leaks: Sequence[Leak], tables: LakeTables, config: Config) -> tuple[str, ...]:
    names = {attribute.column: attribute.name for attribute in tables.attributes}
    return refuse_leaks(leaks, config.training.accept_leaks, names)
