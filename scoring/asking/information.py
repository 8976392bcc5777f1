"""What an answer is worth before it is given: the decisions it could change, in money.

It decides expected values on arrays, and refuses to know surveys, budgets and consents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import EVIDENCE, posterior
from churnrisk.bundle.posterior import ROWS_AT_ONCE

Floats = NDArray[np.float64]
Places = NDArray[np.int8]

NO_OFFER = -1
"""Place of the offer where none is worth its cost."""


@dataclass(frozen=True, eq=False)
class OfferNumbers:
    """What o offers would do for n customers, as the offers' own module has it.

    ``worth`` (n,): value + spillover that leaving would cost, money, nan = not known. ``saved_share`` (n, o):
    share of the risk that the offer takes away, below 0 where it harms,
    nan = not known: never chosen. ``cost`` (n, o): contact and incentive,
    those included who would have stayed; inf where the customer is not eligible. Net value of an offer at risk p:
    ``p saved_share worth - cost``.
    """

    names: Sequence[str]
    worth: Floats
    saved_share: Floats
    cost: Floats

    @classmethod
    def of_effects(
        cls, names: Sequence[str], risk: Floats, effect: Floats, *, worth: Floats, cost: Floats
    ) -> OfferNumbers:
        """Return them from effects (n, o): probability of leaving that an offer takes away at the risk (n,) of now.

        An offer that takes away more than the whole risk takes away the risk; at a risk of 0 nothing is known of
        shares.
        """
        share = np.divide(effect, risk[:, None], out=np.full(effect.shape, np.nan), where=risk[:, None] > 0)
        return cls(names, worth, np.minimum(share, 1.0), cost)


@dataclass(frozen=True, eq=False)
class Information:
    """What asking n customers is expected to be worth, before what it costs to ask.

    ``value`` (n,): money, at least 0, nan where the worth is not known. ``after`` (n, 4): risk after each of
    ``EVIDENCE``. ``offer_before`` (n,) and ``offer_after`` (n, 4): place of the best offer, `NO_OFFER` for none.
    """

    value: Floats
    after: Floats
    offer_before: Places
    offer_after: Places


def value_of_information(
    risk: Floats, chances: Floats, log_ratios: Floats, offers: OfferNumbers
) -> Information:
    """Return the expected value of sample information of asking each customer (Raiffa & Schlaifer 1961).

    Parameters
    ----------
    risk : shape (n,), 0 to 1: with all that is known so far.
    chances : shape (n, 4), of each of ``EVIDENCE`` after an invitation, silence included; rows sum to 1.
    log_ratios : shape (4,), as ``AnswerRatios.log_ratios``.
    offers : what could be decided; no offer at all gives 0.

    Returns
    -------
    Information
        ``sum_c chance_c max(0, max_o net_o(p'_c)) - max(0, max_o net_o(p))``.

    Notes
    -----
    The best net value is convex in the risk and the posteriors' mean is the risk, so this is never below 0, and
    exactly 0 where every possible answer leaves the same decision. The chance of an answer is in it: silence is
    one of the outcomes. With budgets that bind, hand in costs that carry the budget's price. O(n o) for four
    answers, 65,536 rows at a time: beyond arguments and result (37 bytes a customer) some MB.

    Examples
    --------
    >>> one = OfferNumbers(["call"], np.array([100.0]), np.array([[0.5]]), np.array([[6.0]]))
    >>> found = value_of_information(
    ...     np.array([0.1]), np.array([[0.1, 0.1, 0.1, 0.7]]), np.array([0.7, 0.0, -0.7, 0.0]), one
    ... )
    >>> round(float(found.value[0]), 3), found.offer_before.tolist(), found.offer_after.tolist()
    (0.286, [-1], [[0, -1, -1, -1]])
    """
    n = len(risk)
    value, after = np.empty(n), np.empty((n, len(EVIDENCE)))
    before_place, after_place = np.empty(n, dtype=np.int8), np.empty((n, len(EVIDENCE)), dtype=np.int8)
    for start in range(0, n, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        after[rows] = posterior(risk[rows], chances[rows], log_ratios)
        is_known = ~np.isnan(offers.saved_share[rows])
        stake = np.where(is_known, offers.saved_share[rows], 0.0) * offers.worth[rows, None]
        cost = np.where(is_known, offers.cost[rows], np.inf)
        now, before_place[rows] = _best(risk[rows], stake, cost)
        later = np.zeros(len(now))
        for place in range(len(EVIDENCE)):
            then, after_place[rows, place] = _best(after[rows, place], stake, cost)
            later += chances[rows, place] * then
        is_same = ((after_place[rows] == before_place[rows, None]) | (chances[rows] == 0)).all(axis=1)
        value[rows] = np.where(is_same & ~np.isnan(later), 0.0, np.maximum(later - now, 0.0))
    return Information(value, after, before_place, after_place)


def _best(risk: Floats, stake: Floats, cost: Floats) -> tuple[Floats, Places]:
    """Return the best net value, 0 at least, and the offer's place; the first of equals."""
    best, place = np.zeros(len(risk)), np.full(len(risk), NO_OFFER, dtype=np.int8)
    for offer in range(stake.shape[1]):
        net = risk * stake[:, offer] - cost[:, offer]
        better = net > best
        place[better] = offer
        best = np.where(better | np.isnan(net), net, best)
    return best, place


def expected_movement(risk: Floats, chances: Floats, after: Floats) -> Floats:
    """Return how far an invitation is expected to move each risk, 0 to 1: ``sum_c chance_c |p'_c - p|``.

    >>> expected_movement(np.array([0.5]), np.array([[0.5, 0.5]]), np.array([[0.75, 0.25]])).tolist()
    [0.25]
    """
    moved: Floats = (chances * np.abs(after - risk[:, None])).sum(axis=1)
    return moved
