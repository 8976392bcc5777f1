"""From training rows to a calibrated model: the same steps for the model that is judged and the one that ships.

It decides the regime by the number of leavers (science, section 6) and refuses to know dates and tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import (
    LOGISTIC,
    PRIOR,
    Band,
    Bundle,
    Calibrator,
    Feature,
    Learner,
    Platt,
    Provenance,
    Segments,
    VennAbersGrid,
    matrix,
)
from churnrisk.bundle.calibrator import risk_of
from churnrisk.config import FEWEST_FOR_TREES, FEWEST_LEAVERS, REGIMES_AHEAD
from churnrisk.errors import Fault, ModelUnfit

from .folds import Folds, customer_folds
from .logistic import fitted_logistic
from .mondrian import segment_calibration
from .objectives import Objective
from .prior import fitted_prior
from .rates import coarser, designed
from .rows import Rows
from .screening import LEFT_OUT, Screened, screened
from .tasks import Task
from .trees import refitted_trees, settings_for, threads_for
from .tuning import Tuning

Floats = NDArray[np.float64]

NOT_TUNED = "not tuned: a search for settings ([training] tune_minutes) is of trees, and this is a logistic regression"
"""Told when minutes were given and there are too few leavers for trees."""

BAND_ODDS: tuple[tuple[str, float], ...] = (("watch", 1.0), ("high", 2.0), ("critical", 4.0))
"""Bands above low begin where the odds of leaving are so many times those of the average customer (judgement)."""


@dataclass(frozen=True)
class FitSettings:
    """What fitting needs to know from outside."""

    seed: int
    n_folds: int = 5
    threads: int | None = None
    group_of: Callable[[str], str] = lambda _: ""
    """Group of a feature by name (price, network ...), from the catalogue."""
    leaking: Mapping[str, str] = field(default_factory=dict)
    """Columns that must not be learned from, with what is wrong with each: found by whoever looked for leaks."""
    trees: Mapping[str, Any] = field(default_factory=dict)
    """LightGBM's parameters to use instead of the defaults: those that a search found on other rows."""
    tuning: Tuning | None = None
    """Search for better ones on the rows to be learned from; None = do not."""
    objective: Objective | None = None
    """The user's own objective for trees."""
    leave_out: frozenset[str] = frozenset()
    """Columns that the user keeps for judging alone."""
    unshared: frozenset[str] = frozenset()
    """Columns by which nothing may be told outside the workspace: left out, or chosen to compare treatment by."""
    calibrate_by: str | None = None
    """Text column whose values are calibrated each on its own rows; None = all together."""
    expected_rate: float | None = None
    """Share that the user expects to leave within an outcome window: where there are too few leavers to learn from."""
    n_leavers: int | None = None
    """Leavers by whose number a rule prior is chosen; None = those of the rows. Folds go by the number of all rows."""
    allows_prior: bool = True
    """Whether a rule prior may stand in: not where something else than leaving is learned."""


@dataclass(frozen=True)
class Fitted:
    """A fitted and calibrated model; ``out_of_fold_risk`` was given by learners that did not see the customer.

    That risk is calibrated on itself, so it serves for the look of the risks, not for figures.
    """

    features: tuple[Feature, ...]
    dropped: Mapping[str, str]
    learner: Learner
    calibrator: Calibrator
    intervals: VennAbersGrid
    regime: str
    parameters: Mapping[str, Any]
    importance: pl.DataFrame
    """feature, group, importance (share of what the model uses, sums to 1), most important first."""
    base_rate: float
    out_of_fold_risk: Floats
    """Shape (rows,), in the order of the rows fitted."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that a search found to be better than the defaults."""
    notes: tuple[str, ...] = ()
    segments: Segments | None = None
    """Calibrations of segments that have their own."""

    @property
    def is_prior(self) -> bool:
        """Whether this is a rule prior, made of too few leavers to learn from."""
        return self.parameters.get("learner") == PRIOR

    def bundle(self, bands: tuple[Band, ...], provenance: Provenance) -> Bundle:
        """Return the model as a bundle."""
        return Bundle(
            features=self.features,
            learner=self.learner,
            calibrator=self.calibrator,
            intervals=self.intervals,
            base_rate=self.base_rate,
            bands=bands,
            ignored=tuple(sorted(self.dropped)),
            segments=self.segments,
            provenance=provenance,
        )


def fitted_model(rows: Rows, settings: FitSettings) -> Fitted:
    """Return a model fitted and calibrated on ``rows``; with fewer than ten leavers a rule prior.

    Raises
    ------
    ModelUnfit
        Nobody left and no rate is expected, stayers are too few, or no column is worth learning; the message says
        what is missing.
    """
    _refuse_too_few(rows, "stayers", rows.n_stayers)
    if not settings.allows_prior:
        _refuse_too_few(rows, "leavers", rows.n_leavers)
    if is_prior(rows, settings):
        return _of_prior(rows, settings)
    found = screened(rows, settings.group_of, leaking=settings.leaking, left_out=settings.leave_out)
    if not found.features:
        raise ModelUnfit(_nothing_to_learn(found))
    folds = _folds(rows, settings)
    learned = _learned(rows, found.features, folds, settings)
    calibration = segment_calibration(
        learned.score, rows, folds, by=settings.calibrate_by, features=learned.features
    )
    of_all = calibration.of_all
    return Fitted(
        features=learned.features,
        dropped=found.dropped,
        learner=learned.learner,
        calibrator=of_all.calibrator,
        intervals=of_all.intervals,
        regime=f"{learned.regime}; calibrated by {of_all.rule}",
        parameters={**learned.parameters, "calibrator": of_all.calibrator.kind},
        importance=_importance(found.features, learned.importance),
        base_rate=rows.base_rate,
        out_of_fold_risk=calibration.by_row(rows.frame).risk(learned.score),
        chosen=learned.chosen,
        notes=(*learned.notes, *calibration.notes),
        segments=calibration.segments,
    )


def is_prior(rows: Rows, settings: FitSettings) -> bool:
    """Say whether leavers are too few to learn from, so that a rule prior stands in."""
    return (rows.n_leavers if settings.n_leavers is None else settings.n_leavers) < FEWEST_LEAVERS


def _of_prior(rows: Rows, settings: FitSettings) -> Fitted:
    made = fitted_prior(
        rows,
        expected_rate=settings.expected_rate,
        group_of=settings.group_of,
        left_out={*settings.leave_out, *settings.leaking},
        next_regimes=REGIMES_AHEAD,
    )
    calibrator = Platt(1.0, 0.0)
    return Fitted(
        features=made.features,
        dropped={**made.dropped, **{name: LEFT_OUT for name in made.dropped if name in settings.leave_out}},
        learner=made.learner,
        calibrator=calibrator,
        intervals=made.intervals,
        regime=made.regime,
        parameters=made.parameters,
        importance=_importance(made.features, made.importance),
        base_rate=made.base_rate,
        out_of_fold_risk=risk_of(calibrator, made.learner.score(matrix(rows.frame, made.features))),
        notes=made.notes,
    )


def score_without(
    names: Sequence[str], learned: Rows, tested: Rows, *, like: Fitted, settings: FitSettings
) -> Floats:
    """Return the score (log-odds, for ranking only) of ``tested`` by the same learner without some columns.

    ``like`` is the model with them: trees take their number and settings from it, so that one fit serves where a whole
    model would take a search over folds.
    """
    rows, others = learned.without(names), tested.without(names)
    if like.parameters.get("learner") != "lightgbm":
        fitted = fitted_model(rows, settings)
        return fitted.bundle((), Provenance()).raw_score(others.frame)
    found = screened(rows, settings.group_of, leaking=settings.leaking, left_out=settings.leave_out)
    if not found.features:
        return np.zeros(len(others.left))
    design = designed(rows, found.features, _folds(rows, settings))
    trees = refitted_trees(
        design.encoded,
        rows.left,
        rows.weight if rows.is_weighted else None,
        features=design.features,
        settings={**_tree_settings(rows, design.encoded.size, settings), **like.chosen},
        n_trees=int(like.parameters["n_trees"]),
        objective=settings.objective,
    )
    return trees.score(matrix(others.frame, design.features))


def _folds(rows: Rows, settings: FitSettings) -> Folds:
    return customer_folds(rows.customer, rows.left, settings.n_folds, salt=f"fit-{settings.seed}")


@dataclass(frozen=True)
class _Learned:
    features: tuple[Feature, ...]
    learner: Learner
    score: Floats
    importance: Floats
    regime: str
    parameters: Mapping[str, Any]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _learned(rows: Rows, features: tuple[Feature, ...], folds: Folds, settings: FitSettings) -> _Learned:
    if rows.n_rarer < FEWEST_FOR_TREES:
        learned = _learned_logistic(rows, coarser(features), folds)
        return learned if settings.tuning is None else replace(learned, notes=(NOT_TUNED,))
    design = designed(rows, features, folds)
    task = Task(rows, features, design, folds, settings.objective)
    chosen = _tree_settings(rows, design.encoded.size, settings)
    tuned = task.tuned(chosen, settings.tuning, settings.seed) if settings.tuning else None
    trees = task.fitted(chosen if tuned is None else tuned.settings, None if tuned is None else tuned.crossed)
    # threads are the machine's affair: they must not make two equal models look different
    recorded = {
        name: value for name, value in trees.settings.items() if name not in {"num_threads", "verbosity"}
    }
    parameters = {"learner": "lightgbm", "n_trees": trees.n_trees, **recorded}
    if settings.objective is not None:
        parameters |= {"objective": settings.objective.name, "objective_source": settings.objective.source}
    return _Learned(
        design.features,
        trees.learner,
        trees.out_of_fold_score,
        trees.importance,
        regime=f"boosted trees: {rows.n_leavers} leavers",
        parameters=parameters if tuned is None else {**parameters, **tuned.parameters},
        chosen=settings.trees if tuned is None else tuned.chosen,
        notes=() if tuned is None else (tuned.sentence,),
    )


def _tree_settings(rows: Rows, n_cells: int, settings: FitSettings) -> dict[str, Any]:
    threads = threads_for(n_cells, settings.threads)
    return {**settings_for(rows.n_rarer, seed=settings.seed, threads=threads), **settings.trees}


def _learned_logistic(rows: Rows, features: tuple[Feature, ...], folds: Folds) -> _Learned:
    encoded = matrix(rows.frame, features)
    logistic = fitted_logistic(encoded, rows.left, rows.weight, features, folds)
    regime = (
        f"logistic regression: {rows.n_leavers} leavers and {rows.n_stayers} stayers, trees from "
        f"{FEWEST_FOR_TREES} of each (more months or a longer outcome window would lift it)"
    )
    parameters = {"learner": LOGISTIC, "ridge": logistic.ridge}
    return _Learned(
        features, logistic.learner, logistic.out_of_fold_score, logistic.importance, regime, parameters
    )


def bands_of(risk: Floats, left: Floats, weight: Floats, base_rate: float) -> tuple[Band, ...]:
    """Return the bands low, watch, high and critical with what really happened in each.

    Parameters
    ----------
    risk : shape (n,), calibrated, of judged customers.
    left, weight : shape (n,), what they did.
    base_rate : 0 to 1, whose odds the bands are multiples of; the limits are those of the risk, and as the risk is
        calibrated, of the realised rate.
    """
    from churnrisk.metrics import wilson

    odds = base_rate / (1 - base_rate)
    limits = [("low", 0.0), *((name, times * odds / (1 + times * odds)) for name, times in BAND_ODDS)]
    member = np.searchsorted([start for _, start in limits], risk, side="right") - 1
    bands: list[Band] = []
    for position, (name, start) in enumerate(limits):
        inside = member == position
        w = weight[inside]
        if not inside.any():
            bands.append(Band(name, start, 0, None, None, None))
            continue
        rate = float(w @ left[inside] / w.sum())
        low, high = wilson(rate, float(w.sum() ** 2 / (w @ w)))
        bands.append(Band(name, start, int(inside.sum()), rate, float(low), float(high)))
    return tuple(bands)


def _importance(features: tuple[Feature, ...], share: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "feature": [feature.name for feature in features],
            "group": [feature.group for feature in features],
            "importance": share,
        }
    ).sort(["importance", "feature"], descending=[True, False])


def _refuse_too_few(rows: Rows, name: str, found: int) -> None:
    if found < FEWEST_LEAVERS:
        raise ModelUnfit(
            Fault(
                code=f"too_few_{name}",
                where="training rows",
                expected=f"at least {FEWEST_LEAVERS} {name} among customers with known outcomes",
                found=f"{found} among {len(np.unique(rows.customer.astype(str)))} customers",
                remedy="Give more history, lengthen [churn] horizon_days, or check how leaving is declared "
                "(left_on, positive).",
            )
        )


def _nothing_to_learn(found: Screened) -> Fault:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in found.dropped.items()) or "no columns at all"
    return Fault(
        code="nothing_to_learn",
        where="feature table",
        expected="at least one column that differs between customers",
        found=reasons,
        remedy="Add a source or attributes.",
    )
