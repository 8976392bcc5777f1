"""Benchmark: is the risk still right where a retention programme works, and would it be if nobody looked at it?

    python -m tests.bench retention [--full]

A simulated telco of 50,000 whose team picks 2 % of its customers a week by what it sees and offers them something that
takes 60 % off their hazard for eight weeks; a share of those picked is left alone at random, as control. Two models
learn from the same features on the same dates: one takes the treated for people like the others ("naive"), ours leaves
them out and lets the untreated stand for them. Both are judged, out of time, on

controls    those left alone on purpose, alone: no weights in it, but whoever is picked late has stayed until then, and
            was picked by what happened after the date; it compares the models and is not 1 for a perfect one;
untreated   all without an action, with the weights that let them stand for all;
truth       everybody, the treated among them, by the hazard that they would have had: what would have been observed,
            over what was expected. Not those with an action in the eight weeks before, whose hazard it still lowers;
... top     of these the tenth with the highest risk by the same model.

Observed/expected of 1 = the risk without an action is right; over 1 = it is understated. It has two intervals: by
chance alone, and with what the dates learned from differ beyond chance (`training.levels`). The truth knows no chance.

Before the models stands the world itself: the untreated observed, weighted, over what their true hazard expects, at
the dates learned from and at those that judge. 1 but for chance, or the weights are wrong. And the true level of the
ones over that of the others: how far the world moved, which nobody could have learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import Bundle, Provenance
from churnrisk.dates import AsOf
from churnrisk.simulate import Programme, WorldSettings
from features import build
from tests.bench.truth import HAZARD_RATIO, LAG_DAYS, LASTING_DAYS, WEEK_DAYS, true_risk
from tests.bench.worlds import LoadedWorld, last_month_whose_outcomes_are_known, loaded_world, stacked_for
from training.censoring import Censoring
from training.fit import FitSettings, fitted_model
from training.labels import earliest_look, labels_of
from training.levels import Levels, levels_of
from training.looks import Look, without_actions
from training.rows import Rows, rows_of
from training.snapshots import outcome_days, snapshot_schedule

FIRST_SEED, N_SEEDS = 31, 5
CUSTOMERS = 50_000
TRAINING = "test_snapshots = 2\nsnapshot_every_days = 28\nstudy_contagion = false\n"

HEAD = (
    "world", "seed", "model", "judged on", "rows", "leavers", "O/E", "low", "high", "slope", "low", "high", "ECE",
    "at most", "AUC", "dates low", "dates high",
)  # fmt: skip
Row = Sequence[object]
Floats = NDArray[np.float64]


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield the lines of two worlds a seed: a quarter left alone (exact weights), and nobody (estimated)."""
    rows: list[Row] = []
    for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1)):
        for name, share in (("a quarter left alone", 0.25), ("nobody left alone", 0.0)):
            rows.extend((name, seed, *line) for line in compared(drawn(share, seed)))
    yield "Risk without an action, where a retention programme works; out of time", HEAD, rows


@dataclass(frozen=True)
class Drawn:
    """Rows that both models learn from and are judged on."""

    naive: Rows
    ours: Rows
    tested: Rows
    everybody: Rows
    """Of the test dates, the treated too; nobody with an action shortly before."""
    true_risk: Mapping[str, Floats]
    """Of each row of ours, tested and everybody: what their hazard makes of the outcome window, without an action."""
    done: Censoring | None


def drawn(control_share: float, seed: int, customers: int = CUSTOMERS) -> Drawn:
    """Simulate a world, look at it on past dates, and label what was seen in both ways."""
    settings = WorldSettings(
        customers=customers,
        days=548,
        seed=seed,
        contagion=1.0,
        homophily=0.0,
        monthly_churn=0.03,
        calls_per_day=0.1,
        decision_lag_days=LAG_DAYS,
        file_format={"usage": "parquet", "events": "parquet", "interactions": "parquet"},
        programme=Programme(
            control_share=control_share, hazard_ratio=HAZARD_RATIO, lasting_weeks=LASTING_DAYS // WEEK_DAYS
        ),
        weekly_truth=True,
    )
    with loaded_world(settings, TRAINING) as world:
        as_of = last_month_whose_outcomes_are_known(world.hazard, settings.end_on)
        ours, naive = _looks(world, as_of)
        before = world.engine.frame(
            """select customer_key, "at" from treatments where offer_id <> 'control' order by all"""
        )
    ours, done = without_actions(ours, FitSettings(seed=1))
    everybody = rows_of([_everybody(look, before) for look in ours if look.snapshot.use == "test"])
    names = pl.concat([look.features.select("customer_key", "customer_id") for look in ours]).unique()
    before = before.join(names, on="customer_key")
    learned, tested = stacked_for(ours, "train"), stacked_for(ours, "test")
    named = {"ours": learned, "tested": tested, "everybody": everybody}
    truth = {name: true_risk(rows, world.hazard, before) for name, rows in named.items()}
    return Drawn(stacked_for(naive, "train"), learned, tested, everybody, truth, done)


def _looks(world: LoadedWorld, as_of: AsOf) -> tuple[list[Look], list[Look]]:
    """Return the looks with the treated left out, and the same with them taken for people like the others."""
    churn, tables = world.config.churn, world.tables
    earliest = earliest_look(tables, outcome_days(churn))
    ours: list[Look] = []
    naive: list[Look] = []
    for snapshot in snapshot_schedule(as_of, churn, world.config.training, earliest=earliest):
        if snapshot.use == "embargo":
            continue
        found = build(world.engine, tables, snapshot.as_of, churn, consent_as_of=as_of)
        for kept, is_censored in ((ours, True), (naive, False)):
            labels = labels_of(world.engine, tables, snapshot, churn, as_of, is_censored=is_censored)
            kept.append(Look(snapshot, found.frame, labels))
    return ours, naive


def _everybody(look: Look, actions: pl.DataFrame) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """Return the day, features and outcomes of all who were followed, but for those an action still protects."""
    followed = look.labels.followed
    assert followed is not None
    until = look.instant.instant
    recent = actions.filter(
        pl.col("at").is_between(until - timedelta(days=LASTING_DAYS), until, closed="left")
    )
    kept = followed.join(recent, on="customer_key", how="anti").select("customer_key", "left")
    return look.day, look.features, kept


def compared(world: Drawn) -> Iterator[Row]:
    """Yield the lines of the world itself, of the naive model and of ours."""
    yield from _itself(world)
    tested = world.tested
    for name, learned in (("naive", world.naive), ("ours", world.ours)):
        fitted = fitted_model(learned, FitSettings(seed=1))
        model, levels = fitted.bundle((), Provenance()), levels_of(learned, fitted.out_of_fold_risk)
        if tested.is_control is not None and tested.is_control.any():
            controls = tested.where(tested.is_control)
            yield name, "controls", *_judged(model, controls, np.ones(len(controls.left)), levels)
        yield name, "untreated", *_judged(model, tested, tested.weight, levels)
        risk = _risk(model, world.everybody)
        is_top = risk >= np.quantile(risk, 0.9)
        for told, chosen in (("truth", np.ones(len(risk), dtype=bool)), ("... top", is_top)):
            would = float(world.true_risk["everybody"][chosen].sum())
            line = (int(chosen.sum()), round(would), would / float(risk[chosen].sum()))
            yield name, told, *line, *[""] * 10


def _itself(world: Drawn) -> Iterator[Row]:
    """Yield observed over the truth at the dates learned from and at those that judge, and how far the truth moved."""
    level = []
    for told, rows, truth in (
        ("untreated, learned from", world.ours, world.true_risk["ours"]),
        ("untreated", world.tested, world.true_risk["tested"]),
    ):
        found = metrics.observed_over_expected(
            rows.left, truth, rows.weight, customer=rows.customer.astype(str)
        )
        level.append(float(rows.weight @ truth / rows.weight.sum()))
        counts = len(rows.left), int(rows.left.sum())
        yield "the world", told, *counts, found.value, found.low, found.high, *[""] * 8
    yield "the world", "true level, over that learned from", "", "", level[1] / level[0], *[""] * 10


def _risk(model: Bundle, rows: Rows) -> Floats:
    return model.predict(rows.frame)["risk"].to_numpy()


def _judged(model: Bundle, rows: Rows, weight: Floats, levels: Levels | None) -> Row:
    risk, left = _risk(model, rows), rows.left
    customer = rows.customer.astype(str)
    found = metrics.observed_over_expected(left, risk, weight, customer=customer)
    slope = metrics.calibration_line(left, risk, weight, customer=customer).slope
    error = metrics.ece(left, risk, weight, seed=1)
    wide = found if levels is None else levels.on_new_dates(found, len(np.unique(rows.snapshot.astype(str))))
    return (
        len(left), int(left.sum()), found.value, found.low, found.high, slope.value, slope.low, slope.high,
        error.value, error.null_mean + 2 * error.null_se, metrics.auc(left, risk, weight),
        wide.low, wide.high,
    )  # fmt: skip
