"""A model on rows that it did not learn from: its risks, figures, what the network adds, the champion beside it.

It decides how a fitted model is judged, and refuses to know which rows are for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Provenance
from churnrisk.dates import AsOf
from churnrisk.metrics import Interval

from .compare import Champion, Comparison, compared
from .evaluate import OUT_OF_TIME, Evaluation, evaluation
from .fit import FitSettings, Fitted, fitted_model, is_prior, score_without
from .folds import customer_folds
from .levels import levels_of
from .lifetime import COHORT_COLUMNS, cohorts_of
from .notes import NETWORK
from .result import SnapshotUse
from .rows import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Rows the judged model did not learn from, its risks for them, and what they say of it."""

    rows: Rows
    risks: pl.DataFrame
    evaluation: Evaluation
    uses: tuple[SnapshotUse, ...] = ()
    ablations: Mapping[str, float | None] = field(default_factory=dict)
    network_gain: Mapping[str, Interval] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    model: Fitted | None = None
    """The one model behind the risks, where it is one, and what it had seen."""
    origin: Provenance = field(default_factory=Provenance)
    comparison: Comparison | None = None
    cohorts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COHORT_COLUMNS))
    """Everybody at the dates learned from and judged on, with a risk from a model that had not seen them."""


def judged_on(
    learned: Rows,
    tested: Rows,
    settings: FitSettings,
    uses: tuple[SnapshotUse, ...],
    notes: tuple[str, ...],
) -> Judged:
    """Fit a model on ``learned`` and judge it on ``tested``, with and without the network."""
    model = fitted_model(learned, settings)
    risks = predicted(model, tested)
    without = _score_without_network(learned, tested, model, settings)
    levels = None if model.is_prior else levels_of(learned, model.out_of_fold_risk)
    return Judged(
        rows=tested,
        risks=risks,
        evaluation=evaluation(
            OUT_OF_TIME, tested, risks["risk"].to_numpy(), seed=settings.seed, levels=levels
        ),
        uses=uses,
        ablations=_ablations(tested, without),
        network_gain=_network_gain(tested, model, without, settings.seed),
        notes=(*notes, *model.notes, *(() if levels is None else (levels.sentence(),))),
        model=model,
        cohorts=pl.concat(
            [
                cohorts_of(learned, model.out_of_fold_risk, is_tested=False),
                cohorts_of(tested, risks["risk"].to_numpy(), is_tested=True),
            ]
        ),
    )


def beside(judged: Judged, champion: Champion | None, tests: list[AsOf], seed: int) -> Judged:
    """Add how the judged model does beside the champion on the rows of the test dates."""
    if champion is None or judged.model is None:
        return judged
    risk, new = judged.risks["risk"].to_numpy(), judged.model.bundle((), judged.origin)
    first = min(test.instant for test in tests)
    found = compared(judged.rows, risk, new, champion, first_test=first, seed=seed)
    return replace(judged, comparison=found)


def cross_validated_risk(rows: Rows, settings: FitSettings) -> pl.DataFrame:
    """Return risk, risk_low, risk_high of each row from models that saw nothing of its customer's fold.

    Everything is nested: in each fold screening, tuning, the number of trees and the calibrator come from the other
    folds.
    """
    if settings.n_leavers is None:
        # one regime for all folds: that of the model which they stand for
        settings = replace(settings, n_leavers=rows.n_leavers)
    if is_prior(rows, settings) and settings.expected_rate is None and rows.n_leavers:
        settings = replace(
            settings, expected_rate=rows.base_rate
        )  # the rest of a fold may have no leaver at all
    folds = customer_folds(rows.customer, rows.left, settings.n_folds, salt=f"judge-{settings.seed}")
    parts: list[pl.DataFrame] = []
    for fold in range(settings.n_folds):
        held = folds == fold
        risks = predicted(fitted_model(rows.where(~held), settings), rows.where(held))
        parts.append(risks.with_columns(position=pl.Series(np.flatnonzero(held))))
    return pl.concat(parts).sort("position").drop("position")


def predicted(model: Fitted, rows: Rows) -> pl.DataFrame:
    """Return risk, risk_low, risk_high of each row, in the order of the rows."""
    return model.bundle((), Provenance()).predict(rows.frame)


def _score_without_network(
    learned: Rows, tested: Rows, model: Fitted, settings: FitSettings
) -> Floats | None:
    """Return the scores of the same learner without the network's features, None where there are none."""
    network = [name for name in learned.frame.columns if settings.group_of(name) == NETWORK]
    if not network:
        return None
    return score_without(network, learned, tested, like=model, settings=settings)


def _ablations(tested: Rows, without: Floats | None) -> dict[str, float | None]:
    from churnrisk.metrics import auc

    return {} if without is None else {NETWORK: auc(tested.left, without)}


def _network_gain(tested: Rows, model: Fitted, without: Floats | None, seed: int) -> Mapping[str, Interval]:
    """Compare the two learners' scores before calibration, whose steps would tie some of one and not of the other."""
    if without is None:
        return {}
    from churnrisk.metrics import paired_gain

    score = model.bundle((), Provenance()).raw_score(tested.frame)
    weight = tested.weight if tested.is_weighted else None
    return paired_gain(tested.left, score, without, weight, customer=tested.customer.astype(str), seed=seed)
