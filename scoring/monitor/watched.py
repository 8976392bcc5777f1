"""One thing that was watched tonight: a row of the published table ``monitoring``. It decides no verdict itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date

import polars as pl

from churnrisk.tables.published import MONITORING_WORDS

from .drift import q_values

SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "baseline": pl.String(),
    "name": pl.String(),
    "source": pl.String(),
    "baseline_on": pl.Date(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "threshold": pl.Float64(),
    "p_value": pl.Float64(),
    "q_value": pl.Float64(),
    "observed": pl.Float64(),
    "expected": pl.Float64(),
    "n": pl.Int64(),
    "n_before": pl.Int64(),
    "verdict": pl.String(),
    "advice": pl.String(),
}
"""The published table without as_of and run_id."""


@dataclass(frozen=True)
class Watched:
    """A row; None = not defined for its kind. What each kind holds is said with the table (docs/tables.md)."""

    kind: str
    baseline: str
    name: str
    verdict: str = "not judged"
    source: str | None = None
    baseline_on: date | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    observed: float | None = None
    expected: float | None = None
    n: int | None = None
    n_before: int | None = None
    advice: str | None = None


def adjusted(rows: Iterable[Watched]) -> list[Watched]:
    """Return rows of one family with q-values; rows without a p-value stay as they are."""
    given = list(rows)
    tested = [position for position, row in enumerate(given) if row.p_value is not None]
    found = q_values([given[position].p_value or 0.0 for position in tested])
    for position, value in zip(tested, found, strict=True):
        given[position] = replace(given[position], q_value=float(value))
    return given


def watched_frame(rows: Iterable[Watched]) -> pl.DataFrame:
    """Return rows as a frame, in the order of the published words for kind and baseline, then by name."""
    frame = pl.DataFrame([asdict(row) for row in rows], schema=SCHEMA)
    kinds, baselines = (
        pl.Enum(MONITORING_WORDS["kind"]),
        pl.Enum(MONITORING_WORDS["baseline"]),
    )
    return frame.sort(pl.col("kind").cast(kinds), pl.col("baseline").cast(baselines), "name")
