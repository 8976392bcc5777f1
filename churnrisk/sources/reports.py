"""What loading one source found: counts, periods and reasons, as plain values that go to JSON and back.

It decides nothing and knows no rows: counts, column names and dates only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..tables.faults import is_harmless


@dataclass(frozen=True)
class FaultCount:
    """How many rows were rejected first for this, and where the first of them stands."""

    code: str
    column: str
    n_rows: int
    reason: str
    first_file: str
    first_row: int


@dataclass(frozen=True)
class SourceReport:
    """One source after loading; ``n_kept + n_quarantined = n_read`` always."""

    source: str
    fingerprint: str
    files: tuple[str, ...]
    n_read: int
    n_kept: int
    n_quarantined: int
    faults: tuple[FaultCount, ...] = ()
    first_happened: datetime | None = None
    last_happened: datetime | None = None
    last_known: datetime | None = None
    n_customers: int | None = None
    nulls: Mapping[str, int] = field(default_factory=dict)
    """Null values per column of the validated table."""
    n_rows: int = 0
    """Rows of the validated table; for usage one per metric that is not null."""
    n_without_consent: Mapping[str, int] = field(default_factory=dict)
    needs_zone: bool = False
    n_positive: int | None = None
    attributes: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    roster: str = ""
    """Hash of the customers and their keys that the table was made with."""
    warnings: tuple[str, ...] = ()

    @property
    def n_harmless(self) -> int:
        """Rows that merely repeat what is known."""
        return sum(fault.n_rows for fault in self.faults if is_harmless(fault.code))

    @property
    def bad_share(self) -> float:
        """Share of the rows read that break the contract, repeated rows not counted."""
        return (self.n_quarantined - self.n_harmless) / self.n_read if self.n_read else 0.0

    def by_code(self) -> dict[str, int]:
        """Rows rejected per code."""
        found: dict[str, int] = {}
        for fault in self.faults:
            found[fault.code] = found.get(fault.code, 0) + fault.n_rows
        return found

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(
            json.dumps(asdict(self), default=str, ensure_ascii=False, indent=1, sort_keys=True),
            encoding="utf-8",
        )

    @classmethod
    def read(cls, path: Path) -> SourceReport:
        """Read what :meth:`write` wrote."""
        plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in ("first_happened", "last_happened", "last_known"):
            plain[name] = datetime.fromisoformat(plain[name]) if plain[name] else None
        for name in ("files", "attributes", "carried", "metrics", "warnings"):
            plain[name] = tuple(plain[name])
        plain["faults"] = tuple(FaultCount(**fault) for fault in plain["faults"])
        return cls(**plain)
