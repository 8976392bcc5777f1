"""What a unit of budget and a place under a capacity are worth: the prices at which nobody is left wanting.

It knows values, costs and limits as numbers, and refuses to know offers and people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CUTS = 150
CLOSE = 2e-5
"""The search ends when the least possible total is known to so many parts of itself."""
SAMPLE = 40_000
"""Customers on whom prices are found first, evenly spread over all."""


@dataclass(frozen=True)
class Constraints:
    """``use`` (limits, options): what one unit of an option uses of each limit; the budget is the first limit, used by
    the cost. ``most`` (limits,): how much there is.
    """

    use: Floats
    most: Floats

    def used(self, choice: Ints, cost: Floats) -> Floats:
        """How much the chosen options (-1 = none) use of the budget and each limit."""
        taken = np.flatnonzero(choice >= 0)
        counts = np.bincount(choice[taken], minlength=cost.shape[1]).astype(np.float64)
        return np.concatenate(([cost[taken, choice[taken]].sum()], self.use @ counts))


@dataclass(frozen=True)
class Prices:
    """Value of one more unit of budget and of one more place under each limit; ``bound``: no total is above it."""

    of_budget: float
    of_limit: Floats
    bound: float

    def reduced(self, value: Floats, cost: Floats, use: Floats) -> Floats:
        """Return what is left of each value after paying the prices; nan where the value is no option."""
        left: Floats = value - (self.of_limit @ use)
        if self.of_budget > 0:  # not 0 x an unknown cost
            left = left - self.of_budget * cost
        return left


def prices_of(value: Floats, cost: Floats, limits: Constraints) -> Prices:
    r"""Return the prices that make the Lagrangian relaxation least; its value there is that of the linear relaxation.

    Parameters
    ----------
    value : shape (n, o); -inf = no option.
    cost : shape (n, o), >= 0, known everywhere.
    limits : the budget and the rest.

    Notes
    -----
    :math:`g(y) = \sum_i \max(0, \max_o v_{io} - y \cdot a_{io}) + y \cdot b` is convex and piecewise linear in the few
    prices y: cutting planes (Kelley 1960) within a box around the best point that widens with success and shrinks
    without (Marsten, Hogan & Blankenship 1975). First on a sample, then on all. Each cut costs n x o.
    """
    n = len(value)
    scale = _scales(value, cost, limits)
    start, width = np.zeros(limits.most.size), 1.0
    if n > 2 * SAMPLE:
        some = np.arange(0, n, n // SAMPLE)
        share = some.size / n
        part = Constraints(limits.use, limits.most * share)
        start, _ = _least(value[some], cost[some], part, scale, start=start, width=1.0)
        width = 0.02
    at, bound = _least(value, cost, limits, scale, start=start, width=width)
    return Prices(float(at[0]), at[1:], bound)


def _scales(value: Floats, cost: Floats, limits: Constraints) -> Floats:
    """The highest price that could matter, of each limit."""
    options = np.isfinite(value)
    dear = options & (cost > 0)
    steepest = float((value[dear] / cost[dear]).max()) if dear.any() else 0.0
    most = float(value[options].max()) if options.any() else 0.0
    return np.concatenate(([steepest], np.full(limits.most.size - 1, most))) + 1e-12


def _least(
    value: Floats, cost: Floats, limits: Constraints, scale: Floats, *, start: Floats, width: float
) -> tuple[Floats, float]:
    """Return the best prices and the least total found; prices are searched in units of ``scale``."""
    best = start / scale
    total, slope = _relaxed(value, cost, limits, best * scale)
    least = total
    cuts_at, cuts_total, cuts_slope = [best], [total], [slope * scale]
    for _ in range(MOST_CUTS):
        point, _ = _lowest(
            cuts_at, cuts_total, cuts_slope, np.maximum(best - width, 0), np.minimum(best + width, 1)
        )
        _, floor = _lowest(cuts_at, cuts_total, cuts_slope, np.zeros_like(best), np.ones_like(best))
        if least - floor <= CLOSE * abs(least):
            break
        total, slope = _relaxed(value, cost, limits, point * scale)
        cuts_at.append(point)
        cuts_total.append(total)
        cuts_slope.append(slope * scale)
        if total < least:
            width = min(1.0, 2 * width) if np.abs(point - best).max() > width / 2 else width
            best, least = point, total
        else:
            width = max(width / 2, 1e-7)
    return best * scale, least


def _lowest(
    at: list[Floats], total: list[float], slope: list[Floats], low: Floats, high: Floats
) -> tuple[Floats, float]:
    """Return where the greatest of the cuts is least within a box, and how low it is there."""
    from scipy.optimize import linprog

    slopes = np.array(slope)
    offsets = np.array(total) - (slopes * np.array(at)).sum(axis=1)
    # where nothing can be had the offsets are 0; divided by next to nothing the slopes would be beyond the solver
    size = max(float(np.abs(offsets).max()), 1e-6 * float(np.abs(slopes).max()), 1e-12)
    found = linprog(
        np.concatenate((np.zeros(low.size), [1.0])),
        A_ub=np.column_stack((slopes / size, -np.ones(len(at)))),
        b_ub=-offsets / size,
        bounds=[*zip(low, high, strict=True), (None, None)],
        method="highs",
    )
    if found.x is None:
        msg = f"the search for prices stopped: {found.message}"
        raise ValueError(msg)
    # the solver keeps to a box within its tolerance, and another box is drawn around the point
    return np.clip(found.x[:-1], low, high), float(found.x[-1]) * size


def _relaxed(value: Floats, cost: Floats, limits: Constraints, price: Floats) -> tuple[float, Floats]:
    """Return the relaxed total at these prices, and by how much it changes per price."""
    reduced = Prices(float(price[0]), price[1:], 0.0).reduced(value, cost, limits.use)
    best = reduced.argmax(axis=1)
    gained = np.take_along_axis(reduced, best[:, None], axis=1).ravel()
    choice = np.where(gained > 0, best, -1)
    total = float(gained[gained > 0].sum() + price @ limits.most)
    return total, limits.most - limits.used(choice, cost)
