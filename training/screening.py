"""Which columns are worth learning from, and why each of the others is not.

It decides by what the training rows hold and nothing later, and refuses to know learners. A column is named with one
reason, the first that holds: no usable type, empty, constant, an identifier, leaking, nearly constant, unstable, a
copy of another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Feature, digest_of, kind_of

from .copies import LOOKED_AT, copies
from .rows import Rows
from .stability import unstable

MOST_CATEGORIES = 250
"""Texts with a code of their own, the most frequent; LightGBM bins no more than 255. The rest share one: rare."""

IDENTIFIER_SHARE = 0.5
"""Text with more distinct values per customer names customers rather than describes them (judgement)."""

IDENTIFIER_VALUES = 50
"""... if it has more distinct values than this."""

NEARLY_CONSTANT = 0.99
"""Share of rows with one and the same value from which a column must show that the others differ (judgement)."""

NO_DIFFERENCE = 0.05
"""The others differ in how often they leave when Fisher's exact test says so at this level."""


LEFT_OUT = "left out: [training] leave_out keeps it for judging alone"
"""Why a column that the user left out is not learned from."""


@dataclass(frozen=True)
class Screened:
    """The features to learn from, and the columns dropped with the reason for each."""

    features: tuple[Feature, ...]
    dropped: Mapping[str, str]


def screened(
    rows: Rows,
    group_of: Callable[[str], str],
    *,
    leaking: Mapping[str, str] | None = None,
    left_out: Collection[str] = (),
) -> Screened:
    """Return which columns of ``rows`` are worth learning, in their order.

    Parameters
    ----------
    rows : the rows that will be learned from; stability is judged between their snapshots, so rows that judge the
        model must not be among them.
    group_of : names each feature's group.
    leaking : columns that know the outcome, with the evidence, from whoever looked for them.
    left_out : columns that the user keeps for judging alone.
    """
    refused = leaking or {}
    n_customers = len(np.unique(rows.customer.astype(str)))
    dropped: dict[str, str] = {}
    for series in rows.frame.get_columns():
        if series.name in left_out:
            dropped[series.name] = LEFT_OUT
            continue
        reason = _unusable(series, n_customers) or _leak(series.name, refused) or _silent(series, rows.left)
        if reason:
            dropped[series.name] = reason
    dropped |= unstable(rows.without(dropped))
    dropped |= {
        name: f"duplicate: tells the same as {kept}"
        for name, kept in copies(rows.frame.drop(list(dropped))).items()
    }
    features = [_feature(series, group_of) for series in rows.frame.drop(list(dropped)).get_columns()]
    ordered = {name: dropped[name] for name in rows.frame.columns if name in dropped}
    return Screened(tuple(features), ordered)


def _unusable(series: pl.Series, n_customers: int) -> str:
    kind = kind_of(series.dtype)
    if kind is None:
        return f"neither number nor category ({series.dtype})"
    if series.null_count() == series.len():
        return "empty: no value in any training row"
    # counting distinct numbers costs more than all the rest, and only texts need it
    n_distinct = series.n_unique() if kind == "category" else _n_ends(series)
    if n_distinct == 1:
        return "constant: one value in every training row"
    if kind == "category" and n_distinct > max(IDENTIFIER_VALUES, IDENTIFIER_SHARE * n_customers):
        return f"nearly unique: {n_distinct} values among {n_customers} customers, an identifier or free text"
    return ""


def _n_ends(series: pl.Series) -> int:
    return 1 if series.null_count() == 0 and series.min() == series.max() else 2


def _leak(name: str, leaking: Mapping[str, str]) -> str:
    return f"leaking: {leaking[name]}" if name in leaking else ""


def _silent(series: pl.Series, left: NDArray[np.float64]) -> str:
    """Say so when nearly all rows hold one value (or none) and the others leave as often as they do."""
    looked_at = series.gather_every(max(1, series.len() // LOOKED_AT))
    usual = looked_at.value_counts().sort(["count", series.name], descending=[True, False]).row(0)
    if usual[1] < (2 * NEARLY_CONSTANT - 1) * looked_at.len():
        return ""
    is_usual = series.is_null() if usual[0] is None else series.eq_missing(usual[0])
    other = ~is_usual.to_numpy()
    n_others = int(other.sum())
    if n_others > (1 - NEARLY_CONSTANT) * len(other):
        return ""
    p_value = _fisher(other, left > 0)
    if p_value < NO_DIFFERENCE:
        return ""
    what = "are unknown" if usual[0] is None else "hold one value"
    return f"nearly constant: all but {n_others} rows {what}, and those leave no more and no less (p {p_value:.2g})"


def _fisher(other: NDArray[np.bool_], leaves: NDArray[np.bool_]) -> float:
    from scipy.stats import fisher_exact

    both, n_other, n_leaving = int((other & leaves).sum()), int(other.sum()), int(leaves.sum())
    stays = len(other) - n_other - n_leaving + both
    table = np.array([[both, n_other - both], [n_leaving - both, stays]])
    return float(fisher_exact(table).pvalue)


def _feature(series: pl.Series, group_of: Callable[[str], str]) -> Feature:
    if kind_of(series.dtype) != "category":
        return Feature(series.name, "number", group_of(series.name))
    counted = (
        pl.DataFrame({"text": series.cast(pl.String)}).drop_nulls().group_by("text").len(name="n")
    ).sort(["n", "text"], descending=[True, False])
    texts = counted["text"].to_list()
    return Feature(
        series.name,
        "category",
        group_of(series.name),
        categories=tuple(texts[:MOST_CATEGORIES]),
        rare=tuple(sorted(map(digest_of, texts[MOST_CATEGORIES:]))),
    )
