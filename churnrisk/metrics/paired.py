"""Whether one score or risk is better than another on the same rows, and how sure; refuses to know whose they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probability import LEVEL, Interval, checked_probabilities, customers_of, log_losses
from .profit import VERBRAKEN, Campaign, empc_of
from .ranked import Curve, Floats, Ranked, checked_outcomes
from .ranking import auc_of, lift_of
from .resampling import N_RESAMPLES, affordable, drawn_counts, percentile_interval

PAIRED_FIGURES = ("auc", "top_decile_lift", "log_loss", "empc")
"""Figures by which two risks are compared."""

Z_95 = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


class Difference(NamedTuple):
    """AUC of one score minus that of another, with its 95 % interval."""

    value: float
    low: float
    high: float


def paired_differences(
    left: ArrayLike,
    one: ArrayLike,
    two: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
    campaign: Campaign = VERBRAKEN,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Mapping[str, Interval]:
    """Return by how much the risk ``one`` is better than the risk ``two`` on the same rows.

    Parameters
    ----------
    left : shape (n,), 0 or 1; 1 = left.
    one, two : shape (n,), risks, 0 to 1.
    weight : shape (n,), >= 0, optional.
    customer : shape (n,), any sortable; rows of one customer are drawn together. Default: each row its own.
    campaign : costs behind empc.
    n_resamples, level, seed : of the bootstrap.

    Returns
    -------
    mapping
        For each of :data:`PAIRED_FIGURES` a difference with its percentile interval, always so that more than 0 means
        that ``one`` is better: for auc, top_decile_lift and empc (currency per customer) one minus two, for log_loss
        (nats per customer) two minus one. In every resample both are judged on the same customers, so what both find
        hard cancels. Ends are nan where a figure is undefined in more than 5 % of resamples.

    Raises
    ------
    ValueError
        Lengths differ, nothing is given, or a risk is outside 0 to 1.

    Notes
    -----
    n log n once, then a few passes over n per resample.

    Examples
    --------
    >>> found = paired_differences([0, 1, 0, 1] * 25, [0.1, 0.9, 0.2, 0.8] * 25, [0.5, 0.5, 0.1, 0.9] * 25)
    >>> round(found["auc"].value, 3), round(found["log_loss"].value, 3), found["auc"].low > 0
    (0.125, 0.235, True)
    """
    y, first, w = checked_probabilities(left, one, weight)
    _, second, _ = checked_probabilities(left, two, weight)
    pair = Ranked(y, first), Ranked(y, second)
    gained = log_losses(y, second) - log_losses(y, first)

    def differences(drawn: Floats) -> dict[str, float]:
        total = float(drawn.sum())
        if total <= 0:
            return dict.fromkeys(PAIRED_FIGURES, math.nan)
        curves = pair[0].curve(drawn), pair[1].curve(drawn)
        profits = [empc_of(curve, campaign).profit for curve in curves]
        log_loss = float(drawn @ gained) / total
        return {**_ranked_gains(curves), "log_loss": log_loss, "empc": profits[0] - profits[1]}

    return _resampled(differences, w, customer, n_resamples=n_resamples, level=level, seed=seed)


def paired_gain(
    left: ArrayLike,
    score: ArrayLike,
    other: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Mapping[str, Interval]:
    """Return how much better one score ranks than another on the same rows: auc and top_decile_lift.

    Parameters
    ----------
    left, score, weight, customer : as in :func:`paired_differences`; scores of any unit, higher = likelier to leave.
    other : shape (n,), the score to beat.
    n_resamples, level, seed : as there.

    Returns
    -------
    mapping
        Difference of each figure with its percentile interval: in every resample both scores are judged on the same
        customers, so what both find hard cancels. Ends are nan when undefined in more than 5 % of resamples.

    Examples
    --------
    >>> found = paired_gain([0, 1, 0, 1] * 25, [0.1, 0.9, 0.2, 0.8] * 25, [0.5, 0.5, 0.1, 0.9] * 25)["auc"]
    >>> round(found.value, 3), 0 < found.low < found.high
    (0.125, True)
    """
    y, first, w = checked_outcomes(left, score, weight)
    _, second, _ = checked_outcomes(left, other, weight)
    pair = Ranked(y, first), Ranked(y, second)

    def gains(drawn: Floats) -> dict[str, float]:
        if float(drawn.sum()) <= 0:
            return dict.fromkeys(("auc", "top_decile_lift"), math.nan)
        return _ranked_gains((pair[0].curve(drawn), pair[1].curve(drawn)))

    return _resampled(gains, w, customer, n_resamples=n_resamples, level=level, seed=seed)


def _ranked_gains(curves: tuple[Curve, Curve]) -> dict[str, float]:
    one, two = curves
    return {"auc": auc_of(one) - auc_of(two), "top_decile_lift": lift_of(one) - lift_of(two)}


def _resampled(
    figures: Callable[[Floats], dict[str, float]],
    w: Floats,
    customer: ArrayLike | None,
    *,
    n_resamples: int,
    level: float,
    seed: int,
) -> Mapping[str, Interval]:
    """Return figures of the weights ``w`` with percentile intervals over resamples of customers."""
    member, n_groups = customers_of(customer, w.size)
    rng = np.random.default_rng(seed)
    drawn = [
        figures(w * drawn_counts(rng, n_groups)[member]) for _ in range(affordable(2 * w.size, n_resamples))
    ]
    return {
        name: percentile_interval(value, np.array([row[name] for row in drawn]), level)
        for name, value in figures(w).items()
    }


def auc_difference(left: ArrayLike, score: ArrayLike, other: ArrayLike) -> Difference:
    """Return how much the AUC of ``score`` is ahead of that of ``other``, with a 95 % interval.

    Parameters
    ----------
    left : (n,) of 0 and 1, both present at least twice.
    score, other : (n,) of numbers; higher should mean 1.

    Returns
    -------
    Difference
        In AUC, from -1 to 1. The interval is DeLong's: it takes rows for independent of each other.

    Notes
    -----
    V10_i = share of the negatives that positive i is scored above (ties half), V01_j the reverse; the variance of the
    difference is var(V10 - V10') / m + var(V01 - V01') / n. O(n log n).

    References
    ----------
    DeLong, DeLong & Clarke-Pearson 1988, *Biometrics* 44; Sun & Xu 2014 (by midranks).

    Examples
    --------
    >>> auc_difference([1, 1, 0, 0], [4, 3, 2, 1], [4, 1, 3, 2]).value
    0.5
    """
    y = np.asarray(left, dtype=bool)
    one, two = (_placements(y, np.asarray(values, dtype=np.float64)) for values in (score, other))
    differences = [mine - theirs for mine, theirs in zip(one, two, strict=True)]
    value = float(differences[0].mean())
    error = float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in differences)))
    return Difference(value, value - Z_95 * error, value + Z_95 * error)


def _placements(y: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """For each positive the share of negatives below it; for each negative the share of positives above it."""
    positives, negatives = np.sort(score[y]), np.sort(score[~y])
    below = _below(negatives, score[y]) / len(negatives)
    above = 1 - _below(positives, score[~y]) / len(positives)
    return below, above


def _below(ordered: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many of the ordered values are below each, equal ones counting half."""
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
