"""What staff recorded of a customer's case: the root cause told last, and how long ago what came of it was recorded.

It decides which recorded outcomes count as cases, and refuses to know what follows from them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

CLOSED_DAYS = 30
"""Cases closed so lately may be asked about, to verify."""

TOLD_DAYS = 365
"""A cause a year old still says something."""


def root_causes(outcomes: pl.DataFrame, treatments: pl.DataFrame, instant: datetime) -> pl.DataFrame:
    """Return customer_id and the root_cause that staff recorded last within :data:`TOLD_DAYS`."""
    since = instant - timedelta(days=TOLD_DAYS)
    told = [each.select("customer_id", "at", "root_cause") for each in (outcomes, treatments)]
    return (
        pl.concat(told)
        .filter(pl.col("root_cause").is_not_null(), pl.col("at") >= since)
        .sort("customer_id", "at", "root_cause")
        .unique("customer_id", keep="last", maintain_order=True)
        .select("customer_id", "root_cause")
    )


def closed_cases(outcomes: pl.DataFrame, instant: datetime) -> pl.DataFrame:
    """Return customer_id, case_id and closed_at of outcomes recorded within :data:`CLOSED_DAYS`."""
    recent = outcomes.filter(pl.col("at") >= instant - timedelta(days=CLOSED_DAYS))
    return recent.select("customer_id", case_id="outcome_id", closed_at="at")


def told_of_cases(outcomes: pl.DataFrame, causes: pl.DataFrame, instant: datetime) -> pl.DataFrame:
    """Return what expressions may name of cases (`acting.OF_CASES`) of each customer of whom anything is recorded.

    root_cause as `root_causes`; days_since_case: whole days since the newest outcome within :data:`TOLD_DAYS`.
    """
    since = instant - timedelta(days=TOLD_DAYS)
    newest = outcomes.filter(pl.col("at") >= since).group_by("customer_id").agg(pl.col("at").max())
    days = newest.select("customer_id", days_since_case=(pl.lit(instant) - pl.col("at")).dt.total_days())
    return causes.join(days, on="customer_id", how="full", coalesce=True).sort("customer_id")
