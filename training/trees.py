"""Gradient-boosted trees: one rule for their settings, fitted with the number of trees found across folds.

It knows LightGBM, and refuses to know calibration and customers. Columns are float64 only: LightGBM aborts the
process on Enum and Categorical. A table is binned once; folds and the last fit share the bins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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

TREES_AT_ONCE = 10
"""Trees that every fold grows before the folds are compared: so many more than needed at most."""


def threads_for(n_cells: int, wanted: int | None) -> int:
    """Return how many threads learn from a table of so many cells."""
    return 1 if n_cells <= SMALL_TABLE else wanted or os.cpu_count() or 1


def laid_out(settings: Mapping[str, Any], n_cells: int) -> dict[str, Any]:
    """Return the settings with the order in which LightGBM reads a table of so many cells, whatever the machine.

    By column from `SMALL_TABLE` on: a third less work than by row at 300,000 rows of 171 columns. The sums of a leaf
    are then added in another order, so scores differ in their last digits.
    """
    order = "force_row_wise" if n_cells <= SMALL_TABLE else "force_col_wise"
    return {**settings, order: True}


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
    settings = laid_out(settings, encoded.size)
    data = _dataset(encoded, left, weight, features, settings)
    n_trees, score = _searched(data, encoded, folds, settings)
    booster = _boosted(data, settings, n_trees)
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    return TreesFit(
        learner=Trees(booster.model_to_string()),
        out_of_fold_score=score,
        n_trees=n_trees,
        importance=gain / gain.sum() if gain.sum() > 0 else gain,
        settings=settings,
    )


def _searched(
    data: lightgbm.Dataset, encoded: Floats, folds: Folds, settings: Mapping[str, Any]
) -> tuple[int, Floats]:
    """Return the number of trees with the best mean log loss over folds, and the score of rows by models without them.

    What `lightgbm.cv` finds, with the binned table shared by all folds and the folds learned side by side: one thread
    for each costs less than all threads for one, which wait for each other at every leaf.
    """
    alone = {**settings, "num_threads": 1}
    held = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    search = [_FoldModel(data, np.flatnonzero(folds != folds[asked[0]]), asked, alone) for asked in held]
    grown: list[Floats] = []
    with ThreadPoolExecutor(max_workers=settings["num_threads"], initializer=_quieted) as pool:
        n_trees, is_found = 0, False
        while not is_found and len(grown) * TREES_AT_ONCE < MOST_TREES:
            grown.append(np.array(list(pool.map(lambda model: model.grown(TREES_AT_ONCE), search))))
            n_trees, is_found = best_number(np.concatenate(grown, axis=1).mean(axis=0))
    score = np.empty(len(folds))
    for asked, model in zip(held, search, strict=True):
        score[asked] = model.score(encoded[asked], n_trees)
    return n_trees, score


def _quieted() -> None:
    """Make LightGBM say nothing in this thread: each has a level of its own, which the making of a table sets."""
    import lightgbm as lgb

    lgb.Dataset(np.eye(2), params={"verbosity": -1, "num_threads": 1}).construct()


def best_number(loss: Floats) -> tuple[int, bool]:
    """Return the number of trees with the smallest loss, the first of equals, and whether patience ended there.

    >>> best_number(np.array([0.5, 0.4, 0.45]))
    (2, False)
    """
    best = 0
    for tree in range(1, len(loss)):
        if loss[tree] < loss[best]:
            best = tree
        elif tree - best >= PATIENCE:
            return best + 1, True
    return best + 1, False


class _FoldModel:
    """Trees grown on some rows of a binned table, with their loss on the others; it copies bins, not numbers."""

    def __init__(
        self,
        data: lightgbm.Dataset,
        taught: NDArray[np.intp],
        asked: NDArray[np.intp],
        settings: Mapping[str, Any],
    ) -> None:
        import lightgbm as lgb

        plain = dict(settings)
        self._booster = lgb.Booster(plain, data.subset(taught.tolist(), params=plain))
        self._booster.add_valid(data.subset(asked.tolist(), params=plain), "asked")

    def grown(self, n_trees: int) -> Floats:
        """Grow so many more trees; return the log loss on the other rows after each."""
        loss = np.empty(n_trees)
        for tree in range(n_trees):
            self._booster.update()
            ((_, _, loss[tree], *_),) = self._booster.eval_valid()
        return loss

    def score(self, encoded: Floats, n_trees: int) -> Floats:
        """Return the log-odds by the first so many trees."""
        found = self._booster.predict(encoded, raw_score=True, num_iteration=n_trees)
        return np.asarray(found, dtype=np.float64)


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
    settings = laid_out(settings, encoded.size)
    booster = _boosted(_dataset(encoded, left, weight, features, settings), settings, n_trees)
    return Trees(booster.model_to_string())


def _boosted(data: lightgbm.Dataset, settings: Mapping[str, Any], n_trees: int) -> lightgbm.Booster:
    import lightgbm as lgb

    return lgb.train(dict(settings), data, num_boost_round=n_trees)


def _dataset(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
) -> lightgbm.Dataset:
    import lightgbm as lgb

    data = lgb.Dataset(
        encoded,
        label=left,
        weight=weight,
        feature_name=[f"f{position}" for position in range(len(features))],
        categorical_feature=[
            position for position, feature in enumerate(features) if feature.kind == "category"
        ],
        params=dict(settings),
    )
    return data.construct()
