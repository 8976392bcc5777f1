"""Which groups of customers are looked at apart: by attribute, tenure, opinion, and whether the model knew them.

It decides labels, and refuses to know what is computed of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
import polars as pl

from churnrisk.tables.lake import ATTRIBUTE_PREFIX

from ..rows import Rows
from .groups import FEWEST_LEAVERS, GROUP_COLUMNS, OTHERS, TOO_FEW, UNKNOWN, by_label, flagged, pooled
from .subject import Floats, Subject, Texts

TENURE_BANDS: tuple[tuple[str, float], ...] = (
    ("under 90 days", 90.0),
    ("90 days to 1 year", 365.0),
    ("1 to 3 years", 1095.0),
    ("over 3 years", np.inf),
)
"""Bands of tenure: name and end in days (judgement)."""

MOST_VALUES = 20
"""Distinct values up to which a text makes segments of itself."""

N_PARTS = 4
"""Parts of equal size into which a number is cut, when it was asked for."""

SEGMENT_COLUMNS = {
    "attribute": pl.String(),
    "value": pl.String(),
    **GROUP_COLUMNS,
    "is_flagged": pl.Boolean(),
}


def segments(subject: Subject, labels: Mapping[str, Texts]) -> pl.DataFrame:
    """Return observed over expected by attribute and value, small values pooled, those beyond chance flagged.

    Columns: :data:`SEGMENT_COLUMNS`. Values with fewer than 20 leavers are pooled as "(others)", what is unknown is
    "(not known)". Attributes that are pooled altogether share one row, value :data:`TOO_FEW`. Flags hold over all rows
    of the table together (Benjamini & Hochberg).
    """
    told = {name: pooled(label, subject.left, FEWEST_LEAVERS) for name, label in labels.items()}
    whole = [name for name, label in told.items() if np.all(label == OTHERS)]
    if whole:
        everybody = np.full(len(subject.left), TOO_FEW, dtype=object)
        told = {name: label for name, label in told.items() if name not in whole}
        told[", ".join(whole)] = everybody
    if not told:
        return pl.DataFrame(schema=SEGMENT_COLUMNS)
    parts = [
        by_label(subject, label).select(pl.lit(name).alias("attribute"), pl.all())
        for name, label in told.items()
    ]
    return flagged(pl.concat(parts)).select(*SEGMENT_COLUMNS)


def segment_labels(
    rows: Rows, learned: Rows | None, *, by: Iterable[str] = (), names: Mapping[str, str] | None = None
) -> dict[str, Texts]:
    """Return the labels of rows by attribute: tenure, seen in training, language, text attributes, those asked for.

    Parameters
    ----------
    rows : what is judged.
    learned : what was learned from; without it nobody can be told apart by that.
    by : columns asked for besides, numbers too.
    names : the user's own name by column.
    """
    told = names or {}
    found: dict[str, Texts] = {}
    if "tenure_days" in rows.frame.columns:
        found["tenure"] = tenure_bands(rows.frame["tenure_days"])
    if learned is not None:
        known = np.isin(rows.customer.astype(str), learned.customer.astype(str))
        found["seen in training"] = np.where(known, "yes", "no").astype(object)
    texts = [
        name
        for name, dtype in rows.frame.schema.items()
        if dtype == pl.String
        and (name == "language" or name.startswith(ATTRIBUTE_PREFIX))
        and rows.frame[name].n_unique() <= MOST_VALUES
    ]
    for name in dict.fromkeys([*texts, *by]):
        found[told.get(name, name.removeprefix(ATTRIBUTE_PREFIX))] = labels_of_column(rows.frame[name])
    return found


def tenure_bands(days: pl.Series) -> Texts:
    """Return the band of tenure of each row."""
    values = days.cast(pl.Float64).fill_null(np.nan).to_numpy()
    band = np.searchsorted([end for _, end in TENURE_BANDS], values, side="right")
    names = np.array([name for name, _ in TENURE_BANDS] + [UNKNOWN], dtype=object)
    found: Texts = names[
        np.where(np.isnan(values), len(TENURE_BANDS), np.minimum(band, len(TENURE_BANDS) - 1))
    ]
    return found


def labels_of_column(series: pl.Series) -> Texts:
    """Return the values of a column as text; a number with many values is cut into four parts of equal size."""
    if series.dtype == pl.String or series.drop_nulls().n_unique() <= MOST_VALUES:
        text = (
            series.cast(pl.Float64).cast(pl.String).str.strip_suffix(".0") if _is_number(series) else series
        )
        found: Texts = text.fill_null(UNKNOWN).to_numpy().astype(object)
        return found
    values = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return _quarters(values)


def _is_number(series: pl.Series) -> bool:
    return bool(series.dtype.is_numeric())


def _quarters(values: Floats) -> Texts:
    is_known = np.isfinite(values)
    edges = np.unique(np.quantile(values[is_known], np.arange(1, N_PARTS) / N_PARTS))
    ends = [values[is_known].min(), *edges, values[is_known].max()]
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(ends)]
    part = np.searchsorted(edges, values, side="left")
    found: Texts = np.array([*names, UNKNOWN], dtype=object)[np.where(is_known, part, len(names))]
    return found
