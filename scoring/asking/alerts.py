"""Which answers raise an alert, and what another window of scores would have raised; it knows no receiver."""

from __future__ import annotations

import polars as pl

Window = tuple[float, float]
"""Lowest and highest score that raises an alert, both included."""

COUNTS_SCHEMA = {
    "month": pl.Date,
    "n_answers": pl.Int64,
    "n_present": pl.Int64,
    "n_window": pl.Int64,
    "n_added": pl.Int64,
    "n_dropped": pl.Int64,
    "n_commented": pl.Int64,
}


def is_alert(window: Window, metric: str = "nps") -> pl.Expr:
    """Say of a row with metric and score whether it raises an alert; never without a score, or on another metric."""
    low, high = window
    inside = (pl.col("score") >= low) & (pl.col("score") <= high)
    return ((pl.col("metric") == metric) & inside).fill_null(value=False)


def alert_counts(
    answers: pl.DataFrame, window: Window, present: Window, *, metric: str = "nps"
) -> pl.DataFrame:
    """Return what ``window`` would have raised over past answers, month by month, beside the present one.

    Parameters
    ----------
    answers : metric, score, answered_at (naive UTC), comment; every past answer, of whatever purpose.
    window, present : lowest and highest score, both included.
    metric : whose scores raise alerts.

    Returns
    -------
    polars.DataFrame
        One row per month with an answer on the metric, rising: month (its first day), n_answers, n_present,
        n_window, n_added (raised by the window alone), n_dropped (by the present one alone), n_commented (of
        n_window, with a comment).
    """
    told = answers.filter((pl.col("metric") == metric) & pl.col("score").is_not_null()).with_columns(
        month=pl.col("answered_at").dt.date().dt.truncate("1mo"),
        is_present=is_alert(present, metric),
        is_window=is_alert(window, metric),
    )
    return (
        told.group_by("month")
        .agg(
            n_answers=pl.len(),
            n_present=pl.col("is_present").sum(),
            n_window=pl.col("is_window").sum(),
            n_added=(pl.col("is_window") & ~pl.col("is_present")).sum(),
            n_dropped=(pl.col("is_present") & ~pl.col("is_window")).sum(),
            n_commented=(
                pl.col("is_window") & (pl.col("comment").str.strip_chars() != "").fill_null(value=False)
            ).sum(),
        )
        .sort("month")
        .select(pl.col(name).cast(dtype) for name, dtype in COUNTS_SCHEMA.items())
    )
