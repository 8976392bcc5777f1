"""The result of a training: the model fitted on all rows, with what its judged twin showed.

It decides what is kept beside the model, and refuses to fit anything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl

from churnrisk.bundle import Bundle, Feature, Provenance, Reference, histogram_of

from .fit import Fitted, bands_of
from .gates import gate_findings, prior_findings
from .judged import Judged
from .judging.segments import segment_labels, segments
from .judging.subject import subject_of
from .notes import left_out_words, network_verdict, prior_words, unused_columns, warnings_of
from .result import TrainingResult
from .rows import Rows


def result_of(
    shipped: Fitted, seen: Rows, judged: Judged, origin: Provenance, unshared: Collection[str] = ()
) -> TrainingResult:
    """Return the shipped model, fitted on the rows ``seen``, with what its judged twin showed and the notes on both.

    Nothing is told by the columns ``unshared``.
    """
    risk = judged.risks["risk"].to_numpy()
    bands = bands_of(risk, judged.rows.left, judged.rows.weight, shipped.base_rate)
    provenance = replace(
        origin, regime=shipped.regime, parameters={**origin.parameters, **shipped.parameters}
    )
    return TrainingResult(
        bundle=shipped.bundle(bands, provenance),
        evaluation=judged.evaluation,
        snapshots=judged.uses,
        dropped=shipped.dropped,
        importance=shipped.importance,
        parameters=shipped.parameters,
        regime=shipped.regime,
        gates=prior_findings(judged.evaluation, shipped.regime)
        if shipped.is_prior
        else gate_findings(judged.evaluation, risk),
        ablations=judged.ablations,
        notes=(
            *judged.notes,
            *warnings_of(judged.evaluation),
            *left_out_words(shipped.dropped),
            *(prior_words(shipped.regime) if shipped.is_prior else unused_columns(shipped.dropped)),
            *network_verdict(judged.evaluation, judged.ablations),
        ),
        judged=_judged_frame(judged.rows, judged.risks),
        network_gain=judged.network_gain,
        twin=_twin(judged),
        segments=_segments(judged, unshared),
        reference=_risks_by_chance(shipped, seen),
        comparison=judged.comparison,
        cohorts=judged.cohorts,
    )


def _segments(judged: Judged, unshared: Collection[str]) -> pl.DataFrame:
    told = subject_of(judged.rows.without(unshared), judged.risks["risk"].to_numpy())
    return segments(told, segment_labels(told.rows, None))


def _risks_by_chance(shipped: Fitted, seen: Rows) -> Reference:
    """Return what risks of the shipped model look like for customers it has not seen: its folds' of the newest look."""
    newest = str(max(seen.snapshot))
    mine = seen.snapshot == newest
    weight = seen.weight[mine] if seen.is_weighted else None
    risk = pl.Series(shipped.out_of_fold_risk[mine])
    return Reference(newest, risk=histogram_of(Feature("risk", "number"), risk, weight))


def _twin(judged: Judged) -> Bundle | None:
    """The judged model as a bundle, with bands of its own; None where many models judged."""
    model, rows = judged.model, judged.rows
    if model is None:
        return None
    bands = bands_of(judged.risks["risk"].to_numpy(), rows.left, rows.weight, model.base_rate)
    seen = replace(
        judged.origin, regime=model.regime, parameters={**judged.origin.parameters, **model.parameters}
    )
    return model.bundle(bands, seen)


def _judged_frame(rows: Rows, risks: pl.DataFrame) -> pl.DataFrame:
    who = pl.DataFrame(
        {
            "customer_id": pl.Series(rows.customer.tolist(), dtype=pl.String),
            "as_of": pl.Series(rows.snapshot.tolist(), dtype=pl.String),
            "left": rows.left.astype(np.int8),
            "weight": rows.weight,
        }
    )
    return pl.concat([who, risks], how="horizontal")
