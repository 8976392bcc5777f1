"""The one slope that tempers all ratios: how much of what answers say the risk does not know already.

It judges on customers that the ratios did not see, and refuses to change single ratios.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from churnrisk.bundle import Ratio, posterior
from churnrisk.metrics import percentile_ends, resampled

from .ratios import STRENGTH, Asked, fitted_ratios

Floats = NDArray[np.float64]

SLOPES = np.round(np.arange(0.0, 1.5 + 1e-9, 0.05), 2)
"""Slopes tried; over 1 the stated values held the ratios back. 1.5 at most: a judgement."""

PRIOR_SD = 1.0
"""The slope is drawn to 1 by a normal prior of this spread (judgement): with few leavers ratios stay as they are."""

N_RESAMPLES = 200
ROUNDING = 1e-12


def tempering(asked: Asked, folds: NDArray[np.int8], *, strength: float = STRENGTH, seed: int = 0) -> Ratio:
    """Return the slope in 0 to 1.5 under which coherent posteriors of unseen customers fit best, with its interval.

    Parameters
    ----------
    asked : past invitations.
    folds : fold of each row, the same for all rows of a customer: ratios come from the other folds.
    strength : as for the ratios.
    seed : of the resamples, which draw customers with all their rows.

    Notes
    -----
    Least of (log loss summed) + (slope - 1)^2 / 2 over :data:`SLOPES`. What is judged is the posterior that a
    night would publish, normalised per customer, after the risks of those asked were levelled on the other folds.
    """
    losses = np.empty((len(asked.left), len(SLOPES)))
    for fold in np.unique(folds):
        held = folds == fold
        losses[held] = _losses(asked.where(held), asked.where(~held), strength)
    penalty = (SLOPES - 1.0) ** 2 / (2 * PRIOR_SD**2)

    def best(weight: Floats) -> Floats:
        return SLOPES[[int(np.argmin(weight @ losses + penalty))]]

    value, drawn = resampled(best, asked.weight, customer=asked.member, n_resamples=N_RESAMPLES, seed=seed)
    low, high = percentile_ends(value, drawn)
    return Ratio(float(value[0]), float(low[0]), float(high[0]), len(asked.left), int(asked.left.sum()))


def _losses(held: Asked, others: Asked, strength: float) -> Floats:
    """Return the log loss of each held row at each slope: (n, slopes)."""
    fitted = fitted_ratios(others, strength=strength)
    level = level_of(others)
    risk = expit(held.offset + level)
    rows = np.arange(len(held.left))
    found = np.empty((len(held.left), len(SLOPES)))
    for place, slope in enumerate(SLOPES):
        after = posterior(risk, held.chances, slope * held.aged[:, None] * fitted.values)[rows, held.place]
        right = np.where(held.left > 0, after, 1.0 - after)
        found[:, place] = -np.log(np.maximum(right, ROUNDING))
    return found


def level_of(asked: Asked) -> float:
    """Return the log odds that bring the risks of these rows to their leavers; drawn to 0 a little."""
    low, high = -5.0, 5.0
    observed = float(asked.weight @ asked.left)
    for _ in range(60):
        middle = (low + high) / 2
        expected = float(asked.weight @ expit(asked.offset + middle)) + float(expit(middle)) - 0.5
        low, high = (middle, high) if expected < observed else (low, middle)
    return (low + high) / 2


def clipped_odds(risk: Floats) -> Floats:
    """Return log odds of risks, kept from 0 and 1 where they have none."""
    odds: Floats = logit(np.clip(risk, 1e-9, 1 - 1e-9))
    return odds
