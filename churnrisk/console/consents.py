"""What the customers' file says of consents while the console runs: of the version that was loaded last, read once.

It decides when it has to be read again, and refuses to load sources: that a night or another command does.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from pathlib import Path

import polars as pl

from ..ledger import crm_consents
from ..logs import logger
from ..sources.kept import KeptTables
from ..sources.keys import KEYS_NAME
from ..tables.lake import LakeTables


class FileConsents:
    """Consents by the customers' file, kept until another version is loaded, or a row of this one comes into force."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self._version: Hashable = None
        self._found = pl.DataFrame()
        self._until: datetime | None = None
        self._code = ""

    def at(self, now: datetime) -> pl.DataFrame | None:
        """Return `crm_consents` as they are now (naive UTC); None, which the log tells once, where nobody can say."""
        try:
            newest = KeptTables(self._lake).newest("customers")
            if newest is None:
                self._tell("customers_not_loaded")
                return None
            tables = LakeTables({"customers": newest, "keys": self._lake / KEYS_NAME})
            version = tuple((path, path.stat().st_mtime_ns) for path in tables.paths.values())
            if version != self._version or (self._until is not None and now > self._until):
                self._version = None  # what follows may fail half way
                self._found, self._until = crm_consents(tables, now), _next_word(newest, now)
                self._version = version
        except (OSError, pl.exceptions.PolarsError):
            self._tell("customers_unreadable")
            return None
        self._tell("")
        return self._found

    def _tell(self, code: str) -> None:
        if code and code != self._code:
            logger().warning("messages_held_back", code=code)
        self._code = code


def _next_word(customers: Path, now: datetime) -> datetime | None:
    """Return when the next row of the file comes into force; None where all are."""
    begins = pl.max_horizontal("known_at", "valid_from")
    found = pl.scan_parquet(customers).select(begins.filter(begins >= now).min()).collect().item()
    return found if isinstance(found, datetime) else None
