"""How well tonight's risks will turn out to rank and to fit, told from the risks alone, before anybody has left.

It decides what calibrated risks promise of themselves, and refuses to know outcomes. It holds only while the risks are
calibrated: a model that is confidently wrong promises itself the best figures. Matured predictions check that.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit, ndtri

from churnrisk.metrics import Interval

Floats = NDArray[np.float64]

TOP_SHARE = 0.1
"""The tenth with the highest risks, whose lift is told."""

Z = float(ndtri(0.975))

SMALLEST = float(np.finfo(np.float64).eps)


def promised(risk: ArrayLike) -> Mapping[str, Interval]:
    """Return AUC, top-decile lift, log loss, Brier score and leaving rate that calibrated risks promise.

    Parameters
    ----------
    risk : shape (n,), 0 to 1, calibrated; any order.

    Returns
    -------
    mapping
        By figure, the expected value and the interval (95 %) in which the figure will lie once outcomes are known;
        nan where no leaver or no stayer is expected.

    Notes
    -----
    Confidence-based estimation (Guillory et al. 2021; Garg et al. 2022 for its limits): each customer counts as risk of
    a leaver and 1 - risk of a stayer. AUC = E[sum over pairs of y_i (1 - y_j) [s_i > s_j]] / E[n_1 n_0], ties half,
    both expectations exact over i != j. Outcomes are independent given the risks, so a figure's variance is
    sum p_i (1 - p_i) g_i^2 with g_i its derivative in y_i (delta method; exact for log loss, Brier and rate). The
    interval holds the chance of outcomes, not that of the model. Cost: n log n.

    Examples
    --------
    >>> found = promised([0.1, 0.1, 0.5, 0.9])
    >>> round(found["auc"].value, 3), round(found["leaving_rate"].value, 3)
    (0.922, 0.4)
    """
    p = np.sort(np.asarray(risk, dtype=np.float64))
    spread = p * (1 - p)
    clipped = np.clip(p, SMALLEST, 1 - SMALLEST)
    n = p.size
    losses = -(p * np.log(clipped) + (1 - p) * np.log1p(-clipped))
    return {
        "auc": _auc(p, spread),
        "top_decile_lift": _lift(p, spread),
        "log_loss": _interval(float(losses.mean()), spread, logit(clipped) / n, 0.0, np.inf),
        "brier": _interval(float(spread.mean()), spread, (1 - 2 * p) / n, 0.0, 1.0),
        "leaving_rate": _interval(float(p.mean()), spread, np.full(n, 1 / n), 0.0, 1.0),
    }


def _auc(p: Floats, spread: Floats) -> Interval:
    n, total, own = p.size, float(p.sum()), float(spread.sum())
    pairs = total * (n - total) - own
    if pairs <= 0:
        return Interval(np.nan, np.nan, np.nan)
    starts, ends = np.searchsorted(p, p, side="left"), np.searchsorted(p, p, side="right")
    leavers = np.concatenate(([0.0], np.cumsum(p)))
    stayers = np.concatenate(([0.0], np.cumsum(1 - p)))
    # stayers below and half of those level; the customer's own share is in neither
    below = (stayers[starts] + stayers[ends] - (1 - p)) / 2
    above = total - (leavers[starts] + leavers[ends] + p) / 2
    value = float(p @ below) / pairs
    slope = (below - above - value * ((n - total - (1 - p)) - (total - p))) / pairs
    return _interval(value, spread, slope, 0.0, 1.0)


def _lift(p: Floats, spread: Floats) -> Interval:
    total = float(p.sum())
    if total <= 0:
        return Interval(np.nan, np.nan, np.nan)
    n_top = TOP_SHARE * p.size
    starts, ends = np.searchsorted(p, p, side="left"), np.searchsorted(p, p, side="right")
    inside = np.clip((n_top - (p.size - ends)) / (ends - starts), 0.0, 1.0)
    reached = float(inside @ p)
    slope = (inside / total - reached / total**2) / TOP_SHARE
    return _interval(reached / total / TOP_SHARE, spread, slope, 0.0, 1 / TOP_SHARE)


def _interval(value: float, spread: Floats, slope: Floats, low: float, high: float) -> Interval:
    half = Z * float(np.sqrt(spread @ (slope * slope)))
    return Interval(value, max(value - half, low), min(value + half, high))
