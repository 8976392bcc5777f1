"""What an action did on average: doubly robust, as weighted rates, and as a ratio, each with its interval.

It takes outcomes, who got what with which probability, and what models expected; it refuses to know how they were
made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from .probability import LEVEL, UNDEFINED, Interval, customers_of
from .ranked import Floats

CONTROL = 0
"""Column and code of being left without an action."""


def aipw_scores(stayed: ArrayLike, arm: ArrayLike, expected: ArrayLike, propensity: ArrayLike) -> Floats:
    r"""Return each customer's doubly robust score of every action against none (probability of staying).

    Parameters
    ----------
    stayed : shape (n,), 0 or 1.
    arm : shape (n,), integers; 0 = left without, 1 ... k = the actions.
    expected : shape (n, k + 1): probability of staying in each arm, predicted by models that did not see the row
        (cross-fitted), finite.
    propensity : shape (n, k + 1): probability of having been given each arm, over 0 where the arm was given.

    Returns
    -------
    array
        Shape (n, k). Its mean over any group that was chosen by features is the mean effect there; it is right when
        either ``expected`` or ``propensity`` is, and one score alone may be far outside -1 to 1.

    Raises
    ------
    ValueError
        Shapes do not fit, or an arm was given that had no probability.

    Notes
    -----
    :math:`\mu_a - \mu_0 + 1[A = a](Y - \mu_a)/e_a - 1[A = 0](Y - \mu_0)/e_0`.

    References
    ----------
    Robins, Rotnitzky & Zhao 1994, JASA 89; Chernozhukov et al. 2018, Econometrics Journal 21 (cross-fitting).

    Examples
    --------
    >>> aipw_scores([1, 0], [1, 0], [[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]).ravel().tolist()
    [1.0, 1.0]
    """
    y, given = np.asarray(stayed, dtype=np.float64), np.asarray(arm, dtype=np.intp)
    mu, e = np.asarray(expected, dtype=np.float64), np.asarray(propensity, dtype=np.float64)
    if mu.ndim != 2 or mu.shape != e.shape or y.shape != given.shape or mu.shape[0] != y.size:  # noqa: PLR2004
        msg = f"n outcomes and arms, and n x arms expectations and propensities, not {y.shape}, {mu.shape}, {e.shape}"
        raise ValueError(msg)
    rows = np.arange(y.size)
    if not bool((e[rows, given] > 0).all()):
        msg = "a propensity over 0 for every arm that was given"
        raise ValueError(msg)
    corrected = mu.copy()
    corrected[rows, given] += (y - mu[rows, given]) / e[rows, given]
    return corrected[:, 1:] - corrected[:, :1]


def mean_effect(
    scores: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    customer: ArrayLike | None = None,
    level: float = LEVEL,
) -> Interval:
    """Return the (weighted) mean of doubly robust scores with a normal interval; rows of one customer count once.

    Parameters
    ----------
    scores : shape (n,), finite; one column of :func:`aipw_scores`.
    weight : shape (n,), >= 0, optional.
    customer : shape (n,), any sortable. Default: each row its own.

    Notes
    -----
    The variance is that of the sums of weight x (score - mean) by customer, times m / (m - 1) for m customers; ends are
    nan with fewer than two.

    >>> mean_effect([1.0, 0.0, 1.0, 0.0]).value
    0.5
    """
    gamma = np.asarray(scores, dtype=np.float64)
    w = np.ones_like(gamma) if weight is None else np.asarray(weight, dtype=np.float64)
    if not gamma.size or w.sum() <= 0:
        return UNDEFINED
    value = float(w @ gamma / w.sum())
    return _normal(value, _error_of(w * (gamma - value), float(w.sum()), customer), level)


@dataclass(frozen=True)
class Contrast:
    """Treated beside untreated customers, each standing for one over their probability of being where they are."""

    difference: Interval
    """Share that stayed of the treated less that of the untreated."""
    ratio: Interval
    """Share that left of the treated over that of the untreated; nan where nobody untreated left."""
    n_treated: int
    n_control: int


def weighted_contrast(
    stayed: ArrayLike,
    is_treated: ArrayLike,
    propensity: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
    level: float = LEVEL,
) -> Contrast:
    r"""Return the difference of the shares that stayed and the ratio of the shares that left.

    Parameters
    ----------
    stayed : shape (n,), 0 or 1.
    is_treated : shape (n,), 0 or 1.
    propensity : shape (n,), over 0 to 1: probability with which each customer was given what they were given. Default:
        the same for all.
    customer : shape (n,), any sortable; rows of one customer count as one draw.

    Notes
    -----
    Hajek's ratio estimator: :math:`\bar Y_a = \sum w Y / \sum w`, w = 1/propensity, its variance from the linearised
    residuals w (Y - mean) / sum w. The ratio's interval is symmetric in logarithms (Katz et al. 1978, Biometrics 34),
    from the same residuals.

    References
    ----------
    Hajek 1971; Sarndal, Swensson & Wretman 1992, chapter 5.

    Examples
    --------
    >>> found = weighted_contrast([1, 1, 1, 0, 1, 0, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    >>> found.difference.value, found.ratio.value
    (0.25, 0.5)
    """
    y, treated = np.asarray(stayed, dtype=np.float64), np.asarray(is_treated, dtype=bool)
    w = np.ones_like(y) if propensity is None else 1 / np.asarray(propensity, dtype=np.float64)
    if not bool(np.isfinite(w).all()):
        msg = "propensities over 0"
        raise ValueError(msg)
    n_treated, n_control = int(treated.sum()), int((~treated).sum())
    if not (n_treated and n_control):
        return Contrast(UNDEFINED, UNDEFINED, n_treated, n_control)
    means = [float(w[who] @ y[who] / w[who].sum()) for who in (treated, ~treated)]
    pulls = [
        np.where(who, w * (y - mean) / w[who].sum(), 0.0)
        for who, mean in zip((treated, ~treated), means, strict=True)
    ]
    difference = _normal(means[0] - means[1], _error_of(pulls[0] - pulls[1], 1.0, customer), level)
    left = [1 - mean for mean in means]
    if min(left) <= 0:
        return Contrast(
            difference, Interval(0.0 if left[1] > 0 else math.nan, math.nan, math.nan), n_treated, n_control
        )
    logarithm = math.log(left[0] / left[1])
    around = _normal(logarithm, _error_of(pulls[0] / left[0] - pulls[1] / left[1], 1.0, customer), level)
    ratio = Interval(math.exp(logarithm), math.exp(around.low), math.exp(around.high))
    return Contrast(difference, ratio, n_treated, n_control)


def _error_of(pulls: Floats, total: float, customer: ArrayLike | None) -> float:
    """Return the standard error of a sum of pulls over ``total``, nan with fewer than two customers."""
    member, n_groups = customers_of(customer, pulls.size)
    if n_groups <= 1:
        return math.nan
    summed = np.bincount(member, weights=pulls, minlength=n_groups)
    return float(np.sqrt(summed @ summed * n_groups / (n_groups - 1)) / total)


def _normal(value: float, error: float, level: float) -> Interval:
    width = float(ndtri((1 + level) / 2)) * error
    return Interval(value, value - width, value + width)
