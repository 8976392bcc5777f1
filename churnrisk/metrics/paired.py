"""Whether one score ranks better than another on the same rows, with an interval. It refuses to know what is ranked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


class Difference(NamedTuple):
    """AUC of one score minus that of another, with its 95 % interval."""

    value: float
    low: float
    high: float


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
