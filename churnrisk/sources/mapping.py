"""Decides which column of a source becomes which column of ours, and refuses to look at values.

Everything that is wrong with a mapping is found at once: each fault names what the file has instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..config import SourceSettings
from ..errors import Fault
from ..tables.contracts import SourceTable
from .header import FirstRow, nearest
from .raw import RawTable

EVERYTHING = "*"
"""In ``exclude``: every column that is not named in ``columns``."""


@dataclass(frozen=True)
class ColumnMap:
    """For one file: our column -> the file's column; our column -> fixed value; further columns by their name."""

    taken: dict[str, str]
    fixed: dict[str, str]
    extras: dict[str, str] = field(default_factory=dict)
    carried: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The file's columns that must be read."""
        return tuple(dict.fromkeys([*self.taken.values(), *self.extras.values(), *self.carried]))

    def theirs(self, ours: str) -> str:
        """Return the file's name of our column, or ours when it is fixed or made."""
        return self.taken.get(ours, ours)

    def gives(self, ours: str) -> bool:
        """Say whether the file or a fixed value gives our column."""
        return ours in self.taken or ours in self.fixed


@dataclass
class _Mapper:
    table: SourceTable
    settings: SourceSettings
    raw: RawTable
    carry: Sequence[str]
    faults: list[Fault] = field(default_factory=list)

    @property
    def where(self) -> str:
        return self.raw.name

    @cached_property
    def names(self) -> Sequence[str]:
        return self.raw.column_names()

    def mapped(self) -> ColumnMap:
        if self.settings.header and self.first_row.is_repeated:
            self._no_header()
        taken, extras = self._declared()
        fixed = self._fixed()
        if self.settings.header:
            for name in self.table.columns:
                if (
                    name in self.names
                    and name not in taken
                    and name not in fixed
                    and name not in taken.values()
                ):
                    taken[name] = name
        carried = tuple(name for name in self.carry if name in self.names)
        if self.table.extra and self.settings.header and EVERYTHING not in self.settings.exclude:
            used = {*taken.values(), *extras.values(), *carried, *map(str.strip, self.settings.exclude)}
            extras |= {name: name for name in self.names if name and name not in used}
        for name in self.table.required:
            if name not in taken and name not in fixed and not any(self._maps(name)):
                self._missing(name, f"a column for {name}, which every row needs", "none")
        self._check_lists()
        self._check_missing({*taken, *fixed, *extras})
        return ColumnMap(taken, fixed, extras, carried)

    def _maps(self, ours: str) -> Iterator[bool]:
        yield ours in self.settings.columns

    def _declared(self) -> tuple[dict[str, str], dict[str, str]]:
        taken: dict[str, str] = {}
        extras: dict[str, str] = {}
        for ours, theirs in self.settings.columns.items():
            if ours not in self.table.columns and (not self.table.extra or self._misspelt(ours, theirs)):
                self._unknown(ours, "columns")
                continue
            name = self._found(ours, theirs)
            if name is not None:
                (taken if ours in self.table.columns else extras)[ours] = name
        return taken, extras

    def _misspelt(self, ours: str, theirs: str | int) -> bool:
        """Say whether a name is nearly one of ours; a column that keeps its own name was not renamed by mistake."""
        return bool(nearest(ours, self.table.columns)) and ours != theirs

    def _found(self, ours: str, theirs: str | int) -> str | None:
        if isinstance(theirs, int):
            if 1 <= theirs <= len(self.names) and self.names[theirs - 1]:
                return self.names[theirs - 1]
            self._missing(ours, f"a column {theirs} for {ours}", f"{len(self.names)} columns")
            return None
        if theirs.strip() in self.names:
            return theirs.strip()
        self._missing(theirs, f"a column {theirs!r} for {ours}", "none of that name")
        return None

    def _fixed(self) -> dict[str, str]:
        for ours in self.settings.values:
            if ours not in self.table.columns:
                self._unknown(ours, "values")
        return {ours: value for ours, value in self.settings.values.items() if ours in self.table.columns}

    def _check_lists(self) -> None:
        for key in ("exclude", "constant", "text"):
            for name in getattr(self.settings, key):
                if name.strip() not in self.names and name != EVERYTHING:
                    self._missing(
                        name,
                        f"a column {name!r}, named in {key}",
                        "none of that name",
                        remedy="Correct or remove it.",
                    )

    def _check_missing(self, known: set[str]) -> None:
        if isinstance(self.settings.missing, dict):
            for name in self.settings.missing:
                if name not in self.names and name not in known:
                    self._missing(
                        name,
                        f"a column {name!r}, named in missing",
                        "none of that name",
                        remedy="Correct or remove it.",
                    )

    def _missing(self, name: str, expected: str, found: str, *, remedy: str = "") -> None:
        if not self._has_header:
            self._no_header()
            return
        near = difflib.get_close_matches(
            name.strip().casefold(), [item.casefold() for item in self._told], n=1
        )
        like = next((item for item in self._told if near and item.casefold() == near[0]), None)
        self.faults.append(
            Fault(
                "column_missing",
                self.where,
                expected,
                found,
                f"Did you mean {like!r}?" if like else remedy or self._naming(),
                self._told,
            )
        )

    @cached_property
    def first_row(self) -> FirstRow:
        """The first row of the file, which without a header is somebody's."""
        return first_row(self.table, self.settings, self.raw, self.carry)

    @property
    def _has_header(self) -> bool:
        return not self.settings.header or self.first_row.is_header

    @property
    def _told(self) -> tuple[str, ...]:
        return self.first_row.told if self.settings.header else tuple(filter(None, self.names))

    def _no_header(self) -> None:
        """Say once that the first row looks like data, and nothing of what stands there."""
        if any(fault.code == "header_missing" for fault in self.faults):
            return
        remedy = (
            f"Write the names of the columns above the rows, as `churnrisk schema {self.table.name}` has them: "
            f"{', '.join(self.table.columns)}; needed: {', '.join(self.table.required)}."
        )
        if not is_record(self.table):
            remedy += (
                f" If they have other names there, name those in [sources.{self.table.name}] columns; without any, set "
                "header = false and map by position."
            )
        self.faults.append(
            Fault(
                "header_missing",
                self.where,
                "names of columns in the first row",
                "a first row that does not look like a header",
                remedy,
            )
        )

    def _naming(self) -> str:
        """Say how a column gets our name: a file to record has no section in the settings."""
        if is_record(self.table):
            return f"Rename a column of the file; `churnrisk schema {self.table.name}` lists them."
        return f"Name it in [sources.{self.table.name}] columns."

    def _unknown(self, ours: str, key: str) -> None:
        near = nearest(ours, self.table.columns, 0.6)
        if near:
            remedy = f"Did you mean {near}?"
            if self.table.extra and key == "columns":
                remedy += f" If it is another {self.table.extra}, give it a name less like {near}."
        else:
            remedy = "Remove it; `churnrisk schema` lists what there is."
        self.faults.append(
            Fault(
                "mapping_unknown",
                f"churnrisk.toml [sources.{self.table.name}] {key}",
                f"a column of {self.table.name}",
                repr(ours),
                remedy,
                tuple(self.table.columns),
            )
        )


def known_names(settings: SourceSettings) -> set[str]:
    """Return the names of columns that the settings of a source expect in its file."""
    missing = settings.missing if isinstance(settings.missing, dict) else ()
    named = [*settings.exclude, *settings.constant, *settings.text, *missing]
    return {*named, *(name for name in settings.columns.values() if isinstance(name, str))} - {EVERYTHING}


def is_record(table: SourceTable) -> bool:
    """Say whether a table is that of a file to record."""
    return table.kind_words == "record"


def first_row(table: SourceTable, settings: SourceSettings, raw: RawTable, carry: Sequence[str]) -> FirstRow:
    """Return the first row of a file beside the names that are expected there."""
    known = frozenset({*table.columns, *known_names(settings), *carry})
    return FirstRow(raw.column_names(), known, raw.first_records(), needs_known=is_record(table))


def mapped_columns(
    table: SourceTable, settings: SourceSettings, raw: RawTable, *, carry: Sequence[str]
) -> tuple[ColumnMap, list[Fault]]:
    """Return the column map of one file and every fault of it."""
    mapper = _Mapper(table, settings, raw, carry if table.name == "customers" else ())
    return mapper.mapped(), mapper.faults
