"""Validated tables on disk: one folder per table and fingerprint, reused while source, settings and code are the same.

It decides when a table may be used again and how many versions stay, and refuses to know how one is made.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import polars as pl

from ..config import TimeSettings
from ..store import Engine
from .keys import roster_hash
from .opening import OpenedSource
from .reports import SourceReport

KEPT_VERSIONS = 3
"""Versions of a validated table that stay on disk: tonight's and those that a repeated run may ask for. A guess;
an older one is made again from its source when asked for."""


USED = "used"
"""Stands in the folder of each version that was ever part of sources that were loaded; its time says when last."""


class KeptTables:
    """The folder ``lake/tables`` of a workspace."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake

    def folder(self, name: str, fingerprint: str) -> Path:
        """Return where a version of a table lies, whether it is there or not."""
        return self._lake / "tables" / name / fingerprint[:32]

    def newest(self, name: str) -> Path | None:
        """Return the file of the version that was loaded last; None where none is there.

        A version that was made while loading was then refused is none: nobody ever acted on it.
        """
        tables = (self._lake / "tables" / name).glob("*/part-0.parquet")
        used = [path for path in tables if path.with_name(USED).is_file()]
        return max(used, key=lambda path: path.with_name(USED).stat().st_mtime_ns, default=None)

    def report(self, name: str, fingerprint: str) -> SourceReport | None:
        """Return the report of a version that is there; None when it has to be made."""
        path = self.folder(name, fingerprint) / "report.json"
        return SourceReport.read(path) if path.is_file() else None

    def put(self, report: SourceReport, made: Path) -> None:
        """Move the folder ``made`` to its place, over what was there."""
        target = self.folder(report.source, report.fingerprint)
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(target)

    def registered_roster(self, engine: Engine, report: SourceReport) -> bool:
        """Make keys and ids of the customers of a report readable as ``roster``; False when they are no longer so."""
        keys = self._lake / "keys.parquet"
        if not keys.is_file():
            return False
        table = self.folder("customers", report.fingerprint) / "part-0.parquet"
        present = pl.scan_parquet(table).select(pl.col("customer_key").unique())
        roster = pl.scan_parquet(keys).join(present, on="customer_key", how="semi").collect()
        if roster["customer_id"].null_count() or roster_hash(roster) != report.roster:
            return False
        engine.register("roster", roster)
        return True


def pruned(used: Iterable[Path]) -> None:
    """Mark versions as used and remove those of the same tables beyond the newest few."""
    for current in used:
        current.touch()
        (current / USED).touch()
        versions = sorted(current.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in versions[KEPT_VERSIONS:]:
            shutil.rmtree(old, ignore_errors=True)


def hashed(*parts: object) -> str:
    """Return a hash of plain values and of the code that loads."""
    return hashlib.sha256(
        json.dumps([_code_hash(), *parts], default=str, sort_keys=True).encode()
    ).hexdigest()


def raw_fingerprint(source: OpenedSource, time: TimeSettings) -> str:
    """Return a hash of the files of a source and of the settings that read them."""
    parts: list[object] = [time.model_dump(mode="json")]
    for part in source.parts:
        settings = part.settings.model_dump(
            mode="json", exclude={"max_bad_share", "max_age_days", "true_base_rate"}
        )
        files = sorted((raw.name, raw.fingerprint) for raw, _ in part.files)
        parts.append([settings, files])
    return hashed(source.table.name, *parts)


@cache
def _code_hash() -> str:
    """Return a hash of the code that loads: tables made by other code are made again."""
    here = Path(__file__).parent
    files = sorted([*here.rglob("*.py"), *(here.parent / "tables").rglob("*.py"), here.parent / "dates.py"])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
