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

from churnrisk.bundle import Feature, matrix
from churnrisk.bundle.effects import LEARNERS, EffectModel, Learner, OfferEffect, OfferEffects, Verdict

from ..folds import Folds
from ..trees import threads_for
from .evidence import FEWEST_ROWS, Evidence, Weighed, evidence, weighed
from .judging import Judged, Turn, best_of, ends, gamma_of, groups_of, judged, scale_of, table_of
from .learners import combined, learned
from .nuisance import BY_LOT, Nuisance, nuisance_of
from .rows import UpliftRows

Floats = NDArray[np.float64]


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
        For each offer one of three verdicts. ``measured``: a learner's ranking holds on rows it did not see (interval
        of AUTOC or QINI above 0), and the mean of all learners serves. ``average``: enough rows and no such ranking, or
        too few to ask for one; gamma x risk with gamma weighed from Beta(6, 14) and the average measured. ``assumed``:
        too few rows; gamma x risk with gamma ~ Beta(6, 14).

    Raises
    ------
    ModelUnfit
        No feature is worth learning from.

    Notes
    -----
    Cross-fitted by customer: every prediction that judges was made without the customer's rows. Learners are taught by
    all rows; what is measured, average and order, rests on the rows of :func:`.evidence.evidence`.
    """
    settings = settings or UpliftSettings()
    on = dict(enumerate(evidence(rows), start=1))
    if not any(each.is_enough for each in on.values()):
        offers = [_assumed(rows, arm, each) for arm, each in on.items()]
        return LearnedEffects(OfferEffects((), tuple(offers), window_days, as_of))
    features = rows.features(settings.leave_out)
    encoded = matrix(rows.frame, features)
    held = held_out(rows, encoded, features, [arm for arm, each in on.items() if each.can_order], settings)
    speaking = {arm: weighed(rows, arm, each, held.nuisance) for arm, each in on.items() if each.is_enough}
    told = {arm: _judged(arm, held, each, settings) for arm, each in speaking.items() if on[arm].can_order}
    wanted = [
        (learner, arm) for arm, (_, best) in told.items() if best is not None for learner in settings.learners
    ]
    run = {"threads": threads_for(encoded.size, settings.threads), "seed": settings.seed}
    models = learned(rows, encoded, features, wanted, **run) if wanted else {}
    offers, groups, tables = [], {}, {}
    for arm, each in on.items():
        if not each.is_enough:
            offers.append(_assumed(rows, arm, each))
            continue
        by_learner, best = told.get(arm, ({}, None))
        if by_learner:
            tables[rows.arms[arm]] = table_of(by_learner, best)
        own = _Own(rows, arm, each, speaking[arm], held)
        if best is None:
            offers.append(_averaged(own, by_learner))
            continue
        mine = {learner: models[learner, arm] for learner in settings.learners}
        model, predicted = combined(mine, {name: held.predicted[name, arm][own.rests.here] for name in mine})
        offers.append(_measured(own, best, model, predicted))
        groups[rows.arms[arm]] = groups_of(own.rests.scores, predicted, own.rests.customer, own.rests.weight)
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
    arm: int, held: HeldOut, rests: Weighed, settings: UpliftSettings
) -> tuple[dict[Learner, Judged], Judged | None]:
    turns = []
    for place, turn in enumerate(held.turns):
        mine, of_turn = turn[rests.here], rests.here[turn]
        predicted = {learner: held.in_turn[learner, arm][place][of_turn] for learner in settings.learners}
        turns.append(Turn(rests.scores[mine], predicted, rests.customer[mine], rests.weight[mine]))
    found = judged(turns, n_resamples=settings.n_resamples, seed=settings.seed)
    return found, best_of(list(found.values()))


@dataclass(frozen=True)
class _Own:
    """All that one offer's verdict is made of."""

    rows: UpliftRows
    arm: int
    on: Evidence
    rests: Weighed
    held: HeldOut

    def told(self, verdict: Verdict, reason: str, **further: Any) -> OfferEffect:
        measured, gamma, works = gamma_of(self.rests.kept)
        figures = {"average": ends(self.rests.average()), "gamma": ends(measured)} | further.pop(
            "figures", {}
        )
        return OfferEffect(
            self.rows.arms[self.arm],
            verdict,
            f"{reason}; {self.on.words}",
            **_counts(self.rows, self.arm, self.on),
            propensity=BY_LOT if self.on.is_same_offer else self.held.nuisance.source,
            gamma=gamma,
            works=works,
            figures=figures,
            **further,
        )


def _counts(rows: UpliftRows, arm: int, on: Evidence) -> dict[str, Any]:
    taken = np.full(len(rows.arm), np.nan) if rows.taken is None else rows.taken
    answers = taken[(rows.arm == arm) & ~np.isnan(taken)]
    n_made, n_left = on.group.counts
    return {
        "n_treated": n_made,
        "n_control": n_left,
        "n_leavers": on.n_leavers,
        "n_taken": int(answers.sum()),
        "n_answered": len(answers),
    }


def _assumed(rows: UpliftRows, arm: int, on: Evidence) -> OfferEffect:
    return OfferEffect(rows.arms[arm], "assumed", on.lacks, **_counts(rows, arm, on))


def _averaged(own: _Own, by_learner: Mapping[Learner, Judged]) -> OfferEffect:
    if not by_learner:
        why = f"too few to ask for an order of customers by effect, which takes {FEWEST_ROWS} of each"
        return own.told("average", why)
    best = max(by_learner.values(), key=lambda each: each.autoc.value)
    return own.told(
        "average",
        "no learner's order of customers by effect holds on rows it did not see: the interval of AUTOC covers 0",
        figures={"autoc": ends(best.autoc), "qini": ends(best.qini)},
    )


def _measured(own: _Own, best: Judged, model: EffectModel, predicted: Floats) -> OfferEffect:
    rests = own.rests
    names = [name.upper() for name in model.sizes]
    serves = f"; the mean of {', '.join(names)} serves" if len(names) > 1 else ""
    return own.told(
        "measured",
        f"{best.learner.upper()}-learner: its order of customers by effect holds on rows it did not see{serves}",
        scale=scale_of(rests.scores, predicted, rests.customer, rests.weight),
        model=model,
        figures={"autoc": ends(best.autoc), "qini": ends(best.qini)},
    )
