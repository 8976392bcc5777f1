"""Opens a source: its files, frames or query, which column is which, and what of that is wrong.

It decides what can be told before a row is read, and refuses to read one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config import CONSENTS, Config, SourceSettings, resolved_secret
from ..errors import Fault, did_you_mean
from ..tables.contracts import SOURCE_TABLES, SourceTable
from .columnar import ParquetTable, stored_frame, stored_query
from .delimited import DelimitedTable
from .files import is_parquet, located_files
from .mapping import ColumnMap, first_row, mapped_columns
from .misread import lost_consents, misread_columns
from .raw import RawTable, SourceFault
from .stage import Part
from .verdicts import zone_fault

SHOWN_NAMES = 5
"""Names told in one message before it ends in dots."""


@dataclass
class OpenedSource:
    """One source of the configuration: its parts with their files, and what is wrong with them."""

    table: SourceTable
    parts: list[Part] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_missing: bool = False
    derived_from: str | None = None
    on_consents: list[str] = field(default_factory=list)
    """What is to be said where customers are made from this source: columns of it that sound like consents."""

    def add(self, fault: SourceFault) -> None:
        self.faults += fault.faults
        self.is_missing |= fault.is_missing

    @property
    def settings(self) -> SourceSettings:
        return self.parts[0].settings if self.parts else SourceSettings()


@dataclass
class Opener:
    """Opens the sources of one workspace; ``scratch`` takes frames and query results."""

    root: Path
    config: Config
    environment: Mapping[str, str]
    frames: Mapping[str, object]
    scratch: Path

    def opened(self, name: str) -> OpenedSource:
        """Return the source called ``name`` with its files opened, mapped and whatever is wrong with them."""
        source = OpenedSource(SOURCE_TABLES[name])
        parts = self.config.sources.get(name, (SourceSettings(),))  # type: ignore[call-overload]
        if name in self.frames:
            parts = parts[:1]
        for position, settings in enumerate(parts, start=1):
            label = f"sources.{name}" if len(parts) == 1 else f"sources.{name} {position}"
            if settings.from_ is not None and name not in self.frames:
                source.derived_from = settings.from_
                continue
            self._open_part(source, settings, label)
        if name == "customers":
            self._check_carried(source)
        return source

    def _check_carried(self, source: OpenedSource) -> None:
        files = [(part.settings, *pair) for part in source.parts for pair in part.files]
        carry = self.config.lists.carry
        rows = [first_row(source.table, settings, raw, carry) for settings, raw, _ in files]
        there = tuple(dict.fromkeys(item for row in rows for item in row.told))
        for name in self.config.lists.carry:
            if files and not any(name in mapping.carried for *_, mapping in files):
                source.faults.append(
                    Fault(
                        "column_missing",
                        "churnrisk.toml [lists] carry",
                        f"a column {name!r} of customers",
                        "none of that name",
                        did_you_mean(name, there)
                        or "Name a column of the customers' file, or take it out of carry.",
                        there,
                    )
                )

    def _open_part(self, source: OpenedSource, settings: SourceSettings, label: str) -> None:
        carry = self.config.lists.carry
        files: list[tuple[RawTable, ColumnMap]] = []
        try:
            tables = self._tables(source, settings, label)
        except SourceFault as fault:
            source.add(fault)
            return
        for make in tables:
            try:
                raw = make()
                mapping, faults = mapped_columns(source.table, settings, raw, carry=carry)
            except SourceFault as fault:
                source.add(fault)
                continue
            source.faults += faults
            files.append((raw, mapping))
        source.parts.append(Part(settings, tuple(files)))
        self._check_names(source, settings, files)
        self._check_part(source, settings, files, label)

    def _check_names(
        self, source: OpenedSource, settings: SourceSettings, files: Sequence[tuple[RawTable, ColumnMap]]
    ) -> None:
        """Judge columns that look like ours; what many files of a part have in common is told of the first."""
        origins = {part.from_ for part in self.config.sources.get("customers", ())}
        filled = [each for each in CONSENTS if self.config.privacy.meaning_of_missing(each) is not None]
        carry = self.config.lists.carry if source.table.name == "customers" else ()
        told: set[object] = set()
        for raw, mapping in files:
            found = misread_columns(source.table, settings, raw, mapping, carry=carry, filled=filled)
            source.faults += [fault for fault in found.faults if fault.remedy not in told]
            said = {text.removeprefix(raw.name): text for text in found.warnings}
            raw.warnings += [text for what, text in said.items() if what not in told]
            told |= {*said, *(fault.remedy for fault in found.faults)}
            if source.table.name in origins and source.table.extra == "attribute" and filled:
                source.on_consents += lost_consents(source.table, settings, raw, mapping)

    def _tables(
        self, source: OpenedSource, settings: SourceSettings, label: str
    ) -> Sequence[Callable[[], RawTable]]:
        name = source.table.name
        stored = self.scratch / "raw" / f"{name}-{len(source.parts)}.parquet"
        if name in self.frames:
            path = stored_frame(self.frames[name], stored, f"frame {name}")
            return [lambda: ParquetTable(path, f"frame {name}", where=f"frame {name}")]
        if settings.database is not None:
            url = resolved_secret(settings.database, self.environment, f"[{label}] database")
            query = stored_query(str(url), str(settings.query), stored, f"[{label}]")
            return [lambda: ParquetTable(query, f"query of {label}", where=f"[{label}]")]
        if not settings.paths:
            raise SourceFault(
                Fault(
                    "source_missing",
                    f"churnrisk.toml [{label}]",
                    "path, database or from",
                    "none",
                    "Say where it is.",
                )
            )
        found = located_files(settings.paths, self.root, f"churnrisk.toml [{label}] path")
        hints = [str(item) for item in settings.columns.values()] + list(source.table.columns)
        return [self._file_opener(path, settings, hints) for path in found]

    def _file_opener(
        self, path: Path, settings: SourceSettings, hints: Sequence[str]
    ) -> Callable[[], RawTable]:
        root = self.root
        name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        if is_parquet(path):
            return lambda: ParquetTable(path, name, where=name)
        return lambda: DelimitedTable(path, name, settings, where=name, hints=hints)

    def _check_part(
        self,
        source: OpenedSource,
        settings: SourceSettings,
        files: list[tuple[RawTable, ColumnMap]],
        label: str,
    ) -> None:
        origin = settings.time_origin
        if origin is not None and origin.tzinfo is None and not (settings.zone or self.config.time.zone):
            source.faults.append(zone_fault(f"churnrisk.toml [{label}] time_origin"))
        if source.table.name != "customers" or source.faults:
            return
        for raw, mapping in files:
            self._check_dated(source, settings, raw, mapping)

    def _check_dated(
        self, source: OpenedSource, settings: SourceSettings, raw: RawTable, mapping: ColumnMap
    ) -> None:
        dated = mapping.gives("valid_from") or mapping.gives("known_at") or settings.extracted_on is not None
        constant = set(settings.constant)
        changing = [ours for ours, theirs in mapping.extras.items() if not {ours, theirs} & constant]
        changing += [
            name
            for name in ("monthly_value", "language")
            if mapping.gives(name) and not {name, mapping.theirs(name)} & constant
        ]
        if dated or not changing or settings.accept_current_attributes:
            return
        row = first_row(source.table, settings, raw, self.config.lists.carry)
        told = [
            name if theirs not in row.names or row.may_tell(theirs) else row.called(theirs)
            for name in changing[:SHOWN_NAMES]
            for theirs in [mapping.extras.get(name, name)]
        ]
        shown = ", ".join(told) + (" ..." if len(changing) > SHOWN_NAMES else "")
        source.faults.append(
            Fault(
                "extract_undated",
                raw.name,
                "a date from which attributes were known",
                f"no valid_from, known_at or extracted_on, and {len(changing)} columns that may change: {shown}",
                "Map valid_from or known_at, or write extracted_on = the day of the extract; list columns that never "
                "change in constant, or those that are no attributes in exclude; or set accept_current_attributes = "
                "true, which flatters the model and is said in every report.",
            )
        )
