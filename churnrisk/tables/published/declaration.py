"""How a published table is declared, and what is made of it: audit, comments, documentation.

It decides what can be said of a column, and refuses to know any one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...store.audits import ColumnRule, TableRule

Kind = Literal["text", "number", "integer", "boolean", "date", "instant"]


@dataclass(frozen=True)
class PublishedColumn:
    """One column: ``null_meaning`` is empty when null may not stand."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    null_meaning: str = ""
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> ColumnRule:
        """What the audit checks."""
        return ColumnRule(
            self.name, self.kind, bool(self.null_meaning), self.low, self.high, self.words, self.comment
        )

    @property
    def comment(self) -> str:
        """The meaning in one line, unit and null included."""
        unit = f" [{self.unit}]" if self.unit else ""
        null = f"; null: {self.null_meaning}" if self.null_meaning else ""
        return f"{self.meaning}{unit}{null}"

    @property
    def range_words(self) -> str:
        """The range or the words allowed, for reading."""
        if self.words:
            return ", ".join(self.words)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"at least {self.low:g}" if self.low is not None else ""


@dataclass(frozen=True)
class PublishedTable:
    """One table: key, columns, references, where it lies."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rising: tuple[str, ...] = ()
    min_rows: int = 0
    open_note: str = ""
    """Says where further columns are declared; empty when there are none."""
    is_restricted: bool = False
    is_log: bool = False

    @property
    def rule(self) -> TableRule:
        """What the audit checks and publishing needs."""
        return TableRule(
            name=self.name,
            key=self.key,
            columns=tuple(column.rule for column in self.columns),
            references=self.references,
            rising=self.rising,
            min_rows=self.min_rows,
            is_open=bool(self.open_note),
            is_restricted=self.is_restricted,
            is_log=self.is_log,
        )

    @property
    def kind(self) -> str:
        """What stands behind the name in headings."""
        return "published"

    @property
    def place(self) -> str:
        """Where the files lie, relative to the workspace."""
        top, part = (
            ("restricted" if self.is_restricted else "published"),
            ("<run_id>" if self.is_log else "0"),
        )
        return f"{top}/{self.name}/as_of=YYYY-MM-DD/part-{part}.parquet"

    def as_dict(self) -> dict[str, Any]:
        """Give the contract as plain values for ``--json``."""
        return {
            "table": self.name,
            "meaning": self.meaning,
            "place": self.place,
            "key": list(self.key),
            "references": {column: ".".join(target) for column, target in self.references.items()},
            "further_columns": self.open_note or None,
            "columns": [
                {
                    "name": column.name,
                    "type": column.kind,
                    "unit": column.unit or None,
                    "range": column.range_words or None,
                    "required": not column.null_meaning,
                    "meaning": column.meaning,
                    "null_means": column.null_meaning or None,
                }
                for column in self.columns
            ],
        }

    def text(self) -> str:
        """Describe the table for a terminal."""
        width = max(len(column.name) for column in self.columns)
        lines = [
            f"{self.name} ({self.kind}): {self.meaning}",
            f"  {self.place}",
            f"  key: {', '.join(self.key)}",
        ]
        for column in self.columns:
            limits = ", ".join(filter(None, (column.kind, column.unit, column.range_words)))
            null = f"; null: {column.null_meaning}" if column.null_meaning else ""
            lines.append(f"  {column.name:<{width}}  {column.meaning} ({limits}{null})")
        if self.open_note:
            lines.append(f"  and: {self.open_note}")
        return "\n".join(lines)

    def markdown(self) -> str:
        """Describe the table as a section of the documentation."""
        lines = [
            f"## {self.name} ({self.kind})",
            "",
            f"{self.meaning} Key: {', '.join(f'`{name}`' for name in self.key)}. In `{self.place}`.",
            "",
            "| column | type | unit | range | meaning | null means |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for column in self.columns:
            cells = (
                f"`{column.name}`",
                column.kind,
                column.unit,
                column.range_words,
                column.meaning,
                column.null_meaning or "never null",
            )
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        if self.open_note:
            lines += ["", self.open_note]
        return "\n".join([*lines, ""])
