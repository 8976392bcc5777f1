"""The upgrades worth paying for, customer by customer, and which of all of them a budget buys.

It knows values and costs and refuses to know offers, capacities and people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_ROUNDS = 60
"""Passes over what is left to spend the rest of a budget; each ends at the first step that does not fit."""


@dataclass(frozen=True)
class Steps:
    """Upgrades by falling value per cost, each from the customer's step before (or from nothing) to ``option``."""

    customer: Ints
    option: Ints
    cost: Floats
    """What the upgrade costs more, >= 0."""
    value: Floats
    """What it is worth more, > 0."""
    position: Ints
    """0 for a customer's first step, then 1 ..."""

    @property
    def slope(self) -> Floats:
        """Value per cost; infinite for what is free."""
        found = np.full(self.cost.size, np.inf)
        np.divide(self.value, self.cost, out=found, where=self.cost > 0)
        return found


def steps_of(value: Floats, cost: Floats) -> Steps:
    """Return the corners of every customer's convex hull of (cost, value) as steps in falling order of their slope.

    Parameters
    ----------
    value : shape (n, o); whatever is not above 0 (nan too) is no option.
    cost : shape (n, o), >= 0 and known for every option.

    Notes
    -----
    From (0, 0) the option of the steepest slope is next, again and again: at most o steps of n x o each. Along the hull
    slopes fall, so a customer's steps stand in their order; equal slopes go by the order of customers. The steps in
    order solve the linear relaxation of the multiple-choice knapsack (Sinha & Zoltners 1979, Operations Research 27).
    """
    is_option = value > 0
    if not bool((cost[is_option] >= 0).all()):
        msg = "a cost of 0 or more for every option"
        raise ValueError(msg)
    who = np.flatnonzero(is_option.any(axis=1))
    worth = np.where(is_option[who], value[who], -np.inf)
    price = np.where(is_option[who], cost[who], 0.0)
    paid, gained = np.zeros(who.size), np.zeros(who.size)
    parts: list[tuple[Ints, Ints, Floats, Floats, Ints]] = []
    position = 0
    while who.size:
        more, dearer = worth - gained[:, None], price - paid[:, None]
        slope = np.full(more.shape, -np.inf)
        np.divide(more, dearer, out=slope, where=(more > 0) & (dearer > 0))
        slope[(more > 0) & (dearer <= 0)] = np.inf
        # of equally steep ones the furthest
        steepest = slope.max(axis=1, keepdims=True)
        best = np.where(slope == steepest, more, -np.inf).argmax(axis=1)
        rows = np.arange(who.size)
        goes_on = steepest.ravel() > 0
        taken = rows[goes_on], best[goes_on]
        parts.append(
            (who[goes_on], best[goes_on], dearer[taken], more[taken], np.full(taken[0].size, position))
        )
        paid, gained = price[taken], worth[taken]
        who, worth, price = who[goes_on], worth[goes_on], price[goes_on]
        position += 1
    return _in_order(parts)


def _in_order(parts: list[tuple[Ints, Ints, Floats, Floats, Ints]]) -> Steps:
    if not parts:
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return Steps(none, none, nothing, nothing, none)
    customer, option, cost, value, position = (np.concatenate(column) for column in zip(*parts, strict=True))
    steps = Steps(customer, option.astype(np.int64), cost, value, position.astype(np.int64))
    order = np.lexsort((steps.position, steps.customer, -steps.slope))
    return Steps(
        *(getattr(steps, name)[order] for name in ("customer", "option", "cost", "value", "position"))
    )


def bought(steps: Steps, budget: float, n_customers: int) -> tuple[Ints, float]:
    """Return each customer's option under a budget (-1 = nothing), and what the linear relaxation would be worth.

    The steepest steps are taken as long as they fit; then those that still fit, each only after the same customer's
    step before. What is lost to the relaxation is at most the value of one step.
    """
    spent = np.cumsum(steps.cost)
    n_whole = int(np.searchsorted(spent, budget * (1 + 1e-12), side="right"))
    bound = float(steps.value[:n_whole].sum())
    left = budget - (float(spent[n_whole - 1]) if n_whole else 0.0)
    if n_whole < spent.size:
        bound += float(steps.slope[n_whole]) * max(left, 0.0)
    choice = np.full(n_customers, -1, dtype=np.int64)
    n_taken = np.zeros(n_customers, dtype=np.int64)
    # steps of one customer are in order: the last written is the furthest
    choice[steps.customer[:n_whole]] = steps.option[:n_whole]
    n_taken += np.bincount(steps.customer[:n_whole], minlength=n_customers)
    rest = np.arange(n_whole, spent.size)
    for _ in range(MOST_ROUNDS):
        rest = rest[steps.cost[rest] <= left]
        fits = rest[steps.position[rest] == n_taken[steps.customer[rest]]]
        if not fits.size:
            break
        n_more = int(np.searchsorted(np.cumsum(steps.cost[fits]), left, side="right"))
        taken = fits[: max(n_more, 1)]
        choice[steps.customer[taken]] = steps.option[taken]
        n_taken[steps.customer[taken]] += 1
        left -= float(steps.cost[taken].sum())
        rest = np.setdiff1d(rest, taken, assume_unique=True)
    return choice, bound
