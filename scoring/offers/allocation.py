"""Who gets which offer when there is not enough money, or not enough places, for all.

It decides by net value under a budget, a capacity per offer and one per channel, and refuses to know contact rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .prices import Constraints, Prices, prices_of
from .steps import bought, steps_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_ROUNDS = 40
"""Passes that hand out what is left after the prices have spoken."""


@dataclass(frozen=True)
class Limits:
    """What there is to give; None or a missing name = as much as wanted."""

    budget: float | None = None
    """Expected outlay of the night, customer's currency."""
    per_offer: Mapping[int, int] = field(default_factory=dict)
    """Offer (column) -> how many at most."""
    per_channel: Mapping[str, int] = field(default_factory=dict)
    """Channel -> how many messages at most."""
    channels: tuple[str, ...] = ()
    """The channel of each offer (column), when channels are limited."""
    sent: tuple[float, ...] = ()
    """Share of each offer's choices that take a place in its channel; empty: all of them."""

    def __post_init__(self) -> None:
        """Refuse what is below 0."""
        amounts = [self.budget or 0.0, *self.per_offer.values(), *self.per_channel.values()]
        if min(amounts) < 0:
            msg = "a budget and capacities of 0 or more"
            raise ValueError(msg)

    def rows(self, n_offers: int) -> tuple[Floats, Floats]:
        """Return what one unit of each offer uses of each limited place, and how many places there are."""
        use: list[Floats] = []
        most: list[float] = []
        for offer, places in self.per_offer.items():
            use.append((np.arange(n_offers) == offer).astype(np.float64))
            most.append(float(places))
        for channel, places in self.per_channel.items():
            mine = np.array([name == channel for name in self.channels], dtype=np.float64)
            use.append(mine * self.sent if self.sent else mine)
            most.append(float(places))
        return np.array(use).reshape(len(use), n_offers), np.array(most)


@dataclass(frozen=True)
class Allocation:
    """One option or none for every customer."""

    choice: Ints
    """Shape (n,): column of the offer, -1 = none."""
    value: float
    """Net value of all that was chosen."""
    spent: float
    """Expected outlay of all that was chosen."""
    bound: float
    """Net value of the linear relaxation: nothing can be worth more."""

    @property
    def share_of_bound(self) -> float:
        """Value over bound; 1 where nothing is worth anything."""
        return self.value / self.bound if self.bound > 0 else 1.0


def allocation(value: Floats, cost: Floats, limits: Limits) -> Allocation:
    """Return the offers of highest net value that budget and capacities allow, at most one per customer.

    Parameters
    ----------
    value : shape (n, o), net value, customer's currency; not above 0 or nan = no option (not worth it, not eligible).
    cost : shape (n, o), expected outlay, >= 0 for every option.
    limits : what there is.

    Returns
    -------
    Allocation
        Equal ones go by the order of customers, so hand them over in an order of your own.

    Raises
    ------
    ValueError
        A cost below 0 or unknown where there is a value, shapes that differ, a capacity of an offer that is not there.

    Notes
    -----
    A multiple-choice knapsack. With a budget alone: convex hulls and slopes (:mod:`.steps`), n o log n, less than one
    step away from the linear relaxation. With capacities: prices of the places (:mod:`.prices`); in order of what is
    left after the prices everybody gets what leaves most, as long as it fits, and who was too late asks again. The
    bound is that of the relaxation at the prices found, so never too low.

    Examples
    --------
    >>> value, cost = (
    ...     np.array([[3.0, 4.0], [2.0, np.nan], [1.0, 9.0]]),
    ...     np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 3.0]]),
    ... )
    >>> allocation(value, cost, Limits(budget=4.0)).choice.tolist()
    [0, -1, 1]
    >>> allocation(value, cost, Limits(budget=4.0, per_offer={1: 0})).choice.tolist()
    [0, 0, 0]
    """
    _refuse(value, cost, limits)
    n = len(value)
    use, most = limits.rows(value.shape[1])
    if not most.size:
        steps = steps_of(value, cost)
        budget = float(steps.cost.sum()) if limits.budget is None else limits.budget
        choice, bound = bought(steps, budget, n)
        return _summed(choice, value, cost, bound)
    budget = (
        float(np.where(value > 0, cost, 0.0).max(axis=1).sum()) if limits.budget is None else limits.budget
    )
    constraints = Constraints(use, np.concatenate(([budget], most)))
    is_option = value > 0
    worth, price = np.where(is_option, value, -np.inf), np.where(is_option, cost, 0.0)
    found = prices_of(worth, price, constraints)
    choice = _handed_out(found.reduced(worth, price, use), price, constraints)
    return _summed(choice, value, cost, found.bound)


def prices_under(value: Floats, cost: Floats, limits: Limits) -> Prices:
    """Return what a unit of budget and a place under each limit are worth; arguments as of :func:`allocation`."""
    _refuse(value, cost, limits)
    use, most = limits.rows(value.shape[1])
    budget = np.inf if limits.budget is None else limits.budget
    is_option = value > 0
    worth, price = np.where(is_option, value, -np.inf), np.where(is_option, cost, 0.0)
    wanted = float(price.max(axis=1, initial=0.0).sum())
    return prices_of(worth, price, Constraints(use, np.concatenate(([min(budget, wanted)], most))))


def _handed_out(reduced: Floats, cost: Floats, limits: Constraints) -> Ints:
    """Give everybody what is left over most after prices, within the limits, pass by pass."""
    choice = np.full(len(reduced), -1, dtype=np.int64)
    left = limits.most.copy()
    wanted = reduced.copy()
    waiting = np.flatnonzero(np.isfinite(reduced).any(axis=1))
    for _ in range(MOST_ROUNDS):
        full = np.asarray((limits.use[left[1:] < 1] > 0).any(axis=0), dtype=np.bool_)
        mine = wanted[waiting]
        mine[:, full] = -np.inf
        mine[cost[waiting] > left[0]] = -np.inf
        best = mine.argmax(axis=1)
        gain = mine[np.arange(waiting.size), best]
        asks = np.isfinite(gain)
        waiting, best, gain = waiting[asks], best[asks], gain[asks]
        if not waiting.size:
            break
        order = np.argsort(-gain, kind="stable")
        uses = np.column_stack((cost[waiting, best], limits.use[:, best].T))[order]
        fits = np.asarray((np.cumsum(uses, axis=0) <= left + 1e-9 * (1 + left)).all(axis=1), dtype=np.bool_)
        if not fits.any():  # the first in order does not fit what is left of several limits: let it go
            fits[0] = bool((uses[0] <= left).all())
            if not fits[0]:
                waiting = np.delete(waiting, order[0])
                continue
        given = order[fits]
        choice[waiting[given]] = best[given]
        left = left - uses[fits].sum(axis=0)
        waiting = np.delete(waiting, given)
    return choice


def _summed(choice: Ints, value: Floats, cost: Floats, bound: float) -> Allocation:
    taken = np.flatnonzero(choice >= 0)
    total, spent = (float(part[taken, choice[taken]].sum()) for part in (value, cost))
    return Allocation(choice, total, spent, max(bound, total))


def _refuse(value: Floats, cost: Floats, limits: Limits) -> None:
    if value.ndim != 2 or value.shape != cost.shape:  # noqa: PLR2004
        msg = f"values and costs of one shape (customers, offers), not {value.shape} and {cost.shape}"
        raise ValueError(msg)
    if not bool((cost[value > 0] >= 0).all()):
        msg = "a cost of 0 or more for every option"
        raise ValueError(msg)
    n_offers = value.shape[1]
    if any(not 0 <= offer < n_offers for offer in limits.per_offer):
        msg = f"capacities of the {n_offers} offers, not of {sorted(limits.per_offer)}"
        raise ValueError(msg)
    if limits.per_channel and len(limits.channels) != n_offers:
        msg = f"the channel of each of the {n_offers} offers"
        raise ValueError(msg)
