"""What an offer to a customer is worth after what it costs, with its interval and where the worth lies.

It multiplies effects by money, and refuses to know how effects were learned and who is allowed to get what.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TREAT_QUANTILE = 0.2
"""An offer is made when this low quantile of its net value is above 0 (science, section 9; a judgement there)."""


@dataclass(frozen=True)
class OfferCosts:
    """What each offer costs: shape (offers,), customer's currency, >= 0, none unknown."""

    contact: Floats
    """Of making the offer to one customer, taken or not."""
    incentive: Floats
    """Of one that is taken."""

    def __post_init__(self) -> None:
        """Refuse costs that are unknown or below 0, and lengths that differ."""
        both = np.concatenate([self.contact, self.incentive])
        if self.contact.shape != self.incentive.shape or not bool((np.isfinite(both) & (both >= 0)).all()):
            msg = "contact and incentive costs: one each per offer, known and not below 0"
            raise ValueError(msg)


@dataclass(frozen=True)
class Effects:
    """By how much each offer raises the probability of staying: shape (customers, offers), nan = not known."""

    mean: Floats
    low: Floats
    """The low quantile that an offer must be worth its cost at (:data:`TREAT_QUANTILE`)."""
    high: Floats
    """The quantile as far above the middle."""


@dataclass(frozen=True)
class NetValue:
    """Money per customer and offer, shape (customers, offers), customer's currency; nan = not known."""

    net: Floats
    """direct + spillover - contact - incentive; spillover counts where it is known."""
    low: Floats
    high: Floats
    """The same at the low and high effect, and at the low and high end of the spillover."""
    direct: Floats
    """Effect x the customer's own value."""
    spillover: Floats
    """Effect x the value of sparing their friends; nan where that is not known."""
    contact: Floats
    incentive: Floats
    """Incentive x the probability of taking it, those included who would have stayed anyway."""
    is_worth: Flags
    """Whether the offer helps (effect above 0: sleeping dogs are left alone) and its low net value is above 0."""

    @property
    def cost(self) -> Floats:
        """Expected outlay: what counts against a budget."""
        return self.contact + self.incentive


def takes_assumed(risk: Floats, effect: Floats) -> Floats:
    """Return the probability of taking an offer when nothing is known of it: all who stay with it take it.

    Parameters
    ----------
    risk : shape (customers,), probability of leaving without the offer.
    effect : shape (customers, offers), by how much the offer lowers it.

    Returns
    -------
    array
        Shape (customers, offers), 0 to 1: 1 - risk + effect. Who would have stayed anyway takes the incentive too, so
        this is the dearest reading (Verbraken, Verbeke & Baesens 2013 count costs so).

    >>> takes_assumed(np.array([0.2]), np.array([[0.05]])).round(2).tolist()
    [[0.85]]
    """
    return np.clip(1.0 - risk[:, None] + effect, 0.0, 1.0)


def net_value(
    effects: Effects,
    value: Floats,
    spillover: tuple[Floats, Floats, Floats],
    costs: OfferCosts,
    takes: Floats,
) -> NetValue:
    r"""Return the expected net value of every offer to every customer, with its interval and its parts.

    Parameters
    ----------
    effects : shape (n, o), probability of staying; nan = not known.
    value : shape (n,), what the customer is worth; nan = not known.
    spillover : value of sparing the customer's friends and the ends of its interval, each shape (n,) (science, section
        3: bounded, kappa included); nan = not known, which adds nothing and stays nan in ``spillover``.
    costs : shape (o,) each.
    takes : shape (n, o), probability that the offer is taken, by whoever: those included who would have stayed.

    Notes
    -----
    :math:`NEV = \tau (V + S) - c_{contact} - c_{incentive} \cdot a`. The low end takes the low effect and whichever end
    of the spillover gives less; the high end the high effect and whichever gives more. O(n o).

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> effects = Effects(mean=0.1 * one, low=0.05 * one, high=0.15 * one)
    >>> spill = (np.array([20.0]), np.array([0.0]), np.array([40.0]))
    >>> costs = OfferCosts(contact=np.array([1.0]), incentive=np.array([5.0]))
    >>> found = net_value(effects, np.array([200.0]), spill, costs, takes=0.8 * one)
    >>> [
    ...     float(part.round(2).item())
    ...     for part in (found.net, found.low, found.high, found.direct, found.spillover)
    ... ]
    [17.0, 5.0, 31.0, 20.0, 2.0]
    """
    n, n_offers = effects.mean.shape
    shapes = (effects.low.shape, effects.high.shape, takes.shape, (value.size, costs.contact.size))
    if any(shape != (n, n_offers) for shape in shapes) or any(part.shape != (n,) for part in spillover):
        msg = f"effects and takes of {n} customers x {n_offers} offers, and values of as many customers"
        raise ValueError(msg)
    own, around, least, most = (part[:, None] for part in (value, *spillover))
    contact = np.broadcast_to(costs.contact, (n, n_offers)).copy()
    incentive = costs.incentive * takes
    direct = effects.mean * own
    spilled = effects.mean * around
    outlay = contact + incentive
    ends = [
        np.stack([effect * (own + _known(end)) for end in (least, most)]) - outlay
        for effect in (effects.low, effects.high)
    ]
    net = direct + _known(spilled) - outlay
    low, high = np.min(ends[0], axis=0), np.max(ends[1], axis=0)
    return NetValue(
        net=net,
        low=low,
        high=high,
        direct=direct,
        spillover=spilled,
        contact=contact,
        incentive=incentive,
        is_worth=(effects.mean > 0) & (low > 0) & (net > 0),
    )


def _known(amounts: Floats) -> Floats:
    """What is known of an addition; unknown friends add nothing, which is told beside."""
    return np.where(np.isnan(amounts), 0.0, amounts)
