"""How far a run goes, and what it left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Night:
    """What a night left behind: rows per published table, warnings, and where people find the files."""

    as_of: date
    run_id: str
    model_version: str
    rows: Mapping[str, int]
    warnings: tuple[str, ...]
    places: Mapping[str, Path] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    decided: Mapping[str, Any] = field(default_factory=dict)
    """What was decided, in numbers: budgets, spent, counts by reason, what other budgets would buy."""

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            "run_id": self.run_id,
            "model_version": self.model_version,
            "rows": dict(self.rows),
            "warnings": list(self.warnings),
            "places": {name: str(path) for name, path in self.places.items()},
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "decided": dict(self.decided),
        }


@dataclass(frozen=True)
class Extent:
    """How far a run goes: ``score`` decides nothing and writes no report, ``backfill`` writes no lists either.

    ``decide`` writes no report; with ``is_dry`` it writes nothing at all.
    """

    command: str
    makes_lists: bool = True
    makes_report: bool = True
    decides: bool = False
    is_dry: bool = False


NIGHTLY = Extent("nightly", decides=True)
DECIDE = Extent("decide", makes_report=False, decides=True)
DRY_RUN = Extent("decide --dry-run", makes_report=False, decides=True, is_dry=True)
SCORE = Extent("score", makes_report=False)
BACKFILL = Extent("backfill", makes_lists=False, makes_report=False)
