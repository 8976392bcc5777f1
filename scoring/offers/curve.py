"""What another budget would buy: net value against budget, as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .allocation import Limits, allocation
from .steps import steps_of

Floats = NDArray[np.float64]

POINTS = 40
POINTS_WITH_CAPACITIES = 10
"""Budgets at which the curve is told: with capacities each needs an allocation of its own."""

SPREAD = 1.5
"""Points lie closer where the budget is small, since the curve bends there (judgement)."""


def value_curve(value: Floats, cost: Floats, limits: Limits) -> pl.DataFrame:
    """Return net value by budget, from nothing to the least budget that buys all that is worth having.

    Parameters
    ----------
    value, cost, limits : as in :func:`.allocation.allocation`; the budget in ``limits`` is one of the points.

    Returns
    -------
    polars.DataFrame
        budget, net_value, spent (customer's currency), n_offers, per_unit (what the last unit of the budget brought;
        nan at 0), is_budget (the budget in force). Rising by budget; net value never falls.
    """
    steps = steps_of(value, cost)
    whole = float(steps.cost.sum())
    n_points = POINTS_WITH_CAPACITIES if limits.per_offer or limits.per_channel else POINTS
    budgets = whole * np.linspace(0, 1, n_points) ** SPREAD
    if limits.budget is not None:
        budgets = np.append(budgets, limits.budget)
    budgets = np.unique(budgets)
    told = [allocation(value, cost, replace(limits, budget=float(budget))) for budget in budgets]
    found = pl.DataFrame(
        {
            "budget": budgets,
            "net_value": np.maximum.accumulate([each.value for each in told]),
            "spent": [each.spent for each in told],
            "n_offers": [int((each.choice >= 0).sum()) for each in told],
        },
        schema_overrides={"n_offers": pl.Int64},
    )
    per_unit = pl.col("net_value").diff() / pl.col("budget").diff()
    return found.with_columns(
        per_unit=per_unit, is_budget=pl.col("budget") == (np.nan if limits.budget is None else limits.budget)
    )
