"""Figures of ranking: AUC, PR-AUC, lift and gain; they refuse to know whether a score is a probability."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from .ranked import Curve, ranked_curve

TOP_SHARE = 0.1
"""Share of customers in the top-decile lift."""

CURVE_POINTS = 100
"""Steps of the curves that are drawn."""


def auc(left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return the area under the ROC curve (no unit, 0 to 1).

    Parameters
    ----------
    left : shape (n,), 0 or 1; 1 = left.
    score : shape (n,), finite, any unit; higher = more likely to leave.
    weight : shape (n,), >= 0, optional.

    Returns
    -------
    float
        P(score of a leaver > score of a stayer) + P(equal)/2, by trapezoids; nan without leavers or stayers.

    Notes
    -----
    Cost: one sort, n log n.

    Examples
    --------
    >>> auc([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.9])
    0.875
    """
    return auc_of(ranked_curve(left, score, weight))


def auc_of(curve: Curve) -> float:
    """Return the area under the ROC of a curve; nan when one-sided."""
    if curve.is_one_sided:
        return math.nan
    area = np.trapezoid(curve.leavers, curve.stayers)
    return float(area / (curve.leavers[-1] * curve.stayers[-1]))


def pr_auc(left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Return average precision (no unit, 0 to 1): sum over thresholds of (R_k - R_(k-1)) precision_k.

    Arguments as in :func:`auc`; nan without leavers. A constant score gives the share of leavers.

    >>> pr_auc([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.9])
    0.8333333333333333
    """
    return pr_auc_of(ranked_curve(left, score, weight))


def pr_auc_of(curve: Curve) -> float:
    """Return average precision of a curve; nan without leavers."""
    if curve.leavers[-1] <= 0:
        return math.nan
    reached = (curve.leavers + curve.stayers)[1:]
    precision = np.divide(curve.leavers[1:], reached, out=np.zeros_like(reached), where=reached > 0)
    return float(np.sum(np.diff(curve.leavers) * precision) / curve.leavers[-1])


def lift(
    left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None, *, share: float = TOP_SHARE
) -> float:
    """Return how many times the average leaving rate the top ``share`` of scores has (1 = no better than chance).

    Equal scores at the border are taken in random order; this is the mean over all orders, the limit of the mean
    over many seeds, so a constant score has lift 1. nan without leavers.

    >>> lift([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    5.0
    """
    return lift_of(ranked_curve(left, score, weight), share)


def lift_of(curve: Curve, share: float = TOP_SHARE) -> float:
    """Return the lift of a curve in its top ``share``."""
    return float(curve.gain_at(share)) / share


def gain_table(left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> pl.DataFrame:
    """Return the gain and lift curve, one row per percent of customers contacted, rising.

    Columns: share_contacted, share_of_leavers_reached, lift.
    """
    shares = np.arange(1, CURVE_POINTS + 1) / CURVE_POINTS
    gains = ranked_curve(left, score, weight).gain_at(shares)
    return pl.DataFrame(
        {"share_contacted": shares, "share_of_leavers_reached": gains, "lift": gains / shares},
    )


def roc_table(left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> pl.DataFrame:
    """Return the ROC curve at no more than 201 points, rising; no rows without leavers or stayers.

    Columns: false_positive_rate, true_positive_rate.
    """
    curve = ranked_curve(left, score, weight)
    if curve.is_one_sided:
        return pl.DataFrame(schema={"false_positive_rate": pl.Float64, "true_positive_rate": pl.Float64})
    fpr, tpr = curve.stayers / curve.stayers[-1], curve.leavers / curve.leavers[-1]
    at = np.unique(np.linspace(0, len(fpr) - 1, 2 * CURVE_POINTS + 1).astype(np.intp))
    return pl.DataFrame({"false_positive_rate": fpr[at], "true_positive_rate": tpr[at]})
