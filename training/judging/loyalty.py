"""Leaving, spend and adoption by how long customers have been there and what they say (S60-S63)."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import polars.selectors as cs

from ..rows import Rows
from .groups import FEWEST_LEAVERS, GROUP_COLUMNS, UNKNOWN, grouped
from .opinions import OPINIONS, opinion_of
from .segments import TENURE_BANDS, tenure_bands
from .subject import Floats, Subject

FEWEST_ROWS = 10
"""Rows below which a cell is left out: it would tell of single people."""

_METRIC = re.compile(r"usage_.+_last")

LOYALTY_COLUMNS = {
    "tenure": pl.String(),
    "opinion": pl.String(),
    **GROUP_COLUMNS,
    "monthly_value_mean": pl.Float64(),
    "n_usage_metrics_mean": pl.Float64(),
    "is_small": pl.Boolean(),
}


def loyalty(subject: Subject) -> pl.DataFrame:
    """Return one row per band of tenure and opinion.

    Columns: :data:`LOYALTY_COLUMNS`; monthly_value_mean is over those whose value is known, n_usage_metrics_mean counts
    the usage metrics above 0 in the latest period (adoption), null without usage; is_small marks groups of fewer than
    20 leavers, whose rates say little. Cells of fewer than 10 rows are left out. Empty where tenure is not known.
    """
    frame = subject.rows.frame
    if "tenure_days" not in frame.columns:
        return pl.DataFrame(schema=LOYALTY_COLUMNS)
    tenure = tenure_bands(frame["tenure_days"])
    label = opinion_of(subject.rows)
    opinion = np.full(len(tenure), UNKNOWN, dtype=object) if label is None else label
    names = [(band, said) for band in (*(name for name, _ in TENURE_BANDS), UNKNOWN) for said in OPINIONS]
    filled = [pair for pair in names if ((tenure == pair[0]) & (opinion == pair[1])).any()]
    member = np.zeros(len(tenure), dtype=np.intp)
    for place, (band, said) in enumerate(filled):
        member[(tenure == band) & (opinion == said)] = place
    found = grouped(subject, member, [str(place) for place in range(len(filled))], key="place")
    k = len(filled)
    return (
        found.with_columns(
            tenure=pl.Series([band for band, _ in filled], dtype=pl.String),
            opinion=pl.Series([said for _, said in filled], dtype=pl.String),
            monthly_value_mean=pl.Series(_mean(subject.rows, "monthly_value", member, k)),
            n_usage_metrics_mean=pl.Series(_adoption(subject.rows, member, k)),
            is_small=pl.col("n_leavers") < FEWEST_LEAVERS,
        )
        .filter(pl.col("n") >= FEWEST_ROWS)
        .select(*LOYALTY_COLUMNS)
        .with_columns(cs.float().fill_nan(None))
    )


def _mean(rows: Rows, column: str, member: np.ndarray[tuple[int], np.dtype[np.intp]], k: int) -> Floats:
    if column not in rows.frame.columns:
        return np.full(k, np.nan)
    return _means(rows.frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy(), rows.weight, member, k)


def _adoption(rows: Rows, member: np.ndarray[tuple[int], np.dtype[np.intp]], k: int) -> Floats:
    names = [name for name in rows.frame.columns if _METRIC.fullmatch(name)]
    if not names:
        return np.full(k, np.nan)
    used = rows.frame.select(
        n=pl.sum_horizontal(pl.col(names) > 0).cast(pl.Float64),
        is_known=pl.any_horizontal(pl.col(names).is_not_null()),
    ).select(pl.when("is_known").then("n").alias("n"))["n"]
    return _means(used.fill_null(np.nan).to_numpy(), rows.weight, member, k)


def _means(
    values: Floats, weight: Floats, member: np.ndarray[tuple[int], np.dtype[np.intp]], k: int
) -> Floats:
    is_known = np.isfinite(values)
    total = np.bincount(member[is_known], weights=weight[is_known], minlength=k)
    amount = np.bincount(member[is_known], weights=(weight * values)[is_known], minlength=k)
    found: Floats = np.divide(amount, total, out=np.full(k, np.nan), where=total > 0)
    return found
