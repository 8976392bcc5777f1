"""From contributions in log-odds to points of risk that add up; it knows neither features nor customers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR_ZERO = 1e-9
"""Log-odds below which a sum of contributions is rounding, and the ratio is its limit."""


def in_points(parts: Floats, rise: Floats, slope: Floats) -> Floats:
    """Share out a rise of risk over contributions in log-odds, in proportion to them, in percentage points.

    ``points_k = 100 phi_k rise / sum(phi)``; where the contributions cancel the ratio is its limit, the slope of the
    risk. What rounding leaves of the rise is shared out by size, so that each row adds up.

    Parameters
    ----------
    parts : ndarray, shape (n, k)
        Contributions phi to the raw score, log-odds.
    rise : ndarray, shape (n,)
        Difference of risk (-1 to 1) that the contributions make, of the sign of their sum.
    slope : ndarray, shape (n,)
        Derivative of the risk by the raw score where the rise begins, above 0.

    Returns
    -------
    ndarray, shape (n, k)
        Percentage points; each row sums to 100 rise, each of the sign of its contribution.

    Notes
    -----
    O(n k). The rule keeps signs and order of contributions, since calibrators rise strictly; single points exceed the
    rise where others pull the other way.

    Examples
    --------
    >>> in_points(np.array([[3.0, -1.0], [1.0, -1.0]]), np.array([0.2, 0.0]), np.array([0.05, 0.05])).tolist()
    [[30.0, -10.0], [5.0, -5.0]]
    """
    total = parts.sum(axis=1)
    is_still = np.abs(total) < NEAR_ZERO
    ratio = np.where(is_still, slope, rise / np.where(is_still, 1.0, total))
    points = 100.0 * parts * ratio[:, None]
    sizes = np.abs(parts)
    whole = sizes.sum(axis=1, keepdims=True)
    share = np.divide(sizes, whole, out=np.zeros_like(sizes), where=whole > 0)
    left = 100.0 * rise - points.sum(axis=1)
    adding: Floats = points + share * left[:, None]
    return adding
