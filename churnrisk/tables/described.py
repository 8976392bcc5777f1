"""What ``churnrisk schema`` and the documentation say of tables: all or one, as text, Markdown or plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from ..errors import Fault, UsageError
from .contracts import RECORDED_TABLES, SOURCE_TABLES
from .files import FILES
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
    """Descriptions of some tables: sources, files to record, published ones, and those that are only files."""

    sources: Mapping[str, Described]
    recorded: Mapping[str, Described]
    published: Mapping[str, Described]
    files: Mapping[str, Described]

    @property
    def tables(self) -> Iterator[Described]:
        """All of them, in that order."""
        return chain(
            self.sources.values(), self.recorded.values(), self.published.values(), self.files.values()
        )

    def text(self) -> str:
        """Describe them for a terminal."""
        return "\n\n".join(table.text() for table in self.tables)

    def as_dict(self) -> dict[str, Any]:
        """Give them as plain values for ``--json``."""
        return {
            "sources": {name: table.as_dict() for name, table in self.sources.items()},
            "recorded": {name: table.as_dict() for name, table in self.recorded.items()},
            "published": {name: table.as_dict() for name, table in self.published.items()},
            "files": {name: table.as_dict() for name, table in self.files.items()},
        }

    def markdown(self) -> str:
        """Describe them as a page of the documentation."""
        lines = [
            "# Tables",
            "",
            "What you bring (sources), what you record, what you read (published tables), and what is only a file.",
            "",
        ]
        lines += [table.markdown() for table in self.tables]
        return "\n".join(lines).rstrip() + "\n"


def documented_tables(name: str | None = None) -> TableDocs:
    """Return the descriptions of every table, or of the one called ``name``.

    Raises
    ------
    UsageError
        There is no table of that name.
    """
    if name is None:
        return TableDocs(SOURCE_TABLES, RECORDED_TABLES, PUBLISHED, FILES)
    if name not in {**SOURCE_TABLES, **RECORDED_TABLES, **PUBLISHED, **FILES}:
        raise UsageError(
            Fault(
                code="table_unknown",
                where="churnrisk schema",
                expected="a source, a table to record, a published table or a file",
                found=repr(name),
                remedy="Choose one.",
                available=tuple(dict.fromkeys((*SOURCE_TABLES, *RECORDED_TABLES, *PUBLISHED, *FILES))),
            )
        )
    return TableDocs(
        {name: SOURCE_TABLES[name]} if name in SOURCE_TABLES else {},
        {name: RECORDED_TABLES[name]} if name in RECORDED_TABLES else {},
        {name: PUBLISHED[name]} if name in PUBLISHED else {},
        {name: FILES[name]} if name in FILES else {},
    )
