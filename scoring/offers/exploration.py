"""A share of decisions left to chance, with the exact probability of what was done, so that effects can be measured.

It decides who is drawn and what for, by hash of the customer, and refuses to know how the rest was decided. Codes:
-1 = no offer, else the column of the offer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

EXPLORED_SHARE = 0.1
"""Share of those considered whose decision is drawn (science, section 9: at least 5 to 10 %)."""

N_NODES = 48
"""Points of the quadrature behind the probabilities of Thompson sampling; exact to about 1e-6."""

ROWS_AT_ONCE = 4096
"""Customers whose quadrature is computed together: a table of them and the nodes stays near the processor."""


@dataclass(frozen=True)
class Explored:
    """Decisions after chance has had its share: arrays of shape (n,)."""

    choice: Ints
    propensity: Floats
    """Probability, over the draws, of exactly this decision for this customer."""
    is_random: Flags
    """Whether chance decided."""
    some: Floats
    """Probability, over the draws, of any offer at all."""
    chances: Floats
    """Shape (n, o): probability, over the draws, of each offer."""


def fixed_share(
    choice: Ints,
    is_allowed: Flags,
    customer_ids: Sequence[str],
    *,
    salt: str,
    share: float = EXPLORED_SHARE,
    pool: Flags | None = None,
    most: int | None = None,
) -> Explored:
    """Draw a fixed number of customers and give each any of their allowed offers, or none, with equal probability.

    Parameters
    ----------
    choice : shape (n,), what would be done without chance; it must not depend on ``salt``.
    is_allowed : shape (n, o), offers that may be made to each.
    customer_ids : n ids; drawing goes by their hash with ``salt``, so order and other customers' presence do not
        matter to a customer's own draw of an offer.
    salt : new for every night and campaign.
    share : of the pool that is drawn, rounded to whole customers.
    pool : shape (n,), who can be drawn; default: all with an allowed offer. Keep it to those whom it is worth
        learning about, for instance everybody chosen and as many who come next.
    most : greatest number drawn, so that the dearest outcome stays within what was held back for it.

    Returns
    -------
    Explored
        With m drawn of N in the pool and k allowed offers, a decision d has the probability
        (1 - m/N) [d = choice] + (m/N) / (k + 1). Outside the pool it is 1.

    Raises
    ------
    ValueError
        A share outside 0 to 1, or lengths that differ.
    """
    n = len(choice)
    if not 0 <= share <= 1 or is_allowed.shape[0] != n or len(customer_ids) != n:
        msg = f"a share from 0 to 1 and {n} customers everywhere"
        raise ValueError(msg)
    inside = np.flatnonzero(is_allowed.any(axis=1) if pool is None else pool & is_allowed.any(axis=1))
    wanted = round(share * inside.size)
    n_drawn = wanted if most is None else min(wanted, most)
    by_chance = uniform([customer_ids[who] for who in inside.tolist()], f"{salt}|who")
    drawn = inside[np.argsort(by_chance, kind="stable")[:n_drawn]]
    n_options = is_allowed[drawn].sum(axis=1) + 1
    place = (uniform([customer_ids[who] for who in drawn.tolist()], f"{salt}|what") * n_options).astype(
        np.int64
    )
    # place 0 = none; place p = the p-th allowed offer
    reached = np.cumsum(is_allowed[drawn], axis=1)
    offer = (reached >= place[:, None]).argmax(axis=1)
    done = choice.copy()
    done[drawn] = np.where(place == 0, -1, offer)
    rate = n_drawn / inside.size if inside.size else 0.0
    propensity = np.ones(n)
    options = is_allowed[inside].sum(axis=1) + 1
    propensity[inside] = (1 - rate) * (done[inside] == choice[inside]) + rate / options
    is_random = np.zeros(n, dtype=np.bool_)
    is_random[drawn] = True
    some = (choice >= 0).astype(np.float64)
    some[inside] = (1 - rate) * some[inside] + rate * (options - 1) / options
    chances = np.zeros(is_allowed.shape)
    chosen = np.flatnonzero(choice >= 0)
    chances[chosen, choice[chosen]] = 1.0
    chances[inside] = (1 - rate) * chances[inside] + is_allowed[inside] * (rate / options)[:, None]
    return Explored(done, propensity, is_random, some, chances)


def thompson(
    mean: Floats,
    spread: Floats,
    is_allowed: Flags,
    customer_ids: Sequence[str],
    *,
    salt: str,
    chances: Floats | None = None,
) -> Explored:
    r"""Let each customer's decision follow one draw of what every offer may be worth to them.

    Parameters
    ----------
    mean : shape (n, o), net value after the prices of budget and capacities (``Prices.reduced``), which must not
        depend on ``salt``.
    spread : shape (n, o), over 0: its standard deviation, that of the effect times value.
    is_allowed : shape (n, o).
    customer_ids, salt : as in :func:`fixed_share`.
    chances : shape (n, o), the probabilities to write down where what is allowed was drawn too; default: of these.

    Returns
    -------
    Explored
        The offer with the highest draw, if above 0; random where that is not the one with the highest mean. Decisions
        are independent of each other, so a budget holds on average and not to the last unit.

    Notes
    -----
    With independent normal draws :math:`P(o) = \int_{x > 0} \phi_o(x) \prod_{o' \ne o} \Phi_{o'}(x) dx`, by
    Gauss-Legendre over the quantiles of o (Agrawal & Goyal 2013 for the rule).
    """
    n, n_offers = mean.shape
    draws = np.column_stack(
        [
            ndtri(np.clip(uniform(customer_ids, f"{salt}|{place}"), 1e-12, 1 - 1e-12))
            for place in range(n_offers)
        ]
    ).reshape(n, n_offers)
    choice = highest(np.where(is_allowed, mean + spread * draws, -np.inf))
    chances = thompson_chances(mean, spread, is_allowed) if chances is None else chances
    some = np.minimum(chances.sum(axis=1), 1.0)
    propensity = np.where(choice >= 0, chances[np.arange(n), np.maximum(choice, 0)], 1 - some)
    is_random = choice != highest(np.where(is_allowed, mean, -np.inf))
    return Explored(choice, propensity, is_random, some, chances)


def highest(value: Floats) -> Ints:
    """Return the column of the highest value of each row, -1 where none is above 0; shape (n, o) to (n,)."""
    if not value.shape[1]:
        return np.full(len(value), -1, dtype=np.int64)
    best = value.argmax(axis=1)
    return np.where(value[np.arange(len(value)), best] > 0, best, -1).astype(np.int64)


def thompson_chances(mean: Floats, spread: Floats, is_allowed: Flags) -> Floats:
    """Return the probability of each offer, shape (n, o), by :func:`thompson`; what is missing to 1 is that of none."""
    chances = np.zeros(mean.shape)
    # the others' chances are all 0
    rows = np.flatnonzero(is_allowed.any(axis=1))
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[begin : begin + ROWS_AT_ONCE]
        chances[some] = _chances(mean[some], spread[some], is_allowed[some])
    return chances


def _chances(mean: Floats, spread: Floats, is_allowed: Flags) -> Floats:
    nodes, weights = _quadrature()
    chances = np.zeros(mean.shape)
    n_offers = mean.shape[1]
    for offer in range(n_offers):
        start = ndtr(-mean[:, offer] / spread[:, offer])
        reach = (1 - start) / 2
        at = np.clip(start + reach * (nodes[:, None] + 1), 1e-300, 1 - 1e-16)
        x = mean[:, offer] + spread[:, offer] * ndtri(at)
        below = np.ones(x.shape)
        for other in range(n_offers):
            if other != offer:
                beaten = ndtr((x - mean[:, other]) / spread[:, other])
                below *= np.where(is_allowed[:, other], beaten, 1.0)
        # node after node, so that the sum of a customer has the same bits whoever is computed beside
        chances[:, offer] = np.add.accumulate(weights[:, None] * reach * below)[-1]
    return np.where(is_allowed, chances, 0.0)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Return nodes and weights of Gauss and Legendre, each of shape (N_NODES,)."""
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def uniform(customer_ids: Sequence[str], salt: str) -> Floats:
    """Return a number from 0 up to 1 for each customer, by the hash of salt and id: the same wherever and whenever."""
    digests = (hashlib.blake2b(f"{salt}\x1f{name}".encode(), digest_size=8).digest() for name in customer_ids)
    return np.array([int.from_bytes(each, "big") >> 11 for each in digests], dtype=np.float64) / 2**53
