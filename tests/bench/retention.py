"""Benchmark: is the risk still right where a retention programme works, and would it be if nobody looked at it?

    python -m tests.bench retention [--full]

A simulated telco whose team picks 2 % of its customers a week by what it sees and offers them something that takes 60 %
off their hazard for eight weeks; a share of those picked is left alone at random, as control. Two models learn from the
same features: one takes the treated for people like the others ("naive"), ours leaves them out and lets the untreated
stand for them. Both are judged, out of time, on the controls alone (weighted as the whole base: no model in it) and on
all the untreated. Observed/expected of 1 = the risk without an action is right; over 1 = it is understated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from churnrisk import metrics
from churnrisk.bundle import Provenance
from churnrisk.config import Config
from churnrisk.dates import AsOf
from churnrisk.simulate import Programme, WorldSettings, simulate, workspace_config
from churnrisk.sources import load
from churnrisk.store import Engine, Workspace
from churnrisk.tables.lake import LakeTables
from features import build
from training.censoring import Censoring
from training.fit import FitSettings, fitted_model
from training.labels import Labels, earliest_look, labels_of
from training.looks import Look, without_actions
from training.rows import Rows, rows_of
from training.snapshots import outcome_days, snapshot_schedule

FIRST_SEED, N_SEEDS = 31, 5
HEAD = (
    "world", "seed", "model", "treated", "mean risk", "O/E controls", "low", "high", "O/E untreated", "low", "high",
    "slope", "low", "high", "ECE", "null", "AUC",
)  # fmt: skip
Row = Sequence[object]


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield one pair of rows per world: with a quarter left alone (exact weights), and with nobody (estimated)."""
    rows: list[Row] = []
    for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1)):
        for name, share in (("a quarter left alone", 0.25), ("nobody left alone", 0.0)):
            rows += compared(name, share, seed, customers=50_000 if full else 20_000)
    yield "Risk without an action, where a retention programme works; out of time", HEAD, rows


def compared(name: str, control_share: float, seed: int, customers: int) -> list[Row]:
    """Return the row of the naive model and of ours for one world."""
    settings = WorldSettings(
        customers=customers,
        days=548,
        seed=seed,
        contagion=1.0,
        homophily=0.0,
        monthly_churn=0.03,
        calls_per_day=0.1,
        decision_lag_days=10,
        file_format={"usage": "parquet", "events": "parquet", "interactions": "parquet"},
        programme=Programme(control_share=control_share),
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "data", settings)
        (root / "churnrisk.toml").write_text(
            workspace_config(settings).replace("[team]", "[training]\ntest_snapshots = 3\n\n[team]"), "utf-8"
        )
        workspace = Workspace.open(root)
        with workspace.engine() as engine:
            loaded = load(workspace, engine, environment={})
            looks, naive = _looks(engine, loaded.tables, workspace.config, AsOf(settings.end_on))
    fit = FitSettings(seed=1)
    ours, done = without_actions(looks, fit)
    tested = _stacked(ours, "test")
    found = [("naive", _stacked(naive, "train"), None), ("ours", _stacked(ours, "train"), done)]
    return [(name, seed, *_judged(kind, learned, tested, fit, what)) for kind, learned, what in found]


def _looks(engine: Engine, tables: LakeTables, config: Config, as_of: AsOf) -> tuple[list[Look], list[Look]]:
    """Return the looks with the treated left out, and the same with them taken for people like the others."""
    churn = config.churn
    tables.register(engine)
    earliest = earliest_look(tables, outcome_days(churn))
    ours: list[Look] = []
    naive: list[Look] = []
    for snapshot in snapshot_schedule(as_of, churn, config.training, earliest=earliest):
        found = build(engine, tables, snapshot.as_of, churn, consent_as_of=as_of)
        for kept, is_censored in ((ours, True), (naive, False)):
            labels: Labels = labels_of(engine, tables, snapshot, churn, as_of, is_censored=is_censored)
            kept.append(Look(snapshot, found.frame, labels))
    return ours, naive


def _stacked(looks: list[Look], use: str) -> Rows:
    return rows_of(
        [(look.day, look.features, look.labels.frame) for look in looks if look.snapshot.use == use]
    )


def _judged(kind: str, learned: Rows, tested: Rows, fit: FitSettings, done: Censoring | None) -> Row:
    model = fitted_model(learned, fit).bundle((), Provenance())
    risk = model.predict(tested.frame)["risk"].to_numpy()
    weight = tested.weight
    line = metrics.calibration_line(tested.left, risk, weight)
    error = metrics.ece(tested.left, risk, weight, seed=1)
    controls = tested.is_control if tested.is_control is not None else np.zeros(len(risk), dtype=bool)
    nothing = metrics.Interval(float("nan"), float("nan"), float("nan"))
    alone = (
        metrics.observed_over_expected(tested.left[controls], risk[controls]) if controls.any() else nothing
    )
    everyone = metrics.observed_over_expected(tested.left, risk, weight)
    return (
        kind,
        f"{done.n_treated:,} left out ({done.source})" if done else "as the others",
        f"{float(risk.mean()):.2%}",
        alone.value, alone.low, alone.high, everyone.value, everyone.low, everyone.high,
        line.slope.value, line.slope.low, line.slope.high, error.value, error.null_mean,
        metrics.auc(tested.left, risk, weight),
    )  # fmt: skip
