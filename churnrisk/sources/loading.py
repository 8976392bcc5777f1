"""Loads every source of a workspace: finds, reads, checks, settles, or reuses what was made from the same bytes.

It decides the order of sources and which faults stop a run, and refuses to know a single row. All faults of all
sources come in one error.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import polars as pl

from ..config import CONSENTS, Config, SourceSettings, resolved_secret
from ..errors import ContractError, Fault, SourceMissing
from ..store import Engine, Workspace
from ..tables.contracts import SOURCE_TABLES, SourceTable
from ..tables.lake import ATTRIBUTE_PREFIX, Attribute, LakeTables
from . import derived
from .columnar import ParquetTable, stored_frame, stored_query
from .delimited import DelimitedTable
from .files import is_parquet, located_files
from .keys import roster_hash, roster_of
from .mapping import ColumnMap, mapped_columns
from .quarantine import fault_counts, write_quarantine
from .raw import RawTable, SourceFault
from .reports import SourceReport
from .settle import RowGroups, Settled, engine_batches, settled
from .stage import Part, Stage, merged_consents, staged

ORDER = ("labelled", "offers", "calls", "surveys", "interactions", "usage", "events", "treatments")
"""Order in which sources other than customers are loaded."""

WITHOUT_KEYS = frozenset({"offers", "labelled"})
"""Sources whose rows do not depend on who is a customer."""

CARRY = "carry"

KEPT_VERSIONS = 3
"""Versions of a validated table that stay on disk: tonight's and those that a repeated run may ask for. A guess;
an older one is made again from its source when asked for."""


@dataclass(frozen=True)
class LoadedSources:
    """The validated tables of a workspace, what loading found, and where rejected rows lie."""

    tables: LakeTables
    reports: Mapping[str, SourceReport]
    quarantine: Mapping[str, Path]
    warnings: tuple[str, ...] = ()

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Hash of what each table was made from."""
        return self.tables.fingerprints


@dataclass
class _Source:
    """One source of the configuration: its parts with their files, and what is wrong with them."""

    table: SourceTable
    parts: list[Part] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_missing: bool = False
    derived_from: str | None = None

    def add(self, fault: SourceFault) -> None:
        self.faults += fault.faults
        self.is_missing |= fault.is_missing

    @property
    def settings(self) -> SourceSettings:
        return self.parts[0].settings if self.parts else SourceSettings()


def load(
    workspace: Workspace,
    engine: Engine,
    *,
    environment: Mapping[str, str],
    frames: Mapping[str, object] | None = None,
    only: Iterable[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> LoadedSources:
    """Load the sources of a workspace into validated tables.

    Parameters
    ----------
    workspace : Workspace
        Whose settings say where sources are; its ``lake/tables`` holds the result, one folder per fingerprint.
    engine : Engine
        Sorts and joins; temporary names ``staged`` and ``roster`` are used and dropped.
    environment : Mapping
        Where secrets named as env:NAME are looked up.
    frames : Mapping of str to frame, optional
        Polars, Arrow or pandas frames by source name, read instead of the files.
    only : Iterable of str, optional
        Load these sources and customers only.
    progress : callable, optional
        Called with the name of each source when its turn comes.

    Raises
    ------
    ContractError
        With every fault of every source. SourceMissing when nothing but missing files is wrong.
    """
    work = workspace.lake / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        loader = _Loader(
            workspace, engine, environment, frames or {}, scratch=Path(scratch), progress=progress
        )
        return loader.run(None if only is None else {*only, "customers"})


class _Loader:
    def __init__(
        self,
        workspace: Workspace,
        engine: Engine,
        environment: Mapping[str, str],
        frames: Mapping[str, object],
        *,
        scratch: Path,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.workspace, self.engine, self.environment = workspace, engine, environment
        self.config: Config = workspace.config
        self.frames, self.scratch, self.progress = frames, scratch, progress
        self.stages: dict[str, Stage] = {}
        self.reports: dict[str, SourceReport] = {}
        self.paths: dict[str, Path] = {}
        self.folders: dict[str, Path] = {}
        self.faults: list[Fault] = []
        self.missing = True
        self.roster: str | None = None

    def run(self, wanted: set[str] | None) -> LoadedSources:
        names = [name for name in ("customers", *ORDER) if name in self.config.sources or name in self.frames]
        needed = self._needed(wanted)
        sources = {name: self._opened(name) for name in names if needed is None or name in needed}
        self._refuse_lonely(sources)
        if "labelled" in sources:
            self._load(sources["labelled"])
        if "customers" in sources:
            self._load_customers(sources)
        for name in ORDER:
            if name in sources and name != "labelled":
                self._load(sources[name])
        self._raise()
        return self._loaded()

    def _needed(self, wanted: set[str] | None) -> set[str] | None:
        origin = next((part.from_ for part in self.config.sources.get("customers", ()) if part.from_), None)
        return None if wanted is None else wanted | ({origin} if origin else set())

    def _refuse_lonely(self, sources: Mapping[str, _Source]) -> None:
        needing = [name for name in sources if name not in {"customers", "offers", "labelled"}]
        if "customers" not in sources and (needing or not sources):
            self._gather(
                [
                    Fault(
                        "source_missing",
                        "churnrisk.toml [sources.customers]",
                        "a source of customers",
                        "none",
                        'Name its file with path, or write from = "calls" to take whoever appears there.',
                    )
                ]
            )

    # opening: files, columns, fingerprints

    def _opened(self, name: str) -> _Source:
        source = _Source(SOURCE_TABLES[name])
        parts = self.config.sources.get(name, (SourceSettings(),))  # type: ignore[call-overload]
        if name in self.frames:
            parts = parts[:1]
        for position, settings in enumerate(parts, start=1):
            label = f"sources.{name}" if len(parts) == 1 else f"sources.{name} {position}"
            if settings.from_ is not None and name not in self.frames:
                source.derived_from = settings.from_
                continue
            self._open_part(source, settings, label)
        return source

    def _open_part(self, source: _Source, settings: SourceSettings, label: str) -> None:
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
                mapping, faults = mapped_columns(
                    source.table, settings, raw.column_names(), carry=carry, where=raw.name
                )
            except SourceFault as fault:
                source.add(fault)
                continue
            source.faults += faults
            files.append((raw, mapping))
        source.parts.append(Part(settings, tuple(files)))
        self._check_part(source, settings, files, label)

    def _tables(
        self, source: _Source, settings: SourceSettings, label: str
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
        found = located_files(settings.paths, self.workspace.root, f"churnrisk.toml [{label}] path")
        hints = [str(item) for item in settings.columns.values()] + list(source.table.columns)
        return [self._file_opener(path, settings, hints) for path in found]

    def _file_opener(
        self, path: Path, settings: SourceSettings, hints: Sequence[str]
    ) -> Callable[[], RawTable]:
        root = self.workspace.root
        name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        if is_parquet(path):
            return lambda: ParquetTable(path, name, where=name)
        return lambda: DelimitedTable(path, name, settings, where=name, hints=hints)

    def _check_part(
        self, source: _Source, settings: SourceSettings, files: list[tuple[RawTable, ColumnMap]], label: str
    ) -> None:
        origin = settings.time_origin
        if origin is not None and origin.tzinfo is None and not (settings.zone or self.config.time.zone):
            source.faults.append(_zone_fault(f"churnrisk.toml [{label}] time_origin"))
        if source.table.name != "customers" or source.faults:
            return
        for raw, mapping in files:
            self._check_dated(source, settings, raw.name, mapping)

    def _check_dated(self, source: _Source, settings: SourceSettings, where: str, mapping: ColumnMap) -> None:
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
        shown = ", ".join(changing[:5]) + (" ..." if len(changing) > 5 else "")  # noqa: PLR2004
        source.faults.append(
            Fault(
                "extract_undated",
                where,
                "a date from which attributes were known",
                f"no valid_from, known_at or extracted_on, and {len(changing)} columns that may change: {shown}",
                "Map valid_from or known_at, or write extracted_on = the day of the extract; list columns that never "
                "change in constant, or those that are no attributes in exclude; or set accept_current_attributes = "
                "true, which flatters the model and is said in every report.",
            )
        )

    # loading one table

    def _load_customers(self, sources: Mapping[str, _Source]) -> None:
        source = sources["customers"]
        if source.derived_from is None:
            self._load(source)
            return
        origin = sources.get(source.derived_from)
        if origin is None:
            self._gather(
                [
                    Fault(
                        "source_missing",
                        f"churnrisk.toml [sources.customers] from = {source.derived_from!r}",
                        f"a source {source.derived_from}",
                        "none",
                        f"Add [sources.{source.derived_from}].",
                    )
                ]
            )
            return
        self._derive(source, origin)

    def _derive(self, source: _Source, origin: _Source) -> None:
        """Make customers out of whoever appears in another source."""
        name = origin.table.name
        settings = {part: self._meaning(part) for part in CONSENTS}
        fingerprint = self._hashed("customers", "from", name, self._raw_fingerprint(origin), settings)
        if origin.faults or (name == "labelled" and name not in self.paths):
            return
        found = self._reusable("customers", fingerprint)
        if found is None:
            stage = Stage(SOURCE_TABLES["customers"], self.scratch / "customers")
            stage.folder.mkdir(parents=True)
            stage.files.append(f"from {name}")
            if name == "calls":
                calls = self._staged(origin)
                if calls is None:
                    return
                self.engine.register("appearances", calls.good)
            else:
                stage.attributes = self.reports["labelled"].attributes
                self.engine.register("appearances", self.paths["labelled"])
            self.engine.write(
                derived.CUSTOMERS_FROM[name](stage.attributes), stage.folder / "good-000000.parquet"
            )
            self.engine.drop("appearances")
            stage.n_good_parts = 1
            count = pl.scan_parquet(stage.good).select(pl.len()).collect().item()
            stage.n_read = stage.n_good = int(count)
            stage.n_without_consent = dict.fromkeys(CONSENTS, stage.n_read)
            self._settle(source, stage, fingerprint)
        else:
            self._take("customers", found)
        self._judge(source)

    def _load(self, source: _Source) -> None:
        name = source.table.name
        if self.progress is not None:
            self.progress(name)
        if source.faults:
            self._gather(source.faults, is_missing=source.is_missing)
            return
        parts: list[object] = [self._raw_fingerprint(source)]
        if name == "customers":
            parts += [{part: self._meaning(part) for part in CONSENTS}, self.config.lists.carry]
        elif name not in WITHOUT_KEYS:
            parts += [self.roster, self._hash_key_digest(), self._offer_fingerprint(name)]
        fingerprint = self._hashed(name, *parts)
        can_settle = name in WITHOUT_KEYS or name == "customers" or self.roster is not None
        found = self._reusable(name, fingerprint) if can_settle else None
        if found is not None:
            self._take(name, found)
        else:
            stage = self._staged(source)
            if stage is None:
                return
            if can_settle and stage.n_good_parts:
                self._settle(source, stage, fingerprint)
            else:
                self.reports[name] = self._report(stage, fingerprint, Settled(stage.folder, stage.n_good))
        self._judge(source)

    def _offer_fingerprint(self, name: str) -> str:
        return self.reports["offers"].fingerprint if name == "treatments" and "offers" in self.reports else ""

    def _staged(self, source: _Source) -> Stage | None:
        name = source.table.name
        if name not in self.stages:
            try:
                self.stages[name] = staged(source.table, source.parts, self.scratch / name, self.config.time)
            except SourceFault as fault:
                self._gather(fault.faults, is_missing=fault.is_missing)
                return None
        return self.stages[name]

    def _settle(self, source: _Source, stage: Stage, fingerprint: str) -> None:
        name = source.table.name
        folder = self.scratch / "done" / name
        parameters: dict[str, object] = {}
        if name == "customers":
            self._register_roster(stage)
        elif name not in WITHOUT_KEYS:
            parameters["hash_key"] = self.workspace.contact_hash_key(self.environment)
        wide = folder / "wide.parquet" if name == "usage" else folder / "part-0.parquet"
        offers = None
        if name == "treatments" and "offers" in self.paths:
            offers = pl.read_parquet(self.paths["offers"], columns=["offer_id"])["offer_id"].to_list()
        seen = settled(self.engine, stage, wide, parameters, offers=offers)
        if name == "usage":
            self._unpivot(wide, folder / "part-0.parquet", stage)
        if name == "customers":
            self._fill_consents(folder / "part-0.parquet")
            self._write_carry(stage, folder / "carry.parquet")
        report = self._report(stage, fingerprint, seen)
        write_quarantine(stage, folder / "quarantine.parquet")
        report.write(folder / "report.json")
        target = self._folder(name, fingerprint)
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        shutil.rmtree(stage.folder, ignore_errors=True)
        self._take(name, replace(report))

    def _register_roster(self, stage: Stage) -> None:
        ids = pl.scan_parquet(stage.good).select(pl.col("customer_id").unique()).collect()["customer_id"]
        roster = roster_of(self.workspace.lake, ids)
        self.roster = roster_hash(roster)
        self.engine.register("roster", roster)

    def _fill_consents(self, path: Path) -> None:
        """Replace missing consents by what the settings say they mean."""
        meanings = {name: self._meaning(name) for name in CONSENTS}
        frame = pl.scan_parquet(path).with_columns(
            pl.col(name).fill_null(meaning) for name, meaning in meanings.items() if meaning is not None
        )
        half = path.with_suffix(".half")
        writer = RowGroups(half)
        for batch in frame.collect_batches(chunk_size=100_000, maintain_order=True):
            writer.add(batch)
        writer.close()
        half.replace(path)

    def _write_carry(self, stage: Stage, path: Path) -> None:
        """Write the columns that lists show: the latest known of each customer."""
        if not stage.carried:
            return
        self.engine.register("staged", stage.good)
        writer = RowGroups(path)
        shown = {name: f"carry_{name}" for name in stage.carried}
        for batch in engine_batches(self.engine, derived.carry_query(shown), {}):
            writer.add(batch)
        writer.close()
        self.engine.drop("staged")

    def _unpivot(self, wide: Path, path: Path, stage: Stage) -> None:
        writer = RowGroups(path)
        if stage.metrics:
            self.engine.register("wide", wide)
            for batch in engine_batches(self.engine, derived.USAGE_LONG, {}):
                writer.add(batch)
            self.engine.drop("wide")
        else:
            kinds = {"metric": pl.String, "value": pl.Float64}
            columns = pl.read_parquet(wide, n_rows=0)
            writer.add(
                columns.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in kinds.items())
            )
        writer.close()
        wide.unlink()

    def _report(self, stage: Stage, fingerprint: str, seen: Settled) -> SourceReport:
        counts = fault_counts(stage)
        n_positive = None
        if stage.table.name == "labelled" and seen.path.is_file():
            n_positive = int(pl.scan_parquet(seen.path).select(pl.col("churned").sum()).collect().item() or 0)
        n_customers, n_rows = None, seen.n_kept
        table = seen.path.parent / "part-0.parquet"
        if table.is_file():
            lazy = pl.scan_parquet(table)
            n_rows = int(lazy.select(pl.len()).collect().item())
            if "customer_key" in lazy.collect_schema():
                n_customers = int(lazy.select(pl.col("customer_key").n_unique()).collect().item())
        return SourceReport(
            source=stage.table.name,
            fingerprint=fingerprint,
            files=tuple(stage.files),
            n_read=stage.n_read,
            n_kept=seen.n_kept,
            n_quarantined=sum(count.n_rows for count in counts),
            faults=counts,
            first_happened=seen.first,
            last_happened=seen.last,
            last_known=seen.last_known,
            n_customers=n_customers,
            nulls=seen.nulls,
            n_rows=n_rows,
            n_without_consent=merged_consents(stage) if stage.table.name == "customers" else {},
            needs_zone=stage.needs_zone,
            n_positive=n_positive,
            attributes=stage.attributes,
            carried=stage.carried,
            metrics=stage.metrics,
            roster=self.roster or "",
            warnings=tuple(stage.warnings),
        )

    # reuse

    def _folder(self, name: str, fingerprint: str) -> Path:
        return self.workspace.lake / "tables" / name / fingerprint[:32]

    def _reusable(self, name: str, fingerprint: str) -> SourceReport | None:
        folder = self._folder(name, fingerprint)
        if not (folder / "report.json").is_file():
            return None
        report = SourceReport.read(folder / "report.json")
        if name != "customers":
            return report
        keys = self.workspace.lake / "keys.parquet"
        if not keys.is_file():
            return None
        present = pl.scan_parquet(folder / "part-0.parquet").select(pl.col("customer_key").unique())
        roster = pl.scan_parquet(keys).join(present, on="customer_key", how="semi").collect()
        if roster["customer_id"].null_count() or roster_hash(roster) != report.roster:
            return None
        self.roster = report.roster
        self.engine.register("roster", roster)
        return report

    def _take(self, name: str, report: SourceReport) -> None:
        folder = self._folder(name, report.fingerprint)
        self.reports[name], self.folders[name] = report, folder
        self.paths[name] = folder / "part-0.parquet"
        if (folder / "carry.parquet").is_file():
            self.paths[CARRY] = folder / "carry.parquet"

    def _hashed(self, *parts: object) -> str:
        return hashlib.sha256(
            json.dumps([_code_hash(), *parts], default=str, sort_keys=True).encode()
        ).hexdigest()

    def _raw_fingerprint(self, source: _Source) -> str:
        parts: list[object] = [self.config.time.model_dump(mode="json")]
        for part in source.parts:
            settings = part.settings.model_dump(
                mode="json", exclude={"max_bad_share", "max_age_days", "true_base_rate"}
            )
            files = sorted((raw.name, raw.fingerprint) for raw, _ in part.files)
            parts.append([settings, files])
        return self._hashed(source.table.name, *parts)

    def _hash_key_digest(self) -> str:
        return hashlib.sha256(self.workspace.contact_hash_key(self.environment).encode()).hexdigest()

    # faults

    def _gather(self, faults: Sequence[Fault], *, is_missing: bool = False) -> None:
        if not faults:
            return
        self.faults += faults
        self.missing &= is_missing and all(fault.code == "file_missing" for fault in faults)

    def _meaning(self, consent: str) -> bool | None:
        return self.config.privacy.meaning_of_missing(consent)

    def _judge(self, source: _Source) -> None:
        name = source.table.name
        report = self.reports.get(name)
        if report is not None:
            self._gather(list(self._verdict(source, report)))

    def _verdict(self, source: _Source, report: SourceReport) -> Iterable[Fault]:
        where = f"source {report.source}"
        if report.n_read == 0:
            yield Fault(
                "table_empty", where, "at least one row", "none", f"Look at {', '.join(report.files)}."
            )
            return
        if report.needs_zone:
            yield _zone_fault(where)
        for name, count in report.n_without_consent.items():
            if count and self._meaning(name) is None:
                yield _consent_fault(where, name, count, report.n_read)
        if source.settings.positive and report.n_kept and report.n_positive == 0:
            yield Fault(
                "no_positive",
                f"churnrisk.toml [sources.{report.source}] positive",
                "values of churned that mean left",
                f"{', '.join(source.settings.positive)}, which no row has",
                "Write them exactly as in the file.",
            )
        yield from self._too_bad(source, report, where)

    def _too_bad(self, source: _Source, report: SourceReport, where: str) -> Iterable[Fault]:
        told = "; ".join(
            f"{count.n_rows} x {count.code} (first: {count.first_file} row {count.first_row}) {count.reason}"
            for count in sorted(report.faults, key=lambda item: -item.n_rows)[:5]
        )
        place = self._kept_quarantine(report)
        if report.n_kept == 0:
            yield Fault(
                "all_rows_bad",
                where,
                "rows that fulfil the contract",
                f"none of {report.n_read}: {told}",
                f"Correct the mapping or the file; every rejected row is in {place}.",
            )
            return
        declared = [
            part.settings.max_bad_share for part in source.parts if part.settings.max_bad_share is not None
        ]
        most = max(declared) if declared else self.config.quality.max_bad_share
        if report.bad_share > most:
            yield Fault(
                "too_many_bad_rows",
                where,
                f"at most {most:.1%} of rows rejected",
                f"{report.bad_share:.1%} of {report.n_read}: {told}",
                f"Correct the mapping or the file, or raise max_bad_share; every rejected row is in {place}.",
            )

    def _kept_quarantine(self, report: SourceReport) -> Path:
        settled_at = self._folder(report.source, report.fingerprint) / "quarantine.parquet"
        if settled_at.is_file():
            return settled_at
        loose = self.workspace.root / "quarantine" / "refused" / f"{report.source}.parquet"
        stage = self.stages.get(report.source)
        if stage is not None and stage.folder.is_dir():
            write_quarantine(stage, loose)
        return loose

    def _raise(self) -> None:
        if self.faults:
            raise (SourceMissing if self.missing else ContractError)(self.faults)

    # result

    def _loaded(self) -> LoadedSources:
        self.engine.drop("roster")
        self._prune()
        self._write_keys_table()
        attributes = self._attributes()
        warnings = [warning for report in self.reports.values() for warning in report.warnings]
        warnings += self._accepted()
        return LoadedSources(
            tables=LakeTables(
                paths=dict(sorted(self.paths.items())),
                attributes=attributes,
                fingerprints={name: report.fingerprint for name, report in sorted(self.reports.items())},
            ),
            reports=dict(sorted(self.reports.items())),
            quarantine={
                name: self.folders[name] / "quarantine.parquet"
                for name, report in sorted(self.reports.items())
                if report.n_quarantined
            },
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _prune(self) -> None:
        """Remove versions of tables beyond the newest few."""
        for current in self.folders.values():
            current.touch()
            versions = sorted(
                current.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True
            )
            for old in versions[KEPT_VERSIONS:]:
                shutil.rmtree(old, ignore_errors=True)

    def _write_keys_table(self) -> None:
        keys = self.workspace.lake / "keys.parquet"
        if "customers" in self.reports and keys.is_file():
            self.paths["keys"] = keys

    def _attributes(self) -> tuple[Attribute, ...]:
        names = dict.fromkeys(
            name
            for source in ("customers", "labelled")
            if source in self.reports
            for name in self.reports[source].attributes
        )
        parts = [part for source in ("customers", "labelled") for part in self.config.sources.get(source, ())]
        constant = {name for part in parts for name in _ours(part, part.constant)}
        text = {name for part in parts for name in _ours(part, part.text)}
        return tuple(
            Attribute(name, ATTRIBUTE_PREFIX + name, name in constant, name in text) for name in names
        )

    def _accepted(self) -> list[str]:
        return [
            "Attributes of customers are today's, used for past dates too (accept_current_attributes): figures of "
            "past dates flatter the model."
            for part in self.config.sources.get("customers", ())
            if part.accept_current_attributes
        ]


def _ours(part: SourceSettings, names: Iterable[str]) -> set[str]:
    renamed = {str(theirs): ours for ours, theirs in part.columns.items()}
    return {renamed.get(name, name) for name in names}


def _zone_fault(where: str) -> Fault:
    return Fault(
        "zone_undeclared",
        where,
        "a zone for local times",
        "times without an offset, and no zone",
        'Write zone in [time] or in the source, e.g. zone = "Europe/Moscow" ("UTC" if they are UTC).',
    )


def _consent_fault(where: str, name: str, count: int, n_read: int) -> Fault:
    return Fault(
        "consent_undeclared",
        where,
        f"{name} for every customer",
        f"missing in {count} of {n_read} rows",
        f"Map a column to {name}, or say in [privacy] missing_consent what a missing one means.",
    )


@cache
def _code_hash() -> str:
    """Return a hash of the code that loads: tables made by other code are made again."""
    here = Path(__file__).parent
    files = sorted([*here.glob("*.py"), *(here.parent / "tables").glob("*.py"), here.parent / "dates.py"])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
