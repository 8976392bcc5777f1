"""What another budget would buy: net value against budget, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

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


class Bought(NamedTuple):
    """What a budget buys: net value and outlay (customer's currency), and how many offers are expected to be made."""

    value: float
    spent: float
    n_offers: float


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

    def bought(budget: float) -> Bought:
        told = allocation(value, cost, replace(limits, budget=budget))
        return Bought(told.value, told.spent, float((told.choice >= 0).sum()))

    return curve_over(budgets, bought, in_force=limits.budget)


def curve_over(
    budgets: Floats, bought: Callable[[float], Bought], *, in_force: float | None = None
) -> pl.DataFrame:
    """Return the table of :func:`value_curve` for a rule of one's own: ``bought`` tells what a budget buys."""
    at = np.unique(budgets)
    told = [bought(float(budget)) for budget in at]
    found = pl.DataFrame(
        {
            "budget": at,
            "net_value": np.maximum.accumulate([each.value for each in told]),
            "spent": [each.spent for each in told],
            "n_offers": [round(each.n_offers) for each in told],
        },
        schema_overrides={"n_offers": pl.Int64},
    )
    per_unit = pl.col("net_value").diff() / pl.col("budget").diff()
    return found.with_columns(
        per_unit=per_unit, is_budget=pl.col("budget") == (np.nan if in_force is None else in_force)
    )
