"""How well a model does for people it has never seen: out of time and customer-disjoint at once.

Otherwise the people of the test stand in the training rows too, at earlier dates, and a model may remember them.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.selectors as cs

from churnrisk import metrics

from ..fit import FitSettings, Fitted, score_without
from ..folds import customer_folds
from ..rows import Rows
from .subject import Floats

UNSEEN_COLUMNS = {
    "figure": pl.String(),
    "seen": pl.Float64(),
    "unseen": pl.Float64(),
    "lost": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}

N_PARTS = 5


def unseen(
    learned: Rows, tested: Rows, seen_score: Floats, settings: FitSettings, *, like: Fitted
) -> pl.DataFrame:
    """Return AUC and top-decile lift of models that saw no earlier row of the people they judge.

    Parameters
    ----------
    learned, tested : the rows that train and those that test.
    seen_score : shape of tested, score of the model that was trained on all of ``learned``.
    settings : as in fitting.
    like : that model; trees take their number and settings from it.

    Returns
    -------
    polars.DataFrame
        :data:`UNSEEN_COLUMNS`; lost = seen minus unseen, paired, with its interval. Above 0 beyond its interval, the
        model remembers people.

    Notes
    -----
    The people are dealt into five parts by a hash of their id; each part is judged by a model of the training rows of
    the other four.
    """
    everybody = np.concatenate((learned.customer, tested.customer))
    ever_left = np.concatenate((learned.left, tested.left))
    folds = customer_folds(everybody, ever_left, N_PARTS, salt=f"unseen-{settings.seed}")
    of_learned, of_tested = folds[: len(learned.left)], folds[len(learned.left) :]
    score = np.empty(len(tested.left))
    for part in range(N_PARTS):
        held = of_tested == part
        if held.any():
            score[held] = score_without(
                (), learned.where(of_learned != part), tested.where(held), like=like, settings=settings
            )
    weight = tested.weight if tested.is_weighted else None
    lost = metrics.paired_gain(
        tested.left, seen_score, score, weight, customer=tested.customer.astype(str), seed=settings.seed
    )
    figures = {"auc": metrics.auc, "top_decile_lift": metrics.lift}
    rows = [
        (
            name,
            figure(tested.left, seen_score, weight),
            figure(tested.left, score, weight),
            *_ends(lost[name]),
        )
        for name, figure in figures.items()
    ]
    return pl.DataFrame(rows, schema=UNSEEN_COLUMNS, orient="row").with_columns(cs.float().fill_nan(None))


def _ends(found: metrics.Interval) -> tuple[float, float, float]:
    return found.value, found.low, found.high
