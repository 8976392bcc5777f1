"""The row that a night leaves in run_log, also when it fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from typing import NamedTuple

import polars as pl

from ..errors import ChurnriskError
from ..logs import logger
from ..store.publish import publish, published_days, staged_edition
from ..tables.published import RULES
from .basis import Basis


class Start(NamedTuple):
    """When a run began: the clock (naive UTC), which only run_log holds, and the counter that it is measured with."""

    at: datetime
    counter: float


def log_row(
    basis: Basis,
    start: Start,
    rows: Mapping[str, int],
    warnings: tuple[str, ...],
    outcome: str = "published",
) -> pl.DataFrame:
    """Return the row of run_log."""
    row = {
        "run_id": basis.run_id,
        "as_of": basis.as_of.day,
        "command": basis.extent.command,
        "outcome": outcome,
        "started_at": start.at,
        "seconds": perf_counter() - start.counter,
        "n_rows": json.dumps(dict(rows), sort_keys=True),
        "fingerprints": json.dumps(dict(basis.loaded.fingerprints), sort_keys=True),
        "model_version": basis.bundle.model_version,
        "warnings": json.dumps(list(warnings), ensure_ascii=False),
    }
    return pl.DataFrame([row], schema_overrides={"started_at": pl.Datetime("us")})


def record_failure(basis: Basis, start: Start, error: ChurnriskError) -> None:
    """Leave a row in run_log; the tables published before stay as they are, and the log says of which date."""
    faults = tuple(fault.sentence() for fault in error.faults)
    failed = log_row(basis, start, {}, faults, outcome="failed")
    edition = staged_edition(
        basis.workspace, RULES, {"run_log": failed}, run_id=basis.run_id, as_of=basis.as_of.day
    )
    publish(basis.workspace, edition, RULES)
    days = published_days(basis.workspace, "scores")
    logger().warning("night failed", still_published=str(days[-1]) if days else "nothing")
