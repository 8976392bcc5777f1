"""``churnrisk alerts preview``: what another window of scores would have raised over past answers.

It decides which answers are looked at (those of the sources and of the ledger, each once), and raises nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from scoring.asking import alert_counts

from .dates import AsOf
from .errors import Fault, UsageError
from .inputs import Inputs
from .ledger import Ledger, facts
from .loaded import loaded_sources
from .sources import LoadedSources
from .store import Workspace

Window = tuple[float, float]

LOWEST, HIGHEST = 0.0, 10.0
"""Ends of the scale of the recommend question, whose answers raise alerts."""

_WINDOW = re.compile(r"(\d{1,2}(?:\.\d)?)\s*-\s*(\d{1,2}(?:\.\d)?)")

COLUMNS = ("invitation_id", "metric", "score", "comment", "answered_at")


@dataclass(frozen=True, eq=False)
class AlertsPreview:
    """What ``window`` would have raised beside the ``present`` one; ``.table`` as `scoring.asking.alert_counts`."""

    as_of: date
    window: Window
    present: Window
    table: pl.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        months = [{**row, "month": str(row["month"])[:7]} for row in self.table.to_dicts()]
        total = self.table.select(pl.exclude("month").sum()).to_dicts()[0]
        return {
            "as_of": str(self.as_of),
            "window": list(self.window),
            "present": list(self.present),
            "months": months,
            "total": total,
        }


def window_of(text: str) -> Window:
    """Return the window that a text such as ``0-4`` names, both ends included; raise UsageError when it names none."""
    found = _WINDOW.fullmatch(text.strip())
    low, high = (float(found[1]), float(found[2])) if found else (1.0, 0.0)
    if not LOWEST <= low <= high <= HIGHEST:
        raise UsageError(
            Fault(
                code="window_unknown",
                where="--window",
                expected="two scores from 0 to 10, the lower one first, as 0-4",
                found=repr(text),
                remedy="Both ends are included.",
            )
        )
    return low, high


def alerts_preview(workspace: Workspace, as_of: AsOf, inputs: Inputs, window: Window) -> AlertsPreview:
    """Count by month what ``window`` would have raised over the answers known as of a date."""
    with workspace.held("alerts"), workspace.engine() as engine:
        loaded = loaded_sources(workspace, engine, inputs, as_of)
        answers = past_answers(workspace, loaded, inputs, as_of)
    present = workspace.config.surveys.alert_window
    return AlertsPreview(as_of.day, window, present, alert_counts(answers, window, present))


def past_answers(workspace: Workspace, loaded: LoadedSources, inputs: Inputs, as_of: AsOf) -> pl.DataFrame:
    """Return the answers of sources and ledger known as of a date, each once: those to confirming surveys too."""
    end = pl.lit(as_of.instant)
    parts = []
    if Ledger.is_there(workspace):
        with Ledger.open(workspace, inputs.environment) as ledger, ledger.reading() as db:
            parts.append(facts.answers(db, as_of.instant).select(COLUMNS))
    if loaded.tables.has("surveys"):
        told = pl.scan_parquet(loaded.tables.paths["surveys"])
        known = told.filter((pl.col("answered_at") < end) & (pl.col("answer_known_at") < end))
        parts.append(known.select(pl.col(name) for name in COLUMNS).collect())
    kinds = {
        **dict.fromkeys(COLUMNS, pl.String()),
        "score": pl.Float64(),
        "answered_at": pl.Datetime("us"),
    }
    empty = pl.DataFrame(schema=kinds)
    every = pl.concat([empty, *(part.cast(kinds) for part in parts)])  # type: ignore[arg-type]
    return every.unique(["invitation_id", "metric"], keep="first", maintain_order=True)
