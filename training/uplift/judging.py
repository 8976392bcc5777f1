"""Whether a learner puts customers in order of the effect, on rows it did not learn from; and to which scale.

It takes doubly robust scores and predictions, and refuses to know models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle.effects import GAMMA_MEAN, GAMMA_SD, WORKS, Learner, Scale

Floats = NDArray[np.float64]

STEEPEST = 2.5
"""Slope at most: few trees tell less of a difference than there is, and a steeper line would be noise (judgement)."""

N_GROUPS = 10
"""Groups of equal size by predicted effect, of which the effect is told with its interval."""


@dataclass(frozen=True)
class Turn:
    """Rows of one fold: their doubly robust scores, and what learners taught by the folds before say of them."""

    scores: Floats
    predicted: Mapping[Learner, Floats]
    customer: NDArray[Any]
    weight: Floats | None = None


@dataclass(frozen=True)
class Judged:
    """One learner for one offer, on held-out rows."""

    learner: Learner
    autoc: metrics.Interval
    qini: metrics.Interval

    @property
    def ranks(self) -> bool:
        """Whether the interval of AUTOC or that of QINI lies above 0."""
        return bool(self.autoc.low > 0 or self.qini.low > 0)


def judged(turns: Sequence[Turn], *, n_resamples: int, seed: int) -> dict[Learner, Judged]:
    """Return AUTOC and QINI of every learner, each the mean over turns, with intervals that hold for all together.

    Notes
    -----
    In each turn the learners were taught by the folds before and are judged on the next. Pooling ordinary cross-fitted
    predictions instead gives intervals that are too narrow, because every fold teaches those that judge it: without any
    effect, AUTOC over its bootstrap error then had a standard deviation of 1.2 to 1.5 (24 worlds of 2,500 rows) and on
    Hillstrom's customers with arms drawn anew it was over 2.3 twice in two. In turns the errors do not add up (Wager
    2024, sequential validation of treatment heterogeneity).

    Figures of learners that are taught by the same rows go together, so they are judged together
    (:func:`churnrisk.metrics.joint_rates`): if no order tells anything, one in forty offers has a lower end above 0.
    """
    learners = tuple(turns[0].predicted)
    batches = [
        metrics.Batch(
            turn.scores,
            np.column_stack([turn.predicted[name] for name in learners]),
            turn.customer,
            turn.weight,
        )
        for turn in turns
    ]
    found = metrics.joint_rates(batches, n_resamples=n_resamples, seed=seed).intervals()
    return {name: Judged(name, *ends) for name, ends in zip(learners, found, strict=True)}


def best_of(candidates: list[Judged]) -> Judged | None:
    """Return the learner with the highest AUTOC among those that rank; None when none does."""
    ranking = [each for each in candidates if each.ranks]
    return max(ranking, key=lambda each: each.autoc.value, default=None)


def scale_of(
    scores: Floats, predicted: Floats, customer: NDArray[Any], weight: Floats | None = None
) -> Scale:
    r"""Return the line from predictions to effects: the best linear predictor on held-out scores.

    Notes
    -----
    :math:`\Gamma = a + b (\hat\tau - \bar{\hat\tau})`, by least squares with errors clustered by customer
    (Chernozhukov, Demirer, Duflo & Fernandez-Val 2018, generic machine learning). b is kept between 0 and
    :data:`STEEPEST`. Rows count by ``weight``.
    """
    w = np.ones_like(scores) if weight is None else weight
    centre = float(np.average(predicted, weights=w))
    away = predicted - centre
    average = metrics.mean_effect(scores, weight=w, customer=customer)
    error = (average.high - average.low) / (2 * metrics.paired.Z_95)
    squares = float((w * away) @ away)
    if squares <= 0:
        return Scale(average.value, error, 0.0, 0.0, centre)
    slope = float((w * away) @ scores) / squares
    pulls = w * away * (scores - average.value - slope * away)
    _, member = np.unique(customer.astype(str), return_inverse=True)
    summed = np.bincount(member, weights=pulls)
    return Scale(
        average.value,
        error,
        float(np.clip(slope, 0.0, STEEPEST)),
        float(np.sqrt(summed @ summed)) / squares,
        centre,
    )


def groups_of(
    scores: Floats, predicted: Floats, customer: NDArray[Any], weight: Floats | None = None
) -> pl.DataFrame:
    """Return the effect measured in groups of equal size by prediction, lowest first.

    Columns: group (1 ...), n, predicted (mean), effect, low, high (95 %, doubly robust: it holds the group's true mean
    effect as often, whatever the learner). Rows count by ``weight``.
    """
    w = np.ones_like(scores) if weight is None else weight
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, min(N_GROUPS, len(order)))
    told = [
        metrics.mean_effect(scores[part], weight=w[part], customer=customer[part].astype(str))
        for part in parts
    ]
    return pl.DataFrame(
        {
            "group": np.arange(1, len(parts) + 1),
            "n": [len(part) for part in parts],
            "predicted": [float(predicted[part].mean()) for part in parts],
            "effect": [each.value for each in told],
            "low": [each.low for each in told],
            "high": [each.high for each in told],
        }
    )


def gamma_of(kept: metrics.ShareKept) -> tuple[metrics.Interval, tuple[float, float], float]:
    """Return the share of would-be leavers that an offer keeps as measured, as weighed, and whether it keeps anybody.

    Weighed with Beta(6, 14): normal prior of its mean and standard deviation, likelihood of what was measured. Last the
    probability that it is such a share and not 0, from even odds.
    """
    found = kept.believed(GAMMA_MEAN, GAMMA_SD, WORKS)
    return kept.interval(), (found.mean, found.spread), found.works


def ends(found: metrics.Interval) -> tuple[float | None, float | None, float | None]:
    """Return value and ends for JSON, None where undefined."""
    return _plain(found.value), _plain(found.low), _plain(found.high)


def _plain(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def table_of(by_learner: Mapping[Learner, Judged], chosen: Judged | None) -> pl.DataFrame:
    """Return one row per learner: its figures, and whether it was chosen."""
    return pl.DataFrame(
        [
            {
                "learner": name,
                "autoc": each.autoc.value,
                "autoc_low": each.autoc.low,
                "autoc_high": each.autoc.high,
                "qini": each.qini.value,
                "qini_low": each.qini.low,
                "qini_high": each.qini.high,
                "is_chosen": each is chosen,
            }
            for name, each in by_learner.items()
        ]
    )
