"""What is needed to judge an effect and is not the effect: who stays in which arm, and who was given what.

Both are cross-fitted: nobody's own outcome is in the expectation that it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from churnrisk import metrics
from churnrisk.bundle import Feature, Trees

from ..folds import Folds
from .boosting import boosted, outcome_settings
from .rows import UpliftRows

Floats = NDArray[np.float64]

LEAST_PROPENSITY = 0.01
"""Propensities below are raised to it: one row must not stand for more than a hundred (judgement)."""

RECORDED, ESTIMATED, PARTLY = "recorded", "estimated", "partly estimated"

BY_LOT = "by lot"
"""Where controls of the same offer are compared: the lot that parts alike customers is all that weighs."""


@dataclass(frozen=True)
class Nuisance:
    """Of each row, by models that did not see its customer: shape (n, arms)."""

    expected: Floats
    """Probability of staying in each arm."""
    propensity: Floats
    """Probability of each arm. Of what was given the recorded one, where there is one; the others only matter to
    whoever compares rules."""
    source: str

    def scores(self, rows: UpliftRows) -> Floats:
        """Return doubly robust scores, shape (n, arms - 1)."""
        return metrics.aipw_scores(rows.stayed, rows.arm, self.expected, self.propensity)


def outcome_trees(
    rows: UpliftRows, encoded: Floats, features: Sequence[Feature], *, threads: int, seed: int
) -> Trees:
    """Return trees for who stays, with the place of the arm as last column."""
    with_arm = np.column_stack((encoded, rows.arm.astype(np.float64)))
    return boosted(with_arm, rows.stayed, features, outcome_settings(len(encoded), threads, seed))


def expected_in(trees: Trees, encoded: Floats, arm: int) -> Floats:
    """Return the probability of staying in an arm."""
    return np.asarray(expit(trees.score(np.column_stack((encoded, np.full(len(encoded), float(arm)))))))


def nuisance_of(
    rows: UpliftRows, encoded: Floats, features: Sequence[Feature], folds: Folds, *, threads: int, seed: int
) -> Nuisance:
    """Return the cross-fitted nuisances; recorded propensities are kept as they are."""
    n, n_arms = len(rows.arm), rows.n_arms
    expected = np.empty((n, n_arms))
    known = ~np.isnan(rows.propensity)
    is_estimated = not known.all()
    propensity = np.full((n, n_arms), np.nan)
    for fold in np.unique(folds):
        here, others = folds == fold, folds != fold
        taught = rows.where(others)
        trees = outcome_trees(taught, encoded[others], features, threads=threads, seed=seed)
        for arm in range(n_arms):
            expected[here, arm] = expected_in(trees, encoded[here], arm)
        if is_estimated:
            propensity[here] = _assigned(taught, encoded[others], encoded[here], features, (threads, seed))
    if not is_estimated:
        shares = np.bincount(rows.arm, minlength=n_arms) / n
        propensity[:] = shares
    each = np.arange(n)
    propensity[each[known], rows.arm[known]] = rows.propensity[known]
    source = RECORDED if known.all() else PARTLY if known.any() else ESTIMATED
    return Nuisance(expected, np.maximum(propensity, LEAST_PROPENSITY), source)


def _assigned(
    taught: UpliftRows, encoded: Floats, asked: Floats, features: Sequence[Feature], run: tuple[int, int]
) -> Floats:
    """Return the probability of each arm for the rows asked, from who was given what."""
    threads, seed = run
    by_arm = np.empty((len(asked), taught.n_arms))
    settings = {**outcome_settings(len(encoded), threads, seed), "num_leaves": 8, "n_trees": 80}
    for arm in range(taught.n_arms):
        given = (taught.arm == arm).astype(np.float64)
        by_arm[:, arm] = (
            expit(boosted(encoded, given, features, settings).score(asked)) if given.any() else 0.0
        )
    return np.asarray(by_arm / by_arm.sum(axis=1, keepdims=True))
