"""How much each column tells by itself: one figure and its lower end per column, and values that settle the matter.

It decides how a column alone is read (values or quantiles, unknown as a value of its own, rates from other customers)
and refuses to know models and settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import kind_of

from .folds import customer_folds
from .rows import Rows

Floats = NDArray[np.float64]

N_FOLDS = 5

MOST_VALUES = 50
"""Distinct numbers that are read one by one; more are cut into so many quantiles."""

MOST_TEXTS = 250
"""Distinct texts that are read one by one, the most frequent; the rest are one value."""

PRIOR_ROWS = 2.0
"""Rows at the average rate that every value is given, so that one customer settles nothing (judgement)."""

MOST_ROWS = 200_000
"""Rows that are looked at, evenly spaced; of a million every fifth."""

SURE = 0.98
"""Leaving rate from which a value, and up to 1 minus which another, settles who leaves (judgement)."""

FEWEST_SURE = 10
"""Rows of a value below which it settles nothing: ten leavers in a row happen at a rate of 0.7 with chance 0.03."""

STANDARD_ERRORS = 1.96

NOTHING = 0.5
"""The AUC of a column that tells nothing; rates from other customers may fall below it by chance."""


@dataclass(frozen=True)
class Alone:
    """One column by itself: ``auc`` from 0.5 (nothing) to 1 with its lower 95 % end; ``sure`` in words, or empty."""

    feature: str
    auc: float
    low: float
    sure: str = ""


def told_alone(rows: Rows) -> tuple[Alone, ...]:
    """Return what every column of ``rows`` tells by itself of who leaves, the most telling first.

    Each value (or quantile of a number) gets the leaving rate of the customers of the other folds, unknown counting as
    a value; the AUC of those rates within the fold held out is averaged over five folds of customers. So nothing is
    told by many values alone, and both lines and humps are seen.

    Notes
    -----
    Weights are left aside: the AUC hardly moves when leavers and stayers are weighed apart. Lower ends are those of
    Hanley & McNeil (Radiology 143, 1982).
    """
    step = max(1, len(rows.left) // MOST_ROWS)
    looked_at = rows.where(np.arange(len(rows.left)) % step == 0)
    left = looked_at.left > 0
    if not 0 < int(left.sum()) < len(left):
        return ()
    folds = customer_folds(looked_at.customer, looked_at.left, N_FOLDS, salt="alone").astype(np.intp)
    found = list(_each(looked_at, left, folds))
    return tuple(sorted(found, key=lambda alone: (-alone.auc, alone.feature)))


def lower_end(auc: float, n_leavers: int, n_stayers: int) -> float:
    """Return the lower 95 % end of an AUC by Hanley & McNeil's standard error.

    >>> round(lower_end(0.9, 50, 500), 3)
    0.842
    """
    if not (n_leavers and n_stayers):
        return 0.0
    both_leavers, both_stayers = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc)
        + (n_leavers - 1) * (both_leavers - auc**2)
        + (n_stayers - 1) * (both_stayers - auc**2)
    ) / (n_leavers * n_stayers)
    return auc - STANDARD_ERRORS * float(np.sqrt(max(variance, 0.0)))


def _each(rows: Rows, left: NDArray[np.bool_], folds: NDArray[np.intp]) -> Iterator[Alone]:
    n_left = int(left.sum())
    for series in rows.frame.get_columns():
        if kind_of(series.dtype) is None or series.null_count() == series.len():
            continue
        values = _values(series)
        auc = max(NOTHING, _auc(values.codes, left, folds, values.n))
        yield Alone(
            series.name, auc, lower_end(auc, n_left, len(left) - n_left), _sure(series.name, values, left)
        )


@dataclass(frozen=True)
class _Values:
    """``codes``: the value of each row, 0 = unknown, up to ``n`` - 1; ``names``: text of every value."""

    codes: NDArray[np.intp]
    names: tuple[str, ...]

    @property
    def n(self) -> int:
        return len(self.names)


def _values(series: pl.Series) -> _Values:
    name = series.name
    if kind_of(series.dtype) == "category":
        text = series.cast(pl.String)
        counted = pl.DataFrame({name: text}).drop_nulls().group_by(name).len(name="n of it")
        common = counted.sort(["n of it", name], descending=[True, False])[name].head(MOST_TEXTS).to_list()
        place = {value: position + 1 for position, value in enumerate(common)}
        coded = text.replace_strict(place, default=len(common) + 1, return_dtype=pl.Int64)
        codes = coded.set(text.is_null(), 0).to_numpy().astype(np.intp)
        return _Values(codes, ("unknown", *common, "any rarer value"))
    numbers = series.cast(pl.Float64).fill_nan(None)
    distinct = numbers.drop_nulls().unique().sort().to_numpy()
    values = numbers.fill_null(np.nan).to_numpy()
    if len(distinct) <= MOST_VALUES:
        starts = distinct
        names = [f"{value:g}" for value in distinct.tolist()]
    else:
        known = numbers.drop_nulls().to_numpy()
        starts = np.unique(np.quantile(known, np.arange(MOST_VALUES) / MOST_VALUES, method="lower"))
        ends = [*starts[1:].tolist(), float(distinct[-1])]
        names = [f"{low:g} to {high:g}" for low, high in zip(starts.tolist(), ends, strict=True)]
    places = np.where(np.isnan(values), 0, np.searchsorted(starts, values, side="right")).astype(np.intp)
    return _Values(places, ("unknown", *names))


def _auc(codes: NDArray[np.intp], left: NDArray[np.bool_], folds: NDArray[np.intp], n: int) -> float:
    """Average over folds the AUC of the other folds' rates, from counts per value and fold alone."""
    cell = codes * N_FOLDS + folds
    both = np.bincount(cell, minlength=n * N_FOLDS).reshape(n, N_FOLDS).astype(np.float64)
    leavers = np.bincount(cell[left], minlength=n * N_FOLDS).reshape(n, N_FOLDS).astype(np.float64)
    stayers = both - leavers
    other, other_left = both.sum(axis=1, keepdims=True) - both, leavers.sum(axis=1, keepdims=True) - leavers
    with np.errstate(invalid="ignore", divide="ignore"):
        base = other_left.sum(axis=0) / other.sum(axis=0)
        rate = (other_left + PRIOR_ROWS * base) / (other + PRIOR_ROWS)
        areas = np.array([_area(rate[:, k], leavers[:, k], stayers[:, k]) for k in range(N_FOLDS)])
        pairs = leavers.sum(axis=0) * stayers.sum(axis=0)
    usable = np.isfinite(areas)
    return float(areas[usable] @ pairs[usable] / pairs[usable].sum()) if usable.any() else NOTHING


def _area(rate: Floats, leavers: Floats, stayers: Floats) -> float:
    """P(rate of a leaver > rate of a stayer) + P(equal) / 2 from counts by value; nan without either."""
    levels, place = np.unique(rate, return_inverse=True)
    of_leavers = np.bincount(place, leavers, len(levels))
    of_stayers = np.bincount(place, stayers, len(levels))
    below = np.cumsum(of_stayers) - of_stayers
    return float(of_leavers @ (below + of_stayers / 2) / (of_leavers.sum() * of_stayers.sum()))


def _sure(name: str, values: _Values, left: NDArray[np.bool_]) -> str:
    """Name the values that settle the matter when half of all leavers or more have one of them; else nothing."""
    n = np.bincount(values.codes, minlength=values.n).astype(np.float64)
    leavers = np.bincount(values.codes[left], minlength=values.n).astype(np.float64)
    leaving = (n >= FEWEST_SURE) & (leavers >= SURE * n)
    staying = (n >= FEWEST_SURE) & (leavers <= (1 - SURE) * n)
    if not staying.any() or leavers[leaving].sum() < left.sum() / 2:
        return ""
    shown = [values.names[position] for position in np.flatnonzero(leaving)]
    words = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")  # noqa: PLR2004 - shown
    share = leavers[leaving].sum() / n[leaving].sum()
    return (
        f"of {int(n[leaving].sum()):,} rows with {name} = {words} {share:.0%} leave, "
        f"of {int(n[staying].sum()):,} others {leavers[staying].sum() / n[staying].sum():.1%}"
    )
