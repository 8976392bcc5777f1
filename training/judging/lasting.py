"""Whether customers stay as long as expected: survival of the tested looks, beside what the risks say (F26).

It decides whose risks are followed, and refuses to know how survival is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from churnrisk.bundle import Band, Lifetime

from ..fit import Fitted
from ..lifetime import cohorts_of, lifetime_study
from .material import Material
from .subject import Subject


def lasting(
    material: Material, subject: Subject, model: Fitted | None, bands: Sequence[Band]
) -> Lifetime | None:
    """Return how risks fade and how expected survival compares with realised; None for an extract.

    Parameters
    ----------
    material : rows and what became of their customers.
    subject : what is judged; tested out of time where ``model`` is there.
    model : the model of the learned rows, whose folds gave risks to people they had not seen.
    bands : bands of risk.
    """
    if material.horizon_days is None:
        return None
    cohorts = [cohorts_of(subject.rows, subject.risk, is_tested=model is not None)]
    if model is not None and material.learned is not None:
        cohorts.append(cohorts_of(material.learned, model.out_of_fold_risk, is_tested=False))
    return lifetime_study(
        pl.concat(cohorts),
        material.fates,
        horizon_days=material.horizon_days,
        base_rate=float(
            subject.rows.weight @ subject.risk / subject.rows.weight.sum()
        ),  # nobody may have left
        bands=bands,
        seed=subject.seed,
    )
