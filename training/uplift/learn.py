"""From past treatments to the effect of every offer: learned where it can be shown, else said to be assumed.

It decides which learner serves which offer and when none does, and refuses to know where the rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import Feature, matrix
from churnrisk.bundle.effects import LEARNERS, EffectModel, Learner, OfferEffect, OfferEffects

from ..folds import Folds
from ..trees import threads_for
from .judging import Judged, Turn, best_of, ends, gamma_of, groups_of, judged, scale_of, table_of
from .learners import learned
from .nuisance import Nuisance, nuisance_of
from .rows import UpliftRows

Floats = NDArray[np.float64]

FEWEST_ROWS = 200
"""Treated, and controls, from whom an effect is measured (judgement)."""

FEWEST_LEAVERS = 25
"""Leavers among the treated and the controls together from whom an effect is measured (judgement)."""


@dataclass(frozen=True)
class UpliftSettings:
    """What learning needs to know from outside."""

    seed: int = 0
    n_folds: int = 5
    n_resamples: int = 300
    threads: int | None = None
    learners: tuple[Learner, ...] = LEARNERS
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeldOut:
    """What learners say of rows they did not learn from."""

    nuisance: Nuisance
    scores: Floats
    """Doubly robust, shape (n, arms - 1)."""
    predicted: Mapping[tuple[Learner, int], Floats]
    """By learner and arm, shape (n,): cross-fitted, by models taught by all other folds."""
    turns: tuple[NDArray[np.bool_], ...] = ()
    """The rows of each fold but the first."""
    in_turn: Mapping[tuple[Learner, int], tuple[Floats, ...]] = field(default_factory=dict)
    """By learner and arm: of the rows of each turn, by models taught by the folds before it alone."""


@dataclass(frozen=True)
class LearnedEffects:
    """The effects to serve, and what was found on the way."""

    effects: OfferEffects
    learners: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """By offer: AUTOC and QINI of every learner with their intervals."""
    groups: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """By offer that is measured: effects of groups by prediction, with intervals."""
    held_out: HeldOut | None = None


def learned_effects(
    rows: UpliftRows, settings: UpliftSettings | None = None, *, window_days: int = 0, as_of: str = ""
) -> LearnedEffects:
    """Return the effect of every offer in the rows against being left without.

    Parameters
    ----------
    rows : treatments with known outcomes; recorded propensities are honoured, missing ones estimated and labelled so.
    settings : folds, seeds, learners.
    window_days, as_of : noted in what is saved.

    Returns
    -------
    LearnedEffects
        For each offer one of three verdicts. ``measured``: a learner's ranking holds on rows it did not see
        (interval of AUTOC or QINI above 0). ``average``: enough rows and no such ranking; gamma x risk with gamma
        weighed from Beta(6, 14) and the average measured. ``assumed``: too few rows; gamma x risk with gamma ~
        Beta(6, 14).

    Raises
    ------
    ModelUnfit
        No feature is worth learning from.

    Notes
    -----
    Cross-fitted by customer: every prediction that judges was made without the customer's rows.
    """
    settings = settings or UpliftSettings()
    few = {arm: _too_few(rows, arm) for arm in range(1, rows.n_arms)}
    rich = [arm for arm, reason in few.items() if not reason]
    if not rich:
        offers = [_assumed(rows, arm, reason) for arm, reason in few.items()]
        return LearnedEffects(OfferEffects((), tuple(offers), window_days, as_of))
    features = rows.features(settings.leave_out)
    encoded = matrix(rows.frame, features)
    held = held_out(rows, encoded, features, rich, settings)
    told = {arm: _judged(rows, arm, held, settings) for arm in rich}
    wanted = [(best.learner, arm) for arm, (_, best) in told.items() if best is not None]
    run = {"threads": threads_for(encoded.size, settings.threads), "seed": settings.seed}
    models = learned(rows, encoded, features, wanted, **run) if wanted else {}
    offers, groups, tables = [], {}, {}
    for arm, reason in few.items():
        if reason:
            offers.append(_assumed(rows, arm, reason))
            continue
        by_learner, best = told[arm]
        tables[rows.arms[arm]] = table_of(by_learner, best)
        if best is None:
            offers.append(_averaged(rows, arm, held, by_learner))
            continue
        offers.append(_measured(rows, arm, held, best, models[best.learner, arm]))
        predicted = held.predicted[best.learner, arm]
        groups[rows.arms[arm]] = groups_of(held.scores[:, arm - 1], predicted, rows.customer)
    used = features if wanted else ()
    return LearnedEffects(OfferEffects(used, tuple(offers), window_days, as_of), tables, groups, held)


def held_out(
    rows: UpliftRows,
    encoded: Floats,
    features: Sequence[Feature],
    arms: Sequence[int],
    settings: UpliftSettings,
) -> HeldOut:
    """Return what every learner says of rows it did not see, and the scores to judge by."""
    folds: Folds = rows.folds(settings.n_folds, f"uplift-{settings.seed}")
    run = {"threads": threads_for(encoded.size, settings.threads), "seed": settings.seed}
    nuisance = nuisance_of(rows, encoded, features, folds, **run)
    wanted = [(learner, arm) for learner in settings.learners for arm in arms]
    predicted = {key: np.empty(len(rows.arm)) for key in wanted}
    for fold in np.unique(folds):
        here, others = folds == fold, folds != fold
        models = learned(rows.where(others), encoded[others], features, wanted, **run)
        for key, model in models.items():
            predicted[key][here] = model.raw(encoded[here])
    turns = tuple(folds == fold for fold in np.unique(folds)[1:])
    in_turn: dict[tuple[Learner, int], tuple[Floats, ...]] = dict.fromkeys(wanted, ())
    for fold, here in zip(np.unique(folds)[1:], turns, strict=True):
        before = folds < fold
        models = learned(rows.where(before), encoded[before], features, wanted, **run)
        for key, model in models.items():
            in_turn[key] += (model.raw(encoded[here]),)
    return HeldOut(nuisance, nuisance.scores(rows), predicted, turns, in_turn)


def _judged(
    rows: UpliftRows, arm: int, held: HeldOut, settings: UpliftSettings
) -> tuple[dict[Learner, Judged], Judged | None]:
    scores, customer = held.scores[:, arm - 1], rows.customer.astype(str)
    found = {}
    for learner in settings.learners:
        turns = [
            Turn(scores[here], predicted, customer[here])
            for here, predicted in zip(held.turns, held.in_turn[learner, arm], strict=True)
        ]
        found[learner] = judged(learner, turns, n_resamples=settings.n_resamples, seed=settings.seed)
    return found, best_of(list(found.values()))


def _too_few(rows: UpliftRows, arm: int) -> str:
    """Say what is missing before the effect of an arm can be measured; empty when nothing is."""
    n_treated, n_control = rows.n_in(arm), rows.n_in(0)
    n_leavers = rows.leavers_in(arm) + rows.leavers_in(0)
    if n_treated >= FEWEST_ROWS and n_control >= FEWEST_ROWS and n_leavers >= FEWEST_LEAVERS:
        return ""
    return (
        f"{n_treated:,} treated and {n_control:,} controls of whom {n_leavers:,} left; it takes {FEWEST_ROWS} of each "
        f"and {FEWEST_LEAVERS} leavers"
    )


def _counts(rows: UpliftRows, arm: int) -> dict[str, Any]:
    taken = np.full(len(rows.arm), np.nan) if rows.taken is None else rows.taken
    answers = taken[(rows.arm == arm) & ~np.isnan(taken)]
    return {
        "n_treated": rows.n_in(arm),
        "n_control": rows.n_in(0),
        "n_leavers": rows.leavers_in(arm) + rows.leavers_in(0),
        "n_taken": int(answers.sum()),
        "n_answered": len(answers),
    }


def _assumed(rows: UpliftRows, arm: int, reason: str) -> OfferEffect:
    return OfferEffect(rows.arms[arm], "assumed", reason, **_counts(rows, arm))


def _averaged(rows: UpliftRows, arm: int, held: HeldOut, by_learner: Mapping[Learner, Judged]) -> OfferEffect:
    scores = held.scores[:, arm - 1]
    best = max(by_learner.values(), key=lambda each: each.autoc.value)
    measured, gamma = gamma_of(scores, 1 - held.nuisance.expected[:, 0], rows.customer.astype(str))
    average = metrics.mean_effect(scores, customer=rows.customer.astype(str))
    return OfferEffect(
        rows.arms[arm],
        "average",
        "no learner's order of customers by effect holds on rows it did not see: the interval of AUTOC covers 0",
        **_counts(rows, arm),
        propensity=held.nuisance.source,
        gamma=gamma,
        figures={
            "average": ends(average), "gamma": ends(measured), "autoc": ends(best.autoc), "qini": ends(best.qini),
        },
    )  # fmt: skip


def _measured(rows: UpliftRows, arm: int, held: HeldOut, best: Judged, model: EffectModel) -> OfferEffect:
    scores, customer = held.scores[:, arm - 1], rows.customer.astype(str)
    measured, gamma = gamma_of(scores, 1 - held.nuisance.expected[:, 0], customer)
    average = metrics.mean_effect(scores, customer=customer)
    return OfferEffect(
        rows.arms[arm],
        "measured",
        f"{best.learner.upper()}-learner: its order of customers by effect holds on rows it did not see",
        **_counts(rows, arm),
        propensity=held.nuisance.source,
        gamma=gamma,
        scale=scale_of(scores, held.predicted[best.learner, arm], rows.customer),
        model=model,
        figures={
            "average": ends(average), "gamma": ends(measured), "autoc": ends(best.autoc), "qini": ends(best.qini),
        },
    )  # fmt: skip
