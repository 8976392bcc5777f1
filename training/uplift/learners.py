"""Four ways from rows to an effect per customer, and their mean; each refuses to know how it is judged.

S: one model of staying with the arm as a feature. T: one per arm. X: what is left of each arm's outcomes after the
other arm's model, learned and mixed (Kunzel, Sekhon, Bickel & Yu 2019, PNAS 116). DR: doubly robust scores, made of
other rows' models, learned (Kennedy 2023, Electronic Journal of Statistics 17), here as shares of the risk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from churnrisk.bundle import Feature, Trees
from churnrisk.bundle.effects import EffectModel, Learner

from .boosting import boosted, effect_settings, outcome_settings
from .nuisance import nuisance_of, outcome_trees
from .rows import UpliftRows

Floats = NDArray[np.float64]

SCORE_CUT = 0.999
"""Doubly robust scores beyond this quantile of their size are cut before they are learned from, never where they judge
(judgement: one customer in a rare arm must not make a leaf)."""

INNER_FOLDS = 2

LEAST_SIZE = 1e-9
"""Predictions that vary by less than this are of one size: what is left is rounding."""

LEAST_RISK = 0.005
"""Smaller risks count as this one where a score is divided by it (judgement)."""


def learned(
    rows: UpliftRows,
    encoded: Floats,
    features: Sequence[Feature],
    wanted: Sequence[tuple[Learner, int]],
    *,
    threads: int,
    seed: int,
) -> dict[tuple[Learner, int], EffectModel]:
    """Return a model for every wanted learner and arm, taught by all of the rows; what they share is fitted once."""
    made: dict[tuple[Learner, int], EffectModel] = {}
    kinds = {learner for learner, _ in wanted}
    if kinds & {"s", "dr"}:
        outcome = outcome_trees(rows, encoded, features, threads=threads, seed=seed)
    by_arm = {}
    if kinds & {"t", "x"}:
        arms = {0, *(arm for learner, arm in wanted if learner in {"t", "x"})}
        for arm in arms:
            in_arm = rows.arm == arm
            settings = outcome_settings(int(in_arm.sum()), threads, seed)
            by_arm[arm] = boosted(encoded[in_arm], rows.stayed[in_arm], features, settings)
    scores, risk = np.empty((0, 0)), np.empty(0)
    if "dr" in kinds:
        inner = rows.folds(INNER_FOLDS, f"inner-{seed}")
        nuisance = nuisance_of(rows, encoded, features, inner, threads=threads, seed=seed)
        scores, risk = nuisance.scores(rows), 1 - nuisance.expected[:, 0]
    for learner, arm in wanted:
        if learner == "s":
            made[learner, arm] = EffectModel("s", {"outcome": outcome}, arm)
        elif learner == "t":
            made[learner, arm] = EffectModel("t", {"treated": by_arm[arm], "control": by_arm[0]}, arm)
        elif learner == "x":
            made[learner, arm] = _x(rows, encoded, features, arm, (by_arm, threads, seed))
        else:
            share = _share(
                scores[:, arm - 1], risk, encoded, features, effect_settings(len(risk), threads, seed)
            )
            made[learner, arm] = EffectModel("dr", {"share": share, "outcome": outcome}, arm)
    return made


def combined(
    models: Mapping[Learner, EffectModel], predicted: Mapping[Learner, Floats]
) -> tuple[EffectModel, Floats]:
    """Return the mean of several learners for one arm, and its predictions; of one learner that one.

    Parameters
    ----------
    models : by learner, taught by the same rows.
    predicted : by learner, shape (m,): what it says of rows that it did not see.

    Notes
    -----
    Each is divided by the standard deviation of its predictions, so that none outweighs the others by exaggerating;
    one that tells all customers alike has no say.
    """
    sizes = {name: size for name, each in predicted.items() if (size := float(each.std())) > LEAST_SIZE}
    if len(sizes) <= 1:
        (name,) = sizes or list(predicted)[:1]
        return models[name], predicted[name]
    parts = {role: trees for name in sizes for role, trees in models[name].parts.items()}
    first = next(iter(models.values()))
    share = models["x"].share if "x" in sizes else first.share
    told = np.mean([predicted[name] / size for name, size in sizes.items()], axis=0)
    return EffectModel("all", parts, first.place, share, sizes), np.asarray(told)


def _x(
    rows: UpliftRows,
    encoded: Floats,
    features: Sequence[Feature],
    arm: int,
    run: tuple[dict[int, Trees], int, int],
) -> EffectModel:
    by_arm, threads, seed = run
    treated, control = rows.arm == arm, rows.arm == 0
    without = expit(by_arm[0].score(encoded[treated]))
    with_it = expit(by_arm[arm].score(encoded[control]))
    won = {
        "among_treated": (encoded[treated], rows.stayed[treated] - without),
        "among_control": (encoded[control], with_it - rows.stayed[control]),
    }
    parts = {
        name: boosted(inputs, target, features, effect_settings(len(target), threads, seed))
        for name, (inputs, target) in won.items()
    }
    return EffectModel("x", parts, arm, float(treated.sum() / (treated.sum() + control.sum())))


def _share(
    scores: Floats, risk: Floats, encoded: Floats, features: Sequence[Feature], settings: dict[str, Any]
) -> Trees:
    """Return trees for the share of would-be leavers that the offer keeps: score / risk, weighted by the risk.

    An outcome varies as the risk does, so this weight is near the best there is; and an offer can keep only who would
    leave, so the share varies less between customers than the effect.
    """
    limit = float(np.quantile(np.abs(scores), SCORE_CUT))
    at_risk = np.maximum(risk, LEAST_RISK)
    return boosted(encoded, np.clip(scores, -limit, limit) / at_risk, features, settings, at_risk)
