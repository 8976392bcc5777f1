"""Which way each input works, as learned, beside what the catalogue would have guessed (S65).

Nothing forces a direction on the model; long visits may be interest or effort, and only the data know.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import Bundle

from .subject import Floats, Subject

MOST_FEATURES = 30
"""Most important numbers looked at."""

MOST_ROWS = 1500
"""Rows looked at, chosen by a hash of the id: exact contributions take milliseconds a row."""

FEWEST_VALUES = 30
"""Known values below which nothing is said of a feature."""

DIRECTION_COLUMNS = {
    "feature": pl.String(),
    "group": pl.String(),
    "learned": pl.String(),
    "rank_correlation": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "expected": pl.String(),
    "agrees": pl.Boolean(),
}

HIGHER, LOWER, NEITHER = "higher is worse", "lower is worse", "either"


def direction(
    subject: Subject, bundle: Bundle, importance: pl.DataFrame, readings: dict[str, str]
) -> pl.DataFrame:
    """Return the learned direction of the most important number features.

    Parameters
    ----------
    subject : rows the model did not learn from.
    bundle : the model.
    importance : columns feature, group, importance, most important first.
    readings : what the catalogue expects of each feature: higher is worse, lower is worse, either.

    Returns
    -------
    polars.DataFrame
        :data:`DIRECTION_COLUMNS`: rank_correlation (Spearman) between a feature's value and its exact contribution
        (TreeSHAP, log-odds) over customers whose value is known, with the interval of resamples of customers; learned
        is its sign where the interval excludes 0, else "either"; agrees is null where one of the two is "either".

    Notes
    -----
    Ranks are taken once and weighted by each resample: correlation of ranks, not ranks of the resample.
    """
    numbers = {feature.name for feature in bundle.features if feature.kind == "number"}
    chosen = [name for name in importance["feature"].to_list() if name in numbers][:MOST_FEATURES]
    if not chosen or not len(subject.risk):
        return pl.DataFrame(schema=DIRECTION_COLUMNS)
    rows = subject.where(_sample(subject.customer))
    given = bundle.contributions(rows.rows.frame, allow_extra=True)
    place = {feature.name: at for at, feature in enumerate(bundle.features)}
    group = dict(importance.select("feature", "group").iter_rows())
    found: list[tuple[object, ...]] = []
    for name in chosen:
        values = rows.rows.frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        known = np.isfinite(values)
        both = values[known], given[known, place[name]]
        value, low, high = _correlation(both, rows.customer[known], subject.seed)
        learned = HIGHER if low > 0 else LOWER if high < 0 else NEITHER
        expected = readings.get(name, NEITHER)
        agrees = None if NEITHER in {learned, expected} else learned == expected
        found.append((name, group[name], learned, value, low, high, expected, agrees))
    return pl.DataFrame(found, schema=DIRECTION_COLUMNS, orient="row").with_columns(cs.float().fill_nan(None))


def _correlation(
    both: tuple[Floats, Floats], customer: NDArray[np.str_], seed: int
) -> tuple[float, float, float]:
    from scipy.stats import rankdata

    if len(customer) < FEWEST_VALUES or any(np.ptp(each) == 0 for each in both):
        return (np.nan, np.nan, np.nan)
    one, two = (rankdata(each) for each in both)

    def statistic(weight: Floats) -> Floats:
        total = weight.sum()
        a, b = one - weight @ one / total, two - weight @ two / total
        under = np.sqrt((weight @ a**2) * (weight @ b**2))
        return np.array([weight @ (a * b) / under if under > 0 else np.nan])

    value, drawn = metrics.resampled(
        statistic, np.ones(len(one)), customer=customer, n_resamples=200, seed=seed
    )
    low, high = metrics.percentile_ends(value, drawn)
    return float(value[0]), float(low[0]), float(high[0])


def _sample(customer: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which rows are looked at: whole customers in the order of a hash of their id, until there are enough."""
    if len(customer) <= MOST_ROWS:
        return np.ones(len(customer), dtype=bool)
    ids, member, counts = np.unique(customer, return_inverse=True, return_counts=True)
    drawn = np.array([hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids.tolist()])
    order = np.argsort(drawn, kind="stable")
    kept = np.zeros(len(ids), dtype=bool)
    kept[order[np.cumsum(counts[order]) <= MOST_ROWS]] = True
    return kept[member]
