"""Drawing whole customers with replacement, as weights; refuses to know which figure is taken of a draw."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .probability import LEVEL, Interval, customers_of, wilson
from .ranked import Floats

N_RESAMPLES = 500
"""Bootstrap resamples; the ends of a 95 % interval are then steady to about a tenth of its width."""

MAX_DRAWN_ROWS = 100_000_000
"""Rows times resamples at most; on larger data fewer resamples serve, as intervals are narrow there."""

FEWEST_RESAMPLES = 100

FEWEST_DEFINED_SHARE = 0.95
"""Share of resamples in which a figure must be defined for its interval to be given."""


def drawn_counts(rng: np.random.Generator, n_groups: int) -> Floats:
    """Return how often each of ``n_groups`` customers is in one resample of as many."""
    return np.bincount(rng.integers(0, n_groups, n_groups), minlength=n_groups).astype(np.float64)


def affordable(n_rows: int, n_resamples: int) -> int:
    """Return how many resamples are drawn of ``n_rows``: the number wished, fewer where rows are very many."""
    return min(n_resamples, max(FEWEST_RESAMPLES, MAX_DRAWN_ROWS // max(n_rows, 1)))


def percentile_interval(value: float, drawn: Floats, level: float) -> Interval:
    """Return ``value`` between the percentiles of what was drawn; ends nan where it was undefined in over 5 %."""
    defined = drawn[np.isfinite(drawn)]
    if math.isnan(value) or len(defined) < FEWEST_DEFINED_SHARE * len(drawn):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def resampled(
    statistic: Callable[[Floats], Floats],
    weight: Floats,
    *,
    customer: ArrayLike | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Return any figures under the rows' weights and under those of every resample.

    Parameters
    ----------
    statistic : takes weights, shape (n,), and returns figures, shape (k,); nan where undefined.
    weight : shape (n,), >= 0.
    customer : shape (n,), any sortable; rows of one customer are drawn together. Default: each row its own.
    n_resamples : resamples with replacement, fewer when n is very large.
    seed : of the draws.

    Returns
    -------
    tuple of arrays
        The figures, shape (k,), and those drawn, shape (resamples, k).

    Examples
    --------
    >>> left = np.array([1.0, 0.0, 0.0, 1.0])
    >>> value, drawn = resampled(lambda w: np.array([w @ left / w.sum()]), np.ones(4), n_resamples=200)
    >>> value.tolist(), drawn.shape
    ([0.5], (200, 1))
    """
    member, n_groups = customers_of(customer, weight.size)
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(weight * drawn_counts(rng, n_groups)[member])
        for _ in range(affordable(weight.size, n_resamples))
    ]
    return statistic(weight), np.array(drawn)


def percentile_ends(value: Floats, drawn: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the percentiles of each figure of :func:`resampled`; nan where it was undefined in over 5 %."""
    found = [
        percentile_interval(float(each), drawn[:, position], level) for position, each in enumerate(value)
    ]
    return np.array([each.low for each in found]), np.array([each.high for each in found])


def share_ends(value: Floats, drawn: Floats, n: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the interval of shares: Wilson's, at as many rows as the resamples say the rows are worth.

    Parameters
    ----------
    value : shape (k,), shares.
    drawn : shape (resamples, k), the same of each resample.
    n : shape (k,), rows behind each share: the most they can be worth.
    level : nominal level.

    Notes
    -----
    The rows are worth value (1 - value) / variance of what was drawn (Korn & Graubard 1998). Percentiles alone would
    give a share of 0, which no resample can leave, an interval without width; here it has the width of n rows.
    """
    variance = np.full(len(value), np.nan)
    used = np.isfinite(drawn).mean(axis=0) >= FEWEST_DEFINED_SHARE
    if used.any():
        variance[used] = np.nanvar(drawn[:, used], axis=0)
    worth = np.divide(value * (1 - value), variance, out=np.full(len(value), np.inf), where=variance > 0)
    effective = np.where(np.isfinite(value), np.minimum(worth, n), 0.0)
    low, high = wilson(np.nan_to_num(value), effective, level=level)
    return np.where(value == 0, 0.0, low), np.where(value == 1, 1.0, high)
