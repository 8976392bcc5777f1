"""Gradient-boosted trees: one rule for their settings, fitted with the number of trees found across folds.

It knows LightGBM, and refuses to know calibration and customers. Columns are float64 only: LightGBM aborts the
process on Enum and Categorical.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Feature, Trees

from .folds import Folds

if TYPE_CHECKING:
    import lightgbm

Floats = NDArray[np.float64]

MOST_TREES = 2000
PATIENCE = 60
"""Trees without a better out-of-fold log loss after which the search for their number ends."""

FEW_LEAVERS = 5_000
MANY_LEAVERS = 50_000
"""Leavers at which trees grow larger (judgement; the settings below the first were measured, see settings_for)."""


@dataclass(frozen=True)
class TreesFit:
    """Trees fitted on all rows, with the scores that fold models gave the rows they did not see."""

    learner: Trees
    out_of_fold_score: Floats
    n_trees: int
    importance: Floats
    """Share of the total gain per feature, summing to 1 (0 everywhere when no split was found)."""
    settings: Mapping[str, Any]


SMALL_TABLE = 2_000_000
"""Cells of a table up to which one thread learns: more gain little there, cost much on a busy machine, and one thread
gives the same model everywhere."""


def threads_for(n_cells: int, wanted: int | None) -> int:
    """Return how many threads learn from a table of so many cells."""
    return 1 if n_cells <= SMALL_TABLE else wanted or os.cpu_count() or 1


def settings_for(n_leavers: int, *, seed: int, threads: int) -> dict[str, Any]:
    """Return LightGBM's parameters for so many leavers.

    The small size was chosen once among 22 settings by 5-fold log loss on the IBM telco and churn-5000 sets together
    (two fold seeds each); neighbours differ by less than their spread over seeds, and averaging five seeds gained
    nothing. Half the columns per tree and strong smoothing of categories mattered most on churn-5000, small trees
    (10 leaves) on IBM. Larger sizes follow LightGBM's habit and are judgement.
    """
    size: dict[str, Any] = {"num_leaves": 10, "min_data_in_leaf": 10, "learning_rate": 0.03}
    if n_leavers >= FEW_LEAVERS:
        size = {"num_leaves": 31, "min_data_in_leaf": 50, "learning_rate": 0.05}
    if n_leavers >= MANY_LEAVERS:
        size = {"num_leaves": 63, "min_data_in_leaf": 200, "learning_rate": 0.05}
    return {
        **size,
        "objective": "binary",
        "metric": "binary_logloss",
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "cat_smooth": 50.0,
        "cat_l2": 50.0,
        "max_cat_to_onehot": 8,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def fitted_trees(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    *,
    features: Sequence[Feature],
    folds: Folds,
    settings: Mapping[str, Any],
) -> TreesFit:
    """Return the trees fitted on all rows, their number being the best of the mean log loss over ``folds``."""
    import lightgbm as lgb

    data = _dataset(encoded, left, weight, features, settings)
    held = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    found = lgb.cv(
        dict(settings),
        data,
        num_boost_round=MOST_TREES,
        folds=[(np.setdiff1d(np.arange(len(left)), rows), rows) for rows in held],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )
    boosters: Any = found["cvbooster"]
    n_trees = int(boosters.best_iteration)
    score = np.empty(len(left))
    for rows, booster in zip(held, boosters.boosters, strict=True):
        score[rows] = booster.predict(encoded[rows], raw_score=True, num_iteration=n_trees)
    booster = _boosted(encoded, left, weight, features=features, settings=settings, n_trees=n_trees)
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    return TreesFit(
        learner=Trees(booster.model_to_string()),
        out_of_fold_score=score,
        n_trees=n_trees,
        importance=gain / gain.sum() if gain.sum() > 0 else gain,
        settings=settings,
    )


def refitted_trees(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    *,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
    n_trees: int,
) -> Trees:
    """Return as many trees as were found elsewhere; no search over folds, so a sixth of the cost of a fit."""
    booster = _boosted(encoded, left, weight, features=features, settings=settings, n_trees=n_trees)
    return Trees(booster.model_to_string())


def _boosted(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    *,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
    n_trees: int,
) -> lightgbm.Booster:
    import lightgbm as lgb

    data = _dataset(encoded, left, weight, features, settings)
    return lgb.train(dict(settings), data, num_boost_round=n_trees)


def _dataset(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
) -> lightgbm.Dataset:
    import lightgbm as lgb

    return lgb.Dataset(
        encoded,
        label=left,
        weight=weight,
        feature_name=[f"f{position}" for position in range(len(features))],
        categorical_feature=[
            position for position, feature in enumerate(features) if feature.kind == "category"
        ],
        params=dict(settings),
        free_raw_data=False,
    )
