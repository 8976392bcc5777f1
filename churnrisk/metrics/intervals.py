"""Intervals by bootstrap for every figure at once; refuses to know more of a row than its customer.

Rows of one customer in several snapshots are not independent, so whole customers are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from .probability import LEVEL, Interval, customers_of, log_losses
from .profit import VERBRAKEN, Campaign, empc_of
from .ranked import Floats, Ranked, checked_outcomes
from .ranking import auc_of, lift_of, pr_auc_of
from .resampling import N_RESAMPLES, affordable, drawn_counts, percentile_interval


def figures(
    left: Floats, probability: Floats, weight: Floats, *, campaign: Campaign = VERBRAKEN
) -> dict[str, float]:
    """Return AUC, PR-AUC, top-decile lift, EMPC, log loss, its margin over the constant rate, and Brier.

    log_loss_margin is the log loss of the (weighted) leaving rate of these rows minus the model's, so more is better.
    """
    return _figures_of(Ranked(left, probability), left, probability, weight, campaign)


def bootstrap_intervals(
    left: ArrayLike,
    probability: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
    campaign: Campaign = VERBRAKEN,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Mapping[str, Interval]:
    """Return each figure of :func:`figures` with its percentile interval.

    Parameters
    ----------
    left, probability, weight : as elsewhere, shape (n,).
    customer : shape (n,), any sortable; rows of one customer are drawn together. Default: each row its own.
    n_resamples : resamples with replacement, fewer when n is very large.
    level : nominal level.
    seed : of the draws.

    Notes
    -----
    Rows are ranked once; a resample is a vector of multinomial counts used as weights (Efron 1979), so each costs
    a few passes over n. Ends are nan when a figure is undefined in more than 5 % of resamples.

    Examples
    --------
    >>> found = bootstrap_intervals([0, 1, 0, 1] * 25, [0.1, 0.2, 0.2, 0.9] * 25)["auc"]
    >>> found.low < found.value == 0.875 < found.high
    True
    """
    y, p, w = checked_outcomes(left, probability, weight)
    group, n_groups = customers_of(customer, y.size)
    times = affordable(y.size, n_resamples)
    ranked = Ranked(y, p)
    rng = np.random.default_rng(seed)
    drawn = [
        _figures_of(ranked, y, p, w * drawn_counts(rng, n_groups)[group], campaign) for _ in range(times)
    ]
    point = _figures_of(ranked, y, p, w, campaign)
    return {
        name: percentile_interval(value, np.array([row[name] for row in drawn]), level)
        for name, value in point.items()
    }


def _figures_of(ranked: Ranked, y: Floats, p: Floats, w: Floats, campaign: Campaign) -> dict[str, float]:
    curve = ranked.curve(w)
    total = float(w.sum())
    if total <= 0:
        return dict.fromkeys(_NAMES, math.nan)
    rate = float(w @ y) / total
    loss = float(w @ log_losses(y, p)) / total
    constant = float(w @ log_losses(y, np.full_like(p, rate))) / total
    return {
        "auc": auc_of(curve),
        "pr_auc": pr_auc_of(curve),
        "top_decile_lift": lift_of(curve),
        "empc": empc_of(curve, campaign).profit,
        "log_loss": loss,
        "log_loss_margin": constant - loss,
        "brier": float(w @ (y - p) ** 2) / total,
    }


_NAMES = ("auc", "pr_auc", "top_decile_lift", "empc", "log_loss", "log_loss_margin", "brier")
