"""Rows to judge, small enough to be worked by hand or drawn with a known truth."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from churnrisk.dates import AsOf
from training.fit import FitSettings
from training.judging.material import Material
from training.judging.subject import Subject, subject_of
from training.rows import Rows, rows_together

GROUPS = {
    "wait_mean_s_90d": "service",
    "n_ties": "network",
    "nps_last_score": "satisfaction",
    "csat_last_score": "satisfaction",
    "tenure_days": "profile",
    "attribute_plan": "profile",
    "usage_x_last": "usage",
}
SETTINGS = FitSettings(seed=1, group_of=lambda name: GROUPS.get(name, "own"))


def rows(
    customer: list[str], left: list[int], *, day: str | list[str] = "2026-04-01", **columns: list[Any]
) -> Rows:
    """Rows as they are written down."""
    n = len(left)
    return Rows(
        pl.DataFrame(columns) if columns else pl.DataFrame({"x": np.zeros(n)}),
        np.array(left, dtype=float),
        np.ones(n),
        np.array(customer, dtype=object),
        np.array([day] * n if isinstance(day, str) else day, dtype=object),
    )


def subject(customer: list[str], left: list[int], risk: list[float], **given: Any) -> Subject:
    """Rows with risks, as they are written down."""
    return subject_of(rows(customer, left, **given), np.array(risk, dtype=float))


def drawn(day: str, n: int = 300, seed: int = 0) -> Rows:
    """Customers whose waits and ties drive leaving at one look; plan and tenure do not."""
    rng = np.random.default_rng([seed, *map(int, day.split("-"))])
    wait, ties = rng.exponential(1, n), rng.poisson(0.5, n).astype(float)
    left = (rng.random(n) < 1 / (1 + np.exp(3 - wait - ties))).astype(float)
    frame = pl.DataFrame(
        {
            "wait_mean_s_90d": wait,
            "n_ties": ties,
            "nps_last_score": np.clip(np.round(8 - 2 * wait + rng.normal(0, 1, n)), 0, 10),
            "csat_last_score": pl.Series(np.clip(np.round(5 - wait), 1, 5)).set(
                pl.Series(rng.random(n) < 0.4), None
            ),
            "tenure_days": rng.integers(10, 2000, n).astype(float),
            "attribute_plan": rng.choice(["basic", "plus", "pro"], n),
            "usage_x_last": rng.random(n),
        }
    )
    ids = np.array([f"c{number:04}" for number in range(n)], dtype=object)
    return Rows(frame, left, np.ones(n), ids, np.full(n, day, dtype=object))


def material(*, n: int = 300) -> Material:
    """Two looks that train and three that test."""
    tested = rows_together([drawn(day, n) for day in ("2026-04-01", "2026-05-01", "2026-06-01")])
    left = tested.left > 0
    leavings = pl.DataFrame(
        {
            "customer_id": tested.customer[left].astype(str),
            "as_of": tested.snapshot[left].astype(str),
            "days_to_leaving": np.full(int(left.sum()), 30.0),
            "days_to_known": np.full(int(left.sum()), 20.0),
        }
    )
    return Material(
        tested=tested,
        learned=rows_together([drawn(day, n) for day in ("2026-01-01", "2026-02-01")]),
        first_test=AsOf(date(2026, 4, 1)),
        learned_until="2026-03-20T00:00:00",
        counts={"in_notice": 3, "in_gap": 4},
        leavings=leavings,
    )
