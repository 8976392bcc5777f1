"""Fits the calibrator that the number of leavers allows, on scores of rows the learner did not see.

It decides the form (science, section 6: under 50 leavers prior + Platt; 50 to 1,000 Platt or beta; more, isotonic
by Venn-Abers) and refuses to know learners. Every form is strictly increasing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from churnrisk.bundle import Beta, Calibrator, Knots, Platt, VennAbersGrid, merged
from churnrisk.metrics import log_loss

from .folds import Folds
from .venn_abers import score_levels, venn_abers_grid

Floats = NDArray[np.float64]

PRIOR_BELOW = 50
"""Fewer leavers than this: Platt drawn towards the learner's own probabilities."""

ISOTONIC_ABOVE = 1000
"""More leavers than this: the shape of the curve is learned."""

PRIOR_SD = 0.5
"""Standard deviation of the prior on the log slope and on the shift in log-odds (judgement)."""

WEAK_SD = 10.0
"""The same where leavers suffice: keeps the fit finite and no more."""

TILT = 1e-6
"""Least slope of the isotonic curve in log-odds per log-odds: makes equal pieces strictly increasing."""

TAIL_AT_MOST = 1.0
"""Slope beyond the outermost knots at most: nothing was learned there."""


@dataclass(frozen=True)
class Calibration:
    """A fitted calibrator with its interval grid, and which rule chose it."""

    calibrator: Calibrator
    intervals: VennAbersGrid
    rule: str


def fitted_calibration(
    score: Floats, left: Floats, weight: Floats, *, n_leavers: int, folds: Folds
) -> Calibration:
    """Return the calibration for out-of-fold scores (log-odds).

    Parameters
    ----------
    score : shape (n,), log-odds from a learner that did not see the row's customer.
    left : shape (n,), 0 or 1, both present.
    weight : shape (n,), > 0, mean 1. Weights that undo a resampling make the risk hold at the true base rate.
    n_leavers : distinct customers who left (or stayed, where those are fewer), which chooses the form.
    folds : shape (n,), customer-disjoint; Platt and beta are compared across them.
    """
    intervals = venn_abers_grid(score, left, weight)
    if n_leavers < PRIOR_BELOW:
        return Calibration(
            fitted_platt(score, left, weight, sd=PRIOR_SD), intervals, "prior + Platt, under 50 leavers"
        )
    if n_leavers > ISOTONIC_ABOVE:
        calibrator = fitted_knots(score, left, weight, intervals)
        return Calibration(calibrator, intervals, "smoothed Venn-Abers isotonic, over 1,000 leavers")
    platt, beta = (_out_of_fold_loss(fit, score, left, weight, folds) for fit in (fitted_platt, fitted_beta))
    if beta < platt:
        return Calibration(fitted_beta(score, left, weight), intervals, "beta, better than Platt out of fold")
    return Calibration(fitted_platt(score, left, weight), intervals, "Platt, no worse than beta out of fold")


def fitted_platt(score: Floats, left: Floats, weight: Floats, *, sd: float = WEAK_SD) -> Platt:
    """Return logit p = slope score + intercept, slope = exp(theta) > 0, at the largest posterior.

    The prior is normal with ``sd`` on theta and on the shift of the mean log-odds. Platt's own smoothed targets
    ((N+ + 1)/(N+ + 2) and 1/(N- + 2), Platt 1999) keep a separated sample finite.
    """
    levels = _Levels.of(score, left, weight)

    def of(theta: Floats) -> Platt:
        slope = float(np.exp(theta[0]))
        return Platt(slope, levels.middle + float(theta[1]) - slope * levels.middle)

    return of(_largest_posterior(lambda theta: of(theta).log_odds(levels.score), levels, np.zeros(2), sd))


def fitted_beta(score: Floats, left: Floats, weight: Floats, *, sd: float = WEAK_SD) -> Beta:
    """Return logit p = a ln s - b ln(1 - s) + c with a, b > 0 (Kull, Silva Filho & Flach 2017), as in Platt."""
    levels = _Levels.of(score, left, weight)

    def of(theta: Floats) -> Beta:
        return Beta(float(np.exp(theta[0])), float(np.exp(theta[1])), float(theta[2]))

    return of(_largest_posterior(lambda theta: of(theta).log_odds(levels.score), levels, np.zeros(3), sd))


def fitted_knots(score: Floats, left: Floats, weight: Floats, intervals: VennAbersGrid) -> Knots:
    """Return the isotonic curve by Venn-Abers, joined at the centres of its pieces so that it rises everywhere.

    Notes
    -----
    Each piece of the isotonic fit gives one knot at its mean score with the mean of the merged Venn-Abers
    probability p1/(1 - p0 + p1), never 0 or 1; straight lines in log-odds join them (the centring follows Oron &
    Flournoy 2017). ``TILT`` per unit of score keeps equal neighbours apart, so the order of scores is never lost.
    Each merged probability lies nearer to 1/2 than the rate it comes from, by about one leaver more a piece: among
    rare leavers that adds up (2 % of 5,000). The curve is therefore shifted in log-odds until it expects as many
    leavers as there are.
    """
    from scipy.optimize import isotonic_regression

    levels, mass, leavers = score_levels(score, left, weight)
    blocks = isotonic_regression(leavers / mass, weights=mass).blocks[:-1]
    total = np.add.reduceat(mass, blocks)
    centres = np.add.reduceat(mass * levels, blocks) / total
    risks = np.add.reduceat(mass * merged(intervals.p0, intervals.p1), blocks) / total
    values = np.maximum.accumulate(logit(risks)) + TILT * (centres - centres[0])
    tail = min(fitted_platt(score, left, weight).slope, TAIL_AT_MOST)
    found = Knots(tuple(centres.tolist()), tuple(values.tolist()), tail)
    shift = _shift_to(float(leavers.sum()), found.log_odds(levels), mass)
    return replace(found, values=tuple((values + shift).tolist()))


def _shift_to(n_leavers: float, log_odds: Floats, mass: Floats) -> float:
    """Return what to add to all log-odds so that ``mass`` expects ``n_leavers`` (over 0, under its sum)."""
    from scipy.optimize import brentq

    def surplus(shift: float) -> float:
        return float(mass @ expit(log_odds + shift)) - n_leavers

    reach = 1.0
    while surplus(-reach) > 0 or surplus(reach) < 0:
        reach *= 2
    return float(brentq(surplus, -reach, reach, xtol=1e-12))


@dataclass(frozen=True)
class _Levels:
    """Scores gathered into levels, so that a fit costs the same for a thousand rows and a million."""

    score: Floats
    mass: Floats
    target: Floats
    """Sum of Platt's smoothed targets, (N+ + 1)/(N+ + 2) for leavers and 1/(N- + 2) for stayers."""

    @classmethod
    def of(cls, score: Floats, left: Floats, weight: Floats) -> _Levels:
        levels, mass, leavers = score_levels(score, left, weight)
        n_leavers, n_stayers = float(leavers.sum()), float((mass - leavers).sum())
        target = leavers * (n_leavers + 1) / (n_leavers + 2) + (mass - leavers) / (n_stayers + 2)
        return cls(levels, mass, target)

    @property
    def middle(self) -> float:
        """Mean score."""
        return float(self.mass @ self.score / self.mass.sum())


def _largest_posterior(
    log_odds_of: Callable[[Floats], Floats], levels: _Levels, start: Floats, sd: float
) -> Floats:
    from scipy.optimize import minimize

    def loss(theta: Floats) -> float:
        log_odds = log_odds_of(theta)
        nll = levels.mass @ np.logaddexp(0.0, log_odds) - levels.target @ log_odds
        return float(nll + theta @ theta / (2 * sd * sd))

    return np.asarray(minimize(loss, start, method="L-BFGS-B").x, dtype=np.float64)


def _out_of_fold_loss(
    fit: Callable[[Floats, Floats, Floats], Calibrator],
    score: Floats,
    left: Floats,
    weight: Floats,
    folds: Folds,
) -> float:
    risk = np.empty_like(score)
    for fold in np.unique(folds):
        held = folds == fold
        risk[held] = expit(fit(score[~held], left[~held], weight[~held]).log_odds(score[held]))
    return log_loss(left, risk, weight)
