"""Who answers at all: the chance of an answer by what is known of a customer, and the weight of those who gave one.

Non-response depends on mood, so answers alone would show a happier base. It decides weights, and refuses to know what
was answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Answering as KeptAnswering
from churnrisk.bundle import Feature, matrix

from ..folds import customer_folds
from ..rows import Rows
from ..screening import screened

if TYPE_CHECKING:
    import lightgbm

Floats = NDArray[np.float64]

TRIM = 10.0
"""Weights are cut at so many times their median (science, section 7)."""

N_FOLDS = 3
ANSWERING = {
    "objective": "binary",
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "learning_rate": 0.1,
    "feature_fraction": 0.5,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
N_TREES = 30
"""Plain and smooth, since a sharp learner gives wild weights (judgement)."""


@dataclass(frozen=True, eq=False)
class Answering:
    """Who answers: one learner per fold of customers, which saw none of them; no learner where all or none answered."""

    features: tuple[Feature, ...] = ()
    learners: tuple[lightgbm.Booster, ...] = ()
    fold_of: Mapping[str, int] = field(default_factory=dict)

    def weights(self, answered: Rows) -> Floats:
        """Return one over the chance of an answer of each row, over 0, cut at 10 times the median.

        The chance comes from the learner that saw nothing of the customer; of one who was not among those learned from,
        from the mean of all.
        """
        if not self.learners:
            return np.ones(len(answered.left))
        encoded = matrix(answered.frame, self.features)
        chances = np.array([booster.predict(encoded) for booster in self.learners], dtype=np.float64)
        held = np.array([self.fold_of.get(each, -1) for each in answered.customer.astype(str).tolist()])
        own = np.take_along_axis(chances, np.maximum(held, 0)[None, :], axis=0)[0]
        return trimmed(1.0 / np.where(held >= 0, own, chances.mean(axis=0)))

    def kept(self, asked: Rows, *, response: float, n_invited: int) -> KeptAnswering:
        """Return what is kept beside the model: the mean of all learners, at the level of past invitations.

        Parameters
        ----------
        asked : rows of everybody, asked or not, as learned from.
        response : share of past invitations that were answered.
        n_invited : how many these were.
        """
        if not self.learners:
            return KeptAnswering(response, n_invited)
        encoded = matrix(asked.frame, self.features)
        mean = float(np.mean([booster.predict(encoded) for booster in self.learners]))
        texts = tuple(booster.model_to_string() for booster in self.learners)
        return KeptAnswering(response, n_invited, self.features, texts, response / mean)


def fitted_answering(asked: Rows, *, seed: int) -> Answering:
    """Learn who answers from rows with left = 1 for those who did; folds and learners are drawn by ``seed``."""
    import lightgbm as lgb

    features = screened(asked, lambda _: "").features
    if not features or np.ptp(asked.left) == 0:
        return Answering()
    folds = customer_folds(asked.customer, asked.left, N_FOLDS, salt=f"answer-{seed}")
    fold_of = dict(zip(asked.customer.astype(str).tolist(), folds.tolist(), strict=True))
    settings: dict[str, Any] = {**ANSWERING, "seed": seed}
    coded = [place for place, feature in enumerate(features) if feature.is_coded]
    encoded = matrix(asked.frame, features)
    data = lgb.Dataset(encoded, asked.left, params=settings, categorical_feature=coded).construct()
    parts = [data.subset(np.flatnonzero(folds != fold).tolist(), params=settings) for fold in range(N_FOLDS)]
    learners = tuple(lgb.train(settings, part, num_boost_round=N_TREES) for part in parts)
    return Answering(features, learners, fold_of)


def trimmed(weight: Floats) -> Floats:
    """Return weights cut at 10 times their median.

    >>> trimmed(np.array([1.0, 1.0, 50.0])).tolist()
    [1.0, 1.0, 10.0]
    """
    cut: Floats = np.minimum(weight, TRIM * float(np.median(weight)))
    return cut
