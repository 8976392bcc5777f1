"""What a rule for giving offers would have earned, from decisions that another rule took and logged.

It takes rewards, what was done with which probability, and what the rule to be judged would do; it refuses to know why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .probability import LEVEL, Interval
from .ranked import Floats
from .resampling import N_RESAMPLES, percentile_interval, resampled

FEWEST_EFFECTIVE = 100.0
"""Effective number of decisions under which a value is told with a warning (judgement)."""


@dataclass(frozen=True)
class PolicyValue:
    """Mean reward per customer of a rule (unit of the reward), by three estimators."""

    ips: Interval
    """Inverse propensity score: unbiased where propensities are right, wide where the rules differ."""
    snips: Interval
    """Self-normalised: slightly biased, far narrower, never outside the rewards seen."""
    dr: Interval
    """Doubly robust; nan without predicted rewards."""
    n_effective: float
    """(sum w)^2 / sum w^2 of the weights: how many of the logged decisions speak for the rule."""

    @property
    def is_thin(self) -> bool:
        """Whether too few logged decisions speak for the rule."""
        return self.n_effective < FEWEST_EFFECTIVE


def policy_value(
    reward: ArrayLike,
    action: ArrayLike,
    propensity: ArrayLike,
    wanted: ArrayLike,
    predicted: ArrayLike | None = None,
    *,
    customer: ArrayLike | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> PolicyValue:
    r"""Return the value of a rule with intervals by bootstrap over customers.

    Parameters
    ----------
    reward : shape (n,), finite: what came of each logged decision, for instance margin kept less costs.
    action : shape (n,), integers 0 ... k: what was done.
    propensity : shape (n,), over 0: logged probability of what was done.
    wanted : shape (n, k + 1), rows sum to 1: what the rule to be judged would do.
    predicted : shape (n, k + 1), optional: expected reward of every action, cross-fitted.
    customer : shape (n,), any sortable; rows of one customer are drawn together.

    Raises
    ------
    ValueError
        Shapes do not fit, a propensity is not over 0, or what the rule wants does not sum to 1.

    Notes
    -----
    w = wanted[action] / propensity; IPS = mean of w r; SNIPS = sum w r / sum w; DR = mean of
    :math:`\sum_a \pi(a) \hat r_a + w (r - \hat r_A)`. Only actions that the logging rule could have taken are judged:
    where ``wanted`` puts mass on what was never tried, IPS falls short and only DR's model speaks.

    References
    ----------
    Horvitz & Thompson 1952; Swaminathan & Joachims 2015 (SNIPS); Dudik, Langford & Li 2011 (DR).

    Examples
    --------
    >>> found = policy_value([1.0, 0.0], [1, 0], [0.5, 0.5], [[0.0, 1.0], [0.0, 1.0]])
    >>> found.ips.value, found.snips.value, found.n_effective
    (1.0, 1.0, 1.0)
    """
    r, a = np.asarray(reward, dtype=np.float64), np.asarray(action, dtype=np.intp)
    e, pi = np.asarray(propensity, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if not (r.shape == a.shape == e.shape and pi.ndim == 2 and len(pi) == r.size and r.size):  # noqa: PLR2004
        msg = f"n rewards, actions and propensities, and n x actions wanted, not {r.shape}, {pi.shape}"
        raise ValueError(msg)
    if not bool((e > 0).all() and (e <= 1).all()):
        msg = "propensities over 0, up to 1"
        raise ValueError(msg)
    if not np.allclose(pi.sum(axis=1), 1.0, atol=1e-6):
        msg = "what the rule wants must sum to 1 for every customer"
        raise ValueError(msg)
    rows = np.arange(r.size)
    w = pi[rows, a] / e
    told = np.full(r.size, np.nan)
    if predicted is not None:
        model = np.asarray(predicted, dtype=np.float64)
        told = (pi * model).sum(axis=1) + w * (r - model[rows, a])

    def values(drawn: Floats) -> Floats:
        total, weighted = float(drawn.sum()), float(drawn @ w)
        summed = float(drawn @ (w * r))
        snips = summed / weighted if weighted > 0 else np.nan
        return np.array([summed / total, snips, float(drawn @ told) / total])

    value, drawn = resampled(values, np.ones(r.size), customer=customer, n_resamples=n_resamples, seed=seed)
    found: Mapping[str, Interval] = {
        name: percentile_interval(float(value[position]), drawn[:, position], level)
        for position, name in enumerate(("ips", "snips", "dr"))
    }
    squares = float(w @ w)
    return PolicyValue(**found, n_effective=float(w.sum()) ** 2 / squares if squares > 0 else 0.0)
