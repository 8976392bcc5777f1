"""Realised against predicted leaving by groups of rows, with intervals; it refuses to know what the groups mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from churnrisk import metrics

from .subject import Floats, Subject, Texts

UNKNOWN = "(not known)"
OTHERS = "(others)"

TOO_FEW = "(too few leavers for their own)"
"""Value of the one row of all attributes of which no value has enough leavers: every customer judged."""

FEWEST_LEAVERS = 20
"""Leavers below whom a group is pooled with the other small ones: fewer tell nothing, and point at people."""

FLAGGED = 0.05
"""Share of false flags among the flagged (Benjamini & Hochberg 1995)."""

GROUP_COLUMNS: Mapping[str, pl.DataType] = {
    "n": pl.Int64(),
    "n_leavers": pl.Int64(),
    "mean_risk": pl.Float64(),
    "realised_rate": pl.Float64(),
    "realised_low": pl.Float64(),
    "realised_high": pl.Float64(),
    "oe": pl.Float64(),
    "oe_low": pl.Float64(),
    "oe_high": pl.Float64(),
}
"""What is said of every group. Rates lie between 0 and 1; oe is leavers observed over leavers expected."""


def grouped(subject: Subject, member: NDArray[np.intp], names: Sequence[str], *, key: str) -> pl.DataFrame:
    """Return one row per name, in their order: :data:`GROUP_COLUMNS`; null where nobody is in a group.

    Parameters
    ----------
    subject : what is judged.
    member : shape (n,), position in ``names`` of each row's group.
    names : of the groups.
    key : column of the names.

    Notes
    -----
    The interval of the realised rate is Wilson's at as many rows as resamples of customers say they are worth; that of
    observed over expected adds up rows of one customer.
    """
    y, p, w = subject.left, subject.risk, subject.rows.weight
    k = len(names)

    def rates(weight: Floats) -> Floats:
        total = np.bincount(member, weights=weight, minlength=k)
        leaving = np.bincount(member, weights=weight * y, minlength=k)
        found: Floats = np.divide(leaving, total, out=np.full(k, np.nan), where=total > 0)
        return found

    rate, drawn = metrics.resampled(rates, w, customer=subject.customer, seed=subject.seed)
    people = np.array([len(np.unique(subject.customer[member == each])) for each in range(k)], dtype=float)
    low, high = metrics.share_ends(rate, drawn, people)
    total = np.bincount(member, weights=w, minlength=k)
    expected = np.bincount(member, weights=w * p, minlength=k)
    ratios = [_ratio(subject, member == each) for each in range(k)]
    return _nulls(
        pl.DataFrame(
            {
                key: pl.Series(list(names), dtype=pl.String),
                "n": np.bincount(member, minlength=k).astype(np.int64),
                "n_leavers": np.bincount(member, weights=y, minlength=k).astype(np.int64),
                "mean_risk": np.divide(expected, total, out=np.full(k, np.nan), where=total > 0),
                "realised_rate": rate,
                "realised_low": low,
                "realised_high": high,
                "oe": [each.value for each in ratios],
                "oe_low": [each.low for each in ratios],
                "oe_high": [each.high for each in ratios],
            },
            schema={key: pl.String(), **GROUP_COLUMNS},
        )
    )


def by_label(subject: Subject, label: Texts, *, key: str = "value") -> pl.DataFrame:
    """Return :func:`grouped` by text, largest group first, what is unknown and what was pooled last."""
    member, names = numbered(label)
    return grouped(subject, member, names, key=key)


def numbered(label: Texts) -> tuple[NDArray[np.intp], list[str]]:
    """Return each row's group as a number, and the names: commonest first, equal ones by name, unknown, others."""
    names, member, counts = np.unique(label.astype(str), return_inverse=True, return_counts=True)
    last = np.select([names == UNKNOWN, names == OTHERS], [1, 2], 0)
    order = np.lexsort((names, -counts, last))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return place[member], [str(name) for name in names[order]]


def pooled(label: Texts, amount: Floats, fewest: float) -> Texts:
    """Return the labels with those whose ``amount`` adds up to less than ``fewest`` called :data:`OTHERS`."""
    names, member = np.unique(label.astype(str), return_inverse=True)
    small = np.bincount(member, weights=amount) < fewest
    told = names.astype(object)
    told[small & (names != UNKNOWN)] = OTHERS
    found: Texts = told[member]
    return found


def flagged(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table of groups with ``is_flagged``: observed over expected differs from 1 beyond chance.

    All rows are tested together, so that 5 % of the flagged are false, not 5 % of all; null where there is no ratio.
    """
    from scipy.stats import false_discovery_control

    low, high = frame["oe_low"].to_numpy(), frame["oe_high"].to_numpy()
    ratio = frame["oe"].to_numpy()
    is_known = np.isfinite(ratio) & (low > 0) & (ratio > 0)
    # without a leaver there is no standard error: the exact chance of none is what the upper end was made of
    is_none = np.isfinite(ratio) & (ratio == 0)
    p_value = np.full(len(ratio), np.nan)
    error = (np.log(high[is_known]) - np.log(low[is_known])) / (2 * ndtri(0.975))
    p_value[is_known] = 2 * ndtr(-np.abs(np.log(ratio[is_known])) / error)
    p_value[is_none] = np.minimum(1.0, 2 * np.exp(math.log(0.025) / high[is_none]))
    tested = np.isfinite(p_value)
    flag = np.full(len(ratio), None, dtype=object)
    if tested.any():
        flag[tested] = (false_discovery_control(p_value[tested]) < FLAGGED).tolist()
    return frame.with_columns(is_flagged=pl.Series(flag.tolist(), dtype=pl.Boolean))


def _ratio(subject: Subject, inside: NDArray[np.bool_]) -> metrics.Interval:
    if not inside.any():
        return metrics.Interval(math.nan, math.nan, math.nan)
    weight = None if subject.weight is None else subject.weight[inside]
    return metrics.observed_over_expected(
        subject.left[inside], subject.risk[inside], weight, customer=subject.customer[inside]
    )


def _nulls(frame: pl.DataFrame) -> pl.DataFrame:
    """Write undefined as null."""
    return frame.with_columns(cs.float().fill_nan(None))
