"""What the validated tables of a run are: names, files, attributes. It refuses to know how they were loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..dates import AsOf

ATTRIBUTE_PREFIX = "attribute_"
"""Columns of ``customers`` and ``labelled`` that hold a user's own attribute begin so."""


class Registers(Protocol):
    """Whatever can make a Parquet file readable as a table."""

    def register(self, name: str, source: Path) -> None:
        """Make ``source`` readable as ``name``."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of customers, as the user's extract names it.

    ``column`` is its column in the validated table. ``is_constant`` says that it may be used before the date of the
    extract; ``is_text`` that it is a category although its values look like numbers.
    """

    name: str
    column: str
    is_constant: bool = False
    is_text: bool = False


@dataclass(frozen=True)
class LakeTables:
    """The validated tables of one run: Parquet files by table name, only those the user has."""

    paths: Mapping[str, Path]
    attributes: tuple[Attribute, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    kept: Path | None = None
    """Folder where what is counted from these tables may be kept for the next night; None = nowhere."""
    kept_for: tuple[AsOf, ...] = ()
    """Dates that will all be looked at: what is kept is cut so that each day is counted once for all of them. No value
    depends on it."""

    def has(self, table: str) -> bool:
        """Say whether the user has this table."""
        return table in self.paths

    def register(self, engine: Registers) -> None:
        """Make every table readable under its name."""
        for name, path in sorted(self.paths.items()):
            engine.register(name, path)
