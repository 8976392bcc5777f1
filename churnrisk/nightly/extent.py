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
    places: Mapping[str, Path]
    seconds: Mapping[str, float] = field(default_factory=dict)

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
        }


@dataclass(frozen=True)
class Extent:
    """How far a run goes: ``score`` writes no report, ``backfill`` neither report nor lists."""

    command: str
    makes_lists: bool = True
    makes_report: bool = True


NIGHTLY = Extent("nightly")
SCORE = Extent("score", makes_report=False)
BACKFILL = Extent("backfill", makes_lists=False, makes_report=False)
