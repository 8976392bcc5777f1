"""Reads a file or frame for ``churnrisk record``: the readers, contracts and quarantine of sources, without a source.

It decides which rows can be recorded, and refuses to know what is done with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ..config import SourceSettings
from ..errors import ContractError, Fault, SourceMissing
from ..store import Workspace
from ..tables.contracts import FILE, RECORDED_TABLES, ROW
from ..tables.faults import CONTROL, sentence_of
from .checked import SHOWN_KINDS
from .columnar import ParquetTable, stored_frame
from .delimited import DelimitedTable
from .files import is_parquet, is_spreadsheet
from .further import further_columns
from .mapping import mapped_columns
from .quarantine import fault_counts, write_quarantine
from .raw import RawTable, SourceFault
from .reports import FaultCount
from .stage import Part, Stage, staged
from .values import as_text
from .verdicts import zone_fault

RECORDED = "recorded_"


@dataclass
class RecordedFile:
    """The rows of one file that fulfil the contract, and those that do not, which more may join.

    ``rows`` has the columns of the contract and FILE, ROW.
    """

    kind: str
    stage: Stage
    rows: pl.DataFrame
    fingerprint: str
    elsewhere: pl.DataFrame | None = None
    """treatment_id, customer_id, offer_id, at of the treatments that the sources tell of."""
    warnings: list[str] = field(default_factory=list)

    @property
    def n_read(self) -> int:
        """Rows in the file."""
        return self.stage.n_read

    def reject(self, bad: pl.Expr, code: str, column: str = "", *, remedy: pl.Expr | None = None) -> None:
        """Put the rows for which ``bad`` holds aside, with a reason and, where there is one, a ``remedy`` of each."""
        found = self.rows.filter(bad)
        if found.is_empty():
            return
        told = self.stage.table.limits_of(column) if column else ""
        self.stage.add_bad(
            found.select(
                FILE,
                ROW,
                pl.lit(code).alias("code"),
                pl.lit([code]).alias("codes"),
                pl.lit(column).alias("column"),
                self._shown(found, column).alias("value"),
                self._reason(sentence_of(code, column, told), remedy),
            )
        )
        self.rows = self.rows.join(found, on=[FILE, ROW], how="anti", maintain_order="left")

    def _shown(self, found: pl.DataFrame, column: str) -> pl.Series:
        """Return the values of a column that quarantine may hold: none of ids and texts, which may name a person."""
        if column in self.stage.table.columns and self.stage.table.kind(column) in SHOWN_KINDS:
            return as_text(found[column])
        return pl.Series([None], dtype=pl.String).new_from_index(0, found.height)

    @staticmethod
    def _reason(sentence: str, remedy: pl.Expr | None) -> pl.Expr:
        told = pl.lit(sentence)
        return (told if remedy is None else pl.concat_str(told, remedy, separator=" ")).alias("reason")

    def reject_repeated(self, key: Sequence[str]) -> None:
        """Keep one row per key: that which sorts first; equal ones and others with the key are put aside."""
        content = [name for name in self.rows.columns if name not in {FILE, ROW, "known_at"}]
        known = [name for name in ("known_at",) if name in self.rows.columns]
        ordered = self.rows.sort([*key, *known, *content, FILE, ROW], nulls_last=True)
        same = pl.all_horizontal(
            pl.col(name).eq_missing(pl.col(name).first().over(list(key))) for name in content
        )
        marked = ordered.with_columns(
            _again=pl.int_range(pl.len()).over(list(key)) > 0,
            _same=same,
        )
        self.rows = marked
        self.reject(pl.col("_again") & pl.col("_same"), "duplicate_row")
        self.reject(pl.col("_again"), "duplicate_key")
        self.rows = self.rows.drop("_again", "_same").sort(FILE, ROW)

    def finished(self, place: Path) -> tuple[FaultCount, ...]:
        """Write the rows put aside to ``place`` when there are any, and count them by reason."""
        counts = fault_counts(self.stage)
        if counts:
            write_quarantine(self.stage, place)
        return counts


def recorded_file(
    workspace: Workspace,
    kind: str,
    given: object,
    scratch: Path,
    *,
    customers: pl.Series | None = None,
    offers: pl.Series | None = None,
) -> RecordedFile:
    """Read and check a file (CSV or Parquet) or frame for recording.

    Parameters
    ----------
    kind : str
        answers, outcomes, treatments, contacts, consents, suppressions or liftings.
    given : path, str or frame
        A Polars, Arrow or pandas frame, or where a file lies (relative to where the command runs).
    scratch : Path
        A folder that goes away afterwards.
    customers, offers : Series, optional
        Ids that are known; rows that name others are put aside.

    Raises
    ------
    SourceMissing
        There is no such file.
    ContractError
        It is no table, lacks a required column or has a misspelt one, or has local times and no zone is declared.
    """
    table = RECORDED_TABLES[RECORDED + kind]
    settings = SourceSettings()
    try:
        raw = _opened(given, settings, scratch, list(table.columns))
        mapping, faults = mapped_columns(table, settings, raw, carry=())
        if any(fault.code == "header_missing" for fault in faults):  # its cells are nobody's business
            raise ContractError(faults)
        passed = further_columns(table, raw, carry=workspace.config.lists.carry)
        if faults or passed.faults:
            raise ContractError([*faults, *passed.faults])
        n_told = len(raw.warnings)
        stage = staged(table, [Part(settings, ((raw, mapping),))], scratch / kind, workspace.config.time)
    except SourceFault as fault:
        raise (SourceMissing if fault.is_missing else ContractError)(fault.faults) from fault
    if stage.needs_zone:
        raise ContractError(zone_fault(raw.name))
    rows = pl.read_parquet(stage.good) if stage.n_good_parts else _nothing(table.schema)
    found = RecordedFile(
        kind, stage, rows, raw.fingerprint, warnings=[*passed.warnings, *raw.warnings[n_told:]]
    )
    if customers is not None and "customer_id" in rows.columns:
        found.reject(~pl.col("customer_id").is_in(customers.implode()), "unknown_customer", "customer_id")
    if offers is not None and "offer_id" in rows.columns:
        known = pl.concat([offers, pl.Series([CONTROL])])
        found.reject(~pl.col("offer_id").is_in(known.implode()), "unknown_offer", "offer_id")
        found.reject(~pl.col("instead_of").is_in(offers.implode()), "unknown_instead_of", "instead_of")
    return found


def _nothing(schema: object) -> pl.DataFrame:
    return schema.create_empty()  # type: ignore[attr-defined,no-any-return]


def _opened(given: object, settings: SourceSettings, scratch: Path, hints: Sequence[str]) -> RawTable:
    if not isinstance(given, str | Path):
        path = stored_frame(given, scratch / "frame.parquet", "frame")
        return ParquetTable(path, "frame", where="frame")
    path = _existing(Path(given))
    if is_spreadsheet(path):
        raise SourceFault(
            Fault(
                "file_unreadable",
                path.name,
                "CSV or Parquet",
                "a spreadsheet",
                "Open it and save it as CSV (UTF-8), then record that file. Keep ids as text: zeros in front count.",
            )
        )
    if is_parquet(path):
        return ParquetTable(path, path.name, where=path.name)
    return DelimitedTable(path, path.name, settings, where=path.name, hints=hints)


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    names = (
        sorted(each.name for each in path.parent.iterdir() if each.is_file()) if path.parent.is_dir() else []
    )
    raise SourceFault(
        Fault("file_missing", str(path), "a file", "none", "Correct the path.", tuple(names[:20])),
        is_missing=True,
    )


def quarantine_place(workspace: Workspace, recorded: RecordedFile) -> Path:
    """Return where the rejected rows of a file lie: the same file, the same place."""
    digest = hashlib.sha256(recorded.fingerprint.encode()).hexdigest()[:12]
    return workspace.root / "quarantine" / "recorded" / f"{recorded.kind}-{digest}.parquet"
