"""What became of the customers of past snapshots, until the date of training: for lifetimes, not for the risk.

It decides how far somebody is followed, and refuses to know risks. Who got a retention action is followed until then,
since what they would have done without it nobody saw. Only facts known by the date of training are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables

from .labels import SECONDS_PER_DAY
from .snapshots import Snapshot

FATE_COLUMNS = {
    "customer_id": pl.String(),
    "as_of": pl.String(),
    "left_days": pl.Float64(),
    "followed_days": pl.Float64(),
    "taught_days": pl.Float64(),
}
"""By customer and snapshot, in days from the beginning of its outcome window: leaving (null: none is known), how far
followed, and how far until the first test date, whose later days taught nobody."""


class Seen(Protocol):
    """One snapshot with the customers that were looked at."""

    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def features(self) -> pl.DataFrame: ...


def fates(
    engine: Engine, tables: LakeTables, looks: Iterable[Seen], churn: ChurnSettings, known_by: AsOf
) -> pl.DataFrame:
    """Return the fate of every customer of every snapshot, with the columns :data:`FATE_COLUMNS`.

    Tables must be registered. Empty for churn by inactivity: a silence has no day of its own, and who falls silent may
    speak again.
    """
    seen = list(looks)
    if churn.kind != "cancelled" or not seen:
        return pl.DataFrame(schema=FATE_COLUMNS)
    tests = [look.snapshot.as_of.instant for look in seen if look.snapshot.use == "test"]
    first_test = min(tests, default=known_by.instant)
    return pl.concat([_fates_of(engine, tables, look, known_by, first_test) for look in seen])


def _fates_of(
    engine: Engine, tables: LakeTables, look: Seen, known_by: AsOf, first_test: datetime
) -> pl.DataFrame:
    begins = look.snapshot.outcome_from
    statements = statements_in("training")
    window = {"known_by": known_by.instant}
    left = engine.frame(statements["leavings"], {"earliest": look.snapshot.as_of.instant, **window})
    found = look.features.select("customer_key", "customer_id").join(
        left, on="customer_key", how="left", maintain_order="left"
    )
    treated_at = pl.lit(None, dtype=pl.Datetime("us"))
    if tables.has("treatments"):
        until = {"as_of": look.snapshot.as_of.instant, "outcome_to": known_by.instant, **window}
        actions = engine.frame(statements["actions"], until).select("customer_key", "treated_at")
        found = found.join(actions, on="customer_key", how="left", maintain_order="left")
        treated_at = pl.col("treated_at")
    end = pl.min_horizontal(treated_at, pl.lit(known_by.instant))
    return found.select(
        "customer_id",
        pl.lit(str(look.snapshot.as_of)).alias("as_of"),
        _days(pl.col("left_at"), begins).alias("left_days"),
        _days(end, begins).alias("followed_days"),
        _days(pl.min_horizontal(end, pl.lit(first_test)), begins).alias("taught_days"),
    )


def _days(at: pl.Expr, begins: datetime) -> pl.Expr:
    return (at - begins).dt.total_microseconds() / (1_000_000 * SECONDS_PER_DAY)
