"""Conditional logistic regression on matched sets, with intervals that allow for whole communities being alike.

It knows rows, sets and clusters, and refuses to know what the columns mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_STEPS = 30
STEP_ENOUGH = 1e-7
RIDGE = 1e-6
"""Keeps a column without any contrast at 0 instead of undefined; far below one event's worth of information."""
LONGEST_STEP = 2.0
"""A Newton step in units of log hazard; longer ones come from separation and are cut."""


class Estimate(NamedTuple):
    """Log hazard ratios and their cluster-robust standard errors, one per column."""

    value: Floats
    se: Floats


def conditional_logit(columns: Floats, is_case: NDArray[np.bool_], n_in_set: Ints, cluster: Ints) -> Estimate:
    r"""Log hazard ratios from matched sets with one case each.

    Parameters
    ----------
    columns
        float, rows x k, rows of one set next to one another.
    is_case
        bool, rows: who left; exactly one per set.
    n_in_set
        int, sets: rows of each set, in order.
    cluster
        int, sets: sets of one cluster are not independent.

    Returns
    -------
    Estimate
        NaN everywhere without sets, or when the cases have no contrast.

    Notes
    -----
    The partial likelihood of Cox (1972) on sampled risk sets (Thomas 1977; Goldstein & Langholz 1992):

    .. math:: \sum_s \left[\beta' x_{case(s)} - \log \sum_{i \in s} e^{\beta' x_i}\right]

    by Newton steps; variance H^-1 (sum_c u_c u_c') H^-1 with u_c the score summed over a cluster (Lin & Wei 1989).
    O(rows k^2) per step.

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.array([[1.0], [0.0], [1.0], [0.0], [0.0], [1.0]])
    >>> case = np.array([True, False] * 3)
    >>> found = conditional_logit(columns, case, np.array([2, 2, 2]), np.arange(3))
    >>> round(float(np.exp(found.value[0])), 3)  # two pairs to one: the odds are 2
    2.0
    """
    n_columns = columns.shape[1]
    undefined = np.full(n_columns, np.nan)
    if len(n_in_set) == 0:
        return Estimate(undefined, undefined)
    starts = np.concatenate([[0], np.cumsum(n_in_set)[:-1]])
    value = np.zeros(n_columns)
    step = np.full(n_columns, np.inf)
    for _ in range(MOST_STEPS):
        gradient, hessian, _ = _derivatives(columns, is_case, starts, n_in_set, value)
        step = np.clip(np.linalg.solve(hessian, gradient), -LONGEST_STEP, LONGEST_STEP)
        value = value + step
        if np.abs(step).max() < STEP_ENOUGH:
            break
    _, hessian, scores = _derivatives(columns, is_case, starts, n_in_set, value)
    summed = cluster_sums(scores, cluster)
    bread = np.linalg.inv(hessian)
    n_clusters = max(len(summed), 2)
    variance = bread @ (summed.T @ summed) @ bread * n_clusters / (n_clusters - 1)
    return Estimate(value, np.sqrt(np.diag(variance)))


def cluster_sums(scores: Floats, cluster: Ints) -> Floats:
    """Sum rows by cluster; one row per distinct cluster, in its order."""
    order = np.argsort(cluster, kind="stable")
    ordered = cluster[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    summed: Floats = np.add.reduceat(scores[order], starts, axis=0)
    return summed


def _derivatives(
    columns: Floats, is_case: NDArray[np.bool_], starts: Ints, n_in_set: Ints, value: Floats
) -> tuple[Floats, Floats, Floats]:
    """Gradient, negative second derivative, and the score of each set."""
    linear = columns @ value
    linear -= np.repeat(np.maximum.reduceat(linear, starts), n_in_set)
    weight = np.exp(linear)
    weight /= np.repeat(np.add.reduceat(weight, starts), n_in_set)
    weighted = columns * weight[:, None]
    means = np.add.reduceat(weighted, starts, axis=0)
    scores = columns[is_case] - means
    hessian = weighted.T @ columns - means.T @ means + RIDGE * np.eye(columns.shape[1])
    return scores.sum(axis=0) - RIDGE * value, hessian, scores
