"""Drawing whole customers with replacement, as weights; refuses to know which figure is taken of a draw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probability import Interval
from .ranked import Floats

N_RESAMPLES = 500
"""Bootstrap resamples; the ends of a 95 % interval are then steady to about a tenth of its width."""

MAX_DRAWN_ROWS = 100_000_000
"""Rows times resamples at most; on larger data fewer resamples serve, as intervals are narrow there."""

FEWEST_RESAMPLES = 100

FEWEST_DEFINED_SHARE = 0.95
"""Share of resamples in which a figure must be defined for its interval to be given."""


def groups_of(customer: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], int]:
    """Return each row's customer as a number, and how many customers there are; without ids each row is its own."""
    if customer is None:
        return np.arange(n), n
    distinct, member = np.unique(np.asarray(customer), return_inverse=True)
    return member, len(distinct)


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
