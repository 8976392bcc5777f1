"""Gradient-boosted trees: one rule for their settings, fitted with the number of trees found across folds.

It knows LightGBM, and refuses to know calibration and customers. Columns are float64 only: LightGBM aborts the
process on Enum and Categorical. A table is binned once; folds and the last fit share the bins.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Feature, Trees

from .folds import Folds
from .objectives import Objective
from .rates import Rated

if TYPE_CHECKING:
    import lightgbm

Floats = NDArray[np.float64]

Watch = Callable[[int, float], None]
"""Told the trees so far and the least mean loss over folds; raises to end the search."""

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
    rated: Sequence[Rated] = (),
    objective: Objective | None = None,
    crossed: Crossed | None = None,
) -> TreesFit:
    """Return the trees fitted on all rows, their number being the best of the mean log loss over ``folds``.

    ``crossed`` is what :func:`crossed_trees` found with the same settings, where that is known already.
    """
    settings = laid_out(settings, encoded.size)
    data = _dataset(encoded, left, weight, features, settings, objective)
    if crossed is None:
        shared = None if rated else data
        crossed = crossed_trees(
            encoded, left, weight, features=features, folds=folds, settings=settings, rated=rated,
            objective=objective, data=shared,
        )  # fmt: skip
    booster = _boosted(data, settings, crossed.n_trees, objective)
    gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
    return TreesFit(
        learner=Trees(booster.model_to_string()),
        out_of_fold_score=crossed.score,
        n_trees=crossed.n_trees,
        importance=gain / gain.sum() if gain.sum() > 0 else gain,
        settings=settings,
    )


@dataclass(frozen=True)
class Crossed:
    """What trees grown on all folds but one say of the rows of that one."""

    score: Floats
    n_trees: int
    """Trees at which the mean over folds of the held-out loss is least."""
    loss: float
    """That mean: log loss, or 1 - AUC where a user's own objective leaves scores without a link to probability."""


def crossed_trees(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    *,
    features: Sequence[Feature],
    folds: Folds,
    settings: Mapping[str, Any],
    rated: Sequence[Rated] = (),
    objective: Objective | None = None,
    watch: Watch | None = None,
    data: lightgbm.Dataset | None = None,
) -> Crossed:
    """Return the number of trees with the best mean loss over folds, and the score of rows by models without them.

    What `lightgbm.cv` finds, with the binned table shared by all folds and the folds learned side by side: one thread
    for each costs less than all threads for one, which wait for each other at every leaf. Rated texts (``rated``)
    differ by the fold that is held out, so each fold then has a table of its own.
    """
    settings = laid_out(settings, encoded.size)
    alone = {**settings, "num_threads": 1}
    shared = data or _dataset(encoded, left, weight, features, settings, objective)
    held = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    search: list[_FoldModel] = []
    asked_rows: list[Floats] = []
    for asked in held:
        if rated:
            hidden = _without(encoded, rated, folds, int(folds[asked[0]]))
            shared = _dataset(hidden, left, weight, features, settings, objective)
            asked_rows.append(hidden[asked])
        taught = np.flatnonzero(folds != folds[asked[0]])
        search.append(_FoldModel(shared, taught, asked, alone, objective))
    grown: list[Floats] = []
    with ThreadPoolExecutor(max_workers=settings["num_threads"], initializer=_quieted) as pool:
        n_trees, is_found, loss = 0, False, np.empty(0)
        while not is_found and len(grown) * TREES_AT_ONCE < MOST_TREES:
            grown.append(np.array(list(pool.map(lambda model: model.grown(TREES_AT_ONCE), search))))
            loss = np.concatenate(grown, axis=1).mean(axis=0)
            n_trees, is_found = best_number(loss)
            if watch is not None:
                watch(len(loss), float(loss[n_trees - 1]))
    score = np.empty(len(folds))
    for place, (asked, model) in enumerate(zip(held, search, strict=True)):
        score[asked] = model.score(asked_rows[place] if asked_rows else encoded[asked], n_trees)
    return Crossed(score, n_trees, float(loss[n_trees - 1]))


def _without(encoded: Floats, rated: Sequence[Rated], folds: Folds, fold: int) -> Floats:
    """Return the numbers as if nobody of ``fold`` had been seen."""
    hidden = encoded.copy()
    for column in rated:
        hidden[:, column.position] = column.values(folds, fold)
    return hidden


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
        objective: Objective | None,
    ) -> None:
        import lightgbm as lgb

        plain = _parameters(settings, objective)
        self._booster = lgb.Booster(plain, data.subset(taught.tolist(), params=plain))
        self._booster.add_valid(data.subset(asked.tolist(), params=plain), "asked")
        self._gradients = None if objective is None else _gradients(objective)
        self._start = 0.0 if objective is None else _start_of(data)

    def grown(self, n_trees: int) -> Floats:
        """Grow so many more trees; return the loss on the other rows after each."""
        loss = np.empty(n_trees)
        for tree in range(n_trees):
            self._booster.update(fobj=self._gradients)
            (found,) = self._booster.eval_valid()
            value, is_gain = float(found[2]), bool(found[3])
            loss[tree] = 1 - value if is_gain else value
        return loss

    def score(self, encoded: Floats, n_trees: int) -> Floats:
        """Return the log-odds by the first so many trees."""
        found = self._booster.predict(encoded, raw_score=True, num_iteration=n_trees)
        return np.asarray(found, dtype=np.float64) + self._start


def refitted_trees(
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    *,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
    n_trees: int,
    objective: Objective | None = None,
) -> Trees:
    """Return as many trees as were found elsewhere; no search over folds, so a sixth of the cost of a fit."""
    settings = laid_out(settings, encoded.size)
    data = _dataset(encoded, left, weight, features, settings, objective)
    return Trees(_boosted(data, settings, n_trees, objective).model_to_string())


def _boosted(
    data: lightgbm.Dataset, settings: Mapping[str, Any], n_trees: int, objective: Objective | None
) -> lightgbm.Booster:
    import lightgbm as lgb

    if objective is None:
        return lgb.train(dict(settings), data, num_boost_round=n_trees)
    booster = lgb.Booster(_parameters(settings, objective), data)
    gradients = _gradients(objective)
    for _ in range(n_trees):
        booster.update(fobj=gradients)
    # the text of a model has no starting score: as LightGBM does for its own objectives, the first tree carries it
    start = _start_of(data)
    first = booster.dump_model(num_iteration=1)["tree_info"][0]
    for leaf in range(first["num_leaves"]):
        booster.set_leaf_output(0, leaf, booster.get_leaf_output(0, leaf) + start)
    return booster


def _start_of(data: lightgbm.Dataset) -> float:
    return float(np.asarray(data.get_init_score())[0])


def _parameters(settings: Mapping[str, Any], objective: Objective | None) -> dict[str, Any]:
    return dict(settings) if objective is None else {**settings, "objective": "none", "metric": "auc"}


def _gradients(objective: Objective) -> Callable[[Floats, lightgbm.Dataset], tuple[Floats, Floats]]:
    """Return the objective as LightGBM calls it."""

    def of(score: Floats, data: lightgbm.Dataset) -> tuple[Floats, Floats]:
        weight = data.get_weight()
        left = np.asarray(data.get_label(), dtype=np.float64)
        return objective.gradients(score, left, None if weight is None else np.asarray(weight))

    return of


def _dataset(  # noqa: PLR0917 - as LightGBM's own
    encoded: Floats,
    left: Floats,
    weight: Floats | None,
    features: Sequence[Feature],
    settings: Mapping[str, Any],
    objective: Objective | None,
) -> lightgbm.Dataset:
    import lightgbm as lgb

    start = None
    if objective is not None:
        rate = float(np.average(left, weights=weight))
        start = np.full(len(left), np.log(rate) - np.log1p(-rate))
    data = lgb.Dataset(
        encoded,
        label=left,
        weight=weight,
        init_score=start,
        feature_name=[f"f{position}" for position in range(len(features))],
        categorical_feature=[position for position, feature in enumerate(features) if feature.is_coded],
        params=_parameters(settings, objective),
    )
    return data.construct()
