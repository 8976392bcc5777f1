"""Judges a risk on rows the model did not learn from: figures with intervals, and the tables behind the curves.

It decides which figures count, and refuses to know how the risk was made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.metrics import Interval

from .levels import Levels
from .rows import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth on rows it did not learn from.

    ``figures`` maps names to numbers; undefined is None. A figure with an interval has ``<name>_low`` and
    ``<name>_high`` beside it. ``tables``: reliability, gain (lift), profit, roc.
    """

    kind: str
    """Out of time, or cross-validated and then not out of time, in words."""
    figures: Mapping[str, float | None]
    tables: Mapping[str, pl.DataFrame]
    n_rows: int
    n_leavers: int


UNDEFINED = Interval(math.nan, math.nan, math.nan)

OUT_OF_TIME = "out of time"
CROSS_VALIDATED = "cross-validated, not out of time"


def evaluation(kind: str, rows: Rows, risk: Floats, *, seed: int, levels: Levels | None = None) -> Evaluation:
    """Return the figures of ``risk`` (0 to 1) on ``rows``; intervals draw whole customers.

    ``levels`` says how far the dates differ that the risk was learned from, None where that is not known.

    >>> sorted(FIGURES)[:3]
    ['auc', 'base_rate', 'brier']
    """
    weight = rows.weight if rows.is_weighted else None
    customer = rows.customer.astype(str)
    drawn = metrics.bootstrap_intervals(rows.left, risk, weight, customer=customer, seed=seed)
    with_interval: dict[str, Interval] = dict(drawn)
    line = metrics.calibration_line(rows.left, risk, weight, customer=customer)
    with_interval["calibration_slope"] = line.slope
    with_interval["calibration_intercept"] = line.intercept
    level = metrics.observed_over_expected(rows.left, risk, weight, customer=customer)
    with_interval["observed_over_expected"] = level
    with_interval["observed_over_expected_dates"] = (
        UNDEFINED if levels is None else levels.on_new_dates(level, len(np.unique(rows.snapshot.astype(str))))
    )
    with_interval["observed_over_expected_controls"] = _among_controls(rows, risk)
    error = metrics.ece(rows.left, risk, weight, seed=seed)
    best = metrics.mpc(rows.left, risk, weight)
    everybody = metrics.treat_all(rows.base_rate)
    plain = {
        "base_rate": rows.base_rate,
        "level_spread": math.nan if levels is None else levels.spread,
        "ece": error.value,
        "ece_null_mean": error.null_mean,
        "ece_null_se": error.null_se,
        "calibration_p_value": line.p_value,
        "mpc": best.profit,
        "mpc_share_contacted": best.share_contacted,
        "empc_share_contacted": metrics.empc(rows.left, risk, weight).share_contacted,
        "empc_treat_all": everybody,
        "empc_over_treat_all": with_interval["empc"].value - max(0.0, everybody),
    }
    spread = {
        f"{name}{end}": value
        for name, found in with_interval.items()
        for end, value in (("", found.value), ("_low", found.low), ("_high", found.high))
    }
    return Evaluation(
        kind=kind,
        figures={name: _defined(value) for name, value in {**spread, **plain}.items()},
        tables={
            "reliability": metrics.reliability_table(rows.left, risk, weight),
            "gain": metrics.gain_table(rows.left, risk, weight),
            "profit": metrics.profit_table(rows.left, risk, weight),
            "roc": metrics.roc_table(rows.left, risk, weight),
        },
        n_rows=len(rows.left),
        n_leavers=rows.n_leavers,
    )


def _among_controls(rows: Rows, risk: Floats) -> Interval:
    """Observed over expected among those left alone on purpose: a check that rests on no weights of ours."""
    chosen = rows.is_control
    if chosen is None or not chosen.any():
        return UNDEFINED
    return metrics.observed_over_expected(
        rows.left[chosen], risk[chosen], customer=rows.customer.astype(str)[chosen]
    )


FIGURES: Mapping[str, str] = {
    "auc": "area under the ROC curve, 0.5 = chance",
    "pr_auc": "average precision; chance is the base rate",
    "top_decile_lift": "leaving rate among the tenth with the highest risk, over the average",
    "log_loss": "mean negative log-likelihood, nats per customer",
    "log_loss_margin": "log loss of the constant base rate minus the model's",
    "brier": "mean squared error of the risk",
    "ece": "calibration error over 15 equal-mass bins; see ece_null_mean and ece_null_se",
    "ece_null_mean": "the calibration error a perfect model would show here",
    "ece_null_se": "standard error of that",
    "calibration_slope": "1 = calibrated, under 1 = too extreme",
    "calibration_intercept": "0 = calibrated",
    "calibration_p_value": "of the test of slope 1 and intercept 0",
    "observed_over_expected": "leavers observed over leavers expected, 1 = calibrated in the large",
    "observed_over_expected_dates": "the same, its interval also holding how dates learned from differ beyond chance",
    "observed_over_expected_controls": "the same among randomised controls alone; undefined without",
    "level_spread": "standard deviation between the dates learned from of log observed/expected, beyond chance",
    "mpc": "maximum profit per customer at the mean acceptance",
    "mpc_share_contacted": "share contacted for it",
    "empc": "expected maximum profit per customer",
    "empc_share_contacted": "expected share contacted for it",
    "empc_treat_all": "profit per customer of contacting everybody",
    "empc_over_treat_all": "empc minus the better of contacting everybody and nobody",
    "base_rate": "share of judged customers who left",
}
"""Every figure and its meaning, without the ends of intervals."""


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
