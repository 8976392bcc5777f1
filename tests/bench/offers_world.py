"""A base of customers with planted effects of three offers, and the past treatments that a company would have of it.

Monthly churn about 2 %, effects that depend on other things than the risk, some below 0 (sleeping dogs), offers given
by a rule of the company with a randomised share and logged propensities. Nothing here knows how effects are learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from scoring.offers import OfferCosts
from training.uplift.rows import CONTROL, UpliftRows

Floats = NDArray[np.float64]

OFFERS = ("discount", "upgrade", "call")
COSTS = OfferCosts(contact=np.array([0.5, 0.5, 4.0]), incentive=np.array([10.0, 6.0, 0.0]))
CONTROL_SHARE = 0.15
EXPLORED_SHARE = 0.3
"""Share of those picked who get an offer at random; the others what the company's rule says."""


@dataclass(frozen=True)
class Base:
    """Customers with all that is true of them; effects and takes have one column per offer."""

    frame: pl.DataFrame
    risk: Floats
    """Probability of leaving within the window, without an offer."""
    effect: Floats
    takes: Floats
    """Probability of taking each offer: of those who stay with it nearly all who are told of it."""
    value: Floats

    @property
    def size(self) -> int:
        """Customers."""
        return len(self.risk)


def drawn_base(n: int, seed: int, *, has_effect: bool = True) -> Base:
    """Return ``n`` customers; without ``has_effect`` no offer does anything."""
    rng = np.random.default_rng((seed, 11))
    price, service, tenure, usage, noise_1, noise_2, noise_3 = rng.normal(size=(7, n))
    contract = rng.integers(0, 3, n)
    region = rng.integers(0, 12, n)
    complaints = rng.poisson(0.6, n)
    age = rng.uniform(18, 80, n)
    log_odds = -4.1 + 0.7 * price + 0.5 * np.maximum(complaints - 1, 0) + 0.5 * service - 0.5 * tenure
    log_odds += np.select([contract == 0, contract == 2], [0.6, -0.7], 0.0)
    risk = expit(log_odds)
    # shares of would-be leavers kept: a discount helps the price-sensitive, an upgrade heavy users, a call the angry;
    # a call wakes those bound by a long contract, an upgrade the light users
    shares = np.column_stack(
        (
            0.25 + 0.30 * np.tanh(price),
            0.15 + 0.35 * np.tanh(usage) - 0.10 * (contract == 2),
            0.05 + 0.30 * np.minimum(complaints, 2) + 0.10 * np.tanh(service) - 0.45 * (contract == 2),
        )
    )
    effect = np.clip(shares, -0.6, 0.8) * risk[:, None] if has_effect else np.zeros((n, len(OFFERS)))
    stays = 1 - risk[:, None] + effect
    takes = stays * np.array([0.9, 0.6, 0.0])
    frame = pl.DataFrame(
        {
            "price_gap": price,
            "service_score": service + 0.3 * noise_3,
            "tenure": tenure,
            "usage": usage,
            "complaints": complaints,
            "age": age,
            "noise_1": noise_1,
            "noise_2": noise_2,
            "contract": pl.Series(np.array(["monthly", "year", "two years"])[contract]),
            "region": pl.Series([f"r{each}" for each in region]),
        }
    )
    return Base(frame, risk, effect, takes, 12 * rng.lognormal(3.0, 0.5, n))


def past_treatments(n: int, seed: int, *, has_effect: bool = True) -> tuple[UpliftRows, Base]:
    """Return ``n`` logged treatments of customers picked with some preference for the risky, and the truth of each."""
    rng = np.random.default_rng((seed, 12))
    base = drawn_base(4 * n, seed, has_effect=has_effect)
    seen = np.log(base.risk) + rng.normal(0, 1.5, base.size)
    picked = np.sort(np.argsort(-seen, kind="stable")[:n])
    base = Base(
        base.frame[picked], *(part[picked] for part in (base.risk, base.effect, base.takes, base.value))
    )
    by_rule = np.where(
        base.frame["complaints"].to_numpy() > 1, 2, np.where(base.frame["price_gap"].to_numpy() > 0, 0, 1)
    )
    shares = np.full((n, 1 + len(OFFERS)), (1 - CONTROL_SHARE) * EXPLORED_SHARE / len(OFFERS))
    shares[:, 0] = CONTROL_SHARE
    shares[np.arange(n), 1 + by_rule] += (1 - CONTROL_SHARE) * (1 - EXPLORED_SHARE)
    arm = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    risks = np.column_stack((base.risk, base.risk[:, None] - base.effect))
    left = rng.random(n) < risks[np.arange(n), arm]
    taken = np.full(n, np.nan)
    given = arm > 0
    taken[given] = rng.random(given.sum()) < base.takes[given, arm[given] - 1]
    rows = UpliftRows(
        frame=base.frame,
        arms=(CONTROL, *OFFERS),
        arm=arm,
        stayed=1.0 - left,
        propensity=shares[np.arange(n), arm],
        customer=np.array([f"c{each}" for each in range(n)], dtype=object),
        taken=taken,
    )
    return rows, base
