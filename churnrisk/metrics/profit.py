"""Figures of money: what a retention campaign earns when customers are contacted in order of their score.

It follows Verbraken, Verbeke & Baesens (2013), A novel profit maximizing metric for measuring classification
performance of customer churn prediction models, IEEE TKDE 25(5), and refuses to know causal effects: who accepts
the offer stays, with probability ``g``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.special import betainc

from .ranked import Curve, Floats, ranked_curve
from .ranking import CURVE_POINTS


@dataclass(frozen=True)
class Campaign:
    """Costs of a campaign in the customer's currency; the defaults are those of Verbraken et al. (2013)."""

    clv: float = 200.0
    """Value of a customer who is kept."""
    incentive: float = 10.0
    """d: cost of the incentive to whoever takes it."""
    contact: float = 1.0
    """f: cost of contacting one customer."""
    alpha: float = 6.0
    beta: float = 14.0
    """Parameters of the Beta distribution of g, the share of contacted leavers who accept and stay (mean 0.3)."""

    def __post_init__(self) -> None:
        """Refuse costs under which the formula means nothing."""
        if not (self.clv > self.incentive >= 0 and self.contact >= 0 and self.alpha > 0 and self.beta > 0):
            msg = "a campaign needs clv > incentive >= 0, contact >= 0, alpha > 0 and beta > 0"
            raise ValueError(msg)

    @property
    def acceptance(self) -> float:
        """Mean of g."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def delta(self) -> float:
        """Incentive as a share of the customer's value."""
        return self.incentive / self.clv

    @property
    def phi(self) -> float:
        """Contact as a share of the customer's value."""
        return self.contact / self.clv


VERBRAKEN = Campaign()


@dataclass(frozen=True)
class ExpectedProfit:
    """Profit per customer of the base (currency) and the share of the base that is contacted for it."""

    profit: float
    share_contacted: float


def empc(
    left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None, *, campaign: Campaign = VERBRAKEN
) -> ExpectedProfit:
    """Return the expected maximum profit per customer (currency), g ~ Beta(alpha, beta).

    Parameters
    ----------
    left : shape (n,), 0 or 1; 1 = left.
    score : shape (n,), finite; higher = more likely to leave.
    weight : shape (n,), >= 0, optional.
    campaign : costs and the distribution of g.

    Returns
    -------
    ExpectedProfit
        EMPC and the expected share contacted (eta); both nan without leavers or stayers.

    Notes
    -----
    With pi0, pi1 the shares of leavers and stayers, F0, F1 the shares of each above a threshold T,
    delta = d/CLV and phi = f/CLV:

        P(T; g) = CLV (g (1 - delta) - phi) pi0 F0(T) - CLV (delta + phi) pi1 F1(T)
        EMPC = integral over g of max_T P(T; g)

    Only thresholds on the convex hull of the ROC can be best; between two of its corners the best threshold
    changes at g = ((delta + phi) pi1 dF1 / (pi0 dF0) + phi) / (1 - delta), so the integral is a sum of
    incomplete Beta functions. Cost: one sort, n log n.

    Examples
    --------
    >>> left, score = [0, 1, 0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]
    >>> round(empc(left, score).profit, 9)
    23.875593418
    """
    return empc_of(ranked_curve(left, score, weight), campaign)


def empc_of(curve: Curve, campaign: Campaign = VERBRAKEN) -> ExpectedProfit:
    """Return the expected maximum profit of a curve."""
    if curve.is_one_sided:
        return ExpectedProfit(math.nan, math.nan)
    leavers, stayers = _hull(curve)
    delta, phi = campaign.delta, campaign.phi
    gained, wasted = np.diff(leavers), np.diff(stayers)
    # past the last leaver only stayers are left: never worth it, whatever g
    cost_of_step = (delta + phi) * wasted + phi * gained
    switch = np.divide(cost_of_step, (1 - delta) * gained, out=np.ones_like(gained), where=gained > 0)
    switch = np.clip(switch, 0.0, 1.0)
    bounds = np.concatenate(([0.0], switch, [1.0]))
    mass = np.diff(betainc(campaign.alpha, campaign.beta, bounds))
    mean = campaign.acceptance * np.diff(betainc(campaign.alpha + 1, campaign.beta, bounds))
    cost = phi * leavers + (delta + phi) * stayers
    profit = campaign.clv * np.sum((1 - delta) * leavers * mean - cost * mass)
    return ExpectedProfit(float(profit), float(np.sum((leavers + stayers) * mass)))


def mpc(
    left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None, *, campaign: Campaign = VERBRAKEN
) -> ExpectedProfit:
    """Return the maximum profit per customer (currency) at the mean acceptance g = alpha/(alpha + beta).

    Arguments, formula and nan as in :func:`empc`. Contacting nobody earns 0, so it is never negative.

    >>> left, score = [0, 1, 0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9]
    >>> round(mpc(left, score).profit, 9)
    23.875
    """
    return mpc_of(ranked_curve(left, score, weight), campaign)


def mpc_of(curve: Curve, campaign: Campaign = VERBRAKEN) -> ExpectedProfit:
    """Return the maximum profit of a curve."""
    if curve.is_one_sided:
        return ExpectedProfit(math.nan, math.nan)
    profits = profits_of(curve, campaign)
    best = int(np.argmax(profits))
    return ExpectedProfit(float(profits[best]), float((curve.leavers + curve.stayers)[best] / curve.total))


def treat_all(base_rate: float, *, campaign: Campaign = VERBRAKEN) -> float:
    """Return the profit per customer (currency) of contacting everybody when ``base_rate`` of them would leave.

    With the default costs it is positive above a base rate of 16.4 %: show every profit beside max(0, this).

    >>> round(treat_all(0.5), 3), round(treat_all(0.02), 3)
    (22.5, -9.66)
    """
    delta, phi = campaign.delta, campaign.phi
    kept = (campaign.acceptance * (1 - delta) - phi) * base_rate
    return campaign.clv * (kept - (delta + phi) * (1 - base_rate))


def profit_table(
    left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None, *, campaign: Campaign = VERBRAKEN
) -> pl.DataFrame:
    """Return the profit by share contacted, one row per percent from 0 to 100, at the mean acceptance.

    Columns: share_contacted, profit_per_customer (currency, over the whole base), treat_all_per_customer.
    """
    curve = ranked_curve(left, score, weight)
    shares = np.arange(CURVE_POINTS + 1) / CURVE_POINTS
    reached = (curve.leavers + curve.stayers) / curve.total
    at_shares = np.interp(shares, reached, profits_of(curve, campaign))
    everybody = treat_all(float(curve.leavers[-1] / curve.total), campaign=campaign)
    return pl.DataFrame(
        {"share_contacted": shares, "profit_per_customer": at_shares},
    ).with_columns(treat_all_per_customer=pl.lit(everybody))


def profits_of(curve: Curve, campaign: Campaign = VERBRAKEN) -> Floats:
    """Return the profit per customer at every point of a curve, at the mean acceptance."""
    delta, phi = campaign.delta, campaign.phi
    kept = (campaign.acceptance * (1 - delta) - phi) * curve.leavers
    profits: Floats = campaign.clv * (kept - (delta + phi) * curve.stayers) / curve.total
    return profits


def _hull(curve: Curve) -> tuple[Floats, Floats]:
    """Return the corners of the ROC's convex hull as shares of the base: isotonic regression finds them in n."""
    from scipy.optimize import isotonic_regression

    steps = np.diff(curve.leavers + curve.stayers)
    kept = np.flatnonzero(steps > 0)
    rates = np.diff(curve.leavers)[kept] / steps[kept]
    fitted = isotonic_regression(rates, weights=steps[kept], increasing=False)
    corners = np.concatenate(([0], kept[fitted.blocks[1:] - 1] + 1))
    return curve.leavers[corners] / curve.total, curve.stayers[corners] / curve.total
