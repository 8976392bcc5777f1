"""Which kinds of leavers the model sees coming: those who ask, the silent, those who do not pay (F1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from churnrisk import metrics

from .groups import FEWEST_LEAVERS
from .subject import Subject

KIND_COLUMNS = {
    "kind": pl.String(),
    "n_leavers": pl.Int64(),
    "share": pl.Float64(),
    "n_flagged": pl.Int64(),
    "share_flagged": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "auc": pl.Float64(),
    "auc_low": pl.Float64(),
    "auc_high": pl.Float64(),
}


def leaver_kinds(subject: Subject) -> pl.DataFrame:
    """Return one row per kind of leaver, the commonest first; empty where nothing tells how customers leave.

    Columns: :data:`KIND_COLUMNS`. n_leavers are distinct people, n_flagged those in the riskiest tenth of a look, with
    Wilson's interval of their share; auc is that of the risk between leavers of the kind and all stayers, its interval
    by customer bootstrap, null below 20 leavers.
    """
    kind = subject.rows.kind
    if kind is None:
        return pl.DataFrame(schema=KIND_COLUMNS)
    found = [
        _row(subject, kind == name, name) for name in sorted({each for each in kind if each is not None})
    ]
    whole = sum(row["n_leavers"] for row in found)
    rows = [{**row, "share": row["n_leavers"] / whole} for row in found]
    table = pl.DataFrame(rows, schema=KIND_COLUMNS).with_columns(cs.float().fill_nan(None))
    return table.sort("n_leavers", "kind", descending=[True, False])


def _row(subject: Subject, inside: np.ndarray[tuple[int], np.dtype[np.bool_]], name: str) -> dict[str, Any]:
    people = np.unique(subject.customer[inside])
    n_flagged = len(np.unique(subject.customer[inside & subject.is_selected]))
    low, high = metrics.wilson(n_flagged / len(people), len(people))
    ends: dict[str, float] = {}
    if len(people) >= FEWEST_LEAVERS:
        among = subject.where(inside | (subject.left == 0))
        auc = metrics.bootstrap_intervals(
            among.left, among.risk, among.weight, customer=among.customer, seed=subject.seed
        )["auc"]
        ends = {"auc": auc.value, "auc_low": auc.low, "auc_high": auc.high}
    return {
        "kind": name,
        "n_leavers": len(people),
        "n_flagged": n_flagged,
        "share_flagged": n_flagged / len(people),
        "low": float(low),
        "high": float(high),
        **ends,
    }
