"""Publishing: puts the audited tables and files of one run in place together, or leaves everything as it was.

It decides where published files lie, in which order they move, and what happens after a crash; it refuses to know
what the tables mean. Everything slow happens beside the published files, in hidden ``.incoming`` folders on the same
file system. Then a journal is written: that is the moment at which the run counts as published. After it there are
only renames, and whoever comes next (see :func:`recover`) finishes the renames that a crash left undone. Before it,
a crash leaves the tables of the previous run untouched.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from .audits import TableRule, audited
from .engine import Engine, literal, quoted
from .private import kept_private, made_folder
from .workspace import Workspace

DUCKDB_NAME = "churnrisk.duckdb"
DUCKDB_STORAGE_VERSION = "v1.0.0"
"""Storage version of the copy for BI tools: every driver since DuckDB 1.0 reads it (tried with 1.1.3)."""

INCOMING = ".incoming"
_JOURNAL = "publishing.json"
_PARTITION = "as_of="


@dataclass(frozen=True)
class Edition:
    """What one run has ready for one as-of date.

    ``tables`` are staged Parquet files by table name; ``files`` are staged files by the place, relative to the
    workspace, where they belong. ``withdrawn`` names tables that an earlier run of the same date published and
    this one does not have.
    """

    run_id: str
    as_of: date
    tables: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()


def staged_edition(
    workspace: Workspace,
    rules: Mapping[str, TableRule],
    frames: Mapping[str, pl.DataFrame],
    *,
    run_id: str,
    as_of: date,
    n_expected: Mapping[str, int] | None = None,
) -> Edition:
    """Audit the frames of one run and write them, in a fixed order and form, to the run's folder.

    Raises GateRefused, with nothing written, when an audit finds anything.
    """
    ordered = audited(frames, rules, n_expected)
    folder = workspace.run_folder(run_id) / "tables"
    paths = {name: written_parquet(frame, folder / f"{name}.parquet") for name, frame in ordered.items()}
    return Edition(run_id, as_of, paths)


def written_parquet(frame: pl.DataFrame, path: Path) -> Path:
    """Write ``frame`` to ``path`` so that the same rows in the same order give the same bytes; return ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    frame.rechunk().write_parquet(
        partial, compression="zstd", compression_level=1, row_group_size=122_880, statistics=True
    )
    partial.replace(path)
    return path


def publish(workspace: Workspace, edition: Edition, rules: Mapping[str, TableRule]) -> None:
    """Put an edition in place, all of it or nothing; the caller holds the workspace (``Workspace.held``).

    ``churnrisk.duckdb`` is made anew when the edition is of the latest date; an older date leaves it alone.
    """
    for _ in publishing(workspace, edition, rules):
        pass


def publishing(
    workspace: Workspace, edition: Edition, rules: Mapping[str, TableRule]
) -> Generator[str, None, None]:
    """Publish step by step, naming each step once it is done, so that tests can stop between any two."""
    recover(workspace)
    plan = _Plan(workspace, edition.run_id)
    for name, staged in edition.tables.items():
        plan.add(_target(workspace, rules[name], edition), _copied(staged))
        yield f"{name} beside"
    for place, staged in edition.files.items():
        plan.add(workspace.root / place, _copied(staged))
        yield f"{place} beside"
    withdrawn = [
        _target(workspace, rules[name], edition) for name in edition.withdrawn if name not in edition.tables
    ]
    sources = _duckdb_sources(workspace, edition, rules, plan, withdrawn)
    if sources:
        plan.add(
            workspace.published / DUCKDB_NAME, lambda path: _write_duckdb(workspace, path, sources, rules)
        )
        yield f"{DUCKDB_NAME} beside"
    plan.commit(withdrawn)
    yield "committed"
    yield from _rolled_forward(workspace)


def recover(workspace: Workspace) -> str | None:
    """Finish a publication that a crash interrupted, sweep away one that had not begun; return its run id, if any.

    Call it at the start of every command that writes, with the workspace held.
    """
    journal = _journal(workspace)
    run_id = str(json.loads(journal.read_text("utf-8"))["run_id"]) if journal.is_file() else None
    for _ in _rolled_forward(workspace):
        pass
    return run_id


def published_days(workspace: Workspace, table: str, *, is_restricted: bool = False) -> list[date]:
    """Return the as-of dates for which ``table`` is published, oldest first."""
    top = (workspace.restricted if is_restricted else workspace.published) / table
    return sorted(
        date.fromisoformat(path.name.removeprefix(_PARTITION))
        for path in top.glob(f"{_PARTITION}*")
        if any(path.glob("part-*.parquet"))
    )


def published_frame(
    workspace: Workspace,
    rule: TableRule,
    day: date | None = None,
    *,
    customers: Collection[str] | None = None,
) -> pl.DataFrame | None:
    """Return a published table as of ``day`` (default: its latest), or None when there is none.

    With ``customers`` only their rows are read.
    """
    days = published_days(workspace, rule.name, is_restricted=rule.is_restricted)
    wanted = day if day is not None else max(days, default=None)
    if wanted not in days or wanted is None:
        return None
    parts = _parts(_folder(workspace, rule, wanted))
    scans = [pl.scan_parquet(path, hive_partitioning=False) for path in parts]
    if customers is not None:
        scans = [scan.filter(pl.col("customer_id").is_in(list(customers))) for scan in scans]
    return pl.concat([scan.collect() for scan in scans], how="diagonal")


def published_parts(workspace: Workspace, rule: TableRule, day: date) -> list[Path]:
    """Return the files of a published table as of ``day``, for reading single columns; empty when there are none."""
    return _parts(_folder(workspace, rule, day))


class _Plan:
    """Files made beside the published ones, and the moves that will put them in place."""

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        self._workspace = workspace
        self._run_id = run_id
        self.moves: dict[Path, Path] = {}

    def add(self, target: Path, make: Callable[[Path], None]) -> None:
        root = self._workspace.root
        top = root / target.relative_to(root).parts[0]
        beside = top / INCOMING / self._run_id / str(len(self.moves))
        made_folder(beside.parent, private_under=self._workspace.restricted)
        beside.unlink(missing_ok=True)
        make(beside)
        kept_private(beside, private_under=self._workspace.restricted)
        _flush(beside)
        self.moves[target] = beside

    def commit(self, removals: Iterable[Path]) -> None:
        root = self._workspace.root
        for beside in self.moves.values():
            _flush(beside.parent)
        record: dict[str, Any] = {
            "run_id": self._run_id,
            "moves": [
                [str(beside.relative_to(root)), str(target.relative_to(root))]
                for target, beside in self.moves.items()
            ],
            "removals": [str(path.relative_to(root)) for path in removals],
        }
        journal = _journal(self._workspace)
        journal.parent.mkdir(parents=True, exist_ok=True)
        partial = journal.with_suffix(".partial")
        partial.write_text(json.dumps(record), "utf-8")
        _flush(partial)
        partial.replace(journal)
        _flush(journal.parent)


def _rolled_forward(workspace: Workspace) -> Iterator[str]:
    root, journal = workspace.root, _journal(workspace)
    if journal.is_file():
        record = json.loads(journal.read_text("utf-8"))
        for beside, target in record["moves"]:
            if (root / beside).exists():
                made_folder((root / target).parent, private_under=workspace.restricted)
                (root / beside).replace(root / target)
                _flush((root / target).parent)
            yield f"{target} in place"
        for gone in record["removals"]:
            (root / gone).unlink(missing_ok=True)
            if (root / gone).parent.is_dir() and not any((root / gone).parent.iterdir()):
                (root / gone).parent.rmdir()
            yield f"{gone} withdrawn"
        journal.unlink()
        _flush(journal.parent)
        yield "journal closed"
    for incoming in root.glob(f"*/{INCOMING}"):
        shutil.rmtree(incoming)
        yield f"{incoming.parent.name} swept"


def _duckdb_sources(
    workspace: Workspace, edition: Edition, rules: Mapping[str, TableRule], plan: _Plan, withdrawn: list[Path]
) -> dict[str, list[Path]]:
    """Return table -> files that the copy for BI tools will hold; nothing when it is to stay as it is."""
    open_rules = {name: rule for name, rule in rules.items() if not rule.is_restricted}
    days = {
        day for name, rule in open_rules.items() if not rule.is_log for day in published_days(workspace, name)
    }
    if any(name in open_rules and not rules[name].is_log for name in edition.tables):
        days.add(edition.as_of)
    latest = max(days, default=None)
    if latest is None or (latest != edition.as_of and (workspace.published / DUCKDB_NAME).is_file()):
        return {}
    sources: dict[str, list[Path]] = {}
    for name, rule in sorted(open_rules.items()):
        folder = _folder(workspace, rule, latest)
        standing = [path for path in _parts(folder) if path not in plan.moves and path not in withdrawn]
        arriving = [beside for target, beside in plan.moves.items() if target.parent == folder]
        if standing or arriving:
            sources[name] = [*standing, *arriving]
    return sources


def _write_duckdb(
    workspace: Workspace, path: Path, sources: Mapping[str, list[Path]], rules: Mapping[str, TableRule]
) -> None:
    with workspace.engine() as engine:
        engine.execute(
            f"attach {literal(path)} as copy_for_bi (storage_version {literal(DUCKDB_STORAGE_VERSION)})"
        )
        for name, files in sources.items():
            listed = ", ".join(literal(file) for file in files)
            reading = f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
            engine.execute(f"create table copy_for_bi.{quoted(name)} as from {reading}")
            _comment(engine, name, rules[name])
        engine.execute("detach copy_for_bi")


def _comment(engine: Engine, name: str, rule: TableRule) -> None:
    for column in rule.columns:
        if column.comment:
            engine.execute(
                f"comment on column copy_for_bi.{quoted(name)}.{quoted(column.name)} is {literal(column.comment)}"
            )


def _folder(workspace: Workspace, rule: TableRule, day: date) -> Path:
    top = workspace.restricted if rule.is_restricted else workspace.published
    return top / rule.name / f"{_PARTITION}{day.isoformat()}"


def _target(workspace: Workspace, rule: TableRule, edition: Edition) -> Path:
    part = edition.run_id if rule.is_log else "0"
    return _folder(workspace, rule, edition.as_of) / f"part-{part}.parquet"


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _journal(workspace: Workspace) -> Path:
    return workspace.lake / _JOURNAL


def _copied(source: Path) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        shutil.copyfile(source, path)

    return make


def _flush(path: Path) -> None:
    """Make the file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
