"""Benchmark: what the network block adds out of time on the reference worlds, the whole way from files.

    python -m tests.bench ablation [--full]

One seed of three worlds, or ten seeds (`--full`). Planted contagion: at least +0.02 AUC and +10 % top-decile lift;
nothing planted and nobody alike: at most 0.003 either way. Each training also says whether churn spreads. Beside it,
what could be gained at most: the AUC of the true hazard less that of the true hazard without its contagion.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.metrics import auc, lift
from churnrisk.simulate import reference_world, simulate, workspace_config
from churnrisk.sources import load
from churnrisk.store import Workspace
from training import TrainingResult, train

KINDS: dict[str, tuple[float, float]] = {
    "planted, alike": (2.5, 0.6),
    "planted": (2.5, 0.0),
    "neither": (1.0, 0.0),
}
"""Name -> contagion, homophily."""

FIRST_SEED, N_SEEDS = 11, 10

Row = Sequence[object]
HEAD = (
    "world",
    "seed",
    "AUC",
    "added",
    "low",
    "high",
    "lift",
    "added",
    "low",
    "high",
    "most",
    "verdict",
    "ratio",
)


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield one row per world."""
    rows = [
        _row(name, seed, *trained(*kind, seed))
        for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1))
        for name, kind in KINDS.items()
    ]
    yield "What the network adds, out of time; paired resamples of customers", HEAD, rows


def trained(
    contagion: float, homophily: float, seed: int, customers: int = 50_000
) -> tuple[TrainingResult, float]:
    """Simulate a world, load it and train as of its last day; beside it `most_gained`."""
    settings = reference_world(contagion=contagion, homophily=homophily, seed=seed, customers=customers)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "data", settings)
        (root / "churnrisk.toml").write_text(workspace_config(settings), "utf-8")
        workspace = Workspace.open(root)
        config: Config = workspace.config
        with workspace.engine() as engine:
            loaded = load(workspace, engine, environment={})
            return train(engine, loaded.tables, config, AsOf(settings.end_on)), most_gained(root / "data")


def most_gained(data: Path) -> float:
    """AUC that the contagion in the true hazard is worth: who decides within 30 days of four past weeks, mean."""
    truth = data / "truth"
    hazard = pl.read_parquet(truth / "hazard" / "*.parquet")
    fate = pl.read_parquet(truth / "people" / "people.parquet").select("customer_id", "decided_on")
    weeks = hazard["day"].unique().sort().to_list()[-30:-6:6]
    gains = []
    for day in weeks:
        rows = hazard.filter(pl.col("day") == day).join(fate, on="customer_id")
        soon = (
            pl.col("decided_on")
            .is_between(day, day + timedelta(days=30), closed="left")
            .fill_null(value=False)
        )
        left = rows.select(soon).to_series().to_numpy().astype(float)
        whole, contagion = rows["log_hazard"].to_numpy(), rows["contagion"].to_numpy()
        gains.append(auc(left, whole) - auc(left, whole - contagion))
    return sum(gains) / len(gains)


def _row(name: str, seed: int, result: TrainingResult, most: float) -> Row:
    judged = result.judged
    gained = [result.network_gain[figure] for figure in ("auc", "top_decile_lift")]
    found = result.contagion
    top = lift(judged["left"].to_numpy(), judged["risk"].to_numpy())
    ranked, lifted = ((gain.value, gain.low, gain.high) for gain in gained)
    spreading = ("", "") if found is None else (found.verdict, found.ratio.value if found.ratio else "")
    return (name, seed, result.evaluation.figures["auc"] or "", *ranked, top, *lifted, most, *spreading)
