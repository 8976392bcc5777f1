"""Benchmark: a night of a simulated telco, from source files to published tables, beside an analyst's pandas script.

    python -m tests.bench night [--full]

20,000 customers with 1 M calls, or 200,000 with 10 M (`--full`). The pandas script (tests/bench/pandas_night.py) goes
from the same files to the same feature table, which is checked equal column by column; each contender has a process of
its own. The model of the whole night is trained on a small world of the same kind before the clock starts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pandas as pd
import polars as pl

from churnrisk.api import open_workspace
from churnrisk.simulate import WorldSettings, simulate, workspace_config
from tests.bench.measure import Measure, measured
from tests.bench.pandas_night import When
from tests.bench.pandas_night import feature_table as pandas_table
from tests.bench.same_tables import differences

DAYS = 120
"""Three quarters of the calls lie in the 90 days that make ties: the hard case for ties."""
CALLS_PER_DAY = 0.342
"""Started per customer; with those from off-net contacts about 50 calls a customer in `DAYS`."""
SMALL, FULL = 20_000, 200_000
PUPILS, PUPIL_DAYS = 3_000, 300
"""Customers and days of the world on which the champion is trained."""
FEW_SNAPSHOTS = "[training]\nn_snapshots = 2\n"
OURS, THEIRS = "tests.bench.churnrisk_night", "tests.bench.night"

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]


def tables(full: bool) -> Sequence[Table]:
    """Return the tables for ``python -m tests.bench``."""
    customers = FULL if full else SMALL
    found: list[Table] = []
    with tempfile.TemporaryDirectory() as folder:
        for calls_format in ("parquet", "csv"):
            world = Path(folder) / calls_format
            settings = world_settings(customers, calls_format)
            rows = simulate(world / "data", settings).rows
            found += _to_features(world, settings, rows, calls_format)
            if calls_format == "parquet":
                found += _whole_night(world, settings)
            rmtree(world)
    return found


def world_settings(customers: int, calls_format: str) -> WorldSettings:
    """Return the settings of a benchmark's world."""
    formats: dict[str, Any] = {"calls": calls_format}
    return WorldSettings(customers=customers, days=DAYS, calls_per_day=CALLS_PER_DAY, file_format=formats)


def pandas_features(data: str, day: str, history_days: int, table: str) -> dict[str, Any]:
    """The other side: from the same files to the same table, written too."""
    frame: pd.DataFrame = pandas_table(Path(data), When(day, "UTC", history_days))
    frame.to_parquet(table)
    return {}


def _to_features(
    world: Path, settings: WorldSettings, rows: Mapping[str, int], calls_format: str
) -> list[Table]:
    day = settings.end_on.isoformat()
    ours, theirs = world / "ours.parquet", world / "theirs.parquet"
    pandas = measured(
        f"{THEIRS}:pandas_features",
        {"data": str(world / "data"), "day": day, "history_days": DAYS, "table": str(theirs)},
    )
    _begin(world, settings)
    mine = measured(f"{OURS}:feature_table", {"root": str(world), "day": day, "table": str(ours)})
    found = differences(pl.read_parquet(ours), pl.read_parquet(theirs))
    if found:
        raise AssertionError("\n".join(found))
    size = f"{settings.customers:,} customers, {rows['calls']:,} calls as {calls_format}"
    n_features = pl.scan_parquet(ours).collect_schema().len() - 1
    title = f"Sources to feature table: {size}; {n_features} features, all equal"
    return [_beside(title, pandas, mine), _steps("churnrisk, sources to feature table", mine)]


def _beside(title: str, pandas: Measure, mine: Measure) -> Table:
    head = ("", "seconds", "processor seconds", "peak MB")
    lines = [
        (name, measure.seconds, measure.busy_seconds, measure.peak_mb)
        for name, measure in (("pandas", pandas), ("churnrisk", mine))
    ]
    ratios = (
        f"{pandas.seconds / mine.seconds:.2f} x faster",
        f"{pandas.busy_seconds / mine.busy_seconds:.2f} x less",
        f"{mine.peak_mb / pandas.peak_mb:.2f} of it",
    )
    return title, head, [*lines, ("ratio", *ratios)]


def _whole_night(world: Path, settings: WorldSettings) -> list[Table]:
    school = world / "school"
    _train(school)
    _begin(world, settings)
    copytree(school / "models", world / "models")
    arguments = {"root": str(world), "day": settings.end_on.isoformat()}
    first, again = (measured(f"{OURS}:night", arguments) for _ in range(2))
    return [
        _steps("churnrisk, the whole night", first),
        _steps("churnrisk, the same night again: validated tables are reused", again),
    ]


def _train(school: Path) -> None:
    """Train a champion on a small world of the same kind."""
    settings = WorldSettings(customers=PUPILS, days=PUPIL_DAYS, calls_per_day=CALLS_PER_DAY)
    simulate(school / "data", settings)
    _begin(school, settings, FEW_SNAPSHOTS)
    workspace = open_workspace(school)
    learned = workspace.train(settings.end_on)
    if not learned.became_champion:
        workspace.promote(learned.version.version)


def _begin(world: Path, settings: WorldSettings, more: str = "") -> None:
    """Put the settings there, and nothing that was made before."""
    (world / "churnrisk.toml").write_text(f"{workspace_config(settings)}\n{more}", "utf-8")
    rmtree(world / "lake", ignore_errors=True)


def _steps(title: str, measure: Measure) -> Table:
    head = ("step", "seconds", "share")
    seconds: dict[str, float] = measure.result["seconds"]
    lines = [(name, value, f"{value / measure.seconds:.0%}") for name, value in seconds.items()]
    return f"{title}: {measure.seconds:.1f} s, {measure.peak_mb:.0f} MB", head, lines
