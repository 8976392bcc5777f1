"""Whether any of several orders of the same customers holds, with one chance of error for all of them together.

It reads doubly robust scores and priorities, and refuses to know who made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .probability import Interval
from .ranked import Floats
from .resampling import N_RESAMPLES, resampled
from .uplift import rates_of

SURE = 0.975
"""Probability with which none of the figures lies above its threshold where no order tells anything: the upper side of
intervals that hold all figures at once in 95 %."""

NO_ERROR = 1e-12
"""Errors below are those of rounding."""

N_MAXIMA = 50_000
"""Draws of the largest deviation; its quantile is then steady to about a hundredth."""


@dataclass(frozen=True)
class Batch:
    """Customers and the orders that are judged on them."""

    scores: Floats
    """Shape (n,), doubly robust."""
    priorities: Floats
    """Shape (n, k), each learned elsewhere."""
    customer: ArrayLike | None = None
    weight: Floats | None = None


@dataclass(frozen=True)
class JointRates:
    """AUTOC and QINI of k orders, of all batches on average."""

    value: Floats
    """Shape (k, 2)."""
    error: Floats
    """Shape (k, 2), standard errors."""
    threshold: float
    """Errors that the largest of the 2 k figures stays below with probability :data:`SURE` if all are truly 0."""

    def intervals(self) -> list[tuple[Interval, Interval]]:
        """Return AUTOC and QINI of each order, as many errors to either side as the threshold says."""
        half = self.threshold * self.error
        ends = [
            [Interval(float(v), float(v - h), float(v + h)) for v, h in zip(values, halves, strict=True)]
            for values, halves in zip(self.value, half, strict=True)
        ]
        return [(autoc, qini) for autoc, qini in ends]


def joint_rates(
    batches: Sequence[Batch], *, n_resamples: int = N_RESAMPLES, level: float = SURE, seed: int = 0
) -> JointRates:
    r"""Return AUTOC and QINI of several orders, judged together.

    Parameters
    ----------
    batches : customers who are in no other batch, each with the same k orders.
    n_resamples, seed : of the bootstrap. In each resample all orders and both figures see the same customers.
    level : probability with which no figure lies above the threshold where all are 0: one-sided, because only an order
        that is better than none is claimed.

    Returns
    -------
    JointRates
        Means over batches. Errors are those of the bootstrap, batches independent of each other.

    Notes
    -----
    The threshold is the quantile of the largest of 2 k standard normal deviates that go together as the resamples do:
    single-step max-T (Westfall & Young 1993), Gaussian as in Chernozhukov, Chetverikov & Kato 2013 (Annals of
    Statistics 41). For eight unrelated figures it comes to 2.73 errors, for eight that are one to 1.96; sharing the
    level out over eight (Bonferroni) asks for 2.73 whatever they are. A figure without any error (an order that tells
    all customers alike) is 0 and counts for nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=400)
    >>> found = joint_rates(
    ...     [Batch(score, np.column_stack((score, score + rng.normal(size=400))))], n_resamples=200
    ... )
    >>> found.value.shape, found.threshold < 2.4, found.intervals()[0][0].low > 0
    ((2, 2), True, True)
    """
    values, away = [], []
    for place, batch in enumerate(batches):
        weight = np.ones(len(batch.scores)) if batch.weight is None else batch.weight
        value, drawn = resampled(
            rates_of(batch.scores, batch.priorities),
            weight,
            customer=batch.customer,
            n_resamples=n_resamples,
            seed=seed + place,
        )
        values.append(value)
        away.append(drawn - value)
    fewest = min(len(each) for each in away)
    deviation = np.mean([each[:fewest] for each in away], axis=0)
    error = deviation.std(axis=0, ddof=1)
    tells = error > NO_ERROR
    shape = (-1, 2)
    return JointRates(
        np.where(tells, np.mean(values, axis=0), 0.0).reshape(shape),
        np.where(tells, error, 0.0).reshape(shape),
        _threshold(deviation[:, tells], level, seed),
    )


def _threshold(deviation: Floats, level: float, seed: int) -> float:
    """Return the quantile of the largest of normal deviates that go together as columns do; 0 without any."""
    if not deviation.shape[1]:
        return 0.0
    values, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(deviation, rowvar=False)))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.random.default_rng(seed).normal(size=(N_MAXIMA, len(values))) @ root.T
    return float(np.quantile(drawn.max(axis=1), level))
