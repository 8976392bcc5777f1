"""Benchmark: is the risk calibrated out of time on the reference worlds, and how near does it come to the truth?

    python -m tests.bench reference [--full]

One seed of two worlds, or ten seeds (`--full`), the whole way from files: six training dates, then an embargo, then
two dates that judge, with over a thousand leavers. The bar: the test of calibration does not reject; the intervals of
slope and of observed/expected hold 1; the calibration error lies within its null mean + 2 standard errors; log loss is
better than the constant rate's by more than chance. A perfect model fails the first in one world of twenty, and so,
roughly, the others: they look at the same two numbers.

Beside it two errors in the bins of the model: that of the true risk against what happened (who knows all that is in the
world and still lies beyond the bar was unlucky), and that of the model against the true risk. And the AUC as a share of
what somebody reaches who knows everybody's true hazard on the date: mood, hidden traits and close friends' leaving
among it, but neither what will happen afterwards nor when people act on a decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Provenance
from churnrisk.metrics import auc
from churnrisk.metrics.probability import equal_mass_bins
from churnrisk.simulate import reference_world
from features.library import library
from tests.bench.truth import NO_ACTIONS, true_risk
from tests.bench.worlds import last_month_whose_outcomes_are_known, loaded_world, stacked_for
from training.evaluate import OUT_OF_TIME, Evaluation, evaluation
from training.fit import FitSettings, Fitted, fitted_model
from training.levels import levels_of
from training.looks import looks_of
from training.rows import Rows

KINDS: dict[str, tuple[float, float]] = {"planted, alike": (2.5, 0.6), "neither": (1.0, 0.0)}
"""Name -> contagion, homophily."""

FIRST_SEED, N_SEEDS = 11, 10
CUSTOMERS = 50_000
TRAINING = "test_snapshots = 2\nsnapshot_every_days = 28\nstudy_contagion = false\n"

Row = Sequence[object]
HEAD = (
    "world", "seed", "leavers", "p", "slope", "low", "high", "O/E", "low", "high", "dates low", "dates high", "ECE",
    "at most", "ECE of the truth", "off the truth", "gain", "low", "bar", "AUC", "AUC of the truth", "share",
)  # fmt: skip


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    """Yield one row per world."""
    rows = [
        _row(name, seed, judged(*drawn_rows(*kind, seed)))
        for seed in range(FIRST_SEED, FIRST_SEED + (N_SEEDS if full else 1))
        for name, kind in KINDS.items()
    ]
    yield "Risk on the reference worlds, out of time", HEAD, rows


@dataclass(frozen=True)
class Judged:
    """What came of one world."""

    model: Fitted
    found: Evaluation
    auc: float
    """Of those whose fate is open on the date; who has decided already, unknown to the company, has no hazard."""
    auc_of_truth: float
    error_of_truth: float
    """Calibration error of the true risk in the bins of the model's."""
    error_off_truth: float
    """The model's calibration error against the true risk in place of what happened."""


def drawn_rows(
    contagion: float, homophily: float, seed: int, customers: int = CUSTOMERS
) -> tuple[Rows, Rows, pl.DataFrame]:
    """Return the rows to learn from, those that judge, and the true hazard by customer_id and week."""
    settings = reference_world(contagion=contagion, homophily=homophily, seed=seed, customers=customers)
    settings = replace(settings, weekly_truth=True)
    with loaded_world(settings, TRAINING) as world:
        as_of = last_month_whose_outcomes_are_known(world.hazard, settings.end_on)
        looks = looks_of(
            world.engine, world.tables, world.config, as_of, own=None, tie_weights=None, watch=None
        )
        return stacked_for(looks, "train"), stacked_for(looks, "test"), world.hazard


def judged(learned: Rows, tested: Rows, hazard: pl.DataFrame) -> Judged:
    """Learn from the ones, judge on the others."""
    entries = library().catalogue
    model = fitted_model(learned, FitSettings(seed=1, group_of=lambda name: entries[name].group))
    risk = model.bundle((), Provenance()).predict(tested.frame)["risk"].to_numpy()
    log_hazard = true_log_hazard(tested, hazard)
    is_open = np.isfinite(log_hazard)
    truth = true_risk(tested, hazard, NO_ACTIONS)
    return Judged(
        model,
        evaluation(OUT_OF_TIME, tested, risk, seed=1, levels=levels_of(learned, model.out_of_fold_risk)),
        auc(tested.left[is_open], risk[is_open]),
        auc(tested.left[is_open], log_hazard[is_open]),
        error_in_bins(risk, tested.left - truth),
        error_in_bins(risk, truth - risk),
    )


def error_in_bins(risk: NDArray[np.float64], away: NDArray[np.float64]) -> float:
    """Return the mean distance from 0 of the means of ``away`` in bins of equal mass by ``risk``; shapes (n,)."""
    sums = np.bincount(equal_mass_bins(risk, np.ones(len(risk))), weights=away)
    return float(np.abs(sums).sum() / len(risk))


def true_log_hazard(rows: Rows, hazard: pl.DataFrame) -> NDArray[np.float64]:
    """Return each row's log hazard of deciding in the week of its date, nan for who has decided; shape (rows,)."""
    asked = pl.DataFrame(
        {
            "customer_id": rows.customer.astype(str),
            "day": [date.fromisoformat(str(day)) for day in rows.snapshot],
        }
    )
    known = hazard.select("customer_id", "day", "log_hazard")
    found = asked.join(known, on=["customer_id", "day"], how="left", maintain_order="left")
    return found["log_hazard"].fill_null(np.nan).to_numpy()


def bar(figures: dict[str, float | None]) -> dict[str, bool]:
    """Return which of the conditions hold."""
    value = {name: float("nan") if found is None else found for name, found in figures.items()}
    return {
        "test": value["calibration_p_value"] > 0.05,
        "slope": value["calibration_slope_low"] <= 1 <= value["calibration_slope_high"],
        "O/E": value["observed_over_expected_low"] <= 1 <= value["observed_over_expected_high"],
        "ECE": value["ece"] <= value["ece_null_mean"] + 2 * value["ece_null_se"],
        "gain": value["log_loss_margin_low"] > 0,
    }


def _row(name: str, seed: int, found: Judged) -> Row:
    figures = dict(found.found.figures)
    missed = [condition for condition, is_held in bar(figures).items() if not is_held]
    at_most = (figures["ece_null_mean"] or 0.0) + 2 * (figures["ece_null_se"] or 0.0)
    return (
        name, seed, found.found.n_leavers, figures["calibration_p_value"],
        *(figures[f"calibration_slope{end}"] for end in ("", "_low", "_high")),
        *(figures[f"observed_over_expected{end}"] for end in ("", "_low", "_high")),
        *(figures[f"observed_over_expected_dates{end}"] for end in ("_low", "_high")),
        figures["ece"], at_most, found.error_of_truth, found.error_off_truth,
        figures["log_loss_margin"], figures["log_loss_margin_low"],
        "missed: " + ", ".join(missed) if missed else "met",
        found.auc, found.auc_of_truth, f"{found.auc / found.auc_of_truth:.1%}",
    )  # fmt: skip
