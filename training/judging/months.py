"""Whether a model is as good at every date: figures per look, and whether looks differ beyond chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.selectors as cs
from scipy.special import chdtrc

from churnrisk import metrics

from .subject import Subject

MONTH_FIGURES = ("auc", "top_decile_lift", "log_loss_margin", "observed_over_expected")

_WIDTH = 2 * 1.959963984540054
"""A 95 % interval in standard errors."""


def months(subject: Subject) -> pl.DataFrame:
    """Return as_of, n, n_leavers, figure, value, low, high: each figure on the rows of each look; undefined is null."""
    rows: list[tuple[object, ...]] = []
    for day in subject.looks:
        look = subject.where(subject.rows.snapshot == day)
        drawn = metrics.bootstrap_intervals(
            look.left, look.risk, look.weight, customer=look.customer, seed=look.seed
        )
        found = {
            **drawn,
            "observed_over_expected": metrics.observed_over_expected(
                look.left, look.risk, look.weight, customer=look.customer
            ),
        }
        for name in MONTH_FIGURES:
            each = found[name]
            rows.append((day, len(look.left), look.rows.n_leavers, name, each.value, each.low, each.high))
    schema = {
        "as_of": pl.String(),
        "n": pl.Int64(),
        "n_leavers": pl.Int64(),
        "figure": pl.String(),
        **dict.fromkeys(("value", "low", "high"), pl.Float64()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(cs.float().fill_nan(None))


def unsteady(table: pl.DataFrame, figure: str) -> float | None:
    """Return the chance of looks differing so much in a figure if it were the same at all of them.

    Cochran's Q on the figure (on its logarithm for observed over expected) with the intervals' standard errors; looks
    are taken as independent, though the same customers stand in several: differences are then rather smaller than
    this expects. None with fewer than two looks that have an interval.
    """
    rows = table.filter((pl.col("figure") == figure) & pl.col("low").is_not_null() & (pl.col("value") > 0))
    value, low, high = (rows[name].to_numpy() for name in ("value", "low", "high"))
    if figure == "observed_over_expected":
        value, low, high = np.log(value), np.log(np.maximum(low, 1e-12)), np.log(high)
    error = (high - low) / _WIDTH
    if len(value) < 2 or not (error > 0).all():  # noqa: PLR2004 - one look differs from nothing
        return None
    weight = 1 / error**2
    away = value - weight @ value / weight.sum()
    return float(chdtrc(len(value) - 1, weight @ away**2))
