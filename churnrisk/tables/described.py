"""What ``churnrisk schema`` and the documentation say of tables: all or one, as text, Markdown or plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import Fault, UsageError
from .contracts import SOURCE_TABLES
from .published import PUBLISHED


class Described(Protocol):
    """A contract that can describe itself."""

    def text(self) -> str:
        """For a terminal."""

    def markdown(self) -> str:
        """For the documentation."""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""


@dataclass(frozen=True)
class TableDocs:
    """Descriptions of some tables, sources apart from published ones."""

    sources: Mapping[str, Described]
    published: Mapping[str, Described]

    def text(self) -> str:
        """Describe them for a terminal."""
        return "\n\n".join(table.text() for table in (*self.sources.values(), *self.published.values()))

    def as_dict(self) -> dict[str, Any]:
        """Give them as plain values for ``--json``."""
        return {
            "sources": {name: table.as_dict() for name, table in self.sources.items()},
            "published": {name: table.as_dict() for name, table in self.published.items()},
        }

    def markdown(self) -> str:
        """Describe them as a page of the documentation."""
        lines = ["# Tables", "", "What you bring (sources) and what you read (published tables).", ""]
        lines += [table.markdown() for table in self.sources.values()]
        lines += [table.markdown() for table in self.published.values()]
        return "\n".join(lines).rstrip() + "\n"


def documented_tables(name: str | None = None) -> TableDocs:
    """Return the descriptions of every table, or of the one called ``name``.

    Raises
    ------
    UsageError
        There is no table of that name.
    """
    if name is None:
        return TableDocs(SOURCE_TABLES, PUBLISHED)
    if name not in SOURCE_TABLES and name not in PUBLISHED:
        raise UsageError(
            Fault(
                code="table_unknown",
                where="churnrisk schema",
                expected="a source or a published table",
                found=repr(name),
                remedy="Choose one.",
                available=(*SOURCE_TABLES, *PUBLISHED),
            )
        )
    return TableDocs(
        {name: SOURCE_TABLES[name]} if name in SOURCE_TABLES else {},
        {name: PUBLISHED[name]} if name in PUBLISHED else {},
    )
