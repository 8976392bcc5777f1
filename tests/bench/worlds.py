"""A simulated world loaded as a company's files would be, with the past dates a training looks at and the truth beside.

It decides nothing of learning; the benchmarks of the risk share it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.simulate import WorldSettings, simulate, workspace_config
from churnrisk.sources import load
from churnrisk.store import Engine, Workspace
from churnrisk.tables.lake import LakeTables
from training.looks import Look
from training.rows import Rows, rows_of


@dataclass(frozen=True)
class LoadedWorld:
    """The tables of a world, open until the block ends, and its truth."""

    engine: Engine
    tables: LakeTables
    config: Config
    as_of: AsOf
    """The world's last day: all that is trained happens then."""
    hazard: pl.DataFrame
    """customer_id, day (a week begins), log_hazard of deciding to leave without an action, and its parts; all who are
    undecided. Of the first week of each month, or of every week where the settings say so."""


@contextmanager
def loaded_world(settings: WorldSettings, training: str) -> Iterator[LoadedWorld]:
    """Simulate and load a world; ``training`` holds the lines of its [training] settings."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "data", settings)
        text = workspace_config(settings).replace("[team]", f"[training]\n{training}\n[team]")
        (root / "churnrisk.toml").write_text(text, "utf-8")
        workspace = Workspace.open(root)
        hazard = pl.read_parquet(root / "data" / "truth" / "hazard" / "*.parquet")
        with workspace.engine() as engine:
            tables = load(workspace, engine, environment={}).tables
            tables.register(engine)
            yield LoadedWorld(engine, tables, workspace.config, AsOf(settings.end_on), hazard)


def stacked_for(looks: Sequence[Look], use: str) -> Rows:
    """Return the rows of the looks that train, or that test."""
    return rows_of(
        [(look.day, look.features, look.labels.frame) for look in looks if look.snapshot.use == use]
    )


REACH_DAYS = 44
"""Days after which a date's outcomes are known: 14 to act, 30 to leave."""


def last_month_whose_outcomes_are_known(hazard: pl.DataFrame, end_on: date) -> AsOf:
    """Return the date to train at so that the newest date that judges is the first week of a month.

    The truth of it is written, and 28 days before lies another such date, or none.
    """
    months = hazard.group_by(month=pl.col("day").dt.truncate("1mo")).agg(pl.col("day").min())["day"].to_list()
    newest: date = max(day for day in months if day + timedelta(days=REACH_DAYS) <= end_on)
    return AsOf(newest + timedelta(days=REACH_DAYS))
