"""Loads every source of a workspace: finds, reads, checks, settles, or reuses what was made from the same bytes.

It decides the order of sources and which faults stop a run, and refuses to know a single row. All faults of all
sources come in one error.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from ..config import CONSENTS, Config
from ..errors import ContractError, Fault, SourceMissing
from ..store import Engine, Workspace
from ..tables.contracts import SOURCE_TABLES
from . import derived
from .composed import composed_alike
from .kept import KeptTables, hashed, pruned, raw_fingerprint
from .keys import roster_hash, roster_of
from .loaded import LoadedSources, loaded_sources
from .made import fill_consents, report_of, unpivot, write_carry
from .opening import OpenedSource, Opener
from .quarantine import write_quarantine
from .raw import SourceFault
from .reports import SourceReport
from .settle import Settled, settled
from .stage import Stage, staged
from .vanished import vanished_refusals
from .verdicts import verdict

ORDER = ("labelled", "offers", "calls", "surveys", "interactions", "usage", "events", "treatments")
"""Order in which sources other than customers are loaded."""

WITHOUT_KEYS = frozenset({"offers", "labelled"})
"""Sources whose rows do not depend on who is a customer."""

CARRY = "carry"


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
        self.kept = KeptTables(workspace.lake)
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
        opener = Opener(self.workspace.root, self.config, self.environment, self.frames, self.scratch)
        sources = {name: opener.opened(name) for name in names if needed is None or name in needed}
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

    def _refuse_lonely(self, sources: Mapping[str, OpenedSource]) -> None:
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

    # loading one table

    def _load_customers(self, sources: Mapping[str, OpenedSource]) -> None:
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

    def _derive(self, source: OpenedSource, origin: OpenedSource) -> None:
        """Make customers out of whoever appears in another source."""
        name = origin.table.name
        settings = {part: self._meaning(part) for part in CONSENTS}
        fingerprint = hashed("customers", "from", name, raw_fingerprint(origin, self.config.time), settings)
        if origin.faults or (name == "labelled" and name not in self.paths):
            return
        found = self._reusable("customers", fingerprint)
        if found is None:
            stage = Stage(SOURCE_TABLES["customers"], self.scratch / "customers")
            stage.folder.mkdir(parents=True)
            stage.files.append(f"from {name}")
            stage.warnings += origin.on_consents
            if name == "calls":
                calls = self._staged(origin)
                if calls is None or not calls.n_good:
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

    def _load(self, source: OpenedSource) -> None:
        name = source.table.name
        if self.progress is not None:
            self.progress(name)
        if source.faults:
            self._gather(source.faults, is_missing=source.is_missing)
            return
        parts: list[object] = [raw_fingerprint(source, self.config.time)]
        if name == "customers":
            parts += [{part: self._meaning(part) for part in CONSENTS}, self.config.lists.carry]
        elif name not in WITHOUT_KEYS:
            parts += [self.roster, self._hash_key_digest(), self._offer_fingerprint(name)]
        fingerprint = hashed(name, *parts)
        can_settle = name in WITHOUT_KEYS or name == "customers" or self.roster is not None
        found = self._reusable(name, fingerprint) if can_settle else None
        if found is not None:
            self._take(name, found)
        else:
            stage = self._staged(source)
            if stage is None:
                return
            if can_settle and stage.n_good:
                self._settle(source, stage, fingerprint)
            else:
                self.reports[name] = report_of(stage, fingerprint, Settled(stage.folder, stage.n_good), "")
        self._judge(source)

    def _offer_fingerprint(self, name: str) -> str:
        return self.reports["offers"].fingerprint if name == "treatments" and "offers" in self.reports else ""

    def _staged(self, source: OpenedSource) -> Stage | None:
        name = source.table.name
        if name not in self.stages:
            try:
                self.stages[name] = staged(source.table, source.parts, self.scratch / name, self.config.time)
            except SourceFault as fault:
                self._gather(fault.faults, is_missing=fault.is_missing)
                return None
        return self.stages[name]

    def _settle(self, source: OpenedSource, stage: Stage, fingerprint: str) -> None:
        name = source.table.name
        folder = self.scratch / "done" / name
        parameters: dict[str, object] = {}
        if name == "customers":
            self._register_roster(stage)
        elif name not in WITHOUT_KEYS:
            parameters["hash_key"] = self.workspace.contact_hash_key(self.environment)
        stage.warnings += composed_alike(self.engine, stage)
        wide = folder / "wide.parquet" if name == "usage" else folder / "part-0.parquet"
        offers = None
        if name == "treatments" and "offers" in self.paths:
            offers = pl.read_parquet(self.paths["offers"], columns=["offer_id"])["offer_id"].to_list()
        seen = settled(self.engine, stage, wide, parameters, offers=offers)
        if name == "usage":
            unpivot(self.engine, stage, wide, folder / "part-0.parquet")
        if name == "customers":
            fill_consents(folder / "part-0.parquet", {name: self._meaning(name) for name in CONSENTS})
            write_carry(self.engine, stage, folder / "carry.parquet")
            stage.warnings += vanished_refusals(
                self.kept.newest(name),
                folder / "part-0.parquet",
                [part for part in CONSENTS if self._meaning(part)],
            )
        report = report_of(stage, fingerprint, seen, self.roster or "")
        write_quarantine(stage, folder / "quarantine.parquet")
        report.write(folder / "report.json")
        self.kept.put(report, folder)
        shutil.rmtree(stage.folder, ignore_errors=True)
        self._take(name, report)

    def _register_roster(self, stage: Stage) -> None:
        ids = pl.scan_parquet(stage.good).select(pl.col("customer_id").unique()).collect()["customer_id"]
        roster = roster_of(self.workspace.lake, ids)
        self.roster = roster_hash(roster)
        self.engine.register("roster", roster)

    # reuse

    def _reusable(self, name: str, fingerprint: str) -> SourceReport | None:
        report = self.kept.report(name, fingerprint)
        if report is not None and name == "customers":
            if not self.kept.registered_roster(self.engine, report):
                return None
            self.roster = report.roster
        return report

    def _take(self, name: str, report: SourceReport) -> None:
        folder = self.kept.folder(name, report.fingerprint)
        self.reports[name], self.folders[name] = report, folder
        self.paths[name] = folder / "part-0.parquet"
        if (folder / "carry.parquet").is_file():
            self.paths[CARRY] = folder / "carry.parquet"

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

    def _judge(self, source: OpenedSource) -> None:
        name = source.table.name
        report = self.reports.get(name)
        if report is not None:
            settings = [part.settings for part in source.parts]
            place = self._kept_quarantine(report)
            self._gather(list(verdict(settings, report, self.config, place)))

    def _kept_quarantine(self, report: SourceReport) -> Path:
        settled_at = self.kept.folder(report.source, report.fingerprint) / "quarantine.parquet"
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
        pruned(self.folders.values())
        keys = self.workspace.lake / "keys.parquet"
        if "customers" in self.reports and keys.is_file():
            self.paths["keys"] = keys
        return loaded_sources(self.config, self.reports, self.paths, self.folders)
