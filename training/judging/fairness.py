"""How a model treats groups of people: who is selected, whether risks come true, who is missed. It judges nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import polars.selectors as cs

from churnrisk import metrics

from .groups import by_label, numbered, pooled
from .subject import Floats, Subject, Texts

FEWEST_ROWS = 50
"""Rows below which a group is pooled with the other small ones."""

_RATES = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
)

FAIRNESS_COLUMNS = {
    "attribute": pl.String(),
    "value": pl.String(),
    "n": pl.Int64(),
    "n_leavers": pl.Int64(),
    **{f"{name}{end}": pl.Float64() for name in _RATES[:1] for end in ("", "_low", "_high")},
    "ratio_to_highest": pl.Float64(),
    "mean_risk": pl.Float64(),
    "realised_rate": pl.Float64(),
    "oe": pl.Float64(),
    "oe_low": pl.Float64(),
    "oe_high": pl.Float64(),
    **{f"{name}{end}": pl.Float64() for name in _RATES[1:] for end in ("", "_low", "_high")},
}


def fairness(subject: Subject, labels: Mapping[str, Texts]) -> pl.DataFrame:
    """Return selection, calibration and error by group, for every attribute in ``labels``.

    Selected is the riskiest tenth of each look, over all groups together. selection_rate is the share of a group that
    is selected, ratio_to_highest that share over the largest of any group (four fifths is a common alarm),
    true_positive_rate the share of its leavers that is selected, false_positive_rate that of its stayers,
    false_negative_rate the share of its leavers that is missed; oe is leavers observed over expected. Intervals are
    Wilson's at the effective number of rows. Groups of fewer than 50 rows are pooled as "(others)". Undefined is null.
    """
    parts = [_of(subject, name, label) for name, label in labels.items()]
    return pl.concat(parts) if parts else pl.DataFrame(schema=FAIRNESS_COLUMNS)


def _of(subject: Subject, name: str, label: Texts) -> pl.DataFrame:
    small = pooled(label, np.ones(len(label)), FEWEST_ROWS)
    member, names = numbered(small)
    k = len(names)
    chosen, y = subject.is_selected.astype(float), subject.left

    def rates(weight: Floats) -> Floats:
        def total(part: Floats) -> Floats:
            found: Floats = np.bincount(member, weights=weight * part, minlength=k).astype(np.float64)
            return found

        everybody, leavers = total(np.ones_like(y)), total(y)
        stayers, hit = everybody - leavers, total(chosen * y)
        parts = (
            (total(chosen), everybody),
            (hit, leavers),
            (total(chosen * (1 - y)), stayers),
            (leavers - hit, leavers),
        )
        return np.concatenate(
            [np.divide(over, under, out=np.full(k, np.nan), where=under > 0) for over, under in parts]
        )

    value, drawn = metrics.resampled(rates, subject.rows.weight, customer=subject.customer, seed=subject.seed)
    low, high = metrics.share_ends(value, drawn, _people(subject, member, k))
    columns: dict[str, Floats] = {}
    for place, rate in enumerate(_RATES):
        part = slice(place * k, (place + 1) * k)
        columns |= {rate: value[part], f"{rate}_low": low[part], f"{rate}_high": high[part]}
    selection = columns["selection_rate"]
    highest = float(np.nanmax(selection))
    found = by_label(subject, small).with_columns(
        pl.lit(name).alias("attribute"),
        *(pl.Series(column, values) for column, values in columns.items()),
        pl.Series("ratio_to_highest", selection / highest if highest > 0 else np.full(k, np.nan)),
    )
    return found.select(*FAIRNESS_COLUMNS).with_columns(cs.float().fill_nan(None))


def _people(subject: Subject, member: np.ndarray[tuple[int], np.dtype[np.intp]], k: int) -> Floats:
    """Return how many customers stand behind each rate: all, leavers, stayers, leavers."""

    def distinct(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
        return [len(np.unique(subject.customer[chosen & (member == each)])) for each in range(k)]

    leavers, stayers = distinct(subject.left > 0), distinct(subject.left == 0)
    return np.array([*distinct(np.ones(len(member), dtype=bool)), *leavers, *stayers, *leavers], dtype=float)
