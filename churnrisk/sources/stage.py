"""Reads every file of a source in batches, checks them, and leaves good rows as staged Parquet, bad ones beside.

It decides how the files of a source come together, and refuses to know keys and other sources. Memory is that of one
batch, however large the files are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ..config import SourceSettings, TimeSettings
from ..tables.contracts import ROW, SourceTable
from ..tables.faults import sentence_of
from .checked import BAD_SCHEMA, Checked, Reader, checked_batch, consent_columns
from .mapping import ColumnMap
from .raw import RawTable
from .values import Spelling, read_number, stripped

FIRST_ROWS = 1_000
"""Of a batch, looked at before the others when a column is asked whether it holds numbers."""

BAD_STAGED: dict[str, pl.DataType | type[pl.DataType]] = {**BAD_SCHEMA, "reason": pl.String}


@dataclass(frozen=True)
class Part:
    """One table of ``[[sources.X]]``: its settings, and for each of its files the table and the column map."""

    settings: SourceSettings
    files: tuple[tuple[RawTable, ColumnMap], ...]


@dataclass
class Stage:
    """A source read and checked: where its good and bad rows lie, and what was counted on the way."""

    table: SourceTable
    folder: Path
    files: list[str] = field(default_factory=list)
    n_read: int = 0
    n_good: int = 0
    n_files: int = 0
    needs_zone: bool = False
    n_without_consent: dict[str, int] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    has_ids: bool = True
    """The customers of the rows are named; a labelled extract may have none."""
    n_bad_parts: int = 0
    n_good_parts: int = 0

    @property
    def good(self) -> Path:
        """The pattern of the staged good rows."""
        return self.folder / "good-*.parquet"

    def add_bad(self, bad: pl.DataFrame) -> None:
        """Keep rejected rows (BAD_STAGED) for quarantine."""
        if bad.height:
            bad.select(list(BAD_STAGED)).cast(BAD_STAGED).write_parquet(  # type: ignore[arg-type]
                self.folder / f"bad-{self.n_bad_parts:06}.parquet", compression="lz4"
            )
            self.n_bad_parts += 1

    def bad_rows(self) -> pl.LazyFrame:
        """Return every rejected row so far."""
        if not self.n_bad_parts:
            return pl.LazyFrame(schema=BAD_STAGED)
        return pl.scan_parquet(self.folder / "bad-*.parquet")

    def add_good(self, good: pl.DataFrame) -> None:
        """Keep good rows; an empty batch gives the columns when it is the first."""
        if good.height or not self.n_good_parts:
            good.write_parquet(self.folder / f"good-{self.n_good_parts:06}.parquet", compression="lz4")
            self.n_good_parts += 1
        self.n_good += good.height


def staged(table: SourceTable, parts: Sequence[Part], folder: Path, time: TimeSettings) -> Stage:
    """Read and check every file of a source; raise SourceFault for a file that is damaged."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(table, folder)
    extras = list(
        dict.fromkeys(name for part in parts for _, mapping in part.files for name in mapping.extras)
    )
    if table.extra == "metric":
        stage.metrics = _numeric(parts, extras, time, stage)
    elif table.extra == "attribute":
        stage.attributes = tuple(extras)
    stage.carried = tuple(
        dict.fromkeys(name for part in parts for _, mapping in part.files for name in mapping.carried)
    )
    stage.has_ids = any(mapping.gives("customer_id") for part in parts for _, mapping in part.files)
    for part in parts:
        spelling = Spelling(part.settings, time)
        for raw, mapping in part.files:
            reader = Reader(
                table, mapping, spelling, len(stage.files), stage.metrics, stage.attributes, stage.carried
            )
            stage.files.append(raw.name)
            _stage_file(stage, raw, reader)
            stage.warnings += raw.warnings
    return stage


def _stage_file(stage: Stage, raw: RawTable, reader: Reader) -> None:
    size_before = stage.n_read
    for batch in raw.batches(reader.mapping.wanted):
        checked = checked_batch(reader, batch)
        stage.n_read += len(batch.rows)
        stage.needs_zone |= checked.needs_zone
        for name, count in checked.n_without_consent.items():
            stage.n_without_consent[name] = stage.n_without_consent.get(name, 0) + count
        stage.add_good(_with_set(stage, reader, checked))
        stage.add_bad(_explained(checked.bad, reader))
    lines = list(raw.rejected_rows())
    stage.n_read += len(lines)
    if lines:
        found = pl.DataFrame({ROW: lines}).select(
            pl.lit(reader.file, dtype=pl.Int64).alias("_file"),
            ROW,
            pl.lit("malformed_line").alias("code"),
            pl.lit(["malformed_line"]).alias("codes"),
            pl.lit("").alias("column"),
            pl.lit(None, dtype=pl.String).alias("value"),
        )
        stage.add_bad(_explained(found, reader))
    stage.n_files += stage.n_read > size_before


def _with_set(stage: Stage, reader: Reader, checked: Checked) -> pl.DataFrame:
    """Mark usage rows with the metrics their file has: rows of files with other metrics do not contradict them."""
    if stage.table.extra != "metric":
        return checked.good
    here = [name for name in stage.metrics if name in reader.mapping.extras]
    return checked.good.with_columns(pl.lit("\x1f".join(here)).alias("_metrics"))


def _explained(bad: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    """Add the sentence, and name columns as the file does."""
    if bad.is_empty():
        return bad.with_columns(pl.lit(None, dtype=pl.String).alias("reason"))
    pairs = bad.select("code", "column").unique()
    sentences, names = [], []
    for code, column in pairs.iter_rows():
        theirs = reader.mapping.theirs(column)
        limits = reader.table.limits_of(column) if column else ""
        sentences.append(sentence_of(code, theirs, limits))
        names.append(theirs)
    told = pairs.with_columns(pl.Series("reason", sentences), pl.Series("theirs", names))
    joined = bad.join(told, on=["code", "column"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("theirs").alias("column")).drop("theirs")


def _numeric(
    parts: Sequence[Part], names: Sequence[str], time: TimeSettings, stage: Stage
) -> tuple[str, ...]:
    """Return the further columns that hold numbers anywhere, or were mapped by name; warn about the others."""
    declared = {ours for part in parts for ours in part.settings.columns}
    numeric = {name for name in names if name in declared}
    seen_text = set()
    for part in parts:
        spelling = Spelling(part.settings, time)
        for raw, mapping in part.files:
            asked = {name: theirs for name, theirs in mapping.extras.items() if name not in numeric}
            for batch in raw.batches(list(asked.values())) if asked else ():
                for name, theirs in asked.items():
                    if name in numeric:
                        continue
                    plain = stripped(batch.frame[theirs], spelling.missing(theirs, name))
                    if _holds_number(plain, spelling.settings.decimal):
                        numeric.add(name)
                    elif plain.null_count() < len(plain):
                        seen_text.add(name)
                if numeric.issuperset(asked):
                    break
    left_out = sorted(seen_text - numeric)
    if left_out:
        stage.warnings.append(
            f"{stage.table.name}: left out, since they hold no numbers: {', '.join(left_out)}."
        )
    return tuple(name for name in names if name in numeric)


def _holds_number(plain: pl.Series, decimal: str) -> bool:
    """Say whether any value reads as a number; mostly one of the first does, and the rest need not be read."""
    if plain.dtype.is_temporal():
        return False
    parts = (plain.head(FIRST_ROWS), plain.slice(FIRST_ROWS))
    return any(read_number(part, decimal).values.is_not_null().any() for part in parts)


def merged_consents(stage: Stage) -> dict[str, int]:
    """Return rows without each consent."""
    return {name: stage.n_without_consent.get(name, 0) for name in consent_columns(stage.table)}
